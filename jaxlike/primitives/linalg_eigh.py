"""Eigenvectors of symmetric (Hermitian) matrices, and reduction to tridiagonal form."""

from __future__ import annotations

import enum

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linalg_cholesky import check_square, inexact
from jaxlike.primitives.linalg_support import (
    adjoint,
    check_matrix,
    columns,
    diagonal,
    for_each_matrix,
    lapack,
    linalg_primitive,
    many_small,
    matmul,
    rows,
    symmetrized,
    worked,
)

__all__ = ["EighImplementation", "eigh", "eigh_p", "tridiagonal", "tridiagonal_p"]


class EighImplementation(enum.Enum):
    """How eigh is to be computed; the CPU has LAPACK's way only."""

    QR = "qr"
    JACOBI = "jacobi"
    QDWH = "qdwh"


# --- eigh: a v = v w


def _eigh_shape(x, *, lower, sort_eigenvalues, subset_by_index, algorithm=None):
    check_matrix("eigh", x, square=True)
    n = x.shape[-1]
    count = n
    if subset_by_index is not None:
        start, stop = subset_by_index
        if not 0 <= start < stop <= n:
            raise ValueError(
                format_error(
                    f"eigh needs a subset_by_index between 0 and {n}, got "
                    f"{subset_by_index}"
                )
            )
        count = stop - start
    real = dtypes.to_real_dtype(x.dtype)
    return [
        ShapedArray((*x.shape[:-1], count), x.dtype),
        ShapedArray((*x.shape[:-2], count), real),
    ]


def _eigh_evaluate(x, *, lower, sort_eigenvalues, subset_by_index, algorithm=None):
    dtype, real = x.dtype, dtypes.to_real_dtype(x.dtype)
    x = worked(x)
    if not x.size:
        v, w = np.zeros(x.shape, dtype), np.zeros(x.shape[:-1], real)
    else:
        v, w = _eigh(x, lower)
        v, w = v.astype(dtype, copy=False), w.astype(real, copy=False)
    if subset_by_index is not None:
        chosen = slice(*subset_by_index)
        v, w = v[..., chosen], w[..., chosen]
    return [v, w]


def _eigh(x, lower):
    if many_small(x):
        try:
            w, v = np.linalg.eigh(x, "L" if lower else "U")
            if np.isfinite(w).all():
                return v, w
        except np.linalg.LinAlgError:  # one of them: find out which
            pass
    complex_input = x.dtype.kind == "c"
    syevd = lapack("heevd" if complex_input else "syevd", x.dtype)

    def decompose(a):
        w, v, info = syevd(a, lower=int(lower))
        return (v, w) if info == 0 else None

    outs = [(x.shape[-2:], x.dtype), (x.shape[-1:], dtypes.to_real_dtype(x.dtype))]
    return for_each_matrix(decompose, outs, x)


def _inverse_differences(w, n: int, dtype):
    """1 / (w[j] - w[i]), and 0 on the diagonal."""
    from jaxlike.primitives.arithmetic import div, sub
    from jaxlike.primitives.conversion import convert_element_type
    from jaxlike.primitives.linalg_lu import _eye_like

    differences = sub(rows(w, n), columns(w, n))
    eye = _eye_like(differences)
    from jaxlike.primitives.arithmetic import add
    from jaxlike.primitives.shapes import broadcast_in_dim

    aval = get_aval(differences)
    one = broadcast_in_dim(np.ones((), aval.dtype), aval.shape, ())
    inverse = sub(div(one, add(differences, eye)), eye)
    return inverse if aval.dtype == dtype else convert_element_type(inverse, dtype)


def _eigh_jvp(primals, tangents, **params):
    from jaxlike.primitives.arithmetic import mul
    from jaxlike.primitives.complexes import real

    (x,), (t,) = primals, tangents
    v, w = eigh_p.bind(x, **params)
    if type(t) is Zero:
        return [v, w], [Zero(get_aval(a).to_tangent_aval()) for a in (v, w)]
    if params["subset_by_index"] is not None:
        raise NotImplementedError(
            format_error("derivatives of eigh with subset_by_index")
        )
    aval = get_aval(x)
    inner = matmul(matmul(adjoint(v), t), v)
    factors = _inverse_differences(w, aval.shape[-1], aval.dtype)
    dv = matmul(v, mul(factors, inner))
    dw = diagonal(inner)
    return [v, w], [dv, real(dw) if aval.dtype.kind == "c" else dw]


