"""How NumPy reduces fast: shapes that its loops walk in tiny steps, put another way.

NumPy pays for each inner loop, so rows of a few elements are reduced all together.
"""

from __future__ import annotations

import math

import numpy as np

# below this many elements, NumPy's own way is as fast as any
_SMALL = 1 << 12
# rows this short are reduced column by column
_FEW = 32
# how many elements an inner loop is to have
_STRETCH = 2048


def reduce_axes(ufunc: np.ufunc, x: np.ndarray, axes: tuple[int, ...], dtype=None):
    """ufunc.reduce(x, axes, dtype), faster where reduced or kept axes are short."""
    if x.size < _SMALL or not x.flags.c_contiguous:
        return ufunc.reduce(x, axes, dtype)
    axes = tuple(sorted(axes))
    count, rank = len(axes), x.ndim
    if axes == tuple(range(count)) and count < rank:
        kept = x.shape[count:]
        n = math.prod(kept)
        if n * 2 <= _STRETCH and x.size >= 4 * _STRETCH:
            return _over_rows(ufunc, x.reshape(-1, n), dtype).reshape(kept)
    elif count and axes == tuple(range(rank - count, rank)):
        kept = x.shape[: rank - count]
        n = math.prod(x.shape[rank - count :])
        if 1 < n <= _FEW:
            return _over_columns(ufunc, x.reshape(-1, n), dtype).reshape(kept)
    return ufunc.reduce(x, axes, dtype)


def _over_rows(ufunc, x, dtype):
    """Many short rows: several side by side count as one, then these are reduced."""
    m, n = x.shape
    side_by_side = _STRETCH // n
    whole = m - m % side_by_side
    out = ufunc.reduce(x[:whole].reshape(-1, side_by_side * n), 0, dtype)
    out = ufunc.reduce(out.reshape(side_by_side, n), 0, dtype)
    if whole < m:
        out = ufunc(out, ufunc.reduce(x[whole:], 0, dtype))
    return out


def _over_columns(ufunc, x, dtype):
    """Few columns: one after the other, all rows at a time."""
    out = ufunc(x[:, 0], x[:, 1], dtype=dtype)
    for j in range(2, x.shape[1]):
        ufunc(out, x[:, j], out=out)
    return out


def arg_extremum(choose, extremum: np.ufunc, x: np.ndarray, axis: int):
    """np.argmax or np.argmin, faster along a short last axis."""
    n = x.shape[axis]
    if n > _FEW // 2 or axis != x.ndim - 1 or x.size < _SMALL:
        return choose(x, axis)
    best = reduce_axes(extremum, x, (axis,))
    if x.dtype.kind == "f" and np.isnan(best).any():
        return choose(x, axis)
    # how many columns stand before the first that holds the extremum
    before = x[..., 0] != best
    out = before.astype(np.uint8)
    for j in range(1, n):
        before &= x[..., j] != best
        out += before.view(np.uint8)
    return out
