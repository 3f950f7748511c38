"""Sorts (plan/sorting.py) as LLVM IR: least significant digit first.

Each key is built as an integer (sortkeys.py), with what is carried in the low half of a
64-bit word, or in an array beside keys of 64 bits. A pass counts the digits, turns the
counts into places, and moves every word to its place; so equal keys keep their order.
Digits run from the lowest to the highest bit in which the keys differ at all.

Many rows are sorted a task each. The blocks of a long row are tasks of every stage: all
count, then places follow from all blocks' counts in order, then all move. `STATE` words
tell the stages which pass it is; stages without work return at once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jaxlike.backends.numba.code import Code
from jaxlike.backends.numba.engine import RawKernel, RawStages
from jaxlike.backends.numba.llvm import Type, V
from jaxlike.backends.numba.sortkeys import decode, encode, infinity, magnitude, merged
from jaxlike.backends.numba.target import Target
from jaxlike.backends.plan.ops import kind
from jaxlike.backends.plan.sorting import Part, Sort

# words of a row's state: the next pass's shift; the first bit behind the last digit;
# which half of the workspace the words are in; the shift of this pass, -1 for none;
# whether keys have been merged. Then, block by block, its keys' or, and, and merged.
SHIFT, END, SIDE, PASS, MERGED = range(5)
STATE, PER_BLOCK = 8, 3
MOVE_NS, COUNT_NS, BUILD_NS, FINISH_NS = 2.5, 1.0, 0.5, 2.0


def sort_kernel(sort: Sort, target: Target) -> RawStages:
    """The kernels of a sort for a machine."""
    if sort.short:
        from jaxlike.backends.numba.short_rows import short_rows

        stages = [short_rows(sort, target)]
    elif sort.blocks == 1:
        stages = [_whole_rows(sort, target)]
    else:
        stages = _in_blocks(sort, target)
    count = len(sort.reads) + len(sort.writes) + len(sort.workspace)
    return RawStages(tuple(stages), count)


class Stage(Code):
    """A stage, with the arguments of one row as attributes (see `enter`)."""

    def __init__(self, sort: Sort, target: Target):
        super().__init__()
        self.s, self.target = sort, target
        self.elems = [f"i{8 * w.itemsize}" for w in sort.words]
        self.key = "i64" if sort.words[0].itemsize == 8 else "i32"
        self.packed = sort.carried is not None and len(sort.words) == 1
        self.width = target.vector_bytes // 4
        self.radix = 1 << sort.digit
        self.inputs: dict[int, V] = {}
        self.outputs: dict[int, V] = {}
        # both sides of a row's words, where they are on the stack
        self.sides: list[list[V]] = [[], []]
        if not sort.workspace and not sort.short:
            self.sides = [
                [self.f.alloca(e, sort.size) for e in self.elems] for _ in range(2)
            ]

    def per_row(self, body: Callable[[V], None], extent: int, ns: float) -> RawKernel:
        """A kernel whose grid points are rows."""
        self.each(self.lo, self.hi, body)
        return self.kernel(extent, ns)

    def per_block(self, body: Callable[[V, V, V, V], None], ns: float) -> RawKernel:
        """A kernel whose grid points are blocks: body(row, block, start, stop)."""
        blocks, size = self.s.blocks, self.s.size
        step = -(-size // blocks)

        def point(p: V) -> None:
            row = p._binary("udiv", blocks)
            block = p - row * blocks
            start = block * step
            body(row, block, start, (start + step).call("smin", size))

        self.each(self.lo, self.hi, point)
        return self.kernel(self.s.rows * blocks, ns)

    def enter(self, row: V) -> None:
        """Set the addresses of a row's arguments."""
        s, place = self.s, 0
        first = row * s.size
        taken = first if s.taken is None else row * s.taken
        for operands, addresses, start in (
            (s.reads, self.inputs, first),
            (s.writes, self.outputs, taken),
        ):
            for i in operands:
                elem = f"i{8 * s.operands[i].dtype.itemsize}"
                addresses[i] = self.at(self.argument(place), elem, start)
                place += 1
        if s.workspace:
            self.sides = [[], []]
            for side in self.sides:
                for elem in self.elems:
                    side.append(self.at(self.argument(place), elem, first))
                    place += 1
        if s.blocks > 1:
            counts = row * ((s.blocks + 1) << s.digit)
            self.counts = self.at(self.argument(place), "i32", counts)
            words = row * (STATE + PER_BLOCK * s.blocks)
            self.state = self.at(self.argument(place + 1), "i64", words)

    # -- state -----------------------------------------------------------------------
    def get(self, word: int) -> V:
        return self.read(self.state, "i64", word)

    def put(self, word: int, value: V) -> None:
        self.write(value, self.state, word)

    def side(self, which: V) -> list[V]:
        """The words' arrays on a side."""
        zero = which.eq(0)
        return [zero.where(a, b) for a, b in zip(*self.sides)]

    # -- the work on words start..stop -----------------------------------------------
    def build(self, part: Part, start: V, stop: V, order: list[V] | None) -> list[V]:
        """Write words of a key to side 0 (in the order of words, if there are any) or
        in place. Returns (or, and) of the keys, and whether some have been merged."""
        dtype = part.dtype
        elem = f"i{part.bits}"
        target = order or self.sides[0]
        key_elem = "i32" if self.packed else self.key

        def body(i: V, lanes: int, totals):
            index = None
            if order is not None:
                index = self.index(order, i)
            place = i if index is None else index
            if part.step != 1:
                place = place * part.step + part.offset
            bits = self.read(self.inputs[part.operand], elem, place, lanes)
            key = self.key_of(bits, dtype, key_elem)
            either, both, lost = totals
            if self.mended:
                lost = lost | merged(bits, dtype).cast("zext", "i8")
            totals = [either | key, both & key, lost]
            self.put_word(target, i, key, self.carry(i, index, lanes))
            return totals

        f, one = self.f, Type(key_elem)
        totals = [("or", f.const(one, 0)), ("and", f.const(one, -1))]
        totals.append(("or", f.const(Type("i8"), 0)))
        lanes = self.width if order is None and part.step == 1 else 1
        if lanes > 1:
            out = self.vectors(start, stop, lanes, totals, body)
        else:
            first = [v for _, v in totals]
            out = self.loop(start, stop, first, lambda i, t: body(i, 1, t))
        out = [v if v.type.elem == "i64" else v.cast("zext", "i64") for v in out]
        if key_elem == "i32" and self.packed:
            out[:2] = [v << 32 for v in out[:2]]
        return out

    def key_of(self, bits: V, dtype: np.dtype, elem: str) -> V:
        """The key of an element, in the sort's order."""
        key = encode(bits, dtype, elem, total=self.s.order != "sort")
        return ~key if self.s.order == "largest" else key

    def carry(self, i: V, index: V | None, lanes: int) -> V | None:
        """What goes along with element i, as i32."""
        carried = self.s.carried
        if carried is None:
            return None
        if index is not None:
            return index.cast("trunc", "i32")
        if carried < 0 or self.s.operands[carried].line is not None:
            return self.iota(i, "i32", lanes)
        elem = f"i{8 * self.s.operands[carried].dtype.itemsize}"
        value = self.read(self.inputs[carried], elem, i, lanes)
        return value if elem == "i32" else value.cast("zext", "i32")

    def put_word(self, to: list[V], i: V, key: V, value: V | None) -> None:
        if value is None:
            self.write(key, to[0], i)
        elif self.packed:
            word = (key.cast("zext", "i64") << 32) | value.cast("zext", "i64")
            self.write(word, to[0], i)
        else:
            self.write(key, to[0], i)
            self.write(value, to[1], i)

    def index(self, words: list[V], i: V) -> V:
        """What a word carries, as an index."""
        if self.packed:
            return self.read(words[0], "i64", i) & 0xFFFFFFFF
        return self.read(words[1], "i32", i).cast("zext", "i64")

    def digit_of(self, word: V, shift: V) -> V:
        digit = word.lshr(shift) & (self.radix - 1)
        return digit if self.key == "i64" else digit.cast("zext", "i64")

    def shift_of(self, shift: V) -> V:
        return shift if self.key == "i64" else shift.cast("trunc", "i32")

    def clear(self, table: V) -> None:
        zero = self.f.const(Type("i32", self.width), 0)
        self.each(0, self.radix, lambda i: self.write(zero, table, i), self.width)

    def count(self, source: list[V], start: V, stop: V, shift: V, table: V) -> None:
        """Add the digits of words to a table of i32."""
        shift = self.shift_of(shift)

        def body(i: V) -> None:
            digit = self.digit_of(self.read(source[0], self.key, i), shift)
            self.write(self.read(table, "i32", digit) + 1, table, digit)

        self.unrolled(start, stop, body)

    def unrolled(self, start: V, stop: V, body: Callable[[V], None]) -> None:
        """One by one, four to a turn."""

        def four(i: V) -> None:
            for k in range(4):
                body(i + k if k else i)

        end = start + ((stop - start) & -4)
        self.each(start, end, four, 4)
        self.each(end, stop, body)

    def places(self, table: V) -> None:
        """Counts become the place of each digit's first word."""
        zero = self.f.const(Type("i32"), 0)

        def body(d: V, carried):
            count = self.read(table, "i32", d)
            self.write(carried[0], table, d)
            return [carried[0] + count]

        self.loop(0, self.radix, [zero], body)

    def move(self, source, target, start: V, stop: V, shift: V, table: V) -> None:
        """Bring words to their places, which the table tells; without a target, they
        become results there."""
        shift = self.shift_of(shift)

        def body(i: V) -> None:
            words = [self.read(a, e, i) for a, e in zip(source, self.elems)]
            digit = self.digit_of(words[0], shift)
            place = self.read(table, "i32", digit)
            self.write(place + 1, table, digit)
            place = place.cast("zext", "i64")
            if target is None:
                self.result(words, place)
                return
            for word, a in zip(words, target):
                self.write(word, a, place)

        self.unrolled(start, stop, body)

    def digits(self, either: V, both: V) -> tuple[V, V]:
        """The lowest bit in which keys differ, and the one behind the highest."""
        differ = either ^ both
        f = self.f
        bits = [
            f.emit(differ.type, f"call i64 @llvm.{name}.i64({differ}, i1 false)")
            for name in ("cttz", "ctlz")
        ]
        for name in ("cttz", "ctlz"):
            self.module.declare(f"i64 @llvm.{name}.i64(i64, i1)")
        return bits[0], 64 - bits[1]

    # -- results ---------------------------------------------------------------------
    def finish(self, source: list[V], start: V, stop: V) -> None:
        """Write the results of words start..stop."""
        s = self.s
        if s.taken is not None:
            stop = stop.call("smin", s.taken)
        if s.carried == -1:
            self.each(start, stop, lambda i: self.gather(source, i))
            return

        def body(i: V, lanes: int, totals):
            pairs = zip(source, self.elems)
            self.result([self.read(a, e, i, lanes) for a, e in pairs], i)
            return totals

        self.vectors(start, stop, self.width, [], body)

    def result(self, words: list[V], place: V) -> None:
        """Write a word (or a vector of them) as results, where it has them itself."""
        s, key, value = self.s, words[0], words[-1]
        if self.packed:
            key, value = key.lshr(32), key.cast("trunc", "i32")
        for j, out in self.outputs.items():
            if j == s.carried:
                self.write(self.value(j, value), out, place)
            else:
                bits = ~key if s.order == "largest" else key
                self.write(decode(bits, s.operands[j].dtype), out, place)

    def value(self, operand: int, carried: V) -> V:
        """An operand's element, from what was carried."""
        x = self.s.operands[operand]
        elem = f"i{8 * x.dtype.itemsize}"
        if x.line is None:
            return carried if elem == "i32" else carried.cast("trunc", elem)
        first, step = x.line
        index = carried.cast("zext", "i64") if elem == "i64" else carried
        if elem in ("i8", "i16"):
            index = index.cast("trunc", elem)
        return index * step + first if (first, step) != (0, 1) else index

    def gather(self, source: list[V], i: V) -> None:
        index = self.index(source, i)
        for j, out in self.outputs.items():
            x = self.s.operands[j]
            if x.line is not None:
                value = self.value(j, index.cast("trunc", "i32"))
            else:
                elem = f"i{8 * x.dtype.itemsize}"
                value = self.read(self.inputs[j], elem, index)
            self.write(value, out, i)

    @property
    def direct(self) -> bool:
        """Whether the last move of a row's blocks can write all results."""
        return self.s.carried != -1 and self.s.taken is None

    @property
    def mended(self) -> bool:
        """Whether keys that had been merged are results."""
        s = self.s
        if s.order != "sort" or s.carried == -1 or 0 not in s.writes:
            return False
        return kind(s.parts[0].dtype) == "f"

    def mend(self) -> None:
        """Put the row's zeros and NaNs as they were, in their order."""
        dtype, size = self.s.parts[0].dtype, self.s.size
        elem, source = f"i{8 * dtype.itemsize}", self.inputs[0]
        out = self.outputs[0]
        limit = infinity(dtype)

        def body(i: V, lanes: int, totals):
            bits = self.read(source, elem, i, lanes)
            nan = magnitude(bits).cmp("ugt", limit)
            below = (bits < 0) & ~nan & bits.ne(-1 << (bits.type.bits - 1))
            both = zip(totals, (nan, below), strict=True)
            return [n + c.cast("zext", "i32") for n, c in both]

        zero = self.f.const(Type("i32"), 0)
        whole = self.i64(0), self.i64(size)
        totals = self.vectors(*whole, self.width, [("add", zero)] * 2, body)
        nans, below = (n.cast("zext", "i64") for n in totals)

        def put(i: V, places):
            bits = self.read(source, elem, i)
            size = magnitude(bits)
            new = []
            for place, hit in zip(places, (size.cmp("ugt", limit), size.eq(0))):
                # elsewhere, write what stands there
                spot = place.call("smin", self.s.size - 1)
                old = self.read(out, elem, spot)
                self.write(hit.where(bits, old), out, spot)
                new.append(place + hit.cast("zext", "i64"))
            return new

        self.loop(0, size, [size - nans, below], put)


