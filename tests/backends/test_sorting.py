"""Sorts as kernels: every dtype, several keys, values carried along, any axis."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from jaxlike import lax
from jaxlike import numpy as jnp
from jaxlike.backends.numba.program import Program
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.sorting import Sort
from jaxlike.core.array import to_buffer
from jaxlike.core.config import enable_x64
from tests.backends.test_program import reference, trace

INTEGERS = [np.dtype(f"{s}int{b}") for s in ("u", "") for b in (8, 16, 32, 64)]
FLOATS = [np.dtype(d) for d in ("f2", ml_dtypes.bfloat16, "f4", "f8")]
DTYPES = [np.dtype(bool), *INTEGERS, *FLOATS, np.dtype("c8"), np.dtype("c16")]
SIZES = (1, 2, 7, 33, 64, 200)


def numbers(rng, shape, dtype) -> np.ndarray:
    """Of all magnitudes, with ties and special values."""
    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        parts = (numbers(rng, shape, f"f{dtype.itemsize // 2}") for _ in range(2))
        return np.stack([*parts], -1).view(dtype)[..., 0]
    count = int(np.prod(shape))
    if dtype.kind in "biu":
        bits = rng.integers(0, 256, (count, dtype.itemsize), np.uint8)
        if dtype.kind == "b":
            bits &= 1
        out = bits.view(dtype)[:, 0]
        few = rng.integers(0, 5, count).astype(dtype)
    else:
        out = (rng.standard_normal(count) * 10.0 ** rng.integers(-3, 4, count)).astype(
            dtype
        )
        special = np.array([0.0, -0.0, np.nan, -np.nan, np.inf, -np.inf, 1], dtype)
        few = special[rng.integers(0, 7, count)]
    return np.where(rng.random(count) < 0.5, out, few).reshape(shape)


def same_bits(fun, *args) -> Program:
    """Compile fun, which gives the reference's bits; all of it as kernels."""
    closed = trace(fun, *args)
    args = [to_buffer(a) for a in args]
    program = Program(closed, "test")
    expected = reference(closed, *args)
    for _ in range(2):
        for got, want in zip(program(args), expected, strict=True):
            assert (got.dtype, got.shape) == (want.dtype, want.shape)
            got, want = (np.ascontiguousarray(x).reshape(-1) for x in (got, want))
            np.testing.assert_array_equal(got.view(np.uint8), want.view(np.uint8))
    assert all(isinstance(step, Lowered) for step in program.schedule)
    return program


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dtypes(dtype):
    rng = np.random.default_rng(dtype.itemsize)
    with enable_x64():
        for size in SIZES[:: 1 if dtype == np.float32 else 2]:
            x = numbers(rng, (3, size), dtype)
            v = numbers(rng, (3, size), np.float64)

            def f(x, v):
                return lax.sort(x), lax.sort((x, v)), jnp.argsort(x)

            same_bits(f, x, v)


@pytest.mark.parametrize("seed", range(6))
def test_several_operands(seed):
    rng = np.random.default_rng(seed)
    dtypes = [DTYPES[i] for i in rng.integers(0, len(DTYPES), 4)]
    shape = tuple(rng.integers(1, 12, rng.integers(1, 4)))
    axis = int(rng.integers(0, len(shape)))
    keys = int(rng.integers(1, 4))
    with enable_x64():
        args = [numbers(rng, shape, d) for d in dtypes]
        args[0] = rng.choice(args[0].reshape(-1)[:3], shape)  # ties

        def f(*xs):
            outs = lax.sort(xs, dimension=axis, num_keys=keys)
            return outs if seed % 2 else outs[keys:]

        same_bits(f, *args)


@pytest.mark.parametrize("dtype", ["f4", "i4", "u1", "f8", "c8"])
@pytest.mark.parametrize("shape", [(40_000,), (2, 33_000)], ids=str)
def test_blocks(dtype, shape):
    """Rows long enough to be cut up."""
    rng = np.random.default_rng(1)
    with enable_x64():
        x = numbers(rng, shape, dtype)
        program = same_bits(lambda x: (lax.sort(x), jnp.argsort(x)), x)
    for low in program.kernels:
        if isinstance(low.kernel, Sort):
            assert low.kernel.blocks > 1


def test_blocks_of_equal_and_of_few_keys():
    rng = np.random.default_rng(2)
    x = rng.integers(0, 3, 40_000).astype(np.int32) * 4096
    v = rng.standard_normal((40_000,)).astype(np.float32)
    same_bits(lambda x, v: lax.sort_key_val(x, v), x, v)
    same_bits(lambda x, v: lax.sort_key_val(x, v), x * 0, v)
    same_bits(lambda x, v: lax.sort((x, v), num_keys=2), x, v)


def test_rows_longer_than_the_stack():
    x = numbers(np.random.default_rng(3), (9, 40_000), np.float32)
    same_bits(lambda x: (lax.sort(x), jnp.argsort(x, descending=True)), x)


def test_of_views():
    x = numbers(np.random.default_rng(4), (6, 10, 7), np.float32)

    def f(x):
        y = lax.rev(lax.transpose(x, (2, 0, 1)), (1,))
        sliced = lax.slice(y, (1, 0, 2), (6, 6, 9))
        return lax.sort(y, 0), lax.sort(sliced, 1), jnp.argsort(y, axis=-1)

    same_bits(f, x)


def test_what_nobody_reads_is_not_made():
    """argsort neither reads its positions nor writes the sorted keys."""
    program = same_bits(jnp.argsort, np.arange(10, 0, -1, dtype=np.float32))
    (low,) = program.schedule
    assert len(low.inputs) == len(low.outputs) == 1 and low.kernel.carried == 1


# --- the k first


@pytest.mark.parametrize("dtype", DTYPES[:-2], ids=str)
def test_top_k(dtype):
    rng = np.random.default_rng(5)
    with enable_x64():
        for size, k in ((1, 1), (9, 3), (70, 40), (100, 1), (33, 33), (90, 70)):
            same_bits(lambda x: lax.top_k(x, k), numbers(rng, (3, size), dtype))


@pytest.mark.parametrize("k", [5, 100])
def test_top_k_of_long_rows(k):
    x = numbers(np.random.default_rng(6), (1, 100_000), np.float32)
    program = same_bits(lambda x: lax.top_k(x, k), x)
    assert program.schedule[0].kernel.blocks > 1
    same_bits(lambda x: lax.top_k(x, k)[1], np.sort(x))


def test_top_k_along_an_axis_and_approximate():
    x = numbers(np.random.default_rng(7), (30, 4, 5), np.float32)
    same_bits(lambda x: lax.top_k(x, 3, axis=0), x)
    same_bits(lambda x: lax.top_k(x, 3, axis=1)[0], x)
    same_bits(lambda x: lax.approx_min_k(x, 3, 0), x)
    same_bits(lambda x: lax.approx_max_k(x, 2, 1, aggregate_to_topk=False), x)
