"""Random bits and samples: for the same key, those of jax."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
import jaxlike.random
from tests.parity.compare import check_same

jax = pytest.importorskip("jax")

EXACT = """
random.key_data(random.key(0))
random.key_data(random.key(-1))
random.key_data(random.key(2**31 - 1))
random.PRNGKey(42)
random.split(random.PRNGKey(0))
random.split(random.PRNGKey(0), 5)
random.split(random.PRNGKey(0), (2, 3))
random.key_data(random.split(random.key(7), 4))
random.fold_in(random.PRNGKey(0), 3)
random.key_data(random.fold_in(random.key(1), 2**30))
random.key_data(random.key(3, impl="rbg"))
random.key_data(random.split(random.key(3, impl="rbg")))
random.key_data(random.split(random.key(3, impl="unsafe_rbg")))
random.key_data(random.fold_in(random.key(3, impl="rbg"), 5))
random.bits(key, (5,))
random.bits(key, (3, 4), jnp.uint8)
random.bits(key, (3, 4), jnp.uint16)
random.bits(key, ())
random.bits(key, (0,))
random.bits(random.key(3, impl="rbg"), (5,))
random.randint(key, (7,), 0, 10)
random.randint(key, (7,), -5, 5, jnp.int8)
random.randint(key, (3,), jnp.array([0, 5, 10]), jnp.array([1, 9, 20]))
random.bernoulli(key)
random.bernoulli(key, 0.3, (9,))
random.bernoulli(key, jnp.array([0.0, 0.5, 1.0]))
random.rademacher(key, (6,))
random.permutation(key, 9)
random.permutation(key, jnp.arange(12).reshape(4, 3))
random.permutation(key, jnp.arange(12).reshape(4, 3), axis=1)
random.permutation(key, jnp.arange(12).reshape(4, 3), independent=True)
random.choice(key, 9)
random.choice(key, 9, (4,))
random.choice(key, 9, (4,), replace=False)
random.choice(key, jnp.arange(10, 16), (4,), p=jnp.array([0.1, 0.2, 0.3, 0.4, 0, 0]))
random.categorical(key, jnp.zeros((4, 3)))
random.categorical(key, jnp.array([0.1, 2.0, -1.0]), shape=(7,))
random.categorical(key, jnp.zeros((4, 3)), axis=0)
random.poisson(key, 3.0, (9,))
random.geometric(key, 0.3, (9,))
random.key_data(random.wrap_key_data(jnp.array([1, 2], jnp.uint32)))
random.bits(jax.vmap(random.key)(jnp.arange(3))[1], (2,))
jax.vmap(lambda k: random.bits(k, (2,)))(random.split(key, 3))
jax.jit(lambda k: random.bits(k, (4,)))(key)
random.uniform(3)
random.split(jnp.zeros(3))
random.uniform(key, (2,), dtype=jnp.int32)
random.key(1.5)
"""

CLOSE = """
random.uniform(key, (8,))
random.uniform(key, (8,), minval=-2.0, maxval=3.0)
random.uniform(key, (8,), jnp.bfloat16)
random.uniform(key, (8,), jnp.float16)
random.uniform(key)
random.normal(key, (8,))
random.normal(key, (2, 3), jnp.float16)
random.normal(key, (4,), jnp.complex64)
random.truncated_normal(key, -2, 2, (8,))
random.truncated_normal(key, jnp.array([0.0, 1.0]), 3.0)
random.gumbel(key, (8,))
random.exponential(key, (8,))
random.laplace(key, (8,))
random.logistic(key, (8,))
random.cauchy(key, (8,))
random.gamma(key, 2.5, (8,))
random.gamma(key, 0.3, (8,))
random.gamma(key, jnp.array([0.5, 1.0, 20.0]))
random.loggamma(key, 0.1, (8,))
random.beta(key, 2.0, 3.0, (8,))
random.dirichlet(key, jnp.array([1.0, 2.0, 3.0]), (4,))
random.chisquare(key, 3.0, shape=(5,))
random.t(key, 3.0, (5,))
random.rayleigh(key, 2.0, (5,))
random.lognormal(key, shape=(5,))
random.pareto(key, 2.0, (5,))
random.weibull_min(key, 1.0, 2.0, (5,))
random.triangular(key, 0.0, 1.0, 3.0, (5,))
random.maxwell(key, (5,))
random.multivariate_normal(key, jnp.zeros(2), jnp.array([[2.0, 0.5], [0.5, 1.0]]), (4,))
random.orthogonal(key, 3)
random.ball(key, 3, shape=(4,))
jax.grad(lambda a: random.gamma(key, a))(2.0)
jax.grad(lambda s: s * random.normal(key))(2.0)
jax.vmap(lambda k: random.normal(k, (2,)))(random.split(key, 3))
jax.jit(lambda k: random.normal(k, (4,)))(key)
nn.initializers.he_normal()(key, (3, 4))
nn.initializers.glorot_uniform()(key, (3, 4))
nn.initializers.lecun_normal()(key, (3, 3, 2, 4))
nn.initializers.orthogonal()(key, (3, 4))
nn.initializers.truncated_normal()(key, (3, 4))
nn.initializers.variance_scaling(2.0, "fan_geo_avg", "normal")(key, (3, 4))
nn.initializers.variance_scaling(2.0, "fan_in", "uniform")(key, (3, 4), jnp.complex64)
nn.initializers.delta_orthogonal()(key, (3, 3, 2, 4))
nn.initializers.constant(2.0)(key, (3,))
nn.initializers.normal(0.5)(key, (3,), jnp.bfloat16)
nn.initializers.zeros(key, (3,))
nn.initializers.he_normal()(key, (3,))
"""


def evaluate(text, library):
    import importlib

    nn = importlib.import_module(f"{library.__name__}.nn")
    importlib.import_module(f"{library.__name__}.nn.initializers")
    random = library.random
    names = {
        "jax": library,
        "jnp": library.numpy,
        "nn": nn,
        "random": random,
        "key": random.key(1701),
    }
    return eval(text, names)


@pytest.mark.parametrize("text", (EXACT + CLOSE).strip().split("\n"))
def test_same_samples(text):
    if text:
        check_same(lambda library: evaluate(text, library), jaxlike, jax)


@pytest.mark.parametrize("text", EXACT.strip().split("\n")[:32])
def test_bits_are_equal(text):
    try:
        expected = evaluate(text, jax)
    except Exception:
        return
    np.testing.assert_array_equal(evaluate(text, jaxlike), expected)


def test_a_million_bits():
    ours = jaxlike.random.bits(jaxlike.random.key(5), (1 << 20,))
    theirs = jax.random.bits(jax.random.key(5), (1 << 20,))
    np.testing.assert_array_equal(ours, theirs)
