"""gather, scatter and dynamic slices run natively, and as the reference does."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.backends.numba.program import Program
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.core.array import to_buffer
from jaxlike.core.config import enable_x64
from jaxlike.core.jaxpr import ClosedJaxpr, evaluate_jaxpr
from jaxlike.nn import log_softmax
from jaxlike.ops import segment_max, segment_sum
from jaxlike.transforms.make_jaxpr import make_jaxpr
from tests.primitives.case import assert_close

CALLED = ("scan", "while", "iota", "squeeze")

F32, I32 = np.dtype(np.float32), np.dtype(np.int32)
BF16 = np.dtype(ml_dtypes.bfloat16)
PAYLOADS = [F32, BF16, *map(np.dtype, ("f8", "f2", "?", "i1", "u8", "i4", "c8", "c16"))]
INDICES = [I32, *map(np.dtype, ("i8", "u8", "i1", "u1", "i2", "u4"))]
MODES = ("clip", "fill", "promise_in_bounds")


def run(fun, *args, kernels: int | None = None) -> Program:
    """Compile; compare with the reference; no equation runs by itself. kernels: how
    many there are."""
    with enable_x64(True):
        closed = make_jaxpr(fun)(*args)
        closed = ClosedJaxpr(closed.jaxpr, [to_buffer(c) for c in closed.consts])
        want = evaluate_jaxpr(closed.jaxpr, closed.consts, *args)
        program = Program(closed, "indexing")
        for _ in range(2):
            for ours, theirs in zip(program(list(args)), want, strict=True):
                assert ours.dtype == theirs.dtype
                assert_close(ours, theirs, 2e-5, 2e-5)
    calls = [s for s in program.memory.steps if not isinstance(s, Lowered)]
    assert not any(s.primitive.name not in CALLED for s in calls), program.as_text()
    if kernels is not None:
        assert len(program.kernels) == kernels, program.as_text()
    return program


def payload(rng, dtype, shape) -> np.ndarray:
    x = rng.integers(-9, 10, shape) / 2
    if dtype.kind == "c":
        return (x + 1j * rng.integers(-9, 10, shape)).astype(dtype)
    return x.astype(dtype) if dtype.kind != "u" else np.abs(x).astype(dtype)


def starts(rng, dtype, shape, high: int) -> np.ndarray:
    """Start indices, some out of bounds, the extreme ones of the dtype among them."""
    low = 0 if dtype.kind == "u" else -2
    x = rng.integers(low, high + 3, shape).astype(dtype)
    ends = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
    return np.where(rng.integers(0, 8, shape) == 0, rng.choice(ends, shape), x)


def random_layout(rng):
    """(operand's shape, shape of the indices, numbers, window) of a gather."""
    rank = int(rng.integers(1, 5))
    shape = rng.integers(1, 5, rank).tolist()
    roles = rng.choice(["whole", "part", "collapsed", "batch"], rank)
    batch = [d for d in range(rank) if roles[d] == "batch"]
    collapsed = [d for d in range(rank) if roles[d] == "collapsed"]
    window = [
        1 if roles[d] in ("collapsed", "batch")
        else shape[d] if roles[d] == "whole"
        else int(rng.integers(1, shape[d] + 1))
        for d in range(rank)
    ]  # fmt: skip
    given = [d for d in range(rank) if roles[d] in ("collapsed", "part")]
    given += [d for d in range(rank) if roles[d] == "whole" and rng.integers(2)]
    rng.shuffle(given)
    outside = [shape[d] for d in batch] + rng.integers(
        1, 4, rng.integers(0, 3)
    ).tolist()
    order = rng.permutation(len(outside))
    outside = [outside[i] for i in order]
    idx_batch = [order.tolist().index(i) for i in range(len(batch))]
    inside = rank - len(batch) - len(collapsed)
    offsets = sorted(rng.permutation(inside + len(outside))[:inside].tolist())
    numbers = (offsets, collapsed, given, batch, idx_batch)
    return shape, (*outside, len(given)), tuple(map(tuple, numbers)), tuple(window)


@pytest.mark.parametrize("seed", range(24))
def test_gather(seed):
    rng = np.random.default_rng(seed)
    shape, indices_shape, numbers, window = random_layout(rng)
    x = payload(rng, PAYLOADS[seed % len(PAYLOADS)], shape)
    dtype = INDICES[seed % len(INDICES)]
    i = starts(rng, dtype, indices_shape, max(shape))
    mode = MODES[seed % 3]
    fill = 1 if seed % 2 and mode == "fill" else None

    def f(x, i):
        layout = lax.GatherDimensionNumbers(*numbers)
        return lax.gather(x, i, layout, window, mode=mode, fill_value=fill)

    run(f, x, i, kernels=1)


@pytest.mark.parametrize("seed", range(8))
def test_dynamic_slice(seed):
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 6, rng.integers(1, 4))
    sizes = rng.integers(1, shape + 1)
    x = payload(rng, PAYLOADS[seed % len(PAYLOADS)], shape)
    at = [starts(rng, INDICES[seed % len(INDICES)], (), 5) for _ in shape]
    options = dict(allow_negative_indices=False)

    def f(x, *at):
        return lax.dynamic_slice(x, at, sizes.tolist(), **options)

    run(f, x, *at, kernels=1)


