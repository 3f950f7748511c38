"""What the linear algebra cards share: batches of matrices, LAPACK, small helpers.

All of these primitives work on the last axes and take any number of leading ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.primitives.precision import Precision
from jaxlike.primitives.reductions import wide_dtypes
from jaxlike.primitives.rules import INEXACT, check_dtypes

# --- evaluation


@cache
def lapack(name: str, dtype: np.dtype) -> Callable:
    """SciPy's wrapper of a LAPACK routine, for matrices of this dtype."""
    from scipy.linalg import get_lapack_funcs

    (routine,) = get_lapack_funcs((name,), dtype=dtype)
    return routine


def worked(x: np.ndarray) -> np.ndarray:
    """`x` in a dtype that LAPACK has: narrow floats become float32."""
    return x.astype(wide_dtypes.get(x.dtype, x.dtype), copy=False)


def for_each_matrix(
    function: Callable,
    outs: Sequence[tuple[tuple[int, ...], Any]],
    *operands: np.ndarray,
    cores: Sequence[int] = (2,),
    finite: bool = True,
) -> list[np.ndarray]:
    """Apply `function` to the matrices of a batch one by one.

    outs: the shape and dtype of each result of one matrix. function(*matrices) returns
    the results, or None where it fails; that gives NaN, and so do operands that are not
    finite, if `finite` asks for that.
    """
    lead = operands[0].shape[: operands[0].ndim - cores[0]]
    count = int(np.prod(lead))
    flat = [
        x.reshape(count, *x.shape[x.ndim - core :]) for x, core in zip(operands, cores)
    ]
    results = [np.empty((count, *shape), dtype) for shape, dtype in outs]
    for i in range(count):
        matrices = [x[i] for x in flat]
        values = None
        if not finite or all(np.isfinite(m).all() for m in matrices):
            values = function(*matrices)
        for j, out in enumerate(results):
            if values is not None:
                out[i] = values[j]
            else:
                out[i] = np.nan if out.dtype.kind in "fc" else 0
    return [out.reshape(*lead, *out.shape[1:]) for out in results]


def many_small(x: np.ndarray) -> bool:
    """Whether a batch is better served by NumPy's loop in C than by LAPACK calls."""
    return x.ndim > 2 and x.shape[-1] <= 32 and x.size > 4 * x.shape[-1] * x.shape[-2]


# --- shapes and batching


def check_matrix(
    name: str, aval: ShapedArray, *, square: bool = False, which: str = "input"
):
    """Raise unless the operand is a float or complex matrix or batch of them."""
    check_dtypes(name, (INEXACT,), (aval,))
    if aval.ndim < 2:
        raise TypeError(
            format_error(f"{name}: the {which} needs at least 2 axes, got {aval}")
        )
    if square and aval.shape[-1] != aval.shape[-2]:
        raise ValueError(
            format_error(f"{name}: the {which} must be square matrices, got {aval}")
        )


def _batch(primitive, axis_data, args, dims, **params):
    from jaxlike.primitives.shapes import broadcast_in_dim, moveaxis

    moved = []
    for x, d in zip(args, dims):
        shape = get_aval(x).shape
        if d is None:
            axes = range(1, len(shape) + 1)
            moved.append(broadcast_in_dim(x, (axis_data.size, *shape), axes))
        else:
            moved.append(moveaxis(x, d, 0))
    out = primitive.bind(*moved, **params)
    return (out, [0] * len(out)) if primitive.multiple_results else (out, 0)


def linalg_primitive(
    name: str, shape: Callable, evaluate: Callable, *, multiple_results: bool = True
) -> Primitive:
    """A primitive on the last axes, whose batch axes go in front."""
    primitive = Primitive(name, multiple_results=multiple_results)
    primitive.shape = shape
    primitive.evaluate = evaluate
    primitive.batch = partial(_batch, primitive)
    return primitive


# --- small matrix functions, for the differentiation rules


def matmul(x: Any, y: Any) -> Any:
    """Products of batches of matrices, in full precision."""
    from jaxlike.primitives.contraction import batch_matmul

    return batch_matmul(x, y, Precision.HIGHEST)


