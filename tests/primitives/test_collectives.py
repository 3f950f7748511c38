"""Collectives: under vmap they are operations along the batch axis.

cases_*.py cannot list them, since they need a named axis; so their laws are here.
"""

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from jaxlike import lax
from jaxlike.core.check import check_jaxpr
from jaxlike.core.primitive import registry
from jaxlike.core.trace import extend_axis_env
from tests.primitives.case import assert_close

N = 4
X = np.random.default_rng(0).normal(size=(N, N, 2)).astype(np.float32)
GROUPS = [[0, 2], [3, 1]]


def over_i(fun):
    return jaxlike.vmap(fun, axis_name="i")


def in_groups(reduce):
    """What a reduction over GROUPS gives in each lane."""
    out = np.empty_like(X)
    for group in GROUPS:
        out[group] = reduce(X[group], 0)
    return out


def same_everywhere(x):
    return np.broadcast_to(x, (N, *x.shape))


# name -> (collective, what it gives, lanes first)
CASES = {
    "psum": (lambda x: lax.psum(x, "i"), same_everywhere(X.sum(0))),
    "pmean": (lambda x: lax.pmean(x, "i"), same_everywhere(X.mean(0))),
    "pmax": (lambda x: lax.pmax(x, "i"), same_everywhere(X.max(0))),
    "pmin": (lambda x: lax.pmin(x, "i"), same_everywhere(X.min(0))),
    "psum groups": (
        lambda x: lax.psum(x, "i", axis_index_groups=GROUPS),
        in_groups(np.sum),
    ),
    "pmean groups": (
        lambda x: lax.pmean(x, "i", axis_index_groups=GROUPS),
        in_groups(np.mean),
    ),
    "pmax groups": (
        lambda x: lax.pmax(x, "i", axis_index_groups=GROUPS),
        in_groups(np.max),
    ),
    "psum and a position": (
        lambda x: lax.psum(x, ("i", 0)),
        same_everywhere(X.sum((0, 1))),
    ),
    "all_gather": (lambda x: lax.all_gather(x, "i"), same_everywhere(X)),
    "all_gather axis": (
        lambda x: lax.all_gather(x, "i", axis=-1),
        same_everywhere(np.moveaxis(X, 0, -1)),
    ),
    "all_gather tiled": (
        lambda x: lax.all_gather(x, "i", axis=1, tiled=True),
        same_everywhere(np.concatenate(X, 1)),
    ),
    "all_gather groups": (
        lambda x: lax.all_gather(x, "i", axis_index_groups=GROUPS),
        np.stack([X[[0, 2]], X[[3, 1]], X[[0, 2]], X[[3, 1]]]),
    ),
    "psum_scatter": (lambda x: lax.psum_scatter(x, "i"), X.sum(0)),
    "psum_scatter tiled": (
        lambda x: lax.psum_scatter(x, "i", tiled=True),
        X.sum(0)[:, None],
    ),
    "psum_scatter groups": (
        lambda x: lax.psum_scatter(
            x, "i", scatter_dimension=1, axis_index_groups=GROUPS
        ),
        np.stack([in_groups(np.sum)[i, :, k] for i, k in enumerate([0, 1, 1, 0])]),
    ),
    "all_to_all": (lambda x: lax.all_to_all(x, "i", 0, 1), X.transpose(1, 2, 0)),
    "all_to_all back": (
        lambda x: lax.all_to_all(x.T, "i", 1, 0),
        X.transpose(1, 0, 2),
    ),
    "all_to_all tiled": (
        lambda x: lax.all_to_all(x, "i", 0, 1, tiled=True),
        X.transpose(1, 0, 2).reshape(N, 1, -1),
    ),
    "all_to_all groups": (
        lambda x: lax.all_to_all(
            x[:2], "i", 0, 0, axis_index_groups=GROUPS, tiled=True
        ),
        np.stack([X[[0, 2], 0], X[[3, 1], 1], X[[0, 2], 1], X[[3, 1], 0]]),
    ),
    "pswapaxes": (lambda x: lax.pswapaxes(x, "i", 0), X.transpose(1, 0, 2)),
    "ppermute": (
        lambda x: lax.ppermute(x, "i", [(i, (i + 1) % N) for i in range(N)]),
        np.roll(X, 1, 0),
    ),
    "ppermute some": (
        lambda x: lax.ppermute(x, "i", [(0, 3), (2, 1)]),
        np.stack([0 * X[0], X[2], 0 * X[0], X[0]]),
    ),
    "pshuffle": (lambda x: lax.pshuffle(x, "i", [2, 0, 3, 1]), X[[2, 0, 3, 1]]),
    "pbroadcast": (lambda x: lax.pbroadcast(x, "i", 2), same_everywhere(X[2])),
    "axis_index": (
        lambda x: x + lax.axis_index("i"),
        X + np.arange(N, dtype=np.float32)[:, None, None],
    ),
}
ALL = [pytest.param(*case, id=name) for name, case in CASES.items()]
LINEAR = [
    pytest.param(case[0], id=name)
    for name, case in CASES.items()
    if "max" not in name and "min" not in name
]


