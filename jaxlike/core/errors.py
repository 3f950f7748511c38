"""JAX's error classes, and `format_error`, which gives every message its one form.

Messages about tracers are put together in `explain.py`, when they are first read.
"""

from __future__ import annotations

import copyreg
import sys
from collections.abc import Sequence
from typing import Any

from jaxlike.core import source_info
from jaxlike.core.state import state


def format_error(
    headline: str,
    details: Sequence[str] = (),
    source: Any = None,
    try_: str | None = None,
) -> str:
    """A message in jaxlike's one form; call it only where an error is raised.

    Args:
      headline: what happened, with shapes.
      details: one fact a line.
      source: a source info; None means the user's line now, False no line at all.
      try_: the way out.

    >>> print(format_error("axes differ", ["axis 0: 3 against 5"], False, "x[:3]"))
    axes differ
      axis 0: 3 against 5
      try:  x[:3]
    """
    lines = [headline, *(f"  {detail}" for detail in details)]
    if source is not False:
        place = source_line(source_info.here() if source is None else source)
        if place:
            lines.append(f"  {place}")
        under = transforms_in_force(user_trace())
        if under:
            lines.append(f"  under {under}")
    if try_:
        lines.append(f"  try:  {try_}")
    return "\n".join(lines)


def source_line(info: source_info.SourceInfo) -> str:
    """`at    train.py:41 in loss:  h = x + bias`, or ''."""
    place = source_info.resolve(info)
    if place is None:
        return ""
    file = source_info.short_file(place.file)
    line = f"at    {file}:{place.line} in {place.function}"
    return f"{line}:  {place.text}" if place.text else line


def called_name() -> str:
    """The name of the public function that the user's line called, or ''."""
    frame: Any = sys._getframe(1)
    last = None
    while frame is not None and source_info.is_internal(frame.f_code.co_filename):
        last, frame = frame, frame.f_back
    if last is None:
        return ""
    name = last.f_code.co_name
    if name == "api_boundary_wrapper":
        name = getattr(last.f_locals["fun"], "__name__", "")
    return "" if name.startswith("<") else name.strip("_")


def user_trace() -> Any:
    """The trace that the user's line runs under.

    A rule runs under the parent of the trace it serves, so state.trace may be further
    out: the trace is then that of the last rule call above the user's frame.
    """
    trace = state.trace
    frame: Any = sys._getframe(1)
    while frame is not None and source_info.is_internal(frame.f_code.co_filename):
        if frame.f_code.co_name.startswith("process_"):
            caller = frame.f_locals.get("self")
            if hasattr(caller, "process_primitive"):
                trace = caller
        frame = frame.f_back
    return trace


def add_details(error: Exception, details: Sequence[str]) -> None:
    """Put facts into a message of the one form, before its way out."""
    if not details or len(error.args) != 1 or not isinstance(error.args[0], str):
        return
    head, cure, rest = error.args[0].partition("\n  try:")
    error.args = ("\n".join([head, *(f"  {d}" for d in details)]) + cure + rest,)


def operand_details(args: Sequence[Any]) -> list[str]:
    """Where the operands of a failed operation came from, one line each."""
    from jaxlike.core import explain

    return explain.operands(args)


def transforms_in_force(trace: Any) -> str:
    """`grad(loss) -> jit`: what the trace belongs to, from the outermost."""
    names: list[str] = []
    while trace is not None and len(names) < 8:
        debug_info = getattr(trace, "debug_info", None)
        if debug_info is not None:
            names.append(f"{debug_info.traced_for}({debug_info.func_name})")
        elif getattr(trace, "label", None):
            names.append(trace.label)
        trace = getattr(trace, "parent", None)
    return " -> ".join(reversed(names))


class _Explained:
    """Lets an error about a tracer put its text together when it is first read."""

    args: tuple[Any, ...]
    _about: tuple[Any, ...] | None = None

    def _explain_later(self, what: str, *about: Any) -> None:
        self._about = (what, source_info.here(), state.trace, *about)

    def __str__(self) -> str:
        if self._about is not None:
            from jaxlike.core import explain

            what, *about = self._about
            self.args = (getattr(explain, what)(*about),)
            self._about = None
        return super().__str__()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), str(self))