X = np.linspace(-1, 1, 30 * 40, dtype=F32).reshape(30, 40)
AT = np.array([0, 2, -1, 50, -80, 29], I32)

FUSED = {
    "x[i] * 2": lambda x, i: x[i] * 2,
    "of a flat view": lambda x, i: x.reshape(-1)[i] * 2,
    "of a transpose": lambda x, i: x.T[i],
    "of a slice, backwards": lambda x, i: x[::-2, 3:][i],
    "columns": lambda x, i: x[:, i] + 1,
    "points": lambda x, i: x[i, i + 1] * 2,
    "with a new axis": lambda x, i: x[..., None, i] * 2,
    "rows and a slice": lambda x, i: x[i, 1:3] * 2,
    "of a gather": lambda x, i: jnp.sin(x[i][i]),
    "of an index that is gathered": lambda x, i: x[i[i]],
    "of a producer": lambda x, i: jnp.take(jnp.tanh(x), i, 0),
    "of positions": lambda x, i: x[jnp.arange(6) + i],
    "a scalar index": lambda x, i: x[i[0]] * x[i[1], i[2]],
    "along an axis": lambda x, i: (
        jnp.take_along_axis(x, i[:, None] + jnp.arange(5), 1) * 2
    ),
    "a window": lambda x, i: lax.dynamic_slice(x, (i[0], i[1]), (3, 4)) * 2,
    "a mean of rows": lambda x, i: x[i].mean(1),
}


@pytest.mark.parametrize("name", FUSED)
def test_gather_is_a_load_of_its_readers(name):
    x = X[:6] if name == "along an axis" else X
    run(FUSED[name], x, AT, kernels=1)


def scatter_layout(seed: int):
    """(rng, operand's shape, shapes of indices and updates, numbers) of a scatter."""
    rng = np.random.default_rng(seed)
    shape, indices_shape, numbers, window = random_layout(rng)
    offsets, collapsed, _, batch, _ = numbers
    updates = list(indices_shape[:-1])
    inside = [n for d, n in enumerate(window) if d not in {*collapsed, *batch}]
    for axis, n in zip(offsets, inside):
        updates.insert(axis, n)
    return rng, shape, indices_shape, updates, numbers


SCATTERS = ("scatter", "scatter_add", "scatter_mul", "scatter_max", "scatter_sub")


@pytest.mark.parametrize("seed", range(30))
def test_scatter(seed):
    rng, shape, indices_shape, updates_shape, numbers = scatter_layout(seed)
    dtype = PAYLOADS[seed % len(PAYLOADS)]
    how = SCATTERS[seed % len(SCATTERS)]
    if dtype == np.bool_:
        how = "scatter"
    x = payload(rng, dtype, shape)
    u = payload(rng, dtype, updates_shape)
    i = starts(rng, INDICES[seed % len(INDICES)], indices_shape, max(shape))
    mode = ("clip", "drop", "promise_in_bounds")[seed % 3]

    def f(x, i, u):
        layout = lax.ScatterDimensionNumbers(*numbers)
        return getattr(lax, how)(x, i, u, layout, mode=mode)

    run(f, x, i, u)


