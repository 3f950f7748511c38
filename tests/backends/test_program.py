"""Programs of the numba backend give what the reference interpreter gives."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings

import jaxlike
from jaxlike import lax
from jaxlike.backends.numba.program import Program
from jaxlike.backends.plan.prepare import PASSES
from jaxlike.core.array import to_buffer
from jaxlike.core.check import check_jaxpr
from jaxlike.core.config import enable_x64
from jaxlike.core.jaxpr import ClosedJaxpr, evaluate_jaxpr
from jaxlike.transforms.make_jaxpr import make_jaxpr
from tests.backends.random_jaxprs import Tape, grow, inputs, tapes
from tests.primitives.case import assert_close, families

CASES = [
    pytest.param(case, id=f"{family}-{case.name}")
    for family, cases in families().items()
    for case in cases
]


def trace(fun, *args) -> ClosedJaxpr:
    closed = make_jaxpr(fun)(*args)
    return ClosedJaxpr(closed.jaxpr, [to_buffer(c) for c in closed.consts])


def reference(closed: ClosedJaxpr, *args) -> list[np.ndarray]:
    return evaluate_jaxpr(closed.jaxpr, closed.consts, *args)


def check(fun, *args, rtol=None, atol=None) -> Program:
    """Compile fun, call it twice, compare with the reference."""
    closed = trace(fun, *args)
    args = [to_buffer(a) for a in args]
    expected = reference(closed, *args)
    program = Program(closed, "test")
    # the second call runs in the memory of the first
    for _ in range(2):
        for got, want in zip(program(args), expected, strict=True):
            assert_close(got, want, rtol, atol)
    return program


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_cases(case):
    check(
        lambda *args: case.run(lax, *args), *case.args, rtol=case.rtol, atol=case.atol
    )


@pytest.mark.parametrize("wide", [False, True], ids=["narrow", "wide"])
@settings(max_examples=60, deadline=None)
@given(tapes)
def test_random_functions(wide, numbers):
    with enable_x64(wide):
        tape = Tape(numbers)
        args = inputs(tape, wide)
        before = [a.copy() for a in args]
        at = tape.at

        def fun(*xs):
            tape.at = at
            return grow(tape, lax, *xs)

        check(fun, *args, rtol=1e-2 if _narrow(fun, args) else 1e-4, atol=1e-2)
        for a, b in zip(args, before):
            np.testing.assert_array_equal(a, b)


def _narrow(fun, args) -> bool:
    """Whether bfloat16 occurs."""
    return any(
        getattr(v.aval.dtype, "name", "") == "bfloat16"
        for eqn in make_jaxpr(fun)(*args).jaxpr.eqns
        for v in (*eqn.invars, *eqn.outvars)
    )


@settings(max_examples=80, deadline=None)
@given(tapes)
def test_passes_keep_types_and_meaning(numbers):
    tape = Tape(numbers)
    args = inputs(tape, False)
    at = tape.at

    def fun(*xs):
        tape.at = at
        return jaxlike.jit(lambda *ys: grow(tape, lax, *ys))(*xs)

    closed = trace(fun, *args)
    expected = reference(closed, *args)
    for rewrite in PASSES:
        closed = rewrite(closed)
        check_jaxpr(closed)
        for got, want in zip(reference(closed, *args), expected, strict=True):
            assert_close(got, want, 1e-2, 1e-2)


# --- control flow, calls inside calls


def body(c, x):
    return lax.tanh(lax.add(c, lax.mul(x, c))), lax.sub(x, c)


CONTROL = {
    "scan": lambda x, y: lax.scan(body, y, lax.broadcast_in_dim(x, (4, 3), (1,))),
    "reverse": lambda x, y: lax.scan(
        body, y, lax.broadcast_in_dim(x, (4, 3), (1,)), reverse=True
    ),
    "while": lambda x, y: lax.while_loop(
        lambda s: lax.lt(s[0], 3), lambda s: (s[0] + 1, lax.sin(s[1]), s[2]), (0, x, y)
    ),
    "cond": lambda x, y: lax.cond(
        lax.gt(lax.reduce_sum(x, (0,)), 0.0), lax.sin, lambda a: lax.mul(a, y), x
    ),
    "switch": lambda x, y: lax.switch(
        7, [lax.sin, lax.cos, lambda a: a], lax.add(x, y)
    ),
    "jit": lambda x, y: jaxlike.jit(lambda a: (lax.mul(lax.sin(a), y), a))(x),
    "checkpoint": lambda x, y: jaxlike.checkpoint(lambda a: lax.sin(lax.cos(a)))(x),
    "fori": lambda x, y: lax.fori_loop(
        0, 4, lambda i, c: lax.switch(i, [lax.sin, lax.cos, lax.neg], lax.add(c, y)), x
    ),
}


@pytest.mark.parametrize("name", CONTROL)
@pytest.mark.parametrize("gradient", [False, True])
def test_control_flow(name, gradient):
    fun = CONTROL[name]
    x, y = np.float32([0.3, -0.4, 1.2]), np.float32([0.5, 0.1, -0.7])
    if gradient:
        if name == "while":
            return

        def total(x, y):
            leaves = jaxlike.tree.leaves(fun(x, y))
            return sum(lax.reduce_sum(v, tuple(range(v.ndim))) for v in leaves)

        check(jaxlike.grad(total, (0, 1)), x, y)
    else:
        check(fun, x, y)


# --- calls that overlap; memory


def big(x):
    y = lax.exp(lax.mul(x, np.float32(1e-3)))
    s = lax.dot(y, lax.transpose(y, (1, 0)))
    return lax.reduce_sum(lax.sin(s), (0,)), lax.dot(lax.tanh(s), y)


def test_threads_call_one_program():
    closed = trace(big, np.zeros((60, 40), np.float32))
    program = Program(closed, "shared")
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal((60, 40)).astype(np.float32) for _ in range(4)]
    expected = [program([x]) for x in inputs]
    wrong = []

    def work(k):
        for _ in range(30):
            outs = program([inputs[k]])
            if not all(map(np.array_equal, outs, expected[k])):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_callback_calls_its_program_again():
    depth = []

    @jaxlike.jit
    def f(x):
        y = lax.sin(x)
        z = jaxlike.pure_callback(again, jaxlike.ShapeDtypeStruct((3,), np.float32), y)
        return lax.add(lax.mul(y, y), z)

    def again(y):
        y = np.array(y)
        if len(depth) >= 2:
            return y
        depth.append(1)
        inner = np.asarray(f(y))
        depth.pop()
        return inner

    def plain(x, depth):
        y = np.sin(x)
        return y * y + (plain(y, depth + 1) if depth < 2 else y)

    x = np.float32([0.3, 1.0, -2.0])
    np.testing.assert_allclose(f(x), plain(x, 0), rtol=1e-5)


SHARING = {
    "input": lambda x: x,
    "input twice": lambda x: (x, x, lax.neg(x)),
    "transpose": lambda x: (lax.transpose(x, (1, 0)), lax.neg(x)),
    "slice": lambda x: lax.slice(x, (0, 0), (1, 2)),
    "dynamic slice": lambda x: lax.dynamic_slice(x, (0, 0), (1, 2)),
    "barrier": lambda x: lax.optimization_barrier((lax.sin(x), x))[1],
    "cond": lambda x: lax.cond(x[0, 0] < 100, lambda a: a, lax.sin, x),
    "while": lambda x: lax.fori_loop(0, 2, lambda i, c: c, x),
}


@pytest.mark.parametrize("name", SHARING)
def test_results_are_the_callers_own(name):
    """No result changes, neither by the caller's writes nor by later calls."""
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    f = jaxlike.jit(SHARING[name])
    first = jaxlike.tree.leaves(f(x))
    copies = [np.array(a) for a in first]
    x += 1
    f(x)
    f(x * 2)
    for a, copy in zip(first, copies):
        np.testing.assert_array_equal(a, copy)


