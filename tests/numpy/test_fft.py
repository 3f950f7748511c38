"""jax.numpy.fft against NumPy's, and its derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from tests.numpy.indices import staged
from tests.primitives.gradcheck import check_grads

ONE_AXIS = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
TWO_AXES = ["fft2", "ifft2", "rfft2", "irfft2"]
MORE_AXES = ["fftn", "ifftn", "rfftn", "irfftn"]
NORMS = [None, "backward", "ortho", "forward"]


def real_only(name):
    return name in ("rfft", "ihfft", "rfft2", "rfftn")


def operand(name, shape, dtype=np.complex64):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    if real_only(name):
        return x.real.astype(np.dtype(dtype).type(0).real.dtype)
    return x.astype(dtype)


def check(name, x, *args, **options):
    expected = getattr(np.fft, name)(x, *args, **options)
    got = getattr(jnp.fft, name)(x, *args, **options)
    assert got.shape == expected.shape and got.dtype.kind == expected.dtype.kind
    assert got.dtype in (jnp.float32, jnp.complex64)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ONE_AXIS)
@pytest.mark.parametrize("norm", NORMS)
def test_one_axis(name, norm):
    x = operand(name, (3, 6))
    for n in (None, 1, 5, 6, 9):
        for axis in (-1, 0):
            if n == 1 and name in ("irfft", "hfft"):
                continue
            check(name, x, n, axis, norm)


@pytest.mark.parametrize("name", TWO_AXES)
@pytest.mark.parametrize("norm", NORMS)
def test_two_axes(name, norm):
    x = operand(name, (2, 3, 4))
    check(name, x, norm=norm)
    check(name, x, (5, 3), (0, 1), norm)
    check(name, x, None, (2, 0), norm)


@pytest.mark.parametrize("name", MORE_AXES)
def test_any_number_of_axes(name):
    x = operand(name, (2, 3, 4, 3, 2))
    check(name, x)
    check(name, x, axes=(3, 1))
    check(name, x, axes=(4, 0, 2, 1), norm="ortho")
    check(name, x, s=(4, 4), axes=(0, 3))
    check(name, x[0, 0])


@pytest.mark.parametrize("name", ONE_AXIS + MORE_AXES)
def test_derivatives_batching_and_staging(name):
    fun = getattr(jnp.fft, name)
    x = operand(name, (2, 5))
    np.testing.assert_allclose(staged(fun)(x), fun(x), rtol=1e-6, atol=1e-6)
    rows = np.stack([x, 2 * x])
    np.testing.assert_allclose(jaxlike.vmap(fun)(rows)[1], fun(2 * x), atol=1e-4)
    with jaxlike.enable_x64(True):
        check_grads(lambda x: [fun(x)], [operand(name, (2, 5), np.complex128)])


def test_inverses():
    x = operand("fft", (3, 4, 5, 2))
    np.testing.assert_allclose(jnp.fft.ifftn(jnp.fft.fftn(x)), x, atol=1e-5)
    real = x.real
    back = jnp.fft.irfftn(jnp.fft.rfftn(real), real.shape)
    np.testing.assert_allclose(back, real, atol=1e-5)
    np.testing.assert_allclose(
        jnp.fft.hfft(jnp.fft.ihfft(real), 2), np.fft.hfft(np.fft.ihfft(real), 2), 1e-4
    )


def test_dtypes():
    for dtype in ("int32", "bool", "float16", "bfloat16", "float32", "complex64"):
        x = jnp.ones(4, dtype)
        assert jnp.fft.fft(x).dtype == jnp.complex64
        assert jnp.fft.irfft(x).dtype == jnp.float32
    assert jnp.fft.rfft(jnp.ones(4, int)).dtype == jnp.complex64
    with jaxlike.enable_x64(True):
        assert jnp.fft.rfft(np.ones(4)).dtype == jnp.complex128


def test_frequencies_and_shifts():
    for n in (1, 2, 5, 6):
        for d in (1.0, 0.3, 2):
            for name in ("fftfreq", "rfftfreq"):
                expected = getattr(np.fft, name)(n, d)
                got = getattr(jnp.fft, name)(n, d)
                assert got.dtype == jnp.float32
                np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert jnp.fft.fftfreq(4, dtype="float16").dtype == jnp.float16
    assert jnp.fft.fftfreq(0).shape == (0,)
    x = np.arange(30).reshape(2, 3, 5)
    for axes in (None, 1, (0, 2), (-1,)):
        for name in ("fftshift", "ifftshift"):
            expected = getattr(np.fft, name)(x, axes)
            np.testing.assert_array_equal(getattr(jnp.fft, name)(x, axes), expected)


def test_nothing_to_transform():
    assert jnp.fft.fft(jnp.zeros((0,))).shape == (0,)
    assert jnp.fft.fftn(jnp.ones((2, 3)), axes=()).dtype == jnp.complex64


@pytest.mark.parametrize(
    "call",
    [
        lambda x: jnp.fft.fft(x, 0),
        lambda x: jnp.fft.fft(x, -1),
        lambda x: jnp.fft.fft(x, norm="x"),
        lambda x: jnp.fft.fft(x, axis=3),
        lambda x: jnp.fft.fft(x, axis=(0, 1)),
        lambda x: jnp.fft.fft2(x, axes=(0,)),
        lambda x: jnp.fft.fftn(x, s=(2,), axes=(0, 1)),
        lambda x: jnp.fft.fftn(x, axes=(0, 0)),
        lambda x: jnp.fft.fftn(x, s=(2, 2, 2)),
        lambda x: jnp.fft.rfft(x + 1j),
        lambda x: jnp.fft.rfft(x.astype("float16")),
        lambda x: jnp.fft.fft(x[0, 0]),
        lambda x: jnp.fft.fftfreq([5]),
    ],
)
def test_errors(call):
    with pytest.raises(ValueError):
        call(jnp.ones((2, 3)))
