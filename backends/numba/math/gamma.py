"""lgamma and digamma, in double also for float.

lgamma: (x - 1)(x - 2) P(x - 2) on [5/4, 5/2], products of x - k carry the argument
there; Stirling's series above; reflection below 1/2. digamma likewise, about its root,
which keeps its relative accuracy. Close to the zeros on the negative axis the error is
absolute.
"""

from __future__ import annotations

from jaxlike.backends.numba.llvm import V
from jaxlike.backends.numba.math import vector_math
from jaxlike.backends.numba.math.coefficients import DIGAMMA, LGAMMA
from jaxlike.backends.numba.math.explog import horner, log
from jaxlike.backends.numba.math.trig import sin as sine
from jaxlike.backends.numba.math.trig import tan as tangent

INF, NAN, PI = float("inf"), float("nan"), 3.141592653589793
ROOT = (1.4616321449683622, 9.549995429965697e-17)
# B_2k / (2k (2k - 1)) and B_2k / (2k)
STIRLING = (
    0.08333333333333333, -0.002777777777777778, 0.0007936507936507937,
    -0.0005952380952380953, 0.0008417508417508417, -0.0019175269175269176,
    0.00641025641025641, -0.029550653594771242, 0.1796443723688307,
)  # fmt: skip
ASYMPTOTIC = (
    0.08333333333333333, -0.008333333333333333, 0.003968253968253968,
    -0.004166666666666667, 0.007575757575757576, -0.021092796092796094,
    0.08333333333333333, -0.4432598039215686, 3.0539543302701198,
)  # fmt: skip
_TURN = 8.5


def _as_double(f):
    def builder(x: V) -> V:
        if x.type.elem == "double":
            return f(x)
        return f(x.cast("fpext", "double")).cast("fptrunc", "float")

    return builder


def _lgamma_positive(x: V) -> V:
    """lgamma for x >= 1/2."""
    b = x.b
    big = x > _TURN
    y, product = big.where(2.0, x), x.b.const(x.type, 1.0)
    up = y < 1.25
    product = up.where(y, product)
    for _ in range(6):
        down = y > 2.5
        y = down.where(y - 1.0, y)
        product = down.where(product * y, product)
    logarithm = log(big.where(x, product))
    t, u = up.where(y - 1.0, y - 2.0), up.where(y, y - 1.0)  # exact, unlike y + 1
    core = t * u * horner(t, LGAMMA["double"])
    near = up.where(core - logarithm, core + logarithm)
    z = 1.0 / x
    series = z * horner(z * z, STIRLING)
    # x log x - x grows past the doubles last
    far = b.muladd(x - 0.5, logarithm - 1.0, series + (0.9189385332046727 - 0.5))
    far = x.eq(INF).where(INF, far)
    return big.where(far, near)


@vector_math("lgamma")
@_as_double
def lgamma(x: V) -> V:
    low = x < 0.5
    y = low.where(1.0 - x, x)
    value = _lgamma_positive(y)
    # lgamma(x) = log(pi / |sin(pi x)|) - lgamma(1 - x)
    part = x - x.call("rint")
    s = sine(part * PI).call("fabs")
    tiny = x.call("fabs") < 1e-17
    reflected = log(tiny.where(1.0 / x.call("fabs"), PI / s)) - tiny.where(0.0, value)
    out = low.where(reflected, value)
    pole = (x <= 0.0) & x.call("floor").eq(x)
    out = (pole | x.call("fabs").eq(INF)).where(INF, out)
    return x.isnan().where(x, out)


def _digamma_positive(x: V) -> V:
    """digamma for x >= 1/2."""
    big = x > _TURN
    y = big.where(1.5, x)
    # sum of 1 / (x - k) as one fraction
    num, den = x.b.const(x.type, 0.0), x.b.const(x.type, 1.0)
    up = y < 1.0
    num, den = up.where(-1.0, num), up.where(y, den)
    y = up.where(y + 1.0, y)
    for _ in range(7):
        down = y > 2.0
        y = down.where(y - 1.0, y)
        num = down.where(num * y + den, num)
        den = down.where(den * y, den)
    core = ((y - ROOT[0]) - ROOT[1]) * horner(y - 1.5, DIGAMMA["double"])
    near = core + num / den
    z = 1.0 / big.where(x, 10.0)
    z2 = z * z
    far = log(big.where(x, 10.0)) - 0.5 * z - z2 * horner(z2, ASYMPTOTIC)
    return big.where(far, near)


@vector_math("digamma")
@_as_double
def digamma(x: V) -> V:
    low = x < 0.5
    value = _digamma_positive(low.where(1.0 - x, x))
    # digamma(x) = digamma(1 - x) - pi / tan(pi x)
    part = x - x.call("rint")
    out = low.where(value - PI / tangent(part * PI), value)
    pole = (x <= 0.0) & x.call("floor").eq(x)
    return pole.where(NAN, out)
