"""Sums of products as tiles: what dot_general and convolutions become.

    out[batch, row, column] = sum over s of a[batch, row, s] b[batch, s, column]

where batch, row and s stand for any axes, each with a stride in a, in b and in out, and
columns lie side by side in b and in out. Strides make the same form of a convolution
(rows are positions, sums are window offsets and channels) and of both its gradients; an
operand whose elements do not lie so is copied first. Where a runs along the columns
too, the product is elementwise in them: depthwise convolutions, batches innermost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np

from jaxlike.backends.plan.access import Access, Affine, strides
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.ops import DTYPES, compute_dtype, kind
from jaxlike.backends.plan.records import record, replace
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import Literal, Var

MIN_COLUMNS = 4
FEW_ROWS = 4
"""Rows below which an operand is not copied to make a product of tiles."""
WIDE = 16
"""Columns that fill a vector."""
SPLIT_WORK = 1 << 20
"""Multiplications from which a product of few tiles is cut along its sum."""
SPLIT_TILES = 16
MAX_PARTS = 32
FEW_RESULTS = 1 << 16
PACK_BYTES = 1 << 22
PACK_REUSE = 128
"""Operands of this size, met this often, are packed before."""
PANEL, HEIGHT = 32, 8
"""Columns and rows side by side in packed operands."""
FAR_BYTES = 1 << 18
"""Of an operand: a part of it that stays in the second cache."""


class Axis(NamedTuple):
    """Steps along one axis, in elements of each array."""

    size: int
    a: int = 0
    b: int = 0
    out: int = 0


@record
class Product:
    """One product; arguments a, b, out. Sums run from the outermost axis inwards.

    along: whether a, as b, has an element for each column.
    """

    dtype: np.dtype
    batch: tuple[Axis, ...]
    rows: tuple[Axis, ...]
    columns: int
    sums: tuple[Axis, ...]
    a_offset: int = 0
    b_offset: int = 0
    out_offset: int = 0
    along: bool = False

    @property
    def work(self) -> int:
        """Multiplications."""
        axes = (*self.batch, *self.rows, *self.sums)
        return self.columns * math.prod(x.size for x in axes)

    def __str__(self) -> str:
        def of(axes):
            return " ".join(f"{x.size}(a{x.a} b{x.b} out{x.out})" for x in axes) or "1"

        columns = f"{self.columns}(a1)" if self.along else f"{self.columns}"
        return (
            f"product {self.dtype.name} batch {of(self.batch)} rows {of(self.rows)} "
            f"columns {columns} sums {of(self.sums)}"
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


class Role(Enum):
    """What an axis of a product's space is to the operands and the result."""

    BATCH = "in a, b and out"
    ROW = "in a and out"
    COLUMN = "in b and out"
    SUM = "in a and b"


_OTHER_SIDE = {Role.ROW: Role.COLUMN, Role.COLUMN: Role.ROW}


def product_dtype(lhs: np.dtype, rhs: np.dtype, out: np.dtype) -> np.dtype | None:
    """The dtype to multiply and add in; None if tiles have no such product."""
    if not all(d in DTYPES and kind(d) in "iuf" for d in (lhs, rhs, out)):
        return None
    floats = [compute_dtype(d) for d in (lhs, rhs, out) if kind(d) == "f"]
    if floats:
        return max(floats, key=lambda d: d.itemsize) if kind(out) == "f" else None
    return out if out.itemsize >= 4 else np.dtype(np.int32)


class Space(NamedTuple):
    """The axes of a product: sizes and roles; where operands and result have them."""

    sizes: tuple[int, ...]
    roles: tuple[Role, ...]
    a: Access
    b: Access
    to: Affine

    def swapped(self) -> Space:
        """The same product with a and b changing places."""
        roles = tuple(_OTHER_SIDE.get(r, r) for r in self.roles)
        return Space(self.sizes, roles, self.b, self.a, self.to)

    def axis(self, d: int) -> Axis:
        a, b = self.a.address.coefs[d], self.b.address.coefs[d]
        return Axis(self.sizes[d], a, b, self.to.coefs[d])

    def axes(self, *roles: Role) -> list[int]:
        """The axes longer than 1 of some roles, from the outermost in out."""
        found = [
            d
            for d, (n, r) in enumerate(zip(self.sizes, self.roles))
            if n > 1 and r in roles
        ]
        return sorted(found, key=lambda d: -self.to.coefs[d])

    def count(self, *roles: Role) -> int:
        return math.prod(self.sizes[d] for d in self.axes(*roles))


