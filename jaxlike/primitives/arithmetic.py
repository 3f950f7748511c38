"""add, sub, mul, div, rem, neg, sign, abs, max, min: arithmetic of JAX's lax.

Powers and roots are in powers.py, floor and its kin in rounding.py. Integers wrap
silently, division truncates towards zero.
"""

from __future__ import annotations

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives.rules import (
    ANY,
    NUMBER,
    REAL,
    check_dtypes,
    defbilinear,
    defjvp,
    defjvp_with_output,
    deflinear,
    elementwise,
    elementwise_shape,
    scalar_like,
    unbroadcast,
)
from jaxlike.primitives.types import ArrayLike

__all__ = [
    "abs",
    "abs_p",
    "add",
    "add_p",
    "div",
    "div_p",
    "max",
    "max_p",
    "min",
    "min_p",
    "mul",
    "mul_p",
    "neg",
    "neg_p",
    "rem",
    "rem_p",
    "sign",
    "sign_p",
    "sub",
    "sub_p",
]


def in_own_dtype(ufunc):
    """Evaluate by `ufunc`, keeping the operands' dtype (NumPy widens int4 to int8)."""

    def evaluate(*args):
        out = ufunc(*args)
        dtype = args[0].dtype
        return out if out.dtype is dtype else out.astype(dtype)

    return evaluate


# --- neg: -x. Linear.


def _neg_transpose(ct, x):
    return [ct if type(ct) is Zero else neg_p.bind(ct)]


neg_p = elementwise("neg", in_own_dtype(np.negative), NUMBER)
deflinear(neg_p, _neg_transpose)


def neg(x: ArrayLike) -> Array:
    """-x, elementwise, of an integer, float or complex array; integers wrap.

    >>> from jaxlike import lax
    >>> lax.neg(2.0).item()
    -2.0
    """
    return neg_p.bind(x)


# --- add, sub: linear in both operands together


def _add_jvp(primals, tangents):
    x_dot, y_dot = tangents
    out = add_p.bind(*primals)
    if type(x_dot) is Zero or type(y_dot) is Zero:
        return out, _stretched(y_dot if type(x_dot) is Zero else x_dot, out)
    return out, add_p.bind(x_dot, y_dot)


def _stretched(tangent, out):
    """A tangent broadcast to the shape of the result `out` of a stretching op."""
    aval = get_aval(out)
    if type(tangent) is Zero:
        return Zero(aval.to_tangent_aval())
    shape = get_aval(tangent).shape
    if shape == aval.shape:
        return tangent
    from jaxlike.primitives.shapes import broadcast_in_dim

    return broadcast_in_dim(tangent, aval.shape, range(len(shape)))


def _add_transpose(ct, x, y):
    return [
        unbroadcast(x.aval, ct) if is_undefined_primal(x) else None,
        unbroadcast(y.aval, ct) if is_undefined_primal(y) else None,
    ]


add_p = elementwise("add", np.add, NUMBER, nargs=2)
add_p.jvp = _add_jvp
add_p.transpose = _add_transpose


def add(x: ArrayLike, y: ArrayLike) -> Array:
    """x + y, elementwise, of two number arrays of one dtype.

    Scalars and axes of size 1 stretch; integers wrap. Raises TypeError for dtypes
    that differ.

    >>> from jaxlike import lax
    >>> lax.add(1.0, 2.0).item()
    3.0
    """
    return add_p.bind(x, y)


def _sub_jvp(primals, tangents):
    x_dot, y_dot = tangents
    out = sub_p.bind(*primals)
    if type(y_dot) is Zero:
        return out, _stretched(x_dot, out)
    if type(x_dot) is Zero:
        return out, _stretched(neg_p.bind(y_dot), out)
    return out, sub_p.bind(x_dot, y_dot)


def _sub_transpose(ct, x, y):
    ct_x = unbroadcast(x.aval, ct) if is_undefined_primal(x) else None
    ct_y = None
    if is_undefined_primal(y):
        ct_y = _neg_transpose(unbroadcast(y.aval, ct), y)[0]
    return [ct_x, ct_y]


sub_p = elementwise("sub", np.subtract, NUMBER, nargs=2)
sub_p.jvp = _sub_jvp
sub_p.transpose = _sub_transpose


def sub(x: ArrayLike, y: ArrayLike) -> Array:
    """x - y, elementwise, of two number arrays of one dtype.

    Scalars and axes of size 1 stretch; integers wrap. Raises TypeError for dtypes
    that differ.

    >>> from jaxlike import lax
    >>> lax.sub(1.0, 2.0).item()
    -1.0
    """
    return sub_p.bind(x, y)


# --- mul: bilinear


def _mul_shape(x, y, out_dtype=None):
    out = elementwise_shape("mul", (NUMBER, NUMBER), None, True, x, y)
    if out_dtype is None:
        return out
    return out.update(dtype=dtypes.canonicalize_dtype(out_dtype), weak_type=False)


def _mul_evaluate(x, y, out_dtype=None):
    if out_dtype is None:
        return np.multiply(x, y)
    out_dtype = dtypes.canonicalize_dtype(out_dtype)
    return np.multiply(x.astype(out_dtype), y.astype(out_dtype))


