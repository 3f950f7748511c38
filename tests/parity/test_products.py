"""Operators, products and einsum by JAX: values, dtypes, weak types and errors."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import jaxlike
from tests.parity.compare import check_same, collector

jax = pytest.importorskip("jax")

cases, case = collector()

A = np.arange(6, dtype=np.float32).reshape(2, 3) / 4
B = np.arange(12, dtype=np.float32).reshape(3, 4) - 5
STACK = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 8
DTYPES = ("bool", "int8", "uint8", "int32", "float16", "bfloat16", "float32")
DTYPES = (*DTYPES, "complex64")


@case
def dtypes_of_matmul(jax):
    jnp = jax.numpy
    return [
        jnp.asarray(A).astype(left) @ jnp.asarray(B).astype(right)
        for left, right in zip(DTYPES, (*DTYPES[3:], *DTYPES[:3]))
    ]


@case
def preferred_types(jax):
    jnp, small = jax.numpy, jax.numpy.ones((3, 3), "int8") * 100
    half = jnp.ones((3, 3), "float16")
    outs = [jnp.matmul(small, small, preferred_element_type="int32")]
    outs.append(jnp.einsum("ij,jk", half, half, preferred_element_type="float32"))
    outs.append(jnp.einsum("ij->i", half, preferred_element_type="float32"))
    outs.append(jnp.tensordot(half, half, 1, preferred_element_type="float32"))
    return [*outs, small @ small, jnp.einsum("ij,jk", small, small)]


@case
def weak_types(jax):
    jnp = jax.numpy
    outs = [jnp.dot(2.0, 3.0), jnp.dot(2, A), jnp.einsum(",->", 2.0, 3), jnp.vdot(1, 2)]
    outs += [jnp.einsum(",i->i", 2.0, jnp.ones(2, "float16")), jnp.inner(2, 3.0)]
    return [*outs, jnp.einsum("", 1.0), jnp.tensordot(2.0, 3, 0), jnp.outer(2, 3.0)]


@case
def shapes(jax):
    jnp = jax.numpy
    outs = [A @ jnp.asarray(B), jnp.asarray(STACK) @ B.T, jnp.dot(STACK, B.T)]
    outs += [jnp.matmul(STACK[:, None], B.T), jnp.vecdot(STACK, STACK[0, :, :1] + B)]
    outs += [jnp.matvec(STACK, B[0]), jnp.vecmat(A, STACK), jnp.inner(STACK, B)]
    outs += [
        jnp.kron(A, B[0]),
        jnp.outer(A, B),
        jnp.tensordot(STACK, B, ((1, 2), (0, 1))),
    ]
    return [*outs, jnp.vdot(STACK, STACK), jnp.einsum("bij,kj->kbi", STACK, B)]


def _wrong(name, fun):
    fun.__name__ = f"wrong-{name}"
    case(fun)


_wrong("matmul sizes", lambda jax: jax.numpy.asarray(A) @ A)
_wrong("matmul scalar", lambda jax: jax.numpy.asarray(A) @ 2)
_wrong("matmul stacks", lambda jax: jax.numpy.matmul(STACK, np.ones((3, 4, 1), "f")))
_wrong("matmul list", lambda jax: jax.numpy.matmul([1.0], A))
_wrong("dot sizes", lambda jax: jax.numpy.dot(A, A))
_wrong("vdot sizes", lambda jax: jax.numpy.vdot(A, B))
_wrong("inner sizes", lambda jax: jax.numpy.inner(A, B))
_wrong("tensordot", lambda jax: jax.numpy.tensordot(A, A, 1))
_wrong("tensordot axes", lambda jax: jax.numpy.tensordot(A, A, 5))
_wrong("tensordot lists", lambda jax: jax.numpy.tensordot(A, A, ((0,), (0, 1))))
_wrong("tensordot text", lambda jax: jax.numpy.tensordot(A, A, "a"))
_wrong("vecdot", lambda jax: jax.numpy.vecdot(A, B))
_wrong("matvec", lambda jax: jax.numpy.matvec(A, B[0]))
_wrong("matvec rank", lambda jax: jax.numpy.matvec(A[0], A[0]))
_wrong("vecmat", lambda jax: jax.numpy.vecmat(A, B[:2]))
_wrong("outer out", lambda jax: jax.numpy.outer(A, A, out=A))
_wrong("einsum sizes", lambda jax: jax.numpy.einsum("ij,jk->ik", A, A))
_wrong("einsum output", lambda jax: jax.numpy.einsum("ij->iz", A))
_wrong("einsum count", lambda jax: jax.numpy.einsum("ij", A, A))
_wrong("einsum rank", lambda jax: jax.numpy.einsum("ijk", A))
_wrong("einsum twice", lambda jax: jax.numpy.einsum("ij->ii", A))
_wrong("einsum list", lambda jax: jax.numpy.einsum("i", [1.0]))
_wrong("einsum out", lambda jax: jax.numpy.einsum("ij", A, out=A))
_wrong(
    "einsum optimize", lambda jax: jax.numpy.einsum("ij,jk,kl", A, B, B.T, optimize="x")
)

OPERANDS = {
    "float32": np.float32([0.5, -2, 3]),
    "int32": np.int32([-3, 0, 4]),
    "uint8": np.uint8([1, 200, 7]),
    "bool": np.array([True, False, True]),
    "int": 2,
    "negative": -3,
    "float": 2.5,
    "complex": 1j,
    "True": True,
    "big": 2**40,
    "list": [1, 2, 3],
    "None": None,
    "text": "a",
}
OPERATORS = ("add", "truediv", "floordiv", "mod", "pow", "lt", "and_", "rshift")


# results of jax with a weak type, or a NaN, that no rule explains
_PECULIAR = {"lt": ("complex",), "pow": ("complex", "int", "negative")}


def _operator(name, dtype):
    def fun(jax):
        outs = []
        for kind, other in OPERANDS.items():
            if kind in _PECULIAR.get(name, ()):
                continue
            x = jax.numpy.asarray(OPERANDS[dtype])
            y = jax.numpy.asarray(other) if isinstance(other, np.ndarray) else other
            for pair in ((x, y), (y, x)):
                try:
                    outs.append(getattr(operator, name)(*pair))
                except Exception as error:
                    kinds = (TypeError, ValueError, OverflowError)
                    outs.append([isinstance(error, kind) for kind in kinds])
        return outs

    fun.__name__ = f"{name}-{dtype}"
    case(fun)


for _name in OPERATORS:
    for _dtype in ("float32", "uint8", "bool"):
        _operator(_name, _dtype)


@pytest.mark.parametrize("fun", cases, ids=lambda fun: fun.__name__)
def test_same_as_jax(fun):
    check_same(fun, jaxlike, jax)
