"""Matrix products and their kin: matmul, dot, tensordot, outer, vecdot and so on.

Each is one dot_general, or a multiplication where nothing is summed. einsum.py has the
general notation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core import dtypes, errors
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray
from jaxlike.core.errors import format_error
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace, ignore_float_errors, restore_float_errors
from jaxlike.numpy.axes import canonical_axis
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.dispatch import _all_plans, _blockers
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    check_arraylike,
    convert,
    to_arrays,
)
from jaxlike.primitives import arithmetic, complexes, shapes
from jaxlike.primitives.broadcasting import broadcast_in_dim
from jaxlike.primitives.contraction import dot_general
from jaxlike.primitives.precision import PrecisionLike

Axes = tuple[int, ...]


def contract(
    lhs: Any,
    rhs: Any,
    contracting: tuple[Sequence[int], Sequence[int]],
    batch: tuple[Sequence[int], Sequence[int]] = ((), ()),
    *,
    precision: PrecisionLike = None,
    preferred_element_type: DTypeLike | None = None,
) -> Any:
    """dot_general with promotion; a multiplication where there is nothing to sum.

    Returns: an array with the batch axes, the other axes of `lhs`, those of `rhs`.
    """
    dtype, weak = result_dtype(lhs, rhs, preferred_element_type)
    if lhs.dtype != rhs.dtype:
        common = dtypes.result_type(lhs, rhs)
        lhs, rhs = convert(lhs, common), convert(rhs, common)
    if contracting[0] or dtype == np.bool_:
        out = dot_general(
            lhs,
            rhs,
            (contracting, batch),
            precision=precision,
            preferred_element_type=dtype,
        )
        return convert(out, dtype, weak)
    lhs, rhs = convert(lhs, dtype, weak), convert(rhs, dtype, weak)
    lhs_rest = [i for i in range(lhs.ndim) if i not in batch[0]]
    rhs_rest = [i for i in range(rhs.ndim) if i not in batch[1]]
    lhs = shapes.transpose(lhs, (*batch[0], *lhs_rest))
    rhs = shapes.transpose(rhs, (*batch[1], *rhs_rest))
    lhs = _spread(lhs, lhs.ndim, len(rhs_rest))
    rhs = _spread(rhs, len(batch[1]), len(lhs_rest))
    return arithmetic.mul(lhs, rhs)


def _spread(x: Any, place: int, count: int) -> Any:
    """`x` with `count` axes of size 1 before its axis `place`; scalars stay."""
    if count <= 0 or not x.ndim:
        return x
    shape = (*x.shape[:place], *(1,) * count, *x.shape[place:])
    dims = (*range(place), *range(place + count, len(shape)))
    return broadcast_in_dim(x, shape, dims)


def result_dtype(lhs: Any, rhs: Any, preferred: DTypeLike | None) -> tuple[Any, bool]:
    """The dtype of a product and whether it is weak."""
    if preferred is None:
        return dtypes.lattice_result_type(lhs, rhs)
    return dtypes.check_user_dtype_supported(preferred, "preferred_element_type"), False


# the result's aval for pairs of avals whose product NumPy alone computes
_matmul_plans: dict[Any, ShapedArray] = {}
_dot_plans: dict[Any, ShapedArray] = {}
_all_plans.extend((_matmul_plans, _dot_plans))
_PLANS_LIMIT = 2048


def _by_numpy(product: Any, plans: dict, a: Any, b: Any) -> Array | None:
    """The product in eager mode by NumPy's own function, or None."""
    if type(a) is not Array or type(b) is not Array or state.trace is not eval_trace:
        return None
    aval = plans.get((a.aval, b.aval))
    x, y = a._data, b._data
    if x is None or y is None or (aval is None and not _plannable(a, b)):
        return None
    token = ignore_float_errors()
    try:
        out = np.asarray(product(x, y))
    except ValueError:  # the general way says what is wrong
        return None
    finally:
        restore_float_errors(token)
    if aval is None:
        weak = a.aval.weak_type and b.aval.weak_type
        aval = ShapedArray(out.shape, out.dtype, weak)
        if len(plans) >= _PLANS_LIMIT:
            plans.clear()
        plans[a.aval, b.aval] = aval
    return Array(out, aval)


def _plannable(a: Any, b: Any) -> bool:
    dtype = a.aval.dtype
    return (
        not _blockers
        and dtype == b.aval.dtype
        and dtype in (np.float32, np.float64, np.complex64, np.complex128)
        and min(a.ndim, b.ndim) > 0
        and max(a.ndim, b.ndim) < 3
    )


