"""Arrays share no memory that somebody else writes to, and have the dtype asked for."""

from __future__ import annotations

import enum
import pickle

import ml_dtypes
import numpy as onp
import pytest

import jaxlike
import jaxlike.numpy as np
from jaxlike.core.array import Array


@pytest.mark.parametrize(
    "make", [np.asarray, np.array, lambda a: np.array(a, copy=False)]
)
@pytest.mark.parametrize("view", [lambda a: a, lambda a: a[::2], lambda a: a.T])
def test_arrays_never_follow_a_writeable_ndarray(make, view):
    data = onp.arange(6, dtype=onp.float32)
    x = make(view(data))
    before = x.tolist()
    data[:] = -1
    assert x.tolist() == before
    assert not onp.shares_memory(onp.asarray(x), data)


def test_read_only_view_of_writeable_memory_is_copied():
    data = onp.zeros(4, onp.float32)
    view = data[1:]
    view.flags.writeable = False
    x = np.asarray(view)
    data[:] = 1
    assert x.tolist() == [0, 0, 0]


def test_memory_that_cannot_change_is_shared():
    data = onp.frombuffer(b"12345678", onp.uint8)
    assert onp.shares_memory(onp.asarray(np.asarray(data)), data)
    assert not onp.shares_memory(onp.asarray(np.array(data)), data)


def test_asarray_and_array_of_an_array():
    x = np.arange(3)
    assert np.asarray(x) is x
    assert np.array(x) is not x
    assert not onp.shares_memory(onp.asarray(np.array(x)), onp.asarray(x))


@pytest.mark.parametrize("name", ["zeros", "ones", "empty", "full"])
def test_a_new_array_each_time(name):
    args = ((3,), 0.0) if name == "full" else ((3,),)
    a, b = getattr(np, name)(*args), getattr(np, name)(*args)
    assert not onp.shares_memory(onp.asarray(a), onp.asarray(b))


def test_dtypes_of_python_values():
    class Level(enum.IntEnum):
        LOW = 3

    assert np.array(Level.LOW).dtype == np.int32
    assert np.array([Level.LOW, 2]).dtype == np.int32
    assert np.array([1, ml_dtypes.bfloat16(2)]).dtype == np.bfloat16
    assert np.array([[True], [2]]).dtype == np.int32
    assert np.array([onp.float64(1e300)]).tolist() == [float("inf")]


def test_64_bits_warn_at_every_call():
    for call in (
        lambda: np.zeros(2, "float64"),
        lambda: np.arange(3, dtype=np.int64),
        lambda: np.sum(np.ones(2), dtype="float64"),
        lambda: np.ones(2).astype(onp.int64),
        lambda: np.array([1.0], onp.float64),
    ):
        for _ in range(2):
            with pytest.warns(UserWarning, match="64"):
                assert call().dtype.itemsize == 4


def test_x64():
    with jaxlike.enable_x64(True):
        assert np.arange(3).dtype == np.int64
        assert np.zeros(2, "float64").dtype == np.float64
        assert np.add(np.ones(2), 1).dtype == np.float64
        assert np.mean(np.arange(3)).dtype == np.float64
    assert np.mean(np.arange(3)).dtype == np.float32


def test_lists_of_tracers():
    def stack(x):
        return np.array([x, [2.0, 3.0], [x[0], 1]])

    assert jaxlike.jit(stack)(np.ones(2)).tolist() == [[1, 1], [2, 3], [1, 1]]


def test_objects_that_say_what_they_are():
    class Boxed:
        def __jax_array__(self):
            return np.arange(2)

    assert np.asarray(Boxed()).tolist() == [0, 1]
    assert np.add(Boxed(), 1).tolist() == [1, 2]
    assert np.array([Boxed(), [5, 6]]).tolist() == [[0, 1], [5, 6]]
    assert np.sum(Boxed()).item() == 1


def test_keys():
    keys = jaxlike.random.split(jaxlike.random.key(0), 3)
    stacked = np.array([keys[0], keys[1]])
    assert stacked.dtype == keys.dtype and stacked.shape == (2,)
    assert np.concatenate([keys, keys]).shape == (6,)
    assert np.where(np.array([True, False, True]), keys, keys[::-1]).shape == (3,)
    assert isinstance(np.reshape(keys, (3, 1)), Array)


def test_scalar_types_stand_for_dtypes():
    assert np.float32 == onp.float32 and onp.dtype(np.bfloat16) == ml_dtypes.bfloat16
    assert {np.int8: 1}[onp.int8] == 1
    assert np.float16(1.5).dtype == np.float16
    assert not isinstance(np.float32(1), np.float32)
    assert np.issubdtype(np.float32, np.floating)
    assert repr(np.float32) == "<class 'jaxlike.numpy.float32'>"


def test_files(tmp_path):
    for dtype in ("int8", "float32", "complex64", "bfloat16"):
        x = np.arange(3).astype(dtype)
        np.save(tmp_path / "x.npy", x)
        assert np.load(tmp_path / "x.npy").dtype == x.dtype
    np.savez(tmp_path / "xs.npz", a=np.arange(2))
    assert np.load(tmp_path / "xs.npz")["a"].tolist() == [0, 1]


def test_ufuncs_pickle_to_themselves():
    assert pickle.loads(pickle.dumps(np.add)) is np.add
