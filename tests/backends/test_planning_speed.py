"""Planning stays near-linear: long programs, many repetitions, large constants."""

from __future__ import annotations

import sys
import time
import tracemalloc

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.backends.numba.program import Program
from jaxlike.backends.plan.clusters import Fusion
from jaxlike.backends.plan.memory import ALIGNMENT, Lifetime, plan_arena
from jaxlike.backends.plan.prepare import prepare


def chain(steps):
    def f(x):
        for _ in range(steps):
            x = x + 0.01 * jnp.sin(x) * jnp.roll(x, 1)
        return jnp.sum(x)

    return jax.grad(f)


def calls_of(fun) -> int:
    """Python calls that a function makes: time that no busy machine changes."""
    count = 0

    def profile(_frame, event, _arg):
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        fun()
    finally:
        sys.setprofile(None)
    return count


def test_planning_is_near_linear():
    costs = []
    for steps in (20, 80):
        closed = prepare(jax.make_jaxpr(chain(steps))(jnp.ones(10)))
        costs.append(calls_of(lambda closed=closed: Fusion(closed.jaxpr)))
    assert costs[1] < 6 * costs[0]


def test_a_long_unrolled_loop_compiles_in_seconds_and_shares_kernels():
    w = jnp.eye(8)

    def f(x):
        for _ in range(300):
            x = jnp.tanh(x @ w) * 0.5 + x
        return x

    x = jnp.ones((4, 8)) * 0.1
    start = time.process_time()
    compiled = jax.jit(f).lower(x).compile()
    assert time.process_time() - start < 10  # 0.3 on the machine it was written on
    kernels = compiled.as_text("llvm").count("define void @")
    assert kernels < 20
    step = lambda _, x: jnp.tanh(x @ w) * 0.5 + x
    expected = jax.lax.fori_loop(0, 300, step, x)
    np.testing.assert_allclose(compiled(x), expected, rtol=1e-4)


@pytest.mark.parametrize("kind", ["numpy", "array"])
def test_a_large_constant_is_neither_copied_nor_printed(kind):
    c = np.ones(4 << 20, np.float32)
    c = c if kind == "numpy" else jnp.asarray(c)
    f = jax.jit(lambda x: jnp.sum(x * c))
    f.lower(jnp.float32(0))  # what the modules take on import is not counted
    tracemalloc.start()
    try:
        assert f(jnp.float32(1)) == c.size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < c.nbytes / 4
    assert len(f.lower(jnp.float32(0)).compile().as_text()) < 2000


@pytest.mark.parametrize("seed", range(20))
def test_the_arena_keeps_what_is_alive_apart(seed):
    rng = np.random.default_rng(seed)
    lifetimes = []
    for _ in range(rng.integers(0, 60)):
        first = int(rng.integers(0, 30))
        nbytes = int(rng.integers(0, 5000))
        lifetimes.append(Lifetime(nbytes, first, first + int(rng.integers(0, 9))))
    offsets, total = plan_arena(lifetimes)
    placed = [(at, at + t.nbytes, t) for at, t in zip(offsets, lifetimes, strict=True)]
    assert all(at % ALIGNMENT == 0 and stop <= total for at, stop, _ in placed)
    for i, (at, stop, t) in enumerate(placed):
        for at2, stop2, t2 in placed[:i]:
            together = t.first <= t2.last and t2.first <= t.last
            assert not together or stop <= at2 or stop2 <= at
    alive = [
        sum(t.nbytes + ALIGNMENT for t in lifetimes if t.first <= k <= t.last)
        for k in range(40)
    ]
    assert total <= 2 * max(alive, default=0)  # no needless gaps


def test_chains_of_producers_do_not_double():
    """Each level of an associative scan reads the one before through slices."""

    def combine(a, b):
        return a[0] * b[0], b[0] * a[1] + b[1]

    def scan(x):
        return lax.associative_scan(combine, (x, x))[1]

    closed = jax.make_jaxpr(scan)(np.ones((1024, 16), np.float32))
    program = Program(closed, "scan")
    assert max(str(low.kernel).count("\n") for low in program.kernels) < 1000
