"""Equations that are no fused loop nest, but kernels of their own, by primitive."""

from __future__ import annotations

from collections.abc import Callable

from jaxlike.backends.plan.access import Resolver
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.moves import lower_concatenate, lower_pad
from jaxlike.backends.plan.products import lower_product
from jaxlike.backends.plan.windows import (
    lower_reduce_window,
    lower_select_and_scatter_add,
)
from jaxlike.core.jaxpr import JaxprEqn

Lower = Callable[[JaxprEqn, Resolver], list[Lowered] | None]


def lower_library(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """The kernels that run an equation; None if it is to be called."""
    lower = LOWERINGS.get(eqn.primitive.name)
    return lower(eqn, resolver) if lower is not None else None


LOWERINGS: dict[str, Lower] = {
    "dot_general": lower_product,
    "conv_general_dilated": lower_product,
    "reduce_window_max": lower_reduce_window,
    "reduce_window_min": lower_reduce_window,
    "reduce_window_sum": lower_reduce_window,
    "select_and_scatter_add": lower_select_and_scatter_add,
    "concatenate": lower_concatenate,
    "pad": lower_pad,
}
