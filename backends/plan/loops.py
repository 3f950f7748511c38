"""scan, while and cond of small arrays as single kernels, whatever their bodies hold.

The body's kernels are written into the loop (loops_inline.py), loops inside loops too.
Tiny carries are registers; larger ones lie in local buffers: a turn reads the one,
writes the other, and copies it back. xs are read and ys written in place, at addresses
that move with the loop's index. What is too large, or not kernels alone, gives None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxlike.backends.plan.access import Resolver, strides, whole
from jaxlike.backends.plan.branches import branch_selects
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.clusters import is_elementwise, op_name
from jaxlike.backends.plan.ir import (
    Index,
    Kernel,
    Loop,
    Op,
    Stmt,
    Value,
    blocks,
)
from jaxlike.backends.plan.library import lower_library
from jaxlike.backends.plan.loops_inline import (
    Memory,
    Place,
    Registers,
    Unsupported,
    copy,
    inline,
    local,
    shifted,
    to_memory,
    to_registers,
)
from jaxlike.backends.plan.loops_products import lower_small_product
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.moves import lower_concatenate
from jaxlike.backends.plan.ops import DTYPES, INDEX, OPS
from jaxlike.backends.plan.prepare import prepare
from jaxlike.backends.plan.schedule import Schedule, with_stored_outputs
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import (
    Atom,
    ClosedJaxpr,
    Jaxpr,
    JaxprEqn,
    Literal,
    Var,
    jaxprs_in_params,
    literal_buffer,
)

TINY = 8
"""Elements of an array up to which it is kept in registers."""
MAX_ELEMENTS = 4096
"""Elements of any array in a body."""
MAX_EQUATIONS = 512
MAX_PIECES = 64
MAX_LOCAL = 1 << 16
"""Bytes of local buffers."""
MAX_CODE = 6000
"""Rough instructions of a kernel: beyond, compiling takes too long."""

LONG = 1 << 24
"""Scalar operations of a loop, roughly, from which one must be able to stop it."""

DEAR = 100
"""The cost (ops.OpSpec.cost) of a case of a select that is better not computed."""

LOOPS = ("scan", "while", "cond")


def lower_loop(eqn: JaxprEqn, resolver: Resolver) -> Lowered:
    """One kernel that runs a whole scan or while.

    Raises: Unsupported if it is not small, or not kernels alone.
    """
    if any(v.aval.dtype not in DTYPES or v.aval.size == 0 for v in eqn.outvars):
        raise Unsupported("dtype or size")
    k = KernelBuilder(())
    operands = [_Operand(v, resolver) for v in eqn.invars]
    buffers: dict[Var, int] = {}
    for operand in operands:
        base = operand.base
        if base is not None and base not in buffers:
            buffers[base] = k.input(base.aval.dtype, base.aval.shape)
    targets = [
        Memory(k.output(v.aval.dtype, v.aval.shape), Index()) for v in eqn.outvars
    ]
    writer = Writer(k)
    writer.equation(eqn, [o.place(k, buffers) for o in operands], targets)
    kernel = k.finish(eqn.primitive.name)
    check_size(kernel)
    return Lowered(kernel, list(buffers), list(eqn.outvars))


def check_size(kernel: Kernel) -> None:
    """Raise Unsupported for a kernel that is too large."""
    if sum(b.nbytes for b in kernel.buffers if b.role == "local") > MAX_LOCAL:
        raise Unsupported("too much memory")
    if _code(kernel.body) > MAX_CODE:
        raise Unsupported("too much code")


def _code(body: Sequence[Stmt]) -> int:
    total = 0
    for s in body:
        if isinstance(s, Op):
            total += 1 + 2 * OPS[s.name].cost
        else:
            total += 2 + sum(map(_code, blocks(s)))
            total += 8 * isinstance(s, Loop)
    return total


class _Operand:
    """An operand of the whole loop: one number everywhere, or an array in memory."""

    def __init__(self, atom: Atom, resolver: Resolver):
        self.aval = aval = atom.aval
        if aval.dtype not in DTYPES or aval.size == 0:
            raise Unsupported("dtype or size")
        access = whole(atom, resolver, literals=True)
        self.base: Var | None = None
        self.fill = self.offset = None
        if access is not None and type(access.base) is Literal:
            self.fill = literal_buffer(access.base)
            if self.fill.size != 1:
                raise Unsupported("a literal array")
            return
        in_order = access is not None and all(
            n == 1 or coef == step
            for n, coef, step in zip(
                aval.shape, access.address.coefs, strides(aval.shape)
            )
        )
        if in_order:
            self.base, self.offset = access.base, access.address.const
        else:
            self.base, self.offset = atom, 0

    def place(self, k: KernelBuilder, buffers: dict[Var, int]) -> Place:
        if self.fill is not None:
            value = k.const(self.fill.reshape(()), self.aval.dtype)
            if self.aval.size > MAX_ELEMENTS:
                raise Unsupported("a large constant")
            return Registers((value,) * self.aval.size)
        return Memory(buffers[self.base], Index(self.offset))


# --- bodies


class _Body(NamedTuple):
    """A body's steps: kernels, and loops and branches inside. work: operations."""

    closed: ClosedJaxpr
    steps: list[Lowered | JaxprEqn]
    work: int