def transposed(x: Any) -> Any:
    """The matrices with their last two axes swapped."""
    from jaxlike.primitives.shapes import transpose

    ndim = get_aval(x).ndim
    return transpose(x, (*range(ndim - 2), ndim - 1, ndim - 2))


def adjoint(x: Any) -> Any:
    """The conjugate transposes."""
    from jaxlike.primitives.complexes import conj

    x = transposed(x)
    return conj(x) if get_aval(x).dtype.kind == "c" else x


def keep(mask: np.ndarray, x: Any) -> Any:
    """`x` with zeros where a constant mask of its last axes is False."""
    from jaxlike.primitives.selection import select_n
    from jaxlike.primitives.shapes import broadcast_in_dim

    aval = get_aval(x)
    axes = range(aval.ndim - mask.ndim, aval.ndim)
    whole = broadcast_in_dim(mask, aval.shape, axes)
    zeros = broadcast_in_dim(np.zeros((), aval.dtype), aval.shape, ())
    return select_n(whole, zeros, x)


def lower(x: Any, k: int = 0) -> Any:
    """The part on and below the k-th diagonal."""
    return keep(np.tri(*get_aval(x).shape[-2:], k, dtype=bool), x)


def upper(x: Any, k: int = 0) -> Any:
    """The part on and above the k-th diagonal."""
    return keep(~np.tri(*get_aval(x).shape[-2:], k - 1, dtype=bool), x)


def diagonal(x: Any) -> Any:
    """The diagonals of square matrices, as vectors."""
    from jaxlike.primitives.reductions import reduce_sum

    aval = get_aval(x)
    return reduce_sum(keep(np.eye(aval.shape[-1], dtype=bool), x), (aval.ndim - 1,))


def scale_diagonal(x: Any, factor: float) -> Any:
    """`x` with its diagonal multiplied by a constant."""
    from jaxlike.primitives.arithmetic import mul
    from jaxlike.primitives.shapes import broadcast_in_dim

    aval = get_aval(x)
    factors = np.ones(aval.shape[-2:], aval.dtype)
    np.fill_diagonal(factors, factor)
    axes = (aval.ndim - 2, aval.ndim - 1)
    return mul(x, broadcast_in_dim(factors, aval.shape, axes))


def rows(v: Any, n: int) -> Any:
    """Vectors v[..., j] as n equal rows of matrices."""
    from jaxlike.primitives.shapes import broadcast_in_dim

    shape = get_aval(v).shape
    axes = (*range(len(shape) - 1), len(shape))
    return broadcast_in_dim(v, (*shape[:-1], n, shape[-1]), axes)


def columns(v: Any, n: int) -> Any:
    """Vectors v[..., i] as n equal columns of matrices."""
    from jaxlike.primitives.shapes import broadcast_in_dim

    shape = get_aval(v).shape
    return broadcast_in_dim(v, (*shape, n), range(len(shape)))


def sliced(x: Any, axis: int, start: int, stop: int) -> Any:
    """x[..., start:stop] along one of the last axes (a negative number)."""
    from jaxlike.primitives.slicing import slice_in_dim

    return slice_in_dim(x, start, stop, 1, get_aval(x).ndim + axis)


def joined(parts: Sequence[Any], axis: int) -> Any:
    """Matrices put together along one of the last axes (a negative number)."""
    from jaxlike.primitives.joining import concatenate

    parts = [p for p in parts if get_aval(p).shape[axis]]
    return concatenate(parts, get_aval(parts[0]).ndim + axis)


def permutation_matrix(permutation: Any, dtype) -> Any:
    """P with (P @ x)[i] = x[permutation[i]]."""
    from jaxlike.primitives.comparison import eq
    from jaxlike.primitives.conversion import convert_element_type

    n = get_aval(permutation).shape[-1]
    count = np.arange(n, dtype=get_aval(permutation).dtype)
    places = columns(permutation, n)
    shape = get_aval(places).shape
    from jaxlike.primitives.shapes import broadcast_in_dim

    return convert_element_type(
        eq(places, broadcast_in_dim(count, shape, (len(shape) - 1,))), dtype
    )


def symmetrized(x: Any) -> Any:
    """(x + x^H) / 2."""
    from jaxlike.primitives.arithmetic import add, div

    two = np.asarray(2, get_aval(x).dtype)
    return div(add(x, adjoint(x)), two)
