"""Triangular and tridiagonal systems, and symmetric products."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives.linalg_support import (
    check_matrix,
    for_each_matrix,
    lapack,
    linalg_primitive,
    lower,
    matmul,
    transposed,
    upper,
    worked,
)
from jaxlike.primitives.linear import add_tangents
from jaxlike.primitives.rules import check_same_dtypes

__all__ = [
    "symmetric_product",
    "symmetric_product_p",
    "triangular_solve",
    "triangular_solve_p",
    "tridiagonal_solve",
    "tridiagonal_solve_p",
]

# --- triangular_solve: op(a) x = b, or x op(a) = b


def _triangular_shape(
    a, b, *, left_side, lower, transpose_a, conjugate_a, unit_diagonal
):
    check_same_dtypes("triangular_solve", (a, b))
    check_matrix("triangular_solve", a, square=True, which="first input")
    check_matrix("triangular_solve", b, which="second input")
    side = b.shape[-2] if left_side else b.shape[-1]
    if a.shape[:-2] != b.shape[:-2] or a.shape[-1] != side:
        raise ValueError(
            format_error(f"triangular_solve got incompatible shapes {a} and {b}")
        )
    return b.strip_weak_type()


@cache
def _trsm(dtype):
    from scipy.linalg import get_blas_funcs

    return get_blas_funcs(("trsm",), dtype=dtype)[0]


def _triangular_evaluate(
    a, b, *, left_side, lower, transpose_a, conjugate_a, unit_diagonal
):
    out_dtype = b.dtype
    a, b = worked(a), worked(b)
    if not b.size:
        return b.astype(out_dtype)
    conjugate = conjugate_a and a.dtype.kind == "c"
    n = a.shape[-1]
    count = math.prod(b.shape[:-2])
    if count > 8 and n <= 32:
        return _substitute(
            a, b, left_side, lower, transpose_a, conjugate, unit_diagonal
        ).astype(out_dtype, copy=False)
    if conjugate and not transpose_a:
        a, conjugate = a.conj(), False
    # BLAS wants columns: hand it the transposed problem, which C order has for free
    trans = 0 if not transpose_a else 2 if conjugate else 1
    solve = _trsm(a.dtype)
    flat_a, flat_b = a.reshape(-1, n, n), b.reshape(-1, *b.shape[-2:])
    out = np.empty(flat_b.shape, b.dtype)
    one = np.ones((), a.dtype)[()]
    for i in range(count):
        out[i] = solve(
            one,
            flat_a[i].T,
            flat_b[i].T,
            side=int(left_side),
            lower=int(not lower),
            trans_a=trans,
            diag=int(unit_diagonal),
        ).T
    return out.reshape(b.shape).astype(out_dtype, copy=False)


def _substitute(a, b, left_side, is_lower, transpose, conjugate, unit_diagonal):
    """Row by row, for all matrices of a batch together."""
    if conjugate:
        a = a.conj()
    if not left_side:  # x op(a) = b is op(a)^T x^T = b^T
        b, transpose = b.swapaxes(-1, -2), not transpose
    if transpose:
        a, is_lower = a.swapaxes(-1, -2), not is_lower
    n = a.shape[-1]
    x = np.array(b)
    for i in range(n) if is_lower else range(n - 1, -1, -1):
        known = slice(0, i) if is_lower else slice(i + 1, n)
        x[..., i : i + 1, :] -= np.matmul(a[..., i : i + 1, known], x[..., known, :])
        if not unit_diagonal:
            x[..., i, :] /= a[..., i, i, None]
    return x if left_side else x.swapaxes(-1, -2)


def _triangular_jvp(primals, tangents, **params):
    from jaxlike.primitives.arithmetic import neg
    from jaxlike.primitives.complexes import conj

    a, b = primals
    a_t, b_t = tangents
    x = triangular_solve_p.bind(a, b, **params)
    total = b_t
    if type(a_t) is not Zero:
        # only the triangle counts, and not its diagonal if that is taken as ones
        k = int(params["unit_diagonal"])
        part = lower(a_t, -k) if params["lower"] else upper(a_t, k)
        if params["transpose_a"]:
            part = transposed(part)
        if params["conjugate_a"] and get_aval(a).dtype.kind == "c":
            part = conj(part)
        product = matmul(part, x) if params["left_side"] else matmul(x, part)
        total = add_tangents(total, neg(product))
    if type(total) is Zero:
        return x, Zero(get_aval(x).to_tangent_aval())
    return x, triangular_solve_p.bind(a, total, **params)


def _triangular_transpose(ct, a, b, **params):
    assert is_undefined_primal(b) and not is_undefined_primal(a)
    params["transpose_a"] = not params["transpose_a"]
    return [None, triangular_solve_p.bind(a, ct, **params)]


def _triangular_batch(axis_data, args, dims, **params):
    from jaxlike.primitives.shapes import broadcast_in_dim, moveaxis, reshape

    a, b = args
    a_dim, b_dim = dims
    if a_dim is None:
        # one matrix, more right-hand sides
        b = moveaxis(b, b_dim, get_aval(b).ndim - 1)
        shape = get_aval(b).shape
        if params["left_side"]:
            b = reshape(b, (*shape[:-2], shape[-2] * shape[-1]))
            out = triangular_solve_p.bind(a, b, **params)
            return reshape(out, shape), len(shape) - 1
        b = moveaxis(b, len(shape) - 1, len(shape) - 2)
        swapped = get_aval(b).shape
        b = reshape(b, (*shape[:-3], shape[-3] * shape[-1], shape[-2]))
        out = triangular_solve_p.bind(a, b, **params)
        return reshape(out, swapped), len(shape) - 2

    def leading(x, d):
        if d is not None:
            return moveaxis(x, d, 0)
        shape = get_aval(x).shape
        axes = range(1, len(shape) + 1)
        return broadcast_in_dim(x, (axis_data.size, *shape), axes)

    out = triangular_solve_p.bind(leading(a, a_dim), leading(b, b_dim), **params)
    return out, 0


triangular_solve_p = linalg_primitive(
    "triangular_solve", _triangular_shape, _triangular_evaluate, multiple_results=False
)
triangular_solve_p.jvp = _triangular_jvp
triangular_solve_p.transpose = _triangular_transpose
triangular_solve_p.batch = _triangular_batch


def triangular_solve(
    a,
    b,
    *,
    left_side: bool = False,
    lower: bool = False,
    transpose_a: bool = False,
    conjugate_a: bool = False,
    unit_diagonal: bool = False,
):
    """Solve op(a) x = b (left_side) or x op(a) = b for triangular a.

    a: (..., n, n), of which one triangle is read; b: (..., n, k) if left_side, else
    (..., k, n), or a vector (..., n). unit_diagonal: take the diagonal as ones.
    Raises ValueError for sizes, TypeError for dtypes that do not fit.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> a, b = jnp.array([[2.0, 0.0], [1.0, 1.0]]), jnp.array([4.0, 3.0])
    >>> linalg.triangular_solve(a, b, left_side=True, lower=True)
    Array([2., 1.], dtype=float32)
    """
    from jaxlike.primitives.shapes import expand_dims, squeeze

    a_aval, b_aval = get_aval(a), get_aval(b)
    axis = -1 if left_side else -2
    vector = b_aval.ndim == a_aval.ndim - 1 and b_aval.ndim > 0
    if vector:
        b = expand_dims(b, (b_aval.ndim + 1 + axis,))
    out = triangular_solve_p.bind(
        a,
        b,
        left_side=bool(left_side),
        lower=bool(lower),
        transpose_a=bool(transpose_a),
        conjugate_a=bool(conjugate_a) and a_aval.dtype.kind == "c",
        unit_diagonal=bool(unit_diagonal),
    )
    return squeeze(out, (b_aval.ndim + 1 + axis,)) if vector else out


# --- tridiagonal_solve


def _tridiagonal_shape(dl, d, du, b, *, perturb_singular):
    check_same_dtypes("tridiagonal_solve", (dl, d, du, b))
    check_matrix("tridiagonal_solve", b, which="right-hand side")
    if not dl.shape == d.shape == du.shape or b.shape[:-1] != d.shape:
        raise TypeError(
            format_error(
                "tridiagonal_solve needs diagonals (..., n) and a right-hand side "
                f"(..., n, k), got {dl}, {d}, {du} and {b}"
            )
        )
    return b.strip_weak_type()


def _tridiagonal_evaluate(dl, d, du, b, *, perturb_singular):
    out_dtype = b.dtype
    dl, d, du, b = map(worked, (dl, d, du, b))
    n, k = b.shape[-2:]
    if not b.size:
        return b.astype(out_dtype)
    if n == 1 and not perturb_singular:
        return (b / d[..., None]).astype(out_dtype, copy=False)
    if perturb_singular:
        solve = _perturbed
    else:
        gtsv = lapack("gtsv", b.dtype)

        def solve(dl, d, du, b):
            *_, x, info = gtsv(dl, d, du, b)
            return [x] if info == 0 else None

    # what lies outside the matrix is not read
    operands = dl[..., 1:], d, du[..., :-1], b
    (x,) = for_each_matrix(
        solve, [((n, k), b.dtype)], *operands, cores=(1, 1, 1, 2), finite=False
    )
    return x.astype(out_dtype, copy=False)


def _perturbed(dl, d, du, b):
    """Elimination with row exchanges, where pivots never get below the tiniest one."""
    n = len(d)
    dtype = d.dtype
    tiny = np.finfo(dtype).tiny
    eps = np.finfo(dtype).eps
    largest = max(np.abs(v).max(initial=0) for v in (dl, d, du))
    least = max(eps * largest, 3 * tiny)
    d, b = d.copy(), b.copy()
    zero = np.zeros(1, dtype)
    low, up, up2 = np.append(zero, dl), np.append(du, zero), np.zeros(n, dtype)
    for i in range(n - 1):
        if abs(d[i]) < abs(low[i + 1]):
            d[i], low[i + 1] = low[i + 1], d[i]
            up[i], d[i + 1] = d[i + 1], up[i]
            up2[i], up[i + 1] = up[i + 1], up2[i]
            b[[i, i + 1]] = b[[i + 1, i]]
        if abs(d[i]) < least:
            d[i] = least if d[i] == 0 else d[i] / abs(d[i]) * least
        factor = low[i + 1] / d[i]
        d[i + 1] -= factor * up[i]
        up[i + 1] -= factor * up2[i]
        b[i + 1] -= factor * b[i]
    if abs(d[-1]) < least:
        d[-1] = least if d[-1] == 0 else d[-1] / abs(d[-1]) * least
    for i in range(n - 1, -1, -1):
        if i + 1 < n:
            b[i] -= up[i] * b[i + 1]
        if i + 2 < n:
            b[i] -= up2[i] * b[i + 2]
        b[i] /= d[i]
    return [b]


def _shifted(v, by: int):
    """Vectors moved down (by 1) or up (by -1), with a zero coming in."""
    from jaxlike.primitives.joining import pad

    aval = get_aval(v)
    config = ((0, 0, 0),) * (aval.ndim - 1) + ((by, -by, 0),)
    return pad(v, np.zeros((), aval.dtype), config)


def _times(dl, d, du, x):
    """The product of a tridiagonal matrix (of tangents, maybe Zero) with x."""
    from jaxlike.primitives.arithmetic import mul
    from jaxlike.primitives.linalg_support import columns

    n, k = get_aval(x).shape[-2:]
    zero = np.zeros((), get_aval(x).dtype)
    total = Zero(get_aval(x))
    above = below = x
    if n > 1:
        from jaxlike.primitives.joining import pad

        lead = ((0, 0, 0),) * (get_aval(x).ndim - 2)
        above = pad(x, zero, (*lead, (1, -1, 0), (0, 0, 0)))
        below = pad(x, zero, (*lead, (-1, 1, 0), (0, 0, 0)))
    terms = [(d, x)] if n == 1 else [(dl, above), (d, x), (du, below)]
    for diagonal, part in terms:
        if type(diagonal) is Zero:
            continue
        total = add_tangents(total, mul(columns(diagonal, k), part))
    return total


def _tridiagonal_jvp(primals, tangents, *, perturb_singular):
    from jaxlike.primitives.arithmetic import neg

    diagonals = primals[:3]
    x = tridiagonal_solve_p.bind(*primals, perturb_singular=perturb_singular)
    product = _times(*tangents[:3], x)
    total = tangents[3]
    if type(product) is not Zero:
        total = add_tangents(total, neg(product))
    if type(total) is Zero:
        return x, Zero(get_aval(x).to_tangent_aval())
    return x, tridiagonal_solve_p.bind(
        *diagonals, total, perturb_singular=perturb_singular
    )


def _tridiagonal_transpose(ct, dl, d, du, b, *, perturb_singular):
    assert is_undefined_primal(b)
    out = tridiagonal_solve_p.bind(
        _shifted(du, 1), d, _shifted(dl, -1), ct, perturb_singular=perturb_singular
    )
    return [None, None, None, out]


tridiagonal_solve_p = linalg_primitive(
    "tridiagonal_solve",
    _tridiagonal_shape,
    _tridiagonal_evaluate,
    multiple_results=False,
)
tridiagonal_solve_p.jvp = _tridiagonal_jvp
tridiagonal_solve_p.transpose = _tridiagonal_transpose


def tridiagonal_solve(dl, d, du, b, *, perturb_singular: bool = False):
    """Solve tridiagonal systems A x = b.

    dl, d, du: (..., n), the diagonals below, on and above the main one (dl[0] and
    du[-1] are not read); b: (..., n, k). perturb_singular: keep pivots from zero.
    Singular systems give NaN. Raises TypeError for shapes that do not fit.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> z, d = jnp.zeros(2), jnp.array([2.0, 4.0])
    >>> linalg.tridiagonal_solve(z, d, z, jnp.array([[2.0], [8.0]])).tolist()
    [[1.0], [2.0]]
    """
    return tridiagonal_solve_p.bind(
        dl, d, du, b, perturb_singular=bool(perturb_singular)
    )


# --- symmetric_product: alpha a a^T + beta c


def _symmetric_shape(a, c, *, alpha, beta):
    for aval in (a, c):
        check_matrix("symmetric_product", aval)
        if aval.dtype.kind == "c":
            raise TypeError(
                format_error(f"symmetric_product takes real matrices, got {aval}")
            )
    if c.shape != (*a.shape[:-1], a.shape[-2]):
        raise ValueError(
            format_error(
                "symmetric_product needs matrices (..., n, m) and (..., n, n), got "
                f"{a} and {c}"
            )
        )
    return c.strip_weak_type()


def _symmetric_evaluate(a, c, *, alpha, beta):
    dtype = c.dtype
    a, c = worked(a), worked(c)
    out = np.matmul(a, a.swapaxes(-1, -2))
    out *= out.dtype.type(alpha)
    if beta:
        out += out.dtype.type(beta) * c
    return out.astype(dtype, copy=False)


def _symmetric_jvp(primals, tangents, *, alpha, beta):
    from jaxlike.primitives.arithmetic import add, mul

    a, c = primals
    a_t, c_t = tangents
    out = symmetric_product_p.bind(a, c, alpha=alpha, beta=beta)
    dtype = get_aval(c).dtype
    total = Zero(get_aval(out).to_tangent_aval())
    if type(a_t) is not Zero:
        half = mul(matmul(a_t, transposed(a)), np.asarray(alpha, dtype))
        total = add(half, transposed(half))
    if type(c_t) is not Zero and beta:
        total = add_tangents(total, mul(c_t, np.asarray(beta, dtype)))
    return out, total


symmetric_product_p = linalg_primitive(
    "symmetric_product", _symmetric_shape, _symmetric_evaluate, multiple_results=False
)
symmetric_product_p.jvp = _symmetric_jvp


def symmetric_product(
    a_matrix,
    c_matrix,
    *,
    alpha: float = 1.0,
    beta: float = 0.0,
    symmetrize_output: bool = False,
):
    """alpha a a^T + beta c, for real a (..., n, m) and c (..., n, n).

    symmetrize_output: mirror the lower triangle into the upper one.

    >>> from jaxlike.lax import linalg
    >>> import jaxlike.numpy as jnp
    >>> linalg.symmetric_product(jnp.ones((2, 3)), jnp.zeros((2, 2))).tolist()
    [[3.0, 3.0], [3.0, 3.0]]
    """
    from jaxlike.primitives.arithmetic import add

    out = symmetric_product_p.bind(
        a_matrix, c_matrix, alpha=float(alpha), beta=float(beta)
    )
    if symmetrize_output:
        out = add(lower(out), transposed(lower(out, -1)))
    return out
