"""Cases of arithmetic, transcendental functions, comparisons, bits and conversions."""

from __future__ import annotations

import operator

import ml_dtypes
import numpy as np

from tests.primitives.case import Case

nan, inf = np.nan, np.inf
bf16 = ml_dtypes.bfloat16

SPECIAL = [nan, inf, -inf, 0.0, -0.0, 1, -1, 0.5, -2.5, 3.7, 1e-3, -30.0]
COMPLEX = np.array([1 + 2j, -0.5 + 0.3j, 0.7 - 1.2j, -1.1 - 0.4j], np.complex64)
CASES: list[Case] = []


def words(text):
    return text.split()


def floats(values, dtype=np.float32):
    with np.errstate(all="ignore"):
        return np.array(values, np.float32).astype(dtype)


def case(name, fun, *args, **kwargs):
    CASES.append(Case(name, fun, list(args), **kwargs))


def call(name, *args, **kwargs):
    """A case that calls the function `name` of lax."""
    case(
        f"{name}-{len(CASES)}",
        lambda lax, *xs: getattr(lax, name)(*xs),
        *args,
        **kwargs,
    )


# --- unary functions of floats: special values, narrow dtypes, derivatives

# where each is smooth
POINTS = {
    "asin": [-0.8, 0.1, 0.6],
    "acos": [-0.8, 0.1, 0.6],
    "atanh": [-0.8, 0.1, 0.6],
    "acosh": [1.3, 2.0, 4.5],
    "log": [0.3, 1.0, 2.5],
    "sqrt": [0.3, 1.0, 2.5],
    "rsqrt": [0.3, 1.0, 2.5],
    "log1p": [-0.4, 0.3, 2.5],
    "cbrt": [-2.0, 0.8, 1.5],
    "reciprocal": [-2.0, 0.8, 1.5],
}
REAL_ONLY = {"cbrt", "floor", "ceil", "round", "is_finite"}
UNARY = words(
    "neg sign abs square reciprocal sqrt rsqrt cbrt floor ceil round is_finite "
    "exp exp2 expm1 log log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh "
    "atanh logistic stop_gradient"
)
for name in UNARY:
    call(name, floats(SPECIAL))
    point = floats(POINTS.get(name, [-1.3, 0.4, 2.2]))
    call(name, point, grad_args=() if name == "stop_gradient" else (0,))
    # the derivative's own arithmetic is narrow too, so only values are compared;
    # JAX's exp2 and the like of bfloat16 are less precise than rounding once
    call(name, floats(POINTS.get(name, SPECIAL[:8]), bf16), rtol=0.05)
    call(name, floats(POINTS.get(name, SPECIAL[:8]), np.float16), atol=1e-3)
    if name not in REAL_ONLY:
        smooth = name not in ("sign", "stop_gradient")
        call(name, COMPLEX, grad_args=(0,) if smooth else ())
for name in ("neg", "exp", "round", "abs", "logistic"):
    call(name, np.float32(0.3))
    call(name, np.zeros((0, 2), np.float32))
for name in ("neg", "sign", "square"):
    for dtype in (np.int8, np.uint16, np.int32):
        call(name, np.array([0, 1, -1, 7, -128, 127]).astype(dtype))
call("abs", np.array([0, 1, -1, -128], np.int8))
call("neg", np.arange(-8, 8).astype(ml_dtypes.int4))
case("round-even", lambda lax, x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
     floats([0.5, 1.5, -2.5, 0.49999997, 8388609.0, nan]))  # fmt: skip
call("round", floats([0.5, 1.5, -2.5, 0.49999997, 8388609.0, -0.2]))
call("exp", floats([1.0, 2.0], ml_dtypes.float8_e5m2))
call("logistic", floats([100.0, -80.0, 20.0]), grad_args=(0,))
call("tanh", floats([100.0, -80.0, 20.0]), grad_args=(0,))
case("exp-accuracy", lambda lax, x: lax.exp(x, accuracy=lax.AccuracyMode.HIGHEST),
     floats([0.1, 2.0]), grad_args=(0,))  # fmt: skip

# --- binary functions of floats

