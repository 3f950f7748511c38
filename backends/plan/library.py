"""Equations that are no fused loop nest, but kernels of their own, by primitive."""

from __future__ import annotations

from collections.abc import Callable

from jaxlike.backends.plan.access import Resolver, is_layout, strides, whole
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.convolutions import lower_convolution
from jaxlike.backends.plan.cumulative import NAMES as CUMULATIVE
from jaxlike.backends.plan.cumulative import lower_cumulative
from jaxlike.backends.plan.dots import lower_dot
from jaxlike.backends.plan.fourier import lower_fft
from jaxlike.backends.plan.gamma_samples import lower_gamma_samples
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.matrices import (
    lower_cholesky,
    lower_eigh,
    lower_lu,
    lower_qr,
    lower_svd,
    lower_triangular_solve,
)
from jaxlike.backends.plan.moves import lower_concatenate, lower_pad
from jaxlike.backends.plan.ops import DTYPES
from jaxlike.backends.plan.selection import lower_approx_top_k, lower_top_k
from jaxlike.backends.plan.sorting import lower_sort
from jaxlike.backends.plan.window_choices import (
    lower_select_and_gather_add,
    lower_select_and_scatter_add,
)
from jaxlike.backends.plan.windows import lower_reduce_window
from jaxlike.core.jaxpr import JaxprEqn

Lower = Callable[[JaxprEqn, Resolver], list[Lowered] | None]


def lower_library(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """The kernels that run an equation; None if it is to be called."""
    if is_layout(eqn):
        return lower_layout(eqn, resolver)
    lower = LOWERINGS.get(eqn.primitive.name)
    return lower(eqn, resolver) if lower is not None else None


def lower_layout(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """A copy in the order of the result, where that is not the order in memory."""
    (out,) = eqn.outvars
    if not out.aval.shape or out.aval.size == 0 or out.aval.dtype not in DTYPES:
        return None
    if eqn.primitive.name in ("reshape", "squeeze", "iota"):
        return None
    access = whole(out, resolver)
    if access is None:
        return None
    shape = out.aval.shape
    k = KernelBuilder(shape[:-1])
    x = k.input(access.base.aval.dtype, access.base.aval.shape)
    y = k.output(out.aval.dtype, shape)
    with k.loop(shape[-1]) as loop:
        places = [*k.indices, loop.index]
        terms = dict(zip(places, access.address.coefs))
        value = k.load(x, terms, access.address.const)
        k.store(y, dict(zip(places, strides(shape))), value)
    return [Lowered(k.finish(eqn.primitive.name), [access.base], [out])]


def lower_placed(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """A product written in another order, by the product that it is."""
    product, moves = eqn.params["product"], eqn.params["moves"]
    lowered = LOWERINGS[product.primitive.name](eqn, resolver)
    if lowered is None:
        return None
    return [*lowered[:-1], lowered[-1]._replace(eqns=(product, *moves))]


LOWERINGS: dict[str, Lower] = {
    "dot_general": lower_dot,
    "conv_general_dilated": lower_convolution,
    "placed_product": lower_placed,
    "select_and_gather_add": lower_select_and_gather_add,
    "reduce_window_max": lower_reduce_window,
    "reduce_window_min": lower_reduce_window,
    "reduce_window_sum": lower_reduce_window,
    "select_and_scatter_add": lower_select_and_scatter_add,
    "fft": lower_fft,
    "gamma_of_words": lower_gamma_samples,
    "fft_of_real": lower_fft,
    "cholesky": lower_cholesky,
    "eigh": lower_eigh,
    "lu": lower_lu,
    "qr": lower_qr,
    "svd": lower_svd,
    "triangular_solve": lower_triangular_solve,
    "concatenate": lower_concatenate,
    "pad": lower_pad,
    "sort": lower_sort,
    **dict.fromkeys(CUMULATIVE, lower_cumulative),
    "top_k": lower_top_k,
    "approx_top_k": lower_approx_top_k,
}
