"""Jacobians and Hessians: vmap of jvp or of vjp over a basis."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core import dtypes, tree
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import api_boundary
from jaxlike.primitives import shapes, slicing
from jaxlike.transforms.arguments import as_argnums, check_callable
from jaxlike.transforms.derivatives import Argnums, resolve_argnums
from jaxlike.transforms.pushforward import jvp
from jaxlike.transforms.vjp import vjp
from jaxlike.transforms.vmap import vmap


def jacfwd(
    fun: Callable,
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable:
    """The Jacobian of a function, column by column, by forward mode.

    Args:
      fun: a function of pytrees of arrays to a pytree of arrays (with has_aux, a pair).
      argnums: which positional arguments to differentiate with respect to.
      holomorphic: the function is holomorphic, its arguments complex.
    Returns:
      A function to a pytree of the result's structure; each of its leaves is a pytree
      of the argument's structure, with arrays of shape result shape + argument shape.
    Raises:
      TypeError: an argument is not of floating point.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> jaxlike.jacfwd(lambda x: x ** 2)(jnp.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    check_callable(fun, "jacfwd")

    @functools.wraps(fun)
    @api_boundary
    def jac(*args, **kwargs):
        nums = resolve_argnums(fun, argnums, args, "jacfwd")
        single = hasattr(argnums, "__index__")
        dyn = args[nums[0]] if single else tuple(args[i] for i in nums)
        for leaf in tree.leaves(dyn):
            _check_input(leaf, holomorphic, "jacfwd")

        @functools.wraps(fun)
        def partial_fun(x):
            full = list(args)
            for i, arg in zip(nums, (x,) if single else x):
                full[i] = arg
            return fun(*full, **kwargs)

        @functools.wraps(fun)
        def pushforward(tangent):
            return jvp(partial_fun, (dyn,), (tangent,), has_aux=has_aux)

        basis = _standard_basis(dyn)
        if has_aux:
            y, columns, aux = vmap(pushforward, out_axes=(None, -1, None))(basis)
        else:
            y, columns = vmap(pushforward, out_axes=(None, -1))(basis)
        for leaf in tree.leaves(y):
            _check_output(leaf, holomorphic, "jacfwd")
        result = tree.map(lambda j, x: _split(dyn, _integers(j, x), -1), columns, y)
        return (result, aux) if has_aux else result

    return jac


def jacrev(
    fun: Callable,
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable:
    """The Jacobian of a function, row by row, by reverse mode.

    Args, returns, raises: as `jacfwd`; allow_int lets integer arguments through.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> jaxlike.jacrev(lambda x: x ** 2)(jnp.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    check_callable(fun, "jacrev")

    @functools.wraps(fun)
    @api_boundary
    def jac(*args, **kwargs):
        nums = resolve_argnums(fun, argnums, args, "jacrev")
        single = hasattr(argnums, "__index__")
        dyn = args[nums[0]] if single else tuple(args[i] for i in nums)
        for leaf in tree.leaves(dyn):
            _check_input(leaf, holomorphic, "jacrev", allow_int)

        @functools.wraps(fun)
        def partial_fun(x):
            full = list(args)
            for i, arg in zip(nums, (x,) if single else x):
                full[i] = arg
            return fun(*full, **kwargs)

        if has_aux:
            y, pullback, aux = vjp(partial_fun, dyn, has_aux=True)
        else:
            y, pullback = vjp(partial_fun, dyn)
        for leaf in tree.leaves(y):
            _check_output(leaf, holomorphic, "jacrev")
        rows = vmap(lambda ct: pullback(ct)[0])(_standard_basis(y))
        # rows: the argument's structure, each leaf with the result's basis in front
        arg_leaves, arg_tree = tree.flatten(rows)
        y_leaves, y_tree = tree.flatten(y)
        split = [_split(y, leaf, 0) for leaf in arg_leaves]
        columns = [tree.leaves(s) for s in split]
        result = tree.unflatten(
            y_tree,
            [
                tree.unflatten(arg_tree, [column[i] for column in columns])
                for i in range(len(y_leaves))
            ],
        )
        return (result, aux) if has_aux else result

    return jac


jacobian = jacrev


def hessian(
    fun: Callable,
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable:
    """The Hessian of a function, forward over reverse.

    Args, raises: as `jacfwd`.
    Returns:
      A function to the argument's pytree of pytrees, arrays of shape
      result shape + argument shape + argument shape.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> jaxlike.hessian(lambda x: x[0] ** 2 * x[1])(jnp.array([1.0, 2.0]))
    Array([[4., 2.],
           [2., 0.]], dtype=float32)
    """
    as_argnums(argnums, "argnums")
    return jacfwd(
        jacrev(fun, argnums, has_aux=has_aux, holomorphic=holomorphic),
        argnums,
        has_aux=has_aux,
        holomorphic=holomorphic,
    )


def _check_input(x, holomorphic: bool, name: str, allow_int: bool = False) -> None:
    dtype = get_aval(x).dtype
    if holomorphic:
        if not dtypes.issubdtype(dtype, np.complexfloating):
            raise TypeError(
                format_error(
                    f"{name} with holomorphic=True needs complex inputs, but got "
                    f"{get_aval(x)}",
                    try_="x + 0j, or holomorphic=False",
                )
            )
    elif dtypes.issubdtype(dtype, np.complexfloating) and name == "jacfwd":
        raise TypeError(
            format_error(
                f"{name} needs real inputs, but got {get_aval(x)}",
                try_="holomorphic=True for a holomorphic function, jaxlike.jvp for "
                "another",
            )
        )
    elif not dtypes.issubdtype(dtype, np.inexact) and not allow_int:
        raise TypeError(
            format_error(
                f"{name} needs floating-point inputs, but got {get_aval(x)}",
                try_="x * 1.0, or other argnums",
            )
        )


def _check_output(x, holomorphic: bool, name: str) -> None:
    dtype = get_aval(x).dtype
    if holomorphic and not dtypes.issubdtype(dtype, np.complexfloating):
        raise TypeError(
            format_error(
                f"{name} with holomorphic=True needs complex results, but got "
                f"{get_aval(x)}",
                try_="holomorphic=False for a real function",
            )
        )
    if not holomorphic and name == "jacrev":
        if dtypes.issubdtype(dtype, np.complexfloating) or not dtypes.issubdtype(
            dtype, np.floating
        ):
            raise TypeError(
                format_error(
                    f"{name} needs real floating-point results, but got {get_aval(x)}",
                    try_="jacfwd, which takes any real input; or a float result",
                )
            )


def _standard_basis(pytree: Any) -> Any:
    """A pytree of the same structure whose leaves stack the basis along axis 0."""
    leaves, treedef = tree.flatten(pytree)
    avals = [get_aval(x) for x in leaves]
    total = sum(a.size for a in avals)
    basis = []
    offset = 0
    for aval in avals:
        dtype = aval.to_tangent_aval().dtype
        if dtype == dtypes.float0:
            basis.append(np.zeros((total, *aval.shape), dtypes.float0))
        else:
            block = np.zeros((total, aval.size), dtype)
            block[np.arange(offset, offset + aval.size), np.arange(aval.size)] = 1
            basis.append(block.reshape((total, *aval.shape)))
        offset += aval.size
    return tree.unflatten(treedef, basis)


def _integers(column: Any, value: Any) -> Any:
    """The derivative of an integer result: zeros of its dtype."""
    aval = get_aval(column)
    if aval.dtype != dtypes.float0:
        return column
    return np.zeros(aval.shape, get_aval(value).dtype)


def _split(pytree: Any, stacked: Any, axis: int) -> Any:
    """Cut the basis axis of `stacked` into the leaves' shapes of `pytree`."""
    leaves, treedef = tree.flatten(pytree)
    avals = [get_aval(x) for x in leaves]
    if isinstance(stacked, np.ndarray) and stacked.dtype == dtypes.float0:
        axis_ = axis % stacked.ndim
        parts = []
        for aval in avals:
            shape = stacked.shape[:axis_] + aval.shape + stacked.shape[axis_ + 1 :]
            parts.append(np.zeros(shape, dtypes.float0))
        return tree.unflatten(treedef, parts)
    shape = get_aval(stacked).shape
    axis %= len(shape)
    parts = []
    offset = 0
    for aval in avals:
        part = slicing.slice_in_dim(stacked, offset, offset + aval.size, axis=axis)
        part_shape = shape[:axis] + aval.shape + shape[axis + 1 :]
        parts.append(shapes.reshape(part, part_shape))
        offset += aval.size
    return tree.unflatten(treedef, parts)
