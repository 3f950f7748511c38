"""repr and str of arrays; tests/parity/test_array_repr.py compares them with jax's."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike.numpy as jnp
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray
from jaxlike.core.dtypes import KeyDType


@pytest.mark.parametrize(
    "value, expected",
    [
        (np.float32([1, 2.5]), "Array([1. , 2.5], dtype=float32)"),
        (np.int8(3), "Array(3, dtype=int8)"),
        (2.0, "Array(2., dtype=float32, weak_type=True)"),
        (np.zeros((0, 3), bool), "Array([], shape=(0, 3), dtype=bool)"),
        (np.complex64([1j]), "Array([0.+1.j], dtype=complex64)"),
        (
            np.arange(4, dtype=np.int32).reshape(2, 2),
            "Array([[0, 1],\n       [2, 3]], dtype=int32)",
        ),
    ],
)
def test_repr(value, expected):
    assert repr(jnp.asarray(value)) == expected


def test_bfloat16_and_long_arrays():
    text = repr(jnp.arange(2000.0).astype("bfloat16"))
    assert text == "Array([0, 1, 2, ..., 2000, 2000, 2000], dtype=bfloat16)"


def test_keys():
    dtype = KeyDType("threefry2x32")
    data = np.zeros(2, dtype.storage)
    keys = Array(data, ShapedArray((2,), dtype))
    text = "Array((2,), dtype=key<fry>) overlaying:\n[[0 0]\n [0 0]]"
    assert repr(keys) == str(keys) == text


def test_str_is_numpys():
    x = np.linspace(0, 1, 7, dtype=np.float32).reshape(7, 1)
    assert str(jnp.asarray(x)) == str(x)
    assert f"{jnp.asarray(x[0, 0])}" == str(x[0, 0])
    with np.printoptions(precision=2):
        assert str(jnp.asarray(x)) == str(x)


def test_deleted_arrays_print():
    x = jnp.ones(3)
    x.delete()
    assert "deleted" in repr(x) and "deleted" in str(x)
