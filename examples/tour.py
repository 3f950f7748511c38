"""A tour of the transforms: each is shown as the jaxpr before it and after it.

python examples/tour.py
"""

from __future__ import annotations

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax


def show(title: str, fun, *args) -> None:
    print(f"--- {title}")
    print(jax.make_jaxpr(fun)(*args))
    print()


def f(x):
    return jnp.sin(x) * x


def predict(w, x):
    return jnp.tanh(x @ w)


def loss(w, x, y):
    return jnp.mean((predict(w, x) - y) ** 2)


def main() -> None:
    x = jnp.arange(3.0)
    show("trace: a function becomes a jaxpr", f, 1.0)
    show(
        "jvp: tangents are pushed along", lambda x, t: jax.jvp(f, (x,), (t,)), 1.0, 1.0
    )
    show(
        "linearize: only the tangents' equations are left",
        jax.linearize(f, 1.0)[1],
        1.0,
    )
    show("grad: the linear equations run backwards", jax.grad(f), 1.0)
    show("grad of grad", jax.grad(jax.grad(f)), 1.0)
    show("vmap: every equation gets a batch axis", jax.vmap(f), x)
    show("vmap of grad: a gradient for each element", jax.vmap(jax.grad(f)), x)
    show("jit: a call, compiled as one unit", jax.jit(f), 1.0)

    w, xs, ys = jnp.ones((4, 2)), jnp.ones((8, 4)), jnp.zeros((8, 2))
    show("a layer's gradient", jax.grad(loss), w, xs, ys)
    show(
        "per-example gradients: vmap(grad)",
        jax.vmap(jax.grad(loss), in_axes=(None, 0, 0)),
        w,
        xs,
        ys,
    )

    def cumulative(x):
        return lax.scan(lambda c, a: (c + a * c, c), 1.0, x)

    show("scan: a loop is one equation", cumulative, x)
    show("its gradient: two loops", jax.grad(lambda x: cumulative(x)[0]), x)
    show(
        "checkpoint: residuals are computed again",
        jax.grad(jax.checkpoint(lambda x: jnp.sin(jnp.sin(x)))),
        1.0,
    )
    print("--- what jit makes of softmax: one kernel")
    print(jax.jit(jax.nn.softmax).lower(jnp.ones((4, 8))).compile().as_text())


if __name__ == "__main__":
    main()
