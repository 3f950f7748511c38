"""Tracing the functions that loops and branches are made of, and checking their types.

A function is traced once for each signature, as long as it lives. What it closes over
becomes leading operands. edits.py rewrites the jaxprs, eager.py runs them.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxlike.core import dtypes, tree
from jaxlike.core.array import Array, to_array
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.check import same_type
from jaxlike.core.config import config
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import ClosedJaxpr, DebugInfo
from jaxlike.core.source_info import of_function, summarize
from jaxlike.core.staging import consts_are_concrete, trace_to_jaxpr
from jaxlike.core.state import state
from jaxlike.core.tree import PyTreeDef
from jaxlike.primitives.conversion import convert_element_type
from jaxlike.transforms.arguments import (
    check_outputs,
    fun_name,
    leaf_names,
    positional_names,
)


class Traced(NamedTuple):
    """A traced function: jaxpr of consts + flat arguments, and its results' trees."""

    jaxpr: ClosedJaxpr
    consts: list[Any]
    out_trees: tuple[PyTreeDef, ...]


# function -> {signature: Traced}; an entry lives as long as its function
_traced: weakref.WeakKeyDictionary[Any, dict[Any, Traced]] = weakref.WeakKeyDictionary()


def trace_body(
    fun: Callable,
    in_tree: PyTreeDef,
    in_avals: Sequence[ShapedArray],
    what: str,
    parts: Callable[[Any], Sequence[Any]] = lambda out: (out,),
) -> Traced:
    """Trace fun(*args) for flat arguments of these types.

    in_tree is the structure of (args, kwargs); `parts` splits the result into the
    pytrees whose structures matter apart.
    """
    in_avals = tuple(in_avals)
    key = (what, in_tree, in_avals, config._trace_context)
    if state.axis_env:
        key = (*key, tuple(state.axis_env.items()))
    try:
        known = _traced.get(fun)
        if known is None:
            known = _traced[fun] = {}
    except TypeError:  # neither hashable nor weakly referable
        known = {}
    traced = known.get(key)
    if traced is not None:
        return traced
    out_trees: list[PyTreeDef] = []

    def flat(*leaves):
        args, kwargs = tree.unflatten(in_tree, leaves)
        outs: list[Any] = []
        for part in parts(fun(*args, **kwargs)):
            found, out_tree = tree.flatten(part)
            check_outputs(fun, found, out_tree)
            outs += found
            out_trees.append(out_tree)
        return outs

    names = _lazy_names(fun, in_tree, len(in_avals))
    info = DebugInfo(what.split()[0], fun_name(fun), names)
    jaxpr, consts = trace_to_jaxpr(flat, in_avals, debug_info=info)
    traced = Traced(jaxpr, consts, tuple(out_trees))
    # what closes over an outer trace's tracers holds for that trace alone
    if consts_are_concrete(consts):
        known[key] = traced
    return traced


def _lazy_names(fun: Callable, in_tree: PyTreeDef, count: int):
    # a strong reference would keep the cache's entry, and so itself, alive
    try:
        ref = weakref.ref(fun)
    except TypeError:
        return None

    def names():
        alive = ref()
        if alive is None:
            return ("",) * count
        args, kwargs = tree.unflatten(in_tree, [object()] * count)
        return leaf_names(alive, args, kwargs)

    return names


_wrappers: weakref.WeakKeyDictionary[Any, dict[Any, Callable]] = (
    weakref.WeakKeyDictionary()
)


def wrapped(fun: Callable, make: Callable[[Callable[[], Callable]], Callable]):
    """make(ref), where ref() is `fun`: the same object each time, so that it is traced
    once; it must not keep `fun` alive.
    """
    try:
        made = _wrappers.setdefault(fun, {})
        ref = weakref.ref(fun)
    except TypeError:
        return make(lambda: fun)
    if make not in made:
        made[make] = make(ref)
    return made[make]


@functools.lru_cache(maxsize=1024)
def call_tree(*args: PyTreeDef) -> PyTreeDef:
    """The structure of (args, kwargs) of a call with positional arguments alone."""
    return tree.treedef_tuple([tree.treedef_tuple(args), _no_kwargs])


_no_kwargs = tree.structure({})


def flatten_operands(operands: Any, what: str) -> tuple[list[Any], PyTreeDef, list]:
    """(leaves, structure, avals) of a pytree of arrays; TypeError names any other."""
    leaves, structure = tree.flatten(operands)
    avals = []
    for i, leaf in enumerate(leaves):
        try:
            avals.append(get_aval(leaf))
        except TypeError:
            path = tree.leaf_paths(structure)[i]
            raise TypeError(
                format_error(
                    f"{what}{tree.keystr(path)} is no array but "
                    f"{type(leaf).__name__}: {leaf!r:.100}"
                )
            ) from None
    return leaves, structure, avals


