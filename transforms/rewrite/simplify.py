"""Simplify: equations that change nothing, or only the shape, are made what they are.

convert_element_type to the dtype that it has    -->  the operand
reduce_sum (and kin) over axes of size 1         -->  squeeze
reduce_sum (and kin) over no axes                -->  the operand
broadcast, reshape, transpose that move nothing  -->  the operand
split, unstack; stack                            -->  slices; concatenate
reduce_window over whole axes                    -->  a reduction
mul x 1, add x 0 (integers), sub x 0, div x 1    -->  the operand
"""

from __future__ import annotations

from collections.abc import Callable

from jaxlike.core.jaxpr import Atom, ClosedJaxpr, DropVar, JaxprEqn, Literal, Var
from jaxlike.core.primitive import registry
from jaxlike.transforms.rewrite.substitute import Substitution

_ORDER_FREE = {
    "reduce_sum",
    "reduce_prod",
    "reduce_max",
    "reduce_min",
    "reduce_and",
    "reduce_or",
    "reduce_xor",
}


MAX_STACKED = 16
"""Operands up to which a stack is worth taking apart."""


def simplify(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same jaxpr with the rules of this file applied, in one sweep."""
    jaxpr = closed.jaxpr
    sub = Substitution()
    eqns: list[JaxprEqn] = []
    scalars: dict[Var, Literal] = {}
    for eqn in jaxpr.eqns:
        invars = sub.atoms(eqn.invars)
        if eqn.primitive.name in _STRETCHING:
            invars = _scalars_for_constants(invars, eqn.outvars[0].aval, scalars)
        elif eqn.primitive.name == "broadcast_in_dim" and type(invars[0]) is Literal:
            scalars[eqn.outvars[0]] = invars[0]
        if any(a is not b for a, b in zip(invars, eqn.invars)):
            eqn = eqn.replace(invars=invars)
        parts = _PARTS.get(eqn.primitive.name)
        if parts is not None:
            eqns += parts(eqn)
            continue
        rule = _RULES.get(eqn.primitive.name)
        same = rule(eqn) if rule is not None else None
        if same is not None and same.aval.shape == eqn.outvars[0].aval.shape:
            sub.env[eqn.outvars[0]] = same
            continue
        eqns.append(_as_squeeze(eqn))
    outvars = sub.atoms(jaxpr.outvars)
    return ClosedJaxpr(jaxpr.replace(eqns=eqns, outvars=outvars), closed.consts)


_STRETCHING = frozenset(
    ("add", "sub", "mul", "div", "max", "min", "pow", "rem", "atan2")
    + ("eq", "ne", "lt", "le", "gt", "ge", "and", "or", "xor")
)


def _scalars_for_constants(invars, out, scalars) -> list[Atom]:
    """Operands that are one number everywhere, as that number."""
    if not any(
        v.aval.shape == out.shape and v not in scalars
        for v in invars
        if type(v) is not Literal
    ):
        return invars
    return [v if type(v) is Literal else scalars.get(v, v) for v in invars]


def _as_squeeze(eqn: JaxprEqn) -> JaxprEqn:
    if eqn.primitive.name not in _ORDER_FREE or type(eqn.invars[0]) is Literal:
        return eqn
    shape = eqn.invars[0].aval.shape
    axes = tuple(eqn.params["axes"])
    if not axes or any(shape[a] != 1 for a in axes):
        return eqn
    return JaxprEqn(
        eqn.invars,
        eqn.outvars,
        registry["squeeze"],
        {"dimensions": axes},
        source_info=eqn.source_info,
    )


def _slices(eqn: JaxprEqn, sizes=None) -> list[JaxprEqn]:
    """The parts of a split, each by itself."""
    (x,), axis, start = eqn.invars, eqn.params["axis"], 0
    out = []
    for var, size in zip(eqn.outvars, sizes or eqn.params["sizes"]):
        starts, limits = [0] * x.aval.ndim, list(x.aval.shape)
        starts[axis], limits[axis] = start, start + size
        start += size
        params = {
            "start_indices": tuple(starts),
            "limit_indices": tuple(limits),
            "strides": None,
        }
        out.append(
            JaxprEqn([x], [var], registry["slice"], params, source_info=eqn.source_info)
        )
    return out


def _unstack(eqn: JaxprEqn) -> list[JaxprEqn]:
    """Slices of size 1, without their axis."""
    (x,), axis = eqn.invars, eqn.params["axis"]
    shape = (*x.aval.shape[:axis], 1, *x.aval.shape[axis + 1 :])
    thick = [Var(v.aval.update(shape=shape)) for v in eqn.outvars]
    slices = _slices(eqn.replace(outvars=thick), [1] * len(thick))
    squeeze, params = registry["squeeze"], {"dimensions": (axis,)}
    source = eqn.source_info
    return slices + [
        JaxprEqn([a], [b], squeeze, params, source_info=source)
        for a, b in zip(thick, eqn.outvars)
        if type(b) is not DropVar
    ]


def _stack(eqn: JaxprEqn) -> list[JaxprEqn]:
    """Operands with an axis of size 1 more, concatenated."""
    axis, source = eqn.params["axis"], eqn.source_info
    if any(type(v) is Literal for v in eqn.invars) or len(eqn.invars) > MAX_STACKED:
        return [eqn]
    shape = eqn.invars[0].aval.shape
    dims = tuple(d + (d >= axis) for d in range(len(shape)))
    params = {
        "shape": (*shape[:axis], 1, *shape[axis:]),
        "broadcast_dimensions": dims,
    }
    thick = [Var(v.aval.update(shape=params["shape"])) for v in eqn.invars]
    broadcast = registry["broadcast_in_dim"]
    return [
        *(
            JaxprEqn([a], [b], broadcast, params, source_info=source)
            for a, b in zip(eqn.invars, thick)
        ),
        JaxprEqn(
            thick,
            eqn.outvars,
            registry["concatenate"],
            {"dimension": axis},
            source_info=source,
        ),
    ]


def _whole_window(eqn: JaxprEqn) -> list[JaxprEqn]:
    """A window that sees all of some axes at once, and one element along the others."""
    (x,), (out,), params = eqn.invars, eqn.outvars, eqn.params
    window, shape = params["window_dimensions"], x.aval.shape
    axes = tuple(d for d, k in enumerate(window) if k > 1)
    plain = type(x) is not Literal and not any(map(any, params["padding"]))
    for d, (k, n) in enumerate(zip(window, shape)):
        plain &= k == n if k > 1 else params["window_strides"][d] == 1
        plain &= params["base_dilation"][d] == params["window_dilation"][d] == 1
    if not plain or not axes:
        return [eqn]
    kept = tuple(d for d in range(len(shape)) if d not in axes)
    total = Var(x.aval.update(shape=tuple(shape[d] for d in kept)))
    reduce = registry[eqn.primitive.name.replace("_window", "")]
    reduction = {"axes": axes, "out_sharding": None}
    spread = {"shape": out.aval.shape, "broadcast_dimensions": kept}
    broadcast, source = registry["broadcast_in_dim"], eqn.source_info
    return [
        JaxprEqn([x], [total], reduce, reduction, source_info=source),
        JaxprEqn([total], [out], broadcast, spread, source_info=source),
    ]


_PARTS: dict[str, Callable[[JaxprEqn], list[JaxprEqn]]] = {
    "split": _slices,
    "unstack": _unstack,
    "stack": _stack,
    "reduce_window_sum": _whole_window,
    "reduce_window_max": _whole_window,
    "reduce_window_min": _whole_window,
}


def _convert(eqn: JaxprEqn) -> Atom | None:
    (x,) = eqn.invars
    if type(x) is Literal or x.aval.dtype != eqn.outvars[0].aval.dtype:
        return None
    return x


def _same_shape(eqn: JaxprEqn) -> Atom | None:
    x = eqn.invars[0]
    same = len(eqn.invars) == 1 and x.aval.shape == eqn.outvars[0].aval.shape
    return x if same and type(x) is not Literal else None


def _no_axes(eqn: JaxprEqn) -> Atom | None:
    x = eqn.invars[0]
    return None if eqn.params["axes"] or type(x) is Literal else x


def _reshape(eqn: JaxprEqn) -> Atom | None:
    return _same_shape(eqn) if eqn.params["dimensions"] is None else None


def _broadcast(eqn: JaxprEqn) -> Atom | None:
    dims = tuple(eqn.params["broadcast_dimensions"])
    return _same_shape(eqn) if dims == tuple(range(len(dims))) else None


def _transpose(eqn: JaxprEqn) -> Atom | None:
    order = tuple(eqn.params["permutation"])
    return eqn.invars[0] if order == tuple(range(len(order))) else None


def _neutral(value, *, right_only: bool, exact: bool = True) -> Callable:
    """x op value is x. Adding 0.0 to -0.0 is not, so floats are left alone there."""

    def rule(eqn: JaxprEqn) -> Atom | None:
        x, y = eqn.invars
        if not exact and x.aval.dtype.kind not in "iu":
            return None
        if type(y) is Literal and type(x) is not Literal and y.val == value:
            return x
        if not right_only and type(x) is Literal and type(y) is not Literal:
            return y if x.val == value else None
        return None

    return rule


_RULES: dict[str, Callable[[JaxprEqn], Atom | None]] = {
    **dict.fromkeys(_ORDER_FREE, _no_axes),
    "convert_element_type": _convert,
    "broadcast_in_dim": _broadcast,
    "reshape": _reshape,
    "transpose": _transpose,
    "mul": _neutral(1, right_only=False),
    "div": _neutral(1, right_only=True),
    "add": _neutral(0, right_only=False, exact=False),
    "sub": _neutral(0, right_only=True, exact=False),
}