@pytest.mark.parametrize("fun, expected", ALL)
def test_over_the_lanes_of_vmap(fun, expected):
    assert_close(over_i(fun)(X), expected)
    assert_close(jaxlike.jit(over_i(fun))(X), expected)
    inner = jaxlike.jit(fun)
    assert_close(over_i(inner)(X), expected)
    looped = over_i(lambda x: lax.scan(lambda c, y: (c, fun(y)), 0, x[None])[1][0])
    assert_close(looped(X), expected)


@pytest.mark.parametrize("fun, expected", ALL)
def test_under_another_vmap(fun, expected):
    """Batched over an axis that is not theirs, inside and outside."""
    both = np.stack([X, X])
    for axis in range(4):
        moved = np.moveaxis(both, 0, axis)
        got = jaxlike.vmap(over_i(fun), in_axes=axis)(moved)
        assert_close(got[1], expected)
        if axis:
            inner = jaxlike.vmap(fun, in_axes=axis - 1, out_axes=-1)
            assert_close(over_i(inner)(np.moveaxis(both, 0, axis))[..., 1], expected)


@pytest.mark.parametrize("fun", LINEAR)
def test_derivatives(fun):
    def loss(x):
        y = jnp.sin(fun(x))
        return y.sum() * (1 + lax.axis_index("i"))

    whole = jaxlike.grad(lambda x: over_i(loss)(x).sum())
    # each lane's own gradient counts what its value does in the others
    assert_close(over_i(jaxlike.grad(loss))(X), whole(X), atol=1e-5)
    outside = jaxlike.jvp(over_i(loss), (X,), (X,))[1]
    inside = over_i(lambda x: jaxlike.jvp(loss, (x,), (x,))[1])
    assert_close(inside(X), outside, atol=1e-4)


def test_maxima_are_not_differentiated():
    for fun in (lax.pmax, lax.pmin):
        with pytest.raises(NotImplementedError, match="Differentiation rule for 'pm"):
            over_i(jaxlike.grad(lambda x: fun(x, "i").sum()))(X)


# --- several axes


def over_ij(fun):
    return jaxlike.vmap(jaxlike.vmap(fun, axis_name="j"), axis_name="i")


