"""The laws that every primitive obeys, on every case of every cases_*.py."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import jaxlike.primitives
from jaxlike import lax
from jaxlike.core import dtypes
from jaxlike.core.array import to_buffer
from jaxlike.core.avals import get_aval
from jaxlike.core.check import check_jaxpr
from jaxlike.core.config import enable_x64
from jaxlike.core.jaxpr import Jaxpr, evaluate_jaxpr, subjaxprs
from jaxlike.core.primitive import Primitive
from jaxlike.transforms.jit import jit
from jaxlike.transforms.make_jaxpr import make_jaxpr
from jaxlike.transforms.vjp import vjp
from jaxlike.transforms.vmap import vmap
from tests.primitives.case import (
    Case,
    assert_close,
    assert_identical,
    families,
    to_numpy,
)
from tests.primitives.gradcheck import check_grads

BY_FAMILY = families()
ALL = [
    pytest.param(case, id=f"{family}-{case.name}")
    for family, cases in BY_FAMILY.items()
    for case in cases
]
GRAD = [p for p in ALL if p.values[0].grad_args]


@pytest.mark.parametrize("case", ALL)
def test_staged_is_eager(case: Case):
    """Tracing, then interpreting the jaxpr, gives what eager evaluation gives."""
    eager = case.run(lax, *case.args)
    closed = make_jaxpr(lambda *args: case.run(lax, *args))(*case.args)
    check_jaxpr(closed)
    assert closed.out_avals == [get_aval(out) for out in eager]
    consts = [to_buffer(c) for c in closed.consts]
    staged = evaluate_jaxpr(closed.jaxpr, consts, *map(to_buffer, case.args))
    for got, aval, expected in zip(staged, closed.out_avals, eager, strict=True):
        assert got.shape == aval.shape
        assert got.dtype == dtypes.storage_dtype(aval.dtype)
        assert_identical(got, expected)


# compiling takes a backend long: a sample by default, all of them in CI
@pytest.mark.parametrize("case", ALL[::5])
def test_jit_is_eager(case: Case):
    compiled = jit(lambda *args: case.run(lax, *args))(*case.args)
    for got, expected in zip(compiled, case.run(lax, *case.args), strict=True):
        assert_close(got, expected, case.rtol, case.atol)


@pytest.mark.slow
@pytest.mark.parametrize("case", ALL)
def test_jit_is_eager_for_all(case: Case):
    test_jit_is_eager(case)


@pytest.mark.parametrize("case", ALL)
def test_vmap_is_a_loop(case: Case):
    """Batching one argument, or all, is stacking the results of a loop."""
    batchable = range(len(case.args)) if case.batch_args is None else case.batch_args
    batchable = list(batchable)
    if not batchable:
        return
    subsets = [[i] for i in batchable]
    if len(batchable) > 1:
        subsets.append(batchable)
    for subset in subsets:
        # each argument's batch axis is at one end or the other
        axes = {i: 0 if i % 2 else case.args[i].ndim for i in subset}
        copies = {i: _variants(case.args[i]) for i in subset}
        args = [
            np.stack(copies[i], axes[i]) if i in axes else arg
            for i, arg in enumerate(case.args)
        ]
        in_axes = tuple(axes.get(i) for i in range(len(args)))
        got = vmap(lambda *xs: case.run(lax, *xs), in_axes)(*args)
        loop = [
            case.run(
                lax, *[copies[i][k] if i in axes else a for i, a in enumerate(args)]
            )
            for k in range(3)
        ]
        for out, rows in zip(got, zip(*loop), strict=True):
            assert_close(out, np.stack([to_numpy(row) for row in rows]))


def _variants(x: np.ndarray) -> list[np.ndarray]:
    """Three arrays of the same elements in other orders."""
    return [np.roll(x.ravel(), k).reshape(x.shape) for k in range(3)]


@pytest.mark.parametrize("case", GRAD)
def test_derivatives(case: Case):
    with enable_x64(True):
        args = [_widened(a) for a in case.args]

        def fun(*xs):
            full = dict(zip(case.grad_args, xs))
            return case.run(lax, *[full.get(i, a) for i, a in enumerate(args)])

        check_grads(
            fun,
            [args[i] for i in case.grad_args],
            order=case.order,
            modes=case.modes,
            rtol=case.rtol or 1e-5,
            atol=case.atol or 1e-5,
            rng=case.rng(),
        )


def _widened(x: np.ndarray) -> np.ndarray:
    if dtypes.issubdtype(x.dtype, np.complexfloating):
        return x.astype(np.complex128)
    return x.astype(np.float64) if dtypes.issubdtype(x.dtype, np.floating) else x


# --- every primitive has its rules, and some case


def _primitives() -> Iterator[Primitive]:
    seen = set()
    for info in pkgutil.iter_modules(jaxlike.primitives.__path__):
        module = importlib.import_module(f"jaxlike.primitives.{info.name}")
        for value in vars(module).values():
            if isinstance(value, Primitive) and value.name not in seen:
                seen.add(value.name)
                yield value


PRIMITIVES = [pytest.param(p, id=p.name) for p in _primitives()]


@pytest.mark.parametrize("primitive", PRIMITIVES)
def test_rules_are_complete(primitive: Primitive):
    assert primitive.shape is not None
    assert primitive.evaluate is not None or primitive.impl is not None
    assert primitive.jvp is not None or primitive.not_differentiable
    assert primitive.batch is not None or primitive.not_batchable


def _primitives_in(jaxpr: Jaxpr) -> Iterator[str]:
    for eqn in jaxpr.eqns:
        yield eqn.primitive.name
    for sub in subjaxprs(jaxpr):
        yield from _primitives_in(sub)


@pytest.fixture(scope="module")
def covered() -> set[str]:
    """The primitives that cases, or the derivatives of cases, consist of."""
    names = set()
    for param in ALL:
        case = param.values[0]
        run = lambda *args, case=case: case.run(lax, *args)
        names.update(_primitives_in(make_jaxpr(run)(*case.args).jaxpr))
    for param in GRAD:
        names.update(_primitives_in(_pullback_jaxpr(param.values[0])))
    return names


def _pullback_jaxpr(case: Case) -> Jaxpr:
    args = list(case.args)

    def pullback(*xs):
        def fun(*xs):
            full = dict(zip(case.grad_args, xs))
            outs = case.run(lax, *[full.get(i, a) for i, a in enumerate(args)])
            return [x for x in outs if dtypes.issubdtype(x.dtype, np.inexact)]

        outs, pull = vjp(fun, *xs)
        return pull(outs)

    return make_jaxpr(pullback)(*[args[i] for i in case.grad_args]).jaxpr


# a case is one call of one array program: these need an axis, a caller or keys
ELSEWHERE = {
    "psum pmax pmin all_gather reduce_scatter all_to_all ppermute pbroadcast "
    "axis_index ragged_all_to_all": "test_collectives.py",
    "pure_callback io_callback debug_callback": "test_callbacks.py",
    "random_seed random_split random_fold_in random_bits random_wrap random_unwrap "
    "random_clone threefry2x32 threefry_word random_gamma rng_bit_generator "
    "rng_uniform": "test_random_primitives.py",
    "fft_of_real": "../backends/test_fourier.py",
    "gamma_of_words": "../backends/test_random_bits.py",
}
TESTED_IN = {name: file for names, file in ELSEWHERE.items() for name in names.split()}


@pytest.mark.parametrize("primitive", PRIMITIVES)
def test_some_case_covers(primitive: Primitive, covered: set[str]):
    if primitive.name in TESTED_IN:
        assert (Path(__file__).parent / TESTED_IN[primitive.name]).exists()
    else:
        assert primitive.name in covered
