"""fft: discrete Fourier transforms over the last axes, complex or real.

out[k] = sum over j of x[j] exp(-2 pi i j k / n), or the inverse with 1/n. The full
matrix is symmetric, so FFT and IFFT are their own transposes; RFFT and IRFFT are each
other's, up to weights for the frequencies that stand for two.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.primitives.rules import deflinear, dtype_kind

__all__ = ["FftType", "fft", "fft_of_real_p", "fft_p"]


class FftType(enum.IntEnum):
    """The four transforms: complex, its inverse, from real, and to real.

    >>> from jaxlike import lax
    >>> lax.FftType.RFFT.name
    'RFFT'
    """

    FFT = 0
    IFFT = 1
    RFFT = 2
    IRFFT = 3


fft_p = Primitive("fft")

_LARGE = 1 << 17


def _fft_shape(x, *, fft_type, fft_lengths):
    rank = len(fft_lengths)
    if rank > x.ndim:
        raise ValueError(
            format_error(f"fft over {rank} axes needs as many axes, got {x}")
        )
    real_input = fft_type == FftType.RFFT
    accepted = (
        (dtypes.float32, dtypes.float64)
        if real_input
        else (dtypes.complex64, dtypes.complex128)
    )
    if x.dtype not in accepted:
        raise ValueError(
            format_error(
                f"{fft_type.name} takes {accepted[0]} or {accepted[1]}, got {x}"
            )
        )
    if not rank:
        return x.strip_weak_type()
    sizes = x.shape[x.ndim - rank :]
    expected = fft_lengths
    if fft_type == FftType.IRFFT:
        expected = (*fft_lengths[:-1], fft_lengths[-1] // 2 + 1)
    if sizes != expected and not (0 in x.shape and 0 in fft_lengths):
        raise ValueError(
            format_error(
                f"{fft_type.name} of lengths {fft_lengths} needs last axes of sizes "
                f"{expected}, got {x}"
            )
        )
    lead = x.shape[: x.ndim - rank]
    if fft_type == FftType.RFFT:
        shape = (*lead, *fft_lengths[:-1], fft_lengths[-1] // 2 + 1)
        return ShapedArray(shape, dtypes.to_complex_dtype(x.dtype))
    if fft_type == FftType.IRFFT:
        return ShapedArray((*lead, *fft_lengths), dtypes.to_real_dtype(x.dtype))
    return ShapedArray(x.shape, x.dtype)


def _fft_evaluate(x, *, fft_type, fft_lengths):
    rank = len(fft_lengths)
    if not rank:
        return x
    out = _fft_shape(
        ShapedArray(x.shape, x.dtype), fft_type=fft_type, fft_lengths=fft_lengths
    )
    if not out.size or not x.size:
        return np.zeros(out.shape, out.dtype)
    if fft_type == FftType.IRFFT:
        return _transform("irfftn", x, rank, s=fft_lengths)
    return _transform(f"{fft_type.name.lower()}n", x, rank)


def _transform(name: str, x, rank: int, **options):
    from scipy import fft as scipy_fft

    axes = tuple(range(x.ndim - rank, x.ndim))
    # rows are shared out between threads where that pays
    workers = -1 if x.size > _LARGE else 1
    return getattr(scipy_fft, name)(x, axes=axes, workers=workers, **options)


def _half_weights(n: int, middle: float, dtype) -> np.ndarray:
    """1 for the frequencies of a real transform that stand for one, else `middle`."""
    weights = np.full(n // 2 + 1, middle, dtype)
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return weights


def _fft_transpose(ct, x, *, fft_type, fft_lengths):
    from jaxlike.primitives.arithmetic import mul
    from jaxlike.primitives.complexes import conj
    from jaxlike.primitives.shapes import broadcast_in_dim

    if fft_type in (FftType.FFT, FftType.IFFT) or not fft_lengths:
        return [fft_p.bind(ct, fft_type=fft_type, fft_lengths=fft_lengths)]

    def weighted(z, middle, scale):
        aval = get_aval(z)
        weights = _half_weights(fft_lengths[-1], middle, aval.dtype) * scale
        return mul(z, broadcast_in_dim(weights, aval.shape, (aval.ndim - 1,)))

    total = math.prod(fft_lengths)
    if fft_type == FftType.RFFT:
        z = weighted(conj(ct), 0.5, total)
        return [fft_p.bind(z, fft_type=FftType.IRFFT, fft_lengths=fft_lengths)]
    z = fft_p.bind(ct, fft_type=FftType.RFFT, fft_lengths=fft_lengths)
    return [conj(weighted(z, 2.0, 1 / total))]


def _fft_batch(axis_data, args, dims, *, fft_type, fft_lengths):
    from jaxlike.primitives.shapes import moveaxis

    (x,), (dim,) = args, dims
    if dim >= get_aval(x).ndim - len(fft_lengths):
        x, dim = moveaxis(x, dim, 0), 0
    return fft_p.bind(x, fft_type=fft_type, fft_lengths=fft_lengths), dim


fft_p.shape = _fft_shape
fft_p.evaluate = _fft_evaluate
fft_p.batch = _fft_batch
deflinear(fft_p, _fft_transpose)


# --- fft_of_real: all frequencies of a real array; compilers make it of a conversion

fft_of_real_p = Primitive("fft_of_real")
fft_of_real_p.shape = lambda x, *, fft_lengths: ShapedArray(
    x.shape, dtypes.to_complex_dtype(x.dtype)
)
fft_of_real_p.evaluate = lambda x, *, fft_lengths: _transform(
    "fftn", x, len(fft_lengths)
)
fft_of_real_p.not_batchable = "made when compiling, after vmap"
fft_of_real_p.not_differentiable = "made when compiling, after differentiation"


def fft(x, fft_type: FftType | str, fft_lengths: Sequence[int]):
    """A discrete Fourier transform over the last len(fft_lengths) axes.

    x: converted to complex, except for RFFT, which takes float32 or float64.
    fft_type: an FftType or its name. fft_lengths: the sizes in real space.
    Raises ValueError for sizes or dtypes that do not fit.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.fft(jnp.ones(4), "fft", (4,)).real.tolist()
    [4.0, 0.0, 0.0, 0.0]
    """
    from jaxlike.primitives.conversion import convert_element_type

    if isinstance(fft_type, str):
        if fft_type.upper() not in FftType.__members__:
            raise ValueError(format_error(f"Unknown FFT type {fft_type!r}"))
        fft_type = FftType[fft_type.upper()]
    elif not isinstance(fft_type, FftType):
        raise TypeError(format_error(f"Unknown FFT type value {fft_type!r}"))
    dtype = get_aval(x).dtype
    if fft_type == FftType.RFFT:
        if dtype_kind(dtype) == "complexfloating":
            raise ValueError(format_error(f"rfft takes real values, got {get_aval(x)}"))
        if dtype_kind(dtype) != "floating":
            x = convert_element_type(x, dtypes.to_inexact_dtype(dtype))
    elif dtype_kind(dtype) != "complexfloating":
        x = convert_element_type(x, dtypes.to_complex_dtype(dtype))
    return fft_p.bind(
        x, fft_type=fft_type, fft_lengths=tuple(int(n) for n in fft_lengths)
    )
