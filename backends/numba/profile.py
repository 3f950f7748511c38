"""A program run step by step, each timed: what a trace and a measured plan show.

The steps are those of the program's schedule, kernel by kernel, on arrays of their own
in place of the arena and the runs of kernels of the fast path.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxlike.backends.numba.calls import call_of
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.report import step_of
from jaxlike.core.dtypes import storage_dtype
from jaxlike.core.jaxpr import Literal, Var, literal_buffer
from jaxlike.core.recording import Recorder
from jaxlike.core.trace import ignore_float_errors, restore_float_errors

if TYPE_CHECKING:
    from jaxlike.backends.numba.program import Program

Env = dict[Var, np.ndarray]


class _TimedStep(NamedTuple):
    run: Callable[[Env], None]
    label: str
    stats: dict[str, object]
    dead: list[Var]  # what nothing reads after it


class ProfiledProgram:
    """The steps of a program, one by one."""

    def __init__(self, program: Program):
        self.program = program
        schedule = program.schedule
        last: dict[Var, int] = {}
        for i, item in enumerate(schedule):
            names = _reads(item)
            last.update((v, i) for v in (*names, *_writes(item)))
        kept = {v for v in program.jaxpr.outvars if type(v) is not Literal}
        dying: list[list[Var]] = [[] for _ in schedule]
        for v, i in last.items():
            if v not in kept:
                dying[i].append(v)
        self.steps = [
            _TimedStep(_runner(item), _label(item), _stats(item), dead)
            for item, dead in zip(schedule, dying)
        ]

    def run(
        self, buffers: Sequence[np.ndarray], recorder: Recorder | None
    ) -> tuple[list[np.ndarray], list[float]]:
        """The results, and the seconds of each step."""
        jaxpr = self.program.jaxpr
        env: Env = dict(
            zip(jaxpr.constvars, map(np.asarray, self.program.closed.consts))
        )
        env.update(zip(jaxpr.invars, buffers, strict=True))
        seconds = []
        token = ignore_float_errors()
        begin = time.perf_counter_ns()
        try:
            for step in self.steps:
                start = time.perf_counter_ns()
                step.run(env)
                end = time.perf_counter_ns()
                seconds.append((end - start) / 1e9)
                if recorder is not None:
                    recorder.add(step.label, "step", start, end, **step.stats)
                for v in step.dead:
                    env.pop(v, None)
        finally:
            restore_float_errors(token)
        if recorder is not None:
            end = time.perf_counter_ns()
            recorder.add(f"run {self.program.name}", "program", begin, end)
        return [self._output(v, env, buffers) for v in jaxpr.outvars], seconds

    def _output(self, atom, env: Env, buffers) -> np.ndarray:
        if type(atom) is Literal:
            return np.array(np.broadcast_to(literal_buffer(atom), atom.aval.shape))
        return np.array(env[atom], order="C")


def _reads(item) -> list[Var]:
    if isinstance(item, Lowered):
        return list(item.inputs)
    return [v for v in item.invars if type(v) is not Literal]


def _writes(item) -> list[Var]:
    return list(item.outputs if isinstance(item, Lowered) else item.outvars)


def _runner(item) -> Callable[[Env], None]:
    if not isinstance(item, Lowered):
        call = call_of(item)

        def run_call(env: Env) -> None:
            args = [
                literal_buffer(v) if type(v) is Literal else env[v] for v in item.invars
            ]
            for v, out in zip(item.outvars, call(*args), strict=True):
                env[v] = np.asarray(out)

        return run_call
    from jaxlike.backends.numba.engine import compile_kernels
    from jaxlike.backends.numba.runlist import RunList
    from jaxlike.backends.numba.steps import native_kernel

    (kernel,) = compile_kernels([native_kernel(item.kernel)])
    variables = [*item.inputs, *item.outputs]
    places = {v: i for i, v in enumerate(dict.fromkeys(variables))}
    run_list = RunList([(kernel, [places[v] for v in variables])], len(places))

    def run_kernel(env: Env) -> None:
        for v in item.outputs:
            if v not in env:  # else an earlier kernel wrote to a part of it
                env[v] = np.empty(v.aval.shape, storage_dtype(v.aval.dtype))
        run_list(*[np.ascontiguousarray(env[v]) for v in places])

    return run_kernel


def _label(item) -> str:
    step = step_of(item)
    return f"{step.kind} {' '.join(step.primitives[-3:])}"


def _stats(item) -> dict[str, object]:
    step = step_of(item)
    return {
        "equations": " ".join(step.primitives),
        "bytes read": step.read,
        "bytes written": step.written,
        "flops": step.flops,
        "line": step.source,
    }
