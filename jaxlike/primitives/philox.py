"""Philox, a counter-based generator that multiplies, in NumPy, and the streams of bits
that XLA's RngBitGenerator makes of it and of Threefry.

Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
"""

from __future__ import annotations

import math

import numpy as np

from jaxlike.primitives.threefry import threefry2x32

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_M2 = np.uint64(0xD256D193)
_M4 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


def _split(product):
    return product >> _HALF, product & _LOW


def _words(values) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(v).astype(np.uint32) for v in values)


def philox2x32(key, c0, c1) -> tuple[np.ndarray, ...]:
    """Philox-2x32 with 10 rounds, of uint32 arrays that broadcast together."""
    key, c0, c1 = (np.asarray(v).astype(np.uint64) for v in (key, c0, c1))
    for _ in range(10):
        high, low = _split(c0 * _M2)
        c0, c1 = high ^ key ^ c1, low
        key = (key + _WEYL[0]) & _LOW
    return _words((c0, c1))


def philox4x32(key, counter) -> tuple[np.ndarray, ...]:
    """Philox-4x32 with 10 rounds: two words of key and four of counter, arrays."""
    k0, k1 = (np.asarray(v).astype(np.uint64) for v in key)
    c0, c1, c2, c3 = (np.asarray(v).astype(np.uint64) for v in counter)
    for _ in range(10):
        high0, low0 = _split(c0 * _M4[0])
        high1, low1 = _split(c2 * _M4[1])
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
    return _words((c0, c1, c2, c3))


# --- streams: (state of four words, shape) -> (state after it, bits)


def philox_stream(state: np.ndarray, shape: tuple[int, ...], dtype: np.dtype):
    """Bits from consecutive counters: words 2 and 3 of the state, 0 and 1 the key.

    Narrow dtypes take the low bits of a word each, uint64 takes two words.
    """
    size = math.prod(shape)
    blocks = -(-size * (2 if dtype.itemsize == 8 else 1) // 4)
    # the key is also the counter's upper half, and words that overflow carry into it
    upper, start = _as_uint64(state[:2]), _as_uint64(state[2:])
    counters = start + np.arange(blocks, dtype=np.uint64)
    uppers = upper + (counters < start)
    halves = [w for pair in (counters, uppers) for w in (pair & _LOW, pair >> _HALF)]
    words = np.stack(philox4x32(state[:2], halves), -1).reshape(-1)
    return _advanced(state, blocks), _fill(words, size, dtype).reshape(shape)


def threefry_stream(state: np.ndarray, shape: tuple[int, ...], dtype: np.dtype):
    """Bits from consecutive counters, whose two words are spread along one axis."""
    wide = dtype.itemsize == 8
    padded, axis = (*shape, 2), len(shape)
    if not wide:
        padded, axis = _pair_axis(shape)
    blocks = math.prod(padded) // 2
    start = _as_uint64(state[2:])
    counters = start + np.arange(blocks, dtype=np.uint64)
    y0, y1 = threefry2x32(
        *state[:2, None], *_words((counters & _LOW, counters >> _HALF))
    )
    if wide:
        bits = y0.astype(np.uint64) | y1.astype(np.uint64) << _HALF
        return _advanced(state, blocks), bits.reshape(shape)
    half = (*padded[:axis], padded[axis] // 2, *padded[axis + 1 :])
    pairs = np.stack([y0.reshape(half), y1.reshape(half)], axis + 1).reshape(padded)
    bits = pairs[tuple(slice(n) for n in shape or (1,))]
    return _advanced(state, blocks), bits.astype(dtype).reshape(shape)


def _pair_axis(shape: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """The axis that pairs lie along, and the shape with that axis made even."""
    shape = shape or (1,)
    even = [i for i, n in enumerate(shape) if n % 2 == 0]
    axis = even[0] if even else shape.index(max(shape))
    return tuple(n + (i == axis and n % 2) for i, n in enumerate(shape)), axis


def _as_uint64(pair: np.ndarray) -> np.uint64:
    return np.uint64(int(pair[0]) | int(pair[1]) << 32)


def _advanced(state: np.ndarray, blocks: int) -> np.ndarray:
    counter = (int(_as_uint64(state[2:])) + blocks) & (2**64 - 1)
    low, high = counter & 0xFFFFFFFF, counter >> 32
    return np.array([state[0], state[1], low, high], np.uint32)


def _fill(words: np.ndarray, size: int, dtype: np.dtype) -> np.ndarray:
    if dtype.itemsize == 8:
        pairs = words.reshape(-1, 2)[:size].astype(np.uint64)
        return pairs[:, 0] | pairs[:, 1] << _HALF
    return words[:size].astype(dtype)
