"""What went wrong with a tracer: where it came from, what it depends on, what to do.

Nothing here runs before an error's text is read.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

from jaxlike.core import source_info
from jaxlike.core.errors import (
    UnexpectedTracerError,
    format_error,
    source_line,
    transforms_in_force,
)


def value_needed(
    source: Any, trace: Any, tracer: Any, context: str, try_: str | None
) -> str:
    reason = f": {context}" if context else ""
    return _about(
        f"the value of {_name(tracer)} is needed, which is not known yet{reason}",
        source,
        trace,
        tracer,
        try_
        or "static_argnums / static_argnames of jit for what must be known in Python; "
        "x.astype(float) for float(x); jnp and lax functions for the rest",
    )


def bool_needed(source: Any, trace: Any, tracer: Any) -> str:
    return _about(
        f"Python needs True or False, but {_name(tracer)} is not known yet",
        source,
        trace,
        tracer,
        "jnp.where(c, a, b) or lax.cond for `if`, lax.while_loop for `while`, "
        "& | ~ for `and or not`; or static_argnames of jit",
    )


def array_needed(source: Any, trace: Any, tracer: Any) -> str:
    return _about(
        f"NumPy needs the numbers of {_name(tracer)}, which are not known yet",
        source,
        trace,
        tracer,
        "the jaxlike.numpy function of that name; jaxlike.pure_callback for code "
        "that has to run in NumPy",
    )


def int_needed(source: Any, trace: Any, tracer: Any) -> str:
    return _about(
        f"Python needs an int, but {_name(tracer)} is not known yet",
        source,
        trace,
        tracer,
        "jnp.asarray(table)[i] to index, lax.fori_loop for range, or "
        "static_argnames of jit",
    )


def mask_needed(source: Any, trace: Any, tracer: Any) -> str:
    return _about(
        f"the shape of the result depends on the mask {_name(tracer)}, "
        "which is not known yet",
        source,
        trace,
        tracer,
        "jnp.where(mask, x, 0), x.at[mask].set(v), or "
        "jnp.nonzero(mask, size=n) for a result of fixed size",
    )


def leaked(tracer: Any, primitive: Any) -> str:
    trace = getattr(tracer, "_trace", None)
    owner = transforms_in_force(trace) or type(tracer).__name__
    details = [f"it belongs to {owner}, which has returned", *_made(tracer)]
    user = f" by {primitive.name}" if primitive is not None else ""
    rule = _custom_rule()
    if rule is not None:
        return format_error(
            f"{rule.serves} closes over {_name(tracer)} whose transform has ended",
            [f"it belongs to {owner}", *_made(tracer)],
            try_=f"pass it to {rule.name} as an argument of its own",
        )
    return format_error(
        f"{_name(tracer)} is used{user} after its transform has ended",
        details,
        try_="return the value from the function instead of storing it outside; "
        "jaxlike.checking_leaks() finds where it escapes",
    )


def _custom_rule() -> Any:
    """The rule of custom_jvp or custom_vjp that is running, or None."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "__call__":
            caller = frame.f_locals.get("self")
            if hasattr(type(caller), "serves"):
                return caller
        frame = frame.f_back
    return None


def check_for_leaks(trace: Any) -> None:
    """Raise if anything but the trace itself still holds one of its tracers."""
    gc.collect()
    found = [
        t
        for t in gc.get_objects()
        if getattr(type(t), "aval", None) is not None
        and getattr(t, "_trace", None) is trace
    ]
    if not found:
        return
    holders = [type(h).__name__ for h in gc.get_referrers(found[0]) if h is not found]
    tracer = found[0]
    raise UnexpectedTracerError(
        format_error(
            f"Leaked {_name(tracer)} from {transforms_in_force(trace)}",
            [
                *_made(tracer),
                "still referred to by: " + ", ".join(sorted(set(holders)) or ["?"]),
            ],
            try_="return the value instead of storing it",
        )
    )


