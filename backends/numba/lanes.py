"""Chooses which loops of a kernel run in vector lanes, and how many lanes.

Every path through the nest has at most one lane loop (the grid's last axis counts as
one). The choice minimises a simple count of instructions: contiguous access is one
instruction for all lanes, anything else one a lane. It depends on the kernel and the
machine alone, so results are the same bits on every run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from jaxlike.backends.numba.memory import STRIDE
from jaxlike.backends.numba.target import Target
from jaxlike.backends.plan.ir import (
    Const,
    If,
    Index,
    Kernel,
    Load,
    Loop,
    Op,
    Prefix,
    Stmt,
    Store,
    Value,
    While,
    statements,
)
from jaxlike.backends.plan.ops import INDEX, OPS, compute_dtype, real_dtype

MAX_LANES = 64
LONG = 1 << 14
"""Iterations from which latency is worth twice the code."""
HEAVY = 24.0
"""Body cost from which a tail shares the main loop's code, by masking, where it can."""


@dataclass(slots=True)
class LanePlan:
    """lanes: index value of a lane loop -> number of lanes. heavy: see HEAVY."""

    lanes: dict[Value, int] = field(default_factory=dict)
    heavy: set[Value] = field(default_factory=set)


def choose_lanes(kernel: Kernel, target: Target) -> LanePlan:
    """The lane loops of a kernel for a machine."""
    chooser = _Chooser(kernel, target)
    plan = LanePlan()
    inner_cost, inner = chooser.best(kernel.body)
    last = kernel.indices[-1] if kernel.grid else None
    local = any(b.role == "local" for b in kernel.buffers)
    if last is not None and not local:
        n = kernel.grid[-1]
        cost, lanes = chooser.as_lanes(last, n, kernel.body, 0)
        if cost < 0.9 * inner_cost * n:
            inner = {last: lanes}
    plan.lanes = inner
    bodies = {s.index: s.body for s in statements(kernel.body) if isinstance(s, Loop)}
    if last is not None:
        bodies[last] = kernel.body
    for index, lanes in plan.lanes.items():
        if chooser.cost(bodies[index], index, lanes) >= HEAVY:
            plan.heavy.add(index)
    return plan


def _waits(s: Stmt) -> bool:
    """Whether a statement is a loop whose turns wait for one another: two vectors at
    once take little longer than one."""
    return isinstance(s, While) or (isinstance(s, Loop) and s.ordered)


