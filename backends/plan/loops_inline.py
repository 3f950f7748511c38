"""Kernels written into another kernel: what a loop's body runs as, inside the loop.

Each buffer of the inlined kernel becomes a `Place`: memory at an address that may move
with the loop, or registers, one SSA value an element, for tiny arrays. Loops over
registers are unrolled, until every address is a number; where that is not possible, or
too much code, the registers are put into memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.interpret import evaluate
from jaxlike.backends.plan.ir import (
    Const,
    If,
    Index,
    Kernel,
    Load,
    Loop,
    Op,
    Prefix,
    Reduction,
    Stmt,
    Store,
    Value,
    While,
)
from jaxlike.backends.plan.ops import BOOL, INDEX, OPS, compute_dtype

MAX_UNROLLED = 192
"""Statements that unrolling may make of one kernel."""


class Unsupported(Exception):
    """The loop is no kernel: too large, or of other things than kernels."""


class Memory(NamedTuple):
    """An array in a buffer, from an address on, in C order."""

    buffer: int
    index: Index


class Registers(NamedTuple):
    """An array as one SSA value an element (None: not written yet)."""

    values: tuple[Value | None, ...]


class Scattered(NamedTuple):
    """A tiny array in a buffer, its elements at these offsets from an address."""

    buffer: int
    index: Index
    offsets: tuple[int, ...]


Place = Memory | Registers | Scattered


def shifted(index: Index, terms: dict[Value, int], const: int = 0) -> Index:
    """The index with terms and a constant added."""
    total = dict(index.terms)
    for v, c in terms.items():
        total[v] = total.get(v, 0) + c
    return Index.of(total, index.const + const)


def local(k: KernelBuilder, dtype, size: int) -> Memory:
    return Memory(k.buffer(dtype, (size,), "local"), Index())


def to_memory(k: KernelBuilder, place: Place, dtype) -> Memory:
    """The array in memory; registers are stored into a buffer of their own."""
    if isinstance(place, Memory):
        return place
    size = len(place.values if isinstance(place, Registers) else place.offsets)
    target = local(k, dtype, size)
    copy(k, place, target, size)
    return target


def to_registers(k: KernelBuilder, place: Place, size: int) -> Registers:
    """The array in registers; from memory it is loaded."""
    if isinstance(place, Registers):
        return place
    index = [shifted(place.index, {}, i) for i in _offsets(place, size)]
    return Registers(tuple(k.load(place.buffer, at) for at in index))


def _offsets(place: Memory | Scattered, size: int) -> Sequence[int]:
    return place.offsets if isinstance(place, Scattered) else range(size)


def copy(
    k: KernelBuilder, source: Place, target: Memory | Scattered, size: int
) -> None:
    """Statements that copy an array to memory."""
    if source == target:
        return
    if isinstance(target, Scattered) or isinstance(source, Scattered):
        source = to_registers(k, source, size)
    if isinstance(source, Registers):
        for i, v in zip(_offsets(target, size), source.values):
            if v is not None:
                k.store(target.buffer, shifted(target.index, {}, i), v)
        return
    with k.loop(size) as loop:
        at = {loop.index: 1}
        value = k.load(source.buffer, shifted(source.index, at))
        k.store(target.buffer, shifted(target.index, at), value)


def inline(k: KernelBuilder, kernel: Kernel, places: Sequence[Place]) -> list[Place]:
    """Append a kernel's statements; where its arguments are after it has run."""
    return _Inliner(k, kernel, places).run()


