"""Reading an index: what each part of x[...] asks of which axis, in NumPy's rules.

`parse` turns any index into a list of parts in the order of the result's axes;
indexing.py takes values by it and at.py puts them.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlike.core import dtypes, errors
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.trace import Tracer


@dataclass(frozen=True)
class Slice:
    """`size` elements of an axis from `start` on, which may be traced; as x[ds(i, 3)].

    Args: `stride`, the step from one element to the next.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arange(5)[Slice(1, 2)]
    Array([1, 2], dtype=int32)
    """

    start: Any
    size: int
    stride: int = 1


def ds(start: Any, size: Any = None, stride: int | None = None) -> slice | Slice:
    """An index for `size` elements from `start` on; `start` may be traced.

    With one argument, its first `start` elements. See jax.ds.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arange(5)[ds(3, 2)]
    Array([3, 4], dtype=int32)
    """
    if start is None:
        if size is not None:
            raise ValueError(format_error("ds: size must be None where start is None"))
        return slice(None, None, stride)
    if size is None:
        start, size = 0, start
    return Slice(start, operator.index(size), 1 if stride is None else stride)


class New:
    """A new axis of size 1."""


class Span:
    """A slice of an axis: `size` elements, from `start` on, forwards, `step` apart.

    Where `reversed`, the result has them in the opposite order.
    """

    __slots__ = ("axis", "reversed", "size", "start", "step")

    def __init__(
        self, axis: int, start: Any, size: int, step: int = 1, reversed: bool = False
    ):
        self.axis = axis
        self.start = start
        self.size = size
        self.step = step
        self.reversed = reversed


class Pick:
    """Integer positions on an axis: a Python int, an ndarray or a tracer."""

    __slots__ = ("axis", "value")

    def __init__(self, axis: int, value: Any):
        self.axis = axis
        self.value = value

    @property
    def ndim(self) -> int:
        return 0 if isinstance(self.value, int) else self.value.ndim

    @property
    def shape(self) -> tuple[int, ...]:
        return () if isinstance(self.value, int) else self.value.shape


class Indexer:
    """An index, read for an array of `shape`.

    parts: Span, Pick and New, in the order of the index; gaps: where in `parts` an
    Ellipsis was. added: axes of size 1 to add to the array first (for x[True]).
    """

    __slots__ = ("added", "gaps", "parts", "shape")

    def __init__(
        self,
        shape: tuple[int, ...],
        parts: list[Any],
        gaps: frozenset[int],
        added: tuple[int, ...],
    ):
        self.shape = shape
        self.parts = parts
        self.gaps = gaps
        self.added = added

    @property
    def picks(self) -> list[Pick]:
        return [p for p in self.parts if type(p) is Pick]

    @property
    def spans(self) -> list[Span]:
        return [p for p in self.parts if type(p) is Span]

    @property
    def is_basic(self) -> bool:
        """Whether there are only scalars, slices and new axes."""
        return all(p.ndim == 0 for p in self.picks)

    @property
    def is_static(self) -> bool:
        """Whether no part is traced."""
        return not any(isinstance(p.value, Tracer) for p in self.picks) and not any(
            isinstance(s.start, Tracer) for s in self.spans
        )

    def layout(self) -> list[Any]:
        """The result's axes: Span and New, and "picks" for those of the arrays."""
        if self.is_basic:
            return [p for p in self.parts if type(p) is not Pick]
        places = [i for i, p in enumerate(self.parts) if type(p) is Pick]
        first, last = places[0], places[-1]
        adjacent = len(places) == last - first + 1 and not any(
            first < gap <= last for gap in self.gaps
        )
        out: list[Any] = [] if adjacent else ["picks"]
        for i, part in enumerate(self.parts):
            if type(part) is not Pick:
                out.append(part)
            elif adjacent and i == first:
                out.append("picks")
        return out

    def picks_shape(self) -> tuple[int, ...]:
        """The shape that the arrays of positions broadcast to."""
        shapes = [p.shape for p in self.picks]
        try:
            return np.broadcast_shapes(*shapes)
        except ValueError:
            raise ValueError(
                format_error(
                    f"index arrays of shapes {[s for s in shapes if s]} do not "
                    "broadcast to one"
                )
            ) from None

    def result_shape(self) -> tuple[int, ...]:
        out: list[int] = []
        for part in self.layout():
            if part == "picks":
                out += self.picks_shape()
            else:
                out.append(part.size if type(part) is Span else 1)
        return tuple(out)


