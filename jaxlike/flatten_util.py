"""A pytree of arrays as one vector, and back.

Floor 4: imports core and primitives.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jaxlike.core import dtypes, tree
from jaxlike.core.array import to_array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.primitives.conversion import convert
from jaxlike.primitives.joining import concatenate, split
from jaxlike.primitives.shapes import reshape

__all__ = ["ravel_pytree"]


def ravel_pytree(pytree: Any) -> tuple[Any, Unravel]:
    """Concatenate the raveled leaves of a pytree.

    Args:
      pytree: of arrays and scalars.
    Returns:
      a 1D array of the leaves' promoted dtype, and the function that takes such an
      array back to a pytree with the leaves' own shapes and dtypes.
    Raises:
      TypeError: a leaf is not numeric.

    >>> import jaxlike.numpy as jnp
    >>> from jaxlike.flatten_util import ravel_pytree
    >>> flat, unravel = ravel_pytree({"w": jnp.ones((2, 1)), "b": 3.0})
    >>> flat
    Array([3., 1., 1.], dtype=float32)
    >>> unravel(flat * 2)["b"]
    Array(6., dtype=float32)
    """
    leaves, treedef = tree.flatten(pytree)
    if not leaves:
        return to_array(np.zeros(0, np.float32)), Unravel(treedef, (), (), None)
    avals = [get_aval(x) for x in leaves]
    for aval in avals:
        if isinstance(aval.dtype, dtypes.ExtendedDType):
            raise TypeError(
                format_error(
                    f"ravel_pytree takes numeric leaves, got {aval.str_short()}",
                    try_="leave keys out of the tree",
                )
            )
    dtype = dtypes.result_type(*[aval.dtype for aval in avals])
    parts = [reshape(convert(x, dtype), (a.size,)) for x, a in zip(leaves, avals)]
    shapes = tuple([aval.shape for aval in avals])
    unravel = Unravel(treedef, shapes, tuple([aval.dtype for aval in avals]), dtype)
    return (concatenate(parts, 0) if len(parts) > 1 else parts[0]), unravel


class Unravel:
    """The inverse of one `ravel_pytree`; equal for equal structures and shapes."""

    __slots__ = ("_key", "_sizes")

    def __init__(self, treedef, shapes, leaf_dtypes, dtype):
        self._key = (treedef, shapes, leaf_dtypes, dtype)
        self._sizes = tuple([math.prod(shape) for shape in shapes])

    def __call__(self, flat: Any) -> Any:
        treedef, shapes, leaf_dtypes, dtype = self._key
        if not shapes:
            return treedef.unflatten([])
        aval = get_aval(flat)
        if aval.shape != (sum(self._sizes),):
            raise ValueError(
                format_error(
                    f"unravel takes an array of shape ({sum(self._sizes)},), got "
                    f"{aval.str_short()}"
                )
            )
        # a tree of one dtype follows the array's, which may be another one
        same = all(d == dtype for d in leaf_dtypes)
        if not same and aval.dtype != dtype:
            raise TypeError(
                format_error(
                    f"unravel takes an array of dtype {dtype}, got {aval.str_short()}",
                    try_=f"flat.astype({dtype.name!r})",
                )
            )
        parts = split(flat, self._sizes) if len(shapes) > 1 else [flat]
        return treedef.unflatten(
            [
                reshape(part if same else convert(part, leaf_dtype), shape)
                for part, leaf_dtype, shape in zip(parts, leaf_dtypes, shapes)
            ]
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unravel) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"<unravel to {self._key[0]}>"
