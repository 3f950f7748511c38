"""debug_key_reuse: which uses of a key are one too many, eagerly and in jaxprs."""

from __future__ import annotations

import gc

import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax, random

uniform = random.uniform


def key():
    return random.key(0)


def twice(first, second=None):
    def run():
        k = key()
        first(k)
        (second or first)(k)

    return run


def draw_and_split(k, _):
    k, sub = random.split(k)
    return k, uniform(sub)


@jax.jit
def drawn(k):
    return uniform(k)


def rows(use):
    return lambda: use(random.split(key(), 4))


ALLOWED = {
    "split": lambda: [uniform(k) for k in random.split(key())],
    "a new key of the same seed": lambda: (uniform(key()), uniform(key())),
    "fold_in": twice(lambda k: uniform(random.fold_in(k, 1))),
    "clone": twice(uniform, lambda k: uniform(random.clone(k))),
    "words": twice(random.key_data, uniform),
    "rows": rows(lambda ks: (uniform(ks[0]), uniform(ks[1]), uniform(ks[2:][0]))),
    "vmap": rows(lambda ks: jax.vmap(uniform)(ks)),
    "jit": lambda: drawn(key()),
    "carry": lambda: lax.scan(draw_and_split, key(), None, length=3),
    "xs": rows(lambda ks: lax.scan(lambda c, k: (c, uniform(k)), 0, ks)),
    "branches": lambda: lax.cond(True, uniform, uniform, key()),
    "grad": lambda: jax.grad(lambda x, k: x * uniform(k))(1.0, key()),
    "remat": lambda: jax.grad(jax.checkpoint(lambda x, k: jnp.sin(x * uniform(k))))(
        1.0, key()
    ),
    "remat without grad": lambda: jax.checkpoint(uniform)(key()),
    "remat in jit": lambda: jax.jit(
        jax.grad(jax.checkpoint(lambda x, k: jnp.sin(x * uniform(k))))
    )(1.0, key()),
    "raw keys": lambda: [uniform(random.PRNGKey(0))] * 2,
    "one sample in two ways": lambda: (
        random.poisson(key(), 3.0),
        random.binomial(key(), 5, 0.3),
        jax.jit(random.poisson)(key(), 3.0),
        random.gamma(key(), 2.0),
        random.choice(key(), 5, (3,), replace=False),
        random.truncated_normal(key(), -1, 1),
        random.dirichlet(key(), jnp.ones(3)),
    ),
}
REFUSED = {
    "two samples": twice(uniform),
    "sample and split": twice(uniform, random.split),
    "two splits": twice(random.split),
    "split and sample": twice(random.split, uniform),
    "two kinds": twice(lambda k: random.randint(k, (), 0, 3), random.normal),
    "rows": rows(lambda ks: (uniform(ks[1]), uniform(ks[1:][0]))),
    "unpacked twice": rows(lambda ks: [uniform(k) for _ in range(2) for k in ks]),
    "reshaped": rows(lambda ks: (uniform(ks[2]), uniform(ks.reshape(2, 2)[1, 0]))),
    "stacked": twice(uniform, lambda k: uniform(jnp.stack([k, k])[0])),
    "in one jit": lambda: jax.jit(lambda k: uniform(k) + uniform(k))(key()),
    "rows in jit": rows(jax.jit(lambda ks: uniform(ks[0]) + uniform(ks[:2][0]))),
    "two calls": twice(drawn),
    "call and sample": twice(drawn, uniform),
    "result of a call": twice(
        lambda k: uniform(jax.jit(lambda k: (drawn(k), k))(k)[1])
    ),
    "const of scan": lambda: (
        lambda k: lax.scan(lambda c, _: (c, uniform(k)), 0, None, length=3)
    )(key()),
    "carry of scan": lambda: lax.scan(
        lambda k, _: (k, uniform(k)), key(), None, length=3
    ),
    "const of while": lambda: (
        lambda k: lax.while_loop(lambda x: x < 9, lambda x: x + 1 + uniform(k), 0.0)
    )(key()),
    "after a branch": lambda: (
        lambda k: (lax.cond(True, uniform, lambda k: 1.0, k), uniform(k))
    )(key()),
    "vmap after split": twice(lambda k: jax.vmap(uniform)(random.split(k))),
}


@pytest.mark.parametrize("run", ALLOWED.values(), ids=ALLOWED)
def test_one_use_is_allowed(run):
    with jax.debug_key_reuse(True):
        for _ in range(2):
            run()


@pytest.mark.parametrize("run", REFUSED.values(), ids=REFUSED)
def test_two_uses_are_refused(run):
    run()  # without the setting nobody looks
    with jax.debug_key_reuse(True), pytest.raises(jax.errors.KeyReuseError):
        run()


def test_the_memory_of_dead_keys_is_forgotten():
    from jaxlike.transforms import key_reuse

    with jax.debug_key_reuse(True):
        for _ in range(20):
            uniform(key())
            drawn(random.split(key())[1])
    gc.collect()
    assert not key_reuse._used
