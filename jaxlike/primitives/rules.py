"""Helpers that cards define their rules with: elementwise shapes, JVPs, batching.

A card that is one formula per rule (sin, add, eq) is written with these alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives.linear import add_tangents

# the kinds of dtype that operands can be required to have
FLOAT = ("floating",)
COMPLEX = ("complexfloating",)
INEXACT = ("floating", "complexfloating")
INT = ("integer",)
BOOL_OR_INT = ("bool", "integer")
REAL = ("integer", "floating")
NUMBER = ("integer", "floating", "complexfloating")
ANY = ("bool", "integer", "floating", "complexfloating")


def dtype_kind(dtype) -> str:
    """One of bool, integer, floating, complexfloating, extended."""
    try:
        return _kinds[dtype]
    except KeyError:
        pass
    if isinstance(dtype, dtypes.ExtendedDType):
        return "extended"
    if dtype == np.bool_:
        kind = "bool"
    elif dtypes.issubdtype(dtype, np.integer):
        kind = "integer"
    elif dtypes.issubdtype(dtype, np.complexfloating):
        kind = "complexfloating"
    elif dtypes.issubdtype(dtype, np.floating):
        kind = "floating"
    else:
        kind = "extended"
    _kinds[dtype] = kind
    return kind


_kinds: dict[Any, str] = {}


def check_dtypes(name: str, accepts: Sequence[Sequence[str]], avals) -> None:
    """Raise TypeError unless each operand's dtype is of an accepted kind."""
    for i, (kinds, aval) in enumerate(zip(accepts, avals)):
        if dtype_kind(aval.dtype) not in kinds:
            which = f" at position {i}" if len(avals) > 1 else ""
            raise TypeError(
                format_error(
                    f"{name} takes {', '.join(kinds)}, not "
                    f"{_dtype_name(aval.dtype)}{which}"
                )
            )


def check_same_dtypes(name: str, avals) -> None:
    """Raise TypeError unless all operands have one dtype."""
    first = avals[0].dtype
    for aval in avals[1:]:
        if aval.dtype is not first and aval.dtype != first:
            raise TypeError(
                format_error(
                    f"{name} got incompatible dtypes "
                    + " and ".join(str(a) for a in avals),
                    try_="x.astype(dtype), or the function of jaxlike.numpy, which "
                    "promotes its operands",
                )
            )


def broadcast_shape(name: str, avals) -> tuple[int, ...]:
    """The common shape of operands that are scalars or of one rank.

    Axes of size 1 stretch, as in NumPy; ranks do not.
    """
    first = avals[0].shape
    if all(a.shape == first for a in avals):
        return first
    shapes = [a.shape for a in avals if a.shape]
    if not shapes:
        return ()
    if len({len(s) for s in shapes}) > 1:
        raise TypeError(
            format_error(
                f"{name} got operands of different ranks: "
                + " and ".join(str(a) for a in avals),
                try_="the function of jaxlike.numpy, which broadcasts its inputs",
            )
        )
    out = []
    for axis, sizes in enumerate(zip(*shapes)):
        others = {n for n in sizes if n != 1}
        if len(others) > 1:
            raise TypeError(
                format_error(
                    f"{name} got incompatible shapes "
                    + " and ".join(str(a) for a in avals),
                    details=[f"axis {axis}: " + " against ".join(map(str, sizes))],
                    try_=f"[:{min(others)}] of the longer operand, or check which axis "
                    "is the batch",
                )
            )
        out.append(others.pop() if others else 1)
    return tuple(out)


def elementwise_shape(
    name: str,
    accepts: Sequence[Sequence[str]],
    result: Callable[..., Any] | None,
    same_dtypes: bool,
    *avals: ShapedArray,
    **params,
) -> ShapedArray:
    check_dtypes(name, accepts, avals)
    if same_dtypes and len(avals) > 1:
        check_same_dtypes(name, avals)
    shape = broadcast_shape(name, avals) if len(avals) > 1 else avals[0].shape
    weak = all(a.weak_type for a in avals)
    if result is None:
        return ShapedArray(shape, avals[0].dtype, weak)
    dtype = result(*(a.dtype for a in avals), **params)
    return ShapedArray(shape, dtype, weak)


def elementwise(
    name: str,
    evaluate: Callable[..., Any],
    accepts: Sequence[str] | Sequence[Sequence[str]],
    *,
    nargs: int = 1,
    result: Callable[..., Any] | None = None,
    same_dtypes: bool = True,
) -> Primitive:
    """A primitive that works element by element, with broadcasting of size-1 axes.

    accepts: kinds of dtype, for all operands, or a sequence of kinds for each.
    result:  (*dtypes, **params) -> result dtype; the first operand's by default.
    """
    primitive = Primitive(name)
    if isinstance(accepts[0], str):
        accepts = (accepts,) * nargs
    primitive.shape = partial(elementwise_shape, name, accepts, result, same_dtypes)
    primitive.evaluate = evaluate
    primitive.batch = partial(_batch_elementwise_rule, primitive)
    return primitive


def _batch_elementwise_rule(primitive, axis_data, args, dims, **params):
    return batch_elementwise(primitive, axis_data, args, dims, params)


