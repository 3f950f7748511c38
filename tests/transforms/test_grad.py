"""grad and value_and_grad: differences, aux, and Python's control flow."""

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from tests.transforms.functions import PARAMS, V, X, close, model, wave


def test_value_and_grad_is_both():
    value, g = jax.value_and_grad(model)(PARAMS, X)
    close(value, model(PARAMS, X))
    close(g, jax.grad(model)(PARAMS, X))
    assert jax.tree.structure(g) == jax.tree.structure(PARAMS)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_exp(order):
    f = jnp.exp
    for _ in range(order):
        f = jax.grad(f)
    np.testing.assert_allclose(f(0.5), np.exp(0.5), rtol=1e-5)


def test_gradient_against_differences():
    g = jax.grad(lambda v: wave(v).sum())(V)
    eps = 1e-2
    for i in range(3):
        d = np.zeros(3, np.float32)
        d[i] = eps
        expected = (wave(V + d).sum() - wave(V - d).sum()) / (2 * eps)
        np.testing.assert_allclose(g[i], expected, rtol=1e-2)


def test_python_control_flow_on_concrete_values():
    def f(x):
        total = 0.0
        while x < 10:
            total = total + (x * 2 if x > 3 else x)
            x = x * 2
        return total * float(x > 1)

    assert float(jax.grad(f)(1.5)) == 1 + 2 + 2 * 4
    assert float(jax.jvp(f, (1.5,), (1.0,))[1]) == 11
    assert float(f"{jax.grad(lambda x: x * int(x))(2.5):.1f}") == 2.0


def test_what_is_not_differentiated_may_be_anything():
    f = lambda x, mode, table: x * table[mode]
    assert float(jax.grad(f)(2.0, "a", {"a": 3.0})) == 3.0


def test_aux_passes_through_untouched():
    marker = object()
    g, aux = jax.grad(lambda x: (x**2, {"x": x, "m": marker, "n": 3}), has_aux=True)(
        2.0
    )
    assert float(g) == 4 and aux["m"] is marker and aux["n"] == 3
    assert isinstance(aux["n"], int) and float(aux["x"]) == 2


def test_unused_argument_gets_zeros():
    g = jax.grad(lambda x, y: x, argnums=1)(1.0, X)
    np.testing.assert_array_equal(g, np.zeros_like(X))


def test_integers_get_float0():
    g = jax.grad(lambda p: p["x"] * p["n"], allow_int=True)({"x": 2.0, "n": 3})
    assert g["n"].dtype == jax.float0 and float(g["x"]) == 3


def test_no_confusion_of_perturbations():
    assert float(jax.grad(lambda x: x * jax.grad(lambda y: x + y)(1.0))(2.0)) == 1
