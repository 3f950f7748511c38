"""The type checker of jaxprs: scoping, and every equation against its shape rule.

Transforms make jaxprs that pass it; it runs in tests, and where config.enable_checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from jaxlike.core.avals import AbstractValue
from jaxlike.core.errors import JaxprTypeError
from jaxlike.core.jaxpr import (
    Atom,
    ClosedJaxpr,
    DropVar,
    Jaxpr,
    JaxprEqn,
    Literal,
    Var,
    jaxprs_in_params,
)
from jaxlike.core.source_info import summarize


def check_jaxpr(jaxpr: Jaxpr | ClosedJaxpr) -> None:
    """Check that a jaxpr, and every jaxpr inside it, is well typed.

    Args:
      jaxpr: with or without consts.
    Raises:
      JaxprTypeError: naming the first equation that is not, and why.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> check_jaxpr(jaxlike.make_jaxpr(jnp.sin)(1.0))
    """
    if isinstance(jaxpr, ClosedJaxpr):
        _check_consts(jaxpr)
        jaxpr = jaxpr.jaxpr
    _check(jaxpr, set())


def _check_consts(closed: ClosedJaxpr) -> None:
    from jaxlike.core.avals import get_aval

    constvars = closed.jaxpr.constvars
    if len(constvars) != len(closed.consts):
        raise JaxprTypeError(
            f"a closed jaxpr has {len(constvars)} constvars but "
            f"{len(closed.consts)} consts"
        )
    for i, (var, const) in enumerate(zip(constvars, closed.consts)):
        if not same_type(var.aval, get_aval(const)):
            raise JaxprTypeError(
                f"const {i} has type {get_aval(const)} but its variable has {var.aval}"
            )


def same_type(a: AbstractValue, b: AbstractValue) -> bool:
    """Whether two avals agree but for weak types."""
    return a is b or (type(a) is type(b) and a.shape == b.shape and a.dtype == b.dtype)


def _check(jaxpr: Jaxpr, done: set[Jaxpr]) -> None:
    if jaxpr in done:
        return
    done.add(jaxpr)
    bound: set[Var] = set()

    def bind(var: Any) -> None:
        if not isinstance(var, Var):
            raise JaxprTypeError(f"{var!r} is bound, but is no variable")
        if var in bound and type(var) is not DropVar:
            raise JaxprTypeError(f"a variable of type {var.aval} is bound twice")
        bound.add(var)

    def read(atom: Atom) -> AbstractValue:
        if type(atom) is Literal:
            if atom.aval.shape != () or np.shape(atom.val) != ():
                raise JaxprTypeError(
                    f"literal {atom.val!r} of type {atom.aval} is not a scalar"
                )
        elif atom not in bound:
            raise JaxprTypeError(
                f"a variable of type {atom.aval} is used before it is bound"
            )
        return atom.aval

    for var in (*jaxpr.constvars, *jaxpr.invars):
        bind(var)
    effects: frozenset = frozenset()
    for eqn in jaxpr.eqns:
        for inner in jaxprs_in_params(eqn.params):
            _check(inner, done)
        try:
            _check_eqn(eqn, [read(v) for v in eqn.invars])
            for var in eqn.outvars:
                bind(var)
        except Exception as error:
            raise JaxprTypeError(_message(eqn, error)) from error
        effects |= eqn.effects
    for atom in jaxpr.outvars:
        read(atom)
    if missing := effects - jaxpr.effects:
        names = ", ".join(sorted(map(str, missing)))
        raise JaxprTypeError(f"equations have the effects {names}, but the jaxpr not")


def _message(eqn: JaxprEqn, error: Exception) -> str:
    text = str(eqn).replace("\n", "\n  ")
    return (
        f"{error}\n\nin the equation\n\n  {text}\n\nfrom {summarize(eqn.source_info)}"
    )


def _check_eqn(eqn: JaxprEqn, avals: Sequence[AbstractValue]) -> None:
    primitive = eqn.primitive
    for body in _called(eqn):
        _match("operand", avals, [v.aval for v in body.invars])
    out_avals, effects = primitive.out_avals(tuple(avals), eqn.params)
    if not primitive.multiple_results:
        out_avals = [out_avals]
    _match("result", [v.aval for v in eqn.outvars], out_avals)
    if eqn.effects != effects:
        raise JaxprTypeError(
            f"the equation has effects {set(eqn.effects)}, its rule {set(effects)}"
        )


def _called(eqn: JaxprEqn) -> Iterator[Jaxpr]:
    """The jaxpr of an equation that just calls one on all its operands.

    Loops, branches and solves compare their operands in their shape rules.
    """
    for name in ("jaxpr", "call_jaxpr"):
        inner = eqn.params.get(name)
        if inner is not None and eqn.primitive.name in _CALLS:
            yield inner.jaxpr if isinstance(inner, ClosedJaxpr) else inner


_CALLS = {"jit", "checkpoint", "remat2", "custom_jvp_call", "custom_vjp_call"}


def _match(
    what: str, got: Sequence[AbstractValue], expected: Sequence[AbstractValue]
) -> None:
    if len(got) != len(expected):
        raise JaxprTypeError(f"{len(got)} {what}s in place of {len(expected)}")
    for i, (a, b) in enumerate(zip(got, expected)):
        if not same_type(a, b):
            raise JaxprTypeError(f"{what} {i} has type {a} but must have {b}")
