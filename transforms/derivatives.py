"""What grad, jvp, vjp and linearize share: reading arguments, handing back results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes, tree
from jaxlike.core.array import to_array
from jaxlike.core.avals import get_aval, is_valid_operand
from jaxlike.core.errors import format_error
from jaxlike.transforms.arguments import FlatFunction, a_value, as_argnums, fun_name

Argnums = int | Sequence[int]


class AuxFunction:
    """A flat function whose result is (out, aux); keeps aux aside, concretely."""

    __slots__ = ("aux", "aux_tree", "flat", "num_out", "out_tree")

    def __init__(self, fun: Callable, in_tree: Any):
        self.flat = FlatFunction(fun, in_tree)

    @property
    def __name__(self) -> str:
        return self.flat.__name__

    def __call__(self, *leaves):
        args, kwargs = tree.unflatten(self.flat.in_tree, leaves)
        result = self.flat.fun(*args, **kwargs)
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            raise TypeError(
                format_error(
                    f"with has_aux=True, {self.__name__} must return a pair "
                    f"(out, aux), but it returned {described(result)}",
                    try_="return out, aux",
                )
            )
        out, aux = result
        outs, self.out_tree = tree.flatten(out)
        self.num_out = len(outs)
        # aux may hold anything: what is no array does not go through the trace
        self.aux, self.aux_tree = tree.flatten(aux)
        return [*outs, *(x for x in self.aux if is_valid_operand(x))]

    def aux_of(self, traced: Sequence[Any]) -> Any:
        """The aux pytree, given what came out of the trace for its arrays."""
        given = iter(traced)
        leaves = [next(given) if is_valid_operand(x) else x for x in self.aux]
        return tree.unflatten(self.aux_tree, leaves)


def resolve_argnums(fun, argnums, args, what: str) -> tuple[int, ...]:
    nums = as_argnums(argnums, "argnums")
    for i in nums:
        if not -len(args) <= i < len(args):
            error = TypeError if what == "grad" and i >= 0 else ValueError
            raise error(
                format_error(
                    f"{what}({fun_name(fun)}) differentiates argument {i}, but was "
                    f"called with {len(args)} positional arguments",
                    try_="argnums of arguments that are there; arguments passed by "
                    "keyword are not counted",
                )
            )
    return tuple(i % len(args) for i in nums)


def differentiable(leaves, nonzeros) -> list[bool]:
    return [
        nz and get_aval(x).to_tangent_aval().dtype != dtypes.float0
        for x, nz in zip(leaves, nonzeros)
    ]


def as_array(x):
    """Constants come out as Arrays, tracers and float0 zeros as they are."""
    if isinstance(x, np.ndarray) and x.dtype == dtypes.float0:
        return x
    if isinstance(x, (np.ndarray, np.generic, int, float, complex)):
        return to_array(x)
    return x


def described(x: Any) -> str:
    """A result of the user's function, in a message: its type and structure."""
    if is_valid_operand(x):
        return str(get_aval(x))
    if isinstance(x, (tuple, list)):
        return f"a {type(x).__name__} of length {len(x)}"
    return a_value(x)
