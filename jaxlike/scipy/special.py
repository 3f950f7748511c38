"""Special functions, under the names of jax.scipy.special.

The error, gamma, zeta and Bessel functions are primitives; here is what they make.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import guard_names
from jaxlike.nn.normalisation import log_softmax, logsumexp, softmax
from jaxlike.numpy.promote import ArrayLike, promote_args_inexact, promote_args_numeric
from jaxlike.transforms.custom_jvp import custom_jvp

__all__ = [
    "betainc",
    "beta",
    "betaln",
    "boxcox",
    "boxcox1p",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfinv",
    "expit",
    "factorial",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gammasgn",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "kl_div",
    "log_ndtr",
    "log_softmax",
    "loggamma",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "poch",
    "polygamma",
    "rel_entr",
    "softmax",
    "xlog1py",
    "xlogy",
    "zeta",
]


def _promoted(name: str, *args: ArrayLike) -> list[Array]:
    return [jnp.asarray(x) for x in promote_args_inexact(name, *args)]


# --- one primitive each


def _of(name: str, primitive: Any, doc: str) -> Any:
    def function(*args: ArrayLike) -> Array:
        return primitive(*_promoted(name, *args))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


erf = _of("erf", lax.erf, "The error function.")
erfc = _of("erfc", lax.erfc, "1 - erf(x), right for large x too.")
erfinv = _of("erfinv", lax.erf_inv, "The inverse of erf on (-1, 1).")
digamma = _of("digamma", lax.digamma, "The derivative of gammaln.")
gammaln = _of("gammaln", lax.lgamma, "log|gamma(x)|.")
gammainc = _of("gammainc", lax.igamma, "The incomplete gamma function, of (a, x).")
gammaincc = _of("gammaincc", lax.igammac, "1 - gammainc(a, x).")
betainc = _of("betainc", lax.betainc, "The incomplete beta function of (a, b, x).")
i0e = _of("i0e", lax.bessel_i0e, "exp(-|x|) times i0(x).")
i1e = _of("i1e", lax.bessel_i1e, "exp(-|x|) times i1(x).")
expit = _of("expit", lax.logistic, "1 / (1 + exp(-x)).")
polygamma = _of("polygamma", lax.polygamma, "Derivative n of digamma, of (n, x).")
loggamma = gammaln


def zeta(x: ArrayLike, q: ArrayLike | None = None) -> Array:
    """The Hurwitz zeta function, the sum of (k + q)^-x; Riemann's for q None."""
    if q is None:
        q = 1.0
    return lax.zeta(*_promoted("zeta", x, q))


def i0(x: ArrayLike) -> Array:
    """The modified Bessel function of order 0."""
    (x,) = _promoted("i0", x)
    return lax.exp(lax.abs(x)) * lax.bessel_i0e(x)


def i1(x: ArrayLike) -> Array:
    """The modified Bessel function of order 1."""
    (x,) = _promoted("i1", x)
    return lax.exp(lax.abs(x)) * lax.bessel_i1e(x)


# --- logarithms with their limits


def logit(x: ArrayLike) -> Array:
    """log(x / (1 - x)), the inverse of expit.

    >>> from jaxlike.scipy.special import expit, logit
    >>> round(float(logit(expit(2.0))), 4)
    2.0
    """
    (x,) = _promoted("logit", x)
    return lax.log(x / (1 - x))


@custom_jvp
def _xlogy(x, y):
    return jnp.where(x == 0, jnp.zeros_like(x), x * lax.log(jnp.where(x == 0, 1, y)))


_xlogy.defjvps(
    lambda t, out, x, y: t * lax.log(y),
    lambda t, out, x, y: t * x / y,
)


def xlogy(x: ArrayLike, y: ArrayLike) -> Array:
    """x * log(y), and 0 where x is 0, whatever y is.

    >>> from jaxlike.scipy.special import xlogy
    >>> float(xlogy(0.0, 0.0))
    0.0
    """
    return _xlogy(*_promoted("xlogy", x, y))


