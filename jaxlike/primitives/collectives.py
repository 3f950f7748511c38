"""Collectives: values that meet across a named axis (of vmap, pmap or shard_map).

psum adds the values that all lanes of the axis have, all_gather puts them side by side,
ppermute hands them on ... Each is linear, and the transpose of one of them:

    psum <-> psum      all_gather <-> reduce_scatter      ppermute <-> the inverse one

Under vmap over the named axis a collective is an operation along the batch axis. Where
the axis belongs to devices, the backends carry it out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core import dtypes, tree
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.trace import Tracer
from jaxlike.primitives.axes import canonical_axis
from jaxlike.primitives.collective_axes import (
    along_lanes,
    axis_size,
    batch_elementwise_collective,
    checked_groups,
    deflinear_collective,
    group_size,
    names_of,
    no_devices,
    size_of,
    sum_copies,
    sum_lanes,
)
from jaxlike.primitives.collective_gather import (
    all_gather,
    all_gather_p,
    psum_scatter,
    reduce_scatter_p,
)
from jaxlike.primitives.collective_permute import (
    all_to_all,
    all_to_all_p,
    pbroadcast,
    pbroadcast_p,
    ppermute,
    ppermute_p,
    pshuffle,
    pswapaxes,
)
from jaxlike.primitives.shapes import iota, moveaxis

__all__ = [
    "all_gather",
    "all_gather_p",
    "all_to_all",
    "all_to_all_p",
    "axis_index",
    "axis_index_p",
    "axis_size",
    "pbroadcast",
    "pbroadcast_p",
    "pmax",
    "pmax_p",
    "pmean",
    "pmin",
    "pmin_p",
    "ppermute",
    "ppermute_p",
    "pshuffle",
    "psum",
    "psum_p",
    "psum_scatter",
    "pswapaxes",
    "reduce_scatter_p",
]

# --- psum, pmax, pmin: reductions


def _reducer(name: str, over_lanes: Callable, over_copies: Callable) -> Primitive:
    """over_lanes: (x) -> x reduced over axis 0; over_copies: (x, n) -> n equal x's."""
    primitive = Primitive(name)

    by_group = along_lanes(
        lambda part, _, axes: (over_lanes(part), None), lambda params: params["axes"]
    )

    def batch_collective(axis_data, args, dims, *, axes, axis_index_groups):
        if axis_index_groups is not None:
            groups = axis_index_groups
            return by_group(axis_data, args, dims, axes=axes, axis_index_groups=groups)
        (x,), (dim,) = args, dims
        rest = tuple(a for a in axes if a != axis_data.name)
        if dim is None:
            out = over_copies(x, axis_data.size)
        else:
            out = over_lanes(moveaxis(x, dim, 0))
        if rest:
            out = primitive.bind(out, axes=rest, axis_index_groups=None)
        return out, None

    primitive.shape = lambda x, *, axes, axis_index_groups: x.strip_weak_type()
    primitive.evaluate = no_devices(primitive)
    primitive.batch = batch_elementwise_collective(primitive)
    primitive.batch_collective = batch_collective
    primitive.axis_names = lambda params: frozenset(params["axes"])
    return primitive


def _max_lanes(x):
    from jaxlike.primitives.reductions import reduce_max

    return reduce_max(x, (0,))


def _min_lanes(x):
    from jaxlike.primitives.reductions import reduce_min

    return reduce_min(x, (0,))


psum_p = _reducer("psum", sum_lanes, sum_copies)
pmax_p = _reducer("pmax", _max_lanes, lambda x, n: x)
pmin_p = _reducer("pmin", _min_lanes, lambda x, n: x)
deflinear_collective(psum_p, lambda ct, **params: psum_p.bind(ct, **params))
pmax_p.not_differentiable = "which lane has the maximum is not kept"
pmin_p.not_differentiable = "which lane has the minimum is not kept"


def _reduce(primitive, positional, x, axis_name, axis_index_groups, of_equal=None):
    """Bind a reducer on each leaf; positions in axis_name are reduced on the spot.

    of_equal: (leaf, n) -> the reduction of n equal values, used for constants.
    """
    user = primitive.name
    axes = names_of(axis_name)
    names = tuple(a for a in axes if not isinstance(a, int))
    positions = tuple(a for a in axes if isinstance(a, int))
    if positions and axis_index_groups is not None:
        raise ValueError(
            format_error(f"axis_index_groups only supported for {user} over names")
        )
    for name in names:
        size_of(name, user)
    groups = checked_groups(axis_index_groups, names, user)

    def one(leaf):
        if positions:
            ndim = get_aval(leaf).ndim
            leaf = positional(leaf, tuple(canonical_axis(a, ndim) for a in positions))
        if not names:
            return leaf
        if of_equal is not None and not isinstance(leaf, Tracer):
            return of_equal(leaf, group_size(groups, names, user))
        return primitive.bind(leaf, axes=names, axis_index_groups=groups)

    return tree.map(one, x)


