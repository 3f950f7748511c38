"""Reductions: accumulators of a loop, lane by lane, and their combination at its end.

An accumulator is a list of parts: one, two for complex (real, imaginary), two for
argmax and argmin (value, position). Lanes are combined by halves, always in the same
order.
"""

from __future__ import annotations

import numpy as np

from jaxlike.backends.numba.complexes import multiply
from jaxlike.backends.numba.elementwise import extremum, rounded, value_elem
from jaxlike.backends.numba.llvm import Function, Type, V
from jaxlike.backends.plan.ir import Reduction
from jaxlike.backends.plan.ops import identity, kind, real_dtype


class Accumulator:
    """One Reduction of a loop; dtypes are those of its arguments."""

    def __init__(self, f: Function, reduction: Reduction, dtypes: list[np.dtype]):
        self.f, self.name = f, reduction.name
        self.dtype = dtypes[0]
        self.paired = self.name in ("argmax", "argmin")
        self.complex = self.dtype.kind == "c"
        elems = [value_elem(real_dtype(self.dtype))]
        start = [identity(self.name, self.dtype)]
        if self.complex:
            elems *= 2
            start = [start[0].real, start[0].imag]
        if self.paired:
            elems.append(value_elem(dtypes[1]))
            start.append(np.iinfo(dtypes[1]).max)
            self.position = dtypes[1]
        self.elems, self.start = elems, start

    def initial(self, lanes: int) -> list[V]:
        """The identity in all lanes."""
        pairs = zip(self.elems, self.start, strict=True)
        return [self.f.const(Type(e, lanes), s) for e, s in pairs]

    def accumulate(self, acc: list[V], values: list, mask: V | None) -> list[V]:
        """acc combined with one iteration's values; lanes outside the mask stay."""
        parts = [p for v in values for p in (v if isinstance(v, tuple) else (v,))]
        lanes = acc[0].type.lanes
        parts = [self.f.splat(p, lanes) for p in parts]
        if mask is not None:
            parts = [mask.where(p, s) for p, s in zip(parts, self.start, strict=True)]
        return self.combine(acc, parts)

    def combine(self, a: list[V], c: list[V]) -> list[V]:
        """The reduction's binary operation."""
        if self.paired:
            return self._arg(a, c)
        if self.complex:
            if self.name == "add":
                return [x + y for x, y in zip(a, c, strict=True)]
            return list(multiply(tuple(a), tuple(c)))
        (x,), (y,) = a, c
        match self.name:
            case "add":
                return [x + y]
            case "mul":
                return [x * y]
            case "and":
                return [x & y]
            case "or":
                return [x | y]
            case "xor":
                return [x ^ y]
        if kind(self.dtype) == "f":
            # NaN wins; which of two zeros does is left open, at half the instructions
            full = "maximum" if self.name == "max" else "minimum"
            return [self.f.intrinsic(full, x, y, flags=" nsz")]
        return [extremum(self.name, x, y, self.dtype)]

    def _arg(self, a: list[V], c: list[V]) -> list[V]:
        (x, i), (y, j) = a, c
        k = kind(self.dtype)
        more = "gt" if self.name == "argmax" else "lt"
        lower = j.cmp("slt" if kind(self.position) == "i" else "ult", i)
        if k == "f":
            first = y.cmp("o" + more, x) | (y.isnan() & x.cmp("ord", x))
            tie = y.eq(x) | (y.isnan() & x.isnan())
        else:
            first = y.cmp(("s" if k == "i" else "u") + more, x)
            tie = y.eq(x)
        take = first | (tie & lower)
        return [take.where(y, x), take.where(j, i)]

    def horizontal(self, acc: list[V]) -> list[V]:
        """Lanes combined into one."""
        lanes = acc[0].type.lanes
        while lanes > 1:
            lanes //= 2
            low, high = range(lanes), range(lanes, 2 * lanes)
            a = [self.f.shuffle(p, p, list(low)) for p in acc]
            c = [self.f.shuffle(p, p, list(high)) for p in acc]
            acc = self.combine(a, c)
        return acc

    def finish(self, acc: list[V]) -> list:
        """The loop's results, one a `Reduction.outs`."""
        if self.complex:
            return [tuple(acc)]
        return [rounded(acc[0], self.dtype), *acc[1:]]
