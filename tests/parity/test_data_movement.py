"""Shapes, slices, gather, scatter and sort against JAX: errors, derivatives, jaxprs."""

from __future__ import annotations

import numpy as np
import pytest

from jaxlike import lax
from jaxlike.transforms.make_jaxpr import make_jaxpr
from jaxlike.transforms.pushforward import jvp
from jaxlike.transforms.vjp import vjp

jax = pytest.importorskip("jax")

X = np.arange(6, dtype=np.float32).reshape(2, 3)
V = np.arange(3, dtype=np.float32)
INTS = X.astype(np.int32)
AT = np.array([[0], [5], [-1], [-7]], np.int32)


def _gather(numbers, sizes, x=X, at=AT, **options):
    return lambda lax: lax.gather(
        x, at, lax.GatherDimensionNumbers(*numbers), sizes, **options
    )


def _scatter(updates, numbers=((1,), (0,), (0,)), at=AT, op="scatter"):
    return lambda lax: getattr(lax, op)(
        X, at, updates, lax.ScatterDimensionNumbers(*numbers)
    )


U = np.ones((4, 3), np.float32)
WRONG = {
    "broadcast_in_dim-sizes": lambda lax: lax.broadcast_in_dim(X, (4, 2, 3), (0, 1)),
    "broadcast_in_dim-twice": lambda lax: lax.broadcast_in_dim(
        X[:, :2], (2, 2), (0, 0)
    ),
    "broadcast_in_dim-length": lambda lax: lax.broadcast_in_dim(X, (4, 2, 3), (1,)),
    "broadcast_in_dim-rank": lambda lax: lax.broadcast_in_dim(X, (3,), (0, 1)),
    "broadcast_in_dim-axis": lambda lax: lax.broadcast_in_dim(X, (4, 2, 3), (1, 3)),
    "broadcast_in_dim-negative": lambda lax: lax.broadcast_in_dim(
        X, (-2, 2, 3), (1, 2)
    ),
    "broadcast_in_dim-float": lambda lax: lax.broadcast_in_dim(X, (4.0, 2, 3), (1, 2)),
    "broadcast_shapes": lambda lax: lax.broadcast_shapes((2, 1), (3, 3)),
    "broadcast_like": lambda lax: lax.broadcast_like(X, V),
    "reshape-minus-one": lambda lax: lax.reshape(X, (-1,)),
    "reshape-dimensions": lambda lax: lax.reshape(X, (6,), (0, 0)),
    "collapse": lambda lax: lax.collapse(X, 1, 0),
    "transpose": lambda lax: lax.transpose(X, (0, 0)),
    "transpose-negative": lambda lax: lax.transpose(X, (-1, 0)),
    "squeeze-size": lambda lax: lax.squeeze(X, (0,)),
    "squeeze-axis": lambda lax: lax.squeeze(X, (5,)),
    "expand_dims-twice": lambda lax: lax.expand_dims(X, (0, 0)),
    "expand_dims-axis": lambda lax: lax.expand_dims(X, (5,)),
    "rev-axis": lambda lax: lax.rev(X, (2,)),
    "rev-twice": lambda lax: lax.rev(X, (0, 0)),
    "pad-length": lambda lax: lax.pad(X, 0.0, [(0, 0, 0)]),
    "pad-dtype": lambda lax: lax.pad(X, 1, [(0, 0, 0)] * 2),
    "pad-interior": lambda lax: lax.pad(X, 0.0, [(0, 0, 0), (0, 0, -1)]),
    "pad-too-negative": lambda lax: lax.pad(X, 0.0, [(0, 0, 0), (-2, -2, 0)]),
    "pad-value": lambda lax: lax.pad(X, V, [(0, 0, 0)] * 2),
    "concatenate-none": lambda lax: lax.concatenate([], 0),
    "concatenate-dtypes": lambda lax: lax.concatenate([X, INTS], 0),
    "concatenate-ranks": lambda lax: lax.concatenate([X, V], 0),
    "concatenate-axis": lambda lax: lax.concatenate([X, X], -1),
    "concatenate-shapes": lambda lax: lax.concatenate([X, X.T], 0),
    "split-sum": lambda lax: lax.split(X, (1, 1), 1),
    "split-negative": lambda lax: lax.split(X, (-1, 4), 1),
    "split-axis": lambda lax: lax.split(X, (1, 2), 5),
    "iota-size": lambda lax: lax.iota(np.int32, -1),
    "iota-dtype": lambda lax: lax.iota(bool, 2),
    "iota-axis": lambda lax: lax.broadcasted_iota(np.int32, (2,), 1),
    "tile": lambda lax: lax.tile(X, (2,)),
    "stack-axis": lambda lax: lax.stack([X], 3),
    "stack-shapes": lambda lax: lax.stack([X, V], 0),
    "stack-dtypes": lambda lax: lax.stack([X, INTS], 0),
    "unstack": lambda lax: lax.unstack(np.float32(1)),
    "full": lambda lax: lax.full((2,), V),
    "select_n-which": lambda lax: lax.select_n(X, X, X),
    "select_n-shapes": lambda lax: lax.select_n(X > 0, X, V),
    "select_n-dtypes": lambda lax: lax.select_n(X > 0, X, INTS),
    "select_n-which-shape": lambda lax: lax.select_n(V > 0, X, X),
    "select_n-none": lambda lax: lax.select_n(X > 0),
    "select_n-three": lambda lax: lax.select_n(X > 0, X, X, X),
    "clamp-dtypes": lambda lax: lax.clamp(0, X, 1),
    "clamp-min": lambda lax: lax.clamp(V, X, 1.0),
    "clamp-max": lambda lax: lax.clamp(0.0, V[0], V),
    "slice-limit": lambda lax: lax.slice(X, (0, 0), (1, 4)),
    "slice-strides": lambda lax: lax.slice(X, (0, 0), (1, 3), (1,)),
    "slice-stride": lambda lax: lax.slice(X, (0, 0), (1, 3), (1, -1)),
    "slice_in_dim-limit": lambda lax: lax.slice_in_dim(X, 0, 10, axis=1),
    "slice_in_dim-axis": lambda lax: lax.slice_in_dim(X, 0, 1, axis=2),
    "index_in_dim": lambda lax: lax.index_in_dim(X, 5, 0),
    "dynamic_slice-starts": lambda lax: lax.dynamic_slice(X, (0,), (1, 1)),
    "dynamic_slice-sizes": lambda lax: lax.dynamic_slice(X, (0, 0), (1, 4)),
    "dynamic_slice-float": lambda lax: lax.dynamic_slice(X, (0.0, 0), (1, 3)),
    "dynamic_slice-mixed": lambda lax: lax.dynamic_slice(X, (0, np.int8(0)), (1, 3)),
    "dynamic_slice-vector": lambda lax: lax.dynamic_slice(X, (V, 0), (1, 3)),
    "dynamic_slice-negative": lambda lax: lax.dynamic_slice(
        V, (-1,), (2,), allow_negative_indices=False
    ),
    "dynamic_update_slice-rank": lambda lax: lax.dynamic_update_slice(X, V, (0, 0)),
    "dynamic_update_slice-size": lambda lax: lax.dynamic_update_slice(V, U[:, 0], (0,)),
    "dynamic_update_slice-dtype": lambda lax: lax.dynamic_update_slice(X, INTS, (0, 0)),
    "gather-float": _gather(((1,), (0,), (0,)), (1, 3), at=AT.astype(np.float32)),
    "gather-size": _gather(((1,), (0,), (0,)), (1, 4)),
    "gather-collapsed": _gather(((1,), (0,), (0,)), (2, 3)),
    "gather-sizes": _gather(((1,), (0,), (0,)), (1,)),
    "gather-offsets": _gather(((0, 1), (0,), (0,)), (1, 3)),
    "gather-missing": _gather(((1,), (), (0,)), (1, 3)),
    "gather-offset": _gather(((3,), (0,), (0,)), (1, 3)),
    "gather-map": _gather(((1,), (0,), (0, 1)), (1, 3)),
    "gather-axis": _gather(((1,), (0,), (2,)), (1, 3)),
    "gather-batching": _gather(((1,), (0,), (0,), (0,), (0,)), (1, 3)),
    "gather-0d": _gather(((0,), (0,), (0,)), (1, 3), at=np.int32(0)),
    "gather-mode": _gather(((1,), (0,), (0,)), (1, 3), mode="zip"),
    "scatter-updates": _scatter(X),
    "scatter-window": _scatter(np.ones((4, 4), np.float32)),
    "scatter-dtype": _scatter(U.astype(np.int32)),
    "scatter-float": _scatter(U, at=AT.astype(np.float32)),
    "scatter-missing": _scatter(U, ((1,), (), (0,))),
    "scatter-axis": _scatter(U, ((2,), (0,), (0,))),
    "scatter-map": _scatter(U, ((1,), (0,), (0, 1))),
    "scatter_apply": lambda lax: lax.scatter_apply(
        X, AT, lax.sin, lax.ScatterDimensionNumbers((1,), (0,), (0,))
    ),
    "sort-0d": lambda lax: lax.sort(np.float32(3)),
    "sort-axis": lambda lax: lax.sort(V, dimension=1),
    "sort-shapes": lambda lax: lax.sort([V, V[:2]]),
    "sort-none": lambda lax: lax.sort([]),
    "sort-keys": lambda lax: lax.sort([V, V], num_keys=3),
    "top_k-large": lambda lax: lax.top_k(V, 4),
    "top_k-negative": lambda lax: lax.top_k(V, -1),
    "top_k-complex": lambda lax: lax.top_k(V.astype(np.complex64), 1),
    "top_k-axis": lambda lax: lax.top_k(V, 1, axis=1),
    "approx_max_k-int": lambda lax: lax.approx_max_k(INTS, 1),
    "approx_max_k-large": lambda lax: lax.approx_max_k(V, 4),
}


