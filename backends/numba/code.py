"""Raw kernels written with `llvm.V`: what sorts and selections are made with.

`Code` is the function of one stage. Loops carry values as Python lists; a body is a
function of the index (and of the values), called once to write the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jaxlike.backends.numba.engine import RawKernel
from jaxlike.backends.numba.llvm import Function, Module, Type, V
from jaxlike.backends.numba.memory import I64
from jaxlike.backends.numba.ranges import Ranges

PTR = Type("ptr")
_PARAMS = [("ptr", "", "buffers"), ("i64", "", "lo"), ("i64", "", "hi")]
_ATTRIBUTES = 'nounwind "prefer-vector-width"="512"'


class Code(Ranges):
    """`void SYMBOL(ptr buffers, i64 lo, i64 hi)` being written."""

    def __init__(self) -> None:
        self.module = Module()
        self.f = Function(self.module, "SYMBOL", _PARAMS, attributes=_ATTRIBUTES)
        self.lo, self.hi = V(self.f, I64, "%lo"), V(self.f, I64, "%hi")

    def kernel(self, extent: int, ns: float, grain: int = 1) -> RawKernel:
        """The finished kernel."""
        self.f.ret()
        declared = tuple(self.module.declarations)
        return RawKernel(str(self.f), extent, ns, grain, declarations=declared)

    # -- values ----------------------------------------------------------------------
    def argument(self, place: int) -> V:
        """The address of an argument's memory."""
        f = self.f
        table = V(f, PTR, "%buffers")
        return f.load(PTR, f.gep("ptr", table, self.i64(place)), 8)

    def i64(self, number: int) -> V:
        return self.f.const(I64, number)

    def at(self, base: V, elem: str, index: V | int) -> V:
        """base + index elements."""
        index = index if isinstance(index, V) else self.i64(index)
        return self.f.gep(elem, base, index)

    def read(self, base: V, elem: str, index: V | int, lanes: int = 1) -> V:
        p = self.at(base, elem, index)
        return self.f.load(Type(elem, lanes), p, max(1, Type(elem).bits // 8))

    def write(self, value: V, base: V, index: V | int) -> None:
        elem = value.type.elem
        p = self.at(base, elem, index)
        self.f.store(value, p, max(1, value.type.bits // 8))

    def iota(self, start: V, elem: str, lanes: int) -> V:
        """start, start + 1, ... in lanes of an element type."""
        start = start.cast("trunc", elem) if elem != "i64" else start
        if lanes == 1:
            return start
        return self.f.splat(start, lanes) + self.f.vector(elem, range(lanes))

    def joined(self, name: str, v: V) -> V:
        """The lanes of an integer vector combined: add, or, and, smax ..."""
        if v.type.lanes == 1:
            return v
        to = Type(v.type.elem)
        full = f"llvm.vector.reduce.{name}.{v.type.suffix}"
        self.module.declare(f"{to} @{full}({v.type})")
        return self.f.emit(to, f"call {to} @{full}({v})")

    # -- loops -----------------------------------------------------------------------
    def loop(
        self,
        start: V | int,
        stop: V | int,
        carried: Sequence[V],
        body: Callable[[V, list[V]], Sequence[V]],
        step: int = 1,
    ) -> list[V]:
        """for i in range(start, stop, step), but only for i <= stop - step."""
        start = start if isinstance(start, V) else self.i64(start)
        stop = stop if isinstance(stop, V) else self.i64(stop)
        limit = stop - (step - 1) if step > 1 else stop
        _, out = self.guarded_loop(
            start,
            lambda i: i.cmp("slt", limit),
            step,
            [[v] for v in carried],
            lambda at, _, accs: [[v] for v in body(at, [v for (v,) in accs])],
        )
        return [v for (v,) in out]

    def each(self, start, stop, body: Callable[[V], None], step: int = 1) -> None:
        """A loop without values."""

        def run(i: V, _):
            body(i)
            return []

        self.loop(start, stop, [], run, step)

    def vectors(
        self,
        start: V,
        stop: V,
        lanes: int,
        totals: Sequence[tuple[str, V]],
        body: Callable[[V, int, list[V]], Sequence[V]],
    ) -> list[V]:
        """body(i, lanes, totals) over whole vectors, then one by one.

        totals: what is accumulated: (name for `joined`, its identity as a scalar).
        """
        f = self.f
        count = stop - start
        end = start + (count.call("smax", 0) & -lanes)
        wide = self.loop(
            start,
            end,
            [f.splat(v, lanes) for _, v in totals],
            lambda i, accs: body(i, lanes, accs),
            lanes,
        )
        scalars = [self.joined(name, v) for (name, _), v in zip(totals, wide)]
        return self.loop(end, stop, scalars, lambda i, accs: body(i, 1, accs))

    def repeat(
        self,
        carried: Sequence[V],
        more: Callable[[list[V]], V],
        body: Callable[[list[V]], Sequence[V]],
    ) -> list[V]:
        """while more(values): values = body(values)."""
        f = self.f
        before, head = f.block, f.label("while")
        inside, after = f.label("do"), f.label("after")
        f.jump(head)
        f.begin(head)
        phis = [f.phi(v.type, v, before) for v in carried]
        values = [v for v, _ in phis]
        f.branch(more(values), inside, after)
        f.begin(inside)
        new = body(values)
        for (_, place), v in zip(phis, new, strict=True):
            f.close_phi(place, v, f.block)
        f.jump(head)
        f.begin(after)
        return values