def _rebuild(cls: type, message: str) -> Any:
    error = copyreg.__newobj__(cls)  # type: ignore[attr-defined]
    error.args = (message,)
    return error


class JAXTypeError(_Explained, TypeError):
    """A TypeError of this library; the base of the errors about tracers."""

    __module__ = "jaxlike.errors"


class JAXIndexError(_Explained, IndexError):
    """An IndexError of this library."""

    __module__ = "jaxlike.errors"


class ConcretizationTypeError(JAXTypeError):
    """The numbers of a traced array are needed, but only its shape is known.

    Under `jit`, `vmap`, `scan` and the like a function runs on stand-ins, so whatever
    must be known in Python (a shape, `float(x)`, an `axis`) cannot depend on them.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> jaxlike.jit(lambda n: jnp.zeros(n))(3)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    jaxlike.errors.ConcretizationTypeError: ...

    Mended: make what decides the shape a static argument.

    >>> jaxlike.jit(lambda n: jnp.zeros(n), static_argnums=0)(3)
    Array([0., 0., 0.], dtype=float32)
    """

    __module__ = "jaxlike.errors"

    def __init__(self, tracer: Any, context: str = "", try_: str | None = None):
        super().__init__()
        self._explain_later("value_needed", tracer, context, try_)


class TracerBoolConversionError(ConcretizationTypeError):
    """Python has to decide on a traced value: `if`, `while`, `and`, `assert`.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> jaxlike.jit(lambda x: x if x > 0 else 0.0)(1.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    jaxlike.errors.TracerBoolConversionError: ...

    Mended: let the array program choose.

    >>> jaxlike.jit(lambda x: jnp.where(x > 0, x, 0.0))(1.0)
    Array(1., dtype=float32, weak_type=True)
    """

    __module__ = "jaxlike.errors"

    def __init__(self, tracer: Any):
        JAXTypeError.__init__(self)
        self._explain_later("bool_needed", tracer)


class TracerArrayConversionError(JAXTypeError):
    """A traced array was handed to NumPy, which needs its numbers.

    >>> import jaxlike, jaxlike.numpy as jnp, numpy as np
    >>> jaxlike.jit(lambda x: np.sin(x))(1.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    jaxlike.errors.TracerArrayConversionError: ...

    Mended: the function of the same name here.

    >>> jaxlike.jit(lambda x: jnp.sin(x))(0.0)
    Array(0., dtype=float32, weak_type=True)
    """

    __module__ = "jaxlike.errors"

    def __init__(self, tracer: Any):
        super().__init__()
        self._explain_later("array_needed", tracer)


class TracerIntegerConversionError(JAXTypeError):
    """A traced array is used where Python wants an int: `range`, a list's index.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> table = [10, 20, 30]
    >>> jaxlike.jit(lambda i: table[i])(1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    jaxlike.errors.TracerIntegerConversionError: ...

    Mended: index an array, or make the index static.

    >>> jaxlike.jit(lambda i: jnp.array(table)[i])(1)
    Array(20, dtype=int32)
    """

    __module__ = "jaxlike.errors"

    def __init__(self, tracer: Any):
        super().__init__()
        self._explain_later("int_needed", tracer)


class NonConcreteBooleanIndexError(JAXIndexError):
    """A traced mask would give a result whose shape is not known.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> x = jnp.array([-1.0, 2.0])
    >>> jaxlike.jit(lambda x: x[x > 0])(x)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    jaxlike.errors.NonConcreteBooleanIndexError: ...

    Mended: keep the shape, and put something harmless where the mask is False.

    >>> jaxlike.jit(lambda x: jnp.where(x > 0, x, 0.0).sum())(x)
    Array(2., dtype=float32)
    """

    __module__ = "jaxlike.errors"

    def __init__(self, tracer: Any):
        super().__init__()
        self._explain_later("mask_needed", tracer)


class UnexpectedTracerError(JAXTypeError):
    """A tracer is used after the function it belongs to has been traced.

    It got out through a side effect: a global, an attribute, a list outside.

    >>> import jaxlike
    >>> seen = []
    >>> _ = jaxlike.jit(lambda x: seen.append(x + 1) or x)(1.0)
    >>> seen[0] * 2  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    jaxlike.errors.UnexpectedTracerError: ...

    Mended: return it.

    >>> out, kept = jaxlike.jit(lambda x: (x, x + 1))(1.0)
    >>> kept * 2
    Array(4., dtype=float32, weak_type=True)
    """

    __module__ = "jaxlike.errors"


