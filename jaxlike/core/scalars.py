"""The dtypes themselves: NumPy's, ml_dtypes' narrow floats and integers, float0,
and KeyDType, the dtype of random key arrays.

Rules about them (names, x64, promotion) are in dtypes.py and promotion.py.
"""

from __future__ import annotations

from typing import Any, ClassVar

import ml_dtypes
import numpy as np


class extended(np.generic):
    """Abstract scalar class of dtypes that NumPy has no form for."""


class prng_key(extended):
    """Abstract scalar class of random key dtypes (`key<fry>` and its siblings)."""


extended.__module__ = prng_key.__module__ = "jaxlike.dtypes"

float0: np.dtype = np.dtype([("float0", np.void, 0)])

bool_ = np.dtype(np.bool_)
int8, int16, int32, int64 = map(np.dtype, ("int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = map(np.dtype, ("uint8", "uint16", "uint32", "uint64"))
float16, float32, float64 = map(np.dtype, ("float16", "float32", "float64"))
complex64, complex128 = map(np.dtype, ("complex64", "complex128"))
bfloat16 = np.dtype(ml_dtypes.bfloat16)


def _narrow(*names: str) -> dict[str, np.dtype]:
    # Older ml_dtypes releases lack some of the newest formats.
    return {n: np.dtype(getattr(ml_dtypes, n)) for n in names if hasattr(ml_dtypes, n)}


narrow_ints = _narrow("int1", "int2", "int4")
narrow_uints = _narrow("uint1", "uint2", "uint4")
narrow_floats = _narrow(
    "float4_e2m1fn",
    "float6_e2m3fn",
    "float6_e3m2fn",
    "float8_e3m4",
    "float8_e4m3",
    "float8_e8m0fnu",
    "float8_e4m3b11fnuz",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
)
globals().update(narrow_ints | narrow_uints | narrow_floats)

signed_ints: tuple[np.dtype, ...] = (*narrow_ints.values(), int8, int16, int32, int64)
unsigned_ints: tuple[np.dtype, ...] = (
    *narrow_uints.values(),
    uint8,
    uint16,
    uint32,
    uint64,
)
floats: tuple[np.dtype, ...] = (
    *narrow_floats.values(),
    bfloat16,
    float16,
    float32,
    float64,
)
complexes: tuple[np.dtype, ...] = (complex64, complex128)
all_dtypes: tuple[np.dtype, ...] = (
    bool_,
    *signed_ints,
    *unsigned_ints,
    *floats,
    *complexes,
)
all_dtypes_set = frozenset(all_dtypes)

# The Python scalar type that stands for each dtype's kind.
python_type_of: dict[np.dtype, type] = {
    bool_: bool,
    **dict.fromkeys(signed_ints + unsigned_ints, int),
    **dict.fromkeys(floats, float),
    **dict.fromkeys(complexes, complex),
}


class ExtendedDType:
    """Base class of dtypes that NumPy has no form for; KeyDType is the one there is."""

    __slots__ = ()

    type: ClassVar[type] = extended
    name: str
    itemsize: int
    storage: np.dtype


class KeyDType(ExtendedDType):
    """The dtype of random key arrays; one object per kind of key.

    Args: `impl`, the generator's name; `key_shape`, the shape of its uint32 words;
    `tag`, what the printed name shows. For the built-in generators `impl` is enough.

    >>> from jaxlike.core.dtypes import KeyDType
    >>> KeyDType("threefry2x32"), KeyDType("rbg").itemsize
    (key<fry>, 16)
    """

    __slots__ = ("_hash", "impl", "itemsize", "key_shape", "name", "storage", "tag")

    impl: str
    key_shape: tuple[int, ...]
    tag: str
    type: ClassVar[type] = prng_key
    kind: ClassVar[str] = "K"

    _builtin: ClassVar[dict[str, tuple[tuple[int, ...], str]]] = {
        "threefry2x32": ((2,), "fry"),
        "rbg": ((4,), "rbg"),
        "unsafe_rbg": ((4,), "urbg"),
    }
    _interned: ClassVar[dict[tuple, KeyDType]] = {}

    def __new__(
        cls,
        impl: str,
        key_shape: tuple[int, ...] | None = None,
        tag: str | None = None,
    ) -> KeyDType:
        shape, default_tag = cls._builtin.get(impl, (None, impl))
        shape = shape if key_shape is None else tuple(key_shape)
        if shape is None:
            raise ValueError(f"key_shape is needed for the generator {impl!r}")
        ident = (impl, shape, tag or default_tag)
        found = cls._interned.get(ident)
        if found is not None:
            return found
        self = super().__new__(cls)
        put = object.__setattr__
        put(self, "impl", impl)
        put(self, "key_shape", shape)
        put(self, "tag", ident[2])
        put(self, "name", f"key<{ident[2]}>")
        put(self, "storage", np.dtype([(ident[2], "<u4", shape)]))
        put(self, "itemsize", self.storage.itemsize)
        put(self, "_hash", hash(("KeyDType", *ident)))
        # setdefault keeps one winner when two threads build the same dtype.
        return cls._interned.setdefault(ident, self)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("KeyDType cannot be changed")

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self):
        return KeyDType, (self.impl, self.key_shape, self.tag)
