"""Program: a jaxpr as a flat list of kernel runs and library calls.

Values that only this program sees lie in an arena, at offsets of the static memory
plan. A call takes a frame (an arena and a list of slots) from the pool, or makes one:
calls may overlap. Results are fresh arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxlike.backends.numba import blas
from jaxlike.backends.numba.steps import build_steps, native_kernel
from jaxlike.backends.plan.access import is_layout
from jaxlike.backends.plan.equations import lower_equation
from jaxlike.backends.plan.lane_regions import lane_regions
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.memory import CALLBACKS, FRESH, plan_memory
from jaxlike.backends.plan.prepare import prepare
from jaxlike.backends.plan.schedule import Schedule, with_stored_outputs
from jaxlike.core import buffers, recording
from jaxlike.core.dtypes import storage_dtype
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import ClosedJaxpr, JaxprEqn, Literal, Var, literal_buffer
from jaxlike.core.trace import ignore_float_errors, restore_float_errors

if TYPE_CHECKING:
    from jaxlike.backends.numba.profile import ProfiledProgram
    from jaxlike.backends.plan.report import Plan

# How a result becomes the caller's: as it is; copied, because it lies in memory of the
# program or of the caller (who may write to a NumPy array later); or that, if it does.
AS_IS, COPY, CHECK = range(3)


class Program:
    """A compiled jaxpr: `program(buffers) -> buffers`."""

    def __init__(
        self,
        closed: ClosedJaxpr,
        name: str,
        *,
        body: bool = False,
        stored: bool = False,
        donated: Sequence[bool] = (),
    ):
        """body: for a loop, whose results may share memory with its operands; stored:
        rather, each has memory of its own. donated: the operands whose memory results
        may take over, if nothing else refers to it."""
        self.name = name
        self._body = body
        self.closed = prepare(closed)
        if not body:
            self.closed = lane_regions(self.closed)
        if stored:
            self.closed = with_stored_outputs(self.closed)
        self.jaxpr = self.closed.jaxpr
        self._profiled: ProfiledProgram | None = None
        self._slots: dict[Any, int] = {}
        self._constants: dict[int, np.ndarray] = {}
        self._plan([v for v, d in zip(self.jaxpr.invars, donated) if d])

    # --- planning

    def _plan(self, donated: list[Var]) -> None:
        jaxpr = self.jaxpr
        schedule = Schedule(jaxpr, self.name, lower_equation)
        self.fusion, self.schedule = schedule.fusion, schedule.steps
        self.stored = schedule.stored
        self.memory = plan_memory(schedule.steps, jaxpr, donated)
        # values that somebody takes as arrays, other than kernels
        calls = [s.invars for s in schedule.steps if isinstance(s, JaxprEqn)]
        named = [v for vs in (*calls, jaxpr.outvars) for v in vs]
        self.wanted = {v for v in named if type(v) is not Literal}
        for v in (*jaxpr.constvars, *jaxpr.invars):
            self.slot(v)
        for v, value in zip(jaxpr.constvars, self.closed.consts):
            self._constants[self._slots[v]] = np.asarray(value)
        self._lay_out_arena()
        places = {v: i for i, v in enumerate(jaxpr.invars)}
        given = self.memory.given.items()
        self._spares = [(self.spare_slot(v), places[x]) for v, x in given]
        self.steps = build_steps(self)
        self.in_slots = [self._slots[v] for v in jaxpr.invars]
        self.outs = [self._output(v) for v in jaxpr.outvars]
        self._frames: list[list[Any]] = []
        self._finish_slots()
        self._direct = self._make_direct()
        self._set_blas_threads = blas.setter_for(
            item for item in self.schedule if isinstance(item, JaxprEqn)
        )

    def slot(self, var: Var) -> int:
        """Where a frame holds a value's array."""
        home = self.memory.home_of(var)
        if home is not var and _same_type(home, var):
            var = home
        return self._slots.setdefault(var, len(self._slots))

    def spare_slot(self, var: Var) -> int:
        """Where a frame holds the memory that was given for a result, if it was."""
        return self._slots.setdefault(("spare", var), len(self._slots))

    def constant_slot(self, value: np.ndarray) -> int:
        """A slot that holds `value` in every call."""
        slot = self.slot(Var(None))  # type: ignore[arg-type]
        self._constants[slot] = value
        return slot

    def _output(self, atom) -> tuple[int, int]:
        """(slot, how the array there becomes the caller's own: AS_IS, COPY, CHECK)."""
        if type(atom) is Literal:
            value = np.broadcast_to(literal_buffer(atom), atom.aval.shape)
            return self.constant_slot(np.array(value)), COPY
        slot = self.slot(atom)
        if atom in self.stored:
            return slot, AS_IS
        eqn = self.fusion.defs.get(atom)
        if eqn is not None and is_layout(eqn):
            return slot, COPY
        if self._body:
            return slot, AS_IS
        if eqn is None:
            return slot, COPY
        if eqn.primitive.name in CALLBACKS:
            return slot, COPY
        call = any(eqn is step for step in self.schedule)
        return slot, CHECK if call and eqn.primitive.name not in FRESH else AS_IS

    # --- running

    def _make_direct(self) -> Callable | None:
        """One native call for the whole program, where it is nothing else."""
        if len(self.steps) != 1 or self._constants or self.arena_bytes:
            return None
        bind = getattr(self.steps[0], "direct", None)
        if bind is None or any(how != AS_IS for _, how in self.outs):
            return None
        return bind(self.in_slots, [slot for slot, _ in self.outs])

    def __call__(self, args: Sequence[np.ndarray]) -> list[np.ndarray]:
        if recording.active is not None and recording.active.programs:
            return self.profiled().run(args, recording.active)[0]
        if self._direct is not None:
            return self._direct(args)
        frames = self._frames
        try:
            env = frames.pop()
        except IndexError:
            env = self._new_frame()
        for slot, i in self._spares:
            env[slot] = args[i] if buffers.sole(args[i], 2) else None
        for slot, arg in zip(self.in_slots, args):
            env[slot] = arg
        if self._leased:
            self._lay_out(env)
        token = ignore_float_errors()
        threads = self._set_blas_threads
        before = threads(1) if threads is not None else 0
        try:
            for step in self.steps:
                step(env)
        except Exception as error:
            add_place(error, getattr(step, "eqn", None))
            raise
        finally:
            if threads is not None:
                threads(before)
            restore_float_errors(token)
        outs = [
            env[slot] if how == AS_IS else _own(env[slot], how, args)
            for slot, how in self.outs
        ]
        for slot in self._cleared:
            env[slot] = None
        if len(frames) < 4:
            frames.append(env)
        return outs

    def _new_frame(self) -> list[Any]:
        env: list[Any] = [None] * self.num_slots
        for slot, value in self._constants.items():
            env[slot] = value
        if self.arena_bytes and not self._leased:
            self._lay_out(env)
        return env

    def _lay_out(self, env: list[Any]) -> None:
        """Put an arena into a frame, and the arrays in it that calls read."""
        env[self.arena_slot] = arena = buffers.aligned(self.arena_bytes)
        for slot, shape, dtype, offset in self.arena_views:
            env[slot] = np.ndarray(shape, dtype, arena, offset)

    def _lay_out_arena(self) -> None:
        memory = self.memory
        self.arena_bytes = memory.arena_bytes
        self.arena_slot = self.slot(Var(None))  # type: ignore[arg-type]
        self.arena_views = [
            (self.slot(v), v.aval.shape, storage_dtype(v.aval.dtype), memory.offset(v))
            for v in self.wanted
            if memory.offset(v) is not None
        ]
        # a large arena is the program's for the time of a call only
        self._leased = self.arena_bytes >= buffers.POOLED

    def _finish_slots(self) -> None:
        self.num_slots = len(self._slots)
        kept = {*self._constants}
        if not self._leased:
            kept |= {self.arena_slot, *(slot for slot, *_ in self.arena_views)}
        self._cleared = [s for s in range(self.num_slots) if s not in kept]

    # --- looking inside

    def profiled(self) -> ProfiledProgram:
        """The program as steps that are timed one by one."""
        from jaxlike.backends.numba.profile import ProfiledProgram

        if self._profiled is None:
            self._profiled = ProfiledProgram(self)
        return self._profiled

    def plan(self) -> Plan:
        """Its steps, for people."""
        from jaxlike.backends.plan.report import Plan, step_of

        steps = tuple(map(step_of, self.schedule))
        return Plan(self.name, steps, self.arena_bytes)

    @property
    def donated_bytes(self) -> int:
        """Bytes of results that lie in the memory of donated arguments."""
        return self.memory.given_bytes

    @property
    def kernels(self) -> list[Lowered]:
        return [s for s in self.memory.steps if isinstance(s, Lowered)]

    def as_text(self, dialect: str | None = None) -> str:
        """The program: each kernel's loop nest, each call's equation, in order.

        dialect: "llvm" or "asm" for the kernels as LLVM IR or this machine's assembly.
        """
        if dialect is not None:
            return self._code(dialect)
        names: dict[Var, str] = {}

        def name(v) -> str:
            if type(v) is Literal:
                return repr(v.val)
            return names.setdefault(v, f"v{len(names)}") + f":{v.aval}"

        ins = ", ".join(name(v) for v in self.jaxpr.invars)
        lines = [
            f"program {self.name}({ins}): {len(self.kernels)} kernels, "
            f"{len(self.memory.steps) - len(self.kernels)} calls, "
            f"{self.arena_bytes} bytes of temporaries"
        ]
        for step in self.memory.steps:
            outs = step.outputs if isinstance(step, Lowered) else step.outvars
            reads = step.inputs if isinstance(step, Lowered) else step.invars
            made, read = (", ".join(map(name, vs)) for vs in (outs, reads))
            what = "kernel" if isinstance(step, Lowered) else step.primitive.name
            lines.append(f"{made} = {what}({read})")
            if isinstance(step, Lowered):
                lines += ["    " + line for line in str(step.kernel).split("\n")]
        lines.append("return " + ", ".join(name(v) for v in self.jaxpr.outvars))
        return "\n".join(lines)

    def _code(self, dialect: str) -> str:
        from jaxlike.backends.numba.engine import compile_kernels

        kernels = [native_kernel(low.kernel) for low in self.kernels]
        unique = {k.kernel.key: k for k in compile_kernels(kernels)}.values()
        if dialect == "llvm":
            return "\n".join(k.source for k in unique)
        if dialect == "asm":
            return "\n".join(k.assembly() for k in unique)
        raise ValueError(
            format_error(
                f"a compiled program has no dialect {dialect!r}",
                try_='None for loop nests, "llvm" for LLVM IR, "asm" for assembly',
            )
        )


