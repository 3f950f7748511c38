"""Samplers of continuous distributions that need no loop: normal, exponential, laplace
and the like, as functions of uniform numbers.

The gamma family is in gamma_family.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import ArrayLike, DTypeLike
from jaxlike.primitives.broadcasting import broadcast_shapes
from jaxlike.random.arguments import (
    LARGE,
    as_dtype,
    float_dtype,
    inexact_dtype,
    read_shape,
    safely,
    samples_shape,
    spread,
)
from jaxlike.random.elementary import Shape, between, rademacher, unit_interval
from jaxlike.random.keys import check_key, subkeys


def _scalar(value: float, dtype: np.dtype) -> np.ndarray:
    return np.array(value, dtype)


def _tiny(dtype: np.dtype) -> np.ndarray:
    return _scalar(dtypes.finfo(dtype).tiny, dtype)


def _below_minus_one(dtype: np.dtype) -> np.ndarray:
    """The least number above -1."""
    return np.nextafter(_scalar(-1, dtype), _scalar(0, dtype), dtype=dtype)


# --- from one uniform number


def normals(key: Any, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """Standard normal numbers, of a typed key: the inverse distribution function of
    uniform ones. Complex ones have variance 1 in both parts together."""
    if dtypes.issubdtype(dtype, np.complexfloating):
        part = dtypes.to_real_dtype(dtype)
        re, im = (normals(k, shape, part) for k in subkeys(key))
        return lax.div(lax.complex(re, im), _scalar(math.sqrt(2), dtype))
    u = between(key, shape, dtype, _below_minus_one(dtype), _scalar(1, dtype))
    return lax.mul(_scalar(math.sqrt(2), dtype), lax.erf_inv(u))


@composite_of(1, compiled=LARGE)
def normal(
    key: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Standard normal numbers, real or complex.

    Raises: ValueError for a dtype that is neither float nor complex.

    >>> import jaxlike
    >>> jaxlike.random.normal(jaxlike.random.key(0), (3,)).shape
    (3,)
    """
    key, _ = check_key("normal", key)
    dtype = inexact_dtype("normal", dtype)
    return normals(key, read_shape(shape), dtype)


