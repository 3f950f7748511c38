"""Compiling, caching, calling: one kernel, run lists, threads, forks."""

import ctypes
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from jaxlike.backends.numba import emission, engine
from jaxlike.backends.numba.emission import chunk_size
from jaxlike.backends.numba.engine import (
    RawKernel,
    clear_memory,
    compile_kernels,
    get_runtime,
)
from jaxlike.backends.numba.runlist import RunList
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.core.config import config

F32 = np.dtype(np.float32)


def unary(name, n):
    k = KernelBuilder((n,))
    (i,) = k.indices
    x, y = k.input(F32, (n,)), k.output(F32, (n,))
    k.store(y, {i: 1}, k.op(name, k.load(x, {i: 1})))
    return k.finish(name)


def table_of(*arrays):
    return (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))


@pytest.fixture
def cache(tmp_path):
    before = config.read("compilation_cache_dir")
    config.update("compilation_cache_dir", str(tmp_path))
    clear_memory()
    yield tmp_path
    config.update("compilation_cache_dir", before)
    clear_memory()


def test_a_call_runs_the_whole_grid():
    n = 1000
    (negate,) = compile_kernels([unary("neg", n)])
    x, y = np.arange(n, dtype=F32), np.zeros(n, F32)
    table = table_of(x, y)
    assert negate.call(ctypes.addressof(table)) is None
    assert np.array_equal(y, -x)
    assert "define void @kernel(" in negate.source
    assert "ret" in negate.assembly()


def test_equal_kernels_share_code():
    a, b, c = compile_kernels([unary("neg", 50), unary("neg", 50), unary("neg", 51)])
    assert a is b and a.address != c.address


def test_batches_are_stored_and_loaded_without_writing_ir(cache, monkeypatch):
    kernels = [unary(name, 77) for name in ("neg", "exp", "log", "sin")]
    first = compile_kernels(kernels)
    assert list(cache.glob("*.o"))
    clear_memory()
    monkeypatch.setattr(emission, "compile_batch", None)
    second = compile_kernels(kernels)
    x, y = np.linspace(0.1, 2, 77).astype(F32), np.zeros(77, F32)
    table = table_of(x, y)
    for a, b in zip(first, second):
        a.call(ctypes.addressof(table))
        want = y.copy()
        b.call(ctypes.addressof(table))
        assert np.array_equal(y, want)


def test_damaged_and_senseless_entries_are_compiled_anew(cache):
    from jaxlike.backends.numba.store import Store

    def run_once():
        clear_memory()
        (k,) = compile_kernels([unary("neg", 99)])
        x, y = np.ones(99, F32), np.zeros(99, F32)
        table = table_of(x, y)
        k.call(ctypes.addressof(table))
        assert (y == -1).all()

    run_once()
    (path,) = cache.glob("*.o")
    path.write_bytes(path.read_bytes()[:-100])
    run_once()
    store = Store(cache)
    batch = engine._unpack(store.get(path.stem))
    senseless = batch._replace(objects=[b"not an object file"])
    store.put(path.stem, engine._pack(senseless))
    run_once()


def test_raw_kernels_run_beside_others():
    text = """
define void @SYMBOL(ptr %buffers, i64 %lo, i64 %hi) {
  %p = load ptr, ptr %buffers
  %q = getelementptr i64, ptr %p, i64 %lo
  %v = load i64, ptr %q
  %w = add i64 %v, 5
  store i64 %w, ptr %q
  ret void
}
"""
    raw = RawKernel(text, extent=1, ns=1.0)
    compiled, _ = compile_kernels([raw, unary("neg", 10)])
    x = np.array([37], np.int64)
    table = table_of(x)
    compiled.call(ctypes.addressof(table))
    assert x[0] == 42


