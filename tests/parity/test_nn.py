"""jaxlike.nn against jax.nn: values, dtypes, weak types and classes of errors."""

from __future__ import annotations

import pytest

pytest.importorskip("jax")

from tests.parity.compare import check_same

ELEMENTWISE = [
    "celu",
    "elu",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "leaky_relu",
    "log1mexp",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "swish",
    "tanh",
]

INPUTS = {
    "floats": "jnp.array([-100.0, -3.0, -1.0, -0.5, 0.5, 1.0, 6.5, 100.0])",
    "special": "jnp.array([0.0, -0.0, jnp.inf, -jnp.inf, jnp.nan])",
    "scalar": "0.5",
    "ints": "jnp.array([-2, 0, 3])",
    "half": "jnp.array([-1.0, 2.0], jnp.bfloat16)",
    "list": "[1.0]",
    "empty": "jnp.zeros((0, 3))",
}

EXPRESSIONS = """
nn.gelu(x, approximate=False)
nn.elu(x, 0.5)
nn.celu(x, 0.5)
nn.leaky_relu(x, 0.2)
nn.squareplus(x, 1.0)
nn.glu(x)
nn.glu(jnp.arange(3.0))
nn.glu(jnp.arange(8.0).reshape(4, 2), axis=0)
nn.softmax(x)
nn.softmax(x, axis=None)
nn.softmax(x.reshape(2, 2), axis=0)
nn.softmax(x.reshape(2, 2), axis=(0, 1))
nn.softmax(x, where=x > 0)
nn.softmax(x, where=x > 5)
nn.softmax(jnp.arange(3))
nn.softmax(jnp.array([-jnp.inf, 0.0]))
nn.softmax(jnp.array([-jnp.inf, -jnp.inf]))
nn.softmax(x.astype(jnp.bfloat16))
nn.softmax(x, axis=3)
nn.log_softmax(x)
nn.log_softmax(x, where=x > 0)
nn.log_softmax(x.reshape(2, 2), axis=0)
nn.log_softmax(jnp.array([-jnp.inf, 0.0]))
nn.logsumexp(x)
nn.logsumexp(x, axis=0, keepdims=True)
nn.logsumexp(x, where=x > 1)
nn.logsumexp(x, b=jnp.array([1.0, -1.0, 1.0, 1.0]))
nn.logsumexp(x, b=jnp.array([1.0, -1.0, 1.0, 1.0]), return_sign=True)
nn.logsumexp(x, b=jnp.array([1.0, 0.0, -50.0, 1.0]))
nn.logsumexp(jnp.array([-jnp.inf, -jnp.inf]))
nn.logsumexp(jnp.array([jnp.inf, 0.0]))
nn.logsumexp(jnp.array([[1.0, 2.0], [3.0, 4.0]]), axis=1)
nn.logsumexp(jnp.arange(3))
nn.logmeanexp(x)
nn.logmeanexp(x, axis=0, keepdims=True)
nn.logmeanexp(x, where=x > 0)
nn.standardize(x)
nn.standardize(x, where=x > 0)
nn.standardize(x, mean=1.0, variance=4.0)
nn.standardize(x, epsilon=0.1)
nn.standardize(x.reshape(2, 2), axis=0)
nn.one_hot(jnp.array([0, -1, 5]), 3)
nn.one_hot(jnp.array([0, 1]), 3, axis=0)
nn.one_hot(jnp.array([[0], [1]]), 3, axis=1)
nn.one_hot(1.0, 3)
nn.one_hot(2, 3)
nn.one_hot(jnp.array([1]), 3, dtype=jnp.int32)
nn.dot_product_attention(q, q, q)
nn.dot_product_attention(q[0], q[0], q[0])
nn.dot_product_attention(q, q, q, is_causal=True)
nn.dot_product_attention(q, q, q, scale=0.3)
nn.dot_product_attention(q, q[:, :, :2], q[:, :, :2])
nn.dot_product_attention(q, q, q, bias=jnp.ones((1, 1, 3, 3)))
nn.dot_product_attention(q, q, q, mask=jnp.tril(jnp.ones((1, 1, 3, 3), bool)))
nn.dot_product_attention(q, q, q, local_window_size=1)
nn.dot_product_attention(q, q, q, local_window_size=(1, 0))
nn.dot_product_attention(q, q, q, query_seq_lengths=jnp.array([2, 3]))
nn.dot_product_attention(q, q, q, key_value_seq_lengths=jnp.array([2, 3]))
nn.dot_product_attention(q.astype(jnp.bfloat16), *[q.astype(jnp.bfloat16)] * 2)
nn.dot_product_attention(q, q, q, implementation="nothing")
"""

GRADIENTS = [
    f"jax.grad(nn.{name})({x})"
    for name in ELEMENTWISE
    if name != "identity"
    for x in (0.0, 1.0, -1.0, 6.0, 50.0)
]
GRADIENTS += [
    "jax.grad(jax.grad(nn.softplus))(0.5)",
    "jax.grad(lambda x: nn.softmax(x)[0])(x)",
    "jax.grad(lambda x: nn.log_softmax(x)[1])(x)",
    "jax.grad(nn.logsumexp)(x)",
    "jax.grad(lambda x: nn.standardize(x)[2])(x)",
    "jax.grad(lambda q: nn.dot_product_attention(q, q, q).sum())(q)",
    "jax.jacfwd(nn.relu)(x)",
    "jax.vmap(nn.softmax)(x.reshape(2, 2))",
    "jax.jit(nn.gelu)(x)",
]


def evaluate(text, library):
    jnp = library.numpy
    if library.__name__ == "jax":
        import jax.nn as nn
    else:
        import jaxlike.nn as nn
    names = {
        "jax": library,
        "jnp": jnp,
        "nn": nn,
        "x": jnp.arange(4.0),
        "q": jnp.sin(jnp.arange(72.0)).reshape(2, 3, 4, 3),
    }
    return eval(text, names)


def same(text):
    import jax

    import jaxlike

    check_same(lambda library: evaluate(text, library), jaxlike, jax)


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(name, kind):
    same(f"nn.{name}({INPUTS[kind]})")


@pytest.mark.parametrize("text", EXPRESSIONS.strip().splitlines())
def test_expressions(text):
    same(text)


@pytest.mark.parametrize("text", GRADIENTS)
def test_gradients(text):
    same(text)
