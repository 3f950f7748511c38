"""Eigenvectors of general matrices, Schur and Hessenberg forms."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linalg_eigh import _inverse_differences
from jaxlike.primitives.linalg_lu import solve_general
from jaxlike.primitives.linalg_support import (
    adjoint,
    check_matrix,
    diagonal,
    for_each_matrix,
    lapack,
    linalg_primitive,
    many_small,
    matmul,
    rows,
    worked,
)

__all__ = [
    "EigImplementation",
    "eig",
    "eig_p",
    "hessenberg",
    "hessenberg_p",
    "schur",
    "schur_p",
]


class EigImplementation(enum.Enum):
    """How eig is to be computed; the CPU has LAPACK's way only."""

    CUSOLVER = "cusolver"
    MAGMA = "magma"
    LAPACK = "lapack"


# --- eig: a v = v w, u^H a = w u^H


def _eig_shape(
    x,
    *,
    compute_left_eigenvectors,
    compute_right_eigenvectors,
    enable_eigvec_derivs=False,
    implementation=None,
):
    check_matrix("eig", x, square=True)
    dtype = dtypes.to_complex_dtype(x.dtype)
    vectors = [ShapedArray(x.shape, dtype)]
    return [
        ShapedArray(x.shape[:-1], dtype),
        *(vectors if compute_left_eigenvectors else ()),
        *(vectors if compute_right_eigenvectors else ()),
    ]


def _eig_evaluate(
    x,
    *,
    compute_left_eigenvectors,
    compute_right_eigenvectors,
    enable_eigvec_derivs=False,
    implementation=None,
):
    left, right = compute_left_eigenvectors, compute_right_eigenvectors
    x = worked(x)
    dtype = dtypes.to_complex_dtype(x.dtype)
    vectors = left + right
    if not x.size:
        return [np.zeros(x.shape[:-1], dtype), *[np.zeros(x.shape, dtype)] * vectors]
    if many_small(x) and not left:
        found = _eig_by_numpy(x, right)
        if found is not None:
            return [out.astype(dtype, copy=False) for out in found]
    from scipy.linalg import LinAlgError
    from scipy.linalg import eig as scipy_eig

    def decompose(a):
        try:
            out = scipy_eig(a, left=left, right=right, check_finite=False)
        except LinAlgError:
            return None
        return out if vectors else [out]

    outs = [(x.shape[-1:], dtype), *[(x.shape[-2:], dtype)] * vectors]
    return for_each_matrix(decompose, outs, x)


def _eig_by_numpy(x, right):
    try:
        found = np.linalg.eig(x) if right else [np.linalg.eigvals(x)]
    except np.linalg.LinAlgError:
        return None
    return found if np.isfinite(found[0]).all() else None


def _eig_jvp(primals, tangents, **params):
    from jaxlike.primitives.arithmetic import mul
    from jaxlike.primitives.conversion import convert_element_type

    left = params["compute_left_eigenvectors"]
    right = params["compute_right_eigenvectors"]
    (x,), (t,) = primals, tangents
    outs = eig_p.bind(x, **params)
    if type(t) is Zero:
        return outs, [Zero(get_aval(o).to_tangent_aval()) for o in outs]
    if (left or right) and not params["enable_eigvec_derivs"]:
        raise NotImplementedError(
            format_error(
                "derivatives of eigenvectors of matrices that are not symmetric hold "
                "only if all eigenvalues differ, and up to a choice of phase",
                try_="enable_eigvec_derivs=True, or the eigenvalues alone",
            )
        )
    dtype = dtypes.to_complex_dtype(get_aval(x).dtype)
    w = outs[0]
    v = outs[-1] if right else _right_vectors(x, params)
    n = get_aval(x).shape[-1]
    t = convert_element_type(t, dtype) if get_aval(t).dtype != dtype else t
    inner = solve_general(v, matmul(t, v))
    dw = diagonal(inner)
    out_tangents = [dw]
    if left or right:
        factors = _inverse_differences(w, n, dtype)
        turn = mul(factors, inner)
        if left:
            # the left vectors are the columns of v^-H, scaled to length 1
            u = outs[1]
            du = matmul(u, _as_scaled(adjoint(turn), u, v))
            out_tangents.append(_of_unit_length(u, du))
        if right:
            out_tangents.append(_of_unit_length(v, matmul(v, turn)))
    return outs, out_tangents


