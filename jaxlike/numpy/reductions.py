"""Reductions over axes: sum, prod, max, min, all, any, mean, var, std, argmax ...

Those that leave NaN out are in nan_reductions.py, cumulative ones in cumulative.py.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy.axes import one_axis, reduction_axes
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    as_array,
    check_arraylike,
    check_arraylike_or_none,
    convert,
    to_arrays,
    user_dtype,
)
from jaxlike.numpy.searching import where as choose_where
from jaxlike.primitives import (
    arithmetic,
    bitwise,
    shapes,
)
from jaxlike.primitives import reductions as lax_reductions

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "max",
    "min",
    "prod",
    "ptp",
    "sum",
]

Axis = Any
_bool = np.dtype(bool)


def reduced_shape(sizes: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """The shape that a reduction of an array of these sizes leaves."""
    gone = reduction_axes(axis, len(sizes))
    return tuple(n for i, n in enumerate(sizes) if i not in gone)


def not_supported(name: str, out: Any) -> None:
    if out is not None:
        raise NotImplementedError(
            format_error(f"{name} takes no out", try_=f"x = jnp.{name}(x)")
        )


def _masked(name: str, a, where, identity):
    """`a` with `identity` where the mask does not hold."""
    check_arraylike(name, where)
    where = as_array(where)
    if where.dtype != _bool:
        raise ValueError(
            format_error(f"{name}: where is a mask of booleans, got {where.dtype}")
        )
    return choose_where(where, a, np.asarray(identity).astype(a.dtype))


def _finished(a, out, axes: tuple[int, ...], keepdims: bool, initial, join):
    if initial is not None:
        initial = as_array(initial)
        if initial.ndim:
            raise ValueError(
                format_error(f"initial must be a scalar, got shape {initial.shape}")
            )
        out = join(convert(initial, out.dtype), out)
    return kept(a, out, axes) if keepdims else out


def kept(a, out, axes: tuple[int, ...]):
    """The result of a reduction with its axes back, of size 1."""
    sizes = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
    return shapes.reshape(out, sizes)


def sum_dtype(a, dtype, promote_integers: bool, name: str):
    """The dtype of a sum of these numbers: small integers widen."""
    if dtype is not None:
        return user_dtype(dtype, name)
    own = a.dtype
    if own == _bool:
        return dtypes.default_int_dtype()
    if promote_integers and dtypes.issubdtype(own, np.integer):
        unsigned = dtypes.issubdtype(own, np.unsignedinteger)
        default = (
            dtypes.default_uint_dtype() if unsigned else dtypes.default_int_dtype()
        )
        if dtypes.itemsize_bits(own) < dtypes.itemsize_bits(default):
            return default
    return own


def is_half(dtype) -> bool:
    return dtypes.issubdtype(dtype, np.floating) and dtypes.itemsize_bits(dtype) < 32


def _additive(
    name: str,
    a: ArrayLike,
    axis: Axis,
    dtype: DTypeLike | None,
    keepdims: bool,
    initial: ArrayLike | None,
    where: ArrayLike | None,
    promote_integers: bool,
    identity: int,
    reduce: Callable,
    join: Callable,
):
    if type(a) is not Array:
        [a] = to_arrays(name, a)
    check_arraylike_or_none(name, initial)
    explicit = dtype is not None
    result = sum_dtype(a, dtype, promote_integers, name)
    if result == _bool:  # whether anything, or everything, is nonzero
        from jaxlike.numpy.ufuncs import to_bool

        a = to_bool(a)
        reduce = (
            lax_reductions.reduce_or if identity == 0 else lax_reductions.reduce_and
        )
        join = bitwise.bitwise_or if identity == 0 else bitwise.bitwise_and
    else:
        a = convert(a, result)
    if where is not None:
        a = _masked(name, a, where, identity)
    axes = reduction_axes(axis, a.ndim)
    if is_half(result) and not explicit:
        # many small numbers are lost in a sum of few digits
        out = convert(reduce(convert(a, np.dtype("float32")), axes), result)
    else:
        out = reduce(a, axes)
    return _finished(a, out, axes, keepdims, initial, join)


@composite_of(1)
def sum(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
    promote_integers: bool = True,
) -> Array:
    """The sum over some axes, all of them for None.

    Args:
      keepdims: whether the axes stay, with size 1.
      initial: a scalar that is added.
      where: a mask that broadcasts with `a`, of the elements that take part.
      promote_integers: whether small integers are summed in the default int dtype.

    >>> import jaxlike.numpy as jnp
    >>> jnp.sum(jnp.array([[1, 2], [3, 4]]), axis=0).tolist()
    [4, 6]
    """
    not_supported("sum", out)
    return _additive(
        "sum",
        a,
        axis,
        dtype,
        keepdims,
        initial,
        where,
        promote_integers,
        0,
        lax_reductions.reduce_sum,
        arithmetic.add,
    )


@composite_of(1)
def prod(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
    promote_integers: bool = True,
) -> Array:
    """The product over some axes, all of them for None; arguments as in `sum`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.prod(jnp.array([[1, 2], [3, 4]]), axis=0).tolist()
    [3, 8]
    """
    not_supported("prod", out)
    return _additive(
        "prod",
        a,
        axis,
        dtype,
        keepdims,
        initial,
        where,
        promote_integers,
        1,
        lax_reductions.reduce_prod,
        arithmetic.mul,
    )


# --- extrema


def _extreme(name, a, axis, keepdims, initial, where, identity, reduce, join):
    [a] = to_arrays(name, a)
    a = convert(a, a.dtype)
    check_arraylike_or_none(name, initial)
    axes = reduction_axes(axis, a.ndim)
    if initial is None:
        if where is not None:
            raise ValueError(
                format_error(
                    f"{name} of no elements has no value, so where= needs initial="
                )
            )
        if not builtins.all(a.shape[i] for i in axes):
            raise ValueError(
                format_error(f"{name} of no elements has no value", try_="initial=")
            )
    if where is not None:
        a = _masked(name, a, where, identity(a.dtype))
    return _finished(a, reduce(a, axes), axes, keepdims, initial, join)


@composite_of(1)
def max(
    a: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Array:
    """The greatest element over some axes, all of them for None; NaN if there is one.

    Args: `keepdims`, whether the axes stay, with size 1; `initial`, a scalar that takes
    part; `where`, a mask of the elements that take part, which needs `initial`.
    Raises: ValueError for no elements without `initial`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.max(jnp.array([[1, 2], [3, 0]]), axis=0).tolist()
    [3, 2]
    """
    not_supported("max", out)
    return _extreme(
        "max",
        a,
        axis,
        keepdims,
        initial,
        where,
        lax_reductions.max_identity,
        lax_reductions.reduce_max,
        arithmetic.max,
    )


@composite_of(1)
def min(
    a: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Array:
    """The least element over some axes, all of them for None; NaN if there is one.

    Args and raises: as in `max`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.min(jnp.array([[1, 2], [3, 0]]), axis=0).tolist()
    [1, 0]
    """
    not_supported("min", out)
    return _extreme(
        "min",
        a,
        axis,
        keepdims,
        initial,
        where,
        lax_reductions.min_identity,
        lax_reductions.reduce_min,
        arithmetic.min,
    )


amax, amin = max, min


@composite_of(1)
def ptp(
    a: ArrayLike, axis: Axis = None, out: None = None, keepdims: bool = False
) -> Array:
    """The greatest element less the least one, over some axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.ptp(jnp.array([1, 5, 3])).item()
    4
    """
    check_arraylike("ptp", a)
    not_supported("ptp", out)
    greatest = max(a, axis=axis, keepdims=keepdims)
    return arithmetic.sub(greatest, min(a, axis=axis, keepdims=keepdims))


def _position(name: str, a, axis, out, keepdims, find: Callable) -> Array:
    [a] = to_arrays(name, a)
    not_supported(name, out)
    sizes = a.shape
    if axis is None:
        a = shapes.reshape(a, (a.size,))
        axis, whole = 0, True
    else:
        axis, whole = one_axis(axis, a.ndim), False
    if not a.shape[axis]:
        raise ValueError(format_error(f"attempt to get {name} of an empty sequence"))
    out = find(a, axis, dtypes.default_int_dtype())
    if keepdims:
        kept = (1,) * len(sizes) if whole else (*sizes[:axis], 1, *sizes[axis + 1 :])
        out = shapes.reshape(out, kept)
    return out


@composite_of(1)
def argmax(
    a: ArrayLike,
    axis: int | None = None,
    out: None = None,
    keepdims: bool | None = None,
) -> Array:
    """The index of the greatest element along an axis, the first if there are several.

    Args: `axis`, None for the index in the flattened array. NaN counts as greatest.
    Raises: ValueError for an axis of size 0.

    >>> import jaxlike.numpy as jnp
    >>> jnp.argmax(jnp.array([3, 9, 9])).item()
    1
    """
    return _position("argmax", a, axis, out, keepdims, lax_reductions.argmax)


@composite_of(1)
def argmin(
    a: ArrayLike,
    axis: int | None = None,
    out: None = None,
    keepdims: bool | None = None,
) -> Array:
    """The index of the least element along an axis, the first if there are several.

    Args: `axis`, None for the index in the flattened array. NaN counts as least.
    Raises: ValueError for an axis of size 0.

    >>> import jaxlike.numpy as jnp
    >>> jnp.argmin(jnp.array([3, 1, 1])).item()
    1
    """
    return _position("argmin", a, axis, out, keepdims, lax_reductions.argmin)


# --- of truth values and bits


def _truth(name, a, axis, out, keepdims, where, identity, reduce) -> Array:
    from jaxlike.numpy.ufuncs import to_bool

    [a] = to_arrays(name, a)
    not_supported(name, out)
    mask = convert(to_bool(a), _bool)
    if where is not None:
        mask = _masked(name, mask, where, identity)
    axes = reduction_axes(axis, mask.ndim)
    return _finished(mask, reduce(mask, axes), axes, keepdims, None, None)


@composite_of(1)
def all(
    a: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
) -> Array:
    """Whether all elements over some axes are nonzero.

    Args: `where`, a mask of the elements that take part.

    >>> import jaxlike.numpy as jnp
    >>> jnp.all(jnp.array([[1, 0], [2, 3]]), axis=1).tolist()
    [False, True]
    """
    reduce = lax_reductions.reduce_and
    return _truth("all", a, axis, out, keepdims, where, True, reduce)


@composite_of(1)
def any(
    a: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
) -> Array:
    """Whether some element over some axes is nonzero.

    Args: `where`, a mask of the elements that take part.

    >>> import jaxlike.numpy as jnp
    >>> jnp.any(jnp.array([[1, 0], [0, 0]]), axis=1).tolist()
    [True, False]
    """
    reduce = lax_reductions.reduce_or
    return _truth("any", a, axis, out, keepdims, where, False, reduce)


@composite_of(1)
def count_nonzero(a: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Array:
    """How many elements over some axes are nonzero.

    >>> import jaxlike.numpy as jnp
    >>> jnp.count_nonzero(jnp.array([0, 7, 8])).item()
    2
    """
    from jaxlike.numpy.ufuncs import to_bool

    [a] = to_arrays("count_nonzero", a)
    dtype = dtypes.default_int_dtype()
    return sum(convert(to_bool(a), _bool), axis=axis, dtype=dtype, keepdims=keepdims)


def bitwise_reduction(kind: str, identity: int) -> Callable:
    """The reduce method of bitwise_and, bitwise_or or bitwise_xor."""
    operation = getattr(lax_reductions, f"reduce_{kind}")
    join = getattr(bitwise, f"bitwise_{kind}")
    name = f"bitwise_{kind}.reduce"

    def reduce(a, axis=0, dtype=None, keepdims=False, initial=None, where=None):
        [a] = to_arrays(name, a)
        if dtype is not None:
            a = convert(a, user_dtype(dtype, name))
        a = convert(a, a.dtype)
        if where is not None:
            a = _masked(name, a, where, _all_bits(a.dtype) if identity else 0)
        axes = reduction_axes(axis, a.ndim)
        return _finished(a, operation(a, axes), axes, keepdims, initial, join)

    return reduce


def _all_bits(dtype) -> Any:
    if dtype == _bool:
        return True
    return dtypes.iinfo(dtype).max if dtype.kind == "u" else -1
