"""dot_product_attention against the sum that it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import nn

RNG = np.random.default_rng(1)
B, T, S, N, H = 2, 5, 7, 4, 3


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


Q, K, V = normal(B, T, N, H), normal(B, S, N, H), normal(B, S, N, H)


def attention(q, k, v, allowed=None, bias=0.0, scale=None):
    k, v = (np.repeat(a, q.shape[2] // a.shape[2], 2) for a in (k, v))
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    logits = np.einsum("btnh,bsnh->bnts", q, k).astype(float) * scale + bias
    if allowed is not None:
        logits = np.where(allowed, logits, -1e30)
    return np.einsum("bnts,bsnh->btnh", special.softmax(logits, -1), v)


def close(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("run", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_plain_scaled_and_biased(run):
    close(run(nn.dot_product_attention)(Q, K, V), attention(Q, K, V))
    got = run(lambda *a: nn.dot_product_attention(*a, scale=0.3))(Q, K, V)
    close(got, attention(Q, K, V, scale=0.3))
    bias = normal(1, N, T, S)
    close(nn.dot_product_attention(Q, K, V, bias), attention(Q, K, V, bias=bias))


def test_masks():
    mask = RNG.random((B, 1, T, S)) < 0.7
    mask[..., 0] = True
    close(nn.dot_product_attention(Q, K, V, mask=mask), attention(Q, K, V, mask))
    causal = np.tril(np.ones((T, S), bool))
    close(nn.dot_product_attention(Q, K, V, is_causal=True), attention(Q, K, V, causal))
    with pytest.raises(ValueError, match="bool"):
        nn.dot_product_attention(Q, K, V, mask=mask.astype(np.float32))


def test_lengths_and_windows():
    lengths = np.array([3, 7])
    allowed = (np.arange(S) < lengths[:, None])[:, None, None, :]
    got = nn.dot_product_attention(Q, K, V, key_value_seq_lengths=lengths)
    close(got, attention(Q, K, V, allowed))
    i, j = np.arange(T)[:, None], np.arange(T)
    window = (j >= i - 2) & (j <= i + 1)
    got = nn.dot_product_attention(Q, Q, Q, local_window_size=(2, 1))
    close(got, attention(Q, Q, Q, window))


def test_fewer_heads_of_keys():
    few = K[:, :, :2], V[:, :, :2]
    close(nn.dot_product_attention(Q, *few), attention(Q, *few))
    one = nn.dot_product_attention(Q[0], K[0], V[0])
    close(one, attention(Q[:1], K[:1], V[:1])[0])


def test_slopes():
    loss = lambda q, k, v: jnp.sum(jnp.sin(nn.dot_product_attention(q, k, v)))
    with jax.enable_x64(True):
        args = [a.astype(float) for a in (Q, K, V)]
        steps = [RNG.normal(size=a.shape) for a in args]
        grads = jax.grad(loss, (0, 1, 2))(*args)
        slope = sum(np.vdot(g, s) for g, s in zip(grads, steps))
        h = 1e-5
        up, down = (
            float(loss(*[a + sign * h * s for a, s in zip(args, steps)]))
            for sign in (1, -1)
        )
    np.testing.assert_allclose(slope, (up - down) / (2 * h), rtol=1e-6)


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError):
        nn.dot_product_attention(Q, K[:, :3], V)
    with pytest.raises(ValueError):
        nn.dot_product_attention(Q, K[..., :2], V)
