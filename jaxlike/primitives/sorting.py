"""Order: sort of several arrays by the first ones, top_k and approximate top-k.

sort treats -0.0 and 0.0 as equal and puts NaN last; top_k goes by IEEE's total order
(-0.0 below 0.0, NaN outermost by its sign).
"""

from __future__ import annotations

import math
import operator as op
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero
from jaxlike.primitives.axes import canonical_axis
from jaxlike.primitives.gather import take_along
from jaxlike.primitives.rules import dtype_kind
from jaxlike.primitives.shapes import batch_axis_at, broadcasted_iota

__all__ = [
    "approx_max_k",
    "approx_min_k",
    "approx_top_k_p",
    "sort",
    "sort_key_val",
    "sort_p",
    "top_k",
    "top_k_p",
]

# --- sort

sort_p = Primitive("sort", multiple_results=True)


def _sort_shape(*operands, dimension, is_stable, num_keys):
    first = operands[0]
    if any(x.shape != first.shape for x in operands):
        raise TypeError(
            format_error(
                "sort takes operands of one shape, got: " + " ".join(map(str, operands))
            )
        )
    for x in operands[:num_keys]:
        if dtype_kind(x.dtype) == "extended":
            raise TypeError(format_error(f"sort cannot order values of type {x}"))
    return list(operands)


def _sort_evaluate(*operands, dimension, is_stable, num_keys):
    if len(operands) == 1:
        x = operands[0]
        if x.dtype.kind in "biu":
            return [np.sort(x, dimension)]
        if x.dtype.kind == "f":
            kind = "stable" if x.size < 1024 or _mixed_zeros(x) else None
            return [np.sort(x, dimension, kind=kind)]
    keys = [part for x in operands[:num_keys] for part in _sort_keys(x)]
    if len(keys) == 1:
        order = keys[0].argsort(dimension, kind="stable")
    else:
        order = np.lexsort(keys[::-1], dimension)
    if order.ndim == 1:
        return [x[order] for x in operands]
    return [np.take_along_axis(x, order, dimension) for x in operands]


def _mixed_zeros(x) -> bool:
    """Whether a stable sort differs from another one: there are zeros of both signs."""
    zero = x == 0
    return bool(zero.any() and (np.signbit(x) & zero).any())


def _sort_keys(x) -> list[np.ndarray]:
    """Arrays of NumPy's own dtypes that order as x does, the first one foremost."""
    if x.dtype.kind == "c":
        return [x.real, x.imag]
    if x.dtype.kind in "biuf":
        return [x]
    small = dtype_kind(x.dtype) == "integer"
    return [x.astype(np.int8 if small else np.float32)]


def _sort_jvp(primals, tangents, *, dimension, is_stable, num_keys):
    params = dict(dimension=dimension, is_stable=is_stable, num_keys=num_keys)
    if all(type(t) is Zero for t in tangents):
        outs = sort_p.bind(*primals, **params)
        return outs, [Zero(get_aval(o).to_tangent_aval()) for o in outs]
    shape = get_aval(primals[0]).shape
    positions = broadcasted_iota(np.int32, shape, dimension)
    *outs, order = sort_p.bind(*primals, positions, **params)
    return outs, [_follow(t, order, dimension, o) for t, o in zip(tangents, outs)]


def _follow(tangent, order, dimension, out):
    if type(tangent) is Zero:
        return Zero(get_aval(out).to_tangent_aval())
    return take_along(tangent, order, dimension)


def _sort_batch(axis_data, args, dims, *, dimension, is_stable, num_keys):
    to = next(d for d in dims if d is not None)
    args = [batch_axis_at(x, d, to, axis_data.size) for x, d in zip(args, dims)]
    outs = sort_p.bind(
        *args,
        dimension=dimension + (to <= dimension),
        is_stable=is_stable,
        num_keys=num_keys,
    )
    return outs, [to] * len(outs)


sort_p.shape = _sort_shape
sort_p.evaluate = _sort_evaluate
sort_p.jvp = _sort_jvp
sort_p.batch = _sort_batch


def sort(
    operand: Any, dimension: int = -1, is_stable: bool = True, num_keys: int = 1
) -> Any:
    """Sort along an axis in ascending order, NaN last.

    Args: `operand`, an array, or arrays of one shape that are permuted together, by
    the order of the first `num_keys` of them (complex by real, then imaginary part).
    Returns: an array, or a tuple for a sequence.
    Raises: TypeError if shapes differ, ValueError for `num_keys` out of range.

    >>> from jaxlike import lax
    >>> lax.sort(np.array([3, 1, 2])).tolist()
    [1, 2, 3]
    """
    many = isinstance(operand, Sequence)
    operands = list(operand) if many else [operand]
    if not operands:
        raise TypeError(format_error("sort takes at least one operand"))
    if not 1 <= num_keys <= len(operands):
        raise ValueError(
            format_error(
                f"num_keys of sort must lie in 1 to {len(operands)}, the number of "
                f"operands; got {num_keys}"
            )
        )
    outs = sort_p.bind(
        *operands,
        dimension=canonical_axis(dimension, get_aval(operands[0]).ndim),
        is_stable=bool(is_stable),
        num_keys=op.index(num_keys),
    )
    return tuple(outs) if many else outs[0]


