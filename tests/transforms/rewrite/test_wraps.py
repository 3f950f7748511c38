"""Indices that are never negative are not wrapped around; others are."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike.numpy as jnp
from jaxlike.transforms.rewrite.dce import dce
from jaxlike.transforms.rewrite.inline import inline_calls
from jaxlike.transforms.rewrite.wraps import drop_wraps
from tests.transforms.rewrite.passes import names, rewritten

X = np.linspace(-1, 1, 20, dtype=np.float32).reshape(4, 5)

NEVER_NEGATIVE = {
    "iota": lambda x: x[jnp.arange(3)],
    "argmax": lambda x: x[0, jnp.argmax(x, 1)],
    "argsort": lambda x: x[jnp.argsort(x[:, 0])],
    "clipped": lambda x: x[jnp.clip(x[:, 0].astype(int), 0, 3)],
    "scaled": lambda x: x[2 * jnp.arange(2) + 1],
    "another dtype": lambda x: x[jnp.arange(3).astype(np.int8)],
    "another shape": lambda x: x[:, jnp.arange(4).reshape(2, 2).T],
}
MAYBE = {
    "an offset": lambda x: x[jnp.arange(3) - 1],
    "a narrow dtype": lambda x: x[jnp.arange(200).astype(np.int8)],
    "a product that wraps": lambda x: x[jnp.arange(200, dtype=np.int8) * np.int8(2)],
    "clipped below": lambda x: x[jnp.clip(x[:, 0].astype(int), -2, 3)],
}


def unwrapped(fun) -> list[str]:
    return names(rewritten(lambda c: dce(drop_wraps(inline_calls(c))), fun, X))


@pytest.mark.parametrize("name", NEVER_NEGATIVE)
def test_never_negative(name):
    assert "select_n" not in unwrapped(NEVER_NEGATIVE[name])


@pytest.mark.parametrize("name", MAYBE)
def test_maybe_negative(name):
    assert "select_n" in unwrapped(MAYBE[name])
