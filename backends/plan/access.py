"""Where an operand's elements come from: affine index maps through layout equations.

Layout equations (broadcast, transpose, slice, reverse, squeeze, iota, reshape) are
never run when their result is only read by kernels: a reader looks through them to the
value that is in memory, and composes their index maps into one flat affine address.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from jaxlike.core.jaxpr import Atom, JaxprEqn, Literal, Var


class Position(NamedTuple):
    """An index that is itself read when the kernel runs, moved into [0, limit]."""

    access: Access
    dtype: np.dtype
    limit: int


class Affine(NamedTuple):
    """const + sum(coefs[d] * i_d) over the axes i_0, i_1, ... of an iteration space,
    + sum(coef * position)."""

    const: int
    coefs: tuple[int, ...]
    positions: tuple[tuple[Position, int], ...] = ()

    def scaled(self, factor: int, offset: int = 0) -> Affine:
        return Affine(
            self.const * factor + offset,
            tuple(c * factor for c in self.coefs),
            tuple((p, c * factor) for p, c in self.positions),
        )

    def __add__(self, other: Affine) -> Affine:  # type: ignore[override]
        return Affine(
            self.const + other.const,
            tuple(a + b for a, b in zip(self.coefs, other.coefs)),
            self.positions + other.positions,
        )


def zero(rank: int) -> Affine:
    return Affine(0, (0,) * rank)


def unit(rank: int, axis: int) -> Affine:
    return Affine(0, tuple(int(d == axis) for d in range(rank)))


def strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Elements from one index to the next along each axis, in C order."""
    out = [1] * len(shape)
    for d in range(len(shape) - 2, -1, -1):
        out[d] = out[d + 1] * shape[d + 1]
    return tuple(out)


def flat(shape: Sequence[int], index: Sequence[Affine], rank: int) -> Affine:
    """The flat address of an element of an array of this shape."""
    const, coefs = 0, [0] * rank
    positions: tuple[tuple[Position, int], ...] = ()
    for stride, part in zip(strides(shape), index):
        const += part.const * stride
        for d, c in enumerate(part.coefs):
            if c:
                coefs[d] += c * stride
        if part.positions:
            positions += tuple((p, c * stride) for p, c in part.positions)
    return Affine(const, tuple(coefs), positions)


