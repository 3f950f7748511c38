"""Arrays as rows along one axis: what sorts, selections and running sums work on."""

from __future__ import annotations

from collections.abc import Sequence

from jaxlike.backends.plan.access import Access, Resolver, strides, whole
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import Atom, Var


def order_of(rank: int, axis: int) -> list[int]:
    """The axes with `axis` last."""
    return [*(d for d in range(rank) if d != axis), axis]


def rows_in(
    atom: Atom, axis: int, resolver: Resolver
) -> tuple[Var, list[Lowered]] | None:
    """A variable that holds the array with `axis` last, and the kernel that makes it,
    where it does not lie so in memory; None if the array is not in memory."""
    access = whole(atom, resolver)
    if access is None:
        return None
    order = order_of(atom.aval.ndim, axis)
    shape = [atom.aval.shape[d] for d in order]
    coefs = [access.address.coefs[d] for d in order]
    base = access.base
    straight = all(
        c == s for c, s, n in zip(coefs, strides(shape), shape, strict=True) if n > 1
    )
    if straight and access.address.const == 0 and base.aval.size == atom.aval.size:
        return base, []
    rows = Var(ShapedArray(tuple(shape), atom.aval.dtype))
    return rows, [_copied(access, shape, coefs, rows, strides(shape))]


def rows_out(out: Var, axis: int) -> tuple[Var, list[Lowered]]:
    """Where rows along `axis` are to be written, and the kernel that brings them to
    `out` from there."""
    order = order_of(out.aval.ndim, axis)
    shape = [out.aval.shape[d] for d in order]
    steps = strides(shape)
    back = [0] * len(shape)
    for d, s in zip(order, steps):
        back[d] = s
    given = strides(out.aval.shape)
    if all(a == b for a, b, n in zip(back, given, out.aval.shape) if n > 1):
        return out, []
    rows = Var(ShapedArray(tuple(shape), out.aval.dtype))
    access = whole(rows, Resolver({}))
    return rows, [_copied(access, out.aval.shape, back, out, given)]


def _copied(access: Access, shape: Sequence[int], coefs, out: Var, steps) -> Lowered:
    k = KernelBuilder(shape[:-1])
    x = k.input(access.base.aval.dtype, access.base.aval.shape)
    y = k.output(out.aval.dtype, out.aval.shape)
    with k.loop(shape[-1]) as loop:
        places = [*k.indices, loop.index]
        value = k.load(x, dict(zip(places, coefs)), access.address.const)
        k.store(y, dict(zip(places, steps)), value)
    return Lowered(k.finish("rows"), [access.base], [out])
