"""The primitive `jit`: a call of a jaxpr that is compiled, under every transform.

jit.py holds the user's function, and its caches.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlike.core import errors
from jaxlike.core.array import Array, from_buffer, to_buffer
from jaxlike.core.avals import ShapedArray
from jaxlike.core.backend_registry import get_backend
from jaxlike.core.config import config
from jaxlike.core.jaxpr import ClosedJaxpr, axis_names_in, eval_jaxpr, evaluate_jaxpr
from jaxlike.core.primitive import Primitive
from jaxlike.core.state import state
from jaxlike.core.trace import EvalTrace, Tracer
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.transforms.batching import batch_jaxpr, materialize
from jaxlike.transforms.jvp import jvp_jaxpr
from jaxlike.transforms.linearize import linearize_jaxpr
from jaxlike.transforms.rewrite.inline import call_param
from jaxlike.transforms.transpose import transpose_jaxpr

jit_p = Primitive("jit", multiple_results=True, structural=True)
call_param[jit_p] = "jaxpr"


class Executable:
    """A compiled jaxpr, called with and returning Arrays."""

    __slots__ = ("closed", "consts", "donated", "name", "out_avals", "run")

    def __init__(
        self,
        closed: ClosedJaxpr,
        consts: Sequence[Any] = (),
        *,
        name: str = "jit",
        donated: Sequence[bool] = (),
        backend: str | None = None,
    ):
        self.closed = closed
        self.name = name
        self.out_avals: list[ShapedArray] = closed.out_avals
        self.consts: list[np.ndarray] = [to_buffer(c) for c in consts]
        self.donated = usable_donations(closed.in_avals[len(consts) :], closed, donated)
        given = [False] * len(closed.in_avals)
        if not (config.debug_nans or config.debug_infs):  # they run again on failure
            for i in self.donated:
                given[len(consts) + i] = True
        self.run: Callable[[list[np.ndarray]], list[np.ndarray]] = get_backend(
            backend
        ).compile(closed, donated=given, name=name)

    def __call__(self, args: Sequence[Any]) -> list[Array]:
        if self.donated:
            self.check_donated(args)
        try:
            buffers = [a._data if type(a) is Array else to_buffer(a) for a in args]
            if self.consts:
                buffers[:0] = self.consts
            outs = self.run(buffers)
        except Exception:
            check_operands(args)
            self.delete_donated(args)
            raise
        results = [
            Array(out, aval) if out.dtype is aval.dtype else from_buffer(out, aval)
            for out, aval in zip(outs, self.out_avals)
        ]
        if config.debug_nans or config.debug_infs:
            self.check_finite(args, results)
        if self.donated:
            self.delete_donated(args)
        return results

    def check_donated(self, args) -> None:
        """Raise where an array that is given away is passed a second time."""
        for i in self.donated:
            for j, other in enumerate(args):
                if j != i and other is args[i] and type(other) is Array:
                    raise errors.JaxRuntimeError(
                        errors.format_error(
                            f"{self.name} was given one {other.aval} twice, as leaf "
                            f"{min(i, j)} and {max(i, j)} of its arguments, and leaf "
                            f"{i} is donated",
                            try_="x.copy() for one of them, or no donation",
                        )
                    )

    def delete_donated(self, args) -> None:
        for i in self.donated:
            if type(args[i]) is Array:
                args[i].delete()

    def check_finite(self, args, results) -> None:
        """When a result is not finite, run equation by equation to find the first."""
        bad = any(
            r._data.dtype.kind in "fcV"
            and r._data.dtype is r.dtype
            and not np.isfinite(r._data).all()
            for r in results
        )
        if bad:
            previous = state.trace
            state.trace = equation_by_equation
            try:
                eval_jaxpr(self.closed.jaxpr, self.closed.consts, *self.consts, *args)
            finally:
                state.trace = previous


def usable_donations(
    avals: Sequence[ShapedArray], closed: ClosedJaxpr, donated: Sequence[bool]
) -> list[int]:
    """The arguments given away whose memory a result of their type can take over, one
    each; a warning names the others."""
    if not any(donated):
        return []
    wanted = Counter((a.shape, a.dtype) for a in closed.out_avals)
    usable, useless = [], []
    for i, (aval, given) in enumerate(zip(avals, donated)):
        if given and wanted[aval.shape, aval.dtype] > 0:
            wanted[aval.shape, aval.dtype] -= 1
            usable.append(i)
        elif given:
            useless.append(aval)
    if useless:
        types = ", ".join(map(str, useless))
        warnings.warn(
            f"Some donated buffers were not usable: {types}.\nA result of the same "
            "shape and dtype can take over the memory of a donated argument; these "
            "have none, and stay alive.",
            stacklevel=2,
        )
    return usable


class EquationTrace(EvalTrace):
    """Eager evaluation that also goes into compiled calls."""

    __slots__ = ()

    def process_primitive(self, primitive, args, params):
        if primitive is jit_p:
            jaxpr = params["jaxpr"]
            return eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *args)
        return super().process_primitive(primitive, args, params)


equation_by_equation = EquationTrace()


def check_operands(args) -> None:
    """Explain a failed call by an operand that cannot be used any more."""
    for a in args:
        if isinstance(a, Tracer):
            raise errors.UnexpectedTracerError(errors.leaked_message(a, jit_p))
        if type(a) is Array:
            a._check_not_deleted()


def executable_of(closed: ClosedJaxpr, name: str, backend=None) -> Executable:
    """The compiled form of a jaxpr, kept with it."""
    return closed.memo(
        ("executable", backend),
        lambda: Executable(closed, name=name, backend=backend),
    )


def _jit_impl(*args, jaxpr, name, backend=None, **_):
    if config.disable_jit:
        return eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *args)
    return executable_of(jaxpr, name, backend)(args)


def _jit_shape(*avals, jaxpr, **_):
    return jaxpr.out_avals, jaxpr.effects


def _jit_evaluate(*args, jaxpr, **_):
    return evaluate_jaxpr(jaxpr.jaxpr, jaxpr.consts, *args)


def _jit_jvp(primals, tangents, *, jaxpr, **params):
    nonzeros = [type(t) is not Zero for t in tangents]
    jaxpr_jvp, nonzeros_out = jvp_jaxpr(jaxpr, nonzeros, False)
    given = [t for t, nz in zip(tangents, nonzeros) if nz]
    outs = jit_p.bind(*primals, *given, jaxpr=jaxpr_jvp, **_renew(params))
    num_out = len(jaxpr.out_avals)
    return outs[:num_out], _with_zeros(outs[num_out:], nonzeros_out, jaxpr.out_avals)


def _jit_linearize(nonzeros, *primals, jaxpr, **params):
    split = linearize_jaxpr(jaxpr, nonzeros)
    params = _renew(params)
    outs = jit_p.bind(*primals, jaxpr=split.primal, **params)
    num_out = len(jaxpr.out_avals)
    residuals = outs[num_out:]

    def tangent_of(tangents):
        given = [t for t in tangents if type(t) is not Zero]
        if not any(split.nonzeros_out):
            return [Zero(a.to_tangent_aval()) for a in jaxpr.out_avals]
        results = jit_p.bind(*residuals, *given, jaxpr=split.tangent, **params)
        return _with_zeros(results, split.nonzeros_out, jaxpr.out_avals)

    return outs[:num_out], tangent_of


def _jit_transpose(cts, *args, jaxpr, **params):
    linear = [is_undefined_primal(a) for a in args]
    nonzero_cts = [type(ct) is not Zero for ct in cts]
    transposed, has_ct = transpose_jaxpr(jaxpr, linear, nonzero_cts, False)
    values = [a for a, lin in zip(args, linear) if not lin]
    given = [ct for ct, nz in zip(cts, nonzero_cts) if nz]
    outs = iter(jit_p.bind(*values, *given, jaxpr=transposed, **_renew(params)))
    found = iter(has_ct)
    return [
        (next(outs) if next(found) else Zero(a.aval.to_tangent_aval())) if lin else None
        for a, lin in zip(args, linear)
    ]


def _jit_batch(axis_data, args, dims, *, jaxpr, **params):
    batched = [d is not None for d in dims]
    args = [
        materialize(a, d, axis_data) if d is not None else a for a, d in zip(args, dims)
    ]
    jaxpr_batched, out_batched = batch_jaxpr(jaxpr, axis_data, batched)
    outs = jit_p.bind(*args, jaxpr=jaxpr_batched, **_renew(params))
    return outs, [0 if b else None for b in out_batched]


def _renew(params: dict[str, Any]) -> dict[str, Any]:
    """The params of the call of a derived jaxpr: donation does not carry over."""
    params = dict(params)
    params.pop("donated_invars", None)
    return params


def _with_zeros(tangents, nonzeros, avals):
    given = iter(tangents)
    return [
        next(given) if nz else Zero(a.to_tangent_aval())
        for nz, a in zip(nonzeros, avals)
    ]


jit_p.shape = _jit_shape
jit_p.effectful = True
jit_p.impl = _jit_impl
jit_p.evaluate = _jit_evaluate
jit_p.jvp = _jit_jvp
jit_p.linearize = _jit_linearize
jit_p.transpose = _jit_transpose
jit_p.batch = _jit_batch
jit_p.axis_names = lambda params: axis_names_in(params["jaxpr"])
jit_p.batch_collective = _jit_batch
