"""Loops of larger bodies, of kernels alone, run natively, with the reference's results.

Those of small bodies are kernels themselves: test_loop_kernels.py.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxlike import lax
from jaxlike.backends.numba.loops import native_scan, native_while
from jaxlike.backends.numba.program import Program
from jaxlike.backends.plan import loops
from tests.backends.random_jaxprs import Tape, grow, inputs, tapes
from tests.backends.test_loop_kernels import stopped
from tests.backends.test_program import check, trace

F32 = np.float32


@pytest.fixture(autouse=True, scope="module")
def no_loop_kernels():
    """As if all bodies were too large for a loop kernel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "MAX_ELEMENTS", 0)
        yield


def natives(program) -> list[bool]:
    makers = {"scan": native_scan, "while": native_while}
    eqns = [e for e in program.jaxpr.eqns if e.primitive.name in makers]
    return [makers[e.primitive.name](e) is not None for e in eqns]


BODIES = {
    "cumulative": lambda c, x: (lax.add(c, x), lax.mul(c, x)),
    "carry as y": lambda c, x: ((s := lax.tanh(lax.add(c, x))), s),
    "unchanged": lambda c, x: (c, lax.add(c, x)),
    "overwritten": lambda c, x: (x, c),
    "view": lambda c, x: (lax.rev(lax.sin(c), (0,)), lax.transpose(x, (0,))),
    "constant": lambda c, x: (lax.full_like(c, 2.0), lax.full_like(x, 3.0)),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("reverse", [False, True])
def test_scan(name, length, reverse):
    rng = np.random.default_rng(0)
    xs = rng.standard_normal((length, 4)).astype(F32)
    start = rng.standard_normal(4).astype(F32)
    body = BODIES[name]
    program = check(lambda s, xs: lax.scan(body, s, xs, reverse=reverse), start, xs)
    assert natives(program) == [True]
    assert len(program.steps) == 1
    strided = np.repeat(xs, 2, 1)[:, ::2]
    check(lambda s, xs: lax.scan(body, s, xs, reverse=reverse), start, strided)


def test_recurrent_net():
    rng = np.random.default_rng(0)
    xs, w = rng.standard_normal((9, 3, 4)), rng.standard_normal((8, 8)) / 3
    u = rng.standard_normal((4, 8))

    def net(xs, w, u):
        def step(h, x):
            h = lax.tanh(lax.add(lax.dot(h, w), lax.dot(x, u)))
            return h, lax.reduce_sum(h, (1,))

        return lax.scan(step, np.zeros((3, 8), F32), xs)

    arrays = [a.astype(F32) for a in (xs, w, u)]
    assert natives(check(net, *arrays, rtol=1e-3, atol=1e-4)) == [True]


@pytest.mark.parametrize("turns", [0, 1, 2, 7])
def test_while(turns):
    def f(n, x, y):
        return lax.while_loop(
            lambda s: lax.lt(s[0], n),
            lambda s: (s[0] + 1, s[2], lax.add(s[1], s[2]), s[3]),
            (0, x, y, lax.sin(x)),
        )

    x, y = F32([1, 2, 3]), F32([4, 5, 6])
    assert natives(check(f, np.int32(turns), x, y)) == [True]


def test_while_without_state_in_the_condition():
    """The condition may read nothing that changes, the body nothing at all."""

    def f(x):
        return lax.while_loop(
            lambda s: lax.lt(s[0], 3), lambda s: (s[0] + 1, np.float32(7)), (0, x)
        )

    check(f, F32(1))


def test_a_loop_without_end_can_be_stopped():
    def f(x):
        return lax.while_loop(lambda s: s[0] < 0, lambda s: (s[0], lax.sin(s[1])), x)

    stopped(Program(trace(f, (F32(-1), F32([1, 2]))), "endless"), F32(-1), F32([1, 2]))


@settings(max_examples=40, deadline=None)
@given(tapes, st.integers(1, 4), st.booleans())
def test_scans_of_random_bodies(numbers, length, reverse):
    tape = Tape(numbers)
    args = inputs(tape, False)
    at = tape.at

    def fun(*args):
        def body(carry, xs):
            tape.at = at
            outs = grow(tape, lax, *carry)
            return carry[::-1], [*outs, *xs]

        same = len({(a.shape, a.dtype) for a in args}) == 1
        carry = list(args) if same else list(args[:1])
        xs = [
            lax.broadcast_in_dim(a, (length, *a.shape), range(1, a.ndim + 1))
            for a in args
        ]
        return lax.scan(body, carry, xs, length=length, reverse=reverse)

    check(fun, *args, rtol=1e-2, atol=1e-2)
