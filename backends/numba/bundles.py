"""Elementwise kernels over short rows: several rows in one vector.

With a last axis of 3, say, 16 rows are three vectors of 16; which row and column a lane
belongs to is known when the code is made, so that what depends on columns alone, or on
rows alone, is a load and a shuffle. Chunks of such a kernel are whole rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from jaxlike.backends.numba.llvm import V
from jaxlike.backends.numba.memory import I64, Linear
from jaxlike.backends.numba.target import Target
from jaxlike.backends.plan.ir import Const, Kernel, Load, Op, Store
from jaxlike.backends.plan.ops import INDEX, compute_dtype, real_dtype

MAX_VECTORS = 8
MAX_STATEMENTS = 120


@dataclass(slots=True)
class Bundle:
    """lanes; vectors: of a bundle; rows: of a bundle; grain: of chunks."""

    lanes: int
    vectors: int
    rows: int
    grain: int


def bundling(kernel: Kernel, target: Target) -> Bundle | None:
    """How to bundle a kernel's rows, or None where rows are long, or no use."""
    if len(kernel.grid) < 2:
        return None
    *_, rows, width = kernel.grid
    *_, row, last = kernel.indices
    body = kernel.body
    widest, along = 1, False
    for s in body:
        match s:
            case Op() | Load() if s.dtype != INDEX:
                widest = max(widest, compute_dtype(real_dtype(s.dtype)).itemsize)
            case Store():
                steps = s.index.coefficient(row), s.index.coefficient(last)
                along |= steps == (width, 1)
            case Op() | Load() | Const():
                pass
            case _:
                return None
    lanes = target.vector_bytes // widest
    if (
        not along
        or not 2 <= width < lanes
        or any(b.role == "local" for b in kernel.buffers)
    ):
        return None
    shared = math.gcd(lanes, width)
    vectors, together = width // shared, lanes // shared
    if vectors > MAX_VECTORS or rows < 2 * together:
        return None
    if vectors * len(body) > MAX_STATEMENTS:
        return None
    return Bundle(lanes, vectors, together, width)


class Bundles:
    """The part of the emitter that runs such a grid. Needs: all of the emitter."""

    def bundled_grid(self, plan: Bundle, lo: V, hi: V) -> None:
        """For each value of the outer axes, bundles of rows, then single rows."""
        grid, indices = self.kernel.grid, self.kernel.indices
        rows, width = grid[-2:]

        def outer(point: V, _):
            q = point._binary("udiv", width)
            up = q._binary("udiv", rows)
            first = q - up * rows
            stop = (first + (hi - point)._binary("udiv", width)).call("smin", rows)
            for index, n in zip(indices[-3::-1], grid[-3::-1]):
                above = up._binary("udiv", n)
                self.env[index] = up - above * n
                up = above
            self.rows(plan, first, stop)
            return point + (stop - first) * width, []

        self.loop_while(lo, lambda p: p.cmp("slt", hi), [], outer)

    def rows(self, plan: Bundle, first: V, stop: V) -> None:
        f, (*_, row, last) = self.f, self.kernel.indices
        width = self.kernel.grid[-1]
        zero = f.const(I64, 0)

        def bundle(r: V, _, accs):
            for k in range(plan.vectors):
                flat = range(k * plan.lanes, (k + 1) * plan.lanes)
                self.env[row] = Linear(r, tuple(e // width for e in flat))
                columns = Linear(zero, tuple(e % width for e in flat))
                self.in_lanes(plan.lanes, self.point(last), columns)(zero, None, [])
            return accs

        limit = stop - (plan.rows - 1)
        more = lambda r: r.cmp("slt", limit)
        r, _ = self.guarded_loop(first, more, plan.rows, [], bundle)

        def single(r: V, accs):
            self.env[row] = r
            end = f.const(I64, width)
            self.scalar_range(zero, end, width, 99, [], self.point(last))
            return accs

        self.scalar_range(r, stop, None, 99, [], single)
