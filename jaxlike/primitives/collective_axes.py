"""Named axes, groups of their indices, and how collectives are batched over them.

collectives.py has the reductions, collective_gather.py and _permute.py the rest.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.state import state
from jaxlike.core.zeros import Zero
from jaxlike.primitives.shapes import batch_axis_at, moveaxis, reshape
from jaxlike.primitives.slicing import slice_in_dim

Groups = tuple[tuple[int, ...], ...] | None


def size_of(name: Any, user: str) -> int:
    try:
        return state.axis_env[name]
    except (KeyError, TypeError):
        known = ", ".join(map(repr, state.axis_env))
        raise NameError(
            format_error(
                f"unbound axis name: {name!r}, used by {user}",
                [f"in scope: {known}" if known else "no axis name is in scope"],
                try_=f"call {user} inside vmap(..., axis_name={name!r}), pmap or "
                "shard_map",
            )
        ) from None


def names_of(axis_name: Any) -> tuple:
    return tuple(axis_name) if isinstance(axis_name, (tuple, list)) else (axis_name,)


def axis_size(axis_name: Any) -> int:
    """The size of a named axis, or of several together, as a Python int.

    Raises: NameError if the axis is not in scope.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike import lax
    >>> jaxlike.vmap(lambda x: x / lax.axis_size("i"), axis_name="i")(jnp.ones(2))
    Array([0.5, 0.5], dtype=float32)
    """
    return math.prod(size_of(name, "axis_size") for name in names_of(axis_name))


def checked_groups(groups: Any, names: tuple, user: str) -> Groups:
    """axis_index_groups as tuples; ValueError unless each index is in one group."""
    if groups is None:
        return None
    groups = tuple(tuple(map(int, group)) for group in groups)
    size = math.prod(size_of(name, user) for name in names)
    if sorted(i for group in groups for i in group) != list(range(size)):
        raise ValueError(
            format_error(
                "axis_index_groups must hold each index once",
                [f"got {groups} for an axis of size {size}"],
            )
        )
    return groups


def group_size(groups: Groups, names: tuple, user: str) -> int:
    """How many lanes take part; ValueError if groups have several sizes."""
    if groups is None:
        return math.prod(size_of(name, user) for name in names)
    if len({len(group) for group in groups}) > 1:
        raise ValueError(format_error(f"{user}: axis_index_groups must be of one size"))
    return len(groups[0])


def no_devices(primitive: Primitive) -> Callable:
    def evaluate(*_, **params):
        names = ", ".join(map(repr, primitive.axis_names(params)))
        raise NameError(
            format_error(
                f"{primitive.name} over the axis {names} needs the axis's devices",
                try_="pmap or shard_map around the function",
            )
        )

    return evaluate


def along_lanes(lanes: Callable, names_in: Callable) -> Callable:
    """batch_collective from `lanes(x, size, **params) -> (out, out_dim)`.

    x has the lanes along axis 0; groups are handled here, one after the other.
    """

    def rule(axis_data, args, dims, **params):
        (x,), (dim,) = args, dims
        x = batch_axis_at(x, dim, 0, axis_data.size)
        names = names_in(params)
        groups = params.pop("axis_index_groups", None)
        of_all = functools.partial(lanes, **params)
        if len(names) > 1:
            return _along_all_lanes(of_all, x, groups, names, axis_data.name)
        if groups is None:
            return of_all(x, axis_data.size)
        return by_groups(of_all, x, groups), 0

    return rule


def _along_all_lanes(lanes: Callable, x: Any, groups: Groups, names: tuple, name: Any):
    """What `lanes` gives over all names together, to batch over one of them.

    Every lane gets the values of all, and keeps what is its own of the result.
    """
    from jaxlike.primitives.collectives import axis_index
    from jaxlike.primitives.dynamic_slicing import dynamic_index_in_dim

    size = get_aval(x).shape[0]
    x = gathered_over_rest(x, names, name)
    total = get_aval(x).shape[0]
    if groups is None:
        out, dim = lanes(x, total)
        if dim is None:
            return out, None
    else:
        out, dim = by_groups(lanes, x, groups), 0
    out = batch_axis_at(out, dim, 0, total)
    before, after, rest = around(names, name)
    shape = get_aval(out).shape[1:]
    out = moveaxis(reshape(out, (before, size, after, *shape)), 1, 0)
    out = reshape(out, (size, before * after, *shape))
    return dynamic_index_in_dim(out, axis_index(rest), 1, keepdims=False), 0


def gathered_over_rest(x: Any, names: tuple, name: Any) -> Any:
    """x, with the lanes of `name` along axis 0, to the lanes of all names there."""
    from jaxlike.primitives.collective_gather import all_gather_p

    before, after, rest = around(names, name)
    x = all_gather_p.bind(
        x,
        all_gather_dimension=1,
        axis_name=rest,
        axis_index_groups=None,
        axis_size=before * after,
        tiled=False,
    )
    size, _, *shape = get_aval(x).shape
    x = moveaxis(reshape(x, (size, before, after, *shape)), 0, 1)
    return reshape(x, (before * size * after, *shape))


def around(names: tuple, name: Any) -> tuple[int, int, tuple]:
    """The sizes of the names before and after `name`, and these names."""
    at = names.index(name)
    sizes = [1 if n == name else size_of(n, "collective") for n in names]
    rest = tuple(n for n in names if n != name)
    return math.prod(sizes[:at]), math.prod(sizes[at:]), rest


def by_groups(lanes: Callable, x: Any, groups: Sequence[Sequence[int]]) -> Any:
    """What `lanes` gives for each group of lanes alone; lanes along axis 0."""
    from jaxlike.primitives.joining import concatenate

    found: dict[int, Any] = {}
    for group in groups:
        part = concatenate([slice_in_dim(x, i, i + 1) for i in group], 0)
        out, dim = lanes(part, len(group))
        out = batch_axis_at(out, dim, 0, len(group))
        found.update((i, slice_in_dim(out, k, k + 1)) for k, i in enumerate(group))
    return concatenate([found[i] for i in range(len(found))], 0)


def deflinear_collective(primitive: Primitive, transpose: Callable) -> None:
    def jvp(primals, tangents, **params):
        out = primitive.bind(*primals, **params)
        (t,) = tangents
        if type(t) is Zero:
            return out, Zero(get_aval(out).to_tangent_aval())
        return out, primitive.bind(t, **params)

    primitive.jvp = jvp
    primitive.transpose = lambda ct, x, **params: [transpose(ct, **params)]


def batch_elementwise_collective(primitive: Primitive) -> Callable:
    """batch for collectives that do not care about the shape of a lane's value."""
    return lambda axis_data, args, dims, **params: (
        primitive.bind(*args, **params),
        dims[0],
    )


def sum_lanes(x):
    from jaxlike.primitives.reductions import reduce_sum

    return reduce_sum(x, (0,))


def sum_copies(x, n):
    from jaxlike.primitives.arithmetic import mul

    return mul(x, np.asarray(n, get_aval(x).dtype))


def merged(x, axis: int):
    """x with `axis` and the next one made one."""
    shape = get_aval(x).shape
    return reshape(
        x, (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :])
    )


def divided(x, axis: int, parts: int):
    """x with `axis` made two, the first of size `parts`."""
    shape = get_aval(x).shape
    return reshape(x, (*shape[:axis], parts, shape[axis] // parts, *shape[axis + 1 :]))
