"""The quick way of elementwise functions in eager mode, and the makers of them.

A function made here remembers, for the avals of its operands, that its result is one
NumPy call away (a plan). With a plan, a small eager operation costs little more than
that call; all else (tracers, promotion, debug_nans) takes the general way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.config import config
from jaxlike.core.source_info import filter_traceback
from jaxlike.core.state import state
from jaxlike.core.trace import (
    eval_trace,
    ignore_float_errors,
    restore_float_errors,
)

_PLANS_LIMIT = 2048
# Above this size the call costs nothing beside the arithmetic, and no plan is made.
_SIZE_LIMIT = 1 << 16
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1

_all_plans: list[dict] = []
# (thread, setting) pairs that need the general way now: no plans exist meanwhile
_blockers: set[tuple[int, str]] = set()


def _watch(name: str, harmless: Any) -> None:
    def hook(value):
        key = threading.get_ident(), name
        if value == harmless:
            _blockers.discard(key)
        else:
            _blockers.add(key)
        for plans in _all_plans:
            plans.clear()

    config.add_hook(name, hook)
    if getattr(config, name) != harmless:
        _blockers.add((0, name))


_watch("debug_nans", False)
_watch("debug_infs", False)
_watch("debug_key_reuse", False)
_watch("legacy_prng_key", "allow")
_watch("enable_custom_prng", False)
_watch("numpy_rank_promotion", "allow")
_watch("numpy_dtype_promotion", "standard")


def _forget(_value) -> None:
    for plans in _all_plans:
        plans.clear()


config.add_hook("enable_x64", _forget)


def new_plans() -> dict:
    """A table of plans that is emptied when a setting asks for the general way."""
    plans: dict = {}
    _all_plans.append(plans)
    return plans


def _evaluator(primitive, params: dict) -> Callable:
    if not params:
        return primitive.evaluate
    evaluate = primitive.evaluate
    return lambda *operands: evaluate(*operands, **params)


def remember(plans: dict, key: Any, evaluate: Callable, operands, out: Any) -> None:
    """Make a plan if `evaluate(*operands)` alone gives `out`, dtype and shape."""
    if _blockers or type(out) is not Array or out.aval.size > _SIZE_LIMIT:
        return
    if isinstance(out.aval.dtype, dtypes.ExtendedDType) or out._data is None:
        return
    token = ignore_float_errors()
    try:
        again = np.asarray(evaluate(*operands))
    except Exception:
        return
    finally:
        restore_float_errors(token)
    if again.dtype != out.aval.dtype or again.shape != out.aval.shape:
        return
    if len(plans) >= _PLANS_LIMIT:
        plans.clear()
    plans[key] = out.aval


def unary(general: Callable, primitive, kinds: str, **params) -> Callable:
    """A function of one array, quick where it is `primitive` on these dtypes.

    general: the whole function, for any array-like.
    kinds: kinds of NumPy dtype ('f', 'i', ...) for which the primitive alone does it.
    """
    from jaxlike.numpy.composites import composite

    plans = new_plans()
    evaluate = _evaluator(primitive, params)
    new = Array
    staged = composite(general)

    def call(x, /):
        if type(x) is Array:
            aval = x.aval
            out_aval = plans.get(aval)
            if out_aval is not None and state.trace is eval_trace:
                token = ignore_float_errors()
                try:
                    out = evaluate(x._data)
                    if type(out) is not np.ndarray:
                        out = np.asarray(out)
                    return new(out, out_aval)
                except Exception:  # the general way says what is wrong
                    pass
                finally:
                    restore_float_errors(token)
        try:
            out = staged(x)
        except Exception as error:
            filter_traceback(error)
            raise
        if type(x) is Array and x.aval.dtype.kind in kinds:
            remember(plans, x.aval, evaluate, (x._data,), out)
        return out

    call.is_boundary = True  # type: ignore[attr-defined]
    return named(call, general)


def binary(general: Callable, primitive, kinds: str, **params) -> Callable:
    """A function of two arrays, quick where it is `primitive` on these dtypes.

    The primitive's evaluation must broadcast as NumPy does, over ranks too. The second
    or the first operand may be a Python number.
    """
    from jaxlike.numpy.composites import composite

    plans = new_plans()
    evaluate = _evaluator(primitive, params)
    staged = composite(general)
    new, asarray, ndarray = Array, np.asarray, np.ndarray

    def call(x, y, /):
        tx, ty = type(x), type(y)
        if tx is Array:
            if ty is Array:
                out_aval = plans.get((x.aval, y.aval))
                if out_aval is not None and state.trace is eval_trace:
                    token = ignore_float_errors()
                    try:
                        out = evaluate(x._data, y._data)
                        if type(out) is not ndarray:
                            out = asarray(out)
                        return new(out, out_aval)
                    except Exception:  # the general way says what is wrong
                        pass
                    finally:
                        restore_float_errors(token)
            elif ty is float or (ty is int and _INT_MIN <= y <= _INT_MAX):
                out_aval = plans.get((x.aval, ty))
                if out_aval is not None and state.trace is eval_trace:
                    token = ignore_float_errors()
                    try:
                        data = x._data
                        out = evaluate(data, asarray(y, data.dtype))
                        if type(out) is not ndarray:
                            out = asarray(out)
                        return new(out, out_aval)
                    except Exception:
                        pass
                    finally:
                        restore_float_errors(token)
        elif ty is Array and (tx is float or (tx is int and _INT_MIN <= x <= _INT_MAX)):
            out_aval = plans.get((tx, y.aval))
            if out_aval is not None and state.trace is eval_trace:
                token = ignore_float_errors()
                try:
                    data = y._data
                    out = evaluate(asarray(x, data.dtype), data)
                    if type(out) is not ndarray:
                        out = asarray(out)
                    return new(out, out_aval)
                except Exception:
                    pass
                finally:
                    restore_float_errors(token)
        try:
            out = staged(x, y)
        except Exception as error:
            filter_traceback(error)
            raise
        if type(out) is Array and (tx is Array or ty is Array):
            _plan_binary(plans, evaluate, kinds, x, y, out)
        return out

    call.is_boundary = True  # type: ignore[attr-defined]
    return named(call, general)


class _Evaluation:
    """A NumPy function in the place of a primitive."""

    def __init__(self, evaluate: Callable):
        self.evaluate = evaluate


def unary_of(
    primitive, kinds: str, of: Callable | None = None
) -> Callable[[Callable], Callable]:
    """`unary` as a decorator; `of` makes the function of one array from the rule."""
    if of is not None:
        primitive = _Evaluation(of(primitive.evaluate))
    return lambda general: unary(general, primitive, kinds)


def binary_by(evaluate: Callable, kinds: str) -> Callable[[Callable], Callable]:
    """A decorator as `binary`, for functions of several primitives that are one NumPy
    function on dtypes of these kinds."""
    return lambda general: binary(general, _Evaluation(evaluate), kinds)


def _plan_binary(plans, evaluate, kinds, x, y, out) -> None:
    keys, operands, dtype = [], [], None
    for operand in (x, y):
        t = type(operand)
        if t is Array:
            if dtype is not None and operand.aval.dtype is not dtype:
                return
            dtype = operand.aval.dtype
            keys.append(operand.aval)
            operands.append(operand._data)
        elif t is float or t is int:
            keys.append(t)
            operands.append(operand)
        else:
            return
    if dtype.kind not in kinds or (float in keys and dtype.kind not in "fc"):
        return
    if dtype.kind == "b" and int in keys:
        return
    for i, operand in enumerate(operands):
        if type(operand) is not np.ndarray:
            try:
                operands[i] = np.asarray(operand, dtype)
            except OverflowError:
                return
    remember(plans, tuple(keys), evaluate, operands, out)


def named(fun: Callable, like: Callable) -> Callable:
    """Give `fun` the name, the docstring and the module of `like`."""
    fun.__name__ = like.__name__
    fun.__qualname__ = like.__qualname__
    fun.__doc__ = like.__doc__
    fun.__module__ = like.__module__
    fun.__annotations__ = like.__annotations__
    fun.__wrapped__ = like
    return fun