@composite_of(1, compiled=LARGE)
def lognormal(
    key: ArrayLike,
    sigma: ArrayLike = np.float32(1.0),  # noqa: B008
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers whose logarithm is normal with standard deviation `sigma`.

    >>> import jaxlike
    >>> jaxlike.random.lognormal(jaxlike.random.key(0), 0.5, (3,)).shape
    (3,)
    """
    key, _ = check_key("lognormal", key)
    dtype = inexact_dtype("lognormal", dtype)
    shape = samples_shape("lognormal", shape, sigma)
    (sigma,) = safely("lognormal", dtype, sigma)
    return lax.exp(jnp.multiply(normals(key, shape, dtype), sigma))


@composite_of(1, compiled=LARGE)
def truncated_normal(
    key: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Standard normal numbers, given that they lie between `lower` and `upper`.

    >>> import jaxlike
    >>> x = jaxlike.random.truncated_normal(jaxlike.random.key(0), -1, 1, (9,))
    >>> bool((abs(x) < 1).all())
    True
    """
    key, _ = check_key("truncated_normal", key)
    dtype = float_dtype("truncated_normal", dtype)
    shape = samples_shape("truncated_normal", shape, lower, upper)
    root2 = _scalar(math.sqrt(2), dtype)
    ends = [spread(as_dtype(x, dtype), shape) for x in (lower, upper)]
    low, high = (lax.erf(lax.div(x, root2)) for x in ends)
    u = between(key, shape, dtype, low, high)
    out = lax.mul(root2, lax.erf_inv(u))
    # rounding must not take samples to the ends themselves
    low, high = (
        lax.nextafter(lax.stop_gradient(x), _scalar(to, dtype))
        for x, to in zip(ends, (math.inf, -math.inf))
    )
    return lax.min(high, lax.max(low, out))


def exponentials(key: Any, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """Exponentially distributed numbers, of a typed key."""
    return lax.neg(lax.log1p(lax.neg(unit_interval(key, shape, dtype))))


@composite_of(1, compiled=LARGE)
def exponential(
    key: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers of density exp(-x) on [0, inf).

    >>> import jaxlike
    >>> jaxlike.random.exponential(jaxlike.random.key(0), (3,)).shape
    (3,)
    """
    key, _ = check_key("exponential", key)
    dtype = float_dtype("exponential", dtype)
    return exponentials(key, read_shape(shape), dtype)


@composite_of(1, compiled=LARGE)
def laplace(
    key: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers of density exp(-abs(x)) / 2.

    >>> import jaxlike
    >>> jaxlike.random.laplace(jaxlike.random.key(0), (3,)).shape
    (3,)
    """
    key, _ = check_key("laplace", key)
    dtype = float_dtype("laplace", dtype)
    low = _scalar(-1 + float(dtypes.finfo(dtype).epsneg), dtype)
    u = between(key, read_shape(shape), dtype, low, _scalar(1, dtype))
    return lax.mul(lax.sign(u), lax.log1p(lax.neg(lax.abs(u))))


@composite_of(1, compiled=LARGE)
def logistic(
    key: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers with the distribution function 1 / (1 + exp(-x)).

    >>> import jaxlike
    >>> jaxlike.random.logistic(jaxlike.random.key(0), (3,)).shape
    (3,)
    """
    key, _ = check_key("logistic", key)
    dtype = float_dtype("logistic", dtype)
    u = between(key, read_shape(shape), dtype, _tiny(dtype), _scalar(1, dtype))
    return lax.sub(lax.log(u), lax.log1p(lax.neg(u)))


def gumbels(key: Any, shape: tuple[int, ...], dtype: np.dtype, mode: str | None):
    """Gumbel distributed numbers, of a typed key."""
    if mode not in (None, "high", "low"):
        raise ValueError(format_error(f"gumbel has no mode {mode!r}"))
    one, tiny = _scalar(1, dtype), _tiny(dtype)
    if mode != "high":
        u = between(key, shape, dtype, tiny, one)
        return lax.neg(lax.log(lax.neg(lax.log(u))))
    coarse, fine = unit_interval(key, (2, *shape), dtype)
    eps = _scalar(dtypes.finfo(dtype).eps, dtype)
    finer = lax.add(lax.add(coarse, lax.mul(eps, fine)), tiny)
    x = lax.select_n(lax.ge(coarse, _scalar(0.5, dtype)), finer, coarse)
    return lax.neg(lax.log(lax.neg(lax.log1p(lax.neg(x)))))


@composite_of(1, compiled=LARGE)
def gumbel(
    key: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    mode: str | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers with the distribution function exp(-exp(-x)).

    Args: `mode`, "low" or "high", how finely large values are resolved.

    >>> import jaxlike
    >>> jaxlike.random.gumbel(jaxlike.random.key(0), (3,)).shape
    (3,)
    """
    key, _ = check_key("gumbel", key)
    dtype = float_dtype("gumbel", dtype)
    return gumbels(key, read_shape(shape), dtype, mode)


@composite_of(1, compiled=LARGE)
def cauchy(
    key: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers of density 1 / (pi (1 + x**2)).

    >>> import jaxlike
    >>> jaxlike.random.cauchy(jaxlike.random.key(0), (3,)).shape
    (3,)
    """
    key, _ = check_key("cauchy", key)
    dtype = float_dtype("cauchy", dtype)
    eps = _scalar(dtypes.finfo(dtype).eps, dtype)
    u = between(key, read_shape(shape), dtype, eps, _scalar(1, dtype))
    angle = lax.mul(_scalar(math.pi, dtype), lax.sub(u, _scalar(0.5, dtype)))
    return lax.tan(angle)


@composite_of(1, compiled=LARGE)
def rayleigh(
    key: ArrayLike,
    scale: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers of density x exp(-x**2 / (2 scale**2)) / scale**2 on [0, inf).

    >>> import jaxlike
    >>> jaxlike.random.rayleigh(jaxlike.random.key(0), 2.0, (3,)).shape
    (3,)
    """
    key, _ = check_key("rayleigh", key)
    dtype = float_dtype("rayleigh", dtype)
    shape = samples_shape("rayleigh", shape, scale)
    (scale,) = safely("rayleigh", dtype, scale)
    log_u = lax.log(unit_interval(key, shape, dtype))
    return jnp.multiply(scale, lax.sqrt(lax.mul(log_u, _scalar(-2, dtype))))


@composite_of(2, compiled=LARGE)
def pareto(
    key: ArrayLike,
    b: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers of density b / x**(b + 1) on [1, inf).

    >>> import jaxlike
    >>> jaxlike.random.pareto(jaxlike.random.key(0), 2.0, (3,)).shape
    (3,)
    """
    key, _ = check_key("pareto", key)
    dtype = float_dtype("pareto", dtype)
    shape = samples_shape("pareto", shape, b)
    (b,) = safely("pareto", dtype, b)
    return lax.exp(jnp.divide(exponentials(key, shape, dtype), b))


@composite_of(2, compiled=LARGE)
def weibull_min(
    key: ArrayLike,
    scale: ArrayLike,
    concentration: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
) -> Array:
    """Numbers with the distribution function 1 - exp(-(x / scale)**concentration).

    >>> import jaxlike
    >>> jaxlike.random.weibull_min(jaxlike.random.key(0), 1.0, 2.0, (3,)).shape
    (3,)
    """
    key, _ = check_key("weibull_min", key)
    dtype = float_dtype("weibull_min", dtype)
    x = exponentials(key, read_shape(shape), dtype)
    return jnp.multiply(jnp.power(x, jnp.divide(1.0, concentration)), scale)


def triangular(
    key: ArrayLike,
    left: ArrayLike,
    mode: ArrayLike,
    right: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers on [left, right], with a density that peaks at `mode`.

    >>> import jaxlike
    >>> jaxlike.random.triangular(jaxlike.random.key(0), 0, 1, 3, (3,)).shape
    (3,)
    """
    key, _ = check_key("triangular", key)
    dtype = float_dtype("triangular", dtype)
    shape = samples_shape("triangular", shape, left, mode, right)
    left, mode, right = safely("triangular", dtype, left, mode, right)
    u = unit_interval(key, shape, dtype)
    width = jnp.subtract(right, left)
    rise = jnp.subtract(mode, left)
    rising = jnp.sqrt(jnp.multiply(jnp.multiply(u, width), rise))
    fall = jnp.multiply(jnp.subtract(_scalar(1, dtype), u), width)
    falling = jnp.sqrt(jnp.multiply(fall, jnp.subtract(right, mode)))
    return jnp.where(
        jnp.less(u, jnp.divide(rise, width)),
        jnp.add(left, rising),
        jnp.subtract(right, falling),
    )


# --- from several numbers


@composite_of(2, compiled=LARGE)
def wald(
    key: ArrayLike,
    mean: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers with the Wald (inverse Gaussian) distribution of this mean and scale 1.

    Michael, Schucany and Haas, "Generating random variates using transformations with
    multiple roots", 1976.

    >>> import jaxlike
    >>> jaxlike.random.wald(jaxlike.random.key(0), 2.0, (3,)).shape
    (3,)
    """
    key, _ = check_key("wald", key)
    dtype = float_dtype("wald", dtype)
    shape = samples_shape("wald", shape, mean)
    (mean,) = safely("wald", dtype, mean)
    normal_key, choice_key = subkeys(key)
    mean = jnp.broadcast_to(mean, shape)
    v = normals(normal_key, shape, dtype)
    u = unit_interval(choice_key, shape, dtype)
    v2, mean2 = jnp.square(v), jnp.square(mean)
    root = jnp.sqrt(4 * mean * v2 + mean2 * jnp.square(v2))
    x = mean + mean2 * v2 / 2 - mean / 2 * root
    return jnp.where(u <= mean / (mean + x), x, mean2 / x)


def _norms(x: Array) -> Array:
    return lax.sqrt(jnp.sum(lax.mul(x, x), -1))


@composite_of(1, compiled=LARGE)
def maxwell(
    key: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Lengths of vectors of three standard normal numbers.

    >>> import jaxlike
    >>> jaxlike.random.maxwell(jaxlike.random.key(0), (3,)).shape
    (3,)
    """
    key, _ = check_key("maxwell", key)
    dtype = float_dtype("maxwell", dtype)
    return _norms(normals(key, (*read_shape(shape), 3), dtype))


@composite_of(1, compiled=LARGE)
def double_sided_maxwell(
    key: ArrayLike,
    loc: ArrayLike,
    scale: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
) -> Array:
    """loc + scale * x, for x distributed as `maxwell` with a random sign.

    Returns: samples of shape `shape` followed by the parameters' shape.

    >>> import jaxlike
    >>> jaxlike.random.double_sided_maxwell(jaxlike.random.key(0), 0.0, 1.0, (3,)).shape
    (3,)
    """
    key, _ = check_key("double_sided_maxwell", key)
    dtype = float_dtype("double_sided_maxwell", dtype)
    params = broadcast_shapes(get_aval(loc).shape, get_aval(scale).shape)
    shape = (*read_shape(shape), *params)
    maxwell_key, sign_key = subkeys(key)
    x = _norms(normals(maxwell_key, (*shape, 3), dtype))
    signed = lax.mul(rademacher(sign_key, shape, dtype), x)
    return jnp.add(jnp.multiply(signed, scale), loc)
