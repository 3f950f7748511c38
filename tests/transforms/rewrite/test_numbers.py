"""Windows at known places, constants of loops, stacks."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.transforms.rewrite.joins import expand_joins
from jaxlike.transforms.rewrite.numbers import write_numbers
from tests.transforms.rewrite.passes import names, rewritten

X = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize("start", [(0, 0), (2, 1), (2, 99)])
@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.int64])
def test_windows(start, dtype):
    start = tuple(np.asarray(i).astype(dtype)[()] for i in start)

    def read(x):
        return lax.dynamic_slice(x, start, (2, 3))

    def written(x):
        zeros = lax.broadcast_in_dim(np.float32(0), (5, 6), ())
        return lax.dynamic_update_slice(zeros, x, start)

    with jaxlike.enable_x64(True):
        assert names(rewritten(write_numbers, read, X)) == ["slice"]
        assert names(rewritten(write_numbers, written, X))[-1] == "pad"


def test_a_window_written_into_other_values_stays():
    after = rewritten(
        write_numbers, lambda x: lax.dynamic_update_slice(x, x[:1], (1, 0)), X
    )
    assert names(after)[-1] == "dynamic_update_slice"


def test_loops_get_their_numbers():
    def scan(x):
        c = np.float32(2)
        return lax.scan(lambda s, y: (s * c + y, c), x[0], x)

    def search(x):
        return lax.while_loop(
            lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * 2), (0, x)
        )

    for fun in (scan, search):
        after = rewritten(write_numbers, fun, X)
        (loop,) = [e for e in after.eqns if e.primitive.name in ("scan", "while")]
        counts = [v for k, v in loop.params.items() if "consts" in k]
        assert sum(counts) == 0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_stacks(axis):
    assert "stack" not in names(
        rewritten(expand_joins, lambda x: lax.stack([x, x + 1], axis), X)
    )
    after = rewritten(expand_joins, lambda x: lax.unstack(x, min(axis, 1)), X)
    assert set(names(after)) == {"slice", "squeeze"}
    rewritten(expand_joins, lambda x: jnp.stack([x[0, 0], 1.0]), X)
