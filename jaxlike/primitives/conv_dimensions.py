"""Names and sizes of convolutions: dimension numbers, named padding, result shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from jaxlike.core.errors import format_error
from jaxlike.primitives.conv_numpy import dilated

__all__ = [
    "ConvDimensionNumbers",
    "ConvGeneralDilatedDimensionNumbers",
    "conv_dimension_numbers",
    "conv_general_permutations",
    "conv_general_shape_tuple",
    "conv_shape_tuple",
    "conv_transpose_shape_tuple",
    "padtype_to_pads",
]


class ConvDimensionNumbers(NamedTuple):
    """Where a convolution's operands and result keep their axes.

    lhs_spec: (batch, feature, spatial ...); rhs_spec: (out feature, in feature,
    spatial ...); out_spec: (batch, feature, spatial ...).

    >>> from jaxlike import lax
    >>> lax.ConvDimensionNumbers((0, 2, 1), (2, 1, 0), (0, 2, 1)).lhs_spec
    (0, 2, 1)
    """

    lhs_spec: Sequence[int]
    rhs_spec: Sequence[int]
    out_spec: Sequence[int]


ConvGeneralDilatedDimensionNumbers = ConvDimensionNumbers | tuple[str, str, str] | None


def conv_dimension_numbers(
    lhs_shape: Sequence[int], rhs_shape: Sequence[int], dimension_numbers: Any
) -> ConvDimensionNumbers:
    """The dimension numbers that None or three strings stand for.

    dimension_numbers: None for ('NCHW', 'OIHW', 'NCHW') of any rank, or such strings.
    Raises TypeError for ranks or letters that do not fit.

    >>> from jaxlike import lax
    >>> lax.conv_dimension_numbers((1, 9, 2), (3, 2, 4), ("NWC", "WIO", "NWC")).rhs_spec
    (2, 1, 0)
    """
    if isinstance(dimension_numbers, ConvDimensionNumbers):
        return dimension_numbers
    rank = len(lhs_shape)
    if rank != len(rhs_shape):
        raise TypeError(
            format_error(
                "a convolution needs operands of one rank, got shapes "
                f"{tuple(lhs_shape)} and {tuple(rhs_shape)}"
            )
        )
    if dimension_numbers is None:
        axes = tuple(range(rank))
        return ConvDimensionNumbers(axes, axes, axes)
    if not isinstance(dimension_numbers, (list, tuple)):
        raise TypeError(
            format_error(
                "convolution dimension_numbers must be None or a tuple of three "
                f"strings, got {type(dimension_numbers).__name__}"
            )
        )
    if len(dimension_numbers) != 3:
        raise TypeError(
            format_error(
                "convolution dimension_numbers must have 3 entries, got "
                f"{len(dimension_numbers)}"
            )
        )
    if not all(isinstance(spec, str) for spec in dimension_numbers):
        raise TypeError(
            format_error(
                "convolution dimension_numbers must hold strings, got "
                f"{dimension_numbers!r}"
            )
        )
    for i, spec in enumerate(dimension_numbers):
        if len(spec) != rank:
            raise TypeError(
                format_error(
                    f"convolution dimension_numbers[{i}] is {spec!r}, whose length is "
                    f"not the operands' rank {rank}"
                )
            )
    return ConvDimensionNumbers(*conv_general_permutations(dimension_numbers))


def conv_general_permutations(dimension_numbers: Sequence[str]) -> tuple:
    """The axes (lhs, rhs, out) that three strings of letters name.

    >>> from jaxlike import lax
    >>> lax.conv_general_permutations(("NHWC", "HWIO", "NHWC"))
    ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
    """
    letters = ("N", "C"), ("O", "I"), ("N", "C")
    specs = tuple(dimension_numbers)
    for i, (spec, (first, second)) in enumerate(zip(specs, letters)):
        if spec.count(first) != 1 or spec.count(second) != 1:
            raise TypeError(
                format_error(
                    f"convolution dimension_numbers[{i}] must contain {first!r} and "
                    f"{second!r} exactly once, got {spec!r}"
                )
            )
        if len(set(spec)) != len(spec):
            raise TypeError(
                format_error(
                    f"convolution dimension_numbers[{i}] repeats a letter: {spec!r}"
                )
            )
    spatial = [c for c in specs[1] if c not in letters[1]]
    for spec, own in zip(specs, letters):
        if set(spec) - set(own) != set(spatial):
            raise TypeError(
                format_error(
                    "convolution dimension_numbers must name the same spatial axes, "
                    f"got {specs}"
                )
            )
    return tuple(
        (spec.index(a), spec.index(b), *(spec.index(c) for c in spatial))
        for spec, (a, b) in zip(specs, letters)
    )


def padtype_to_pads(
    in_shape: Sequence[int],
    window_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: str,
) -> list[tuple[int, int]]:
    """The (low, high) padding of each axis that 'SAME', 'SAME_LOWER' or 'VALID' means.

    window_shape: with the window's dilation in it.
    Raises RuntimeError for other strings, TypeError for what is no string.

    >>> from jaxlike import lax
    >>> lax.padtype_to_pads((9, 10), (3, 3), (2, 2), "SAME")
    [(1, 1), (0, 1)]
    """
    if not isinstance(padding, str):
        raise TypeError(format_error(f"unknown padding type: {padding!r}"))
    kind = padding.upper()
    if kind == "VALID":
        return [(0, 0)] * len(in_shape)
    if kind not in ("SAME", "SAME_LOWER"):
        raise RuntimeError(
            format_error(
                f"padding is {padding!r}; the names are 'VALID', 'SAME' and "
                "'SAME_LOWER'"
            )
        )
    pads = []
    for n, k, s in zip(in_shape, window_shape, window_strides):
        n, k, s = int(n), int(k), int(s)
        total = max((-(-n // s) - 1) * s + k - n, 0)
        less, more = total // 2, total - total // 2
        pads.append((less, more) if kind == "SAME" else (more, less))
    return pads


def conv_transpose_padding(k: int, s: int, padding: str) -> tuple[int, int]:
    """The padding of a transposed convolution, for a window of size k and stride s."""
    kind = padding.upper()
    if kind == "SAME":
        total = k + s - 2
        low = k - 1 if s > k - 1 else -(-total // 2)
    elif kind == "VALID":
        total = k + s - 2 + max(k - s, 0)
        low = k - 1
    else:
        raise ValueError(
            format_error(f"padding is {padding!r}; the names are 'VALID' and 'SAME'")
        )
    return low, total - low


def _out_space(sizes, kernel, strides, pads) -> list[int]:
    return [
        max((n + low + high - k) // s + 1, 0)
        for n, k, s, (low, high) in zip(sizes, kernel, strides, pads)
    ]


def conv_shape_tuple(lhs_shape, rhs_shape, strides, pads, batch_group_count=1):
    """The result shape of a convolution of (N, C, ...) by (O, I, ...), undilated.

    >>> from jaxlike import lax
    >>> lax.conv_shape_tuple((1, 2, 9, 9), (4, 2, 3, 3), (2, 2), "SAME")
    (1, 4, 5, 5)
    """
    if isinstance(pads, str):
        pads = padtype_to_pads(lhs_shape[2:], rhs_shape[2:], strides, pads)
    if len(pads) != len(lhs_shape) - 2:
        raise TypeError(
            format_error(
                f"a convolution over {len(lhs_shape) - 2} axes needs as many pads, "
                f"got {len(pads)}"
            )
        )
    space = _out_space(lhs_shape[2:], rhs_shape[2:], strides, pads)
    return (lhs_shape[0] // batch_group_count, rhs_shape[0], *space)


def conv_general_shape_tuple(
    lhs_shape, rhs_shape, window_strides, padding, dimension_numbers
):
    """The result shape of a convolution with letters for its axes, undilated.

    >>> from jaxlike import lax
    >>> dims = ("NWC", "WIO", "NWC")
    >>> lax.conv_general_shape_tuple((1, 9, 2), (3, 2, 4), (2,), "SAME", dims)
    (1, 5, 4)
    """
    lhs, rhs, out = conv_general_permutations(dimension_numbers)
    shape = conv_shape_tuple(
        [lhs_shape[i] for i in lhs],
        [rhs_shape[i] for i in rhs],
        window_strides,
        padding,
    )
    return tuple(n for _, n in sorted(zip(out, shape)))


def conv_transpose_shape_tuple(
    lhs_shape, rhs_shape, window_strides, padding, dimension_numbers
):
    """The result shape of a transposed convolution with letters for its axes.

    >>> from jaxlike import lax
    >>> dims = ("NWC", "WIO", "NWC")
    >>> lax.conv_transpose_shape_tuple((1, 9, 2), (3, 2, 4), (2,), "SAME", dims)
    (1, 18, 4)
    """
    lhs, rhs, out = conv_general_permutations(dimension_numbers)
    lhs_shape = [lhs_shape[i] for i in lhs]
    rhs_shape = [rhs_shape[i] for i in rhs]
    if isinstance(padding, str):
        padding = [
            conv_transpose_padding(k, s, padding)
            for k, s in zip(rhs_shape[2:], window_strides)
        ]
    sizes = [dilated(n, s) for n, s in zip(lhs_shape[2:], window_strides)]
    space = _out_space(sizes, rhs_shape[2:], [1] * len(sizes), padding)
    shape = (lhs_shape[0], rhs_shape[0], *space)
    return tuple(n for _, n in sorted(zip(out, shape)))
