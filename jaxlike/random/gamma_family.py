"""The gamma distribution and those made of it: beta, chi-square, dirichlet, f, t,
generalized normal and the uniform distribution on balls.

All are differentiable in their parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import ArrayLike, DTypeLike
from jaxlike.primitives.random_gamma import random_gamma_p
from jaxlike.random.arguments import (
    LARGE,
    as_dtype,
    float_dtype,
    read_shape,
    safely,
    samples_shape,
)
from jaxlike.random.continuous import exponentials, normals
from jaxlike.random.elementary import Shape, rademacher
from jaxlike.random.keys import check_key, subkeys


def gammas(key: Any, a: Any, shape: tuple[int, ...], dtype, *, log: bool) -> Array:
    """Gamma distributed numbers, or their logarithms, of a typed key."""
    a = jnp.broadcast_to(as_dtype(a, dtype), shape)
    return random_gamma_p.bind(key, a, log_space=log)


def _gamma(key, a, shape, dtype, log: bool) -> Array:
    key, _ = check_key("gamma", key)
    dtype = float_dtype("gamma", dtype)
    return gammas(key, a, samples_shape("gamma", shape, a), dtype, log=log)


@composite_of(2, compiled=LARGE)
def gamma(
    key: ArrayLike,
    a: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers of density x**(a - 1) exp(-x) / Gamma(a) on [0, inf).

    Args: `a`, floats; `shape`, which a's must broadcast to (a's by default).
    Raises: ValueError for a dtype that is not a float's, or shapes that do not fit.

    >>> import jaxlike
    >>> jaxlike.random.gamma(jaxlike.random.key(0), 2.0, (3,)).shape
    (3,)
    """
    return _gamma(key, a, shape, dtype, log=False)


