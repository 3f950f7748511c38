"""associative_scan: all prefixes, of any size, along any axis, and backwards."""

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core.check import check_jaxpr
from tests.primitives.case import assert_close, assert_identical

rng = np.random.default_rng(0)


def affine(a, b):
    """The composition of x -> m x + k, first a, then b: not commutative."""
    return {"m": b["m"] * a["m"], "k": b["m"] * a["k"] + b["k"]}


def prefixes(fn, elems, size, reverse=False):
    out = [None] * size
    carry = None
    for i in reversed(range(size)) if reverse else range(size):
        here = jaxlike.tree.map(lambda x, i=i: jnp.asarray(x[i]), elems)
        carry = here if carry is None else fn(carry, here)
        out[i] = carry
    return jaxlike.tree.map(lambda *leaves: jnp.stack(leaves), *out)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8, 13])
def test_is_every_prefix(size, reverse):
    elems = {
        "m": rng.uniform(-1, 1, (size, 2)).astype(np.float32),
        "k": rng.uniform(-1, 1, (size, 2)).astype(np.float32),
    }
    expected = prefixes(affine, elems, size, reverse)
    for run in (
        lax.associative_scan,
        jaxlike.jit(lax.associative_scan, static_argnums=(0, 2)),
    ):
        got = run(affine, elems, reverse)
        for name in elems:
            assert_close(got[name], expected[name], atol=1e-5)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_axes(axis):
    x = rng.integers(-3, 4, (3, 5))
    got = lax.associative_scan(jnp.add, x, axis=axis)
    assert_identical(got, np.cumsum(x, axis, dtype=np.int32))
    got = lax.associative_scan(jnp.maximum, x, True, axis)
    expected = np.flip(np.maximum.accumulate(np.flip(x, axis), axis), axis)
    assert_identical(got, expected.astype(np.int32))


def test_dtypes_and_empty():
    flags = np.array([True, False, True, True])
    expected = np.logical_xor.accumulate(flags)
    assert_identical(lax.associative_scan(jnp.logical_xor, flags), expected)
    assert lax.associative_scan(jnp.add, np.zeros((0, 2))).shape == (0, 2)
    z = np.array([1j, 2, 3 + 1j], np.complex64)
    assert_close(lax.associative_scan(jnp.multiply, z), np.cumprod(z))


def test_transforms():
    x = rng.uniform(0.5, 1.5, 5).astype(np.float32)

    def fun(x):
        return lax.associative_scan(jnp.multiply, x)

    def plain(x):
        return prefixes(jnp.multiply, x, 5)

    assert_close(jaxlike.jacrev(fun)(x), jaxlike.jacrev(plain)(x))
    assert_close(jaxlike.jacfwd(fun)(x), jaxlike.jacrev(plain)(x))
    rows = np.stack([x, 2 * x])
    assert_close(jaxlike.vmap(fun)(rows), np.cumprod(rows, 1))
    check_jaxpr(jaxlike.make_jaxpr(jaxlike.jacrev(fun))(x))


@pytest.mark.parametrize(
    "call, error, says",
    [
        (lambda: lax.associative_scan(3, np.ones(3)), TypeError, "callable"),
        (
            lambda: lax.associative_scan(jnp.add, (np.ones(3), np.ones(2))),
            ValueError,
            "elems of one length",
        ),
        (lambda: lax.associative_scan(jnp.add, np.ones(3), axis=2), ValueError, "axis"),
        (lambda: lax.associative_scan(jnp.add, 1.0), ValueError, "out of bounds"),
        (lambda: lax.associative_scan(jnp.add, []), ValueError, "no arrays"),
        (
            lambda: lax.associative_scan(lambda a, b: (a, b), np.ones(3)),
            TypeError,
            "a pytree like its arguments",
        ),
    ],
)
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()
