"""Constant folding: scalars into literals, dear arrays into constants."""

from __future__ import annotations

import numpy as np

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.transforms.rewrite.fold import MAX_ELEMENTS, fold_constants
from tests.transforms.rewrite.passes import names, rewritten, run

X = np.arange(3, dtype=np.float32)


def test_scalars_become_literals():
    after = rewritten(fold_constants, lambda x: x * jnp.sqrt(jnp.exp(2.0)), X)
    assert names(after) == ["mul"]
    assert after.jaxpr.constvars == []


def test_masks_stay_with_their_readers():
    def masked(x):
        return jnp.where(jnp.arange(3) < 2, x, 0)

    after = rewritten(fold_constants, masked, X)
    assert after.consts == [] and "iota" in names(after)


def test_dear_arrays_become_constants():
    def noisy(x):
        return x + jnp.sort(jax.random.normal(jax.random.PRNGKey(0), (3,)))

    after = rewritten(fold_constants, noisy, X)
    assert names(after) == ["add"] and len(after.consts) == 1
    kept = fold_constants(after, arrays=False)
    assert names(kept) == ["add"]


def test_no_arrays_on_demand():
    def sorted_(x):
        return x + jnp.sort(jnp.array([3.0, 1.0, 2.0]) * jnp.arange(3.0))

    after = rewritten(lambda c: fold_constants(c, arrays=False), sorted_, X)
    assert after.consts == [] or "sort" in names(after)


def test_large_arrays_are_not_kept():
    n = MAX_ELEMENTS + 1
    after = rewritten(fold_constants, lambda x: x + lax.cumsum(jnp.ones(n))[:3], X)
    assert "cumsum" in names(after)


def test_outputs_fold():
    after = rewritten(fold_constants, lambda x: (x, jnp.cos(0.0)), X)
    assert names(after) == []
    np.testing.assert_array_equal(run(after, X)[1], np.float32(1))


def test_effects_and_barriers_stay():
    def fun(x):
        jax.debug.print("here {}", 1.0)
        return x + lax.optimization_barrier(jnp.float32(2.0))

    closed = jax.make_jaxpr(fun)(X)
    assert names(fold_constants(closed)) == names(closed)
