"""Pytrees taken apart and put together: flatten, and PyTreeDef, the structure.

A structure is stored as nested tuples (type, aux, children), so that comparing and
hashing it is one call into C. `children` is the number n where all n children are
leaves, else a tuple of structures; a leaf is None. The rest is in `tree.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from jaxlike.core.errors import format_error
from jaxlike.core.tree_registry import (
    is_namedtuple,
    leaf_types,
    node_types,
    note_leaf_type,
    sorted_keys,
)

Node = tuple[type, Any, Any] | None
IsLeaf = Callable[[Any], bool] | None
NoneType = type(None)

_NONE: Node = (NoneType, None, 0)
_EMPTY: tuple[Any, ...] = ()


def flatten_node(tree: Any, leaves: list[Any]) -> Node:
    """Append the leaves of `tree` to `leaves`; its structure, not wrapped.

    The structure is hashable where the aux data are: fit for the key of a cache.
    """
    cls = type(tree)
    if cls is tuple or cls is list:
        aux, children = None, tree
    elif cls is dict:
        try:
            aux = sorted(tree)
        except TypeError:
            aux = sorted_keys(tree)
        children = tree.values() if aux == [*tree] else [*map(tree.__getitem__, aux)]
        aux = tuple(aux)
    elif tree is None:
        return _NONE
    elif cls in leaf_types:
        leaves.append(tree)
        return None
    else:
        parts = take_apart(cls, tree)
        if parts is None:
            leaves.append(tree)
            return None
        children, aux = parts
    # long containers mostly hold leaves only: one test in C
    if len(children) > 4 and leaf_types.issuperset(map(type, children)):
        leaves += children
        return cls, aux, len(children)
    nodes = []
    deep = False
    for child in children:
        if type(child) in leaf_types:
            leaves.append(child)
            nodes.append(None)
        else:
            node = flatten_node(child, leaves)
            nodes.append(node)
            if node is not None:
                deep = True
    return cls, aux, tuple(nodes) if deep else len(nodes)


def take_apart(cls: type, tree: Any) -> tuple[Any, Any] | None:
    """(children, aux) of an instance of a registered type or namedtuple; else None."""
    known = node_types.get(cls)
    if known is None:
        if is_namedtuple(cls):
            return tree, None
        note_leaf_type(cls)
        return None
    parts = known.flatten(tree)
    if not isinstance(parts, tuple) or len(parts) != 2:
        raise ValueError(
            format_error(
                f"the flatten function of {cls.__name__} must return (children, aux), "
                f"got {parts!r:.200}"
            )
        )
    children, aux = parts
    if children.__class__ not in (tuple, list):
        children = tuple(children)
    return children, aux


def _flatten_until(tree: Any, leaves: list[Any], is_leaf: Callable) -> Node:
    if is_leaf(tree):
        leaves.append(tree)
        return None
    parts = one_level(tree)
    if parts is None:
        leaves.append(tree)
        return None
    children, aux = parts
    nodes = [_flatten_until(child, leaves, is_leaf) for child in children]
    return type(tree), aux, tuple(nodes) if any(nodes) else len(nodes)


def one_level(tree: Any) -> tuple[Any, Any] | None:
    """(children, aux) of any node; None for a leaf."""
    cls = type(tree)
    if cls is tuple or cls is list:
        return tree, None
    if cls is dict:
        keys = tuple(sorted_keys(tree))
        return [tree[key] for key in keys], keys
    if tree is None:
        return (), None
    return take_apart(cls, tree)


def flatten(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], PyTreeDef]:
    """The leaves of a pytree from left to right, and its structure.

    Args:
      tree: nested tuples, lists, dicts, None and registered types.
      is_leaf: says of a subtree whether to stop there.

    >>> from jaxlike.core import tree
    >>> tree.flatten({"b": (2, 3), "a": 1})
    ([1, 2, 3], PyTreeDef({'a': *, 'b': (*, *)}))
    """
    leaves: list[Any] = []
    if is_leaf is None:
        node = flatten_node(tree, leaves)
    else:
        node = _flatten_until(tree, leaves, is_leaf)
    return leaves, PyTreeDef(node, len(leaves))


def build(node: Node, leaves: Any) -> Any:
    """Put together what `flatten_node` took apart; `leaves` is an iterator."""
    if node is None:
        return next(leaves)
    cls, aux, inner = node
    if inner.__class__ is int:
        children = islice(leaves, inner)
    else:
        children = []
        for child in inner:
            children.append(next(leaves) if child is None else build(child, leaves))
    if cls is dict:
        return dict(zip(aux, children))
    if cls is tuple:
        return tuple(children)
    if cls is list:
        return list(children)
    return put_together(cls, aux, tuple(children))


def put_together(cls: type, aux: Any, children: tuple[Any, ...]) -> Any:
    if cls is tuple:
        return children
    if cls is list:
        return list(children)
    if cls is dict:
        return dict(zip(aux, children))
    if cls is NoneType:
        return None
    known = node_types.get(cls)
    if known is not None:
        return known.unflatten(aux, children)
    return cls(*children)


class PyTreeDef:
    """The structure of a pytree: what is left when the leaves are taken out.

    >>> import jaxlike
    >>> treedef = jaxlike.tree.structure({"a": 1, "b": (2, 3)})
    >>> treedef
    PyTreeDef({'a': *, 'b': (*, *)})
    >>> treedef.unflatten("xyz")
    {'a': 'x', 'b': ('y', 'z')}
    """

    __slots__ = ("node", "num_leaves")
    __module__ = "jaxlike.tree_util"

    node: Node
    num_leaves: int

    def __init__(self, node: Node, num_leaves: int):
        self.node = node
        self.num_leaves = num_leaves

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not PyTreeDef:
            return NotImplemented
        return self.node == other.node

    def __hash__(self) -> int:
        return hash(self.node)

    def __repr__(self) -> str:
        return f"PyTreeDef({node_str(self.node)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return PyTreeDef, (self.node, self.num_leaves)

    @property
    def num_nodes(self) -> int:
        """How many nodes there are, leaves included."""
        return _count_nodes(self.node)

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The tree of this structure with the given leaves.

        Raises ValueError if their number is not `num_leaves`.
        """
        if leaves.__class__ is not list:
            leaves = list(leaves)
        if len(leaves) != self.num_leaves:
            few = "few" if len(leaves) < self.num_leaves else "many"
            raise ValueError(
                format_error(
                    f"Too {few} leaves for PyTreeDef; expected {self.num_leaves}, got "
                    f"{len(leaves)}  for {self!r:.300}"
                )
            )
        return build(self.node, iter(leaves))

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """The subtrees of `tree` at the places of this structure's leaves.

        Raises ValueError, with the key path, if this is no prefix of `tree`.
        """
        out: list[Any] = []
        if not split(self.node, tree, out):
            from jaxlike.core.tree_errors import prefix_message

            raise ValueError(prefix_message(self, tree))
        return out

    def children(self) -> list[PyTreeDef]:
        """The structures of the root's children."""
        return [PyTreeDef(n, count_leaves(n)) for n in child_nodes(self.node)]

    def node_data(self) -> tuple[type, Any] | None:
        """(type, aux) of the root; None for a leaf."""
        if self.node is None:
            return None
        cls, aux, _ = self.node
        return cls, list(aux) if cls is dict else aux

    def compose(self, inner: PyTreeDef) -> PyTreeDef:
        """This structure with every leaf replaced by `inner`."""
        return PyTreeDef(
            _replace_leaves(self.node, inner.node), self.num_leaves * inner.num_leaves
        )

    def walk(
        self,
        f_node: Callable[[Any, Any], Any],
        f_leaf: Callable[[Any], Any] | None,
        leaves: Iterable[Any],
    ) -> Any:
        """Fold from the leaves up: f_node(children's results, aux), f_leaf(leaf)."""
        rest = iter(leaves)

        def visit(node: Node) -> Any:
            if node is None:
                leaf = next(rest)
                return leaf if f_leaf is None else f_leaf(leaf)
            results = tuple([visit(child) for child in child_nodes(node)])
            cls, aux, _ = node
            return f_node(results, list(aux) if cls is dict else aux)

        return visit(self.node)

    def from_iterable_tree(self, tree: Any) -> Any:
        """This structure from nested iterables of the same shape."""

        def visit(node: Node, part: Any) -> Any:
            if node is None:
                return part
            children = [visit(n, p) for n, p in zip(child_nodes(node), part)]
            return put_together(node[0], node[1], tuple(children))

        return visit(self.node, tree)

    @staticmethod
    def from_node_data_and_children(
        registry: Any, node_data: tuple[type, Any] | None, children: Iterable[PyTreeDef]
    ) -> PyTreeDef:
        """The inverse of `node_data()` and `children()`."""
        if node_data is None:
            return leaf_treedef
        cls, aux = node_data
        return make_treedef(cls, tuple(aux) if cls is dict else aux, children)


