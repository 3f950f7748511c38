"""The reference backend: the oracle that compiled programs are tested against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jaxlike.core.jaxpr import ClosedJaxpr, evaluate_jaxpr

if TYPE_CHECKING:
    from jaxlike.backends.plan.report import Plan


class ReferenceExecutable:
    """Runs a jaxpr by each primitive's NumPy evaluation."""

    __slots__ = ("closed",)

    def __init__(self, closed: ClosedJaxpr):
        self.closed = closed

    def __call__(self, buffers: list[np.ndarray]) -> list[np.ndarray]:
        return evaluate_jaxpr(self.closed.jaxpr, self.closed.consts, *buffers)

    def as_text(self, dialect: str | None = None) -> str:
        return str(self.closed)

    def plan(self) -> Plan:
        """Its steps: every equation is a call."""
        from jaxlike.backends.plan.report import Plan, step_of

        return Plan("reference", tuple(map(step_of, self.closed.eqns)), 0)


class ReferenceBackend:
    """Interprets; compiles nothing."""

    name = "reference"
    platform = "cpu"

    def compile(
        self, closed: ClosedJaxpr, *, donated: Sequence[bool] = (), name: str = ""
    ) -> ReferenceExecutable:
        return ReferenceExecutable(closed)
