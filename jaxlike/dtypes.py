"""`jaxlike.dtypes`: questions about dtypes, under JAX's names.

The work is done in `jaxlike.core.dtypes`; this module may import core only.
"""

from __future__ import annotations

from typing import Any

from jaxlike.core import dtypes as _dtypes
from jaxlike.core.dtypes import (
    TypePromotionError,
    extended,
    finfo,
    float0,
    iinfo,
    issubdtype,
    itemsize_bits,
    prng_key,
    result_type,
    scalar_type_of,
)

__all__ = [
    "TypePromotionError",
    "bfloat16",
    "canonicalize_dtype",
    "extended",
    "finfo",
    "float0",
    "iinfo",
    "issubdtype",
    "itemsize_bits",
    "prng_key",
    "result_type",
    "scalar_type_of",
]

bfloat16 = _dtypes.bfloat16.type


def canonicalize_dtype(dtype: Any, allow_extended_dtype: bool = False) -> Any:
    """The dtype an array asked for with `dtype` gets: 64 bits become 32 without x64.

    Args: `dtype`, anything NumPy reads as a dtype; or the dtype of a key array, if
    `allow_extended_dtype`.
    Raises: ValueError for a key array's dtype otherwise.

    >>> from jaxlike import dtypes
    >>> dtypes.canonicalize_dtype("float16")
    dtype('float16')
    """
    return _dtypes.canonicalize_dtype(dtype, allow_extended=allow_extended_dtype)
