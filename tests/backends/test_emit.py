"""Compiled kernels compute what the interpreter says, for every operation and shape."""

import numpy as np
import pytest

from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.ir import apart
from jaxlike.backends.plan.ops import (
    BOOL,
    OPS,
    PREFIXES,
    compute_dtype,
    kind,
    supported,
)
from tests.backends.kernels import (
    ALL,
    BFLOAT16,
    COMPLEXES,
    FLOATS,
    INTS,
    arguments,
    check,
    narrow_target,
    random_array,
    random_kernel,
    run,
)

F32 = np.dtype(np.float32)
N = 45
_PARAMS = {
    "integer_pow": [{"y": n} for n in (0, 1, 2, 3, 7)],
    "round": [{"rounding_method": n} for n in (0, 1)],
    "reduce_precision": [
        {"exponent_bits": 5, "mantissa_bits": 10},
        {"exponent_bits": 8, "mantissa_bits": 7},
        {"exponent_bits": 4, "mantissa_bits": 3},
    ],
}
# no nearby values to compare with: one operand of the wrong side of a jump moves all
_LOOSE = {"exp": 40, "pow": 500, "sinh": 40, "cosh": 40, "exp2": 40, "expm1": 40}


def elementwise(dtype, names, n=N):
    """One kernel that applies operations to the same inputs."""
    k = KernelBuilder((n,))
    (i,) = k.indices
    inputs = [k.load(k.input(dtype, (n,)), {i: 1}) for _ in range(3)]
    for name in names:
        for params in _PARAMS.get(name, [{}]):
            if name == "integer_pow" and kind(dtype) in "fc":
                params = {"y": params["y"] - 3}
            arity = max(OPS[name].arity, 1)
            v = k.op(name, *inputs[:arity], **params)
            k.store(k.output(k.dtypes[v], (n,)), {i: 1}, v)
    return k.finish()


def operands(rng, dtype, special):
    arrays = [random_array(rng, dtype, (N,), special) for _ in range(3)]
    if special and kind(dtype) in "iu":
        arrays[1][:6] = [0, 1, 7, 8, 31, 32]
        arrays[0][:2] = np.iinfo(dtype).min
        if kind(dtype) == "i":
            arrays[1][1] = -1
    return arrays


@pytest.mark.parametrize("dtype", ALL, ids=str)
def test_every_operation_agrees_with_the_interpreter(dtype):
    rng = np.random.default_rng(3)
    unlike = {"select_n", "convert_element_type", "bitcast_convert_type", "complex"}
    unlike.add("threefry_word")
    names = [n for n in OPS if supported(n, dtype) and n not in unlike]
    # a result of a wrong sign of zero or a NaN is found in the special values
    for special in (False, True):
        if special and dtype.kind == "c":
            continue
        for start in range(0, len(names), 12):
            kernel = elementwise(dtype, names[start : start + 12])
            rest = [b for b in kernel.buffers if b.role == "out"]
            outs = [np.zeros(b.shape, b.dtype) for b in rest]
            scale = max(_LOOSE.get(n, 1) for n in names[start : start + 12])
            check(kernel, [*operands(rng, dtype, special), *outs], 2 * scale)


@pytest.mark.parametrize("source", ALL, ids=str)
def test_conversions_agree_with_the_interpreter(source):
    rng = np.random.default_rng(4)
    k = KernelBuilder((N,))
    (i,) = k.indices
    x = k.load(k.input(source, (N,)), {i: 1})
    targets = [t for t in ALL if source.kind != "c" or t.kind in "fc" or t == BOOL]
    for t in targets:
        k.store(k.output(t, (N,)), {i: 1}, k.op("convert_element_type", x, dtype=t))
        alike = kind(source) in "iuf" and kind(t) in "iuf"
        if alike and t.itemsize == source.itemsize:
            v = k.op("bitcast_convert_type", x, dtype=t)
            k.store(k.output(t, (N,)), {i: 1}, v)
    kernel = k.finish()
    data = random_array(rng, source, (N,), source.kind != "c")
    if kind(source) == "f":
        with np.errstate(over="ignore"):
            far = [300, -300, 3e9, -0.5, 65520, 2049, 1e20, -1e20]
            data[:8] = np.array(far).astype(source)
    outs = [np.zeros(b.shape, b.dtype) for b in kernel.buffers[1:]]
    check(kernel, [data, *outs])


