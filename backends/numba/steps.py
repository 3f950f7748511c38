"""The steps of a program: runs of kernels in one native call, and calls in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlike.backends.numba.calls import call_of
from jaxlike.backends.numba.target import host
from jaxlike.backends.plan.access import is_layout
from jaxlike.backends.plan.ir import Kernel
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.products import Product
from jaxlike.backends.plan.sorting import Sort
from jaxlike.core import buffers
from jaxlike.core.dtypes import storage_dtype
from jaxlike.core.jaxpr import (
    JaxprEqn,
    Literal,
    Var,
    jaxprs_in_params,
    literal_buffer,
)

if TYPE_CHECKING:
    from jaxlike.backends.numba.engine import RawKernel, RawStages
    from jaxlike.backends.numba.program import Program

Env = list[Any]
Step = Callable[[Env], None]


def build_steps(program: Program) -> list[Step]:
    """Compile a program's kernels and bind its schedule into steps."""
    from jaxlike.backends.numba.engine import compile_kernels

    schedule = program.schedule
    outputs = {v for v in program.jaxpr.outvars if type(v) is not Literal}
    program.plan_memory(_lifetimes(program, outputs))
    compiled = iter(
        compile_kernels([native_kernel(low.kernel) for low in program.kernels])
    )
    steps: list[Step] = []
    run: list[tuple[Any, Lowered]] = []
    for item in schedule:
        if isinstance(item, Lowered):
            run.append((next(compiled), item))
            continue
        if run:
            steps.append(_kernel_run(program, run))
            run = []
        steps.append(_call(program, item))
    if run:
        steps.append(_kernel_run(program, run))
    return steps


def native_kernel(kernel: Kernel | Product | Sort) -> Kernel | RawKernel | RawStages:
    """What the engine compiles for a kernel of the plan."""
    if isinstance(kernel, Product):
        from jaxlike.backends.numba.tiles import product_kernel

        return product_kernel(kernel, host())
    if isinstance(kernel, Sort):
        from jaxlike.backends.numba.radix import sort_kernel

        return sort_kernel(kernel, host())
    return kernel


def _lifetimes(program: Program, outputs: set[Var]) -> dict[Var, tuple[int, int]]:
    """First and last step of each value that a kernel writes and no caller keeps.

    A view keeps what it looks at alive; results of calls allocate for themselves.
    """
    first: dict[Var, int] = {}
    last: dict[Var, int] = {}
    views: dict[Var, list[Var]] = {}
    for i, item in enumerate(program.schedule):
        if isinstance(item, Lowered):
            for v in item.outputs:
                first.setdefault(v, i)
                last[v] = i
            reads = item.inputs
        else:
            reads = [v for v in item.invars if type(v) is not Literal]
            if item.primitive.name not in FRESH:
                # the results may be views of any operand
                views.update((out, reads) for out in item.outvars)
        for v in reads:
            _touch(v, i, last, views)
    kept: set[Var] = set()
    for item in program.schedule:
        if isinstance(item, JaxprEqn) and calls_back(item):
            for v in item.invars:
                kept.update(_sources(v, views) if type(v) is not Literal else ())
    for v in outputs:
        eqn = program.fusion.defs.get(v)
        if eqn is not None and is_layout(eqn) and v not in program.stored:
            # copied at the end: until then its memory must stay
            _touch(v, len(program.schedule), last, views)
        else:
            kept.update(_sources(v, views))
    return {v: (first[v], last[v]) for v in first if v not in kept}


FRESH = frozenset(
    ("dot_general", "conv_general_dilated", "select_and_scatter_add", "sort")
    + ("scatter", "scatter-add", "scatter-mul", "scatter-min", "scatter-max")
)
"""Primitives whose results never share memory with their operands."""


def calls_back(eqn: JaxprEqn) -> bool:
    """Whether an equation hands its operands to functions of the user."""
    return eqn.primitive.name in CALLBACKS or any(
        calls_back(e) for inner in jaxprs_in_params(eqn.params) for e in inner.eqns
    )


CALLBACKS = frozenset(("pure_callback", "io_callback", "debug_callback"))


def _sources(v: Var, views: dict[Var, list[Var]]) -> set[Var]:
    """What a value may be a view of, itself included."""
    found: set[Var] = set()
    todo = [v]
    while todo:
        var = todo.pop()
        if var not in found:
            found.add(var)
            todo += views.get(var, ())
    return found


