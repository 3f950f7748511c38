"""The static memory plan: temporaries share one arena, by when each is alive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

ALIGNMENT = 64


class Lifetime(NamedTuple):
    """A temporary of `nbytes`, written at step `first`, last read at step `last`."""

    nbytes: int
    first: int
    last: int


def plan_arena(lifetimes: Sequence[Lifetime]) -> tuple[list[int], int]:
    """Offsets of the temporaries in one arena, and its size in bytes.

    Greedy by size: each, the largest first, takes the lowest gap among those that are
    alive together with it.

    >>> plan_arena([Lifetime(64, 0, 1), Lifetime(64, 2, 3), Lifetime(64, 1, 2)])
    ([0, 0, 64], 128)
    """
    order = sorted(range(len(lifetimes)), key=lambda i: -lifetimes[i].nbytes)
    offsets = [0] * len(lifetimes)
    placed: list[int] = []
    total = 0
    for i in order:
        size = -(-lifetimes[i].nbytes // ALIGNMENT) * ALIGNMENT
        busy = sorted(
            (offsets[j], offsets[j] + lifetimes[j].nbytes)
            for j in placed
            if lifetimes[j].first <= lifetimes[i].last
            and lifetimes[i].first <= lifetimes[j].last
        )
        at = 0
        for start, stop in busy:
            if at + size <= start:
                break
            at = max(at, -(-stop // ALIGNMENT) * ALIGNMENT)
        offsets[i] = at
        placed.append(i)
        total = max(total, at + size)
    return offsets, total