# (operand, indices, updates): sizes at which work is split in each of the ways
SPLITS = {
    "private sums": ((7,), 4000, ()),
    "private sums of rows": ((5, 3), 2000, (3,)),
    "shares that are not equal": ((6, 5), 4099, (5,)),
    "rows have owners": ((300, 32), 400, (32,)),
    "spans have owners": ((2, 800, 32), 20, (2, 32)),
    "one owner": ((3000,), 9000, ()),
    "shares of single elements": ((10,), 9001, ()),
}


@pytest.mark.parametrize("how", ["set", "add", "mul", "min", "max", "subtract"])
@pytest.mark.parametrize("name", SPLITS)
def test_scatter_in_tasks(name, how):
    shape, count, window = SPLITS[name]
    rng = np.random.default_rng(0)
    x = payload(rng, F32, shape)
    axis = 1 if len(shape) == 3 else 0
    i = rng.integers(-shape[axis] - 1, shape[axis] + 1, count).astype(I32)
    u = rng.choice(np.array([-2, -1, -0.5, 0.5, 1, 2], F32), (count, *window))
    if how == "mul":
        u = np.sign(u)
    if len(shape) == 3:
        u = u.swapaxes(0, 1)
        run(lambda x, i, u: getattr(x.at[:, i], how)(u), x, i, u)
    else:
        run(lambda x, i, u: getattr(x.at[i], how)(u), x, i, u)


@pytest.mark.parametrize("dtype", ["f2", "f4", "i1", "u4", "c8", "bf16"])
def test_private_sums_of_dtypes(dtype):
    dtype = BF16 if dtype == "bf16" else np.dtype(dtype)
    rng = np.random.default_rng(1)
    u = payload(rng, dtype, (9000,)) * dtype.type(2)  # sums are exact
    i = rng.integers(0, 40, 9000).astype(I32)
    x = np.full(40, -0.0 if dtype.kind in "fc" else 0, dtype)
    run(lambda x, i, u: x.at[i].add(u), x, i, np.sign(u.real).astype(dtype), kernels=2)


def test_zeros_stay_negative():
    i, u = np.zeros(9000, I32), np.full(9000, -0.0, F32)
    x = np.full(3, -0.0, F32)
    (out,) = run(lambda x, i, u: x.at[i].add(u), x, i, u)([x, i, u])
    assert np.signbit(out).all()


def test_unique_indices_in_any_order():
    rng = np.random.default_rng(2)
    x, u = payload(rng, F32, (4000,)), payload(rng, F32, (3000,))
    i = rng.permutation(4000)[:3000].astype(I32)
    run(lambda x, i, u: x.at[i].set(u, unique_indices=True), x, i, u)


@pytest.mark.parametrize("seed", range(6))
def test_dynamic_update_slice(seed):
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 6, rng.integers(1, 4))
    sizes = rng.integers(1, shape + 1)
    dtype = PAYLOADS[seed % len(PAYLOADS)]
    x, u = payload(rng, dtype, shape), payload(rng, dtype, sizes)
    at = [starts(rng, INDICES[seed % len(INDICES)], (), 5) for _ in shape]
    options = dict(allow_negative_indices=False)
    run(lambda x, u, *at: lax.dynamic_update_slice(x, u, at, **options), x, u, *at)


UPDATED = {
    "a function": lambda x, i: x.at[i].apply(lambda v: jnp.sin(v) * 2),
    "producers": lambda x, i: x.at[i].add(jnp.tanh(x[:6]) * 2),
    "points": lambda x, i: x.at[i, i].set(0.0),
    "a column": lambda x, i: x.at[:, i[0]].set(1.0),
    "strided": lambda x, i: x.at[::2, 1:3].mul(2.0),
    "zeros": lambda x, i: jnp.zeros_like(x).at[i].add(x[:6]),
    "a result that is read": lambda x, i: jnp.exp(x.at[i].set(0.0)).sum(1),
    "one after the other": lambda x, i: x.at[i].set(1.0).at[i[1]].add(x[0]),
    "a producer of the operand": lambda x, i: jnp.tanh(x).at[i].add(1.0),
    "a view": lambda x, i: x.T.at[i].add(1.0),
    "an update that reads the operand": lambda x, i: x.at[i].set(x[i, ::-1] * 2),
    "a slice from itself": lambda x, i: x.at[i[0]].add(x[i[1]]),
    "a point from itself": lambda x, i: x.at[i[0], 3].set(x[i[1], 2]),
    "many producers": lambda x, i: (
        jnp.zeros(9).at[jnp.tile(i, 200)].add(jnp.tanh(x.reshape(-1)))
    ),
    "many points": lambda x, i: x.at[jnp.tile(i, 200), 3].set(x.reshape(-1) * 2),
}


