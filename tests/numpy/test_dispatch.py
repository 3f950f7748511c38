"""Eager calls take short ways, which give what the long way gives."""

from __future__ import annotations

import operator
import timeit

import numpy as onp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxlike
import jaxlike.numpy as np
from jaxlike.numpy import dispatch

DTYPES = (
    "bool",
    "int8",
    "uint8",
    "int32",
    "float16",
    "bfloat16",
    "float32",
    "complex64",
)
BINARY = (
    *("add", "subtract", "multiply", "true_divide", "floor_divide", "remainder"),
    *("maximum", "minimum", "equal", "less", "power", "arctan2", "logical_and"),
    *("bitwise_xor", "left_shift", "right_shift", "hypot", "logaddexp", "fmod"),
)
UNARY = (
    *("sin", "exp", "sqrt", "abs", "negative", "floor", "sign", "square", "isnan"),
    *("isfinite", "logical_not", "invert", "round", "log1p", "conjugate", "cbrt"),
)

shapes = st.sampled_from([(), (1,), (3,), (2, 3), (2, 1), (0, 3)])
numbers = st.one_of(
    st.integers(-(2**31), 2**31 - 1),
    st.floats(width=32),
    st.sampled_from([0, 1, -1, 0.0, -0.0, 2, float("nan"), float("inf"), True]),
)


@st.composite
def operand(draw):
    if draw(st.integers(0, 3)) == 0:
        return draw(numbers)
    dtype, shape = draw(st.sampled_from(DTYPES)), draw(shapes)
    seed = draw(st.integers(0, 5))
    data = onp.random.default_rng(seed).integers(-3, 4, shape)
    x = np.asarray(onp.asarray(data).astype("int32")).astype(dtype)
    return np.full(shape, 1.5) if draw(st.integers(0, 9)) == 0 else x


def outcome(fun, *args):
    try:
        return fun(*args)
    except Exception as error:
        return type(error)


def assert_same(got, expected):
    if isinstance(expected, type):
        assert got is expected
        return
    assert (got.shape, got.dtype, got.weak_type) == (
        expected.shape,
        expected.dtype,
        expected.weak_type,
    )
    a, b = onp.asarray(got), onp.asarray(expected)
    if a.dtype.kind not in "biu":
        a, b = (v.astype("complex128") for v in (a, b))
    onp.testing.assert_allclose(a, b, rtol=1e-6)


def by_the_long_way(fun, *args):
    """The same call where short ways are barred, as they are under debug_nans."""
    key = (0, "test")
    dispatch._blockers.add(key)
    try:
        return outcome(fun, *args)
    finally:
        dispatch._blockers.discard(key)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(BINARY), operand(), operand())
def test_short_and_long_ways_agree(name, x, y):
    fun = getattr(np, name)
    expected = by_the_long_way(fun, x, y)
    for _ in range(2):
        assert_same(outcome(fun, x, y), expected)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(UNARY), operand())
def test_short_and_long_ways_of_one_operand_agree(name, x):
    fun = getattr(np, name)
    expected = by_the_long_way(fun, x)
    for _ in range(2):
        assert_same(outcome(fun, x), expected)


@pytest.mark.parametrize("op", [operator.add, operator.mod, operator.floordiv])
def test_integers_wrap(op):
    x = np.array([100, -100], dtype=np.int8)
    assert op(x, 100).dtype == np.int8
    assert (x + 100).tolist() == [-56, 0]
    assert np.add(x, 300).tolist() == [-112, -56]
    with pytest.raises(OverflowError):
        np.add(x, 2**40)


def test_debug_nans_sees_calls_that_had_a_short_way():
    x = np.zeros(2)
    np.true_divide(x, x), np.log(x - 1), np.var(x)
    with jaxlike.debug_nans(True):
        for call in (lambda: np.true_divide(x, x), lambda: np.log(x - 1)):
            with pytest.raises(FloatingPointError):
                call()
    assert onp.isnan(onp.asarray(np.true_divide(x, x))).all()


def test_rank_promotion_sees_them_too():
    x, y = np.ones((2, 3)), np.ones(3)
    np.add(x, y)
    with jaxlike.numpy_rank_promotion("raise"), pytest.raises(ValueError, match="rank"):
        np.add(x, y)
    with jaxlike.numpy_rank_promotion("warn"), pytest.warns(UserWarning, match="rank"):
        np.add(x, y)


def test_deleted_arrays():
    x = np.ones(3)
    np.add(x, x), np.sin(x), np.sum(x), np.where(x > 0, x, x)
    x.delete()
    for call in (
        np.sin,
        np.sum,
        lambda a: np.add(a, a),
        lambda a: np.where(True, a, a),
    ):
        with pytest.raises(RuntimeError, match="deleted"):
            call(x)


def test_no_numpy_warning_escapes():
    x = np.array([0.0, 1e38, -1.0])
    for fun in (np.log, np.sqrt, np.exp, np.reciprocal, np.square, np.var, np.mean):
        for _ in range(2):
            fun(x)
    np.add(x * 3, x * 3), np.true_divide(x, 0), np.power(x, 9.0), np.remainder(x, 0)


@pytest.mark.slow
def test_small_eager_calls_are_quick():
    x, y = np.ones(3), np.ones(3)
    calls = {"add": lambda: np.add(x, y), "operator": lambda: x + y}
    for name, call in calls.items():
        call()
        best = min(timeit.repeat(call, number=2000, repeat=20)) / 2000
        assert best < 2.5e-6, f"{name}: {best * 1e6:.2f} us"
