"""Indexing by JAX: modes, dtypes, errors, and the functions take, put and their kin."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
from tests.parity.compare import check_same, collector

jax = pytest.importorskip("jax")

cases, case = collector()

MODES = (None, "clip", "fill", "drop", "promise_in_bounds", "wrap", "raise", "bad")
DTYPES = ("bool", "int8", "uint8", "float16", "bfloat16", "complex64")

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
FAR = np.array([-9, -4, -1, 0, 2, 5, 300], np.int32)


@case
def out_of_bounds(jax):
    x = jax.numpy.asarray(X)
    far = jax.numpy.asarray(FAR)
    outs = [x[7], x[-7], x[0, 9, -9], x[FAR], x[:, far], x[1, far, 2], x[far, 1:, far]]
    return outs + [x[..., far, ::-1], x[far, None, far], x[far.astype("uint8")]]


@case
def traced_and_out_of_bounds(jax):
    pick = jax.jit(lambda x, i: (x[i], x[:, i], x[i, 1:, i], x[..., i]))
    return [pick(X, i) for i in (FAR, FAR[0], FAR[-1], np.uint8(200), np.int8(-1))]


@case
def get_in_every_mode_and_dtype(jax):
    outs = []
    for mode in ("clip", "fill", "promise_in_bounds"):
        for dtype in DTYPES:
            if mode == "fill" and dtype == "bfloat16":
                continue  # NaN of bfloat16 is not equal to itself for NumPy's testing
            x = jax.numpy.arange(5).astype(dtype)
            outs += [x.at[FAR].get(mode=mode), x.at[9].get(mode=mode)]
            outs.append(x.at[-1].get(mode=mode, wrap_negative_indices=False))
            outs.append(x.at[FAR].get(mode=mode, fill_value=1))
    return outs


@case
def set_in_every_mode_and_dtype(jax):
    outs = []
    for mode in (None, "clip"):
        for dtype in DTYPES:
            x = jax.numpy.arange(5).astype(dtype)
            outs.append(x.at[FAR[:-1:2]].set(1, mode=mode))
            outs.append(x.at[9].set(1, mode=mode))
            outs.append(x.at[-1].set(1, mode=mode, wrap_negative_indices=False))
    return outs


def _update(method, dtype, index):
    def fun(jax):
        x = jax.numpy.asarray(X).astype(dtype)
        return getattr(x.at[index], method)(2)

    fun.__name__ = f"{method}-{dtype}-{index}"
    return case(fun)


for _method in ("add", "subtract", "multiply", "mul", "divide", "power", "min", "max"):
    for _dtype in ("int32", "float16"):
        _update(_method, _dtype, 1)
        _update(_method, _dtype, (slice(None), np.array([0, 0, 2, -1, 7])))
for _method in ("add", "multiply", "min", "set"):
    _update(_method, "bool", 1)
    _update(_method, "complex64", 0)


@case
def weak_types(jax):
    weak = jax.numpy.asarray(1.0)[None]
    strong = jax.numpy.float32(2)
    outs = [weak, weak[0], weak[FAR], weak.at[0].set(strong), weak.at[0].add(1)]
    return outs + [weak.at[0].get(mode="fill"), jax.numpy.take(weak, FAR)]


def _index(name, index, dtype="float32"):
    def get(jax):
        return jax.numpy.asarray(X).astype(dtype)[_of(jax, index)]

    def put(jax):
        return jax.numpy.asarray(X).astype(dtype).at[_of(jax, index)].set(1)

    def traced(jax):
        return jax.jit(lambda x: x[_of(jax, index)])(X)

    # arrays that are made while tracing are concrete here and traced in jax
    for fun in (get, put) if callable(index) else (get, put, traced):
        fun.__name__ = f"{fun.__name__}-{name}"
        case(fun)


def _of(jax, index):
    return index(jax) if callable(index) else index


_index("float", 1.5)
_index("float array", np.array([1.0]))
_index("list", [0, 1])
_index("list in a tuple", (0, [0, 1]))
_index("string", "a")
_index("string in a tuple", (0, "a"))
_index("set", {0})
_index("object", object())
_index("too many", (0, 0, 0, 0))
_index("ellipses", (..., 0, ...))
_index("mask", np.array([True, False]))
_index("wrong mask", np.array([True, False, True]))
_index("mask of a jax array", lambda jax: jax.numpy.array([False, True]))
_index("mask and array", (np.array([True, False]), slice(None), np.array([1, 2, 3])))
_index("two-axis mask", (slice(None), np.eye(3, 4) > 0))
_index("True", True)
_index("False", False)
_index("numpy bool", np.array(True))
_index("incompatible", (np.array([0, 1]), np.array([0, 1, 2])))
_index("zero step", slice(None, None, 0))
_index("float bound", slice(1.0, None))
_index("array bounds", lambda jax: slice(jax.numpy.array(0), jax.numpy.array(1)))
_index("vector bound", lambda jax: slice(jax.numpy.array([0]), None))
_index("0-d array", lambda jax: jax.numpy.array(1))
_index("numpy int", np.int64(1))
_index("None and ...", (None, ..., 1, None))
_index("separated", (np.array([0, 1]), slice(None), np.array([1, 2])))
_index("ellipsis between", (slice(None), 0, ..., np.array([0, 1])))
_index("new axis between", (np.array([0]), None, np.array([1, 2])))
_index("empty", np.array([], np.int32))


@case
def traced_mask(jax):
    return jax.jit(lambda x: x[x > 2])(X)


@case
def traced_mask_to_set(jax):
    return jax.jit(lambda x: x.at[x > 2].set(0.0))(X)


@case
def traced_bounds(jax):
    return jax.jit(lambda x, i: x[i:])(X, 1)


@case
def windows(jax):
    from_package = jaxlike.numpy.indexers.ds if jax is jaxlike else jax.ds
    x = jax.numpy.arange(6)
    pick = jax.jit(lambda x, i: x[from_package(i, 3)])
    return [x[from_package(2, 3)], pick(x, 1), pick(x, 5), pick(x, -1)]


def _values(name, values, dtype="int32", index=0):
    def fun(jax):
        return jax.numpy.zeros((3, 2), dtype).at[index].set(values)

    fun.__name__ = f"set-{name}"
    case(fun)


_values("float in int", 1.5)
_values("complex in float", 1j, "float32")
_values("wide int", 300, "int8")
_values("list", [1, 2])
_values("shape", np.ones(3, np.int32))
_values("rank", np.ones((1, 2), np.int32))
_values("string", "a")
_values("int in bool", 1, "bool")

for _mode in MODES:
    for _function in ("take", "take_along_axis", "put", "put_along_axis"):

        def _in_mode(jax, mode=_mode, function=_function):
            jnp = jax.numpy
            x, i = jnp.asarray(X[0]), jnp.asarray(FAR)
            if function == "take":
                return [
                    jnp.take(x, i, axis=axis, mode=mode, fill_value=fill)
                    for axis in (None, 0, -1)
                    for fill in (None, 9.0)
                ]
            rows = jnp.stack([i[::2]] * 3)
            if function == "take_along_axis":
                return jnp.take_along_axis(x, rows, axis=1, mode=mode)
            if function == "put":
                return jnp.put(x, i, jnp.array([7.0, 8.0]), mode=mode, inplace=False)
            return jnp.put_along_axis(x, rows, 7.0, 1, mode=mode, inplace=False)

        _in_mode.__name__ = f"{_function}-{_mode}"
        case(_in_mode)


@case
def take_shapes(jax):
    jnp, x = jax.numpy, jax.numpy.asarray(X)
    i = jnp.array([[0, 1], [2, 0]])
    outs = [jnp.take(x, i, axis=1), jnp.take(x, i), jnp.take(x, 1, axis=2)]
    outs += [jnp.take(x, i.astype("uint8"), 1)]
    outs.append(jnp.take(x, i[:0], axis=1))
    return outs + [jax.jit(lambda x, i: jnp.take(x, i, axis=2))(x, i), x.take(i, 1)]


@case
def take_along_axis_shapes(jax):
    jnp, x = jax.numpy, jax.numpy.asarray(X)
    outs = [jnp.take_along_axis(x, jnp.argsort(-x, axis=a), axis=a) for a in (0, 1, -1)]
    outs.append(jnp.take_along_axis(x, jnp.array([[[1], [0]]]), axis=1))
    outs.append(jnp.take_along_axis(x[:1], jnp.array([[[1]], [[0]]]), axis=1))
    outs.append(jnp.take_along_axis(x, jnp.array([3, -1, 99]), axis=None))
    return outs + [jnp.take_along_axis(x[0], jnp.array([[1, 9]], "uint8"), 0)]


def _wrong(name, fun):
    fun.__name__ = f"wrong-{name}"
    case(fun)


_wrong("take float", lambda jax: jax.numpy.take(X, np.array([1.0])))
_wrong("take list", lambda jax: jax.numpy.take(X, [1]))
_wrong("take axis", lambda jax: jax.numpy.take(X, 1, axis=3))
_wrong("take out", lambda jax: jax.numpy.take(X, 1, out=X))
_wrong("take empty", lambda jax: jax.numpy.take(X[:0], np.array([0]), 0))
_wrong("along float", lambda jax: jax.numpy.take_along_axis(X[0], X[0], 0))
_wrong("along rank", lambda jax: jax.numpy.take_along_axis(X, FAR, 1))
_wrong("put in place", lambda jax: jax.numpy.put(X, FAR, 1.0))
_wrong("put list", lambda jax: jax.numpy.put(X, [1], 1.0, inplace=False))
_wrong("place in place", lambda jax: jax.numpy.place(X, X > 1, 1.0))
_wrong("place size", lambda jax: jax.numpy.place(X, X[0] > 1, 1.0, inplace=False))
_wrong("fill in place", lambda jax: jax.numpy.fill_diagonal(X[0], 1.0))
_wrong("fill 1-d", lambda jax: jax.numpy.fill_diagonal(FAR, 1, inplace=False))
_wrong("fill shape", lambda jax: jax.numpy.fill_diagonal(X, 1.0, inplace=False))


@case
def put_and_place(jax):
    jnp, x = jax.numpy, jax.numpy.asarray(X[0])
    outs = [jnp.put(x, jnp.array([1, 4]), jnp.array([[8.0, 9.0]]), inplace=False)]
    outs.append(jnp.put(x, 2, 8.0, inplace=False))
    outs.append(jnp.place(x, x > 3, jnp.array([1.0, 2.0, 3.0]), inplace=False))
    outs.append(jax.jit(lambda x: jnp.place(x, x > 3, x[0], inplace=False))(x))
    return outs + [jnp.put_along_axis(x, jnp.array([[1]]), 9.0, 0, inplace=False)]


@case
def fill_diagonal(jax):
    jnp = jax.numpy
    shapes = [(3, 3), (2, 4), (5, 2), (2, 2, 2), (0, 3)]
    outs = [jnp.fill_diagonal(jnp.zeros(s), 5, inplace=False) for s in shapes]
    values = jnp.array([[1, 2], [3, 4]])
    return [*outs, jnp.fill_diagonal(jnp.zeros((3, 3)), values, inplace=False)]


@pytest.mark.parametrize("fun", cases, ids=lambda fun: fun.__name__)
def test_same_as_jax(fun):
    check_same(fun, jaxlike, jax)