def _right_vectors(x, params):
    params = params | dict(
        compute_left_eigenvectors=False, compute_right_eigenvectors=True
    )
    return eig_p.bind(x, **params)[1]


def _as_scaled(turn, u, v):
    """Turn a change of v^-H's columns, -turn, into one of u, its scaled columns."""
    from jaxlike.primitives.arithmetic import div, mul, neg
    from jaxlike.primitives.complexes import conj
    from jaxlike.primitives.linalg_support import columns

    # u = v^-H s with s_i = v_i^H u_i
    s = conj(diagonal(matmul(adjoint(u), v)))
    n = get_aval(s).shape[-1]
    return neg(mul(turn, div(rows(s, n), columns(s, n))))


def _of_unit_length(v, dv):
    """dv without what changes the lengths of v's columns or its real components.

    LAPACK scales each vector to length 1 with a real largest component.
    """
    from jaxlike.primitives.arithmetic import add, div, mul, sub
    from jaxlike.primitives.complexes import complex as make_complex
    from jaxlike.primitives.complexes import conj, imag, real
    from jaxlike.primitives.reductions import argmax, reduce_sum

    aval = get_aval(v)
    axis, n = aval.ndim - 2, aval.shape[-1]
    size = add(mul(real(v), real(v)), mul(imag(v), imag(v)))
    at = argmax(size, axis, dtypes.int32)
    mask = _one_hot_rows(at, n, aval.dtype)
    largest = reduce_sum(mul(v, mask), (axis,))
    largest_change = reduce_sum(mul(dv, mask), (axis,))
    # dv + v (a + i b): b keeps the largest component real, a the length
    phase = imag(div(largest_change, largest))
    along = real(reduce_sum(mul(conj(v), dv), (axis,)))
    return sub(dv, mul(v, rows(make_complex(along, phase), n)))


def _one_hot_rows(at, n: int, dtype):
    from jaxlike.primitives.comparison import eq
    from jaxlike.primitives.conversion import convert_element_type
    from jaxlike.primitives.shapes import broadcast_in_dim

    wanted = rows(at, n)
    aval = get_aval(wanted)
    count = np.arange(n, dtype=aval.dtype)
    index = broadcast_in_dim(count, aval.shape, (aval.ndim - 2,))
    return convert_element_type(eq(wanted, index), dtype)


eig_p = linalg_primitive("eig", _eig_shape, _eig_evaluate)
eig_p.jvp = _eig_jvp


def eig(
    x,
    *,
    compute_left_eigenvectors: bool = True,
    compute_right_eigenvectors: bool = True,
    enable_eigvec_derivs: bool = False,
    implementation: EigImplementation | None = None,
    use_magma: bool | None = None,
):
    """Eigenvalues, and left and right eigenvectors, of general matrices.

    x: (..., n, n), float or complex. enable_eigvec_derivs: allow derivatives of the
    vectors. Returns a list of complex arrays: w, and u and v if asked for, in columns
    of length 1: u^H x = w u^H and x v = v w.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> w, u, v = linalg.eig(jnp.array([[2.0, 0.0], [0.0, 1.0]]))
    >>> w.tolist()
    [(2+0j), (1+0j)]
    """
    return eig_p.bind(
        x,
        compute_left_eigenvectors=bool(compute_left_eigenvectors),
        compute_right_eigenvectors=bool(compute_right_eigenvectors),
        enable_eigvec_derivs=bool(enable_eigvec_derivs),
        implementation=implementation,
    )


# --- schur: a = v t v^H


