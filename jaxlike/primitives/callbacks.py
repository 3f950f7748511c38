"""Callbacks: calls of Python from traced code (pure, with side effects, for debugging).

An exception raised in a callback surfaces at the call of the traced function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core import dtypes, tree
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.effects import (
    debug_effect,
    io_effect,
    ordered_debug_effect,
    ordered_io_effect,
)
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero

__all__ = [
    "debug_callback",
    "debug_callback_p",
    "io_callback",
    "io_callback_p",
    "pure_callback",
    "pure_callback_p",
]

VMAP_METHODS = (
    "sequential",
    "sequential_unrolled",
    "expand_dims",
    "broadcast_all",
    "legacy_vectorized",
)

pure_callback_p = Primitive("pure_callback", multiple_results=True)
io_callback_p = Primitive("io_callback", multiple_results=True)
debug_callback_p = Primitive("debug_callback", multiple_results=True)


class FlatCallback:
    """A Python function of a pytree of Arrays, called on flat NumPy buffers."""

    __slots__ = ("fun", "in_tree", "out_tree", "result_avals")

    def __init__(self, fun: Callable, in_tree: Any, out_tree: Any, result_avals: tuple):
        self.fun = fun
        self.in_tree = in_tree
        self.out_tree = out_tree
        self.result_avals = result_avals

    def __repr__(self) -> str:
        return getattr(self.fun, "__name__", repr(self.fun))

    def __call__(self, buffers: list[np.ndarray], avals: tuple) -> list[np.ndarray]:
        arrays = [Array(b, get_aval_of(b, a)) for b, a in zip(buffers, avals)]
        args, kwargs = tree.unflatten(self.in_tree, arrays)
        out = self.fun(*args, **kwargs)
        if self.out_tree is None:
            return []
        leaves, out_tree = tree.flatten(out)
        if out_tree != self.out_tree:
            raise RuntimeError(
                format_error(
                    f"the callback {self!r} returned a pytree of another structure "
                    f"than result_shape_dtypes: {out_tree} against {self.out_tree}"
                )
            )
        return [np.asarray(leaf) for leaf in leaves]


def get_aval_of(buffer: np.ndarray, aval: ShapedArray) -> ShapedArray:
    """The aval of a buffer that may have batch axes in front of those of `aval`."""
    return aval if buffer.shape == aval.shape else aval.update(shape=buffer.shape)


def _check_results(callback, outs, avals) -> list[np.ndarray]:
    checked = []
    for i, (out, aval) in enumerate(zip(outs, avals, strict=True)):
        storage = dtypes.storage_dtype(aval.dtype)
        if out.shape != aval.shape:
            raise RuntimeError(
                format_error(
                    f"the callback {callback!r} returned an array of shape "
                    f"{out.shape} for result {i}, which is declared as {aval}"
                )
            )
        if out.dtype != storage:
            if dtypes.canonicalize_dtype(out.dtype) != storage:
                raise RuntimeError(
                    format_error(
                        f"the callback {callback!r} returned an array of dtype "
                        f"{out.dtype} for result {i}, which is declared as {aval}"
                    )
                )
            out = out.astype(storage)
        checked.append(out)
    return checked


def _run(*buffers, callback, result_avals, arg_avals, **_):
    outs = callback(list(buffers), arg_avals)
    return _check_results(callback, outs, result_avals)


def _result_shape(*avals, result_avals, **_):
    return list(result_avals)


def _bind_params(fun, result_shape_dtypes, args, kwargs):
    leaves, in_tree = tree.flatten((args, kwargs))
    specs, out_tree = tree.flatten(result_shape_dtypes)
    avals = []
    for spec in specs:
        if not (hasattr(spec, "shape") and hasattr(spec, "dtype")):
            raise TypeError(
                format_error(
                    "result_shape_dtypes must hold objects with a shape and a dtype, "
                    f"got {spec!r:.100}"
                )
            )
        dtype = dtypes.canonicalize_dtype(spec.dtype)
        avals.append(ShapedArray(tuple(spec.shape), dtype))
    callback = FlatCallback(fun, in_tree, out_tree, tuple(avals))
    arg_avals = tuple(get_aval(x) for x in leaves)
    return leaves, out_tree, callback, tuple(avals), arg_avals


# --- pure_callback


def pure_callback(
    callback: Callable,
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    vmap_method: str | None = None,
    **kwargs: Any,
) -> Any:
    """Call a Python function without side effects from traced code.

    Args:
      callback: gets the arguments as Arrays; returns arrays as declared.
      result_shape_dtypes: a pytree of objects with shape and dtype.
      *args, **kwargs: pytrees of arrays.
      vmap_method: under vmap, "sequential" calls it once an element, "expand_dims" and
        "broadcast_all" call it once with batch axes in front.
    Returns:
      The results' pytree of arrays. The call may be left out, or made more than once.
    Raises:
      RuntimeError: a result is not of its declared type.

    >>> import jaxlike, jaxlike.numpy as jnp, numpy as np
    >>> spec = jaxlike.ShapeDtypeStruct((3,), jnp.float32)
    >>> jaxlike.jit(lambda x: jaxlike.pure_callback(np.sin, spec, x))(jnp.zeros(3))
    Array([0., 0., 0.], dtype=float32)
    """
    if vmap_method is not None and vmap_method not in VMAP_METHODS:
        raise ValueError(
            format_error(
                f"vmap_method is one of {', '.join(VMAP_METHODS)}, or None; got "
                f"{vmap_method!r}"
            )
        )
    leaves, out_tree, flat, avals, arg_avals = _bind_params(
        callback, result_shape_dtypes, args, kwargs
    )
    outs = pure_callback_p.bind(
        *leaves,
        callback=flat,
        result_avals=avals,
        arg_avals=arg_avals,
        vmap_method=vmap_method,
    )
    return tree.unflatten(out_tree, outs)


def _pure_batch(
    axis_data, args, dims, *, callback, result_avals, arg_avals, vmap_method
):
    from jaxlike.primitives.shapes import expand_dims, moveaxis

    if vmap_method is None:
        raise NotImplementedError(
            format_error(
                "vmap of a pure_callback has to be told how: vmap_method is None",
                try_="vmap_method='sequential', or 'expand_dims' if the callback "
                "accepts leading batch axes",
            )
        )
    size = axis_data.size
    batched_avals = tuple(a.update(shape=(size, *a.shape)) for a in result_avals)
    if vmap_method in ("sequential", "sequential_unrolled"):
        mask = tuple(d is not None for d in dims)
        args = [
            a if d is None else moveaxis(a, d, 0)
            for a, d in zip(args, dims, strict=True)
        ]
        looped = _Looped(callback, mask, size)
        outs = pure_callback_p.bind(
            *args,
            callback=looped,
            result_avals=batched_avals,
            arg_avals=arg_avals,
            vmap_method=vmap_method,
        )
        return outs, [0] * len(outs)
    if vmap_method == "expand_dims":
        args = [
            expand_dims(a, (0,)) if d is None else moveaxis(a, d, 0)
            for a, d in zip(args, dims)
        ]
    elif vmap_method == "legacy_vectorized":
        args = [a if d is None else moveaxis(a, d, 0) for a, d in zip(args, dims)]
    else:
        from jaxlike.primitives.shapes import broadcast

        args = [
            broadcast(a, (size,)) if d is None else moveaxis(a, d, 0)
            for a, d in zip(args, dims)
        ]
    outs = pure_callback_p.bind(
        *args,
        callback=callback,
        result_avals=batched_avals,
        arg_avals=arg_avals,
        vmap_method=vmap_method,
    )
    return outs, [0] * len(outs)


class _Looped:
    """A flat callback called once for each element along axis 0."""

    __slots__ = ("callback", "mask", "size")

    def __init__(self, callback, mask, size):
        self.callback, self.mask, self.size = callback, mask, size

    def __repr__(self) -> str:
        return repr(self.callback)

    def __call__(self, buffers, avals):
        results = [
            self.callback(
                [np.asarray(b[i]) if m else b for b, m in zip(buffers, self.mask)],
                avals,
            )
            for i in range(self.size)
        ]
        return [np.stack(column) for column in zip(*results)]


def _no_pure_jvp(primals, tangents, **params):
    if any(type(t) is not Zero for t in tangents):
        raise ValueError(
            format_error(
                "pure_callback has no derivative, as it calls a function of Python's",
                try_="jaxlike.custom_jvp around the callback, with a rule for it",
            )
        )
    outs = pure_callback_p.bind(*primals, **params)
    return outs, [Zero(get_aval(x).to_tangent_aval()) for x in outs]


pure_callback_p.shape = _result_shape
pure_callback_p.evaluate = _run
pure_callback_p.jvp = _no_pure_jvp
pure_callback_p.batch = _pure_batch


# --- io_callback


def io_callback(
    callback: Callable,
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    ordered: bool = False,
    **kwargs: Any,
) -> Any:
    """Call a Python function with side effects from traced code.

    Args, returns, raises: as `pure_callback`; it is called exactly once a run, and with
    ordered=True in the order of the program.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike.experimental import io_callback
    >>> seen = []
    >>> jaxlike.jit(lambda x: io_callback(lambda v: seen.append(int(v)), None, x))(3)
    >>> seen
    [3]
    """
    leaves, out_tree, flat, avals, arg_avals = _bind_params(
        callback, result_shape_dtypes, args, kwargs
    )
    outs = io_callback_p.bind(
        *leaves,
        callback=flat,
        result_avals=avals,
        arg_avals=arg_avals,
        ordered=ordered,
    )
    return tree.unflatten(out_tree, outs)


def _io_shape(*avals, result_avals, ordered, **_):
    effect = ordered_io_effect if ordered else io_effect
    return list(result_avals), frozenset({effect})


def _io_batch(axis_data, args, dims, *, callback, result_avals, arg_avals, ordered):
    from jaxlike.primitives.shapes import moveaxis

    if ordered:
        raise ValueError(
            format_error(
                "an ordered io_callback cannot be batched: a batch has no order",
                try_="ordered=False",
            )
        )
    mask = tuple(d is not None for d in dims)
    args = [a if d is None else moveaxis(a, d, 0) for a, d in zip(args, dims)]
    size = axis_data.size
    outs = io_callback_p.bind(
        *args,
        callback=_Looped(callback, mask, size),
        result_avals=tuple(a.update(shape=(size, *a.shape)) for a in result_avals),
        arg_avals=arg_avals,
        ordered=ordered,
    )
    return outs, [0] * len(outs)


def _no_io_jvp(primals, tangents, **params):
    if any(type(t) is not Zero for t in tangents):
        raise ValueError(
            format_error(
                "io_callback has no derivative, as it calls a function of Python's",
                try_="jaxlike.custom_jvp around the callback, with a rule for it",
            )
        )
    outs = io_callback_p.bind(*primals, **params)
    return outs, [Zero(get_aval(x).to_tangent_aval()) for x in outs]


io_callback_p.shape = _io_shape
io_callback_p.effectful = True
io_callback_p.evaluate = _run
io_callback_p.jvp = _no_io_jvp
io_callback_p.batch = _io_batch


# --- debug callbacks


def debug_callback(
    callback: Callable[..., None] | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    **kwargs: Any,
) -> Callable[..., None] | None:
    """Call a Python function for its side effect; results are ignored.

    It works under every transform: derivatives pass it by, vmap calls it once for each
    element.

    Args:
      callback: the function. Without one, what comes back takes the function and its
        arguments: `jaxlike.debug.callback(ordered=True)(fun, x)`.
      *args, **kwargs: pytrees of arrays; what is no array is passed as it is.
      ordered: keep the order among ordered callbacks.
      partitioned: each device calls with its own shard; there is one device so far.

    >>> import jaxlike
    >>> jaxlike.jit(lambda x: jaxlike.debug.callback(print, x))(1.0)
    1.0
    """
    if callback is None:
        return functools.partial(_debug_callback, ordered)
    _debug_callback(ordered, callback, *args, **kwargs)
    return None


def _debug_callback(ordered: bool, callback: Callable, /, *args: Any, **kwargs: Any):
    if not callable(callback):
        raise TypeError(
            format_error(f"debug.callback takes a function, got {type(callback)}")
        )
    leaves, in_tree = tree.flatten((args, kwargs))
    # what is no array is passed as it is
    dynamic = [i for i, x in enumerate(leaves) if _is_operand(x)]
    static = {i: x for i, x in enumerate(leaves) if i not in set(dynamic)}

    def call(*arrays):
        given = iter(arrays)
        full = [static[i] if i in static else next(given) for i in range(len(leaves))]
        args, kwargs = tree.unflatten(in_tree, full)
        callback(*args, **kwargs)

    operands = [leaves[i] for i in dynamic]
    flat_tree = tree.structure((tuple(operands), {}))
    debug_callback_p.bind(
        *operands,
        callback=FlatCallback(call, flat_tree, None, ()),
        arg_avals=tuple(get_aval(x) for x in operands),
        ordered=ordered,
    )


def _is_operand(x: Any) -> bool:
    try:
        get_aval(x)
    except TypeError:
        return False
    return True


def _debug_shape(*avals, ordered, **_):
    return [], frozenset({ordered_debug_effect if ordered else debug_effect})


def _debug_run(*buffers, callback, arg_avals, **_):
    callback(list(buffers), arg_avals)
    return []


def _debug_batch(axis_data, args, dims, *, callback, arg_avals, ordered):
    from jaxlike.primitives.shapes import moveaxis

    mask = tuple(d is not None for d in dims)
    args = [a if d is None else moveaxis(a, d, 0) for a, d in zip(args, dims)]
    debug_callback_p.bind(
        *args,
        callback=_Looped(callback, mask, axis_data.size),
        arg_avals=arg_avals,
        ordered=ordered,
    )
    return [], []


def _debug_jvp(primals, tangents, **params):
    debug_callback_p.bind(*primals, **params)
    return [], []


debug_callback_p.shape = _debug_shape
debug_callback_p.effectful = True
debug_callback_p.evaluate = _debug_run
debug_callback_p.jvp = _debug_jvp
debug_callback_p.transpose = lambda cts, *args, **params: [None] * len(args)
debug_callback_p.batch = _debug_batch


def effects_barrier() -> None:
    """Wait until all side effects of earlier calls have happened: at once, here.

    >>> import jaxlike
    >>> jaxlike.effects_barrier()
    """