@pytest.mark.parametrize("seed", range(40))
def test_random_kernels(seed):
    rng = np.random.default_rng(seed)
    kernel = random_kernel(rng)
    check(kernel, arguments(rng, kernel), 50)


@pytest.mark.parametrize("seed", range(100, 115))
@pytest.mark.parametrize("width", [16, 32])
def test_random_kernels_on_narrower_machines(seed, width):
    rng = np.random.default_rng(seed)
    kernel = random_kernel(rng)
    check(kernel, arguments(rng, kernel), 50, narrow_target(width))


@pytest.mark.parametrize("n", [0, 1, 2, 15, 16, 17, 64, 100, 1030])
@pytest.mark.parametrize("dtype", [F32, np.dtype(np.int64), BFLOAT16, BOOL], ids=str)
def test_reductions_of_every_length(dtype, n):
    k = KernelBuilder((3,))
    (i,) = k.indices
    x = k.input(dtype, (3, n))
    names = ["max", "min"]
    names += ["add", "mul"] if dtype != BOOL else ["and", "or", "xor"]
    names += ["argmax", "argmin"] if n and dtype != BOOL else []
    with k.loop(n) as l:
        v = k.load(x, {i: n, l.index: 1})
        for name in names:
            more = [k.convert(l.index, np.int32)] if name.startswith("arg") else []
            l.reduce(name, v, *more)
    for v in l.results:
        k.store(k.output(k.dtypes[v], (3,)), {i: 1}, v)
    kernel = k.finish()
    rng = np.random.default_rng(n)
    data = random_array(rng, dtype, (3, n))
    if dtype.kind in "fV" and n > 1:
        data = (np.sign(data.astype(F32)) * (1 + abs(data) / 100)).astype(dtype)
    outs = [np.zeros(3, b.dtype) for b in kernel.buffers[1:]]
    check(kernel, [data, *outs], 20)


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 100])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", "u1", "c8"])
@pytest.mark.parametrize("width", [None, 32])
def test_prefixes_of_every_length(dtype, n, width):
    """Forwards and backwards, in lanes along the loop and across it."""
    dtype = np.dtype(dtype)
    rng = np.random.default_rng(n)
    names = [name for name, kinds in PREFIXES.items() if dtype.kind in kinds]
    for shape in ((2, n), (40, n)):
        rows = shape[0]
        k = KernelBuilder((rows,))
        (i,) = k.indices
        x, start = k.input(dtype, shape), k.input(dtype, (rows,))
        init = k.load(start, {i: 1})
        for name in names:
            # neighbouring rows or neighbouring steps are neighbours in memory
            across = name == "max" or rows == 40
            y = k.output(dtype, shape)
            with k.loop(n) as l:
                at = {i: 1, l.index: rows} if across else {i: n, l.index: -1}
                const = 0 if across else n - 1
                k.store(y, at, k.prefix(name, k.load(x, at, const), init), const)
        kernel = k.finish()
        data = random_array(rng, dtype, shape)
        if dtype.kind in "fc":
            data = (data / abs(data).max()).astype(dtype)
        outs = [np.zeros(shape, dtype) for _ in names]
        target = narrow_target(width) if width else None
        check(kernel, [data, data[:, 0].copy(), *outs], 50, target)


def test_argmax_takes_the_first_nan_and_the_first_of_equals():
    n = 70
    k = KernelBuilder((4,))
    (i,) = k.indices
    x, y = k.input(F32, (4, n)), k.output(np.int32, (4,))
    with k.loop(n) as l:
        l.reduce("argmax", k.load(x, {i: n, l.index: 1}), k.convert(l.index, np.int32))
    k.store(y, {i: 1}, l.results[1])
    data = np.zeros((4, n), np.float32)
    data[1, [33, 65]] = np.nan
    data[2, [17, 50]] = 5
    data[3] = -np.inf
    out = np.zeros(4, np.int32)
    run(k.finish(), [data, out])
    assert out.tolist() == [0, 33, 17, 0]


def row_softmax(rows, columns, dtype=F32):
    k = KernelBuilder((rows,))
    x, y = k.input(dtype, (rows, columns)), k.output(dtype, (rows, columns))
    (i,) = k.indices
    with k.loop(columns) as l:
        l.reduce("max", k.load(x, {i: columns, l.index: 1}))
    (m,) = l.results
    with k.loop(columns) as l:
        e = k.op("exp", k.op("sub", k.load(x, {i: columns, l.index: 1}), m))
        k.store(y, {i: columns, l.index: 1}, e)
        l.reduce("add", e)
    (s,) = l.results
    with k.loop(columns) as l:
        e = k.load(y, {i: columns, l.index: 1})
        k.store(y, {i: columns, l.index: 1}, k.op("div", e, s))
    return k.finish()