@custom_jvp
def _xlog1py(x, y):
    return jnp.where(x == 0, jnp.zeros_like(x), x * lax.log1p(jnp.where(x == 0, 0, y)))


_xlog1py.defjvps(
    lambda t, out, x, y: t * lax.log1p(y),
    lambda t, out, x, y: t * x / (1 + y),
)


def xlog1py(x: ArrayLike, y: ArrayLike) -> Array:
    """x * log1p(y), and 0 where x is 0, whatever y is."""
    return _xlog1py(*_promoted("xlog1py", x, y))


def entr(x: ArrayLike) -> Array:
    """-x * log(x), 0 at 0 and -inf below: an event's part of the entropy."""
    (x,) = _promoted("entr", x)
    return jnp.where(x < 0, jnp.full_like(x, -jnp.inf), -_xlogy(x, x))


def rel_entr(p: ArrayLike, q: ArrayLike) -> Array:
    """p * log(p / q), 0 where p is 0 <= q, inf where the quotient has no meaning."""
    p, q = (x.astype(x.dtype) for x in _promoted("rel_entr", p, q))
    both, zero = (p > 0) & (q > 0), (p == 0) & (q >= 0)
    safe_p, safe_q = jnp.where(both, p, 1), jnp.where(both, q, 1)
    value = safe_p * (lax.log(safe_p) - lax.log(safe_q))
    rest = jnp.where(jnp.isnan(p + q), jnp.nan, jnp.inf)
    return jnp.where(zero, jnp.zeros_like(p), jnp.where(both, value, rest))


def kl_div(p: ArrayLike, q: ArrayLike) -> Array:
    """rel_entr(p, q) - p + q: an event's part of the Kullback-Leibler divergence."""
    p, q = (x.astype(x.dtype) for x in _promoted("kl_div", p, q))
    return rel_entr(p, q) - p + q


def boxcox(x: ArrayLike, lmbda: ArrayLike) -> Array:
    """The power transform (x^lmbda - 1) / lmbda, log(x) for lmbda = 0."""
    x, lmbda = _promoted("boxcox", x, lmbda)
    safe = jnp.where(lmbda == 0, 1, lmbda)
    return jnp.where(lmbda == 0, lax.log(x), lax.expm1(safe * lax.log(x)) / safe)


def boxcox1p(x: ArrayLike, lmbda: ArrayLike) -> Array:
    """boxcox(1 + x, lmbda), right for small x too."""
    x, lmbda = _promoted("boxcox1p", x, lmbda)
    safe = jnp.where(lmbda == 0, 1, lmbda)
    log = lax.log1p(x)
    return jnp.where(lmbda == 0, log, lax.expm1(safe * log) / safe)


# --- gamma and beta


def gammasgn(x: ArrayLike) -> Array:
    """The sign of gamma(x); NaN at its poles."""
    (x,) = _promoted("gammasgn", x)
    floor = lax.floor(x)
    odd = jnp.abs(floor % 2) == 1
    sign = jnp.where(x > 0, 1, jnp.where(odd, -1, 1))
    at_pole = ((x < 0) & (floor == x)) | jnp.isnan(x)
    sign = jnp.where(x == 0, jnp.copysign(1, x), sign)
    return jnp.where(at_pole, jnp.nan, sign).astype(x.dtype)


def gamma(x: ArrayLike) -> Array:
    """The gamma function.

    >>> from jaxlike.scipy.special import gamma
    >>> round(float(gamma(5.0)), 3)
    24.0
    """
    (x,) = _promoted("gamma", x)
    return gammasgn(x) * jnp.exp(lax.lgamma(x))


def factorial(n: ArrayLike, exact: bool = False) -> Array:
    """gamma(n + 1), 0 for negative n."""
    if exact:
        raise NotImplementedError(
            format_error("factorial has no exact=True", try_="math.factorial(n)")
        )
    (n,) = _promoted("factorial", n)
    return jnp.where(n < 0, jnp.zeros_like(n), lax.exp(lax.lgamma(n + 1)))


