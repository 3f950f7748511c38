"""pow, rem, cbrt, sqrt, rsqrt."""

from __future__ import annotations

from jaxlike.backends.numba.llvm import Type, V
from jaxlike.backends.numba.math import vector_math
from jaxlike.backends.numba.math.coefficients import POW_LOG
from jaxlike.backends.numba.math.explog import (
    LN2_HI,
    LN2_LO,
    exp,
    exp_near_one,
    horner,
    int_to_float,
    log1p_tail,
    log_parts,
    round_int,
    scale,
    split_ln2,
)

INF, NAN = float("inf"), float("nan")
THIRD = (0.3333333333333333, 1.850371707708594e-17)
# ln2 in two parts, the first short enough that its product with an exponent is exact
LN2 = (0.6931471805592082, 7.371002565167799e-13)


@vector_math("sqrt", inline=True)
def sqrt(x: V) -> V:
    return x.call("sqrt")


@vector_math("rsqrt", inline=True)
def rsqrt(x: V) -> V:
    return 1.0 / x.call("sqrt")


def _two_sum(a: V, c: V) -> tuple[V, V]:
    """a + c exactly, for |a| >= |c|."""
    s = a + c
    return s, c - (s - a)


def _log_pair(x: V) -> tuple[V, V]:
    """log x for x > 0 as a sum of two doubles, to about 2^-64."""
    b = x.b
    f, e = log_parts(x)
    den = f + 2.0
    den_low = f - (den - 2.0)
    s = f / den
    s_low = (b.fma(-s, den, f) - s * den_low) / den
    z = s * s
    z_low = b.fma(s, s, -z) + 2.0 * s * s_low
    # log m = 2 s (1 + p), p = z/3 + z^2 P(z), the first term in two doubles
    p = z * THIRD[0]
    p_low = b.fma(z, THIRD[0], -p) + (z_low * THIRD[0] + z * THIRD[1])
    p, p_low = _two_sum(p, p_low + z * z * horner(z, POW_LOG["double"]))
    t = 2.0 * s
    u = t * p
    u_low = b.fma(t, p, -u) + (t * p_low + 2.0 * s_low * p)
    m, m_low = _two_sum(t, u)
    m_low = m_low + (u_low + 2.0 * s_low)
    high = e * LN2[0]
    # either may be the larger: e = 0 leaves m alone, otherwise |high| > |m|
    total, total_low = _two_sum(high, m)
    alone = e.eq(0.0)
    total = alone.where(m, total)
    total_low = alone.where(0.0, total_low) + b.muladd(e, LN2[1], m_low)
    return _two_sum(total, total_low)


def _log_single(x: V) -> tuple[V, V]:
    """log x in one double, enough for float results."""
    b = x.b
    f, e = log_parts(x)
    low = b.muladd(e, LN2_LO["double"], log1p_tail(f))
    return b.fma(e, LN2_HI["double"], f + low), x.b.const(x.type, 0.0)


def _pow_double(x: V, y: V, log) -> V:
    b, a = x.b, x.call("fabs")
    high, low = log(a)
    high = a.eq(0.0).where(-INF, a.eq(INF).where(INF, high))
    low = (a.eq(0.0) | a.eq(INF)).where(0.0, low)
    p = y * high
    p_low = b.fma(y, high, -p) + y * low
    p_low = (p.call("fabs") < 800.0).where(p_low, 0.0)
    if log is _log_single:
        size = exp(p)
    else:
        q = (p > 720.0).where(720.0, p)
        q = (q < -760.0).where(-760.0, q)
        n, r = split_ln2(q)
        r = r + p_low
        size = scale(exp_near_one(r), n)
    # sign and definedness for a negative base
    whole = y.call("floor").eq(y)
    half = y * 0.5
    odd = whole & half.call("floor").ne(half) & (y.call("fabs") < 2.0**53)
    negative = x.bits() < 0
    size = (negative & odd).where(-size, size)
    size = ((x < 0.0) & ~whole & (a < INF)).where(NAN, size)
    size = (a.eq(1.0) & y.call("fabs").eq(INF)).where(1.0, size)
    size = x.cmp("uno", y).where(NAN, size)
    return (x.eq(1.0) | y.eq(0.0)).where(1.0, size)


@vector_math("pow")
def pow(x: V, y: V) -> V:
    if x.type.elem == "float":
        x, y = x.cast("fpext", "double"), y.cast("fpext", "double")
        return _pow_double(x, y, _log_single).cast("fptrunc", "float")
    return _pow_double(x, y, _log_pair)


@vector_math("cbrt")
def cbrt(x: V) -> V:
    b, elem = x.b, x.type.elem
    a = x.call("fabs")
    single = elem == "float"
    tiny, up = (2.0**-126, 2.0**24) if single else (2.0**-1022, 2.0**54)
    small = a < tiny
    a = small.where(a * up, a)
    # exponent / -3 on the bits: a^(-1/3) within a few percent
    if single:
        third = a.bits().cast("sitofp", "float") * (-1.0 / 3.0)
        _, i = round_int(third * 2.0**-9)
        seed = ((i << 9) + 0x54A2FA8C).as_float()
    else:
        third = int_to_float(a.bits().lshr(32), "double") * (-1.0 / 3.0)
        _, i = round_int(third)
        seed = ((i + 0x553EF0FF) << 32).as_float()
    r = seed
    for _ in range(2):
        h = b.muladd(-a * r, r * r, 1.0)
        r = b.muladd(r * h, b.muladd(h, 2.0 / 9.0, 1.0 / 3.0), r)
    y = a * r * r
    square = y * y
    rest = b.fma(square, y, -a) + y * b.fma(y, y, -square)
    y = b.muladd(rest * (r * r), -1.0 / 3.0, y)
    y = small.where(y * (2.0**-8 if single else 2.0**-18), y)
    special = x.eq(0.0) | ~(x.call("fabs") < INF)
    return special.where(x, y.call("copysign", x))


@vector_math("rem")
def rem(x: V, y: V) -> V:
    """x - y trunc(x / y), exact."""
    b, a, c = x.b, x.call("fabs"), y.call("fabs")
    quotient = a / c
    limit = 2.0**22 if x.type.elem == "float" else 2.0**51
    r = b.fma(-quotient.call("trunc"), c, a)
    r = (r < 0.0).where(r + c, r)
    r = (r >= c).where(r - c, r)
    r = (a < c).where(a, r)
    lost = (quotient >= limit) & (a < INF) & (c > 0.0)
    r = ((a < INF) & (c > 0.0)).where(r, NAN)
    r = _slow_lanes(a, c, r, lost)
    return x.cmp("uno", y).where(NAN, r).call("copysign", x)


def _slow_lanes(a: V, c: V, r: V, slow: V) -> V:
    """frem, one lane after the other, if a lane's quotient is too long."""
    b, lanes = r.b, r.type.lanes
    some = slow
    if lanes > 1:
        word = Type(f"i{lanes}")
        some = b.emit(word, f"bitcast {slow} to {word}").ne(0)
    before, work, after = b.block, b.label("slow"), b.label("joined")
    b.branch(some, work, after)
    b.begin(work)
    out = slow.where(a._binary("frem", c), r)
    b.jump(after)
    b.begin(after)
    return b.merge(r, before, out, work)
