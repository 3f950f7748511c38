"""Less common elementwise functions: hypot, copysign, frexp, ldexp, modf, gcd, sinc,
i0, nan_to_num and the like."""

from __future__ import annotations

import math

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace
from jaxlike.numpy.checks import isinf, isnan, isneginf, isposinf, signbit
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    as_array,
    broadcast_args,
    check_arraylike,
    convert,
    dtype_of,
    is_complex,
    promote_args,
    promote_args_inexact,
    promote_shapes,
    scalar_like,
    to_arrays,
)
from jaxlike.numpy.searching import where
from jaxlike.primitives import (
    arithmetic,
    bitwise,
    comparison,
    complexes,
    conversion,
    powers,
    rounding,
    transcendental,
)
from jaxlike.primitives.broadcasting import full_like
from jaxlike.transforms.custom_jvp import custom_jvp

__all__ = [
    "copysign",
    "fmax",
    "fmin",
    "frexp",
    "gcd",
    "heaviside",
    "hypot",
    "i0",
    "lcm",
    "ldexp",
    "modf",
    "nan_to_num",
    "sinc",
    "spacing",
]


def _equals(x, value) -> Array:
    return comparison.eq(x, scalar_like(x, value))


@composite_of(2)
def hypot(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """sqrt(x1**2 + x2**2), elementwise, without overflow, of real numbers.

    Raises: ValueError for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.hypot(3.0, 4.0).item()
    5.0
    """
    x1, x2 = promote_args_inexact("hypot", x1, x2)
    if is_complex(x1):
        raise ValueError(
            format_error("hypot takes real numbers", try_="jnp.abs(x) of each first")
        )
    x1, x2 = arithmetic.abs(x1), arithmetic.abs(x2)
    infinite = bitwise.bitwise_or(_equals(x1, np.inf), _equals(x2, np.inf))
    greater, lesser = arithmetic.max(x1, x2), arithmetic.min(x1, x2)
    zero = _equals(greater, 0)
    one = scalar_like(greater, 1)
    ratio = arithmetic.div(lesser, where(zero, one, greater))
    root = powers.sqrt(arithmetic.add(one, powers.square(ratio)))
    out = where(zero, greater, arithmetic.mul(greater, root))
    return where(infinite, scalar_like(out, np.inf), out)


@composite_of(2)
def copysign(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """x1 with the sign of x2, elementwise, of real numbers.

    Raises: TypeError for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.copysign(3.0, -0.0).item()
    -3.0
    """
    x1, x2 = promote_args_inexact("copysign", x1, x2)
    if is_complex(x1):
        raise TypeError(format_error("copysign takes real numbers"))
    size = arithmetic.abs(x1)
    return where(signbit(x2), arithmetic.neg(size), size)


@composite_of(2)
def heaviside(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """0 where x1 < 0, 1 where x1 > 0 and x2 where x1 is 0, elementwise.

    >>> import jaxlike.numpy as jnp
    >>> jnp.heaviside(jnp.array([-1.0, 0.0, 2.0]), 0.5).tolist()
    [0.0, 0.5, 1.0]
    """
    x1, x2 = promote_args_inexact("heaviside", x1, x2)
    zero, one = scalar_like(x1, 0), scalar_like(x1, 1)
    at_zero = where(comparison.ne(x1, x1), x1, x2)
    positive = where(comparison.gt(x1, zero), one, at_zero)
    return where(comparison.lt(x1, zero), zero, positive)


@composite_of(2)
def fmax(x1: ArrayLike, x2: ArrayLike) -> Array:
    """The greater of x1 and x2, elementwise; the other one where one is NaN.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fmax(jnp.array([1.0, jnp.nan]), 0.5).tolist()
    [1.0, 0.5]
    """
    from jaxlike.numpy.binary import greater
    from jaxlike.numpy.ufuncs import logical_or

    return where(logical_or(greater(x1, x2), isnan(x2)), x1, x2)


@composite_of(2)
def fmin(x1: ArrayLike, x2: ArrayLike) -> Array:
    """The lesser of x1 and x2, elementwise; the other one where one is NaN.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fmin(jnp.array([1.0, jnp.nan]), 2.5).tolist()
    [1.0, 2.5]
    """
    from jaxlike.numpy.binary import less
    from jaxlike.numpy.ufuncs import logical_or

    return where(logical_or(less(x1, x2), isnan(x2)), x1, x2)


# --- parts of floats


@composite_of(1)
def modf(x: ArrayLike, /, out=None) -> tuple[Array, Array]:
    """The fractional and the whole part of real numbers, elementwise, as floats.

    >>> import jaxlike.numpy as jnp
    >>> [part.item() for part in jnp.modf(-2.5)]
    [-0.5, -2.0]
    """
    check_arraylike("modf", x)
    [x] = promote_args_inexact("modf", x)
    if out is not None:
        raise NotImplementedError(format_error("modf takes no out"))
    up = comparison.ge(x, scalar_like(x, 0))
    whole = where(up, rounding.floor(x), rounding.ceil(x))
    return arithmetic.sub(x, whole), whole


def _float_format(dtype) -> tuple[int, int, int]:
    """Bits of the mantissa, mask of the exponent, and the exponent's bias."""
    info = dtypes.finfo(dtype)
    return info.nmant, (1 << info.nexp) - 1, (1 << (info.nexp - 1)) - 1


@composite_of(1)
def frexp(x: ArrayLike, /) -> tuple[Array, Array]:
    """Mantissas in (-1, 1) and exponents with x = mantissa * 2**exponent, elementwise.

    Raises: TypeError for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> [part.item() for part in jnp.frexp(6.0)]
    [0.75, 3]
    """
    check_arraylike("frexp", x)
    [x] = promote_args_inexact("frexp", x)
    if is_complex(x):
        raise TypeError(format_error("frexp takes real numbers"))
    x = as_array(x)
    mantissa, exponent = _frexp(convert(x, x.dtype))
    return mantissa, convert(exponent, np.dtype("int32"))


@custom_jvp
def _frexp(x):
    dtype = x.dtype
    if dtype.itemsize < 2:
        wide, exponent = _frexp(convert(x, np.dtype("float32")))
        return convert(wide, dtype), exponent
    nmant, mask, bias = _float_format(dtype)
    word = np.dtype(f"int{dtypes.itemsize_bits(dtype)}")
    tiny = comparison.lt(
        arithmetic.abs(x), scalar_like(x, float(dtypes.finfo(dtype).smallest_normal))
    )
    # subnormal numbers have no exponent of their own until they are scaled up
    scaled = where(tiny, arithmetic.mul(x, scalar_like(x, float(2**nmant))), x)
    shift = where(tiny, np.array(-nmant, word), np.array(0, word))
    bits = conversion.bitcast_convert_type(scaled, word)
    field = bitwise.bitwise_and(
        bitwise.shift_right_arithmetic(bits, np.array(nmant, word)),
        np.array(mask, word),
    )
    exponent = arithmetic.add(shift, arithmetic.sub(field, np.array(bias - 1, word)))
    kept = np.array(~(mask << nmant), word)
    half = np.array((bias - 1) << nmant, word)
    mantissa = conversion.bitcast_convert_type(
        bitwise.bitwise_or(bitwise.bitwise_and(bits, kept), half), dtype
    )
    special = bitwise.bitwise_or(bitwise.bitwise_or(isinf(x), isnan(x)), _equals(x, 0))
    exponent = where(special, full_like(exponent, 0), exponent)
    return where(special, x, mantissa), exponent


@_frexp.defjvp
def _frexp_jvp(primals, tangents):
    [x], [t] = primals, tangents
    mantissa, exponent = _frexp(x)
    scale = powers.pow(scalar_like(x, 2.0), convert(arithmetic.neg(exponent), x.dtype))
    mantissa_dot = arithmetic.mul(t, where(isinf(x), scalar_like(x, 1), scale))
    return (mantissa, exponent), (mantissa_dot, np.zeros(x.shape, dtypes.float0))


@composite_of(2)
def ldexp(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """x1 * 2**x2, elementwise, of real x1 and integer x2.

    Raises: ValueError for complex x1 or inexact x2.

    >>> import jaxlike.numpy as jnp
    >>> jnp.ldexp(3.0, 2).item()
    12.0
    """
    check_arraylike("ldexp", x1, x2)
    if is_complex(x1) or dtypes.issubdtype(dtype_of(x2), np.inexact):
        raise ValueError(
            format_error(
                "ldexp takes a real number and an integer, got "
                f"{(dtype_of(x1), dtype_of(x2))}"
            )
        )
    [x1] = promote_args_inexact("ldexp", x1)
    x1 = as_array(x1)
    dtype = x1.dtype
    x1, x2 = promote_shapes("ldexp", convert(x1, dtype), convert(x2, dtype))
    mantissa, exponent = frexp(x1)
    exponent = arithmetic.add(convert(exponent, dtype), x2)
    # 2**exponent alone may overflow where the product does not
    positive = comparison.gt(exponent, scalar_like(exponent, 0))
    two = scalar_like(mantissa, 2)
    mantissa = where(positive, arithmetic.mul(mantissa, two), mantissa)
    less = arithmetic.sub(exponent, scalar_like(exponent, 1))
    exponent = where(positive, less, exponent)
    out = arithmetic.mul(mantissa, powers.pow(two, exponent))
    return where(bitwise.bitwise_or(isinf(x1), _equals(x1, 0)), x1, out)


@composite_of(1)
def spacing(x: ArrayLike, /) -> Array:
    """The distance from each number to the next float away from zero.

    Raises: ValueError for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> bool(jnp.spacing(1.0) == jnp.finfo("float32").eps)
    True
    """
    check_arraylike("spacing", x)
    if is_complex(x):
        raise ValueError(format_error("spacing takes real numbers"))
    [x] = promote_args_inexact("spacing", x)
    x = as_array(x)
    x = convert(x, x.dtype)
    away = copysign(np.array(np.inf, x.dtype), x)
    out = arithmetic.sub(rounding.nextafter(x, away), x)
    least = np.array(dtypes.finfo(x.dtype).smallest_subnormal, x.dtype)
    return where(_equals(out, 0), copysign(least, x), out)


# --- integers


def _integers(name: str, x1, x2):
    check_arraylike(name, x1, x2)
    x1, x2 = promote_args(name, x1, x2)
    if not dtypes.issubdtype(dtype_of(x1), np.integer):
        raise ValueError(
            format_error(f"Arguments to jax.numpy.{name} must be integers.")
        )
    return broadcast_args(as_array(x1), as_array(x2))


def _size(x):
    if dtypes.issubdtype(x.dtype, np.unsignedinteger):
        return x
    return arithmetic.abs(x)


def gcd(x1: ArrayLike, x2: ArrayLike) -> Array:
    """The greatest common divisor, elementwise, of integers.

    Raises: ValueError for other dtypes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.gcd(jnp.array([12, 7]), 18).tolist()
    [6, 1]
    """
    from jaxlike.control_flow.while_loop import while_loop
    from jaxlike.numpy import reductions

    x1, x2 = _integers("gcd", x1, x2)
    if type(x1) is Array and type(x2) is Array and state.trace is eval_trace:
        if x1.aval.dtype.kind in "iu":
            out = np.asarray(np.gcd(x1._data, x2._data))
            weak = x1.weak_type and not x1.ndim
            return Array(out, x1.aval.update(weak_type=weak))

    def unfinished(pair):
        return reductions.any(comparison.ne(pair[1], scalar_like(pair[1], 0)))

    def step(pair):
        a, b = pair
        go = comparison.ne(b, scalar_like(b, 0))
        safe = where(go, b, scalar_like(b, 1))
        return where(go, b, a), where(go, arithmetic.rem(a, safe), b)

    return while_loop(unfinished, step, (_size(x1), _size(x2)))[0]


def lcm(x1: ArrayLike, x2: ArrayLike) -> Array:
    """The least common multiple, elementwise, of integers; 0 where one is 0.

    Raises: ValueError for other dtypes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.lcm(jnp.array([4, 0]), 6).tolist()
    [12, 0]
    """
    x1, x2 = _integers("lcm", x1, x2)
    x1, x2 = _size(x1), _size(x2)
    common = gcd(x1, x2)
    none = _equals(common, 0)
    safe = where(none, scalar_like(common, 1), common)
    product = arithmetic.mul(x1, arithmetic.div(x2, safe))
    return where(none, scalar_like(product, 0), product)


# --- others


@composite_of(1)
def nan_to_num(
    x: ArrayLike,
    copy: bool = True,
    nan: ArrayLike = 0.0,
    posinf: ArrayLike | None = None,
    neginf: ArrayLike | None = None,
) -> Array:
    """NaN and infinities replaced by numbers, elementwise.

    Args: `nan`, in place of NaN; `posinf` and `neginf`, in place of infinities, by
    default the greatest and the least finite number. `copy` has no effect.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nan_to_num(jnp.array([1.0, jnp.nan]), nan=-1).tolist()
    [1.0, -1.0]
    """
    del copy
    [x] = to_arrays("nan_to_num", x)
    dtype = x.dtype
    if not dtypes.issubdtype(dtype, np.inexact):
        return x
    if is_complex(x):
        return complexes.complex(
            nan_to_num(complexes.real(x), nan=nan, posinf=posinf, neginf=neginf),
            nan_to_num(complexes.imag(x), nan=nan, posinf=posinf, neginf=neginf),
        )
    info = dtypes.finfo(dtype)
    posinf = np.array(info.max, dtype) if posinf is None else posinf
    neginf = np.array(info.min, dtype) if neginf is None else neginf
    out = where(isnan(x), convert(as_array(nan), dtype), x)
    out = where(isposinf(out), convert(as_array(posinf), dtype), out)
    return where(isneginf(out), convert(as_array(neginf), dtype), out)


@composite_of(1)
def sinc(x: ArrayLike, /) -> Array:
    """sin(pi x) / (pi x), elementwise; 1 at zero, where all derivatives are right too.

    >>> import jaxlike.numpy as jnp
    >>> jnp.sinc(0.0).item()
    1.0
    """
    check_arraylike("sinc", x)
    [x] = promote_args_inexact("sinc", x)
    zero = _equals(x, 0)
    turned = arithmetic.mul(scalar_like(x, math.pi), x)
    safe = where(zero, scalar_like(x, 1), turned)
    quotient = arithmetic.div(transcendental.sin(safe), safe)
    return where(zero, _sinc_at_zero(0)(turned), quotient)


def _sinc_at_zero(order: int):
    """The derivative of this order of sin(x) / x, near zero alone.

    It is 0 for odd orders and (-1)**(order / 2) / (order + 1) for even ones.
    """

    @custom_jvp
    def derivative(x):
        value = 0.0 if order % 2 else (-1.0) ** (order // 2) / (order + 1)
        # an infinite x stays NaN, as in the quotient
        constant = arithmetic.mul(x, scalar_like(x, 0))
        return arithmetic.add(constant, scalar_like(x, value))

    @derivative.defjvp
    def jvp(primals, tangents):
        [x], [t] = primals, tangents
        slope = _sinc_at_zero(order + 1)
        return derivative(x), arithmetic.mul(slope(x), t)

    return derivative


@composite_of(1)
def i0(x: ArrayLike) -> Array:
    """The modified Bessel function of the first kind of order 0, elementwise.

    Raises: ValueError for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.i0(0.0).item()
    1.0
    """
    check_arraylike("i0", x)
    if is_complex(x):
        raise ValueError(format_error(f"i0 takes real numbers, got {dtype_of(x)}"))
    [x] = promote_args_inexact("i0", x)
    return _i0(x)


@custom_jvp
def _i0(x):
    from jaxlike.primitives.special_bessel import bessel_i0e

    size = arithmetic.abs(x)
    return arithmetic.mul(transcendental.exp(size), bessel_i0e(size))


@_i0.defjvp
def _i0_jvp(primals, tangents):
    from jaxlike.primitives.special_bessel import bessel_i1e

    [x], [t] = primals, tangents
    # the derivative is I1, an odd function
    size = arithmetic.abs(x)
    slope = arithmetic.mul(transcendental.exp(size), bessel_i1e(size))
    slope = arithmetic.mul(arithmetic.sign(x), slope)
    return _i0(x), arithmetic.mul(slope, t)
