"""What a backend offers: it compiles a closed jaxpr into something that runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from jaxlike.core.jaxpr import ClosedJaxpr

if TYPE_CHECKING:
    from jaxlike.backends.plan.report import Plan


class Executable(Protocol):
    """A compiled jaxpr. Calls are re-entrant; outputs are never written to later."""

    def __call__(self, buffers: list[np.ndarray]) -> list[np.ndarray]:
        """Run on one buffer an input of the jaxpr; returns one an output."""
        ...

    def as_text(self, dialect: str | None = None) -> str:
        """The compiled form, for people to read; dialects are the backend's own."""
        ...

    def plan(self) -> Plan:
        """What its steps compute and move, for people."""
        ...


class Backend(Protocol):
    """One way to run jaxprs; registered by name in core.backend_registry."""

    name: str
    platform: str

    def compile(
        self, closed: ClosedJaxpr, *, donated: Sequence[bool], name: str
    ) -> Executable:
        """Compile a jaxpr.

        donated marks the inputs whose buffers the executable may overwrite if nothing
        else refers to them; name is for messages and profiles.
        """
        ...