def parse(index: Any, shape: tuple[int, ...]) -> Indexer:
    """Read an index of an array of this shape.

    Raises: IndexError for too many parts, two Ellipses, a mask of another shape, or a
    slice with traced bounds; TypeError for floats, strings and lists;
    NonConcreteBooleanIndexError for a traced mask.
    """
    parts = [_read(part) for part in _as_tuple(index)]
    used = sum(_axes_of(p) for p in parts)
    if used > len(shape):
        raise IndexError(
            format_error(f"{used} indices for an array of {len(shape)} axes, {shape}")
        )
    ellipses = sum(p is Ellipsis for p in parts)
    if ellipses > 1:
        raise IndexError(format_error("an index has one ... at most"))
    if not ellipses and used < len(shape):
        parts.append(Ellipsis)
    out: list[Any] = []
    gaps: list[int] = []
    added: list[int] = []
    sizes: list[int] = []
    rest = list(shape)
    for position, part in enumerate(parts):
        axis = len(sizes)
        if part is None:
            out.append(New())
        elif part is Ellipsis:
            gaps.append(len(out))
            for n in rest[: len(shape) - used]:
                out.append(Span(len(sizes), 0, n))
                sizes.append(n)
            del rest[: len(shape) - used]
        elif isinstance(part, bool):
            # an axis of size 1, of which to take one element or none
            added.append(axis)
            sizes.append(1)
            out.append(Pick(axis, np.zeros(int(part), np.int64)))
        elif isinstance(part, np.ndarray) and part.dtype == np.bool_:
            taken = tuple(rest[: part.ndim])
            if part.shape != taken:
                raise IndexError(
                    format_error(
                        f"the mask at index {position} is of shape {part.shape}, the "
                        f"axes that it picks from are {list(taken)}"
                    )
                )
            for values in part.nonzero():
                out.append(Pick(len(sizes), values))
                sizes.append(rest.pop(0))
        else:
            n = rest.pop(0)
            sizes.append(n)
            if isinstance(part, slice):
                out.append(_span(part, axis, n))
            elif isinstance(part, Slice):
                out.append(_dynamic_span(part, axis, n))
            else:
                out.append(Pick(axis, part))
    return Indexer(tuple(sizes), out, frozenset(gaps), tuple(added))


def _as_tuple(index: Any) -> tuple:
    if isinstance(index, tuple):
        return index
    if isinstance(index, str):
        raise TypeError(
            format_error(f"an array is not indexed by names, got {index!r}")
        )
    if isinstance(index, Sequence) and not isinstance(index, (bytes, range)):
        raise TypeError(
            errors.format_error(
                "Using a non-tuple sequence for multidimensional indexing is not "
                "allowed",
                try_="x[jnp.array(seq)] instead of x[seq], or x[tuple(seq)]",
            )
        )
    return (index,)


def _axes_of(part: Any) -> int:
    if part is None or part is Ellipsis or isinstance(part, bool):
        return 0
    if isinstance(part, np.ndarray) and part.dtype == np.bool_:
        return part.ndim
    return 1


