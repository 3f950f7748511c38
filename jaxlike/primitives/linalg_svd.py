"""Singular values and vectors: a = u diag(s) vt."""

from __future__ import annotations

import enum

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linalg_support import (
    adjoint,
    check_matrix,
    columns,
    diagonal,
    for_each_matrix,
    keep,
    linalg_primitive,
    many_small,
    matmul,
    rows,
    worked,
)

__all__ = ["SvdAlgorithm", "svd", "svd_p"]


class SvdAlgorithm(enum.Enum):
    """How svd is to be computed; the CPU divides and conquers, or iterates for QR."""

    DEFAULT = "default"
    QR = "QR"
    JACOBI = "Jacobi"
    POLAR = "polar"
    DIVIDE_AND_CONQUER = "divide_and_conquer"


def _svd_shape(x, *, full_matrices, compute_uv, subset_by_index, algorithm=None):
    check_matrix("svd", x)
    *lead, m, n = x.shape
    count = rank = min(m, n)
    if subset_by_index is not None:
        start, stop = subset_by_index
        if full_matrices and compute_uv:
            raise ValueError(
                format_error("svd with subset_by_index needs full_matrices=False")
            )
        if not 0 <= start < stop <= rank:
            raise ValueError(
                format_error(
                    f"svd needs a subset_by_index between 0 and {rank}, got "
                    f"{subset_by_index}"
                )
            )
        count = stop - start
    s = ShapedArray((*lead, count), dtypes.to_real_dtype(x.dtype))
    if not compute_uv:
        return [s]
    return [
        s,
        ShapedArray((*lead, m, m if full_matrices else count), x.dtype),
        ShapedArray((*lead, n if full_matrices else count, n), x.dtype),
    ]


def _svd_evaluate(x, *, full_matrices, compute_uv, subset_by_index, algorithm=None):
    dtype, real = x.dtype, dtypes.to_real_dtype(x.dtype)
    x = worked(x)
    results = _svd(x, full_matrices, compute_uv, algorithm)
    s, *vectors = (
        r.astype(to, copy=False) for r, to in zip(results, (real, dtype, dtype))
    )
    if subset_by_index is not None:
        chosen = slice(*subset_by_index)
        s = s[..., chosen]
        if compute_uv:
            u, vt = vectors
            vectors = [u[..., chosen], vt[..., chosen, :]]
    return [s, *vectors]


def _svd(x, full_matrices, compute_uv, algorithm):
    *lead, m, n = x.shape
    k = min(m, n)
    rows_of_u, columns_of_v = (m, n) if full_matrices else (k, k)
    real = dtypes.to_real_dtype(x.dtype)
    if not x.size:
        eyes = [
            np.broadcast_to(np.eye(a, b, dtype=x.dtype), (*lead, a, b))
            for a, b in ((m, rows_of_u), (columns_of_v, n))
        ]
        return [np.zeros((*lead, k), real), *(eyes if compute_uv else ())]
    if many_small(x):
        try:
            out = np.linalg.svd(x, full_matrices, compute_uv)
            s = out[1] if compute_uv else out
            if np.isfinite(s).all():
                return [s, out[0], out[2]] if compute_uv else [s]
        except np.linalg.LinAlgError:  # one of them: find out which
            pass
    from scipy.linalg import LinAlgError
    from scipy.linalg import svd as scipy_svd

    driver = "gesvd" if algorithm is SvdAlgorithm.QR else "gesdd"

    def decompose(a):
        try:
            out = scipy_svd(
                a,
                full_matrices=full_matrices,
                compute_uv=compute_uv,
                check_finite=False,
                lapack_driver=driver,
            )
        except LinAlgError:
            return None
        return (out[1], out[0], out[2]) if compute_uv else (out,)

    outs = [((k,), real)]
    if compute_uv:
        outs += [((m, rows_of_u), x.dtype), ((columns_of_v, n), x.dtype)]
    return for_each_matrix(decompose, outs, x)


