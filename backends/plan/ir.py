"""Loop-nest IR: what one fused kernel computes, with no word on which machine.

A `Kernel` is a function over flat buffers. It runs its body once for every point of
`grid`, in any order and in parallel; the body is a list of statements in SSA form:

    Const   a literal
    Op      one scalar operation (`ops.OPS`, named and defined as jaxpr primitives)
    Load    buffer[index], optionally guarded: `other` (or zero) where guard is false
    Store   buffer[index] = value, optionally guarded
    Loop    `extent` iterations of a block. Iterations are independent but for
            `reductions` and Prefix statements, unless the loop has `carries` or
            `sequential=True`
    Prefix  the running value of an accumulation over the iterations so far
    If      one of two blocks runs (true short circuit)
    While   carries, a condition block and a body block

Values are integers (SSA numbers), defined once, visible in their block and the blocks
inside it. Grid and loop indices are values of dtype int64 (`INDEX`).

Buffers are contiguous, C order, static shape; an `Index` addresses them flat, in
elements: const + sum(coef * value). So a broadcast is a coefficient 0, a transpose a
permutation of coefficients, a slice a constant, a stride a factor, a reverse a negative
coefficient, a reshape nothing at all, a gather a loaded, clamped, converted value among
the terms; pad and concatenate are guarded loads and selects. Different buffer arguments
never overlap in memory, but for a kernel's `overlaps`; to update in place, use one
"inout" buffer (`merge_buffers`), or let the memory plan do so (`inplace.py`).

Memory order: statements run in order, so a Load sees earlier Stores of the same grid
point; grid points, and iterations of an independent loop, must not touch what another
one writes (but for guarded or idempotent stores of equal values).

Softmax over rows of f32[R,C], built with `build.KernelBuilder`:

    k = KernelBuilder((R,)); x = k.input(f32, (R, C)); y = k.output(f32, (R, C))
    i, = k.indices
    with k.loop(C) as l:
        l.reduce("max", k.load(x, {i: C, l.index: 1}))
    m, = l.results
    with k.loop(C) as l:
        e = k.op("exp", k.op("sub", k.load(x, {i: C, l.index: 1}), m))
        k.store(y, {i: C, l.index: 1}, e)
        l.reduce("add", e)
    s, = l.results
    with k.loop(C) as l:
        k.store(y, {i: C, l.index: 1}, k.op("div", k.load(y, {i: C, l.index: 1}), s))
    kernel = k.finish()

Guidance for planners. The emitter vectorises innermost loops (or the grid itself, when
it has rank 1 and this makes accesses contiguous); the last loop should be the one along
which most accesses have coefficient 1, and long. Keep the grid large enough to split
(rank 2 and more is delinearised once per point) and its points worth >= ~100 ns, or
loop-free and of rank 1. Full reductions: grid of blocks whose size the shape alone
decides, partial results in a scratch buffer, a second kernel that combines them. Sums
over leading axes: blocks of rows, an inner loop over columns that accumulates in the
scratch row, then combine. 16-bit floats are computed in float32 and rounded after each
operation; their reductions accumulate in float32 and round once.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from jaxlike.backends.plan.ops import INDEX, OPS, dtype_name
from jaxlike.backends.plan.records import record, replace

Value = int
ROLES = ("in", "out", "inout", "scratch", "local")


@record
class Buffer:
    """Flat memory a kernel reads or writes.

    role: "in" read only; "out" and "scratch" undefined on entry (scratch: dead after);
    "inout" read and written; "local" private to one grid point, undefined when it
    starts, allocated by the kernel itself (not an argument), small.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    role: str

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize


@record
class Index:
    """A flat affine address, in elements: const + sum(coef * value)."""

    const: int = 0
    terms: tuple[tuple[Value, int], ...] = ()

    @staticmethod
    def of(terms: dict[Value, int] | None = None, const: int = 0) -> Index:
        """From a dict value -> coefficient; zero coefficients vanish."""
        items = sorted((v, c) for v, c in (terms or {}).items() if c)
        return Index(int(const), tuple((v, int(c)) for v, c in items))

    def coefficient(self, value: Value) -> int:
        """The coefficient of a value (0 when absent)."""
        return next((c for v, c in self.terms if v == value), 0)


