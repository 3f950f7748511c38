"""The benchmark programs: each written once, for jaxlike and for jax alike.

`WORKLOADS[name].make(jax)` gives (function, arguments): the function as a user would
write it, jitted where that is the point. The same for PyTorch: torch_workloads.py. How
they are measured: worker.py.
"""

from __future__ import annotations

import itertools

import numpy as np

from tests.benchmarks import transformer
from tests.benchmarks.registry import (
    between,
    drawn,
    floats,
    numpy_of,
    on_device,
    workload,
)

# --- eager and dispatch


@workload("eager x + y, 10", "eager")
def eager_add(jax):
    return (lambda x, y: x + y), on_device(jax, floats(10), floats(10))


@workload("eager sin(x) * 2 + y, 1000", "eager")
def eager_chain(jax):
    jnp = numpy_of(jax)
    return (lambda x, y: jnp.sin(x) * 2.0 + y), on_device(
        jax, floats(1000), floats(1000)
    )


@workload("dispatch: one array", "dispatch", cut=(0,))
def dispatch_one(jax):
    return jax.jit(lambda x: x + 1), on_device(jax, floats(10))


@workload("dispatch: a dict of 100 arrays", "dispatch", cut=(0,))
def dispatch_dict(jax):
    f = jax.jit(lambda d: {k: v + 1 for k, v in d.items()})
    return f, on_device(jax, {f"p{i}": floats(10) for i in range(100)})


# --- elementwise chains, rows, their gradients


@workload("elementwise: exp tanh chain, 1M", "elementwise", cut=(0, 1))
def chain(jax):
    jnp = numpy_of(jax)

    def f(x, y):
        return jnp.tanh(jnp.exp(-x * x) + y) * jnp.sqrt(jnp.abs(x) + 1.0)

    return jax.jit(f), on_device(jax, floats(1 << 20), floats(1 << 20, seed=1))


@workload("elementwise: gelu and its gradient, 1M", "elementwise", cut=(0,))
def gelu_grad(jax):
    jnp = numpy_of(jax)
    f = jax.jit(jax.grad(lambda x: jnp.sum(jax.nn.gelu(x))))
    return f, on_device(jax, floats(1 << 20))


@workload("Black-Scholes, 1M, value and delta", "elementwise", cut=(0, 1, 2))
def black_scholes(jax):
    jnp = numpy_of(jax)

    def price(s, k, t):
        r, sigma = 0.03, 0.2
        d1 = (jnp.log(s / k) + (r + sigma * sigma / 2) * t) / (sigma * jnp.sqrt(t))
        d2 = d1 - sigma * jnp.sqrt(t)

        def cdf(x):
            return 0.5 * (1 + jax.lax.erf(x / np.float32(np.sqrt(2))))

        return s * cdf(d1) - k * jnp.exp(-r * t) * cdf(d2)

    def both(s, k, t):
        return price(s, k, t), jax.grad(lambda s: jnp.sum(price(s, k, t)))(s)

    return jax.jit(both), on_device(jax, *options(1 << 20))


def options(n: int) -> list[np.ndarray]:
    """Prices, strikes and times to maturity of n options."""
    return [between(50, 150, n), between(50, 150, n, seed=1), between(0.1, 2, n)]


@workload("softmax 4096x1024", "elementwise", cut=(0,))
def softmax(jax):
    return jax.jit(lambda x: jax.nn.softmax(x, axis=-1)), on_device(
        jax, floats(4096, 1024)
    )


@workload("gradient of log_softmax loss 4096x1024", "elementwise", cut=(0, 1))
def softmax_grad(jax):
    jnp = numpy_of(jax)

    def loss(x, y):
        return -jnp.mean(
            jnp.sum(jax.nn.log_softmax(x) * jax.nn.one_hot(y, 1024), axis=-1)
        )

    return jax.jit(jax.grad(loss)), on_device(
        jax, floats(4096, 1024), labels(4096, 1024)
    )


@workload("layer norm 4096x1024", "elementwise", cut=(0,))
def layer_norm(jax):
    return jax.jit(lambda x, w, b: _layer_norm(jax, x, w, b)), on_device(
        jax, floats(4096, 1024), floats(1024), floats(1024)
    )


