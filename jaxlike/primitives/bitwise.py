"""and, or, xor, not, shifts, population_count, clz and mulhi: bits of integers.

A shift by the width or more (or by a negative amount) leaves zeros; the arithmetic
shift right leaves copies of the sign bit.
"""

from __future__ import annotations

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.primitives.arithmetic import in_own_dtype
from jaxlike.primitives.rules import BOOL_OR_INT, INT, defjvp, elementwise
from jaxlike.primitives.types import ArrayLike

__all__ = [
    "and_p",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "clz",
    "clz_p",
    "mulhi",
    "mulhi_p",
    "not_p",
    "or_p",
    "population_count",
    "population_count_p",
    "shift_left",
    "shift_left_p",
    "shift_right_arithmetic",
    "shift_right_arithmetic_p",
    "shift_right_logical",
    "shift_right_logical_p",
    "xor_p",
]


def _bits_op(name, evaluate, accepts, nargs=1):
    primitive = elementwise(name, evaluate, accepts, nargs=nargs)
    defjvp(primitive, *(None,) * nargs)
    return primitive


and_p = _bits_op("and", in_own_dtype(np.bitwise_and), BOOL_OR_INT, 2)
or_p = _bits_op("or", in_own_dtype(np.bitwise_or), BOOL_OR_INT, 2)
xor_p = _bits_op("xor", in_own_dtype(np.bitwise_xor), BOOL_OR_INT, 2)
not_p = _bits_op("not", in_own_dtype(np.bitwise_not), BOOL_OR_INT)


def bitwise_and(x: ArrayLike, y: ArrayLike) -> Array:
    """x & y, elementwise, of integer or bool arrays of one dtype.

    >>> from jaxlike import lax
    >>> lax.bitwise_and(6, 3).item()
    2
    """
    return and_p.bind(x, y)


def bitwise_or(x: ArrayLike, y: ArrayLike) -> Array:
    """x | y, elementwise, of integer or bool arrays of one dtype.

    >>> from jaxlike import lax
    >>> lax.bitwise_or(6, 3).item()
    7
    """
    return or_p.bind(x, y)


def bitwise_xor(x: ArrayLike, y: ArrayLike) -> Array:
    """x ^ y, elementwise, of integer or bool arrays of one dtype.

    >>> from jaxlike import lax
    >>> lax.bitwise_xor(6, 3).item()
    5
    """
    return xor_p.bind(x, y)


def bitwise_not(x: ArrayLike) -> Array:
    """~x, elementwise: each bit of an integer inverted, or the other bool.

    >>> from jaxlike import lax
    >>> lax.bitwise_not(6).item()
    -7
    """
    return not_p.bind(x)


# --- shifts


def _unsigned(dtype):
    return np.dtype(f"u{dtype.itemsize}")


def _widened(function):
    """Evaluate on int8 and uint8 for integers of less than a byte."""

    def evaluate(*args):
        dtype = args[0].dtype
        if dtype.kind in "iu":
            return function(dtypes.iinfo(dtype).bits, *args)
        signed = dtypes.issubdtype(dtype, np.signedinteger)
        wide = np.int8 if signed else np.uint8
        bits = dtypes.itemsize_bits(dtype)
        return function(bits, *[a.astype(wide) for a in args]).astype(dtype)

    return evaluate


# NumPy's shifts take the count for unsigned, and leave zeros (or copies of the sign)
# for counts from the width on


def _shift_left(bits, x, y):
    return np.left_shift(x, y)


def _shift_right_logical(bits, x, y):
    unsigned = _unsigned(x.dtype)
    own = np.asarray(x).view(unsigned)
    if bits < 8:  # a narrow integer's sign reaches into the rest of its byte
        own = own & unsigned.type((1 << bits) - 1)
    return np.right_shift(own, np.asarray(y).view(unsigned)).view(x.dtype)


