"""Traces and tracers: who runs a primitive, and the values it runs on.

There is one current trace a thread. Primitive.bind hands it the operation; a transform
makes its own trace current while the user's function runs, and its rules run under the
trace that was current before (its parent). staging.py has the trace that makes jaxprs.
"""

from __future__ import annotations

import operator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from jaxlike.core import array, errors
from jaxlike.core.array import Array, from_buffer, to_buffer
from jaxlike.core.avals import ShapedArray, aval_of_type, get_aval
from jaxlike.core.config import Override, config
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.state import state


class Trace:
    """How primitives are run: one subclass a transform, one object a use of it."""

    __slots__ = ("__weakref__",)

    # (transform, function) for messages; None where another trace speaks for this one
    owner: tuple[str, Any] | None = None

    @property
    def label(self) -> str | None:
        """`grad(loss)`: what messages call this trace."""
        if self.owner is None:
            return None
        kind, fun = self.owner
        return f"{kind}({getattr(fun, '__name__', type(fun).__name__)})"

    def process_primitive(self, primitive: Primitive, args, params):
        raise NotImplementedError

    def process_custom_jvp_call(self, primitive, fun, jvp, args, *, symbolic_zeros):
        """Run `fun` on flat args, differentiated by the flat rule `jvp`."""
        raise NotImplementedError

    def process_custom_vjp_call(
        self, primitive, fun, fwd, bwd, args, *, out_trees, symbolic_zeros
    ):
        """Run `fun` on flat args, reverse-differentiated by `fwd` and `bwd`."""
        raise NotImplementedError