@pytest.mark.parametrize("name", WRONG)
def test_error_class_is_jax_class(name: str):
    with pytest.raises(Exception) as wanted:
        WRONG[name](jax.lax)
    with pytest.raises(wanted.type):
        WRONG[name](lax)


AT4 = np.array([[0], [0], [1], [7]], np.int32)
AT4_ONCE = np.array([[0], [1], [7], [8]], np.int32)
UPDATES = ([1, 2, 3, 4], [1, 1, 2, 5], [5, 5, 0, 5])


@pytest.mark.parametrize("updates", UPDATES)
@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize("op", ["", "_add", "_sub", "_mul", "_min", "_max"])
def test_derivatives_of_scatter(op, unique, updates):
    """What ties and repeated places get of a derivative is JAX's choice."""
    at = AT4_ONCE if unique else AT4
    x, u = np.float32([1, 2, 3]), np.float32(updates)
    ct, tu = np.float32([1, 10, 100]), np.float32([1e3, 1e4, 1e5, 1e6])

    def scatter(lax):
        numbers = lax.ScatterDimensionNumbers((), (0,), (0,))
        run = getattr(lax, f"scatter{op}")
        return lambda x, u: run(x, at, u, numbers, unique_indices=unique)

    ours, theirs = scatter(lax), scatter(jax.lax)
    if op == "_mul" and not unique:
        for fun, derivative in ((ours, jvp), (theirs, jax.jvp)):
            with pytest.raises(NotImplementedError):
                derivative(fun, (x, u), (ct, tu))
        return
    tangent = jvp(ours, (x, u), (ct, tu))[1]
    np.testing.assert_allclose(tangent, jax.jvp(theirs, (x, u), (ct, tu))[1], 1e-5)
    pulled, wanted = vjp(ours, x, u)[1](ct), jax.vjp(theirs, x, u)[1](ct)
    for got, want in zip(pulled, wanted, strict=True):
        np.testing.assert_allclose(got, want, 1e-5)


