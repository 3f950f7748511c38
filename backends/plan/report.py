"""What a compiled program does, step by step, for people: equations, bytes, flops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from jaxlike.backends.plan.lowering import Lowered
from jaxlike.core.dtypes import storage_dtype
from jaxlike.core.jaxpr import JaxprEqn, Literal
from jaxlike.core.source_info import summarize
from jaxlike.transforms.cost import operations


@dataclass(frozen=True)
class Step:
    """One kernel or call.

    primitives: of the equations it computes; source: the user's line of the last one.
    read, written: bytes of the arrays it reads and writes, each once. flops: floating
    point operations, estimated. seconds: measured, if it was.
    """

    kind: str
    name: str
    primitives: tuple[str, ...]
    source: str
    read: int
    written: int
    flops: float
    seconds: float | None = None


@dataclass(frozen=True)
class Plan:
    """The steps of a compiled program, in order. Print it for a table."""

    name: str
    steps: tuple[Step, ...]
    temporary_bytes: int

    @property
    def kernels(self) -> int:
        """How many steps are kernels."""
        return sum(s.kind == "kernel" for s in self.steps)

    def timed(self, seconds: Sequence[float]) -> Plan:
        """The same plan with a measured time for each step."""
        steps = [
            replace(s, seconds=t) for s, t in zip(self.steps, seconds, strict=True)
        ]
        return replace(self, steps=tuple(steps))

    def __str__(self) -> str:
        measured = any(s.seconds is not None for s in self.steps)
        head = ["step", "what", "equations", "read", "written", "flops"]
        head += ["time", "GB/s", "line"] if measured else ["line"]
        rows = [head]
        for i, s in enumerate(self.steps):
            row = [str(i), s.kind, _shortened(s.primitives)]
            row += [_amount(s.read, "B"), _amount(s.written, "B"), _amount(s.flops)]
            if measured:
                moved = s.read + s.written
                rate = moved / s.seconds / 1e9 if s.seconds else 0.0
                row += [f"{(s.seconds or 0) * 1e6:.1f} us", f"{rate:.1f}"]
            rows.append([*row, s.source])
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = [
            f"{self.name}: {self.kernels} kernels, {len(self.steps) - self.kernels} "
            f"calls, {_amount(self.temporary_bytes, 'B')} of temporaries"
        ]
        lines += [
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip()
            for row in rows
        ]
        return "\n".join(lines)


def step_of(item: Lowered | JaxprEqn) -> Step:
    """What one step of a schedule is."""
    if isinstance(item, Lowered):
        eqns, reads, writes = item.eqns, item.inputs, item.outputs
        kind, name = "kernel", getattr(item.kernel, "name", "") or "kernel"
    else:
        eqns, writes = (item,), item.outvars
        reads = [v for v in item.invars if type(v) is not Literal]
        kind, name = "call", item.primitive.name
    return Step(
        kind,
        name,
        tuple(e.primitive.name for e in eqns) or (name,),
        summarize(eqns[-1].source_info) if eqns else "",
        _bytes(reads),
        _bytes(writes),
        sum(map(operations, eqns)),
    )


def _bytes(variables) -> int:
    return sum(
        v.aval.size * np.dtype(storage_dtype(v.aval.dtype)).itemsize
        for v in dict.fromkeys(variables)
    )


def _shortened(names: Sequence[str], most: int = 4) -> str:
    if len(names) <= most:
        return " ".join(names)
    return " ".join(names[: most - 1]) + f" ... {len(names)} in all"


def _amount(number: float, unit: str = "") -> str:
    for scale, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= scale:
            return f"{number / scale:.1f} {prefix}{unit}"
    return f"{number:.0f} {unit}".rstrip()
