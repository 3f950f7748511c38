"""JAX's type promotion lattice, as a table of edges and the join over it.

Nodes are dtypes and the Python types int, float and complex, which stand for weakly
typed values. Reading arguments, x64 and caching are in dtypes.py.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np

from jaxlike.core import scalars as s

Node = np.dtype | type


class TypePromotionError(ValueError):
    """The operands' dtypes have no common dtype to promote to by themselves.

    Raised for pairs with float8, float4 or int4 and the like, and for any mixed pair
    under `jax_numpy_dtype_promotion="strict"`. Convert one side with `astype`.
    """


TypePromotionError.__module__ = "jaxlike.dtypes"


def _standard_edges() -> dict[Node, list[Node]]:
    edges: dict[Node, list[Node]] = {
        s.bool_: [int],
        int: [s.uint8, s.int8, *s.narrow_ints.values(), *s.narrow_uints.values()],
        s.uint8: [s.int16, s.uint16],
        s.uint16: [s.int32, s.uint32],
        s.uint32: [s.int64, s.uint64],
        s.uint64: [float],
        s.int8: [s.int16],
        s.int16: [s.int32],
        s.int32: [s.int64],
        s.int64: [float],
        float: [complex, s.bfloat16, s.float16, *s.narrow_floats.values()],
        s.bfloat16: [s.float32],
        s.float16: [s.float32],
        s.float32: [s.float64, s.complex64],
        s.float64: [s.complex128],
        complex: [s.complex64],
        s.complex64: [s.complex128],
    }
    return edges


def _strict_edges() -> dict[Node, list[Node]]:
    # Only weak values give way, and only towards their own kind or a wider kind.
    return {
        int: [float, *s.signed_ints, *s.unsigned_ints],
        float: [complex, *s.floats],
        complex: [*s.complexes],
    }


@functools.cache
def _upper_sets(strict: bool) -> dict[Node, frozenset[Node]]:
    """For each node, all nodes it may become, itself included."""
    edges = _strict_edges() if strict else _standard_edges()
    found: dict[Node, frozenset[Node]] = {}

    def above(node: Node) -> frozenset[Node]:
        if node not in found:
            found[node] = frozenset({node}).union(*map(above, edges.get(node, ())))
        return found[node]

    for node in (*s.all_dtypes, int, float, complex):
        above(node)
    return found


@functools.cache
def _least(nodes: frozenset[Node], strict: bool) -> Node | None:
    upper = _upper_sets(strict)
    common = frozenset.intersection(*(upper[n] for n in nodes))
    # A node of the common set whose own upper set is all of it lies below the rest.
    return next((n for n in common if upper[n] == common), None)


def join(nodes: Iterable[Node], strict: bool) -> Node:
    """The least node that all `nodes` may become.

    Raises: TypePromotionError if there is none.

    >>> import numpy as np
    >>> join([np.dtype("int8"), np.dtype("uint8")], strict=False)
    dtype('int16')
    """
    nodes = tuple(dict.fromkeys(nodes))
    out = _least(frozenset(nodes), strict)
    if out is None:
        raise TypePromotionError(_explain(nodes, strict))
    return out


def _explain(nodes: tuple[Node, ...], strict: bool) -> str:
    names = [f"Python {n.__name__}" if isinstance(n, type) else n.name for n in nodes]
    listed = ", ".join(names[:-1]) + " and " + names[-1]
    head = f"No implicit dtype promotion path between {listed}"
    if strict:
        return (
            f"{head} when jax_numpy_dtype_promotion is 'strict'. Convert the operands "
            "to one dtype with astype(), or set the option to 'standard'."
        )
    ints = {*s.narrow_ints.values(), *s.narrow_uints.values()}
    if any(n in ints for n in nodes):
        return (
            f"{head}: 1-bit, 2-bit and 4-bit integers never promote by themselves. "
            "Convert explicitly, for instance with x.astype('int32')."
        )
    return (
        f"{head}: floats of 8 bits and fewer never promote by themselves. "
        "Convert explicitly, for instance with x.astype('float32')."
    )
