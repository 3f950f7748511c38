"""bessel_i0e, bessel_i1e: modified Bessel functions, scaled by exp(-|x|)."""

from __future__ import annotations

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.primitives.arithmetic import abs, add, mul, mul_p, sign, sub
from jaxlike.primitives.comparison import gt
from jaxlike.primitives.powers import reciprocal
from jaxlike.primitives.rules import (
    FLOAT,
    defjvp_with_output,
    elementwise,
    scalar_like,
)
from jaxlike.primitives.special import by_scipy
from jaxlike.primitives.types import ArrayLike

__all__ = ["bessel_i0e", "bessel_i0e_p", "bessel_i1e", "bessel_i1e_p"]


def _i0e_jvp(t, out, x):
    return mul_p.bind(t, sub(bessel_i1e(x), mul(sign(x), out)))


def _i1e_jvp(t, out, x):
    from jaxlike.primitives.selection import select_n
    from jaxlike.primitives.shapes import full_like

    # out / x is 0 / 0 at zero, where the derivative is 1/2
    eps = float(dtypes.finfo(get_aval(x).dtype).eps)
    away = gt(abs(x), scalar_like(x, eps))
    safe = select_n(away, full_like(x, eps), x)
    slope = sub(bessel_i0e(safe), mul(out, add(sign(safe), reciprocal(safe))))
    return mul_p.bind(t, select_n(away, full_like(x, 0.5), slope))


bessel_i0e_p = elementwise("bessel_i0e", by_scipy("i0e"), FLOAT)
bessel_i1e_p = elementwise("bessel_i1e", by_scipy("i1e"), FLOAT)
defjvp_with_output(bessel_i0e_p, _i0e_jvp)
defjvp_with_output(bessel_i1e_p, _i1e_jvp)


def bessel_i0e(x: ArrayLike) -> Array:
    """exp(-|x|) * I0(x), elementwise, of a float array.

    >>> from jaxlike import lax
    >>> lax.bessel_i0e(0.0).item()
    1.0
    """
    return bessel_i0e_p.bind(x)


def bessel_i1e(x: ArrayLike) -> Array:
    """exp(-|x|) * I1(x), elementwise, of a float array.

    >>> from jaxlike import lax
    >>> lax.bessel_i1e(0.0).item()
    0.0
    """
    return bessel_i1e_p.bind(x)
