"""Jacobians: forward is reverse, rows and columns in the right places."""

import numpy as np

import jaxlike as jax
import jaxlike.numpy as jnp
from tests.transforms.functions import PARAMS, V, X, close, model, wave


def test_forward_is_reverse():
    f = lambda p: {"y": jnp.tanh(X @ p["w"]), "b": p["b"] ** 2}
    close(jax.jacfwd(f)(PARAMS), jax.jacrev(f)(PARAMS), 1e-4)


def test_shapes_and_diagonals():
    j = jax.jacobian(wave)(V)
    np.testing.assert_allclose(j, np.diag(jax.vmap(jax.grad(wave))(V)), rtol=1e-5)
    assert jax.jacfwd(lambda x: x[0])(X).shape == (3, 2, 3)


def test_hessian_is_symmetric_and_quadratic_forms_give_their_matrix():
    a = np.array([[2.0, 1.0, 0], [1.0, 3.0, 0], [0, 0, 1.0]], np.float32)
    np.testing.assert_allclose(jax.hessian(lambda x: x @ a @ x)(V), 2 * a, rtol=1e-5)
    h = jax.hessian(model)(PARAMS, X)
    close(h["w"]["b"], np.moveaxis(np.asarray(h["b"]["w"]), 0, -1), 1e-4)


def test_aux_comes_along():
    j, aux = jax.jacfwd(lambda x: (x * 2, {"x": x.sum()}), has_aux=True)(V)
    np.testing.assert_allclose(j, 2 * np.eye(3))
    assert aux["x"].shape == ()