def lower_space(out: Var, space: Space, dtype: np.dtype) -> list[Lowered]:
    """The kernels that write out[to] = sum of a[...] b[...] over a space."""
    before: list[Lowered] = []
    a, b = (_in_memory(x, dtype, space.sizes, before) for x in (space.a, space.b))
    space = space._replace(a=a, b=b)
    inner = next(
        (
            d
            for d in space.axes(Role.BATCH, Role.ROW, Role.COLUMN)
            if space.to.coefs[d] == 1
        ),
        None,
    )
    if inner is None:
        return [*before, _loops(out, space)]
    if space.roles[inner] is Role.ROW:
        space = space.swapped()
    columns = _columns(space, inner)
    size = math.prod(space.sizes[d] for d in columns)
    along = space.roles[inner] is Role.BATCH
    few_rows = space.count(Role.ROW) < FEW_ROWS
    copies = not _side_by_side(space.b, space, columns)
    if size < MIN_COLUMNS or (copies and few_rows and not along):
        return [*before, _loops(out, space)]
    for name in ("a", "b") if along else ("b",):
        access = getattr(space, name)
        if not _side_by_side(access, space, columns):
            copy, access = _columns_last(access, space, columns)
            before.append(copy)
            space = space._replace(**{name: access})
    batch = [d for d in space.axes(Role.BATCH, Role.COLUMN) if d not in columns]
    sums = sorted(space.axes(Role.SUM), key=lambda d: -abs(space.a.address.coefs[d]))
    product = Product(
        dtype,
        merged([space.axis(d) for d in batch]),
        merged([space.axis(d) for d in space.axes(Role.ROW)]),
        size,
        merged([space.axis(d) for d in sums]) or (Axis(1),),
        space.a.address.const,
        space.b.address.const,
        space.to.const,
        along,
    )
    bases = [space.a.base, space.b.base]
    return [*before, *_split(product, bases, out)]


def _in_memory(access: Access, dtype, sizes, before: list[Lowered]) -> Access:
    """The access of an operand of the right dtype: a number is put into memory, an
    array of another dtype converted."""
    if type(access.base) is Literal:
        scratch = Var(ShapedArray((1,), dtype))
        k = KernelBuilder(())
        k.store(k.output(dtype, (1,)), 0, k.const(access.base.val, dtype))
        before.append(Lowered(k.finish("number"), [], [scratch]))
        return Access(scratch, Affine(0, (0,) * len(sizes)))
    if access.base.aval.dtype == dtype:
        return access
    converted_base = Var(ShapedArray(access.base.aval.shape, dtype))
    before.append(converted(access.base, converted_base))
    return access._replace(base=converted_base)


def rounded(
    out: Var, dtype: np.dtype, lower: Callable[[Var], list[Lowered]]
) -> list[Lowered]:
    """lower(out), by way of an array of `dtype` where that is not out's own."""
    if out.aval.dtype == dtype:
        return lower(out)
    wide = Var(ShapedArray(out.aval.shape, dtype))
    return [*lower(wide), converted(wide, out)]


def converted(source: Var, target: Var) -> Lowered:
    """A kernel that copies all elements to another dtype."""
    size = source.aval.size
    k = KernelBuilder((size,))
    x = k.input(source.aval.dtype, source.aval.shape)
    y = k.output(target.aval.dtype, target.aval.shape)
    (i,) = k.indices
    k.store(y, {i: 1}, k.convert(k.load(x, {i: 1}), target.aval.dtype))
    return Lowered(k.finish("convert"), [source], [target])


