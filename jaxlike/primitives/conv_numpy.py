"""How NumPy computes convolutions: patches copied side by side, then one BLAS product.

Everything here works on x[g, n, *space, c] and w[g, *kernel, c, o] (g is the group) in
whatever memory order they come, and returns out[n, *space, g, o]. convolution.py brings
operands into this form.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from jaxlike.primitives.matmul import matmul_in

# patches are copied at most this many bytes at a time
_CHUNK_BYTES = 1 << 23


class Windows(NamedTuple):
    """How a window moves over the spatial axes; a sequence of each per axis."""

    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    base_dilation: tuple[int, ...]
    window_dilation: tuple[int, ...]


def dilated(size: int, dilation: int) -> int:
    """The size with dilation - 1 holes between neighbours."""
    return 0 if size == 0 else (size - 1) * dilation + 1


def window_counts(
    sizes: Sequence[int], kernel: Sequence[int], windows: Windows
) -> tuple[int, ...]:
    """How many positions the window has along each axis."""
    out = []
    for n, k, s, (low, high), base, hole in zip(sizes, kernel, *windows):
        room = dilated(n, base) + low + high - dilated(k, hole)
        out.append(max(room // s + 1, 0) if s > 0 else 0)
    return tuple(out)


def pad_and_dilate(
    x: np.ndarray, axes: Sequence[int], windows: Windows, fill=0
) -> np.ndarray:
    """`x` with holes, padding and (for negative padding) cuts along some axes."""
    if not any(low or high for low, high in windows.padding) and all(
        d == 1 for d in windows.base_dilation
    ):
        return x
    shape = list(x.shape)
    source = [slice(None)] * x.ndim
    target = [slice(None)] * x.ndim
    for axis, (low, high), dilation in zip(
        axes, windows.padding, windows.base_dilation
    ):
        n = x.shape[axis]
        shape[axis] = max(dilated(n, dilation) + low + high, 0)
        # the elements i with 0 <= low + i * dilation < shape[axis]
        first = max(0, -(low // dilation))
        last = min(n, (shape[axis] - 1 - low) // dilation + 1)
        last = max(first, last)
        start = low + first * dilation
        source[axis] = slice(first, last)
        target[axis] = slice(start, start + dilated(last - first, dilation), dilation)
    if x[tuple(source)].shape == tuple(shape):
        return x[tuple(source)]
    out = np.empty_like(x, shape=tuple(shape))
    out[...] = fill
    out[tuple(target)] = x[tuple(source)]
    return out


def window_view(
    x: np.ndarray,
    axes: Sequence[int],
    kernel: Sequence[int],
    counts: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
) -> np.ndarray:
    """A view of a padded array: positions in place of `axes`, then window offsets."""
    shape, steps = list(x.shape), list(x.strides)
    for axis, count, stride in zip(axes, counts, strides):
        shape[axis] = count
        steps[axis] = x.strides[axis] * stride
    shape += kernel
    steps += [x.strides[axis] * hole for axis, hole in zip(axes, dilation)]
    return as_strided(x, shape, steps, writeable=False)


def convolve(
    x: np.ndarray, w: np.ndarray, windows: Windows, dtype: np.dtype
) -> np.ndarray:
    """out[n, *space, g, o] of dtype `dtype`, in which it computes and wraps."""
    groups, n, *sizes, channels = x.shape
    kernel, features = w.shape[1:-2], w.shape[-1]
    counts = window_counts(sizes, kernel, windows)
    out_shape = (n, *counts, groups, features)
    if 0 in out_shape or 0 in x.shape or 0 in w.shape:
        return np.zeros(out_shape, dtype)
    if not kernel:
        return matmul_in(dtype)(x, w).transpose(1, 0, 2)
    if (
        dtype.kind in "fc"
        and any(d > 1 for d in windows.base_dilation)
        and all(s == 1 for s in windows.strides)
    ):
        return _spread(x, w, windows, counts)
    x = pad_and_dilate(x, range(2, 2 + len(sizes)), windows)
    if channels == 1 and groups > 1:
        return _depthwise(x.astype(dtype, copy=False), w, windows, counts, dtype)
    return _by_patches(x, w, windows, counts, dtype)


# --- copies of patches, then a matrix product


def _by_patches(x, w, windows: Windows, counts, dtype):
    groups, n, channels = x.shape[0], x.shape[1], x.shape[-1]
    kernel, features = w.shape[1:-2], w.shape[-1]
    rank = len(kernel)
    space = range(2, 2 + rank)
    view = window_view(
        x, space, kernel, counts, windows.strides, windows.window_dilation
    )
    # axes of the view: g, n, *positions, c, *offsets
    positions = list(space)
    c_axis = 2 + rank
    offsets = list(range(c_axis + 1, c_axis + 1 + rank))
    c_step, k_step = view.strides[c_axis], view.strides[offsets[-1]]
    channel_last = c_step <= k_step
    inner = [*offsets, c_axis] if channel_last else [c_axis, *offsets]
    if channel_last:
        weights = w.reshape(groups, -1, features)
    else:
        weights = np.moveaxis(w, -2, 1).reshape(groups, -1, features)
    depth, area = math.prod(kernel) * channels, math.prod(counts)

    item = x.itemsize
    if c_step == item:
        inner_run = channels
        if k_step == channels * item:
            inner_run *= kernel[-1]
    else:
        inner_run = kernel[-1] if k_step == item else 1
    n_step, position_step = view.strides[1], view.strides[positions[-1]]
    outer_run = counts[-1] if position_step == item else n if n_step == item else 1
    step = max(1, _CHUNK_BYTES // max(1, groups * area * depth * item))
    matmul = matmul_in(dtype)
    outs = []
    if inner_run >= outer_run or (n == 1 and area == 1):
        # rows are positions, columns are what a window holds
        patches = view.transpose(0, 1, *positions, *inner)
        for start in range(0, n, step):
            chunk = patches[:, start : start + step]
            out = matmul(chunk.reshape(groups, -1, depth), weights)
            outs.append(out.reshape(groups, -1, *counts, features))
        out = _joined(outs, 1)
        return out.transpose(*range(1, 2 + rank), 0, 2 + rank)
    weights = weights.swapaxes(1, 2)
    if position_step == item and area >= 64:
        # for each n: rows are what a window holds, columns are positions
        patches = view.transpose(1, 0, *inner, *positions)
        for start in range(0, n, step):
            chunk = patches[start : start + step]
            out = matmul(weights, chunk.reshape(-1, groups, depth, area))
            outs.append(out.reshape(-1, groups, features, *counts))
        out = _joined(outs, 0)
        return out.transpose(0, *range(3, 3 + rank), 1, 2)
    order = [1, *positions] if position_step == item else [*positions, 1]
    n_at = 2 if position_step == item else 2 + rank
    patches = view.transpose(0, *inner, *order)
    for start in range(0, n, step):
        chunk = patches[
            (slice(None),) * (1 + len(inner) + order.index(1))
            + (slice(start, start + step),)
        ]
        out = matmul(weights, chunk.reshape(groups, depth, -1))
        outs.append(out.reshape(groups, features, *chunk.shape[1 + len(inner) :]))
    out = _joined(outs, n_at)
    spatial = [axis for axis in range(2, out.ndim) if axis != n_at]
    return out.transpose(n_at, *spatial, 0, 1)


def _joined(parts, axis: int):
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis)


# --- one channel a group: a sum over window offsets of products


def _depthwise(x, w, windows: Windows, counts, dtype):
    groups, n = x.shape[:2]
    kernel, features = w.shape[1:-2], w.shape[-1]
    rank = len(kernel)
    w = w.astype(dtype, copy=False)
    channel_first = abs(x.strides[0]) > abs(x.strides[1 + rank])
    if channel_first:
        # x[n, g, *space], out[n, g, o, *space]
        x = np.moveaxis(x[..., 0], 0, 1)
        out = np.zeros((n, groups, features, *counts), dtype)
        lead, ones = 2, (1,) * rank
    else:
        # x[n, *space, g], out[n, *space, g, o]
        x = np.moveaxis(x[..., 0], 0, -1)
        out = np.zeros((n, *counts, groups, features), dtype)
        lead, ones = 1, ()
    for row in range(n):  # one at a time, to stay in the cache
        scratch = np.empty(out.shape[1:], dtype)
        for offset in itertools.product(*map(range, kernel)):
            at = [slice(None)] * x.ndim
            at[0] = row
            for i, (k, count) in enumerate(zip(offset, counts)):
                start, s = k * windows.window_dilation[i], windows.strides[i]
                at[lead + i] = slice(start, start + (count - 1) * s + 1, s)
            part = x[tuple(at)]
            weights = w[(slice(None), *offset, 0)]
            if channel_first:
                part = part[:, None]
                weights = weights.reshape(groups, features, *ones)
            else:
                part = part[..., None]
            np.multiply(part, weights, out=scratch)
            out[row] += scratch
    if channel_first:
        return out.transpose(0, *range(3, 3 + rank), 1, 2)
    return out


# --- holes in x: each element of x spreads over the outputs that see it


def _spread(x, w, windows: Windows, counts):
    groups, n, *sizes, channels = x.shape
    kernel, features = w.shape[1:-2], w.shape[-1]
    rank, window, area = len(kernel), math.prod(kernel), math.prod(sizes)
    if x.strides[-1] <= x.strides[1 + rank]:
        weights = np.moveaxis(w, -2, 1).reshape(groups, channels, window * features)
        parts = np.matmul(x.reshape(groups, n * area, channels), weights)
        parts = parts.reshape(groups, n, *sizes, *kernel, features)
        parts = parts.transpose(1, *range(2, 2 + 2 * rank), 0, 2 + 2 * rank)
        out = np.zeros((n, *counts, groups, features), parts.dtype)
    else:
        weights = w.reshape(groups, window, channels, features)
        weights = weights.transpose(0, 1, 3, 2).reshape(groups, -1, channels)
        columns = np.moveaxis(x, (1, -1), (0, 2)).reshape(n, groups, channels, area)
        parts = np.matmul(weights, columns)
        parts = parts.reshape(n, groups, *kernel, features, *sizes)
        last = 2 + rank
        parts = parts.transpose(
            0, *range(last + 1, last + 1 + rank), *range(2, last), 1, last
        )
        out = np.zeros((n, groups, features, *counts), parts.dtype)
        out = out.transpose(0, *range(3, 3 + rank), 1, 2)
    # parts[n, *space, *kernel, g, o]
    for offset in itertools.product(*map(range, kernel)):
        source, target = [slice(None)], [slice(None)]
        for i, k in enumerate(offset):
            step = windows.base_dilation[i]
            low = windows.padding[i][0] - k * windows.window_dilation[i]
            # x[j] meets this offset at output low + j * step
            first = max(0, -(low // step))
            last = min(sizes[i], (counts[i] - 1 - low) // step + 1)
            if last <= first:
                break
            source.append(slice(first, last))
            start = low + first * step
            target.append(slice(start, start + (last - first - 1) * step + 1, step))
        else:
            out[tuple(target)] += parts[(*source, *offset)]
    return out
