"""all_gather and psum_scatter: whole values from parts, and parts of sums.

Each is the transpose of the other.
"""

from __future__ import annotations

from typing import Any

from jaxlike.core import tree
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.primitives.axes import canonical_axis
from jaxlike.primitives.collective_axes import (
    along_lanes,
    around,
    checked_groups,
    deflinear_collective,
    divided,
    gathered_over_rest,
    group_size,
    merged,
    names_of,
    no_devices,
    sum_lanes,
)
from jaxlike.primitives.shapes import batch_axis_at, moveaxis, reshape

__all__ = ["all_gather", "all_gather_p", "psum_scatter", "reduce_scatter_p"]

all_gather_p = Primitive("all_gather")
reduce_scatter_p = Primitive("reduce_scatter")


def _all_gather_shape(
    x, *, all_gather_dimension, axis_name, axis_index_groups, axis_size, tiled
):
    shape = list(x.shape)
    if tiled:
        shape[all_gather_dimension] *= axis_size
    else:
        shape.insert(all_gather_dimension, axis_size)
    return ShapedArray(tuple(shape), x.dtype)


def _all_gather_transpose(ct, *, all_gather_dimension, **params):
    return reduce_scatter_p.bind(ct, scatter_dimension=all_gather_dimension, **params)


def _all_gather_batch(axis_data, args, dims, *, all_gather_dimension, tiled, **params):
    (x,), (dim,) = args, dims
    at = all_gather_dimension
    moved = dim <= at
    out = all_gather_p.bind(x, all_gather_dimension=at + moved, tiled=tiled, **params)
    return out, dim if moved or tiled else dim + 1


def _gather_lanes(x, size, *, all_gather_dimension, tiled, **_):
    """[lanes, ...] -> the lanes' values side by side, the same in every lane."""
    at = all_gather_dimension
    out = moveaxis(x, 0, at)
    return (merged(out, at) if tiled else out), None


def _all_gather_collective(axis_data, args, dims, **params):
    names = params["axis_name"]
    if len(names) == 1 or params["axis_index_groups"] is not None:
        return _one_gather(axis_data, args, dims, **params)
    # gather over the other names, then put the lanes where this name stands
    (x,), (dim,) = args, dims
    x = batch_axis_at(x, dim, 0, axis_data.size)
    return _gather_lanes(gathered_over_rest(x, names, axis_data.name), None, **params)


_one_gather = along_lanes(_gather_lanes, lambda params: params["axis_name"])
deflinear_collective(all_gather_p, _all_gather_transpose)
all_gather_p.shape = _all_gather_shape
all_gather_p.evaluate = no_devices(all_gather_p)
all_gather_p.batch = _all_gather_batch
all_gather_p.batch_collective = _all_gather_collective
all_gather_p.axis_names = lambda params: frozenset(params["axis_name"])


def _scatter_shape(
    x, *, axis_name, scatter_dimension, axis_index_groups, axis_size, tiled
):
    shape = list(x.shape)
    size = shape[scatter_dimension]
    if not tiled and size != axis_size:
        raise ValueError(
            format_error(
                f"psum_scatter: the scattered axis has {size} elements for "
                f"{axis_size} shards",
                [f"the operand is {x}, the dimension {scatter_dimension}"],
                try_="tiled=True",
            )
        )
    if tiled and size % axis_size:
        raise ValueError(
            format_error(
                f"psum_scatter: the scattered axis has {size} elements, no multiple "
                f"of {axis_size} shards",
                [f"the operand is {x}, the dimension {scatter_dimension}"],
            )
        )
    if tiled:
        shape[scatter_dimension] = size // axis_size
    else:
        del shape[scatter_dimension]
    return ShapedArray(tuple(shape), x.dtype)


def _scatter_transpose(ct, *, scatter_dimension, **params):
    return all_gather_p.bind(ct, all_gather_dimension=scatter_dimension, **params)


def _scatter_batch(axis_data, args, dims, *, scatter_dimension, tiled, **params):
    (x,), (dim,) = args, dims
    at = scatter_dimension
    moved = dim <= at
    out = reduce_scatter_p.bind(x, scatter_dimension=at + moved, tiled=tiled, **params)
    return out, dim if moved or tiled else dim - 1


def _scatter_lanes(x, size, *, scatter_dimension, tiled, **_):
    """[lanes, ...] -> the sum over lanes, of which each lane gets one part."""
    out = sum_lanes(x)
    if tiled:
        out = divided(out, scatter_dimension, size)
    return out, scatter_dimension


