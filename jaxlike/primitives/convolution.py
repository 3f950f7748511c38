"""conv_general_dilated: windows of lhs against rhs, any layout, dilation and groups.

out[n, o, p] = sum over c, k of lhs[n, c, p stride + k dilation - low] rhs[o, c, k].
Both cotangents and every batching are convolutions again. conv_numpy.py computes;
conv_functions.py has conv, conv_transpose and their kin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.primitives.contraction import contracted_dtype
from jaxlike.primitives.conv_dimensions import (
    ConvDimensionNumbers,
    ConvGeneralDilatedDimensionNumbers,
    conv_dimension_numbers,
    padtype_to_pads,
)
from jaxlike.primitives.conv_numpy import Windows, convolve, dilated, window_counts
from jaxlike.primitives.matmul import compute_dtype
from jaxlike.primitives.precision import PrecisionLike, canonical_precision
from jaxlike.primitives.rules import check_same_dtypes, defbilinear

__all__ = ["conv_general_dilated", "conv_general_dilated_p"]

conv_general_dilated_p = Primitive("conv_general_dilated")

# --- shape


def _conv_shape(
    lhs,
    rhs,
    *,
    window_strides,
    padding,
    lhs_dilation,
    rhs_dilation,
    dimension_numbers,
    feature_group_count,
    batch_group_count,
    precision,
    preferred_element_type,
):
    check_same_dtypes("conv_general_dilated", (lhs, rhs))
    lhs_spec, rhs_spec, out_spec = dimension_numbers
    n, c, *sizes = (lhs.shape[i] for i in lhs_spec)
    o, i, *kernel = (rhs.shape[j] for j in rhs_spec)
    rank = len(sizes)
    for name, value in (
        ("window_strides", window_strides),
        ("lhs_dilation", lhs_dilation),
        ("rhs_dilation", rhs_dilation),
    ):
        if len(value) != rank:
            raise ValueError(
                format_error(
                    f"conv_general_dilated over {rank} axes needs {name} of that "
                    f"length, got {value}"
                )
            )
        if any(v <= 0 for v in value):
            raise ValueError(
                format_error(f"conv_general_dilated needs positive {name}, got {value}")
            )
    if len(padding) != rank:
        raise TypeError(
            format_error(
                f"conv_general_dilated over {rank} axes needs {rank} pads, got "
                f"{padding}"
            )
        )
    _check_groups(n, c, o, i, feature_group_count, batch_group_count)
    windows = Windows(window_strides, padding, lhs_dilation, rhs_dilation)
    space = window_counts(sizes, kernel, windows)
    shape = [0] * lhs.ndim
    for axis, size in zip(out_spec, (n // batch_group_count, o, *space)):
        shape[axis] = size
    dtype = contracted_dtype(lhs.dtype, rhs.dtype, preferred_element_type)
    weak = lhs.weak_type and rhs.weak_type and preferred_element_type is None
    return ShapedArray(tuple(shape), dtype, weak)


def _check_groups(n, c, o, i, feature_groups: int, batch_groups: int) -> None:
    problem = None
    if feature_groups <= 0:
        problem = f"feature_group_count must be positive, got {feature_groups}"
    elif batch_groups <= 0:
        problem = f"batch_group_count must be positive, got {batch_groups}"
    elif feature_groups > 1 and batch_groups > 1:
        problem = (
            "at most one of batch_group_count and feature_group_count may be above 1, "
            f"got {batch_groups} and {feature_groups}"
        )
    elif c % feature_groups:
        problem = f"feature_group_count {feature_groups} does not divide {c} features"
    elif c // feature_groups != i:
        problem = (
            f"lhs has {c} features in {feature_groups} groups, but each window of rhs "
            f"takes {i}"
        )
    elif o % feature_groups:
        problem = f"feature_group_count {feature_groups} does not divide {o} outputs"
    elif n % batch_groups:
        problem = f"batch_group_count {batch_groups} does not divide a batch of {n}"
    elif o % batch_groups:
        problem = f"batch_group_count {batch_groups} does not divide {o} outputs"
    if problem is not None:
        raise ValueError(format_error(f"conv_general_dilated: {problem}"))


# --- evaluation


def _conv_evaluate(
    lhs,
    rhs,
    *,
    window_strides,
    padding,
    lhs_dilation,
    rhs_dilation,
    dimension_numbers,
    feature_group_count,
    batch_group_count,
    precision,
    preferred_element_type,
):
    lhs_spec, rhs_spec, out_spec = dimension_numbers
    out_dtype = preferred_element_type or lhs.dtype
    dtype = compute_dtype(lhs.dtype, rhs.dtype, out_dtype)
    if dtype.kind in "fc":
        lhs = lhs.astype(dtype, copy=False)
        rhs = rhs.astype(dtype, copy=False)
    rank = lhs.ndim - 2
    x = lhs.transpose(lhs_spec[0], *lhs_spec[2:], lhs_spec[1])
    n, *sizes, c = x.shape
    groups = max(feature_group_count, batch_group_count)
    if groups == 1:
        x = x[None]
    elif feature_group_count > 1:
        x = np.moveaxis(x.reshape(n, *sizes, groups, c // groups), -2, 0)
    else:
        x = x.reshape(groups, n // groups, *sizes, c)
    w = rhs.transpose(*rhs_spec[2:], rhs_spec[1], rhs_spec[0])
    if groups == 1:
        w = w[None]
    else:
        w = w.reshape(*w.shape[:-1], groups, w.shape[-1] // groups)
        w = np.moveaxis(w, -2, 0)
    windows = Windows(window_strides, padding, lhs_dilation, rhs_dilation)
    out = convolve(x, w, windows, dtype)
    # out[n, *space, g, o]: put the axes where out_spec wants them, then join g and o
    axes: list[Any] = [None] * (rank + 2)
    for axis, source in zip(out_spec, ((0,), (rank + 1, rank + 2))):
        axes[axis] = source
    for i, axis in enumerate(out_spec[2:]):
        axes[axis] = (1 + i,)
    shape = [math.prod([out.shape[i] for i in source]) for source in axes]
    out = out.transpose([i for source in axes for i in source]).reshape(shape)
    if out.dtype != out_dtype:
        out = out.astype(out_dtype)
    return out


# --- transposition


def _split_axis(axis: int, groups: int, x):
    """Split an axis in (groups, rest)."""
    from jaxlike.primitives.shapes import reshape

    shape = get_aval(x).shape
    size = shape[axis]
    return reshape(x, (*shape[:axis], groups, size // groups, *shape[axis + 1 :]))


def _merge_axis(source: int, target: int, x):
    """Move an axis in front of another one and join the two.

    `target` counts the axes without `source`.
    """
    from jaxlike.primitives.shapes import reshape, transpose

    axes = [i for i in range(get_aval(x).ndim) if i != source]
    axes.insert(target, source)
    shape = [get_aval(x).shape[i] for i in axes]
    shape[target : target + 2] = [shape[target] * shape[target + 1]]
    return reshape(transpose(x, tuple(axes)), tuple(shape))


def _swapped(spec) -> tuple[int, ...]:
    return (spec[1], spec[0], *spec[2:])


def _lhs_transpose(ct, lhs: ShapedArray, rhs, **params):
    from jaxlike.primitives.shapes import rev

    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    feature_groups = params["feature_group_count"]
    batch_groups = params["batch_group_count"]
    groups = max(feature_groups, batch_groups)
    rhs_shape = get_aval(rhs).shape
    kernel = [rhs_shape[i] for i in rhs_spec[2:]]
    sizes = [lhs.shape[i] for i in lhs_spec[2:]]
    counts = [get_aval(ct).shape[i] for i in out_spec[2:]]
    padding = []
    for n, k, count, s, (low, _), base, hole in zip(
        sizes,
        kernel,
        counts,
        params["window_strides"],
        params["padding"],
        params["lhs_dilation"],
        params["rhs_dilation"],
    ):
        reach = dilated(k, hole)
        before = reach - 1 - low
        after = dilated(n, base) + reach - 1 - dilated(count, s) - before
        padding.append((before, after))
    if groups > 1:
        # outputs come by group: their groups become inputs' groups
        rhs = _split_axis(rhs_spec[0], groups, rhs)
        source = rhs_spec[0]
        rhs = _merge_axis(source, rhs_spec[1], rhs)
    out = conv_general_dilated_p.bind(
        ct,
        rev(rhs, tuple(rhs_spec[2:])),
        window_strides=params["lhs_dilation"],
        padding=tuple(padding),
        lhs_dilation=params["window_strides"],
        rhs_dilation=params["rhs_dilation"],
        dimension_numbers=ConvDimensionNumbers(out_spec, _swapped(rhs_spec), lhs_spec),
        feature_group_count=groups,
        batch_group_count=1,
        precision=params["precision"],
        preferred_element_type=params["preferred_element_type"],
    )
    if batch_groups > 1:
        out = _split_axis(lhs_spec[1], batch_groups, out)
        out = _merge_axis(lhs_spec[1], lhs_spec[0], out)
    return _as_dtype(out, lhs.dtype)


def _rhs_transpose(ct, lhs, rhs: ShapedArray, **params):
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    lhs_shape = get_aval(lhs).shape
    kernel = [rhs.shape[i] for i in rhs_spec[2:]]
    sizes = [lhs_shape[i] for i in lhs_spec[2:]]
    counts = [get_aval(ct).shape[i] for i in out_spec[2:]]
    padding = []
    for n, k, count, s, (low, _), base, hole in zip(
        sizes,
        kernel,
        counts,
        params["window_strides"],
        params["padding"],
        params["lhs_dilation"],
        params["rhs_dilation"],
    ):
        total = dilated(k, hole) - 1 + dilated(count, s) - dilated(n, base)
        padding.append((low, total - low))
    if not math.prod(counts):
        from jaxlike.primitives.linear import zeros_of

        return zeros_of(rhs)
    out = conv_general_dilated_p.bind(
        lhs,
        ct,
        window_strides=params["rhs_dilation"],
        padding=tuple(padding),
        lhs_dilation=params["lhs_dilation"],
        rhs_dilation=params["window_strides"],
        dimension_numbers=ConvDimensionNumbers(
            _swapped(lhs_spec), _swapped(out_spec), _swapped(rhs_spec)
        ),
        feature_group_count=params["batch_group_count"],
        batch_group_count=params["feature_group_count"],
        precision=params["precision"],
        preferred_element_type=params["preferred_element_type"],
    )
    return _as_dtype(out, rhs.dtype)


def _as_dtype(x, dtype):
    from jaxlike.primitives.conversion import convert_element_type

    return x if get_aval(x).dtype == dtype else convert_element_type(x, dtype)


defbilinear(conv_general_dilated_p, _lhs_transpose, _rhs_transpose)

# --- batching: the batch axis joins the batch, the features or the groups


def _conv_batch(axis_data, args, dims, **params):
    lhs, rhs = args
    lhs_dim, rhs_dim = dims
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    feature_groups = params["feature_group_count"]
    batch_groups = params["batch_group_count"]
    size = axis_data.size

    if lhs_dim is not None and rhs_dim is not None:
        # each example becomes a group of its own
        if batch_groups > 1:
            lhs = _merge_axis(lhs_dim, lhs_spec[0], lhs)
            params["batch_group_count"] = batch_groups * size
        else:
            lhs = _merge_axis(lhs_dim, lhs_spec[1], lhs)
            params["feature_group_count"] = feature_groups * size
        rhs = _merge_axis(rhs_dim, rhs_spec[0], rhs)
        out = conv_general_dilated_p.bind(lhs, rhs, **params)
        return _split_axis(out_spec[1], size, out), out_spec[1]

    if lhs_dim is not None:
        if batch_groups == 1:
            lhs = _merge_axis(lhs_dim, lhs_spec[0], lhs)
        else:
            lhs = _merge_inside_groups(lhs, lhs_dim, lhs_spec[0], batch_groups)
        out = conv_general_dilated_p.bind(lhs, rhs, **params)
        return _split_axis(out_spec[0], size, out), out_spec[0]

    groups = max(feature_groups, batch_groups)
    if groups == 1:
        rhs = _merge_axis(rhs_dim, rhs_spec[0], rhs)
        out = conv_general_dilated_p.bind(lhs, rhs, **params)
        return _split_axis(out_spec[1], size, out), out_spec[1]
    rhs = _merge_inside_groups(rhs, rhs_dim, rhs_spec[0], groups)
    out = conv_general_dilated_p.bind(lhs, rhs, **params)
    # (groups, batch, features of a group) -> batch, (groups, features of a group)
    axis = out_spec[1]
    out = _split_axis(axis, groups, out)
    out = _split_axis(axis + 1, size, out)
    return _merge_axis(axis, axis + 1, out), axis


def _merge_inside_groups(x, dim: int, axis: int, groups: int):
    """Join a batch axis into `axis` (counted without it); its groups stay outermost."""
    from jaxlike.primitives.shapes import moveaxis

    x = moveaxis(x, dim, 0)
    x = _split_axis(axis + 1, groups, x)
    # [batch, ..., groups, rest, ...]
    x = _merge_axis(0, axis + 1, x)
    return _merge_axis(axis, axis, x)


conv_general_dilated_p.shape = _conv_shape
conv_general_dilated_p.evaluate = _conv_evaluate
conv_general_dilated_p.batch = _conv_batch

# --- the user's function


def conv_general_dilated(
    lhs,
    rhs,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: ConvGeneralDilatedDimensionNumbers = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: PrecisionLike = None,
    preferred_element_type=None,
    out_sharding=None,
):
    """Slide windows over lhs and take their products with rhs (correlation).

    lhs: (batch, features, space ...); rhs: (outputs, features / groups, window ...), or
    as `dimension_numbers`, e.g. ('NHWC', 'HWIO', 'NHWC'), say. padding: 'SAME',
    'SAME_LOWER', 'VALID' or (low, high) for each axis. Dilations put holes between
    elements. Groups of features, or of the batch, see their own windows.
    Raises TypeError or ValueError for sizes that do not fit.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> x, w = jnp.ones((1, 2, 5, 5)), jnp.ones((3, 2, 3, 3))
    >>> lax.conv_general_dilated(x, w, (1, 1), "SAME").shape
    (1, 3, 5, 5)
    """
    lhs_shape, rhs_shape = get_aval(lhs).shape, get_aval(rhs).shape
    dims = conv_dimension_numbers(lhs_shape, rhs_shape, dimension_numbers)
    dims = ConvDimensionNumbers(*(tuple(map(int, spec)) for spec in dims))
    rank = len(lhs_shape) - 2
    strides = _ints(window_strides)
    lhs_dilation = (1,) * rank if lhs_dilation is None else _ints(lhs_dilation)
    rhs_dilation = (1,) * rank if rhs_dilation is None else _ints(rhs_dilation)
    if isinstance(padding, str):
        if any(d != 1 for d in lhs_dilation):
            raise ValueError(
                format_error(
                    "padding by name has no meaning for a convolution with "
                    f"lhs_dilation {lhs_dilation}",
                    try_="(low, high) for each axis, or lax.conv_transpose",
                )
            )
        kernel = [rhs_shape[i] for i in dims.rhs_spec[2:]]
        reach = [dilated(k, hole) for k, hole in zip(kernel, rhs_dilation)]
        sizes = [lhs_shape[i] for i in dims.lhs_spec[2:]]
        padding = padtype_to_pads(sizes, reach, strides, padding)
    if preferred_element_type is not None:
        preferred_element_type = dtypes.check_user_dtype_supported(
            preferred_element_type, "conv_general_dilated"
        )
    return conv_general_dilated_p.bind(
        lhs,
        rhs,
        window_strides=strides,
        padding=tuple((int(low), int(high)) for low, high in padding),
        lhs_dilation=lhs_dilation,
        rhs_dilation=rhs_dilation,
        dimension_numbers=dims,
        feature_group_count=int(feature_group_count),
        batch_group_count=int(batch_group_count),
        precision=canonical_precision(precision),
        preferred_element_type=preferred_element_type,
    )


def _ints(values) -> tuple[int, ...]:
    return tuple(int(v) for v in values)