def _svd_jvp(primals, tangents, *, full_matrices, compute_uv, **params):
    from jaxlike.primitives.arithmetic import add, div, mul, sub
    from jaxlike.primitives.complexes import real
    from jaxlike.primitives.conversion import convert_element_type
    from jaxlike.primitives.linalg_lu import _eye_like

    (x,), (t,) = primals, tangents
    outs = svd_p.bind(x, full_matrices=full_matrices, compute_uv=compute_uv, **params)
    if type(t) is Zero:
        return outs, [Zero(get_aval(o).to_tangent_aval()) for o in outs]
    aval = get_aval(x)
    m, n = aval.shape[-2:]
    if compute_uv and full_matrices and m != n:
        raise NotImplementedError(
            format_error(
                "derivatives of svd with full_matrices=True, for matrices that are not "
                "square: the added vectors are arbitrary",
                try_="full_matrices=False",
            )
        )
    if compute_uv and params["subset_by_index"] is not None:
        raise NotImplementedError(
            format_error("derivatives of svd's vectors with subset_by_index")
        )
    if compute_uv:
        s, u, vt = outs
    else:
        s, u, vt = svd_p.bind(x, full_matrices=False, compute_uv=True, **params)
    v, ut = adjoint(vt), adjoint(u)
    is_complex = aval.dtype.kind == "c"
    inner = matmul(matmul(ut, t), v)
    ds = diagonal(inner)
    ds = real(ds) if is_complex else ds
    if not compute_uv:
        return outs, [ds]

    k = get_aval(s).shape[-1]
    across, down = rows(s, k), columns(s, k)
    # 1 / (s_j^2 - s_i^2), and 0 on the diagonal
    differences = mul(sub(across, down), add(across, down))
    eye = _eye_like(differences)
    one = np.ones((), get_aval(eye).dtype)
    from jaxlike.primitives.shapes import broadcast_in_dim

    ones = broadcast_in_dim(one, get_aval(eye).shape, ())
    factors = sub(div(ones, add(differences, eye)), eye)

    def typed(a):
        return convert_element_type(a, aval.dtype) if is_complex else a

    factors, across, down = typed(factors), typed(across), typed(down)
    by_s, s_by = mul(inner, across), mul(down, inner)
    turn_u = mul(factors, add(by_s, adjoint(by_s)))
    turn_v = mul(factors, add(s_by, adjoint(s_by)))
    if is_complex:
        # the diagonal's imaginary part may turn u or v: u takes it
        half = mul(sub(inner, adjoint(inner)), np.asarray(0.5, aval.dtype))
        scale = keep(np.eye(k, dtype=bool), div(typed(ones), across))
        turn_u = add(turn_u, mul(half, scale))
    du, dv = matmul(u, turn_u), matmul(v, turn_v)
    # what leaves the spaces of u and of v
    if m > k:
        outer = matmul(t, v)
        outer = div(sub(outer, matmul(u, matmul(ut, outer))), _wide(s, m, typed))
        du = add(du, outer)
    if n > k:
        outer = matmul(adjoint(t), u)
        outer = div(sub(outer, matmul(v, matmul(vt, outer))), _wide(s, n, typed))
        dv = add(dv, outer)
    return outs, [ds, du, adjoint(dv)]


def _wide(s, n: int, typed):
    return typed(rows(s, n))


svd_p = linalg_primitive("svd", _svd_shape, _svd_evaluate)
svd_p.jvp = _svd_jvp


def svd(
    x,
    *,
    full_matrices: bool = True,
    compute_uv: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    algorithm: SvdAlgorithm | None = None,
):
    """The singular value decomposition of matrices, x = u diag(s) vt.

    x: (..., m, n), float or complex. full_matrices: u is (m, m) and vt (n, n), else
    (m, k) and (k, n) with k = min(m, n). Returns (u, s, vt), s descending; s alone
    without compute_uv. subset_by_index: only the values [start, stop).
    Matrices with NaN give NaN.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> linalg.svd(jnp.diag(jnp.array([3.0, 4.0])), compute_uv=False)
    Array([4., 3.], dtype=float32)
    """
    if subset_by_index is not None:
        subset_by_index = tuple(map(int, subset_by_index))
        if subset_by_index == (0, min(get_aval(x).shape[-2:])):
            subset_by_index = None
    out = svd_p.bind(
        x,
        full_matrices=bool(full_matrices),
        compute_uv=bool(compute_uv),
        subset_by_index=subset_by_index,
        algorithm=algorithm,
    )
    if not compute_uv:
        return out[0]
    s, u, vt = out
    return u, s, vt
