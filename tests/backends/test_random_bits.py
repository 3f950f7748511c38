"""Random bits in kernels: equal to the reference evaluation, and how few they are."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax, random
from jaxlike.backends.numba.program import Program
from jaxlike.core.array import to_buffer
from jaxlike.core.config import config, enable_x64
from jaxlike.core.jaxpr import ClosedJaxpr, evaluate_jaxpr
from jaxlike.transforms.make_jaxpr import make_jaxpr


def closed_of(fun, *args) -> ClosedJaxpr:
    closed = make_jaxpr(fun)(*args)
    return ClosedJaxpr(closed.jaxpr, [to_buffer(c) for c in closed.consts])


def check(fun, *args, exact=True) -> str:
    """jit agrees with the reference; what it compiled to."""
    closed = closed_of(fun, *args)
    want = evaluate_jaxpr(closed.jaxpr, closed.consts, *map(to_buffer, args))
    jitted = jaxlike.jit(fun)
    got = jaxlike.tree_util.tree_leaves(jitted(*args))
    for a, b in zip(got, want, strict=True):
        a = to_buffer(a)
        assert a.dtype == b.dtype and a.shape == b.shape
        if exact or a.dtype.kind == "V":
            assert np.array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)
    return jitted.lower(*args).compile().as_text()


def kernels(fun, *args, exact=False) -> int:
    head = check(fun, *args, exact=exact).split("\n")[0]
    assert " 0 calls" in head, head
    return int(head.split(": ")[-1].split()[0])


KEYS = [random.key(3), random.PRNGKey(11)]


@pytest.mark.parametrize("width", [8, 16, 32, 64])
def test_bits_of_every_width(width):
    with enable_x64(True):
        for shape in [(), (1,), (7,), (3, 5), (0,), (2, 0), (2, 1, 65)]:
            check(lambda k: random.bits(k, shape, f"uint{width}"), KEYS[0])


def test_arrays_of_keys():
    keys = random.split(random.key(0), (3, 2))
    draw = jaxlike.vmap(jaxlike.vmap(lambda k: random.bits(k, (5,))))
    check(draw, keys)
    check(lambda k: random.split(k, (2, 3)), KEYS[0])
    check(lambda k: jaxlike.vmap(random.split)(k.reshape(-1)), keys)
    check(lambda k: random.split(k, 0), KEYS[0])
    fold = jaxlike.vmap(random.fold_in)
    check(lambda k, i: fold(k.reshape(-1), i), keys, np.arange(6, dtype=np.uint32))
    each = jaxlike.vmap(random.fold_in, (None, 0))
    check(lambda k, i: each(k[0, 0], i), keys, np.arange(4, dtype=np.uint32))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64"])
def test_seeds(dtype):
    with enable_x64(True):
        seeds = np.array([0, 1, -1, 1 << 40]).astype(dtype)
        check(lambda s: jaxlike.vmap(random.key)(s), seeds)
        check(lambda s: random.PRNGKey(s), seeds[2])


def test_moving_keys_about():
    keys = random.split(random.key(0), 6)
    i = np.int32(4)
    check(lambda k: k.reshape(2, 3)[1, ::-1].T[None], keys)
    check(lambda k, i: random.bits(k[i], (3,)), keys, i)
    check(lambda k: jnp.concatenate([k[2:], k[:1]]), keys)
    check(lambda k, i: jnp.where(i > 2, k[0], k[1]), keys, i)
    check(lambda k: [random.clone(k), random.key_data(k), k], keys)
    check(lambda w: random.wrap_key_data(w[::2]), random.key_data(keys))
    check(lambda k: k.at[2].set(k[5]), keys)


def test_keys_in_loops_and_branches():
    def walk(key, i):
        def step(carry, x):
            key, total = carry
            key, sub = random.split(key)
            total = total + random.bits(sub, (3,)) + x
            return (key, total), sub

        start = (key, jnp.zeros(3, jnp.uint32))
        (key, total), subs = lax.scan(step, start, jnp.arange(4, dtype=jnp.uint32))
        key = lax.cond(i > 0, lambda k: random.fold_in(k, 1), lambda k: k, key)
        key = lax.while_loop(
            lambda k: random.bits(k) % 4 != 0, lambda k: random.split(k)[0], key
        )
        key = lax.fori_loop(0, i, lambda j, k: random.fold_in(k, j), key)
        return key, total, subs

    for key in KEYS:
        check(walk, key, np.int32(3))


def test_a_key_that_the_function_closes_over():
    key = random.key(5)
    check(lambda x: x + random.bits(key, (3,)), np.ones(3, np.uint32))


def test_other_generators_and_orders_are_called():
    for impl in ("rbg", "unsafe_rbg", "threefry4x32", "philox2x32"):
        check(lambda k: random.bits(random.split(k)[1], (5,)), random.key(1, impl=impl))
    before = config.threefry_partitionable
    config.update("jax_threefry_partitionable", False)
    try:
        check(lambda k: random.bits(random.split(k)[1], (5,)), random.key(1))
    finally:
        config.update("jax_threefry_partitionable", before)


def test_threefry2x32_itself():
    from jaxlike.primitives.random_bits import threefry2x32_p

    words = np.arange(8, dtype=np.uint32).reshape(2, 4)
    one = np.uint32(7)
    check(lambda a, b: threefry2x32_p.bind(a, b, b, a), words, words + one)
    check(lambda a, b: threefry2x32_p.bind(a, a, b, b), one, words)


def test_more_counters_than_a_word_has():
    """The high word of the counter, from 2**32 on: planned, not run."""
    closed = make_jaxpr(lambda k: random.bits(k, (1 << 20, 1 << 13))[-1, -1])(KEYS[0])
    program = Program(closed, "test")
    assert "shift_right_logical u64" in program.as_text()


SAMPLERS = {
    "uniform": lambda k: random.uniform(k, (40, 7)),
    "normal": lambda k: random.normal(k, (1000,)),
    "bernoulli": lambda k: random.bernoulli(k, 0.3, (1000,)),
    "exponential": lambda k: random.exponential(k, (1000,)),
    "gumbel": lambda k: random.gumbel(k, (1000,)),
    "randint": lambda k: random.randint(k, (1000,), 0, 10),
    "truncated normal": lambda k: random.truncated_normal(k, -1.0, 2.0, (1000,)),
    "categorical": lambda k: random.categorical(k, jnp.zeros(50), shape=(30,)),
    "split, normal": lambda k: random.normal(random.split(k)[1], (1000,)),
    "split": random.split,
    "fold_in": lambda k: random.fold_in(k, 9),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sample_is_one_kernel_from_the_key_on(name):
    for key in KEYS:
        assert kernels(SAMPLERS[name], key) == 1


def test_dropout_and_its_gradient_are_a_kernel_each():
    def dropout(x, key):
        keep = random.bernoulli(key, 0.9, x.shape)
        return jnp.where(keep, x / 0.9, 0)

    x = np.linspace(-1, 1, 200, dtype=np.float32).reshape(20, 10)
    assert kernels(dropout, x, KEYS[1]) == 1
    loss = lambda x, key: (dropout(x, key) ** 2).sum()
    assert kernels(jaxlike.grad(loss), x, KEYS[1]) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gamma_samples(dtype):
    """Draws of as many numbers as each lane needs, in one kernel."""
    from jaxlike.primitives.random_gamma import random_gamma_p

    rng = np.random.default_rng(0)
    with enable_x64(True):
        for shape, log_space in (((300,), False), ((5, 9), True), ((), False)):
            alpha = np.exp(3 * rng.standard_normal(shape)).astype(dtype)
            params = {"log_space": log_space}
            draw = lambda k, a: random_gamma_p.bind(k, a, **params)
            text = check(draw, KEYS[0], alpha, exact=False)
            assert "1 kernels, 0 calls" in text
        keys = random.split(KEYS[0], 6)
        alpha = np.array([0, 1e-20, 0.5, np.inf, np.nan, -1], dtype)
        alpha = np.stack([alpha] * 3, 1)
        check(
            lambda k, a: random_gamma_p.bind(k, a, **params), keys, alpha, exact=False
        )
