"""Kernels of what window extrema are differentiated to: the element each window chose.

A window chooses the first element that select_prim does not prefer another to; padding
is never chosen. Where windows overlap, each element adds up the cotangents of those
windows around it that chose it.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from jaxlike.backends.plan.access import Access, Affine, Resolver, strides, whole
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.ir import Value
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.moves import zeros
from jaxlike.backends.plan.ops import DTYPES, compute_dtype, kind
from jaxlike.backends.plan.windows import MAX_WINDOW, Moves, Positions, moves_of
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import JaxprEqn, Literal, Var

PLACE = np.dtype(np.int32)
"""Of an element in its window; -1 where all is padding."""
MAX_PHASES = 16


class _Choice:
    """A kernel over windows that walks through the elements of each."""

    def __init__(self, values: Access, eqn: JaxprEqn, counts, shape):
        self.values, self.shape = values, shape
        params = eqn.params
        self.positions = Positions(counts, moves_of(params))
        self.offsets = list(itertools.product(*map(range, params["window_dimensions"])))
        self.prefers = params["select_prim"].name
        self.k = self.positions.k
        self.x = self.k.input(values.base.aval.dtype, values.base.aval.shape)

    def choose(self, indices) -> Value:
        """The place of the chosen element in the window."""
        k, (best, choice) = self.k, (None, None)
        for i, offset in enumerate(self.offsets):
            terms, const, guard = self.positions.place(
                indices, self.shape, self.values.address, offset
            )
            value, place = k.load(self.x, terms, const, guard), k.const(i, PLACE)
            if best is None:
                best, choice = value, place
                if guard is not None:
                    choice = k.op("select_n", guard, k.const(-1, PLACE), place)
                continue
            better = k.op("not", k.op(self.prefers, best, value))
            if len(self.offsets) > 1 and self.guarded:
                none = k.op("lt", choice, k.const(0, PLACE))
                better = k.op("or", better, none)
            if guard is not None:
                better = k.op("and", better, guard)
            best = k.op("select_n", better, best, value)
            choice = k.op("select_n", better, choice, place)
        return choice

    @property
    def guarded(self) -> bool:
        """Whether a window may see padding."""
        moves = self.positions.moves
        padded = any(low > 0 or high > 0 for low, high in moves.padding)
        return padded or any(d > 1 for d in moves.base)


def _prepared(eqn: JaxprEqn, resolver: Resolver):
    """(accesses of what is moved and of what is compared), if kernels can."""
    moved, operand = eqn.invars
    dtypes = moved.aval.dtype, operand.aval.dtype
    if any(d not in DTYPES or kind(d) not in "iuf" for d in dtypes):
        return None
    if 0 in (moved.aval.size, operand.aval.size, eqn.outvars[0].aval.size):
        return None
    if math.prod(eqn.params["window_dimensions"]) > MAX_WINDOW or not moved.aval.shape:
        return None
    given, values = whole(moved, resolver, True), whole(operand, resolver)
    return None if given is None or values is None else (given, values)


def _reader(k: KernelBuilder, access: Access, inputs: list[Var]):
    """load(terms, const, guard) of an array, or of one number."""
    base = access.base
    if type(base) is Literal:
        return lambda terms, const, guard: k.const(base.val, base.aval.dtype)
    buffer = k.input(base.aval.dtype, base.aval.shape)
    inputs.append(base)
    return lambda terms, const, guard: k.load(buffer, terms, const, guard)


def lower_select_and_gather_add(
    eqn: JaxprEqn, resolver: Resolver
) -> list[Lowered] | None:
    """Each window's element of the first operand, where the second is chosen."""
    found = _prepared(eqn, resolver)
    if found is None:
        return None
    given, values = found
    (out,), shape = eqn.outvars, eqn.invars[1].aval.shape
    choice = _Choice(values, eqn, out.aval.shape, shape)
    k, inputs = choice.k, [values.base]
    load = _reader(k, given, inputs)
    y = k.output(out.aval.dtype, out.aval.shape)
    with choice.positions.loop() as loop:
        indices = [*k.indices, loop.index]
        place, total = choice.choose(indices), k.const(0, out.aval.dtype)
        for i, offset in enumerate(choice.offsets):
            at = choice.positions.place(indices, shape, given.address, offset)
            mine = k.op("eq", place, k.const(i, PLACE))
            total = k.op("select_n", mine, total, load(*at))
        k.store(y, dict(zip(indices, strides(out.aval.shape))), total)
    return [Lowered(k.finish("select_and_gather_add"), inputs, [out])]


