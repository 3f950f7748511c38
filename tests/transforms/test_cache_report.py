"""What the log says of misses and compilations."""

from __future__ import annotations

import logging

import jaxlike as jax
import jaxlike.numpy as jnp


def messages(caplog):
    text = "\n".join(r.getMessage() for r in caplog.records)
    caplog.clear()
    return text


def test_misses_name_what_differs(caplog):
    caplog.set_level(logging.WARNING)

    def scale(x, n=1):
        return x * n

    f = jax.jit(scale, static_argnames="n")
    with jax.explain_cache_misses(True):
        f(jnp.ones(3))
        assert "scale has not been traced before" in messages(caplog)
        f(jnp.ones(4))
        assert "leaf 0 is f32[4], it was f32[3]" in messages(caplog)
        f(jnp.ones(4), n=2)
        assert "static arguments are {n: 2}" in messages(caplog)
        f(1.0, n=2)
        assert "f32[] (weak)" in messages(caplog)
        f(jnp.ones(4), n=2)
        assert messages(caplog) == ""


def test_compilations_are_logged(caplog):
    caplog.set_level(logging.WARNING)
    with jax.log_compiles(True):
        jax.jit(lambda x: x + 1)(jnp.ones(5))
    assert "Compiled <lambda> for (f32[5])" in messages(caplog)