def add_place(error: Exception, eqn: JaxprEqn | None) -> None:
    """Say in an error from a call which equation it was, from which of the user's
    lines; the innermost one, where calls lie inside of calls."""
    notes = getattr(error, "__notes__", ())
    if eqn is None or any("while running" in note for note in notes):
        return
    from jaxlike.core.source_info import summarize

    error.add_note(f"while running {eqn.primitive.name}, {summarize(eqn.source_info)}")


class NativeBody(NamedTuple):
    """A loop's body that is one run list: where its operands and results stand.

    ins, outs: slots in the table of pointers (-1: not read). views: (slot, offset in
    the arena). unused: a slot that nothing reads. in_place: the carries, by number,
    whose next value is written over the one before.
    """

    program: int
    num_slots: int
    ins: list[int]
    outs: list[int]
    views: list[tuple[int, int]]
    arena_bytes: int
    unused: int
    in_place: frozenset[int]
    keep: Any


def native_body(
    closed: ClosedJaxpr, first_carry: int = 0, num_carry: int = 0
) -> NativeBody | None:
    """A jaxpr as a NativeBody; None if it is more than kernels on arrays of its own.

    Operands from first_carry on are the carries, the results before num_carry their
    next values.
    """
    return closed.memo(
        f"numba native body {first_carry} {num_carry}",
        lambda: _native_body(closed, first_carry, num_carry),
    )


