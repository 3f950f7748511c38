"""Equations that are no fused loop nest, but kernels of their own, by primitive."""

from __future__ import annotations

from collections.abc import Callable

from jaxlike.backends.plan.access import Resolver
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.products import lower_product
from jaxlike.core.jaxpr import JaxprEqn

Lower = Callable[[JaxprEqn, Resolver], list[Lowered] | None]


def lower_library(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """The kernels that run an equation; None if it is to be called."""
    lower = LOWERINGS.get(eqn.primitive.name)
    return lower(eqn, resolver) if lower is not None else None


LOWERINGS: dict[str, Lower] = {
    "dot_general": lower_product,
    "conv_general_dilated": lower_product,
}