def test_several_axes():
    assert_close(over_ij(lambda x: lax.psum(x, ("i", "j")))(X)[2, 1], X.sum((0, 1)))
    assert_close(over_ij(lambda x: lax.pmax(x, ("j", "i")))(X)[2, 1], X.max((0, 1)))
    flat = X.reshape(N * N, 2)
    assert_close(over_ij(lambda x: lax.all_gather(x, ("i", "j")))(X)[3, 0], flat)
    turned = X.transpose(1, 0, 2).reshape(N * N, 2)
    got = over_ij(lambda x: lax.all_gather(x, ("j", "i"), axis=1))(X)[3, 0]
    assert_close(got, turned.T)
    index = over_ij(lambda x: lax.axis_index(("i", "j")))(X)
    assert np.array_equal(index, np.arange(N * N).reshape(N, N))
    assert over_ij(lambda x: x[0] * 0 + lax.axis_size(("i", "j")))(X)[0, 0] == 16


@pytest.mark.parametrize("names", [("i", "j"), ("j", "i")])
@pytest.mark.parametrize("tiled", [False, True])
def test_psum_scatter_over_several_axes(names, tiled):
    size = 6 if not tiled else 12
    x = np.random.default_rng(1).normal(size=(2, 3, size)).astype(np.float32)
    got = over_ij(lambda x: lax.psum_scatter(x, names, tiled=tiled))(x)
    parts = x.sum((0, 1)).reshape(6, -1)
    order = (
        np.arange(6).reshape(2, 3) if names[0] == "i" else np.arange(6).reshape(3, 2).T
    )
    expected = parts[order]
    assert_close(got, expected if tiled else expected[..., 0])


PAIRS = [[0, 4], [5, 1], [3, 2]]
LAWS_OF_NAMES = {
    "all_to_all": lambda x, names: lax.all_to_all(x, names, 0, 1),
    "all_to_all tiled": lambda x, names: lax.all_to_all(x, names, 1, 0, tiled=True),
    "all_to_all groups": lambda x, names: lax.all_to_all(
        x[:2], names, 0, 0, axis_index_groups=PAIRS
    ),
    "ppermute": lambda x, names: lax.ppermute(x, names, [(0, 3), (3, 1), (5, 0)]),
    "pshuffle": lambda x, names: lax.pshuffle(x, names, [3, 1, 5, 0, 2, 4]),
    "pbroadcast": lambda x, names: lax.pbroadcast(x, names, 4),
    "psum groups": lambda x, names: lax.psum(x, names, axis_index_groups=PAIRS),
    "pmax groups": lambda x, names: lax.pmax(x, names, axis_index_groups=PAIRS),
    "all_gather groups": lambda x, names: lax.all_gather(
        x, names, axis=1, axis_index_groups=PAIRS
    ),
    "psum_scatter groups": lambda x, names: lax.psum_scatter(
        x, names, tiled=True, axis_index_groups=PAIRS
    ),
}


@pytest.mark.parametrize("fun", LAWS_OF_NAMES.values(), ids=LAWS_OF_NAMES)
@pytest.mark.parametrize("names", [("i", "j"), ("j", "i")])
def test_several_names_are_one_axis_in_row_major_order(fun, names):
    x = np.random.default_rng(2).normal(size=(2, 3, 6, 6)).astype(np.float32)
    got = over_ij(lambda x: fun(x, names))(x)
    lanes = x if names[0] == "i" else x.swapaxes(0, 1)
    flat = over_i(lambda x: fun(x, "i"))(lanes.reshape(6, 6, 6))
    expected = flat.reshape(*lanes.shape[:2], *flat.shape[1:])
    assert_close(got, expected if names[0] == "i" else expected.swapaxes(0, 1))
    if "pmax" not in str(jaxlike.make_jaxpr(over_ij(lambda x: fun(x, names)))(x)):
        # linear: the transpose is the adjoint
        c = np.random.default_rng(3).normal(size=got.shape).astype(np.float32)
        _, pullback = jaxlike.vjp(over_ij(lambda x: fun(x, names)), x)
        (back,) = pullback(jnp.asarray(c))
        assert_close(np.vdot(c, got), np.vdot(back, x), rtol=1e-4)


# --- inside of jaxprs


def traced(fun, x=X[0]):
    return jaxlike.make_jaxpr(fun, axis_env=[("i", N)])(x)


