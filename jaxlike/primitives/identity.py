"""stop_gradient, optimization_barrier, copy: values as they are, meant otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero
from jaxlike.primitives.rules import ANY, defjvp, deflinear, elementwise

__all__ = [
    "copy_p",
    "optimization_barrier",
    "optimization_barrier_p",
    "stop_gradient",
    "stop_gradient_p",
]

_ANYTHING = (*ANY, "extended")

# --- stop_gradient: x, whose derivative is zero

stop_gradient_p = elementwise("stop_gradient", lambda x: x, _ANYTHING)
defjvp(stop_gradient_p, None)


def stop_gradient(x: Any) -> Any:
    """`x`, an array or a pytree of arrays, treated as constant by differentiation.

    Raises TypeError for leaves that are not arrays.

    >>> import jaxlike
    >>> from jaxlike import lax
    >>> jaxlike.grad(lambda x: lax.mul(x, lax.stop_gradient(x)))(3.0).item()
    3.0
    """
    if isinstance(x, Array):
        return stop_gradient_p.bind(x)
    from jaxlike.core import tree

    return tree.map(stop_gradient_p.bind, x)


# --- optimization_barrier: operands that are computed before any result is used


def _barrier_jvp(primals, tangents):
    outs = optimization_barrier_p.bind(*primals)
    known = [i for i, t in enumerate(tangents) if type(t) is not Zero]
    tangent_outs = [Zero(get_aval(out).to_tangent_aval()) for out in outs]
    if known:
        some = optimization_barrier_p.bind(*[tangents[i] for i in known])
        for i, tangent in zip(known, some, strict=True):
            tangent_outs[i] = tangent
    return outs, tangent_outs


def _barrier_transpose(cts, *args):
    known = [i for i, ct in enumerate(cts) if type(ct) is not Zero]
    outs = list(cts)
    if known:
        some = optimization_barrier_p.bind(*[cts[i] for i in known])
        for i, ct in zip(known, some, strict=True):
            outs[i] = ct
    return outs


optimization_barrier_p = Primitive("optimization_barrier", multiple_results=True)
optimization_barrier_p.shape = lambda *avals: list(avals)
optimization_barrier_p.evaluate = lambda *args: list(args)
optimization_barrier_p.jvp = _barrier_jvp
optimization_barrier_p.transpose = _barrier_transpose
optimization_barrier_p.batch = lambda axis_data, args, dims: (
    optimization_barrier_p.bind(*args),
    list(dims),
)


def optimization_barrier(operand: Any, /) -> Any:
    """`operand`, a pytree of arrays, which no rewrite of the program moves across.

    Everything in it is computed before anything that reads the result.

    >>> from jaxlike import lax
    >>> lax.optimization_barrier((1, 2))[0].item()
    1
    """
    from jaxlike.core import tree

    leaves, structure = tree.flatten(operand)
    return tree.unflatten(structure, optimization_barrier_p.bind(*leaves))


# --- copy: x in a buffer of its own


def _copy_transpose(ct, x):
    return [ct if type(ct) is Zero else copy_p.bind(ct)]


copy_p = elementwise("copy", np.copy, _ANYTHING)
deflinear(copy_p, _copy_transpose)
