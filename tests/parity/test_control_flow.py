"""Loops, branches, solves and collectives: values and errors as in jax."""

import os

import numpy as np
import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")
jax = pytest.importorskip("jax")

import jaxlike  # noqa: E402
from tests.parity.compare import check_same, collector  # noqa: E402

X = np.linspace(0.5, 1.5, 4).astype(np.float32)
M = np.random.default_rng(0).uniform(-0.5, 0.5, (4, 4)).astype(np.float32)
VALUES, value = collector()


@pytest.mark.parametrize("fun", VALUES, ids=lambda f: f.__name__)
def test_same_value_or_error(fun):
    check_same(fun, jaxlike, jax)


# --- scan


def rnn(m, w, c, xs, **options):
    jnp = m.numpy
    return m.lax.scan(
        lambda c, x: (jnp.tanh(w @ c + x), jnp.sin(c).sum() * x), c, xs, **options
    )


def rnn_loss(m, **options):
    def loss(w, c, xs):
        c, ys = rnn(m, w, c, xs, **options)
        return (c * c).sum() + m.numpy.sin(ys).sum()

    return loss


@value
def scan_values(m):
    return [rnn(m, M, X, M, reverse=r, unroll=u) for r in (0, 1) for u in (1, 3)]


@value
def scan_derivatives(m):
    loss = rnn_loss(m, reverse=True)
    everything = m.jit(
        lambda *args: (
            m.grad(loss, 0)(*args),
            m.jvp(loss, args, args),
            m.linearize(loss, *args)[1](*args),
            m.jacfwd(m.grad(loss, 1), 1)(*args),
        )
    )
    return m.grad(loss, (0, 1, 2))(M, X, M), everything(M, X, M)


@value
def scan_batched(m):
    loss = rnn_loss(m)
    batch = np.stack([M, M + 1, M - 1])
    return (
        m.jit(m.vmap(loss, (0, None, None)))(batch, X, M),
        m.jit(m.vmap(m.grad(loss, (0, 1, 2)), (None, None, 0)))(M, X, batch),
        m.vmap(lambda *a: rnn(m, *a), (None, 0, None), (0, 1))(M, batch[0], M),
    )


@value
def scan_carries_of_many_types(m):
    def body(c, x):
        i, flag, z, h = c
        new = (i + 1, flag ^ (x > 1), z * 1j, (h * x).astype("bfloat16"))
        return new, {"i": i, "z": (z, flag)}

    init = (0, True, 1.0 + 0j, m.numpy.bfloat16(1))
    return m.lax.scan(body, init, X)


@value
def scan_promotes_weak_carries(m):
    return [
        m.lax.scan(lambda c, x: (c + x, c), 0, X),
        m.lax.scan(lambda c, x: (c + 1, c), 0, X),
        m.lax.scan(lambda c, x: (c + 1.5, c * x), 1, X),
        m.lax.scan(lambda c, x: (c * x, None), 2.0, X),
    ]


@value
def scan_of_nothing(m):
    return (
        m.lax.scan(lambda c, x: (c * x, c), 2.0, X[:0]),
        m.lax.scan(lambda c, _: (c + 1, None), 2, length=3),
        m.lax.map(lambda x: x * 2, X[:0]),
    )


@value
def scan_error_no_pair(m):
    m.lax.scan(lambda c, x: c, 1.0, X)


@value
def scan_error_structure(m):
    m.lax.scan(lambda c, x: ((c, c), x), 1.0, X)


@value
def scan_error_shape(m):
    m.lax.scan(lambda c, x: ({"a": c["a"] * X}, x), {"a": np.float32(1)}, X)


@value
def scan_error_dtype(m):
    m.lax.scan(lambda c, x: (c > 0, x), np.float32(1), X)


@value
def scan_error_lengths(m):
    m.lax.scan(lambda c, x: (c, x), 1.0, (X, X[:2]))


@value
def scan_error_length(m):
    m.lax.scan(lambda c, x: (c, x), 1.0, X, length=5)


@value
def scan_error_traced_length(m):
    m.jit(lambda n: m.lax.scan(lambda c, x: (c, x), 1.0, None, length=n))(3)


@value
def map_batches(m):
    def f(x):
        return {"sin": m.numpy.sin(x), "sum": x.sum()}

    return [m.lax.map(f, M, batch_size=n) for n in (None, 1, 2, 3, 4, 9)]


# --- while_loop and fori_loop


def power(m, x, n):
    return m.lax.while_loop(
        lambda s: s[0] < n, lambda s: (s[0] + 1, m.numpy.sin(s[1]) * x), (0, x)
    )


