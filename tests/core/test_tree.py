"""Pytrees: laws of flatten and unflatten, registration, prefixes, messages, speed."""

import collections
import dataclasses
import functools
import pickle
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxlike.core import tree, tree_program
from jaxlike.tree_util import (
    DictKey,
    FlattenedIndexKey,
    GetAttrKey,
    Partial,
    SequenceKey,
    keystr,
    tree_unflatten,
    treedef_children,
    treedef_is_leaf,
    treedef_tuple,
)


class Pair(NamedTuple):
    left: Any
    right: Any


@tree.register_pytree_node_class
class Box:
    """Registered without keys."""

    def __init__(self, content, label="box"):
        self.content, self.label = content, label

    def tree_flatten(self):
        return (self.content,), self.label

    @classmethod
    def tree_unflatten(cls, label, children):
        return cls(*children, label)

    def __eq__(self, other):
        return (self.content, self.label) == (other.content, other.label)


@tree.register_dataclass
@dataclasses.dataclass
class Layer:
    w: Any
    b: Any = 0
    name: str = tree.static(default="layer")


trees = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=2),
    lambda inner: st.one_of(
        st.lists(inner, max_size=7),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=2), inner, max_size=4),
        st.dictionaries(st.text(max_size=2), inner, max_size=2).map(
            collections.OrderedDict
        ),
        st.builds(Pair, inner, inner),
        st.builds(Box, inner, st.sampled_from("ab")),
        st.builds(Layer, inner, inner, st.sampled_from("ab")),
    ),
    max_leaves=20,
)


@given(trees)
def test_unflatten_undoes_flatten(x):
    leaves, treedef = tree.flatten(x)
    assert treedef.unflatten(leaves) == x
    assert tree.structure(treedef.unflatten(leaves)) == treedef
    assert treedef.num_leaves == len(leaves) == len(tree.leaves(x))
    assert hash(treedef) == hash(tree.structure(x))
    assert pickle.loads(pickle.dumps(treedef)) == treedef


@given(trees)
def test_the_ways_to_flatten_agree(x):
    leaves, treedef = tree.flatten(x)
    assert tree.flatten(x, lambda _: False) == (leaves, treedef)
    pairs, with_path = tree.flatten_with_path(x)
    assert ([leaf for _, leaf in pairs], with_path) == (leaves, treedef)
    assert treedef.flatten_up_to(x) == leaves
    assert tree.flatten(x, lambda _: True) == ([x], tree.leaf_treedef)
    assert tree.leaf_paths(treedef) == [path for path, _ in pairs]


@given(trees, trees)
def test_structures_compose(x, y):
    outer, inner = tree.structure(x), tree.structure(y)
    both = tree.map(lambda _: y, x)
    assert outer.compose(inner) == tree.structure(both)
    assert outer.flatten_up_to(both) == [y] * outer.num_leaves
    assert outer.compose(inner).num_leaves == len(tree.leaves(both))


@given(trees)
def test_structures_come_apart_and_together(x):
    treedef = tree.structure(x)
    again = treedef.from_node_data_and_children(
        tree.default_registry, treedef.node_data(), treedef.children()
    )
    assert again == treedef
    assert treedef.num_nodes == 1 + sum(c.num_nodes for c in treedef.children())
    assert treedef.walk(lambda parts, _: sum(parts), lambda n: n, [1] * 100) == len(
        tree.leaves(x)
    )


@given(trees, trees)
def test_equal_structures_have_no_differences_and_others_do(x, y):
    same = tree.structure(x) == tree.structure(y)
    assert (tree.describe_mismatch(x, y) == []) == same
    assert tree.describe_mismatch(x, x) == []
    structures = tree.describe_mismatch(tree.structure(x), tree.structure(y))
    assert (structures == []) == same


@given(trees, trees)
def test_prefix_errors_say_whether_a_prefix_fits(x, y):
    fits = True
    try:
        values = tree.broadcast_prefix(x, y)
    except ValueError:
        fits = False
    else:
        assert len(values) == len(tree.leaves(y))
    assert (tree.prefix_errors(x, y) == []) == fits


@given(trees, trees)
def test_programs_do_what_the_general_functions_do(x, y):
    leaves, treedef = tree.flatten(x)
    flatten = tree_program.compile_flatten(treedef.node)
    unflatten = tree_program.compile_unflatten(treedef)
    assert flatten(x) == leaves
    assert unflatten(leaves) == x
    other = tree.leaves(y) if tree.structure(y) == treedef else None
    assert flatten(y) == other
    with pytest.raises(ValueError, match="Too many"):
        unflatten([*leaves, 0])


def test_programs_start_general_and_notice_new_node_types():
    class Late:
        pass

    x = {(1, 2): [Late() for _ in range(9)], (1, 3): None}
    program = tree.TreeProgram(tree.structure(x))
    for _ in range(40):
        assert program.flatten(x) == tree.leaves(x)
        assert program.unflatten(tree.leaves(x)) == x
        assert program.flatten([x]) is None
    assert program.flatten.__name__ == "run"
    tree.register_pytree_node(Late, lambda x: ((), None), lambda a, c: Late())
    assert program.flatten(x) is None


