"""Arrays from and to bytes, text, files and other libraries (DLPack)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy.creation import asarray, on_device
from jaxlike.numpy.promote import DTypeLike
from jaxlike.numpy.ranges import arange

__all__ = [
    "from_dlpack",
    "frombuffer",
    "fromfile",
    "fromfunction",
    "fromiter",
    "fromstring",
    "load",
    "save",
    "savez",
]

save = np.save
savez = np.savez


def load(file: IO[bytes] | str | os.PathLike[Any], *args: Any, **kwargs: Any) -> Any:
    """An array from a file that `save` wrote; several from one of `savez`.

    >>> import io
    >>> import jaxlike.numpy as jnp
    >>> file = io.BytesIO()
    >>> jnp.save(file, jnp.arange(2))
    >>> _ = file.seek(0)
    >>> jnp.load(file).tolist()
    [0, 1]
    """
    out = np.load(file, *args, **kwargs)
    if not isinstance(out, np.ndarray):
        return out
    if out.dtype.kind == "V" and out.dtype.itemsize == 2:
        out = out.view(dtypes.bfloat16)  # NumPy's format has no name for it
    return asarray(out)


def frombuffer(
    buffer: bytes | Any, dtype: DTypeLike = float, count: int = -1, offset: int = 0
) -> Array:
    """A vector from raw bytes.

    Args: `count`, how many elements, all for -1; `offset`, at which byte they begin.

    >>> import jaxlike.numpy as jnp
    >>> jnp.frombuffer(b"ab", dtype="uint8").tolist()
    [97, 98]
    """
    return asarray(np.frombuffer(buffer, dtype=dtype, count=count, offset=offset))


def fromstring(
    string: str, dtype: DTypeLike = float, count: int = -1, *, sep: str
) -> Array:
    """A vector from numbers in a text, between separators.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fromstring("1 2", dtype=int, sep=" ").tolist()
    [1, 2]
    """
    return asarray(np.fromstring(string, dtype=dtype, count=count, sep=sep))


def fromfunction(
    function: Callable[..., Array], shape: Any, *, dtype: DTypeLike = float, **kwargs
) -> Array:
    """The array of a function's results at every index.

    Args: `function`, of one scalar an axis (it is vmapped), and `kwargs`; `dtype`, of
    the indices.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fromfunction(lambda i, j: 10 * i + j, (2, 2), dtype=int).tolist()
    [[0, 1], [10, 11]]
    """
    from jaxlike.primitives.axes import canonical_shape
    from jaxlike.transforms.vmap import vmap

    sizes = canonical_shape(shape, "fromfunction: shape")
    fun = lambda *index: function(*index, **kwargs)
    for i in range(len(sizes)):
        axes = [0 if i == j else None for j in range(len(sizes))]
        fun = vmap(fun, in_axes=tuple(axes[::-1]))
    return fun(*[arange(n, dtype=dtype) for n in sizes])


def fromfile(*args, **kwargs):
    """Not offered: reading a file is a side effect, which traced functions cannot have.

    Raises: NotImplementedError; use jnp.asarray(np.fromfile(...)).
    """
    raise NotImplementedError(
        format_error(
            "fromfile is not there, since reading a file is no pure function",
            try_="jnp.asarray(np.fromfile(...))",
        )
    )


def fromiter(*args, **kwargs):
    """Not offered: iterating is a side effect, which traced functions cannot have.

    Raises: NotImplementedError; use jnp.asarray(np.fromiter(...)).
    """
    raise NotImplementedError(
        format_error(
            "fromiter is not there, since an iterator is no pure function",
            try_="jnp.asarray(np.fromiter(...))",
        )
    )


def from_dlpack(x: Any, /, *, device=None, copy: bool | None = None) -> Array:
    """An array of another library, through the DLPack protocol.

    Memory is shared where the other library says that it is read-only; a writeable
    array is copied, since it could change later.

    >>> import numpy as np
    >>> import jaxlike.numpy as jnp
    >>> jnp.from_dlpack(np.arange(2, dtype="int32")).tolist()
    [0, 1]
    """
    data = np.from_dlpack(x)
    return on_device(asarray(data, copy=copy), device)
