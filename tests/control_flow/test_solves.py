"""custom_linear_solve and custom_root: derivatives are those of the exact solution."""

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core.check import check_jaxpr
from tests.primitives.case import assert_close

A = np.array([[2.0, 0.3, 0.1], [0.0, 1.5, 0.4], [0.2, 0.1, 1.8]], np.float32)
B = np.array([1.0, -0.5, 2.0], np.float32)


def richardson(matvec, b):
    """x += (b - A x) / 2, until it no longer moves: nothing to differentiate."""

    def body(x):
        return x + 0.5 * (b - matvec(x))

    return lax.while_loop(
        lambda x: jnp.abs(b - matvec(x)).max() > 1e-6, body, jnp.zeros_like(b)
    )


def solve(a, b, transpose_solve=richardson, symmetric=False):
    return lax.custom_linear_solve(
        lambda x: a @ x, b, richardson, transpose_solve, symmetric=symmetric
    )


def exact(a, b):
    (p, q, r), (s, t, u), (v, w, z) = a
    c = jnp.stack(
        [
            jnp.stack([t * z - u * w, r * w - q * z, q * u - r * t]),
            jnp.stack([u * v - s * z, p * z - r * v, r * s - p * u]),
            jnp.stack([s * w - t * v, q * v - p * w, p * t - q * s]),
        ]
    )
    return c @ b / (p * (t * z - u * w) + q * (u * v - s * z) + r * (s * w - t * v))


def close(got, expected):
    for a, b in zip(
        jaxlike.tree.leaves(got), jaxlike.tree.leaves(expected), strict=True
    ):
        assert_close(a, b, rtol=1e-3, atol=1e-4)


def loss(f):
    return lambda a, b: jnp.sin(f(a, b)).sum()


def test_linear_solve_and_derivatives():
    close(solve(A, B), exact(A, B))
    close(jaxlike.jit(solve)(A, B), exact(A, B))
    expected = jaxlike.grad(loss(exact), (0, 1))(A, B)
    close(jaxlike.grad(loss(solve), (0, 1))(A, B), expected)
    jitted = jaxlike.jit(jaxlike.grad(loss(solve), (0, 1)))
    close(jitted(A, B), expected)
    check_jaxpr(jaxlike.make_jaxpr(jitted)(A, B))
    slope = lambda f: jaxlike.jvp(f, (A, B), (A * 0.1, B + 1))
    close(slope(solve), slope(exact))
    second = lambda f: jaxlike.jacfwd(jaxlike.grad(loss(f), (0, 1)), 1)
    close(second(solve)(A, B), second(exact)(A, B))


@pytest.mark.parametrize("in_axes", [(0, None), (None, 0), (0, 0)])
def test_vmap_of_linear_solve(in_axes):
    args = [
        x if axis is None else np.stack([x, x * 1.1])
        for x, axis in zip((A, B), in_axes)
    ]
    grad = lambda f: jaxlike.grad(loss(f), (0, 1))
    for ours, plain in ((solve, exact), (grad(solve), grad(exact))):
        got = jaxlike.vmap(ours, in_axes)(*args)
        for i in range(2):
            lane = [a if axis is None else a[i] for a, axis in zip(args, in_axes)]
            close(jaxlike.tree.map(lambda y, i=i: y[i], got), plain(*lane))


def test_symmetric_systems_need_no_transpose_solve():
    s = (A + A.T) / 2
    got = jaxlike.grad(loss(lambda a, b: solve(a, b, None, symmetric=True)))(s, B)
    close(got, jaxlike.grad(loss(exact))(s, B))
    forward = lambda b: solve(A, b, None)
    close(jaxlike.jacfwd(forward)(B), jaxlike.jacfwd(lambda b: exact(A, b))(B))
    with pytest.raises(TypeError, match="needs transpose_solve"):
        jaxlike.jacrev(forward)(B)


