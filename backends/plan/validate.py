"""Checks a Kernel: scoping, arities, dtypes, addresses. For tests and debugging.

What cannot be checked statically (indirect addresses, races between grid points) is the
planner's duty; see `ir.py`.
"""

from __future__ import annotations

from jaxlike.backends.plan.ir import (
    ROLES,
    Carry,
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
)
from jaxlike.backends.plan.ops import (
    BOOL,
    DTYPES,
    INDEX,
    OPS,
    PREFIXES,
    REDUCTIONS,
    compute_dtype,
    dtype_name,
    kind,
    real_dtype,
    supported,
)

LOCAL_BYTES = 1 << 17
"""Most bytes of local buffers a kernel may have (they live on a thread's stack)."""


class InvalidKernel(ValueError):
    """A kernel breaks a rule of the loop-nest IR."""


def validate(kernel: Kernel) -> None:
    """Raise InvalidKernel, naming the statement, where the kernel breaks a rule.

    >>> validate(Kernel((), (3,), (0,), (Op(1, INDEX, "sing", (0,)),)))
    Traceback (most recent call last):
    jaxlike.backends.plan.validate.InvalidKernel: no operation sing, in ...
    """
    for i, b in enumerate(kernel.buffers):
        if b.role not in ROLES or b.dtype not in DTYPES or any(n < 0 for n in b.shape):
            raise InvalidKernel(f"buffer {i} is not possible: {b}")
    local = sum(b.nbytes for b in kernel.buffers if b.role == "local")
    if local > LOCAL_BYTES:
        raise InvalidKernel(f"{local} bytes of local buffers, limit {LOCAL_BYTES}")
    if len(kernel.grid) != len(kernel.indices):
        raise InvalidKernel("as many grid indices as grid axes are needed")
    _Checker(kernel).run()


