"""Facts about a dtype alone: its printed name, its size, its kind and neighbours.

Nothing here depends on the configuration; dtypes.py has the x64 rule and promotion.
"""

from __future__ import annotations

import re
from typing import Any

import ml_dtypes
import numpy as np

from jaxlike.core import scalars as s
from jaxlike.core.scalars import KeyDType, float0

finfo = ml_dtypes.finfo
iinfo = ml_dtypes.iinfo

DTYPES_OF_64_BITS = (s.int64, s.uint64, s.float64, s.complex128)

# ---- names and sizes -----------------------------------------------------------------

_short_names: dict[Any, str] = {float0: "float0"}


def short_name(dtype: Any) -> str:
    """The dtype's name in printed jaxprs: 'f32', 'bf16', 'i4', 'bool', 'key<fry>'.

    >>> from jaxlike.core.dtypes import short_name
    >>> short_name("float8_e4m3fn"), short_name("complex64")
    ('f8_e4m3fn', 'c64')
    """
    try:
        return _short_names[dtype]
    except (KeyError, TypeError):
        pass
    if isinstance(dtype, KeyDType):
        return dtype.name
    name = np.dtype(dtype).name
    for word in ("float", "uint", "int", "complex"):
        name = name.replace(word, word[0])
    if isinstance(dtype, np.dtype):
        _short_names[dtype] = name
    return name


def short_aval(shape: tuple, dtype: Any) -> str:
    """Shape and dtype as printed in jaxprs.

    >>> from jaxlike.core.dtypes import short_aval
    >>> short_aval((3, 4), "float32")
    'f32[3,4]'
    """
    return f"{short_name(dtype)}[{','.join(map(str, shape))}]"


_NARROW_BITS = {
    dt: int(re.search(r"\d+", name)[0])
    for name, dt in (s.narrow_ints | s.narrow_uints | s.narrow_floats).items()
}


def itemsize_bits(dtype: Any) -> int:
    """Bits of one element; 4 for int4, though NumPy keeps it in a byte.

    Raises: ValueError for key dtypes and float0.

    >>> from jaxlike.core.dtypes import itemsize_bits
    >>> itemsize_bits("int4"), itemsize_bits("float64")
    (4, 64)
    """
    if isinstance(dtype, KeyDType) or np.dtype(dtype) not in s.all_dtypes_set:
        raise ValueError(f"{dtype} has no size in bits")
    dt = np.dtype(dtype)
    return _NARROW_BITS.get(dt, dt.itemsize * 8)


def storage_dtype(dtype: Any) -> np.dtype:
    """The NumPy dtype of the buffer: one structured element per key, else `dtype`.

    >>> from jaxlike.core.dtypes import KeyDType, storage_dtype
    >>> storage_dtype(KeyDType("threefry2x32")).itemsize
    8
    """
    return dtype.storage if type(dtype) is KeyDType else dtype


# ---- subtypes and kinds --------------------------------------------------------------

# ml_dtypes' scalar classes do not derive from NumPy's abstract ones.
_ABSTRACT: dict[type, type] = {
    **{d.type: np.signedinteger for d in s.narrow_ints.values()},
    **{d.type: np.unsignedinteger for d in s.narrow_uints.values()},
    **{d.type: np.floating for d in s.narrow_floats.values()},
    s.bfloat16.type: np.floating,
}

_subtype: dict[tuple[Any, Any], bool] = {}


def _scalar_class(x: Any) -> type:
    if isinstance(x, (np.dtype, KeyDType)):
        return x.type
    if isinstance(x, type) and issubclass(x, np.generic):
        return x
    return np.dtype(x).type


def issubdtype(a: Any, b: Any) -> bool:
    """Whether dtype `a` is `b` or a kind of `b`, for all dtypes and abstract classes.

    >>> import numpy as np
    >>> from jaxlike.core.dtypes import issubdtype
    >>> issubdtype("bfloat16", np.floating), issubdtype("int4", np.floating)
    (True, False)
    """
    try:
        return _subtype[a, b]
    except (KeyError, TypeError):
        pass
    if isinstance(b, KeyDType):
        return a is b
    kind_a, kind_b = _scalar_class(a), _scalar_class(b)
    out = kind_a is kind_b or issubclass(_ABSTRACT.get(kind_a, kind_a), kind_b)
    if isinstance(a, (np.dtype, type)) and isinstance(b, (np.dtype, type)):
        _subtype[a, b] = out
    return out