def test_raw_kernels_call_what_they_name():
    text = """
declare double @outside(double)
define void @SYMBOL(ptr %buffers, i64 %lo, i64 %hi) {
  %p = load ptr, ptr %buffers
  %v = load double, ptr %p
  %w = call double @outside(double %v)
  store double %w, ptr %p
  ret void
}
"""
    double = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda v: 2 * v)
    address = ctypes.cast(double, ctypes.c_void_p).value
    raw = RawKernel(text, extent=1, ns=1.0, symbols=(("outside", address),))
    (compiled,) = compile_kernels([raw])
    x = np.array([21.0])
    table = table_of(x)
    compiled.call(ctypes.addressof(table))
    assert x[0] == 42


def test_run_lists_chain_kernels_through_views_and_constants():
    n = 100
    exp, neg = compile_kernels([unary("exp", n), unary("neg", n)])
    w = np.full(n, 2, F32)
    # slots: x, y, arena | arena+0, arena+512 | w
    run = RunList(
        [(exp, (0, 3)), (neg, (3, 4)), (exp, (4, 1)), (neg, (5, 3))],
        arrays=3,
        views=[(2, 0), (2, 512)],
        constants=[w],
    )
    x, y = np.linspace(0, 1, n).astype(F32), np.zeros(n, F32)
    arena = np.zeros(1024, np.uint8)
    run(x, y, arena)
    assert np.allclose(y, np.exp(-np.exp(x)), rtol=1e-6)
    assert (arena[: 4 * n].view(F32) == -2).all()
    assert run.steps == 4


def test_run_lists_check_their_arguments():
    (neg,) = compile_kernels([unary("neg", 4)])
    run = RunList([(neg, (0, 1))], arrays=2)
    x = np.ones(4, F32)
    with pytest.raises(TypeError, match="number of arrays"):
        run(x)
    with pytest.raises(TypeError, match="must be ndarrays"):
        run(x, [1, 2])
    with pytest.raises(ValueError, match="2 arguments"):
        RunList([(neg, (0,))], arrays=2)
    with pytest.raises(ValueError, match="2 arguments"):
        RunList([(neg, (0, 7))], arrays=2)
    with pytest.raises(ValueError, match="comes after"):
        RunList([(neg, (0, 1))], arrays=1, views=[(1, 0)])


def test_an_empty_run_list_does_nothing():
    RunList([], arrays=0)()


def test_a_bound_call_outlives_its_kernel_and_run_list():
    import gc

    compiled = compile_kernels([unary("neg", 2345), full_sum(300_001)])
    x, y = np.ones(300_001, F32), np.zeros(2345, F32)
    total = np.zeros((), F32)
    negate, add = (k.call for k in compiled)
    run = RunList([(compiled[0], (0, 1))], arrays=2).native
    del compiled
    clear_memory()
    gc.collect()
    compile_kernels([unary("exp", 17)])
    table, other = table_of(x, y), table_of(x, total)
    negate(ctypes.addressof(table))
    assert (y == -1).all()
    add(ctypes.addressof(other))
    assert total == 300_001
    y[:] = 0
    run(x, y)
    assert (y == -1).all()


def test_calls_leave_no_references_behind():
    (neg,) = compile_kernels([unary("neg", 4)])
    run = RunList([(neg, (0, 1))], arrays=2)
    x, y = np.ones(4, F32), np.ones(4, F32)
    counts = sys.getrefcount(x), sys.getrefcount(y), sys.getrefcount(None)
    for _ in range(1000):
        run(x, y)
    after = sys.getrefcount(x), sys.getrefcount(y), sys.getrefcount(None)
    assert after[:2] == counts[:2] and abs(after[2] - counts[2]) < 100


def full_sum(n):
    k = KernelBuilder(())
    x, y = k.input(F32, (n,)), k.output(F32, ())
    with k.loop(n) as l:
        l.reduce("add", k.load(x, {l.index: 1}))
    k.store(y, 0, l.results[0])
    return k.finish()


def test_large_reductions_run_in_stages():
    n = 500_003
    (total,) = compile_kernels([full_sum(n)])
    assert len(total.stages) == 2 and total.scratch_bytes
    assert total.source.count("define void @kernel") == 2
    x, y = np.random.default_rng(0).random(n).astype(F32), np.zeros((), F32)
    table = table_of(x, y)
    total.call(ctypes.addressof(table))
    want = x.astype(np.float64).sum()
    assert abs(y - want) < 1e-5 * want
    first = y.copy()
    run = RunList([(total, (0, 1)), (total, (0, 2))], arrays=3)
    assert run.steps == 4
    z = np.zeros((), F32)
    run(x, y, z)
    assert first == y == z