PRINTED = {
    "gather": lambda lax, x: _gather(((1,), (0,), (0,)), (1, 3), x, AT)(lax),
    "scatter_add": lambda lax, x: lax.scatter_add(
        x, AT[:2], U[:2], lax.ScatterDimensionNumbers((1,), (0,), (0,))
    ),
    "pad": lambda lax, x: lax.pad(x, np.float32(0), [(1, 1, 0), (0, 0, 1)]),
    "slice": lambda lax, x: lax.slice_in_dim(x, 0, 1),
    "dynamic_slice": lambda lax, x: lax.dynamic_slice(x, (-1, 0), (1, 2)),
    "reshape": lambda lax, x: lax.reshape(x, (3, 2)),
    "broadcast": lambda lax, x: lax.broadcast(x, (2,)),
    "full_like": lambda lax, x: lax.full_like(x, 2),
    "split": lambda lax, x: lax.split(x, (1, 1)),
    "stack": lambda lax, x: lax.stack([x, x], 1),
    "unstack": lambda lax, x: lax.unstack(x),
    "tile": lambda lax, x: lax.tile(x, (2, 1)),
    "sort": lambda lax, x: lax.sort(x, dimension=0),
    "top_k": lambda lax, x: lax.top_k(x, 2),
    "approx_max_k": lambda lax, x: lax.approx_max_k(x, 2),
    "clamp": lambda lax, x: lax.clamp(0.0, x, 1.0),
    "select": lambda lax, x: lax.select(True, x, x),
}


@pytest.mark.parametrize("name", PRINTED)
def test_jaxpr_prints_as_in_jax(name: str):
    ours = make_jaxpr(lambda x: PRINTED[name](lax, x))(X)
    assert str(ours) == str(jax.make_jaxpr(lambda x: PRINTED[name](jax.lax, x))(X))
