"""Kernels that reduce much to little, cut into stages that run in parallel.

A stage is a kernel; all stages of a kernel take its arguments and then the scratch
buffers of `Staged`. How many blocks there are follows from the shapes alone, so results
do not depend on the number of threads. Two cuts:

- few grid points with long loops (full sums, one softmax over everything): each long
  loop becomes a stage over blocks of it; what reductions give per block is combined,
  and the scalar statements between the loops run, in small stages between.
- sums over leading axes, where neighbouring grid points read neighbouring memory: rows
  are added up, block by block, into a row of scratch, then the blocks are combined.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import takewhile

import numpy as np

from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.ir import (
    Buffer,
    Const,
    If,
    Kernel,
    Load,
    Loop,
    Op,
    Prefix,
    Stmt,
    Store,
    Value,
    While,
    defined,
    statements,
    value_dtypes,
    work,
)
from jaxlike.backends.plan.ops import INDEX, compute_dtype, identity
from jaxlike.backends.plan.records import record, replace

WORTH_NS = 20_000.0
"""Estimated work of a kernel from which cutting it up pays."""
BLOCK_NS = 8_000.0
MAX_BLOCKS = 32
FEW_POINTS = 8
MIN_ROWS = 64
UNROLL = 4
MAX_WIDTH = 4096
"""Most columns a block of rows is cut into at a time."""
MAX_SCRATCH = 1 << 18
"""Most bytes of scratch: it lies on the caller's stack."""


@record
class Staged:
    """kernels run one after the other; scratch: buffers they take after the rest."""

    kernels: tuple[Kernel, ...]
    scratch: tuple[Buffer, ...]


def staged(kernel: Kernel) -> Staged | None:
    """The stages of a kernel, or None where it stays in one piece.

    >>> k = KernelBuilder(())
    >>> x, y = k.input(np.float32, (1 << 20,)), k.output(np.float32, ())
    >>> with k.loop(1 << 20) as l:
    ...     l.reduce("add", k.load(x, {l.index: 1}))
    >>> k.store(y, 0, l.results[0])
    >>> len(staged(k.finish()).kernels)
    2
    """
    if work(kernel) < WORTH_NS or kernel.extent == 0:
        return None
    if any(isinstance(s, If | While | Prefix) for s in statements(kernel.body)):
        return None
    if any(b.role == "local" for b in kernel.buffers):
        return None
    loops = [s for s in kernel.body if isinstance(s, Loop)]
    if any(loop.ordered for loop in loops):
        return None
    out = None
    if kernel.extent <= FEW_POINTS:
        out = _Blocks(kernel).run()
    elif len(loops) == 1 and loops[0].reductions:
        out = _columns(kernel, loops[0])
    if out is None or sum(b.nbytes for b in out.scratch) > MAX_SCRATCH:
        return None
    return out


def widened(kernel: Kernel) -> Kernel | None:
    """The kernel with its one loop as the grid's last axis, where it is nothing
    else."""
    *before, loop = kernel.body or (None,)
    if not isinstance(loop, Loop) or loop.ordered or loop.reductions:
        return None
    if any(not isinstance(s, Const | Op | Load) for s in before):
        return None
    if any(isinstance(s, Prefix) for s in loop.body):
        return None
    body = (*before, *loop.body)
    indices = (*kernel.indices, loop.index)
    grid = (*kernel.grid, loop.extent)
    return replace(kernel, grid=grid, indices=indices, body=body, _key=None)


def copy(k: KernelBuilder, body: Iterable[Stmt], env: dict[Value, Value]) -> None:
    """Append statements to a builder, values renamed by env, which learns the new."""
    for s in body:
        match s:
            case Const():
                env[s.out] = k.const(s.value, s.dtype)
            case Op():
                args = [env[v] for v in s.args]
                env[s.out] = k.op(s.name, *args, dtype=s.dtype, **dict(s.params))
            case Load():
                guard = None if s.guard is None else env[s.guard]
                other = None if s.other is None else env[s.other]
                at = _terms(s, env)
                env[s.out] = k.load(s.buffer, at, s.index.const, guard, other)
            case Store():
                guard = None if s.guard is None else env[s.guard]
                at = _terms(s, env)
                k.store(s.buffer, at, env[s.value], s.index.const, guard)
            case Loop():
                with k.loop(
                    s.extent, [env[c.init] for c in s.carries], s.sequential
                ) as l:
                    env[s.index] = l.index
                    env.update(zip((c.inner for c in s.carries), l.carries))
                    copy(k, s.body, env)
                    for r in s.reductions:
                        l.reduce(r.name, *(env[v] for v in r.args))
                    l.next(*(env[c.next] for c in s.carries))
                env.update(zip((c.out for c in s.carries), l.carried))
                outs = [o for r in s.reductions for o in r.outs]
                env.update(zip(outs, l.results))


