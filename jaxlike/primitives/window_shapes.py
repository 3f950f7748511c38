"""The shapes of window reductions, and their params under batching."""

from __future__ import annotations

from collections.abc import Sequence

from jaxlike.core.avals import ShapedArray
from jaxlike.core.errors import format_error
from jaxlike.primitives.conv_numpy import Windows, window_counts

__all__ = ["reduce_window_shape_tuple"]


def reduce_window_shape_tuple(
    operand_shape: Sequence[int],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> tuple[int, ...]:
    """The shape of a window reduction: how often the window fits along each axis.

    >>> from jaxlike import lax
    >>> lax.reduce_window_shape_tuple((5, 6), (2, 2), (2, 2), ((0, 1), (0, 0)))
    (3, 3)
    """
    ones = (1,) * len(operand_shape)
    windows = Windows(
        tuple(window_strides),
        tuple(padding),
        tuple(base_dilation or ones),
        tuple(window_dilation or ones),
    )
    return window_counts(operand_shape, window_dimensions, windows)


def check_windows(
    name: str,
    operand: ShapedArray,
    window_dimensions,
    window_strides,
    padding,
    base_dilation,
    window_dilation,
) -> tuple[int, ...]:
    """The result's shape; TypeError for windows that do not fit the operand's rank."""
    for what, value in (
        ("window_dimensions", window_dimensions),
        ("window_strides", window_strides),
        ("base_dilation", base_dilation),
        ("window_dilation", window_dilation),
    ):
        if len(value) != operand.ndim:
            raise TypeError(
                format_error(
                    f"{name} needs {what} for each axis of {operand}, got {value}"
                )
            )
        if any(v <= 0 for v in value):
            raise TypeError(format_error(f"{name} needs positive {what}, got {value}"))
    if len(padding) != operand.ndim:
        raise ValueError(
            format_error(
                f"{name} needs a pad for each axis of {operand}, got {padding}"
            )
        )
    return reduce_window_shape_tuple(
        operand.shape,
        window_dimensions,
        window_strides,
        padding,
        base_dilation,
        window_dilation,
    )


def batched_window(params: dict, dim: int) -> dict:
    """The params with a window of size 1 along a new axis `dim`."""

    def insert(values, value):
        return (*values[:dim], value, *values[dim:])

    fills = dict(
        window_dimensions=1,
        window_strides=1,
        padding=(0, 0),
        base_dilation=1,
        window_dilation=1,
    )
    return {
        name: insert(value, fills[name]) if name in fills else value
        for name, value in params.items()
    }
