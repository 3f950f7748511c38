"""Cases of the special functions."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from tests.primitives.case import Case

nan, inf = np.nan, np.inf
bf16 = ml_dtypes.bfloat16
CASES: list[Case] = []


def words(text):
    return text.split()


def floats(values, dtype=np.float32):
    return np.array(values, np.float32).astype(dtype)


def call(name, *args, **kwargs):
    fun = lambda lax, *xs: getattr(lax, name)(*xs)
    CASES.append(Case(f"{name}-{len(CASES)}", fun, list(args), **kwargs))


SPECIAL = [nan, inf, -inf, 0.0, -0.0, 0.5, -1.0, -2.0, -0.5, -1.5, 2.5, 30.5]
POINTS = {"erf_inv": [-0.7, 0.2, 0.9], "lgamma": [0.3, 2.5, -1.4]}
for name in words("erf erfc erf_inv lgamma digamma bessel_i0e bessel_i1e"):
    call(name, floats(SPECIAL), rtol=1e-4)
    # JAX's Hurwitz zeta function, and so the next derivative, is for x > 0
    points = POINTS.get(name, [0.3, 1.4, 2.6])
    order = 1 if name == "lgamma" else 2
    call(name, floats(points), grad_args=(0,), order=order)
    call(name, floats(points, bf16))
    call(name, floats(points, np.float16))
    call(name, np.zeros((0, 2), np.float32))
call("lgamma", floats([0.3, 2.5]), grad_args=(0,))
call("erf", np.float32(0.3), grad_args=(0,))
call("bessel_i0e", floats([-1.3, -0.2]), grad_args=(0,))
call("bessel_i1e", floats([-1.3, 0.0]), grad_args=(0,), order=1, rtol=1e-4, atol=1e-4)

EDGES = floats([nan, inf, 0, 0.5, 1, 2.5, -1])
A, X = (v.ravel() for v in np.meshgrid(EDGES, EDGES))
for name in words("igamma igammac igamma_grad_a random_gamma_grad zeta polygamma"):
    call(name, A, X, rtol=1e-4)
for name in ("igamma", "igammac"):
    # by a only once: JAX has no rule for the second derivative either
    call(name, floats([0.4, 1.5, 3.0]), floats([0.7, 1.2, 8.0]), grad_args=(1,))
    call(
        name, floats([0.4, 1.5, 3.0]), floats([0.7, 1.2, 8.0]), grad_args=(0,), order=1
    )
    call(name, floats([[0.4], [1.5]]), floats([[0.7, 1.2, 8.0]]), grad_args=(0, 1),
         order=1)  # fmt: skip
    call(name, floats([0.5, 2.0], bf16), floats([0.5, 3.0], bf16))
for name in ("igamma_grad_a", "random_gamma_grad"):
    a, x = floats([0.1, 2.0, 40.0, 1e-3]), floats([0.3, 9.0, 37.0, 0.1])
    call(name, a, x, grad_args=(1,), rtol=1e-3)
    call(name, floats([[0.5], [200.0]]), floats([[0.5, 180.0, 220.0]]), rtol=1e-2)
    call(name, floats([1e7]), floats([1.0001e7]), parity=False)
call("polygamma", floats([1.0, 2.0, 3.0, 0.0]), floats([0.4, 1.3, 5.0, 2.0]),
     grad_args=(1,))  # fmt: skip
call("zeta", floats([1.5, 2.0, 4.5]), floats([0.4, 1.3, 5.0]), grad_args=(1,))
call("betainc", *(v.ravel() for v in np.meshgrid(
    floats([0.5, 2.0, -1.0, nan]), floats([1.0, 3.0, 0.0]),
    floats([0.0, 0.3, 1.0, 1.5, nan]))), rtol=1e-4)  # fmt: skip
call("betainc", floats([0.5, 2.0]), floats([1.0, 3.0]), floats([0.3, 0.8]),
     grad_args=(2,))  # fmt: skip
