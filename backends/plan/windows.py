"""Kernels of reductions over windows, and of their gradient (pooling)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from jaxlike.backends.plan.access import Access, Resolver, strides, unit, zero
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.ir import Value
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.ops import DTYPES, INDEX, identity
from jaxlike.core.jaxpr import Atom, JaxprEqn, Literal

MAX_WINDOW = 32
"""Elements of a window that are written out one after the other."""

_REDUCERS = {
    "reduce_window_max": "max",
    "reduce_window_min": "min",
    "reduce_window_sum": "add",
}


def whole(atom: Atom, resolver: Resolver, literals: bool = False) -> Access | None:
    """The access of an array's elements, over its own axes; None if not in memory.

    literals: whether one number everywhere will do, too.
    """
    rank = len(atom.aval.shape)
    index = tuple(
        zero(rank) if n == 1 else unit(rank, d) for d, n in enumerate(atom.aval.shape)
    )
    access = resolver.resolve(atom, index, rank)
    if access.base is None or (type(access.base) is Literal and not literals):
        return None
    return access


class _Windows:
    """A kernel over the positions of a window; the last axis is the inner loop."""

    def __init__(self, counts: Sequence[int]):
        self.counts = counts
        self.k = KernelBuilder(counts[:-1])

    def loop(self):
        return self.k.loop(self.counts[-1])

    def place(self, indices, shape, coefs, const, offset, params):
        """(terms, constant, guard) of an element of the window at each position."""
        k = self.k
        terms: dict[Value, int] = {}
        guard = None
        steps, padding, holes = params
        for d, value in enumerate(indices):
            shift = offset[d] * holes[d] - padding[d][0]
            const += shift * coefs[d]
            terms[value] = terms.get(value, 0) + steps[d] * coefs[d]
            last = (self.counts[d] - 1) * steps[d] + shift
            if shift >= 0 and last < shape[d]:
                continue
            at = k.op("mul", value, k.const(steps[d], INDEX))
            at = k.op("add", at, k.const(shift, INDEX))
            for test in (
                k.op("ge", at, k.const(0, INDEX)),
                k.op("lt", at, k.const(shape[d], INDEX)),
            ):
                guard = test if guard is None else k.op("and", guard, test)
        return terms, const, guard


def lower_reduce_window(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    (x,), (out,) = eqn.invars, eqn.outvars
    params = eqn.params
    window = params["window_dimensions"]
    dtype = out.aval.dtype
    plain = dtype in DTYPES and dtype.kind in "iuf" and dtype.itemsize >= 4
    if not plain or out.aval.size == 0 or not out.aval.shape:
        return None
    if math.prod(window) > MAX_WINDOW or any(d != 1 for d in params["base_dilation"]):
        return None
    access = whole(x, resolver)
    if access is None or x.aval.size == 0:
        return None
    name = _REDUCERS[eqn.primitive.name]
    w = _Windows(out.aval.shape)
    k = w.k
    source = k.input(dtype, access.base.aval.shape)
    target = k.output(dtype, out.aval.shape)
    moves = params["window_strides"], params["padding"], params["window_dilation"]
    with w.loop() as loop:
        indices = [*k.indices, loop.index]
        total = None
        for offset in itertools.product(*map(range, window)):
            terms, const, guard = w.place(
                indices,
                x.aval.shape,
                access.address.coefs,
                access.address.const,
                offset,
                moves,
            )
            other = None
            if guard is not None:
                other = k.const(identity(name, dtype), dtype)
            value = k.load(source, terms, const, guard, other)
            total = value if total is None else k.op(name, total, value)
        k.store(target, dict(zip(indices, strides(out.aval.shape))), total)
    return [Lowered(k.finish(eqn.primitive.name), [access.base], [out])]


def lower_select_and_scatter_add(
    eqn: JaxprEqn, resolver: Resolver
) -> list[Lowered] | None:
    """Windows that neither overlap nor hang over: each writes to its own elements."""
    source, operand = eqn.invars
    (out,) = eqn.outvars
    params = eqn.params
    window, steps = params["window_dimensions"], params["window_strides"]
    dtype = out.aval.dtype
    if dtype not in DTYPES or dtype.kind not in "iuf" or dtype.itemsize < 4:
        return None
    if math.prod(window) > MAX_WINDOW or any(k > s for k, s in zip(window, steps)):
        return None
    if any(lo or hi for lo, hi in params["padding"]) or 0 in (
        source.aval.size,
        operand.aval.size,
    ):
        return None
    given, values = whole(source, resolver, True), whole(operand, resolver)
    if given is None or values is None or operand.aval.dtype != dtype:
        return None
    counts, shape = source.aval.shape, operand.aval.shape
    before = []
    covered = all(
        n * s == m and k == s for n, s, m, k in zip(counts, steps, shape, window)
    )
    if not covered:
        k = KernelBuilder(())
        zeros = k.output(dtype, shape)
        with k.loop(out.aval.size) as loop:
            k.store(zeros, {loop.index: 1}, k.const(0, dtype))
        before.append(Lowered(k.finish("zeros"), [], [out]))
    w = _Windows(counts)
    k = w.k
    one_ct = type(given.base) is Literal
    if not one_ct:
        cts = k.input(dtype, given.base.aval.shape)
    x = k.input(dtype, values.base.aval.shape)
    y = k.output(dtype, shape)
    prefers = params["select_prim"].name
    zero_value = k.const(0, dtype)
    moves = steps, params["padding"], (1,) * len(shape)
    offsets = list(itertools.product(*map(range, window)))
    with w.loop() as loop:
        indices = [*k.indices, loop.index]
        if one_ct:
            ct = k.const(given.base.val, dtype)
        else:
            terms = dict(zip(indices, given.address.coefs))
            ct = k.load(cts, terms, given.address.const)
        best = choice = None
        for i, offset in enumerate(offsets):
            terms, const, _ = w.place(
                indices,
                shape,
                values.address.coefs,
                values.address.const,
                offset,
                moves,
            )
            value = k.load(x, terms, const)
            place = k.const(np.int32(i), np.dtype(np.int32))
            if best is None:
                best, choice = value, place
                continue
            stays = k.op(prefers, best, value)
            best = k.op("select_n", stays, value, best)
            choice = k.op("select_n", stays, place, choice)
        for i, offset in enumerate(offsets):
            terms, const, _ = w.place(indices, shape, strides(shape), 0, offset, moves)
            mine = k.op("eq", choice, k.const(np.int32(i), np.dtype(np.int32)))
            k.store(y, terms, k.op("select_n", mine, zero_value, ct), const)
    kernel = k.finish("select_and_scatter_add")
    inputs = [values.base] if one_ct else [given.base, values.base]
    return [*before, Lowered(kernel, inputs, [out])]
