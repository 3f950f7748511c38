"""Elementwise kernels that read transposed go block by block.

Where a load runs along grid axis i while the lanes run along the last axis j, a square
of T x T elements is read along i, turned in registers and left in a local tile, from
which the body then reads along j. Without it every lane would touch another cache line.
Chunks of such a kernel are whole blocks of rows: `Turning.grain`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from jaxlike.backends.numba.elementwise import from_memory, memory_elem
from jaxlike.backends.numba.llvm import Function, Type, V
from jaxlike.backends.numba.memory import I64, STRIDE
from jaxlike.backends.numba.target import Target
from jaxlike.backends.plan.ir import Const, Kernel, Load, Op, Store, Value
from jaxlike.backends.plan.ops import INDEX, compute_dtype, real_dtype

MAX_TILE = 16


@dataclass(slots=True)
class Turning:
    """axis: the grid axis i; size: T; loads: the transposed ones; grain: of chunks."""

    axis: int
    size: int
    loads: tuple[Load, ...]
    grain: int


def turning(kernel: Kernel, target: Target) -> Turning | None:
    """How to run a kernel in tiles, or None where it is better left alone."""
    grid, body = kernel.grid, kernel.body
    if len(grid) < 2 or kernel.extent == 0:
        return None
    if any(not isinstance(s, Const | Op | Load | Store) for s in body):
        return None
    last, widest = kernel.indices[-1], 1
    found: dict[int, list[Load]] = {}
    for s in body:
        if isinstance(s, Op | Load) and s.dtype != INDEX:
            widest = max(widest, compute_dtype(real_dtype(s.dtype)).itemsize)
        if not isinstance(s, Load) or s.guard is not None or s.dtype.kind == "c":
            continue
        if kernel.buffers[s.buffer].role != "in":
            continue
        if abs(s.index.coefficient(last)) <= STRIDE:
            continue
        if any(v not in kernel.indices for v, _ in s.index.terms):
            continue
        for axis, v in enumerate(kernel.indices[:-1]):
            if s.index.coefficient(v) == 1:
                found.setdefault(axis, []).append(s)
    if not found or any(b.role == "local" for b in kernel.buffers):
        return None
    axis = max(found, key=lambda a: (len(found[a]), grid[a]))
    size = min(MAX_TILE, target.vector_bytes // widest)
    if size < 4 or grid[axis] < size or grid[-1] < size:
        return None
    inner = math.prod(grid[axis + 1 :])
    whole = axis == 0 or grid[axis] % size == 0
    grain = inner * (size if whole else grid[axis])
    return Turning(axis, size, tuple(found[axis]), grain)


class Transposes:
    """The part of the emitter that runs such a grid. Needs: all of the emitter."""

    tiles: dict[Value, V]  # of the transposed loads, while a tile is emitted
    tile_row: V

    def turned_grid(self, plan: Turning, lo: V, hi: V) -> None:
        """Blocks of T rows i; for each, the axes between; for each, tiles along j."""
        f, grid, indices = self.f, self.kernel.grid, self.kernel.indices
        size, width = plan.size, grid[-1]
        inner = math.prod(grid[plan.axis + 1 :])
        middle = grid[plan.axis + 1 : -1]
        middle_indices = indices[plan.axis + 1 : -1]
        ragged = grid[plan.axis] % size != 0

        def block(point: V, _):
            row = point._binary("udiv", inner)
            for index, n in zip(indices[plan.axis :: -1], grid[plan.axis :: -1]):
                up = row._binary("udiv", n)
                self.env[index] = row - up * n
                row = up
            first = self.env[indices[plan.axis]]
            rows = (f.const(I64, grid[plan.axis]) - first).call("smin", size)

            def strips(at: V, _):
                for index, n in zip(middle_indices[::-1], middle[::-1]):
                    up = at._binary("udiv", n)
                    self.env[index] = at - up * n
                    at = up
                done = f.const(I64, width // size * size)
                if ragged:
                    full = rows.cmp("eq", size)
                    self.when(full, lambda: self.strip(plan, first))
                    self.edge(plan, first, rows, full.where(done, 0))
                else:
                    self.strip(plan, first)
                    if width % size:
                        self.edge(plan, first, rows, done)
                return []

            count = math.prod(middle)
            zero, stop = f.const(I64, 0), f.const(I64, count)
            self.scalar_range(zero, stop, count, 99, [], strips)
            return point + rows * inner, []

        self.loop_while(lo, lambda p: p.cmp("slt", hi), [], block)

    def strip(self, plan: Turning, first: V) -> None:
        """The whole tiles of one block of rows."""
        f, size = self.f, plan.size
        last, zero = self.kernel.indices[-1], f.const(I64, 0)
        for s in plan.loads:
            self.tiles[s.out] = f.alloca(memory_elem(s.dtype), size * size)
        whole = self.kernel.grid[-1] // size * size
        more = lambda j: j.cmp("slt", whole)

        def tile(j: V, _, accs):
            for s in plan.loads:
                self.turn(plan, s, first, j)

            def row(t: V, _):
                self.env[self.kernel.indices[plan.axis]] = first + t
                self.tile_row = t
                self.in_lanes(size, self.point(last))(j, None, [])
                return []

            self.scalar_range(zero, f.const(I64, size), size, 99, [], row)
            return accs

        self.counted_loop(zero, more, size, [], tile)
        self.tiles.clear()

    def turn(self, plan: Turning, s: Load, first: V, j: V) -> None:
        """Read a square along i and leave it turned in its tile."""
        f, size, memory = self.f, plan.size, self.memory[s.buffer]
        self.env[self.kernel.indices[plan.axis]] = first
        self.env[self.kernel.indices[-1]] = j
        start = self.address(s.index).offset
        step = s.index.coefficient(self.kernel.indices[-1])
        columns = []
        for k in range(size):
            at = start + k * step if k else start
            p = f.gep(memory.elem, memory.pointer, at)
            columns.append(f.load(Type(memory.elem, size), p, memory.align))
        for k, v in enumerate(transposed(f, columns)):
            to = f.gep(memory.elem, self.tiles[s.out], f.const(I64, k * size))
            f.store(v, to, memory.align)

    def tile_load(self, s: Load) -> V:
        """A transposed load inside a tile: a row of the turned square."""
        memory, size = self.memory[s.buffer], self.lanes
        p = self.f.gep(memory.elem, self.tiles[s.out], self.tile_row * size)
        v = self.f.load(Type(memory.elem, size), p, memory.align)
        return from_memory(v, s.dtype)

    def edge(self, plan: Turning, first: V, rows: V, start: V) -> None:
        """What whole tiles leave of a block: columns from `start`, row by row."""
        f, last = self.f, self.kernel.indices[-1]
        stop = f.const(I64, self.kernel.grid[-1])

        def row(t: V, _):
            self.env[self.kernel.indices[plan.axis]] = first + t
            self.run_lanes(last, start, stop, None, plan.size, [], self.point(last))
            return []

        def run():
            self.scalar_range(f.const(I64, 0), rows, None, 99, [], row)

        self.when(start.cmp("slt", stop), run)


def transposed(f: Function, rows: list[V]) -> list[V]:
    """The square of vectors turned, by log2(T) rounds of two-vector shuffles."""
    n = len(rows)
    half = n // 2
    while half:
        first = [k if not k & half else n + k - half for k in range(n)]
        second = [k + half if not k & half else n + k for k in range(n)]
        out = list(rows)
        for r in range(n):
            if not r & half:
                a, c = rows[r], rows[r + half]
                out[r], out[r + half] = f.shuffle(a, c, first), f.shuffle(a, c, second)
        rows, half = out, half // 2
    return rows
