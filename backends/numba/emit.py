"""Kernel -> LLVM IR: `void name(ptr buffers, i64 lo, i64 hi)` over grid points lo..hi.

Vector code is written outright, not left to LLVM's loop vectoriser: lanes are chosen by
`lanes.py`, so that code, rounding and speed do not hang on heuristics. A lane loop is a
main loop over full vectors and a masked (AVX-512) or scalar tail; a heavy body shares
one masked loop. Buffers come as noalias arguments of an inner function. Floating point:
contraction to fused multiply-add is allowed, nothing else; sums are reassociated by
the lanes written here only.
"""

from __future__ import annotations

from operator import add, sub

from jaxlike.backends.numba.branches import Branches, packed, parts_of
from jaxlike.backends.numba.bundles import Bundles, bundling
from jaxlike.backends.numba.complexes import emit_complex
from jaxlike.backends.numba.elementwise import emit_op, memory_elem, value_elem
from jaxlike.backends.numba.lanes import LanePlan, choose_lanes
from jaxlike.backends.numba.llvm import Function, Module, Type, V
from jaxlike.backends.numba.memory import (
    I64,
    Address,
    Linear,
    Memory,
    address,
    literal_int,
)
from jaxlike.backends.numba.prefixes import Prefixes
from jaxlike.backends.numba.ranges import Lane, Ranges
from jaxlike.backends.numba.reductions import Accumulator
from jaxlike.backends.numba.target import Target
from jaxlike.backends.numba.transposes import Transposes, turning
from jaxlike.backends.plan.inplace import is_copy
from jaxlike.backends.plan.ir import (
    Const,
    If,
    Index,
    Kernel,
    Load,
    Loop,
    Op,
    Prefix,
    Stmt,
    Store,
    Value,
    While,
    apart,
    value_dtypes,
)
from jaxlike.backends.plan.ops import INDEX, real_dtype

_ATTRIBUTES = 'nounwind "prefer-vector-width"="512"'


def emit_kernel(kernel: Kernel, target: Target, name: str, module: Module) -> None:
    """Add the function `name` for a kernel to a module."""
    module.avx512 = target.masked
    _Emitter(kernel, target, name, module).run()


def grain(kernel: Kernel, target: Target) -> int:
    """What the bounds of a kernel's chunks must be multiples of (but for the end)."""
    if len(kernel.grid) < 2:
        return 1
    plan = turning(kernel, target) or bundling(kernel, target)
    return plan.grain if plan else 1


