"""x.at[index]: updated copies of an array, since arrays themselves never change.

Slices that a static index names are put back with dynamic_update_slice, all else with
the scatter family; concrete arrays are updated by NumPy where its rules are the same.
The index is read by indexers.py, its positions are prepared by indexing.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import api_boundary, filter_traceback
from jaxlike.core.state import state
from jaxlike.core.trace import (
    Tracer,
    eval_trace,
    ignore_float_errors,
    restore_float_errors,
)
from jaxlike.numpy.indexers import Indexer, New, Pick, Span, parse
from jaxlike.numpy.indexing import (
    add_axes,
    numpy_index,
    resolve,
    stack_columns,
    take_index,
)
from jaxlike.numpy.operators import PLANNED_DTYPES, wants_every_operation
from jaxlike.numpy.promote import as_array, convert, is_arraylike
from jaxlike.primitives import shapes
from jaxlike.primitives.broadcasting import broadcast_in_dim

_BASIC_TYPES = frozenset((int, slice, type(None), type(Ellipsis)))

# how NumPy combines what is there with an update, in the array's own dtype
_NUMPY_UPDATES: dict[str, np.ufunc | None] = {
    "set": None,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
}


_MODES = (None, "clip", "drop", "fill", "promise_in_bounds")


class IndexUpdateHelper:
    """`x.at`: index it to name the elements to update.

    >>> import jaxlike.numpy as jnp
    >>> jnp.zeros(3).at[1].set(5.0)
    Array([0., 5., 0.], dtype=float32)
    """

    __slots__ = ("array",)

    def __init__(self, array: Any):
        self.array = array

    def __getitem__(self, index: Any) -> IndexUpdateRef:
        return IndexUpdateRef(self.array, index)

    def __repr__(self) -> str:
        return f"_IndexUpdateHelper({self.array!r})"


class IndexUpdateRef:
    """`x.at[index]`: its methods return updated copies of `x`.

    What the methods share: negative positions count from the end, unless
    `wrap_negative_indices` is False. Updates out of bounds are left out
    (`mode="drop"`, the default), or put at the nearest element (`mode="clip"`).
    Repeated positions are updated once for each time. `indices_are_sorted` and
    `unique_indices` are promises about the positions. `values` broadcast to the shape
    of `x[index]` and are converted to the dtype of `x`.
    """

    __slots__ = ("array", "index")

    def __init__(self, array: Any, index: Any):
        self.array = array
        self.index = index

    def __repr__(self) -> str:
        return f"_IndexUpdateRef({self.array!r}, {self.index!r})"

    @api_boundary
    def get(
        self,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        fill_value: Any = None,
        out_sharding: None = None,
        wrap_negative_indices: bool = True,
    ) -> Any:
        """x[index], with a say over what is out of bounds.

        Args: `mode`, "clip" (the default), "fill", or "promise_in_bounds";
        `fill_value`, what "fill" gives: by default NaN, or for integers the least.

        >>> import jaxlike.numpy as jnp
        >>> jnp.arange(3.0).at[jnp.array([1, 9])].get(mode="fill")
        Array([ 1., nan], dtype=float32)
        """
        return take_index(
            self.array,
            self.index,
            indices_are_sorted=indices_are_sorted,
            unique_indices=unique_indices,
            mode=mode,
            fill_value=fill_value,
            wrap_negative_indices=wrap_negative_indices,
        )

    @api_boundary
    def apply(
        self,
        func: Callable[[Any], Any],
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Any:
        """The array with each named element e replaced by func(e).

        A position named twice has `func` applied twice.

        >>> import jaxlike.numpy as jnp
        >>> jnp.arange(3.0).at[1:].apply(lambda e: e * e)
        Array([0., 1., 4.], dtype=float32)
        """

        def scatter(x, indices, updates, numbers, **options):
            from jaxlike.primitives.scatter import scatter_apply

            return scatter_apply(
                x, indices, func, numbers, update_shape=updates.shape, **options
            )

        return update(
            self.array,
            self.index,
            None,
            scatter,
            indices_are_sorted=indices_are_sorted,
            unique_indices=unique_indices,
            mode=mode,
            wrap_negative_indices=wrap_negative_indices,
        )

    @api_boundary
    def divide(self, values: Any, **options: Any) -> Any:
        """The array with x[index] / values; integers become floats.

        >>> import jaxlike.numpy as jnp
        >>> jnp.array([4.0, 6.0]).at[0].divide(2.0)
        Array([2., 6.], dtype=float32)
        """
        divisors = _ones_like(self.array).at[self.index].multiply(values, **options)
        return jnp.divide(self.array, divisors)

    @api_boundary
    def power(self, values: Any, **options: Any) -> Any:
        """The array with x[index] ** values.

        >>> import jaxlike.numpy as jnp
        >>> jnp.array([4.0, 6.0]).at[0].power(2.0)
        Array([16.,  6.], dtype=float32)
        """
        exponents = _ones_like(self.array).at[self.index].multiply(values, **options)
        return jnp.power(self.array, exponents)


def _ones_like(x: Any) -> Any:
    return shapes.full_like(x, 1)


def _add_method(name: str, kind: str, doc: str, *also: str) -> None:
    def method(
        self,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        out_sharding: None = None,
        wrap_negative_indices: bool = True,
    ) -> Any:
        x = self.array
        if type(x) is Array and wrap_negative_indices and mode in _MODES:
            out = _by_numpy(x, self.index, values, kind)
            if out is not None:
                return out
        try:
            return update(
                x,
                self.index,
                values,
                kind,
                indices_are_sorted=indices_are_sorted,
                unique_indices=unique_indices,
                mode=mode,
                wrap_negative_indices=wrap_negative_indices,
            )
        except Exception as error:
            filter_traceback(error)
            raise

    method.__doc__ = doc
    for alias in (name, *also):
        setattr(IndexUpdateRef, alias, method)
    method.__name__ = name
    method.__qualname__ = f"IndexUpdateRef.{name}"


_add_method(
    "set",
    "set",
    """The array with x[index] replaced by values.

        >>> import jaxlike.numpy as jnp
        >>> jnp.zeros(3).at[jnp.array([0, 2])].set(1.0)
        Array([1., 0., 1.], dtype=float32)
        """,
)
_add_method(
    "add",
    "add",
    """The array with values added to x[index], once for each time it is named.

        >>> import jaxlike.numpy as jnp
        >>> jnp.zeros(3).at[jnp.array([0, 0])].add(1.0)
        Array([2., 0., 0.], dtype=float32)
        """,
)
_add_method(
    "subtract", "sub", "The array with values subtracted from x[index]; see `add`."
)
_add_method("multiply", "mul", "The array with x[index] multiplied by values.", "mul")
_add_method("min", "min", "The array with the smaller of x[index] and values.")
_add_method("max", "max", "The array with the larger of x[index] and values.")


# --- eager mode


def _by_numpy(x: Array, index: Any, values: Any, kind: str) -> Array | None:
    """The updated copy by NumPy's own indexing, or None where that may not do."""
    dtype = x.aval.dtype
    if (
        state.trace is not eval_trace
        or dtype not in PLANNED_DTYPES
        or (dtype.kind == "b" and kind not in ("set", "min", "max"))
        or isinstance(values, Tracer)
        or not is_arraylike(values)
        or wants_every_operation()
        or dtypes.lattice_result_type(dtype, values)[0] != dtype
    ):
        return None
    token = ignore_float_errors()
    try:
        parts = numpy_index(index)
        new = convert(values, dtype)
        new = new._data if type(new) is Array else new
        if parts is None or x._data is None:
            return None
        ufunc = _NUMPY_UPDATES[kind]
        out = x._data.copy()
        basic = _BASIC_TYPES.issuperset(map(type, parts))
        if new.ndim and not _fits(new.shape, out[parts].shape):
            return None
        if ufunc is None:
            out[parts] = new
        elif basic:
            view = out[parts]
            ufunc(view, new, out=view)
        else:
            ufunc.at(out, parts, new)
    except Exception:  # out of bounds, or an error that the general way words
        return None
    finally:
        restore_float_errors(token)
    return Array(out, x.aval)


