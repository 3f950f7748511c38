"""QR factors, and products with the reflectors that LAPACK keeps them in."""

from __future__ import annotations

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linalg_lu import solve_general
from jaxlike.primitives.linalg_solve import triangular_solve_p
from jaxlike.primitives.linalg_support import (
    adjoint,
    check_matrix,
    for_each_matrix,
    joined,
    keep,
    lapack,
    linalg_primitive,
    lower,
    many_small,
    matmul,
    permutation_matrix,
    sliced,
    transposed,
    upper,
    worked,
)
from jaxlike.primitives.linear import zeros_of
from jaxlike.primitives.rules import check_same_dtypes

__all__ = [
    "householder_product",
    "householder_product_p",
    "ormqr",
    "ormqr_p",
    "qr",
    "qr_p",
]

# --- qr: a = q r, or a[:, p] = q r


def _qr_shape(x, *, pivoting, full_matrices, use_magma=None):
    check_matrix("qr", x)
    *lead, m, n = x.shape
    k = m if full_matrices else min(m, n)
    out = [ShapedArray((*lead, m, k), x.dtype), ShapedArray((*lead, k, n), x.dtype)]
    if pivoting:
        out.append(ShapedArray((*lead, n), dtypes.int32))
    return out


def _qr_evaluate(x, *, pivoting, full_matrices, use_magma=None):
    dtype = x.dtype
    x = worked(x)
    *lead, m, n = x.shape
    k = m if full_matrices else min(m, n)
    if not x.size:
        q = np.zeros((*lead, m, k), dtype)
        q[..., np.arange(k), np.arange(k)] = 1
        out = [q, np.zeros((*lead, k, n), dtype)]
        if pivoting:
            order = np.arange(n, dtype=np.int32)
            out.append(np.broadcast_to(order, (*lead, n)))
        return out
    if many_small(x) and not pivoting:
        q, r = np.linalg.qr(x, "complete" if full_matrices else "reduced")
        return [q.astype(dtype, copy=False), r.astype(dtype, copy=False)]
    from scipy.linalg import qr as scipy_qr

    mode = "full" if full_matrices else "economic"

    def factor(a):
        return scipy_qr(a, mode=mode, pivoting=pivoting, check_finite=False)

    outs = [((m, k), x.dtype), ((k, n), x.dtype)]
    if pivoting:
        outs.append(((n,), np.int32))
    q, r, *order = for_each_matrix(factor, outs, x, finite=False)
    return [q.astype(dtype, copy=False), r.astype(dtype, copy=False), *order]


def _qr_jvp(primals, tangents, *, pivoting, full_matrices, use_magma=None):
    from jaxlike.primitives.arithmetic import add, mul, sub
    from jaxlike.primitives.complexes import complex as make_complex
    from jaxlike.primitives.complexes import imag

    (x,), (t,) = primals, tangents
    outs = qr_p.bind(
        x, pivoting=pivoting, full_matrices=full_matrices, use_magma=use_magma
    )
    q, r, *order = outs
    zeros = [Zero.from_primal_value(p) for p in order]
    if type(t) is Zero:
        return outs, [Zero(get_aval(a).to_tangent_aval()) for a in (q, r)] + zeros
    dtype = get_aval(x).dtype
    if order:
        t = matmul(t, transposed(permutation_matrix(order[0], dtype)))
    m, n = get_aval(x).shape[-2:]
    k = min(m, n)
    width = get_aval(q).shape[-1]
    q_leading = sliced(q, -1, 0, k)
    r_leading = sliced(r, -2, 0, k)
    scaled = triangular_solve_p.bind(
        sliced(r_leading, -1, 0, k),
        sliced(t, -1, 0, k),
        left_side=False,
        lower=False,
        transpose_a=False,
        conjugate_a=False,
        unit_diagonal=False,
    )
    # q^H dq is antihermitian; below its diagonal it is that of q^H dx r^-1, and its
    # diagonal is imaginary, so that r keeps its real one
    inner = matmul(adjoint(q_leading), scaled)
    below = lower(inner, -1)
    turn = sub(below, adjoint(below))
    if dtype.kind == "c":
        part = imag(keep(np.eye(k, dtype=bool), inner))
        turn = add(turn, make_complex(mul(part, np.zeros((), part.dtype)), part))
    # what leaves the space of the columns goes to dq
    dq = add(matmul(q_leading, sub(turn, inner)), scaled)
    dr = upper(sub(matmul(adjoint(q_leading), t), matmul(turn, r_leading)))
    if width > k:
        dq = joined([dq, _complement_tangent(q, dq)], -1)
        dr = joined([dr, zeros_of(get_aval(sliced(r, -2, k, m)))], -2)
    return outs, [dq, dr, *zeros]


def _complement_tangent(q, dq):
    """The tangent of the columns of a full q past the k that dq belongs to.

    A product of k reflectors is I + (q_1 - e_1) y, with y = (q_11 - I)^-H q_21^H for
    the columns past k: they follow from the first k.
    """
    from jaxlike.primitives.arithmetic import add, sub
    from jaxlike.primitives.shapes import broadcast_in_dim

    m, k = get_aval(dq).shape[-2:]
    first = sliced(q, -1, 0, k)
    aval = get_aval(first)
    eye = broadcast_in_dim(
        np.eye(m, k, dtype=aval.dtype), aval.shape, (aval.ndim - 2, aval.ndim - 1)
    )
    shifted = sub(first, eye)
    b = adjoint(sliced(shifted, -2, 0, k))
    y = solve_general(b, adjoint(sliced(first, -2, k, m)))
    change = sub(
        adjoint(sliced(dq, -2, k, m)), matmul(adjoint(sliced(dq, -2, 0, k)), y)
    )
    return add(matmul(dq, y), matmul(shifted, solve_general(b, change)))


