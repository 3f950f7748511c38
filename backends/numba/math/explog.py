"""exp, exp2, expm1, log, log1p, log2, logistic.

exp: x = n ln2 + r with |r| <= ln2/2 (Cody-Waite, fused), a polynomial in r, and 2^n in
two factors, so that results underflow gradually and overflow to infinity by themselves.
log: x = 2^e m with m in [sqrt(1/2), sqrt(2)); log1p(m - 1) by a polynomial. NaN runs
through the arithmetic; clamps use ordered comparisons, which leave NaN alone.
"""

from __future__ import annotations

from jaxlike.backends.numba.llvm import V
from jaxlike.backends.numba.math import avx512, vector_math
from jaxlike.backends.numba.math.coefficients import (
    EXP,
    EXP2,
    EXPM1,
    LOG,
    LOG_NEAR,
)

# ln2 in two parts; both positive, so that their products with infinity add up
LN2_HI = {"float": 0.693145751953125, "double": 0.693147180369123816490}
LN2_LO = {"float": 1.42860682030941723e-6, "double": 1.90821492927058770002e-10}
LOG2E = 1.44269504088896340736
# Adding and subtracting 1.5 * 2^mantissa rounds to an integer, which then also stands
# in the low bits: a conversion that NaN cannot make undefined.
MAGIC = {"float": 12582912.0, "double": 6755399441055744.0}
MANTISSA = {"float": 23, "double": 52}
BIAS = {"float": 127, "double": 1023}


def horner(x: V, coefficients) -> V:
    """coefficients[0] + coefficients[1] x + ... , fused."""
    *rest, last = coefficients
    acc = x.b.const(x.type, last)
    for c in reversed(rest):
        acc = x.b.muladd(acc, x, c)
    return acc


def limit(x: V, low: float, high: float) -> V:
    """x clamped, NaN staying NaN."""
    x = (x > high).where(high, x)
    return (x < low).where(low, x)


def power(x: V, n: int) -> V:
    """x^n by squaring, n >= 1."""
    out = None
    while n:
        if n & 1:
            out = x if out is None else out * x
        n >>= 1
        x = x * x if n else x
    return out


def pow2(n: V) -> V:
    """2^n for whole numbers n, of `whole`, within the exponent range."""
    if n.is_float:
        return avx512.scalef(n.b.const(n.type, 1.0), n)
    elem = "float" if n.type.bits == 32 else "double"
    return ((n + BIAS[elem]) << MANTISSA[elem]).as_float()


def scale(p: V, n: V) -> V:
    """p 2^n for |n| up to twice the exponent range; rounds once, where subnormal."""
    if n.is_float:
        return avx512.scalef(p, n)
    half = n >> 1
    return p * pow2(half) * pow2(n - half)


def round_int(x: V) -> tuple[V, V]:
    """(x rounded to an integer, the same as an integer), for small |x|; NaN is safe."""
    magic = MAGIC[x.type.elem]
    t = x + magic
    return t - magic, t.bits() - x.b.const(x.type, magic).bits()


def whole(x: V) -> tuple[V, V]:
    """(x rounded to a whole number, the same in the form that `scale` takes)."""
    if avx512.available(x):
        n = x.call("roundeven")
        return n, n
    return round_int(x)


def split_ln2(x: V, turns: float = 1.0) -> tuple[V, V]:
    """(n for `scale`, r) with x = n ln2 / turns + r."""
    b, elem = x.b, x.type.elem
    n, i = whole(x * (LOG2E * turns))
    r = b.fma(n, -LN2_HI[elem] / turns, x)
    return i, b.fma(n, -LN2_LO[elem] / turns, r)


def exp_near_one(r: V) -> V:
    """e^r for |r| <= ln2 / 2."""
    return horner(r, (1.0, 1.0, *EXP[r.type.elem]))


@vector_math("exp", inline=True)
def exp(x: V) -> V:
    elem = x.type.elem
    x = limit(x, *((-104.0, 89.0) if elem == "float" else (-746.0, 710.0)))
    n, r = split_ln2(x)
    return scale(exp_near_one(r), n)


@vector_math("exp2", inline=True)
def exp2(x: V) -> V:
    elem = x.type.elem
    x = limit(x, *((-151.0, 129.0) if elem == "float" else (-1076.0, 1025.0)))
    n, i = whole(x)
    r = x - n
    return scale(x.b.muladd(horner(r, EXP2[elem]), r, 1.0), i)


