"""Cases of linear algebra; inputs are made definite inside, whatever comes in."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from tests.primitives.case import Case

nan, inf = np.nan, np.inf
RNG = np.random.default_rng(5)
CASES: list[Case] = []
COMPLEX = np.complex64


def case(name, fun, *args, **kwargs):
    kwargs = dict(rtol=1e-4, atol=1e-4) | kwargs
    CASES.append(Case(f"{name}-{len(CASES)}", fun, list(args), **kwargs))


def normal(*shape, dtype=np.float32):
    x = RNG.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * RNG.standard_normal(shape)
    return x.astype(dtype)


def shifted(lax, x, by=3):
    """x with a constant diagonal added."""
    lead = (1,) * (x.ndim - 2)
    eye = by * np.eye(*x.shape[-2:], dtype=x.dtype)
    return lax.add(x, np.broadcast_to(eye, (*lead, *eye.shape)).astype(x.dtype))


def product(lax, x, y):
    lead = tuple(range(x.ndim - 2))
    dims = (((x.ndim - 1,), (x.ndim - 2,)), (lead, lead))
    return lax.dot_general(x, y, dims)


def adjoint(lax, x):
    lead = tuple(range(x.ndim - 2))
    x = lax.transpose(x, (*lead, x.ndim - 1, x.ndim - 2))
    return lax.conj(x) if x.dtype.kind == "c" else x


def definite(lax, x):
    return shifted(lax, product(lax, x, adjoint(lax, x)), 2)


SQUARES = [normal(3, 3), normal(1, 1), normal(2, 3, 3), normal(3, 3, dtype=COMPLEX)]
OBLONG = [normal(4, 2), normal(2, 4), normal(2, 3, 2), normal(3, 2, dtype=COMPLEX),
          normal(2, 3, dtype=COMPLEX)]  # fmt: skip
EMPTY = [np.zeros(s, np.float32) for s in ((0, 0), (0, 2, 2))]
THIN = [np.zeros(s, np.float32) for s in ((0, 3), (3, 0))]
MANY = normal(6, 2, 2)  # enough small ones for the batched way
BROKEN = [np.full((2, 2), nan, np.float32)]

# --- cholesky

for x in [*SQUARES, MANY]:
    case("cholesky", lambda lax, x: lax.linalg.cholesky(definite(lax, x)), x,
         grad_args=(0,), order=2 if x.ndim < 3 else 1)  # fmt: skip
for x in EMPTY:
    case("cholesky", lambda lax, x: lax.linalg.cholesky(x), x)
case("cholesky-not-definite", lambda lax, x: lax.linalg.cholesky(x),
     np.stack([np.eye(2), -np.eye(2), 2 * np.eye(2)]).astype(np.float32))  # fmt: skip
case("cholesky-many-not-definite", lambda lax, x: lax.linalg.cholesky(x),
     np.stack([np.eye(2), -np.eye(2)] * 3).astype(np.float32))  # fmt: skip
case("cholesky-int", lambda lax, x: lax.linalg.cholesky(x), np.diag([4, 9]))
case("cholesky-lower", lambda lax, x: lax.linalg.cholesky(x, symmetrize_input=False),
     np.array([[4, 99], [2, 5]], np.float32))  # fmt: skip
case("cholesky-narrow", lambda lax, x: lax.linalg.cholesky(x),
     np.diag([4, 9]).astype(np.float16), parity=False)  # fmt: skip


def updated(lax, r, w):
    keep = np.triu(np.ones(r.shape[-2:], r.dtype))
    return lax.linalg.cholesky_update(lax.mul(shifted(lax, r), keep), w)


case("cholesky_update", updated, normal(3, 3), normal(3))
case("cholesky_update-zero", updated, np.zeros((3, 3), np.float32), np.zeros(3, "f"))

# --- lu

for x in [*SQUARES, *OBLONG, MANY]:
    case("lu", lambda lax, x: lax.linalg.lu(x), x, grad_args=(0,), order=1)
for x in [*EMPTY, *THIN, *BROKEN]:
    case("lu", lambda lax, x: lax.linalg.lu(x), x)
case("lu-singular", lambda lax, x: lax.linalg.lu(x), np.zeros((2, 2), np.float32))
PIVOTS = np.array([[2, 2, 3], [0, 3, 2]], np.int32)
case("lu_pivots_to_permutation",
     lambda lax, p: lax.linalg.lu_pivots_to_permutation(p, 4), PIVOTS)  # fmt: skip

# --- qr

for full in (True, False):
    for x in [*SQUARES, *OBLONG, MANY]:
        case("qr", lambda lax, x, f=full: lax.linalg.qr(x, full_matrices=f), x,
             grad_args=(0,), order=1)  # fmt: skip
    for x in [*EMPTY, *THIN, *BROKEN]:
        case("qr", lambda lax, x, f=full: lax.linalg.qr(x, full_matrices=f), x)
for x in (SQUARES[0], OBLONG[0], OBLONG[1], OBLONG[3]):
    case("qr-pivoting", lambda lax, x: lax.linalg.qr(x, pivoting=True), x,
         grad_args=(0,), order=1)  # fmt: skip
case("qr-pivoting", lambda lax, x: lax.linalg.qr(x, pivoting=True), THIN[0],
     parity=False)  # fmt: skip
case("qr-twice", lambda lax, x: lax.linalg.qr(x, full_matrices=False)[1],
     normal(3, 2), grad_args=(0,))  # fmt: skip
for dtype in (np.float32, COMPLEX):
    a, taus = normal(3, 2, dtype=dtype), normal(2, dtype=dtype) / 4
    case("householder_product",
         lambda lax, a, t: lax.linalg.householder_product(a, t), a, taus)  # fmt: skip
    case("householder_product-one",
         lambda lax, a, t: lax.linalg.householder_product(a, t),
         a, taus[:1])  # fmt: skip
    for transpose in (False, True):
        case("ormqr",
             lambda lax, a, t, c, tr=transpose: lax.linalg.ormqr(
                 a, t, c, transpose=tr),
             a, taus, normal(3, 4, dtype=dtype))  # fmt: skip
        case("ormqr-right",
             lambda lax, a, t, c, tr=transpose: lax.linalg.ormqr(
                 a, t, c, left=False, transpose=tr),
             a, taus, normal(2, 3, dtype=dtype))  # fmt: skip

# --- eigenvectors, singular values


def eigh(lax, x, **options):
    """The eigenvalues, and what does not hang on the vectors' signs."""
    diagonal = np.diag(np.arange(x.shape[-1])).astype(x.dtype)
    v, w = lax.linalg.eigh(lax.add(definite(lax, x), 2 * diagonal), **options)
    return w, product(lax, v, product(lax, diagonal, adjoint(lax, v)))


