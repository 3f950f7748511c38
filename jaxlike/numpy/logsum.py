"""log(exp(x) + exp(y)) and its reductions, in bases e and 2, without overflow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jaxlike.numpy.promote import (
    as_array,
    broadcast_args,
    convert,
    is_complex,
    promote_args,
    promote_args_inexact,
    promote_dtypes_inexact,
    scalar_like,
)
from jaxlike.numpy.searching import where
from jaxlike.primitives import arithmetic, comparison, complexes, transcendental
from jaxlike.primitives.identity import stop_gradient
from jaxlike.transforms.custom_jvp import custom_jvp

_LN2 = math.log(2)


def _wrapped(z, half_turn: float):
    """A complex number with its imaginary part brought into [-half, half)."""
    from jaxlike.numpy.binary import remainder

    re, im = complexes.real(z), complexes.imag(z)
    half = scalar_like(im, half_turn)
    turn = scalar_like(im, 2 * half_turn)
    return complexes.complex(
        re, arithmetic.sub(remainder(arithmetic.add(im, half), turn), half)
    )


def _value(x1, x2, power, per_ln: float):
    """max + log(1 + base**-|x1 - x2|), with power(x) = base**x, per_ln = 1/ln(base)."""
    greater = arithmetic.max(x1, x2)
    if is_complex(greater):
        lesser = arithmetic.sub(
            arithmetic.add(x1, x2), arithmetic.mul(greater, scalar_like(greater, 2))
        )
        rest = transcendental.log1p(power(lesser))
        if per_ln != 1:
            rest = arithmetic.mul(rest, scalar_like(rest, per_ln))
        return _wrapped(arithmetic.add(greater, rest), math.pi * per_ln)
    apart = arithmetic.sub(x1, x2)
    rest = transcendental.log1p(power(arithmetic.neg(arithmetic.abs(apart))))
    if per_ln != 1:
        rest = arithmetic.mul(rest, scalar_like(rest, per_ln))
    # equal infinities, and NaN
    return where(
        comparison.ne(apart, apart),
        arithmetic.add(x1, x2),
        arithmetic.add(greater, rest),
    )


def _tangent(primals, tangents, out, power):
    terms = []
    for x, t in zip(primals, tangents):
        gap = arithmetic.sub(_no_inf(x), _no_inf(out))
        terms.append(arithmetic.mul(t, power(gap)))
    return arithmetic.add(*terms)


def _no_inf(x):
    re = complexes.real(x) if is_complex(x) else x
    return where(comparison.eq(re, scalar_like(re, math.inf)), scalar_like(x, 0), x)


@custom_jvp
def _logaddexp(x1, x2):
    return _value(x1, x2, transcendental.exp, 1)


@_logaddexp.defjvp
def _logaddexp_jvp(primals, tangents):
    out = _logaddexp(*primals)
    return out, _tangent(primals, tangents, out, transcendental.exp)


@custom_jvp
def _logaddexp2(x1, x2):
    return _value(x1, x2, transcendental.exp2, 1 / _LN2)


@_logaddexp2.defjvp
def _logaddexp2_jvp(primals, tangents):
    out = _logaddexp2(*primals)
    return out, _tangent(primals, tangents, out, transcendental.exp2)


def logaddexp(x1: Any, x2: Any) -> Any:
    """jnp.logaddexp of float or complex arguments of one dtype."""
    return _logaddexp(*_stretched(x1, x2))


def logaddexp2(x1: Any, x2: Any) -> Any:
    """jnp.logaddexp2 of float or complex arguments of one dtype."""
    return _logaddexp2(*_stretched(x1, x2))


def _stretched(x1, x2):
    return broadcast_args(as_array(x1), as_array(x2))


def logsum_reduce(a, axis, dtype, keepdims, initial, where, base2: bool) -> Any:
    """ufunc.reduce of logaddexp, or of logaddexp2 if `base2`."""
    from jaxlike.numpy import creation, reductions

    [a] = promote_dtypes_inexact(creation.asarray(a, dtype))
    power = transcendental.exp2 if base2 else transcendental.exp
    re = complexes.real(a) if is_complex(a) else a
    # shifting by any number is right; the greatest one keeps all powers in range
    shift = reductions.max(re, axis, keepdims=True, initial=-np.inf, where=where)
    shift = stop_gradient(_finite_or_zero(shift))
    powers = power(arithmetic.sub(*promote_args("logaddexp.reduce", a, shift)))
    total = reductions.sum(powers, axis, keepdims=True, where=where)
    out = transcendental.log(total)
    if base2:
        out = arithmetic.mul(out, scalar_like(out, 1 / _LN2))
    out = arithmetic.add(out, convert(shift, out.dtype))
    if not keepdims:
        out = out.reshape(reductions.reduced_shape(a.shape, axis))
    if initial is not None:
        join = logaddexp2 if base2 else logaddexp
        out = join(*promote_args_inexact("logaddexp.reduce", out, initial))
    return out


def _finite_or_zero(x):
    finite = comparison.lt(arithmetic.abs(x), scalar_like(x, math.inf))
    return where(finite, x, scalar_like(x, 0))
