"""The k first of each row: top_k, and the approximate ones, which are exact here.

Few are selected in one pass over the row; many by sorting it. Long rows are cut into
blocks: each gives its own k first, and those of all blocks are selected from.
"""

from __future__ import annotations

import numpy as np

from jaxlike.backends.plan.access import Resolver
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.ops import DTYPES, dtype_name
from jaxlike.backends.plan.records import record
from jaxlike.backends.plan.rows import rows_in, rows_out
from jaxlike.backends.plan.sorting import U32, U64, Operand, Sort
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import JaxprEqn, Var

FEW = 64
"""Elements up to which they are kept in registers, in order, while a row goes by."""
BLOCKED_ROW = 1 << 16
BLOCK = 1 << 15
MAX_BLOCKS = 32
FEW_ROWS = 8


@record
class Selection:
    """Arguments: an array; of `values` and `places` (int32) those that are wanted; the
    `workspace`: keys and places of the blocks' candidates."""

    rows: int
    size: int
    taken: int
    dtype: np.dtype
    order: str  # "largest" or "smallest"
    values: bool
    places: bool

    @property
    def blocks(self) -> int:
        if self.size < BLOCKED_ROW or self.rows >= FEW_ROWS:
            return 1
        return min(MAX_BLOCKS, self.size // BLOCK)

    @property
    def workspace(self) -> list[tuple[np.dtype, int]]:
        """(dtype, elements) of each array."""
        if self.blocks == 1:
            return []
        count = self.rows * self.blocks * self.taken
        return [(U64 if self.dtype.itemsize == 8 else U32, count), (U32, count)]

    def __str__(self) -> str:
        return (
            f"select {self.taken} {self.order} of {self.rows} rows of {self.size} "
            f"{dtype_name(self.dtype)}"
        )


def lower_top_k(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    return _lower(eqn, eqn.params["axis"], "largest", resolver)


def lower_approx_top_k(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    axis = eqn.params["reduction_dimension"] % eqn.invars[0].aval.ndim
    order = "largest" if eqn.params["is_max_k"] else "smallest"
    return _lower(eqn, axis, order, resolver)


def _lower(eqn: JaxprEqn, axis: int, order: str, resolver: Resolver):
    (x,) = eqn.invars
    dtype, shape = x.aval.dtype, x.aval.shape
    taken = eqn.outvars[0].aval.shape[axis]
    if dtype not in DTYPES or dtype.kind == "c" or x.aval.size == 0 or taken == 0:
        return None
    size = shape[axis]
    found = rows_in(x, axis, resolver)
    if found is None or size >= 1 << 31:
        return None
    rows, before = found
    wanted = [resolver.is_read(v) for v in eqn.outvars]
    outputs: list[Var] = []
    after: list[Lowered] = []
    for v, want in zip(eqn.outvars, wanted, strict=True):
        if want:
            target, copies = rows_out(v, axis)
            outputs.append(target)
            after += copies
    count = x.aval.size // size
    if taken <= FEW:
        kernel = Selection(count, size, taken, dtype, order, *wanted)
    else:
        place = Operand(np.dtype(np.int32), (0, 1), wanted[1])
        operands = (Operand(dtype, None, wanted[0]), place)
        kernel = Sort(count, size, operands, 1, order, taken)
    outputs += [Var(ShapedArray((n,), d)) for d, n in kernel.workspace]
    return [*before, Lowered(kernel, [rows], outputs, (eqn,)), *after]
