"""custom_vmap: functions with a batching rule of their own.

    f = custom_vmap(f); f.def_vmap(rule)
    traced:  c:f32[] = custom_vmap_call[call={...} rule=rule] a b
    vmap:    rule(axis_size, in_batched, *args) runs in its place

jvp keeps the rule, by differentiating it; reverse mode differentiates the function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from jaxlike.core import tree
from jaxlike.core.array import to_array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import (
    ClosedJaxpr,
    DebugInfo,
    axis_names_in,
    eval_jaxpr,
    evaluate_jaxpr,
)
from jaxlike.core.primitive import Primitive
from jaxlike.core.source_info import api_boundary
from jaxlike.core.staging import trace_to_jaxpr
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linear import instantiate
from jaxlike.transforms.arguments import FlatFunction, check_operands, fun_name
from jaxlike.transforms.batching import AxisData, batch_jaxpr, materialize
from jaxlike.transforms.custom_common import bind_arguments
from jaxlike.transforms.jvp import jvp_flat, jvp_jaxpr
from jaxlike.transforms.linearize import linearize_jaxpr
from jaxlike.transforms.rewrite.inline import call_param

custom_vmap_call_p = Primitive(
    "custom_vmap_call", multiple_results=True, structural=True
)
call_param[custom_vmap_call_p] = "call"


class custom_vmap:
    """A function with a rule of its own for vmap.

    Args:
      fun: the function, of pytrees of arrays.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike.custom_batching import custom_vmap
    >>> f = custom_vmap(lambda x: x + 1.0)
    >>> @f.def_vmap
    ... def rule(axis_size, in_batched, x):
    ...     return x + 10.0, in_batched[0]
    >>> float(f(1.0)), jaxlike.vmap(f)(jnp.zeros(2)).tolist()
    (2.0, [10.0, 10.0])
    """

    def __init__(self, fun: Callable):
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.vmap_rule: Callable | None = None

    def def_vmap(self, vmap_rule: Callable) -> Callable:
        """Set the rule: (axis_size, in_batched, *args) -> (out, out_batched).

        in_batched is a list of pytrees of bools, one an argument; batched arguments and
        results have the batch axis in front; out_batched has the structure of out.
        """
        self.vmap_rule = vmap_rule
        return vmap_rule

    def __get__(self, instance, owner=None):
        return self if instance is None else functools.partial(self, instance)

    @api_boundary
    def __call__(self, *args, **kwargs):
        name = fun_name(self.fun)
        if self.vmap_rule is None:
            raise AttributeError(
                format_error(
                    f"the custom_vmap function {name} has no rule",
                    try_=f"{name}.def_vmap(rule)",
                )
            )
        args = bind_arguments(self.fun, args, kwargs)
        leaves, in_tree = tree.flatten((args, {}))
        check_operands(self.fun, args, {}, leaves)
        flat = FlatFunction(self.fun, in_tree)
        jaxpr, consts = trace_to_jaxpr(
            flat,
            [get_aval(x) for x in leaves],
            debug_info=DebugInfo("custom_vmap", name),
        )
        rule = _FlatRule(self.vmap_rule, tree.structure(args), flat.out_tree, name)
        outs = custom_vmap_call_p.bind(
            *consts, *leaves, call=jaxpr, rule=rule, num_consts=len(consts)
        )
        return tree.unflatten(flat.out_tree, outs)


class _FlatRule:
    """The user's rule on flat lists: (size, in_batched, leaves) -> outs, batched."""

    __slots__ = ("in_tree", "name", "out_tree", "rule")

    def __init__(self, rule: Callable, in_tree: Any, out_tree: Any, name: str):
        self.rule, self.in_tree = rule, in_tree
        self.out_tree, self.name = out_tree, name

    def __repr__(self) -> str:
        return fun_name(self.rule)

    def __call__(
        self, size: int, in_batched: Sequence[bool], leaves: Sequence[Any]
    ) -> tuple[list[Any], list[bool]]:
        args = tree.unflatten(self.in_tree, leaves)
        result = self.rule(size, list(tree.unflatten(self.in_tree, in_batched)), *args)
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            raise ValueError(
                format_error(
                    f"the vmap rule {self!r} of {self.name} must return a pair (out, "
                    f"out_batched), but returned {result!r:.100}"
                )
            )
        out, out_batched = result
        outs, out_tree = tree.flatten(out)
        batched, batched_tree = tree.flatten(out_batched)
        for what, got, expected in (
            ("out", out_tree, self.out_tree),
            ("out_batched", batched_tree, out_tree),
        ):
            if got != expected:
                raise ValueError(
                    format_error(
                        f"the vmap rule {self!r} of {self.name} returned {what} of "
                        "another structure",
                        [f"got {got}", f"expected {expected}"],
                    )
                )
        return outs, [bool(b) for b in batched]


