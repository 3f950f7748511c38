"""Running structural primitives on concrete values.

A loop is compiled as a whole, once for each structure of its body. Where each operation
has to be seen (disable_jit, the search for a NaN), it runs equation by equation.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlike.core.array import Array, from_buffer, to_buffer
from jaxlike.core.avals import get_aval
from jaxlike.core.backend_registry import default_backend_name
from jaxlike.core.config import config
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import (
    ClosedJaxpr,
    Jaxpr,
    JaxprEqn,
    Literal,
    Var,
    eval_jaxpr,
    literal_buffer,
)
from jaxlike.core.primitive import Primitive
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace
from jaxlike.transforms.jit_primitive import Executable

Buffers = Sequence[np.ndarray]
# runs a jaxpr on buffers: evaluate() below, or equation by equation
Run = Callable[..., list[np.ndarray]]

_LIMIT = 1024
# structure -> executable, the least recently used one first
_executables: OrderedDict[Any, Executable] = OrderedDict()


def define_eager(primitive: Primitive, body: str, loop: Callable) -> None:
    """Set how a primitive runs at once.

    body: the param that holds its jaxpr, on which the executables are kept;
    loop: (run, buffers, **params) -> buffers, in Python.
    """

    def impl(*args, **params):
        if config.disable_jit or state.trace is not eval_trace:
            out_avals, _ = primitive.out_avals(tuple(map(get_aval, args)), params)
            outs = loop(run_equations, [to_buffer(a) for a in args], **params)
            return [from_buffer(x, a) for x, a in zip(outs, out_avals)]
        avals = tuple([a.aval if type(a) is Array else get_aval(a) for a in args])
        key = (primitive, default_backend_name(), avals, tuple(params.items()))
        executable = params[body].memo(key, lambda: _compile(primitive, avals, params))
        return executable(args)

    def evaluate_rule(*args, **params):
        return loop(evaluate, args, **params)

    primitive.impl = impl
    primitive.evaluate = evaluate_rule


def _compile(primitive: Primitive, avals, params) -> Executable:
    out_avals, effects = primitive.out_avals(avals, params)
    invars, outvars = [Var(a) for a in avals], [Var(a) for a in out_avals]
    eqn = JaxprEqn(invars, outvars, primitive, params, effects)
    return compiled(
        ClosedJaxpr(Jaxpr((), invars, outvars, [eqn], effects)), primitive.name
    )


def compiled(closed: ClosedJaxpr, name: str) -> Executable:
    """The executable of a jaxpr without consts; equal structures share one."""
    try:
        key = (default_backend_name(), structure(closed))
        hash(key)
    except TypeError:
        return Executable(closed, name=name)
    known = _executables.get(key)
    if known is None:
        known = _executables[key] = Executable(closed, name=name)
        if len(_executables) > _LIMIT:
            _executables.popitem(last=False)
    else:
        _executables.move_to_end(key)
    return known


def structure(closed: ClosedJaxpr) -> tuple:
    """A value equal for jaxprs that differ in variables and source lines alone."""
    return closed.memo("structure", lambda: _structure(closed))


def _structure(closed: ClosedJaxpr) -> tuple:
    if closed.consts:
        raise TypeError(format_error("jaxprs with consts have no structure"))
    jaxpr = closed.jaxpr
    number = {v: i for i, v in enumerate(jaxpr.invars)}

    def atom(v):
        if type(v) is Literal:
            return literal_buffer(v).tobytes(), v.aval
        return number[v]

    eqns = []
    for eqn in jaxpr.eqns:
        ins = tuple([atom(v) for v in eqn.invars])
        for v in eqn.outvars:
            number[v] = len(number)
        outs = tuple([v.aval for v in eqn.outvars])
        params = tuple([(k, _param(v)) for k, v in sorted(eqn.params.items())])
        eqns.append((eqn.primitive, ins, outs, params))
    outvars = tuple([atom(v) for v in jaxpr.outvars])
    return tuple(closed.in_avals), tuple(eqns), outvars


def _param(value: Any) -> Any:
    if isinstance(value, ClosedJaxpr):
        return structure(value)
    if isinstance(value, Jaxpr):
        return structure(ClosedJaxpr(value))
    if type(value) in (tuple, list):
        return tuple([_param(v) for v in value])
    # 1, 1.0 and True are equal, but not as params
    return type(value), value


# --- equation by equation


def run_equations(closed: ClosedJaxpr, *buffers: np.ndarray) -> list[np.ndarray]:
    """Run a jaxpr's equations one at a time under the current trace."""
    args = [Array(b, a) for b, a in zip(buffers, closed.in_avals)]
    return [to_buffer(x) for x in eval_jaxpr(closed.jaxpr, closed.consts, *args)]


def evaluate(closed: ClosedJaxpr, *buffers: np.ndarray) -> list[np.ndarray]:
    """As jaxpr.evaluate_jaxpr, for jaxprs that run many times."""
    return closed.memo("evaluator", lambda: _evaluator(closed))(*buffers)


def _evaluator(closed: ClosedJaxpr) -> Run:
    """The jaxpr as a list of steps over numbered registers."""
    jaxpr = closed.jaxpr
    register: dict[Var, int] = {}
    initial: list[Any] = []

    def new(v: Var, value: Any = None) -> int:
        register[v] = len(initial)
        initial.append(value)
        return register[v]

    for var in jaxpr.invars:
        new(var)
    num_in = len(initial)
    for var, const in zip(jaxpr.constvars, closed.consts, strict=True):
        new(var, to_buffer(const))

    def read(v):
        if type(v) is Literal:
            initial.append(literal_buffer(v))
            return len(initial) - 1
        return register[v]

    steps = []
    for eqn in jaxpr.eqns:
        ins = [read(v) for v in eqn.invars]
        outs = [new(v) for v in eqn.outvars]
        many = eqn.primitive.multiple_results
        steps.append((eqn.primitive.evaluate, ins, eqn.params, outs, many))
    results = [read(v) for v in jaxpr.outvars]

    def run(*buffers):
        values = [*buffers, *initial[num_in:]]
        for rule, ins, params, outs, many in steps:
            found = rule(*[values[i] for i in ins], **params)
            for i, x in zip(outs, found if many else (found,)):
                values[i] = x if type(x) is np.ndarray else np.asarray(x)
        return [values[i] for i in results]

    return run
