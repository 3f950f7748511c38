"""scatter, its siblings and dynamic_update_slice as kernels.

The result starts as the operand (a copy, or one value everywhere), then updates are
written into it in the order of the indices, so that of several to one place the last
wins. Work is split among tasks by shape alone, so that the result is the same on any
number of threads; the first of these that fits decides:

- batching axes, and all axes if the indices are unique: each point is a task;
- sums and the like of many updates into few elements: each task combines a share of the
  updates in an array of its own, and a second kernel combines those;
- tasks own parts of the operand: each goes through all indices and writes to its own
  part, of axes that windows span, or of one that indices reach into.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxlike.backends.plan.access import (
    Access,
    Affine,
    Resolver,
    collapsible,
    leaves,
    strides,
    whole,
)
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.clusters import Cluster
from jaxlike.backends.plan.indexing import UPDATES, in_bounds
from jaxlike.backends.plan.indexing_numbers import UpdateNumbers
from jaxlike.backends.plan.ir import Value
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.operands import Operands, emit_map
from jaxlike.backends.plan.ops import INDEX, compute_dtype, identity
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import Literal, Var
from jaxlike.primitives.indexing_numbers import GatherScatterMode

Group = list[int]
"""Axes of the updates that are walked as one."""

ENOUGH = 8
"""Independent points from which there is no need to split further."""
FEW = 1 << 13
"""Elements of updates up to which one task does it all."""
PRIVATE_SHARE = 24
"""Elements of updates, at least, for each element of a task's own array."""
MAX_PRIVATE = 16
PRIVATE_BYTES = 1 << 22
MAX_OWNERS = 8
LINE = 64
"""Bytes that different tasks should not share."""
BLOCK = 512
"""Updates of single elements whose places are computed together, in vectors."""

_TOTALS = {"add": "add", "sub": "add", "mul": "mul", "min": "min", "max": "max"}
"""How the tasks' own arrays are combined."""


def lower_update(cluster: Cluster, resolver: Resolver, name: str) -> list[Lowered]:
    """The kernels that compute an update (a cluster by itself)."""
    return _Update(cluster, resolver).run(name)


class _Split(NamedTuple):
    """tasks that own `block` places each: of a group of window axes, or of an axis of
    the operand."""

    tasks: int
    block: int
    group: Group | None = None
    axis: int | None = None


