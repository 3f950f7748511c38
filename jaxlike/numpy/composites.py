"""Eager calls of functions that are made of many primitives.

Such a function is staged once for each types of operands. Its jaxpr becomes a Python
function that calls the primitives' NumPy evaluations one after another, which saves
most of what eager calls of the primitives themselves would cost.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core.array import Array, from_buffer, to_buffer
from jaxlike.core.avals import get_aval
from jaxlike.core.config import config
from jaxlike.core.jaxpr import ClosedJaxpr, Literal, literal_buffer
from jaxlike.core.staging import trace_to_closed_jaxpr
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace, ignore_float_errors, restore_float_errors
from jaxlike.numpy.dispatch import _all_plans, _blockers

_PLANS_LIMIT = 1024
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1
# the param of primitives that only call a jaxpr
_CALLS = {
    "jit": "jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
}


def composite(fun: Callable[..., Any], operands: int | None = None) -> Any:
    """`fun`, quicker in eager mode; it returns an array or a tuple of arrays.

    Args: `operands`, how many arguments are arrays, if not all; the others are static.
    What `fun` does may depend on its operands' types only; Python numbers are operands.

    >>> import jaxlike.numpy as jnp
    >>> @composite
    ... def mean_of_squares(x, y):
    ...     return (x * x + y * y) / 2
    >>> mean_of_squares(jnp.ones(2), 3.0)
    Array([5., 5.], dtype=float32)
    """
    plans: dict[Any, Any] = {}
    _all_plans.append(plans)

    @functools.wraps(fun)
    def call(*args, **static):
        if state.trace is not eval_trace or _blockers:
            return fun(*args, **static)
        key: list[Any] = []
        arrays = args if operands is None else args[:operands]
        for x in arrays:
            if type(x) is Array:
                if x._data is None:
                    return fun(*args, **static)
                key.append(x.aval)
            elif type(x) is float or (type(x) is int and _INT_MIN <= x <= _INT_MAX):
                key.append(type(x))
            else:
                return fun(*args, **static)
        rest = args[len(arrays) :]
        if rest or static:
            key.append(len(rest))
            for value in (*rest, *static.values()):
                key += (type(value), value)
            key += static
        hashable = tuple(key)
        try:
            plan = plans.get(hashable)
        except TypeError:  # an array, say, among the others
            return fun(*args, **static)
        if plan is None or plan[0] is not config._trace_context:
            try:
                plan = _stage(fun, arrays, rest, static)
            except Exception:  # the error as it is without staging
                return fun(*args, **static)
            if len(plans) >= _PLANS_LIMIT:
                plans.clear()
            plans[hashable] = plan
        _, run, avals, make = plan
        token = ignore_float_errors()
        try:
            outs = run(*map(to_buffer, arrays))
        finally:
            restore_float_errors(token)
        return make(map(from_buffer, outs, avals))

    return call


def _stage(fun: Callable, arrays: tuple, rest: tuple, static: dict) -> tuple:
    """(configuration, function of ndarrays, avals of the results, result maker)."""
    make: Any = _only

    def flat(*xs):
        nonlocal make
        out = fun(*xs, *rest, **static)
        if not isinstance(out, tuple):
            return [out]
        make = type(out)._make if hasattr(out, "_make") else type(out)
        return list(out)

    name = getattr(fun, "__name__", "composite")
    closed = trace_to_closed_jaxpr(flat, [get_aval(x) for x in arrays], name)
    avals = [v.aval for v in closed.jaxpr.outvars]
    return config._trace_context, python_function(closed), avals, make


def _only(arrays):
    (array,) = arrays
    return array


def python_function(closed: ClosedJaxpr) -> Callable[..., tuple]:
    """A function of ndarrays that runs the jaxpr, a line of Python an equation."""
    writer = _Writer()
    arguments = [f"x{i}" for i in range(len(closed.jaxpr.invars))]
    results = writer.write(closed, arguments)
    lines = [
        f"def run({', '.join(arguments)}):",
        *(f"    {line}" for line in writer.lines),
        f"    return ({''.join(f'{name}, ' for name in results)})",
    ]
    exec("\n".join(lines), writer.scope)
    return writer.scope["run"]


class _Writer:
    """Lines of Python for the equations of a jaxpr, and the objects they refer to."""

    def __init__(self):
        self.lines: list[str] = []
        self.scope: dict[str, Any] = {"asarray": np.asarray}
        self.variables = 0

    def constant(self, value: Any) -> str:
        name = f"c{len(self.scope)}"
        self.scope[name] = value
        return name

    def variable(self) -> str:
        self.variables += 1
        return f"v{self.variables}"

    def write(self, closed: ClosedJaxpr, arguments: list[str]) -> list[str]:
        """Write all equations; returns the names of the results."""
        jaxpr = closed.jaxpr
        names = dict(zip(jaxpr.invars, arguments, strict=True))
        for var, value in zip(jaxpr.constvars, closed.consts):
            names[var] = self.constant(to_buffer(value))

        def read(atom) -> str:
            if type(atom) is Literal:
                return self.constant(literal_buffer(atom))
            return names[atom]

        for eqn in jaxpr.eqns:
            primitive, inputs = eqn.primitive, [read(v) for v in eqn.invars]
            if primitive.name in _CALLS:
                results = self.write(eqn.params[_CALLS[primitive.name]], inputs)
                names.update(zip(eqn.outvars, results))
                continue
            evaluate = primitive.evaluate
            if eqn.params:
                evaluate = functools.partial(evaluate, **eqn.params)
            names.update((v, self.variable()) for v in eqn.outvars)
            outs = ", ".join(names[v] for v in eqn.outvars)
            comma = "," if primitive.multiple_results else ""
            call = f"{self.constant(evaluate)}({', '.join(inputs)})"
            self.lines.append(f"{outs}{comma} = {call}" if outs else call)
            for v in eqn.outvars:  # NumPy's scalars are no operands of evaluations
                if not v.aval.shape:
                    self.lines.append(f"{names[v]} = asarray({names[v]})")
        return [read(v) for v in jaxpr.outvars]
