"""asin, acos, atan, atan2."""

from __future__ import annotations

from jaxlike.backends.numba.llvm import V
from jaxlike.backends.numba.math import vector_math
from jaxlike.backends.numba.math.coefficients import ASIN, ATAN
from jaxlike.backends.numba.math.explog import horner
from jaxlike.backends.numba.math.trig import PIO2


def _asin_core(a: V) -> tuple[V, V, V]:
    """(near, s, asin(s)) with s = a below 1/2 and sqrt((1 - a) / 2) above."""
    b = a.b
    near = a <= 0.5
    z = near.where(a * a, (1.0 - a) * 0.5)
    s = near.where(a, z.call("sqrt"))
    return near, s, b.muladd(horner(z, ASIN[a.type.elem]), z * s, s)


@vector_math("asin")
def asin(x: V) -> V:
    near, _, y = _asin_core(x.call("fabs"))
    high, low, _ = PIO2[x.type.elem]
    far = high - ((y + y) - low)
    return near.where(y, far).call("copysign", x)


@vector_math("acos")
def acos(x: V) -> V:
    near, _, y = _asin_core(x.call("fabs"))
    high, low, _ = PIO2[x.type.elem]
    close = high - (y.call("copysign", x) - low)
    twice = y + y
    far = (x < 0.0).where(2.0 * high - (twice - 2.0 * low), twice)
    return near.where(close, far)


def _atan_poly(t: V) -> V:
    z = t * t
    return t.b.muladd(horner(z, ATAN[t.type.elem]), z * t, t)


@vector_math("atan")
def atan(x: V) -> V:
    a, zero = x.call("fabs"), x.b.const(x.type, 0.0)
    far, middle = a > 2.414213562373095, a > 0.41421356237309503
    above = far.where(-1.0, a - 1.0)
    below = far.where(a, a + 1.0)
    t = middle.where(above / below, a)
    high, low, _ = PIO2[x.type.elem]
    base = far.where(high, middle.where(0.5 * high, zero))
    rest = far.where(low, middle.where(0.5 * low, zero))
    return (base + (_atan_poly(t) + rest)).call("copysign", x)


@vector_math("atan2")
def atan2(y: V, x: V) -> V:
    """The angle of the point (x, y)."""
    a, c, zero = y.call("fabs"), x.call("fabs"), x.b.const(x.type, 0.0)
    swap = a > c
    num, den = swap.where(c, a), swap.where(a, c)
    inf = float("inf")
    num, den = (
        (num.eq(inf)).where(1.0, num),
        (num.eq(inf)).where(1.0, den),
    )
    huge = den > (2.0**126 if x.type.elem == "float" else 2.0**1022)
    num, den = huge.where(num * 0.25, num), huge.where(den * 0.25, den)
    high, low, _ = PIO2[x.type.elem]
    middle = num > den * 0.41421356237309503
    t = middle.where(num - den, num) / middle.where(num + den, den)
    t = den.eq(0.0).where(0.0, t)
    angle = middle.where(0.5 * high, zero) + (
        _atan_poly(t) + middle.where(0.5 * low, zero)
    )
    angle = swap.where(high - (angle - low), angle)
    left = x.bits() < 0
    angle = left.where(2.0 * high - (angle - 2.0 * low), angle)
    angle = x.cmp("uno", y).where(float("nan"), angle)
    return angle.call("copysign", y)
