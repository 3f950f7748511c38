"""Inline: write the bodies of calls (jit, custom rules, checkpoint) out in place.

b = jit[jaxpr={ lambda ; x. let y = sin x in (y,) }] a    -->    b = sin a
"""

from __future__ import annotations

from collections.abc import Callable

from jaxlike.core.jaxpr import ClosedJaxpr, DropVar, Jaxpr, JaxprEqn, Literal, Var
from jaxlike.core.primitive import Primitive
from jaxlike.transforms.rewrite.substitute import Substitution

# the name of the param that holds the body of each call
call_param: dict[Primitive, str] = {}

CallRule = Callable[[JaxprEqn], bool]


def inline_calls(closed: ClosedJaxpr, only: CallRule | None = None) -> ClosedJaxpr:
    """The same jaxpr without calls, except those that `only` refuses.

    Bodies that sit in loops and branches are left alone: they are jaxprs of their own.
    """
    jaxpr = closed.jaxpr
    if not any(eqn.primitive in call_param for eqn in jaxpr.eqns):
        return closed
    sub = Substitution()
    eqns: list[JaxprEqn] = []
    _inline_into(jaxpr.eqns, sub, eqns, only)
    return ClosedJaxpr(
        Jaxpr(
            jaxpr.constvars,
            jaxpr.invars,
            sub.atoms(jaxpr.outvars),
            eqns,
            jaxpr.effects,
            jaxpr.debug_info,
        ),
        closed.consts,
    )


def _inline_into(source, sub: Substitution, eqns: list[JaxprEqn], only) -> None:
    for eqn in source:
        name = call_param.get(eqn.primitive)
        if name is None or (only is not None and not only(eqn)):
            eqns.append(sub.copy_eqn(eqn))
            continue
        body: ClosedJaxpr = eqn.params[name]
        inner = Substitution()
        inner.env.update(zip(body.jaxpr.invars, sub.atoms(eqn.invars), strict=True))
        barrier = _recompute_barrier(eqn)
        if barrier is not None:
            _guard(inner, body.jaxpr.invars, barrier, eqn, eqns)
        _inline_into(body.jaxpr.eqns, inner, eqns, only)
        for var, out in zip(eqn.outvars, body.jaxpr.outvars, strict=True):
            if type(var) is not DropVar:
                sub.env[var] = inner.atom(out)


def _recompute_barrier(eqn: JaxprEqn) -> Primitive | None:
    """What keeps a checkpointed recomputation apart from the first computation."""
    params = eqn.params
    if not (params.get("prevent_cse") and params.get("differentiated")):
        return None
    from jaxlike.primitives.identity import optimization_barrier_p

    return optimization_barrier_p


def _guard(inner: Substitution, invars, barrier, eqn, eqns) -> None:
    guarded = [v for v in invars if type(inner.atom(v)) is not Literal]
    if not guarded:
        return
    outs = [Var(v.aval) for v in guarded]
    eqns.append(
        JaxprEqn(
            [inner.atom(v) for v in guarded],
            list(outs),
            barrier,
            {},
            source_info=eqn.source_info,
        )
    )
    inner.env.update(zip(guarded, outs))
