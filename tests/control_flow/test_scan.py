"""scan and map: a scan is the Python loop, under every transform."""

import gc
import weakref

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.control_flow import common
from jaxlike.core.check import check_jaxpr
from jaxlike.core.errors import ConcretizationTypeError
from jaxlike.primitives.callbacks import debug_callback
from tests.control_flow.loops import python_scan
from tests.primitives.case import assert_close
from tests.primitives.gradcheck import check_grads

rng = np.random.default_rng(0)
X = rng.uniform(0.5, 1.5, 4).astype(np.float32)
W = rng.uniform(-0.5, 0.5, (3, 3)).astype(np.float32)
XS = rng.uniform(-1, 1, (4, 3)).astype(np.float32)


def close(got, expected):
    for a, b in zip(
        jaxlike.tree.leaves(got), jaxlike.tree.leaves(expected), strict=True
    ):
        assert_close(a, b, rtol=1e-4, atol=1e-5)


def cell(c, x):
    return jnp.tanh(c * x + 0.5), jnp.sin(c) * x


def matrix_cell(w):
    return lambda c, x: (jnp.tanh(w @ c + x), jnp.cos(c).sum() * x)


def swapping(c, x):
    a, b = c
    return (b, a * x), {"sum": a + b, "x": x}


def counting(c, x):
    i, total = c
    return (i + 1, total + x * i), (i, total)


def keeping(c, x):
    fixed, moving = c
    return (fixed, moving * fixed + x), (fixed, x)


BODIES = [
    pytest.param(cell, 0.7, id="cell"),
    pytest.param(swapping, (1.0, 2.0), id="swapping"),
    pytest.param(counting, (0, 0.0), id="counting"),
    pytest.param(keeping, (0.5, 1.0), id="keeping"),
]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("body, init", BODIES)
def test_is_the_python_loop(body, init, reverse):
    expected = python_scan(body, init, X, reverse=reverse)
    close(lax.scan(body, init, X, reverse=reverse), expected)
    jitted = jaxlike.jit(lambda x: lax.scan(body, init, x, reverse=reverse))
    close(jitted(X), expected)
    check_jaxpr(jaxlike.make_jaxpr(jitted)(X))


def total(run, body, init):
    """A scalar function of floats that go into the loop everywhere."""

    def fun(x):
        outs = run(body, init, x)
        floats = [y for y in jaxlike.tree.leaves(outs) if y.dtype == jnp.float32]
        return sum(jnp.sin(y).sum() for y in floats)

    return fun


@pytest.mark.parametrize("body, init", BODIES)
def test_derivatives_are_those_of_the_python_loop(body, init):
    ours, plain = total(lax.scan, body, init), total(python_scan, body, init)
    close(jaxlike.grad(ours)(X), jaxlike.grad(plain)(X))
    close(jaxlike.jit(jaxlike.grad(ours))(X), jaxlike.grad(plain)(X))
    close(jaxlike.jvp(ours, (X,), (X,)), jaxlike.jvp(plain, (X,), (X,)))
    close(jaxlike.linearize(ours, X)[1](X), jaxlike.jvp(plain, (X,), (X,))[1])
    close(jaxlike.hessian(ours)(X), jaxlike.hessian(plain)(X))
    check_jaxpr(jaxlike.make_jaxpr(jaxlike.grad(ours))(X))


@pytest.mark.parametrize("argnums", [0, 1, 2, (0, 1, 2)])
def test_derivatives_in_consts_carry_and_xs(argnums):
    def loss(run):
        def fun(w, c, xs):
            c, ys = run(matrix_cell(w), c, xs)
            return (c * c).sum() + jnp.sin(ys).sum()

        return fun

    args = W, XS[0], XS
    expected = jaxlike.grad(loss(python_scan), argnums)(*args)
    close(jaxlike.grad(loss(lax.scan), argnums)(*args), expected)
    close(jaxlike.jit(jaxlike.grad(loss(lax.scan), argnums))(*args), expected)