def _scatter_collective(axis_data, args, dims, **params):
    names = params["axis_name"]
    if len(names) == 1 or params["axis_index_groups"] is not None:
        return _one_scatter(axis_data, args, dims, **params)
    (x,), (dim,) = args, dims
    x = sum_lanes(batch_axis_at(x, dim, 0, axis_data.size))
    before, after, rest = around(names, axis_data.name)
    at, shape = params["scatter_dimension"], get_aval(x).shape
    inner = shape[at] // (before * axis_data.size)
    x = reshape(x, (*shape[:at], before, axis_data.size, inner, *shape[at + 1 :]))
    x = merged(moveaxis(x, at + 1, 0), at + 1)
    out = reduce_scatter_p.bind(
        x,
        axis_name=rest,
        scatter_dimension=at + 1,
        axis_index_groups=None,
        axis_size=before * after,
        tiled=params["tiled"],
    )
    return out, 0


_one_scatter = along_lanes(_scatter_lanes, lambda params: params["axis_name"])
deflinear_collective(reduce_scatter_p, _scatter_transpose)
reduce_scatter_p.shape = _scatter_shape
reduce_scatter_p.evaluate = no_devices(reduce_scatter_p)
reduce_scatter_p.batch = _scatter_batch
reduce_scatter_p.batch_collective = _scatter_collective
reduce_scatter_p.axis_names = lambda params: frozenset(params["axis_name"])


def all_gather(
    x: Any,
    axis_name: Any,
    *,
    axis_index_groups: Any = None,
    axis: int = 0,
    tiled: bool = False,
    to: str = "varying",
) -> Any:
    """The values of x in all lanes of a named axis, put together.

    Args:
      x: a pytree of arrays.
      axis_name: a name, or a tuple of names.
      axis_index_groups: lists of equal length of indices along the axis: gather within
        each list.
      axis: where they are put side by side: a new axis, or an old one if tiled.
      to: accepted as in JAX.
    Returns:
      a pytree like x with arrays of the whole axis, the same in all lanes.
    Raises:
      NameError: the axis is not in scope.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> gather = jaxlike.vmap(lambda x: lax.all_gather(x, "i"), axis_name="i")
    >>> gather(jnp.array([1, 2])).tolist()
    [[1, 2], [1, 2]]
    """
    names = names_of(axis_name)
    groups = checked_groups(axis_index_groups, names, "all_gather")
    size = group_size(groups, names, "all_gather")

    def one(leaf):
        ndim = get_aval(leaf).ndim
        return all_gather_p.bind(
            leaf,
            all_gather_dimension=canonical_axis(axis, ndim if tiled else ndim + 1),
            axis_name=names,
            axis_index_groups=groups,
            axis_size=size,
            tiled=bool(tiled),
        )

    return tree.map(one, x)


def psum_scatter(
    x: Any,
    axis_name: Any,
    *,
    scatter_dimension: int = 0,
    axis_index_groups: Any = None,
    tiled: bool = False,
) -> Any:
    """psum, of which each lane keeps one part.

    Args:
      x: a pytree of arrays.
      axis_name: a name, or a tuple of names.
      scatter_dimension: the axis of x that is divided among the lanes; it goes away
        unless tiled.
      axis_index_groups: lists of equal length of indices along the named axis.
    Returns:
      a pytree like x, of the lane's part.
    Raises:
      NameError: the axis is not in scope. ValueError: the sizes do not fit.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> scatter = jaxlike.vmap(lambda x: lax.psum_scatter(x, "i"), axis_name="i")
    >>> scatter(jnp.array([[1, 2], [10, 20]])).tolist()
    [11, 22]
    """
    names = names_of(axis_name)
    groups = checked_groups(axis_index_groups, names, "psum_scatter")
    size = group_size(groups, names, "psum_scatter")

    def one(leaf):
        aval = get_aval(leaf)
        params = {
            "axis_name": names,
            "scatter_dimension": canonical_axis(scatter_dimension, aval.ndim),
            "axis_index_groups": groups,
            "axis_size": size,
            "tiled": bool(tiled),
        }
        _scatter_shape(aval, **params)  # raises; under vmap nothing else looks
        return reduce_scatter_p.bind(leaf, **params)

    return tree.map(one, x)
