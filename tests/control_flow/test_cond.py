"""cond, switch and platform_dependent: the branch itself, under every transform."""

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core.check import check_jaxpr
from jaxlike.primitives.callbacks import debug_callback, io_callback
from tests.primitives.case import assert_close

X = np.linspace(0.5, 1.5, 3).astype(np.float32)
Y = np.linspace(-1, 2, 3).astype(np.float32)


def close(got, expected):
    for a, b in zip(
        jaxlike.tree.leaves(got), jaxlike.tree.leaves(expected), strict=True
    ):
        assert_close(a, b, rtol=1e-4, atol=1e-5)


def branches(y):
    """Functions of different residuals, one of which does not depend on y."""
    return [
        lambda x: {"a": jnp.sin(x) * y, "b": x.sum()},
        lambda x: {"a": x * x * jnp.cos(x), "b": (x * y).sum()},
        lambda x: {"a": x, "b": jnp.float32(1)},
    ]


def run(index, x, y):
    return lax.switch(index, branches(y), x)


def loss(fun):
    return lambda index, x, y: sum(jnp.sin(v).sum() for v in fun(index, x, y).values())


def direct(index, x, y):
    return branches(y)[index](x)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_is_the_branch(index):
    expected = direct(index, jnp.asarray(X), Y)
    close(run(index, X, Y), expected)
    close(jaxlike.jit(run)(index, X, Y), expected)
    grads = jaxlike.grad(loss(direct), (1, 2))(index, X, Y)
    close(jaxlike.grad(loss(run), (1, 2))(index, X, Y), grads)
    jitted = jaxlike.jit(jaxlike.grad(loss(run), (1, 2)))
    close(jitted(index, X, Y), grads)
    check_jaxpr(jaxlike.make_jaxpr(jitted)(index, X, Y))
    slope = lambda f: jaxlike.jvp(lambda x: f(index, x, Y), (X,), (X,))
    close(slope(run), slope(direct))
    second = lambda f: jaxlike.hessian(lambda x: loss(f)(index, x, Y))
    close(second(run)(X), second(direct)(X))
    close(jaxlike.jit(second(run))(X), second(direct)(X))


def test_indices_are_brought_into_range():
    for index, expected in ((-5, 0), (7, 2)):
        close(run(index, X, Y), run(expected, X, Y))
        close(jaxlike.jit(run)(index, X, Y), run(expected, X, Y))
    got = jaxlike.vmap(run, (0, None, None))(np.array([-5, 7]), X, Y)["b"]
    close(got, np.array([run(0, X, Y)["b"], run(2, X, Y)["b"]]))


@pytest.mark.parametrize("in_axes", [(None, 0, None), (0, None, None), (0, 0, 0)])
def test_vmap_is_stacking(in_axes):
    full = np.array([2, 0, 1]), np.stack([X, X + 1, X - 1]), np.stack([Y, -Y, 2 * Y])
    one = 1, X, Y
    args = [f if axis == 0 else o for f, o, axis in zip(full, one, in_axes)]
    for fun in (run, jaxlike.grad(loss(run), (1, 2))):
        got = jaxlike.vmap(fun, in_axes)(*args)
        jitted = jaxlike.jit(jaxlike.vmap(fun, in_axes))(*args)
        for i in range(3):
            lane = [a[i] if axis == 0 else a for a, axis in zip(args, in_axes)]
            expected = fun(*lane)
            close(jaxlike.tree.map(lambda y, i=i: y[i], got), expected)
            close(jaxlike.tree.map(lambda y, i=i: y[i], jitted), expected)


def test_gradients_do_not_come_through_branches_not_taken():
    def root(x):
        return lax.cond(x > 0, lambda x: jnp.sqrt(x), lambda x: 2 * x, x)

    x = np.array([-1.0, 0.0, 4.0], np.float32)
    expected = np.array([2, 2, 0.25], np.float32)
    close(jaxlike.vmap(jaxlike.grad(root))(x), expected)
    close(jaxlike.grad(lambda x: jaxlike.vmap(root)(x).sum())(x), expected)


# --- cond


@pytest.mark.parametrize("pred", [True, False, 0, 2, 0.0, -0.5, np.bool_(True)])
def test_predicates(pred):
    expected = 1 if pred else 2
    fun = lambda p: lax.cond(p, lambda: 1, lambda: 2)
    assert int(fun(pred)) == int(jaxlike.jit(fun)(pred)) == expected
    assert int(fun(jnp.asarray(pred))) == expected


def test_forms_of_calling():
    double, triple = lambda x: 2 * x, lambda x: 3 * x
    assert float(lax.cond(True, double, triple, 1.0)) == 2
    assert float(lax.cond(False, double, triple, operand=1.0)) == 3
    assert float(lax.cond(False, 1.0, double, 10.0, triple)) == 30
    assert float(lax.cond(True, lambda _: 1.0, lambda _: 2.0, None)) == 1
    out = lax.cond(
        True, lambda a, b: (a, [b["k"]]), lambda a, b: (-a, [a]), 1, {"k": 2}
    )
    assert [int(v) for v in jaxlike.tree.leaves(out)] == [1, 2]
    assert float(lax.switch(5, [lambda x: x + 1], 1.0)) == 2


