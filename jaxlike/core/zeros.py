"""Placeholders of differentiation: symbolic zeros and undefined primals.

A Zero is a tangent or cotangent known to be zero, so that no rule works on it; an
UndefinedPrimal stands for a linear input while a transpose rule runs.
"""

from __future__ import annotations

from typing import Any

from jaxlike.core.avals import ShapedArray, get_aval


class Zero:
    """A tangent or cotangent that is zero everywhere; `aval` is its type."""

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray):
        self.aval = aval

    def __repr__(self) -> str:
        return f"Zero({self.aval})"

    @staticmethod
    def from_primal_value(value: Any) -> Zero:
        return Zero(get_aval(value).to_tangent_aval())


class UndefinedPrimal:
    """A linear input of an equation that is being transposed."""

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray):
        self.aval = aval

    def __repr__(self) -> str:
        return f"UndefinedPrimal({self.aval})"


def is_undefined_primal(x: Any) -> bool:
    return type(x) is UndefinedPrimal
