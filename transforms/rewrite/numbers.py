"""Numbers where they are known: windows at fixed places, loops over their constants.

c = dynamic_slice a 3:i32[]                              -->  c = slice a
b = broadcast_in_dim 0.0
c = dynamic_update_slice b a 3:i32[]                     -->  c = pad a 0.0
scan[jaxpr={ lambda ; a b. ... mul a b }] 2.0 c          -->  scan[... mul 2.0 b] c
"""

from __future__ import annotations

from typing import Any

from jaxlike.core.jaxpr import Atom, ClosedJaxpr, JaxprEqn, Literal, Var
from jaxlike.core.primitive import registry
from jaxlike.transforms.rewrite.substitute import Substitution


def write_numbers(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same jaxpr with the rules of this file applied."""
    jaxpr = closed.jaxpr
    if not any(eqn.primitive.name in _RULES for eqn in jaxpr.eqns):
        return closed
    # arrays that are one number everywhere
    uniform: dict[Var, Literal] = {}
    eqns: list[JaxprEqn] = []
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "broadcast_in_dim" and type(eqn.invars[0]) is Literal:
            uniform[eqn.outvars[0]] = eqn.invars[0]
        rule = _RULES.get(eqn.primitive.name)
        eqns.append(eqn if rule is None else rule(eqn, uniform))
    return ClosedJaxpr(jaxpr.replace(eqns=eqns), closed.consts)


def _starts(eqn: JaxprEqn, atoms, sizes) -> list[int] | None:
    """The numbers where a window starts, moved into the array."""
    if any(type(a) is not Literal for a in atoms):
        return None
    shape = eqn.invars[0].aval.shape
    return [min(max(int(a.val), 0), n - m) for a, n, m in zip(atoms, shape, sizes)]


def _dynamic_slice(eqn: JaxprEqn, uniform) -> JaxprEqn:
    sizes = eqn.params["slice_sizes"]
    starts = _starts(eqn, eqn.invars[1:], sizes)
    if starts is None:
        return eqn
    stops = tuple(a + n for a, n in zip(starts, sizes))
    params: dict[str, Any] = {"start_indices": tuple(starts), "limit_indices": stops}
    params["strides"] = None
    return eqn.replace(
        invars=eqn.invars[:1], primitive=registry["slice"], params=params
    )


def _dynamic_update_slice(eqn: JaxprEqn, uniform) -> JaxprEqn:
    operand, update, *atoms = eqn.invars
    value = uniform.get(operand) if type(operand) is Var else None
    starts = _starts(eqn, atoms, update.aval.shape)
    if starts is None or value is None or type(update) is Literal:
        return eqn
    shapes = zip(starts, operand.aval.shape, update.aval.shape)
    config = tuple((a, n - m - a, 0) for a, n, m in shapes)
    return eqn.replace(
        invars=[update, value],
        primitive=registry["pad"],
        params={"padding_config": config},
    )


def _with_numbers(closed: ClosedJaxpr, atoms) -> tuple[ClosedJaxpr, list[Atom]]:
    """The jaxpr with its leading inputs that are numbers written in; and the others."""
    numbers = [type(a) is Literal for a in atoms]
    if not any(numbers):
        return closed, list(atoms)
    jaxpr = closed.jaxpr
    sub = Substitution()
    for v, atom, is_number in zip(jaxpr.invars, atoms, numbers):
        if is_number:
            sub.env[v] = Literal(atom.val, v.aval)
    invars = [v for v, n in zip(jaxpr.invars, numbers) if not n]
    invars += jaxpr.invars[len(atoms) :]
    eqns = [e.replace(invars=sub.atoms(e.invars)) for e in jaxpr.eqns]
    jaxpr = jaxpr.replace(invars=invars, eqns=eqns, outvars=sub.atoms(jaxpr.outvars))
    left = [a for a, n in zip(atoms, numbers) if not n]
    return ClosedJaxpr(jaxpr, closed.consts), left


def _scan(eqn: JaxprEqn, uniform) -> JaxprEqn:
    n = eqn.params["num_consts"]
    body, left = _with_numbers(eqn.params["jaxpr"], eqn.invars[:n])
    if len(left) == n:
        return eqn
    params = {**eqn.params, "jaxpr": body, "num_consts": len(left)}
    return eqn.replace(invars=[*left, *eqn.invars[n:]], params=params)


def _while(eqn: JaxprEqn, uniform) -> JaxprEqn:
    n, m = eqn.params["cond_nconsts"], eqn.params["body_nconsts"]
    cond, of_cond = _with_numbers(eqn.params["cond_jaxpr"], eqn.invars[:n])
    body, of_body = _with_numbers(eqn.params["body_jaxpr"], eqn.invars[n : n + m])
    if len(of_cond) + len(of_body) == n + m:
        return eqn
    params = {"cond_nconsts": len(of_cond), "body_nconsts": len(of_body)}
    params |= {"cond_jaxpr": cond, "body_jaxpr": body}
    return eqn.replace(
        invars=[*of_cond, *of_body, *eqn.invars[n + m :]],
        params={**eqn.params, **params},
    )


_RULES = {
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    "scan": _scan,
    "while": _while,
}
