"""Batched loops lane by lane: a grid of lanes, each a loop of its own in registers.

A loop that treats the entries along an axis alike and apart (vmap makes such loops, and
so does arithmetic on arrays of equal shape) is cut into lanes (unbatch.py). A lane
stops by itself; machine vectors hold many of them.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

from jaxlike.backends.plan.access import Resolver, strides, whole
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.ir import Index
from jaxlike.backends.plan.loops import TINY, Writer, check_size
from jaxlike.backends.plan.loops_inline import Place, Registers, Scattered, Unsupported
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.ops import DTYPES
from jaxlike.backends.plan.unbatch import Mixed, lane_of
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import Atom, JaxprEqn, Literal, Var, literal_buffer

MIN_LANES = 8


class _Array(NamedTuple):
    """An operand or a result: where its elements are, along axes not yet cut.

    base: a variable, or a number everywhere. terms: steps along the axes of lanes.
    """

    base: Atom
    const: int
    steps: list[int]
    terms: list[int]

    def cut(self, axis: int | None) -> None:
        self.terms.append(0 if axis is None else self.steps.pop(axis))

    def place(self, k: KernelBuilder, buffers: dict[Var, int], aval) -> Place:
        """The array of one lane (in one turn, the first, along an axis of turns)."""
        if aval.size > TINY:
            raise Unsupported("large lanes")
        if type(self.base) is Literal:
            value = k.const(literal_buffer(self.base), aval.dtype)
            return Registers((value,) * aval.size)
        steps = self.steps[len(self.steps) - len(aval.shape) :]
        offsets = tuple(
            sum(i * step for i, step in zip(index, steps))
            for index in itertools.product(*map(range, aval.shape))
        )
        index = Index.of(dict(zip(k.indices, self.terms)), self.const)
        return Scattered(buffers[self.base], index, offsets)


def _array(atom: Atom, resolver: Resolver) -> _Array:
    if atom.aval.dtype not in DTYPES or atom.aval.size == 0:
        raise Unsupported("dtype or size")
    access = whole(atom, resolver, literals=True)
    if access is None:
        return _Array(atom, 0, list(strides(atom.aval.shape)), [])
    return _Array(access.base, access.address.const, list(access.address.coefs), [])


def lower_lanes(eqn: JaxprEqn, resolver: Resolver) -> Lowered:
    """One kernel over the lanes of a scan or while.

    Raises: Unsupported if there are none, or they are not tiny.
    """
    arrays = [_array(v, resolver) for v in eqn.invars]
    results = [_Array(v, 0, list(strides(v.aval.shape)), []) for v in eqn.outvars]
    if any(v.aval.dtype not in DTYPES or v.aval.size == 0 for v in eqn.outvars):
        raise Unsupported("dtype or size")
    grid: list[int] = []
    lane = eqn
    while not grid or _largest(lane) > TINY:
        size = _lanes(lane)
        if size < MIN_LANES:
            raise Unsupported("few lanes")
        try:
            lane, in_axes, out_axes = lane_of(lane, size)
        except Mixed as reason:
            raise Unsupported from reason
        if all(axis is None for axis in out_axes):
            raise Unsupported("no lanes")
        for array, axis in zip([*arrays, *results], [*in_axes, *out_axes]):
            array.cut(axis)
        grid.append(size)
    k = KernelBuilder(grid)
    inputs = dict.fromkeys(a.base for a in arrays if type(a.base) is not Literal)
    buffers = {v: k.input(v.aval.dtype, v.aval.shape) for v in inputs}
    buffers |= {v: k.output(v.aval.dtype, v.aval.shape) for v in eqn.outvars}
    ins, outs = _each_turn(lane)
    given = [a.place(k, buffers, aval) for a, aval in zip(arrays, ins)]
    targets = [a.place(k, buffers, aval) for a, aval in zip(results, outs)]
    writer = Writer(k)
    if lane.primitive.name == "scan":
        carry = lane.params["num_carry"]
        n = lane.params["num_consts"] + carry
        steps = [a.steps[0] for a in arrays[n:]], [a.steps[0] for a in results[carry:]]
        writer.scan(lane, given, targets, steps)
    else:
        writer.equation(lane, given, targets)
    kernel = k.finish(eqn.primitive.name)
    if any(b.role == "local" for b in kernel.buffers):
        raise Unsupported("lanes with memory of their own")
    check_size(kernel)
    return Lowered(kernel, list(inputs), list(eqn.outvars))


def _each_turn(lane: JaxprEqn) -> tuple[list[ShapedArray], list[ShapedArray]]:
    """The types of operands and results, xs and ys as a turn has them."""
    if lane.primitive.name == "scan":
        body = lane.params["jaxpr"]
        return body.in_avals, body.out_avals
    return [v.aval for v in lane.invars], [v.aval for v in lane.outvars]


def _largest(lane: JaxprEqn) -> int:
    return max(a.size for avals in _each_turn(lane) for a in avals)


def _lanes(eqn: JaxprEqn) -> int:
    """The length of the axis that may be one of lanes: of carries, of results."""
    ins, outs = _each_turn(eqn)
    names = ("num_consts", "cond_nconsts", "body_nconsts")
    ins = ins[sum(eqn.params.get(name, 0) for name in names) :]
    if eqn.primitive.name == "cond":
        ins = ()
    return next((a.shape[0] for a in (*ins, *outs) if a.shape), 0)
