"""Linear algebra in kernels: equal to the reference evaluation, without calls."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike.backends.numba.program import Program
from jaxlike.core.array import to_buffer
from jaxlike.core.config import enable_x64
from jaxlike.core.jaxpr import ClosedJaxpr, JaxprEqn, evaluate_jaxpr
from jaxlike.lax import linalg
from jaxlike.transforms.make_jaxpr import make_jaxpr

DTYPES = ["float32", "float64", "complex64", "complex128"]
SHAPES = [(1, 1), (3, 4, 4), (33, 33), (2, 70, 70)]


def random(seed: int, shape, dtype) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def positive(seed: int, shape, dtype) -> np.ndarray:
    a = random(seed, shape, dtype)
    eye = np.eye(shape[-1], dtype=dtype)
    return a @ a.conj().swapaxes(-1, -2) + eye * np.asarray(shape[-1], dtype)


def compiled(fun, *args) -> tuple[Program, list, list]:
    """(program, its results, the reference's)."""
    with enable_x64(True):
        closed = make_jaxpr(fun)(*args)
        closed = ClosedJaxpr(closed.jaxpr, [to_buffer(c) for c in closed.consts])
        program = Program(closed, "test")
        with np.errstate(all="ignore"):
            want = evaluate_jaxpr(closed.jaxpr, closed.consts, *args)
        return program, program(args), want


NATIVE = {"cholesky", "triangular_solve", "lu", "eigh", "qr", "svd"}


def called(program: Program) -> set[str]:
    """The operations on matrices that are no kernels."""
    calls = [s for s in program.schedule if isinstance(s, JaxprEqn)]
    return NATIVE & {eqn.primitive.name for eqn in calls}


def check(fun, *args, native=True) -> list:
    program, got, want = compiled(fun, *args)
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        if a.dtype.kind in "fc":
            close = 2000 * np.finfo(a.dtype).eps
            np.testing.assert_allclose(a, b, rtol=close, atol=close)
        else:
            assert np.array_equal(a, b)
    assert bool(called(program)) != native
    return got


@pytest.mark.parametrize("dtype", DTYPES)
def test_cholesky(dtype):
    for shape in SHAPES:
        x = positive(1, shape, dtype)
        factor = lambda x: linalg.cholesky(x, symmetrize_input=False)
        check(factor, x)
        if shape[0] > 1:
            x[-1] = -x[-1]
        elif shape[-1] > 3:
            x[2, 2] = np.nan
        check(factor, x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_triangular_solve(dtype):
    flags = itertools.product((False, True), repeat=5)
    for i, (left, lower, transpose, conjugate, unit) in enumerate(flags):
        shape = SHAPES[(i + i // 8) % 4]
        n, k = shape[-1], (1, 3, 20)[i % 3]
        a = random(i, shape, dtype) / n + 2 * np.eye(n, dtype=dtype)
        b = random(i + 1, (*shape[:-2], *((n, k) if left else (k, n))), dtype)
        call = conjugate and not transpose and b.dtype.kind == "c"

        def solve(a, b, flags=(left, lower, transpose, conjugate, unit)):
            names = ("left_side", "lower", "transpose_a", "conjugate_a")
            params = dict(zip((*names, "unit_diagonal"), flags))
            return linalg.triangular_solve(a, b, **params)

        check(solve, a.astype(dtype), b, native=not call)


def test_singular_triangles():
    a = np.array([[2, 0, 0], [1, 0, 0], [1, 1, 3]], "float32")
    b = np.ones((3, 2), "float32")
    (got,) = check(
        lambda a, b: linalg.triangular_solve(a, b, left_side=True, lower=True), a, b
    )
    assert np.isinf(got[1]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_lu(dtype):
    for shape in (*SHAPES, (5, 3), (2, 3, 8), (90, 20)):
        x = random(2, shape, dtype)
        check(linalg.lu, x)
    x = random(3, (4, 4), dtype)
    x[:, 1] = x[:, 0] * 2  # a pivot of zero, or about that: no divisions by it
    _, got, want = compiled(linalg.lu, x * 0)
    for a, b in zip(got, want):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_eigh_qr_svd(dtype):
    for shape in SHAPES[:3]:
        x = positive(4, shape, dtype)
        for lower in (False, True):
            check(lambda x, lower=lower: linalg.eigh(x, lower=lower), x)
    for shape in ((4, 4), (2, 7, 3), (3, 7)):
        x = random(5, shape, dtype)
        for full in (False, True):
            check(lambda x, full=full: linalg.qr(x, full_matrices=full), x)
            check(lambda x, full=full: linalg.svd(x, full_matrices=full), x)
        check(lambda x: linalg.svd(x, compute_uv=False), x)
    by_qr = dict(algorithm=linalg.SvdAlgorithm.QR)
    check(lambda x: linalg.svd(x, **by_qr), random(6, (6, 4), dtype))


def test_what_is_not_finite_gives_nan():
    for value in (np.nan, np.inf):
        x = positive(7, (2, 5, 5), "float32")
        x[1, 4, 4] = value
        for fun in (linalg.eigh, linalg.svd):
            outs = check(fun, x)
            assert all(np.isnan(o[1]).all() and np.isfinite(o[0]).all() for o in outs)


def test_no_matrices_and_narrow_floats_are_called():
    check(linalg.cholesky, np.zeros((0, 3, 3), "float32"), native=False)
    check(linalg.lu, np.zeros((2, 0, 3), "float32"), native=False)
    check(
        linalg.cholesky, positive(8, (3, 3), "float32").astype("float16"), native=False
    )


FUNCTIONS = {
    "inv": jnp.linalg.inv,
    "det": jnp.linalg.det,
    "slogdet": lambda a: jnp.linalg.slogdet(a)[1],
    "solve": lambda a: jnp.linalg.solve(a, a[:, 0]),
    "cholesky": jnp.linalg.cholesky,
    "eigh": lambda a: jnp.linalg.eigh(a)[0],
    "svd": lambda a: jnp.linalg.svd(a)[1],
    "qr": lambda a: jnp.linalg.qr(a)[1],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_are_kernels(name):
    a = positive(9, (5, 5), "float32")
    check(FUNCTIONS[name], a)
    check(jaxlike.grad(lambda a: FUNCTIONS[name](a).sum()), a)


def test_many_matrices_at_once_give_the_same_bits():
    """Whatever thread took them."""
    x = positive(10, (300, 12, 12), "float32")
    solve = lambda x: linalg.cholesky(jnp.linalg.inv(x))
    program, first, _ = compiled(solve, x)
    for _ in range(3):
        assert np.array_equal(program([x])[0], first[0])
    program, alone, _ = compiled(solve, x[7])
    assert np.array_equal(alone[0], first[0][7])
