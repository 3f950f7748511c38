"""More benchmark programs: eager operations, norms, wide models, memory, loops.

Registered beside those of workloads.py.
"""

from __future__ import annotations

import numpy as np

from tests.benchmarks import transformer
from tests.benchmarks.registry import floats, numpy_of, on_device, workload
from tests.benchmarks.workloads import cnn_params, cnn_step_of, labels

# --- eager operations: no jit


@workload("eager x * 2.0, 10", "eager")
def eager_scale(jax):
    return (lambda x: x * 2.0), on_device(jax, floats(10))


@workload("eager jnp.sin(x), 10", "eager")
def eager_sin(jax):
    jnp = numpy_of(jax)
    return (lambda x: jnp.sin(x)), on_device(jax, floats(10))


@workload("eager x[2:5], 10", "eager")
def eager_slice(jax):
    return (lambda x: x[2:5]), on_device(jax, floats(10))


@workload("eager jnp.sum(x, axis=0), 10x10", "eager")
def eager_sum(jax):
    jnp = numpy_of(jax)
    return (lambda x: jnp.sum(x, axis=0)), on_device(jax, floats(10, 10))


@workload("eager x @ y, 10x10", "eager")
def eager_product(jax):
    return (lambda x, y: x @ y), on_device(jax, floats(10, 10), floats(10, 10))


@workload("eager gradient of a sum of squares, 10", "eager")
def eager_gradient(jax):
    jnp = numpy_of(jax)
    return jax.grad(lambda x: jnp.sum(x * x)), on_device(jax, floats(10))


@workload("dispatch: three arrays", "dispatch", cut=(0, 1, 2))
def dispatch_three(jax):
    f = jax.jit(lambda x, y, z: x + y * z)
    return f, on_device(jax, floats(10), floats(10), floats(10))


@workload("tracing a transformer's step", "tracing")
def tracing(jax):
    step, args = transformer.make(jax, numpy_of(jax))

    def trace():
        jax.clear_caches()
        return len(jax.make_jaxpr(step)(*args).jaxpr.outvars)

    return trace, ()


# --- norms and losses


@workload("logsumexp 4096x1024", "elementwise", cut=(0,))
def logsumexp(jax):
    f = jax.jit(lambda x: jax.nn.logsumexp(x, axis=-1))
    return f, on_device(jax, floats(4096, 1024))


@workload("RMS norm and its gradient, 4096x1024", "elementwise", cut=(0,))
def rms_norm(jax):
    jnp = numpy_of(jax)

    def loss(x, w):
        y = x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6) * w
        return jnp.sum(y**3)

    return jax.jit(jax.value_and_grad(loss, argnums=(0, 1))), on_device(
        jax, floats(4096, 1024), floats(1024)
    )


@workload(
    "cross entropy of labels and its gradient, 4096x1024", "elementwise", cut=(0, 1)
)
def cross_entropy(jax):
    jnp = numpy_of(jax)

    def loss(x, y):
        logp = jax.nn.log_softmax(x, axis=-1)
        return -jnp.mean(jnp.take_along_axis(logp, y[:, None], axis=-1))

    y = (np.arange(4096) * 7919 % 1024).astype(np.int32)
    return jax.jit(jax.value_and_grad(loss)), on_device(jax, floats(4096, 1024), y)


@workload("elementwise in float16: gelu, 1M", "elementwise", cut=(0, 1), rtol=2e-2)
def half(jax):
    f = jax.jit(lambda x, y: jax.nn.gelu(x * y) + x)
    x = floats(1 << 20).astype(np.float16)
    return f, on_device(jax, x, x[::-1].copy())


# --- wide: arithmetic, not overhead


@workload("elementwise: exp tanh chain, 16M", "elementwise", cut=(0,))
def wide_chain(jax):
    jnp = numpy_of(jax)
    f = jax.jit(lambda x: jnp.tanh(jnp.exp(-x * x) + x) * jnp.sqrt(jnp.abs(x) + 1.0))
    return f, on_device(jax, floats(1 << 24))


