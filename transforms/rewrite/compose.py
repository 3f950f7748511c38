"""Compose: two layout changes or conversions in a row become one.

transpose[p] (transpose[q] x)             -->  transpose[q o p] x
reshape (reshape x)                       -->  reshape x
broadcast[b] (broadcast[a] x)             -->  broadcast[b o a] x
rev[b] (rev[a] x)                         -->  rev[a xor b] x
convert (convert x)                       -->  convert x, where the first loses nothing
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from jaxlike.core.jaxpr import ClosedJaxpr, JaxprEqn, Literal, Var

Params = dict[str, Any]


def compose(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same jaxpr with neighbouring equations of this file's kinds merged."""
    jaxpr = closed.jaxpr
    defs: dict[Var, JaxprEqn] = {}
    eqns, changed = [], False
    for eqn in jaxpr.eqns:
        rule = _RULES.get(eqn.primitive.name)
        if rule is not None:
            before = defs.get(eqn.invars[0]) if len(eqn.invars) == 1 else None
            if before is not None and before.primitive is eqn.primitive:
                params = rule(before, eqn)
                if params is not None:
                    eqn = eqn.replace(invars=before.invars, params=params)
                    changed = True
            if type(eqn.invars[0]) is not Literal and len(eqn.invars) == 1:
                defs[eqn.outvars[0]] = eqn
        eqns.append(eqn)
    return ClosedJaxpr(jaxpr.replace(eqns=eqns), closed.consts) if changed else closed


def _transpose(first: JaxprEqn, second: JaxprEqn) -> Params:
    inner = first.params["permutation"]
    order = tuple(inner[d] for d in second.params["permutation"])
    return second.params | {"permutation": order}


def _reshape(first: JaxprEqn, second: JaxprEqn) -> Params | None:
    plain = first.params["dimensions"] is second.params["dimensions"] is None
    return second.params if plain else None


def _broadcast(first: JaxprEqn, second: JaxprEqn) -> Params:
    outer = second.params["broadcast_dimensions"]
    dims = tuple(outer[d] for d in first.params["broadcast_dimensions"])
    return second.params | {"broadcast_dimensions": dims}


def _rev(first: JaxprEqn, second: JaxprEqn) -> Params:
    axes = {*first.params["dimensions"]} ^ {*second.params["dimensions"]}
    return second.params | {"dimensions": tuple(sorted(axes))}


def _convert(first: JaxprEqn, second: JaxprEqn) -> Params | None:
    source, middle = first.invars[0].aval.dtype, first.outvars[0].aval.dtype
    return second.params if _holds(middle, source) else None


def _holds(wide, narrow) -> bool:
    """Whether every value of a dtype is one of the other, of the same kind."""
    if not (isinstance(wide, np.dtype) and isinstance(narrow, np.dtype)):
        return False
    if narrow == np.bool_:
        return wide.kind in "iuf"
    if wide.kind in "iu":
        return wide.kind == narrow.kind and wide.itemsize >= narrow.itemsize
    if wide.kind != "f" or narrow.kind not in "fV" or narrow.itemsize < 2:
        return False
    a, b = ml_dtypes.finfo(wide), ml_dtypes.finfo(narrow)
    return a.nmant >= b.nmant and a.maxexp >= b.maxexp and a.minexp <= b.minexp


_RULES: dict[str, Callable[[JaxprEqn, JaxprEqn], Params | None]] = {
    "transpose": _transpose,
    "reshape": _reshape,
    "broadcast_in_dim": _broadcast,
    "rev": _rev,
    "convert_element_type": _convert,
}