def _body(closed: ClosedJaxpr) -> _Body:
    found = closed.memo("loop body", lambda: _planned(closed))
    if found is None:
        raise Unsupported("the body")
    return found


def _planned(closed: ClosedJaxpr) -> _Body | None:
    if closed.jaxpr.effects:
        return None
    closed = branch_selects(prepare(closed), is_dear)
    jaxpr = closed.jaxpr
    if len(jaxpr.eqns) > MAX_EQUATIONS:
        return None
    made = [v for e in jaxpr.eqns if e.primitive.name not in LOOPS for v in e.outvars]
    for v in (*jaxpr.constvars, *made, *jaxpr.outvars):
        if v.aval.dtype not in DTYPES or not 0 < v.aval.size <= MAX_ELEMENTS:
            return None
    closed = with_stored_outputs(closed)
    schedule = Schedule(closed.jaxpr, "body", _lower_inside)
    known = {*LOOPS, "reshape", "squeeze", "broadcast_in_dim", "iota", "copy", "copy_p"}
    for step in schedule.steps:
        if isinstance(step, JaxprEqn):
            if step.primitive.name not in known:
                return None
        elif not isinstance(step.kernel, Kernel):
            return None
    return _Body(closed, schedule.steps, _work(closed.jaxpr))


def is_dear(eqns: Sequence[JaxprEqn]) -> bool:
    """Whether a branch costs more than what computing and selecting saves."""
    cost = 0
    for eqn in eqns:
        if any(True for _ in jaxprs_in_params(eqn.params)):
            return True
        if is_elementwise(eqn):
            cost += OPS[op_name(eqn)].cost * eqn.outvars[0].aval.size
    return cost > DEAR


def _work(jaxpr: Jaxpr) -> int:
    """Scalar operations, roughly."""
    total = 0
    for eqn in jaxpr.eqns:
        inner = sum(map(_work, jaxprs_in_params(eqn.params)))
        own = max(v.aval.size for v in (*eqn.outvars, *eqn.invars))
        total += inner * eqn.params.get("length", 1) or own
    return total