def _shift_right_arithmetic(bits, x, y):
    if x.dtype.kind == "i":
        return np.right_shift(x, y)
    # an unsigned integer's top bit is taken for a sign
    signed = np.dtype(f"i{x.dtype.itemsize}")
    up = 8 * x.dtype.itemsize - bits
    top = np.asarray(np.left_shift(x, x.dtype.type(up))).view(signed)
    out = np.right_shift(top, np.asarray(np.minimum(y, bits)).view(signed))
    return np.right_shift(out, signed.type(up)).view(x.dtype)


shift_left_p = _bits_op("shift_left", _widened(_shift_left), INT, 2)
shift_right_logical_p = _bits_op(
    "shift_right_logical", _widened(_shift_right_logical), INT, 2
)
shift_right_arithmetic_p = _bits_op(
    "shift_right_arithmetic", _widened(_shift_right_arithmetic), INT, 2
)


def shift_left(x: ArrayLike, y: ArrayLike) -> Array:
    """x << y, elementwise, of integer arrays of one dtype; 0 for y beyond the width.

    >>> from jaxlike import lax
    >>> lax.shift_left(3, 2).item()
    12
    """
    return shift_left_p.bind(x, y)


def shift_right_logical(x: ArrayLike, y: ArrayLike) -> Array:
    """x >> y, elementwise, filling with zero bits; 0 for y beyond the width.

    >>> from jaxlike import lax
    >>> lax.shift_right_logical(-1, 28).item()
    15
    """
    return shift_right_logical_p.bind(x, y)


def shift_right_arithmetic(x: ArrayLike, y: ArrayLike) -> Array:
    """x >> y, elementwise, filling with copies of the top bit.

    >>> from jaxlike import lax
    >>> lax.shift_right_arithmetic(-8, 1).item()
    -4
    """
    return shift_right_arithmetic_p.bind(x, y)


# --- counting bits


def _population_count(bits, x):
    mask = _unsigned(x.dtype).type((1 << bits) - 1)
    own = np.asarray(x).view(mask.dtype) & mask
    return np.bitwise_count(own).astype(x.dtype)


def _clz(bits, x):
    mask = _unsigned(x.dtype).type((1 << bits) - 1)
    smeared = np.asarray(x).view(mask.dtype) & mask
    shift = 1
    while shift < bits:  # copy the highest bit set into all bits below it
        smeared = smeared | (smeared >> mask.dtype.type(shift))
        shift *= 2
    return (bits - np.bitwise_count(smeared)).astype(x.dtype)


population_count_p = _bits_op("population_count", _widened(_population_count), INT)
clz_p = _bits_op("clz", _widened(_clz), INT)


def population_count(x: ArrayLike) -> Array:
    """The number of bits set in each integer; of the operand's dtype.

    >>> from jaxlike import lax
    >>> lax.population_count(7).item()
    3
    """
    return population_count_p.bind(x)


def clz(x: ArrayLike) -> Array:
    """The number of leading zero bits in each integer; of the operand's dtype.

    >>> from jaxlike import lax
    >>> lax.clz(1).item()
    31
    """
    return clz_p.bind(x)


# --- mulhi: the upper half of the product


def _mulhi(bits, x, y):
    kind, size = x.dtype.kind, x.dtype.itemsize
    if size < 8:
        wide = np.dtype(f"{kind}{2 * size}")
        product = np.multiply(x.astype(wide), y.astype(wide))
        return np.right_shift(product, wide.type(bits)).astype(x.dtype)
    low = x.dtype.type(0xFFFFFFFF)
    half = x.dtype.type(32)
    x_low, x_high, y_low, y_high = x & low, x >> half, y & low, y >> half
    # the low halves are not negative, so their product fits 64 unsigned bits
    carry = (x_low.astype(np.uint64) * y_low.astype(np.uint64)) >> np.uint64(32)
    middle = x_high * y_low + carry.astype(x.dtype)
    other = x_low * y_high + (middle & low)
    return x_high * y_high + (middle >> half) + (other >> half)


mulhi_p = _bits_op("mulhi", _widened(_mulhi), INT, 2)


def mulhi(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The upper half of the double-width product of two integers, elementwise.

    >>> from jaxlike import lax
    >>> lax.mulhi(1 << 30, 8).item()
    2
    """
    return mulhi_p.bind(x, y)