class _Emitter(Ranges, Branches, Transposes, Bundles, Prefixes):
    def __init__(self, kernel: Kernel, target: Target, name: str, module: Module):
        self.kernel, self.target, self.name = kernel, target, name
        self.module = module
        self.plan: LanePlan = choose_lanes(kernel, target)
        self.env: dict[Value, object] = {}
        self.dtypes = value_dtypes(kernel)
        self.lane: Lane | None = None
        self.tiles: dict[Value, V] = {}
        self._running = {}

    # -- the function ----------------------------------------------------------------
    def run(self) -> None:
        inner = f"{self.name}.body"
        params = []
        shared = {i for pair in self.kernel.overlaps for i in pair}
        for i in self.kernel.arguments:
            role = self.kernel.buffers[i].role
            access = "readonly" if role == "in" else ""
            alone = "noalias " if i not in shared else ""
            params.append(("ptr", alone + access, f"b{i}"))
        params += [("i64", "", "lo"), ("i64", "", "hi")]
        self.f = f = Function(
            self.module, inner, params, attributes=f"{_ATTRIBUTES} noinline",
            linkage="internal",
        )  # fmt: skip
        self.memory = []
        for i, b in enumerate(self.kernel.buffers):
            if b.role == "local":
                count = max(1, b.size) * (2 if b.dtype.kind == "c" else 1)
                p = f.alloca(memory_elem(real_dtype(b.dtype)), count)
            else:
                p = V(f, Type("ptr"), f"%b{i}")
            invariant = b.role == "in" and i not in shared
            self.memory.append(Memory(f, p, b.dtype, invariant, self.target.masked))
        if self.kernel.extent:
            self.grid(V(f, I64, "%lo"), V(f, I64, "%hi"))
        f.ret()
        self.module.add(f)
        self.wrapper(inner)

    def wrapper(self, inner: str) -> None:
        """The entry: unpack the pointer table."""
        params = [("ptr", "", "buffers"), ("i64", "", "lo"), ("i64", "", "hi")]
        f = Function(self.module, self.name, params, attributes=_ATTRIBUTES)
        table = V(f, Type("ptr"), "%buffers")
        words = []
        for place, _ in enumerate(self.kernel.arguments):
            slot = f.gep("ptr", table, f.const(I64, place))
            words.append(str(f.load(Type("ptr"), slot, 8)))
        if self.kernel.overlaps and is_copy(self.kernel):
            f.do(f"%same = icmp eq {words[0]}, {words[1].split()[-1]}")
            f.do("br i1 %same, label %nothing, label %copy")
            f.begin("nothing")
            f.ret()
            f.begin("copy")
        words += ["i64 %lo", "i64 %hi"]
        f.do(f"call void @{inner}({', '.join(words)})")
        f.ret()
        self.module.add(f)

    def grid(self, lo: V, hi: V) -> None:
        grid, indices = self.kernel.grid, self.kernel.indices
        if not grid:
            self.when(lo < hi, lambda: self.block(self.kernel.body))
            return
        fixed, self.body = apart(self.kernel, self.kernel.body, indices)
        self.block(fixed)
        if len(grid) == 1:
            self.segment(lo, hi)
            return
        plan = turning(self.kernel, self.target)
        if plan is not None:
            self.turned_grid(plan, lo, hi)
            return
        bundle = bundling(self.kernel, self.target)
        if bundle is not None:
            self.bundled_grid(bundle, lo, hi)
            return
        width = grid[-1]

        def row(point: V, _):
            q = point._binary("udiv", width)
            start = point - q * width
            left = hi - point
            stop = start + left
            over = stop.cmp("sgt", width)
            stop = over.where(width, stop)
            for index, n in zip(indices[-2:0:-1], grid[-2:0:-1]):
                up = q._binary("udiv", n)
                self.env[index] = q - up * n
                q = up
            self.env[indices[0]] = q
            self.segment(start, stop)
            return point + (stop - start), []

        self.loop_while(lo, lambda p: p.cmp("slt", hi), [], row)

    def segment(self, start: V, stop: V) -> None:
        """The grid's last axis, from start to stop."""
        index = self.kernel.indices[-1]
        lanes = self.plan.lanes.get(index, 1)
        fixed, rest = apart(self.kernel, self.body, [index])
        self.block(fixed)
        self.run_lanes(index, start, stop, None, lanes, [], self.point(index, rest))

    def point(self, index: Value, statements: tuple[Stmt, ...] | None = None):
        """A body that runs the kernel's, at a value (or vector) of a grid index."""
        statements = self.body if statements is None else statements

        def body(at, accs):
            self.env[index] = at
            self.block(statements)
            return accs

        return body

    # -- statements ------------------------------------------------------------------
    def block(self, body: tuple[Stmt, ...]) -> None:
        for s in body:
            match s:
                case Const():
                    self.env[s.out] = self.literal(s)
                case Op():
                    self.op(s)
                case Load():
                    self.load(s)
                case Store():
                    self.store(s)
                case Prefix():
                    self.prefix(s)
                case Loop():
                    self.loop(s)
                case If():
                    self.conditional(s)
                case While():
                    self.while_loop(s)

    def literal(self, s: Const):
        elem = value_elem(real_dtype(s.dtype))
        if s.dtype.kind == "c":
            parts = (s.value.real, s.value.imag)
            return tuple(self.f.const(Type(elem), p) for p in parts)
        return self.f.const(Type(elem), s.value)

    def value(self, v: Value):
        """A value with all its lanes spelled out."""
        value = self.env[v]
        return value.vector(self.lanes) if isinstance(value, Linear) else value

    def op(self, s: Op) -> None:
        raw = [self.env[v] for v in s.args]
        if any(isinstance(r, Linear) for r in raw):
            out = self.linear_op(s, raw)
            if out is not None:
                self.env[s.out] = out
                return
        args = [self.value(v) for v in s.args]
        dtypes = [self.dtypes[v] for v in s.args]
        if s.dtype.kind == "c" or any(d.kind == "c" for d in dtypes):
            out = emit_complex(s, args, dtypes)
        elif s.dtype == INDEX and (folded := self.fold(s, args)) is not None:
            out = folded
        else:
            out = emit_op(s, args, dtypes)
        self.env[s.out] = out

    def fold(self, s: Op, args: list[V]) -> V | None:
        """Index arithmetic of literals (unrolled loops)."""
        if any(a.type.lanes > 1 or a.text.startswith("%") for a in args):
            return None
        if any(self.dtypes[v] != INDEX for v in s.args):
            return None
        n = [literal_int(a) for a in args]
        match s.name:
            case "add":
                out = n[0] + n[1]
            case "sub":
                out = n[0] - n[1]
            case "mul":
                out = n[0] * n[1]
            case "clamp":
                out = min(max(n[1], n[0]), n[2])
            case _:
                return None
        return self.f.const(I64, out)

    def linear_op(self, s: Op, raw) -> object | None:
        """Arithmetic that stays affine in the lane, comparisons and narrow casts."""
        f = self.f
        if s.name == "convert_element_type" and s.dtype.kind in "iu":
            elem = value_elem(s.dtype)
            base = raw[0].base.cast("trunc", elem)
            iota = f.vector(elem, raw[0].offsets)
            return f.splat(base, self.lanes) + iota
        if len(raw) != 2:
            return None
        if any(isinstance(r, V) and r.type.lanes > 1 for r in raw):
            return None
        zeros = (0,) * self.lanes
        bases = [r.base if isinstance(r, Linear) else r for r in raw]
        rows = [r.offsets if isinstance(r, Linear) else zeros for r in raw]
        match s.name:
            case "add":
                return Linear(bases[0] + bases[1], tuple(map(add, *rows)))
            case "sub":
                return Linear(bases[0] - bases[1], tuple(map(sub, *rows)))
            case "mul":
                if isinstance(raw[1], Linear):
                    bases, rows, raw = bases[::-1], rows[::-1], raw[::-1]
                c = bases[1]
                if not isinstance(raw[1], Linear) and not c.text.startswith("%"):
                    n = literal_int(c)
                    return Linear(bases[0] * c, tuple(n * o for o in rows[0]))
            case "lt" | "le" | "gt" | "ge" | "eq" | "ne":
                return self.linear_compare(s.name, bases, tuple(map(sub, *rows)))
        return None

    def linear_compare(self, name: str, bases: list[V], offsets) -> V:
        """base0 + a <op> base1 + c  as  offsets = a - c <op> distance of the bases."""
        f = self.f
        reach = max(map(abs, offsets)) + 1
        distance = bases[1] - bases[0]
        elem = "i32" if reach < 1 << 31 else "i64"
        distance = distance.call("smax", -reach).call("smin", reach).cast("trunc", elem)
        predicate = name if name in ("eq", "ne") else "s" + name
        return f.vector(elem, offsets).cmp(predicate, f.splat(distance, self.lanes))

    def address(self, ix: Index) -> Address:
        return address(self.f, ix.const, [(self.env[v], c) for v, c in ix.terms])

    def load(self, s: Load) -> None:
        if s.out in self.tiles:
            self.env[s.out] = self.tile_load(s)
            return
        guard = None if s.guard is None else self.value(s.guard)
        other = None if s.other is None else self.value(s.other)
        mask = self.lane.mask if self.lane else None
        at = self.address(s.index)
        out = self.memory[s.buffer].load(at, self.lanes, mask, guard, other)
        self.env[s.out] = out

    def store(self, s: Store) -> None:
        guard = None if s.guard is None else self.value(s.guard)
        mask = self.lane.mask if self.lane else None
        at, value = self.address(s.index), self.value(s.value)
        self.memory[s.buffer].store(value, at, self.lanes, mask, guard)

    # -- loops -----------------------------------------------------------------------
    def loop(self, s: Loop) -> None:
        lanes = self.plan.lanes.get(s.index, 1) if self.lane is None else 1
        start = [self.value(c.init) for c in s.carries]
        if s.extent == 0:
            for c, v in zip(s.carries, start):
                self.env[c.out] = v
            reduced = self.accumulators(s)
            self.results(s, reduced, [a.initial(1) for a in reduced])
            return
        if s.carries:
            self.carried_loop(s, start)
            return
        reduced = self.accumulators(s)
        running = self.running(s, along=lanes > 1)
        fixed, rest = apart(self.kernel, s.body, [s.index])
        self.block(fixed)

        def body(at, accs):
            mask = self.lane.mask if self.lane and lanes > 1 else None
            self.env[s.index] = at
            for r, acc in zip(running, accs[len(reduced) :]):
                r.now = acc
            self.block(rest)
            new = [
                a.accumulate(acc, [self.value(v) for v in r.args], mask)
                for a, acc, r in zip(reduced, accs, s.reductions)
            ]
            return new + [r.now for r in running]

        zero, stop = self.f.const(I64, 0), self.f.const(I64, s.extent)
        states = [*reduced, *running]
        accs = self.run_lanes(s.index, zero, stop, s.extent, lanes, states, body)
        self.results(s, reduced, accs)

    def accumulators(self, s: Loop) -> list[Accumulator]:
        args = [[self.dtypes[v] for v in r.args] for r in s.reductions]
        return [Accumulator(self.f, r, a) for r, a in zip(s.reductions, args)]

    def results(self, s: Loop, reduced, accs) -> None:
        for r, a, acc in zip(s.reductions, reduced, accs):
            outs = a.finish(acc)
            for v, out in zip(r.outs, outs):
                self.env[v] = out

    def carried_loop(self, s: Loop, start) -> None:
        """An ordered loop: carries (and reductions) as phis, one iteration a time."""
        reduced = self.accumulators(s)
        state = [list(parts_of(v)) for v in start]
        state = [[self.f.splat(p, self.lanes) for p in parts] for parts in state]
        count = len(state)
        state += [a.initial(self.lanes) for a in reduced]

        def body(at, current):
            self.env[s.index] = at
            for c, parts in zip(s.carries, current):
                self.env[c.inner] = packed(parts)
            self.block(s.body)
            out = [list(parts_of(self.value(c.next))) for c in s.carries]
            out = [[self.f.splat(p, self.lanes) for p in parts] for parts in out]
            for a, r, acc in zip(reduced, s.reductions, current[count:]):
                values = [self.value(v) for v in r.args]
                out.append(a.accumulate(acc, values, None))
            return out

        state = self.scalar_loop(
            self.f.const(I64, 0), self.f.const(I64, s.extent), s, state, body
        )
        for c, parts in zip(s.carries, state):
            self.env[c.out] = packed(parts)
        self.results(s, reduced, state[count:])
