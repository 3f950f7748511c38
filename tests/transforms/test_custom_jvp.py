"""custom_jvp: the rule in place of the derivative, under every transform."""

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from tests.transforms.functions import V


@pytest.fixture
def tripled():
    f = jax.custom_jvp(jnp.sin)
    f.defjvp(lambda p, t: (f(*p), 3 * jnp.cos(p[0]) * t[0]))
    return f


WRAPPERS = {
    "eager": lambda f: f,
    "jit": jax.jit,
    "checkpoint": jax.checkpoint,
    "jit of jit": lambda f: jax.jit(jax.jit(f)),
    "vmap": lambda f: lambda x: jax.vmap(f)(jnp.array([x]))[0],
    "cond": lambda f: lambda x: jax.lax.cond(x > 9, jnp.exp, f, x),
    "scan": lambda f: lambda x: jax.lax.scan(lambda c, _: (f(c), 0), x, V[:1])[0],
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
@pytest.mark.parametrize("mode", ["reverse", "forward", "linearize"])
def test_the_rule_is_used(tripled, wrap, mode):
    f = wrap(tripled)
    derivative = {
        "reverse": jax.grad(f),
        "forward": lambda x: jax.jvp(f, (x,), (1.0,))[1],
        "linearize": lambda x: jax.linearize(f, x)[1](1.0),
    }[mode]
    np.testing.assert_allclose(f(2.0), np.sin(2.0), rtol=1e-5)
    np.testing.assert_allclose(derivative(2.0), 3 * np.cos(2.0), rtol=1e-5)
    np.testing.assert_allclose(jax.jit(derivative)(2.0), 3 * np.cos(2.0), rtol=1e-5)


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_second_order(tripled, wrap):
    second = jax.grad(jax.grad(wrap(tripled)))
    np.testing.assert_allclose(second(2.0), -3 * np.sin(2.0), rtol=1e-5)


def test_closures_over_batched_values():
    def outer(y):
        f = jax.custom_jvp(lambda x: x * y)
        f.defjvp(lambda p, t: (p[0] * y, t[0] * y * 2))
        return f(3.0)

    np.testing.assert_allclose(jax.vmap(outer)(V), 3 * V)


def test_unbatched_calls_stay_unbatched(tripled):
    out = jax.vmap(lambda x: (x, tripled(2.0)), out_axes=(0, None))(V)[1]
    assert out.shape == ()


def test_symbolic_zeros_say_what_is_constant():
    f, seen = jax.custom_jvp(lambda x, y: x * y), []

    def rule(primals, tangents):
        seen.append([type(t).__name__ for t in tangents])
        return f(*primals), tangents[1] * primals[0]

    f.defjvp(rule, symbolic_zeros=True)
    jax.grad(f, 1)(2.0, 3.0)
    assert seen[0][0] == "SymbolicZero" != seen[0][1]
