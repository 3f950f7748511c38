"""erf, erfc, erf_inv, lgamma, digamma, polygamma, zeta: special functions.

Incomplete gamma and beta functions are in special_incomplete.py, Bessel functions in
special_bessel.py. All are computed in float64 by SciPy and rounded once.
"""

from __future__ import annotations

import math

import numpy as np

from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.primitives.arithmetic import add, mul, mul_p, neg
from jaxlike.primitives.powers import square
from jaxlike.primitives.rules import (
    FLOAT,
    defjvp,
    defjvp_with_output,
    elementwise,
    scalar_like,
)
from jaxlike.primitives.transcendental import exp
from jaxlike.primitives.types import ArrayLike

__all__ = [
    "digamma",
    "digamma_p",
    "erf",
    "erf_inv",
    "erf_inv_p",
    "erf_p",
    "erfc",
    "erfc_p",
    "lgamma",
    "lgamma_p",
    "polygamma",
    "polygamma_p",
    "zeta",
    "zeta_p",
]


def in_float64(function):
    """Evaluate `function` in float64, and round its result to the operands' dtype."""

    def evaluate(*args):
        out = function(*[a.astype(np.float64) for a in args])
        return out.astype(args[0].dtype)

    return evaluate


def by_scipy(name: str):
    """Evaluate by the function of scipy.special, imported at the first call."""

    def function(*args):
        import scipy.special

        return getattr(scipy.special, name)(*args)

    return in_float64(function)


# --- the error function and its kin; d erf = t * 2 / sqrt(pi) * exp(-x**2)

_SLOPE = 2 / math.sqrt(math.pi)


def _bell(t, x, scale):
    return mul(scalar_like(x, scale), mul_p.bind(t, exp(neg(square(x)))))


erf_p = elementwise("erf", by_scipy("erf"), FLOAT)
erfc_p = elementwise("erfc", by_scipy("erfc"), FLOAT)
erf_inv_p = elementwise("erf_inv", by_scipy("erfinv"), FLOAT)
defjvp(erf_p, lambda t, x: _bell(t, x, _SLOPE))
defjvp(erfc_p, lambda t, x: _bell(t, x, -_SLOPE))
defjvp_with_output(
    erf_inv_p,
    lambda t, out, x: mul(scalar_like(x, 1 / _SLOPE), mul_p.bind(t, exp(square(out)))),
)


def erf(x: ArrayLike) -> Array:
    """The error function, elementwise, of a float array.

    >>> from jaxlike import lax
    >>> lax.erf(0.0).item()
    0.0
    """
    return erf_p.bind(x)


def erfc(x: ArrayLike) -> Array:
    """1 - erf(x), elementwise and precise for large x, of a float array.

    >>> from jaxlike import lax
    >>> lax.erfc(0.0).item()
    1.0
    """
    return erfc_p.bind(x)


def erf_inv(x: ArrayLike) -> Array:
    """The inverse of erf, elementwise, of a float array; NaN outside [-1, 1].

    >>> from jaxlike import lax
    >>> lax.erf_inv(0.0).item()
    0.0
    """
    return erf_inv_p.bind(x)


# --- the gamma function's logarithm and its derivatives


def _lgamma(x):
    import scipy.special

    return np.where(np.isinf(x), np.inf, scipy.special.gammaln(x))


def _digamma(x):
    import scipy.special

    return np.where(x == 0, np.nan, scipy.special.psi(x))


def _zeta(x, q):
    import scipy.special

    out = scipy.special.zeta(x, q)
    # poles at 0, -1, -2 ...: infinite from both sides only for even powers
    pole = (q <= 0) & (np.floor(q) == q)
    out = np.where(pole, np.where(np.fmod(x, 2) == 0, np.inf, np.nan), out)
    out = np.where(np.isinf(x) | ((q == np.inf) & (x > 1)), np.nan, out)
    return np.where(x == 1, np.inf, out)


def _polygamma(m, x):
    import scipy.special

    factor = np.power(-1.0, m + 1) * scipy.special.gamma(m + 1)
    out = np.where(m == 0, _digamma(x), factor * _zeta(m + 1, x))
    return np.where(m < 0, np.nan, out)


def _polygamma_order(t, m, x):
    raise ValueError(
        format_error(
            "polygamma(m, x) can be differentiated with respect to x only, not to its "
            "order m"
        )
    )


def _zeta_exponent(t, x, q):
    raise NotImplementedError(
        format_error(
            "zeta(x, q) can be differentiated with respect to q only, not to its "
            "exponent x"
        )
    )


lgamma_p = elementwise("lgamma", in_float64(_lgamma), FLOAT)
digamma_p = elementwise("digamma", in_float64(_digamma), FLOAT)
polygamma_p = elementwise("polygamma", in_float64(_polygamma), FLOAT, nargs=2)
zeta_p = elementwise("zeta", in_float64(_zeta), FLOAT, nargs=2)
defjvp(lgamma_p, lambda t, x: mul_p.bind(t, digamma(x)))
defjvp(digamma_p, lambda t, x: mul_p.bind(t, polygamma(scalar_like(x, 1.0), x)))
defjvp(
    polygamma_p,
    _polygamma_order,
    lambda t, m, x: mul_p.bind(t, polygamma(add(m, scalar_like(m, 1.0)), x)),
)
defjvp(
    zeta_p,
    _zeta_exponent,
    lambda t, x, q: mul_p.bind(t, mul(neg(x), zeta(add(x, scalar_like(x, 1.0)), q))),
)


def lgamma(x: ArrayLike) -> Array:
    """log(|gamma(x)|), elementwise, of a float array; infinity at 0, -1, -2 ...

    >>> from jaxlike import lax
    >>> lax.lgamma(1.0).item()
    0.0
    """
    return lgamma_p.bind(x)


def digamma(x: ArrayLike) -> Array:
    """The derivative of lgamma, elementwise, of a float array; NaN at 0, -1, -2 ...

    >>> from jaxlike import lax
    >>> round(lax.digamma(1.0).item(), 4)
    -0.5772
    """
    return digamma_p.bind(x)


def polygamma(m: ArrayLike, x: ArrayLike) -> Array:
    """The m-th derivative of digamma, elementwise, for whole floats m >= 0.

    Both are of one float dtype. Raises ValueError when differentiated by m.

    >>> from jaxlike import lax
    >>> round(lax.polygamma(1.0, 1.0).item(), 4)
    1.6449
    """
    return polygamma_p.bind(m, x)


def zeta(x: ArrayLike, q: ArrayLike) -> Array:
    """The Hurwitz zeta function, the sum over k >= 0 of (k + q) ** -x, elementwise.

    Both are of one float dtype; NaN for x < 1. Raises NotImplementedError when
    differentiated by x.

    >>> from jaxlike import lax
    >>> round(lax.zeta(2.0, 1.0).item(), 4)
    1.6449
    """
    return zeta_p.bind(x, q)
