"""Random indices in every form that NumPy has, and staging without compiling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core.array import Array, from_buffer, to_buffer
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.dtypes import KeyDType
from jaxlike.core.jaxpr import evaluate_jaxpr
from jaxlike.core.staging import trace_to_jaxpr


def staged(fun: Callable) -> Callable:
    """`fun`, traced and then evaluated by the reference interpreter."""

    def run(*args):
        avals = [get_aval(a) for a in args]
        closed, consts = trace_to_jaxpr(lambda *xs: [fun(*xs)], avals)
        buffers = map(to_buffer, (*consts, *args))
        [out] = evaluate_jaxpr(closed.jaxpr, closed.consts, *buffers)
        return from_buffer(out, closed.jaxpr.outvars[0].aval)

    return run


def random_keys(shape: tuple[int, ...]) -> Array:
    """An array of keys with random words."""
    dtype = KeyDType("threefry2x32")
    words = np.random.default_rng(0).integers(0, 2**32, size=(*shape, 2))
    data = words.astype(np.uint32).view(dtype.storage)[..., 0]
    return Array(data, ShapedArray(shape, dtype))


def words_of(keys: Array) -> np.ndarray:
    """The words of an array of keys, on a new last axis."""
    return np.ascontiguousarray(keys._data).view(np.uint32).reshape(*keys.shape, 2)


def random_shape(rng: np.random.Generator) -> tuple[int, ...]:
    lowest = 0 if rng.random() < 0.1 else 1
    return tuple(rng.integers(lowest, 5, size=rng.integers(0, 4)).tolist())


def random_index(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple:
    """An index that NumPy takes for an array of this shape, nearly always."""
    parts: list[Any] = []
    common = tuple(rng.integers(1, 4, size=rng.integers(0, 3)).tolist())
    ellipsis = False
    axis = 0
    while axis < len(shape):
        n, kind = shape[axis], rng.integers(0, 11)
        if kind == 0:
            parts.append(None)
            continue
        if kind == 1 and not ellipsis:
            parts.append(Ellipsis)
            ellipsis = True
            axis += int(rng.integers(0, len(shape) - axis + 1))
            continue
        if kind in (2, 3) and n:
            parts.append(int(rng.integers(-n, n)))
        elif kind in (4, 5):
            parts.append(random_slice(rng, n))
        elif kind in (6, 7) and n:
            stretched = tuple(1 if rng.random() < 0.2 else k for k in common)
            parts.append(rng.integers(-n, n, size=stretched))
        elif kind == 8 and len(common) <= 1:
            mask = random_mask(rng, shape[axis:], common[0] if common else 1)
            if mask is None:
                continue
            parts.append(mask)
            axis += mask.ndim - 1
        elif kind == 9 and rng.random() < 0.3:
            break
        else:
            parts.append(slice(None))
        axis += 1
    if rng.random() < 0.1:
        parts.append(None)
    if rng.random() < 0.05:
        parts.insert(int(rng.integers(0, len(parts) + 1)), bool(rng.random() < 0.7))
    return tuple(parts)


def random_slice(rng: np.random.Generator, n: int) -> slice:
    def bound():
        return None if rng.random() < 0.3 else int(rng.integers(-n - 1, n + 2))

    step = int(rng.choice([1, 1, 2, 3, -1, -2])) if rng.random() < 0.6 else None
    return slice(bound(), bound(), step)


def random_mask(rng: np.random.Generator, shape: tuple[int, ...], count: int):
    """A mask of one or two axes with `count` true elements, or None."""
    rank = int(rng.integers(1, min(2, len(shape)) + 1))
    mask = np.zeros(shape[:rank], bool)
    if mask.size < count:
        return None
    mask.reshape(-1)[rng.choice(mask.size, count, replace=False)] = True
    return mask


def split_traced(index: tuple) -> tuple[Callable, list[np.ndarray]]:
    """(a function of positions that gives the index, the positions as arguments)."""
    places = [
        i
        for i, part in enumerate(index)
        if (isinstance(part, int) and not isinstance(part, bool))
        or (isinstance(part, np.ndarray) and part.dtype != bool)
    ]

    def rebuild(*positions):
        parts = list(index)
        for i, position in zip(places, positions):
            parts[i] = position
        return tuple(parts)

    return rebuild, [np.asarray(index[i], np.int32) for i in places]


def cases(seed: int, count: int):
    """(array, index, what NumPy gives) of random cases."""
    rng = np.random.default_rng(seed)
    while count:
        shape = random_shape(rng)
        array = rng.normal(size=shape).astype(np.float32)
        index = random_index(rng, shape)
        try:
            expected = array[index]
        except IndexError:  # an Ellipsis may leave a position for another axis
            continue
        count -= 1
        yield array, index, np.asarray(expected)
