"""The primitive `while`: a loop of unknown length, under every transform.

    operands:   consts of the condition, consts of the body, carries
    cond_jaxpr: its consts + carries -> one bool
    body_jaxpr: its consts + carries -> carries

while_loop.py holds the user's functions. Reverse mode would need the values of every
iteration, whose number is not known: transposing raises ValueError.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jaxlike.control_flow.eager import define_eager
from jaxlike.control_flow.edits import (
    either,
    nonzero_tangents,
    pick,
    refuse_io,
    reordered,
    split,
    with_unused_inputs,
    with_zeros,
)
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.check import same_type
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import (
    ClosedJaxpr,
    axis_names_in,
    eval_jaxpr,
    hoist_consts,
)
from jaxlike.core.primitive import Primitive
from jaxlike.core.staging import trace_to_jaxpr
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives.bitwise import bitwise_and
from jaxlike.primitives.linear import instantiate
from jaxlike.primitives.reductions import reduce_or
from jaxlike.primitives.selection import select_n
from jaxlike.primitives.shapes import broadcast_in_dim
from jaxlike.transforms.batching import batch_jaxpr, materialize
from jaxlike.transforms.jvp import jvp_jaxpr

while_p = Primitive("while", multiple_results=True, structural=True)


def _while_shape(*avals, cond_nconsts, cond_jaxpr, body_nconsts, body_jaxpr):
    cond_consts, body_consts, carry = split(avals, cond_nconsts, body_nconsts)
    for what, got, want in (
        ("operand of the condition", cond_consts + carry, cond_jaxpr.in_avals),
        ("operand of the body", body_consts + carry, body_jaxpr.in_avals),
        ("carry that the body returns", body_jaxpr.out_avals, carry),
        ("condition", cond_jaxpr.out_avals, [ShapedArray((), np.dtype(bool))]),
    ):
        if len(got) != len(want):
            raise TypeError(
                format_error(f"while got {len(got)} of {len(want)} values ({what})")
            )
        for i, (a, b) in enumerate(zip(got, want)):
            if not same_type(a, b):
                raise TypeError(
                    format_error(f"while: {what} {i} is {a}, but must be {b}")
                )
    return body_jaxpr.out_avals, cond_jaxpr.effects | body_jaxpr.effects


def _while_loop(run, args, *, cond_nconsts, cond_jaxpr, body_nconsts, body_jaxpr):
    cond_consts, body_consts, carry = split(args, cond_nconsts, body_nconsts)
    while run(cond_jaxpr, *cond_consts, *carry)[0]:
        carry = run(body_jaxpr, *body_consts, *carry)
    return carry


# --- forward mode


class _JVPLoop(NamedTuple):
    """Loop of primals and tangents: the params, and what the operands are made from."""

    params: dict[str, Any]
    extra: list[Any]
    of_carry: list[bool]


def _jvp_loop(of_consts, of_carry, params) -> _JVPLoop:
    body_jaxpr, body_nconsts = params["body_jaxpr"], params["body_nconsts"]
    while True:
        full = of_consts + of_carry
        result, nonzeros_out = jvp_jaxpr(body_jaxpr, full, of_carry)
        if nonzeros_out == of_carry:
            break
        of_carry = either(of_carry, nonzeros_out)
    n = len(full)
    tangents = n + sum(of_consts)
    body, extra = reordered(
        result,
        [
            *range(body_nconsts),
            *range(n, tangents),
            *range(body_nconsts, n),
            *range(tangents, n + sum(full)),
        ],
    )
    carry_tangents = [
        a.to_tangent_aval() for a in pick(of_carry, body_jaxpr.in_avals[body_nconsts:])
    ]
    new = {
        "cond_nconsts": params["cond_nconsts"],
        "cond_jaxpr": with_unused_inputs(params["cond_jaxpr"], carry_tangents),
        "body_nconsts": len(extra) + body_nconsts + sum(of_consts),
        "body_jaxpr": body,
    }
    return _JVPLoop(new, extra, of_carry)


def _jvp_of(nonzeros, params) -> _JVPLoop:
    _, of_consts, of_carry = split(
        nonzeros, params["cond_nconsts"], params["body_nconsts"]
    )
    key = ("while_jvp", tuple(nonzeros), params["cond_nconsts"], params["cond_jaxpr"])
    return params["body_jaxpr"].memo(
        key, lambda: _jvp_loop(of_consts, of_carry, params)
    )


def _bind_jvp(loop: _JVPLoop, primals, tangents, nonzeros, params):
    """(outs, tangents of outs) of the loop of primals and tangents."""
    sizes = params["cond_nconsts"], params["body_nconsts"]
    cond_consts, body_consts, carry = split(primals, *sizes)
    _, body_ts, carry_ts = split(tangents, *sizes)
    _, of_consts, _ = split(nonzeros, *sizes)
    outs = while_p.bind(
        *cond_consts,
        *loop.extra,
        *body_consts,
        *pick(of_consts, body_ts),
        *carry,
        *map(instantiate, pick(loop.of_carry, carry_ts)),
        **loop.params,
    )
    avals = params["body_jaxpr"].out_avals
    primals_out, found = split(outs, len(avals))
    return primals_out, with_zeros(found, loop.of_carry, avals)


def _while_jvp(primals, tangents, **params):
    nonzeros = nonzero_tangents(tangents)
    loop = _jvp_of(nonzeros, params)
    return _bind_jvp(loop, primals, tangents, nonzeros, params)


def _while_linearize(nonzeros, *primals, **params):
    """The tangents' loop runs that of the primals again, next to it."""
    loop = _jvp_of(nonzeros, params)
    outs = while_p.bind(*primals, **params)

    def tangent_of(tangents):
        if not any(loop.of_carry):
            return [Zero(get_aval(x).to_tangent_aval()) for x in outs]
        return _bind_jvp(loop, primals, tangents, nonzeros, params)[1]

    return outs, tangent_of


