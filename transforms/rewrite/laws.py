"""Algebraic laws of elementwise equations, as data: a pattern and what it equals.

b = neg a; c = neg b; d = mul c -1.0        -->    d = neg a

A pattern is (primitive, operands...): a letter stands for any operand (the same letter
for the same one), a number for a literal of that value, a tuple for an equation. Every
law holds to the bit, for NaN, infinities and signed zeros too; so x + 0, x * 0 and
x - x are not here. A law with kinds holds for operands of these dtype kinds only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import Atom, ClosedJaxpr, JaxprEqn, Literal, Var
from jaxlike.core.primitive import registry
from jaxlike.transforms.rewrite.substitute import Substitution

Pattern = Any


class Law(NamedTuple):
    pattern: Pattern
    result: Pattern
    kinds: str = "biufc"


LAWS = [
    # an involution twice is nothing
    Law(("neg", ("neg", "x")), "x", "iufc"),
    Law(("not", ("not", "x")), "x", "biu"),
    Law(("conj", ("conj", "x")), "x", "c"),
    # signs move into sums, and out of products and even functions
    Law(("add", "x", ("neg", "y")), ("sub", "x", "y"), "iufc"),
    Law(("add", ("neg", "x"), "y"), ("sub", "y", "x"), "iufc"),
    Law(("add_any", "x", ("neg", "y")), ("sub", "x", "y"), "iufc"),
    Law(("add_any", ("neg", "x"), "y"), ("sub", "y", "x"), "iufc"),
    Law(("sub", "x", ("neg", "y")), ("add", "x", "y"), "iufc"),
    Law(("mul", ("neg", "x"), ("neg", "y")), ("mul", "x", "y"), "iuf"),
    Law(("abs", ("neg", "x")), ("abs", "x"), "ifc"),
    Law(("cos", ("neg", "x")), ("cos", "x"), "f"),
    Law(("cosh", ("neg", "x")), ("cosh", "x"), "f"),
    Law(("square", ("neg", "x")), ("square", "x"), "iuf"),
    # times -1 is the sign bit alone; integers wrap alike
    Law(("mul", "x", -1), ("neg", "x"), "if"),
    Law(("mul", -1, "x"), ("neg", "x"), "if"),
    Law(("div", "x", -1), ("neg", "x"), "if"),
    # small powers, which are rounded once either way
    Law(("pow", "x", 1), "x", "f"),
    Law(("pow", "x", 2), ("square", "x"), "f"),
    Law(("pow", "x", -1), ("div", 1, "x"), "f"),
    # equal operands
    Law(("max", "x", "x"), "x"),
    Law(("min", "x", "x"), "x"),
    Law(("and", "x", "x"), "x", "biu"),
    Law(("or", "x", "x"), "x", "biu"),
    Law(("abs", ("abs", "x")), ("abs", "x"), "f"),
    # choices that are known, or say the same
    Law(("select_n", "p", "x", "x"), "x"),
    Law(("select_n", False, "x", "y"), "x"),
    Law(("select_n", True, "x", "y"), "y"),
    Law(("select_n", ("not", "p"), "x", "y"), ("select_n", "p", "y", "x")),
    # parts of a complex number that was just put together
    Law(("real", ("complex", "x", "y")), "x", "f"),
    Law(("imag", ("complex", "x", "y")), "y", "f"),
]

_BY_NAME: dict[str, list[Law]] = {}
for _law in LAWS:
    _BY_NAME.setdefault(_law.pattern[0], []).append(_law)


def apply_laws(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same jaxpr with every equation that a law fits rewritten, in one sweep."""
    jaxpr = closed.jaxpr
    sub = Substitution()
    defs: dict[Var, JaxprEqn] = {}
    eqns, changed = [], False
    for eqn in jaxpr.eqns:
        invars = sub.atoms(eqn.invars)
        if any(a is not b for a, b in zip(invars, eqn.invars)):
            eqn = eqn.replace(invars=invars)
        while True:
            new = _rewritten(eqn, defs)
            if not isinstance(new, JaxprEqn):
                break
            eqn, changed = new, True
        if new is not None:
            sub.env[eqn.outvars[0]] = new
            changed = True
            continue
        eqns.append(eqn)
        if len(eqn.outvars) == 1:
            defs[eqn.outvars[0]] = eqn
    if not changed:
        return closed
    outvars = sub.atoms(jaxpr.outvars)
    return ClosedJaxpr(jaxpr.replace(eqns=eqns, outvars=outvars), closed.consts)