def test_a_constant_operand_is_no_pass_of_its_own():
    ids, x = np.zeros(9000, I32), np.ones((9000, 4), F32)
    run(lambda x, i: segment_sum(x, i, num_segments=20), x, ids, kernels=2)
    run(lambda x, i: segment_max(x, i, num_segments=20), x, ids, kernels=2)
    run(lambda i: jnp.zeros(7, np.int32).at[i].add(1), ids, kernels=2)


@pytest.mark.parametrize("name", UPDATED)
def test_updates(name):
    run(UPDATED[name], X, AT)


def test_updates_in_place():
    """Nothing is copied where the operand is dead."""

    def f(x, i):
        x = jnp.tanh(x)
        x = x.at[i].add(x[i - 1])
        return x.at[3].set(0.0).at[:, 2].mul(2.0)

    program = run(f, X, AT)
    assert not any(low.kernel.name == "copy" for low in program.kernels)


@pytest.mark.parametrize("size", [30, 9000])
def test_loops_update_their_carries_in_place(size):
    def forward(x):
        return lax.fori_loop(1, 30, lambda k, x: x.at[k].add(x[k - 1] + 1), x)

    def back(x):
        def turn(carry, k):
            x, y = carry
            return (y, x.at[k].set(y[k] * 2)), x[k]

        return lax.scan(turn, (x, x + 1), jnp.arange(20))

    def until(x):
        def turn(x):
            return x.at[0].add(1.0).at[x[0].astype(int)].set(3.0)

        return lax.while_loop(lambda x: x[0] < 9, turn, x)

    x = np.zeros(size, F32)
    for f in (forward, back, until):
        run(f, x)
        assert not x.any()


def cross_entropy(x, labels):
    log_p = log_softmax(x)
    return -jnp.mean(jnp.take_along_axis(log_p, labels[:, None], 1))


def cross_entropy_at(x, labels):
    return -jnp.mean(log_softmax(x)[jnp.arange(len(labels)), labels])


@pytest.mark.parametrize("loss", [cross_entropy, cross_entropy_at])
def test_cross_entropy_of_labels(loss):
    """Log-probabilities are computed for the labels alone; the gradient's one-hot rows
    are no array."""
    labels = np.arange(30, dtype=I32) % 40
    program = run(loss, X, labels, kernels=2)
    assert program.arena_bytes <= 4 * 30 + 64
    run(jaxlike.grad(loss), X, labels, kernels=1)


@pytest.mark.parametrize(
    "fun, kernels",
    [
        (lambda x, i: x[jnp.argmax(x, 0), jnp.arange(40)], 1),
        (lambda x, i: x[jnp.arange(30), jnp.argmax(x, 1)] * 2, 1),
        (lambda x, i: jnp.exp(x).sum(1)[i], 2),
        (lambda x, i: jnp.exp(x - x.max(1, keepdims=True))[3, i], 2),
    ],
)
def test_gather_beside_reductions(fun, kernels):
    run(fun, X, AT, kernels=kernels)


@pytest.mark.parametrize("how", ["set", "add"])
def test_indices_that_count_are_batching_axes(how):
    i = np.arange(30, dtype=I32) % 40

    def f(x, i):
        return getattr(x.at[jnp.arange(30)[:, None], [i, i + 1, i]], how)(2.0)

    run(lambda x, i: getattr(x.at[jnp.arange(30), i], how)(x[:, 0]), X, i)
    run(lambda x, i: getattr(x.T.at[i, jnp.arange(30)], how)(x[:, 0]), X, i)
    run(lambda x, i: getattr(x.at[3 + jnp.arange(20), i[:20]], how)(1.0), X, i)


def test_branches_of_a_loop_may_gather():
    """Whether a branch is dear is asked of gathers, too."""

    def f(x, i):
        def turn(carry, k):
            taken = jaxlike.vmap(
                lambda v, j: lax.cond(v > 0, lambda: x[j, k], lambda: jnp.sin(v))
            )(carry, i)
            return taken, taken[0]

        return lax.scan(turn, x[:6, 0], jnp.arange(5))

    run(f, X, AT)
