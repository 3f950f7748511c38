"""Layout changes and conversions in a row: one is left, the numbers are the same."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from jaxlike import lax
from jaxlike.transforms.rewrite.compose import compose
from jaxlike.transforms.rewrite.dce import dce
from tests.transforms.rewrite.passes import names, rewritten

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: lax.transpose(lax.transpose(x, (2, 0, 1)), (1, 0, 2)),
        lambda x: lax.reshape(lax.reshape(x, (6, 4)), (4, 6)),
        lambda x: lax.rev(lax.rev(x, (0, 2)), (1, 2)),
        lambda x: lax.broadcast_in_dim(
            lax.broadcast_in_dim(x, (5, 2, 3, 4), (1, 2, 3)),
            (5, 2, 7, 3, 4),
            (0, 1, 3, 4),
        ),
    ],
)
def test_layout_in_a_row(fun):
    after = dce(rewritten(compose, fun, X))
    assert len(names(after)) == 1


def test_three_in_a_row():
    after = rewritten(
        compose,
        lambda x: lax.transpose(
            lax.transpose(lax.transpose(x, (2, 0, 1)), (1, 0, 2)), (2, 1, 0)
        ),
        X,
    )
    assert names(dce(after)) == ["transpose"]


@pytest.mark.parametrize(
    "first, then, left",
    [
        (np.float64, np.float32, 1),
        (ml_dtypes.bfloat16, np.float32, 2),  # loses bits
        (np.int32, np.float32, 2),
        (np.float64, np.int32, 1),
    ],
)
def test_conversions(first, then, left):
    import jaxlike

    with jaxlike.enable_x64(True):
        x = np.array([0.1, -2.5, 3e9, np.nan, -0.0], np.float32)

        def fun(x):
            return lax.convert_element_type(lax.convert_element_type(x, first), then)

        after = dce(rewritten(compose, fun, x))
    # one that keeps the dtype may have been left out when tracing
    assert len(names(after)) == left


@pytest.mark.parametrize("then", [np.int8, np.float32, np.uint16])
def test_integers_widen_and_wrap(then):
    x = np.array([-1, 0, 127, -128, 5], np.int8)

    def fun(x):
        return lax.convert_element_type(lax.convert_element_type(x, np.int32), then)

    assert len(names(dce(rewritten(compose, fun, x)))) == 1
