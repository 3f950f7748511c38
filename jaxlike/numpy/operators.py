"""Python's operators on arrays and tracers, put on both classes by array_methods.py.

Each operator is the jaxlike.numpy function of that meaning, behind two short cuts: in
eager mode, operands whose types were seen before go straight to NumPy (a Plan has all
that promotion found out about them); while tracing, operands of one type go straight
to the primitive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core import dtypes
from jaxlike.core.array import Array, to_buffer
from jaxlike.core.avals import ShapedArray
from jaxlike.core.config import config
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.source_info import api_boundary, filter_traceback
from jaxlike.core.state import state
from jaxlike.core.trace import (
    Tracer,
    eval_trace,
    ignore_float_errors,
    restore_float_errors,
)
from jaxlike.numpy.dispatch import _all_plans, _blockers
from jaxlike.primitives import arithmetic, bitwise, comparison, powers

_ACCEPTED = (int, float, complex, np.generic, np.ndarray, Array, Tracer)
_REJECTED = (list, tuple, set, dict)

# Python ints have to fit the default integer type, as everywhere
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1
_PLAN_LIMIT = 4096
_NUMBER_LIMIT = 256

PLANNED_DTYPES = frozenset(
    np.dtype(d)
    for d in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
        *("uint64", "float16", "float32", "float64", "complex64", "complex128"),
        dtypes.bfloat16,
    )
)

_ndarray = np.ndarray
_to_ndarray = np.array
_new = object.__new__

# What promotion found out about two operand types: the result's aval, how to convert
# the operands or None, and, where the right one is a Python number, _Numbers
Plan = tuple[ShapedArray, "tuple[Any, Any, Any] | None", "_Numbers | None"]


def general(
    name: str, symbol: str, fun: Callable[[Any, Any], Any], reflected: bool
) -> Callable[[Any, Any], Any]:
    """The operator without short cuts: check the other operand, then call `fun`."""

    def operator(x, y):
        if not isinstance(y, _ACCEPTED):
            if hasattr(y, "__jax_array__"):
                y = y.__jax_array__()
            if not isinstance(y, _ACCEPTED):
                if isinstance(y, _REJECTED):
                    left, right = (y, x) if reflected else (x, y)
                    raise TypeError(
                        format_error(
                            f"unsupported operand type(s) for {symbol}: "
                            f"{type(left).__name__!r} and {type(right).__name__!r}"
                        )
                    )
                return NotImplemented
        return fun(y, x) if reflected else fun(x, y)

    operator.__name__ = operator.__qualname__ = name
    return operator


def planned(
    name: str,
    symbol: str,
    fun: Callable[[Any, Any], Any],
    primitive: Primitive,
    *,
    reflected: bool = False,
    inexact: bool = False,
    staged_kinds: str = "iufc",
) -> tuple[Callable, Callable]:
    """The operator for arrays and for tracers, where one primitive is the meaning.

    fun: what is called when no short cut applies. inexact: integers become floats
    first. staged_kinds: kinds of dtype whose operands need no promotion at all.
    """
    slow = general(name, symbol, fun, reflected)
    evaluate = _swapped(primitive.evaluate) if reflected else primitive.evaluate
    plans: dict[Any, Plan] = {}
    _all_plans.append(plans)  # to be forgotten when a setting changes

    def of_array(x, y):
        try:
            y_type = type(y)
            if y_type is Array:
                plan = plans.get((x.aval, y.aval))
                b = y._data
            elif y_type is float or y_type is int:
                plan = plans.get((x.aval, y_type))
                b = None if plan is None else plan[2][y]
            else:
                return slow(x, y)
            a = x._data
            if plan is None or a is None or b is None or state.trace is not eval_trace:
                return first_time(x, y)
            aval, conversion, _ = plan
            if conversion is not None:
                context, x_dtype, y_dtype = conversion
                if context is not config._trace_context:
                    return first_time(x, y)
            token = ignore_float_errors()
            try:
                if conversion is not None:
                    a, b = a.astype(x_dtype, copy=False), b.astype(y_dtype, copy=False)
                out = evaluate(a, b)
            finally:
                restore_float_errors(token)
            if type(out) is not _ndarray:
                out = _to_ndarray(out)
            result = _new(Array)
            result._data = out
            result.aval = aval
            return result
        except Exception as error:
            filter_traceback(error)
            raise

    def first_time(x, y):
        out = slow(x, y)
        if state.trace is eval_trace and type(out) is Array:
            plan = _make_plan(evaluate, x, y, out.aval, inexact)
            if plan is not None:
                if len(plans) >= _PLAN_LIMIT:
                    plans.clear()
                plans[x.aval, y.aval if type(y) is Array else type(y)] = plan
        return out

    def of_tracer(x, y):
        aval = x.aval
        if isinstance(y, Tracer) or type(y) is Array:
            if y.aval is aval and aval.dtype.kind in staged_kinds:
                if not (inexact and aval.dtype.kind in "iu"):
                    return primitive.bind(y, x) if reflected else primitive.bind(x, y)
        elif type(y) is float or type(y) is int:
            kind = aval.dtype.kind
            if not aval.weak_type and (
                (kind == "f" and (type(y) is float or _INT_MIN <= y <= _INT_MAX))
                or (kind == "i" and type(y) is int and not inexact)
            ):
                try:
                    b = _to_ndarray(y, aval.dtype)
                except OverflowError:
                    return slow(x, y)
                return primitive.bind(b, x) if reflected else primitive.bind(x, b)
        return slow(x, y)

    of_array.__name__ = of_array.__qualname__ = name
    of_tracer.__name__ = of_tracer.__qualname__ = name
    return of_array, of_tracer


def _swapped(evaluate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, y: evaluate(y, x)


def _make_plan(evaluate, x, y, aval, inexact) -> Plan | None:
    """The plan for operands of these types, if NumPy does all the rest by itself."""
    if _blockers or not isinstance(y, (Array, int, float)):
        return None
    target, _ = dtypes.lattice_result_type(x, y)
    if inexact:
        target = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(target))
    is_array = type(y) is Array
    y_dtype = y.aval.dtype if is_array else target
    if not {target, x.aval.dtype, y_dtype} <= PLANNED_DTYPES:
        return None
    a = np.empty([min(n, 1) for n in x.aval.shape], target)
    b = np.empty([min(n, 1) for n in y.aval.shape] if is_array else (), target)
    with np.errstate(all="ignore"):
        probe = evaluate(a, b)
    if probe.dtype != aval.dtype or probe.ndim != aval.ndim:
        return None
    conversion = None
    if not x.aval.dtype == y_dtype == target:
        # what dtypes promote to depends on the configuration
        conversion = config._trace_context, target, target
    return aval, conversion, None if is_array else _Numbers(target)


class _Numbers(dict):
    """Python numbers seen as right operands, as 0-d arrays of one dtype.

    None stands for numbers that promotion has to see.
    """

    __slots__ = ("dtype",)

    def __init__(self, dtype: Any):
        self.dtype = dtype

    def __missing__(self, number: float) -> np.ndarray | None:
        if type(number) is int and not _INT_MIN <= number <= _INT_MAX:
            return None
        try:
            with np.errstate(all="ignore"):
                out = _to_ndarray(number, self.dtype)
        except OverflowError:
            return None
        if number:  # 0.0 and -0.0 are one key
            if len(self) >= _NUMBER_LIMIT:
                self.clear()
            self[number] = out
        return out


def wants_every_operation() -> bool:
    """Whether a setting is on that has to see every operation."""
    return bool(_blockers)


def planned_unary(
    name: str, fun: Callable[[Any], Any], primitive: Primitive
) -> Callable[[Any], Any]:
    """A unary operator that is one primitive, for arrays; tracers use `fun`."""
    evaluate = primitive.evaluate
    plans: dict[ShapedArray, ShapedArray] = {}
    _all_plans.append(plans)

    def operator(x):
        aval = plans.get(x.aval)
        if aval is None or state.trace is not eval_trace or x._data is None:
            try:
                out = fun(x)
            except Exception as error:
                filter_traceback(error)
                raise
            if state.trace is eval_trace and type(out) is Array and not _blockers:
                if x.aval.dtype in PLANNED_DTYPES:
                    if len(plans) >= _PLAN_LIMIT:
                        plans.clear()
                    plans[x.aval] = out.aval
            return out
        token = ignore_float_errors()
        try:
            out = evaluate(x._data)
        finally:
            restore_float_errors(token)
        if type(out) is not _ndarray:
            out = _to_ndarray(out)
        return Array(out, aval)

    operator.__name__ = operator.__qualname__ = name
    return operator


def power(x: Any, y: Any) -> Any:
    """x ** y; exponents that are Python ints stay static, as integer_pow."""
    if (
        type(x) is Array
        and type(y) is int
        and state.trace is eval_trace
        and x.aval.dtype.kind == "f"
        and x._data is not None
        and not wants_every_operation()
    ):
        token = ignore_float_errors()
        try:
            out = powers.integer_pow_p.evaluate(x._data, y=y)
        finally:
            restore_float_errors(token)
        if type(out) is not _ndarray:
            out = _to_ndarray(out)
        return Array(out, x.aval)
    return _power(x, y)


_power = general("__pow__", "**", lambda x, y: jnp.power(x, y), False)


def round_(x: Any, ndigits: int | None = None) -> Any:
    """round(x): to integers without `ndigits`, else to that many decimals."""
    out = jnp.round(x, decimals=ndigits or 0)
    if ndigits is None and not dtypes.issubdtype(out.dtype, np.integer):
        return out.astype(int)
    return out


def contains(x: Any, element: Any) -> bool:
    """`element in x`, for arrays of one axis.

    Raises: ValueError if the array has another number of axes.
    """
    if x.ndim != 1:
        raise ValueError(
            format_error(f"`in` takes an array of 1 axis, got shape {x.shape}")
        )
    if type(x) is Array and not isinstance(element, Tracer):
        element = to_buffer(element)
        if element.ndim == 0:
            return bool((x._data == element).any())
    return bool(jnp.any(x == element))


# (method, symbol, function of jaxlike.numpy, primitive, integers become floats first,
# kinds of dtype that need no promotion)
_PLANNED = (
    ("add", "+", "add", arithmetic.add_p, False, "iufc"),
    ("sub", "-", "subtract", arithmetic.sub_p, False, "iufc"),
    ("mul", "*", "multiply", arithmetic.mul_p, False, "iufc"),
    ("truediv", "/", "true_divide", arithmetic.div_p, True, "fc"),
    ("eq", "==", "equal", comparison.eq_p, False, "biufc"),
    ("ne", "!=", "not_equal", comparison.ne_p, False, "biufc"),
    ("lt", "<", "less", comparison.lt_p, False, "biuf"),
    ("le", "<=", "less_equal", comparison.le_p, False, "biuf"),
    ("gt", ">", "greater", comparison.gt_p, False, "biuf"),
    ("ge", ">=", "greater_equal", comparison.ge_p, False, "biuf"),
    ("and", "&", "bitwise_and", bitwise.and_p, False, "biu"),
    ("or", "|", "bitwise_or", bitwise.or_p, False, "biu"),
    ("xor", "^", "bitwise_xor", bitwise.xor_p, False, "biu"),
)
_GENERAL = (
    ("floordiv", "//", "floor_divide"),
    ("mod", "%", "remainder"),
    ("divmod", "divmod", "divmod"),
    ("matmul", "@", "matmul"),
    ("lshift", "<<", "left_shift"),
    ("rshift", ">>", "right_shift"),
)
_REFLEXIVE = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))


def _late(name: str) -> Callable[[Any, Any], Any]:
    # jaxlike.numpy is still being imported when this file is
    return lambda x, y: getattr(jnp, name)(x, y)


def operators() -> tuple[dict[str, Callable], dict[str, Callable]]:
    """Every operator method by its name: those of arrays, and those of tracers."""
    arrays: dict[str, Callable] = {}
    tracers: dict[str, Callable] = {}
    for short, symbol, function, primitive, inexact, kinds in _PLANNED:
        for reflected in (False,) if short in _REFLEXIVE else (False, True):
            name = f"__{'r' * reflected}{short}__"
            arrays[name], tracers[name] = planned(
                name,
                symbol,
                _late(function),
                primitive,
                reflected=reflected,
                inexact=inexact,
                staged_kinds=kinds,
            )
    both: dict[str, Callable] = {"__pow__": power, "__round__": round_}
    for short, symbol, function in _GENERAL:
        fun = _late(function)
        for reflected in (False, True):
            name = f"__{'r' * reflected}{short}__"
            both[name] = general(name, symbol, fun, reflected)
    both["__rpow__"] = general("__rpow__", "**", _late("power"), True)
    both["__contains__"] = contains
    both["__pos__"] = lambda x: jnp.positive(x)
    both = {name: api_boundary(fun) for name, fun in both.items()}
    unary = (
        ("__neg__", "negative", arithmetic.neg_p),
        ("__abs__", "abs", arithmetic.abs_p),
        ("__invert__", "invert", bitwise.not_p),
    )
    for name, function, primitive in unary:
        fun = _late_unary(function)
        tracers[name] = fun
        arrays[name] = planned_unary(name, fun, primitive)
    return {**arrays, **both}, {**tracers, **both}


def _late_unary(name: str) -> Callable[[Any], Any]:
    return lambda x: getattr(jnp, name)(x)
