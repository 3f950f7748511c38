"""jvp and its jaxpr-to-jaxpr form."""

import numpy as np

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike.core.check import check_jaxpr
from jaxlike.core.jaxpr import eval_jaxpr
from jaxlike.transforms.jvp import jvp_jaxpr
from tests.transforms.functions import V, close, wave


def test_directional_derivative():
    y, t = jax.jvp(wave, (V,), (V,))
    close(y, wave(V))
    eps = 1e-2
    close(t, (wave(V + eps * V) - wave(V - eps * V)) / (2 * eps), 1e-2)


def test_jvp_is_linear_in_the_tangent():
    t = lambda v: jax.jvp(wave, (V,), (v,))[1]
    close(t(V) + 2 * t(V * V), t(V + 2 * V * V))


def test_jaxpr_form():
    closed = jax.make_jaxpr(lambda x, y: (wave(x) * y, y))(V, V)
    derived, nonzeros = jvp_jaxpr(closed, [True, False], False)
    check_jaxpr(derived.jaxpr)
    assert nonzeros == [True, False]
    outs = eval_jaxpr(derived.jaxpr, derived.consts, V, V, V)
    close(outs[2], jax.jvp(lambda x: wave(x) * V, (V,), (V,))[1])
    _, forced = jvp_jaxpr(closed, [True, False], True)
    assert forced == [True, True]
    assert jvp_jaxpr(closed, [True, False], False)[0] is derived


def test_integer_results_have_no_tangent():
    i, t = jax.jvp(jnp.argmax, (V,), (V,))
    assert int(i) == 2 and t.dtype == jax.float0


def test_zero_tangents_leave_the_program_alone():
    closed = jax.make_jaxpr(lambda x: jax.jvp(lambda a, b: b * 2 + a, (x, x), (x, x)))(
        V
    )
    assert [e.primitive.name for e in closed.eqns].count("sin") == 0


def test_forward_over_reverse_is_reverse_over_forward():
    f = lambda v: (wave(v) ** 2).sum()
    a = jax.jvp(jax.grad(f), (V,), (V,))[1]
    b = jax.grad(lambda v: jax.jvp(f, (v,), (V,))[1])(V)
    np.testing.assert_allclose(a, b, rtol=1e-4)
