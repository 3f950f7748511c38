"""Each pass alone, on random programs: types and meaning stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

import jaxlike as jax
from jaxlike import lax
from jaxlike.backends.plan import prepare
from jaxlike.core.check import check_jaxpr
from jaxlike.transforms.rewrite.inline import inline_calls
from tests.backends.random_jaxprs import Tape as Numbers
from tests.backends.random_jaxprs import grow, inputs, tapes
from tests.programs import programs
from tests.transforms.rewrite.passes import run, trace

PASSES = {p.__name__: p for p in prepare.PASSES}


@pytest.mark.parametrize("name", PASSES)
@settings(max_examples=25, deadline=None)
@given(tapes)
def test_a_pass_keeps_types_and_meaning(name, numbers):
    tape = Numbers(numbers)
    args = inputs(tape, False)
    at = tape.at

    def fun(*xs):
        tape.at = at
        return jax.jit(lambda *ys: grow(tape, lax, *ys))(*xs)

    before = inline_calls(trace(fun, *args))
    after = PASSES[name](before)
    check_jaxpr(after)
    for got, want in zip(run(after, *args), run(before, *args), strict=True):
        assert got.dtype == want.dtype and got.shape == want.shape
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", PASSES)
@settings(max_examples=10, deadline=None)
@given(programs())
def test_a_pass_keeps_gradients(name, program):
    args = program.arguments()

    def total(*xs):
        out = program.run(jax, *xs)
        return lax.reduce_sum(out, tuple(range(out.ndim)))

    before = trace(jax.grad(total, allow_int=True), *args)
    after = PASSES[name](before)
    check_jaxpr(after)
    for got, want in zip(run(after, *args), run(before, *args), strict=True):
        np.testing.assert_allclose(got, want, 1e-6, 1e-6)
