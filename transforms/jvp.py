"""Forward mode: the JVP interpreter.

    f:  { lambda ; a:f32[]. let b:f32[] = sin a in (b,) }
    jvp(f):  { lambda ; a:f32[] t:f32[]. let b:f32[] = sin a
                                            c:f32[] = cos a
                                            d:f32[] = mul t c in (b, d) }

linearize.py separates the two kinds of equations; pushforward.py has the user's jvp.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlike.core import dtypes
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import ClosedJaxpr, eval_jaxpr
from jaxlike.core.staging import trace_to_closed_jaxpr
from jaxlike.core.state import state
from jaxlike.core.trace import Trace, Tracer
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linear import instantiate


class JVPTracer(Tracer):
    """A primal together with its tangent."""

    __slots__ = ("primal", "tangent")

    def __init__(self, trace: Trace, primal: Any, tangent: Any):
        self._trace = trace
        self.primal = primal
        self.tangent = tangent
        self.aval = get_aval(primal)

    def concrete_value(self):
        if isinstance(self.primal, Tracer):
            return self.primal.concrete_value()
        return self.primal


class JVPTrace(Trace):
    """Pushes tangents forward, equation by equation."""

    __slots__ = ("closed", "owner", "parent")

    def __init__(self, parent: Trace, owner: tuple[str, Any] | None = None):
        self.parent = parent
        self.owner = owner
        self.closed = False

    def unpack(self, x: Any) -> tuple[Any, Any]:
        if type(x) is JVPTracer and x._trace is self:
            return x.primal, x.tangent
        return x, Zero(get_aval(x).to_tangent_aval())

    def pack(self, primal: Any, tangent: Any) -> Any:
        if type(tangent) is Zero:
            return primal
        return JVPTracer(self, primal, tangent)

    def process_primitive(self, primitive, args, params):
        primals, tangents = zip(*map(self.unpack, args)) if args else ((), ())
        previous = state.trace
        state.trace = self.parent
        try:
            if all(type(t) is Zero for t in tangents):
                return primitive.bind(*primals, **params)
            if primitive.jvp is None:
                out, tangent = without_tangents(primitive, primals, params)
            else:
                out, tangent = primitive.jvp(primals, tangents, **params)
        finally:
            state.trace = previous
        if primitive.multiple_results:
            return [self.pack(p, t) for p, t in zip(out, tangent, strict=True)]
        return self.pack(out, tangent)

    def process_custom_jvp_call(self, primitive, fun, jvp, args, *, symbolic_zeros):
        primals, tangents = zip(*map(self.unpack, args)) if args else ((), ())
        previous = state.trace
        state.trace = self.parent
        try:
            if all(type(t) is Zero for t in tangents):
                return primitive.bind_with_trace(
                    self.parent, fun, jvp, primals, symbolic_zeros=symbolic_zeros
                )
            outs, out_tangents = primitive.call_jvp(
                jvp, primals, tangents, symbolic_zeros
            )
        finally:
            state.trace = previous
        return [self.pack(p, t) for p, t in zip(outs, out_tangents, strict=True)]

    def process_custom_vjp_call(
        self, primitive, fun, fwd, bwd, args, *, out_trees, symbolic_zeros
    ):
        primals, tangents = zip(*map(self.unpack, args)) if args else ((), ())
        previous = state.trace
        state.trace = self.parent
        try:
            if all(type(t) is Zero for t in tangents):
                return primitive.bind_with_trace(
                    self.parent,
                    fun,
                    fwd,
                    bwd,
                    primals,
                    out_trees=out_trees,
                    symbolic_zeros=symbolic_zeros,
                )
            outs, out_tangents = primitive.call_linear(
                fwd, bwd, primals, tangents, out_trees, symbolic_zeros
            )
        finally:
            state.trace = previous
        return [self.pack(p, t) for p, t in zip(outs, out_tangents, strict=True)]


def without_tangents(primitive, primals, params) -> tuple[Any, Any]:
    """(outs, Zeros) of a primitive without a JVP rule, where results are integers."""
    out = primitive.bind(*primals, **params)
    outs = out if primitive.multiple_results else [out]
    tangents = [Zero(get_aval(x).to_tangent_aval()) for x in outs]
    if any(t.aval.dtype != dtypes.float0 for t in tangents):
        raise missing_jvp(primitive)
    return out, tangents if primitive.multiple_results else tangents[0]


def missing_jvp(primitive) -> Exception:
    why = primitive.not_differentiable or "no JVP rule is defined for it"
    return NotImplementedError(
        format_error(
            f"Differentiation rule for {primitive.name!r} not implemented: {why}",
            try_="lax.stop_gradient around it, or jaxlike.custom_jvp for the function "
            "that uses it",
        )
    )


def jvp_flat(
    fun: Callable[..., Sequence[Any]],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    transform: str | None = None,
) -> tuple[list[Any], list[Any]]:
    """The outputs of a flat function, and their tangents (maybe Zero).

    transform is what messages call it, where the function is the user's.
    """
    parent = state.trace
    trace = JVPTrace(parent, transform and (transform, fun))
    state.trace = trace
    try:
        outs = fun(*map(trace.pack, primals, tangents))
    finally:
        state.trace = parent
        trace.closed = True
    pairs = [trace.unpack(x) for x in outs]
    return [p for p, _ in pairs], [t for _, t in pairs]


def jvp_jaxpr(
    closed: ClosedJaxpr, nonzeros: Sequence[bool], instantiate_outs: bool | Sequence
) -> tuple[ClosedJaxpr, list[bool]]:
    """The jaxpr of primals and nonzero tangents to outputs and nonzero tangents.

    instantiate_outs says which output tangents are made arrays even if they are zero.
    """
    key = ("jvp", tuple(nonzeros), _as_key(instantiate_outs))
    return closed.memo(key, lambda: _jvp_jaxpr(closed, nonzeros, instantiate_outs))


def _as_key(instantiate_outs):
    if isinstance(instantiate_outs, bool):
        return instantiate_outs
    return tuple(instantiate_outs)


def _jvp_jaxpr(closed, nonzeros, instantiate_outs):
    in_avals = closed.in_avals
    num_in = len(in_avals)
    num_out = len(closed.out_avals)
    if isinstance(instantiate_outs, bool):
        instantiate_outs = [instantiate_outs] * num_out
    tangent_avals = [a.to_tangent_aval() for a in in_avals]
    nonzeros_out: list[bool] = []

    def fun(*args):
        primals, given = args[:num_in], iter(args[num_in:])
        tangents = [
            next(given) if nz else Zero(a) for nz, a in zip(nonzeros, tangent_avals)
        ]
        outs, out_tangents = jvp_flat(
            lambda *xs: eval_jaxpr(closed.jaxpr, closed.consts, *xs), primals, tangents
        )
        out_tangents = [
            instantiate(t) if inst else t
            for t, inst in zip(out_tangents, instantiate_outs)
        ]
        nonzeros_out.extend(type(t) is not Zero for t in out_tangents)
        return [*outs, *(t for t in out_tangents if type(t) is not Zero)]

    avals = in_avals + [a for a, nz in zip(tangent_avals, nonzeros) if nz]
    result = trace_to_closed_jaxpr(fun, avals, debug_info=closed.jaxpr.debug_info)
    return result, nonzeros_out
