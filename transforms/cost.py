"""An estimate of what a jaxpr costs: floating-point operations and bytes moved."""

from __future__ import annotations

import math
from collections.abc import Callable

from jaxlike.core.jaxpr import ClosedJaxpr, Jaxpr, JaxprEqn, jaxprs_in_params


def cost_of(closed: ClosedJaxpr) -> dict[str, float]:
    """{'flops', 'bytes accessed', 'transcendentals'} of one run of the jaxpr."""
    total = {"flops": 0.0, "bytes accessed": 0.0, "transcendentals": 0.0}
    _add(closed.jaxpr, 1.0, total)
    total["bytes accessed"] += sum(
        v.aval.size * v.aval.dtype.itemsize
        for v in (*closed.jaxpr.invars, *closed.jaxpr.outvars)
    )
    return total


_TRANSCENDENTAL = frozenset(
    [
        "exp",
        "exp2",
        "expm1",
        "log",
        "log1p",
        "sin",
        "cos",
        "tan",
        "tanh",
        "sinh",
        "cosh",
        "asin",
        "acos",
        "atan",
        "atan2",
        "asinh",
        "acosh",
        "atanh",
        "erf",
        "erfc",
        "erf_inv",
        "logistic",
        "pow",
        "sqrt",
        "rsqrt",
        "cbrt",
        "lgamma",
        "digamma",
    ]
)


def _add(jaxpr: Jaxpr, times: float, total: dict[str, float]) -> None:
    for eqn in jaxpr.eqns:
        inner = list(jaxprs_in_params(eqn.params))
        if inner:
            repeats = times * float(eqn.params.get("length", 1))
            if eqn.primitive.name == "cond":
                inner = inner[:1]
            for j in inner:
                _add(j, repeats, total)
            continue
        flops, transcendentals = _equation(eqn)
        total["flops"] += times * flops
        total["transcendentals"] += times * transcendentals


def operations(eqn: JaxprEqn) -> float:
    """Floating-point operations of one equation, transcendental functions as one."""
    total = {"flops": 0.0, "transcendentals": 0.0}
    one = Jaxpr([], [], [], [eqn], frozenset())
    _add(one, 1.0, total)
    return total["flops"] + total["transcendentals"]


def _equation(eqn: JaxprEqn) -> tuple[float, float]:
    """(flops, transcendentals) of an equation without inner jaxprs."""
    rule = _FLOPS.get(eqn.primitive.name)
    size = float(sum(v.aval.size for v in eqn.outvars))
    if rule is not None:
        return rule(eqn), 0.0
    if eqn.primitive.name in _TRANSCENDENTAL:
        return 0.0, size
    numeric = eqn.outvars and getattr(eqn.outvars[0].aval.dtype, "kind", "") in "fciu"
    return (size if numeric and eqn.primitive.name not in _FREE else 0.0), 0.0


_FREE = frozenset(
    [
        "broadcast_in_dim",
        "reshape",
        "transpose",
        "squeeze",
        "slice",
        "rev",
        "concatenate",
        "pad",
        "iota",
        "copy",
        "convert_element_type",
        "bitcast_convert_type",
        "gather",
        "dynamic_slice",
    ]
)


def _dot_flops(eqn: JaxprEqn) -> float:
    (contract, _), _ = eqn.params["dimension_numbers"]
    lhs = eqn.invars[0].aval
    return 2.0 * eqn.outvars[0].aval.size * math.prod(lhs.shape[d] for d in contract)


def _conv_flops(eqn: JaxprEqn) -> float:
    kernel = eqn.invars[1].aval
    out_feature = eqn.params["dimension_numbers"].rhs_spec[0]
    return 2.0 * eqn.outvars[0].aval.size * kernel.size / kernel.shape[out_feature]


def _reduce_flops(eqn: JaxprEqn) -> float:
    return float(eqn.invars[0].aval.size)


_FLOPS: dict[str, Callable[[JaxprEqn], float]] = {
    "dot_general": _dot_flops,
    "conv_general_dilated": _conv_flops,
    "reduce_sum": _reduce_flops,
    "reduce_max": _reduce_flops,
    "reduce_min": _reduce_flops,
    "reduce_prod": _reduce_flops,
    "cumsum": _reduce_flops,
}