qr_p = linalg_primitive("qr", _qr_shape, _qr_evaluate)
qr_p.jvp = _qr_jvp


def qr(
    x,
    *,
    pivoting: bool = False,
    full_matrices: bool = True,
    use_magma: bool | None = None,
):
    """The QR factors of a matrix: q with orthonormal columns, r upper triangular.

    x: (..., m, n), float or complex. full_matrices: q is (m, m) and r (m, n), else
    (m, k) and (k, n) with k = min(m, n). pivoting: also return the columns' order p, in
    which x[:, p] = q r has a decreasing diagonal.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> q, r = linalg.qr(jnp.ones((3, 2)), full_matrices=False)
    >>> q.shape, r.shape
    ((3, 2), (2, 2))
    """
    out = qr_p.bind(
        x,
        pivoting=bool(pivoting),
        full_matrices=bool(full_matrices),
        use_magma=use_magma,
    )
    return tuple(out)


# --- householder_product: the matrix that reflectors multiply to


def _check_reflectors(name, a, taus):
    check_same_dtypes(name, (a, taus))
    check_matrix(name, a)
    if taus.shape[:-1] != a.shape[:-2] or not taus.ndim:
        raise ValueError(
            format_error(f"{name} needs taus (..., k) for {a}, got {taus}")
        )
    if taus.shape[-1] > min(a.shape[-2:]):
        raise ValueError(
            format_error(
                f"{name} takes at most {min(a.shape[-2:])} taus for {a}, got {taus}"
            )
        )


def _householder_shape(a, taus):
    _check_reflectors("householder_product", a, taus)
    if a.shape[-2] < a.shape[-1]:
        raise ValueError(
            format_error(
                f"householder_product takes no more columns than rows, got {a}"
            )
        )
    return a.strip_weak_type()


def _householder_evaluate(a, taus):
    dtype = a.dtype
    a, taus = worked(a), worked(taus)
    if not a.size:
        return a.astype(dtype)
    orgqr = lapack("ungqr" if a.dtype.kind == "c" else "orgqr", a.dtype)
    if not taus.shape[-1]:
        return np.broadcast_to(np.eye(*a.shape[-2:], dtype=dtype), a.shape)

    def product(matrix, tau):
        out, _, info = orgqr(matrix, tau)
        return [out] if info == 0 else None

    (out,) = for_each_matrix(
        product, [(a.shape[-2:], a.dtype)], a, taus, cores=(2, 1), finite=False
    )
    return out.astype(dtype, copy=False)


householder_product_p = linalg_primitive(
    "householder_product",
    _householder_shape,
    _householder_evaluate,
    multiple_results=False,
)
householder_product_p.not_differentiable = "as in JAX; differentiate linalg.qr instead"


def householder_product(a, taus):
    """The first columns of a product of reflectors, as LAPACK's geqrf leaves them.

    a: (..., m, n) with m >= n, the reflectors below the diagonal; taus: (..., k).
    Raises ValueError for shapes that do not fit.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> linalg.householder_product(jnp.zeros((2, 2)), jnp.zeros(2))[0].tolist()
    [1.0, 0.0]
    """
    return householder_product_p.bind(a, taus)


# --- ormqr: a product with all of q


def _ormqr_shape(a, taus, c, *, left, transpose):
    _check_reflectors("ormqr", a, taus)
    check_same_dtypes("ormqr", (a, c))
    check_matrix("ormqr", c)
    side = c.shape[-2] if left else c.shape[-1]
    if c.shape[:-2] != a.shape[:-2] or side != a.shape[-2]:
        raise ValueError(
            format_error(
                f"ormqr with left={left} needs c with {a.shape[-2]} "
                f"{('rows' if left else 'columns')} for {a}, got {c}"
            )
        )
    return c.strip_weak_type()


def _ormqr_evaluate(a, taus, c, *, left, transpose):
    dtype = c.dtype
    a, taus, c = worked(a), worked(taus), worked(c)
    k = taus.shape[-1]
    if not c.size or not k:
        return c.astype(dtype)
    is_complex = c.dtype.kind == "c"
    ormqr_lapack = lapack("unmqr" if is_complex else "ormqr", c.dtype)
    trans = ("C" if is_complex else "T") if transpose else "N"

    def product(matrix, tau, target):
        work = 64 * max(target.shape)
        out, _, info = ormqr_lapack(
            "L" if left else "R", trans, matrix[:, :k], tau, target, work
        )
        return [out] if info == 0 else None

    (out,) = for_each_matrix(
        product, [(c.shape[-2:], c.dtype)], a, taus, c, cores=(2, 1, 2), finite=False
    )
    return out.astype(dtype, copy=False)


ormqr_p = linalg_primitive(
    "ormqr", _ormqr_shape, _ormqr_evaluate, multiple_results=False
)
ormqr_p.not_differentiable = "as in JAX; differentiate linalg.qr instead"


def ormqr(a, taus, c, *, left: bool = True, transpose: bool = False):
    """q c (left) or c q, for the q that reflectors multiply to; q^H if `transpose`.

    a, taus: reflectors as LAPACK's geqrf leaves them, (..., m, n) and (..., k);
    c: (..., m, p) if left, else (..., p, m).

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> linalg.ormqr(jnp.zeros((2, 2)), jnp.zeros(2), jnp.ones((2, 1))).tolist()
    [[1.0], [1.0]]
    """
    return ormqr_p.bind(a, taus, c, left=bool(left), transpose=bool(transpose))
