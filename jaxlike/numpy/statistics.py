"""Averages with weights, covariance, correlation, and sliding products of vectors."""

from __future__ import annotations

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy import averages, creation, manipulation, reductions
from jaxlike.numpy.axes import reduction_axes
from jaxlike.numpy.binary import clip
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.joining import concatenate
from jaxlike.numpy.parts import conj, real
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    as_array,
    broadcast_to_shape,
    check_arraylike,
    convert,
    promote_dtypes_inexact,
    to_arrays,
    user_dtype,
)
from jaxlike.numpy.rearranging import flip
from jaxlike.numpy.reductions import Axis
from jaxlike.numpy.unary import sqrt

__all__ = ["average", "convolve", "corrcoef", "correlate", "cov"]


@composite_of(1)
def average(
    a: ArrayLike,
    axis: Axis = None,
    weights: ArrayLike | None = None,
    returned: bool = False,
    keepdims: bool = False,
) -> Array | tuple[Array, Array]:
    """The average over some axes, each element counting by its weight.

    Args: `weights`, of the shape of `a`, or of the reduced axes; `returned`, whether to
    return the sums of the weights too.
    Raises: ValueError if the shapes do not fit.

    >>> import jaxlike.numpy as jnp
    >>> jnp.average(jnp.array([1.0, 4.0]), weights=jnp.array([2, 1])).item()
    2.0
    """
    if weights is None:
        check_arraylike("average", a)
        [a] = promote_dtypes_inexact(*to_arrays("average", a))
        out = averages.mean(a, axis=axis, keepdims=keepdims)
        count = a.size
        if axis is not None:
            axes = reduction_axes(axis, a.ndim)
            count = int(np.prod([a.shape[i] for i in axes], dtype=int))
        if not returned:
            return out
        return out, creation.full_like(out, count)
    a, weights = promote_dtypes_inexact(*to_arrays("average", a, weights))
    axes = reduction_axes(axis, a.ndim)
    if a.shape != weights.shape:
        if axis is None:
            raise ValueError(
                format_error(
                    "average: axis must be given for weights of another shape than a"
                )
            )
        if weights.shape != tuple(a.shape[i] for i in axes):
            raise ValueError(format_error("average: weights do not fit the axes of a"))
        placed = [1] * a.ndim
        order = sorted(range(len(axes)), key=lambda i: axes[i])
        for i, n in zip(sorted(axes), (weights.shape[i] for i in order)):
            placed[i] = n
        weights = manipulation.transpose(weights, order).reshape(tuple(placed))
        weights = broadcast_to_shape(weights, a.shape)
    total = reductions.sum(weights, axis=axes, keepdims=keepdims)
    out = reductions.sum(a * weights, axis=axes, keepdims=keepdims) / total
    return (out, broadcast_to_shape(total, out.shape)) if returned else out


def _observations(name: str, m, y, rowvar: bool, dtype):
    """The variables as rows of one float or complex matrix."""
    arrays = to_arrays(name, m) if y is None else to_arrays(name, m, y)
    if arrays[0].ndim > 2:
        raise ValueError(format_error("cov: m has at most 2 axes"))
    if y is not None and arrays[1].ndim > 2:
        raise ValueError(format_error("cov: y has at most 2 axes"))
    arrays = promote_dtypes_inexact(*arrays)
    if dtype is not None:
        dtype = user_dtype(dtype, name)
        arrays = [convert(a, dtype) for a in arrays]
    rows = []
    for a in arrays:
        a2 = manipulation.atleast_2d(a)
        rows.append(a2.T if not rowvar and a2.shape[0] != 1 else a2)
    return rows[0] if y is None else concatenate(rows, axis=0)