def make_treedef(cls: type, aux: Any, children: Iterable[PyTreeDef]) -> PyTreeDef:
    """The structure of a node of type `cls` over the given structures."""
    children = list(children)
    for child in children:
        if not isinstance(child, PyTreeDef):
            raise TypeError(format_error(f"expected a PyTreeDef, got {child!r:.200}"))
    nodes = tuple([child.node for child in children])
    node = (cls, aux, nodes if any(nodes) else len(nodes))
    return PyTreeDef(node, sum(child.num_leaves for child in children))


leaf_treedef = PyTreeDef(None, 1)


def child_nodes(node: Node) -> tuple[Node, ...]:
    if node is None:
        return _EMPTY
    inner = node[2]
    return (None,) * inner if inner.__class__ is int else inner


def count_leaves(node: Node) -> int:
    if node is None:
        return 1
    inner = node[2]
    return inner if inner.__class__ is int else sum(map(count_leaves, inner))


def _count_nodes(node: Node) -> int:
    return 1 + sum(map(_count_nodes, child_nodes(node)))


def _replace_leaves(node: Node, inner: Node) -> Node:
    if node is None:
        return inner
    if inner is None:
        return node
    cls, aux, _ = node
    nodes = tuple([_replace_leaves(child, inner) for child in child_nodes(node)])
    return cls, aux, nodes if nodes else 0


