"""Which kernels may write a result over an operand.

The rule is on the IR alone, so it holds for kernels of any origin: fused clusters,
updates of slices, scatters whose first kernel copies the operand.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxlike.backends.plan.ir import (
    If,
    Kernel,
    Load,
    Loop,
    Stmt,
    Store,
    Value,
    While,
)
from jaxlike.backends.plan.records import replace


class _Access(NamedTuple):
    """A load or store, with the loops around it, from outside to inside."""

    stmt: Load | Store
    loops: tuple[Loop, ...]


def may_overwrite(kernel: Kernel, source: int, target: int) -> bool:
    """Whether buffer `target` ("out") may be the same memory as `source` ("in").

    So it is if every grid point reads of the source only what it writes itself, and
    before it does: either in the same iteration, at the same index, or in an earlier
    loop over the same elements.
    """
    a, b = kernel.buffers[source], kernel.buffers[target]
    if (a.role, b.role) != ("in", "out") or a.size != b.size:
        return False
    if a.dtype.itemsize != b.dtype.itemsize:
        return False
    accesses: list[_Access] = []
    if not _collect(kernel.body, (), accesses):
        return False
    stores = [
        (i, x)
        for i, x in enumerate(accesses)
        if isinstance(x.stmt, Store) and x.stmt.buffer == target
    ]
    if any(x.stmt.guard is not None for _, x in stores):
        return False
    return all(
        i < j and _same_elements(kernel, load, store)
        for i, load in enumerate(accesses)
        if isinstance(load.stmt, Load) and load.stmt.buffer == source
        for j, store in stores
    )


def _collect(body: tuple[Stmt, ...], loops, found: list[_Access]) -> bool:
    """All accesses in program order; False where the order is not so simple."""
    for s in body:
        match s:
            case Load() | Store():
                found.append(_Access(s, loops))
            case Loop():
                if s.ordered or not _collect(s.body, (*loops, s), found):
                    return False
            case If() | While():
                return False
    return True


def _same_elements(kernel: Kernel, load: _Access, store: _Access) -> bool:
    """Whether both touch the same elements, at one turn of the loops they share."""
    a, b = load.stmt.index, store.stmt.index
    if load.loops == store.loops:
        return a == b
    shared = {
        x.index for x, y in zip(load.loops, store.loops) if x.index == y.index
    } | {*kernel.indices}

    def walked(access: _Access):
        extents = {s.index: s.extent for s in access.loops}
        fixed, moving = [], []
        for v, c in access.stmt.index.terms:
            if v in shared:
                fixed.append((v, c))
            elif v in extents:
                moving.append((extents.pop(v), c))
            else:
                return None  # a loaded index: elements unknown
        return access.stmt.index.const, sorted(fixed), sorted(moving)

    elements = walked(load)
    return elements is not None and elements == walked(store)


def overlapping(kernel: Kernel, source: int, target: int) -> Kernel:
    """The same kernel, right also where those two buffers are one."""
    overlaps = (*kernel.overlaps, (source, target))
    return replace(kernel, overlaps=overlaps, _key=None)


def is_copy(kernel: Kernel) -> bool:
    """Whether a kernel only copies one buffer to another, element by element.

    Nothing is left to do where these are the same memory.
    """
    values: dict[Value, Load] = {}
    stores = 0
    todo = list(kernel.body)
    while todo:
        s = todo.pop(0)
        match s:
            case Loop() if not s.reductions and not s.carries:
                todo = [*s.body, *todo]
            case Load() if s.guard is None:
                values[s.out] = s
            case Store() if s.value in values:
                stores += 1
                if values[s.value].index != s.index:
                    return False
            case _:
                return False
    return stores == 1 and len(values) == 1
