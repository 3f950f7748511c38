"""Laws of jaxlike.numpy: staging changes nothing, vmap is a loop, derivatives fit."""

from __future__ import annotations

import numpy as onp
import pytest

import jaxlike
import jaxlike.numpy as np
from jaxlike.core import tree
from jaxlike.core.config import enable_x64
from jaxlike.core.jaxpr import eval_jaxpr
from tests.numpy.calls import DIFFERENTIABLE, OTHER
from tests.primitives.gradcheck import check_grads

SMOOTH = DIFFERENTIABLE.strip().splitlines()
ALL = SMOOTH + OTHER.strip().splitlines()
NAMES = ("x", "y", "p", "i", "m")


def operands(seed: int = 0) -> list[onp.ndarray]:
    rng = onp.random.default_rng(seed)
    x = rng.standard_normal((2, 3)).astype("float32")
    return [
        x,
        rng.standard_normal(3).astype("float32"),
        (abs(rng.standard_normal((2, 3))) + 0.5).astype("float32"),
        rng.integers(-4, 5, (2, 3)).astype("int32"),
        rng.random((2, 3)) > 0.4,
    ]


def call_of(text: str):
    code = compile(text, text, "eval")

    def call(*args):
        return eval(code, {"np": np, **dict(zip(NAMES, args))})

    return call


def assert_close(got, expected, rtol=2e-5) -> None:
    got, expected = tree.leaves(got), tree.leaves(expected)
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        onp.testing.assert_allclose(
            onp.asarray(a), onp.asarray(b), rtol=rtol, atol=1e-5
        )


@pytest.mark.parametrize("text", ALL)
def test_staged_is_eager(text: str):
    call = call_of(text)
    args = [np.asarray(a) for a in operands()]
    closed = jaxlike.make_jaxpr(call)(*args)
    expected = call(*args)
    got = eval_jaxpr(closed.jaxpr, closed.consts, *args)
    assert_close(got, tree.leaves(expected))
    # the second call takes the short way, if there is one
    assert_close(call(*args), expected, rtol=0)
    for aval, leaf in zip(closed.out_avals, tree.leaves(expected), strict=True):
        assert aval.weak_type == leaf.weak_type


@pytest.mark.parametrize("text", ALL)
def test_vmap_is_a_loop(text: str):
    call = call_of(text)
    rows = [operands(seed) for seed in range(3)]
    stacked = [np.asarray(onp.stack(column)) for column in zip(*rows)]
    got = tree.leaves(jaxlike.vmap(call)(*stacked))
    expected = [tree.leaves(call(*map(np.asarray, row))) for row in rows]
    for a, parts in zip(got, zip(*expected), strict=True):
        assert_close(a, np.stack(parts))


@pytest.mark.parametrize("text", SMOOTH)
def test_derivatives(text: str):
    call = call_of(text)
    x, y, p, i, m = operands()
    with enable_x64(True):
        wide = [a.astype("float64") for a in (x, y, p)]
        check_grads(
            lambda x, y, p: tree.leaves(call(x, y, p, i, m)),
            wide,
            order=1,
            rtol=1e-4,
            atol=1e-4,
        )


@pytest.mark.parametrize("text", ALL[::12])
def test_jit_is_eager(text: str):
    call = call_of(text)
    args = [np.asarray(a) for a in operands()]
    assert_close(jaxlike.jit(call)(*args), call(*args))
