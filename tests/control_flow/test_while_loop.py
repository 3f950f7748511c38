"""while_loop and fori_loop: the Python loop, under every transform that there is."""

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core.check import check_jaxpr
from jaxlike.primitives.callbacks import debug_callback, io_callback
from tests.control_flow.loops import python_while
from tests.primitives.case import assert_close

X = np.linspace(0.5, 1.5, 3).astype(np.float32)
COUNTS = np.array([0, 3, 5])


def close(got, expected):
    for a, b in zip(
        jaxlike.tree.leaves(got), jaxlike.tree.leaves(expected), strict=True
    ):
        assert_close(a, b, rtol=1e-4, atol=1e-5)


def power(run, x, n):
    """sin(... sin(x) * x ...) * x, n times."""

    def more(state):
        return state["i"] < n

    def body(state):
        return {"i": state["i"] + 1, "y": jnp.sin(state["y"]) * x}

    return run(more, body, {"i": 0, "y": x})


@pytest.mark.parametrize("n", [0, 1, 4])
def test_is_the_python_loop(n):
    expected = power(python_while, jnp.asarray(X), n)
    close(power(lax.while_loop, X, n)["y"], expected["y"])
    jitted = jaxlike.jit(lambda x, n: power(lax.while_loop, x, n))
    close(jitted(X, n)["y"], expected["y"])
    assert int(jitted(X, n)["i"]) == n
    check_jaxpr(jaxlike.make_jaxpr(jitted)(X, n))


def test_forward_mode():
    def fun(run):
        return lambda x: power(run, x, 3)["y"]

    ours, plain = fun(lax.while_loop), fun(python_while)
    expected = jaxlike.jvp(plain, (X,), (X,))
    close(jaxlike.jvp(ours, (X,), (X,)), expected)
    close(jaxlike.linearize(ours, X)[1](X), expected[1])
    close(jaxlike.jit(jaxlike.jacfwd(ours))(X), jaxlike.jacfwd(plain)(X))
    second = jaxlike.jacfwd(jaxlike.jacfwd(ours))(X)
    close(second, jaxlike.jacfwd(jaxlike.jacfwd(plain))(X))
    check_jaxpr(jaxlike.make_jaxpr(jaxlike.jacfwd(ours))(X))


def test_reverse_mode_says_what_to_use():
    with pytest.raises(ValueError, match="no reverse-mode derivative"):
        jaxlike.grad(lambda x: power(lax.while_loop, x, 3)["y"].sum())(X)
    with pytest.raises(ValueError, match=r"lax\.scan"):
        jaxlike.jit(
            jaxlike.grad(lambda x, n: lax.fori_loop(0, n, lambda i, c: c * x, x))
        )(1.0, 3)


def test_reverse_mode_around_a_loop_that_is_not_differentiated():
    def fun(x):
        n = lax.while_loop(lambda n: n < 10, lambda n: 2 * n, 1)
        return (x * n).sum()

    close(jaxlike.grad(fun)(X), np.full(3, 16, np.float32))


# --- vmap


def lanes(fun, *args):
    outs = [fun(*xs) for xs in zip(*args)]
    return jaxlike.tree.map(lambda *ys: jnp.stack(ys), *outs)


@pytest.mark.parametrize("jit", [False, True])
def test_vmap_of_each_part(jit):
    wrap = jaxlike.jit if jit else lambda f: f

    def fun(x, n):
        out = power(lax.while_loop, x, n)
        return out["y"], out["i"] + 0

    batched = jaxlike.vmap(fun, (0, None))
    close(wrap(batched)(X, 3), lanes(lambda x: fun(x, 3), X))
    batched = jaxlike.vmap(fun, (None, 0))
    close(wrap(batched)(X, COUNTS), lanes(lambda n: fun(X, n), COUNTS))
    batched = jaxlike.vmap(fun)
    close(wrap(batched)(X, COUNTS), lanes(fun, X, COUNTS))


def test_vmap_of_vmap_and_of_jvp():
    def fun(x, n):
        return power(lax.while_loop, x, n)["y"]

    xs, ns = np.stack([X, X + 1]), np.stack([COUNTS, COUNTS[::-1]])
    got = jaxlike.vmap(jaxlike.vmap(fun))(xs, ns)
    close(got, lanes(lambda x, n: lanes(fun, x, n), xs, ns))

    def slope(x, n):
        return jaxlike.jvp(lambda x: fun(x, n), (x,), (jnp.ones_like(x),))[1]

    close(jaxlike.vmap(slope)(X, COUNTS), lanes(slope, X, COUNTS))
    got = jaxlike.jvp(lambda x: jaxlike.vmap(fun)(x, COUNTS), (X,), (np.ones_like(X),))
    close(got[1], lanes(slope, X, COUNTS))


def test_one_condition_stays_one():
    """A carry that the condition does not read may be batched without the others."""

    def fun(x):
        return lax.while_loop(
            lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * x), (0, x)
        )

    closed = jaxlike.make_jaxpr(jaxlike.vmap(fun))(X)
    (eqn,) = [e for e in closed.eqns if e.primitive is lax.while_p]
    assert [v.aval.shape for v in eqn.outvars] == [(), (3,)]


def test_lanes_that_are_done_do_not_make_nans():
    def fun(x):
        return lax.while_loop(lambda y: y > 1, lambda y: jnp.log(y), x)

    starts = np.array([-1.0, 0.0, 9.0], np.float32)
    close(jaxlike.vmap(fun)(starts), lanes(fun, starts))


# --- fori_loop


def polynomial(i, c):
    return jnp.sin(c) * (i + 1)


