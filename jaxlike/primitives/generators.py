"""The generators that keys can belong to: how each makes, splits and uses keys.

Everything here is NumPy on the uint32 words of flat key arrays; random_bits.py has the
primitives on key arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from jaxlike.core.config import config
from jaxlike.core.errors import format_error
from jaxlike.core.scalars import KeyDType
from jaxlike.primitives import philox, threefry

_HALF = np.uint64(32)


class Generator:
    """One kind of key: functions on uint32[N, W], the words of N keys.

    seed:    (high, low) words of the seeds, uint32[N] each -> uint32[N, W]
    split:   (words, n) -> uint32[N, n, W]
    fold_in: (words, data), data uint32[N] or uint32[1] -> uint32[N, W]
    bits:    (words, bit_width, shape) -> unsigned[N, *shape]
    alone:   the generator that draws from each of N keys as if it were the only one
    """

    __slots__ = ("alone", "bits", "dtype", "fold_in", "name", "seed", "split")

    def __init__(
        self,
        dtype: KeyDType,
        seed: Callable,
        split: Callable,
        fold_in: Callable,
        bits: Callable,
        alone: Generator | None = None,
    ):
        self.name = dtype.impl
        self.dtype = dtype
        self.seed = seed
        self.split = split
        self.fold_in = fold_in
        self.bits = bits
        self.alone = alone or self

    @property
    def key_shape(self) -> tuple[int, ...]:
        """The shape of the raw uint32 words of one key."""
        return self.dtype.key_shape

    @property
    def tag(self) -> str:
        return self.dtype.tag

    def __repr__(self) -> str:
        return self.dtype.tag

    def __reduce__(self):
        return generator_named, (self.name,)


generators: dict[str, Generator] = {}


def _register(generator: Generator) -> None:
    generators[generator.name] = generator


def generator_named(name: str) -> Generator:
    """The generator of this name. Raises: ValueError if there is none.

    >>> generator_named("rbg").key_shape
    (4,)
    """
    try:
        return generators[name]
    except KeyError:
        known = ", ".join(f'"{n}"' for n in generators)
        raise ValueError(
            format_error(f'there is no random generator "{name}", only {known}')
        ) from None


def _as_unsigned(bits: np.ndarray, bit_width: int) -> np.ndarray:
    return bits if bit_width == 32 else bits.astype(f"uint{bit_width}")


def _join(high, low) -> np.ndarray:
    return high.astype(np.uint64) << _HALF | low


# --- threefry2x32: JAX's default


def _threefry_bits(words, bit_width, shape):
    size = math.prod(shape)
    if not config.threefry_partitionable:
        bits = _old_threefry_bits(words, bit_width, size)
    elif bit_width == 64:
        pairs = threefry.hash_counters(words, size)
        bits = _join(pairs[..., 0], pairs[..., 1])
    else:
        bits = _as_unsigned(threefry.random_words(words, size), bit_width)
    return bits.reshape(len(words), *shape)


def _threefry_split(words, n):
    if config.threefry_partitionable:
        return threefry.hash_counters(words, n)
    return _old_threefry_words(words, 2 * n).reshape(len(words), n, 2)


def _threefry_fold_in(words, data):
    if len(words) == 1 == len(data):
        out = threefry.hash_one(*words[0].tolist(), 0, int(data[0]))
        return np.array([out], np.uint32)
    zero = np.zeros(1, np.uint32)
    return np.stack(threefry.threefry2x32(words[:, 0], words[:, 1], zero, data), -1)


def _old_threefry_words(words, n):
    """n words of each key, as jax_threefry_partitionable=False has them: the counters'
    first half is hashed with their second half."""
    half = -(-n // 2)
    counters = np.zeros(2 * half, np.uint32)
    counters[:n] = np.arange(n)
    y = threefry.threefry2x32(
        words[:, :1], words[:, 1:], counters[None, :half], counters[None, half:]
    )
    return np.concatenate(y, 1)[:, :n]


def _old_threefry_bits(words, bit_width, size):
    if bit_width == 64:
        out = _old_threefry_words(words, 2 * size)
        return _join(out[:, :size], out[:, size:])
    out = _old_threefry_words(words, -(-size * bit_width // 32))
    narrow = np.ascontiguousarray(out, "<u4").view(f"<u{bit_width // 8}")
    return narrow[:, :size]


_register(
    Generator(
        KeyDType("threefry2x32"),
        seed=lambda high, low: np.stack([high, low], -1),
        split=_threefry_split,
        fold_in=_threefry_fold_in,
        bits=_threefry_bits,
    )
)


# --- rbg: keys as two of threefry's, bits from the stream of rng_bit_generator


def _halves(words) -> np.ndarray:
    return words.reshape(2 * len(words), 2)


def _rbg_bits(words, bit_width, shape):
    # as in JAX, a batch of keys draws all of its bits from the first one
    shape = (len(words), *shape)
    dtype = np.dtype(f"uint{bit_width}")
    if not len(words):
        return np.empty(shape, dtype)
    return philox.philox_stream(words[0], shape, dtype)[1]


def _rbg_seed(high, low):
    return np.stack([high, low, high, low], -1)


def _rbg_split(words, n):
    split = _threefry_split(_halves(words), n)
    rows = len(words)
    return split.reshape(rows, 2, n, 2).swapaxes(1, 2).reshape(rows, n, 4)


def _rbg_fold_in(words, data):
    (n,) = np.broadcast_shapes(words.shape[:1], data.shape)
    words = np.broadcast_to(words, (n, 4))
    data = np.repeat(np.broadcast_to(data, n), 2)
    return _threefry_fold_in(_halves(words), data).reshape(n, 4)


def _bits_alone(words, bit_width, shape):
    size = math.prod(shape)
    per_block = 2 if bit_width == 64 else 4
    blocks = philox.philox_blocks(words, np.arange(-(-size // per_block)))
    blocks = blocks.reshape(len(words), blocks[0].size if len(words) else 0)
    if bit_width == 64:
        blocks = _join(blocks[:, 1::2], blocks[:, ::2])
    bits = _as_unsigned(blocks[:, :size], bit_width)
    return bits.reshape(len(words), *shape)


_rbg = KeyDType("rbg")
_rbg_alone = Generator(_rbg, _rbg_seed, _rbg_split, _rbg_fold_in, _bits_alone)
_register(Generator(_rbg, _rbg_seed, _rbg_split, _rbg_fold_in, _rbg_bits, _rbg_alone))


# --- unsafe_rbg: keys from that stream too, so that splits may be less independent


def _unsafe_rbg_split(words, n):
    return _rbg_bits(words, 32, (10 * n, 4))[:, ::10]


def _unsafe_rbg_fold_in(words, data):
    seeds = _rbg_seed(np.zeros_like(data), data)
    return words ^ _rbg_bits(seeds, 32, (10, 4))[:, 9]


def _split_alone(words, n):
    return philox.philox_blocks(words, 10 * np.arange(n))


_urbg = KeyDType("unsafe_rbg")
_urbg_alone = Generator(
    _urbg, _rbg_seed, _split_alone, _unsafe_rbg_fold_in, _bits_alone
)
_register(
    Generator(
        _urbg, _rbg_seed, _unsafe_rbg_split, _unsafe_rbg_fold_in, _rbg_bits, _urbg_alone
    )
)


# --- generators that hash a counter per element, by one function of key and counter


def _counter_based(name, tag, width, num_words, block, seed, join):
    """block: (W words of key, words of counter) -> words; join: words to 64 bits.

    Bits are hashed from counters (i, 0, ...), new keys from counters (..., 0, i).
    """

    def counters(n, last: bool):
        high, low = (c.astype(np.uint32) for c in divmod(np.arange(n), 1 << 32))
        zeros = [np.zeros(1, np.uint32)] * (num_words - 2)
        return [*zeros, high, low] if last else [high, low, *zeros]

    def key_words(words):
        return [words[:, i, None] for i in range(width)]

    def bits(words, bit_width, shape):
        out = block(key_words(words), counters(math.prod(shape), last=False))
        if bit_width == 64:
            out = join(*out)
        else:
            out = _as_unsigned(np.bitwise_xor.reduce(out), bit_width)
        return out.reshape(len(words), *shape)

    def split(words, n):
        out = block(key_words(words), counters(n, last=True))
        return np.stack(out[:width], -1)

    def fold_in(words, data):
        zeros = [np.zeros(1, np.uint32)] * (num_words - 1)
        out = block([words[:, i] for i in range(width)], [*zeros, data])
        return np.stack(out[:width], -1)

    _register(Generator(KeyDType(name, (width,), tag), seed, split, fold_in, bits))


def _zeros(n: int) -> list[np.ndarray]:
    return [np.zeros(1, np.uint32)] * n


_counter_based(
    "philox2x32",
    "phx2",
    width=1,
    num_words=2,
    block=lambda key, counter: philox.philox2x32(*key, *counter),
    seed=lambda high, low: np.stack(
        philox.philox2x32(*_zeros(1), high, low)[:1], axis=-1
    ),
    join=lambda a, b: _join(a, b),
)
_counter_based(
    "philox4x32",
    "phx4",
    width=2,
    num_words=4,
    block=philox.philox4x32,
    seed=lambda high, low: np.stack(
        philox.philox4x32(_zeros(2), [high, low, *_zeros(2)])[:2], axis=-1
    ),
    join=lambda a, b, c, d: _join(a, b),
)
_counter_based(
    "threefry4x32",
    "fry4",
    width=4,
    num_words=4,
    block=threefry.threefry4x32,
    seed=lambda high, low: np.stack(
        threefry.threefry4x32([high, low, *_zeros(2)], _zeros(4)), axis=-1
    ),
    join=lambda a, b, c, d: _join(a ^ c, b ^ d),
)