def _mul_transpose_lhs(ct, x_aval, y, out_dtype=None):
    return _mul_ct(ct, x_aval, y)


def _mul_transpose_rhs(ct, x, y_aval, out_dtype=None):
    return _mul_ct(ct, y_aval, x)


def _mul_ct(ct, aval, other):
    if type(ct) is Zero:
        return Zero(aval)
    if ct.dtype != aval.dtype:
        from jaxlike.primitives.conversion import convert_element_type

        ct = convert_element_type(ct, aval.dtype)
    return unbroadcast(aval, mul_p.bind(ct, other))


mul_p = elementwise("mul", _mul_evaluate, NUMBER, nargs=2)
mul_p.shape = _mul_shape
defbilinear(mul_p, _mul_transpose_lhs, _mul_transpose_rhs)


def mul(x: ArrayLike, y: ArrayLike, *, out_dtype=None) -> Array:
    """x * y, elementwise, of two number arrays of one dtype.

    Scalars and axes of size 1 stretch; integers wrap. `out_dtype` is the dtype to
    multiply in and to return. Raises TypeError for dtypes that differ.

    >>> from jaxlike import lax
    >>> lax.mul(3.0, 2.0).item()
    6.0
    """
    if out_dtype is not None:
        return mul_p.bind(x, y, out_dtype=out_dtype)
    return mul_p.bind(x, y)


# --- div: x / y, linear in x; d/dy = -x / y**2


def _div_evaluate(x, y):
    kind = x.dtype.kind
    if kind in "fc":
        return np.divide(x, y)
    if kind == "i":
        return _int_div(x, y)
    if kind == "u":
        return _uint_div(x, y)
    if dtypes.issubdtype(x.dtype, np.floating):
        return np.divide(x, y)
    wide = np.int8 if dtypes.issubdtype(x.dtype, np.signedinteger) else np.uint8
    return _div_evaluate(x.astype(wide), y.astype(wide)).astype(x.dtype)


def _int_div(x, y):
    if x.dtype.itemsize < 8:
        # exact: a float64 holds the operands, and the quotient's error is too small
        # to reach an integer; by way of int64, INT_MIN / -1 wraps
        out = np.divide(x, y).astype(np.int64).astype(x.dtype)
    else:
        out = np.floor_divide(x, y)
        inexact = np.subtract(x, np.multiply(out, y)) != 0
        out = out + (inexact & ((x < 0) != (y < 0)))
    if np.count_nonzero(y) == y.size:
        return out
    return np.where(y == 0, x.dtype.type(-1), out)


def _uint_div(x, y):
    out = np.floor_divide(x, y)
    if np.count_nonzero(y) == y.size:
        return out
    return np.where(y == 0, dtypes.iinfo(x.dtype).max, out)


def _div_ct(ct, x, y):
    if type(ct) is Zero:
        return [Zero(x.aval), None]
    return [unbroadcast(x.aval, div_p.bind(ct, y)), None]


def _div_jvp_rhs(t, x, y):
    from jaxlike.primitives.powers import integer_pow

    return mul_p.bind(mul_p.bind(neg_p.bind(t), x), integer_pow(y, -2))


div_p = elementwise("div", _div_evaluate, NUMBER, nargs=2)
defjvp(div_p, lambda t, x, y: div_p.bind(t, y), _div_jvp_rhs)
div_p.transpose = _div_ct


def div(x: ArrayLike, y: ArrayLike) -> Array:
    """x / y, elementwise, of two number arrays of one dtype.

    Integer quotients are rounded towards zero, and division of an integer by zero
    gives -1 (the largest number, if unsigned). Raises TypeError for dtypes that differ.

    >>> from jaxlike import lax
    >>> lax.div(-7, 2).item()
    -3
    """
    return div_p.bind(x, y)


# --- rem: x - y * trunc(x / y), which has the sign of x


def _rem_evaluate(x, y):
    out = np.fmod(x, y)
    kind = x.dtype.kind
    if kind == "f":
        return out
    if kind in "iu" or not dtypes.issubdtype(x.dtype, np.floating):
        if (
            np.count_nonzero(y) != y.size
        ):  # an integer's remainder by zero is the integer
            out = np.where(y == 0, x, out)
        return out if out.dtype is x.dtype else out.astype(x.dtype)
    return out


def _rem_jvp_rhs(t, out, x, y):
    from jaxlike.primitives.rounding import floor

    ratio = div_p.bind(x, y)
    whole = mul_p.bind(sign_p.bind(ratio), floor(abs_p.bind(ratio)))
    return mul_p.bind(neg_p.bind(t), whole)


rem_p = elementwise("rem", _rem_evaluate, REAL, nargs=2)
defjvp_with_output(rem_p, lambda t, out, x, y: _stretched(t, out), _rem_jvp_rhs)


