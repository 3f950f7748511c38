"""make_jaxpr and eval_shape: what a function would do, without doing it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from jaxlike.core import tree
from jaxlike.core.avals import ShapedArray
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import ClosedJaxpr, DebugInfo
from jaxlike.core.source_info import api_boundary
from jaxlike.core.staging import trace_to_closed_jaxpr
from jaxlike.transforms.arguments import (
    FlatFunction,
    as_argnums,
    check_callable,
    check_outputs,
    fun_name,
    leaf_names,
)


class ShapeDtypeStruct:
    """The shape and dtype of an array, without its values.

    >>> import jaxlike
    >>> jaxlike.ShapeDtypeStruct((2, 3), "float32")
    ShapeDtypeStruct(shape=(2, 3), dtype=float32)
    """

    __slots__ = ("dtype", "shape", "sharding", "weak_type")

    def __init__(self, shape, dtype, *, sharding=None, weak_type=False, **_):
        import numpy as np

        from jaxlike.core.dtypes import ExtendedDType

        if dtype is None:
            raise ValueError(format_error("ShapeDtypeStruct needs a dtype"))
        self.shape = tuple(shape)
        self.dtype = dtype if isinstance(dtype, ExtendedDType) else np.dtype(dtype)
        self.sharding = sharding
        self.weak_type = weak_type

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        size = 1
        for n in self.shape:
            size *= n
        return size

    def update(self, **changes) -> ShapeDtypeStruct:
        fields = {name: getattr(self, name) for name in self.__slots__}
        return ShapeDtypeStruct(**(fields | changes))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(format_error("len() of unsized object"))
        return self.shape[0]

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.weak_type else ""
        name = getattr(self.dtype, "name", self.dtype)
        return f"ShapeDtypeStruct(shape={self.shape}, dtype={name}{weak})"

    def __eq__(self, other) -> bool:
        return isinstance(other, ShapeDtypeStruct) and (
            (self.shape, self.dtype, self.weak_type, self.sharding)
            == (other.shape, other.dtype, other.weak_type, other.sharding)
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype, self.weak_type))


def shape_structs(avals: Sequence[ShapedArray]) -> list[ShapeDtypeStruct]:
    return [ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type) for a in avals]


def trace_call(
    fun: Callable, args: tuple, kwargs: dict[str, Any], traced_for: str
) -> tuple[ClosedJaxpr, Any]:
    """The closed jaxpr of fun(*args, **kwargs) and the structure of its result.

    Arguments are pytrees of arrays or of anything with a shape and a dtype.
    """
    from jaxlike.transforms.jit import aval_of_spec

    leaves, in_tree = tree.flatten((args, kwargs))
    avals = [aval_of_spec(leaf) for leaf in leaves]
    flat = FlatFunction(fun, in_tree)

    def checked(*xs):
        outs = flat(*xs)
        check_outputs(fun, outs, flat.out_tree)
        return outs

    debug_info = DebugInfo(
        traced_for, fun_name(fun), lambda: leaf_names(fun, args, kwargs)
    )
    closed = trace_to_closed_jaxpr(checked, avals, debug_info=debug_info)
    return closed, flat.out_tree


def make_jaxpr(
    fun: Callable,
    static_argnums: int | Sequence[int] = (),
    axis_env: Sequence[tuple[Any, int]] | None = None,
    return_shape: bool = False,
) -> Callable[..., Any]:
    """A function that returns the jaxpr of `fun` for its arguments.

    Args:
      fun: a function of pytrees of arrays.
      static_argnums: positions that are Python values.
      axis_env: (name, size) pairs of axes that collectives in `fun` may name.
      return_shape: also return the result's pytree of ShapeDtypeStruct.
    Returns:
      A function of fun's arguments, to a ClosedJaxpr (or a pair).

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> jaxlike.make_jaxpr(lambda x: jnp.sin(x) * 2)(1.0)
    { lambda ; a:f32[]. let b:f32[] = sin a; c:f32[] = mul b 2.0:f32[] in (c,) }
    """
    check_callable(fun, "make_jaxpr")
    statics = as_argnums(static_argnums, "static_argnums")

    @functools.wraps(fun)
    @api_boundary
    def make(*args, **kwargs):
        from jaxlike.core.state import state

        nums = {i % len(args) if args else i for i in statics}

        @functools.wraps(fun)
        def call(*dynamic, **kw):
            given = iter(dynamic)
            full = [arg if i in nums else next(given) for i, arg in enumerate(args)]
            return fun(*full, **kw)

        dynamic = tuple(a for i, a in enumerate(args) if i not in nums)
        previous = state.axis_env
        state.axis_env = {**previous, **dict(axis_env or ())}
        try:
            closed, out_tree = trace_call(
                call if nums else fun, dynamic, kwargs, "make_jaxpr"
            )
        finally:
            state.axis_env = previous
        if return_shape:
            return closed, tree.unflatten(out_tree, shape_structs(closed.out_avals))
        return closed

    return make


@api_boundary
def eval_shape(fun: Callable, *args, **kwargs) -> Any:
    """The shapes and dtypes of fun(*args, **kwargs), without computing it.

    Args:
      fun: a function of pytrees of arrays.
      *args, **kwargs: arrays, or anything with a shape and a dtype.
    Returns:
      The result's pytree with a ShapeDtypeStruct for each array.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> jaxlike.eval_shape(jnp.sum, jaxlike.ShapeDtypeStruct((3,), jnp.float32))
    ShapeDtypeStruct(shape=(), dtype=float32)
    """
    check_callable(fun, "eval_shape")
    closed, out_tree = trace_call(fun, args, kwargs, "eval_shape")
    return tree.unflatten(out_tree, shape_structs(closed.out_avals))
