"""ragged_dot: matrix products in which each group of rows has a matrix of its own.

Three modes, by where the ragged axis of lhs is: free (rows of group g times matrix g),
contracted (one product for each group's part of the sum), or batch (a plain product).
Each of the first two modes' cotangents are products of these two modes again.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives.contraction import (
    canonical_dimension_numbers,
    contracted_dtype,
    contracted_shape,
    dot_general_p,
)
from jaxlike.primitives.linear import add_tangents
from jaxlike.primitives.matmul import compute_dtype, contract, matmul_in
from jaxlike.primitives.precision import PrecisionLike, canonical_precision

__all__ = [
    "RaggedDotDimensionNumbers",
    "ragged_dot",
    "ragged_dot_general",
    "ragged_dot_general_p",
]


class RaggedDotDimensionNumbers:
    """Which axes ragged_dot_general contracts, which is ragged, which holds groups.

    dot_dimension_numbers: as of dot_general; lhs_ragged_dimensions: the one ragged axis
    of lhs; rhs_group_dimensions: the axis of rhs with a matrix for each group, or none.

    >>> from jaxlike import lax
    >>> lax.RaggedDotDimensionNumbers((((1,), (1,)), ((), ())), (0,), (0,))
    RaggedDotDimensionNumbers(dot_dimension_numbers=(((1,), (1,)), ((), ())), \
lhs_ragged_dimensions=(0,), rhs_group_dimensions=(0,))
    """

    def __init__(
        self, dot_dimension_numbers, lhs_ragged_dimensions, rhs_group_dimensions
    ):
        self.dot_dimension_numbers = canonical_dimension_numbers(dot_dimension_numbers)
        self.lhs_ragged_dimensions = tuple(map(int, lhs_ragged_dimensions))
        self.rhs_group_dimensions = tuple(map(int, rhs_group_dimensions))

    def _key(self):
        return (
            self.dot_dimension_numbers,
            self.lhs_ragged_dimensions,
            self.rhs_group_dimensions,
        )

    def __eq__(self, other) -> bool:
        return type(other) is type(self) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return (
            "RaggedDotDimensionNumbers("
            f"dot_dimension_numbers={self.dot_dimension_numbers}, "
            f"lhs_ragged_dimensions={self.lhs_ragged_dimensions}, "
            f"rhs_group_dimensions={self.rhs_group_dimensions})"
        )


ragged_dot_general_p = Primitive("ragged_dot_general")


class _Axes(NamedTuple):
    mode: str
    lhs_batch: tuple[int, ...]
    lhs_contracted: tuple[int, ...]
    lhs_free: tuple[int, ...]
    rhs_batch: tuple[int, ...]
    rhs_contracted: tuple[int, ...]
    rhs_free: tuple[int, ...]
    ragged: int
    group: int | None


def _axes(dims: RaggedDotDimensionNumbers, lhs_ndim: int, rhs_ndim: int) -> _Axes:
    (lc, rc), (lb, rb) = dims.dot_dimension_numbers
    if len(dims.lhs_ragged_dimensions) != 1:
        raise TypeError(
            format_error(
                "ragged_dot_general needs exactly one lhs_ragged_dimensions, got "
                f"{dims.lhs_ragged_dimensions}"
            )
        )
    (ragged,) = dims.lhs_ragged_dimensions
    mode = "batch" if ragged in lb else "contracted" if ragged in lc else "free"
    wanted = 1 if mode == "free" else 0
    if len(dims.rhs_group_dimensions) != wanted:
        raise TypeError(
            format_error(
                f"ragged_dot_general with a ragged {mode} axis needs {wanted} "
                f"rhs_group_dimensions, got {dims.rhs_group_dimensions}"
            )
        )
    group = dims.rhs_group_dimensions[0] if wanted else None
    return _Axes(
        mode,
        lb,
        lc,
        tuple(i for i in range(lhs_ndim) if i not in lb and i not in lc),
        rb,
        rc,
        tuple(i for i in range(rhs_ndim) if i not in (*rb, *rc, group)),
        ragged,
        group,
    )


# --- shape


def _ragged_shape(
    lhs,
    rhs,
    group_sizes,
    *,
    ragged_dot_dimension_numbers,
    precision,
    preferred_element_type,
    group_offset,
):
    axes = _axes(ragged_dot_dimension_numbers, lhs.ndim, rhs.ndim)
    if not dtypes.issubdtype(group_sizes.dtype, np.integer):
        raise TypeError(
            format_error(
                "ragged_dot_general needs group_sizes of an integer dtype, got "
                f"{group_sizes}"
            )
        )
    batch = tuple(lhs.shape[i] for i in axes.lhs_batch)
    groups = group_sizes.shape[-1] if group_sizes.shape else 0
    if group_sizes.shape not in ((groups,), (*batch, groups)):
        raise TypeError(
            format_error(
                f"ragged_dot_general needs group_sizes of shape {('groups',)} or "
                f"{(*batch, 'groups')}, got {group_sizes}"
            )
        )
    dims = ragged_dot_dimension_numbers.dot_dimension_numbers
    dtype = contracted_dtype(lhs.dtype, rhs.dtype, preferred_element_type)
    weak = lhs.weak_type and rhs.weak_type and preferred_element_type is None
    if axes.mode == "free":
        if rhs.shape[axes.group] != groups:
            raise TypeError(
                format_error(
                    f"ragged_dot_general got {groups} group_sizes for rhs {rhs}, "
                    f"whose group axis {axes.group} has size {rhs.shape[axes.group]}"
                )
            )
        # contracted without the group axis
        (lc, rc), (lb, rb) = dims
        less = [tuple(a - (a > axes.group) for a in side) for side in (rc, rb)]
        shape = rhs.shape[: axes.group] + rhs.shape[axes.group + 1 :]
        dims = ((lc, less[0]), (lb, less[1]))
        return ShapedArray(
            contracted_shape(lhs, rhs.update(shape=shape), dims), dtype, weak
        )
    shape = contracted_shape(lhs, rhs, dims)
    if axes.mode == "contracted":
        shape = (groups, *shape)
    return ShapedArray(shape, dtype, weak)


# --- evaluation


def _bounds(group_sizes: np.ndarray, length: int):
    """(start, stop) of each group; a group ends where the sum of sizes says."""
    ends = np.cumsum(group_sizes, dtype=np.int64)
    starts = ends - group_sizes
    clip = [np.clip(a, 0, length).tolist() for a in (starts, ends)]
    return list(zip(*clip))


def _ragged_evaluate(
    lhs,
    rhs,
    group_sizes,
    *,
    ragged_dot_dimension_numbers,
    precision,
    preferred_element_type,
    group_offset,
):
    dims = ragged_dot_dimension_numbers
    out_dtype = contracted_dtype(lhs.dtype, rhs.dtype, preferred_element_type)
    axes = _axes(dims, lhs.ndim, rhs.ndim)
    if axes.mode == "batch":
        return contract(lhs, rhs, dims.dot_dimension_numbers, out_dtype)
    dtype = compute_dtype(lhs.dtype, rhs.dtype, out_dtype)
    if dtype.kind in "fc":
        lhs, rhs = lhs.astype(dtype, copy=False), rhs.astype(dtype, copy=False)
    kernel = _free_groups if axes.mode == "free" else _contracted_groups
    batch = [lhs.shape[i] for i in axes.lhs_batch]
    m_shape = [lhs.shape[i] for i in axes.lhs_free]
    n_shape = [rhs.shape[i] for i in axes.rhs_free]
    b = math.prod(batch)
    per_batch = np.broadcast_to(
        group_sizes.reshape(b, -1) if group_sizes.ndim > 1 else group_sizes,
        (b, group_sizes.shape[-1]),
    )
    shared = group_sizes.ndim == 1
    out = kernel(lhs, rhs, per_batch, shared, axes, b, matmul_in(dtype), dtype)
    leading = [] if axes.mode == "free" else [group_sizes.shape[-1]]
    return out.reshape(leading + batch + m_shape + n_shape).astype(out_dtype)


def _free_groups(lhs, rhs, sizes, shared, axes, b, matmul, dtype):
    k = math.prod([lhs.shape[i] for i in axes.lhs_contracted])
    at = axes.lhs_free.index(axes.ragged)
    before = math.prod([lhs.shape[i] for i in axes.lhs_free[:at]])
    after = math.prod([lhs.shape[i] for i in axes.lhs_free[at + 1 :]])
    rows = lhs.shape[axes.ragged]
    n = math.prod([rhs.shape[i] for i in axes.rhs_free])
    x = lhs.transpose(axes.lhs_batch + axes.lhs_free + axes.lhs_contracted)
    x = x.reshape(b, before, rows, after, k)
    w = rhs.transpose(
        (axes.group, *axes.rhs_batch, *axes.rhs_contracted, *axes.rhs_free)
    ).reshape(-1, b, k, n)
    out = np.zeros((b, before, rows, after, n), dtype)
    for which in [slice(None)] if shared else [slice(i, i + 1) for i in range(b)]:
        if not b:
            break
        for g, (start, stop) in enumerate(_bounds(sizes[which.start or 0], rows)):
            if stop > start:
                part = x[which, :, start:stop]
                rows_of_group = part.reshape(part.shape[0], -1, k)
                product = matmul(rows_of_group, w[g, which])
                out[which, :, start:stop] = product.reshape(*part.shape[:-1], n)
    return out


def _contracted_groups(lhs, rhs, sizes, shared, axes, b, matmul, dtype):
    at = axes.lhs_contracted.index(axes.ragged)
    order = [at, *(i for i in range(len(axes.lhs_contracted)) if i != at)]
    lc = [axes.lhs_contracted[i] for i in order]
    rc = [axes.rhs_contracted[i] for i in order]
    length = lhs.shape[axes.ragged]
    rest = math.prod([lhs.shape[i] for i in lc[1:]])
    m = math.prod([lhs.shape[i] for i in axes.lhs_free])
    n = math.prod([rhs.shape[i] for i in axes.rhs_free])
    x = lhs.transpose((*axes.lhs_batch, *axes.lhs_free, *lc))
    x = x.reshape(b, m, length, rest)
    y = rhs.transpose((*axes.rhs_batch, *rc, *axes.rhs_free))
    y = y.reshape(b, length, rest, n)
    out = np.zeros((sizes.shape[-1], b, m, n), dtype)
    for which in [slice(None)] if shared else [slice(i, i + 1) for i in range(b)]:
        if not b:
            break
        for g, (start, stop) in enumerate(_bounds(sizes[which.start or 0], length)):
            if stop > start:
                part_x, part_y = x[which, :, start:stop], y[which, start:stop]
                count = part_x.shape[0]
                out[g, which] = matmul(
                    part_x.reshape(count, m, -1), part_y.reshape(count, -1, n)
                )
    return out


# --- differentiation


def _ragged_jvp(primals, tangents, **params):
    lhs, rhs, sizes = primals
    out = ragged_dot_general_p.bind(lhs, rhs, sizes, **params)
    total: Any = Zero(get_aval(out).to_tangent_aval())
    if type(tangents[0]) is not Zero:
        total = ragged_dot_general_p.bind(tangents[0], rhs, sizes, **params)
    if type(tangents[1]) is not Zero:
        term = ragged_dot_general_p.bind(lhs, tangents[1], sizes, **params)
        total = add_tangents(total, term)
    return out, total


def _ragged_transpose(ct, lhs, rhs, sizes, **params):
    from jaxlike.primitives.conversion import convert_element_type
    from jaxlike.primitives.shapes import transpose

    left = is_undefined_primal(lhs)
    aval: ShapedArray = lhs.aval if left else rhs.aval
    lhs_ndim = lhs.aval.ndim if left else get_aval(lhs).ndim
    rhs_ndim = get_aval(rhs).ndim if left else rhs.aval.ndim
    dims = params.pop("ragged_dot_dimension_numbers")
    axes = _axes(dims, lhs_ndim, rhs_ndim)
    if axes.mode == "batch":
        params.pop("group_offset")
        cts = dot_general_p.transpose(
            ct, lhs, rhs, dimension_numbers=dims.dot_dimension_numbers, **params
        )
        return [*cts, None]
    nb, nm = len(axes.lhs_batch), len(axes.lhs_free)
    first = 1 if axes.mode == "contracted" else 0  # the group axis of ct
    ct_batch = tuple(range(first, first + nb))
    ct_lhs = tuple(range(first + nb, first + nb + nm))
    ct_rhs = tuple(range(first + nb + nm, first + nb + nm + len(axes.rhs_free)))

    def matched(mine, theirs):
        return [a for _, a in sorted(zip(theirs, mine))]

    def product(x, y, contracted, batch, ragged, group):
        numbers = RaggedDotDimensionNumbers((contracted, batch), (ragged,), group)
        return ragged_dot_general_p.bind(
            x, y, sizes, ragged_dot_dimension_numbers=numbers, **params
        )

    lhs_order = [
        *axes.lhs_batch,
        *axes.lhs_free,
        *matched(axes.lhs_contracted, axes.rhs_contracted),
    ]
    rhs_of_lhs = dict(zip(axes.lhs_contracted, axes.rhs_contracted))
    if axes.mode == "free" and left:
        out = product(
            ct,
            rhs,
            (ct_rhs, axes.rhs_free),
            (ct_batch, axes.rhs_batch),
            nb + axes.lhs_free.index(axes.ragged),
            (axes.group,),
        )
        order = lhs_order
    elif axes.mode == "free":
        out = product(
            lhs,
            ct,
            (axes.lhs_free, ct_lhs),
            (axes.lhs_batch, ct_batch),
            axes.ragged,
            (),
        )
        order = [
            axes.group,
            *axes.rhs_batch,
            *matched(axes.rhs_contracted, axes.lhs_contracted),
            *axes.rhs_free,
        ]
    elif left:
        out = product(
            rhs,
            ct,
            (axes.rhs_free, ct_rhs),
            (axes.rhs_batch, ct_batch),
            rhs_of_lhs[axes.ragged],
            (0,),
        )
        contracted = matched(axes.lhs_contracted, axes.rhs_contracted)
        order = [*axes.lhs_batch, *contracted, *axes.lhs_free]
    else:
        out = product(
            lhs,
            ct,
            (axes.lhs_free, ct_lhs),
            (axes.lhs_batch, ct_batch),
            axes.ragged,
            (0,),
        )
        contracted = matched(axes.rhs_contracted, axes.lhs_contracted)
        order = [*axes.rhs_batch, *contracted, *axes.rhs_free]
    permutation = tuple(int(i) for i in np.argsort(order))
    out = transpose(out, permutation)
    if get_aval(out).dtype != aval.dtype:
        out = convert_element_type(out, aval.dtype)
    return [out, None, None] if left else [None, out, None]


# --- batching


def _ragged_batch(axis_data, args, dims, **params):
    from jaxlike.primitives.shapes import broadcast_in_dim, moveaxis

    def leading(x, d):
        if d is not None:
            return moveaxis(x, d, 0)
        shape = get_aval(x).shape
        axes = range(1, len(shape) + 1)
        return broadcast_in_dim(x, (axis_data.size, *shape), axes)

    lhs, rhs = leading(args[0], dims[0]), leading(args[1], dims[1])
    numbers = params.pop("ragged_dot_dimension_numbers")
    (lc, rc), (lb, rb) = numbers.dot_dimension_numbers
    sizes = args[2]
    inner_ndim = get_aval(sizes).ndim - (dims[2] is not None)
    if dims[2] is not None or inner_ndim > 1:
        sizes = leading(sizes, dims[2])
        if inner_ndim == 1 and lb:  # also for each element of the batch there was
            batch = tuple(get_aval(lhs).shape[i + 1] for i in lb)
            shape = (axis_data.size, *batch, get_aval(sizes).shape[-1])
            sizes = broadcast_in_dim(sizes, shape, (0, len(shape) - 1))

    def up(axes):
        return tuple(a + 1 for a in axes)

    numbers = RaggedDotDimensionNumbers(
        ((up(lc), up(rc)), ((0, *up(lb)), (0, *up(rb)))),
        up(numbers.lhs_ragged_dimensions),
        up(numbers.rhs_group_dimensions),
    )
    out = ragged_dot_general_p.bind(
        lhs, rhs, sizes, ragged_dot_dimension_numbers=numbers, **params
    )
    lhs_ndim, rhs_ndim = get_aval(lhs).ndim, get_aval(rhs).ndim
    mode = _axes(numbers, lhs_ndim, rhs_ndim).mode
    return out, 1 if mode == "contracted" else 0


ragged_dot_general_p.shape = _ragged_shape
ragged_dot_general_p.evaluate = _ragged_evaluate
ragged_dot_general_p.jvp = _ragged_jvp
ragged_dot_general_p.transpose = _ragged_transpose
ragged_dot_general_p.batch = _ragged_batch

# --- the user's functions


def ragged_dot_general(
    lhs,
    rhs,
    group_sizes,
    ragged_dot_dimension_numbers: RaggedDotDimensionNumbers,
    precision: PrecisionLike = None,
    preferred_element_type=None,
    group_offset=None,
    out_sharding=None,
):
    """A contraction in groups along one ragged axis of lhs.

    group_sizes: integers, how many places of the ragged axis each group takes, in
    order; with the batch axes in front if they differ. Where the ragged axis is free,
    rhs has a group axis, and places past the last group give zeros; where it is
    contracted, the result starts with an axis of groups.
    Raises TypeError for axes or sizes that do not fit.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> dims = lax.RaggedDotDimensionNumbers((((0,), (0,)), ((), ())), (0,), ())
    >>> x, y = jnp.ones((5, 2)), jnp.ones((5, 3))
    >>> lax.ragged_dot_general(x, y, jnp.array([2, 3]), dims).shape
    (2, 2, 3)
    """
    if group_offset is not None:
        raise NotImplementedError(format_error("ragged_dot_general with group_offset"))
    if preferred_element_type is not None:
        preferred_element_type = dtypes.check_user_dtype_supported(
            preferred_element_type, "ragged_dot_general"
        )
    return ragged_dot_general_p.bind(
        lhs,
        rhs,
        group_sizes,
        ragged_dot_dimension_numbers=ragged_dot_dimension_numbers,
        precision=canonical_precision(precision),
        preferred_element_type=preferred_element_type,
        group_offset=None,
    )


def ragged_dot(
    lhs,
    rhs,
    group_sizes,
    precision: PrecisionLike = None,
    preferred_element_type=None,
    group_offset=None,
    out_sharding=None,
):
    """Multiply each group of rows of lhs by a matrix of its own.

    lhs: (m, k); rhs: (groups, k, n); group_sizes: (groups,) integers, the numbers of
    rows. Returns (m, n); rows past the last group are zeros.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> x, w = jnp.ones((3, 2)), jnp.stack([jnp.eye(2), 2 * jnp.eye(2)])
    >>> lax.ragged_dot(x, w, jnp.array([1, 2])).tolist()
    [[1.0, 1.0], [2.0, 2.0], [2.0, 2.0]]
    """
    dims = RaggedDotDimensionNumbers((((1,), (1,)), ((), ())), (0,), (0,))
    return ragged_dot_general(
        lhs,
        rhs,
        group_sizes,
        dims,
        precision=precision,
        preferred_element_type=preferred_element_type,
        group_offset=group_offset,
    )