def _columns(space: Space, inner: int) -> list[int]:
    """The axes that make up the columns, from the innermost."""
    reads = [space.b] if space.roles[inner] is Role.COLUMN else [space.a, space.b]
    columns, size = [inner], space.sizes[inner]
    copied = any(x.address.coefs[inner] != 1 for x in reads)
    while True:
        following = next(
            (d for d in space.axes(space.roles[inner]) if space.to.coefs[d] == size),
            None,
        )
        if following is None:
            return columns
        in_order = all(x.address.coefs[following] == size for x in reads)
        if not in_order and not copied and size >= WIDE:
            return columns
        copied |= not in_order
        columns.append(following)
        size *= space.sizes[following]


def _side_by_side(access: Access, space: Space, columns: Sequence[int]) -> bool:
    return all(access.address.coefs[d] == space.to.coefs[d] for d in columns)


def _columns_last(access: Access, space: Space, columns) -> tuple[Lowered, Access]:
    """A kernel that copies an operand with the columns side by side."""
    coefs = access.address.coefs
    order = [d for d, c in enumerate(coefs) if c and d not in columns]
    order = [d for d in order if space.sizes[d] > 1]
    order.sort(key=lambda d: -abs(coefs[d]))
    order += columns[::-1]
    return copied(access, [space.sizes[d] for d in order], order)


def copied(
    access: Access, shape: Sequence[int], order: Sequence[int]
) -> tuple[Lowered, Access]:
    """A kernel that copies to scratch of this shape, whose axes are those of the space
    in `order`; and the access of the copy."""
    source, rank = access.base, len(access.address.coefs)
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
    copy = Access(scratch, Affine(0, tuple(coefs)))
    return Lowered(kernel, [source], [scratch]), copy


def _loops(out: Var, space: Space) -> Lowered:
    """A product of few columns: a sum for each element of the result."""
    dtype = out.aval.dtype
    points = space.axes(Role.BATCH, Role.ROW, Role.COLUMN)
    sums = space.axes(Role.SUM)
    a, b = space.a, space.b
    sums.sort(key=lambda d: -abs(a.address.coefs[d]) - abs(b.address.coefs[d]))
    k = KernelBuilder([space.sizes[d] for d in points])
    operands = [a.base] if a.base is b.base else [a.base, b.base]
    buffers = {v: k.input(v.aval.dtype, v.aval.shape) for v in operands}
    y = k.output(dtype, out.aval.shape)
    place = dict(zip(points, k.indices))

    def terms(address: Affine):
        return {v: address.coefs[d] for d, v in place.items()}

    def total(axes):
        if not axes:
            values = [
                k.load(buffers[x.base], terms(x.address), x.address.const)
                for x in (a, b)
            ]
            return k.op("mul", *values)
        with k.loop(space.sizes[axes[0]]) as loop:
            place[axes[0]] = loop.index
            loop.reduce("add", total(axes[1:]))
        del place[axes[0]]
        return loop.results[0]

    value = total(sums)
    k.store(y, terms(space.to), value, space.to.const)
    return Lowered(k.finish("sums of products"), operands, [out])


