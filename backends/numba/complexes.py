"""Operations on complex values, as pairs (real, imaginary) of LLVM values.

Built from the real vector math. Infinities and NaN follow from the formulas; like XLA's
they are not C99 Annex G's in every corner.
"""

from __future__ import annotations

import numpy as np

from jaxlike.backends.numba import math
from jaxlike.backends.numba.elementwise import convert, value_elem
from jaxlike.backends.numba.llvm import V
from jaxlike.backends.plan.ir import Op
from jaxlike.backends.plan.ops import BOOL, real_dtype

Pair = tuple[V, V]


def emit_complex(op: Op, args: list, dtypes: list[np.dtype]) -> V | Pair:
    """The instructions of an Op with a complex operand or result."""
    if op.name == "convert_element_type":
        return _convert(args[0], dtypes[0], op.dtype)
    if op.name == "select_n":
        return _select(args, dtypes[0])
    args = _even(args)
    if op.name == "complex":
        return args[0], args[1]
    return _RULES[op.name](*args, **dict(op.params))


def _even(args: list) -> list:
    """All parts with the same number of lanes."""
    parts = [p for a in args for p in (a if isinstance(a, tuple) else (a,))]
    b, lanes = parts[0].b, max(p.type.lanes for p in parts)
    return [
        tuple(b.splat(p, lanes) for p in a)
        if isinstance(a, tuple)
        else b.splat(a, lanes)
        for a in args
    ]


def _convert(z, old: np.dtype, new: np.dtype):
    part = real_dtype(old)
    if old.kind != "c":
        re = convert(z, old, real_dtype(new))
        return re, re.b.const(re.type, 0.0)
    if new.kind == "c":
        return tuple(convert(p, part, real_dtype(new)) for p in z)
    if new == BOOL:
        return z[0].ne(0.0) | z[1].ne(0.0)
    return convert(z[0], part, new)


def _select(args, which: np.dtype) -> Pair:
    pred, *cases = args
    from jaxlike.backends.numba.elementwise import _select_n

    lanes = max(p.type.lanes for c in cases for p in c)
    cases = [tuple(p.b.splat(p, lanes) for p in c) for c in cases]
    return tuple(_select_n([pred, *(c[k] for c in cases)], which) for k in (0, 1))


def _add(z: Pair, w: Pair) -> Pair:
    return z[0] + w[0], z[1] + w[1]


def _sub(z: Pair, w: Pair) -> Pair:
    return z[0] - w[0], z[1] - w[1]


def multiply(z: Pair, w: Pair) -> Pair:
    """z w."""
    (a, c), (x, y) = z, w
    return a * x - c * y, a * y + c * x


def _divide(z: Pair, w: Pair) -> Pair:
    # Smith: scale by the larger part of the divisor
    (a, c), (x, y) = z, w
    flip = x.call("fabs") < y.call("fabs")
    big, small = flip.where(y, x), flip.where(x, y)
    r = small / big
    den = big + small * r
    p, q = flip.where(c, a), flip.where(a, c)
    im = q - p * r
    re, im = (p + q * r) / den, flip.where(-im, im) / den
    zero = big.eq(0.0)
    # by zero: as real division of each part, so that infinities come out
    return zero.where(a / big, re), zero.where(c / big, im)


def absolute(z: Pair) -> V:
    """|z| without overflow on the way."""
    a, c = (p.call("fabs") for p in z)
    swap = a < c
    big, small = swap.where(c, a), swap.where(a, c)
    r = small / big
    out = big * (r * r + 1.0).call("sqrt")
    out = big.eq(0.0).where(big, out)
    inf = float("inf")
    return (a.eq(inf) | c.eq(inf)).where(inf, out)


def _sign(z: Pair) -> Pair:
    size = absolute(z)
    zero = size.eq(0.0)
    return tuple(zero.where(p, p / size) for p in z)


def _exp(z: Pair) -> Pair:
    size, real = math.call("exp", z[0]), z[1].eq(0.0)
    im = size * math.call("sin", z[1])
    return size * math.call("cos", z[1]), real.where(z[1], im)


def _expm1(z: Pair) -> Pair:
    a, c = z
    half = math.call("sin", c * 0.5)
    sine, cosine = math.call("sin", c), math.call("cos", c)
    re = math.call("expm1", a) * cosine - half * half * 2.0
    return re, c.eq(0.0).where(c, math.call("exp", a) * sine)


def _log_size(z: Pair) -> V:
    """log |z|, accurate about the unit circle too."""
    a, c = (p.call("fabs") for p in z)
    swap = a < c
    big, small = swap.where(c, a), swap.where(a, c)
    near = (big > 0.5) & (big < 2.0)
    close = math.call("log1p", (big - 1.0) * (big + 1.0) + small * small) * 0.5
    return near.where(close, math.call("log", absolute(z)))


def _log(z: Pair) -> Pair:
    return _log_size(z), math.call("atan2", z[1], z[0])


def _log1p(z: Pair) -> Pair:
    a, c = z
    near = (a.call("fabs") < 0.5) & (c.call("fabs") < 0.5)
    close = math.call("log1p", a * (a + 2.0) + c * c) * 0.5
    return near.where(close, _log_size((a + 1.0, c))), math.call("atan2", c, a + 1.0)


