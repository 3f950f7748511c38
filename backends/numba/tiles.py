"""Products (plan/products.py) as LLVM IR: a tile of outputs in registers.

A tile is a few rows by a few vectors of columns. In the innermost loop each row's
element of a is broadcast and multiplied with the vectors of b. A grid point is a group
of tiles, one below the other, over one block of columns; neighbouring points share the
rows. Rows that a last tile lacks are computed again from the last row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from jaxlike.backends.numba.engine import RawKernel
from jaxlike.backends.numba.target import Target
from jaxlike.backends.plan.products import Axis, Product

NEAR_A, NEAR_B = 1 << 18, 1 << 17
"""Bytes of a, and of b, that tiles should meet again in the second cache."""
MIN_PART = 128
"""Steps of a sum between two stores of the totals."""
POINTS = 32
"""Grid points from which a product is shared out well."""
MULTIPLICATIONS_A_NS = 16

_ELEMENTS = {"f4": "float", "f8": "double", "i4": "i32", "u4": "i32", "i8": "i64"}


@lru_cache(1024)
def product_kernel(product: Product, target: Target) -> RawKernel:
    """The kernel of a product for a machine."""
    tiles = _Tiles(product, target)
    text, ns = tiles.text(), product.work / MULTIPLICATIONS_A_NS
    declarations = tuple(sorted(tiles.declared))
    grain = tiles.shape.grain
    return RawKernel(text, tiles.extent, ns, grain, declarations=declarations)


class _Row(NamedTuple):
    """A row of a tile: (pointer, constant offset behind it) in a, then in out."""

    a: str
    a_step: int
    out: str
    out_step: int


class _Shape:
    """How a product is cut up: tiles of `height` rows by `vectors` of columns."""

    def __init__(self, p: Product, target: Target):
        self.lanes = target.vector_bytes // p.dtype.itemsize
        registers = 32 if target.masked or "x86" not in target.triple else 16
        most = {64: 24, 32: 12, 16: 8}[target.vector_bytes] if registers == 16 else 24
        self.num_rows = math.prod(x.size for x in p.rows)
        needed = -(-p.columns // self.lanes)
        if self.num_rows < 4:
            self.vectors = min(needed, 8 // self.num_rows)
        else:
            self.vectors = needed if needed <= 3 and most >= 24 else 2
        self.vectors = max(1, min(needed, self.vectors))
        self._choose_height(p.rows, most // self.vectors)
        self.blocks = -(-needed // self.vectors)
        self._choose_part(p)
        panel = self.height * p.dtype.itemsize * self.steps
        batch = math.prod(x.size for x in p.batch)
        group = max(1, min(self.tiles, NEAR_A // panel))
        enough = -(-POINTS // (batch * self.blocks))
        groups = max(-(-self.tiles // group), min(self.tiles, enough))
        self.group = -(-self.tiles // groups)
        self.groups = -(-self.tiles // self.group)
        self.extent = batch * self.groups * self.blocks
        # chunks are whole members of the batch where there are enough
        self.grain = self.groups * self.blocks if batch >= POINTS // 4 else 1

    def _choose_part(self, p: Product) -> None:
        """A sum is taken in parts of `steps`, so that b stays near for many tiles:
        `part` of axis `depth` and all of the axes inside."""
        sizes = [x.size for x in p.sums]
        most = NEAR_B // (self.vectors * self.lanes * p.dtype.itemsize)
        if self.tiles == 1:
            most = math.prod(sizes)
        self.depth = len(sizes) - 1
        inner = 1
        while self.depth and inner * sizes[self.depth] <= most:
            inner *= sizes[self.depth]
            self.depth -= 1
        last = sizes[self.depth]
        self.part = min(last, max(1, most // inner, -(-MIN_PART // inner)))
        self.part = -(-last // -(-last // self.part))  # parts of much the same size
        self.steps = self.part * inner

    def _choose_height(self, rows: tuple[Axis, ...], most: int) -> None:
        """Rows of a tile; `last` of them side by side, or 0 if they lie anywhere."""
        usual = min(most, 8)
        last = rows[-1].size if rows else 1
        if self.num_rows <= most:
            self.height, self.last = self.num_rows, last if len(rows) < 2 else 0
        elif last < usual - 3:
            self.height, self.last = usual, 0
        else:  # whole tiles along the last axis, with little left over
            self.last = last
            self.height = max(
                range(max(1, usual // 2), usual + 1),
                key=lambda h: last / (-(-last // h)) / (h + 1),
            )
        if self.last:
            self.along = -(-self.last // self.height)
            self.tiles = self.num_rows // self.last * self.along
        else:
            self.tiles = -(-self.num_rows // self.height)


class _Tiles:
    def __init__(self, product: Product, target: Target):
        self.p = p = product
        self.masked = target.masked
        self.elem = _ELEMENTS[f"{p.dtype.kind}{p.dtype.itemsize}"]
        self.is_float = p.dtype.kind == "f"
        self.shape = _Shape(p, target)
        self.lanes = self.shape.lanes
        self.extent = self.shape.extent
        self.lines: list[str] = []
        self.declared: set[str] = set()
        self.names = 0
        self.block = "entry"

    # --- writing

    def emit(self, text: str) -> str:
        self.names += 1
        name = f"%t{self.names}"
        self.lines.append(f"  {name} = {text}")
        return name

    def add(self, x: str, y: str) -> str:
        if x == "0" or y == "0":
            return y if x == "0" else x
        return self.emit(f"add nsw i64 {x}, {y}")

    def mul(self, x: str, factor: int) -> str:
        if factor in (0, 1):
            return x if factor else "0"
        return self.emit(f"mul nsw i64 {x}, {factor}")

    def divided(self, x: str, n: int) -> tuple[str, str]:
        """(quotient, remainder)"""
        if n == 1:
            return x, "0"
        return self.emit(f"udiv i64 {x}, {n}"), self.emit(f"urem i64 {x}, {n}")

    def smaller(self, x: str, y: str) -> str:
        less = self.emit(f"icmp slt i64 {x}, {y}")
        return self.emit(f"select i1 {less}, i64 {x}, i64 {y}")

    def at(self, base: str, index: str) -> str:
        if index == "0":
            return base
        return self.emit(f"getelementptr {self.elem}, ptr {base}, i64 {index}")

    def label(self) -> str:
        self.names += 1
        return f"l{self.names}"

    def enter(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.block = label

    def loop(
        self,
        start: str,
        stop: str,
        carried: list[tuple[str, str]],
        body: Callable[[str, list[str]], list[str]],
    ) -> list[str]:
        """for i in start..stop (not empty), with values (type, initial) carried."""
        head, after, before = self.label(), self.label(), self.block
        self.lines.append(f"  br label %{head}")
        self.enter(head)
        self.names += 1
        index = f"%i{self.names}"
        place = len(self.lines)
        inner = [f"%c{self.names}.{k}" for k in range(len(carried))]
        self.lines += [""] * (1 + len(carried))
        new = body(index, inner)
        following = self.emit(f"add nsw i64 {index}, 1")
        more = self.emit(f"icmp slt i64 {following}, {stop}")
        self.lines.append(f"  br i1 {more}, label %{head}, label %{after}")
        latch = self.block
        self.enter(after)
        phi = "  {} = phi {} [ {}, %{} ], [ {}, %{} ]"
        values = [(index, "i64", start, following)]
        values += [(v, t, x, y) for v, (t, x), y in zip(inner, carried, new)]
        for i, (v, kind, x, y) in enumerate(values):
            self.lines[place + i] = phi.format(v, kind, x, before, y, latch)
        return new

    # --- vectors: (lanes, of which the first `used` count)

    def widths(self, columns: int) -> list[tuple[int, int]]:
        """The vectors of some columns; a masked one at the end, or ever shorter ones"""
        full, left = divmod(columns, self.lanes)
        out = [(self.lanes, self.lanes)] * full
        if left and self.masked and left != self.lanes // 2:
            return [*out, (self.lanes, left)]
        lanes = self.lanes
        while left:
            while lanes > left:
                lanes //= 2
            out.append((lanes, lanes))
            left -= lanes
        return out

    def load(self, place: str, lanes: int, used: int) -> str:
        kind, align = f"<{lanes} x {self.elem}>", self.p.dtype.itemsize
        if used == lanes:
            return self.emit(f"load {kind}, ptr {place}, align {align}")
        name = self._masked("load", lanes, f"{kind} @{{}}(ptr, i32, {{}}, {kind})")
        mask = self._mask(lanes, used)
        args = f"ptr {place}, i32 {align}, {mask}, {kind} zeroinitializer"
        return self.emit(f"call {kind} @{name}({args})")

    def store(self, value: str, place: str, lanes: int, used: int) -> None:
        kind, align = f"<{lanes} x {self.elem}>", self.p.dtype.itemsize
        if used == lanes:
            self.lines.append(f"  store {kind} {value}, ptr {place}, align {align}")
            return
        name = self._masked("store", lanes, f"void @{{}}({kind}, ptr, i32, {{}})")
        mask = self._mask(lanes, used)
        args = f"{kind} {value}, ptr {place}, i32 {align}, {mask}"
        self.lines.append(f"  call void @{name}({args})")

    def _masked(self, what: str, lanes: int, signature: str) -> str:
        letter = {"float": "f32", "double": "f64"}.get(self.elem, self.elem)
        name = f"llvm.masked.{what}.v{lanes}{letter}.p0"
        self.declared.add(signature.format(name, f"<{lanes} x i1>"))
        return name

    def _mask(self, lanes: int, used: int) -> str:
        bits = ", ".join(f"i1 {int(k < used)}" for k in range(lanes))
        return f"<{lanes} x i1> <{bits}>"

    # --- the kernel

    def text(self) -> str:
        p = self.p
        bases = []
        for i in range(3):
            slot = self.emit(f"getelementptr ptr, ptr %buffers, i64 {i}")
            bases.append(self.emit(f"load ptr, ptr {slot}"))
        self.a = self.at(bases[0], str(p.a_offset))
        self.b = self.at(bases[1], str(p.b_offset))
        self.out = self.at(bases[2], str(p.out_offset))
        self._parts(p.sums, None)
        head = "define void @SYMBOL(ptr %buffers, i64 %lo, i64 %hi) {\nentry:"
        return "\n".join([head, *self.lines, "  ret void", "}", ""])

    def _parts(self, axes: tuple[Axis, ...], is_first: str | None) -> None:
        """The points, over one part of the sum after the other."""
        axis, part = axes[0], self.shape.part
        outer = len(self.p.sums) - len(axes) < self.shape.depth
        if not outer:
            self.sums = axes
        if not outer and part == axis.size:
            self._points("0", str(part), is_first)
            return

        def one(i: str, _) -> list[str]:
            now = self.emit(f"icmp eq i64 {i}, 0")
            if is_first is not None:
                now = self.emit(f"and i1 {is_first}, {now}")
            if outer:
                before = self.a, self.b
                self.a = self.at(self.a, self.mul(i, axis.a))
                self.b = self.at(self.b, self.mul(i, axis.b))
                self._parts(axes[1:], now)
                self.a, self.b = before
                return []
            start = self.mul(i, part)
            end = self.smaller(self.add(start, str(part)), str(axis.size))
            self._points(start, end, now)
            return []

        self.loop("0", str(axis.size if outer else -(-axis.size // part)), [], one)

    def _points(self, start: str, stop: str, is_first: str | None) -> None:
        """All points of a chunk, over some of the sum."""
        shape, p = self.shape, self.p
        wide = shape.vectors * self.lanes
        last = self.widths(p.columns - (shape.blocks - 1) * wide)
        full = self.widths(wide)

        def point(t: str, _) -> list[str]:
            rest, block = self.divided(t, shape.blocks)
            which, group = self.divided(rest, shape.groups)
            moved = self._offsets(which, p.batch, ("a", "b", "out"))
            bases = [self.at(x, y) for x, y in zip((self.a, self.b, self.out), moved)]
            column = self.mul(block, wide)
            top = self.mul(group, shape.group)
            end = self.smaller(self.add(top, str(shape.group)), str(shape.tiles))

            def tiles(widths):
                def one(tile: str, _) -> list[str]:
                    self._tile(tile, column, widths, bases, start, stop, is_first)
                    return []

                self.loop(top, end, [], one)

            if shape.blocks == 1 or last == full:
                tiles(last)
                return []
            some, rest, after = self.label(), self.label(), self.label()
            is_last = self.emit(f"icmp eq i64 {block}, {shape.blocks - 1}")
            self.lines.append(f"  br i1 {is_last}, label %{rest}, label %{some}")
            for label, widths in ((some, full), (rest, last)):
                self.enter(label)
                tiles(widths)
                self.lines.append(f"  br label %{after}")
            self.enter(after)
            return []

        self.loop("%lo", "%hi", [], point)

    def _offsets(self, number: str, axes: tuple[Axis, ...], fields) -> list[str]:
        """The offset of the number-th point of some axes, in each of the arrays."""
        totals = ["0"] * len(fields)
        for i in range(len(axes) - 1, -1, -1):
            axis, place = axes[i], number
            if i:
                number, place = self.divided(number, axis.size)
            for j, name in enumerate(fields):
                totals[j] = self.add(totals[j], self.mul(place, getattr(axis, name)))
        return totals

    def _rows(self, tile: str, a: str, out: str) -> list[_Row]:
        """Where the rows of a tile lie."""
        shape, axes = self.shape, self.p.rows
        fields, heights = ("a", "out"), range(shape.height)
        if not shape.last:
            first, rows = self.mul(tile, shape.height), []
            for r in heights:
                row = self.add(first, str(r))
                if shape.num_rows % shape.height:
                    row = self.smaller(row, str(shape.num_rows - 1))
                in_a, in_out = self._offsets(row, axes, fields)
                rows.append(_Row(self.at(a, in_a), 0, self.at(out, in_out), 0))
            return rows
        before, along = self.divided(tile, shape.along)
        in_a, in_out = self._offsets(before, axes[:-1], fields)
        a, out = self.at(a, in_a), self.at(out, in_out)
        last = axes[-1] if axes else Axis(1)
        first = self.mul(along, shape.height)
        if shape.last % shape.height == 0:
            a = self.at(a, self.mul(first, last.a))
            out = self.at(out, self.mul(first, last.out))
            return [_Row(a, r * last.a, out, r * last.out) for r in heights]
        rows = []
        for r in heights:
            row = self.smaller(self.add(first, str(r)), str(shape.last - 1))
            here, there = self.mul(row, last.a), self.mul(row, last.out)
            rows.append(_Row(self.at(a, here), 0, self.at(out, there), 0))
        return rows

    def _tile(self, tile, column, widths, bases, start, stop, is_first) -> None:
        p = self.p
        a, b, out = bases
        rows = self._rows(tile, a, out)
        starts = [sum(w for w, _ in widths[:i]) for i in range(len(widths))]
        places = []
        for row in rows:
            at = self.at(row.out, self.add(column, str(row.out_step)))
            places += [(self.at(at, str(s)), *w) for s, w in zip(starts, widths)]
        types = [f"<{lanes} x {self.elem}>" for _, lanes, _ in places]
        chains = 4 if len(places) <= 2 else 2 if len(places) <= 4 else 1
        sums = ["zeroinitializer"] * len(types)
        if is_first is not None:
            for i, (kind, place) in enumerate(zip(types, places)):
                old = self.load(*place)
                zero = f"{kind} zeroinitializer"
                sums[i] = self.emit(f"select i1 {is_first}, {zero}, {kind} {old}")
        first = self.sums[0]
        in_a, in_b = self.mul(start, first.a), self.mul(start, first.b)
        if p.along:
            in_a = self.add(in_a, column)
        read = _Reads(widths, starts, rows, self.at(b, column), types, chains)
        count = str(first.size)
        if (start, stop) != ("0", count):
            count = self.emit(f"sub i64 {stop}, {start}")
        sums += ["zeroinitializer"] * (len(types) * (chains - 1))
        sums = self._sum(0, count, in_a, in_b, sums, read)
        while len(sums) > len(types):
            half = len(sums) // 2
            sums = [
                self.emit(f"{self.plus} {kind} {x}, {y}")
                for kind, x, y in zip(types * half, sums[:half], sums[half:])
            ]
        for place, value in zip(places, sums):
            self.store(value, *place)

    @property
    def plus(self) -> str:
        return "fadd contract" if self.is_float else "add"

    def _sum(self, depth, count, in_a, in_b, sums, read: _Reads) -> list[str]:
        axes = self.sums
        axis = axes[depth]
        innermost = depth == len(axes) - 1
        unroll = 1
        if innermost and count == str(axis.size):
            unroll = next(u for u in (4, 3, 2, 1) if axis.size % u == 0)
            count = str(axis.size // unroll)

        def step(_, carried: list[str]) -> list[str]:
            at_a, at_b, *totals = carried
            if innermost:
                n = len(read.types)
                for u in range(unroll):
                    here_a = self.add(at_a, str(u * axis.a))
                    here_b = self.add(at_b, str(u * axis.b))
                    chain = slice(u % read.chains * n, (u % read.chains + 1) * n)
                    totals[chain] = self._multiply(here_a, here_b, totals[chain], read)
            else:
                size = str(axes[depth + 1].size)
                totals = self._sum(depth + 1, size, at_a, at_b, totals, read)
            at_a = self.emit(f"add nsw i64 {at_a}, {axis.a * unroll}")
            at_b = self.emit(f"add nsw i64 {at_b}, {axis.b * unroll}")
            return [at_a, at_b, *totals]

        types = read.types * read.chains
        carried = [("i64", in_a), ("i64", in_b), *zip(types, sums)]
        return self.loop("0", count, carried, step)[2:]

    def _multiply(self, at_a, at_b, totals, read: _Reads) -> list[str]:
        """Each total plus a times b, at one place of the sum."""
        source = self.at(read.b, at_b)
        vectors = [
            self.load(self.at(source, str(s)), *w)
            for s, w in zip(read.starts, read.widths)
        ]
        out = []
        sums = iter(totals)
        moved: dict[str, str] = {}
        for row in read.rows:
            if row.a not in moved:
                moved[row.a] = self.at(row.a, at_a)
            place = self.at(moved[row.a], str(row.a_step))
            for x, vector, (lanes, _) in zip(
                self._factors(place, read), vectors, read.widths
            ):
                kind = f"<{lanes} x {self.elem}>"
                times = "fmul contract" if self.is_float else "mul"
                part = self.emit(f"{times} {kind} {x}, {vector}")
                out.append(self.emit(f"{self.plus} {kind} {next(sums)}, {part}"))
        return out

    def _factors(self, place: str, read: _Reads) -> list[str]:
        """What of a goes with each vector of b: one element, or a vector too."""
        if self.p.along:
            return [
                self.load(self.at(place, str(s)), *w)
                for s, w in zip(read.starts, read.widths)
            ]
        align = self.p.dtype.itemsize
        x = self.emit(f"load {self.elem}, ptr {place}, align {align}")
        spread: dict[int, str] = {}
        for lanes, _ in read.widths:
            if lanes in spread:
                continue
            kind = f"<{lanes} x {self.elem}>"
            one = self.emit(f"insertelement {kind} poison, {self.elem} {x}, i64 0")
            spread[lanes] = self.emit(
                f"shufflevector {kind} {one}, {kind} poison, "
                f"<{lanes} x i32> zeroinitializer"
            )
        return [spread[lanes] for lanes, _ in read.widths]


class _Reads(NamedTuple):
    """What the innermost loop of a tile reads: vectors of b, rows of a; `chains` sums
    are kept of each output where few would wait for one another."""

    widths: list[tuple[int, int]]
    starts: list[int]
    rows: list[_Row]
    b: str
    types: list[str]
    chains: int


def numpy_product(p: Product, a: np.ndarray, b: np.ndarray, size: int) -> np.ndarray:
    """What a product computes, for tests: flat arrays in and out."""
    out = np.zeros(size, p.dtype)
    columns = Axis(p.columns, int(p.along), 1, 1)
    axes = [*p.batch, *p.rows, columns, *p.sums]
    places = np.indices([x.size for x in axes]).reshape(len(axes), -1)
    in_a, in_b, in_out = (
        sum(i * getattr(x, f) for i, x in zip(places, axes)) for f in ("a", "b", "out")
    )
    product = a[in_a + p.a_offset] * b[in_b + p.b_offset]
    np.add.at(out, in_out + p.out_offset, product)
    return out
