"""scatter and its siblings: windows written at many places, which indices give.

out[start(indices[b]) + w] op= updates[b, w]. For scatter itself op is "replace", and
of updates to one place the last wins. indexing_numbers.py explains the axes,
windows_plan.py does it by NumPy (scatter_numpy.py writes the rows).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import ClosedJaxpr, Jaxpr, JaxprEqn, Var
from jaxlike.core.primitive import Primitive
from jaxlike.core.staging import trace_to_closed_jaxpr
from jaxlike.core.trace import Tracer
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives import arithmetic
from jaxlike.primitives.axes import canonical_shape
from jaxlike.primitives.gather import check_indices, gather
from jaxlike.primitives.indexing_numbers import (
    GatherScatterMode,
    ScatterDimensionNumbers,
    as_gather,
    canonical_numbers,
    check_numbers,
)
from jaxlike.primitives.linear import add_tangents, instantiate, zeros_of
from jaxlike.primitives.rules import ANY, NUMBER, check_dtypes, check_same_dtypes
from jaxlike.primitives.scatter_numpy import evaluate_scatter
from jaxlike.primitives.shapes import (
    batch_axis_at,
    broadcasted_iota,
    full,
    full_like,
    reshape,
)

__all__ = [
    "ScatterDimensionNumbers",
    "scatter",
    "scatter_add",
    "scatter_add_p",
    "scatter_apply",
    "scatter_max",
    "scatter_max_p",
    "scatter_min",
    "scatter_min_p",
    "scatter_mul",
    "scatter_mul_p",
    "scatter_p",
    "scatter_sub",
    "scatter_sub_p",
]

# --- what all of them share


def window_sizes(operand_ndim: int, updates_shape, numbers) -> tuple[int, ...]:
    """The window, one size for each axis of the operand."""
    window, inserted, _, op_batch, _ = numbers
    inside = iter(window)
    return tuple(
        [
            1 if d in inserted or d in op_batch else updates_shape[next(inside)]
            for d in range(operand_ndim)
        ]
    )


def _scatter_shape(
    name,
    accepts,
    operand,
    indices,
    updates,
    *,
    dimension_numbers,
    indices_are_sorted,
    unique_indices,
    mode,
    update_jaxpr,
    update_consts,
):
    check_indices(indices)
    if accepts is not None:
        check_dtypes(name, (accepts,) * 2, (operand, updates))
    check_same_dtypes(name, (operand, updates))
    window = dimension_numbers[0]
    rank = len(window) + indices.ndim - 1
    if updates.ndim != rank:
        _fail(name, f"updates must be of rank {rank}, got {updates}")
    check_numbers(name, dimension_numbers, operand, indices, rank)
    outside = tuple([n for a, n in enumerate(updates.shape) if a not in window])
    if outside != indices.shape[:-1]:
        _fail(
            name,
            f"the axes of updates {updates} other than {window} must have the sizes of "
            f"the indices {indices} without their last axis",
        )
    sizes = window_sizes(operand.ndim, updates.shape, dimension_numbers)
    for axis, (m, n) in enumerate(zip(sizes, operand.shape)):
        if m > n:
            _fail(
                name,
                f"the window of updates {updates} is larger than the operand {operand}"
                f": axis {axis}: {m} against {n}",
            )
    weak = operand.weak_type and updates.weak_type
    return ShapedArray(operand.shape, operand.dtype, weak)


def _fail(name: str, message: str):
    raise TypeError(format_error(f"{name}: {message}"))


def _up(dims) -> tuple[int, ...]:
    return tuple([d + 1 for d in dims])


def _scatter_batch(primitive, axis_data, args, dims, *, dimension_numbers, **params):
    operand, indices, updates = args
    size = axis_data.size
    operand = batch_axis_at(operand, dims[0], 0, size)
    updates = batch_axis_at(updates, dims[2], 0, size)
    window, inserted, to_operand, op_batch, idx_batch = dimension_numbers
    window, inserted, to_operand, op_batch = map(
        _up, (window, inserted, to_operand, op_batch)
    )
    if dims[1] is None:
        window = (0, *window)
    else:
        indices = batch_axis_at(indices, dims[1], 0, size)
        op_batch, idx_batch = (0, *op_batch), (0, *_up(idx_batch))
    numbers = ScatterDimensionNumbers(window, inserted, to_operand, op_batch, idx_batch)
    out = primitive.bind(operand, indices, updates, dimension_numbers=numbers, **params)
    return out, 0


def _define(name: str, ufunc: Any, accepts: Sequence[str] | None) -> Primitive:
    primitive = Primitive(name)
    primitive.shape = functools.partial(_scatter_shape, name, accepts)
    primitive.evaluate = functools.partial(evaluate_scatter, ufunc)
    primitive.batch = functools.partial(_scatter_batch, primitive)
    return primitive


@functools.cache
def _update_jaxpr(primitive: Primitive, dtype) -> ClosedJaxpr:
    """lambda a, b: primitive(a, b), the way two values combine."""
    aval = ShapedArray((), dtype)
    a, b, c = Var(aval), Var(aval), Var(aval)
    eqn = JaxprEqn([a, b], [c], primitive, {})
    return ClosedJaxpr(Jaxpr([], [a, b], [c], [eqn]))


def _bind(
    primitive: Primitive,
    combine: Primitive | None,
    args,
    numbers,
    indices_are_sorted,
    unique_indices,
    mode,
):
    jaxpr = None
    if combine is not None:
        jaxpr = _update_jaxpr(combine, get_aval(args[0]).dtype)
    return primitive.bind(
        *args,
        dimension_numbers=canonical_numbers(numbers),
        indices_are_sorted=bool(indices_are_sorted),
        unique_indices=bool(unique_indices),
        mode=GatherScatterMode.from_any(mode),
        update_jaxpr=jaxpr,
        update_consts=(),
    )


def _read_back(x, indices, updates_shape, params):
    """gather: the windows of `x` that a scatter with these params writes."""
    return gather(
        x,
        indices,
        as_gather(params["dimension_numbers"]),
        window_sizes(get_aval(x).ndim, updates_shape, params["dimension_numbers"]),
        indices_are_sorted=params["indices_are_sorted"],
        unique_indices=params["unique_indices"],
        mode=params["mode"],
        fill_value=0,
    )


def _sum_at(aval, indices, updates, params):
    """Zeros of this aval, with updates added where the scatter puts them."""
    return scatter_add(
        zeros_of(aval),
        indices,
        updates,
        params["dimension_numbers"],
        indices_are_sorted=params["indices_are_sorted"],
        unique_indices=params["unique_indices"],
        mode=params["mode"],
    )


def _aval_of(x):
    return x.aval if is_undefined_primal(x) else get_aval(x)


# --- scatter, scatter_add and scatter_sub: linear in (operand, updates) together


def _linear_jvp(primitive, primals, tangents, **params):
    if params["update_jaxpr"] is not None and primitive is scatter_p:
        raise NotImplementedError(
            format_error(
                "scatter_apply has no derivative",
                try_="x.at[i].set(f(x[i])), for indices that do not repeat",
            )
        )
    operand, indices, updates = primals
    out = primitive.bind(operand, indices, updates, **params)
    t_operand, _, t_updates = tangents
    if type(t_operand) is Zero and type(t_updates) is Zero:
        return out, Zero(get_aval(out).to_tangent_aval())
    return out, primitive.bind(
        instantiate(t_operand), indices, instantiate(t_updates), **params
    )


def _add_transpose(sign: int, ct, operand, indices, updates, **params):
    if type(ct) is Zero:
        return [None, None, None]
    ct_operand = ct if is_undefined_primal(operand) else None
    ct_updates = None
    if is_undefined_primal(updates):
        ct_updates = _read_back(ct, indices, updates.aval.shape, params)
        if sign < 0:
            ct_updates = arithmetic.neg(ct_updates)
    return [ct_operand, None, ct_updates]


def _scatter_transpose(ct, operand, indices, updates, **params):
    if type(ct) is Zero:
        return [None, None, None]
    ct_operand = ct_updates = None
    aval = _aval_of(updates)
    if is_undefined_primal(operand):
        ct_operand = scatter_p.bind(ct, indices, zeros_of(aval), **params)
    if is_undefined_primal(updates):
        ct_updates = _read_back(ct, indices, aval.shape, params)
        if not params["unique_indices"]:
            from jaxlike.primitives.selection import select_n

            won = _last_writers(get_aval(ct), indices, aval.shape, params)
            ct_updates = select_n(won, zeros_of(get_aval(ct_updates)), ct_updates)
    return [ct_operand, None, ct_updates]


def _last_writers(aval, indices, updates_shape, params):
    """Which updates are still there after the scatter, and not overwritten."""
    from jaxlike.primitives.comparison import eq

    count = int(np.prod(updates_shape))
    numbers = reshape(broadcasted_iota(np.int32, (count,), 0), updates_shape)
    written = scatter_p.bind(full(aval.shape, np.int32(-1)), indices, numbers, **params)
    return eq(numbers, _read_back(written, indices, updates_shape, params))


scatter_p = _define("scatter", None, None)
scatter_add_p = _define("scatter-add", np.add, NUMBER)
scatter_sub_p = _define("scatter-sub", np.subtract, NUMBER)
for _p in (scatter_p, scatter_add_p, scatter_sub_p):
    _p.jvp = functools.partial(_linear_jvp, _p)
scatter_p.transpose = _scatter_transpose
scatter_add_p.transpose = functools.partial(_add_transpose, 1)
scatter_sub_p.transpose = functools.partial(_add_transpose, -1)


def scatter(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """Replace windows of an array at the places that index vectors give.

    Where windows meet, the last update wins.

    Args: `scatter_indices`, ints [..., c] whose last axis holds index vectors;
    `updates`, the windows; `dimension_numbers`, what each axis does; `mode`, what
    happens out of bounds ("drop", the default, or "clip").
    Raises: TypeError if shapes or dtypes do not fit, ValueError for float indices.

    >>> from jaxlike import lax
    >>> one = lax.ScatterDimensionNumbers((), (0,), (0,))
    >>> x, at = np.zeros(3), np.array([[2], [0]])
    >>> lax.scatter(x, at, np.array([5.0, 6.0]), one).tolist()
    [6.0, 0.0, 5.0]
    """
    args = operand, scatter_indices, updates
    flags = indices_are_sorted, unique_indices, mode
    return _bind(scatter_p, None, args, dimension_numbers, *flags)


def scatter_add(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """Add windows to an array at the places that index vectors give.

    Arguments and errors are those of `scatter`; places that repeat get all updates.

    >>> from jaxlike import lax
    >>> one = lax.ScatterDimensionNumbers((), (0,), (0,))
    >>> x, at = np.zeros(3), np.array([[2], [2]])
    >>> lax.scatter_add(x, at, np.array([5.0, 6.0]), one).tolist()
    [0.0, 0.0, 11.0]
    """
    args = operand, scatter_indices, updates
    flags = indices_are_sorted, unique_indices, mode
    return _bind(scatter_add_p, arithmetic.add_p, args, dimension_numbers, *flags)


def scatter_sub(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """Subtract windows from an array; as `scatter_add` otherwise."""
    args = operand, scatter_indices, updates
    flags = indices_are_sorted, unique_indices, mode
    return _bind(scatter_sub_p, arithmetic.sub_p, args, dimension_numbers, *flags)


# --- scatter_mul: linear in the operand; in the updates where places do not repeat

scatter_mul_p = _define("scatter-mul", np.multiply, NUMBER)


def _scatter_mul_jvp(primals, tangents, **params):
    operand, indices, updates = primals
    out = scatter_mul_p.bind(operand, indices, updates, **params)
    t_operand, _, t_updates = tangents
    total = Zero(get_aval(out).to_tangent_aval())
    if type(t_operand) is not Zero:
        total = scatter_mul_p.bind(t_operand, indices, updates, **params)
    if type(t_updates) is not Zero:
        if not params["unique_indices"]:
            raise NotImplementedError(
                format_error(
                    "scatter_mul has a derivative for its updates only if "
                    "unique_indices=True",
                    try_="unique_indices=True, if no index repeats",
                )
            )
        spread = _sum_at(get_aval(operand), indices, t_updates, params)
        total = add_tangents(total, arithmetic.mul(spread, operand))
    return out, total


def _scatter_mul_transpose(ct, operand, indices, updates, **params):
    if type(ct) is Zero:
        return [None, None, None]
    return [scatter_mul_p.bind(ct, indices, updates, **params), None, None]


scatter_mul_p.jvp = _scatter_mul_jvp
scatter_mul_p.transpose = _scatter_mul_transpose


def scatter_mul(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """Multiply windows into an array; as `scatter_add` otherwise."""
    args = operand, scatter_indices, updates
    flags = indices_are_sorted, unique_indices, mode
    return _bind(scatter_mul_p, arithmetic.mul_p, args, dimension_numbers, *flags)


# --- scatter_min, scatter_max: all that tie for a place share its derivative evenly

scatter_min_p = _define("scatter-min", np.minimum, ANY)
scatter_max_p = _define("scatter-max", np.maximum, ANY)


def _extremal_jvp(primitive, primals, tangents, **params):
    from jaxlike.primitives.comparison import eq
    from jaxlike.primitives.conversion import convert_element_type

    operand, indices, updates = primals
    out = primitive.bind(operand, indices, updates, **params)
    t_operand, _, t_updates = tangents
    if type(t_operand) is Zero and type(t_updates) is Zero:
        return out, Zero(get_aval(out).to_tangent_aval())
    aval, updates_shape = get_aval(out), get_aval(updates).shape
    kept = convert_element_type(eq(operand, out), aval.dtype)
    placed = _read_back(out, indices, updates_shape, params)
    taken = convert_element_type(eq(updates, placed), aval.dtype)
    params = {**params, "update_jaxpr": None}
    winners = arithmetic.add(kept, _sum_at(aval, indices, taken, params))
    winners = arithmetic.max(winners, full_like(winners, 1))  # none, where NaN is
    total = Zero(aval.to_tangent_aval())
    if type(t_operand) is not Zero:
        total = arithmetic.mul(t_operand, arithmetic.div(kept, winners))
    if type(t_updates) is not Zero:
        shares = _read_back(winners, indices, updates_shape, params)
        shares = arithmetic.max(shares, full_like(shares, 1))  # dropped ones read 0
        share = arithmetic.div(taken, shares)
        spread = _sum_at(aval, indices, arithmetic.mul(t_updates, share), params)
        total = add_tangents(total, spread)
    return out, total


scatter_min_p.jvp = functools.partial(_extremal_jvp, scatter_min_p)
scatter_max_p.jvp = functools.partial(_extremal_jvp, scatter_max_p)


def scatter_min(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """Keep the smaller of an array and windows on it; as `scatter_add` otherwise."""
    args = operand, scatter_indices, updates
    flags = indices_are_sorted, unique_indices, mode
    return _bind(scatter_min_p, arithmetic.min_p, args, dimension_numbers, *flags)


def scatter_max(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """Keep the larger of an array and windows on it; as `scatter_add` otherwise."""
    args = operand, scatter_indices, updates
    flags = indices_are_sorted, unique_indices, mode
    return _bind(scatter_max_p, arithmetic.max_p, args, dimension_numbers, *flags)


# --- scatter_apply: scatter with a function of what is there


def scatter_apply(
    operand: Any,
    scatter_indices: Any,
    func: Callable[[Any], Any],
    dimension_numbers: ScatterDimensionNumbers,
    *,
    update_shape: Sequence[int] = (),
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """Apply a scalar function to the elements at the places that index vectors give.

    An element whose place repeats goes through `func` as often.

    Args: `func`, from a scalar to a scalar of the same dtype; `update_shape`, that of
    the windows all together, as updates would have it; others as for `scatter`.
    Raises: TypeError if func gives another type or shapes do not fit.

    >>> from jaxlike import lax
    >>> one = lax.ScatterDimensionNumbers((), (0,), (0,))
    >>> x, at = np.array([1.0, 2.0, 3.0]), np.array([[2], [0]])
    >>> lax.scatter_apply(x, at, lax.neg, one, update_shape=(2,)).tolist()
    [-1.0, 2.0, -3.0]
    """
    aval = get_aval(operand)
    scalar = ShapedArray((), aval.dtype)
    jaxpr = trace_to_closed_jaxpr(lambda v: [func(v)], [scalar], "scatter_apply")
    out = jaxpr.out_avals[0]
    if out.shape or out.dtype != aval.dtype:
        raise TypeError(
            format_error(
                f"scatter_apply: func must take {scalar} to a value like it, but gave "
                f"{out}"
            )
        )
    if any(isinstance(c, Tracer) for c in jaxpr.consts):
        raise TypeError(
            format_error(
                "scatter_apply: func uses values that are being traced",
                try_="x.at[i].set(f(x[i])), for indices that do not repeat",
            )
        )
    shape = canonical_shape(update_shape, "scatter_apply: update_shape")
    return scatter_p.bind(
        operand,
        scatter_indices,
        full(shape, 0, aval.dtype),
        dimension_numbers=canonical_numbers(dimension_numbers),
        indices_are_sorted=bool(indices_are_sorted),
        unique_indices=bool(unique_indices),
        mode=GatherScatterMode.from_any(mode),
        update_jaxpr=jaxpr,
        update_consts=(),
    )
