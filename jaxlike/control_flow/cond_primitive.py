"""The primitive `cond`: one of several jaxprs, by an index, under every transform.

    operands: index (an i32 from 0 to the number of branches), operands of every branch
    branches: jaxprs of equal types

cond.py holds the user's functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxlike.control_flow.eager import compiled, define_eager
from jaxlike.control_flow.edits import (
    derived,
    either,
    nonzero_tangents,
    pick,
    refuse_io,
    renamed,
    with_unused_inputs,
    with_zero_outputs,
    with_zeros,
    without_consts,
)
from jaxlike.core import dtypes
from jaxlike.core.array import to_buffer
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.check import same_type
from jaxlike.core.config import config
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import (
    ClosedJaxpr,
    Literal,
    Var,
    axis_names_in,
    eval_jaxpr,
    hoist_consts,
)
from jaxlike.core.primitive import Primitive, no_effects
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives.broadcasting import empty
from jaxlike.primitives.comparison import eq
from jaxlike.primitives.identity import stop_gradient
from jaxlike.primitives.selection import select_n
from jaxlike.primitives.shapes import broadcast_in_dim
from jaxlike.transforms.batching import batch_jaxpr, materialize
from jaxlike.transforms.jvp import jvp_jaxpr
from jaxlike.transforms.linearize import linearize_jaxpr
from jaxlike.transforms.transpose import transpose_jaxpr

cond_p = Primitive("cond", multiple_results=True, structural=True)


def _cond_shape(index, *avals, branches):
    if index.shape or index.dtype != np.int32:
        raise TypeError(format_error(f"cond: the index is {index}, but must be i32[]"))
    first = branches[0]
    effects = no_effects
    for number, branch in enumerate(branches):
        effects |= branch.effects
        for what, got, want in (
            ("operand", avals, branch.in_avals),
            ("result", first.out_avals, branch.out_avals),
        ):
            if len(got) != len(want):
                raise TypeError(
                    format_error(
                        f"cond: branch {number} has {len(want)} {what}s, not {len(got)}"
                    )
                )
            for i, (a, b) in enumerate(zip(got, want)):
                if not same_type(a, b):
                    raise TypeError(
                        format_error(
                            f"cond: {what} {i} is {a}, but in branch {number} it is {b}"
                        )
                    )
    return first.out_avals, effects


def _cond_loop(run, args, *, branches):
    index, *operands = args
    return run(branches[_clamped(index, branches)], *operands)


def _clamped(index: np.ndarray, branches) -> int:
    return min(max(int(index), 0), len(branches) - 1)


def with_common_consts(
    closed: Sequence[ClosedJaxpr],
) -> tuple[list[ClosedJaxpr], list[Any]]:
    """Jaxprs of the same inputs, with the consts of all as leading inputs of each."""
    hoisted = [hoist_consts(c) for c in closed]
    consts = [x for _, found in hoisted for x in found]
    if not consts:
        return [c for c, _ in hoisted], []
    avals = [get_aval(x) for x in consts]
    result = []
    start = 0
    for jaxpr, found in hoisted:
        end = start + len(found)
        jaxpr = with_unused_inputs(jaxpr, avals[end:], at=len(found))
        result.append(with_unused_inputs(jaxpr, avals[:start], at=0))
        start = end
    return result, consts


def _memo(branches, key, make):
    """What is derived from all branches is kept with the first."""
    return branches[0].memo(("cond", branches, key), make)


# --- forward mode


def _cond_jvp(primals, tangents, *, branches):
    index, *operands = primals
    _, *tangents = tangents
    nonzeros = tuple(nonzero_tangents(tangents))
    jvps, extra, nonzeros_out = _memo(
        branches, ("jvp", nonzeros), lambda: _jvp_branches(branches, nonzeros)
    )
    outs = cond_p.bind(
        index, *extra, *operands, *pick(nonzeros, tangents), branches=jvps
    )
    avals = branches[0].out_avals
    return outs[: len(avals)], with_zeros(outs[len(avals) :], nonzeros_out, avals)


def _jvp_branches(branches, nonzeros):
    wanted = [False] * len(branches[0].out_avals)
    for branch in branches:
        wanted = either(wanted, jvp_jaxpr(branch, nonzeros, False)[1])
    jvps, extra = with_common_consts(
        [jvp_jaxpr(branch, nonzeros, wanted)[0] for branch in branches]
    )
    return tuple(jvps), extra, wanted


# --- reverse mode


class _Linear(NamedTuple):
    """Branches in two: of primals, which also make residuals, and linear ones.

    Each residual is a slot that every branch fills, or an operand of the branches, at
    the positions `forwarded`.
    """

    primal: tuple[ClosedJaxpr, ...]
    extra: list[Any]
    tangent: tuple[ClosedJaxpr, ...]
    forwarded: list[int]
    nonzeros_out: list[bool]


def _cond_linearize(nonzeros, index, *operands, branches):
    _, *of_operands = nonzeros
    parts = _memo(
        branches,
        ("linearize", tuple(of_operands)),
        lambda: _linear_branches(branches, of_operands),
    )
    operands = [*parts.extra, *operands]
    outs = cond_p.bind(index, *operands, branches=parts.primal)
    avals = branches[0].out_avals
    residuals = outs[len(avals) :] + [operands[i] for i in parts.forwarded]

    def tangent_of(tangents):
        _, *tangents = tangents
        if not any(parts.nonzeros_out):
            return [Zero(a.to_tangent_aval()) for a in avals]
        found = cond_p.bind(
            index, *residuals, *pick(of_operands, tangents), branches=parts.tangent
        )
        return with_zeros(found, parts.nonzeros_out, avals)

    return outs[: len(avals)], tangent_of


def _linear_branches(branches, nonzeros) -> _Linear:
    num_out = len(branches[0].out_avals)
    wanted = [False] * num_out
    for branch in branches:
        wanted = either(wanted, linearize_jaxpr(branch, nonzeros).nonzeros_out)
    splits = [linearize_jaxpr(branch, nonzeros, wanted) for branch in branches]
    primals, extra = with_common_consts([s.primal for s in splits])
    slots: list[ShapedArray] = []
    forwarded: list[int] = []
    # for each branch: its residuals by slot, and by what each of its slots is to read
    filled: list[dict[int, Any]] = []
    sources: list[list[tuple[str, int]]] = []
    for primal in primals:
        position = {v: i for i, v in enumerate(primal.jaxpr.invars)}
        mine: dict[int, Any] = {}
        reads: list[tuple[str, int]] = []
        known: dict[Any, tuple[str, int]] = {}
        for v in primal.jaxpr.outvars[num_out:]:
            if v not in known:
                if type(v) is not Literal and v in position:
                    if position[v] not in forwarded:
                        forwarded.append(position[v])
                    known[v] = "operand", forwarded.index(position[v])
                else:
                    slot = _free_slot(slots, mine, v.aval)
                    mine[slot] = v
                    known[v] = "slot", slot
            reads.append(known[v])
        filled.append(mine)
        sources.append(reads)
    operand_avals = [primals[0].in_avals[i] for i in forwarded]
    tangent = [
        _wire_residuals(s.tangent, reads, slots, operand_avals)
        for s, reads in zip(splits, sources)
    ]
    primal = [_fill_slots(p, num_out, mine, slots) for p, mine in zip(primals, filled)]
    return _Linear(tuple(primal), extra, tuple(tangent), forwarded, wanted)


def _free_slot(slots, taken, aval) -> int:
    """A slot of this type that the branch has not filled yet, maybe a new one."""
    for i, other in enumerate(slots):
        if i not in taken and same_type(aval, other):
            return i
    slots.append(aval)
    return len(slots) - 1


def _fill_slots(primal, num_out, filled, slots) -> ClosedJaxpr:
    jaxpr = primal.jaxpr
    outvars = jaxpr.outvars[:num_out]
    made = derived(jaxpr, jaxpr.invars, outvars + [filled[i] for i in sorted(filled)])
    if len(filled) == len(slots):
        return made

    def fun(*args):
        outs = eval_jaxpr(made.jaxpr, [], *args)
        given = iter(outs[num_out:])
        return outs[:num_out] + [
            next(given) if i in filled else empty(a.shape, a.dtype)
            for i, a in enumerate(slots)
        ]

    return without_consts(fun, made.in_avals, made)


def _wire_residuals(tangent, reads, slots, operand_avals) -> ClosedJaxpr:
    """The linear branch with all slots and forwarded operands as its first inputs."""
    jaxpr = tangent.jaxpr
    slot_vars, operand_vars = map(Var, slots), map(Var, operand_avals)
    inputs = {"slot": list(slot_vars), "operand": list(operand_vars)}
    names = {v: inputs[kind][i] for v, (kind, i) in zip(jaxpr.invars, reads)}
    jaxpr = renamed(jaxpr, names)
    invars = inputs["slot"] + inputs["operand"] + jaxpr.invars[len(reads) :]
    return derived(jaxpr, invars, jaxpr.outvars)


def _cond_transpose(cts, index, *args, branches):
    linear = [is_undefined_primal(a) for a in args]
    nonzero_cts = nonzero_tangents(cts)
    transposed, extra, has = _memo(
        branches,
        ("transpose", tuple(linear), tuple(nonzero_cts)),
        lambda: _transposed_branches(branches, linear, nonzero_cts),
    )
    values = [a for a, lin in zip(args, linear) if not lin]
    outs = iter(
        cond_p.bind(
            index, *extra, *values, *pick(nonzero_cts, cts), branches=transposed
        )
    )
    found = iter(has)
    return [None, *[next(outs) if lin and next(found) else None for lin in linear]]


def _transposed_branches(branches, linear, nonzero_cts):
    parts = [transpose_jaxpr(b, linear, nonzero_cts, False) for b in branches]
    wanted = [False] * sum(linear)
    for _, has in parts:
        wanted = either(wanted, has)
    closed, extra = with_common_consts([c for c, _ in parts])
    avals = [a.to_tangent_aval() for a in pick(linear, branches[0].in_avals)]
    filled = [
        with_zero_outputs(c, has, wanted, avals) for c, (_, has) in zip(closed, parts)
    ]
    return tuple(filled), extra, wanted


# --- vmap


def _cond_batch(axis_data, args, dims, *, branches):
    index, *operands = args
    index_dim, *dims = dims
    if index_dim is not None:
        return _select_lanes(axis_data, index, operands, index_dim, dims, branches)
    batched = [d is not None for d in dims]
    wanted = [False] * len(branches[0].out_avals)
    for branch in branches:
        wanted = either(wanted, batch_jaxpr(branch, axis_data, batched)[1])
    closed, extra = with_common_consts(
        [batch_jaxpr(branch, axis_data, batched, wanted)[0] for branch in branches]
    )
    operands = [
        materialize(x, d, axis_data) if d is not None else x
        for x, d in zip(operands, dims)
    ]
    outs = cond_p.bind(index, *extra, *operands, branches=tuple(closed))
    return outs, [0 if b else None for b in wanted]


def _select_lanes(axis_data, index, operands, index_dim, dims, branches):
    """Lanes pick branches of their own: run all branches, and select.

    A branch gets stopped gradients in the lanes that do not take it, so that what it
    computes there (a NaN, say) does not come back through them.
    """
    refuse_io("cond", *branches)
    index = materialize(index, index_dim, axis_data)
    batched = [d is not None or _inexact(x) for x, d in zip(operands, dims)]
    operands = [
        materialize(x, d, axis_data) if b else x
        for x, d, b in zip(operands, dims, batched)
    ]
    results = []
    for number, branch in enumerate(branches):
        taken = eq(index, np.int32(number))
        given = [
            _select(taken, stop_gradient(x), x) if _inexact(x) else x for x in operands
        ]
        closed, _ = batch_jaxpr(branch, axis_data, batched, True)
        results.append(eval_jaxpr(closed.jaxpr, closed.consts, *given))
    outs = [_select(index, *cases) for cases in zip(*results)]
    return outs, [0] * len(outs)


def _inexact(x) -> bool:
    return dtypes.issubdtype(get_aval(x).dtype, np.inexact)


def _select(which, *cases):
    shape = get_aval(cases[0]).shape
    if len(shape) > 1:
        which = broadcast_in_dim(which, shape, (0,))
    return select_n(which, *cases)


cond_p.shape = _cond_shape
cond_p.effectful = True
define_eager(cond_p, "branches", _cond_loop)
by_equations = cond_p.impl


def _cond_impl(index, *operands, branches):
    """Only the branch that is taken is compiled."""
    if config.disable_jit or state.trace is not eval_trace:
        return by_equations(index, *operands, branches=branches)
    branch = branches[_clamped(to_buffer(index), branches)]
    executable = branch.memo("eager", lambda: compiled(branch, "cond"))
    return executable(operands)


cond_p.impl = _cond_impl
cond_p.jvp = _cond_jvp
cond_p.linearize = _cond_linearize
cond_p.transpose = _cond_transpose
cond_p.batch = _cond_batch
cond_p.batch_collective = _cond_batch
cond_p.axis_names = lambda params: frozenset().union(
    *map(axis_names_in, params["branches"])
)