# -- rows one by one -------------------------------------------------------------------


def _whole_rows(sort: Sort, target: Target) -> RawKernel:
    c = Stage(sort, target)
    table = c.f.alloca("i32", c.radix)

    def row(r: V) -> None:
        c.enter(r)
        zero, size = c.i64(0), c.i64(sort.size)
        here, there = list(c.sides[0]), list(c.sides[1])
        lost = None
        for n, part in enumerate(reversed(sort.parts)):
            either, both, lost = c.build(part, zero, size, here if n else None)
            low, end = c.digits(either, both)
            count = len(here)

            def one_pass(state, count=count, size=size):
                shift, a, b = state[0], state[1 : 1 + count], state[1 + count :]
                c.clear(table)
                c.count(a, zero, size, shift, table)
                c.places(table)
                c.move(a, b, zero, size, shift, table)
                return [shift + sort.digit, *b, *a]

            state = c.repeat(
                [low, *here, *there], lambda s, end=end: s[0] < end, one_pass
            )
            here, there = state[1 : 1 + count], state[1 + count :]
        c.finish(here, zero, size)
        if c.mended:
            c.when(lost.ne(0), c.mend)

    bits = max(p.bits for p in sort.parts)
    passes = len(sort.parts) * -(-bits // sort.digit)
    each = BUILD_NS + FINISH_NS + passes * (COUNT_NS + MOVE_NS)
    return c.per_row(row, sort.rows, sort.rows * sort.size * each)


# -- blocks ----------------------------------------------------------------------------


def _in_blocks(sort: Sort, target: Target) -> list[RawKernel]:
    work = float(sort.rows * sort.size)
    stages = []
    for n, part in enumerate(reversed(sort.parts)):
        stages.append(_build(sort, target, part, n == 0, work))
        stages.append(_survey(sort, target, n == 0))
        passes = -(-part.bits // sort.digit)
        stages += passes * [
            _count(sort, target, work),
            _places(sort, target),
            _move(sort, target, work),
        ]
    stages.append(_finish(sort, target, work))
    if Stage(sort, target).mended:
        stages.append(_mend(sort, target))
    return stages


def _build(sort: Sort, target: Target, part: Part, first: bool, work) -> RawKernel:
    c = Stage(sort, target)

    def block(row, block, start, stop):
        c.enter(row)
        order = None if first else c.side(c.get(SIDE))
        place = block * PER_BLOCK + STATE
        for k, v in enumerate(c.build(part, start, stop, order)):
            c.write(v, c.state, place + k)

    return c.per_block(block, work * BUILD_NS * (1 if first else 8))


def _survey(sort: Sort, target: Target, first: bool) -> RawKernel:
    """Which digits there are."""
    c = Stage(sort, target)

    def row(r: V) -> None:
        c.enter(r)

        def body(b: V, totals):
            at = b * PER_BLOCK + STATE
            found = [c.read(c.state, "i64", at + k) for k in range(3)]
            return [
                totals[0] | found[0],
                totals[1] & found[1],
                totals[2] | found[2],
            ]

        start = [c.i64(0), c.i64(-1), c.i64(0)]
        either, both, lost = c.loop(0, sort.blocks, start, body)
        low, end = c.digits(either, both)
        for word, v in ((SHIFT, low), (END, end), (MERGED, lost)):
            c.put(word, v)
        if first:
            c.put(SIDE, c.i64(0))

    return c.per_row(row, sort.rows, 100.0 * sort.rows)


def _count(sort: Sort, target: Target, work: float) -> RawKernel:
    c = Stage(sort, target)

    def block(row, block, start, stop):
        c.enter(row)
        shift = c.get(SHIFT)

        def run():
            table = c.at(c.counts, "i32", block * c.radix)
            c.clear(table)
            c.count(c.side(c.get(SIDE)), start, stop, shift, table)

        c.when(shift < c.get(END), run)

    return c.per_block(block, work * COUNT_NS)


def _places(sort: Sort, target: Target) -> RawKernel:
    """Counts of blocks become what is before them of the digit; totals, of all
    blocks, become the places of digits."""
    c = Stage(sort, target)

    def row(r: V) -> None:
        c.enter(r)
        shift, end = c.get(SHIFT), c.get(END)
        on = shift < end
        c.put(PASS, on.where(shift, -1))

        def run():
            totals = c.at(c.counts, "i32", sort.blocks * c.radix)

            def digits(d: V) -> None:
                zero = c.f.const(Type("i32", c.width), 0)

                def block(b: V, carried):
                    at = b * c.radix + d
                    count = c.read(c.counts, "i32", at, c.width)
                    c.write(carried[0], c.counts, at)
                    return [carried[0] + count]

                (total,) = c.loop(0, sort.blocks, [zero], block)
                c.write(total, totals, d)

            c.each(0, c.radix, digits, c.width)
            c.places(totals)
            c.put(SHIFT, shift + sort.digit)
            c.put(SIDE, c.get(SIDE) ^ 1)

        c.when(on, run)

    return c.per_row(row, sort.rows, 5_000.0 * sort.rows)


def _move(sort: Sort, target: Target, work: float) -> RawKernel:
    c = Stage(sort, target)
    table = c.f.alloca("i32", c.radix)
    direct = c.direct

    def block(row, block, start, stop):
        c.enter(row)
        shift = c.get(PASS)

        def run():
            before = c.at(c.counts, "i32", block * c.radix)
            totals = c.at(c.counts, "i32", sort.blocks * c.radix)

            def add(d: V) -> None:
                both = [c.read(t, "i32", d, c.width) for t in (before, totals)]
                c.write(both[0] + both[1], table, d)

            c.each(0, c.radix, add, c.width)
            to = c.get(SIDE)
            source, rest = c.side(to ^ 1), (start, stop, shift, table)
            if not direct:
                c.move(source, c.side(to), *rest)
                return
            more = shift + sort.digit < c.get(END)
            c.when(more, lambda: c.move(source, c.side(to), *rest))
            c.when(~more, lambda: c.move(source, None, *rest))

        c.when(~(shift < 0), run)

    return c.per_block(block, work * MOVE_NS)


def _finish(sort: Sort, target: Target, work: float) -> RawKernel:
    c = Stage(sort, target)

    def block(row, block, start, stop):
        c.enter(row)
        finish = lambda: c.finish(c.side(c.get(SIDE)), start, stop)
        if c.direct:  # unless all keys are equal, the last move has done it
            c.when(c.get(END).eq(0), finish)
        else:
            finish()

    return c.per_block(block, work * FINISH_NS)


def _mend(sort: Sort, target: Target) -> RawKernel:
    c = Stage(sort, target)

    def row(r: V) -> None:
        c.enter(r)
        c.when(c.get(MERGED).ne(0), c.mend)

    return c.per_row(row, sort.rows, 100.0 * sort.rows)
