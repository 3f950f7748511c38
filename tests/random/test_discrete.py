"""Permutations, choices and integers: what holds for each sample."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import random

KEY = random.key(11)
KEYS = random.split(KEY, 300)


@pytest.mark.parametrize("n", [0, 1, 2, 17, 1000])
def test_a_permutation_holds_each_element_once(n):
    assert sorted(random.permutation(KEY, n).tolist()) == list(range(n))
    rows = jnp.arange(2 * n).reshape(n, 2)
    moved = np.asarray(random.permutation(KEY, rows))
    assert sorted(map(tuple, moved.tolist())) == sorted(map(tuple, rows.tolist()))
    alone = np.asarray(random.permutation(KEY, rows, axis=0, independent=True))
    assert (np.sort(alone, 0) == np.asarray(rows)).all()


def test_every_permutation_is_as_likely():
    drawn = np.asarray(jax.vmap(lambda k: random.permutation(k, 3))(KEYS))
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 6 and counts.min() > 25 and counts.max() < 80


def test_choice_without_replacement():
    a = jnp.array([10, 20, 30, 40, 50])
    for p in (None, jnp.array([0.1, 0.2, 0.3, 0.2, 0.2])):
        drawn = jax.vmap(lambda k: random.choice(k, a, (4,), replace=False, p=p))(KEYS)
        assert all(len(set(row)) == 4 for row in drawn.tolist())
    never = random.choice(
        KEY, a, (4,), replace=False, p=jnp.array([0.0, 1, 1, 1, 1]) / 4
    )
    assert 10 not in never.tolist()
    with pytest.raises(ValueError, match="6 samples without replacement from 5"):
        random.choice(KEY, a, (6,), replace=False)


def test_choice_along_an_axis():
    x = jnp.arange(12).reshape(3, 4)
    drawn = random.choice(KEY, x, (2,), axis=1)
    assert drawn.shape == (3, 2)
    assert all(column in x.T.tolist() for column in drawn.T.tolist())


def test_categorical_without_replacement_is_ordered_by_chance():
    logits = jnp.log(jnp.array([0.7, 0.2, 0.1]))
    draw = lambda k: random.categorical(k, logits, shape=(3,), replace=False)
    drawn = np.asarray(jax.vmap(draw)(KEYS))
    assert (np.sort(drawn, 1) == np.arange(3)).all()
    assert (drawn[:, 0] == 0).mean() > 0.6


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32"]
)
def test_integers_fill_their_range(dtype):
    info = np.iinfo(dtype)
    x = np.asarray(
        random.randint(
            KEY, (4000,), *map(np.dtype(dtype).type, (info.min, info.max)), dtype
        )
    ).astype(float)
    width = float(info.max) - float(info.min)
    assert x.min() >= info.min and x.max() < info.max
    assert (
        x.min() < info.min + 0.01 * width + 1 and x.max() > info.max - 0.01 * width - 2
    )
    few = random.randint(KEY, (100,), 3, 5, dtype)
    assert few.dtype == dtype and set(few.tolist()) == {3, 4}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_bits_are_fair(dtype):
    words = np.asarray(random.bits(KEY, (4000,), dtype))
    ones = np.unpackbits(words.view(np.uint8)).reshape(4000, -1).mean(0)
    assert (abs(ones - 0.5) < 0.04).all()
