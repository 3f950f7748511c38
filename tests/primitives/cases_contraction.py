"""Cases of dot_general and its kin."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from tests.primitives.case import Case

bf16 = ml_dtypes.bfloat16
RNG = np.random.default_rng(1)
CASES: list[Case] = []


def case(name, fun, *args, **kwargs):
    CASES.append(Case(f"{name}-{len(CASES)}", fun, list(args), **kwargs))


def normal(*shape, dtype=np.float32):
    x = RNG.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * RNG.standard_normal(shape)
    return x.astype(dtype)


def general(dims, **options):
    return lambda lax, x, y: lax.dot_general(x, y, dims, **options)


NONE = ((), ())
# shapes of both operands and dimension numbers: every layout of small products, batch
# axes in the middle, contractions over several axes, outer products
LAYOUTS = [
    ((2, 3), (3, 4), (((1,), (0,)), NONE)),
    ((2, 3), (4, 3), (((1,), (1,)), NONE)),
    ((3, 2), (3, 4), (((0,), (0,)), NONE)),
    ((3, 2), (4, 3), (((0,), (1,)), NONE)),
    ((3,), (3,), (((0,), (0,)), NONE)),
    ((2, 3), (3,), (((1,), (0,)), NONE)),
    ((3,), (2, 3), (((0,), (1,)), NONE)),
    ((2, 3, 2, 2), (2, 3, 1, 2), (((2, 0), (0, 3)), ((1,), (1,)))),
    ((2, 2, 3), (2, 3, 2), (((2,), (1,)), ((0,), (0,)))),
    ((2, 3, 2), (2, 2, 3), (((1,), (2,)), ((0,), (0,)))),
    ((2, 2, 3), (3, 4), (((2,), (0,)), NONE)),
    ((2, 2, 3), (2, 3), (((2,), (1,)), ((0,), (0,)))),
    ((2, 3), (2, 3), (((1,), (1,)), ((0,), (0,)))),
    ((2, 1, 2, 3), (2, 2, 2, 3), (((3,), (3,)), ((0, 2), (0, 2)))),
    ((2,), (3,), (NONE, NONE)),
    ((), (2, 2), (NONE, NONE)),
    ((2, 3), (2, 3), (NONE, ((0, 1), (0, 1)))),
    ((2, 3), (3, 2), (((0, 1), (1, 0)), NONE)),
]
for a, b, dims in LAYOUTS:
    case("dot_general", general(dims), normal(*a), normal(*b), grad_args=(0, 1))
    case("dot_general-int", general(dims), RNG.integers(-9, 9, a).astype(np.int32),
         RNG.integers(-9, 9, b).astype(np.int32))  # fmt: skip
for a, b, dims in (LAYOUTS[0], LAYOUTS[8], LAYOUTS[12]):
    x, y = normal(*a), normal(*b)
    case("dot_general-complex", general(dims), normal(*a, dtype=np.complex64),
         normal(*b, dtype=np.complex64), grad_args=(0, 1))  # fmt: skip
    case("dot_general-bool", general(dims), x > 0, y > 0)
    for dtype in (np.float16, bf16):
        case("dot_general-narrow", general(dims), x.astype(dtype), y.astype(dtype),
             rtol=0.02, atol=0.02)  # fmt: skip
        case("dot_general-wide",
             general(dims, preferred_element_type=np.float32),
             x.astype(dtype), y.astype(dtype))  # fmt: skip
    for dtype in (np.int8, np.uint8, np.uint32):
        n, m = RNG.integers(0, 99, a), RNG.integers(0, 99, b)
        case("dot_general-int", general(dims), n.astype(dtype), m.astype(dtype))
    case("dot_general-int8",
         general(dims, preferred_element_type=np.int32),
         RNG.integers(-99, 99, a).astype(np.int8),
         RNG.integers(-99, 99, b).astype(np.int8))  # fmt: skip
    case("dot_general-mixed", general(dims), x.astype(np.float16), y)
    case("dot_general-mixed", general(dims), RNG.integers(-9, 9, a), y)
    rows = 0 if dims[1][0] else b[0]
    case("dot_general-empty", general(dims), np.zeros((0, *a[1:]), np.float32),
         np.zeros((rows, *b[1:]), np.float32))  # fmt: skip
case("dot_general-empty-sum", general((((1,), (0,)), NONE)),
     np.zeros((2, 0), np.float32), np.zeros((0, 3), np.float32))  # fmt: skip
case("dot_general-special", general((((1,), (0,)), NONE)),
     np.array([[np.nan, 1, 0], [np.inf, 1, -np.inf]], np.float32),
     np.array([[1.0, 2], [1, 0], [0, 1]], np.float32))  # fmt: skip
case("dot_general-float8", general((((1,), (0,)), NONE)),
     normal(2, 3).astype(ml_dtypes.float8_e4m3fn),
     normal(3, 2).astype(ml_dtypes.float8_e4m3fn), atol=0.3)  # fmt: skip
for precision in ("highest", ("high", "default"), "F32_F32_F32"):
    case("dot-precision",
         lambda lax, x, y, p=precision: lax.dot(x, y, precision=p),
         normal(2, 3), normal(3, 2), grad_args=(0, 1), rtol=1e-3)  # fmt: skip
case("dot", lambda lax, x, y: lax.dot(x, y), normal(3), normal(3, 2))
case("batch_matmul", lambda lax, x, y: lax.batch_matmul(x, y),
     normal(2, 1, 2, 3), normal(2, 1, 3, 2), grad_args=(0, 1))  # fmt: skip
# big enough to go through BLAS, integers that float64 cannot hold in one product
for top in (3, 2**10, 2**31 - 1):
    case("dot-big-int", lambda lax, x, y: lax.dot(x, y),
         RNG.integers(-top, top, (17, 16)).astype(np.int32),
         RNG.integers(-top, top, (16, 17)).astype(np.int32))  # fmt: skip
case("dot-big-bool", lambda lax, x, y: lax.dot(x, y),
     RNG.random((17, 16)) > 0.8, RNG.random((16, 17)) > 0.8)  # fmt: skip

# --- products in groups


def ragged(dims, ragged_axis, group_axes):
    def fun(lax, x, y, sizes):
        numbers = lax.RaggedDotDimensionNumbers(dims, ragged_axis, group_axes)
        return lax.ragged_dot_general(x, y, sizes, numbers)

    return fun


SIZES = np.array([1, 0, 2], np.int32)
for sizes in (SIZES, np.array([2, 2, 1], np.int32), np.array([4, 3, 2], np.int32)):
    case("ragged_dot", lambda lax, x, w, s: lax.ragged_dot(x, w, s),
         normal(5, 2), normal(3, 2, 2), sizes, grad_args=(0, 1))  # fmt: skip
case("ragged-free", ragged((((0,), (2,)), NONE), (1,), (1,)),
     normal(2, 4), normal(2, 3, 2), SIZES, grad_args=(0, 1))  # fmt: skip
case("ragged-free-batch", ragged((((2,), (2,)), ((0,), (1,))), (1,), (0,)),
     normal(2, 4, 2), normal(3, 2, 2, 2), np.stack([SIZES, SIZES[::-1]]),
     grad_args=(0, 1))  # fmt: skip
case("ragged-sum", ragged((((0,), (0,)), NONE), (0,), ()),
     normal(5, 2), normal(5, 3), SIZES, grad_args=(0, 1))  # fmt: skip
case("ragged-sum-batch", ragged((((1,), (1,)), ((0,), (0,))), (1,), ()),
     normal(2, 4, 2), normal(2, 4, 2), np.stack([SIZES, SIZES[::-1]]),
     grad_args=(0, 1))  # fmt: skip
case("ragged-sum-two", ragged((((0, 2), (2, 0)), NONE), (0,), ()),
     normal(4, 2, 2), normal(2, 2, 4), SIZES, grad_args=(0, 1),
     parity=False)  # fmt: skip
case("ragged-batch", ragged((((2,), (1,)), ((0,), (0,))), (0,), ()),
     normal(3, 2, 2), normal(3, 2, 2), SIZES, grad_args=(0, 1))  # fmt: skip
case("ragged-narrow", lambda lax, x, w, s: lax.ragged_dot(x, w, s),
     normal(3, 2, dtype=bf16), normal(3, 2, 2, dtype=bf16), SIZES,
     rtol=0.02, atol=0.02)  # fmt: skip
case("ragged-int", lambda lax, x, w, s: lax.ragged_dot(x, w, s),
     RNG.integers(-9, 9, (3, 2)), RNG.integers(-9, 9, (3, 2, 2)), SIZES)  # fmt: skip

# --- products with scales


def scaled(lax, x, y, s, t):
    return lax.scaled_dot(
        x, y, lhs_scale=s, rhs_scale=t, preferred_element_type=np.float32
    )


# values that bfloat16 holds, in which JAX multiplies by the scales
def halves(*shape, dtype=np.float32):
    return (RNG.integers(-8, 8, shape) / 2).astype(dtype)


case("scaled_dot", scaled, halves(2, 4), halves(4, 3),
     halves(2, 2) + 8, halves(2, 3) + 8)  # fmt: skip
case("scaled_dot-float8", scaled, halves(2, 4, dtype=ml_dtypes.float8_e4m3fn),
     halves(4, 3, dtype=ml_dtypes.float8_e4m3fn),
     np.array([[1, 2], [4, 0.5]], ml_dtypes.float8_e8m0fnu),
     np.array([[1, 2, 8]], ml_dtypes.float8_e8m0fnu), batch_args=(0, 1))  # fmt: skip
case("scaled_dot-plain", lambda lax, x, y: lax.scaled_dot(x, y),
     halves(2, 2, 4), halves(2, 4, 3))  # fmt: skip
