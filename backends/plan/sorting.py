"""Sorts: which keys, what is carried along, how the work is cut up.

A `Sort` puts arrays of one shape, seen as rows, in the order of their first `num_keys`.
Keys become unsigned integers of the same order (-0.0 as 0.0, NaN last), and the
machine's code sorts `words`: keys alone, or with a value of at most 32 bits beside
them, or with the index of the element, by which all operands are gathered at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from jaxlike.backends.plan.access import Resolver, unit, zero
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.ops import DTYPES, dtype_name, kind, real_dtype
from jaxlike.backends.plan.rows import rows_in, rows_out
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import JaxprEqn, Literal, Var

SHORT_ROW = 64
"""Rows up to which an element's place is counted: how many come before it."""
BLOCKED_ROW = 1 << 15
"""Rows from which the blocks of one row are sorted in parallel."""
BLOCK = 1 << 16
MAX_BLOCKS = 32
FEW_ROWS = 8
STACK_BYTES = 1 << 16
U32, U64 = np.dtype(np.uint32), np.dtype(np.uint64)


class Operand(NamedTuple):
    """line: not an array, but start + step * (place in the row); wanted: sorted too."""

    dtype: np.dtype
    line: tuple[int, int] | None
    wanted: bool


class Part(NamedTuple):
    """A real key: element i is at [i * step + offset] of an operand, in its dtype."""

    operand: int
    dtype: np.dtype
    step: int
    offset: int

    @property
    def bits(self) -> int:
        return 8 * self.dtype.itemsize


@dataclass(frozen=True)
class Sort:
    """Arguments: the operands of `reads`, the results of `writes`, the `workspace`.

    order: "sort", or "largest" or "smallest" first by IEEE's total order. taken: how
    many of a row's elements are results; all if None.
    """

    rows: int
    size: int
    operands: tuple[Operand, ...]
    num_keys: int
    order: str = "sort"
    taken: int | None = None

    @cached_property
    def parts(self) -> list[Part]:
        """The keys, the foremost first; a complex one is two."""
        parts = []
        for i, x in enumerate(self.operands[: self.num_keys]):
            count = 2 if x.dtype.kind == "c" else 1
            parts += [Part(i, real_dtype(x.dtype), count, k) for k in range(count)]
        return parts

    @property
    def reads(self) -> list[int]:
        """The operands that are arguments."""
        return [
            i
            for i, x in enumerate(self.operands)
            if x.line is None and (x.wanted or i < self.num_keys)
        ]

    @property
    def writes(self) -> list[int]:
        return [i for i, x in enumerate(self.operands) if x.wanted]

    @cached_property
    def carried(self) -> int | None:
        """The operand whose value goes along with the key; -1: the index does; None:
        nothing."""
        others = [i for i in self.writes if i >= self.num_keys]
        if len(self.parts) > 1:
            return -1
        if not others:
            return None
        if len(others) == 1:
            x = self.operands[others[0]]
            if x.line is not None or x.dtype.itemsize <= 4:
                return others[0]
        return -1

    @cached_property
    def words(self) -> tuple[np.dtype, ...]:
        """The arrays that are sorted: a key of 32 bits and what is carried are one."""
        wide = any(p.bits > 32 for p in self.parts)
        if self.carried is None:
            return (U64,) if wide else (U32,)
        return (U64, U32) if wide else (U64,)

    @property
    def short(self) -> bool:
        return self.size <= SHORT_ROW

    @property
    def blocks(self) -> int:
        """Blocks a row is cut into; 1 if each row is a task of its own."""
        if self.size < BLOCKED_ROW or self.rows >= FEW_ROWS:
            return 1
        return min(MAX_BLOCKS, max(2, self.size // BLOCK))

    @property
    def digit(self) -> int:
        """Bits that one pass sorts by."""
        return 8 if self.size < 1 << 14 else 11

    @property
    def workspace(self) -> list[tuple[np.dtype, int]]:
        """Scratch memory: (dtype, elements) each; none where the stack will do."""
        row = 2 * self.size * sum(w.itemsize for w in self.words)
        if self.short or (self.blocks == 1 and row <= STACK_BYTES):
            return []
        arrays = [(w, self.rows * self.size) for w in (*self.words, *self.words)]
        if self.blocks > 1:
            counts = self.rows * (self.blocks + 1) << self.digit
            arrays.append((U32, counts))
            arrays.append((U64, self.rows * (8 + 3 * self.blocks)))
        return arrays

    def __str__(self) -> str:
        words = ", ".join(dtype_name(x.dtype) for x in self.operands)
        taken = "" if self.taken is None else f"{self.taken} {self.order} of "
        return (
            f"sort {taken}{self.rows} rows of {self.size} ({words}) by {self.num_keys}"
        )


def lower_sort(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """The kernels of a sort; None for what is not in memory, or no kernel's dtype."""
    shape = eqn.invars[0].aval.shape
    axis, num_keys = eqn.params["dimension"], eqn.params["num_keys"]
    size = shape[axis]
    total = eqn.invars[0].aval.size
    if total == 0 or size >= 1 << 31:
        return None
    before: list[Lowered] = []
    after: list[Lowered] = []
    operands, inputs, outputs = [], [], []
    for i, (v, out) in enumerate(zip(eqn.invars, eqn.outvars, strict=True)):
        wanted = resolver.is_read(out)
        if v.aval.dtype not in DTYPES:
            return None
        line = _line(v, axis, resolver) if i >= num_keys else None
        operands.append(Operand(v.aval.dtype, line, wanted))
        if line is None and (wanted or i < num_keys):
            found = rows_in(v, axis, resolver)
            if found is None:
                return None
            inputs.append(found[0])
            before += found[1]
        if wanted:
            target, copies = rows_out(out, axis)
            outputs.append(target)
            after += copies
    sort = Sort(total // size, size, tuple(operands), num_keys)
    outputs += [Var(ShapedArray((n,), d)) for d, n in sort.workspace]
    return [*before, Lowered(sort, inputs, outputs, (eqn,)), *after]


def _line(atom, axis: int, resolver: Resolver) -> tuple[int, int] | None:
    """(start, step) of positions along the axis."""
    if type(atom) is Literal or kind(atom.aval.dtype) not in "iu":
        return None
    rank = atom.aval.ndim
    index = tuple(
        zero(rank) if n == 1 else unit(rank, d) for d, n in enumerate(atom.aval.shape)
    )
    access = resolver.resolve(atom, index, rank)
    if access.iota is None or access.iota.outvars[0].aval.dtype != atom.aval.dtype:
        return None
    if any(c for d, c in enumerate(access.address.coefs) if d != axis):
        return None
    return access.address.const, access.address.coefs[axis]
