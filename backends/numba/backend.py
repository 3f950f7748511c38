"""The CPU backend: what jit compiles with by default."""

from __future__ import annotations

from collections.abc import Sequence

from jaxlike.backends.numba.keys import KeyProgram, program_of
from jaxlike.backends.numba.program import Program
from jaxlike.core.jaxpr import ClosedJaxpr


class NumbaBackend:
    """Compiles jaxprs to programs of native kernels and library calls."""

    name = "numba"
    platform = "cpu"

    def compile(
        self, closed: ClosedJaxpr, *, donated: Sequence[bool] = (), name: str = "jit"
    ) -> Program | KeyProgram:
        return program_of(closed, name, donated)