def _read(part: Any) -> Any:
    """None, Ellipsis, bool, slice, Slice, int, a mask (ndarray), ints or a tracer."""
    if part is None or part is Ellipsis or isinstance(part, (bool, Slice)):
        return part
    if isinstance(part, int):
        return int(part)
    if isinstance(part, slice):
        return slice(*map(_slice_bound, (part.start, part.stop, part.step), [part] * 3))
    if isinstance(part, str):
        raise TypeError(format_error(f"an array is not indexed by names, got {part!r}"))
    part = _array_part(part)
    dtype = part.dtype
    if isinstance(part, Tracer):
        known = part.concrete_value()
        if known is not None:
            part = known._data
        elif dtype == np.bool_:
            raise errors.NonConcreteBooleanIndexError(part)
    if dtype == np.bool_:
        return part if part.ndim else bool(part)
    if isinstance(dtype, dtypes.ExtendedDType) or not dtypes.issubdtype(
        dtype, np.integer
    ):
        raise TypeError(
            format_error(f"an index is an integer or a boolean, got {dtype}")
        )
    if isinstance(part, Tracer) or part.ndim:
        return part
    return int(part)


def _array_part(part: Any) -> Any:
    """An array of positions as an ndarray, or a tracer as it is."""
    if type(part) is Array:
        part._check_not_deleted()
        return part._data if part.dtype == part._data.dtype else part
    if isinstance(part, (Tracer, np.ndarray)):
        return part
    if isinstance(part, (np.generic, float, complex)):
        return np.asarray(part)
    if isinstance(part, (list, tuple)):
        if any(isinstance(leaf, Tracer) for leaf in _leaves(part)):
            import jaxlike.numpy as jnp

            return jnp.asarray(part)
        array = np.asarray(part)
        return array.astype(np.int64) if array.size == 0 else array
    if hasattr(part, "__jax_array__"):
        return _array_part(part.__jax_array__())
    if hasattr(part, "__array__"):
        return np.asarray(part)
    if hasattr(part, "__index__"):
        return np.asarray(operator.index(part))
    raise IndexError(
        format_error(
            f"{part!r} is no index: an index is an int, a slice, ..., None, or an "
            "array of ints or bools"
        )
    )


def _leaves(x: Any):
    if isinstance(x, (list, tuple)):
        for item in x:
            yield from _leaves(item)
    else:
        yield x


def _slice_bound(bound: Any, whole: slice) -> int | None:
    if bound is None or type(bound) is int:
        return bound
    if isinstance(bound, Tracer):
        known = bound.concrete_value()
        if known is None:
            raise IndexError(
                errors.format_error(
                    "the bounds of a slice must be Python ints, but one is a traced "
                    f"{bound.aval.str_short()}",
                    try_="lax.dynamic_slice_in_dim(x, start, size), which takes a "
                    "traced start and a static size; or x[ds(start, size)]",
                )
            )
        bound = known
    return operator.index(bound)


def _span(part: slice, axis: int, n: int) -> Span:
    start, stop, step = part.indices(n)
    size = len(range(start, stop, step))
    if step > 0:
        return Span(axis, start, size, step if size > 1 else 1)
    last = start + (size - 1) * step if size else start
    if size <= 1:
        return Span(axis, max(last, 0), size)
    return Span(axis, last, size, -step, True)


def _dynamic_span(part: Slice, axis: int, n: int) -> Span:
    start, size = part.start, part.size
    if isinstance(start, Tracer):
        known = start.concrete_value()
        start = start if known is None else known
    if size > n or size < 0:
        raise IndexError(format_error(f"{part} does not fit an axis of size {n}"))
    if isinstance(start, Tracer):
        if get_aval(start).shape or not dtypes.issubdtype(start.dtype, np.integer):
            raise TypeError(
                format_error(f"the start of {part} must be an integer scalar")
            )
        if part.stride != 1:
            raise NotImplementedError(
                errors.format_error(
                    "a Slice with a traced start must have stride 1",
                    try_=f"x[start + {part.stride} * jnp.arange({size})]",
                )
            )
        return Span(axis, start, size)
    start = operator.index(start)
    if part.stride != 1:
        return _span(
            slice(start, start + (size - 1) * part.stride + 1, part.stride), axis, n
        )
    start = start + n if start < 0 else start
    return Span(axis, min(max(start, 0), n - size), size)
