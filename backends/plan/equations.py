"""The kernels of any equation that is not fused with others: loops, and the library."""

from __future__ import annotations

from jaxlike.backends.plan.access import Resolver
from jaxlike.backends.plan.library import lower_library
from jaxlike.backends.plan.loops import LOOPS, lower_loop
from jaxlike.backends.plan.loops_inline import Unsupported
from jaxlike.backends.plan.loops_lanes import lower_lanes
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.core.jaxpr import JaxprEqn


def lower_equation(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """The kernels that run an equation; None if it is a call."""
    if eqn.primitive.name not in LOOPS:
        return lower_library(eqn, resolver)
    if eqn.effects:
        return None
    for lower in (lower_lanes, lower_loop):
        try:
            return [lower(eqn, resolver)]
        except Unsupported:
            pass
    return None
