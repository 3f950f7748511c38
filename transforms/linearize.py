"""Linearize: run a function on its primals, and keep the linear map of its tangents.

    f = lambda x: sin(x) * 2.  at x    -->   value: mul (sin x) 2.0
                                             { lambda c ; t:f32[]. let
                                                 d:f32[] = mul t c      (c = cos x)
                                                 e:f32[] = mul d 2.0 in (e,) }

Primal equations run at once, under the trace that was current; tangent equations are
staged, and what they need of the primals becomes residuals. transpose.py runs the
linear jaxpr backwards: the two together are reverse mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jaxlike.core.avals import get_aval
from jaxlike.core.jaxpr import ClosedJaxpr, Jaxpr, eval_jaxpr, hoist_consts
from jaxlike.core.staging import StagingTrace, StagingTracer, trace_to_closed_jaxpr
from jaxlike.core.state import state
from jaxlike.core.trace import Trace, Tracer
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linear import instantiate
from jaxlike.transforms.jvp import without_tangents


class TangentTrace(Trace):
    """Runs JVP rules: what touches a tangent is staged, the rest runs now."""

    __slots__ = ("builder", "owner", "parent")

    def __init__(self, parent: Trace, builder: StagingTrace, owner):
        self.parent = parent
        self.builder = builder
        self.owner = owner

    def _on_tangents(self, args) -> bool:
        builder = self.builder
        return any(type(a) is StagingTracer and a._trace is builder for a in args)

    def process_primitive(self, primitive, args, params):
        trace = self.builder if self._on_tangents(args) else self.parent
        previous = state.trace
        state.trace = trace
        try:
            return trace.process_primitive(primitive, args, params)
        finally:
            state.trace = previous

    def process_custom_jvp_call(self, primitive, fun, jvp, args, *, symbolic_zeros):
        # a custom rule's own derivative is never asked for on its linear part
        if self._on_tangents(args):
            return fun(*args)
        previous = state.trace
        state.trace = self.parent
        try:
            return self.parent.process_custom_jvp_call(
                primitive, fun, jvp, args, symbolic_zeros=symbolic_zeros
            )
        finally:
            state.trace = previous

    def process_custom_vjp_call(self, primitive, fun, fwd, bwd, args, **options):
        if self._on_tangents(args):
            return fun(*args)
        previous = state.trace
        state.trace = self.parent
        try:
            return self.parent.process_custom_vjp_call(
                primitive, fun, fwd, bwd, args, **options
            )
        finally:
            state.trace = previous


class LinearizeTracer(Tracer):
    """A primal value, and its tangent as a variable of the linear jaxpr."""

    __slots__ = ("primal", "tangent")

    def __init__(self, trace: Trace, primal: Any, tangent: StagingTracer):
        self._trace = trace
        self.primal = primal
        self.tangent = tangent
        self.aval = get_aval(primal)

    def concrete_value(self):
        if isinstance(self.primal, Tracer):
            return self.primal.concrete_value()
        return self.primal


class LinearizeTrace(Trace):
    """Runs primals under the parent trace and stages tangents into `builder`."""

    __slots__ = ("builder", "closed", "owner", "parent", "tangent_trace")

    def __init__(
        self,
        parent: Trace,
        builder: StagingTrace,
        owner: tuple[str, Any] | None = None,
    ):
        self.parent = parent
        self.builder = builder
        self.owner = owner
        self.tangent_trace = TangentTrace(parent, builder, owner)
        self.closed = False

    def unpack(self, x: Any) -> tuple[Any, Any]:
        if type(x) is LinearizeTracer and x._trace is self:
            return x.primal, x.tangent
        return x, Zero(get_aval(x).to_tangent_aval())

    def pack(self, primal: Any, tangent: Any) -> Any:
        if type(tangent) is Zero:
            return primal
        if not (type(tangent) is StagingTracer and tangent._trace is self.builder):
            # a rule returned a tangent that does not depend on the input tangents
            tangent = _as_builder_value(self.builder, tangent)
        return LinearizeTracer(self, primal, tangent)

    def process_primitive(self, primitive, args, params):
        primals, tangents = zip(*map(self.unpack, args)) if args else ((), ())
        previous = state.trace
        try:
            if all(type(t) is Zero for t in tangents):
                state.trace = self.parent
                return primitive.bind(*primals, **params)
            if primitive.linearize is not None:
                state.trace = self.parent
                nonzeros = [type(t) is not Zero for t in tangents]
                outs, tangent_of = primitive.linearize(nonzeros, *primals, **params)
                state.trace = self.tangent_trace
                out_tangents = tangent_of(tangents)
            elif primitive.jvp is not None:
                state.trace = self.tangent_trace
                outs, out_tangents = primitive.jvp(primals, tangents, **params)
            else:
                state.trace = self.parent
                outs, out_tangents = without_tangents(primitive, primals, params)
        finally:
            state.trace = previous
        if primitive.multiple_results:
            return [self.pack(p, t) for p, t in zip(outs, out_tangents, strict=True)]
        return self.pack(outs, out_tangents)

    def process_custom_jvp_call(self, primitive, fun, jvp, args, *, symbolic_zeros):
        primals, tangents = zip(*map(self.unpack, args)) if args else ((), ())
        previous = state.trace
        try:
            if all(type(t) is Zero for t in tangents):
                state.trace = self.parent
                return primitive.bind_with_trace(
                    self.parent, fun, jvp, primals, symbolic_zeros=symbolic_zeros
                )
            state.trace = self.tangent_trace
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
        try:
            if all(type(t) is Zero for t in tangents):
                state.trace = self.parent
                return primitive.bind_with_trace(
                    self.parent,
                    fun,
                    fwd,
                    bwd,
                    primals,
                    out_trees=out_trees,
                    symbolic_zeros=symbolic_zeros,
                )
            state.trace = self.tangent_trace
            outs, out_tangents = primitive.call_linear(
                fwd, bwd, primals, tangents, out_trees, symbolic_zeros
            )
        finally:
            state.trace = previous
        return [self.pack(p, t) for p, t in zip(outs, out_tangents, strict=True)]


def _as_builder_value(builder: StagingTrace, value: Any) -> StagingTracer:
    return StagingTracer(builder, get_aval(value), builder.atom_of(value))


def linearize_flat(
    fun: Callable[..., Sequence[Any]],
    primals: Sequence[Any],
    nonzeros: Sequence[bool] | None = None,
    transform: str | None = None,
) -> tuple[list[Any], Jaxpr, list[Any], list[bool]]:
    """Run a flat function; returns (outs, linear jaxpr, residuals, nonzeros_out).

    The jaxpr's constvars are the residuals, its inputs the tangents of the primals that
    `nonzeros` marks (all by default), its outputs the tangents marked in nonzeros_out.
    transform is what messages call it, where the function is the user's.
    """
    if nonzeros is None:
        nonzeros = [True] * len(primals)
    parent = state.trace
    builder = StagingTrace()
    trace = LinearizeTrace(parent, builder, transform and (transform, fun))
    args = []
    for x, nonzero in zip(primals, nonzeros, strict=True):
        if nonzero:
            tangent = builder.new_arg(get_aval(x).to_tangent_aval())
            args.append(LinearizeTracer(trace, x, tangent))
        else:
            args.append(x)
    state.trace = trace
    try:
        results = fun(*args)
    finally:
        state.trace = parent
        trace.closed = True
    pairs = [trace.unpack(x) for x in results]
    nonzeros_out = [type(t) is not Zero for _, t in pairs]
    closed = builder.to_jaxpr([t for _, t in pairs if type(t) is not Zero])
    return [p for p, _ in pairs], closed.jaxpr, closed.consts, nonzeros_out


class Linearized(NamedTuple):
    """A jaxpr split in two.

    primal:  inputs -> outputs + residuals
    tangent: residuals + nonzero input tangents -> nonzero output tangents
    """

    primal: ClosedJaxpr
    tangent: ClosedJaxpr
    nonzeros_out: list[bool]
    num_residuals: int


def linearize_jaxpr(
    closed: ClosedJaxpr,
    nonzeros: Sequence[bool],
    instantiate_outs: bool | Sequence[bool] = False,
) -> Linearized:
    """Split a jaxpr into the one that runs primals and the linear one of tangents."""
    if not isinstance(instantiate_outs, bool):
        instantiate_outs = tuple(instantiate_outs)
    key = ("linearize", tuple(nonzeros), instantiate_outs)
    return closed.memo(
        key, lambda: _linearize_jaxpr(closed, tuple(nonzeros), instantiate_outs)
    )


def _linearize_jaxpr(closed, nonzeros, instantiate_outs) -> Linearized:
    if isinstance(instantiate_outs, bool):
        instantiate_outs = (instantiate_outs,) * len(closed.out_avals)
    found: dict[str, Any] = {}

    def fun(*primals):
        def body(*xs):
            return eval_jaxpr(closed.jaxpr, closed.consts, *xs)

        outs, jaxpr, residuals, nonzeros_out = linearize_flat(body, primals, nonzeros)
        # a residual that is itself an output or an input is passed only once
        found["jaxpr"], found["nonzeros_out"] = jaxpr, nonzeros_out
        found["num_residuals"] = len(residuals)
        return [*outs, *residuals]

    primal = trace_to_closed_jaxpr(
        fun, closed.in_avals, debug_info=closed.jaxpr.debug_info
    )
    tangent = ClosedJaxpr(
        found["jaxpr"].replace(
            constvars=[],
            invars=found["jaxpr"].constvars + found["jaxpr"].invars,
            debug_info=closed.jaxpr.debug_info,
        )
    )
    nonzeros_out = found["nonzeros_out"]
    if any(i and not nz for i, nz in zip(instantiate_outs, nonzeros_out)):
        tangent, nonzeros_out = _instantiate_outputs(
            tangent, nonzeros_out, instantiate_outs, closed.out_avals
        )
    return Linearized(primal, tangent, nonzeros_out, found["num_residuals"])


def _instantiate_outputs(tangent, nonzeros_out, instantiate_outs, out_avals):
    wanted = [nz or inst for nz, inst in zip(nonzeros_out, instantiate_outs)]

    def fun(*args):
        outs = iter(eval_jaxpr(tangent.jaxpr, tangent.consts, *args))
        return [
            next(outs) if nz else instantiate(Zero(aval.to_tangent_aval()))
            for nz, want, aval in zip(nonzeros_out, wanted, out_avals)
            if want
        ]

    result = trace_to_closed_jaxpr(
        fun, tangent.in_avals, debug_info=tangent.jaxpr.debug_info
    )
    closed, consts = hoist_consts(result)
    assert not consts
    return closed, wanted