class _Inliner:
    def __init__(self, k: KernelBuilder, kernel: Kernel, places: Sequence[Place]):
        self.k, self.kernel = k, kernel
        given = iter(places)
        self.places: list[Place] = []
        for b in kernel.buffers:
            own = b.role in ("local", "scratch")
            self.places.append(local(k, b.dtype, b.size) if own else next(given))
        # loops of one turn have no index to speak of
        self.unrolled = _Unrolling(kernel, self.places).choose(self._spill)
        self.env: dict[Value, Value] = {}
        # of unrolled loops' Prefix statements, the value so far
        self.running: dict[Value, Value | None] = {}

    def _spill(self, buffer: int) -> None:
        dtype = self.kernel.buffers[buffer].dtype
        self.places[buffer] = to_memory(self.k, self.places[buffer], dtype)

    def run(self) -> list[Place]:
        self._grid(list(zip(self.kernel.indices, self.kernel.grid)))
        own = ("local", "scratch")
        pairs = zip(self.kernel.buffers, self.places)
        return [place for b, place in pairs if b.role not in own]

    def _grid(self, axes: list[tuple[Value, int]]) -> None:
        if not axes:
            self.block(self.kernel.body)
            return
        (index, extent), *rest = axes
        if index in self.unrolled:
            for i in range(extent):
                self.env[index] = self.k.const(i, INDEX)
                self._grid(rest)
            return
        with self.k.loop(extent) as loop:
            self.env[index] = loop.index
            self._grid(rest)

    def block(self, body: Sequence[Stmt]) -> None:
        for s in body:
            match s:
                case Const():
                    self.env[s.out] = self.k.const(s.value, s.dtype)
                case Op():
                    self.env[s.out] = self.op(s)
                case Load():
                    self.env[s.out] = self.load(s)
                case Store():
                    self.store(s)
                case Prefix():
                    self.env[s.out] = self.prefix(s)
                case Loop():
                    self.loop(s)
                case If():
                    self.conditional(s)
                case While():
                    self.while_loop(s)

    def values(self, vs: Sequence[Value]) -> list[Value]:
        return [self.env[v] for v in vs]

    def op(self, s: Op) -> Value:
        k, args = self.k, self.values(s.args)
        known = [k.literal(v) for v in args]
        if s.dtype.kind in "iub" and all(c is not None for c in known):
            return k.const(evaluate(s, known), s.dtype)
        if s.dtype == BOOL and s.name == "and":
            for mine, other in ((0, 1), (1, 0)):
                if known[mine] is not None:
                    return args[other] if known[mine] else args[mine]
        return k.op(s.name, *args, dtype=s.dtype, **dict(s.params))

    # -- memory

    def _at(self, s: Load | Store) -> tuple[dict[Value, int], int]:
        terms: dict[Value, int] = {}
        for v, c in s.index.terms:
            terms[self.env[v]] = terms.get(self.env[v], 0) + c
        folded = self.k.index(terms, s.index.const)
        return dict(folded.terms), folded.const

    def load(self, s: Load) -> Value:
        k, place = self.k, self.places[s.buffer]
        guard = None if s.guard is None else self.env[s.guard]
        other = None if s.other is None else self.env[s.other]
        known = None if guard is None else k.literal(guard)
        if known is not None:
            if not known:
                return k.const(0, s.dtype) if other is None else other
            guard = other = None
        terms, const = self._at(s)
        if isinstance(place, Memory):
            at = shifted(place.index, terms, const)
            return k.load(place.buffer, at, 0, guard, other)
        inside = 0 <= const < len(place.values)
        value = place.values[const] if inside else None
        if guard is None:
            assert value is not None
            return value
        other = k.const(0, s.dtype) if other is None else other
        return other if value is None else k.op("select_n", guard, other, value)

    def store(self, s: Store) -> None:
        k, place, value = self.k, self.places[s.buffer], self.env[s.value]
        guard = None if s.guard is None else self.env[s.guard]
        known = None if guard is None else k.literal(guard)
        if known is not None:
            if not known:
                return
            guard = None
        terms, const = self._at(s)
        if isinstance(place, Memory):
            at = shifted(place.index, terms, const)
            k.store(place.buffer, at, value, 0, guard)
            return
        values = list(place.values)
        old = values[const]
        if guard is not None and old is not None:
            value = k.op("select_n", guard, old, value)
        values[const] = value
        self.places[s.buffer] = Registers(tuple(values))

    # -- structure

    def prefix(self, s: Prefix) -> Value:
        value, init = self.values((s.value, s.init))
        if s.out not in self.running:
            return self.k.prefix(s.name, value, init)
        if s.name not in OPS:
            raise Unsupported(f"an unrolled running {s.name}")
        before = self.running[s.out]
        out = self.k.op(s.name, init if before is None else before, value)
        self.running[s.out] = out
        return out

    def loop(self, s: Loop) -> None:
        k = self.k
        if s.index not in self.unrolled:
            inits = self.values([c.init for c in s.carries])
            with k.loop(s.extent, inits, s.sequential) as loop:
                self.env[s.index] = loop.index
                self.env.update(zip((c.inner for c in s.carries), loop.carries))
                self.block(s.body)
                for r in s.reductions:
                    loop.reduce(r.name, *self.values(r.args))
                loop.next(*self.values([c.next for c in s.carries]))
            self.env.update(zip((c.out for c in s.carries), loop.carried))
            outs = [v for r in s.reductions for v in r.outs]
            self.env.update(zip(outs, loop.results))
            return
        current = self.values([c.init for c in s.carries])
        reduced: list[list[list[Value]]] = [[] for _ in s.reductions]
        prefixes = [p.out for p in s.body if isinstance(p, Prefix)]
        self.running.update(dict.fromkeys(prefixes))
        for i in range(s.extent):
            self.env[s.index] = k.const(i, INDEX)
            self.env.update(zip((c.inner for c in s.carries), current))
            self.block(s.body)
            for r, found in zip(s.reductions, reduced):
                found.append(self.values(r.args))
            current = self.values([c.next for c in s.carries])
        self.env.update(zip((c.out for c in s.carries), current))
        for r, found in zip(s.reductions, reduced):
            self.env.update(zip(r.outs, fold(k, r, found)))

    def conditional(self, s: If) -> None:
        scope = self.k.cond(self.env[s.cond])
        for block, body, side in ((scope.then, s.then, 1), (scope.orelse, s.orelse, 2)):
            with block:
                self.block(body)
                block.give(*self.values([r[side] for r in s.results]))
        self.env.update(zip((r[0] for r in s.results), scope.close()))

    def while_loop(self, s: While) -> None:
        scope = self.k.while_loop(self.values([c.init for c in s.carries]))
        self.env.update(zip((c.inner for c in s.carries), scope.carries))
        with scope.cond:
            self.block(s.cond_body)
            scope.cond.give(self.env[s.cond])
        with scope.body:
            self.block(s.body)
            scope.body.give(*self.values([c.next for c in s.carries]))
        self.env.update(zip((c.out for c in s.carries), scope.close()))