def test_pytrees_and_aux():
    def matvec(x):
        return {"u": 2 * x["u"], "v": (4 * x["v"][0],)}

    def halves(matvec, b):
        return {"u": b["u"] / 2, "v": (b["v"][0] / 4,)}, b["u"].sum()

    b = {"u": B, "v": (1.0,)}
    x, aux = lax.custom_linear_solve(matvec, b, halves, halves, has_aux=True)
    close(x, {"u": B / 2, "v": (np.float32(0.25),)})
    close(aux, B.sum())

    def total(u):
        x, aux = lax.custom_linear_solve(
            matvec, {"u": u, "v": (1.0,)}, halves, halves, has_aux=True
        )
        return x["u"].sum() + aux

    # an auxiliary result has no derivative
    close(jaxlike.grad(total)(B), np.full(3, 0.5, np.float32))
    close(jaxlike.vmap(total)(np.stack([B, B])), np.full(2, B.sum() * 1.5, np.float32))


@pytest.mark.parametrize(
    "matvec, solver, says",
    [
        (lambda x: (x, x), lambda m, b: b, r"matvec\(\) must return the structure"),
        (lambda x: x[:2], lambda m, b: b, r"matvec\(\) must return the shapes"),
        (
            lambda x: x,
            lambda m, b: b[:2],
            r"solve\(\) must return the shapes.*\n *at b: got",
        ),
    ],
)
def test_errors_of_linear_solve(matvec, solver, says):
    with pytest.raises(ValueError, match=says):
        lax.custom_linear_solve(matvec, B, solver)


# --- custom_root


def square_root(a):
    def newton(f, guess):
        return lax.fori_loop(0, 20, lambda i, x: (x + a / x) / 2, guess)

    return lax.custom_root(
        lambda x: x * x - a, a, newton, lambda g, y: y / g(jnp.ones_like(y))
    )


def test_root_and_derivatives():
    for wrap in (lambda f: f, jaxlike.jit):
        close(wrap(square_root)(9.0), np.float32(3))
        close(wrap(jaxlike.grad(square_root))(9.0), np.float32(1 / 6))
        close(wrap(jaxlike.jacfwd(square_root))(9.0), np.float32(1 / 6))
        second = jaxlike.grad(jaxlike.grad(square_root))
        close(wrap(second)(9.0), np.float32(-1 / 108))
    xs = np.array([1, 4, 9], np.float32)
    close(jaxlike.vmap(square_root)(xs), np.sqrt(xs))
    close(jaxlike.vmap(jaxlike.grad(square_root))(xs), 0.5 / np.sqrt(xs))
    close(
        jaxlike.grad(lambda x: jaxlike.vmap(square_root)(x).sum())(xs),
        0.5 / np.sqrt(xs),
    )


def test_root_of_a_system():
    """f(x) = A x - b, whose tangent solve is a linear solve."""

    def root(a, b):
        return lax.custom_root(
            lambda x: a @ x - b,
            jnp.zeros_like(b),
            lambda f, guess: richardson(lambda x: f(x) + b, b),
            lambda g, y: lax.custom_linear_solve(g, y, richardson, richardson),
        )

    close(root(A, B), exact(A, B))
    grads = jaxlike.grad(loss(root), (0, 1))(A, B)
    close(grads, jaxlike.grad(loss(exact), (0, 1))(A, B))


def test_root_with_aux():
    def root(a):
        return lax.custom_root(
            lambda x: x - a, a, lambda f, x: (x, 2 * a), lambda g, y: y, has_aux=True
        )

    close(root(3.0), (np.float32(3), np.float32(6)))
    _, tangents = jaxlike.jvp(root, (3.0,), (1.0,))
    close(tangents, (np.float32(1), np.float32(0)))


def test_errors_of_root():
    with pytest.raises(TypeError, match=r"f\(\) must return the structure"):
        lax.custom_root(lambda x: (x, x), 1.0, lambda f, x: x, lambda g, y: y)
    with pytest.raises(TypeError, match=r"solve\(\) must return the structure"):
        lax.custom_root(lambda x: x, 1.0, lambda f, x: (x, x), lambda g, y: y)
    with pytest.raises(TypeError, match=r"tangent_solve\(\) must return the shapes"):
        lax.custom_root(lambda x: x, B, lambda f, x: x, lambda g, y: y[:2])
