"""Wrong calls of jaxlike.numpy and lax: which class of error, for test_transforms.py.

Each is a line of Python on the names jax, jnp, lax, np and a few arrays; it runs both
eagerly and with the arrays traced.
"""

import numpy as np

from tests.parity.compare import collector

CASES, case = collector()

LINES = """
a + b
a + i[:2]
a @ b
a @ np.float32(2)
jnp.dot(a, b)
jnp.matmul(a, 2.0)
jnp.add(a)
jnp.add(a, None)
jnp.add(a, "x")
jnp.sin([1, 2])
jnp.sin(None)
jnp.sum(a, axis=5)
jnp.sum(a, axis=(0, 0))
jnp.sum(a, axis="x")
jnp.max(a[:0])
jnp.argmax(a[:0])
jnp.mean(a, axis=1.5)
jnp.reshape(a, (5, 5))
jnp.reshape(a, (-1, -1))
jnp.reshape(a, (-1, 5))
a.reshape(7)
jnp.concatenate([a, b], axis=1)
jnp.concatenate([])
jnp.concatenate([a, i])
jnp.concatenate(a, axis=9)
jnp.stack([a, b])
jnp.stack([])
jnp.vstack([a, b[:, :2]])
jnp.transpose(a, (0, 0))
jnp.transpose(a, (0, 1, 2))
jnp.swapaxes(a, 0, 5)
jnp.moveaxis(a, 0, 5)
jnp.expand_dims(a, 7)
jnp.squeeze(a, 0)
jnp.broadcast_to(a, (5, 5))
jnp.where(a > 1, a)
jnp.where(a > 1, a, b)
jnp.split(a, 5)
jnp.take(a, 1.5)
jnp.take(a, i, axis=9)
jnp.clip("a", 0, 1)
jnp.einsum("ij,jk->ik", a, b)
jnp.einsum("ij->k", a)
jnp.einsum("ij,jk", a)
jnp.tensordot(a, b, axes=1)
jnp.linalg.inv(a)
jnp.linalg.solve(a, b)
jnp.linalg.cholesky(i)
jnp.pad(a, 1, mode="nope")
jnp.pad(a, -1)
jnp.zeros(-1)
jnp.zeros("a")
jnp.zeros((1.5,))
jnp.zeros(3, dtype="nope")
jnp.zeros(3, dtype=object)
jnp.array("abc")
jnp.array([1, [2, 3]])
jnp.array([object()])
jnp.asarray(object())
jnp.arange()
jnp.arange("a")
jnp.arange(0, 5, 0)
jnp.linspace(0, 1, -1)
jnp.eye(-1)
jnp.full((2,), "a")
jnp.bitwise_and(a, 1)
jnp.left_shift(a, 1)
jnp.logical_and("a", 1)
jnp.sort(a, axis=4)
jnp.cumsum(a, axis=4)
jnp.repeat(a, -1)
jnp.tile("a", 2)
jnp.var(a, ddof="x")
jnp.percentile(a, 200)
jnp.interp(a, b, i)
a[7.0]
a["x"]
a[0, 0, 0]
a[..., ...]
a[(1, 2), (1, 2, 3)]
a[[0, 1]]
a.at[0, 0, 0].set(1)
a.at["x"].set(1)
a.at[0].set(b)
a.at[0].add("x")
a.astype("nope")
a.item()
a.nope
a.sum(axis=9)
float(a)
int(a)
bool(a)
len(a[0, 0])
list(a[0, 0])
a < "x"
-"x" + a
a ** "x"
a // None
~a
a << 1
a if a > 1 else b
lax.add(a, b)
lax.add(a, i)
lax.add(a, 1)
lax.add("x", "y")
lax.sin(i)
lax.exp(1)
lax.bitwise_and(a, a)
lax.select(a, a, a)
lax.select(a > 1, a, b)
lax.clamp(b, a, b)
lax.dot(a, b)
lax.dot_general(a, b, (((0,), (0,)), ((), ())))
lax.dot_general(a, b, (((9,), (0,)), ((), ())))
lax.reshape(a, (-1, 2))
lax.transpose(a, (0,))
lax.broadcast_in_dim(a, (5, 5), (0, 1))
lax.squeeze(a, (0,))
lax.expand_dims(a, (9,))
lax.concatenate([a, b], 1)
lax.concatenate([a, a], 5)
lax.concatenate([], 0)
lax.pad(a, 0.0, [(0, 0, 0)])
lax.pad(a, 0, [(0, 0, 0), (0, 0, 0)])
lax.slice(a, (0, 0), (9, 9))
lax.slice(a, (2, 2), (1, 1))
lax.dynamic_slice(a, (0,), (1, 1))
lax.dynamic_slice(a, (0, 0), (9, 9))
lax.dynamic_slice(a, (0.0, 0.0), (1, 1))
lax.dynamic_update_slice(a, b, (0, 0))
lax.rev(a, (5,))
lax.iota(np.float32, -1)
lax.reduce_sum(a, (5,))
lax.reduce_sum(a, (0, 0))
lax.argmax(a, 9, np.int32)
lax.argmax(a, 0, np.float32)
lax.cumsum(a, axis=9)
lax.sort(a, dimension=9)
lax.top_k(a, 99)
lax.convert_element_type("a", np.float32)
lax.convert_element_type(a, "nope")
lax.conv(a, b, (1, 1), "SAME")
lax.scan(lambda c, x: c, 0, a)
lax.scan(lambda c, x: (c, x), 0, None)
lax.scan(lambda c, x: (c, x), 0, (a, b[:2]))
lax.scan(3, 0, a)
lax.while_loop(lambda c: a, lambda c: c, 0)
lax.while_loop(lambda c: 1.0, lambda c: c, 0)
lax.while_loop(lambda c: True, lambda c: (c, c), 0)
lax.fori_loop(0, 2.5, lambda k, c: c, 0)
lax.fori_loop("a", 2, lambda k, c: c, 0)
lax.cond(a, lambda: 1, lambda: 2)
lax.cond("a", lambda: 1, lambda: 2)
lax.cond(True, lambda: 1, lambda: 2.0)
lax.cond(True, lambda x: 1, lambda: 2, 3)
lax.switch(1.5, [lambda: 1, lambda: 2])
lax.switch(0, [])
lax.map(lambda x: x, 3)
lax.psum(a, "i")
lax.associative_scan(lambda x, y: x, a, axis=9)
lax.integer_pow(i, -1)
lax.nextafter(a, i)
lax.reduce_precision(a, 0, 3)
lax.stop_gradient("a")
"""


def line_case(line: str, traced: bool):
    code = compile(line, "<case>", "eval")
    arrays = {
        "a": np.ones((3, 4), np.float32),
        "b": np.ones((5, 4), np.float32),
        "i": np.arange(3, dtype=np.int32),
    }

    def run(jax):
        space = {"jax": jax, "jnp": jax.numpy, "lax": jax.lax, "np": np}

        def f(given):
            eval(code, {**space, **given})
            return 0

        given = {name: jax.numpy.asarray(x) for name, x in arrays.items()}
        return jax.jit(f)(given) if traced else f(given)

    run.__name__ = f"{'traced' if traced else 'eager'}: {line}"
    CASES.append(run)


for _line in LINES.strip().split("\n"):
    line_case(_line, False)
    line_case(_line, True)
