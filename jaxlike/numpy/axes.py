"""Reading `axis` arguments."""

from __future__ import annotations

import operator
from typing import Any

from jaxlike.core.errors import format_error
from jaxlike.core.trace import concrete_or_error
from jaxlike.primitives.axes import canonical_axis

__all__ = ["as_tuple", "canonical_axis", "one_axis", "reduction_axes"]


def as_tuple(value: Any) -> tuple[Any, ...]:
    """A tuple from a sequence, or of one value."""
    if isinstance(value, (tuple, list)):
        return tuple(value)
    if getattr(value, "ndim", None) == 0 or not hasattr(value, "__iter__"):
        return (value,)
    return tuple(value)


def one_axis(axis: Any, ndim: int, what: str = "axis") -> int:
    """An axis that has to be one integer known now, counted from 0."""
    axis = concrete_or_error(operator.index, axis, f"the {what} argument")
    return canonical_axis(axis, ndim)


def reduction_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes of a reduction, in order: all for None, else one or several.

    Raises: ValueError for axes that are not there or come twice.
    """
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, (tuple, list)):
        axes = tuple([canonical_axis(i, ndim) for i in axes_known(axis)])
        if len(set(axes)) < len(axes):
            raise ValueError(format_error(f"axis names one axis twice: {tuple(axis)}"))
        return axes
    axis = concrete_or_error(None, axis, "the axis argument")
    if isinstance(axis, str):
        raise NameError(
            format_error(
                f"Found an unbound axis name: {axis}. Reduce over a named axis with "
                "lax.psum and its kin."
            )
        )
    return (canonical_axis(axis, ndim),)


def axes_known(axes: Any) -> list[Any]:
    return [concrete_or_error(None, i, "the axis argument") for i in axes]
