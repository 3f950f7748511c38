"""repr and str of arrays, letter by letter as jax prints them."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike.numpy as jnp

jax = pytest.importorskip("jax")

DTYPES = ("float32", "int32", "bool", "complex64", "uint8", "bfloat16", "float16")


def check(values, dtype):
    ours, theirs = jnp.asarray(values, dtype), jax.numpy.asarray(values, dtype)
    assert repr(ours) == repr(theirs)
    assert str(ours) == str(theirs)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_length(dtype):
    rng = np.random.default_rng(0)
    for n in (*range(30), 70, 1001):
        check((rng.normal(size=n) * 100).astype(np.float32).astype(dtype), dtype)
    for shape in ((), (0, 3), (3, 0), (2, 3), (3, 4, 5), (1, 1), (2, 50), (60, 60)):
        check((rng.normal(size=shape) * 100).astype(np.float32).astype(dtype), dtype)


def test_print_options_and_weak_types():
    rng = np.random.default_rng(0)
    with np.printoptions(linewidth=30, precision=2):
        for n in range(12):
            check(rng.normal(size=n), "float32")
            check(rng.normal(size=(2, n)), "float32")
    for value in (1.5, 3, 1j, True, -np.inf, np.nan):
        assert repr(jnp.asarray(value)) == repr(jax.numpy.asarray(value))
