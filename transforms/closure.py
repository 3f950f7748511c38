"""closure_convert, custom_gradient, linear_call and the naming of calls."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from jaxlike.core import dtypes, tree
from jaxlike.core.array import to_array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import eval_jaxpr
from jaxlike.core.primitive import Primitive
from jaxlike.core.staging import trace_to_jaxpr
from jaxlike.core.trace import Tracer
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives.linear import instantiate
from jaxlike.transforms.arguments import FlatFunction, check_callable, fun_name
from jaxlike.transforms.batching import batch_flat, materialize
from jaxlike.transforms.custom_vjp import custom_vjp


def closure_convert(fun: Callable, *example_args) -> tuple[Callable, list[Any]]:
    """A function with what it closes over turned into arguments.

    Args:
      fun: a function of pytrees of arrays, that may close over traced arrays.
      *example_args: arguments that give the types it is traced for.
    Returns:
      (converted, consts): converted(*args, *consts) is fun(*args). Only floating-point
      traced values are taken out.

    >>> import jaxlike
    >>> g, consts = jaxlike.closure_convert(lambda x: x + 1.0, 2.0)
    >>> float(g(2.0, *consts))
    3.0
    """
    check_callable(fun, "closure_convert")
    leaves, in_tree = tree.flatten((example_args, {}))
    flat = FlatFunction(fun, in_tree)
    jaxpr, consts = trace_to_jaxpr(flat, [get_aval(x) for x in leaves])
    moved = [_is_perturbable(c) for c in consts]
    hoisted = [c for c, m in zip(consts, moved) if m]
    kept = [c for c, m in zip(consts, moved) if not m]
    out_tree = flat.out_tree

    def converted(*args_and_consts):
        split = len(args_and_consts) - len(hoisted)
        args, given = args_and_consts[:split], iter(args_and_consts[split:])
        values, args_tree = tree.flatten((args, {}))
        if args_tree != in_tree:
            raise TypeError(
                format_error(
                    "a closure-converted function was called with arguments of "
                    f"another structure: {args_tree} against {in_tree}"
                )
            )
        rest = iter(kept)
        full = [next(given) if m else next(rest) for m in moved]
        return tree.unflatten(out_tree, eval_jaxpr(jaxpr.jaxpr, [], *full, *values))

    return converted, hoisted


def _is_perturbable(x: Any) -> bool:
    return isinstance(x, Tracer) and dtypes.issubdtype(x.dtype, np.inexact)


def custom_gradient(fun: Callable) -> Callable:
    """A function that returns its own gradient rule beside its value.

    Args:
      fun: returns (out, vjp_fun); vjp_fun maps a cotangent of `out` to one cotangent an
        argument (a tuple, or the cotangent itself for a single argument).
    Returns:
      A function of the same arguments to `out`, differentiated by vjp_fun.

    >>> import jaxlike
    >>> f = jaxlike.custom_gradient(lambda x: (x ** 2, lambda g: g * 10.0))
    >>> float(f(3.0)), float(jaxlike.grad(f)(3.0))
    (9.0, 10.0)
    """
    check_callable(fun, "custom_gradient")

    @functools.wraps(fun)
    def wrapped(*args, **kwargs):
        @custom_vjp
        def call(*dynamic):
            return fun(*dynamic, **kwargs)[0]

        def fwd(*dynamic):
            out, rule = fun(*dynamic, **kwargs)
            avals = [get_aval(x) for x in tree.leaves(out)]
            cts_tree = tree.structure(out)
            flat = FlatFunction(
                lambda *cts: rule(tree.unflatten(cts_tree, cts)),
                tree.structure((tuple(range(len(avals))), {})),
            )
            jaxpr, consts = trace_to_jaxpr(flat, [a.to_tangent_aval() for a in avals])
            return out, _Residuals(jaxpr, flat.out_tree, consts)

        def bwd(residuals, ct):
            outs = eval_jaxpr(
                residuals.jaxpr.jaxpr, [], *residuals.consts, *tree.leaves(ct)
            )
            cts = tree.unflatten(residuals.out_tree, outs)
            if tree.structure(cts) == tree.structure(args):
                return cts
            return (cts,) if not isinstance(cts, tuple) else cts

        call.defvjp(fwd, bwd)
        return call(*args)

    return wrapped


class _Residuals:
    """A staged gradient rule as a pytree: its captured values are the leaves."""

    def __init__(self, jaxpr, out_tree, consts):
        self.jaxpr, self.out_tree, self.consts = jaxpr, out_tree, consts


tree.register_pytree_node(
    _Residuals,
    lambda r: (tuple(r.consts), (r.jaxpr, r.out_tree)),
    lambda aux, consts: _Residuals(*aux, list(consts)),
)


# --- linear_call

linear_call_p = Primitive("linear_call", multiple_results=True, structural=True)


def linear_call(
    fun: Callable, fun_transpose: Callable, residual_args: Any, linear_args: Any
) -> Any:
    """Call a function that is linear in its second argument, with its own transpose.

    Args:
      fun: (residual_args, linear_args) -> out, linear in linear_args.
      fun_transpose: (residual_args, ct of out) -> ct of linear_args.
    Returns:
      fun(residual_args, linear_args).

    >>> from jaxlike.custom_derivatives import linear_call
    >>> float(linear_call(lambda r, x: r * x, lambda r, ct: r * ct, 2.0, 3.0))
    6.0
    """
    residuals, res_tree = tree.flatten(residual_args)
    linear, lin_tree = tree.flatten(linear_args)
    found: dict[str, Any] = {}

    def call(*flat):
        out = fun(
            tree.unflatten(res_tree, flat[: len(residuals)]),
            tree.unflatten(lin_tree, flat[len(residuals) :]),
        )
        leaves, found["out_tree"] = tree.flatten(out)
        return leaves

    def transpose(*flat):
        cts = tree.unflatten(found["out_tree"], flat[len(residuals) :])
        out = fun_transpose(tree.unflatten(res_tree, flat[: len(residuals)]), cts)
        leaves, out_tree = tree.flatten(out)
        if out_tree != lin_tree:
            raise TypeError(
                format_error(
                    f"transpose output pytree structure of {fun_name(fun_transpose)} "
                    f"must match that of linear inputs, got {out_tree} and {lin_tree}"
                )
            )
        return leaves

    outs = linear_call_p.bind(
        *residuals,
        *linear,
        callee=_Callee(call),
        transpose=_Callee(transpose),
        num_callee_res=len(residuals),
    )
    return tree.unflatten(found["out_tree"], outs)


class _Callee:
    """A flat function as a param of an equation."""

    def __init__(self, fun):
        self.fun = fun

    def __repr__(self) -> str:
        return fun_name(self.fun)


def _linear_call_shape(*avals, callee, **_):
    return trace_to_jaxpr(callee.fun, avals)[0].out_avals


def _linear_call_impl(*args, callee, **_):
    return [to_array(x) for x in callee.fun(*args)]


def _linear_call_evaluate(*args, callee, **_):
    outs = callee.fun(*args)
    return [np.asarray(x) for x in outs]


def _linear_call_jvp(primals, tangents, *, num_callee_res, **params):
    if any(type(t) is not Zero for t in tangents[:num_callee_res]):
        raise NotImplementedError(
            format_error("linear_call is not differentiable in its residual arguments")
        )
    params["num_callee_res"] = num_callee_res
    outs = linear_call_p.bind(*primals, **params)
    given = map(instantiate, tangents[num_callee_res:])
    tangents_out = linear_call_p.bind(*primals[:num_callee_res], *given, **params)
    return outs, tangents_out


def _linear_call_transpose(cts, *args, callee, transpose, num_callee_res):
    residuals = args[:num_callee_res]
    assert not any(map(is_undefined_primal, residuals))
    outs = linear_call_p.bind(
        *residuals,
        *map(instantiate, cts),
        callee=transpose,
        transpose=callee,
        num_callee_res=num_callee_res,
    )
    return [None] * num_callee_res + list(outs)


def _linear_call_batch(axis_data, args, dims, *, callee, transpose, num_callee_res):
    args = [materialize(a, d, axis_data) for a, d in zip(args, dims)]

    def batched(fun):
        def call(*vals):
            outs, out_dims = batch_flat(fun, axis_data, vals, [0] * len(vals))
            return [materialize(x, d, axis_data) for x, d in zip(outs, out_dims)]

        return _Callee(call)

    outs = linear_call_p.bind(
        *args,
        callee=batched(callee.fun),
        transpose=batched(transpose.fun),
        num_callee_res=num_callee_res,
    )
    return outs, [0] * len(outs)


linear_call_p.shape = _linear_call_shape
linear_call_p.impl = _linear_call_impl
linear_call_p.evaluate = _linear_call_evaluate
linear_call_p.jvp = _linear_call_jvp
linear_call_p.transpose = _linear_call_transpose
linear_call_p.batch = _linear_call_batch


# --- names


def named_call(fun: Callable, *, name: str | None = None) -> Callable:
    """The function under a name, which jaxprs and profiles show.

    >>> import jaxlike
    >>> float(jaxlike.named_call(lambda x: x + 1.0, name="layer")(1.0))
    2.0
    """
    check_callable(fun, "named_call")
    from jaxlike.transforms.jit import jit

    @functools.wraps(fun)
    def call(*args, **kwargs):
        return fun(*args, **kwargs)

    call.__name__ = name or fun_name(fun)
    return jit(call, inline=False)


@contextmanager
def named_scope(name: str) -> Iterator[None]:
    """A name for the operations inside the block, for people who read profiles.

    >>> import jaxlike
    >>> with jaxlike.named_scope("encoder"):
    ...     pass
    """
    if not isinstance(name, str):
        raise TypeError(format_error("named_scope takes a string"))
    yield
