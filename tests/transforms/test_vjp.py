"""vjp and linear_transpose: <vjp(c), t> = <c, jvp(t)>."""

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from tests.transforms.functions import PARAMS, V, X, model


def test_reverse_is_the_transpose_of_forward():
    y, pull = jax.vjp(model, PARAMS, X)
    tangents = jax.tree.map(lambda x: np.cos(x).astype(np.float32), (PARAMS, X))
    _, t = jax.jvp(model, (PARAMS, X), tangents)
    inner = sum(
        np.vdot(a, b)
        for a, b in zip(
            jax.tree.leaves(pull(jnp.ones_like(y))), jax.tree.leaves(tangents)
        )
    )
    np.testing.assert_allclose(inner, t, rtol=1e-4)


def test_linear_transpose_is_the_adjoint():
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    (back,) = jax.linear_transpose(lambda x: a @ x, V)(np.ones(2, np.float32))
    np.testing.assert_allclose(back, a.sum(0))


def test_a_pullback_is_a_pytree():
    pull = jax.jit(lambda x: jax.vjp(lambda y: y**3, x)[1])(2.0)
    assert float(pull(1.0)[0]) == 12


def test_a_pullback_serves_many_cotangents():
    _, pull = jax.vjp(lambda x: jnp.stack([x[0] * x[1], jnp.sin(x[2])]), V)
    (rows,) = jax.vmap(pull)(jnp.eye(2))
    np.testing.assert_allclose(rows[0], [V[1], V[0], 0], rtol=1e-6)
    np.testing.assert_allclose(rows[1], [0, 0, np.cos(V[2])], rtol=1e-6)
    with pytest.raises(ValueError, match="needs a cotangent f32"):
        pull(jnp.ones(3))


def test_integers_and_unused_arguments():
    y, pull, aux = jax.vjp(lambda x, n, z: (x * n, n), 2.0, 3, V, has_aux=True)
    assert float(y) == 6 and int(aux) == 3
    x_ct, n_ct, z_ct = pull(1.0)
    assert float(x_ct) == 3 and n_ct.dtype == jax.float0
    np.testing.assert_array_equal(z_ct, np.zeros_like(V))


def test_linear_transpose_takes_shapes_and_refuses_mixed_types():
    spec = jax.ShapeDtypeStruct((3,), np.float32)
    (back,) = jax.linear_transpose(lambda x: x.sum() * jnp.ones(2), spec)(jnp.ones(2))
    np.testing.assert_array_equal(back, [2, 2, 2])
    with pytest.raises(TypeError, match="floating-point"):
        jax.linear_transpose(lambda x: x.astype(int), 1.0)
