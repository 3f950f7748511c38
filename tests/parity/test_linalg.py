"""jax.numpy.linalg by JAX: dtypes, shapes, errors, and values without free signs."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
from tests.parity.compare import check_same, collector

jax = pytest.importorskip("jax")

cases, case = collector()

_rng = np.random.default_rng(0)
SQUARE = _rng.normal(size=(3, 3)).astype(np.float32) + 2 * np.eye(3, dtype=np.float32)
STACK = _rng.normal(size=(2, 3, 3)).astype(np.float32)
TALL = _rng.normal(size=(4, 3)).astype(np.float32)
POSITIVE = SQUARE @ SQUARE.T

INPUTS = {
    "square": SQUARE,
    "ints": np.arange(9, dtype=np.int32).reshape(3, 3),
    "complex": SQUARE + 1j * STACK[0],
    "oblong": TALL,
    "float16": SQUARE.astype(np.float16),
    "vector": SQUARE[0],
    "scalar": np.float32(2),
    "empty": np.zeros((0, 0), np.float32),
    "list": [[1.0, 2.0], [3.0, 4.0]],
}
UNARY = ("det", "inv", "slogdet", "svdvals", "pinv", "cond", "eigvalsh", "cholesky")
UNARY = (*UNARY, "matrix_rank", "norm", "trace", "diagonal", "vector_norm")
UNARY = (*UNARY, "matrix_norm", "matrix_transpose")
# float16 has no factorisations in jax; here it has
_WIDE = ("inv", "slogdet", "svdvals", "pinv", "cond", "eigvalsh", "cholesky")
SKIPPED = {(name, "float16") for name in (*_WIDE, "matrix_rank")}


def _unary(name, kind):
    def fun(jax):
        x = INPUTS[kind]
        if name == "cholesky" and kind in ("square", "complex", "ints"):
            x = x @ np.conj(np.swapaxes(x, -1, -2)) + 5 * np.eye(3, dtype=x.dtype)
        return getattr(jax.numpy.linalg, name)(x)

    fun.__name__ = f"{name}-{kind}"
    if (name, kind) not in SKIPPED:
        case(fun)


for _name in UNARY:
    for _kind in INPUTS:
        _unary(_name, _kind)


def _shapes(name, fun):
    """A case that compares the kinds of the results, not their values."""

    def kinds(jax):
        out = fun(jax)
        outs = out if isinstance(out, tuple) else (out,)
        return [type(out).__name__ if isinstance(out, tuple) else "Array"] + [
            (x.shape, str(x.dtype), x.weak_type) for x in outs
        ]

    kinds.__name__ = name
    case(kinds)


for _name in ("eig", "eigh", "svd", "qr", "eigvals"):
    for _kind in INPUTS:
        if _kind != "float16":
            _shapes(
                f"{_name}-{_kind}",
                lambda jax, n=_name, k=_kind: getattr(jax.numpy.linalg, n)(INPUTS[k]),
            )
for _mode in ("reduced", "complete", "raw", "r", "full", "bad"):
    _shapes(f"qr-{_mode}", lambda jax, m=_mode: jax.numpy.linalg.qr(TALL, m))
_shapes("svd thin", lambda jax: jax.numpy.linalg.svd(TALL, full_matrices=False))
_shapes("svd values", lambda jax: jax.numpy.linalg.svd(TALL, compute_uv=False))
_shapes("svd hermitian", lambda jax: jax.numpy.linalg.svd(POSITIVE, hermitian=True))


@case
def raw_reflectors(jax):
    return list(jax.numpy.linalg.qr(TALL, "raw"))


@case
def solve(jax):
    la, b = jax.numpy.linalg, TALL[:3]
    outs = [la.solve(SQUARE, b), la.solve(SQUARE, b[0]), la.solve(STACK, b[0])]
    return [*outs, la.solve(STACK, b), la.solve(STACK, STACK), la.solve(SQUARE, STACK)]


@case
def lstsq(jax):
    la = jax.numpy.linalg
    outs = [la.lstsq(TALL, TALL[:, 0]), la.lstsq(TALL.T, SQUARE, numpy_resid=True)]
    outs += [la.lstsq(TALL, TALL[:, :2], rcond=0.5), la.lstsq(TALL + 1j, TALL[:, 0])]
    return [list(out) for out in outs]


@case
def options(jax):
    la = jax.numpy.linalg
    outs = [la.cholesky(POSITIVE, upper=True), la.eigvalsh(SQUARE, UPLO="U")]
    outs += [la.eigvalsh(SQUARE, symmetrize_input=False), la.pinv(SQUARE, rtol=0.5)]
    outs += [la.matrix_rank(SQUARE, rtol=0.5), la.matrix_rank(SQUARE, tol=1.0)]
    outs += [la.slogdet(SQUARE, method="qr"), la.pinv(POSITIVE, hermitian=True)]
    return [*outs, la.trace(STACK, offset=1), la.diagonal(STACK, offset=-1)]


@case
def norms(jax):
    la, inf = jax.numpy.linalg, np.inf
    matrix = (None, 1, -1, 2, -2, inf, -inf, "fro", "nuc")
    vector = (None, 0, 1, -1, 2, 2.5, inf, -inf)
    outs = [la.norm(STACK, p, axis=(0, 2)) for p in matrix]
    outs += [la.norm(STACK, p, axis=1, keepdims=True) for p in vector]
    outs += [la.cond(STACK, p) for p in matrix]
    return [*outs, la.norm(STACK), la.vector_norm(STACK, axis=(0, 1))]


@case
def powers_and_tensors(jax):
    la = jax.numpy.linalg
    outs = [la.matrix_power(SQUARE, n) for n in (0, 1, 3, 6, -2)]
    outs += [la.multi_dot([TALL, SQUARE, TALL.T]), la.multi_dot([SQUARE[0], SQUARE[1]])]
    six = np.eye(6, dtype=np.float32).reshape(2, 3, 6) + 0.1
    outs += [la.tensorinv(six), la.tensorinv(six.reshape(6, 2, 3), ind=1)]
    outs += [la.tensorsolve(six, six[..., 0]), la.cross(STACK[0], STACK[1])]
    return [*outs, la.outer(SQUARE[0], SQUARE[1]), la.vecdot(STACK, STACK, axis=0)]


@case
def gradients(jax):
    la, grad = jax.numpy.linalg, jax.grad
    outs = [grad(lambda a: la.inv(a).sum())(SQUARE), grad(la.det)(SQUARE)]
    outs += [grad(lambda a: la.slogdet(a)[1])(SQUARE), grad(la.norm)(TALL)]
    outs += [grad(lambda a: la.pinv(a).sum())(TALL), grad(la.cond)(SQUARE)]
    outs += [grad(lambda a: la.eigvalsh(a)[0])(POSITIVE)]
    return [*outs, grad(lambda a: la.solve(a, TALL[:3]).sum())(SQUARE)]


def _wrong(name, fun):
    fun.__name__ = f"wrong-{name}"
    case(fun)


_wrong("solve sizes", lambda jax: jax.numpy.linalg.solve(SQUARE, TALL))
_wrong("solve oblong", lambda jax: jax.numpy.linalg.solve(TALL, TALL))
_wrong("solve stack", lambda jax: jax.numpy.linalg.solve(STACK, STACK[:, 0]))
_wrong("solve scalar", lambda jax: jax.numpy.linalg.solve(SQUARE, 1.0))
_wrong("lstsq", lambda jax: jax.numpy.linalg.lstsq(TALL, SQUARE))
_wrong("UPLO", lambda jax: jax.numpy.linalg.eigh(SQUARE, UPLO="x"))
_wrong("slogdet", lambda jax: jax.numpy.linalg.slogdet(SQUARE, method="x"))
_wrong("pinv", lambda jax: jax.numpy.linalg.pinv(SQUARE, 0.1, rcond=0.1))
_wrong("rank", lambda jax: jax.numpy.linalg.matrix_rank(SQUARE, 0.1, tol=0.1))
_wrong("order", lambda jax: jax.numpy.linalg.norm(SQUARE, 3))
_wrong("word", lambda jax: jax.numpy.linalg.norm(SQUARE[0], "fro"))
_wrong("axes", lambda jax: jax.numpy.linalg.norm(STACK, 2))
_wrong("power", lambda jax: jax.numpy.linalg.matrix_power(SQUARE, 1.5))
_wrong("power shape", lambda jax: jax.numpy.linalg.matrix_power(TALL, 2))
_wrong("chain", lambda jax: jax.numpy.linalg.multi_dot([SQUARE, TALL]))
_wrong("tensorinv", lambda jax: jax.numpy.linalg.tensorinv(STACK, ind=1))
_wrong("tensorsolve", lambda jax: jax.numpy.linalg.tensorsolve(STACK, STACK[0]))
_wrong("cross", lambda jax: jax.numpy.linalg.cross(TALL[:, :2], TALL[:, :2]))
_wrong("outer", lambda jax: jax.numpy.linalg.outer(TALL, TALL))


@pytest.mark.parametrize("fun", cases, ids=lambda fun: fun.__name__)
def test_same_as_jax(fun):
    check_same(fun, jaxlike, jax)
