"""Selections (plan/selection.py) as LLVM IR: the k first of a row, kept in registers.

The list of the k first so far is a few vectors, in order. A row goes by a vector at a
time; only elements whose keys are above the list's last are looked at one by one, and
put in by a compare, a shift of the lanes behind, and two selects. Elements come in
order, so that of equals the first is ahead without comparing places.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from jaxlike.backends.numba.code import Code
from jaxlike.backends.numba.engine import RawKernel, RawStages
from jaxlike.backends.numba.llvm import Type, V
from jaxlike.backends.numba.sortkeys import decode, encode
from jaxlike.backends.numba.target import Target
from jaxlike.backends.plan.selection import Selection

SCAN_NS, INSERT_NS = 0.15, 8.0


def selection_kernel(selection: Selection, target: Target) -> RawStages:
    """The kernels of a selection for a machine."""
    s = selection
    count = 1 + s.values + s.places + len(s.workspace)
    if s.blocks == 1:
        stages = [_rows(s, target)]
    else:
        stages = [_blocks(s, target), _merge(s, target)]
    return RawStages(tuple(stages), count)


def _work(size: int, taken: int) -> float:
    """Nanoseconds of a row in random order."""
    entering = taken * (1 + math.log(max(1.0, size / taken)))
    return 50 + SCAN_NS * size + INSERT_NS * entering


class _Stage(Code):
    def __init__(self, selection: Selection, target: Target):
        super().__init__()
        self.s = selection
        wide = selection.dtype.itemsize == 8
        self.key = "i64" if wide else "i32"
        self.width = target.vector_bytes // (8 if wide else 4)
        self.vectors = -(-selection.taken // self.width)

    def key_of(self, bits: V) -> V:
        """Elements' keys, the wanted ones the highest."""
        key = encode(bits, self.s.dtype, self.key, total=True)
        return ~key if self.s.order == "smallest" else key

    def select(
        self,
        start: V,
        stop: V,
        keys: Callable[[V, int], V],
        place: Callable[[V], V],
    ) -> tuple[list[V], list[V]]:
        """The list of elements start..stop, at least as many as it holds: keys and
        places. keys(i, lanes) and place(i) read them."""
        f, taken, width = self.f, self.s.taken, self.width
        count = self.vectors
        zero = f.const(Type(self.key, width), 0)
        no_place = f.const(Type("i32", width), 0)

        def fill(i: V, state):
            return self.put(state, keys(i, 1), place(i), i - start)

        state = [zero] * count + [no_place] * count
        first = start + taken
        state = self.loop(start, first, state, fill)

        def chunk(i: V, lanes: int, state):
            found = keys(i, lanes)
            if lanes == 1:
                limit = f.extract(state[count - 1], (taken - 1) % width)
                above = found.cmp("ugt", limit)
                return self.chosen(
                    above, state, lambda: self.put(state, found, place(i))
                )
            bits = self.above(found, state)

            def insert(values):
                left, *now = values
                lane = self.lowest(left)
                at = i + lane.cast("zext", "i64")
                now = self.put(now, keys(at, 1), place(at))
                # what is above the list's new last, and has not been put in
                left = left & (left - 1) & self.above(found, now)
                return [left, *now]

            _, *new = self.repeat([bits, *state], lambda v: v[0].ne(0), insert)
            return new

        length = (stop - first).call("smax", 0)
        end = first + (length & -width)
        state = self.loop(
            first, end, state, lambda i, st: chunk(i, width, st), step=width
        )
        state = self.loop(end, stop, state, lambda i, st: chunk(i, 1, st))
        return state[:count], state[count:]

    def chosen(self, cond: V, old: Sequence[V], make: Callable[[], Sequence[V]]):
        """make() if cond, else old."""
        out = self.when(cond, lambda: [[v] for v in make()], [[v] for v in old])
        return [v for (v,) in out]

    def above(self, keys: V, state: Sequence[V]) -> V:
        """A bit for each key above the list's last."""
        f, width = self.f, self.width
        last = state[self.vectors - 1]
        lane = (self.s.taken - 1) % width
        limit = f.shuffle(last, last, [lane] * width)
        hits = keys.cmp("ugt", limit)
        to = Type(f"i{width}")
        return f.emit(to, f"bitcast {hits} to {to}")

    def lowest(self, bits: V) -> V:
        full = f"llvm.cttz.{bits.type.suffix}"
        self.module.declare(f"{bits.type} @{full}({bits.type}, i1)")
        return self.f.emit(bits.type, f"call {bits.type} @{full}({bits}, i1 true)")

    def put(self, state, key: V, place: V, filled: V | None = None):
        """The list with an element put in behind all that are not below it.

        filled: how many elements the list has, if not all.
        """
        f, width, count = self.f, self.width, self.vectors
        keys, places = state[:count], state[count:]
        key, place = f.splat(key, width), f.splat(place, width)
        ones = f.const(keys[0].type, -1)
        shifted = range(width - 1, 2 * width - 1)  # one on, from the vector before
        new_keys, new_places = [], []
        for c in range(count):
            moved = f.shuffle(keys[c - 1] if c else ones, keys[c], shifted)
            stays, ahead = keys[c].cmp("uge", key), moved.cmp("uge", key)
            if filled is not None:
                held = f.vector("i32", range(c * width, (c + 1) * width))
                limit = f.splat(filled.cast("trunc", "i32"), width)
                stays = stays & (held < limit)
                ahead = ahead & (held <= limit)
            new_keys.append(stays.where(keys[c], ahead.where(key, moved)))
            moved = f.shuffle(places[c - 1] if c else places[c], places[c], shifted)
            new_places.append(stays.where(places[c], ahead.where(place, moved)))
        return [*new_keys, *new_places]

    def store(self, vectors: Sequence[V], base: V) -> None:
        """The list's elements, no more, in memory."""
        f, left, at = self.f, self.s.taken, 0
        for v in vectors:
            start = 0
            size = self.width
            while left and start < self.width:
                while size > left:
                    size //= 2
                lanes = [*range(start, start + size)]
                self.write(f.shuffle(v, v, lanes), base, at)
                start, at, left = start + size, at + size, left - size

    def results(self, row: V, keys: Sequence[V], places: Sequence[V]) -> None:
        s, at = self.s, 1
        first = row * s.taken
        if s.values:
            elem = f"i{8 * s.dtype.itemsize}"
            keys = [~k for k in keys] if s.order == "smallest" else keys
            values = [decode(k, s.dtype) for k in keys]
            self.store(values, self.at(self.argument(at), elem, first))
            at += 1
        if s.places:
            self.store(places, self.at(self.argument(at), "i32", first))

    def of_array(self, row: V, start: V, stop: V):
        """The selection from elements of a row."""
        elem = f"i{8 * self.s.dtype.itemsize}"
        x = self.at(self.argument(0), elem, row * self.s.size)
        keys = lambda i, lanes: self.key_of(self.read(x, elem, i, lanes))
        return self.select(start, stop, keys, lambda i: i.cast("trunc", "i32"))

    def candidates(self, row: V) -> tuple[V, V]:
        """Where keys and places of a row's candidates are."""
        first = row * (self.s.blocks * self.s.taken)
        at = 1 + self.s.values + self.s.places
        keys, places = self.argument(at), self.argument(at + 1)
        return self.at(keys, self.key, first), self.at(places, "i32", first)


