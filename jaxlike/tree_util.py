"""Pytrees under JAX's older, longer names; `jaxlike.tree` has the short ones.

Floor 4: imports core only.
"""

from jaxlike.core.source_info import guard_names as _guard_names
from jaxlike.core.tree import (
    DictKey,
    FlattenedIndexKey,
    GetAttrKey,
    KeyEntry,
    KeyPath,
    Partial,
    PyTreeDef,
    SequenceKey,
    all_leaves,
    default_registry,
    flatten_one_level,
    flatten_one_level_with_keys,
    is_tree_node,
    keystr,
    register_dataclass,
    register_pytree_node,
    register_pytree_node_class,
    register_pytree_with_keys,
    register_pytree_with_keys_class,
    register_static,
    treedef_children,
    treedef_is_leaf,
    treedef_tuple,
)
from jaxlike.core.tree import all as tree_all
from jaxlike.core.tree import broadcast as tree_broadcast
from jaxlike.core.tree import flatten as tree_flatten
from jaxlike.core.tree import flatten_with_path as tree_flatten_with_path
from jaxlike.core.tree import leaves as tree_leaves
from jaxlike.core.tree import leaves_with_path as tree_leaves_with_path
from jaxlike.core.tree import map as tree_map
from jaxlike.core.tree import map_with_path as tree_map_with_path
from jaxlike.core.tree import reduce as tree_reduce
from jaxlike.core.tree import reduce_associative as tree_reduce_associative
from jaxlike.core.tree import structure as tree_structure
from jaxlike.core.tree import transpose as tree_transpose
from jaxlike.core.tree import unflatten as tree_unflatten

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "KeyEntry",
    "KeyPath",
    "Partial",
    "PyTreeDef",
    "SequenceKey",
    "all_leaves",
    "default_registry",
    "flatten_one_level",
    "flatten_one_level_with_keys",
    "is_tree_node",
    "keystr",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "tree_all",
    "tree_broadcast",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_with_path",
    "tree_reduce",
    "tree_reduce_associative",
    "tree_structure",
    "tree_transpose",
    "tree_unflatten",
    "treedef_children",
    "treedef_is_leaf",
    "treedef_tuple",
]

_guard_names(globals())
