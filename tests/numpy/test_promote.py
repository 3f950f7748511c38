"""Promotion of arguments: checks, dtypes with weak types, ranks."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as onp
import pytest

import jaxlike
import jaxlike.numpy as np
from jaxlike.core.avals import get_aval
from jaxlike.numpy import promote


@pytest.mark.parametrize("bad", [[1], (1, 2), None, "a", {1: 2}, object(), range(3)])
def test_what_is_no_array_is_refused(bad):
    with pytest.raises(TypeError, match="takes arrays and numbers"):
        promote.check_arraylike("f", 1.0, bad)
    for fun in (np.sin, np.sum, np.ravel, np.sort, np.cumsum, np.isnan):
        with pytest.raises(TypeError):
            fun(bad)


def test_python_numbers_stay_literals_under_jit():
    jaxpr = str(jaxlike.make_jaxpr(lambda x: np.add(x, 2))(np.ones((2, 3))))
    assert "2.0:f32[]" in jaxpr and "broadcast" not in jaxpr


@pytest.mark.parametrize("value", [1, 1.5, 2j, True])
@pytest.mark.parametrize("dtype", ["int8", "float16", "bfloat16", "complex64"])
@pytest.mark.parametrize("weak", [False, True])
def test_convert_gives_exactly_the_type(value, dtype, weak):
    target = onp.dtype(np.dtype(dtype))
    # NumPy warns of what is lost; ml_dtypes does not
    loses = isinstance(value, complex) and target.kind not in "cV"
    with pytest.warns(onp.exceptions.ComplexWarning) if loses else nullcontext():
        out = get_aval(promote.convert(value, target, weak))
    assert (out.dtype, out.weak_type, out.shape) == (target, weak, ())
    array = get_aval(promote.convert(np.ones(2), target, weak))
    assert (array.dtype, array.weak_type, array.shape) == (target, weak, (2,))


def test_ranks_are_lined_up_but_for_scalars():
    x, y, z = promote.promote_shapes("f", np.ones((2, 3)), np.ones(3), 1.0)
    assert (x.shape, y.shape, z) == ((2, 3), (1, 3), 1.0)


def test_float0_is_refused():
    zeros = onp.zeros(3, jaxlike.dtypes.float0)
    with pytest.raises(TypeError, match="float0"):
        np.add(zeros, 1.0)


def test_strict_promotion():
    with jaxlike.numpy_dtype_promotion("strict"):
        assert np.add(np.ones(2), 1).dtype == np.float32
        with pytest.raises(jaxlike.dtypes.TypePromotionError):
            np.add(np.ones(2), np.arange(2))
