"""Programs of the numba backend give what the reference interpreter gives."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings

import jaxlike
from jaxlike import lax
from jaxlike.backends.numba.program import Program
from jaxlike.backends.plan.prepare import PASSES
from jaxlike.core.array import to_buffer
from jaxlike.core.check import check_jaxpr
from jaxlike.core.config import enable_x64
from jaxlike.core.jaxpr import ClosedJaxpr, evaluate_jaxpr
from jaxlike.transforms.make_jaxpr import make_jaxpr
from tests.backends.random_jaxprs import Tape, grow, inputs, tapes
from tests.primitives.case import assert_close, families

CASES = [
    pytest.param(case, id=f"{family}-{case.name}")
    for family, cases in families().items()
    for case in cases
]


def trace(fun, *args) -> ClosedJaxpr:
    closed = make_jaxpr(fun)(*args)
    return ClosedJaxpr(closed.jaxpr, [to_buffer(c) for c in closed.consts])


def reference(closed: ClosedJaxpr, *args) -> list[np.ndarray]:
    return evaluate_jaxpr(closed.jaxpr, closed.consts, *args)


def check(fun, *args, rtol=None, atol=None) -> Program:
    """Compile fun, call it twice, compare with the reference."""
    closed = trace(fun, *args)
    args = [to_buffer(a) for a in args]
    expected = reference(closed, *args)
    program = Program(closed, "test")
    # the second call runs in the memory of the first
    for _ in range(2):
        for got, want in zip(program(args), expected, strict=True):
            assert_close(got, want, rtol, atol)
    return program


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_cases(case):
    check(
        lambda *args: case.run(lax, *args), *case.args, rtol=case.rtol, atol=case.atol
    )


@pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])
@settings(max_examples=60, deadline=None)
@given(tapes)
def test_random_functions(wide, numbers):
    with enable_x64(wide):
        tape = Tape(numbers)
        args = inputs(tape, wide)
        before = [a.copy() for a in args]
        at = tape.at

        def fun(*xs):
            tape.at = at
            return grow(tape, lax, *xs)

        check(fun, *args, rtol=1e-2 if _narrow(fun, args) else 1e-4, atol=1e-2)
        for a, b in zip(args, before):
            np.testing.assert_array_equal(a, b)


def _narrow(fun, args) -> bool:
    """Whether bfloat16 occurs."""
    return any(
        getattr(v.aval.dtype, "name", "") == "bfloat16"
        for eqn in make_jaxpr(fun)(*args).jaxpr.eqns
        for v in (*eqn.invars, *eqn.outvars)
    )


@settings(max_examples=80, deadline=None)
@given(tapes)
def test_passes_keep_types_and_meaning(numbers):
    tape = Tape(numbers)
    args = inputs(tape, False)
    at = tape.at

    def fun(*xs):
        tape.at = at
        return jaxlike.jit(lambda *ys: grow(tape, lax, *ys))(*xs)

    closed = trace(fun, *args)
    expected = reference(closed, *args)
    for rewrite in PASSES:
        closed = rewrite(closed)
        check_jaxpr(closed)
        for got, want in zip(reference(closed, *args), expected, strict=True):
            assert_close(got, want, 1e-2, 1e-2)
