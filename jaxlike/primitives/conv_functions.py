"""The convolutions that are conv_general_dilated put another way.

conv, conv_with_general_padding, conv_transpose, patches, and windows not shared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.primitives.contraction import dot_general
from jaxlike.primitives.conv_dimensions import (
    ConvDimensionNumbers,
    ConvGeneralDilatedDimensionNumbers,
    conv_dimension_numbers,
    conv_transpose_padding,
)
from jaxlike.primitives.conv_numpy import dilated
from jaxlike.primitives.convolution import conv_general_dilated
from jaxlike.primitives.precision import PrecisionLike

__all__ = [
    "conv",
    "conv_general_dilated_local",
    "conv_general_dilated_patches",
    "conv_transpose",
    "conv_with_general_padding",
]


def conv(
    lhs,
    rhs,
    window_strides: Sequence[int],
    padding: str,
    precision: PrecisionLike = None,
    preferred_element_type=None,
):
    """A convolution of lhs (N, C, ...) by windows rhs (O, I, ...), no dilation.

    padding: 'SAME', 'SAME_LOWER' or 'VALID'. Returns (N, O, ...).

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.conv(jnp.ones((1, 2, 5)), jnp.ones((3, 2, 3)), (1,), "VALID").shape
    (1, 3, 3)
    """
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def conv_with_general_padding(
    lhs,
    rhs,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None,
    rhs_dilation: Sequence[int] | None,
    precision: PrecisionLike = None,
    preferred_element_type=None,
):
    """A convolution of lhs (N, C, ...) by windows rhs (O, I, ...), with dilation.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> x, w = jnp.ones((1, 2, 5)), jnp.ones((3, 2, 3))
    >>> lax.conv_with_general_padding(x, w, (1,), ((1, 1),), (2,), None).shape
    (1, 3, 9)
    """
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        lhs_dilation=lhs_dilation,
        rhs_dilation=rhs_dilation,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


_CHANNEL_LAST = {
    2: ("NC", "IO", "NC"),
    3: ("NWC", "WIO", "NWC"),
    4: ("NHWC", "HWIO", "NHWC"),
    5: ("NDHWC", "DHWIO", "NDHWC"),
}


def conv_transpose(
    lhs,
    rhs,
    strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers = None,
    transpose_kernel: bool = False,
    precision: PrecisionLike = None,
    preferred_element_type=None,
    use_consistent_padding: bool = False,
):
    """The transpose ("deconvolution") of a convolution with these strides.

    dimension_numbers: channels last by default, (N, ..., C) and (..., I, O).
    transpose_kernel: flip the windows and swap their features, so that this is the
    gradient of the convolution by rhs. padding: by name as of the convolution that is
    transposed; pairs are added to the dilated input, or with use_consistent_padding
    taken as that convolution's. Raises ValueError for ranks without default.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.conv_transpose(jnp.ones((1, 5, 2)), jnp.ones((3, 2, 4)), (2,), "SAME").shape
    (1, 10, 4)
    """
    from jaxlike.primitives.shapes import rev

    lhs_shape, rhs_shape = get_aval(lhs).shape, get_aval(rhs).shape
    rank = len(lhs_shape)
    if dimension_numbers is None:
        dimension_numbers = _CHANNEL_LAST.get(rank)
        if dimension_numbers is None:
            raise ValueError(
                format_error(
                    f"conv_transpose has no default dimension_numbers for rank {rank}"
                )
            )
    dims = conv_dimension_numbers(lhs_shape, rhs_shape, dimension_numbers)
    kernel = [rhs_shape[i] for i in dims.rhs_spec[2:]]
    holes = (1,) * (rank - 2) if rhs_dilation is None else tuple(rhs_dilation)
    reach = [dilated(k, hole) for k, hole in zip(kernel, holes)]
    if isinstance(padding, str):
        padding = [
            conv_transpose_padding(k, s, padding) for k, s in zip(reach, strides)
        ]
    elif use_consistent_padding:
        padding = [(k - 1 - a, k - 1 - b) for k, (a, b) in zip(reach, padding)]
    if transpose_kernel:
        rhs = rev(rhs, tuple(dims.rhs_spec[2:]))
        o, i, *space = dims.rhs_spec
        dims = ConvDimensionNumbers(dims.lhs_spec, (i, o, *space), dims.out_spec)
    return conv_general_dilated(
        lhs,
        rhs,
        (1,) * (rank - 2),
        padding,
        lhs_dilation=strides,
        rhs_dilation=holes,
        dimension_numbers=dims,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def conv_general_dilated_patches(
    lhs,
    filter_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers = None,
    precision: PrecisionLike = None,
    preferred_element_type=None,
):
    """What each window of a convolution sees, put along the feature axis.

    filter_shape: the window. Returns lhs's batch and space as convolved, and features
    (C, *filter_shape) in one axis.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> x = jnp.arange(4.0).reshape(1, 1, 4)
    >>> lax.conv_general_dilated_patches(x, (2,), (1,), "VALID").tolist()
    [[[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]]]
    """
    from jaxlike.primitives.shapes import broadcast_in_dim, reshape, transpose

    filter_shape = tuple(int(n) for n in filter_shape)
    aval = get_aval(lhs)
    dims = conv_dimension_numbers(aval.shape, (1, 1, *filter_shape), dimension_numbers)
    channels = aval.shape[dims.lhs_spec[1]]
    window = math.prod(filter_shape)
    # one window that picks out each place, for every channel by itself
    picks = np.eye(window, dtype=aval.dtype)
    picks = broadcast_in_dim(picks, (channels, window, window), (1, 2))
    picks = reshape(picks, (channels * window, 1, *filter_shape))
    picks = transpose(picks, tuple(int(i) for i in np.argsort(dims.rhs_spec)))
    return conv_general_dilated(
        lhs,
        picks,
        window_strides,
        padding,
        lhs_dilation=lhs_dilation,
        rhs_dilation=rhs_dilation,
        dimension_numbers=dims,
        feature_group_count=channels,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def conv_general_dilated_local(
    lhs,
    rhs,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    filter_shape: Sequence[int],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers = None,
    precision: PrecisionLike = None,
):
    """A convolution whose windows differ from place to place (are not shared).

    rhs: (outputs, C * prod(filter_shape), *places), the axes as `dimension_numbers`.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> x, w = jnp.ones((1, 2, 5)), jnp.ones((3, 2 * 3, 3))
    >>> lax.conv_general_dilated_local(x, w, (1,), "VALID", (3,)).shape
    (1, 3, 3)
    """
    from jaxlike.primitives.shapes import transpose

    dims = conv_dimension_numbers(
        get_aval(lhs).shape, get_aval(rhs).shape, dimension_numbers
    )
    patches = conv_general_dilated_patches(
        lhs,
        filter_shape,
        window_strides,
        padding,
        lhs_dilation=lhs_dilation,
        rhs_dilation=rhs_dilation,
        dimension_numbers=dims,
        precision=precision,
    )
    lhs_spec, rhs_spec, out_spec = dims
    out = dot_general(
        rhs,
        patches,
        (
            ((rhs_spec[1],), (out_spec[1],)),
            (tuple(rhs_spec[2:]), tuple(out_spec[2:])),
        ),
        precision=precision,
    )
    # axes of out: places, output features, batch
    rank = len(lhs_spec) - 2
    source = [0] * (rank + 2)
    source[out_spec[0]], source[out_spec[1]] = rank + 1, rank
    for i, axis in enumerate(out_spec[2:]):
        source[axis] = i
    return transpose(out, tuple(source))
