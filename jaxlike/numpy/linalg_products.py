"""Powers and chains of matrices, and inverses for tensordot."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import jaxlike.numpy as jnp
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.linalg_solve import inv, solve
from jaxlike.numpy.promote import ArrayLike, to_arrays
from jaxlike.primitives.precision import PrecisionLike


@composite_of(1)
def matrix_power(a: ArrayLike, n: int) -> Array:
    """a @ a @ ... @ a, `n` times; of the inverse for negative `n`.

    Raises: TypeError for other `n` than integers, and matrices that are not square.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.matrix_power(2 * jnp.eye(2, dtype=int), 3)
    Array([[8, 0],
           [0, 8]], dtype=int32)
    """
    [a] = to_arrays("jnp.linalg.matrix_power", a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise TypeError(
            format_error(f"matrix_power takes square matrices, got {a.shape}")
        )
    try:
        n = operator.index(n)
    except TypeError:
        raise TypeError(
            format_error(f"matrix_power takes an integer exponent, got {n}")
        ) from None
    if n == 0:
        return jnp.broadcast_to(jnp.eye(a.shape[-1], dtype=a.dtype), a.shape)
    if n < 0:
        a, n = inv(a), -n
    result = None
    while True:
        if n & 1:
            result = a if result is None else jnp.matmul(result, a)
        n >>= 1
        if not n:
            return result
        a = jnp.matmul(a, a)


def multi_dot(arrays: Sequence[ArrayLike], *, precision: PrecisionLike = None) -> Array:
    """The product of several matrices, in the order that costs least.

    Args: `arrays`, matrices; the first may be a row and the last a column vector.
    Raises: ValueError for other ranks, and sizes that do not fit.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.multi_dot([jnp.ones((2, 3)), jnp.ones((3, 4)), jnp.ones(4)]).shape
    (2,)
    """
    operands = to_arrays("jnp.linalg.multi_dot", *arrays)
    shapes = [x.shape for x in operands]
    inside = shapes[1:-1]
    if (
        len(operands) < 2
        or any(len(s) != 2 for s in inside)
        or any(len(s) not in (1, 2) for s in (shapes[0], shapes[-1]))
    ):
        raise ValueError(
            format_error(
                f"multi_dot takes matrices, or vectors at the ends, got shapes {shapes}"
            )
        )
    if any(s[-1] != t[0] for s, t in pairwise(shapes)):
        raise ValueError(
            format_error(
                "multi_dot: columns of one matrix and rows of the next differ, in "
                f"{shapes}"
            )
        )
    first = shapes[0] if len(shapes[0]) == 2 else (1, *shapes[0])
    sizes = [first[0], first[1], *(s[1] for s in inside)]
    sizes.append(shapes[-1][1] if len(shapes[-1]) == 2 else 1)
    return _multiply(operands, _best_splits(sizes), 0, len(operands) - 1, precision)


def _best_splits(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to split each run of matrices at least cost; i is sizes[i] by [i + 1]."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    split: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            ends = sizes[i] * sizes[j + 1]
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + ends * sizes[k + 1], k)
                for k in range(i, j)
            )
    return split


def _multiply(operands, split, i: int, j: int, precision) -> Any:
    if i == j:
        return operands[i]
    k = split[i, j]
    return jnp.matmul(
        _multiply(operands, split, i, k, precision),
        _multiply(operands, split, k + 1, j, precision),
        precision=precision,
    )


@composite_of(1)
def tensorinv(a: ArrayLike, ind: int = 2) -> Array:
    """The inverse for tensordot of an array, as a map from its last axes to its first.

    Args: `ind`, how many axes are the first.
    Raises: ValueError if the two groups of axes differ in size.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linalg.tensorinv(jnp.eye(6).reshape(2, 3, 6)).shape
    (6, 2, 3)
    """
    [a] = to_arrays("jnp.linalg.tensorinv", a)
    ind = operator.index(ind)
    if ind <= 0:
        raise ValueError(format_error(f"tensorinv: ind must be at least 1, got {ind}"))
    front, back = a.shape[:ind], a.shape[ind:]
    if math.prod(front) != math.prod(back):
        raise ValueError(
            format_error(
                f"tensorinv: the first {ind} axes of {a.shape} have not as many "
                "elements as the rest"
            )
        )
    return inv(a.reshape(math.prod(front), math.prod(back))).reshape(*back, *front)


def tensorsolve(
    a: ArrayLike, b: ArrayLike, axes: tuple[int, ...] | None = None
) -> Array:
    """x with tensordot(a, x, x.ndim) = b.

    Args: `axes`, axes of `a` to move to its end first.
    Raises: ValueError if the axes do not fit.

    >>> import jaxlike.numpy as jnp
    >>> x = jnp.linalg.tensorsolve(jnp.eye(6).reshape(2, 3, 6), jnp.ones((2, 3)))
    >>> x.shape
    (6,)
    """
    a, b = to_arrays("jnp.linalg.tensorsolve", a, b)
    if axes is not None:
        a = jnp.moveaxis(a, axes, range(a.ndim - len(axes), a.ndim))
    rest = a.shape[b.ndim :]
    if a.shape[: b.ndim] != b.shape or math.prod(rest) != b.size:
        raise ValueError(
            format_error(
                f"tensorsolve: the first {b.ndim} axes of a {a.shape} have not as "
                "many elements as the rest"
            )
        )
    return solve(a.reshape(b.size, b.size), b.ravel()).reshape(rest)
