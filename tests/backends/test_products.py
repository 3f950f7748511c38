"""Products, convolutions, windows and moves of data as kernels of their own."""

from __future__ import annotations

import dataclasses
import math
import random

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import jaxlike
from jaxlike import lax
from jaxlike.backends.numba.engine import compile_kernels
from jaxlike.backends.numba.target import host
from jaxlike.backends.numba.tiles import numpy_product, product_kernel
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.products import Axis, Product, merged
from jaxlike.core.config import enable_x64
from tests.backends.test_program import check

RNG = np.random.default_rng(0)
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def normal(*shape, dtype=np.float32):
    return RNG.standard_normal(shape).astype(dtype)


def kernels_only(program) -> bool:
    return all(isinstance(step, Lowered) for step in program.schedule)


DOTS = {
    "plain": ((5, 7), (7, 9), (((1,), (0,)), ((), ()))),
    "wide": ((64, 100), (100, 75), (((1,), (0,)), ((), ()))),
    "transposed left": ((7, 5), (7, 37), (((0,), (0,)), ((), ()))),
    "transposed right": ((8, 64), (30, 64), (((1,), (1,)), ((), ()))),
    "batch": ((3, 5, 7), (3, 7, 20), (((2,), (1,)), ((0,), (0,)))),
    "batch inside": ((5, 3, 7), (7, 3, 20), (((2,), (0,)), ((1,), (1,)))),
    "vector": ((4,), (4, 6), (((0,), (0,)), ((), ()))),
    "two sums": ((2, 3, 4, 5), (5, 4, 3, 8), (((3, 2), (0, 1)), ((), ()))),
    "outer": ((5,), (6,), (((), ()), ((), ()))),
    "long": ((4, 3000), (3000, 40), (((1,), (0,)), ((), ()))),
    "long sums of many rows": ((40, 3000), (3000, 40), (((1,), (0,)), ((), ()))),
}


@pytest.mark.parametrize("name", DOTS)
def test_dot_general(name):
    a, b, dims = DOTS[name]
    a, b = normal(*a), normal(*b)
    program = check(
        lambda a, b: lax.dot_general(a, b, dims), a, b, rtol=1e-3, atol=1e-3
    )
    assert kernels_only(program)


FLOATS = [np.float32, np.float32, np.float64, np.float16, BFLOAT16]
INTEGERS = [np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64]


@pytest.mark.parametrize("seed", range(60))
def test_any_dot_general(seed):
    """Whole numbers, so that the result is the same in any order of adding."""
    rng = random.Random(seed)
    axes = {
        role: [rng.choice([1, 2, 3, 5, 8, 17, 40]) for _ in range(rng.randint(0, most))]
        for role, most in (("batch", 2), ("rows", 2), ("columns", 2), ("sums", 2))
    }
    sides = []
    for role in ("rows", "columns"):
        kinds = [(r, i) for r in ("batch", role, "sums") for i in range(len(axes[r]))]
        rng.shuffle(kinds)
        sides.append(kinds)
    places = [
        tuple(tuple(side.index((r, i)) for i in range(len(axes[r]))) for side in sides)
        for r in ("sums", "batch")
    ]
    dtypes = FLOATS if rng.random() < 0.7 else INTEGERS
    a, b = (
        RNG.integers(-3, 4, [axes[r][i] for r, i in side]).astype(rng.choice(dtypes))
        for side in sides
    )
    wide = np.float32 if dtypes is FLOATS else np.int32
    preferred = wide if max(a.itemsize, b.itemsize) < 4 else None

    def f(a, b):
        return lax.dot_general(a, b, tuple(places), preferred_element_type=preferred)

    with enable_x64():
        assert kernels_only(check(f, a, b, rtol=0, atol=0))


@pytest.mark.parametrize("transposed", [False, True])
def test_large_operands_are_packed(transposed):
    a, b = normal(1024, 1024), normal(1024, 1024)

    def f(a, b):
        return lax.dot(lax.transpose(a, (1, 0)) if transposed else a, b)

    program = check(f, a, b, rtol=1e-3, atol=1e-3)
    assert len(program.schedule) == 2 + transposed


