"""The laws of the primitives for random bits, which work on keys."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax, random
from jaxlike.core.check import check_jaxpr
from jaxlike.core.primitive import registry

KEYS = {"threefry2x32": 2, "rbg": 4, "unsafe_rbg": 4}


def plain(x):
    """Keys as their words, arrays as they are."""
    if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
        return np.asarray(random.key_data(x))
    return np.asarray(x)


FUNCTIONS = {
    "split": lambda k: random.split(k, 3),
    "fold_in": lambda k: random.fold_in(k, 7),
    "bits": lambda k: random.bits(k, (5,)),
    "bits of 8": lambda k: random.bits(k, (2, 3), jnp.uint8),
    "clone": random.clone,
    "data": random.key_data,
    "normal": lambda k: random.normal(k, (3,)),
    "gamma": lambda k: random.gamma(k, 1.5, (3,)),
    "permutation": lambda k: random.permutation(k, 6),
    "wrap": lambda k: random.wrap_key_data(random.key_data(k), impl=random.key_impl(k)),
}


@pytest.mark.parametrize("impl", KEYS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_staged_and_jitted_is_eager(name, impl):
    fun, key = FUNCTIONS[name], random.key(3, impl=impl)
    check_jaxpr(jax.make_jaxpr(fun)(key).jaxpr)
    expected = plain(fun(key))
    np.testing.assert_allclose(plain(jax.jit(fun)(key)), expected, rtol=1e-5)


# JAX's rbg draws a batch from its first key, so that a loop is another draw
LOOPS = [(name, "threefry2x32") for name in FUNCTIONS]
LOOPS += [(n, "rbg") for n in ("split", "fold_in", "data", "clone", "wrap")]


@pytest.mark.parametrize("name, impl", [pair for pair in LOOPS if pair[0] in FUNCTIONS])
def test_vmap_is_a_loop(name, impl):
    fun, keys = FUNCTIONS[name], random.split(random.key(5, impl=impl), 3)
    mapped = plain(jax.vmap(fun)(keys))
    looped = np.stack([plain(fun(keys[i])) for i in range(3)])
    np.testing.assert_allclose(mapped, looped, rtol=1e-5)


def test_seeds_batch():
    seeds = jnp.arange(4)
    mapped = random.key_data(jax.vmap(random.key)(seeds))
    looped = np.stack([plain(random.key(int(s))) for s in seeds])
    np.testing.assert_array_equal(mapped, looped)


def test_fold_in_batches_its_data():
    key = random.key(1)
    mapped = plain(jax.vmap(lambda d: random.fold_in(key, d))(jnp.arange(3)))
    looped = np.stack([plain(random.fold_in(key, i)) for i in range(3)])
    np.testing.assert_array_equal(mapped, looped)


def test_gamma_is_differentiable_in_its_shape_parameter():
    key = random.key(0)
    # the derivative by implicit reparametrisation is that of the same sample moved
    gradient = jax.grad(lambda a: random.gamma(key, a))(3.0)
    assert 0.1 < float(gradient) < 3.0
    batch = jax.vmap(jax.grad(lambda a: random.gamma(key, a)))(jnp.array([1.0, 3.0]))
    assert batch.shape == (2,)


def test_generators_of_lax():
    words = jnp.array([1, 2, 3, 4], jnp.uint32)
    new, bits = lax.rng_bit_generator(words, (5,))
    jitted = jax.jit(lambda k: lax.rng_bit_generator(k, (5,)))(words)
    np.testing.assert_array_equal(bits, jitted[1])
    assert new.shape == (4,) and bits.dtype == jnp.uint32
    sample = lax.rng_uniform(jnp.float32(2.0), jnp.float32(3.0), (100,))
    assert bool(jnp.all((sample >= 2) & (sample < 3)))


def test_keys_move_like_numbers():
    keys = random.split(random.key(0), 6)
    moved = jnp.concatenate([keys.reshape(2, 3)[1], keys[:1]])
    expected = np.concatenate([plain(keys)[3:], plain(keys)[:1]])
    np.testing.assert_array_equal(plain(moved), expected)
    scanned = lax.scan(lambda c, k: (c, random.bits(k)), 0, keys)[1]
    np.testing.assert_array_equal(scanned, jax.vmap(random.bits)(keys))


def test_threefry_is_the_published_cipher():
    # a known answer of Random123's threefry2x32 with 20 rounds (Salmon et al., 2011)
    threefry = registry["threefry2x32"]
    ones = np.array([0xFFFFFFFF], np.uint32)
    out = threefry.bind(ones[0], ones[0], ones, ones)
    assert [int(x[0]) for x in out] == [0x1CB996FC, 0xBB002BE7]


def test_threefry_words_are_those_of_the_cipher():
    rng = np.random.default_rng(0)
    words = list(rng.integers(0, 2**32, (4, 3), dtype=np.uint32))
    first, second = registry["threefry2x32"].bind(*words)
    word = registry["threefry_word"]
    for i, want in enumerate((first, second, first ^ second)):
        np.testing.assert_array_equal(word.bind(*words, word=i), want)
    batched = jax.vmap(lambda *ws: word.bind(*ws, word=1))(*words)
    np.testing.assert_array_equal(batched, second)
