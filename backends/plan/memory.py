"""The static memory plan: where each value of a schedule lies.

Temporaries share one arena, by when each is alive. A kernel that may write a result
over an operand which nothing reads later does so (`inplace.py` says which may): the
result has its home in the operand's memory, and a kernel that would only copy the one
to the other is not run. So a scatter or an update of a slice is best lowered as two
kernels: one that copies the operand to the result, and one that changes the result,
taking it as an "inout" buffer among its outputs. Results that a caller keeps lie in
arrays of their own, or in the memory of an argument that was given away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from jaxlike.backends.plan.access import is_layout
from jaxlike.backends.plan.inplace import is_copy, may_overwrite, overlapping
from jaxlike.backends.plan.ir import Kernel
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.core.dtypes import storage_dtype
from jaxlike.core.jaxpr import Jaxpr, JaxprEqn, Literal, Var, jaxprs_in_params

ALIGNMENT = 64
FRESH = frozenset(
    ("dot_general", "conv_general_dilated", "select_and_scatter_add", "sort")
    + ("scatter", "scatter-add", "scatter-mul", "scatter-min", "scatter-max")
)
"""Primitives whose results, when called, share no memory with their operands."""
CALLBACKS = frozenset(("pure_callback", "io_callback", "debug_callback"))

Step = Lowered | JaxprEqn


class Lifetime(NamedTuple):
    """A temporary of `nbytes`, written at step `first`, last read at step `last`."""

    nbytes: int
    first: int
    last: int


def plan_arena(lifetimes: Sequence[Lifetime]) -> tuple[list[int], int]:
    """Offsets of the temporaries in one arena, and its size in bytes.

    Greedy by size: each, the largest first, takes the lowest gap among those that are
    alive together with it.

    >>> plan_arena([Lifetime(64, 0, 1), Lifetime(64, 2, 3), Lifetime(64, 1, 2)])
    ([0, 0, 64], 128)
    """
    count = len(lifetimes)
    table = np.array(lifetimes, np.int64).reshape(count, 3)
    by_size = np.argsort(-table[:, 0], kind="stable")
    table = table[by_size]
    sizes = -(-table[:, 0] // ALIGNMENT) * ALIGNMENT
    first, last = table[:, 1].copy(), table[:, 2].copy()
    starts = np.zeros(count, np.int64)
    for i in range(count):
        alive = (first[:i] <= last[i]) & (first[i] <= last[:i])
        begin, end = starts[:i][alive], (starts[:i] + sizes[:i])[alive]
        order = np.argsort(begin)
        # the lowest address behind what lies before each of them
        behind = np.maximum.accumulate(np.append(0, end[order]))
        fits = behind[:-1] + sizes[i] <= begin[order]
        k = fits.argmax() if fits.any() else -1
        starts[i] = behind[k]
    offsets = np.empty(count, np.int64)
    offsets[by_size] = starts
    return offsets.tolist(), int((starts + sizes).max(initial=0))


@dataclass
class MemoryPlan:
    """Where values lie.

    steps: the schedule, less the kernels that nothing is left of, its kernels told what
    they overwrite. home: the value in whose memory another one lies. offsets: of homes
    in the arena of `arena_bytes`. given: homes of results that may take the memory of
    an argument which was given away; by result, the argument.
    """

    steps: list[Step]
    home: dict[Var, Var] = field(default_factory=dict)
    offsets: dict[Var, int] = field(default_factory=dict)
    arena_bytes: int = 0
    given: dict[Var, Var] = field(default_factory=dict)

    def home_of(self, v: Var) -> Var:
        return self.home.get(v, v)

    def offset(self, v: Var) -> int | None:
        """Where a value lies in the arena, if it does."""
        return self.offsets.get(self.home_of(v))

    @property
    def given_bytes(self) -> int:
        """Bytes of results that lie in the memory of arguments."""
        return sum(map(nbytes, self.given))


def plan_memory(
    steps: Sequence[Step], jaxpr: Jaxpr, donated: Sequence[Var] = ()
) -> MemoryPlan:
    """The memory plan of a schedule.

    donated: arguments whose memory the program may use, once they are read.
    """
    return _Planner(steps, jaxpr, donated).run()


class _Planner:
    def __init__(self, steps, jaxpr: Jaxpr, donated: Sequence[Var]):
        self.steps, self.jaxpr = list(steps), jaxpr
        self.plan = MemoryPlan([])
        self.end = len(self.steps)
        self.defs = {v: e for e in jaxpr.eqns for v in e.outvars}
        self.stored = {
            v for s in self.steps if isinstance(s, Lowered) for v in s.outputs
        }
        self.first: dict[Var, int] = {}
        self.last: dict[Var, int] = dict.fromkeys(donated, -1)
        self.views: dict[Var, list[Var]] = {}
        self.kept: set[Var] = set()
        self.live()
        self.free = [v for v in donated if v not in self.kept]

    def run(self) -> MemoryPlan:
        plan = self.plan
        for i, step in enumerate(self.steps):
            if isinstance(step, Lowered):
                step = self.in_place(i, step)
            if step is not None:
                plan.steps.append(step)
        for v in [v for v in plan.given if v not in self.kept]:
            # the argument's memory is worth more to a result
            self.free.append(plan.given.pop(v))
        homes = [v for v in self.first if plan.home_of(v) == v]
        for v in homes:
            self.reuse(v)
        inside = [v for v in homes if v not in self.kept and v not in plan.given]
        spans = [Lifetime(nbytes(v), self.first[v], self.last[v]) for v in inside]
        offsets, plan.arena_bytes = plan_arena(spans)
        plan.offsets = dict(zip(inside, offsets))
        return plan

    # --- when values are alive

    def live(self) -> None:
        """First and last step of each value that a kernel writes, or that is given.

        A view keeps what it looks at alive; results of calls allocate for themselves.
        What a caller keeps, or a function of the user may keep, is `kept`.
        """
        for i, step in enumerate(self.steps):
            if isinstance(step, Lowered):
                for v in step.outputs:
                    self.first.setdefault(v, i)
                    self.last[v] = i
                reads = step.inputs
            else:
                reads = [v for v in step.invars if type(v) is not Literal]
                if step.primitive.name not in FRESH:
                    # the results may be views of any operand
                    self.views.update((out, reads) for out in step.outvars)
                if calls_back(step):
                    for v in reads:
                        self.kept.update(self.sources(v))
            for v in reads:
                self.touch(v, i)
        for v in self.jaxpr.outvars:
            if type(v) is Literal:
                continue
            eqn = self.defs.get(v)
            if v in self.stored or (eqn is not None and not is_layout(eqn)):
                self.kept.update(self.sources(v))
            else:
                # copied at the end: until then its memory must stay
                self.touch(v, self.end)

    def sources(self, v: Var) -> Iterator[Var]:
        """What a value may be a view of, itself included."""
        found: set[Var] = set()
        todo = [v]
        while todo:
            var = todo.pop()
            if var not in found:
                found.add(var)
                todo += self.views.get(var, ())
        return iter(found)

    def touch(self, v: Var, i: int) -> None:
        for source in self.sources(v):
            if source in self.last:
                self.last[source] = max(self.last[source], i)

    # --- results in the place of operands

    def in_place(self, i: int, step: Lowered) -> Lowered | None:
        """Let the results of a kernel take the memory of operands that die here."""
        if not isinstance(step.kernel, Kernel):
            return step
        plan, kernel = self.plan, step.kernel
        place = dict(zip([*step.inputs, *step.outputs], kernel.arguments))
        dying = [v for v in step.inputs if self.dies(v, i)]
        copied = False
        for out in sorted(step.outputs, key=lambda v: v not in self.kept):
            if self.first[out] != i:
                continue
            for v in dying:
                if nbytes(v) != nbytes(out):
                    continue
                if not may_overwrite(kernel, place[v], place[out]):
                    continue
                dying.remove(v)
                kernel = overlapping(kernel, place[v], place[out])
                if v in self.free:
                    self.free.remove(v)
                    plan.given[out] = v
                else:
                    home = plan.home[out] = plan.home_of(v)
                    self.last[home] = max(self.last[home], self.last[out])
                    if out in self.kept:
                        self.kept.add(home)
                    copied = is_copy(kernel)
                break
        return None if copied else step._replace(kernel=kernel)

    def dies(self, v: Var, i: int) -> bool:
        """Whether nothing needs the memory of a value after step i."""
        home = self.plan.home_of(v)
        if home in self.kept or self.last.get(home) != i:
            return False
        return home in self.first or v in self.free

    def reuse(self, v: Var) -> None:
        """Let a result lie in the memory of an argument that is dead before it."""
        if v not in self.kept or v in self.plan.given:
            return
        for x in self.free:
            if nbytes(x) == nbytes(v) and self.last[x] < self.first[v]:
                self.free.remove(x)
                self.plan.given[v] = x
                return


def calls_back(eqn: JaxprEqn) -> bool:
    """Whether an equation hands its operands to functions of the user."""
    return eqn.primitive.name in CALLBACKS or any(
        calls_back(e) for inner in jaxprs_in_params(eqn.params) for e in inner.eqns
    )


def nbytes(v: Var) -> int:
    return v.aval.size * storage_dtype(v.aval.dtype).itemsize
