"""Pytrees agree with JAX: order, structures, key paths, strings, errors."""

import collections
import dataclasses
import functools
import os
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

os.environ.setdefault("JAX_PLATFORMS", "cpu")
jax = pytest.importorskip("jax")

from jaxlike import tree_util as ours  # noqa: E402
from jaxlike.core import config, errors, flags  # noqa: E402

theirs = jax.tree_util
BOTH = (ours, theirs)


class Pair(NamedTuple):
    left: Any
    right: Any


class Box:
    def __init__(self, content, label):
        self.content, self.label = content, label


class Keyed(Box):
    pass


@dataclasses.dataclass
class Layer:
    w: Any
    b: Any
    name: str = dataclasses.field(default="l", metadata={"static": True})


def register():
    for lib in BOTH:
        lib.register_pytree_node(
            Box, lambda x: ((x.content,), x.label), lambda a, c: Box(*c, a)
        )
        lib.register_pytree_with_keys(
            Keyed,
            lambda x, lib=lib: ([(lib.GetAttrKey("content"), x.content)], x.label),
            lambda a, c: Keyed(*c, a),
        )
        lib.register_dataclass(Layer)


register()

trees = st.recursive(
    st.none() | st.integers(0, 9) | st.text(max_size=2),
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=2), inner, max_size=3),
        st.dictionaries(st.integers(), inner, max_size=2),
        st.dictionaries(st.text(max_size=2), inner, max_size=2).map(
            collections.OrderedDict
        ),
        st.dictionaries(st.text(max_size=2), inner, max_size=2).map(
            lambda d: collections.defaultdict(list, d)
        ),
        st.lists(inner, max_size=2).map(collections.deque),
        st.builds(Pair, inner, inner),
        st.builds(Box, inner, st.sampled_from("ab")),
        st.builds(Keyed, inner, st.sampled_from("ab")),
        st.builds(Layer, inner, inner, st.sampled_from("ab")),
    ),
    max_leaves=15,
)


def outcome(fun):
    try:
        return fun()
    except Exception as error:
        return type(error)


@given(trees)
def test_flatten(x):
    leaves, treedef = ours.tree_flatten(x)
    expected, their_treedef = theirs.tree_flatten(x)
    assert leaves == expected
    assert str(treedef) == str(their_treedef)
    assert treedef.num_leaves == their_treedef.num_leaves
    assert treedef.num_nodes == their_treedef.num_nodes
    assert treedef.node_data() == their_treedef.node_data()
    children = [str(c) for c in their_treedef.children()]
    assert [str(c) for c in treedef.children()] == children
    assert ours.treedef_is_leaf(treedef) == theirs.treedef_is_leaf(their_treedef)


@given(trees)
def test_key_paths(x):
    found, expected = (
        [
            (str(path), lib.keystr(path), lib.keystr(path, simple=True, separator="/"))
            for path, _ in lib.tree_leaves_with_path(x)
        ]
        for lib in BOTH
    )
    assert found == expected


@given(trees, trees)
def test_equality_of_structures(x, y):
    same, expected = (lib.tree_structure(x) == lib.tree_structure(y) for lib in BOTH)
    assert same == expected


@given(trees, trees)
def test_prefixes_and_their_errors(x, y):
    def split(lib):
        return lib.tree_structure(x).flatten_up_to(y)

    def mapped(lib):
        pairs = lib.tree_map(lambda a, b: [a, b], x, y)
        return lib.tree_leaves(pairs)

    def spread(lib):
        return lib.tree_leaves(lib.tree_broadcast(x, y))

    for fun in (split, mapped, spread):
        assert outcome(lambda: fun(ours)) == outcome(lambda: fun(theirs))


@given(trees)
def test_is_leaf(x):
    for is_leaf in (
        lambda v: v is None,
        lambda v: isinstance(v, tuple),
        lambda v: isinstance(v, dict) and len(v) == 1,
    ):
        found, expected = (lib.tree_flatten(x, is_leaf) for lib in BOTH)
        assert found[0] == expected[0]
        assert str(found[1]) == str(expected[1])
    found, expected = (
        lib.tree_leaves_with_path(
            x, is_leaf=lambda p, v: len(p) == 1, is_leaf_takes_path=True
        )
        for lib in BOTH
    )
    assert [v for _, v in found] == [v for _, v in expected]


@given(st.lists(st.text(max_size=1), max_size=9), st.booleans())
def test_folds(x, identity):
    kw = {"identity": "-"} if identity else {}
    for fold in (
        lambda lib: lib.tree_reduce(lambda a, b: f"({a}{b})", x),
        lambda lib: lib.tree_reduce_associative(lambda a, b: f"({a}{b})", x, **kw),
        lambda lib: lib.tree_all(x),
        lambda lib: lib.all_leaves(x),
    ):
        assert outcome(lambda: fold(ours)) == outcome(lambda: fold(theirs))


@pytest.mark.parametrize(
    "call",
    [
        lambda lib: lib.tree_structure([1, 2]).unflatten([1]),
        lambda lib: lib.tree_structure([1, 2]).unflatten([1, 2, 3]),
        lambda lib: lib.tree_flatten({1: 0, "a": 0}),
        lambda lib: lib.tree_reduce(max, []),
        lambda lib: lib.register_pytree_node(dict, tuple, tuple),
        lambda lib: lib.register_dataclass(Box),
        lambda lib: lib.register_dataclass(Layer, ["w"]),
        lambda lib: lib.register_dataclass(Layer, ["w"], ["b"]),
        lambda lib: lib.flatten_one_level(3),
        lambda lib: lib.is_tree_node(None),
        lambda lib: lib.tree_transpose(
            lib.tree_structure([0, 0]), lib.tree_structure((0,)), [(1,), (2, 3)]
        ),
    ],
)
def test_error_classes(call):
    found, expected = (outcome(functools.partial(call, lib)) for lib in BOTH)
    assert isinstance(expected, type) and found is expected


def test_error_bases():
    for name in jax.errors.__dict__:
        theirs_cls = getattr(jax.errors, name)
        if not isinstance(theirs_cls, type) or name.startswith("_"):
            continue
        cls = getattr(errors, name)
        builtin = [
            [b.__name__ for b in c.__mro__ if b.__module__ == "builtins"]
            for c in (cls, theirs_cls)
        ]
        assert builtin[0] == builtin[1]
        for parent in jax.errors.__dict__.values():
            if isinstance(parent, type) and hasattr(errors, parent.__name__):
                mine = getattr(errors, parent.__name__)
                assert issubclass(cls, mine) == issubclass(theirs_cls, parent)


def test_settings_have_jaxs_names_and_defaults():
    different = {
        # enough for a laptop's disk; JAX's cache has no bound
        "compilation_cache_max_size",
        # ours are MPI and threads
        "cpu_collectives_implementation",
        # what this process was started with
        "platforms",
        "persistent_cache_enable_xla_caches",
    }
    for name, value in jax.config.values.items():
        short = name.removeprefix("jax_")
        if short in flags.FLAGS and short not in different:
            value = getattr(value, "value", value)
            if short != "explicit_x64_dtypes":
                assert flags.FLAGS[short].default == value, name
    for name in ("enable_x64", "disable_jit", "numpy_rank_promotion"):
        assert callable(getattr(config, name))