def test_check_grads_of_nested_loops():
    def inner(c, x):
        z = lax.fori_loop(0, 2, lambda i, z: jnp.sin(z) * c + x * i, c)
        return z, c * x

    def outer(c, x):
        d, ys = lax.scan(inner, c, jnp.stack([x, c]))
        return jnp.tanh(d + ys.sum()), ys

    def fun(c, xs):
        return lax.scan(outer, c, xs, reverse=True)

    with jaxlike.enable_x64(True):
        args = [np.float64(0.3), X.astype(np.float64)]
        check_grads(fun, args, order=2, rtol=1e-5, rng=rng)


@pytest.mark.parametrize("in_axes", [(None, None, 1), (0, None, None), (1, 0, 1)])
def test_vmap_is_stacking(in_axes):
    def fun(w, c, xs):
        return lax.scan(matrix_cell(w), c, xs)

    args = [
        a if axis is None else np.stack([a, a * 0.5], axis)
        for a, axis in zip((W, XS[0], XS), in_axes)
    ]
    lanes = [
        [a if axis is None else np.take(a, i, axis) for a, axis in zip(args, in_axes)]
        for i in range(2)
    ]
    got = jaxlike.vmap(fun, in_axes)(*args)
    for i in range(2):
        close(jaxlike.tree.map(lambda y, i=i: y[i], got), fun(*lanes[i]))
    grad = jaxlike.grad(lambda *a: jnp.sin(fun(*a)[1]).sum(), (0, 1, 2))
    got = jaxlike.vmap(grad, in_axes)(*args)
    for i in range(2):
        close(jaxlike.tree.map(lambda y, i=i: y[i], got), grad(*lanes[i]))


def test_vmap_keeps_what_is_not_batched():
    closed = jaxlike.make_jaxpr(
        jaxlike.vmap(lambda x: lax.scan(lambda c, y: (c + 1.0, y * x), 0.0, X)[1])
    )(X)
    (eqn,) = [e for e in closed.eqns if e.primitive is lax.scan_p]
    assert eqn.outvars[0].aval.shape == ()


# --- what goes through the loop


def scan_eqn(fun, *args):
    (eqn,) = [
        e for e in jaxlike.make_jaxpr(fun)(*args).eqns if e.primitive is lax.scan_p
    ]
    return eqn


def test_invariant_carries_and_forwarded_xs_stay_out():
    eqn = scan_eqn(lambda x: lax.scan(keeping, (0.5, 1.0), x), X)
    assert eqn.params["num_consts"] == 1 and eqn.params["num_carry"] == 1
    # the x among the ys is the operand itself; the fixed carry is still stacked
    assert len(eqn.outvars) == 2


def test_residuals_that_do_not_change_are_not_stacked():
    def fun(w):
        return lax.scan(lambda c, _: (c * jnp.sin(w).sum(), None), 1.0, None, 5)[0]

    closed = jaxlike.make_jaxpr(jaxlike.grad(fun))(W)
    scans = [e for e in closed.eqns if e.primitive is lax.scan_p]
    assert len(scans) == 2
    # cos(w) is computed once, outside of both loops
    for eqn in scans:
        assert all(v.aval.shape != (5, 3, 3) for v in eqn.outvars)
        names = [e.primitive.name for e in eqn.params["jaxpr"].eqns]
        assert "cos" not in names
    assert "cos" in [e.primitive.name for e in closed.eqns]


def test_residuals_that_are_inputs_are_not_copied():
    def fun(x):
        return lax.scan(lambda c, y: (c * y, None), 1.0, x)[0]

    closed = jaxlike.make_jaxpr(jaxlike.grad(fun))(X)
    forward, backward = [e for e in closed.eqns if e.primitive is lax.scan_p]
    # the carries are stacked; the xs themselves go to the backward scan
    assert len(forward.outvars) == 2
    assert closed.jaxpr.invars[0] in backward.invars