def _sqrt(z: Pair) -> Pair:
    a, c = z
    s = ((absolute(z) + a.call("fabs")) * 0.5).call("sqrt")
    t = c.call("fabs") / (s * 2.0)
    zero = s.eq(0.0)
    t = zero.where(0.0, t)
    left = a < 0.0
    re, im = left.where(t, s), left.where(s, t)
    inf = float("inf")
    endless = c.call("fabs").eq(inf)
    im = endless.where(inf, im).call("copysign", c)
    return endless.where(inf, re), im


def _rsqrt(z: Pair) -> Pair:
    one = z[0].b.const(z[0].type, 1.0)
    return _divide((one, one - one), _sqrt(z))


def _hyperbolic(x: V) -> Pair:
    return math.call("cosh", x), math.call("sinh", x)


def _circular(x: V) -> Pair:
    return math.call("cos", x), math.call("sin", x)


def _sin(z: Pair) -> Pair:
    (cos, sin), (cosh, sinh) = _circular(z[0]), _hyperbolic(z[1])
    return sin * cosh, cos * sinh


def _cos(z: Pair) -> Pair:
    (cos, sin), (cosh, sinh) = _circular(z[0]), _hyperbolic(z[1])
    return cos * cosh, -(sin * sinh)


def _sinh(z: Pair) -> Pair:
    (cosh, sinh), (cos, sin) = _hyperbolic(z[0]), _circular(z[1])
    return sinh * cos, cosh * sin


def _cosh(z: Pair) -> Pair:
    (cosh, sinh), (cos, sin) = _hyperbolic(z[0]), _circular(z[1])
    return cosh * cos, sinh * sin


def _tanh(z: Pair) -> Pair:
    # Kahan's; beyond |x| = 20 the real part is +-1 and the imaginary one tiny
    x, y = z
    far = x.call("fabs") > 20.0
    near = far.where(0.0, x)
    t, (cosh, s) = math.call("tan", y), _hyperbolic(near)
    beta = t * t + 1.0
    den = beta * s * s + 1.0
    re, im = beta * cosh * s / den, t / den
    decay = math.call("exp", x.call("fabs") * -2.0)
    tiny = math.call("sin", y) * math.call("cos", y) * decay * 4.0
    one = x.b.const(x.type, 1.0).call("copysign", x)
    return far.where(one, re), far.where(tiny, im)


def _tan(z: Pair) -> Pair:
    re, im = _tanh((-z[1], z[0]))
    return im, -re


def _logistic(z: Pair) -> Pair:
    e = _exp((-z[0], -z[1]))
    one = z[0].b.const(z[0].type, 1.0)
    return _divide((one, one - one), (e[0] + 1.0, e[1]))


def _pow(z: Pair, w: Pair) -> Pair:
    out = _exp(multiply(w, _log(z)))
    zero = z[0].eq(0.0) & z[1].eq(0.0)
    nothing = w[0].eq(0.0) & w[1].eq(0.0)
    one = z[0].b.const(z[0].type, 1.0)
    re = zero.where(nothing.where(one, 0.0), out[0])
    return re, (zero | nothing).where(0.0, out[1])


def _integer_pow(z: Pair, y: int) -> Pair:
    one = z[0].b.const(z[0].type, 1.0)
    unit = (one, z[0].b.const(z[0].type, 0.0))
    if y == 0:
        return unit
    out, n = None, abs(y)
    while n:
        if n & 1:
            out = z if out is None else multiply(out, z)
        n >>= 1
        z = multiply(z, z) if n else z
    return out if y > 0 else _divide(unit, out)


def _lexicographic(predicate: str):
    def rule(z: Pair, w: Pair) -> V:
        first = z[0].cmp(predicate, w[0])
        return z[0].eq(w[0]).where(z[1].cmp(predicate, w[1]), first)

    return rule


def _extremum(predicate: str):
    def rule(z: Pair, w: Pair) -> Pair:
        first = _lexicographic(predicate)(z, w)
        return first.where(z[0], w[0]), first.where(z[1], w[1])

    return rule


_RULES = {
    "add": _add,
    "sub": _sub,
    "mul": multiply,
    "div": _divide,
    "neg": lambda z: (-z[0], -z[1]),
    "abs": absolute,
    "sign": _sign,
    "square": lambda z: multiply(z, z),
    "integer_pow": _integer_pow,
    "pow": _pow,
    "copy": lambda z: z,
    "conj": lambda z: (z[0], -z[1]),
    "real": lambda z: z[0],
    "imag": lambda z: z[1],
    "eq": lambda z, w: z[0].eq(w[0]) & z[1].eq(w[1]),
    "ne": lambda z, w: z[0].ne(w[0]) | z[1].ne(w[1]),
    "lt": _lexicographic("olt"),
    "le": _lexicographic("ole"),
    "gt": _lexicographic("ogt"),
    "ge": _lexicographic("oge"),
    "max": _extremum("ogt"),
    "min": _extremum("olt"),
    "exp": _exp,
    "expm1": _expm1,
    "log": _log,
    "log1p": _log1p,
    "sqrt": _sqrt,
    "rsqrt": _rsqrt,
    "logistic": _logistic,
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
}


def component_elem(dtype: np.dtype) -> str:
    """LLVM element of one part of a complex dtype."""
    return value_elem(real_dtype(dtype))
