"""The pseudoinverse and least squares, by the singular value decomposition."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.trace import is_concrete
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.linalg_factor import adjoint, matrices, svd
from jaxlike.numpy.promote import ArrayLike
from jaxlike.transforms.custom_jvp import custom_jvp


@partial(custom_jvp, nondiff_argnums=(1, 2))
def _pinv(a: Any, rtol: Any, hermitian: bool) -> Any:
    u, s, vh = svd(a, full_matrices=False, hermitian=hermitian)
    if rtol is None:
        rtol = 10.0 * max(a.shape[-2:]) * dtypes.finfo(a.dtype).eps
    rtol = jnp.asarray(rtol)
    cutoff = rtol[..., None] * s[..., :1]
    s = jnp.where(s > cutoff, s, jnp.inf).astype(u.dtype)
    return jnp.matmul(adjoint(vh), adjoint(u) / s[..., None])


@_pinv.defjvp
def _pinv_jvp(rtol, hermitian, primals, tangents):
    # Golub and Pereyra, 1973
    [a], [da] = primals, tangents
    p = _pinv(a, rtol, hermitian)
    ph, dah = adjoint(p), adjoint(da)
    mm = jnp.matmul
    first = -mm(mm(p, da), p)
    middle = mm(mm(p, ph), dah)
    middle = middle - mm(mm(middle, a), p)
    last = mm(dah, mm(ph, p))
    last = last - mm(p, mm(a, last))
    return p, first + middle + last


@composite_of(1)
def pinv(
    a: ArrayLike,
    rtol: ArrayLike | None = None,
    hermitian: bool = False,
    *,
    rcond: ArrayLike | None = None,
) -> Array:
    """The Moore-Penrose pseudoinverses of matrices.

    Args: `rtol`, singular values below this part of the largest count as zero; by
    default 10 * max(m, n) * eps. `rcond` is its older name. `hermitian`: `a` is.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.pinv(jnp.array([[2.0], [0.0]]))
    Array([[0.5, 0. ]], dtype=float32)
    """
    if rcond is not None:
        if rtol is not None:
            raise ValueError(format_error("pinv takes rtol or rcond, not both"))
        rtol = rcond
    [a] = matrices("pinv", a)
    if a.ndim < 2:
        raise ValueError(format_error(f"pinv takes matrices, got shape {a.shape}"))
    if 0 in a.shape[-2:]:
        return jnp.zeros((*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype)
    return _pinv(a, rtol, hermitian)


def lstsq(
    a: ArrayLike, b: ArrayLike, rcond: float | None = None, *, numpy_resid: bool = False
) -> tuple[Array, Array, Array, Array]:
    """x with the least |a @ x - b|, and of those the least |x|.

    Args:
      b: a vector, or a matrix for several problems at once.
      rcond: singular values below this part of the largest count as zero.
      numpy_resid: leave the residuals empty where NumPy does.
    Returns: (x, sums of squared residuals, rank of `a`, its singular values).

    >>> import jaxlike.numpy as jnp
    >>> x, *_ = jnp.linalg.lstsq(jnp.array([[1.0], [1.0]]), jnp.array([1.0, 3.0]))
    >>> x.round(3)
    Array([2.], dtype=float32)
    """
    x, residuals, rank, s = _lstsq(a, b, rcond)
    if not numpy_resid:
        return x, residuals, rank, s
    m, n = np.shape(a)
    # NumPy leaves them out for matrices of less than full rank
    if m <= n or (is_concrete(rank) and int(rank) < n):
        residuals = jnp.zeros((0,), residuals.dtype)
    return x, residuals, rank, s


@composite_of(2)
def _lstsq(a: Any, b: Any, rcond: float | None) -> tuple[Any, Any, Any, Any]:
    a, b = matrices("lstsq", a, b)
    if not a.ndim or not b.ndim or a.shape[0] != b.shape[0]:
        raise ValueError(
            format_error(f"lstsq: a {a.shape} and b {b.shape} differ in rows")
        )
    if a.ndim != 2 or b.ndim > 2:
        raise TypeError(
            format_error(
                f"lstsq takes a matrix and a vector or matrix, got shapes {a.shape} "
                f"and {b.shape}"
            )
        )
    vector = b.ndim == 1
    if vector:
        b = b[:, None]
    m, n = a.shape
    real = dtypes.to_real_dtype(a.dtype)
    if a.size == 0:
        s = jnp.empty((0,), real)
        rank = jnp.array(0, np.int32)
        x = jnp.zeros((n, b.shape[1]), a.dtype)
    else:
        eps = dtypes.finfo(a.dtype).eps
        cut = eps * max(m, n) if rcond is None else (eps if rcond < 0 else rcond)
        u, s, vt = svd(a, full_matrices=False)
        mask = (s > 0) & (s >= jnp.asarray(cut, s.dtype) * s[0])
        rank = jnp.sum(mask).astype(np.int32)
        safe = jnp.where(mask, s, 1).astype(a.dtype)
        inverse = jnp.where(mask, 1 / safe, jnp.zeros((), a.dtype))[:, None]
        x = jnp.matmul(adjoint(vt), inverse * jnp.matmul(adjoint(u), b))
    residuals = jnp.sum(jnp.abs(b - jnp.matmul(a, x)) ** 2, axis=0)
    return x[:, 0] if vector else x, residuals, rank, s
