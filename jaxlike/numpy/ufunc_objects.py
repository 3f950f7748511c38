"""ufunc: a function of scalars with its reduce, accumulate, at, outer and reduceat.

`jnp.add` and its kin are ufuncs whose methods are the fitting reductions and scatters;
those of `frompyfunc` run loops over the function.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import filter_traceback
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    check_arraylike,
    check_arraylike_or_none,
    convert,
    to_arrays,
    user_dtype,
)
from jaxlike.primitives.axes import canonical_axis

_AT_HINT = (
    "Arrays are immutable, so jnp.ufunc.at() cannot work in place as np.ufunc.at() "
    "does. Pass inplace=False and keep the result:\n"
    ">>> arr = jnp.{name}.at(arr, ind, val, inplace=False)"
)


class ufunc:
    """A function that is applied element by element, with broadcasting.

    Args:
      func: a function of `nin` scalars that returns `nout` scalars.
      identity: what a reduction of no elements gives; None if there is no such value.
      call, reduce, accumulate, at, reduceat: ready-made ways, in place of loops.

    >>> import jaxlike.numpy as jnp
    >>> jnp.add.reduce(jnp.arange(4)).item()
    6
    """

    __module__ = "jaxlike.numpy"

    def __init__(
        self,
        func: Callable[..., Any],
        /,
        nin: int,
        nout: int,
        *,
        name: str | None = None,
        nargs: int | None = None,
        identity: Any = None,
        call: Callable[..., Any] | None = None,
        reduce: Callable[..., Any] | None = None,
        accumulate: Callable[..., Any] | None = None,
        at: Callable[..., Any] | None = None,
        reduceat: Callable[..., Any] | None = None,
    ):
        self.__name__ = name or func.__name__
        self.__qualname__ = self.__name__
        self.__doc__ = func.__doc__
        self.__wrapped__ = func
        self.nin = operator.index(nin)
        self.nout = operator.index(nout)
        self.nargs = self.nin if nargs is None else operator.index(nargs)
        self.identity = identity
        self._func = func
        self._call = call
        self._reduce = reduce
        self._accumulate = accumulate
        self._at = at
        self._reduceat = reduceat

    def __repr__(self) -> str:
        return f"<jnp.ufunc '{self.__name__}'>"

    def __hash__(self) -> int:
        return hash((self._func, self.__name__, self.nin, self.nout, self._call))

    def __eq__(self, other: Any) -> bool:
        return self is other or (
            isinstance(other, ufunc)
            and (self._func, self.__name__, self.nin, self.nout, self._call)
            == (other._func, other.__name__, other.nin, other.nout, other._call)
        )

    def __reduce__(self):
        import jaxlike.numpy as jnp

        if getattr(jnp, self.__name__, None) is self:
            return _by_name, (self.__name__,)
        return super().__reduce__()

    def __call__(self, *args: ArrayLike, out: None = None, where: None = None) -> Any:
        if out is not None:
            raise NotImplementedError(format_error(f"out argument of {self}"))
        if where is not None:
            raise NotImplementedError(format_error(f"where argument of {self}"))
        if self._call is None:
            self._call = self._vectorized()
        try:
            return self._call(*args)
        except Exception as error:
            filter_traceback(error)
            raise

    def _vectorized(self) -> Callable[..., Any]:
        from jaxlike.numpy.vectorizing import vectorize

        return vectorize(self._func)

    def _check(self, method: str, out: Any = None) -> None:
        if self.nin != 2:
            raise ValueError(format_error(f"{method} is for ufuncs of two arguments"))
        if self.nout != 1:
            raise ValueError(format_error(f"{method} is for ufuncs of one result"))
        if out is not None:
            raise NotImplementedError(
                format_error(f"out argument of {self.__name__}.{method}()")
            )

    def reduce(
        self,
        a: ArrayLike,
        axis: int | None = 0,
        dtype: DTypeLike | None = None,
        out: None = None,
        keepdims: bool = False,
        initial: ArrayLike | None = None,
        where: ArrayLike | None = None,
    ) -> Array:
        """Fold the function over an axis (all axes for None), from the left.

        Returns: `a` without the axis, or with size 1 there if `keepdims`.
        Raises: ValueError for no elements, or `where`, without identity or `initial`.

        >>> import jaxlike.numpy as jnp
        >>> jnp.multiply.reduce(jnp.arange(1, 5)).item()
        24
        """
        check_arraylike(f"{self.__name__}.reduce", a)
        self._check("reduce", out)
        if initial is not None:
            check_arraylike(f"{self.__name__}.reduce", initial)
        if where is not None:
            check_arraylike(f"{self.__name__}.reduce", where)
            if self.identity is None and initial is None:
                raise ValueError(
                    format_error(
                        f"{self.__name__} of no elements has no value, so where= "
                        "needs initial="
                    )
                )
            if get_aval(where).dtype != np.bool_:
                raise ValueError(
                    format_error(f"where is a mask of booleans, got {where.dtype}")
                )
        how = self._reduce or self._reduce_by_scan
        return how(
            a, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where
        )

    def _reduce_by_scan(self, arr, axis, dtype, keepdims, initial, where):
        from jaxlike.control_flow.while_loop import fori_loop
        from jaxlike.numpy import creation, manipulation, searching

        if isinstance(axis, tuple):
            raise NotImplementedError(format_error("tuple of axes"))
        [arr] = to_arrays(f"{self.__name__}.reduce", arr)
        final_shape: tuple[int, ...]
        if axis is None:
            final_shape = (1,) * arr.ndim
            if where is not None:
                where = manipulation.ravel(manipulation.broadcast_to(where, arr.shape))
            arr = manipulation.ravel(arr)
            axis = 0
        else:
            axis = canonical_axis(axis, arr.ndim)
            final_shape = tuple(1 if i == axis else n for i, n in enumerate(arr.shape))
        dtype = self._result_dtype(arr, dtype)
        size = arr.shape[axis]
        arr = convert(manipulation.moveaxis(arr, axis, 0), dtype)
        if where is not None:
            shape = arr.shape[1:]
            full = (*shape[:axis], size, *shape[axis:])
            where = manipulation.moveaxis(
                manipulation.broadcast_to(where, full), axis, 0
            )
        if initial is not None:
            carry = manipulation.broadcast_to(
                creation.asarray(initial, dtype), arr.shape[1:]
            )
        elif self.identity is not None:
            carry = creation.full(arr.shape[1:], self.identity, dtype)
        elif size == 0:
            raise ValueError(
                format_error(
                    f"{self.__name__} of no elements has no value", try_="initial="
                )
            )
        else:
            carry, arr, size = arr[0], arr[1:], size - 1

        def body(i, carry):
            value = convert(self(carry, arr[i]), dtype)
            return value if where is None else searching.where(where[i], value, carry)

        out = fori_loop(0, size, body, carry) if size else carry
        return manipulation.reshape(out, final_shape) if keepdims else out

    def _result_dtype(self, arr, dtype):
        if dtype is not None:
            return user_dtype(dtype, f"{self.__name__}")
        from jaxlike.transforms.make_jaxpr import eval_shape

        one = eval_shape(self, *[np.zeros((), arr.dtype)] * self.nin)
        return one.dtype

    def accumulate(
        self,
        a: ArrayLike,
        axis: int = 0,
        dtype: DTypeLike | None = None,
        out: None = None,
    ) -> Array:
        """All partial results of `reduce`: of 1, 2, ... elements of the axis.

        Returns: an array of the shape of `a`.

        >>> import jaxlike.numpy as jnp
        >>> jnp.add.accumulate(jnp.arange(4)).tolist()
        [0, 1, 3, 6]
        """
        check_arraylike(f"{self.__name__}.accumulate", a)
        self._check("accumulate", out)
        how = self._accumulate or self._accumulate_by_scan
        return how(a, axis=axis, dtype=dtype)

    def _accumulate_by_scan(self, arr, axis, dtype):
        from jaxlike.control_flow.scan import scan
        from jaxlike.numpy import joining, manipulation

        [arr] = to_arrays(f"{self.__name__}.accumulate", arr)
        if axis is None or isinstance(axis, tuple):
            raise ValueError(format_error("accumulate goes along one axis"))
        axis = canonical_axis(axis, arr.ndim)
        dtype = self._result_dtype(arr, dtype)
        arr = convert(manipulation.moveaxis(arr, axis, 0), dtype)
        if arr.shape[0] == 0:
            return manipulation.moveaxis(arr, 0, axis)

        def body(carry, x):
            value = convert(self(carry, x), dtype)
            return value, value

        first = arr[:1]
        _, rest = scan(body, arr[0], arr[1:])
        return manipulation.moveaxis(joining.concatenate([first, rest]), 0, axis)

    def at(
        self,
        a: ArrayLike,
        indices: Any,
        b: ArrayLike | None = None,
        /,
        *,
        inplace: bool = True,
    ) -> Array:
        """`a` with the function applied to the elements at `indices`, one by one.

        Args: `inplace` has to be False, since arrays do not change.
        Raises: NotImplementedError if `inplace`.

        >>> import jaxlike.numpy as jnp
        >>> ones = jnp.ones(3)
        >>> jnp.add.at(ones, jnp.array([0, 0]), 2.0, inplace=False).tolist()
        [5.0, 1.0, 1.0]
        """
        if inplace:
            raise NotImplementedError(_AT_HINT.format(name=self.__name__))
        if self._at is None:
            return self._at_by_scan(a, indices, b)
        return self._at(a, indices) if b is None else self._at(a, indices, b)

    def _at_by_scan(self, a, indices, b):
        from jaxlike.control_flow.scan import scan
        from jaxlike.numpy import creation, manipulation

        check_arraylike(f"{self.__name__}.at", a)
        check_arraylike_or_none(f"{self.__name__}.at", b)
        a = creation.asarray(a)
        dtype = get_aval(a).dtype
        if b is not None:
            dtype = dtypes.lattice_result_type(a, b)[0]
            a = convert(a, dtype)
        if not isinstance(indices, tuple):
            indices = (indices,)
        # every update's position, in the order in which NumPy applies them
        positions = creation.arange_int(a.size).reshape(a.shape)[indices]
        flat = a.reshape(-1)
        where = positions.reshape(-1)
        if b is None:
            xs = (where,)
        else:
            b = manipulation.broadcast_to(creation.asarray(b), positions.shape)
            xs = (where, b.reshape(-1))

        def body(carry, x):
            i, *rest = x
            value = convert(self(carry[i], *rest), dtype)
            return carry.at[i].set(value), None

        out, _ = scan(body, flat, xs)
        return out.reshape(a.shape)

    def outer(self, A: ArrayLike, B: ArrayLike, /) -> Array:
        """The function of every pair of an element of `A` and one of `B`.

        Returns: an array of shape `A.shape + B.shape`.

        >>> import jaxlike.numpy as jnp
        >>> jnp.multiply.outer(jnp.arange(2), jnp.arange(3)).tolist()
        [[0, 0, 0], [0, 1, 2]]
        """
        self._check("outer")
        A, B = to_arrays(f"{self.__name__}.outer", A, B)
        return self(A.reshape(A.shape + (1,) * B.ndim), B)

    def reduceat(
        self,
        a: ArrayLike,
        indices: Any,
        axis: int = 0,
        dtype: DTypeLike | None = None,
        out: None = None,
    ) -> Array:
        """Reduce the slices of the axis that begin at each of `indices`.

        A slice ends where the next begins; if that is not later, it is one element.
        Raises: ValueError unless `indices` is a vector of integers.

        >>> import jaxlike.numpy as jnp
        >>> jnp.add.reduceat(jnp.arange(6), jnp.array([0, 3])).tolist()
        [3, 12]
        """
        self._check("reduceat", out)
        check_arraylike(f"{self.__name__}.reduceat", a, indices)
        if axis is None or isinstance(axis, (tuple, list)):
            raise ValueError(format_error("reduceat goes along one axis"))
        from jaxlike.numpy import creation

        a, indices = creation.asarray(a), creation.asarray(indices)
        if indices.ndim != 1:
            raise ValueError(
                format_error(
                    f"reduceat: indices must be a vector, got shape {indices.shape}"
                )
            )
        if not dtypes.issubdtype(indices.dtype, np.integer):
            raise ValueError(format_error("reduceat: indices must be integers"))
        how = self._reduceat or self._reduceat_by_scan
        return how(a, indices, axis=axis, dtype=dtype)

    def _reduceat_by_scan(self, a, indices, axis, dtype):
        from jaxlike.control_flow.while_loop import fori_loop
        from jaxlike.numpy import creation, joining, manipulation, searching

        axis = canonical_axis(axis, a.ndim)
        a = manipulation.moveaxis(a, axis, 0)
        size = a.shape[0]
        ends = joining.append(indices[1:], creation.full(1, size, indices.dtype))
        ends = searching.where(ends <= indices, indices + 1, ends)
        lead = (-1,) + (1,) * (a.ndim - 1)
        first = a.at[indices].get(mode="fill")

        def body(i, carry):
            at = i + indices
            value = self(carry, a.at[at].get(mode="fill"))
            return searching.where(manipulation.reshape(at < ends, lead), value, carry)

        out = fori_loop(1, size, body, first)
        return manipulation.moveaxis(out, 0, axis)


class binary_ufunc(ufunc):
    """A built-in ufunc of two arguments: as `ufunc`, with a cheaper call."""

    __module__ = "jaxlike.numpy"

    def __init__(self, func, *, call, **ways):
        super().__init__(func, nin=2, nout=1, call=call, **ways)

    def __call__(self, x, y, /, *, out: None = None, where: None = None) -> Any:
        if out is None and where is None:
            try:
                return self._call(x, y)
            except Exception as error:
                filter_traceback(error)
                raise
        return ufunc.__call__(self, x, y, out=out, where=where)


def _by_name(name: str) -> ufunc:
    import jaxlike.numpy as jnp

    return getattr(jnp, name)


def frompyfunc(
    func: Callable[..., Any], /, nin: int, nout: int, *, identity: Any = None
) -> ufunc:
    """A ufunc from a function of scalars that can be traced.

    Args: `nin`, `nout`, its numbers of arguments and results; `identity`, the value of
    a reduction of nothing, if there is one.

    >>> import jaxlike.numpy as jnp
    >>> worse = jnp.frompyfunc(lambda x, y: x * y + 1, 2, 1)
    >>> worse(jnp.arange(3), 2).tolist()
    [1, 3, 5]
    """
    return ufunc(func, nin=nin, nout=nout, identity=identity)
