"""Samplers of vectors and matrices: multivariate normal ones, orthogonal ones."""

from __future__ import annotations

import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.numpy.promote import ArrayLike, DTypeLike, promote_dtypes_inexact
from jaxlike.primitives.broadcasting import broadcast_shapes
from jaxlike.random.arguments import float_dtype, inexact_dtype, read_shape
from jaxlike.random.continuous import normals
from jaxlike.random.elementary import Shape
from jaxlike.random.keys import check_key

_METHODS = ("svd", "eigh", "cholesky")


def multivariate_normal(
    key: ArrayLike,
    mean: ArrayLike,
    cov: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    method: str = "cholesky",
    *,
    out_sharding=None,
) -> Array:
    """Normal vectors with a mean [..., n] and a covariance [..., n, n].

    Args: `shape`, of the array of vectors, which the other axes of mean and cov must
    broadcast to; `method`, how cov is factored: "cholesky", "svd" or "eigh".
    Raises: ValueError for another method, and for shapes that do not fit.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> key = jaxlike.random.key(0)
    >>> jaxlike.random.multivariate_normal(key, jnp.zeros(2), jnp.eye(2), (3,)).shape
    (3, 2)
    """
    key, _ = check_key("multivariate_normal", key)
    mean, cov = promote_dtypes_inexact(mean, cov)
    if dtype is None:
        dtype = get_aval(mean).dtype
    dtype = float_dtype("multivariate_normal", dtype)
    if method not in _METHODS:
        raise ValueError(format_error(f"method is one of {set(_METHODS)}"))
    mean, cov = jnp.asarray(mean), jnp.asarray(cov)
    shape = _batch_shape(mean, cov, shape)
    factor = _factor(cov, method)
    x = normals(key, (*shape, mean.shape[-1]), dtype)
    return mean + jnp.einsum("...ij,...j->...i", factor, x)


def _batch_shape(mean, cov, shape) -> tuple[int, ...]:
    if not mean.ndim:
        raise ValueError(
            format_error(
                "multivariate_normal requires mean.ndim >= 1, got mean.ndim == 0"
            )
        )
    if cov.ndim < 2:
        raise ValueError(
            format_error(
                "multivariate_normal requires cov.ndim >= 2, got cov.ndim == "
                f"{cov.ndim}"
            )
        )
    n = mean.shape[-1]
    if cov.shape[-2:] != (n, n):
        raise ValueError(
            format_error(
                f"multivariate_normal requires cov.shape == (..., n, n) for n={n}, "
                f"but got cov.shape == {cov.shape}."
            )
        )
    batches = mean.shape[:-1], cov.shape[:-2]
    if shape is None:
        return broadcast_shapes(*batches)
    shape = read_shape(shape)
    result = broadcast_shapes(shape, *batches)
    if result != shape:
        raise ValueError(
            format_error(
                "normal parameter shapes must be broadcast-compatible with shape "
                "argument, and the result of broadcasting the shapes must equal the "
                f"shape argument, but got result {result} for shape argument {shape}."
            )
        )
    return shape


def _factor(cov: Array, method: str) -> Array:
    """F with F F^T = cov."""
    from jaxlike.numpy import linalg

    if method == "cholesky":
        return linalg.cholesky(cov)
    if method == "svd":
        vectors, values, _ = linalg.svd(cov)
    else:
        values, vectors = linalg.eigh(cov)
    return vectors * jnp.sqrt(values[..., None, :])


def orthogonal(
    key: ArrayLike,
    n: int,
    shape: Shape = (),
    dtype: DTypeLike | None = None,
    m: int | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Matrices uniform over the orthogonal (for complex dtypes, unitary) group.

    Args: `m`, the number of columns, if not n: the shorter side is orthonormal.

    >>> import jaxlike
    >>> x = jaxlike.random.orthogonal(jaxlike.random.key(0), 3)
    >>> bool(jaxlike.numpy.allclose(x @ x.T, jaxlike.numpy.eye(3), atol=1e-5))
    True
    """
    from jaxlike.numpy import linalg

    key, _ = check_key("orthogonal", key)
    dtype = inexact_dtype("normal", dtype)
    m = n if m is None else m
    tall = (*read_shape(shape), max(n, m), min(n, m))
    q, r = linalg.qr(normals(key, tall, dtype))
    # without the signs the distribution would depend on how QR chooses them
    q = lax.mul(*jnp.broadcast_arrays(q, jnp.sign(_diagonal(r))[..., None, :]))
    return q if n >= m else jnp.matrix_transpose(q)


def _diagonal(r: Array) -> Array:
    return jnp.diagonal(r, axis1=-2, axis2=-1)