@pytest.mark.parametrize("columns", [1, 5, 16, 33, 200])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_softmax_rows(columns, dtype):
    kernel = row_softmax(7, columns, dtype)
    rng = np.random.default_rng(columns)
    check(kernel, arguments(rng, kernel), 4)


def test_grids_of_several_axes_delinearise():
    shape = (3, 5, 4, 33)
    k = KernelBuilder(shape)
    a, b, c, d = k.indices
    x = k.input(F32, (33, 5))
    y = k.output(F32, shape)
    v = k.op("add", k.load(x, {d: 5, b: 1}), k.convert(k.convert(c, np.int32), F32))
    v = k.op("mul", v, k.convert(k.convert(a, np.int32), F32))
    k.store(y, {a: 5 * 4 * 33, b: 4 * 33, c: 33, d: 1}, v)
    kernel = k.finish()
    rng = np.random.default_rng(0)
    check(kernel, arguments(rng, kernel))
    check(kernel, arguments(rng, kernel), 1, narrow_target())


def test_guarded_loads_and_stores_stay_in_bounds():
    """Pad by 3 and 5, store only every even place: no touch outside."""
    n = 40
    k = KernelBuilder((n + 8,))
    (i,) = k.indices
    x, y = k.input(F32, (n,)), k.output(F32, (n + 8,))
    shifted = k.op("sub", i, k.const(3, np.int64))
    inside = k.op("ge", shifted, k.const(0, np.int64))
    inside = k.op("and", inside, k.op("lt", shifted, k.const(n, np.int64)))
    v = k.load(x, {shifted: 1}, 0, inside, k.const(9.0, F32))
    even = k.op("rem", i, k.const(2, np.int64))
    even = k.op("eq", even, k.const(0, np.int64))
    k.store(y, {i: 1}, v, guard=even)
    kernel = k.finish()
    for target in (None, narrow_target(16)):
        check(kernel, [np.arange(n, dtype=F32), np.full(n + 8, 7, F32)], 1, target)


@pytest.mark.parametrize("dtype", [F32, np.dtype(np.int8), *COMPLEXES], ids=str)
def test_gathers_clamp_and_read_any_place(dtype):
    k = KernelBuilder((50,))
    (i,) = k.indices
    table, at = k.input(dtype, (20, 3)), k.input(np.int32, (50,))
    y = k.output(dtype, (50, 3))
    row = k.clamped(k.load(at, {i: 1}), 19)
    with k.loop(3) as l:
        k.store(y, {i: 3, l.index: 1}, k.load(table, {row: 3, l.index: 1}))
    kernel = k.finish()
    rng = np.random.default_rng(1)
    places = rng.integers(-5, 30, 50).astype(np.int32)
    data = random_array(rng, dtype, (20, 3))
    check(kernel, [data, places, np.zeros((50, 3), dtype)])


def collatz(k, start):
    """Steps to 1 by a while loop, with a branch inside."""
    one = k.const(1, np.int32)
    w = k.while_loop([start, k.const(0, np.int32)])
    n, count = w.carries
    with w.cond as c:
        c.give(k.op("gt", n, one))
    with w.body as b:
        odd = k.op("eq", k.op("and", n, one), one)
        c = k.cond(odd)
        with c.then as t:
            t.give(k.op("add", k.op("mul", n, k.const(3, np.int32)), one))
        with c.orelse as e:
            e.give(k.op("shift_right_logical", n, one))
        b.give(c.close()[0], k.op("add", count, one))
    return w.close()[1]


@pytest.mark.parametrize("width", [None, 16, 32])
def test_while_and_if_run_lane_by_lane(width):
    n = 37
    k = KernelBuilder((n,))
    (i,) = k.indices
    x, y = k.input(np.int32, (n,)), k.output(np.int32, (n,))
    k.store(y, {i: 1}, collatz(k, k.load(x, {i: 1})))
    data = np.arange(1, n + 1, dtype=np.int32)
    target = None if width is None else narrow_target(width)
    check(k.finish(), [data, np.zeros(n, np.int32)], 1, target)


