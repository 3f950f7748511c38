"""Factorisations of jax.numpy.linalg: cholesky, qr, svd, eig, eigh.

They call the primitives of jaxlike.primitives.linalg, which have the derivatives.
linalg_solve.py has what solves with them, linalg.py lists everything.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.lax import linalg
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    as_array,
    check_arraylike,
    promote_dtypes_inexact,
)


class EigResult(NamedTuple):
    """The result of `eig`."""

    eigenvalues: Array
    eigenvectors: Array


class EighResult(NamedTuple):
    """The result of `eigh`."""

    eigenvalues: Array
    eigenvectors: Array


class QRResult(NamedTuple):
    """The result of `qr`."""

    Q: Array
    R: Array


class SVDResult(NamedTuple):
    """The result of `svd`."""

    U: Array
    S: Array
    Vh: Array


def matrices(name: str, *args: ArrayLike) -> list[Any]:
    """The arguments as inexact arrays of one dtype."""
    check_arraylike(f"jnp.linalg.{name}", *args)
    return promote_dtypes_inexact(*map(as_array, args))


def require_square(name: str, a: Any) -> None:
    """Raise ValueError unless the last two axes of `a` are of one size."""
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(
            format_error(f"{name} takes square matrices, [..., n, n], got {a.shape}")
        )


def adjoint(a: Any) -> Any:
    """The conjugate transpose of the matrices in the last two axes."""
    a = jnp.matrix_transpose(a)
    return jnp.conj(a) if dtypes.issubdtype(a.dtype, np.complexfloating) else a


LARGE = 4096
"""Elements of results from which eager calls run compiled."""


def _symmetrized(a: np.ndarray) -> np.ndarray:
    other = a.T if a.ndim == 2 else a.swapaxes(-1, -2)
    out = a + (other.conj() if a.dtype.kind == "c" else other)
    out *= a.dtype.type(0.5)
    return out


def _numpy_cholesky(a: np.ndarray) -> np.ndarray | None:
    out = np.linalg.cholesky(_symmetrized(a))
    # a NaN anywhere in the triangle reaches its last element
    return out if np.isfinite(out[..., -1, -1]).all() else None


@composite_of(1, numpy=_numpy_cholesky, compiled=LARGE)
def cholesky(
    a: ArrayLike, *, upper: bool = False, symmetrize_input: bool = True
) -> Array:
    """The lower triangular L with a = L @ L.H, or the upper one with a = U.H @ U.

    Args: `symmetrize_input`, replace `a` by (a + a.H) / 2 first.
    Returns: NaN where `a` is not positive definite.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.cholesky(4.0 * jnp.eye(2))
    Array([[2., 0.],
           [0., 2.]], dtype=float32)
    """
    [a] = matrices("cholesky", a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise TypeError(
            format_error(f"cholesky takes square matrices, [..., n, n], got {a.shape}")
        )
    lower = linalg.cholesky(a, symmetrize_input=symmetrize_input)
    return adjoint(lower) if upper else lower


@composite_of(1, numpy=lambda a: QRResult(*np.linalg.qr(a)), compiled=LARGE)
def qr(a: ArrayLike, mode: str = "reduced") -> Array | QRResult:
    """Q with orthonormal columns and the upper triangular R, with a = Q @ R.

    Args: `mode`, "reduced" (Q is m by min(m, n)), "complete" (Q is m by m), "r" (R
    alone) or "raw" (LAPACK's reflectors, transposed, and their factors).

    >>> import jaxlike.numpy as jnp
    >>> q, r = jnp.linalg.qr(jnp.ones((3, 2)))
    >>> q.shape, r.shape
    ((3, 2), (2, 2))
    """
    [a] = matrices("qr", a)
    if mode == "raw":
        packed, taus = _reflectors(*linalg.qr(a, full_matrices=False))
        return QRResult(jnp.matrix_transpose(packed), taus)
    if mode in ("reduced", "r", "full"):
        q, r = linalg.qr(a, full_matrices=False)
    elif mode == "complete":
        q, r = linalg.qr(a, full_matrices=True)
    else:
        raise ValueError(format_error(f"qr has no mode {mode!r}"))
    return r if mode == "r" else QRResult(q, r)


def _reflectors(q: Any, r: Any) -> tuple[Any, Any]:
    """The factors as LAPACK packs them: R above, the reflectors below its diagonal.

    Q is I - V T V1.H, with V unit lower and T upper triangular, so V is a factor of
    the LU decomposition, without exchanges, of Q - I.
    """
    from jaxlike.control_flow.while_loop import fori_loop

    m, k = q.shape[-2:]
    rows = np.arange(m)

    def eliminate(j, state):
        v, rest, taus = state
        pivot = rest[..., j, j]
        safe = jnp.where(pivot == 0, 1, pivot)
        column = jnp.where(rows > j, rest[..., :, j] / safe[..., None], 0)
        column = column.astype(q.dtype)
        rest = rest - column[..., :, None] * rest[..., j, None, :]
        return v.at[..., j].set(column), rest, taus.at[..., j].set(-pivot)

    start = q - jnp.eye(m, k, dtype=q.dtype)
    taus = jnp.zeros((*q.shape[:-2], k), q.dtype)
    v, _, taus = fori_loop(0, k, eliminate, (jnp.zeros_like(q), start, taus))
    below = [(0, 0)] * (r.ndim - 2) + [(0, m - k), (0, 0)]
    across = [(0, 0)] * (r.ndim - 2) + [(0, 0), (0, r.shape[-1] - k)]
    return jnp.pad(r, below) + jnp.pad(v, across), taus


def _numpy_svd(a: np.ndarray) -> SVDResult | None:
    u, s, vh = np.linalg.svd(a)
    return SVDResult(u, s, vh) if np.isfinite(s).all() else None


@composite_of(1, numpy=_numpy_svd, compiled=LARGE)
def svd(
    a: ArrayLike,
    full_matrices: bool = True,
    compute_uv: bool = True,
    hermitian: bool = False,
    subset_by_index: tuple[int, int] | None = None,
) -> Array | SVDResult:
    """U, S and Vh with a = (U * S) @ Vh; S is real and in descending order.

    Args: `full_matrices`, square U and Vh; `compute_uv`, False for S alone;
    `hermitian`, whether `a` is, which is cheaper; `subset_by_index`, which values.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.svd(jnp.diag(jnp.array([1.0, 3.0])), compute_uv=False)
    Array([3., 1.], dtype=float32)
    """
    [a] = matrices("svd", a)
    if hermitian:
        return _hermitian_svd(a, compute_uv, subset_by_index)
    out = linalg.svd(
        a,
        full_matrices=full_matrices,
        compute_uv=compute_uv,
        subset_by_index=subset_by_index,
    )
    return SVDResult(*out) if compute_uv else out


def _hermitian_svd(a: Any, compute_uv: bool, subset: Any) -> Any:
    require_square("svd with hermitian=True", a)
    v, w = linalg.eigh(a)
    order = jnp.argsort(-jnp.abs(w), axis=-1)
    s = jnp.take_along_axis(jnp.abs(w), order, axis=-1)
    if subset is not None:
        order, s = order[..., slice(*subset)], s[..., slice(*subset)]
    if not compute_uv:
        return s
    u = jnp.take_along_axis(v, order[..., None, :], axis=-1)
    signs = jnp.take_along_axis(jnp.sign(w), order, axis=-1)
    signs = jnp.where(signs == 0, 1, signs).astype(u.dtype)
    return SVDResult(u, s, adjoint(u * signs[..., None, :]))


@composite_of(1)
def svdvals(x: ArrayLike, /) -> Array:
    """The singular values, in descending order.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.svdvals(jnp.eye(2))
    Array([1., 1.], dtype=float32)
    """
    return svd(x, compute_uv=False)


@composite_of(1)
def eig(a: ArrayLike) -> EigResult:
    """Eigenvalues and right eigenvectors (columns) of square matrices; both complex.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.eig(jnp.eye(2)).eigenvalues
    Array([1.+0.j, 1.+0.j], dtype=complex64)
    """
    [a] = matrices("eig", a)
    w, v = linalg.eig(a, compute_left_eigenvectors=False)
    return EigResult(w, v)


@composite_of(1)
def eigvals(a: ArrayLike) -> Array:
    """The eigenvalues of square matrices, complex.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.eigvals(jnp.eye(2))
    Array([1.+0.j, 1.+0.j], dtype=complex64)
    """
    [a] = matrices("eigvals", a)
    return linalg.eig(
        a, compute_left_eigenvectors=False, compute_right_eigenvectors=False
    )[0]


def _numpy_eigh(a: np.ndarray) -> EighResult | None:
    w, v = np.linalg.eigh(_symmetrized(a))
    return EighResult(w, v) if np.isfinite(w[..., -1]).all() else None


@composite_of(1, numpy=_numpy_eigh, compiled=LARGE)
def eigh(
    a: ArrayLike, UPLO: str | None = None, symmetrize_input: bool = True
) -> EighResult:
    """Eigenvalues, ascending, and eigenvectors (columns) of Hermitian matrices.

    Args: `UPLO`, the triangle that is read, "L" (the default) or "U";
    `symmetrize_input`, replace `a` by (a + a.H) / 2 first.
    Raises: ValueError for another `UPLO`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.eigh(jnp.array([[0.0, 1.0], [1.0, 0.0]])).eigenvalues
    Array([-1.,  1.], dtype=float32)
    """
    [a] = matrices("eigh", a)
    if UPLO not in (None, "L", "U"):
        raise ValueError(
            format_error(f"UPLO must be one of None, 'L', or 'U', got {UPLO}")
        )
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise TypeError(
            format_error(f"eigh takes square matrices, [..., n, n], got {a.shape}")
        )
    v, w = linalg.eigh(a, lower=UPLO != "U", symmetrize_input=symmetrize_input)
    return EighResult(w, v)


@composite_of(1)
def eigvalsh(
    a: ArrayLike, UPLO: str | None = "L", *, symmetrize_input: bool = True
) -> Array:
    """The eigenvalues of Hermitian matrices, in ascending order; see `eigh`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.eigvalsh(jnp.eye(2))
    Array([1., 1.], dtype=float32)
    """
    return eigh(a, UPLO, symmetrize_input).eigenvalues