def sort_key_val(
    keys: Any, values: Any, dimension: int = -1, is_stable: bool = True
) -> tuple[Any, Any]:
    """Sort keys along an axis, and put the values in the same order.

    >>> from jaxlike import lax
    >>> keys, values = lax.sort_key_val(np.array([3, 1, 2]), np.array([0, 1, 2]))
    >>> values.tolist()
    [1, 2, 0]
    """
    keys, values = sort((keys, values), dimension, is_stable, num_keys=1)
    return keys, values


# --- top_k

top_k_p = Primitive("top_k", multiple_results=True)


def _top_k_shape(operand, *, axis, k):
    if dtype_kind(operand.dtype) in ("complexfloating", "extended"):
        raise ValueError(format_error(f"top_k cannot order values of type {operand}"))
    size = operand.shape[axis]
    if k > size:
        raise ValueError(
            format_error(f"top_k: k={k} is more than axis {axis} of {operand} has")
        )
    shape = (*operand.shape[:axis], k, *operand.shape[axis + 1 :])
    return [
        ShapedArray(shape, operand.dtype, operand.weak_type),
        ShapedArray(shape, np.dtype(np.int32)),
    ]


def _top_k_evaluate(operand, *, axis, k):
    last = operand.swapaxes(axis, -1)
    index = _smallest(~_total_order(last), k)
    values = np.take_along_axis(last, index, -1)
    return [values.swapaxes(axis, -1), index.swapaxes(axis, -1).astype(np.int32)]


def _total_order(x) -> np.ndarray:
    """Integers that are ordered as x by IEEE's total order."""
    if x.dtype.kind == "b":
        return x.astype(np.int8)
    if x.dtype.kind in "iu":
        return x
    if dtype_kind(x.dtype) == "integer":
        return x.astype(np.int8)
    if x.dtype.itemsize < 2:
        x = x.astype(np.float32)
    bits = 8 * x.dtype.itemsize
    word = np.dtype(f"i{x.dtype.itemsize}")
    code = np.ascontiguousarray(x).view(word)
    flips = (code >> (bits - 1)) & word.type(2 ** (bits - 1) - 1)
    return code ^ flips


def _smallest(x, k: int) -> np.ndarray:
    """Where the k smallest of the last axis are; of equals, the first ones first."""
    n = x.shape[-1]
    if 0 < 8 * k < n and n > 256:
        limit = np.partition(x, k - 1, -1)[..., k - 1 : k]
        if ((x <= limit).sum(-1) == k).all():  # no tie at the border
            few = np.argpartition(x, k - 1, -1)[..., :k]
            few.sort(-1)
            order = np.take_along_axis(x, few, -1).argsort(-1, kind="stable")
            return np.take_along_axis(few, order, -1)
    return x.argsort(-1, kind="stable")[..., :k]


def _top_k_jvp(primals, tangents, *, axis, k):
    values, index = top_k_p.bind(*primals, axis=axis, k=k)
    no_tangent = Zero(get_aval(index).to_tangent_aval())
    return [values, index], [_follow(tangents[0], index, axis, values), no_tangent]


def _top_k_batch(axis_data, args, dims, *, axis, k):
    (x,), (d,) = args, dims
    return top_k_p.bind(x, axis=axis + (d <= axis), k=k), [d, d]


top_k_p.shape = _top_k_shape
top_k_p.evaluate = _top_k_evaluate
top_k_p.jvp = _top_k_jvp
top_k_p.batch = _top_k_batch


def top_k(operand: Any, k: int, *, axis: int = -1) -> list[Any]:
    """The k largest values along an axis, in descending order, and their indices.

    Of equal values the first comes first.

    Returns: [values, indices], the indices int32.
    Raises: ValueError if k is negative or larger than the axis, or for complex values.

    >>> from jaxlike import lax
    >>> [out.tolist() for out in lax.top_k(np.array([3, 1, 4]), 2)]
    [[4, 3], [2, 0]]
    """
    k = op.index(k)
    if k < 0:
        raise ValueError(format_error(f"top_k: k must not be negative, got {k}"))
    axis = canonical_axis(axis, get_aval(operand).ndim)
    return top_k_p.bind(operand, axis=axis, k=k)


# --- approx_top_k: exact here; only how many candidates come back is as asked

approx_top_k_p = Primitive("approx_top_k", multiple_results=True)


