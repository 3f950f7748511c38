"""Control flow under vmap runs lane by lane: each stops, and branches, by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.backends.numba.program import Program
from jaxlike.backends.plan.ir import If, Kernel, Loop, While, statements
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.unbatch import Mixed, lane_of
from jaxlike.backends.plan.validate import validate
from tests.backends.random_jaxprs import Tape, grow, inputs, tapes
from tests.backends.test_loop_kernels import floats, stopped
from tests.backends.test_program import check, trace

F32 = np.float32
N = 37


def lane_kernel(program: Program, *kinds) -> Kernel:
    """The one kernel with control flow, over a grid of lanes; `kinds` must be in it."""
    assert all(isinstance(step, Lowered) for step in program.schedule)
    found = [
        low.kernel
        for low in program.kernels
        if isinstance(low.kernel, Kernel)
        and low.kernel.name in ("scan", "while", "cond")
    ]
    (kernel,) = found
    validate(kernel)
    assert kernel.grid and not any(b.role == "local" for b in kernel.buffers)
    for kind in kinds:
        assert any(isinstance(s, kind) for s in statements(kernel.body))
    return kernel


def newton(a):
    def body(s):
        x, n = s
        return x - (x * x * x - a) / (3 * x * x), n + 1

    def test(s):
        return (jnp.abs(s[0] * s[0] * s[0] - a) > 1e-4 * a) & (s[1] < 100)

    return lax.while_loop(test, body, (a, 0))


def test_lanes_stop_by_themselves():
    a = np.random.default_rng(0).uniform(1, 100, N).astype(F32)
    a[3], a[5], a[7] = np.nan, np.inf, 0
    program = check(jaxlike.vmap(newton), a, rtol=1e-4)
    lane_kernel(program, While)
    # all are done before the first turn
    check(jaxlike.vmap(newton), np.full(N, np.nan, F32))
    check(jaxlike.vmap(newton), a[:1])


def test_uneven_lanes():
    """One lane that runs for long does not make the others run on."""

    def collatz(n):
        return lax.while_loop(
            lambda s: s[0] > 1,
            lambda s: (jnp.where(s[0] % 2 == 0, s[0] // 2, 3 * s[0] + 1), s[1] + 1),
            (n, 0),
        )[1]

    n = np.ones(1000, np.int32)
    n[500], n[3] = 6171, 27
    program = check(jaxlike.vmap(collatz), n)
    lane_kernel(program, While)
    assert program([n])[0][[0, 3, 500]].tolist() == [0, 111, 261]


def test_a_dear_branch_is_run_where_it_is_taken():
    def dear(x):
        return lax.fori_loop(0, 50, lambda i, y: jnp.sin(y) + x, x)

    def f(i, x):
        return lax.switch(i, [lambda x: x, lambda x: x * 2, dear], x)

    i = np.array([0] * 30 + [2, 1, -5, 99, 0, 1, 1], np.int32)
    kernel = lane_kernel(check(jaxlike.vmap(f), i, floats(N)), If, Loop)
    (branch,) = [s for s in kernel.body if isinstance(s, If)]
    assert not any(isinstance(s, Loop) for s in kernel.body)
    assert any(isinstance(s, Loop) for s in branch.then)

    # of several results, with arithmetic around
    def g(p, x, y):
        x = x * 2
        x, z = lax.cond(p, lambda x, y: (dear(x), y), lambda x, y: (x, x - y), x, y)
        return x + z, z

    p = floats(N) > 0
    lane_kernel(check(jaxlike.vmap(g), p, floats(N), floats(N, seed=1)), If, Loop)
    # and without any loop: a polynomial of functions
    many = lambda x: sum(jnp.sin(x + i) * jnp.cos(x - i) for i in range(5))
    h = lambda p, x: lax.cond(p, many, lambda x: x, x)
    lane_kernel(check(jaxlike.vmap(h), p, floats(N)), If)


def test_cheap_branches_stay_selects():
    h = jaxlike.vmap(lambda p, x: lax.cond(p, lambda x: x * 2, lambda x: x - 1, x))
    program = check(h, floats(N) > 0, floats(N))
    assert [low.kernel.name for low in program.kernels] != ["cond"]


def test_what_others_read_is_computed_for_all():
    def f(p, x):
        y = lax.fori_loop(0, 9, lambda i, y: jnp.sin(y), x)
        return jnp.where(p, y, x), jnp.sum(y)

    check(f, floats(N) > 0, floats(N), rtol=1e-4)


def test_branches_in_lanes_of_loops():
    def f(a, b):
        def body(s):
            x, v, n = s
            v = v * 0.5 + x[:1] * b
            long = lambda x: lax.fori_loop(0, 4, lambda i, y: jnp.cos(y), x)
            return lax.cond(n % 2 == 0, jnp.sin, long, x), v, n + 1

        start = jnp.stack([a, a * 2, a]), jnp.ones((2,)), 0
        test = lambda s: (jnp.sum(s[0]) > -a) & (s[2] < 20)
        return lax.while_loop(test, body, start)

    program = check(
        jaxlike.vmap(f, (0, None)), floats(N), floats(2), rtol=1e-4, atol=1e-5
    )
    lane_kernel(program, While, If, Loop)


@pytest.mark.parametrize("reverse", [False, True])
def test_scans_of_lanes(reverse):
    """Of any axes: vmap puts lanes first, scans their steps."""

    def f(c, xs):
        def body(c, x):
            m = jnp.outer(c, x)
            return jnp.tanh(m @ c + x), (jnp.max(c), c)

        return lax.scan(body, c, xs, reverse=reverse)

    c, xs = floats(N, 2), floats(N, 5, 2)
    lane_kernel(check(jaxlike.vmap(f), c, xs, rtol=1e-4, atol=1e-5), Loop)
    across = jaxlike.vmap(f, (1, 2))
    args = np.moveaxis(c, 0, 1).copy(), np.moveaxis(xs, 0, 2).copy()
    lane_kernel(check(across, *args, rtol=1e-4, atol=1e-5), Loop)


def test_lanes_without_vmap():
    def f(x, y):
        return lax.fori_loop(0, 9, lambda i, s: (s[0] + s[1] * i, s[1] - x), (y, x))

    kernel = lane_kernel(check(f, floats(N, 3), floats(N, 3)), Loop)
    assert kernel.grid == (N,)
    assert lane_kernel(check(f, floats(N, 40), floats(N, 40)), Loop).grid == (N, 40)


def test_windows_in_lanes():
    def f(x, y):
        def body(i, s):
            return s * lax.dynamic_index_in_dim(x, i % 3, keepdims=False) + y[i % 2]

        return lax.fori_loop(0, 7, body, y[0])

    check(jaxlike.vmap(f), floats(N, 3), floats(N, 2))
    check(jaxlike.vmap(f, (None, 0)), floats(3), floats(N, 2))
    table = lambda i, x: lax.fori_loop(0, 5, lambda k, s: x[(i + k) % 3] - s, x[0])
    check(jaxlike.vmap(table), np.arange(N, dtype=np.int32), floats(N, 3))
    check(jaxlike.vmap(table, (0, None)), np.arange(N, dtype=np.int32), floats(3))


def test_vmap_of_vmap():
    a = np.random.default_rng(0).uniform(1, 100, (12, 9)).astype(F32)
    check(jaxlike.vmap(jaxlike.vmap(newton)), a, rtol=1e-4)

    def f(p, x):
        dear = lambda x: lax.fori_loop(0, 9, lambda i, y: jnp.sin(y) + x, x)
        return lax.cond(p, dear, lambda x: x, x)

    program = check(jaxlike.vmap(jaxlike.vmap(f)), a > 50, a, rtol=1e-4)
    assert lane_kernel(program, If, Loop).grid == (12, 9)


def test_derivatives_in_lanes():
    def loss(p, x):
        dear = lambda x: lax.fori_loop(0, 9, lambda i, y: jnp.sin(y) + x, x)
        return lax.cond(p, dear, lambda x: x * x, x)

    p, x = floats(N) > 0, floats(N, seed=1)
    check(jaxlike.vmap(jaxlike.grad(loss, 1)), p, x, rtol=1e-4, atol=1e-5)
    check(jaxlike.vmap(jaxlike.value_and_grad(loss, 1)), p, x, rtol=1e-4, atol=1e-5)
    a = np.random.default_rng(0).uniform(1, 100, N).astype(F32)
    slope = lambda a: jaxlike.jvp(lambda a: newton(a)[0], (a,), (F32(1),))
    lane_kernel(check(jaxlike.vmap(slope), a, rtol=1e-4), While)
    along = lambda a: jaxlike.jvp(jaxlike.vmap(newton), (a,), (a,))[0]
    check(along, a, rtol=1e-4)


def test_loops_that_mix_lanes_are_not_cut():
    def f(x):
        return lax.fori_loop(0, 4, lambda i, x: jnp.sin(x) + jnp.roll(x, 1), x)

    for fun in (f, lambda x: lax.fori_loop(0, 4, lambda i, y: y - jnp.sum(y), x)):
        program = check(fun, floats(N), rtol=1e-4)
        (eqn,) = [e for e in program.jaxpr.eqns if e.primitive.name == "scan"]
        with pytest.raises(Mixed):
            lane_of(eqn, N)


def test_a_mask_that_does_not_hold_lanes_still():
    """A condition on any lane is not each lane's own, if lanes that are done go on."""

    def f(x):
        return lax.while_loop(
            lambda s: jnp.any(s[0]),
            lambda s: (s[1] < 5, s[1] + 1),
            (x < 2, x),
        )

    check(f, np.arange(N, dtype=F32))