def _lower_inside(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    name = eqn.primitive.name
    if name in LOOPS:
        return None
    if name == "dot_general":
        return lower_small_product(eqn, resolver)
    if name == "concatenate":
        return lower_concatenate(eqn, resolver, MAX_PIECES)
    return lower_library(eqn, resolver)


class Writer:
    """Writes equations into a kernel. Arrays are places, of which the size of the
    variable and its dtype are known."""

    def __init__(self, k: KernelBuilder):
        self.k = k

    def body(
        self, body: _Body, given: Sequence[Place], targets: Sequence[Memory | None]
    ) -> list[Place]:
        """Run a body on places. targets: where results larger than TINY are wanted."""
        k, jaxpr = self.k, body.closed.jaxpr
        env: dict[Var, Place] = dict(zip(jaxpr.invars, given, strict=True))
        for v, value in zip(jaxpr.constvars, body.closed.consts):
            flat = np.asarray(value).reshape(-1)
            if flat.size > 4 * TINY:
                raise Unsupported("a constant array")
            env[v] = Registers(tuple(k.const(x, v.aval.dtype) for x in flat))
        wanted = dict(zip(jaxpr.outvars, targets, strict=True))
        for step in body.steps:
            made = step.outputs if isinstance(step, Lowered) else step.outvars
            places = [env.get(v) or self._fresh(v, wanted.get(v)) for v in made]
            if isinstance(step, Lowered):
                ins = [self._read(env, v) for v in step.inputs]
                found = inline(k, step.kernel, [*ins, *places])
                env.update(zip(step.inputs, found))
                env.update(zip(made, found[len(ins) :]))
            else:
                ins = [self._read(env, v) for v in step.invars]
                outs = [p if isinstance(p, Memory) else None for p in places]
                env.update(zip(made, self.equation(step, ins, outs)))
        return [env[v] for v in jaxpr.outvars]

    def _fresh(self, v: Var, target: Memory | None) -> Place:
        if v.aval.size <= TINY:
            return Registers((None,) * v.aval.size)
        return target or local(self.k, v.aval.dtype, v.aval.size)

    def _read(self, env: dict[Var, Place], atom: Atom) -> Place:
        if type(atom) is not Literal:
            return env[atom]
        flat = np.broadcast_to(literal_buffer(atom), atom.aval.shape).reshape(-1)
        return Registers(tuple(self.k.const(x, atom.aval.dtype) for x in flat))

    # --- equations

    def equation(
        self, eqn: JaxprEqn, given: list[Place], targets: Sequence[Memory | None]
    ) -> list[Place]:
        """Run an equation; results have a place in targets if they are not tiny."""
        name = eqn.primitive.name
        if name == "scan":
            return self.scan(eqn, given, targets)
        if name == "while":
            return self.while_loop(eqn, given, targets)
        if name == "cond":
            return self.cond(eqn, given, targets)
        return [self.layout(eqn, given, *targets)]

    def layout(self, eqn: JaxprEqn, given: list[Place], target) -> Place:
        """Layout equations that are not read through: in the order of the operand."""
        out = eqn.outvars[0].aval
        if eqn.primitive.name == "iota":
            axis = eqn.params["dimension"]
            step = strides(out.shape)[axis]
            numbers = np.arange(out.size) // step % out.shape[axis]
            values = [self.k.const(n, out.dtype) for n in numbers]
            return self._deliver(Registers(tuple(values)), target, out)
        (place,) = given
        if eqn.invars[0].aval.size != out.size:  # one number everywhere
            (value,) = to_registers(self.k, place, 1).values
            place = Registers((value,) * out.size)
        return self._deliver(place, target, out)

    def _deliver(self, place: Place, target: Memory | None, aval) -> Place:
        """The place, after a copy to the target if there is one."""
        if target is None:
            return place if aval.size > TINY else to_registers(self.k, place, aval.size)
        copy(self.k, place, target, aval.size)
        return target

    # --- loops

    def scan(self, eqn, given, targets, steps=None) -> list[Place]:
        """steps: elements from one turn to the next, of xs and of ys."""
        k, params = self.k, eqn.params
        length, reverse = params["length"], params["reverse"]
        num_consts, num_carry = params["num_consts"], params["num_carry"]
        if length == 0:
            raise Unsupported("no turns")
        body = _body(params["jaxpr"])
        avals = params["jaxpr"].in_avals
        first_x = num_consts + num_carry
        consts = self._constants(given[:num_consts], avals)
        xs = [
            _stream(k, place, a) for place, a in zip(given[first_x:], avals[first_x:])
        ]
        state = _State(k, given[num_consts:first_x], avals[num_consts:first_x])
        out_avals = params["jaxpr"].out_avals
        ys_avals = out_avals[num_carry:]
        ys = [
            target or local(k, a.dtype, length * a.size)
            for target, a in zip(targets[num_carry:], ys_avals)
        ]

        x_steps, y_steps = steps or (
            [a.size for a in avals[first_x:]],
            [a.size for a in ys_avals],
        )

        def turn(i: Value, carries: Sequence[Value]) -> list[Value]:
            def now(place: Place, step: int, aval: ShapedArray) -> Place:
                if isinstance(place, Registers):  # one number everywhere
                    return Registers(place.values[: aval.size])
                start = (length - 1) * step if reverse else 0
                step = -step if reverse else step
                return place._replace(index=shifted(place.index, {i: step}, start))

            x_now = [*map(now, xs, x_steps, avals[first_x:])]
            x_now = self._constants(x_now, avals[first_x:])
            y_now = [*map(now, ys, y_steps, ys_avals)]
            outs = self.body(
                body,
                [*consts, *state.places(carries), *x_now],
                [*state.following, *y_now],
            )
            for place, target, a in zip(outs[num_carry:], y_now, ys_avals):
                copy(k, place, target, a.size)
            return state.turn(outs[:num_carry])

        carried = self._counted(length, state.inits, turn, length * body.work)
        return [
            *self._finish(state, carried, targets, out_avals),
            *(self._deliver(y, y, v.aval) for y, v in zip(ys, eqn.outvars[num_carry:])),
        ]

    def _counted(self, length: int, inits, turn, work: int) -> list[Value]:
        """A loop of known length; turn: (index, carries) to the next carries."""
        k = self.k
        if work < LONG:
            with k.loop(length, inits, sequential=True) as loop:
                loop.next(*turn(loop.index, loop.carries))
            return loop.carried
        # a while, which lets Python handle signals
        scope = k.while_loop([k.const(0, INDEX), *inits])
        i, *carries = scope.carries
        with scope.cond:
            scope.cond.give(k.op("lt", i, k.const(length, INDEX)))
        with scope.body:
            following = turn(i, carries)
            scope.body.give(k.op("add", i, k.const(1, INDEX)), *following)
        return scope.close()[1:]

    def _finish(self, state: _State, carried, targets, avals) -> list[Place]:
        return [
            self._deliver(place, target, aval)
            for place, target, aval in zip(state.places(carried), targets, avals)
        ]

    def _constants(self, places: Sequence[Place], avals) -> list[Place]:
        """Tiny arrays in registers, loaded once for all turns or branches."""
        return [
            to_registers(self.k, place, a.size) if a.size <= TINY else place
            for place, a in zip(places, avals)
        ]

    def while_loop(self, eqn, given, targets) -> list[Place]:
        k, params = self.k, eqn.params
        num_cond, num_body = params["cond_nconsts"], params["body_nconsts"]
        test, body = _body(params["cond_jaxpr"]), _body(params["body_jaxpr"])
        avals = [v.aval for v in eqn.invars]
        first = num_cond + num_body
        consts = self._constants(given[:first], avals)
        state = _State(k, given[first:], avals[first:])
        scope = k.while_loop(state.inits)
        with scope.cond:
            places = [*consts[:num_cond], *state.places(scope.carries)]
            (holds,) = self.body(test, places, [None])
            scope.cond.give(*to_registers(k, holds, 1).values)
        with scope.body:
            places = [*consts[num_cond:], *state.places(scope.carries)]
            outs = self.body(body, places, state.following)
            scope.body.give(*state.turn(outs))
        return self._finish(state, scope.close(), targets, avals[first:])

    def cond(self, eqn, given, targets) -> list[Place]:
        branches = [_body(b) for b in eqn.params["branches"]]
        avals = [v.aval for v in eqn.outvars]
        (which,) = to_registers(self.k, given[0], 1).values
        ends: list[Memory | None] = [
            None if a.size <= TINY else target or local(self.k, a.dtype, a.size)
            for target, a in zip(targets, avals)
        ]
        operands = self._constants(given[1:], branches[0].closed.in_avals)
        values = self._branch(which, branches, operands, ends, avals)
        found = iter(values)
        return [
            self._deliver(
                end or Registers(tuple(next(found) for _ in range(a.size))), target, a
            )
            for end, target, a in zip(ends, targets, avals)
        ]

    def _branch(self, which, branches, given, ends, avals) -> list[Value]:
        """The values of the tiny results; the others are stored at their ends."""
        k = self.k
        *others, last = branches
        if not others:
            outs = self.body(last, given, ends)
            values = []
            for place, end, a in zip(outs, ends, avals):
                if end is None:
                    values += to_registers(k, place, a.size).values
                else:
                    copy(k, place, end, a.size)
            return values
        scope = k.cond(k.op("ge", which, k.const(len(others), k.dtypes[which])))
        with scope.then:
            scope.then.give(*self._branch(which, [last], given, ends, avals))
        with scope.orelse:
            scope.orelse.give(*self._branch(which, others, given, ends, avals))
        return scope.close()


def _stream(k: KernelBuilder, place: Place, aval: ShapedArray) -> Place:
    """xs as the turns of a loop can read them: each is an `aval`."""
    if not isinstance(place, Registers):
        return place
    if len(set(place.values)) == 1 and aval.size <= TINY:
        return place
    return to_memory(k, place, aval.dtype)


class _State:
    """The carries of a loop: in registers, or in a local buffer with one for the next.

    inits: the first values of all registers; following: where a turn writes the others.
    """

    def __init__(self, k: KernelBuilder, given: Sequence[Place], avals):
        self.k, self.avals = k, avals
        self.inits: list[Value] = []
        self.memory: list[Memory | None] = []
        self.following: list[Memory | None] = []
        for place, a in zip(given, avals):
            if a.size <= TINY:
                self.inits += to_registers(k, place, a.size).values
                self.memory.append(None)
                self.following.append(None)
                continue
            now = local(k, a.dtype, a.size)
            copy(k, place, now, a.size)
            self.memory.append(now)
            self.following.append(local(k, a.dtype, a.size))

    def places(self, values: Sequence[Value]) -> list[Place]:
        """The carries, given the values of those in registers."""
        found = iter(values)
        return [
            now or Registers(tuple(next(found) for _ in range(a.size)))
            for now, a in zip(self.memory, self.avals)
        ]

    def turn(self, outs: Sequence[Place]) -> list[Value]:
        """Make results the next carries; the values of those in registers."""
        values: list[Value] = []
        for place, now, a in zip(outs, self.memory, self.avals):
            if now is None:
                values += to_registers(self.k, place, a.size).values
            else:
                copy(self.k, place, now, a.size)
        return values