def test_carried_loops_run_in_order():
    """A recurrence along rows, all rows in lanes: h = tanh(h * a + x)."""
    rows, steps = 21, 9
    k = KernelBuilder((rows,))
    (i,) = k.indices
    x, y = k.input(F32, (steps, rows)), k.output(F32, (steps, rows))
    last = k.output(F32, (rows,))
    with k.loop(steps, carries=[k.const(0.5, F32)]) as l:
        (h,) = l.carries
        v = k.op("mul", h, k.const(0.9, F32))
        v = k.op("tanh", k.op("add", v, k.load(x, {l.index: rows, i: 1})))
        k.store(y, {l.index: rows, i: 1}, v)
        l.next(v)
    k.store(last, {i: 1}, l.carried[0])
    kernel = k.finish()
    check(kernel, arguments(np.random.default_rng(0), kernel))


def test_local_buffers_are_private_to_a_point():
    """Sort three numbers of a row by counting ranks, through local memory."""
    rows = 19
    k = KernelBuilder((rows,))
    (i,) = k.indices
    x, y = k.input(F32, (rows, 3)), k.output(F32, (rows, 3))
    t = k.buffer(F32, (3,), "local")
    for j in range(3):
        rank = k.const(0, np.int64)
        mine = k.load(x, {i: 3}, j)
        for m in range(3):
            other = k.load(x, {i: 3}, m)
            less = k.op("le" if m < j else "lt", other, mine)
            rank = k.op("add", rank, k.convert(less, np.int64))
        k.store(t, {rank: 1}, mine)
    with k.loop(3) as l:
        k.store(y, {i: 3, l.index: 1}, k.load(t, {l.index: 1}))
    kernel = k.finish()
    check(kernel, arguments(np.random.default_rng(0), kernel))


def test_scalar_kernels_and_empty_grids():
    k = KernelBuilder(())
    x, y = k.input(F32, ()), k.output(F32, ())
    k.store(y, 0, k.op("neg", k.load(x, 0)))
    out = np.zeros((), F32)
    run(k.finish(), [np.array(3, F32), out])
    assert out == -3
    k = KernelBuilder((4, 0))
    i, j = k.indices
    y = k.output(F32, (4, 0))
    k.store(y, {i: 0, j: 1}, k.const(1, F32))
    run(k.finish(), [np.zeros((4, 0), F32)])


def test_the_same_bits_on_every_run():
    kernel = row_softmax(64, 1000)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 1000)).astype(F32)
    first, second = np.zeros_like(x), np.zeros_like(x)
    run(kernel, [x, first])
    run(kernel, [x, second])
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize(
    ("triple", "cpu", "features", "word"),
    [
        ("x86_64-unknown-linux-gnu", "haswell", "+avx2,+fma", "ymm"),
        ("x86_64-unknown-linux-gnu", "skylake-avx512",
         "+avx512f,+avx512vl,+avx512bw,+avx512dq,+fma", "zmm"),
        ("aarch64-unknown-linux-gnu", "neoverse-n1", "+neon", ".4s"),
    ],
)  # fmt: skip
def test_code_for_other_machines_is_vector_code(triple, cpu, features, word):
    from jaxlike.backends.numba import binding
    from jaxlike.backends.numba.emit import emit_kernel
    from jaxlike.backends.numba.llvm import Module
    from jaxlike.backends.numba.target import Target

    target = Target.of(triple, cpu, features)
    module = Module()
    emit_kernel(row_softmax(64, 1000), target, "kernel", module)
    text = binding.assembly(str(module), target)
    assert word in text
    assert "expf" not in text


def test_a_whole_program_of_types_is_one_module():
    """Kernels over all dtypes compile together, and equal ones share their code."""
    from jaxlike.backends.numba.engine import compile_kernels

    kernels = [elementwise(d, ["max", "min"]) for d in (*INTS, *FLOATS)]
    compiled = compile_kernels([*kernels, *kernels])
    half = len(kernels)
    assert [c.address for c in compiled[:half]] == [c.address for c in compiled[half:]]
    assert len({c.address for c in compiled}) == half
    assert compute_dtype(BFLOAT16) == F32


def transpose(shape, dtype, both):
    """y[i, m, j] = x[j, m, i] (max z[i, m, j])."""
    k = KernelBuilder(shape)
    rows, middle, columns = shape
    i, m, j = k.indices
    x = k.input(dtype, shape[::-1])
    there = {i: middle * columns, m: columns, j: 1}
    v = k.load(x, {j: middle * rows, m: rows, i: 1})
    if both:
        v = k.op("max", v, k.load(k.input(dtype, shape), there))
    k.store(k.output(dtype, shape), there, v)
    return k.finish()


