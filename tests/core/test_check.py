"""check_jaxpr accepts what tracing makes, and says what is wrong with the rest."""

import numpy as np
import pytest

from jaxlike.core.avals import ShapedArray
from jaxlike.core.check import check_jaxpr
from jaxlike.core.config import enable_checks
from jaxlike.core.errors import JaxprTypeError
from jaxlike.core.jaxpr import ClosedJaxpr, DropVar, Literal, Var
from jaxlike.core.jaxpr import check_jaxpr as check_from_jaxpr
from jaxlike.core.primitive import Primitive, registry
from jaxlike.primitives.arithmetic import add, mul
from jaxlike.primitives.transcendental import sin
from jaxlike.transforms.jit import jit
from jaxlike.transforms.make_jaxpr import make_jaxpr

x = np.arange(3, dtype=np.float32)
F3 = ShapedArray((3,), np.float32)
F4 = ShapedArray((4,), np.float32)


def traced():
    return make_jaxpr(lambda x: mul(sin(x), 2.0))(x)


def broken(change):
    closed = traced()
    change(closed.jaxpr)
    return closed


def test_accepts_what_tracing_makes():
    check_jaxpr(traced())
    check_jaxpr(traced().jaxpr)
    check_from_jaxpr(traced())
    g = jit(lambda x, y: (add(x, y), x))
    check_jaxpr(make_jaxpr(lambda y: g(g(y, x)[0], 1.0))(x))
    check_jaxpr(make_jaxpr(lambda y: add(y, x))(x))


def unbind(jaxpr):
    jaxpr.invars = []


def use_before(jaxpr):
    jaxpr.eqns = jaxpr.eqns[::-1]


def bind_twice(jaxpr):
    jaxpr.eqns[1].outvars = jaxpr.eqns[0].outvars


def wrong_result(jaxpr):
    var = Var(F4)
    jaxpr.eqns[1].outvars = jaxpr.outvars = [var]


def array_literal(jaxpr):
    jaxpr.eqns[0].invars = [Literal(x, F3)]


def invented_effect(jaxpr):
    jaxpr.eqns[0].effects = frozenset(["noise"])


@pytest.mark.parametrize(
    "change, says",
    [
        (unbind, "used before it is bound"),
        (use_before, "used before it is bound"),
        (bind_twice, "bound twice"),
        (wrong_result, r"result 0 has type f32\[4\] but must have f32\[3\]"),
        (array_literal, "not a scalar"),
        (invented_effect, "noise"),
    ],
)
def test_says_what_is_wrong(change, says):
    with pytest.raises(JaxprTypeError, match=says) as info:
        check_jaxpr(broken(change))
    assert "in the equation" in str(info.value)
    assert "test_check.py" in str(info.value)


def test_an_ill_typed_equation_is_shown():
    closed = make_jaxpr(lambda x, y: (sin(x), sin(y)))(x, np.ones(4, np.float32))
    eqn = closed.eqns[0]
    call = make_jaxpr(lambda x: add(x, x))(x).eqns[0]
    closed.jaxpr.eqns[0] = call.replace(invars=closed.jaxpr.invars, outvars=eqn.outvars)
    with pytest.raises(JaxprTypeError, match=r"= add [a-z] [a-z]"):
        check_jaxpr(closed)


def test_outputs_and_effects_of_the_jaxpr():
    closed = broken(lambda jaxpr: setattr(jaxpr, "outvars", [Var(F3)]))
    with pytest.raises(JaxprTypeError, match="before it is bound"):
        check_jaxpr(closed)


def test_drop_vars_may_repeat():
    closed = make_jaxpr(lambda x: (sin(x), sin(x), x)[2])(x)
    for eqn in closed.eqns:
        eqn.outvars = [DropVar(F3)]
    check_jaxpr(closed)


def test_consts_match_their_variables():
    closed = make_jaxpr(lambda y: add(y, x))(x)
    with pytest.raises(JaxprTypeError, match=r"const 0 has type f32\[4\]"):
        check_jaxpr(ClosedJaxpr(closed.jaxpr, [np.ones(4, np.float32)]))
    with pytest.raises(JaxprTypeError, match="1 constvars but 0 consts"):
        check_jaxpr(ClosedJaxpr(closed.jaxpr, []))


def test_calls_are_checked_inside_and_at_their_operands():
    closed = make_jaxpr(jit(lambda x: sin(x)))(x)
    inner = closed.eqns[0].params["jaxpr"].jaxpr
    wrong_inside = closed.eqns[0].replace(
        params={
            **closed.eqns[0].params,
            "jaxpr": ClosedJaxpr(inner.replace(invars=[])),
        }
    )
    with pytest.raises(JaxprTypeError, match="before it is bound"):
        check_jaxpr(closed.jaxpr.replace(eqns=[wrong_inside]))
    four = make_jaxpr(jit(lambda x: sin(x)))(np.ones(4, np.float32))
    wrong_operand = four.eqns[0].replace(invars=closed.jaxpr.invars)
    with pytest.raises(JaxprTypeError, match="operand 0"):
        check_jaxpr(closed.jaxpr.replace(eqns=[wrong_operand]))


def test_enable_checks_checks_what_is_traced():
    calls = []

    def shape(x):
        calls.append(x)
        return x if len(calls) == 1 else F4

    primitive = Primitive("fickle")
    primitive.shape, primitive.cache_shape = shape, False
    try:
        make_jaxpr(lambda x: primitive.bind(x))(x)
        calls.clear()
        with enable_checks(True), pytest.raises(JaxprTypeError, match="fickle"):
            make_jaxpr(lambda x: primitive.bind(x))(x)
    finally:
        del registry["fickle"]
