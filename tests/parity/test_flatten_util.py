"""ravel_pytree agrees with JAX in values, dtypes and error classes, both ways."""

import os

import ml_dtypes
import numpy as np
import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")
jax = pytest.importorskip("jax")

from jax.flatten_util import ravel_pytree as theirs  # noqa: E402

from jaxlike.flatten_util import ravel_pytree as ours  # noqa: E402


def numbers(x):
    """Leaves as NumPy arrays with their dtypes; works for both libraries."""
    return [(np.asarray(v), np.asarray(v).dtype) for v in jax.tree_util.tree_leaves(x)]


def check(found, expected):
    for (a, a_dtype), (b, b_dtype) in zip(numbers(found), numbers(expected)):
        assert a_dtype == b_dtype
        assert a.shape == b.shape
        np.testing.assert_array_equal(a, b)


TREES = [
    {"b": np.arange(3, dtype="int32"), "a": 1.5},
    [],
    {"x": None},
    [1, 2],
    [np.int32(1), np.bool_(True)],
    [np.float64(1)],
    [1j, 2.0],
    [np.zeros((2, 2), ml_dtypes.bfloat16), np.ones(3, np.float16)],
    (np.ones((2, 0)), np.ones((1, 2, 3), np.float32)),
    np.arange(6.0, dtype="float32").reshape(2, 3),
]


@pytest.mark.parametrize("x", TREES, ids=str)
def test_there_and_back(x):
    flat, unravel = ours(x)
    expected_flat, expected_unravel = theirs(x)
    check(flat, expected_flat)
    vector = np.arange(flat.size).astype(np.asarray(expected_flat).dtype)
    back, expected = unravel(vector), expected_unravel(vector)
    assert jax.tree_util.tree_structure(back) == jax.tree_util.tree_structure(expected)
    check(back, expected)


@pytest.mark.parametrize(
    "x, vector",
    [
        ([1, 2.0], np.arange(2, dtype="int32")),
        ([1, 2.0], np.zeros(3, "float32")),
        ([np.ones(2)], np.ones((1, 2), "float32")),
        ([object()], None),
    ],
    ids=["dtype", "size", "rank", "leaf"],
)
def test_error_classes(x, vector):
    with pytest.raises((TypeError, ValueError)) as expected:
        theirs(x)[1](vector)
    with pytest.raises(expected.type):
        ours(x)[1](vector)


def test_an_array_of_another_dtype_passes_through_a_tree_of_one_dtype():
    vector = np.arange(2, dtype="int32")
    x = [np.float32(1), np.float32(2)]
    check(ours(x)[1](vector), theirs(x)[1](vector))


def test_equal_structures_give_equal_functions():
    first, second = (ours([np.ones(2), c])[1] for c in (1.0, 2.0))
    assert first == second and hash(first) == hash(second)
    assert first != ours([np.ones(3), 1.0])[1]
