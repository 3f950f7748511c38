"""What every pass is held to: well-typed results of the same meaning."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import jaxlike
from jaxlike.core.array import to_buffer
from jaxlike.core.check import check_jaxpr
from jaxlike.core.jaxpr import ClosedJaxpr, evaluate_jaxpr

Pass = Callable[[ClosedJaxpr], ClosedJaxpr]


def trace(fun, *args) -> ClosedJaxpr:
    """The jaxpr of a function, constants as buffers."""
    closed = jaxlike.make_jaxpr(fun)(*args)
    return ClosedJaxpr(closed.jaxpr, [to_buffer(c) for c in closed.consts])


def run(closed: ClosedJaxpr, *args) -> list[np.ndarray]:
    return evaluate_jaxpr(closed.jaxpr, closed.consts, *args)


def names(closed: ClosedJaxpr) -> list[str]:
    """The primitives of a jaxpr, in order."""
    return [eqn.primitive.name for eqn in closed.eqns]


def rewritten(rewrite: Pass, fun, *args, exact: bool = True) -> ClosedJaxpr:
    """The pass on a function's jaxpr: checked, and compared on these arguments."""
    before = trace(fun, *args)
    after = rewrite(before)
    check_jaxpr(after)
    for got, want in zip(run(after, *args), run(before, *args), strict=True):
        assert got.dtype == want.dtype and got.shape == want.shape
        if want.dtype.kind == "V":  # bfloat16
            got, want = got.astype(np.float32), want.astype(np.float32)
        if exact:
            np.testing.assert_array_equal(got, want)
            if want.dtype.kind == "f":
                signs = np.signbit(got) == np.signbit(want)
                assert np.all(signs | np.isnan(want))
        else:
            np.testing.assert_allclose(got, want, 1e-6, 1e-6)
    return after
