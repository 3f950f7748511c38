"""Scaled dot-product attention (Vaswani et al., 2017), with grouped heads and masks."""

from __future__ import annotations

from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.nn.normalisation import logsumexp, softmax

ArrayLike = Any


def dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    bias: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    *,
    scale: float | None = None,
    is_causal: bool = False,
    query_seq_lengths: ArrayLike | None = None,
    key_value_seq_lengths: ArrayLike | None = None,
    local_window_size: int | tuple[int, int] | None = None,
    implementation: str | None = None,
    return_residual: bool = False,
) -> Any:
    """softmax(query key^T * scale + bias) value, for each head.

    Args:
      query: [B, T, N, H], or [T, N, H] without the batch.
      key, value: [B, S, K, H]; N is a multiple of K, and each group of N // K query
        heads shares a head of these.
      bias: added to the logits, broadcastable to [B, N, T, S].
      mask: bool, broadcastable to [B, N, T, S]; False leaves a pair out.
      scale: of the logits, 1 / sqrt(H) by default.
      is_causal: each position sees itself and earlier ones only.
      query_seq_lengths, key_value_seq_lengths: int [B], positions past which are left
        out; query positions past their length give 0.
      local_window_size: how far to the left and right a position sees.
      implementation: None or "xla"; "cudnn" is refused.
      return_residual: also return the logsumexp of the logits, [B, T, N].
    Returns:
      An array of the query's shape and dtype.
    Raises:
      ValueError: ranks, heads or lengths do not fit; an unknown implementation.

    >>> import jaxlike.numpy as jnp, jaxlike.nn as nn
    >>> q = jnp.ones((1, 2, 1, 4))
    >>> nn.dot_product_attention(q, q, q).shape
    (1, 2, 1, 4)
    """
    if implementation not in (None, "xla"):
        raise ValueError(
            format_error(
                f"dot_product_attention: implementation {implementation!r} is not "
                "there; use None"
            )
        )
    query, key, value = map(jnp.asarray, (query, key, value))
    shape = query.shape
    if query.ndim == 3:
        query, key, value = (jnp.expand_dims(a, 0) for a in (query, key, value))
        if bias is not None:
            bias = _with_batch(bias)
        if mask is not None:
            mask = _with_batch(mask)
    _check(query, key, value)
    b, t, n, h = query.shape
    s, groups = key.shape[1], key.shape[2]
    per_group = n // groups
    if scale is None:
        scale = 1.0 / np.sqrt(h)

    # 16-bit operands are multiplied with float32 accumulation
    wide = jnp.promote_types(query.dtype, np.float32)
    split = query.reshape(b, t, groups, per_group, h)
    logits = jnp.einsum("btkgh,bskh->bkgts", split, key, preferred_element_type=wide)
    logits = logits.reshape(b, n, t, s) * np.asarray(scale, wide)
    if bias is not None:
        logits = (logits + jnp.asarray(bias)).astype(logits.dtype)
    allowed = _allowed(
        (b, t, s),
        mask,
        is_causal,
        query_seq_lengths,
        key_value_seq_lengths,
        local_window_size,
    )
    if allowed is not None:
        lowest = -0.7 * float(jnp.finfo(logits.dtype).max)
        logits = jnp.where(allowed, logits, np.asarray(lowest, logits.dtype))
    weights = softmax(logits, axis=-1).astype(key.dtype)
    weights = weights.reshape(b, groups, per_group, t, s)
    mixed = jnp.einsum("bkgts,bskh->btkgh", weights, value, preferred_element_type=wide)
    out = mixed.reshape(b, t, n, h).astype(query.dtype)
    if query_seq_lengths is not None:
        lengths = jnp.asarray(query_seq_lengths)[:, None]
        inside = jnp.arange(t)[None, :] < lengths
        out = out * inside[:, :, None, None].astype(out.dtype)
    out = out.reshape(shape)
    if return_residual:
        residual = jnp.swapaxes(logsumexp(logits, axis=-1), 1, 2)
        return out, residual.reshape(shape[:-1])
    return out


def _with_batch(x: ArrayLike) -> Array:
    x = jnp.asarray(x)
    return jnp.expand_dims(x, 0) if x.ndim == 3 else x


def _check(query, key, value) -> None:
    if not query.ndim == key.ndim == value.ndim == 4:
        raise ValueError(
            format_error(
                "dot_product_attention needs query, key and value all of rank 3 or 4",
                details=[f"query {query.aval}, key {key.aval}, value {value.aval}"],
            )
        )
    if (
        key.shape != value.shape
        or query.shape[0] != key.shape[0]
        or query.shape[3] != key.shape[3]
        or query.shape[2] % key.shape[2]
    ):
        raise ValueError(
            format_error(
                "dot_product_attention: shapes of query, key and value do not fit",
                details=[
                    f"query {query.aval} is [batch, length, heads, width]",
                    f"key {key.aval} and value {value.aval}, of one shape, have its "
                    "batch and width, and a number of heads that divides its",
                ],
            )
        )


def _allowed(sizes, mask, is_causal, query_lengths, key_lengths, window):
    """Which pairs count, bool and broadcastable to [B, N, T, S]; None for all."""
    _, t, s = sizes
    parts = []
    if mask is not None:
        mask = jnp.asarray(mask)
        if mask.dtype != np.bool_:
            raise ValueError(
                format_error(
                    f"dot_product_attention: mask must be bool, got {mask.aval}"
                )
            )
        parts.append(mask)
    rows, columns = jnp.arange(t)[:, None], jnp.arange(s)[None, :]
    if is_causal:
        parts.append((rows >= columns)[None, None])
    if window is not None:
        left, right = (window, window) if isinstance(window, int) else window
        near = (rows <= columns + left) & (rows >= columns - right)
        parts.append(near[None, None])
    if query_lengths is not None:
        lengths = jnp.asarray(query_lengths)[:, None, None, None]
        parts.append(rows[None, None] < lengths)
    if key_lengths is not None:
        lengths = jnp.asarray(key_lengths)[:, None, None, None]
        parts.append(columns[None, None] < lengths)
    allowed = None
    for part in parts:
        allowed = part if allowed is None else jnp.logical_and(allowed, part)
    return allowed
