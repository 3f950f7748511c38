"""igamma, igammac, their derivatives in a, and betainc: incomplete integrals.

igamma(a, x) is P(a, x), the integral of t**(a-1) exp(-t) from 0 to x over gamma(a).
"""

from __future__ import annotations

import numpy as np

from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.primitives.arithmetic import add, div, mul, mul_p, neg, sub
from jaxlike.primitives.rules import (
    FLOAT,
    defjvp,
    defjvp_with_output,
    elementwise,
    scalar_like,
)
from jaxlike.primitives.special import digamma, in_float64, lgamma
from jaxlike.primitives.transcendental import exp, log, log1p
from jaxlike.primitives.types import ArrayLike

__all__ = [
    "betainc",
    "igamma",
    "igamma_grad_a",
    "igamma_grad_a_p",
    "igamma_p",
    "igammac",
    "igammac_p",
    "random_gamma_grad",
    "random_gamma_grad_p",
    "regularized_incomplete_beta_p",
]


# --- evaluation


def _igamma(a, x):
    import scipy.special

    out = scipy.special.gammainc(a, x)
    out = np.where(a == 0, np.where(x >= 1, 1.0, np.nan), out)
    return _at_infinite_a(a, x, out, below=0.0)


def _igammac(a, x):
    import scipy.special

    out = scipy.special.gammaincc(a, x)
    out = np.where(a == 0, np.where(x > 0, 0.0, np.nan), out)
    return _at_infinite_a(a, x, out, below=1.0)


def _at_infinite_a(a, x, out, below):
    """`out`, with JAX's values for infinite a; NaN for negative a or x."""
    limit = np.where(x == np.inf, 1 - below, np.where(x < 1, below, np.nan))
    out = np.where(a == np.inf, limit, out)
    return np.where((a >= 0) & (x >= 0), out, np.nan)


def _slope_over_density(a, x):
    """(dP/da) / p(x) with p = dP/dx, for 1-d arrays of positive finite numbers.

    The ratio stays in range where both underflow.
    """
    out = np.empty_like(x)
    large = a > 1e6
    far = (x > 1) & (x > a) & ~large
    near = ~(far | large)
    if large.any():
        r = x[large] / a[large]  # the leading term is precise to 1 / (6 a)
        out[large] = np.where(r == 1, -1.0, -r * np.log(r) / (r - 1))
    if far.any():
        out[far] = _by_continued_fraction(a[far], x[far])
    if near.any():
        out[near] = _by_series(a[near], x[near])
    return out


def _by_series(a, x):
    # P = p x / a * sum of c[n] = x**n / ((a + 1) ... (a + n))
    from scipy.special import psi

    c, dc = np.ones_like(x), np.zeros_like(x)
    total, d_total = c.copy(), dc.copy()
    n = 0
    while n == 0 or np.any(np.abs(dc) > 1e-17 * np.abs(d_total)):
        n += 1
        ratio = x / (a + n)
        dc = dc * ratio - c * ratio / (a + n)
        c = c * ratio
        total += c
        d_total += dc
    return (d_total + total * (np.log(x) - psi(a + 1))) * x / a


def _by_continued_fraction(a, x):
    # 1 - P = p x h, h = 1/(x+1-a - 1(1-a)/(x+3-a - 2(2-a)/(x+5-a - ...))),
    # from the far end on; for x > a this many terms give full precision
    from scipy.special import psi

    h, dh = np.zeros_like(x), np.zeros_like(x)
    for k in range(100 + int(2 * np.sqrt(a.max())), -1, -1):
        over, d_over = (k * (k - a), -k) if k else (1.0, 0.0)
        under, d_under = x + (2 * k + 1) - a - h, -1 - dh
        h = over / under
        dh = (d_over - h * d_under) / under
    return -x * (h * (np.log(x) - psi(a)) + dh)


def _on_domain(function, a, x):
    """`function` for positive finite a and x; 0 at x = 0, NaN elsewhere."""
    a, x = np.broadcast_arrays(a, x)
    out = np.where((a > 0) & (x == 0), 0.0, np.nan)
    inside = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    if inside.any():
        out[inside] = function(a[inside], x[inside])
    return out


def _igamma_grad_a(a, x):
    from scipy.special import gammaln

    def grad(a, x):
        density = np.exp((a - 1) * np.log(x) - x - gammaln(a))
        return _slope_over_density(a, x) * density

    return _on_domain(grad, a, x)


def _random_gamma_grad(a, x):
    return _on_domain(lambda a, x: -_slope_over_density(a, x), a, x)


def _betainc(a, b, x):
    import scipy.special

    return scipy.special.betainc(a, b, x)


# --- rules


def _density(a, x):
    """dP/dx = x**(a-1) exp(-x) / gamma(a)."""
    power = mul(sub(a, scalar_like(a, 1.0)), log(x))
    return exp(sub(add(neg(x), power), lgamma(a)))