def _candidates(size, rank, k, recall_target, override) -> int:
    """How many candidates: bins that keep the k extreme values apart often enough."""
    tile = 1024 if rank == 1 else 128
    if size <= tile:
        return size
    if k == 1:
        return tile
    bins = int((1 - k) / math.log(recall_target)) if recall_target < 1 else size
    bins = min(max(bins, tile), size)
    folds = ((size if override < 0 else override) // bins).bit_length() - 1
    if folds <= 0:
        return size
    return math.ceil(math.ceil(size / tile) / 2**folds) * tile


def _approx_top_k_shape(
    operand,
    *,
    aggregate_to_topk,
    is_max_k,
    k,
    recall_target,
    reduction_dimension,
    reduction_input_size_override,
):
    axis = canonical_axis(reduction_dimension, operand.ndim)
    size = operand.shape[axis]
    if dtype_kind(operand.dtype) != "floating":
        raise ValueError(
            format_error(f"approximate top-k needs floating values, got {operand}")
        )
    if not 0 < k <= size:
        raise ValueError(
            format_error(
                f"k must be positive and at most {size}, the size of axis {axis} of "
                f"{operand}; got {k}"
            )
        )
    if not 0 < recall_target <= 1:
        raise ValueError(
            format_error(f"recall_target must be in (0, 1], got {recall_target}")
        )
    if not aggregate_to_topk:
        k = _candidates(
            size, operand.ndim, k, recall_target, reduction_input_size_override
        )
    shape = (*operand.shape[:axis], k, *operand.shape[axis + 1 :])
    return [
        ShapedArray(shape, operand.dtype, operand.weak_type),
        ShapedArray(shape, np.dtype(np.int32)),
    ]


def _approx_top_k_evaluate(
    operand,
    *,
    aggregate_to_topk,
    is_max_k,
    k,
    recall_target,
    reduction_dimension,
    reduction_input_size_override,
):
    axis = reduction_dimension % operand.ndim
    last = operand.swapaxes(axis, -1)
    size = last.shape[-1]
    if not aggregate_to_topk:
        k = _candidates(
            size, operand.ndim, k, recall_target, reduction_input_size_override
        )
    code = _total_order(last)
    index = _smallest(~code if is_max_k else code, k)
    values = np.take_along_axis(last, index, -1)
    return [values.swapaxes(axis, -1), index.swapaxes(axis, -1).astype(np.int32)]


def _approx_top_k_jvp(primals, tangents, **params):
    values, index = approx_top_k_p.bind(*primals, **params)
    axis = canonical_axis(params["reduction_dimension"], get_aval(values).ndim)
    no_tangent = Zero(get_aval(index).to_tangent_aval())
    return [values, index], [_follow(tangents[0], index, axis, values), no_tangent]


def _approx_top_k_batch(axis_data, args, dims, *, reduction_dimension, **params):
    (x,), (d,) = args, dims
    axis = canonical_axis(reduction_dimension, get_aval(x).ndim - 1)
    outs = approx_top_k_p.bind(x, reduction_dimension=axis + (d <= axis), **params)
    return outs, [d, d]


approx_top_k_p.shape = _approx_top_k_shape
approx_top_k_p.evaluate = _approx_top_k_evaluate
approx_top_k_p.jvp = _approx_top_k_jvp
approx_top_k_p.batch = _approx_top_k_batch


def _approx(operand, k, axis, recall_target, override, aggregate, is_max) -> list[Any]:
    return approx_top_k_p.bind(
        operand,
        aggregate_to_topk=bool(aggregate),
        is_max_k=is_max,
        k=op.index(k),
        recall_target=float(recall_target),
        reduction_dimension=op.index(axis),
        reduction_input_size_override=op.index(override),
    )


def approx_max_k(
    operand: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
) -> tuple[Any, Any]:
    """The k largest values along an axis, and their indices; here they are exact.

    Args: without `aggregate_to_topk`, the candidates come back: enough of them that
    `recall_target` of the k largest are expected to be there.
    Raises: ValueError for values that are not floats, or k out of range.

    >>> from jaxlike import lax
    >>> lax.approx_max_k(np.array([3.0, 1.0, 4.0]), 2)[1].tolist()
    [2, 0]
    """
    size = reduction_input_size_override
    outs = _approx(
        operand, k, reduction_dimension, recall_target, size, aggregate_to_topk, True
    )
    return outs[0], outs[1]


def approx_min_k(
    operand: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
) -> tuple[Any, Any]:
    """The k smallest values along an axis, and their indices; as `approx_max_k`.

    >>> from jaxlike import lax
    >>> lax.approx_min_k(np.array([3.0, 1.0, 4.0]), 2)[1].tolist()
    [1, 0]
    """
    size = reduction_input_size_override
    outs = _approx(
        operand, k, reduction_dimension, recall_target, size, aggregate_to_topk, False
    )
    return outs[0], outs[1]