def _terms(s: Load | Store, env: dict[Value, Value]) -> dict[Value, int]:
    terms: dict[Value, int] = {}
    for v, c in s.index.terms:
        terms[env[v]] = terms.get(env[v], 0) + c
    return terms


def _uses(body: Iterable[Stmt]) -> set[Value]:
    """Every value that statements read."""
    used: set[Value] = set()
    for s in statements(tuple(body)):
        match s:
            case Op():
                used.update(s.args)
            case Load() | Store():
                used.update(v for v, _ in s.index.terms)
                used.update(
                    v for v in (s.guard, getattr(s, "other", None)) if v is not None
                )
                if isinstance(s, Store):
                    used.add(s.value)
            case Loop():
                used.update(v for r in s.reductions for v in r.args)
                used.update(v for c in s.carries for v in (c.init, c.next))
    return used


class _Stages:
    """Builders of stages over the same buffers."""

    def __init__(self, kernel: Kernel):
        self.kernel, self.dtypes = kernel, value_dtypes(kernel)
        self.buffers = list(kernel.buffers)  # and scratch; all stages share the list
        self.builders: list[KernelBuilder] = []
        self.strides = {}
        size = 1
        for v, n in zip(kernel.indices[::-1], kernel.grid[::-1]):
            self.strides[v] = size
            size *= n

    def builder(self, grid) -> tuple[KernelBuilder, dict[Value, Value]]:
        """A builder of a new stage, and the names of the kernel's grid indices."""
        k = KernelBuilder(grid)
        k.buffers = self.buffers
        self.builders.append(k)
        return k, dict(zip(self.kernel.indices, k.indices))

    def new_scratch(self, dtype, shape) -> int:
        self.buffers.append(Buffer(np.dtype(dtype), tuple(shape), "scratch"))
        return len(self.buffers) - 1

    def point(self, env, factor: int = 1) -> dict[Value, int]:
        """The address of a grid point, in units of `factor` elements."""
        return {env[v]: c * factor for v, c in self.strides.items()}

    def finish(self) -> Staged:
        name, kernels = self.kernel.name, []
        for k in self.builders:
            kernel = k.finish(f"{name}_{len(kernels)}" if name else "")
            kernel = replace(kernel, overlaps=self.kernel.overlaps)
            if any(isinstance(s, Store) for s in statements(kernel.body)):
                kernels.append(kernel)
        return Staged(tuple(kernels), tuple(self.buffers[len(self.kernel.buffers) :]))


