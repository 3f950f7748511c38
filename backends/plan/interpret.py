"""Runs a Kernel in NumPy, one scalar at a time: slow, exact, the oracle of tests.

Says precisely what each operation does to one element. 16-bit floats are computed in
float32 and rounded after each operation; sums go in order, in float64 for floats, so a
compiled kernel agrees up to rounding and the order of accumulation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jaxlike.backends.plan.ir import (
    Const,
    If,
    Index,
    Kernel,
    Load,
    Loop,
    Op,
    Prefix,
    Reduction,
    Store,
    value_dtypes,
)
from jaxlike.backends.plan.ops import BOOL, compute_dtype, identity, kind
from jaxlike.primitives.random_bits import threefry_word_p


def interpret(kernel: Kernel, arguments: Sequence[np.ndarray]) -> None:
    """Run a kernel on its arguments (ndarrays of the buffers' size), in place.

    Args:
      arguments: one C-contiguous array for every buffer that is not local; those with
        role out, inout and scratch are written.

    >>> from jaxlike.backends.plan.build import KernelBuilder
    >>> k = KernelBuilder((3,))
    >>> k.store(k.output(np.int32, (3,)), {k.indices[0]: 1}, k.const(7, np.int32))
    >>> out = np.zeros(3, np.int32)
    >>> interpret(k.finish(), [out])
    >>> out
    array([7, 7, 7], dtype=int32)
    """
    given = iter(arguments)
    memory = []
    for b in kernel.buffers:
        if b.role == "local":
            memory.append(np.zeros(b.size, b.dtype))
            continue
        a = next(given)
        if a.dtype != b.dtype or a.size != b.size:
            raise ValueError(f"argument {a.dtype}[{a.size}] for {b}")
        memory.append(a.reshape(-1).view() if a.size else a.reshape(-1))
        if a.size and not np.shares_memory(memory[-1], a):
            raise ValueError("arguments must be contiguous")
    run = _Interpreter(memory, value_dtypes(kernel))
    with np.errstate(all="ignore"):
        for point in np.ndindex(*kernel.grid):
            run.env = dict(zip(kernel.indices, map(np.int64, point)))
            run.block(kernel.body)


class _Interpreter:
    def __init__(self, memory: list[np.ndarray], dtypes: dict):
        self.memory, self.dtypes = memory, dtypes
        self.env: dict[int, object] = {}
        self.running: dict[int, object] = {}  # the accumulators of Prefix statements

    def block(self, body) -> None:
        env = self.env
        for s in body:
            match s:
                case Const():
                    env[s.out] = s.value
                case Op():
                    env[s.out] = evaluate(s, [env[v] for v in s.args])
                case Load():
                    env[s.out] = self.load(s)
                case Store():
                    if s.guard is None or env[s.guard]:
                        self.memory[s.buffer][self.address(s)] = env[s.value]
                case Prefix():
                    self.prefix(s)
                case Loop():
                    self.loop(s)
                case If():
                    chosen = bool(env[s.cond])
                    self.block(s.then if chosen else s.orelse)
                    for out, a, b in s.results:
                        env[out] = env[a if chosen else b]
                case _:
                    self.while_loop(s)

    def address(self, s: Load | Store) -> int:
        ix: Index = s.index
        at = ix.const + sum(c * int(self.env[v]) for v, c in ix.terms)
        if not 0 <= at < self.memory[s.buffer].size:
            raise IndexError(f"address {at} in {s}")
        return at

    def load(self, s: Load):
        if s.guard is None or self.env[s.guard]:
            return self.memory[s.buffer][self.address(s)]
        return s.dtype.type(0) if s.other is None else self.env[s.other]

    def prefix(self, s: Prefix) -> None:
        r = Reduction(s.name, (s.value,), (s.out,))
        acc = self.running.get(s.out)
        if acc is None:
            acc = _accumulate(r, None, [self.env[s.init]])
        self.running[s.out] = acc = _accumulate(r, acc, [self.env[s.value]])
        (self.env[s.out],) = _finish(acc)

    def loop(self, s: Loop) -> None:
        env = self.env
        for inner in s.body:
            if isinstance(inner, Prefix):
                self.running.pop(inner.out, None)
        for c in s.carries:
            env[c.inner] = env[c.init]
        accs: list = [None] * len(s.reductions)
        for i in range(s.extent):
            env[s.index] = np.int64(i)
            self.block(s.body)
            for k, r in enumerate(s.reductions):
                accs[k] = _accumulate(r, accs[k], [env[v] for v in r.args])
            following = [env[c.next] for c in s.carries]
            for c, v in zip(s.carries, following):
                env[c.inner] = v
        for c in s.carries:
            env[c.out] = env[c.inner] if s.extent else env[c.init]
        for r, acc in zip(s.reductions, accs):
            if acc is None:  # an empty loop
                acc = (identity(r.name, self.dtypes[r.args[0]]),)
            for out, v in zip(r.outs, _finish(acc)):
                env[out] = v

    def while_loop(self, s) -> None:
        env = self.env
        for c in s.carries:
            env[c.inner] = env[c.init]
        while True:
            self.block(s.cond_body)
            if not env[s.cond]:
                break
            self.block(s.body)
            following = [env[c.next] for c in s.carries]
            for c, v in zip(s.carries, following):
                env[c.inner] = v
        for c in s.carries:
            env[c.out] = env[c.inner]


# -- reductions ------------------------------------------------------------------------
_WIDE = {"add": np.add, "mul": np.multiply, "logaddexp": np.logaddexp}


class _Sum:
    """A sum or the like in more precision than its dtype has."""

    def __init__(self, v):
        self.dtype = v.dtype
        wide = np.complex128 if v.dtype.kind == "c" else np.float64
        self.value = wide(v)


def _accumulate(r: Reduction, acc, values):
    v = values[0]
    floating = kind(v.dtype) in "fc"
    if r.name in _WIDE and floating:
        if acc is None:
            return (_Sum(v),)
        (total,) = acc
        total.value = _WIDE[r.name](total.value, type(total.value)(v))
        return acc
    if acc is None:
        return tuple(values)
    if r.name in ("argmax", "argmin"):
        return _arg(r.name, acc, values)
    name = r.name
    op = Op(0, v.dtype, name, (0, 1))
    return (evaluate(op, [acc[0], v]),)


def _arg(name: str, a, c):
    (x, i), (y, j) = a, c
    if x != x or y != y:
        first, tie = y != y and x == x, x != x and y != y
    else:
        first, tie = (y > x if name == "argmax" else y < x), x == y
    return tuple(c) if first or (tie and j < i) else a


def _finish(acc):
    return [a.dtype.type(a.value) if isinstance(a, _Sum) else a for a in acc]


# -- operations ------------------------------------------------------------------------
def evaluate(op: Op, args: list):
    """The value of one scalar operation on NumPy scalars."""
    params = dict(op.params)
    if op.name == "select_n":
        which = int(args[0])
        return args[1 + min(max(which, 0), len(args) - 2)]
    if op.name == "convert_element_type":
        return _convert(args[0], op.dtype)
    if op.name == "bitcast_convert_type":
        return np.asarray(args[0]).view(op.dtype)[()]
    dtype = args[0].dtype
    wide = compute_dtype(dtype)
    narrow = wide != dtype
    args = [a.astype(wide) if narrow else a for a in args]
    if op.name == "nextafter":
        return _nextafter(*(a.astype(dtype) for a in args))
    if op.name == "reduce_precision":
        out = _reduce_precision(args[0], **params)
    else:
        out = _OPS[op.name](*args, **params)
    return np.asarray(out).astype(op.dtype)[()]


def _convert(x, dtype: np.dtype):
    a, c = kind(x.dtype), kind(dtype)
    if c == "b":
        return np.bool_(x != 0)
    if a == "c" and c != "c":
        x, a = x.real, "f"
    if a == "f" and c in "iu":
        info = np.iinfo(dtype)
        value = float(x)
        if value != value:
            return dtype.type(0)
        if np.isinf(value):
            return dtype.type(info.max if value > 0 else info.min)
        return dtype.type(min(max(int(value), info.min), info.max))
    if a in "iub" and c in "iu":
        return np.asarray(x).astype(dtype)[()]
    if a in "iu" and dtype.itemsize == 2:
        return _to_narrow(np.float64(x), dtype)
    if a == "f" and x.dtype.itemsize == 8 and dtype.itemsize == 2:
        return _to_narrow(x, dtype)
    return np.asarray(x).astype(dtype)[()]


def _to_narrow(x: np.float64, dtype: np.dtype):
    """float64 to a 16-bit float with one rounding."""
    if dtype == np.float16:
        return np.asarray(x).astype(dtype)[()]
    near = np.float32(x)
    if np.isfinite(near) and np.float64(near) != x:
        bits = np.asarray(near).view(np.int32)
        down = bits - (abs(np.float64(near)) > abs(x))
        near = np.asarray(down | 1, np.int32).view(np.float32)[()]
    return np.asarray(near).astype(dtype)[()]


def _integers(f: Callable) -> Callable:
    """An operation on Python integers, wrapped to the operands' dtype."""

    def op(*args, **params):
        dtype = args[0].dtype
        bits = 8 * dtype.itemsize
        value = f(*(int(a) for a in args), bits, **params) & ((1 << bits) - 1)
        if dtype.kind == "i" and value >> (bits - 1):
            value -= 1 << bits
        return dtype.type(value)

    return op


def _either(integer: Callable, floating: Callable) -> Callable:
    exact = _integers(integer)

    def op(*args, **params):
        if args[0].dtype.kind in "iu":
            return exact(*args, **params)
        return floating(*args, **params)

    return op


def _int_div(x: int, y: int, bits: int) -> int:
    if y == 0:
        return -1
    q = abs(x) // abs(y)
    return q if (x < 0) == (y < 0) else -q


def _int_rem(x: int, y: int, bits: int) -> int:
    return x if y == 0 else x - _int_div(x, y, bits) * y


def _extremum(name: str) -> Callable:
    def op(x, y):
        if x.dtype == BOOL:
            return x | y if name == "max" else x & y
        if x.dtype.kind == "c":
            key = (x.real, x.imag), (y.real, y.imag)
            return x if (key[0] > key[1] if name == "max" else key[0] < key[1]) else y
        if x == 0 == y and kind(x.dtype) == "f":  # the signs of zeros count
            minus = np.signbit([x, y])
            return x if minus[0] == (name == "min") else y
        return (np.maximum if name == "max" else np.minimum)(x, y)

    return op


def _lexicographic(f: Callable) -> Callable:
    def op(x, y):
        if x.dtype.kind == "c":
            return f(x.imag, y.imag) if x.real == y.real else f(x.real, y.real)
        return f(x, y)

    return op


def _sign(x):
    if x.dtype.kind == "c":
        return x if x == 0 else x / np.abs(x)
    return x if x == 0 else np.sign(x)


def _shift(f: Callable) -> Callable:
    def op(x, n, bits):
        n &= (1 << bits) - 1
        return f(x, n, bits)

    return _integers(op)


def _integer_pow(x, y: int):
    if x.dtype.kind in "iu":
        return _integers(lambda v, bits: v**y)(x)
    out = x.dtype.type(1)
    for _ in range(abs(y)):
        out = out * x
    return out if y >= 0 else 1 / out


def _round(x, rounding_method: int):
    if int(rounding_method):
        return np.rint(x)
    away = np.trunc(x) + np.copysign(abs(x - np.trunc(x)) >= 0.5, x)
    return np.copysign(away, x) if np.isfinite(x) else x


def _reduce_precision(x, exponent_bits: int, mantissa_bits: int):
    if not np.isfinite(x):
        return x
    wide = 23 if x.dtype.itemsize == 4 else 52
    word = np.uint32 if wide == 23 else np.uint64
    i = int(np.asarray(x).view(word))
    if mantissa_bits < wide:
        drop = wide - mantissa_bits
        i = (i + ((i >> drop) & 1) + (1 << (drop - 1)) - 1) >> drop << drop
    y = np.asarray(i, word).view(x.dtype)[()]
    reach = (1 << (exponent_bits - 1)) - 1
    if exponent_bits < (8 if wide == 23 else 11):
        if abs(float(y)) > 2.0**reach * (2.0 - 2.0**-mantissa_bits):
            return np.copysign(x.dtype.type(np.inf), x)
        if abs(float(y)) < 2.0 ** (1 - reach):
            return np.copysign(x.dtype.type(0), x)
    return y


def _nextafter(x, y):
    if x.dtype.itemsize > 2:
        return np.nextafter(x, y)
    if x != x or y != y:
        return x.dtype.type(np.nan)
    if x == y:
        return y
    word = int(np.asarray(x).view(np.uint16))
    if x == 0:
        word = 1 | (0x8000 if y < 0 else 0)
    else:
        word += 1 if (y > x) == (x > 0) else -1
    return np.asarray(word, np.uint16).view(x.dtype)[()]


def _special(name: str) -> Callable:
    def op(*args):
        from scipy import special

        wide = np.float64 if args[0].dtype.itemsize == 4 else args[0].dtype
        return getattr(special, name)(*(a.astype(wide) for a in args))

    return op


def _wide(f: Callable) -> Callable:
    """A float function computed in double precision where the operand is float32."""

    def op(*args):
        dtype = args[0].dtype
        if dtype.kind == "c":
            return f(*(a.astype(np.complex128) for a in args))
        return f(*(a.astype(np.float64) for a in args))

    return op


def _logistic(x):
    if x.dtype.kind == "c":
        return 1 / (1 + np.exp(-x))
    e = np.exp(-abs(x))
    return 1 / (1 + e) if x >= 0 else e / (1 + e)


def _lgamma(x):
    from scipy import special

    return x.dtype.type(np.inf) if np.isinf(x) else special.gammaln(x)


def _digamma(x):
    from scipy import special

    if x == 0 or (np.isinf(x) and x < 0):
        return x.dtype.type(np.nan)
    return special.digamma(x)


def _shift_arithmetic(x: int, n: int, bits: int) -> int:
    """Unsigned numbers shift as the signed ones of the same bits."""
    signed = x - (1 << bits) if x >> (bits - 1) == 1 else x
    return signed >> min(n, bits - 1)


def _threefry_word(*words, word: int):
    return threefry_word_p.evaluate(*map(np.atleast_1d, words), word=word)[0]


def _clz(x: int, bits: int) -> int:
    return bits - (x & ((1 << bits) - 1)).bit_length()


_OPS: dict[str, Callable] = {
    "add": _either(lambda x, y, b: x + y, lambda x, y: x + y),
    "sub": _either(lambda x, y, b: x - y, lambda x, y: x - y),
    "mul": _either(lambda x, y, b: x * y, lambda x, y: x * y),
    "div": _either(_int_div, lambda x, y: x / y),
    "rem": _either(_int_rem, np.fmod),
    "neg": _either(lambda x, b: -x, lambda x: -x),
    "abs": _either(lambda x, b: abs(x), np.abs),
    "square": _either(lambda x, b: x * x, lambda x: x * x),
    "sign": _sign,
    "integer_pow": _integer_pow,
    "pow": _wide(np.power),
    "max": _extremum("max"),
    "min": _extremum("min"),
    "clamp": lambda lo, x, hi: _extremum("min")(_extremum("max")(lo, x), hi),
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "lt": _lexicographic(lambda x, y: x < y),
    "le": _lexicographic(lambda x, y: x <= y),
    "gt": _lexicographic(lambda x, y: x > y),
    "ge": _lexicographic(lambda x, y: x >= y),
    "is_finite": np.isfinite,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "not": np.invert,
    "shift_left": _shift(lambda x, n, b: x << n if n < b else 0),
    "shift_right_logical": _shift(
        lambda x, n, b: (x & ((1 << b) - 1)) >> n if n < b else 0
    ),
    "shift_right_arithmetic": _shift(_shift_arithmetic),
    "population_count": _integers(lambda x, b: (x & ((1 << b) - 1)).bit_count()),
    "clz": _integers(_clz),
    "threefry_word": _threefry_word,
    "copy": lambda x: x,
    "complex": lambda x, y: x + 1j * y if np.isfinite(y) else complex(x, y),
    "real": np.real,
    "imag": np.imag,
    "conj": np.conj,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": _round,
    "sqrt": _wide(np.sqrt),
    "rsqrt": _wide(lambda x: 1 / np.sqrt(x)),
    "cbrt": _wide(np.cbrt),
    "exp": _wide(np.exp),
    "exp2": _wide(np.exp2),
    "expm1": _wide(np.expm1),
    "log": _wide(np.log),
    "log1p": _wide(np.log1p),
    "log2": _wide(np.log2),
    "logistic": _wide(_logistic),
    "tanh": _wide(np.tanh),
    "sinh": _wide(np.sinh),
    "cosh": _wide(np.cosh),
    "sin": _wide(np.sin),
    "cos": _wide(np.cos),
    "tan": _wide(np.tan),
    "asin": _wide(np.arcsin),
    "acos": _wide(np.arccos),
    "atan": _wide(np.arctan),
    "atan2": _wide(np.arctan2),
    "asinh": _wide(np.arcsinh),
    "acosh": _wide(np.arccosh),
    "atanh": _wide(np.arctanh),
    "erf": _special("erf"),
    "erfc": _special("erfc"),
    "erf_inv": _special("erfinv"),
    "lgamma": _wide(_lgamma),
    "digamma": _wide(_digamma),
}
