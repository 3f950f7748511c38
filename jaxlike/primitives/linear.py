"""What differentiation itself is made of: adding cotangents, and instantiating zeros.

add_any is `add` for (co)tangents: it adds any two values of one type.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero

add_any_p = Primitive("add_any")


def _add_any_shape(x, y):
    if x.shape != y.shape or x.dtype != y.dtype:
        raise TypeError(format_error(f"add_any got incompatible types {x} and {y}"))
    return x if not x.weak_type else y


def _add_any_jvp(primals, tangents):
    return add_any_p.bind(*primals), add_tangents(*tangents)


def _add_any_batch(axis_data, args, dims):
    from jaxlike.primitives.shapes import batch_axis_at

    to = next(d for d in dims if d is not None)
    # nothing stretches here: a cotangent without the axis is repeated along it
    args = [batch_axis_at(x, d, to, axis_data.size) for x, d in zip(args, dims)]
    return add_any_p.bind(*args), to


add_any_p.shape = _add_any_shape
add_any_p.evaluate = np.add
add_any_p.jvp = _add_any_jvp
add_any_p.transpose = lambda ct, x, y: [ct, ct]
add_any_p.batch = _add_any_batch


def add_tangents(x: Any, y: Any) -> Any:
    """The sum of two tangents (or cotangents), either of which may be a Zero."""
    if type(x) is Zero:
        return y
    if type(y) is Zero:
        return x
    return add_any_p.bind(x, y)


def zeros_of(aval: ShapedArray) -> Any:
    """An array of zeros of this type, under the current trace."""
    if aval.dtype == dtypes.float0:
        return np.zeros(aval.shape, dtypes.float0)
    from jaxlike.primitives.shapes import broadcast_in_dim

    zero: Any = np.zeros((), aval.dtype)
    if aval.weak_type:
        zero = Array(zero, ShapedArray((), aval.dtype, True))
    return broadcast_in_dim(zero, aval.shape, ()) if aval.shape else zero


def instantiate(x: Any) -> Any:
    """`x`, or an array of zeros if it is a Zero."""
    return zeros_of(x.aval) if type(x) is Zero else x


def zeros_like(x: Any) -> Any:
    """Zeros of the tangent type of the value `x`."""
    return zeros_of(get_aval(x).to_tangent_aval())
