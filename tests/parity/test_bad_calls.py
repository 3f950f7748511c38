"""Calls that fail: products, reductions, windows and matrices raise JAX's classes."""

from __future__ import annotations

import numpy as np
import pytest

from jaxlike import lax

jax = pytest.importorskip("jax")

X = np.ones((3, 4), np.float32)
I = np.ones((3, 4), np.int32)
C = np.ones((3, 4), np.complex64)
SQUARE = np.eye(3, dtype=np.float32)
IMAGE = np.ones((4, 6, 9, 10), np.float32)
KERNEL = np.ones((8, 6, 3, 3), np.float32)
CONTRACT = (((1,), (1,)), ((), ()))


def dot(x, y, contracting=((1,), (1,)), batch=((), ()), **options):
    return lambda lax: lax.dot_general(x, y, (contracting, batch), **options)


def conv(strides=(1, 1), padding="SAME", lhs=IMAGE, rhs=KERNEL, **options):
    return lambda lax: lax.conv_general_dilated(lhs, rhs, strides, padding, **options)


def window(*args, x=X, init=0.0, **options):
    return lambda lax: lax.reduce_window(x, init, lax.add, *args, **options)


def letters(*specs):
    return lambda lax: lax.conv_dimension_numbers(IMAGE.shape, KERNEL.shape, specs)


