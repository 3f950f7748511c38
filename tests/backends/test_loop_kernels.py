"""Loops of small bodies are single kernels, with the reference's results."""

from __future__ import annotations

import signal
import threading
import time

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.backends.numba.program import Program
from jaxlike.backends.plan.ir import Kernel
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.validate import validate
from tests.backends.random_jaxprs import Tape, grow, inputs, tapes
from tests.backends.test_program import check, trace

F32 = np.float32


def floats(*shape, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(F32)


def loops(program: Program) -> list[bool]:
    """For each loop of a program: whether it is a kernel."""
    names = ("scan", "while")
    found = []
    for step in program.schedule:
        if not isinstance(step, Lowered):
            found += [False] * (step.primitive.name in names)
        elif isinstance(step.kernel, Kernel) and step.kernel.name in names:
            validate(step.kernel)
            found.append(True)
    return found


def one_kernel(fun, *args, **tolerances) -> Kernel:
    """Check fun, whose one loop has to be a single kernel; no calls around it."""
    program = check(fun, *args, **tolerances)
    assert loops(program) == [True]
    assert all(isinstance(step, Lowered) for step in program.schedule)
    return program.kernels[-1].kernel


def lorenz(s):
    x, y, z = s
    return jnp.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])


def test_ode_lives_in_registers():
    def run(s):
        return lax.fori_loop(0, 20, lambda _, s: s + 0.01 * lorenz(s), s)

    kernel = one_kernel(run, np.ones(3, F32), rtol=1e-4)
    assert not [b for b in kernel.buffers if b.role == "local"]


@pytest.mark.parametrize("size", [(), (1,), (3,), (40,), (5, 7)], ids=str)
@pytest.mark.parametrize("reverse", [False, True])
def test_carries_and_slices_of_any_size(size, reverse):
    def run(w, c, xs):
        def body(c, x):
            c = jnp.tanh(c * w + x)
            return c, (jnp.sum(c), c * 2, x)

        return lax.scan(body, c, xs, reverse=reverse)

    one_kernel(run, floats(*size), floats(*size), floats(6, *size))


