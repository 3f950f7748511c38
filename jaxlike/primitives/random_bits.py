"""Key arrays and random bits: random_seed, random_split, random_fold_in, random_bits,
and the passage between keys and their words (random_wrap, random_unwrap).

The generators' mathematics is in generators.py; jaxlike.random is the user's side.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.scalars import KeyDType
from jaxlike.primitives import threefry
from jaxlike.primitives.generators import Generator, generator_named, generators
from jaxlike.primitives.rules import batch_elementwise
from jaxlike.primitives.shapes import moveaxis

__all__ = [
    "random_bits_p",
    "random_clone_p",
    "random_fold_in_p",
    "random_seed_p",
    "random_split_p",
    "random_unwrap_p",
    "random_wrap_p",
    "threefry2x32_p",
    "threefry_word_p",
]

_UINT32 = np.dtype("uint32")
_BITS = "keys and random bits are discrete"


def is_key(aval: Any) -> bool:
    """Whether an aval is of a key array.

    >>> is_key(random_seed(0, "rbg").aval)
    True
    """
    return isinstance(aval.dtype, KeyDType)


def words_of(keys: np.ndarray) -> np.ndarray:
    """The words of a buffer of keys: uint32[*keys.shape, W], a view."""
    return keys[keys.dtype.names[0]]


def keys_of(words: np.ndarray, dtype: KeyDType) -> np.ndarray:
    """The buffer of keys with the words uint32[*shape, W]."""
    words = np.ascontiguousarray(words, "<u4")
    return words.view(dtype.storage).reshape(words.shape[:-1])


def flat_words(keys: np.ndarray) -> np.ndarray:
    words = keys[keys.dtype.names[0]]
    return words.reshape(keys.size, words.shape[-1])


_generator_of_storage: dict[np.dtype, Generator] = {}


def generator_of(storage: np.dtype) -> Generator:
    """The generator whose keys are stored so."""
    found = _generator_of_storage.get(storage)
    if found is None:
        for generator in generators.values():
            _generator_of_storage[generator.dtype.storage] = generator
        found = _generator_of_storage[storage]
    return found


def _check_keys(name: str, aval) -> None:
    if not is_key(aval):
        raise TypeError(
            format_error(
                f"{name} must be given keys (of a dtype such as key<fry>), got {aval}",
                try_="jax.random.key(seed), or jax.random.wrap_key_data(words)",
            )
        )


# --- random_seed: integers to keys

random_seed_p = Primitive("random_seed")


def _random_seed_shape(seeds, *, impl):
    if not dtypes.issubdtype(seeds.dtype, np.integer):
        raise TypeError(format_error(f"a seed is an integer, got {seeds}"))
    return ShapedArray(seeds.shape, impl.dtype)


def _random_seed_evaluate(seeds, *, impl):
    flat = seeds.reshape(-1)
    if flat.dtype.itemsize == 8:
        high = (flat.astype(np.uint64) >> np.uint64(32)).astype(_UINT32)
    else:
        # shifting by all the bits of a narrower integer gives 0, for any sign
        high = np.zeros(flat.shape, _UINT32)
    words = impl.seed(high, flat.astype(_UINT32))
    return keys_of(words, impl.dtype).reshape(seeds.shape)


random_seed_p.shape = _random_seed_shape
random_seed_p.evaluate = _random_seed_evaluate
random_seed_p.batch = lambda axis_data, args, dims, *, impl: (
    random_seed_p.bind(*args, impl=impl),
    dims[0],
)
random_seed_p.not_differentiable = _BITS


# --- random_split: each key to an array of keys

random_split_p = Primitive("random_split")


def _random_split_shape(keys, *, shape):
    _check_keys("random_split", keys)
    return ShapedArray(keys.shape + shape, keys.dtype)


def _random_split_evaluate(keys, *, shape):
    generator = generator_of(keys.dtype)
    n = 1
    for size in shape:
        n *= size
    words = generator.split(flat_words(keys), n)
    return keys_of(words, generator.dtype).reshape(keys.shape + shape)


def _batch_first(primitive):
    def batch(axis_data, args, dims, **params):
        return primitive.bind(moveaxis(args[0], dims[0], 0), **params), 0

    return batch


random_split_p.shape = _random_split_shape
random_split_p.evaluate = _random_split_evaluate
random_split_p.batch = _batch_first(random_split_p)
random_split_p.not_differentiable = _BITS


# --- random_fold_in: a key and an integer to a key; elementwise, with broadcasting

random_fold_in_p = Primitive("random_fold_in")


def _random_fold_in_shape(keys, msgs):
    _check_keys("random_fold_in", keys)
    if msgs.dtype != _UINT32:
        raise TypeError(
            format_error(f"random_fold_in must be given uint32 data, got {msgs}")
        )
    shape = np.broadcast_shapes(keys.shape, msgs.shape)
    return ShapedArray(shape, keys.dtype)


def _random_fold_in_evaluate(keys, msgs):
    generator = generator_of(keys.dtype)
    shape = keys.shape
    if msgs.shape and msgs.shape != shape:
        shape = np.broadcast_shapes(keys.shape, msgs.shape)
        if keys.size != 1:
            keys = np.broadcast_to(keys, shape)
        if msgs.size != 1:
            msgs = np.broadcast_to(msgs, shape)
    words = generator.fold_in(flat_words(keys), msgs.reshape(-1))
    return keys_of(words, generator.dtype).reshape(shape)


random_fold_in_p.shape = _random_fold_in_shape
random_fold_in_p.evaluate = _random_fold_in_evaluate
random_fold_in_p.batch = lambda axis_data, args, dims: batch_elementwise(
    random_fold_in_p, axis_data, args, dims, {}
)
random_fold_in_p.not_differentiable = _BITS


# --- random_bits: each key to an array of uniformly distributed unsigned integers

random_bits_p = Primitive("random_bits")


def _random_bits_shape(keys, *, bit_width, shape):
    _check_keys("random_bits", keys)
    return ShapedArray(keys.shape + shape, np.dtype(f"uint{bit_width}"))


def _random_bits_evaluate(keys, *, bit_width, shape):
    bits = generator_of(keys.dtype).bits(flat_words(keys), bit_width, shape)
    return bits.reshape(keys.shape + shape)


random_bits_p.shape = _random_bits_shape
random_bits_p.evaluate = _random_bits_evaluate
random_bits_p.batch = _batch_first(random_bits_p)
random_bits_p.not_differentiable = _BITS


# --- random_wrap, random_unwrap: words uint32[..., W] to keys [...], and back

random_wrap_p = Primitive("random_wrap")


def _random_wrap_shape(words, *, impl):
    n = len(impl.key_shape)
    if words.dtype != _UINT32 or words.ndim < n or words.shape[-n:] != impl.key_shape:
        raise TypeError(
            format_error(
                f"random_wrap must be given uint32[..., {impl.key_shape[0]}] for "
                f"{impl.name} keys, got {words}"
            )
        )
    return ShapedArray(words.shape[:-n], impl.dtype)


random_wrap_p.shape = _random_wrap_shape
random_wrap_p.evaluate = lambda words, *, impl: keys_of(words, impl.dtype)
random_wrap_p.batch = _batch_first(random_wrap_p)
random_wrap_p.not_differentiable = _BITS

random_unwrap_p = Primitive("random_unwrap")


def _random_unwrap_shape(keys):
    _check_keys("random_unwrap", keys)
    return ShapedArray(keys.shape + keys.dtype.key_shape, _UINT32)


random_unwrap_p.shape = _random_unwrap_shape
random_unwrap_p.evaluate = lambda keys: np.ascontiguousarray(words_of(keys), _UINT32)
random_unwrap_p.batch = lambda axis_data, args, dims: (
    random_unwrap_p.bind(*args),
    dims[0],
)
random_unwrap_p.not_differentiable = _BITS


# --- random_clone: the same keys, which key-reuse checking takes for new ones

random_clone_p = Primitive("random_clone")


def _random_clone_shape(keys):
    _check_keys("random_clone", keys)
    return keys


random_clone_p.shape = _random_clone_shape
random_clone_p.evaluate = lambda keys: keys
random_clone_p.batch = lambda axis_data, args, dims: (
    random_clone_p.bind(*args),
    dims[0],
)
random_clone_p.not_differentiable = _BITS


# --- threefry2x32: the hash itself, elementwise on words

threefry2x32_p = Primitive("threefry2x32", multiple_results=True)


def _threefry2x32_shape(k0, k1, x0, x1):
    avals = k0, k1, x0, x1
    if any(a.dtype != _UINT32 for a in avals):
        raise TypeError(
            format_error("threefry2x32 takes uint32, got " + ", ".join(map(str, avals)))
        )
    try:
        shape = np.broadcast_shapes(*[a.shape for a in avals])
    except ValueError:
        shapes = ", ".join(str(a.shape) for a in avals)
        raise TypeError(
            format_error(f"threefry2x32: shapes {shapes} do not broadcast to one")
        ) from None
    return [ShapedArray(shape, _UINT32)] * 2


threefry2x32_p.shape = _threefry2x32_shape
threefry2x32_p.evaluate = lambda *words: list(threefry.threefry2x32(*words))
threefry2x32_p.batch = lambda axis_data, args, dims: batch_elementwise(
    threefry2x32_p, axis_data, args, dims, {}
)
threefry2x32_p.not_differentiable = _BITS


# --- threefry_word: one word of the hash, or both xored: what compilers compute

threefry_word_p = Primitive("threefry_word")
BOTH = 2


def _threefry_word_evaluate(*words, word):
    y0, y1 = threefry.threefry2x32(*words)
    return y0 ^ y1 if word == BOTH else (y0, y1)[word]


threefry_word_p.shape = lambda *avals, word: _threefry2x32_shape(*avals)[0]
threefry_word_p.evaluate = _threefry_word_evaluate
threefry_word_p.batch = lambda axis_data, args, dims, *, word: batch_elementwise(
    threefry_word_p, axis_data, args, dims, {"word": word}
)
threefry_word_p.not_differentiable = _BITS


# --- functions


def random_seed(seeds: Any, impl: Generator | str) -> Any:
    """Keys made from integers, of the seeds' shape.

    Python integers count modulo 2**64 with x64, and else modulo 2**32.
    Raises: TypeError unless the seeds are integers, OverflowError past 64 bits.

    >>> random_seed(3, "threefry2x32").dtype
    key<fry>
    """
    if isinstance(impl, str):
        impl = generator_named(impl)
    if type(seeds) is int or isinstance(seeds, np.integer):
        seeds = np.int64(seeds) if isinstance(seeds, int) else seeds
        seeds = seeds.astype(dtypes.canonicalize_dtype(seeds.dtype))
    return random_seed_p.bind(seeds, impl=impl)


def random_wrap(words: Any, impl: Generator | str) -> Any:
    """Keys with the words uint32[..., W].

    >>> random_wrap(np.zeros((3, 2), "uint32"), "threefry2x32").shape
    (3,)
    """
    if isinstance(impl, str):
        impl = generator_named(impl)
    from jaxlike.primitives.axes import owned

    return random_wrap_p.bind(owned(words), impl=impl)


def random_unwrap(keys: Any) -> Any:
    """The words of keys, uint32[..., W].

    >>> random_unwrap(random_seed(3, "threefry2x32")).tolist()
    [0, 3]
    """
    return random_unwrap_p.bind(keys)
