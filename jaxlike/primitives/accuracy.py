"""Hints of how precise an approximation must be: Tolerance and AccuracyMode."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from jaxlike.core.errors import format_error

__all__ = ["AccuracyMode", "Tolerance"]


class AccuracyMode(enum.Enum):
    """How precise a transcendental function is to be computed: HIGHEST or DEFAULT."""

    HIGHEST = 1
    DEFAULT = 2


@dataclass(frozen=True)
class Tolerance:
    """The largest error that an approximation may have.

    atol: absolute; rtol: relative; ulps: in units of the last place. Raises ValueError
    if one is negative or none is set.

    >>> from jaxlike import lax
    >>> lax.exp(0.0, accuracy=lax.Tolerance(ulps=2)).item()
    1.0
    """

    atol: float = 0.0
    rtol: float = 0.0
    ulps: int = 0

    def __post_init__(self):
        values = self.atol, self.rtol, self.ulps
        if any(value < 0 for value in values):
            raise ValueError(format_error(f"a tolerance is never negative, got {self}"))
        if not any(values):
            raise ValueError(format_error("Tolerance needs one of atol, rtol and ulps"))
