"""Effects: what an equation does besides computing its outputs.

Equations with effects are never removed or merged. Ordered effects also keep their
order; programs run every effectful equation in the order of the jaxpr.
"""

from __future__ import annotations


class Effect:
    """One kind of side effect; instances are compared by identity."""

    __slots__ = ("name",)

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return self.name


class DebugEffect(Effect):
    """The effect of jaxlike.debug.print and debug.callback."""

    __slots__ = ()


class OrderedDebugEffect(DebugEffect):
    """The same with ordered=True."""

    __slots__ = ()


debug_effect = DebugEffect("Debug")
ordered_debug_effect = OrderedDebugEffect("OrderedDebug")
io_effect = Effect("IO")
ordered_io_effect = Effect("OrderedIO")
ordered_effects = frozenset({ordered_debug_effect, ordered_io_effect})
