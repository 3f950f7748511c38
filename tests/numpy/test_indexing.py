"""x[index] against NumPy: concrete, staged, with traced positions, and batched."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike.core.errors import NonConcreteBooleanIndexError
from jaxlike.numpy.indexers import ds
from tests.numpy.indices import cases, random_keys, split_traced, staged, words_of

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_indexing_is_numpys(seed):
    for array, index, expected in cases(seed, 60):
        x = jnp.asarray(array)
        got = x[index]
        assert type(got) is type(x)
        assert got.shape == expected.shape, (array.shape, index)
        np.testing.assert_array_equal(got, expected, err_msg=str(index))


@pytest.mark.parametrize("seed", SEEDS)
def test_staged_indexing_is_eager_indexing(seed):
    for array, index, expected in cases(seed, 40):
        got = staged(lambda x: x[index])(array)
        np.testing.assert_array_equal(got, expected, err_msg=str(index))
        rebuild, positions = split_traced(index)
        got = staged(lambda x, *ps: x[rebuild(*ps)])(array, *positions)
        np.testing.assert_array_equal(got, expected, err_msg=str(index))


@pytest.mark.parametrize("seed", SEEDS)
def test_indexing_under_vmap(seed):
    for array, index, expected in cases(seed, 15):
        rebuild, positions = split_traced(index)
        if 0 in array.shape:
            continue
        both = np.stack([array, array])
        got = jaxlike.vmap(lambda x: x[index])(both)
        np.testing.assert_array_equal(got[1], expected, err_msg=str(index))
        if positions:
            stacked = [np.stack([p, p]) for p in positions]
            got = jaxlike.vmap(lambda *ps: jnp.asarray(array)[rebuild(*ps)])(*stacked)
            np.testing.assert_array_equal(got[0], expected, err_msg=str(index))
            got = jaxlike.vmap(lambda x, *ps: x[rebuild(*ps)])(both, *stacked)
            np.testing.assert_array_equal(got[0], expected, err_msg=str(index))


@pytest.mark.parametrize("seed", SEEDS)
def test_gradient_adds_what_was_taken(seed):
    rng = np.random.default_rng(seed)
    for array, index, expected in cases(seed, 15):
        weights = rng.normal(size=expected.shape).astype(np.float32)
        got = jaxlike.grad(lambda x: jnp.sum(x[index] * weights))(array)
        added = np.zeros_like(array)
        np.add.at(added, index, weights)
        np.testing.assert_allclose(got, added, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("run", [lambda f: f, staged], ids=["eager", "staged"])
def test_positions_out_of_bounds_are_clamped(run):
    x = np.arange(5)

    def at(i):
        return run(lambda x: x[i])(jnp.asarray(x)).tolist()

    assert at(7) == 4 and at(-9) == 0
    assert at(np.array([7, -1, -9])) == [4, 4, 0]
    traced = run(lambda x, i: x[i])
    assert traced(jnp.asarray(x), jnp.asarray(-9)).tolist() == 0
    assert traced(jnp.asarray(x), jnp.asarray([9, -6, 200])).tolist() == [4, 0, 4]


def primitives(fun, *args):
    return [eqn.primitive.name for eqn in jaxlike.make_jaxpr(fun)(*args).jaxpr.eqns]


def test_jaxprs_of_basic_indices_have_no_gather():
    x = np.ones((4, 5), np.float32)
    assert primitives(lambda x: x[1], x) == ["slice", "squeeze"]
    assert primitives(lambda x: x[...], x) == []
    assert primitives(lambda x: x[:, None], x) == ["broadcast_in_dim"]
    assert primitives(lambda x: x[::-1], x) == ["rev"]
    assert primitives(lambda x: x[1:3, ::2], x) == ["slice"]
    assert primitives(lambda x, i: x[i], x, 1)[-2:] == ["dynamic_slice", "squeeze"]
    assert "gather" not in primitives(lambda x, i: x[i, 1:], x, np.uint8(1))
    assert primitives(lambda x: x[np.array([0, 1])], x) == ["gather"]


def test_concrete_arrays_are_indexed_while_tracing():
    table = jnp.arange(12).reshape(3, 4)
    assert primitives(lambda x: x + table[1, 2], np.int32(1)) == ["add"]


def test_rows_of_arrays_and_tracers():
    x = np.arange(6.0, dtype=np.float32).reshape(3, 2)
    for row, expected in zip(jnp.asarray(x), x, strict=True):
        np.testing.assert_array_equal(row, expected)
    first, *_, last = reversed(jnp.asarray(x))
    assert (first.tolist(), last.tolist()) == ([4, 5], [0, 1])
    total = staged(lambda x: sum(row * i for i, row in enumerate(x)))(x)
    np.testing.assert_array_equal(total, x[1] + 2 * x[2])
    with pytest.raises(TypeError, match="0-d"):
        iter(jnp.asarray(1.0))


def test_windows_with_a_traced_start():
    x = np.arange(10)
    assert jnp.asarray(x)[ds(3, 2)].tolist() == [3, 4]
    assert jnp.asarray(x)[ds(3, 3, 2)].tolist() == [3, 5, 7]
    window = staged(lambda x, i: x[ds(i, 4)])
    assert window(x, np.int32(2)).tolist() == [2, 3, 4, 5]
    assert window(x, np.int32(9)).tolist() == [6, 7, 8, 9]
    rows = staged(lambda x, i, j: x[ds(i, 2), j])
    y = np.arange(12).reshape(4, 3)
    assert rows(y, np.int32(1), np.array([0, 2])).tolist() == [[3, 5], [6, 8]]


def test_weak_types_and_dtypes_are_kept():
    weak = jnp.asarray(1.0)
    assert weak[None].weak_type and weak[None][0].weak_type
    assert weak[None][np.array([0, 0])].weak_type
    for dtype in ("bool", "int8", "uint16", "float16", "bfloat16", "complex64"):
        x = jnp.zeros((2, 3), dtype)
        assert x[0].dtype == x[np.array([1])].dtype == x[:, 1:].dtype == x.dtype


def test_key_arrays():
    keys = random_keys((2, 3))
    rows = np.array([1, 0, 1])
    expected = words_of(keys)
    np.testing.assert_array_equal(words_of(keys[1]), expected[1])
    np.testing.assert_array_equal(words_of(keys[rows, 1:]), expected[rows, 1:])
    np.testing.assert_array_equal(words_of(keys[5, 9]), expected[1, 2])
    got = jaxlike.vmap(lambda i: keys[i, i])(np.array([0, 1]))
    np.testing.assert_array_equal(words_of(got), expected[[0, 1], [0, 1]])
    assert keys[:0].shape == keys[np.array([], int)].shape == (0, 3)


@pytest.mark.parametrize(
    "index, error, text",
    [
        (1.5, TypeError, "integer or a boolean"),
        (np.array([1.0]), TypeError, "float64"),
        ((0, 0, 0), IndexError, "3 indices for an array of 2 axes"),
        ((..., 0, ...), IndexError, r"one \.\.\. at most"),
        ([0, 1], TypeError, "jnp.array"),
        ("a", TypeError, "not indexed by names"),
        ((0, "a"), TypeError, "not indexed by names"),
        ({0}, IndexError, "is no index"),
        (np.array([True, False]), IndexError, "the mask at index 0"),
        (slice(None, None, 0), ValueError, "zero"),
        (slice(1.0, None), TypeError, "integer"),
        ((np.array([0, 1]), np.array([0, 1, 2])), ValueError, "broadcast"),
    ],
)
@pytest.mark.parametrize("run", [lambda f: f, staged], ids=["eager", "staged"])
def test_bad_indices(index, error, text, run):
    with pytest.raises(error, match=text):
        run(lambda x: x[index])(jnp.ones((3, 4)))


def test_indices_that_are_not_known_yet():
    x = jnp.arange(5)
    with pytest.raises(NonConcreteBooleanIndexError):
        jaxlike.jit(lambda x: x[x > 2])(x)
    with pytest.raises(IndexError, match="dynamic_slice"):
        jaxlike.jit(lambda x, i: x[i:])(x, 1)
    # the mask is known where only derivatives are traced
    got = jaxlike.grad(lambda x: jnp.sum(x[x > 2.0]))(jnp.arange(5.0))
    assert got.tolist() == [0, 0, 0, 1, 1]


def test_arrays_cannot_be_assigned_to():
    x = jnp.zeros(3)
    with pytest.raises(TypeError, match=r"\.at"):
        x[0] = 1.0


def test_an_empty_axis_has_no_elements():
    empty = jnp.zeros((0, 3))
    with pytest.raises(IndexError, match="no elements to index"):
        empty[0]
    with pytest.raises(IndexError, match="no elements to index"):
        empty[np.array([0])]
    assert empty[np.array([], int)].shape == (0, 3)
    assert empty[:, 1].shape == (0,)
