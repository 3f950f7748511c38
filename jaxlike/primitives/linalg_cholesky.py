"""Cholesky factors, and their update when a rank-one term is added."""

from __future__ import annotations

import numpy as np

from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linalg_solve import triangular_solve_p
from jaxlike.primitives.linalg_support import (
    check_matrix,
    for_each_matrix,
    lapack,
    linalg_primitive,
    lower,
    many_small,
    matmul,
    scale_diagonal,
    symmetrized,
    worked,
)
from jaxlike.primitives.rules import check_same_dtypes

__all__ = ["cholesky", "cholesky_p", "cholesky_update", "cholesky_update_p"]

# --- cholesky: a = l l^H


def _cholesky_shape(x):
    check_matrix("cholesky", x, square=True)
    return x.strip_weak_type()


def _cholesky_evaluate(x):
    dtype = x.dtype
    x = worked(x)
    if not x.size:
        return x.astype(dtype)
    if many_small(x):
        try:
            return np.linalg.cholesky(x).astype(dtype, copy=False)
        except np.linalg.LinAlgError:  # one of them: find out which
            pass
    potrf = lapack("potrf", x.dtype)

    def factor(a):
        # the transpose is in the order that LAPACK wants, and so comes its factor
        c, info = potrf(a.T, lower=0, clean=1)
        return [c.T] if info == 0 else None

    (out,) = for_each_matrix(factor, [(x.shape[-2:], x.dtype)], x)
    if np.isnan(out).any():
        out = np.tril(out)
    return out.astype(dtype, copy=False)


def _cholesky_jvp(primals, tangents):
    (x,), (t,) = primals, tangents
    out = cholesky_p.bind(x)
    if type(t) is Zero:
        return out, Zero(get_aval(out).to_tangent_aval())
    solve = dict(lower=True, unit_diagonal=False)
    # l^-1 t l^-H, of which the lower half, with half its diagonal, is l^-1 dl
    inner = triangular_solve_p.bind(
        out, t, left_side=False, transpose_a=True, conjugate_a=True, **solve
    )
    inner = triangular_solve_p.bind(
        out, inner, left_side=True, transpose_a=False, conjugate_a=False, **solve
    )
    return out, matmul(out, lower(scale_diagonal(inner, 0.5)))


cholesky_p = linalg_primitive(
    "cholesky", _cholesky_shape, _cholesky_evaluate, multiple_results=False
)
cholesky_p.jvp = _cholesky_jvp


def cholesky(x, *, symmetrize_input: bool = True):
    """The lower triangular l with l l^H = x, for positive definite x.

    x: (..., n, n), float or complex. symmetrize_input: take (x + x^H) / 2, which gives
    derivatives their symmetry too; else only the lower triangle is read.
    Matrices that are not positive definite give NaN. Raises ValueError if not square.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> linalg.cholesky(jnp.array([[4.0, 2.0], [2.0, 2.0]])).tolist()
    [[2.0, 0.0], [1.0, 1.0]]
    """
    if symmetrize_input:
        check_square(x, "cholesky")
        x = symmetrized(inexact(x))
    return cholesky_p.bind(x)


def inexact(x):
    """`x`, with integers and booleans made floats."""
    from jaxlike.core import dtypes
    from jaxlike.primitives.conversion import convert_element_type

    dtype = get_aval(x).dtype
    to = dtypes.to_inexact_dtype(dtype)
    return x if dtype == to else convert_element_type(x, to)


def check_square(x, name: str) -> None:
    """Raise unless `x` is a square matrix or batch of them, of any dtype."""
    aval = get_aval(x)
    if aval.ndim < 2:
        raise TypeError(
            format_error(f"the input to {name} must have at least 2 axes, got {aval}")
        )
    if aval.shape[-1] != aval.shape[-2]:
        raise ValueError(format_error(f"{name} takes square matrices, got {aval}"))


# --- cholesky_update: r'^T r' = r^T r + w w^T


def _update_shape(r_matrix, w_vector):
    check_same_dtypes("cholesky_update", (r_matrix, w_vector))
    check_matrix("cholesky_update", r_matrix, square=True)
    if r_matrix.dtype.kind == "c":
        raise TypeError(
            format_error(f"cholesky_update takes real matrices, got {r_matrix}")
        )
    if w_vector.shape != r_matrix.shape[:-1]:
        raise ValueError(
            format_error(
                "cholesky_update needs a matrix (..., n, n) and a vector (..., n), "
                f"got {r_matrix} and {w_vector}"
            )
        )
    return r_matrix.strip_weak_type()


def _update_evaluate(r_matrix, w_vector):
    dtype = r_matrix.dtype
    r, w = np.array(worked(r_matrix)), np.array(worked(w_vector))
    r = np.triu(r)
    for i in range(r.shape[-1]):
        # rotate row i of r and w, so that w[i] vanishes
        a, b = r[..., i, i], w[..., i]
        radius = np.hypot(a, b)
        safe = np.where(radius == 0, 1, radius)
        c, s = np.where(radius == 0, 1, a / safe)[..., None], (b / safe)[..., None]
        row = r[..., i, i:].copy()
        r[..., i, i:] = c * row + s * w[..., i:]
        w[..., i:] = c * w[..., i:] - s * row
    return r.astype(dtype, copy=False)


cholesky_update_p = linalg_primitive(
    "cholesky_update", _update_shape, _update_evaluate, multiple_results=False
)
cholesky_update_p.not_differentiable = (
    "as in JAX; differentiate linalg.cholesky(r.T @ r + outer(w, w)) instead"
)


def cholesky_update(r_matrix, w_vector):
    """The upper Cholesky factor of r^T r + w w^T, from r, in O(n^2).

    r_matrix: upper triangular (..., n, n); w_vector: (..., n); real.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> r, w = 3.0 * jnp.eye(2), jnp.array([4.0, 0.0])
    >>> linalg.cholesky_update(r, w).tolist()
    [[5.0, 0.0], [0.0, 3.0]]
    """
    return cholesky_update_p.bind(r_matrix, w_vector)
