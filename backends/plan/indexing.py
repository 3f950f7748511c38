"""gather and dynamic_slice as members of fused kernels: loads at addresses that are
themselves loaded.

An element of the result is an element of the operand, whose index along some axes has
a `Position`: a start index, moved inside. Where windows that hang over are filled, the
starts are read a second time, to see whether they had to be moved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jaxlike.backends.plan.access import (
    Access,
    Affine,
    Position,
    Resolver,
    zero,
)
from jaxlike.backends.plan.build import KernelBuilder, within
from jaxlike.backends.plan.ir import Value
from jaxlike.backends.plan.ops import DTYPES, kind, supported
from jaxlike.core.jaxpr import JaxprEqn, Literal, Var
from jaxlike.primitives.gather import default_fill
from jaxlike.primitives.indexing_numbers import GatherScatterMode

UPDATES = {
    "dynamic_update_slice": "",
    "scatter": "",
    "scatter-add": "add",
    "scatter-sub": "sub",
    "scatter-mul": "mul",
    "scatter-min": "min",
    "scatter-max": "max",
}
"""Primitives that write at given places, and how they combine what is there with what
comes; not at all: replace."""


def is_indexed(eqn: JaxprEqn) -> bool:
    """Whether the equation reads at given places, and a kernel can hold it."""
    if eqn.primitive.name not in ("gather", "dynamic_slice"):
        return False
    operand, *starts = eqn.invars
    return (
        operand.aval.dtype in DTYPES
        and all(v.aval.dtype in DTYPES and kind(v.aval.dtype) in "iu" for v in starts)
        and eqn.outvars[0].aval.size > 0
    )


def is_update(eqn: JaxprEqn) -> bool:
    """Whether the equation writes at given places, and kernels can do it."""
    name = eqn.primitive.name
    if name not in UPDATES:
        return False
    if name == "dynamic_update_slice":
        operand, updates, *starts = eqn.invars
    else:
        operand, *starts, updates = eqn.invars
    dtype, how = operand.aval.dtype, UPDATES[name]
    return (
        dtype in DTYPES
        and (not how or supported(how, dtype))
        and all(v.aval.dtype in DTYPES and kind(v.aval.dtype) in "iu" for v in starts)
        and operand.aval.size > 0
        and updates.aval.size > 0
    )


def fills(eqn: JaxprEqn) -> bool:
    """Whether a gather has a value of its own for windows out of bounds."""
    mode = eqn.params.get("mode")
    return mode in (GatherScatterMode.FILL_OR_DROP, GatherScatterMode.ONE_HOT)


class IndexingResolver(Resolver):
    """A Resolver that knows what the equations of this file read.

    computed: for an equation, variables that it does not read, but computes.
    """

    def __init__(self, defs: dict[Var, JaxprEqn], read: frozenset[Var] = frozenset()):
        super().__init__(defs, read)
        self.computed: dict[JaxprEqn, set[Var]] = {}

    def operands(
        self,
        eqn: JaxprEqn,
        shape: Sequence[int],
        index: tuple[Affine, ...],
        rank: int,
    ) -> list[Access]:
        name = eqn.primitive.name
        if name in UPDATES:
            return self._update(eqn, index, rank)
        if not is_indexed(eqn):
            return super().operands(eqn, shape, index, rank)
        if name == "gather":
            return self._gather(eqn, index, rank)
        return self._dynamic_slice(eqn, index, rank)

    def _gather(self, eqn, index, rank) -> list[Access]:
        """The operand's element, and the columns of the start indices if they are to
        be checked."""
        operand, indices = eqn.invars
        numbers = eqn.params["dimension_numbers"]
        window, collapsed, index_map, op_batch, idx_batch = numbers
        batch = tuple(a for d, a in enumerate(index) if d not in window)
        place = [zero(rank)] * operand.aval.ndim
        inside = iter(window)
        for d in range(operand.aval.ndim):
            if d in op_batch:
                place[d] = batch[idx_batch[op_batch.index(d)]]
            elif d not in collapsed:
                place[d] = index[next(inside)]
        checked = []
        for column, d in enumerate(index_map):
            limit = operand.aval.shape[d] - eqn.params["slice_sizes"][d]
            at = (*batch, Affine(column, (0,) * rank))
            start = self.resolve(indices, at, rank)
            checked.append(start)
            place[d] = place[d] + moved(start, indices.aval.dtype, limit, rank)
        inlined = self.inlined
        self.inlined = inlined | self.computed.get(eqn, set())
        source = self.resolve(operand, tuple(place), rank)
        self.inlined = inlined
        return [source, *(checked if fills(eqn) else ())]

    def _dynamic_slice(self, eqn, index, rank) -> list[Access]:
        operand, *starts = eqn.invars
        sizes = eqn.params["slice_sizes"]
        place = [
            part + moved(self.resolve(s, (), rank), s.aval.dtype, n - m, rank)
            for part, s, n, m in zip(index, starts, operand.aval.shape, sizes)
        ]
        return [self.resolve(operand, tuple(place), rank)]

    def _update(self, eqn, index, rank) -> list[Access]:
        """The element of the updates, and its start indices."""
        if eqn.primitive.name == "dynamic_update_slice":
            _, updates, *starts = eqn.invars
            columns = [self.resolve(s, (), rank) for s in starts]
        else:
            _, indices, updates = eqn.invars
            window = eqn.params["dimension_numbers"][0]
            batch = tuple(a for d, a in enumerate(index) if d not in window)
            columns = [
                self.resolve(indices, (*batch, Affine(c, (0,) * rank)), rank)
                for c in range(indices.aval.shape[-1])
            ]
        return [self.resolve(updates, index, rank), *columns]


def moved(start: Access, dtype: np.dtype, limit: int, rank: int) -> Affine:
    """A start index, moved into [0, limit]."""
    if limit == 0:
        return zero(rank)
    if counts_within(start, limit):
        return start.address
    if type(start.base) is Literal:
        return Affine(min(max(int(start.base.val), 0), limit), (0,) * rank)
    return Affine(0, (0,) * rank, ((Position(start, dtype, limit), 1),))


def counts_within(start: Access, limit: int) -> bool:
    """Whether a start index counts along an axis, never past a limit."""
    iota = start.iota
    if iota is None:
        return False
    aval = iota.outvars[0].aval
    last = aval.shape[iota.params["dimension"]] - 1
    return last <= within(limit, aval.dtype)


def emit_indexed(
    k: KernelBuilder,
    eqn: JaxprEqn,
    accesses: Sequence[Access],
    operand: Callable[[Access, np.dtype], Value],
) -> Value:
    """The element that `accesses` (of IndexingResolver) say, in a kernel."""
    source, *columns = accesses
    dtype = eqn.outvars[0].aval.dtype
    value = operand(source, dtype)
    if not columns:
        return value
    x, indices = eqn.invars
    sizes, axes = eqn.params["slice_sizes"], eqn.params["dimension_numbers"][2]
    limits = [x.aval.shape[d] - sizes[d] for d in axes]
    starts = [operand(c, indices.aval.dtype) for c in columns]
    fits = in_bounds(k, starts, limits)
    if fits is None:
        return value
    fill = eqn.params["fill_value"]
    if eqn.params["mode"] is GatherScatterMode.ONE_HOT:
        fill = 0
    if fill is None:
        fill = default_fill(dtype)
    return k.op("select_n", fits, k.const(fill, dtype), value)


def in_bounds(
    k: KernelBuilder, starts: Sequence[Value], limits: Sequence[int]
) -> Value | None:
    """Whether all starts are in [0, limit]; None where they always are."""
    fits = None
    for start, limit in zip(starts, limits):
        dtype = k.dtypes[start]
        high = within(limit, dtype)
        if kind(dtype) == "i":  # as unsigned numbers negative ones are too large
            dtype = np.dtype(f"uint{8 * dtype.itemsize}")
            start = k.op("bitcast_convert_type", start, dtype=dtype)
        test = k.op("le", start, k.const(high, dtype))
        fits = test if fits is None else k.op("and", fits, test)
    return fits
