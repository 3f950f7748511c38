"""Common subexpressions: equal equations without effects are computed once."""

from __future__ import annotations

from typing import Any

from jaxlike.core.jaxpr import ClosedJaxpr, DropVar, JaxprEqn, Literal, jaxprs_in_params
from jaxlike.transforms.rewrite.substitute import Substitution

# never merged: a barrier keeps what it guards apart
_KEPT = {"optimization_barrier", "random_seed", "pure_callback", "io_callback"}


def cse(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same jaxpr with each distinct computation written once."""
    jaxpr = closed.jaxpr
    sub = Substitution()
    seen: dict[Any, JaxprEqn] = {}
    eqns = []
    for eqn in jaxpr.eqns:
        invars = sub.atoms(eqn.invars)
        key = _key(eqn, invars)
        known = seen.get(key) if key is not None else None
        if known is not None:
            for old, new in zip(eqn.outvars, known.outvars):
                if type(old) is not DropVar:
                    sub.env[old] = new
            continue
        changed = any(a is not b for a, b in zip(invars, eqn.invars))
        kept = eqn.replace(invars=invars) if changed else eqn
        eqns.append(kept)
        if key is not None and not any(type(v) is DropVar for v in eqn.outvars):
            seen[key] = kept
    if len(eqns) == len(jaxpr.eqns):
        return closed
    outvars = sub.atoms(jaxpr.outvars)
    return ClosedJaxpr(jaxpr.replace(eqns=eqns, outvars=outvars), closed.consts)


def _key(eqn: JaxprEqn, invars) -> Any:
    if eqn.effects or eqn.primitive.name in _KEPT:
        return None
    if any(True for _ in jaxprs_in_params(eqn.params)):
        return None
    atoms = tuple(
        (a.aval, repr(a.val), type(a.val)) if type(a) is Literal else a for a in invars
    )
    key = (eqn.primitive, atoms, tuple(sorted(eqn.params.items(), key=_by_name)))
    try:
        hash(key)
    except TypeError:
        return None
    return key


def _by_name(item: tuple[str, Any]) -> str:
    return item[0]
