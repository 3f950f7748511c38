"""Kernels cut into stages compute what they computed in one piece."""

import numpy as np
import pytest

from jaxlike.backends.plan import stages
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.interpret import interpret
from jaxlike.backends.plan.stages import staged, widened
from jaxlike.backends.plan.validate import validate
from tests.backends.kernels import BFLOAT16, arguments, close, random_kernel, run

F32 = np.dtype(np.float32)


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    """Cut up small kernels too."""
    monkeypatch.setattr(stages, "WORTH_NS", 0)
    monkeypatch.setattr(stages, "BLOCK_NS", 1)
    monkeypatch.setattr(stages, "MAX_BLOCKS", 7)
    monkeypatch.setattr(stages, "MIN_ROWS", 5)


def agree(kernel, rng, compiled=False, scale=50):
    """Run a kernel whole and in stages; how many stages there were."""
    cut = staged(kernel)
    if cut is None:
        return 0
    whole = arguments(rng, kernel)
    parts = [a.copy() for a in whole]
    interpret(kernel, whole)
    scratch = [np.empty(b.shape, b.dtype) for b in cut.scratch]
    for k in cut.kernels:
        validate(k)
        (run if compiled else interpret)(k, [*parts, *scratch])
    for i, got, want in zip(kernel.arguments, parts, whole):
        assert close(got, want, kernel.buffers[i].dtype, scale), str(kernel)
    return len(cut.kernels)


def test_random_kernels_in_stages():
    cut = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        cut += agree(random_kernel(rng), rng) > 0
    assert cut > 5


def softmax(rows, columns):
    k = KernelBuilder((rows,))
    x, y = k.input(F32, (rows, columns)), k.output(F32, (rows, columns))
    (i,) = k.indices
    with k.loop(columns) as l:
        l.reduce("max", k.load(x, {i: columns, l.index: 1}))
        l.reduce("argmax", k.load(x, {i: columns, l.index: 1}), l.index)
    m, at = l.results[0], l.results[2]
    with k.loop(columns) as l:
        e = k.op("exp", k.op("sub", k.load(x, {i: columns, l.index: 1}), m))
        k.store(y, {i: columns, l.index: 1}, e)
        l.reduce("add", e)
    s = k.op("add", l.results[0], k.convert(at, F32))
    with k.loop(columns) as l:
        e = k.load(y, {i: columns, l.index: 1})
        k.store(y, {i: columns, l.index: 1}, k.op("div", e, s))
    return k.finish()


@pytest.mark.parametrize(("rows", "columns"), [(1, 100), (3, 53), (8, 700)])
@pytest.mark.parametrize("compiled", [False, True])
def test_few_long_rows(rows, columns, compiled):
    kernel = softmax(rows, columns)
    assert agree(kernel, np.random.default_rng(0), compiled) >= 5


def column_sums(shape, dtype, names):
    outer, rows, columns = shape
    k = KernelBuilder((outer, columns))
    p, c = k.indices
    x, w = k.input(dtype, shape), k.input(dtype, (columns,))
    weight = k.load(w, {c: 1})
    with k.loop(rows) as l:
        v = k.load(x, {p: rows * columns, l.index: columns, c: 1})
        for name in names:
            l.reduce(name, k.op("add", v, weight))
    for v in l.results:
        y = k.output(dtype, (outer, columns))
        k.store(y, {p: columns, c: 1}, k.op("neg", v))
    return k.finish()


@pytest.mark.parametrize("shape", [(1, 64, 32), (2, 67, 33), (3, 100, 40), (1, 9, 64)])
@pytest.mark.parametrize("dtype", [F32, BFLOAT16, np.dtype(np.int32)], ids=str)
@pytest.mark.parametrize("compiled", [False, True])
def test_sums_over_leading_axes(shape, dtype, compiled):
    kernel = column_sums(shape, dtype, ["add", "max"])
    assert agree(kernel, np.random.default_rng(0), compiled) == 2


def test_wide_rows_are_cut_into_strips(monkeypatch):
    monkeypatch.setattr(stages, "MAX_WIDTH", 40)
    kernel = column_sums((1, 30, 96), F32, ["add"])
    assert staged(kernel).kernels[0].grid[1] == 3
    assert agree(kernel, np.random.default_rng(0), True) == 2


def test_scratch_stays_small():
    kernel = column_sums((1, 1000, 4096), F32, ["add"])
    cut = staged(kernel)
    assert sum(b.nbytes for b in cut.scratch) <= stages.MAX_SCRATCH


def test_cuts_depend_on_the_shape_alone(monkeypatch):
    monkeypatch.setenv("JAXLIKE_NUM_THREADS", "1")
    one = staged(softmax(2, 500))
    monkeypatch.setenv("JAXLIKE_NUM_THREADS", "7")
    seven = staged(softmax(2, 500))
    assert [k.key for k in one.kernels] == [k.key for k in seven.kernels]


def test_a_lone_loop_becomes_a_grid_axis():
    k = KernelBuilder((4,))
    (i,) = k.indices
    x, y = k.input(F32, (6, 4)), k.output(F32, (4, 6))
    with k.loop(6) as l:
        k.store(y, {i: 6, l.index: 1}, k.load(x, {i: 1, l.index: 4}))
    kernel = k.finish()
    wide = widened(kernel)
    assert wide.grid == (4, 6)
    data = np.arange(24, dtype=F32)
    out = np.zeros(24, F32)
    interpret(wide, [data, out])
    assert np.array_equal(out.reshape(4, 6), data.reshape(6, 4).T)
    assert widened(softmax(2, 8)) is None