# --- products of stacks of matrices and vectors


@lru_cache(maxsize=4096)
def _stack_plan(a: Axes, b: Axes, has_rows: bool, has_columns: bool) -> tuple:
    """How the leading axes of two stacks go together.

    Returns: (axes to squeeze from a, from b, contracting, batch, permutation or None).
    """
    a_core, b_core = 1 + has_rows, 1 + has_columns
    a_lead, b_lead = len(a) - a_core, len(b) - b_core
    rank = max(a_lead, b_lead)
    a_batch, b_batch, squeeze_a, squeeze_b = [], [], [], []
    kept_a, kept_b, order = 0, 0, []  # (kind, position) of each leading axis of result
    for i in range(rank):
        i_a, i_b = i - (rank - a_lead), i - (rank - b_lead)
        n = a[i_a] if i_a >= 0 else None
        m = b[i_b] if i_b >= 0 else None
        if n is not None and m is not None and n == m:
            order.append(("batch", len(a_batch)))
            a_batch.append(kept_a)
            b_batch.append(kept_b)
            kept_a, kept_b = kept_a + 1, kept_b + 1
        elif m is None or m == 1:
            if m == 1:
                squeeze_b.append(i_b)
            order.append(("a", kept_a))
            kept_a += 1
        elif n is None or n == 1:
            if n == 1:
                squeeze_a.append(i_a)
            order.append(("b", kept_b))
            kept_b += 1
        else:
            return None
    a_free = [i for i in range(kept_a) if i not in a_batch]
    b_free = [i for i in range(kept_b) if i not in b_batch]
    lead = len(a_batch)
    places = {("batch", i): i for i in range(lead)}
    places |= {("a", axis): lead + i for i, axis in enumerate(a_free)}
    rows = lead + len(a_free)
    places |= {("b", axis): rows + has_rows + i for i, axis in enumerate(b_free)}
    columns = rows + has_rows + len(b_free)
    permutation = [places[key] for key in order]
    permutation += [rows] * has_rows + [columns] * has_columns
    return (
        tuple(squeeze_a),
        tuple(squeeze_b),
        ((kept_a + has_rows,), (kept_b,)),
        (tuple(a_batch), tuple(b_batch)),
        None if permutation == sorted(permutation) else tuple(permutation),
    )


def _stacked(
    name: str, a: Any, b: Any, has_rows: bool, has_columns: bool, **options: Any
) -> Any:
    """Contract the last axis of `a` with the last (second to last) core axis of `b`.

    The axes before the cores broadcast. has_rows: the cores of `a` are matrices;
    has_columns: those of `b` are.
    """
    plan = _stack_plan(a.shape, b.shape, has_rows, has_columns)
    if plan is None:
        raise ValueError(
            errors.format_error(
                f"Incompatible types for {name} arguments: {a.aval} and {b.aval}",
                ["their leading axes do not broadcast"],
            )
        )
    squeeze_a, squeeze_b, contracting, batch, permutation = plan
    if squeeze_a:
        a = shapes.squeeze(a, squeeze_a)
    if squeeze_b:
        b = shapes.squeeze(b, squeeze_b)
    out = contract(a, b, contracting, batch, **options)
    return out if permutation is None else shapes.transpose(out, permutation)


