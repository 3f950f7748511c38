"""Rewrites of the jaxprs inside loops and branches: moving inputs, hoisting, renaming.

All return new jaxprs without consts, and share the equations that do not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from jaxlike.core.avals import AbstractValue, ShapedArray
from jaxlike.core.effects import io_effect, ordered_io_effect
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import (
    Atom,
    ClosedJaxpr,
    Jaxpr,
    JaxprEqn,
    Literal,
    Var,
    eval_jaxpr,
    hoist_consts,
    join_effects,
)
from jaxlike.core.staging import trace_to_jaxpr
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linear import instantiate


def split(items: Sequence[Any], *sizes: int) -> list[list[Any]]:
    """`items` cut into pieces of these sizes, and the rest."""
    pieces = []
    start = 0
    for size in sizes:
        pieces.append(list(items[start : start + size]))
        start += size
    pieces.append(list(items[start:]))
    return pieces


def pick(mask: Iterable[bool], items: Iterable[Any]) -> list[Any]:
    return [x for m, x in zip(mask, items) if m]


def either(a: Sequence[bool], b: Sequence[bool]) -> list[bool]:
    return [x or y for x, y in zip(a, b, strict=True)]


def nonzero_tangents(tangents: Sequence[Any]) -> list[bool]:
    return [type(t) is not Zero for t in tangents]


def with_zeros(
    given: Iterable[Any], nonzeros: Sequence[bool], avals: Sequence[ShapedArray]
) -> list[Any]:
    """Tangents of values of these types, with a Zero where there is none."""
    values = iter(given)
    return [
        next(values) if nz else Zero(a.to_tangent_aval())
        for nz, a in zip(nonzeros, avals, strict=True)
    ]


def refuse_io(name: str, *jaxprs: ClosedJaxpr) -> None:
    """Raise NotImplementedError if lanes of a vmap would have to differ in effects."""
    if any(jaxpr.effects & {io_effect, ordered_io_effect} for jaxpr in jaxprs):
        raise NotImplementedError(
            format_error(
                f"IO effect not supported in vmap-of-{name}: lanes do not run the same "
                "steps",
                try_="jnp.where on what the callback gets, or pure_callback",
            )
        )


def reordered(
    closed: ClosedJaxpr,
    in_order: Sequence[int] | None = None,
    out_order: Sequence[int] | None = None,
) -> tuple[ClosedJaxpr, list[Any]]:
    """The jaxpr with inputs and outputs picked by position.

    Its consts become the first inputs, before those of in_order; returns them too.
    """
    closed, consts = hoist_consts(closed)
    jaxpr = closed.jaxpr
    n = len(consts)
    invars, outvars = jaxpr.invars, jaxpr.outvars
    if in_order is not None:
        invars = invars[:n] + [invars[n + i] for i in in_order]
    if out_order is not None:
        outvars = [outvars[i] for i in out_order]
    return derived(jaxpr, invars, outvars), consts


def derived(
    jaxpr: Jaxpr,
    invars: Sequence[Var],
    outvars: Sequence[Atom],
    eqns: Sequence[JaxprEqn] | None = None,
) -> ClosedJaxpr:
    """A closed jaxpr of the same equations, or of some of them."""
    effects = jaxpr.effects
    if eqns is None:
        eqns = jaxpr.eqns
    else:
        effects = join_effects(eqns)
    return ClosedJaxpr(Jaxpr((), invars, outvars, eqns, effects, jaxpr.debug_info))


def with_unused_inputs(
    closed: ClosedJaxpr, avals: Sequence[AbstractValue], at: int | None = None
) -> ClosedJaxpr:
    """The jaxpr with ignored inputs of these types added at a position (the end)."""
    jaxpr = closed.jaxpr
    at = len(jaxpr.invars) if at is None else at
    added = [Var(a) for a in avals]
    invars = [*jaxpr.invars[:at], *added, *jaxpr.invars[at:]]
    return derived(jaxpr, invars, jaxpr.outvars)


def renamed(jaxpr: Jaxpr, names: dict[Var, Atom]) -> Jaxpr:
    """The jaxpr with variables that it reads replaced; its inputs are left alone."""
    if not names:
        return jaxpr

    def new(atom: Atom) -> Atom:
        return atom if type(atom) is Literal else names.get(atom, atom)

    eqns = [
        eqn.replace(invars=[new(v) for v in eqn.invars])
        if any(type(v) is not Literal and v in names for v in eqn.invars)
        else eqn
        for eqn in jaxpr.eqns
    ]
    return jaxpr.replace(eqns=eqns, outvars=[new(v) for v in jaxpr.outvars])


def with_zero_outputs(
    closed: ClosedJaxpr,
    has: Sequence[bool],
    wanted: Sequence[bool],
    avals: Sequence[ShapedArray],
) -> ClosedJaxpr:
    """The jaxpr with zeros of these types as the outputs it is wanted to have."""
    if list(has) == list(wanted):
        return closed

    def fun(*args):
        given = iter(eval_jaxpr(closed.jaxpr, closed.consts, *args))
        return [
            next(given) if h else instantiate(Zero(a))
            for h, w, a in zip(has, wanted, avals, strict=True)
            if w
        ]

    return without_consts(fun, closed.in_avals, closed)


def without_consts(
    fun: Callable, in_avals: Sequence[AbstractValue], like: ClosedJaxpr
) -> ClosedJaxpr:
    """Stage a function that is known to close over nothing."""
    result, consts = trace_to_jaxpr(fun, in_avals, debug_info=like.jaxpr.debug_info)
    assert not consts
    return result


# --- what need not be computed inside a loop


class Hoisted(NamedTuple):
    """The part of a loop's body that is the same in every iteration, taken out.

    before: invariant inputs -> `values`, which the rest gets as inputs.
    values: the variables of the body that `before` computes.
    eqns:   the body's other equations.
    """

    before: ClosedJaxpr
    values: list[Var]
    eqns: list[JaxprEqn]


def hoist(jaxpr: Jaxpr, num_invariant: int, wanted: Sequence[Var]) -> Hoisted | None:
    """Take out the equations that compute `wanted` from the first inputs alone.

    Of the wanted variables, those that depend on other inputs are left to the body;
    None if that is all of them.
    """
    invariant = set(jaxpr.invars[:num_invariant])
    made_by: dict[Var, int] = {}
    for i, eqn in enumerate(jaxpr.eqns):
        if eqn.effects:
            continue
        if all(type(v) is Literal or v in invariant for v in eqn.invars):
            invariant.update(eqn.outvars)
            made_by.update((v, i) for v in eqn.outvars)
    needed: set[int] = set()
    todo = [v for v in wanted if v in made_by]
    if not todo:
        return None
    while todo:
        i = made_by[todo.pop()]
        if i not in needed:
            needed.add(i)
            reads = jaxpr.eqns[i].invars
            todo += [v for v in reads if type(v) is not Literal and v in made_by]
    out = [eqn for i, eqn in enumerate(jaxpr.eqns) if i in needed]
    rest = [eqn for i, eqn in enumerate(jaxpr.eqns) if i not in needed]
    made = [v for eqn in out for v in eqn.outvars]
    read = {v for eqn in rest for v in eqn.invars if type(v) is not Literal}
    read.update(v for v in (*jaxpr.outvars, *wanted) if type(v) is not Literal)
    values = [v for v in made if v in read]
    before = derived(jaxpr, jaxpr.invars[:num_invariant], values, out)
    return Hoisted(before, values, rest)


class Residuals(NamedTuple):
    """How the residuals of a loop's linearized body reach its tangent loop.

    Each is ("value", x) for a constant, ("invariant", i) for an invariant input or
    hoisted value, ("x", i) for a scanned input, ("y", i) for a result that is stacked,
    which may be one that the body has anyway.
    """

    primal: ClosedJaxpr
    hoisted: Hoisted | None
    sources: list[tuple[str, Any]]


def place_residuals(
    closed: ClosedJaxpr, num_out: int, num_invariant: int, num_carry: int
) -> Residuals:
    """Sort the outputs after the first num_out by where they can be taken from.

    Inputs are invariant ones, carries and scanned ones; outputs are carries and stacked
    ones, then residuals.
    """
    jaxpr = closed.jaxpr
    outvars, residuals = jaxpr.outvars[:num_out], jaxpr.outvars[num_out:]
    hoisted = hoist(
        jaxpr, num_invariant, [v for v in residuals if type(v) is not Literal]
    )
    invars, eqns = list(jaxpr.invars), jaxpr.eqns
    if hoisted is not None:
        invars[num_invariant:num_invariant] = hoisted.values
        num_invariant += len(hoisted.values)
        eqns = hoisted.eqns
    known: dict[Var, tuple[str, Any]] = {}
    for i, v in enumerate(outvars[num_carry:]):
        if type(v) is not Literal:
            known.setdefault(v, ("y", i))
    for i, v in enumerate(invars[num_invariant + num_carry :]):
        known[v] = ("x", i)
    for i, v in enumerate(invars[:num_invariant]):
        known[v] = ("invariant", i)
    sources: list[tuple[str, Any]] = []
    for v in residuals:
        if type(v) is Literal:
            sources.append(("value", v.val))
            continue
        if v not in known:
            known[v] = ("y", len(outvars) - num_carry)
            outvars.append(v)
        sources.append(known[v])
    return Residuals(derived(jaxpr, invars, outvars, eqns), hoisted, sources)