def _rows(s: Selection, target: Target) -> RawKernel:
    c = _Stage(s, target)

    def row(r: V) -> None:
        c.results(r, *c.of_array(r, c.i64(0), c.i64(s.size)))

    c.each(c.lo, c.hi, row)
    return c.kernel(s.rows, s.rows * _work(s.size, s.taken))


def _blocks(s: Selection, target: Target) -> RawKernel:
    c = _Stage(s, target)
    step = s.size // s.blocks

    def block(p: V) -> None:
        row = p._binary("udiv", s.blocks)
        number = p - row * s.blocks
        start = number * step
        stop = number.eq(s.blocks - 1).where(c.i64(s.size), start + step)
        keys, places = c.of_array(row, start, stop)
        to = c.candidates(row)
        c.store(keys, c.at(to[0], c.key, number * s.taken))
        c.store(places, c.at(to[1], "i32", number * s.taken))

    c.each(c.lo, c.hi, block)
    extent = s.rows * s.blocks
    return c.kernel(extent, extent * _work(step, s.taken))


def _merge(s: Selection, target: Target) -> RawKernel:
    c = _Stage(s, target)
    count = s.blocks * s.taken

    def row(r: V) -> None:
        keys, places = c.candidates(r)
        found = c.select(
            c.i64(0),
            c.i64(count),
            lambda i, lanes: c.read(keys, c.key, i, lanes),
            lambda i: c.read(places, "i32", i),
        )
        c.results(r, *found)

    c.each(c.lo, c.hi, row)
    return c.kernel(s.rows, s.rows * _work(count, s.taken))
