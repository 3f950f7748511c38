"""The scalar operations of the loop-nest IR: names, arities, result dtypes, costs.

Names and meaning are the jaxpr primitives' (add, div, select_n ...). What an operation
does to one element is defined in words here, exactly in `interpret.py`, and natively in
the emitters. Read `ir.py` first.
"""

import ml_dtypes
import numpy as np

from jaxlike.backends.plan.records import record

BOOL = np.dtype(np.bool_)
INDEX = np.dtype(np.int64)
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

_NAMES = {
    BOOL: "bool",
    BFLOAT16: "bf16",
    np.dtype(np.float16): "f16",
    np.dtype(np.float32): "f32",
    np.dtype(np.float64): "f64",
    np.dtype(np.complex64): "c64",
    np.dtype(np.complex128): "c128",
    **{np.dtype(f"int{n}"): f"i{n}" for n in (8, 16, 32, 64)},
    **{np.dtype(f"uint{n}"): f"u{n}" for n in (8, 16, 32, 64)},
}
DTYPES = frozenset(_NAMES)
"""Every dtype a kernel may use; a cluster with another dtype is a library call."""


def dtype_name(dtype: np.dtype) -> str:
    """The short name of a dtype, as the printer shows it: f32, i64, bf16, bool."""
    return _NAMES.get(dtype) or dtype.name


def kind(dtype: np.dtype) -> str:
    """One letter for a dtype: b bool, i signed, u unsigned, f float, c complex."""
    return "f" if dtype == BFLOAT16 else dtype.kind


def real_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of one component: float32 for complex64, itself when real."""
    if dtype.kind != "c":
        return dtype
    return np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)


def compute_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype arithmetic happens in: float32 for the two 16-bit floats."""
    if dtype == BFLOAT16 or dtype == np.float16:
        return np.dtype(np.float32)
    return dtype


@record
class OpSpec:
    """One scalar operation.

    arity: operand count (-1: any). kinds: dtype kinds of the operands it takes.
    result: "same" as operand 0, "bool", "real" (component dtype), "any" (the Op says).
    cost: rough nanosecond/10 weight per element, for planning and threading.
    params: names of the static parameters an Op must carry.
    """

    arity: int
    kinds: str
    result: str = "same"
    cost: int = 1
    params: tuple[str, ...] = ()


_ARITH, _FLOAT, _INT, _BITS = "iufc", "fc", "iu", "biu"

