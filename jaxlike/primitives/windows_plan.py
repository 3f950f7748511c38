"""NumPy's side of gather and scatter: windows of an operand as rows of a matrix.

The operand's axes are put in the order (addressed, whole): axes that indices reach
into, then those that windows take entirely. Seen as a matrix of shape [R, K], gather
takes rows of it and scatter writes rows of it, without a loop over elements.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from jaxlike.primitives.indexing_numbers import GatherScatterMode


class Plan:
    """What can be said of a gather or scatter before its values are known."""

    def __init__(self, shape, indices_shape, numbers, slice_sizes):
        window, collapsed, index_map, op_batch, idx_batch = numbers
        dropped = {*collapsed, *op_batch}
        column = {d: k for k, d in enumerate(index_map)}
        self.batch_shape = indices_shape[:-1]
        nbatch = len(self.batch_shape)
        rank = nbatch + len(window)
        in_window = [d for d in range(len(shape)) if d not in dropped]
        offset_of = dict(zip(in_window, window))
        batch_axes = [a for a in range(rank) if a not in set(window)]

        # (column, limit): the last start at which the window of that axis fits
        self.limits = [(k, shape[d] - slice_sizes[d]) for k, d in enumerate(index_map)]

        whole = [d for d in in_window if slice_sizes[d] == shape[d]]
        self.addressed = addressed = [d for d in range(len(shape)) if d not in whole]
        self.perm = (*addressed, *whole)
        self.whole = whole
        self.whole_shape = tuple([shape[d] for d in whole])
        self.row_count = math.prod([shape[d] for d in addressed])
        self.row_size = math.prod(self.whole_shape)
        self.identity = self.perm == tuple(range(len(shape)))
        inverse = [0] * len(shape)
        for i, d in enumerate(self.perm):
            inverse[d] = i
        self.inverse_perm = tuple(inverse)

        spans = [d for d in addressed if d in offset_of and slice_sizes[d] != 1]
        self.span_shape = tuple([slice_sizes[d] for d in spans])
        stride, self.terms = 1, []
        for d in reversed(addressed):
            batch = idx_batch[op_batch.index(d)] if d in op_batch else None
            along = spans.index(d) if d in spans else None
            self.terms.append((stride, column.get(d), batch, along))
            stride *= shape[d]

        # the result has axes (batch, spans, whole) in rows, `order` brings them home
        self.rows_shape = (*self.batch_shape, *self.span_shape, *self.whole_shape)
        home = batch_axes + [offset_of[d] for d in spans + whole]
        present = sorted(home)
        self.order = tuple([home.index(a) for a in present])
        self.to_rows = tuple([present.index(a) for a in home])
        out = [1] * rank
        for a, n in zip(home, self.rows_shape):
            out[a] = n
        self.out_shape = tuple(out)
        self.thin_shape = tuple([out[a] for a in present])
        self.take_axis = addressed[0] if len(addressed) == 1 and not spans else None
        if self.take_axis is not None:
            axis = self.take_axis
            taken = (
                [("whole", d) for d in range(axis)]
                + [("batch", i) for i in range(nbatch)]
                + [("whole", d) for d in range(axis + 1, len(shape))]
            )
            wanted = [("batch", i) for i in range(nbatch)]
            wanted += [("whole", d) for d in whole]
            self.take_order = tuple([taken.index(w) for w in wanted])

    def starts(self, indices, mode) -> tuple[list[np.ndarray], Any]:
        """Clipped start indices by column, and where all fitted (None: everywhere)."""
        columns, valid = [], None
        for k, limit in self.limits:
            start = indices[..., k]
            if start.dtype.kind not in "iu":  # int4 and the like
                start = start.astype(np.intp)
            if start.size:
                low, high = int(start.min()), int(start.max())
                if low < 0 or high > limit:
                    if mode is not GatherScatterMode.CLIP:
                        fits = (start >= 0) & (start <= _within(limit, start.dtype))
                        valid = fits if valid is None else valid & fits
                    start = np.clip(start, 0, _within(limit, start.dtype))
            columns.append(start.astype(np.intp))
        return columns, valid

    def rows(self, columns: list[np.ndarray]) -> np.ndarray:
        """The matrix rows that the windows cover, of shape batch_shape + span_shape."""
        nbatch, nspan = len(self.batch_shape), len(self.span_shape)
        total: Any = 0
        for stride, column, batch, along in self.terms:
            if column is not None:
                part = columns[column]
                part = part.reshape(part.shape + (1,) * nspan)
                total = total + (part if stride == 1 else part * stride)
            if batch is not None:
                line = np.arange(0, self.batch_shape[batch] * stride, stride)
                total = total + line.reshape(-1, *(1,) * (nbatch - batch - 1 + nspan))
            if along is not None:
                line = np.arange(0, self.span_shape[along] * stride, stride)
                total = total + line.reshape(-1, *(1,) * (nspan - along - 1))
        shape = self.batch_shape + self.span_shape
        total = np.asarray(total, np.intp)
        return total if total.shape == shape else np.broadcast_to(total, shape)

    def take(self, operand, columns) -> np.ndarray:
        """Gather, with axes in the order (batch, spans, whole)."""
        if self.take_axis is not None:
            rows = self.rows(columns)
            out = operand.take(rows, self.take_axis, mode="clip")
            return out.transpose(self.take_order)
        moved = operand if self.identity else operand.transpose(self.perm)
        if moved.flags.c_contiguous:
            if self.row_size == 1:
                out = moved.reshape(-1).take(self.rows(columns), mode="clip")
            else:
                matrix = moved.reshape(self.row_count, self.row_size)
                out = matrix.take(self.rows(columns), 0, mode="clip")
            return out.reshape(self.rows_shape)
        rows = self.rows(columns)
        sizes = moved.shape[: len(self.addressed)]
        where = np.unravel_index(rows, sizes) if sizes else ()
        if not where:
            return np.broadcast_to(moved, self.rows_shape).copy()
        return moved[where]

    def home(self, taken: np.ndarray) -> np.ndarray:
        """From the order of rows to that of the result."""
        return taken.transpose(self.order).reshape(self.out_shape)

    def update_rows(self, updates: np.ndarray) -> np.ndarray:
        """Updates as a matrix with one line for each row written, [B, spans, K]."""
        thin = updates.reshape(self.thin_shape).transpose(self.to_rows)
        lines = math.prod(self.span_shape)
        return thin.reshape(math.prod(self.batch_shape), lines, self.row_size)

    def matrix_copy(self, operand: np.ndarray) -> np.ndarray:
        """A fresh copy of the operand as the matrix [R, K]."""
        moved = operand if self.identity else operand.transpose(self.perm)
        return np.array(moved, order="C").reshape(self.row_count, self.row_size)

    def from_matrix(self, matrix: np.ndarray, shape) -> np.ndarray:
        """Undo `matrix_copy`."""
        moved = matrix.reshape([shape[d] for d in self.perm])
        return moved if self.identity else moved.transpose(self.inverse_perm)


def _within(limit: int, dtype) -> int:
    """The limit, or the dtype's greatest value if that is smaller."""
    return min(limit, np.iinfo(dtype).max)


@functools.lru_cache(maxsize=4096)
def plan(shape, indices_shape, numbers, slice_sizes) -> Plan:
    """The plan for these shapes; `numbers` are a GatherDimensionNumbers."""
    return Plan(shape, indices_shape, numbers, slice_sizes)
