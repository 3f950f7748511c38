"""The benchmark programs as a PyTorch user would write them, on the same numbers.

`TORCH[name](compiled)` gives (function, arguments), or those and a function from the
results to arrays in the JAX program's order and layout. `compiled` is torch.compile, or
the identity for eager. What has no counterpart in PyTorch, or would be thousands of
tiny eager operations (loops of scalars), is left out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from tests.benchmarks import transformer, workloads, workloads_wide
from tests.benchmarks.registry import floats, leaves
from tests.benchmarks.workloads import cnn_params, labels, mlp_params, options, places

TORCH: dict[str, Callable] = {}


def program(name: str):
    def register(make):
        TORCH[name] = make
        return make

    return register


def tensors(*arrays, grad: bool = False):
    """Nested arrays as tensors; floats ask for gradients, where wanted."""

    def convert(a):
        if isinstance(a, dict):
            return {k: convert(v) for k, v in a.items()}
        if isinstance(a, (list, tuple)):
            return [convert(v) for v in a]
        t = torch.from_numpy(np.array(a))
        if t.dtype is torch.int32:
            t = t.long()
        return t.requires_grad_() if grad and t.is_floating_point() else t

    return tuple(convert(a) for a in arrays)


def simple(name: str, function: Callable, *arrays: Callable[[], np.ndarray]) -> None:
    """A program of one function of tensors that need no gradient."""
    TORCH[name] = lambda compiled: (compiled(function), tensors(*[a() for a in arrays]))


def normal(*shape: int, seed: int = 0) -> Callable[[], np.ndarray]:
    return lambda: floats(*shape, seed=seed)


def gradients(value, params):
    return torch.autograd.grad(value, leaves(params))


def sgd(compiled, loss):
    """step(params, *batch) -> (new parameters, loss): loss and update compiled."""
    loss = compiled(loss)

    @compiled
    def update(params, grads):
        return [p - 0.1 * g for p, g in zip(params, grads)]

    def step(params, *batch):
        value = loss(params, *batch)
        grads = gradients(value, params)
        with torch.no_grad():
            return update(leaves(params), grads), value

    return step


def gradient_of(compiled, loss, which=None):
    """The gradients of a loss with respect to the arguments `which` (None: all)."""
    loss = compiled(loss)

    def f(*args):
        wanted = args if which is None else [args[i] for i in which]
        return gradients(loss(*args), list(wanted))

    return f


# --- eager and dispatch

simple("eager x + y, 10", lambda x, y: x + y, normal(10), normal(10))
simple(
    "eager sin(x) * 2 + y, 1000",
    lambda x, y: torch.sin(x) * 2.0 + y, normal(1000), normal(1000),
)  # fmt: skip
simple("eager x * 2.0, 10", lambda x: x * 2.0, normal(10))
simple("eager jnp.sin(x), 10", lambda x: torch.sin(x), normal(10))
simple("eager x[2:5], 10", lambda x: x[2:5], normal(10))
simple("eager jnp.sum(x, axis=0), 10x10", lambda x: torch.sum(x, 0), normal(10, 10))
simple("eager x @ y, 10x10", lambda x, y: x @ y, normal(10, 10), normal(10, 10))
simple("dispatch: one array", lambda x: x + 1, normal(10))
simple(
    "dispatch: three arrays",
    lambda x, y, z: x + y * z, normal(10), normal(10), normal(10),
)  # fmt: skip


@program("eager gradient of a sum of squares, 10")
def eager_gradient(compiled):
    f = gradient_of(compiled, lambda x: torch.sum(x * x))
    return f, tensors(floats(10), grad=True), lambda out: out[0]


@program("dispatch: a dict of 100 arrays")
def dispatch_dict(compiled):
    f = compiled(lambda d: {k: v + 1 for k, v in d.items()})
    return f, tensors({f"p{i}": floats(10) for i in range(100)})


# --- elementwise chains, rows, their gradients

simple(
    "elementwise: exp tanh chain, 1M",
    lambda x, y: torch.tanh(torch.exp(-x * x) + y) * torch.sqrt(torch.abs(x) + 1.0),
    normal(1 << 20), normal(1 << 20, seed=1),
)  # fmt: skip
simple(
    "elementwise: exp tanh chain, 16M",
    lambda x: torch.tanh(torch.exp(-x * x) + x) * torch.sqrt(torch.abs(x) + 1.0),
    normal(1 << 24),
)
simple(
    "elementwise in float16: gelu, 1M",
    lambda x, y: F.gelu(x * y, approximate="tanh") + x,
    lambda: floats(1 << 20).astype(np.float16),
    lambda: floats(1 << 20).astype(np.float16)[::-1].copy(),
)
simple("softmax 4096x1024", lambda x: torch.softmax(x, -1), normal(4096, 1024))
simple("logsumexp 4096x1024", lambda x: torch.logsumexp(x, -1), normal(4096, 1024))
simple(
    "layer norm 4096x1024",
    lambda x, w, b: F.layer_norm(x, (1024,), w, b),
    normal(4096, 1024), normal(1024), normal(1024),
)  # fmt: skip
simple("sum over axis 0, 4096x1024", lambda x: torch.sum(x, 0), normal(4096, 1024))
simple(
    "mean and variance of all, 4M",
    lambda x: (torch.mean(x), torch.var(x, correction=0)), normal(1 << 22),
)  # fmt: skip


@program("elementwise: gelu and its gradient, 1M")
def gelu_grad(compiled):
    f = gradient_of(compiled, lambda x: torch.sum(F.gelu(x, approximate="tanh")))
    return f, tensors(floats(1 << 20), grad=True), lambda out: out[0]


@program("Black-Scholes, 1M, value and delta")
def black_scholes(compiled):
    r, sigma = 0.03, 0.2

    @compiled
    def price(s, k, t):
        d1 = (torch.log(s / k) + (r + sigma * sigma / 2) * t) / (sigma * torch.sqrt(t))
        d2 = d1 - sigma * torch.sqrt(t)

        def cdf(x):
            return 0.5 * (1 + torch.erf(x / 2**0.5))

        return s * cdf(d1) - k * torch.exp(-r * t) * cdf(d2)

    def both(s, k, t):
        value = price(s, k, t)
        return value.detach(), torch.autograd.grad(value.sum(), s)[0]

    s, k, t = tensors(*options(1 << 20))
    return both, (s.requires_grad_(), k, t)


def one_hot_loss(logits, y):
    return F.nll_loss(F.log_softmax(logits, -1), y)


@program("gradient of log_softmax loss 4096x1024")
def softmax_grad(compiled):
    f = gradient_of(compiled, one_hot_loss, [0])
    args = tensors(floats(4096, 1024), labels(4096, 1024), grad=True)
    return f, args, lambda out: out[0]


@program("cross entropy of labels and its gradient, 4096x1024")
def cross_entropy(compiled):
    loss = compiled(F.cross_entropy)

    def f(x, y):
        value = loss(x, y)
        return value, *torch.autograd.grad(value, x)

    y = (np.arange(4096) * 7919 % 1024).astype(np.int32)
    return f, tensors(floats(4096, 1024), y, grad=True)


@program("gradient of layer norm 4096x1024")
def layer_norm_grad(compiled):
    def loss(x, w, b):
        return torch.sum(F.layer_norm(x, (1024,), w, b) ** 2)

    args = tensors(floats(4096, 1024), floats(1024), floats(1024), grad=True)
    return gradient_of(compiled, loss), args


@program("RMS norm and its gradient, 4096x1024")
def rms_norm(compiled):
    @compiled
    def loss(x, w):
        return torch.sum(F.rms_norm(x, (1024,), w, 1e-6) ** 3)

    def f(x, w):
        value = loss(x, w)
        return value, torch.autograd.grad(value, (x, w))

    return f, tensors(floats(4096, 1024), floats(1024), grad=True)


@program("Adam, 20 leaves, 2.6M parameters")
def adam(compiled):
    @compiled
    def step(p, m, v, g, t):
        a, b = 1 - 0.9**t, 1 - 0.999**t
        m = [0.9 * m + 0.1 * g for m, g in zip(m, g)]
        v = [0.999 * v + 0.001 * g * g for v, g in zip(v, g)]
        p = [
            p - 1e-3 * (m / a) / (torch.sqrt(v / b) + 1e-8) for p, m, v in zip(p, m, v)
        ]
        return p, m, v

    params = workloads.adam_params()
    zeros = [np.zeros_like(p) for p in params]
    return step, tensors(params, zeros, zeros, params, np.float32(3))


# --- training steps


def mlp_loss(params, x, y):
    for w, b in params[:-1]:
        x = torch.relu(x @ w + b)
    w, b = params[-1]
    return one_hot_loss(x @ w + b, y)


def mlp_step(name: str, sizes, batch: int) -> None:
    def make(compiled):
        (params,) = tensors(mlp_params(sizes), grad=True)
        x, y = tensors(floats(batch, sizes[0]), labels(batch, sizes[-1]))
        return sgd(compiled, mlp_loss), (params, x, y)

    TORCH[name] = make


mlp_step("MLP step, 784-512-512-10, batch 128", (784, 512, 512, 10), 128)
mlp_step("MLP step, 64-128-64-10, batch 32", (64, 128, 64, 10), 32)


@program("MLP step, 1024-2048-2048-1024, batch 256")
def wide_mlp(compiled):
    def loss(params, x):
        y = x
        for w in params:
            y = torch.tanh(y @ w)
        return torch.mean((y - x) ** 2)

    (params,) = tensors(workloads_wide.wide_mlp_params(), grad=True)
    return sgd(compiled, loss), (params, *tensors(floats(256, 1024)))


@program("memory: 24-layer MLP with residuals, width 256, batch 2048")
def deep_mlp(compiled):
    def loss(params, x):
        for w in params:
            x = x + F.gelu(x @ w, approximate="tanh")
        return torch.mean(x * x)

    loss = compiled(loss)
    (params,) = tensors(workloads_wide.deep_params(), grad=True)
    x = tensors(floats(2048, 256))[0]
    return (lambda p, x: gradients(loss(p, x), p)), (params, x)


@program("memory: gradient of 12 unrolled steps of a wave, 2048x1024")
def wave(compiled):
    def run(u):
        v = torch.zeros_like(u)
        for _ in range(12):
            force = torch.roll(u, 1, 0) + torch.roll(u, -1, 0) - 2 * torch.sin(u)
            v = v + 0.1 * force
            u = u + 0.1 * v
        return torch.sum(u * u)

    f = gradient_of(compiled, run)
    return f, tensors(floats(2048, 1024), grad=True), lambda out: out[0]


def nchw(x: np.ndarray):
    """An NHWC image as PyTorch's NCHW, in its channels-last layout."""
    return torch.from_numpy(x).permute(0, 3, 1, 2)


