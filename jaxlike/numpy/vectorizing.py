"""vectorize: a function of small arrays, applied over the axes in front of them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection
from typing import Any

from jaxlike.core.errors import format_error
from jaxlike.numpy import manipulation
from jaxlike.numpy.creation import asarray
from jaxlike.numpy.promote import shape_of

__all__ = ["vectorize"]

_NAME = r"\w+"
_CORE = rf"\((?:{_NAME}(?:,{_NAME})*)?\)"
_LIST = rf"{_CORE}(?:,{_CORE})*"
_SIGNATURE = re.compile(rf"^{_LIST}->{_LIST}$")

CoreDims = tuple[str, ...]


def _parse(signature: str) -> tuple[list[CoreDims], list[CoreDims]]:
    text = re.sub(r"\s", "", signature)
    if not _SIGNATURE.match(text):
        raise ValueError(
            format_error(f"{signature!r} is no signature, such as (n,m),(m)->(n)")
        )

    def dims(side: str) -> list[CoreDims]:
        return [tuple(re.findall(_NAME, core)) for core in re.findall(_CORE, side)]

    ins, outs = text.split("->")
    return dims(ins), dims(outs)


def _match_sizes(
    sizes: dict[str, int], shape: tuple[int, ...], dims: CoreDims, context: str
) -> None:
    """Learn the sizes of the core axes of one argument or result."""
    if len(shape) < len(dims):
        raise ValueError(
            format_error(
                f"core dimensions {dims} do not fit an argument of shape {shape} "
                f"{context}"
            )
        )
    for name, size in zip(dims, shape[len(shape) - len(dims) :]):
        if name.isdigit():
            if int(name) != size:
                raise ValueError(
                    format_error(
                        f"size {size} of a core dimension is not {name} {context}"
                    )
                )
        elif sizes.setdefault(name, size) != size:
            raise ValueError(
                format_error(
                    f"inconsistent size for core dimension {name!r}: {size} vs "
                    f"{sizes[name]} {context}"
                )
            )


def vectorize(
    pyfunc: Callable[..., Any],
    *,
    excluded: Collection[int | str] = frozenset(),
    signature: str | None = None,
) -> Callable[..., Any]:
    """A function that broadcasts: `pyfunc` is applied to each element, by vmap.

    Args:
      pyfunc: a function of scalars, or of the small arrays that `signature` names.
      excluded: positions or names of arguments that are passed on as they are.
      signature: the axes of arguments and results, like '(n,m),(m)->(n)'.
    Raises: ValueError for a signature that cannot be read, or sizes that do not fit it.

    >>> import jaxlike.numpy as jnp
    >>> dot = jnp.vectorize(lambda a, b: (a * b).sum(), signature="(n),(n)->()")
    >>> dot(jnp.ones((2, 3)), jnp.arange(3.0)).tolist()
    [3.0, 3.0]
    """
    if any(not isinstance(e, (int, str)) for e in excluded):
        raise TypeError(
            format_error(
                f"vectorize: excluded holds numbers and names, got {excluded!r}"
            )
        )
    if any(isinstance(e, int) and e < 0 for e in excluded):
        raise ValueError(
            format_error(
                f"vectorize: excluded holds numbers from 0 on, got {excluded!r}"
            )
        )
    known = None if signature is None else _parse(signature)

    @functools.wraps(pyfunc)
    def wrapped(*args, **kwargs):
        context = f"on vectorized function with {excluded=!r} and {signature=!r}"
        fun, args, kwargs = _without_excluded(pyfunc, excluded, args, kwargs)
        names = tuple(kwargs)
        values = [asarray(a) for a in (*args, *kwargs.values())]

        def flat_fun(*flat):
            return fun(*flat[: len(args)], **dict(zip(names, flat[len(args) :])))

        if known is None:
            ins, outs = [()] * len(values), None
        else:
            ins, outs = known
            if len(ins) != len(values):
                raise TypeError(
                    format_error(
                        f"{len(values)} arguments were given, {len(ins)} are in the "
                        f"signature {context}"
                    )
                )
        sizes: dict[str, int] = {}
        for value, dims in zip(values, ins):
            _match_sizes(sizes, shape_of(value), dims, context)
        fronts = [v.shape[: v.ndim - len(d)] for v, d in zip(values, ins)]
        front = manipulation.broadcast_shapes(*fronts)
        checked = _checked(flat_fun, outs, sizes, context)
        return _over_front(checked, values, fronts, front)

    return wrapped


def _without_excluded(fun, excluded, args, kwargs):
    """The function with the excluded arguments bound, and the other arguments."""
    if not excluded:
        return fun, args, kwargs
    static = {i: a for i, a in enumerate(args) if i in excluded}
    static_kw = {k: v for k, v in kwargs.items() if k in excluded}
    dynamic = tuple(a for i, a in enumerate(args) if i not in static)
    dynamic_kw = {k: v for k, v in kwargs.items() if k not in static_kw}

    def rest(*xs, **kw):
        queue = iter(xs)
        whole = [static[i] if i in static else next(queue) for i in range(len(args))]
        return fun(*whole, **kw, **static_kw)

    return rest, dynamic, dynamic_kw


def _checked(fun, outs, sizes, context):
    if outs is None:
        return fun

    def checked(*args):
        result = fun(*args)
        results = result if isinstance(result, tuple) else (result,)
        if len(results) != len(outs):
            raise TypeError(
                format_error(
                    f"wrong number of output values: expected {len(outs)}, got "
                    f"{len(results)} {context}"
                )
            )
        for value, dims in zip(results, outs):
            shape = shape_of(value)
            if len(shape) != len(dims):
                raise ValueError(
                    format_error(
                        f"core dimensions {dims} do not fit a result of shape {shape} "
                        f"{context}"
                    )
                )
            _match_sizes(sizes, shape, dims, context)
        return result

    return checked


def _over_front(fun, values, fronts, front):
    """Apply `fun` to every element of the broadcast axes, the innermost one first."""
    from jaxlike.transforms.vmap import vmap

    rank = len(front)
    squeezed, in_axes = [], []
    for value, own in zip(values, fronts):
        # an axis of size 1 is the same for every element, so it need not be mapped
        padded = (1,) * (rank - len(own)) + own
        mapped = [n == m and n != 1 for n, m in zip(padded, front)]
        core = value.shape[len(own) :]
        kept = tuple(n for n, on in zip(padded, mapped) if on)
        squeezed.append(value.reshape(kept + core))
        in_axes.append(mapped)
    for axis in reversed(range(rank)):
        axes = tuple(0 if on[axis] else None for on in in_axes)
        if all(a is None for a in axes):
            fun = _with_axis(fun)
        else:
            fun = vmap(fun, in_axes=axes)
    return fun(*squeezed)


def _with_axis(fun):
    """A function whose results get an axis of size 1 in front."""

    def with_axis(*args):
        result = fun(*args)
        if isinstance(result, (tuple, list)):
            return type(result)(asarray(r)[None] for r in result)
        return asarray(result)[None]

    return with_axis
