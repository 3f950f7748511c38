"""Philox, a counter-based generator that multiplies, in NumPy, and the streams of bits
that XLA's RngBitGenerator makes of it and of Threefry.

Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
"""

from __future__ import annotations

import math

import numpy as np

from jaxlike.primitives.threefry import threefry2x32

# blocks computed at a time, so that their words stay in the cache
_TILE = 1 << 13
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


def philox_blocks(states: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Some blocks of the streams of many states: uint32[N, 4], [n] to uint32[N, n, 4].

    The counter's lower half is in words 2 and 3; words 0 and 1 are its upper half,
    which the lower one overflows into, and the key as well.
    """
    upper, start = (_join(states[:, i, None], states[:, i + 1, None]) for i in (0, 2))
    counters = start + numbers.astype(np.uint64)
    uppers = upper + (counters < start)
    halves = [w for pair in (counters, uppers) for w in (pair & _LOW, pair >> _HALF)]
    return np.stack(philox4x32((states[:, :1], states[:, 1:2]), halves), -1)


def philox_stream(state: np.ndarray, shape: tuple[int, ...], dtype: np.dtype):
    """Bits from consecutive counters.

    Narrow dtypes take the low bits of a word each, uint64 takes two words.
    """
    size = math.prod(shape)
    blocks = -(-size * (2 if dtype.itemsize == 8 else 1) // 4)
    words = np.empty((blocks, 4), np.uint32)
    for first in range(0, blocks, _TILE):
        numbers = np.arange(first, min(first + _TILE, blocks))
        words[first : first + _TILE] = philox_blocks(state[None], numbers)[0]
    words = words.reshape(4 * blocks)
    return _advanced(state, blocks), _fill(words, size, dtype).reshape(shape)


def threefry_stream(state: np.ndarray, shape: tuple[int, ...], dtype: np.dtype):
    """Bits from consecutive counters, whose two words are spread along one axis."""
    wide = dtype.itemsize == 8
    padded, axis = (*shape, 2), len(shape)
    if not wide:
        padded, axis = _pair_axis(shape)
    blocks = math.prod(padded) // 2
    start = _join(state[2], state[3])
    counters = start + np.arange(blocks, dtype=np.uint64)
    y0, y1 = threefry2x32(
        *state[:2, None], *_words((counters & _LOW, counters >> _HALF))
    )
    if wide:
        return _advanced(state, blocks), _join(y0, y1).reshape(shape)
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


def _join(low, high):
    return (
        np.asarray(low).astype(np.uint64) | np.asarray(high).astype(np.uint64) << _HALF
    )


def _advanced(state: np.ndarray, blocks: int) -> np.ndarray:
    counter = (int(_join(state[2], state[3])) + blocks) & (2**64 - 1)
    low, high = counter & 0xFFFFFFFF, counter >> 32
    return np.array([state[0], state[1], low, high], np.uint32)


def _fill(words: np.ndarray, size: int, dtype: np.dtype) -> np.ndarray:
    if dtype.itemsize == 8:
        return _join(words[::2], words[1::2])[:size]
    return words[:size].astype(dtype)
