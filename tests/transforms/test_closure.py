"""closure_convert, custom_gradient, linear_call."""

import numpy as np

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike.custom_derivatives import linear_call
from tests.transforms.functions import V


def test_closure_convert_takes_out_what_is_differentiated():
    def outer(y):
        converted, consts = jax.closure_convert(lambda x: x * y + V.sum(), 2.0)
        assert len(consts) == 1
        return converted(3.0, *consts)

    assert float(jax.grad(outer)(2.0)) == 3
    assert len(jax.closure_convert(lambda x: x + V, V)[1]) == 0


def test_custom_gradient():
    f = jax.custom_gradient(lambda x, y: (x * y, lambda ct: (ct * 10, ct * 20)))
    for g in (jax.grad(f, (0, 1)), jax.jit(jax.grad(f, (0, 1)))):
        assert [float(v) for v in g(2.0, 3.0)] == [10, 20]
    np.testing.assert_allclose(jax.vmap(jax.grad(f))(V, V), np.full(3, 10))


def test_linear_call_has_the_transpose_it_is_given():
    f = lambda x: linear_call(lambda r, x: x / r, lambda r, ct: ct * r, 2.0, x)
    assert float(f(3.0)) == 1.5 and float(jax.grad(f)(3.0)) == 2
    assert float(jax.jit(jax.grad(f))(3.0)) == 2
    np.testing.assert_allclose(jax.vmap(jax.grad(f))(V), np.full(3, 2))
    # transposed twice it is itself
    twice = jax.linear_transpose(lambda ct: jax.linear_transpose(f, 1.0)(ct)[0], 1.0)
    assert float(twice(3.0)[0]) == 1.5


def test_named_call_is_the_function():
    named = jax.named_call(jnp.sin, name="wave")
    (eqn,) = jax.make_jaxpr(named)(1.0).eqns
    assert eqn.params["name"] == "wave"
    np.testing.assert_allclose(named(1.0), np.sin(1.0), rtol=1e-6)