CALLS = {
    "sum-bool": lambda lax: lax.reduce_sum(X > 0, (0,)),
    "sum-negative": lambda lax: lax.reduce_sum(X, (-1,)),
    "sum-twice": lambda lax: lax.reduce_sum(X, (0, 0)),
    "sum-beyond": lambda lax: lax.reduce_sum(X, (2,)),
    "or-float": lambda lax: lax.reduce_or(X, (0,)),
    "argmax-axis": lambda lax: lax.argmax(X, 2, np.int32),
    "argmax-empty": lambda lax: lax.argmax(X[:0], 0, np.int32),
    "argmax-dtype": lambda lax: lax.argmax(X, 0, np.float32),
    "argmax-complex": lambda lax: lax.argmax(C, 0, np.int32),
    "cumsum-bool": lambda lax: lax.cumsum(X > 0),
    "cumsum-negative": lambda lax: lax.cumsum(X, -1),
    "cumsum-beyond": lambda lax: lax.cumsum(X, 2),
    "reduce-shape": lambda lax: lax.reduce(X, X[0], lambda a, b: a, (0,)),
    "reduce-dtype": lambda lax: lax.reduce(X, 1, lambda a, b: a, (0,)),
    "reduce-tree": lambda lax: lax.reduce((X, I), (0.0,), lambda a, b: a, (0,)),
    "dot-sizes": dot(X, np.ones((3, 5), np.float32)),
    "dot-axis": dot(X, X, ((2,), (1,))),
    "dot-negative": dot(X, X, ((-1,), (-1,))),
    "dot-counts": dot(X, X, ((0, 1), (1,))),
    "dot-twice": dot(X, X, ((1, 1), (1, 1))),
    "dot-overlap": dot(X, X, batch=((1,), (1,))),
    "dot-batch": dot(X, np.ones((4, 4), np.float32), batch=((0,), (0,))),
    "dot-narrower": dot(I, I, preferred_element_type=np.int16),
    "dot-precision": dot(X, X, precision="foo"),
    "dot-precisions": dot(X, X, precision=("high", None)),
    "dot-ranks": lambda lax: lax.dot(np.ones((2, 2, 3), np.float32), X),
    "dot-vectors": lambda lax: lax.dot(X, X),
    "batch_matmul-rank": lambda lax: lax.batch_matmul(X[0], X[0]),
    "batch_matmul-ranks": lambda lax: lax.batch_matmul(X[None], X),
    "ragged-groups": lambda lax: lax.ragged_dot(
        X, np.ones((2, 4, 5), np.float32), np.array([1, 1, 1])
    ),
    "ragged-sizes": lambda lax: lax.ragged_dot(
        X, np.ones((2, 4, 5), np.float32), np.array([1.0, 1.0], np.float32)
    ),
    "ragged-contracted": lambda lax: lax.ragged_dot(
        X, np.ones((2, 3, 5), np.float32), np.array([1, 1])
    ),
    "conv-rank": conv(lhs=IMAGE[0]),
    "conv-strides": conv((1,)),
    "conv-features": conv(rhs=KERNEL[:, :5]),
    "conv-groups": conv(feature_group_count=4),
    "conv-group-outputs": conv(rhs=KERNEL[:7, :3], feature_group_count=2),
    "conv-no-groups": conv(feature_group_count=0),
    "conv-batch-groups": conv(batch_group_count=3),
    "conv-batch-outputs": conv(rhs=KERNEL[:7], batch_group_count=2),
    "conv-both-groups": conv(
        rhs=KERNEL[:, :3], feature_group_count=2, batch_group_count=2
    ),
    "conv-padding": conv(padding="FOO"),
    "conv-paddings": conv(padding=((1, 1),)),
    "conv-named-dilation": conv(lhs_dilation=(2, 2)),
    "conv-dtypes": conv(rhs=KERNEL.astype(np.float16)),
    "letters-count": letters("NHWC", "HWIO"),
    "letters-length": letters("NHWC", "HWIO", "NHW"),
    "letters-unknown": letters("NHWC", "HWIX", "NHWC"),
    "letters-twice": letters("NHHC", "HWIO", "NHWC"),
    "letters-other": letters("NHXC", "HWIO", "NHWC"),
    "pads-name": lambda lax: lax.padtype_to_pads((9,), (3,), (2,), "BAD"),
    "pads-type": lambda lax: lax.padtype_to_pads((9,), (3,), (2,), 3),
    "window-rank": window((1,)),
    "window-strides": window((1, 1), (1,)),
    "window-padding": window((1, 1), (1, 1), ((0, 0),)),
    "window-name": window((1, 1), (1, 1), "FOO"),
    "window-zero": window((0, 1)),
    "window-zero-stride": window((1, 1), (0, 1)),
    "window-dtype": window((1, 1), init=1),
    "fft-length": lambda lax: lax.fft(C, "fft", (5,)),
    "fft-rank": lambda lax: lax.fft(C, "fft", (3, 3, 4)),
    "fft-kind": lambda lax: lax.fft(C, "foo", (4,)),
    "fft-number": lambda lax: lax.fft(C, 0, (4,)),
    "rfft-complex": lambda lax: lax.fft(C, "rfft", (4,)),
    "rfft-half": lambda lax: lax.fft(X.astype(np.float16), "rfft", (4,)),
    "solve-sizes": lambda lax: lax.linalg.triangular_solve(SQUARE, X.T, left_side=True),
    "solve-square": lambda lax: lax.linalg.triangular_solve(X, X),
    "solve-dtypes": lambda lax: lax.linalg.triangular_solve(
        SQUARE, SQUARE.astype(np.complex64)
    ),
    "solve-int": lambda lax: lax.linalg.triangular_solve(
        SQUARE.astype(np.int32), SQUARE.astype(np.int32)
    ),
    "tridiagonal-sizes": lambda lax: lax.linalg.tridiagonal_solve(X[0], X[0], X[0], X),
    "cholesky-square": lambda lax: lax.linalg.cholesky(X, symmetrize_input=False),
    "pivots-size": lambda lax: lax.linalg.lu_pivots_to_permutation(
        np.arange(4, dtype=np.int32), 3
    ),
    "pivots-dtype": lambda lax: lax.linalg.lu_pivots_to_permutation(
        np.arange(4, dtype=np.uint32), 5
    ),
    "householder-wide": lambda lax: lax.linalg.householder_product(X, X[0, :3]),
    "ormqr-sizes": lambda lax: lax.linalg.ormqr(X.T, X[0, :3], X),
    "symmetric-sizes": lambda lax: lax.linalg.symmetric_product(X, np.eye(4, 4)),
}
for name in ("lu", "qr", "svd", "eig", "schur", "hessenberg", "tridiagonal"):
    CALLS[f"{name}-int"] = lambda lax, f=name: getattr(lax.linalg, f)(I[:, :3])
    CALLS[f"{name}-vector"] = lambda lax, f=name: getattr(lax.linalg, f)(X[0])
for name in ("eig", "schur", "hessenberg", "tridiagonal"):
    CALLS[f"{name}-square"] = lambda lax, f=name: getattr(lax.linalg, f)(X)


@pytest.mark.parametrize("name", CALLS)
def test_raises_what_jax_raises(name):
    with pytest.raises(Exception) as by_jax:
        CALLS[name](jax.lax)
    with pytest.raises(Exception) as raised:
        CALLS[name](lax)
    assert type(raised.value) is type(by_jax.value)
    assert str(raised.value)
