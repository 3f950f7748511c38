"""The reference backend: the oracle that compiled programs are tested against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxlike.core.jaxpr import ClosedJaxpr, evaluate_jaxpr


class ReferenceExecutable:
    """Runs a jaxpr by each primitive's NumPy evaluation."""

    __slots__ = ("closed",)

    def __init__(self, closed: ClosedJaxpr):
        self.closed = closed

    def __call__(self, buffers: list[np.ndarray]) -> list[np.ndarray]:
        return evaluate_jaxpr(self.closed.jaxpr, self.closed.consts, *buffers)

    def as_text(self) -> str:
        return str(self.closed)


class ReferenceBackend:
    """Interprets; compiles nothing."""

    name = "reference"
    platform = "cpu"

    def compile(
        self, closed: ClosedJaxpr, *, donated: Sequence[bool] = (), name: str = ""
    ) -> ReferenceExecutable:
        return ReferenceExecutable(closed)
