"""Putting arrays together and taking them apart: concatenate, stack, block, split."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.trace import Tracer, concrete_or_error
from jaxlike.numpy.manipulation import atleast_1d, atleast_2d, atleast_3d, ravel
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    as_array,
    check_arraylike,
    convert,
    promote_dtypes,
    shape_of,
    to_arrays,
    user_dtype,
)
from jaxlike.primitives import joining, shapes
from jaxlike.primitives.axes import canonical_axis

__all__ = [
    "append",
    "array_split",
    "block",
    "column_stack",
    "concat",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "split",
    "stack",
    "unstack",
    "vsplit",
    "vstack",
]


def _operands(name: str, arrays: Any, dtype: DTypeLike | None) -> list[Any]:
    """The arrays of a sequence (or the rows of one array), of one dtype."""
    if isinstance(arrays, (np.ndarray, Array, Tracer)):
        if not arrays.ndim:
            raise ValueError(
                format_error(f"{name} needs a sequence of arrays, got a scalar")
            )
        arrays = joining.unstack(as_array(arrays), 0)
    elif not isinstance(arrays, (list, tuple)):
        try:
            arrays = list(arrays)
        except TypeError:
            check_arraylike(name, arrays)
            raise
    check_arraylike(name, *arrays)
    if dtype is not None:
        dtype = user_dtype(dtype, name)
        return [convert(as_array(a), dtype) for a in arrays]
    first = arrays[0] if arrays else None
    if type(first) is Array:
        dtype, weak = first.aval.dtype, first.aval.weak_type
        for a in arrays:
            if type(a) is not Array or a.aval.dtype is not dtype:
                break
            if a.aval.weak_type is not weak:
                break
        else:
            return list(arrays)
    return [as_array(a) for a in promote_dtypes(*arrays)]


def concatenate(
    arrays: Any, axis: int | None = 0, dtype: DTypeLike | None = None
) -> Array:
    """Arrays one after another along an axis that they have.

    Args: `axis`, None to flatten the arrays first.
    Raises: TypeError if other axes differ, ValueError without arrays.

    >>> import jaxlike.numpy as jnp
    >>> jnp.concatenate([jnp.zeros(2), jnp.ones(1)]).tolist()
    [0.0, 0.0, 1.0]
    """
    parts = _operands("concatenate", arrays, dtype)
    if not parts:
        raise ValueError(format_error("concatenate takes at least one array"))
    if axis is None:
        return concatenate([ravel(a) for a in parts])
    if not parts[0].ndim:
        raise ValueError(
            format_error(
                "concatenate: a scalar has no axis to join along", try_="jnp.stack"
            )
        )
    axis = canonical_axis(axis, parts[0].ndim)
    return joining.concatenate(parts, axis)


def concat(arrays: Sequence[ArrayLike], /, *, axis: int | None = 0) -> Array:
    """Arrays one after another: `concatenate`, under the array API's name.

    >>> import jaxlike.numpy as jnp
    >>> jnp.concat([jnp.zeros(2), jnp.ones(1)]).tolist()
    [0.0, 0.0, 1.0]
    """
    return concatenate(arrays, axis=axis)


def stack(
    arrays: Any, axis: int = 0, out: None = None, dtype: DTypeLike | None = None
) -> Array:
    """Arrays of one shape next to each other along a new axis.

    Raises: ValueError if the shapes differ, or without arrays.

    >>> import jaxlike.numpy as jnp
    >>> jnp.stack([jnp.zeros(2), jnp.ones(2)], axis=1).tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """
    if out is not None:
        raise NotImplementedError(
            format_error("stack takes no out", try_="x = jnp.stack(...)")
        )
    parts = _operands("stack", arrays, dtype)
    if not parts:
        raise ValueError(format_error("stack takes at least one array"))
    own = parts[0].shape
    for part in parts:
        if part.shape != own:
            raise ValueError(
                format_error(
                    f"stack needs parts of one shape, got {own} and {part.shape}"
                )
            )
    return joining.stack(parts, canonical_axis(axis, len(own) + 1))


def unstack(x: ArrayLike, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The slices of an array along an axis, which they no longer have.

    Raises: ValueError for a scalar.

    >>> import jaxlike.numpy as jnp
    >>> [row.tolist() for row in jnp.unstack(jnp.array([[1, 2], [3, 4]]))]
    [[1, 2], [3, 4]]
    """
    [x] = to_arrays("unstack", x)
    if not x.ndim:
        raise ValueError(
            format_error("unstack requires arrays with rank > 0, but got a scalar")
        )
    return tuple(joining.unstack(x, canonical_axis(axis, x.ndim)))


