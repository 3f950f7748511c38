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

import ctypes
from collections.abc import Sequence

import numpy as np

from jaxlike.backends.numba.engine import RELEASE_NS, CompiledKernel, get_runtime

_STEP = 5


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
        self.steps = len(self.kernels)
        arguments = [tuple(args) for _, args in steps]
        for k, args in zip(self.kernels, arguments):
            count = len(getattr(k.kernel, "arguments", args))
            if len(args) != count or not all(0 <= a < slots for a in args):
                raise ValueError(f"slots {args} for a kernel of {count} arguments")
        if any(not 0 <= slot < arrays + i for i, (slot, _) in enumerate(views)):
            raise ValueError("a view of a slot that comes after it")
        flat = np.array([a for args in arguments for a in args], np.int64)
        table = np.zeros((self.steps, _STEP), np.int64)
        at = flat.ctypes.data
        for row, k, args in zip(table, self.kernels, arguments):
            row[:] = (k.address, len(args), at, k.extent, k.chunk)
            at += 8 * len(args)
        inits = [*views, *((-1, c.ctypes.data) for c in self.constants)]
        starts = np.array(inits, np.int64).reshape(-1, 2)
        if release_gil is None:
            release_gil = sum(k.ns for k in self.kernels) > RELEASE_NS
        most = max((len(a) for a in arguments), default=0)
        pointer = ctypes.sizeof(ctypes.c_void_p)
        header = object.__basicsize__
        self._program = np.array(
            [
                self.steps,
                table.ctypes.data,
                slots,
                arrays,
                max(1, most),
                bool(release_gil),
                starts.ctypes.data,
                id(np.ndarray),
                header - pointer,  # the type is the header's last word,
                header,  # and the data pointer ndarray's first field
            ],
            np.int64,
        )
        self._keep = (flat, table, starts)
        self._call = get_runtime().program_caller(self._program.ctypes.data)

    def __call__(self, *arrays: np.ndarray) -> None:
        """Run all steps on these arrays."""
        self._call(*arrays)

    @property
    def native(self):
        """The builtin function behind a call, to bind in a hot loop."""
        return self._call
