"""associative_scan: prefix sums of any associative operation, in parallel.

Pairs of neighbours are combined, the half as long sequence is scanned by the same rule,
and gives every second result; the others need one combination more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.control_flow.common import as_result, flatten_operands
from jaxlike.core import tree
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import api_boundary
from jaxlike.primitives.arithmetic import add
from jaxlike.primitives.axes import canonical_axis
from jaxlike.primitives.bitwise import bitwise_or
from jaxlike.primitives.joining import concatenate, pad
from jaxlike.primitives.shapes import rev
from jaxlike.primitives.slicing import slice_in_dim

__all__ = ["associative_scan"]


@api_boundary
def associative_scan(
    fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """All the results of combining the first 1, 2, 3 ... elements along an axis.

    Takes of the order of log(n) steps, each of which works on whole arrays.

    Args:
      fn: (a, b) -> the combination, an associative function of two pytrees like elems;
        it gets many elements at once, along the axis.
      elems: a pytree of arrays of one size along the axis.
      reverse: combine from the last element on.
      axis: the one to scan along.
    Returns:
      a pytree like elems.
    Raises:
      TypeError: fn is no function, or changes the structure.
      ValueError: sizes along the axis differ.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.associative_scan(jnp.maximum, jnp.array([1, 3, 2, 5])).tolist()
    [1, 3, 3, 5]
    """
    if not callable(fn):
        raise TypeError(format_error("associative_scan takes a function first"))
    leaves, structure, avals = flatten_operands(elems, "elems")
    if not leaves:
        raise ValueError(format_error("lax.associative_scan: elems has no arrays"))
    axis = canonical_axis(axis, avals[0].ndim)
    sizes = {a.shape[axis] if axis < a.ndim else None for a in avals}
    if len(sizes) > 1:
        raise ValueError(
            format_error(
                "associative_scan needs elems of one length, got shapes "
                f"{[a.shape for a in avals]}"
            )
        )

    def combine(a, b):
        out = fn(tree.unflatten(structure, a), tree.unflatten(structure, b))
        flat, out_tree = tree.flatten(out)
        if out_tree != structure:
            raise TypeError(
                format_error(
                    "associative_scan: fn must return a pytree like its arguments",
                    tree.describe_mismatch(
                        structure, out_tree, "the arguments", "the result"
                    ),
                )
            )
        return flat

    leaves = [as_result(x) for x in leaves]
    if reverse:
        leaves = [rev(x, (axis,)) for x in leaves]
    scanned = _scan(combine, leaves, axis)
    if reverse:
        scanned = [rev(x, (axis,)) for x in scanned]
    return tree.unflatten(structure, scanned)


def _scan(combine, elems: list[Any], axis: int) -> list[Any]:
    size = get_aval(elems[0]).shape[axis]
    if size < 2:
        return elems
    pairs = combine(
        [slice_in_dim(x, 0, -1, 2, axis) for x in elems],
        [slice_in_dim(x, 1, None, 2, axis) for x in elems],
    )
    odd = _scan(combine, pairs, axis)
    before = odd
    if size % 2 == 0:
        before = [slice_in_dim(x, 0, -1, 1, axis) for x in odd]
    even = combine(before, [slice_in_dim(x, 2, None, 2, axis) for x in elems])
    return [
        _interleave(concatenate([slice_in_dim(x, 0, 1, 1, axis), e], axis), o, axis)
        for x, e, o in zip(elems, even, odd)
    ]


def _interleave(even: Any, odd: Any, axis: int) -> Any:
    """even[0], odd[0], even[1], ... along an axis; there may be one more even."""
    aval = get_aval(even)
    zero = np.zeros((), aval.dtype)
    more = aval.shape[axis] - get_aval(odd).shape[axis]
    spread = [(0, 0, 0)] * aval.ndim

    def padded(x, low, high):
        config = list(spread)
        config[axis] = (low, high, 1)
        return pad(x, zero, config)

    join = bitwise_or if aval.dtype == np.bool_ else add
    return join(padded(even, 0, 1 - more), padded(odd, 1, more))
