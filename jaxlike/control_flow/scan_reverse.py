"""Reverse mode of scan: its linearized and its transposed form.

Linearized, a scan stacks the residuals of its body, but for those that are the same in
every iteration, or that are inputs or results anyway. Transposed, it runs backwards,
and sums up the cotangents of its consts as it goes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxlike.control_flow.edits import (
    Hoisted,
    derived,
    either,
    nonzero_tangents,
    pick,
    place_residuals,
    renamed,
    reordered,
    split,
    with_zeros,
)
from jaxlike.control_flow.scan_primitive import scan_p, stacked_zeros
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.jaxpr import (
    Atom,
    ClosedJaxpr,
    Literal,
    Var,
    eval_jaxpr,
    hoist_consts,
)
from jaxlike.core.staging import trace_to_jaxpr
from jaxlike.core.zeros import UndefinedPrimal, Zero, is_undefined_primal
from jaxlike.primitives.linear import add_tangents, instantiate, zeros_of
from jaxlike.transforms.linearize import linearize_jaxpr
from jaxlike.transforms.transpose import backward_pass


class _LinearBody(NamedTuple):
    """A body in two: one of primals, which also makes the residuals, and a linear one.

    The sources say where the linear scan finds the residuals among its consts and xs.
    """

    primal: ClosedJaxpr
    extra: list[Any]
    hoisted: Hoisted | None
    tangent: ClosedJaxpr
    const_sources: list[tuple[str, Any]]
    x_sources: list[tuple[str, Any]]
    nonzeros: list[list[bool]]
    nonzero_ys: list[bool]


def _scan_linearize(nonzeros, *primals, jaxpr, num_consts, num_carry, **params):
    body = jaxpr.memo(
        ("scan_linearize", tuple(nonzeros), num_consts, num_carry),
        lambda: _linear_body(jaxpr, nonzeros, num_consts, num_carry),
    )
    consts, carry, xs = split(primals, num_consts, num_carry)
    invariant = [*body.extra, *consts]
    if body.hoisted is not None:
        invariant += eval_jaxpr(body.hoisted.before.jaxpr, [], *invariant)
    outs = scan_p.bind(
        *invariant,
        *carry,
        *xs,
        jaxpr=body.primal,
        num_consts=len(invariant),
        num_carry=num_carry,
        **params,
    )
    ys = outs[num_carry:]
    places = {"invariant": invariant, "x": xs, "y": ys}

    def residual(source):
        kind, which = source
        return which if kind == "value" else places[kind][which]

    num_out = len(jaxpr.out_avals)
    of_consts, of_carry, of_xs = body.nonzeros
    avals = jaxpr.out_avals

    def tangent_of(tangents):
        const_ts, carry_ts, x_ts = split(tangents, num_consts, num_carry)
        operands = [
            *map(residual, body.const_sources),
            *pick(of_consts, const_ts),
            *map(instantiate, pick(of_carry, carry_ts)),
            *map(residual, body.x_sources),
            *pick(of_xs, x_ts),
        ]
        found = scan_p.bind(
            *operands,
            jaxpr=body.tangent,
            num_consts=len(body.const_sources) + sum(of_consts),
            num_carry=sum(of_carry),
            **params,
        )
        n = sum(of_carry)
        return [
            *with_zeros(found[:n], of_carry, avals[:num_carry]),
            *stacked_zeros(
                found[n:], body.nonzero_ys, avals[num_carry:], params["length"]
            ),
        ]

    return outs[:num_out], tangent_of


def _linear_body(jaxpr, nonzeros, num_consts, num_carry) -> _LinearBody:
    of_consts, of_carry, of_xs = split(nonzeros, num_consts, num_carry)
    no_ys = [False] * (len(jaxpr.out_avals) - num_carry)
    while True:
        parts = linearize_jaxpr(jaxpr, of_consts + of_carry + of_xs, of_carry + no_ys)
        nonzeros_out = parts.nonzeros_out
        if nonzeros_out[:num_carry] == of_carry:
            break
        of_carry = either(of_carry, nonzeros_out[:num_carry])
    primal, extra = hoist_consts(parts.primal)
    placed = place_residuals(
        primal, len(jaxpr.out_avals), len(extra) + num_consts, num_carry
    )
    n = len(placed.sources)
    by_x = [i for i in range(n) if placed.sources[i][0] in ("x", "y")]
    by_const = [i for i in range(n) if i not in by_x]
    consts, carry, xs = split(
        range(n, len(parts.tangent.in_avals)), sum(of_consts), sum(of_carry)
    )
    tangent, no_consts = reordered(
        parts.tangent, [*by_const, *consts, *carry, *by_x, *xs]
    )
    assert not no_consts
    return _LinearBody(
        placed.primal,
        extra,
        placed.hoisted,
        tangent,
        [placed.sources[i] for i in by_const],
        [placed.sources[i] for i in by_x],
        [of_consts, of_carry, of_xs],
        nonzeros_out[num_carry:],
    )


def _scan_transpose(cts, *args, jaxpr, num_consts, num_carry, reverse, **params):
    linear = [is_undefined_primal(a) for a in args]
    parts = jaxpr.memo(
        ("scan_linear_part", tuple(linear), num_consts, num_carry),
        lambda: _linear_part(jaxpr, linear, num_consts, num_carry),
    )
    if parts is not None:
        return _transpose_linear_part(
            parts, cts, args, num_consts, num_carry, {"reverse": reverse, **params}
        )
    ct_carry = [instantiate(ct) for ct in cts[:num_carry]]
    carry_avals = tuple(map(get_aval, ct_carry))
    y_avals = tuple(
        [None if type(ct) is Zero else get_aval(ct) for ct in cts[num_carry:]]
    )
    body = jaxpr.memo(
        ("scan_transpose", tuple(linear), num_consts, carry_avals, y_avals),
        lambda: _transposed_body(jaxpr, linear, num_consts, carry_avals, y_avals),
    )
    nonzero_ys = [a is not None for a in y_avals]
    consts, carry, xs = split(args, num_consts, num_carry)
    lin_consts, _, lin_xs = split(linear, num_consts, num_carry)
    sums = [zeros_of(a) for a in pick(body.has_const, _sum_avals(consts))]
    values = [c for c, lin in zip(consts, lin_consts) if not lin]
    outs = scan_p.bind(
        *body.extra,
        *values,
        *sums,
        *ct_carry,
        *pick(nonzero_ys, cts[num_carry:]),
        *[x for x, lin in zip(xs, lin_xs) if not lin],
        jaxpr=body.jaxpr,
        num_consts=len(body.extra) + len(values),
        num_carry=len(sums) + num_carry,
        reverse=not reverse,
        **params,
    )
    ct_consts, ct_carry, ct_xs = split(outs, len(sums), num_carry)
    return [
        *_spread(lin_consts, body.has_const, ct_consts),
        *[ct if is_undefined_primal(c) else None for ct, c in zip(ct_carry, carry)],
        *_spread(lin_xs, body.has_x, ct_xs),
    ]


def _spread(linear, has, cts) -> list[Any]:
    """Cotangents for each operand: None for those that are not linear, or have none."""
    given, found = iter(cts), iter(has)
    return [next(given) if lin and next(found) else None for lin in linear]


class _TransposedBody(NamedTuple):
    jaxpr: ClosedJaxpr
    extra: list[Any]
    has_const: list[bool]
    has_x: list[bool]


def _sum_avals(consts) -> list[ShapedArray]:
    """The types of the sums of the linear consts' cotangents."""
    linear = [c.aval for c in consts if is_undefined_primal(c)]
    return [a.to_tangent_aval() for a in linear]


