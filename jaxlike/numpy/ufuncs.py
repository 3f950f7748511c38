"""The functions that are ufunc objects: add, subtract, multiply, maximum, minimum,
negative, logaddexp and the logical and bitwise pairs.

Other elementwise functions are in unary.py, binary.py, special.py and checks.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jaxlike.core.array import Array
from jaxlike.numpy import ufunc_methods as methods
from jaxlike.numpy.composites import composite
from jaxlike.numpy.dispatch import binary, unary
from jaxlike.numpy.promote import (
    ArrayLike,
    dtype_of,
    promote_args,
    promote_args_inexact,
    scalar_like,
)
from jaxlike.numpy.ufunc_objects import binary_ufunc, ufunc
from jaxlike.primitives import arithmetic, bitwise, comparison

__all__ = [
    "add",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "subtract",
]

_bool = np.dtype(bool)


def _ufunc_of(primitive, kinds: str, **ways) -> Callable[[Callable], binary_ufunc]:
    def make(fun):
        call = binary(fun, primitive, kinds) if primitive else composite(fun)
        return binary_ufunc(fun, call=call, **ways)

    return make


# --- arithmetic


@_ufunc_of(
    arithmetic.add_p,
    "iufc",
    identity=0,
    reduce=methods.add_reduce,
    accumulate=methods.add_accumulate,
    at=methods.add_at,
)
def add(x: ArrayLike, y: ArrayLike, /) -> Array:
    """x + y, elementwise; `or` for booleans.

    Args: arrays or scalars that broadcast together.
    Returns: an array of the promoted dtype; integers wrap.

    >>> import jaxlike.numpy as jnp
    >>> jnp.add(jnp.array([1, 2]), 3).tolist()
    [4, 5]
    """
    x, y = promote_args("add", x, y)
    if dtype_of(x) == _bool:
        return bitwise.bitwise_or(x, y)
    return arithmetic.add(x, y)


@_ufunc_of(
    arithmetic.sub_p,
    "iufc",
    at=methods.subtract_at,
)
def subtract(x: ArrayLike, y: ArrayLike, /) -> Array:
    """x - y, elementwise.

    Args: arrays or scalars that broadcast together, not both boolean.
    Returns: an array of the promoted dtype; integers wrap.

    >>> import jaxlike.numpy as jnp
    >>> jnp.subtract(jnp.array([1, 2]), 3).tolist()
    [-2, -1]
    """
    return arithmetic.sub(*promote_args("subtract", x, y))


@_ufunc_of(
    arithmetic.mul_p,
    "iufc",
    identity=1,
    reduce=methods.multiply_reduce,
    accumulate=methods.multiply_accumulate,
    at=methods.multiply_at,
)
def multiply(x: ArrayLike, y: ArrayLike, /) -> Array:
    """x * y, elementwise; `and` for booleans.

    Args: arrays or scalars that broadcast together.
    Returns: an array of the promoted dtype; integers wrap.

    >>> import jaxlike.numpy as jnp
    >>> jnp.multiply(jnp.array([1, 2]), 3).tolist()
    [3, 6]
    """
    x, y = promote_args("multiply", x, y)
    if dtype_of(x) == _bool:
        return bitwise.bitwise_and(x, y)
    return arithmetic.mul(x, y)


@_ufunc_of(
    arithmetic.max_p,
    "iuf",
    reduce=methods.maximum_reduce,
    accumulate=methods.maximum_accumulate,
    at=methods.maximum_at,
)
def maximum(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The greater of x and y, elementwise; NaN where either is NaN.

    Complex numbers are ordered by their real parts, then by their imaginary parts.

    >>> import jaxlike.numpy as jnp
    >>> jnp.maximum(jnp.array([1, 5]), 3).tolist()
    [3, 5]
    """
    return arithmetic.max(*promote_args("maximum", x, y))