class _Update(Operands):
    def __init__(self, cluster: Cluster, resolver: Resolver):
        self.space = cluster.space
        (self.eqn,) = cluster.members
        self.numbers = UpdateNumbers(self.eqn)
        self.updates, *columns = cluster.operands[self.eqn]
        self.columns = self.numbers.without_counts(columns)
        self.operand_var = self.eqn.invars[0]
        (self.out,) = self.eqn.outvars
        self.dtype, self.size = self.out.aval.dtype, self.out.aval.size
        name, params = self.eqn.primitive.name, self.eqn.params
        self.how = UPDATES[name]
        starts = self.eqn.invars[2 if name == "dynamic_update_slice" else 1 :]
        self.start_dtype = starts[0].aval.dtype if starts else INDEX
        self.function = params.get("update_jaxpr") if name == "scatter" else None
        self.clips = (
            name == "dynamic_update_slice" or params["mode"] is GatherScatterMode.CLIP
        )
        given = whole(self.operand_var, resolver, literals=True)
        literal = given is not None and type(given.base) is Literal
        self.everywhere = given.base if literal else None
        self.unique = bool(params.get("unique_indices"))
        self._choose_groups()

    def _choose_groups(self) -> None:
        self.reads = [leaf for a in (self.updates, *self.columns) for leaf in leaves(a)]
        bases = (leaf.base for leaf in self.reads)
        self.inputs = list(dict.fromkeys(b for b in bases if isinstance(b, Var)))
        numbers = self.numbers
        free, ordered = numbers.batching, numbers.ordered
        if self.unique:  # in any order
            free, ordered = [*free, *ordered], []
        addresses = [numbers.address, *(leaf.address for leaf in self.reads)]
        self.free, self.ordered, self.window = (
            collapsible(self.space, addresses, [axes])
            for axes in (free, ordered, numbers.window)
        )
        if not self.ordered and self._size(self.free) < ENOUGH:
            self.free = [*self.free, *self.window[:-1]]
            self.window = self.window[-1:]
            if not self.free:
                self.free, self.window = self.window, []

    def _size(self, groups: Sequence[Group]) -> int:
        return math.prod(self.space[a] for g in groups for a in g)

    # --- how to split

    def _private_tasks(self) -> int:
        """How many tasks have arrays of their own; below 2: none."""
        updates = self._size(self.ordered) * self._size(self.window)
        real = self.dtype.kind != "c" or self.how not in ("min", "max")
        if self.how not in _TOTALS or not real or self.free or not self.ordered:
            return 0
        tasks = min(
            MAX_PRIVATE,
            updates // (PRIVATE_SHARE * self.size),
            PRIVATE_BYTES // (self.size * compute_dtype(self.dtype).itemsize),
            self._size(self.ordered[:1]),
        )
        return 1 << tasks.bit_length() >> 1

    def _owners(self) -> _Split | None:
        """The parts of the operand that tasks own; None if one task does all."""
        elements = self._size(self.window)
        if self._size(self.free) >= ENOUGH or not self.ordered:
            return None
        if self._size(self.ordered) * elements <= FEW:
            return None
        # the more a window holds, the less it costs to go through all indices
        lines = elements * self.dtype.itemsize // LINE
        most = min(MAX_OWNERS, max(2, 1 << lines.bit_length() >> 1))
        found = [
            _Split(tasks, n // tasks, group=group)
            for group in self.window
            if self.numbers.spanning.issuperset(group)
            for n in [self._size([group])]
            for tasks in range(2, most + 1)
            if n % tasks == 0
            and n // tasks * self.numbers.address.coefs[group[-1]] * self.dtype.itemsize
            >= LINE
        ]
        if found:
            return max(found, key=lambda s: s.tasks)
        if lines == 0:
            return None
        n, axis = max(
            ((limit + 1, d) for d, limit in self.numbers.limits if limit),
            key=lambda pair: (pair[1] in self.numbers.single, pair[0]),
            default=(0, None),
        )
        if axis not in self.numbers.single or n < most:
            return None
        return _Split(most, -(-n // most), axis=axis)

    # --- the kernels

    def run(self, name: str) -> list[Lowered]:
        tasks = self._private_tasks()
        if tasks > 1:
            return self._in_private(tasks, name)
        before = []
        few = 2 * math.prod(self.space) <= self.size
        if few and self.operand_var in (leaf.base for leaf in leaves(self.updates)):
            # so that the operand may be dead when the result is begun in its place
            before.append(self._made_updates(name))
        return [*before, self._initial(), self._in_place(name)]

    def _made_updates(self, name: str) -> Lowered:
        """A kernel that computes the updates, which are then read from memory."""
        made = Var(ShapedArray(self.space, self.dtype))
        groups = collapsible(
            self.space,
            [Affine(0, strides(self.space)), *(x.address for x in self.reads)],
            [range(len(self.space))],
        )
        self.k = k = KernelBuilder([self._size([g]) for g in groups[:-1]])
        self.buffers = {v: k.input(v.aval.dtype, v.aval.shape) for v in self.inputs}
        self.index = {g[-1]: i for g, i in zip(groups, k.indices)}
        with k.loop(self._size(groups[-1:])) as loop:
            if groups:
                self.index[groups[-1][-1]] = loop.index
            access = Access(made, Affine(0, strides(self.space)))
            terms, const = self.terms(access.address)
            value = self.operand(self.updates, self.dtype)
            k.store(k.output(self.dtype, self.space), terms, value, const)
        lowered = Lowered(k.finish(f"{name}_updates"), self.inputs, [made])
        self.updates = access
        self._choose_groups()
        return lowered

    def _initial(self) -> Lowered:
        """The result before the first update."""
        k = KernelBuilder((self.size,))
        value, inputs = self._before(k)
        k.store(k.output(self.dtype, self.out.aval.shape), {k.indices[0]: 1}, value)
        return Lowered(k.finish("copy" if inputs else "fill"), inputs, [self.out])

    def _before(self, k: KernelBuilder) -> tuple[Value, list[Var]]:
        """The operand's element at a grid point, and what is read for it."""
        if self.everywhere is not None:
            return k.const(self.everywhere.val, self.dtype), []
        x = k.input(self.dtype, self.out.aval.shape)
        return k.load(x, {k.indices[0]: 1}), [self.operand_var]

    def _start(self, tasks: int | None) -> None:
        """Begin a kernel that reads the updates."""
        grid = [self._size([g]) for g in self.free]
        # behind tasks an axis of size 1: they are not for vector lanes
        self.k = k = KernelBuilder([*grid, *((tasks, 1) if tasks else ())])
        self.task = k.indices[-2] if tasks else None
        self.buffers = {v: k.input(v.aval.dtype, v.aval.shape) for v in self.inputs}
        self.index = {g[-1]: i for g, i in zip(self.free, k.indices)}

    def _in_place(self, name: str) -> Lowered:
        split = self._owners()
        self._start(split.tasks if split else None)
        target = self.k.buffer(self.dtype, self.out.aval.shape, "inout")
        self._in_order(self.ordered, target, {}, split)
        kernel = self.k.finish(name)
        return Lowered(kernel, self.inputs, [self.out], (self.eqn,))

    def _in_private(self, tasks: int, name: str) -> list[Lowered]:
        wide, total = compute_dtype(self.dtype), _TOTALS[self.how]
        start = identity(total, wide)
        if total == "add" and wide.kind in "fc":  # -0 + x is x, for all x
            start = -start
        # one element more, for what is dropped
        step = -(-(self.size + 1) * wide.itemsize // LINE) * LINE // wide.itemsize
        own = Var(ShapedArray((tasks, step), wide))
        self._start(tasks)
        k = self.k
        target = k.output(wide, own.aval.shape)
        with k.loop(self.size) as loop:
            at = {self.task: step, loop.index: 1}
            k.store(target, at, k.const(start, wide))
        n = self._size(self.ordered[:1])
        share = n // tasks
        base = {self.task: step}
        first = k.op("mul", self.task, k.const(share, INDEX))
        self._share(first, share, target, base)
        if n % tasks:
            scope = k.cond(k.op("eq", self.task, k.const(0, INDEX)))
            with scope.then:
                start = k.const(tasks * share, INDEX)
                self._share(start, n % tasks, target, base)
            scope.close()
        updating = Lowered(k.finish(name), self.inputs, [own])
        k = KernelBuilder((self.size,))
        (i,) = k.indices
        value, inputs = self._before(k)
        parts = k.input(wide, own.aval.shape)
        value = k.convert(value, wide)
        for task in range(tasks):
            value = k.op(total, value, k.load(parts, {i: 1}, task * step))
        out = k.output(self.dtype, self.out.aval.shape)
        k.store(out, {i: 1}, k.convert(value, self.dtype))
        kernel = k.finish("total")
        return [updating, Lowered(kernel, [*inputs, own], [self.out], (self.eqn,))]

    # --- emission

    def _share(self, first: Value, count: int, target: int, base) -> None:
        """The updates first, first + 1 ... along the first ordered axes."""
        group, *rest = self.ordered
        if not rest and not self.window:
            self._elements(group, first, count, target, base, spare=self.size)
            return
        with self.k.loop(count, sequential=True) as loop:
            self.index[group[-1]] = self.k.op("add", first, loop.index)
            self._in_order(rest, target, base)

    def _in_order(
        self,
        groups: Sequence[Group],
        target: int,
        base: dict[Value, int],
        split: _Split | None = None,
    ) -> None:
        """Loops over `groups`, one update after the other; base: where the array that
        they go to starts."""
        k = self.k
        if groups:
            group, *rest = groups
            count = self._size([group])
            if not rest and not self.window and count >= BLOCK:
                self._elements(group, k.const(0, INDEX), count, target, base)
                return
            with k.loop(count, sequential=True) as loop:
                self.index[group[-1]] = loop.index
                self._in_order(rest, target, base, split)
            return
        terms, writes = self._starts(split)
        _add(terms, base)
        if writes is None:
            self._in_window(self.window, target, terms, split)
            return
        scope = k.cond(writes)
        with scope.then:
            self._in_window(self.window, target, terms, split)
        scope.close()

    def _elements(
        self,
        group: Group,
        first: Value,
        count: int,
        target: int,
        base: dict[Value, int],
        spare: int | None = None,
    ) -> None:
        """Updates of single elements: vectors of places, then one after the other.

        spare: where what is dropped may go.
        """
        k = self.k
        small = np.dtype(np.int32) if self.size < 1 << 31 else INDEX
        places = k.buffer(small, (BLOCK,), "local")
        values = None
        if self.updates.map is not None:
            values = k.buffer(self.dtype, (BLOCK,), "local")

        def block(start: Value, size: int) -> None:
            with k.loop(size) as loop:
                at = {loop.index: 1}
                self.index[group[-1]] = k.op("add", start, loop.index)
                terms, writes = self._starts(None)
                affine, const = self.terms(self.numbers.address)
                place = k.total(_add(terms, affine), const)
                if writes is not None:
                    nowhere = k.const(-1 if spare is None else spare, INDEX)
                    place = k.op("select_n", writes, nowhere, place)
                k.store(places, at, k.convert(place, small))
                if values is not None:
                    k.store(values, at, self.operand(self.updates, self.dtype))
            with k.loop(size, sequential=True) as loop:
                at = {loop.index: 1}
                self.index[group[-1]] = k.op("add", start, loop.index)
                place = k.convert(k.load(places, at), INDEX)
                value = None if values is None else k.load(values, at)
                terms = {place: 1, **base}
                if writes is None or spare is not None:
                    self._write(target, terms, 0, value)
                    return
                scope = k.cond(k.op("ge", place, k.const(0, INDEX)))
                with scope.then:
                    self._write(target, terms, 0, value)
                scope.close()

        full, rest = divmod(count, BLOCK)
        if full:
            with k.loop(full, sequential=True) as loop:
                start = k.op("mul", loop.index, k.const(BLOCK, INDEX))
                block(k.op("add", first, start), BLOCK)
        if rest:
            block(k.op("add", first, k.const(full * BLOCK, INDEX)), rest)

    def _starts(self, split) -> tuple[dict[Value, int], Value | None]:
        """Where a window starts, as terms of an address; whether this task writes it
        (None: always)."""
        k = self.k
        starts = [self.operand(c, self.start_dtype) for c in self.columns]
        limits = [limit for _, limit in self.numbers.limits]
        tests = []
        if not self.clips:
            tests.append(in_bounds(k, starts, limits))
        terms: dict[Value, int] = {}
        for start, access, (d, limit) in zip(starts, self.columns, self.numbers.limits):
            if limit == 0:
                continue
            if type(access.base) is Literal:
                place = k.const(min(max(int(access.base.val), 0), limit), INDEX)
            elif self.clips:
                place = k.clamped(start, limit)
            else:
                place = k.convert(start, INDEX)
            terms[place] = terms.get(place, 0) + self.numbers.steps[d]
            if split and split.axis == d:
                first = k.op("mul", self.task, k.const(split.block, INDEX))
                stop = k.op("add", first, k.const(split.block, INDEX))
                tests += [k.op("ge", place, first), k.op("lt", place, stop)]
        writes = None
        for test in tests:
            if test is not None:
                writes = test if writes is None else k.op("and", writes, test)
        return terms, writes

    def _in_window(self, groups, target, starts, split) -> None:
        k = self.k
        if groups:
            group, *rest = groups
            owned = split is not None and split.group is group
            with k.loop(split.block if owned else self._size([group])) as loop:
                place = loop.index
                if owned:
                    first = k.op("mul", self.task, k.const(split.block, INDEX))
                    place = k.op("add", first, place)
                self.index[group[-1]] = place
                self._in_window(rest, target, starts, split)
            return
        terms, const = self.terms(self.numbers.address)
        self._write(target, _add(terms, starts), const)

    def _write(
        self, target: int, terms, const: int, value: Value | None = None
    ) -> None:
        """Put an element of the updates (`value`, where it is known) to its place."""
        k = self.k
        if self.function is not None:
            new = self._apply(k.load(target, terms, const))
        else:
            new = self.operand(self.updates, self.dtype) if value is None else value
            new = k.convert(new, k.buffers[target].dtype)
            if self.how:
                new = k.op(self.how, k.load(target, terms, const), new)
        k.store(target, terms, new, const)

    def _apply(self, value: Value) -> Value:
        """scatter_apply's function of what is there."""
        k, jaxpr = self.k, self.function.jaxpr
        env = {jaxpr.invars[0]: value}

        def read(atom) -> Value:
            if type(atom) is Literal:
                return k.const(np.asarray(atom.val), atom.aval.dtype)
            return env[atom]

        for eqn in jaxpr.eqns:
            env[eqn.outvars[0]] = emit_map(k, eqn, [read(v) for v in eqn.invars])
        return read(jaxpr.outvars[0])


def _add(terms: dict[Value, int], more: dict[Value, int]) -> dict[Value, int]:
    for value, c in more.items():
        terms[value] = terms.get(value, 0) + c
    return terms
