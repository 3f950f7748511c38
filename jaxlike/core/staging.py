"""Staging: run a Python function on abstract tracers, and keep the jaxpr it makes.

def f(x): return sin(x) * 2.   -->   { lambda ; a:f32[]. let
                                         b:f32[] = sin a
                                         c:f32[] = mul b 2.0:f32[]
                                       in (c,) }
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlike.core import errors, source_info
from jaxlike.core.array import Array, to_buffer
from jaxlike.core.avals import AbstractValue, ShapedArray, get_aval
from jaxlike.core.config import config
from jaxlike.core.jaxpr import (
    Atom,
    ClosedJaxpr,
    DebugInfo,
    Jaxpr,
    JaxprEqn,
    Literal,
    Var,
    check_jaxpr,
    hoist_consts,
    join_effects,
)
from jaxlike.core.state import state
from jaxlike.core.trace import Trace, Tracer


class StagingTracer(Tracer):
    """A variable of the jaxpr under construction."""

    __slots__ = ("atom",)

    atom: Var

    def __init__(self, trace: StagingTrace, aval: AbstractValue, atom: Var):
        self._trace = trace
        self.aval = aval
        self.atom = atom


class StagingTrace(Trace):
    """Records every primitive as an equation of one jaxpr."""

    __slots__ = (
        "closed",
        "const_of",
        "consts",
        "constvars",
        "debug_info",
        "eqns",
        "invars",
        "parent",
    )

    def __init__(
        self, debug_info: DebugInfo | None = None, parent: Trace | None = None
    ):
        self.eqns: list[JaxprEqn] = []
        self.invars: list[Var] = []
        self.constvars: list[Var] = []
        self.consts: list[Any] = []
        self.const_of: dict[int, Var] = {}
        self.debug_info = debug_info
        # for messages: what this runs under
        self.parent = parent
        self.closed = False

    def new_arg(self, aval: AbstractValue) -> StagingTracer:
        var = Var(aval)
        self.invars.append(var)
        return StagingTracer(self, aval, var)

    def atom_of(self, x: Any) -> Atom:
        """The atom for an operand: a variable, a literal or a captured const."""
        if isinstance(x, StagingTracer) and x._trace is self:
            return x.atom
        return self._lift(x)

    def _lift(self, x: Any) -> Atom:
        var = self.const_of.get(id(x))
        if var is not None:
            return var
        if isinstance(x, Tracer):
            check_not_leaked(x)
        aval = get_aval(x)
        if not aval.shape and type(aval) is ShapedArray:
            # Python scalars stay as they are: the value says that it is weakly typed
            if not isinstance(x, Array):
                return Literal(x if aval.weak_type else to_buffer(x)[()], aval)
            if aval.weak_type and type(x) is Array:
                return Literal(to_buffer(x).item(), aval)
        var = Var(aval)
        self.const_of[id(x)] = var
        self.constvars.append(var)
        self.consts.append(x)
        return var

    def process_primitive(self, primitive, args, params):
        if self.closed:
            raise errors.UnexpectedTracerError(
                errors.closed_trace_message(primitive, self.debug_info)
            )
        invars = [
            a.atom if type(a) is StagingTracer and a._trace is self else self._lift(a)
            for a in args
        ]
        try:
            out_avals, effects = primitive.out_avals(
                tuple([v.aval for v in invars]), params
            )
        except (TypeError, ValueError) as error:
            errors.add_details(error, errors.operand_details(args))
            raise
        source = state.source or source_info.current()
        if primitive.multiple_results:
            outvars = [Var(a) for a in out_avals]
            self.eqns.append(
                JaxprEqn(invars, outvars, primitive, params, effects, source)
            )
            return [StagingTracer(self, v.aval, v) for v in outvars]
        out = Var(out_avals)
        self.eqns.append(JaxprEqn(invars, [out], primitive, params, effects, source))
        return StagingTracer(self, out_avals, out)

    def process_custom_jvp_call(self, primitive, fun, jvp, args, *, symbolic_zeros):
        return primitive.stage(self, fun, jvp, args, symbolic_zeros=symbolic_zeros)

    def process_custom_vjp_call(
        self, primitive, fun, fwd, bwd, args, *, out_trees, symbolic_zeros
    ):
        return primitive.stage(
            self,
            fun,
            fwd,
            bwd,
            args,
            out_trees=out_trees,
            symbolic_zeros=symbolic_zeros,
        )

    def to_jaxpr(self, outs: Sequence[Any]) -> ClosedJaxpr:
        """Close the trace; the jaxpr that computes `outs`, and its consts."""
        outvars = [self.atom_of(x) for x in outs]
        jaxpr = Jaxpr(
            self.constvars,
            self.invars,
            outvars,
            self.eqns,
            join_effects(self.eqns),
            self.debug_info,
        )
        closed = ClosedJaxpr(jaxpr, self.consts)
        self.closed = True
        return closed


def check_not_leaked(x: Tracer) -> None:
    """Raise UnexpectedTracerError when the tracer's transform has ended."""
    trace = x._trace
    if getattr(trace, "closed", False):
        raise errors.UnexpectedTracerError(errors.leaked_message(x))


def trace_to_jaxpr(
    fun: Callable[..., Sequence[Any]],
    in_avals: Sequence[AbstractValue],
    *,
    name: str | None = None,
    debug_info: DebugInfo | None = None,
) -> tuple[ClosedJaxpr, list[Any]]:
    """Stage a function of flat arguments and results.

    Returns a jaxpr without consts, and the values (arrays, or tracers of outer traces)
    of its leading inputs: what the function closed over.
    """
    return hoist_consts(trace_to_closed_jaxpr(fun, in_avals, name, debug_info))


def trace_to_closed_jaxpr(
    fun: Callable[..., Sequence[Any]],
    in_avals: Sequence[AbstractValue],
    name: str | None = None,
    debug_info: DebugInfo | None = None,
) -> ClosedJaxpr:
    """As trace_to_jaxpr, keeping what the function closed over as consts."""
    if debug_info is None:
        debug_info = DebugInfo("jit", name or getattr(fun, "__name__", "fun"))
    previous, outer_source = state.trace, state.source
    trace = StagingTrace(debug_info, previous)
    args = [trace.new_arg(aval) for aval in in_avals]
    state.trace, state.source = trace, None
    try:
        outs = fun(*args)
    finally:
        state.trace, state.source = previous, outer_source
    closed = trace.to_jaxpr(outs)
    if config.check_tracer_leaks:
        del outs, args
        errors.check_for_leaks(trace)
    if config.enable_checks:
        check_jaxpr(closed)
    return closed


def consts_are_concrete(consts: Sequence[Any]) -> bool:
    return all(not isinstance(c, Tracer) for c in consts)
