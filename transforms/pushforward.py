"""jvp and linearize: tangents of arguments to tangents of results.

jvp.py and linearize.py are the interpreters; here are the user's functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes, tree
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import eval_jaxpr
from jaxlike.core.source_info import api_boundary
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linear import instantiate
from jaxlike.transforms.arguments import (
    FlatFunction,
    check_callable,
    check_operands,
    check_outputs,
    fun_name,
    leaf_names,
)
from jaxlike.transforms.derivatives import (
    AuxFunction,
    as_array,
    described,
    differentiable,
)
from jaxlike.transforms.jvp import jvp_flat
from jaxlike.transforms.linearize import linearize_flat


@api_boundary
def jvp(
    fun: Callable,
    primals: Sequence[Any],
    tangents: Sequence[Any],
    has_aux: bool = False,
) -> tuple:
    """The value of a function, and its derivative along a direction (forward mode).

    Args:
      fun: a function of pytrees of arrays.
      primals: a tuple or list of its positional arguments.
      tangents: for each primal, a tangent of the same structure, shapes and dtypes.
      has_aux: the function returns (out, aux).
    Returns:
      (primals_out, tangents_out), and aux if has_aux.
    Raises:
      TypeError: structures, shapes or dtypes of primals and tangents differ.

    >>> import jaxlike
    >>> y, t = jaxlike.jvp(lambda x: x ** 2, (3.0,), (1.0,))
    >>> float(y), float(t)
    (9.0, 6.0)
    """
    check_callable(fun, "jvp")
    for what, xs in (("primal", primals), ("tangent", tangents)):
        if not isinstance(xs, (tuple, list)):
            raise TypeError(
                format_error(
                    f"jvp takes a tuple or list of {what}s, one for each argument of "
                    f"{fun_name(fun)}, but got {described(xs)}",
                    try_=f"({what},) for a single argument",
                )
            )
    leaves, in_tree = tree.flatten((tuple(primals), {}))
    tangent_leaves, tangent_tree = tree.flatten((tuple(tangents), {}))
    if in_tree != tangent_tree:
        raise TypeError(
            format_error(
                f"jvp of {fun_name(fun)} got tangents of another structure than the "
                "primals",
                details=tree.describe_mismatch(
                    tuple(primals), tuple(tangents), "primals", "tangents"
                ),
            )
        )
    check_operands(fun, tuple(primals), {}, leaves)
    for i, (p, t) in enumerate(zip(leaves, tangent_leaves)):
        _check_tangent("jvp", fun, primals, i, p, t)
    tangent_leaves = [
        Zero(get_aval(p).to_tangent_aval())
        if get_aval(p).to_tangent_aval().dtype == dtypes.float0
        else t
        for p, t in zip(leaves, tangent_leaves)
    ]
    flat: Any = AuxFunction(fun, in_tree) if has_aux else FlatFunction(fun, in_tree)
    outs, out_tangents = jvp_flat(flat, leaves, tangent_leaves, "jvp")
    num_out = flat.num_out if has_aux else len(outs)
    check_outputs(fun, outs[:num_out], flat.out_tree)
    out = tree.unflatten(flat.out_tree, [as_array(x) for x in outs[:num_out]])
    tangent = tree.unflatten(
        flat.out_tree, [as_array(instantiate(t)) for t in out_tangents[:num_out]]
    )
    if has_aux:
        return out, tangent, flat.aux_of(outs[num_out:])
    return out, tangent


def _check_tangent(what, fun, primals, i, p, t):
    expected = get_aval(p).to_tangent_aval()
    if isinstance(t, np.ndarray) and t.dtype == dtypes.float0:
        got_shape, got_dtype = t.shape, t.dtype
    else:
        got = get_aval(t)
        got_shape, got_dtype = got.shape, got.dtype
    if got_dtype == expected.dtype and got_shape == expected.shape:
        return
    name = leaf_names(fun, tuple(primals), {})[i]
    wrong_dtype = got_dtype != expected.dtype
    error = TypeError if wrong_dtype and what == "jvp" else ValueError
    if expected.dtype == dtypes.float0:
        cure: str | None = f"np.zeros({expected.shape}, jaxlike.float0)"
    else:
        cure = f"the tangent as {_name(expected.dtype)}" if wrong_dtype else None
    expected_, got = (
        f"float0[{','.join(map(str, shape))}]"
        if dtype == dtypes.float0
        else str(ShapedArray(shape, dtype))
        for shape, dtype in ((expected.shape, expected.dtype), (got_shape, got_dtype))
    )
    raise error(
        format_error(
            f"{what} of {fun_name(fun)} got a tangent of another type than its primal",
            details=[
                f"{name} is {get_aval(p)}: its tangent must be {expected_}, but is "
                f"{got}"
            ],
            try_=cure,
        )
    )


def _name(dtype) -> str:
    return "float0" if dtype == dtypes.float0 else getattr(dtype, "name", str(dtype))


@api_boundary
def linearize(fun: Callable, *primals, has_aux: bool = False) -> tuple:
    """The value of a function, and the linear function of tangents at that point.

    Args:
      fun: a function of pytrees of arrays.
      *primals: the point.
      has_aux: the function returns (out, aux).
    Returns:
      (primals_out, f_jvp), and aux if has_aux: f_jvp maps tangents, of the primals'
      structure, to the tangents of the results without running `fun` again.

    >>> import jaxlike
    >>> y, f_jvp = jaxlike.linearize(lambda x: x ** 2, 3.0)
    >>> float(f_jvp(2.0))
    12.0
    """
    check_callable(fun, "linearize")
    leaves, in_tree = tree.flatten((primals, {}))
    check_operands(fun, primals, {}, leaves)
    flat: Any = AuxFunction(fun, in_tree) if has_aux else FlatFunction(fun, in_tree)
    wanted = differentiable(leaves, [True] * len(leaves))
    outs, jaxpr, residuals, nonzeros = linearize_flat(flat, leaves, wanted, "linearize")
    num_out = flat.num_out if has_aux else len(outs)
    check_outputs(fun, outs[:num_out], flat.out_tree)
    out_tree = flat.out_tree
    out_avals = [get_aval(x).to_tangent_aval() for x in outs[:num_out]]

    @api_boundary
    def f_jvp(*tangents):
        given, given_tree = tree.flatten((tangents, {}))
        if given_tree != in_tree:
            raise TypeError(
                format_error(
                    "linearized function called with tangents of another structure "
                    "than its primals",
                    details=tree.describe_mismatch(
                        primals, tangents, "primals", "tangents"
                    ),
                )
            )
        for i, (p, t) in enumerate(zip(leaves, given)):
            _check_tangent("linearize", fun, primals, i, p, t)
        ins = [t for t, w in zip(given, wanted) if w]
        results = iter(eval_jaxpr(jaxpr, residuals, *ins))
        tangents_out = []
        for i, nz in enumerate(nonzeros):
            t = next(results) if nz else None
            if i < num_out:
                tangents_out.append(
                    as_array(t if nz else instantiate(Zero(out_avals[i])))
                )
        return tree.unflatten(out_tree, tangents_out)

    out = tree.unflatten(out_tree, [as_array(x) for x in outs[:num_out]])
    if has_aux:
        return out, f_jvp, flat.aux_of(outs[num_out:])
    return out, f_jvp


__all__ = ["jvp", "linearize"]
