"""What the tests of transforms share: a few functions, and how often Python ran."""

from __future__ import annotations

import numpy as np

import jaxlike as jax
import jaxlike.numpy as jnp

X = np.linspace(-1, 1, 6).astype(np.float32).reshape(2, 3)
V = np.linspace(0.5, 2, 3).astype(np.float32)


def wave(x):
    return jnp.sin(x) * x + jnp.tanh(x)


def model(params, x):
    return (jnp.tanh(x @ params["w"] + params["b"]) ** 2).sum()


PARAMS = {"w": np.eye(3, dtype=np.float32) * 0.5, "b": V}


class Counted:
    """A function, and how often Python ran it."""

    def __init__(self, fun):
        self.fun, self.count = fun, 0
        self.__name__ = getattr(fun, "__name__", "fun")

    def __call__(self, *args, **kwargs):
        self.count += 1
        return self.fun(*args, **kwargs)


def primitives(closed) -> list[str]:
    """The names of all equations, those inside calls included."""
    names = []
    for eqn in closed.eqns:
        names.append(eqn.primitive.name)
        for value in eqn.params.values():
            if hasattr(value, "eqns"):
                names += primitives(value)
    return names


def close(a, b, tolerance=1e-4):
    jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance),
        a,
        b,
    )
