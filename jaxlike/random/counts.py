"""Samplers of counts by rejection or by waiting times: poisson, binomial, multinomial.

Each loop runs until the slowest of the samples is done.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    check_arraylike,
    promote_dtypes_inexact,
)
from jaxlike.random.arguments import (
    as_dtype,
    float_dtype,
    int_dtype,
    read_shape,
    samples_shape,
)
from jaxlike.random.elementary import Shape, unit_interval
from jaxlike.random.keys import check_key, clone, subkeys

_MOST_ROUNDS = 2**31 - 1

# --- poisson


def _poisson_by_waiting(key: Any, lam: Array, dtype: Any) -> Array:
    """Counts of unit-rate waiting times that fit into lam (Knuth): for small lam."""
    most = min(int(dtypes.iinfo(dtype).max), _MOST_ROUNDS)

    def waiting(carry):
        i, _, _, log_product = carry
        return jnp.any(log_product > -lam) & (i < most)

    def step(carry):
        i, count, key, log_product = carry
        key, subkey = subkeys(key)
        count = jnp.where(log_product > -lam, count + 1, count)
        u = unit_interval(subkey, lam.shape, lam.dtype)
        return i + 1, count, key, log_product + lax.log(u)

    start = 0, jnp.zeros(lam.shape, dtype), key, jnp.zeros_like(lam)
    return lax.while_loop(waiting, step, start)[1] - 1


def _poisson_by_rejection(key: Any, lam: Array, dtype: Any) -> Array:
    """Hoermann, "The transformed rejection method for generating Poisson random
    variables", 1993 (algorithm PTRS): for large lam."""
    most = min(int(dtypes.iinfo(dtype).max), _MOST_ROUNDS)
    log_lam = lax.log(lam)
    b = 0.931 + 2.53 * lax.sqrt(lam)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)

    def step(carry):
        i, k_out, accepted, key = carry
        key, u_key, v_key = subkeys(key, 3)
        u = unit_interval(u_key, lam.shape, lam.dtype) - 0.5
        v = unit_interval(v_key, lam.shape, lam.dtype)
        u_shifted = 0.5 - lax.abs(u)
        k = lax.floor((2 * a / u_shifted + b) * u + lam + 0.43)
        s = lax.log(v * inverse_alpha / (a / (u_shifted * u_shifted) + b))
        t = -lam + k * log_lam - lax.lgamma(k + 1)
        inside = (u_shifted >= 0.07) & (v <= v_r)
        outside = (k < 0) | ((u_shifted < 0.013) & (v > u_shifted))
        accept = inside | (~outside & (s <= t))
        return i + 1, jnp.where(accept, k, k_out), accepted | accept, key

    def rejected(carry):
        i, _, accepted, _ = carry
        return jnp.any(~accepted) & (i < most)

    start = 0, jnp.full_like(lam, -1), jnp.zeros(lam.shape, bool), key
    return lax.while_loop(rejected, step, start)[1].astype(dtype)