def batch_elementwise(primitive, axis_data, args, dims, params) -> tuple[Any, int]:
    """Batching of any elementwise primitive: line the batch axes up, then apply it."""
    ranks = [get_aval(a).ndim - (d is not None) for a, d in zip(args, dims)]
    rank = max(ranks)
    shapes = {get_aval(a).shape for a in args}
    first = next(d for d in dims if d is not None)
    if len(shapes) == 1 and all(d == first for d in dims):
        out_dim, lined_up = first, args
    else:
        out_dim = 0
        lined_up = [
            _line_up(a, d, r, rank) for a, d, r in zip(args, dims, ranks, strict=True)
        ]
    out = primitive.bind(*lined_up, **params)
    if primitive.multiple_results:
        return out, [out_dim] * len(out)
    return out, out_dim


def _line_up(x, dim, rank: int, to_rank: int):
    from jaxlike.primitives.shapes import broadcast_in_dim, moveaxis

    shape = get_aval(x).shape
    if dim is None:
        if rank == 0:
            return x
        return broadcast_in_dim(x, (1, *shape), range(1, rank + 1))
    x = moveaxis(x, dim, 0)
    if rank < to_rank:  # a scalar with a batch axis against arrays
        x = broadcast_in_dim(x, (shape[dim],) + (1,) * to_rank, (0,))
    return x


# --- differentiation


def defjvp(primitive: Primitive, *rules: Callable[..., Any] | None) -> None:
    """Set the JVP from one rule an operand: (tangent, *primals, **params) -> tangent.

    None says that the result does not depend differentiably on that operand.
    """

    def jvp(primals, tangents, **params):
        out = primitive.bind(*primals, **params)
        total: Any = None
        for rule, tangent in zip(rules, tangents, strict=True):
            if rule is None or type(tangent) is Zero:
                continue
            term = rule(tangent, *primals, **params)
            total = term if total is None else add_tangents(total, term)
        if total is None:
            total = Zero(get_aval(out).to_tangent_aval())
        return out, total

    primitive.jvp = jvp


def defjvp_with_output(primitive: Primitive, *rules: Callable[..., Any] | None) -> None:
    """As defjvp, for rules that also use the result: (tangent, out, *primals)."""

    def jvp(primals, tangents, **params):
        out = primitive.bind(*primals, **params)
        total: Any = None
        for rule, tangent in zip(rules, tangents, strict=True):
            if rule is None or type(tangent) is Zero:
                continue
            term = rule(tangent, out, *primals, **params)
            total = term if total is None else add_tangents(total, term)
        if total is None:
            total = Zero(get_aval(out).to_tangent_aval())
        return out, total

    primitive.jvp = jvp


def deflinear(primitive: Primitive, transpose: Callable[..., Any]) -> None:
    """A primitive linear in its only operand (or in all of its operands together).

    transpose: (ct, *args, **params) -> list of cotangents.
    """

    def jvp(primals, tangents, **params):
        out = primitive.bind(*primals, **params)
        if all(type(t) is Zero for t in tangents):
            return out, Zero(get_aval(out).to_tangent_aval())
        from jaxlike.primitives.linear import instantiate

        return out, primitive.bind(*map(instantiate, tangents), **params)

    primitive.jvp = jvp
    primitive.transpose = transpose


def defbilinear(
    primitive: Primitive, transpose_lhs: Callable, transpose_rhs: Callable
) -> None:
    """A primitive linear in each of two operands.

    transpose_lhs: (ct, lhs_aval, rhs, **params) -> ct of lhs;
    transpose_rhs: (ct, lhs, rhs_aval, **params) -> ct of rhs.
    """

    def transpose(ct, lhs, rhs, **params):
        if is_undefined_primal(lhs):
            if is_undefined_primal(rhs):
                raise TypeError(
                    format_error(
                        f"{primitive.name} of two values that both depend on the "
                        "tangents: what is run backwards must be linear in them",
                        try_="a custom rule that uses each tangent once",
                    )
                )
            return [transpose_lhs(ct, lhs.aval, rhs, **params), None]
        return [None, transpose_rhs(ct, lhs, rhs.aval, **params)]

    defjvp(
        primitive,
        lambda t, lhs, rhs, **params: primitive.bind(t, rhs, **params),
        lambda t, lhs, rhs, **params: primitive.bind(lhs, t, **params),
    )
    primitive.transpose = transpose


def unbroadcast(aval: ShapedArray, ct: Any) -> Any:
    """Sum a cotangent over the axes along which an operand of `aval` was stretched."""
    if type(ct) is Zero:
        return Zero(aval)
    shape = get_aval(ct).shape
    if shape == aval.shape:
        return ct
    from jaxlike.primitives.reductions import reduce_sum
    from jaxlike.primitives.shapes import reshape

    if not aval.shape:
        return reduce_sum(ct, tuple(range(len(shape))))
    axes = [i for i, (n, m) in enumerate(zip(shape, aval.shape)) if n != m]
    return reshape(reduce_sum(ct, tuple(axes)), aval.shape)


def _dtype_name(dtype) -> str:
    return getattr(dtype, "name", str(dtype))


# --- constants in rules


def scalar_like(x: Any, value: float) -> Any:
    """`value` as a scalar operand that goes with `x`: of its dtype and weak type."""
    aval = get_aval(x)
    if aval.weak_type:
        if aval.dtype.kind == "c":
            value = complex(value)
        if aval.dtype == dtypes.python_scalar_dtype(type(value)):
            return value
    key = aval.dtype, value
    try:
        return _scalars[key]
    except KeyError:
        return _scalars.setdefault(key, np.array(value, aval.dtype))


_scalars: dict[Any, np.ndarray] = {}
