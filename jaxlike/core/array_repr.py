"""How arrays print: repr(x) is NumPy's text with dtype, str(x) is NumPy's own.

Only called when something is printed; array.py imports it then.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core import dtypes

_PREFIX = "Array("


def array_repr(
    x: Any,
    max_line_width: int | None = None,
    precision: int | None = None,
    suppress_small: bool | None = None,
) -> str:
    """`Array([1., 2.], dtype=float32)`, in lines of NumPy's print options.

    The arguments after the first stand for the options linewidth, precision, suppress.

    >>> import numpy as np
    >>> from jaxlike.core.array import to_array
    >>> array_repr(to_array(np.arange(3, dtype="int32")))
    'Array([0, 1, 2], dtype=int32)'
    """
    if x._data is None:
        return f"<deleted array of {x.aval}>"
    if isinstance(x.aval.dtype, dtypes.KeyDType):
        return array_str(x)
    dtype = f"dtype={x.aval.dtype.name}"
    if x.aval.weak_type:
        dtype += ", weak_type=True"
    dtype += ")"
    width = max_line_width or np.get_printoptions()["linewidth"]
    if x.aval.size:
        text = np.array2string(
            x._data,
            prefix=_PREFIX,
            suffix=",",
            separator=", ",
            max_line_width=width,
            precision=precision,
            suppress_small=suppress_small,
        )
    else:
        text = f"[], shape={x.aval.shape}"
    # as in JAX, the first line counts without its prefix, and a dtype that would pass
    # the end of the line has a wider gap before it
    text += ","
    last_line = len(text) - text.rfind("\n")
    gap = " " if last_line + 1 + len(dtype) <= width else " " * len(_PREFIX)
    return f"{_PREFIX}{text}{gap}{dtype}"


def array_str(
    x: Any,
    max_line_width: int | None = None,
    precision: int | None = None,
    suppress_small: bool | None = None,
) -> str:
    """The values as NumPy prints them, without dtype; keys as in array_repr.

    >>> import numpy as np
    >>> from jaxlike.core.array import to_array
    >>> array_str(to_array(np.arange(3)))
    '[0 1 2]'
    """
    if x._data is None:
        return f"<deleted array of {x.aval}>"
    dtype = x.aval.dtype
    if isinstance(dtype, dtypes.KeyDType):
        words = np.ascontiguousarray(x._data).view(np.uint32)
        words = words.reshape(*x.aval.shape, *dtype.key_shape)
        return f"Array({x.aval.shape}, dtype={dtype.name}) overlaying:\n{words}"
    return np.array_str(x._data, max_line_width, precision, suppress_small)
