"""Eager calls of functions that are made of many primitives.

Such a function is staged once for each types of operands. Its jaxpr becomes a Python
function that calls the primitives' NumPy evaluations one after another, which saves
most of what eager calls of the primitives themselves would cost.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from jaxlike.core.array import Array, from_buffer, to_buffer
from jaxlike.core.avals import get_aval
from jaxlike.core.config import config
from jaxlike.core.jaxpr import ClosedJaxpr, Literal, literal_buffer
from jaxlike.core.kinds import DTYPES_OF_64_BITS
from jaxlike.core.staging import trace_to_closed_jaxpr
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace, ignore_float_errors, restore_float_errors
from jaxlike.numpy.dispatch import _all_plans, _blockers

_PLANS_LIMIT = 1024
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1


def composite(fun: Callable[..., Any]) -> Callable[..., Any]:
    """`fun`, quicker in eager mode; it returns an array or a tuple of arrays.

    What it does may depend on its operands' types only; Python numbers are operands.

    >>> import jaxlike.numpy as jnp
    >>> @composite
    ... def mean_of_squares(x, y):
    ...     return (x * x + y * y) / 2
    >>> mean_of_squares(jnp.ones(2), 3.0)
    Array([5., 5.], dtype=float32)
    """
    plans: dict[Any, Any] = {}
    _all_plans.append(plans)

    def call(*args):
        if state.trace is not eval_trace or _blockers:
            return fun(*args)
        key: list[Any] = [config._trace_context]
        for x in args:
            if type(x) is Array:
                if x._data is None:
                    return fun(*args)
                key.append(x.aval)
            elif type(x) is float or (type(x) is int and _INT_MIN <= x <= _INT_MAX):
                key.append(type(x))
            else:
                return fun(*args)
        key[0] = id(key[0])
        plan = plans.get(tuple(key))
        if plan is None or plan[0] is not config._trace_context:
            try:
                plan = _stage(fun, args)
            except Exception:  # the usual way says it better
                return fun(*args)
            if len(plans) >= _PLANS_LIMIT:
                plans.clear()
            plans[tuple(key)] = plan
        _, run, avals, is_tuple = plan
        token = ignore_float_errors()
        try:
            outs = run(*map(to_buffer, args))
        finally:
            restore_float_errors(token)
        arrays = tuple(map(from_buffer, outs, avals))
        return arrays if is_tuple else arrays[0]

    call.__name__ = getattr(fun, "__name__", "composite")
    call.__doc__ = fun.__doc__
    call.__wrapped__ = fun
    return call


_MISSING = object()


def composite_of(count: int) -> Callable[[Callable], Callable]:
    """A decorator as `composite`, for functions of `count` operands and settings.

    The arguments after the operands (axes, dtypes, flags) are the settings. Calls with
    arrays among those, or with operands by name, take the usual way.

    >>> import jaxlike.numpy as jnp
    >>> @composite_of(1)
    ... def spread(x, axis=None):
    ...     return jnp.max(x, axis) - jnp.min(x, axis)
    >>> spread(jnp.arange(4), axis=0)
    Array(3, dtype=int32)
    """

    def decorate(fun: Callable[..., Any]) -> Callable[..., Any]:
        table: dict[Any, Callable] = {}

        def call(*args, **settings):
            if state.trace is not eval_trace or _blockers or len(args) < count:
                return fun(*args, **settings)
            if count and type(args[0]) is not Array:
                if type(args[0]) not in (float, int):
                    return fun(*args, **settings)
            rest = args[count:]
            try:
                # 1, 1.0 and True are equal, but not the same settings
                key: Any = (rest, *map(type, rest))
                if settings:
                    values = settings.values()
                    key = (key, *settings, *values, *map(type, values))
                one = table.get(key, _MISSING)
            except TypeError:  # an array among the settings
                return fun(*args, **settings)
            if one is _MISSING:
                one = lambda *xs: fun(*xs, *rest, **settings)
                if not any(map(_warns, (*rest, *settings.values()))):
                    one = composite(one)
                if len(table) >= _PLANS_LIMIT:
                    table.clear()
                table[key] = one
            return one(*args[:count])

        functools.update_wrapper(call, fun)
        return call

    return decorate


def _warns(setting: Any) -> bool:
    """Whether a setting is a dtype of 64 bits, which is warned about at every call."""
    if isinstance(setting, (np.dtype, str)) or hasattr(setting, "dtype"):
        try:
            return np.dtype(setting) in DTYPES_OF_64_BITS
        except TypeError:
            return False
    return isinstance(setting, type) and issubclass(setting, np.generic)


def _stage(fun: Callable[..., Any], args: tuple) -> tuple[Any, Any, Any, bool]:
    is_tuple = False

    def flat(*operands):
        nonlocal is_tuple
        out = fun(*operands)
        is_tuple = isinstance(out, tuple)
        return list(out) if is_tuple else [out]

    closed = trace_to_closed_jaxpr(flat, [get_aval(x) for x in args])
    avals = [v.aval for v in closed.jaxpr.outvars]
    return config._trace_context, python_function(closed), avals, is_tuple


def python_function(closed: ClosedJaxpr) -> Callable[..., tuple]:
    """A function of ndarrays that runs the jaxpr, a line of Python an equation."""
    jaxpr = closed.jaxpr
    names: dict[Any, str] = {}
    scope: dict[str, Any] = {"asarray": np.asarray}

    def constant(value) -> str:
        name = f"c{len(scope)}"
        scope[name] = value
        return name

    def read(atom) -> str:
        if type(atom) is Literal:
            return constant(literal_buffer(atom))
        return names[atom]

    names.update((v, f"x{i}") for i, v in enumerate(jaxpr.invars))
    for var, value in zip(jaxpr.constvars, closed.consts):
        names[var] = constant(to_buffer(value))
    lines = [f"def run({', '.join(names[v] for v in jaxpr.invars)}):"]
    for eqn in jaxpr.eqns:
        evaluate = eqn.primitive.evaluate
        call = constant(partial(evaluate, **eqn.params) if eqn.params else evaluate)
        call = f"{call}({', '.join(map(read, eqn.invars))})"
        for v in eqn.outvars:
            names[v] = f"v{len(names)}"
        outs = ", ".join(names[v] for v in eqn.outvars)
        if eqn.primitive.multiple_results:
            lines.append(f"    {outs}, = {call}")
        else:
            lines.append(f"    {outs} = {call}")
        for v in eqn.outvars:  # NumPy's scalars are no operands of evaluations
            if not v.aval.shape:
                lines.append(f"    {names[v]} = asarray({names[v]})")
    lines.append(f"    return ({''.join(read(v) + ', ' for v in jaxpr.outvars)})")
    exec("\n".join(lines), scope)
    return scope["run"]