def _fits(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    missing = len(target) - len(shape)
    return missing >= 0 and all(
        n == m or n == 1 for n, m in zip(shape, target[missing:])
    )


# --- the general way


def update(
    x: Any,
    index: Any,
    values: Any,
    how: str | Callable[..., Any],
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Any = None,
    wrap_negative_indices: bool = True,
) -> Any:
    """`x` with `values` put at, or combined with, x[index].

    Args: `how`, a key of _NUMPY_UPDATES, or a function with lax.scatter's signature
    that looks at the shape of the updates only.
    Raises: ValueError if `values` do not broadcast to the shape of x[index].
    """
    from jaxlike.primitives.gather import GatherScatterMode

    mode = (
        GatherScatterMode.FILL_OR_DROP
        if mode is None
        else GatherScatterMode.from_any(mode)
    )
    dtype, weak = x.dtype, x.aval.weak_type
    if isinstance(how, str):
        x, values = _to_one_dtype(x, values)
    else:  # a function of what is there alone: only the shape of the updates matters
        values = np.zeros((), np.bool_)
    indexer = parse(index, x.shape)
    original = x.shape
    x = add_axes(x, indexer)
    clips = mode == GatherScatterMode.CLIP
    in_bounds = resolve(indexer, wrap_negative_indices, clamp=clips)
    updates = _broadcast(values, indexer.result_shape())
    updates = _in_order(updates, indexer)
    if 0 in updates.shape:
        return convert(shapes.reshape(x, original), dtype, weak)
    if how == "set" and in_bounds and _is_window(indexer):
        out = _put_window(x, updates, indexer)
    else:
        scatter = _scatter_function(how) if isinstance(how, str) else how
        alone = indexer.is_basic and not any(s.step != 1 for s in indexer.spans)
        out = _scatter(
            x,
            updates,
            indexer,
            scatter,
            indices_are_sorted=indices_are_sorted or alone,
            unique_indices=unique_indices or alone,
            mode=mode,
        )
    out = shapes.reshape(out, original) if indexer.added else out
    # a function that changes the dtype has been refused by scatter_apply
    return convert(out, dtype, weak)


def _scatter_function(kind: str) -> Callable[..., Any]:
    from jaxlike.primitives import scatter

    name = "scatter" if kind == "set" else f"scatter_{kind}"
    return getattr(scatter, name)


def _to_one_dtype(x: Any, values: Any) -> tuple[Any, Any]:
    """Both in the dtype they promote to; a warning if that is not the array's."""
    values = as_array(values) if is_arraylike(values) else jnp.asarray(values)
    dtype = x.dtype
    common = dtypes.lattice_result_type(dtype, values)[0]
    if common != dtype:
        warnings.warn(
            "scatter inputs have incompatible types: cannot safely cast value from "
            f"dtype={values.dtype} to dtype={dtype} with jax_numpy_dtype_promotion="
            "standard. In future JAX releases this will result in an error.",
            FutureWarning,
            stacklevel=4,
        )
        x = convert(x, common)
    return x, convert(values, common)


def _broadcast(values: Any, shape: tuple[int, ...]) -> Any:
    own = values.shape
    if not _fits(own, shape):
        if len(own) > len(shape):
            raise ValueError(
                format_error(
                    f"{own} has more axes than {shape}, to which it should broadcast"
                )
            )
        raise ValueError(
            format_error(
                f"at[...]: the update has shape {own}, and x[index] has shape {shape}"
            )
        )
    if own == shape:
        return values
    missing = len(shape) - len(own)
    kept = [i for i, n in enumerate(own) if n != 1]
    values = shapes.reshape(values, tuple(own[i] for i in kept))
    return broadcast_in_dim(values, shape, tuple(missing + i for i in kept))


def _in_order(updates: Any, indexer: Indexer) -> Any:
    """Updates in the shape of x[index], without new axes and with slices forwards."""
    new, reverse, axis = [], [], 0
    for part in indexer.layout():
        if part == "picks":
            axis += len(indexer.picks_shape())
            continue
        if type(part) is New:
            new.append(axis)
        elif part.reversed:
            reverse.append(axis)
        axis += 1
    if reverse:
        updates = shapes.rev(updates, tuple(reverse))
    return shapes.squeeze(updates, tuple(new)) if new else updates


def _is_window(indexer: Indexer) -> bool:
    """Whether x[index] is one block of `x`, at a place that is known."""
    return indexer.is_basic and all(s.step == 1 for s in indexer.spans)


def _put_window(x: Any, updates: Any, indexer: Indexer) -> Any:
    from jaxlike.primitives.dynamic_slicing import dynamic_update_slice_p

    starts, sizes = [0] * x.ndim, [1] * x.ndim
    for part in indexer.parts:
        if type(part) is Pick:
            starts[part.axis] = part.value
        elif type(part) is Span:
            starts[part.axis], sizes[part.axis] = part.start, part.size
    window = shapes.reshape(updates, tuple(sizes))
    if tuple(sizes) == x.shape and window.aval is x.aval:
        return window
    dtype = np.int64 if max(x.shape, default=0) > 2**31 - 1 else np.int32
    return dynamic_update_slice_p.bind(
        x, window, *(np.array(start, dtype) for start in starts)
    )


def _scatter(
    x: Any, updates: Any, indexer: Indexer, scatter: Callable, **options: Any
) -> Any:
    """Slices with steps become positions too; other slices are windows."""
    from jaxlike.primitives.scatter import ScatterDimensionNumbers

    picks_shape = indexer.picks_shape()
    batch: list[int] = []  # the axes of the array of positions
    windows: list[int] = []
    columns: list[tuple[int, Any, int]] = []  # axis of x, positions, where in batch
    axis = 0
    for part in indexer.layout():
        if part == "picks":
            columns += [
                (p.axis, p.value, len(batch) + len(picks_shape)) for p in indexer.picks
            ]
            batch += picks_shape
            axis += len(picks_shape)
        elif type(part) is Span:
            if part.step != 1:
                batch.append(part.size)
                positions = part.start + part.step * np.arange(part.size)
                columns.append((part.axis, positions, len(batch)))
            else:
                windows.append(axis)
                if isinstance(part.start, Tracer) or part.size != x.shape[part.axis]:
                    columns.append((part.axis, part.start, 0))
            axis += 1
    if indexer.is_basic:
        columns += [(p.axis, p.value, 0) for p in indexer.picks]
    picked = {p.axis for p in indexer.picks} | {
        s.axis for s in indexer.spans if s.step != 1
    }
    indices = stack_columns(
        [_trailing(value, len(batch) - end) for _, value, end in columns], tuple(batch)
    )
    numbers = ScatterDimensionNumbers(
        update_window_dims=tuple(windows),
        inserted_window_dims=tuple(sorted(picked)),
        scatter_dims_to_operand_dims=tuple(axis for axis, _, _ in columns),
    )
    return scatter(x, indices, updates, numbers, **options)


def _trailing(value: Any, count: int) -> Any:
    """Positions with axes of size 1 after their own, to broadcast against others."""
    ndim = np.ndim(value) if not isinstance(value, Tracer) else value.ndim
    if not ndim or not count:
        return value
    return (
        shapes.reshape(value, value.shape + (1,) * count)
        if isinstance(value, Tracer)
        else value.reshape(value.shape + (1,) * count)
    )
