"""Choosing elements: where, select, piecewise, choose, and positions of what is true
(nonzero, argwhere, flatnonzero).

Positions of many elements have data-dependent shapes, so under jit they need `size`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.state import state
from jaxlike.core.trace import (
    concrete_or_error,
    eval_trace,
)
from jaxlike.numpy import dispatch
from jaxlike.numpy.arrays import from_ndarray
from jaxlike.numpy.composites import composite
from jaxlike.numpy.promote import (
    ArrayLike,
    broadcast_args,
    check_arraylike,
    convert,
    promote_dtypes,
    to_arrays,
)
from jaxlike.primitives import selection

__all__ = [
    "argwhere",
    "choose",
    "compress",
    "extract",
    "flatnonzero",
    "nonzero",
    "piecewise",
    "select",
    "where",
]

_plans = dispatch.new_plans()


def where(condition, x=None, y=None, /, *, size=None, fill_value=None):
    """Elements of `x` where `condition` holds, else of `y`; all broadcast together.

    With `condition` alone: as `nonzero`, whose `size` and `fill_value` these are.
    Returns: an array of the dtype that `x` and `y` promote to.

    >>> import jaxlike.numpy as jnp
    >>> jnp.where(jnp.array([True, False]), 1, jnp.zeros(2)).tolist()
    [1.0, 0.0]
    """
    if type(x) is Array and type(y) is Array and type(condition) is Array:
        key = condition.aval, x.aval, y.aval
        out_aval = _plans.get(key)
        if out_aval is not None and state.trace is eval_trace:
            try:
                out = np.where(condition._data, x._data, y._data)
                if out.dtype == out_aval.dtype:
                    return Array(out, out_aval)
            except Exception:  # the general way says what is wrong
                pass
        out = _where(condition, x, y)
        if (
            type(out) is Array
            and condition.aval.dtype == np.bool_
            and x.aval.dtype.kind in "biufc"
            and x.aval.dtype is y.aval.dtype
        ):
            operands = condition._data, x._data, y._data
            dispatch.remember(_plans, key, np.where, operands, out)
        return out
    if x is None and y is None:
        check_arraylike("where", condition)
        return nonzero(condition, size=size, fill_value=fill_value)
    check_arraylike("where", condition, x, y)
    if size is not None or fill_value is not None:
        raise ValueError(
            format_error("where(condition, x, y) takes neither size nor fill_value")
        )
    return _where(condition, x, y)


@composite
def _where(condition, x, y):
    from jaxlike.numpy.ufuncs import to_bool

    condition, x, y = to_arrays("where", condition, x, y)
    condition = to_bool(condition)
    x, y = promote_dtypes(x, y)
    if condition.ndim:
        condition, x, y = broadcast_args(condition, x, y)
    else:
        x, y = broadcast_args(x, y)
    return selection.select(condition, x, y)


def select(
    condlist: Sequence[ArrayLike],
    choicelist: Sequence[ArrayLike],
    default: ArrayLike = 0,
) -> Array:
    """For each element, the choice of the first condition that holds there.

    Args: `condlist`, boolean arrays; `choicelist`, as many arrays; `default`, what is
    chosen where no condition holds. All broadcast together.
    Raises: ValueError if the lists differ in length or are empty.

    >>> import jaxlike.numpy as jnp
    >>> x = jnp.arange(4)
    >>> jnp.select([x < 1, x > 2], [x - 10, x + 10], x).tolist()
    [-10, 1, 2, 13]
    """
    if len(condlist) != len(choicelist):
        raise ValueError(
            format_error(
                f"condlist must have length equal to choicelist ({len(condlist)} vs "
                f"{len(choicelist)})"
            )
        )
    if not len(condlist):
        raise ValueError(format_error("select takes at least one condition"))
    *choices, default = promote_dtypes(*choicelist, default)
    out = default
    for condition, choice in zip(reversed(condlist), reversed(choices)):
        out = where(condition, choice, out)
    return out


def piecewise(
    x: ArrayLike,
    condlist: Array | Sequence[ArrayLike],
    funclist: list[ArrayLike | Callable[..., Array]],
    *args,
    **kw,
) -> Array:
    """A function given by parts: each element goes to the last function of its kind.

    Args: `condlist`, boolean arrays of the shape of `x`; `funclist`, as many functions
    or constants, and perhaps one more, for where no condition holds; `args` and `kw`
    go to the functions.
    Returns: an array like `x`; without a last function, 0 where no condition holds.

    >>> import jaxlike.numpy as jnp
    >>> x = jnp.arange(-2.0, 3.0)
    >>> jnp.piecewise(x, [x < 0, x >= 0], [lambda x: -x, 1]).tolist()
    [2.0, 1.0, 1.0, 1.0, 1.0]
    """
    from jaxlike.control_flow.cond import switch
    from jaxlike.numpy import creation, cumulative, joining, manipulation, reductions
    from jaxlike.transforms.vmap import vmap

    check_arraylike("piecewise", x)
    count = len(condlist)
    if len(funclist) == count + 1:
        funclist = [*funclist[-1:], *funclist[:-1]]
    elif len(funclist) == count:
        funclist = [0, *funclist]
    else:
        raise ValueError(
            format_error(
                f"piecewise takes {count} or {count + 1} functions for {count} "
                f"conditions, got {len(funclist)}"
            )
        )
    [x] = to_arrays("piecewise", x)
    conditions = joining.stack([creation.asarray(c) for c in condlist])
    conditions = convert(conditions, np.dtype(bool))
    conditions = joining.concatenate(
        [creation.zeros_like(conditions[:1]), conditions], axis=0
    )
    # the last condition that holds wins; row 0 stands for none
    last = cumulative.cumsum(convert(conditions, np.dtype("int32")), 0)
    which = reductions.argmax(last, axis=0)
    which = where(reductions.any(conditions, axis=0), which, 0)

    def branch(f):
        if callable(f):
            return lambda v: convert(creation.asarray(f(v, *args, **kw)), x.dtype)
        return lambda v: creation.asarray(f, dtype=x.dtype)

    branches = [branch(f) for f in funclist]
    if which.ndim < x.ndim:
        which = manipulation.broadcast_to(which, x.shape)
    one = lambda i, v: switch(i, branches, v)
    out = vmap(one)(which.reshape(-1), x.reshape(-1)) if x.size else x.reshape(-1)
    return out.reshape(x.shape)


def choose(
    a: ArrayLike,
    choices: Array | Sequence[ArrayLike],
    out: None = None,
    mode: str = "raise",
) -> Array:
    """For each element, the one of the choices whose number stands in `a`.

    Args: `a`, integers; `choices`, arrays that broadcast with `a`; `mode`, what numbers
    out of range do: 'raise' (outside of jit), 'wrap' or 'clip'.
    Raises: TypeError if `a` is not of integers, ValueError for a number out of range.

    >>> import jaxlike.numpy as jnp
    >>> jnp.choose(jnp.array([1, 0]), [jnp.array([1, 2]), 9]).tolist()
    [9, 2]
    """
    from jaxlike.numpy import binary, reductions

    if out is not None:
        raise NotImplementedError(
            format_error("choose takes no out", try_="x = jnp.choose(...)")
        )
    [a] = to_arrays("choose", a)
    if not dtypes.issubdtype(a.dtype, np.integer):
        raise ValueError(format_error("choose takes integers"))
    check_arraylike("choose", *choices)
    count = len(choices)
    if mode == "raise":
        a = concrete_or_error(
            None,
            a,
            "choose looks whether it is in range",
            "mode='clip' or mode='wrap'",
        )
        if bool(reductions.any((a < 0) | (a >= count))):
            raise ValueError(format_error("choose: an entry is no number of a choice"))
    elif mode == "wrap":
        a = binary.remainder(a, count)
    elif mode == "clip":
        a = binary.clip(a, 0, count - 1)
    else:
        raise ValueError(
            format_error(f"choose has no mode {mode!r}: raise, wrap, clip")
        )
    a, *arrays = broadcast_args(a, *promote_dtypes(*choices))
    return selection.select_n(a, *arrays) if count > 1 else arrays[0]


# --- positions


def nonzero(
    a: ArrayLike,
    *,
    size: int | None = None,
    fill_value: ArrayLike | tuple[ArrayLike, ...] | None = None,
) -> tuple[Array, ...]:
    """The positions of the elements that are not zero, an index array an axis.

    Args: `size`, how many positions to return, needed under jit; `fill_value`, what
    stands in the rest when there are fewer (0, or one value an axis).

    >>> import jaxlike.numpy as jnp
    >>> [i.tolist() for i in jnp.nonzero(jnp.array([[0, 7], [8, 0]]))]
    [[0, 1], [1, 0]]
    """
    from jaxlike.numpy import creation, reductions
    from jaxlike.numpy.ufuncs import to_bool

    [a] = to_arrays("nonzero", a)
    if a.ndim == 0:
        raise ValueError(
            format_error("nonzero takes at least 1 axis", try_="jnp.atleast_1d(x)")
        )
    mask = to_bool(a)
    if size is None:
        known = concrete_or_error(
            None,
            mask,
            "the number of results of nonzero depends on it",
            "size=n, the number of results; jnp.where(mask, x, y) to choose by element",
        )
        size = int(np.count_nonzero(known._data))
    size = concrete_or_error(operator.index, size, "size of nonzero")
    dtype = dtypes.default_int_dtype()
    if not a.size or not size:
        empty = [creation.zeros(size, dtype) for _ in range(a.ndim)]
        return tuple(_filled(empty, 0, size, fill_value, dtype))
    if type(mask) is Array and state.trace is eval_trace:
        found = [i[:size].astype(dtype) for i in np.nonzero(mask._data)]
        count = found[0].shape[0]
        if count == size:
            return tuple(from_ndarray(i) for i in found)
        padded = [np.zeros(size, dtype) for _ in found]
        for whole, part in zip(padded, found):
            whole[:count] = part
        arrays = [from_ndarray(i) for i in padded]
        return tuple(_filled(arrays, count, size, fill_value, dtype))
    flat = mask.reshape(-1)
    # the place of each nonzero element among them, counted from 0, is where its flat
    # position goes; the others, and those past the end, go nowhere
    from jaxlike.numpy import cumulative

    order = cumulative.cumsum(flat, dtype=dtype) - 1
    target = where(flat, order, size)
    positions = (
        creation.zeros(size, dtype)
        .at[target]
        .set(creation.arange_int(flat.size), mode="drop")
    )
    strides = np.cumprod([1, *a.shape[:0:-1]])[::-1]
    indices = [(positions // int(stride)) % n for stride, n in zip(strides, a.shape)]
    count = reductions.count_nonzero(flat)
    return tuple(_filled(indices, count, size, fill_value, dtype))


def _filled(indices, count, size, fill_value, dtype):
    """The indices with fill values from `count` on."""
    from jaxlike.numpy import creation

    if fill_value is None:
        values = (0,) * len(indices)
    elif isinstance(fill_value, tuple):
        values = fill_value
    else:
        values = (fill_value,) * len(indices)
    if len(values) != len(indices) or any(np.ndim(v) for v in values):
        raise ValueError(
            format_error(
                f"fill_value is a number or {len(indices)} numbers, got {fill_value!r}"
            )
        )
    real = creation.arange_int(size) < count
    return [
        where(real, index, creation.asarray(value).astype(dtype))
        for index, value in zip(indices, values)
    ]


def flatnonzero(
    a: ArrayLike,
    *,
    size: int | None = None,
    fill_value: ArrayLike | tuple[ArrayLike, ...] | None = None,
) -> Array:
    """The positions, in the flattened array, of the elements that are not zero.

    Args: `size` and `fill_value`, as in `nonzero`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.flatnonzero(jnp.array([[0, 7], [8, 0]])).tolist()
    [1, 2]
    """
    [a] = to_arrays("flatnonzero", a)
    return nonzero(a.reshape(-1), size=size, fill_value=fill_value)[0]


def argwhere(
    a: ArrayLike, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> Array:
    """The positions of the elements that are not zero, a row of indices each.

    Args: `size` and `fill_value`, as in `nonzero`.
    Returns: an integer array of shape (positions, a.ndim).

    >>> import jaxlike.numpy as jnp
    >>> jnp.argwhere(jnp.array([[0, 7], [8, 0]])).tolist()
    [[0, 1], [1, 0]]
    """
    from jaxlike.numpy import joining, manipulation

    [a] = to_arrays("argwhere", a)
    if a.ndim == 0:
        [rows] = nonzero(a.reshape(1), size=size, fill_value=fill_value)
        return rows.reshape(-1, 1)[:, :0]
    found = nonzero(a, size=size, fill_value=fill_value)
    return manipulation.transpose(joining.vstack(found)).reshape(-1, a.ndim)


def extract(
    condition: ArrayLike,
    arr: ArrayLike,
    *,
    size: int | None = None,
    fill_value: ArrayLike = 0,
) -> Array:
    """The elements of `arr`, flattened, at which `condition` holds.

    Args: `size`, how many to return, needed under jit; `fill_value`, for the rest.

    >>> import jaxlike.numpy as jnp
    >>> jnp.extract(jnp.array([0, 1, 1]), jnp.array([5, 6, 7])).tolist()
    [6, 7]
    """
    condition, arr = to_arrays("extract", condition, arr)
    mask, flat = condition.reshape(-1), arr.reshape(-1)
    return compress(mask, flat, size=size, fill_value=fill_value)


def compress(
    condition: ArrayLike,
    a: ArrayLike,
    axis: int | None = None,
    *,
    size: int | None = None,
    fill_value: ArrayLike = 0,
    out: None = None,
) -> Array:
    """The slices of `a` along an axis (the elements, for None) where a mask holds.

    Args: `condition`, a vector; `size`, how many to return, needed under jit;
    `fill_value`, for the rest.
    Raises: ValueError unless `condition` has one axis.

    >>> import jaxlike.numpy as jnp
    >>> jnp.compress(jnp.array([0, 1]), jnp.array([[1, 2], [3, 4]]), axis=1).tolist()
    [[2], [4]]
    """
    from jaxlike.numpy import creation, manipulation
    from jaxlike.numpy.ufuncs import to_bool

    if out is not None:
        raise NotImplementedError(format_error("out argument is not supported."))
    check_arraylike("compress", condition, a, fill_value)
    condition, a = to_arrays("compress", condition, a)
    if condition.ndim != 1:
        raise ValueError(format_error("compress takes a vector as condition"))
    condition = to_bool(condition)
    if axis is None:
        axis, a = 0, a.reshape(-1)
    a = manipulation.moveaxis(a, axis, 0)
    kept, extra = condition[: a.shape[0]], condition[a.shape[0] :]
    if type(extra) is Array and extra.size and np.any(extra._data):
        raise ValueError(
            format_error(
                "compress: the condition is longer than the axis, and true there"
            )
        )
    a = a[: kept.shape[0]]
    if size is None:
        picked = a[nonzero(kept)[0]]
    else:
        if not 0 < size <= a.shape[0]:
            raise ValueError(
                format_error(
                    f"size must lie in 1 to {a.shape[0]}, the length of the axis; got "
                    f"{size!r}"
                )
            )
        where_ = flatnonzero(kept, size=size, fill_value=a.shape[0])
        fill = creation.asarray(fill_value).astype(a.dtype)
        inside = where_ < a.shape[0]
        rows = a.at[where_].get(mode="fill", fill_value=0)
        lead = inside.reshape((-1,) + (1,) * (a.ndim - 1))
        picked = where(lead, rows, fill)
    return manipulation.moveaxis(picked, 0, axis)
