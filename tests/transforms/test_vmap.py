"""vmap is a loop and a stack, for every way of naming axes."""

import itertools

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core.check import check_jaxpr
from tests.transforms.functions import PARAMS, V, X, close, model, wave


@pytest.mark.parametrize(
    "axes", list(itertools.product([0, 1, -1, -2, None], repeat=2))[:-1]
)
def test_vmap_is_a_loop(axes):
    x = np.arange(9, dtype=np.float32).reshape(3, 3)
    f = lambda a, b: (a * b).sum(-1) + a
    take = lambda v, axis, i: v if axis is None else np.take(v, i, axis)
    looped = np.stack([f(take(x, axes[0], i), take(x, axes[1], i)) for i in range(3)])
    np.testing.assert_allclose(jax.vmap(f, axes)(x, x), looped)


@pytest.mark.parametrize("out_axis", [0, 1, 2, -1, -2, -3])
def test_out_axes_move_the_batch(out_axis):
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    out = jax.vmap(lambda a: a * 2, out_axes=out_axis)(x)
    np.testing.assert_array_equal(np.moveaxis(np.asarray(out), out_axis, 0), x * 2)


def test_per_example_gradients_average_to_the_batch_gradient():
    each = jax.vmap(jax.grad(model), in_axes=(None, 0))(PARAMS, X[:, None])
    close(jax.tree.map(lambda g: g.sum(0), each), jax.grad(model)(PARAMS, X))


@pytest.mark.parametrize("outer", [jax.jit, lambda f: f])
def test_named_axes(outer):
    f = outer(
        jax.vmap(lambda x: x / lax.psum(x, "i") + lax.axis_index("i"), axis_name="i")
    )
    np.testing.assert_allclose(f(V), V / V.sum() + np.arange(3), rtol=1e-6)


def test_nested_vmaps_are_an_outer_product():
    f = jax.vmap(jax.vmap(jnp.multiply, (None, 0)), (0, None))
    np.testing.assert_allclose(f(V, V), np.outer(V, V))


def test_unbatched_results_stay_so():
    closed = jax.make_jaxpr(
        jax.vmap(lambda x, y: (x * 2, wave(y)), (0, None), (0, None))
    )(X, V)
    check_jaxpr(closed.jaxpr)
    assert [v.shape for v in closed.out_avals] == [(2, 3), (3,)]


def test_in_axes_trees():
    f = jax.vmap(lambda p, x: p["a"] * x + p["n"][0], ({"a": 1, "n": (None,)}, 0))
    out = f({"a": X.T, "n": (1.0,)}, X)
    np.testing.assert_allclose(out, X * X + 1)


def test_gathers_of_each_row():
    i = np.array([2, 0])
    np.testing.assert_array_equal(jax.vmap(lambda x, j: x[j])(X, i), X[[0, 1], i])