@pytest.mark.parametrize("dtype", [F32, np.dtype(np.int8), BFLOAT16, BOOL], ids=str)
@pytest.mark.parametrize(
    "shape", [(16, 1, 16), (33, 1, 50), (32, 1, 37), (20, 3, 40), (5, 1, 100)]
)
def test_transposed_reads_turn_in_tiles(shape, dtype):
    kernel = transpose(shape, dtype, both=shape[1] == 1)
    check(kernel, arguments(np.random.default_rng(0), kernel))
    if dtype == F32:
        for width in (16, 32):
            kernel = transpose(shape, dtype, both=False)
            arrays = arguments(np.random.default_rng(0), kernel)
            check(kernel, arrays, 1, narrow_target(width))


@pytest.mark.parametrize("dtype", [F32, np.dtype(np.int8), *COMPLEXES], ids=str)
@pytest.mark.parametrize("step", [-4, -3, -2, 2, 3, 4, 5])
def test_strided_reads_touch_no_more_than_they_need(step, dtype):
    n = 83
    size = abs(step) * (n - 1) + 1
    k = KernelBuilder((n,))
    (i,) = k.indices
    v = k.load(k.input(dtype, (size,)), {i: step}, 0 if step > 0 else size - 1)
    k.store(k.output(dtype, (n,)), {i: 1}, v)
    kernel = k.finish()
    for target in (None, narrow_target()):
        check(kernel, arguments(np.random.default_rng(0), kernel), 1, target)


@pytest.mark.parametrize("dtype", [F32, np.dtype(np.int8), COMPLEXES[0]], ids=str)
@pytest.mark.parametrize("shape", [(70, 3), (3, 41, 4), (2, 64, 2), (200, 6), (50, 7)])
def test_short_rows_run_in_bundles(shape, dtype):
    k = KernelBuilder(shape)
    row, last = k.indices[-2:]
    strides, size = {}, 1
    for v, n in zip(k.indices[::-1], shape[::-1]):
        strides[v] = size
        size *= n
    x, bias = k.load(k.input(dtype, shape), strides), k.input(dtype, shape[-1:])
    scale = k.input(dtype, shape[-2:-1])
    turned = k.input(dtype, shape[-1:-3:-1])
    v = k.op("add", x, k.load(bias, {last: 1}))
    v = k.op("mul", v, k.load(scale, {row: 1}))
    v = k.op("sub", v, k.load(turned, {last: shape[-2], row: 1}))
    if dtype.kind != "c":
        v = k.op("add", v, k.convert(last, dtype))
    k.store(k.output(dtype, shape), strides, v)
    kernel = k.finish()
    for target in (None, narrow_target(32), narrow_target(16)):
        check(kernel, arguments(np.random.default_rng(0), kernel), 4, target)


def test_literals_keep_the_sign_of_zero():
    from jaxlike.backends.numba.llvm import literal

    assert literal("float", 0.0) == "0x0000000000000000"
    assert literal("float", np.float32(-0.0)) == "0x8000000000000000"
    assert literal("float", 0.0) == "0x0000000000000000"


def test_what_no_index_changes_is_computed_once():
    """pow of a scalar, read in a long grid and in an inner loop, stays out of both."""
    k = KernelBuilder((50, 40))
    x, t, y = k.input(F32, (50, 40)), k.input(F32, ()), k.output(F32, (50, 40))
    i, j = k.indices
    factor = k.op("pow", k.const(0.9, F32), k.load(t, 0))
    k.store(y, {i: 40, j: 1}, k.op("mul", k.load(x, {i: 40, j: 1}), factor))
    kernel = k.finish()
    fixed, rest = apart(kernel, kernel.body, kernel.indices)
    assert len(fixed) == 3 and len(rest) == 3
    a = np.random.default_rng(0).standard_normal((50, 40)).astype(F32)
    out = np.empty_like(a)
    compiled = run(kernel, [a, np.array(3, F32), out])
    np.testing.assert_allclose(out, a * np.float32(0.9) ** 3, rtol=1e-6)
    text = compiled.source
    body = text[text.index("@kernel.body") :]
    assert body.index("jl.pow") < body.index("rows")
