"""A cluster becomes a kernel of the loop-nest IR.

The grid runs over the axes that the cluster keeps, loops over the axes it reduces. Full
members are computed in phases: phase p may read the reductions of the phases before.
What an earlier phase computed is computed again where that is cheap, else it is kept in
a row of scratch memory (or read back from an output).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from jaxlike.backends.plan.access import Access, collapsible, leaves
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.clusters import (
    REDUCE_NAMES,
    Cluster,
    cost,
    eqn_reduces,
)
from jaxlike.backends.plan.ir import Kernel, Value
from jaxlike.backends.plan.operands import Operands
from jaxlike.core.jaxpr import JaxprEqn, Literal, Var

COSTLY = 10
"""Operations at least this dear (ops.OpSpec.cost) are not computed twice."""
MAX_ROW = 1 << 14
"""Elements of scratch that a grid point may have."""


class Lowered(NamedTuple):
    """A kernel, and the variables of its buffer arguments in order.

    eqns: the equations that it computes, for people.
    """

    kernel: Kernel
    inputs: list[Var]
    outputs: list[Var]
    eqns: tuple[JaxprEqn, ...] = ()


def lower_cluster(
    cluster: Cluster, needed: set[Var], position: dict[int, int], name: str = ""
) -> Lowered:
    """The kernel that computes the cluster's members.

    needed: the variables that something outside the cluster reads; position: where
    each equation (by id) stands in its jaxpr.
    """
    return _Lowering(cluster, needed, position).run(name)


class _Lowering(Operands):
    def __init__(self, cluster: Cluster, needed: set[Var], position: dict[int, int]):
        self.cluster = cluster
        self.members = sorted(cluster.members, key=lambda e: position[id(e)])
        self.made_by: dict[Var, JaxprEqn] = {e.outvars[0]: e for e in self.members}
        self.needed = needed
        self.outputs = [e.outvars[0] for e in self.members if e.outvars[0] in needed]
        self.phase: dict[Var, int] = {}
        self._assign_phases()
        self.inputs: list[Var] = []
        for eqn in self.members:
            for access in (x for a in cluster.operands[eqn] for x in leaves(a)):
                base = access.base
                if (
                    base is not None
                    and type(base) is not Literal
                    and base not in self.made_by
                    and base not in self.inputs
                ):
                    self.inputs.append(base)
        self._choose_axes()
        self.kept_aside = self._choose_scratch()

    # --- analysis

    def _assign_phases(self) -> None:
        for eqn in self.members:
            start = max(
                (
                    self.phase[leaf.base]
                    for a in self.cluster.operands[eqn]
                    for leaf in leaves(a)
                    if leaf.base in self.phase
                ),
                default=0,
            )
            self.phase[eqn.outvars[0]] = start + eqn_reduces(eqn)
        self.phases = 1 + max(
            (
                self.phase[e.outvars[0]] - eqn_reduces(e)
                for e in self.members
                if eqn_reduces(e) or self._is_full(e.outvars[0])
            ),
            default=0,
        )

    def _is_full(self, var: Var) -> bool:
        return self.cluster.levels[var] == "full"

    def _choose_axes(self) -> None:
        cluster = self.cluster
        addresses = [cluster.full_address()]
        if cluster.reduced is not None:
            addresses.append(cluster.row_address())
        for eqn in self.members:
            addresses += [x.address for a in cluster.operands[eqn] for x in leaves(a)]
        sizes = cluster.space
        kept, reduced = cluster.kept, cluster.reduced or ()
        axes = collapsible(sizes, addresses, [kept, reduced])
        outer = [g for g in axes if g[0] in kept]
        inner = [g for g in axes if g[0] not in kept]
        if cluster.reduced is None and len(outer) > 1:
            # without reductions the last axis is the inner loop, to be vectorised
            inner = [outer.pop()]
        self.outer, self.inner = outer, inner

    def _size(self, group: Sequence[int]) -> int:
        return math.prod(self.cluster.space[a] for a in group)

    def _choose_scratch(self) -> set[Var]:
        """Full members of an earlier phase that later phases read from scratch."""
        row = math.prod(self._size(g) for g in self.inner)
        trailing = not self.inner or self.inner[-1][-1] == self.cluster.rank - 1
        if row > MAX_ROW or not trailing:
            return set()
        found = set()
        for eqn in self.members:
            reader = self.phase[eqn.outvars[0]] - eqn_reduces(eqn)
            if not (eqn_reduces(eqn) or self._is_full(eqn.outvars[0])):
                continue
            for access in (x for a in self.cluster.operands[eqn] for x in leaves(a)):
                base = access.base
                if (
                    base in self.made_by
                    and base not in self.needed
                    and self._is_full(base)
                    and self.phase[base] < reader
                    and cost(self.made_by[base]) >= COSTLY
                ):
                    found.add(base)
        return found

    # --- emission

    def run(self, name: str) -> Lowered:
        k = self.k = KernelBuilder([self._size(g) for g in self.outer])
        self.buffers: dict[Var, int] = {}
        for v in self.inputs:
            self.buffers[v] = k.input(v.aval.dtype, v.aval.shape)
        for v in self.outputs:
            self.buffers[v] = k.output(v.aval.dtype, v.aval.shape)
        for v in self.kept_aside:
            shape = [self._size(g) for g in self.inner]
            self.buffers[v] = k.buffer(v.aval.dtype, shape, "local")
        self.index: dict[int, Value] = {}
        for group, value in zip(self.outer, k.indices):
            self.index[group[-1]] = value
        self.rows: dict[Var, Value] = {}
        self.full: dict[Var, Value] = {}
        self.stored: set[Var] = set()
        for phase in range(self.phases):
            self._emit_phase(phase)
        for v in self.outputs:
            if not self._is_full(v):
                self._store_row(v)
        return Lowered(k.finish(name), self.inputs, self.outputs, self._equations())

    def _equations(self) -> tuple[JaxprEqn, ...]:
        """The members, and the equations computed inside their operands."""
        found: dict[int, JaxprEqn] = {}

        def visit(access: Access) -> None:
            for arg in access.args:
                visit(arg)
            if access.map is not None:
                found[id(access.map)] = access.map

        for eqn in self.members:
            for access in self.cluster.operands[eqn]:
                visit(access)
            found[id(eqn)] = eqn
        return tuple(found.values())

    def _store_row(self, var: Var) -> None:
        terms, const = self.terms(self.cluster.row_address())
        self.k.store(self.buffers[var], terms, self._row_value(var), const)

    def _emit_phase(self, phase: int) -> None:
        self.current = phase
        stores = [
            v
            for v in (*self.outputs, *sorted(self.kept_aside, key=id))
            if self._is_full(v) and self.phase[v] == phase
        ]
        reductions = [
            e
            for e in self.members
            if eqn_reduces(e) and self.phase[e.outvars[0]] == phase + 1
        ]
        if not stores and not reductions:
            return
        # what the loop reads of rows is computed before it
        for v in self._rows_read(stores, reductions):
            self._row_value(v)
        self.full = {}
        results = self._loops(list(self.inner), stores, reductions)
        for eqn, values in zip(reductions, results):
            self.rows[eqn.outvars[0]] = values[-1]
        self.stored.update(stores)
        self.full = {}

    def _rows_read(self, stores, reductions) -> list[Var]:
        found: list[Var] = []
        seen: set[Var] = set()
        todo = [self.made_by[v] for v in stores] + list(reductions)
        while todo:
            eqn = todo.pop()
            for access in (x for a in self.cluster.operands[eqn] for x in leaves(a)):
                base = access.base
                if base not in self.made_by or base in seen:
                    continue
                seen.add(base)
                if not self._is_full(base):
                    found.append(base)
                elif base not in self.stored:
                    todo.append(self.made_by[base])
        return sorted(found, key=lambda v: self.members.index(self.made_by[v]))

    def _loops(self, groups, stores, reductions) -> list[tuple[Value, ...]]:
        """Emit the loops over `groups`; the reductions' (value..., result) tuples."""
        k = self.k
        if not groups:
            for v in stores:
                value = self._full_value(v)
                terms, const = self._place(v)
                k.store(self.buffers[v], terms, value, const)
            return [self._reduction_args(eqn) for eqn in reductions]
        group, rest = groups[0], groups[1:]
        with k.loop(self._size(group)) as loop:
            self.index[group[-1]] = loop.index
            inner = self._loops(rest, stores, reductions)
            for eqn, args in zip(reductions, inner):
                loop.reduce(REDUCE_NAMES[eqn.primitive.name], *args)
        del self.index[group[-1]]
        results, given = [], iter(loop.results)
        for args in inner:
            results.append(tuple(next(given) for _ in args))
        return results

    def _reduction_args(self, eqn: JaxprEqn) -> tuple[Value, ...]:
        (access,) = self.cluster.operands[eqn]
        value = self.operand(access, eqn.invars[0].aval.dtype)
        if not eqn.primitive.name.startswith("arg"):
            return (value,)
        position = self.index[self.inner[-1][-1]]
        return value, self.k.convert(position, eqn.outvars[0].aval.dtype)

    # --- values

    def _place(self, var: Var) -> tuple[dict[Value, int], int]:
        """Where a full member stands in its buffer: an output, or the scratch row."""
        if var not in self.kept_aside:
            return self.terms(self.cluster.full_address())
        terms, step = {}, 1
        for group in reversed(self.inner):
            terms[self.index[group[-1]]] = step
            step *= self._size(group)
        return terms, 0

    def operand(self, access: Access, dtype) -> Value:
        base = access.base
        if base in self.made_by:
            is_full = self._is_full(base)
            return self._full_value(base) if is_full else self._row_value(base)
        return super().operand(access, dtype)

    def _full_value(self, var: Var) -> Value:
        value = self.full.get(var)
        if value is not None:
            return value
        if var in self.stored:
            terms, const = self._place(var)
            value = self.k.load(self.buffers[var], terms, const)
        else:
            eqn = self.made_by[var]
            value = self.apply(eqn, self.cluster.operands[eqn], self.operand)
        self.full[var] = value
        return value

    def _row_value(self, var: Var) -> Value:
        value = self.rows.get(var)
        if value is None:
            eqn = self.made_by[var]
            value = self.apply(eqn, self.cluster.operands[eqn], self._row_operand)
            self.rows[var] = value
        return value

    def _row_operand(self, access: Access, dtype) -> Value:
        if access.base in self.made_by:
            return self._row_value(access.base)
        return self.operand(access, dtype)
