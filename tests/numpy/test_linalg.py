"""jax.numpy.linalg: what defines each function, NumPy's values, and derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from tests.numpy.indices import staged
from tests.primitives.gradcheck import check_grads

la = jnp.linalg
SHAPES = [(3, 3), (2, 4, 4), (1, 1), (0, 0), (2, 0, 3, 3)]
KINDS = [np.float32, np.complex64]


def matrix(shape, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.normal(size=shape)
    return x.astype(dtype)


def regular(shape, dtype=np.float32, seed=0):
    return matrix(shape, dtype, seed) + 2 * np.eye(shape[-1], dtype=dtype)


def hermitian(shape, dtype=np.float32):
    x = matrix(shape, dtype)
    return x + np.swapaxes(x, -1, -2).conj()


def positive(shape, dtype=np.float32):
    x = matrix(shape, dtype)
    return x @ np.swapaxes(x, -1, -2).conj() + np.eye(shape[-1], dtype=dtype)


def close(got, expected, tol=2e-4):
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got, expected, rtol=tol, atol=tol)


def h(x):
    return np.swapaxes(np.asarray(x), -1, -2).conj()


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_factorisations_multiply_to_the_matrix(shape, dtype):
    a, p = matrix(shape, dtype), positive(shape, dtype)
    lower = np.asarray(la.cholesky(p))
    close(lower @ h(lower), p)
    close(np.tril(lower), lower)
    close(la.cholesky(p, upper=True), h(lower))
    for mode in ("reduced", "complete"):
        q, r = map(np.asarray, la.qr(a, mode))
        close(q @ r, a)
        close(h(q) @ q, np.broadcast_to(np.eye(shape[-1]), shape))
    close(la.qr(a, "r"), r)
    u, s, vh = map(np.asarray, la.svd(a))
    close((u * s[..., None, :]) @ vh, a)
    close(la.svdvals(a), s)
    w, v = map(np.asarray, la.eigh(hermitian(shape, dtype)))
    close(v * w[..., None, :] @ h(v), hermitian(shape, dtype))
    assert (np.diff(w, axis=-1) >= 0).all()
    w, v = map(np.asarray, la.eig(a))
    close(v * w[..., None, :], a @ v)
    close(np.sort_complex(la.eigvals(a)), np.sort_complex(w), 1e-3)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (2, 3, 5)])
def test_factorisations_of_oblong_matrices(shape):
    a = matrix(shape)
    m, n = shape[-2:]
    k = min(m, n)
    for mode, width in (("reduced", k), ("complete", m)):
        q, r = la.qr(a, mode)
        assert q.shape[-1] == width and r.shape[-2:] == (width, n)
        close(np.asarray(q) @ np.asarray(r), a)
    for full in (True, False):
        u, s, vh = map(np.asarray, la.svd(a, full_matrices=full))
        close((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], a)
    packed, taus = la.qr(a, "raw")
    expected = np.linalg.qr(a, "raw")
    close(packed, expected[0])
    close(taus, expected[1])


def test_hermitian_shortcuts():
    for a in (hermitian((4, 4)), hermitian((2, 3, 3), np.complex64)):
        u, s, vh = map(np.asarray, la.svd(a, hermitian=True))
        close((u * s[..., None, :]) @ vh, a)
        close(s, la.svdvals(a))
        close(la.pinv(a, hermitian=True), np.linalg.pinv(a), 1e-3)
        close(la.matrix_rank(a, hermitian=True), np.linalg.matrix_rank(a))
    a = matrix((3, 3))
    close(la.eigvalsh(a, symmetrize_input=False), np.linalg.eigvalsh(a, "L"))
    close(la.eigvalsh(a, "U", symmetrize_input=False), np.linalg.eigvalsh(a, "U"))
    close(la.eigvalsh(a), np.linalg.eigvalsh((a + a.T) / 2))


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_solving(shape, dtype):
    a = regular(shape, dtype)
    b = matrix((*shape[:-1], 2), dtype, 1)
    close(a @ np.asarray(la.solve(a, b)), b)
    close(la.inv(a), np.linalg.inv(a), 1e-3)
    close(la.det(a), np.linalg.det(a), 1e-3)
    for method in (None, "lu", "qr"):
        sign, logdet = la.slogdet(a, method=method)
        expected = np.linalg.slogdet(a)
        close(sign, expected.sign)
        close(logdet, expected.logabsdet)
        assert logdet.dtype == jnp.float32
    close(la.pinv(a), np.linalg.pinv(a), 1e-3)


def test_shapes_of_solve():
    a = regular((2, 3, 3))
    close(la.solve(a[0], np.ones(3, np.float32)), np.linalg.solve(a[0], np.ones(3)))
    vector = la.solve(a, jnp.ones(3))
    close(vector[1], np.linalg.solve(a[1], np.ones(3)))
    rhs = matrix((3, 4))
    close(la.solve(a, rhs)[1], np.linalg.solve(a[1], rhs))
    close(la.solve(a[0], matrix((5, 3, 4)))[2], la.solve(a[0], matrix((5, 3, 4))[2]))
    for bad in (matrix((2, 3)), matrix((4,)), np.float32(1)):
        with pytest.raises(ValueError):
            la.solve(a, bad)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_singular_determinants(n):
    a = matrix((n, n))
    a[:, -1] = a[:, 0]
    close(la.det(a), 0.0, 1e-4)
    sign, logdet = la.slogdet(np.zeros((n, n), np.float32))
    assert sign == 0 and logdet == -np.inf
    # the gradient of the determinant is the matrix of cofactors
    rest = np.array(
        [
            [
                (-1) ** (i + j)
                * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1).astype(np.float64))
                for j in range(n)
            ]
            for i in range(n)
        ]
    )
    close(jaxlike.grad(la.det)(a), rest, 1e-3)


GRADS = {
    "cholesky": (la.cholesky, positive((3, 3), np.float64)),
    "qr": (la.qr, matrix((4, 3), np.float64)),
    "svd": (lambda a: la.svd(a, False), matrix((3, 2), np.float64)),
    "svdvals": (la.svdvals, matrix((3, 4), np.float64)),
    "eigvalsh": (la.eigvalsh, hermitian((3, 3), np.float64)),
    "inv": (la.inv, regular((3, 3), np.float64)),
    "complex inv": (la.inv, regular((3, 3), np.complex128)),
    "det": (la.det, matrix((4, 4), np.float64)),
    "complex det": (la.det, matrix((4, 4), np.complex128)),
    "small det": (la.det, matrix((2, 3, 3), np.float64)),
    "slogdet": (lambda a: la.slogdet(a)[1], matrix((2, 4, 4), np.float64)),
    "complex slogdet": (la.slogdet, regular((3, 3), np.complex128)),
    "pinv": (la.pinv, matrix((4, 3), np.float64)),
    "complex pinv": (la.pinv, matrix((3, 4), np.complex128)),
    "norm": (la.norm, matrix((3, 4), np.float64)),
    "2-norm": (lambda a: la.norm(a, 2), matrix((3, 4), np.float64)),
    "nuclear": (lambda a: la.norm(a, "nuc"), matrix((3, 4), np.float64)),
    "3-norm": (lambda a: la.vector_norm(a, ord=3), matrix((4,), np.float64)),
    "cond": (la.cond, regular((3, 3), np.float64)),
    "power": (lambda a: la.matrix_power(a, -3), regular((3, 3), np.float64)),
    "lstsq": (lambda a: la.lstsq(a, a[:, 0] ** 2)[0], matrix((4, 3), np.float64)),
}


@pytest.mark.parametrize("name", GRADS)
def test_derivatives(name):
    fun, a = GRADS[name]

    def listed(a):
        out = fun(a)
        return list(out) if isinstance(out, tuple) else [out]

    with jaxlike.enable_x64(True):
        check_grads(listed, [a], order=2 if "pinv" not in name else 1, rtol=1e-3)


def test_derivatives_of_solve():
    a, b = regular((2, 3, 3), np.float64), matrix((3, 2), np.float64, 1)
    with jaxlike.enable_x64(True):
        check_grads(lambda a, b: [la.solve(a, b)], [a, b])
        check_grads(lambda a, b: [la.solve(a, b[:, 0])], [a, b], order=1)


@pytest.mark.parametrize(
    "fun",
    [la.inv, la.det, la.slogdet, la.cholesky, la.svdvals, la.pinv, la.eigvalsh, la.norm]
    + [la.cond, la.matrix_rank, lambda a: la.solve(a, a + 1), la.qr],
)
def test_batching_and_staging(fun):
    stack = positive((3, 4, 4))

    def first(a):
        out = fun(a)
        return out[0] if isinstance(out, tuple) else out

    each = np.stack([first(a) for a in stack])
    close(jaxlike.vmap(first)(stack), each, 1e-3)
    close(staged(first)(stack[1]), each[1], 1e-3)
    if fun is not la.norm:
        close(first(stack), each, 1e-3)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (3, 3)])
def test_lstsq(shape):
    a = matrix(shape)
    for b in (matrix(shape[:1], seed=1), matrix((shape[0], 2), seed=1)):
        expected = np.linalg.lstsq(a, b, rcond=None)
        x, residuals, rank, s = la.lstsq(a, b, numpy_resid=True)
        close(x, expected[0], 1e-3)
        close(residuals, expected[1], 1e-3)
        assert rank == expected[2]
        close(s, expected[3])
        gap = b - a @ np.asarray(la.lstsq(a, b)[0])
        close(la.lstsq(a, b)[1], np.atleast_1d((gap**2).sum(0)), 1e-3)


def test_rank_and_condition():
    a = matrix((4, 2)) @ matrix((2, 4), seed=1)
    assert la.matrix_rank(a) == 2 and la.matrix_rank(np.ones(3)) == 1
    assert la.matrix_rank(a, rtol=10.0) == 0 and la.matrix_rank(a, tol=1e9) == 0
    assert la.matrix_rank(np.zeros((2, 2))) == 0
    b = regular((3, 3))
    for p in (None, 1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc"):
        close(la.cond(b, p), np.linalg.cond(b, p), 1e-3)
    assert la.cond(np.zeros((2, 2))) == np.inf


@pytest.mark.parametrize("ord", [None, 1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc"])
def test_matrix_norms(ord):
    x = matrix((2, 3, 4), np.complex64)
    for axis in ((0, 1), (2, 0), (-1, -2)):
        for keepdims in (False, True):
            expected = np.linalg.norm(x, ord, axis, keepdims)
            close(la.norm(x, ord, axis, keepdims), expected)
    if ord is not None:
        close(la.matrix_norm(x, ord=ord), np.linalg.norm(x, ord, (-2, -1)))


@pytest.mark.parametrize("ord", [None, 0, 1, -1, 2, -2, 3, 2.5, np.inf, -np.inf])
def test_vector_norms(ord):
    x = matrix((2, 3, 4))
    for axis in (0, -1):
        for keepdims in (False, True):
            expected = np.linalg.norm(x, ord, axis, keepdims)
            close(la.norm(x, ord, axis, keepdims), expected)
    flat = np.linalg.norm(x.ravel(), ord)
    close(la.vector_norm(x, ord=2 if ord is None else ord), flat)
    assert la.vector_norm(x, axis=(0, 2), keepdims=True).shape == (1, 3, 1)


def test_powers_and_chains():
    a = matrix((3, 3))
    for n in range(8):
        close(la.matrix_power(a, n), np.linalg.matrix_power(a, n))
    close(
        la.matrix_power(regular((2, 2)), -2),
        np.linalg.inv(regular((2, 2)) ** 1) @ (np.linalg.inv(regular((2, 2)))),
    )
    assert la.matrix_power(np.eye(2, dtype=np.int32) * 2, 3).dtype == jnp.int32
    chain = [matrix((2, 5)), matrix((5, 3)), matrix((3, 4)), matrix((4, 2))]
    close(la.multi_dot(chain), np.linalg.multi_dot(chain))
    ends = [chain[0][0], *chain[1:-1], chain[-1][:, 0]]
    close(la.multi_dot(ends), np.linalg.multi_dot(ends))


def test_multi_dot_takes_the_cheapest_order():
    wide, thin = np.ones((50, 2), np.float32), np.ones((2, 50), np.float32)
    jaxpr = jaxlike.make_jaxpr(lambda a, b, c: la.multi_dot([a, b, c]))(
        wide, thin, wide
    ).jaxpr
    sizes = [eqn.outvars[0].aval.shape for eqn in jaxpr.eqns]
    assert sizes == [(2, 2), (50, 2)]


def test_tensor_equations():
    a = matrix((2, 3, 6))
    inverse = la.tensorinv(a)
    close(np.tensordot(inverse, a, 2), np.eye(6), 1e-3)
    close(
        la.tensorinv(a.reshape(6, 2, 3), 1),
        np.linalg.tensorinv(a.reshape(6, 2, 3), 1),
        1e-3,
    )
    b = matrix((2, 3), seed=1)
    close(np.tensordot(a, la.tensorsolve(a, b), 1), b, 1e-3)
    moved = np.moveaxis(a, 2, 1)
    close(
        la.tensorsolve(moved, b, axes=(1,)), np.linalg.tensorsolve(moved, b, (1,)), 1e-3
    )


def test_results_are_named():
    a = regular((2, 2))
    assert la.svd(a)._fields == ("U", "S", "Vh")
    assert la.qr(a)._fields == ("Q", "R")
    assert la.eigh(a)._fields == la.eig(a)._fields == ("eigenvalues", "eigenvectors")
    assert la.slogdet(a)._fields == ("sign", "logabsdet")
    sign, logdet = jaxlike.jit(la.slogdet)(a)
    assert sign.shape == logdet.shape == ()


def test_not_positive_definite():
    assert np.isnan(la.cholesky(-np.eye(2, dtype=np.float32))).any()


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda a: la.inv(a[:2]), ValueError),
        (lambda a: la.det(a[:2]), ValueError),
        (lambda a: la.slogdet(a[0]), ValueError),
        (lambda a: la.slogdet(a, method="x"), ValueError),
        (lambda a: la.qr(a, "x"), ValueError),
        (lambda a: la.eigh(a, UPLO="x"), ValueError),
        (lambda a: la.cholesky(a[:2]), TypeError),
        (lambda a: la.norm(a, 3), ValueError),
        (lambda a: la.norm(a[0], "fro"), ValueError),
        (lambda a: la.norm(a[None], 2), ValueError),
        (lambda a: la.cond(a[0]), ValueError),
        (lambda a: la.cond(a[:0]), ValueError),
        (lambda a: la.pinv(a, 0.1, rcond=0.1), ValueError),
        (lambda a: la.matrix_rank(a, 0.1, tol=0.1), ValueError),
        (lambda a: la.matrix_power(a, 1.5), TypeError),
        (lambda a: la.matrix_power(a[:2], 2), TypeError),
        (lambda a: la.multi_dot([a]), ValueError),
        (lambda a: la.multi_dot([a, a[:2]]), ValueError),
        (lambda a: la.tensorinv(a, 0), ValueError),
        (lambda a: la.tensorinv(a[:2], 1), ValueError),
        (lambda a: la.lstsq(a, a[:2]), ValueError),
        (lambda a: la.cross(a[:, :2], a[:, :2]), ValueError),
        (lambda a: la.outer(a, a), ValueError),
        (lambda a: la.inv([[1.0]]), TypeError),
        (lambda a: la.matrix_transpose(a[0]), ValueError),
    ],
)
def test_errors(call, error):
    with pytest.raises(error):
        call(jnp.asarray(regular((3, 3))))
