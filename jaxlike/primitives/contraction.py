"""dot_general: sums of products over any axes, with batch axes; dot, batch_matmul.

out[b, i, j] = sum over k of lhs[b, i, k] rhs[b, k, j], where b, i, j and k each stand
for any number of axes. matmul.py has the arithmetic, ragged.py products in groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, dtype_name, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.primitives.matmul import contract, product_dtype
from jaxlike.primitives.precision import PrecisionLike, canonical_precision
from jaxlike.primitives.rules import defbilinear, dtype_kind

__all__ = [
    "DotDimensionNumbers",
    "batch_matmul",
    "dot",
    "dot_general",
    "dot_general_p",
]

DotDimensionNumbers = tuple[
    tuple[Sequence[int], Sequence[int]], tuple[Sequence[int], Sequence[int]]
]

dot_general_p = Primitive("dot_general")

# --- shape


def _dot_general_shape(
    lhs, rhs, *, dimension_numbers, precision, preferred_element_type
):
    shape = contracted_shape(lhs, rhs, dimension_numbers)
    dtype = contracted_dtype(lhs.dtype, rhs.dtype, preferred_element_type)
    weak = lhs.weak_type and rhs.weak_type and preferred_element_type is None
    return ShapedArray(shape, dtype, weak)


def contracted_shape(lhs: ShapedArray, rhs: ShapedArray, dimension_numbers) -> tuple:
    """The shape of a contraction; TypeError for axes that do not fit."""
    (lc, rc), (lb, rb) = dimension_numbers
    for side, aval, contracting, batch in (("lhs", lhs, lc, lb), ("rhs", rhs, rc, rb)):
        axes = (*batch, *contracting)
        if not all(0 <= axis < aval.ndim for axis in axes):
            raise TypeError(
                format_error(
                    f"dot_general requires {side} dimension numbers between 0 and the "
                    f"rank, got batch {batch} and contracting {contracting} for "
                    f"{side} {aval}"
                )
            )
        if len(set(axes)) != len(axes):
            raise TypeError(
                format_error(
                    f"dot_general requires {side} dimension numbers to be distinct, "
                    f"got batch {batch} and contracting {contracting}"
                )
            )
    for what, left, right in (("batch", lb, rb), ("contracting", lc, rc)):
        left_sizes = tuple(lhs.shape[i] for i in left)
        right_sizes = tuple(rhs.shape[i] for i in right)
        if left_sizes != right_sizes:
            raise TypeError(
                format_error(
                    f"dot_general got incompatible shapes {lhs} and {rhs}",
                    [
                        f"{what} axes {left} of the left have sizes {left_sizes}, "
                        f"axes {right} of the right {right_sizes}"
                    ],
                    try_="x.T or jnp.swapaxes on one side; jnp.einsum to name the axes",
                )
            )
    return (
        *(lhs.shape[i] for i in lb),
        *(n for i, n in enumerate(lhs.shape) if i not in lc and i not in lb),
        *(n for i, n in enumerate(rhs.shape) if i not in rc and i not in rb),
    )


def contracted_dtype(lhs, rhs, preferred) -> Any:
    """The result dtype of a contraction; TypeError for ones that cannot be."""
    for dtype in (lhs, rhs):
        if dtype_kind(dtype) == "extended":
            raise TypeError(
                format_error(f"dot_general has no meaning for {dtype_name(dtype)}")
            )
    dtype = product_dtype(lhs, rhs)
    if preferred is None:
        return dtype
    kind = dtype_kind(dtype)
    width = dtypes.itemsize_bits(dtypes.to_real_dtype(dtype))
    if kind in ("integer", "complexfloating") and (
        dtypes.itemsize_bits(preferred) < width or preferred == np.bool_
    ):
        raise TypeError(
            format_error(
                f"preferred_element_type {dtype_name(preferred)} is narrower than the "
                f"result, {dtype_name(dtype)}"
            )
        )
    return preferred


# --- evaluation


def _dot_general_evaluate(
    lhs, rhs, *, dimension_numbers, precision, preferred_element_type
):
    out_dtype = preferred_element_type
    if out_dtype is None:
        out_dtype = lhs.dtype
        if rhs.dtype is not out_dtype:
            out_dtype = product_dtype(out_dtype, rhs.dtype)
    return contract(lhs, rhs, dimension_numbers, out_dtype)


# --- transposition: each operand's cotangent is a contraction of ct with the other


def _free_axes(ndim: int, *taken: Sequence[int]) -> list[int]:
    return [i for i in range(ndim) if not any(i in axes for axes in taken)]


def transposed_dimensions(
    dimension_numbers, aval: ShapedArray, other_ndim: int, *, lhs: bool
):
    """(dimension numbers, permutation) that contract ct with the other operand.

    `aval` is the operand whose cotangent is sought: the left one if `lhs`. The product
    of ct and the other operand, transposed by the permutation, has its shape.
    """
    (lc, rc), (lb, rb) = dimension_numbers
    if lhs:
        mine, theirs, my_batch, their_batch = lc, rc, lb, rb
    else:
        mine, theirs, my_batch, their_batch = rc, lc, rb, lb
    nb = len(my_batch)
    my_free = _free_axes(aval.ndim, mine, my_batch)
    their_free = _free_axes(other_ndim, theirs, their_batch)
    start = nb + (len(my_free) if lhs else 0)
    ct_theirs = tuple(range(start, start + len(their_free)))
    dims = (
        (ct_theirs, tuple(their_free)),
        (tuple(range(nb)), tuple(their_batch)),
    )
    # the product's axes: batch, mine that are free, then the other's contracted ones
    # in the other's order
    order = [axis for _, axis in sorted(zip(theirs, mine))]
    axes = [*my_batch, *my_free, *order]
    return dims, tuple(int(i) for i in np.argsort(axes))


def _transpose_operand(ct, aval, other, params, *, lhs: bool):
    from jaxlike.primitives.conversion import convert_element_type
    from jaxlike.primitives.shapes import transpose

    dims, permutation = transposed_dimensions(
        params["dimension_numbers"], aval, get_aval(other).ndim, lhs=lhs
    )
    precision = params["precision"]
    if isinstance(precision, tuple) and not lhs and not hasattr(precision, "_fields"):
        precision = precision[::-1]
    out = dot_general_p.bind(
        ct, other, **(params | dict(dimension_numbers=dims, precision=precision))
    )
    if permutation != tuple(range(aval.ndim)):
        out = transpose(out, permutation)
    if get_aval(out).dtype != aval.dtype:
        out = convert_element_type(out, aval.dtype)
    return out


defbilinear(
    dot_general_p,
    lambda ct, aval, rhs, **params: _transpose_operand(ct, aval, rhs, params, lhs=True),
    lambda ct, lhs, aval, **params: _transpose_operand(
        ct, aval, lhs, params, lhs=False
    ),
)


# --- batching


def batched_dimensions(avals, dims, dimension_numbers):
    """(dimension numbers, out batch axis) of a contraction with batch axes `dims`.

    avals: of the operands with their batch axes; dims: int or None each.
    """
    (lc, rc), (lb, rb) = dimension_numbers
    lhs_dim, rhs_dim = dims

    def bump(axes, dim):
        return tuple(a if dim is None else a + (a >= dim) for a in axes)

    lc, lb = bump(lc, lhs_dim), bump(lb, lhs_dim)
    rc, rb = bump(rc, rhs_dim), bump(rb, rhs_dim)
    if lhs_dim is not None and rhs_dim is not None:
        return ((lc, rc), ((lhs_dim, *lb), (rhs_dim, *rb))), 0
    # one operand's batch axis is one more of its free axes
    if lhs_dim is not None:
        out = len(lb) + _free_axes(avals[0].ndim, lc, lb).index(lhs_dim)
    else:
        lhs_free = len(_free_axes(avals[0].ndim, lc, lb))
        out = len(lb) + lhs_free + _free_axes(avals[1].ndim, rc, rb).index(rhs_dim)
    return ((lc, rc), (lb, rb)), out


def _dot_general_batch(axis_data, args, dims, *, dimension_numbers, **params):
    avals = [get_aval(a) for a in args]
    dimension_numbers, out = batched_dimensions(avals, dims, dimension_numbers)
    return dot_general_p.bind(*args, dimension_numbers=dimension_numbers, **params), out


dot_general_p.shape = _dot_general_shape
dot_general_p.evaluate = _dot_general_evaluate
dot_general_p.batch = _dot_general_batch


# --- the user's functions


def canonical_dimension_numbers(dimension_numbers) -> Any:
    """The dimension numbers as nested tuples of ints."""
    try:
        return _canonical_dimensions(dimension_numbers)
    except TypeError:  # lists
        return _canonical_dimensions.__wrapped__(dimension_numbers)


@lru_cache(maxsize=4096)
def _canonical_dimensions(dimension_numbers):
    (lc, rc), (lb, rb) = dimension_numbers
    return (
        (tuple(map(int, lc)), tuple(map(int, rc))),
        (tuple(map(int, lb)), tuple(map(int, rb))),
    )


def dot_general(
    lhs,
    rhs,
    dimension_numbers: DotDimensionNumbers,
    precision: PrecisionLike = None,
    preferred_element_type=None,
    *,
    out_sharding=None,
):
    """Sum the products of two arrays over any axes, batch axes aside.

    dimension_numbers: ((lhs contracting, rhs contracting), (lhs batch, rhs batch)).
    preferred_element_type: the dtype to add in and return.
    Returns an array with the batch axes, the other axes of lhs, then those of rhs.
    Raises TypeError for sizes or axes that do not fit.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> x, y = jnp.ones((5, 2, 3)), jnp.ones((5, 3, 4))
    >>> lax.dot_general(x, y, (((2,), (1,)), ((0,), (0,)))).shape
    (5, 2, 4)
    """
    if preferred_element_type is not None:
        preferred_element_type = dtypes.check_user_dtype_supported(
            preferred_element_type, "dot_general"
        )
    return dot_general_p.bind(
        lhs,
        rhs,
        dimension_numbers=canonical_dimension_numbers(dimension_numbers),
        precision=canonical_precision(precision),
        preferred_element_type=preferred_element_type,
    )


def dot(
    lhs,
    rhs,
    *,
    dimension_numbers: DotDimensionNumbers | None = None,
    precision: PrecisionLike = None,
    preferred_element_type=None,
    out_sharding=None,
):
    """The product of two vectors, a matrix and a vector, or two matrices.

    With dimension_numbers, any contraction, as dot_general.
    Raises ValueError for other ranks, or sizes that do not fit.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.dot(jnp.ones((2, 3)), jnp.ones(3))
    Array([3., 3.], dtype=float32)
    """
    if dimension_numbers is None:
        a, b = get_aval(lhs), get_aval(rhs)
        if not (1 <= a.ndim <= 2 and 1 <= b.ndim <= 2 and a.shape[-1] == b.shape[0]):
            raise ValueError(
                format_error(
                    f"lax.dot multiplies vectors and matrices, got {a} and {b}",
                    try_="dimension_numbers=((lhs axes, rhs axes), ((), ()))",
                )
            )
        dimension_numbers = (((a.ndim - 1,), (0,)), ((), ()))
    return dot_general(
        lhs,
        rhs,
        dimension_numbers,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def batch_matmul(lhs, rhs, precision: PrecisionLike = None):
    """Products of the matrices in the last two axes; the other axes are batch axes.

    Raises ValueError unless both have one rank, at least 2; TypeError for sizes.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.batch_matmul(jnp.ones((5, 2, 3)), jnp.ones((5, 3, 4))).shape
    (5, 2, 4)
    """
    a, b = get_aval(lhs), get_aval(rhs)
    if min(a.ndim, b.ndim) < 2:
        raise ValueError(
            format_error(f"batch_matmul needs at least 2 axes, got {a} and {b}")
        )
    if a.ndim != b.ndim:
        raise ValueError(
            format_error(f"batch_matmul needs operands of one rank, got {a} and {b}")
        )
    batch = tuple(range(a.ndim - 2))
    dims = (((a.ndim - 1,), (a.ndim - 2,)), (batch, batch))
    return dot_general(lhs, rhs, dims, precision=precision)