def test_linear_transpose_with_a_counter():
    def fun(x):
        return lax.fori_loop(0, 3, lambda i, c: c * (i + 1.0), x)

    (got,) = jaxlike.linear_transpose(fun, X)(X)
    assert_close(got, X * 6)

    def affine(x):
        def body(i, c):
            return i + 1, c + x * i

        return lax.scan(lambda c, _: (body(*c), None), (0, 0.0), None, length=3)[0][1]

    (got,) = jaxlike.linear_transpose(affine, 1.0)(2.0)
    assert float(got) == 6.0


# --- arguments


def test_lengths():
    assert lax.scan(cell, 1.0, X[:0])[1].shape == (0,)
    last, ys = lax.scan(lambda c, _: (c + 1, None), 0, None, length=3)
    assert int(last) == 3 and ys is None
    close(lax.scan(cell, 1.0, X, length=4), lax.scan(cell, 1.0, X))


@pytest.mark.parametrize(
    "unroll, kept", [(1, 1), (2, 2), (9, 9), (True, 4), (False, 1)]
)
def test_unroll(unroll, kept):
    close(lax.scan(cell, 1.0, X, unroll=unroll), lax.scan(cell, 1.0, X))
    eqn = scan_eqn(lambda x: lax.scan(cell, 1.0, x, unroll=unroll), X)
    assert eqn.params["unroll"] == kept
    close(lax.scan(cell, 1.0, X, _split_transpose=True), lax.scan(cell, 1.0, X))


def test_weak_carries_give_way():
    last, _ = lax.scan(lambda c, x: (c + 0.5, None), 0, X)
    assert last.dtype == jnp.float32 and not last.weak_type
    last, _ = lax.scan(lambda c, x: (c + 1, None), 0, X)
    assert last.dtype == jnp.int32 and last.weak_type
    last, _ = lax.scan(lambda c, x: (c + x, None), 0.0, X)
    assert not last.weak_type


@pytest.mark.parametrize(
    "call, error, says",
    [
        (lambda: lax.scan(3, 1.0, X), TypeError, "callable"),
        (lambda: lax.scan(lambda c, x: c, 1.0, X), TypeError, "must be a pair"),
        (lambda: lax.scan(cell, "a", X), TypeError, "not a valid JAX type"),
        (lambda: lax.scan(cell, 1.0), ValueError, "`length` not provided"),
        (lambda: lax.scan(cell, 1.0, X, length=3), ValueError, "disagrees"),
        (lambda: lax.scan(cell, 1.0, (X, XS[:2])), ValueError, "leading axis sizes"),
        (lambda: lax.scan(cell, 1.0, {"a": 1.0}), ValueError, r"xs\['a'\]"),
        (lambda: lax.scan(cell, 1.0, X, unroll=-1), ValueError, "unroll"),
        (
            lambda: jaxlike.jit(lambda n: lax.scan(cell, 1.0, X, length=n))(4),
            ConcretizationTypeError,
            "while_loop",
        ),
        (
            lambda: lax.scan(lambda carry, x: ((carry, x), x), 1.0, X),
            TypeError,
            "at carry: a leaf in the carry input, a tuple of length 2",
        ),
        (
            lambda: lax.scan(
                lambda s, x: ({"w": [s["w"][0], x]}, x), {"w": [1.0, X]}, X
            ),
            TypeError,
            r"s\['w'\]\[1\]: input f32\[4\], output f32\[\]: the shapes",
        ),
        (
            lambda: lax.scan(lambda c, x: (c > 0, x), jnp.float32(1), X),
            TypeError,
            "the dtypes do not match",
        ),
        (lambda: lax.scan(lambda c, x: (c, "y"), 1.0, X), TypeError, "class 'str'"),
    ],
)
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


# --- tracing happens once


