"""Prefix statements: running accumulations, in lanes by log2(lanes) shifted steps.

What has been accumulated is carried between iterations, in all lanes. Where the loop
runs in lanes, a vector's own prefixes come first; only their combination with what is
carried waits for the iteration before.
"""

from __future__ import annotations

from jaxlike.backends.numba.branches import packed, parts_of
from jaxlike.backends.numba.elementwise import value_elem
from jaxlike.backends.numba.llvm import Function, Type, V
from jaxlike.backends.numba.math.explog import exp, log
from jaxlike.backends.numba.reductions import Accumulator
from jaxlike.backends.plan.ir import Loop, Prefix, Reduction, Value
from jaxlike.backends.plan.ops import real_dtype


class Running:
    """One Prefix of a loop, as `run_lanes` takes accumulators.

    along: the loop itself runs in lanes (else they are other points). now: what has
    been accumulated, a list of parts; for logaddexp the largest value, and the sum of
    the exponentials of all values less it.
    """

    now: list[V]

    def __init__(self, f: Function, s: Prefix, start, along: bool):
        self.f, self.along = f, along
        self.log = s.name == "logaddexp"
        if self.log:
            self.identity = [float("-inf"), 0.0]
        else:
            reduction = Reduction(s.name, (s.value,), (s.out,))
            self.accumulator = Accumulator(f, reduction, [s.dtype])
            self.identity = self.accumulator.start
        self.elem = value_elem(real_dtype(s.dtype))
        self.start = self.lifted(start)

    def initial(self, lanes: int) -> list[V]:
        return [self.f.splat(p, lanes) for p in self.start]

    def horizontal(self, acc: list[V]) -> list[V]:
        return [self.f.extract(p, 0) for p in acc]

    def lifted(self, value) -> list[V]:
        """A value as parts."""
        parts = list(parts_of(value))
        return [*parts, self.f.const(parts[0].type, 1.0)] if self.log else parts

    def lowered(self, parts: list[V]):
        """Parts as a value."""
        if not self.log:
            return packed(parts)
        top, total = parts
        return top + log(total)

    def combine(self, a: list[V], c: list[V]) -> list[V]:
        """a accumulated with what comes after it."""
        if not self.log:
            return self.accumulator.combine(a, c)
        (x, p), (y, q) = a, c
        less = exp(-(x - y).call("fabs"))
        less = x.eq(y).where(less.b.const(less.type, 1.0), less)  # also infinities
        first = x >= y
        top = self.f.intrinsic("maximum", x, y)
        return [top, first.where(p, q) + first.where(q, p) * less]

    def take(self, value, lanes: int):
        """Accumulate a value, or a vector of them; returns the result."""
        f = self.f
        parts = [f.splat(p, lanes) for p in self.lifted(value)]
        if lanes == 1 or not self.along:
            self.now = self.combine(self.now, parts)
            return self.lowered(self.now)
        kind = Type(self.elem, lanes)
        shift = 1
        while shift < lanes:
            places = range(lanes - shift, 2 * lanes - shift)
            before = [
                f.shuffle(f.const(kind, identity), p, places)
                for p, identity in zip(parts, self.identity)
            ]
            parts = self.combine(before, parts)
            shift *= 2
        out = self.combine(self.now, parts)
        last = [f.shuffle(p, p, [lanes - 1] * lanes) for p in parts]
        self.now = self.combine(self.now, last)
        return self.lowered(out)


class Prefixes:
    """The part of the emitter that knows Prefix. Needs: f, env, lanes, value."""

    _running: dict[Value, Running]

    def running(self, s: Loop, along: bool) -> list[Running]:
        """The states of a loop's Prefix statements."""
        found = []
        for p in s.body:
            if isinstance(p, Prefix):
                state = Running(self.f, p, self.value(p.init), along)
                self._running[p.out] = state
                found.append(state)
        return found

    def prefix(self, s: Prefix) -> None:
        self.env[s.out] = self._running[s.out].take(self.value(s.value), self.lanes)
