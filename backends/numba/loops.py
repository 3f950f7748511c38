"""Loops whose bodies are kernels alone run natively, without coming back to Python.

The driver is one small function, the same for every loop: it executes the run list of
the body on a table of pointers, and moves the pointers between iterations: to the next
slice of each x and y, and from the memory of one carry to another, but for carries that
the body changes in place. So carries are never copied, and ys are written in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from jaxlike.backends.numba.calls import Call
from jaxlike.backends.numba.engine import RawKernel, compile_kernels, get_runtime
from jaxlike.backends.numba.program import NativeBody, native_body
from jaxlike.core import buffers
from jaxlike.core.dtypes import storage_dtype
from jaxlike.core.jaxpr import JaxprEqn

# arguments: condition (program, slots, flag), body (program, slots), spec, moves,
# carries; spec: turns (-1: while the condition holds), moves, carries, turns done.
# a move is (address of a pointer, step in bytes); a carry is (pointer of the input,
# pointer of the output, two places for outputs, pointer of the condition's input or 0)
_DRIVER = """
declare void @jaxlike_execute(ptr, ptr)
declare i32 @jaxlike_poll()

define void @SYMBOL(ptr %b, i64 %lo, i64 %hi) {
entry:
  %b1 = getelementptr ptr, ptr %b, i64 1
  %b2 = getelementptr ptr, ptr %b, i64 2
  %b3 = getelementptr ptr, ptr %b, i64 3
  %b4 = getelementptr ptr, ptr %b, i64 4
  %b5 = getelementptr ptr, ptr %b, i64 5
  %b6 = getelementptr ptr, ptr %b, i64 6
  %b7 = getelementptr ptr, ptr %b, i64 7
  %test = load ptr, ptr %b
  %testslots = load ptr, ptr %b1
  %flag = load ptr, ptr %b2
  %body = load ptr, ptr %b3
  %slots = load ptr, ptr %b4
  %spec = load ptr, ptr %b5
  %moves = load ptr, ptr %b6
  %carries = load ptr, ptr %b7
  %s1 = getelementptr i64, ptr %spec, i64 1
  %s2 = getelementptr i64, ptr %spec, i64 2
  %turns = load i64, ptr %spec
  %nmoves = load i64, ptr %s1
  %ncarries = load i64, ptr %s2
  %unknown = icmp slt i64 %turns, 0
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %i2, %again ]
  br i1 %unknown, label %ask, label %count
ask:
  call void @jaxlike_execute(ptr %test, ptr %testslots)
  %f = load i8, ptr %flag
  %holds = icmp ne i8 %f, 0
  br i1 %holds, label %run, label %done
count:
  %more = icmp slt i64 %i, %turns
  br i1 %more, label %run, label %done
run:
  call void @jaxlike_execute(ptr %body, ptr %slots)
  br label %moving
moving:
  %m = phi i64 [ 0, %run ], [ %m2, %move ]
  %somemove = icmp slt i64 %m, %nmoves
  br i1 %somemove, label %move, label %carrying
move:
  %mat = shl i64 %m, 1
  %mp = getelementptr i64, ptr %moves, i64 %mat
  %mq = getelementptr i64, ptr %mp, i64 1
  %where = load ptr, ptr %mp
  %step = load i64, ptr %mq
  %old = load i64, ptr %where
  %new = add i64 %old, %step
  store i64 %new, ptr %where
  %m2 = add i64 %m, 1
  br label %moving
carrying:
  %c = phi i64 [ 0, %moving ], [ %c2, %carried ]
  %somecarry = icmp slt i64 %c, %ncarries
  br i1 %somecarry, label %carry, label %next
carry:
  %cat = mul i64 %c, 5
  %cp = getelementptr i64, ptr %carries, i64 %cat
  %cp1 = getelementptr i64, ptr %cp, i64 1
  %cp2 = getelementptr i64, ptr %cp, i64 2
  %cp3 = getelementptr i64, ptr %cp, i64 3
  %cp4 = getelementptr i64, ptr %cp, i64 4
  %in = load ptr, ptr %cp
  %out = load ptr, ptr %cp1
  %first = load i64, ptr %cp2
  %second = load i64, ptr %cp3
  %intest = load ptr, ptr %cp4
  %made = load i64, ptr %out
  store i64 %made, ptr %in
  %wasfirst = icmp eq i64 %made, %first
  %other = select i1 %wasfirst, i64 %second, i64 %first
  store i64 %other, ptr %out
  %notest = icmp eq ptr %intest, null
  br i1 %notest, label %carried, label %tell
tell:
  store i64 %made, ptr %intest
  br label %carried
carried:
  %c2 = add i64 %c, 1
  br label %carrying
next:
  %i2 = add i64 %i, 1
  %turns64 = and i64 %i2, 63
  %now = icmp eq i64 %turns64, 0
  br i1 %now, label %signals, label %again
signals:
  %raised = call i32 @jaxlike_poll()
  %interrupted = icmp ne i32 %raised, 0
  br i1 %interrupted, label %done, label %again
again:
  br label %head
done:
  %s3 = getelementptr i64, ptr %spec, i64 3
  store i64 %i, ptr %s3
  ret void
}
"""


@lru_cache(1)
def _driver():
    addresses = get_runtime().library.addresses
    symbols = tuple(
        (f"jaxlike_{name}", addresses[name]) for name in ("execute", "poll")
    )
    (kernel,) = compile_kernels([RawKernel(_DRIVER, 1, 1e6, symbols=symbols)])
    return kernel.call


class _Frame:
    """The pointers of one run of a body."""

    def __init__(self, body: NativeBody):
        self.body = body
        self.slots = np.zeros(body.num_slots, np.int64)
        self.at = self.slots.ctypes.data
        self.keep: list[np.ndarray] = []
        if body.arena_bytes:
            arena = np.empty(body.arena_bytes + 64, np.uint8)
            self.keep.append(arena)
            base = -(-arena.ctypes.data // 64) * 64
            for slot, offset in body.views:
                self.slots[slot] = base + offset

    def set(self, slot: int, pointer: int) -> None:
        if slot >= 0:
            self.slots[slot] = pointer

    def where(self, slot: int) -> int:
        """The address of a slot's pointer; 0 for a slot that is not read."""
        return self.at + 8 * slot if slot >= 0 else 0