@composite_of(1)
def cov(
    m: ArrayLike,
    y: ArrayLike | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: ArrayLike | None = None,
    aweights: ArrayLike | None = None,
    dtype: DTypeLike | None = None,
) -> Array:
    """The covariances of variables, each a row of observations.

    Args:
      m, y: vectors or matrices; `y` holds more variables.
      rowvar: False if the variables are columns.
      bias, ddof: the divisor is the number of observations less `ddof`, by default 1,
        or 0 if `bias`.
      fweights, aweights: how often each observation was made, and how much it weighs.

    >>> import jaxlike.numpy as jnp
    >>> jnp.cov(jnp.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    x = _observations("cov", m, y, rowvar, dtype)
    if not x.shape[0]:
        return creation.zeros((0, 0), x.dtype)
    if ddof is None:
        ddof = 0 if bias else 1
    count = x.shape[1]
    weights = None
    if fweights is not None:
        weights = _weights("fweights", fweights, count, np.integer)
    if aweights is not None:
        of_each = _weights("aweights", aweights, count, np.inexact)
        weights = of_each if weights is None else weights * of_each
    mean_, total = average(x, axis=1, weights=weights, returned=True)
    total = total[0]
    if weights is None:
        divisor = count - ddof
    elif ddof == 0:
        divisor = total
    elif aweights is None:
        divisor = total - ddof
    else:
        divisor = total - ddof * reductions.sum(weights * of_each) / total
    x = x - mean_[:, None]
    scaled = x if weights is None else x * weights
    from jaxlike.numpy.products import matmul

    divisor = convert(as_array(divisor), x.dtype)
    out = matmul(x, conj(scaled.T)) / divisor
    return manipulation.squeeze(convert(out, x.dtype))


def _weights(name: str, weights, count: int, kind):
    [weights] = to_arrays("cov", weights)
    if weights.ndim > 1:
        raise RuntimeError(format_error(f"cannot handle multidimensional {name}"))
    if weights.shape[0] != count:
        raise RuntimeError(
            format_error(f"cov: {name} and the samples differ in length")
        )
    if kind is np.integer and not dtypes.issubdtype(weights.dtype, np.integer):
        raise TypeError(format_error(f"{name} must be integer."))
    from jaxlike.numpy.unary import abs as absolute

    return absolute(weights)


@composite_of(1)
def corrcoef(
    x: ArrayLike,
    y: ArrayLike | None = None,
    rowvar: bool = True,
    dtype: DTypeLike | None = None,
) -> Array:
    """The correlations of variables, each a row of observations; arguments as in `cov`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.corrcoef(jnp.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    check_arraylike("corrcoef", x)
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.shape:
        return c / c
    from jaxlike.numpy.matrices import diagonal

    deviation = sqrt(real(diagonal(c)))
    out = c / deviation[:, None].astype(c.dtype) / deviation[None, :].astype(c.dtype)
    # rounding must not lead out of the range of correlations
    if dtypes.issubdtype(out.dtype, np.complexfloating):
        from jaxlike.numpy.parts import imag
        from jaxlike.primitives.complexes import complex as join

        return join(clip(real(out), -1, 1), clip(imag(out), -1, 1))
    return clip(out, -1, 1)


# --- sliding products


def _sliding(x, y, mode: str, precision, preferred):
    from jaxlike.primitives.convolution import conv_general_dilated

    if mode not in ("full", "same", "valid"):
        raise ValueError(format_error(f"there is no mode {mode!r}: full, same, valid"))
    k = y.shape[0]
    pads = {
        "full": (k - 1, k - 1),
        "same": (k // 2, k - k // 2 - 1),
        "valid": (0, 0),
    }
    out = conv_general_dilated(
        x[None, None, :],
        y[None, None, :],
        (1,),
        [pads[mode]],
        precision=precision,
        preferred_element_type=preferred,
    )
    return out[0, 0]


def _vectors(name: str, a, v):
    a, v = to_arrays(name, a, v)
    if a.ndim != 1 or v.ndim != 1:
        raise ValueError(format_error(f"{name} takes vectors"))
    a, v = promote_dtypes_inexact(a, v)
    if not a.shape[0] or not v.shape[0]:
        raise ValueError(
            format_error(
                f"{name} takes no empty vectors, got shapes {a.shape} and {v.shape}"
            )
        )
    return a, v


@composite_of(2)
def convolve(
    a: ArrayLike,
    v: ArrayLike,
    mode: str = "full",
    *,
    precision=None,
    preferred_element_type: DTypeLike | None = None,
) -> Array:
    """The convolution of two vectors: the coefficients of the product of polynomials.

    Args: `mode`, 'full' for every overlap, 'valid' for complete ones alone, 'same' for
    as many as the longer vector has elements.
    Returns: floats or complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.convolve(jnp.array([1, 2]), jnp.array([1, 1])).tolist()
    [1.0, 3.0, 2.0]
    """
    a, v = _vectors("convolve", a, v)
    if a.shape[0] < v.shape[0]:
        a, v = v, a
    return _sliding(a, flip(v), mode, precision, preferred_element_type)


@composite_of(2)
def correlate(
    a: ArrayLike,
    v: ArrayLike,
    mode: str = "valid",
    *,
    precision=None,
    preferred_element_type: DTypeLike | None = None,
) -> Array:
    """The products of `a` with `v` moved along it; modes as in `convolve`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.correlate(jnp.array([1, 2, 3]), jnp.array([0, 1])).tolist()
    [2.0, 3.0]
    """
    a, v = _vectors("correlate", a, v)
    v = conj(v)
    if a.shape[0] >= v.shape[0]:
        return _sliding(a, v, mode, precision, preferred_element_type)
    out = _sliding(v, a, mode, precision, preferred_element_type)
    return flip(out)
