"""KernelBuilder: writes loop-nest IR statement by statement.

Equal pure statements in scope are shared (common subexpressions), those that no loop
index changes stand before the loop, index arithmetic on constants folds, and what
nothing uses is dropped by `finish`. See `ir.py` for the
meaning of the statements and an example.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxlike.backends.plan.ir import (
    Buffer,
    Carry,
    Const,
    If,
    Index,
    Kernel,
    Load,
    Loop,
    Op,
    Prefix,
    Reduction,
    Stmt,
    Store,
    Value,
    While,
)
from jaxlike.backends.plan.ops import BOOL, INDEX, OPS, real_dtype
from jaxlike.backends.plan.records import replace

Address = dict[Value, int] | Index | int


class KernelBuilder:
    """Builds one Kernel over `grid`; `indices` are the grid's index values.

    >>> k = KernelBuilder((8,))
    >>> x = k.input(np.float32, (8,)); y = k.output(np.float32, (8,))
    >>> (i,) = k.indices
    >>> k.store(y, {i: 1}, k.op("exp", k.load(x, {i: -1}, 7)))   # exp of the reverse
    >>> kernel = k.finish()
    """

    def __init__(self, grid: Sequence[int]):
        self.grid = tuple(int(n) for n in grid)
        self.buffers: list[Buffer] = []
        self.dtypes: dict[Value, np.dtype] = {}
        self._blocks: list[list[Stmt]] = [[]]
        self._scopes: list[dict] = [{}]
        self._fixed = [True]  # whether statements must stay in the block
        self._depths: dict[Value, int] = {}  # of the block that defines a value
        self._consts: dict[Value, object] = {}
        self.indices = tuple(self._new(INDEX) for _ in self.grid)

    # -- buffers ---------------------------------------------------------------------
    def buffer(self, dtype, shape: Sequence[int], role: str) -> int:
        """Add a buffer; returns its number. Arguments are passed in this order."""
        shape = tuple(int(n) for n in shape)
        self.buffers.append(Buffer(np.dtype(dtype), shape, role))
        return len(self.buffers) - 1

    def input(self, dtype, shape: Sequence[int]) -> int:
        """Add a read-only buffer."""
        return self.buffer(dtype, shape, "in")

    def output(self, dtype, shape: Sequence[int]) -> int:
        """Add a written buffer."""
        return self.buffer(dtype, shape, "out")

    # -- scalar statements -----------------------------------------------------------
    def const(self, value, dtype) -> Value:
        """A literal of `dtype`."""
        dtype = np.dtype(dtype)
        scalar = np.asarray(value).astype(dtype)[()]
        key = ("const", dtype, scalar.tobytes())
        out = self._scopes[0].get(key)
        if out is None:  # literals go to the outermost block, where all can share them
            out = self._scopes[0][key] = self._new(dtype, depth=0)
            self._blocks[0].append(Const(out, dtype, scalar))
            self._consts[out] = scalar
        return out

    def literal(self, value: Value):
        """The number that a value is, where it is a literal; else None."""
        return self._consts.get(value)

    def op(self, name: str, *args: Value, dtype=None, **params) -> Value:
        """One scalar operation; `dtype`, of the result, only where not implied."""
        spec = OPS[name]
        if dtype is not None:
            dtype = np.dtype(dtype)
        elif name == "select_n":
            dtype = self.dtypes[args[1]]
        elif spec.result == "bool":
            dtype = BOOL
        elif spec.result == "real":
            dtype = real_dtype(self.dtypes[args[0]])
        elif name == "complex":
            one = np.dtype(np.complex64)
            wide = self.dtypes[args[0]].itemsize == 8
            dtype = np.dtype(np.complex128) if wide else one
        else:
            dtype = self.dtypes[args[0]]
        params = tuple(sorted(params.items()))
        key = ("op", name, args, dtype, params)
        return self._pure(key, args, Op, dtype, dtype, name, args, params)

    def convert(self, value: Value, dtype) -> Value:
        """convert_element_type, or the value itself when it has that dtype."""
        dtype = np.dtype(dtype)
        if self.dtypes[value] == dtype:
            return value
        return self.op("convert_element_type", value, dtype=dtype)

    def clamped(self, value: Value, limit: int) -> Value:
        """An integer value as an index, clamped to [0, limit]: for gathers."""
        dtype = self.dtypes[value]
        if dtype != np.uint64:
            # half the vectors, where they do
            narrow = dtype.itemsize < 4 or dtype == np.int32
            dtype = np.dtype(np.int32) if narrow else INDEX
        low, high = self.const(0, dtype), self.const(within(limit, dtype), dtype)
        return self.convert(
            self.op("clamp", low, self.convert(value, dtype), high), INDEX
        )

    def total(self, terms: dict[Value, int], const: int = 0) -> Value:
        """const + sum(coef * value), of index values."""
        out = self.const(const, INDEX) if const or not terms else None
        for value, coef in terms.items():
            term = value
            if coef != 1:
                term = self.op("mul", value, self.const(coef, INDEX))
            out = term if out is None else self.op("add", out, term)
        return out

    def load(
        self,
        buffer: int,
        index: Address,
        const: int = 0,
        guard: Value | None = None,
        other: Value | None = None,
    ) -> Value:
        """buffer[const + sum(coef * value)], or `other` (zero) where guard is false."""
        index = self.index(index, const)
        dtype = self.buffers[buffer].dtype
        args = (dtype, buffer, index, guard, other)
        if self.buffers[buffer].role == "in":
            uses = [v for v, _ in index.terms]
            uses += [v for v in (guard, other) if v is not None]
            return self._pure(("load", *args), uses, Load, dtype, *args)
        out = self._new(dtype)
        self._blocks[-1].append(Load(out, *args))
        return out

    def store(
        self,
        buffer: int,
        index: Address,
        value: Value,
        const: int = 0,
        guard: Value | None = None,
    ) -> None:
        """buffer[const + sum(coef * value)] = value, where guard is true."""
        self._blocks[-1].append(Store(buffer, self.index(index, const), value, guard))

    def index(self, terms: Address, const: int = 0) -> Index:
        """An Index from a dict, an Index or an int; constants among the terms fold."""
        if isinstance(terms, Index):
            return Index(terms.const + int(const), terms.terms)
        if not isinstance(terms, dict):
            return Index(int(terms) + int(const))
        left = {}
        for v, c in terms.items():
            if v in self._consts:
                const += int(self._consts[v]) * c
            else:
                left[v] = c
        return Index.of(left, const)

    def prefix(self, name: str, value: Value, init: Value) -> Value:
        """init and the values of the innermost loop so far, accumulated."""
        out = self._new(self.dtypes[value])
        self._blocks[-1].append(Prefix(out, self.dtypes[value], name, value, init))
        return out

    # -- structure -------------------------------------------------------------------
    def loop(self, extent: int, carries: Sequence[Value] = (), sequential=False):
        """`with k.loop(n, carries=[init]) as l:`; see LoopScope."""
        return LoopScope(self, int(extent), tuple(carries), sequential)

    def cond(self, predicate: Value) -> IfScope:
        """`with c.then:`, `with c.orelse:`, `c.close()`; see IfScope."""
        return IfScope(self, predicate)

    def while_loop(self, carries: Sequence[Value]) -> WhileScope:
        """`w = k.while_loop(inits)`, `with w.cond:`, `with w.body:`; see WhileScope."""
        return WhileScope(self, tuple(carries))

    def finish(self, name: str = "") -> Kernel:
        """The Kernel, without statements whose results nobody uses."""
        (body,) = self._blocks
        body = drop_unused(tuple(body))
        return Kernel(tuple(self.buffers), self.grid, self.indices, body, name)

    # -- inside ----------------------------------------------------------------------
    def _new(self, dtype: np.dtype, depth: int | None = None) -> Value:
        out = len(self.dtypes)
        self.dtypes[out] = dtype
        self._depths[out] = len(self._blocks) - 1 if depth is None else depth
        return out

    def _pure(self, key, uses, cls, dtype, *fields) -> Value:
        for scope in self._scopes:
            if key in scope:
                return scope[key]
        # in the outermost block where all it uses is known
        first = max((self._depths[v] for v in uses), default=0)
        depth = len(self._blocks) - 1
        while depth > first and not self._fixed[depth]:
            depth -= 1
        out = self._scopes[depth][key] = self._new(dtype, depth)
        self._blocks[depth].append(cls(out, *fields))
        return out

    def _push(self, fixed: bool) -> None:
        self._blocks.append([])
        self._scopes.append({})
        self._fixed.append(fixed)

    def _pop(self) -> tuple[Stmt, ...]:
        self._scopes.pop()
        self._fixed.pop()
        return tuple(self._blocks.pop())


def within(limit: int, dtype: np.dtype) -> int:
    """The limit, or the dtype's greatest value if that is smaller."""
    return min(limit, int(np.iinfo(dtype).max))


