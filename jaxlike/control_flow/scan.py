"""scan and map: loops of known length over the leading axis of arrays."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from jaxlike.control_flow import scan_reverse as _scan_reverse  # sets its rules
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
from jaxlike.control_flow.scan_primitive import scan_p
from jaxlike.core import tree
from jaxlike.core.config import config
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import ClosedJaxpr
from jaxlike.core.source_info import api_boundary
from jaxlike.core.state import state
from jaxlike.core.trace import concrete_or_error, eval_trace
from jaxlike.primitives.joining import concatenate, stack
from jaxlike.primitives.shapes import reshape
from jaxlike.primitives.slicing import index_in_dim, slice_in_dim
from jaxlike.transforms.derivatives import described
from jaxlike.transforms.vmap import vmap

__all__ = ["map", "scan", "scan_p"]

del _scan_reverse


@api_boundary
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    _split_transpose: bool = False,
) -> tuple[Any, Any]:
    """Run `carry, y = f(carry, x)` over the leading axis of xs; stack the ys.

    The body is traced and compiled once, whatever the length.

    Args:
      f: (carry, x) -> (carry, y), of pytrees; the carry keeps its structure, shapes and
        dtypes.
      init: the first carry.
      xs: a pytree of arrays of one leading axis, or None.
      length: the number of iterations, needed if xs has no arrays.
      reverse: go from the last x to the first; ys stay in the order of xs.
      unroll: how many iterations to write out in one step of the loop; True for all.
    Returns:
      (the last carry, the ys).
    Raises:
      TypeError: f returns no pair, or a carry of another type than it got.
      ValueError: leading axes differ, or the length is not known.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> last, sums = lax.scan(lambda c, x: (c + x, c + x), 0, jnp.arange(4))
    >>> int(last), sums.tolist()
    (6, [0, 1, 3, 6])
    """
    if not callable(f):
        raise TypeError(format_error("scan takes a function first"))
    return scan_of(f, init, xs, length, reverse, unroll)


def scan_of(
    f: Callable,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    what: str = "scan body",
    names: CarryNames | None = None,
) -> tuple[Any, Any]:
    """scan, in the words of the function that it runs for."""
    names = names or CarryNames(f)
    init_leaves, init_tree, init_avals = flatten_operands(init, "init")
    x_leaves, x_tree, x_avals = flatten_operands(xs, "xs")
    length = _length(x_tree, x_avals, length)
    unroll = _unroll(unroll, length)
    if config.disable_jit and length:
        return _run_in_python(f, init, x_leaves, x_tree, length, reverse)
    x_avals = [a.update(shape=a.shape[1:]) for a in x_avals]
    in_tree = call_tree(init_tree, x_tree)

    def pair(out):
        if not (isinstance(out, (tuple, list)) and len(out) == 2):
            raise TypeError(
                format_error(
                    f"{what} must return a pair, but returned {described(out)}",
                    try_="return (carry, y), with None for y if there is none",
                )
            )
        return out

    def trace():
        traced = trace_body(f, in_tree, init_avals + x_avals, what, pair)
        return traced, traced.jaxpr.out_avals[: traced.out_trees[0].num_leaves]

    traced, out_avals = trace()
    promoted = promote_weak(init_leaves, init_avals, out_avals)
    if promoted is not None:
        init_leaves, _, init_avals = flatten_operands(promoted, "init")
        traced, out_avals = trace()
    carry_tree, y_tree = traced.out_trees
    check_carry(what, names, init_tree, init_avals, carry_tree, out_avals)

    num_consts, num_carry = len(traced.consts), len(init_leaves)
    body = traced.jaxpr.memo(
        ("scan_simplified", num_consts, num_carry),
        lambda: _simplify(traced.jaxpr, num_consts, num_carry),
    )
    moved = [init_leaves[i] for i in body.invariant]
    kept = [x for i, x in enumerate(init_leaves) if i not in body.invariant]
    outs: list[Any] = []
    if body.jaxpr.out_avals or body.jaxpr.effects or state.trace is not eval_trace:
        outs = scan_p.bind(
            *moved,
            *traced.consts,
            *kept,
            *x_leaves,
            reverse=bool(reverse),
            length=length,
            jaxpr=body.jaxpr,
            num_consts=len(moved) + num_consts,
            num_carry=len(kept),
            unroll=unroll,
        )
    found = iter(outs)
    carry = [
        as_result(x) if i in body.invariant else next(found)
        for i, x in enumerate(init_leaves)
    ]
    ys = [next(found) if i is None else as_result(x_leaves[i]) for i in body.forwarded]
    return tree.unflatten(carry_tree, carry), tree.unflatten(y_tree, ys)


class _Simplified(NamedTuple):
    """A body without what need not go through the loop.

    invariant: the carries that never change, now its first consts;
    forwarded: for each y, the x that it is, or None.
    """

    jaxpr: ClosedJaxpr
    invariant: list[int]
    forwarded: list[int | None]


def _simplify(closed: ClosedJaxpr, num_consts: int, num_carry: int) -> _Simplified:
    jaxpr = closed.jaxpr
    consts, carry, xs = split(jaxpr.invars, num_consts, num_carry)
    out_carry, ys = split(jaxpr.outvars, num_carry)
    invariant = [i for i, (a, b) in enumerate(zip(carry, out_carry)) if a is b]
    which = {v: i for i, v in enumerate(xs)}
    forwarded = [which.get(v) for v in ys]
    changing = [i for i in range(num_carry) if i not in invariant]
    result = derived(
        jaxpr,
        [*[carry[i] for i in invariant], *consts, *[carry[i] for i in changing], *xs],
        [out_carry[i] for i in changing]
        + [v for v, i in zip(ys, forwarded) if i is None],
    )
    return _Simplified(result, invariant, forwarded)


def _length(structure, avals, length) -> int:
    """The number of iterations; ValueError if arguments disagree on it."""
    if not all(a.shape for a in avals):
        paths = tree.leaf_paths(structure)
        path, aval = next((p, a) for p, a in zip(paths, avals) if not a.shape)
        raise ValueError(
            format_error(
                f"scan goes over leading axes, but xs{tree.keystr(path)} is {aval}"
            )
        )
    sizes = [a.shape[0] for a in avals]
    if length is not None:
        length = concrete_or_error(
            int,
            length,
            "the length of a scan",
            "lax.while_loop or lax.fori_loop, which run for as long as a traced value "
            "says",
        )
        if any(n != length for n in sizes):
            raise ValueError(
                format_error(
                    f"scan: length={length}, but the leading axes of xs have sizes "
                    f"{sizes}"
                )
            )
        if length < 0:
            raise ValueError(format_error(f"scan got a negative length, {length}"))
        return length
    if not sizes:
        raise ValueError(
            format_error(
                "scan got no values to scan over and `length` not provided.",
                try_="length=, the number of iterations",
            )
        )
    if len(set(sizes)) > 1:
        paths = tree.leaf_paths(structure)
        raise ValueError(
            format_error(
                "scan got values with different leading axis sizes: "
                + ", ".join(map(str, sizes)),
                [f"xs{tree.keystr(p)} is {a}" for p, a in zip(paths, avals)],
            )
        )
    return sizes[0]


def _unroll(unroll: Any, length: int) -> int:
    if isinstance(unroll, bool):
        return max(length, 1) if unroll else 1
    try:
        unroll = operator.index(unroll)
    except TypeError:
        unroll = -1
    if unroll < 0:
        raise ValueError(
            format_error("unroll of scan is a bool or an int of at least 0")
        )
    return unroll


def _run_in_python(f, init, x_leaves, x_tree, length, reverse):
    """The loop as Python runs it: prints and debuggers see each iteration."""
    carry, ys = init, []
    for i in reversed(range(length)) if reverse else range(length):
        x = [index_in_dim(leaf, i, keepdims=False) for leaf in x_leaves]
        carry, y = f(carry, tree.unflatten(x_tree, x))
        ys.append(y)
    if reverse:
        ys.reverse()
    return carry, tree.map(lambda *leaves: stack(leaves), *ys)


@api_boundary
def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """Apply f to each element along the leading axis of xs; stack the results.

    Args:
      f: of one element, a pytree.
      xs: a pytree of arrays of one leading axis.
      batch_size: how many elements to compute at once, by vmap; one by default.
    Returns:
      the stacked results.
    Raises:
      ValueError: leading axes differ, or batch_size is not positive.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.map(lambda x: x * x, jnp.arange(4)).tolist()
    [0, 1, 4, 9]
    """
    if batch_size is None:
        return scan(wrapped(f, _element), (), xs)[1]
    if operator.index(batch_size) <= 0:
        raise ValueError(
            format_error(f"batch_size of map must be at least 1, got {batch_size}")
        )
    leaves, structure, avals = flatten_operands(xs, "xs")
    size = _length(structure, avals, None)
    count = size // batch_size
    whole = count * batch_size
    parts = []
    if count:
        batches = [
            reshape(
                slice_in_dim(x, 0, whole) if whole < size else x,
                (count, batch_size, *a.shape[1:]),
            )
            for x, a in zip(leaves, avals)
        ]
        xs = tree.unflatten(structure, batches)
        ys = scan(wrapped(f, _batch_of_elements), (), xs)[1]
        parts.append(tree.map(_merge_axes, ys))
    if whole < size or not count:
        rest = [slice_in_dim(x, whole, size) if whole else x for x in leaves]
        parts.append(vmap(f)(tree.unflatten(structure, rest)))
    if len(parts) == 1:
        return parts[0]
    return tree.map(lambda *ys: concatenate(ys, 0), *parts)


def _element(ref):
    return lambda carry, x: ((), ref()(x))


def _batch_of_elements(ref):
    return lambda carry, xs: ((), vmap(ref())(xs))


def _merge_axes(y):
    return reshape(y, (y.shape[0] * y.shape[1], *y.shape[2:]))