def _at_least(name: str, fun, arrays: Any) -> list[Any]:
    if isinstance(arrays, (np.ndarray, Array, Tracer)):
        arrays = joining.unstack(as_array(arrays), 0)
    else:
        arrays = list(arrays)
        check_arraylike(name, *arrays)
    return [fun(a) for a in arrays]


def vstack(tup: Any, dtype: DTypeLike | None = None) -> Array:
    """Arrays below each other, vectors as rows.

    >>> import jaxlike.numpy as jnp
    >>> jnp.vstack([jnp.zeros(2), jnp.ones(2)]).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    return concatenate(_at_least("vstack", atleast_2d, tup), axis=0, dtype=dtype)


def hstack(tup: Any, dtype: DTypeLike | None = None) -> Array:
    """Arrays side by side: along the second axis, or the first of vectors.

    >>> import jaxlike.numpy as jnp
    >>> jnp.hstack([jnp.zeros(2), jnp.ones(1)]).tolist()
    [0.0, 0.0, 1.0]
    """
    parts = _at_least("hstack", atleast_1d, tup)
    axis = 0 if not parts or parts[0].ndim == 1 else 1
    return concatenate(parts, axis=axis, dtype=dtype)


def dstack(tup: Any, dtype: DTypeLike | None = None) -> Array:
    """Arrays behind each other along the third axis.

    >>> import jaxlike.numpy as jnp
    >>> jnp.dstack([jnp.zeros(3), jnp.ones(3)]).shape
    (1, 3, 2)
    """
    return concatenate(_at_least("dstack", atleast_3d, tup), axis=2, dtype=dtype)


def column_stack(tup: Any) -> Array:
    """Arrays side by side, vectors as columns.

    >>> import jaxlike.numpy as jnp
    >>> jnp.column_stack([jnp.zeros(2), jnp.ones(2)]).tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """

    def column(a):
        a = as_array(a)
        return shapes.reshape(a, (a.size, 1)) if a.ndim < 2 else a

    return concatenate(_at_least("column_stack", column, tup), axis=1)


def block(arrays: Any) -> Array:
    """An array put together from nested lists of blocks.

    The innermost lists run along the last axis, the next ones along the one before.
    Raises: ValueError for empty lists and for tuples.

    >>> import jaxlike.numpy as jnp
    >>> jnp.block([[jnp.ones((1, 1)), jnp.zeros((1, 1))]]).tolist()
    [[1.0, 0.0]]
    """
    out, _ = _block(arrays)
    return as_array(out)


def _block(xs: Any) -> tuple[Any, int]:
    """The block, and the depth of the lists in it."""
    if isinstance(xs, tuple):
        raise ValueError(format_error(f"block takes lists, got a tuple: {xs}"))
    if not isinstance(xs, list):
        check_arraylike("block", xs)
        return xs, 1
    if not xs:
        raise ValueError(format_error("block takes no empty lists"))
    parts, depths = zip(*(_block(x) for x in xs))
    if any(d != depths[0] for d in depths):
        raise ValueError(format_error("block: lists are nested to different depths"))
    depth = depths[0]
    rank = max(depth, *(len(shape_of(p)) for p in parts))
    widened = []
    for part in parts:
        part = as_array(part)
        widened.append(shapes.reshape(part, (1,) * (rank - part.ndim) + part.shape))
    return concatenate(widened, axis=-depth), depth + 1


def append(arr: ArrayLike, values: ArrayLike, axis: int | None = None) -> Array:
    """`values` after `arr`, along an axis, or both flattened for None.

    >>> import jaxlike.numpy as jnp
    >>> jnp.append(jnp.arange(2), 7).tolist()
    [0, 1, 7]
    """
    if axis is None:
        return concatenate([ravel(arr), ravel(values)], 0)
    return concatenate([arr, values], axis=axis)


# --- splitting


def _split(name: str, ary: ArrayLike, places: Any, axis: int) -> list[Array]:
    [ary] = to_arrays(name, ary)
    axis = canonical_axis(
        concrete_or_error(operator.index, axis, f"axis of {name}"),
        ary.ndim,
    )
    size = ary.shape[axis]
    needed = f"indices_or_sections of {name}"
    if isinstance(places, (tuple, list)) or np.ndim(places) > 0:
        if isinstance(places, (Array, Tracer)):
            places = concrete_or_error(np.asarray, places, needed)
        cuts = [concrete_or_error(operator.index, int(i), needed) for i in places]
        bounds = [0, *cuts, size]
        sizes = [b - a for a, b in itertools.pairwise(bounds)]
        if any(n < 0 for n in sizes):
            raise ValueError(
                format_error(
                    f"{name}: indices_or_sections must be in order, got {list(places)}"
                )
            )
    else:
        count = concrete_or_error(int, places, needed)
        part, rest = divmod(size, count)
        if rest and name != "array_split":
            raise ValueError(
                format_error(
                    f"split: the axis does not divide into equal parts, {rest} "
                    "elements are left",
                    try_="jnp.array_split",
                )
            )
        sizes = [part + (i < rest) for i in range(count)]
    return list(joining.split(ary, sizes, axis))


def split(
    ary: ArrayLike, indices_or_sections: int | Sequence[int] | ArrayLike, axis: int = 0
) -> list[Array]:
    """The array cut along an axis into equal parts, or before the given indices.

    Raises: ValueError if the parts would not be equal.

    >>> import jaxlike.numpy as jnp
    >>> [part.tolist() for part in jnp.split(jnp.arange(4), [1])]
    [[0], [1, 2, 3]]
    """
    return _split("split", ary, indices_or_sections, axis)


def array_split(
    ary: ArrayLike, indices_or_sections: int | Sequence[int] | ArrayLike, axis: int = 0
) -> list[Array]:
    """As `split`, and parts may differ in size by one.

    >>> import jaxlike.numpy as jnp
    >>> [part.tolist() for part in jnp.array_split(jnp.arange(3), 2)]
    [[0, 1], [2]]
    """
    return _split("array_split", ary, indices_or_sections, axis)


def vsplit(ary: ArrayLike, indices_or_sections: Any) -> list[Array]:
    """`split` along the first axis.

    >>> import jaxlike.numpy as jnp
    >>> [part.shape for part in jnp.vsplit(jnp.zeros((4, 2)), 2)]
    [(2, 2), (2, 2)]
    """
    return _split("vsplit", ary, indices_or_sections, 0)


def hsplit(ary: ArrayLike, indices_or_sections: Any) -> list[Array]:
    """`split` along the second axis, or the first of vectors.

    >>> import jaxlike.numpy as jnp
    >>> [part.shape for part in jnp.hsplit(jnp.zeros((4, 2)), 2)]
    [(4, 1), (4, 1)]
    """
    [ary] = to_arrays("hsplit", ary)
    return _split("hsplit", ary, indices_or_sections, 0 if ary.ndim == 1 else 1)


def dsplit(ary: ArrayLike, indices_or_sections: Any) -> list[Array]:
    """`split` along the third axis.

    >>> import jaxlike.numpy as jnp
    >>> [part.shape for part in jnp.dsplit(jnp.zeros((1, 1, 4)), 2)]
    [(1, 1, 2), (1, 1, 2)]
    """
    return _split("dsplit", ary, indices_or_sections, 2)
