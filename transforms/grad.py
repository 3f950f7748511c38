"""grad and value_and_grad: the derivative of a scalar result, by reverse mode.

Reverse mode is linearize, then transpose: vjp.py puts the two together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes, tree
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import api_boundary
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linear import zeros_of
from jaxlike.transforms.arguments import (
    FlatFunction,
    check_callable,
    check_operands,
    check_outputs,
    fun_name,
    leaf_names,
)
from jaxlike.transforms.derivatives import (
    Argnums,
    AuxFunction,
    as_array,
    differentiable,
    resolve_argnums,
)
from jaxlike.transforms.vjp import vjp_flat


def grad(
    fun: Callable,
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Sequence[Any] = (),
) -> Callable:
    """The gradient of a scalar-valued function, by reverse mode.

    Args:
      fun: a function whose result is a scalar (with has_aux, a pair
        of it and anything else).
      argnums: which positional arguments, pytrees of floating-point arrays, to
        differentiate with respect to.
      holomorphic: the function is holomorphic, its arguments complex.
      allow_int: integer arguments are let through; their gradient has dtype float0.
    Returns:
      A function of the same arguments; its result has the structure of the argument
      (a tuple of them for a sequence of argnums), paired with aux if has_aux.
    Raises:
      TypeError: an argument is not of floating point, or the result not a scalar.

    >>> import jaxlike
    >>> jaxlike.grad(lambda x: x ** 3)(2.0)
    Array(12., dtype=float32, weak_type=True)
    """
    check_callable(fun, "grad")
    value_and_grad_f = value_and_grad(
        fun, argnums, has_aux, holomorphic, allow_int, reduce_axes
    )

    @functools.wraps(fun)
    @api_boundary
    def grad_f(*args, **kwargs):
        value, g = value_and_grad_f(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return grad_f


def value_and_grad(
    fun: Callable,
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Sequence[Any] = (),
) -> Callable:
    """The value of a scalar-valued function together with its gradient.

    Args, raises: as `grad`.
    Returns:
      A function to (value, gradient), or ((value, aux), gradient) if has_aux.

    >>> import jaxlike
    >>> jaxlike.value_and_grad(lambda x: x ** 2)(3.0)
    (Array(9., dtype=float32, weak_type=True), Array(6., dtype=float32, weak_type=True))
    """
    check_callable(fun, "value_and_grad")
    if reduce_axes:
        raise NotImplementedError(
            format_error("grad has no reduce_axes; use lax.psum of the gradient")
        )

    @functools.wraps(fun)
    @api_boundary
    def value_and_grad_f(*args, **kwargs):
        nums = resolve_argnums(fun, argnums, args, "grad")
        leaves, in_tree = tree.flatten((args, kwargs))
        nonzeros = _leaf_mask(args, len(leaves), nums)
        check_operands(fun, args, kwargs, leaves, nonzeros)
        for i, (x, nz) in enumerate(zip(leaves, nonzeros)):
            if nz:
                _check_grad_input(fun, args, kwargs, i, x, holomorphic, allow_int)
        if has_aux:
            flat: Any = AuxFunction(fun, in_tree)
        else:
            flat = FlatFunction(fun, in_tree)
        outs, pullback = vjp_flat(
            flat, leaves, differentiable(leaves, nonzeros), "grad"
        )
        num_out = flat.num_out if has_aux else len(outs)
        check_outputs(fun, outs[:num_out], flat.out_tree)
        _check_scalar(fun, outs[:num_out], flat.out_tree, holomorphic)
        cts = [_one_like(outs[0])]
        cts += [Zero(get_aval(x).to_tangent_aval()) for x in outs[1:]]
        wanted = differentiable(leaves, nonzeros)
        in_cts = iter(pullback(cts))
        flat_grads = [
            _as_gradient(x, next(in_cts) if w else None)
            for x, nz, w in zip(leaves, nonzeros, wanted)
            if nz
        ]
        grads = []
        given = iter(flat_grads)
        by_position = {}
        for i, arg in enumerate(args):
            if i in nums:
                arg_leaves, arg_tree = tree.flatten(arg)
                by_position[i] = tree.unflatten(
                    arg_tree, [next(given) for _ in arg_leaves]
                )
        grads = tuple(by_position[i] for i in nums)
        g = grads[0] if _is_int(argnums) else grads
        value = tree.unflatten(flat.out_tree, outs[:num_out])
        if has_aux:
            return (value, flat.aux_of(outs[num_out:])), g
        return value, g

    return value_and_grad_f


def _is_int(argnums) -> bool:
    return hasattr(argnums, "__index__")


def _leaf_mask(args, num_leaves: int, nums) -> list[bool]:
    mask: list[bool] = []
    for i, arg in enumerate(args):
        mask += [i in nums] * len(tree.leaves(arg))
    return mask + [False] * (num_leaves - len(mask))


def _as_gradient(x, ct):
    aval = get_aval(x).to_tangent_aval()
    if ct is None or type(ct) is Zero:
        return as_array(zeros_of(aval))
    return as_array(ct)


def _one_like(x):
    aval = get_aval(x)
    one = np.ones((), aval.dtype)
    return Array(one, aval) if aval.weak_type else one


def _check_grad_input(fun, args, kwargs, i, x, holomorphic, allow_int):
    dtype = get_aval(x).dtype
    if isinstance(dtype, dtypes.ExtendedDType) or dtype == dtypes.float0:
        ok = False
    elif holomorphic:
        if not dtypes.issubdtype(dtype, np.complexfloating):
            name = leaf_names(fun, args, kwargs)[i]
            raise TypeError(
                format_error(
                    f"grad({fun_name(fun)}) with holomorphic=True needs complex "
                    f"inputs, but {name} is {get_aval(x)}",
                    try_=f"{name} + 0j, or holomorphic=False",
                )
            )
        return
    elif dtypes.issubdtype(dtype, np.integer) or dtype == np.bool_:
        ok = allow_int
    elif dtypes.issubdtype(dtype, np.complexfloating):
        return
    else:
        ok = dtypes.issubdtype(dtype, np.floating)
    if not ok:
        name = leaf_names(fun, args, kwargs)[i]
        raise TypeError(
            format_error(
                f"grad({fun_name(fun)}) needs floating-point inputs, but {name} is "
                f"{get_aval(x)}",
                try_=f"{name} as a float ({name} * 1.0), other argnums, or "
                "allow_int=True for a gradient of dtype float0",
            )
        )


def _check_scalar(fun, outs, out_tree, holomorphic):
    name = fun_name(fun)
    if len(outs) != 1 or not tree.treedef_is_leaf(out_tree):
        raise TypeError(
            format_error(
                f"grad needs a function with one scalar result, but {name} returned "
                f"{_described_tree(outs, out_tree)}",
                try_="return one scalar, or use has_aux=True to return more beside it",
            )
        )
    aval = get_aval(outs[0])
    if aval.shape != ():
        raise TypeError(
            format_error(
                f"grad needs a function with one scalar result, but {name} returned "
                f"{aval}",
                try_="reduce it (jnp.mean, jnp.sum), or use jaxlike.jacrev for the "
                "Jacobian, jaxlike.vmap(jaxlike.grad(f)) for a gradient an example",
            )
        )
    dtype = aval.dtype
    if holomorphic:
        if not dtypes.issubdtype(dtype, np.complexfloating):
            raise TypeError(
                format_error(
                    f"grad with holomorphic=True needs a complex result, but {name} "
                    f"returned {aval}",
                    try_="holomorphic=False for a real function",
                )
            )
    elif dtypes.issubdtype(dtype, np.complexfloating):
        raise TypeError(
            format_error(
                f"grad needs a real result, but {name} returned {aval}",
                try_="holomorphic=True for a holomorphic function, or differentiate "
                "its real part",
            )
        )
    elif not dtypes.issubdtype(dtype, np.floating):
        raise TypeError(
            format_error(
                f"grad needs a floating-point result, but {name} returned {aval}",
                try_="return a float: result.astype(float)",
            )
        )


def _described_tree(outs, out_tree) -> str:
    """`(f32[], {'a': f32[]})`."""
    return str(tree.unflatten(out_tree, [_Shown(get_aval(x)) for x in outs]))


class _Shown:
    def __init__(self, aval):
        self.aval = aval

    def __repr__(self) -> str:
        return str(self.aval)


__all__ = ["grad", "value_and_grad"]
