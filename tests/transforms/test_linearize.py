"""linearize_jaxpr splits a program: its primal, and a linear program of tangents."""

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike.core.check import check_jaxpr
from jaxlike.core.jaxpr import eval_jaxpr
from jaxlike.transforms.linearize import linearize_jaxpr
from tests.transforms.functions import V, close, primitives, wave


def test_the_two_parts_are_jvp():
    closed = jax.make_jaxpr(lambda x, y: (wave(x) * y, y + 1))(V, V)
    split = linearize_jaxpr(closed, [True, False])
    check_jaxpr(split.primal.jaxpr)
    check_jaxpr(split.tangent.jaxpr)
    assert split.nonzeros_out == [True, False]
    results = eval_jaxpr(split.primal.jaxpr, split.primal.consts, V, V)
    outs, residuals = results[:2], results[2:]
    assert len(residuals) == split.num_residuals
    (t,) = eval_jaxpr(split.tangent.jaxpr, [], *residuals, V)
    y, expected = jax.jvp(lambda x: wave(x) * V, (V,), (V,))
    close(outs[0], y)
    close(t, expected)


def test_the_linear_part_has_no_transcendentals():
    closed = jax.make_jaxpr(wave)(V)
    split = linearize_jaxpr(closed, [True])
    assert not {"sin", "cos", "tanh"} & set(primitives(split.tangent))
    assert {"sin", "cos", "tanh"} <= set(primitives(split.primal))


def test_forced_outputs():
    closed = jax.make_jaxpr(lambda x: (x, 3.0))(V)
    split = linearize_jaxpr(closed, [True], True)
    assert split.nonzeros_out == [True, True]
    check_jaxpr(split.tangent.jaxpr)


def test_primals_run_once():
    runs = []

    def f(x):
        runs.append(1)
        return jnp.sin(x)

    _, f_jvp = jax.linearize(f, V)
    f_jvp(V), f_jvp(V)
    assert len(runs) == 1