def fold(k: KernelBuilder, r: Reduction, found: list[list[Value]]) -> list[Value]:
    """A reduction of the values of an unrolled loop, as a tree."""
    if r.name in ("argmax", "argmin"):
        best = found[0]
        for value in found[1:]:
            best = _better(k, r.name, best, value)
        return best
    values = [v for (v,) in found]
    dtype = k.dtypes[values[0]]
    wide = compute_dtype(dtype) if r.name in ("add", "mul") else dtype
    values = [k.convert(v, wide) for v in values]
    while len(values) > 1:
        pairs = [k.op(r.name, a, b) for a, b in zip(values[::2], values[1::2])]
        values = pairs + values[2 * len(pairs) :]
    return [k.convert(values[0], dtype)]


def _better(k: KernelBuilder, name: str, a: list[Value], b: list[Value]):
    """The winner of two, a standing first: the first NaN, else the first extremum."""
    first = k.op("gt" if name == "argmax" else "lt", b[0], a[0])
    if k.dtypes[a[0]].kind not in "iub":
        nan = k.op("and", k.op("ne", b[0], b[0]), k.op("eq", a[0], a[0]))
        first = k.op("or", first, nan)
    return [k.op("select_n", first, x, y) for x, y in zip(a, b)]


class _Unrolling:
    """Which loops of a kernel to unroll, so that registers have numbers."""

    def __init__(self, kernel: Kernel, places: list[Place]):
        self.kernel, self.places = kernel, places
        self.extents = dict(zip(kernel.indices, kernel.grid))
        # the loops that a value depends on, as the only things; None: on others, too
        self.needs: dict[Value, frozenset[Value] | None] = {
            v: frozenset((v,)) for v in kernel.indices
        }
        # (buffer, loops to unroll or None) of each access
        self.accesses: list[tuple[int, frozenset[Value] | None]] = []
        # (enclosing loops) of each statement
        self.nests: list[tuple[Value, ...]] = []
        self._walk(kernel.body, tuple(kernel.indices), False)

    def choose(self, spill) -> set[Value]:
        """The loops; `spill` is told the buffers that must be in memory."""
        held = {
            i for i, place in enumerate(self.places) if isinstance(place, Registers)
        }
        for buffer, needs in self.accesses:
            if needs is None and buffer in held:
                held.discard(buffer)
                spill(buffer)
        found = self._wanted(held)
        if self._size(found) > MAX_UNROLLED:
            for buffer in sorted(held):
                if self.kernel.buffers[buffer].size > 1:
                    held.discard(buffer)
                    spill(buffer)
            found = self._wanted(held)
            if self._size(found) > MAX_UNROLLED:
                raise Unsupported("too much code")
        return found

    def _wanted(self, held: set[int]) -> set[Value]:
        found = {v for v, n in self.extents.items() if n == 1}
        for buffer, needs in self.accesses:
            if buffer in held and needs is not None:
                found |= needs
        return found

    def _size(self, unrolled: set[Value]) -> int:
        return sum(
            math.prod(self.extents[v] for v in nest if v in unrolled)
            for nest in self.nests
        )

    def _static(self, values) -> frozenset[Value] | None:
        found: frozenset[Value] = frozenset()
        for v in values:
            needs = self.needs.get(v)
            if needs is None:
                return None
            found |= needs
        return found

    def _walk(self, body, nest: tuple[Value, ...], branch: bool) -> None:
        for s in body:
            self.nests.append(nest)
            match s:
                case Const():
                    self.needs[s.out] = frozenset()
                case Op():
                    whole = s.dtype.kind in "iub"
                    self.needs[s.out] = self._static(s.args) if whole else None
                case Prefix():
                    self.needs[s.out] = None
                case Load():
                    self.needs[s.out] = None
                    needs = self._static(v for v, _ in s.index.terms)
                    self.accesses.append((s.buffer, needs))
                case Store():
                    needs = self._static(v for v, _ in s.index.terms)
                    if needs is not None:
                        needs = None if branch else needs | set(nest)
                    self.accesses.append((s.buffer, needs))
                case Loop():
                    self.extents[s.index] = s.extent
                    self.needs[s.index] = frozenset((s.index,))
                    self._walk(s.body, (*nest, s.index), branch)
                case If():
                    self._walk(s.then, nest, True)
                    self._walk(s.orelse, nest, True)
                case While():
                    self._walk(s.cond_body, nest, True)
                    self._walk(s.body, nest, True)


def fill(k: KernelBuilder, value, dtype, size: int) -> Registers:
    """An array of one number."""
    return Registers((k.const(np.asarray(value).astype(dtype), dtype),) * size)
