"""Batching: the interpreter under vmap, and its jaxpr-to-jaxpr form.

    f:        { lambda ; a:f32[3]. let b:f32[] = reduce_sum[axes=(0,)] a in (b,) }
    vmap(f):  { lambda ; a:f32[5,3]. let b:f32[5] = reduce_sum[axes=(1,)] a in (b,) }

vmap.py holds the user's function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import ClosedJaxpr, eval_jaxpr
from jaxlike.core.staging import trace_to_closed_jaxpr
from jaxlike.core.state import state
from jaxlike.core.trace import Trace, Tracer, extend_axis_env
from jaxlike.primitives import shapes


class AxisData(NamedTuple):
    """The axis being batched: its name (None if anonymous), size, and mesh axes."""

    name: Any
    size: int
    spmd_name: Any = None


class BatchTracer(Tracer):
    """A value whose axis `batch_dim` is the batch; its aval leaves that axis out."""

    __slots__ = ("batch_dim", "val")

    def __init__(self, trace: Trace, val: Any, batch_dim: int):
        self._trace = trace
        self.val = val
        self.batch_dim = batch_dim
        aval = get_aval(val)
        self.aval = ShapedArray(
            aval.shape[:batch_dim] + aval.shape[batch_dim + 1 :],
            aval.dtype,
            aval.weak_type,
        )


class BatchTrace(Trace):
    """Replaces each primitive by its batched form."""

    __slots__ = ("axis_data", "closed", "owner", "parent", "tag")

    def __init__(
        self,
        parent: Trace,
        axis_data: AxisData,
        owner: tuple[str, Any] | None = None,
        tag: Any = None,
    ):
        # traces of one tag take each other's tracers: a custom rule runs under a trace
        # of its own, but closes over values of the one around it
        self.tag = self if tag is None else tag
        self.parent = parent
        self.owner = owner
        self.axis_data = axis_data
        self.closed = False

    def unpack(self, x: Any) -> tuple[Any, int | None]:
        if type(x) is BatchTracer and x._trace.tag is self.tag:
            return x.val, x.batch_dim
        return x, None

    def pack(self, val: Any, dim: int | None) -> Any:
        return val if dim is None else BatchTracer(self, val, dim)

    def process_primitive(self, primitive, args, params):
        vals, dims = zip(*map(self.unpack, args)) if args else ((), ())
        previous = state.trace
        state.trace = self.parent
        try:
            if primitive.axis_names is not None and (
                self.axis_data.name is not None
                and self.axis_data.name in primitive.axis_names(params)
            ):
                rule = primitive.batch_collective
            elif all(d is None for d in dims):
                return primitive.bind(*vals, **params)
            else:
                rule = primitive.batch
            if rule is None:
                raise missing_batch(primitive)
            out, out_dims = rule(self.axis_data, vals, dims, **params)
        finally:
            state.trace = previous
        if primitive.multiple_results:
            return [self.pack(x, d) for x, d in zip(out, out_dims, strict=True)]
        return self.pack(out, out_dims)

    def process_custom_jvp_call(self, primitive, fun, jvp, args, *, symbolic_zeros):
        vals, dims = zip(*map(self.unpack, args)) if args else ((), ())
        previous = state.trace
        state.trace = self.parent
        try:
            outs, out_dims = primitive.call_batched(
                self.axis_data,
                fun,
                jvp,
                vals,
                dims,
                symbolic_zeros=symbolic_zeros,
                tag=self.tag,
            )
        finally:
            state.trace = previous
        return [self.pack(x, d) for x, d in zip(outs, out_dims, strict=True)]

    def process_custom_vjp_call(
        self, primitive, fun, fwd, bwd, args, *, out_trees, symbolic_zeros
    ):
        vals, dims = zip(*map(self.unpack, args)) if args else ((), ())
        previous = state.trace
        state.trace = self.parent
        try:
            outs, out_dims = primitive.call_batched(
                self.axis_data,
                fun,
                fwd,
                bwd,
                vals,
                dims,
                out_trees=out_trees,
                symbolic_zeros=symbolic_zeros,
                tag=self.tag,
            )
        finally:
            state.trace = previous
        return [self.pack(x, d) for x, d in zip(outs, out_dims, strict=True)]


def missing_batch(primitive) -> Exception:
    why = primitive.not_batchable or "no batching rule is defined for it"
    return NotImplementedError(
        format_error(
            f"Batching rule for {primitive.name!r} not implemented: {why}",
            try_="jaxlike.lax.map in place of vmap, or jaxlike.custom_batching",
        )
    )


def batch_flat(
    fun: Callable[..., Sequence[Any]],
    axis_data: AxisData,
    vals: Sequence[Any],
    dims: Sequence[int | None],
    owner: tuple[str, Any] | None = None,
    tag: Any = None,
) -> tuple[list[Any], list[int | None]]:
    """Run a flat function batched; returns its outputs and their batch dims.

    owner names the transform and its function to messages, where it is the user's.
    """
    parent = state.trace
    trace = BatchTrace(parent, axis_data, owner, tag)
    with _axis_in_scope(axis_data):
        state.trace = trace
        try:
            outs = fun(*map(trace.pack, vals, dims))
        finally:
            state.trace = parent
            trace.closed = True
    pairs = [trace.unpack(x) for x in outs]
    return [v for v, _ in pairs], [d for _, d in pairs]


class _NoAxis:
    def __enter__(self):
        return None

    def __exit__(self, *exc):
        return None


_no_axis = _NoAxis()


def _axis_in_scope(axis_data: AxisData):
    if axis_data.name is None:
        return _no_axis
    return extend_axis_env(axis_data.name, axis_data.size)


def materialize(x: Any, dim: int | None, axis_data: AxisData, to: int = 0) -> Any:
    """`x` with its batch axis at `to`; an unbatched `x` is repeated along it."""
    if dim is None:
        aval = get_aval(x)
        shape = aval.shape[:to] + (axis_data.size,) + aval.shape[to:]
        dims = tuple(i for i in range(len(shape)) if i != to)
        return shapes.broadcast_in_dim(x, shape, dims)
    return x if dim == to else shapes.moveaxis(x, dim, to)


def batch_jaxpr(
    closed: ClosedJaxpr,
    axis_data: AxisData,
    in_batched: Sequence[bool],
    instantiate_outs: bool | Sequence[bool] = False,
) -> tuple[ClosedJaxpr, list[bool]]:
    """The batched jaxpr and which outputs are batched; every batch axis is axis 0."""
    if not isinstance(instantiate_outs, bool):
        instantiate_outs = tuple(instantiate_outs)
    key = ("batch", axis_data, tuple(in_batched), instantiate_outs)
    return closed.memo(
        key, lambda: _batch_jaxpr(closed, axis_data, in_batched, instantiate_outs)
    )


def _batch_jaxpr(closed, axis_data, in_batched, instantiate_outs):
    if isinstance(instantiate_outs, bool):
        instantiate_outs = (instantiate_outs,) * len(closed.out_avals)
    avals = [
        a.update(shape=(axis_data.size, *a.shape)) if b else a
        for a, b in zip(closed.in_avals, in_batched, strict=True)
    ]
    out_batched: list[bool] = []

    def fun(*vals):
        outs, dims = batch_flat(
            lambda *xs: eval_jaxpr(closed.jaxpr, closed.consts, *xs),
            axis_data,
            vals,
            [0 if b else None for b in in_batched],
        )
        results = []
        for x, dim, inst in zip(outs, dims, instantiate_outs, strict=True):
            batched = dim is not None or inst
            out_batched.append(batched)
            results.append(materialize(x, dim, axis_data) if batched else x)
        return results

    result = trace_to_closed_jaxpr(fun, avals, debug_info=closed.jaxpr.debug_info)
    return result, out_batched
