"""scaled_dot: a contraction of narrow floats that come with scales for their blocks."""

from __future__ import annotations

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.primitives.contraction import (
    DotDimensionNumbers,
    canonical_dimension_numbers,
    contracted_shape,
)
from jaxlike.primitives.matmul import contract

__all__ = ["scaled_dot", "scaled_dot_p"]

scaled_dot_p = Primitive("scaled_dot")
scaled_dot_p.not_differentiable = "its operands are quantised"


def _scaled_dot_shape(
    lhs, rhs, lhs_scale, rhs_scale, *, dimension_numbers, preferred_element_type
):
    avals = (lhs, rhs, lhs_scale, rhs_scale)
    if len({a.ndim for a in avals}) > 1:
        raise TypeError(
            format_error(
                "scaled_dot needs operands and scales of one rank, got "
                + ", ".join(map(str, avals))
            )
        )
    (lc, rc), _ = dimension_numbers
    for name, x, scale, contracted in (
        ("lhs", lhs, lhs_scale, lc),
        ("rhs", rhs, rhs_scale, rc),
    ):
        for axis, (n, s) in enumerate(zip(x.shape, scale.shape)):
            fits = s > 0 and n % s == 0 if axis in contracted else n == s
            if not fits:
                raise TypeError(
                    format_error(
                        f"scaled_dot: the scale {scale} of {name} {x} does not fit "
                        f"axis {axis}",
                        details=["contracted axes are divided in blocks, others match"],
                    )
                )
    shape = contracted_shape(lhs, rhs, dimension_numbers)
    return ShapedArray(shape, preferred_element_type)


def _rescaled(x: np.ndarray, scale: np.ndarray) -> np.ndarray:
    x, scale = x.astype(np.float32), scale.astype(np.float32)
    for axis, (n, s) in enumerate(zip(x.shape, scale.shape)):
        if s != n and s != 1:
            scale = np.repeat(scale, n // s, axis)
    return x * scale


def _scaled_dot_evaluate(
    lhs, rhs, lhs_scale, rhs_scale, *, dimension_numbers, preferred_element_type
):
    return contract(
        _rescaled(lhs, lhs_scale),
        _rescaled(rhs, rhs_scale),
        dimension_numbers,
        preferred_element_type,
    )


def _scaled_dot_batch(axis_data, args, dims, *, dimension_numbers, **params):
    from jaxlike.primitives.shapes import broadcast_in_dim, moveaxis

    moved = []
    for x, d in zip(args, dims):
        shape = get_aval(x).shape
        if d is None:
            axes = range(1, len(shape) + 1)
            moved.append(broadcast_in_dim(x, (axis_data.size, *shape), axes))
        else:
            moved.append(moveaxis(x, d, 0))
    (lc, rc), (lb, rb) = dimension_numbers

    def up(axes):
        return tuple(a + 1 for a in axes)

    batched = ((up(lc), up(rc)), ((0, *up(lb)), (0, *up(rb))))
    return scaled_dot_p.bind(*moved, dimension_numbers=batched, **params), 0


scaled_dot_p.shape = _scaled_dot_shape
scaled_dot_p.evaluate = _scaled_dot_evaluate
scaled_dot_p.batch = _scaled_dot_batch


def scaled_dot(
    lhs,
    rhs,
    *,
    lhs_scale=None,
    rhs_scale=None,
    dimension_numbers: DotDimensionNumbers | None = None,
    preferred_element_type=None,
):
    """The contraction of lhs times its scales with rhs times its scales.

    Scales have the operand's shape, divided in blocks along contracted axes; none means
    ones. dimension_numbers: of a (batched) matrix product by default.
    preferred_element_type: bfloat16 by default. Raises TypeError for scales that do not
    fit.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> x, s = jnp.ones((2, 4)), jnp.full((2, 2), 3.0)
    >>> lax.scaled_dot(x, jnp.ones((4, 1)), lhs_scale=s).tolist()
    [[12.0], [12.0]]
    """
    from jaxlike.primitives.shapes import full

    a, b = get_aval(lhs), get_aval(rhs)
    if dimension_numbers is None:
        batch = tuple(range(a.ndim - 2))
        dimension_numbers = (((a.ndim - 1,), (b.ndim - 2,)), (batch, batch))
    dims = canonical_dimension_numbers(dimension_numbers)

    def ones(aval, contracted):
        shape = tuple(1 if i in contracted else n for i, n in enumerate(aval.shape))
        return full(shape, 1, dtypes.bfloat16)

    if lhs_scale is None:
        lhs_scale = ones(a, dims[0][0])
    if rhs_scale is None:
        rhs_scale = ones(b, dims[0][1])
    dtype = dtypes.bfloat16
    if preferred_element_type is not None:
        dtype = dtypes.check_user_dtype_supported(preferred_element_type, "scaled_dot")
    return scaled_dot_p.bind(
        lhs,
        rhs,
        lhs_scale,
        rhs_scale,
        dimension_numbers=dims,
        preferred_element_type=dtype,
    )