def test_values_of_barriers_stay_alive():
    """Each result of a call may be a view of any operand in the arena."""

    def f(x):
        a, b, c = lax.sin(x), lax.cos(x), lax.tanh(x)
        a, b, c = lax.optimization_barrier((a, b, c))
        d = lax.dot(lax.exp(a), lax.exp(a))
        e = lax.dot(lax.sin(d), lax.sin(d))
        return lax.add(lax.dot(lax.sin(e), e), lax.mul(b, c)), c

    x = np.random.default_rng(0).standard_normal((8, 8)).astype(np.float32)
    check(f, x, rtol=1e-3, atol=1e-3)


def test_errors_in_calls_say_where():
    def f(x):
        shape = jaxlike.ShapeDtypeStruct((), np.float32)
        return lax.scan(
            lambda c, _: (jaxlike.pure_callback(broken, shape, c), None), x, None, 3
        )[0]

    def broken(x):
        raise ArithmeticError("no such number")

    with pytest.raises(Exception, match="no such number") as info:
        jaxlike.jit(f)(np.float32(1))
    (note,) = [n for n in info.value.__notes__ if "while running" in n]
    assert "pure_callback" in note and "test_program.py" in note


def test_text():
    text = Program(trace(big, np.zeros((60, 40), np.float32)), "big").as_text()
    first, *_, last = text.split("\n")
    assert first.startswith("program big(v0:f32[60,40]): ")
    assert last.startswith("return v")
    assert "product float32" in text and "= exp f32" in text


def test_calls_are_inlined_from_the_start():
    """Custom rules too, before anything imports remat."""
    code = (
        "import jaxlike, sys\n"
        "from jaxlike.backends.plan.prepare import prepare\n"
        "closed = jaxlike.make_jaxpr(jaxlike.jit(jaxlike.nn.relu))(1.0)\n"
        "assert 'jaxlike.transforms.remat' not in sys.modules\n"
        "print(*(e.primitive.name for e in prepare(closed).jaxpr.eqns))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.stdout.split() == ["max"], out


def test_one_result_returned_twice():
    x = np.arange(3, dtype=np.float32)
    program = check(lambda x: [lax.sin(x)] * 2, x)
    first, second = program([x])
    assert first is not x and second is not x
