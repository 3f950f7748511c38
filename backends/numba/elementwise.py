"""Scalar operations on real values: one Op of the IR into LLVM instructions.

Every rule works on scalars and vectors alike. Values of float16 and bfloat16 live as
float, already rounded to their dtype. Complex values: see complexes.py.
"""

from __future__ import annotations

import numpy as np

from jaxlike.backends.numba import math
from jaxlike.backends.numba.llvm import V
from jaxlike.backends.numba.math.explog import power
from jaxlike.backends.numba.random_words import threefry_word
from jaxlike.backends.plan.ir import Op
from jaxlike.backends.plan.ops import BFLOAT16, BOOL, kind

FLOAT16 = np.dtype(np.float16)


def value_elem(dtype: np.dtype) -> str:
    """LLVM element that a value of a real dtype is computed in."""
    if dtype == BOOL:
        return "i1"
    if kind(dtype) in "iu":
        return f"i{8 * dtype.itemsize}"
    return "double" if dtype.itemsize == 8 else "float"


def memory_elem(dtype: np.dtype) -> str:
    """LLVM element that a real dtype is stored as."""
    if dtype == BOOL:
        return "i8"
    if dtype == BFLOAT16:
        return "i16"
    return "half" if dtype == FLOAT16 else value_elem(dtype)


def from_memory(v: V, dtype: np.dtype) -> V:
    """A loaded element as a value."""
    if dtype == BOOL:
        return v.ne(0)
    if dtype == BFLOAT16:
        return (v.cast("zext", "i32") << 16).as_float()
    return v.cast("fpext", "float") if dtype == FLOAT16 else v


def to_memory(v: V, dtype: np.dtype) -> V:
    """A value as the element to store; 16-bit floats are already rounded."""
    if dtype == BOOL:
        return v.cast("zext", "i8")
    if dtype == BFLOAT16:
        return v.bits().lshr(16).cast("trunc", "i16")
    return v.cast("fptrunc", "half") if dtype == FLOAT16 else v


def rounded(v: V, dtype: np.dtype) -> V:
    """A float rounded to float16 or bfloat16 (to even), still as a float."""
    if dtype == FLOAT16:
        return v.cast("fptrunc", "half").cast("fpext", "float")
    if dtype == BFLOAT16:
        i = v.bits()
        even = (i + ((i.lshr(16) & 1) + 0x7FFF)) & -65536
        return v.isnan().where((i & -65536) | 0x400000, even).as_float()
    return v


def emit_op(op: Op, args: list[V], dtypes: list[np.dtype]) -> V:
    """The instructions of a real-valued Op; dtypes are the operands'."""
    params = dict(op.params)
    name, dtype = op.name, dtypes[0]
    if name == "select_n":
        return _select_n(args, dtypes[0])
    if name == "convert_element_type":
        return rounded(convert(args[0], dtype, op.dtype), op.dtype)
    if name == "bitcast_convert_type":
        word = to_memory(args[0], dtype)
        return from_memory(word.cast("bitcast", memory_elem(op.dtype)), op.dtype)
    if name == "threefry_word":
        return threefry_word(*args, **params)
    lanes = max(a.type.lanes for a in args)
    args = [a.b.splat(a, lanes) for a in args]
    rule = _RULES.get(name)
    if rule is not None:
        out = rule(*args, dtype=dtype, **params)
    elif kind(dtype) == "f":
        out = _FLOAT_RULES[name](*args, dtype=dtype, **params)
    else:
        out = _INT_RULES[name](*args, dtype=dtype, **params)
    return rounded(out, op.dtype)


def _select_n(args: list[V], which: np.dtype) -> V:
    pred, *cases = args
    # a predicate that is one value for all lanes may choose between mixed cases
    wide = max(v.type.lanes for v in cases)
    cases = [v.b.splat(v, wide) for v in cases]
    if which == BOOL:
        if len(cases) == 1:
            return cases[0]
        lanes = max(v.type.lanes for v in args)  # one case may be a scalar
        return pred.where(*(pred.b.splat(v, lanes) for v in (cases[1], cases[0])))
    out = cases[-1]
    signed = kind(which) == "i"
    for n in range(len(cases) - 1, 0, -1):
        before = pred.cmp("slt" if signed else "ult", n)
        lanes = max(before.type.lanes, out.type.lanes, cases[n - 1].type.lanes)
        a, c = (pred.b.splat(v, lanes) for v in (cases[n - 1], out))
        out = before.where(a, c)
    return out


