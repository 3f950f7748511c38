"""Cumulative reductions along an axis: sum, prod, max, min, logsumexp.

cumsum is linear. The others' tangents run the same scan on (value, tangent) pairs, by
a tree of log(n) steps, which is exact where factors are zero or elements tie.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linear import add_tangents
from jaxlike.primitives.reductions import wide_dtypes
from jaxlike.primitives.rules import INEXACT, NUMBER, check_dtypes, deflinear

__all__ = [
    "cumlogsumexp",
    "cumlogsumexp_p",
    "cummax",
    "cummax_p",
    "cummin",
    "cummin_p",
    "cumprod",
    "cumprod_p",
    "cumsum",
    "cumsum_p",
]

# --- evaluation

# a running float32 sum loses digits as it grows; past this length it runs in float64
_LONG = 64
_BLOCK = 1 << 15
_WIDE = 128


def _accumulate(ufunc, x, axis, reverse, dtype):
    x = x.astype(dtype, copy=False)  # NumPy is slow at converting on the way
    out = np.empty(x.shape, dtype)
    if math.prod(x.shape[axis + 1 :]) >= _WIDE and out.size:
        # row after row, each at once: NumPy would go down the columns
        order = range(x.shape[axis])
        source, target = np.moveaxis(x, axis, 0), np.moveaxis(out, axis, 0)
        previous = None
        for i in reversed(order) if reverse else order:
            if previous is None:
                target[i] = source[i]
            else:
                ufunc(target[previous], source[i], out=target[i])
            previous = i
        return out
    if reverse:
        flip = (slice(None),) * axis + (slice(None, None, -1),)
        ufunc.accumulate(x[flip], axis, dtype, out[flip])
    else:
        ufunc.accumulate(x, axis, dtype, out)
    return out


def _evaluate(ufunc, x, *, axis, reverse):
    dtype = x.dtype
    wide = wide_dtypes.get(dtype)
    if wide is not None:
        return _accumulate(ufunc, x.astype(wide), axis, reverse, wide).astype(dtype)
    return _accumulate(ufunc, x, axis, reverse, dtype)


def _in_double(x, axis, reverse):
    """Running sums in float64, a few rows at a time to stay in the cache."""
    count = x.shape[axis]
    if axis != x.ndim - 1 or x.size <= 2 * _BLOCK or not x.flags.c_contiguous:
        return _accumulate(np.add, x, axis, reverse, np.float64).astype(np.float32)
    out = np.empty(x.shape, np.float32)
    rows, sums = x.reshape(-1, count), out.reshape(-1, count)
    step = max(1, _BLOCK // count)
    for i in range(0, len(rows), step):
        part = rows[i : i + step]
        sums[i : i + step] = _accumulate(np.add, part, 1, reverse, np.float64)
    return out


def _cumsum_evaluate(x, *, axis, reverse):
    if x.dtype == np.float32 and x.shape[axis] > _LONG:
        return _in_double(x, axis, reverse)
    return _evaluate(np.add, x, axis=axis, reverse=reverse)


def _cumlogsumexp_evaluate(x, *, axis, reverse):
    dtype = x.dtype
    if dtype.kind == "c":
        return _complex_cumlogsumexp(x, axis, reverse)
    if dtype in wide_dtypes:
        x = x.astype(np.float32)
    return _accumulate(np.logaddexp, x, axis, reverse, np.float64).astype(dtype)


def _complex_cumlogsumexp(x, axis, reverse):
    """By doubling: after step k, each element has taken in 2**k neighbours."""
    out = np.moveaxis(x, axis, 0).astype(np.complex128)
    if reverse:
        out = out[::-1]
    shift = 1
    while shift < len(out):
        a, b = out[:-shift], out[shift:]
        greatest = np.maximum(a.real, b.real)
        greatest = np.where(np.isfinite(greatest), greatest, 0)
        joined = np.log(np.exp(a - greatest) + np.exp(b - greatest)) + greatest
        out = np.concatenate([out[:shift], joined])
        shift *= 2
    if reverse:
        out = out[::-1]
    return np.moveaxis(out, 0, axis).astype(x.dtype)


# --- shape, batching


def _cumulative_shape(name: str, kinds, x, *, axis, reverse):
    if axis < 0:
        raise ValueError(
            format_error(f"{name} takes no negative axis, got {axis} for {x}")
        )
    if axis >= x.ndim:
        raise ValueError(
            format_error(f"{name}: {x} has no axis {axis}"),
        )
    check_dtypes(name, (kinds,), (x,))
    return x


def _cumulative_batch(primitive, axis_data, args, dims, *, axis, reverse):
    (x,), (dim,) = args, dims
    return primitive.bind(x, axis=axis + (axis >= dim), reverse=reverse), dim


# --- differentiation

# Each rule joins two neighbouring (value, tangent) pairs, the earlier one first.


def _join_prod(x0, t0, x1, t1):
    from jaxlike.primitives.arithmetic import mul

    return mul(x0, x1), add_tangents(mul(t0, x1), mul(x0, t1))


def _join_extremum(name, x0, t0, x1, t1):
    from jaxlike.primitives import arithmetic
    from jaxlike.primitives.comparison import eq
    from jaxlike.primitives.conversion import convert_element_type

    mul, add = arithmetic.mul, arithmetic.add
    out = getattr(arithmetic, name)(x0, x1)
    dtype = get_aval(x0).dtype
    first = convert_element_type(eq(x0, out), dtype)
    second = convert_element_type(eq(x1, out), dtype)
    total = add_tangents(mul(t0, first), mul(t1, second))
    return out, arithmetic.div(total, add(first, second))


def _join_logsumexp(x0, t0, x1, t1):
    from jaxlike.primitives.arithmetic import mul, sub
    from jaxlike.primitives.transcendental import exp

    out = _logaddexp(x0, x1)
    weighted = mul(t0, exp(sub(x0, out))), mul(t1, exp(sub(x1, out)))
    return out, add_tangents(*weighted)


def _logaddexp(x, y):
    from jaxlike.primitives import arithmetic
    from jaxlike.primitives.arithmetic import add, neg, sub
    from jaxlike.primitives.comparison import ne
    from jaxlike.primitives.joining import concatenate
    from jaxlike.primitives.selection import select
    from jaxlike.primitives.shapes import expand_dims, squeeze
    from jaxlike.primitives.slicing import slice_in_dim
    from jaxlike.primitives.transcendental import exp, log1p

    if get_aval(x).dtype.kind != "c":
        apart = sub(x, y)
        less = exp(neg(arithmetic.abs(apart)))
        out = add(arithmetic.max(x, y), log1p(less))
        return select(ne(apart, apart), add(x, y), out)  # equal infinities, NaN
    both = concatenate([expand_dims(x, (0,)), expand_dims(y, (0,))], 0)
    out = cumlogsumexp_p.bind(both, axis=0, reverse=False)
    return squeeze(slice_in_dim(out, 1, 2), (0,))


def _scan_pairs(join, x, t, axis: int):
    """The inclusive scan of pairs by odd-even halving: O(n) work, O(log n) steps."""
    from jaxlike.primitives.joining import concatenate
    from jaxlike.primitives.slicing import slice_in_dim

    def every_second(a, start, stop=None):
        return slice_in_dim(a, start, stop, 2, axis)

    n = get_aval(x).shape[axis]
    if n < 2:
        return x, t
    last = n - n % 2
    joined = join(
        every_second(x, 0, last),
        every_second(t, 0, last),
        every_second(x, 1),
        every_second(t, 1),
    )
    odd = _scan_pairs(join, *joined, axis)
    if n > 2:
        before = odd
        if n % 2 == 0:
            before = [slice_in_dim(a, 0, n // 2 - 1, 1, axis) for a in odd]
        even = join(*before, every_second(x, 2), every_second(t, 2))
        even = [
            concatenate([slice_in_dim(a, 0, 1, 1, axis), e], axis)
            for a, e in zip((x, t), even)
        ]
    else:
        even = [slice_in_dim(a, 0, 1, 1, axis) for a in (x, t)]
    return tuple(_interleave(e, o, axis) for e, o in zip(even, odd))


def _interleave(even, odd, axis: int):
    """even[0], odd[0], even[1], ... along an axis; there may be one more even."""
    from jaxlike.primitives.joining import concatenate
    from jaxlike.primitives.shapes import expand_dims, reshape
    from jaxlike.primitives.slicing import slice_in_dim

    shape, n = get_aval(even).shape, get_aval(odd).shape[axis]
    first = slice_in_dim(even, 0, n, 1, axis)
    pairs = concatenate(
        [expand_dims(first, (axis + 1,)), expand_dims(odd, (axis + 1,))], axis + 1
    )
    out = reshape(pairs, (*shape[:axis], 2 * n, *shape[axis + 1 :]))
    if shape[axis] > n:
        out = concatenate([out, slice_in_dim(even, n, None, 1, axis)], axis)
    return out


def _cumulative_jvp(primitive, join, primals, tangents, *, axis, reverse):
    from jaxlike.primitives.shapes import rev

    (x,), (t,) = primals, tangents
    out = primitive.bind(x, axis=axis, reverse=reverse)
    if type(t) is Zero:
        return out, Zero(get_aval(out).to_tangent_aval())
    if reverse:
        x, t = rev(x, (axis,)), rev(t, (axis,))
    _, out_tangent = _scan_pairs(join, x, t, axis)
    if reverse:
        out_tangent = rev(out_tangent, (axis,))
    return out, out_tangent


def _cumsum_transpose(ct, x, *, axis, reverse):
    return [cumsum_p.bind(ct, axis=axis, reverse=not reverse)]


# --- the cards


def _cumulative(name: str, kinds, evaluate, join=None) -> Primitive:
    primitive = Primitive(name)
    primitive.shape = partial(_cumulative_shape, name, kinds)
    primitive.evaluate = evaluate
    primitive.batch = partial(_cumulative_batch, primitive)
    if join is not None:
        primitive.jvp = partial(_cumulative_jvp, primitive, join)
    return primitive


cumsum_p = _cumulative("cumsum", NUMBER, _cumsum_evaluate)
deflinear(cumsum_p, _cumsum_transpose)
cumprod_p = _cumulative("cumprod", NUMBER, partial(_evaluate, np.multiply), _join_prod)
cummax_p = _cumulative(
    "cummax", NUMBER, partial(_evaluate, np.maximum), partial(_join_extremum, "max")
)
cummin_p = _cumulative(
    "cummin", NUMBER, partial(_evaluate, np.minimum), partial(_join_extremum, "min")
)
cumlogsumexp_p = _cumulative(
    "cumlogsumexp", INEXACT, _cumlogsumexp_evaluate, _join_logsumexp
)


# --- the user's functions


def _bind(primitive, operand, axis, reverse) -> Any:
    return primitive.bind(operand, axis=int(axis), reverse=bool(reverse))


def cumsum(operand, axis: int = 0, reverse: bool = False):
    """The sum of all elements up to each one along `axis`, itself included.

    operand: numbers; reverse: start from the end. Returns the operand's dtype.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.cumsum(jnp.array([1, 2, 3]))
    Array([1, 3, 6], dtype=int32)
    """
    return _bind(cumsum_p, operand, axis, reverse)


def cumprod(operand, axis: int = 0, reverse: bool = False):
    """The product of all elements up to each one along `axis`, itself included.

    operand: numbers; reverse: start from the end. Returns the operand's dtype.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.cumprod(jnp.array([1, 2, 3]))
    Array([1, 2, 6], dtype=int32)
    """
    return _bind(cumprod_p, operand, axis, reverse)


def cummax(operand, axis: int = 0, reverse: bool = False):
    """The maximum of all elements up to each one along `axis`, itself included.

    operand: numbers; reverse: start from the end. Returns the operand's dtype.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.cummax(jnp.array([1, 3, 2]))
    Array([1, 3, 3], dtype=int32)
    """
    return _bind(cummax_p, operand, axis, reverse)


def cummin(operand, axis: int = 0, reverse: bool = False):
    """The minimum of all elements up to each one along `axis`, itself included.

    operand: numbers; reverse: start from the end. Returns the operand's dtype.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.cummin(jnp.array([2, 3, 1]))
    Array([2, 2, 1], dtype=int32)
    """
    return _bind(cummin_p, operand, axis, reverse)


def cumlogsumexp(operand, axis: int = 0, reverse: bool = False):
    """log(cumsum(exp(operand))) along `axis`, without overflow.

    operand: floating or complex; reverse: start from the end.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> bool(lax.cumlogsumexp(jnp.array([1000.0, 1000.0]))[1] > 1000.0)
    True
    """
    return _bind(cumlogsumexp_p, operand, axis, reverse)
