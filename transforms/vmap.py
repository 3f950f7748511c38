"""vmap, the user's function: axes as pytrees, and checks of their sizes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core import tree
from jaxlike.core.array import to_array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import api_boundary
from jaxlike.core.trace import Tracer
from jaxlike.transforms.arguments import (
    FlatFunction,
    check_callable,
    check_operands,
    check_outputs,
    fun_name,
    leaf_names,
    positional_names,
)
from jaxlike.transforms.batching import AxisData, batch_flat, materialize


def vmap(
    fun: Callable,
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
    spmd_axis_name: Any = None,
    sum_match: bool = False,
) -> Callable:
    """Map a function over an axis of its arguments, as one batched computation.

    Args:
      fun: a function of pytrees of arrays.
      in_axes: which axis of each argument to map over: an int, None (not mapped), or a
        tuple of one of these, or of a pytree of them, for each positional argument.
        Keyword arguments are mapped over axis 0.
      out_axes: where the mapped axis stands in the results, likewise.
      axis_name: a name for the axis, for collectives such as jaxlike.lax.psum.
      axis_size: its size, needed when no argument is mapped.
    Returns:
      A function of arguments that have the additional axis.
    Raises:
      ValueError: sizes of mapped axes differ, in_axes does not fit the arguments, or
        out_axes is None for a result that is batched.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> jaxlike.vmap(jnp.dot)(jnp.ones((2, 3)), jnp.ones((2, 3)))
    Array([3., 3.], dtype=float32)
    """
    check_callable(fun, "vmap")
    if isinstance(in_axes, list):
        # a list is taken for a tuple, as in_axes lists one entry an argument
        in_axes = tuple(in_axes)
    if not (in_axes is None or isinstance(in_axes, (int, np.integer, tuple))):
        raise TypeError(
            format_error(
                f"in_axes of vmap({fun_name(fun)}) is an int, None, or a tuple with an "
                f"entry for each positional argument, but got {in_axes!r}",
                try_="a tuple around it: in_axes=(axes_of_the_first_argument, ...)",
            )
        )
    for leaf in tree.leaves(in_axes):
        _check_axis(leaf, "in_axes")
    for leaf in tree.leaves(out_axes):
        _check_axis(leaf, "out_axes")

    @functools.wraps(fun)
    @api_boundary
    def vmap_f(*args, **kwargs):
        if isinstance(in_axes, tuple) and len(in_axes) != len(args):
            raise ValueError(
                format_error(
                    f"in_axes of vmap({fun_name(fun)}) has {len(in_axes)} entries, but "
                    f"it was called with {len(args)} positional arguments",
                    try_="an entry for each argument, None for one that is not mapped",
                )
            )
        leaves, in_tree = tree.flatten((args, kwargs))
        check_operands(fun, args, kwargs, leaves)
        axes = _flat_in_axes(fun, in_axes, args, kwargs)
        size = _mapped_size(fun, args, kwargs, leaves, axes, axis_size)
        dims = [
            None if a is None else _normalized(fun, args, kwargs, i, x, a)
            for i, (x, a) in enumerate(zip(leaves, axes))
        ]
        axis_data = AxisData(axis_name, size, spmd_axis_name)
        flat = FlatFunction(fun, in_tree)

        def checked(*xs):
            outs = flat(*xs)
            check_outputs(fun, outs, flat.out_tree)
            return outs

        outs, out_dims = batch_flat(checked, axis_data, leaves, dims, ("vmap", flat))
        results = _place_outputs(
            fun, outs, out_dims, out_axes, flat.out_tree, axis_data
        )
        return tree.unflatten(flat.out_tree, results)

    return vmap_f


def _check_axis(axis: Any, what: str) -> None:
    if not isinstance(axis, (int, np.integer)) or isinstance(axis, bool):
        raise TypeError(
            format_error(f"the leaves of vmap's {what} are ints and None, not {axis!r}")
        )


def _tree_details(error: Exception) -> list[str]:
    """The lines of a message about trees that say where they differ."""
    return [line.strip() for line in str(error).split("\n")[1:]]


def _is_none(x: Any) -> bool:
    return x is None


def _flat_in_axes(fun, in_axes, args, kwargs) -> list[int | None]:
    if in_axes is None or not isinstance(in_axes, tuple):
        count = len(tree.leaves(args))
        flat = [in_axes] * count
    else:
        flat = []
        for name, axes, arg in zip(positional_names(fun, len(args)), in_axes, args):
            if axes is None or isinstance(axes, (int, np.integer)):
                flat += [axes] * len(tree.leaves(arg))
                continue
            try:
                flat += tree.broadcast_prefix(axes, arg, is_leaf=_is_none)
            except ValueError as error:
                raise ValueError(
                    format_error(
                        f"in_axes of vmap({fun_name(fun)}) does not fit argument "
                        f"{name}: it is {axes}",
                        details=_tree_details(error),
                    )
                ) from None
    return flat + [0] * len(tree.leaves(kwargs))


def _mapped_size(fun, args, kwargs, leaves, axes, axis_size) -> int:
    sizes = []
    for i, (x, axis) in enumerate(zip(leaves, axes)):
        if axis is None:
            continue
        shape = get_aval(x).shape
        if not -len(shape) <= axis < len(shape):
            _rank_error(fun, args, kwargs, i, x, axis)
        sizes.append(shape[axis])
    if axis_size is not None:
        sizes.append(axis_size)
    if not sizes:
        if not leaves:
            raise ValueError(
                format_error(
                    f"vmap({fun_name(fun)}) was called without an array, so that there "
                    "is no axis to map",
                    try_="axis_size=n",
                )
            )
        raise ValueError(
            format_error(
                f"in_axes of vmap({fun_name(fun)}) maps no argument",
                try_="in_axes=0 for the argument that has the batch axis, or axis_size",
            )
        )
    if any(n != sizes[0] for n in sizes):
        _size_error(fun, args, kwargs, leaves, axes, axis_size)
    return int(sizes[0])


def _rank_error(fun, args, kwargs, i, x, axis):
    name = leaf_names(fun, args, kwargs)[i]
    aval = get_aval(x)
    raise ValueError(
        format_error(
            f"vmap({fun_name(fun)}) maps axis {axis} of {name}, which is {aval} and "
            "has no such axis",
            try_=f"in_axes=None for {name}, so that it is not mapped",
        )
    )


def _normalized(fun, args, kwargs, i, x, axis) -> int:
    ndim = get_aval(x).ndim
    if not -ndim <= axis < ndim:
        _rank_error(fun, args, kwargs, i, x, axis)
    return int(axis) % ndim


def _size_error(fun, args, kwargs, leaves, axes, axis_size):
    details = []
    if axis_size is not None:
        details.append(f"axis_size is {axis_size}")
    for name, x, axis in zip(leaf_names(fun, args, kwargs), leaves, axes):
        if axis is not None:
            aval = get_aval(x)
            details.append(f"{name} is {aval}, axis {axis} of it is {aval.shape[axis]}")
    raise ValueError(
        format_error(
            f"vmap({fun_name(fun)}) got mapped axes of different sizes",
            details=details,
            try_="in_axes=None for an argument that is not mapped",
        )
    )


def _place_outputs(fun, outs, dims, out_axes, out_tree, axis_data) -> list[Any]:
    if isinstance(out_axes, (int, np.integer)):
        axes = [out_axes] * len(outs)
    else:
        filled = tree.unflatten(out_tree, outs)
        try:
            axes = tree.broadcast_prefix(out_axes, filled, is_leaf=_is_none)
        except ValueError as error:
            raise ValueError(
                format_error(
                    f"out_axes of vmap({fun_name(fun)}) does not fit its result: it is "
                    f"{out_axes}",
                    details=_tree_details(error),
                )
            ) from None
    results = []
    for i, (x, dim, axis) in enumerate(zip(outs, dims, axes)):
        if axis is None:
            if dim is not None:
                raise ValueError(
                    format_error(
                        f"out_axes of vmap({fun_name(fun)}) is None for output {i}, "
                        "which depends on a mapped argument",
                        try_="an axis for it in out_axes, or a reduction over the axis",
                    )
                )
            results.append(x)
        else:
            ndim = get_aval(x).ndim + (dim is None)
            if not -ndim <= axis < ndim:
                raise ValueError(
                    format_error(
                        f"out_axes of vmap({fun_name(fun)}) is {axis} for output {i}, "
                        f"which has {ndim} axes with the batch"
                    )
                )
            results.append(materialize(x, dim, axis_data, int(axis) % ndim))
    return [x if isinstance(x, Tracer) else to_array(x) for x in results]
