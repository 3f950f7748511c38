"""Jaxprs as text, in JAX's notation.

{ lambda consts; inputs. let outs = primitive[params] operands ... in (results,) }

Variables are named in order of appearance: a to z, then ba, bb ... A jaxpr that occurs
twice is written once, ahead: `let name = { ... } in`. layout.py breaks the lines.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxlike.core.jaxpr import (
    Atom,
    ClosedJaxpr,
    DropVar,
    Jaxpr,
    JaxprEqn,
    Literal,
    Var,
)
from jaxlike.core.layout import (
    Break,
    Doc,
    Group,
    Nest,
    Text,
    concat,
    join,
    layout,
    nothing,
)
from jaxlike.core.source_info import SourceInfo, resolve


class Style(NamedTuple):
    """What to show."""

    source_info: bool = False
    print_shapes: bool = True
    name_stack: bool = False
    custom_pp_eqn_rules: bool = True
    print_effects: bool = False


def jaxpr_to_str(
    jaxpr: Jaxpr | ClosedJaxpr,
    *,
    source_info: bool = False,
    print_shapes: bool = True,
    name_stack: bool = False,
    custom_pp_eqn_rules: bool = True,
    print_effects: bool = False,
    width: int = 80,
    **_,
) -> str:
    """The text of a jaxpr.

    Args:
      source_info: put the user's line that made it next to each equation.
      print_shapes: give the type of each variable where it is bound.
      name_stack: put the names of the scopes next to each equation.
      custom_pp_eqn_rules: leave out params that have their usual value.
      print_effects: end with the jaxpr's effects.
      width: of the lines.
    """
    style = Style(
        source_info, print_shapes, name_stack, custom_pp_eqn_rules, print_effects
    )
    jaxpr = jaxpr.jaxpr if isinstance(jaxpr, ClosedJaxpr) else jaxpr
    printer = _Printer(style, _shared_jaxprs([jaxpr]))
    parts: list[Doc] = []
    for shared, name in printer.shared.items():
        body = printer.body_doc(shared)
        parts += [Text(f"let {name} = "), body, Text(" in"), Break()]
    parts.append(printer.body_doc(jaxpr))
    if print_effects and jaxpr.effects:
        effects = ", ".join(sorted(map(str, jaxpr.effects)))
        parts.append(Text(" : { " + effects + " }"))
    return layout(concat(*parts), width)


def eqn_to_str(
    eqn: JaxprEqn,
    *,
    source_info: bool = False,
    print_shapes: bool = True,
    name_stack: bool = False,
    width: int = 80,
) -> str:
    """The text of one equation."""
    style = Style(source_info, print_shapes, name_stack)
    return layout(_Printer(style, {}).eqn_doc(eqn), width)


class _Printer:
    """Makes documents, and remembers the names it has given."""

    def __init__(self, style: Style, shared: dict[Jaxpr, str]):
        self.style = style
        self.shared = shared
        self.names: dict[Var, str] = {}
        self.count = 0

    def name_of(self, var: Var) -> str:
        name = self.names.get(var)
        if name is None:
            if type(var) is DropVar:
                return "_"
            name = self.names[var] = _letters(self.count)
            self.count += 1
        return name

    def atom(self, atom: Atom) -> str:
        if type(atom) is Literal:
            return f"{np.asarray(atom.val).tolist()}:{atom.aval.str_short()}"
        return self.name_of(atom)

    def atoms(self, atoms: Sequence[Atom], separator: str = "", types=False) -> Doc:
        texts = [self.atom(a) for a in atoms]
        if types and self.style.print_shapes:
            texts = [f"{t}:{a.aval.str_short()}" for t, a in zip(texts, atoms)]
        gap = concat(Text(separator), Group(Break()))
        return Nest(2, Group(join(gap, map(Text, texts))))

    def jaxpr_doc(self, jaxpr: Jaxpr) -> Doc:
        name = self.shared.get(jaxpr)
        return self.body_doc(jaxpr) if name is None else Text(name)

    def body_doc(self, jaxpr: Jaxpr) -> Doc:
        self.name_unused(jaxpr)
        constvars = self.atoms(jaxpr.constvars, types=True)
        invars = self.atoms(jaxpr.invars, types=True)
        eqns = join(Break("; "), [self.eqn_doc(e) for e in jaxpr.eqns])
        outs = self.atoms(jaxpr.outvars, ",")
        body = concat(
            Text("{ lambda "),
            constvars,
            Text("; "),
            invars,
            Text(". let"),
            Nest(2, concat(Break(), eqns)),
            Break(),
            Text("in ("),
            outs,
            Text(",)" if len(jaxpr.outvars) == 1 else ")"),
        )
        return Group(concat(Nest(2, body), Text(" }")))

    def name_unused(self, jaxpr: Jaxpr) -> None:
        """Name what nothing reads `_`, in the jaxprs that make_jaxpr makes."""
        info = jaxpr.debug_info
        if info is None or info.traced_for != "make_jaxpr":
            return
        read = {v for v in jaxpr.outvars if type(v) is not Literal}
        for eqn in jaxpr.eqns:
            read.update([v for v in eqn.invars if type(v) is not Literal])
        for eqn in jaxpr.eqns:
            self.names.update((v, "_") for v in eqn.outvars if v not in read)

    def eqn_doc(self, eqn: JaxprEqn) -> Doc:
        name = eqn.primitive.name
        params = dict(sorted(eqn.params.items()))
        for extra in _ALWAYS_NONE.get(name, ()):
            params.setdefault(extra, None)
        if self.style.custom_pp_eqn_rules:
            rule = _param_rules.get(name)
            params = (
                _usual(params) if rule is None else rule(dict(sorted(params.items())))
            )
            if name == "jit":
                self.share_names(eqn)
        else:
            params = dict(sorted(params.items()))
        source = _place(eqn.source_info) if self.style.source_info else None
        scope = "[]" if self.style.name_stack else None
        left: Doc = nothing
        if eqn.outvars:
            outs = self.atoms(eqn.outvars, types=True)
            left = concat(outs, Text(" = ", source))
            source = None
        return concat(
            left,
            Text(name, scope if source is None else source),
            self.params_doc(params),
            Text(" "),
            self.atoms(eqn.invars),
        )

    def share_names(self, eqn: JaxprEqn) -> None:
        """Let the variables of a call's jaxpr have the names of its operands."""
        inner = _open(eqn.params["jaxpr"])
        if inner in self.shared:
            return
        for variables, atoms in (
            (inner.invars, eqn.invars),
            (inner.outvars, eqn.outvars),
        ):
            taken = {self.names.get(v) for v in variables if type(v) is not Literal}
            for var, atom in zip(variables, atoms):
                if type(var) is Literal or type(atom) is Literal or var in self.names:
                    continue
                name = self.name_of(atom)
                if name == "_" or name not in taken:
                    taken.add(name)
                    self.names[var] = name

    def params_doc(self, params: dict[str, Any]) -> Doc:
        if not params:
            return nothing
        pairs = [concat(Text(f"{k}="), self.value_doc(v)) for k, v in params.items()]
        inside = concat(Text("["), Break(""), join(Break(), pairs))
        return Group(concat(Nest(2, inside), Break(""), Text("]")))

    def value_doc(self, value: Any) -> Doc:
        if isinstance(value, (Jaxpr, ClosedJaxpr)):
            return self.jaxpr_doc(_open(value))
        if type(value) is tuple and value:
            if all(isinstance(v, (Jaxpr, ClosedJaxpr)) for v in value):
                docs = join(Break(), [self.jaxpr_doc(_open(v)) for v in value])
                inside = Nest(2, concat(Text("("), Break(""), docs))
                return Group(concat(inside, Break(""), Text(")")))
        return Text(str(value))


