"""Solving with square matrices: solve, inv, det and slogdet.

Functions whose derivative is simpler than that of their steps have a custom JVP.
linalg_least_squares.py has what needs no square matrices.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core import dtypes, errors
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.lax import linalg
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.linalg_factor import LARGE, matrices, require_square
from jaxlike.numpy.promote import ArrayLike
from jaxlike.transforms.custom_jvp import custom_jvp


class SlogdetResult(NamedTuple):
    """The result of `slogdet`."""

    sign: Array
    logabsdet: Array


# --- solve and inv


def lu_solve(lu: Any, permutation: Any, b: Any) -> Any:
    """x with a @ x = b, from the factors and the permutation of lax.linalg.lu."""
    batch = np.broadcast_shapes(lu.shape[:-2], b.shape[:-2])
    lu = jnp.broadcast_to(lu, batch + lu.shape[-2:])
    permutation = jnp.broadcast_to(permutation, batch + permutation.shape[-1:])
    b = jnp.broadcast_to(b, batch + b.shape[-2:])
    x = jnp.take_along_axis(
        b, permutation[..., None], axis=-2, mode="promise_in_bounds"
    )
    x = linalg.triangular_solve(lu, x, left_side=True, lower=True, unit_diagonal=True)
    return linalg.triangular_solve(lu, x, left_side=True, lower=False)


@custom_jvp
def _solve(a: Any, b: Any) -> Any:
    lu, _, permutation = linalg.lu(a)
    return lu_solve(lu, permutation, b)


@_solve.defjvp
def _solve_jvp(primals, tangents):
    # a @ dx = db - da @ x, with the factors that are there already
    (a, b), (a_dot, b_dot) = primals, tangents
    lu, _, permutation = linalg.lu(a)
    x = lu_solve(lu, permutation, b)
    return x, lu_solve(lu, permutation, b_dot - jnp.matmul(a_dot, x))


@composite_of(2, numpy=np.linalg.solve, compiled=LARGE)
def solve(a: ArrayLike, b: ArrayLike) -> Array:
    """x with a @ x = b, for square matrices `a`; leading axes broadcast.

    Args: `b`, matrices; or one vector.
    Raises: ValueError for shapes that do not fit.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.solve(2.0 * jnp.eye(2), jnp.array([2.0, 4.0]))
    Array([1., 2.], dtype=float32)
    """
    a, b = matrices("solve", a, b)
    require_square("solve", a)
    if b.ndim > 1 and b.ndim == a.ndim - 1 and a.shape[:-1] == b.shape:
        raise ValueError(
            errors.format_error(
                f"solve: a {a.shape} and b {b.shape} do not fit",
                ["b of more than one axis is a stack of matrices, not of vectors"],
                try_="solve(a, b[..., None]).squeeze(-1)",
            )
        )
    vector = b.ndim == 1
    if not b.ndim or b.shape[-1 if vector else -2] != a.shape[-1]:
        raise ValueError(format_error(f"solve: a {a.shape} and b {b.shape} do not fit"))
    x = _solve(a, b[:, None] if vector else b)
    return x[..., 0] if vector else x


@composite_of(1, numpy=np.linalg.inv, compiled=LARGE)
def inv(a: ArrayLike) -> Array:
    """The inverses of square matrices.

    Raises: ValueError for matrices that are not square.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.inv(2.0 * jnp.eye(2))
    Array([[0.5, 0. ],
           [0. , 0.5]], dtype=float32)
    """
    [a] = matrices("inv", a)
    require_square("inv", a)
    return _solve(a, jnp.eye(a.shape[-1], dtype=a.dtype))


# --- determinants


def _parity(pivots: Any) -> Any:
    """1 where a permutation given by row exchanges is odd, else 0."""
    places = np.arange(pivots.shape[-1], dtype=np.int32)
    return jnp.count_nonzero(pivots != places, axis=-1) % 2


def _factors_of_det(a: Any) -> tuple[Any, Any, Any, Any]:
    """(lu, permutation, sign of the permutation, diagonal of U)."""
    lu, pivots, permutation = linalg.lu(a)
    diagonal = jnp.diagonal(lu, axis1=-2, axis2=-1)
    sign = (1 - 2 * _parity(pivots)).astype(a.dtype)
    return lu, permutation, sign, diagonal


@custom_jvp
def _det(a: Any) -> Any:
    _, _, sign, diagonal = _factors_of_det(a)
    return sign * jnp.prod(diagonal, axis=-1)


@_det.defjvp
def _det_jvp(primals, tangents):
    # d det(a) = trace(adj(a) @ da); the adjugate exists for singular matrices too.
    # With u the last pivot and p the product of the others, det(a) = p * u, and the
    # back substitution is scaled by det(a) so that it never divides by u.
    [a], [a_dot] = primals, tangents
    lu, permutation, sign, diagonal = _factors_of_det(a)
    det = sign * jnp.prod(diagonal, axis=-1)
    rest = sign * jnp.prod(diagonal[..., :-1], axis=-1)
    y = jnp.take_along_axis(
        a_dot, permutation[..., None], axis=-2, mode="promise_in_bounds"
    )
    y = linalg.triangular_solve(lu, y, left_side=True, lower=True, unit_diagonal=True)
    last = y[..., -1:, :] * rest[..., None, None]
    others = y[..., :-1, :] * det[..., None, None] - jnp.matmul(lu[..., :-1, -1:], last)
    singular = (rest == 0)[..., None, None]
    upper = lu[..., :-1, :-1]
    upper = jnp.where(singular, jnp.eye(upper.shape[-1], dtype=a.dtype), upper)
    others = linalg.triangular_solve(upper, others, left_side=True, lower=False)
    others = jnp.where(singular, 0, others)
    return det, jnp.trace(jnp.concatenate([others, last], axis=-2), axis1=-2, axis2=-1)


@composite_of(1, numpy=np.linalg.det)
def det(a: ArrayLike) -> Array:
    """The determinants of square matrices.

    Raises: ValueError for matrices that are not square.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.det(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
    Array(-2., dtype=float32)
    """
    [a] = matrices("det", a)
    require_square("det", a)
    n = a.shape[-1]
    if n == 0:
        return jnp.ones(a.shape[:-2], a.dtype)
    if n == 1:
        return a[..., 0, 0]
    if n == 2:
        return a[..., 0, 0] * a[..., 1, 1] - a[..., 0, 1] * a[..., 1, 0]
    if n == 3:
        x, y, z = a[..., 0, :], a[..., 1, :], a[..., 2, :]
        return (
            x[..., 0] * y[..., 1] * z[..., 2]
            + x[..., 1] * y[..., 2] * z[..., 0]
            + x[..., 2] * y[..., 0] * z[..., 1]
            - x[..., 2] * y[..., 1] * z[..., 0]
            - x[..., 0] * y[..., 2] * z[..., 1]
            - x[..., 1] * y[..., 0] * z[..., 2]
        )
    return _det(a)


@partial(custom_jvp, nondiff_argnums=(1,))
def _slogdet(a: Any, method: str) -> tuple[Any, Any]:
    if method == "lu":
        _, _, sign, diagonal = _factors_of_det(a)
    else:
        q, r = linalg.qr(a, full_matrices=False)
        sign, _ = _slogdet(q, "lu")
        diagonal = jnp.diagonal(r, axis1=-2, axis2=-1)
    size = jnp.abs(diagonal)
    sign = sign * jnp.prod(diagonal / size.astype(a.dtype), axis=-1)
    singular = jnp.any(diagonal == 0, axis=-1)
    logdet = jnp.where(singular, -jnp.inf, jnp.sum(jnp.log(size), axis=-1))
    return jnp.where(singular, jnp.zeros((), a.dtype), sign), logdet


@_slogdet.defjvp
def _slogdet_jvp(method, primals, tangents):
    [a], [a_dot] = primals, tangents
    sign, logdet = _slogdet(a, method)
    slope = jnp.trace(_solve(a, a_dot), axis1=-2, axis2=-1)
    if dtypes.issubdtype(a.dtype, np.complexfloating):
        turn = (slope - jnp.real(slope).astype(slope.dtype)) * sign
        return (sign, logdet), (turn, jnp.real(slope))
    return (sign, logdet), (jnp.zeros_like(sign), slope)


@composite_of(1, numpy=lambda a: SlogdetResult(*np.linalg.slogdet(a)))
def slogdet(a: ArrayLike, *, method: str | None = None) -> SlogdetResult:
    """The sign of the determinant and the logarithm of its absolute value.

    Args: `method`, the factorisation: "lu" (the default) or "qr".
    Raises: ValueError for other methods, and matrices that are not square.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.slogdet(jnp.eye(2)).sign
    Array(1., dtype=float32)
    """
    [a] = matrices("slogdet", a)
    require_square("slogdet()", a)
    if method not in (None, "lu", "qr"):
        raise ValueError(
            format_error(f"slogdet has no method {method!r}, only 'lu' and 'qr'")
        )
    return SlogdetResult(*_slogdet(a, method or "lu"))