GRID = np.array([nan, inf, -inf, 0.0, 1.0, -1.5, 3.0], np.float32)
LEFT, RIGHT = (x.ravel() for x in np.meshgrid(GRID, GRID))
BINARY = words("add sub mul div rem max min pow atan2")
for name in BINARY:
    call(name, LEFT, RIGHT)
    x, y = floats([[0.7], [1.9]]), floats([[1.3, -0.4, 2.6]])
    # axes of size 1 and scalars stretch, and their cotangents are summed
    call(name, x, y, grad_args=(0, 1), order=1)
    call(name, floats([0.7, 1.9]), floats([1.3, -0.4]), grad_args=(0, 1))
    call(name, np.float32(1.7), floats([1.3, 0.4]), grad_args=(0, 1), order=1)
    call(name, floats([1.3, 0.4]), np.float32(1.7), grad_args=(0, 1), order=1)
    call(name, np.zeros((2, 0), np.float32), np.float32(1.7))
    for dtype in (bf16, np.float16):
        call(name, floats([1.5, 2.5, -3.0], dtype), floats([0.5, -1.25, 2.0], dtype))
    if name != "rem":
        order = 1 if name in ("max", "min") else 2
        call(name, COMPLEX, COMPLEX[::-1], grad_args=(0, 1), order=order)
call("nextafter", LEFT, RIGHT)
call("nextafter", floats([1.0, 0.0], bf16), floats([2.0, -1.0], bf16))
call("complex", floats([1.0, nan]), floats([[2.0], [3.0]])[:, 0], grad_args=())
call("complex", floats([1.0, 2.0]), floats([2.0, 3.0]), grad_args=(0, 1))
call("complex", floats([[1.0], [2.0]]), floats([[2.0, 3.0]]), grad_args=(0, 1))
case("mul-out_dtype", lambda lax, x, y: lax.mul(x, y, out_dtype=np.float32),
     floats([300.0], np.float16), floats([300.0], np.float16))  # fmt: skip
for op in (operator.add, operator.mul):  # the tangent of a shared operand
    case(f"shared-{op.__name__}",
         lambda lax, x, op=op: getattr(lax, op.__name__)(x, lax.sin(x)),
         floats([0.3, 1.2]), grad_args=(0,))  # fmt: skip

# --- derivatives at special points, by JAX's conventions


def slope(name, fun, *args):
    """The derivatives of `fun` at points where they are a matter of convention."""

    def derivatives(lax, *xs):
        if lax.__name__.startswith("jaxlike"):
            from jaxlike.transforms.pushforward import jvp
        else:
            from jax import jvp
        ones = [np.ones(np.shape(x), x.dtype) for x in xs]
        zeros = [np.zeros(np.shape(x), x.dtype) for x in xs]
        directions = [
            tuple(ones[j] if i == j else zeros[j] for j in range(len(xs)))
            for i in range(len(xs))
        ]
        f = lambda *xs: fun(lax, *xs)
        return [jvp(f, tuple(xs), direction)[1] for direction in directions]

    case(f"slope-{name}", derivatives, *args, batch_args=())


slope("abs", lambda lax, x: lax.abs(x), floats([0.0, -0.0, nan]))
slope("abs-complex", lambda lax, x: lax.abs(x), np.zeros(2, np.complex64))
slope("max", lambda lax, x, y: lax.max(x, y),
      floats([1, 2, 1, nan, 1, inf]), floats([1, 1, 2, 1, nan, inf]))  # fmt: skip
slope("min", lambda lax, x, y: lax.min(x, y),
      floats([1, 2, 1, nan, 1, inf]), floats([1, 1, 2, 1, nan, inf]))  # fmt: skip
slope("sqrt", lambda lax, x: lax.sqrt(x), floats([0.0, 4.0]))
slope("cbrt", lambda lax, x: lax.cbrt(x), floats([0.0, 8.0]))
slope("pow", lambda lax, x, y: lax.pow(x, y),
      floats([0, 0, 0, 2, -2, 0]), floats([0, 1, 2, 0, 3, 0.5]))  # fmt: skip
slope("pow-int", lambda lax, x: lax.pow(x, np.array([0, 1, 2, 0, -1], np.int32)),
      floats([0, 0, 0, 3, 2]))  # fmt: skip
slope("integer_pow", lambda lax, x: [lax.integer_pow(x, y) for y in (0, 1, 2, 3, -1)],
      floats([0.0, -2.0, inf]))  # fmt: skip
