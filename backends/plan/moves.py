"""Kernels that move data: concatenate and pad."""

from __future__ import annotations

import math
from collections.abc import Sequence

from jaxlike.backends.plan.access import Access, Resolver, strides, whole
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.ir import Value
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.ops import DTYPES, INDEX
from jaxlike.core.jaxpr import JaxprEqn, Literal, Var

MAX_PIECES = 16
MAX_HOLE = 4
"""Distance of spread elements up to which each writes the hole behind it."""
FEW_EDGES = 4096
"""Elements around the spread ones that one thread may write."""
Pads = dict[int, tuple[int, int, int]]


def lower_concatenate(
    eqn: JaxprEqn, resolver: Resolver, most: int = MAX_PIECES
) -> list[Lowered] | None:
    """One kernel: for each place of the axes before, each piece's loop."""
    (out,) = eqn.outvars
    axis = eqn.params["dimension"]
    pieces = [v for v in eqn.invars if v.aval.size]
    if not pieces or len(pieces) > most or out.aval.dtype not in DTYPES:
        return None
    accesses = [whole(v, resolver, literals=True) for v in pieces]
    if any(a is None for a in accesses):
        return None
    shape = out.aval.shape
    steps = strides(shape)
    k = KernelBuilder(shape[:axis])
    inputs: list[Var] = []
    buffers: dict[Var, int] = {}
    for access in accesses:
        base = access.base
        if type(base) is not Literal and base not in buffers:
            buffers[base] = k.input(base.aval.dtype, base.aval.shape)
            inputs.append(base)
    y = k.output(out.aval.dtype, shape)
    start = 0
    for v, access in zip(pieces, accesses):
        terms = dict(zip(k.indices, access.address.coefs))
        to = dict(zip(k.indices, steps))
        source = access.base
        if type(source) is not Literal:
            source = buffers[source]
        _copy(
            k,
            v.aval.shape[axis:],
            (source, access.address.coefs[axis:], access.address.const),
            (y, steps[axis:], start * steps[axis]),
            terms,
            to,
        )
        start += v.aval.shape[axis]
    return [Lowered(k.finish("concatenate"), inputs, [out])]


def _copy(k: KernelBuilder, shape: Sequence[int], source, target, terms, to) -> None:
    """Loops that copy; neighbouring axes that both sides walk as one are one loop."""
    x, from_steps, from_const = source
    y, to_steps, to_const = target
    if not shape:
        number = isinstance(x, Literal)
        value = k.const(x.val, x.aval.dtype) if number else k.load(x, terms, from_const)
        k.store(y, to, value, to_const)
        return
    size, used = shape[0], 1
    while used < len(shape) and (
        shape[used] == 1
        or size == 1
        or (
            from_steps[used - 1] == from_steps[used] * shape[used]
            and to_steps[used - 1] == to_steps[used] * shape[used]
        )
    ):
        if shape[used] == 1:  # keep the steps of the axis that counts
            from_steps = (
                *from_steps[:used],
                from_steps[used - 1],
                *from_steps[used + 1 :],
            )
            to_steps = (*to_steps[:used], to_steps[used - 1], *to_steps[used + 1 :])
        size *= shape[used]
        used += 1
    with k.loop(size) as loop:
        i = loop.index
        _copy(
            k,
            shape[used:],
            (x, from_steps[used:], from_const),
            (y, to_steps[used:], to_const),
            {**terms, i: from_steps[used - 1]},
            {**to, i: to_steps[used - 1]},
        )


