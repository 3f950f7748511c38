"""A decoder-only transformer's training step, written once for jax and for jaxlike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tests.benchmarks.registry import drawn


class Size(NamedTuple):
    layers: int = 4
    heads: int = 4
    width: int = 64
    vocab: int = 128
    length: int = 32
    batch: int = 4


SMALL = Size()


@drawn
def init(size: Size = SMALL, seed: int = 0):
    """Parameters as a pytree of NumPy arrays f32."""
    width, vocab = size.width, size.vocab
    rng = np.random.default_rng(seed)

    def dense(n, m):
        return (rng.standard_normal((n, m)) / np.sqrt(n)).astype(np.float32)

    def layer():
        return {
            "qkv": dense(width, 3 * width),
            "out": dense(width, width),
            "up": dense(width, 4 * width),
            "down": dense(4 * width, width),
            "norm1": np.ones(width, np.float32),
            "norm2": np.ones(width, np.float32),
        }

    return {
        "embed": dense(vocab, width),
        "position": dense(size.length, width),
        "layers": [layer() for _ in range(size.layers)],
        "norm": np.ones(width, np.float32),
        "head": dense(width, vocab),
    }


@drawn
def draw_tokens(size: Size = SMALL) -> np.ndarray:
    shape = size.batch, size.length + 1
    return np.random.default_rng(1).integers(0, size.vocab, shape).astype(np.int32)


def make(jax, jnp, size: Size = SMALL):
    """(step, args): step(params, m, v, tokens) -> (params, m, v, loss)."""

    def norm(x, scale):
        mean = jnp.mean(x, axis=-1, keepdims=True)
        var = jnp.var(x, axis=-1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(var + 1e-5) * scale

    def attention(p, x):
        b, t, d = x.shape
        q, k, v = jnp.split(x @ p["qkv"], 3, axis=-1)

        def heads(a):
            return a.reshape(b, t, size.heads, d // size.heads).transpose(0, 2, 1, 3)

        scores = jnp.einsum("bhqd,bhkd->bhqk", heads(q), heads(k))
        scores = scores / np.sqrt(d // size.heads)
        mask = jnp.tril(jnp.ones((t, t), bool))
        weights = jax.nn.softmax(jnp.where(mask, scores, -1e9), axis=-1)
        mixed = jnp.einsum("bhqk,bhkd->bhqd", weights, heads(v))
        return mixed.transpose(0, 2, 1, 3).reshape(b, t, d) @ p["out"]

    def loss(params, tokens):
        x = params["embed"][tokens[:, :-1]] + params["position"]
        for p in params["layers"]:
            x = x + attention(p, norm(x, p["norm1"]))
            x = x + jax.nn.gelu(norm(x, p["norm2"]) @ p["up"]) @ p["down"]
        logits = norm(x, params["norm"]) @ params["head"]
        log_probs = jax.nn.log_softmax(logits, axis=-1)
        picked = jnp.take_along_axis(log_probs, tokens[:, 1:, None], axis=-1)
        return -jnp.mean(picked)

    def step(params, m, v, tokens):
        value, grads = jax.value_and_grad(loss)(params, tokens)
        tree_map = jax.tree.map
        m = tree_map(lambda a, g: 0.9 * a + 0.1 * g, m, grads)
        v = tree_map(lambda a, g: 0.999 * a + 0.001 * g * g, v, grads)
        params = tree_map(
            lambda p, a, b: p - 1e-3 * a / (jnp.sqrt(b) + 1e-8), params, m, v
        )
        return params, m, v, value

    params = jax.tree.map(jnp.asarray, init(size))
    zeros = jax.tree.map(jnp.zeros_like, params)
    return step, (params, zeros, zeros, jnp.asarray(draw_tokens(size)))
