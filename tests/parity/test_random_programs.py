"""Random programs under random stacks of transforms: jaxlike against jax."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxlike
from tests.programs import programs

jax = pytest.importorskip("jax")


def stacked(library, program, names):
    def fun(x):
        args = [library.lax.broadcast(x, shape) for shape in program.shapes]
        out = program.run(library, *args)
        return library.lax.reduce_sum(out, tuple(range(out.ndim)))

    for name in names:
        if name == "vmap":
            inner = library.vmap(fun)
            fun = lambda x, inner=inner: library.lax.reduce_sum(
                inner(library.lax.broadcast(x, (2,))), (0,)
            )
        else:
            fun = getattr(library, name)(fun)
    return fun


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    programs(max_size=4),
    st.lists(
        st.sampled_from(["jit", "grad", "vmap", "checkpoint", "jacfwd"]), max_size=3
    ),
)
def test_same_value_dtype_and_weak_type(program, names):
    x = np.float32(0.3)
    ours = stacked(jaxlike, program, names)(x)
    theirs = stacked(jax, program, names)(x)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert ours.weak_type == theirs.weak_type
    np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-3)
