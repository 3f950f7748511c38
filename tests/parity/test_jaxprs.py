"""Jaxprs of the same programs, letter by letter as jax prints them."""

import os

import numpy as np
import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")
jax = pytest.importorskip("jax")

import jaxlike  # noqa: E402
from tests.parity.compare import collector  # noqa: E402

X = np.linspace(0.5, 1.5, 4).astype(np.float32)
TEXTS, text = collector()


@pytest.mark.parametrize("fun", TEXTS, ids=lambda f: f.__name__)
def test_same_jaxpr(fun):
    args = fun.__defaults__ or (X,)

    def closed(library):
        # the library is bound in a wrapper without a name of its own
        return library.make_jaxpr(
            lambda *xs: fun(library, *xs), axis_env=[("i", 4), ("j", 2)]
        )(*args)

    assert str(closed(jaxlike)) == str(closed(jax)).replace("np.int64(1)", "1")


@text
def scan_text(m, x):
    return m.lax.scan(lambda c, y: (c + y, c * y), 0.0, x)


@text
def scan_promoted_text(m, x):
    return m.lax.scan(lambda c, y: (c + 1.5, y * y), 0, x, reverse=True, unroll=2)


@text
def scan_simplified_text(m, x):
    def body(c, y):
        return (c[1], c[0]), (c, y, x, 1.0)

    return m.lax.scan(body, (0.0, 0.0), x)


@text
def scan_shared_body_text(m, x):
    body = lambda c, y: (c * y, c)
    return m.lax.scan(body, x[0], x)[0] + m.lax.scan(body, x[1], x)[0]


@text
def map_text(m, x):
    return m.lax.map(lambda y: y * x, x)


@text
def scan_linear_text(m, x):
    return m.jvp(
        lambda x: m.lax.scan(lambda c, y: (m.lax.sin(c), c), x[0], x)[0], (x,), (x,)
    )


@text
def while_text(m, x):
    return m.lax.while_loop(
        lambda c: c[0] < x[2], lambda c: (c[0] + 1, c[1] * c[0], c[2]), (0.0, 1.0, x)
    )


@text
def while_batched_text(m, x):
    def loop(y):
        return m.lax.while_loop(
            lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * y), (0, y)
        )

    return m.vmap(loop)(x)


@text
def while_jvp_text(m, x):
    def loop(x):
        return m.lax.while_loop(
            lambda c: c[0] < 3, lambda c: (c[0] + 1, m.lax.mul(c[1], x)), (0, x)
        )[1]

    return m.jvp(loop, (x,), (x,))


@text
def fori_text(m, x):
    return m.lax.fori_loop(0, 5, lambda i, c: m.lax.sin(c), x)


@text
def fori_traced_text(m, x, n):
    return m.lax.fori_loop(0, n, lambda i, c: m.lax.sin(c), x)


fori_traced_text.__defaults__ = (X, np.int16(3))


@text
def cond_text(m, x):
    return m.lax.cond(x[0] > 0, lambda y: y + 1, lambda y: y * x[1], x)


@text
def cond_forwarded_text(m, x):
    return m.lax.cond(x[0], lambda a, b: (a, b, x), lambda a, b: (a, b * 2, x), x, x)


@text
def cond_closures_text(m, x):
    return m.lax.cond(True, lambda: x * 2, lambda: x[0] + x)


@text
def switch_text(m, x, i):
    return m.lax.switch(i, [lambda a: a, lambda a: a * 2, lambda a: x], x)


switch_text.__defaults__ = (X, 1)


@text
def cond_batched_text(m, x):
    def fork(y):
        return m.lax.cond(y > 0, lambda a: (a + 1, x), lambda a: (a * 2, x), y)

    return m.vmap(fork)(x)


@text
def associative_scan_text(m, x):
    return m.lax.associative_scan(m.lax.add, x, reverse=True)


@text
def linear_solve_text(m, x):
    return m.lax.custom_linear_solve(
        lambda v: v * x, x, lambda f, b: b / x, symmetric=True
    )


@text
def collectives_text(m, x):
    lax = m.lax
    return (
        lax.psum((x, 2), ("i", "j")),
        lax.pmean(x, "i"),
        lax.all_gather(x, "i", tiled=True),
        lax.psum_scatter(x, "i", axis_index_groups=[[0, 1], [2, 3]], tiled=True),
        lax.all_to_all(x, "i", 0, 0, tiled=True),
        lax.ppermute(x, "i", [(0, 1)]),
        lax.pbroadcast(x, "i", 2),
        lax.axis_index(("i", "j")),
    )


@text
def calls_text(m, x):
    inner = m.jit(lambda a, b: (a + b, a))
    outer = m.jit(lambda a: inner(a, a)[0] + inner(a, a * 2)[1])
    return outer(x) + outer(inner(x, x)[1])


@text
def elementwise_text(m, x):
    a = m.lax.mul(m.lax.exp(x), np.float32(2.5))
    return a, m.lax.convert_element_type(a, np.int8), m.lax.broadcast(a, (2,))


@text
def shapes_text(m, x):
    y = m.lax.reshape(x, (2, 2))
    z = m.lax.dot_general(y, y, (((1,), (0,)), ((), ())))
    return m.lax.reduce_sum_p.bind(z, axes=(0,), **SHARDING[m.__name__]), m.lax.iota(
        np.int32, 3
    )


SHARDING = {"jax": {"out_sharding": None}, "jaxlike": {}}


@text
def many_variables_text(m, x):
    for _ in range(30):
        x = m.lax.sin(x)
    return [x] * 30


@text
def literals_text(m, x):
    c = m.lax.complex(x, x)
    return x + np.inf, c * 1j, m.lax.lt(x, 0.1), m.lax.add(x, 3e20), True, 7, ()


@text
def unused_text(m, x):
    fork = m.jit(lambda x: (m.lax.sin(x), m.lax.cos(x)))
    fork(x)
    return fork(x)[1]
