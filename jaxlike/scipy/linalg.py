"""Linear algebra under the names of jax.scipy.linalg, as far as jaxlike.lax goes."""

from __future__ import annotations

from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import guard_names
from jaxlike.numpy.promote import (
    ArrayLike,
    check_arraylike,
    promote_args_inexact,
    promote_dtypes_inexact,
)

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "det",
    "eigh",
    "expm",
    "inv",
    "lu",
    "lu_factor",
    "lu_solve",
    "polar",
    "qr",
    "solve",
    "solve_triangular",
    "svd",
    "toeplitz",
]


def _transposed(trans: int | str) -> tuple[bool, bool]:
    """(transpose, conjugate) for SciPy's trans: 0, 1, 2 or 'N', 'T', 'C'."""
    try:
        return {
            0: (False, False),
            1: (True, False),
            2: (True, True),
            "N": (False, False),
            "T": (True, False),
            "C": (True, True),
        }[trans]
    except (KeyError, TypeError):
        raise ValueError(
            format_error(f"trans is 0, 1, 2 or 'N', 'T', 'C', got {trans!r}")
        ) from None


def _promoted(name: str, *args: ArrayLike) -> list[Array]:
    """Arrays of one floating-point dtype, each of its own rank."""
    check_arraylike(name, *args)
    return [jnp.asarray(x) for x in promote_dtypes_inexact(*args)]


def cholesky(
    a: ArrayLike, lower: bool = False, overwrite_a: bool = False, check_finite=True
) -> Array:
    """The triangular factor of a Hermitian positive definite matrix.

    Returns: u with a = u^H u; with `lower`, l with a = l l^H.

    >>> import jaxlike.numpy as jnp
    >>> from jaxlike.scipy.linalg import cholesky
    >>> cholesky(jnp.array([[4.0]])).tolist()
    [[2.0]]
    """
    (a,) = promote_args_inexact("cholesky", a)
    # of the other half nothing is read, so no symmetry is made up
    if not lower:
        a = jnp.matrix_transpose(a).conj()
    factor = lax.linalg.cholesky(a, symmetrize_input=False)
    return factor if lower else jnp.matrix_transpose(factor).conj()


def cho_factor(
    a: ArrayLike, lower: bool = False, overwrite_a: bool = False, check_finite=True
) -> tuple[Array, bool]:
    """(factor, lower) as cho_solve takes them."""
    return cholesky(a, lower=lower), lower


