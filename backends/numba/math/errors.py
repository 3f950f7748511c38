"""erf, erfc, erf_inv.

erf in float: 1 - Q(x)^8 past 0.96. erfc(x) = exp(-x^2) erfcx(x), with (1 + 2x) erfcx(x)
a polynomial in (x - k) / (x + k) and x^2 in two parts.
"""

from __future__ import annotations

from jaxlike.backends.numba.llvm import V
from jaxlike.backends.numba.math import vector_math
from jaxlike.backends.numba.math.coefficients import (
    ERF,
    ERF_INV_A,
    ERF_INV_B,
    ERF_INV_C,
    ERF_ROOT,
    ERFC,
)
from jaxlike.backends.numba.math.explog import exp, horner, log, log1p, power


def _erf_small(x: V) -> V:
    """erf on |x| <= 1."""
    return x.b.muladd(horner(x * x, ERF[x.type.elem]), x, x)


def _erfc_large(a: V) -> V:
    """erfc on a >= 1/2."""
    b, elem = a.b, a.type.elem
    center, far = (2.0, 10.5) if elem == "float" else (4.0, 28.0)
    a = (a > far).where(far, a)
    t = (a - center) / (a + center)
    square = a * a
    lost = b.fma(a, a, -square)
    e = exp(-square)
    ratio = horner(t, ERFC[elem]) / b.muladd(a, 2.0, 1.0)
    return b.muladd(e * ratio, -lost, e * ratio)


@vector_math("erf", inline=True)
def erf(x: V) -> V:
    a = x.call("fabs")
    if x.type.elem == "float":
        near = a < 0.96
        root = horner((a > 3.95).where(3.95, a) - 2.45, ERF_ROOT["float"])
        far = 1.0 - power(root, 8)
    else:
        near = a < 0.75
        far = 1.0 - _erfc_large(a)
    return near.where(_erf_small(x), far.call("copysign", x))


@vector_math("erfc")
def erfc(x: V) -> V:
    a = x.call("fabs")
    tail = _erfc_large(a)
    tail = (x < 0.0).where(2.0 - tail, tail)
    return (a < 0.5).where(1.0 - _erf_small(x), tail)


@vector_math("erf_inv")
def erf_inv(x: V) -> V:
    elem = x.type.elem
    a = x.call("fabs")
    if elem == "float":
        w = -log((1.0 - a) * (1.0 + a))
        root = w.call("sqrt")
        near = horner(w - 2.5, ERF_INV_A[elem])
        far = horner(root - 3.0, ERF_INV_B[elem])
        y = (w < 5.0).where(near, far)
    else:
        # 1 - a^2 loses bits in the middle, a^2 does not; near 1 it is the other way
        w = (a < 0.5).where(-log1p(-(a * a)), -log((1.0 - a) * (1.0 + a)))
        root = w.call("sqrt")
        near = horner(w - 3.125, ERF_INV_A[elem])
        middle = horner(root - 3.25, ERF_INV_B[elem])
        far = horner(root - 5.0, ERF_INV_C[elem])
        y = (w < 6.25).where(near, (w < 16.0).where(middle, far))
    y = a.eq(1.0).where(float("inf"), y)
    y = a.cmp("ugt", 1.0).where(float("nan"), y)
    return x * y
