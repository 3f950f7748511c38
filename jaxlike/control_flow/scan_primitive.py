"""The primitive `scan`: a loop of known length, under every transform.

    operands: consts, carries, xs;  results: carries, ys
    jaxpr:    consts + carries + one x of each -> carries + one y of each

xs and ys have a leading axis of size `length`. Here are its types, evaluation, forward
mode and vmap; reverse mode is in scan_reverse.py, the user's functions in scan.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxlike.control_flow.eager import define_eager
from jaxlike.control_flow.edits import (
    either,
    nonzero_tangents,
    pick,
    reordered,
    split,
    with_zeros,
)
from jaxlike.core.avals import ShapedArray
from jaxlike.core.check import same_type
from jaxlike.core.dtypes import storage_dtype
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import (
    ClosedJaxpr,
    axis_names_in,
    hoist_consts,
)
from jaxlike.core.primitive import Primitive
from jaxlike.primitives.linear import instantiate
from jaxlike.transforms.batching import batch_jaxpr, materialize
from jaxlike.transforms.jvp import jvp_jaxpr

scan_p = Primitive("scan", multiple_results=True, structural=True)


def _scan_shape(*avals, reverse, length, jaxpr, num_consts, num_carry, unroll):
    consts, carry, xs = split(avals, num_consts, num_carry)
    want_consts, want_carry, want_xs = split(jaxpr.in_avals, num_consts, num_carry)
    out_carry, ys = split(jaxpr.out_avals, num_carry)
    want_xs = [stacked(a, length) for a in want_xs]
    for what, got, want in (
        ("const", consts, want_consts),
        ("carry", carry, want_carry),
        ("x", xs, want_xs),
        ("carry that its body returns", out_carry, want_carry),
    ):
        if len(got) != len(want):
            raise TypeError(
                format_error(f"scan got {len(got)} of {len(want)} operands ({what})")
            )
        for i, (a, b) in enumerate(zip(got, want)):
            if not same_type(a, b):
                raise TypeError(
                    format_error(f"scan: {what} {i} is {a}, but its body has {b}")
                )
    return [*out_carry, *[stacked(a, length) for a in ys]], jaxpr.effects


def stacked(aval: ShapedArray, length: int) -> ShapedArray:
    return aval.update(shape=(length, *aval.shape))


def _scan_loop(
    run, args, *, reverse, length, jaxpr, num_consts, num_carry, unroll
) -> list[np.ndarray]:
    consts, carry, xs = split(args, num_consts, num_carry)
    ys = [
        np.empty((length, *a.shape), storage_dtype(a.dtype))
        for a in jaxpr.out_avals[num_carry:]
    ]
    for i in reversed(range(length)) if reverse else range(length):
        outs = run(jaxpr, *consts, *carry, *[x[i, ...] for x in xs])
        carry = outs[:num_carry]
        for y, out in zip(ys, outs[num_carry:]):
            y[i] = out
    return [*carry, *ys]


# --- forward mode


def _scan_jvp(primals, tangents, *, jaxpr, num_consts, num_carry, **params):
    nonzeros = tuple(nonzero_tangents(tangents))
    body = jaxpr.memo(
        ("scan_jvp", nonzeros, num_consts, num_carry),
        lambda: _jvp_body(jaxpr, nonzeros, num_consts, num_carry),
    )
    operands: list[Any] = list(body.extra)
    pieces = zip(
        split(primals, num_consts, num_carry),
        split(tangents, num_consts, num_carry),
        body.nonzeros,
    )
    for values, ts, nz in pieces:
        operands += [*values, *map(instantiate, pick(nz, ts))]
    outs = scan_p.bind(
        *operands,
        jaxpr=body.jaxpr,
        num_consts=body.num_consts,
        num_carry=body.num_carry,
        **params,
    )
    num_ys = len(jaxpr.out_avals) - num_carry
    carry, carry_ts, ys, ys_ts = split(outs, num_carry, sum(body.nonzeros[1]), num_ys)
    avals = jaxpr.out_avals
    return [*carry, *ys], [
        *with_zeros(carry_ts, body.nonzeros[1], avals[:num_carry]),
        *stacked_zeros(ys_ts, body.nonzero_ys, avals[num_carry:], params["length"]),
    ]


def stacked_zeros(given, nonzeros, avals, length):
    return with_zeros(given, nonzeros, [stacked(a, length) for a in avals])


class _JVPBody(NamedTuple):
    jaxpr: ClosedJaxpr
    extra: list[Any]
    nonzeros: list[list[bool]]
    nonzero_ys: list[bool]
    num_consts: int
    num_carry: int


def _jvp_body(jaxpr, nonzeros, num_consts, num_carry) -> _JVPBody:
    of_consts, of_carry, of_xs = split(nonzeros, num_consts, num_carry)
    no_ys = [False] * (len(jaxpr.out_avals) - num_carry)
    while True:
        full = of_consts + of_carry + of_xs
        result, nonzeros_out = jvp_jaxpr(jaxpr, full, of_carry + no_ys)
        if nonzeros_out[:num_carry] == of_carry:
            break
        of_carry = either(of_carry, nonzeros_out[:num_carry])
    in_order = _interleave(full, num_consts, num_carry)
    out_order = _interleave(nonzeros_out, num_carry)
    body, extra = reordered(result, in_order, out_order)
    return _JVPBody(
        body,
        extra,
        [of_consts, of_carry, of_xs],
        nonzeros_out[num_carry:],
        len(extra) + num_consts + sum(of_consts),
        num_carry + sum(of_carry),
    )


def _interleave(nonzeros: Sequence[bool], *sizes: int) -> list[int]:
    """Positions that put each group's tangents, which come last, behind the group."""
    n = len(nonzeros)
    order: list[int] = []
    tangent = n
    for group in split(range(n), *sizes):
        order += group
        count = sum(nonzeros[i] for i in group)
        order += range(tangent, tangent + count)
        tangent += count
    return order


# --- vmap


def _scan_batch(axis_data, args, dims, *, jaxpr, num_consts, num_carry, **params):
    batched = [d is not None for d in dims]
    of_consts, of_carry, of_xs = split(batched, num_consts, num_carry)
    no_ys = [False] * (len(jaxpr.out_avals) - num_carry)
    while True:
        result, out_batched = batch_jaxpr(
            jaxpr, axis_data, of_consts + of_carry + of_xs, of_carry + no_ys
        )
        if out_batched[:num_carry] == of_carry:
            break
        of_carry = either(of_carry, out_batched[:num_carry])
    body, extra = hoist_consts(result)
    consts, carry, xs = split(list(zip(args, dims)), num_consts, num_carry)
    operands = [
        *extra,
        *[materialize(c, d, axis_data) if d is not None else c for c, d in consts],
        *[
            materialize(c, d, axis_data) if b else c
            for (c, d), b in zip(carry, of_carry)
        ],
        # axis 0 is the one that is scanned over
        *[materialize(x, d, axis_data, 1) if d is not None else x for x, d in xs],
    ]
    outs = scan_p.bind(
        *operands,
        jaxpr=body,
        num_consts=len(extra) + num_consts,
        num_carry=num_carry,
        **params,
    )
    return outs, [
        (0 if i < num_carry else 1) if b else None for i, b in enumerate(out_batched)
    ]


scan_p.shape = _scan_shape
scan_p.effectful = True
define_eager(scan_p, "jaxpr", _scan_loop)
scan_p.jvp = _scan_jvp
scan_p.batch = _scan_batch
scan_p.batch_collective = _scan_batch
scan_p.axis_names = lambda params: axis_names_in(params["jaxpr"])
