"""What a user sees of an error: their own lines, and one exception."""

from __future__ import annotations

import pickle
import traceback

import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax, nn, random

X = jnp.ones((3, 4))
Y = jnp.ones((5, 4))
CALLS = {
    "operator": lambda: X + Y,
    "comparison": lambda: X < Y,
    "unary operator": lambda: -(X > 0),
    "power": lambda: X**Y,
    "matmul": lambda: X @ X,
    "ufunc": lambda: jnp.add(X, Y),
    "unary ufunc": lambda: jnp.sin("a"),
    "reduction": lambda: jnp.sum(X, axis=3),
    "method": lambda: X.sum(axis=3),
    "reshape": lambda: X.reshape(5),
    "astype": lambda: X.astype("no dtype"),
    "index": lambda: X[0, 1, 2],
    "update": lambda: X.at[0].set(jnp.ones(3)),
    "array": lambda: jnp.array([[1, 2], [3]]),
    "einsum": lambda: jnp.einsum("ij,jk", X, Y),
    "linalg": lambda: jnp.linalg.inv(X),
    "fft": lambda: jnp.fft.fft(X, axis=5),
    "lax": lambda: lax.add(X, Y),
    "scan": lambda: lax.scan(lambda c, x: (c, x), 0, (X, Y)),
    "random": lambda: random.normal(3, (2,)),
    "nn": lambda: nn.softmax(X, axis=4),
    "initializer": lambda: nn.initializers.he_normal()(random.key(0), (3,)),
    "tree": lambda: jax.tree.map(lambda a, b: a, {"a": 1}, {"b": 1}),
    "grad": lambda: jax.grad(lambda x: x.sum(axis=7))(X),
    "jit": lambda: jax.jit(lambda x: x.sum(axis=7))(X),
    "vmap": lambda: jax.vmap(lambda x: x.sum(axis=7))(X),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_frames_are_the_users_and_there_is_one_exception(call):
    for _ in range(2):  # the second time takes other short cuts
        with pytest.raises((TypeError, ValueError, IndexError)) as caught:
            call()
        error = caught.value
        files = [
            f.f_code.co_filename for f, _ in traceback.walk_tb(error.__traceback__)
        ]
        assert set(files) == {__file__}, files
        assert error.__context__ is None


def test_a_users_exception_keeps_its_frames_and_its_context():
    def inner(x):
        try:
            raise KeyError("first")
        except KeyError:
            raise RuntimeError("second")

    with pytest.raises(RuntimeError) as caught:
        jax.tree.map(inner, [1])
    assert isinstance(caught.value.__context__, KeyError)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "inner"


def test_filtering_can_be_switched_off():
    before = jax.config.jax_traceback_filtering
    jax.config.update("jax_traceback_filtering", "off")
    try:
        with pytest.raises(TypeError) as caught:
            jnp.add(X, Y)
    finally:
        jax.config.update("jax_traceback_filtering", before)
    trace = traceback.extract_tb(caught.value.__traceback__)
    assert any("primitives" in frame.filename for frame in trace)


@pytest.mark.parametrize("module", [jnp, jnp.linalg, lax, random, jax.tree, jax.ops])
def test_public_functions_are_pickled_under_their_names(module):
    for name in ("sum", "abs", "norm", "rev", "normal", "map", "segment_sum"):
        fun = getattr(module, name, None)
        if fun is not None:
            assert pickle.loads(pickle.dumps(fun)) is fun
