"""real, imag, complex, conj: the parts of complex numbers.

All are linear over the real numbers. Cotangents follow JAX's convention: that of
real(z) is ct + 0i, that of imag(z) is 0 - ct i.
"""

from __future__ import annotations

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives.arithmetic import neg
from jaxlike.primitives.linear import instantiate
from jaxlike.primitives.rules import (
    COMPLEX,
    deflinear,
    elementwise,
    elementwise_shape,
    scalar_like,
    unbroadcast,
)
from jaxlike.primitives.types import ArrayLike

__all__ = [
    "complex",
    "complex_p",
    "conj",
    "conj_p",
    "imag",
    "imag_p",
    "real",
    "real_p",
]


# --- real, imag


def _zero_like(x):
    return scalar_like(x, 0.0)


def _real_transpose(ct, z):
    return [Zero(z.aval) if type(ct) is Zero else complex(ct, _zero_like(ct))]


def _imag_transpose(ct, z):
    return [Zero(z.aval) if type(ct) is Zero else complex(_zero_like(ct), neg(ct))]


real_p = elementwise("real", lambda z: z.real, COMPLEX, result=dtypes.to_real_dtype)
imag_p = elementwise("imag", lambda z: z.imag, COMPLEX, result=dtypes.to_real_dtype)
deflinear(real_p, _real_transpose)
deflinear(imag_p, _imag_transpose)


def real(x: ArrayLike) -> Array:
    """The real part, elementwise, of a complex array. Raises TypeError for others.

    >>> from jaxlike import lax
    >>> lax.real(1 + 2j).item()
    1.0
    """
    return real_p.bind(x)


def imag(x: ArrayLike) -> Array:
    """The imaginary part, elementwise, of a complex array. Raises TypeError for others.

    >>> from jaxlike import lax
    >>> lax.imag(1 + 2j).item()
    2.0
    """
    return imag_p.bind(x)


# --- complex: x + iy from two real arrays


def _complex_shape(x, y):
    for i, aval in enumerate((x, y)):
        if aval.dtype not in (dtypes.float32, dtypes.float64):
            raise TypeError(
                format_error(
                    f"complex does not accept dtype {aval.dtype} at position {i}. "
                    f"Accepted dtypes at position {i} are subtypes of float32, "
                    "float64."
                )
            )
    return elementwise_shape("complex", (), _complex_result, True, x, y)


def _complex_result(x_dtype, y_dtype):
    return dtypes.to_complex_dtype(x_dtype)


def _complex_evaluate(x, y):
    shape = x.shape if x.shape == y.shape else np.broadcast_shapes(x.shape, y.shape)
    out = np.empty(shape, dtypes.to_complex_dtype(x.dtype))
    out.real = x
    out.imag = y
    return out


def _complex_jvp(primals, tangents):
    out = complex_p.bind(*primals)
    if all(type(t) is Zero for t in tangents):
        return out, Zero(get_aval(out).to_tangent_aval())
    return out, complex_p.bind(*map(instantiate, tangents))


def _complex_transpose(ct, x, y):
    ct_x = ct_y = None
    if is_undefined_primal(x):
        ct_x = ct if type(ct) is Zero else unbroadcast(x.aval, real(ct))
    if is_undefined_primal(y):
        ct_y = ct if type(ct) is Zero else unbroadcast(y.aval, imag(neg(ct)))
    return [ct_x, ct_y]


complex_p = elementwise("complex", _complex_evaluate, COMPLEX, nargs=2)
complex_p.shape = _complex_shape
complex_p.jvp = _complex_jvp
complex_p.transpose = _complex_transpose


def complex(x: ArrayLike, y: ArrayLike) -> Array:
    """x + iy, elementwise, of two float32 (or two float64) arrays.

    Raises TypeError for other dtypes and for dtypes that differ.

    >>> from jaxlike import lax
    >>> lax.complex(1.0, 2.0).item()
    (1+2j)
    """
    return complex_p.bind(x, y)


# --- conj: the complex conjugate; of a real array, the same as a complex array


def _conj_shape(x, input_dtype):
    if x.dtype not in (dtypes.float32, dtypes.float64) and x.dtype.kind != "c":
        raise TypeError(
            format_error(
                f"conj does not accept dtype {x.dtype}. Accepted dtypes are subtypes "
                "of float32, complexfloating, float64."
            )
        )
    return x.update(dtype=dtypes.to_complex_dtype(x.dtype))


def _conj_evaluate(x, input_dtype):
    if x.dtype.kind == "c":
        return np.conj(x)
    out = np.zeros(x.shape, dtypes.to_complex_dtype(x.dtype))
    out.real = x
    return out


def _conj_transpose(ct, x, input_dtype):
    if type(ct) is Zero:
        return [Zero(x.aval)]
    if dtypes.issubdtype(input_dtype, np.complexfloating):
        return [conj_p.bind(ct, input_dtype=input_dtype)]
    return [real(ct)]


conj_p = elementwise("conj", _conj_evaluate, COMPLEX)
conj_p.shape = _conj_shape
deflinear(conj_p, _conj_transpose)


def conj(x: ArrayLike) -> Array:
    """The complex conjugate, elementwise, of a complex, float32 or float64 array.

    The result is complex in any case. Raises TypeError for other dtypes.

    >>> from jaxlike import lax
    >>> lax.conj(1 + 2j).item()
    (1-2j)
    """
    return conj_p.bind(x, input_dtype=get_aval(x).dtype)
