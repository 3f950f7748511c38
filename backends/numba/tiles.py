"""Products (plan/products.py) as LLVM IR: a tile of outputs in registers.

A grid point is a tile of some rows; it goes over columns in blocks of a few vectors.
In the innermost loop each row's element of a is broadcast and multiplied with the
block's vectors of b. Rows that a last tile lacks are computed again from the last row.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from jaxlike.backends.numba.engine import RawKernel
from jaxlike.backends.numba.target import Target
from jaxlike.backends.plan.products import Axis, Product

CACHE_BYTES = 1 << 18
"""Of b, that a tile should meet again in the cache."""


def product_kernel(product: Product, target: Target) -> RawKernel:
    """The kernel of a product for a machine."""
    tile = _Tile(product, target)
    # about 16 multiplications a nanosecond
    return RawKernel(tile.text(), tile.extent, product.work / 16)


class _Tile:
    def __init__(self, product: Product, target: Target):
        self.p = p = product
        self.elem = "float" if p.dtype.itemsize == 4 else "double"
        self.lanes = target.vector_bytes // p.dtype.itemsize
        many_registers = target.vector_bytes != 32 or "avx" not in target.features
        self.vectors = 2
        height = 8 if many_registers and target.masked else 6
        if not target.masked and target.vector_bytes == 16:
            height = 4 if "x86" in target.triple else 8
        self.num_rows = math.prod(x.size for x in p.rows)
        self.height = self._height(height)
        self.tiles = -(-self.num_rows // self.height)
        self.extent = self.tiles * math.prod(x.size for x in p.batch)
        self.lines: list[str] = []
        self.names = 0
        self.block = "entry"

    def _height(self, most: int) -> int:
        """Rows of a tile; a divisor of the last axis gives rows one step apart."""
        if self.num_rows <= most:
            return self.num_rows
        last = self.p.rows[-1].size
        for height in range(most, most // 2, -1):
            if last % height == 0:
                return height
        return most

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

    def at(self, base: str, index: str) -> str:
        return self.emit(f"getelementptr {self.elem}, ptr {base}, i64 {index}")

    def loop(
        self,
        start: str,
        stop: str,
        carried: list[tuple[str, str]],
        body: Callable[[str, list[str]], list[str]],
    ) -> list[str]:
        """for i in start..stop (not empty), with values (type, initial) carried."""
        self.names += 1
        head, after, before = f"l{self.names}", f"x{self.names}", self.block
        self.lines += [f"  br label %{head}", f"{head}:"]
        self.block = head
        self.names += 1
        index = f"%i{self.names}"
        place = len(self.lines)
        self.lines.append("")
        inner = []
        for _ in carried:
            self.names += 1
            inner.append(f"%c{self.names}")
            self.lines.append("")
        new = body(index, inner)
        following = self.emit(f"add nsw i64 {index}, 1")
        more = self.emit(f"icmp slt i64 {following}, {stop}")
        self.lines += [f"  br i1 {more}, label %{head}, label %{after}", f"{after}:"]
        latch, self.block = self.block, after
        phi = "  {} = phi {} [ {}, %{} ], [ {}, %{} ]"
        values = [(index, "i64", start, following)]
        values += [(v, t, x, y) for v, (t, x), y in zip(inner, carried, new)]
        for i, (v, kind, x, y) in enumerate(values):
            self.lines[place + i] = phi.format(v, kind, x, before, y, latch)
        return new

    # --- the kernel

    def text(self) -> str:
        p = self.p
        bases = []
        for i in range(3):
            slot = self.emit(f"getelementptr ptr, ptr %buffers, i64 {i}")
            bases.append(self.emit(f"load ptr, ptr {slot}"))
        self.a = self.at(bases[0], str(p.a_offset))
        self.b = self.at(bases[1], str(p.b_offset))
        self.out = bases[2]
        first = p.sums[0]
        inner = math.prod(x.size for x in p.sums[1:])
        share = inner * p.columns * p.dtype.itemsize
        part = max(1, CACHE_BYTES // share, -(-128 // inner))
        if part >= first.size or self.tiles == 1:
            self._columns("0", str(first.size), None)
        else:  # the sum in parts, so that b stays in the cache for all tiles
            parts = -(-first.size // part)

            def one_part(i: str, _) -> list[str]:
                start = self.mul(i, part)
                end = self.add(start, str(part))
                short = self.emit(f"icmp slt i64 {end}, {first.size}")
                end = self.emit(f"select i1 {short}, i64 {end}, i64 {first.size}")
                self._columns(start, end, self.emit(f"icmp eq i64 {i}, 0"))
                return []

            self.loop("0", str(parts), [], one_part)
        head = "define void @SYMBOL(ptr %buffers, i64 %lo, i64 %hi) {\nentry:"
        return "\n".join([head, *self.lines, "  ret void", "}", ""])

    def _columns(self, start: str, stop: str, is_first: str | None) -> None:
        wide = self.vectors * self.lanes
        blocks, left = divmod(self.p.columns, wide)

        def tiles(column: str, widths: list[int]) -> None:
            self.loop(
                "%lo", "%hi", [], lambda t, _: self._tile(t, column, widths, *span)
            )

        span = start, stop, is_first
        if blocks:
            full = [self.lanes] * self.vectors

            def one(j: str, _) -> list[str]:
                tiles(self.mul(j, wide), full)
                return []

            self.loop("0", str(blocks), [], one)
        if left:
            widths, lanes = [], self.lanes
            while left:
                while lanes > left:
                    lanes //= 2
                widths.append(lanes)
                left -= lanes
            tiles(str(blocks * wide), widths)

    def _offsets(self, number: str, axes: tuple[Axis, ...], fields) -> list[str]:
        """The offset of the number-th point of some axes, in each of the arrays."""
        totals = ["0"] * len(fields)
        for i in range(len(axes) - 1, -1, -1):
            axis = axes[i]
            place = number
            if i:
                place = self.emit(f"urem i64 {number}, {axis.size}")
                number = self.emit(f"udiv i64 {number}, {axis.size}")
            for j, name in enumerate(fields):
                totals[j] = self.add(totals[j], self.mul(place, getattr(axis, name)))
        return totals

    def _tile(self, t: str, column: str, widths, start, stop, is_first) -> list[str]:
        p = self.p
        a, b, out = self.a, self.b, self.out
        if p.batch:
            which = self.emit(f"udiv i64 {t}, {self.tiles}")
            t = self.emit(f"urem i64 {t}, {self.tiles}")
            moved = self._offsets(which, p.batch, ("a", "b", "out"))
            a, b, out = (self.at(x, y) for x, y in zip((a, b, out), moved))
        top = self.mul(t, self.height)
        # (base of a row in a, constant behind it, the same in out)
        rows = []
        regular = self.height == 1 or (
            p.rows[-1].size % self.height == 0 or self.height == self.num_rows
            if len(p.rows) == 1
            else p.rows[-1].size % self.height == 0
        )
        if regular:
            in_a, in_out = self._offsets(top, p.rows, ("a", "out"))
            base, target = self.at(a, in_a), self.at(out, in_out)
            last = p.rows[-1] if p.rows else Axis(1)
            rows = [
                (base, r * last.a, target, r * last.out) for r in range(self.height)
            ]
        else:
            for r in range(self.height):
                row = self.add(top, str(r))
                inside = self.emit(f"icmp slt i64 {row}, {self.num_rows}")
                limit = self.num_rows - 1
                row = self.emit(f"select i1 {inside}, i64 {row}, i64 {limit}")
                in_a, in_out = self._offsets(row, p.rows, ("a", "out"))
                rows.append((self.at(a, in_a), 0, self.at(out, in_out), 0))
        kinds = [f"<{w} x {self.elem}>" for w in widths]
        places = []
        for _, _, target, step in rows:
            place = self.add(column, str(step))
            for i, _ in enumerate(widths):
                places.append(self.at(target, self.add(place, str(sum(widths[:i])))))
        types = kinds * len(rows)
        align = p.dtype.itemsize
        sums = ["zeroinitializer"] * len(types)
        if is_first is not None:
            for i, (kind, place) in enumerate(zip(types, places)):
                old = self.emit(f"load {kind}, ptr {place}, align {align}")
                sums[i] = self.emit(
                    f"select i1 {is_first}, {kind} zeroinitializer, {kind} {old}"
                )
        first = p.sums[0]
        in_a, in_b = self.mul(start, first.a), self.mul(start, first.b)
        from_b = self.at(b, column)
        count = self.emit(f"sub i64 {stop}, {start}")
        sums = self._sum(0, count, in_a, in_b, sums, types, widths, rows, from_b)
        for kind, place, value in zip(types, places, sums):
            self.lines.append(f"  store {kind} {value}, ptr {place}, align {align}")
        return []

    def _sum(self, depth, count, in_a, in_b, sums, types, widths, rows, b) -> list[str]:
        axes = self.p.sums
        axis = axes[depth]
        innermost = depth == len(axes) - 1
        unroll = 1
        if (innermost and count == str(axis.size)) or (innermost and depth):
            unroll = next(u for u in (4, 2, 1) if axis.size % u == 0)
        if (innermost and depth) or unroll > 1:
            count = str(axis.size // unroll)

        def step(_, carried: list[str]) -> list[str]:
            at_a, at_b, *totals = carried
            if innermost:
                for u in range(unroll):
                    here_a = self.add(at_a, str(u * axis.a))
                    here_b = self.add(at_b, str(u * axis.b))
                    totals = self._multiply(here_a, here_b, totals, widths, rows, b)
            else:
                size = str(axes[depth + 1].size)
                totals = self._sum(
                    depth + 1, size, at_a, at_b, totals, types, widths, rows, b
                )
            at_a = self.emit(f"add nsw i64 {at_a}, {axis.a * unroll}")
            at_b = self.emit(f"add nsw i64 {at_b}, {axis.b * unroll}")
            return [at_a, at_b, *totals]

        carried = [("i64", in_a), ("i64", in_b), *zip(types, sums)]
        return self.loop("0", count, carried, step)[2:]

    def _multiply(self, at_a, at_b, totals, widths, rows, b) -> list[str]:
        align = self.p.dtype.itemsize
        vectors = []
        source = self.at(b, at_b)
        for i, w in enumerate(widths):
            place = self.at(source, str(sum(widths[:i])))
            kind = f"<{w} x {self.elem}>"
            vectors.append(self.emit(f"load {kind}, ptr {place}, align {align}"))
        out = []
        sums = iter(totals)
        moved: dict[str, str] = {}
        for base, constant, _, _ in rows:
            if base not in moved:
                moved[base] = self.at(base, at_a)
            place = self.at(moved[base], str(constant))
            x = self.emit(f"load {self.elem}, ptr {place}, align {align}")
            spread: dict[int, str] = {}
            for w, vector in zip(widths, vectors):
                kind = f"<{w} x {self.elem}>"
                if w not in spread:
                    one = self.emit(
                        f"insertelement {kind} poison, {self.elem} {x}, i64 0"
                    )
                    spread[w] = self.emit(
                        f"shufflevector {kind} {one}, {kind} poison, "
                        f"<{w} x i32> zeroinitializer"
                    )
                part = self.emit(f"fmul contract {kind} {spread[w]}, {vector}")
                out.append(self.emit(f"fadd contract {kind} {next(sums)}, {part}"))
        return out


def numpy_product(p: Product, a: np.ndarray, b: np.ndarray, size: int) -> np.ndarray:
    """What a product computes, for tests: flat arrays in and out."""
    out = np.zeros(size, p.dtype)
    axes = [*p.batch, *p.rows, Axis(p.columns, 0, 1, 1), *p.sums]
    places = np.indices([x.size for x in axes]).reshape(len(axes), -1)
    in_a, in_b, in_out = (
        sum(i * getattr(x, f) for i, x in zip(places, axes)) for f in ("a", "b", "out")
    )
    np.add.at(out, in_out, a[in_a + p.a_offset] * b[in_b + p.b_offset])
    return out