def oihw(w: np.ndarray):
    """A kernel HWIO as PyTorch's OIHW."""
    return torch.from_numpy(np.ascontiguousarray(w.transpose(3, 2, 0, 1)))


def hwio(w) -> np.ndarray:
    return w.detach().numpy().transpose(2, 3, 1, 0)


def same_pad(x, w):
    return F.conv2d(x, w, padding="same", groups=x.shape[1] // w.shape[1])


def cnn_tensors(arrays: dict):
    params = {k: oihw(v) for k, v in arrays.items() if k != "dense"}
    params["dense"] = torch.from_numpy(arrays["dense"])
    return {k: v.requires_grad_() for k, v in params.items()}


def cnn_loss(params, x, y):
    i = 0
    while f"conv{i}" in params:
        x = F.max_pool2d(torch.relu(same_pad(x, params[f"conv{i}"])), 2)
        i += 1
    x = x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)
    return one_hot_loss(x @ params["dense"], y)


def cnn_step(name: str, channels, size: int, batch: int) -> None:
    def make(compiled):
        params = cnn_tensors(cnn_params(channels, size, 10))
        x = nchw(floats(batch, size, size, channels[0]))
        step = sgd(compiled, cnn_loss)

        def convert(out):
            (*convs, dense), value = out
            return [*map(hwio, convs), dense, value]

        return step, (params, x, *tensors(labels(batch, 10))), convert

    TORCH[name] = make


