"""Programs on custom_vmap and sequential_vmap, for test_transforms.py."""

import numpy as np

from tests.parity.compare import collector

CASES, case = collector()
V = np.arange(3.0, dtype=np.float32)


def product(jax, seen=None):
    f = jax.custom_batching.custom_vmap(lambda x, y: x * y)

    @f.def_vmap
    def rule(n, in_batched, x, y):
        if seen is not None:
            seen.append((n, in_batched, np.shape(x), np.shape(y)))
        return jax.numpy.multiply(x, y) + 100, True

    return f


def program(name, run):
    def case_(jax):
        return run(jax, product(jax))

    case_.__name__ = f"custom_vmap_{name}"
    CASES.append(case_)


program("call", lambda jax, f: f(2.0, 3.0))
program("vmap", lambda jax, f: jax.vmap(f, (0, None))(V, 2.0))
program("jvp", lambda jax, f: jax.jvp(f, (2.0, 3.0), (1.0, 1.0)))
program(
    "vmap_jvp", lambda jax, f: jax.vmap(lambda x: jax.jvp(f, (x, 3.0), (1.0, 1.0)))(V)
)
program(
    "grad_vmap",
    lambda jax, f: jax.grad(lambda x: jax.vmap(f, (0, None))(x, 2.0).sum())(V),
)
program("jit_vmap", lambda jax, f: jax.jit(jax.vmap(f, (0, None)))(V, 3.0))
program("vmap_jit", lambda jax, f: jax.vmap(jax.jit(f), (0, None))(V, 3.0))
program("vmap2", lambda jax, f: jax.vmap(jax.vmap(f, (0, None)), (None, 0))(V, V))
program(
    "scan",
    lambda jax, f: jax.vmap(lambda x: jax.lax.scan(lambda c, a: (f(c, a), c), x, V)[0])(
        V
    ),
)


@case
def custom_vmap_rule_arguments(jax):
    seen = []
    f = product(jax, seen)
    jax.vmap(f, (0, None))(V, 2.0), jax.vmap(f, (1, 0))(V[None], V)
    return seen


def bad_rule(name, out, rule):
    def case_(jax):
        f = jax.custom_batching.custom_vmap(out)
        if rule is not None:
            f.def_vmap(rule)
        return jax.vmap(f)(V)

    case_.__name__ = f"custom_vmap_bad_{name}"
    CASES.append(case_)


bad_rule("none", lambda x: x, None)
bad_rule("not_pair", lambda x: x, lambda n, b, x: x)
bad_rule("tree", lambda x: (x, x), lambda n, b, x: (x, True))
bad_rule("batched_tree", lambda x: (x, x), lambda n, b, x: ((x, x), True))


@case
def custom_vmap_tree(jax):
    f = jax.custom_batching.custom_vmap(lambda x: (x, {"a": x}))
    f.def_vmap(lambda n, b, x: ((x, {"a": x[0]}), (True, {"a": False})))
    return jax.vmap(f)(V)


@case
def custom_vmap_kwargs(jax):
    f = jax.custom_batching.custom_vmap(lambda x, y=2.0: x * y)
    f.def_vmap(lambda n, b, x, y: (jax.numpy.multiply(x, y), True))
    return jax.vmap(lambda x: f(x, y=3.0))(V), jax.vmap(f)(V), f(2.0)


@case
def sequential(jax):
    f = jax.custom_batching.sequential_vmap(lambda x, y: jax.numpy.sin(x) * y)
    return (
        f(1.0, 2.0),
        jax.vmap(f)(V, V),
        jax.vmap(f, (None, 0))(1.0, V),
        jax.jit(jax.vmap(jax.vmap(f)))(V[None], V[None]),
    )
