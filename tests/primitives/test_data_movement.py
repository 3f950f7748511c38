"""What the laws do not say of data movement: keys, aliases, repeats, big arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxlike import lax
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray
from jaxlike.core.dtypes import KeyDType
from jaxlike.transforms.vmap import vmap

FRY = KeyDType("threefry2x32")


def _keys(*shape: int) -> Array:
    words = np.arange(2 * int(np.prod(shape)), dtype=np.uint32).reshape(*shape, 2)
    storage = np.zeros(shape, FRY.storage)
    storage[FRY.tag] = words
    return Array(storage, ShapedArray(shape, FRY))


def _one(x):
    return lax.squeeze(lax.slice(x, (2, 1), (3, 2)), (0, 1))


ROWS = ((1,), (0,), (0,))
AT = np.array([[2], [0]], np.int32)
WHICH = np.array([[True, False]] * 3)
MOVES = {
    "broadcast": lambda k: lax.broadcast(k, (2,)),
    "reshape": lambda k: lax.reshape(k, (2, 3)),
    "transpose": lambda k: lax.transpose(k, (1, 0)),
    "rev": lambda k: lax.rev(k, (0,)),
    "expand_dims": lambda k: lax.expand_dims(k, (1,)),
    "squeeze": lambda k: lax.squeeze(lax.slice(k, (0, 0), (3, 1)), (1,)),
    "concatenate": lambda k: lax.concatenate([k, k], 1),
    "stack": lambda k: lax.stack([k, k], 1),
    "unstack": lambda k: lax.unstack(k)[1],
    "split": lambda k: lax.split(k, (1, 2))[1],
    "tile": lambda k: lax.tile(k, (2, 1)),
    "select_n": lambda k: lax.select_n(WHICH, k, lax.rev(k, (0,))),
    "dynamic_slice": lambda k: lax.dynamic_slice(k, (np.int32(7), np.int32(0)), (1, 2)),
    "dynamic_update_slice": lambda k: lax.dynamic_update_slice(
        k, lax.slice(k, (0, 0), (1, 2)), (1, 0)
    ),
    "gather": lambda k: lax.gather(k, AT, lax.GatherDimensionNumbers(*ROWS), (1, 2)),
    "scatter": lambda k: lax.scatter(
        k, AT, lax.slice(k, (0, 0), (2, 2)), lax.ScatterDimensionNumbers(*ROWS)
    ),
    "pad": lambda k: lax.pad(k, _one(k), [(1, 0, 1)] * 2),
    "full_like": lambda k: lax.full_like(k, _one(k)),
    "sort": lambda k: lax.sort((WHICH, k))[1],
}


def _as_words(fun, keys):
    """The same move on the keys' first words, as plain numbers."""
    words = np.ascontiguousarray(keys._data[FRY.tag][..., 0])
    return np.asarray(fun(words))


@pytest.mark.parametrize("name", MOVES)
def test_keys_move_as_numbers_do(name: str):
    keys, move = _keys(3, 2), MOVES[name]
    out = move(keys)
    assert out.dtype is FRY
    np.testing.assert_array_equal(out._data[FRY.tag][..., 0], _as_words(move, keys))


@pytest.mark.parametrize("name", ["gather", "rev", "concatenate", "select_n", "pad"])
def test_keys_batch(name: str):
    keys = _keys(4, 3, 2)
    out = vmap(MOVES[name])(keys)
    for i, row in enumerate(lax.unstack(keys)):
        assert np.array_equal(out._data[i], MOVES[name](row)._data)


def test_fill_of_keys_has_all_bits_set():
    at = np.array([[9]], np.int32)
    numbers = lax.GatherDimensionNumbers(*ROWS)
    out = lax.gather(_keys(3, 2), at, numbers, (1, 2), mode="fill")
    assert (out._data[FRY.tag] == 2**32 - 1).all()


