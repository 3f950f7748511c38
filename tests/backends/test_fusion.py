"""How many kernels a program has: fusion keeps memory traffic and launches down."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
from jaxlike import lax
from jaxlike.backends.numba.program import Program
from jaxlike.core.array import to_buffer
from jaxlike.core.jaxpr import ClosedJaxpr, evaluate_jaxpr
from tests.primitives.case import assert_close

F32 = np.float32


def compiled(fun, *args, rtol=2e-4) -> Program:
    closed = jaxlike.make_jaxpr(fun)(*args)
    closed = ClosedJaxpr(closed.jaxpr, [to_buffer(c) for c in closed.consts])
    program = Program(closed, "fused")
    expected = evaluate_jaxpr(closed.jaxpr, closed.consts, *args)
    for got, want in zip(program(list(args)), expected, strict=True):
        assert_close(got, want, rtol, rtol)
    return program


def rows(x, like):
    """A value per row as a column, stretched over the rows of `like`."""
    return lax.broadcast_in_dim(x, like.shape, range(like.ndim - 1))


def total(x):
    return lax.reduce_sum(x, tuple(range(x.ndim)))


def mean(x):
    return lax.div(lax.reduce_sum(x, (x.ndim - 1,)), F32(x.shape[-1]))


def softmax(x):
    top = lax.stop_gradient(lax.reduce_max(x, (x.ndim - 1,)))
    e = lax.exp(lax.sub(x, rows(top, x)))
    return lax.div(e, rows(lax.reduce_sum(e, (x.ndim - 1,)), x))


def logsumexp(x):
    top = lax.stop_gradient(lax.reduce_max(x, (x.ndim - 1,)))
    e = lax.exp(lax.sub(x, rows(top, x)))
    return lax.add(lax.log(lax.reduce_sum(e, (x.ndim - 1,))), top)


def log_softmax(x):
    return lax.sub(x, rows(logsumexp(x), x))


def layer_norm(x):
    d = lax.sub(x, rows(mean(x), x))
    return lax.mul(d, rows(lax.rsqrt(lax.add(mean(lax.mul(d, d)), F32(1e-5))), x))


def rms_norm(x):
    return lax.mul(x, rows(lax.rsqrt(lax.add(mean(lax.square(x)), F32(1e-5))), x))


def cross_entropy(x):
    labels = lax.rem(lax.iota(np.int32, x.shape[0]), np.int32(x.shape[1]))
    classes = lax.broadcasted_iota(np.int32, x.shape, 1)
    one_hot = lax.convert_element_type(lax.eq(rows(labels, x), classes), F32)
    picked = lax.reduce_sum(lax.mul(one_hot, log_softmax(x)), (1,))
    return lax.neg(lax.div(total(picked), F32(x.shape[0])))


def gelu(x):
    return lax.mul(x, lax.mul(F32(0.5), lax.add(F32(1), lax.erf(lax.mul(x, F32(0.7))))))


FUNCTIONS = {
    "chain": (lambda x: lax.sin(lax.exp(lax.mul(gelu(x), x))), 1, 1),
    "softmax": (softmax, 1, 1),
    "log_softmax": (log_softmax, 1, 1),
    "logsumexp": (logsumexp, 1, 1),
    "layer_norm": (layer_norm, 1, 1),
    "rms_norm": (rms_norm, 1, 1),
    # the sum over rows follows the rows' own sums: two kernels
    "cross_entropy": (cross_entropy, 2, 1),
    "gelu": (gelu, 1, 1),
    "sum": (lambda x: lax.reduce_sum(lax.exp(x), (1,)), 1, 1),
    "sum of columns": (lambda x: lax.reduce_sum(lax.exp(x), (0,)), 1, 1),
    "transpose": (lambda x: lax.exp(lax.transpose(lax.sin(x), (1, 0))), 1, 1),
}


@pytest.mark.parametrize("shape", [(16, 24), (3, 5, 24)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_kernels(name, shape):
    fun, forward, backward = FUNCTIONS[name]
    x = np.random.default_rng(0).standard_normal(shape).astype(F32)
    if len(shape) == 3:
        if name in ("cross_entropy", "transpose"):
            return
    program = compiled(fun, x)
    assert (len(program.kernels), len(program.schedule)) == (forward, forward), (
        program.as_text()
    )
    weights = np.cos(np.arange(x.size, dtype=F32)).reshape(shape)

    def loss(x):
        out = fun(x)
        if not out.shape:
            return out
        if out.shape == x.shape:
            return total(lax.mul(out, weights))
        return total(lax.sin(out))

    program = compiled(jaxlike.grad(loss), x)
    assert (len(program.kernels), len(program.schedule)) == (backward, backward), (
        program.as_text()
    )


@pytest.mark.parametrize("size", [1000, 1 << 19])
def test_moments_of_all_are_one_kernel(size):
    """However large: the loops of a full reduction are cut into parallel stages."""

    def moments(x):
        mean = lax.div(lax.reduce_sum(x, (0,)), F32(x.size))
        d = lax.sub(x, lax.broadcast(mean, x.shape))
        return mean, lax.div(lax.reduce_sum(lax.mul(d, d), (0,)), F32(x.size)), d

    x = np.random.default_rng(0).standard_normal(size).astype(F32)
    assert len(compiled(moments, x).kernels) == 1


def test_producers_behind_a_reshape_are_kept():
    """A transpose then a flat view needs the array; other readers may compute it."""

    def f(x):
        y = lax.neg(x)
        flat = lax.reshape(lax.transpose(y, (1, 0)), (x.size,))
        return lax.exp(lax.reduce_sum(y, (1,))), lax.sin(flat), lax.rev(y, (0,))

    compiled(f, np.random.default_rng(0).standard_normal((6, 7)).astype(F32))
