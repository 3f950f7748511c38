"""Products written where their readers want them: transposes and reshapes taken along.

v = dot_general a b;  w = transpose v    -->    w = placed_product a b

if nothing else reads v. Products write any strides, as long as columns lie side by
side; without this, the gradient of each weight matrix would be turned after it is made.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxlike.backends.plan.access import is_layout
from jaxlike.backends.plan.products import product_dtype
from jaxlike.core.jaxpr import Jaxpr, JaxprEqn, Literal, Var
from jaxlike.core.primitive import Primitive

placed_product_p = Primitive("placed_product")
placed_product_p.not_differentiable = "it stands in plans only"
placed_product_p.not_batchable = "it stands in plans only"

ENOUGH = 8
"""Neighbours that make good columns."""


def _shape(*avals, product: JaxprEqn, moves: tuple[JaxprEqn, ...]):
    return moves[-1].outvars[0].aval


def _evaluate(*args, product: JaxprEqn, moves: tuple[JaxprEqn, ...]) -> np.ndarray:
    for eqn in (product, *moves):
        args = (eqn.primitive.evaluate(*args, **eqn.params),)
    return np.ascontiguousarray(args[0])


placed_product_p.shape = _shape
placed_product_p.evaluate = _evaluate
placed_product_p.cache_shape = False


def place_products(jaxpr: Jaxpr) -> Jaxpr:
    """The same jaxpr with layout equations taken into the products before them."""
    uses = Counter(v for e in jaxpr.eqns for v in e.invars if type(v) is not Literal)
    uses.update(v for v in jaxpr.outvars if type(v) is not Literal)
    reader = {v: e for e in jaxpr.eqns for v in e.invars if type(v) is not Literal}
    placed: dict[int, JaxprEqn] = {}  # by the id of the equation it replaces
    for eqn in jaxpr.eqns:
        moves: list[JaxprEqn] = []
        best = 0
        v = eqn.outvars[0] if _is_product(eqn) else None
        while v is not None and uses[v] == 1 and _moves(reader.get(v)):
            moves.append(reader[v])
            v = moves[-1].outvars[0]
            if writable(eqn, moves):
                best = len(moves)
        if best:
            new = JaxprEqn(
                eqn.invars,
                moves[best - 1].outvars,
                placed_product_p,
                {"product": eqn, "moves": tuple(moves[:best])},
                source_info=eqn.source_info,
            )
            placed[id(eqn)] = new
            placed.update((id(move), None) for move in moves[:best])
    if not placed:
        return jaxpr
    eqns = [placed.get(id(e), e) for e in jaxpr.eqns]
    return jaxpr.replace(eqns=[e for e in eqns if e is not None])


def _is_product(eqn: JaxprEqn) -> bool:
    if eqn.primitive.name not in ("dot_general", "conv_general_dilated"):
        return False
    if any(type(v) is Literal or v.aval.size == 0 for v in eqn.invars):
        return False
    dtypes = [v.aval.dtype for v in (*eqn.invars, *eqn.outvars)]
    return product_dtype(*dtypes) is not None


def _moves(eqn: JaxprEqn | None) -> bool:
    """Whether the equation only puts the same elements elsewhere."""
    if eqn is None or not is_layout(eqn) or len(eqn.invars) != 1:
        return False
    name = eqn.primitive.name
    if name in ("transpose", "reshape", "squeeze"):
        return True
    return name == "broadcast_in_dim" and (
        eqn.invars[0].aval.size == eqn.outvars[0].aval.size
    )


class Piece(NamedTuple):
    """A part of an axis: its size, and its step in memory."""

    size: int
    step: int


def pieces(
    axes: Sequence[Sequence[int]], moves: Sequence[JaxprEqn]
) -> list[list[Piece]] | None:
    """Where a result comes to lie, whose axes consist of parts of these sizes: for each
    part, the pieces that the moves cut it in, from the outermost.

    axes: for each axis, the sizes of its parts. None where a cut goes through the grid.
    """
    parts = [[[n] for n in axis] for axis in axes]  # sizes of the pieces of each part
    # the axes now: names (axis, part, piece) of what they consist of
    at = [[(a, p, 0) for p in range(len(axis))] for a, axis in enumerate(axes)]
    for eqn in moves:
        out = eqn.outvars[0].aval.shape
        if eqn.primitive.name == "transpose":
            at = [at[d] for d in eqn.params["permutation"]]
            continue
        line = [name for axis in at for name in axis]
        cut = _cut(line, out, parts)
        if cut is None:
            return None
        at = cut
    steps, step = {}, 1
    for a, p, i in reversed([name for axis in at for name in axis]):
        steps[a, p, i] = step
        step *= parts[a][p][i]
    return [
        _joined([Piece(n, steps.get((a, p, i), 0)) for i, n in enumerate(sizes)])
        for a, axis in enumerate(parts)
        for p, sizes in enumerate(axis)
    ]


def _cut(line, shape, parts):
    """The pieces in `line`, in order, shared out to axes of this shape; pieces that
    belong to two are cut."""
    line, out = list(line), []
    for n in reversed(shape):
        axis: list = []
        while n > 1:
            if not line:
                return None
            a, p, i = line.pop()
            size = parts[a][p][i]
            if n % size and size % n:
                return None
            if n < size:
                parts[a][p][i : i + 1] = [size // n, n]
                out = [[_moved_up(x, a, p, i) for x in axis] for axis in out]
                axis = [_moved_up(x, a, p, i) for x in axis]
                line = [_moved_up(x, a, p, i) for x in line]
                line.append((a, p, i))
                i, size = i + 1, n
            axis.insert(0, (a, p, i))
            n //= size
        out.insert(0, axis)
    # what is left has size 1
    return out if all(parts[a][p][i] == 1 for a, p, i in line) else None


def _moved_up(name, a: int, p: int, i: int):
    """The name of a piece after piece i of part p of axis a has been cut in two."""
    return (a, p, name[2] + 1) if name[:2] == (a, p) and name[2] > i else name


def _joined(found: list[Piece]) -> list[Piece]:
    """Pieces that lie one inside the next, as one."""
    found = [piece for piece in found if piece.size > 1] or found[:1]
    out = found[:1]
    for piece in found[1:]:
        if out[-1].step == piece.step * piece.size:
            out[-1] = Piece(out[-1].size * piece.size, piece.step)
        else:
            out.append(piece)
    return out


def parts_of_result(eqn: JaxprEqn) -> list[list[int]]:
    """The axes of a product's result, each as the parts that it is computed in."""
    axes = [[n] for n in eqn.outvars[0].aval.shape]
    if eqn.primitive.name == "conv_general_dilated":
        groups = eqn.params["feature_group_count"] * eqn.params["batch_group_count"]
        feature = eqn.params["dimension_numbers"].out_spec[1]
        axes[feature] = [groups, axes[feature][0] // groups]
    return axes


def writable(eqn: JaxprEqn, moves: Sequence[JaxprEqn]) -> bool:
    """Whether what lies side by side after the moves makes good columns."""
    axes = parts_of_result(eqn)
    found = pieces(axes, moves)
    if found is None:
        return False
    if eqn.primitive.name == "conv_general_dilated":
        feature = eqn.params["dimension_numbers"].out_spec[1]
        last = found[feature + 1] if axes[feature][1] > 1 else found[feature]
        whole = all(len(part) == 1 for part in found)
        return whole and last[0].step == 1 and last[0].size > 1
    (contract, _), (batch, _) = eqn.params["dimension_numbers"]
    first = eqn.invars[0].aval.ndim - len(contract)
    sides = found[len(batch) : first], found[first:]
    usual = math.prod(piece.size for part in sides[1] for piece in part)
    for side in sides:
        steps = {q.step: q.size for part in side for q in part if q.size > 1}
        run = 1
        while run in steps:
            run *= steps[run]
        if run > 1:
            return run >= min(ENOUGH, usual)
    return False


def result_of(eqn: JaxprEqn) -> tuple[JaxprEqn, Var, tuple[JaxprEqn, ...]]:
    """(product, what it writes, moves on the way there)"""
    if eqn.primitive is placed_product_p:
        return eqn.params["product"], eqn.outvars[0], eqn.params["moves"]
    return eqn, eqn.outvars[0], ()
