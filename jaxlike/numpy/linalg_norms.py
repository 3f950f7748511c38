"""Norms of vectors and matrices, and what is read off them: cond and matrix_rank."""

from __future__ import annotations

from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy.axes import canonical_axis
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.linalg_factor import eigvalsh, matrices, svdvals
from jaxlike.numpy.linalg_solve import inv
from jaxlike.numpy.promote import ArrayLike, check_arraylike


@composite_of(1)
def norm(
    x: ArrayLike,
    ord: int | str | None = None,
    axis: tuple[int, ...] | int | None = None,
    keepdims: bool = False,
) -> Array:
    """The norm of vectors (one axis) or matrices (two axes).

    Args:
      ord: of vectors a number p, for the p-norm, inf or -inf; of matrices "fro",
        "nuc", 1, -1, 2, -2, inf or -inf. None is the root of the sum of the squares.
      axis: None means all axes.
    Raises: ValueError for other orders and numbers of axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.norm(jnp.array([3.0, 4.0]))
    Array(5., dtype=float32)
    """
    [x] = matrices("norm", x)
    if axis is None:
        if ord is None:
            return jnp.sqrt(jnp.sum(_squares(x), keepdims=keepdims))
        axes = tuple(range(x.ndim))
    elif isinstance(axis, tuple):
        axes = tuple(canonical_axis(a, x.ndim) for a in axis)
    else:
        axes = (canonical_axis(axis, x.ndim),)
    if len(axes) == 1:
        return _vector_norm(x, 2 if ord is None else ord, axes, keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, "fro" if ord is None else ord, axes, keepdims)
    raise ValueError(
        format_error(f"norm takes 1 axis for vectors, 2 for matrices, got {axes}")
    )


@composite_of(1)
def vector_norm(
    x: ArrayLike,
    /,
    *,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
    ord: int | str = 2,
) -> Array:
    """The p-norm over one axis or several, taken as one vector; by default over all.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.vector_norm(jnp.ones((2, 2)))
    Array(2., dtype=float32)
    """
    [x] = matrices("vector_norm", x)
    ord = 2 if ord is None else ord
    if axis is None:
        axes = tuple(range(x.ndim))
    else:
        axis = axis if isinstance(axis, tuple) else (axis,)
        axes = tuple(canonical_axis(a, x.ndim) for a in axis)
    return _vector_norm(x, ord, axes, keepdims)


@composite_of(1)
def matrix_norm(
    x: ArrayLike, /, *, keepdims: bool = False, ord: str | int = "fro"
) -> Array:
    """The norms of the matrices in the last two axes; see `norm` for the orders.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.matrix_norm(jnp.ones((2, 2)), ord=1)
    Array(2., dtype=float32)
    """
    check_arraylike("jnp.linalg.matrix_norm", x)
    return norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims)


def _squares(x: Any) -> Any:
    if dtypes.issubdtype(x.dtype, np.complexfloating):
        return jnp.real(x * jnp.conj(x))
    return jnp.square(x)


def _vector_norm(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if isinstance(ord, str):
        raise ValueError(format_error(f"vectors have no norm of order {ord!r}"))
    options: dict[str, Any] = dict(axis=axes, keepdims=keepdims)
    if ord == 2:
        return jnp.sqrt(jnp.sum(_squares(x), **options))
    if ord == np.inf:
        return jnp.max(jnp.abs(x), **options)
    if ord == -np.inf:
        return jnp.min(jnp.abs(x), **options)
    if ord == 0:
        real = dtypes.to_real_dtype(x.dtype)
        return jnp.sum(x != 0, dtype=real, **options)
    if ord == 1:
        return jnp.sum(jnp.abs(x), **options)
    size = jnp.abs(x)
    ord = jnp.asarray(ord, size.dtype)
    total = jnp.sum(jnp.power(size, ord), **options)
    return jnp.power(total, 1.0 / ord)


def _matrix_norm(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    row, column = axes
    if ord == "fro":
        return jnp.sqrt(jnp.sum(_squares(x), axis=axes, keepdims=keepdims))
    if (isinstance(ord, str) and ord != "nuc") or ord not in _MATRIX_ORDERS:
        raise ValueError(format_error(f"matrices have no norm of order {ord!r}"))
    if ord in (1, -1, np.inf, -np.inf):
        summed, other = (row, column) if abs(ord) == 1 else (column, row)
        if not keepdims and other > summed:
            other -= 1
        pick = jnp.max if ord > 0 else jnp.min
        total = jnp.sum(jnp.abs(x), axis=summed, keepdims=keepdims)
        return pick(total, axis=other, keepdims=keepdims)
    s = svdvals(jnp.moveaxis(x, axes, (-2, -1)))
    pick = {2: jnp.max, -2: jnp.min, "nuc": jnp.sum}[ord]
    out = pick(s, axis=-1)
    return jnp.expand_dims(out, axes) if keepdims else out


_MATRIX_ORDERS = (1, -1, 2, -2, np.inf, -np.inf, "nuc")


@composite_of(1)
def cond(x: ArrayLike, p: Any = None) -> Array:
    """The condition numbers of matrices: |x| times |inverse of x|, by a matrix norm.

    Args: `p`, the order as in `norm`; None means 2.
    Raises: ValueError for arrays that are empty or of fewer than two axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.cond(jnp.diag(jnp.array([1.0, 4.0])))
    Array(4., dtype=float32)
    """
    check_arraylike("cond", x)
    [x] = matrices("cond", x)
    if x.ndim < 2:
        raise ValueError(format_error(f"cond takes matrices, got shape {x.shape}"))
    if 0 in x.shape:
        raise ValueError(format_error(f"cond of an empty array, {x.shape}"))
    if p in (None, 2, -2):
        s = svdvals(x)
        ratio = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    else:
        axes = (-2, -1)
        ratio = norm(x, ord=p, axis=axes) * norm(inv(x), ord=p, axis=axes)
    # a singular matrix has an infinite condition number, unless it had NaN itself
    broken = jnp.isnan(ratio) & ~jnp.isnan(x).any(axis=(-2, -1))
    return jnp.where(broken, jnp.inf, ratio)


@composite_of(1)
def matrix_rank(
    M: ArrayLike,
    rtol: ArrayLike | None = None,
    *,
    hermitian: bool = False,
    tol: ArrayLike | None = None,
) -> Array:
    """The ranks of matrices: how many singular values count as more than zero.

    Args: `rtol`, the part of the largest value below which they do not; by default
    max(m, n) * eps. `tol`: an absolute bound instead. `hermitian`: `M` is.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.matrix_rank(jnp.ones((3, 3)))
    Array(1, dtype=int32)
    """
    [M] = matrices("matrix_rank", M)
    if rtol is not None and tol is not None:
        raise ValueError(format_error("matrix_rank takes tol or rtol, not both"))
    if M.ndim < 2:
        return (M != 0).any().astype(np.int32)
    s = jnp.abs(eigvalsh(M)) if hermitian else svdvals(M)
    if tol is None:
        if rtol is None:
            rtol = max(M.shape[-2:]) * dtypes.finfo(s.dtype).eps
        tol = s.max(-1) * rtol
    bound = jnp.asarray(tol)
    return jnp.sum(s > bound[..., None] if bound.ndim else s > bound, axis=-1)
