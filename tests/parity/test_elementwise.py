"""Elementwise functions by JAX: error classes, and weak types of Python scalars."""

from __future__ import annotations

import warnings

import ml_dtypes
import numpy as np
import pytest

from jaxlike import lax
from jaxlike.core.avals import get_aval

jax = pytest.importorskip("jax")

F, H = np.ones(3, np.float32), np.ones(3, np.float16)
I, U, B = np.ones(3, np.int32), np.ones(3, np.uint8), np.ones(3, bool)
C = np.ones(3, np.complex64)

WRONG = [
    ("add", F, H),
    ("add", F, I),
    ("add", F, 1),
    ("add", B, B),
    ("add", [1.0], F),
    ("add", F, None),
    ("add", F, "a"),
    ("add", F, np.ones((2, 3), np.float32)),
    ("add", F, np.ones(2, np.float32)),
    ("sin", I),
    ("sin", "a"),
    ("abs", U),
    ("abs", B),
    ("neg", B),
    ("rem", C, C),
    ("pow", I, I),
    ("pow", F, H),
    ("pow", F, B),
    ("integer_pow", I, -1),
    ("integer_pow", B, 2),
    ("cbrt", C),
    ("floor", I),
    ("round", C),
    ("round", F, 7),
    ("is_finite", I),
    ("nextafter", C, C),
    ("lt", C, C),
    ("bitwise_and", F, F),
    ("bitwise_not", F),
    ("shift_left", B, B),
    ("clz", F),
    ("real", F),
    ("complex", H, H),
    ("complex", F, C),
    ("conj", I),
    ("conj", H),
    ("erf", C),
    ("lgamma", I),
    ("igamma", F, H),
    ("convert_element_type", F, None),
    ("convert_element_type", F, "S3"),
    ("convert_element_type", "a", int),
    ("bitcast_convert_type", F, np.complex64),
    ("bitcast_convert_type", B, np.int8),
    ("bitcast_convert_type", U, np.int32),
    ("bitcast_convert_type", U, np.int16),
    ("reduce_precision", F, 0, 2),
    ("reduce_precision", F, 5, -1),
    ("reduce_precision", I, 5, 2),
    ("stop_gradient", "a"),
    ("dtype", [1]),
    ("Tolerance", -1.0),
    ("Tolerance",),
]


@pytest.mark.parametrize("call", WRONG, ids=lambda c: c[0])
def test_error_class_is_jax_class(call):
    name, *args = call
    with pytest.raises(Exception) as theirs, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(jax.lax, name)(*args)
    with pytest.raises(theirs.type):
        getattr(lax, name)(*args)


WEAK = [
    ("add", 1, 2),
    ("add", 1.0, F),
    ("mul", 2.0, np.float32(3)),
    ("max", 1, I),
    ("abs", 3 + 4j),
    ("abs", -2),
    ("real", 1j),
    ("conj", 1j),
    ("conj", 1.5),
    ("complex", 1.0, 2.0),
    ("sin", 1.0),
    ("floor", 1.5),
    ("is_finite", 1.5),
    ("eq", 1, 2),
    ("sign", -2),
    ("integer_pow", 2.0, 3),
    ("pow", 2.0, 3),
    ("pow", F, 3),
    ("square", 2),
    ("reciprocal", 2.0),
    ("convert_element_type", 1.0, float),
    ("convert_element_type", 1, np.float32),
    ("convert_element_type", 1.5, bool),
    ("convert_element_type", 1, ml_dtypes.bfloat16),
    ("bitcast_convert_type", 1.0, np.int32),
    ("bitcast_convert_type", 1.0, np.float32),
    ("reduce_precision", 1.2, 5, 3),
    ("round", 2.5),
    ("nextafter", 1.0, 2.0),
    ("shift_left", 1, 2),
    ("population_count", 7),
    ("erf", 0.5),
    ("igamma", 1.0, 2.0),
]


@pytest.mark.parametrize("call", WEAK, ids=lambda c: c[0])
def test_weak_type_is_jax_weak_type(call):
    name, *args = call
    theirs = getattr(jax.lax, name)(*args)
    ours = getattr(lax, name)(*args)
    aval = get_aval(ours)
    assert (aval.shape, aval.dtype) == (theirs.shape, theirs.dtype)
    assert aval.weak_type == theirs.weak_type
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), 1e-5)


@pytest.mark.parametrize("module", [lax, jax.lax], ids=["jaxlike", "jax"])
@pytest.mark.parametrize("new_dtype", [np.float32, np.int16, bool])
def test_complex_to_real_warns(module, new_dtype):
    with pytest.warns(np.exceptions.ComplexWarning):
        module.convert_element_type(C, new_dtype)


@pytest.mark.parametrize("module", [lax, jax.lax], ids=["jaxlike", "jax"])
def test_64_bits_are_truncated_with_a_warning(module):
    with pytest.warns(UserWarning, match="float64"):
        out = module.convert_element_type(F, np.float64)
    assert out.dtype == np.float32
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module.convert_element_type(F, float)