def matmul(
    a: ArrayLike,
    b: ArrayLike,
    *,
    precision: PrecisionLike = None,
    preferred_element_type: DTypeLike | None = None,
    out_sharding: None = None,
) -> Array:
    """The matrix product, over the last two axes; the axes before them broadcast.

    Args:
      a, b: vectors too: a row from the left, a column from the right.
      preferred_element_type: the dtype to add in and return.
    Raises: ValueError for scalars and leading axes that do not broadcast, TypeError
    for matrices that do not fit.

    >>> import jaxlike.numpy as jnp
    >>> jnp.matmul(jnp.ones((2, 3)), jnp.ones(3))
    Array([3., 3.], dtype=float32)
    """
    if precision is None and preferred_element_type is None:
        out = _by_numpy(np.matmul, _matmul_plans, a, b)
        if out is not None:
            return out
    a, b = to_arrays("matmul", a, b)
    for i, x in enumerate((a, b)):
        if not x.ndim:
            raise ValueError(
                errors.format_error(
                    f"matmul takes vectors and matrices, but operand {i} is a scalar",
                    try_="x * y, to multiply by a scalar",
                )
            )
    return _stacked(
        "matmul",
        a,
        b,
        a.ndim > 1,
        b.ndim > 1,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def dot(
    a: ArrayLike,
    b: ArrayLike,
    *,
    precision: PrecisionLike = None,
    preferred_element_type: DTypeLike | None = None,
    out_sharding: None = None,
) -> Array:
    """Sum over the last axis of `a` and the second to last (or only) axis of `b`.

    A product for scalars. Unlike in `matmul`, the other axes of both are in the result.
    Raises: TypeError for sizes that differ.

    >>> import jaxlike.numpy as jnp
    >>> jnp.dot(jnp.array([1, 2]), jnp.array([3, 4]))
    Array(11, dtype=int32)
    """
    if precision is None and preferred_element_type is None:
        out = _by_numpy(np.dot, _dot_plans, a, b)
        if out is not None:
            return out
    a, b = to_arrays("dot", a, b)
    if a.ndim and b.ndim:
        contracting: Any = ((a.ndim - 1,), (max(b.ndim - 2, 0),))
    else:
        contracting = ((), ())
    return contract(
        a,
        b,
        contracting,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def vdot(
    a: ArrayLike,
    b: ArrayLike,
    *,
    precision: PrecisionLike = None,
    preferred_element_type: DTypeLike | None = None,
) -> Array:
    """The sum of the products of all elements, those of `a` conjugated.

    >>> import jaxlike.numpy as jnp
    >>> jnp.vdot(jnp.ones((2, 3)), jnp.ones(6))
    Array(6., dtype=float32)
    """
    a, b = to_arrays("vdot", a, b)
    a = _conjugate(a)
    return dot(
        jnp.ravel(a),
        jnp.ravel(b),
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def _conjugate(x: Any) -> Any:
    if dtypes.issubdtype(x.dtype, np.complexfloating):
        return complexes.conj(x)
    return x


def inner(
    a: ArrayLike,
    b: ArrayLike,
    *,
    precision: PrecisionLike = None,
    preferred_element_type: DTypeLike | None = None,
) -> Array:
    """Sum over the last axes of both; a product if one is a scalar.

    >>> import jaxlike.numpy as jnp
    >>> jnp.inner(jnp.ones((2, 3)), jnp.ones((4, 3))).shape
    (2, 4)
    """
    a, b = to_arrays("inner", a, b)
    contracting = ((a.ndim - 1,), (b.ndim - 1,)) if a.ndim and b.ndim else ((), ())
    return contract(
        a,
        b,
        contracting,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


@composite_of(2)
def outer(a: ArrayLike, b: ArrayLike, out: None = None) -> Array:
    """The products of every element of `a` with every element of `b`, as a matrix.

    >>> import jaxlike.numpy as jnp
    >>> jnp.outer(jnp.array([1, 2]), jnp.array([3, 4]))
    Array([[3, 4],
           [6, 8]], dtype=int32)
    """
    if out is not None:
        raise NotImplementedError(
            format_error("outer takes no out", try_="x = jnp.outer(a, b)")
        )
    a, b = to_arrays("outer", a, b)
    a, b = jnp.ravel(a), jnp.ravel(b)
    return jnp.multiply(_spread(a, 1, 1), _spread(b, 0, 1))


def tensordot(
    a: ArrayLike,
    b: ArrayLike,
    axes: int | Sequence[int] | Sequence[Sequence[int]] = 2,
    *,
    precision: PrecisionLike = None,
    preferred_element_type: DTypeLike | None = None,
    out_sharding: None = None,
) -> Array:
    """Sum the products over pairs of axes, one of `a` and one of `b` each.

    Args: `axes`, the pairs as two lists; or a number n, for the last n axes of `a` with
    the first n of `b`.
    Raises: TypeError for other forms, and axes of different sizes.

    >>> import jaxlike.numpy as jnp
    >>> x, y = jnp.ones((2, 3, 4)), jnp.ones((4, 3, 5))
    >>> jnp.tensordot(x, y, axes=((1, 2), (1, 0))).shape
    (2, 5)
    """
    check_arraylike("tensordot", a, b)
    a, b = to_arrays("tensordot", a, b)
    return contract(
        a,
        b,
        _tensordot_axes(a, b, axes),
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def _tensordot_axes(a: Any, b: Any, axes: Any) -> tuple[Axes, Axes]:
    if isinstance(axes, (int, np.integer)):
        if axes > min(a.ndim, b.ndim):
            raise TypeError(
                format_error(
                    f"Number of tensordot axes (axes {axes}) exceeds input ranks "
                    f"({a.shape} and {b.shape})"
                )
            )
        count = max(int(axes), 0)
        return tuple(range(a.ndim - count, a.ndim)), tuple(range(count))
    if isinstance(axes, (tuple, list)) and len(axes) == 2:
        pair = [[x] if isinstance(x, (int, np.integer)) else x for x in axes]
        if all(isinstance(x, (tuple, list, np.ndarray)) for x in pair):
            left, right = pair
            if len(left) != len(right):
                raise TypeError(
                    format_error(
                        "tensordot requires axes lists to have equal length, got "
                        f"{axes[0]} and {axes[1]}"
                    )
                )
            return (
                tuple(canonical_axis(int(i), a.ndim) for i in left),
                tuple(canonical_axis(int(i), b.ndim) for i in right),
            )
    raise TypeError(
        format_error(
            "tensordot axes argument must be an int, a pair of ints, or a pair of "
            f"lists/tuples of ints, got {axes!r}"
        )
    )


def vecdot(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    *,
    axis: int = -1,
    precision: PrecisionLike = None,
    preferred_element_type: DTypeLike | None = None,
) -> Array:
    """Sum the products along one axis, `x1` conjugated; the other axes broadcast.

    Raises: ValueError if the axis differs in size.

    >>> import jaxlike.numpy as jnp
    >>> jnp.vecdot(jnp.ones((2, 3)), jnp.ones(3))
    Array([3., 3.], dtype=float32)
    """
    x1, x2 = to_arrays("vecdot", x1, x2)
    if not x1.ndim or not x2.ndim or x1.shape[axis] != x2.shape[axis]:
        raise ValueError(
            format_error(
                f"vecdot: axis {axis!r} of {x1.shape} and of {x2.shape} differ"
            )
        )
    return _stacked(
        "vecdot",
        _conjugate(jnp.moveaxis(x1, axis, -1)),
        jnp.moveaxis(x2, axis, -1),
        False,
        False,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def matvec(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Products of matrices (the last two axes) and vectors (the last axis).

    The axes before those broadcast.
    Raises: ValueError for sizes or ranks that do not fit.

    >>> import jaxlike.numpy as jnp
    >>> jnp.matvec(jnp.ones((2, 3)), jnp.ones((5, 3))).shape
    (5, 2)
    """
    x1, x2 = to_arrays("matvec", x1, x2)
    _check_cores("matvec", x1, x2, (2, 1), (-1, -1))
    return _stacked("matvec", x1, x2, True, False)


def vecmat(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Products of vectors (the last axis), conjugated, and matrices (the last two).

    The axes before those broadcast.
    Raises: ValueError for sizes or ranks that do not fit.

    >>> import jaxlike.numpy as jnp
    >>> jnp.vecmat(jnp.ones((5, 2)), jnp.ones((2, 3))).shape
    (5, 3)
    """
    x1, x2 = to_arrays("vecmat", x1, x2)
    _check_cores("vecmat", x1, x2, (1, 2), (-1, -2))
    return _stacked("vecmat", _conjugate(x1), x2, False, True)


def _check_cores(name: str, a: Any, b: Any, ranks: Axes, axes: Axes) -> None:
    for i, (x, rank) in enumerate(zip((a, b), ranks)):
        if x.ndim < rank:
            raise ValueError(
                format_error(
                    f"{name}: argument {i} needs at least {rank} axes, got {x.aval}"
                )
            )
    if a.shape[axes[0]] != b.shape[axes[1]]:
        raise ValueError(
            format_error(
                f"{name}: inconsistent size of the summed axis: {a.aval} and {b.aval}"
            )
        )


@composite_of(2)
def kron(a: ArrayLike, b: ArrayLike) -> Array:
    """The Kronecker product: `b` once for each element of `a`, times that element.

    >>> import jaxlike.numpy as jnp
    >>> jnp.kron(jnp.array([1, 10]), jnp.array([1, 2]))
    Array([ 1,  2, 10, 20], dtype=int32)
    """
    a, b = to_arrays("kron", a, b)
    rank = max(a.ndim, b.ndim)
    a_shape = (1,) * (rank - a.ndim) + a.shape
    b_shape = (1,) * (rank - b.ndim) + b.shape
    pairs = [n for pair in zip(a_shape, (1,) * rank) for n in pair]
    a = shapes.reshape(a, tuple(pairs))
    pairs = [n for pair in zip((1,) * rank, b_shape) for n in pair]
    b = shapes.reshape(b, tuple(pairs))
    shape = tuple(math.prod(pair) for pair in zip(a_shape, b_shape))
    return jnp.reshape(jnp.multiply(a, b), shape)
