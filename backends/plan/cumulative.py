"""Running sums, products, extrema and logsumexps along an axis.

Along contiguous memory a row is one loop with a Prefix. Few long rows are cut into
blocks, whose number the shape decides: totals of all blocks, then what is before each,
then the running values from there. Where columns lie side by side, rows of them are
accumulated into a row of local memory, a strip of columns at a time.
"""

from __future__ import annotations

import math

import numpy as np

from jaxlike.backends.plan.access import Affine, Resolver, strides, whole
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.ir import Value
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.ops import (
    DTYPES,
    INDEX,
    OPS,
    PREFIXES,
    compute_dtype,
    identity,
    kind,
)
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import JaxprEqn, Var

NAMES = {
    "cumsum": "add",
    "cumprod": "mul",
    "cummax": "max",
    "cummin": "min",
    "cumlogsumexp": "logaddexp",
}
MIN_COLUMNS = 32
"""Columns side by side from which they are accumulated together."""
STRIP = 512
"""Columns of a strip, at most: with its row of local memory it stays in the cache."""
BLOCKED = 1 << 15
"""Steps from which few rows are cut into blocks."""
BLOCK = 1 << 14
MAX_BLOCKS = 64
FEW_ROWS = 8


def lower_cumulative(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    (x,) = eqn.invars
    name, dtype = NAMES[eqn.primitive.name], x.aval.dtype
    if dtype not in DTYPES or kind(dtype) not in PREFIXES[name] or x.aval.size == 0:
        return None
    access = whole(x, resolver)
    if access is None:
        return None
    return _Cumulative(eqn, name, access.base, access.address).run()


class _Cumulative:
    """The kernels of one equation. `axis` runs from its start, or from its end."""

    def __init__(self, eqn: JaxprEqn, name: str, base: Var, address: Affine):
        self.eqn, self.name, self.base = eqn, name, base
        (self.out,) = eqn.outvars
        self.dtype = self.out.aval.dtype
        self.wide = _wide(name, self.dtype)
        self.shape, self.axis = self.out.aval.shape, eqn.params["axis"]
        self.steps = self.shape[self.axis]
        source, target = address, Affine(0, strides(self.shape))
        if eqn.params["reverse"]:
            source, target = self._reversed(source), self._reversed(target)
        self.source, self.target = source, target
        self.columns = math.prod(self.shape[self.axis + 1 :])
        self.others = [d for d in range(len(self.shape)) if d != self.axis]

    def _reversed(self, address: Affine) -> Affine:
        coefs = list(address.coefs)
        const = address.const + coefs[self.axis] * (self.steps - 1)
        coefs[self.axis] = -coefs[self.axis]
        return Affine(const, tuple(coefs))

    def run(self) -> list[Lowered]:
        last = len(self.shape) - 1
        if (
            self.axis != last
            and self.shape[last] >= MIN_COLUMNS
            and self.name in OPS  # in one step
        ):
            return [self._in_strips()]
        rows = math.prod(self.shape[d] for d in self.others)
        if self.steps >= BLOCKED and rows < FEW_ROWS:
            return self._in_blocks()
        k, buffers = self._builder(self.others)
        self._scan(k, buffers, self.others, self.steps, None, self._start(k))
        return [self._lowered(k)]

    # --- kernels

    def _builder(self, axes, *more: int) -> tuple[KernelBuilder, tuple[int, int]]:
        """A kernel over some axes (and more extents), with the operand and result."""
        k = KernelBuilder([*(self.shape[d] for d in axes), *more])
        x = k.input(self.base.aval.dtype, self.base.aval.shape)
        return k, (x, k.output(self.dtype, self.shape))

    def _lowered(self, k: KernelBuilder, *more: Var) -> Lowered:
        kernel = k.finish(self.eqn.primitive.name)
        return Lowered(kernel, [self.base, *more], [self.out], (self.eqn,))

    def _start(self, k: KernelBuilder) -> Value:
        return k.const(identity(self.name, self.wide), self.wide)

    def _at(self, address: Affine, places: dict[int, Value]) -> dict[Value, int]:
        return {v: address.coefs[d] for d, v in places.items()}

    def _load(self, k: KernelBuilder, x: int, places: dict[int, Value]) -> Value:
        value = k.load(x, self._at(self.source, places), self.source.const)
        return k.convert(value, self.wide)

    def _store(self, k: KernelBuilder, y: int, places, value: Value) -> None:
        value = k.convert(value, self.dtype)
        k.store(y, self._at(self.target, places), value, self.target.const)

    def _scan(self, k, buffers, axes, steps: int, first: Value | None, start: Value):
        """The loop along the axis at each grid point, from step `first` on."""
        x, y = buffers
        places = dict(zip(axes, k.indices))
        with k.loop(steps) as loop:
            at = loop.index if first is None else k.op("add", first, loop.index)
            places[self.axis] = at
            value = k.prefix(self.name, self._load(k, x, places), start)
            self._store(k, y, places, value)

    def _in_strips(self) -> Lowered:
        *outer, last = self.others
        size = self.shape[last]
        width = max(w for w in range(1, min(size, STRIP) + 1) if size % w == 0)
        if width < MIN_COLUMNS:
            width = size if size <= 8 * STRIP else STRIP
        strips = -(-size // width)
        k, (x, y) = self._builder(outer, strips)
        *_, strip = k.indices
        places = dict(zip(outer, k.indices))
        sums = k.buffer(self.wide, (width,), "local")
        first = k.op("mul", strip, k.const(width, INDEX))
        if strips * width > size:  # the last strip overlaps the one before
            first = k.op("min", first, k.const(size - width, INDEX))
        with k.loop(width) as loop:
            k.store(sums, {loop.index: 1}, self._start(k))
        name = self.name
        with k.loop(self.steps, sequential=True) as rows:
            places[self.axis] = rows.index
            with k.loop(width) as loop:
                places[last] = k.op("add", first, loop.index)
                at = {loop.index: 1}
                value = k.op(name, k.load(sums, at), self._load(k, x, places))
                k.store(sums, at, value)
                self._store(k, y, places, value)
        return self._lowered(k)

    def _in_blocks(self) -> list[Lowered]:
        count = min(MAX_BLOCKS, self.steps // BLOCK)
        size = self.steps // count
        rest = self.steps - count * size
        extents = [self.shape[d] for d in self.others]
        shape = (*extents, count + 1)
        place = dict(zip(self.others, strides(shape)))
        totals = Var(ShapedArray(shape, self.wide))

        # what is in each block, at the place of the next
        k = KernelBuilder([*extents, count])
        x = k.input(self.base.aval.dtype, self.base.aval.shape)
        t = k.output(self.wide, shape)
        *_, block = k.indices
        places = dict(zip(self.others, k.indices))
        at = {v: place[d] for d, v in places.items()} | {block: 1}
        first = k.op("mul", block, k.const(size, INDEX))
        k.store(t, at, self._total(k, x, places, first, size), 1)
        stages = [Lowered(k.finish("totals"), [self.base], [totals], (self.eqn,))]

        # what is before each block
        k = KernelBuilder(extents)
        t = k.buffer(self.wide, shape, "inout")
        at = {v: place[d] for d, v in zip(self.others, k.indices)}
        start = self._start(k)
        k.store(t, at, start)
        with k.loop(count) as loop:
            here = at | {loop.index: 1}
            k.store(t, here, k.prefix(self.name, k.load(t, here, 1), start), 1)
        stages.append(Lowered(k.finish("before"), [], [totals], (self.eqn,)))

        def scans(blocks: int, number: int, size: int) -> Lowered:
            """Blocks `number` to number + blocks."""
            k = KernelBuilder([*extents, blocks])
            x = k.input(self.base.aval.dtype, self.base.aval.shape)
            t, y = k.input(self.wide, shape), k.output(self.dtype, self.shape)
            *_, block = k.indices
            at = {v: place[d] for d, v in zip(self.others, k.indices)} | {block: 1}
            start = k.load(t, at, number)
            first = k.op("mul", block, k.const(size, INDEX))
            first = k.op("add", first, k.const(number * (self.steps // count), INDEX))
            self._scan(k, (x, y), self.others, size, first, start)
            return self._lowered(k, totals)

        stages.append(scans(count, 0, size))
        if rest:
            stages.append(scans(1, count, rest))
        return stages

    def _total(self, k: KernelBuilder, x: int, places, first: Value, size: int):
        """The accumulation of a block."""
        places = dict(places)

        def reduced(name: str, change) -> Value:
            with k.loop(size) as loop:
                places[self.axis] = k.op("add", first, loop.index)
                loop.reduce(name, change(self._load(k, x, places)))
            return loop.results[0]

        if self.name != "logaddexp":
            return reduced(self.name, lambda v: v)
        top = reduced("max", lambda v: v)
        zero = k.const(0, self.wide)
        top = k.op("select_n", k.op("is_finite", top), zero, top)
        total = reduced("add", lambda v: k.op("exp", k.op("sub", v, top)))
        return k.op("add", top, k.op("log", total))


def _wide(name: str, dtype: np.dtype) -> np.dtype:
    """What accumulates: long sums of float32 lose digits as they grow."""
    if name == "add" and dtype in (np.float32, np.complex64):
        return np.dtype(np.float64 if dtype.kind == "f" else np.complex128)
    if name == "logaddexp":
        return np.dtype(np.float64)
    return compute_dtype(dtype)