class LoopScope:
    """The body of a loop. `index`: its value; `carries`: inner values of the carries.

    Inside, `reduce(name, value)` adds a reduction and `next(values)` sets the carries'
    next values. After the block, `carried` and `results` (of the reductions, in order;
    two values for argmax / argmin) hold the loop's outcomes.
    """

    def __init__(self, builder: KernelBuilder, extent: int, inits, sequential: bool):
        self._builder, self._extent, self._inits = builder, extent, inits
        self._sequential = sequential
        self._reductions: list[Reduction] = []
        self._next: tuple[Value, ...] = ()
        self.results: list[Value] = []
        self.carried: list[Value] = []

    def __enter__(self) -> LoopScope:
        k = self._builder
        k._push(fixed=self._extent == 0)
        self.index = k._new(INDEX)
        self.carries = [k._new(k.dtypes[v]) for v in self._inits]
        return self

    def reduce(self, name: str, *args: Value) -> None:
        """Accumulate `args` (value, or value and position) over the loop."""
        k = self._builder
        outside = len(k._blocks) - 2
        outs = tuple(k._new(k.dtypes[v], outside) for v in args)
        self._reductions.append(Reduction(name, args, outs))
        self.results.extend(outs)

    def next(self, *values: Value) -> None:
        """The carries' values for the next iteration."""
        self._next = values

    def __exit__(self, kind, *_) -> None:
        if kind is not None:
            return
        k = self._builder
        body = k._pop()
        carries = _carries(k, self._inits, self.carries, self._next)
        self.carried = [c.out for c in carries]
        k._blocks[-1].append(
            Loop(
                self.index,
                self._extent,
                body,
                tuple(self._reductions),
                carries,
                self._sequential,
            )
        )