def lower_select_and_scatter_add(
    eqn: JaxprEqn, resolver: Resolver
) -> list[Lowered] | None:
    """The transpose: in one kernel where windows lie side by side, else in two."""
    found = _prepared(eqn, resolver)
    if found is None:
        return None
    window, steps = (eqn.params[f"window_{p}"] for p in ("dimensions", "strides"))
    apart = all(k <= s for k, s in zip(window, steps))
    if apart and not any(n for pad in eqn.params["padding"] for n in pad):
        return _scattered(eqn, *found)
    if math.prod(steps) > MAX_PHASES:
        return None
    return _gathered(eqn, *found)


def _scattered(eqn: JaxprEqn, given: Access, values: Access) -> list[Lowered]:
    """Each window writes to its own elements."""
    (out,), counts = eqn.outvars, eqn.invars[0].aval.shape
    dtype, shape = out.aval.dtype, out.aval.shape
    window, steps = (eqn.params[f"window_{p}"] for p in ("dimensions", "strides"))
    before = []
    if not all(
        n * s == m and k == s for n, s, m, k in zip(counts, steps, shape, window)
    ):
        before.append(zeros(out))
    choice = _Choice(values, eqn, counts, shape)
    k, inputs = choice.k, [values.base]
    load = _reader(k, given, inputs)
    y = k.output(dtype, shape)
    zero = k.const(0, dtype)
    own = Affine(0, strides(shape))
    with choice.positions.loop() as loop:
        indices = [*k.indices, loop.index]
        ct = load(dict(zip(indices, given.address.coefs)), given.address.const, None)
        place = choice.choose(indices)
        for i, offset in enumerate(choice.offsets):
            at, const, _ = choice.positions.place(indices, shape, own, offset)
            mine = k.op("eq", place, k.const(i, PLACE))
            k.store(y, at, k.op("select_n", mine, zero, ct), const)
    return [*before, Lowered(k.finish("select_and_scatter_add"), inputs, [out])]


def _gathered(eqn: JaxprEqn, given: Access, values: Access) -> list[Lowered]:
    """Which place each window chose; then, for each element, the sum over windows.

    Elements of one remainder modulo the strides are at the same places of the windows
    around them: each remainder is a kernel.
    """
    (out,), counts = eqn.outvars, eqn.invars[0].aval.shape
    shape, moves = out.aval.shape, moves_of(eqn.params)
    choice = _Choice(values, eqn, counts, shape)
    places = Var(ShapedArray(counts, PLACE))
    k = choice.k
    y = k.output(PLACE, counts)
    with choice.positions.loop() as loop:
        indices = [*k.indices, loop.index]
        k.store(y, dict(zip(indices, strides(counts))), choice.choose(indices))
    lowered = [Lowered(k.finish("window choices"), [values.base], [places])]
    # one list an axis: (first element, number, [(place in the window, shift)])
    axes = []
    for n, window, step, (low, _) in zip(
        shape, eqn.params["window_dimensions"], moves.strides, moves.padding
    ):
        found = []
        for r in range(min(step, n)):
            taps = [i for i in range(window) if (r + low - i) % step == 0]
            shifts = [(i, (r + low - i) // step) for i in taps]
            found.append((r, len(range(r, n, step)), shifts))
        axes.append(found)
    for phase in itertools.product(*axes):
        lowered.append(_phase(eqn, given, places, phase))
    return lowered


def _phase(eqn: JaxprEqn, given: Access, places: Var, phase) -> Lowered:
    (out,), counts = eqn.outvars, eqn.invars[0].aval.shape
    dtype, window = out.aval.dtype, eqn.params["window_dimensions"]
    rank = len(counts)
    ones = (1,) * rank
    plain = Moves(ones, ((0, 0),) * rank, ones, ones)
    positions = Positions([number for _, number, _ in phase], plain)
    k, inputs = positions.k, [places]
    chosen = k.input(PLACE, counts)
    load = _reader(k, given, inputs)
    y = k.output(dtype, out.aval.shape)
    wide = compute_dtype(dtype)
    with positions.loop() as loop:
        indices = [*k.indices, loop.index]
        zero = total = k.const(0, wide)
        for taps in itertools.product(*(shifts for _, _, shifts in phase)):
            shift = tuple(s for _, s in taps)
            own = Affine(0, strides(counts))
            terms, const, guard = positions.place(indices, counts, own, shift)
            other = None if guard is None else k.const(-1, PLACE)
            place = k.load(chosen, terms, const, guard, other)
            number = 0
            for (i, _), n in zip(taps, window):
                number = number * n + i
            ct = load(*positions.place(indices, counts, given.address, shift))
            mine = k.op("eq", place, k.const(number, PLACE))
            ct = k.op("select_n", mine, zero, k.convert(ct, wide))
            total = k.op("add", total, ct)
        to, start = {}, 0
        for value, (r, _, _), step, s in zip(
            indices, phase, eqn.params["window_strides"], strides(out.aval.shape)
        ):
            to[value] = step * s
            start += r * s
        k.store(y, to, k.convert(total, dtype), start)
    return Lowered(k.finish("select_and_scatter_add"), inputs, [out])