OPS: dict[str, OpSpec] = {
    # Arithmetic. Integers wrap; x / 0 is -1 (all ones), x rem 0 is x, min / -1 is min.
    **dict.fromkeys(("add", "sub", "mul"), OpSpec(2, _ARITH)),
    "div": OpSpec(2, _ARITH, cost=4),
    "rem": OpSpec(2, "iuf", cost=8),
    "neg": OpSpec(1, _ARITH),
    "abs": OpSpec(1, _ARITH, "real"),
    "sign": OpSpec(1, _ARITH, cost=2),
    "square": OpSpec(1, _ARITH),
    "integer_pow": OpSpec(1, _ARITH, cost=2, params=("y",)),
    "pow": OpSpec(2, _FLOAT, cost=30),
    # NaN wins; complex compares lexicographically; bool is or / and.
    **dict.fromkeys(("max", "min"), OpSpec(2, "biufc")),
    "clamp": OpSpec(3, "biuf", cost=2),  # (lower, x, upper)
    # Comparisons and selection.
    **dict.fromkeys(("eq", "ne"), OpSpec(2, "biufc", "bool")),
    **dict.fromkeys(("lt", "le", "gt", "ge"), OpSpec(2, "biufc", "bool")),
    "select_n": OpSpec(-1, "biufc", "any"),  # (which, case0, case1, ...)
    "is_finite": OpSpec(1, "f", "bool"),
    # Bits. A shift by the width or more gives 0, or the sign for the arithmetic one.
    **dict.fromkeys(("and", "or", "xor"), OpSpec(2, _BITS)),
    "not": OpSpec(1, _BITS),
    **dict.fromkeys(
        ("shift_left", "shift_right_logical", "shift_right_arithmetic"), OpSpec(2, _INT)
    ),
    **dict.fromkeys(("population_count", "clz"), OpSpec(1, _INT, cost=2)),
    # Threefry-2x32 of key words k0, k1 and counter words x0, x1, all uint32: output
    # word 0, word 1, or (2) both xored.
    "threefry_word": OpSpec(4, "u", cost=60, params=("word",)),
    # Conversions: to the Op's dtype. Float to int truncates and saturates, NaN is 0.
    "convert_element_type": OpSpec(1, "biufc", "any"),
    "bitcast_convert_type": OpSpec(1, "iuf", "any"),  # equal widths
    "reduce_precision": OpSpec(1, "f", params=("exponent_bits", "mantissa_bits")),
    "copy": OpSpec(1, "biufc"),
    "complex": OpSpec(2, "f", "any"),
    **dict.fromkeys(("real", "imag"), OpSpec(1, "c", "real")),
    "conj": OpSpec(1, "c"),
    # Rounding. rounding_method: 0 half away from zero, 1 half to even.
    **dict.fromkeys(("floor", "ceil"), OpSpec(1, "f")),
    "round": OpSpec(1, "f", params=("rounding_method",)),
    "nextafter": OpSpec(2, "f", cost=3),
    # Transcendental.
    "sqrt": OpSpec(1, _FLOAT, cost=6),
    "rsqrt": OpSpec(1, _FLOAT, cost=8),
    **dict.fromkeys(("cbrt", "exp2", "log2"), OpSpec(1, "f", cost=10)),
    **dict.fromkeys(
        ("exp", "expm1", "log", "log1p", "logistic", "tanh", "sinh", "cosh"),
        OpSpec(1, _FLOAT, cost=12),
    ),
    **dict.fromkeys(("sin", "cos", "tan"), OpSpec(1, _FLOAT, cost=15)),
    **dict.fromkeys(
        ("asin", "acos", "atan", "asinh", "acosh", "atanh"), OpSpec(1, _FLOAT, cost=15)
    ),
    "atan2": OpSpec(2, "f", cost=18),
    **dict.fromkeys(("erf", "erfc", "erf_inv"), OpSpec(1, "f", cost=15)),
    **dict.fromkeys(("lgamma", "digamma"), OpSpec(1, "f", cost=80)),
}

COMPLEX_UNSUPPORTED = frozenset(("asin", "acos", "atan", "asinh", "acosh", "atanh"))
"""Operations that JAX defines on complex numbers and kernels do not."""

REDUCTIONS: dict[str, str] = {
    "add": _ARITH,
    "mul": _ARITH,
    "max": "biuf",
    "min": "biuf",
    "and": _BITS,
    "or": _BITS,
    "xor": _BITS,
    "argmax": "iuf",
    "argmin": "iuf",
}
"""Reduction names and the dtype kinds they take."""


PREFIXES: dict[str, str] = {
    **dict.fromkeys(("add", "mul"), _ARITH),
    **dict.fromkeys(("max", "min"), "iuf"),
    "logaddexp": "f",
}
"""Running accumulations and the dtype kinds they take (no 16-bit floats)."""


def supported(name: str, dtype: np.dtype) -> bool:
    """Whether a kernel may hold operation `name` on operands of `dtype`.

    >>> supported("exp", np.dtype(np.float32)), supported("exp", np.dtype(np.int32))
    (True, False)
    """
    spec = OPS.get(name)
    if spec is None or dtype not in DTYPES or kind(dtype) not in spec.kinds:
        return False
    if name == "threefry_word":
        return dtype == np.uint32
    return kind(dtype) != "c" or name not in COMPLEX_UNSUPPORTED


def identity(name: str, dtype: np.dtype):
    """The value an accumulation starts from, as a scalar of `dtype`.

    >>> identity("max", np.dtype(np.int8))
    np.int8(-128)
    """
    if name in ("add", "or", "xor"):
        return dtype.type(0)
    if name == "logaddexp":
        return dtype.type(-np.inf)
    if name == "mul":
        return dtype.type(1)
    if name == "and":
        return dtype.type(True) if dtype == BOOL else np.invert(dtype.type(0))
    low = name in ("max", "argmax")
    if dtype == BOOL:
        return dtype.type(not low)
    if kind(dtype) in "iu":
        info = np.iinfo(dtype)
        return dtype.type(info.min if low else info.max)
    return dtype.type(-np.inf if low else np.inf)
