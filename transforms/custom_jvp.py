"""custom_jvp: functions with a forward-mode rule of their own.

    f = custom_jvp(f); f.defjvp(rule)
    traced:  b:f32[] = custom_jvp_call[call_jaxpr={...} jvp_jaxpr_fun=rule] a

Under jvp and linearize the rule runs in place of f; under vmap both are batched.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from jaxlike.core import tree
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import axis_names_in, eval_jaxpr, evaluate_jaxpr
from jaxlike.core.primitive import Primitive
from jaxlike.core.source_info import api_boundary
from jaxlike.core.staging import trace_to_jaxpr
from jaxlike.core.state import state
from jaxlike.primitives.linear import add_tangents
from jaxlike.transforms.arguments import FlatFunction, check_operands, fun_name
from jaxlike.transforms.custom_common import (
    SymbolicZero,
    batched_at_zero,
    bind_arguments,
    close_over_nondiff,
    from_rule,
    mismatch,
    nondiff_positions,
    to_rule,
)
from jaxlike.transforms.rewrite.inline import call_param


class CustomJVPPrimitive(Primitive):
    """The call of a custom_jvp function: traces process it as one unit."""

    def bind(self, *args, call_jaxpr, jvp_jaxpr_fun, num_consts, symbolic_zeros, **_):
        """Re-run a staged call under the current trace."""

        def fun(*xs):
            return eval_jaxpr(call_jaxpr.jaxpr, call_jaxpr.consts, *xs)

        def jvp(*flat):
            n = len(flat) // 2
            return jvp_jaxpr_fun(*flat[num_consts:n], *flat[n + num_consts :])

        return self.bind_with_trace(
            state.trace, fun, jvp, args, symbolic_zeros=symbolic_zeros
        )

    def bind_with_trace(self, trace, fun, jvp, args, *, symbolic_zeros):
        return trace.process_custom_jvp_call(
            self, fun, jvp, args, symbolic_zeros=symbolic_zeros
        )

    def call_jvp(self, jvp, primals, tangents, symbolic_zeros):
        """(outs, tangents) by the rule, under the current trace."""
        given = [to_rule(t, symbolic_zeros) for t in tangents]
        outs = jvp(*primals, *given)
        n = len(outs) // 2
        return outs[:n], [from_rule(t) for t in outs[n:]]

    def call_batched(self, axis_data, fun, jvp, vals, dims, *, symbolic_zeros, tag):
        # even without a batched argument: the function may close over batched values
        decided: list[bool] | None = [] if all(d is None for d in dims) else None
        batched_fun = batched_at_zero(fun, axis_data, dims, tag, decided)
        batched_jvp = batched_at_zero(jvp, axis_data, [*dims, *dims], tag, decided)
        outs = self.bind_with_trace(
            state.trace, batched_fun, batched_jvp, vals, symbolic_zeros=symbolic_zeros
        )
        return outs, [None if decided == [False] else 0] * len(outs)

    def stage(self, trace, fun, jvp, args, *, symbolic_zeros):
        """Record the call as one equation of a staging trace."""
        name = fun_name(fun)
        closed, consts = trace_to_jaxpr(fun, [get_aval(a) for a in args], name=name)
        params = {
            "name": name,
            "call_jaxpr": closed,
            "jvp_jaxpr_fun": jvp,
            "num_consts": len(consts),
            "symbolic_zeros": symbolic_zeros,
        }
        return trace.process_primitive(self, (*consts, *args), params)


custom_jvp_call_p = CustomJVPPrimitive(
    "custom_jvp_call", multiple_results=True, structural=True
)


def _shape(*avals, call_jaxpr, **_):
    return call_jaxpr.out_avals, call_jaxpr.effects


custom_jvp_call_p.shape = _shape
custom_jvp_call_p.effectful = True
call_param[custom_jvp_call_p] = "call_jaxpr"
custom_jvp_call_p.evaluate = lambda *args, call_jaxpr, **_: evaluate_jaxpr(
    call_jaxpr.jaxpr, call_jaxpr.consts, *args
)
custom_jvp_call_p.axis_names = lambda params: axis_names_in(params["call_jaxpr"])


class _FlatRule:
    """The user's rule on flat lists: primals then tangents, to outs then tangents."""

    def __init__(self, rule: Callable, in_tree: Any, name: str, primal: FlatFunction):
        self.rule = rule
        self.in_tree = in_tree
        self.name = name
        self.primal = primal
        self.out_tree: Any = None

    @property
    def serves(self) -> str:
        """What messages call it."""
        return f"the jvp rule {fun_name(self.rule)} of {self.name}"

    def __call__(self, *flat):
        n = len(flat) // 2
        primals = tree.unflatten(self.in_tree, flat[:n])
        tangents = tree.unflatten(self.in_tree, flat[n:])
        result = self.rule(primals, tangents)
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            raise TypeError(
                format_error(
                    f"{self.serves} must return a pair (out, tangent_out), but "
                    f"returned {result!r:.100}"
                )
            )
        out, tangent = result
        outs, self.out_tree = tree.flatten(out)
        tangents_out, tangent_tree = tree.flatten(tangent)
        if self.out_tree != tangent_tree:
            raise TypeError(
                format_error(
                    f"{self.serves} must return a "
                    "tangent of the structure of the result",
                    details=mismatch(self.name, "tangent output", tangent, out),
                )
            )
        for path, x, t in zip(_paths(out), outs, tangents_out):
            expected = get_aval(x).to_tangent_aval()
            got = t.aval if type(t) is SymbolicZero else get_aval(t)
            if got.shape != expected.shape or got.dtype != expected.dtype:
                raise TypeError(
                    format_error(
                        f"{self.serves} must "
                        "return tangents of the types of its results",
                        details=[
                            f"out{path} is {get_aval(x)}: its tangent must be "
                            f"{expected}, but is {got}"
                        ],
                    )
                )
        return [*outs, *tangents_out]