def _schur_shape(x, *, compute_schur_vectors, sort_eig_vals, select_callable):
    check_matrix("schur", x, square=True)
    return [x.strip_weak_type()] * (1 + compute_schur_vectors)


def _schur_evaluate(x, *, compute_schur_vectors, sort_eig_vals, select_callable):
    dtype = x.dtype
    x = worked(x)
    if not x.size:
        return [x.astype(dtype)] * (1 + compute_schur_vectors)
    from scipy.linalg import LinAlgError
    from scipy.linalg import schur as scipy_schur

    output = "complex" if x.dtype.kind == "c" else "real"
    sort = None
    if sort_eig_vals:
        sort = _select_of(select_callable, x.dtype)

    def decompose(a):
        try:
            return scipy_schur(a, output=output, sort=sort, check_finite=False)[:2]
        except LinAlgError:
            return None

    results = for_each_matrix(decompose, [(x.shape[-2:], x.dtype)] * 2, x)
    failed = np.isnan(results[0]).any((-1, -2), keepdims=True)
    results[0] = np.where(failed, np.triu(results[0]), results[0])
    return [r.astype(dtype, copy=False) for r in results[: 1 + compute_schur_vectors]]


def _select_of(select: Callable | None, dtype) -> Any:
    """SciPy's form of a choice of eigenvalues: of a complex number, or of two parts."""
    if select is None:
        return "lhp"
    if dtype.kind == "c":
        return select
    return lambda re, im: select(complex(re, im))


schur_p = linalg_primitive("schur", _schur_shape, _schur_evaluate)
schur_p.not_differentiable = "as in JAX; differentiate linalg.eig instead"


def schur(
    x,
    *,
    compute_schur_vectors: bool = True,
    sort_eig_vals: bool = False,
    select_callable: Callable[..., Any] | None = None,
):
    """The Schur form t of a matrix, and unitary vectors v with x = v t v^H.

    x: (..., n, n); of real x, t is real, with blocks of 2 for complex eigenvalues.
    select_callable: with sort_eig_vals, which eigenvalues come first.
    Returns [t, v], or [t] without compute_schur_vectors.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> linalg.schur(jnp.array([[1.0, 2.0], [0.0, 3.0]]))[0].tolist()
    [[1.0, 2.0], [0.0, 3.0]]
    """
    return schur_p.bind(
        x,
        compute_schur_vectors=bool(compute_schur_vectors),
        sort_eig_vals=bool(sort_eig_vals),
        select_callable=select_callable,
    )


# --- hessenberg: q^H a q is zero below its first subdiagonal


def _hessenberg_shape(a):
    check_matrix("hessenberg", a, square=True)
    n = a.shape[-1]
    return [
        a.strip_weak_type(),
        ShapedArray((*a.shape[:-2], max(n - 1, 0)), a.dtype),
    ]


def _hessenberg_evaluate(a):
    dtype = a.dtype
    a = worked(a)
    n = a.shape[-1]
    taus = (max(n - 1, 0),)
    if not a.size or n == 1:
        return [a.astype(dtype), np.zeros((*a.shape[:-2], *taus), dtype)]
    gehrd = lapack("gehrd", a.dtype)

    def reduce(matrix):
        out, tau, info = gehrd(matrix)
        return (out, tau) if info == 0 else None

    outs = [((n, n), a.dtype), (taus, a.dtype)]
    results = for_each_matrix(reduce, outs, a, finite=False)
    return [r.astype(dtype, copy=False) for r in results]


hessenberg_p = linalg_primitive("hessenberg", _hessenberg_shape, _hessenberg_evaluate)
hessenberg_p.not_differentiable = "as in JAX"


def hessenberg(a):
    """Reduce a matrix to Hessenberg form, zero below the first subdiagonal.

    a: (..., n, n). Returns (a, taus) as LAPACK's gehrd leaves them: the form, with the
    reflectors below it, and the reflectors' factors (..., n - 1).

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> linalg.hessenberg(jnp.eye(3))[1].shape
    (2,)
    """
    return tuple(hessenberg_p.bind(a))
