"""Flatten and unflatten of one structure as generated code, for calls that repeat.

A jitted function sees the same structure at every call; straight-line code for it runs
several times as fast as the general functions of `treedef.py`.

    (x, {"w": 1})  -->   def flatten(t):
                             if type(t) is not tuple or len(t) != 2: return None
                             a, b = t
                             if type(b) is not dict or len(b) != 1: return None
                             ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxlike.core.tree_registry import leaf_types, node_types
from jaxlike.core.treedef import (
    Node,
    NoneType,
    PyTreeDef,
    child_nodes,
    flatten_node,
    take_apart,
)

# generating pays after about this many calls, and for no more nodes than this
_CALLS_BEFORE = 32
_MOST_NODES = 4000
# from here on the leaves of a list are moved together
_LONG = 8
_LITERALS = (str, int, bool, bytes)


class TreeProgram:
    """`flatten` and `unflatten` of trees of one structure.

    `flatten(tree)` gives the leaves, or None if the structure is another one.
    `unflatten(leaves)` takes a list of the right length.

    >>> from jaxlike.core import tree
    >>> program = TreeProgram(tree.structure((1, {"w": 2})))
    >>> program.flatten((5, {"w": 6})), program.flatten((5, 6))
    ([5, 6], None)
    >>> program.unflatten([7, 8])
    (7, {'w': 8})
    """

    __slots__ = ("_calls", "flatten", "treedef", "unflatten")

    flatten: Callable[[Any], list[Any] | None]
    unflatten: Callable[[list[Any]], Any]

    def __init__(self, treedef: PyTreeDef):
        self.treedef = treedef
        self._calls = 0
        self.flatten = self._flatten
        self.unflatten = self._unflatten

    def _flatten(self, tree: Any) -> list[Any] | None:
        self._count()
        leaves: list[Any] = []
        return leaves if flatten_node(tree, leaves) == self.treedef.node else None

    def _unflatten(self, leaves: list[Any]) -> Any:
        self._count()
        return self.treedef.unflatten(leaves)

    def _count(self) -> None:
        self._calls += 1
        if self._calls == _CALLS_BEFORE and self.treedef.num_nodes <= _MOST_NODES:
            self.flatten = compile_flatten(self.treedef.node)
            self.unflatten = compile_unflatten(self.treedef)


class _Code:
    """Lines of a function, and the values that it refers to by name."""

    def __init__(self, head: str):
        self.lines = [head]
        self.names: dict[str, Any] = {}
        self.count = 0

    def new(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def constant(self, value: Any) -> str:
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def add(self, line: str, indent: int = 2) -> None:
        self.lines.append("    " * indent + line)

    def function(self) -> Any:
        source = "\n".join(self.lines)
        exec(compile(source, "<jaxlike tree program>", "exec"), self.names)
        return self.names["run"]


def compile_flatten(node: Node) -> Callable[[Any], list[Any] | None]:
    """A function from a tree to its leaves, or None if its structure is not `node`."""
    code = _Code("def run(v0):")
    code.names.update(take_apart=take_apart, check=_only_leaves)
    code.add("try:", 1)
    leaves: list[str] = []

    def visit(node: Node, v: str) -> None:
        if node is None:
            leaves.append(v)
            return
        cls, aux, inner = node
        if cls is NoneType:
            code.add(f"if {v} is not None: return None")
            return
        children = child_nodes(node)
        n = len(children)
        c = cls.__name__ if cls in (tuple, list, dict) else code.constant(cls)
        code.add(f"if type({v}) is not {c}: return None")
        parts = v
        if cls in node_types:
            parts, seen = code.new(), code.new()
            code.add(f"{parts}, {seen} = take_apart({c}, {v})")
            code.add(f"if {seen} != {code.constant(aux)}: return None")
        code.add(f"if len({parts}) != {n}: return None")
        if isinstance(inner, int) and n >= _LONG and cls is not dict:
            leaves.append(f"*{parts}")
            return
        names = [code.new() for _ in children]
        if cls is dict:
            for name, key in zip(names, aux):
                code.add(f"{name} = {v}[{_key(code, key)}]")
        elif names:
            code.add(f"{', '.join(names)}, = {parts}")
        for child, name in zip(children, names):
            visit(child, name)

    visit(node, "v0")
    code.add("pass")
    code.add("except KeyError:", 1)
    code.add("return None")
    code.add(f"return check([{', '.join(leaves)}])", 1)
    return code.function()


def _only_leaves(leaves: list[Any]) -> list[Any] | None:
    if not leaf_types.issuperset(map(type, leaves)):
        for x in leaves:
            if type(x) not in leaf_types and flatten_node(x, []) is not None:
                return None
    return leaves


def compile_unflatten(treedef: PyTreeDef) -> Callable[[list[Any]], Any]:
    """A function from the list of leaves to the tree."""
    code = _Code("def run(leaves):")
    code.names["general"] = treedef.unflatten
    code.add(f"if len(leaves) != {treedef.num_leaves}: return general(leaves)", 1)
    # names for single leaves, slices for the leaves of long sequences
    position = 0
    targets: list[str] = []
    body: list[str] = []

    def visit(node: Node) -> str:
        nonlocal position
        if node is None:
            name = code.new()
            targets.append(name)
            position += 1
            return name
        cls, aux, inner = node
        if cls is NoneType:
            return "None"
        out = code.new()
        known = node_types.get(cls)
        if isinstance(inner, int) and inner >= _LONG and cls in (tuple, list):
            targets.extend(["_"] * inner)
            piece = f"leaves[{position}:{position + inner}]"
            body.append(f"{out} = {piece if cls is list else f'tuple({piece})'}")
            position += inner
            return out
        parts = [visit(child) for child in child_nodes(node)]
        items = "".join(f"{part}, " for part in parts)
        if cls is tuple:
            body.append(f"{out} = ({items})")
        elif cls is list:
            body.append(f"{out} = [{items}]")
        elif cls is dict:
            pairs = ", ".join(f"{_key(code, k)}: {p}" for k, p in zip(aux, parts))
            body.append(f"{out} = {{{pairs}}}")
        elif known is not None:
            put, data = code.constant(known.unflatten), code.constant(aux)
            body.append(f"{out} = {put}({data}, ({items}))")
        else:
            body.append(f"{out} = {code.constant(cls)}({items})")
        return out

    result = visit(treedef.node)
    if any(name != "_" for name in targets):
        code.add(f"{', '.join(targets)}, = leaves", 1)
    for line in body:
        code.add(line, 1)
    code.add(f"return {result}", 1)
    return code.function()


def _key(code: _Code, key: Any) -> str:
    return repr(key) if type(key) in _LITERALS else code.constant(key)
