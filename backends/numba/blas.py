"""How many threads NumPy's BLAS takes, call by call.

OpenBLAS wakes its threads for products of a few microseconds, and they spin against
our own pool. It has a thread-local setting (since 0.3.27): small products run on one
thread, and the user's own calls of NumPy are left alone. Where NumPy has another BLAS,
nothing is changed.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np

from jaxlike.core.jaxpr import JaxprEqn

SMALL_FLOPS = 2e7
"""Products below this run on one thread: about a third of a millisecond."""

_NAMES = (
    "scipy_openblas_set_num_threads_local64_",
    "scipy_openblas_set_num_threads_local",
    "openblas_set_num_threads_local64_",
    "openblas_set_num_threads_local",
)


@lru_cache(1)
def thread_setter() -> Callable[[int], int] | None:
    """set(n) -> the count before, for this thread's calls; None where there is none."""
    folders = [Path(np.__file__).parent.parent / "numpy.libs"]
    folders.append(Path(np.__file__).parent / ".dylibs")
    for folder in folders:
        for path in sorted(folder.glob("*openblas*")):
            try:
                library = ctypes.CDLL(str(path))
            except OSError:
                continue
            for name in _NAMES:
                function = getattr(library, name, None)
                if function is not None:
                    function.argtypes, function.restype = [ctypes.c_int], ctypes.c_int
                    return function
    return None


def setter_for(calls: Iterable[JaxprEqn]) -> Callable[[int], int] | None:
    """thread_setter() for a program whose products are all small, else None."""
    flops = [_flops(eqn) for eqn in calls]
    if not any(flops) or max(flops) > SMALL_FLOPS:
        return None
    return thread_setter()


def _flops(eqn: JaxprEqn) -> float:
    if eqn.primitive.name == "dot_general":
        (contract, _), _ = eqn.params["dimension_numbers"]
        lhs = eqn.invars[0].aval
        return (
            2.0 * eqn.outvars[0].aval.size * math.prod(lhs.shape[d] for d in contract)
        )
    if eqn.primitive.name == "conv_general_dilated":
        kernel = eqn.invars[1].aval
        outputs = eqn.params["dimension_numbers"].rhs_spec[0]
        return 2.0 * eqn.outvars[0].aval.size * kernel.size / kernel.shape[outputs]
    return 0.0
