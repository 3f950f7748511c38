"""Writes kernels on batches of matrices as loops over memory: the words they share.

`Code` is a function void(ptr table, i64 lo, i64 hi) with counted loops, elements and
vectors in memory, and calls of outside functions. A loop's body is a Python function of
its index; what it keeps from one iteration to the next lies in memory.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jaxlike.backends.numba.engine import RawKernel
from jaxlike.backends.numba.llvm import Function, Module, Type, V
from jaxlike.backends.numba.target import Target

I32, I64, PTR, I1 = Type("i32"), Type("i64"), Type("ptr"), Type("i1")
BLOCK = 8
"""Side of the squares that matrices are transposed by."""


def element(dtype: np.dtype) -> str:
    """LLVM's name of a real dtype, or of the parts of a complex one."""
    parts = 2 if dtype.kind == "c" else 1
    return "float" if dtype.itemsize == 4 * parts else "double"


class Code(Function):
    """A kernel being written; `pointers` are its arguments."""

    def __init__(self, target: Target, arguments: int):
        params = [("ptr", "", "table"), ("i64", "", "lo"), ("i64", "", "hi")]
        attributes = 'nounwind "prefer-vector-width"="512"'
        super().__init__(Module(), "SYMBOL", params, attributes=attributes)
        self.target = target
        self.symbols: dict[str, int] = {}
        self._wholes: dict[str, V] = {}
        table = V(self, PTR, "%table")
        self.pointers = [
            self.load(PTR, self.gep("ptr", table, self.int(i)), 8)
            for i in range(arguments)
        ]

    def kernel(self, extent: int, ns: float) -> RawKernel:
        """What was written, over `extent` matrices that take about `ns` in all."""
        self.ret()
        parts = [*self.module.globals.values(), str(self)]
        return RawKernel(
            "\n".join(parts) + "\n",
            extent,
            ns,
            symbols=tuple(self.symbols.items()),
            declarations=tuple(self.module.declarations),
        )

    # --- values

    def int(self, n: int) -> V:
        return self.const(I64, n)

    def index(self, n: int | V) -> V:
        return n if isinstance(n, V) else self.int(n)

    def at(self, elem: str, base: V, offset: int | V) -> V:
        """base + offset elements."""
        return self.gep(elem, base, self.index(offset))

    def get(self, elem: str, base: V, offset: int | V = 0, lanes: int = 1) -> V:
        place = self.at(elem, base, offset)
        return self.load(Type(elem, lanes), place, self.align(elem))

    def put(self, value: V, base: V, offset: int | V = 0) -> None:
        elem = value.type.elem
        self.store(value, self.at(elem, base, offset), self.align(elem))

    @staticmethod
    def align(elem: str) -> int:
        return max(1, Type(elem).bits // 8)

    def cell(self, value: V) -> V:
        """Memory of the function that holds a value."""
        place = self.alloca(value.type.elem, 1)
        self.put(value, place)
        return place

    # --- control flow

    def points(self, body: Callable[[V], None]) -> None:
        """body(i) for the kernel's share of its grid."""
        self.loop(V(self, I64, "%lo"), V(self, I64, "%hi"), body)

    def loop(self, start: int | V, stop: int | V, body: Callable[[V], None], step=1):
        """for i in range(start, stop, step): body(i)."""
        start, stop = self.index(start), self.index(stop)
        before, head, after = self.block, self.label("loop"), self.label("after")
        self.branch(start < stop, head, after)
        self.begin(head)
        at, place = self.phi(I64, start, before)
        body(at)
        following = at + step
        self.close_phi(place, following, self.block)
        self.branch(following < stop, head, after)
        self.begin(after)

    def when(self, cond: V, then: Callable[[], None], orelse=None) -> None:
        """if cond: then() else: orelse()."""
        yes, no, after = (self.label(n) for n in ("then", "else", "after"))
        self.branch(cond, yes, no if orelse else after)
        self.begin(yes)
        then()
        self.jump(after)
        if orelse:
            self.begin(no)
            orelse()
            self.jump(after)
        self.begin(after)

    # --- outside functions

    def outside(self, name: str, address: int, args: list[V]) -> None:
        """Call a function of pointers that lies at an address."""
        self.symbols[name] = address
        types = ", ".join("ptr" for _ in args)
        self.module.declare(f"void @{name}({types})")
        self.do(f"call void @{name}({', '.join(map(str, args))})")

    def take(self, nbytes: int | V) -> V:
        """Memory for the length of the call, on a cache line; to be given back."""
        self.module.declare("ptr @malloc(i64)")
        whole = self.emit(PTR, f"call ptr @malloc({self.index(nbytes) + 128})")
        place = self.emit(I64, f"ptrtoint {whole} to i64")
        place = self.emit(PTR, f"inttoptr {(place + 63) & -64} to ptr")
        self._wholes[place.text] = whole
        return place

    def give_back(self, place: V) -> None:
        self.module.declare("void @free(ptr)")
        self.do(f"call void @free({self._wholes[place.text]})")

    # --- matrices

    def fill(self, elem: str, base: V, count: int, value: float) -> None:
        """`count` elements of one value."""
        lanes = min(self.target.vector_bytes // self.align(elem), 16)
        whole = count - count % lanes
        vector = self.const(Type(elem, lanes), value)
        one = self.const(Type(elem), value)
        self.loop(0, whole, lambda i: self.put(vector, base, i), lanes)
        self.loop(whole, count, lambda i: self.put(one, base, i))

    def copied(self, elem: str, source: V, to: V, count: int) -> None:
        """`count` elements copied."""
        lanes = min(self.target.vector_bytes // self.align(elem), 16)
        whole = count - count % lanes

        def vector(i: V) -> None:
            self.put(self.get(elem, source, i, lanes), to, i)

        self.loop(0, whole, vector, lanes)
        one = lambda i: self.put(self.get(elem, source, i), to, i)
        self.loop(whole, count, one)

    def transposed(
        self, dtype: np.dtype, source: V, to: V, rows: int, columns: int, step: int = 0
    ) -> None:
        """to[j, i] = source[i, j], for a source of so many rows and columns.

        step: elements from a row of the result to the next, if not `rows`.
        """
        # complex numbers move as words of their size
        elem = {4: "i32", 8: "i64", 16: "i128"}[dtype.itemsize]
        align = self.align(element(dtype))
        step = step or rows

        def square(top: V) -> None:
            bottom = (top + BLOCK).call("smin", rows)

            def block(left: V) -> None:
                right = (left + BLOCK).call("smin", columns)

                def row(i: V) -> None:
                    def one(j: V) -> None:
                        x = self.load(
                            Type(elem), self.at(elem, source, i * columns + j), align
                        )
                        self.store(x, self.at(elem, to, j * step + i), align)

                    self.loop(left, right, one)

                self.loop(top, bottom, row)

            self.loop(0, columns, block, BLOCK)

        self.loop(0, rows, square, BLOCK)

    def all_finite(self, elem: str, base: V, count: int) -> V:
        """Whether none of the elements is NaN or infinite."""
        word = "i32" if elem == "float" else "i64"
        mask = 0x7F800000 if elem == "float" else 0x7FF0000000000000
        lanes = min(self.target.vector_bytes // self.align(elem), 16)
        whole = count - count % lanes
        # the largest exponent of each lane so far
        most = self.alloca(word, lanes)
        self.put(self.const(Type(word, lanes), 0), most)

        def see(i: V, lanes: int) -> None:
            exponent = self.get(word, base, i, lanes) & mask
            self.put(self.get(word, most, 0, lanes).call("umax", exponent), most)

        self.loop(0, whole, lambda i: see(i, lanes), lanes)
        self.loop(whole, count, lambda i: see(i, 1))
        vector = self.get(word, most, 0, lanes)
        name = f"llvm.vector.reduce.umax.{vector.type.suffix}"
        self.module.declare(f"{word} @{name}({vector.type})")
        return self.emit(Type(word), f"call {word} @{name}({vector})").ne(mask)
