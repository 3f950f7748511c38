"""Fourier transforms in kernels: close to SciPy's, and without calls."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.backends.numba.program import Program
from jaxlike.backends.plan.fourier import factors
from jaxlike.core.array import to_buffer
from jaxlike.core.config import enable_x64
from jaxlike.core.jaxpr import ClosedJaxpr, JaxprEqn, evaluate_jaxpr
from jaxlike.transforms.make_jaxpr import make_jaxpr

LENGTHS = (1, 2, 3, 6, 7, 16, 20, 60, 77, 250, 1001, 1024)


def random(shape, dtype) -> np.ndarray:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def check(fun, x, calls=0) -> Program:
    with enable_x64(True):
        closed = make_jaxpr(fun)(x)
        closed = ClosedJaxpr(closed.jaxpr, [to_buffer(c) for c in closed.consts])
        program = Program(closed, "test")
        (want,) = evaluate_jaxpr(closed.jaxpr, closed.consts, x)
    (got,) = program([x])
    assert got.dtype == want.dtype and got.shape == want.shape
    size = np.abs(want).max(initial=0)
    error = np.abs(got - want).max(initial=0)
    assert error <= 10 * np.finfo(got.dtype).eps * size
    assert sum(isinstance(s, JaxprEqn) for s in program.schedule) == calls
    return program


def test_factors():
    for n in range(1, 300):
        made = factors(n)
        if made is not None:
            assert np.prod(made, dtype=int) == n
    assert factors(2 * 17) is None and factors(4096) == [8, 8, 8, 8]
    assert factors(16) == [4, 4] and 2 not in factors(1 << 9)


@pytest.mark.parametrize("single", [True, False], ids=["float32", "float64"])
def test_every_kind(single):
    real, whole = ("f4", "c8") if single else ("f8", "c16")
    for i, n in enumerate(LENGTHS):
        lead = ((), (3,), (2, 2))[i % 3]
        for name in ("fft", "ifft"):
            check(lambda x: lax.fft(x, name, (n,)), random((*lead, n), whole))
        if n % 2 == 0:
            check(lambda x: lax.fft(x, "rfft", (n,)), random((*lead, n), real))
            check(lambda x: lax.fft(x, "fft", (n,)), random((*lead, n), real))
            half = random((*lead, n // 2 + 1), whole)
            check(lambda x: lax.fft(x, "irfft", (n,)), half)


@pytest.mark.parametrize("shape", [(4, 6), (8, 3, 20), (3, 1, 2), (5, 40, 33)])
def test_several_axes(shape):
    check(jnp.fft.fftn, random(shape, "c8"))
    check(jnp.fft.ifft2, random(shape, "c16"))
    lengths = shape[-2:]
    check(
        lambda x: lax.fft(x, "fft", lengths), random(shape, "f4"), calls=shape[-1] % 2
    )
    if shape[-1] % 2 == 0:
        check(jnp.fft.rfft2, random(shape, "f4"))
        half = (*shape[:-1], shape[-1] // 2 + 1)
        check(lambda x: lax.fft(x, "irfft", lengths), random(half, "c8"))


def test_other_lengths_are_called():
    check(jnp.fft.fft, random((3, 34), "c8"), calls=1)
    check(jnp.fft.rfft, random((3, 15), "f4"), calls=1)
    check(jnp.fft.fft, random((0, 16), "c8"), calls=1)


def test_the_spectrum_of_a_signal_is_two_kernels():
    spectrum = lambda x: jnp.abs(jnp.fft.fft(x))
    program = check(spectrum, random((4, 64), "f4"))
    assert len(program.kernels) == 2
    assert "whole fourier float32 4 x 64 x 1" in program.as_text()
    check(jaxlike.grad(lambda x: (spectrum(x) ** 2).sum()), random((64,), "f4"))
    check(
        jaxlike.grad(lambda x: jnp.fft.irfft(jnp.fft.rfft(x)).sum()), random(64, "f4")
    )


def test_what_is_not_finite_stays_in_its_row():
    x = random((5, 32), "c8")
    x[2, 7] = np.inf
    out = np.asarray(jaxlike.jit(jnp.fft.fft)(x))
    assert np.isfinite(out[[0, 1, 3, 4]]).all() and not np.isfinite(out[2]).any()