def as_result(x: Any) -> Any:
    """An operand that is handed back as a result: no longer a Python number."""
    return to_array(x)


# --- carries: what goes round a loop keeps its type


def promote_weak(
    values: Sequence[Any], in_avals: Sequence, out_avals: Sequence
) -> list[Any] | None:
    """Initial values where weakly typed ones give way to the body's results.

    None if nothing gives way; the body is traced again otherwise.
    """
    if len(in_avals) != len(out_avals):
        return None
    changed = False
    values = list(values)
    for i, (a, b) in enumerate(zip(in_avals, out_avals)):
        if a.weak_type and not same_type(a, b):
            dtype = dtypes.result_type(a, b)
            if isinstance(values[i], Array):
                values[i] = convert_element_type(values[i], dtype)
            else:
                values[i] = np.asarray(values[i], dtype)
            changed = True
    return values if changed else None


class CarryNames(NamedTuple):
    """What a body's carry is called in messages: its argument, and the path in it.

    skip: how many steps of the path only lead to that argument.
    """

    fun: Callable
    argument: int = 0
    skip: int = 0

    def __call__(self, path: tree.KeyPath) -> str:
        names = positional_names(self.fun, self.argument + 1)
        return names[self.argument] + tree.keystr(path[self.skip :])


def check_carry(
    what: str,
    names: CarryNames,
    in_tree: PyTreeDef,
    in_avals: Sequence[ShapedArray],
    out_tree: PyTreeDef,
    out_avals: Sequence[ShapedArray],
) -> None:
    """Raise TypeError unless a loop's body returns a carry of the type it got.

    what: "scan body", say.
    """
    if in_tree != out_tree:
        found = tree.equality_errors(
            in_tree, out_tree, "the carry input", "the carry output"
        )
        raise TypeError(
            format_error(
                f"the {what} function must return a carry of the structure it gets",
                [f"at {names(path)}: {text}" for path, text in found],
                try_="return the carry in the structure in which it came",
            )
        )
    details = _mismatches(names, in_tree, in_avals, out_avals, "input", "output")
    if details:
        raise TypeError(
            format_error(
                f"the {what} function must return a carry of the types it gets",
                details,
                try_="x.astype(dtype) or jnp.broadcast_to where the carry is made or "
                "returned",
            )
        )


def check_branches(
    what: str, names: Sequence[str], funs: Sequence[Callable], traced: Sequence[Traced]
) -> None:
    """Raise TypeError unless all branches return one structure of equal types."""
    first = traced[0]
    for name, fun, other in zip(names[1:], funs[1:], traced[1:]):
        who = [_introduced(names[0], funs[0]), _introduced(name, fun)]
        if first.out_trees != other.out_trees:
            (tree_a,), (tree_b,) = first.out_trees, other.out_trees
            raise TypeError(
                format_error(
                    f"the branches of {what} must return one structure",
                    who
                    + tree.describe_mismatch(
                        tree_a, tree_b, f"{names[0]}'s output", f"{name}'s output"
                    ),
                    try_="the same containers from every branch",
                )
            )
        avals = first.jaxpr.out_avals, other.jaxpr.out_avals
        details = _mismatches(
            lambda path: f"output{tree.keystr(path)}",
            first.out_trees[0],
            *avals,
            names[0],
            name,
        )
        if details:
            raise TypeError(
                format_error(
                    f"the branches of {what} must return equal types",
                    who + details,
                    try_="x.astype(dtype), or jnp.broadcast_to, in one of them",
                )
            )


def _introduced(name: str, fun: Callable) -> str:
    where = of_function(fun)
    place = "" if where is None else f", {summarize(where)}"
    return f"{name} is {fun_name(fun)}{place}"


def _mismatches(name_of, structure, avals_a, avals_b, what_a, what_b) -> list[str]:
    if all(a is b for a, b in zip(avals_a, avals_b)):
        return []
    lines = []
    for path, a, b in zip(tree.leaf_paths(structure), avals_a, avals_b):
        if not same_type(a, b):
            parts = [w for w, same in _differing(a, b) if not same]
            lines.append(
                f"{name_of(path)}: {what_a} {a.str_short()}, {what_b} {b.str_short()}: "
                f"the {' and '.join(parts)} do not match"
            )
    return lines


def _differing(a, b):
    return ("shapes", a.shape == b.shape), ("dtypes", a.dtype == b.dtype)