def lower_pad(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    x, fill = eqn.invars
    (out,) = eqn.outvars
    if 0 in (x.aval.size, out.aval.size) or not out.aval.shape:
        return None
    if out.aval.dtype not in DTYPES:
        return None
    config = eqn.params["padding_config"]
    pads = {
        d: (lo, hi, 1 + n) for d, (lo, hi, n) in enumerate(config) if any((lo, hi, n))
    }
    value = whole(fill, resolver) if type(fill) is not Literal else fill
    access = whole(x, resolver)
    if value is None or access is None:
        return None
    last = out.aval.ndim - 1
    if [*pads] == [last]:
        low, high, hole = pads[last]
        edges = low + high
        few = edges <= FEW_EDGES or edges <= out.aval.size // out.aval.shape[last]
        if min(low, high) >= 0 and 1 < hole <= MAX_HOLE and few:
            return _spread(access, x.aval.shape[last], pads[last], out, value)
    return [padded(access, x.aval.shape, pads, out, value)]


def _spread(access: Access, size: int, pad, out: Var, fill) -> list[Lowered]:
    """Elements of the last axis apart, with holes: each writes the hole behind it. A
    second kernel writes the last element and the edges."""
    low, high, hole = pad
    *outer, _ = out.aval.shape
    *steps, step = access.address.coefs
    rows = strides(out.aval.shape)[:-1]
    lowered = []
    for main in (True, False):
        k = KernelBuilder([*outer, size - 1] if main else outer)
        x = k.input(access.base.aval.dtype, access.base.aval.shape)
        inputs, other = [access.base], _fill_value(k, x, access, fill)
        if isinstance(fill, Access) and fill.base is not access.base:
            inputs.append(fill.base)
        y = k.output(out.aval.dtype, out.aval.shape)
        from_terms, to_terms = (dict(zip(k.indices, s)) for s in (steps, rows))

        def put(value, terms, const, k=k, y=y, to=to_terms):
            k.store(y, to | terms, k.convert(value, out.aval.dtype), const)

        if main:
            i = k.indices[-1]
            value = k.load(x, from_terms | {i: step}, access.address.const)
            put(value, {i: hole}, low)
            for r in range(1, hole):
                put(other, {i: hole}, low + r)
        else:
            end = access.address.const + (size - 1) * step
            at = low + (size - 1) * hole
            put(k.load(x, from_terms, end), {}, at)
            for count, start in ((low, 0), (high, at + 1)):
                with k.loop(count) as loop:
                    put(other, {loop.index: 1}, start)
        if k.grid[-1:] != (0,):
            lowered.append(Lowered(k.finish("spread"), inputs, [out]))
    return lowered


def _fill_value(k: KernelBuilder, x: int, access: Access, fill) -> Value:
    """The number to fill with; an array that holds it is the next argument, if it is
    not that of buffer x."""
    if fill is None or isinstance(fill, Literal):
        return k.const(0 if fill is None else fill.val, access.base.aval.dtype)
    if fill.base is not access.base:
        x = k.input(fill.base.aval.dtype, fill.base.aval.shape)
    return k.load(x, {}, fill.address.const)


def padded(
    access: Access,
    sizes: Sequence[int],
    pads: Pads,
    out: Var,
    fill: Access | Literal | None,
) -> Lowered:
    """A kernel that copies with (low, high, distance of neighbours) along some axes.

    access, sizes: of the source. fill: what comes around and between; zero if None.
    """
    shape, steps = out.aval.shape, access.address.coefs
    # the last axes that are copied whole, and the one before, are one inner loop
    split = len(shape) - 1
    while (
        split > 0
        and split not in pads
        and steps[split - 1] == steps[split] * sizes[split]
        and pads.get(split - 1, (0, 0, 1))[2] == 1
    ):
        split -= 1
    width = math.prod(sizes[split + 1 :])
    # one axis is the grid itself: an inner loop would run on one thread
    k = KernelBuilder(shape[:split] or [shape[0] * width])
    x = k.input(access.base.aval.dtype, access.base.aval.shape)
    inputs, other = [access.base], _fill_value(k, x, access, fill)
    if isinstance(fill, Access) and fill.base is not access.base:
        inputs.append(fill.base)
    y = k.output(out.aval.dtype, shape)
    terms: dict[Value, int] = {}
    const, guards = access.address.const, []

    def along(value: Value, d: int, unit_size: int, step: int) -> None:
        """Add axis d, along which `value` counts elements of unit_size."""
        nonlocal const
        low, high, hole = pads.get(d, (0, 0, 1))
        low, size = low * unit_size, sizes[d] * unit_size
        if low > 0:
            guards.append(k.op("ge", value, k.const(low, INDEX)))
        if high > 0:
            last = low + (size - 1) * hole
            guards.append(k.op("le", value, k.const(last, INDEX)))
        if hole == 1:
            terms[value] = step
            const -= low * step
            return
        place = k.op("sub", value, k.const(low, INDEX))
        holes = k.const(hole, INDEX)
        inside = k.op("eq", k.op("rem", place, holes), k.const(0, INDEX))
        guards.append(inside)
        terms[k.op("div", place, holes)] = step

    for d, value in zip(range(split), k.indices):
        along(value, d, 1, steps[d])

    def element(index: Value) -> None:
        along(index, split, width, steps[-1] if width > 1 else steps[split])
        guard = None
        for g in guards:
            guard = g if guard is None else k.op("and", guard, g)
        value = k.load(x, terms, const, guard, other if guard is not None else None)
        value = k.convert(value, out.aval.dtype)
        places = dict(zip(k.indices, strides(shape)[:split]))
        k.store(y, {**places, index: 1}, value)

    if split:
        with k.loop(shape[split] * width) as loop:
            element(loop.index)
    else:
        element(k.indices[0])
    return Lowered(k.finish("pad"), inputs, [out])


def zeros(out: Var) -> Lowered:
    """A kernel that fills an array with zeros."""
    k = KernelBuilder((out.aval.size,))
    y = k.output(out.aval.dtype, out.aval.shape)
    k.store(y, {k.indices[0]: 1}, k.const(0, out.aval.dtype))
    return Lowered(k.finish("zeros"), [], [out])
