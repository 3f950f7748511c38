"""Differences, slopes and areas of sampled functions: diff, gradient, trapezoid,
interp, unwrap."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.trace import concrete_or_error
from jaxlike.numpy import manipulation, reductions
from jaxlike.numpy.axes import canonical_axis, reduction_axes
from jaxlike.numpy.binary import clip, not_equal, remainder
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.cumulative import cumsum
from jaxlike.numpy.joining import concatenate
from jaxlike.numpy.promote import (
    ArrayLike,
    as_array,
    broadcast_to_shape,
    check_arraylike,
    check_arraylike_or_none,
    convert,
    promote_dtypes,
    promote_dtypes_inexact,
    to_arrays,
)
from jaxlike.numpy.searching import where
from jaxlike.numpy.unary import abs as absolute
from jaxlike.primitives import slicing

__all__ = ["diff", "ediff1d", "gradient", "interp", "trapezoid", "unwrap"]


def _part(a, start: int, stop: int, axis: int):
    """The slice from `start` to `stop` of one axis."""
    return slicing.slice_in_dim(a, start, stop, axis=axis)


@composite_of(1)
def diff(
    a: ArrayLike,
    n: int = 1,
    axis: int = -1,
    prepend: ArrayLike | None = None,
    append: ArrayLike | None = None,
) -> Array:
    """The differences of neighbours along an axis, taken n times.

    Args: `prepend`, `append`, values to put before and after the array first.
    Raises: ValueError for negative `n`, or a scalar.

    >>> import jaxlike.numpy as jnp
    >>> jnp.diff(jnp.array([1, 4, 9])).tolist()
    [3, 5]
    """
    check_arraylike("diff", a)
    check_arraylike_or_none("diff", prepend, append)
    [a] = to_arrays("diff", a)
    n = concrete_or_error(operator.index, n, "'n' argument of jnp.diff")
    axis = concrete_or_error(operator.index, axis, "'axis' argument of jnp.diff")
    if n == 0:
        return a
    if n < 0:
        raise ValueError(format_error(f"diff: n must not be negative, got {n}"))
    if a.ndim == 0:
        raise ValueError(format_error(f"diff takes at least 1 axis, got {a}"))
    axis = canonical_axis(axis, a.ndim)
    parts = []
    for extra in (prepend, append):
        if extra is None:
            parts.append(())
            continue
        extra = as_array(extra)
        if not extra.ndim:
            shape = (*a.shape[:axis], 1, *a.shape[axis + 1 :])
            extra = broadcast_to_shape(extra, shape)
        parts.append((extra,))
    before, after = parts
    if before or after:
        a = concatenate([*before, a, *after], axis=axis)
    for _ in range(n):
        size = a.shape[axis]
        later = _part(a, min(1, size), size, axis)
        earlier = _part(a, 0, max(size - 1, 0), axis)
        a = not_equal(later, earlier) if a.dtype == np.bool_ else later - earlier
    return a


@composite_of(1)
def ediff1d(
    ary: ArrayLike, to_end: ArrayLike | None = None, to_begin: ArrayLike | None = None
) -> Array:
    """The differences of neighbours in the flattened array.

    Args: `to_begin`, `to_end`, values to put before and after the differences.

    >>> import jaxlike.numpy as jnp
    >>> jnp.ediff1d(jnp.array([1, 4, 9]), to_begin=0).tolist()
    [0, 3, 5]
    """
    check_arraylike("ediff1d", ary)
    check_arraylike_or_none("ediff1d", to_end, to_begin)
    [ary] = to_arrays("ediff1d", ary)
    flat = ary.reshape(-1)
    out = _part(flat, min(1, flat.size), flat.size, 0) - _part(
        flat, 0, max(flat.size - 1, 0), 0
    )
    if to_begin is not None:
        first = convert(as_array(to_begin), ary.dtype).reshape(-1)
        out = concatenate([first, out])
    if to_end is not None:
        last = convert(as_array(to_end), ary.dtype).reshape(-1)
        out = concatenate([out, last])
    return out


def gradient(
    f: ArrayLike,
    *varargs: ArrayLike,
    axis: int | Sequence[int] | None = None,
    edge_order: int | None = None,
) -> Array | list[Array]:
    """The slopes of a sampled function, by central differences, one-sided at the ends.

    Args: `varargs`, the distance of samples, or the coordinates of all, one argument
    for all axes or one each; `axis`, one or several axes.
    Returns: an array for each axis, in a list if there are several.
    Raises: ValueError for fewer than two samples.

    >>> import jaxlike.numpy as jnp
    >>> jnp.gradient(jnp.array([1.0, 2.0, 4.0])).tolist()
    [1.0, 1.5, 2.0]
    """
    if edge_order is not None:
        raise NotImplementedError(format_error("gradient takes no edge_order"))
    f, *spacings = promote_dtypes_inexact(*to_arrays("gradient", f, *varargs))
    axes = reduction_axes(axis, f.ndim)
    if min((f.shape[i] for i in axes), default=2) < 2:
        raise ValueError(
            format_error("gradient needs at least 2 elements along each axis")
        )
    if not spacings:
        spacings = [as_array(1.0)] * len(axes)
    elif len(spacings) == 1:
        spacings = spacings * len(axes)
    elif len(spacings) != len(axes):
        raise TypeError(
            format_error(f"gradient: {len(spacings)} spacings for axes {axes}")
        )
    out = []
    for i, h in zip(axes, spacings):
        if h.ndim > 1 or (h.ndim == 1 and h.shape[0] != f.shape[i]):
            raise ValueError(
                format_error(
                    "Spacing arrays must be 1D, of the size of their axis in "
                    f"`gradient`; got shape {h.shape}"
                )
            )
        out.append(_slopes(f, h, i))
    return out[0] if len(axes) == 1 else out


def _slopes(f, h, axis: int):
    n = f.shape[axis]
    below, above = _part(f, 0, n - 2, axis), _part(f, 2, n, axis)
    first = _part(f, 1, 2, axis) - _part(f, 0, 1, axis)
    last = _part(f, n - 1, n, axis) - _part(f, n - 2, n - 1, axis)
    if h.ndim == 0:
        inner = (above - below) * 0.5 / h
        return concatenate([first / h, inner, last / h], axis)
    steps = _part(h, 1, n, 0) - _part(h, 0, n - 1, 0)
    shape = [1] * f.ndim
    shape[axis] = n - 2
    left, right = (s.reshape(tuple(shape)) for s in (steps[:-1], steps[1:]))
    middle = _part(f, 1, n - 1, axis)
    inner = (
        -right / (left * (left + right)) * below
        + (right - left) / (left * right) * middle
        + left / (right * (left + right)) * above
    )
    return concatenate([first / steps[0], inner, last / steps[-1]], axis)


@composite_of(1)
def trapezoid(
    y: ArrayLike,
    x: ArrayLike | None = None,
    dx: ArrayLike = 1.0,
    axis: int = -1,
) -> Array:
    """The integral of a sampled function, by the trapezoidal rule.

    Args: `x`, the coordinates of the samples; `dx`, their distance without it.

    >>> import jaxlike.numpy as jnp
    >>> jnp.trapezoid(jnp.array([1.0, 2.0, 3.0])).item()
    4.0
    """
    if x is None:
        [y] = promote_dtypes_inexact(*to_arrays("trapezoid", y))
        y = manipulation.moveaxis(y, axis, -1)
        steps = as_array(dx)
    else:
        y, x = promote_dtypes_inexact(*to_arrays("trapezoid", y, x))
        y = manipulation.moveaxis(y, axis, -1)
        if x.ndim == 1:
            steps = diff(x)
        else:
            steps = manipulation.moveaxis(diff(x, axis=axis), axis, -1)
    return 0.5 * reductions.sum(steps * (y[..., 1:] + y[..., :-1]), -1)


def interp(
    x: ArrayLike,
    xp: ArrayLike,
    fp: ArrayLike,
    left: ArrayLike | str | None = None,
    right: ArrayLike | str | None = None,
    period: ArrayLike | None = None,
) -> Array:
    """A function given by samples, interpolated linearly.

    Args:
      x: where the function is wanted.
      xp, fp: the coordinates of the samples, ascending, and their values.
      left, right: values before the first and after the last sample, by default theirs;
        'extrapolate' continues the line.
      period: the period of the coordinates, which need not be in order then.

    >>> import jaxlike.numpy as jnp
    >>> jnp.interp(1.5, jnp.array([0, 1, 2]), jnp.array([0, 10, 30])).item()
    20.0
    """
    from jaxlike.numpy.sorting import argsort, searchsorted

    check_arraylike("interp", x, xp, fp)
    for name, value in (("left", left), ("right", right)):
        if isinstance(value, str):
            if value != "extrapolate":
                raise ValueError(
                    format_error(
                        f"interp: {name} is a number or 'extrapolate', got {value!r}"
                    )
                )
        elif value is not None:
            check_arraylike("interp", value)
    x, xp, fp = to_arrays("interp", x, xp, fp)
    if xp.shape != fp.shape or xp.ndim != 1:
        raise ValueError(
            format_error("interp: xp and fp must be vectors of one length")
        )
    x, xp = promote_dtypes_inexact(x, xp)
    if dtypes.issubdtype(x.dtype, np.complexfloating):
        raise ValueError(format_error("interp: x must be real"))
    [fp] = promote_dtypes_inexact(fp)
    if period is not None:
        period = as_array(period)
        if period.ndim:
            raise ValueError(
                format_error(f"interp: period must be a scalar, got {period}")
            )
        period = absolute(convert(period, x.dtype))
        x, xp = remainder(x, period), remainder(xp, period)
        order = argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = concatenate([fp[-1:], fp, fp[:1]])
    i = clip(searchsorted(xp, x, side="right"), 1, xp.shape[0] - 1)
    rise, run = fp[i] - fp[i - 1], xp[i] - xp[i - 1]
    along = x - xp[i - 1]
    # coordinates that fall together have the first one's value
    flat = absolute(run) <= np.asarray(dtypes.finfo(xp.dtype).eps, xp.dtype)
    share = along / where(flat, 1, run)
    out = where(flat, fp[i - 1], fp[i - 1] + share * rise)
    if period is None:
        if not isinstance(left, str):
            value = fp[0] if left is None else as_array(left)
            out = where(x < xp[0], value, out)
        if not isinstance(right, str):
            value = fp[-1] if right is None else as_array(right)
            out = where(x > xp[-1], value, out)
    return out


@composite_of(1)
def unwrap(
    p: ArrayLike,
    discont: ArrayLike | None = None,
    axis: int = -1,
    period: ArrayLike = 2 * math.pi,
) -> Array:
    """Angles with whole turns added, so that neighbours differ by half a turn at most.

    Args: `discont`, the least jump that is mended, by default half the period.
    Raises: ValueError for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.unwrap(jnp.array([0, 3, 0, 3]), period=4).tolist()
    [0, -1, 0, -1]
    """
    [p] = to_arrays("unwrap", p)
    if dtypes.issubdtype(p.dtype, np.complexfloating):
        raise ValueError(format_error("unwrap takes real numbers"))
    if not p.shape:
        return convert(p, dtypes.to_inexact_dtype(p.dtype))
    p, period = (as_array(x) for x in promote_dtypes(p, period))
    if dtypes.issubdtype(p.dtype, np.integer):
        half, rest = period // 2, period % 2
        low = -half
        boundary = rest == 0
    else:
        half = period / 2
        low = -half
        boundary = None
    discont = period / 2 if discont is None else as_array(discont)
    axis = canonical_axis(axis, p.ndim)
    jumps = diff(p, axis=axis)
    mended = remainder(jumps - low, period) + low
    at_edge = (mended == low) & (jumps > 0)
    if boundary is not None:
        at_edge = at_edge & boundary
    mended = where(at_edge, half, mended)
    correction = where(absolute(jumps) < discont, 0, mended - jumps)
    n = p.shape[axis]
    first, rest_ = _part(p, 0, min(1, n), axis), _part(p, min(1, n), n, axis)
    total = cumsum(convert(correction, p.dtype), axis=axis)
    return concatenate([convert(first, p.dtype), convert(rest_, p.dtype) + total], axis)