class _Chooser:
    def __init__(self, kernel: Kernel, target: Target):
        self.kernel, self.target = kernel, target
        self.consts = {
            s.out: s.value for s in statements(kernel.body) if isinstance(s, Const)
        }

    def best(self, body: tuple[Stmt, ...]) -> tuple[float, dict[Value, int]]:
        """Cheapest way outside any lane loop: (cost, lane loops inside)."""
        total, chosen = 0.0, {}
        for s in body:
            match s:
                case Loop():
                    cost, inner = self.best(s.body)
                    cost = s.extent * (cost + len(s.reductions)) + 3
                    if not s.ordered and s.extent > 1:
                        wide, lanes = self.as_lanes(
                            s.index, s.extent, s.body, len(s.reductions)
                        )
                        if wide < 0.9 * cost:
                            cost, inner = wide, {s.index: lanes}
                case If():
                    a, inner = self.best(s.then)
                    c, other = self.best(s.orelse)
                    cost, inner = max(a, c) + 1, inner | other
                case While():
                    a, inner = self.best(s.cond_body)
                    c, other = self.best(s.body)
                    cost, inner = 20 * (a + c), inner | other
                case _:
                    cost, inner = self.cost((s,), None, 1), {}
            total += cost
            chosen |= inner
        return total, chosen

    def as_lanes(self, index, extent, body, reductions) -> tuple[float, int]:
        """(cost, lanes) of running a loop's iterations in lanes."""
        lanes = self.native(body)
        ops = self.cost(body, index, lanes)
        prefixes = any(isinstance(s, Prefix) for s in body)
        if ops < 12 and extent >= 4 * lanes and not prefixes:
            factor = 4 if reductions and extent >= 8 * lanes else 2
            lanes = min(MAX_LANES, lanes * factor)
        else:  # long chains: two at a time
            chains = 20 < ops < 400 and extent >= LONG
            waits = extent >= 4 * lanes and any(map(_waits, statements(body)))
            lanes = min(MAX_LANES, lanes * 2) if chains or waits else lanes
        while lanes >= 2 * max(1, extent):
            lanes //= 2
        if lanes < 2:
            return float("inf"), 1
        each = self.cost(body, index, lanes) + reductions * lanes / self.native(body)
        full, rest = divmod(extent, lanes)
        if self.target.masked:
            tail = each + 2 if rest else 0.0
        else:
            tail = rest * (self.cost(body, None, 1) + reductions)
        return full * each + tail + 3 + 8 * reductions, lanes

    def native(self, body) -> int:
        """Lanes that fill one register with the widest values of a body."""
        widest = 1
        for s in statements(body):
            dtype = getattr(s, "dtype", None)
            if isinstance(s, Op | Load) and dtype != INDEX:
                size = compute_dtype(real_dtype(dtype)).itemsize
                if isinstance(s, Op) and s.name == "iota":
                    size = 4
                widest = max(widest, size)
        return min(MAX_LANES, self.target.vector_bytes // widest)

    def cost(self, body, lane: Value | None, lanes: int) -> float:
        """Instructions of one pass over a body, all loops inside scalar."""
        steps = {lane: 1} if lane is not None else {}
        return self._cost(body, lanes, steps, set(), within=False)

    def _cost(
        self, body, lanes, steps: dict[Value, int], varying: set, within=True
    ) -> float:
        # steps: values affine in the lane number; varying: the other lane-dependent
        # ones; within: in a block of the body, not the body itself
        total = 0.0
        for s in body:
            match s:
                case Op():
                    moving = any(v in steps or v in varying for v in s.args)
                    if s.dtype == INDEX and self._affine(s, steps, varying):
                        continue
                    if moving:
                        varying.add(s.out)
                    total += self._op_cost(s, lanes if moving else 1)
                case Prefix():
                    varying.add(s.out)
                    total += self._prefix_cost(s, lanes, within)
                case Load() | Store():
                    step = self._step(s.index, steps, varying)
                    guarded = s.guard is not None and s.guard in varying
                    if step == 0 and not guarded:
                        total += 1
                    else:
                        size = self.kernel.buffers[s.buffer].dtype.itemsize
                        registers = max(1.0, lanes * size / self.target.vector_bytes)
                        if step is not None and abs(step) <= 1:
                            total += registers
                        elif (
                            step
                            and abs(step) <= STRIDE
                            and (isinstance(s, Load) or self.target.masked)
                        ):
                            total += 2 * abs(step) * registers
                        else:
                            total += 1.2 * lanes
                        if guarded and not self.target.masked:
                            total += 2 * lanes
                        if isinstance(s, Load):
                            varying.add(s.out)
                case Loop():
                    for c in s.carries:
                        varying.update((c.inner, c.out))
                    inner = self._cost(s.body, lanes, steps, varying)
                    for r in s.reductions:
                        if any(v in varying or v in steps for v in r.args):
                            varying.update(r.outs)
                    total += s.extent * (inner + len(s.reductions)) + 3
                case If():
                    a = self._cost(s.then, lanes, steps, varying)
                    c = self._cost(s.orelse, lanes, steps, varying)
                    varying.update(out for out, _, _ in s.results)
                    spread = s.cond in varying
                    # in lanes both sides run, where they are taken at all
                    total += a + c + 2 if spread else max(a, c)
                case While():
                    for c in s.carries:
                        varying.update((c.inner, c.out))
                    a = self._cost(s.cond_body, lanes, steps, varying)
                    c = self._cost(s.body, lanes, steps, varying)
                    total += 30 * (a + c)
        return total

    def _prefix_cost(self, s: Prefix, lanes: int, within: bool) -> float:
        dtype = real_dtype(s.dtype)
        registers = max(1.0, lanes * dtype.itemsize / self.target.vector_bytes)
        each = 20.0 if s.name == "logaddexp" else 1.0
        if lanes == 1 or within:
            return 4 * each * registers  # the latency of one after the other
        return registers * (2 + each) * (1 + lanes.bit_length())

    def _op_cost(self, s: Op, lanes: int) -> float:
        dtype = compute_dtype(real_dtype(s.dtype))
        registers = max(1.0, lanes * dtype.itemsize / self.target.vector_bytes)
        parts = 4 if s.dtype.kind == "c" else 1
        cost = OPS[s.name].cost * parts
        if s.name in ("div", "rem") and dtype.kind in "iu" and dtype.itemsize == 8:
            return cost * lanes
        if s.name in ("lgamma", "digamma") and dtype == np.float64:
            return cost * registers
        return cost * registers

    def _affine(self, s: Op, steps, varying) -> bool:
        """Track index arithmetic; False if the result is not affine in the lane."""
        if any(v in varying for v in s.args):
            return False
        on = [steps.get(v, 0) for v in s.args]
        if not any(on):
            return True
        if s.name == "add":
            steps[s.out] = on[0] + on[1]
        elif s.name == "sub":
            steps[s.out] = on[0] - on[1]
        elif s.name == "neg":
            steps[s.out] = -on[0]
        elif s.name == "mul":
            a, c = s.args
            a, c = (c, a) if a in self.consts else (a, c)
            if c not in self.consts:
                return False
            steps[s.out] = steps.get(a, 0) * int(self.consts[c])
        else:
            return False
        return True

    def _step(self, index: Index, steps, varying) -> int | None:
        """Elements between neighbouring lanes; None: not affine."""
        if any(v in varying for v, _ in index.terms):
            return None
        return sum(c * steps.get(v, 0) for v, c in index.terms)