def _no_second_derivative(name):
    def rule(t, *operands):
        raise NotImplementedError(
            format_error(
                f"{name}(a, x) can be differentiated with respect to x only, not to a"
            )
        )

    return rule


igamma_p = elementwise("igamma", in_float64(_igamma), FLOAT, nargs=2)
igammac_p = elementwise("igammac", in_float64(_igammac), FLOAT, nargs=2)
igamma_grad_a_p = elementwise(
    "igamma_grad_a", in_float64(_igamma_grad_a), FLOAT, nargs=2
)
random_gamma_grad_p = elementwise(
    "random_gamma_grad", in_float64(_random_gamma_grad), FLOAT, nargs=2
)
defjvp(
    igamma_p,
    lambda t, a, x: mul_p.bind(t, igamma_grad_a(a, x)),
    lambda t, a, x: mul_p.bind(t, _density(a, x)),
)
defjvp(
    igammac_p,
    lambda t, a, x: neg(mul_p.bind(t, igamma_grad_a(a, x))),
    lambda t, a, x: neg(mul_p.bind(t, _density(a, x))),
)
# d/dx dP/da = dp/da = p * (log x - digamma a)
defjvp(
    igamma_grad_a_p,
    _no_second_derivative("igamma_grad_a"),
    lambda t, a, x: mul_p.bind(t, mul(_density(a, x), sub(log(x), digamma(a)))),
)


def _random_gamma_grad_jvp(t, out, a, x):
    # of -(dP/da) / p, where dp/dx = p * ((a - 1) / x - 1)
    steepness = sub(div(sub(a, scalar_like(a, 1.0)), x), scalar_like(x, 1.0))
    slope = sub(sub(digamma(a), log(x)), mul(out, steepness))
    return mul_p.bind(t, slope)


defjvp_with_output(
    random_gamma_grad_p,
    _no_second_derivative("random_gamma_grad"),
    _random_gamma_grad_jvp,
)


def _beta_shape_parameter(t, a, b, x):
    raise ValueError(
        format_error(
            "betainc(a, b, x) can be differentiated with respect to x only, not to a "
            "and b"
        )
    )


def _betainc_jvp(t, a, b, x):
    one = scalar_like(x, 1.0)
    log_beta = sub(add(lgamma(a), lgamma(b)), lgamma(add(a, b)))
    powers = add(mul(sub(b, one), log1p(neg(x))), mul(sub(a, one), log(x)))
    return mul_p.bind(t, exp(sub(powers, log_beta)))


regularized_incomplete_beta_p = elementwise(
    "regularized_incomplete_beta", in_float64(_betainc), FLOAT, nargs=3
)
defjvp(
    regularized_incomplete_beta_p,
    _beta_shape_parameter,
    _beta_shape_parameter,
    _betainc_jvp,
)


# --- users' functions


def igamma(a: ArrayLike, x: ArrayLike) -> Array:
    """The regularized lower incomplete gamma function P(a, x), elementwise.

    Both are of one float dtype; NaN unless a > 0 and x >= 0.

    >>> from jaxlike import lax
    >>> round(lax.igamma(1.0, 1.0).item(), 4)
    0.6321
    """
    return igamma_p.bind(a, x)


def igammac(a: ArrayLike, x: ArrayLike) -> Array:
    """The regularized upper incomplete gamma function 1 - P(a, x), elementwise.

    Both are of one float dtype; NaN unless a > 0 and x >= 0.

    >>> from jaxlike import lax
    >>> round(lax.igammac(1.0, 1.0).item(), 4)
    0.3679
    """
    return igammac_p.bind(a, x)


def igamma_grad_a(a: ArrayLike, x: ArrayLike) -> Array:
    """The derivative of igamma(a, x) with respect to a, elementwise.

    Raises NotImplementedError when differentiated by a once more.

    >>> from jaxlike import lax
    >>> round(lax.igamma_grad_a(1.0, 1.0).item(), 4)
    -0.4317
    """
    return igamma_grad_a_p.bind(a, x)


def random_gamma_grad(a: ArrayLike, x: ArrayLike) -> Array:
    """How a gamma(a) sample x moves with a: -(dP/da) / (dP/dx), elementwise.

    Raises NotImplementedError when differentiated by a once more.

    >>> from jaxlike import lax
    >>> round(lax.random_gamma_grad(1.0, 1.0).item(), 4)
    1.1736
    """
    return random_gamma_grad_p.bind(a, x)


def betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Array:
    """The regularized incomplete beta function I_x(a, b), elementwise.

    All are of one float dtype; NaN unless a, b > 0 and 0 <= x <= 1. Raises ValueError
    when differentiated by a or b.

    >>> from jaxlike import lax
    >>> lax.betainc(1.0, 1.0, 0.25).item()
    0.25
    """
    return regularized_incomplete_beta_p.bind(a, b, x)
