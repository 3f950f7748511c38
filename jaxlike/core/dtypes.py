"""What dtypes mean here: names, the x64 rule, subtype tests, promotion of arguments.

The dtype objects are in scalars.py and the promotion lattice in promotion.py; both are
reachable from here, so the rest of the library imports this module only.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np

from jaxlike.core import promotion
from jaxlike.core import scalars as s
from jaxlike.core.config import config
from jaxlike.core.errors import format_error
from jaxlike.core.kinds import (  # noqa: F401
    finfo,
    iinfo,
    isdtype,
    issubdtype,
    itemsize_bits,
    short_aval,
    short_name,
    storage_dtype,
    tangent_dtype,
    to_complex_dtype,
    to_floating_dtype,
    to_inexact_dtype,
    to_numeric_dtype,
    to_real_dtype,
)
from jaxlike.core.promotion import TypePromotionError
from jaxlike.core.scalars import *  # noqa: F403
from jaxlike.core.scalars import (  # noqa: F401
    ExtendedDType,
    KeyDType,
    extended,
    float0,
    prng_key,
)

DType = np.dtype | ExtendedDType

python_scalar_types: tuple[type, ...] = (bool, int, float, complex)
_PYTHON_DTYPES = {
    bool: s.bool_,
    int: s.int64,
    float: s.float64,
    complex: s.complex128,
}
_TO_32 = {
    s.int64: s.int32,
    s.uint64: s.uint32,
    s.float64: s.float32,
    s.complex128: s.complex64,
}

# ---- the x64 rule --------------------------------------------------------------------

_canonical: dict[bool, dict[Any, Any]] = {False: {}, True: {}}


def canonicalize_dtype(dtype: Any, allow_extended: bool = True) -> Any:
    """The dtype an array asked for with `dtype` gets: 64 bits become 32 without x64.

    Args: `dtype`, anything NumPy reads as a dtype, or a KeyDType.
    Raises: ValueError for a KeyDType if not `allow_extended`.

    >>> from jaxlike.core.dtypes import canonicalize_dtype
    >>> canonicalize_dtype("float16")
    dtype('float16')
    """
    x64 = config.enable_x64
    try:
        return _canonical[x64][dtype]
    except (KeyError, TypeError):
        pass
    if isinstance(dtype, KeyDType):
        if not allow_extended:
            raise ValueError(
                format_error(f"{dtype} is an extended dtype, which has no NumPy form")
            )
        return dtype
    out = np.dtype(dtype)
    if not x64:
        out = _TO_32.get(out, out)
    if isinstance(dtype, (str, type, np.dtype)):
        _canonical[x64][dtype] = out
    return out


def default_int_dtype() -> np.dtype:
    """int64 with x64, else int32.

    >>> from jaxlike.core import dtypes
    >>> dtypes.default_int_dtype()
    dtype('int32')
    """
    return s.int64 if config.enable_x64 else s.int32


def default_uint_dtype() -> np.dtype:
    """uint64 with x64, else uint32.

    >>> from jaxlike.core import dtypes
    >>> dtypes.default_uint_dtype()
    dtype('uint32')
    """
    return s.uint64 if config.enable_x64 else s.uint32


def default_float_dtype() -> np.dtype:
    """float64 with x64, else float32.

    >>> from jaxlike.core import dtypes
    >>> dtypes.default_float_dtype()
    dtype('float32')
    """
    return s.float64 if config.enable_x64 else s.float32


def default_complex_dtype() -> np.dtype:
    """complex128 with x64, else complex64.

    >>> from jaxlike.core import dtypes
    >>> dtypes.default_complex_dtype()
    dtype('complex64')
    """
    return s.complex128 if config.enable_x64 else s.complex64


def python_scalar_dtype(python_type: type) -> np.dtype:
    """The dtype of a Python scalar of type bool, int, float or complex.

    >>> from jaxlike.core.dtypes import python_scalar_dtype
    >>> python_scalar_dtype(bool)
    dtype('bool')
    """
    out = _PYTHON_DTYPES[python_type]
    return out if config.enable_x64 else _TO_32.get(out, out)


def scalar_to_numpy(x: Any, dtype: np.dtype | None = None) -> np.ndarray:
    """A Python scalar as a 0-d ndarray, of its default dtype unless `dtype` is given.

    Raises: OverflowError for an int out of the integer dtype's range.

    >>> from jaxlike.core.dtypes import scalar_to_numpy
    >>> scalar_to_numpy(3, np.dtype("int8"))
    array(3, dtype=int8)
    """
    target = lattice_result_type(x)[0] if dtype is None else dtype
    if s.python_type_of[target] is int and isinstance(x, int):
        info = iinfo(target)
        if not info.min <= x <= info.max:
            says = "too large to convert to" if dtype is None else "out of bounds for"
            raise OverflowError(
                format_error(f"Python int {int(x)} {says} {target.name}")
            )
    with np.errstate(all="ignore"):
        return np.array(x, target)


def check_user_dtype_supported(dtype: Any, fun_name: str | None = None) -> Any:
    """Read a dtype that the user asked for, and return its canonical form.

    Warns when a 64-bit dtype is asked for by name without x64. None passes through.
    Raises: TypeError for dtypes arrays cannot have, ValueError for an array.

    >>> from jaxlike.core.dtypes import check_user_dtype_supported
    >>> check_user_dtype_supported("uint8", "zeros")
    dtype('uint8')
    """
    if dtype is None or isinstance(dtype, KeyDType):
        return dtype
    if isinstance(dtype, type):
        if dtype in _PYTHON_DTYPES:
            return canonicalize_dtype(dtype)
    elif hasattr(dtype, "shape") and not isinstance(dtype, (np.dtype, np.ndarray)):
        raise ValueError(
            format_error("an array was given in place of a dtype", try_="x.dtype")
        )
    where = f" in {fun_name}" if fun_name else ""
    try:
        out = np.dtype(dtype)
    except TypeError:
        out = None
    if out is None or (out not in s.all_dtypes_set and out != float0):
        raise TypeError(
            format_error(
                f"no array can have dtype {dtype!r}, asked for{where}",
                details=["arrays hold numbers, booleans and random keys"],
                try_="'float32', jnp.int32, bool, ...",
            )
        )
    canonical = canonicalize_dtype(out)
    if canonical is not out and canonical != out:
        _warn_truncated(out, canonical, where)
    return canonical


def _warn_truncated(asked: np.dtype, got: np.dtype, where: str) -> None:
    level, frame = 1, sys._getframe()
    while frame.f_back and _is_internal(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(
        f"Explicitly requested dtype {asked.name}{where} is not available and becomes "
        f"{got.name}, since 64-bit dtypes are off. To turn them on, set "
        "jaxlike.config.update('jax_enable_x64', True) or JAX_ENABLE_X64=1.",
        stacklevel=level,
    )


def _is_internal(module: str) -> bool:
    return module == "jaxlike" or module.startswith("jaxlike.")


# ---- what an argument is -------------------------------------------------------------


def is_python_scalar(x: Any) -> bool:
    """Whether `x` is a Python bool, int, float or complex (NumPy scalars are not).

    >>> from jaxlike.core import dtypes
    >>> dtypes.is_python_scalar(1.0), dtypes.is_python_scalar(np.float64(1))
    (True, False)
    """
    return type(x) in _PYTHON_DTYPES


def is_weakly_typed(x: Any) -> bool:
    """Whether `x` gives way to other dtypes: Python numbers, weakly typed arrays.

    >>> from jaxlike.core import dtypes
    >>> dtypes.is_weakly_typed(1), dtypes.is_weakly_typed(True)
    (True, False)
    """
    return type(x) in (int, float, complex) or bool(getattr(x, "weak_type", False))


def dtype(x: Any) -> Any:
    """The canonical dtype of a scalar, an array, or a dtype.

    Raises: TypeError if `x` has no dtype arrays can have, ValueError for None.

    >>> from jaxlike.core import dtypes
    >>> dtypes.dtype(np.zeros(3, "int16"))
    dtype('int16')
    """
    if x is None:
        raise ValueError(format_error("None has no dtype"))
    return lattice_result_type(x)[0]


# A slot is what promotion needs of an argument: (dtype, weak), or a Python scalar type.
Slot = type | tuple[Any, bool]


def _slot(x: Any) -> Slot:
    t = type(x)
    if t in _PYTHON_DTYPES:
        return t
    if t is np.ndarray:
        return x.dtype, False
    try:
        return x.dtype, x.weak_type
    except AttributeError:
        return _slot_of_other(x)


def _slot_of_other(x: Any) -> Slot:
    if isinstance(x, type) and x in _PYTHON_DTYPES:
        return x
    if isinstance(x, KeyDType):
        return x, False
    if isinstance(x, (str, np.dtype)) or (
        isinstance(x, type) and issubclass(x, np.generic)
    ):
        return check_user_dtype_supported(x, "dtype"), False
    held = getattr(x, "dtype", None)
    if isinstance(held, (np.dtype, KeyDType)):
        return held, bool(getattr(x, "weak_type", False))
    if x is None:
        return s.float64, False
    # An IntEnum's member, say, is a number with a dtype, but not a weak literal.
    for python_type in (int, float, complex):
        if isinstance(x, python_type):
            return _PYTHON_DTYPES[python_type], False
    raise TypeError(format_error(f"{x!r} has no dtype"))


def scalar_type_of(x: Any) -> type:
    """The Python type (bool, int, float, complex) of the kind of `x`'s dtype.

    Raises: TypeError for key arrays and values that are not numbers.

    >>> from jaxlike.core.dtypes import scalar_type_of
    >>> scalar_type_of(np.float16(1))
    <class 'float'>
    """
    dt = dtype(x)
    if dt in s.python_type_of:
        return s.python_type_of[dt]
    raise TypeError(format_error(f"{dt} has no Python scalar type"))


# ---- promotion -----------------------------------------------------------------------

# Results by x64, the promotion option and the arguments' slots.
_results: dict[tuple, tuple[Any, bool]] = {}


def lattice_result_type(*args: Any) -> tuple[Any, bool]:
    """The dtype that the arguments promote to together, and whether it is weak.

    Args: dtypes, Python scalars or their types, or values with `.dtype`.
    Raises: TypePromotionError where promotion has to be asked for.

    >>> from jaxlike.core.dtypes import lattice_result_type
    >>> lattice_result_type(np.int8(1), 2)
    (dtype('int8'), False)
    """
    if len(args) == 2:  # nearly all calls, and all of them on the way of tracing
        slots = _slot(args[0]), _slot(args[1])
    else:
        slots = tuple(map(_slot, args))
    key = slots, config.enable_x64, config.numpy_dtype_promotion
    try:
        return _results[key]
    except KeyError:
        pass
    return _results.setdefault(key, _resolve(slots, strict=key[2] == "strict"))


def result_type(*args: Any, return_weak_type_flag: bool = False) -> Any:
    """The dtype that the arguments promote to together.

    Args: dtypes, Python scalars or their types, or values with `.dtype`.
    Returns: the dtype, the default one of its kind if the result is weak; with
    `return_weak_type_flag`, the pair (dtype, weak_type).
    Raises: TypePromotionError where promotion has to be asked for.

    >>> from jaxlike.core.dtypes import result_type
    >>> result_type(np.int32(1), np.float32(2), 3.0)
    dtype('float32')
    """
    if not args:
        raise ValueError(format_error("result_type takes at least one array or dtype"))
    out, weak = lattice_result_type(*args)
    if weak:
        out = _default_of_kind(out)
    return (out, weak) if return_weak_type_flag else out


def _default_of_kind(dtype: np.dtype) -> np.dtype:
    if issubdtype(dtype, np.unsignedinteger):
        return default_uint_dtype()
    return python_scalar_dtype(s.python_type_of[dtype])


def _resolve(slots: tuple[Slot, ...], strict: bool) -> tuple[Any, bool]:
    pairs = [_strong_pair(slot) for slot in slots]
    distinct = {dt for dt, _ in pairs}
    all_weak = all(weak for _, weak in pairs)
    if len(pairs) == 1 or (len(distinct) == 1 and not all_weak):
        return pairs[0][0], all_weak and pairs[0][0] != s.bool_
    for dt, _ in pairs:
        if dt not in s.python_type_of:
            raise TypePromotionError(
                f"{short_name(dt)} takes no part in type promotion: got "
                + " and ".join(short_name(dt) for dt, _ in pairs)
            )
    if all_weak and not strict:
        # Weak int16 exists too: such values promote among themselves by real dtype.
        nodes = [dt for dt, _ in pairs]
    else:
        nodes = [_weak_node(dt) if weak else dt for dt, weak in pairs]
    node = promotion.join(nodes, strict)
    if isinstance(node, type):
        return python_scalar_dtype(node), True
    return canonicalize_dtype(node), all_weak and node != s.bool_


def _weak_node(dtype: np.dtype) -> promotion.Node:
    return dtype if dtype == s.bool_ else s.python_type_of[dtype]


def _strong_pair(slot: Slot) -> tuple[Any, bool]:
    if isinstance(slot, type):
        return python_scalar_dtype(slot), slot is not bool
    dt = canonicalize_dtype(slot[0])
    if dt not in s.all_dtypes_set and dt != float0 and not isinstance(dt, KeyDType):
        raise TypeError(
            format_error(
                f"no array can have dtype {dt}: arrays hold numbers, booleans and "
                "random keys"
            )
        )
    return dt, slot[1]


def promote_types(a: Any, b: Any) -> Any:
    """The dtype that two dtypes promote to; 64-bit ones stay so without x64.

    Args: dtypes, or int, float, complex for weakly typed values.
    Raises: TypePromotionError where promotion has to be asked for.

    >>> from jaxlike.core.dtypes import promote_types
    >>> promote_types("int64", "float16"), promote_types(int, "uint8")
    (dtype('float16'), dtype('uint8'))
    """
    if isinstance(a, KeyDType) and a is b:
        return a
    nodes = [x if x in (int, float, complex) else np.dtype(x) for x in (a, b)]
    for node in nodes:
        if isinstance(node, np.dtype) and node not in s.all_dtypes_set:
            raise ValueError(format_error(f"{node} takes no part in type promotion"))
    out = promotion.join(nodes, config.numpy_dtype_promotion == "strict")
    if isinstance(out, type):
        return _PYTHON_DTYPES[out]
    if out == s.int64 and s.int64 not in nodes:
        return canonicalize_dtype(out)
    return out
