"""stack and unstack as concatenate and slices, which later passes know.

c = stack[axis=0] a b    -->  d = broadcast_in_dim a    c = concatenate[dimension=0] d e
a b = unstack[axis=0] c  -->  d = slice c    a = squeeze d    and so on
"""

from __future__ import annotations

from collections.abc import Iterator

from jaxlike.core.jaxpr import ClosedJaxpr, JaxprEqn, Var
from jaxlike.core.primitive import registry


def expand_joins(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same jaxpr without stack and unstack."""
    jaxpr = closed.jaxpr
    if not any(eqn.primitive.name in _EXPANSIONS for eqn in jaxpr.eqns):
        return closed
    eqns: list[JaxprEqn] = []
    for eqn in jaxpr.eqns:
        expand = _EXPANSIONS.get(eqn.primitive.name)
        eqns += [eqn] if expand is None else expand(eqn)
    return ClosedJaxpr(jaxpr.replace(eqns=eqns), closed.consts)


def _stack(eqn: JaxprEqn) -> Iterator[JaxprEqn]:
    axis, (out,) = eqn.params["axis"], eqn.outvars
    shape = tuple(1 if d == axis else n for d, n in enumerate(out.aval.shape))
    dims = tuple(d for d in range(len(shape)) if d != axis)
    pieces = []
    for x in eqn.invars:
        pieces.append(Var(out.aval.update(shape=shape)))
        params = {"shape": shape, "broadcast_dimensions": dims}
        yield _equation(eqn, "broadcast_in_dim", [x], [pieces[-1]], params)
    yield _equation(eqn, "concatenate", pieces, [out], {"dimension": axis})


def _unstack(eqn: JaxprEqn) -> Iterator[JaxprEqn]:
    axis, (x,) = eqn.params["axis"], eqn.invars
    shape = x.aval.shape
    for i, out in enumerate(eqn.outvars):
        starts = tuple(i if d == axis else 0 for d in range(len(shape)))
        stops = tuple(i + 1 if d == axis else n for d, n in enumerate(shape))
        params = {"start_indices": starts, "limit_indices": stops, "strides": None}
        piece = Var(x.aval.update(shape=tuple(b - a for a, b in zip(starts, stops))))
        yield _equation(eqn, "slice", [x], [piece], params)
        yield _equation(eqn, "squeeze", [piece], [out], {"dimensions": (axis,)})


def _equation(eqn: JaxprEqn, name: str, invars, outvars, params) -> JaxprEqn:
    return JaxprEqn(
        invars, outvars, registry[name], params, source_info=eqn.source_info
    )


_EXPANSIONS = {"stack": _stack, "unstack": _unstack}
