"""jit: eager's results, one trace a signature, donation, settings in the key."""

import gc
import weakref

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from tests.transforms.functions import PARAMS, Counted, V, X, close, model, wave


def test_jit_is_eager():
    close(jax.jit(wave)(X), wave(X))
    close(jax.jit(model)(PARAMS, X), model(PARAMS, X))
    close(jax.jit(jax.grad(model))(PARAMS, X), jax.grad(model)(PARAMS, X))


def test_no_second_trace():
    f = Counted(lambda p, x, scale=1.0: model(p, x) * scale)
    g = jax.jit(f)
    for _ in range(3):
        g(PARAMS, X)
        g(PARAMS, X, scale=2.0)
    assert f.count == 2


@pytest.mark.parametrize(
    "other", [X, V.astype(np.int32), np.float32(1), 1.0, [V], {"a": V}, None]
)
def test_another_signature_is_another_trace(other):
    f = Counted(lambda x: 0.0)
    g = jax.jit(f)
    g(V), g(other), g(V), g(other)
    assert f.count == 2


def test_jit_twice_of_one_function_traces_once():
    runs = []

    def f(x):
        runs.append(1)
        return x * 2

    for _ in range(3):
        jax.jit(f)(V)
    assert len(runs) == 1
    jax.jit(f, static_argnums=0)(2)
    assert len(runs) == 2


def test_caches_do_not_keep_functions_alive():
    def f(x):
        return x * 2

    jax.jit(f)(V)
    ref = weakref.ref(f)
    del f
    gc.collect()
    assert ref() is None


def test_closures_over_tracers():
    def outer(y):
        return jax.jit(lambda x: x * y)(3.0)

    assert float(jax.grad(outer)(2.0)) == 3
    np.testing.assert_allclose(jax.vmap(outer)(V), 3 * V)
    assert float(jax.jit(outer)(2.0)) == 6


def test_donated_arrays_are_gone():
    x, y = jnp.asarray(V), jnp.asarray(V)
    jax.jit(lambda x, y: x + y, donate_argnums=1)(x, y)
    assert y.is_deleted() and not x.is_deleted()
    with pytest.raises(RuntimeError, match="deleted"):
        y + 1
    with pytest.raises(RuntimeError, match="twice"):
        jax.jit(lambda x, y: x + y, donate_argnums=0)(x, x)


def test_settings_are_part_of_the_key():
    f = Counted(lambda x: x * 2)
    g = jax.jit(f)
    assert g(np.float64(1)).dtype == np.float32
    with jax.enable_x64(True):
        assert g(np.float64(1)).dtype == np.float64
    assert g(np.float64(1)).dtype == np.float32
    assert f.count == 2


def test_disable_jit_runs_python_each_time():
    f = Counted(lambda x: x if x > 0 else -x)
    with jax.disable_jit():
        assert float(jax.jit(f)(-1.0)) == 1
        jax.jit(f)(-1.0)
    assert f.count == 2


def test_static_arguments_are_python_values():
    f = jax.jit(
        lambda x, n, *, mode="a": x * n if mode == "a" else -x,
        static_argnums=1,
        static_argnames="mode",
    )
    assert float(f(2.0, 3)) == 6 and float(f(2.0, 3, mode="b")) == -2


def test_nan_inside_names_the_line():
    def f(x):
        return jnp.sqrt(x - 10) * 0

    with jax.debug_nans(True), pytest.raises(FloatingPointError, match="in f:  return"):
        jax.jit(f)(V)


def test_results_that_are_no_computation():
    assert jax.jit(lambda x: None)(1.0) is None
    a, b = jax.jit(lambda x: (x, 3))(V)
    np.testing.assert_array_equal(a, V)
    assert int(b) == 3 and b.weak_type
