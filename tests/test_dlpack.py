"""Buffers shared with other libraries."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike.core import dlpack_bfloat16
from jaxlike.dlpack import from_dlpack, is_supported_dtype

DTYPES = ("bool", "int8", "uint32", "float16", "float32", "complex64", "int16")


class Foreign:
    """What another library offers: the two methods, and nothing of NumPy."""

    def __init__(self, array, device=(1, 0)):
        self.array = array
        self.device = device

    def __dlpack__(self, **options):
        if self.array.dtype == jnp.bfloat16:
            return dlpack_bfloat16.export(self.array, **options)
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_copies(dtype):
    source = np.arange(6).reshape(2, 3).astype(dtype)
    for given in (source, source.T, source[:, ::2], Foreign(source)):
        array = from_dlpack(given)
        buffer = given.array if isinstance(given, Foreign) else given
        np.testing.assert_array_equal(array, buffer)
        assert np.shares_memory(np.asarray(array), source)
        assert not np.shares_memory(np.asarray(from_dlpack(given, copy=True)), source)
    back = np.from_dlpack(jnp.asarray(source) * source)
    np.testing.assert_array_equal(back, source * source)
    x = jnp.asarray(source).copy()
    assert np.shares_memory(np.from_dlpack(x), np.asarray(x))


def test_bfloat16_travels():
    x = jnp.arange(6.0).astype("bfloat16").reshape(2, 3)
    capsule = x.__dlpack__()
    assert dlpack_bfloat16._tensor_of(capsule).code == dlpack_bfloat16.BFLOAT
    got = from_dlpack(Foreign(np.array(x)))
    assert got.dtype == jnp.bfloat16
    np.testing.assert_array_equal(got, x)
    versioned = x.__dlpack__(max_version=(1, 0))
    assert dlpack_bfloat16._tensor_of(versioned).code == dlpack_bfloat16.BFLOAT


def test_64_bits():
    with pytest.raises(ValueError, match="copy"):
        from_dlpack(np.ones(2), copy=False)
    assert from_dlpack(np.ones(2)).dtype == jnp.float32
    with jaxlike.enable_x64(True):
        assert from_dlpack(np.ones(2), copy=False).dtype == jnp.float64


def test_broadcasts_are_copied_on_the_way_out():
    x = jnp.broadcast_to(jnp.asarray(1.0), (3,))
    out = np.from_dlpack(x)
    assert out.tolist() == [1, 1, 1]
    assert jnp.from_dlpack(jnp.ones(2)).tolist() == [1, 1]


def test_errors():
    with pytest.raises(TypeError, match="__dlpack__"):
        from_dlpack([1.0])
    with pytest.raises(TypeError, match="__dlpack__"):
        from_dlpack(np.ones(1).__dlpack__())
    with pytest.raises(ValueError, match="CPU"):
        from_dlpack(Foreign(np.ones(1), device=(2, 0)))
    with pytest.raises(ValueError, match="cannot have dtype"):
        from_dlpack(np.array(["a"]))


def test_supported_dtypes():
    assert all(map(is_supported_dtype, (*DTYPES, "bfloat16", "complex128", bool, int)))
    assert not any(map(is_supported_dtype, ("int4", "float8_e4m3fn", "S1", "O")))
