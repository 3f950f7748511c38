"""Reading the arguments that say shapes and axes; no primitive is defined here."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from jaxlike.core.array import to_array
from jaxlike.core.errors import ConcretizationTypeError, called_name, format_error
from jaxlike.core.trace import Tracer, is_concrete


def canonical_shape(shape: Any, what: str = "shape") -> tuple[int, ...]:
    """A shape given as an int or a sequence of ints, as a tuple of Python ints."""
    if type(shape) is tuple:
        for n in shape:
            if type(n) is not int or n < 0:
                break
        else:
            return shape
    scalar = not isinstance(shape, Iterable) or getattr(shape, "ndim", 1) == 0
    sizes = (shape,) if scalar else tuple(shape)
    sizes = canonical_ints(sizes, what)
    if any(n < 0 for n in sizes):
        raise TypeError(
            format_error(f"{what} must have nonnegative elements, got {sizes}")
        )
    return sizes


def canonical_ints(values: Iterable[Any], what: str) -> tuple[int, ...]:
    """A sequence of integers as a tuple of Python ints."""
    values = tuple(values)
    try:
        return tuple(map(operator.index, values))
    except TypeError:
        for v in values:
            if isinstance(v, Tracer) and not is_concrete(v):
                raise ConcretizationTypeError(v, f"a number in the {what}") from None
        raise TypeError(
            format_error(f"{what} must have integer elements, got {values}")
        )


def _no_such_axis(axis: int, ndim: int) -> str:
    name = called_name()
    axes = f"axes {-ndim} to {ndim - 1}" if ndim else "no axes"
    return format_error(
        f"axis {axis}{f' of {name}' if name else ''} is out of bounds: an array of "
        f"rank {ndim} has {axes}"
    )


def canonical_axis(axis: Any, ndim: int) -> int:
    """An axis that may count from the end, as one from 0 to ndim - 1."""
    try:
        axis = operator.index(axis)
    except TypeError as error:
        if isinstance(error, ConcretizationTypeError):
            raise
        raise TypeError(
            format_error(f"axis of {called_name()} must be an int, got {axis!r:.100}")
        ) from None
    if not -ndim <= axis < ndim:
        raise ValueError(_no_such_axis(axis, ndim))
    return axis + ndim if axis < 0 else axis


def owned(x: Any) -> Any:
    """`x`, copied if it is an ndarray: results may be views, which must not change."""
    return to_array(x) if isinstance(x, np.ndarray) and x.ndim else x


def index_axis(axis: Any, ndim: int) -> int:
    """As canonical_axis, with IndexError for an axis that is not there."""
    axis = operator.index(axis)
    if not -ndim <= axis < ndim:
        raise IndexError(_no_such_axis(axis, ndim))
    return axis + ndim if axis < 0 else axis


def canonical_axes(dimensions: Iterable[int], ndim: int, what: str) -> tuple[int, ...]:
    axes = tuple([canonical_axis(d, ndim) for d in dimensions])
    if len(set(axes)) != len(axes):
        raise ValueError(format_error(f"{what}: {axes}"))
    return axes
