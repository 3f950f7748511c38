"""One lane of a batched loop: vmap undone.

    while[body = { lambda ; m:bool[B] x:f32[B]. let
        y:f32[B] = sin x
        z:f32[B] = select_n m x y
        n:bool[B] = lt z 1.0
        k:bool[B] = and m n
      in (k, z) }]                        -->  { lambda ; m:bool[] x:f32[]. let
                                                  y:f32[] = sin x
                                                  n:bool[] = lt y 1.0
                                                in (n, y) }

Works on any loop that treats the entries along some axis alike and apart, however it
came to be. The masks that vmap needs, since lanes stop at different turns, vanish: a
lane that is done does not run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jaxlike.backends.plan.clusters import REDUCE_NAMES, is_elementwise
from jaxlike.backends.plan.prepare import prepare
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import Atom, ClosedJaxpr, DropVar, JaxprEqn, Literal, Var
from jaxlike.core.primitive import registry
from jaxlike.transforms.rewrite.dce import dce
from jaxlike.transforms.rewrite.substitute import Substitution

Axis = int | None


class Mixed(Exception):
    """Lanes depend on one another, or in a way that is not known here."""


class Lane(NamedTuple):
    """An equation of one lane, and the batch axes of its operands and results."""

    eqn: JaxprEqn
    in_axes: list[Axis]
    out_axes: list[Axis]


def lane_of(eqn: JaxprEqn, size: int) -> Lane:
    """One lane of a scan or while along an axis of this size, the first of carries.

    Raises: Mixed.
    """
    shapes = [v.aval.shape for v in eqn.invars]
    if eqn.primitive.name == "scan":
        n = eqn.params["num_consts"] + eqn.params["num_carry"]
        shapes[n:] = [s[1:] for s in shapes[n:]]
        at = [0] * n + [1] * (len(shapes) - n)
    else:
        at = [0] * len(shapes)
    in_axes = [a if s[:1] == (size,) else None for a, s in zip(at, shapes)]
    lane = _Unbatching(size)
    for v, axis in zip(eqn.invars, in_axes):
        if type(v) is not Literal:
            lane.start(v, axis)
    lane.equation(eqn)
    (found,) = lane.eqns
    return Lane(found, in_axes, [lane.axis(v) for v in eqn.outvars])


def _without(shape: Sequence[int], axis: Axis) -> tuple[int, ...]:
    return tuple(n for d, n in enumerate(shape) if d != axis)


class _Unbatching:
    """Equations of one lane. axes: where the lanes of a batched variable lie."""

    def __init__(self, size: int):
        self.size = size
        self.axes: dict[Var, Axis] = {}
        self.env: dict[Var, Var] = {}
        self.eqns: list[JaxprEqn] = []

    def start(self, var: Var, axis: Axis) -> Var:
        """Make `var` known; its variable in one lane."""
        self.axes[var] = axis
        if axis is None:
            self.env[var] = var
        else:
            aval = var.aval.update(shape=_without(var.aval.shape, axis))
            self.env[var] = Var(aval) if type(var) is not DropVar else DropVar(aval)
        return self.env[var]

    def axis(self, atom: Atom) -> Axis:
        return None if type(atom) is Literal else self.axes[atom]

    def atom(self, atom: Atom) -> Atom:
        return atom if type(atom) is Literal else self.env[atom]

    def emit(self, eqn: JaxprEqn, out_axes: Sequence[Axis], params=None, invars=None):
        """The equation in one lane; the axes of its results."""
        if invars is None:
            invars = [self.atom(v) for v in eqn.invars]
        outvars = [self.start(v, a) for v, a in zip(eqn.outvars, out_axes)]
        params = eqn.params if params is None else params
        self.eqns.append(eqn.replace(invars=invars, outvars=outvars, params=params))

    def equation(self, eqn: JaxprEqn) -> None:
        name = eqn.primitive.name
        in_axes = [self.axis(v) for v in eqn.invars]
        if eqn.effects:
            raise Mixed(name)
        rule = _RULES.get(name)
        if name == "broadcast_in_dim":
            self.broadcast(eqn, *in_axes)
        elif all(a is None for a in in_axes):
            if name in ("scan", "while"):
                raise Mixed("a loop that lanes share")
            self.emit(eqn, [None] * len(eqn.outvars))
        elif is_elementwise(eqn) or name in ("stop_gradient", "copy", "copy_p", "name"):
            self.elementwise(eqn, in_axes)
        elif rule is not None:
            rule(self, eqn, in_axes)
        else:
            raise Mixed(name)

    def elementwise(self, eqn: JaxprEqn, in_axes: list[Axis]) -> None:
        axis = _one(a for a in in_axes if a is not None)
        invars = []
        for v, a in zip(eqn.invars, in_axes):
            shape = v.aval.shape
            if a is None and shape:
                if shape[axis] != 1:
                    raise Mixed("an array that all lanes share")
                narrow = Var(v.aval.update(shape=_without(shape, axis)))
                squeeze = registry["squeeze"]
                self.eqns.append(
                    JaxprEqn([self.atom(v)], [narrow], squeeze, {"dimensions": (axis,)})
                )
                invars.append(narrow)
            else:
                invars.append(self.atom(v))
        self.emit(eqn, [axis], invars=invars)

    def broadcast(self, eqn: JaxprEqn, axis: Axis) -> None:
        (x,), params = eqn.invars, eqn.params
        dims, shape = params["broadcast_dimensions"], params["shape"]
        if axis is not None:
            out_axis: Axis = dims[axis]
            dims = [d for i, d in enumerate(dims) if i != axis]
        else:
            kept = {d for d, n in zip(dims, x.aval.shape) if n != 1}
            new = (d for d, n in enumerate(shape) if n == self.size and d not in kept)
            out_axis = next(new, None)
            if out_axis is None:
                self.emit(eqn, [None])
                return
            if out_axis in dims:
                raise Mixed("a stretched axis")
        dims = tuple(d - (d > out_axis) for d in dims)
        params = {
            **params,
            "broadcast_dimensions": dims,
            "shape": _without(shape, out_axis),
        }
        self.emit(eqn, [out_axis], params)

    def jaxpr(
        self, closed: ClosedJaxpr, in_axes: Sequence[Axis]
    ) -> tuple[ClosedJaxpr, list[Axis]]:
        """An inner jaxpr in one lane."""
        closed = prepare(closed)
        jaxpr = closed.jaxpr
        if jaxpr.effects:
            raise Mixed("effects")
        inner = _Unbatching(self.size)
        for v in jaxpr.constvars:
            inner.start(v, None)
        invars = [inner.start(v, a) for v, a in zip(jaxpr.invars, in_axes)]
        for eqn in jaxpr.eqns:
            inner.equation(eqn)
        outvars = [inner.atom(v) for v in jaxpr.outvars]
        made = jaxpr.replace(invars=invars, outvars=outvars, eqns=inner.eqns)
        out_axes = [inner.axis(v) for v in jaxpr.outvars]
        return ClosedJaxpr(made, closed.consts), out_axes


def _one(axes) -> int:
    found = set(axes)
    if len(found) != 1:
        raise Mixed("lanes along different axes")
    return found.pop()


# --- layout


def _reshape(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    (x,), (axis,) = eqn.invars, in_axes
    (out,) = eqn.outvars
    if eqn.params["dimensions"] is not None:
        raise Mixed("reshape")
    before = math.prod(x.aval.shape[:axis])
    for d, n in enumerate(out.aval.shape):
        if n == u.size and math.prod(out.aval.shape[:d]) == before:
            sizes = _without(out.aval.shape, d)
            u.emit(eqn, [d], {**eqn.params, "new_sizes": sizes})
            return
    raise Mixed("reshape")


def _transpose(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    (axis,) = in_axes
    order = eqn.params["permutation"]
    left = tuple(d - (d > axis) for d in order if d != axis)
    u.emit(eqn, [order.index(axis)], {**eqn.params, "permutation": left})


def _squeeze(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    (axis,) = in_axes
    dims = [d % eqn.invars[0].aval.ndim for d in eqn.params["dimensions"]]
    left = tuple(d - (d > axis) for d in dims)
    out = axis - sum(d < axis for d in dims)
    u.emit(eqn, [out], {**eqn.params, "dimensions": left})


def _slice(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    (axis,), params = in_axes, dict(eqn.params)
    if eqn.outvars[0].aval.shape[axis] != u.size:
        raise Mixed("slice")
    for name in ("start_indices", "limit_indices", "strides"):
        if params[name] is not None:
            params[name] = _without(params[name], axis)
    u.emit(eqn, [axis], params)


def _dynamic_slice(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    axis, *of_starts = in_axes
    sizes = eqn.params["slice_sizes"]
    if axis is None or any(a is not None for a in of_starts) or sizes[axis] != u.size:
        raise Mixed("dynamic_slice")
    invars = [u.atom(v) for d, v in enumerate(eqn.invars) if d != axis + 1]
    u.emit(eqn, [axis], {"slice_sizes": _without(sizes, axis)}, invars)


def _rev(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    (axis,) = in_axes
    dims = eqn.params["dimensions"]
    if axis in dims:
        raise Mixed("rev")
    left = tuple(d - (d > axis) for d in dims)
    u.emit(eqn, [axis], {**eqn.params, "dimensions": left})


def _concatenate(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    axis, d = _one(in_axes), eqn.params["dimension"]
    if axis is None or d == axis:
        raise Mixed("concatenate")
    u.emit(eqn, [axis], {"dimension": d - (d > axis)})


def _pad(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    axis, fill = in_axes
    config = eqn.params["padding_config"]
    if axis is None or fill is not None or any(config[axis]):
        raise Mixed("pad")
    u.emit(eqn, [axis], {**eqn.params, "padding_config": _without(config, axis)})


def _reduce(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    (axis,) = in_axes
    axes = eqn.params["axes"]
    if axis in axes:
        raise Mixed("a reduction over lanes")
    left = tuple(d - (d > axis) for d in axes)
    out = axis - sum(d < axis for d in axes)
    u.emit(eqn, [out], {**eqn.params, "axes": left})


def _dot_general(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    (lc, rc), (lb, rb) = eqn.params["dimension_numbers"]
    lhs, rhs = in_axes
    if lhs is not None and rhs is not None:
        if lhs not in lb or list(lb).index(lhs) != list(rb).index(rhs):
            raise Mixed("dot_general")
        out = list(lb).index(lhs)
    elif lhs is not None:
        if lhs in (*lc, *lb):
            raise Mixed("dot_general")
        free = [d for d in range(eqn.invars[0].aval.ndim) if d not in (*lc, *lb)]
        out = len(lb) + free.index(lhs)
    else:
        if rhs in (*rc, *rb):
            raise Mixed("dot_general")
        free = [d for d in range(eqn.invars[1].aval.ndim) if d not in (*rc, *rb)]
        out = eqn.outvars[0].aval.ndim - len(free) + free.index(rhs)

    def left(dims, axis):
        return tuple(d - (axis is not None and d > axis) for d in dims if d != axis)

    numbers = (left(lc, lhs), left(rc, rhs)), (left(lb, lhs), left(rb, rhs))
    u.emit(eqn, [out], {**eqn.params, "dimension_numbers": numbers})


# --- loops and branches


def _scan(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    params = eqn.params
    n, carry = params["num_consts"], params["num_carry"]
    inner = [*in_axes[: n + carry]]
    for axis in in_axes[n + carry :]:
        if axis == 0:
            raise Mixed("lanes along the axis of the scan")
        inner.append(None if axis is None else axis - 1)
    body, out_axes = u.jaxpr(params["jaxpr"], inner)
    _carried(inner[n:], out_axes[:carry])
    out_axes[:carry] = inner[n : n + carry]
    out_axes[carry:] = [None if a is None else a + 1 for a in out_axes[carry:]]
    u.emit(eqn, out_axes, {**params, "jaxpr": body})


def _carried(before: Sequence[Axis], after: Sequence[Axis]) -> None:
    """Shared carries have to stay so; those of lanes may get what lanes share."""
    for a, b in zip(before, after):
        if b is not None and a != b:
            raise Mixed("a carry that changes its axis")
        if a is not None and b is None:
            raise Mixed("a carry that lanes come to share")


def _while(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    params = eqn.params
    n, m = params["cond_nconsts"], params["body_nconsts"]
    carry = in_axes[n + m :]
    body, out_axes = u.jaxpr(params["body_jaxpr"], in_axes[n:])
    _carried(carry, out_axes)
    mask = _mask_of(prepare(params["cond_jaxpr"]), n)
    if mask is not None and carry[mask] == 0:
        if any(a is None for a in carry):
            raise Mixed("a carry that lanes share")
        body = _unmasked(body, m, mask)
        cond = _test_of(body.in_avals[m:], mask, params["cond_jaxpr"])
        if n:
            raise Mixed("constants of the condition")
    else:
        cond, (of_cond,) = u.jaxpr(params["cond_jaxpr"], [*in_axes[:n], *carry])
        if of_cond is not None:
            raise Mixed("the condition")
    u.emit(eqn, carry, {**params, "body_jaxpr": body, "cond_jaxpr": cond})


def _mask_of(cond: ClosedJaxpr, num_consts: int) -> int | None:
    """The carry of which a condition is: any of it."""
    if len(cond.eqns) != 1 or cond.eqns[0].primitive.name != "reduce_or":
        return None
    (eqn,), jaxpr = cond.eqns, cond.jaxpr
    (x,) = eqn.invars
    if jaxpr.outvars != eqn.outvars or x not in jaxpr.invars or x.aval.ndim != 1:
        return None
    return jaxpr.invars.index(x) - num_consts


def _test_of(avals: Sequence[ShapedArray], mask: int, like: ClosedJaxpr) -> ClosedJaxpr:
    invars = [Var(a) for a in avals]
    jaxpr = like.jaxpr.replace(
        constvars=[], invars=invars, outvars=[invars[mask]], eqns=[]
    )
    return ClosedJaxpr(jaxpr, [])


def _unmasked(body: ClosedJaxpr, num_consts: int, mask: int) -> ClosedJaxpr:
    """The body of a lane that is going, for one that does nothing where it is not.

    That is: the next mask is `and` of the mask, and other carries are selects by it.
    """
    jaxpr = body.jaxpr
    defs = {v: e for e in jaxpr.eqns for v in e.outvars}
    carries = jaxpr.invars[num_consts:]
    going = carries[mask]

    def is_mask(atom: Atom) -> bool:
        eqn = defs.get(atom) if type(atom) is not Literal else None
        if eqn is not None and eqn.primitive.name == "broadcast_in_dim":
            atom = eqn.invars[0]
        return atom is going

    sub = Substitution()
    for i, (atom, carry) in enumerate(zip(jaxpr.outvars, carries)):
        eqn = defs.get(atom) if type(atom) is not Literal else None
        if atom is carry and i != mask:
            continue
        if eqn is None:
            raise Mixed("a lane that is done and changes")
        name = eqn.primitive.name
        if i == mask:
            others = [v for v in eqn.invars if v is not going]
            if name != "and" or len(others) != 1:
                raise Mixed("a lane that starts again")
            sub.env[atom] = others[0]
        else:
            which, *cases = eqn.invars
            if name != "select_n" or not is_mask(which) or cases[0] is not carry:
                raise Mixed("a lane that is done and changes")
            sub.env[atom] = cases[1]
    eqns = [e.replace(invars=sub.atoms(e.invars)) for e in jaxpr.eqns]
    jaxpr = jaxpr.replace(eqns=eqns, outvars=sub.atoms(jaxpr.outvars))
    return dce(ClosedJaxpr(jaxpr, body.consts))


def _cond(u: _Unbatching, eqn: JaxprEqn, in_axes) -> None:
    which, *axes = in_axes
    if which is not None:
        raise Mixed("the index of a branch")
    found = [u.jaxpr(b, axes) for b in eqn.params["branches"]]
    first = found[0][1]
    if any(out_axes != first for _, out_axes in found):
        raise Mixed("branches with lanes along different axes")
    branches = tuple(closed for closed, _ in found)
    u.emit(eqn, first, {**eqn.params, "branches": branches})


Rule = Callable[[_Unbatching, JaxprEqn, list[Any]], None]
_RULES: dict[str, Rule] = {
    **dict.fromkeys(REDUCE_NAMES, _reduce),
    "reshape": _reshape,
    "transpose": _transpose,
    "squeeze": _squeeze,
    "slice": _slice,
    "dynamic_slice": _dynamic_slice,
    "rev": _rev,
    "concatenate": _concatenate,
    "pad": _pad,
    "dot_general": _dot_general,
    "scan": _scan,
    "while": _while,
    "cond": _cond,
}