class _Block:
    def __init__(self, builder: KernelBuilder):
        self._builder = builder
        self.body: tuple[Stmt, ...] = ()
        self.values: tuple[Value, ...] = ()

    def __enter__(self) -> _Block:
        self._builder._push(fixed=True)
        return self

    def give(self, *values: Value) -> None:
        """The block's results."""
        self.values = values

    def __exit__(self, kind, *_) -> None:
        if kind is None:
            self.body = self._builder._pop()


class IfScope:
    """Blocks `then` and `orelse`, each `give`s values; `close()`: the outcomes."""

    def __init__(self, builder: KernelBuilder, predicate: Value):
        self._builder, self._predicate = builder, predicate
        self.then, self.orelse = _Block(builder), _Block(builder)

    def close(self) -> list[Value]:
        k = self._builder
        pairs = zip(self.then.values, self.orelse.values, strict=True)
        results = tuple((k._new(k.dtypes[a]), a, b) for a, b in pairs)
        body = If(self._predicate, self.then.body, self.orelse.body, results)
        k._blocks[-1].append(body)
        return [out for out, _, _ in results]


class WhileScope:
    """Blocks `cond` (gives one bool) and `body` (gives the next carries)."""

    def __init__(self, builder: KernelBuilder, inits):
        self._builder, self._inits = builder, inits
        self.carries = [builder._new(builder.dtypes[v]) for v in inits]
        self.cond, self.body = _Block(builder), _Block(builder)

    def close(self) -> list[Value]:
        k = self._builder
        carries = _carries(k, self._inits, self.carries, self.body.values)
        (cond,) = self.cond.values
        k._blocks[-1].append(While(carries, self.cond.body, cond, self.body.body))
        return [c.out for c in carries]


def _carries(k: KernelBuilder, inits, inners, nexts) -> tuple[Carry, ...]:
    return tuple(
        Carry(init, inner, following, k._new(k.dtypes[init]))
        for init, inner, following in zip(inits, inners, nexts, strict=True)
    )


def drop_unused(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """Dead code elimination on a kernel's body: pure statements nobody uses go."""
    return _drop(body, set())


def _drop(body: tuple[Stmt, ...], live: set[Value]) -> tuple[Stmt, ...]:
    kept: list[Stmt] = []
    for s in reversed(body):
        match s:
            case Const() if s.out in live:
                kept.append(s)
            case Op() if s.out in live:
                live.update(s.args)
                kept.append(s)
            case Load() if s.out in live:
                live.update(v for v, _ in s.index.terms)
                live.update(v for v in (s.guard, s.other) if v is not None)
                kept.append(s)
            case Store():
                live.update(v for v, _ in s.index.terms)
                live.update(v for v in (s.value, s.guard) if v is not None)
                kept.append(s)
            case Prefix() if s.out in live:
                live.update((s.value, s.init))
                kept.append(s)
            case Loop():
                alive = [r for r in s.reductions if live.intersection(r.outs)]
                for r in alive:
                    live.update(r.args)
                for c in s.carries:
                    live.update((c.init, c.next))
                inner = _drop(s.body, live)
                used = any(c.out in live for c in s.carries)
                if alive or used or _stores(inner):
                    kept.append(replace(s, body=inner, reductions=tuple(alive)))
            case If():
                results = tuple(r for r in s.results if r[0] in live)
                for _, a, b in results:
                    live.update((a, b))
                then, orelse = _drop(s.then, live), _drop(s.orelse, live)
                if results or _stores(then) or _stores(orelse):
                    live.add(s.cond)
                    kept.append(replace(s, then=then, orelse=orelse, results=results))
            case While():
                live.add(s.cond)
                for c in s.carries:
                    live.update((c.init, c.next))
                inner = _drop(s.body, live)
                kept.append(replace(s, cond_body=_drop(s.cond_body, live), body=inner))
    return tuple(reversed(kept))


def _stores(body: tuple[Stmt, ...]) -> bool:
    return any(
        isinstance(s, Store | While)
        or (isinstance(s, Loop) and _stores(s.body))
        or (isinstance(s, If) and (_stores(s.then) or _stores(s.orelse)))
        for s in body
    )
