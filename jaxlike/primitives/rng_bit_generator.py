"""rng_bit_generator: bits from an explicit state, by XLA's algorithms; and rng_uniform,
which draws from a hidden state.

random_bits.py has the keys that jaxlike.random is made of.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.primitives import philox
from jaxlike.primitives.axes import canonical_shape
from jaxlike.primitives.shapes import moveaxis

__all__ = [
    "RandomAlgorithm",
    "rng_bit_generator",
    "rng_bit_generator_p",
    "rng_uniform",
    "rng_uniform_p",
]


class RandomAlgorithm(enum.IntEnum):
    """The algorithms of rng_bit_generator; the default one is Philox."""

    RNG_DEFAULT = 0
    RNG_THREE_FRY = 1
    RNG_PHILOX = 2

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__


_STATES = {("uint32", (4,)), ("uint64", (2,))}

# --- rng_bit_generator: (state, shape) -> (state after it, bits)

rng_bit_generator_p = Primitive("rng_bit_generator", multiple_results=True)


def _rng_bit_generator_shape(key, *, shape, dtype, algorithm):
    if (key.dtype.name, key.shape) not in _STATES:
        raise TypeError(
            format_error(
                f"rng_bit_generator: the key must be uint32[4] or uint64[2], got {key}"
            )
        )
    if dtype.kind != "u" or dtype.name not in ("uint8", "uint16", "uint32", "uint64"):
        raise TypeError(format_error(f"rng_bit_generator: unsupported dtype {dtype}"))
    return [key, ShapedArray(shape, dtype)]


def _rng_bit_generator_evaluate(key, *, shape, dtype, algorithm):
    state = np.ascontiguousarray(key).view(np.uint32)
    if algorithm == RandomAlgorithm.RNG_THREE_FRY:
        after, bits = philox.threefry_stream(state, shape, dtype)
    else:
        after, bits = philox.philox_stream(state, shape, dtype)
    return [after.view(key.dtype), bits]


def _rng_bit_generator_batch(axis_data, args, dims, *, shape, dtype, algorithm):
    # as in JAX: the first key draws for all of the batch, and it alone advances
    from jaxlike.primitives.joining import concatenate
    from jaxlike.primitives.slicing import index_in_dim, slice_in_dim

    keys = moveaxis(args[0], dims[0], 0)
    n = get_aval(keys).shape[0]
    first, rest = index_in_dim(keys, 0, 0, keepdims=False), slice_in_dim(keys, 1, n)
    after, bits = rng_bit_generator_p.bind(
        first, shape=(n, *shape), dtype=dtype, algorithm=algorithm
    )
    from jaxlike.primitives.shapes import expand_dims

    return [concatenate([expand_dims(after, (0,)), rest], 0), bits], [0, 0]


rng_bit_generator_p.shape = _rng_bit_generator_shape
rng_bit_generator_p.evaluate = _rng_bit_generator_evaluate
rng_bit_generator_p.batch = _rng_bit_generator_batch
rng_bit_generator_p.not_differentiable = "random bits are discrete"


def rng_bit_generator(
    key: Any,
    shape: Sequence[int],
    dtype: Any = np.uint32,
    algorithm: RandomAlgorithm = RandomAlgorithm.RNG_DEFAULT,
    *,
    out_sharding=None,
) -> tuple[Any, Any]:
    """(next state, random bits) of a generator with the state `key`.

    Args: `key`, uint32[4] or uint64[2]; `dtype`, of unsigned integers.
    Raises: TypeError for other keys and dtypes.

    >>> from jaxlike import lax
    >>> state, bits = lax.rng_bit_generator(np.zeros(4, "uint32"), (2,))
    >>> state.tolist(), bits.tolist()
    ([0, 0, 1, 0], [1713891541, 3781805453])
    """
    shape = canonical_shape(shape, "rng_bit_generator: shape")
    dtype = dtypes.check_user_dtype_supported(dtype, "rng_bit_generator")
    after, bits = rng_bit_generator_p.bind(
        key, shape=shape, dtype=dtype, algorithm=RandomAlgorithm(algorithm)
    )
    return after, bits


# --- rng_uniform: numbers from [a, b), of a state that nobody sees

rng_uniform_p = Primitive("rng_uniform")
_hidden = np.random.Generator(np.random.Philox(0))


def _rng_uniform_shape(a, b, *, shape):
    if a.dtype != b.dtype:
        raise ValueError(
            format_error(f"rng_uniform takes one dtype, got {a.dtype} and {b.dtype}")
        )
    if a.shape or b.shape:
        raise ValueError(
            format_error(
                f"rng_uniform takes scalars, got shapes {a.shape} and {b.shape}"
            )
        )
    return ShapedArray(shape, a.dtype, a.weak_type and b.weak_type)


def _rng_uniform_evaluate(a, b, *, shape):
    if a.dtype.kind in "iu":
        return _hidden.integers(a[()], max(b[()], a[()] + 1), shape, a.dtype)
    if a.dtype.kind == "b":
        return _hidden.integers(0, 2, shape).astype(bool)
    wide = np.float64 if a.dtype.itemsize == 8 else np.float32
    low, high = a.astype(wide), b.astype(wide)
    out = low + (high - low) * _hidden.random(shape, wide)
    # rounding may reach the upper end, which is not in the interval
    out = np.asarray(out).astype(a.dtype)
    return np.where(out < b, out, a)


rng_uniform_p.shape = _rng_uniform_shape
rng_uniform_p.evaluate = _rng_uniform_evaluate
rng_uniform_p.not_differentiable = "its state is hidden"
rng_uniform_p.not_batchable = "its state is hidden: use jax.random.uniform"


def rng_uniform(a: Any, b: Any, shape: Sequence[int]) -> Any:
    """Numbers uniform on [a, b), different at each call: prefer jax.random.uniform.

    Args: `a` and `b`, scalars of one dtype.

    >>> from jaxlike import lax
    >>> lax.rng_uniform(0.0, 1.0, (3,)).shape
    (3,)
    """
    shape = canonical_shape(shape, "rng_uniform: shape")
    return rng_uniform_p.bind(a, b, shape=shape)