slope("rem", lambda lax, x, y: lax.rem(x, y), floats([5, -5, 4]), floats([3, 3, 2]))
slope("atan2", lambda lax, x, y: lax.atan2(x, y), floats([0, 1]), floats([-1, 0]))
slope("sign", lambda lax, x: lax.sign(x), floats([0, 1]))
slope("logistic", lambda lax, x: lax.logistic(x), floats([1e3, -1e3, 0]))
slope("floor", lambda lax, x: [lax.floor(x), lax.ceil(x), lax.round(x)], floats([1.5]))

# --- powers

for y in (0, 1, 2, 3, 7, -1, -3):
    power = lambda lax, x, y=y: lax.integer_pow(x, y)
    case(f"integer_pow-{y}", power, floats([0.4, -1.3, 2.0]), grad_args=(0,))
    case(f"integer_pow-complex{y}", power, COMPLEX, grad_args=(0,))
    case(f"integer_pow-special{y}", power, floats(SPECIAL[:9]))
    case(f"integer_pow-bf16{y}", power, floats([1.5, -0.3], bf16))
    if y >= 0:
        case(f"integer_pow-int{y}", power, np.array([0, -3, 7, 100], np.int8))
INTS = np.array([0, 3, -2, 5], np.int32)
call("pow", floats([0.0, 1.5, -2.0, nan]), INTS)
call("pow", floats([0.4, 1.5, -2.0, 0.7]), INTS, grad_args=(0,))
call("pow", COMPLEX, INTS, grad_args=(0,))
call("pow", floats([1.5, 2.0], bf16), np.array([2, -1], np.int8))

# --- comparisons

COMPARISONS = words("eq ne lt le gt ge")
for name in COMPARISONS:
    call(name, LEFT, RIGHT)
    call(name, np.array([[1], [2]], np.int16), np.array([[1, 2, 3]], np.int16))
    call(name, np.array([True, False]), np.array([True, True]))
    call(name, floats([1, 2], bf16), np.asarray(floats(2, bf16)))
for name in ("eq", "ne"):
    call(name, COMPLEX, COMPLEX[[0, 2, 1, 3]])
TOTAL = floats([nan, inf, 1.0, 0.0, -0.0, -1.0, -inf, -nan])
X, Y = (x.ravel() for x in np.meshgrid(TOTAL, TOTAL))
for name in ("eq_to_p", "le_to_p", "lt_to_p"):
    for dtype in (np.float32, bf16):
        case(f"{name}-{np.dtype(dtype).name}",
             lambda lax, x, y, name=name: getattr(lax, name).bind(x, y),
             X.astype(dtype), Y.astype(dtype))  # fmt: skip
    case(f"{name}-int",
         lambda lax, x, y, name=name: getattr(lax, name).bind(x, y),
         np.array([1, -2, 3]), np.array([1, 2, -3]))  # fmt: skip

# --- integers: arithmetic that wraps, division by zero, bits

EDGES = [0, 1, -1, 2, 7, -7, 127, -128]
for dtype in (np.int8, np.uint8, np.int32, np.uint32, np.int16):
    values = np.array(EDGES).astype(dtype)
    if dtype == np.int32:
        values[-2:] = [2**31 - 1, -(2**31)]
    a, b = (x.ravel() for x in np.meshgrid(values, values))
    for name in words("add sub mul div rem max min"):
        call(name, a, b)
    for name in words("bitwise_and bitwise_or bitwise_xor mulhi"):
        call(name, a, b)
    for name in words("bitwise_not population_count clz"):
        call(name, values)
    bits = 8 * values.itemsize
    shifts = np.array([0, 1, bits - 1, bits, bits + 1, -1, 100]).astype(dtype)
    a, b = (x.ravel() for x in np.meshgrid(values, shifts))
    for name in words("shift_left shift_right_logical shift_right_arithmetic"):
        call(name, a, b)
NIBBLES = np.arange(-8, 8).astype(ml_dtypes.int4)
for name in words("add mul div rem bitwise_and shift_left shift_right_arithmetic"):
    call(name, NIBBLES, NIBBLES[::-1])
BOOLS = np.array([True, True, False, False]), np.array([True, False, True, False])
for name in words("bitwise_and bitwise_or bitwise_xor max min"):
    call(name, *BOOLS)
call("bitwise_not", BOOLS[0])
call("mulhi", np.array([[2**30], [-5]], np.int32), np.array([[8, -9]], np.int32))

# --- conversions

