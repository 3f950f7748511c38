"""Choosing between arrays element by element: select_n and clamp."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives.axes import owned
from jaxlike.primitives.linear import add_tangents, instantiate, zeros_of
from jaxlike.primitives.rules import (
    ANY,
    check_dtypes,
    check_same_dtypes,
    dtype_kind,
)
from jaxlike.primitives.shapes import batch_axis_at, broadcast_in_dim

__all__ = ["clamp", "clamp_p", "select", "select_n", "select_n_p"]

# --- select_n: out[i] = cases[which[i]][i], linear in the cases

select_n_p = Primitive("select_n")


def _select_n_shape(which, *cases):
    if not cases:
        raise ValueError(format_error("select_n takes at least one case"))
    if dtype_kind(which.dtype) not in ("bool", "integer"):
        raise TypeError(
            format_error(
                f"select_n chooses by booleans or integers, got {which}",
                try_="which != 0",
            )
        )
    if which.dtype == np.bool_ and len(cases) > 2:
        raise TypeError(
            format_error(
                "select_n with boolean `which` cannot have more than 2 cases, got "
                f"{len(cases)}"
            )
        )
    shape = cases[0].shape
    if any(c.shape != shape for c in cases):
        raise TypeError(
            format_error(
                "select cases must have the same shapes, got "
                + ", ".join(map(str, cases)),
                try_="jnp.where, which broadcasts its inputs",
            )
        )
    check_same_dtypes("select", cases)
    if which.shape and which.shape != shape:
        raise TypeError(
            format_error(
                "select_n: which must be a scalar or of the shape of the cases, got "
                f"{which} and {cases[0]}"
            )
        )
    return ShapedArray(shape, cases[0].dtype, all(c.weak_type for c in cases))


def _select_n_evaluate(which, *cases):
    last = len(cases) - 1
    if not which.ndim:
        return cases[min(max(int(which), 0), last)]
    if last == 0:
        return cases[0]
    if which.dtype != np.bool_:
        out = cases[last]
        for i in range(last - 1, -1, -1):
            out = np.where(which <= i, cases[i], out)
        return out
    return np.where(which, cases[1], cases[0])


def _select_n_jvp(primals, tangents):
    which, *cases = primals
    out = select_n_p.bind(which, *cases)
    tangents = tangents[1:]
    if all(type(t) is Zero for t in tangents):
        return out, Zero(get_aval(out).to_tangent_aval())
    return out, select_n_p.bind(which, *map(instantiate, tangents))


def _select_n_transpose(ct, which, *cases):
    if type(ct) is Zero:
        return [None, *(Zero(c.aval) for c in cases if is_undefined_primal(c))]
    zeros = zeros_of(get_aval(ct)) if len(cases) > 1 else None
    cts: list[Any] = [None]
    for i, case in enumerate(cases):
        if not is_undefined_primal(case):
            cts.append(None)
            continue
        parts = [ct if i == j else zeros for j in range(len(cases))]
        cts.append(select_n_p.bind(which, *parts))
    return cts


def _select_n_batch(axis_data, args, dims):
    (which, *cases), (which_dim, *case_dims) = args, dims
    size = axis_data.size
    case_rank = get_aval(cases[0]).ndim - (case_dims[0] is not None)
    which_rank = get_aval(which).ndim - (which_dim is not None)
    to = next((d for d in case_dims if d is not None), 0)
    cases = [
        batch_axis_at(c, d, to, size) for c, d in zip(cases, case_dims, strict=True)
    ]
    if which_dim is None and which_rank == 0:  # one scalar chooses whole arrays
        return select_n_p.bind(which, *cases), to
    if which_rank == case_rank:
        which = batch_axis_at(which, which_dim, to, size)
    else:
        which = broadcast_in_dim(which, get_aval(cases[0]).shape, (to,))
    return select_n_p.bind(which, *cases), to


select_n_p.shape = _select_n_shape
select_n_p.evaluate = _select_n_evaluate
select_n_p.jvp = _select_n_jvp
select_n_p.transpose = _select_n_transpose
select_n_p.batch = _select_n_batch


def select_n(which: Any, *cases: Any) -> Any:
    """Choose each element from one of several arrays.

    Args: `which`, bool or int, a scalar or of the cases' shape (ints out of range
    choose the nearest case); `cases`, arrays of one shape and dtype.
    Raises: TypeError if shapes or dtypes differ, ValueError without cases.

    >>> from jaxlike import lax
    >>> lax.select_n(np.array([True, False]), np.zeros(2), np.ones(2)).tolist()
    [1.0, 0.0]
    """
    return select_n_p.bind(which, *map(owned, cases))


def select(pred: Any, on_true: Any, on_false: Any) -> Any:
    """Choose each element from `on_true` where `pred` holds, else from `on_false`.

    >>> from jaxlike import lax
    >>> lax.select(True, np.ones(2), np.zeros(2)).tolist()
    [1.0, 1.0]
    """
    return select_n_p.bind(pred, owned(on_false), owned(on_true))


# --- clamp: min(max(x, lo), hi)

clamp_p = Primitive("clamp")


def _clamp_shape(lo, x, hi):
    for name, bound in (("min", lo), ("max", hi)):
        if bound.shape and bound.shape != x.shape:
            raise TypeError(
                format_error(
                    f"clamp requires {name}.shape == operand.shape or {name}.shape == "
                    f"(), got {name} {bound} and operand {x}"
                )
            )
    check_dtypes("clamp", (ANY,) * 3, (lo, x, hi))
    check_same_dtypes("clamp", (lo, x, hi))
    weak = lo.weak_type and x.weak_type and hi.weak_type
    return ShapedArray(x.shape, x.dtype, weak)


def _clamp_evaluate(lo, x, hi):
    if x.dtype.kind == "c":
        # complex numbers are compared by their real parts alone
        x = np.where(x.real <= lo.real, lo, x)
        return np.where(x.real <= hi.real, x, hi)
    return np.minimum(np.maximum(x, lo), hi)


def _clamp_jvp(primals, tangents):
    from jaxlike.primitives.bitwise import bitwise_and
    from jaxlike.primitives.comparison import gt, lt

    lo, x, hi = primals
    out = clamp_p.bind(lo, x, hi)
    aval = get_aval(out)
    total = Zero(aval.to_tangent_aval())
    for i, tangent in enumerate(tangents):
        if type(tangent) is Zero:
            continue
        if i == 1:
            where = bitwise_and(gt(x, lo), lt(x, hi))
        else:
            where = gt(lo, x) if i == 0 else lt(hi, x)
        if get_aval(tangent).shape != aval.shape:
            tangent = broadcast_in_dim(tangent, aval.shape, ())
        term = select_n_p.bind(where, zeros_of(get_aval(tangent)), tangent)
        total = add_tangents(total, term)
    return out, total


def _clamp_batch(axis_data, args, dims):
    (lo, x, hi), (lo_dim, x_dim, hi_dim) = args, dims
    size = axis_data.size
    x = batch_axis_at(x, x_dim, 0, size)
    shape = get_aval(x).shape
    bounds = []
    for bound, dim in ((lo, lo_dim), (hi, hi_dim)):
        rank = get_aval(bound).ndim - (dim is not None)
        if dim is None and rank == 0:
            bounds.append(bound)
            continue
        bound = batch_axis_at(bound, dim, 0, size)
        if rank + 1 < len(shape):
            bound = broadcast_in_dim(bound, shape, (0,))
        bounds.append(bound)
    return clamp_p.bind(bounds[0], x, bounds[1]), 0


clamp_p.shape = _clamp_shape
clamp_p.evaluate = _clamp_evaluate
clamp_p.jvp = _clamp_jvp
clamp_p.batch = _clamp_batch


def clamp(min: Any, x: Any, max: Any) -> Any:
    """`x`, or the nearer bound where it is outside of [min, max]; NaN stays NaN.

    Args: bounds of the dtype of `x`, scalars or of its shape.
    Raises: TypeError if shapes or dtypes do not fit.

    >>> from jaxlike import lax
    >>> lax.clamp(0.0, np.array([-1.0, 0.5, 2.0]), 1.0).tolist()
    [0.0, 0.5, 1.0]
    """
    return clamp_p.bind(min, x, max)