def test_lanes_without_end_can_be_stopped():
    def endless(x):
        return lax.while_loop(lambda x: x != 0, lambda x: jnp.sin(x) + 2, x)

    x = floats(20_000)  # on several threads
    stopped(Program(trace(jaxlike.vmap(endless), x), "endless"), x)


@settings(max_examples=40, deadline=None)
@given(tapes, st.integers(1, 3), st.booleans())
def test_random_lanes(numbers, turns, looping):
    tape = Tape(numbers)
    args = inputs(tape, False)
    at = tape.at

    def lane(limit, *args):
        def body(s):
            tape.at = at
            outs = grow(tape, lax, *s[1:])
            new = outs[0]
            same = getattr(new, "shape", None) == args[0].shape
            same = same and new.dtype == args[0].dtype
            return (s[0] + 1, new if same else s[1], *s[2:])

        if looping:
            return lax.while_loop(lambda s: s[0] < limit, body, (0, *args))
        dear = lambda *s: lax.fori_loop(0, 2, lambda i, s: body(s), (0, *s))
        return lax.cond(limit > 1, dear, lambda *s: (0, *s), *args)

    lanes = 11
    limits = (np.arange(lanes) % (turns + 1)).astype(np.int32)
    args = [np.stack([a] * lanes) for a in args]
    check(jaxlike.vmap(lane), limits, *args, rtol=1e-2, atol=1e-2)