def test_a_function_is_traced_once():
    calls = []

    def body(c, x):
        calls.append(c)
        return c + x, None

    for _ in range(3):
        lax.scan(body, 0.0, X)
        jaxlike.grad(lambda x: lax.scan(body, 0.0, x)[0])(X)
    assert len(calls) == 1
    lax.scan(body, 0.0, X[:2])
    assert len(calls) == 1, "the length is no part of the signature"
    lax.scan(body, np.float16(0), X.astype(np.float16))
    with jaxlike.enable_x64(True):
        lax.scan(body, 0.0, X.astype(np.float64))
    assert len(calls) == 3


def test_new_values_of_closures_are_seen():
    def run(k):
        return float(lax.scan(lambda c, x: (c + k, None), 0.0, X)[0])

    assert [run(1.0), run(2.0)] == [4.0, 8.0]
    k = np.ones(4, np.float32)

    def body(c, x):
        return c + k.sum(), None

    assert float(lax.scan(body, 0.0, X)[0]) == 16.0


def test_closed_over_tracers_are_not_kept():
    def outer(w):
        return lax.scan(lambda c, x: (c + w * x, None), 0.0, X)[0]

    a = jaxlike.jit(outer)(1.0)
    b = jaxlike.jit(jaxlike.grad(outer))(1.0)
    assert_close(a, X.sum())
    assert_close(b, X.sum())


def test_the_cache_does_not_keep_functions_alive():
    def body(c, x):
        return c + x, None

    lax.scan(body, 0.0, X)
    lax.map(lambda x: x, X)
    ref = weakref.ref(body)
    before = len(common._traced)
    del body
    gc.collect()
    assert ref() is None
    assert len(common._traced) < before


# --- debugging


def test_disable_jit_runs_the_loop_in_python():
    seen = []

    def body(c, x):
        seen.append(float(c))  # no tracer has a float
        return c + x, c

    with jaxlike.disable_jit():
        got = lax.scan(body, 0.0, X)
        assert len(seen) == 4
        close(got, python_scan(body, 0.0, X))
        grad = jaxlike.grad(lambda x: lax.scan(cell, 1.0, x)[0])(X)
    close(grad, jaxlike.grad(lambda x: python_scan(cell, 1.0, x)[0])(X))


def test_debug_nans_finds_the_equation_inside():
    def body(c, x):
        return c, jnp.log(x - 1)

    with jaxlike.debug_nans(True), pytest.raises(FloatingPointError, match="log"):
        lax.scan(body, 0.0, X)


def test_effects_happen_in_order_and_are_not_removed():
    seen = []

    def body(c, x):
        debug_callback(lambda v: seen.append(float(v)), x)
        return c, None

    lax.scan(body, 0.0, X)
    jaxlike.jit(lambda x: lax.scan(body, 0.0, x, reverse=True))(X)
    assert_close(np.float32(seen), np.concatenate([X, X[::-1]]))
    assert jaxlike.make_jaxpr(lambda x: lax.scan(body, 0.0, x))(X).effects


# --- map


@pytest.mark.parametrize("batch_size", [None, 1, 2, 3, 4, 7])
def test_map(batch_size):
    def f(x):
        return jnp.sin(x) * 2, {"sum": x.sum()}

    got = lax.map(f, XS, batch_size=batch_size)
    close(got, (np.sin(XS) * 2, {"sum": XS.sum(1)}))
    grad = jaxlike.grad(lambda xs: lax.map(f, xs, batch_size=batch_size)[0].sum())(XS)
    close(grad, 2 * np.cos(XS))


def test_map_of_nothing():
    assert lax.map(jnp.sin, X[:0]).shape == (0,)
    assert lax.map(jnp.sin, X[:0], batch_size=2).shape == (0,)
    with pytest.raises(ValueError, match="at least 1"):
        lax.map(jnp.sin, X, batch_size=0)
