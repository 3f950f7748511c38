"""jvp and linearize as users call them: structures, types, and values."""

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from tests.transforms.functions import PARAMS, V, X, close, model, wave


def test_linear_functions_keep_no_trace():
    _, f_jvp = jax.linearize(wave, V)
    close(f_jvp(V), jax.jvp(wave, (V,), (V,))[1])
    with pytest.raises(ValueError):
        f_jvp(V[:2])


def test_jvp_is_the_slope_along_a_line():
    tangents = jax.tree.map(lambda x: np.cos(x).astype(np.float32), (PARAMS, X))
    y, t = jax.jvp(model, (PARAMS, X), tangents)
    at = lambda h: model(*jax.tree.map(lambda x, d: x + h * d, (PARAMS, X), tangents))
    close(y, at(0.0))
    close(t, jax.jacfwd(at)(0.0))


def test_jvp_and_linearize_agree_with_aux():
    f = lambda x: (jnp.sin(x), {"x": x})
    y, t, aux = jax.jvp(f, (V,), (V,), has_aux=True)
    y2, f_jvp, aux2 = jax.linearize(f, V, has_aux=True)
    close(y, y2)
    close(t, f_jvp(V))
    close(aux["x"], aux2["x"])


def test_tangents_of_integers_are_float0():
    zero = np.zeros((), jax.float0)
    _, t = jax.jvp(lambda x, n: (x * n, n), (2.0, 3), (1.0, zero))
    assert float(t[0]) == 3 and t[1].dtype == jax.float0
    with pytest.raises(TypeError, match="float0"):
        jax.jvp(lambda n: n, (3,), (1,))


def test_arguments_come_in_tuples():
    with pytest.raises(TypeError, match="tuple or list of primals"):
        jax.jvp(jnp.sin, 1.0, 1.0)