@record
class Const:
    out: Value
    dtype: np.dtype
    value: object  # a NumPy scalar of dtype


@record
class Op:
    out: Value
    dtype: np.dtype  # of the result
    name: str
    args: tuple[Value, ...]
    params: tuple[tuple[str, object], ...] = ()


@record
class Load:
    out: Value
    dtype: np.dtype
    buffer: int
    index: Index
    guard: Value | None = None
    other: Value | None = None  # zero when None


@record
class Store:
    buffer: int
    index: Index
    value: Value
    guard: Value | None = None


@record
class Reduction:
    """An associative accumulation over a loop, from the identity (`ops.identity`).

    args and outs have one value, or two for argmax / argmin: (value, position), where
    ties take the lowest position and the first NaN wins. The order of accumulation is
    the emitter's choice, fixed by shape and machine; so is the sign of max(0, -0).
    """

    name: str
    args: tuple[Value, ...]
    outs: tuple[Value, ...]


@record
class Prefix:
    """A running accumulation: `init` and the values of this and earlier iterations.

    Stands directly in the body of a loop without carries. name: one of `ops.PREFIXES`.
    The grouping of what is accumulated is the emitter's choice, not the order; no later
    value has a part in an earlier result. In lanes it takes log2(lanes) steps, so that
    a running sum along contiguous memory runs in vectors.
    """

    out: Value
    dtype: np.dtype
    name: str
    value: Value
    init: Value


@record
class Carry:
    """A value carried between iterations: `inner` is `init`, then `next`."""

    init: Value
    inner: Value
    next: Value
    out: Value


@record
class Loop:
    index: Value
    extent: int
    body: tuple[Stmt, ...]
    reductions: tuple[Reduction, ...] = ()
    carries: tuple[Carry, ...] = ()
    sequential: bool = False

    @property
    def ordered(self) -> bool:
        return self.sequential or bool(self.carries)


@record
class If:
    """results: (out, value in `then`, value in `orelse`) each."""

    cond: Value
    then: tuple[Stmt, ...]
    orelse: tuple[Stmt, ...] = ()
    results: tuple[tuple[Value, Value, Value], ...] = ()


@record
class While:
    """`cond_body` computes `cond` from the carries' inner values; then `body` runs."""

    carries: tuple[Carry, ...]
    cond_body: tuple[Stmt, ...]
    cond: Value
    body: tuple[Stmt, ...]


Stmt = Const | Op | Load | Store | Prefix | Loop | If | While


@dataclass(slots=True)
class Kernel:
    """One fused loop nest. Immutable once built; `name` is for people only.

    overlaps: pairs of an "in" and an "out" buffer that may be the same memory, on some
    calls or all; `inplace.may_overwrite` says which pairs a kernel allows.

    >>> from jaxlike.backends.plan.build import KernelBuilder
    >>> k = KernelBuilder((4,))
    >>> x, y = k.input(np.float32, (4,)), k.output(np.float32, (4,))
    >>> k.store(y, {k.indices[0]: 1}, k.op("neg", k.load(x, {k.indices[0]: 1})))
    >>> print(k.finish("negate"))
    kernel negate grid [4] %0 (b0: in f32[4], b1: out f32[4])
      %1 = load f32 b0[%0]
      %2 = neg f32 %1
      store b1[%0] = %2
    """

    buffers: tuple[Buffer, ...]
    grid: tuple[int, ...]
    indices: tuple[Value, ...]
    body: tuple[Stmt, ...]
    name: str = ""
    overlaps: tuple[tuple[int, int], ...] = ()
    _key: str | None = field(default=None, repr=False, compare=False)

    @property
    def extent(self) -> int:
        """Number of grid points: what lo..hi of a compiled kernel ranges over."""
        return math.prod(self.grid)

    @property
    def arguments(self) -> tuple[int, ...]:
        """Buffer numbers that are passed in, in order (all but the local ones)."""
        return tuple(i for i, b in enumerate(self.buffers) if b.role != "local")

    @property
    def key(self) -> str:
        """Hash of the structure: equal for kernels that may share their code."""
        if self._key is None:
            text = "\n".join(_lines(renumbered(self)))
            self._key = hashlib.blake2b(text.encode(), digest_size=20).hexdigest()
        return self._key

    def __str__(self) -> str:
        head, *body = _lines(self)
        name = f"kernel {self.name}" if self.name else "kernel"
        return "\n".join([name + head, *body])


