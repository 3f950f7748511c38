"""Functions along axes: softmax and kin, standardisation, one-hot vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.numpy.promote import check_arraylike, promote_args_inexact
from jaxlike.primitives.identity import stop_gradient
from jaxlike.primitives.powers import rsqrt

ArrayLike = Any
Axis = int | Sequence[int] | None


def _as_inexact(name: str, x: ArrayLike) -> Array:
    check_arraylike(name, x)
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, np.inexact) else x.astype(np.float32)


def softmax(x: ArrayLike, axis: Axis = -1, where: ArrayLike | None = None) -> Array:
    """exp(x), divided by its sum along axes.

    Args:
      x: an array.
      axis: an axis, several, or None for all.
      where: bool; elements left out count as -inf, and come out as 0.

    >>> import jaxlike.numpy as jnp, jaxlike.nn as nn
    >>> nn.softmax(jnp.array([0.0, 0.0]))
    Array([0.5, 0.5], dtype=float32)
    """
    x = _as_inexact("softmax", x)
    top = jnp.max(x, axis, where=where, initial=-jnp.inf, keepdims=True)
    # a row without any element would be -inf less -inf
    shifted = x if where is None else jnp.where(where, x, -jnp.inf)
    weights = jnp.exp(shifted - stop_gradient(top))
    if where is not None:
        weights = jnp.where(where, weights, 0.0)
    result = weights / jnp.sum(weights, axis, where=where, keepdims=True)
    return result if where is None else jnp.where(where, result, 0.0)


def log_softmax(x: ArrayLike, axis: Axis = -1, where: ArrayLike | None = None) -> Array:
    """The logarithm of softmax, without forming it.

    Args: as `softmax`; elements left out come out as -inf.

    >>> import jaxlike.numpy as jnp, jaxlike.nn as nn
    >>> nn.log_softmax(jnp.array([0.0, 0.0]))
    Array([-0.6931472, -0.6931472], dtype=float32)
    """
    x = _as_inexact("log_softmax", x)
    top = jnp.max(x, axis, where=where, initial=-jnp.inf, keepdims=True)
    kept = x if where is None else jnp.where(where, x, -jnp.inf)
    shifted = kept - stop_gradient(top)
    total = jnp.sum(jnp.exp(shifted), axis, where=where, keepdims=True)
    result = shifted - jnp.log(total)
    return result if where is None else jnp.where(where, result, -jnp.inf)


def logsumexp(
    a: ArrayLike,
    axis: Axis = None,
    b: ArrayLike | None = None,
    keepdims: bool = False,
    return_sign: bool = False,
    where: ArrayLike | None = None,
) -> Any:
    """log(sum(b * exp(a))) along axes, without overflow.

    Args:
      a: an array.
      axis: an axis, several, or None for all.
      b: factors, broadcast against a.
      return_sign: also return the sign of the sum, and take the log of its size.
      where: bool, which elements count.

    >>> import jaxlike.numpy as jnp, jaxlike.nn as nn
    >>> float(nn.logsumexp(jnp.array([1000.0, 1000.0]))) > 1000.0
    True
    """
    if b is None:
        (a,) = promote_args_inexact("logsumexp", a)
        a = jnp.asarray(a)
    else:
        a, b = map(jnp.asarray, promote_args_inexact("logsumexp", a, b))
        # a factor of 0 takes its element out, even an infinite one
        a = jnp.where(b != 0, a, -jnp.inf)
    if where is not None:
        a = jnp.where(where, a, -jnp.inf)
    size = a.real if jnp.iscomplexobj(a) else a
    top = jnp.max(size, axis, where=where, keepdims=True, initial=-jnp.inf)
    top = stop_gradient(jnp.where(jnp.isfinite(top), top, 0.0))
    weights = jnp.exp(a - top)
    if b is not None:
        weights = weights * b
    total = jnp.sum(weights, axis, where=where, keepdims=keepdims)
    if not keepdims:
        top = jnp.squeeze(top, axis)
    sign = jnp.sign(total)
    if return_sign or not jnp.iscomplexobj(a):
        total = jnp.abs(total)
    result = jnp.log(total) + top
    if return_sign:
        return result, sign
    if b is not None and not jnp.iscomplexobj(result):
        # a negative sum has no real logarithm
        result = jnp.where(sign < 0, jnp.nan, result)
    return result


def logmeanexp(
    x: ArrayLike,
    axis: Axis = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> Array:
    """log(mean(exp(x))) along axes, without overflow.

    >>> import jaxlike.numpy as jnp, jaxlike.nn as nn
    >>> round(float(nn.logmeanexp(jnp.array([0.0, 0.0]))), 6)
    0.0
    """
    total = logsumexp(x, axis=axis, where=where, keepdims=keepdims)
    x = jnp.asarray(x)
    if where is None:
        shape = x.shape
        if axis is None:
            count: Any = x.size
        else:
            axes = (axis,) if isinstance(axis, int) else tuple(axis)
            count = int(np.prod([shape[d] for d in axes]))
        return total - np.asarray(np.log(count), total.dtype)
    counted = jnp.broadcast_to(jnp.asarray(where), x.shape)
    return total - jnp.log(jnp.sum(counted, axis, keepdims=keepdims))


def standardize(
    x: ArrayLike,
    axis: Axis = -1,
    mean: ArrayLike | None = None,
    variance: ArrayLike | None = None,
    epsilon: ArrayLike = 1e-5,
    where: ArrayLike | None = None,
    *,
    algorithm: str = "fast",
) -> Array:
    """(x - mean) / sqrt(variance + epsilon) along axes.

    Args:
      mean, variance: computed from x where they are None.
      where: bool, which elements count for them.
      algorithm: "fast" takes the variance as mean(x**2) - mean**2, "two_pass" as
        mean((x - mean)**2).

    >>> import jaxlike.numpy as jnp, jaxlike.nn as nn
    >>> float(jnp.sum(nn.standardize(jnp.array([1.0, 2.0, 3.0]))))
    0.0
    """
    x = _as_inexact("standardize", x)
    if mean is None:
        mean = jnp.mean(x, axis, keepdims=True, where=where)
    if variance is None:
        if algorithm == "fast":
            square = jnp.mean(jnp.square(x), axis, keepdims=True, where=where)
            variance = jnp.clip(square - jnp.square(mean), 0)
        elif algorithm == "two_pass":
            variance = jnp.mean(jnp.square(x - mean), axis, keepdims=True, where=where)
        else:
            raise ValueError(
                format_error(
                    f"standardize: algorithm is 'fast' or 'two_pass', not {algorithm!r}"
                )
            )
    return (x - jnp.asarray(mean)) * rsqrt(jnp.asarray(variance) + epsilon)


def one_hot(
    x: Any,
    num_classes: int,
    *,
    dtype: Any = None,
    axis: int | Any = -1,
) -> Array:
    """Vectors that are 1 at the place that x names, and 0 elsewhere.

    Args:
      x: indices; those outside [0, num_classes) give zeros.
      num_classes: the length of the vectors, a Python int.
      dtype: of the result, float32 by default.
      axis: where the classes' axis stands in the result.

    >>> import jaxlike.numpy as jnp, jaxlike.nn as nn
    >>> nn.one_hot(jnp.array([0, 2]), 3)
    Array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    from jaxlike.core.trace import concrete_or_error
    from jaxlike.primitives.broadcasting import broadcasted_iota

    num_classes = concrete_or_error(int, num_classes, "num_classes of one_hot")
    x = jnp.asarray(x)
    if not isinstance(axis, int):
        raise NotImplementedError(
            format_error("one_hot over a named axis needs devices, which are to come")
        )
    ndim = get_aval(x).ndim + 1
    if not -ndim <= axis < ndim:
        raise ValueError(
            format_error(f"one_hot: {axis} is no axis of a result of {ndim} axes")
        )
    axis %= ndim
    shape = [1] * ndim
    shape[axis] = num_classes
    classes = broadcasted_iota(x.dtype, shape, axis)
    equal = jnp.expand_dims(x, axis) == classes
    return equal.astype(np.float32 if dtype is None else dtype)
