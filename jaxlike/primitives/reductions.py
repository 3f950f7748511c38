"""Reductions over axes: sum, prod, max, min, and, or, xor, argmax and argmin.

Here are the monoids known by name. Reduction by a Python function is in monoids.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero
from jaxlike.primitives.reduce_numpy import arg_extremum, reduce_axes
from jaxlike.primitives.rules import dtype_kind

__all__ = [
    "argmax",
    "argmax_p",
    "argmin",
    "argmin_p",
    "reduce_and",
    "reduce_and_p",
    "reduce_max",
    "reduce_max_p",
    "reduce_min",
    "reduce_min_p",
    "reduce_or",
    "reduce_or_p",
    "reduce_prod",
    "reduce_prod_p",
    "reduce_sum",
    "reduce_sum_p",
    "reduce_xor",
    "reduce_xor_p",
]

# --- dtypes to compute in

# narrow dtypes, whose arithmetic NumPy does slowly or by rounding at every step
wide_dtypes: dict[np.dtype, np.dtype] = {
    dtypes.bfloat16: dtypes.float32,
    dtypes.float16: dtypes.float32,
    **dict.fromkeys(dtypes.narrow_floats.values(), dtypes.float32),
    **dict.fromkeys(dtypes.narrow_ints.values(), dtypes.int8),
    **dict.fromkeys(dtypes.narrow_uints.values(), dtypes.uint8),
}


def max_identity(dtype: np.dtype) -> Any:
    """The least value of a dtype: what the maximum of nothing is."""
    kind = dtype_kind(dtype)
    if kind == "bool":
        return False
    if kind == "integer":
        return np.asarray(int(dtypes.iinfo(dtype).min), dtype)
    if kind == "complexfloating":
        return np.asarray(complex(-np.inf, 0), dtype)
    info = dtypes.finfo(dtype)
    lowest = np.asarray(-np.inf).astype(dtype)
    return lowest if np.isinf(lowest.astype(np.float32)) else np.asarray(info.min)


def min_identity(dtype: np.dtype) -> Any:
    """The greatest value of a dtype: what the minimum of nothing is."""
    kind = dtype_kind(dtype)
    if kind == "bool":
        return True
    if kind == "integer":
        return np.asarray(int(dtypes.iinfo(dtype).max), dtype)
    if kind == "complexfloating":
        return np.asarray(complex(np.inf, 0), dtype)
    info = dtypes.finfo(dtype)
    highest = np.asarray(np.inf).astype(dtype)
    return highest if np.isinf(highest.astype(np.float32)) else np.asarray(info.max)


# --- evaluation


def _reduce_sum_evaluate(x, *, axes):
    wide = wide_dtypes.get(x.dtype)
    if wide is None:
        return reduce_axes(np.add, x, axes, x.dtype)
    return _narrowed(reduce_axes(np.add, x.astype(wide), axes, wide), x.dtype)


def _reduce_prod_evaluate(x, *, axes):
    wide = wide_dtypes.get(x.dtype)
    if wide is None:
        return reduce_axes(np.multiply, x, axes, x.dtype)
    return _narrowed(reduce_axes(np.multiply, x.astype(wide), axes, wide), x.dtype)


def _reduce_extremum_evaluate(ufunc, identity, x, *, axes):
    if not x.size:
        shape = [n for i, n in enumerate(x.shape) if i not in axes]
        return np.full(shape, identity(x.dtype), x.dtype)
    wide = wide_dtypes.get(x.dtype)
    if wide is None:
        return reduce_axes(ufunc, x, axes)
    return _narrowed(reduce_axes(ufunc, x.astype(wide), axes), x.dtype)


def _narrowed(x, dtype):
    return np.asarray(x).astype(dtype)


def _arg_evaluate(choose, extremum, x, *, axes, index_dtype):
    wide = wide_dtypes.get(x.dtype)
    if wide is not None:
        x = x.astype(wide)
    return np.asarray(arg_extremum(choose, extremum, x, axes[0])).astype(index_dtype)


# --- shapes


def check_axes(name: str, aval: ShapedArray, axes: Sequence[int]) -> None:
    """Raise ValueError unless the axes are distinct, non-negative and in range."""
    if not all(0 <= axis < aval.ndim for axis in axes):
        raise ValueError(
            format_error(
                f"{name}: axes {tuple(axes)} contain one out of bounds for {aval}",
                try_="axes between 0 and the rank; negative ones are jaxlike.numpy's",
            )
        )
    if len(set(axes)) != len(axes):
        raise ValueError(
            format_error(f"{name} got a duplicate value in its axes {tuple(axes)}")
        )


def _reduce_shape(name: str, kinds: tuple[str, ...], x: ShapedArray, *, axes):
    if dtype_kind(x.dtype) not in kinds:
        raise TypeError(
            format_error(
                f"{name} takes {', '.join(kinds)}, not "
                f"{getattr(x.dtype, 'name', x.dtype)}"
            )
        )
    check_axes(name, x, axes)
    return x.update(shape=tuple(n for i, n in enumerate(x.shape) if i not in axes))


def _arg_shape(name: str, x: ShapedArray, *, axes, index_dtype):
    (axis,) = axes
    if dtype_kind(x.dtype) not in ("bool", "integer", "floating"):
        raise TypeError(
            format_error(
                f"{name} takes bool, integer and floating, not "
                f"{getattr(x.dtype, 'name', x.dtype)}"
            )
        )
    if not 0 <= axis < x.ndim:
        raise ValueError(format_error(f"{name}: {axis} is no axis of shape {x.shape}"))
    if not dtypes.issubdtype(index_dtype, np.integer):
        raise TypeError(
            format_error(f"index_dtype must be an integer dtype, got {index_dtype}")
        )
    if x.shape[axis] == 0:
        raise ValueError(
            format_error(
                f"{name} requires a non-empty dimension to reduce, got shape "
                f"{x.shape} and axis {axis}"
            )
        )
    return ShapedArray(x.shape[:axis] + x.shape[axis + 1 :], index_dtype)


# --- differentiation


def _reduce_sum_jvp(primals, tangents, *, axes):
    out = reduce_sum_p.bind(*primals, axes=axes)
    (t,) = tangents
    if type(t) is Zero:
        return out, Zero(get_aval(out).to_tangent_aval())
    return out, reduce_sum_p.bind(t, axes=axes)


def _reduce_sum_transpose(ct, x, *, axes):
    return [stretch(ct, x.aval.shape, axes)]


def stretch(x: Any, shape: tuple[int, ...], axes: Sequence[int]) -> Any:
    """Put back the axes that a reduction of an operand of `shape` took away."""
    from jaxlike.primitives.shapes import broadcast_in_dim

    kept = tuple(i for i in range(len(shape)) if i not in axes)
    return broadcast_in_dim(x, shape, kept)


def _reduce_extremum_jvp(primitive, primals, tangents, *, axes):
    from jaxlike.primitives.arithmetic import div, mul
    from jaxlike.primitives.comparison import eq
    from jaxlike.primitives.conversion import convert_element_type

    (x,), (t,) = primals, tangents
    out = primitive.bind(x, axes=axes)
    if type(t) is Zero:
        return out, Zero(get_aval(out).to_tangent_aval())
    # the places that hold the extremum share its tangent
    aval = get_aval(x)
    chosen = eq(x, stretch(out, aval.shape, axes))
    chosen = convert_element_type(chosen, aval.dtype)
    count = reduce_sum(chosen, axes)
    return out, div(reduce_sum(mul(t, chosen), axes), count)


def _reduce_prod_jvp(primals, tangents, *, axes):
    from jaxlike.primitives.arithmetic import mul
    from jaxlike.primitives.linear import add_tangents
    from jaxlike.primitives.shapes import reshape, transpose
    from jaxlike.primitives.slicing import slice_in_dim

    (x,), (t,) = primals, tangents
    out = reduce_prod_p.bind(x, axes=axes)
    if type(t) is Zero:
        return out, Zero(get_aval(out).to_tangent_aval())
    shape = get_aval(x).shape
    kept = tuple(i for i in range(len(shape)) if i not in axes)
    kept_shape = tuple(shape[i] for i in kept)
    n = int(np.prod([shape[i] for i in axes]))
    if not n:
        return out, Zero(get_aval(out).to_tangent_aval())

    def flat(a):
        return reshape(transpose(a, (*axes, *kept)), (n, *kept_shape))

    # the product rule over halves: exact where factors are zero, unlike out / x
    x, t = flat(x), flat(t)
    while n > 1:
        half = n // 2
        parts = [
            [
                slice_in_dim(a, start, stop)
                for start, stop in ((0, half), (half, 2 * half), (2 * half, n))
            ]
            for a in (x, t)
        ]
        (x0, x1, x_rest), (t0, t1, t_rest) = parts
        x, t = mul(x0, x1), add_tangents(mul(t0, x1), mul(x0, t1))
        if n % 2:
            x, t = _append(x, x_rest), _append(t, t_rest)
        n = half + n % 2
    return out, reshape(t, kept_shape)


def _append(x, rest):
    from jaxlike.primitives.joining import concatenate

    return concatenate([x, rest], 0)


# --- batching


def _reduce_batch(primitive, axis_data, args, dims, *, axes, **params):
    (x,), (dim,) = args, dims
    moved = tuple(axis + (axis >= dim) for axis in axes)
    out_dim = dim - sum(axis < dim for axis in moved)
    return primitive.bind(x, axes=moved, **params), out_dim


# --- the cards


def _reducer(name: str, kinds: tuple[str, ...], evaluate) -> Primitive:
    primitive = Primitive(name)
    primitive.shape = partial(_reduce_shape, name, kinds)
    primitive.evaluate = evaluate
    primitive.batch = partial(_reduce_batch, primitive)
    return primitive


_NUMBERS = ("integer", "floating", "complexfloating")
_ORDERED = ("bool", *_NUMBERS)  # complex numbers order by real, then imaginary part
_BITS = ("bool", "integer")

reduce_sum_p = _reducer("reduce_sum", _NUMBERS, _reduce_sum_evaluate)
reduce_sum_p.jvp = _reduce_sum_jvp
reduce_sum_p.transpose = _reduce_sum_transpose

reduce_prod_p = _reducer("reduce_prod", _NUMBERS, _reduce_prod_evaluate)
reduce_prod_p.jvp = _reduce_prod_jvp

reduce_max_p = _reducer(
    "reduce_max",
    _ORDERED,
    partial(_reduce_extremum_evaluate, np.maximum, max_identity),
)
reduce_max_p.jvp = partial(_reduce_extremum_jvp, reduce_max_p)

reduce_min_p = _reducer(
    "reduce_min",
    _ORDERED,
    partial(_reduce_extremum_evaluate, np.minimum, min_identity),
)
reduce_min_p.jvp = partial(_reduce_extremum_jvp, reduce_min_p)


def _bitwise_evaluate(ufunc, x, *, axes):
    wide = wide_dtypes.get(x.dtype)
    if wide is None:
        return reduce_axes(ufunc, x, axes, x.dtype)
    return _narrowed(reduce_axes(ufunc, x.astype(wide), axes, wide), x.dtype)


def _logical(name: str, ufunc) -> Primitive:
    primitive = _reducer(name, _BITS, partial(_bitwise_evaluate, ufunc))
    primitive.not_differentiable = "its operands are integers or booleans"
    return primitive


reduce_and_p = _logical("reduce_and", np.bitwise_and)
reduce_or_p = _logical("reduce_or", np.bitwise_or)
reduce_xor_p = _logical("reduce_xor", np.bitwise_xor)


def _arg_reducer(name: str, choose, extremum: np.ufunc) -> Primitive:
    primitive = Primitive(name)
    primitive.shape = partial(_arg_shape, name)
    primitive.evaluate = partial(_arg_evaluate, choose, extremum)
    primitive.batch = partial(_reduce_batch, primitive)
    primitive.not_differentiable = "its results are integers"
    return primitive


# NumPy's and JAX's first choice agree: the first NaN, else the first extremum
argmax_p = _arg_reducer("argmax", np.argmax, np.maximum)
argmin_p = _arg_reducer("argmin", np.argmin, np.minimum)


# --- the user's functions


def _axes_tuple(axes: Sequence[int]) -> tuple[int, ...]:
    return axes if type(axes) is tuple else tuple(axes)


def reduce_sum(operand, axes: Sequence[int], *, out_sharding=None):
    """The sum over `axes`.

    operand: numbers of any shape; axes: non-negative and distinct.
    Returns the dtype of the operand. Raises TypeError for booleans.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.reduce_sum(jnp.ones((2, 3)), (1,))
    Array([3., 3.], dtype=float32)
    """
    return reduce_sum_p.bind(operand, axes=_axes_tuple(axes))


def reduce_prod(operand, axes: Sequence[int]):
    """The product over `axes`.

    operand: numbers of any shape; axes: non-negative and distinct.
    Returns the dtype of the operand. Raises TypeError for booleans.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.reduce_prod(jnp.array([2.0, 3.0]), (0,))
    Array(6., dtype=float32)
    """
    return reduce_prod_p.bind(operand, axes=_axes_tuple(axes))


def reduce_max(operand, axes: Sequence[int]):
    """The maximum over `axes`; NaN where there is one, the least value of nothing.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.reduce_max(jnp.array([2.0, 3.0]), (0,))
    Array(3., dtype=float32)
    """
    return reduce_max_p.bind(operand, axes=_axes_tuple(axes))


def reduce_min(operand, axes: Sequence[int]):
    """The minimum over `axes`; NaN where there is one, the greatest value of nothing.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.reduce_min(jnp.array([2.0, 3.0]), (0,))
    Array(2., dtype=float32)
    """
    return reduce_min_p.bind(operand, axes=_axes_tuple(axes))


def reduce_and(operand, axes: Sequence[int]):
    """The bitwise (for booleans: logical) `and` over `axes`.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.reduce_and(jnp.array([6, 3]), (0,))
    Array(2, dtype=int32)
    """
    return reduce_and_p.bind(operand, axes=_axes_tuple(axes))


def reduce_or(operand, axes: Sequence[int]):
    """The bitwise (for booleans: logical) `or` over `axes`.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.reduce_or(jnp.array([6, 3]), (0,))
    Array(7, dtype=int32)
    """
    return reduce_or_p.bind(operand, axes=_axes_tuple(axes))


def reduce_xor(operand, axes: Sequence[int]):
    """The bitwise exclusive `or` over `axes`; for booleans, the parity.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.reduce_xor(jnp.array([6, 3]), (0,))
    Array(5, dtype=int32)
    """
    return reduce_xor_p.bind(operand, axes=_axes_tuple(axes))


def argmax(operand, axis: int, index_dtype):
    """The index of the maximum along `axis`: the first NaN's, if there is one.

    operand: real numbers or booleans; index_dtype: an integer dtype.
    Raises ValueError when there is nothing to choose from.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.argmax(jnp.array([2.0, 3.0]), 0, jnp.int32)
    Array(1, dtype=int32)
    """
    index_dtype = dtypes.check_user_dtype_supported(index_dtype, "argmax")
    return argmax_p.bind(operand, axes=(int(axis),), index_dtype=index_dtype)


def argmin(operand, axis: int, index_dtype):
    """The index of the minimum along `axis`: the first NaN's, if there is one.

    operand: real numbers or booleans; index_dtype: an integer dtype.
    Raises ValueError when there is nothing to choose from.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.argmin(jnp.array([2.0, 3.0]), 0, jnp.int32)
    Array(0, dtype=int32)
    """
    index_dtype = dtypes.check_user_dtype_supported(index_dtype, "argmin")
    return argmin_p.bind(operand, axes=(int(axis),), index_dtype=index_dtype)