@pytest.mark.parametrize("fun, expected", ALL)
def test_jaxprs_are_well_typed(fun, expected):
    closed = traced(fun)
    with extend_axis_env("i", N):
        check_jaxpr(closed)
    assert closed.out_avals[0].shape == expected.shape[1:]


def test_every_collective_is_covered():
    names = {
        eqn.primitive.name for fun, _ in CASES.values() for eqn in traced(fun).eqns
    }
    named = {
        p.name
        for p in registry.values()
        if p.axis_names is not None and not p.structural
    }
    assert named <= names


def test_constants_need_no_communication():
    assert not traced(lambda x: (lax.psum(1, "i"), lax.psum(2.5, "i"))).eqns
    assert lax.psum(3, ()) == 3
    assert over_i(lambda x: lax.pmean(2, "i"))(X).tolist() == [2.0] * N
    assert over_i(lambda x: lax.psum(x > 0, "i"))(X).dtype == jnp.int32


def test_pytrees():
    got = over_i(lambda x: lax.psum({"a": x, "b": (x[0], 1)}, "i"))(X)
    assert_close(got["a"][0], X.sum(0))
    assert_close(got["b"][0][0], X.sum(0)[0])
    assert got["b"][1].tolist() == [N] * N


def test_lanes_of_loops_and_branches():
    def loop(x):
        return lax.while_loop(
            lambda s: lax.psum(s.sum(), "i") < 100, lambda s: s * 2, jnp.abs(x)
        )

    expected = np.abs(X)
    while expected.sum() < 100:
        expected = expected * 2
    assert_close(over_i(loop)(X), expected)

    def branch(x):
        return lax.cond(
            lax.axis_index("i") > 1, lambda x: lax.psum(x, "i"), lambda x: x, x
        )

    assert_close(over_i(branch)(X), np.stack([X[0], X[1], X.sum(0), X.sum(0)]))


@pytest.mark.parametrize(
    "fun, error, says",
    [
        (lambda x: lax.psum(x, "k"), NameError, "unbound axis name: 'k', used by psum"),
        (lambda x: lax.axis_index("k"), NameError, "'i'"),
        (lambda x: lax.axis_size("k"), NameError, "unbound"),
        (lambda x: lax.all_gather(x, "k"), NameError, "unbound"),
        (lambda x: lax.ppermute(x, ("i", "k"), []), NameError, "unbound"),
        (
            lambda x: lax.psum(x, "i", axis_index_groups=[[0, 1], [1, 2]]),
            ValueError,
            "hold each index once",
        ),
        (
            lambda x: lax.all_gather(x, "i", axis_index_groups=[[0, 1, 2], [3]]),
            ValueError,
            "of one size",
        ),
        (lambda x: lax.psum_scatter(x[:3], "i"), ValueError, "3 elements for 4 shards"),
        (
            lambda x: lax.psum_scatter(x[:3], "i", tiled=True),
            ValueError,
            "no multiple of 4",
        ),
        (lambda x: lax.all_to_all(x, "i", 1, 0), ValueError, "have 4 elements"),
        (lambda x: lax.all_to_all(x, "i", 1, 0, tiled=True), ValueError, "divide"),
        (lambda x: lax.ppermute(x, "i", [(0, 1), (2, 1)]), ValueError, "unique"),
        (lambda x: lax.ppermute(x, "i", [(0, 9)]), ValueError, "size 4"),
        (lambda x: lax.pshuffle(x, "i", [0, 0, 1, 2]), ValueError, "permutation"),
    ],
)
def test_errors(fun, error, says):
    for run in (traced, lambda fun: over_i(fun)(X)):
        with pytest.raises(error) as caught:
            run(fun)
        assert says in str(caught.value).partition("\n  at ")[0]


def test_without_devices_there_is_no_value():
    with extend_axis_env("i", N), pytest.raises(NameError, match="devices"):
        lax.axis_index("i")