def _native_body(
    closed: ClosedJaxpr, first_carry: int, num_carry: int
) -> NativeBody | None:
    if closed.consts or closed.jaxpr.effects:
        return None
    program, in_place = _in_place(closed, first_carry, num_carry)
    if len(program.steps) != 1 or program._constants:
        return None
    bind = getattr(program.steps[0], "native_body", None)
    if bind is None or any(how != AS_IS for _, how in program.outs):
        return None
    found = bind(program.in_slots, [slot for slot, _ in program.outs])
    if found is None:
        return None
    run, arrays, ins, outs, views = found
    if any(k.scratch for k in run.kernels):
        return None  # large reductions, in stages with memory of their own
    # the arena's own slot is not set: its views are, absolutely
    return NativeBody(
        run._layout.address,
        arrays + len(views) + 1,
        ins,
        outs,
        [(arrays + i, offset) for i, (_, offset) in enumerate(views)],
        program.arena_bytes,
        arrays + len(views),
        in_place,
        program,
    )


def _in_place(
    closed: ClosedJaxpr, first: int, count: int
) -> tuple[Program, frozenset[int]]:
    """The program of a loop's body, and the carries whose memory it writes to."""
    offered = set(range(count))
    while True:
        donated = [i - first in offered for i in range(len(closed.jaxpr.invars))]
        program = Program(closed, "body", body=True, stored=True, donated=donated)
        memory, jaxpr = program.memory, program.jaxpr
        taken = {
            i
            for i, v in enumerate(jaxpr.outvars[:count])
            if memory.given.get(memory.home_of(v)) is jaxpr.invars[first + i]
        }
        if len(taken) == len(memory.given):
            return program, frozenset(taken)
        # some carry is written over another one
        offered = taken if taken < offered else set()


def _own(out: np.ndarray, how: int, args: Sequence[np.ndarray]) -> np.ndarray:
    if how == CHECK and not any(np.may_share_memory(out, x) for x in args):
        return out
    return buffers.copy(out)


def _same_type(a: Var, b: Var) -> bool:
    return a.aval.shape == b.aval.shape and a.aval.dtype == b.aval.dtype
