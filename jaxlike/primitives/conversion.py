"""convert_element_type, bitcast_convert_type, dtype: from one dtype to another.

Floats become integers by truncation, saturating at the ends of the range, with NaN
going to 0; integers wrap; complex numbers lose their imaginary part.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array, to_array
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero
from jaxlike.primitives.rules import INEXACT, defjvp, dtype_kind, elementwise
from jaxlike.primitives.types import ArrayLike

__all__ = [
    "bitcast_convert_type",
    "bitcast_convert_type_p",
    "convert_element_type",
    "convert_element_type_p",
    "dtype",
]


# --- convert_element_type: linear between float and complex dtypes


def _convert_shape(x, new_dtype, weak_type):
    if x.dtype != new_dtype and "extended" in (
        dtype_kind(x.dtype),
        dtype_kind(new_dtype),
    ):
        if dtypes.float0 not in (x.dtype, new_dtype):
            raise ValueError(
                format_error(f"cannot convert {x} to {new_dtype}: keys are not numbers")
            )
    return ShapedArray(x.shape, new_dtype, weak_type)


def _convert_evaluate(x, new_dtype, weak_type=False):
    old = x.dtype
    if old is new_dtype:
        return x
    kind = old.kind
    if kind == "c" and new_dtype.kind != "c":
        x = x.real
        old = x.dtype
    if new_dtype.kind in "fcb" and kind in "fciub":
        return x.astype(new_dtype)
    if isinstance(new_dtype, dtypes.ExtendedDType):
        return x
    if dtypes.float0 in (old, new_dtype):
        return np.zeros(x.shape, new_dtype)
    if dtypes.issubdtype(new_dtype, np.integer) and dtypes.issubdtype(old, np.floating):
        return _saturate(x, new_dtype)
    if old.kind == new_dtype.kind == "V" and dtypes.issubdtype(old, np.integer):
        x = x.astype(np.int8)  # ml_dtypes does not cast between its integers
    return x.astype(new_dtype)


@functools.cache
def _range(dtype) -> tuple[int, int, float, float]:
    """The least and the largest integer, and as floats: [low, high) converts exactly.

    high is one more than the largest, a power of two, which every float type holds.
    """
    info = dtypes.iinfo(dtype)
    least, largest = int(info.min), int(info.max)
    return least, largest, float(least), float(largest + 1)


def _saturate(x, new_dtype):
    if x.dtype.itemsize < 4:
        x = x.astype(np.float32)
    least, largest, low, high = _range(new_dtype)
    fits = (x >= low) & (x < high)
    if np.count_nonzero(fits) == x.size:
        return x.astype(new_dtype)
    ends = np.where(x < low, least, np.where(x >= high, largest, 0))
    inside = np.where(fits, x, 0).astype(new_dtype)
    return np.where(fits, inside, ends.astype(new_dtype))


def _convert_jvp(primals, tangents, *, new_dtype, weak_type):
    out = convert_element_type_p.bind(
        *primals, new_dtype=new_dtype, weak_type=weak_type
    )
    tangent = tangents[0]
    if type(tangent) is Zero or dtype_kind(new_dtype) not in INEXACT:
        return out, Zero(get_aval(out).to_tangent_aval())
    return out, convert_element_type_p.bind(
        tangent, new_dtype=new_dtype, weak_type=weak_type
    )


def _convert_transpose(ct, x, *, new_dtype, weak_type):
    if type(ct) is Zero:
        return [Zero(x.aval)]
    if get_aval(ct).update(shape=x.aval.shape) is x.aval:
        return [ct]
    return [
        convert_element_type_p.bind(
            ct, new_dtype=x.aval.dtype, weak_type=x.aval.weak_type
        )
    ]


def _convert_batch(axis_data, args, dims, *, new_dtype, weak_type):
    out = convert_element_type_p.bind(*args, new_dtype=new_dtype, weak_type=weak_type)
    return out, dims[0]


convert_element_type_p = Primitive("convert_element_type")
convert_element_type_p.shape = _convert_shape
convert_element_type_p.evaluate = _convert_evaluate
convert_element_type_p.jvp = _convert_jvp
convert_element_type_p.transpose = _convert_transpose
convert_element_type_p.batch = _convert_batch


def convert(operand: ArrayLike, new_dtype: Any, weak_type: bool = False) -> Array:
    """`operand` with exactly this canonical dtype and weak type; no warnings.

    An array that has them already comes back as it is.
    """
    aval = get_aval(operand)
    if aval.dtype == new_dtype and aval.weak_type == weak_type:
        return operand if isinstance(operand, Array) else to_array(operand)
    return convert_element_type_p.bind(
        operand, new_dtype=new_dtype, weak_type=weak_type
    )


def convert_element_type(operand: ArrayLike, new_dtype: Any) -> Array:
    """`operand` converted to `new_dtype`, which is then not weak.

    Floats to integers truncate and saturate, NaN becomes 0; integers wrap; complex to
    real drops the imaginary part, with a warning. Raises TypeError for dtypes that
    arrays cannot have, ValueError for conversions from or to keys.

    >>> from jaxlike import lax
    >>> lax.convert_element_type(-1.7, "int8").item()
    -1
    """
    if new_dtype is None:
        raise ValueError(format_error("convert_element_type needs a dtype, got None"))
    if not (isinstance(new_dtype, np.dtype) and new_dtype.itemsize < 8):
        new_dtype = dtypes.check_user_dtype_supported(new_dtype, "convert_element_type")
    aval = get_aval(operand)
    if aval.dtype == new_dtype and not aval.weak_type:
        return operand if isinstance(operand, Array) else to_array(operand)
    if (
        dtype_kind(aval.dtype) == "complexfloating"
        and dtype_kind(new_dtype) != "complexfloating"
    ):
        warnings.warn(
            "converting complex numbers to real ones drops their imaginary parts",
            np.exceptions.ComplexWarning,
            stacklevel=2,
        )
    return convert_element_type_p.bind(operand, new_dtype=new_dtype, weak_type=False)


# --- bitcast_convert_type: the same bits read as another dtype


def _bitcast_shape(x, new_dtype):
    old = x.dtype
    if old == new_dtype:
        return x.strip_weak_type()
    kinds = dtype_kind(old), dtype_kind(new_dtype)
    if "extended" in kinds:
        raise TypeError(format_error(f"cannot read the bits of {x} as {new_dtype}"))
    old_bits, new_bits = dtypes.itemsize_bits(old), dtypes.itemsize_bits(new_dtype)
    if old_bits < new_bits and (not x.shape or x.shape[-1] * old_bits != new_bits):
        raise ValueError(
            format_error(
                f"bitcast_convert_type from {x} to {new_dtype}: the last axis must "
                f"have size {new_bits // old_bits}, whose {old_bits}-bit elements "
                f"make one of {new_bits} bits"
            )
        )
    if "bool" in kinds or "complexfloating" in kinds:
        raise TypeError(
            format_error(
                f"bitcast_convert_type from {x} to {new_dtype}: bool and complex "
                "numbers cannot be read as another dtype, nor the other way",
                try_="the method arr.view(dtype)",
            )
        )
    if old_bits == new_bits:
        return ShapedArray(x.shape, new_dtype)
    if old_bits > new_bits:
        return ShapedArray((*x.shape, old_bits // new_bits), new_dtype)
    return ShapedArray(x.shape[:-1], new_dtype)


def _bitcast_evaluate(x, new_dtype):
    x = np.ascontiguousarray(x).reshape(x.shape)  # which makes 0-d arrays 1-d
    old_bits, new_bits = dtypes.itemsize_bits(x.dtype), dtypes.itemsize_bits(new_dtype)
    if old_bits < 8 or new_bits < 8:
        return _bitcast_narrow(x, new_dtype, old_bits, new_bits)
    if old_bits == new_bits:
        return x.view(new_dtype)
    if old_bits > new_bits:
        return x[..., None].view(new_dtype)
    return x.view(new_dtype)[..., 0]


def _bitcast_narrow(x, new_dtype, old_bits, new_bits):
    """Bitcasts that involve dtypes of less than a byte; the low bits come first."""
    if old_bits >= 8:
        octets = x[..., None].view(np.uint8)
        bits = np.unpackbits(octets, axis=-1, bitorder="little")
    else:
        if dtypes.issubdtype(x.dtype, np.integer):
            raw = x.astype(np.int8).view(np.uint8)
        else:
            raw = x.view(np.uint8)
        bits = np.unpackbits(raw[..., None], axis=-1, bitorder="little")
        bits = bits[..., :old_bits]
        if new_bits == old_bits:
            return _from_bits(bits, new_dtype)
    if new_bits > old_bits:
        bits = bits.reshape(*x.shape[:-1], new_bits)
        if new_bits >= 8:
            return np.packbits(bits, axis=-1, bitorder="little").view(new_dtype)[..., 0]
    else:
        bits = bits.reshape(*x.shape, old_bits // new_bits, new_bits)
    return _from_bits(bits, new_dtype)


def _from_bits(bits, new_dtype):
    """Elements of less than a byte from their bits along the last axis."""
    raw = np.packbits(bits, axis=-1, bitorder="little")[..., 0]
    if not dtypes.issubdtype(new_dtype, np.integer):
        return raw.view(new_dtype)
    return raw.astype(new_dtype)


def _bitcast_batch(axis_data, args, dims, *, new_dtype):
    from jaxlike.primitives.shapes import moveaxis

    # the last axis may come or go, so the batch axis has to be elsewhere
    x = moveaxis(args[0], dims[0], 0)
    return bitcast_convert_type_p.bind(x, new_dtype=new_dtype), 0


bitcast_convert_type_p = elementwise(
    "bitcast_convert_type", _bitcast_evaluate, ("any",)
)
bitcast_convert_type_p.shape = _bitcast_shape
bitcast_convert_type_p.batch = _bitcast_batch
defjvp(bitcast_convert_type_p, None)


def bitcast_convert_type(operand: ArrayLike, new_dtype: Any) -> Array:
    """The bits of `operand` read as numbers of `new_dtype`.

    A narrower dtype adds a last axis, with the low bits first; a wider one consumes a
    last axis of the matching size. Raises TypeError for bool, complex and key dtypes,
    ValueError for a last axis that does not fit.

    >>> from jaxlike import lax
    >>> hex(lax.bitcast_convert_type(1.0, "int32").item())
    '0x3f800000'
    """
    new_dtype = dtypes.check_user_dtype_supported(new_dtype, "bitcast_convert_type")
    return bitcast_convert_type_p.bind(operand, new_dtype=new_dtype)


def dtype(x: Any) -> Any:
    """The canonical dtype of an array, a Python scalar or a dtype.

    Raises TypeError for values without one, lists among them.

    >>> from jaxlike import lax
    >>> lax.dtype(1.0)
    dtype('float32')
    """
    return dtypes.dtype(x)
