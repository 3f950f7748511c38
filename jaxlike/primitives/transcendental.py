"""exp, log, sin, tanh, logistic and their kin: elementary transcendental functions.

`accuracy` is JAX's hint of how precise an approximation must be; it is recorded in the
equation, and every evaluation here is precise enough to meet it.
"""

from __future__ import annotations

import numpy as np

from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.primitives.arithmetic import add, div, mul, mul_p, neg, sub
from jaxlike.primitives.powers import reciprocal, rsqrt, square, with_accuracy
from jaxlike.primitives.rules import (
    INEXACT,
    defjvp,
    defjvp_with_output,
    dtype_kind,
    elementwise,
    scalar_like,
)
from jaxlike.primitives.types import ArrayLike

__all__ = [
    "acos",
    "acos_p",
    "acosh",
    "acosh_p",
    "asin",
    "asin_p",
    "asinh",
    "asinh_p",
    "atan",
    "atan2",
    "atan2_p",
    "atan_p",
    "atanh",
    "atanh_p",
    "cos",
    "cos_p",
    "cosh",
    "cosh_p",
    "exp",
    "exp2",
    "exp2_p",
    "exp_p",
    "expm1",
    "expm1_p",
    "log",
    "log1p",
    "log1p_p",
    "log_p",
    "logistic",
    "logistic_p",
    "sin",
    "sin_p",
    "sinh",
    "sinh_p",
    "tan",
    "tan_p",
    "tanh",
    "tanh_p",
]


def _by_ufunc(name, ufunc):
    return elementwise(name, lambda x, accuracy=None: ufunc(x), INEXACT)


def _one(x):
    return scalar_like(x, 1.0)


def _narrow_to_float32(function):
    """Evaluate a formula of several roundings in float32 for narrower dtypes."""

    def evaluate(x, accuracy=None):
        if x.dtype.itemsize >= 4:
            return function(x)
        return function(x.astype(np.float32)).astype(x.dtype)

    return evaluate


# --- exponentials and logarithms

exp_p = _by_ufunc("exp", np.exp)
exp2_p = _by_ufunc("exp2", np.exp2)
expm1_p = _by_ufunc("expm1", np.expm1)
log_p = _by_ufunc("log", np.log)
log1p_p = _by_ufunc("log1p", np.log1p)

defjvp_with_output(exp_p, lambda t, out, x, accuracy=None: mul_p.bind(t, out))
defjvp_with_output(
    exp2_p,
    lambda t, out, x, accuracy=None: mul_p.bind(
        t, mul(scalar_like(x, float(np.log(2.0))), out)
    ),
)
defjvp_with_output(
    expm1_p, lambda t, out, x, accuracy=None: mul_p.bind(t, add(out, _one(x)))
)
defjvp(log_p, lambda t, x, accuracy=None: div(t, x))
defjvp(log1p_p, lambda t, x, accuracy=None: div(t, add(x, _one(x))))


def exp(x: ArrayLike, *, accuracy=None) -> Array:
    """e ** x, elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.exp(0.0).item()
    1.0
    """
    return with_accuracy(exp_p, x, accuracy)


def exp2(x: ArrayLike, *, accuracy=None) -> Array:
    """2 ** x, elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.exp2(3.0).item()
    8.0
    """
    return with_accuracy(exp2_p, x, accuracy)


def expm1(x: ArrayLike, *, accuracy=None) -> Array:
    """e ** x - 1, elementwise and precise near zero, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.expm1(0.0).item()
    0.0
    """
    return with_accuracy(expm1_p, x, accuracy)


def log(x: ArrayLike, *, accuracy=None) -> Array:
    """The natural logarithm, elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.log(1.0).item()
    0.0
    """
    return with_accuracy(log_p, x, accuracy)


def log1p(x: ArrayLike, *, accuracy=None) -> Array:
    """log(1 + x), elementwise and precise near zero, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.log1p(0.0).item()
    0.0
    """
    return with_accuracy(log1p_p, x, accuracy)


# --- trigonometric functions

sin_p = _by_ufunc("sin", np.sin)
cos_p = _by_ufunc("cos", np.cos)
tan_p = _by_ufunc("tan", np.tan)
asin_p = _by_ufunc("asin", np.arcsin)
acos_p = _by_ufunc("acos", np.arccos)
atan_p = _by_ufunc("atan", np.arctan)

defjvp(
    sin_p, lambda t, x, accuracy=None: mul_p.bind(t, with_accuracy(cos_p, x, accuracy))
)
defjvp(
    cos_p,
    lambda t, x, accuracy=None: neg(mul_p.bind(t, with_accuracy(sin_p, x, accuracy))),
)
defjvp_with_output(
    tan_p, lambda t, out, x, accuracy=None: mul_p.bind(t, add(_one(x), square(out)))
)
defjvp(asin_p, lambda t, x: mul_p.bind(t, rsqrt(sub(_one(x), square(x)))))
defjvp(acos_p, lambda t, x: mul_p.bind(t, neg(rsqrt(sub(_one(x), square(x))))))
defjvp(atan_p, lambda t, x: div(t, add(_one(x), square(x))))


def sin(x: ArrayLike, *, accuracy=None) -> Array:
    """The sine, elementwise, of a float or complex array in radians.

    >>> from jaxlike import lax
    >>> lax.sin(0.0).item()
    0.0
    """
    return with_accuracy(sin_p, x, accuracy)