def _while_transpose(cts, *args, **_):
    if any(is_undefined_primal(a) for a in args):
        raise ValueError(
            format_error(
                "lax.while_loop, or lax.fori_loop with traced bounds, has no "
                "reverse-mode derivative",
                ["it would need the values of each iteration, however many there are"],
                try_="lax.scan; lax.fori_loop with Python ints as bounds; or "
                "jaxlike.custom_vjp",
            )
        )
    return [None] * len(args)


# --- vmap


def _while_batch(axis_data, args, dims, **params):
    sizes = params["cond_nconsts"], params["body_nconsts"]
    of_cond, of_body, of_carry = split([d is not None for d in dims], *sizes)
    body_jaxpr = params["body_jaxpr"]
    while True:
        body, out_batched = batch_jaxpr(
            body_jaxpr, axis_data, of_body + of_carry, of_carry
        )
        if out_batched == of_carry:
            break
        of_carry = either(of_carry, out_batched)
    cond, (cond_batched,) = batch_jaxpr(
        params["cond_jaxpr"], axis_data, of_cond + of_carry
    )
    if cond_batched:
        refuse_io("while", cond, body)
        # lanes stop one by one: from the first on, all carries differ between lanes
        of_carry = [True] * len(of_carry)
        body, _ = batch_jaxpr(body_jaxpr, axis_data, of_body + of_carry, True)
        cond, _ = batch_jaxpr(params["cond_jaxpr"], axis_data, of_cond + of_carry, True)
    cond_consts, body_consts, carry = split(list(zip(args, dims)), *sizes)
    cond_consts, body_consts = (
        [materialize(c, d, axis_data) if d is not None else c for c, d in consts]
        for consts in (cond_consts, body_consts)
    )
    carry = [
        materialize(c, d, axis_data) if b else c for (c, d), b in zip(carry, of_carry)
    ]
    if cond_batched:
        outs = _bind_lanes(cond, body, cond_consts, body_consts, carry)
    else:
        cond, cond_extra = hoist_consts(cond)
        body, body_extra = hoist_consts(body)
        outs = while_p.bind(
            *cond_extra,
            *cond_consts,
            *body_extra,
            *body_consts,
            *carry,
            cond_nconsts=len(cond_extra) + len(cond_consts),
            cond_jaxpr=cond,
            body_nconsts=len(body_extra) + len(body_consts),
            body_jaxpr=body,
        )
    return outs, [0 if b else None for b in of_carry]


def _bind_lanes(cond, body, cond_consts, body_consts, carry) -> list[Any]:
    """A loop of which each lane has its own condition, carried along as a mask.

    It runs while any lane does; the carries of lanes that are done stay as they are.
    """
    going = eval_jaxpr(cond.jaxpr, cond.consts, *cond_consts, *carry)[0]
    lanes, extra = body.memo(
        ("lanes", cond), lambda: _lanes_body(cond, body, len(cond_consts))
    )
    any_going, _ = trace_to_jaxpr(
        lambda mask, *_: [reduce_or(mask, (0,))],
        [get_aval(going), *body.in_avals[len(body_consts) :]],
        debug_info=cond.jaxpr.debug_info,
    )
    return while_p.bind(
        *extra,
        *cond_consts,
        *body_consts,
        going,
        *carry,
        cond_nconsts=0,
        cond_jaxpr=any_going,
        body_nconsts=len(extra) + len(cond_consts) + len(body_consts),
        body_jaxpr=lanes,
    )[1:]


def _lanes_body(cond: ClosedJaxpr, body: ClosedJaxpr, num_cond: int):
    """cond consts, body consts, mask, carries -> mask, carries."""
    num_carry = len(body.out_avals)
    num_body = len(body.in_avals) - num_carry

    def fun(*args):
        cond_consts, body_consts, (mask,), carry = split(args, num_cond, num_body, 1)
        new = eval_jaxpr(body.jaxpr, body.consts, *body_consts, *carry)
        carry = [_where(mask, x, old) for x, old in zip(new, carry)]
        holds = eval_jaxpr(cond.jaxpr, cond.consts, *cond_consts, *carry)[0]
        return [bitwise_and(mask, holds), *carry]

    avals = [
        *cond.in_avals[:num_cond],
        *body.in_avals[:num_body],
        cond.out_avals[0],
        *body.in_avals[num_body:],
    ]
    return trace_to_jaxpr(fun, avals, debug_info=body.jaxpr.debug_info)


def _where(mask, new, old):
    shape = get_aval(new).shape
    if len(shape) > 1:
        mask = broadcast_in_dim(mask, shape, (0,))
    return select_n(mask, old, new)


while_p.shape = _while_shape
while_p.effectful = True
define_eager(while_p, "body_jaxpr", _while_loop)
while_p.jvp = _while_jvp
while_p.linearize = _while_linearize
while_p.transpose = _while_transpose
while_p.batch = _while_batch
while_p.batch_collective = _while_batch
while_p.axis_names = lambda params: (
    axis_names_in(params["cond_jaxpr"]) | axis_names_in(params["body_jaxpr"])
)