@value
def while_values(m):
    counts = np.array([0, 3, 5, 1])
    tangent = np.ones_like(X)
    return (
        power(m, X, 3),
        m.jit(lambda x, n: power(m, x, n))(X, 4),
        m.jvp(lambda x: power(m, x, 3)[1], (X,), (tangent,)),
        m.linearize(lambda x: power(m, x, 3)[1], X)[1](tangent),
        m.vmap(lambda x: power(m, x, 3))(X),
        m.vmap(lambda x, n: power(m, x, n))(X, counts),
        m.vmap(lambda n: power(m, X, n))(counts),
        m.jacfwd(lambda x: m.vmap(lambda x, n: power(m, x, n)[1])(x, counts))(X),
    )


@value
def while_error_reverse(m):
    m.grad(lambda x: power(m, x, 3)[1].sum())(X)


@value
def while_error_condition(m):
    m.lax.while_loop(lambda c: c > 0, lambda c: c, X)


@value
def while_error_condition_tree(m):
    m.lax.while_loop(lambda c: (c > 0,), lambda c: c, 1)


@value
def while_error_carry(m):
    m.lax.while_loop(lambda c: c[0] > 0, lambda c: (c[0], X), (1.0, 2.0))


@value
def fori_values(m):
    def body(i, c):
        return m.numpy.sin(c) * (i + 1)

    def run(x, n):
        return m.lax.fori_loop(1, n, body, x)

    def scale(x):
        return m.lax.fori_loop(0, 3, lambda i, c: c * i, x)

    return (
        [run(X, n) for n in (0, 1, 4)],
        m.jit(run)(X, 3),
        m.lax.fori_loop(np.int8(0), 3, body, X),
        m.grad(lambda x: run(x, 4).sum())(X),
        m.jit(m.grad(lambda x: m.lax.fori_loop(0, 3, body, x).sum()))(X),
        m.linear_transpose(lambda x: m.lax.fori_loop(0, 3, lambda i, c: c * i, x), X)(
            X
        ),
    )


@value
def fori_error_reverse(m):
    m.jit(m.grad(lambda x, n: m.lax.fori_loop(0, n, lambda i, c: c * x, x)))(1.0, 3)


@value
def fori_error_dtypes(m):
    m.lax.fori_loop(0, np.uint8(3), lambda i, c: c, 0)


@value
def fori_error_unroll(m):
    m.jit(lambda n: m.lax.fori_loop(0, n, lambda i, c: c, 0, unroll=2))(3)


# --- cond and switch


def forks(m, y):
    jnp = m.numpy
    return [
        lambda x: (jnp.sin(x) * y, x.sum()),
        lambda x: (x * x * jnp.cos(x), (x * y).sum()),
        lambda x: (x, jnp.float32(1)),
    ]


@value
def switch_values(m):
    def run(i, x, y):
        return m.lax.switch(i, forks(m, y), x)

    def loss(i, x, y):
        a, b = run(i, x, y)
        return m.numpy.sin(a).sum() * b

    indices = np.array([-1, 0, 1, 2, 9])
    everything = m.jit(
        lambda i, y: (
            run(i, X, y),
            m.grad(loss, (1, 2))(i, X, y),
            m.hessian(loss, 1)(i, X, y),
            m.vmap(m.grad(loss, 1), (None, 0, None))(i, M, y),
            m.jvp(lambda x, y: run(i, x, y), (X, y), (X, y)),
        )
    )
    return (
        run(1, X, X + 1),
        [everything(int(i), X + 1) for i in indices],
        m.jit(m.vmap(run, (0, None, None)))(indices, X, X + 1),
        m.jit(m.vmap(m.grad(loss, 1), (0, None, None)))(indices, X, X + 1),
    )


@value
def cond_values(m):
    jnp = m.numpy

    def root(x):
        return m.lax.cond(x > 0, jnp.sqrt, lambda x: 2 * x, x)

    x = np.array([-1, 0, 4], np.float32)
    return (
        [m.lax.cond(p, lambda: 1.0, lambda: 2.0) for p in (True, 0, 2.5, np.int8(1))],
        m.vmap(root)(x),
        m.grad(lambda x: m.vmap(root)(x).sum())(x),
        m.lax.cond(False, X, lambda x: x, X, lambda x: 2 * x),
        m.lax.cond(False, lambda x: x, lambda x: 2 * x, operand=X),
    )


@value
def cond_error_structure(m):
    m.lax.cond(True, lambda x: {"a": x}, lambda x: {"b": x}, X)


@value
def cond_error_types(m):
    m.lax.cond(True, lambda x: {"a": x}, lambda x: {"a": x[0]}, X)


@value
def cond_error_no_promotion(m):
    m.lax.cond(True, lambda: 1, lambda: 2.0)


@value
def cond_error_vector(m):
    m.lax.cond(X > 0, lambda: 1, lambda: 2)


@value
def cond_error_string(m):
    m.lax.cond("yes", lambda: 1, lambda: 2)


@value
def switch_error_index(m):
    m.lax.switch(1.0, [lambda: 1, lambda: 2])


@value
def switch_error_empty(m):
    m.lax.switch(1, [])


# --- what is built on them


