"""Initialisers: their variances, bounds, and which axes count as fans."""

from __future__ import annotations

import math

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike.nn import initializers as init

KEY = jax.random.key(2)
SHAPE = (120, 80)
FAN_IN, FAN_OUT = SHAPE

# name -> the variance of an element
VARIANCES = {
    "glorot_uniform": 2 / (FAN_IN + FAN_OUT),
    "glorot_normal": 2 / (FAN_IN + FAN_OUT),
    "lecun_uniform": 1 / FAN_IN,
    "lecun_normal": 1 / FAN_IN,
    "he_uniform": 2 / FAN_IN,
    "he_normal": 2 / FAN_IN,
}


@pytest.mark.parametrize("name", VARIANCES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64"])
def test_variances(name, dtype):
    x = getattr(init, name)(dtype=dtype)(KEY, SHAPE)
    assert x.dtype == dtype and x.shape == SHAPE
    x = np.asarray(x).astype(complex)
    variance = VARIANCES[name]
    assert abs(np.mean(abs(x) ** 2) / variance - 1) < 0.05
    assert abs(np.mean(x)) < 4 * math.sqrt(variance / x.size)
    if "uniform" in name and dtype == "float32":
        bound = math.sqrt(3 * variance)
        assert abs(x).max() <= bound and abs(x).max() > 0.99 * bound
    if "normal" in name and dtype == "float32":  # cut at two standard deviations
        assert abs(x).max() < 2 * math.sqrt(variance) / 0.87


def test_aliases():
    for alias, name in (
        ("xavier_uniform", "glorot_uniform"),
        ("xavier_normal", "glorot_normal"),
        ("kaiming_uniform", "he_uniform"),
        ("kaiming_normal", "he_normal"),
    ):
        a, b = (getattr(init, n)()(KEY, (3, 4)) for n in (alias, name))
        assert (a == b).all()


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg", "fan_geo_avg"])
@pytest.mark.parametrize("distribution", ["uniform", "normal", "truncated_normal"])
def test_variance_scaling(mode, distribution):
    fan = {
        "fan_in": FAN_IN,
        "fan_out": FAN_OUT,
        "fan_avg": (FAN_IN + FAN_OUT) / 2,
        "fan_geo_avg": math.sqrt(FAN_IN * FAN_OUT),
    }[mode]
    x = init.variance_scaling(3.0, mode, distribution)(KEY, SHAPE)
    assert abs(np.var(x) * fan / 3.0 - 1) < 0.05


def test_fans_of_convolutions():
    # the receptive field counts in both fans, a batch axis in neither
    x = init.he_normal()(KEY, (3, 3, 32, 64))
    assert abs(np.var(x) * 9 * 32 / 2 - 1) < 0.05
    x = init.lecun_normal(in_axis=1, out_axis=2, batch_axis=0)(KEY, (5, 60, 40))
    assert abs(np.var(x) * 60 - 1) < 0.05
    x = init.lecun_normal(in_axis=(0, 1), out_axis=2)(KEY, (6, 10, 50))
    assert abs(np.var(x) * 60 - 1) < 0.06


def test_plain_ones():
    assert (init.zeros(KEY, (2, 3)) == 0).all() and (init.ones(KEY, (2,)) == 1).all()
    assert (init.constant(3.0)(KEY, (2,), "int32") == 3).all()
    assert abs(np.std(init.normal(0.3)(KEY, SHAPE)) / 0.3 - 1) < 0.05
    x = init.uniform(0.5)(KEY, SHAPE)
    assert x.min() >= 0 and x.max() < 0.5 and x.max() > 0.49
    x = init.truncated_normal(0.1, lower=-1.0, upper=0.5)(KEY, SHAPE)
    assert x.min() >= -0.1 and x.max() <= 0.05


@pytest.mark.parametrize("shape", [(6, 6), (8, 5), (5, 8), (2, 3, 6)])
def test_orthogonal(shape):
    x = np.asarray(init.orthogonal(2.0)(KEY, shape)).reshape(-1, shape[-1])
    small = x @ x.T if x.shape[0] < x.shape[1] else x.T @ x
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-4)


def test_delta_orthogonal():
    x = np.array(init.delta_orthogonal()(KEY, (3, 3, 4, 6)))
    np.testing.assert_allclose(x[1, 1] @ x[1, 1].T, np.eye(4), atol=1e-5)
    x[1, 1] = 0
    assert not x.any()


def test_they_run_under_jit_and_vmap():
    f = init.glorot_normal()
    assert jnp.allclose(jax.jit(lambda k: f(k, (3, 4)))(KEY), f(KEY, (3, 4)))
    keys = jax.random.split(KEY, 2)
    assert jax.vmap(lambda k: f(k, (3, 4)))(keys).shape == (2, 3, 4)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: init.variance_scaling(1.0, "fan_up", "normal")(KEY, (2, 2)), "fan_up"),
        (lambda: init.variance_scaling(1.0, "fan_in", "cauchy")(KEY, (2, 2)), "cauchy"),
        (lambda: init.he_normal()(KEY, (3,)), "2"),
        (lambda: init.orthogonal()(KEY, (3,)), "2 axes"),
        (lambda: init.delta_orthogonal()(KEY, (3, 3)), "3 to 5"),
        (lambda: init.delta_orthogonal()(KEY, (3, 6, 4)), "outputs"),
    ],
)
def test_errors(call, says):
    with pytest.raises(ValueError) as caught:
        call()
    assert says in str(caught.value).partition("\n  at ")[0]