eigh_p = linalg_primitive("eigh", _eigh_shape, _eigh_evaluate)
eigh_p.jvp = _eigh_jvp


def eigh(
    x,
    *,
    lower: bool = True,
    symmetrize_input: bool = True,
    sort_eigenvalues: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    implementation: EighImplementation | None = None,
):
    """Eigenvectors and eigenvalues of symmetric or Hermitian matrices.

    x: (..., n, n). symmetrize_input: take (x + x^H) / 2; else one triangle is read, the
    lower one if `lower`. subset_by_index: only the eigenvalues [start, stop).
    Returns (v, w): the vectors in columns, and the real eigenvalues, ascending.
    Raises ValueError if not square; matrices with NaN give NaN.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> linalg.eigh(jnp.array([[2.0, 0.0], [0.0, 1.0]]))[1]
    Array([1., 2.], dtype=float32)
    """
    if symmetrize_input:
        check_square(x, "eigh")
        x = symmetrized(inexact(x))
    if subset_by_index is not None:
        subset_by_index = tuple(map(int, subset_by_index))
        if subset_by_index == (0, get_aval(x).shape[-1]):
            subset_by_index = None
    v, w = eigh_p.bind(
        x,
        lower=bool(lower),
        sort_eigenvalues=bool(sort_eigenvalues),
        subset_by_index=subset_by_index,
        algorithm=implementation,
    )
    return v, w


# --- tridiagonal: q^H a q is tridiagonal


def _tridiagonal_shape(x, *, lower):
    check_matrix("tridiagonal", x, square=True)
    if not x.shape[-1]:
        raise ValueError(format_error(f"tridiagonal needs a matrix, got {x}"))
    *lead, n = x.shape[:-1]
    real = dtypes.to_real_dtype(x.dtype)
    return [
        x.strip_weak_type(),
        ShapedArray((*lead, n), real),
        ShapedArray((*lead, n - 1), real),
        ShapedArray((*lead, n - 1), x.dtype),
    ]


def _tridiagonal_evaluate(x, *, lower):
    dtype, real = x.dtype, dtypes.to_real_dtype(x.dtype)
    x = worked(x)
    n = x.shape[-1]
    sytrd = lapack("hetrd" if x.dtype.kind == "c" else "sytrd", x.dtype)

    def reduce(a):
        out, d, e, tau, info = sytrd(a, lower=int(lower))
        return (out, d, e[: n - 1], tau[: n - 1]) if info == 0 else None

    part = dtypes.to_real_dtype(x.dtype)
    outs = [
        ((n, n), x.dtype),
        ((n,), part),
        ((n - 1,), part),
        ((n - 1,), x.dtype),
    ]
    results = for_each_matrix(reduce, outs, x, finite=False)
    return [
        r.astype(to, copy=False) for r, to in zip(results, (dtype, real, real, dtype))
    ]


tridiagonal_p = linalg_primitive(
    "tridiagonal", _tridiagonal_shape, _tridiagonal_evaluate
)
tridiagonal_p.not_differentiable = "as in JAX; differentiate linalg.eigh instead"


def tridiagonal(a, *, lower: bool = True):
    """Reduce symmetric or Hermitian matrices to tridiagonal form.

    a: (..., n, n), of which one triangle is read. Returns (a, d, e, taus): the
    reflectors packed as by LAPACK's sytrd, the diagonal (..., n), the off-diagonal
    (..., n - 1), and the reflectors' factors.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> linalg.tridiagonal(jnp.array([[2.0, 1.0], [1.0, 3.0]]))[1]
    Array([2., 3.], dtype=float32)
    """
    return tuple(tridiagonal_p.bind(a, lower=bool(lower)))