def betaln(a: ArrayLike, b: ArrayLike) -> Array:
    """log|beta(a, b)|."""
    a, b = _promoted("betaln", a, b)
    return lax.lgamma(a) + lax.lgamma(b) - lax.lgamma(a + b)


def beta(a: ArrayLike, b: ArrayLike) -> Array:
    """gamma(a) * gamma(b) / gamma(a + b)."""
    a, b = _promoted("beta", a, b)
    return gammasgn(a) * gammasgn(b) * gammasgn(a + b) * lax.exp(betaln(a, b))


def poch(z: ArrayLike, m: ArrayLike) -> Array:
    """gamma(z + m) / gamma(z)."""
    z, m = _promoted("poch", z, m)
    sign = gammasgn(z + m) * gammasgn(z)
    value = sign * lax.exp(lax.lgamma(z + m) - lax.lgamma(z))
    return jnp.where(m == 0, jnp.ones_like(z), value)


def multigammaln(a: ArrayLike, d: int) -> Array:
    """The logarithm of the gamma function of dimension d."""
    (a,) = _promoted("multigammaln", a)
    shifted = a[..., None] - np.arange(d).astype(a.dtype) / 2
    constant = d * (d - 1) / 4 * math.log(math.pi)
    return jnp.sum(lax.lgamma(shifted), -1) + constant


# --- the normal distribution


def _floats(name: str, x: ArrayLike) -> Array:
    (x,) = promote_args_numeric(name, x)
    x = jnp.asarray(x)
    x = x.astype(x.dtype)  # no longer weak
    if x.dtype not in (np.float32, np.float64):
        raise TypeError(
            format_error(f"{name} takes float32 and float64, got {x.dtype}")
        )
    return x


def ndtr(x: ArrayLike) -> Array:
    """The cumulative distribution of the normal distribution."""
    x = _floats("ndtr", x)
    half = x * math.sqrt(0.5)
    size = jnp.abs(half)
    far = lax.erfc(size) / 2
    near = (1 + lax.erf(half)) / 2
    return jnp.where(size < math.sqrt(0.5), near, jnp.where(half > 0, 1 - far, far))


def ndtri(p: ArrayLike) -> Array:
    """The inverse of ndtr."""
    p = _floats("ndtri", p)
    # from the nearer tail, where 2p keeps its digits
    upper = p > 0.5
    tail = jnp.where(upper, 1 - p, p)
    value = math.sqrt(2) * lax.erf_inv(1 - 2 * tail)
    return jnp.where(upper, value, -value)


@custom_jvp
def _log_ndtr(x):
    # far below, the continued fraction of the tail: exp(-x²/2) / (|x| + 1/(|x| + ...))
    below = jnp.where(x < -4, x, -4)
    size = -below
    fraction = size
    for k in range(60, 0, -1):
        fraction = size + k / fraction
    log_tail = -below * below / 2 - math.log(math.sqrt(2 * math.pi))
    low = log_tail - lax.log(fraction)
    middle = jnp.where(x < -4, -4, x)
    high = lax.log1p(-lax.erfc(jnp.abs(middle) * math.sqrt(0.5)) / 2)
    return jnp.where(x < -4, low, jnp.where(x > 0, high, lax.log(ndtr(middle))))


@_log_ndtr.defjvp
def _log_ndtr_jvp(primals, tangents):
    (x,), (t,) = primals, tangents
    out = _log_ndtr(x)
    log_density = -x * x / 2 - math.log(math.sqrt(2 * math.pi))
    return out, t * lax.exp(log_density - out)


def log_ndtr(x: ArrayLike) -> Array:
    """log(ndtr(x)), right far below 0 too.

    >>> from jaxlike.scipy.special import log_ndtr
    >>> round(float(log_ndtr(-20.0)), 2)
    -203.92
    """
    return _log_ndtr(_floats("log_ndtr", x))


guard_names(globals())
