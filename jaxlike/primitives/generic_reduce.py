"""reduce: reduction over axes by a Python function, of one array or several together.

It evaluates in a tree of log(n) steps that keeps the order of the elements. A function
that adds, multiplies ... becomes the primitive of that name in reductions.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero
from jaxlike.primitives import reductions
from jaxlike.primitives.monoids import (
    evaluate_monoid,
    instantiate_tangent,
    instantiated_pairs,
    jvp_of_monoid,
    known_ufunc,
    named_monoid,
    trace_monoid,
)
from jaxlike.primitives.reductions import check_axes

__all__ = ["reduce", "reduce_p"]

reduce_p = Primitive("reduce", multiple_results=True)
reduce_p.cache_shape = False


def _split(args):
    n = len(args) // 2
    return list(args[:n]), list(args[n:])


def _reduce_shape(*avals, computation, jaxpr, dimensions):
    operands, inits = _split(avals)
    for operand, init in zip(operands, inits):
        if init.shape:
            raise ValueError(
                format_error(f"reduce needs scalar initial values, got {init}")
            )
        if operand.dtype != init.dtype:
            raise TypeError(
                format_error(
                    f"reduce needs initial values of the operands' dtypes, got {init} "
                    f"for {operand}"
                )
            )
        if operand.shape != operands[0].shape:
            raise TypeError(
                format_error(
                    "reduce needs operands of one shape, got "
                    + " and ".join(map(str, operands))
                )
            )
    check_axes("reduce", operands[0], dimensions)
    shape = tuple(n for i, n in enumerate(operands[0].shape) if i not in dimensions)
    return [
        ShapedArray(shape, operand.dtype, operand.weak_type and init.weak_type)
        for operand, init in zip(operands, inits)
    ]


def _reduce_evaluate(*args, computation, jaxpr, dimensions):
    operands, inits = _split(args)
    if not dimensions:  # the initial value is no part of it, as in JAX
        return operands
    ufunc = known_ufunc(jaxpr)
    if ufunc is not None:
        (x,), (init,) = operands, inits
        wide = reductions.wide_dtypes.get(x.dtype, x.dtype)
        out = x.astype(wide, copy=False)
        if ufunc in (np.add, np.multiply):
            out = ufunc(ufunc.reduce(out, dimensions, wide), init.astype(wide))
        else:
            out = ufunc.reduce(out, dimensions, initial=init.astype(wide)[()])
        return [np.asarray(out).astype(x.dtype, copy=False)]
    kept = [i for i in range(operands[0].ndim) if i not in dimensions]
    shape = [operands[0].shape[i] for i in kept]
    n = math.prod([operands[0].shape[i] for i in dimensions])
    if not n:
        return [np.full(shape, init) for init in inits]
    xs = [x.transpose(*dimensions, *kept).reshape(n, *shape) for x in operands]
    while n > 1:
        even = n - n % 2
        joined = evaluate_monoid(
            jaxpr, [x[0:even:2] for x in xs], [x[1:even:2] for x in xs]
        )
        if n % 2:
            joined = [np.concatenate([j, x[-1:]]) for j, x in zip(joined, xs)]
        xs, n = joined, (n + 1) // 2
    inits = [np.broadcast_to(init, shape) for init in inits]
    return evaluate_monoid(jaxpr, inits, [x[0] for x in xs])


def _reduce_jvp(primals, tangents, *, computation, jaxpr, dimensions):
    from jaxlike.primitives.joining import concatenate
    from jaxlike.primitives.shapes import broadcast_in_dim, reshape, transpose
    from jaxlike.primitives.slicing import slice_in_dim

    outs = reduce_p.bind(
        *primals, computation=computation, jaxpr=jaxpr, dimensions=dimensions
    )
    operands, inits = _split(primals)
    if not dimensions:
        return outs, tangents[: len(operands)]
    shape = get_aval(operands[0]).shape
    kept = [i for i in range(len(shape)) if i not in dimensions]
    kept_shape = tuple(shape[i] for i in kept)
    n = math.prod([shape[i] for i in dimensions])

    def flat(x, tangent):
        tangent = instantiate_tangent(x, tangent)
        pair = [
            reshape(transpose(a, (*dimensions, *kept)), (n, *kept_shape))
            for a in ((x,) if tangent is None else (x, tangent))
        ]
        return pair[0], pair[1] if tangent is not None else Zero.from_primal_value(
            pair[0]
        )

    def on_both(f, *pairs):
        primal = f(*[p for p, _ in pairs])
        if any(type(t) is Zero for _, t in pairs):
            return primal, Zero.from_primal_value(primal)
        return primal, f(*[t for _, t in pairs])

    operand_tangents, init_tangents = _split(tangents)
    pairs = [flat(x, t) for x, t in zip(operands, operand_tangents)]
    while n > 1:
        even = n - n % 2
        firsts = [on_both(lambda a: slice_in_dim(a, 0, even, 2), p) for p in pairs]
        seconds = [on_both(lambda a: slice_in_dim(a, 1, even, 2), p) for p in pairs]
        joined = instantiated_pairs(jvp_of_monoid(jaxpr, firsts, seconds))
        if n % 2:
            lasts = [on_both(lambda a: slice_in_dim(a, n - 1, n), p) for p in pairs]
            joined = [
                on_both(lambda *xs: concatenate(xs, 0), j, last)
                for j, last in zip(joined, lasts)
            ]
        pairs, n = joined, (n + 1) // 2
    starts = []
    for init, t in zip(inits, init_tangents):
        t = instantiate_tangent(init, t)
        primal = broadcast_in_dim(init, kept_shape, ())
        if t is None:
            starts.append((primal, Zero.from_primal_value(primal)))
        else:
            starts.append((primal, broadcast_in_dim(t, kept_shape, ())))
    if n == 0:
        return outs, [t for _, t in starts]
    last = [on_both(lambda a: reshape(a, kept_shape), p) for p in pairs]
    return outs, [t for _, t in jvp_of_monoid(jaxpr, starts, last)]


def _reduce_batch(axis_data, args, dims, *, computation, jaxpr, dimensions):
    from jaxlike.primitives.shapes import broadcast_in_dim, moveaxis

    operands, inits = _split(args)
    operand_dims, init_dims = _split(dims)
    if any(d is not None for d in init_dims):
        raise NotImplementedError(
            format_error(
                "vmap of reduce over its initial values",
                try_="reducing from the identity, and joining the initial value after",
            )
        )
    size = axis_data.size
    moved = [
        broadcast_in_dim(x, (size, *get_aval(x).shape), range(1, get_aval(x).ndim + 1))
        if d is None
        else moveaxis(x, d, 0)
        for x, d in zip(operands, operand_dims)
    ]
    outs = reduce_p.bind(
        *moved,
        *inits,
        computation=computation,
        jaxpr=jaxpr,
        dimensions=tuple(d + 1 for d in dimensions),
    )
    return outs, [0] * len(outs)


reduce_p.shape = _reduce_shape
reduce_p.evaluate = _reduce_evaluate
reduce_p.jvp = _reduce_jvp
reduce_p.batch = _reduce_batch
reduce_p.not_transposable = "a Python function's reduction is differentiated by its jvp"


# --- the user's function


def reduce(
    operands: Any,
    init_values: Any,
    computation: Callable[[Any, Any], Any],
    dimensions: Sequence[int],
    out_sharding=None,
) -> Any:
    """Reduce over `dimensions` by an associative function of two elements.

    operands: an array, or a tree of arrays of one shape, reduced together.
    init_values: a scalar of each operand's dtype, the function's identity.
    computation: takes and returns scalars (a tree of them, for a tree of operands).
    Raises ValueError for initial values that are no scalars or another tree, TypeError
    for dtypes that differ.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.reduce(jnp.array([1.0, 2.0, 3.0]), 0.0, lambda x, y: x + y, (0,))
    Array(6., dtype=float32)
    """
    from jaxlike.core import tree

    flat, treedef = tree.flatten(operands)
    inits, init_tree = tree.flatten(init_values)
    if treedef != init_tree:
        raise ValueError(
            format_error(
                "reduce needs operands and initial values of one structure, got "
                f"{treedef} and {init_tree}"
            )
        )
    axes = tuple(int(d) for d in dimensions)
    avals = [get_aval(x) for x in flat]
    if len(flat) == 1 and not get_aval(inits[0]).shape:
        name = named_monoid(computation, inits[0], avals[0].dtype)
        if name is not None:
            primitive = getattr(reductions, f"reduce_{name}_p")
            return treedef.unflatten([primitive.bind(flat[0], axes=axes)])
    scalars = [ShapedArray((), aval.dtype) for aval in avals]
    jaxpr = trace_monoid(computation, scalars, treedef)
    outs = reduce_p.bind(
        *flat, *inits, computation=computation, jaxpr=jaxpr, dimensions=axes
    )
    return treedef.unflatten(outs)
