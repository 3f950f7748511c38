"""The samplers that all others are made of: bits, uniform, randint, bernoulli."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import ArrayLike, DTypeLike
from jaxlike.primitives.random_bits import random_bits_p
from jaxlike.primitives.random_gamma import float_layout, unit_floats
from jaxlike.random.arguments import (
    LARGE,
    as_dtype,
    float_dtype,
    int_dtype,
    read_shape,
    samples_shape,
)
from jaxlike.random.keys import check_key, subkeys

Shape = int | Sequence[int]


@composite_of(1, compiled=LARGE)
def bits(
    key: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Random bits, as unsigned integers uniform over all of their range.

    Args: `dtype`, of unsigned integers (uint32 by default).
    Raises: ValueError for another dtype.

    >>> import jaxlike
    >>> jaxlike.random.bits(jaxlike.random.key(0), (2,))
    Array([4070199207, 4202968722], dtype=uint32)
    """
    key, _ = check_key("bits", key)
    if dtype is None:
        dtype = dtypes.default_uint_dtype()
    dtype = dtypes.check_user_dtype_supported(dtype, "bits")
    if not dtypes.issubdtype(dtype, np.unsignedinteger):
        raise ValueError(format_error(f"bits takes an unsigned dtype, got {dtype}"))
    width = 8 * dtype.itemsize
    return random_bits_p.bind(key, bit_width=width, shape=read_shape(shape))


# --- floats