def split(node: Node, tree: Any, out: list[Any]) -> bool:
    """Append to `out` what `tree` has at the leaves of `node`; False if it differs."""
    if node is None:
        out.append(tree)
        return True
    cls, aux, inner = node
    if type(tree) is not cls:
        return False
    if cls is tuple or cls is list:
        children = tree
    elif cls is dict:
        if len(tree) != len(aux):
            return False
        try:
            children = [*map(tree.__getitem__, aux)]
        except KeyError:
            return False
    else:
        parts = one_level(tree)
        if parts is None:
            return False
        children, tree_aux = parts
        if tree_aux != aux:
            return False
    if inner.__class__ is int:
        out += children
        return len(children) == inner
    if len(children) != len(inner):
        return False
    for child_node, child in zip(inner, children):
        if child_node is None:
            out.append(child)
        elif not split(child_node, child, out):
            return False
    return True


def node_str(node: Node) -> str:
    """The structure as JAX prints it, without the name around it."""
    if node is None:
        return "*"
    cls, aux, _ = node
    parts = [node_str(child) for child in child_nodes(node)]
    if cls is NoneType:
        return "None"
    if cls is tuple:
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    inside = ", ".join(parts)
    if cls is list:
        return f"[{inside}]"
    if cls is dict:
        pairs = ", ".join(f"{key!r}: {part}" for key, part in zip(aux, parts))
        return f"{{{pairs}}}"
    if cls not in node_types and is_namedtuple(cls):
        return f"CustomNode(namedtuple[{cls.__name__}], [{inside}])"
    return f"CustomNode({cls.__name__}[{aux}], [{inside}])"
