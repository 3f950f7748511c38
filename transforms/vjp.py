"""vjp and linear_transpose: cotangents of results to cotangents of arguments.

A pullback is the linear jaxpr of linearize.py with its residuals, run backwards by
transpose.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes, tree
from jaxlike.core.array import Array, to_buffer
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import DebugInfo, Jaxpr
from jaxlike.core.source_info import api_boundary
from jaxlike.core.staging import trace_to_jaxpr
from jaxlike.core.zeros import UndefinedPrimal, Zero
from jaxlike.primitives.linear import instantiate
from jaxlike.transforms.arguments import (
    FlatFunction,
    check_callable,
    check_operands,
    check_outputs,
    fun_name,
)
from jaxlike.transforms.derivatives import AuxFunction, as_array, differentiable
from jaxlike.transforms.linearize import linearize_flat
from jaxlike.transforms.transpose import backward_pass


class Pullback:
    """A linear jaxpr with its residuals, ready to be run backwards."""

    __slots__ = ("jaxpr", "nonzeros_out", "out_avals", "residuals")

    def __init__(self, jaxpr: Jaxpr, residuals, nonzeros_out, out_avals):
        self.jaxpr = jaxpr
        self.residuals = residuals
        self.nonzeros_out = nonzeros_out
        self.out_avals = out_avals

    def __call__(self, cts: Sequence[Any]) -> list[Any]:
        given = [ct for ct, nz in zip(cts, self.nonzeros_out) if nz]
        args = [UndefinedPrimal(v.aval) for v in self.jaxpr.invars]
        return backward_pass(self.jaxpr, self.residuals, args, given)


def vjp_flat(fun, primals, nonzeros, transform) -> tuple[list[Any], Pullback]:
    outs, jaxpr, residuals, nonzeros_out = linearize_flat(
        fun, primals, nonzeros, transform
    )
    avals = [get_aval(x) for x in outs]
    return outs, Pullback(jaxpr, residuals, nonzeros_out, avals)


@api_boundary
def vjp(fun: Callable, *primals, has_aux: bool = False, reduce_axes=()) -> tuple:
    """The value of a function, and its pullback of cotangents (reverse mode).

    Args:
      fun: a function of pytrees of arrays.
      *primals: its positional arguments.
      has_aux: the function returns (out, aux).
    Returns:
      (primals_out, vjp_fun), and aux if has_aux. vjp_fun takes a cotangent with the
      structure of primals_out and returns a tuple of cotangents, one a primal.

    >>> import jaxlike
    >>> y, pull = jaxlike.vjp(lambda x: x ** 2, 3.0)
    >>> float(pull(1.0)[0])
    6.0
    """
    check_callable(fun, "vjp")
    leaves, in_tree = tree.flatten((primals, {}))
    check_operands(fun, primals, {}, leaves)
    flat: Any = AuxFunction(fun, in_tree) if has_aux else FlatFunction(fun, in_tree)
    wanted = differentiable(leaves, [True] * len(leaves))
    outs, pullback = vjp_flat(flat, leaves, wanted, "vjp")
    num_out = flat.num_out if has_aux else len(outs)
    check_outputs(fun, outs[:num_out], flat.out_tree)
    out = tree.unflatten(flat.out_tree, [as_array(x) for x in outs[:num_out]])
    extra = [Zero(get_aval(x).to_tangent_aval()) for x in outs[num_out:]]
    vjp_fun = VJPFunction(
        fun, pullback, in_tree, flat.out_tree, leaves, wanted, out, extra
    )
    if has_aux:
        return out, vjp_fun, flat.aux_of(outs[num_out:])
    return out, vjp_fun


class VJPFunction:
    """The pullback that vjp returns: cotangents of results to cotangents of primals."""

    def __init__(
        self, fun, pullback, in_tree, out_tree, primals, wanted, out, extra_cts
    ):
        self._fun = fun
        self._pullback = pullback
        self._in_tree = in_tree
        self._out_tree = out_tree
        self._avals = [get_aval(x).to_tangent_aval() for x in primals]
        self._wanted = wanted
        self._out_avals = [get_aval(x) for x in tree.leaves(out)]
        self._extra_cts = extra_cts

    def __repr__(self) -> str:
        return f"<vjp of {fun_name(self._fun)}>"

    @api_boundary
    def __call__(self, ct: Any) -> tuple:
        cts, ct_tree = tree.flatten(ct)
        if ct_tree != self._out_tree:
            raise ValueError(
                format_error(
                    f"the vjp of {fun_name(self._fun)} got a cotangent of another "
                    "structure than the result",
                    details=[f"got {ct_tree}", f"expected {self._out_tree}"],
                )
            )
        checked = [
            _check_cotangent(self._fun, x, a) for x, a in zip(cts, self._out_avals)
        ]
        in_cts = iter(self._pullback(checked + self._extra_cts))
        results = []
        for aval, wanted in zip(self._avals, self._wanted):
            given = next(in_cts) if wanted else Zero(aval)
            results.append(as_array(instantiate(given)))
        args, _ = tree.unflatten(self._in_tree, results)
        return args


tree.register_pytree_node(
    VJPFunction,
    lambda f: ((f._pullback.residuals,), f),
    lambda f, children: _with_residuals(f, children[0]),
)


def _with_residuals(vjp_fun: VJPFunction, residuals) -> VJPFunction:
    old = vjp_fun._pullback
    new = object.__new__(VJPFunction)
    new.__dict__.update(vjp_fun.__dict__)
    new._pullback = Pullback(old.jaxpr, residuals, old.nonzeros_out, old.out_avals)
    return new


def _check_cotangent(fun, ct, out_aval):
    expected = out_aval.to_tangent_aval()
    if isinstance(ct, np.ndarray) and ct.dtype == dtypes.float0:
        return Zero(expected)
    got = get_aval(ct)
    # an integer result has no derivative: whatever was given for it
    if expected.dtype == dtypes.float0:
        return Zero(expected)
    if got.dtype != expected.dtype or got.shape != expected.shape:
        raise ValueError(
            format_error(
                f"the vjp of {fun_name(fun)} needs a cotangent {expected}, of the "
                f"type of the result, but got {got}"
            )
        )
    return _typed(ct, expected)


def _typed(x, aval):
    """`x` with a dtype: Python numbers become arrays of the type they stand for."""
    return x if isinstance(x, (Array, np.ndarray)) else Array(to_buffer(x), aval)


@api_boundary
def linear_transpose(fun: Callable, *primals, reduce_axes=()) -> Callable:
    """The transpose of a function that is linear in its arguments.

    Args:
      fun: a linear function of pytrees of arrays.
      *primals: arguments, or ShapeDtypeStructs of them: only their types are used.
    Returns:
      A function of a cotangent (of the result's structure) to a tuple of cotangents.
    Raises:
      TypeError: an argument or result is not of floating point.

    >>> import jaxlike
    >>> t = jaxlike.linear_transpose(lambda x: 3.0 * x, 1.0)
    >>> float(t(2.0)[0])
    6.0
    """
    from jaxlike.transforms.jit import aval_of_spec

    check_callable(fun, "linear_transpose")
    leaves, in_tree = tree.flatten((primals, {}))
    in_avals = [aval_of_spec(x) for x in leaves]
    flat = FlatFunction(fun, in_tree)
    debug_info = DebugInfo("linear_transpose", fun_name(fun))
    jaxpr, consts = trace_to_jaxpr(flat, in_avals, debug_info=debug_info)
    kinds = [
        [dtypes.issubdtype(a.dtype, kind) for a in (*in_avals, *jaxpr.out_avals)]
        for kind in (np.inexact, np.integer)
    ]
    if not any(map(all, kinds)):
        raise TypeError(
            format_error(
                "linear_transpose takes functions of floating-point arrays to "
                "floating-point arrays, or of integers to integers, but "
                f"{fun_name(fun)} maps {', '.join(map(str, in_avals))} to "
                f"{', '.join(map(str, jaxpr.out_avals))}"
            )
        )
    out_avals = jaxpr.out_avals

    @api_boundary
    def transposed(ct):
        cts, ct_tree = tree.flatten(ct)
        if ct_tree != flat.out_tree:
            raise TypeError(
                format_error(
                    f"the transpose of {fun_name(fun)} got a cotangent of another "
                    "structure than the result",
                    details=[f"got {ct_tree}", f"expected {flat.out_tree}"],
                )
            )
        for x, aval in zip(cts, out_avals):
            got = get_aval(x)
            if got.shape != aval.shape or got.dtype != aval.dtype:
                raise TypeError(
                    format_error(
                        f"the transpose of {fun_name(fun)} needs a cotangent {aval}, "
                        f"of the type of the result, but got {got}"
                    )
                )
        args = [*consts, *(UndefinedPrimal(a) for a in in_avals)]
        cts = [_typed(x, aval) for x, aval in zip(cts, out_avals)]
        outs = backward_pass(jaxpr.jaxpr, [], args, cts)[len(consts) :]
        results = [as_array(instantiate(x)) for x in outs]
        return tree.unflatten(in_tree, results)[0]

    return transposed


__all__ = ["linear_transpose", "vjp"]
