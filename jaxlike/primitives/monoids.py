"""Python functions of two scalars, as reductions take them, run on whole arrays.

The function is traced on scalars; its jaxpr then runs on arrays, element by element,
for values or for values with tangents. generic_reduce.py and windows.py use this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import (
    ClosedJaxpr,
    Jaxpr,
    Literal,
    evaluate_jaxpr,
    literal_buffer,
)
from jaxlike.core.primitive import Primitive
from jaxlike.core.source_info import unguarded
from jaxlike.core.staging import trace_to_closed_jaxpr
from jaxlike.core.trace import Tracer, is_concrete
from jaxlike.core.zeros import Zero
from jaxlike.primitives import rules
from jaxlike.primitives.linear import instantiate
from jaxlike.primitives.reductions import max_identity, min_identity

# --- tracing the function


def trace_monoid(
    computation: Callable, scalars: Sequence[ShapedArray], treedef
) -> ClosedJaxpr:
    """The jaxpr of `computation(x, y)` for trees of scalars of these types."""
    from jaxlike.core import tree

    n = len(scalars)

    def flat(*args):
        x, y = treedef.unflatten(args[:n]), treedef.unflatten(args[n:])
        out = computation(x, y)
        leaves, out_tree = tree.flatten(out)
        if out_tree != treedef:
            raise TypeError(
                format_error(
                    "a reduction's function must return what it takes one of: got the "
                    f"structure {out_tree} for {treedef}"
                )
            )
        return leaves

    name = getattr(computation, "__name__", "computation")
    closed = trace_to_closed_jaxpr(flat, [*scalars, *scalars], name)
    for got, want in zip(closed.out_avals, scalars):
        if got.shape or got.dtype != want.dtype:
            raise TypeError(
                format_error(
                    "a reduction's function must return scalars of the types it "
                    f"takes: got {got} for {want}"
                )
            )
    return _without_tracers(closed)


def trace_predicate(select: Callable, scalar: ShapedArray) -> ClosedJaxpr:
    """The jaxpr of `select(x, y)`, a boolean, for two scalars of this type."""
    name = getattr(select, "__name__", "select")
    closed = trace_to_closed_jaxpr(lambda x, y: [select(x, y)], [scalar, scalar], name)
    return _without_tracers(closed)


def _without_tracers(closed: ClosedJaxpr) -> ClosedJaxpr:
    if any(isinstance(c, Tracer) for c in closed.consts):
        raise NotImplementedError(
            format_error(
                "a reduction's function can't close over traced values",
                try_="an operand that carries the value along",
            )
        )
    return _literal_consts(closed)


def _literal_consts(closed: ClosedJaxpr) -> ClosedJaxpr:
    """Write scalar consts into the equations that use them."""
    jaxpr = closed.jaxpr
    literals, constvars, consts = {}, [], []
    for var, value in zip(jaxpr.constvars, closed.consts):
        if var.aval.shape:
            constvars.append(var)
            consts.append(value)
        else:
            buffer = getattr(value, "_data", value)
            literals[var] = Literal(np.asarray(buffer)[()], var.aval)
    if not literals:
        return closed
    eqns = [
        e.replace(invars=[literals.get(v, v) if _is_var(v) else v for v in e.invars])
        for e in jaxpr.eqns
    ]
    outvars = [literals.get(v, v) if _is_var(v) else v for v in jaxpr.outvars]
    jaxpr = jaxpr.replace(constvars=constvars, eqns=eqns, outvars=outvars)
    return ClosedJaxpr(jaxpr, consts)


def _is_var(atom) -> bool:
    return type(atom) is not Literal


# --- running the scalar jaxpr on arrays


class _NotElementwise(Exception):
    pass


# what does nothing to a scalar
_IDENTITIES = ("broadcast_in_dim", "copy", "copy_p", "reshape", "squeeze", "transpose")
_ELEMENTWISE = ("add_any", "clamp", "convert_element_type", "select_n")
# calls, whose jaxpr is run in their place
_CALLS = ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call")


def _is_elementwise(primitive: Primitive) -> bool:
    batch = primitive.batch
    return primitive.name in _ELEMENTWISE or (
        isinstance(batch, partial) and batch.func is rules._batch_elementwise_rule
    )


def _run_elementwise(jaxpr: Jaxpr, consts, args, read_literal, apply) -> list[Any]:
    """Run scalar equations on arrays; `apply` is told each primitive."""
    env: dict[Any, Any] = dict(zip(jaxpr.constvars, consts))
    env.update(zip(jaxpr.invars, args))

    def read(atom):
        return env[atom] if _is_var(atom) else read_literal(atom)

    for eqn in jaxpr.eqns:
        ins = [read(v) for v in eqn.invars]
        name = eqn.primitive.name
        scalar = not any(v.aval.shape for v in (*eqn.invars, *eqn.outvars))
        if name in _CALLS and scalar:
            inner = next(p for p in eqn.params.values() if isinstance(p, ClosedJaxpr))
            outs = _run_elementwise(inner.jaxpr, inner.consts, ins, read_literal, apply)
        elif name in _IDENTITIES and scalar:
            outs = ins[:1]
        elif scalar and _is_elementwise(eqn.primitive):
            outs = apply(eqn.primitive, ins, eqn.params)
        else:
            raise _NotElementwise(name)
        env.update(zip(eqn.outvars, outs))
    return [read(v) for v in jaxpr.outvars]


def _apply_numpy(primitive, ins, params):
    if primitive.name in ("select_n", "clamp"):
        ins = np.broadcast_arrays(*ins)
    out = primitive.evaluate(*ins, **params)
    return out if primitive.multiple_results else [np.asarray(out)]


def evaluate_monoid(
    closed: ClosedJaxpr, xs: Sequence[np.ndarray], ys: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """computation(x, y) for arrays of one shape, element by element."""
    shape = np.broadcast_shapes(xs[0].shape, ys[0].shape)
    try:
        outs = _run_elementwise(
            closed.jaxpr, closed.consts, [*xs, *ys], literal_buffer, _apply_numpy
        )
    except _NotElementwise:
        return _evaluate_scalars(closed, xs, ys, shape)
    return [np.broadcast_to(out, shape) for out in outs]


def _evaluate_scalars(closed, xs, ys, shape):
    args = [np.broadcast_to(a, shape) for a in (*xs, *ys)]
    outs = [np.empty(shape, v.aval.dtype) for v in closed.jaxpr.outvars]
    for index in np.ndindex(*shape):
        scalars = [np.asarray(a[index]) for a in args]
        values = evaluate_jaxpr(closed.jaxpr, closed.consts, *scalars)
        for out, value in zip(outs, values):
            out[index] = value
    return outs


def _apply_jvp(primitive, pairs, params):
    from jaxlike.primitives.shapes import broadcast_in_dim

    primals, tangents = [p for p, _ in pairs], [t for _, t in pairs]
    if primitive.name in ("select_n", "clamp"):
        shape = max((get_aval(p).shape for p in primals), key=len)
        for i, p in enumerate(primals):
            if get_aval(p).shape != shape:
                primals[i] = broadcast_in_dim(p, shape, ())
                if type(tangents[i]) is not Zero:
                    tangents[i] = broadcast_in_dim(tangents[i], shape, ())
                else:
                    tangents[i] = Zero.from_primal_value(primals[i])
    if primitive.jvp is None or all(type(t) is Zero for t in tangents):
        outs = primitive.bind(*primals, **params)
        outs = outs if primitive.multiple_results else [outs]
        return [(out, Zero.from_primal_value(out)) for out in outs]
    out, tangent = primitive.jvp(primals, tangents, **params)
    if primitive.multiple_results:
        return list(zip(out, tangent))
    return [(out, tangent)]


def jvp_of_monoid(closed: ClosedJaxpr, xs, ys) -> list[tuple[Any, Any]]:
    """computation(x, y) and its tangent, for (primal, tangent) pairs of arrays."""

    def read_literal(literal):
        return literal.val, Zero.from_primal_value(literal.val)

    consts = [(c, Zero.from_primal_value(c)) for c in closed.consts]
    try:
        outs = _run_elementwise(
            closed.jaxpr, consts, [*xs, *ys], read_literal, _apply_jvp
        )
    except _NotElementwise as e:
        raise NotImplementedError(
            format_error(
                f"a reduction whose function uses {e} cannot be differentiated"
            )
        ) from None
    return [_filled(out, get_aval(xs[0][0]).shape) for out in outs]


def _filled(pair, shape):
    from jaxlike.primitives.shapes import broadcast_in_dim

    primal, tangent = pair
    if get_aval(primal).shape == shape:
        return pair
    primal = broadcast_in_dim(primal, shape, ())
    if type(tangent) is Zero:
        return primal, Zero.from_primal_value(primal)
    return primal, broadcast_in_dim(tangent, shape, ())


# --- functions that NumPy reduces by itself

_UFUNCS = {
    "add": np.add,
    "mul": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}


def known_ufunc(closed: ClosedJaxpr) -> np.ufunc | None:
    """NumPy's function for a jaxpr that is one commutative operation of its inputs."""
    jaxpr = closed.jaxpr
    if len(jaxpr.eqns) != 1 or len(jaxpr.invars) != 2:
        return None
    (eqn,) = jaxpr.eqns
    if eqn.outvars != jaxpr.outvars or len(eqn.invars) != 2:
        return None
    if any(not _is_var(v) for v in eqn.invars) or set(eqn.invars) != set(jaxpr.invars):
        return None
    return _UFUNCS.get(eqn.primitive.name)


