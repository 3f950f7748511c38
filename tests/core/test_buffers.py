"""Recycled memory: never while something can see it, aligned, bounded."""

from __future__ import annotations

import gc
import os
import threading

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike.core import buffers
from jaxlike.core.config import config

F32 = np.dtype(np.float32)
LARGE = (buffers.POOLED // 4,)


@pytest.fixture(autouse=True)
def empty_pool():
    buffers.release()
    yield
    buffers.release()


def address(x) -> int:
    return x.__array_interface__["data"][0]


@pytest.mark.parametrize("shape", [(0,), (), (3,), LARGE, (3, 1 << 15), (1 << 21,)])
@pytest.mark.parametrize("dtype", [np.bool_, np.float16, np.complex128])
def test_arrays_are_ordinary(shape, dtype):
    x = buffers.empty(shape, np.dtype(dtype))
    assert x.shape == shape and x.dtype == dtype and x.flags.c_contiguous
    assert type(x) is np.ndarray and x.flags.writeable
    x[...] = 1
    assert (buffers.copy(x) == x).all()
    if x.nbytes >= buffers.POOLED:
        assert address(x) % 64 == 0


def test_memory_is_used_again():
    make = buffers.maker(LARGE, F32)
    x = make()
    at = address(x)
    del x
    assert address(make()) == at


@pytest.mark.parametrize(
    "hold",
    [
        lambda x: x[5:],
        lambda x: x.reshape(2, -1).T,
        memoryview,
        lambda x: np.from_dlpack(x),
        lambda x: np.asarray(x[3:]).view(np.int32),
        lambda x: x.base[10:],  # a slice of the lease itself
        lambda x: jnp.asarray(np.frombuffer(x, np.float32)),
    ],
    ids=["slice", "transpose", "memoryview", "dlpack", "view", "lease", "frombuffer"],
)
def test_what_is_seen_is_not_used_again(hold):
    x = buffers.empty(LARGE, F32)
    x[:] = 7
    held = hold(x)
    del x
    others = [buffers.empty(LARGE, F32) for _ in range(40)]
    for other in others:
        other[:] = 0
    assert np.asarray(held).copy().view(np.uint8).any()


def test_results_that_are_held_stay():
    f = jax.jit(lambda x: x * 2)
    x = jnp.ones(LARGE)
    views = []
    for k in range(30):
        y = f(x * k)
        views.append((k, np.asarray(y)[1:] if k % 2 else np.from_dlpack(y)[1:]))
        del y
    for k, v in views:
        assert (v == 2 * k).all()


def test_numpy_views_outlive_deleted_arrays():
    f = jax.jit(lambda x: x + 1)
    x = f(jnp.ones(LARGE))
    view = np.asarray(x)
    x.delete()
    for k in range(3):
        f(jnp.full(LARGE, k))
    assert (view == 2).all()


def test_callbacks_may_keep_their_operands():
    saved = []

    def f(x):
        y = jnp.sin(x) @ jnp.ones((64, 64)) + 1
        jax.debug.callback(saved.append, y)
        return (y @ y).sum()

    g = jax.jit(f)
    for k in range(4):
        g(jnp.full((64, 64), k))
    expected = [64 * np.sin(np.float32(k)) + 1 for k in range(4)]
    np.testing.assert_allclose([float(y[0, 0]) for y in saved], expected, rtol=1e-5)


def test_idle_memory_is_bounded():
    before = config.buffer_pool_bytes
    config.update("jax_buffer_pool_bytes", 4 << 20)
    try:
        arrays = [buffers.empty((1 << 20,), np.dtype(np.uint8)) for _ in range(30)]
        arrays.clear()
        assert buffers.idle_bytes() <= 8 << 20
        buffers.empty((1 << 24,), np.dtype(np.uint8))
        assert buffers.idle_bytes() <= 8 << 20
    finally:
        config.update("jax_buffer_pool_bytes", before)


def test_sole():
    x = buffers.empty(LARGE, F32)
    assert buffers.sole(x, 1)
    y = x
    assert not buffers.sole(x, 1) and buffers.sole(x, 2)
    del y
    y = x[2:]
    assert not buffers.sole(x, 1) and not buffers.sole(y, 1)
    del y
    m = memoryview(x)
    assert not buffers.sole(x, 1)
    del m
    base = x.base
    assert not buffers.sole(x, 1)
    del base
    assert buffers.sole(x, 1)
    small = np.ones(3)
    assert buffers.sole(small, 1) and not buffers.sole(small.view(), 0)
    small.flags.writeable = False
    assert not buffers.sole(small, 1)


def test_threads():
    bad = []

    def work(seed):
        rng = np.random.default_rng(seed)
        mine = []
        for k in range(200):
            x = buffers.empty((1 << int(rng.integers(17, 20)),), np.dtype(np.uint8))
            x[:] = (seed + k) % 251
            mine.append(((seed + k) % 251, x))
            if len(mine) > 5:
                value, old = mine.pop(int(rng.integers(5)))
                if not (old == value).all():
                    bad.append(value)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not bad
    gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fork():
    x = buffers.empty(LARGE, F32)
    x[:] = 1
    child = os.fork()
    if child == 0:
        x[:] = 2
        del x
        y = buffers.empty(LARGE, F32)
        y[:] = 3
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert (x == 1).all()