_KINDS: dict[str, frozenset[np.dtype]] = {
    "bool": frozenset({s.bool_}),
    "signed integer": frozenset(s.signed_ints),
    "unsigned integer": frozenset(s.unsigned_ints),
    "integral": frozenset(s.signed_ints + s.unsigned_ints),
    "real floating": frozenset(s.floats),
    "complex floating": frozenset(s.complexes),
    "numeric": frozenset(s.all_dtypes) - {s.bool_},
}


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether `dtype` is of an array-API `kind`: a name, a dtype, or a tuple of those.

    >>> from jaxlike.core.dtypes import isdtype
    >>> isdtype("bfloat16", "real floating"), isdtype("int8", ("bool", "int8"))
    (True, True)
    """
    dtype = dtype if isinstance(dtype, KeyDType) else np.dtype(dtype)
    for one in kind if isinstance(kind, tuple) else (kind,):
        if isinstance(one, str) and one in _KINDS:
            if dtype in _KINDS[one]:
                return True
            continue
        try:
            if dtype == (one if isinstance(one, KeyDType) else np.dtype(one)):
                return True
        except TypeError:
            raise ValueError(
                f"kind is {one!r}; it must be a dtype or one of {list(_KINDS)}"
            ) from None
    return False


def _kind(dtype: Any) -> tuple[np.dtype, type]:
    dt = np.dtype(dtype)
    if dt not in s.python_type_of:
        raise ValueError(f"{dt} is not a dtype of numbers")
    return dt, s.python_type_of[dt]


def _wide(dt: np.dtype) -> bool:
    return dt in DTYPES_OF_64_BITS


def to_numeric_dtype(dtype: Any) -> np.dtype:
    """int32 for bool, else `dtype`.

    >>> from jaxlike.core import dtypes
    >>> dtypes.to_numeric_dtype("bool"), dtypes.to_numeric_dtype("int8")
    (dtype('int32'), dtype('int8'))
    """
    dt = np.dtype(dtype)
    return s.int32 if dt == s.bool_ else dt


def to_inexact_dtype(dtype: Any) -> np.dtype:
    """The float dtype for bool and integers (64 bits stay 64), else `dtype`.

    >>> from jaxlike.core import dtypes
    >>> dtypes.to_inexact_dtype("int8"), dtypes.to_inexact_dtype("complex64")
    (dtype('float32'), dtype('complex64'))
    """
    dt, kind = _kind(dtype)
    if kind in (float, complex):
        return dt
    return s.float64 if _wide(dt) else s.float32


def to_floating_dtype(dtype: Any) -> np.dtype:
    """As `to_inexact_dtype`, and the parts' dtype for complex.

    >>> from jaxlike.core import dtypes
    >>> dtypes.to_floating_dtype("int64"), dtypes.to_floating_dtype("complex64")
    (dtype('float64'), dtype('float32'))
    """
    dt, kind = _kind(dtype)
    return to_real_dtype(dt) if kind is complex else to_inexact_dtype(dt)


def to_complex_dtype(dtype: Any) -> np.dtype:
    """complex128 for 64-bit dtypes, complex64 for narrower ones; complex stays.

    >>> from jaxlike.core import dtypes
    >>> dtypes.to_complex_dtype("float16")
    dtype('complex64')
    """
    dt, kind = _kind(dtype)
    if kind is complex:
        return dt
    return s.complex128 if _wide(dt) else s.complex64


def to_real_dtype(dtype: Any) -> np.dtype:
    """The parts' dtype for complex, else `dtype`.

    >>> from jaxlike.core import dtypes
    >>> dtypes.to_real_dtype("complex128")
    dtype('float64')
    """
    dt = np.dtype(dtype)
    return {s.complex64: s.float32, s.complex128: s.float64}.get(dt, dt)


def tangent_dtype(dtype: Any) -> Any:
    """The dtype of tangents: float0 for bool, integers and keys, else `dtype`.

    >>> from jaxlike.core import dtypes
    >>> dtypes.tangent_dtype(np.dtype("int32"))
    dtype([('float0', 'V')])
    """
    return dtype if s.python_type_of.get(dtype) in (float, complex) else float0
