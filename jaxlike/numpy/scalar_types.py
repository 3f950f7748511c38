"""jnp.float32 and its kin: classes that make arrays when called and name dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array


class _ScalarMeta(type):
    """The class of jnp.float32: it equals np.float32 and hashes as that does."""

    dtype: np.dtype

    def __hash__(cls) -> int:
        return hash(cls.dtype.type)

    def __eq__(cls, other: Any) -> bool:
        if cls is other:
            return True
        try:
            return cls.dtype.type == other or np.dtype(other) == cls.dtype
        except TypeError:
            return False

    def __ne__(cls, other: Any) -> bool:
        return not cls == other

    def __call__(cls, x: Any) -> Array:
        from jaxlike.numpy.creation import array

        return array(x, dtype=cls.dtype)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.dtype.type)


def _abstract(name: str, dtype: np.dtype) -> _ScalarMeta:
    doc = f"""The dtype {dtype.name}; called, it makes an array of it.

    >>> import jaxlike.numpy as jnp
    >>> jnp.dtype(jnp.{name}).name
    {dtype.name!r}
    """
    body = {"dtype": dtype, "__doc__": doc, "__module__": "jaxlike.numpy"}
    return _ScalarMeta(name, (object,), body)


bool_ = _abstract("bool_", np.dtype(bool))
uint8, uint16, uint32, uint64 = (
    _abstract(f"uint{n}", np.dtype(f"uint{n}")) for n in (8, 16, 32, 64)
)
int8, int16, int32, int64 = (
    _abstract(f"int{n}", np.dtype(f"int{n}")) for n in (8, 16, 32, 64)
)
float16, float32, float64 = (
    _abstract(f"float{n}", np.dtype(f"float{n}")) for n in (16, 32, 64)
)
complex64, complex128 = (
    _abstract(f"complex{n}", np.dtype(f"complex{n}")) for n in (64, 128)
)
bfloat16 = _abstract("bfloat16", dtypes.bfloat16)

# the narrow formats that this ml_dtypes has
narrow_types: dict[str, _ScalarMeta] = {
    name: _abstract(name, dtype)
    for name, dtype in (
        dtypes.s.narrow_ints | dtypes.s.narrow_uints | dtypes.s.narrow_floats
    ).items()
}
globals().update(narrow_types)

single, double = float32, float64
csingle, cdouble = complex64, complex128
int_, uint, float_, complex_ = int64, uint64, float64, complex128
