"""Pytrees: everything that core and the transforms do with them, in one place.

`treedef.py` holds flatten and PyTreeDef, `tree_registry.py` the node types,
`tree_keys.py` the key path entries, `tree_errors.py` comparisons for messages;
`tree_program.py` makes code for a structure that is seen at every call.
"""

from __future__ import annotations

import builtins
import dataclasses
import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from jaxlike.core.errors import format_error
from jaxlike.core.tree_errors import (
    broadcast_prefix as broadcast_prefix,
)
from jaxlike.core.tree_errors import describe_mismatch as describe_mismatch
from jaxlike.core.tree_errors import equality_errors as equality_errors
from jaxlike.core.tree_errors import mismatch_message
from jaxlike.core.tree_errors import prefix_errors as prefix_errors
from jaxlike.core.tree_keys import DictKey as DictKey
from jaxlike.core.tree_keys import FlattenedIndexKey as FlattenedIndexKey
from jaxlike.core.tree_keys import GetAttrKey as GetAttrKey
from jaxlike.core.tree_keys import KeyEntry as KeyEntry
from jaxlike.core.tree_keys import KeyPath as KeyPath
from jaxlike.core.tree_keys import SequenceKey as SequenceKey
from jaxlike.core.tree_keys import keystr as keystr
from jaxlike.core.tree_paths import children_with_keys as children_with_keys
from jaxlike.core.tree_paths import flatten_with_path as flatten_with_path
from jaxlike.core.tree_paths import leaf_paths as leaf_paths
from jaxlike.core.tree_program import TreeProgram as TreeProgram
from jaxlike.core.tree_registry import Partial as Partial
from jaxlike.core.tree_registry import is_node_type as is_node_type
from jaxlike.core.tree_registry import register_dataclass as register_dataclass
from jaxlike.core.tree_registry import register_pytree_node as register_pytree_node
from jaxlike.core.tree_registry import (
    register_pytree_node_class as register_pytree_node_class,
)
from jaxlike.core.tree_registry import (
    register_pytree_with_keys as register_pytree_with_keys,
)
from jaxlike.core.tree_registry import (
    register_pytree_with_keys_class as register_pytree_with_keys_class,
)
from jaxlike.core.tree_registry import register_static as register_static
from jaxlike.core.treedef import (
    IsLeaf,
    build,
    make_treedef,
    one_level,
    split,
)
from jaxlike.core.treedef import PyTreeDef as PyTreeDef
from jaxlike.core.treedef import flatten as flatten
from jaxlike.core.treedef import flatten_node as flatten_node
from jaxlike.core.treedef import leaf_treedef as leaf_treedef

T = TypeVar("T")
_UNSET: Any = type("Unspecified", (), {"__repr__": lambda self: "<no value>"})()


def unflatten(treedef: PyTreeDef, leaves: Iterable[Any]) -> Any:
    """The tree with the given structure and leaves.

    Raises: ValueError if the number of leaves is wrong.

    >>> import jaxlike
    >>> jaxlike.tree.unflatten(jaxlike.tree.structure([0, (0,)]), [1, 2])
    [1, (2,)]
    """
    return treedef.unflatten(leaves)


