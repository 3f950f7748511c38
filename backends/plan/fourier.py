"""Discrete Fourier transforms as kernels: one axis each, the last axis first.

Lengths are products of small primes; other ones are left to the reference evaluation. A
transform of a real array that was made complex is one of real numbers instead.
"""

from __future__ import annotations

import math

import numpy as np

from jaxlike.backends.plan.access import Resolver
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.records import record
from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import ClosedJaxpr, JaxprEqn, Literal, Var
from jaxlike.primitives.fft import FftType, fft_of_real_p, fft_p

MAX_LENGTH = 1 << 20
"""Longer ones would keep large tables."""
RADICES = (13, 11, 7, 5, 3)


@record
class Fourier:
    """`outer` x `inner` transforms of length n, of which `inner` lie side by side.

    dtype: of the parts. inverse: with the other sign, and scaled by 1/n. kind:
    "complex"; "half", from real numbers to frequencies 0 ... n/2; "whole", from real
    numbers to all frequencies; "real", from frequencies 0 ... n/2 to real numbers
    (inverse). Arguments: the array, the result.
    """

    dtype: np.dtype
    kind: str
    n: int
    outer: int
    inner: int = 1
    inverse: bool = False

    def __str__(self) -> str:
        sign = "inverse " if self.inverse else ""
        return (
            f"{sign}{self.kind} fourier {self.dtype.name} "
            f"{self.outer} x {self.n} x {self.inner}"
        )


def factors(n: int) -> list[int] | None:
    """The radices that a transform of length n goes by, 8 and 4 first."""
    out = []
    twos = (n & -n).bit_length() - 1
    n >>= twos
    while twos:
        # no 2 that could make a 4
        take = 2 if twos in (2, 4) else min(twos, 3)
        out.append(1 << take)
        twos -= take
    for radix in RADICES:
        while n % radix == 0:
            out.append(radix)
            n //= radix
    return out if n == 1 else None


def with_real_inputs(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The jaxpr where fft of a conversion is fft_of_real of what was converted."""
    jaxpr = closed.jaxpr
    if all(eqn.primitive is not fft_p for eqn in jaxpr.eqns):
        return closed
    defs: dict[Var, JaxprEqn] = {}
    eqns = []
    for eqn in jaxpr.eqns:
        made = defs.get(eqn.invars[0]) if eqn.primitive is fft_p else None
        if made is not None and eqn.params["fft_type"] == FftType.FFT:
            params = {"fft_lengths": eqn.params["fft_lengths"]}
            eqn = eqn.replace(
                primitive=fft_of_real_p, invars=made.invars, params=params
            )
        elif eqn.primitive.name == "convert_element_type":
            (x,), (out,) = eqn.invars, eqn.outvars
            if type(x) is not Literal and x.aval.dtype == dtypes.to_real_dtype(
                out.aval.dtype
            ):
                defs[out] = eqn
        eqns.append(eqn)
    return ClosedJaxpr(jaxpr.replace(eqns=eqns), closed.consts)


def lower_fft(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    (x,), (out,) = eqn.invars, eqn.outvars
    kind, lengths = eqn.params.get("fft_type"), eqn.params["fft_lengths"]
    if type(x) is Literal or not lengths or not x.aval.size or not out.aval.size:
        return None
    dtype = dtypes.to_real_dtype(x.aval.dtype)
    if any(n > MAX_LENGTH or factors(n) is None for n in lengths):
        return None
    last, outer = lengths[-1], math.prod(x.aval.shape[:-1])
    if kind == FftType.IRFFT and last % 2:
        return None
    if kind == FftType.IRFFT:
        stages = _columns(x.aval.shape, lengths, dtype, True)
        stages.append((Fourier(dtype, "real", last, outer, 1, True), out.aval.shape))
    else:
        inverse = kind == FftType.IFFT
        first = Fourier(dtype, "complex", last, outer, 1, inverse)
        if x.aval.dtype.kind == "f":
            if last % 2:
                return None
            name = "half" if kind == FftType.RFFT else "whole"
            first = Fourier(dtype, name, last, outer)
        stages = [(first, out.aval.shape)]
        stages += _columns(out.aval.shape, lengths, dtype, inverse)
    lowered = []
    for i, (kernel, shape) in enumerate(stages):
        to = out
        if i < len(stages) - 1:
            to = Var(ShapedArray(shape, dtypes.to_complex_dtype(dtype)))
        lowered.append(Lowered(kernel, [x], [to]))
        x = to
    return lowered


def _columns(shape, lengths, dtype, inverse: bool) -> list[tuple[Fourier, tuple]]:
    """The transforms over the axes but the last."""
    out = []
    for i in range(len(lengths) - 2, -1, -1):
        at = len(shape) - len(lengths) + i
        outer, inner = math.prod(shape[:at]), math.prod(shape[at + 1 :])
        kernel = Fourier(dtype, "complex", lengths[i], outer, inner, inverse)
        out.append((kernel, shape))
    return out
