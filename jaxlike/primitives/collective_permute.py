"""all_to_all, ppermute and what they are named for, and pbroadcast: lane to lane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core import tree
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.primitives.axes import canonical_axis
from jaxlike.primitives.collective_axes import (
    along_lanes,
    batch_elementwise_collective,
    checked_groups,
    deflinear_collective,
    divided,
    group_size,
    merged,
    names_of,
    no_devices,
    size_of,
)
from jaxlike.primitives.shapes import expand_dims, moveaxis, squeeze
from jaxlike.primitives.slicing import index_in_dim

__all__ = [
    "all_to_all",
    "all_to_all_p",
    "pbroadcast",
    "pbroadcast_p",
    "ppermute",
    "ppermute_p",
    "pshuffle",
    "pswapaxes",
]

# --- all_to_all: lane i's part k becomes lane k's part i

all_to_all_p = Primitive("all_to_all")


def _all_to_all_size(axis_name, groups) -> int:
    return group_size(groups, names_of(axis_name), "all_to_all")


def _all_to_all_shape(
    x, *, split_axis, concat_axis, axis_name, axis_index_groups, tiled
):
    size = _all_to_all_size(axis_name, axis_index_groups)
    shape = list(x.shape)
    if shape[split_axis] % size:
        raise ValueError(
            format_error(
                f"all_to_all: axis {split_axis} of {x.str_short()} does not divide "
                f"among {size} lanes"
            )
        )
    shape[split_axis] //= size
    shape[concat_axis] *= size
    return ShapedArray(tuple(shape), x.dtype)


def _all_to_all_transpose(ct, *, split_axis, concat_axis, **params):
    return all_to_all_p.bind(
        ct, split_axis=concat_axis, concat_axis=split_axis, **params
    )


def _all_to_all_batch(axis_data, args, dims, *, split_axis, concat_axis, **params):
    (x,), (dim,) = args, dims
    out = all_to_all_p.bind(
        x,
        split_axis=split_axis + (dim <= split_axis),
        concat_axis=concat_axis + (dim <= concat_axis),
        **params,
    )
    return out, dim


def _all_to_all_lanes(x, size, *, split_axis, concat_axis, **_):
    # [from lane, ..., to lane, part, ...] -> [to lane, ..., from lane, part, ...]
    x = divided(x, split_axis + 1, size)
    x = moveaxis(x, split_axis + 1, 0)
    x = moveaxis(x, 1, concat_axis + 1)
    return merged(x, concat_axis + 1), 0


deflinear_collective(all_to_all_p, _all_to_all_transpose)
all_to_all_p.shape = _all_to_all_shape
all_to_all_p.cache_shape = False  # it depends on the axes in scope
all_to_all_p.evaluate = no_devices(all_to_all_p)
all_to_all_p.batch = _all_to_all_batch
all_to_all_p.batch_collective = along_lanes(
    _all_to_all_lanes, lambda params: names_of(params["axis_name"])
)
all_to_all_p.axis_names = lambda params: frozenset(names_of(params["axis_name"]))


def all_to_all(
    x: Any,
    axis_name: Any,
    split_axis: int,
    concat_axis: int,
    *,
    axis_index_groups: Any = None,
    tiled: bool = False,
) -> Any:
    """Exchange a named axis with an axis of x: each lane sends a part to each lane.

    Args:
      x: a pytree of arrays.
      axis_name: a name, or a tuple of names.
      split_axis: the axis of x that is divided among the lanes; it goes away unless
        tiled.
      concat_axis: where the parts that a lane gets are put side by side.
      axis_index_groups: lists of equal length of indices along the named axis.
    Returns:
      a pytree like x.
    Raises:
      NameError: the axis is not in scope. ValueError: the sizes do not fit.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> swap = jaxlike.vmap(lambda x: lax.all_to_all(x, "i", 0, 0), axis_name="i")
    >>> swap(jnp.array([[1, 2], [3, 4]])).tolist()
    [[1, 3], [2, 4]]
    """
    names = names_of(axis_name)
    groups = checked_groups(axis_index_groups, names, "all_to_all")
    size = group_size(groups, names, "all_to_all")

    def one(leaf):
        shape = get_aval(leaf).shape
        split = canonical_axis(split_axis, len(shape))
        concat = canonical_axis(concat_axis, len(shape))
        params = {"axis_name": axis_name, "axis_index_groups": groups}
        if isinstance(axis_name, list):
            params["axis_name"] = names
        if tiled:
            params.update(split_axis=split, concat_axis=concat, tiled=True)
            _all_to_all_shape(get_aval(leaf), **params)  # raises
            return all_to_all_p.bind(leaf, **params)
        if shape[split] != size:
            raise ValueError(
                format_error(
                    f"all_to_all: axis {split} of {get_aval(leaf).str_short()} must "
                    f"have {size} elements, one for each lane",
                    try_="tiled=True, for a multiple of that",
                )
            )
        if split != concat:
            # the new axis of parts, which the split axis makes room for
            concat += concat > split
            split += concat <= split
            leaf = expand_dims(leaf, (concat,))
        out = all_to_all_p.bind(
            leaf, split_axis=split, concat_axis=concat, tiled=False, **params
        )
        return out if split == concat else squeeze(out, (split,))

    return tree.map(one, x)


def pswapaxes(
    x: Any, axis_name: Any, axis: int, *, axis_index_groups: Any = None
) -> Any:
    """Swap a named axis with an axis of x of the same size.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> swap = jaxlike.vmap(lambda x: lax.pswapaxes(x, "i", 0), axis_name="i")
    >>> swap(jnp.array([[1, 2], [3, 4]])).tolist()
    [[1, 3], [2, 4]]
    """
    return all_to_all(x, axis_name, axis, axis, axis_index_groups=axis_index_groups)


# --- ppermute and pbroadcast: values handed from lane to lane

ppermute_p = Primitive("ppermute")


def _ppermute_lanes(x, size, *, perm, **_):
    from jaxlike.primitives.gather import index_take
    from jaxlike.primitives.selection import select_n

    source = np.full(size, -1, np.int32)
    for start, end in perm:
        source[end] = start
    out = index_take(x, (np.maximum(source, 0),), (0,))
    if (source < 0).any():
        aval = get_aval(out)
        shape = (size,) + (1,) * (aval.ndim - 1)
        nothing = np.broadcast_to((source < 0).reshape(shape), aval.shape)
        out = select_n(nothing, out, np.zeros(aval.shape, aval.dtype))
    return out, 0


def _inverse(perm):
    return tuple((end, start) for start, end in perm)


deflinear_collective(
    ppermute_p,
    lambda ct, *, axis_name, perm: ppermute_p.bind(
        ct, axis_name=axis_name, perm=_inverse(perm)
    ),
)
ppermute_p.shape = lambda x, *, axis_name, perm: x.strip_weak_type()
ppermute_p.evaluate = no_devices(ppermute_p)
ppermute_p.batch = batch_elementwise_collective(ppermute_p)
ppermute_p.batch_collective = along_lanes(
    _ppermute_lanes, lambda params: params["axis_name"]
)
ppermute_p.axis_names = lambda params: frozenset(params["axis_name"])


def ppermute(x: Any, axis_name: Any, perm: Sequence[tuple[int, int]]) -> Any:
    """Hand x from lane to lane of a named axis.

    Args:
      x: a pytree of arrays.
      axis_name: a name, or a tuple of names.
      perm: pairs (from, to) of indices along the axis, each `to` once; lanes that get
        nothing have zeros.
    Returns:
      a pytree like x.
    Raises:
      NameError: the axis is not in scope. ValueError: an index comes twice, or is none.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> shift = jaxlike.vmap(lambda x: lax.ppermute(x, "i", [(0, 1)]), axis_name="i")
    >>> shift(jnp.array([5, 7])).tolist()
    [0, 5]
    """
    names = names_of(axis_name)
    size = math.prod(size_of(name, "ppermute") for name in names)
    perm = tuple((int(start), int(end)) for start, end in perm)
    for what, ends in zip(("sources", "destinations"), zip(*perm)):
        if len(set(ends)) < len(ends) or not all(0 <= i < size for i in ends):
            raise ValueError(
                format_error(
                    f"ppermute {what} must be unique indices along the axis, of size "
                    f"{size}, got {perm}"
                )
            )
    return tree.map(lambda leaf: ppermute_p.bind(leaf, axis_name=names, perm=perm), x)


def pshuffle(x: Any, axis_name: Any, perm: Sequence[int]) -> Any:
    """ppermute by a whole permutation: lane i gets the value of lane perm[i].

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> turn = jaxlike.vmap(lambda x: lax.pshuffle(x, "i", [2, 0, 1]), axis_name="i")
    >>> turn(jnp.array([5, 6, 7])).tolist()
    [7, 5, 6]
    """
    if sorted(perm) != list(range(len(perm))):
        raise ValueError(format_error(f"{perm} is no permutation of the axis"))
    return ppermute(x, axis_name, [(start, i) for i, start in enumerate(perm)])


pbroadcast_p = Primitive("pbroadcast")


def _pbroadcast_transpose(ct, *, axis_name, source):
    from jaxlike.primitives.collectives import axis_index, psum
    from jaxlike.primitives.comparison import eq
    from jaxlike.primitives.linear import zeros_of
    from jaxlike.primitives.selection import select

    total = psum(ct, axis_name)
    here = eq(axis_index(axis_name), np.int32(source))
    return select(here, total, zeros_of(get_aval(total)))


deflinear_collective(pbroadcast_p, _pbroadcast_transpose)
pbroadcast_p.shape = lambda x, *, axis_name, source: x.strip_weak_type()
pbroadcast_p.evaluate = no_devices(pbroadcast_p)
pbroadcast_p.batch = batch_elementwise_collective(pbroadcast_p)
pbroadcast_p.batch_collective = along_lanes(
    lambda x, size, *, source, **_: (index_in_dim(x, source, 0, keepdims=False), None),
    lambda params: names_of(params["axis_name"]),
)
pbroadcast_p.axis_names = lambda params: frozenset(names_of(params["axis_name"]))


def pbroadcast(x: Any, axis_name: Any, source: int) -> Any:
    """The value of x in lane `source` of a named axis, in all lanes.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> spread = jaxlike.vmap(lambda x: lax.pbroadcast(x, "i", 1), axis_name="i")
    >>> spread(jnp.array([5, 7])).tolist()
    [7, 7]
    """
    size = math.prod(size_of(name, "pbroadcast") for name in names_of(axis_name))
    source = canonical_axis(source, size)
    if isinstance(axis_name, list):
        axis_name = tuple(axis_name)
    return tree.map(
        lambda leaf: pbroadcast_p.bind(leaf, axis_name=axis_name, source=source), x
    )
