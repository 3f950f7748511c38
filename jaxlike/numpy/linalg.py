"""jax.numpy.linalg: the whole list, and the few functions that need no file.

The rest is in linalg_factor.py (factorisations), linalg_solve.py (square systems),
linalg_least_squares.py, linalg_norms.py and linalg_products.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jaxlike.numpy as jnp
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import guard_names as _guard_names
from jaxlike.numpy.linalg_factor import (
    cholesky,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    qr,
    svd,
    svdvals,
)
from jaxlike.numpy.linalg_least_squares import lstsq, pinv
from jaxlike.numpy.linalg_norms import (
    cond,
    matrix_norm,
    matrix_rank,
    norm,
    vector_norm,
)
from jaxlike.numpy.linalg_products import (
    matrix_power,
    multi_dot,
    tensorinv,
    tensorsolve,
)
from jaxlike.numpy.linalg_solve import det, inv, slogdet, solve
from jaxlike.numpy.promote import ArrayLike, DTypeLike, check_arraylike, to_arrays
from jaxlike.primitives.precision import PrecisionLike

__all__ = [
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]


def cross(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Array:
    """The cross products of vectors of three elements.

    Raises: ValueError for other sizes of the axis.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.cross(jnp.array([1, 0, 0]), jnp.array([0, 1, 0]))
    Array([0, 0, 1], dtype=int32)
    """
    x1, x2 = to_arrays("jnp.linalg.cross", x1, x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError(
            format_error(
                f"cross takes vectors of 3 elements, got {x1.shape[axis]} and "
                f"{x2.shape[axis]}"
            )
        )
    return jnp.cross(x1, x2, axis=axis)


def diagonal(x: ArrayLike, /, *, offset: int = 0) -> Array:
    """The diagonals of the matrices in the last two axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.diagonal(jnp.eye(2))
    Array([1., 1.], dtype=float32)
    """
    check_arraylike("jnp.linalg.diagonal", x)
    return jnp.diagonal(x, offset=offset, axis1=-2, axis2=-1)


def matmul(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    *,
    precision: PrecisionLike = None,
    preferred_element_type: DTypeLike | None = None,
) -> Array:
    """The matrix product; see jax.numpy.matmul.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.matmul(jnp.ones((2, 3)), jnp.ones((3, 4))).shape
    (2, 4)
    """
    check_arraylike("jnp.linalg.matmul", x1, x2)
    return jnp.matmul(
        x1, x2, precision=precision, preferred_element_type=preferred_element_type
    )


def matrix_transpose(x: ArrayLike, /) -> Array:
    """The matrices in the last two axes, transposed.

    Raises: ValueError for arrays of fewer than two axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.matrix_transpose(jnp.ones((2, 3))).shape
    (3, 2)
    """
    [x] = to_arrays("jnp.linalg.matrix_transpose", x)
    if x.ndim < 2:
        raise ValueError(
            format_error(f"matrix_transpose takes at least 2 axes, got {x.ndim}")
        )
    return jnp.matrix_transpose(x)


def outer(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The products of each element of one vector with each of another, as a matrix.

    Raises: ValueError for arrays that are not vectors.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.outer(jnp.ones(2), jnp.ones(3)).shape
    (2, 3)
    """
    x1, x2 = to_arrays("jnp.linalg.outer", x1, x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(
            format_error(
                f"outer takes vectors, got arrays of {x1.ndim} and {x2.ndim} axes"
            )
        )
    return jnp.outer(x1, x2)


def tensordot(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    *,
    axes: int | tuple[Sequence[int], Sequence[int]] = 2,
    precision: PrecisionLike = None,
    preferred_element_type: DTypeLike | None = None,
    out_sharding: None = None,
) -> Array:
    """Sum the products over pairs of axes; see jax.numpy.tensordot.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.tensordot(jnp.ones((2, 3)), jnp.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    check_arraylike("jnp.linalg.tensordot", x1, x2)
    return jnp.tensordot(
        x1,
        x2,
        axes=axes,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def trace(x: ArrayLike, /, *, offset: int = 0, dtype: DTypeLike | None = None) -> Array:
    """The sums of the diagonals of the matrices in the last two axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.trace(jnp.eye(3))
    Array(3., dtype=float32)
    """
    check_arraylike("jnp.linalg.trace", x)
    return jnp.trace(x, offset=offset, axis1=-2, axis2=-1, dtype=dtype)


def vecdot(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    *,
    axis: int = -1,
    precision: PrecisionLike = None,
    preferred_element_type: Any = None,
) -> Array:
    """The inner products along one axis, `x1` conjugated; see jax.numpy.vecdot.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.vecdot(jnp.ones((2, 3)), jnp.ones((2, 3)))
    Array([3., 3.], dtype=float32)
    """
    check_arraylike("jnp.linalg.vecdot", x1, x2)
    return jnp.vecdot(
        x1,
        x2,
        axis=axis,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


_guard_names(globals())
