"""Staging: what becomes a literal, a const, an input; and whose line an equation is."""

import numpy as np

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike.core import source_info
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import Literal
from jaxlike.core.staging import trace_to_closed_jaxpr, trace_to_jaxpr

SCALAR = ShapedArray((), "float32")
V = np.arange(3, dtype=np.float32)


def test_scalars_are_literals_and_keep_their_weak_type():
    weak = jnp.asarray(2.0) + 0  # strong; a Python number is weak
    closed = trace_to_closed_jaxpr(
        lambda x: [jax.lax.mul(x, np.float32(2)), x * 3.0, x * weak], [SCALAR]
    )
    literals = [v for e in closed.eqns for v in e.invars if type(v) is Literal]
    assert [v.aval.weak_type for v in literals[:1]] == [False]
    assert all(v.aval.dtype == np.float32 for v in closed.jaxpr.outvars)


def test_one_const_for_one_array():
    a = jnp.asarray(V)
    closed = trace_to_closed_jaxpr(
        lambda x: [x + a, x * a, a], [ShapedArray((3,), "float32")]
    )
    assert [c is a for c in closed.consts] == [True]


def test_consts_become_leading_inputs():
    a = jnp.asarray(V)
    closed, consts = trace_to_jaxpr(lambda x: [x + a], [ShapedArray((3,), "float32")])
    assert consts[0] is a and not closed.consts
    assert [str(v.aval) for v in closed.jaxpr.invars] == ["f32[3]", "f32[3]"]


def test_inputs_may_be_outputs():
    closed = trace_to_closed_jaxpr(lambda x, y: [y, x, x, 1.0], [SCALAR, SCALAR])
    out = closed.jaxpr.outvars
    assert out[1] is out[2] is closed.jaxpr.invars[0]
    assert type(out[3]) is Literal and not closed.eqns


def test_equations_remember_the_line():
    def f(x):
        return jnp.sin(x)  # this one

    (eqn,) = jax.make_jaxpr(f)(1.0).eqns
    assert source_info.resolve(eqn.source_info).text.endswith("# this one")
    # also after transforms of the jaxpr
    for eqn in jax.make_jaxpr(jax.grad(jax.jit(f)))(1.0).jaxpr.eqns:
        place = source_info.resolve(eqn.source_info)
        assert place is None or place.file.endswith("test_staging.py")


def test_traces_nest():
    def f(x):
        inner = jax.make_jaxpr(lambda y: y * 2)(1.0)
        return x * len(inner.eqns)

    assert float(jax.jit(f)(3.0)) == 3