class _JVPOfRule:
    """The rule of the differentiated call: primals and nonzero tangents, flat."""

    __slots__ = ("nonzeros", "nonzeros_out", "rule")

    def __init__(self, rule, nonzeros, nonzeros_out):
        self.rule, self.nonzeros, self.nonzeros_out = rule, nonzeros, nonzeros_out

    def __repr__(self) -> str:
        return f"jvp({self.rule!r})"

    def __call__(self, size, in_batched, leaves):
        n = len(self.nonzeros)
        axis_data = AxisData(None, size)
        primals, primal_batched = list(leaves[:n]), list(in_batched[:n])
        given = iter(zip(leaves[n:], in_batched[n:]))
        tangents: list[Any] = []
        for i, nonzero in enumerate(self.nonzeros):
            if not nonzero:
                aval = get_aval(primals[i]).to_tangent_aval()
                tangents.append(Zero(aval))
                continue
            tangent, batched = next(given)
            # a rule takes a value and its tangent in one layout
            if batched and not primal_batched[i]:
                primals[i] = materialize(primals[i], None, axis_data)
                primal_batched[i] = True
            elif primal_batched[i] and not batched:
                tangent = materialize(tangent, None, axis_data)
            tangents.append(tangent)
        found: list[bool] = []

        def run(*xs):
            outs, batched = self.rule(size, primal_batched, xs)
            found.extend(batched)
            return outs

        outs, out_tangents = jvp_flat(run, primals, tangents)
        kept = [
            (instantiate(t), b)
            for t, b, nz in zip(out_tangents, found, self.nonzeros_out)
            if nz
        ]
        return [*outs, *(t for t, _ in kept)], [*found, *(b for _, b in kept)]


def _jvp(primals, tangents, *, call: ClosedJaxpr, rule, num_consts):
    nonzeros = [type(t) is not Zero for t in tangents]
    jaxpr, nonzeros_out = jvp_jaxpr(call, nonzeros, False)
    given = [t for t in tangents if type(t) is not Zero]
    if any(nonzeros[:num_consts]):
        # the rule does not see what the function closes over
        outs = eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *primals, *given)
    else:
        outs = custom_vmap_call_p.bind(
            *primals,
            *given,
            call=jaxpr,
            rule=_JVPOfRule(rule, nonzeros[num_consts:], nonzeros_out),
            num_consts=num_consts,
        )
    num_out = len(call.out_avals)
    out_tangents = iter(outs[num_out:])
    return outs[:num_out], [
        next(out_tangents) if nz else Zero(a.to_tangent_aval())
        for nz, a in zip(nonzeros_out, call.out_avals)
    ]


def _linearize(nonzeros, *primals, call: ClosedJaxpr, **_):
    split = linearize_jaxpr(call, nonzeros)
    results = eval_jaxpr(split.primal.jaxpr, split.primal.consts, *primals)
    num_out = len(call.out_avals)
    outs, residuals = results[:num_out], results[num_out:]

    def tangent_of(tangents):
        given = [t for t in tangents if type(t) is not Zero]
        found = iter(
            eval_jaxpr(split.tangent.jaxpr, split.tangent.consts, *residuals, *given)
        )
        return [
            next(found) if nz else Zero(a.to_tangent_aval())
            for nz, a in zip(split.nonzeros_out, call.out_avals)
        ]

    return outs, tangent_of


def _batch(axis_data, args, dims, *, call: ClosedJaxpr, rule, num_consts):
    batched = [d is not None for d in dims]
    args = [
        x if d is None else materialize(x, d, axis_data) for x, d in zip(args, dims)
    ]
    if any(batched[:num_consts]):
        # the rule does not see what the function closes over
        jaxpr, out_batched = batch_jaxpr(call, axis_data, batched)
        outs = eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *args)
    else:
        outs, out_batched = rule(
            axis_data.size, batched[num_consts:], args[num_consts:]
        )
    return outs, [0 if b else None for b in out_batched]


def _impl(*args, call: ClosedJaxpr, **_):
    return [to_array(x) for x in eval_jaxpr(call.jaxpr, call.consts, *args)]


custom_vmap_call_p.shape = lambda *avals, call, **_: (call.out_avals, call.effects)
custom_vmap_call_p.effectful = True
custom_vmap_call_p.impl = _impl
custom_vmap_call_p.evaluate = lambda *args, call, **_: evaluate_jaxpr(
    call.jaxpr, call.consts, *args
)
custom_vmap_call_p.jvp = _jvp
custom_vmap_call_p.linearize = _linearize
custom_vmap_call_p.batch = _batch
custom_vmap_call_p.axis_names = lambda params: axis_names_in(params["call"])
custom_vmap_call_p.batch_collective = _batch
