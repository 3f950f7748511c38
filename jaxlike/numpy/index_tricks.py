"""Objects that are indexed to make arrays (mgrid, ogrid, r_, c_), and ix_."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.trace import concrete_or_error
from jaxlike.numpy import creation, manipulation
from jaxlike.numpy.joining import concatenate, stack
from jaxlike.numpy.promote import ArrayLike, convert, promote_dtypes, to_arrays
from jaxlike.numpy.ranges import arange, linspace, meshgrid

__all__ = ["c_", "index_exp", "ix_", "mgrid", "ogrid", "r_", "s_"]

s_ = np.s_
index_exp = np.index_exp


def _range(s: slice, what: str) -> Array:
    """The numbers that a slice stands for; an imaginary step counts them."""
    start, stop, step = (
        concrete_or_error(None, x, f"slice of jnp.{what}")
        for x in (s.start, s.stop, s.step)
    )
    start = 0 if start is None else start
    step = 1 if step is None else step
    if np.iscomplex(step):
        return linspace(start, stop, int(abs(step)))
    return arange(start, stop, step)


class _Mgrid:
    """Index it with slices to make a dense grid of coordinates.

    >>> import jaxlike.numpy as jnp
    >>> jnp.mgrid[0:2, 0:2].tolist()
    [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
    """

    def __getitem__(self, key: slice | tuple[slice, ...]) -> Array:
        if isinstance(key, slice):
            return _range(key, "mgrid")
        ranges = promote_dtypes(*[_range(k, "mgrid") for k in key])
        return stack(meshgrid(*ranges, indexing="ij"), 0)


class _Ogrid:
    """Index it with slices to make an open grid: arrays that broadcast to it.

    >>> import jaxlike.numpy as jnp
    >>> [x.shape for x in jnp.ogrid[0:2, 0:3]]
    [(2, 1), (1, 3)]
    """

    def __getitem__(self, key: slice | tuple[slice, ...]) -> Array | list[Array]:
        if isinstance(key, slice):
            return _range(key, "ogrid")
        ranges = promote_dtypes(*[_range(k, "ogrid") for k in key])
        return meshgrid(*ranges, indexing="ij", sparse=True)


class _Concatenator:
    """Index it with slices, scalars and arrays, which are joined.

    A leading string may say the axis, how many axes to give each item, and which of
    them comes first: '0,2,1'. Without slices, 'r' and 'c' are for matrices.
    """

    axis: int
    ndmin: int
    trans1d: int

    def __getitem__(self, key: Any) -> Array:
        items = key if isinstance(key, tuple) else (key,)
        axis, ndmin, trans1d = self.axis, self.ndmin, self.trans1d
        as_matrix = False
        if items and isinstance(items[0], str):
            if items[0] in ("r", "c"):
                as_matrix = items[0] == "c"
                axis, ndmin, trans1d = -1, 2, 0 if items[0] == "c" else -1
                ndmin = 2
            else:
                axis, ndmin, trans1d = self._directive(items[0], axis, ndmin, trans1d)
            items = items[1:]
        parts = []
        for item in items:
            if isinstance(item, slice):
                part = _range(item, "r_ or jnp.c_")
            elif isinstance(item, str):
                raise ValueError(
                    format_error("a string directive comes first among the indices")
                )
            else:
                part = creation.asarray(item)
            own = part.ndim
            if own < ndmin:
                part = part.reshape((1,) * (ndmin - own) + part.shape)
                if (trans1d != -1 and ndmin - own > 0) or trans1d >= 0:
                    part = self._turned(part, own, ndmin, trans1d)
            elif not own:
                part = part.reshape(1)
            parts.append(part)
        if as_matrix:
            parts = [p.T if p.ndim == 2 and p.shape[0] == 1 else p for p in parts]
        return concatenate(parts, axis=axis)

    def _directive(self, text, axis, ndmin, trans1d):
        words = text.split(",")
        try:
            numbers = [int(w) for w in words]
        except ValueError:
            raise ValueError(
                format_error(
                    f"the first string among indices is no directive: {text!r}"
                )
            ) from None
        if len(numbers) > 3:
            raise ValueError(
                format_error(
                    f"the first string among indices is no directive: {text!r}"
                )
            )
        return tuple(numbers) + (axis, ndmin, trans1d)[len(numbers) :]

    def _turned(self, part, own: int, ndmin: int, trans1d: int):
        """Move the item's own axes so that the first one is number `trans1d`."""
        first = trans1d + ndmin + 1 if trans1d < 0 else trans1d
        first = min(max(first - (own if trans1d < 0 else 0), 0), ndmin - own)
        own_axes = list(range(ndmin - own, ndmin))
        rest = list(range(ndmin - own))
        order = rest[:first] + own_axes + rest[first:]
        return manipulation.transpose(part, order)

    def __len__(self) -> int:
        return 0


class RClass(_Concatenator):
    """Index it to join slices, scalars and arrays along the first axis.

    >>> import jaxlike.numpy as jnp
    >>> jnp.r_[1:3, 7].tolist()
    [1, 2, 7]
    """

    axis, ndmin, trans1d = 0, 1, -1


class CClass(_Concatenator):
    """Index it to join slices, scalars and arrays as columns.

    >>> import jaxlike.numpy as jnp
    >>> jnp.c_[jnp.arange(2), jnp.arange(2)].tolist()
    [[0, 0], [1, 1]]
    """

    axis, ndmin, trans1d = -1, 2, 0


mgrid = _Mgrid()
ogrid = _Ogrid()
r_ = RClass()
c_ = CClass()


def ix_(*args: ArrayLike) -> tuple[Array, ...]:
    """Vectors of indices as an open grid, which picks rows and columns at once.

    Raises: ValueError unless all arguments are vectors.

    >>> import jaxlike.numpy as jnp
    >>> x = jnp.arange(6).reshape(2, 3)
    >>> x[jnp.ix_(jnp.array([0, 1]), jnp.array([2]))].tolist()
    [[2], [5]]
    """
    arrays = to_arrays("ix_", *args)
    out = []
    for i, a in enumerate(arrays):
        if a.ndim != 1:
            raise ValueError(
                format_error(
                    "Arguments to jax.numpy.ix_ must be 1-dimensional, got shape "
                    f"{a.shape}"
                )
            )
        if a.dtype == np.bool_:
            raise NotImplementedError(
                format_error("ix_ takes no booleans", try_="jnp.nonzero(mask)[0]")
            )
        if not a.size:
            a = convert(a, dtypes.default_int_dtype())
        shape = [1] * len(arrays)
        shape[i] = a.shape[0]
        out.append(a.reshape(tuple(shape)))
    return tuple(out)