@vector_math("expm1", inline=True)
def expm1(x: V) -> V:
    b, elem = x.b, x.type.elem
    small, big = (-18.0, 89.0) if elem == "float" else (-40.0, 710.0)
    y = limit(x, small, big)
    n, r = split_ln2(y)
    p = b.muladd(horner(r, EXPM1[elem]), r * r, r)
    # 2^n p + (2^n - 1), halved so that n = 128 (1024) does not overflow before its time
    s = pow2(n - 1)
    out = b.fma(s, p, s - 0.5) * 2.0
    tiny = x.call("fabs") < 2.0 ** -(MANTISSA[elem] + 2)
    return tiny.where(x, out)


def _short_log(x: V) -> bool:
    """Whether the parts of a logarithm are an instruction each."""
    return x.type.elem == "float" and avx512.available(x)


def log_parts(x: V) -> tuple[V, V]:
    """(f, e) with x = 2^e (1 + f), x > 0 finite; f in [sqrt(1/2) - 1, sqrt(2) - 1), or
    in [-1/4, 1/2), and then of any x: e is infinite for 0 and infinity, f NaN below."""
    if _short_log(x):
        m = avx512.mantissa(x)
        return m - 1.0, avx512.exponent(x) - avx512.exponent(m)
    elem, wide = x.type.elem, MANTISSA[x.type.elem]
    tiny, up = (2.0**-126, 25) if elem == "float" else (2.0**-1022, 54)
    small = x < tiny
    x = small.where(x * 2.0**up, x)
    root = x.b.const(x.type, 0.5**0.5).bits()
    i = x.bits() - root
    e = i >> wide
    m = (x.bits() - (e << wide)).as_float()
    e = e - small.where(x.b.const(e.type, up), 0)
    return m - 1.0, int_to_float(e, elem)


def int_to_float(n: V, elem: str) -> V:
    """Small integers as floats; for double by magic bits, vector code on any
    machine."""
    if elem == "float":
        return n.cast("sitofp", "float")
    magic = MAGIC["double"]
    bits = n + n.b.const(n.type.with_elem("double"), magic).bits()
    return bits.as_float() - magic


def log1p_tail(f: V) -> V:
    """log1p(f) - f on the range of `log_parts`."""
    b, elem = f.b, f.type.elem
    if elem == "float":
        p = horner(f, LOG_NEAR[elem] if _short_log(f) else LOG[elem])
        return b.muladd(p * f, f * f, f * f * -0.5)
    s = f / (f + 2.0)
    z = s * s
    half = f * f * 0.5
    return b.muladd(s, b.muladd(z, horner(z, LOG[elem]), half), -half)


def log_special(x: V, y: V) -> V:
    """Puts in log's values for x <= 0, infinity and NaN, where they are missing."""
    if _short_log(x):
        return y
    inf, nan = float("inf"), float("nan")
    y = x.eq(inf).where(x, y)
    y = x.eq(0.0).where(-inf, y)
    return x.cmp("ult", 0.0).where(nan, y)


@vector_math("log", inline=True)
def log(x: V) -> V:
    b, elem = x.b, x.type.elem
    f, e = log_parts(x)
    low = b.muladd(e, LN2_LO[elem], log1p_tail(f))
    return log_special(x, b.fma(e, LN2_HI[elem], f + low))


@vector_math("log2", inline=True)
def log2(x: V) -> V:
    b, elem = x.b, x.type.elem
    f, e = log_parts(x)
    tail = log1p_tail(f)
    high = LOG2E_HI[elem]
    low = b.muladd(tail, LOG2E, f * (LOG2E - high))
    return log_special(x, b.fma(f, high, low) + e)


LOG2E_HI = {"float": 1.4426950216293335, "double": LOG2E}


@vector_math("log1p", inline=True)
def log1p(x: V) -> V:
    b, elem = x.b, x.type.elem
    u = x + 1.0
    f, e = log_parts(u)
    # What x + 1 rounded away, scaled as f is. (u - 1 is exact where it matters.)
    lost = (x > 1.0).where(1.0 - (u - x), x - (u - 1.0))
    c = (lost / u) * (f + 1.0)
    big = 2.0 ** (MANTISSA[elem] + 2)
    c = (x > big).where(0.0, c)
    f2 = f + c
    low = b.muladd(e, LN2_LO[elem], log1p_tail(f2)) + ((f - f2) + c)
    y = log_special(u, b.fma(e, LN2_HI[elem], f2 + low))
    if _short_log(u):
        y = u.eq(0.0).where(-float("inf"), y)
    return x.call("fabs").cmp("olt", 2.0 ** -(MANTISSA[elem] + 2)).where(x, y)


@vector_math("logistic", inline=True)
def logistic(x: V) -> V:
    e = exp(-x.call("fabs"))
    return (x >= 0.0).where(1.0, e) / (e + 1.0)