@composite_of(2, compiled=LARGE)
def loggamma(
    key: ArrayLike,
    a: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Logarithms of gamma distributed numbers, exact also where those would be 0.

    >>> import jaxlike
    >>> x = jaxlike.random.loggamma(jaxlike.random.key(0), 1e-3)
    >>> bool(x < -100)
    True
    """
    return _gamma(key, a, shape, dtype, log=True)


def beta(
    key: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers of density proportional to x**(a - 1) (1 - x)**(b - 1) on [0, 1].

    >>> import jaxlike
    >>> jaxlike.random.beta(jaxlike.random.key(0), 2.0, 3.0, (3,)).shape
    (3,)
    """
    key, _ = check_key("beta", key)
    dtype = float_dtype("beta", dtype)
    shape = samples_shape("beta", shape, a, b)
    a, b = safely("beta", dtype, a, b)
    logs = [gammas(k, x, shape, dtype, log=True) for k, x in zip(subkeys(key), (a, b))]
    largest = lax.max(*logs)
    x, y = (lax.exp(lax.sub(log, largest)) for log in logs)
    return lax.div(x, lax.add(x, y))


def dirichlet(
    key: ArrayLike,
    alpha: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Vectors of positive numbers with sum 1, distributed with parameters `alpha`.

    Args: `alpha`, floats [..., n]; `shape`, of the array of vectors, which the shape of
    alpha without its last axis must broadcast to.
    Raises: ValueError if alpha is a scalar.

    >>> import jaxlike
    >>> x = jaxlike.random.dirichlet(jaxlike.random.key(0), jaxlike.numpy.ones(3), (5,))
    >>> x.shape
    (5, 3)
    """
    key, _ = check_key("dirichlet", key)
    dtype = float_dtype("dirichlet", dtype)
    given = get_aval(alpha).shape
    if not given:
        raise ValueError(
            format_error("dirichlet requires alpha.ndim >= 1, got alpha.ndim == 0")
        )
    if shape is None:
        shape = given[:-1]
    else:
        batch = np.broadcast_to(np.empty((), bool), given[:-1])
        shape = samples_shape("dirichlet", shape, batch)
    logs = gammas(key, alpha, (*shape, given[-1]), dtype, log=True)
    largest = lax.stop_gradient(jnp.max(logs, axis=-1, keepdims=True, initial=-np.inf))
    x = lax.exp(jnp.subtract(logs, largest))
    return jnp.divide(x, jnp.sum(x, axis=-1, keepdims=True))


# --- ratios


def _chisquares(key: Any, df: Any, shape: tuple[int, ...], dtype) -> Array:
    two = np.array(2, dtype)
    logs = gammas(key, lax.div(df, two), shape, dtype, log=True)
    return lax.mul(lax.exp(logs), two)


@composite_of(2, compiled=LARGE)
def chisquare(
    key: ArrayLike,
    df: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers with the chi-square distribution of `df` degrees of freedom.

    >>> import jaxlike
    >>> jaxlike.random.chisquare(jaxlike.random.key(0), 4.0, (3,)).shape
    (3,)
    """
    key, _ = check_key("chisquare", key)
    dtype = float_dtype("chisquare", dtype)
    shape = samples_shape("chisquare", shape, df)
    (df,) = safely("chisquare", dtype, df)
    return _chisquares(key, df, shape, dtype)


def f(
    key: ArrayLike,
    dfnum: ArrayLike,
    dfden: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Ratios of two chi-square numbers, each divided by its degrees of freedom.

    >>> import jaxlike
    >>> jaxlike.random.f(jaxlike.random.key(0), 4.0, 5.0, (3,)).shape
    (3,)
    """
    key, _ = check_key("f", key)
    dtype = float_dtype("f", dtype)
    shape = samples_shape("f", shape, dfnum, dfden)
    dfden, dfnum = safely("f", dtype, dfden, dfnum)
    den_key, num_key = subkeys(key)
    num = jnp.divide(_chisquares(num_key, dfnum, shape, dtype), dfnum)
    den = jnp.divide(_chisquares(den_key, dfden, shape, dtype), dfden)
    return lax.div(num, den)


@composite_of(2, compiled=LARGE)
def t(
    key: ArrayLike,
    df: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers with Student's t distribution of `df` degrees of freedom.

    >>> import jaxlike
    >>> jaxlike.random.t(jaxlike.random.key(0), 4.0, (3,)).shape
    (3,)
    """
    key, _ = check_key("t", key)
    dtype = float_dtype("t", dtype)
    shape = samples_shape("t", shape, df)
    (df,) = safely("t", dtype, df)
    normal_key, gamma_key = subkeys(key)
    half = lax.div(df, np.array(2, dtype))
    scale = jnp.divide(half, gammas(gamma_key, half, shape, dtype, log=False))
    return lax.mul(normals(normal_key, shape, dtype), lax.sqrt(scale))


# --- powers


def _generalized_normals(key: Any, p: Any, shape: tuple[int, ...], dtype) -> Array:
    gamma_key, sign_key = subkeys(key)
    inverse = jnp.divide(1.0, p)
    samples_shape("gamma", shape, inverse)
    size = gammas(gamma_key, inverse, shape, dtype, log=False)
    size = jnp.power(size, as_dtype(inverse, dtype))
    return jnp.multiply(rademacher(sign_key, shape, dtype), size)


def generalized_normal(
    key: ArrayLike,
    p: float,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers of density proportional to exp(-abs(x)**p).

    >>> import jaxlike
    >>> jaxlike.random.generalized_normal(jaxlike.random.key(0), 3.0, (4,)).shape
    (4,)
    """
    key, _ = check_key("generalized_normal", key)
    dtype = float_dtype("generalized_normal", dtype)
    return _generalized_normals(key, p, read_shape(shape), dtype)


def ball(
    key: ArrayLike,
    d: int,
    p: float = 2,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Points uniform in the unit ball of the p-norm, of `d` coordinates.

    Barthe et al., "A probabilistic approach to the geometry of the l_p^n ball", 2005.

    >>> import jaxlike
    >>> jaxlike.random.ball(jaxlike.random.key(0), 3, shape=(4,)).shape
    (4, 3)
    """
    key, _ = check_key("ball", key)
    dtype = float_dtype("gamma", dtype)
    shape = read_shape(shape)
    direction_key, radius_key = subkeys(key)
    x = _generalized_normals(direction_key, p, (*shape, d), dtype)
    e = exponentials(radius_key, shape, dtype)
    total = jnp.add(jnp.sum(jnp.power(jnp.abs(x), p), axis=-1), e)
    inverse = as_dtype(jnp.divide(1.0, p), dtype)
    return jnp.divide(x, jnp.power(total, inverse)[..., None])
