"""ArrayLike: what the functions of this floor take where they say so.

Strings, lists and None are not array-like; jaxlike.numpy converts lists.
"""

from __future__ import annotations

import numpy as np

from jaxlike.core.array import Array

ArrayLike = Array | np.ndarray | np.generic | bool | int | float | complex
