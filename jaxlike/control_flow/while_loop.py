"""while_loop and fori_loop: loops that run until a condition on their carry fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jaxlike.control_flow.common import (
    CarryNames,
    as_result,
    call_tree,
    check_carry,
    flatten_operands,
    promote_weak,
    trace_body,
    wrapped,
)
from jaxlike.control_flow.edits import derived, split
from jaxlike.control_flow.scan import scan_of
from jaxlike.control_flow.while_primitive import while_p
from jaxlike.core import dtypes, tree
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.config import config
from jaxlike.core.errors import ConcretizationTypeError, format_error
from jaxlike.core.jaxpr import ClosedJaxpr, Literal
from jaxlike.core.source_info import api_boundary
from jaxlike.core.trace import is_concrete
from jaxlike.primitives.arithmetic import add
from jaxlike.primitives.comparison import lt
from jaxlike.primitives.conversion import convert_element_type

__all__ = ["fori_loop", "while_loop", "while_p"]


@api_boundary
def while_loop(cond_fun: Callable, body_fun: Callable, init_val: Any) -> Any:
    """Run `val = body_fun(val)` as long as cond_fun(val) is true.

    Reverse mode does not work through it: scan does that.

    Args:
      cond_fun: val -> one bool.
      body_fun: val -> val, which keeps its structure, shapes and dtypes.
      init_val: the first val, a pytree of arrays.
    Returns:
      the last val.
    Raises:
      TypeError: body_fun changes the type of val, or cond_fun returns no bool.
      ValueError: on reverse-mode differentiation.

    >>> from jaxlike import lax
    >>> int(lax.while_loop(lambda x: x < 100, lambda x: 2 * x, 1))
    128
    """
    if not (callable(body_fun) and callable(cond_fun)):
        raise TypeError(
            format_error("while_loop takes two functions, cond_fun and body_fun")
        )
    if config.disable_jit:
        try:
            val = init_val
            while cond_fun(val):
                val = body_fun(val)
            return val
        except ConcretizationTypeError:
            pass  # the condition depends on a traced value after all
    return _while(
        cond_fun,
        body_fun,
        init_val,
        "while_loop body",
        CarryNames(body_fun),
    )


def _while(cond_fun, body_fun, init_val, what, names):
    leaves, in_tree, avals = flatten_operands(init_val, "init_val")
    args_tree = call_tree(in_tree)

    def trace():
        cond = trace_body(cond_fun, args_tree, avals, "while_loop cond")
        return cond, trace_body(body_fun, args_tree, avals, what)

    cond, body = trace()
    promoted = promote_weak(leaves, avals, body.jaxpr.out_avals)
    if promoted is not None:
        leaves, _, avals = flatten_operands(promoted, "init_val")
        cond, body = trace()
    _check_condition(cond)
    check_carry(what, names, in_tree, avals, body.out_trees[0], body.jaxpr.out_avals)

    simple = body.jaxpr.memo(
        ("while_simplified", cond.jaxpr, len(cond.consts), len(body.consts)),
        lambda: _simplify(
            cond.jaxpr, body.jaxpr, len(cond.consts), len(body.consts), len(leaves)
        ),
    )
    moved = [leaves[i] for i in simple.invariant]
    kept = [x for i, x in enumerate(leaves) if i not in simple.invariant]
    outs = iter(
        while_p.bind(
            *cond.consts,
            *moved,
            *body.consts,
            *kept,
            cond_nconsts=len(cond.consts),
            cond_jaxpr=simple.cond,
            body_nconsts=len(moved) + len(body.consts),
            body_jaxpr=simple.body,
        )
    )
    found = [
        as_result(x) if i in simple.invariant else next(outs)
        for i, x in enumerate(leaves)
    ]
    return tree.unflatten(in_tree, found)


def _check_condition(cond) -> None:
    (out_tree,) = cond.out_trees
    if not tree.treedef_is_leaf(out_tree) or out_tree.num_leaves != 1:
        raise TypeError(
            format_error(
                f"cond_fun must return a boolean scalar, but got pytree {out_tree}."
            )
        )
    (aval,) = cond.jaxpr.out_avals
    if aval.shape or aval.dtype != np.bool_:
        raise TypeError(
            format_error(
                f"cond_fun must return a boolean scalar, but got output type(s) {aval}",
                try_="a comparison such as val < limit; jnp.any or jnp.all of an array",
            )
        )


class _Simplified(NamedTuple):
    """A loop whose carries that never change, and do not stop it, are body consts."""

    cond: ClosedJaxpr
    body: ClosedJaxpr
    invariant: list[int]


def _simplify(cond, body, num_cond, num_body, num_carry) -> _Simplified:
    consts, carry = split(body.jaxpr.invars, num_body)
    cond_consts, cond_carry = split(cond.jaxpr.invars, num_cond)
    read = {v for eqn in cond.eqns for v in eqn.invars if type(v) is not Literal}
    read.update(v for v in cond.jaxpr.outvars if type(v) is not Literal)
    invariant = [
        i
        for i in range(num_carry)
        if carry[i] is body.jaxpr.outvars[i] and cond_carry[i] not in read
    ]
    changing = [i for i in range(num_carry) if i not in invariant]
    return _Simplified(
        derived(
            cond.jaxpr,
            cond_consts + [cond_carry[i] for i in changing],
            cond.jaxpr.outvars,
        ),
        derived(
            body.jaxpr,
            [carry[i] for i in invariant] + consts + [carry[i] for i in changing],
            [body.jaxpr.outvars[i] for i in changing],
        ),
        invariant,
    )


# --- fori_loop


@api_boundary
def fori_loop(
    lower: Any,
    upper: Any,
    body_fun: Callable[[Any, Any], Any],
    init_val: Any,
    *,
    unroll: int | bool | None = None,
) -> Any:
    """Run `val = body_fun(i, val)` for i from lower to upper - 1.

    With bounds that are known it is a scan, and reverse mode works through it; with
    traced bounds it is a while_loop.

    Args:
      lower, upper: ints, or scalars of one integer dtype.
      body_fun: (i, val) -> val, which keeps its structure, shapes and dtypes.
      init_val: the first val, a pytree of arrays.
      unroll: how many iterations to write out in one step, as in scan.
    Returns:
      the last val.
    Raises:
      TypeError: the bounds are of different types, or body_fun changes that of val.
      ValueError: unroll is given, but the bounds are traced.

    >>> from jaxlike import lax
    >>> int(lax.fori_loop(0, 5, lambda i, total: total + i, 0))
    10
    """
    if not callable(body_fun):
        raise TypeError(format_error("fori_loop takes a function, body_fun"))
    dtype = _common_dtype(lower, upper)
    names = CarryNames(body_fun, argument=1, skip=1)
    bounds = _known_bounds(lower, upper)
    if bounds is not None:
        first, last = bounds
        if config.disable_jit:
            val = init_val
            for i in range(first, last):
                val = body_fun(i, val)
            return val
        (_, out), _ = scan_of(
            wrapped(body_fun, _scanned),
            (first, init_val),
            length=max(last - first, 0),
            unroll=1 if unroll is None else unroll,
            what="fori_loop body",
            names=names,
        )
        return out
    if unroll is not None and unroll is not False and unroll != 1:
        raise ValueError(
            format_error("unroll of fori_loop needs bounds that are Python ints")
        )
    _, _, out = _while(
        _below_upper,
        wrapped(body_fun, _counted),
        (_with_dtype(lower, dtype), _with_dtype(upper, dtype), init_val),
        "fori_loop body",
        names,
    )
    return out


def _common_dtype(lower, upper):
    """The dtype of the counter; weak signed ints give way to other signed ints."""
    a, b = get_aval(lower), get_aval(upper)
    if a.dtype == b.dtype:
        return a.dtype
    signed = all(dtypes.issubdtype(x.dtype, np.signedinteger) for x in (a, b))
    if signed and a.weak_type != b.weak_type:
        return b.dtype if a.weak_type else a.dtype
    raise TypeError(
        format_error(
            f"fori_loop counts in one dtype, but lower is {a.dtype.name} and upper "
            f"{b.dtype.name}",
            try_="the same integer dtype for both",
        )
    )


def _with_dtype(x, dtype):
    if get_aval(x).dtype == dtype:
        return x
    if isinstance(x, Array):
        return convert_element_type(x, dtype)
    return np.asarray(x, dtype)


def _known_bounds(lower, upper) -> tuple[int, int] | None:
    if is_concrete(lower) and is_concrete(upper):
        try:
            return int(lower), int(upper)
        except TypeError:  # an array of several numbers, reported by the while loop
            pass
    return None


def _scanned(ref):
    def body(carry, _):
        i, val = carry
        return (add(i, _one(i)), ref()(i, val)), None

    return body


def _counted(ref):
    def body(carry):
        i, upper, val = carry
        return add(i, _one(i)), upper, ref()(i, val)

    return body


def _below_upper(carry):
    i, upper, _ = carry
    return lt(i, upper)


def _one(i):
    aval = get_aval(i)
    return 1 if aval.weak_type else np.ones((), aval.dtype)
