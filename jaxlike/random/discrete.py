"""Samplers of categories and orders: categorical, choice, permutation, geometric.

poisson, binomial and multinomial, which need loops, are in counts.py.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    as_array,
    check_arraylike,
    promote_dtypes_inexact,
)
from jaxlike.primitives.axes import canonical_axis, index_axis
from jaxlike.primitives.random_bits import random_bits_p
from jaxlike.random.arguments import (
    LARGE,
    float_dtype,
    int_dtype,
    read_shape,
    samples_shape,
)
from jaxlike.random.continuous import gumbels
from jaxlike.random.elementary import Shape, randint, unit_interval
from jaxlike.random.keys import check_key, subkeys


@composite_of(2, compiled=LARGE)
def geometric(
    key: ArrayLike,
    p: ArrayLike,
    shape: Shape | None = None,
    dtype: DTypeLike | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Numbers of trials until the first success, where each succeeds with chance `p`.

    Raises: ValueError for a dtype that is not of integers.

    >>> import jaxlike
    >>> jaxlike.random.geometric(jaxlike.random.key(0), 0.5, (3,)).dtype
    dtype('int32')
    """
    key, _ = check_key("geometric", key)
    dtype = int_dtype(dtype, "geometric")
    if not dtypes.issubdtype(dtype, np.integer):
        raise ValueError(format_error(f"geometric takes an integer dtype, got {dtype}"))
    check_arraylike("geometric", p)
    (p,) = promote_dtypes_inexact(p)
    float_type = float_dtype("uniform", get_aval(p).dtype)
    shape = samples_shape("geometric", shape, p)
    u = unit_interval(key, shape, float_type)
    u = jnp.where(lax.eq(u, np.array(0, float_type)), np.array(1, float_type), u)
    trials = jnp.floor(jnp.divide(lax.log(u), jnp.log1p(jnp.negative(p)))) + 1
    return lax.convert_element_type(trials, dtype)


# --- categorical: by adding Gumbel numbers to the logits and taking the largest


@composite_of(2, compiled=LARGE)
def categorical(
    key: ArrayLike,
    logits: ArrayLike,
    axis: int = -1,
    shape: Shape | None = None,
    replace: bool = True,
    mode: str | None = None,
    *,
    out_sharding=None,
) -> Array:
    """Indices along `axis`, each with probability proportional to exp(logits).

    Args: `shape`, of the samples: what is left of the logits' shape without `axis` must
    broadcast to it, and axes in front of that draw again; `replace=False`, to draw
    those in front without repetition; `mode`, as in `gumbel`.
    Raises: ValueError for shapes that do not fit.

    >>> import jaxlike
    >>> jaxlike.random.categorical(jaxlike.random.key(0), jaxlike.numpy.zeros((4, 3)))
    Array([1, 1, 2, 1], dtype=int32)
    """
    key, _ = check_key("categorical", key)
    check_arraylike("categorical", logits)
    logits = as_array(logits)
    axis = index_axis(axis, logits.ndim)
    batch = (*logits.shape[:axis], *logits.shape[axis + 1 :])
    if shape is None:
        shape = batch
    else:
        shape = samples_shape("categorical", shape, np.broadcast_to(False, batch))
    dtype = float_dtype("gumbel", logits.dtype)
    extra = len(shape) - len(batch)
    if replace:
        drawn = list(shape[extra:])
        drawn.insert(axis, logits.shape[axis])
        noise = gumbels(key, (*shape[:extra], *drawn), dtype, mode)
        return jnp.argmax(jnp.add(noise, logits), axis=axis + extra)
    count = math.prod(shape[:extra])
    if count > logits.shape[axis]:
        raise ValueError(
            format_error(
                f"categorical: {count} samples without replacement from "
                f"{logits.shape[axis]} categories"
            )
        )
    scores = lax.add(logits, gumbels(key, logits.shape, dtype, mode))
    _, indices = lax.top_k(jnp.moveaxis(scores, axis, -1), count)
    return jnp.reshape(jnp.moveaxis(indices, -1, 0), shape)


# --- permutation: sorting by random bits