def _with_strong_carry(closed, num_consts, num_carry) -> ClosedJaxpr:
    """The same body with carries that are not weakly typed: their cotangents decide."""
    jaxpr = closed.jaxpr
    invars = list(jaxpr.invars)
    names: dict[Var, Atom] = {}
    for i in range(num_consts, num_consts + num_carry):
        if invars[i].aval.weak_type:
            strong = Var(invars[i].aval.strip_weak_type())
            names[invars[i]] = strong
            invars[i] = strong
    jaxpr = renamed(jaxpr, names)
    return derived(jaxpr, invars, jaxpr.outvars)


def _transposed_body(jaxpr, linear, num_consts, ct_carry, y_avals) -> _TransposedBody:
    """values, sums of consts' cts, cts of carries | cts of ys, values of xs
    -> sums, cts of carries | cts of xs; consts without a cotangent have no sum.

    ct_carry, y_avals: the types of the cotangents, None for ys that have none.
    """
    num_carry = len(ct_carry)
    jaxpr = _with_strong_carry(jaxpr, num_consts, num_carry)
    in_consts, in_carry, in_xs = split(jaxpr.in_avals, num_consts, num_carry)
    lin_consts, _, lin_xs = split(linear, num_consts, num_carry)
    out_ys = jaxpr.out_avals[num_carry:]
    nonzero_ys = [a is not None for a in y_avals]
    values = [a for a, lin in zip(in_consts, lin_consts) if not lin]
    sums = _sum_avals([UndefinedPrimal(a) for a in pick(lin_consts, in_consts)])
    ct_ys = [a.update(shape=a.shape[1:]) for a in y_avals if a is not None]
    x_values = [a for a, lin in zip(in_xs, lin_xs) if not lin]
    has_const = [True] * len(sums)
    while True:
        found: dict[str, list[bool]] = {}
        wanted = pick(has_const, sums)

        def fun(*flat, wanted=wanted, found=found):
            pieces = split(flat, len(values), len(wanted), num_carry, len(ct_ys))
            given_consts, total, given_carry, given_ys, given_xs = map(iter, pieces)
            args = [
                UndefinedPrimal(a) if lin else next(given_consts)
                for a, lin in zip(in_consts, lin_consts)
            ]
            args += map(UndefinedPrimal, in_carry)
            args += [
                UndefinedPrimal(a) if lin else next(given_xs)
                for a, lin in zip(in_xs, lin_xs)
            ]
            cts = [*given_carry, *with_zeros(given_ys, nonzero_ys, out_ys)]
            outs = backward_pass(jaxpr.jaxpr, jaxpr.consts, args, cts)
            consts, carry, xs = split(outs, num_consts, num_carry)
            consts, xs = pick(lin_consts, consts), pick(lin_xs, xs)
            found["const"] = nonzero_tangents(consts)
            found["x"] = nonzero_tangents(xs)
            added = [
                add_tangents(next(total), ct)
                for ct, has in zip(consts, has_const)
                if has
            ]
            return [
                *added,
                *map(instantiate, carry),
                *pick(found["x"], xs),
            ]

        result, extra = trace_to_jaxpr(
            fun,
            [*values, *wanted, *ct_carry, *ct_ys, *x_values],
            debug_info=jaxpr.jaxpr.debug_info,
        )
        if found["const"] == has_const:
            return _TransposedBody(result, extra, has_const, found["x"])
        has_const = found["const"]