def unflattened(
    address: Affine, shape: Sequence[int], sizes: Sequence[int]
) -> tuple[Affine, ...] | None:
    """The index into `shape` of a flat address over a space of these sizes; None where
    it is not affine, since a step along the space carries over."""
    rank = len(sizes)
    index, const, left = [], address.const, list(address.coefs)
    for n, step in zip(shape, strides(shape)):
        start, const = divmod(const, step) if n > 1 else (0, const)
        whole = [0] * rank
        for d, c in enumerate(left):
            if n > 1 and abs(c) >= step and sizes[d] > 1:
                whole[d], left[d] = divmod(c, step) if c > 0 else (-(-c // step), 0)
                if c < 0 and -c % step:
                    return None
        reach = [(m - 1) * c for m, c in zip(sizes, whole)]
        low, high = sum(min(r, 0) for r in reach), sum(max(r, 0) for r in reach)
        if start + low < 0 or start + high >= n:
            return None
        index.append(Affine(start, tuple(whole)))
    return tuple(index) if const == 0 and not any(left) else None


def squeezed(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape without its axes of size 1."""
    return tuple(n for n in shape if n != 1)


def index_of_shape(
    shape: Sequence[int], axes: Sequence[int], rank: int
) -> tuple[Affine, ...]:
    """The index of an array whose axes of size over 1 are `axes` of the space."""
    given = iter(axes)
    return tuple(zero(rank) if n == 1 else unit(rank, next(given)) for n in shape)


class Access(NamedTuple):
    """One operand of a fused equation.

    base: the variable in memory (or computed in the cluster), or a Literal; or the iota
    equation that the value is the position of; or the elementwise equation that is
    computed in place, with the accesses of its operands. address: flat, into base.
    """

    base: Atom | None
    address: Affine
    iota: JaxprEqn | None = None
    map: JaxprEqn | None = None
    args: tuple[Access, ...] = ()


def leaves(access: Access) -> Iterator[Access]:
    """The accesses of memory, literals and positions that one consists of, those of
    the indices in its address included."""
    if access.map is None:
        yield access
    for arg in access.args:
        yield from leaves(arg)
    for position, _ in access.address.positions:
        yield from leaves(position.access)


# layout equations: what the index of the operand is, given the index of the result


def _broadcast_in_dim(eqn, index, rank):
    operand = eqn.invars[0].aval
    dims = eqn.params["broadcast_dimensions"]
    return tuple(
        zero(rank) if n == 1 else index[d] for n, d in zip(operand.shape, dims)
    )


def _transpose(eqn, index, rank):
    out = [zero(rank)] * len(index)
    for k, d in enumerate(eqn.params["permutation"]):
        out[d] = index[k]
    return tuple(out)


def _squeeze(eqn, index, rank):
    given = iter(index)
    gone = {d % eqn.invars[0].aval.ndim for d in eqn.params["dimensions"]}
    return tuple(
        zero(rank) if d in gone else next(given) for d in range(eqn.invars[0].aval.ndim)
    )


def _rev(eqn, index, rank):
    shape = eqn.invars[0].aval.shape
    return tuple(
        part.scaled(-1, shape[d] - 1) if d in eqn.params["dimensions"] else part
        for d, part in enumerate(index)
    )


def _slice(eqn, index, rank):
    starts = eqn.params["start_indices"]
    steps = eqn.params["strides"] or (1,) * len(starts)
    return tuple(
        part.scaled(step, start) for part, start, step in zip(index, starts, steps)
    )


def _same(eqn, index, rank):
    return index


LAYOUT = {
    "broadcast_in_dim": _broadcast_in_dim,
    "transpose": _transpose,
    "squeeze": _squeeze,
    "rev": _rev,
    "slice": _slice,
    "copy": _same,
    "copy_p": _same,
    "name": _same,
}


def keeps_order(eqn: JaxprEqn) -> bool:
    """Whether a reshape only adds or removes axes of size 1."""
    return squeezed(eqn.invars[0].aval.shape) == squeezed(eqn.outvars[0].aval.shape)


def is_layout(eqn: JaxprEqn) -> bool:
    """Whether readers can look through the equation."""
    name = eqn.primitive.name
    return (
        name in LAYOUT
        or name == "iota"
        or (name == "reshape" and eqn.params.get("dimensions") is None)
    )


class Resolver:
    """Looks through layout equations, down to what is in memory or in the cluster."""

    def __init__(self, defs: dict[Var, JaxprEqn], read: frozenset[Var] = frozenset()):
        self.defs = defs
        # what equations and the caller read
        self.read = read
        # results of elementwise equations that readers compute in place
        self.inlined: set[Var] = set()

    def is_read(self, var: Var) -> bool:
        """Whether anything needs this result of an equation."""
        return var in self.read

    def resolve(
        self,
        atom: Atom,
        index: tuple[Affine, ...],
        rank: int,
        sizes: Sequence[int] | None = None,
    ) -> Access:
        """The access of element `index` (one Affine an axis of the atom's shape).

        sizes: of the space; with them, more reshapes are seen through.
        """
        while True:
            if type(atom) is Literal:
                return Access(atom, zero(rank))
            eqn = self.defs.get(atom)
            if atom in self.inlined:
                args = self.operands(eqn, atom.aval.shape, index, rank)
                return Access(None, zero(rank), None, eqn, tuple(args))
            piece = _piece(eqn, index)
            if piece is not None:
                atom, index = piece
                continue
            if eqn is None or not is_layout(eqn):
                return Access(atom, flat(atom.aval.shape, index, rank))
            name = eqn.primitive.name
            if name == "iota":
                return Access(None, index[eqn.params["dimension"]], eqn)
            operand = eqn.invars[0]
            if name == "reshape":
                address = flat(atom.aval.shape, index, rank)
                if not keeps_order(eqn):
                    parts = sizes and unflattened(address, operand.aval.shape, sizes)
                    if not parts:
                        return self._resolve_flat(operand, address, rank)
                    index, atom = parts, operand
                    continue
                given = iter(
                    p for n, p in zip(atom.aval.shape, index, strict=True) if n != 1
                )
                index = tuple(
                    zero(rank) if n == 1 else next(given) for n in operand.aval.shape
                )
            else:
                index = LAYOUT[name](eqn, index, rank)
            atom = operand

    def _resolve_flat(self, atom: Atom, address: Affine, rank: int) -> Access:
        """As resolve, when only the flat address is known: through reshapes alone."""
        while type(atom) is not Literal:
            eqn = self.defs.get(atom)
            if eqn is not None and eqn.primitive.name == "iota" and atom.aval.ndim == 1:
                return Access(None, address, eqn)
            if eqn is None or eqn.primitive.name not in ("reshape", "squeeze"):
                break
            atom = eqn.invars[0]
        return Access(atom, address)

    def operands(
        self,
        eqn: JaxprEqn,
        shape: Sequence[int],
        index: tuple[Affine, ...],
        rank: int,
    ) -> list[Access]:
        """What an elementwise equation reads for element `index` of its result."""
        return [self.operand(v, shape, index, rank) for v in eqn.invars]

    def operand(
        self, atom: Atom, out_shape: Sequence[int], index: tuple[Affine, ...], rank: int
    ) -> Access:
        """The access of an elementwise equation's operand, stretched to out_shape."""
        shape = atom.aval.shape
        if not shape:
            return self.resolve(atom, (), rank)
        stretched = tuple(
            zero(rank) if n == 1 else part for n, part in zip(shape, index, strict=True)
        )
        return self.resolve(atom, stretched, rank)


def _piece(
    eqn: JaxprEqn | None, index: tuple[Affine, ...]
) -> tuple[Atom, tuple[Affine, ...]] | None:
    """The operand of a concatenation that holds the element, where it is always one."""
    if eqn is None or eqn.primitive.name != "concatenate":
        return None
    axis = eqn.params["dimension"]
    at = index[axis]
    if any(at.coefs) or at.positions:
        return None
    start = 0
    for atom in eqn.invars:
        stop = start + atom.aval.shape[axis]
        if at.const < stop:
            inside = at._replace(const=at.const - start)
            return atom, (*index[:axis], inside, *index[axis + 1 :])
        start = stop
    return None


def collapsible(
    sizes: Sequence[int], accesses: Sequence[Affine], groups: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Merge neighbouring axes of each group that every access walks as one axis.

    Returns the merged axes as lists of the space's axes.
    """
    merged: list[list[int]] = []
    for group in groups:
        run: list[int] = []
        for axis in group:
            if run and all(
                a.coefs[run[-1]] == a.coefs[axis] * sizes[axis] for a in accesses
            ):
                run.append(axis)
            else:
                if run:
                    merged.append(run)
                run = [axis]
        if run:
            merged.append(run)
    return merged


def group_size(sizes: Sequence[int], axes: Sequence[int]) -> int:
    return math.prod(sizes[a] for a in axes)


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
