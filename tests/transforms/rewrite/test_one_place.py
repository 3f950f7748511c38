"""Updates of one place a line become comparisons, and mean the same."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.transforms.rewrite.inline import inline_calls
from jaxlike.transforms.rewrite.one_place import compare_places
from jaxlike.transforms.rewrite.wraps import drop_wraps
from tests.transforms.rewrite.passes import names, rewritten

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
AT = np.array([2, -1, 7], np.int32)
ZEROS = jnp.zeros_like


def along(x, i):
    return jnp.take_along_axis(x, i[:, None], 1)


def grad(fun):
    return lambda x, i: jaxlike.grad(lambda x: jnp.sum(jnp.sin(fun(x, i))))(x)


COMPARED = {
    "a row": lambda x, i: ZEROS(x).at[i[1]].set(x[0]),
    "a column": lambda x, i: ZEROS(x).at[:, i[0]].add(x[:, 1]),
    "a point": lambda x, i: ZEROS(x).at[i[0], i[1]].set(3.0),
    "a point of each row": lambda x, i: ZEROS(x).at[jnp.arange(3), i].mul(2.0),
    "a point of each column": lambda x, i: (
        ZEROS(x).at[x[0].astype(int), jnp.arange(4)].set(x[1])
    ),
    "small": lambda x, i: x.at[i[0]].add(1.0),
    "clipped": lambda x, i: x.at[i[2]].add(1.0, mode="clip"),
    "int8": lambda x, i: x.at[i[2].astype(np.int8)].max(0.5),
    "uint8": lambda x, i: x.at[i.astype(np.uint8)[1]].min(0.5),
    "an update slice": lambda x, i: lax.dynamic_update_slice(x, x[:1], (i[2], i[1])),
    "gradient of x[i]": grad(lambda x, i: x[i[0]]),
    "gradient along an axis": grad(along),
    "gradient of x[n, i]": grad(lambda x, i: x[jnp.arange(3), i]),
    "under vmap": lambda x, i: jaxlike.vmap(lambda r, k: ZEROS(r).at[k].set(r[0]))(
        x, i
    ),
    "a diagonal": lambda x, i: (
        ZEROS(x[:, :3]).at[jnp.arange(3), jnp.arange(3)].set(1.0)
    ),
}
KEPT = {
    "many places": lambda x, i: ZEROS(x).at[i].add(1.0),
    "a window": lambda x, i: lax.dynamic_update_slice(x, x[:2], (i[0], i[1])),
    "part of the rows": lambda x, i: ZEROS(x).at[jnp.arange(2), i[:2]].set(1.0),
    "large": lambda x, i: jnp.tile(x, (9, 9)).at[i[0]].set(1.0),
    "a function": lambda x, i: x.at[i[0]].apply(jnp.sin),
}
UPDATES = ("scatter", "dynamic_update_slice")


def passed(fun) -> list[str]:
    both = lambda closed: compare_places(drop_wraps(inline_calls(closed)))
    return names(rewritten(both, fun, X, AT))


@pytest.mark.parametrize("name", COMPARED)
def test_compared(name):
    assert not any(n.startswith(UPDATES) for n in passed(COMPARED[name]))


@pytest.mark.parametrize("name", KEPT)
def test_kept(name):
    assert any(n.startswith(UPDATES) for n in passed(KEPT[name]))
