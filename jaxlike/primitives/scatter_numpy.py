"""NumPy's side of scatter: combining rows of updates into rows of a matrix."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jaxlike.core.array import Array, to_buffer
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import ClosedJaxpr, Literal
from jaxlike.core.trace import eval_trace, set_current_trace
from jaxlike.primitives.indexing_numbers import GatherDimensionNumbers
from jaxlike.primitives.windows_plan import plan


def evaluate_scatter(
    ufunc,
    operand,
    indices,
    updates,
    *,
    dimension_numbers,
    indices_are_sorted,
    unique_indices,
    mode,
    update_jaxpr,
    update_consts,
):
    """Scatter with `ufunc` as the way to combine; None replaces."""
    window, inserted, _, op_batch, _ = dimension_numbers
    inside = iter(window)
    sizes = tuple(
        [
            1 if d in inserted or d in op_batch else updates.shape[next(inside)]
            for d in range(operand.ndim)
        ]
    )
    numbers = GatherDimensionNumbers(*dimension_numbers)
    p = plan(operand.shape, indices.shape, numbers, sizes)
    columns, valid = p.starts(indices, mode)
    rows = p.rows(columns)
    matrix = p.matrix_copy(operand)
    lines = p.update_rows(updates)
    rows = rows.reshape(lines.shape[:2])
    if valid is not None:
        fits = valid.reshape(-1)
        rows, lines = rows[fits], lines[fits]
    rows, lines = rows.reshape(-1), lines.reshape(-1, p.row_size)
    if rows.size and lines.size:
        if ufunc is not None:
            _combine(ufunc, matrix, rows, lines, unique_indices)
        elif update_jaxpr is not None:
            _apply(update_jaxpr, matrix, rows)
        elif p.row_size == 1:
            matrix.reshape(-1)[rows] = lines.reshape(-1)
        else:
            matrix[rows] = lines
    return p.from_matrix(matrix, operand.shape)


def _combine(ufunc, matrix, rows, lines, unique: bool) -> None:
    """matrix[rows] op= lines, where rows may repeat."""
    width = lines.shape[1]
    if unique:
        matrix[rows] = ufunc(matrix[rows], lines)
        return
    if width > 1:  # ufunc.at is fast on one axis alone
        rows = ((rows * width)[:, None] + np.arange(width)).reshape(-1)
    ufunc.at(matrix.reshape(-1), rows, lines.reshape(-1))


class _AxisData(NamedTuple):
    name: Any
    size: int
    spmd_name: Any = None


def _apply(jaxpr: ClosedJaxpr, matrix, rows) -> None:
    """matrix[r] = f(f(...matrix[r])), as many times as r is among the rows."""
    places, counts = np.unique(rows, return_counts=True)
    values = matrix[places]
    for done in range(int(counts.max())):
        left = counts > done
        values[left] = _map(jaxpr, values[left].reshape(-1)).reshape(
            -1, values.shape[1]
        )
    matrix[places] = values


def _map(closed: ClosedJaxpr, values: np.ndarray) -> np.ndarray:
    """A jaxpr of scalars on each of `values`, by the primitives' batching rules."""
    axis = _AxisData(None, len(values))
    env: dict[Any, tuple[Any, int | None]] = {}

    def read(atom):
        return (atom.val, None) if type(atom) is Literal else env[atom]

    jaxpr = closed.jaxpr
    for var, const in zip(jaxpr.constvars, closed.consts, strict=True):
        env[var] = const, None
    aval = jaxpr.invars[0].aval
    env[jaxpr.invars[0]] = Array(values, ShapedArray(values.shape, aval.dtype)), 0
    with set_current_trace(eval_trace):
        for eqn in jaxpr.eqns:
            args, dims = zip(*map(read, eqn.invars)) if eqn.invars else ((), ())
            many = eqn.primitive.multiple_results
            if all(d is None for d in dims):
                outs = eqn.primitive.bind(*args, **eqn.params)
                out_dims = [None] * len(outs) if many else None
            else:
                outs, out_dims = eqn.primitive.batch(axis, args, dims, **eqn.params)
            if not many:
                outs, out_dims = [outs], [out_dims]
            env.update(zip(eqn.outvars, zip(outs, out_dims), strict=True))
    out, dim = read(jaxpr.outvars[0])
    return to_buffer(out) if dim is not None else np.broadcast_to(out, values.shape)
