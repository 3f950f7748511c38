"""Convolutions as kernels: any layout, groups, strides, dilations and dtype."""

from __future__ import annotations

import random

import ml_dtypes
import numpy as np
import pytest

import jaxlike
from jaxlike import lax
from jaxlike.backends.plan.convolutions import phases
from jaxlike.backends.plan.lowering import Lowered
from tests.backends.test_products import kernels_only
from tests.backends.test_program import check

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def random_convolution(rng: random.Random, dtype=np.float32):
    """(lhs, rhs, parameters) of a convolution that has a result."""
    rank = rng.choice([1, 1, 2, 2, 2, 3])
    feature_groups, batch_groups = rng.choice(
        [(1, 1), (1, 1), (3, 1), (1, 2), (16, 1), (1, 17)]
    )
    groups = max(feature_groups, batch_groups)
    channels, features = rng.choice([1, 1, 2, 5]), rng.choice([1, 1, 2, 3, 8, 20])
    n = rng.choice([1, 3]) * batch_groups
    space = [rng.choice([4, 7, 9]) for _ in range(rank)]
    kernel = [rng.choice([1, 2, 3]) for _ in range(rank)]
    if rng.random() < 0.25:
        space[-1] = 24

    def spec(letters):
        letters = list(letters + "XYZ"[:rank])
        rng.shuffle(letters)
        return "".join(letters)

    specs = spec("NC"), spec("OI"), spec("NC")
    sides = [
        {"N": n, "C": channels * feature_groups, **dict(zip("XYZ", space))},
        {"O": features * groups, "I": channels, **dict(zip("XYZ", kernel))},
    ]
    make = np.random.default_rng(rng.getrandbits(32))
    arrays = [
        make.integers(-4, 5, [side[c] for c in s]).astype(dtype)
        for side, s in zip(sides, specs)
    ]
    params = {
        "window_strides": [rng.choice([1, 1, 2, 3]) for _ in range(rank)],
        "padding": [(rng.randint(-1, 3), rng.randint(0, 3)) for _ in range(rank)],
        "lhs_dilation": [rng.choice([1, 1, 1, 2, 3]) for _ in range(rank)],
        "rhs_dilation": [rng.choice([1, 1, 2]) for _ in range(rank)],
        "dimension_numbers": specs,
        "feature_group_count": feature_groups,
        "batch_group_count": batch_groups,
    }
    return *arrays, params


@pytest.mark.parametrize("seed", range(50))
def test_any_convolution(seed):
    """Whole numbers, so that the result is the same in any order of adding."""
    rng = random.Random(seed)
    dtype = rng.choice([np.float32] * 4 + [np.float64, np.float16, BFLOAT16, np.int8])
    lhs, rhs, params = random_convolution(rng, dtype)

    def f(lhs, rhs):
        return lax.conv_general_dilated(lhs, rhs, **params)

    program = check(f, lhs, rhs, rtol=0, atol=0)
    if 0 not in jaxlike.eval_shape(f, lhs, rhs).shape:
        assert kernels_only(program), params


@pytest.mark.parametrize("seed", range(100, 108))
def test_gradients_and_examples(seed):
    """Both gradients, and those of each example, run without calls."""
    rng = random.Random(seed)
    lhs, rhs, params = random_convolution(rng)

    def loss(lhs, rhs):
        out = lax.conv_general_dilated(lhs, rhs, **params)
        return (out * out).sum()

    if 0 in jaxlike.eval_shape(jaxlike.grad(loss), lhs, rhs).shape:
        return
    program = check(jaxlike.grad(loss, (0, 1)), lhs, rhs, rtol=0, atol=0)
    assert not convolutions_called(program)
    both = np.stack([lhs, 2 * lhs, lhs - 1])
    per_example = jaxlike.vmap(jaxlike.grad(loss, 1), (0, None))
    program = check(per_example, both, rhs, rtol=0, atol=0)
    assert not convolutions_called(program)


def convolutions_called(program) -> list:
    steps = [step for step in program.schedule if not isinstance(step, Lowered)]
    return [step for step in steps if "conv" in step.primitive.name]


@pytest.mark.parametrize("base", [2, 3, 4])
@pytest.mark.parametrize("hole", [1, 2, 3])
def test_phases_are_the_convolution(base, hole):
    """On the positions of a remainder, taps meet the elements that are there."""
    kernel, count, low = 4, 11, 2
    found = phases(kernel, count, 1, low, base, hole)
    pairs = {
        (t.first + t.every * p, t.first_tap + t.every_tap * k): t.shift + p + t.hole * k
        for t in found
        for p in range(t.positions)
        for k in range(t.taps)
    }
    for position in range(count):
        for tap in range(kernel):
            at = position + tap * hole - low
            assert pairs.get((position, tap)) == (
                at // base if at % base == 0 else None
            )
