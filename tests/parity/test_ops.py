"""jaxlike.ops against jax.ops."""

from __future__ import annotations

import pytest

import jaxlike
import jaxlike.ops
from tests.parity.compare import check_same

jax = pytest.importorskip("jax")

CALLS = """
{f}(jnp.arange(5), ids)
{f}(jnp.arange(5.0), ids, num_segments=4)
{f}(jnp.arange(5.0), ids, 2)
{f}(jnp.arange(10.0).reshape(5, 2), ids, 3)
{f}(jnp.arange(5), jnp.array([0, -1, 1, 7, 1]), 3)
{f}(jnp.arange(5.0), ids, 4, bucket_size=2)
{f}(jnp.arange(5), jnp.sort(ids), 3, indices_are_sorted=True)
{f}(jnp.arange(5) > 2, ids, 3)
{f}(jnp.arange(5.0), ids, -1)
{f}([1, 2], [0, 0])
jax.jit(lambda d: {f}(d, ids, 3))(jnp.arange(5.0))
jax.jit(lambda i: {f}(jnp.arange(5.0), i))(ids)
jax.grad(lambda d: {f}(d, ids, 3).sum())(jnp.arange(1.0, 6.0))
jax.vmap(lambda d: {f}(d, ids, 3))(jnp.arange(10.0).reshape(2, 5))
"""


@pytest.mark.parametrize("text", CALLS.strip().splitlines())
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
def test_same(name, text):
    def call(library):
        names = {"jax": library, "jnp": library.numpy, "ops": library.ops}
        names["ids"] = library.numpy.array([0, 2, 0, 1, 2])
        return eval(text.format(f=f"ops.segment_{name}"), names)

    check_same(call, jaxlike, jax)
