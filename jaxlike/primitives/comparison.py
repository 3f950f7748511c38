"""eq, ne, lt, le, gt, ge: elementwise comparisons, and those of the total order.

eq_to, le_to and lt_to order floats totally, as sorting does: NaNs equal themselves and
come last by sign, and -0 comes before 0.
"""

from __future__ import annotations

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.primitives.rules import ANY, defjvp, elementwise
from jaxlike.primitives.types import ArrayLike

__all__ = [
    "eq",
    "eq_p",
    "eq_to_p",
    "ge",
    "ge_p",
    "gt",
    "gt_p",
    "le",
    "le_p",
    "le_to_p",
    "lt",
    "lt_p",
    "lt_to_p",
    "ne",
    "ne_p",
]

_ORDERED = ("bool", "integer", "floating")


def _to_bool(*dtypes_, **params):
    return dtypes.bool_


def _comparison(name, evaluate, accepts):
    primitive = elementwise(name, evaluate, accepts, nargs=2, result=_to_bool)
    defjvp(primitive, None, None)
    return primitive


def _key_words(x):
    """The uint32 words of keys, along a new last axis."""
    return x[x.dtype.names[0]]


def _eq_evaluate(x, y):
    if x.dtype.names:
        return (_key_words(x) == _key_words(y)).all(-1)
    return np.equal(x, y)


def _ne_evaluate(x, y):
    if x.dtype.names:
        return (_key_words(x) != _key_words(y)).any(-1)
    return np.not_equal(x, y)


def _total_order(ufunc):
    def evaluate(x, y):
        if dtypes.issubdtype(x.dtype, np.floating):
            x, y = _ordered_bits(x), _ordered_bits(y)
        return ufunc(x, y)

    return evaluate


def _ordered_bits(x):
    """Integers that sort as floats do: the bits of negative floats run backwards."""
    bits = np.asarray(x).view(f"i{x.dtype.itemsize}")
    return np.where(bits < 0, bits ^ np.iinfo(bits.dtype).max, bits)


eq_p = _comparison("eq", _eq_evaluate, (*ANY, "extended"))
ne_p = _comparison("ne", _ne_evaluate, (*ANY, "extended"))
lt_p = _comparison("lt", np.less, _ORDERED)
le_p = _comparison("le", np.less_equal, _ORDERED)
gt_p = _comparison("gt", np.greater, _ORDERED)
ge_p = _comparison("ge", np.greater_equal, _ORDERED)
eq_to_p = _comparison("eq_to", _total_order(np.equal), _ORDERED)
le_to_p = _comparison("le_to", _total_order(np.less_equal), _ORDERED)
lt_to_p = _comparison("lt_to", _total_order(np.less), _ORDERED)


def eq(x: ArrayLike, y: ArrayLike) -> Array:
    """x == y, elementwise, of arrays of one dtype; a bool array.

    >>> from jaxlike import lax
    >>> lax.eq(1, 2).item()
    False
    """
    return eq_p.bind(x, y)


def ne(x: ArrayLike, y: ArrayLike) -> Array:
    """x != y, elementwise, of arrays of one dtype; a bool array.

    >>> from jaxlike import lax
    >>> lax.ne(1, 2).item()
    True
    """
    return ne_p.bind(x, y)


def lt(x: ArrayLike, y: ArrayLike) -> Array:
    """x < y, elementwise, of arrays of one real or bool dtype; a bool array.

    >>> from jaxlike import lax
    >>> lax.lt(1, 2).item()
    True
    """
    return lt_p.bind(x, y)


def le(x: ArrayLike, y: ArrayLike) -> Array:
    """x <= y, elementwise, of arrays of one real or bool dtype; a bool array.

    >>> from jaxlike import lax
    >>> lax.le(1, 2).item()
    True
    """
    return le_p.bind(x, y)


def gt(x: ArrayLike, y: ArrayLike) -> Array:
    """x > y, elementwise, of arrays of one real or bool dtype; a bool array.

    >>> from jaxlike import lax
    >>> lax.gt(1, 2).item()
    False
    """
    return gt_p.bind(x, y)


def ge(x: ArrayLike, y: ArrayLike) -> Array:
    """x >= y, elementwise, of arrays of one real or bool dtype; a bool array.

    >>> from jaxlike import lax
    >>> lax.ge(1, 2).item()
    False
    """
    return ge_p.bind(x, y)
