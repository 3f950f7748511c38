"""Running a range of iterations: in lanes with a tail, or one by one, as LLVM loops.

`Ranges` is the part of the emitter that knows control flow, not statements. A body is a
Python function body(at, accs) -> accs that emits one iteration (or one vector of them):
`at` is the index, a V or a Linear; accs are accumulators, lists of parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxlike.backends.numba.lanes import LanePlan
from jaxlike.backends.numba.llvm import Function, V
from jaxlike.backends.numba.memory import I64, Linear, literal_int
from jaxlike.backends.numba.target import Target
from jaxlike.backends.plan.ir import Kernel, Loop, Stmt, Value, blocks, statements

UNROLL = 24
"""Statements a fully unrolled scalar loop may come to."""


@dataclass(slots=True)
class Lane:
    """The lane loop being emitted: how many, and which exist (None: all)."""

    lanes: int
    mask: V | None = None


class Ranges:
    """Needs: f, kernel, target, plan, lane."""

    f: Function
    kernel: Kernel
    target: Target
    plan: LanePlan
    lane: Lane | None

    @property
    def lanes(self) -> int:
        """Lanes of the loop being emitted; 1 outside lane loops."""
        return self.lane.lanes if self.lane else 1

    def run_lanes(self, index, start, stop, count, lanes, reduced, body: Callable):
        """Run body(at, accs) over start..stop; returns scalar accumulators.

        count: the number of iterations where static. Inside another lane loop (or with
        lanes == 1) iterations go one by one, and accumulators have the outer lanes.
        """
        f = self.f
        if lanes == 1:
            accs = [a.initial(self.lanes) for a in reduced]
            size = self.body_size(index)
            return self.scalar_range(start, stop, count, size, accs, body)
        heavy = self.target.masked and index in self.plan.heavy
        if count is not None:
            full, rest = divmod(count, lanes)
        else:
            full, rest = None, None
        if heavy and (count is None or (full and rest)):
            return self.masked_loop(start, stop, lanes, reduced, body)
        accs = [a.initial(lanes) for a in reduced]
        wide = self.in_lanes(lanes, body)
        if full is None:
            last = stop - (lanes - 1)
            more = lambda i: i.cmp("slt", last)
            at, accs = self.guarded_loop(start, more, lanes, accs, wide)
        elif full == 1:
            accs = wide(start, None, accs)
            at = f.const(I64, lanes)
        elif full:
            limit = f.const(I64, full * lanes)
            more = lambda i: i.cmp("slt", limit)
            accs = self.counted_loop(start, more, lanes, accs, wide)
            at = limit
        else:
            at = start
        if rest == 0:
            return self.horizontal(reduced, accs)
        if self.target.masked:
            width = lanes
            if rest is not None and not (full and reduced):
                width = 1 << (rest - 1).bit_length()
                accs = [a.initial(width) for a in reduced]
            if width == 1:
                return body(at, accs)
            if rest == width:
                tail = self.in_lanes(width, body)(at, None, accs)
                return self.horizontal(reduced, tail)
            if rest is not None:
                mask = f.vector("i1", [k < rest for k in range(width)])
                tail = self.in_lanes(width, body)(at, mask, accs)
                return self.horizontal(reduced, tail)

            def tail_block():
                mask = self.lane_mask(at, stop, lanes)
                return wide(at, mask, accs)

            accs = self.when(at.cmp("slt", stop), tail_block, accs)
            return self.horizontal(reduced, accs)
        accs = self.horizontal(reduced, accs)
        size = self.body_size(index)
        return self.scalar_range(at, stop, rest, size, accs, body)

    def in_lanes(self, lanes: int, body, index: Linear | None = None):
        """body in a lane context: f(at, mask, accs); index: if not at + lane number."""

        def run(at, mask, accs):
            self.lane = Lane(lanes, mask)
            out = body(index or Linear(at, tuple(range(lanes))), accs)
            self.lane = None
            return out

        return run

    def lane_mask(self, at: V, stop: V, lanes: int) -> V:
        left = (stop - at).call("smin", lanes).cast("trunc", "i8")
        iota = self.f.vector("i8", range(lanes))
        return iota.cmp("ult", self.f.splat(left, lanes))

    def masked_loop(self, start, stop, lanes, reduced, body):
        """One loop for full vectors and tail: masks cost less than a second copy."""
        wide = self.in_lanes(lanes, body)
        accs = [a.initial(lanes) for a in reduced]

        def each(at, _, accs):
            return wide(at, self.lane_mask(at, stop, lanes), accs)

        more = lambda i: i.cmp("slt", stop)
        _, accs = self.guarded_loop(start, more, lanes, accs, each)
        return self.horizontal(reduced, accs)

    def horizontal(self, reduced, accs):
        return [a.horizontal(acc) for a, acc in zip(reduced, accs)]

    def scalar_range(self, start, stop, count, size, accs, body):
        """Iterations one by one; short static ranges are unrolled."""
        if count is not None and (count == 1 or count * size <= UNROLL):
            first = literal_int(start)
            if first is not None:
                for k in range(count):
                    accs = body(self.f.const(I64, first + k), accs)
                return accs
        step = lambda at, _, accs: body(at, accs)
        more = lambda i: i.cmp("slt", stop)
        if count:
            return self.counted_loop(start, more, 1, accs, step)
        return self.guarded_loop(start, more, 1, accs, step)[1]

    def scalar_loop(self, start, stop, s: Loop, state, body):
        size = self.body_size(s.index)
        return self.scalar_range(start, stop, s.extent, size, state, body)

    def body_size(self, index: Value) -> int:
        """Statements in the body of the loop (or grid axis) with this index."""
        for s in statements(self.kernel.body):
            if isinstance(s, Loop) and s.index == index:
                return statement_count(s.body)
        return statement_count(self.kernel.body)

    def counted_loop(self, start, more, step, accs, body):
        """do body while more; at least one iteration."""
        f = self.f
        before, head = f.block, f.label("loop")
        f.jump(head)
        f.begin(head)
        at, place = f.phi(I64, start, before)
        phis = [[f.phi(p.type, p, before) for p in acc] for acc in accs]
        accs = body(at, None, [[v for v, _ in acc] for acc in phis])
        following = f.emit(I64, f"add nuw nsw {at}, {step}")
        again, done = more(following), f.label("done")
        f.close_phi(place, following, f.block)
        for acc, new in zip(phis, accs):
            for (_, where), v in zip(acc, new):
                f.close_phi(where, v, f.block)
        f.branch(again, head, done)
        f.begin(done)
        return accs

    def guarded_loop(self, start, more, step, accs, body):
        """while more: body. Returns (next index, accumulators)."""
        f = self.f
        before, after = f.block, f.label("after")
        head = f.label("loop")
        f.branch(more(start), head, after)
        f.begin(head)
        at, place = f.phi(I64, start, before)
        phis = [[f.phi(p.type, p, before) for p in acc] for acc in accs]
        new = body(at, None, [[v for v, _ in acc] for acc in phis])
        following = f.emit(I64, f"add nuw nsw {at}, {step}")
        f.close_phi(place, following, f.block)
        for acc, values in zip(phis, new):
            for (_, where), v in zip(acc, values):
                f.close_phi(where, v, f.block)
        end = f.block
        f.branch(more(following), head, after)
        f.begin(after)
        at = f.merge(start, before, following, end)
        merged = [
            [f.merge(p, before, v, end) for p, v in zip(acc, values)]
            for acc, values in zip(accs, new)
        ]
        return at, merged

    def loop_while(self, start, more, accs, body):
        """while more(at): at, accs = body(at, accs)."""
        f = self.f
        before, head, after = f.block, f.label("rows"), f.label("after")
        f.branch(more(start), head, after)
        f.begin(head)
        at, place = f.phi(I64, start, before)
        following, _ = body(at, accs)
        f.close_phi(place, following, f.block)
        f.branch(more(following), head, after)
        f.begin(after)

    def when(self, cond: V, then: Callable, accs=()):
        """if cond: accs = then()."""
        f = self.f
        before, yes, after = f.block, f.label("then"), f.label("after")
        f.branch(cond, yes, after)
        f.begin(yes)
        new = then() or []
        end = f.block
        f.jump(after)
        f.begin(after)
        return [
            [f.merge(v, end, p, before) for p, v in zip(acc, values)]
            for acc, values in zip(accs, new)
        ]


def statement_count(body: tuple[Stmt, ...]) -> int:
    """Statements of a block when its loops are unrolled, roughly."""
    total = 0
    for s in body:
        total += 1 + sum(map(statement_count, blocks(s)))
        if isinstance(s, Loop):
            total += s.extent
    return total