def _open(jaxpr: Jaxpr | ClosedJaxpr) -> Jaxpr:
    return jaxpr.jaxpr if isinstance(jaxpr, ClosedJaxpr) else jaxpr


def _place(info: SourceInfo) -> str:
    """File, line, column and function of an equation's origin."""
    found = resolve(info)
    if found is None:
        return "<unknown>"
    code, lasti = info
    *_, column, _ = next(itertools.islice(code.co_positions(), lasti // 2, None))
    return f"{found.file}:{found.line}:{column or 0} ({code.co_qualname})"


def _letters(count: int) -> str:
    """0 -> a, 25 -> z, 26 -> ba: a number in base 26."""
    name = chr(97 + count % 26)
    while count >= 26:
        count //= 26
        name = chr(97 + count % 26) + name
    return name


# --- jaxprs that occur more than once


def _shared_jaxprs(roots: Iterable[Jaxpr]) -> dict[Jaxpr, str]:
    """The jaxprs met twice inside the roots, breadth first, and a name for each."""
    seen: dict[Jaxpr, tuple[str, bool]] = {}
    todo = deque(roots)
    while todo:
        for eqn in todo.popleft().eqns:
            for jaxpr in _inner_jaxprs(eqn.params):
                if jaxpr in seen:
                    seen[jaxpr] = seen[jaxpr][0], True
                else:
                    seen[jaxpr] = _base_name(eqn.params), False
                    todo.append(jaxpr)
    names: dict[Jaxpr, str] = {}
    uses: dict[str, int] = {}
    for jaxpr, (base, twice) in seen.items():
        if twice:
            number = uses.get(base, 0)
            uses[base] = number + 1
            names[jaxpr] = f"{base}{number}" if number else base
    return names


def _inner_jaxprs(params: dict[str, Any]) -> Iterable[Jaxpr]:
    for value in params.values():
        for item in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(item, (Jaxpr, ClosedJaxpr)):
                yield _open(item)


def _base_name(params: dict[str, Any]) -> str:
    name = params.get("name")
    return name.strip("<>") if isinstance(name, str) and name.strip("<>") else "jaxpr"


# --- which params are worth showing

# JAX shows these params, which only place values on devices, with the value None
_ALWAYS_NONE: dict[str, tuple[str, ...]] = {
    "conv_general_dilated": ("out_sharding",),
    "iota": ("sharding",),
    "ragged_dot_general": ("out_sharding",),
    "reduce_sum": ("out_sharding",),
    "reshape": ("sharding",),
    "rng_bit_generator": ("out_sharding",),
}

_param_rules: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def param_rule(*names: str):
    """Decorate the function that picks what equations of these primitives show.

    It takes the params, sorted by name, and returns those to print, in order.
    """

    def register(rule):
        for name in names:
            _param_rules[name] = rule
        return rule

    return register


def _usual(params: dict[str, Any]) -> dict[str, Any]:
    """Hide what elementwise primitives carry along and nobody sets."""
    return {
        k: v
        for k, v in params.items()
        if not (v is None and k in ("accuracy", "out_dtype"))
    }


def _name_first(params: dict[str, Any]) -> dict[str, Any]:
    return {"name": params.pop("name"), **params} if "name" in params else params


@param_rule("jit")
def _jit_params(params):
    shown = {k: v for k, v in params.items() if k in ("name", "jaxpr")}
    donated = params.get("donated_invars", ())
    if any(donated):
        shown["donated_invars"] = donated
    for flag in ("inline", "keep_unused", "backend"):
        if params.get(flag):
            shown[flag] = params[flag]
    return _name_first(dict(sorted(shown.items())))


@param_rule("custom_jvp_call", "custom_vjp_call")
def _custom_params(params):
    shown = ("name", "bwd", "call_jaxpr", "fwd", "jvp", "symbolic_zeros")
    return _name_first(
        {
            k: getattr(v, "__name__", v) if k in ("bwd", "fwd", "jvp") else v
            for k, v in params.items()
            if k in shown
        }
    )


@param_rule("broadcast_in_dim")
def _broadcast_params(params):
    dims = params["broadcast_dimensions"]
    return {"broadcast_dimensions": dims} if dims else {}


@param_rule("convert_element_type")
def _convert_params(params):
    return {k: v for k, v in params.items() if k != "sharding"}


@param_rule("dot_general")
def _dot_params(params):
    shown = {k: v for k, v in params.items() if v is not None}
    (lhs, rhs), (lhs_batch, rhs_batch) = shown["dimension_numbers"]
    shown["dimension_numbers"] = (
        (list(lhs), list(rhs)),
        (list(lhs_batch), list(rhs_batch)),
    )
    return shown