class KeyReuseError(JAXTypeError):
    """A random key was used twice, under `debug_key_reuse`.

    Each key serves one sample or one split; more keys come from a split.

    >>> import jaxlike
    >>> from jaxlike import random
    >>> a, b = random.split(random.key(0))
    >>> with jaxlike.debug_key_reuse(True):
    ...     bool(random.uniform(a) == random.uniform(b))
    False
    """

    __module__ = "jaxlike.errors"


class JaxprTypeError(TypeError):
    """A jaxpr is ill-typed: a primitive's or a transform's rule made a mistake.

    Turn on `jax_enable_checks` to find it where it is made; the message prints the
    equation.

    >>> import jaxlike
    >>> closed = jaxlike.make_jaxpr(lambda x: x + 1)(1.0)
    >>> from jaxlike.core.jaxpr import check_jaxpr
    >>> check_jaxpr(closed.jaxpr)
    """

    __module__ = "jaxlike.errors"


class InconclusiveDimensionOperation(Exception):
    """A comparison of symbolic dimensions has no answer that holds for all sizes.

    It is raised while a program with symbolic shapes is traced: `if x.shape[0] > 3`
    with a dimension `b` known only to be positive. Add a constraint such as `b >= 4`
    to the scope in which the dimension is made.
    """

    __module__ = "jaxlike.errors"


class JaxRuntimeError(RuntimeError):
    """A compiled program, a device or a collective failed while it ran."""

    __module__ = "jaxlike.errors"


# -- messages that core raises itself; see explain.py


def immutable_message(x: Any) -> str:
    """For `x[i] = v`."""
    what = "an Array" if type(x).__name__ == "Array" else "a traced array"
    return format_error(
        f"{what} cannot be changed in place: it is {x.aval.str_short()}",
        try_="x = x.at[index].set(value), or .add, .multiply, .min ...",
    )


def truth_message(aval: Any) -> str:
    """For `if x` of an array that has not one element."""
    if not aval.size:
        return format_error(
            "Python needs True or False, but an array of no elements has neither",
            try_="a.size > 0, to ask whether it is empty",
        )
    return format_error(
        "Python needs one True or False, but an array of several elements has several",
        try_="x.any() or x.all()",
    )


def deleted_message(x: Any) -> str:
    """For an array whose buffer was donated or deleted."""
    return format_error(
        f"the {x.aval.str_short()} used here has been deleted",
        ["its buffer was donated to a jitted call, or x.delete() was called"],
        try_="keep a copy before the call, or drop donate_argnums",
    )


def leaked_message(tracer: Any, primitive: Any = None) -> str:
    """For a tracer that outlived its transform, met by `primitive`."""
    from jaxlike.core import explain

    return explain.leaked(tracer, primitive)


def closed_trace_message(primitive: Any, debug_info: Any) -> str:
    """For an operation on behalf of a trace that has ended."""
    name = "a transformed function"
    if debug_info is not None:
        name = f"{debug_info.traced_for}({debug_info.func_name})"
    return format_error(
        f"{primitive.name} was called on behalf of {name}, whose trace has ended",
        ["a function traced there was kept, and called later"],
        try_="make what you keep depend on returned values only",
    )


def nonfinite_message(primitive: Any, kind: str, array: Any) -> str:
    """For `debug_nans` and `debug_infs`; `kind` is 'nan' or 'inf'."""
    import numpy as np

    data = array._data
    test = np.isnan if kind == "nan" else np.isinf
    bad = np.argwhere(test(data))
    first = ", ".join(map(str, bad[0].tolist()))
    where = f"{len(bad)} of {data.size} values"
    return format_error(
        f"invalid value ({kind}) encountered in {primitive.name}",
        [f"{where} of {array.aval.str_short()}, the first at [{first}]"],
        try_=f"look at the operands of that line; jax_debug_{kind}s=False goes on",
    )


def check_for_leaks(trace: Any) -> None:
    """Raise if a tracer of `trace`, which has ended, is still referred to."""
    from jaxlike.core import explain

    explain.check_for_leaks(trace)