def cho_solve(
    c_and_lower: tuple[ArrayLike, bool],
    b: ArrayLike,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """x with a x = b, given cho_factor(a).

    >>> import jaxlike.numpy as jnp
    >>> from jaxlike.scipy.linalg import cho_factor, cho_solve
    >>> cho_solve(cho_factor(jnp.array([[4.0]])), jnp.array([8.0])).tolist()
    [2.0]
    """
    c, lower = c_and_lower
    half = solve_triangular(c, b, trans=0 if lower else 2, lower=lower)
    return solve_triangular(c, half, trans=2 if lower else 0, lower=lower)


def solve_triangular(
    a: ArrayLike,
    b: ArrayLike,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    debug: Any = None,
    check_finite: bool = True,
) -> Array:
    """x with a x = b for a triangular matrix, of which only that half is read.

    Args: `trans`: 1 or 'T' for the transpose of a, 2 or 'C' for its conjugate too.

    >>> import jaxlike.numpy as jnp
    >>> from jaxlike.scipy.linalg import solve_triangular
    >>> a = jnp.array([[2.0, 1.0], [0.0, 4.0]])
    >>> solve_triangular(a, jnp.array([4.0, 8.0])).tolist()
    [1.0, 2.0]
    """
    transpose_a, conjugate_a = _transposed(trans)
    a, b = _promoted("solve_triangular", a, b)
    vector = b.ndim == 1 or b.ndim == a.ndim - 1
    if vector:
        b = b[..., None]
    lead = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = lax.linalg.triangular_solve(
        jnp.broadcast_to(a, (*lead, *a.shape[-2:])),
        jnp.broadcast_to(b, (*lead, *b.shape[-2:])),
        left_side=True,
        lower=lower,
        transpose_a=transpose_a,
        conjugate_a=conjugate_a,
        unit_diagonal=unit_diagonal,
    )
    return x[..., 0] if vector else x


def solve(
    a: ArrayLike,
    b: ArrayLike,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    debug: bool = False,
    check_finite: bool = True,
    assume_a: str = "gen",
) -> Array:
    """x with a x = b; with assume_a='pos', by Cholesky factors of one half of a."""
    if assume_a == "pos":
        return cho_solve(cho_factor(a, lower=lower), b)
    if assume_a not in ("gen", "sym", "her"):
        raise ValueError(
            format_error(f"assume_a is 'gen', 'sym', 'her' or 'pos', got {assume_a!r}")
        )
    a, b = _promoted("solve", a, b)
    if b.ndim == 1:
        return jnp.linalg.solve(a, b[..., None])[..., 0]
    return jnp.linalg.solve(a, b)


def inv(a: ArrayLike, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """The inverse of a square matrix."""
    return jnp.linalg.inv(a)


def det(a: ArrayLike, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """The determinant of a square matrix."""
    return jnp.linalg.det(a)


def lu_factor(
    a: ArrayLike, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Array, Array]:
    """(both triangles in one matrix, pivots) as lu_solve takes them."""
    (a,) = promote_args_inexact("lu_factor", a)
    factors, pivots, _ = lax.linalg.lu(a)
    return factors, pivots


def lu_solve(
    lu_and_piv: tuple[Array, ArrayLike],
    b: ArrayLike,
    trans: int = 0,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """x with a x = b, given lu_factor(a); trans 1 or 2 for a^T or a^H."""
    transposed, conjugated = _transposed(trans)
    factors, pivots = lu_and_piv
    factors, b = _promoted("lu_solve", factors, b)
    order = lax.linalg.lu_pivots_to_permutation(pivots, factors.shape[-1])
    vector = b.ndim == 1
    if vector:
        b = b[:, None]
    if not transposed:
        half = solve_triangular(factors, b[order], lower=True, unit_diagonal=True)
        x = solve_triangular(factors, half)
    else:
        way = 2 if conjugated else 1
        half = solve_triangular(factors, b, trans=way)
        x = solve_triangular(factors, half, trans=way, lower=True, unit_diagonal=True)
        x = x[jnp.argsort(order)]
    return x[:, 0] if vector else x


def lu(
    a: ArrayLike,
    permute_l: bool = False,
    overwrite_a: bool = False,
    check_finite: bool = True,
) -> Any:
    """(p, l, u) with a = p l u; with permute_l, (p l, u)."""
    (a,) = promote_args_inexact("lu", a)
    factors, _, order = lax.linalg.lu(a)
    m, n = a.shape[-2:]
    k = min(m, n)
    low = jnp.tril(factors, -1)[..., :, :k] + jnp.eye(m, k, dtype=a.dtype)
    high = jnp.triu(factors)[..., :k, :]
    real = jnp.finfo(a.dtype).dtype
    p = jnp.asarray(order[..., None, :] == jnp.arange(m)[:, None], real)
    if permute_l:
        return jnp.matmul(p.astype(a.dtype), low), high
    return p, low, high


def qr(
    a: ArrayLike,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """(q, r) with a = q r; mode 'economic' for as few columns as there can be."""
    (a,) = promote_args_inexact("qr", a)
    if mode not in ("full", "economic", "r"):
        raise ValueError(
            format_error(f"qr: mode {mode!r} is none of full, economic, r")
        )
    q, r, *order = lax.linalg.qr(a, full_matrices=mode != "economic", pivoting=pivoting)
    return (r, *order) if mode == "r" else (q, r, *order)


def svd(
    a: ArrayLike,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """(u, s, vh) with a = u diag(s) vh, or s alone."""
    (a,) = promote_args_inexact("svd", a)
    out = jnp.linalg.svd(a, full_matrices=full_matrices, compute_uv=compute_uv)
    return tuple(out) if compute_uv else out


def eigh(
    a: ArrayLike,
    b: ArrayLike | None = None,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    turbo: bool = True,
    eigvals: None = None,
    type: int = 1,
    check_finite: bool = True,
) -> Any:
    """(eigenvalues, eigenvectors) of a Hermitian matrix, or the values alone."""
    if b is not None or eigvals is not None or type != 1:
        raise NotImplementedError(
            format_error("eigh solves a x = w x for all w: no b, eigvals, type")
        )
    (a,) = promote_args_inexact("eigh", a)
    v, w = lax.linalg.eigh(a, lower=lower)
    return w if eigvals_only else (w, v)


# of the Padé approximant of exp with numerator and denominator of degree 13 (Higham)
_PADE = np.array(
    [
        64764752532480000,
        32382376266240000,
        7771770303897600,
        1187353796428800,
        129060195264000,
        10559470521600,
        670442572800,
        33522128640,
        1323241920,
        40840800,
        960960,
        16380,
        182,
        1,
    ],
    np.float64,
)
# up to this 1-norm the approximant is exact to rounding
_PADE_BOUND = {4: 3.925724783138660, 8: 5.371920351148152}


def expm(
    A: ArrayLike,
    *,
    upper_triangular: bool = False,
    max_squarings: int = 16,
) -> Array:
    """The exponential of a square matrix, by scaling, a Padé approximant, squaring.

    A matrix that would have to be squared more than max_squarings times gives NaN.

    >>> import jaxlike.numpy as jnp
    >>> from jaxlike.scipy.linalg import expm
    >>> bool(jnp.allclose(expm(jnp.zeros((2, 2))), jnp.eye(2)))
    True
    """
    (A,) = promote_args_inexact("expm", A)
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise ValueError(format_error(f"expm takes square matrices, got {A.shape}"))
    if A.ndim > 2:
        return jnp.vectorize(
            lambda a: expm(
                a, upper_triangular=upper_triangular, max_squarings=max_squarings
            ),
            signature="(n,n)->(n,n)",
        )(A)
    bound = _PADE_BOUND[jnp.finfo(A.dtype).dtype.itemsize]
    norm = jnp.max(jnp.sum(jnp.abs(A), 0)) if A.size else jnp.zeros(())
    squarings = jnp.maximum(0, jnp.ceil(jnp.log2(norm / bound)))
    squarings = jnp.where(norm > 0, squarings, 0).astype(int)
    A = A / 2.0 ** squarings.astype(norm.dtype)
    c = _PADE.astype(jnp.finfo(A.dtype).dtype) / np.float32(2.0**40)
    eye = jnp.eye(A.shape[0], dtype=A.dtype)
    A2 = A @ A
    A4 = A2 @ A2
    A6 = A4 @ A2
    odd = A6 @ (c[13] * A6 + c[11] * A4 + c[9] * A2)
    odd = A @ (odd + c[7] * A6 + c[5] * A4 + c[3] * A2 + c[1] * eye)
    even = A6 @ (c[12] * A6 + c[10] * A4 + c[8] * A2)
    even = even + c[6] * A6 + c[4] * A4 + c[2] * A2 + c[0] * eye
    if upper_triangular:
        result = solve_triangular(even - odd, even + odd)
    else:
        result = jnp.linalg.solve(even - odd, even + odd)
    too_many = squarings > max_squarings
    steps = jnp.where(too_many, 0, squarings)

    def square(i, x):  # a static count, so that reverse mode works
        return jnp.where(i < steps, x @ x, x)

    result = lax.fori_loop(0, max_squarings, square, result)
    return jnp.where(too_many, jnp.nan, result)


def polar(
    a: ArrayLike, side: str = "right", *, method: str = "svd", **_: Any
) -> tuple[Array, Array]:
    """(u, p) with a = u p (p u for side 'left'): u unitary, p positive semidefinite."""
    if side not in ("left", "right"):
        raise ValueError(format_error(f"side is 'left' or 'right', got {side!r}"))
    (a,) = promote_args_inexact("polar", a)
    u, s, vh = jnp.linalg.svd(a, full_matrices=False)
    unitary = u @ vh
    if side == "right":
        return unitary, (vh.conj().T * s[None, :]) @ vh
    return unitary, (u * s[None, :]) @ u.conj().T


def block_diag(*arrs: ArrayLike) -> Array:
    """The matrices along the diagonal of one, zeros beside them.

    >>> from jaxlike.scipy.linalg import block_diag
    >>> block_diag(1.0, [[2.0, 3.0]]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 2.0, 3.0]]
    """
    parts = [jnp.atleast_2d(jnp.asarray(a)) for a in arrs] or [jnp.zeros((1, 0))]
    for i, part in enumerate(parts):
        if part.ndim != 2:
            raise ValueError(
                format_error(
                    f"block_diag takes matrices, but {i} is of shape {part.shape}"
                )
            )
    dtype = jnp.result_type(*parts)
    width = sum(p.shape[1] for p in parts)
    rows, start = [], 0
    for part in parts:
        right = width - start - part.shape[1]
        rows.append(jnp.pad(part.astype(dtype), ((0, 0), (start, right))))
        start += part.shape[1]
    return jnp.concatenate(rows)


def toeplitz(c: ArrayLike, r: ArrayLike | None = None) -> Array:
    """The matrix of constant diagonals with first column c and first row r.

    >>> import jaxlike.numpy as jnp
    >>> from jaxlike.scipy.linalg import toeplitz
    >>> toeplitz(jnp.array([1, 2, 3])).tolist()
    [[1, 2, 3], [2, 1, 2], [3, 2, 1]]
    """
    c = jnp.atleast_1d(jnp.asarray(c))
    r = c.conj() if r is None else jnp.atleast_1d(jnp.asarray(r))
    m, n = c.shape[-1], r.shape[-1]
    values = jnp.concatenate([c[..., ::-1], r[..., 1:]], -1)
    return values[..., np.arange(m)[::-1, None] + np.arange(n)]


guard_names(globals())
