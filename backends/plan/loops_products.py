"""Small dot_generals as plain loop nests, for the bodies of loops."""

from __future__ import annotations

import math

from jaxlike.backends.plan.access import Resolver, strides, unit, zero
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.ops import DTYPES, compute_dtype
from jaxlike.core.jaxpr import JaxprEqn, Literal, Var

MAX_PRODUCTS = 1 << 12
"""Multiplications; larger ones are better done in tiles."""


def lower_small_product(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """A kernel of one loop nest; None if it is large or of mixed dtypes."""
    lhs, rhs = eqn.invars
    (out,) = eqn.outvars
    (lc, rc), (lb, rb) = eqn.params["dimension_numbers"]
    lfree = [d for d in range(lhs.aval.ndim) if d not in (*lc, *lb)]
    rfree = [d for d in range(rhs.aval.ndim) if d not in (*rc, *rb)]
    # the space: batch, rows, columns, sums
    sizes = [lhs.aval.shape[d] for d in (*lb, *lfree)]
    sizes += [rhs.aval.shape[d] for d in rfree] + [lhs.aval.shape[d] for d in lc]
    dtype = out.aval.dtype
    if dtype not in DTYPES or dtype.kind == "b" or math.prod(sizes) > MAX_PRODUCTS:
        return None
    if lhs.aval.dtype != dtype or rhs.aval.dtype != dtype or 0 in sizes:
        return None
    rank, count = len(sizes), len(sizes) - len(lc)
    rows = len(lb) + len(lfree)
    of_lhs = dict(zip((*lb, *lfree, *lc), (*range(rows), *range(count, rank))))
    of_rhs = dict(zip((*rb, *rfree, *rc), (*range(len(lb)), *range(rows, rank))))
    accesses = []
    for atom, axes in ((lhs, of_lhs), (rhs, of_rhs)):
        index = tuple(
            zero(rank) if n == 1 else unit(rank, axes[d])
            for d, n in enumerate(atom.aval.shape)
        )
        access = resolver.resolve(atom, index, rank)
        if access.base is None or type(access.base) is Literal:
            return None
        accesses.append(access)
    k = KernelBuilder(sizes[:count])
    inputs: list[Var] = list(dict.fromkeys(a.base for a in accesses))
    buffers = {v: k.input(v.aval.dtype, v.aval.shape) for v in inputs}
    y = k.output(dtype, out.aval.shape)
    wide = compute_dtype(dtype)
    places = list(k.indices)

    def total(axes: list[int]):
        if not axes:
            factors = [
                k.load(
                    buffers[a.base], dict(zip(places, a.address.coefs)), a.address.const
                )
                for a in accesses
            ]
            return k.op("mul", *(k.convert(f, wide) for f in factors))
        with k.loop(sizes[axes[0]]) as loop:
            places.append(loop.index)
            loop.reduce("add", total(axes[1:]))
        return loop.results[0]

    value = k.convert(total(list(range(count, rank))), dtype)
    k.store(y, dict(zip(k.indices, strides(out.aval.shape))), value)
    return [Lowered(k.finish("product"), inputs, [out])]
