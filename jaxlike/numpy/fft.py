"""jax.numpy.fft: discrete Fourier transforms along any axes.

Each is lax.fft over the last axes, up to three at a time, with cropping or padding
before it and a factor after it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import guard_names as _guard_names
from jaxlike.numpy.axes import canonical_axis
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import ArrayLike, DTypeLike, check_arraylike, to_arrays
from jaxlike.primitives import arithmetic, complexes, joining

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

_MOST_AXES = 3  # of one lax.fft
_SWAPPED_NORMS = {None: "forward", "backward": "forward", "forward": "backward"}


def _transform(
    name: str, kind: str, a: Any, s: Any, axes: Any, norm: str | None
) -> Any:
    """The transform `kind` (fft, ifft, rfft or irfft) over several axes."""
    from jaxlike.primitives.fft import fft as lax_fft

    [a] = to_arrays(f"jax.numpy.fft.{name}", a)
    if norm not in (None, "backward", "ortho", "forward"):
        raise ValueError(
            format_error(
                f'norm {norm} of fft is none of "backward", "ortho", "forward"'
            )
        )
    if s is not None:
        s = tuple(map(operator.index, s))
        if any(n < 1 for n in s):
            raise ValueError(format_error(f"Shape should be positive, got {s}"))
    if axes is None:
        axes = range(a.ndim) if s is None else range(a.ndim - len(s), a.ndim)
        if s is not None and len(s) > a.ndim:
            raise ValueError(
                format_error(f"{name}: shape {s} has more axes than {a.aval}")
            )
    axes = tuple(canonical_axis(axis, a.ndim) for axis in axes)
    if len(set(axes)) != len(axes):
        raise ValueError(format_error(f"{name}: axes {axes} name one axis twice"))
    if s is not None and len(s) != len(axes):
        raise ValueError(format_error(f"s={s} and axes={axes} differ in length"))
    if kind == "rfft" and dtypes.issubdtype(a.dtype, np.complexfloating):
        raise ValueError(format_error("rfft takes real numbers"))
    if kind == "rfft":
        a = _to_float(a)
    else:
        complex_dtype = dtypes.to_complex_dtype(a.dtype)
        a = a.astype(dtypes.canonicalize_dtype(complex_dtype))
    if not axes:
        return a
    last = range(a.ndim - len(axes), a.ndim)
    a = jnp.moveaxis(a, axes, last)
    if s is None:
        s = a.shape[a.ndim - len(axes) :]
        if kind == "irfft":
            s = (*s[:-1], max(2 * (s[-1] - 1), 0))
    sizes = (*s[:-1], s[-1] // 2 + 1) if kind == "irfft" else s
    a = _fit(a, sizes)
    if 0 in s:
        return jnp.moveaxis(_nothing(a, kind, s), last, axes)
    for start, stop in _chunks(len(axes), kind):
        # the real transforms are those of the last axis
        own = kind if stop == len(axes) else kind.replace("r", "")
        chunk = range(a.ndim - len(axes) + start, a.ndim - len(axes) + stop)
        to_end = range(a.ndim - (stop - start), a.ndim)
        a = jnp.moveaxis(a, chunk, to_end)
        a = lax_fft(a, own.upper(), s[start:stop])
        a = jnp.moveaxis(a, to_end, chunk)
    out = jnp.moveaxis(a, last, axes)
    factor = _factor(math.prod(s), norm, inverse=kind in ("ifft", "irfft"))
    if factor == 1:
        return out
    return arithmetic.mul(out, np.asarray(factor, out.dtype))


def _chunks(count: int, kind: str) -> list[tuple[int, int]]:
    """Where each group of axes starts and stops, in the order to transform them."""
    pairs = [(max(n - _MOST_AXES, 0), n) for n in range(count, 0, -_MOST_AXES)]
    return pairs[::-1] if kind == "irfft" else pairs


def _nothing(a: Any, kind: str, s: Sequence[int]) -> Any:
    """The transform of an array without elements."""
    last = s[-1] // 2 + 1 if kind == "rfft" else s[-1]
    shape = (*a.shape[: a.ndim - len(s)], *s[:-1], last)
    real = kind == "irfft"
    dtype = (dtypes.to_real_dtype if real else dtypes.to_complex_dtype)(a.dtype)
    return jnp.zeros(shape, dtype)


def _to_float(a: Any) -> Any:
    return a.astype(dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(a.dtype)))


def _fit(a: Any, sizes: Sequence[int]) -> Any:
    """Crop the last axes to these sizes, or pad them with zeros."""
    lead = a.ndim - len(sizes)
    if a.shape[lead:] == tuple(sizes):
        return a
    a = a[(..., *(slice(0, n) for n in sizes))]
    missing = [n - m for n, m in zip(sizes, a.shape[lead:])]
    if not any(missing):
        return a
    config = [(0, 0, 0)] * lead + [(0, n, 0) for n in missing]
    return joining.pad(a, np.zeros((), a.dtype), config)


def _factor(n: int, norm: str | None, inverse: bool) -> float:
    # lax.fft divides by n in its inverse transforms
    if norm == "ortho":
        return math.sqrt(n) if inverse else 1 / math.sqrt(n)
    if norm == "forward":
        return n if inverse else 1 / n
    return 1


def _one_axis(
    name: str, kind: str, a: Any, n: int | None, axis: int, norm: str | None
) -> Any:
    check_arraylike(f"jax.numpy.fft.{name}", a)
    if isinstance(axis, (list, tuple)) or hasattr(axis, "shape"):
        raise ValueError(
            format_error(
                f"jax.numpy.fft.{name} does not support multiple axes. Please use "
                f"jax.numpy.fft.{name}n. Got axis = {axis!r}."
            )
        )
    return _transform(name, kind, a, None if n is None else (n,), (axis,), norm)


def _two_axes(
    name: str, kind: str, a: Any, s: Any, axes: Sequence[int], norm: str | None
) -> Any:
    check_arraylike(f"jax.numpy.fft.{name}", a)
    if len(axes) != 2:
        raise ValueError(
            format_error(
                f"jax.numpy.fft.{name} only supports 2 axes. Got axes = {axes!r}."
            )
        )
    return _transform(name, kind, a, s, axes, norm)


# --- one axis


@composite_of(1)
def fft(
    a: ArrayLike, n: int | None = None, axis: int = -1, norm: str | None = None
) -> Array:
    """The Fourier transform along one axis, cropped or padded to `n` elements first.

    Args: `norm`, which direction divides by n: "backward" (the default: the inverse),
    "forward", or "ortho", by sqrt(n) in both.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.fft(jnp.ones(4)).real
    Array([4., 0., 0., 0.], dtype=float32)
    """
    return _one_axis("fft", "fft", a, n, axis, norm)


@composite_of(1)
def ifft(
    a: ArrayLike, n: int | None = None, axis: int = -1, norm: str | None = None
) -> Array:
    """The inverse of `fft`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.ifft(jnp.fft.fft(jnp.ones(2))).real
    Array([1., 1.], dtype=float32)
    """
    return _one_axis("ifft", "ifft", a, n, axis, norm)


@composite_of(1)
def rfft(
    a: ArrayLike, n: int | None = None, axis: int = -1, norm: str | None = None
) -> Array:
    """The first half, n // 2 + 1 elements, of the transform of a real array.

    Raises: ValueError for complex arrays. See `fft` for the arguments.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.rfft(jnp.ones(4)).shape
    (3,)
    """
    return _one_axis("rfft", "rfft", a, n, axis, norm)


@composite_of(1)
def irfft(
    a: ArrayLike, n: int | None = None, axis: int = -1, norm: str | None = None
) -> Array:
    """The inverse of `rfft`; real, of `n` elements, by default an even number.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.irfft(jnp.fft.rfft(jnp.arange(3.0)), n=3).shape
    (3,)
    """
    return _one_axis("irfft", "irfft", a, n, axis, norm)


@composite_of(1)
def hfft(
    a: ArrayLike, n: int | None = None, axis: int = -1, norm: str | None = None
) -> Array:
    """The real transform of a signal given by its first half, as it is Hermitian.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.hfft(jnp.ones(3)).shape
    (4,)
    """
    [a] = to_arrays("jax.numpy.fft.hfft", a)
    if dtypes.issubdtype(a.dtype, np.complexfloating):
        a = complexes.conj(a)
    return _one_axis("hfft", "irfft", a, n, axis, _SWAPPED_NORMS.get(norm, norm))


@composite_of(1)
def ihfft(
    a: ArrayLike, n: int | None = None, axis: int = -1, norm: str | None = None
) -> Array:
    """The inverse of `hfft`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.ihfft(jnp.ones(4)).shape
    (3,)
    """
    out = _one_axis("ihfft", "rfft", a, n, axis, _SWAPPED_NORMS.get(norm, norm))
    return complexes.conj(out)


# --- two axes, and any number


@composite_of(1)
def fft2(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The Fourier transform over two axes; see `fftn`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.fft2(jnp.ones((2, 3))).shape
    (2, 3)
    """
    return _two_axes("fft2", "fft", a, s, axes, norm)