class _Checker:
    def __init__(self, kernel: Kernel):
        self.kernel = kernel
        self.dtypes: dict[Value, object] = {}
        self.defined: set[Value] = set()
        self.ranges: dict[Value, tuple[int, int]] = {}
        self.empty = kernel.extent == 0
        # whether a Prefix may stand here
        self.in_loop = False

    def run(self) -> None:
        for v, n in zip(self.kernel.indices, self.kernel.grid):
            self.define(v, INDEX, "grid")
            self.ranges[v] = (0, n - 1)
        self.block(self.kernel.body)

    def fail(self, s, why: str):
        raise InvalidKernel(f"{why}, in {s}")

    def define(self, v: Value, dtype, s) -> None:
        if v in self.defined:
            self.fail(s, f"%{v} is defined twice")
        self.defined.add(v)
        self.dtypes[v] = dtype

    def use(self, v: Value, s, dtype=None):
        if v not in self.dtypes:
            self.fail(s, f"%{v} is not visible here")
        if dtype is not None and self.dtypes[v] != dtype:
            got, want = dtype_name(self.dtypes[v]), dtype_name(dtype)
            self.fail(s, f"%{v} is {got}, not {want}")
        return self.dtypes[v]

    def block(self, body: tuple[Stmt, ...], in_loop: bool = False) -> None:
        outer = self.in_loop
        for s in body:
            self.in_loop = in_loop
            self.stmt(s)
        self.in_loop = outer

    def stmt(self, s: Stmt) -> None:
        match s:
            case Const():
                if s.dtype not in DTYPES:
                    self.fail(s, "unknown dtype")
                self.define(s.out, s.dtype, s)
                if s.dtype == INDEX:
                    self.ranges[s.out] = (int(s.value), int(s.value))
            case Op():
                self.op(s)
            case Load():
                self.access(s)
                if s.other is not None:
                    self.use(s.other, s, s.dtype)
                self.define(s.out, s.dtype, s)
            case Store():
                self.access(s)
                self.use(s.value, s, self.kernel.buffers[s.buffer].dtype)
                if self.kernel.buffers[s.buffer].role == "in":
                    self.fail(s, "an input is written")
            case Prefix():
                self.prefix(s)
            case Loop():
                self.loop(s)
            case If():
                self.use(s.cond, s, BOOL)
                then = self.scoped(s.then, [a for _, a, _ in s.results], s)
                orelse = self.scoped(s.orelse, [b for _, _, b in s.results], s)
                if then != orelse:
                    self.fail(s, "the branches' results differ in dtype")
                for (out, _, _), dtype in zip(s.results, then):
                    self.define(out, dtype, s)
            case While():
                outer = dict(self.dtypes)
                dtypes = self.open(s.carries, s)
                self.block(s.cond_body)
                self.use(s.cond, s, BOOL)
                self.block(s.body)
                self.close(s.carries, dtypes, outer, s)

    def scoped(self, body, results, s) -> list:
        outer = dict(self.dtypes)
        self.block(body)
        dtypes = [self.use(v, s) for v in results]
        self.dtypes = outer
        return dtypes

    def open(self, carries: tuple[Carry, ...], s) -> list:
        dtypes = [self.use(c.init, s) for c in carries]
        for c, dtype in zip(carries, dtypes):
            self.define(c.inner, dtype, s)
        return dtypes

    def close(self, carries, dtypes, outer, s) -> None:
        for c, dtype in zip(carries, dtypes):
            self.use(c.next, s, dtype)
        self.dtypes = outer
        for c, dtype in zip(carries, dtypes):
            self.define(c.out, dtype, s)

    def loop(self, s: Loop) -> None:
        if s.extent < 0:
            self.fail(s, "negative extent")
        outer, was_empty = dict(self.dtypes), self.empty
        self.empty |= s.extent == 0
        self.define(s.index, INDEX, "loop")
        self.ranges[s.index] = (0, s.extent - 1)
        dtypes = self.open(s.carries, s)
        self.block(s.body, in_loop=not s.carries)
        outs = []
        for r in s.reductions:
            got = [self.use(v, s) for v in r.args]
            count = 2 if r.name in ("argmax", "argmin") else 1
            if r.name not in REDUCTIONS or len(got) != count or len(r.outs) != count:
                self.fail(s, f"no such reduction as {r.name} of {count}")
            if kind(got[0]) not in REDUCTIONS[r.name]:
                self.fail(s, f"{r.name} does not reduce {dtype_name(got[0])}")
            if count == 2 and (s.extent == 0 or kind(got[1]) not in "iu"):
                self.fail(s, f"{r.name} needs an integer position and an extent")
            outs += zip(r.outs, got)
        self.close(s.carries, dtypes, outer, s)
        for v, dtype in outs:
            self.define(v, dtype, s)
        self.empty = was_empty

    def prefix(self, s: Prefix) -> None:
        if not self.in_loop:
            self.fail(s, "not directly in the body of a loop without carries")
        if s.name not in PREFIXES or kind(s.dtype) not in PREFIXES[s.name]:
            self.fail(s, f"{s.name} of {dtype_name(s.dtype)} does not accumulate")
        if compute_dtype(s.dtype) != s.dtype:
            self.fail(s, "16-bit floats accumulate in float32")
        self.use(s.value, s, s.dtype)
        self.use(s.init, s, s.dtype)
        self.define(s.out, s.dtype, s)

    def access(self, s: Load | Store) -> None:
        if not 0 <= s.buffer < len(self.kernel.buffers):
            self.fail(s, "no such buffer")
        buffer = self.kernel.buffers[s.buffer]
        if isinstance(s, Load) and s.dtype != buffer.dtype:
            self.fail(s, "a load has its buffer's dtype")
        for v, _ in s.index.terms:
            self.use(v, s, INDEX)
        if s.guard is not None:
            self.use(s.guard, s, BOOL)
        elif not self.empty:
            self.in_range(s, s.index, buffer.size)

    def in_range(self, s, index: Index, size: int) -> None:
        low = high = index.const
        for v, c in index.terms:
            if v not in self.ranges:
                return
            ends = [c * end for end in self.ranges[v]]
            low, high = low + min(ends), high + max(ends)
        if low < 0 or high >= size:
            self.fail(s, f"addresses {low}..{high} of a buffer of {size}")

    def op(self, s: Op) -> None:
        spec = OPS.get(s.name)
        if spec is None:
            self.fail(s, f"no operation {s.name}")
        args = [self.use(v, s) for v in s.args]
        if spec.arity not in (-1, len(args)) or not args:
            self.fail(s, f"{s.name} takes {spec.arity} operands, not {len(args)}")
        if not supported(s.name, args[0]):
            self.fail(s, f"{s.name} of {dtype_name(args[0])} is not supported")
        if tuple(sorted(k for k, _ in s.params)) != tuple(sorted(spec.params)):
            self.fail(s, f"{s.name} takes the parameters {spec.params}")
        cases = args[1:] if s.name == "select_n" else args
        if any(a != cases[0] for a in cases):
            self.fail(s, "operands differ in dtype")
        if s.name == "select_n":
            if (args[0] == BOOL and len(cases) != 2) or kind(args[0]) not in "biu":
                self.fail(s, "select_n takes a bool and two cases, or an integer")
            want = cases[0]
        elif spec.result == "bool":
            want = BOOL
        elif spec.result == "real":
            want = real_dtype(args[0])
        elif spec.result == "same":
            want = args[0]
        else:
            want = s.dtype
            widths = args[0].itemsize, s.dtype.itemsize
            if s.name == "bitcast_convert_type" and widths[0] != widths[1]:
                self.fail(s, "bitcast_convert_type needs equal widths")
            if s.name == "complex" and s.dtype.itemsize != 2 * args[0].itemsize:
                self.fail(s, "complex of the wrong width")
        if s.dtype != want or s.dtype not in DTYPES:
            self.fail(s, f"the result is {dtype_name(want)}, not {dtype_name(s.dtype)}")
        self.define(s.out, s.dtype, s)
        if s.name == "clamp" and s.dtype == INDEX:
            low, high = (self.ranges.get(v) for v in (s.args[0], s.args[2]))
            if low and high and low[0] == low[1] and high[0] == high[1]:
                self.ranges[s.out] = (low[0], high[0])
        if s.name in ("div", "rem") and s.dtype == INDEX:
            a, b = (self.ranges.get(v) for v in s.args)
            if a and b and a[0] >= 0 and b[0] == b[1] > 0:
                top = a[1] // b[0] if s.name == "div" else min(a[1], b[0] - 1)
                self.ranges[s.out] = (0, top)
