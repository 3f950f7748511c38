"""How gather and scatter say what they read and write: dimension numbers and modes.

Both move windows of an operand: gather's result is laid out as scatter's updates, so
one set of checks serves both (`check_numbers`).
"""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

from jaxlike.core.errors import format_error
from jaxlike.primitives.axes import canonical_ints

__all__ = ["GatherDimensionNumbers", "GatherScatterMode", "ScatterDimensionNumbers"]


class GatherDimensionNumbers(NamedTuple):
    """Which axes do what in `gather`.

    offset_dims: axes of the result that run inside a window, in order.
    collapsed_slice_dims: axes of the operand (window size 1) the result lacks.
    start_index_map: the operand's axis that each component of an index vector is for.
    operand_batching_dims, start_indices_batching_dims: axes of the operand and of the
        indices that are walked together, pair by pair.
    """

    offset_dims: tuple[int, ...]
    collapsed_slice_dims: tuple[int, ...]
    start_index_map: tuple[int, ...]
    operand_batching_dims: tuple[int, ...] = ()
    start_indices_batching_dims: tuple[int, ...] = ()


class ScatterDimensionNumbers(NamedTuple):
    """Which axes do what in `scatter` and its siblings.

    update_window_dims: axes of the updates that run inside a window, in order.
    inserted_window_dims: axes of the operand (window size 1) the updates lack.
    scatter_dims_to_operand_dims: the operand's axis for each index component.
    operand_batching_dims, scatter_indices_batching_dims: axes of the operand and of
        the indices that are walked together, pair by pair.
    """

    update_window_dims: tuple[int, ...]
    inserted_window_dims: tuple[int, ...]
    scatter_dims_to_operand_dims: tuple[int, ...]
    operand_batching_dims: tuple[int, ...] = ()
    scatter_indices_batching_dims: tuple[int, ...] = ()


class GatherScatterMode(enum.Enum):
    """What becomes of windows that are not wholly inside of the operand.

    CLIP moves them inside. FILL_OR_DROP fills what is gathered with a constant and
    drops what is scattered. PROMISE_IN_BOUNDS: the caller says there are none; should
    there be, gather clips and scatter drops.
    """

    CLIP = 1
    FILL_OR_DROP = 2
    PROMISE_IN_BOUNDS = 3
    ONE_HOT = 4

    @staticmethod
    def from_any(mode: str | GatherScatterMode | None) -> GatherScatterMode:
        """The mode of this name; None means FILL_OR_DROP.

        Raises: ValueError for a name that is none.
        """
        if isinstance(mode, GatherScatterMode):
            return mode
        try:
            return _MODES[mode]
        except (KeyError, TypeError):
            raise ValueError(
                format_error(
                    f'Unknown gather mode "{mode}"',
                    try_="one of clip, fill, drop and promise_in_bounds",
                )
            )

    def __str__(self) -> str:
        return f"GatherScatterMode.{self.name}"


_MODES = {
    None: GatherScatterMode.FILL_OR_DROP,
    "clip": GatherScatterMode.CLIP,
    "fill": GatherScatterMode.FILL_OR_DROP,
    "drop": GatherScatterMode.FILL_OR_DROP,
    "promise_in_bounds": GatherScatterMode.PROMISE_IN_BOUNDS,
    "one_hot": GatherScatterMode.ONE_HOT,
}


def canonical_numbers(numbers: Any) -> Any:
    """Dimension numbers with tuples of Python ints."""
    for field in numbers:
        if type(field) is not tuple or any(type(d) is not int for d in field):
            break
    else:
        return numbers
    cls = type(numbers)
    named = zip(cls._fields, numbers)
    return cls(*[canonical_ints(dims, name) for name, dims in named])


def as_gather(numbers: ScatterDimensionNumbers) -> GatherDimensionNumbers:
    """The gather that reads the windows which this scatter writes."""
    return GatherDimensionNumbers(*numbers)


def as_scatter(numbers: GatherDimensionNumbers) -> ScatterDimensionNumbers:
    """The scatter that writes the windows which this gather reads."""
    return ScatterDimensionNumbers(*numbers)


def check_numbers(name: str, numbers: Any, operand, indices, rank: int) -> None:
    """Raise TypeError unless the numbers suit an operand, indices and a result's rank.

    `rank` is that of gather's result, or of scatter's updates.
    """
    window, collapsed, index_map, op_batch, idx_batch = numbers
    fields = type(numbers)._fields
    if not indices.ndim:
        _fail(name, f"indices need a last axis of index vectors, got {indices}")
    _check_dims(name, fields[0], window, rank, ordered=True)
    _check_dims(name, fields[1], collapsed, operand.ndim, ordered=True)
    _check_dims(name, fields[2], index_map, operand.ndim)
    _check_dims(name, fields[3], op_batch, operand.ndim, ordered=True)
    _check_dims(name, fields[4], idx_batch, indices.ndim - 1)
    for other, dims in ((fields[1], collapsed), (fields[2], index_map)):
        if set(dims) & set(op_batch):
            _fail(
                name,
                f"{other} {dims} and operand_batching_dims {op_batch} must be disjoint",
            )
    if len(index_map) != indices.shape[-1]:
        _fail(
            name,
            f"{fields[2]} {index_map} has {len(index_map)} elements, but an index "
            f"vector has {indices.shape[-1]}: the indices are {indices}",
        )
    if len(window) + len(collapsed) + len(op_batch) != operand.ndim:
        _fail(
            name,
            f"{fields[0]} {window}, {fields[1]} {collapsed} and operand_batching_dims "
            f"{op_batch} together must have one entry for each axis of {operand}",
        )
    if len(op_batch) != len(idx_batch):
        _fail(name, f"{fields[3]} {op_batch} and {fields[4]} {idx_batch} must pair up")
    sizes = [operand.shape[d] for d in op_batch]
    if sizes != [indices.shape[d] for d in idx_batch]:
        _fail(
            name,
            f"batching axes {op_batch} of {operand} and {idx_batch} of {indices} "
            "must have the same sizes",
        )


def _check_dims(name, field, dims, bound, ordered=False) -> None:
    if len(set(dims)) != len(dims):
        _fail(name, f"{field} must not repeat; got {dims}")
    if ordered and list(dims) != sorted(dims):
        _fail(name, f"{field} must be sorted; got {dims}")
    if any(not 0 <= d < bound for d in dims):
        _fail(name, f"{field} must be in [0, {bound}); got {dims}")


def _fail(name: str, message: str):
    raise TypeError(format_error(f"{name}: {message}"))
