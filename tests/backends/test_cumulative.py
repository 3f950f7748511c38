"""Running sums, products, extrema and logsumexps as kernels, along any axis."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
from jaxlike import lax
from jaxlike import numpy as jnp
from jaxlike.backends.plan.access import is_layout
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.core.config import enable_x64
from tests.backends.test_program import check
from tests.backends.test_sorting import DTYPES, numbers

NAMES = ("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp")


def runs(name, x, axis, reverse, tolerance=1e-5) -> None:
    fun = getattr(lax, name)
    with np.errstate(all="ignore"):
        program = check(
            lambda x: fun(x, axis=axis, reverse=reverse),
            x,
            rtol=tolerance,
            atol=tolerance,
        )
    if x.size:
        assert all(isinstance(step, Lowered) for step in program.schedule)


def values(rng, shape, dtype, name) -> np.ndarray:
    if dtype.kind in "iu":
        return numbers(rng, shape, dtype)
    x = rng.standard_normal(shape)
    if dtype.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    if name == "cumprod":
        x = x / abs(x) * np.exp(rng.standard_normal(shape) / 30)
    return np.asarray(x).astype(dtype)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES[1:], ids=str)
def test_dtypes(name, dtype):
    if dtype.kind == "c" and name not in ("cumsum", "cumprod"):
        pytest.skip("complex numbers have no kernel here")
    if dtype.kind in "iu" and name == "cumlogsumexp":
        pytest.skip("of floats only")
    rng = np.random.default_rng(0)
    width = dtype.itemsize // (1 + (dtype.kind == "c"))
    tolerance = {2: 2e-2, 4: 1e-5, 8: 1e-12}.get(width, 1e-5)
    if dtype.kind == "V":
        tolerance = 5e-2
    with enable_x64():
        x = values(rng, (3, 70), dtype, name)
        runs(name, x, 1, False, tolerance)
        runs(name, x, 0, True, tolerance)


@pytest.mark.parametrize("seed", range(8))
def test_shapes(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 40, rng.integers(1, 4)))
    axis = int(rng.integers(0, len(shape)))
    name = NAMES[seed % len(NAMES)]
    x = values(rng, shape, np.dtype(np.float32), name)
    runs(name, x, axis, bool(seed % 2), 1e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reverse", [False, True])
def test_special_values(name, reverse):
    special = np.array([-np.inf, -np.inf, 1, -2, 0, np.inf, 3, np.nan, 1], np.float32)
    rng = np.random.default_rng(1)
    x = np.stack(
        [special, special[::-1], np.roll(special, 3), special[:4].repeat(3)[:9]]
    )
    x = np.concatenate([rng.standard_normal((4, 30)).astype(np.float32), x, -x], 1)
    runs(name, x, 1, reverse)
    runs(name, np.repeat(x.T, 9, 1), 0, reverse)


@pytest.mark.parametrize("name", NAMES)
def test_blocks(name):
    """Long rows are cut up, with a rest."""
    rng = np.random.default_rng(2)
    x = values(rng, (2, 40_003), np.dtype(np.float32), name)
    x[0, 20_000] = -np.inf
    runs(name, x[0], 0, False, 1e-4)
    runs(name, x, 1, True, 1e-4)
    if name != "cumlogsumexp":
        runs(name, values(rng, (33_000, 2), np.dtype(np.int32), name), 0, True)


def test_strips_of_columns():
    rng = np.random.default_rng(3)
    for columns in (64, 1000, 1031, 4099):
        x = rng.standard_normal((20, columns)).astype(np.float32)
        runs("cumsum", x, 0, False, 1e-5)
        runs("cummax", x, 0, True)


def test_of_views_and_with_neighbours():
    x = np.random.default_rng(4).standard_normal((6, 50)).astype(np.float32)

    def f(x):
        y = lax.cumsum(lax.rev(x, (1,)), axis=1)
        z = lax.cumprod(lax.transpose(x, (1, 0)) + 1, axis=0)
        return lax.exp(-y), z, jnp.cumsum(x[::2, 3:], axis=0)

    check(f, x, rtol=1e-4, atol=1e-4)


def test_long_float32_sums_keep_their_digits():
    x = np.full(1 << 20, 0.1, np.float32)
    program = check(lambda x: lax.cumsum(x), x)
    (out,) = program([x])
    np.testing.assert_allclose(out[-1], x.sum(dtype=np.float64), rtol=1e-7)


def affine(a, b):
    return a[0] * b[0], b[0] * a[1] + b[1]


def test_associative_scans_and_their_gradients():
    """Every level's halves and pairs are read and written in place, in kernels."""
    a, b = np.random.default_rng(5).uniform(-1, 1, (2, 1000)).astype(np.float32)

    def f(a, b):
        return lax.associative_scan(affine, (a, b))[1]

    program = check(f, a, b, rtol=1e-4, atol=1e-5)
    calls = [step for step in program.schedule if not isinstance(step, Lowered)]
    assert all(is_layout(eqn) or not eqn.outvars[0].aval.size for eqn in calls)
    check(jaxlike.grad(lambda a, b: f(a, b).sum()), a, b, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", ["f4", "c8", "u1"])
def test_spread_elements(dtype):
    """Pads that put holes between the elements of the last axis."""
    x = np.random.default_rng(6).integers(1, 9, (3, 70)).astype(dtype)
    for config in ((0, 0, 1), (2, 5, 2), (1, 0, 3), (7, 7, 9), (-3, 2, 1)):

        def f(x, fill, config=config):
            rows = lax.pad(x, fill, [(0, 0, 0), config])
            return (
                rows,
                lax.pad(x[0], fill, [config]),
                lax.pad(x[1, :1], fill, [config]),
            )

        check(f, x, np.asarray(3, dtype))
