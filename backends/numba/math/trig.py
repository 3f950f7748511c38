"""sin, cos, tan, exact to the largest argument.

x = k pi/2 + r with |r| <= pi/4: by three fused steps where |x| is moderate; if any lane
is larger, those lanes go one by one through a multiplication with 1280 bits of 2/pi
(Payne and Hanek), in integers.
"""

from __future__ import annotations

from jaxlike.backends.numba.llvm import Function, Type, V
from jaxlike.backends.numba.math import vector_math
from jaxlike.backends.numba.math.coefficients import COS, SIN
from jaxlike.backends.numba.math.explog import horner, round_int

TWO_OVER_PI = 0.6366197723675813431
# pi/2 in parts of the type's precision
PIO2 = {
    "float": (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    "double": (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
}
MODERATE = {"float": 1e5, "double": 2.0**28}
_BITS = 1280


def _reduce(a: V) -> tuple[V, V]:
    """(r, k as integers modulo 4) for a >= 0."""
    b, type = a.b, a.type
    moderate = MODERATE[type.elem]
    near = a <= moderate
    k, i = round_int(near.where(a, 0.0) * TWO_OVER_PI)
    r = near.where(a, 0.0)
    for part in PIO2[type.elem]:
        r = b.fma(k, -part, r)
    finite = a < float("inf")
    r = finite.where(r, float("nan"))
    return _far_lanes(a, ~near & finite, r, i)


def _far_lanes(a: V, far: V, r: V, i: V) -> tuple[V, V]:
    """Replace r and i in the lanes where `far`."""
    b, lanes = a.b, a.type.lanes
    any_far = far
    if lanes > 1:
        word = Type(f"i{lanes}")
        any_far = b.emit(word, f"bitcast {far} to {word}").ne(0)
    before, slow, after = b.block, b.label("slow"), b.label("joined")
    b.branch(any_far, slow, after)
    b.begin(slow)
    _define_payne_hanek(b)
    one, index = Type(a.type.elem), Type(i.type.elem)
    r2, i2 = r, i
    places = [b.alloca(t, lanes) for t in (one.elem, one.elem, index.elem)]
    align = one.bits // 8
    for v, place in zip((a, r, i), places):
        b.store(v, place, align)
    pa, pr, pi = places
    loop, next_, end = b.label("lane"), b.label("next"), b.label("end")
    work = b.label("work")
    b.jump(loop)
    b.begin(loop)
    at, hole = b.phi(Type("i64"), b.const(Type("i64"), 0), slow)
    x = b.load(one, b.gep(one.elem, pa, at), align)
    big = (x > MODERATE[one.elem]) & (x < float("inf"))
    b.branch(big, work, next_)
    b.begin(work)
    wide = x.cast("fpext", "double")
    q = b.alloca("i64", 1, 8)
    part = b.call(Type("double"), "jl.payne_hanek", wide, q)
    b.store(part.cast("fptrunc", one.elem), b.gep(one.elem, pr, at), align)
    quadrant = b.load(Type("i64"), q, 8).cast("trunc", index.elem)
    b.store(quadrant, b.gep(index.elem, pi, at), align)
    b.jump(next_)
    b.begin(next_)
    following = at + 1
    b.close_phi(hole, following, next_)
    b.branch(following < lanes, loop, end)
    b.begin(end)
    r2, i2 = b.load(r.type, pr, align), b.load(i.type, pi, align)
    b.jump(after)
    b.begin(after)
    return b.merge(r, before, r2, end), b.merge(i, before, i2, end)


def _define_payne_hanek(b: Function) -> None:
    """double jl.payne_hanek(double x, ptr quadrant): x mod pi/2, for large finite x."""
    if "jl.payne_hanek" in b.module.functions:
        return
    digits = _two_over_pi().to_bytes(_BITS // 8, "little") + bytes(48)
    words = ", ".join(f"i8 {d}" for d in digits)
    b.module.constant("jl.two_over_pi", f"[{len(digits)} x i8] [{words}]")
    f = Function(
        b.module,
        "jl.payne_hanek",
        [("double", "", "x"), ("ptr", "", "quadrant")],
        "double",
        "nounwind noinline",
        "internal",
        contract=False,
    )
    bits = V(f, Type("double"), "%x").bits()
    mantissa = (bits & ((1 << 52) - 1)) | (1 << 52)
    # x = mantissa 2^e. Digits of 2/pi before number e - 1 give multiples of 4: drop
    # them, take 192 from there; product = (mantissa * window) 2^-190 modulo 4.
    e = bits.lshr(52) - 1075
    shift = (_BITS - 191) - (e - 1)
    table = V(f, Type("ptr"), "@jl.two_over_pi")
    window = f.load(Type("i256"), f.gep("i8", table, shift.lshr(3)), 1)
    window = window.lshr((shift & 7).cast("zext", "i256")).cast("trunc", "i192")
    product = window * mantissa.cast("zext", "i192")
    quadrant = (product + (1 << 189)).lshr(190)
    f.store(quadrant.cast("trunc", "i64"), V(f, Type("ptr"), "%quadrant"), 8)
    rest = product - (quadrant << 190)
    negative = rest < 0
    size = negative.where(-rest, rest)
    f.module.declare("i192 @llvm.ctlz.i192(i192, i1 immarg)")
    zeros = f.emit(Type("i192"), f"call i192 @llvm.ctlz.i192({size}, i1 false)")
    top = (size << zeros).lshr(129).cast("trunc", "i64")  # 63 leading bits
    fraction = top.cast("sitofp", "double") * (3.141592653589793 / 2)
    power = 1023 + 129 - 190 - zeros.cast("trunc", "i64")
    out = fraction * (power << 52).as_float()
    f.ret(negative.where(-out, out))
    b.module.add(f)


def _two_over_pi() -> int:
    """floor(2/pi * 2^1280), by Machin's formula in integers."""
    guard = _BITS + 64

    def arccot(n: int) -> int:
        total = term = (1 << guard) // n
        k, sign = 3, -1
        while term:
            term //= n * n
            total += sign * (term // k)
            k, sign = k + 2, -sign
        return total

    pi = 4 * (4 * arccot(5) - arccot(239))
    return (1 << (guard + 1 + _BITS)) // pi


def _sin_cos(r: V) -> tuple[V, V]:
    """(sin r, cos r) for |r| <= pi/4."""
    b, elem = r.b, r.type.elem
    z = r * r
    s = b.muladd(horner(z, SIN[elem]), z * r, r)
    c = b.muladd(horner(z, COS[elem]), z * z, b.muladd(z, -0.5, 1.0))
    return s, c


def _flip(y: V, bit: V) -> V:
    """y with its sign changed where an integer's sign bit is set."""
    top = 1 << (y.type.bits - 1)
    return (y.bits() ^ (bit & top)).as_float()


@vector_math("sin")
def sin(x: V) -> V:
    r, k = _reduce(x.call("fabs"))
    s, c = _sin_cos(r)
    y = (k & 1).ne(0).where(c, s)
    return _flip(_flip(y, k << (x.type.bits - 2)), x.bits())


@vector_math("cos")
def cos(x: V) -> V:
    r, k = _reduce(x.call("fabs"))
    s, c = _sin_cos(r)
    y = (k & 1).ne(0).where(s, c)
    return _flip(y, (k + 1) << (x.type.bits - 2))


@vector_math("tan")
def tan(x: V) -> V:
    r, k = _reduce(x.call("fabs"))
    s, c = _sin_cos(r)
    odd = (k & 1).ne(0)
    y = odd.where(c, s) / odd.where(-s, c)
    return _flip(y, x.bits())