SOURCES = [
    floats([nan, inf, -inf, 3e9, -3e9, 1.7, -1.7, 300, -129, 0]),
    floats([nan, inf, -inf, 1.7, -1.7, 300, -129, 0], np.float16),
    floats([nan, inf, -inf, 1.7, -1.7, 300, -129, 0], bf16),
    np.array([0, 1, -1, 300, -129, 2**31 - 1, -(2**31)], np.int32),
    np.array([0, 1, 255], np.uint8),
    np.array([True, False]),
    np.arange(-8, 8).astype(ml_dtypes.int4),
    floats([nan, inf, 1.75, -3.0], ml_dtypes.float8_e5m2),
]
TARGETS = words("int8 uint8 int16 int32 uint32 bool float16 float32 complex64")
TARGETS += [bf16, ml_dtypes.int4, ml_dtypes.uint4, ml_dtypes.float8_e4m3fn]
for source in SOURCES:
    case(
        f"convert-{source.dtype.name}",
        lambda lax, x: [lax.convert_element_type(x, np.dtype(t)) for t in TARGETS],
        source,
    )


def convert(new_dtype):
    def fun(lax, x):
        return lax.convert_element_type_p.bind(
            x, new_dtype=np.dtype(new_dtype), weak_type=False
        )

    return fun


COARSE = dict(parity=False, rtol=1e-2, atol=1e-2, grad_args=(0,))
case("convert-complex-real", convert("float32"), COMPLEX, **COARSE)
case("convert-complex-int", convert("int16"), COMPLEX, parity=False)
case("convert-real-complex", convert("complex64"), floats([1.5, -2]), **COARSE)
case("convert-float-float", convert("float32"), floats([1.5, -2.3]), **COARSE, order=1)
for source in (
    floats([[1.5, -2.0], [nan, 0.0]]),
    np.arange(8, dtype=np.int8).reshape(2, 4) * 33,
    np.arange(4, dtype=np.uint16).reshape(2, 2) * 1001,
    np.arange(16).reshape(2, 8).astype(ml_dtypes.int4),
):
    case(
        f"bitcast-{source.dtype.name}",
        lambda lax, x, n=source.shape[-1], bits=0: [
            lax.bitcast_convert_type(x, np.dtype(t))
            for t in ("int8", "float32", "uint16", bf16, ml_dtypes.uint4)
            if _fits(x, np.dtype(t))
        ],
        source,
    )
case("bitcast-scalar", lambda lax, x: lax.bitcast_convert_type(x, np.int8),
     np.float32(1.5))  # fmt: skip


def _fits(x, new_dtype):
    old_bits = 4 if x.dtype == ml_dtypes.int4 else 8 * x.dtype.itemsize
    new_bits = 4 if new_dtype == ml_dtypes.uint4 else 8 * new_dtype.itemsize
    return old_bits >= new_bits or x.shape[-1] * old_bits == new_bits


NUMBERS = floats([1.2345, -1e9, 3e-5, 6.2e-5, 1e-7, nan, inf, -0.0, 1.875])
for exponent, mantissa in ((5, 2), (5, 10), (8, 7), (4, 3), (8, 0), (2, 1), (11, 30)):
    reduce = lambda lax, x, e=exponent, m=mantissa: lax.reduce_precision(x, e, m)
    case(f"reduce_precision-{exponent}-{mantissa}", reduce, NUMBERS)
    case(f"reduce_precision-bf16-{exponent}-{mantissa}", reduce, NUMBERS.astype(bf16))
case("reduce_precision-grad", lambda lax, x: lax.reduce_precision(x, 8, 20),
     floats([1.2, -3.4]), grad_args=(0,), order=1, rtol=0.05)  # fmt: skip

# --- parts of complex numbers, and identities

for name in ("real", "imag", "conj"):
    call(name, COMPLEX, grad_args=(0,))
call("conj", floats([1.5, -2.0]), grad_args=(0,))
case("copy", lambda lax, x: lax.copy_p.bind(x), floats([1, 2]), grad_args=(0,))
case("optimization_barrier",
     lambda lax, x, y: lax.optimization_barrier((lax.sin(x), y, 3)),
     floats([1, 2]), floats([[3.0]]), grad_args=(0, 1))  # fmt: skip
case("stop_gradient-tree", lambda lax, x: lax.stop_gradient([x, x]), floats([1, 2]))
case("stop_gradient-part", lambda lax, x: lax.mul(x, lax.stop_gradient(x)),
     floats([1, 2]))  # fmt: skip