def plain_eigh(lax, x):
    return lax.linalg.eigh(x)[1]


for x in (SQUARES[0], SQUARES[1], SQUARES[3]):
    case("eigh", eigh, x, grad_args=(0,), order=2)
case("eigh-upper", lambda lax, x: eigh(lax, x, lower=False, symmetrize_input=False),
     SQUARES[0])  # fmt: skip
for x in (SQUARES[2], MANY):
    case("eigh-batch", lambda lax, x: lax.linalg.eigh(x)[1], x, grad_args=(0,), order=1)
for x in [*EMPTY, *BROKEN, np.stack([np.eye(2), np.full((2, 2), nan)] * 4)]:
    case("eigh-special", plain_eigh, x.astype(np.float32))
case("eigh-subset", lambda lax, x: lax.linalg.eigh(x, subset_by_index=(1, 3))[1],
     SQUARES[0], parity=False)  # fmt: skip
for lower in (True, False):
    for x in (SQUARES[0], SQUARES[1], SQUARES[3]):
        case("tridiagonal",
             lambda lax, x, lo=lower: lax.linalg.tridiagonal(
                 definite(lax, x), lower=lo), x)  # fmt: skip

DISTINCT = np.array([[1, 2, 0], [0.5, 4, 1], [-1, 0.3, -5]], np.float32)


def eig(lax, x, left=False, right=False):
    return lax.linalg.eig(
        x, compute_left_eigenvectors=left, compute_right_eigenvectors=right,
        enable_eigvec_derivs=True,
    )  # fmt: skip


for x in (DISTINCT, DISTINCT + 1j * np.ones((3, 3), COMPLEX)):
    case("eigvals", eig, x, grad_args=(0,))
    for left, right in ((True, False), (False, True), (True, True)):
        case("eig", lambda lax, x, lr=(left, right): eig(lax, x, *lr), x,
             grad_args=(0,), order=1)  # fmt: skip
for x in BROKEN:
    case("tridiagonal", lambda lax, x: lax.linalg.tridiagonal(x), x)
case("eig-rotation", lambda lax, x: eig(lax, x, True, True),
     np.array([[0, 1], [-1, 0]], np.float32))  # fmt: skip
for x in [*EMPTY, *BROKEN, MANY]:
    case("eig-special", eig, x)
for x in (DISTINCT, SQUARES[3], *EMPTY, *BROKEN):
    case("schur", lambda lax, x: lax.linalg.schur(x), x)
    if x.size:
        case("hessenberg", lambda lax, x: lax.linalg.hessenberg(x), x)
case("hessenberg-one", lambda lax, x: lax.linalg.hessenberg(x), normal(1, 1))
case("schur-values", lambda lax, x: lax.linalg.schur(
    x, compute_schur_vectors=False), DISTINCT)  # fmt: skip
case("schur-sorted", lambda lax, x: lax.linalg.schur(
    x, sort_eig_vals=True, select_callable=lambda z: z.real < 0),
    DISTINCT, parity=False)  # fmt: skip