def _run(test: _Frame | None, flag, body: _Frame, turns: int, moves, carries) -> int:
    """Run the loop; how many turns it took."""
    moves = np.array(moves, np.int64).reshape(-1, 2)
    carries = np.array(carries, np.int64).reshape(-1, 5)
    spec = np.array([turns, len(moves), len(carries), 0], np.int64)
    table = np.array(
        [
            test.body.program if test else 0,
            test.at if test else 0,
            flag.ctypes.data if test else 0,
            body.body.program,
            body.at,
            spec.ctypes.data,
            moves.ctypes.data,
            carries.ctypes.data,
        ],
        np.int64,
    )
    _driver()(table.ctypes.data)
    return int(spec[3])


def _whole(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [a if a.flags.c_contiguous else np.ascontiguousarray(a) for a in arrays]


def native_scan(eqn: JaxprEqn) -> Call | None:
    """The call of a scan as a native loop; None where the body is not kernels alone."""
    params = eqn.params
    length, num_consts = params["length"], params["num_consts"]
    num_carry, reverse = params["num_carry"], params["reverse"]
    if length == 0:
        return None
    body = native_body(params["jaxpr"], num_consts, num_carry)
    if body is None:
        return None
    avals = params["jaxpr"].out_avals
    made = [(a.shape, storage_dtype(a.dtype)) for a in avals]
    first_x = num_consts + num_carry

    def call(*args):
        args = _whole(args)
        frame = _Frame(body)
        moves, carries, outs, spare = [], [], [], []
        for slot, x in zip(body.ins[:first_x], args):
            frame.set(slot, x.ctypes.data)
        for slot, x in zip(body.ins[first_x:], args[first_x:]):
            step = x.nbytes // length
            frame.set(slot, x.ctypes.data + (length - 1) * step * reverse)
            if slot >= 0:
                moves.append((frame.where(slot), -step if reverse else step))
        for i, (slot, (shape, dtype)) in enumerate(zip(body.outs, made)):
            if i in body.in_place:
                out = buffers.copy(args[num_consts + i])
                frame.set(slot, out.ctypes.data)
                frame.set(body.ins[num_consts + i], out.ctypes.data)
            elif i < num_carry:
                out, other = buffers.empty(shape, dtype), buffers.empty(shape, dtype)
                spare.append(other)
                # the last of the turns writes to `out`
                one, two = out.ctypes.data, other.ctypes.data
                frame.set(slot, one if length % 2 else two)
                read = body.ins[num_consts + i]
                carry_in = frame.where(read) or frame.at + 8 * body.unused
                carries.append((carry_in, frame.where(slot), one, two, 0))
            else:
                out = buffers.empty((length, *shape), dtype)
                step = out.nbytes // length
                frame.set(slot, out.ctypes.data + (length - 1) * step * reverse)
                moves.append((frame.where(slot), -step if reverse else step))
            outs.append(out)
        _run(None, None, frame, length, moves, carries)
        return outs

    return call


def native_while(eqn: JaxprEqn) -> Call | None:
    """The call of a while as a native loop; None where it is not kernels alone."""
    params = eqn.params
    num_cond, num_body = params["cond_nconsts"], params["body_nconsts"]
    num_carry = len(eqn.outvars)
    body = native_body(params["body_jaxpr"], num_body, num_carry)
    test = native_body(params["cond_jaxpr"])
    if body is None or test is None:
        return None
    made = [(v.aval.shape, storage_dtype(v.aval.dtype)) for v in eqn.outvars]
    first = num_cond + num_body

    def call(*args):
        args = _whole(args)
        frame, asking = _Frame(body), _Frame(test)
        flag = np.zeros((), bool)
        asking.set(test.outs[0], flag.ctypes.data)
        for slot, x in zip(test.ins, args[:num_cond]):
            asking.set(slot, x.ctypes.data)
        for slot, x in zip(body.ins, args[num_cond:first]):
            frame.set(slot, x.ctypes.data)
        carries: list[tuple[int, ...]] = []
        places = []
        for i, (x, (shape, dtype)) in enumerate(zip(args[first:], made)):
            read, written = body.ins[num_body + i], body.outs[i]
            asked = test.ins[num_cond + i]
            if i in body.in_place:
                one = buffers.copy(x)
                asking.set(asked, one.ctypes.data)
                frame.set(read, one.ctypes.data)
                frame.set(written, one.ctypes.data)
                places.append((one, one))
                continue
            one, two = buffers.empty(shape, dtype), buffers.empty(shape, dtype)
            asking.set(asked, x.ctypes.data)
            frame.set(read, x.ctypes.data)
            frame.set(written, one.ctypes.data)
            carry_in = frame.where(read) or frame.at + 8 * body.unused
            pointers = one.ctypes.data, two.ctypes.data
            carries.append(
                (carry_in, frame.where(written), *pointers, asking.where(asked))
            )
            places.append((one, two))
        turns = _run(asking, flag, frame, -1, [], carries)
        if turns == 0:
            return args[first:]
        return [one if turns % 2 else two for one, two in places]

    return call
