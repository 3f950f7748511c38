"""Activation functions, elementwise unless said otherwise.

Derivatives at kinks are those of JAX: relu's at 0 is 0, relu6's at 0 and 6 are 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.numpy.promote import check_arraylike
from jaxlike.primitives import bitwise, comparison, selection, transcendental
from jaxlike.primitives.broadcasting import full_like
from jaxlike.transforms.custom_jvp import custom_jvp

ArrayLike = Any


def _inexact(name: str, x: ArrayLike) -> Array:
    """`x` as an array of floating point; integers become float32."""
    check_arraylike(name, x)
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, np.inexact) else x.astype(np.float32)


@custom_jvp
def relu(x: ArrayLike) -> Array:
    """max(x, 0); its derivative at 0 is 0.

    >>> import jaxlike.numpy as jnp, jaxlike.nn as nn
    >>> nn.relu(jnp.array([-1.0, 2.0]))
    Array([0., 2.], dtype=float32)
    """
    return jnp.maximum(x, 0)


def _relu_jvp(primals, tangents):
    (x,), (t,) = primals, tangents
    return relu(x), selection.select(comparison.gt(x, _like(x, 0)), t, full_like(t, 0))


relu.defjvp(_relu_jvp)


def _like(x: Any, value: float) -> np.generic:
    """The number in the dtype of `x`."""
    return np.asarray(value, get_aval(x).dtype)


@custom_jvp
def relu6(x: ArrayLike) -> Array:
    """min(max(x, 0), 6); its derivatives at 0 and 6 are 0.

    >>> import jaxlike.numpy as jnp, jaxlike.nn as nn
    >>> nn.relu6(jnp.array([-1.0, 2.0, 7.0]))
    Array([0., 2., 6.], dtype=float32)
    """
    return jnp.minimum(jnp.maximum(x, 0), 6.0)


def _relu6_jvp(primals, tangents):
    (x,), (t,) = primals, tangents
    inside = bitwise.bitwise_and(
        comparison.gt(x, _like(x, 0)), comparison.lt(x, _like(x, 6))
    )
    return relu6(x), selection.select(inside, t, full_like(t, 0))


relu6.defjvp(_relu6_jvp)


def sigmoid(x: ArrayLike) -> Array:
    """1 / (1 + exp(-x)), for floating-point and complex x.

    >>> import jaxlike.nn as nn
    >>> float(nn.sigmoid(0.0))
    0.5
    """
    return transcendental.logistic(x)


def softplus(x: ArrayLike) -> Array:
    """log(1 + exp(x)), without overflow.

    >>> import jaxlike.nn as nn
    >>> float(nn.softplus(100.0))
    100.0
    """
    return jnp.logaddexp(_inexact("softplus", x), 0.0)


def squareplus(x: ArrayLike, b: ArrayLike = 4) -> Array:
    """(x + sqrt(x**2 + b)) / 2: a smooth relu without exponentials (Barron, 2021).

    >>> import jaxlike.nn as nn
    >>> float(nn.squareplus(0.0))
    1.0
    """
    check_arraylike("squareplus", x)
    check_arraylike("squareplus", b)
    x = jnp.asarray(x)
    return (x + jnp.sqrt(jnp.square(x) + b)) / 2


def soft_sign(x: ArrayLike) -> Array:
    """x / (|x| + 1).

    >>> import jaxlike.nn as nn
    >>> float(nn.soft_sign(1.0))
    0.5
    """
    check_arraylike("soft_sign", x)
    x = jnp.asarray(x)
    return x / (jnp.abs(x) + 1)


def silu(x: ArrayLike) -> Array:
    """x * sigmoid(x) (Elfwing et al., 2017); also called swish.

    >>> import jaxlike.nn as nn
    >>> float(nn.silu(0.0))
    0.0
    """
    check_arraylike("silu", x)
    x = jnp.asarray(x)
    return x * sigmoid(x)


swish = silu


def mish(x: ArrayLike) -> Array:
    """x * tanh(softplus(x)) (Misra, 2019).

    >>> import jaxlike.nn as nn
    >>> round(float(nn.mish(1.0)), 4)
    0.8651
    """
    check_arraylike("mish", x)
    x = jnp.asarray(x)
    return x * jnp.tanh(softplus(x))


def log_sigmoid(x: ArrayLike) -> Array:
    """log(sigmoid(x)) = -softplus(-x), without overflow.

    >>> import jaxlike.nn as nn
    >>> float(nn.log_sigmoid(-100.0))
    -100.0
    """
    check_arraylike("log_sigmoid", x)
    return -softplus(-jnp.asarray(x))


def elu(x: ArrayLike, alpha: ArrayLike = 1.0) -> Array:
    """x where x > 0, alpha * (exp(x) - 1) elsewhere (Clevert et al., 2015).

    >>> import jaxlike.nn as nn
    >>> round(float(nn.elu(-1.0)), 4)
    -0.6321
    """
    check_arraylike("elu", x)
    x = jnp.asarray(x)
    # where x is positive, expm1 gets 0: its overflow must not reach the derivative
    below = jnp.expm1(jnp.where(x > 0, 0.0, x))
    return jnp.where(x > 0, x, alpha * below)


def celu(x: ArrayLike, alpha: ArrayLike = 1.0) -> Array:
    """x where x > 0, alpha * (exp(x / alpha) - 1) elsewhere (Barron, 2017).

    >>> import jaxlike.nn as nn
    >>> round(float(nn.celu(-1.0, 2.0)), 4)
    -0.7869
    """
    check_arraylike("celu", x)
    x = jnp.asarray(x)
    return jnp.maximum(x, 0.0) + alpha * jnp.expm1(jnp.minimum(x, 0.0) / alpha)


_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def selu(x: ArrayLike) -> Array:
    """The self-normalising scaled elu (Klambauer et al., 2017).

    >>> import jaxlike.nn as nn
    >>> round(float(nn.selu(-1.0)), 4)
    -1.1113
    """
    check_arraylike("selu", x)
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


def leaky_relu(x: ArrayLike, negative_slope: ArrayLike = 1e-2) -> Array:
    """x where x >= 0, negative_slope * x elsewhere.

    >>> import jaxlike.nn as nn
    >>> round(float(nn.leaky_relu(-1.0)), 4)
    -0.01
    """
    check_arraylike("leaky_relu", x)
    x = jnp.asarray(x)
    return jnp.where(x >= 0, x, negative_slope * x)


def hard_tanh(x: ArrayLike) -> Array:
    """x clipped to [-1, 1].

    >>> import jaxlike.nn as nn
    >>> float(nn.hard_tanh(2.0))
    1.0
    """
    check_arraylike("hard_tanh", x)
    x = jnp.asarray(x)
    return jnp.where(x > 1, 1, jnp.where(x < -1, -1, x))


def hard_sigmoid(x: ArrayLike) -> Array:
    """relu6(x + 3) / 6.

    >>> import jaxlike.nn as nn
    >>> float(nn.hard_sigmoid(0.0))
    0.5
    """
    check_arraylike("hard_sigmoid", x)
    return relu6(jnp.asarray(x) + 3.0) / 6.0


def hard_silu(x: ArrayLike) -> Array:
    """x * hard_sigmoid(x) (Howard et al., 2019); also called hard_swish.

    >>> import jaxlike.nn as nn
    >>> float(nn.hard_silu(3.0))
    3.0
    """
    check_arraylike("hard_silu", x)
    x = jnp.asarray(x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def gelu(x: ArrayLike, approximate: bool = True) -> Array:
    """x times the normal distribution function of x (Hendrycks and Gimpel, 2016).

    Args:
      approximate: by tanh; else by erfc, exactly.

    >>> import jaxlike.nn as nn
    >>> round(float(nn.gelu(1.0)), 4), round(float(nn.gelu(1.0, approximate=False)), 4)
    (0.8412, 0.8413)
    """
    x = _inexact("gelu", x)
    if approximate:
        factor = np.asarray(np.sqrt(2 / np.pi), x.dtype)
        return x * (0.5 * (1.0 + jnp.tanh(factor * (x + 0.044715 * x**3))))
    root_half = np.asarray(np.sqrt(0.5), x.dtype)
    from jaxlike.primitives.special import erfc

    return jnp.asarray(0.5 * x * erfc(-x * root_half), dtype=x.dtype)


def glu(x: ArrayLike, axis: int = -1) -> Array:
    """The first half of x along `axis` times the sigmoid of the second half.

    Raises AssertionError when the axis has an odd size.

    >>> import jaxlike.numpy as jnp, jaxlike.nn as nn
    >>> nn.glu(jnp.array([1.0, 2.0, 0.0, 0.0]))
    Array([0.5, 1. ], dtype=float32)
    """
    check_arraylike("glu", x)
    x = jnp.asarray(x)
    size = x.shape[axis]
    if size % 2:
        raise AssertionError(
            format_error(
                f"glu needs an axis of even size; axis {axis} of {x.aval} is not"
            )
        )
    a, b = jnp.split(x, 2, axis)
    return a * sigmoid(b)


def sparse_plus(x: ArrayLike) -> Array:
    """0 below -1, x above 1, (x + 1)**2 / 4 between.

    >>> import jaxlike.nn as nn
    >>> float(nn.sparse_plus(0.0))
    0.25
    """
    check_arraylike("sparse_plus", x)
    x = jnp.asarray(x)
    between = (x + 1.0) ** 2 / 4
    return jnp.where(x <= -1.0, 0.0, jnp.where(x >= 1.0, x, between))


def sparse_sigmoid(x: ArrayLike) -> Array:
    """0 below -1, 1 above 1, (x + 1) / 2 between: the derivative of sparse_plus.

    >>> import jaxlike.nn as nn
    >>> float(nn.sparse_sigmoid(0.0))
    0.5
    """
    check_arraylike("sparse_sigmoid", x)
    return 0.5 * jnp.clip(jnp.asarray(x) + 1.0, 0.0, 2.0)


@custom_jvp
def log1mexp(x: ArrayLike) -> Array:
    """log(1 - exp(-x)) for x >= 0, accurately (Maechler, 2012).

    >>> import jaxlike.nn as nn
    >>> round(float(nn.log1mexp(1.0)), 4)
    -0.4587
    """
    x = _inexact("log1mexp", x)
    small = x < np.asarray(np.log(2.0), x.dtype)
    return jnp.where(small, jnp.log(-jnp.expm1(-x)), jnp.log1p(-jnp.exp(-x)))


log1mexp.defjvps(lambda t, out, x: t / jnp.expm1(x))


def identity(x: ArrayLike) -> Array:
    """`x` as an array.

    >>> import jaxlike.nn as nn
    >>> float(nn.identity(3.0))
    3.0
    """
    check_arraylike("identity", x)
    return jnp.asarray(x)