def convert(v: V, old: np.dtype, new: np.dtype) -> V:
    """convert_element_type between real dtypes, before the final rounding."""
    a, c = kind(old), kind(new)
    elem = value_elem(new)
    if old == new:
        return v
    if c == "b":
        return v.ne(0)
    if a == "f":
        if c == "f":
            if old.itemsize == 8 and new.itemsize == 2:
                return _to_odd_float(v)
            narrow = value_elem(old) == "float"
            return v.cast("fpext" if narrow else "fptrunc", elem)
        sat = "fptosi" if c == "i" else "fptoui"
        to = v.type.with_elem(elem)
        full = f"llvm.{sat}.sat.{to.suffix}.{v.type.suffix}"
        v.b.module.declare(f"{to} @{full}({v.type})")
        return v.b.emit(to, f"call {to} @{full}({v})")
    if c == "f":
        op = "sitofp" if a == "i" else "uitofp"
        if new.itemsize == 2 and old.itemsize >= 4:
            return _to_odd_float(v.cast(op, "double"))
        return v.cast(op, elem)
    if a == "b":
        return v.cast("zext", elem)
    if old.itemsize == new.itemsize:
        return v
    if old.itemsize > new.itemsize:
        return v.cast("trunc", elem)
    return v.cast("sext" if a == "i" else "zext", elem)


def _to_odd_float(wide: V) -> V:
    # On its way to 16 bits by float a double would round twice. Rounded to odd first,
    # the second rounding sees which side it was on.
    near = wide.cast("fptrunc", "float")
    back = near.cast("fpext", "double")
    bits = near.bits()
    away = back.call("fabs") > wide.call("fabs")
    down = bits - away.where(bits.b.const(bits.type, 1), 0)
    odd = back.ne(wide).where(down | 1, bits)
    return odd.as_float()


# -- comparison, selection, min and max ------------------------------------------------
_COMPARE = {
    "eq": ("oeq", "eq", "eq"),
    "ne": ("une", "ne", "ne"),
    "lt": ("olt", "slt", "ult"),
    "le": ("ole", "sle", "ule"),
    "gt": ("ogt", "sgt", "ugt"),
    "ge": ("oge", "sge", "uge"),
}


def _compare(name: str):
    predicates = dict(zip("fiu", _COMPARE[name])) | {"b": _COMPARE[name][2]}
    return lambda a, c, dtype: a.cmp(predicates[kind(dtype)], c)


def extremum(name: str, a: V, c: V, dtype: np.dtype) -> V:
    """max or min; NaN wins."""
    if dtype == BOOL:
        return a | c if name == "max" else a & c
    k = kind(dtype)
    if k == "f":
        return a.call("maximum" if name == "max" else "minimum", c)
    return a.call(("u" if k == "u" else "s") + name, c)


def _clamp(low: V, x: V, high: V, dtype: np.dtype) -> V:
    return extremum("min", extremum("max", low, x, dtype), high, dtype)


_RULES = {
    **{name: _compare(name) for name in _COMPARE},
    "max": lambda a, c, dtype: extremum("max", a, c, dtype),
    "min": lambda a, c, dtype: extremum("min", a, c, dtype),
    "clamp": _clamp,
    "copy": lambda a, dtype: a,
    "add": lambda a, c, dtype: a + c,
    "sub": lambda a, c, dtype: a - c,
    "mul": lambda a, c, dtype: a * c,
    "neg": lambda a, dtype: -a,
    "square": lambda a, dtype: a * a,
}


# -- floats ----------------------------------------------------------------------------
def _integer_pow(x: V, dtype: np.dtype, y: int) -> V:
    if y == 0:
        return x.b.const(x.type, 1)
    return power(x, y) if y > 0 else x.b.const(x.type, 1) / power(x, -y)


def _sign(x: V, dtype: np.dtype) -> V:
    one = x.b.const(x.type, 1.0).call("copysign", x)
    # ordered and nonzero; NaN and signed zeros stay as they are
    return x.cmp("one", 0.0).where(one, x)


def _round(x: V, dtype: np.dtype, rounding_method: int) -> V:
    return x.call("round" if int(rounding_method) == 0 else "rint")


def _nextafter(x: V, y: V, dtype: np.dtype) -> V:
    i, j = (
        to_memory(v, dtype).cast("bitcast", f"i{8 * dtype.itemsize}") for v in (x, y)
    )
    top = 1 << (i.type.bits - 1)
    minus = i < 0
    # towards y: one up in magnitude if y lies further out on the same side
    outward = (j < 0).eq(minus) & ((j & ~top) > (i & ~top))
    step = outward.where(i.b.const(i.type, 1), -1)
    first = (j & top) | 1
    out = x.eq(0.0).where(first, i + step)
    out = x.eq(y).where(j, out)
    out = from_memory(out.cast("bitcast", memory_elem(dtype)), dtype)
    return x.cmp("uno", y).where(float("nan"), out)


