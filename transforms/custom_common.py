"""What custom_jvp and custom_vjp share: arguments, symbolic zeros, batching."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from jaxlike.core import dtypes, tree
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.zeros import Zero
from jaxlike.primitives.linear import instantiate
from jaxlike.transforms.arguments import as_argnums, fun_name, signature_of
from jaxlike.transforms.batching import AxisData, batch_flat, materialize


class SymbolicZero:
    """What rules with symbolic_zeros=True get for a tangent or cotangent of zero."""

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray):
        self.aval = aval

    @property
    def shape(self):
        return self.aval.shape

    @property
    def dtype(self):
        return self.aval.dtype

    @property
    def ndim(self):
        return self.aval.ndim

    @property
    def weak_type(self):
        return self.aval.weak_type

    def __repr__(self) -> str:
        return f"SymbolicZero({self.aval})"

    @staticmethod
    def from_primal_value(value: Any) -> SymbolicZero:
        return SymbolicZero(get_aval(value).to_tangent_aval())


def zero_from_primal(value: Any, symbolic_zeros: bool = False) -> Any:
    """The zero tangent of a primal value: a SymbolicZero, or an array of zeros."""
    aval = get_aval(value).to_tangent_aval()
    return SymbolicZero(aval) if symbolic_zeros else instantiate(Zero(aval))


def to_rule(tangent: Any, symbolic_zeros: bool) -> Any:
    """A tangent as a user's rule gets it."""
    if type(tangent) is Zero:
        return SymbolicZero(tangent.aval) if symbolic_zeros else instantiate(tangent)
    return tangent


def from_rule(tangent: Any) -> Any:
    """A tangent as a user's rule returned it."""
    if type(tangent) is SymbolicZero:
        return Zero(tangent.aval)
    aval = get_aval(tangent)
    return Zero(aval) if aval.dtype == dtypes.float0 else tangent


def bind_arguments(fun: Callable, args: tuple, kwargs: dict[str, Any]) -> tuple:
    """Positional arguments of a call: keywords put in place, defaults filled in."""
    signature = signature_of(fun)
    if signature is None:
        if kwargs:
            raise TypeError(
                format_error(
                    f"the signature of {fun_name(fun)} is unknown, so its keyword "
                    "arguments have no positions"
                )
            )
        return args
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise TypeError(
            format_error(
                f"{fun_name(fun)} has a custom rule and so takes arguments by "
                f"position only, but {', '.join(bound.kwargs)} cannot be passed so"
            )
        )
    return bound.args


def nondiff_positions(
    fun: Callable, argnums: Any, argnames: Any = ()
) -> tuple[int, ...]:
    """The positions of arguments that the rules take as they are."""
    nums = list(as_argnums(argnums, "nondiff_argnums"))
    names = (argnames,) if isinstance(argnames, str) else tuple(argnames)
    if names:
        signature = signature_of(fun)
        order = list(signature.parameters) if signature is not None else []
        for name in names:
            if name not in order:
                raise ValueError(
                    format_error(
                        f"nondiff_argnames names {name!r}, which {fun_name(fun)} lacks"
                    )
                )
            nums.append(order.index(name))
    return tuple(sorted(set(nums)))


def close_over_nondiff(fun: Callable, positions: Sequence[int], args: tuple):
    """`fun` of the differentiable arguments alone, and these arguments."""
    if not positions:
        return fun, args
    nondiff = set(positions)
    dynamic = tuple(a for i, a in enumerate(args) if i not in nondiff)

    @functools.wraps(fun)
    def call(*given):
        values = iter(given)
        return fun(*(a if i in nondiff else next(values) for i, a in enumerate(args)))

    return call, dynamic


def batched_at_zero(
    fun: Callable[..., Sequence[Any]],
    axis_data: AxisData,
    dims: Sequence[int | None],
    tag: Any = None,
    decided: list[bool] | None = None,
) -> Callable[..., list[Any]]:
    """A flat function on batched values, with the batch axis first in every result.

    SymbolicZero arguments and results pass, with and without the batch axis; tag is
    that of the BatchTrace around the call, whose values the function may close over.
    decided tells the functions of one call whether its results have the batch axis: the
    first that runs puts the answer there. Without it they do.
    """

    def batched(*vals):
        traced = [x for x in vals if type(x) is not SymbolicZero]
        traced_dims = [
            d for x, d in zip(vals, dims, strict=True) if type(x) is not SymbolicZero
        ]
        layout: list[Any] = []

        def call(*xs):
            given = iter(xs)
            full = [
                _unbatched_zero(x, d) if type(x) is SymbolicZero else next(given)
                for x, d in zip(vals, dims)
            ]
            outs = fun(*full)
            layout.extend(x if type(x) in (SymbolicZero, Zero) else None for x in outs)
            return [x for x in outs if type(x) not in (SymbolicZero, Zero)]

        outs, out_dims = batch_flat(call, axis_data, traced, traced_dims, tag=tag)
        if decided is not None:
            batched_outs = any(d is not None for d in out_dims)
            if not decided:
                decided.append(batched_outs)
            if not decided[0]:
                if batched_outs:
                    raise TypeError(
                        format_error(
                            "a custom rule closes over a value that vmap batches, "
                            "which its function does not use",
                            try_="that value as an argument of the function",
                        )
                    )
                given_outs = iter(outs)
                return [next(given_outs) if z is None else z for z in layout]
        given_outs = iter(
            [materialize(x, d, axis_data) for x, d in zip(outs, out_dims)]
        )
        return [
            next(given_outs) if zero is None else _batched_zero(zero, axis_data)
            for zero in layout
        ]

    return batched


def _unbatched_zero(x: SymbolicZero, dim: int | None) -> SymbolicZero:
    if dim is None:
        return x
    shape = x.aval.shape
    return SymbolicZero(x.aval.update(shape=shape[:dim] + shape[dim + 1 :]))


def _batched_zero(zero, axis_data: AxisData):
    aval = zero.aval
    return type(zero)(aval.update(shape=(axis_data.size, *aval.shape)))


def mismatch(name: str, what: str, got: Any, expected: Any) -> list[str]:
    return tree.describe_mismatch(got, expected, f"{what} of {name}", "expected")
