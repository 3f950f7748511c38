"""make_jaxpr and eval_shape agree with running."""

import numpy as np

import jaxlike as jax
from jaxlike.core.check import check_jaxpr
from jaxlike.core.jaxpr import eval_jaxpr
from tests.transforms.functions import PARAMS, Counted, V, X, close, model


def test_the_jaxpr_computes_the_function():
    closed = jax.make_jaxpr(model)(PARAMS, X)
    check_jaxpr(closed.jaxpr)
    leaves = jax.tree.leaves((PARAMS, X))
    (out,) = eval_jaxpr(closed.jaxpr, closed.consts, *leaves)
    close(out, model(PARAMS, X))


def test_specs_do_for_arrays():
    spec = jax.ShapeDtypeStruct((2, 3), np.float32)
    assert str(jax.make_jaxpr(lambda x: x * 2)(spec)) == str(
        jax.make_jaxpr(lambda x: x * 2)(X)
    )


def test_eval_shape_is_the_shape_of_the_result():
    f = Counted(lambda p, x: {"y": x @ p["w"], "n": x > 0})
    shapes = jax.eval_shape(f, PARAMS, X)
    assert f.count == 1
    for s, y in zip(jax.tree.leaves(shapes), jax.tree.leaves(f(PARAMS, X))):
        assert (s.shape, s.dtype) == (y.shape, y.dtype)


def test_statics_and_shapes():
    f = lambda x, n, m: x[:n] * len(m)
    closed, shape = jax.make_jaxpr(f, static_argnums=(1, -1), return_shape=True)(
        V, 2, "abc"
    )
    assert shape.shape == (2,) and len(closed.in_avals) == 1


def test_arrays_of_closures_are_consts():
    c = jax.numpy.asarray(V)
    closed = jax.make_jaxpr(lambda x: x + c)(V)
    assert [k is c for k in closed.consts] == [True]
