"""Array: what a user holds, a thin immutable wrapper over a buffer.

Operators and NumPy-like methods are put on Array and Tracer alike by jaxlike.numpy;
here is only what needs no primitive.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core import dtypes, errors
from jaxlike.core.avals import ShapedArray, aval_of_type, get_aval
from jaxlike.core.errors import format_error

# trace.py puts Tracer here: tracers count as Arrays for isinstance
tracer_classes: tuple[type, ...] = ()


class _ArrayMeta(type):
    """Lets isinstance(x, Array) accept tracers, as functions that are traced expect."""

    def __instancecheck__(cls, instance) -> bool:
        return type(instance) is Array or isinstance(instance, tracer_classes)


class Array(metaclass=_ArrayMeta):
    """An n-dimensional array of one dtype that never changes.

    Made by jaxlike.numpy's functions, not by calling the class.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arange(3).shape
    (3,)
    """

    __slots__ = ("__weakref__", "_data", "_deleted", "_sharding", "aval")

    _data: np.ndarray
    aval: ShapedArray

    __array_priority__ = 1000

    def __init__(self, data: np.ndarray, aval: ShapedArray):
        self._data = data
        self.aval = aval

    @property
    def shape(self) -> tuple[int, ...]:
        return self.aval.shape

    @property
    def dtype(self):
        return self.aval.dtype

    @property
    def ndim(self) -> int:
        return self.aval.ndim

    @property
    def size(self) -> int:
        return self.aval.size

    @property
    def weak_type(self) -> bool:
        return self.aval.weak_type

    @property
    def itemsize(self) -> int:
        return self.aval.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.aval.size * self.aval.dtype.itemsize

    def __len__(self) -> int:
        return len(self.aval)

    def __bool__(self) -> bool:
        if self.aval.size != 1:
            raise ValueError(errors.truth_message(self.aval))
        return bool(self._data)

    def __int__(self) -> int:
        return int(self._scalar("int"))

    def __float__(self) -> float:
        return float(self._scalar("float"))

    def __complex__(self) -> complex:
        return complex(self._scalar("complex"))

    def __index__(self) -> int:
        if self.aval.ndim or self.aval.dtype.kind not in "iu":
            raise TypeError(
                format_error("only an integer scalar can serve as an index in Python")
            )
        return int(self._data)

    def __hex__(self) -> str:
        return hex(self.__index__())

    def __oct__(self) -> str:
        return oct(self.__index__())

    def _scalar(self, what: str):
        if self.aval.ndim:
            raise TypeError(format_error(f"{what}() takes a scalar, got {self.aval}"))
        return self._data

    def item(self, *args):
        """The element as a Python number; for arrays of one element, or at `args`."""
        return self._data.item(*args)

    def tolist(self):
        """The values as nested Python lists."""
        return self._data.tolist()

    def tobytes(self, order="C") -> bytes:
        """The raw bytes of the values."""
        return self._data.tobytes(order)

    def __array__(self, dtype=None, copy=None):
        self._check_not_deleted()
        if isinstance(self.aval.dtype, dtypes.ExtendedDType):
            raise TypeError(
                format_error(
                    f"a {self.aval} cannot be converted to NumPy; try: "
                    "jax.random.key_data(keys)"
                )
            )
        data = self._data
        if dtype is not None and np.dtype(dtype) != data.dtype:
            return data.astype(dtype)
        if copy:
            return data.copy()
        view = data.view()
        view.flags.writeable = False
        return view

    def __format__(self, spec: str) -> str:
        if self.aval.ndim == 0:
            return format(self._data[()], spec)
        return format(repr(self) if spec else str(self), spec)

    def __repr__(self) -> str:
        from jaxlike.core.array_repr import array_repr

        return array_repr(self)

    def __str__(self) -> str:
        from jaxlike.core.array_repr import array_str

        return array_str(self)

    def __setitem__(self, index, value):
        raise TypeError(errors.immutable_message(self))

    def __delitem__(self, index):
        raise TypeError(errors.immutable_message(self))

    def __hash__(self):
        raise TypeError(
            format_error(
                "unhashable type: 'Array'; try: the tuple x.tolist(), or id(x)"
            )
        )

    def __copy__(self) -> Array:
        return self

    def __deepcopy__(self, memo) -> Array:
        return Array(self._data.copy(), self.aval)

    def __reduce__(self):
        return _unpickle, (self._data, self.aval)

    # --- buffers and devices

    def block_until_ready(self) -> Array:
        """Wait until the values are there; returns the array itself."""
        self._check_not_deleted()
        return self

    def copy_to_host_async(self) -> None:
        """Start a copy to the host; on the CPU there is nothing to do."""
        self._check_not_deleted()

    def is_ready(self) -> bool:
        return True

    def is_deleted(self) -> bool:
        """Whether the buffer was donated or deleted."""
        return self._data is None

    def delete(self) -> None:
        """Give the buffer back; later uses raise RuntimeError."""
        self._data = None

    def on_device_size_in_bytes(self) -> int:
        return self.nbytes

    def unsafe_buffer_pointer(self) -> int:
        self._check_not_deleted()
        return self._data.ctypes.data

    def _check_not_deleted(self) -> None:
        if self._data is None:
            raise RuntimeError(errors.deleted_message(self))

    def __dlpack__(self, **options):
        self._check_not_deleted()
        data = self._data
        if not data.flags.writeable:  # a broadcast, say: its elements share memory
            data = data.copy()
        if data.dtype == dtypes.bfloat16:
            from jaxlike.core import dlpack_bfloat16

            return dlpack_bfloat16.export(data, **options)
        return data.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._data.__dlpack_device__()

    @property
    def is_fully_addressable(self) -> bool:
        return True

    @property
    def is_fully_replicated(self) -> bool:
        return True

    @property
    def committed(self) -> bool:
        """Whether it was put where it lies by device_put, or with a device=."""
        return hasattr(self, "_sharding")


def _array_aval(x: Array) -> ShapedArray:
    return x.aval


aval_of_type[Array] = _array_aval


def _unpickle(data, aval) -> Array:
    return Array(data, aval)


def from_buffer(buffer: Any, aval: ShapedArray) -> Array:
    """Wrap what a primitive's evaluation returned; NumPy scalars become 0-d arrays."""
    if type(buffer) is not np.ndarray:
        buffer = np.asarray(buffer)
    if buffer.dtype is not aval.dtype:
        storage = dtypes.storage_dtype(aval.dtype)
        if buffer.dtype != storage:
            buffer = buffer.astype(storage)
    return Array(buffer, aval)


def to_buffer(x: Any) -> np.ndarray:
    """The NumPy buffer of an operand, in its canonical dtype."""
    if type(x) is Array:
        if x._data is None:
            x._check_not_deleted()
        return x._data
    aval = get_aval(x)
    if isinstance(x, np.ndarray):
        return x if x.dtype == aval.dtype else x.astype(aval.dtype)
    if hasattr(x, "__jax_array__"):
        return to_buffer(x.__jax_array__())
    return np.asarray(x, dtype=dtypes.storage_dtype(aval.dtype))


def to_array(x: Any) -> Array:
    """`x` as an Array (tracers come back as they are); ndarrays are copied."""
    if isinstance(x, Array):
        return x
    buffer = to_buffer(x)
    if isinstance(x, np.ndarray) and buffer is x and x.flags.writeable:
        buffer = x.copy()
    return Array(buffer, get_aval(x))