def rem(x: ArrayLike, y: ArrayLike) -> Array:
    """The remainder of x / y with the sign of x, elementwise, of real arrays.

    An integer's remainder by zero is the integer itself, a float's is NaN. Raises
    TypeError for dtypes that differ.

    >>> from jaxlike import lax
    >>> lax.rem(-7, 2).item()
    -1
    """
    return rem_p.bind(x, y)


# --- sign: piecewise constant; x / |x| for complex numbers


def _sign_evaluate(x):
    out = np.sign(x)
    if x.dtype.kind in "iu":
        return out
    if x.dtype.kind == "c" or dtypes.issubdtype(x.dtype, np.integer):
        return out.astype(x.dtype)
    return np.copysign(out, x)  # a negative zero keeps its sign


sign_p = elementwise("sign", _sign_evaluate, NUMBER)
defjvp(sign_p, None)


def sign(x: ArrayLike) -> Array:
    """-1, 0 or 1 by the sign of each number; x / |x| for complex ones, NaN for NaN.

    >>> from jaxlike import lax
    >>> lax.sign(-3.0).item()
    -1.0
    """
    return sign_p.bind(x)


# --- abs: |x|; d = t * sign(x), with 1 at zero; Re(t * conj(x)) / |x| if complex


def _abs_shape(x):
    check_dtypes("abs", (NUMBER,), (x,))
    if dtypes.issubdtype(x.dtype, np.unsignedinteger):
        raise TypeError(
            format_error(
                f"abs does not accept dtype {x.dtype}. Accepted dtypes are subtypes "
                "of floating, complexfloating, signedinteger."
            )
        )
    return x.update(dtype=dtypes.to_real_dtype(x.dtype))


def _abs_evaluate(x):
    out = np.abs(x)
    if out.dtype is x.dtype or x.dtype.kind == "c":
        return out
    return out.astype(x.dtype)


def _abs_jvp(t, out, x):
    from jaxlike.primitives.comparison import eq, ge
    from jaxlike.primitives.complexes import conj, real
    from jaxlike.primitives.conversion import convert_element_type
    from jaxlike.primitives.selection import select_n

    aval = get_aval(x)
    if not dtypes.issubdtype(aval.dtype, np.complexfloating):
        return select_n(ge(x, scalar_like(x, 0.0)), neg_p.bind(t), t)
    # at zero the result is zero, since conj(x) is
    safe = add_p.bind(out, convert_element_type(eq(x, scalar_like(x, 0j)), out.dtype))
    unit = div_p.bind(conj(x), convert_element_type(safe, aval.dtype))
    return real(mul_p.bind(t, unit))


abs_p = elementwise("abs", _abs_evaluate, NUMBER)
abs_p.shape = _abs_shape
defjvp_with_output(abs_p, _abs_jvp)


def abs(x: ArrayLike) -> Array:
    """|x|, elementwise, of a signed integer, float or complex array.

    The most negative integer stays as it is. The derivative at zero is 1 for real
    numbers. Raises TypeError for bool and unsigned integers.

    >>> from jaxlike import lax
    >>> lax.abs(3 + 4j).item()
    5.0
    """
    return abs_p.bind(x)


# --- max, min: ties share the derivative half and half


def _extremum(name, ufunc, takes_first):
    def evaluate(x, y):
        if x.dtype.kind == "c":  # lexicographic order; NaN compares as false
            first = takes_first(x.real, y.real) | (
                (x.real == y.real) & takes_first(x.imag, y.imag)
            )
            return np.where(first, x, y)
        out = ufunc(x, y)
        return out if out.dtype is x.dtype else out.astype(x.dtype)

    primitive = elementwise(name, evaluate, ANY, nargs=2)

    def share(out, x, y):
        """1 where x is the result, 1/2 where y is as well."""
        from jaxlike.primitives.comparison import eq
        from jaxlike.primitives.conversion import convert

        aval = get_aval(out)
        taken = convert(eq(x, out), aval.dtype, aval.weak_type)
        tie = convert(eq(x, y), aval.dtype, aval.weak_type)
        return sub(taken, mul(tie, scalar_like(out, 0.5)))

    defjvp_with_output(
        primitive,
        lambda t, out, x, y: mul_p.bind(t, share(out, x, y)),
        lambda t, out, x, y: mul_p.bind(t, share(out, y, x)),
    )
    return primitive


max_p = _extremum("max", np.maximum, np.greater)
min_p = _extremum("min", np.minimum, np.less)


def max(x: ArrayLike, y: ArrayLike) -> Array:
    """The larger of x and y, elementwise; NaN where either is; complex by real part.

    Where both are equal each gets half of the derivative. Raises TypeError for dtypes
    that differ.

    >>> from jaxlike import lax
    >>> lax.max(1.0, 2.0).item()
    2.0
    """
    return max_p.bind(x, y)


def min(x: ArrayLike, y: ArrayLike) -> Array:
    """The smaller of x and y, elementwise; NaN where either is; complex by real part.

    Where both are equal each gets half of the derivative. Raises TypeError for dtypes
    that differ.

    >>> from jaxlike import lax
    >>> lax.min(1.0, 2.0).item()
    1.0
    """
    return min_p.bind(x, y)
