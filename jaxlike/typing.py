"""Types for annotations, under the names of jax.typing.

They say what a function takes; what it returns is annotated as jaxlike.Array.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from jaxlike.core.array import Array


class SupportsDType(Protocol):
    """Anything with a dtype, which can stand for it."""

    @property
    def dtype(self) -> np.dtype[Any]: ...


ArrayLike = Array | np.ndarray | np.bool_ | np.number | bool | int | float | complex
DTypeLike = str | type[Any] | np.dtype[Any] | SupportsDType

__all__ = ["ArrayLike", "DTypeLike"]
