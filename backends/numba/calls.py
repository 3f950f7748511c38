"""Equations that are no kernel: library calls, loops, and the reference evaluation.

`call_of(eqn)` gives a function of ndarrays to a list of ndarrays. What has no entry in
`CALLS` runs by the primitive's NumPy evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlike.core import buffers
from jaxlike.core.dtypes import storage_dtype
from jaxlike.core.jaxpr import JaxprEqn

Call = Callable[..., Sequence[np.ndarray]]


def call_of(eqn: JaxprEqn) -> Call:
    """The function that runs an equation on buffers."""
    make = CALLS.get(eqn.primitive.name)
    call = make(eqn) if make is not None else None
    return call if call is not None else _evaluation(eqn)


def _evaluation(eqn: JaxprEqn) -> Call:
    evaluate, params = eqn.primitive.evaluate, eqn.params
    if evaluate is None:
        raise NotImplementedError(
            f"the primitive {eqn.primitive.name!r} has no evaluation rule"
        )
    if eqn.primitive.multiple_results:
        return lambda *args: evaluate(*args, **params)
    return lambda *args: (evaluate(*args, **params),)


def _dot_general(eqn: JaxprEqn) -> Call | None:
    """Products of one floating dtype: np.matmul, transposes as BLAS flags."""
    lhs, rhs = (v.aval for v in eqn.invars)
    out = eqn.outvars[0].aval
    if not (lhs.dtype == rhs.dtype == out.dtype and out.dtype.kind in "fc"):
        return None
    if out.dtype == np.float16 or 0 in (lhs.size, rhs.size):
        return None
    (lhs_contract, rhs_contract), (lhs_batch, rhs_batch) = eqn.params[
        "dimension_numbers"
    ]
    lhs_free = [d for d in range(lhs.ndim) if d not in {*lhs_contract, *lhs_batch}]
    rhs_free = [d for d in range(rhs.ndim) if d not in {*rhs_contract, *rhs_batch}]
    lhs_order = [*lhs_batch, *lhs_free, *lhs_contract]
    rhs_order = [*rhs_batch, *rhs_contract, *rhs_free]
    batch = tuple(lhs.shape[d] for d in lhs_batch)
    rows = _size(lhs.shape, lhs_free)
    inner = _size(lhs.shape, lhs_contract)
    columns = _size(rhs.shape, rhs_free)
    lhs_shape, rhs_shape = (*batch, rows, inner), (*batch, inner, columns)
    out_shape = out.shape
    direct_lhs = len(lhs_free) == len(lhs_contract) == 1
    direct_rhs = len(rhs_free) == len(rhs_contract) == 1
    plain = (
        direct_lhs
        and direct_rhs
        and lhs_order == sorted(lhs_order)
        and rhs_order == sorted(rhs_order)
        and out_shape == (*batch, rows, columns)
    )
    matmul = np.matmul
    make = buffers.maker((*batch, rows, columns), out.dtype)
    if plain:
        return lambda a, b: (matmul(a, b, make()),)

    def call(a, b):
        a = a.transpose(lhs_order)
        b = b.transpose(rhs_order)
        if not direct_lhs:
            a = a.reshape(lhs_shape)
        if not direct_rhs:
            b = b.reshape(rhs_shape)
        return (matmul(a, b, make()).reshape(out_shape),)

    return call


def _size(shape: Sequence[int], dims: Sequence[int]) -> int:
    size = 1
    for d in dims:
        size *= shape[d]
    return size


def _program(closed) -> Any:
    """The compiled form of an inner jaxpr, kept with it."""
    from jaxlike.backends.numba.program import Program

    return closed.memo("numba program", lambda: Program(closed, "body", body=True))


def _scan(eqn: JaxprEqn) -> Call:
    from jaxlike.backends.numba.loops import native_scan

    native = native_scan(eqn)
    if native is not None:
        return native
    params = eqn.params
    body = _program(params["jaxpr"])
    num_consts, num_carry = params["num_consts"], params["num_carry"]
    length, reverse = params["length"], params["reverse"]
    stacked = [v.aval for v in eqn.outvars[num_carry:]]

    def call(*args):
        consts = list(args[:num_consts])
        carry = list(args[num_consts : num_consts + num_carry])
        xs = args[num_consts + num_carry :]
        ys = [buffers.empty(a.shape, storage_dtype(a.dtype)) for a in stacked]
        for i in range(length - 1, -1, -1) if reverse else range(length):
            outs = body([*consts, *carry, *(x[i, ...] for x in xs)])
            carry = outs[:num_carry]
            for y, out in zip(ys, outs[num_carry:]):
                y[i] = out
        return [*carry, *ys]

    return call


def _while(eqn: JaxprEqn) -> Call:
    from jaxlike.backends.numba.loops import native_while

    native = native_while(eqn)
    if native is not None:
        return native
    params = eqn.params
    cond, body = _program(params["cond_jaxpr"]), _program(params["body_jaxpr"])
    num_cond, num_body = params["cond_nconsts"], params["body_nconsts"]

    def call(*args):
        cond_consts = list(args[:num_cond])
        body_consts = list(args[num_cond : num_cond + num_body])
        carry = list(args[num_cond + num_body :])
        while cond([*cond_consts, *carry])[0]:
            carry = body([*body_consts, *carry])
        return carry

    return call


def _cond(eqn: JaxprEqn) -> Call:
    branches = [_program(branch) for branch in eqn.params["branches"]]
    last = len(branches) - 1

    def call(index, *args):
        i = min(max(int(index), 0), last)
        return branches[i](list(args))

    return call


CALLS: dict[str, Callable[[JaxprEqn], Call | None]] = {
    "dot_general": _dot_general,
    "scan": _scan,
    "while": _while,
    "cond": _cond,
}
