"""Sorts of short rows: an element's place is how many elements come before it.

The keys of a row are a few vectors. Each key is compared with all of them at once; the
lanes' answers, as bits of one number, are counted. No branches, and any number of keys.
"""

from __future__ import annotations

from jaxlike.backends.numba.engine import RawKernel
from jaxlike.backends.numba.llvm import Type, V
from jaxlike.backends.numba.memory import I64
from jaxlike.backends.numba.radix import Stage
from jaxlike.backends.numba.target import Target
from jaxlike.backends.plan.sorting import Part, Sort

COMPARE_NS = 0.8
"""Of a vector of keys with one of them."""


def short_rows(sort: Sort, target: Target) -> RawKernel:
    """The kernel of a sort whose rows are short."""
    c = _Short(sort, target)
    vectors = sum(len(chunks) for chunks in c.chunks.values())
    each = 20 + sort.size * (2 + len(sort.operands) + COMPARE_NS * vectors)
    return c.per_row(c.row, sort.rows, sort.rows * each)


class _Short(Stage):
    def __init__(self, sort: Sort, target: Target):
        super().__init__(sort, target)
        self.chunks = {part: self.cut(part) for part in sort.parts}
        # keys as numbers of memory, to be taken one by one
        self.rows = {
            part: self.f.alloca(self.elem(part), -(-sort.size // 16) * 16)
            for part in sort.parts
        }

    def elem(self, part: Part) -> str:
        return "i64" if part.bits > 32 else "i32"

    def cut(self, part: Part) -> list[tuple[int, int]]:
        """(first, count) of each vector of a row's keys."""
        lanes = self.target.vector_bytes * 8 // Type(self.elem(part)).bits
        starts = range(0, self.s.size, lanes)
        return [(k, min(lanes, self.s.size - k)) for k in starts]

    def row(self, r: V) -> None:
        f, s = self.f, self.s
        self.enter(r)
        vectors = {part: self.keys(part) for part in s.parts}
        for part, chunks in self.chunks.items():
            for (first, _), v in zip(chunks, vectors[part]):
                self.write(v, self.rows[part], first)

        def element(i: V) -> None:
            before = (f.const(I64, 1) << i) - 1
            bits = before
            for part in reversed(s.parts):
                key = self.read(self.rows[part], self.elem(part), i)
                less, equal = f.const(I64, 0), f.const(I64, 0)
                for (first, _), v in zip(self.chunks[part], vectors[part]):
                    same = f.splat(key, v.type.lanes)
                    less = less | self.bits(v.cmp("ult", same), first)
                    equal = equal | self.bits(v.eq(same), first)
                bits = less | (equal & bits)
            bits = bits & ((1 << s.size) - 1)
            place = bits.call("ctpop")
            for j, out in self.outputs.items():
                x = s.operands[j]
                if x.line is not None:
                    value = self.value(j, i.cast("trunc", "i32"))
                else:
                    elem = f"i{8 * x.dtype.itemsize}"
                    value = self.read(self.inputs[j], elem, i)
                self.write(value, out, place)

        self.each(0, s.size, element)

    def bits(self, lanes: V, first: int) -> V:
        """A vector of answers as bits from `first` on."""
        word = f"i{lanes.type.lanes}"
        bits = self.f.emit(Type(word), f"bitcast {lanes} to {word}")
        bits = bits.cast("zext", "i64")
        return bits << first if first else bits

    def keys(self, part: Part) -> list[V]:
        """The vectors of a row's keys; lanes behind the row hold anything."""
        elem, source = f"i{part.bits}", self.inputs[part.operand]
        lanes = self.target.vector_bytes * 8 // Type(self.elem(part)).bits
        found = []
        for first, count in self.chunks[part]:
            if part.step == 1 and count == lanes:
                bits = self.read(source, elem, first, lanes)
            elif part.step == 1 and self.target.masked:
                bits = self.masked_read(source, elem, first, lanes, count)
            else:
                bits = self.f.const(Type(elem, lanes), 0)
                for k in range(count):
                    at = (first + k) * part.step + part.offset
                    one = self.read(source, elem, at)
                    text = f"insertelement {bits}, {one}, i64 {k}"
                    bits = self.f.emit(bits.type, text)
            found.append(self.key_of(bits, part.dtype, self.elem(part)))
        return found

    def masked_read(self, base: V, elem: str, first: int, lanes: int, count: int) -> V:
        f, to = self.f, Type(elem, lanes)
        mask = f.vector("i1", [k < count for k in range(lanes)])
        full = f"llvm.masked.load.{to.suffix}.p0"
        self.module.declare(f"{to} @{full}(ptr, i32, {mask.type}, {to})")
        at, zero = self.at(base, elem, first), f.const(to, 0)
        words = f"{at}, i32 {to.bits // 8}, {mask}, {zero}"
        return f.emit(to, f"call {to} @{full}({words})")