def svd(lax, x, full=False):
    """The singular values, and the part of x of the first of them, squared."""
    u, s, vt = lax.linalg.svd(x, full_matrices=full)
    k = s.shape[-1]
    weights = np.diag(np.arange(1, k + 1)).astype(x.dtype)
    u, vt = (u[..., :, :k], vt[..., :k, :]) if full else (u, vt)
    return s, product(lax, product(lax, u, weights), vt)


for x in (SQUARES[0], SQUARES[1], SQUARES[3], OBLONG[0], OBLONG[1], *OBLONG[3:]):
    case("svd", svd, x, grad_args=(0,), order=2)
    case("svd-values", lambda lax, x: lax.linalg.svd(x, compute_uv=False), x,
         grad_args=(0,), order=1)  # fmt: skip
    # the vectors' signs are LAPACK's choice
    case("svd-full", lambda lax, x: [lax.abs(a) for a in lax.linalg.svd(x)], x,
         parity=x.shape[0] == x.shape[1])  # fmt: skip

for x in (SQUARES[2], MANY):
    case("svd-batch", lambda lax, x: lax.linalg.svd(x, compute_uv=False), x,
         grad_args=(0,), order=1)  # fmt: skip
for x in [*EMPTY, *THIN, *BROKEN]:
    case("svd-special", lambda lax, x: lax.linalg.svd(x), x)
case("svd-subset", lambda lax, x: lax.linalg.svd(
    x, full_matrices=False, subset_by_index=(0, 1))[1], OBLONG[0],
    parity=False)  # fmt: skip

# --- solves

FLAGS = ("left_side", "lower", "transpose_a", "conjugate_a", "unit_diagonal")
for i in range(32):
    flags = {name: bool(i >> j & 1) for j, name in enumerate(FLAGS)}
    shape = (2, 1) if flags["left_side"] else (1, 2)
    dtype = COMPLEX if flags["conjugate_a"] or i % 5 == 0 else np.float32
    case("triangular_solve",
         lambda lax, a, b, f=flags: lax.linalg.triangular_solve(
             shifted(lax, a), b, **f),
         normal(2, 2, dtype=dtype), normal(*shape, dtype=dtype),
         grad_args=(0, 1), order=2 if i % 8 == 3 else 1)  # fmt: skip


def solve(lax, a, b, **flags):
    return lax.linalg.triangular_solve(shifted(lax, a), b, **flags)


for left in (True, False):
    for lead in ((2,), (9,)):  # by BLAS, and by substitution for all together
        b = normal(*lead, 2, 1) if left else normal(*lead, 1, 2)
        case("triangular_solve-batch",
             lambda lax, a, b, left=left: solve(lax, a, b, left_side=left),
             normal(*lead, 2, 2), b, grad_args=(0, 1), order=1)  # fmt: skip
    case("triangular_solve-vector",
         lambda lax, a, b, left=left: solve(lax, a, b, left_side=left, lower=True),
         normal(3, 3), normal(3))  # fmt: skip
case("triangular_solve-singular",
     lambda lax, a, b: lax.linalg.triangular_solve(a, b, left_side=True),
     np.zeros((2, 2), np.float32), np.array([[1.0], [0.0]], np.float32))  # fmt: skip
case("triangular_solve-narrow", solve, normal(2, 2, dtype=ml_dtypes.bfloat16),
     normal(1, 2, dtype=ml_dtypes.bfloat16), rtol=0.03, atol=0.03,
     parity=False)  # fmt: skip


def tridiagonal_solve(lax, dl, d, du, b, **options):
    return lax.linalg.tridiagonal_solve(
        dl, lax.add(d, np.asarray(5, d.dtype)), du, b, **options
    )


for n in (1, 2, 4):
    diagonals = [normal(n) for _ in range(3)]
    case("tridiagonal_solve", tridiagonal_solve, *diagonals, normal(n, 2),
         grad_args=(0, 1, 2, 3), order=1)  # fmt: skip
case("tridiagonal_solve-batch", tridiagonal_solve,
     *[normal(2, 3, dtype=COMPLEX) for _ in range(3)],
     normal(2, 3, 1, dtype=COMPLEX), grad_args=(0, 1, 2, 3), order=1)  # fmt: skip
case("tridiagonal_solve-perturbed", lambda lax, *args: tridiagonal_solve(
    lax, *args, perturb_singular=True),
    *[normal(4) for _ in range(3)], normal(4, 2))  # fmt: skip
case("symmetric_product", lambda lax, a, c: lax.linalg.symmetric_product(
    a, c, alpha=2.0, beta=3.0, symmetrize_output=True),
    normal(3, 2), normal(3, 3), grad_args=(0, 1))  # fmt: skip
case("symmetric_product-plain", lambda lax, a, c: lax.linalg.symmetric_product(a, c),
     normal(2, 3), np.zeros((2, 2), np.float32), grad_args=(0, 1))  # fmt: skip
