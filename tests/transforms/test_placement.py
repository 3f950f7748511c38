"""jit's in_shardings, out_shardings and device, with one device to put things on."""

from __future__ import annotations

import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax

CPU = jax.devices()[0]
PLACE = jax.sharding.SingleDeviceSharding(CPU)


def test_results_are_put_where_out_shardings_say():
    f = jax.jit(lambda x: {"a": x + 1, "b": x}, out_shardings={"a": PLACE, "b": None})
    out = f(jnp.ones(2))
    assert out["a"].committed and not out["b"].committed
    (shard,) = out["a"].addressable_shards
    assert shard.device == CPU and (shard.data == 2).all()


def test_device_is_for_arguments_and_results():
    f = jax.jit(lambda x, n: x * n, device=CPU, static_argnums=1)
    assert f(jnp.ones(2), 3).committed
    assert jax.grad(lambda x: f(x, 3))(1.0) == 3.0
    assert f.lower(1.0, 2).compile()(4.0) == 8.0


def test_in_shardings_are_a_prefix_of_the_arguments():
    f = jax.jit(lambda x, y: x["w"] + y, in_shardings=(PLACE, None))
    assert f({"w": 1.0}, 2.0) == 3.0
    assert jax.vmap(f, ({"w": 0}, None))({"w": jnp.arange(2.0)}, 1.0).shape == (2,)
    with pytest.raises(ValueError, match="positional arguments, and was called with"):
        f({"w": 1.0}, y=2.0)
    with pytest.raises(ValueError, match=r"tuple of length 2 in in_shardings"):
        f({"w": 1.0})


def test_what_is_no_sharding_is_refused():
    with pytest.raises(TypeError, match="in_shardings of jit"):
        jax.jit(lambda x: x, in_shardings="cpu")
    with pytest.raises(ValueError, match="out_shardings of jit"):
        jax.jit(lambda x: x, out_shardings=(PLACE, PLACE))(1.0)


def test_with_sharding_constraint_is_the_identity_on_one_device():
    f = lambda x: lax.with_sharding_constraint(x, PLACE) * 2
    assert jax.jit(jax.grad(f))(1.0) == 2.0
    assert lax.with_sharding_constraint({"a": jnp.ones(1)}, PLACE)["a"].committed