# --- transposing a body of which some carries are not linear


class _LinearPart(NamedTuple):
    """A body in two: one of what depends on no linear input, and the linear rest."""

    known: ClosedJaxpr
    rest: ClosedJaxpr
    linear_carry: list[bool]


def _linear_part(jaxpr, linear, num_consts, num_carry) -> _LinearPart | None:
    """Split off the carries that are not linear, a counter say; None if all are."""
    inner = jaxpr.jaxpr
    lin_consts, lin_carry, lin_xs = split(linear, num_consts, num_carry)
    while True:
        marks = lin_consts + lin_carry + lin_xs
        tainted = set(pick(marks, inner.invars))
        for eqn in inner.eqns:
            if any(type(v) is not Literal and v in tainted for v in eqn.invars):
                tainted.update(eqn.outvars)
        found = [
            type(v) is not Literal and v in tainted for v in inner.outvars[:num_carry]
        ]
        if either(lin_carry, found) == lin_carry:
            break
        lin_carry = either(lin_carry, found)
    if all(lin_carry):
        return None
    linear_eqns, known_eqns = [], []
    for eqn in inner.eqns:
        reads = any(type(v) is not Literal and v in tainted for v in eqn.invars)
        (linear_eqns if reads else known_eqns).append(eqn)
    consts, carry, xs = split(inner.invars, num_consts, num_carry)
    out_carry, out_ys = split(inner.outvars, num_carry)
    kept = [o for o, lin in zip(out_carry, lin_carry) if lin]
    made = {v for eqn in known_eqns for v in eqn.outvars}
    made.update(v for v, lin in zip(carry, lin_carry) if not lin)
    passed: dict[Any, None] = {}
    for v in [v for eqn in linear_eqns for v in eqn.invars] + kept + out_ys:
        if type(v) is not Literal and v in made:
            passed[v] = None
    free = [v for v, lin in zip(consts, lin_consts) if not lin]
    known_carry = [i for i, lin in enumerate(lin_carry) if not lin]
    known = derived(
        inner,
        [*free, *[carry[i] for i in known_carry]]
        + [v for v, lin in zip(xs, lin_xs) if not lin],
        [*[out_carry[i] for i in known_carry], *passed],
        known_eqns,
    )
    rest = derived(
        inner,
        [*consts, *pick(lin_carry, carry), *xs, *passed],
        [*kept, *out_ys],
        linear_eqns,
    )
    return _LinearPart(known, rest, lin_carry)


def _transpose_linear_part(parts, cts, args, num_consts, num_carry, params):
    consts, carry, xs = split(args, num_consts, num_carry)
    start = [c for c, lin in zip(carry, parts.linear_carry) if not lin]
    free = [c for c in consts if not is_undefined_primal(c)]
    outs = scan_p.bind(
        *free,
        *start,
        *[x for x in xs if not is_undefined_primal(x)],
        jaxpr=parts.known,
        num_consts=len(free),
        num_carry=len(start),
        **params,
    )
    linear_carry = pick(parts.linear_carry, carry)
    found = _scan_transpose(
        [*pick(parts.linear_carry, cts), *cts[num_carry:]],
        *consts,
        # what starts from a constant is linear all the same
        *[
            c if is_undefined_primal(c) else UndefinedPrimal(get_aval(c))
            for c in linear_carry
        ],
        *xs,
        *outs[len(start) :],
        jaxpr=parts.rest,
        num_consts=num_consts,
        num_carry=len(linear_carry),
        **params,
    )
    ct_consts, ct_carry, ct_xs = split(found, num_consts, len(linear_carry))
    given = iter(ct_carry)
    spread = [next(given) if lin else None for lin in parts.linear_carry]
    return [
        *ct_consts,
        *[ct if is_undefined_primal(c) else None for ct, c in zip(spread, carry)],
        *ct_xs[: len(xs)],
    ]


scan_p.linearize = _scan_linearize
scan_p.transpose = _scan_transpose
