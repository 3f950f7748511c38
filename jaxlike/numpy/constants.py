"""Names that are NumPy's own: constants, abstract scalar classes, dtype queries."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.errors import format_error

e: float = np.e
pi: float = np.pi
inf: float = np.inf
nan: float = np.nan
euler_gamma: float = np.euler_gamma
newaxis = None

generic = np.generic
number = np.number
integer = np.integer
signedinteger = np.signedinteger
unsignedinteger = np.unsignedinteger
inexact = np.inexact
floating = np.floating
complexfloating = np.complexfloating
flexible = np.flexible
character = np.character
object_ = np.object_

dtype = np.dtype
ComplexWarning = np.exceptions.ComplexWarning
finfo = dtypes.finfo
iinfo = dtypes.iinfo
issubdtype = dtypes.issubdtype
isdtype = dtypes.isdtype

set_printoptions = np.set_printoptions
get_printoptions = np.get_printoptions
printoptions = np.printoptions


def result_type(*args: Any) -> Any:
    """The dtype that arrays, scalars and dtypes promote to together.

    Raises: ValueError without arguments.

    >>> import jaxlike.numpy as jnp
    >>> jnp.result_type(jnp.int8(1), jnp.float16)
    dtype('float16')
    """
    if not args:
        raise ValueError(format_error("result_type takes at least one array or dtype"))
    return dtypes.result_type(*args)


def promote_types(a: Any, b: Any) -> Any:
    """The dtype that two dtypes promote to.

    >>> import jaxlike.numpy as jnp
    >>> jnp.promote_types("int8", "uint8")
    dtype('int16')
    """
    return dtypes.promote_types(a, b)


def can_cast(from_: Any, to: Any, casting: str = "safe") -> bool:
    """Whether a dtype (or an array's) can be cast to another, as NumPy sees it.

    Args: `casting`, 'no', 'equiv', 'safe', 'same_kind' or 'unsafe'.
    Raises: TypeError for Python numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.can_cast("int8", "int16"), jnp.can_cast("int32", "float32")
    (True, False)
    """
    if hasattr(from_, "dtype") and hasattr(from_, "shape"):
        from_ = from_.dtype
    if isinstance(from_, (int, float, complex)) and not isinstance(from_, np.generic):
        raise TypeError(
            format_error(
                "can_cast() does not support Python numbers; pass a dtype, or an array"
            )
        )
    return bool(np.can_cast(from_, to, casting=casting))
