"""dot_general as a product of tiles."""

from __future__ import annotations

import math

from jaxlike.backends.plan.access import Affine, Resolver, unit, zero
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.placing import parts_of_result, pieces, result_of
from jaxlike.backends.plan.products import (
    Role,
    Space,
    lower_space,
    product_dtype,
    rounded,
)
from jaxlike.core.jaxpr import JaxprEqn


def lower_dot(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """The kernels of a dot_general; None for dtypes that tiles do not have."""
    eqn, out, moves = result_of(eqn)
    lhs, rhs = eqn.invars
    dtype = product_dtype(lhs.aval.dtype, rhs.aval.dtype, out.aval.dtype)
    if dtype is None or 0 in (lhs.aval.size, rhs.aval.size):
        return None
    (lc, rc), (lb, rb) = eqn.params["dimension_numbers"]
    lfree = [d for d in range(lhs.aval.ndim) if d not in (*lc, *lb)]
    rfree = [d for d in range(rhs.aval.ndim) if d not in (*rc, *rb)]
    # the axes of the space: pieces of the result's, then the sums
    found = pieces(parts_of_result(eqn), moves)
    sizes = [piece.size for part in found for piece in part]
    sizes += [lhs.aval.shape[d] for d in lc]
    rank, roles, coefs = len(sizes), [], []
    a_index = [zero(rank)] * lhs.aval.ndim
    b_index = [zero(rank)] * rhs.aval.ndim
    sides = [(Role.BATCH, mine, other) for mine, other in zip(lb, rb)]
    sides += [(Role.ROW, mine, None) for mine in lfree]
    sides += [(Role.COLUMN, None, other) for other in rfree]
    for part, (role, mine, other) in zip(found, sides, strict=True):
        index, below = zero(rank), math.prod(piece.size for piece in part)
        for piece in part:
            below //= piece.size
            index = index + unit(rank, len(roles)).scaled(below)
            roles.append(role)
            coefs.append(piece.step)
        if mine is not None:
            a_index[mine] = index
        if other is not None:
            b_index[other] = index
    for mine, other in zip(lc, rc):
        a_index[mine] = b_index[other] = unit(rank, len(roles))
        roles.append(Role.SUM)
        coefs.append(0)
    a = resolver.resolve(lhs, tuple(a_index), rank, sizes)
    b = resolver.resolve(rhs, tuple(b_index), rank, sizes)
    if a.base is None or b.base is None:
        return None
    space = Space(tuple(sizes), tuple(roles), a, b, Affine(0, tuple(coefs)))
    return rounded(out, dtype, lambda target: lower_space(target, space, dtype))
