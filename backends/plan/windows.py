"""Kernels of reductions over windows; window_choices.py has their derivatives."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from jaxlike.backends.plan.access import (
    Access,
    Affine,
    Resolver,
    strides,
    whole,
)
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.ir import Value
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.moves import padded
from jaxlike.backends.plan.ops import (
    DTYPES,
    INDEX,
    REDUCTIONS,
    compute_dtype,
    identity,
    kind,
)
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import JaxprEqn, Literal, Var

MAX_WINDOW = 32
"""Elements of a window that are written out one after the other."""
SEPARATE = 12
"""Elements of a window from which axes are reduced one at a time."""

_REDUCERS = {
    "reduce_window_max": "max",
    "reduce_window_min": "min",
    "reduce_window_sum": "add",
}


class Moves(NamedTuple):
    """How a window moves; a sequence of each, per axis."""

    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    base: tuple[int, ...]
    holes: tuple[int, ...]


class Positions:
    """A kernel over the positions of a window; the last axis is the inner loop."""

    def __init__(self, counts: Sequence[int], moves: Moves):
        self.counts, self.moves = counts, moves
        self.k = KernelBuilder(counts[:-1])

    def loop(self):
        return self.k.loop(self.counts[-1])

    def guards(self, d: int, value: Value, shift: int, size: int):
        """(value or None, coefficient, constant) of the element along axis d at a
        position, and the tests that it is there."""
        k, step, base = self.k, self.moves.strides[d], self.moves.base[d]
        last = (self.counts[d] - 1) * step + shift
        inside = shift >= 0 and last <= (size - 1) * base
        if inside and base == 1:
            return value, step, shift, []
        at = k.op("mul", value, k.const(step, INDEX))
        at = k.op("add", at, k.const(shift, INDEX))
        tests = []
        if not inside:
            tests = [
                k.op("ge", at, k.const(0, INDEX)),
                k.op("le", at, k.const((size - 1) * base, INDEX)),
            ]
        if base == 1:
            return value, step, shift, tests
        zero, whole = k.const(0, INDEX), k.const(base, INDEX)
        tests.append(k.op("eq", k.op("rem", at, whole), zero))
        return k.op("div", at, whole), 1, 0, tests

    def place(self, indices, shape, address: Affine, offset):
        """(terms, constant, guard) of an element of the window at each position."""
        terms: dict[Value, int] = {}
        const, guard = address.const, None
        for d, value in enumerate(indices):
            shift = offset[d] * self.moves.holes[d] - self.moves.padding[d][0]
            at, step, start, tests = self.guards(d, value, shift, shape[d])
            const += start * address.coefs[d]
            terms[at] = terms.get(at, 0) + step * address.coefs[d]
            for test in tests:
                guard = test if guard is None else self.k.op("and", guard, test)
        return terms, const, guard


def moves_of(params) -> Moves:
    """The moves of a window equation."""
    strides = params["window_strides"]
    ones = (1,) * len(strides)
    base, holes = (params.get(f"{d}_dilation", ones) for d in ("base", "window"))
    return Moves(strides, params["padding"], base, holes)


def lower_reduce_window(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """One kernel, or some for each axis where windows are large."""
    (x,), (out,) = eqn.invars, eqn.outvars
    window, dtype = eqn.params["window_dimensions"], out.aval.dtype
    name = _REDUCERS[eqn.primitive.name]
    if dtype not in DTYPES or not out.aval.shape or 0 in (x.aval.size, out.aval.size):
        return None
    access = whole(x, resolver)
    if access is None or kind(dtype) not in REDUCTIONS[name]:
        return None
    shape, moves = x.aval.shape, moves_of(eqn.params)
    lowered: list[Lowered] = []
    padded_axes = [d for d, pad in enumerate(moves.padding) if any(pad)]
    if window[-1] > 1 and padded_axes and all(d == 1 for d in moves.base):
        # one copy costs less than asking for each lane whether it is outside
        pads = {d: (*moves.padding[d], 1) for d in padded_axes}
        wide_shape = [n + sum(pad) for n, pad in zip(shape, moves.padding)]
        around = Var(ShapedArray(tuple(wide_shape), dtype))
        fill = Literal(identity(name, dtype), ShapedArray((), dtype))
        lowered.append(padded(access, shape, pads, around, fill))
        shape = around.aval.shape
        access = Access(around, Affine(0, strides(shape)))
        moves = moves._replace(padding=((0, 0),) * len(shape))
    # sums of 16-bit floats are kept in 32 bits, and rounded once
    wide = dtype
    if name == "add" and kind(dtype) == "f":
        wide = compute_dtype(dtype)
    size = math.prod(window)
    # elements of overlapping windows, apart in memory, are better read few times
    apart = size > window[-1] > moves.strides[-1] > 1
    if size < SEPARATE and not apart:
        return [*lowered, _reduced(name, window, access, shape, moves, out, wide)]
    steps: list[tuple[int, Along]] = []
    for d in sorted(range(len(shape)), key=lambda d: out.aval.shape[d] / shape[d]):
        along = Along(window[d], *(each[d] for each in moves))
        found = [] if along == Along() else along.small(shape[d])
        if found is None:
            return None
        steps += [(d, part) for part in found]
    for i, (axis, along) in enumerate(steps):
        counts = list(shape)
        counts[axis] = along.count(shape[axis])
        target = out
        if i < len(steps) - 1:
            target = Var(ShapedArray(tuple(counts), wide))
        still = [along if d == axis else Along() for d in range(len(shape))]
        one, *rest = (tuple(each) for each in zip(*still))
        lowered.append(_reduced(name, one, access, shape, Moves(*rest), target, wide))
        shape = tuple(counts)
        access = Access(target, Affine(0, strides(shape)))
    return lowered


class Along(NamedTuple):
    """A window and its moves along one axis."""

    window: int = 1
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    base: int = 1
    hole: int = 1

    def count(self, size: int) -> int:
        room = (size - 1) * self.base + 1 + sum(self.padding)
        return (room - (self.window - 1) * self.hole - 1) // self.stride + 1

    def small(self, size: int) -> list[Along] | None:
        """The same reduction by windows of at most MAX_WINDOW elements, one after the
        other; None where there is no such."""
        if self.window <= MAX_WINDOW:
            return [self]
        part = next((k for k in range(MAX_WINDOW, 1, -1) if self.window % k == 0), None)
        if part is None:
            return None
        if self.hole == 1 and self.stride % part == 0:
            first = self._replace(window=part, stride=part)
            then = Along(self.window // part, self.stride // part)
        else:
            first = self._replace(window=part, stride=1)
            then = Along(self.window // part, self.stride, hole=self.hole * part)
        rest = then.small(first.count(size))
        return None if rest is None else [first, *rest]


def _reduced(name, window, access: Access, shape, moves: Moves, out: Var, wide):
    """A kernel in which the elements of a window are written out."""
    positions = Positions(out.aval.shape, moves)
    k, base = positions.k, access.base
    source = k.input(base.aval.dtype, base.aval.shape)
    target = k.output(out.aval.dtype, out.aval.shape)
    neutral = identity(name, base.aval.dtype)
    with positions.loop() as loop:
        indices = [*k.indices, loop.index]
        total = None
        for offset in itertools.product(*map(range, window)):
            place = positions.place(indices, shape, access.address, offset)
            terms, const, guard = place
            other = None if guard is None else k.const(neutral, base.aval.dtype)
            value = k.convert(k.load(source, terms, const, guard, other), wide)
            total = value if total is None else k.op(name, total, value)
        value = k.convert(total, out.aval.dtype)
        k.store(target, dict(zip(indices, strides(out.aval.shape))), value)
    return Lowered(k.finish(f"reduce_window_{name}"), [base], [out])
