"""What a benchmark program is, and the little that the programs share."""

from __future__ import annotations

import functools
import importlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Made = tuple[Callable, tuple]


class Workload(NamedTuple):
    """A benchmark program.

    make(jax) -> (function, arguments). group: what it counts in. cut: positions of the
    arguments that are shortened along their leading axes for a call with a new shape
    (none: the shape is part of the program). rtol: how far the results of two libraries
    may be apart, where more than rounding is to be expected.
    """

    make: Callable[[Any], Made]
    group: str
    cut: tuple[int, ...] = ()
    rtol: float = 1e-3


WORKLOADS: dict[str, Workload] = {}


def load(module: str) -> dict[str, Workload]:
    """The programs that a module and those it imports register."""
    importlib.import_module(module)
    return WORKLOADS


def workload(
    name: str, group: str, *, cut: tuple[int, ...] = (), rtol: float = 1e-3
) -> Callable:
    """Register the decorated function as the program of this name."""

    def register(make):
        WORKLOADS[name] = Workload(make, group, cut, rtol)
        return make

    return register


class Stopwatch:
    """Seconds spent drawing numbers for arguments: no library's own time."""

    seconds = 0.0
    _depth = 0

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth == 1:
            self._start = time.perf_counter()

    def __exit__(self, *_) -> None:
        self._depth -= 1
        if not self._depth:
            self.seconds += time.perf_counter() - self._start


drawing = Stopwatch()


def drawn(fun: Callable) -> Callable:
    """Mark a function that draws arguments with NumPy: its time is not measured."""

    @functools.wraps(fun)
    def draw(*args, **kwargs):
        with drawing:
            return fun(*args, **kwargs)

    return draw


def numpy_of(jax):
    return importlib.import_module(f"{jax.__name__}.numpy")


@drawn
def floats(*shape: int, seed: int = 0) -> np.ndarray:
    """Standard normal numbers, f32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@drawn
def between(low: float, high: float, *shape: int, seed: int = 0) -> np.ndarray:
    """Uniform numbers, f32."""
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def on_device(jax, *arrays):
    jnp = numpy_of(jax)
    return tuple(jax.tree.map(jnp.asarray, a) for a in arrays)


def leaves(tree) -> list:
    """The arrays of nested tuples, lists and dicts (by key), in JAX's order."""
    if isinstance(tree, dict):
        tree = [tree[k] for k in sorted(tree)]
    if isinstance(tree, (tuple, list)):
        return [leaf for part in tree for leaf in leaves(part)]
    return [tree]
