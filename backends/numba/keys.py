"""Programs whose arguments or results are random keys: they run on the keys' words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.backends.numba.program import Program
from jaxlike.backends.plan.random_bits import is_fry, on_words
from jaxlike.core.jaxpr import ClosedJaxpr


def program_of(
    closed: ClosedJaxpr, name: str, donated: Sequence[bool] = ()
) -> Program | KeyProgram:
    """The jaxpr as a program."""
    keys = any(map(is_fry, (*closed.in_avals, *closed.out_avals)))
    make = KeyProgram if keys else Program
    return make(closed, name, donated=donated)


class KeyProgram:
    """A program on words, seen as one on keys."""

    def __init__(self, closed: ClosedJaxpr, name: str, donated: Sequence[bool] = ()):
        self.program = Program(on_words(closed), name, donated=donated)
        self._ins = [i for i, a in enumerate(closed.in_avals) if is_fry(a)]
        outs = enumerate(closed.out_avals)
        self._outs = [(i, a.shape, a.dtype.storage) for i, a in outs if is_fry(a)]

    def __call__(self, buffers: list[np.ndarray]) -> list[np.ndarray]:
        # in the list itself: a second one would be a second owner of what is donated
        for i in self._ins:
            buffers[i] = buffers[i][buffers[i].dtype.names[0]]
        outs = self.program(buffers)
        for i, shape, storage in self._outs:
            outs[i] = outs[i].view(storage).reshape(shape)
        return outs

    def __getattr__(self, name: str) -> Any:
        return getattr(self.program, name)