@workload("sgemm 2048", "products", cut=(0,))
def wide_product(jax):
    n = 2048
    return jax.jit(lambda a, b: a @ b), on_device(jax, floats(n, n), floats(n, n))


@workload("MLP step, 1024-2048-2048-1024, batch 256", "mlp", cut=(1,))
def wide_mlp(jax):
    jnp = numpy_of(jax)

    def loss(params, x):
        y = x
        for w in params:
            y = jnp.tanh(y @ w)
        return jnp.mean((y - x) ** 2)

    def step(params, x):
        value, grads = jax.value_and_grad(loss)(params, x)
        return [p - 0.1 * g for p, g in zip(params, grads)], value

    return jax.jit(step), on_device(jax, wide_mlp_params(), floats(256, 1024))


def wide_mlp_params() -> list[np.ndarray]:
    scale = np.float32(0.02)
    return [scale * floats(*s) for s in ((1024, 2048), (2048, 2048), (2048, 1024))]


@workload(
    "transformer step, 2 layers, width 256, 8x128 tokens",
    "transformer",
    cut=(3,),
    rtol=5e-3,
)
def wide_transformer(jax):
    step, args = transformer.make(jax, numpy_of(jax), WIDE)
    return jax.jit(step), args


WIDE = transformer.Size(layers=2, heads=8, width=256, vocab=512, length=128, batch=8)


@workload("CNN step, 64x64, 3-32-64-128 channels, batch 16", "conv", cut=(1, 2))
def wide_cnn(jax):
    args = cnn_params((3, 32, 64, 128), 64, 10), floats(16, 64, 64, 3), labels(16, 10)
    return cnn_step_of(jax), on_device(jax, *args)


# --- memory: many large intermediate values


@workload(
    "memory: gradient of 12 unrolled steps of a wave, 2048x1024", "memory", cut=(0,)
)
def wave(jax):
    jnp = numpy_of(jax)

    def run(u):
        v = jnp.zeros_like(u)
        for _ in range(12):
            force = jnp.roll(u, 1, 0) + jnp.roll(u, -1, 0) - 2 * jnp.sin(u)
            v = v + 0.1 * force
            u = u + 0.1 * v
        return jnp.sum(u * u)

    return jax.jit(jax.grad(run)), on_device(jax, floats(2048, 1024))


@workload(
    "memory: 24-layer MLP with residuals, width 256, batch 2048", "memory", cut=(1,)
)
def deep_mlp(jax):
    jnp = numpy_of(jax)

    def loss(params, x):
        for w in params:
            x = x + jax.nn.gelu(x @ w)
        return jnp.mean(x * x)

    return jax.jit(jax.grad(loss)), on_device(jax, deep_params(), floats(2048, 256))


def deep_params() -> list[np.ndarray]:
    return [floats(256, 256, seed=i) * np.float32(0.02) for i in range(24)]


@workload("in place: 1000 rows written by fori_loop, 1000x1024", "loops", cut=())
def rows(jax):
    jnp, lax = numpy_of(jax), jax.lax

    def f(x):
        def body(i, table):
            return table.at[i].set(jnp.sin(x + i))

        return lax.fori_loop(0, 1000, body, jnp.zeros((1000, 1024)))

    return jax.jit(f), on_device(jax, floats(1024))


@workload("associative scan of a linear recurrence, 4096 x 64", "loops", cut=(0, 1))
def recurrence(jax):
    def combine(a, b):
        return a[0] * b[0], b[0] * a[1] + b[1]

    def f(a, b):
        return jax.lax.associative_scan(combine, (a, b))[1]

    a = np.tanh(floats(4096, 64))
    return jax.jit(f), on_device(jax, a, floats(4096, 64, seed=1))