@_ufunc_of(
    arithmetic.min_p,
    "iuf",
    reduce=methods.minimum_reduce,
    accumulate=methods.minimum_accumulate,
    at=methods.minimum_at,
)
def minimum(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The lesser of x and y, elementwise; NaN where either is NaN.

    Complex numbers are ordered by their real parts, then by their imaginary parts.

    >>> import jaxlike.numpy as jnp
    >>> jnp.minimum(jnp.array([1, 5]), 3).tolist()
    [1, 3]
    """
    return arithmetic.min(*promote_args("minimum", x, y))


def _negative(x: ArrayLike, /) -> Array:
    """-x, elementwise.

    Args: an array or a scalar of numbers. Integers wrap.

    >>> import jaxlike.numpy as jnp
    >>> jnp.negative(jnp.array([1, -2])).tolist()
    [-1, 2]
    """
    return arithmetic.neg(*promote_args("negative", x))


_negative.__name__ = _negative.__qualname__ = "negative"
negative = ufunc(
    _negative,
    nin=1,
    nout=1,
    call=unary(_negative, arithmetic.neg_p, "iufc"),
    at=methods.negative_at,
)


# --- logarithms of sums: see logsum.py


@_ufunc_of(
    None,
    "",
    identity=-np.inf,
    reduce=methods.logaddexp_reduce,
    accumulate=methods.logaddexp_accumulate,
)
def logaddexp(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """log(exp(x1) + exp(x2)), elementwise, without overflow.

    Args: arrays or scalars that broadcast together.
    Returns: a float or complex array.

    >>> import jaxlike.numpy as jnp
    >>> f"{jnp.logaddexp(1000.0, 1000.0):.3f}"
    '1000.693'
    """
    from jaxlike.numpy.logsum import logaddexp

    return logaddexp(*promote_args_inexact("logaddexp", x1, x2))


@_ufunc_of(
    None,
    "",
    identity=-np.inf,
    reduce=methods.logaddexp2_reduce,
)
def logaddexp2(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """log2(2**x1 + 2**x2), elementwise, without overflow.

    Args: arrays or scalars that broadcast together.
    Returns: a float or complex array.

    >>> import jaxlike.numpy as jnp
    >>> jnp.logaddexp2(1000.0, 1000.0).item()
    1001.0
    """
    from jaxlike.numpy.logsum import logaddexp2

    return logaddexp2(*promote_args_inexact("logaddexp2", x1, x2))


# --- logic on truth values


def to_bool(x: ArrayLike) -> Array:
    """Whether each element differs from zero."""
    return x if dtype_of(x) == _bool else comparison.ne(x, scalar_like(x, 0))


@_ufunc_of(
    bitwise.and_p,
    "b",
    identity=True,
    reduce=methods.logical_and_reduce,
    accumulate=methods.logical_and_accumulate,
)
def logical_and(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether both x and y are nonzero, elementwise.

    >>> import jaxlike.numpy as jnp
    >>> jnp.logical_and(jnp.array([0, 2]), 1).tolist()
    [False, True]
    """
    return bitwise.bitwise_and(*map(to_bool, promote_args("logical_and", x, y)))


@_ufunc_of(
    bitwise.or_p,
    "b",
    identity=False,
    reduce=methods.logical_or_reduce,
    accumulate=methods.logical_or_accumulate,
)
def logical_or(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether x or y is nonzero, elementwise.

    >>> import jaxlike.numpy as jnp
    >>> jnp.logical_or(jnp.array([0, 2]), 0).tolist()
    [False, True]
    """
    return bitwise.bitwise_or(*map(to_bool, promote_args("logical_or", x, y)))


@_ufunc_of(
    bitwise.xor_p,
    "b",
    identity=False,
    reduce=methods.logical_xor_reduce,
    accumulate=methods.logical_xor_accumulate,
)
def logical_xor(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether just one of x and y is nonzero, elementwise.

    >>> import jaxlike.numpy as jnp
    >>> jnp.logical_xor(jnp.array([0, 2]), 1).tolist()
    [True, False]
    """
    return bitwise.bitwise_xor(*map(to_bool, promote_args("logical_xor", x, y)))


# --- bits


@_ufunc_of(
    bitwise.and_p,
    "biu",
    identity=-1,
    reduce=methods.bitwise_and_reduce,
)
def bitwise_and(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The bits set in both x and y, elementwise, of integers or booleans.

    >>> import jaxlike.numpy as jnp
    >>> jnp.bitwise_and(jnp.array([5, 6]), 3).tolist()
    [1, 2]
    """
    return bitwise.bitwise_and(*promote_args("bitwise_and", x, y))


@_ufunc_of(
    bitwise.or_p,
    "biu",
    identity=0,
    reduce=methods.bitwise_or_reduce,
)
def bitwise_or(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The bits set in x or in y, elementwise, of integers or booleans.

    >>> import jaxlike.numpy as jnp
    >>> jnp.bitwise_or(jnp.array([5, 6]), 3).tolist()
    [7, 7]
    """
    return bitwise.bitwise_or(*promote_args("bitwise_or", x, y))


@_ufunc_of(
    bitwise.xor_p,
    "biu",
    identity=0,
    reduce=methods.bitwise_xor_reduce,
)
def bitwise_xor(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The bits set in just one of x and y, elementwise, of integers or booleans.

    >>> import jaxlike.numpy as jnp
    >>> jnp.bitwise_xor(jnp.array([5, 6]), 3).tolist()
    [6, 5]
    """
    return bitwise.bitwise_xor(*promote_args("bitwise_xor", x, y))
