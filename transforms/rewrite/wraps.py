"""Indices that are never negative are not wrapped around.

b = lt a 0; c = add a 8; d = select_n b a c    -->    d = a

where a is an iota, where argmax found something, how argsort would sort; or one of
those in another layout or integer dtype, clamped, or scaled by literals.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jaxlike.core.jaxpr import Atom, ClosedJaxpr, JaxprEqn, Literal, Var
from jaxlike.transforms.rewrite.substitute import Substitution


def drop_wraps(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same jaxpr without wraps of indices that are never negative."""
    jaxpr = closed.jaxpr
    if not any(eqn.primitive.name == "select_n" for eqn in jaxpr.eqns):
        return closed
    sub, highs = Substitution(), _Highs()
    defs: dict[Var, JaxprEqn] = {}
    eqns: list[JaxprEqn] = []
    for eqn in jaxpr.eqns:
        invars = sub.atoms(eqn.invars)
        if any(a is not b for a, b in zip(invars, eqn.invars)):
            eqn = eqn.replace(invars=invars)
        kept = _unwrapped(eqn, defs, highs)
        if kept is not None:
            sub.env[eqn.outvars[0]] = kept
            continue
        highs.learn(eqn)
        defs.update((v, eqn) for v in eqn.outvars)
        eqns.append(eqn)
    if not sub.env:
        return closed
    outvars = sub.atoms(jaxpr.outvars)
    return ClosedJaxpr(jaxpr.replace(eqns=eqns, outvars=outvars), closed.consts)


def _unwrapped(eqn: JaxprEqn, defs, highs: _Highs) -> Var | None:
    """What a select that wraps an index gives, if the index is never negative."""
    if eqn.primitive.name != "select_n" or len(eqn.invars) != 3:
        return None
    which, same, _ = eqn.invars
    test = defs.get(which) if type(which) is Var else None
    if test is None or test.primitive.name != "lt" or type(same) is not Var:
        return None
    x, zero = test.invars
    if x is not same or type(zero) is not Literal or zero.val != 0:
        return None
    if same.aval is not eqn.outvars[0].aval or highs.of(same) is None:
        return None
    return same


class _Highs:
    """The greatest value of integer variables that are never negative."""

    def __init__(self) -> None:
        self.known: dict[Var, int] = {}

    def of(self, atom: Atom) -> int | None:
        if type(atom) is Var:
            return self.known.get(atom)
        if np.ndim(atom.val) or atom.aval.dtype.kind not in "iu" or atom.val < 0:
            return None
        return int(atom.val)

    def learn(self, eqn: JaxprEqn) -> None:
        name = eqn.primitive.name
        if name == "sort":
            pairs = zip(eqn.invars, eqn.outvars)
            self.known.update(
                (v, high) for x, v in pairs if (high := self.of(x)) is not None
            )
            return
        rule = _RULES.get(name)
        if rule is None:
            return
        (out,) = eqn.outvars
        dtype = out.aval.dtype
        if not isinstance(dtype, np.dtype) or dtype.kind not in "iu":
            return
        high = rule(self, eqn)
        if high is not None and high <= np.iinfo(dtype).max:
            self.known[out] = high


def _same(highs: _Highs, eqn: JaxprEqn) -> int | None:
    return highs.of(eqn.invars[0])


def _all(combine: Callable[..., int]):
    def rule(highs: _Highs, eqn: JaxprEqn) -> int | None:
        values = [highs.of(v) for v in eqn.invars]
        return None if None in values else combine(*values)

    return rule


def _max(highs: _Highs, eqn: JaxprEqn) -> int | None:
    """One operand that is never negative is enough."""
    values = [highs.of(v) for v in eqn.invars]
    known = [v for v in values if v is not None]
    if not known:
        return None
    whole = np.iinfo(eqn.outvars[0].aval.dtype).max
    return max(known) if len(known) == len(values) else int(whole)


def _clamp(highs: _Highs, eqn: JaxprEqn) -> int | None:
    low, _, high = map(highs.of, eqn.invars)
    return None if low is None else high


def _position(highs: _Highs, eqn: JaxprEqn) -> int:
    (axis,) = eqn.params["axes"]
    return eqn.invars[0].aval.shape[axis] - 1


def _iota(highs: _Highs, eqn: JaxprEqn) -> int:
    (out,) = eqn.outvars
    return max(out.aval.shape[eqn.params["dimension"]] - 1, 0)


_LAYOUT = (
    ("broadcast_in_dim", "reshape", "squeeze", "expand_dims", "transpose", "rev")
    + ("slice", "dynamic_slice", "convert_element_type", "copy", "stop_gradient")
)  # fmt: skip
_RULES = {
    **dict.fromkeys(_LAYOUT, _same),
    **dict.fromkeys(("argmax", "argmin"), _position),
    "iota": _iota,
    "concatenate": _all(max),
    "add": _all(lambda x, y: x + y),
    "mul": _all(lambda x, y: x * y),
    "max": _max,
    "min": _all(min),
    "clamp": _clamp,
}
