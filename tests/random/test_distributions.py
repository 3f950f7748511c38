"""Samplers against the distributions that they claim to draw from.

The keys are fixed, so that a test passes always or never; the bounds are those that a
right sampler misses once in a thousand keys.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import random

N = 4000
KEY = random.key(7)

# name -> (sampler of (key, shape), the distribution in SciPy)
CONTINUOUS = {
    "uniform": (
        lambda k, s: random.uniform(k, s, minval=-1, maxval=3),
        stats.uniform(-1, 4),
    ),
    "normal": (random.normal, stats.norm()),
    "truncated_normal": (
        lambda k, s: random.truncated_normal(k, -0.5, 2.0, s),
        stats.truncnorm(-0.5, 2.0),
    ),
    "exponential": (random.exponential, stats.expon()),
    "gumbel": (random.gumbel, stats.gumbel_r()),
    "laplace": (random.laplace, stats.laplace()),
    "logistic": (random.logistic, stats.logistic()),
    "cauchy": (random.cauchy, stats.cauchy()),
    "lognormal": (lambda k, s: random.lognormal(k, 0.7, s), stats.lognorm(0.7)),
    "pareto": (lambda k, s: random.pareto(k, 2.5, s), stats.pareto(2.5)),
    "rayleigh": (lambda k, s: random.rayleigh(k, 1.5, s), stats.rayleigh(scale=1.5)),
    "weibull_min": (
        lambda k, s: random.weibull_min(k, 2.0, 1.5, s),
        stats.weibull_min(1.5, scale=2.0),
    ),
    "maxwell": (random.maxwell, stats.maxwell()),
    "triangular": (
        lambda k, s: random.triangular(k, 0.0, 1.0, 4.0, s),
        stats.triang(0.25, scale=4.0),
    ),
    "wald": (lambda k, s: random.wald(k, 2.0, s), stats.invgauss(2.0)),
    "gamma": (lambda k, s: random.gamma(k, 2.3, s), stats.gamma(2.3)),
    "gamma of a small shape": (lambda k, s: random.gamma(k, 0.3, s), stats.gamma(0.3)),
    "loggamma": (lambda k, s: random.loggamma(k, 1.7, s), stats.loggamma(1.7)),
    "beta": (lambda k, s: random.beta(k, 0.7, 2.0, s), stats.beta(0.7, 2.0)),
    "chisquare": (lambda k, s: random.chisquare(k, 3.0, shape=s), stats.chi2(3.0)),
    "f": (lambda k, s: random.f(k, 5.0, 7.0, shape=s), stats.f(5.0, 7.0)),
    "t": (lambda k, s: random.t(k, 4.0, s), stats.t(4.0)),
    "generalized_normal": (
        lambda k, s: random.generalized_normal(k, 1.5, s),
        stats.gennorm(1.5),
    ),
    "dirichlet": (
        lambda k, s: random.dirichlet(k, jnp.array([1.0, 2.0, 3.0]), s)[..., 1],
        stats.beta(2.0, 4.0),
    ),
    "multivariate_normal": (
        lambda k, s: random.multivariate_normal(
            k, jnp.array([1.0, 0.0]), jnp.array([[4.0, 1.0], [1.0, 1.0]]), s
        )[..., 0],
        stats.norm(1.0, 2.0),
    ),
    "ball": (  # the radius of a point in the ball of 3 dimensions
        lambda k, s: jnp.linalg.norm(random.ball(k, 3, shape=s), axis=-1),
        stats.beta(3.0, 1.0),
    ),
}
DISCRETE = {
    "bernoulli": (lambda k, s: random.bernoulli(k, 0.3, s), stats.bernoulli(0.3)),
    "rademacher": (
        lambda k, s: (random.rademacher(k, s) + 1) // 2,
        stats.bernoulli(0.5),
    ),
    "randint": (lambda k, s: random.randint(k, s, -2, 5), stats.randint(-2, 5)),
    "poisson by waiting": (lambda k, s: random.poisson(k, 3.0, s), stats.poisson(3.0)),
    "poisson by rejection": (
        lambda k, s: random.poisson(k, 30.0, s),
        stats.poisson(30.0),
    ),
    "binomial by waiting": (
        lambda k, s: random.binomial(k, 9, 0.4, s),
        stats.binom(9, 0.4),
    ),
    "binomial by rejection": (
        lambda k, s: random.binomial(k, 60, 0.5, s),
        stats.binom(60, 0.5),
    ),
    "geometric": (lambda k, s: random.geometric(k, 0.3, s), stats.geom(0.3)),
    "categorical": (
        lambda k, s: random.categorical(
            k, jnp.log(jnp.array([0.2, 0.5, 0.3])), shape=s
        ),
        stats.rv_discrete(values=([0, 1, 2], [0.2, 0.5, 0.3])),
    ),
    "choice": (
        lambda k, s: random.choice(k, 3, s, p=jnp.array([0.2, 0.5, 0.3])),
        stats.rv_discrete(values=([0, 1, 2], [0.2, 0.5, 0.3])),
    ),
    "multinomial": (
        lambda k, s: random.multinomial(
            k, 6, jnp.array([0.2, 0.5, 0.3]), shape=(*s, 3)
        )[..., 1],
        stats.binom(6, 0.5),
    ),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name):
    sampler, distribution = CONTINUOUS[name]
    sample = np.asarray(sampler(KEY, (N,)))
    assert sample.shape == (N,) and sample.dtype == np.float32
    assert stats.kstest(sample, distribution.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name):
    sampler, distribution = DISCRETE[name]
    sample = np.asarray(sampler(KEY, (N,))).astype(int)
    values, counts = np.unique(sample, return_counts=True)
    expected = N * distribution.pmf(values)
    common = expected >= 5
    rest = N - expected[common].sum(), N - counts[common].sum()
    seen, wanted = [*counts[common]], [*expected[common]]
    if rest[0] > 1:
        seen, wanted = [*seen, rest[1]], [*wanted, rest[0]]
    wanted = np.array(wanted) * (sum(seen) / sum(wanted))
    assert stats.chisquare(seen, wanted).pvalue > 1e-3


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_each_key_has_its_own_sample_under_jit_and_vmap(name):
    sampler, _ = {**CONTINUOUS, **DISCRETE}[name]
    if name == "multinomial":  # its shape is fixed above
        return
    keys = random.split(KEY, 3)
    one_by_one = np.stack([sampler(k, (5,)) for k in keys])
    together = jax.jit(jax.vmap(lambda k: sampler(k, (5,))))(keys)
    np.testing.assert_allclose(together, one_by_one, rtol=2e-5, atol=1e-6)
    if name in CONTINUOUS:
        assert len(np.unique(one_by_one)) == 15


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_floats_of_each_width(dtype):
    for sampler in (random.uniform, random.normal, random.exponential, random.gumbel):
        sample = sampler(KEY, (500,), dtype)
        assert sample.dtype == dtype and jnp.isfinite(sample).all()
    x = random.uniform(KEY, (5000,), dtype)
    assert (x >= 0).all() and (x < 1).all()


def test_complex_normals_have_variance_one():
    x = np.asarray(random.normal(KEY, (N,), "complex64"))
    assert abs(np.mean(np.abs(x) ** 2) - 1) < 0.1
    assert abs(np.mean(x.real * x.imag)) < 0.05


def test_covariance():
    cov = jnp.array([[2.0, 0.6], [0.6, 0.5]])
    for method in ("cholesky", "eigh", "svd"):
        x = random.multivariate_normal(KEY, jnp.zeros(2), cov, (N,), method=method)
        np.testing.assert_allclose(np.cov(np.asarray(x).T), cov, atol=0.15)


def test_orthogonal_matrices():
    q = random.orthogonal(KEY, 4, (3,))
    eye = np.broadcast_to(np.eye(4), (3, 4, 4))
    np.testing.assert_allclose(q @ q.swapaxes(-1, -2), eye, atol=1e-5)


# (sampler of (key, parameter), the derivative of its mean)
MEANS = {
    "gamma": (random.gamma, lambda a: 1.0),
    "loggamma": (random.loggamma, lambda a: special.polygamma(1, a)),
    "beta": (lambda k, a: random.beta(k, a, 2.0), lambda a: 2 / (a + 2) ** 2),
    "chisquare": (random.chisquare, lambda a: 1.0),
    "dirichlet": (
        lambda k, a: random.dirichlet(k, jnp.stack([a, 2.0]))[0],
        lambda a: 2 / (a + 2) ** 2,
    ),
    "pareto": (lambda k, a: random.pareto(k, a + 2), lambda a: -1 / (a + 1) ** 2),
    "weibull_min": (lambda k, a: random.weibull_min(k, a, 1.0), lambda a: 1.0),
    "rayleigh": (random.rayleigh, lambda a: np.sqrt(np.pi / 2)),
}


@pytest.mark.parametrize("name", MEANS)
def test_the_mean_slope_of_samples_is_the_slope_of_the_mean(name):
    sampler, slope = MEANS[name]
    keys = random.split(KEY, 2000)
    slopes = jax.vmap(jax.grad(sampler, 1), (0, None))(keys, 1.7)
    error = np.std(slopes) / np.sqrt(len(slopes))
    assert abs(np.mean(slopes) - slope(1.7)) < 4 * error + 1e-4