class _Blocks(_Stages):
    """Few points, long loops. Values that later stages read go through scratch."""

    def run(self) -> Staged | None:
        kernel = self.kernel
        # what every stage computes by itself
        self.common = list(takewhile(self.is_pure, kernel.body))
        rest = kernel.body[len(self.common) :]
        self.common += [s for s in rest if isinstance(s, Const)]
        pieces: list[list[Stmt] | Loop] = [[]]
        for s in rest:
            if isinstance(s, Const):
                continue
            if isinstance(s, Loop) and self.blocks(s) > 1:
                pieces += [s, []]
            else:
                pieces[-1].append(s)
        if len(pieces) == 1:
            return None
        later: list[set[Value]] = []
        used: set[Value] = set()
        for piece in reversed(pieces):
            later.insert(0, set(used))
            used |= _uses([piece] if isinstance(piece, Loop) else piece)
        self.saved: dict[Value, int] = {}
        pending: Loop | None = None
        for piece, after in zip(pieces, later):
            if isinstance(piece, Loop):
                self.loop_stage(piece)
                pending = piece
            else:
                self.scalar_stage(piece, pending, after)
        return self.finish()

    def is_pure(self, s: Stmt) -> bool:
        if isinstance(s, Load):
            over = any(s.buffer == source for source, _ in self.kernel.overlaps)
            return self.kernel.buffers[s.buffer].role == "in" and not over
        return isinstance(s, Const | Op)

    def blocks(self, s: Loop) -> int:
        """Blocks a loop is cut into."""
        alone = Kernel(self.kernel.buffers, (), (), (s,))
        return int(min(MAX_BLOCKS, work(alone) / BLOCK_NS, s.extent))

    def start(self, grid) -> tuple[KernelBuilder, dict[Value, Value]]:
        k, env = self.builder(grid)
        copy(k, self.common, env)
        return k, env

    def bring(self, k: KernelBuilder, env, needed: set[Value]) -> None:
        """Load the values of earlier stages."""
        for v in sorted(needed):
            if v in self.saved and v not in env:
                env[v] = k.load(self.saved[v], self.point(env))

    def loop_stage(self, s: Loop) -> None:
        """One block of a loop at every point of grid x blocks."""
        count = self.blocks(s)
        size = s.extent // count
        k, env = self.start((*self.kernel.grid, count))
        self.bring(k, env, _uses([s]))
        block = k.indices[-1]
        first = k.op("mul", block, k.const(size, INDEX))
        with k.loop(size) as l:
            env[s.index] = k.op("add", first, l.index)
            copy(k, s.body, env)
            self.reduce(k, l, s, env)
        outs = [o for r in s.reductions for o in r.outs]
        shape = (*self.kernel.grid, count + 1)
        wide = [compute_dtype(self.dtypes[o]) for o in outs]
        self.partials = [self.new_scratch(d, shape) for d in wide]
        for place, v in zip(self.partials, l.results):
            k.store(place, self.point(env, count + 1) | {block: 1}, v)

    def scalar_stage(
        self, piece: list[Stmt], done: Loop | None, after: set[Value]
    ) -> None:
        """Combine the loop before, run the statements up to the next, save values."""
        k, env = self.start(self.kernel.grid)
        self.bring(k, env, _uses(piece) | (_uses([done]) if done else set()))
        if done is not None:
            self.combine(k, env, done)
        copy(k, piece, env)
        made = {o for s in piece for o in defined(s)}
        if done is not None:
            made.update(defined(done))
        for v in sorted(made & after):
            self.saved[v] = self.new_scratch(self.dtypes[v], self.kernel.grid)
            k.store(self.saved[v], self.point(env), env[v])

    def combine(self, k: KernelBuilder, env, s: Loop) -> None:
        """The iterations that blocks left over, and all blocks' results together."""
        count = self.blocks(s)
        size = s.extent // count
        rest = s.extent - count * size
        inner = dict(env)
        with k.loop(rest) as l:
            inner[s.index] = k.op("add", k.const(count * size, INDEX), l.index)
            copy(k, s.body, inner)
            if rest:
                self.reduce(k, l, s, inner)
        base = self.point(env, count + 1)
        for place, v in zip(self.partials, l.results):
            k.store(place, base, v, count)
        if s.reductions:
            with k.loop(count + (rest > 0)) as l:
                at = base | {l.index: 1}
                places = iter(self.partials)
                for r in s.reductions:
                    l.reduce(r.name, *(k.load(next(places), at) for _ in r.outs))
            outs = [o for r in s.reductions for o in r.outs]
            for o, v in zip(outs, l.results):
                env[o] = k.convert(v, self.dtypes[o])

    def reduce(self, k: KernelBuilder, l, s: Loop, env) -> None:
        """A loop's reductions; 16-bit floats as float32, to be rounded once."""
        for r in s.reductions:
            args = [k.convert(env[v], compute_dtype(self.dtypes[v])) for v in r.args]
            l.reduce(r.name, *args)


