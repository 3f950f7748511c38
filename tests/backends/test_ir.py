"""The loop-nest IR: building, printing, keys, validation, and its interpreter."""

import numpy as np
import pytest

from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.interpret import interpret
from jaxlike.backends.plan.ir import (
    Const,
    If,
    Index,
    Kernel,
    Load,
    Loop,
    Op,
    Prefix,
    Store,
    kernel_key,
    merge_buffers,
    renumbered,
    statements,
    value_dtypes,
    work,
)
from jaxlike.backends.plan.ops import BOOL, INDEX, OPS, identity, supported
from jaxlike.backends.plan.validate import InvalidKernel, validate
from tests.backends.kernels import arguments, random_kernel

F32, I32 = np.dtype(np.float32), np.dtype(np.int32)


def row_sums(rows=3, columns=5, noise=0):
    k = KernelBuilder((rows,))
    x, y = k.input(F32, (rows, columns)), k.output(F32, (rows,))
    (i,) = k.indices
    for n in range(noise):  # nothing uses these
        k.op("exp", k.const(n, F32))
    with k.loop(columns) as l:
        l.reduce("add", k.load(x, {i: columns, l.index: 1}))
    k.store(y, {i: 1}, l.results[0])
    return k.finish(f"sums_{noise}")


def test_the_printer_shows_every_statement():
    assert str(row_sums()) == (
        "kernel sums_0 grid [3] %0 (b0: in f32[3,5], b1: out f32[3])\n"
        "  %3 = loop %1 in 5 add(%2):\n"
        "    %2 = load f32 b0[5*%0 + %1]\n"
        "  store b1[%0] = %3"
    )


def test_equal_structure_has_an_equal_key_whatever_the_names():
    assert row_sums(noise=0).key == kernel_key(row_sums(noise=4))
    assert row_sums().key != row_sums(rows=4).key
    keys = {random_kernel(np.random.default_rng(n)).key for n in range(30)}
    assert len(keys) == 30
    again = random_kernel(np.random.default_rng(7))
    assert again.key == random_kernel(np.random.default_rng(7)).key


@pytest.mark.parametrize("seed", range(10))
def test_renumbering_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    kernel = random_kernel(rng)
    again = renumbered(kernel)
    assert again.key == kernel.key
    values = [s.out for s in statements(again.body) if isinstance(s, Const | Op | Load)]
    assert values == sorted(values)
    ours, theirs = (arguments(np.random.default_rng(1), kernel) for _ in range(2))
    interpret(kernel, ours)
    interpret(again, theirs)
    for a, b in zip(ours, theirs):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("seed", range(10))
def test_random_kernels_are_valid_and_typed(seed):
    kernel = random_kernel(np.random.default_rng(seed))
    validate(kernel)
    dtypes = value_dtypes(kernel)
    for s in statements(kernel.body):
        if isinstance(s, Store):
            assert dtypes[s.value] == kernel.buffers[s.buffer].dtype
    assert work(kernel) >= 0


def test_the_builder_shares_equal_expressions_and_drops_dead_ones():
    k = KernelBuilder((4,))
    (i,) = k.indices
    x, y = k.input(F32, (4,)), k.output(F32, (4,))
    a = k.op("exp", k.load(x, {i: 1}))
    b = k.op("exp", k.load(x, {i: 1}))
    assert a == b
    k.op("log", a)
    k.store(y, {i: 1}, k.op("add", a, b))
    assert [s.name for s in k.finish().body if isinstance(s, Op)] == ["exp", "add"]


def test_loads_of_written_buffers_are_not_shared():
    k = KernelBuilder(())
    y = k.output(F32, (1,))
    one = k.const(1, F32)
    k.store(y, 0, one)
    first = k.load(y, 0)
    k.store(y, 0, k.op("add", first, one))
    assert k.load(y, 0) != first


def test_inner_definitions_do_not_leak_into_later_blocks():
    k = KernelBuilder((4,))
    (i,) = k.indices
    x, y = k.input(F32, (4,)), k.output(F32, (4,))
    with k.loop(2) as l:
        inner = k.op("exp", k.load(x, {l.index: 1}))
        l.reduce("add", inner)
    outer = k.op("exp", k.load(x, {i: 1}))
    assert outer != inner
    k.store(y, {i: 1}, k.op("add", outer, l.results[0]))
    validate(k.finish())


def test_what_a_loop_does_not_change_stands_before_it():
    k = KernelBuilder((4,))
    (i,) = k.indices
    x, y = k.input(F32, (4,)), k.output(F32, (4, 2))
    with k.loop(2) as l:
        row = k.op("exp", k.load(x, {i: 1}))
        k.store(y, {i: 2, l.index: 1}, row)
        c = k.cond(k.op("gt", row, k.const(1, F32)))
        with c.then:  # may hold what must not run otherwise
            k.store(y, {i: 2}, k.op("neg", row))
        c.close()
    kernel = k.finish()
    validate(kernel)
    (loop,) = (s for s in kernel.body if isinstance(s, Loop))
    assert [type(s) for s in loop.body] == [Store, If]
    assert [type(s) for s in loop.body[1].then] == [Op, Store]