cnn_step("CNN step, 28x28, 1-32-64 channels, batch 64", (1, 32, 64), 28, 64)
cnn_step("CNN step, 64x64, 3-32-64-128 channels, batch 16", (3, 32, 64, 128), 64, 16)


@program("conv step, 32x32, 64 channels, batch 32")
def conv_step(compiled):
    loss = compiled(lambda w, x: torch.mean(torch.relu(same_pad(x, w)) ** 2))

    def step(w, x):
        gw, gx = torch.autograd.grad(loss(w, x), (w, x))
        with torch.no_grad():
            return w - 0.1 * gw, gx

    w = oihw(floats(3, 3, 64, 64) * np.float32(0.05)).requires_grad_()
    x = nchw(floats(32, 32, 32, 64)).requires_grad_()
    return step, (w, x), lambda out: [hwio(out[0]), out[1].permute(0, 2, 3, 1)]


@program("depthwise separable conv step, 32x32x64, batch 16")
def depthwise_step(compiled):
    def loss(p, x):
        return torch.mean(same_pad(torch.relu(same_pad(x, p[0])), p[1]) ** 2)

    arrays = floats(3, 3, 1, 64) * np.float32(0.3), floats(1, 1, 64, 64) * 0.1
    p = [oihw(w.astype(np.float32)).requires_grad_() for w in arrays]
    step = sgd(compiled, loss)
    x = nchw(floats(16, 32, 32, 64))
    return step, (p, x), lambda out: [*map(hwio, out[0]), out[1]]


