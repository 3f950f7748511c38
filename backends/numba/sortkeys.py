"""Numbers as unsigned integers of the same order, and back.

`encode` and `decode` work on the bits of an element, as an integer of its width, in
scalars and vectors alike. Sorts take -0.0 as 0.0 and all NaN as one, last; `total`
order keeps them apart, by sign.
"""

from __future__ import annotations

import numpy as np

from jaxlike.backends.numba.llvm import V
from jaxlike.backends.plan.ops import BFLOAT16, kind

_INFINITY = {"f2": 0x7C00, "f4": 0x7F800000, "f8": 0x7FF0000000000000}


def infinity(dtype: np.dtype) -> int:
    """The bits of infinity; those of a NaN are above, without its sign."""
    return 0x7F80 if dtype == BFLOAT16 else _INFINITY[f"f{dtype.itemsize}"]


def magnitude(bits: V) -> V:
    """A float's bits without the sign."""
    return bits & ((1 << (bits.type.bits - 1)) - 1)


def encode(bits: V, dtype: np.dtype, elem: str, total: bool = False) -> V:
    """The key of an element, as `elem` (i32 or i64): compared unsigned."""
    top = -1 << (bits.type.bits - 1)
    match kind(dtype):
        case "i":
            bits = bits ^ top
        case "f":
            key = ((bits >> (bits.type.bits - 1)) | top) ^ bits
            if not total:
                size = magnitude(bits)
                key = size.eq(0).where(key.b.const(key.type, top), key)
                nan = size.cmp("ugt", infinity(dtype))
                key = nan.where(key.b.const(key.type, -1), key)
            bits = key
    return bits if bits.type.elem == elem else bits.cast("zext", elem)


def decode(key: V, dtype: np.dtype) -> V:
    """The bits of an element with this key; NaN and -0.0 may have been merged."""
    elem = f"i{8 * dtype.itemsize}"
    bits = key if key.type.elem == elem else key.cast("trunc", elem)
    top = -1 << (bits.type.bits - 1)
    match kind(dtype):
        case "i":
            return bits ^ top
        case "f":
            return ((~bits >> (bits.type.bits - 1)) | top) ^ bits
    return bits


def merged(bits: V, dtype: np.dtype) -> V:
    """Whether `encode` forgets something of a float: NaN, and -0.0."""
    nan = magnitude(bits).cmp("ugt", infinity(dtype))
    return nan | bits.eq(-1 << (bits.type.bits - 1))
