"""softmax and its kin: shifts, masks, sums, and rows without an element."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6)).astype(np.float32) * 3
MASK = RNG.random((4, 6)) < 0.6
MASK[0], MASK[1] = True, np.eye(6, dtype=bool)[2]


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1)])
def test_against_scipy(axis):
    for run in (lambda f: f, jax.jit):
        got = run(lambda x: nn.softmax(x, axis))(X)
        np.testing.assert_allclose(got, special.softmax(X, axis), rtol=1e-5)
        got = run(lambda x: nn.log_softmax(x, axis))(X)
        np.testing.assert_allclose(
            got, special.log_softmax(X, axis), rtol=1e-4, atol=1e-5
        )
        got = run(lambda x: nn.logsumexp(x, axis))(X)
        np.testing.assert_allclose(got, special.logsumexp(X, axis), rtol=1e-5)


def test_a_shift_changes_nothing():
    for shift in (1e4, -1e4):
        x = X.round() + np.float32(shift)
        np.testing.assert_allclose(nn.softmax(x), nn.softmax(X.round()), rtol=1e-3)
        got = nn.logsumexp(x, 1) - np.float32(shift)
        np.testing.assert_allclose(got, nn.logsumexp(X.round(), 1), atol=1e-2)


def test_masked_elements_do_not_count():
    cut = np.where(MASK, X, -np.inf)
    got = nn.softmax(X, where=MASK)
    np.testing.assert_allclose(got, special.softmax(cut, -1), rtol=1e-5)
    assert not np.asarray(got)[~MASK].any()
    got = nn.logsumexp(X, -1, where=MASK)
    np.testing.assert_allclose(got, special.logsumexp(cut, -1), rtol=1e-5)
    # what is masked may be anything, and its slope is 0
    wild = jnp.where(MASK, X, jnp.nan)
    np.testing.assert_allclose(nn.softmax(wild, where=MASK), nn.softmax(X, where=MASK))
    slope = jax.grad(lambda x: nn.logsumexp(x, where=MASK))(jnp.asarray(X))
    assert np.isfinite(slope).all() and not np.asarray(slope)[~MASK].any()


def test_logsumexp_in_all_arguments():
    b = RNG.normal(size=X.shape).astype(np.float32)
    want = special.logsumexp(X, 1, b=b, return_sign=True)
    got = nn.logsumexp(X, 1, b=b, return_sign=True)
    np.testing.assert_allclose(got[0], want[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got[1], want[1])
    assert nn.logsumexp(X, 0, keepdims=True).shape == (1, 6)
    assert nn.logsumexp(jnp.full(3, -jnp.inf)) == -jnp.inf
    assert nn.logsumexp(jnp.array([jnp.inf, 1.0])) == jnp.inf
    z = X + 1j * X[::-1]
    np.testing.assert_allclose(nn.logsumexp(z), special.logsumexp(z), rtol=1e-5)


def test_logmeanexp():
    want = special.logsumexp(X, 1) - np.log(6)
    np.testing.assert_allclose(nn.logmeanexp(X, 1), want, rtol=1e-5)


def test_slopes_of_softmax_sum_to_zero():
    jacobian = np.asarray(jax.jacrev(nn.softmax)(X[0]))
    s = special.softmax(X[0].astype(float))
    np.testing.assert_allclose(jacobian, np.diag(s) - np.outer(s, s), atol=1e-6)
    np.testing.assert_allclose(jacobian.sum(0), 0, atol=1e-6)
    forward = jax.jacfwd(nn.log_softmax)(X[0])
    np.testing.assert_allclose(forward, np.eye(6) - s, atol=1e-5)


def test_standardize():
    got = nn.standardize(X, 1)
    want = (X - X.mean(1, keepdims=True)) / np.sqrt(X.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
    got = nn.standardize(X, 0, where=MASK)
    for column, mask, out in zip(X.T, MASK.T, np.asarray(got).T):
        kept = column[mask]
        want = (column - kept.mean()) / np.sqrt(kept.var() + 1e-5)
        np.testing.assert_allclose(out, want, rtol=1e-3, atol=1e-4)
    assert np.isfinite(nn.standardize(jnp.ones(3))).all()


def test_one_hot():
    got = nn.one_hot(jnp.array([[0, 2], [-1, 5]]), 3)
    assert got.tolist() == [[[1, 0, 0], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]]
    assert nn.one_hot(jnp.array([1, 0]), 2, axis=0, dtype=jnp.int8).tolist() == [
        [0, 1],
        [1, 0],
    ]
    with pytest.raises(ValueError, match="axis"):
        nn.one_hot(jnp.array([1]), 2, axis=5)
