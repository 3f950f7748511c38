"""Array: immutable, hashable by nobody, and at home with NumPy, pickle and copy."""

import copy
import pickle

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_numpy_sees_the_buffer_read_only():
    x = jnp.asarray(X)
    view = np.asarray(x)
    np.testing.assert_array_equal(view, X)
    with pytest.raises(ValueError):
        view[0] = 1
    mine = np.array(x)
    mine[0] = 9
    assert float(x[0, 0]) == 0
    assert np.asarray(x, dtype=np.float64).dtype == np.float64


def test_later_changes_of_the_source_do_not_show():
    mine = X.copy()
    x = jnp.array(mine)
    mine[:] = 7
    np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8", "bool", "complex64"])
def test_pickle_and_copies(dtype):
    x = jnp.asarray(X).astype(dtype)
    for y in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)):
        assert y.dtype == x.dtype and y.weak_type == x.weak_type
        np.testing.assert_array_equal(np.asarray(y), np.asarray(x))


def test_in_place_changes_are_refused():
    x = jnp.asarray(X)
    with pytest.raises(TypeError, match=r"\.at\[index\]\.set"):
        x[0] = 1
    with pytest.raises(TypeError):
        del x[0]
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)


def test_python_numbers():
    assert int(jnp.int32(3)) == 3 and float(jnp.float32(2)) == 2.0
    assert complex(jnp.complex64(1j)) == 1j and [1, 2, 3][jnp.int32(1)] == 2
    assert hex(jnp.int32(255)) == "0xff" and f"{jnp.float32(1.5):.2f}" == "1.50"
    assert jnp.asarray(X).item(1, 2) == 5 and jnp.asarray(X).tolist() == X.tolist()
    for bad in (int, float, complex):
        with pytest.raises(TypeError):
            bad(jnp.asarray(X))
    with pytest.raises(TypeError):
        [1, 2][jnp.float32(1)]


def test_truth():
    assert jnp.ones((1, 1)) and not jnp.zeros(())
    for ambiguous in (jnp.asarray(X), jnp.zeros(0)):
        with pytest.raises(ValueError, match="ambiguous"):
            bool(ambiguous)


def test_deleted_arrays():
    x = jnp.asarray(X)
    x.delete()
    assert x.is_deleted() and x.shape == (2, 3)
    for use in (
        lambda: x + 1,
        lambda: np.asarray(x),
        lambda: jax.jit(jnp.sin)(x),
        lambda: x.block_until_ready(),
        lambda: jax.grad(lambda y: (y * x).sum())(X),
    ):
        with pytest.raises(RuntimeError, match="deleted"):
            use()


def test_dlpack_there_and_back():
    x = jnp.asarray(X)
    np.testing.assert_array_equal(np.from_dlpack(x), X)


def test_sizes():
    x = jnp.asarray(X)
    assert (x.ndim, x.size, len(x), x.nbytes, x.itemsize) == (2, 6, 2, 24, 4)
    with pytest.raises(TypeError):
        len(jnp.float32(1))