def _paths(pytree: Any) -> list[str]:
    return [tree.keystr(path) for path, _ in tree.flatten_with_path(pytree)[0]]


class custom_jvp:
    """A function with a rule of its own for forward-mode differentiation.

    Reverse mode follows from it, as the rule is linear in the tangents.

    Args:
      fun: the function, of pytrees of arrays.
      nondiff_argnums, nondiff_argnames: arguments that are not differentiated; the
        rule gets them first, as they are.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> @jaxlike.custom_jvp
    ... def f(x):
    ...     return jnp.sin(x)
    >>> @f.defjvp
    ... def f_jvp(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     return f(x), 10.0 * t
    >>> float(jaxlike.grad(f)(1.0))
    10.0
    """

    def __init__(self, fun: Callable, nondiff_argnums=(), nondiff_argnames=()):
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.nondiff_argnums = nondiff_positions(fun, nondiff_argnums, nondiff_argnames)
        self.jvp: Callable | None = None
        self.symbolic_zeros = False

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return functools.partial(self, instance)

    def defjvp(self, jvp: Callable, symbolic_zeros: bool = False) -> Callable:
        """Set the rule: (nondiff args..., primals, tangents) -> (out, tangent_out).

        With symbolic_zeros, tangents known to be zero are SymbolicZero objects.
        """
        self.jvp = jvp
        self.symbolic_zeros = symbolic_zeros
        return jvp

    def defjvps(self, *jvps: Callable | None) -> None:
        """Set the rule from one function an argument: (tangent, out, *primals)."""
        if self.nondiff_argnums:
            raise TypeError(
                format_error(
                    f"defjvps takes a rule for each argument of {fun_name(self.fun)}, "
                    "but it has nondiff_argnums",
                    try_="defjvp",
                )
            )

        def jvp(primals, tangents):
            out = self(*primals)
            terms = [
                rule(t, out, *primals)
                for rule, t in zip(jvps, tangents, strict=True)
                if rule
            ]
            tangent = tree.map(lambda *ts: functools.reduce(add_tangents, ts), *terms)
            return out, tangent

        self.defjvp(jvp)

    @api_boundary
    def __call__(self, *args, **kwargs):
        name = fun_name(self.fun)
        if self.jvp is None:
            raise AttributeError(
                format_error(
                    f"the custom_jvp function {name} has no rule",
                    try_=f"{name}.defjvp(rule)",
                )
            )
        args = bind_arguments(self.fun, args, kwargs)
        fun, dynamic = close_over_nondiff(self.fun, self.nondiff_argnums, args)
        nondiff = [args[i] for i in self.nondiff_argnums]
        rule = functools.partial(self.jvp, *nondiff) if nondiff else self.jvp
        leaves, in_tree = tree.flatten((dynamic, {}))
        check_operands(fun, dynamic, {}, leaves)
        flat_fun = FlatFunction(fun, in_tree)
        _, args_tree = tree.flatten(dynamic)
        flat_rule = _FlatRule(rule, args_tree, name, flat_fun)
        outs = custom_jvp_call_p.bind_with_trace(
            state.trace,
            flat_fun,
            flat_rule,
            leaves,
            symbolic_zeros=self.symbolic_zeros,
        )
        out_tree = flat_fun.out_tree
        if out_tree is None:
            out_tree = flat_rule.out_tree
        return tree.unflatten(out_tree, outs)