def test_dicts_go_by_sorted_key_and_none_has_no_leaf():
    assert tree.leaves({"b": 1, "a": (2, None)}) == [2, 1]
    assert list(tree.map(lambda x: x, {"b": 1, "a": 2})) == ["a", "b"]
    assert tree.structure(None).num_leaves == 0
    keys = collections.OrderedDict(b=1, a=2)
    assert tree.leaves(keys) == [1, 2]
    assert tree.leaves(collections.defaultdict(list, b=1, a=2)) == [2, 1]
    with pytest.raises(ValueError, match="must be sortable, got int, str"):
        tree.leaves({1: 0, "a": 0})


def test_subclasses_and_other_containers_are_leaves():
    class Dict(dict):
        pass

    class Tuple(tuple):
        __slots__ = ()

    for x in (Dict(a=1), Tuple((1, 2)), collections.deque([1]), {1}, "ab"):
        assert tree.leaves([x, 1]) == [x, 1]
        assert tree.leaves(x) == [x]


@pytest.mark.parametrize(
    "x, text",
    [
        (1, "*"),
        (None, "None"),
        ((), "()"),
        ((1,), "(*,)"),
        ([], "[]"),
        ({"a": 1, "b": (2, 3)}, "{'a': *, 'b': (*, *)}"),
        (Pair(1, [2]), "CustomNode(namedtuple[Pair], [*, [*]])"),
        (Box(1, "b"), "CustomNode(Box[b], [*])"),
        (Layer(1), "CustomNode(Layer[('layer',)], [*, *])"),
    ],
)
def test_printed_form(x, text):
    assert str(tree.structure(x)) == f"PyTreeDef({text})"


def test_key_paths():
    x = {"a": [Pair(1, Box(2))], "b": Layer(3, 4)}
    assert [keystr(path) for path, _ in tree.leaves_with_path(x)] == [
        "['a'][0].left",
        "['a'][0].right[<flat index 0>]",
        "['b'].w",
        "['b'].b",
    ]
    path = tree.leaves_with_path(x)[1][0]
    assert path == (
        DictKey("a"),
        SequenceKey(0),
        GetAttrKey("right"),
        FlattenedIndexKey(0),
    )
    assert keystr(path, simple=True, separator="/") == "a/0/right/0"
    assert pickle.loads(pickle.dumps(path)) == path
    assert len({*path, *path}) == 4
    assert DictKey(0) != SequenceKey(0)
    with pytest.raises(AttributeError, match="read-only"):
        path[0].key = "b"
    match path[0]:
        case DictKey(key):
            assert key == "a"


def test_map_takes_further_trees_up_to_the_first():
    assert tree.map(lambda x, y: (x, y), [1, 2], [3, (4, 5)]) == [(1, 3), (2, (4, 5))]
    with_path = tree.map_with_path(lambda p, x, y: keystr(p), {"a": 1}, {"a": 2})
    assert with_path == {"a": "['a']"}


@pytest.mark.parametrize(
    "a, b, lines",
    [
        (
            {"w": [1, (2, 3)]},
            {"w": [1, [2]]},
            ["at ['w'][1]: a tuple of length 2 in A, a list of length 1 in B"],
        ),
        (
            [{"w": 1}, 2],
            [{"v": 1, "u": 1}, (2,)],
            [
                "at [0]: dict keys differ: key 'w' only in A; keys 'v', 'u' only in B",
                "at [1]: a leaf in A, a tuple of length 1 in B",
            ],
        ),
        (None, 1, ["at the root: None in A, a leaf in B"]),
        (
            Layer(1, 2, "in"),
            Layer(1, 2, "out"),
            ["at the root: Layer with static data ('in',) in A, ('out',) in B"],
        ),
    ],
)
def test_mismatches_in_words(a, b, lines):
    assert tree.describe_mismatch(a, b, "A", "B") == lines


def test_map_names_the_tree_and_the_path():
    with pytest.raises(ValueError) as caught:
        tree.map(lambda *xs: 0, {"a": [1]}, {"a": [1]}, {"a": (1,)})
    assert str(caught.value).startswith(
        "tree.map: pytree structures differ\n"
        "  at ['a']: a list of length 1 in tree 1, a tuple of length 1 in tree 3\n"
        "  at    test_tree.py:"
    )


def test_unflatten_counts_leaves():
    treedef = tree.structure([0, (0, 0)])
    for n in (2, 4):
        with pytest.raises(ValueError, match=f"expected 3, got {n}"):
            tree_unflatten(treedef, range(n))
    assert tree_unflatten(treedef, iter("abc")) == ["a", ("b", "c")]


def test_prefixes_of_axes():
    full = ({"a": 0, "b": [0, 0]}, 5)
    is_none = lambda x: x is None
    assert tree.broadcast_prefix((0, None), full, is_none) == [0, 0, 0, None]
    assert tree.broadcast({"a": 1}, {"a": [0, 0]}) == {"a": [1, 1]}
    with pytest.raises(ValueError, match=r"at \[0\]: a tuple of length 1 in in_axes"):
        tree.broadcast_prefix(((0,), 0), full, is_none, "in_axes")


