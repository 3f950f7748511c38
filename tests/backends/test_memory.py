"""The memory plan: donation, results in the place of operands, re-entrancy."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest
from hypothesis import given, settings

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.backends.numba.program import Program
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.inplace import is_copy, may_overwrite
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.memory import plan_memory
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import ClosedJaxpr, Jaxpr, Var
from tests.backends.random_jaxprs import Tape, grow, inputs, tapes
from tests.backends.test_program import _narrow, reference, trace
from tests.primitives.case import assert_close

F32 = np.dtype(np.float32)
N = 300


def address(x) -> int:
    return x.unsafe_buffer_pointer()


def pointwise(shape, read, write=lambda i, j: {i: 8, j: 1}):
    """A kernel over [8, 8] that stores -x, from one place at another."""
    k = KernelBuilder(shape)
    x, y = k.input(F32, shape), k.output(F32, shape)
    k.store(y, write(*k.indices), k.op("neg", k.load(x, *read(*k.indices))))
    return k.finish(), x, y


def test_which_kernels_may_overwrite():
    assert may_overwrite(*pointwise((8, 8), lambda i, j: ({i: 8, j: 1},)))
    assert not may_overwrite(*pointwise((8, 8), lambda i, j: ({i: 1, j: 8},)))
    assert not may_overwrite(*pointwise((8, 8), lambda i, j: ({i: 8, j: -1}, 7)))
    assert not may_overwrite(*pointwise((8, 8), lambda i, j: ({i: 8},)))
    assert may_overwrite(
        *pointwise((8, 8), lambda i, j: ({i: 1, j: 8},), lambda i, j: {i: 1, j: 8})
    )


def test_a_later_read_forbids():
    k = KernelBuilder((N,))
    x, y, z = k.input(F32, (N,)), k.output(F32, (N,)), k.output(F32, (N,))
    at = {k.indices[0]: 1}
    k.store(y, at, k.const(1, F32))
    k.store(z, at, k.load(x, at))
    kernel = k.finish()
    assert not may_overwrite(kernel, x, y) and may_overwrite(kernel, x, z)


def test_a_softmax_may_overwrite_its_rows():
    (kernel,) = program_of(jax.nn.softmax, np.ones((5, 70), np.float32)).kernels
    assert may_overwrite(kernel.kernel, 0, 1)
    assert kernel.kernel.overlaps == ((0, 1),)


def program_of(fun, *args) -> Program:
    return Program(trace(fun, *args), "test", donated=[True] * len(args))


ROWS = {
    "softmax": lambda x: jax.nn.softmax(x),
    "softmax of all": lambda x: jax.nn.softmax(x, axis=(0, 1)),
    "layer norm": lambda x: (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True),
    "columns": lambda x: x - x.max(0),
    "with its transpose": lambda x: x + x.T,
    "reversed": lambda x: x[::-1] * 2,
    "two results": lambda x: (jnp.exp(x), x + 1),
    "reread": lambda x: (x * 2, jnp.sin(x * 2) + x),
    "through a call": lambda x: jnp.sort(x * 2, axis=0) + x,
    "through products": lambda x: (jnp.tanh(x @ x) @ x) * 2 - 1,
}


@pytest.mark.parametrize("size", [7, 64, 300])
@pytest.mark.parametrize("name", ROWS)
def test_results_over_their_operands(name, size):
    x = np.random.default_rng(0).standard_normal((size, size)).astype(np.float32)
    closed = trace(ROWS[name], x)
    expected = reference(closed, x)
    program = program_of(ROWS[name], x)
    for hold in (False, True):
        arg = x.copy()
        keep = arg if hold else None
        args = [arg]
        other = [None, arg]  # as an Array refers to its buffer
        del arg
        for got, want in zip(program(args), expected, strict=True):
            assert_close(got, want, 1e-4, 1e-4)
        if hold:
            np.testing.assert_array_equal(keep, x)
        del other


@settings(max_examples=60, deadline=None)
@given(tapes)
def test_random_programs_with_donated_arguments(numbers):
    tape = Tape(numbers)
    args = inputs(tape, False)
    at = tape.at

    def fun(*xs):
        tape.at = at
        return grow(tape, lax, *xs)

    closed = trace(fun, *args)
    expected = reference(closed, *args)
    program = Program(closed, "test", donated=[True] * len(args))
    arrays = [jnp.asarray(a) for a in args]
    # an Array's buffer, and the list's
    buffers = [a._data for a in arrays]
    rtol = 1e-2 if _narrow(fun, args) else 1e-4
    for got, want in zip(program(buffers), expected, strict=True):
        assert_close(got, want, rtol, 1e-2)


# --- donation, as users see it


def test_a_donated_argument_becomes_the_result():
    f = jax.jit(lambda x, y: x * 2 + y, donate_argnums=0)
    x, y = jnp.ones(N) * 3, jnp.ones(N)
    at = address(x)
    out = f(x, y)
    assert address(out) == at and x.is_deleted() and not y.is_deleted()
    assert (out == 7).all()
    memory = f.lower(y, y).compile().memory_analysis()
    assert memory.alias_size_in_bytes == 4 * N
    assert memory.peak_memory_in_bytes == 8 * N


@pytest.mark.parametrize(
    "view",
    [
        np.asarray,
        np.from_dlpack,
        lambda x: memoryview(np.asarray(x)),
        lambda x: np.asarray(x)[5:],
        lambda x: lax.stop_gradient(x).reshape(3, -1),
    ],
    ids=["asarray", "dlpack", "memoryview", "slice", "reshape"],
)
def test_memory_that_is_seen_is_not_written(view):
    f = jax.jit(lambda x: x * 2, donate_argnums=0)
    x = jnp.ones(N) * 3
    seen = view(x)
    assert (f(x) == 6).all()
    assert (np.asarray(seen) == 3).all() and x.is_deleted()


def test_numpy_arguments_are_the_users():
    f = jax.jit(lambda x: x * 2, donate_argnums=0)
    x = np.ones(N, np.float32)
    assert (f(x) == 2).all() and (x == 1).all()


def test_a_result_of_another_shape():
    x = np.ones((5, 60), np.float32)
    program = program_of(lambda x: (lax.bitcast_convert_type(x, np.int32) + 1).T, x)
    (out,) = program([x.copy()])
    assert out.dtype == np.int32 and out.shape == (60, 5)
    assert (out == np.ones(1, np.float32).view(np.int32) + 1).all()


def test_memory_of_an_argument_that_is_dead_before_the_result():
    def f(x, w):
        return jnp.sort(jnp.sin(x) @ w, axis=0) * 2

    x = jnp.ones((32, 32)) + 0
    at = address(x)
    expected = f(x, x)
    out = jax.jit(f, donate_argnums=0)(x, jnp.ones((32, 32)))
    assert address(out) == at
    np.testing.assert_allclose(out, expected, rtol=1e-5)


def test_a_training_step_updates_in_place():
    def step(p, m, g):
        m = jax.tree.map(lambda m, g: 0.9 * m + g, m, g)
        return jax.tree.map(lambda p, m: p - 0.1 * m, p, m), m

    p = {"w": jnp.ones((8, 40)) + 0, "b": jnp.ones(8) + 0}
    m, g = jax.tree.map(lambda x: x * 0, p), jax.tree.map(lambda x: x * 2, p)
    expected = step(p, m, g)
    places = {address(x) for x in jax.tree.leaves((p, m))}
    out = jax.jit(step, donate_argnums=(0, 1))(p, m, g)
    assert {address(x) for x in jax.tree.leaves(out)} == places
    for got, want in zip(jax.tree.leaves(out), jax.tree.leaves(expected)):
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_what_no_result_can_use_stays():
    x = jnp.ones(N) + 0
    with pytest.warns(UserWarning, match=r"not usable: f32\[300\]"):
        jax.jit(lambda x: x.sum(), donate_argnums=0)(x)
    assert not x.is_deleted()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jax.jit(lambda x: x + 1, donate_argnums=0)(x)


def test_callbacks_see_what_they_are_given():
    saved = []

    def f(x):
        jax.debug.callback(saved.append, x)
        return x * 2

    assert (jax.jit(f, donate_argnums=0)(jnp.ones(N) + 0) == 2).all()
    assert (np.asarray(saved[0]) == 1).all()


# --- the plan itself


def test_copies_of_dead_operands_are_not_run():
    aval = ShapedArray((N,), F32)
    x, t, out = Var(aval), Var(aval), Var(aval)

    def kernel(name: str | None, role: str = "out"):
        k = KernelBuilder((N,))
        at = {k.indices[0]: 1}
        a = k.input(F32, (N,))
        b = k.buffer(F32, (N,), role)
        value = k.load(a, at)
        k.store(b, at, k.op(name, value) if name else value)
        return k.finish()

    assert is_copy(kernel(None)) and not is_copy(kernel("neg"))
    change = KernelBuilder((3,))
    buffer = change.buffer(F32, (N,), "inout")
    change.store(buffer, {change.indices[0]: 1}, change.const(0, F32))
    steps = [
        Lowered(kernel("neg"), [x], [t]),
        Lowered(kernel(None), [t], [out]),
        Lowered(change.finish(), [], [out]),
    ]
    jaxpr = Jaxpr([], [x], [out], [])
    plan = plan_memory(steps, jaxpr)
    assert len(plan.steps) == 2 and plan.home_of(out) is t and not plan.arena_bytes
    # a value that is read later is copied
    later = [*steps, Lowered(kernel("neg"), [t], [Var(aval)])]
    plan = plan_memory(later, jaxpr)
    assert len(plan.steps) == 4 and plan.home_of(out) is out
    # an argument is overwritten only if it was given away
    plan = plan_memory([steps[1]._replace(inputs=[x]), steps[2]], jaxpr)
    assert len(plan.steps) == 2 and not plan.given
    plan = plan_memory([steps[1]._replace(inputs=[x]), steps[2]], jaxpr, [x])
    assert len(plan.steps) == 2 and plan.given == {out: x}


def test_chains_take_one_array():
    def f(x):
        for _ in range(4):
            x = jnp.cumsum(jnp.exp(x) * 2, axis=0)  # a call: no fusion over it
            x = jax.nn.softmax(x)
        return x

    x = np.random.default_rng(0).standard_normal((40, 40)).astype(np.float32)
    program = Program(trace(f, x), "test")
    assert program.arena_bytes <= 2 * x.nbytes
    np.testing.assert_allclose(program([x])[0], f(x), rtol=1e-4, atol=1e-6)


# --- re-entrancy


def test_threads_in_one_program():
    def f(x):
        y = jnp.sort(jnp.sin(x) @ x, axis=0)
        return jax.nn.softmax(y) + x, y

    g = jax.jit(f)
    xs = [jnp.full((200, 200), k / 7) for k in range(6)]
    expected = [[np.asarray(o).copy() for o in g(x)] for x in xs]
    bad = []

    def work(k):
        kept = [g(xs[k]) for _ in range(20)]
        for outs in kept:
            for got, want in zip(outs, expected[k]):
                if not np.array_equal(got, want):
                    bad.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not bad


def test_a_callback_calls_its_own_program():
    aval = jax.ShapeDtypeStruct((64, 64), np.float32)

    @jax.jit
    def f(x, depth):
        y = jnp.sort(jnp.sin(x), axis=0) * 2
        inner = jax.pure_callback(call, aval, y, depth)
        return jnp.cumsum(y, 0) + inner

    def call(y, depth):
        return np.asarray(f(y, depth - 1)) if depth > 0 else np.zeros_like(y)

    def plain(x, depth):
        y = np.sort(np.sin(x), axis=0) * 2
        inner = plain(y, depth - 1) if depth > 0 else 0
        return np.cumsum(y, 0) + inner

    x = np.random.default_rng(0).standard_normal((64, 64)).astype(np.float32)
    np.testing.assert_allclose(f(x, 3), plain(x, 3), rtol=1e-4, atol=1e-4)


def test_closed_constants_are_not_donated():
    w = jnp.ones(N) * 5
    f = jax.jit(lambda x: (x + w, w * 1), donate_argnums=0)
    for _ in range(2):
        a, b = f(jnp.ones(N) + 0)
        assert (a == 6).all() and (b == 5).all()
    assert (w == 5).all()


def test_plans_of_empty_programs():
    closed = ClosedJaxpr(Jaxpr([], [], [], []), [])
    assert Program(closed, "empty")([]) == []
