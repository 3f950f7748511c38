"""transpose_jaxpr and backward_pass on linear programs."""

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike.core.check import check_jaxpr
from jaxlike.core.jaxpr import eval_jaxpr
from jaxlike.core.zeros import UndefinedPrimal, Zero
from jaxlike.transforms.transpose import backward_pass, transpose_jaxpr
from tests.transforms.functions import V


def test_adjoint_of_a_mixed_program():
    closed = jax.make_jaxpr(lambda c, t: (jnp.sin(c) * t, t.sum()))(V, V)
    transposed, has = transpose_jaxpr(closed, [False, True], [True, True])
    check_jaxpr(transposed.jaxpr)
    assert has == [True]
    (ct,) = eval_jaxpr(transposed.jaxpr, transposed.consts, V, V, np.float32(2))
    np.testing.assert_allclose(ct, np.sin(V) * V + 2, rtol=1e-5)


def test_zero_cotangents_cost_nothing():
    closed = jax.make_jaxpr(lambda t: (t * 2, t * 3))(V)
    transposed, has = transpose_jaxpr(closed, [True], [False, False], False)
    assert has == [False] and not transposed.eqns
    (ct,) = backward_pass(
        closed.jaxpr, [], [UndefinedPrimal(closed.in_avals[0])], [Zero(None)] * 2
    )
    assert type(ct) is Zero


def test_a_linear_input_used_twice_is_summed():
    (ct,) = jax.linear_transpose(lambda t: t + 3 * t, V)(V)
    np.testing.assert_allclose(ct, 4 * V)


def test_what_is_not_linear_is_refused():
    with pytest.raises((NotImplementedError, TypeError)):
        jax.linear_transpose(jnp.sin, 1.0)(1.0)
    with pytest.raises(TypeError, match="both depend on the tangents"):
        jax.linear_transpose(lambda t: t * t, 1.0)(1.0)
