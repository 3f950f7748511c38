"""custom_vmap: the rule in place of batching, and under derivatives."""

import numpy as np

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike.custom_batching import custom_vmap, sequential_vmap
from tests.transforms.functions import V


def marked():
    f = custom_vmap(lambda x, y: x * y)
    f.def_vmap(lambda n, b, x, y: (jnp.multiply(x, y) + 100, True))
    return f


def test_the_rule_runs_in_place_of_batching():
    f = marked()
    assert float(f(2.0, 3.0)) == 6
    for g in (f, jax.jit(f)):
        np.testing.assert_allclose(jax.vmap(g, (0, None))(V, 2.0), V * 2 + 100)
    np.testing.assert_allclose(jax.jit(jax.vmap(f))(V, V), V * V + 100)


def test_derivatives():
    f = marked()
    assert float(jax.grad(f)(2.0, 3.0)) == 3
    assert float(jax.jvp(f, (2.0, 3.0), (1.0, 1.0))[1]) == 5
    y, t = jax.vmap(lambda x: jax.jvp(f, (x, 3.0), (1.0, 1.0)))(V)
    np.testing.assert_allclose(y, 3 * V + 100)
    np.testing.assert_allclose(t, 3 + V)
    np.testing.assert_allclose(jax.vmap(jax.grad(f), (0, None))(V, 3.0), 3 * np.ones(3))


def test_sequential_vmap_is_vmap():
    f = sequential_vmap(lambda x, y: jnp.sin(x) * y)
    g = lambda x, y: jnp.sin(x) * y
    for axes in ((0, 0), (None, 0), (0, None)):
        args = [V if a == 0 else V[0] for a in axes]
        np.testing.assert_allclose(
            jax.vmap(f, axes)(*args), jax.vmap(g, axes)(*args), rtol=1e-6
        )
    shapes = []
    jax.vmap(sequential_vmap(lambda x: shapes.append(x.shape) or x))(V)
    assert set(shapes) == {()}