@pytest.mark.parametrize("bounds", [(0, 4), (2, 5), (3, 3), (5, 2), (np.int8(1), 4)])
def test_fori_loop_is_a_loop_over_range(bounds):
    expected = jnp.asarray(X)
    for i in range(*map(int, bounds)):
        expected = polynomial(i, expected)
    close(lax.fori_loop(*bounds, polynomial, X), expected)
    traced = jaxlike.jit(lambda a, b: lax.fori_loop(a, b, polynomial, X))
    close(traced(int(bounds[0]), bounds[1]), expected)


def test_fori_loop_with_known_bounds_is_a_scan():
    def primitives(fun, *args):
        return [e.primitive for e in jaxlike.make_jaxpr(fun)(*args).eqns]

    static = primitives(lambda x: lax.fori_loop(0, 3, polynomial, x), X)
    assert static == [lax.scan_p]
    traced = primitives(lambda x, n: lax.fori_loop(0, n, polynomial, x), X, 3)
    assert lax.while_p in traced
    loop = lambda x: lax.fori_loop(0, 2, polynomial, x).sum()
    plain = lambda x: polynomial(1, polynomial(0, x)).sum()
    close(jaxlike.grad(loop)(X), jaxlike.grad(plain)(X))
    # the bounds of a jvp's primals are known
    close(
        jaxlike.grad(lambda n: lax.fori_loop(0, 3, lambda i, c: c * n, 1.0))(2.0),
        np.float32(12),
    )


def test_fori_loop_unroll():
    close(
        lax.fori_loop(0, 4, polynomial, X, unroll=2), lax.fori_loop(0, 4, polynomial, X)
    )
    with pytest.raises(ValueError, match="bounds that are Python ints"):
        jaxlike.jit(lambda n: lax.fori_loop(0, n, polynomial, X, unroll=2))(3)


def test_weak_carries_give_way():
    out = lax.while_loop(lambda c: c < 3, lambda c: c + 0.5, 0)
    assert out.dtype == jnp.float32 and float(out) == 3.0
    out = lax.fori_loop(0, 3, lambda i, c: c + 0.5, 0)
    assert out.dtype == jnp.float32 and float(out) == 1.5


@pytest.mark.parametrize(
    "call, error, says",
    [
        (lambda: lax.while_loop(1, lambda c: c, 0), TypeError, "callable"),
        (
            lambda: lax.while_loop(lambda c: (c > 0,), lambda c: c, 0),
            TypeError,
            "boolean scalar, but got pytree",
        ),
        (
            lambda: lax.while_loop(lambda c: c > 0, lambda c: c, X),
            TypeError,
            r"boolean scalar, but got output type\(s\) bool\[3\]",
        ),
        (
            lambda: lax.while_loop(lambda c: c, lambda c: c, 1.0),
            TypeError,
            "boolean scalar",
        ),
        (
            lambda: lax.while_loop(lambda v: True, lambda v: (v, v), 1.0),
            TypeError,
            "at v: a leaf in the carry input",
        ),
        (
            lambda: lax.while_loop(
                lambda v: True, lambda v: {"a": v["a"] * X}, {"a": jnp.float32(1)}
            ),
            TypeError,
            r"v\['a'\]: input f32\[\], output f32\[3\]: the shapes",
        ),
        (lambda: lax.while_loop(lambda c: True, lambda c: c, "a"), TypeError, "valid"),
        (
            lambda: lax.fori_loop(0, 3.0, lambda i, c: c, 0),
            TypeError,
            "lower is int32 and upper float32",
        ),
        (
            lambda: lax.fori_loop(0, np.uint8(3), lambda i, c: c, 0),
            TypeError,
            "lower is int32 and upper uint8",
        ),
        (
            lambda: lax.fori_loop(0, 3, lambda i, acc: {"b": acc["b"] * X}, {"b": 1.0}),
            TypeError,
            r"fori_loop body.*\n *acc\['b'\]: input f32\[\], output f32\[3\]",
        ),
        (
            lambda: jaxlike.jit(
                lambda n: lax.fori_loop(0, n, lambda i, acc: (acc, acc), 1.0)
            )(3),
            TypeError,
            "at acc: a leaf in the carry input",
        ),
    ],
)
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_functions_are_traced_once():
    calls = []

    def more(c):
        calls.append("cond")
        return c < 3

    def body(c):
        calls.append("body")
        return c + 1

    def step(i, c):
        calls.append("step")
        return c + i

    for _ in range(3):
        lax.while_loop(more, body, 0)
        lax.fori_loop(0, 3, step, 0)
    assert sorted(calls) == ["body", "cond", "step"]


def test_disable_jit_runs_the_loop_in_python():
    seen = []

    def body(c):
        seen.append(float(c))
        return c + 1

    with jaxlike.disable_jit():
        assert lax.while_loop(lambda c: c < 3, body, 0.0) == 3
        assert lax.fori_loop(0, 3, lambda i, c: body(c), 0.0) == 3
    assert seen == [0, 1, 2, 0, 1, 2]


def test_debug_nans_finds_the_equation_inside():
    with jaxlike.debug_nans(True), pytest.raises(FloatingPointError, match="log"):
        lax.while_loop(
            lambda c: c[0] < 3, lambda c: (c[0] + 1, jnp.log(c[1] - 1)), (0, X)
        )


def test_effects():
    seen = []

    def body(c):
        debug_callback(lambda v: seen.append(int(v)), c)
        return c + 1

    lax.while_loop(lambda c: c < 3, body, 0)
    assert seen == [0, 1, 2]

    def shouting(n):
        def body(c):
            io_callback(lambda v: None, None, c)
            return c + 1

        return lax.while_loop(lambda c: c < n, body, 0)

    assert int(shouting(3)) == 3
    with pytest.raises(NotImplementedError, match="IO effect"):
        jaxlike.vmap(shouting)(COUNTS)
