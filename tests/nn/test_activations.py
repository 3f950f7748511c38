"""Activations: closed forms in double precision, slopes, and the two ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import nn

X = np.linspace(-7, 7, 57)[1::2]  # none of the kinks is among them
sigmoid = special.expit
ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805

# name -> the function in NumPy
CLOSED = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "sigmoid": sigmoid,
    "softplus": lambda x: np.logaddexp(x, 0),
    "sparse_plus": lambda x: np.where(
        x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)
    ),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "soft_sign": lambda x: x / (1 + abs(x)),
    "silu": lambda x: x * sigmoid(x),
    "swish": lambda x: x * sigmoid(x),
    "mish": lambda x: x * np.tanh(np.logaddexp(x, 0)),
    "log_sigmoid": lambda x: -np.logaddexp(-x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hard_silu": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "celu": lambda x: np.maximum(x, 0) + np.minimum(0, np.expm1(x)),
    "selu": lambda x: SCALE * np.where(x > 0, x, ALPHA * np.expm1(x)),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "identity": lambda x: x,
    "tanh": np.tanh,
}
FUNCTIONS = {name: getattr(nn, name) for name in CLOSED}
FUNCTIONS["gelu"] = lambda x: nn.gelu(x, approximate=False)
CLOSED["gelu"] = lambda x: x * special.ndtr(x)
FUNCTIONS["gelu approximate"] = nn.gelu
CLOSED["gelu approximate"] = lambda x: (
    x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
)


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms(name):
    want = CLOSED[name](X)
    for run in (lambda f: f, jax.jit, jax.vmap):
        got = run(FUNCTIONS[name])(jnp.asarray(X, "float32"))
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-6)
    with jax.enable_x64(True):
        got = FUNCTIONS[name](jnp.asarray(X))
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", CLOSED)
def test_slopes(name):
    h = 1e-6
    want = (CLOSED[name](X + h) - CLOSED[name](X - h)) / (2 * h)
    with jax.enable_x64(True):
        x = jnp.asarray(X)
        reverse = jax.vmap(jax.grad(FUNCTIONS[name]))(x)
        forward = jax.jvp(FUNCTIONS[name], (x,), (jnp.ones_like(x),))[1]
        second = jax.vmap(jax.grad(jax.grad(FUNCTIONS[name])))(x)
    np.testing.assert_allclose(reverse, want, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(forward, reverse, rtol=1e-12)
    assert np.isfinite(second).all()


@pytest.mark.parametrize("name", [n for n in CLOSED if n != "identity"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_far_out_nothing_overflows_that_is_finite(name, dtype):
    far = jnp.array([-1e4, -90.0, 90.0, 1e4], dtype)
    got = FUNCTIONS[name](far)
    assert got.dtype == dtype and not jnp.isnan(got).any()
    slopes = jax.vmap(jax.grad(FUNCTIONS[name]))(far)
    if ("squareplus" not in name and "gelu" not in name) or dtype != "float16":
        assert not jnp.isnan(slopes).any()


def test_the_slope_of_relu_at_its_kink_is_zero():
    assert jax.grad(nn.relu)(0.0) == 0 and jax.grad(nn.relu6)(6.0) == 0


@pytest.mark.parametrize("name", CLOSED)
def test_integers_become_floats(name):
    if name in ("sigmoid", "silu", "swish"):  # logistic takes floats, as in JAX
        return
    got = FUNCTIONS[name](jnp.array([-2, 0, 3]))
    kept = {"relu", "hard_tanh", "identity"}
    assert jnp.issubdtype(got.dtype, jnp.integer if name in kept else jnp.floating)
    np.testing.assert_allclose(got, CLOSED[name](np.array([-2.0, 0, 3])), rtol=1e-5)


def test_glu_gates_one_half_by_the_other():
    x = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    np.testing.assert_allclose(nn.glu(x), x[:, :4] * sigmoid(x[:, 4:]), rtol=1e-6)
    assert nn.glu(x.T, axis=0).shape == (4, 3)
    with pytest.raises(AssertionError, match="even"):  # JAX's class
        nn.glu(x[:, :3])


def test_log1mexp():
    x = np.array([1e-6, 0.1, 0.7, 3.0, 30.0])
    with jax.enable_x64(True):
        got = nn.log1mexp(jnp.asarray(x))
    want = np.where(x < 0.7, np.log(-np.expm1(-x)), np.log1p(-np.exp(-x)))
    np.testing.assert_allclose(got, want, rtol=1e-12)