def _shuffle(key: Any, x: Any, axis: int) -> Array:
    """Sort by random words, so often that equal words are unlikely to matter."""
    rounds = math.ceil(3 * math.log(max(1, x.size)) / math.log(2**32 - 1))
    for _ in range(rounds):
        key, subkey = subkeys(key)
        words = random_bits_p.bind(subkey, bit_width=32, shape=x.shape)
        _, x = lax.sort_key_val(words, x, axis)
    return x


def permutation(
    key: ArrayLike,
    x: int | ArrayLike,
    axis: int = 0,
    independent: bool = False,
    *,
    out_sharding=None,
) -> Array:
    """The entries of an array along `axis` in random order, or 0 ... x-1 for an int x.

    Args: `independent`, whether each line along the axis has an order of its own.
    Raises: TypeError for scalars that are not integers.

    >>> import jaxlike
    >>> jaxlike.random.permutation(jaxlike.random.key(0), 5).tolist()
    [0, 1, 4, 3, 2]
    """
    key, _ = check_key("permutation", key)
    check_arraylike("permutation", x)
    axis = canonical_axis(axis, get_aval(x).ndim or 1)
    if not get_aval(x).ndim:
        if not dtypes.issubdtype(get_aval(x).dtype, np.integer):
            raise TypeError(
                format_error("permutation takes an integer or at least 1 axis")
            )
        return _shuffle(key, jnp.arange(operator.index(x)), axis)
    x = as_array(x)
    sortable = not isinstance(x.dtype, dtypes.KeyDType)
    if sortable and (independent or x.ndim == 1):
        return _shuffle(key, x, axis)
    order = _shuffle(key, jnp.arange(x.shape[axis]), 0)
    return jnp.take(x, order, axis, mode="clip")


# --- choice


def choice(
    key: ArrayLike,
    a: int | ArrayLike,
    shape: Shape = (),
    replace: bool = True,
    p: ArrayLike | None = None,
    axis: int = 0,
    mode: str | None = None,
) -> Array:
    """Entries drawn from an array along `axis`, or from 0 ... a-1 for an int a.

    Args: `shape`, how many; `replace`, whether one may be drawn again; `p`, their
    probabilities, equal by default; `mode`, as in `gumbel`, for draws by p without
    replacement.
    Raises: ValueError if there are too few, or p does not fit.

    >>> import jaxlike
    >>> jaxlike.random.choice(jaxlike.random.key(0), 10, (3,)).tolist()
    [9, 0, 2]
    """
    key, _ = check_key("choice", key)
    shape = read_shape(shape)
    check_arraylike("choice", a)
    if not get_aval(a).ndim:
        items, n = None, int(a)
    else:
        items = as_array(a)
        axis = canonical_axis(axis, items.ndim)
        n = items.shape[axis]
    draws = math.prod(shape)
    if not draws:
        return jnp.zeros(shape, int if items is None else items.dtype)
    if n <= 0:
        raise ValueError(format_error("choice from no elements"))
    if not replace and draws > n:
        raise ValueError(
            format_error(
                f"choice: {draws} samples without replacement from {n} elements"
            )
        )
    if p is not None:
        index = _weighted(key, p, n, shape, replace, mode)
    elif replace:
        index = randint(key, shape, 0, n)
    elif items is None or items.ndim == 1:
        # shuffling the items themselves spares a look-up
        items = jnp.arange(n) if items is None else items
        return jnp.reshape(permutation(key, items)[:draws], shape)
    else:
        index = jnp.reshape(permutation(key, n)[:draws], shape)
    return index if items is None else jnp.take(items, index, axis, mode="clip")


def _weighted(key, p, n: int, shape, replace: bool, mode) -> Array:
    check_arraylike("choice", p)
    (p,) = promote_dtypes_inexact(p)
    p = as_array(p)
    if p.shape != (n,):
        raise ValueError(
            format_error(
                f"choice: p must be a vector of {n}, a probability an element; got "
                f"shape {p.shape}"
            )
        )
    dtype = float_dtype("uniform", p.dtype)
    if replace:
        sums = jnp.cumsum(p)
        u = unit_interval(key, shape, dtype)
        return jnp.searchsorted(sums, jnp.multiply(sums[-1], 1 - u))
    scores = lax.add(gumbels(key, (n,), dtype, mode), lax.log(p))
    _, indices = lax.top_k(scores, math.prod(shape))
    return jnp.reshape(indices, shape).astype(int)