@value
def associative_scans(m):
    jnp = m.numpy

    def affine(a, b):
        return {"m": b["m"] * a["m"], "k": b["m"] * a["k"] + b["k"]}

    def sums(x):
        return m.lax.associative_scan(jnp.add, x)

    def everything(x, a):
        both = {"m": x, "k": x}
        return (
            [m.lax.associative_scan(affine, both, reverse=r) for r in (0, 1)],
            m.lax.associative_scan(jnp.multiply, a, axis=1),
            m.lax.associative_scan(jnp.logical_xor, x > 1),
            m.grad(lambda x: jnp.sin(sums(x)).sum())(x),
            m.vmap(sums)(a),
        )

    return m.jit(everything)(X, M)


@value
def associative_scan_error_sizes(m):
    m.lax.associative_scan(m.numpy.add, (X, X[:2]))


def solve(m, a, b, **options):
    def steps(matvec, b):
        return m.lax.fori_loop(0, 60, lambda i, x: x + 0.2 * (b - matvec(x)), b)

    return m.lax.custom_linear_solve(lambda x: a @ x, b, steps, **options), steps


@value
def linear_solves(m):
    a = M + 3 * np.eye(4, dtype=np.float32)
    steps = solve(m, a, X)[1]

    def loss(a, b):
        return m.numpy.sin(solve(m, a, b, transpose_solve=steps)[0]).sum()

    def everything(a, b):
        return (
            m.jvp(lambda a, b: solve(m, a, b)[0], (a, b), (a, b)),
            m.grad(loss, (0, 1))(a, b),
            m.vmap(m.grad(loss), (None, 0))(a, M),
            m.vmap(m.grad(loss, 1), (0, None))(m.numpy.stack([a, a + 1]), b),
        )

    return solve(m, a, X)[0], m.jit(everything)(a, X)


@value
def linear_solve_error_transpose(m):
    m.grad(lambda b: solve(m, np.eye(4, dtype=np.float32), b)[0].sum())(X)


@value
def linear_solve_error_shape(m):
    m.lax.custom_linear_solve(lambda x: x[:2], X, lambda f, b: b)


@value
def roots(m):
    def sqrt(a):
        def newton(f, x):
            return m.lax.fori_loop(0, 20, lambda i, x: (x + a / x) / 2, x)

        return m.lax.custom_root(
            lambda x: x * x - a, a, newton, lambda g, y: y / g(1.0)
        )

    return (
        m.grad(sqrt)(3.0),
        m.jit(m.grad(m.grad(sqrt)))(3.0),
        m.jit(m.vmap(m.grad(sqrt)))(X),
        m.jvp(m.jit(sqrt), (3.0,), (1.0,)),
    )


@value
def collectives_under_vmap(m):
    lax = m.lax

    def all_of_them(x):
        return [
            lax.psum(x, "i"),
            lax.pmean(x, "i"),
            lax.pmax(x, "i"),
            lax.pmin(x, "i"),
            lax.all_gather(x, "i"),
            lax.all_gather(x, "i", axis=0, tiled=True),
            lax.psum_scatter(x, "i"),
            lax.psum_scatter(x, "i", tiled=True),
            lax.all_to_all(x, "i", 0, 0),
            lax.all_to_all(x, "i", 0, 0, tiled=True),
            lax.ppermute(x, "i", [(0, 1), (1, 2), (2, 3), (3, 0)]),
            lax.pshuffle(x, "i", [1, 0, 3, 2]),
            lax.pswapaxes(x, "i", 0),
            lax.axis_index("i"),
            lax.psum(1, "i"),
        ]

    return m.jit(m.vmap(all_of_them, axis_name="i"))(M)


@value
def collectives_differentiated(m):
    def loss(x):
        y = m.lax.psum(m.numpy.sin(x), "i") * m.lax.axis_index("i")
        return (y * m.lax.all_gather(x, "i").sum(0)).sum()

    return m.vmap(m.grad(loss), axis_name="i")(M)


@value
def collective_error_unbound(m):
    m.vmap(lambda x: m.lax.psum(x, "k"), axis_name="i")(X)


@value
def collective_error_pmax(m):
    m.vmap(m.grad(lambda x: m.lax.pmax(x, "i")), axis_name="i")(X)


@value
def weak_types_of_gradients(m):
    def last(body):
        return lambda c: m.lax.scan(body, c, X)[0]

    def ys(c):
        return m.lax.scan(lambda k, _: (k * c, k), 1.0, None, length=3)[1].sum()

    return [
        m.grad(last(lambda c, y: (c * y, None)))(2.0),
        m.grad(last(lambda c, y: (c * 2.0, None)))(2.0),
        m.grad(ys)(2.0),
        m.grad(lambda x: m.lax.scan(lambda c, y: (c * 1.5 + y, None), 2.0, x)[0])(X),
        m.grad(lambda x: m.lax.scan(lambda c, y: (c + y, c), 2.0, x)[1].sum())(X),
        m.grad(lambda c: m.lax.cond(True, lambda c: c * X[0], lambda c: c, c))(2.0),
    ]
