"""The text of jaxprs: line breaking, names, sharing; parity tests compare with JAX."""

import numpy as np

from jaxlike.core.layout import Break, Group, Nest, Text, concat, join, layout
from jaxlike.core.printer import _letters, eqn_to_str, jaxpr_to_str
from jaxlike.primitives.arithmetic import add, mul
from jaxlike.primitives.broadcasting import broadcast_in_dim
from jaxlike.primitives.contraction import dot_general
from jaxlike.primitives.reductions import reduce_sum
from jaxlike.primitives.transcendental import sin
from jaxlike.transforms.jit import jit
from jaxlike.transforms.make_jaxpr import make_jaxpr

x = np.arange(3, dtype=np.float32)


def text(fun, *args, **options):
    return jaxpr_to_str(make_jaxpr(fun)(*args), **options)


def test_short_jaxprs_stand_on_one_line():
    expected = (
        "{ lambda ; a:f32[3]. let b:f32[3] = sin a; "
        "c:f32[3] = mul b 2.0:f32[] in (c,) }"
    )
    assert text(lambda x: mul(sin(x), 2.0), x) == expected
    assert text(lambda x: (), x) == "{ lambda ; a:f32[3]. let  in () }"
    assert text(lambda: 1.0) == "{ lambda ; . let  in (1.0:f32[],) }"


def test_str_repr_and_pretty_print_agree():
    closed = make_jaxpr(sin)(x)
    assert str(closed) == repr(closed) == closed.pretty_print()
    assert str(closed.jaxpr) == str(closed)


def test_consts_come_before_the_semicolon():
    closed = make_jaxpr(lambda y: add(y, x))(x)
    assert str(closed).startswith("{ lambda a:f32[3]; b:f32[3]. let")


def test_calls_share_the_names_of_their_operands():
    g = jit(lambda x, y: add(x, y))
    assert (
        text(lambda x: g(x, x), x)
        == """\
{ lambda ; a:f32[3]. let
    b:f32[3] = jit[
      name=<lambda>
      jaxpr={ lambda ; a:f32[3] c:f32[3]. let b:f32[3] = add a c in (b,) }
    ] a a
  in (b,) }"""
    )


def test_a_jaxpr_met_twice_is_written_once():
    g = jit(lambda x, y: add(x, y))
    assert (
        text(lambda x: g(x, g(x, x)), x)
        == """\
let lambda = { lambda ; a:f32[3] b:f32[3]. let c:f32[3] = add a b in (c,) } in
{ lambda ; d:f32[3]. let
    e:f32[3] = jit[name=<lambda> jaxpr=lambda] d d
    f:f32[3] = jit[name=<lambda> jaxpr=lambda] d e
  in (f,) }"""
    )


def test_shared_jaxprs_of_one_name_are_numbered():
    g = jit(lambda x: sin(x))
    h = jit(lambda x: sin(sin(x)))
    got = text(lambda x: g(g(h(h(x)))), x)
    assert "let lambda = " in got and "let lambda1 = " in got
    assert got.count("jaxpr=lambda1]") == 2


def test_unused_results_are_underscores():
    h = jit(lambda x: (mul(x, 2.0), mul(x, 3.0)))
    assert "_:f32[3] b:f32[3] = jit[" in text(lambda x: h(x)[1], x)
    # inside the call they keep their names
    assert "_" not in text(jit(lambda x: h(x)[1]), x)


def test_params_that_say_nothing_are_left_out():
    def f(x):
        y = broadcast_in_dim(x, (2, 3), (1,))
        return dot_general(y, y, (((1,), (1,)), ((), ())))

    got = text(f, x)
    assert "broadcast_in_dim[broadcast_dimensions=(1,)] a" in got
    assert "dimension_numbers=(([1], [1]), ([], []))" in got
    assert "precision" not in got and "sharding" not in got
    assert "broadcast_in_dim 1.0:f32[]" in text(
        lambda: broadcast_in_dim(np.float32(1), (3,), ())
    )
    assert "[axes=(0,) out_sharding=None]" in text(lambda x: reduce_sum(x, (0,)), x)


def test_options():
    def f(x):
        return mul(sin(x), 2.0)

    assert text(f, x, print_shapes=False) == (
        "{ lambda ; a. let b = sin a; c = mul b 2.0:f32[] in (c,) }"
    )
    located = text(f, x, source_info=True).splitlines()
    marks = [line.index(" # ") for line in located if " # " in line]
    assert len(marks) == 2 and len(set(marks)) == 1
    assert "test_printer.py:" in located[1]
    assert located[1].endswith("(test_options.<locals>.f)")
    assert "# []" in text(f, x, name_stack=True)
    assert "out_dtype" not in text(f, x)


def test_equations_print_alone():
    eqn = make_jaxpr(lambda x: mul(x, 2.0))(x).eqns[0]
    assert eqn_to_str(eqn) == repr(eqn) == "a:f32[3] = mul b 2.0:f32[]"


def test_letters_count_in_base_26():
    names = [_letters(i) for i in range(26**2 + 2)]
    assert names[:3] == ["a", "b", "c"]
    assert names[25:28] == ["z", "ba", "bb"]
    assert names[26**2] == "baa"
    assert len(set(names)) == len(names)


def test_layout_breaks_all_or_no_breaks_of_a_group():
    words = [Text("aaa"), Text("bbb"), Text("ccc")]
    doc = Group(concat(Text("("), Nest(1, join(Break(), words)), Text(")")))
    assert layout(doc, 13) == "(aaa bbb ccc)"
    assert layout(doc, 12) == "(aaa\n bbb\n ccc)"
    filled = join(Group(Break()), words)
    assert layout(filled, 7) == "aaa bbb\nccc"


def test_layout_puts_notes_in_one_column():
    doc = concat(Text("a", "one"), Break(), Text("bcd"), Break(), Text("e", "two"))
    assert layout(doc) == "a   # one\nbcd\ne   # two"
    assert layout(Group(doc)) == layout(doc)