def unit_interval(key: Any, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """Floats uniform on [0, 1), of a typed key: random bits as mantissas."""
    width, mantissa, used = float_layout(dtype)
    if width < 8:
        raise TypeError(
            format_error(f"uniform takes floats of 8 to 64 bits, got {dtype}")
        )
    words = random_bits_p.bind(key, bit_width=used, shape=shape)
    if type(words) is Array and state.trace is eval_trace:
        return Array(unit_floats(words._data, dtype), ShapedArray(shape, dtype))
    word = np.dtype(f"uint{width}")
    if used != width:
        words = lax.convert_element_type(words, word)
    words = lax.shift_right_logical(words, np.array(used - mantissa, word))
    words = lax.bitwise_or(words, np.ones((), dtype).view(word))
    return lax.sub(lax.bitcast_convert_type(words, dtype), np.ones((), dtype))


def between(key: Any, shape: tuple[int, ...], dtype: np.dtype, low: Any, high: Any):
    """Floats uniform on [low, high), of a typed key; the ends are scalars or arrays of
    the dtype and of the samples' rank."""
    unit = unit_interval(key, shape, dtype)
    if isinstance(low, np.ndarray) and isinstance(high, np.ndarray):
        span = high - low
        if state.trace is eval_trace and not span.ndim and type(unit) is Array:
            out = unit._data  # nobody else has it yet
            np.multiply(out, span, out)
            np.add(out, low, out)
            np.maximum(out, low, out=out)
            return unit
    else:
        span = lax.sub(high, low)
    return lax.max(low, lax.add(lax.mul(unit, span), low))


def _end(x: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    x = as_dtype(x, dtype)
    given = get_aval(x).shape
    if not given:
        return x
    if len(given) > len(shape):
        raise TypeError(
            format_error(
                "uniform: minval and maxval must not have more dimensions than shape "
                f"{shape}, got {given}"
            )
        )
    return lax.expand_dims(x, range(len(shape) - len(given)))


def _is_constant(x: Any, value: float) -> bool:
    return isinstance(x, (int, float)) and x == value


@composite_of(1, compiled=LARGE)
def uniform(
    key: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    minval: ArrayLike = 0.0,
    maxval: ArrayLike = 1.0,
    *,
    out_sharding=None,
) -> Array:
    """Floats uniform on [minval, maxval).

    Args: `minval` and `maxval`, scalars or arrays that broadcast to `shape`.
    Raises: ValueError for a dtype that is not a float's.

    >>> import jaxlike
    >>> jaxlike.random.uniform(jaxlike.random.key(0), (2,))
    Array([0.947667 , 0.9785799], dtype=float32)
    """
    key, _ = check_key("uniform", key)
    dtype = float_dtype("uniform", dtype)
    shape = read_shape(shape)
    if _is_constant(minval, 0) and _is_constant(maxval, 1):
        return unit_interval(key, shape, dtype)
    low, high = _end(minval, shape, dtype), _end(maxval, shape, dtype)
    out = between(key, shape, dtype, low, high)
    if out.shape != shape:
        raise ValueError(
            format_error(
                f"uniform: minval and maxval must broadcast to shape {shape}, but "
                f"with them the samples have shape {out.shape}"
            )
        )
    return out


@composite_of(2, compiled=LARGE)
def bernoulli(
    key: ArrayLike,
    p: ArrayLike = 0.5,
    shape: Shape | None = None,
    mode: str = "low",
    *,
    out_sharding=None,
) -> Array:
    """Booleans that are True with probability `p`.

    Args: `p`, floats; `shape`, which p's must broadcast to (p's by default); `mode`,
    "low" or "high", how finely small p are resolved.
    Raises: TypeError if p is not of floats, ValueError for other modes.

    >>> import jaxlike
    >>> jaxlike.random.bernoulli(jaxlike.random.key(0), 0.3, (3,)).tolist()
    [False, False, False]
    """
    if mode not in ("high", "low"):
        raise ValueError(format_error(f"mode is 'low' or 'high', got {mode!r}"))
    key, _ = check_key("bernoulli", key)
    dtype = get_aval(p).dtype
    if not dtypes.issubdtype(dtype, np.floating):
        raise TypeError(
            format_error(
                f"bernoulli probability `p` must have a floating dtype, got {dtype}."
            )
        )
    shape = samples_shape("bernoulli", shape, p)
    p = as_dtype(p, dtype)
    if mode == "low":
        return jnp.less(unit_interval(key, shape, dtype), p)
    coarse, fine = unit_interval(key, (2, *shape), dtype)
    fine = lax.mul(fine, np.array(dtypes.finfo(dtype).eps, dtype))
    return jnp.less(fine, jnp.subtract(p, coarse))


# --- integers


@composite_of(1, compiled=LARGE)
def rademacher(
    key: ArrayLike,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """-1 and 1, with equal probability.

    >>> import jaxlike
    >>> jaxlike.random.rademacher(jaxlike.random.key(0), (4,)).tolist()
    [-1, -1, 1, 1]
    """
    key, _ = check_key("rademacher", key)
    dtype = int_dtype(dtype, "rademacher")
    unit = unit_interval(key, read_shape(shape), dtypes.default_float_dtype())
    heads = lax.convert_element_type(lax.lt(unit, np.array(0.5, unit.dtype)), dtype)
    return lax.convert_element_type(2 * heads - 1, dtype)


@composite_of(1, compiled=LARGE)
def randint(
    key: ArrayLike,
    shape: Shape,
    minval: ArrayLike,
    maxval: ArrayLike,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Integers uniform on [minval, maxval).

    Args: `minval` and `maxval`, integers that broadcast to `shape`; ends out of the
    dtype's range are moved to its limits.
    Raises: TypeError for a dtype that is not of integers, OverflowError for Python
    integers past the default integer dtype.

    >>> import jaxlike
    >>> jaxlike.random.randint(jaxlike.random.key(0), (3,), 0, 10).tolist()
    [9, 0, 2]
    """
    key, _ = check_key("randint", key)
    dtype = int_dtype(dtype, "randint")
    if not dtypes.issubdtype(dtype, np.integer):
        raise TypeError(format_error(f"randint takes an integer dtype, got {dtype}"))
    shape = samples_shape("randint", shape, minval, maxval)
    # narrow integers are drawn as int32, which has room for maxval itself
    work = np.dtype("int32") if dtypes.iinfo(dtype).bits < 32 else dtype
    if type(minval) is int and type(maxval) is int:
        low, span = _constant_range(minval, maxval, dtype, work)
    elif work is dtype:
        low, span = _range(minval, maxval, dtype)
    else:
        info = dtypes.iinfo(dtype)
        least, most = int(info.min), int(info.max)
        minval, maxval = (jnp.asarray(x).astype(work) for x in (minval, maxval))
        low, span = _range(
            jnp.clip(minval, least, most), jnp.clip(maxval, least, most + 1), work
        )
    out = _modulo(key, shape, span)
    out = jnp.add(lax.convert_element_type(out, work), low)
    return out if work is dtype else lax.convert_element_type(out, dtype)


def _constant_range(minval: int, maxval: int, dtype, work) -> tuple[Any, Any]:
    """(low, span) of Python integers, span as an unsigned scalar; 0 is 2**bits."""
    info, wide = dtypes.iinfo(dtype), dtypes.iinfo(work)
    ends = [int(dtypes.scalar_to_numpy(x)) for x in (minval, maxval)]
    if work is not dtype:
        ends = [(x + 2**31) % 2**32 - 2**31 for x in ends]
    low = min(max(ends[0], int(info.min)), int(info.max))
    # the end, which is not drawn, may lie one past the dtype's range
    high = min(max(ends[1], int(info.min)), int(info.max) + 1)
    span = max(high - low, 1) % (1 << wide.bits)
    return np.array(low, work), np.array(span, f"uint{wide.bits}")


def _range(minval: Any, maxval: Any, dtype: np.dtype) -> tuple[Any, Any]:
    """(low, span) of arrays, which are moved into the dtype's range."""
    unsigned = np.dtype(f"uint{dtypes.iinfo(dtype).bits}")
    low, _ = _moved_into(minval, dtype)
    high, past = _moved_into(maxval, dtype)
    some = jnp.greater(high, low)
    span = lax.convert_element_type(jnp.subtract(high, low), unsigned)
    one = np.array(1, unsigned)
    span = jnp.where(some, span, one)
    return low, jnp.where(jnp.logical_and(past, some), jnp.add(span, one), span)


def _moved_into(x: Any, dtype: np.dtype) -> tuple[Any, Any]:
    """(x in the dtype's range, whether it was above it)."""
    if not dtypes.issubdtype(get_aval(x).dtype, np.integer):
        x = lax.convert_element_type(x, dtype)
    given = get_aval(x).dtype
    info, own = dtypes.iinfo(dtype), dtypes.iinfo(given)
    least = np.array(max(int(info.min), int(own.min)), given)
    most = np.array(min(int(info.max), int(own.max)), given)
    inside = lax.clamp(least, x, most)
    return lax.convert_element_type(inside, dtype), jnp.greater(x, most)


def _modulo(key: Any, shape: tuple[int, ...], span: Any) -> Any:
    """Unsigned integers on [0, span): two words of random bits, modulo span.

    The upper word's weight is that of JAX, (2**(bits / 2) % span)**2 modulo span, which
    overflows to zero where span is large.
    """
    unsigned = get_aval(span).dtype
    bits = 8 * unsigned.itemsize
    keys = subkeys(key)
    if isinstance(span, np.ndarray):
        n = int(span)
        weight = ((1 << bits // 2) % n) ** 2 % (1 << bits) % n if n else 0
        if not weight:
            lower = random_bits_p.bind(keys[1], bit_width=bits, shape=shape)
            if n & (n - 1):
                return lax.rem(lower, span)
            return lax.bitwise_and(lower, np.array((n - 1) % (1 << bits), unsigned))
        weight = np.array(weight, unsigned)
    else:
        weight = lax.rem(np.array(1 << (bits // 2), unsigned), span)
        weight = lax.rem(lax.mul(weight, weight), span)
    upper, lower = (random_bits_p.bind(k, bit_width=bits, shape=shape) for k in keys)
    span, weight = (_like_rank(x, shape) for x in (span, weight))
    out = lax.add(lax.mul(lax.rem(upper, span), weight), lax.rem(lower, span))
    return lax.rem(out, span)


def _like_rank(x: Any, shape: tuple[int, ...]) -> Any:
    given = get_aval(x).shape
    return lax.expand_dims(x, range(len(shape) - len(given))) if given else x
