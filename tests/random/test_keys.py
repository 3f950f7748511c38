"""Keys: split, fold_in, their words, and that equal keys give equal samples."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import random

IMPLS = ["threefry2x32", "rbg", "unsafe_rbg"]


@pytest.mark.parametrize("impl", IMPLS)
def test_equal_keys_give_equal_samples(impl):
    a, b = random.key(3, impl=impl), random.key(3, impl=impl)
    assert (random.bits(a, (5,)) == random.bits(b, (5,))).all()
    assert (random.bits(a, (5,)) != random.bits(random.key(4, impl=impl), (5,))).any()


@pytest.mark.parametrize("impl", IMPLS)
def test_split_gives_distinct_keys(impl):
    keys = random.split(random.key(0, impl=impl), (10, 10))
    words = np.asarray(random.key_data(keys)).reshape(100, -1)
    assert len(np.unique(words, axis=0)) == 100
    samples = jax.vmap(lambda k: random.bits(k))(keys.reshape(100))
    assert len(np.unique(samples)) == 100


def test_split_is_the_same_eagerly_and_staged():
    key = random.key(1)
    want = random.key_data(random.split(key, 3))
    for run in (jax.jit, lambda f: lambda k: jax.vmap(f)(k[None])[0]):
        got = run(lambda k: random.key_data(random.split(k, 3)))(key)
        assert (got == want).all()


def test_fold_in_depends_on_key_and_data():
    key, other = random.split(random.key(5))
    words = [
        tuple(random.key_data(random.fold_in(k, n)).tolist())
        for k in (key, other)
        for n in (0, 1, 2, 2**32 - 1)
    ]
    assert len(set(words)) == 8
    folded = jax.jit(random.fold_in)(key, 1)
    assert folded == random.fold_in(key, 1)


def test_words_and_back():
    key = random.key(9)
    assert random.wrap_key_data(random.key_data(key)) == key
    raw = random.PRNGKey(9)
    assert raw.dtype == np.uint32 and (random.key_data(key) == raw).all()
    assert (random.uniform(raw, (3,)) == random.uniform(key, (3,))).all()
    assert random.key_impl(key) == "threefry2x32"


def test_keys_are_arrays():
    keys = random.split(random.key(0), 6)
    assert jnp.issubdtype(keys.dtype, jax.dtypes.prng_key)
    assert keys.reshape(2, 3).T.shape == (3, 2)
    stacked = jnp.stack([keys[4], keys[1]])
    assert (stacked == keys[jnp.array([4, 1])]).all()
    assert jnp.concatenate([keys, keys]).shape == (12,)
    chosen = jnp.where(jnp.arange(6) < 3, keys, keys[::-1])
    assert chosen[0] == keys[0] and chosen[5] == keys[0]
    carried, _ = jax.lax.scan(lambda k, _: (random.split(k)[0], None), keys[0], None, 3)
    assert carried.dtype == keys.dtype and carried.shape == ()


def test_what_is_no_key_is_refused():
    with pytest.raises(TypeError, match=r"key"):
        random.normal(3)
    with pytest.raises(TypeError, match=r"seed"):
        random.key(1.5)
    with pytest.raises(ValueError, match=r"takes one key"):
        random.normal(random.split(random.key(0)), (2,))
    for fun in (lambda k: k + 1, jnp.sin, lambda k: -k, lambda k: k == 1):
        with pytest.raises(TypeError, match="key<fry>"):
            fun(random.key(0))
