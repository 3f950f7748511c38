"""AVX-512's instructions for exponents, where a module is made for a machine with them.

p 2^n with one rounding, and the exponent and the mantissa of any number, zero,
infinities, NaN and subnormals included, take an instruction each.
"""

from __future__ import annotations

from jaxlike.backends.numba.llvm import Type, V

_REGISTER = 512
_CURRENT = 4
"""Rounding: as the machine is set."""
_MANTISSA_FROM_3_4 = 0b1011
"""Mantissas in [3/4, 3/2); NaN for negative numbers."""


def available(x: V) -> bool:
    """Whether values of this type have those instructions."""
    bits = x.type.bits * x.type.lanes
    return (
        x.b.module.avx512 and x.type.lanes > 1 and (bits in (128, 256) or bits >= 512)
    )


def scalef(p: V, n: V) -> V:
    """p 2^n for whole numbers n as floats."""
    return _call("scalef", [p, n])


def exponent(x: V) -> V:
    """floor(log2 |x|) as a float; -infinity for zero, infinity for infinities."""
    return _call("getexp", [x])


def mantissa(x: V) -> V:
    """x over a power of two, in [3/4, 3/2); 1 for 0 and infinity, NaN below zero."""
    return _call("getmant", [x], f"i32 {_MANTISSA_FROM_3_4}")


def _call(name: str, args: list[V], extra: str = "") -> V:
    (x, *_), b = args, args[0].b
    width = x.type.bits * x.type.lanes
    if width > _REGISTER:
        half = x.type.lanes // 2
        low = _call(name, [b.shuffle(a, a, list(range(half))) for a in args], extra)
        high = [b.shuffle(a, a, list(range(half, 2 * half))) for a in args]
        return b.shuffle(low, _call(name, high, extra), list(range(2 * half)))
    mask = Type(f"i{max(8, x.type.lanes)}")
    words = [*map(str, args), *([extra] if extra else []), f"{x.type} zeroinitializer"]
    words.append(f"{mask} -1")
    types = [str(x.type) for _ in args] + (["i32"] if extra else [])
    types += [str(x.type), str(mask)]
    if width == _REGISTER:
        words.append(f"i32 {_CURRENT}")
        types.append("i32")
    kind = "ps" if x.type.elem == "float" else "pd"
    full = f"llvm.x86.avx512.mask.{name}.{kind}.{width}"
    b.module.declare(f"{x.type} @{full}({', '.join(types)})")
    return b.emit(x.type, f"call {x.type} @{full}({', '.join(words)})")
