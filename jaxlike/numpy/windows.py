"""Window functions: bartlett, blackman, hamming, hanning, kaiser."""

from __future__ import annotations

import math

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.trace import concrete_or_error
from jaxlike.numpy.creation import asarray, ones
from jaxlike.numpy.promote import ArrayLike, check_arraylike
from jaxlike.numpy.ranges import arange
from jaxlike.numpy.special import i0
from jaxlike.numpy.unary import abs as absolute
from jaxlike.numpy.unary import cos, sqrt

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]


def _samples(M: int, name: str):
    """The number of samples, and their positions 0, 1, ... as floats."""
    M = concrete_or_error(int, M, f"M argument of jnp.{name}")
    dtype = dtypes.default_float_dtype()
    return M, dtype, arange(max(M, 0), dtype=dtype)


def bartlett(M: int) -> Array:
    """A triangle of M samples that ends in zeros.

    >>> import jaxlike.numpy as jnp
    >>> jnp.bartlett(3).tolist()
    [0.0, 1.0, 0.0]
    """
    M, dtype, n = _samples(M, "bartlett")
    if M <= 1:
        return ones(max(M, 0), dtype)
    return 1 - absolute(2 * n + 1 - M) / (M - 1)


def blackman(M: int) -> Array:
    """Blackman's window of M samples: a bell made of three cosines.

    >>> import jaxlike.numpy as jnp
    >>> jnp.blackman(3).round(3).tolist()[1]
    1.0
    """
    M, dtype, n = _samples(M, "blackman")
    if M <= 1:
        return ones(max(M, 0), dtype)
    return (
        0.08 * cos(4 * math.pi * n / (M - 1))
        - 0.5 * cos(2 * math.pi * n / (M - 1))
        + 0.42
    )


def hamming(M: int) -> Array:
    """Hamming's window of M samples: a raised cosine that ends above zero.

    >>> import jaxlike.numpy as jnp
    >>> jnp.hamming(3).round(3).tolist()[1]
    1.0
    """
    M, dtype, n = _samples(M, "hamming")
    if M <= 1:
        return ones(max(M, 0), dtype)
    return 0.54 - 0.46 * cos(2 * math.pi * n / (M - 1))


def hanning(M: int) -> Array:
    """Hann's window of M samples: a raised cosine that ends in zeros.

    >>> import jaxlike.numpy as jnp
    >>> jnp.hanning(3).round(3).tolist()[1]
    1.0
    """
    M, dtype, n = _samples(M, "hanning")
    if M <= 1:
        return ones(max(M, 0), dtype)
    return 0.5 * (1 - cos(2 * math.pi * n / (M - 1)))


def kaiser(M: int, beta: ArrayLike) -> Array:
    """Kaiser's window of M samples: a bell made of Bessel functions.

    Args: `beta`, how narrow it is; 0 gives ones.

    >>> import jaxlike.numpy as jnp
    >>> jnp.kaiser(3, 0.0).tolist()
    [1.0, 1.0, 1.0]
    """
    check_arraylike("kaiser", beta)
    M, dtype, n = _samples(M, "kaiser")
    if M <= 1:
        return ones(max(M, 0), dtype)
    beta = asarray(beta, dtype)
    alpha = np.asarray(0.5 * (M - 1), dtype)
    return i0(beta * sqrt(1 - ((n - alpha) / alpha) ** 2)) / i0(beta)
