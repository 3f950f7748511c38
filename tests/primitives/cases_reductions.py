"""Cases of reductions, cumulative and by Python functions."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from tests.primitives.case import Case

nan, inf = np.nan, np.inf
bf16 = ml_dtypes.bfloat16
RNG = np.random.default_rng(0)
CASES: list[Case] = []


def case(name, fun, *args, **kwargs):
    CASES.append(Case(f"{name}-{len(CASES)}", fun, list(args), **kwargs))


def normal(*shape, dtype=np.float32):
    x = RNG.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * RNG.standard_normal(shape)
    return x.astype(dtype)


def ints(*shape, dtype=np.int32, low=-9):
    return RNG.integers(
        max(low, 0) if np.dtype(dtype).kind == "u" else low, 10, shape
    ).astype(dtype)


def reduction(name, axes, x, **kwargs):
    case(name, lambda lax, x: getattr(lax, name)(x, axes), x, **kwargs)


# --- reductions over axes

NUMERIC = ("reduce_sum", "reduce_prod", "reduce_max", "reduce_min")
BITS = ("reduce_and", "reduce_or", "reduce_xor")
for name in NUMERIC:
    for axes in ((0,), (1,), (2, 0), (0, 1, 2), ()):
        reduction(name, axes, normal(2, 3, 4), grad_args=(0,) if axes else ())
    reduction(name, (), normal())
    reduction(name, (0,), normal(1, 3), grad_args=(0,), order=1)
    reduction(name, (0,), np.zeros((0, 2), np.float32))
    reduction(name, (1,), np.zeros((0, 2), np.float32))
    reduction(name, (0,), np.array([[1, nan, inf], [inf, 2, -inf]], np.float32))
    for dtype in (np.float16, bf16):
        reduction(name, (1,), normal(2, 6, dtype=dtype), rtol=0.02)
    for dtype in (np.int8, np.uint8, np.int32, np.uint32, ml_dtypes.int4):
        low = -8 if dtype is ml_dtypes.int4 else -9
        x = ints(2, 5, dtype=np.int8, low=low)
        reduction(name, (1,), (np.clip(x, low, 7)).astype(dtype))
    reduction(name, (0,), np.zeros((0, 2), np.uint8))
    reduction(name, (0,), normal(3, 2, dtype=np.complex64))
for name in ("reduce_sum", "reduce_prod"):
    reduction(name, (0,), normal(3, 2, dtype=np.complex64), grad_args=(0,))
    # sums that narrow floats could not take in one by one
    reduction(name, (0,), np.full(24, 1.125, bf16), rtol=0.02)
for zeros in ([0, 2, 3], [0, 2, 0], [0, 0, 0]):
    reduction("reduce_prod", (0,), np.array(zeros, np.float32), grad_args=(0,))
for name in ("reduce_max", "reduce_min"):
    reduction(name, (0,), ints(4, 3) > 0)
for name in BITS:
    for axes in ((0,), (0, 1), ()):
        reduction(name, axes, ints(3, 4))
    reduction(name, (1,), ints(3, 4) > 0)
    reduction(name, (0,), ints(3, 2, dtype=np.uint8))
    reduction(name, (0,), np.zeros((0, 2), np.int16))
    reduction(name, (0,), np.zeros((0, 2), bool))

# --- argmax, argmin

for name in ("argmax", "argmin"):

    def choose(lax, x, axis=0, dtype=np.int32, name=name):
        return getattr(lax, name)(x, axis, dtype)

    case(name, choose, normal(3, 4))
    case(name, lambda lax, x, f=choose: f(lax, x, 1, np.uint8), normal(3, 4))
    case(name, choose, np.array([2, nan, 5, nan, 1], np.float32))
    case(name, choose, np.array([3, 1, 3, 1], np.int8))
    case(name, choose, np.array([[True, False], [False, True]]))
    case(name, choose, np.array([1, 3, -2, 3, -2], bf16))
    case(name, choose, np.zeros((2, 0), np.float32))

# --- cumulative

CUMULATIVE = ("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp")
for name in CUMULATIVE:

    def scan(lax, x, axis=0, reverse=False, name=name):
        return getattr(lax, name)(x, axis, reverse)

    for n in (1, 2, 5, 8):
        case(name, scan, normal(n), grad_args=(0,), order=2 if n == 5 else 1)
    for axis in (0, 1):
        case(
            name,
            lambda lax, x, f=scan, axis=axis: f(lax, x, axis, True),
            normal(3, 4),
            grad_args=(0,),
            order=1,
        )
    case(name, scan, np.zeros((0, 2), np.float32))
    case(name, scan, np.array([1, nan, 2, inf, -inf], np.float32))
    for dtype in (np.float16, bf16):
        case(name, scan, normal(6, dtype=dtype), rtol=0.03, atol=0.03)
    if name != "cumlogsumexp":
        for dtype in (np.int8, np.uint16, np.int32):
            case(name, scan, ints(6, dtype=dtype))
    if name not in ("cummax", "cummin"):
        case(name, scan, normal(5, dtype=np.complex64), grad_args=(0,), order=1)
case("cumprod", lambda lax, x: lax.cumprod(x), [0.0, 2.0, 0.0, 3.0], grad_args=(0,))
for name in ("cumsum", "cumlogsumexp"):  # long enough to be added up in double
    case(name, lambda lax, x, f=name: getattr(lax, f)(x), normal(100))

# --- reduction by a function


def plus(lax):
    return lambda a, b: lax.add(a, b)


def soft_or(lax):
    """1 - (1 - a)(1 - b), written out: associative and commutative."""
    return lambda a, b: lax.sub(lax.add(a, b), lax.mul(a, b))


def first_max(lax):
    """The maximum and its index."""

    def choose(a, b):
        a_first = lax.ge(a[0], b[0])
        return lax.select(a_first, a[0], b[0]), lax.select(a_first, a[1], b[1])

    return choose


ZERO = np.float32(0)
for dims in ((0,), (1, 0), (0, 1, 2)):
    case("reduce-plus", lambda lax, x, d=dims: lax.reduce(x, ZERO, plus(lax), d),
         normal(2, 3, 4), grad_args=(), rtol=1e-4)  # fmt: skip
    case("reduce-soft", lambda lax, x, d=dims: lax.reduce(x, ZERO, soft_or(lax), d),
         normal(2, 3, 2) / 4, rtol=1e-4)  # fmt: skip
    case("reduce-pair",
         lambda lax, x, i, d=dims: lax.reduce(
             (x, i), (np.float32(-inf), np.int32(0)), first_max(lax), d),
         normal(2, 3, 4), np.arange(24, dtype=np.int32).reshape(2, 3, 4),
         batch_args=(0,))  # fmt: skip


def grown(lax, x, dims=(0,)):
    """A reduction by a function, from an identity of the widened dtype too."""
    return lax.reduce(x, np.zeros((), x.dtype), soft_or(lax), dims)


case("reduce-grad", grown, normal(5, 2) / 4, grad_args=(0,))
case("reduce-grad", lambda lax, x: grown(lax, x, (1, 0)), normal(2, 3), grad_args=(0,))
for dtype in (np.int8, np.float16, bf16):
    case("reduce-narrow", lambda lax, x: grown(lax, x, ()), ints(4, dtype=dtype))
    case("reduce-init", lambda lax, x: lax.reduce(
        x, np.asarray(3, x.dtype), plus(lax), (0,)), ints(4, dtype=dtype))  # fmt: skip
case("reduce-empty", lambda lax, x: lax.reduce(x, np.float32(5), plus(lax), (0,)),
     np.zeros((0, 2), np.float32))  # fmt: skip
for op, init in (("mul", 1.0), ("max", -inf), ("min", inf), ("add", 0.0)):
    case(f"reduce-{op}", lambda lax, x, op=op, init=init: lax.reduce(
        x, init, getattr(lax, op), (1,)), normal(2, 3))  # fmt: skip
for op, init in (("bitwise_and", -1), ("bitwise_or", 0), ("bitwise_xor", 0)):
    case(f"reduce-{op}", lambda lax, x, op=op, init=init: lax.reduce(
        x, np.int32(init), getattr(lax, op), (1,)), ints(2, 3))  # fmt: skip
case("reduce-max-init", lambda lax, x: lax.reduce(x, np.float32(0.5), lax.max, (1,)),
     normal(2, 3))  # fmt: skip
