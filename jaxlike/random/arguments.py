"""What the samplers do with their arguments first: shapes, dtypes, parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.numpy.promote import broadcast_to_shape, convert
from jaxlike.primitives.axes import canonical_shape
from jaxlike.primitives.broadcasting import broadcast_shapes
from jaxlike.primitives.conversion import convert_element_type

LARGE = 1 << 13
"""Elements of a sample from which eager calls run compiled."""


def read_shape(shape: Any) -> tuple[int, ...]:
    """A `shape` argument, an int or a sequence of ints, as a tuple.

    >>> read_shape([2, 3])
    (2, 3)
    """
    return shape if type(shape) is tuple and not shape else canonical_shape(shape)


def float_dtype(name: str, dtype: Any) -> np.dtype:
    """A `dtype` argument that must be a float's; None is the default float.

    Raises: ValueError for another dtype.

    >>> float_dtype("uniform", None)
    dtype('float32')
    """
    if dtype is None:
        return dtypes.default_float_dtype()
    dtype = dtypes.check_user_dtype_supported(dtype, name)
    if not dtypes.issubdtype(dtype, np.floating):
        _wrong_dtype(name, "a float", dtype)
    return dtype


def inexact_dtype(name: str, dtype: Any) -> np.dtype:
    """As `float_dtype`, for samplers that make complex numbers too."""
    if dtype is None:
        return dtypes.default_float_dtype()
    dtype = dtypes.check_user_dtype_supported(dtype, name)
    if not dtypes.issubdtype(dtype, np.inexact):
        _wrong_dtype(name, "a float or complex", dtype)
    return dtype


def _wrong_dtype(name: str, wanted: str, got: Any) -> None:
    raise ValueError(
        format_error(f"dtype argument to `{name}` must be {wanted} dtype, got {got}")
    )


def int_dtype(dtype: Any, name: str) -> Any:
    """A `dtype` argument, the default integer dtype if it is None; not checked."""
    if dtype is None:
        return dtypes.default_int_dtype()
    return dtypes.check_user_dtype_supported(dtype, name)


def samples_shape(name: str, shape: Any, *params: Any) -> tuple[int, ...]:
    """The shape of the samples: the argument `shape`, which the parameters' shapes
    must broadcast to, or what they broadcast to among themselves if it is None.

    Raises: ValueError if they do not.
    """
    shapes = [get_aval(p).shape for p in params]
    if shape is None:
        return broadcast_shapes(*shapes)
    shape = read_shape(shape)
    if not any(shapes):
        return shape
    result = broadcast_shapes(shape, *shapes)
    if result != shape:
        raise ValueError(
            format_error(
                f"{name} parameter shapes must be broadcast-compatible with shape "
                "argument, and the result of broadcasting the shapes must equal the "
                f"shape argument, but got result {result} for shape argument {shape}."
            )
        )
    return shape


def as_dtype(x: Any, dtype: Any) -> Any:
    """A parameter converted to the samples' dtype, not weakly typed.

    >>> as_dtype(1, np.dtype("float32"))
    array(1., dtype=float32)
    """
    if dtypes.issubdtype(get_aval(x).dtype, np.complexfloating):
        return convert_element_type(x, dtype)
    return convert(x, dtype)


def safely(name: str, dtype: Any, *params: Any) -> list[Any]:
    """Parameters converted to a dtype that they promote to.

    Raises: TypePromotionError if one of them needs a wider dtype.
    """
    for p in params:
        if dtypes.lattice_result_type(p, _Strong(dtype))[0] != dtype:
            raise dtypes.TypePromotionError(
                f"{name}: an argument of {get_aval(p).dtype} does not fit into {dtype}"
            )
    return [as_dtype(p, dtype) for p in params]


class _Strong:
    """Stands for a value of a dtype in promotion."""

    weak_type = False

    def __init__(self, dtype: Any):
        self.dtype = dtype


def spread(x: Any, shape: tuple[int, ...]) -> Any:
    """`x` stretched to a shape that it broadcasts to; scalars stay scalars."""
    return x if not get_aval(x).shape else broadcast_to_shape(x, shape)
