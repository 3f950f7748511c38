"""custom_vjp: fwd and bwd in place of the derivative, under every transform."""

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from tests.transforms.functions import V
from tests.transforms.test_custom_jvp import WRAPPERS


@pytest.fixture
def tripled():
    f = jax.custom_vjp(jnp.sin)
    f.defvjp(lambda x: (f(x), x), lambda x, ct: (3 * jnp.cos(x) * ct,))
    return f


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_the_rule_is_used(tripled, wrap):
    f = wrap(tripled)
    np.testing.assert_allclose(f(2.0), np.sin(2.0), rtol=1e-5)
    for g in (jax.grad(f), jax.jit(jax.grad(f))):
        np.testing.assert_allclose(g(2.0), 3 * np.cos(2.0), rtol=1e-5)
    # bwd is differentiated by itself
    second = jax.grad(jax.grad(f))(2.0)
    np.testing.assert_allclose(second, -3 * np.sin(2.0), rtol=1e-5)


def test_gradient_clipping():
    clip = jax.custom_vjp(lambda x: x)
    clip.defvjp(lambda x: (x, None), lambda _, ct: (jnp.clip(ct, -1, 1),))
    g = jax.vmap(jax.grad(lambda x: clip(x) ** 2))(V)
    np.testing.assert_allclose(g, np.clip(2 * V, -1, 1))


def test_unbatched_argument_sums_its_cotangents():
    f = jax.custom_vjp(lambda w, x: w * x)
    f.defvjp(lambda w, x: (w * x, (w, x)), lambda r, ct: (ct * r[1], ct * r[0]))
    g = jax.grad(lambda w: jax.vmap(lambda x: f(w, x))(V).sum())(3.0)
    np.testing.assert_allclose(g, V.sum())


def test_none_is_a_zero_of_any_structure():
    f = jax.custom_vjp(lambda p, x: p["a"] * x)
    f.defvjp(lambda p, x: (p["a"] * x, p), lambda p, ct: (None, ct * p["a"]))
    g = jax.grad(f, (0, 1))({"a": 2.0, "b": V}, 3.0)
    assert float(g[0]["a"]) == 0 and float(g[1]) == 2
    np.testing.assert_array_equal(g[0]["b"], np.zeros(3))


def test_forward_mode_is_refused(tripled):
    with pytest.raises(TypeError, match="reverse mode only"):
        jax.jvp(tripled, (1.0,), (1.0,))


def test_functions_as_nondiff_arguments():
    f = jax.custom_vjp(lambda g, x: g(x), nondiff_argnums=(0,))
    f.defvjp(lambda g, x: (g(x), x), lambda g, x, ct: (ct * g(x),))
    assert float(jax.jit(jax.grad(lambda x: f(jnp.exp, x)))(0.0)) == 1
