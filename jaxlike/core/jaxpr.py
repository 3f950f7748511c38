"""Jaxprs: the typed, first-order programs that tracing makes and transforms rewrite.

Holds the data structures and their two interpreters. printer.py prints them,
check.py type-checks them, staging.py makes them from Python functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from jaxlike.core.avals import AbstractValue, ShapedArray
from jaxlike.core.primitive import Primitive, no_effects
from jaxlike.core.state import state


class Var:
    """A variable of a jaxpr: bound once, typed by its aval."""

    __slots__ = ("__weakref__", "aval")

    def __init__(self, aval: AbstractValue):
        self.aval = aval

    def __repr__(self) -> str:
        return f"Var(id={id(self)}):{self.aval}"


class DropVar(Var):
    """An output that nothing reads; printed as `_`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "_"


class Literal:
    """A scalar constant written in the place where it is used."""

    __slots__ = ("aval", "val")

    def __init__(self, val: Any, aval: ShapedArray):
        self.val = val
        self.aval = aval

    def __repr__(self) -> str:
        return f"{np.asarray(self.val).item()!r}:{self.aval}"


Atom = Var | Literal


class DebugInfo:
    """Names for messages: the function, and the paths of its arguments and results.

    arg_names may be given as a function, which is called when a message needs them.
    """

    __slots__ = (
        "_arg_names",
        "func_name",
        "func_src_info",
        "result_paths",
        "traced_for",
    )

    def __init__(
        self,
        traced_for: str,
        func_name: str,
        arg_names: Sequence[str] | Callable[[], Sequence[str]] | None = None,
        result_paths: Sequence[str] | None = None,
        func_src_info: str | None = None,
    ):
        self.traced_for = traced_for
        self.func_name = func_name
        self._arg_names = arg_names
        self.result_paths = result_paths
        self.func_src_info = func_src_info

    @property
    def arg_names(self) -> Sequence[str] | None:
        if callable(self._arg_names):
            self._arg_names = tuple(self._arg_names())
        return self._arg_names


class JaxprEqn:
    """One equation: outvars = primitive[params] invars."""

    __slots__ = ("effects", "invars", "outvars", "params", "primitive", "source_info")

    invars: list[Atom]
    outvars: list[Var]
    primitive: Primitive
    params: dict[str, Any]

    def __init__(
        self, invars, outvars, primitive, params, effects=no_effects, source_info=None
    ):
        self.invars = invars
        self.outvars = outvars
        self.primitive = primitive
        self.params = params
        self.effects = effects
        self.source_info = source_info

    def replace(self, **changes) -> JaxprEqn:
        fields = {name: getattr(self, name) for name in self.__slots__}
        return JaxprEqn(**(fields | changes))

    def __repr__(self) -> str:
        from jaxlike.core.printer import eqn_to_str

        return eqn_to_str(self)


def new_jaxpr_eqn(
    invars, outvars, primitive, params, effects=no_effects, source_info=None
) -> JaxprEqn:
    return JaxprEqn(
        list(invars), list(outvars), primitive, params, effects, source_info
    )


class Jaxpr:
    """lambda constvars; invars. let eqns in outvars."""

    __slots__ = (
        "__weakref__",
        "constvars",
        "debug_info",
        "effects",
        "eqns",
        "invars",
        "outvars",
    )

    def __init__(
        self,
        constvars: Sequence[Var],
        invars: Sequence[Var],
        outvars: Sequence[Atom],
        eqns: Sequence[JaxprEqn],
        effects: frozenset = no_effects,
        debug_info: DebugInfo | None = None,
    ):
        self.constvars = list(constvars)
        self.invars = list(invars)
        self.outvars = list(outvars)
        self.eqns = list(eqns)
        self.effects = effects
        self.debug_info = debug_info

    def replace(self, **changes) -> Jaxpr:
        names = ("constvars", "invars", "outvars", "eqns", "effects", "debug_info")
        fields = {name: getattr(self, name) for name in names}
        return Jaxpr(**(fields | changes))

    def __str__(self) -> str:
        from jaxlike.core.printer import jaxpr_to_str

        return jaxpr_to_str(self)

    __repr__ = __str__

    def pretty_print(self, **options) -> str:
        from jaxlike.core.printer import jaxpr_to_str

        return jaxpr_to_str(self, **options)


class ClosedJaxpr:
    """A jaxpr with the values of its constvars."""

    __slots__ = ("__weakref__", "_memo", "consts", "jaxpr")

    def __init__(self, jaxpr: Jaxpr, consts: Sequence[Any] = ()):
        self.jaxpr = jaxpr
        self.consts = list(consts)
        # what transforms derived from this jaxpr, dropped together with it
        self._memo: dict[Any, Any] | None = None

    @property
    def in_avals(self) -> list[ShapedArray]:
        return [v.aval for v in self.jaxpr.invars]

    @property
    def out_avals(self) -> list[ShapedArray]:
        return [v.aval for v in self.jaxpr.outvars]

    @property
    def eqns(self) -> list[JaxprEqn]:
        return self.jaxpr.eqns

    @property
    def effects(self) -> frozenset:
        return self.jaxpr.effects

    @property
    def literals(self) -> list[Any]:
        return self.consts

    def replace(self, *, jaxpr=None, consts=None) -> ClosedJaxpr:
        return ClosedJaxpr(
            self.jaxpr if jaxpr is None else jaxpr,
            self.consts if consts is None else consts,
        )

    def memo(self, key, make: Callable[[], Any]) -> Any:
        """What `make` derives from this jaxpr under `key`; made once."""
        if self._memo is None:
            self._memo = {}
        try:
            return self._memo[key]
        except KeyError:
            pass  # out of the handler, so that an error in `make` has no context
        result = self._memo[key] = make()
        return result

    def __str__(self) -> str:
        return str(self.jaxpr)

    __repr__ = __str__

    def pretty_print(self, **options) -> str:
        return self.jaxpr.pretty_print(**options)


