"""checkpoint: the same derivatives from fewer residuals; policies say which."""

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike.ad_checkpoint import checkpoint_name, print_saved_residuals
from jaxlike.transforms.remat import saved_residuals
from tests.transforms.functions import PARAMS, V, X, close, model, primitives, wave

policies = jax.checkpoint_policies


def deep(x):
    h = checkpoint_name(jnp.sin(x @ PARAMS["w"]), "h")
    return jnp.sin(h @ PARAMS["w"]).sum()


WRAPPERS = {"eager": lambda f: f, "jit": jax.jit, "twice": jax.checkpoint}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
@pytest.mark.parametrize("policy", [None, "dots_saveable", "everything_saveable"])
def test_derivatives_do_not_change(wrap, policy):
    policy = policy and getattr(policies, policy)
    f = wrap(jax.checkpoint(model, policy=policy))
    close(f(PARAMS, X), model(PARAMS, X))
    close(jax.grad(f)(PARAMS, X), jax.grad(model)(PARAMS, X))
    close(
        jax.vmap(jax.grad(f), (None, 0))(PARAMS, X[:, None]),
        jax.vmap(jax.grad(model), (None, 0))(PARAMS, X[:, None]),
    )
    tangents = (PARAMS, X)
    close(jax.jvp(f, (PARAMS, X), tangents), jax.jvp(model, (PARAMS, X), tangents))


@pytest.mark.parametrize(
    "policy, dots, sines",
    [
        (policies.nothing_saveable, 6, 3),
        (policies.everything_saveable, 4, 2),
        (policies.dots_saveable, 4, 3),
        (policies.save_only_these_names("h"), 6, 2),
        (policies.save_only_these_names("other"), 6, 3),
    ],
)
def test_what_runs_again(policy, dots, sines):
    g = jax.grad(jax.checkpoint(deep, policy=policy))
    names = primitives(jax.make_jaxpr(g)(X))
    # once forwards, once again where it is not kept, and once transposed a product
    assert names.count("dot_general") <= dots
    assert names.count("sin") <= sines
    close(g(X), jax.grad(deep)(X))


def test_residuals_are_the_arguments():
    f = jax.checkpoint(lambda x: wave(wave(x)))
    kinds = [where for _, where in saved_residuals(f, V)]
    assert kinds == ["from the argument x"]
    assert len(saved_residuals(lambda x: wave(wave(x)), V)) > 3


def test_residuals_are_printed(capsys):
    print_saved_residuals(jnp.sin, 1.0)
    assert capsys.readouterr().out.startswith("f32[] output of cos from ")


def test_inside_scan():
    def f(x, wrap):
        return jax.lax.scan(wrap(lambda c, a: (wave(c) * a, c)), x, V)[0]

    for transform in (jax.grad, lambda g: jax.grad(jax.grad(g)), jax.jit):
        close(
            transform(lambda x: f(x, jax.checkpoint))(0.5),
            transform(lambda x: f(x, lambda g: g))(0.5),
        )


def test_the_second_computation_is_not_merged_with_the_first():
    g = jax.jit(jax.grad(lambda x: jax.checkpoint(lambda a: wave(wave(a)))(x).sum()))
    np.testing.assert_allclose(
        g(V), jax.grad(lambda x: wave(wave(x)).sum())(V), rtol=1e-5
    )


def test_a_policy_must_answer():
    f = jax.checkpoint(jnp.sin, policy=lambda *_, **__: "yes")
    with pytest.raises(TypeError, match="policy must return"):
        jax.grad(f)(1.0)


def test_static_arguments_by_number_and_name():
    def f(x, kind):
        return jnp.sin(x) if kind == "sin" else x

    for options in ({"static_argnums": 1}, {"static_argnames": "kind"}):
        g = jax.checkpoint(f, **options)
        assert jnp.allclose(jax.grad(g)(0.5, "sin"), jnp.cos(0.5))
        assert jax.grad(lambda x: g(x, kind="id"))(0.5) == 1.0
