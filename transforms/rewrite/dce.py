"""Dead code elimination: keep the equations that outputs or effects need."""

from __future__ import annotations

from collections.abc import Sequence

from jaxlike.core.jaxpr import ClosedJaxpr, Jaxpr, Literal, Var


def dce(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same jaxpr without equations that nothing reads; inputs stay."""
    jaxpr = dce_jaxpr(closed.jaxpr)
    return closed if jaxpr is closed.jaxpr else ClosedJaxpr(jaxpr, closed.consts)


def dce_jaxpr(jaxpr: Jaxpr) -> Jaxpr:
    live: set[Var] = {v for v in jaxpr.outvars if type(v) is not Literal}
    kept = []
    for eqn in reversed(jaxpr.eqns):
        if eqn.effects or any(v in live for v in eqn.outvars):
            kept.append(eqn)
            live.update(v for v in eqn.invars if type(v) is not Literal)
    if len(kept) == len(jaxpr.eqns):
        return jaxpr
    return jaxpr.replace(eqns=kept[::-1])


def used_inputs(jaxpr: Jaxpr) -> list[bool]:
    """Which inputs the equations or the outputs read."""
    used = {v for v in jaxpr.outvars if type(v) is not Literal}
    for eqn in jaxpr.eqns:
        used.update(v for v in eqn.invars if type(v) is not Literal)
    return [v in used for v in jaxpr.invars]


def prune_inputs(
    closed: ClosedJaxpr, keep: Sequence[bool] | None = None
) -> tuple[ClosedJaxpr, list[bool]]:
    """The jaxpr without its unused inputs (but those in `keep`), and which it kept."""
    used = used_inputs(closed.jaxpr)
    if keep is not None:
        used = [u or k for u, k in zip(used, keep, strict=True)]
    invars = [v for v, u in zip(closed.jaxpr.invars, used) if u]
    return ClosedJaxpr(closed.jaxpr.replace(invars=invars), closed.consts), used