def _touch(v: Var, i: int, last: dict[Var, int], views: dict[Var, list[Var]]) -> None:
    for source in _sources(v, views):
        if source in last:
            last[source] = max(last[source], i)


def _kernel_run(program: Program, run: list[tuple[Any, Lowered]]) -> Step:
    """One native call of consecutive kernels."""
    from jaxlike.backends.numba.runlist import RunList

    arena = program.arena_offset
    arrays: list[int] = []  # slots of the arrays that a call passes
    places: dict[Var, int] = {}
    fresh: list[tuple[int, Callable[[], np.ndarray]]] = []
    checked: list[int] = []
    in_arena: list[Var] = []
    made = {v for _, low in run for v in low.outputs}
    reads = [v for _, low in run for v in low.inputs if v not in made]
    for v in (*reads, *(v for _, low in run for v in low.outputs)):
        if v in places or v in in_arena:
            continue
        if v in arena:
            in_arena.append(v)
            continue
        slot = program.slot(v)
        places[v] = len(arrays)
        arrays.append(slot)
        if v in made:
            make = buffers.maker(v.aval.shape, storage_dtype(v.aval.dtype))
            fresh.append((slot, make))
        else:
            checked.append(slot)
    views = []
    if in_arena:
        base = len(arrays)
        arrays.append(program.arena_slot)
        for v in in_arena:
            places[v] = len(arrays) + len(views)
            views.append((base, arena[v]))
    steps = [(k, [places[v] for v in (*low.inputs, *low.outputs)]) for k, low in run]
    native = RunList(steps, len(arrays), views)

    def direct(in_slots: list[int], out_slots: list[int]):
        """The run as a function of a program's inputs to its outputs, without slots."""
        made = {slot: k for k, (slot, _) in enumerate(fresh)}
        given = {slot: i for i, slot in enumerate(in_slots)}
        order = [given.get(slot) for slot in arrays if slot not in made]
        ends_fresh = [slot for slot in arrays if slot in made] == [*made]
        starts_given = all(slot not in made for slot in arrays[: len(order)])
        if None in order or not (ends_fresh and starts_given):
            return None
        if any(slot not in made for slot in out_slots):
            return None
        results = [made[slot] for slot in out_slots]
        in_order = order == list(range(len(in_slots)))
        straight = results == list(range(len(fresh)))
        makers = [make for _, make in fresh]

        def call(buffers):
            ins = buffers if in_order else [buffers[i] for i in order]
            for x in ins:
                if not x.flags.c_contiguous:
                    ins = [np.ascontiguousarray(x) for x in ins]
                    break
            outs = [make() for make in makers]
            native(*ins, *outs)
            return outs if straight else [outs[k] for k in results]

        return call

    def step(env: Env) -> None:
        for slot, make in fresh:
            env[slot] = make()
        for slot in checked:
            array = env[slot]
            if not array.flags.c_contiguous:
                env[slot] = np.ascontiguousarray(array)
        native(*[env[slot] for slot in arrays])

    def native_body(in_slots: list[int], out_slots: list[int]):
        """(run list, its arrays, places of inputs, of outputs, views) of a loop's body,
        if all results are its own."""
        places = {slot: k for k, slot in enumerate(arrays)}
        own = {slot for slot, _ in fresh}
        if any(slot not in own for slot in out_slots) or any(
            slot not in {*in_slots, *own, program.arena_slot} for slot in arrays
        ):
            return None
        ins = [places.get(slot, -1) for slot in in_slots]
        outs = [places[slot] for slot in out_slots]
        return native, len(arrays), ins, outs, views

    step.native_body = native_body  # type: ignore[attr-defined]
    step.direct = direct  # type: ignore[attr-defined]
    return step


def _call(program: Program, eqn: JaxprEqn) -> Step:
    call = call_of(eqn)
    ins = [
        program.constant_slot(literal_buffer(v))
        if type(v) is Literal
        else program.slot(v)
        for v in eqn.invars
    ]
    outs = [program.slot(v) for v in eqn.outvars]
    if len(outs) == 1:
        (out,) = outs

        def step_single(env: Env) -> None:
            (result,) = call(*[env[i] for i in ins])
            env[out] = result if type(result) is np.ndarray else np.asarray(result)

        step_single.eqn = eqn  # type: ignore[attr-defined]
        return step_single

    def step(env: Env) -> None:
        results = call(*[env[i] for i in ins])
        for out, result in zip(outs, results, strict=True):
            env[out] = result if type(result) is np.ndarray else np.asarray(result)

    step.eqn = eqn  # type: ignore[attr-defined]
    return step
