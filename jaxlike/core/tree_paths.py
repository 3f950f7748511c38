"""Flattening with key paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxlike.core.tree_keys import (
    DictKey,
    FlattenedIndexKey,
    GetAttrKey,
    KeyPath,
    SequenceKey,
)
from jaxlike.core.tree_registry import is_namedtuple, node_types
from jaxlike.core.treedef import Node, PyTreeDef, one_level

Pairs = list[tuple[Any, Any]]


def children_with_keys(tree: Any) -> tuple[Pairs, Any] | None:
    """((key, child) pairs, aux) of a node; None for a leaf."""
    cls = type(tree)
    known = node_types.get(cls)
    if known is not None and known.flatten_with_keys is not None:
        pairs, aux = known.flatten_with_keys(tree)
        return list(pairs), aux
    parts = one_level(tree)
    if parts is None:
        return None
    children, aux = parts
    if cls is tuple or cls is list:
        keys = [SequenceKey(i) for i in range(len(children))]
    elif cls is dict:
        keys = [DictKey(key) for key in aux]
    elif known is None and is_namedtuple(cls):
        keys = [GetAttrKey(name) for name in cls._fields]
    else:
        keys = [FlattenedIndexKey(i) for i in range(len(children))]
    return list(zip(keys, children)), aux


def flatten_with_path(
    tree: Any,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> tuple[list[tuple[KeyPath, Any]], PyTreeDef]:
    """(key path, leaf) pairs, and the structure.

    Args:
      is_leaf: says of a subtree whether to stop there.
      is_leaf_takes_path: call it as is_leaf(path, subtree).

    >>> import jaxlike
    >>> jaxlike.tree.flatten_with_path({"a": (1,)})
    ([((DictKey(key='a'), SequenceKey(idx=0)), 1)], PyTreeDef({'a': (*,)}))
    """
    out: list[tuple[KeyPath, Any]] = []

    def visit(path: KeyPath, part: Any) -> Node:
        if is_leaf is not None and (
            is_leaf(path, part) if is_leaf_takes_path else is_leaf(part)
        ):
            parts = None
        else:
            parts = children_with_keys(part)
        if parts is None:
            out.append((path, part))
            return None
        pairs, aux = parts
        nodes = [visit((*path, key), child) for key, child in pairs]
        return type(part), aux, tuple(nodes) if any(nodes) else len(nodes)

    node = visit((), tree)
    return out, PyTreeDef(node, len(out))


def leaf_paths(treedef: PyTreeDef) -> list[KeyPath]:
    """The key path of each leaf of a structure."""
    marked = treedef.unflatten([object() for _ in range(treedef.num_leaves)])
    return [path for path, _ in flatten_with_path(marked)[0]]
