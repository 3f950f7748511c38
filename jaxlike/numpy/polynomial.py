"""Polynomials as vectors of coefficients, the highest power first."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.trace import concrete_or_error
from jaxlike.numpy import creation, manipulation, reductions
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.joining import concatenate
from jaxlike.numpy.promote import (
    ArrayLike,
    as_array,
    check_arraylike,
    convert,
    promote_dtypes,
    promote_dtypes_inexact,
    to_arrays,
)
from jaxlike.numpy.searching import where
from jaxlike.numpy.statistics import convolve
from jaxlike.primitives import broadcasting

__all__ = [
    "poly",
    "polyadd",
    "polyder",
    "polydiv",
    "polyfit",
    "polyint",
    "polymul",
    "polysub",
    "polyval",
    "roots",
]


def _aligned(a1, a2):
    """Two vectors of coefficients with leading zeros up to a common length."""
    size = max(a1.shape[0], a2.shape[0])
    return [
        concatenate([creation.zeros_like(a, shape=(size - a.shape[0],)), a])
        if a.shape[0] < size
        else a
        for a in (a1, a2)
    ]


def _coefficients(name: str, *args: ArrayLike) -> list[Any]:
    arrays = promote_dtypes(*to_arrays(name, *args))
    return [manipulation.atleast_1d(a) for a in arrays]


@composite_of(2)
def polyadd(a1: ArrayLike, a2: ArrayLike) -> Array:
    """The sum of two polynomials.

    >>> import jaxlike.numpy as jnp
    >>> jnp.polyadd(jnp.array([1, 2]), jnp.array([3])).tolist()
    [1, 5]
    """
    a1, a2 = _aligned(*_coefficients("polyadd", a1, a2))
    return a1 + a2


@composite_of(2)
def polysub(a1: ArrayLike, a2: ArrayLike) -> Array:
    """The difference of two polynomials.

    >>> import jaxlike.numpy as jnp
    >>> jnp.polysub(jnp.array([1, 2]), jnp.array([3])).tolist()
    [1, -1]
    """
    a1, a2 = _aligned(*_coefficients("polysub", a1, a2))
    return a1 - a2


def polymul(a1: ArrayLike, a2: ArrayLike, *, trim_leading_zeros: bool = False) -> Array:
    """The product of two polynomials.

    Args: `trim_leading_zeros`, whether to leave out leading zeros, outside of jit.
    Returns: floats or complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.polymul(jnp.array([1, 2]), jnp.array([1, 3])).tolist()
    [1.0, 5.0, 6.0]
    """
    a1, a2 = promote_dtypes_inexact(*to_arrays("polymul", a1, a2))
    if trim_leading_zeros and (len(a1) > 1 or len(a2) > 1):
        a1, a2 = _trimmed(a1), _trimmed(a2)
    if not a1.shape[0]:
        a1 = creation.zeros_like(a1, shape=(1,))
    if not a2.shape[0]:
        a2 = creation.zeros_like(a2, shape=(1,))
    return convolve(a1, a2, mode="full")


def _trimmed(a):
    from jaxlike.numpy.rearranging import trim_zeros

    return trim_zeros(a, trim="f")


def polydiv(
    u: ArrayLike, v: ArrayLike, *, trim_leading_zeros: bool = False
) -> tuple[Array, Array]:
    """The quotient of two polynomials, and the remainder.

    Args: `trim_leading_zeros`, whether to leave those of the remainder out, outside of
    jit.

    >>> import jaxlike.numpy as jnp
    >>> q, r = jnp.polydiv(jnp.array([1.0, 5.0, 6.0]), jnp.array([1.0, 2.0]))
    >>> q.tolist(), r.tolist()
    ([1.0, 3.0], [0.0, 0.0, 0.0])
    """
    u, v = promote_dtypes_inexact(*to_arrays("polydiv", u, v))
    m, n = u.shape[0] - 1, v.shape[0] - 1
    scale = 1.0 / v[0]
    q = creation.zeros(max(m - n + 1, 1), u.dtype)
    for k in range(m - n + 1):
        d = scale * u[k]
        q = q.at[k].set(d)
        u = u.at[k : k + n + 1].add(-d * v)
    if trim_leading_zeros:
        u = _trimmed_remainder(u)
    return q, u


def _trimmed_remainder(u):
    from jaxlike.numpy.checks import allclose

    # what is left over by rounding counts as zero
    while u.shape[-1] > 1 and bool(allclose(u[0], 0, rtol=1e-14)):
        u = u[1:]
    return u


@composite_of(2)
def polyval(p: ArrayLike, x: ArrayLike, *, unroll: int = 16) -> Array:
    """The value of a polynomial at each element of `x`.

    Args: `unroll` has no effect on the result.

    >>> import jaxlike.numpy as jnp
    >>> jnp.polyval(jnp.array([1, 0, 2]), jnp.array([0, 3])).tolist()
    [2, 11]
    """
    from jaxlike.control_flow.scan import scan

    p, x = (as_array(a) for a in promote_dtypes(*to_arrays("polyval", p, x)))
    dtype = dtypes.lattice_result_type(p, x)[0]
    p, x = convert(p, dtype), convert(x, dtype)
    shape = manipulation.broadcast_shapes(x.shape, p.shape[1:])
    out = creation.zeros(shape, dtype)
    if p.shape[0] <= 32:
        for i in range(p.shape[0]):
            out = out * x + p[i]
        return out
    return scan(lambda y, c: (y * x + c, None), out, p, unroll=unroll)[0]


@composite_of(1)
def polyder(p: ArrayLike, m: int = 1) -> Array:
    """The m-th derivative of a polynomial, with float coefficients.

    Raises: ValueError for negative `m`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.polyder(jnp.array([1, 2, 3])).tolist()
    [2.0, 2.0]
    """
    [p] = promote_dtypes_inexact(*to_arrays("polyder", p))
    m = concrete_or_error(operator.index, m, "'m' argument of jnp.polyder")
    if m < 0:
        raise ValueError(format_error("polyder: m must not be negative"))
    if m == 0:
        return p
    kept = max(p.shape[0] - m, 0)
    powers = np.arange(p.shape[0] - 1, m - 1, -1)
    factors = np.prod(powers[None, :] - np.arange(m)[:, None], axis=0, dtype=float)
    return p[:kept] * creation.asarray(factors, dtype=p.dtype)


@composite_of(1)
def polyint(p: ArrayLike, m: int = 1, k: int | ArrayLike | None = None) -> Array:
    """The m-th integral of a polynomial, with float coefficients.

    Args: `k`, the constants of integration, one for all or m of them; 0 by default.
    Raises: ValueError for negative `m` or another number of constants.

    >>> import jaxlike.numpy as jnp
    >>> jnp.polyint(jnp.array([2, 2])).tolist()
    [1.0, 2.0, 0.0]
    """
    m = concrete_or_error(operator.index, m, "'m' argument of jnp.polyint")
    if m < 0:
        raise ValueError(
            format_error("polyint: m must not be negative", try_="jnp.polyder")
        )
    [p] = promote_dtypes_inexact(*to_arrays("polyint", p))
    constants = as_array(0 if k is None else k)
    constants = manipulation.atleast_1d(convert(constants, p.dtype))
    if constants.shape == (1,):
        constants = manipulation.broadcast_to(constants, (m,))
    if constants.shape != (m,):
        raise ValueError(
            format_error(
                "polyint: k must be one number or m numbers, got shape "
                f"{constants.shape}"
            )
        )
    if m == 0:
        return p
    joint = concatenate([p, constants])
    size = joint.shape[0]
    # the coefficient of x**e was integrated as often as constants follow it
    exponents = np.arange(size - 1, -1, -1)
    times = np.minimum(m, np.arange(size - 1, -1, -1))
    times[p.shape[0] :] = exponents[p.shape[0] :]
    divisors = np.ones(size)
    for i in range(m):
        divisors *= np.where(i < times, np.maximum(exponents - i, 1), 1)
    return joint / creation.asarray(divisors, dtype=p.dtype)


def poly(seq_of_zeros: ArrayLike) -> Array:
    """The polynomial with the given zeros, or the characteristic one of a matrix.

    Raises: ValueError for an array that is neither a vector nor a square matrix.

    >>> import jaxlike.numpy as jnp
    >>> jnp.poly(jnp.array([1.0, -1.0])).tolist()
    [1.0, 0.0, -1.0]
    """
    [zeros] = promote_dtypes_inexact(*to_arrays("poly", seq_of_zeros))
    zeros = manipulation.atleast_1d(zeros)
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] and zeros.shape[0]:
        from jaxlike.numpy.linalg import eigvals

        zeros = eigvals(zeros)
    if zeros.ndim != 1:
        raise ValueError(
            format_error("poly takes roots, or a square matrix that is not empty")
        )
    out = creation.ones(1, zeros.dtype)
    for i in range(zeros.shape[0]):
        factor = concatenate([creation.ones(1, zeros.dtype), -zeros[i : i + 1]])
        out = convolve(out, factor, mode="full")
    return out


def roots(p: ArrayLike, *, strip_zeros: bool = True) -> Array:
    """The zeros of a polynomial, as complex numbers.

    Args: `strip_zeros`, whether to leave leading zeros out first, which needs known
    coefficients; otherwise their zeros are NaN.
    Raises: ValueError unless `p` is a vector.

    >>> import jaxlike.numpy as jnp
    >>> sorted(jnp.roots(jnp.array([1.0, -3.0, 2.0])).real.round(3).tolist())
    [1.0, 2.0]
    """
    [p] = promote_dtypes_inexact(*to_arrays("roots", p))
    p = manipulation.atleast_1d(p)
    if p.ndim != 1:
        raise ValueError(format_error("roots takes a vector of coefficients"))
    complex_dtype = dtypes.to_complex_dtype(p.dtype)
    if p.shape[0] < 2:
        return creation.zeros(0, complex_dtype)
    zero = p == 0
    leading = reductions.argmin(concatenate([zero, creation.zeros(1, bool)]))
    if strip_zeros:
        known = concrete_or_error(
            int,
            leading,
            "the number of roots depends on it",
            "strip_zeros=False",
        )
        return _roots_of(p[known:])
    return _padded_roots(p, leading)


def _companion_roots(p):
    from jaxlike.numpy.linalg import eigvals
    from jaxlike.numpy.matrices import diag

    matrix = diag(creation.ones(p.shape[0] - 2, p.dtype), -1)
    return eigvals(matrix.at[0, :].set(-p[1:] / p[0]))


def _roots_of(p):
    complex_dtype = dtypes.to_complex_dtype(p.dtype)
    if p.shape[0] < 2:
        return creation.zeros(0, complex_dtype)
    return convert(_companion_roots(p), complex_dtype)


def _padded_roots(p, leading):
    """The zeros where the first `leading` coefficients are 0: as many are NaN."""
    size = p.shape[0]
    from jaxlike.numpy.rearranging import roll

    core = roll(p, -leading)
    # rolled to the end, the leading zeros add zeros that are 0; these become NaN
    found = _companion_roots(core)
    complex_dtype = dtypes.to_complex_dtype(p.dtype)
    found = convert(found, complex_dtype)
    from jaxlike.numpy.sorting import argsort
    from jaxlike.numpy.unary import abs as absolute

    order = argsort(-absolute(found))
    found = found[order]
    index = broadcasting.iota(np.dtype("int32"), size - 1)
    return where(index < size - 1 - leading, found, np.asarray(np.nan, complex_dtype))


def polyfit(
    x: ArrayLike,
    y: ArrayLike,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: ArrayLike | None = None,
    cov: bool = False,
) -> Array | tuple[Array, ...]:
    """The polynomial of a degree that fits points best, by least squares.

    Args:
      y: a vector, or a matrix with a set of values in each column.
      rcond: the share of the greatest singular value below which others count as 0.
      full: whether to return residuals, rank, singular values and rcond, too.
      w: how much each point weighs.
      cov: whether to return the covariances of the coefficients, too; 'unscaled' for
        those of weights that are exact.

    >>> import jaxlike.numpy as jnp
    >>> x = jnp.array([0.0, 1.0, 2.0])
    >>> jnp.polyfit(x, 2 * x + 1, 1).round(3).tolist()
    [2.0, 1.0]
    """
    from jaxlike.numpy.linalg import inv, lstsq
    from jaxlike.numpy.matrices import vander
    from jaxlike.numpy.products import dot, outer
    from jaxlike.numpy.unary import sqrt

    if w is None:
        check_arraylike("polyfit", x, y)
    else:
        check_arraylike("polyfit", x, y, w)
    deg = concrete_or_error(operator.index, deg, "deg must be int")
    order = deg + 1
    if deg < 0:
        raise ValueError(format_error("expected deg >= 0"))
    x, y = (as_array(a) for a in promote_dtypes_inexact(x, y))
    if x.ndim != 1:
        raise TypeError(format_error("polyfit: x must be a vector"))
    if not x.size:
        raise TypeError(format_error("polyfit: x has no elements"))
    if y.ndim not in (1, 2):
        raise TypeError(format_error("polyfit: y must have 1 or 2 axes"))
    if x.shape[0] != y.shape[0]:
        raise TypeError(format_error("polyfit: x and y differ in length"))
    if rcond is None:
        rcond = x.shape[0] * float(dtypes.finfo(x.dtype).eps)
    lhs, rhs = vander(x, order), y
    if w is not None:
        [w] = promote_dtypes_inexact(as_array(w))
        if w.ndim != 1:
            raise TypeError(format_error("polyfit: w must be a vector"))
        if w.shape[0] != y.shape[0]:
            raise TypeError(format_error("polyfit: w and y differ in length"))
        lhs = lhs * w[:, None]
        rhs = rhs * (w[:, None] if rhs.ndim == 2 else w)
    # columns of size 1 are better to solve with
    scale = sqrt((lhs * lhs).sum(axis=0))
    c, residuals, rank, s = lstsq(lhs / scale[None, :], rhs, rcond)
    c = (c.T / scale).T
    if full:
        return c, residuals, rank, s, creation.asarray(rcond)
    if not cov:
        return c
    base = inv(dot(lhs.T, lhs) / outer(scale, scale)) / outer(scale, scale)
    if cov == "unscaled":
        factor = 1
    else:
        if x.shape[0] <= order:
            raise ValueError(
                format_error("polyfit: the covariance needs more points than deg + 1")
            )
        factor = residuals / (x.shape[0] - order)
    if y.ndim == 1:
        return c, base * factor
    return c, base[:, :, None] * factor