def _columns(kernel: Kernel, loop: Loop) -> Staged | None:
    """Sums over leading axes: rows added up into a row of scratch."""
    *outer, columns = kernel.grid
    last = kernel.indices[-1]
    body = [*statements(loop.body)]
    if columns < 32 or loop.extent < MIN_ROWS:
        return None
    if any(isinstance(s, Loop | Store) for s in body):
        return None
    if any(r.name.startswith("arg") for r in loop.reductions):
        return None
    before = kernel.body[: kernel.body.index(loop)]
    if any(not isinstance(s, Const | Op | Load) for s in before):
        return None
    loads = [s for s in body if isinstance(s, Load)]
    along = [s for s in loads if s.index.coefficient(last) == 1]
    far = [s for s in along if abs(s.index.coefficient(loop.index)) >= columns]
    if not far or any(abs(s.index.coefficient(loop.index)) == 1 for s in loads):
        return None
    stages = _Stages(kernel)
    dtypes = [compute_dtype(stages.dtypes[r.args[0]]) for r in loop.reductions]
    width = max(w for w in range(1, min(columns, MAX_WIDTH) + 1) if columns % w == 0)
    if width < 32:
        return None
    points = math.prod(outer) * (columns // width)
    room = MAX_SCRATCH // (math.prod(kernel.grid) * sum(d.itemsize for d in dtypes))
    tasks = min(MAX_BLOCKS // points, room, int(work(kernel) / points / BLOCK_NS))
    size = max(UNROLL, loop.extent // max(1, tasks) // UNROLL * UNROLL)
    tasks = loop.extent // size
    if tasks > max(1, room):
        return None
    shape = (*outer, tasks, columns)
    partials = [stages.new_scratch(d, shape) for d in dtypes]

    def place_of(indices) -> dict[Value, int]:
        """Where the row of scratch of a point's first block starts."""
        at, stride = {}, tasks * columns
        for v, n in zip(indices[::-1], outer[::-1]):
            at[v] = stride
            stride *= n
        return at

    k, env = stages.builder((*outer, columns // width, tasks))
    *_, strip, block = k.indices
    env = dict(zip(kernel.indices[:-1], k.indices))
    row = place_of(k.indices[:-2]) | {strip: width, block: columns}
    left = k.op("mul", strip, k.const(width, INDEX))
    first = k.op("mul", block, k.const(size, INDEX))
    with k.loop(width) as l:
        for place, d, r in zip(partials, dtypes, loop.reductions):
            k.store(place, row | {l.index: 1}, k.const(identity(r.name, d), d))
    with k.loop(size // UNROLL, sequential=True) as rows:
        start = k.op("mul", rows.index, k.const(UNROLL, INDEX))
        start = k.op("add", first, start)
        with k.loop(width) as l:
            env[last] = k.op("add", left, l.index)
            copy(k, before, env)
            values: list[list[Value]] = [[] for _ in dtypes]
            for u in range(UNROLL):
                env[loop.index] = k.op("add", start, k.const(u, INDEX))
                copy(k, loop.body, env)
                for out, d, r in zip(values, dtypes, loop.reductions):
                    out.append(k.convert(env[r.args[0]], d))
            for place, r, vs in zip(partials, loop.reductions, values):
                at = row | {l.index: 1}
                while len(vs) > 1:
                    vs = [k.op(r.name, *vs[i : i + 2]) for i in range(0, len(vs), 2)]
                k.store(place, at, k.op(r.name, k.load(place, at), vs[0]))

    k, env = stages.builder(kernel.grid)
    copy(k, before, env)
    at = place_of(k.indices[:-1]) | {env[last]: 1}
    with k.loop(tasks) as l:
        for place, r in zip(partials, loop.reductions):
            l.reduce(r.name, k.load(place, at | {l.index: columns}))
    totals = l.results
    if rest := loop.extent - tasks * size:
        inner = dict(env)
        with k.loop(rest) as l:
            inner[loop.index] = k.op("add", k.const(tasks * size, INDEX), l.index)
            copy(k, loop.body, inner)
            for d, r in zip(dtypes, loop.reductions):
                l.reduce(r.name, k.convert(inner[r.args[0]], d))
        pairs = zip(loop.reductions, totals, l.results)
        totals = [k.op(r.name, a, c) for r, a, c in pairs]
    for r, v in zip(loop.reductions, totals):
        env[r.outs[0]] = k.convert(v, stages.dtypes[r.outs[0]])
    copy(k, kernel.body[kernel.body.index(loop) + 1 :], env)
    return stages.finish()
