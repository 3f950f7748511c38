"""Where two pytrees differ, in words; and prefixes, as `in_axes` are.

Users see these lines in the messages of vmap, scan, cond and tree.map.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jaxlike.core.errors import format_error
from jaxlike.core.tree_keys import KeyPath, keystr
from jaxlike.core.tree_paths import children_with_keys
from jaxlike.core.tree_registry import is_namedtuple, node_types
from jaxlike.core.treedef import IsLeaf, PyTreeDef, flatten, flatten_node, split


def broadcast_prefix(
    prefix: Any, full: Any, is_leaf: IsLeaf = None, what: str = "the prefix"
) -> list[Any]:
    """For each leaf of `full`, the leaf of `prefix` at or above it.

    Args:
      is_leaf: where to stop in `prefix`.
      what: the prefix in the words of the message.
    Raises:
      ValueError: it is no prefix, with the key path.

    >>> broadcast_prefix((0, None), ([1, 2], 3), is_leaf=lambda x: x is None)
    [0, 0, None]
    """
    values, treedef = flatten(prefix, is_leaf)
    parts: list[Any] = []
    if not split(treedef.node, full, parts):
        raise ValueError(
            mismatch_message(
                "broadcast_prefix", prefix, full, what, "the full tree", is_leaf
            )
        )
    out: list[Any] = []
    for value, part in zip(values, parts):
        leaves: list[Any] = []
        flatten_node(part, leaves)
        out += [value] * len(leaves)
    return out


def equality_errors(
    a: Any, b: Any, what_a: str = "the first", what_b: str = "the second"
) -> Iterator[tuple[KeyPath, str]]:
    """(key path, what differs) for each place at which two structures differ.

    Args:
      a, b: trees, or PyTreeDefs.

    >>> for path, text in equality_errors({"w": 1}, {"w": (1, 2)}):
    ...     print(path, text)
    (DictKey(key='w'),) a leaf in the first, a tuple of length 2 in the second
    """
    yield from _differences((), _tree(a), _tree(b), what_a, what_b, prefix=False)


def prefix_errors(
    prefix: Any, full: Any, is_leaf: IsLeaf = None, what: str = "the prefix"
) -> list[str]:
    """One line for each place at which `prefix` is no prefix of `full`.

    >>> prefix_errors({"w": (0, 0)}, {"w": [1, 2]})
    ["at ['w']: a tuple of length 2 in the prefix, a list of length 2 in the tree"]
    """
    found = _differences((), prefix, full, what, "the tree", prefix=True, stop=is_leaf)
    return [_line(path, text) for path, text in found]


def describe_mismatch(
    tree_a: Any, tree_b: Any, what_a: str = "the first", what_b: str = "the second"
) -> list[str]:
    """One line for each place at which two trees, or structures, differ.

    >>> describe_mismatch({"w": [1, 2]}, {"w": [1, (2,)]}, "carry in", "carry out")
    ["at ['w'][1]: a leaf in carry in, a tuple of length 1 in carry out"]
    >>> describe_mismatch([1], [2])
    []
    """
    found = equality_errors(tree_a, tree_b, what_a, what_b)
    return [_line(path, text) for path, text in found]


def prefix_message(treedef: PyTreeDef, tree: Any) -> str:
    return mismatch_message("flatten_up_to", treedef, tree, "the structure", "the tree")


def mismatch_message(
    name: str, a: Any, b: Any, what_a: str, what_b: str, is_leaf: IsLeaf = None
) -> str:
    """For a tree or structure `a` that is no prefix of the tree `b`."""
    found = _differences((), _tree(a), b, what_a, what_b, prefix=True, stop=is_leaf)
    lines = [_line(path, text) for path, text in found]
    if not lines:
        lines = [f"{flatten(a, is_leaf)[1]} is no prefix of {flatten(b)[1]}"]
    return format_error(f"{name}: pytree structures differ", lines)


def _tree(x: Any) -> Any:
    """A tree with the structure `x`: only trees know their keys."""
    return x.unflatten([object()] * x.num_leaves) if isinstance(x, PyTreeDef) else x


def _line(path: KeyPath, text: str) -> str:
    return f"at {keystr(path)}: {text}" if path else f"at the root: {text}"


def _differences(
    path: KeyPath,
    a: Any,
    b: Any,
    what_a: str,
    what_b: str,
    *,
    prefix: bool,
    stop: IsLeaf = None,
) -> Iterator[tuple[KeyPath, str]]:
    parts_a = None if stop is not None and stop(a) else children_with_keys(a)
    if prefix and parts_a is None:
        return
    parts_b = children_with_keys(b)
    if parts_a is None and parts_b is None:
        return
    words = f"{_noun(a, parts_a)} in {what_a}, {_noun(b, parts_b)} in {what_b}"
    if parts_a is None or parts_b is None or type(a) is not type(b):
        yield path, words
        return
    (pairs_a, aux_a), (pairs_b, aux_b) = parts_a, parts_b
    if isinstance(a, dict) and a.keys() != b.keys():
        only_a = [repr(k) for k in a if k not in b]
        only_b = [repr(k) for k in b if k not in a]
        parts = [
            f"{_keys(only)} only in {what}"
            for only, what in ((only_a, what_a), (only_b, what_b))
            if only
        ]
        yield path, f"{type(a).__name__} keys differ: {'; '.join(parts)}"
        return
    if len(pairs_a) != len(pairs_b):
        yield path, words
        return
    if aux_a != aux_b:
        yield (
            path,
            (
                f"{type(a).__name__} with static data {aux_a!r:.100} in {what_a}, "
                f"{aux_b!r:.100} in {what_b}"
            ),
        )
        return
    for (key, child_a), (_, child_b) in zip(pairs_a, pairs_b):
        yield from _differences(
            (*path, key), child_a, child_b, what_a, what_b, prefix=prefix, stop=stop
        )


def _keys(keys: list[str]) -> str:
    shown = ", ".join(keys[:5]) + (", ..." if len(keys) > 5 else "")
    return f"key {shown}" if len(keys) == 1 else f"keys {shown}"


def _noun(x: Any, parts: Any) -> str:
    cls = type(x)
    if parts is None:
        return "a leaf"
    if x is None:
        return "None"
    if cls in (tuple, list):
        return f"a {cls.__name__} of length {len(x)}"
    if isinstance(x, dict):
        return f"{_a(cls.__name__)} with {_keys([repr(k) for k in x])}"
    if cls not in node_types and is_namedtuple(cls):
        return f"a namedtuple {cls.__name__}"
    return _a(cls.__name__)


def _a(noun: str) -> str:
    return f"{'an' if noun[:1] in 'AEIOUaeiou' else 'a'} {noun}"