def eval_jaxpr(jaxpr: Jaxpr, consts: Sequence[Any], *args: Any) -> list[Any]:
    """Run a jaxpr's equations under the current trace; returns the list of outputs."""
    env: dict[Var, Any] = {}

    def read(atom):
        return atom.val if type(atom) is Literal else env[atom]

    env.update(zip(jaxpr.constvars, consts, strict=True))
    env.update(zip(jaxpr.invars, args, strict=True))
    outer_source = state.source
    try:
        for eqn in jaxpr.eqns:
            # equations made from this one belong to the user's line that made it
            state.source = eqn.source_info or outer_source
            outs = eqn.primitive.bind(*map(read, eqn.invars), **eqn.params)
            if eqn.primitive.multiple_results:
                env.update(zip(eqn.outvars, outs, strict=True))
            else:
                env[eqn.outvars[0]] = outs
    finally:
        state.source = outer_source
    return [read(v) for v in jaxpr.outvars]


def jaxpr_as_fun(closed: ClosedJaxpr) -> Callable[..., list[Any]]:
    return lambda *args: eval_jaxpr(closed.jaxpr, closed.consts, *args)


def evaluate_jaxpr(
    jaxpr: Jaxpr, consts: Sequence[np.ndarray], *args: np.ndarray
) -> list[np.ndarray]:
    """The reference interpreter: NumPy arrays in and out, each equation in turn.

    Nothing is traced: it calls each primitive's NumPy evaluation on plain buffers.
    """
    env: dict[Var, np.ndarray] = {}
    last_use = _last_uses(jaxpr)
    env.update(zip(jaxpr.constvars, consts, strict=True))
    env.update(zip(jaxpr.invars, args, strict=True))
    with np.errstate(all="ignore"):
        for i, eqn in enumerate(jaxpr.eqns):
            ins = [
                literal_buffer(v) if type(v) is Literal else env[v] for v in eqn.invars
            ]
            outs = eqn.primitive.evaluate(*ins, **eqn.params)
            if not eqn.primitive.multiple_results:
                outs = (outs,)
            for var, out in zip(eqn.outvars, outs, strict=True):
                env[var] = out if type(out) is np.ndarray else np.asarray(out)
            for var in last_use[i]:
                env.pop(var, None)
    return [literal_buffer(v) if type(v) is Literal else env[v] for v in jaxpr.outvars]


def _last_uses(jaxpr: Jaxpr) -> list[list[Var]]:
    """For each equation, the variables that nothing reads after it."""
    live = {v for v in jaxpr.outvars if type(v) is not Literal}
    dying: list[list[Var]] = []
    for eqn in reversed(jaxpr.eqns):
        last = [v for v in eqn.outvars if v not in live]
        for v in eqn.invars:
            if type(v) is not Literal and v not in live:
                live.add(v)
                last.append(v)
        dying.append(last)
    return dying[::-1]


def literal_buffer(literal: Literal) -> np.ndarray:
    """A literal's value as a 0-d array of its aval's dtype."""
    from jaxlike.core.dtypes import storage_dtype

    return np.asarray(literal.val, dtype=storage_dtype(literal.aval.dtype))


def jaxprs_in_params(params: dict[str, Any]) -> Iterator[Jaxpr]:
    """Every jaxpr held in an equation's params."""
    for value in params.values():
        for item in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(item, ClosedJaxpr):
                yield item.jaxpr
            elif isinstance(item, Jaxpr):
                yield item


def subjaxprs(jaxpr: Jaxpr) -> Iterator[Jaxpr]:
    """Every jaxpr directly inside this one's equations."""
    for eqn in jaxpr.eqns:
        yield from jaxprs_in_params(eqn.params)


def axis_names_in(closed: ClosedJaxpr) -> frozenset:
    """The axis names that collectives anywhere inside a jaxpr refer to."""

    def walk():
        names: set = set()
        todo = [closed.jaxpr]
        while todo:
            jaxpr = todo.pop()
            for eqn in jaxpr.eqns:
                primitive = eqn.primitive
                if primitive.axis_names is not None and not primitive.structural:
                    names.update(primitive.axis_names(eqn.params))
            todo.extend(subjaxprs(jaxpr))
        return frozenset(names)

    return closed.memo("axis_names", walk)


def hoist_consts(closed: ClosedJaxpr) -> tuple[ClosedJaxpr, list[Any]]:
    """The same jaxpr with its consts turned into leading inputs, and their values."""
    jaxpr = closed.jaxpr
    if not jaxpr.constvars:
        return closed, []
    hoisted = jaxpr.replace(constvars=[], invars=jaxpr.constvars + jaxpr.invars)
    info = hoisted.debug_info
    if info is not None:
        num_consts = len(jaxpr.constvars)
        hoisted.debug_info = DebugInfo(
            info.traced_for,
            info.func_name,
            lambda: ("",) * num_consts + tuple(info.arg_names or ()),
            info.result_paths,
            info.func_src_info,
        )
    return ClosedJaxpr(hoisted), list(closed.consts)


def check_jaxpr(jaxpr: Jaxpr | ClosedJaxpr) -> None:
    """Raise JaxprTypeError unless the jaxpr is well typed; see check.py."""
    from jaxlike.core import check

    check.check_jaxpr(jaxpr)


def join_effects(eqns: Sequence[JaxprEqn]) -> frozenset:
    effects = no_effects
    for eqn in eqns:
        if eqn.effects:
            effects = effects | eqn.effects
    return effects
