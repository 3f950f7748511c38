"""If and While: scalar branches, or lane by lane under masks.

In lanes, a side of an If runs if any lane takes it, with the others masked; a While
runs until every lane has stopped, each keeping its values from then on.
"""

from __future__ import annotations

from collections.abc import Callable

from jaxlike.backends.numba.llvm import Type, V
from jaxlike.backends.numba.memory import I64, both
from jaxlike.backends.numba.ranges import Lane
from jaxlike.backends.plan.ir import If, While, block_ns

POLL_NS = 1_000_000.0
"""Estimated work between two looks at Python's signals."""


class Branches:
    """Needs: f, lane, lanes, env, value(v), block(body)."""

    def conditional(self, s: If) -> None:
        cond = self.value(s.cond)
        if cond.type.lanes > 1:
            self.spread_conditional(s, cond)
            return
        f = self.f
        yes, no, after = f.label("then"), f.label("else"), f.label("after")
        f.branch(cond, yes, no)
        ends, outs = [], []
        for label, body, side in ((yes, s.then, 1), (no, s.orelse, 2)):
            f.begin(label)
            self.block(body)
            values = [parts_of(self.value(r[side])) for r in s.results]
            if self.lane:
                values = [[f.splat(p, self.lanes) for p in v] for v in values]
            outs.append(values)
            ends.append(f.block)
            f.jump(after)
        f.begin(after)
        for (out, *_), x, y in zip(s.results, *outs):
            parts = [f.merge(p, ends[0], q, ends[1]) for p, q in zip(x, y)]
            self.env[out] = packed(parts)

    def spread_conditional(self, s: If, cond: V) -> None:
        """Lanes differ: each side runs, masked, if any lane takes it."""
        f, lane = self.f, self.lane
        sides = []
        for body, side, chosen in ((s.then, 1, cond), (s.orelse, 2, ~cond)):
            mask = both(f, lane.mask, chosen, lane.lanes)
            values = []

            def run(body=body, side=side, mask=mask, values=values):
                self.lane = Lane(lane.lanes, mask)
                self.block(body)
                for r in s.results:
                    parts = parts_of(self.value(r[side]))
                    values.append([f.splat(p, lane.lanes) for p in parts])
                self.lane = lane
                return values

            sides.append(self.branch_any(mask, run))
        for (out, *_), x, y in zip(s.results, *sides):
            parts = [cond.where(p, q) for p, q in zip(x, y)]
            self.env[out] = packed(parts)

    def any_lane(self, mask: V) -> V:
        bits = Type(f"i{mask.type.lanes}")
        return self.f.emit(bits, f"bitcast {mask} to {bits}").ne(0)

    def branch_any(self, mask: V, run: Callable):
        f = self.f
        before, yes, after = f.block, f.label("then"), f.label("after")
        f.branch(self.any_lane(mask), yes, after)
        f.begin(yes)
        new = run()
        end = f.block
        f.jump(after)
        f.begin(after)
        return [
            [f.merge(v, end, f.const(v.type, 0), before) for v in values]
            for values in new
        ]

    def while_loop(self, s: While) -> None:
        f, lane = self.f, self.lane
        start = [parts_of(self.value(c.init)) for c in s.carries]
        start = [[f.splat(p, self.lanes) for p in parts] for parts in start]
        before, head, work, done = f.block, *map(f.label, ("while", "do", "done"))
        active, place = None, None
        f.jump(head)
        f.begin(head)
        turn, turn_place = f.phi(I64, f.const(I64, 0), before)
        if lane:
            first = lane.mask or f.const(Type("i1", lane.lanes), 1)
            active, place = f.phi(first.type, first, before)
        phis = [[f.phi(p.type, p, before) for p in parts] for parts in start]
        if lane:
            self.lane = Lane(lane.lanes, active)
        for c, parts in zip(s.carries, phis):
            self.env[c.inner] = packed([v for v, _ in parts])
        self.block(s.cond_body)
        cond = self.value(s.cond)
        if lane:
            active = both(f, active, cond, lane.lanes)
            self.lane = Lane(lane.lanes, active)
            cond = self.any_lane(active)
        f.branch(cond, work, done)
        f.begin(work)
        self.block(s.body)
        new = [parts_of(self.value(c.next)) for c in s.carries]
        new = [[f.splat(p, self.lanes) for p in parts] for parts in new]
        if lane:  # lanes that have stopped keep their values
            new = [
                [active.where(v, old) for v, (old, _) in zip(values, parts)]
                for values, parts in zip(new, phis)
            ]
        following = turn + 1
        self.poll_signals(following, s, done)
        f.close_phi(turn_place, following, f.block)
        if lane:
            f.close_phi(place, active, f.block)
        for parts, values in zip(phis, new):
            for (_, where), v in zip(parts, values):
                f.close_phi(where, v, f.block)
        f.jump(head)
        f.begin(done)
        self.lane = lane
        for c, parts in zip(s.carries, phis):
            self.env[c.out] = packed([v for v, _ in parts])

    def poll_signals(self, turn: V, s: While, stop: str) -> None:
        """Every so many turns, go to `stop` where Python has raised (Ctrl-C)."""
        f = self.f
        turns = POLL_NS / max(1.0, block_ns((*s.cond_body, *s.body)))
        every = 1 << max(4, min(16, int(turns).bit_length()))
        ask, on = f.label("ask"), f.label("on")
        f.branch((turn & (every - 1)).eq(0), ask, on)
        f.begin(ask)
        f.module.declare("i32 @jaxlike_poll()")
        raised = f.emit(Type("i32"), "call i32 @jaxlike_poll()").ne(0)
        f.branch(raised, stop, on)
        f.begin(on)


def parts_of(value) -> tuple[V, ...]:
    """The parts of a value: two when complex."""
    return value if isinstance(value, tuple) else (value,)


def packed(parts):
    """The value with these parts."""
    return tuple(parts) if len(parts) == 2 else parts[0]
