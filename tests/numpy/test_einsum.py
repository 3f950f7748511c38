"""einsum and the matrix products, against NumPy and against one another."""

from __future__ import annotations

import numpy as np
import pytest

import jaxlike
import jaxlike.numpy as jnp
from tests.numpy.indices import staged
from tests.primitives.gradcheck import check_grads

TERMS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ij,kj->ki", (2, 3), (4, 3)),
    ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)),
    ("bij,bjk->kib", (5, 2, 3), (5, 3, 4)),
    ("...ij,...jk->...ik", (5, 1, 2, 3), (4, 3, 2)),
    ("i...,...i->...", (3, 2), (2, 3)),
    ("i,i->i", (3,), (3,)),
    ("i,j->ji", (3,), (2,)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ij,kl->", (2, 3), (4, 2)),
    ("ij,jk->ik", (2, 1), (3, 4)),
    ("ij,ij->ij", (1, 3), (2, 3)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iij->j", (3, 3, 2)),
    ("iji->ij", (3, 2, 3)),
    ("iii->i", (2, 2, 2)),
    ("ij->ji", (2, 3)),
    ("ij->", (2, 3)),
    ("...ij->...", (4, 2, 3)),
    ("iij,jk->ik", (3, 3, 4), (4, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("i,ij,j->", (2,), (2, 3), (3,)),
    ("bi,bj,bk->bijk", (2, 3), (2, 2), (2, 4)),
    ("ab,bc,cd,de->ae", (2, 3), (3, 2), (2, 4), (4, 2)),
    ("i->i", (0,)),
    ("ij,jk->ik", (2, 0), (0, 3)),
    (" i j , j -> i ", (2, 3), (3,)),
    (",i->i", (), (3,)),
    ("ba,ca", (2, 3), (4, 3)),
]


def operands(shapes, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s).astype(dtype) for s in shapes]


@pytest.mark.parametrize("terms, shapes", [(t[0], t[1:]) for t in TERMS])
def test_einsum_is_numpys(terms, shapes):
    xs = operands(shapes, dtype=np.float32)
    expected = np.einsum(terms, *xs, optimize=False)
    got = jnp.einsum(terms, *xs)
    assert got.dtype == jnp.float32 and got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    got = staged(lambda *xs: jnp.einsum(terms, *xs))(*xs)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("terms, shapes", [(t[0], t[1:]) for t in TERMS[::3]])
def test_einsum_gradients(terms, shapes):
    with jaxlike.enable_x64(True):
        check_grads(lambda *xs: [jnp.einsum(terms, *xs)], operands(shapes), order=1)


@pytest.mark.parametrize(
    "optimize", ["auto", "greedy", "optimal", True, False, [(1, 2), (0, 1)]]
)
def test_every_order_gives_the_same(optimize):
    xs = operands([(2, 3), (3, 4), (4, 5)], dtype=np.float32)
    got = jnp.einsum("ij,jk,kl->il", *xs, optimize=optimize)
    np.testing.assert_allclose(got, xs[0] @ xs[1] @ xs[2], rtol=1e-5)


def test_lists_of_ints():
    x, y = operands([(2, 3), (3, 4)], dtype=np.float32)
    np.testing.assert_allclose(
        jnp.einsum(x, [0, 1], y, [1, 2], [2, 0]), (x @ y).T, 1e-5
    )
    got = jnp.einsum(x, [7, 1], y, [1, 2])
    np.testing.assert_allclose(got, np.einsum("ca,ab", x, y), rtol=1e-5)
    np.testing.assert_allclose(jnp.einsum(x, [..., 0], [...]), x.sum(1), rtol=1e-6)
    np.testing.assert_allclose(jnp.einsum(x, [0, 0 + 1]), x)


def test_einsum_path():
    xs = operands([(10, 2), (2, 10), (10, 2)])
    path, info = jnp.einsum_path("ij,jk,kl->il", *xs)
    assert path == [(1, 2), (0, 1)] or path == [(0, 1), (0, 1)]
    assert "scaling" in str(info)


def test_dtypes_of_products():
    half, bf16 = jnp.ones((2, 2), "float16"), jnp.ones((2, 2), "bfloat16")
    ints, small = jnp.ones((2, 2), int), jnp.ones((2, 2), "int8")
    for fun in (jnp.matmul, jnp.dot, jnp.inner, lambda a, b, **k: jnp.vdot(a, b, **k)):
        assert fun(half, ints).dtype == jnp.float16
        assert fun(half, bf16).dtype == jnp.float32
        assert fun(small, small).dtype == jnp.int8
        assert fun(small, small, preferred_element_type="int32").dtype == jnp.int32
        assert fun(bf16, bf16, preferred_element_type="float32").dtype == jnp.float32
        assert fun(half > 0, half > 0).dtype == bool
    assert jnp.dot(jnp.asarray(2.0), 3.0).weak_type
    assert not jnp.dot(2.0, jnp.ones(2)).weak_type
    got = jnp.einsum("ij,jk->ik", small * 100, small * 100)
    assert got.tolist() == [[32, 32], [32, 32]] and got.dtype == jnp.int8
    assert jnp.einsum("ij->i", half > 0).dtype == bool


PAIRS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (1, 3, 4)),
    ((7, 1, 2, 3), (5, 3, 4)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((6, 1, 2, 3), (6, 5, 3, 4)),
    ((1, 5, 2, 3), (6, 5, 3, 2)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 2)),
]


