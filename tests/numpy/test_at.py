"""x.at[index] against NumPy's assignments: concrete, staged, with traced positions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from tests.numpy.indices import cases, random_keys, split_traced, staged, words_of

SEEDS = range(4)
UFUNCS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
}


def updated(array, index, method, values):
    """What NumPy makes of it, each time a position occurs."""
    out = array.copy()
    if method == "set":
        out[index] = values
    else:
        UFUNCS[method].at(out, index, values)
    return out


@pytest.mark.parametrize("method", ["set", *UFUNCS])
@pytest.mark.parametrize("seed", SEEDS)
def test_updates_are_numpys(seed, method):
    rng = np.random.default_rng(seed)
    for array, index, taken in cases(seed, 12):
        values = rng.normal(size=taken.shape).astype(np.float32)
        if method == "set":  # which of several values is kept is not said
            values = np.float32(7)
        expected = updated(array, index, method, values)

        def call(x, v, index=index):
            return getattr(x.at[index], method)(v)

        for got in (
            call(jnp.asarray(array), jnp.asarray(values)),
            staged(call)(array, values),
        ):
            np.testing.assert_allclose(got, expected, rtol=1e-5, err_msg=str(index))
        rebuild, positions = split_traced(index)
        got = staged(lambda x, v, *ps: call(x, v, rebuild(*ps)))(
            array, values, *positions
        )
        np.testing.assert_allclose(got, expected, rtol=1e-5, err_msg=str(index))


@pytest.mark.parametrize("method", ["set", "add", "multiply"])
def test_updates_under_vmap_and_grad(method):
    rng = np.random.default_rng(0)
    for array, index, taken in cases(7, 10):
        values = rng.normal(size=taken.shape).astype(np.float32)
        if method != "add" and any(isinstance(i, np.ndarray) for i in index):
            continue  # repeated positions

        def call(x, v, index=index, method=method):
            return getattr(x.at[index], method)(v)

        both = jaxlike.vmap(call)(np.stack([array, array]), np.stack([values, values]))
        np.testing.assert_allclose(both[1], call(jnp.asarray(array), values))
        weights = rng.normal(size=array.shape).astype(np.float32)
        dx, dv = jaxlike.grad(lambda x, v: jnp.sum(call(x, v) * weights), (0, 1))(
            array, values
        )
        there = np.zeros(array.shape, bool)
        there[index] = True
        slope = {"set": 0, "add": weights}.get(method)
        if method == "multiply":
            slope = updated(weights, index, "multiply", values)
        np.testing.assert_allclose(dx, np.where(there, slope, weights), rtol=1e-5)
        slope = array[index] if method == "multiply" else 1
        np.testing.assert_allclose(dv, weights[index] * slope, rtol=1e-5)


@pytest.mark.parametrize("run", [lambda f: f, staged], ids=["eager", "staged"])
def test_out_of_bounds(run):
    x = np.arange(4)

    def put(index, **options):
        return run(lambda x: x.at[index].set(9, **options))(jnp.asarray(x)).tolist()

    assert put(10) == put(-10) == [0, 1, 2, 3]
    assert put(10, mode="clip") == [0, 1, 2, 9]
    assert put(-1) == [0, 1, 2, 9]
    assert put(-1, wrap_negative_indices=False) == [0, 1, 2, 3]
    assert put(np.array([1, 7])) == [0, 9, 2, 3]
    assert put(np.array([1, 7]), mode="clip") == [0, 9, 2, 9]

    def get(index, **options):
        return run(lambda x: x.at[index].get(**options))(jnp.asarray(x)).tolist()

    assert get(10) == get(10, mode="clip") == 3
    assert get(10, mode="fill") == np.iinfo(np.int32).min
    assert get(np.array([1, 10]), mode="fill", fill_value=-5) == [1, -5]
    assert get(-1, wrap_negative_indices=False) == 0
    with pytest.raises(ValueError, match="mode"):
        get(0, mode="wrap")


def test_fill_values_of_every_dtype():
    for dtype, expected in [
        ("float32", np.nan),
        ("int8", -128),
        ("uint16", 65535),
        ("bool", True),
        ("bfloat16", np.nan),
    ]:
        got = jnp.zeros(2, dtype).at[5].get(mode="fill")
        np.testing.assert_array_equal(np.asarray(got, np.float64), np.float64(expected))


def test_divide_power_and_apply():
    x = jnp.array([1.0, 4.0, 9.0])
    assert x.at[1].divide(2.0).tolist() == [1, 2, 9]
    assert x.at[1].power(0.5).tolist() == [1, 2, 9]
    assert x.at[:2].apply(lambda v: -v).tolist() == [-1, -4, 9]
    assert x.at[np.array([0, 0])].apply(lambda v: v + 1).tolist() == [3, 4, 9]
    ints = jnp.array([2, 4]).at[0].divide(2)
    assert ints.tolist() == [1, 4] and ints.dtype == jnp.float32
    assert jnp.array([3, 5]).at[1].power(2).tolist() == [3, 25]


def test_values_take_the_dtype_of_the_array():
    x = jnp.zeros(3, jnp.int8)
    assert x.at[0].set(300).tolist() == [44, 0, 0]
    assert x.at[0].set(3).dtype == jnp.int8
    assert jnp.zeros(2).at[0].set(1).dtype == jnp.float32
    assert jnp.asarray(1.0)[None].at[0].set(2.0).weak_type
    assert jnp.zeros(3, int).at[:2].set([1, 2]).tolist() == [1, 2, 0]
    for run in (lambda f: f, staged):
        with pytest.warns(FutureWarning, match="incompatible types"):
            got = run(lambda x: x.at[0].set(1.5))(x)
        assert got.tolist() == [1, 0, 0]


@pytest.mark.parametrize("run", [lambda f: f, staged], ids=["eager", "staged"])
def test_values_must_broadcast(run):
    x = jnp.zeros((3, 4))
    for values in (np.ones(3), np.ones((1, 4)), np.ones((2, 1))):
        with pytest.raises(ValueError, match=r"more axes than|has shape"):
            run(lambda x, v: x.at[0].set(v))(x, values.astype(np.float32))
    got = run(lambda x: x.at[:2].set(np.arange(4, dtype=np.float32)))(x)
    assert got[1].tolist() == [0, 1, 2, 3]


def test_booleans():
    x = jnp.array([True, False])
    assert x.at[1].set(True).tolist() == [True, True]
    assert x.at[0].min(False).tolist() == [False, False]
    with pytest.raises(TypeError, match="bool"):
        x.at[0].add(True)


def test_the_original_is_unchanged():
    x = jnp.arange(4)
    view = x[1:]
    y = x.at[1].set(9)
    assert x.tolist() == [0, 1, 2, 3] and view.tolist() == [1, 2, 3]
    assert y.tolist() == [0, 9, 2, 3]
    whole = x.at[:].set(5)
    assert x.tolist() == [0, 1, 2, 3] and whole.tolist() == [5] * 4


def test_static_windows_need_no_scatter():
    def primitives(fun, *args):
        jaxpr = jaxlike.make_jaxpr(fun)(*args).jaxpr
        return [eqn.primitive.name for eqn in jaxpr.eqns]

    x, v = np.ones((3, 4), np.float32), np.ones(4, np.float32)
    put = primitives(lambda x, v: x.at[1].set(v), x, v)
    assert put[-1] == "dynamic_update_slice" and "scatter" not in put
    assert primitives(lambda x, i: x.at[i].add(v), x, 1)[-1] == "scatter-add"


def test_keys_can_be_put():
    keys = random_keys((3,))
    words = words_of(keys)
    got = keys.at[0].set(keys[2])
    np.testing.assert_array_equal(words_of(got), words[[2, 1, 2]])
    got = staged(lambda i: keys.at[i].set(keys[2]))(np.int32(1))
    np.testing.assert_array_equal(words_of(got), words[[0, 2, 2]])
    got = staged(lambda keys: keys.at[1:].set(keys[0]))(keys)
    np.testing.assert_array_equal(words_of(got), words[[0, 0, 0]])


def test_settings_are_respected():
    x = jnp.zeros(2)
    with jaxlike.debug_nans(True), pytest.raises(FloatingPointError):
        x.at[0].set(np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isinf(x.at[0].add(3e38).at[0].add(3e38)[0])


def test_repr():
    text = repr(jnp.zeros(1).at[0])
    assert text == "_IndexUpdateRef(Array([0.], dtype=float32), 0)"