def _packed(product: Product, bases: list[Var], out: Var) -> list[Lowered]:
    """A product of large matrices, on copies where a tile's columns, and its rows, are
    neighbours: strides of whole pages cost more than the copies."""
    p, (a, b) = product, bases
    before: list[Lowered] = []

    def pack(base: Var, offset: int, count: int, step: int, axis: int, width: int):
        """base as an array [count / width, steps, width]; steps lie `axis` apart."""
        k = KernelBuilder((count // width, steps))
        x = k.input(base.aval.dtype, base.aval.shape)
        scratch = Var(ShapedArray((count // width, steps, width), p.dtype))
        y = k.output(p.dtype, scratch.aval.shape)
        i, s = k.indices
        with k.loop(width) as loop:
            source = {i: step * width, s: axis, loop.index: step}
            target = {i: steps * width, s: width, loop.index: 1}
            k.store(y, target, k.load(x, source, offset))
        before.append(Lowered(k.finish("packed operand"), [base], [scratch]))
        return scratch

    simple = len(p.rows) == len(p.sums) == 1 and not p.batch and not p.along
    if not simple:
        return [Lowered(product, bases, [out])]
    (rows,), (sums,), steps = p.rows, p.sums, p.sums[0].size
    large = PACK_BYTES // (steps * p.dtype.itemsize)
    if p.columns >= large and rows.size >= PACK_REUSE and p.columns % PANEL == 0:
        b = pack(b, p.b_offset, p.columns, 1, sums.b, PANEL)
        panels = Axis(p.columns // PANEL, 0, steps * PANEL, PANEL)
        p = replace(p, batch=(panels,), columns=PANEL, b_offset=0)
        sums = sums._replace(b=PANEL)
    if rows.size >= large and product.columns >= PACK_REUSE and rows.size % HEIGHT == 0:
        if rows.a == 1 and sums.a != 1:
            a = pack(a, p.a_offset, rows.size, 1, sums.a, HEIGHT)
            outer = Axis(rows.size // HEIGHT, steps * HEIGHT, 0, rows.out * HEIGHT)
            p = replace(p, rows=(outer, Axis(HEIGHT, 1, 0, rows.out)), a_offset=0)
            sums = sums._replace(a=HEIGHT)
    return [*before, Lowered(replace(p, sums=(sums,)), [a, b], [out])]


def _most_parts(p: Product) -> int:
    """How many parts the sum of a product may be taken in: for want of tiles, or to
    read long operands once instead of once for every few tiles."""
    if p.work < SPLIT_WORK:
        return 1
    batch, rows, steps = (
        math.prod(x.size for x in axes) for axes in (p.batch, p.rows, p.sums)
    )
    tiles = batch * -(-rows // 8) * -(-p.columns // (2 * WIDE))
    if tiles < SPLIT_TILES:
        return min(MAX_PARTS // tiles, p.work // (SPLIT_WORK // 8))
    if rows * p.columns <= FEW_RESULTS and batch == 1:
        return min(MAX_PARTS // 2, steps * p.columns * p.dtype.itemsize // FAR_BYTES)
    return 1


def _split(product: Product, bases: list[Var], out: Var) -> list[Lowered]:
    """A product with a long sum for few results: parts of the sum, then their sum."""
    p, first = product, product.sums[0]
    most = min(_most_parts(p), first.size)
    parts = next((n for n in range(most, 1, -1) if first.size % n == 0), 1)
    if parts == 1:
        return _packed(product, bases, out)
    # part by part, results lie as in a contiguous array of their own
    outer = [*p.batch, *p.rows]
    shape = [x.size for x in outer] + [p.columns]
    steps, size = strides(shape), math.prod(shape)
    moved = [x._replace(out=s) for x, s in zip(outer, steps)]
    length = first.size // parts
    part = Axis(parts, first.a * length, first.b * length, size)
    scratch = Var(ShapedArray((parts, size), p.dtype))
    some = Product(
        p.dtype,
        (part, *moved[: len(p.batch)]),
        tuple(moved[len(p.batch) :]),
        p.columns,
        merged([first._replace(size=length), *p.sums[1:]]) or (Axis(1),),
        p.a_offset,
        p.b_offset,
        0,
        p.along,
    )
    k = KernelBuilder([x.size for x in outer])
    x, y = k.input(p.dtype, scratch.aval.shape), k.output(p.dtype, out.aval.shape)
    with k.loop(p.columns) as loop:
        places = [*k.indices, loop.index]
        terms = dict(zip(places, steps))
        total = k.load(x, terms)
        for i in range(1, parts):
            total = k.op("add", total, k.load(x, terms, i * size))
        to = dict(zip(places, [*(axis.out for axis in outer), 1]))
        k.store(y, to, total, p.out_offset)
    combine = Lowered(k.finish("sum of parts"), [scratch], [out])
    return [Lowered(some, bases, [scratch]), combine]