def test_integers_wrap():
    a, b = (np.full(shape, 1 << 30, np.int32) + 7 for shape in ((9, 12), (12, 20)))
    assert kernels_only(check(lax.dot, a, b))


def test_products_of_numbers():
    """An operand that is one number everywhere is no array to begin with."""

    def f(x):
        ones = lax.full((6, 30), 2.0, np.float32)
        return lax.dot(x, ones), lax.dot(lax.transpose(ones, (1, 0)), x)

    check(f, normal(6, 6), rtol=1e-4, atol=1e-4)


def test_dot_of_views():
    """Transposes, flips and slices of operands are read in place."""

    def f(a, b):
        a = lax.rev(lax.transpose(a, (1, 0)), (0,))
        return lax.dot(a, lax.slice(b, (1, 0), (8, 6)))

    program = check(f, normal(7, 9), normal(9, 6), rtol=1e-4, atol=1e-4)
    assert len(program.schedule) == 1


CONVOLUTIONS = {
    "same": {"window_strides": (1, 1), "padding": "SAME"},
    "strided": {"window_strides": (2, 2), "padding": "SAME"},
    "holes": {"window_strides": (2, 1), "padding": "VALID", "rhs_dilation": (2, 1)},
    "spread": {
        "window_strides": (1, 1),
        "padding": ((2, 1), (0, 3)),
        "lhs_dilation": (2, 3),
    },
}
SHAPES = [((3, 8, 8, 5), (3, 3, 5, 16)), ((1, 6, 6, 8), (2, 1, 8, 20))]


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("shapes", SHAPES)
def test_convolution_and_gradients(name, shapes):
    x, w = (normal(*s) for s in shapes)

    def conv(x, w):
        layout = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(
            x, w, dimension_numbers=layout, **CONVOLUTIONS[name]
        )

    def loss(x, w):
        return lax.reduce_sum(lax.sin(conv(x, w)), (0, 1, 2, 3))

    assert kernels_only(check(conv, x, w, rtol=1e-3, atol=1e-3))
    check(jaxlike.grad(loss, (0, 1)), x, w, rtol=1e-3, atol=1e-3)


axes = st.lists(st.integers(1, 9), max_size=3)


@settings(max_examples=40, deadline=None)
@given(axes, axes, axes, st.integers(1, 70), st.booleans(), st.randoms())
def test_products_of_any_strides(batch, rows, sums, columns, double, random):
    """Rows and sums may lie anywhere in a; columns side by side in b and out."""
    assume(columns * math.prod((*batch, *rows, *sums)) < 1 << 20)
    dtype = np.dtype(np.float64 if double else np.float32)
    out_step, axes_of = columns, {"batch": [], "rows": [], "sums": []}
    for name, sizes in (("rows", rows), ("batch", batch)):
        for n in sizes:
            axes_of[name].append(Axis(n, random.choice([1, 3, 7]), 0, out_step))
            out_step *= n
    for n in sums or [1]:
        axes_of["sums"].append(
            Axis(n, random.choice([1, 2, 5]), random.choice([0, 80]))
        )
    product = Product(
        dtype,
        merged(axes_of["batch"][::-1]),
        merged(axes_of["rows"][::-1]),
        columns,
        merged(axes_of["sums"]) or (Axis(1),),
        a_offset=2,
        b_offset=3,
    )
    a, b = (
        RNG.standard_normal(600).astype(dtype),
        RNG.standard_normal(2400).astype(dtype),
    )
    (kernel,) = compile_kernels([product_kernel(product, host())])
    out = np.full(out_step, np.nan, dtype)
    table = np.array([a.ctypes.data, b.ctypes.data, out.ctypes.data], np.int64)
    kernel.call(table.ctypes.data)
    expected = numpy_product(product, a, b, out_step)
    np.testing.assert_allclose(out, expected, 1e-3, 1e-3)


def test_products_of_other_machines_are_written():
    product = Product(
        np.dtype(np.float32), (), (Axis(8, 4, 0, 9),), 9, (Axis(4, 1, 9),)
    )
    for width, features in ((16, ""), (32, "+avx2")):
        target = dataclasses.replace(
            host(), vector_bytes=width, features=features, masked=False
        )
        assert f"<{width // 4} x float>" in product_kernel(product, target).text