@program("NCHW conv step, 16x16, 32-64 channels, batch 32")
def nchw_step(compiled):
    def loss(w, x):
        # JAX's SAME with stride 2 on an even size pads behind only
        y = F.conv2d(F.pad(x, (0, 1, 0, 1)), w, stride=2)
        return torch.mean(torch.relu(y) ** 2)

    w = floats(64, 32, 3, 3) * np.float32(0.05)
    (p,) = tensors([w], grad=True)
    args = p, *tensors(floats(32, 32, 16, 16))
    return sgd(lambda f: compiled(f), lambda p, x: loss(p[0], x)), args


@program("conv1d, 1024 long, 64 channels, kernel 9, gradient")
def conv1d(compiled):
    def loss(p, x):
        return torch.mean(torch.tanh(F.conv1d(x, p[0], padding="same")))

    w = (floats(9, 64, 64) * np.float32(0.05)).transpose(2, 1, 0)
    (p,) = tensors([np.ascontiguousarray(w)], grad=True)
    x = tensors(np.ascontiguousarray(floats(8, 1024, 64).transpose(0, 2, 1)))
    return (
        sgd(compiled, loss),
        (p, *x),
        lambda out: [out[0][0].permute(2, 1, 0), out[1]],
    )


def transformer_step(name: str, size: transformer.Size) -> None:
    heads = size.heads

    def norm(x, scale):
        return F.layer_norm(x, (size.width,), scale, eps=1e-5)

    def attention(p, x):
        b, t, d = x.shape
        q, k, v = (
            a.reshape(b, t, heads, d // heads).transpose(1, 2)
            for a in (x @ p["qkv"]).chunk(3, -1)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return mixed.transpose(1, 2).reshape(b, t, d) @ p["out"]

    def loss(params, tokens):
        x = params["embed"][tokens[:, :-1]] + params["position"]
        for p in params["layers"]:
            x = x + attention(p, norm(x, p["norm1"]))
            hidden = F.gelu(norm(x, p["norm2"]) @ p["up"], approximate="tanh")
            x = x + hidden @ p["down"]
        logits = norm(x, params["norm"]) @ params["head"]
        return F.cross_entropy(
            logits.reshape(-1, size.vocab), tokens[:, 1:].reshape(-1)
        )

    def make(compiled):
        compiled_loss = compiled(loss)

        @compiled
        def update(params, m, v, grads):
            m = [0.9 * a + 0.1 * g for a, g in zip(m, grads)]
            v = [0.999 * a + 0.001 * g * g for a, g in zip(v, grads)]
            new = [
                p - 1e-3 * a / (torch.sqrt(b) + 1e-8) for p, a, b in zip(params, m, v)
            ]
            return new, m, v

        def step(params, m, v, tokens):
            value = compiled_loss(params, tokens)
            grads = gradients(value, params)
            with torch.no_grad():
                return *update(leaves(params), m, v, grads), value

        (params,) = tensors(transformer.init(size), grad=True)
        zeros = [torch.zeros_like(p) for p in leaves(params)]
        return step, (params, zeros, zeros, *tensors(transformer.draw_tokens(size)))

    TORCH[name] = make


transformer_step("transformer step, 4 layers, width 64", transformer.Size())
transformer_step(
    "transformer step, 2 layers, width 256, 8x128 tokens", workloads_wide.WIDE
)


def attend(q, k, v):
    scores = torch.einsum("bhqd,bhkd->bhqk", q, k) / 8
    return torch.einsum("bhqk,bhkd->bhqd", torch.softmax(scores, -1), v)


simple(
    "einsum attention, 8x8x256x64",
    attend,
    *(normal(8, 8, 256, 64, seed=i) for i in range(3)),
)


@program("per-example gradients of an MLP, batch 128")
def per_example_mlp(compiled):
    def one(params, x, y):
        return mlp_loss(params, x[None], y[None])

    f = torch.func.vmap(torch.func.grad(one), in_dims=(None, 0, 0))
    args = tensors(
        mlp_params((64, 128, 64, 10)), floats(128, 64), labels(128, 10)
    )  # fmt: skip
    return compiled(f), args


@program("per-example gradients of a CNN, batch 64")
def per_example_cnn(compiled):
    def one(params, x, y):
        return cnn_loss(params, x[None], y[None])

    f = torch.func.vmap(torch.func.grad(one), in_dims=(None, 0, 0))
    params = cnn_tensors(cnn_params((1, 16, 32), 16, 10))
    params = {k: v.detach() for k, v in params.items()}

    def convert(out):
        convs = [out[k].permute(0, 3, 4, 2, 1) for k in ("conv0", "conv1")]
        return [*convs, out["dense"]]

    x = nchw(floats(64, 16, 16, 1))
    return compiled(f), (params, x, *tensors(labels(64, 10))), convert


def product(x, y):
    return x @ y


simple("sgemm 512", product, normal(512, 512), normal(512, 512))
simple("sgemm 2048", product, normal(2048, 2048), normal(2048, 2048))
simple("batched 64x (64x64) products", product, normal(64, 64, 64), normal(64, 64, 64))


# --- loops


def lstm_of(compiled):
    layer = torch.nn.LSTM(64, 64)
    arrays = workloads.lstm_params()
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.from_numpy(arrays["wx"].T))
        layer.weight_hh_l0.copy_(torch.from_numpy(arrays["wh"].T))
        layer.bias_ih_l0.copy_(torch.from_numpy(arrays["b"]))
        layer.bias_hh_l0.zero_()
    return layer, compiled(lambda xs: layer(xs)[0])


@program("LSTM, hidden 64, batch 16, 256 steps")
def lstm(compiled):
    _, run = lstm_of(compiled)

    def f(xs):
        with torch.no_grad():
            return run(xs)

    return f, tensors(floats(256, 16, 64))


@program("gradient of the LSTM")
def lstm_grad(compiled):
    layer, run = lstm_of(compiled)
    params = [layer.bias_ih_l0, layer.weight_hh_l0, layer.weight_ih_l0]

    def convert(out):
        return [out[0], out[1].T, out[2].T]

    return (
        lambda xs: torch.autograd.grad((run(xs) ** 2).mean(), params),
        tensors(floats(256, 16, 64)),
        convert,
    )


@program("N-body, 512 bodies, 10 steps")
def n_body(compiled):
    def acceleration(x, m):
        d = x[None] - x[:, None]
        r2 = torch.sum(d * d, -1) + 1e-2
        return torch.sum(d * (m / (r2 * torch.sqrt(r2)))[..., None], 1)

    @compiled
    def step(x, v, m):
        v = v + 0.01 * acceleration(x, m)
        return x + 0.01 * v, v

    def run(x, v, m):
        for _ in range(10):
            x, v = step(x, v, m)
        return x, v

    return run, tensors(floats(512, 3), floats(512, 3, seed=1), np.abs(floats(512)))


# --- indexing, sorting, cumulative sums, random numbers


def places_of(n: int, size: int) -> Callable[[], np.ndarray]:
    return lambda: places(n, size)


M = 1 << 20
simple(
    "scatter-add, 1M into 10k",
    lambda i, x: torch.zeros(10_000).index_add_(0, i, x),
    places_of(M, 10_000),
    normal(M),
)
simple(
    "segment sum of rows, 100k x 16 into 1000",
    lambda x, i: torch.zeros(1000, 16).index_add_(0, i, x),
    normal(100_000, 16), places_of(100_000, 1000),
)  # fmt: skip
simple("take, 1M of 1M", lambda x, i: x[i] * 2, normal(M), places_of(M, M))


@program("embedding and its gradient, 32k x 64, 4096 tokens")
def embedding(compiled):
    f = gradient_of(
        compiled, lambda e, t: torch.sum(torch.tanh(F.embedding(t, e))), [0]
    )
    args = tensors(floats(32_000, 64), places(4096, 32_000), grad=True)
    return f, args, lambda out: out[0]


simple("sort, 1M float32", lambda x: torch.sort(x).values, normal(M))
simple("argsort, 1M float32", lambda x: torch.argsort(x, stable=True), normal(M))
simple("sort rows, 4096 x 256", lambda x: torch.sort(x, -1).values, normal(4096, 256))
simple("top_k 10 of 1000, 1024 rows", lambda x: torch.topk(x, 10), normal(1024, 1000))
simple("random permutation, 1M", lambda: torch.randperm(M))
simple("cumsum, 1M", lambda x: torch.cumsum(x, 0), normal(M))
simple(
    "cumsum over axis 0, 1024 x 1024", lambda x: torch.cumsum(x, 0), normal(1024, 1024)
)
simple("random normal, 1M", lambda: torch.randn(M))
simple(
    "random uniform, bernoulli, 1M each",
    lambda: (torch.rand(M), torch.rand(M) < 0.3),
)

# --- FFT, linear algebra, second order

simple("FFT, 64 x 4096", lambda x: torch.abs(torch.fft.fft(x)), normal(64, 4096))


@program("Cholesky solve, 64 x (32 x 32)")
def cholesky_batched(compiled):
    f = compiled(lambda a, b: torch.cholesky_solve(b, torch.linalg.cholesky(a)))
    return f, tensors(workloads.positive(64, 32), floats(64, 32, 4))


@program("Cholesky solve, 512, and its gradient")
def cholesky_large(compiled):
    def f(a, b):
        c = torch.linalg.cholesky(a)
        y = torch.linalg.solve_triangular(c, b, upper=False)
        return torch.sum(y * y) + torch.sum(torch.log(torch.diagonal(c)))

    args = tensors(workloads.positive(512), floats(512, 8), grad=True)
    return gradient_of(compiled, f, [0]), args, lambda out: out[0]


@program("solve, 256 x 256")
def solve(compiled):
    a = floats(256, 256) + 16 * np.eye(256, dtype=np.float32)
    return compiled(torch.linalg.solve), tensors(a, floats(256, 4))


@program("Hessian of an MLP of 30 inputs")
def hessian(compiled):
    (params,) = tensors(mlp_params((30, 64, 64, 1)))

    def f(x):
        for w, b in params:
            x = torch.tanh(x @ w + b)
        return torch.sum(x)

    return compiled(torch.func.hessian(f)), tensors(floats(30))