@composite_of(1)
def ifft2(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The inverse of `fft2`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.ifft2(jnp.ones((2, 3))).shape
    (2, 3)
    """
    return _two_axes("ifft2", "ifft", a, s, axes, norm)


@composite_of(1)
def rfft2(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The transform of a real array over two axes, the half that says all.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.rfft2(jnp.ones((2, 4))).shape
    (2, 3)
    """
    return _two_axes("rfft2", "rfft", a, s, axes, norm)


@composite_of(1)
def irfft2(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The inverse of `rfft2`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.irfft2(jnp.ones((2, 3))).shape
    (2, 4)
    """
    return _two_axes("irfft2", "irfft", a, s, axes, norm)


@composite_of(1)
def fftn(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The Fourier transform over several axes, by default all of them.

    Args:
      s: the sizes to crop or pad those axes to; without `axes`, of the last axes.
      norm: as in `fft`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.fftn(jnp.ones((2, 2))).real
    Array([[4., 0.],
           [0., 0.]], dtype=float32)
    """
    return _transform("fftn", "fft", a, s, axes, norm)


@composite_of(1)
def ifftn(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The inverse of `fftn`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.ifftn(jnp.ones((2, 3, 4))).shape
    (2, 3, 4)
    """
    return _transform("ifftn", "ifft", a, s, axes, norm)


@composite_of(1)
def rfftn(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The transform of a real array over several axes; the last is cut to its half.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.rfftn(jnp.ones((2, 3, 4))).shape
    (2, 3, 3)
    """
    return _transform("rfftn", "rfft", a, s, axes, norm)


@composite_of(1)
def irfftn(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The inverse of `rfftn`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.irfftn(jnp.ones((2, 3, 3))).shape
    (2, 3, 4)
    """
    return _transform("irfftn", "irfft", a, s, axes, norm)


# --- frequencies


def fftfreq(
    n: int,
    d: ArrayLike = 1.0,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
) -> Array:
    """The frequencies of the elements of `fft`, for samples `d` apart.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.fftfreq(4)
    Array([ 0.  ,  0.25, -0.5 , -0.25], dtype=float32)
    """
    n = _sample_count("fftfreq", n)
    ks = np.concatenate([np.arange((n + 1) // 2), np.arange(-(n // 2), 0)])
    return _frequencies("fftfreq", ks, n, d, dtype)


def rfftfreq(
    n: int,
    d: ArrayLike = 1.0,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
) -> Array:
    """The frequencies of the elements of `rfft`, for samples `d` apart.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.rfftfreq(4)
    Array([0.  , 0.25, 0.5 ], dtype=float32)
    """
    n = _sample_count("rfftfreq", n)
    return _frequencies("rfftfreq", np.arange(n // 2 + 1), n, d, dtype)


def _sample_count(name: str, n: Any) -> int:
    if isinstance(n, (list, tuple)):
        raise ValueError(format_error(f"{name}: n must be an int, got {n}"))
    return int(n)


def _frequencies(name: str, ks: np.ndarray, n: int, d: Any, dtype: Any) -> Any:
    if isinstance(d, (list, tuple)):
        raise ValueError(format_error(f"{name}: d must be one number, got {d}"))
    dtype = dtypes.check_user_dtype_supported(dtype, name)
    dtype = dtypes.default_float_dtype() if dtype is None else dtype
    spacing = jnp.asarray(d * n, dtype)
    return arithmetic.div(jnp.asarray(ks, dtype), spacing)


@composite_of(1)
def fftshift(x: ArrayLike, axes: int | Sequence[int] | None = None) -> Array:
    """Move the frequency 0 from the beginning of the axes to their middle.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.fftshift(jnp.array([0, 1, 2, -2, -1]))
    Array([-2, -1,  0,  1,  2], dtype=int32)
    """
    return _shift("fftshift", x, axes, 1)


@composite_of(1)
def ifftshift(x: ArrayLike, axes: int | Sequence[int] | None = None) -> Array:
    """The inverse of `fftshift`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fft.ifftshift(jnp.array([-2, -1, 0, 1, 2]))
    Array([ 0,  1,  2, -2, -1], dtype=int32)
    """
    return _shift("ifftshift", x, axes, -1)


def _shift(name: str, x: Any, axes: Any, direction: int) -> Any:
    [x] = to_arrays(name, x)
    if axes is None:
        axes = range(x.ndim)
    elif isinstance(axes, (int, np.integer)):
        axes = (axes,)
    axes = tuple(canonical_axis(axis, x.ndim) for axis in axes)
    return jnp.roll(x, tuple(direction * (x.shape[i] // 2) for i in axes), axes)


_guard_names(globals())
