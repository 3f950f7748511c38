"""Reductions by segments, under the names of jax.ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import guard_names as _guard_names
from jaxlike.core.trace import concrete_or_error
from jaxlike.numpy.promote import check_arraylike

ArrayLike = Any


def _reduction(
    name: str, update: str, reduce: Callable, initial: Callable[[Any], Any], doc: str
) -> Callable[..., Array]:
    """The segment reduction by the method `update` of `.at`, started at `initial`."""

    def segment(
        data: ArrayLike,
        segment_ids: ArrayLike,
        num_segments: int | None = None,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        bucket_size: int | None = None,
        mode: Any = None,
        out_sharding: Any = None,
    ) -> Array:
        check_arraylike(name, data, segment_ids)
        data, ids = jnp.asarray(data), jnp.asarray(segment_ids)
        if num_segments is None:
            what = f"the number of segments of {name} is not given"
            num_segments = 1 + int(
                concrete_or_error(np.max, ids, what, "num_segments=n")
            )
        num_segments = concrete_or_error(int, num_segments, f"num_segments of {name}")
        if num_segments < 0:
            raise ValueError(format_error("num_segments must not be negative"))
        options = {
            "indices_are_sorted": indices_are_sorted,
            "unique_indices": unique_indices,
            "mode": mode,
            # ids outside [0, num_segments) count nowhere, negative ones too
            "wrap_negative_indices": False,
        }
        start = initial(data.dtype)
        rest = data.shape[ids.ndim :]
        if bucket_size is None:
            out = jnp.full((num_segments, *rest), start, data.dtype)
            return getattr(out.at[ids], update)(data, **options)
        # partial results of buckets, then their reduction: rounding grows more slowly
        buckets = -(-ids.size // bucket_size)
        out = jnp.full((buckets, num_segments, *rest), start, data.dtype)
        bucket = (jnp.arange(ids.size) // bucket_size).reshape(ids.shape)
        return reduce(getattr(out.at[bucket, ids], update)(data, **options), axis=0)

    segment.__name__ = segment.__qualname__ = name
    segment.__doc__ = doc
    return segment


def _least(dtype: Any) -> Any:
    if dtype == np.bool_:
        return False
    if jnp.issubdtype(dtype, np.inexact):
        return -np.inf
    return jnp.iinfo(dtype).min


def _greatest(dtype: Any) -> Any:
    if dtype == np.bool_:
        return True
    if jnp.issubdtype(dtype, np.inexact):
        return np.inf
    return jnp.iinfo(dtype).max


segment_sum = _reduction(
    "segment_sum",
    "add",
    jnp.sum,
    lambda dtype: 0,
    """The sum of the rows of `data` that have the same segment id.

    Args:
      data: the leading axes are those of segment_ids.
      segment_ids: int; ids outside [0, num_segments) count nowhere.
      num_segments: the number of results; the largest id + 1 by default, which must
        then be known when tracing.
      indices_are_sorted, unique_indices: promises about segment_ids.
      bucket_size: sum buckets of this size first, for less rounding.
      mode: what becomes of ids out of bounds, as for `.at`.
    Returns:
      An array whose first axis has num_segments rows; empty segments are 0.

    >>> import jaxlike.numpy as jnp
    >>> from jaxlike.ops import segment_sum
    >>> segment_sum(jnp.arange(4), jnp.array([0, 0, 1, 1]))
    Array([1, 5], dtype=int32)
    """,
)
segment_prod = _reduction(
    "segment_prod",
    "mul",
    jnp.prod,
    lambda dtype: 1,
    """As segment_sum, with products; empty segments are 1.

    >>> import jaxlike.numpy as jnp
    >>> from jaxlike.ops import segment_prod
    >>> segment_prod(jnp.arange(1, 5), jnp.array([0, 0, 1, 1]))
    Array([ 2, 12], dtype=int32)
    """,
)
segment_max = _reduction(
    "segment_max",
    "max",
    jnp.max,
    _least,
    """As segment_sum, with maxima; empty segments are the least value of the dtype.

    >>> import jaxlike.numpy as jnp
    >>> from jaxlike.ops import segment_max
    >>> segment_max(jnp.arange(4), jnp.array([0, 0, 1, 1]))
    Array([1, 3], dtype=int32)
    """,
)
segment_min = _reduction(
    "segment_min",
    "min",
    jnp.min,
    _greatest,
    """As segment_sum, with minima; empty segments are the greatest value of the dtype.

    >>> import jaxlike.numpy as jnp
    >>> from jaxlike.ops import segment_min
    >>> segment_min(jnp.arange(4), jnp.array([0, 0, 1, 1]))
    Array([0, 2], dtype=int32)
    """,
)

_guard_names(globals())