def poisson(
    key: ArrayLike,
    lam: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Integers with the Poisson distribution of mean `lam`.

    Raises: ValueError for a dtype that is not of integers.

    >>> import jaxlike
    >>> jaxlike.random.poisson(jaxlike.random.key(0), 3.0, (4,)).dtype
    dtype('int32')
    """
    key, _ = check_key("poisson", key)
    dtype = int_dtype(dtype, "poisson")
    if not dtypes.issubdtype(dtype, np.integer):
        raise ValueError(format_error(f"poisson: {dtype} is no integer data type"))
    shape = get_aval(lam).shape if shape is None else read_shape(shape)
    lam = jnp.broadcast_to(as_dtype(lam, np.dtype("float32")), shape)
    # the method that a sample does not take gets a parameter at which it ends soon
    small = jnp.isnan(lam) | (lam < 10)
    waited = _poisson_by_waiting(key, jnp.where(small, lam, 0.0), dtype)
    # each element takes one of the two, so the key may serve both
    drawn = _poisson_by_rejection(clone(key), jnp.where(small, 1e5, lam), dtype)
    counts = jnp.where(small, waited, drawn)
    return jnp.where(lam == 0, 0, counts)


# --- binomial

# the tail of Stirling's series, log(k!) less its main terms, for k = 0 ... 9
_STIRLING_TAILS = (
    0.0810614667953272,
    0.0413406959554092,
    0.0276779256849983,
    0.02079067210376509,
    0.0166446911898211,
    0.0138761288230707,
    0.0118967099458917,
    0.0104112652619720,
    0.00925546218271273,
    0.00833056343336287,
)


def _stirling_tail(k: Array) -> Array:
    table = jnp.asarray(_STIRLING_TAILS, k.dtype)
    small = k <= 9
    k = lax.clamp(jnp.zeros((), k.dtype), k, jnp.full((), 9, k.dtype))
    k1 = k + 1
    k1_squared = k1 * k1
    series = (1 / 12 - (1 / 360 - 1 / 1260 / k1_squared) / k1_squared) / k1
    return jnp.where(small, table[lax.floor(k).astype("int32")], series)


def _binomial_by_waiting(key: Any, n: Array, p: Array) -> Array:
    """Numbers of geometric waiting times that fit into n trials: for small n p."""
    log1_p = lax.log1p(-p)

    def waiting(carry):
        i, _, total, _ = carry
        return jnp.any(total <= n) & (i < _MOST_ROUNDS)

    def step(carry):
        i, count, total, key = carry
        subkey, key = subkeys(key)
        count = jnp.where(total <= n, count + 1, count)
        u = unit_interval(subkey, n.shape, n.dtype)
        return i + 1, count, total + lax.ceil(lax.log(u) / log1_p), key

    start = 0, jnp.zeros_like(n), jnp.zeros_like(n), key
    return lax.while_loop(waiting, step, start)[1] - 1


def _binomial_by_rejection(key: Any, n: Array, p: Array) -> Array:
    """Hoermann, "The generation of binomial random variates", 1993 (algorithm BTRS):
    for large n p, p at most 1/2."""
    deviation = lax.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    v_r = 0.92 - 4.2 / b
    r = p / (1 - p)
    alpha = (2.83 + 5.1 / b) * deviation
    m = lax.floor((n + 1) * p)

    def step(carry):
        i, k_out, accepted, key = carry
        key, u_key, v_key = subkeys(key, 3)
        u = unit_interval(u_key, n.shape, n.dtype)
        v = unit_interval(v_key, n.shape, n.dtype)
        u = u - 0.5
        u_shifted = 0.5 - lax.abs(u)
        inside = (u_shifted >= 0.07) & (v <= v_r)
        k = lax.floor((2 * a / u_shifted + b) * u + c)
        outside = (k < 0) | (k > n)
        v = lax.log(v * alpha / (a / (u_shifted * u_shifted) + b))
        bound = (
            (m + 0.5) * lax.log((m + 1) / (r * (n - m + 1)))
            + (n + 1) * lax.log((n - m + 1) / (n - k + 1))
            + (k + 0.5) * lax.log(r * (n - k + 1) / (k + 1))
            + _stirling_tail(m)
            + _stirling_tail(n - m)
            - _stirling_tail(k)
            - _stirling_tail(n - k)
        )
        accept = inside | (~outside & (v <= bound))
        return i + 1, jnp.where(accept, k, k_out), accepted | accept, key

    def rejected(carry):
        i, _, accepted, _ = carry
        return jnp.any(~accepted) & (i < _MOST_ROUNDS)

    start = 0, jnp.full_like(n, -1), jnp.zeros(n.shape, bool), key
    return lax.while_loop(rejected, step, start)[1]


def _binomials(key: Any, n: Array, p: Array) -> Array:
    """Counts for n and p of the samples' shape and dtype."""
    below_half = p < 0.5
    q = jnp.where(below_half, p, 1 - p)
    n_bad = jnp.isnan(n) | (n < 0)
    n_infinite = jnp.isinf(n)
    q_nan, q_negative = jnp.isnan(q), q < 0
    q = jnp.where(q_nan | q_negative, jnp.asarray(0.01, q.dtype), q)
    # the method that a sample does not take gets parameters at which it ends soon
    small = n_bad | (n * q <= 10)
    whole = lax.floor(n)
    waited = _binomial_by_waiting(key, jnp.where(small, whole, 0.0), q)
    drawn = _binomial_by_rejection(
        clone(key), jnp.where(small, 1e4, whole), jnp.where(small, 0.5, q)
    )
    counts = jnp.where(small, waited, drawn)
    bad = q_negative | q_nan | n_bad
    counts = jnp.where(bad, jnp.nan, counts)
    counts = jnp.where(n_infinite & ~bad, jnp.inf, counts)
    return jnp.where(below_half | n_bad | q_nan | n_infinite, counts, whole - counts)


def binomial(
    key: ArrayLike,
    n: ArrayLike,
    p: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
) -> Array:
    """Numbers of successes in `n` trials of probability `p`, as floats.

    Returns: NaN where n or p is out of range.
    Raises: ValueError for a dtype that is not a float's.

    >>> import jaxlike
    >>> jaxlike.random.binomial(jaxlike.random.key(0), 10, 0.5, (4,)).shape
    (4,)
    """
    key, _ = check_key("binomial", key)
    check_arraylike("binomial", n, p)
    dtype = float_dtype("binomial", dtype)
    shape = samples_shape("binomial", shape, n, p)
    strong = (as_dtype(x, get_aval(x).dtype) for x in (n, p))
    n, p = (jnp.broadcast_to(x, shape) for x in promote_dtypes_inexact(*strong))
    return _binomials(key, n, p).astype(dtype)


def multinomial(
    key: ArrayLike,
    n: ArrayLike,
    p: ArrayLike,
    *,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    unroll: int | bool = 1,
) -> Array:
    """Numbers of trials, out of `n`, that give each of several outcomes.

    Args: `n` [...]; `p` [..., k], the outcomes' probabilities, or numbers proportional
    to them; `shape`, of the samples, [..., k]; `unroll`, as in `scan`.

    >>> import jaxlike
    >>> p = jaxlike.numpy.array([0.2, 0.3, 0.5])
    >>> float(jaxlike.random.multinomial(jaxlike.random.key(0), 10, p).sum())
    10.0
    """
    key, _ = check_key("multinomial", key)
    check_arraylike("multinomial", n, p)
    n, p = promote_dtypes_inexact(n, p)
    given = get_aval(p).shape
    if not given:
        raise ValueError(format_error("binomial: a scalar has no axis -1"))
    if shape is None:
        shape = given
    shape = read_shape(shape)
    n = jnp.broadcast_to(n, shape[:-1])
    p = jnp.broadcast_to(p, shape)
    left = jnp.flip(jnp.cumsum(jnp.flip(p, -1), -1), -1)
    # the chance of an outcome, given that none before it happened
    chances = jnp.moveaxis(p / jnp.where(left == 0, 1, left), -1, 0)
    keys = jnp.stack(subkeys(key, shape[-1]))

    def draw(trials, chance_and_key):
        chance, key = chance_and_key
        count = _binomials(key, trials, jnp.clip(chance, 0, 1))
        return trials - count, count

    _, counts = lax.scan(draw, n, (chances, keys), unroll=unroll)
    counts = jnp.moveaxis(counts, 0, -1)
    return counts if dtype is None else counts.astype(dtype)