def cos(x: ArrayLike, *, accuracy=None) -> Array:
    """The cosine, elementwise, of a float or complex array in radians.

    >>> from jaxlike import lax
    >>> lax.cos(0.0).item()
    1.0
    """
    return with_accuracy(cos_p, x, accuracy)


def tan(x: ArrayLike, *, accuracy=None) -> Array:
    """The tangent, elementwise, of a float or complex array in radians.

    >>> from jaxlike import lax
    >>> lax.tan(0.0).item()
    0.0
    """
    return with_accuracy(tan_p, x, accuracy)


def asin(x: ArrayLike) -> Array:
    """The inverse sine, elementwise, of a float or complex array; NaN outside [-1, 1].

    >>> from jaxlike import lax
    >>> lax.asin(0.0).item()
    0.0
    """
    return asin_p.bind(x)


def acos(x: ArrayLike) -> Array:
    """The inverse cosine, elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.acos(1.0).item()
    0.0
    """
    return acos_p.bind(x)


def atan(x: ArrayLike) -> Array:
    """The inverse tangent, elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.atan(0.0).item()
    0.0
    """
    return atan_p.bind(x)


# --- atan2: the angle of the point (y, x); for complex x and y, its continuation


def _atan2_evaluate(x, y):
    if x.dtype.kind != "c":
        return np.arctan2(x, y)
    unit = (y + x * x.dtype.type(1j)) / np.sqrt(x * x + y * y)
    return (np.log(unit) * x.dtype.type(-1j)).astype(x.dtype)


def _atan2_slope(t, x, y):
    return mul_p.bind(t, div(y, add(square(x), square(y))))


atan2_p = elementwise("atan2", _atan2_evaluate, INEXACT, nargs=2)
defjvp(
    atan2_p,
    lambda t, x, y: _atan2_slope(t, x, y),
    lambda t, x, y: _atan2_slope(neg(t), y, x),
)


def atan2(x: ArrayLike, y: ArrayLike) -> Array:
    """The angle of the point (y, x), elementwise: atan(x / y) in the right quadrant.

    Takes float or complex arrays of one dtype. Raises TypeError for dtypes that differ.

    >>> from jaxlike import lax
    >>> lax.atan2(0.0, 1.0).item()
    0.0
    """
    return atan2_p.bind(x, y)


# --- hyperbolic functions


def _acosh_slope(x):
    if dtype_kind(get_aval(x).dtype) == "floating":
        return rsqrt(sub(square(x), _one(x)))
    # the branch of acosh, also where the real part is negative
    return mul(rsqrt(sub(x, _one(x))), rsqrt(add(x, _one(x))))


sinh_p = _by_ufunc("sinh", np.sinh)
cosh_p = _by_ufunc("cosh", np.cosh)
tanh_p = _by_ufunc("tanh", np.tanh)
asinh_p = _by_ufunc("asinh", np.arcsinh)
acosh_p = _by_ufunc("acosh", np.arccosh)
atanh_p = _by_ufunc("atanh", np.arctanh)

defjvp(sinh_p, lambda t, x: mul_p.bind(t, cosh(x)))
defjvp(cosh_p, lambda t, x: mul_p.bind(t, sinh(x)))
defjvp_with_output(
    tanh_p, lambda t, out, x, accuracy=None: mul_p.bind(t, sub(_one(x), square(out)))
)
defjvp(asinh_p, lambda t, x: mul_p.bind(t, rsqrt(add(square(x), _one(x)))))
defjvp(acosh_p, lambda t, x: mul_p.bind(t, _acosh_slope(x)))
defjvp(
    atanh_p,
    lambda t, x: mul_p.bind(t, div(reciprocal(add(_one(x), x)), sub(_one(x), x))),
)


def sinh(x: ArrayLike) -> Array:
    """The hyperbolic sine, elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.sinh(0.0).item()
    0.0
    """
    return sinh_p.bind(x)


def cosh(x: ArrayLike) -> Array:
    """The hyperbolic cosine, elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.cosh(0.0).item()
    1.0
    """
    return cosh_p.bind(x)


def tanh(x: ArrayLike, *, accuracy=None) -> Array:
    """The hyperbolic tangent, elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.tanh(0.0).item()
    0.0
    """
    return with_accuracy(tanh_p, x, accuracy)


def asinh(x: ArrayLike) -> Array:
    """The inverse hyperbolic sine, elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.asinh(0.0).item()
    0.0
    """
    return asinh_p.bind(x)


def acosh(x: ArrayLike) -> Array:
    """The inverse hyperbolic cosine, elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.acosh(1.0).item()
    0.0
    """
    return acosh_p.bind(x)


def atanh(x: ArrayLike) -> Array:
    """The inverse hyperbolic tangent, elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.atanh(0.0).item()
    0.0
    """
    return atanh_p.bind(x)


# --- logistic: 1 / (1 + exp(-x)); d = t * out * (1 - out)


def _logistic(x):
    return 1 / (1 + np.exp(-x))


logistic_p = elementwise("logistic", _narrow_to_float32(_logistic), INEXACT)
defjvp_with_output(
    logistic_p,
    lambda t, out, x, accuracy=None: mul_p.bind(t, mul(out, sub(_one(x), out))),
)


def logistic(x: ArrayLike, *, accuracy=None) -> Array:
    """1 / (1 + exp(-x)), elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.logistic(0.0).item()
    0.5
    """
    return with_accuracy(logistic_p, x, accuracy)
