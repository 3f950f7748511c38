"""Sums of products as tiles: dot_general and convolutions, without BLAS.

    out[batch, row, column] = sum over s of a[batch, row, s] b[batch, s, column]

where batch, row and s stand for any axes, each with a stride in a, in b and in out, and
columns lie side by side in b and in out. Strides make the same form of a convolution
(rows are positions, sums are window offsets and channels) and of both its gradients.
Operands that do not fit are copied to scratch first: padded, or transposed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from jaxlike.backends.plan.access import (
    Access,
    Affine,
    Resolver,
    strides,
    unit,
    zero,
)
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.moves import padded
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import Atom, JaxprEqn, Literal, Var

MAX_BLAS_FREE = 1 << 28
"""Multiplications from which a plain matrix product is left to BLAS."""
MIN_COLUMNS = 4
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


class Axis(NamedTuple):
    """Steps along one axis, in elements of each array."""

    size: int
    a: int = 0
    b: int = 0
    out: int = 0


@dataclass(frozen=True)
class Product:
    """One product; arguments a, b, out. Sums run from the outermost axis inwards."""

    dtype: np.dtype
    batch: tuple[Axis, ...]
    rows: tuple[Axis, ...]
    columns: int
    sums: tuple[Axis, ...]
    a_offset: int = 0
    b_offset: int = 0

    @property
    def work(self) -> int:
        """Multiplications."""
        axes = (*self.batch, *self.rows, *self.sums)
        return self.columns * math.prod(x.size for x in axes)

    def __str__(self) -> str:
        def of(axes):
            return " ".join(f"{x.size}(a{x.a} b{x.b} out{x.out})" for x in axes) or "1"

        return (
            f"product {self.dtype.name} batch {of(self.batch)} rows {of(self.rows)} "
            f"columns {self.columns} sums {of(self.sums)}"
        )


def merged(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """The axes without those of size 1, neighbours that step as one made one."""
    out: list[Axis] = []
    for x in axes:
        if x.size == 1:
            continue
        if out:
            y = out[-1]
            if (y.a, y.b, y.out) == (x.a * x.size, x.b * x.size, x.out * x.size):
                out[-1] = Axis(y.size * x.size, x.a, x.b, x.out)
                continue
        out.append(x)
    return tuple(out)


def lower_product(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """The kernels of a dot_general or a convolution; None if a library does better."""
    name = eqn.primitive.name
    avals = [v.aval for v in (*eqn.invars, *eqn.outvars)]
    dtype = avals[-1].dtype
    if dtype not in DTYPES or any(a.dtype != dtype or a.size == 0 for a in avals):
        return None
    if name == "dot_general":
        return _dot(eqn, resolver)
    if name == "conv_general_dilated":
        return _convolution(eqn, resolver)
    return None


# --- matrix products


def _dot(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    lhs, rhs = eqn.invars
    out = eqn.outvars[0]
    (lc, rc), (lb, rb) = eqn.params["dimension_numbers"]
    lfree = [d for d in range(lhs.aval.ndim) if d not in (*lc, *lb)]
    rfree = [d for d in range(rhs.aval.ndim) if d not in (*rc, *rb)]
    # the space: batch, rows, columns, sums
    sizes = [lhs.aval.shape[d] for d in (*lb, *lfree)]
    sizes += [rhs.aval.shape[d] for d in rfree] + [lhs.aval.shape[d] for d in lc]
    nb, nr, nc = len(lb), len(lfree), len(rfree)
    rank = len(sizes)
    if math.prod(sizes) > MAX_BLAS_FREE:
        return None
    lhs_place = dict(
        zip((*lb, *lfree, *lc), (*range(nb + nr), *range(nb + nr + nc, rank)))
    )
    rhs_axes = (*range(nb), *range(nb + nr, rank))
    rhs_place = dict(zip((*rb, *rfree, *rc), rhs_axes))
    a = _resolved(lhs, lhs_place, rank, resolver)
    b = _resolved(rhs, rhs_place, rank, resolver)
    if a is None or b is None:
        return None
    steps = strides(out.aval.shape)
    out_coefs = (*steps, *(0,) * len(lc))
    return _assemble(
        a, b, out, sizes, out_coefs, (nb, nr, nc), [rhs_place[d] for d in (*rb, *rc)]
    )


def _resolved(atom: Atom, place, rank: int, resolver: Resolver) -> Access | None:
    """The access of element (place[d] of the space along axis d), if of an array."""
    index = tuple(
        zero(rank) if n == 1 else unit(rank, place[d])
        for d, n in enumerate(atom.aval.shape)
    )
    access = resolver.resolve(atom, index, rank)
    if access.base is None or type(access.base) is Literal:
        return None
    return access


def _assemble(
    a: Access, b: Access, out: Var, sizes, out_coefs, groups, b_outer
) -> list[Lowered] | None:
    """Kernels for a and b as they are read; b_outer: b's axes but its columns."""
    nb, nr, nc = groups
    first_column, last_column = nb + nr, nb + nr + nc
    columns = math.prod(sizes[first_column:last_column])
    if columns < MIN_COLUMNS:
        return None
    before: list[Lowered] = []
    wanted, step = {}, 1
    for d in range(last_column - 1, first_column - 1, -1):
        wanted[d] = step
        step *= sizes[d]
    if any(sizes[d] > 1 and b.address.coefs[d] != s for d, s in wanted.items()):
        # the columns side by side, behind the other axes
        order = [*b_outer, *range(first_column, last_column)]
        copy, b = _copied(b, [sizes[d] for d in order], order, len(sizes))
        before.append(copy)

    def axis(d: int) -> Axis:
        return Axis(sizes[d], a.address.coefs[d], b.address.coefs[d], out_coefs[d])

    sums = merged([axis(d) for d in range(last_column, len(sizes))])
    product = Product(
        out.aval.dtype,
        merged([axis(d) for d in range(nb)]),
        merged([axis(d) for d in range(nb, first_column)]),
        columns,
        sums or (Axis(1),),
        a.address.const,
        b.address.const,
    )
    return [*before, Lowered(product, [a.base, b.base], [out])]