def _layer_norm(jax, x, w, b):
    jnp = numpy_of(jax)
    mean = jnp.mean(x, axis=-1, keepdims=True)
    var = jnp.var(x, axis=-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(var + 1e-5) * w + b


@workload("gradient of layer norm 4096x1024", "elementwise", cut=(0,))
def layer_norm_grad(jax):
    jnp = numpy_of(jax)

    def loss(x, w, b):
        return jnp.sum(_layer_norm(jax, x, w, b) ** 2)

    return jax.jit(jax.grad(loss, argnums=(0, 1, 2))), on_device(
        jax, floats(4096, 1024), floats(1024), floats(1024)
    )


@workload("Adam, 20 leaves, 2.6M parameters", "elementwise", cut=(0, 1, 2, 3))
def adam(jax):
    jnp = numpy_of(jax)
    tree = jax.tree.map

    def step(p, m, v, g, t):
        m = tree(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        a, b = 1 - 0.9**t, 1 - 0.999**t
        p = tree(lambda p, m, v: p - 1e-3 * (m / a) / (jnp.sqrt(v / b) + 1e-8), p, m, v)
        return p, m, v

    params = adam_params()
    zeros = [np.zeros_like(p) for p in params]
    return jax.jit(step), on_device(jax, params, zeros, zeros, params, np.float32(3))


def adam_params() -> list[np.ndarray]:
    return [floats(512, 512) if i % 2 else floats(512) for i in range(20)]


@workload("sum over axis 0, 4096x1024", "elementwise", cut=(0,))
def sum_axis0(jax):
    jnp = numpy_of(jax)
    return jax.jit(lambda x: jnp.sum(x, axis=0)), on_device(jax, floats(4096, 1024))


@workload("mean and variance of all, 4M", "elementwise", cut=(0,))
def moments(jax):
    jnp = numpy_of(jax)
    return jax.jit(lambda x: (jnp.mean(x), jnp.var(x))), on_device(jax, floats(1 << 22))


# --- training steps


@drawn
def mlp_params(sizes, seed=0):
    rng = np.random.default_rng(seed)
    return [
        (
            (rng.standard_normal((n, m)) / np.sqrt(n)).astype(np.float32),
            np.zeros(m, np.float32),
        )
        for n, m in itertools.pairwise(sizes)
    ]


def _mlp_loss(jax, params, x, y):
    jnp = numpy_of(jax)
    for w, b in params[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = params[-1]
    logits = jax.nn.log_softmax(x @ w + b)
    return -jnp.mean(jnp.sum(logits * jax.nn.one_hot(y, logits.shape[-1]), axis=-1))


def _sgd(jax, loss):
    def step(params, *batch):
        value, grads = jax.value_and_grad(loss)(params, *batch)
        return jax.tree.map(lambda p, g: p - 0.1 * g, params, grads), value

    return jax.jit(step)


@drawn
def labels(n, k):
    return np.random.default_rng(7).integers(0, k, n).astype(np.int32)


@workload("MLP step, 784-512-512-10, batch 128", "mlp", cut=(1, 2))
def mlp_step(jax):
    step = _sgd(jax, lambda p, x, y: _mlp_loss(jax, p, x, y))
    args = mlp_params((784, 512, 512, 10)), floats(128, 784), labels(128, 10)
    return step, on_device(jax, *args)


@workload("MLP step, 64-128-64-10, batch 32", "mlp", cut=(1, 2))
def mlp_small(jax):
    step = _sgd(jax, lambda p, x, y: _mlp_loss(jax, p, x, y))
    args = mlp_params((64, 128, 64, 10)), floats(32, 64), labels(32, 10)
    return step, on_device(jax, *args)


@drawn
def cnn_params(channels, size, classes):
    rng = np.random.default_rng(0)
    params = {}
    for i, (n, m) in enumerate(itertools.pairwise(channels)):
        scale = 1 / np.sqrt(9 * n)
        params[f"conv{i}"] = (rng.standard_normal((3, 3, n, m)) * scale).astype(
            np.float32
        )
    last = channels[-1] * (size >> (len(channels) - 1)) ** 2
    params["dense"] = (rng.standard_normal((last, classes)) / np.sqrt(last)).astype(
        np.float32
    )
    return params


def _cnn_loss(jax, params, x, y):
    jnp, lax = numpy_of(jax), jax.lax
    i = 0
    while f"conv{i}" in params:
        x = lax.conv_general_dilated(
            x, params[f"conv{i}"], (1, 1), "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )  # fmt: skip
        x = jax.nn.relu(x)
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        i += 1
    logits = jax.nn.log_softmax(x.reshape(x.shape[0], -1) @ params["dense"])
    return -jnp.mean(jnp.sum(logits * jax.nn.one_hot(y, logits.shape[-1]), axis=-1))


@workload("CNN step, 28x28, 1-32-64 channels, batch 64", "conv", cut=(1, 2))
def cnn_step(jax):
    args = cnn_params((1, 32, 64), 28, 10), floats(64, 28, 28, 1), labels(64, 10)
    return cnn_step_of(jax), on_device(jax, *args)


def cnn_step_of(jax):
    return _sgd(jax, lambda p, x, y: _cnn_loss(jax, p, x, y))


@workload("conv step, 32x32, 64 channels, batch 32", "conv", cut=(1,))
def conv_step(jax):
    jnp, lax = numpy_of(jax), jax.lax

    def loss(w, x):
        y = lax.conv_general_dilated(
            x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return jnp.mean(jax.nn.relu(y) ** 2)

    def step(w, x):
        gw, gx = jax.grad(loss, argnums=(0, 1))(w, x)
        return w - 0.1 * gw, gx

    w = floats(3, 3, 64, 64) * np.float32(0.05)
    return jax.jit(step), on_device(jax, w, floats(32, 32, 32, 64))


@workload("depthwise separable conv step, 32x32x64, batch 16", "conv", cut=(1,))
def depthwise_step(jax):
    jnp, lax = numpy_of(jax), jax.lax

    def loss(p, x):
        dims = ("NHWC", "HWIO", "NHWC")
        y = lax.conv_general_dilated(
            x, p[0], (1, 1), "SAME", dimension_numbers=dims, feature_group_count=64
        )
        y = lax.conv_general_dilated(
            jax.nn.relu(y), p[1], (1, 1), "SAME", dimension_numbers=dims
        )
        return jnp.mean(y**2)

    p = [floats(3, 3, 1, 64) * np.float32(0.3), floats(1, 1, 64, 64) * np.float32(0.1)]
    return _sgd(jax, loss), on_device(jax, p, floats(16, 32, 32, 64))


@workload("NCHW conv step, 16x16, 32-64 channels, batch 32", "conv", cut=(1,))
def nchw_step(jax):
    jnp, lax = numpy_of(jax), jax.lax

    def loss(w, x):
        y = lax.conv_general_dilated(
            x, w, (2, 2), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW")
        )
        return jnp.mean(jax.nn.relu(y) ** 2)

    w = floats(64, 32, 3, 3) * np.float32(0.05)
    return _sgd(jax, loss), on_device(jax, w, floats(32, 32, 16, 16))


@workload("conv1d, 1024 long, 64 channels, kernel 9, gradient", "conv", cut=(1,))
def conv1d(jax):
    jnp, lax = numpy_of(jax), jax.lax

    def loss(w, x):
        y = lax.conv_general_dilated(
            x, w, (1,), "SAME", dimension_numbers=("NWC", "WIO", "NWC")
        )
        return jnp.mean(jnp.tanh(y))

    w = floats(9, 64, 64) * np.float32(0.05)
    return _sgd(jax, loss), on_device(jax, w, floats(8, 1024, 64))


@workload("transformer step, 4 layers, width 64", "transformer", cut=(3,), rtol=5e-3)
def transformer_step(jax):
    step, args = transformer.make(jax, numpy_of(jax))
    return jax.jit(step), args


@workload("einsum attention, 8x8x256x64", "attention", cut=(0, 1, 2))
def attention(jax):
    jnp = numpy_of(jax)

    def f(q, k, v):
        s = jnp.einsum("bhqd,bhkd->bhqk", q, k) / np.float32(8)
        return jnp.einsum("bhqk,bhkd->bhqd", jax.nn.softmax(s, axis=-1), v)

    shape = (8, 8, 256, 64)
    args = floats(*shape), floats(*shape, seed=1), floats(*shape, seed=2)
    return jax.jit(f), on_device(jax, *args)


@workload("per-example gradients of an MLP, batch 128", "per-example MLP", cut=(1, 2))
def per_examplemlp_params(jax):
    f = jax.vmap(
        jax.grad(lambda p, x, y: _mlp_loss(jax, p, x, y)), in_axes=(None, 0, 0)
    )
    args = mlp_params((64, 128, 64, 10)), floats(128, 64), labels(128, 10)
    return jax.jit(f), on_device(jax, *args)


@workload("per-example gradients of a CNN, batch 64", "per-example CNN", cut=(1, 2))
def per_examplecnn_params(jax):
    def loss(p, x, y):
        return _cnn_loss(jax, p, x[None], y[None])

    f = jax.jit(jax.vmap(jax.grad(loss), in_axes=(None, 0, 0)))
    args = cnn_params((1, 16, 32), 16, 10), floats(64, 16, 16, 1), labels(64, 10)
    return f, on_device(jax, *args)


@workload("sgemm 512", "products", cut=(0,))
def sgemm(jax):
    return jax.jit(lambda a, b: a @ b), on_device(
        jax, floats(512, 512), floats(512, 512)
    )


@workload("batched 64x (64x64) products", "products", cut=(0, 1))
def batched(jax):
    return jax.jit(lambda a, b: a @ b), on_device(
        jax, floats(64, 64, 64), floats(64, 64, 64)
    )


# --- loops


def _lstm(jax):
    jnp = numpy_of(jax)

    def run(p, xs):
        def cell(carry, x):
            h, c = carry
            z = x @ p["wx"] + h @ p["wh"] + p["b"]
            i, f, g, o = jnp.split(z, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zero = jnp.zeros((xs.shape[1], p["wh"].shape[0]))
        return jax.lax.scan(cell, (zero, zero), xs)[1]

    return run, on_device(jax, lstm_params(), floats(256, 16, 64))


def lstm_params() -> dict[str, np.ndarray]:
    return {
        "wx": floats(64, 256) * np.float32(0.1),
        "wh": floats(64, 256, seed=1) * np.float32(0.1),
        "b": floats(256),
    }


@workload("LSTM, hidden 64, batch 16, 256 steps", "LSTM", cut=(1,))
def lstm(jax):
    run, args = _lstm(jax)
    return jax.jit(run), args


@workload("gradient of the LSTM", "LSTM", cut=(1,))
def lstm_grad(jax):
    jnp = numpy_of(jax)
    run, args = _lstm(jax)
    return jax.jit(jax.grad(lambda p, xs: jnp.mean(run(p, xs) ** 2))), args


@workload("ODE: Lorenz RK4, 10,000 steps of fori_loop", "ODE")
def lorenz(jax):
    jnp = numpy_of(jax)

    def field(s):
        x, y, z = s
        return jnp.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])

    def step(_, s):
        h = 0.001
        k1 = field(s)
        k2 = field(s + h / 2 * k1)
        k3 = field(s + h / 2 * k2)
        k4 = field(s + h * k3)
        return s + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    return jax.jit(lambda s: jax.lax.fori_loop(0, 10_000, step, s)), on_device(
        jax, np.ones(3, np.float32)
    )


@workload("Newton: while under vmap, 10,000 lanes", "ODE", cut=(0,))
def newton(jax):
    jnp = numpy_of(jax)

    def root(a):
        def cond(s):
            x, n = s
            return (jnp.abs(x * x * x - a) > 1e-4 * a) & (n < 100)

        def body(s):
            x, n = s
            return x - (x * x * x - a) / (3 * x * x), n + 1

        return jax.lax.while_loop(cond, body, (a, 0))

    return jax.jit(jax.vmap(root)), on_device(jax, between(1, 100, 10_000))


@workload("switch under vmap, 10,000 lanes", "ODE", cut=(0, 1))
def switch(jax):
    jnp = numpy_of(jax)

    def dear(x):
        return jax.lax.fori_loop(0, 50, lambda i, y: jnp.sin(y) + x, x)

    def f(i, x):
        return jax.lax.switch(i, [lambda x: x, lambda x: x * 2, dear], x)

    i = (labels(10_000, 20) == 0).astype(np.int32) * 2
    return jax.jit(jax.vmap(f)), on_device(jax, i, floats(10_000))


@workload("HMC, 10 dimensions, 100 steps of 10 leaps", "HMC")
def hmc(jax):
    jnp, lax, random = numpy_of(jax), jax.lax, jax.random
    scales = np.linspace(0.5, 2, 10).astype(np.float32)

    def logp(q):
        return -0.5 * jnp.sum((q / scales) ** 2)

    grad = jax.grad(logp)

    def leap(_, state):
        q, p = state
        p = p + 0.05 * grad(q)
        q = q + 0.1 * p
        return q, p + 0.05 * grad(q)

    def step(q, key):
        k1, k2 = random.split(key)
        p = random.normal(k1, q.shape)
        q2, p2 = lax.fori_loop(0, 10, leap, (q, p))
        ratio = logp(q2) - 0.5 * p2 @ p2 - logp(q) + 0.5 * p @ p
        q = jnp.where(jnp.log(random.uniform(k2)) < ratio, q2, q)
        return q, q

    def run(key, q):
        return lax.scan(step, q, random.split(key, 100))[1]

    return jax.jit(run), (random.PRNGKey(0), *on_device(jax, np.ones(10, np.float32)))


@workload("gradient of a 600-step scan over 32 scalars", "scan gradient", cut=(0, 1))
def scan_grad(jax):
    jnp = numpy_of(jax)

    def run(w, x):
        def step(c, _):
            c = jnp.tanh(c * w + jnp.roll(c, 1) * 0.5)
            return c, None

        return jnp.sum(jax.lax.scan(step, x, None, length=600)[0])

    return jax.jit(jax.grad(run)), on_device(jax, floats(32), floats(32, seed=1))


@workload("gradient of a 600-step scan over a tuple of 32 scalars", "scan gradient")
def tuple_scan(jax):
    jnp = numpy_of(jax)

    def run(w, cs):
        def step(cs, _):
            return [
                jnp.tanh(a * w + b * 0.5) for a, b in zip(cs, cs[1:] + cs[:1])
            ], None

        return sum(jax.lax.scan(step, list(cs), None, length=600)[0])

    return jax.jit(jax.grad(run, (0, 1))), on_device(
        jax, floats(1)[0], list(floats(32))
    )


@workload("gradient of a scan of scalar equations, 1000 steps", "scan gradient")
def scalar_scan(jax):
    jnp = numpy_of(jax)

    def run(p):
        def step(s, _):
            x, v = s
            a = -p[0] * jnp.sin(x) - p[1] * v
            v = v + 0.01 * a
            return (x + 0.01 * v, v), x

        _, xs = jax.lax.scan(step, (1.0, 0.0), None, length=1000)
        return jnp.mean(xs**2)

    return jax.jit(jax.grad(run)), on_device(jax, np.array([9.8, 0.1], np.float32))


@workload("N-body, 512 bodies, 10 steps", "N-body", cut=(0, 1, 2))
def n_body(jax):
    jnp = numpy_of(jax)

    def acceleration(x, m):
        d = x[None] - x[:, None]
        r2 = jnp.sum(d * d, axis=-1) + 1e-2
        return jnp.sum(d * (m / (r2 * jnp.sqrt(r2)))[..., None], axis=1)

    def run(x, v, m):
        def step(_, s):
            x, v = s
            v = v + 0.01 * acceleration(x, m)
            return x + 0.01 * v, v

        return jax.lax.fori_loop(0, 10, step, (x, v))

    m = np.abs(floats(512))
    return jax.jit(run), on_device(jax, floats(512, 3), floats(512, 3, seed=1), m)


# --- indexing, sorting, cumulative sums, random numbers


@drawn
def places(n, size):
    return np.random.default_rng(3).integers(0, size, n).astype(np.int32)


@workload("scatter-add, 1M into 10k", "scatter-add", cut=(0, 1))
def scatter_add(jax):
    jnp = numpy_of(jax)

    def f(i, x):
        return jnp.zeros(10_000).at[i].add(x)

    return jax.jit(f), on_device(jax, places(1 << 20, 10_000), floats(1 << 20))


@workload("segment sum of rows, 100k x 16 into 1000", "scatter-add", cut=(0, 1))
def segment_sum(jax):
    def f(x, i):
        return jax.ops.segment_sum(x, i, num_segments=1000)

    return jax.jit(f), on_device(jax, floats(100_000, 16), places(100_000, 1000))


@workload("take, 1M of 1M", "gather", cut=(1,))
def take(jax):
    n = 1 << 20
    return jax.jit(lambda x, i: x[i] * 2), on_device(jax, floats(n), places(n, n))


@workload("embedding and its gradient, 32k x 64, 4096 tokens", "gather", cut=(1,))
def embedding(jax):
    jnp = numpy_of(jax)
    f = jax.jit(jax.grad(lambda e, t: jnp.sum(jnp.tanh(e[t]))))
    return f, on_device(jax, floats(32_000, 64), places(4096, 32_000))


@workload("sort, 1M float32", "sort", cut=(0,))
def sort(jax):
    jnp = numpy_of(jax)
    return jax.jit(lambda x: jnp.sort(x)), on_device(jax, floats(1 << 20))


@workload("argsort, 1M float32", "sort", cut=(0,))
def argsort(jax):
    jnp = numpy_of(jax)
    return jax.jit(lambda x: jnp.argsort(x)), on_device(jax, floats(1 << 20))


@workload("sort rows, 4096 x 256", "sort", cut=(0,))
def sort_rows(jax):
    jnp = numpy_of(jax)
    return jax.jit(lambda x: jnp.sort(x, axis=-1)), on_device(jax, floats(4096, 256))


@workload("top_k 10 of 1000, 1024 rows", "top_k", cut=(0,))
def top_k(jax):
    return jax.jit(lambda x: jax.lax.top_k(x, 10)), on_device(jax, floats(1024, 1000))


@workload("random permutation, 1M", "permutation")
def permutation(jax):
    f = jax.jit(lambda key: jax.random.permutation(key, 1 << 20))
    return f, (jax.random.PRNGKey(0),)


@workload("cumsum, 1M", "cumsum", cut=(0,))
def cumsum(jax):
    jnp = numpy_of(jax)
    return jax.jit(lambda x: jnp.cumsum(x)), on_device(jax, floats(1 << 20))


@workload("cumsum over axis 0, 1024 x 1024", "cumsum", cut=(0,))
def cumsum_axis0(jax):
    jnp = numpy_of(jax)
    return jax.jit(lambda x: jnp.cumsum(x, axis=0)), on_device(jax, floats(1024, 1024))


@workload("random normal, 1M", "random")
def normal(jax):
    f = jax.jit(lambda key: jax.random.normal(key, (1 << 20,)))
    return f, (jax.random.PRNGKey(0),)


@workload("random uniform, bernoulli, 1M each", "random")
def uniform(jax):
    def f(key):
        a, b = jax.random.split(key)
        n = (1 << 20,)
        return jax.random.uniform(a, n), jax.random.bernoulli(b, 0.3, n)

    return jax.jit(f), (jax.random.PRNGKey(0),)


# --- FFT, linear algebra, second order


@workload("FFT, 64 x 4096", "FFT", cut=(0,))
def fft(jax):
    jnp = numpy_of(jax)
    return jax.jit(lambda x: jnp.abs(jnp.fft.fft(x))), on_device(jax, floats(64, 4096))


@drawn
def positive(*shape: int) -> np.ndarray:
    """Positive definite matrices: shape (..., n) gives (..., n, n)."""
    n = shape[-1]
    a = floats(*shape, n)
    return a @ a.swapaxes(-1, -2) + n * np.eye(n, dtype=np.float32)


@workload("Cholesky solve, 64 x (32 x 32)", "linear algebra", cut=(0, 1))
def cholesky_batched(jax):
    jnp = numpy_of(jax)

    def f(a, b):
        c = jnp.linalg.cholesky(a)
        y = jax.lax.linalg.triangular_solve(c, b, left_side=True, lower=True)
        return jax.lax.linalg.triangular_solve(
            c, y, left_side=True, lower=True, transpose_a=True
        )

    return jax.jit(f), on_device(jax, positive(64, 32), floats(64, 32, 4))


@workload("Cholesky solve, 512, and its gradient", "linear algebra")
def cholesky_large(jax):
    jnp = numpy_of(jax)

    def f(a, b):
        c = jnp.linalg.cholesky(a)
        y = jax.lax.linalg.triangular_solve(c, b, left_side=True, lower=True)
        return jnp.sum(y * y) + jnp.sum(jnp.log(jnp.diagonal(c)))

    return jax.jit(jax.grad(f)), on_device(jax, positive(512), floats(512, 8))


@workload("solve, 256 x 256", "linear algebra")
def solve(jax):
    jnp = numpy_of(jax)
    a = floats(256, 256) + 16 * np.eye(256, dtype=np.float32)
    return jax.jit(jnp.linalg.solve), on_device(jax, a, floats(256, 4))


@workload("Hessian of an MLP of 30 inputs", "Hessian")
def hessian(jax):
    jnp = numpy_of(jax)
    params = on_device(jax, mlp_params((30, 64, 64, 1)))[0]

    def f(x):
        for w, b in params:
            x = jnp.tanh(x @ w + b)
        return jnp.sum(x)

    return jax.jit(jax.hessian(f)), on_device(jax, floats(30))