def kernel_key(kernel: Kernel) -> str:
    """The structural key: without names, so that twelve equal layers share it."""
    return kernel.key


def statements(body: tuple[Stmt, ...]) -> Iterator[Stmt]:
    """Every statement of a block, blocks inside included, in program order."""
    for s in body:
        yield s
        for block in blocks(s):
            yield from statements(block)


def blocks(s: Stmt) -> tuple[tuple[Stmt, ...], ...]:
    """The blocks directly inside a statement."""
    match s:
        case Loop():
            return (s.body,)
        case If():
            return (s.then, s.orelse)
        case While():
            return (s.cond_body, s.body)
    return ()


def value_dtypes(kernel: Kernel) -> dict[Value, np.dtype]:
    """The dtype of every value a kernel defines."""
    dtypes = dict.fromkeys(kernel.indices, INDEX)

    def carried(carries: tuple[Carry, ...]) -> None:
        for c in carries:
            dtypes[c.inner] = dtypes[c.out] = dtypes[c.init]

    def walk(body: tuple[Stmt, ...]) -> None:
        for s in body:
            match s:
                case Const() | Op() | Load() | Prefix():
                    dtypes[s.out] = s.dtype
                case Loop():
                    dtypes[s.index] = INDEX
                    carried(s.carries)
                    walk(s.body)
                    for r in s.reductions:
                        dtypes.update((o, dtypes[a]) for o, a in zip(r.outs, r.args))
                case If():
                    walk(s.then)
                    walk(s.orelse)
                    dtypes.update((out, dtypes[a]) for out, a, _ in s.results)
                case While():
                    carried(s.carries)
                    walk(s.cond_body)
                    walk(s.body)

    walk(kernel.body)
    return dtypes


def merge_buffers(kernel: Kernel, source: int, target: int) -> Kernel:
    """The kernel with buffer `source` ("in") and `target` ("out") become one "inout".

    For updates in place. Right only if each grid point reads of the source just what it
    writes itself afterwards; the planner sees to that. The merged buffer takes the
    lower place, later buffers move up by one. Both must have one size and dtype.
    """
    a, b = kernel.buffers[source], kernel.buffers[target]
    if a.dtype != b.dtype or a.size != b.size or (a.role, b.role) != ("in", "out"):
        raise ValueError(f"cannot merge buffers {a} and {b} of a kernel")
    keep, gone = min(source, target), max(source, target)
    place = {i: i - (i > gone) for i in range(len(kernel.buffers))} | {gone: keep}
    buffers = [*kernel.buffers]
    buffers[keep] = Buffer(b.dtype, b.shape, "inout")
    del buffers[gone]

    def move(s: Stmt) -> Stmt:
        if isinstance(s, Load | Store):
            return replace(s, buffer=place[s.buffer])
        return _map_blocks(s, lambda body: tuple(map(move, body)))

    body = tuple(map(move, kernel.body))
    return Kernel(tuple(buffers), kernel.grid, kernel.indices, body, kernel.name)


def work(kernel: Kernel) -> float:
    """Rough nanoseconds of one core for the whole grid: for threading and planning."""
    return kernel.extent * block_ns(kernel.body)


def block_ns(body: tuple[Stmt, ...]) -> float:
    """Rough nanoseconds of a block."""
    return 0.02 * _block_cost(body)


