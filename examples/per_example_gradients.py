"""DP-SGD on handwritten digits: gradients by vmap(grad), clipped and noised.

The algorithm is that of Abadi et al., "Deep Learning with Differential Privacy" (2016).

    python examples/per_example_gradients.py
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from tqdm import tqdm
from train_digits import apply_mlp, init_mlp, load, split

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import nn, random

BATCH, CLIP, NOISE, LEARNING_RATE = 128, 1.0, 0.6, 0.5


def loss(params, image, label):
    """Cross entropy of one example: image f32[h, w, 1], label i32[]."""
    logits = apply_mlp(params, image[None])[0]
    return -nn.log_softmax(logits)[label]


def batch_loss(params, images, labels):
    return jnp.mean(jax.vmap(loss, in_axes=(None, 0, 0))(params, images, labels))


# a gradient for each example: one more axis in front of every leaf
per_example = jax.jit(jax.vmap(jax.grad(loss), in_axes=(None, 0, 0)))
batch_gradient = jax.jit(jax.grad(batch_loss))
one_gradient = jax.jit(jax.grad(loss))


@jax.jit
def private_step(params, key, images, labels):
    grads = per_example(params, images, labels)
    leaves, treedef = jax.tree.flatten(grads)
    squares = [jnp.sum(g**2, axis=tuple(range(1, g.ndim))) for g in leaves]
    norms = jnp.sqrt(sum(squares))
    factor = jnp.minimum(1.0, CLIP / (norms + 1e-12))
    keys = random.split(key, len(leaves))
    noised = []
    for k, g in zip(keys, leaves, strict=True):
        clipped = jnp.tensordot(factor, g, axes=1)
        noise = NOISE * CLIP * random.normal(k, clipped.shape)
        noised.append((clipped + noise) / len(images))
    update = jax.tree.unflatten(treedef, noised)
    return jax.tree.map(lambda p, g: p - LEARNING_RATE * g, params, update), norms


def check_and_time(params, images, labels):
    """The mean of per-example gradients is the batch gradient; and what it costs."""
    each = per_example(params, images, labels)
    whole = batch_gradient(params, images, labels)
    error = max(
        float(jnp.max(jnp.abs(jnp.mean(e, axis=0) - w)))
        for e, w in zip(jax.tree.leaves(each), jax.tree.leaves(whole), strict=True)
    )
    print(f"largest difference from the batch gradient: {error:.1e}")

    def by_loop():
        grads = [one_gradient(params, x, y) for x, y in zip(images, labels)]
        return jax.tree.map(lambda *gs: jnp.stack(gs), *grads)

    def best_of(fun, count):
        times = []
        for _ in range(count):
            start = time.perf_counter()
            jax.block_until_ready(fun())
            times.append(time.perf_counter() - start)
        return min(times)

    by_loop()
    loop = best_of(by_loop, 3)
    mapped = best_of(lambda: per_example(params, images, labels), 20)
    print(
        f"{len(images)} gradients: vmap(grad) {1e3 * mapped:.2f} ms, a Python loop "
        f"over a jitted gradient {1e3 * loop:.1f} ms, {loop / mapped:.0f} times as long"
    )
    return error


def main(argv=None) -> float:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)

    (train_x, train_y), (test_x, test_y) = split(*load("digits"), args.seed)
    key = random.key(args.seed)
    params = init_mlp(key, train_x.shape[1:3])
    check_and_time(params, train_x[:BATCH], train_y[:BATCH])

    predict = jax.jit(lambda p, x: jnp.argmax(apply_mlp(p, x), axis=-1))
    rng = np.random.default_rng(args.seed)
    per_epoch = len(train_x) // BATCH
    with tqdm(total=args.epochs * per_epoch, unit="step") as bar:
        for epoch in range(args.epochs):
            order = rng.permutation(len(train_x))
            for i in range(per_epoch):
                batch = order[i * BATCH : (i + 1) * BATCH]
                step_key = random.fold_in(key, bar.n)
                params, norms = private_step(
                    params, step_key, train_x[batch], train_y[batch]
                )
                bar.update()
                clipped = float(jnp.mean(norms > CLIP))
                bar.set_postfix(epoch=epoch + 1, clipped=f"{clipped:.0%}")
    accuracy = float(jnp.mean(predict(params, test_x) == test_y))
    print(f"test accuracy with clipping and noise: {100 * accuracy:.1f} %")
    return accuracy


if __name__ == "__main__":
    main()
