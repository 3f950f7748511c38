"""Memory of results: large buffers are recycled once nothing refers to them.

A new large array costs a page fault for every 4 KB, as much as the arithmetic that
fills it. So those come from a pool: `empty` leases memory, and the lease ends when the
last array, view, memoryview or DLPack export that looks at it has gone. Idle memory is
bounded, roughly, by the setting `buffer_pool_bytes`. Memory is aligned to 64 bytes, and
in huge pages where the system has them.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable, Sequence
from functools import partial
from sys import getrefcount

import numpy as np

from jaxlike.core.config import config

POOLED = 1 << 17
"""Bytes from which arrays are pooled: smaller ones are cheaper to allocate anew."""
HUGE = 1 << 21
_PRIVATE = getattr(mmap, "MAP_PRIVATE", 0) | getattr(mmap, "MAP_ANONYMOUS", 0)


class _Memory(np.ndarray):
    """Bytes of the pool; no array but a lease has it as its base."""


class _Lease(np.ndarray):
    """The base of an array in pooled memory: all that looks at it refers to this."""

    __slots__ = ()

    def __del__(self) -> None:
        memory = self.base
        if type(memory) is _Memory:  # not so for slices that somebody took of a lease
            _pool.give_back(memory)


class _Pool:
    """Idle memory by size. Lists change by single, atomic operations, without a lock:
    memory comes back wherever an array dies, be it inside of any of these functions."""

    def __init__(self) -> None:
        self.idle: dict[int, list[_Memory]] = {}
        self.returned = 0

    def take(self, size: int) -> _Memory:
        try:
            return self.idle[size].pop()
        except (KeyError, IndexError):
            pass
        try:
            return self.new(size)
        except (OSError, MemoryError):  # what lies idle may be enough
            self.trim(0)
            return self.new(size)

    def new(self, size: int) -> _Memory:
        """Memory from the system: small sizes share a huge page."""
        slab = _map(-(-size // HUGE) * HUGE)
        for i in range(size, slab.size - size + 1, size):
            self.give_back(slab[i : i + size])
        return slab[:size]

    def give_back(self, memory: _Memory) -> None:
        size = memory.size
        try:
            self.idle[size].append(memory)
        except KeyError:
            self.idle.setdefault(size, []).append(memory)
        self.returned += size  # may miss some, when threads meet
        if self.returned > max(HUGE, config.buffer_pool_bytes >> 3):
            self.trim(config.buffer_pool_bytes)

    def trim(self, limit: int) -> None:
        """Give memory back to the system until at most `limit` bytes are idle: the
        older half of each size, as often as it takes."""
        self.returned = 0
        while idle_bytes() > limit:
            for blocks in list(self.idle.values()):
                del blocks[: -(-len(blocks) // 2)]


_pool = _Pool()
config.add_hook("buffer_pool_bytes", _pool.trim)


def _map(size: int) -> _Memory:
    """Fresh memory, at a multiple of 2 MB."""
    if _PRIVATE:
        raw = mmap.mmap(-1, size + HUGE, flags=_PRIVATE)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            raw.madvise(mmap.MADV_HUGEPAGE)
    else:
        raw = bytearray(size + HUGE)
    memory = np.ndarray.__new__(_Memory, (size + HUGE,), np.uint8, raw)
    start = -memory.ctypes.data % HUGE
    return memory[start : start + size]


def size_class(nbytes: int) -> int:
    """The size of the memory that holds so many bytes: at most an eighth more.

    >>> size_class(1 << 20), size_class((1 << 20) + 1)
    (1048576, 1179648)
    """
    step = max(4096, 1 << (nbytes - 1).bit_length() - 4)
    return -(-nbytes // step) * step


def empty(shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
    """An array of undefined values, in recycled memory where it is large."""
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes < POOLED:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, _pool.take(size_class(nbytes)).view(_Lease))


def maker(shape: Sequence[int], dtype: np.dtype) -> Callable[[], np.ndarray]:
    """A function that makes such arrays: `empty` with all that is known done."""
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes < POOLED:
        return partial(np.empty, shape, dtype)
    size, take, ndarray = size_class(nbytes), _pool.take, np.ndarray
    return lambda: ndarray(shape, dtype, take(size).view(_Lease))


def aligned(nbytes: int) -> np.ndarray:
    """So many bytes, at a multiple of 64, recycled where they are many."""
    if nbytes >= POOLED:
        return empty((nbytes,), np.dtype(np.uint8))
    raw = np.empty(nbytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + nbytes]


def copy(x: np.ndarray) -> np.ndarray:
    """A copy in C order."""
    out = empty(x.shape, x.dtype)
    np.copyto(out, x)
    return out


def sole(array: np.ndarray, references: int) -> bool:
    """Whether a whole array's memory is seen by nothing but so many references to it.

    The caller counts its own: names, slots and containers; not this call's.
    """
    if getrefcount(array) > references + 2 or not array.flags.carray:
        return False
    base = array.base
    if base is None:
        return array.flags.owndata
    return type(base) is _Lease and getrefcount(base) <= 3


def idle_bytes() -> int:
    """Bytes in the pool that no array uses."""
    return sum(size * len(blocks) for size, blocks in list(_pool.idle.items()))


def release() -> None:
    """Give all idle memory back to the system."""
    _pool.trim(0)
