"""Transpose: run a linear jaxpr backwards, from cotangents of outputs to inputs.

{ lambda c ; t:f32[]. let d = mul t c; e = mul d 2.0 in (e,) }
transposed: { lambda c ; e:f32[]. let d = mul e 2.0; t = mul d c in (t,) }
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var
from jaxlike.core.staging import trace_to_closed_jaxpr
from jaxlike.core.state import state
from jaxlike.core.zeros import UndefinedPrimal, Zero
from jaxlike.primitives.linear import add_tangents, instantiate


def backward_pass(
    jaxpr: Jaxpr,
    consts: Sequence[Any],
    args: Sequence[Any],
    cotangents: Sequence[Any],
) -> list[Any]:
    """The cotangents of a jaxpr's linear inputs, given its outputs' cotangents.

    args: a value for each non-linear input, an UndefinedPrimal for each linear one;
    cotangents: one an output, maybe Zero. Equations that depend on no linear input are
    evaluated first. Returns one cotangent an input: Zero or None where there is none.
    """
    if all(type(ct) is Zero for ct in cotangents):
        return [Zero(v.aval.to_tangent_aval()) for v in jaxpr.invars]
    env: dict[Var, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    linear: set[Var] = set()
    for var, arg in zip(jaxpr.invars, args, strict=True):
        if type(arg) is UndefinedPrimal:
            linear.add(var)
        else:
            env[var] = arg

    linear_eqns = _evaluate_nonlinear(jaxpr, env, linear)

    cts: dict[Var, Any] = {}

    def accumulate(atom, ct):
        if ct is None or type(ct) is Zero or type(atom) is Literal:
            return
        known = cts.get(atom)
        cts[atom] = ct if known is None else add_tangents(known, ct)

    for var, ct in zip(jaxpr.outvars, cotangents, strict=True):
        if type(var) is not Literal and var in linear:
            accumulate(var, ct)

    outer_source = state.source
    try:
        for eqn in reversed(linear_eqns):
            _transpose_eqn(eqn, env, linear, cts, accumulate, outer_source)
    finally:
        state.source = outer_source
    return [
        cts.get(v, Zero(v.aval.to_tangent_aval())) if v in linear else None
        for v in jaxpr.invars
    ]


def _evaluate_nonlinear(jaxpr: Jaxpr, env, linear: set[Var]) -> list[JaxprEqn]:
    """Run the equations that depend on no linear input; returns the others."""
    linear_eqns = []
    outer_source = state.source
    try:
        for eqn in jaxpr.eqns:
            if any(type(v) is not Literal and v in linear for v in eqn.invars):
                linear.update(eqn.outvars)
                linear_eqns.append(eqn)
                continue
            ins = [v.val if type(v) is Literal else env[v] for v in eqn.invars]
            state.source = eqn.source_info or outer_source
            outs = eqn.primitive.bind(*ins, **eqn.params)
            if not eqn.primitive.multiple_results:
                outs = [outs]
            env.update(zip(eqn.outvars, outs, strict=True))
    finally:
        state.source = outer_source
    return linear_eqns


def _transpose_eqn(eqn, env, linear, cts, accumulate, outer_source) -> None:
    primitive = eqn.primitive
    out_cts = [cts.pop(v, None) for v in eqn.outvars]
    if all(ct is None for ct in out_cts):
        return
    args = []
    for v in eqn.invars:
        if type(v) is Literal:
            args.append(v.val)
        elif v in linear:
            args.append(UndefinedPrimal(v.aval))
        else:
            args.append(env[v])
    if primitive.transpose is None:
        why = primitive.not_transposable or "it is not linear"
        raise NotImplementedError(
            format_error(
                f"{primitive.name} has no transpose rule, which reverse mode needs: "
                f"{why}"
            )
        )
    state.source = eqn.source_info or outer_source
    if primitive.multiple_results:
        ct_in = [
            Zero(v.aval.to_tangent_aval()) if ct is None else ct
            for v, ct in zip(eqn.outvars, out_cts)
        ]
    else:
        ct_in = out_cts[0]
    in_cts = primitive.transpose(ct_in, *args, **eqn.params)
    if in_cts is None:
        return
    for atom, ct in zip(eqn.invars, in_cts, strict=True):
        if type(atom) is not Literal and atom in linear:
            accumulate(atom, ct)


def transpose_jaxpr(
    closed: ClosedJaxpr,
    linear: Sequence[bool],
    nonzero_cts: Sequence[bool],
    instantiate_cts: bool = True,
) -> tuple[ClosedJaxpr, list[bool]]:
    """A jaxpr of non-linear inputs and nonzero cotangents to the linear inputs' ones.

    Returns it with which linear inputs it has a cotangent for (all of them if
    instantiate_cts).
    """
    key = ("transpose", tuple(linear), tuple(nonzero_cts), instantiate_cts)
    return closed.memo(
        key, lambda: _transpose_jaxpr(closed, linear, nonzero_cts, instantiate_cts)
    )


def _transpose_jaxpr(closed, linear, nonzero_cts, instantiate_cts):
    jaxpr = closed.jaxpr
    nonlinear_avals = [a for a, lin in zip(closed.in_avals, linear) if not lin]
    ct_avals = [
        a.to_tangent_aval() for a, nz in zip(closed.out_avals, nonzero_cts) if nz
    ]
    has_ct: list[bool] = []

    def fun(*flat):
        values = iter(flat)
        args = [
            UndefinedPrimal(a) if lin else next(values)
            for a, lin in zip(closed.in_avals, linear)
        ]
        cts = [
            next(values) if nz else Zero(a.to_tangent_aval())
            for a, nz in zip(closed.out_avals, nonzero_cts)
        ]
        out = backward_pass(jaxpr, closed.consts, args, cts)
        out = [ct for ct, lin in zip(out, linear) if lin]
        if instantiate_cts:
            out = [instantiate(ct) for ct in out]
        has_ct.extend(type(ct) is not Zero for ct in out)
        return [ct for ct in out if type(ct) is not Zero]

    result = trace_to_closed_jaxpr(
        fun, nonlinear_avals + ct_avals, debug_info=jaxpr.debug_info
    )
    return result, has_ct


def transpose_flat(
    jaxpr: Jaxpr, consts: Sequence[Any], cotangents: Sequence[Any]
) -> list[Any]:
    """Cotangents of all inputs of a jaxpr that is linear in all of them."""
    args = [UndefinedPrimal(v.aval) for v in jaxpr.invars]
    return backward_pass(jaxpr, consts, args, cotangents)
