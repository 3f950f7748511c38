"""cond and switch: run one of several functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxlike.control_flow.common import (
    Traced,
    as_result,
    call_tree,
    check_branches,
    flatten_operands,
    trace_body,
)
from jaxlike.control_flow.cond_primitive import cond_p
from jaxlike.control_flow.edits import derived
from jaxlike.core import dtypes, tree
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.config import config
from jaxlike.core.errors import ConcretizationTypeError, format_error
from jaxlike.core.jaxpr import ClosedJaxpr, Var
from jaxlike.core.source_info import api_boundary
from jaxlike.primitives.comparison import ne
from jaxlike.primitives.conversion import convert_element_type
from jaxlike.primitives.selection import clamp

__all__ = ["cond", "cond_p", "switch"]

_NO_OPERAND = object()


@api_boundary
def cond(
    pred: Any,
    true_fun: Callable,
    false_fun: Callable,
    *operands: Any,
    operand: Any = _NO_OPERAND,
) -> Any:
    """`true_fun(*operands)` if pred, else `false_fun(*operands)`; only one is run.

    Under vmap with a batched pred both run, and the results are selected from.

    Args:
      pred: a scalar: a bool, or a number, which is true if it is not zero.
      true_fun, false_fun: of the operands, with results of one type.
      operands: pytrees of arrays.
    Returns:
      the result of the function that was run.
    Raises:
      TypeError: pred is no scalar, or the results are of different types.

    >>> from jaxlike import lax
    >>> float(lax.cond(True, lambda x: x + 1, lambda x: x - 1, 3.0))
    4.0
    """
    if operand is not _NO_OPERAND:
        if operands:
            raise TypeError(
                format_error(
                    "cond takes operand= or positional operands, not both: got "
                    f"{operand!r} and {operands!r}"
                )
            )
        operands = (operand,)
    if not callable(true_fun) and callable(false_fun) and len(operands) == 2:
        # cond(pred, true_operand, true_fun, false_operand, false_fun)
        first, second = true_fun, operands[0]
        true_fun, false_fun = _on(0, false_fun), _on(1, operands[1])
        operands = first, second
    if not (callable(true_fun) and callable(false_fun)):
        raise TypeError(
            format_error("cond takes two functions, true_fun and false_fun")
        )
    aval = _check_predicate(pred)
    if config.disable_jit:
        try:
            return (true_fun if pred else false_fun)(*operands)
        except ConcretizationTypeError:
            pass
    if isinstance(pred, Array):
        if aval.dtype != np.bool_:
            pred = ne(pred, np.zeros((), aval.dtype))
        index = convert_element_type(pred, np.int32)
    else:
        index = np.int32(bool(pred))
    funs, names = (true_fun, false_fun), ("true_fun", "false_fun")
    return _branch("cond", index, funs, names, operands, backwards=True)


def _on(which: int, fun: Callable) -> Callable:
    return lambda *operands: fun(operands[which])


def _check_predicate(pred):
    try:
        aval = get_aval(pred)
    except TypeError:
        raise TypeError(
            format_error(f"the predicate of cond is no array: {pred!r:.100}")
        ) from None
    if aval.shape:
        raise TypeError(
            format_error(
                f"the predicate of cond is {aval}, but one scalar decides",
                try_="jnp.any(pred) or jnp.all(pred); jnp.where to choose by element",
            )
        )
    if not (aval.dtype == np.bool_ or dtypes.issubdtype(aval.dtype, np.number)):
        raise TypeError(
            format_error(f"Pred type must be either boolean or number, got {aval}")
        )
    return aval


@api_boundary
def switch(
    index: Any,
    branches: Sequence[Callable],
    *operands: Any,
    operand: Any = _NO_OPERAND,
) -> Any:
    """`branches[index](*operands)`, the index brought into the range of branches.

    Args:
      index: a scalar of an integer dtype.
      branches: functions of the operands, with results of one type.
      operands: pytrees of arrays.
    Returns:
      the result of the branch that was run.
    Raises:
      TypeError: index is no integer scalar, or the results are of different types.
      ValueError: there are no branches.

    >>> from jaxlike import lax
    >>> float(lax.switch(1, [lambda x: x, lambda x: -x, lambda x: 2 * x], 5.0))
    -5.0
    """
    if operand is not _NO_OPERAND:
        if operands:
            raise TypeError(
                format_error(
                    "switch takes operand= or positional operands, not both: got "
                    f"{operand!r} and {operands!r}"
                )
            )
        operands = (operand,)
    branches = tuple(branches)
    if not all(callable(b) for b in branches):
        raise TypeError(format_error("switch takes a sequence of functions"))
    aval = get_aval(index)
    if aval.shape:
        raise TypeError(
            format_error(
                f"the index of switch is {aval}, but one scalar decides",
                try_="jaxlike.vmap of the switch",
            )
        )
    if not dtypes.issubdtype(aval.dtype, np.integer):
        raise TypeError(
            format_error(
                f"the index of switch must be an integer, got {aval.dtype.name}"
            )
        )
    if not branches:
        raise ValueError(format_error("Empty branch sequence"))
    if len(branches) == 1:
        return branches[0](*operands)
    if config.disable_jit:
        try:
            return branches[min(max(int(index), 0), len(branches) - 1)](*operands)
        except ConcretizationTypeError:
            pass
    last = np.int32(len(branches) - 1)
    if isinstance(index, Array):
        index = convert_element_type(index, np.int32)
    else:
        index = np.int32(min(max(int(index), 0), int(last)))
    index = clamp(np.int32(0), index, last)
    names = [f"branch {i}" for i in range(len(branches))]
    return _branch("switch", index, branches, names, operands)


def _branch(what, index, funs, names, operands, backwards=False):
    """Bind cond_p; index 0 means the last function if they are given backwards."""
    leaves, operands_tree, avals = flatten_operands(tuple(operands), "operands")
    in_tree = call_tree(*operands_tree.children())
    traced = [trace_body(fun, in_tree, avals, what) for fun in funs]
    check_branches(what, names, funs, traced)
    consts, places = _join_consts(traced)
    joined = traced[0].jaxpr.memo(
        ("joined", tuple(t.jaxpr for t in traced), tuple(places), backwards),
        lambda: _join(traced, places, [get_aval(c) for c in consts], backwards),
    )
    operands = [*consts, *leaves]
    outs = iter(cond_p.bind(index, *operands, branches=joined.branches))
    results = [
        next(outs) if i is None else as_result(operands[i]) for i in joined.forwarded
    ]
    return tree.unflatten(traced[0].out_trees[0], results)


def _join_consts(traced: Sequence[Traced]):
    """The consts of all, each once, and where those of each stand among them."""
    consts: list[Any] = []
    position: dict[int, int] = {}
    places = []
    for t in traced:
        mine = []
        for x in t.consts:
            if id(x) not in position:
                position[id(x)] = len(consts)
                consts.append(x)
            mine.append(position[id(x)])
        places.append(tuple(mine))
    return consts, places


class _Joined(NamedTuple):
    """Branches of common operands; forwarded: the operand that a result is, or None."""

    branches: tuple[ClosedJaxpr, ...]
    forwarded: list[int | None]


def _join(traced, places, const_avals, backwards) -> _Joined:
    full = []
    for t, mine in zip(traced, places):
        jaxpr = t.jaxpr.jaxpr
        invars = [Var(a) for a in const_avals] + jaxpr.invars[len(mine) :]
        for i, v in zip(mine, jaxpr.invars):
            invars[i] = v
        full.append((jaxpr, invars))
    if backwards:
        full.reverse()
    forwards = []
    for jaxpr, invars in full:
        which = {v: i for i, v in enumerate(invars)}
        forwards.append([which.get(v) for v in jaxpr.outvars])
    forwarded = [i if all(j == i for j in js) else None for i, *js in zip(*forwards)]
    branches = [
        derived(
            jaxpr, invars, [v for v, i in zip(jaxpr.outvars, forwarded) if i is None]
        )
        for jaxpr, invars in full
    ]
    return _Joined(tuple(branches), forwarded)