def test_constants_in_addresses_fold():
    k = KernelBuilder((4,))
    (i,) = k.indices
    three = k.const(3, INDEX)
    assert k.index({i: 2, three: 5}, 1) == Index(16, ((i, 2),))
    assert k.index({i: 0}) == Index(0)


def test_merging_buffers_updates_in_place():
    k = KernelBuilder((4,))
    (i,) = k.indices
    y = k.output(F32, (4,))
    x = k.input(F32, (4,))
    k.store(y, {i: 1}, k.op("neg", k.load(x, {i: 1})))
    merged = merge_buffers(k.finish(), x, y)
    assert [b.role for b in merged.buffers] == ["inout"]
    data = np.arange(4, dtype=F32)
    interpret(merged, [data])
    assert data.tolist() == [0, -1, -2, -3]
    with pytest.raises(ValueError, match="cannot merge"):
        merge_buffers(k.finish(), y, x)


def broken(body, buffers=None, grid=(4,)):
    from jaxlike.backends.plan.ir import Buffer

    default = (Buffer(F32, (4,), "in"), Buffer(F32, (4,), "out"))
    indices = tuple(range(len(grid)))
    return Kernel(buffers or default, grid, indices, tuple(body))


at = Index(0, ((0, 1),))
x0 = Load(1, F32, 0, at)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ([Store(1, at, 9)], "%9 is not visible"),
        ([x0, Store(0, at, 1)], "an input is written"),
        ([x0, x0], "defined twice"),
        ([x0, Op(2, F32, "sing", (1,))], "no operation sing"),
        ([x0, Op(2, F32, "add", (1,))], "takes 2 operands"),
        ([x0, Op(2, F32, "and", (1, 1))], "and of f32 is not supported"),
        ([x0, Op(2, BOOL, "add", (1, 1))], "the result is f32, not bool"),
        ([x0, Op(2, F32, "integer_pow", (1,))], "takes the parameters"),
        ([Load(1, F32, 0, Index(1, ((0, 1),)))], "addresses 1..4 of a buffer of 4"),
        ([Load(1, F32, 0, Index(0, ((0, -1),)))], "addresses -3..0"),
        ([Load(1, I32, 0, at)], "its buffer's dtype"),
        ([Load(1, F32, 5, at)], "no such buffer"),
        ([x0, Load(2, F32, 0, Index(0, ((1, 1),)))], "%1 is f32, not i64"),
        ([Loop(1, 3, (Load(2, F32, 0, at),)), Store(1, at, 2)], "%2 is not visible"),
        ([x0, Prefix(2, F32, "add", 1, 1)], "not directly in the body of a loop"),
        ([x0, Loop(2, 3, (Prefix(3, F32, "and", 1, 1),))], "and of f32 does not"),
    ],
)
def test_the_validator_names_what_is_wrong(body, why):
    with pytest.raises(InvalidKernel, match=why.replace("(", r"\(")):
        validate(broken(body))


def test_the_interpreter_refuses_addresses_out_of_range():
    k = KernelBuilder((4,))
    (i,) = k.indices
    p, y = k.input(np.int64, (4,)), k.output(F32, (4,))
    k.store(y, {k.load(p, {i: 1}): 1}, k.const(1, F32))
    with pytest.raises(IndexError, match="address 7"):
        interpret(k.finish(), [np.full(4, 7), np.zeros(4, F32)])


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.float32, np.bool_])
@pytest.mark.parametrize("name", ["add", "mul", "max", "min", "and", "or", "xor"])
def test_identities_are_identities(name, dtype):
    dtype = np.dtype(dtype)
    if not supported(name, dtype):
        return
    values = np.array([0, 1, 5, 100]).astype(dtype)
    k = KernelBuilder((4,))
    (i,) = k.indices
    v = k.op(
        name,
        k.load(k.input(dtype, (4,)), {i: 1}),
        k.const(identity(name, dtype), dtype),
    )
    k.store(k.output(dtype, (4,)), {i: 1}, v)
    out = np.zeros(4, dtype)
    interpret(k.finish(), [values, out])
    assert (out == values).all()


def test_integers_wrap_and_never_trap():
    def binary(name, x, y, dtype=np.int32):
        k = KernelBuilder(())
        a, b = k.const(x, dtype), k.const(y, dtype)
        out = np.zeros((), dtype)
        k.store(k.output(dtype, ()), 0, k.op(name, a, b))
        interpret(k.finish(), [out])
        return int(out)

    low = -(2**31)
    assert binary("div", 7, 0) == -1
    assert binary("rem", 7, 0) == 7
    assert binary("div", low, -1) == low
    assert binary("rem", low, -1) == 0
    assert binary("add", low, -1) == 2**31 - 1
    assert binary("div", -7, 2) == -3
    assert binary("shift_left", 1, 32) == 0
    assert binary("shift_right_arithmetic", -8, 99) == -1
    assert binary("shift_right_arithmetic", 251, 5, np.uint8) == 255


def test_every_operation_has_an_interpretation():
    from jaxlike.backends.plan.interpret import _OPS

    special = {"select_n", "convert_element_type", "bitcast_convert_type"}
    assert set(OPS) - special - {"nextafter", "reduce_precision"} == set(_OPS)