def instantiate_tangent(primal, tangent):
    """The tangent as an array; None where values of this dtype have none."""
    if get_aval(primal).to_tangent_aval().dtype != get_aval(primal).dtype:
        return None
    return instantiate(tangent)


def instantiated_pairs(pairs):
    """The pairs with arrays for tangents, wherever values have tangents."""
    out = []
    for primal, tangent in pairs:
        whole = instantiate_tangent(primal, tangent)
        out.append((primal, tangent if whole is None else whole))
    return out


def named_monoid(computation: Callable, init, dtype) -> str | None:
    """'sum', 'prod', 'max' ... if the function, started at `init`, is that one."""
    from jaxlike.primitives import arithmetic, bitwise

    if not is_concrete(init):
        return None
    known = {
        arithmetic.add: ("sum", 0),
        arithmetic.mul: ("prod", 1),
        arithmetic.max: ("max", max_identity),
        arithmetic.min: ("min", min_identity),
        bitwise.bitwise_and: ("and", -1),
        bitwise.bitwise_or: ("or", 0),
        bitwise.bitwise_xor: ("xor", 0),
    }
    try:
        name, identity = known[unguarded(computation)]
    except (KeyError, TypeError):
        return None
    value = np.asarray(getattr(init, "_data", init))
    if callable(identity):
        # infinity will do for integers too
        infinity = np.inf if identity is min_identity else -np.inf
        known_values = (identity(dtype), infinity)
    else:
        with np.errstate(all="ignore"):
            known_values = (np.asarray(identity).astype(dtype),)
    return name if any(np.array_equal(value, k) for k in known_values) else None
