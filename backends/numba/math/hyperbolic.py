"""tanh, sinh, cosh and their inverses, from exp, expm1 and log1p.

Odd functions are computed on |x| and given their sign back, so zeros keep theirs.
"""

from __future__ import annotations

from jaxlike.backends.numba.llvm import V
from jaxlike.backends.numba.math import vector_math
from jaxlike.backends.numba.math.coefficients import EXP, EXPM1
from jaxlike.backends.numba.math.explog import (
    exp_near_one,
    horner,
    limit,
    log1p,
    pow2,
    scale,
    split_ln2,
)

LN2 = 0.693147180559945309


def _half_expm1(x: V) -> V:
    """expm1(x) / 2 for x >= 0: overflows only where that does."""
    b, elem = x.b, x.type.elem
    x = limit(x, 0.0, 89.5 if elem == "float" else 710.5)
    n, r = split_ln2(x)
    p = b.muladd(horner(r, EXPM1[elem]), r * r, r)
    s = pow2(n - 2)
    return b.fma(s, p, s - 0.25) * 2.0


def _half_exp(x: V) -> V:
    """exp(x) / 2 for x >= 0."""
    elem = x.type.elem
    x = limit(x, 0.0, 90.0 if elem == "float" else 711.0)
    n, r = split_ln2(x)
    return scale(exp_near_one(r), n - 1)


@vector_math("tanh", inline=True)
def tanh(x: V) -> V:
    b, elem = x.b, x.type.elem
    big = 10.0 if elem == "float" else 20.0
    y = x.call("fabs")
    y = (y > big).where(big, y)
    # t = expm1(2 y) as 2^n p + (2^n - 1)
    n, r = split_ln2(y, 2.0)
    r = r + r
    p = b.muladd(horner(r, EXP[elem]), r * r, r)
    s = pow2(n)
    t = b.fma(s, p, s - 1.0)
    return (t / (t + 2.0)).call("copysign", x)


@vector_math("sinh")
def sinh(x: V) -> V:
    a = x.call("fabs")
    h = _half_expm1(a)
    tiny = a < (2.0**-13 if x.type.elem == "float" else 2.0**-27)
    half = (h > 2.0**60).where(0.5, h / (h + h + 1.0))
    return tiny.where(x, (h + half).call("copysign", x))


@vector_math("cosh")
def cosh(x: V) -> V:
    e = _half_exp(x.call("fabs"))
    return e + 0.25 / e


@vector_math("asinh")
def asinh(x: V) -> V:
    a = x.call("fabs")
    far = a > (2.0**26 if x.type.elem == "float" else 2.0**56)
    y = far.where(1.0, a)
    square = y * y
    near = y + square / ((square + 1.0).call("sqrt") + 1.0)
    out = log1p(far.where(a, near)) + far.where(LN2, a - a)
    return x.isnan().where(x, out).call("copysign", x)


@vector_math("acosh")
def acosh(x: V) -> V:
    far = x > (2.0**26 if x.type.elem == "float" else 2.0**56)
    t = far.where(1.0, x) - 1.0
    near = t + (t * (t + 2.0)).call("sqrt")
    out = log1p(far.where(x, near))
    out = far.where(out + LN2, out)
    return x.cmp("ult", 1.0).where(float("nan"), out)


@vector_math("atanh")
def atanh(x: V) -> V:
    a = x.call("fabs")
    return (log1p((a + a) / (1.0 - a)) * 0.5).call("copysign", x)