@pytest.mark.parametrize("size", [3, 20])
def test_layouts_inside(size):
    """Layout operations become addresses, or nothing at all."""

    def body(c, x):
        i = c[0].astype(np.int32)
        d = jnp.concatenate([c[::-1], jnp.roll(x, 1)[:2], jnp.pad(x, (1, 2))[1:-1]])
        e = d[: c.size] + jnp.flip(x)
        m = e[:, None] * x[None, :]
        f = m.T.reshape(-1)[: c.size] + jnp.sum(m, 0) - jnp.max(m, axis=1)
        g = jnp.where(jnp.arange(c.size) < 2, f, jnp.roll(f, -1))
        return jnp.sin(g), (jnp.argmax(g), jnp.argmin(m, axis=1), i, m[1:, :2])

    run = lambda c, xs: lax.scan(body, c, xs)
    one_kernel(run, floats(size), floats(4, size), rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize(
    "dtype",
    [np.int8, np.uint32, np.int64, np.float16, ml_dtypes.bfloat16, np.complex64],
    ids=lambda d: np.dtype(d).name,
)
@pytest.mark.parametrize("size", [2, 12])
def test_dtypes(dtype, size):
    def body(c, x):
        c = c * x + c[::-1]
        return c, (jnp.sum(c), c == x, jnp.dot(c, x), jnp.prod(x))

    x = np.arange(5 * size).reshape(5, size) % 5 - 2
    with jaxlike.enable_x64(True):
        run = lambda c, xs: lax.scan(body, c, xs)
        one_kernel(run, x[0].astype(dtype), x.astype(dtype), rtol=2e-2, atol=2e-2)


def test_small_products():
    def body(c, x):
        a, v = c
        a = jnp.tanh(a @ x + jnp.outer(v, v))
        return (a, a @ v), jnp.einsum("ij,kj->ki", a, x)

    for n in (2, 6):
        start = floats(n, n), floats(n)
        one_kernel(
            lambda a, v, xs: lax.scan(body, (a, v), xs),
            *start,
            floats(4, n, n, seed=1),
            rtol=1e-4,
            atol=1e-5,
        )


@pytest.mark.parametrize("turns", [0, 1, 5])
@pytest.mark.parametrize("size", [1, 30])
def test_while(turns, size):
    def run(n, x):
        return lax.while_loop(
            lambda s: (s[0] < n) & (jnp.sum(s[1]) == jnp.sum(s[1])),
            lambda s: (s[0] + 1, jnp.cos(s[1]), s[1]),
            (0, x, x * 2),
        )

    one_kernel(run, np.int32(turns), floats(size))
    one_kernel(run, np.int32(turns), np.full(size, np.nan, F32))


@pytest.mark.parametrize("size", [1, 30])
def test_branches_inside(size):
    """Indices out of bounds go to the nearest branch; only one branch runs."""

    def dear(x):
        return lax.fori_loop(0, 3, lambda i, y: jnp.sin(y) + i, x)

    def body(c, i):
        c = lax.switch(i, [lambda x: x, dear, lambda x: x[::-1] * 2], c)
        c = lax.cond(c[0] > 0, lambda x: x - 1, lambda x: jnp.zeros_like(x) + 2, c)
        return c, jnp.max(c)

    turns = np.array([0, 1, 2, 7, -3, 1], np.int32)
    one_kernel(lambda x, i: lax.scan(body, x, i), floats(size), turns)


def test_nested_loops():
    def leap(_, s):
        q, p = s
        return q + 0.1 * p, p - 0.1 * jnp.sum(q) * q

    def step(q, x):
        q, p = lax.fori_loop(0, 3, leap, (q, x))
        n, q = lax.while_loop(
            lambda s: (jnp.max(jnp.abs(s[1])) > 0.5) & (s[0] < 5),
            lambda s: (s[0] + 1, s[1] * 0.7),
            (0, q),
        )
        _, ys = lax.scan(lambda c, y: (c + y, c * y), 0.0, p)
        return q, (n, ys)

    for size in (2, 10):
        one_kernel(lambda q, xs: lax.scan(step, q, xs), floats(size), floats(4, size))


@pytest.mark.parametrize("size", [1, 12])
def test_gradients(size):
    """Forward and backward loops are a kernel each."""

    def run(w, x, xs):
        def step(c, x):
            c = jnp.tanh(c * w + jnp.roll(c, 1) * x)
            return c, c[0]

        c, ys = lax.scan(step, x, xs)
        return jnp.sum(c) + jnp.sum(ys**2)

    args = floats(size), floats(size, seed=1), floats(7, size, seed=2)
    program = check(jaxlike.grad(run, (0, 1, 2)), *args, rtol=1e-4, atol=1e-5)
    assert loops(program) == [True, True]
    assert all(isinstance(step, Lowered) for step in program.schedule)


def test_many_scalars():
    """A carry of many scalars, and its gradient."""

    def run(w, cs):
        def step(cs, _):
            return [jnp.tanh(a * w + b) for a, b in zip(cs, cs[1:] + cs[:1])], None

        cs, _ = lax.scan(step, cs, None, length=9)
        return sum(cs)

    program = check(
        lambda w, *cs: jaxlike.grad(run, (0, 1))(w, list(cs)),
        F32(0.5),
        *floats(32),
        rtol=1e-4,
        atol=1e-5,
    )
    assert loops(program) == [True, True]
    assert all(isinstance(step, Lowered) for step in program.schedule)


def test_constants_and_literals():
    table = floats(20)

    def run(x):
        def body(c, _):
            return (c[0] + 1, c[1] * 2.0 + jnp.sum(table)), c[1] + table

        return lax.scan(body, (0, x), None, length=3)

    assert loops(check(run, F32(1))) == [True]
    # all is known before
    check(lambda: lax.fori_loop(0, 5, lambda i, x: x + i, 1))


def test_operands_are_read_through_layouts():
    def run(x, y):
        return lax.scan(lambda c, x: (c + x, c[:1] * 2), y[::-1], jnp.swapaxes(x, 0, 1))

    assert loops(check(run, floats(12, 5), floats(12))) == [True]
    assert loops(check(run, floats(3, 5), floats(3))) == [True]


def test_no_turns_and_empty_arrays():
    check(lambda c, x: lax.scan(lambda c, x: (c + x, c), c, x), F32(1), floats(0))
    check(lambda c, x: lax.scan(lambda c, x: (c, x), c, x), floats(0), floats(3, 0))


def test_large_bodies_are_not_unrolled():
    """A body of very many equations is left to the other ways."""

    def body(c, _):
        for _ in range(200):
            c = jnp.sin(c) + c
        return c, None

    program = check(lambda x: lax.scan(body, x, None, length=2), F32(0.5), rtol=1e-3)
    assert loops(program) == [False]


class Alarm(Exception):
    pass


def stopped(program: Program, *args) -> None:
    """Run a program that a signal's handler must stop."""

    def ring(*_):
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    start = time.monotonic()
    try:
        with pytest.raises(Alarm):
            program([*map(np.asarray, args)])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - start < 5


def test_loops_without_end_can_be_stopped():
    def endless(x):
        return lax.while_loop(lambda x: x != 0, lambda x: jnp.sin(x) + 2, x)

    def nested(x):
        return lax.fori_loop(0, 3, lambda i, x: endless(x) + i, x)

    def lanes(x):
        return jaxlike.vmap(endless)(x)

    def long(x):
        return lax.fori_loop(0, 1 << 40, lambda i, x: jnp.sin(x), x)

    for fun, x in (
        (endless, F32(1)),
        (lambda x: endless(x.sum()) + x, floats(40)),
        (nested, F32(1)),
        (lanes, floats(9)),
        (long, F32(1)),
    ):
        program = Program(trace(fun, x), "endless")
        stopped(program, x)
    # and the next call works
    check(lambda x: lax.while_loop(lambda x: x < 0, lambda x: x + 1, x), F32(-3))


def test_other_threads_run_meanwhile():
    def endless(x):
        return lax.while_loop(lambda x: x != 0, lambda x: jnp.sin(x) + 2, x)

    program = Program(trace(endless, F32(1)), "endless")
    turns = []

    def count():
        while len(turns) < 1000:
            turns.append(time.sleep(0))

    thread = threading.Thread(target=count)
    thread.start()
    stopped(program, F32(1))
    thread.join()
    assert len(turns) == 1000


@settings(max_examples=60, deadline=None)
@given(tapes, st.integers(1, 4), st.booleans())
def test_random_bodies(numbers, length, reverse):
    tape = Tape(numbers)
    args = inputs(tape, False)
    at = tape.at

    def fun(*args):
        def body(carry, xs):
            tape.at = at
            outs = grow(tape, lax, *carry, *xs)
            return carry[::-1], outs

        same = len({(a.shape, a.dtype) for a in args}) == 1
        carry = list(args) if same else list(args[:1])
        xs = [
            lax.broadcast_in_dim(a, (length, *a.shape), range(1, a.ndim + 1))
            for a in args
        ]
        return lax.scan(body, carry, xs, length=length, reverse=reverse)

    check(fun, *args, rtol=1e-2, atol=1e-2)
