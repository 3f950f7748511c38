"""LU factors with row exchanges: a[permutation] = l u."""

from __future__ import annotations

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linalg_solve import triangular_solve_p
from jaxlike.primitives.linalg_support import (
    check_matrix,
    for_each_matrix,
    joined,
    lapack,
    linalg_primitive,
    lower,
    matmul,
    permutation_matrix,
    sliced,
    upper,
    worked,
)

__all__ = ["lu", "lu_p", "lu_pivots_to_permutation", "lu_pivots_to_permutation_p"]

# --- lu


def _lu_shape(x):
    check_matrix("lu", x)
    *lead, m, n = x.shape
    pivots = ShapedArray((*lead, min(m, n)), dtypes.int32)
    return [x.strip_weak_type(), pivots, ShapedArray((*lead, m), dtypes.int32)]


def _lu_evaluate(x):
    dtype = x.dtype
    x = worked(x)
    *lead, m, n = x.shape
    k = min(m, n)
    if not k or not x.size:
        order = np.broadcast_to(np.arange(m, dtype=np.int32), (*lead, m))
        return [x.astype(dtype), np.zeros((*lead, k), np.int32), order]
    getrf = lapack("getrf", x.dtype)

    def factor(a):
        out, pivots, _ = getrf(a)
        return out, pivots

    outs = [((m, n), x.dtype), ((k,), np.int32)]
    out, pivots = for_each_matrix(factor, outs, x, finite=False)
    order = _pivots_evaluate(pivots, permutation_size=m)
    return [out.astype(dtype, copy=False), pivots, order]


def _solve(a, b, **flags):
    params = dict(
        left_side=True,
        lower=True,
        transpose_a=False,
        conjugate_a=False,
        unit_diagonal=True,
    )
    return triangular_solve_p.bind(a, b, **(params | flags))


def _lu_jvp(primals, tangents):
    from jaxlike.primitives.arithmetic import add, sub

    (x,), (t,) = primals, tangents
    out, pivots, order = lu_p.bind(x)
    zeros = [Zero.from_primal_value(pivots), Zero.from_primal_value(order)]
    if type(t) is Zero:
        return [out, pivots, order], [Zero(get_aval(out).to_tangent_aval()), *zeros]
    m, n = get_aval(x).shape[-2:]
    k = min(m, n)
    t = matmul(permutation_matrix(order, get_aval(x).dtype), t)
    # the leading square: l^-1 t u^-1 splits into l^-1 dl below, du u^-1 above
    square = sliced(sliced(out, -2, 0, k), -1, 0, k)
    top = sliced(sliced(t, -2, 0, k), -1, 0, k)
    inner = _solve(square, top)
    inner = _solve(square, inner, left_side=False, lower=False, unit_diagonal=False)
    l_square = add(lower(square, -1), _eye_like(square))
    u_square = upper(square)
    dl = matmul(l_square, lower(inner, -1))
    du = matmul(upper(inner), u_square)
    change = add(dl, du)
    if m > n:
        # rows below: dl = (t - l du) u^-1
        below = sub(sliced(t, -2, k, m), matmul(sliced(out, -2, k, m), du))
        below = _solve(square, below, left_side=False, lower=False, unit_diagonal=False)
        change = joined([change, below], -2)
    elif n > m:
        # columns to the right: du = l^-1 (t - dl u)
        right = sub(sliced(t, -1, k, n), matmul(dl, sliced(out, -1, k, n)))
        change = joined([change, _solve(square, right)], -1)
    return [out, pivots, order], [change, *zeros]


def _eye_like(x):
    from jaxlike.primitives.shapes import broadcast_in_dim

    aval = get_aval(x)
    eye = np.eye(aval.shape[-1], dtype=aval.dtype)
    return broadcast_in_dim(eye, aval.shape, (aval.ndim - 2, aval.ndim - 1))


lu_p = linalg_primitive("lu", _lu_shape, _lu_evaluate)
lu_p.jvp = _lu_jvp


def lu(x):
    """The LU factors of a matrix, with row exchanges.

    x: (..., m, n), float or complex. Returns (lu, pivots, permutation): l without its
    unit diagonal and u in one matrix; the exchanges in order; x[permutation] = l u.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> linalg.lu(jnp.array([[1.0, 3.0], [2.0, 4.0]]))[2].tolist()
    [1, 0]
    """
    return lu_p.bind(x)


def solve_general(a, b):
    """x with a x = b, for batches of square matrices a."""
    out, _, order = lu_p.bind(a)
    b = matmul(permutation_matrix(order, get_aval(a).dtype), b)
    return _solve(out, _solve(out, b), lower=False, unit_diagonal=False)


# --- lu_pivots_to_permutation


def _pivots_shape(pivots, *, permutation_size):
    if pivots.dtype != dtypes.int32:
        raise TypeError(
            format_error(f"lu_pivots_to_permutation takes int32 pivots, got {pivots}")
        )
    if not pivots.ndim:
        raise ValueError(
            format_error("lu_pivots_to_permutation needs pivots of rank at least 1")
        )
    if permutation_size < pivots.shape[-1]:
        raise ValueError(
            format_error(
                "lu_pivots_to_permutation needs a permutation_size of at least "
                f"{pivots.shape[-1]} for {pivots}, got {permutation_size}"
            )
        )
    return pivots.update(shape=(*pivots.shape[:-1], permutation_size))


def _pivots_evaluate(pivots, *, permutation_size):
    lead, k = pivots.shape[:-1], pivots.shape[-1]
    order = np.empty((*lead, permutation_size), np.int32)
    order[...] = np.arange(permutation_size, dtype=np.int32)
    flat = order.reshape(-1, permutation_size)
    swaps = np.clip(pivots.reshape(-1, k), 0, max(permutation_size - 1, 0))
    every = np.arange(len(flat))
    for i in range(k):
        j = swaps[:, i]
        flat[every, j], flat[:, i] = flat[:, i].copy(), flat[every, j]
    return order


lu_pivots_to_permutation_p = linalg_primitive(
    "lu_pivots_to_permutation", _pivots_shape, _pivots_evaluate, multiple_results=False
)
lu_pivots_to_permutation_p.not_differentiable = "its operands are integers"


def lu_pivots_to_permutation(pivots, permutation_size: int):
    """The permutation that a sequence of row exchanges comes to.

    pivots: int32 (..., k), row i having been exchanged with row pivots[i].
    Raises TypeError for other dtypes, ValueError if permutation_size < k.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> linalg.lu_pivots_to_permutation(jnp.array([2, 2]), 3).tolist()
    [2, 0, 1]
    """
    return lu_pivots_to_permutation_p.bind(
        pivots, permutation_size=int(permutation_size)
    )
