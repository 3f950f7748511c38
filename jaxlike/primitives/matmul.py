"""How NumPy computes a general contraction: as few copies as it can, then BLAS.

contraction.py has the primitive; here is only arithmetic on ndarrays.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from jaxlike.core import dtypes
from jaxlike.primitives.rules import dtype_kind

# below this many multiplications, NumPy's own integer loops beat a detour through BLAS
_SMALL = 1 << 12
_EXACT_IN_FLOAT64 = 2**53
_KIND_RANK = {"bool": 0, "integer": 1, "floating": 2, "complexfloating": 3}


# --- dtypes


@cache
def product_dtype(lhs: np.dtype, rhs: np.dtype) -> np.dtype:
    """The dtype of a product of two dtypes: the kind first, then width, then range."""
    return max(lhs, rhs, key=_dtype_rank)


def _dtype_rank(dtype: np.dtype) -> tuple:
    kind = dtype_kind(dtype)
    if kind == "bool":
        return (0, 0, 0.0)
    reach = 0.0
    if kind == "integer":
        reach = float(dtypes.issubdtype(dtype, np.signedinteger))
    elif kind == "floating":
        reach = float(dtypes.finfo(dtype).max)
    return (_KIND_RANK[kind], dtypes.itemsize_bits(dtype), reach)


@cache
def compute_dtype(lhs: np.dtype, rhs: np.dtype, out: np.dtype) -> np.dtype:
    """The dtype to multiply and add in, when the result is to be of dtype `out`."""
    kinds = [dtype_kind(d) for d in (lhs, rhs, out)]
    double = any(d in (dtypes.float64, dtypes.complex128) for d in (lhs, rhs, out))
    if "complexfloating" in kinds[:2]:
        return dtypes.complex128 if double else dtypes.complex64
    if "floating" in kinds or kinds[2] == "complexfloating":
        return dtypes.float64 if double else dtypes.float32
    if kinds[2] == "bool":
        return dtypes.bool_
    # narrow integers wrap when their bytes are cut
    return (
        np.dtype(f"{'i' if dtypes.issubdtype(out, np.signedinteger) else 'u'}8")
        if (dtypes.itemsize_bits(out) < 8)
        else out
    )


# --- the plan of a contraction, made once for its dimension numbers


class _Plan(NamedTuple):
    direct: bool  # one matmul of the operands, perhaps with their last axes swapped
    swap_lhs: bool
    swap_rhs: bool
    batch: int
    lhs_free: tuple[int, ...]
    rhs_free: tuple[int, ...]
    lhs_batch: tuple[int, ...]
    rhs_batch: tuple[int, ...]
    # contracted axes in the order of the left operand, then of the right one
    by_lhs: tuple[tuple[int, ...], tuple[int, ...]]
    by_rhs: tuple[tuple[int, ...], tuple[int, ...]]


@lru_cache(maxsize=4096)
def _plan(dimension_numbers, lhs_ndim: int, rhs_ndim: int) -> _Plan:
    (lc, rc), (lb, rb) = dimension_numbers
    lhs_free = tuple(i for i in range(lhs_ndim) if i not in lc and i not in lb)
    rhs_free = tuple(i for i in range(rhs_ndim) if i not in rc and i not in rb)
    nb = len(lb)
    leading = tuple(range(nb))
    direct = (
        len(lc) == 1
        and tuple(lb) == leading
        and tuple(rb) == leading
        and (
            (len(lhs_free) == 1 and len(rhs_free) == 1)
            or (nb == 0 and len(lhs_free) <= 1 and len(rhs_free) <= 1)
        )
    )
    swap_lhs = direct and bool(lhs_free) and lc[0] == nb
    swap_rhs = direct and bool(rhs_free) and rc[0] != nb
    pairs = sorted(zip(lc, rc))
    by_lhs = tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)
    pairs.sort(key=lambda p: p[1])
    by_rhs = tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)
    return _Plan(
        direct,
        swap_lhs,
        swap_rhs,
        nb,
        lhs_free,
        rhs_free,
        tuple(lb),
        tuple(rb),
        by_lhs,
        by_rhs,
    )


# --- evaluation


def contract(
    lhs: np.ndarray, rhs: np.ndarray, dimension_numbers: Any, out_dtype: Any
) -> np.ndarray:
    """The contraction, its axes those of the batch, of lhs, of rhs, in that order."""
    plan = _plan(dimension_numbers, lhs.ndim, rhs.ndim)
    compute = compute_dtype(lhs.dtype, rhs.dtype, out_dtype)
    if compute.kind in "fc":
        if lhs.dtype is not compute:
            lhs = lhs.astype(compute, copy=False)
        if rhs.dtype is not compute:
            rhs = rhs.astype(compute, copy=False)
        out = _contract(lhs, rhs, plan, np.matmul)
    else:
        out = _contract(lhs, rhs, plan, _exact_matmul(compute))
    if out.dtype is not out_dtype:
        if compute.kind == "c" and dtype_kind(out_dtype) != "complexfloating":
            out = out.real
        out = np.asarray(out).astype(out_dtype)
    return out


def _contract(lhs, rhs, plan: _Plan, matmul):
    if plan.direct:
        if plan.swap_lhs:
            lhs = lhs.swapaxes(-1, -2)
        if plan.swap_rhs:
            rhs = rhs.swapaxes(-1, -2)
        return matmul(_blas_ready(lhs), _blas_ready(rhs))
    lc, rc = plan.by_lhs if lhs.size >= rhs.size else plan.by_rhs
    batch = [lhs.shape[i] for i in plan.lhs_batch]
    m_shape = [lhs.shape[i] for i in plan.lhs_free]
    n_shape = [rhs.shape[i] for i in plan.rhs_free]
    m, n = math.prod(m_shape), math.prod(n_shape)
    k = math.prod([lhs.shape[i] for i in lc])
    lhs = lhs.transpose(plan.lhs_batch + plan.lhs_free + lc).reshape(*batch, m, k)
    rhs = rhs.transpose(plan.rhs_batch + rc + plan.rhs_free).reshape(*batch, k, n)
    if not lc:
        out = np.multiply(lhs, rhs, dtype=np.result_type(lhs, rhs))
        if matmul is not np.matmul:  # integers: of the width to compute in
            out = matmul(lhs, rhs)
    elif not m_shape and not n_shape and batch and lhs.dtype.kind == "f":
        out = np.vecdot(lhs[..., 0, :], rhs[..., 0])
    else:
        out = matmul(_blas_ready(lhs), _blas_ready(rhs))
    return out.reshape(batch + m_shape + n_shape)


def _blas_ready(x: np.ndarray) -> np.ndarray:
    """`x`, copied if its last axes have strides that BLAS cannot walk."""
    if x.flags.c_contiguous or x.ndim < 2 or x.dtype.kind not in "fc":
        return x
    rows, columns = x.strides[-2:]
    item = x.itemsize
    m, n = x.shape[-2:]
    if columns == item and rows % item == 0 and rows >= n * item:
        return x
    if rows == item and columns % item == 0 and columns >= m * item:
        return x
    return np.ascontiguousarray(x)


def matmul_in(dtype: np.dtype):
    """np.matmul for operands of any dtypes, computing (and wrapping) in `dtype`."""
    if dtype.kind not in "fc":
        return _exact_matmul(dtype)

    def matmul(x, y):
        x, y = x.astype(dtype, copy=False), y.astype(dtype, copy=False)
        return np.matmul(_blas_ready(x), _blas_ready(y))

    return matmul


# --- integers and booleans


def _exact_matmul(compute: np.dtype):
    """A matmul for integers or booleans, wrapping in the dtype `compute`."""

    def matmul(x, y):
        k = x.shape[-1]
        work = x.size * (y.shape[-1] if y.ndim > 1 else 1)
        if compute == np.bool_:
            if work <= _SMALL:
                return np.matmul(x.astype(bool), y.astype(bool))
            return np.matmul(x.astype(np.float32), y.astype(np.float32)) != 0
        if work <= _SMALL:
            return np.matmul(x.astype(compute), y.astype(compute))
        reach = _reach(x) * _reach(y) * k
        if reach < 2**24:
            return _through_float(x, y, np.float32, compute)
        if reach < _EXACT_IN_FLOAT64:
            return _through_float(x, y, np.float64, compute)
        if compute.itemsize <= 4 and k < 2**20:
            return _by_halves(x, y, compute)
        return np.matmul(x.astype(compute), y.astype(compute))

    return matmul


def _reach(x: np.ndarray) -> int:
    if not x.size:
        return 0
    if x.dtype.itemsize == 1:
        return 256
    return max(abs(int(x.max())), abs(int(x.min())))


def _through_float(x, y, dtype, compute):
    out = np.matmul(_blas_ready(x.astype(dtype)), _blas_ready(y.astype(dtype)))
    return out.astype(np.int64).astype(compute)


def _by_halves(x, y, compute):
    """Exact modulo 2**32: (l + 2**16 h)(l' + 2**16 h'), each sum below 2**53."""
    x, y = x.astype(np.int64), y.astype(np.int64)
    x_low, x_high = x & 0xFFFF, (x >> 16) & 0xFFFF
    y_low, y_high = y & 0xFFFF, (y >> 16) & 0xFFFF
    low = _through_float(x_low, y_low, np.float64, np.int64)
    high = _through_float(x_low, y_high, np.float64, np.int64)
    high = high + _through_float(x_high, y_low, np.float64, np.int64)
    return (low + (high << 16)).astype(compute)