class Tracer:
    """A value that stands for an array while a transform runs.

    It has the array's `aval` (shape, dtype) and its operators, but the numbers only
    where the transform runs on concrete values.
    """

    __slots__ = ("__weakref__", "_trace", "aval")

    _trace: Trace
    aval: ShapedArray

    # NumPy's operators give way to ours
    __array_priority__ = 1000

    @property
    def shape(self) -> tuple[int, ...]:
        return self.aval.shape

    @property
    def dtype(self):
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        return self.aval.ndim

    @property
    def size(self) -> int:
        return self.aval.size

    @property
    def weak_type(self) -> bool:
        return self.aval.weak_type

    def concrete_value(self) -> Array | None:
        """The array this tracer carries, where its trace runs on concrete values."""
        return None

    def __len__(self) -> int:
        return len(self.aval)

    def __bool__(self) -> bool:
        if self.aval.size != 1:
            raise ValueError(errors.truth_message(self.aval))
        return bool(self._concrete(errors.TracerBoolConversionError))

    def __int__(self) -> int:
        return int(self._concrete(errors.ConcretizationTypeError, "int() of it"))

    def __float__(self) -> float:
        return float(self._concrete(errors.ConcretizationTypeError, "float() of it"))

    def __complex__(self) -> complex:
        return complex(
            self._concrete(errors.ConcretizationTypeError, "complex() of it")
        )

    def __index__(self) -> int:
        value = self._concrete(errors.TracerIntegerConversionError)
        return value.__index__()

    def __hex__(self) -> str:
        return hex(self.__index__())

    def __oct__(self) -> str:
        return oct(self.__index__())

    def item(self, *args):
        """The scalar as a Python number, where it is known."""
        value = self._concrete(errors.ConcretizationTypeError, ".item() of it")
        return value.item(*args)

    def tolist(self):
        """The nested list of its values, where they are known."""
        value = self._concrete(errors.ConcretizationTypeError, ".tolist() of it")
        return value.tolist()

    def tobytes(self, order="C"):
        value = self._concrete(errors.ConcretizationTypeError, ".tobytes() of it")
        return value.tobytes(order)

    def __array__(self, *args, **kwargs):
        raise errors.TracerArrayConversionError(self)

    def __format__(self, spec: str) -> str:
        if not spec:
            return repr(self)
        value = self._concrete(errors.ConcretizationTypeError, "formatting it")
        return format(value, spec)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __hash__(self):
        raise TypeError(
            format_error(
                "a traced array is no key of a dict and no element of a set "
                "(unhashable type)",
                try_="jnp.asarray(table)[i] to look up by a traced value",
            )
        )

    def __setitem__(self, index, value):
        raise TypeError(errors.immutable_message(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self.aval}>"

    def block_until_ready(self):
        return self

    def copy_to_host_async(self):
        return None

    def is_fully_replicated(self):
        return True

    def addressable_data(self, index):
        value = self._concrete(errors.ConcretizationTypeError, "its data")
        return value.addressable_data(index)

    def _concrete(self, error, context: str = ""):
        value = self.concrete_value()
        if value is None:
            raise error(self, context) if context else error(self)
        return array.to_array(value)


aval_of_type[Tracer] = operator.attrgetter("aval")
array.tracer_classes = (Tracer,)


def is_concrete(x: Any) -> bool:
    """Whether the numbers of `x` are known now."""
    return not isinstance(x, Tracer) or x.concrete_value() is not None


def concrete_or_error(force, x: Any, context: str = "", try_: str | None = None):
    """`force(x)`, or ConcretizationTypeError saying what needed the value."""
    if isinstance(x, Tracer):
        value = x.concrete_value()
        if value is None:
            raise errors.ConcretizationTypeError(x, context, try_)
        x = value
    return x if force is None else force(x)


class EvalTrace(Trace):
    """Runs each primitive at once on concrete values: eager mode."""

    __slots__ = ()

    def process_primitive(self, primitive, args, params):
        if primitive.impl is not None:
            if not config.debug_key_reuse:
                return primitive.impl(*args, **params)
            with Override("debug_key_reuse", False):  # looked at as a whole
                results = primitive.impl(*args, **params)
            look_at_keys(primitive, params, args, results)
            return results
        try:
            avals = tuple([a.aval if type(a) is Array else get_aval(a) for a in args])
            out_avals, _ = primitive.out_avals(avals, params)
            token = ignore_float_errors()
            try:
                outs = primitive.evaluate(
                    *[a._data if type(a) is Array else to_buffer(a) for a in args],
                    **params,
                )
            finally:
                restore_float_errors(token)
            if outs is None:  # an operand's buffer, handed through
                check_operands(primitive, args)
        except Exception:
            # an operand that is gone explains any other failure
            check_operands(primitive, args)
            raise
        if primitive.multiple_results:
            results = [from_buffer(out, a) for out, a in zip(outs, out_avals)]
        else:
            results = from_buffer(outs, out_avals)
        if config.debug_nans or config.debug_infs:
            check_finite(
                primitive, results if primitive.multiple_results else [results]
            )
        if config.debug_key_reuse:
            look_at_keys(primitive, params, args, results)
        return results

    def process_custom_jvp_call(self, primitive, fun, jvp, args, *, symbolic_zeros):
        return fun(*args)

    def process_custom_vjp_call(
        self, primitive, fun, fwd, bwd, args, *, out_trees, symbolic_zeros
    ):
        return fun(*args)


eval_trace = EvalTrace()
type(state).trace = eval_trace


def check_operands(primitive, args) -> None:
    """Raise if an operand is a finished transform's tracer, or a deleted array."""
    for a in args:
        if isinstance(a, Tracer):
            raise errors.UnexpectedTracerError(errors.leaked_message(a, primitive))
        if type(a) is Array:
            a._check_not_deleted()


# what transforms/key_reuse.py does with the operations under debug_key_reuse
key_check: Any = None


def look_at_keys(primitive, params, args, results) -> None:
    if key_check is not None:
        outs = results if primitive.multiple_results else [results]
        key_check(primitive, params, args, outs)


def check_finite(primitive, arrays) -> None:
    """Raise FloatingPointError, at the user's line, for what debug_nans looks for."""
    for x in arrays:
        data = x._data
        if data.dtype.kind not in "fcV" or not data.size or x.dtype != data.dtype:
            continue
        if config.debug_nans and np.isnan(data).any():
            raise FloatingPointError(errors.nonfinite_message(primitive, "nan", x))
        if config.debug_infs and np.isinf(data).any():
            raise FloatingPointError(errors.nonfinite_message(primitive, "inf", x))


def _float_error_switch():
    """Functions that silence NumPy's floating-point warnings and undo that, quickly.

    np.errstate costs more than a small operation; NumPy keeps the setting in a context
    variable, which can be set by itself. Where that is private detail has moved, the
    public context manager serves.
    """
    try:
        from numpy._core._ufunc_config import _extobj_contextvar, _make_extobj

        quiet = _make_extobj(all="ignore")
        token = _extobj_contextvar.set(quiet)
        _extobj_contextvar.reset(token)
    except Exception:

        def enter():
            manager = np.errstate(all="ignore")
            manager.__enter__()
            return manager

        return enter, lambda manager: manager.__exit__(None, None, None)

    return partial(_extobj_contextvar.set, quiet), _extobj_contextvar.reset


ignore_float_errors, restore_float_errors = _float_error_switch()


def current_trace() -> Trace:
    return state.trace


@contextmanager
def set_current_trace(trace: Trace):
    """Make `trace` the current trace inside a with block."""
    previous = state.trace
    state.trace = trace
    try:
        yield trace
    finally:
        state.trace = previous


@contextmanager
def extend_axis_env(name, size: int):
    """Bring the axis `name` into scope inside a with block."""
    previous = state.axis_env
    state.axis_env = {**previous, name: size}
    try:
        yield
    finally:
        state.axis_env = previous


@contextmanager
def ensure_compile_time_eval():
    """Run the operations inside the block now, even while a function is traced.

    >>> import jaxlike
    >>> with jaxlike.ensure_compile_time_eval():
    ...     pass
    """
    with set_current_trace(eval_trace):
        yield
