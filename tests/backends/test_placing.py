"""Products whose results are transposed and reshaped are written that way."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from tests.backends.test_products import kernels_only, normal
from tests.backends.test_program import check


def names(program) -> list[str]:
    """What each kernel is called, products by that."""
    return [getattr(low.kernel, "name", "product") for low in program.kernels]


def test_gradients_of_weights_are_not_turned():
    def loss(w, x):
        return jnp.sum(jnp.tanh(x @ w))

    program = check(jaxlike.grad(loss), normal(40, 50), normal(30, 40))
    assert len(program.schedule) == 3  # product, tanh and its slope, product


def test_gradients_of_each_example_are_written_once():
    def loss(w1, w2, x):
        return jnp.sum(jnp.tanh(x @ w1) @ w2)

    each = jaxlike.vmap(jaxlike.grad(loss, (0, 1)), (None, None, 0))
    program = check(each, normal(40, 50), normal(50, 20), normal(30, 40), atol=1e-4)
    assert "transpose" not in names(program)


def test_heads_are_split_on_the_way():
    def f(x, w):
        heads = (x @ w).reshape(4, 32, 3, 4, 16)
        return heads.transpose(2, 0, 3, 1, 4)

    program = check(f, normal(4, 32, 64), normal(64, 192), atol=1e-4)
    assert names(program) == ["product"]


def test_other_readers_keep_the_result_as_it_is():
    def f(a, b):
        c = a @ b
        return c.T, jnp.tanh(c)

    check(f, normal(20, 30), normal(30, 40), atol=1e-4)


def test_columns_of_one_stay_apart():
    """Batch axes innermost would leave no columns to write."""

    def f(a, b):
        return lax.transpose(lax.batch_matmul(a, b), (1, 2, 0))

    assert kernels_only(check(f, normal(3, 20, 30), normal(3, 30, 40), atol=1e-4))


@pytest.mark.parametrize("seed", range(40))
def test_any_moves(seed):
    """Random transposes and reshapes behind a product or a convolution."""
    rng = random.Random(seed)
    whole = lambda *shape: np.random.default_rng(seed).integers(-3, 4, shape)
    if seed % 3:
        a, b = whole(3, 4, 6, 10), whole(3, 10, 2, 12)
        dims = (((3,), (1,)), ((0,), (0,)))
        product = lambda a, b: lax.dot_general(a, b, dims)
    else:
        a, b = whole(2, 6, 6, 8), whole(3, 3, 2, 12)
        layout = ("NHWC", "HWIO", rng.choice(["NHWC", "CHWN", "HWNC"]))
        product = lambda a, b: lax.conv_general_dilated(
            a, b, (1, 1), "SAME", dimension_numbers=layout, feature_group_count=4
        )
    moves = [rng.choice(["transpose", "reshape"]) for _ in range(rng.randint(1, 4))]
    seeds = [rng.random() for _ in moves]

    def f(a, b):
        x = product(a, b)
        for move, start in zip(moves, seeds):
            inner = random.Random(start)
            if move == "transpose":
                x = lax.transpose(x, inner.sample(range(x.ndim), x.ndim))
                continue
            shape, left = [], math.prod(x.shape)
            while left > 1:
                n = inner.choice([d for d in range(1, left + 1) if left % d == 0][:8])
                n = left if len(shape) == 4 else n
                shape.append(n)
                left //= n
            x = lax.reshape(x, shape)
        return x

    check(f, a.astype(np.float32), b.astype(np.float32), rtol=0, atol=0)