def test_registration_is_checked():
    with pytest.raises(ValueError, match="Duplicate"):
        tree.register_pytree_node(Box, lambda x: x, lambda a, c: c)
    with pytest.raises(ValueError, match="Duplicate"):
        tree.register_pytree_node(dict, lambda x: x, lambda a, c: c)
    with pytest.raises(TypeError, match="callable"):
        tree.register_pytree_node(type("New", (), {}), 1, 2)

    class Wrong:
        pass

    tree.register_pytree_node(Wrong, lambda x: 1, lambda a, c: c)
    with pytest.raises(ValueError, match="must return"):
        tree.flatten(Wrong())


def test_a_type_can_be_registered_after_it_was_met_as_a_leaf():
    class Late:
        pass

    late = Late()
    assert tree.leaves([late]) == [late]
    tree.register_pytree_node(Late, lambda x: ((1, 2), None), lambda a, c: late)
    assert tree.leaves([late] * 6) == [1, 2] * 6


def test_dataclass_fields_are_checked():
    @dataclasses.dataclass
    class Three:
        x: int
        y: int
        z: int = 3

    register = functools.partial(tree.register_dataclass, Three)
    with pytest.raises(TypeError, match="together"):
        register(["x"])
    with pytest.raises(ValueError, match="missing: z"):
        register(["x"], ["y"])
    with pytest.raises(ValueError, match="not fields of __init__: q"):
        register(["x", "q"], ["y", "z"])
    with pytest.raises(ValueError, match="in both: y"):
        register(["x", "y"], ["y", "z"])
    register(["x"], ["y"], drop_fields=["z"])
    assert tree.map(lambda v: v + 1, Three(1, 2, 9)) == Three(2, 2, 3)
    with pytest.raises(TypeError, match="is no dataclass"):
        tree.register_dataclass(type("Plain", (), {}))


def test_static_and_partial():
    @tree.register_static
    class Name(str):
        __slots__ = ()

    assert tree.flatten([Name("a"), 1])[0] == [1]
    assert tree.structure(Name("a")) == tree.structure(Name("a"))
    assert tree.structure(Name("a")) != tree.structure(Name("b"))
    power = Partial(pow, 2, mod=5)
    doubled = tree.map(lambda x: 2 * x, power)
    assert isinstance(doubled, Partial)
    assert (doubled.args, doubled.keywords) == ((4,), {"mod": 10})
    nested = Partial(functools.partial(max, 5), 1)
    assert tree.leaves(nested) == [1]
    assert nested() == 5


def test_folds():
    assert tree.reduce(lambda a, b: a - b, [10, (2, 3)]) == 5
    assert tree.reduce(lambda a, b: a - b, [], 7) == 7
    assert tree.all([1, {"a": True}]) and not tree.all([1, 0])
    text = tree.reduce_associative(lambda a, b: f"({a}{b})", list("abcde"))
    assert text == "((ab)(c(de)))"
    assert tree.reduce_associative(max, [], identity=3) == 3
    with pytest.raises(TypeError, match="identity"):
        tree.reduce_associative(max, [])


def test_transpose():
    outer, inner = tree.structure([0, 0]), tree.structure({"a": 0, "b": 0})
    rows = [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    for known in (inner, None):
        assert tree.transpose(outer, known, rows) == {"a": [1, 3], "b": [2, 4]}
    with pytest.raises(TypeError, match="expected"):
        tree.transpose(outer, inner, rows[:1])


def test_treedef_helpers():
    treedef = tree.structure([1, (2, 3)])
    assert treedef_tuple(treedef_children(treedef)) == tree.structure((1, (2, 3)))
    assert treedef_is_leaf(tree.structure(None))
    assert not treedef_is_leaf(treedef)
    with pytest.raises(TypeError, match="expected a PyTreeDef"):
        treedef_tuple([1])
    assert treedef.from_iterable_tree((1, [2, 3])) == [1, (2, 3)]


def test_one_level():
    assert tree.flatten_one_level({"b": 1, "a": [2]}) == (([2], 1), ("a", "b"))
    with pytest.raises(ValueError, match="no node of a pytree"):
        tree.flatten_one_level(3)
    pairs, _ = tree.flatten_one_level_with_keys(Layer(1, 2))
    assert pairs == ((GetAttrKey("w"), 1), (GetAttrKey("b"), 2))
    assert tree.is_tree_node(Box) and not tree.is_tree_node(int)
    assert tree.all_leaves([1, "a"]) and not tree.all_leaves([1, None])


def test_long_and_deep_trees():
    wide = [*range(10_000), [1]]
    assert tree.leaves(wide)[-1] == 1
    deep = 0
    for _ in range(400):
        deep = [deep]
    leaves, treedef = tree.flatten(deep)
    assert leaves == [0] and treedef.unflatten(leaves) == deep