def psum(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """The sum of the values of x in all lanes of a named axis.

    Args:
      x: a pytree of arrays; booleans are counted.
      axis_name: a name, or a tuple of names and positions of axes.
      axis_index_groups: lists of indices along the axis: sum within each list.
    Returns:
      a pytree like x, the same in all lanes (of a group).
    Raises:
      NameError: the axis is not in scope.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> share = jaxlike.vmap(lambda x: x / lax.psum(x, "i"), axis_name="i")
    >>> share(jnp.array([1.0, 3.0]))
    Array([0.25, 0.75], dtype=float32)
    """
    from jaxlike.primitives.conversion import convert_element_type
    from jaxlike.primitives.reductions import reduce_sum

    def countable(leaf):
        is_bool = get_aval(leaf).dtype == np.bool_
        return convert_element_type(leaf, np.int32) if is_bool else leaf

    x = tree.map(countable, x)
    return _reduce(psum_p, reduce_sum, x, axis_name, axis_index_groups, _times)


def _times(x, size: int):
    if isinstance(x, (int, float, complex)) and not isinstance(x, np.generic):
        return x * size
    return sum_copies(x, size)


def pmean(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """The mean of the values of x in all lanes of a named axis; as psum.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> centre = jaxlike.vmap(lambda x: x - lax.pmean(x, "i"), axis_name="i")
    >>> centre(jnp.array([1.0, 3.0]))
    Array([-1.,  1.], dtype=float32)
    """
    from jaxlike.primitives.arithmetic import div
    from jaxlike.primitives.conversion import convert_element_type

    count = psum(1, axis_name, axis_index_groups=axis_index_groups)
    total = psum(x, axis_name, axis_index_groups=axis_index_groups)

    def mean(leaf):
        if isinstance(leaf, (int, float, complex)) and not isinstance(leaf, np.generic):
            return leaf / count
        dtype = dtypes.to_inexact_dtype(get_aval(leaf).dtype)
        if get_aval(leaf).dtype != dtype:
            leaf = convert_element_type(leaf, dtype)
        return div(leaf, np.asarray(count, dtype))

    return tree.map(mean, total)


def pmax(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """The largest of the values of x in all lanes of a named axis; as psum.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> jaxlike.vmap(lambda x: lax.pmax(x, "i"), axis_name="i")(jnp.array([1, 3]))
    Array([3, 3], dtype=int32)
    """
    from jaxlike.primitives.reductions import reduce_max

    return _reduce(pmax_p, reduce_max, x, axis_name, axis_index_groups)


def pmin(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """The smallest of the values of x in all lanes of a named axis; as psum.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> jaxlike.vmap(lambda x: lax.pmin(x, "i"), axis_name="i")(jnp.array([1, 3]))
    Array([1, 1], dtype=int32)
    """
    from jaxlike.primitives.reductions import reduce_min

    return _reduce(pmin_p, reduce_min, x, axis_name, axis_index_groups)


# --- axis_index

axis_index_p = Primitive("axis_index")
axis_index_p.shape = lambda *, axis_name: ShapedArray((), np.dtype(np.int32))
axis_index_p.evaluate = no_devices(axis_index_p)
axis_index_p.not_differentiable = "it has no operand"
axis_index_p.not_transposable = "it has no operand"
axis_index_p.not_batchable = "it has no operand"
axis_index_p.batch_collective = lambda axis_data, args, dims, *, axis_name: (
    iota(np.int32, axis_data.size),
    0,
)
axis_index_p.axis_names = lambda params: frozenset((params["axis_name"],))


def axis_index(axis_name: Any) -> Any:
    """The lane's index along a named axis; along several, in row-major order.

    Returns: i32[]. Raises: NameError if the axis is not in scope.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> number = jaxlike.vmap(lambda x: x + lax.axis_index("i"), axis_name="i")
    >>> number(jnp.array([10, 10])).tolist()
    [10, 11]
    """
    from jaxlike.primitives.arithmetic import add, mul

    if not isinstance(axis_name, (tuple, list)):
        size_of(axis_name, "axis_index")
        return axis_index_p.bind(axis_name=axis_name)
    index: Any = np.int32(0)
    stride = 1
    for name in reversed(axis_name):
        here = axis_index(name)
        index = add(index, mul(here, np.int32(stride)))
        stride *= size_of(name, "axis_index")
    return index
