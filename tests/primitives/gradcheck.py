"""check_grads: derivatives against finite differences, to any order, in both modes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jaxlike.core import dtypes
from jaxlike.transforms.pushforward import jvp
from jaxlike.transforms.vjp import vjp


def check_grads(
    fun: Callable,
    args: Sequence[np.ndarray],
    *,
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    rtol: float = 1e-5,
    atol: float = 1e-5,
    eps: float = 1e-4,
    rng: np.random.Generator | None = None,
) -> None:
    """Check the derivatives of `fun`, which takes float or complex arrays.

    fun returns a list of arrays, of which the inexact ones are looked at. Each order
    checks, along one random direction: the JVP against central differences, the VJP
    against the JVP (or against differences if "fwd" is not in modes); and then the
    derivatives of both, as functions of the same arguments. Give float64 arguments,
    under enable_x64, for differences to be precise.
    """
    rng = rng or np.random.default_rng(0)
    args = [np.asarray(a) for a in args]
    tangents = [_random(rng, a.shape, a.dtype) for a in args]

    def inexact(*xs):
        return [out for out in fun(*xs) if dtypes.issubdtype(out.dtype, np.inexact)]

    expected = _numerical_jvp(inexact, args, tangents, eps)

    def forward(*xs):
        return jvp(inexact, xs, tuple(tangents))[1]

    if "fwd" in modes:
        got = forward(*args)
        for i, (a, b) in enumerate(zip(got, expected, strict=True)):
            np.testing.assert_allclose(
                _wide(a), b, rtol, atol, err_msg=f"JVP of result {i}"
            )
        expected = [_wide(a) for a in got]
        if order > 1:
            check_grads(
                forward, args, order=order - 1, modes=modes, rtol=rtol, atol=atol,
                eps=eps, rng=rng,
            )  # fmt: skip
    if "rev" in modes:
        cts = [_random(rng, out.shape, out.dtype) for out in inexact(*args)]

        def backward(*xs):
            return list(vjp(inexact, *xs)[1](list(cts)))

        got = _inner(backward(*args), tangents)
        np.testing.assert_allclose(
            got, _inner(cts, expected), rtol, atol, err_msg="VJP against JVP"
        )
        if order > 1:
            check_grads(
                backward, args, order=order - 1, modes=modes, rtol=rtol, atol=atol,
                eps=eps, rng=rng,
            )  # fmt: skip


def _wide(x) -> np.ndarray:
    x = np.asarray(x)
    return x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)


def _random(rng, shape, dtype) -> np.ndarray:
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return np.asarray(x).astype(dtype)


def _numerical_jvp(fun, args, tangents, eps) -> list[np.ndarray]:
    above = fun(*[x + (eps * t).astype(x.dtype) for x, t in zip(args, tangents)])
    below = fun(*[x - (eps * t).astype(x.dtype) for x, t in zip(args, tangents)])
    return [(_wide(a) - _wide(b)) / (2 * eps) for a, b in zip(above, below)]


def _inner(xs, ys) -> float:
    """The real part of the sum of products, under which JVP and VJP are adjoint."""
    return sum((_wide(x) * _wide(y)).sum().real for x, y in zip(xs, ys, strict=True))