def test_only_the_taken_branch_runs():
    seen = []

    def noisy(name):
        def branch(x):
            debug_callback(lambda v: seen.append(name), x)
            return x

        return branch

    for p in (True, False):
        lax.cond(p, noisy("yes"), noisy("no"), X)
        jaxlike.jit(lambda p: lax.cond(p, noisy("yes"), noisy("no"), X))(p)
    assert seen == ["yes", "yes", "no", "no"]


def test_closed_over_values_are_shared_operands():
    def fun(p, x, y):
        return lax.cond(p, lambda: x + y, lambda: y * 2)

    closed = jaxlike.make_jaxpr(fun)(True, X, Y)
    (eqn,) = [e for e in closed.eqns if e.primitive is lax.cond_p]
    assert len(eqn.invars) == 3
    assert all(len(b.in_avals) == 2 for b in eqn.params["branches"])


def test_results_that_are_operands_are_forwarded():
    def fun(p, x):
        return lax.cond(p, lambda x: (x, x + 1), lambda x: (x, x * 2), x)

    closed = jaxlike.make_jaxpr(fun)(True, X)
    (eqn,) = [e for e in closed.eqns if e.primitive is lax.cond_p]
    assert len(eqn.outvars) == 1
    assert closed.jaxpr.outvars[0] is closed.jaxpr.invars[1]


def test_residuals_share_slots():
    """Branches of two residuals each make two, not four."""

    def fun(p, x):
        return lax.cond(p, lambda x: jnp.sin(x), lambda x: jnp.exp(x), x).sum()

    closed = jaxlike.make_jaxpr(jaxlike.grad(fun, 1))(True, X)
    first, _ = [e for e in closed.eqns if e.primitive is lax.cond_p]
    assert len(first.outvars) == 2


@pytest.mark.parametrize(
    "call, error, says",
    [
        (lambda: lax.cond(X, abs, abs, 1), TypeError, "Pred must be a scalar"),
        (lambda: lax.cond("a", abs, abs, 1), TypeError, "Pred must be a scalar"),
        (lambda: lax.cond(True, 1, abs, 1), TypeError, "callable"),
        (
            lambda: lax.cond(True, abs, abs, 1, operand=2),
            TypeError,
            "not both",
        ),
        (lambda: lax.cond(True, abs, abs, "a"), TypeError, r"operands\[0\]"),
        (
            lambda: lax.cond(True, lambda x: x, lambda x: (x, x), 1),
            TypeError,
            "a leaf in true_fun's output, a tuple of length 2 in false_fun's",
        ),
        (
            lambda: lax.cond(
                True, lambda x: {"w": [x, x]}, lambda x: {"w": [x, X]}, np.float32(1)
            ),
            TypeError,
            r"output\['w'\]\[1\]: true_fun f32\[\], false_fun f32\[3\]: the",
        ),
        (
            lambda: lax.cond(True, lambda: 1, lambda: 2.0),
            TypeError,
            r"output: true_fun i32\[\], false_fun f32\[\]: the dtypes",
        ),
        (lambda: lax.switch(0, [], 1), ValueError, "Empty branch sequence"),
        (lambda: lax.switch(1.0, [abs, abs], 1), TypeError, "must be an integer"),
        (lambda: lax.switch(True, [abs, abs], 1), TypeError, "must be an integer"),
        (lambda: lax.switch(X.astype(int), [abs], 1), TypeError, "must be scalar"),
        (lambda: lax.switch(0, [abs, 3], 1), TypeError, "callable"),
        (
            lambda: lax.switch(0, [lambda: 1, lambda: 1, lambda: (1,)]),
            TypeError,
            "branch 2",
        ),
    ],
)
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_functions_are_traced_once():
    calls = []

    def yes(x):
        calls.append("yes")
        return x + 1

    def no(x):
        calls.append("no")
        return x - 1

    for p in (True, False, True):
        lax.cond(p, yes, no, X)
        jaxlike.grad(lambda x: lax.cond(p, yes, no, x).sum())(X)
    assert sorted(calls) == ["no", "yes"]


def test_disable_jit_calls_one_function():
    calls = []
    with jaxlike.disable_jit():
        assert lax.cond(True, lambda x: x, lambda x: calls.append(x), 1) == 1
        assert lax.switch(9, [lambda x: calls.append(x), lambda x: x], 1) == 1
    assert not calls


def test_io_cannot_differ_between_lanes():
    def fun(p):
        return lax.cond(p, lambda: io_callback(lambda: None, None), lambda: None)

    with pytest.raises(NotImplementedError, match="IO effect"):
        jaxlike.vmap(fun)(np.array([True, False]))


def test_platform_dependent():
    double, triple = lambda x: 2 * x, lambda x: 3 * x
    assert lax.platform_dependent(1, cpu=double, default=triple) == 2
    assert lax.platform_dependent(1, tpu=double, default=triple) == 3
    fun = jaxlike.jit(lambda x: lax.platform_dependent(x, cpu=double, cuda=triple))
    assert float(jaxlike.grad(fun)(1.0)) == 2
    with pytest.raises(NotImplementedError, match="no function for platform cpu"):
        lax.platform_dependent(1, tpu=double)
    with pytest.raises(TypeError):
        lax.platform_dependent(1)