# -- threads ---------------------------------------------------------------------------
BIG = 400_000


def parallel_kernel(name="exp"):
    (k,) = compile_kernels([unary(name, BIG)])
    ((_, extent, chunk),) = k.stages
    assert 0 < chunk < extent == BIG
    return k


def test_splitting_is_by_shape_alone():
    small, large = unary("neg", 100), unary("exp", BIG)
    assert chunk_size(small) == 0
    assert chunk_size(large) == chunk_size(unary("exp", BIG))
    raw = RawKernel("", extent=1000, ns=1e6, grain=16)
    assert chunk_size(raw) % 16 == 0


def test_several_python_threads_call_at_once():
    kernel = parallel_kernel()
    x = np.linspace(-1, 1, BIG).astype(F32)
    want = np.zeros(BIG, F32)
    table = table_of(x, want)
    kernel.call(ctypes.addressof(table))
    assert np.allclose(want, np.exp(x), rtol=1e-6)
    wrong = []

    def work():
        y = np.zeros(BIG, F32)
        mine = table_of(x, y)
        for _ in range(20):
            y[:] = 0
            kernel.call(ctypes.addressof(mine))
            if not np.array_equal(y, want):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_children_run_serially():
    kernel = parallel_kernel()
    x, y = np.ones(BIG, F32), np.zeros(BIG, F32)
    table = table_of(x, y)
    kernel.call(ctypes.addressof(table))
    y[:] = 0
    pid = os.fork()
    if pid == 0:
        kernel.call(ctypes.addressof(table))
        os._exit(0 if get_runtime().workers == 0 and np.allclose(y, np.e) else 1)
    assert os.waitpid(pid, 0)[1] == 0
    kernel.call(ctypes.addressof(table))
    assert np.allclose(y, np.e)


PROGRAM = """
import ctypes, sys
import numpy as np
assert "numba" not in sys.modules
from jaxlike.backends.numba.engine import compile_kernels, get_runtime
assert "llvmlite" not in sys.modules
from tests.backends.test_engine import BIG, parallel_kernel, table_of
k = parallel_kernel()
x, y = np.linspace(-1, 1, BIG).astype(np.float32), np.zeros(BIG, np.float32)
t = table_of(x, y)
for _ in range(3):
    k.call(ctypes.addressof(t))
assert "numba" not in sys.modules
print(get_runtime().workers, y.tobytes().hex()[:64], hash(y.tobytes()))
"""


def test_results_do_not_depend_on_the_number_of_threads():
    def run(threads):
        env = {**os.environ, "JAXLIKE_NUM_THREADS": str(threads), "PYTHONHASHSEED": "0"}
        out = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True
        )
        assert out.returncode == 0, out.stderr
        return out.stdout.split()

    one, three = run(1), run(3)
    assert (one[0], three[0]) == ("0", "2")
    assert one[1:] == three[1:]


def test_compiling_in_two_threads_gives_what_one_gives(cache, monkeypatch):
    kernels = [unary(name, 333) for name in ("neg", "exp", "tanh", "log", "sin")]
    x = np.linspace(0.1, 3, 333).astype(F32)

    def results():
        clear_memory()
        out = []
        for k in compile_kernels(kernels):
            y = np.zeros(333, F32)
            table = table_of(x, y)
            k.call(ctypes.addressof(table))
            out.append(y.tobytes())
        return out

    config.update("enable_compilation_cache", False)
    try:
        two = results()
        monkeypatch.setattr(emission, "TWO_THREADS", 99)
        assert results() == two
        # llvmlite may hide its unlocked functions: the public way works as well
        from jaxlike.backends.numba import binding

        monkeypatch.setattr(binding, "_unlocked", lambda name: None)
        assert results() == two
    finally:
        config.update("enable_compilation_cache", True)
