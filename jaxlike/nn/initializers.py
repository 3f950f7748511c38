"""Initialisers: functions (key, shape, dtype) to an array, for networks' parameters.

The variance-scaling ones keep the variance of activations from layer to layer: LeCun et
al. (1998), Glorot and Bengio (2010), He et al. (2015); orthogonal ones: Saxe et al.
(2013), delta-orthogonal ones: Xiao et al. (2018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

import jaxlike.numpy as jnp
from jaxlike import random
from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import api_boundary as _api_boundary
from jaxlike.core.source_info import guard_names as _guard_names

Axes = int | Sequence[int]


class Initializer(Protocol):
    """(key, shape, dtype) -> an array of that shape and dtype."""

    def __call__(
        self,
        key: Any,
        shape: Sequence[int],
        dtype: Any = None,
        out_sharding: Any = None,
    ) -> Array: ...


def _dtype(dtype: Any, default: Any) -> Any:
    dtype = dtype if dtype is not None else default
    if dtype is None:
        return dtypes.default_float_dtype()
    return dtypes.canonicalize_dtype(dtype)


def zeros(
    key: Any, shape: Sequence[int], dtype: Any = None, out_sharding=None
) -> Array:
    """Zeros; the key is not used.

    >>> import jaxlike, jaxlike.nn as nn
    >>> nn.initializers.zeros(jaxlike.random.key(0), (2,))
    Array([0., 0.], dtype=float32)
    """
    return jnp.zeros(shape, _dtype(dtype, None))


def ones(key: Any, shape: Sequence[int], dtype: Any = None, out_sharding=None) -> Array:
    """Ones; the key is not used.

    >>> import jaxlike, jaxlike.nn as nn
    >>> nn.initializers.ones(jaxlike.random.key(0), (2,))
    Array([1., 1.], dtype=float32)
    """
    return jnp.ones(shape, _dtype(dtype, None))


def constant(value: Any, dtype: Any = None) -> Initializer:
    """An initialiser that gives `value` everywhere."""
    default = dtype

    @_api_boundary
    def init(key, shape, dtype=None, out_sharding=None):
        return jnp.full(shape, value, dtype=_dtype(dtype, default))

    return init


def uniform(scale: float = 1e-2, dtype: Any = None) -> Initializer:
    """An initialiser uniform on [0, scale)."""
    default = dtype

    @_api_boundary
    def init(key, shape, dtype=None, out_sharding=None):
        dtype = _dtype(dtype, default)
        return random.uniform(key, shape, dtype) * np.asarray(scale, dtype)

    return init


def normal(stddev: float = 1e-2, dtype: Any = None) -> Initializer:
    """An initialiser normal with mean 0."""
    default = dtype

    @_api_boundary
    def init(key, shape, dtype=None, out_sharding=None):
        dtype = _dtype(dtype, default)
        return random.normal(key, shape, dtype) * np.asarray(stddev, dtype)

    return init


def truncated_normal(
    stddev: float = 1e-2, dtype: Any = None, lower: float = -2.0, upper: float = 2.0
) -> Initializer:
    """An initialiser stddev times a normal, cut off at lower and upper."""
    default = dtype

    @_api_boundary
    def init(key, shape, dtype=None, out_sharding=None):
        dtype = _dtype(dtype, default)
        sample = random.truncated_normal(key, lower, upper, shape, dtype)
        return sample * np.asarray(stddev, dtype)

    return init


def _axes(axes: Axes, ndim: int) -> tuple[int, ...]:
    axes = (axes,) if isinstance(axes, int) else tuple(axes)
    return tuple(a % ndim for a in axes)


def _fans(
    shape, in_axis: Axes, out_axis: Axes, batch_axis: Axes
) -> tuple[float, float]:
    """Numbers of inputs and outputs of a unit; the other axes are a receptive field."""
    if len(shape) <= 1:
        raise ValueError(
            format_error(
                "a variance-scaling initialiser needs axes of inputs and outputs, so "
                f"at least 2 dimensions; got shape {tuple(shape)}"
            )
        )
    ndim = len(shape)

    def size(axes: Axes) -> int:
        return math.prod(shape[a] for a in _axes(axes, ndim))

    inputs, outputs, batch = size(in_axis), size(out_axis), size(batch_axis)
    field = math.prod(shape) / inputs / outputs / batch
    return inputs * field, outputs * field


def variance_scaling(
    scale: float,
    mode: str,
    distribution: str,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
) -> Initializer:
    """An initialiser of variance scale / fan.

    Args:
      mode: the fan: "fan_in", "fan_out", "fan_avg" (their mean) or "fan_geo_avg".
      distribution: "truncated_normal", "normal" or "uniform".
      in_axis, out_axis: axes of inputs and outputs; batch_axis: axes of separate units.
    Raises:
      ValueError: an unknown mode or distribution, or a shape of one dimension.

    >>> import jaxlike, jaxlike.nn as nn
    >>> init = nn.initializers.variance_scaling(1.0, "fan_in", "normal")
    >>> init(jaxlike.random.key(0), (3, 4)).shape
    (3, 4)
    """
    default = dtype

    @_api_boundary
    def init(key, shape, dtype=None, out_sharding=None):
        dtype = _dtype(dtype, default)
        fan_in, fan_out = _fans(shape, in_axis, out_axis, batch_axis)
        fans = {
            "fan_in": fan_in,
            "fan_out": fan_out,
            "fan_avg": (fan_in + fan_out) / 2,
            "fan_geo_avg": math.sqrt(fan_in * fan_out),
        }
        if mode not in fans:
            raise ValueError(
                format_error(
                    f"variance_scaling: mode {mode!r} is none of {', '.join(fans)}"
                )
            )
        variance = jnp.asarray(scale / fans[mode], dtype=dtype)
        if distribution == "normal":
            return random.normal(key, shape, dtype) * jnp.sqrt(variance)
        is_complex = dtypes.issubdtype(dtype, np.complexfloating)
        if distribution == "uniform":
            if is_complex:
                return _complex_uniform(key, shape, dtype) * jnp.sqrt(variance)
            sample = random.uniform(key, shape, dtype, -1)
            return sample * jnp.sqrt(3 * variance)
        if distribution == "truncated_normal":
            # what cutting at 2 leaves of the standard deviation
            if is_complex:
                cut = jnp.sqrt(variance) / jnp.asarray(0.95311164380491208, dtype)
                return _complex_truncated_normal(key, 2, shape, dtype) * cut
            cut = jnp.sqrt(variance) / jnp.asarray(0.87962566103423978, dtype)
            return random.truncated_normal(key, -2, 2, shape, dtype) * cut
        raise ValueError(
            format_error(
                f"variance_scaling: distribution {distribution!r} is none of "
                "truncated_normal, normal, uniform"
            )
        )

    return init


def _complex_uniform(key, shape, dtype):
    """Uniform on the unit disk."""
    radius_key, angle_key = random.split(key)
    real = np.zeros((), dtype).real.dtype
    radius = jnp.sqrt(2 * random.uniform(radius_key, shape, real)).astype(dtype)
    angle = 2 * np.pi * random.uniform(angle_key, shape, real).astype(dtype)
    return radius * jnp.exp(1j * angle)


def _complex_truncated_normal(key, upper, shape, dtype):
    """Complex normal of variance 1, with absolute values up to `upper`."""
    radius_key, angle_key = random.split(key)
    real = np.zeros((), dtype).real.dtype
    share = (1 - jnp.exp(jnp.asarray(-(upper**2), dtype))) * random.uniform(
        radius_key, shape, real
    ).astype(dtype)
    radius = jnp.sqrt(-jnp.log(1 - share))
    angle = 2 * np.pi * random.uniform(angle_key, shape, real).astype(dtype)
    return radius * jnp.exp(1j * angle)


def glorot_uniform(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
) -> Initializer:
    """Variance 1 / the mean of both fans, uniform (Glorot and Bengio, 2010)."""
    return variance_scaling(
        1.0, "fan_avg", "uniform", in_axis, out_axis, batch_axis, dtype
    )


def glorot_normal(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
) -> Initializer:
    """Variance 1 / the mean of both fans, normal cut at 2 standard deviations."""
    return variance_scaling(
        1.0, "fan_avg", "truncated_normal", in_axis, out_axis, batch_axis, dtype
    )


def lecun_uniform(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
) -> Initializer:
    """Variance 1 / the fan of inputs, uniform (LeCun et al., 1998)."""
    return variance_scaling(
        1.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype
    )


def lecun_normal(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
) -> Initializer:
    """Variance 1 / the fan of inputs, normal cut at 2 standard deviations."""
    return variance_scaling(
        1.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype
    )


def he_uniform(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
) -> Initializer:
    """Variance 2 / the fan of inputs, uniform (He et al., 2015)."""
    return variance_scaling(
        2.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype
    )


def he_normal(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
) -> Initializer:
    """Variance 2 / the fan of inputs, normal cut at 2 standard deviations."""
    return variance_scaling(
        2.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype
    )


xavier_uniform = glorot_uniform
xavier_normal = glorot_normal
kaiming_uniform = he_uniform
kaiming_normal = he_normal


def orthogonal(
    scale: float = 1.0, column_axis: int = -1, dtype: Any = None
) -> Initializer:
    """An initialiser of `scale` times a uniformly distributed orthogonal matrix.

    Axes other than column_axis are taken together as the rows.

    >>> import jaxlike, jaxlike.numpy as jnp, jaxlike.nn as nn
    >>> q = nn.initializers.orthogonal()(jaxlike.random.key(0), (3, 3))
    >>> bool(jnp.allclose(q @ q.T, jnp.eye(3), atol=1e-5))
    True
    """
    default = dtype

    @_api_boundary
    def init(key, shape, dtype=None, out_sharding=None):
        dtype = _dtype(dtype, default)
        if len(shape) < 2:
            raise ValueError(
                format_error("orthogonal needs a shape of at least 2 axes")
            )
        columns = shape[column_axis]
        rows = math.prod(shape) // columns
        q = random.orthogonal(key, rows, (), dtype, m=columns)
        q = q.reshape(*np.delete(shape, column_axis), columns)
        return jnp.asarray(scale, dtype) * jnp.moveaxis(q, -1, column_axis)

    return init


def delta_orthogonal(
    scale: float = 1.0, column_axis: int = -1, dtype: Any = None
) -> Initializer:
    """An initialiser of convolution kernels: orthogonal in the middle, 0 elsewhere.

    For shapes of rank 3 to 5 whose last two axes are inputs and outputs, no more inputs
    than outputs.

    >>> import jaxlike, jaxlike.nn as nn
    >>> nn.initializers.delta_orthogonal()(jaxlike.random.key(0), (3, 3, 2, 4)).shape
    (3, 3, 2, 4)
    """
    default = dtype

    @_api_boundary
    def init(key, shape, dtype=None, out_sharding=None):
        dtype = _dtype(dtype, default)
        if len(shape) not in (3, 4, 5):
            raise ValueError(
                format_error(
                    f"delta_orthogonal needs a shape of 3 to 5 axes, got {tuple(shape)}"
                )
            )
        if shape[-1] < shape[-2]:
            raise ValueError(
                format_error(
                    "delta orthogonal initializer needs at least as many outputs (the "
                    f"last axis) as inputs, got shape {tuple(shape)}"
                )
            )
        matrix = orthogonal(scale, column_axis, dtype)(key, tuple(shape[-2:]))
        middle = tuple((n - 1) // 2 for n in shape[:-2])
        return jnp.zeros(shape, dtype).at[middle].set(matrix)

    return init


_guard_names(globals())