def _rewritten(eqn: JaxprEqn, defs: dict[Var, JaxprEqn]) -> JaxprEqn | Atom | None:
    """What an equation is by the first law that fits: another, an atom, or None."""
    for law in _BY_NAME.get(eqn.primitive.name, ()):
        bound: dict[str, Atom] = {}
        if not _matches(law.pattern, eqn, defs, bound):
            continue
        new = _build(law, eqn, bound)
        if new is not None:
            return new
    return _reciprocal(eqn) if eqn.primitive.name == "div" else None


def _matches(pattern, eqn: JaxprEqn, defs, bound: dict[str, Atom]) -> bool:
    name, *operands = pattern
    if eqn.primitive.name != name or len(operands) != len(eqn.invars):
        return False
    return all(_fits(p, a, defs, bound) for p, a in zip(operands, eqn.invars))


def _fits(pattern, atom: Atom, defs, bound: dict[str, Atom]) -> bool:
    if isinstance(pattern, str):
        known = bound.setdefault(pattern, atom)
        if known is atom:
            return True
        same = type(known) is type(atom) is Literal and known.aval == atom.aval
        return same and repr(known.val) == repr(atom.val)
    if isinstance(pattern, tuple):
        eqn = defs.get(atom) if type(atom) is not Literal else None
        return eqn is not None and _matches(pattern, eqn, defs, bound)
    if type(atom) is not Literal or isinstance(pattern, bool) != (
        atom.aval.dtype == np.bool_
    ):
        return False
    return bool(atom.val == pattern)


def _build(law: Law, eqn: JaxprEqn, bound: dict[str, Atom]) -> JaxprEqn | Atom | None:
    (out,) = eqn.outvars
    operands = [a for v, a in bound.items() if v != "p"]
    for atom in operands:
        dtype = atom.aval.dtype
        if not isinstance(dtype, np.dtype) or _kind(dtype) not in law.kinds:
            return None
    if isinstance(law.result, str):
        atom = bound[law.result]
        same = atom.aval.shape == out.aval.shape and atom.aval.dtype == out.aval.dtype
        return atom if same else None
    name, *places = law.result
    dtype = operands[0].aval.dtype
    invars = [
        bound[p] if isinstance(p, str) else Literal(dtype.type(p), _scalar(dtype))
        for p in places
    ]
    # stretched operands may have held the shape of the result
    if not any(a.aval.shape == out.aval.shape for a in invars):
        return None
    params = eqn.params if name == eqn.primitive.name else {}
    return JaxprEqn(invars, [out], registry[name], params, source_info=eqn.source_info)


def _scalar(dtype: np.dtype) -> ShapedArray:
    return ShapedArray((), dtype)


def _kind(dtype: np.dtype) -> str:
    # bfloat16 and its kin are of NumPy's kind "V"
    return "f" if dtype.kind == "V" else dtype.kind


def _reciprocal(eqn: JaxprEqn) -> JaxprEqn | None:
    """x / c = x * (1 / c), exactly, for a power of two whose inverse is normal."""
    x, y = eqn.invars
    if type(y) is not Literal or type(x) is Literal or y.aval.dtype.kind != "f":
        return None
    value = np.float64(y.val)
    mantissa, exponent = np.frexp(abs(value))
    if mantissa != 0.5 or abs(exponent) > np.finfo(y.aval.dtype).maxexp - 3:
        return None
    inverse = Literal(y.aval.dtype.type(1 / value), y.aval)
    return JaxprEqn(
        [x, inverse], eqn.outvars, registry["mul"], {}, source_info=eqn.source_info
    )
