"""What the transforms' user functions share: argnums, names, flat functions."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jaxlike.core import tree
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error


def fun_name(fun: Callable) -> str:
    """The function's name for messages."""
    name = getattr(fun, "__name__", None)
    if name is None and hasattr(fun, "func"):  # functools.partial
        return fun_name(fun.func)
    return name or type(fun).__name__


def check_callable(fun: Any, transform: str) -> None:
    if not callable(fun):
        raise TypeError(
            format_error(f"{transform} takes a function, but got {a_value(fun)}")
        )


def as_argnums(argnums: int | Iterable[int], what: str) -> tuple[int, ...]:
    """argnums as a tuple of ints."""
    try:
        return (operator.index(argnums),)
    except TypeError:
        pass
    try:
        return tuple(operator.index(i) for i in argnums)
    except TypeError:
        raise TypeError(
            format_error(f"{what} is an int or several, got {argnums!r}")
        ) from None


def signature_of(fun: Callable) -> inspect.Signature | None:
    try:
        return inspect.signature(fun)
    except (ValueError, TypeError):
        return None


def resolve_names(
    fun: Callable, argnums: Any, argnames: Any, what: str
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Numbers and names of the arguments meant, each completed from the other.

    `what` is "static_arg" or "donate_arg", for messages.
    """
    if argnums is None and argnames is None:
        return (), ()
    nums = () if argnums is None else as_argnums(argnums, what + "nums")
    names: tuple[str, ...]
    if argnames is None:
        names = ()
    else:
        names = (argnames,) if isinstance(argnames, str) else tuple(argnames)
        if not all(isinstance(n, str) for n in names):
            raise TypeError(
                format_error(f"{what}names must be strings, got {argnames!r}")
            )
    signature = signature_of(fun)
    if signature is None:
        return nums, names
    parameters = list(signature.parameters.values())
    positional = [
        p.name
        for p in parameters
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    takes_varargs = any(p.kind == p.VAR_POSITIONAL for p in parameters)
    takes_varkw = any(p.kind == p.VAR_KEYWORD for p in parameters)
    for i in nums:
        if not takes_varargs and not -len(positional) <= i < len(positional):
            raise ValueError(
                format_error(
                    f"{what}nums={argnums!r} does not fit {fun_name(fun)}, which has "
                    f"{len(positional)} positional arguments",
                    details=[", ".join(positional)] if positional else [],
                    try_=f"{what}names for arguments that are given by name",
                )
            )
    known = {p.name for p in parameters if p.kind != p.POSITIONAL_ONLY}
    for name in names:
        if name not in known and not takes_varkw:
            raise ValueError(
                format_error(
                    f"{what}names={argnames!r} does not fit {fun_name(fun)}, which has "
                    f"no argument {name!r}",
                    details=[f"it takes {', '.join(p.name for p in parameters)}"],
                )
            )
    if not takes_varargs:
        nums = tuple(i + len(positional) if i < 0 else i for i in nums)
    if argnums is None:
        nums = tuple(
            positional.index(n) for n in names if n in positional and n in known
        )
    elif argnames is None:
        names = tuple(
            positional[i]
            for i in nums
            if 0 <= i < len(positional)
            and parameters[i].kind is not inspect.Parameter.POSITIONAL_ONLY
        )
    return nums, names


def positional_names(fun: Callable, count: int) -> list[str]:
    """Names for `count` positional arguments, as the signature has them."""
    signature = signature_of(fun)
    names: list[str] = []
    if signature is not None:
        for parameter in signature.parameters.values():
            if parameter.kind in (
                parameter.POSITIONAL_ONLY,
                parameter.POSITIONAL_OR_KEYWORD,
            ):
                names.append(parameter.name)
            elif parameter.kind == parameter.VAR_POSITIONAL:
                start = len(names)
                names += [f"{parameter.name}[{i - start}]" for i in range(start, count)]
    names += [f"args[{i}]" for i in range(len(names), count)]
    return names[:count]


def leaf_names(fun: Callable, args: Sequence[Any], kwargs: dict[str, Any]) -> list[str]:
    """A name for each leaf of the arguments: `params['w']`, `x`, ..."""
    names: list[str] = []
    for name, arg in zip(positional_names(fun, len(args)), args):
        names += [
            name + tree.keystr(path) for path, _ in tree.flatten_with_path(arg)[0]
        ]
    for name in sorted(kwargs):
        names += [
            name + tree.keystr(path)
            for path, _ in tree.flatten_with_path(kwargs[name])[0]
        ]
    return names


def check_operands(
    fun: Callable, args, kwargs, leaves: Sequence[Any], which: Sequence[bool] = ()
) -> None:
    """Raise TypeError naming the first leaf (of those in `which`) that is no array."""
    for i, leaf in enumerate(leaves):
        if which and not which[i]:
            continue
        try:
            get_aval(leaf)
        except TypeError:
            names = leaf_names(fun, args, kwargs)
            name = names[i] if i < len(names) else "?"
            raise TypeError(
                format_error(
                    f"{fun_name(fun)} takes arrays and Python numbers, but {name} is "
                    f"{a_value(leaf)}",
                    try_="static_argnums / static_argnames of jit for what is no "
                    "array; closing over it, for other transforms",
                )
            ) from None


def a_value(x: Any) -> str:
    """`'adam' (str)`: a value that is no array, in a message."""
    text = repr(x)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(x).__name__})"


class FlatFunction:
    """A function of flat leaves; remembers the structure of the last result."""

    __slots__ = ("fun", "in_tree", "out_tree")

    def __init__(self, fun: Callable, in_tree: Any):
        self.fun = fun
        self.in_tree = in_tree
        self.out_tree: Any = None

    @property
    def __name__(self) -> str:
        return fun_name(self.fun)

    def __call__(self, *leaves: Any) -> list[Any]:
        args, kwargs = tree.unflatten(self.in_tree, leaves)
        out = self.fun(*args, **kwargs)
        flat, self.out_tree = tree.flatten(out)
        return flat


def check_outputs(fun: Callable, leaves: Sequence[Any], out_tree: Any) -> None:
    """Raise TypeError naming the first output leaf that is no array."""
    for i, leaf in enumerate(leaves):
        try:
            get_aval(leaf)
        except TypeError:
            filled = tree.unflatten(out_tree, range(len(leaves)))
            path = next(p for p, j in tree.flatten_with_path(filled)[0] if j == i)
            where = tree.keystr(path)
            raise TypeError(
                format_error(
                    f"{fun_name(fun)} must return arrays and Python numbers, but its "
                    f"result{where} is {a_value(leaf)}",
                    try_="has_aux=True of grad for what is no array"
                    if isinstance(leaf, str)
                    else None,
                )
            ) from None
