"""RunList: a sequence of kernels over arrays, run in one native call.

    run = RunList(
        steps=[(compiled, (slot, slot, ...)), ...],
        arrays=3,                      # slots 0, 1, 2: the call's ndarrays
        views=[(2, 0), (2, 4096)],     # slots 3, 4: array 2 plus a byte offset
        constants=[w],                 # slot 5: an array that the list keeps
    )
    run(x, y, arena)

Slots number memory: first the arrays of a call, then `views` (typically temporaries in
an arena, at offsets of the memory plan), then constants. A call reads the arrays' data
pointers itself, so it takes plain ndarrays (contiguous, of the planned dtype and size;
that is the caller's duty) and nothing else. Re-entrant: all of a call's state is on its
stack.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxlike.backends.numba.engine import RELEASE_NS, CompiledKernel, get_runtime
from jaxlike.backends.numba.runtime import ABSOLUTE, SCRATCH, Layout, Step


class RunList:
    """See the module's head. Calling it costs about 0.1 us plus 5 ns a slot.

    Args:
      steps: (kernel, slot of each of its arguments) in order of execution.
      arrays: number of ndarrays a call passes.
      views: (slot, byte offset) each.
      constants: ndarrays that belong to the program.
      release_gil: let other Python threads run meanwhile; by default where it pays.
    """

    def __init__(
        self,
        steps: Sequence[tuple[CompiledKernel, Sequence[int]]],
        arrays: int,
        views: Sequence[tuple[int, int]] = (),
        constants: Sequence[np.ndarray] = (),
        release_gil: bool | None = None,
    ):
        slots = arrays + len(views) + len(constants)
        self.kernels = [k for k, _ in steps]
        self.constants = list(constants)
        if any(not 0 <= slot < arrays + i for i, (slot, _) in enumerate(views)):
            raise ValueError("a view of a slot that comes after it")
        rest = [*views, *((ABSOLUTE, c.ctypes.data) for c in self.constants)]
        scratch: dict[int, int] = {}  # byte offset -> slot
        native: list[Step] = []
        for k, args in steps:
            count = len(getattr(k.kernel, "arguments", args))
            if len(args) != count or not all(0 <= a < slots for a in args):
                raise ValueError(f"slots {args} for a kernel of {count} arguments")
            for offset in k.scratch:
                if offset not in scratch:
                    scratch[offset] = arrays + len(rest)
                    rest.append((SCRATCH, offset))
            full = [*args, *(scratch[offset] for offset in k.scratch)]
            native += [Step(address, full, n, chunk) for address, n, chunk in k.stages]
        self.steps = len(native)
        if release_gil is None:
            release_gil = sum(k.ns for k in self.kernels) > RELEASE_NS
            release_gil |= any(k.releases for k in self.kernels)
        most = max((k.scratch_bytes for k in self.kernels), default=0)
        self._layout = Layout(native, arrays, rest, most, release_gil)
        keep = self.kernels, self.constants
        self._call = get_runtime().program_caller(self._layout, keep)

    def __call__(self, *arrays: np.ndarray) -> None:
        """Run all steps on these arrays."""
        self._call(*arrays)

    @property
    def native(self):
        """The builtin behind a call: 60 ns less; keeps alive all that it needs."""
        return self._call
