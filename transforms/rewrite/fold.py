"""Constant folding: what depends on literals alone is computed when compiling.

b:f32[] = sqrt 2.0; c = mul a b             -->    c = mul a 1.4142135:f32[]

Scalars become literals. Arrays become constants where that saves a library call (a
sort, a product, random bits of a known key); chains that kernels compute as they go
(iota, comparisons, masks) are left to them, since memory is dearer than arithmetic.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxlike.core.dtypes import storage_dtype
from jaxlike.core.jaxpr import (
    Atom,
    ClosedJaxpr,
    JaxprEqn,
    Literal,
    Var,
    jaxprs_in_params,
    literal_buffer,
)
from jaxlike.transforms.rewrite.dce import dce
from jaxlike.transforms.rewrite.substitute import Substitution

MAX_ELEMENTS = 1 << 16
"""Of any array on the way: a larger one is cheaper to make than to keep."""

_KEPT = frozenset(("optimization_barrier", "create_token"))
_FREE = frozenset(
    ("iota", "broadcast_in_dim", "reshape", "transpose", "squeeze", "rev", "slice")
    + ("expand_dims", "copy", "select_n", "convert_element_type", "pad", "concatenate")
)
"""Equations that kernels look through, or hold at next to no cost."""


class _Known(NamedTuple):
    """How a variable's value can be computed. `dear`: takes more than a kernel does."""

    eqn: JaxprEqn
    dear: bool


def fold_constants(closed: ClosedJaxpr, *, arrays: bool = True) -> ClosedJaxpr:
    """The same jaxpr with equations on literals evaluated.

    arrays: whether results other than scalars may become constants of the jaxpr.
    """
    jaxpr = closed.jaxpr
    folding = _Folding()
    sub = Substitution()
    constvars, consts = list(jaxpr.constvars), list(closed.consts)
    eqns, changed = [], False

    def constant(atom: Atom) -> Atom:
        if type(atom) is Literal or atom in sub.env:
            return sub.atom(atom)
        known = folding.known.get(atom)
        if known is None or not isinstance(atom.aval.dtype, np.dtype):  # a key
            return atom
        if atom.aval.shape == ():
            value = folding.value(atom)
            sub.env[atom] = Literal(value[()], atom.aval)
        elif arrays and known.dear:
            var = sub.env[atom] = Var(atom.aval)
            constvars.append(var)
            consts.append(np.ascontiguousarray(folding.value(atom)))
        return sub.atom(atom)

    for eqn in jaxpr.eqns:
        if folding.learn(eqn):
            eqns.append(eqn)  # dead, unless an array that is not worth keeping
            continue
        invars = [constant(v) for v in eqn.invars]
        if any(a is not b for a, b in zip(invars, eqn.invars)):
            eqn, changed = eqn.replace(invars=invars), True
        eqns.append(eqn)
    outvars = [constant(v) for v in jaxpr.outvars]
    changed = changed or any(a is not b for a, b in zip(outvars, jaxpr.outvars))
    if not changed:
        return closed
    new = jaxpr.replace(constvars=constvars, eqns=eqns, outvars=outvars)
    return dce(ClosedJaxpr(new, consts))


class _Folding:
    def __init__(self) -> None:
        self.known: dict[Var, _Known] = {}
        self._values: dict[Var, np.ndarray] = {}

    def learn(self, eqn: JaxprEqn) -> bool:
        """Whether the equation's results are constants."""
        if eqn.effects or eqn.primitive.evaluate is None:
            return False
        if eqn.primitive.name in _KEPT or any(
            type(v) is not Literal and v not in self.known for v in eqn.invars
        ):
            return False
        if any(v.aval.size > MAX_ELEMENTS for v in (*eqn.invars, *eqn.outvars)):
            return False
        if any(True for _ in jaxprs_in_params(eqn.params)):
            return False
        dear = _dear(eqn) or any(
            self.known[v].dear for v in eqn.invars if type(v) is not Literal
        )
        for v in eqn.outvars:
            self.known[v] = _Known(eqn, dear)
        return True

    def value(self, atom: Atom) -> np.ndarray:
        if type(atom) is Literal:
            return literal_buffer(atom)
        if atom not in self._values:
            eqn = self.known[atom].eqn
            args = [self.value(v) for v in eqn.invars]
            with np.errstate(all="ignore"):
                outs = eqn.primitive.evaluate(*args, **eqn.params)
            if not eqn.primitive.multiple_results:
                outs = (outs,)
            for v, out in zip(eqn.outvars, outs, strict=True):
                self._values[v] = np.asarray(out, storage_dtype(v.aval.dtype))
        return self._values[atom]


def _dear(eqn: JaxprEqn) -> bool:
    if eqn.primitive.name in _FREE:
        return False
    if eqn.primitive.name.startswith("random_"):
        return True
    # elementwise: a kernel computes it where it is read
    shapes = {v.aval.shape for v in (*eqn.invars, *eqn.outvars)} - {()}
    return len(shapes) > 1 or eqn.primitive.multiple_results