@pytest.mark.parametrize("left, right", PAIRS)
def test_matmul(left, right):
    x, y = operands([left, right], dtype=np.float32)
    for fun in (jnp.matmul, staged(jnp.matmul)):
        got = fun(jnp.asarray(x), jnp.asarray(y))
        np.testing.assert_allclose(got, x @ y, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(jnp.asarray(x) @ y, x @ y, rtol=1e-4, atol=1e-5)
    if len(left) < 3 and len(right) < 3:
        got = jnp.dot(jnp.asarray(x), jnp.asarray(y))
        np.testing.assert_allclose(got, x @ y, rtol=1e-4, atol=1e-5)


def test_complex_products_conjugate_the_left():
    rng = np.random.default_rng(0)
    z = (rng.normal(size=(4, 3)) + 1j * rng.normal(size=(4, 3))).astype(np.complex64)
    w = z[::-1].copy()
    np.testing.assert_allclose(jnp.vdot(z, w), np.vdot(z, w), rtol=1e-5)
    np.testing.assert_allclose(jnp.vecdot(z, w), (z.conj() * w).sum(-1), rtol=1e-5)
    np.testing.assert_allclose(
        jnp.vecdot(z, w, axis=0), (z.conj() * w).sum(0), rtol=1e-5
    )
    np.testing.assert_allclose(jnp.vecmat(z, w.T), z.conj() @ w.T, rtol=1e-5)
    np.testing.assert_allclose(jnp.inner(z, w), z @ w.T, rtol=1e-5)
    np.testing.assert_allclose(jnp.matvec(z, w), (z @ w.T).T, rtol=1e-5)


@pytest.mark.parametrize(
    "axes", [0, 1, 2, (1, 0), ((1,), (0,)), ([1, 2], [0, 1]), ((-1, 0), (1, -1))]
)
def test_tensordot(axes):
    x, y = operands([(4, 2, 3), (2, 3, 4)], dtype=np.float32)
    if axes in (1, (1, 0), ((1,), (0,))):
        x = x.transpose(0, 2, 1)
        y = y if axes == 1 else y[:2].transpose(1, 0, 2)
    expected = np.tensordot(x, y, axes)
    np.testing.assert_allclose(jnp.tensordot(x, y, axes), expected, rtol=1e-4)


def test_outer_and_kron():
    for left, right in [((2,), (3,)), ((2, 2), (3,)), ((2, 3), (4, 2)), ((), (2, 2))]:
        x, y = operands([left, right], dtype=np.float32)
        np.testing.assert_allclose(jnp.outer(x, y), np.outer(x, y))
        np.testing.assert_allclose(jnp.kron(x, y), np.kron(x, y))


def test_products_where_nothing_is_summed_multiply():
    x = np.ones((2, 3), np.float32)

    def primitives(fun, *args):
        jaxpr = jaxlike.make_jaxpr(fun)(*args).jaxpr
        return {eqn.primitive.name for eqn in jaxpr.eqns}

    assert "dot_general" not in primitives(lambda x: jnp.einsum("ij,ij->ij", x, x), x)
    assert primitives(lambda x: 2.0 * x, x) == {"mul"}
    assert primitives(lambda x: jnp.dot(2.0, x), x) <= {"mul", "convert_element_type"}
    assert primitives(lambda x: x @ x.T, x) == {"transpose", "dot_general"}


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda x: x @ x, TypeError),
        (lambda x: x @ 2, ValueError),
        (lambda x: jnp.matmul(jnp.ones((2, 2, 3)), jnp.ones((3, 3, 2))), ValueError),
        (lambda x: jnp.dot(x, x), TypeError),
        (lambda x: jnp.dot([1.0], x), TypeError),
        (lambda x: jnp.tensordot(x, x, 5), TypeError),
        (lambda x: jnp.tensordot(x, x, ((0,), (0, 1))), TypeError),
        (lambda x: jnp.tensordot(x, x, "a"), TypeError),
        (lambda x: jnp.vecdot(x, x[:, :2]), ValueError),
        (lambda x: jnp.matvec(x, x[0, :2]), ValueError),
        (lambda x: jnp.vecmat(x[0], x), ValueError),
        (lambda x: jnp.einsum("ij,jk->ik", x, x), ValueError),
        (lambda x: jnp.einsum("ij->iz", x), ValueError),
        (lambda x: jnp.einsum("ij", x, x), ValueError),
        (lambda x: jnp.einsum("ijk", x), ValueError),
        (lambda x: jnp.einsum("ij->ii", x), ValueError),
        (lambda x: jnp.einsum("i", [1.0, 2.0]), TypeError),
    ],
)
def test_errors(call, error):
    with pytest.raises(error):
        call(jnp.ones((2, 3)))