VIEWS = {
    "reshape": lambda x: lax.reshape(x, (3, 2)),
    "transpose": lambda x: lax.transpose(x, (1, 0)),
    "rev": lambda x: lax.rev(x, (0,)),
    "slice": lambda x: lax.slice(x, (0, 0), (1, 2)),
    "dynamic_slice": lambda x: lax.dynamic_slice(x, (0, 0), (1, 2)),
    "split": lambda x: lax.split(x, (1, 1))[0],
    "unstack": lambda x: lax.unstack(x)[0],
    "expand_dims": lambda x: lax.expand_dims(x, (0,)),
    "broadcast_in_dim": lambda x: lax.broadcast_in_dim(x, (1, 2, 3), (1, 2)),
    "select": lambda x: lax.select(True, x, x),
    "concatenate": lambda x: lax.concatenate([x], 0),
    "squeeze": lambda x: lax.squeeze(x, ()),
}


@pytest.mark.parametrize("name", VIEWS)
def test_results_do_not_follow_a_numpy_argument(name: str):
    """Evaluations return views, but never of an ndarray that the user may change."""
    x = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    out = VIEWS[name](x)
    before = np.array(out)
    x += 1
    np.testing.assert_array_equal(out, before)


@pytest.mark.parametrize("unique", [False, True])
def test_scatter_keeps_its_operand(unique: bool):
    x = lax.full((3,), np.float32(1))
    numbers = lax.ScatterDimensionNumbers((), (0,), (0,))
    lax.scatter_add(x, AT, np.float32([1, 1]), numbers, unique_indices=unique)
    assert x.tolist() == [1, 1, 1]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(1, 3))
def test_scatters_with_repeats_are_loops(places, width):
    """Repeats: the last update wins in scatter, all of them count in the others."""
    at = np.array(places, np.int32)[:, None]
    updates = np.arange(len(places) * width, dtype=np.int32).reshape(-1, width) % 7 - 3
    x = np.arange(5 * width, dtype=np.int32).reshape(5, width)
    ops = dict(
        scatter=lambda a, b: b,
        scatter_add=np.add,
        scatter_sub=np.subtract,
        scatter_mul=np.multiply,
        scatter_min=np.minimum,
        scatter_max=np.maximum,
    )
    for name, combine in ops.items():
        expected = x.copy()
        for place, update in zip(places, updates):
            expected[place] = combine(expected[place], update)
        got = getattr(lax, name)(x, at, updates, lax.ScatterDimensionNumbers(*ROWS))
        np.testing.assert_array_equal(got, expected, name)


def test_scatter_apply_takes_closed_over_arrays():
    numbers = lax.ScatterDimensionNumbers((), (0,), (0,))
    x, factor = np.float32([1, 2, 3]), lax.full((), np.float32(10))
    at = np.array([[0], [0], [2]])
    out = lax.scatter_apply(
        x, at, lambda v: lax.mul(v, factor), numbers, update_shape=(3,)
    )
    assert out.tolist() == [100, 2, 30]


def test_pad_is_linear_even_where_cotangents_are_infinite():
    from jaxlike.transforms.vjp import vjp

    x, value = np.float32([1, 2]), np.float32(3)
    _, pull = vjp(lambda x, v: lax.pad(x, v, [(1, 0, 0)]), x, value)
    ct_x, ct_value = pull(np.float32([5, np.inf, np.nan]))
    assert np.array_equal(ct_x, np.float32([np.inf, np.nan]), equal_nan=True)
    assert float(ct_value) == 5


@pytest.mark.parametrize("k", [1, 5, 30])
def test_top_k_of_a_long_axis_is_a_sort(k: int):
    x = np.sin(np.arange(2000, dtype=np.float32) ** 2).round(2).reshape(2, 1000)
    values, index = lax.top_k(x, k)
    order = np.argsort(-x, -1, kind="stable")[:, :k]
    np.testing.assert_array_equal(index, order)
    np.testing.assert_array_equal(values, np.take_along_axis(x, order, -1))
