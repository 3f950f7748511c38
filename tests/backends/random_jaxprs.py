"""Random functions of arrays of many shapes and dtypes, read off a tape of numbers.

`grow(tape, lax, *inputs)` decides by the tape's numbers which operations to apply to
what, so hypothesis shrinks tapes. Values that rounding may have touched are never
compared, rounded or searched: results of two backends then differ by rounding alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import ml_dtypes
import numpy as np
from hypothesis import strategies as st

BF16 = np.dtype(ml_dtypes.bfloat16)
F32, F64, I32 = np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int32)
BOOL = np.dtype(bool)
SHAPES = ((), (1,), (5,), (2, 3), (1, 4), (4, 1, 3), (2, 2, 2), (0,), (3, 0, 2), (1, 1))

tapes = st.lists(st.integers(0, 1 << 12), min_size=4, max_size=60)


class Tape:
    def __init__(self, numbers: Sequence[int]):
        self.numbers, self.at = numbers, 0

    def __call__(self, limit: int) -> int:
        """The next number, below `limit`; 0 past the end."""
        if self.at >= len(self.numbers):
            return 0
        self.at += 1
        return self.numbers[self.at - 1] % limit

    def of(self, items):
        return items[self(len(items))]

    @property
    def ended(self) -> bool:
        return self.at >= len(self.numbers)


def inputs(tape: Tape, wide: bool) -> list[np.ndarray]:
    rng = np.random.default_rng(tape(1000))
    dtypes = [F32, I32, BOOL, BF16] + ([F64] if wide else [])
    out = []
    for _ in range(1 + tape(3)):
        shape, dtype = tape.of(SHAPES), tape.of([F32, *dtypes])
        if dtype == BOOL:
            x = rng.integers(0, 2, shape).astype(bool)
        else:
            x = (rng.integers(-8, 9, shape) / (1 if dtype == I32 else 4)).astype(dtype)
        layout = tape(3)
        if layout == 1:  # not contiguous: other memory order, or every second element
            x = np.asfortranarray(x)
        elif layout == 2 and x.ndim:
            x = np.repeat(x, 2, x.ndim - 1)[..., ::2]
        out.append(x)
    return out


def grow(tape: Tape, lax, *args):
    """Some values computed from the inputs, some of the inputs, maybe a literal."""
    values = [(x, True) for x in args]
    while not tape.ended and len(values) < 24:
        x, exact = tape.of(values[-4:])
        made = _step(tape, lax, x, exact, values)
        if made is not None:
            values.append(made)
    outs = [values[-1][0]]
    for _ in range(tape(3)):
        outs.append(tape.of(values)[0])
    if tape(4) == 1:
        outs.append(np.float32(2.5))
    return outs


def _partner(tape, lax, x, exact, values):
    """Another value of the dtype that goes with x: equal shape, or a scalar."""
    fits = [
        (v, e)
        for v, e in values
        if v.dtype == x.dtype and (v.shape == x.shape or v.ndim == 0 or x.ndim == 0)
    ]
    return tape.of(fits)


def _bounded(lax, x):
    one = lambda v: np.asarray(v, x.dtype)[()]
    return x if x.dtype == BOOL else lax.clamp(one(-8), x, one(8))


def _step(tape, lax, x, exact, values):
    kind = "b" if x.dtype == BOOL else "i" if x.dtype.kind == "i" else "f"
    choice = tape(22)
    match choice:
        case 0 | 1:
            if kind == "f":
                name = tape.of(["tanh", "sin", "logistic", "exp2", "neg", "abs", "erf"])
                if name == "exp2":
                    x = _bounded(lax, x)
                out = getattr(lax, name)(x)
                return out, exact and name in ("neg", "abs")
            return (lax.bitwise_not(x), exact)
        case 2 | 3 | 4:
            y, also = _partner(tape, lax, x, exact, values)
            names = ["add", "sub", "mul", "max", "min"]
            if kind == "b":
                names = ["bitwise_and", "bitwise_or", "bitwise_xor"]
            return _bounded(lax, getattr(lax, tape.of(names))(x, y)), exact and also
        case 5:
            if not exact:
                return None
            to = tape.of([F32, I32, BOOL, BF16])
            return lax.convert_element_type(x, to), True
        case 6:
            y, also = _partner(tape, lax, x, exact, values)
            if not (exact and also):
                return None
            return getattr(lax, tape.of(["lt", "eq", "ge", "ne"]))(x, y), True
        case 7:
            flags = [v for v, _ in values if v.dtype == BOOL and v.shape == x.shape]
            y, also = _partner(tape, lax, x, exact, values)
            if not flags or y.shape != x.shape:
                return None
            return lax.select(tape.of(flags), x, y), exact and also
        case 8:
            if x.ndim > 3:
                return None
            at, n = tape(x.ndim + 1), tape.of([1, 2, 3])
            shape = (*x.shape[:at], n, *x.shape[at:])
            dims = [d for d in range(x.ndim + 1) if d != at]
            return lax.broadcast_in_dim(x, shape, dims), exact
        case 9:
            order = list(range(x.ndim))
            order = order[::-1] if tape(2) else order[1:] + order[:1]
            return lax.transpose(x, order), exact
        case 10:
            shape = (x.size,) if tape(2) else (1, *x.shape[::-1])
            return lax.reshape(x, shape), exact
        case 11:
            if x.ndim == 0:
                return None
            start = [tape(max(n, 1)) if n else 0 for n in x.shape]
            stop = [max(s, n - tape(2)) for s, n in zip(start, x.shape)]
            steps = [1 + tape(2) for _ in x.shape]
            return lax.slice(x, start, stop, steps), exact
        case 12:
            return lax.rev(x, [d for d in range(x.ndim) if tape(2)]), exact
        case 13 | 14 | 15:
            axes = [d for d in range(x.ndim) if tape(3)]
            if any(x.shape[d] == 0 for d in axes):
                return None
            names = ["reduce_or", "reduce_and"]
            if kind != "b":
                names = ["reduce_sum", "reduce_max", "reduce_min"]
            name = tape.of(names)
            out = _bounded(lax, getattr(lax, name)(x, axes))
            # a sum of bfloat16 is rounded once, or at each step
            exact = exact and not (x.dtype == BF16 and name == "reduce_sum")
            if choice == 15:
                kept = [d for d in range(x.ndim) if d not in axes]
                out = lax.broadcast_in_dim(out, x.shape, kept)
            return out, exact
        case 16:
            if not exact or kind == "b" or not x.ndim or x.shape[0] == 0:
                return None
            return getattr(lax, tape.of(["argmax", "argmin"]))(x, 0, np.int32), True
        case 17:
            if x.ndim == 0:
                return None
            axis = tape(x.ndim)
            same = [(v, e) for v, e in values if v.shape == x.shape]
            same = [(v, e) for v, e in same if v.dtype == x.dtype]
            y, also = tape.of(same)
            return lax.concatenate([x, y], axis), exact and also
        case 18:
            if x.ndim < 2 or kind != "f":
                return None
            y = lax.transpose(x, [*range(x.ndim - 2), x.ndim - 1, x.ndim - 2])
            batch = tuple(range(x.ndim - 2))
            dims = (((x.ndim - 1,), (x.ndim - 2,)), (batch, batch))
            return _bounded(lax, lax.dot_general(x, y, dims)), False
        case 19:
            config = [(tape(3) - 1, tape(3), tape(2)) for _ in x.shape]
            if any(n + lo + hi < 0 for n, (lo, hi, _) in zip(x.shape, config)):
                return None
            return lax.pad(x, np.zeros((), x.dtype), config), exact
        case 20:
            if x.ndim == 0 or kind == "b":
                return None
            scan = lax.cumsum if kind == "i" else lax.cummax
            return scan(x, tape(x.ndim)), exact
        case 21:
            if kind == "b" or x.ndim == 0:
                return None
            return lax.add(x, lax.broadcasted_iota(x.dtype, x.shape, tape(x.ndim))), (
                exact and x.dtype != BF16
            )