def _about(headline: str, source: Any, trace: Any, tracer: Any, try_: str) -> str:
    lines = [headline]
    place = source_line(source)
    if place:
        lines.append(f"  {place}")
    # the trace at the line goes further in than the tracer's own
    under = transforms_in_force(trace) or transforms_in_force(
        getattr(tracer, "_trace", None)
    )
    if under:
        lines.append(f"  under {under}")
    lines += [f"  {detail}" for detail in (*_depends(tracer), *_made(tracer))]
    lines.append(f"  try:  {try_}")
    return "\n".join(lines)


def _name(tracer: Any) -> str:
    return f"a traced {tracer.aval.str_short()}"


def _staged(tracer: Any) -> Any:
    """The tracer below that has a variable of a jaxpr, or None."""
    for _ in range(16):
        if hasattr(tracer, "atom"):
            return tracer
        for part in ("primal", "val"):
            inner = getattr(tracer, part, None)
            if inner is not None and hasattr(inner, "_trace"):
                tracer = inner
                break
        else:
            return None
    return None


# what only brings an operand into shape: its operand is what the user wrote
_CONVERSIONS = frozenset(
    ["broadcast_in_dim", "convert_element_type", "reshape", "copy", "transpose"]
)


def operands(args: Any) -> list[str]:
    """Where tracers among the operands of an operation came from."""
    found = []
    for i, x in enumerate(args):
        line = _origin(x) if hasattr(x, "_trace") else ""
        if line:
            found.append(f"operand {i} {line}" if len(args) > 1 else f"it {line}")
    return found[:4]


def _origin(tracer: Any) -> str:
    tracer = _staged(tracer)
    if tracer is None:
        return ""
    trace, makers = _makers(tracer)
    atom = tracer.atom
    while atom in makers and makers[atom].primitive.name in _CONVERSIONS:
        atom = makers[atom].invars[0]
        if hasattr(atom, "val"):  # a literal
            return ""
    if atom in trace.invars:
        return f"is {_argument(trace, trace.invars.index(atom))}"
    if atom not in makers:
        return ""
    eqn = makers[atom]
    return f"was made by {eqn.primitive.name} at " + source_info.summarize(
        eqn.source_info
    )


def _makers(tracer: Any) -> tuple[Any, dict[Any, Any]]:
    trace = tracer._trace
    return trace, {v: eqn for eqn in trace.eqns for v in eqn.outvars}


def _made(tracer: Any) -> list[str]:
    tracer = _staged(tracer)
    if tracer is None:
        return []
    trace, makers = _makers(tracer)
    eqn = makers.get(tracer.atom)
    if eqn is None:
        if tracer.atom in trace.invars:
            return [f"it is {_argument(trace, trace.invars.index(tracer.atom))}"]
        return []
    place = source_info.resolve(eqn.source_info)
    at = f" at {source_info.summarize(eqn.source_info)}" if place else ""
    text = f":  {place.text}" if place and place.text else ""
    return [f"it was made by {eqn.primitive.name}{at}{text}"]


def _depends(tracer: Any) -> list[str]:
    """The arguments that decide the value, found by walking the equations back."""
    tracer = _staged(tracer)
    if tracer is None:
        return []
    trace, makers = _makers(tracer)
    if tracer.atom not in makers:
        return []
    reached, todo = set(), [tracer.atom]
    while todo:
        atom = todo.pop()
        if atom in reached:
            continue
        reached.add(atom)
        if atom in makers:
            todo += [v for v in makers[atom].invars if not hasattr(v, "val")]
    found = [_argument(trace, i) for i, v in enumerate(trace.invars) if v in reached]
    if not found:
        return []
    if len(found) > 4:
        found = [*found[:3], f"{len(found) - 3} more"]
    return ["it depends on " + ", ".join(found)]


def _argument(trace: Any, index: int) -> str:
    debug_info = trace.debug_info
    names = getattr(debug_info, "arg_names", None)
    owner = f" of {debug_info.func_name}" if debug_info is not None else ""
    if names is not None and index < len(names) and names[index]:
        return f"argument {names[index]}{owner}"
    return f"argument {index}{owner}"
