"""Samples of the gamma distribution, each drawn in a lane until it is accepted.

The steps are those of primitives/random_gamma.py, which says what they mean.
"""

from __future__ import annotations

import math

import numpy as np

from jaxlike.backends.plan.access import Resolver
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.ir import Value
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.core.jaxpr import JaxprEqn, Literal

_U32, _U64 = np.dtype(np.uint32), np.dtype(np.uint64)
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
Key = tuple[Value, Value]


def lower_gamma_samples(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    words, alpha = eqn.invars
    (out,) = eqn.outvars
    aval = alpha.aval
    if aval.dtype not in DTYPES or not aval.size or type(alpha) is Literal:
        return None
    if type(words) is Literal:
        return None
    keys = words.aval.size // 2
    k = _Draws(aval.dtype, (keys, aval.size // keys))
    w = k.input(_U32, words.aval.shape)
    a = k.input(aval.dtype, aval.shape)
    y = k.output(aval.dtype, aval.shape)
    i, j = k.indices
    given = k.load(w, {i: 2}), k.load(w, {i: 2}, 1)
    key = k.key_at(given, k.convert(j, _U32))
    place = {i: k.grid[1], j: 1}
    k.store(y, place, k.sample(key, k.load(a, place), eqn.params["log_space"]))
    return [Lowered(k.finish("gamma"), [words, alpha], [out])]


class _Draws(KernelBuilder):
    """Numbers of a dtype, of keys that are two words."""

    def __init__(self, dtype: np.dtype, grid: tuple[int, ...]):
        super().__init__(grid)
        self.float = dtype

    def number(self, value: float) -> Value:
        return self.const(value, self.float)

    def key(self, key: Key, number: int) -> Key:
        """The key of this number that a key splits into."""
        return self.key_at(key, self.const(number, _U32))

    def key_at(self, key: Key, counter: Value) -> Key:
        words = *key, self.const(0, _U32), counter
        return tuple(self.op("threefry_word", *words, word=i) for i in (0, 1))

    def uniform(self, key: Key) -> Value:
        zero = self.const(0, _U32)
        words = *key, zero, zero
        if self.float.itemsize == 4:
            bits, unused, word = self.op("threefry_word", *words, word=2), 9, _U32
        else:
            high, low = (self.convert(v, _U64) for v in self.key(key, 0))
            high = self.op("shift_left", high, self.const(32, _U64))
            bits, unused, word = self.op("or", high, low), 12, _U64
        one = np.ones((), self.float)
        bits = self.op("shift_right_logical", bits, self.const(unused, word))
        bits = self.op("or", bits, self.const(one.view(word), word))
        unit = self.op("bitcast_convert_type", bits, dtype=self.float)
        return self.op("sub", unit, self.number(1))

    def normal(self, key: Key) -> Value:
        low = np.nextafter(np.array(-1, self.float), np.array(0, self.float))
        u = self.op("mul", self.uniform(key), self.number(1 - low))
        u = self.op("max", self.op("add", u, self.number(low)), self.number(low))
        return self.op("mul", self.op("erf_inv", u), self.number(math.sqrt(2)))

    def positive_root(self, key: Key, c: Value) -> tuple[Value, Value]:
        w = self.while_loop([*key, self.number(0), self.number(-1)])
        with w.cond as cond:
            cond.give(self.op("le", w.carries[3], self.number(0)))
        with w.body as body:
            now = w.carries[0], w.carries[1]
            x = self.normal(self.key(now, 1))
            v = self.op("add", self.op("mul", x, c), self.number(1))
            body.give(*self.key(now, 0), x, v)
        _, _, x, v = w.close()
        return x, v

    def rejected(self, d: Value, x2: Value, v3: Value, u: Value) -> Value:
        op, number = self.op, self.number
        near = op("sub", number(1), op("mul", number(0.0331), op("mul", x2, x2)))
        bound = op("add", op("sub", number(1), v3), op("log", v3))
        bound = op("add", op("mul", x2, number(0.5)), op("mul", d, bound))
        return op("and", op("ge", u, near), op("ge", op("log", u), bound))

    def cube(self, key: Key, d: Value) -> Value:
        third = self.number(self.float.type(1 / 3))
        c = self.op("div", third, self.op("sqrt", d))
        one = self.number(1)
        # all but NaN
        start = self.rejected(d, self.number(0), one, self.number(2))
        w = self.while_loop([*key, one, start])
        with w.cond as cond:
            cond.give(self.op("copy", w.carries[3]))
        with w.body as body:
            now = w.carries[0], w.carries[1]
            x, v = self.positive_root(self.key(now, 1), c)
            u = self.uniform(self.key(now, 2))
            v3 = self.op("mul", self.op("mul", v, v), v)
            again = self.rejected(d, self.op("mul", x, x), v3, u)
            body.give(*self.key(now, 0), v3, again)
        return w.close()[2]

    def sample(self, key: Key, alpha: Value, log_space: bool) -> Value:
        op, number = self.op, self.number
        large = op("ge", alpha, number(1))
        d = op("select_n", large, op("add", alpha, number(1)), alpha)
        d = op("sub", d, number(self.float.type(1 / 3)))
        v3 = self.cube(self.key(key, 0), d)
        u = self.uniform(self.key(key, 1))
        inverse = op("div", number(1), alpha)
        if log_space:
            log_u = op("log1p", op("neg", u))
            none = op("or", large, op("eq", log_u, number(0)))
            boost = op("select_n", none, op("mul", log_u, inverse), number(0))
            return op("add", op("add", op("log", d), op("log", v3)), boost)
        boost = op("pow", op("sub", number(1), u), inverse)
        boost = op("select_n", large, boost, number(1))
        return op("mul", op("mul", d, v3), boost)
