"""Laws of the transforms on random programs, alone and in random stacks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxlike as jax
from jaxlike.core.check import check_jaxpr
from tests.programs import programs

QUICK = settings(max_examples=40, deadline=None)
CLOSE = {"rtol": 2e-4, "atol": 2e-4}


def scalar(program):
    """The program's result summed up, as a function to be differentiated."""
    lax = jax.lax

    def fun(*args):
        out = program.run(jax, *args)
        return lax.reduce_sum(out, tuple(range(out.ndim)))

    return fun


@QUICK
@given(programs())
def test_jit_is_eager(program):
    args = program.arguments()
    eager = program.run(jax, *args)
    jitted = jax.jit(lambda *xs: program.run(jax, *xs))(*args)
    np.testing.assert_allclose(eager, jitted, **CLOSE)


@QUICK
@given(programs())
def test_jaxprs_are_well_typed(program):
    args = program.arguments()
    fun = scalar(program)
    check_jaxpr(jax.make_jaxpr(fun)(*args).jaxpr)
    check_jaxpr(jax.make_jaxpr(jax.grad(fun))(*args).jaxpr)
    batched = [np.stack([a, a]) for a in args]
    check_jaxpr(jax.make_jaxpr(jax.vmap(fun))(*batched).jaxpr)


@QUICK
@given(programs())
def test_reverse_is_forward(program):
    args = program.arguments()
    fun = scalar(program)
    gradient = jax.grad(fun)(*args)
    tangent = program.arguments(seed=1)[0]
    zeros = [np.zeros_like(a) for a in args[1:]]
    _, directional = jax.jvp(fun, tuple(args), (tangent, *zeros))
    np.testing.assert_allclose(
        np.vdot(gradient, tangent), directional, rtol=1e-3, atol=1e-3
    )


@QUICK
@given(programs())
def test_linearize_is_jvp(program):
    args = tuple(program.arguments())
    tangents = tuple(program.arguments(seed=1))
    fun = scalar(program)
    value, tangent = jax.jvp(fun, args, tangents)
    linear_value, f_jvp = jax.linearize(fun, *args)
    np.testing.assert_allclose(value, linear_value, **CLOSE)
    np.testing.assert_allclose(tangent, f_jvp(*tangents), rtol=1e-3, atol=1e-3)


@QUICK
@given(programs())
def test_vmap_is_a_loop(program):
    batch = [program.arguments(seed) for seed in range(3)]
    stacked = [np.stack(column) for column in zip(*batch)]

    def fun(*args):
        return program.run(jax, *args)

    mapped = jax.vmap(fun)(*stacked)
    looped = np.stack([np.asarray(fun(*args)) for args in batch])
    np.testing.assert_allclose(mapped, looped, **CLOSE)
    if len(stacked) > 1:
        first = jax.vmap(fun, in_axes=(0,) + (None,) * (len(stacked) - 1))
        looped = np.stack([np.asarray(fun(a[0], *batch[0][1:])) for a in batch])
        np.testing.assert_allclose(first(stacked[0], *batch[0][1:]), looped, **CLOSE)


STACKS = {
    "jit": jax.jit,
    "grad": jax.grad,
    "vmap": jax.vmap,
    "checkpoint": jax.checkpoint,
    "jacfwd": jax.jacfwd,
}


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    programs(max_size=4), st.lists(st.sampled_from(["jit", "checkpoint"]), max_size=3)
)
def test_wrappers_change_no_gradient(program, names):
    args = program.arguments()
    fun = scalar(program)
    expected = jax.grad(fun)(*args)
    wrapped = fun
    for name in names:
        wrapped = STACKS[name](wrapped)
    gradient = jax.grad(wrapped)
    for name in names:
        gradient = STACKS[name](gradient)
    np.testing.assert_allclose(gradient(*args), expected, rtol=1e-3, atol=1e-3)


def elementwise_scalar(program):
    """A scalar function of one number, to be stacked under any transforms."""

    def fun(x):
        args = [jax.lax.broadcast(x, shape) for shape in program.shapes]
        out = program.run(jax, *args)
        return jax.lax.reduce_sum(out, tuple(range(out.ndim)))

    return fun


@settings(max_examples=30, deadline=None)
@given(
    programs(max_size=3),
    st.lists(st.sampled_from(sorted(STACKS)), min_size=1, max_size=4),
)
def test_any_stack_in_jit_is_the_stack(program, names):
    fun = elementwise_scalar(program)
    rank = names.count("vmap")
    for name in names:
        fun = STACKS[name](fun) if name != "vmap" else jax.vmap(fun)
        if name == "vmap":
            inner = fun
            fun = lambda x, inner=inner: jax.lax.reduce_sum(
                inner(jax.lax.broadcast(x, (2,))), (0,)
            )
    assert rank >= 0
    x = np.float32(0.3)
    np.testing.assert_allclose(fun(x), jax.jit(fun)(x), rtol=1e-3, atol=1e-3)