def _block_cost(body: tuple[Stmt, ...]) -> float:
    # in instructions of 16 lanes; ordered loops and branches mostly run scalar
    total = 0.0
    for s in body:
        match s:
            case Op() if s.dtype != INDEX:
                wide = max(1, s.dtype.itemsize // 4)
                total += OPS[s.name].cost * wide * (2 if s.dtype.kind == "c" else 1)
            case Load() | Store():
                total += 2
            case Prefix():
                total += 12 * OPS.get(s.name, OPS["exp"]).cost
            case Loop():
                inner = 1 + _block_cost(s.body) + len(s.reductions)
                total += 4 + s.extent * inner * (4 if s.ordered else 1)
            case If():
                total += 1 + 4 * max(_block_cost(s.then), _block_cost(s.orelse))
            case While():  # trip count unknown: a guess
                total += 400 * (_block_cost(s.cond_body) + _block_cost(s.body))
    return total


def apart(
    kernel: Kernel, body: tuple[Stmt, ...], indices: Iterable[Value]
) -> tuple[tuple[Stmt, ...], tuple[Stmt, ...]]:
    """A block as the statements that no index among `indices` changes, and the rest.

    The former can run once, before the loop (or grid) that has these indices.
    """
    moving = {*indices}
    written = {source for source, _ in kernel.overlaps}
    fixed: list[Stmt] = []
    rest: list[Stmt] = []
    for s in body:
        match s:
            case Const():
                still = True
            case Op():
                still = moving.isdisjoint(s.args)
            case Load():
                constant = kernel.buffers[s.buffer].role == "in"
                still = constant and s.guard is None and s.buffer not in written
                still = still and moving.isdisjoint(v for v, _ in s.index.terms)
            case _:
                still = False
        if still:
            fixed.append(s)
        else:
            rest.append(s)
            moving.update(defined(s))
    return tuple(fixed), tuple(rest)


def defined(s: Stmt) -> list[Value]:
    """The values that a statement defines for those after it."""
    match s:
        case Const() | Op() | Load() | Prefix():
            return [s.out]
        case Loop():
            outs = [o for r in s.reductions for o in r.outs]
            return outs + [c.out for c in s.carries]
        case If():
            return [out for out, _, _ in s.results]
        case While():
            return [c.out for c in s.carries]
    return []


def _map_blocks(s: Stmt, f) -> Stmt:
    match s:
        case Loop():
            return replace(s, body=f(s.body))
        case If():
            return replace(s, then=f(s.then), orelse=f(s.orelse))
        case While():
            return replace(s, cond_body=f(s.cond_body), body=f(s.body))
    return s


def renumbered(kernel: Kernel) -> Kernel:
    """The same kernel with values numbered in order of definition."""
    new: dict[Value, Value] = {}

    def define(v: Value) -> Value:
        return new.setdefault(v, len(new))

    def index(ix: Index) -> Index:
        return Index(ix.const, tuple(sorted((new[v], c) for v, c in ix.terms)))

    def maybe(v: Value | None) -> Value | None:
        return None if v is None else new[v]

    def uses(vs: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(new[v] for v in vs)

    def defines(vs: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(define(v) for v in vs)

    def open_carries(carries):
        return [(new[c.init], define(c.inner)) for c in carries]

    def close_carries(carries, opened):
        return tuple(
            Carry(init, inner, new[c.next], define(c.out))
            for c, (init, inner) in zip(carries, opened, strict=True)
        )

    def block(body):
        return tuple(map(stmt, body))

    def stmt(s: Stmt) -> Stmt:
        match s:
            case Const():
                return Const(define(s.out), s.dtype, s.value)
            case Op():
                args = uses(s.args)
                return Op(define(s.out), s.dtype, s.name, args, s.params)
            case Load():
                ix, guard, other = index(s.index), maybe(s.guard), maybe(s.other)
                return Load(define(s.out), s.dtype, s.buffer, ix, guard, other)
            case Store():
                return Store(s.buffer, index(s.index), new[s.value], maybe(s.guard))
            case Prefix():
                value, init = new[s.value], new[s.init]
                return Prefix(define(s.out), s.dtype, s.name, value, init)
            case Loop():
                i, opened = define(s.index), open_carries(s.carries)
                body = block(s.body)
                reductions = tuple(
                    Reduction(r.name, uses(r.args), defines(r.outs))
                    for r in s.reductions
                )
                carries = close_carries(s.carries, opened)
                return Loop(i, s.extent, body, reductions, carries, s.sequential)
            case If():
                cond, then, orelse = new[s.cond], block(s.then), block(s.orelse)
                results = tuple((define(o), new[a], new[b]) for o, a, b in s.results)
                return If(cond, then, orelse, results)
            case While():
                opened = open_carries(s.carries)
                cond_body = block(s.cond_body)
                cond = new[s.cond]
                body = block(s.body)
                return While(close_carries(s.carries, opened), cond_body, cond, body)

    indices = defines(kernel.indices)
    body = block(kernel.body)
    return Kernel(kernel.buffers, kernel.grid, indices, body, overlaps=kernel.overlaps)


def _lines(kernel: Kernel) -> Iterator[str]:
    buffers = ", ".join(
        f"b{i}: {b.role} {dtype_name(b.dtype)}{_shape(b.shape)}"
        for i, b in enumerate(kernel.buffers)
    )
    indices = "".join(f" %{i}" for i in kernel.indices)
    over = "".join(f", b{b} may be b{a}" for a, b in kernel.overlaps)
    yield f" grid {_shape(kernel.grid)}{indices} ({buffers}{over})"
    for s in kernel.body:
        yield from _stmt_lines(s, "  ")


def _shape(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"


def _index(ix: Index) -> str:
    terms = [f"{c}*%{v}" if c != 1 else f"%{v}" for v, c in ix.terms]
    return " + ".join(terms + ([str(ix.const)] if ix.const or not terms else []))


def _values(vs) -> str:
    return ", ".join(f"%{v}" for v in vs)


def _carries(carries) -> str:
    items = [f"%{c.inner} = %{c.init} then %{c.next}" for c in carries]
    return f" carry ({'; '.join(items)})" if items else ""


def _stmt_lines(s: Stmt, pad: str) -> Iterator[str]:
    deeper = pad + "  "
    match s:
        case Const():
            # repr of a scalar is exact; NaN payloads do not matter
            yield f"{pad}%{s.out} = const {dtype_name(s.dtype)} {s.value!s}"
        case Op():
            params = "".join(f" {k}={v}" for k, v in s.params)
            head = f"{pad}%{s.out} = {s.name} {dtype_name(s.dtype)}"
            yield f"{head} {_values(s.args)}{params}"
        case Load():
            guard = f" if %{s.guard}" if s.guard is not None else ""
            other = f" else %{s.other}" if s.other is not None else ""
            head = f"{pad}%{s.out} = load {dtype_name(s.dtype)}"
            yield f"{head} b{s.buffer}[{_index(s.index)}]{guard}{other}"
        case Store():
            guard = f" if %{s.guard}" if s.guard is not None else ""
            yield f"{pad}store b{s.buffer}[{_index(s.index)}] = %{s.value}{guard}"
        case Prefix():
            head = f"{pad}%{s.out} = prefix {s.name} {dtype_name(s.dtype)}"
            yield f"{head} %{s.value} from %{s.init}"
        case Loop():
            outs = [c.out for c in s.carries] + [
                o for r in s.reductions for o in r.outs
            ]
            left = f"{_values(outs)} = " if outs else ""
            kind = "sequential loop" if s.sequential else "loop"
            reduce = "".join(f" {r.name}({_values(r.args)})" for r in s.reductions)
            tail = f"{_carries(s.carries)}{reduce}"
            yield f"{pad}{left}{kind} %{s.index} in {s.extent}{tail}:"
            for inner in s.body:
                yield from _stmt_lines(inner, deeper)
        case If():
            outs = ", ".join(f"%{o} = %{a} | %{b}" for o, a, b in s.results)
            yield f"{pad}if %{s.cond}{' ' + outs if outs else ''}:"
            for inner in s.then:
                yield from _stmt_lines(inner, deeper)
            yield f"{pad}else:"
            for inner in s.orelse:
                yield from _stmt_lines(inner, deeper)
        case While():
            outs = [c.out for c in s.carries]
            yield f"{pad}{_values(outs)} = while{_carries(s.carries)}:"
            for inner in s.cond_body:
                yield from _stmt_lines(inner, deeper)
            yield f"{pad}do %{s.cond}:"
            for inner in s.body:
                yield from _stmt_lines(inner, deeper)
