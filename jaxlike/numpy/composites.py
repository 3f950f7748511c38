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
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.backend_registry import get_backend
from jaxlike.core.config import config
from jaxlike.core.jaxpr import ClosedJaxpr, Literal, literal_buffer
from jaxlike.core.kinds import DTYPES_OF_64_BITS
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


def composite(
    fun: Callable[..., Any], compiled: int | None = None
) -> Callable[..., Any]:
    """`fun`, quicker in eager mode; it returns an array or a tuple of arrays.

    What it does may depend on its operands' types only; Python numbers are operands.
    compiled: see `composite_of`.

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
                plan = _stage(fun, args, compiled)
            except Exception:  # the usual way says it better
                out = fun(*args)
                plan = config._trace_context, None, (), _only
            else:
                out = None
            if len(plans) >= _PLANS_LIMIT:
                plans.clear()
            plans[tuple(key)] = plan
            if out is not None:
                return out
        _, run, avals, make = plan
        if run is None:  # it cannot be staged
            return fun(*args)
        token = ignore_float_errors()
        try:
            outs = run(*map(to_buffer, args))
        finally:
            restore_float_errors(token)
        return make(map(from_buffer, outs, avals))

    call.__name__ = getattr(fun, "__name__", "composite")
    call.__doc__ = fun.__doc__
    call.__wrapped__ = fun
    return call


_MISSING = object()


def composite_of(
    count: int, *, numpy: Callable | None = None, compiled: int | None = None
) -> Callable[[Callable], Callable]:
    """A decorator as `composite`, for functions of `count` operands and settings.

    The arguments after the operands (axes, dtypes, flags) are the settings. Calls with
    arrays among those, or with operands by name, take the usual way.

    Args: `compiled`, the size of operands and results from which the call is compiled
    rather than staged; `numpy`, a function of smaller float or complex ndarrays of one
    dtype that gives what the call without settings does, or None if it cannot tell.

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
            if numpy is not None and not rest and not settings:
                out = _by_numpy(numpy, args, compiled)
                if out is not None:
                    return out
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
                    one = composite(one, compiled)
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


def _stage(
    fun: Callable[..., Any], args: tuple, compiled: int | None
) -> tuple[Any, Any, Any, Any]:
    """(configuration, function of ndarrays, avals of the results, result maker)."""
    make: Any = _only

    def flat(*operands):
        nonlocal make
        out = fun(*operands)
        if not isinstance(out, tuple):
            return [out]
        make = type(out)._make if hasattr(out, "_make") else type(out)
        return list(out)

    closed = trace_to_closed_jaxpr(flat, [get_aval(x) for x in args])
    avals = [v.aval for v in closed.jaxpr.outvars]
    sizes = [a.size for a in (*closed.in_avals, *avals)]
    large = compiled is not None and sum(sizes) >= compiled
    run = _compiled_function(closed) if large else python_function(closed)
    return config._trace_context, run, avals, make


def _compiled_function(closed: ClosedJaxpr) -> Callable[..., list]:
    """A function of ndarrays that runs the jaxpr's compiled form."""
    closed = ClosedJaxpr(closed.jaxpr, [to_buffer(c) for c in closed.consts])
    donated = [False] * len(closed.in_avals)
    run = get_backend().compile(closed, donated=donated, name="composite")
    return lambda *buffers: run(list(buffers))


def _by_numpy(function: Callable, args: tuple, compiled: int | None) -> Any:
    """The function's results as arrays; None for operands that it is not for."""
    for x in args:
        if type(x) is not Array or x._data is None:
            return None
        aval = x.aval
        if aval.dtype not in _LAPACK or aval.weak_type or not aval.size:
            return None
        if compiled is not None and aval.size >= compiled:
            return None
    if any(x.dtype != args[0].dtype for x in args[1:]):
        return None
    try:
        out = function(*[x._data for x in args])
    except (ValueError, TypeError, np.linalg.LinAlgError):
        return None
    if not isinstance(out, tuple):
        return None if out is None else _as_array(out)
    return type(out)(*map(_as_array, out))


def _as_array(x: Any) -> Array:
    x = np.asarray(x)
    return from_buffer(x, ShapedArray(x.shape, x.dtype))


_LAPACK = frozenset(map(np.dtype, ("f4", "f8", "c8", "c16")))


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
                evaluate = partial(evaluate, **eqn.params)
            names.update((v, self.variable()) for v in eqn.outvars)
            outs = ", ".join(names[v] for v in eqn.outvars)
            comma = "," if primitive.multiple_results else ""
            call = f"{self.constant(evaluate)}({', '.join(inputs)})"
            self.lines.append(f"{outs}{comma} = {call}" if outs else call)
            for v in eqn.outvars:  # NumPy's scalars are no operands of evaluations
                if not v.aval.shape:
                    self.lines.append(f"{names[v]} = asarray({names[v]})")
        return [read(v) for v in jaxpr.outvars]
