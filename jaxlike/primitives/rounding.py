"""floor, ceil, round, is_finite, nextafter, reduce_precision: the grid of floats."""

from __future__ import annotations

import enum
import operator

import ml_dtypes
import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.zeros import Zero
from jaxlike.primitives.rules import (
    FLOAT,
    defjvp,
    deflinear,
    elementwise,
    elementwise_shape,
)
from jaxlike.primitives.types import ArrayLike

__all__ = [
    "RoundingMethod",
    "ceil",
    "ceil_p",
    "floor",
    "floor_p",
    "is_finite",
    "is_finite_p",
    "nextafter",
    "nextafter_p",
    "reduce_precision",
    "reduce_precision_p",
    "round",
    "round_p",
]

# --- floor, ceil, round: piecewise constant


class RoundingMethod(enum.IntEnum):
    """Where `round` takes halves: away from zero, or to the nearest even integer."""

    AWAY_FROM_ZERO = 0
    TO_NEAREST_EVEN = 1


# adding 0.5 itself would take the largest float below 0.5 to 1
_BELOW_HALF = {
    np.dtype(t): np.nextafter(t(0.5), t(0)) for t in (np.float32, np.float64)
}


def _round_evaluate(x, rounding_method):
    if rounding_method == RoundingMethod.TO_NEAREST_EVEN:
        return np.rint(x)
    wide = x if x.dtype.itemsize >= 4 else x.astype(np.float32)
    out = np.trunc(wide + np.copysign(_BELOW_HALF[wide.dtype], wide))
    return out if out.dtype is x.dtype else out.astype(x.dtype)


floor_p = elementwise("floor", np.floor, FLOAT)
ceil_p = elementwise("ceil", np.ceil, FLOAT)
round_p = elementwise("round", _round_evaluate, FLOAT)
is_finite_p = elementwise(
    "is_finite", np.isfinite, FLOAT, result=lambda dtype: dtypes.bool_
)
for _p in (floor_p, ceil_p, round_p, is_finite_p):
    defjvp(_p, None)


def floor(x: ArrayLike) -> Array:
    """The largest integer not above x, elementwise, of a float array.

    >>> from jaxlike import lax
    >>> lax.floor(-1.5).item()
    -2.0
    """
    return floor_p.bind(x)


def ceil(x: ArrayLike) -> Array:
    """The smallest integer not below x, elementwise, of a float array.

    >>> from jaxlike import lax
    >>> lax.ceil(-1.5).item()
    -1.0
    """
    return ceil_p.bind(x)


def round(
    x: ArrayLike, rounding_method: RoundingMethod = RoundingMethod.AWAY_FROM_ZERO
) -> Array:
    """The nearest integer, elementwise, of a float array; halves by `rounding_method`.

    >>> from jaxlike import lax
    >>> lax.round(2.5).item(), lax.round(2.5, lax.RoundingMethod.TO_NEAREST_EVEN).item()
    (3.0, 2.0)
    """
    return round_p.bind(x, rounding_method=RoundingMethod(rounding_method))


def is_finite(x: ArrayLike) -> Array:
    """Whether each float is neither infinite nor NaN; a bool array.

    >>> from jaxlike import lax
    >>> lax.is_finite(1.0).item()
    True
    """
    return is_finite_p.bind(x)


nextafter_p = elementwise("nextafter", np.nextafter, FLOAT, nargs=2)
nextafter_p.not_differentiable = "it steps from float to float, as rounding does"


def nextafter(x1: ArrayLike, x2: ArrayLike) -> Array:
    """The float next to x1 in the direction of x2, elementwise, of one float dtype.

    >>> from jaxlike import lax
    >>> lax.nextafter(0.0, 1.0).item() > 0
    True
    """
    return nextafter_p.bind(x1, x2)


# --- reduce_precision: round to the values of a float type with fewer bits. Linear,
# for differentiation: a tangent is rounded as the value is.


def _reduce_precision_shape(x, exponent_bits, mantissa_bits):
    out = elementwise_shape("reduce_precision", (FLOAT,), None, True, x)
    if exponent_bits < 1 or mantissa_bits < 0:
        raise ValueError(
            format_error(
                "reduce_precision takes exponent_bits of 1 or more and mantissa_bits "
                f"of 0 or more; got exponent_bits={exponent_bits} and "
                f"mantissa_bits={mantissa_bits}"
            )
        )
    return out


def _reduce_precision_evaluate(x, exponent_bits, mantissa_bits):
    dtype = x.dtype
    info = ml_dtypes.finfo(dtype)
    if dtypes.itemsize_bits(dtype) < 16:  # formats without infinities, among others
        wide = _reduce_precision_evaluate(
            x.astype(np.float32), exponent_bits, mantissa_bits
        )
        return wide.astype(dtype)
    unsigned = np.dtype(f"u{dtype.itemsize}").type
    bits = np.asarray(x).view(unsigned)
    own_mantissa, own_exponent = int(info.nmant), int(info.nexp)
    drop = own_mantissa - mantissa_bits
    if drop > 0:  # round the bits dropped to nearest, ties to even
        last = (bits >> unsigned(drop)) & unsigned(1)
        bits = bits + (last + unsigned((1 << (drop - 1)) - 1))
        bits = bits & unsigned(~((1 << drop) - 1) & (2 ** (8 * dtype.itemsize) - 1))
    if exponent_bits < own_exponent:
        sign = bits & unsigned(1 << (own_mantissa + own_exponent))
        exponent = bits & unsigned(((1 << own_exponent) - 1) << own_mantissa)
        bias = (1 << (own_exponent - 1)) - 1
        reach = (1 << (exponent_bits - 1)) - 1
        infinity = unsigned(((1 << own_exponent) - 1) << own_mantissa)
        too_large = exponent > unsigned((bias + reach) << own_mantissa)
        too_small = exponent <= unsigned((bias - reach) << own_mantissa)
        bits = np.where(too_large, sign | infinity, bits)
        bits = np.where(too_small, sign, bits)  # subnormals are zero
    out = np.asarray(bits, unsigned).view(dtype)
    return np.where(np.isnan(x), x, out)


def _reduce_precision_transpose(ct, x, exponent_bits, mantissa_bits):
    if type(ct) is Zero:
        return [Zero(x.aval)]
    return [reduce_precision(ct, exponent_bits, mantissa_bits)]


reduce_precision_p = elementwise("reduce_precision", _reduce_precision_evaluate, FLOAT)
reduce_precision_p.shape = _reduce_precision_shape
deflinear(reduce_precision_p, _reduce_precision_transpose)


def reduce_precision(
    operand: ArrayLike, exponent_bits: int, mantissa_bits: int
) -> Array:
    """Round floats to what a format with fewer exponent and mantissa bits can hold.

    Too large values become infinite, too small ones zero; the dtype stays. Raises
    ValueError for fewer than 1 exponent bit or 0 mantissa bits.

    >>> from jaxlike import lax
    >>> lax.reduce_precision(1.2345, exponent_bits=5, mantissa_bits=2).item()
    1.25
    """
    return reduce_precision_p.bind(
        operand,
        exponent_bits=operator.index(exponent_bits),
        mantissa_bits=operator.index(mantissa_bits),
    )