def _copied(
    access: Access, shape: Sequence[int], order: Sequence[int], rank: int
) -> tuple[Lowered, Access]:
    """A kernel that copies to scratch of this shape, whose axes are those of the space
    in `order`; and the access of the copy."""
    source = access.base
    scratch = Var(ShapedArray(tuple(shape), source.aval.dtype))
    k = KernelBuilder(shape[:-1])
    x = k.input(source.aval.dtype, source.aval.shape)
    y = k.output(source.aval.dtype, shape)
    with k.loop(shape[-1]) as loop:
        places = [*k.indices, loop.index]
        terms = {v: access.address.coefs[d] for v, d in zip(places, order)}
        value = k.load(x, terms, access.address.const)
        k.store(y, dict(zip(places, strides(shape))), value)
    coefs = [0] * rank
    for d, step in zip(order, strides(shape)):
        coefs[d] = step
    kernel = k.finish("transposed operand")
    return Lowered(kernel, [source], [scratch]), Access(
        scratch, Affine(0, tuple(coefs))
    )


# --- convolutions


def _convolution(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    params = eqn.params
    if params["feature_group_count"] != 1 or params["batch_group_count"] != 1:
        return None
    lhs, rhs = eqn.invars
    out = eqn.outvars[0]
    numbers = params["dimension_numbers"]
    lhs_batch, lhs_feature, *lhs_space = numbers.lhs_spec
    rhs_out, rhs_in, *rhs_space = numbers.rhs_spec
    out_batch, out_feature, *out_space = numbers.out_spec
    if out_feature != out.aval.ndim - 1:
        return None  # columns are the features, and must lie side by side
    space = len(lhs_space)
    before: list[Lowered] = []
    a_var: Atom = lhs
    base_dilation = params["lhs_dilation"]
    padding = params["padding"]
    if any(lo or hi for lo, hi in padding) or any(d != 1 for d in base_dilation):
        pads = {d: (*p, h) for d, p, h in zip(lhs_space, padding, base_dilation)}
        shape = list(lhs.aval.shape)
        for d, (low, high, hole) in pads.items():
            shape[d] = low + (shape[d] - 1) * hole + 1 + high
        a_var = Var(ShapedArray(tuple(shape), lhs.aval.dtype))
        made = padded(lhs, pads, resolver, a_var, None)
        if made is None:
            return None
        before.append(made)
    # the space: batch, positions; features; channels after window offsets
    counts = [out.aval.shape[d] for d in out_space]
    kernel = [rhs.aval.shape[d] for d in rhs_space]
    sizes = [lhs.aval.shape[lhs_batch], *counts, out.aval.shape[out_feature]]
    sizes += [*kernel, lhs.aval.shape[lhs_feature]]
    rank = len(sizes)
    feature, offsets, channel = 1 + space, 2 + space, rank - 1
    index = [zero(rank)] * lhs.aval.ndim
    index[lhs_batch] = unit(rank, 0)
    index[lhs_feature] = unit(rank, channel)
    for i, d in enumerate(lhs_space):
        step, hole = params["window_strides"][i], params["rhs_dilation"][i]
        index[d] = unit(rank, 1 + i).scaled(step) + unit(rank, offsets + i).scaled(hole)
    a = resolver.resolve(a_var, tuple(index), rank)
    place = {rhs_out: feature, rhs_in: channel}
    place.update((d, offsets + i) for i, d in enumerate(rhs_space))
    b = _resolved(rhs, place, rank, resolver)
    if a.base is None or type(a.base) is Literal or b is None:
        return None
    steps = strides(out.aval.shape)
    out_coefs = [0] * rank
    out_coefs[0], out_coefs[feature] = steps[out_batch], steps[out_feature]
    for i, d in enumerate(out_space):
        out_coefs[1 + i] = steps[d]
    # sums from the outside in by what lies nearest in a
    order = list(range(1 + space + 1))
    order += sorted(range(offsets, rank), key=lambda d: -abs(a.address.coefs[d]))
    rows = sorted(range(1 + space), key=lambda d: -out_coefs[d])
    order[: 1 + space] = rows
    a, b = (Access(x.base, _reordered(x.address, order)) for x in (a, b))
    sizes = [sizes[d] for d in order]
    out_coefs = [out_coefs[d] for d in order]
    made = _assemble(
        a, b, out, sizes, out_coefs, (0, 1 + space, 1), range(offsets, rank)
    )
    return None if made is None else [*before, *made]


def _reordered(address: Affine, order: Sequence[int]) -> Affine:
    return Affine(address.const, tuple(address.coefs[d] for d in order))
