"""Pooling: reductions over windows and their derivatives, any layout and overlap."""

from __future__ import annotations

import random

import ml_dtypes
import numpy as np
import pytest

import jaxlike
from jaxlike import lax
from jaxlike.backends.plan.window_choices import MAX_PHASES
from jaxlike.backends.plan.windows import MAX_WINDOW
from tests.backends.test_products import kernels_only, normal
from tests.backends.test_program import check

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = [np.float32] * 4 + [np.float64, np.float16, BFLOAT16, np.int8, np.uint32]
START = {"max": -np.inf, "min": np.inf, "add": 0}


@pytest.mark.parametrize("reducer", [lax.max, lax.min, lax.add])
@pytest.mark.parametrize("padding", ["VALID", "SAME"])
@pytest.mark.parametrize("steps", [(2, 2), (1, 3), (3, 1)])
def test_windows_and_gradients(reducer, padding, steps):
    x = normal(2, 7, 8, 5)
    start = {lax.max: -np.inf, lax.min: np.inf, lax.add: 0.0}[reducer]

    def pool(x):
        window, moves = (1, 2, 2, 1), (1, *steps, 1)
        return lax.reduce_window(x, np.float32(start), reducer, window, moves, padding)

    def loss(x):
        return lax.reduce_sum(lax.sin(pool(x)), (0, 1, 2, 3))

    assert kernels_only(check(pool, x))
    check(jaxlike.grad(loss), x, rtol=1e-4, atol=1e-5)


def test_windows_choose_the_first_of_equals():
    x = np.zeros((1, 4, 4, 3), np.float32)
    x[0, 1, 1, 0] = np.nan

    def loss(x):
        y = lax.reduce_window(
            x, np.float32(-np.inf), lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"
        )
        return lax.reduce_sum(y, (0, 1, 2, 3))

    assert kernels_only(check(jaxlike.grad(loss), x))


def random_pool(rng: random.Random, dtype, reducer: str):
    """(array, pooling) of a random window."""
    rank = rng.choice([1, 2, 2, 3, 4])
    shape = [rng.choice([1, 3, 5, 8, 17]) for _ in range(rank)]
    window = [rng.choice([1, 1, 2, 3, 4]) for _ in range(rank)]
    if np.prod(window) > MAX_WINDOW:
        window = [min(k, 2) for k in window]
    steps = [rng.choice([1, 1, 2, 3]) for _ in range(rank)]
    if np.prod(steps) > MAX_PHASES:
        steps = [min(s, 2) for s in steps]
    holes = [rng.choice([1, 1, 1, 2]) for _ in range(rank)]
    base = [rng.choice([1, 1, 1, 2]) for _ in range(rank)]
    padding = [(rng.randint(0, k - 1), rng.randint(0, k)) for k in window]
    moves = (steps, padding, base, holes)
    if reducer != "add" and rng.random() < 0.7:  # what select_and_scatter_add has
        moves = (steps, padding)
    kind = np.dtype(dtype).kind
    start = START[reducer]
    if kind in "iu" and reducer != "add":
        info = np.iinfo(dtype)
        start = info.min if reducer == "max" else info.max
    start = np.asarray(start).astype(dtype)

    def pool(x):
        return lax.reduce_window(x, start, getattr(lax, reducer), window, *moves)

    make = np.random.default_rng(rng.getrandbits(32))
    return make.integers(0, 9, shape).astype(dtype), pool


@pytest.mark.parametrize("seed", range(40))
def test_any_window(seed):
    rng = random.Random(seed)
    x, pool = random_pool(rng, rng.choice(DTYPES), rng.choice([*START]))
    if 0 not in jaxlike.eval_shape(pool, x).shape:
        assert kernels_only(check(pool, x, rtol=0, atol=0))


@pytest.mark.parametrize("seed", range(100, 130))
def test_derivatives_of_any_window(seed):
    """Equal elements abound, so that the choice among them counts."""
    rng = random.Random(seed)
    dtype = rng.choice([np.float32, np.float32, np.float64, np.float16])
    x, pool = random_pool(rng, dtype, rng.choice([*START]))
    shape = jaxlike.eval_shape(pool, x).shape
    if 0 in shape:
        return
    ct = np.random.default_rng(seed).integers(-5, 5, shape).astype(dtype)

    def pulled(x, ct):
        return jaxlike.vjp(pool, x)[1](ct)[0]

    def pushed(x, t):
        return jaxlike.jvp(pool, (x,), (t,))[1]

    assert kernels_only(check(pulled, x, ct, rtol=0, atol=0))
    assert kernels_only(check(pushed, x, (x * 3 + 1).astype(dtype), rtol=0, atol=0))


@pytest.mark.parametrize("size", [49, 64, 90])
@pytest.mark.parametrize("step", [1, 7, 64])
def test_long_windows(size, step):
    x = np.random.default_rng(0).integers(-9, 9, (3, 200, 4)).astype(np.float32)

    def f(x):
        moves = (1, size, 1), (1, step, 1), [(0, 0), (3, 5), (0, 0)]
        return (
            lax.reduce_window(x, np.float32(0), lax.add, *moves),
            lax.reduce_window(x, np.float32(-np.inf), lax.max, *moves),
        )

    assert kernels_only(check(f, x, rtol=0, atol=0))


def test_averages_over_all_of_an_image():
    """A pool over everything: an axis at a time."""

    def f(x):
        total = lax.reduce_window(
            x, np.float32(0), lax.add, (1, 56, 56, 1), (1, 1, 1, 1), "VALID"
        )
        return total / np.float32(56 * 56)

    assert kernels_only(check(f, normal(2, 56, 56, 20), rtol=1e-4, atol=1e-5))


def test_window_with_nan():
    x = normal(1, 9, 9, 3)
    x[0, 3:5, 4, 0] = np.nan
    x[0, 0, 0, 1] = -np.inf

    def pulled(x):
        moves = (1, 3, 3, 1), (1, 2, 2, 1), "SAME"
        f = lambda x: lax.reduce_window(x, np.float32(-np.inf), lax.max, *moves)
        y, back = jaxlike.vjp(f, x)
        return y, back(np.ones(y.shape, np.float32))[0]

    assert kernels_only(check(pulled, x))


def test_windows_over_whole_axes_are_reductions():
    def f(x):
        moves = (1, 5, 6, 1), (1, 2, 1, 1), "VALID"
        return [
            lax.reduce_window(lax.sin(x), np.float32(0), lax.add, *moves),
            lax.reduce_window(x, np.float32(-np.inf), lax.max, *moves),
        ]

    program = check(f, normal(3, 5, 6, 4), atol=1e-5)
    used = {eqn.primitive.name for eqn in program.closed.eqns}
    assert {"reduce_sum", "reduce_max"} < used and "reduce_window_sum" not in used


@pytest.mark.parametrize("steps", [(2, 2), (3, 2), (3, 3)])
@pytest.mark.parametrize("padding", ["VALID", "SAME", ((1, 2), (0, 1))])
def test_gradients_of_averages_repeat(steps, padding):
    """Where windows do not overlap, nothing is added up."""
    x = normal(2, 9, 7)

    def f(x):
        moves = (
            (1, *steps),
            padding if padding in ("VALID", "SAME") else ((0, 0), *padding),
        )
        y = lax.reduce_window(x, np.float32(0), lax.add, (1, 2, 2), *moves)
        return (y * y).sum()

    program = check(jaxlike.grad(f), x, atol=1e-5)
    used = [eqn.primitive.name for eqn in program.closed.eqns]
    assert used.count("reduce_window_sum") == 1