def leaves(tree: Any, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves from left to right; dicts by sorted key, None has no leaf.

    >>> import jaxlike
    >>> jaxlike.tree.leaves({"b": 2, "a": (1, None)})
    [1, 2]
    """
    if is_leaf is None:
        out: list[Any] = []
        flatten_node(tree, out)
        return out
    return flatten(tree, is_leaf)[0]


def structure(tree: Any, is_leaf: IsLeaf = None) -> PyTreeDef:
    """The tree without its leaves.

    >>> import jaxlike
    >>> jaxlike.tree.structure([1, (2, None)])
    PyTreeDef([*, (*, None)])
    """
    return flatten(tree, is_leaf)[1]


def map(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: IsLeaf = None) -> Any:
    """Apply `f` to each leaf, and to what the other trees have at that place.

    Args:
      f: takes a leaf of `tree` and one subtree of each of `rest`.
      rest: trees of which `tree` is a prefix.
    Raises:
      ValueError: a tree in `rest` does not fit, with the key path.

    >>> import jaxlike
    >>> jaxlike.tree.map(lambda x, y: x + y, {"a": 1, "b": 2}, {"a": 10, "b": 20})
    {'a': 11, 'b': 22}
    """
    first, treedef = flatten(tree, is_leaf)
    if not rest:
        return build(treedef.node, iter([f(x) for x in first]))
    columns = [first]
    for i, other in enumerate(rest):
        columns.append(_match("tree.map", treedef, tree, other, i, is_leaf))
    return build(treedef.node, iter([f(*xs) for xs in zip(*columns)]))


def _match(name, treedef, tree, other, index, is_leaf) -> list[Any]:
    out: list[Any] = []
    if not split(treedef.node, other, out):
        what = f"tree {index + 2}"
        raise ValueError(mismatch_message(name, tree, other, "tree 1", what, is_leaf))
    return out


def map_with_path(
    f: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> Any:
    """As `map`, with the key path as the first argument of `f`.

    >>> import jaxlike
    >>> jaxlike.tree.map_with_path(lambda p, x: jaxlike.tree_util.keystr(p), {"a": [0]})
    {'a': ["['a'][0]"]}
    """
    pairs, treedef = flatten_with_path(tree, is_leaf, is_leaf_takes_path)
    paths, first = [p for p, _ in pairs], [x for _, x in pairs]
    columns = [paths, first]
    for i, other in enumerate(rest):
        columns.append(_match("tree.map_with_path", treedef, tree, other, i, None))
    return treedef.unflatten([f(*xs) for xs in zip(*columns)])


def leaves_with_path(
    tree: Any,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> list[tuple[KeyPath, Any]]:
    """(key path, leaf) pairs.

    >>> import jaxlike
    >>> jaxlike.tree.leaves_with_path({"a": [5]})
    [((DictKey(key='a'), SequenceKey(idx=0)), 5)]
    """
    return flatten_with_path(tree, is_leaf, is_leaf_takes_path)[0]


def all(tree: Any, *, is_leaf: IsLeaf = None) -> bool:
    """Whether every leaf is true.

    >>> import jaxlike
    >>> jaxlike.tree.all([True, {"a": 0}])
    False
    """
    return builtins.all(leaves(tree, is_leaf))


def reduce(
    function: Callable[[T, Any], T],
    tree: Any,
    initializer: Any = _UNSET,
    is_leaf: IsLeaf = None,
) -> T:
    """Fold the leaves from left to right.

    >>> import jaxlike
    >>> jaxlike.tree.reduce(lambda a, b: a + b, [1, (2, 3)], 10)
    16
    """
    values = leaves(tree, is_leaf)
    if initializer is _UNSET:
        return functools.reduce(function, values)
    return functools.reduce(function, values, initializer)


def reduce_associative(
    operation: Callable[[T, T], T],
    tree: Any,
    *,
    identity: Any = _UNSET,
    is_leaf: IsLeaf = None,
) -> T:
    """Fold the leaves in a balanced tree of calls, keeping their order.

    Raises: TypeError if there are no leaves and no identity.

    >>> import jaxlike
    >>> jaxlike.tree.reduce_associative(lambda a, b: f"({a}{b})", list("abcd"))
    '((ab)(cd))'
    """
    values = leaves(tree, is_leaf)
    if not values:
        if identity is _UNSET:
            raise TypeError(
                format_error(
                    "reduce_associative of a tree without leaves needs identity="
                )
            )
        return identity

    def fold(low: int, high: int) -> Any:
        if high - low == 1:
            return values[low]
        middle = (low + high) // 2
        return operation(fold(low, middle), fold(middle, high))

    return fold(0, len(values))


def transpose(
    outer_treedef: PyTreeDef, inner_treedef: PyTreeDef | None, pytree_to_transpose: Any
) -> Any:
    """Turn an outer tree of inner trees into an inner tree of outer trees.

    Args:
      inner_treedef: None takes the structure of the first subtree.
    Raises:
      TypeError: the tree is not of that structure.

    >>> import jaxlike
    >>> s = jaxlike.tree.structure
    >>> jaxlike.tree.transpose(s([0, 0]), s({"a": 0}), [{"a": 1}, {"a": 2}])
    {'a': [1, 2]}
    """
    values, treedef = flatten(pytree_to_transpose)
    if inner_treedef is None:
        parts = outer_treedef.flatten_up_to(pytree_to_transpose)
        inner_treedef = structure(parts[0]) if parts else leaf_treedef
    outer, inner = outer_treedef.num_leaves, inner_treedef.num_leaves
    if len(values) != outer * inner:
        raise TypeError(
            format_error(
                f"tree.transpose got {treedef}, expected "
                f"{outer_treedef.compose(inner_treedef)}"
            )
        )
    return inner_treedef.unflatten(
        [outer_treedef.unflatten(values[i::inner]) for i in range(inner)]
    )


def broadcast(prefix_tree: Any, full_tree: Any, is_leaf: IsLeaf = None) -> Any:
    """A tree shaped as `full_tree` whose leaves come from the prefix above them.

    Raises: ValueError, with the key path, if it is no prefix.

    >>> import jaxlike
    >>> jaxlike.tree.broadcast((1, 2), ([0, 0], {"a": 0}))
    ([1, 1], {'a': 2})
    """
    values = broadcast_prefix(prefix_tree, full_tree, is_leaf)
    return structure(full_tree).unflatten(values)


def static(**kwargs: Any) -> Any:
    """`dataclasses.field` for what belongs to the structure; see register_dataclass.

    >>> import jaxlike, dataclasses
    >>> @jaxlike.tree_util.register_dataclass
    ... @dataclasses.dataclass
    ... class Scaled:
    ...     x: object
    ...     factor: float = jaxlike.tree.static(default=2.0)
    >>> jaxlike.tree.leaves(Scaled(1))
    [1]
    """
    metadata = {**(kwargs.pop("metadata", None) or {}), "static": True}
    return dataclasses.field(metadata=metadata, **kwargs)


def all_leaves(iterable: Iterable[Any], is_leaf: IsLeaf = None) -> bool:
    """Whether every element is a leaf.

    >>> import jaxlike
    >>> jaxlike.tree_util.all_leaves([1, 2]), jaxlike.tree_util.all_leaves([1, [2]])
    (True, False)
    """
    values = list(iterable)
    found = leaves(values, is_leaf)
    return len(found) == len(values) and builtins.all(
        a is b for a, b in zip(found, values)
    )


def is_tree_node(typ: type) -> bool:
    """Whether instances of the type are nodes.

    >>> import jaxlike
    >>> jaxlike.tree_util.is_tree_node(list), jaxlike.tree_util.is_tree_node(int)
    (True, False)
    """
    if not isinstance(typ, type):
        raise TypeError(format_error(f"is_tree_node takes a type, got {typ!r:.200}"))
    return is_node_type(typ)


def flatten_one_level(tree: Any) -> tuple[Iterable[Any], Any]:
    """(children, aux) of a node.

    Raises: ValueError for a leaf.

    >>> import jaxlike
    >>> jaxlike.tree_util.flatten_one_level({"b": 1, "a": 2})
    ((2, 1), ('a', 'b'))
    """
    parts = one_level(tree)
    if parts is None:
        raise ValueError(format_error(f"{type(tree)} is no node of a pytree"))
    children, aux = parts
    return (tuple(children) if type(tree) is dict else list(children)), aux


def flatten_one_level_with_keys(tree: Any) -> tuple[Iterable[Any], Any]:
    """((key, child) pairs, aux) of a node.

    Raises: ValueError for a leaf.

    >>> import jaxlike
    >>> jaxlike.tree_util.flatten_one_level_with_keys([7])
    (((SequenceKey(idx=0), 7),), None)
    """
    parts = children_with_keys(tree)
    if parts is None:
        raise ValueError(format_error(f"{type(tree)} is no node of a pytree"))
    pairs, aux = parts
    return tuple(pairs), aux


def treedef_children(treedef: PyTreeDef) -> list[PyTreeDef]:
    """The structures of the root's children.

    >>> import jaxlike
    >>> from jaxlike.tree_util import treedef_children, tree_structure
    >>> treedef_children(tree_structure([1, (2, 3)]))
    [PyTreeDef(*), PyTreeDef((*, *))]
    """
    return treedef.children()


def treedef_is_leaf(treedef: PyTreeDef) -> bool:
    """Whether the structure is a single node: a leaf, None or an empty container.

    >>> from jaxlike.tree_util import treedef_is_leaf, tree_structure
    >>> treedef_is_leaf(tree_structure(1)), treedef_is_leaf(tree_structure([1]))
    (True, False)
    """
    return treedef.num_nodes == 1


def treedef_tuple(treedefs: Iterable[PyTreeDef]) -> PyTreeDef:
    """The structure of a tuple of trees of the given structures.

    >>> from jaxlike.tree_util import treedef_tuple, tree_structure
    >>> treedef_tuple([tree_structure(1), tree_structure([2])])
    PyTreeDef((*, [*]))
    """
    return make_treedef(tuple, None, treedefs)


class PyTreeRegistry:
    """The functions of this module as JAX's registry object offers them."""

    def flatten(self, tree: Any, leaf_predicate: IsLeaf = None):
        return flatten(tree, leaf_predicate)

    def flatten_one_level(self, tree: Any):
        parts = one_level(tree)
        return None if parts is None else flatten_one_level(tree)

    def flatten_one_level_with_keys(self, tree: Any):
        return None if one_level(tree) is None else flatten_one_level_with_keys(tree)

    def flatten_with_path(self, tree: Any, leaf_predicate: IsLeaf = None):
        return flatten_with_path(tree, leaf_predicate)

    def is_node(self, typ: type) -> bool:
        return is_tree_node(typ)

    def register_node(self, nodetype, to_iterable, from_iterable, with_keys=None):
        register_pytree_node(nodetype, to_iterable, from_iterable, with_keys)

    def register_dataclass_node(self, nodetype, data_fields, meta_fields):
        register_dataclass(nodetype, data_fields, meta_fields)


default_registry = PyTreeRegistry()
