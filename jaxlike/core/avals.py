"""Abstract values: the types (shape, dtype, weak type) that jaxprs are written in.

Avals are interned: equal avals are one object, so `is` compares them and a dict
look-up by aval is a look-up by identity.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.errors import format_error


class AbstractValue:
    """Base class of everything a jaxpr variable can have as its type."""

    __slots__ = ()

    def to_tangent_aval(self) -> AbstractValue:
        raise NotImplementedError


_interned: dict[tuple, ShapedArray] = {}


class ShapedArray(AbstractValue):
    """The type of an array: its shape, dtype and whether the dtype is weak.

    Weakly typed values came from Python scalars and give way in promotion.

    >>> from jaxlike.core.avals import ShapedArray
    >>> ShapedArray((3, 4), "float32")
    ShapedArray(float32[3,4])
    """

    __slots__ = (
        "shape",
        "dtype",
        "weak_type",
        "ndim",
        "size",
        "_tangent",
        "__weakref__",
    )

    shape: tuple[int, ...]
    dtype: Any
    weak_type: bool
    ndim: int
    size: int

    def __new__(cls, shape, dtype, weak_type: bool = False) -> ShapedArray:
        try:
            return _interned[shape, dtype, weak_type]
        except (KeyError, TypeError):
            return _intern(cls, shape, dtype, weak_type)

    def update(self, **changes) -> ShapedArray:
        return ShapedArray(
            changes.get("shape", self.shape),
            changes.get("dtype", self.dtype),
            changes.get("weak_type", self.weak_type),
        )

    def strip_weak_type(self) -> ShapedArray:
        return ShapedArray(self.shape, self.dtype) if self.weak_type else self

    def to_tangent_aval(self) -> ShapedArray:
        tangent = self._tangent
        if tangent is None:
            dtype = dtypes.tangent_dtype(self.dtype)
            tangent = ShapedArray(self.shape, dtype, self.weak_type)
            self._tangent = tangent
        return tangent

    to_cotangent_aval = to_tangent_aval
    to_ct_aval = to_tangent_aval

    def str_short(self, short_dtypes: bool = True) -> str:
        name = dtypes.short_name(self.dtype) if short_dtypes else dtype_name(self.dtype)
        return f"{name}[{','.join(map(str, self.shape))}]"

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(format_error("len() of unsized object"))
        return self.shape[0]

    def __str__(self) -> str:
        return self.str_short()

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.weak_type else ""
        return f"ShapedArray({self.str_short(short_dtypes=False)}{weak})"

    def __reduce__(self):
        return ShapedArray, (self.shape, self.dtype, self.weak_type)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


def dtype_name(dtype) -> str:
    return getattr(dtype, "name", str(dtype))


def _intern(cls, shape, dtype, weak_type) -> ShapedArray:
    shape = tuple(map(int, shape))
    if not isinstance(dtype, dtypes.ExtendedDType):
        dtype = np.dtype(dtype)
    key = (shape, dtype, bool(weak_type))
    known = _interned.get(key)
    # numpy dtypes of equal layout but other byte order hash apart, so a hit is exact
    if known is not None:
        return known
    self = object.__new__(cls)
    self.shape, self.dtype, self.weak_type = key
    self.ndim = len(shape)
    size = 1
    for n in shape:
        size *= n
    self.size = size
    self._tangent = None
    return _interned.setdefault(key, self)


class AbstractToken(AbstractValue):
    """The type of a token, which orders effects."""

    __slots__ = ()
    shape = ()
    ndim = 0
    weak_type = False
    dtype = np.dtype(bool)

    def to_tangent_aval(self):
        return self

    def str_short(self, short_dtypes: bool = False) -> str:
        return "Tok"

    __str__ = str_short
    __repr__ = str_short


abstract_token = AbstractToken()

_scalar_avals: dict[tuple, ShapedArray] = {}


def _python_scalar_aval(x) -> ShapedArray:
    return ShapedArray((), dtypes.python_scalar_dtype(type(x)), type(x) is not bool)


def _numpy_aval(x) -> ShapedArray:
    return ShapedArray(x.shape, dtypes.canonicalize_dtype(x.dtype))


# one entry for every type of value that can be an operand; array.py and trace.py add
# theirs, so that this module need not know them
aval_of_type: dict[type, Any] = {
    bool: _python_scalar_aval,
    int: _python_scalar_aval,
    float: _python_scalar_aval,
    complex: _python_scalar_aval,
    np.ndarray: _numpy_aval,
}


def get_aval(x: Any) -> ShapedArray:
    """The aval of a value that can be an operand.

    Raises TypeError when `x` is no array, tracer, NumPy value or Python scalar.

    >>> from jaxlike.core.avals import get_aval
    >>> get_aval(1.0)
    ShapedArray(float32[], weak_type=True)
    """
    handler = aval_of_type.get(type(x))
    if handler is not None:
        return handler(x)
    # before the walk over base classes: np.float64 derives from float
    if isinstance(x, (np.generic, np.ndarray)):
        return _numpy_aval(x)
    for cls in type(x).__mro__[1:]:
        handler = aval_of_type.get(cls)
        if handler is _python_scalar_aval:
            return ShapedArray((), dtypes.python_scalar_dtype(cls))
        if handler is not None:
            aval_of_type[type(x)] = handler
            return handler(x)
    if hasattr(x, "__jax_array__"):
        return get_aval(x.__jax_array__())
    raise TypeError(
        format_error(
            f"{type(x).__name__} is no type of array: {x!r:.200}",
            try_="convert it with jnp.asarray, or mark it static with static_argnums",
        )
    )


typeof = get_aval


def is_valid_operand(x: Any) -> bool:
    """Whether `x` can be an operand of a primitive."""
    try:
        get_aval(x)
    except TypeError:
        return False
    return True
