"""dot_general as a product of tiles."""

from __future__ import annotations

from jaxlike.backends.plan.access import Access, Affine, Resolver, strides, unit, zero
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.products import (
    Role,
    Space,
    lower_space,
    product_dtype,
    rounded,
)
from jaxlike.core.jaxpr import Atom, JaxprEqn


def lower_dot(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """The kernels of a dot_general; None for dtypes that tiles do not have."""
    lhs, rhs = eqn.invars
    out = eqn.outvars[0]
    dtype = product_dtype(lhs.aval.dtype, rhs.aval.dtype, out.aval.dtype)
    if dtype is None or 0 in (lhs.aval.size, rhs.aval.size):
        return None
    (lc, rc), (lb, rb) = eqn.params["dimension_numbers"]
    lfree = [d for d in range(lhs.aval.ndim) if d not in (*lc, *lb)]
    rfree = [d for d in range(rhs.aval.ndim) if d not in (*rc, *rb)]
    sizes = [lhs.aval.shape[d] for d in (*lb, *lfree)]
    sizes += [rhs.aval.shape[d] for d in rfree] + [lhs.aval.shape[d] for d in lc]
    nb, nr, nc, ns = len(lb), len(lfree), len(rfree), len(lc)
    roles = [Role.BATCH] * nb + [Role.ROW] * nr + [Role.COLUMN] * nc + [Role.SUM] * ns
    batch, rows, columns, sums = (
        range(start, start + n)
        for start, n in ((0, nb), (nb, nr), (nb + nr, nc), (nb + nr + nc, ns))
    )
    a_place = dict(zip((*lb, *lfree, *lc), (*batch, *rows, *sums)))
    b_place = dict(zip((*rb, *rfree, *rc), (*batch, *columns, *sums)))
    a = resolved(lhs, a_place, sizes, resolver)
    b = resolved(rhs, b_place, sizes, resolver)
    if a is None or b is None:
        return None
    to = Affine(0, (*strides(out.aval.shape), *(0,) * ns))
    space = Space(tuple(sizes), tuple(roles), a, b, to)
    return rounded(out, dtype, lambda target: lower_space(target, space, dtype))


def resolved(atom: Atom, place, sizes, resolver: Resolver) -> Access | None:
    """The access of element (place[d] of the space along axis d); None if it is no
    array in memory, and no number."""
    rank = len(sizes)
    index = tuple(
        zero(rank) if n == 1 else unit(rank, place[d])
        for d, n in enumerate(atom.aval.shape)
    )
    access = resolver.resolve(atom, index, rank, sizes)
    return None if access.base is None else access
