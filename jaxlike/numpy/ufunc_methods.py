"""What the ufuncs' reduce, accumulate, at and reduceat run: reductions, cumulative
functions and scatters, where there is one of that meaning."""

from __future__ import annotations

import numpy as np

from jaxlike.core.errors import format_error
from jaxlike.numpy import creation, cumulative, reductions
from jaxlike.numpy.promote import convert, promote_dtypes_inexact
from jaxlike.primitives.axes import canonical_axis

# --- reduce: (a, axis, dtype, keepdims, initial, where)

add_reduce = reductions.sum
multiply_reduce = reductions.prod
bitwise_and_reduce = reductions.bitwise_reduction("and", -1)
bitwise_or_reduce = reductions.bitwise_reduction("or", 0)
bitwise_xor_reduce = reductions.bitwise_reduction("xor", 0)


def _extremum(reduction):
    def reduce(a, axis=0, dtype=None, keepdims=False, initial=None, where=None):
        if dtype is not None:
            a = creation.asarray(a, dtype)
        return reduction(a, axis=axis, keepdims=keepdims, initial=initial, where=where)

    return reduce


maximum_reduce = _extremum(reductions.max)
minimum_reduce = _extremum(reductions.min)


def _logical(reduction, name):
    def reduce(a, axis=0, dtype=None, keepdims=False, initial=None, where=None):
        if initial is not None:
            raise ValueError(
                format_error(f"initial argument not supported in {name}.reduce")
            )
        out = reduction(a, axis=axis, keepdims=keepdims, where=where)
        return out if dtype is None else creation.asarray(out, dtype)

    return reduce


logical_and_reduce = _logical(reductions.all, "logical_and")
logical_or_reduce = _logical(reductions.any, "logical_or")


def _truth(a):
    from jaxlike.numpy.ufuncs import to_bool

    return to_bool(creation.asarray(a))


def logical_xor_reduce(a, axis=0, dtype=None, keepdims=False, initial=None, where=None):
    if initial is not None:
        raise ValueError(
            format_error("initial argument not supported in logical_xor.reduce")
        )
    out = bitwise_xor_reduce(_truth(a), axis=axis, keepdims=keepdims, where=where)
    return out if dtype is None else creation.asarray(out, dtype)


def _log_sum(base2: bool):
    def reduce(a, axis=0, dtype=None, keepdims=False, initial=None, where=None):
        from jaxlike.numpy.logsum import logsum_reduce

        return logsum_reduce(a, axis, dtype, keepdims, initial, where, base2)

    return reduce


logaddexp_reduce = _log_sum(False)
logaddexp2_reduce = _log_sum(True)

# --- accumulate: (a, axis, dtype)


def add_accumulate(a, axis=0, dtype=None):
    if dtype is None and creation.asarray(a).dtype == np.bool_:
        dtype = int
    return cumulative.cumsum(a, axis=axis, dtype=dtype)


def multiply_accumulate(a, axis=0, dtype=None):
    if dtype is None and creation.asarray(a).dtype == np.bool_:
        dtype = int
    return cumulative.cumprod(a, axis=axis, dtype=dtype)


def _accumulation(name: str):
    def accumulate(a, axis=0, dtype=None):
        from jaxlike.primitives import cumulative

        a = creation.asarray(a, dtype)
        if axis is None or isinstance(axis, tuple):
            raise ValueError(format_error("accumulate goes along one axis"))
        return getattr(cumulative, name)(a, canonical_axis(axis, a.ndim))

    return accumulate


def logaddexp_accumulate(a, axis=0, dtype=None):
    [a] = promote_dtypes_inexact(creation.asarray(a, dtype))
    return _accumulation("cumlogsumexp")(a, axis)


maximum_accumulate = _accumulation("cummax")
minimum_accumulate = _accumulation("cummin")


def _truth_accumulation(scan):
    def accumulate(a, axis=0, dtype=None):
        out = scan(convert(_truth(a), np.dtype("int32")), axis)
        return creation.asarray(out, bool if dtype is None else dtype)

    return accumulate


def _parity(counts, axis):
    return add_accumulate(counts, axis) & 1


logical_and_accumulate = _truth_accumulation(minimum_accumulate)
logical_or_accumulate = _truth_accumulation(maximum_accumulate)
logical_xor_accumulate = _truth_accumulation(_parity)

# --- at: (a, indices, b)


def _update(method: str):
    def at(a, indices, b):
        return getattr(creation.asarray(a).at[indices], method)(b)

    at.__name__ = at.__qualname__ = f"{method}_at"
    return at


add_at = _update("add")
multiply_at = _update("mul")
maximum_at = _update("max")
minimum_at = _update("min")


def subtract_at(a, indices, b):
    return creation.asarray(a).at[indices].add(-creation.asarray(b))


def negative_at(a, indices):
    return creation.asarray(a).at[indices].mul(-1)
