"""Callbacks: how often they are called, in which order, with which batch axes."""

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike.experimental import io_callback

V = np.arange(3, dtype=np.float32)
SCALAR = jax.ShapeDtypeStruct((), np.float32)


def sin(x, method=None):
    return jax.pure_callback(np.sin, SCALAR, x, vmap_method=method)


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit, jax.checkpoint])
def test_pure_callback(wrap):
    np.testing.assert_allclose(wrap(sin)(1.0), np.sin(1), rtol=1e-6)


@pytest.mark.parametrize("method", ["sequential", "expand_dims", "broadcast_all"])
@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit])
def test_vmap_methods(method, wrap):
    out = wrap(jax.vmap(lambda x: sin(x, method)))(V)
    np.testing.assert_allclose(out, np.sin(V), rtol=1e-6)
    twice = jax.vmap(jax.vmap(lambda x: sin(x, method)))(np.stack([V, V]))
    np.testing.assert_allclose(twice, np.sin(np.stack([V, V])), rtol=1e-6)


def test_derivatives_need_a_rule():
    with pytest.raises(ValueError, match="no derivative"):
        jax.grad(sin)(1.0)
    f = jax.custom_jvp(sin)
    f.defjvp(lambda p, t: (f(*p), jnp.cos(p[0]) * t[0]))
    np.testing.assert_allclose(jax.jit(jax.grad(f))(1.0), np.cos(1), rtol=1e-6)


@pytest.mark.parametrize(
    "result", [np.float32([1, 2]), np.int32(1), (np.float32(1),), np.complex64(1)]
)
def test_results_must_be_as_declared(result):
    with pytest.raises(RuntimeError):
        jax.jit(lambda x: jax.pure_callback(lambda _: result, SCALAR, x))(1.0)


def test_ordered_callbacks_keep_their_order():
    seen = []

    @jax.jit
    def f(x):
        for i in range(4):
            io_callback(
                lambda v, i=i: seen.append((i, float(v))), None, x, ordered=True
            )
        return jax.lax.fori_loop(0, 3, step, x)

    def step(i, c):
        io_callback(lambda k: seen.append(int(k)), None, i, ordered=True)
        return c + 1

    f(2.0)
    jax.effects_barrier()
    assert seen == [(i, 2.0) for i in range(4)] + [0, 1, 2]


def test_effects_are_not_removed_and_pure_calls_may_be():
    seen = []

    def f(x):
        io_callback(lambda v: seen.append("io"), None, x)
        return x

    jax.jit(f)(1.0)
    assert seen == ["io"]


def test_debug_callbacks_under_transforms():
    seen = []

    def f(x):
        jax.debug.callback(lambda v: seen.append(float(v)), x)
        return x * 2

    assert float(jax.grad(f)(2.0)) == 2
    jax.vmap(f)(V), jax.jit(f)(5.0)
    jax.effects_barrier()
    assert seen == [2.0, 0.0, 1.0, 2.0, 5.0]


def test_debug_print(capsys):
    jax.jit(lambda x: jax.debug.print("x is {x:.1f}, {}", x + 1, x=x))(2.0)
    jax.effects_barrier()
    assert capsys.readouterr().out == "x is 2.0, 3.0\n"
    with pytest.raises(ValueError):
        jax.debug.print("nothing", 1.0)


def test_errors_in_callbacks_surface():
    def broken(x):
        raise KeyError("mine")

    with pytest.raises(Exception, match="mine"):
        jax.jit(lambda x: jax.pure_callback(broken, SCALAR, x))(1.0)


def test_options_first_then_values_of_any_name(capsys):
    jax.debug.print(ordered=True)("{x} {ordered} {fmt}", x=1, ordered=2, fmt=3)
    assert capsys.readouterr().out == "1 2 3\n"
    seen = []
    jax.debug.callback(ordered=True)(
        lambda x, ordered: seen.append((x, ordered)), 1, ordered=2
    )
    assert seen == [(1, 2)]
    with pytest.raises(TypeError, match="without a format"):
        jax.debug.print(x=1)