def _reduce_precision(
    x: V, dtype: np.dtype, exponent_bits: int, mantissa_bits: int
) -> V:
    elem = x.type.elem
    wide = 23 if elem == "float" else 52
    i = x.bits()
    if mantissa_bits < wide:
        drop = wide - mantissa_bits
        even = (i.lshr(drop) & 1) + ((1 << (drop - 1)) - 1)
        i = (i + even) & (-1 << drop)
    y = i.as_float()
    if exponent_bits < (8 if elem == "float" else 11):
        reach = (1 << (exponent_bits - 1)) - 1
        size = y.call("fabs")
        largest = 2.0**reach * (2.0 - 2.0**-mantissa_bits)
        infinity = x.b.const(x.type, float("inf")).call("copysign", x)
        zero = x.b.const(x.type, 0.0).call("copysign", x)
        y = (size > largest).where(infinity, y)
        y = (size < 2.0 ** (1 - reach)).where(zero, y)
    return x.isnan().where(x, y)


def _math(name: str):
    return lambda *args, dtype: math.call(name, *args)


_FLOAT_RULES = {
    **{name: _math(name) for name in math.NAMES},
    "div": lambda a, c, dtype: a / c,
    "abs": lambda a, dtype: a.call("fabs"),
    "sign": _sign,
    "integer_pow": _integer_pow,
    "is_finite": lambda a, dtype: a.call("fabs").cmp("olt", float("inf")),
    "floor": lambda a, dtype: a.call("floor"),
    "ceil": lambda a, dtype: a.call("ceil"),
    "round": _round,
    "nextafter": _nextafter,
    "reduce_precision": _reduce_precision,
    "sqrt": lambda a, dtype: a.call("sqrt"),
    "rsqrt": lambda a, dtype: 1.0 / a.call("sqrt"),
}


# -- integers and bool -----------------------------------------------------------------
def _is_positive_literal(v: V) -> bool:
    number = v.text.removeprefix(f"splat ({v.type.elem} ").removesuffix(")")
    return number.isdecimal() and int(number) > 0


def _divide(a: V, c: V, dtype: np.dtype, remainder: bool) -> V:
    """Truncating division that never traps."""
    signed, bits = kind(dtype) == "i", a.type.bits
    if _is_positive_literal(c):  # LLVM multiplies instead
        return a._binary(("s" if signed else "u") + ("rem" if remainder else "div"), c)
    zero = c.eq(0)
    minus = c.eq(-1) if signed else None
    safe = (zero | minus if signed else zero).where(1, c)
    if bits <= 32:
        # Vectors have float division only: exact with more than `bits` mantissa bits
        elem = "float" if bits <= 16 else "double"
        to, back = ("sitofp", "fptosi") if signed else ("uitofp", "fptoui")
        q = a.cast(to, elem) / safe.cast(to, elem)
        q = q.cast(back, "i32").cast("trunc", a.type.elem)
    else:
        q = a._binary("sdiv" if signed else "udiv", safe)
    if remainder:
        out = a - q * safe
        out = minus.where(0, out) if signed else out
        return zero.where(a, out)
    q = minus.where(-a, q) if signed else q
    return zero.where(-1, q)


def _shift(name: str):
    def rule(a: V, n: V, dtype: np.dtype) -> V:
        bits = a.type.bits
        inside = n.cmp("ult", bits)
        safe = inside.where(n, 0)
        if name == "ashr":
            return a._binary("ashr", inside.where(n, bits - 1))
        return inside.where(a._binary(name, safe), 0)

    return rule


def _int_sign(a: V, dtype: np.dtype) -> V:
    one = a.ne(0).cast("zext", a.type.elem)
    return one if kind(dtype) == "u" else one | (a >> (a.type.bits - 1))


def _int_abs(a: V, dtype: np.dtype) -> V:
    if kind(dtype) == "u":
        return a
    return (a < 0).where(-a, a)


def _int_pow(x: V, dtype: np.dtype, y: int) -> V:
    return x.b.const(x.type, 1) if y == 0 else power(x, y)


def _clz(a: V, dtype: np.dtype) -> V:
    full = f"llvm.ctlz.{a.type.suffix}"
    a.b.module.declare(f"{a.type} @{full}({a.type}, i1 immarg)")
    return a.b.emit(a.type, f"call {a.type} @{full}({a}, i1 false)")


_INT_RULES = {
    "div": lambda a, c, dtype: _divide(a, c, dtype, False),
    "rem": lambda a, c, dtype: _divide(a, c, dtype, True),
    "abs": _int_abs,
    "sign": _int_sign,
    "integer_pow": _int_pow,
    "and": lambda a, c, dtype: a & c,
    "or": lambda a, c, dtype: a | c,
    "xor": lambda a, c, dtype: a ^ c,
    "not": lambda a, dtype: ~a,
    "shift_left": _shift("shl"),
    "shift_right_logical": _shift("lshr"),
    "shift_right_arithmetic": _shift("ashr"),
    "population_count": lambda a, dtype: a.call("ctpop"),
    "clz": _clz,
}
