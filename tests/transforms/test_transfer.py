"""device_put and device_get: values there and back."""

import numpy as np
import pytest

import jaxlike as jax
from tests.transforms.functions import V


def test_there_and_back():
    tree = {"a": V, "b": (np.arange(3), None), "c": 2.0}
    on_device = jax.device_put(tree)
    assert all(isinstance(x, jax.Array) for x in jax.tree.leaves(on_device))
    back = jax.device_get(on_device)
    assert isinstance(back["a"], np.ndarray)
    np.testing.assert_array_equal(back["a"], V)


def test_later_changes_of_the_source_do_not_show():
    v = V.copy()
    x = jax.device_put(v)
    v[:] = 7
    np.testing.assert_array_equal(x, V)


def test_a_device_is_kept():
    device = jax.devices()[0]
    assert jax.device_put(V, device).devices() == {device}


def test_under_transforms():
    f = lambda x: jax.device_put(x) * x
    assert float(jax.grad(f)(3.0)) == 6
    np.testing.assert_allclose(jax.jit(jax.vmap(f))(V), V * V)


def test_what_is_no_array_is_refused():
    with pytest.raises(TypeError, match="takes arrays and numbers"):
        jax.device_put("text")


def test_live_arrays():
    x = jax.device_put(V)
    assert any(a is x for a in jax.live_arrays())
    x.delete()
    assert not any(a is x for a in jax.live_arrays())


def test_waiting_returns_the_tree():
    tree = {"a": jax.device_put(V), "b": 3}
    assert jax.block_until_ready(tree) is tree
    assert jax.copy_to_host_async(tree) is tree
