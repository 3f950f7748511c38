"""Threefry, the counter-based generator behind JAX's keys, in NumPy.

A cipher of few rounds: the words of a counter, mixed with a key, come out random.
Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011. generators.py makes
key arrays and random bits of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_PARITY = 0x1BD11BDA
_MASK = 0xFFFFFFFF
_SHIFTS = ((13, 15, 26, 6), (17, 29, 16, 24))
_SHIFTS_4 = (
    ((10, 26), (11, 21), (13, 27), (23, 5)),
    ((6, 20), (17, 11), (25, 10), (18, 20)),
)
# as NumPy scalars, so that no call has to convert them
_ROTATIONS = [[(np.uint32(r), np.uint32(32 - r)) for r in rs] for rs in _SHIFTS]
# counters hashed at a time: three arrays of this size stay in the second-level cache
_TILE = 1 << 16
# for fewer counters than this, Python's integers are quicker than NumPy's calls
_FEW = 8


def hash_one(k0: int, k1: int, x0: int, x1: int) -> tuple[int, int]:
    """Threefry-2x32 with 20 rounds of one counter (x0, x1), in Python integers.

    >>> [hex(word) for word in hash_one(0, 0, 0, 0)]
    ['0x6b200159', '0x99ba4efe']
    """
    key = k0, k1, k0 ^ k1 ^ _PARITY
    x0, x1 = (x0 + k0) & _MASK, (x1 + k1) & _MASK
    for i in range(5):
        for r in _SHIFTS[i & 1]:
            x0 = (x0 + x1) & _MASK
            x1 = x0 ^ ((x1 << r) & _MASK | x1 >> (32 - r))
        x0 = (x0 + key[(i + 1) % 3]) & _MASK
        x1 = (x1 + key[(i + 2) % 3] + i + 1) & _MASK
    return x0, x1


def _schedule(k0, k1) -> list[tuple]:
    """What is added to the two words after each four rounds."""
    if isinstance(k0, np.ndarray):
        key = k0, k1, k0 ^ k1 ^ np.uint32(_PARITY)
        return [
            (key[(i + 1) % 3], key[(i + 2) % 3] + np.uint32(i + 1)) for i in range(5)
        ]
    key = int(k0), int(k1), int(k0) ^ int(k1) ^ _PARITY
    return [
        (np.uint32(key[(i + 1) % 3]), np.uint32((key[(i + 2) % 3] + i + 1) & _MASK))
        for i in range(5)
    ]


def _rounds(schedule, x0, x1, scratch) -> None:
    """The rounds, in place, on counters that have the key added already."""
    add, xor = np.add, np.bitwise_xor
    left, right, or_ = np.left_shift, np.right_shift, np.bitwise_or
    for i, (inject0, inject1) in enumerate(schedule):
        for r, back in _ROTATIONS[i & 1]:
            add(x0, x1, x0)
            left(x1, r, scratch)
            right(x1, back, x1)
            or_(x1, scratch, x1)
            xor(x1, x0, x1)
        add(x0, inject0, x0)
        add(x1, inject1, x1)


def threefry2x32(k0, k1, x0, x1) -> tuple[np.ndarray, np.ndarray]:
    """Threefry-2x32 of uint32 arrays that broadcast together."""
    shape = np.broadcast_shapes(k0.shape, k1.shape, x0.shape, x1.shape)
    y0, y1, scratch = np.empty((3, *shape), np.uint32)
    np.add(x0, k0, y0)
    np.add(x1, k1, y1)
    _rounds(_schedule(k0, k1), y0, y1, scratch)
    return y0, y1


# --- the hashes of counters 0, 1, 2 ... under each of many keys


def _tiles(rows: int, n: int) -> Iterator[tuple[slice, slice]]:
    """Cut (rows, n) into parts of _TILE elements: of one row, or of whole rows."""
    if n >= _TILE:
        for row in range(rows):
            for start in range(0, n, _TILE):
                yield slice(row, row + 1), slice(start, min(start + _TILE, n))
    elif n:
        step = max(1, _TILE // n)
        for row in range(0, rows, step):
            yield slice(row, row + step), slice(0, n)


def _hash_tile(keys, start: int, y0, y1, scratch) -> None:
    """Hash the counters from `start`; y0, y1 and scratch are uint32[len(keys), n]."""
    if len(keys) == 1:
        k0, k1 = keys[0].tolist()
        # a tile never crosses a multiple of 2**32, where the high word changes
        first = np.uint32((k0 + (start >> 32)) & _MASK), np.uint32((k1 + start) & _MASK)
    else:
        first = k0, k1 = keys[:, :1], keys[:, 1:]
    np.add(np.arange(y1.shape[1], dtype=np.uint32), first[1], y1)
    y0[...] = first[0]
    _rounds(_schedule(k0, k1), y0, y1, scratch)


def _few(keys: np.ndarray, n: int) -> list:
    return [[hash_one(k0, k1, 0, i) for i in range(n)] for k0, k1 in keys.tolist()]


def hash_counters(keys: np.ndarray, n: int) -> np.ndarray:
    """Both words of the hashes of the 64-bit counters 0 ... n-1 under each key.

    keys: uint32[N, 2]. Returns: uint32[N, n, 2].
    """
    rows = len(keys)
    if rows * n <= _FEW:
        return np.array(_few(keys, n), np.uint32).reshape(rows, n, 2)
    out = np.empty((rows, n, 2), np.uint32)
    y0, y1, scratch = np.empty((3, min(rows * n, _TILE)), np.uint32)
    for r, c in _tiles(rows, n):
        part = out[r, c]
        size, shape = part.size // 2, part.shape[:2]
        a, b, s = (w[:size].reshape(shape) for w in (y0, y1, scratch))
        _hash_tile(keys[r], c.start, a, b, s)
        part[..., 0], part[..., 1] = a, b
    return out


def random_words(keys: np.ndarray, n: int) -> np.ndarray:
    """n random words for each key: the two words of each counter's hash, xored.

    keys: uint32[N, 2]. Returns: uint32[N, n].
    """
    rows = len(keys)
    if rows * n <= _FEW:
        words = [a ^ b for row in _few(keys, n) for a, b in row]
        return np.array(words, np.uint32).reshape(rows, n)
    out = np.empty((rows, n), np.uint32)
    y0, scratch = np.empty((2, min(rows * n, _TILE)), np.uint32)
    for r, c in _tiles(rows, n):
        y1 = out[r, c]
        a, s = (w[: y1.size].reshape(y1.shape) for w in (y0, scratch))
        _hash_tile(keys[r], c.start, a, y1, s)
        np.bitwise_xor(y1, a, y1)
    return out


# --- four words at a time


def threefry4x32(key, counter) -> tuple[np.ndarray, ...]:
    """Threefry-4x32 with 20 rounds: four words of key and four of counter, arrays."""
    k = *key, key[0] ^ key[1] ^ key[2] ^ key[3] ^ np.uint32(_PARITY)
    x = [np.asarray(c + w) for c, w in zip(counter, k)]
    for i in range(5):
        for n, (r, q) in enumerate(_SHIFTS_4[i & 1]):
            # the odd words change places every other round
            b, d = (1, 3) if n % 2 == 0 else (3, 1)
            x[0] = x[0] + x[b]
            x[b] = _rotate(x[b], r) ^ x[0]
            x[2] = x[2] + x[d]
            x[d] = _rotate(x[d], q) ^ x[2]
        x = [w + k[(i + 1 + j) % 5] for j, w in enumerate(x)]
        x[3] = x[3] + np.uint32(i + 1)
    return tuple(x)


def _rotate(x, r: int):
    return x << np.uint32(r) | x >> np.uint32(32 - r)
