"""The steps of a program: runs of kernels in one native call, and calls in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlike.backends.numba.calls import call_of
from jaxlike.backends.numba.target import host
from jaxlike.backends.plan.fourier import Fourier
from jaxlike.backends.plan.ir import Kernel
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.matrices import MatrixKernel
from jaxlike.backends.plan.products import Product
from jaxlike.backends.plan.selection import Selection
from jaxlike.backends.plan.sorting import Sort
from jaxlike.core import buffers
from jaxlike.core.dtypes import storage_dtype
from jaxlike.core.jaxpr import JaxprEqn, Literal, Var, literal_buffer

if TYPE_CHECKING:
    from jaxlike.backends.numba.engine import AnyKernel
    from jaxlike.backends.numba.program import Program

Env = list[Any]
Step = Callable[[Env], None]
Make = Callable[[], np.ndarray]


def build_steps(program: Program) -> list[Step]:
    """Compile a program's kernels and bind its schedule into steps."""
    from jaxlike.backends.numba.engine import compile_kernels

    schedule = program.memory.steps
    compiled = iter(
        compile_kernels(
            [native_kernel(s.kernel) for s in schedule if isinstance(s, Lowered)]
        )
    )
    steps: list[Step] = []
    run: list[tuple[Any, Lowered]] = []
    made: set[Var] = set()
    for item in schedule:
        if isinstance(item, Lowered):
            run.append((next(compiled), item))
            continue
        if run:
            steps.append(_kernel_run(program, run, made))
            run = []
        steps.append(_call(program, item))
    if run:
        steps.append(_kernel_run(program, run, made))
    return steps


def native_kernel(
    kernel: Kernel | Product | Sort | Selection | MatrixKernel | Fourier,
) -> AnyKernel:
    """What the engine compiles for a kernel of the plan."""
    if isinstance(kernel, Product):
        from jaxlike.backends.numba.tiles import product_kernel

        return product_kernel(kernel, host())
    if isinstance(kernel, Sort):
        from jaxlike.backends.numba.radix import sort_kernel

        return sort_kernel(kernel, host())
    if isinstance(kernel, Selection):
        from jaxlike.backends.numba.selections import selection_kernel

        return selection_kernel(kernel, host())
    if isinstance(kernel, Fourier):
        from jaxlike.backends.numba.fourier import fourier_kernel

        return fourier_kernel(kernel, host())
    if isinstance(kernel, MatrixKernel):
        from jaxlike.backends.numba.matrices import matrix_kernel

        return matrix_kernel(kernel, host())
    return kernel


def _kernel_run(
    program: Program, run: list[tuple[Any, Lowered]], known: set[Var]
) -> Step:
    """One native call of consecutive kernels. known: what earlier runs have made."""
    from jaxlike.backends.numba.runlist import RunList

    memory = program.memory
    arrays: list[int] = []  # slots of the arrays that a call passes
    places: dict[Var, int] = {}
    fresh: list[tuple[int, Make]] = []
    reused: list[tuple[int, int, Make, Var]] = []
    shaped: list[tuple[int, int, Var]] = []
    checked: list[int] = []
    in_arena: list[Var] = []
    made = dict.fromkeys(v for _, low in run for v in low.outputs)
    for v in (*(v for _, low in run for v in low.inputs if v not in made), *made):
        home = memory.home_of(v)
        if v in made and home not in memory.offsets and v in program.wanted:
            if program.slot(v) != program.slot(home):
                shaped.append((program.slot(v), program.slot(home), v))
        if home in places or home in in_arena:
            continue
        if home in memory.offsets:
            in_arena.append(home)
            continue
        slot = program.slot(home)
        places[home] = len(arrays)
        arrays.append(slot)
        if v not in made:
            checked.append(slot)
        elif home not in known:
            make = buffers.maker(v.aval.shape, storage_dtype(v.aval.dtype))
            if home in memory.given:
                reused.append((slot, program.spare_slot(home), make, home))
            else:
                fresh.append((slot, make))
    known.update(map(memory.home_of, made))
    views = []
    if in_arena:
        base = len(arrays)
        arrays.append(program.arena_slot)
        for v in in_arena:
            places[v] = len(arrays) + len(views)
            views.append((base, memory.offsets[v]))
    steps = [
        (k, [places[memory.home_of(v)] for v in (*low.inputs, *low.outputs)])
        for k, low in run
    ]
    run_list = RunList(steps, len(arrays), views)
    native = run_list.native

    def direct(in_slots: list[int], out_slots: list[int]):
        """The run as a function of a program's inputs to its outputs, without slots."""
        made = {slot: k for k, (slot, _) in enumerate(fresh)}
        given = {slot: i for i, slot in enumerate(in_slots)}
        order = [given.get(slot) for slot in arrays if slot not in made]
        ends_fresh = [slot for slot in arrays if slot in made] == [*made]
        starts_given = all(slot not in made for slot in arrays[: len(order)])
        if None in order or reused or not (ends_fresh and starts_given):
            return None
        if any(slot not in made for slot in out_slots):
            return None
        results = [made[slot] for slot in out_slots]
        in_order = order == list(range(len(in_slots)))
        straight = results == list(range(len(fresh)))
        makers = [make for _, make in fresh]
        if len(makers) == 1 and in_order and straight:
            (make,) = makers

            def call_single(buffers):
                for x in buffers:
                    if not x.flags.c_contiguous:
                        buffers = [np.ascontiguousarray(x) for x in buffers]
                        break
                out = make()
                native(*buffers, out)
                return [out]

            return call_single

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
        for slot, spare, make, v in reused:
            array = env[spare]
            env[slot] = make() if array is None else _as_value(array, v)
        native(*[env[slot] for slot in arrays])
        for slot, home, v in shaped:
            env[slot] = _as_value(env[home], v)

    def native_body(in_slots: list[int], out_slots: list[int]):
        """(run list, its arrays, places of inputs, of outputs, views) of a loop's body,
        if all results are its own."""
        places = {slot: k for k, slot in enumerate(arrays)}
        if shaped:
            return None
        own = {slot for slot, *_ in (*fresh, *reused)}
        if any(slot not in own for slot in out_slots) or any(
            slot not in {*in_slots, *own, program.arena_slot} for slot in arrays
        ):
            return None
        ins = [places.get(slot, -1) for slot in in_slots]
        outs = [places[slot] for slot in out_slots]
        return run_list, len(arrays), ins, outs, views

    step.native_body = native_body  # type: ignore[attr-defined]
    step.direct = direct  # type: ignore[attr-defined]
    return step


def _as_value(array: np.ndarray, v: Var) -> np.ndarray:
    """An array's memory as an array of a value's shape and dtype."""
    if array.shape == v.aval.shape and array.dtype == v.aval.dtype:
        return array
    return array.reshape(-1).view(storage_dtype(v.aval.dtype)).reshape(v.aval.shape)


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
