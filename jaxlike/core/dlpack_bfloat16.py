"""DLPack of bfloat16, which NumPy does not exchange: as uint16, with the type changed.

A DLPack capsule holds a C struct in which the dtype is three numbers; here they are
changed in place, before another library reads them.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from jaxlike.core import dtypes

UINT, BFLOAT = 1, 4  # type codes of DLPack


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
    ]


class _Versioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    ]


def _tensor_of(capsule: Any) -> _Tensor:
    api = ctypes.pythonapi
    get = api.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    is_valid = api.PyCapsule_IsValid
    is_valid.restype = ctypes.c_int
    is_valid.argtypes = [ctypes.py_object, ctypes.c_char_p]
    if is_valid(capsule, b"dltensor_versioned"):
        address = get(capsule, b"dltensor_versioned")
        return _Versioned.from_address(address).tensor
    return _Tensor.from_address(get(capsule, b"dltensor"))


def export(data: np.ndarray, **options: Any) -> Any:
    """The capsule of an array of bfloat16."""
    capsule = data.view(np.uint16).__dlpack__(**options)
    _tensor_of(capsule).code = BFLOAT
    return capsule


def read(source: Any) -> np.ndarray | None:
    """The array of bfloat16 that another library offers, or None if it is not one."""
    capsule = source.__dlpack__()
    tensor = _tensor_of(capsule)
    if (tensor.code, tensor.bits, tensor.lanes) != (BFLOAT, 16, 1):
        return None
    tensor.code = UINT
    return np.from_dlpack(_Once(capsule, source.__dlpack_device__())).view(
        dtypes.bfloat16
    )


class _Once:
    """Hands out one capsule that is there already."""

    def __init__(self, capsule: Any, device: tuple[int, int]):
        self._capsule = capsule
        self._device = device

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device
