"""Applying a function along axes: apply_along_axis, apply_over_axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy import manipulation
from jaxlike.numpy.axes import canonical_axis
from jaxlike.numpy.promote import ArrayLike, to_arrays

__all__ = ["apply_along_axis", "apply_over_axes"]


def apply_along_axis(
    func1d: Callable, axis: int, arr: ArrayLike, *args, **kwargs
) -> Array:
    """The results of a function of vectors, for every vector along an axis.

    Args: `func1d`, from a vector, `args` and `kwargs` to an array, whose axes take the
    place of the axis.

    >>> import jaxlike.numpy as jnp
    >>> x = jnp.array([[1, 2], [3, 4]])
    >>> jnp.apply_along_axis(jnp.sum, 0, x).tolist()
    [4, 6]
    """
    from jaxlike.transforms.vmap import vmap

    [arr] = to_arrays("apply_along_axis", arr)
    axis = canonical_axis(axis, arr.ndim)
    fun = lambda vector: func1d(vector, *args, **kwargs)
    for _ in range(arr.ndim - axis - 1):
        fun = vmap(fun, in_axes=1, out_axes=-1)
    for _ in range(axis):
        fun = vmap(fun, in_axes=0, out_axes=0)
    return fun(arr)


def apply_over_axes(
    func: Callable[[ArrayLike, int], Array], a: ArrayLike, axes: Sequence[int]
) -> Array:
    """A function of an array and an axis, applied for one axis after another.

    Axes that it takes away come back with size 1.
    Raises: ValueError if it changes the rank in another way.

    >>> import jaxlike.numpy as jnp
    >>> jnp.apply_over_axes(jnp.sum, jnp.ones((2, 3)), [0, 1]).tolist()
    [[6.0]]
    """
    [a] = to_arrays("apply_over_axes", a)
    for axis in axes:
        result = func(a, axis)
        if result.ndim == a.ndim:
            a = result
        elif result.ndim == a.ndim - 1:
            a = manipulation.expand_dims(result, axis)
        else:
            raise ValueError(
                format_error(
                    "apply_over_axes: the function returned an array of "
                    "neither the same rank nor one less"
                )
            )
    return a
