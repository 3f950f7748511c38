"""Which types are pytree nodes, and how each is taken apart and put together.

tuple, list, dict and None are known to `treedef.py` by heart; the rest is looked up
here by exact type. Registering is also part of the users' API (`tree_util`).
"""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from jaxlike.core.errors import format_error
from jaxlike.core.tree_keys import DictKey, GetAttrKey

C = TypeVar("C", bound=type)
Flattened = tuple[Iterable[Any], Any]


class NodeType(NamedTuple):
    """`flatten(x) -> (children, aux)`, `unflatten(aux, children) -> x`."""

    flatten: Callable[[Any], Flattened]
    unflatten: Callable[[Any, Any], Any]
    flatten_with_keys: Callable[[Any], Flattened] | None = None


node_types: dict[type, NodeType] = {}
# types seen as leaves: lets flatten test a whole container at once, in C
leaf_types: set[type] = set()
_LEAF_TYPES_LIMIT = 4096


def is_namedtuple(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def note_leaf_type(cls: type) -> None:
    """Remember that `cls` is a leaf; bounded, since it keeps the class alive."""
    if len(leaf_types) >= _LEAF_TYPES_LIMIT:
        leaf_types.clear()
    leaf_types.add(cls)


def is_node_type(cls: type) -> bool:
    return cls in node_types or cls in _BUILTIN or is_namedtuple(cls)


_BUILTIN = (tuple, list, dict, type(None))


def register_pytree_node(
    nodetype: type,
    flatten_func: Callable[[Any], Flattened],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_with_keys_func: Callable[[Any], Flattened] | None = None,
) -> None:
    """Make the instances of a class pytree nodes.

    Args:
      nodetype: the class; its subclasses are not included.
      flatten_func: x -> (children, aux); aux is hashable and part of the structure.
      unflatten_func: (aux, children) -> x.
      flatten_with_keys_func: x -> ((key, child) pairs, aux).
    Raises:
      ValueError: the class is a node already.

    >>> import jaxlike
    >>> class Box:
    ...     def __init__(self, x): self.x = x
    >>> jaxlike.tree_util.register_pytree_node(
    ...     Box, lambda b: ((b.x,), None), lambda _, kids: Box(*kids))
    >>> jaxlike.tree.leaves([Box(1), Box((2, 3))])
    [1, 2, 3]
    """
    if not isinstance(nodetype, type):
        raise TypeError(
            format_error(f"nodetype must be a class, got {nodetype!r:.200}")
        )
    for what, fun in (("flatten", flatten_func), ("unflatten", unflatten_func)):
        if not callable(fun):
            raise TypeError(format_error(f"{what}_func must be callable, got {fun!r}"))
    if nodetype in node_types or nodetype in _BUILTIN:
        raise ValueError(
            format_error(f"Duplicate custom PyTreeDef type registration for {nodetype}")
        )
    node_types[nodetype] = NodeType(
        flatten_func, unflatten_func, flatten_with_keys_func
    )
    leaf_types.discard(nodetype)


def register_pytree_node_class(cls: C) -> C:
    """Decorate a class with `tree_flatten` and a classmethod `tree_unflatten`.

    >>> import jaxlike
    >>> @jaxlike.tree_util.register_pytree_node_class
    ... class Pair:
    ...     def __init__(self, a, b): self.a, self.b = a, b
    ...     def tree_flatten(self): return (self.a, self.b), None
    ...     @classmethod
    ...     def tree_unflatten(cls, aux, children): return cls(*children)
    >>> jaxlike.tree.leaves(Pair(1, 2))
    [1, 2]
    """
    register_pytree_node(cls, lambda x: x.tree_flatten(), cls.tree_unflatten)
    return cls


def register_pytree_with_keys(
    nodetype: type,
    flatten_with_keys: Callable[[Any], Flattened],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_func: Callable[[Any], Flattened] | None = None,
) -> None:
    """As register_pytree_node, by a flatten that gives (key, child) pairs.

    >>> import jaxlike
    >>> from jaxlike.tree_util import GetAttrKey
    >>> class Point:
    ...     def __init__(self, x): self.x = x
    >>> jaxlike.tree_util.register_pytree_with_keys(
    ...     Point, lambda p: ([(GetAttrKey("x"), p.x)], None),
    ...     lambda _, kids: Point(*kids))
    >>> jaxlike.tree.leaves_with_path(Point(7))
    [((GetAttrKey(name='x'),), 7)]
    """
    if flatten_func is None:

        def flatten_func(x: Any) -> Flattened:
            pairs, aux = flatten_with_keys(x)
            return [child for _, child in pairs], aux

    register_pytree_node(nodetype, flatten_func, unflatten_func, flatten_with_keys)


def register_pytree_with_keys_class(cls: C) -> C:
    """As register_pytree_node_class, for a class with `tree_flatten_with_keys`.

    >>> import jaxlike
    >>> from jaxlike.tree_util import GetAttrKey
    >>> @jaxlike.tree_util.register_pytree_with_keys_class
    ... class Scale:
    ...     def __init__(self, s): self.s = s
    ...     def tree_flatten_with_keys(self): return [(GetAttrKey("s"), self.s)], None
    ...     @classmethod
    ...     def tree_unflatten(cls, aux, children): return cls(*children)
    >>> jaxlike.tree.leaves_with_path(Scale(2))
    [((GetAttrKey(name='s'),), 2)]
    """
    flatten = getattr(cls, "tree_flatten", None)
    register_pytree_with_keys(
        cls,
        lambda x: x.tree_flatten_with_keys(),
        cls.tree_unflatten,
        None if flatten is None else lambda x: x.tree_flatten(),
    )
    return cls


def register_dataclass(
    nodetype: C | None = None,
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
    drop_fields: Sequence[str] = (),
) -> C:
    """Make a dataclass a pytree node; usable as a decorator.

    Args:
      nodetype: the class.
      data_fields: names of the fields that are children. By default all
        whose metadata does not say `static=True`.
      meta_fields: names of the fields that belong to the structure (hashable).
      drop_fields: fields with defaults that are in neither.
    Raises:
      TypeError: only one of data_fields and meta_fields is given, or the class is no
        dataclass and both are missing.
      ValueError: the names are not the fields that `__init__` takes.

    >>> import jaxlike, dataclasses
    >>> @jaxlike.tree_util.register_dataclass
    ... @dataclasses.dataclass
    ... class Layer:
    ...     w: object
    ...     name: str = dataclasses.field(metadata=dict(static=True))
    >>> jaxlike.tree.leaves_with_path(Layer(1.0, "first"))
    [((GetAttrKey(name='w'),), 1.0)]
    """
    if nodetype is None:
        return functools.partial(  # type: ignore[return-value]
            register_dataclass,
            data_fields=data_fields,
            meta_fields=meta_fields,
            drop_fields=drop_fields,
        )
    if (data_fields is None) != (meta_fields is None):
        raise TypeError(
            format_error(
                "register_dataclass: data_fields and meta_fields must be given together"
            )
        )
    if data_fields is None or meta_fields is None:
        if not dataclasses.is_dataclass(nodetype):
            raise TypeError(
                format_error(
                    "register_dataclass needs data_fields and meta_fields for "
                    f"{nodetype}, which is no dataclass"
                )
            )
        fields = [f for f in dataclasses.fields(nodetype) if f.name not in drop_fields]
        data_fields = [f.name for f in fields if not f.metadata.get("static", False)]
        meta_fields = [f.name for f in fields if f.metadata.get("static", False)]
    data, meta = tuple(data_fields), tuple(meta_fields)
    if dataclasses.is_dataclass(nodetype):
        _check_fields(nodetype, data, meta, tuple(drop_fields))

    def flatten(x: Any) -> Flattened:
        return [getattr(x, n) for n in data], tuple([getattr(x, n) for n in meta])

    def flatten_with_keys(x: Any) -> Flattened:
        pairs = [(GetAttrKey(n), getattr(x, n)) for n in data]
        return pairs, tuple([getattr(x, n) for n in meta])

    def unflatten(aux: Any, children: Any) -> Any:
        return nodetype(**dict(zip(meta, aux)), **dict(zip(data, children)))

    register_pytree_node(nodetype, flatten, unflatten, flatten_with_keys)
    return nodetype


def _check_fields(
    cls: Any, data: tuple[str, ...], meta: tuple[str, ...], drop: tuple[str, ...]
) -> None:
    init = {f.name for f in dataclasses.fields(cls) if f.init}
    given = {*data, *meta}
    problems = []
    if both := set(data) & set(meta):
        problems.append(f"in both: {', '.join(sorted(both))}")
    if missing := init - given - set(drop):
        problems.append(f"missing: {', '.join(sorted(missing))}")
    if extra := given - init:
        problems.append(f"not fields of __init__: {', '.join(sorted(extra))}")
    if problems:
        raise ValueError(
            format_error(
                f"data_fields and meta_fields of {cls.__name__} must name every field "
                f"that __init__ takes; {'; '.join(problems)}"
            )
        )


def register_static(cls: C) -> C:
    """Make instances nodes without leaves: part of the structure, compared by `==`.

    >>> import jaxlike
    >>> @jaxlike.tree_util.register_static
    ... class Name(str): pass
    >>> jaxlike.tree.leaves([Name("a"), 1])
    [1]
    """
    register_pytree_node(cls, lambda x: ((), x), lambda x, _: x, lambda x: ((), x))
    return cls


class Partial(functools.partial):
    """functools.partial as a pytree: arguments are children, the function is not.

    >>> import jaxlike
    >>> add_one = jaxlike.tree_util.Partial(lambda a, b: a + b, 1.0)
    >>> jaxlike.tree.leaves(add_one), add_one(2.0)
    ([1.0], 3.0)
    """

    __module__ = "jaxlike.tree_util"

    def __new__(cls, func: Callable[..., Any], /, *args: Any, **kw: Any) -> Partial:
        if isinstance(func, functools.partial):
            func = _Wrapped(func)
        return super().__new__(cls, func, *args, **kw)


class _Wrapped:
    """A partial inside a Partial, which functools would merge with it."""

    def __init__(self, fun: functools.partial[Any]):
        self.fun = fun

    def __call__(self, *args: Any, **kw: Any) -> Any:
        return self.fun(*args, **kw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Wrapped) and self.fun == other.fun

    def __hash__(self) -> int:
        return hash(self.fun)

    def __repr__(self) -> str:
        return repr(self.fun)


def _unflatten_partial(func: Any, children: Any) -> Partial:
    args, kw = children
    return Partial(func, *args, **kw)


register_pytree_node(
    Partial, lambda p: ((p.args, p.keywords), p.func), _unflatten_partial
)


def _dict_pairs(x: Any) -> list[tuple[Any, Any]]:
    return [(DictKey(k), v) for k, v in x.items()]


register_pytree_node(
    collections.OrderedDict,
    lambda d: (tuple(d.values()), tuple(d)),
    lambda keys, children: collections.OrderedDict(zip(keys, children)),
    lambda d: (_dict_pairs(d), tuple(d)),
)


def sorted_keys(x: dict[Any, Any]) -> list[Any]:
    """The keys of a dict in the order in which its values are flattened."""
    try:
        return sorted(x)
    except TypeError as error:
        raise ValueError(
            format_error(
                "the keys of a dict that is a pytree must be sortable, got "
                + ", ".join(sorted({type(k).__name__ for k in x}))
                + f": {error}",
                try_="keys of one type, or a collections.OrderedDict",
            )
        ) from None


def _default_aux(d: collections.defaultdict[Any, Any]) -> Any:
    return d.default_factory, tuple(sorted_keys(d))


register_pytree_node(
    collections.defaultdict,
    lambda d: (tuple([d[k] for k in sorted_keys(d)]), _default_aux(d)),
    lambda aux, children: collections.defaultdict(aux[0], zip(aux[1], children)),
    lambda d: ([(DictKey(k), d[k]) for k in sorted_keys(d)], _default_aux(d)),
)
