"""Loads and stores: affine addresses, contiguous vectors, masks, gathers, scatters.

`Linear` is an index value whose lanes differ by known numbers; keeping it apart is what
lets a load know that it is contiguous, or a known pattern within a few vectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import add

import numpy as np

from jaxlike.backends.numba.elementwise import from_memory, memory_elem, to_memory
from jaxlike.backends.numba.llvm import Function, Type, V
from jaxlike.backends.plan.ops import real_dtype

I64 = Type("i64")
STRIDE = 4
"""Vectors that the span of all lanes may have to be read whole and shuffled, rather
than gathered."""


@dataclass(slots=True)
class Linear:
    """An i64 that is base + offsets[lane], for offsets known when the code is made."""

    base: V
    offsets: tuple[int, ...]

    def vector(self, lanes: int) -> V:
        """All lanes' values."""
        b = self.base.b
        return b.splat(self.base, lanes) + b.vector("i64", self.offsets)


@dataclass(slots=True)
class Address:
    """offset + offsets[lane] (+ vector), in elements; offsets[0] is 0."""

    offset: V
    offsets: tuple[int, ...]
    vector: V | None

    @property
    def uniform(self) -> bool:
        """One place for all lanes."""
        return self.vector is None and not any(self.offsets)

    @property
    def step(self) -> int:
        """1 or -1 where neighbouring lanes are neighbours in memory, else 0."""
        if self.vector is not None or len(self.offsets) < 2:
            return 0
        step = self.offsets[1]
        straight = abs(step) == 1 and self.offsets == tuple(
            range(0, step * len(self.offsets), step)
        )
        return step if straight else 0


def literal_int(v: V) -> int | None:
    """The number a scalar literal stands for."""
    text = v.text
    return None if text.startswith("%") else int(text)


def address(f: Function, const: int, terms: list[tuple[V | Linear, int]]) -> Address:
    """Sum of coefficient * value."""
    scalar, vector = None, None
    offsets: tuple[int, ...] = ()
    for value, c in terms:
        if isinstance(value, Linear):
            scaled = tuple(c * o for o in value.offsets)
            offsets = tuple(map(add, offsets, scaled)) if offsets else scaled
            value = value.base
        if value.type.lanes > 1:
            part = value * c if c != 1 else value
            vector = part if vector is None else vector + part
            continue
        number = literal_int(value)
        if number is not None:
            const += c * number
            continue
        part = _times(f, value, c)
        scalar = part if scalar is None else _nsw(f, "add", scalar, part)
    if offsets:
        const += offsets[0]
        offsets = tuple(o - offsets[0] for o in offsets)
    if scalar is None:
        scalar = f.const(I64, const)
    elif const:
        scalar = _nsw(f, "add", scalar, f.const(I64, const))
    return Address(scalar, offsets, vector)


def _nsw(f: Function, op: str, a: V, c: V) -> V:
    return f.emit(I64, f"{op} nsw {a}, {c.text}")


def _times(f: Function, v: V, c: int) -> V:
    return v if c == 1 else _nsw(f, "mul", v, f.const(I64, c))


class Memory:
    """Accesses to one buffer. `scratch`: a place for accesses that must not happen."""

    def __init__(
        self, f: Function, pointer: V, dtype: np.dtype, invariant: bool, masked: bool
    ):
        """invariant: nothing writes it meanwhile; masked: stores may well be."""
        self.f, self.pointer, self.dtype, self.masked = f, pointer, dtype, masked
        self.part = real_dtype(dtype)
        self.parts = 2 if dtype.kind == "c" else 1
        self.elem = memory_elem(self.part)
        self.align = self.part.itemsize
        self.tags = ", !invariant.load !0" if invariant else ""
        self._nowhere: V | None = None

    # -- loads -----------------------------------------------------------------------
    def load(self, at: Address, lanes: int, mask: V | None, guard: V | None, other):
        """The value at an address: a V, or a pair when complex.

        lanes: of the surrounding lane loop (1: none). mask: lanes that exist; guard:
        scalar or vector condition; other: value where the guard is false.
        """
        if lanes == 1 or (at.uniform and _scalar(guard)):
            parts = self._load_scalar(at.offset, guard)
        else:
            mask = both(self.f, mask, guard, lanes)
            if at.step:
                parts = self._load_contiguous(at, lanes, mask)
            elif (
                at.vector is None
                and mask is None
                and self._span_of(at) <= STRIDE * lanes
            ):
                parts = self._load_pattern(at, lanes)
            else:
                parts = self._gather(at, lanes, mask)
        values = [from_memory(p, self.part) for p in parts]
        if guard is not None:
            others = (
                (other if isinstance(other, tuple) else (other,)) if other else None
            )
            values = [
                self._select(guard, v, others[k] if others else None)
                for k, v in enumerate(values)
            ]
        return tuple(values) if self.parts == 2 else values[0]

    def _select(self, guard: V, v: V, other: V | None) -> V:
        lanes = max(guard.type.lanes, v.type.lanes, other.type.lanes if other else 1)
        v = self.f.splat(v, lanes)
        other = self.f.splat(other, lanes) if other else self.f.const(v.type, 0)
        return guard.where(v, other)

    def _load_scalar(self, offset: V, guard: V | None) -> list[V]:
        p = self._scalar_pointer(offset, guard)
        one = Type(self.elem)
        out = [self.f.load(one, p, self.align, self.tags if guard is None else "")]
        if self.parts == 2:
            q = self.f.gep(self.elem, p, self.f.const(I64, 1))
            tags = self.tags if guard is None else ""
            out.append(self.f.load(one, q, self.align, tags))
        return out

    def _load_contiguous(self, at: Address, lanes: int, mask: V | None) -> list[V]:
        p, wide, mask = self._span(at, lanes, mask)
        if mask is None:
            v = self.f.load(wide, p, self.align, self.tags)
        else:
            v = self._masked_load(wide, p, mask)
        return self._apart(v, lanes, at.step)

    def _span_of(self, at: Address) -> float:
        if at.vector is not None:
            return math.inf
        return max(at.offsets) - min(at.offsets) + 1

    def _load_pattern(self, at: Address, lanes: int) -> list[V]:
        """Whole vectors over the span of all lanes, no further, then shuffles."""
        f, low = self.f, min(at.offsets)
        span = self._span_of(at) * self.parts
        first = _nsw(f, "add", at.offset, f.const(I64, low)) if low else at.offset
        base = f.gep(self.elem, self.pointer, self._times_parts(first))
        starts, width = [0], span
        if span > lanes:
            starts = [*range(0, span - lanes, lanes), span - lanes]
            width = lanes
        one = Type(self.elem, width)
        vectors = [
            f.load(one, f.gep(self.elem, base, f.const(I64, s)), self.align, self.tags)
            for s in starts
        ]
        out = []
        for part in range(self.parts):
            places = [(o - low) * self.parts + part for o in at.offsets]
            if len(starts) == 1:
                (v,) = vectors
                v = f.splat(v, lanes) if width == 1 else f.shuffle(v, v, places)
                out.append(v)
                continue
            home = [min(p // lanes, len(starts) - 1) for p in places]
            v = vectors[0]
            for n in range(1, len(starts)):
                # lanes at home in vector n come from it; those before it stay
                before = places if n == 1 else range(lanes)
                mask = [
                    lanes + p - starts[n] if h == n else (keep if h < n else 0)
                    for p, h, keep in zip(places, home, before)
                ]
                v = f.shuffle(v, vectors[n], mask)
            out.append(v)
        return out

    def _gather(self, at: Address, lanes: int, mask: V | None) -> list[V]:
        out = []
        for k in range(self.parts):
            pointers = self._pointers(at, lanes, k)
            to = Type(self.elem, lanes)
            full = f"llvm.masked.gather.{to.suffix}.v{lanes}p0"
            m = mask or self.f.const(Type("i1", lanes), 1)
            types = f"{pointers.type}, i32, {m.type}, {to}"
            self.f.module.declare(f"{to} @{full}({types})")
            zero = self.f.const(to, 0)
            args = f"{pointers}, i32 {self.align}, {m}, {zero}"
            out.append(self.f.emit(to, f"call {to} @{full}({args})"))
        return out

    # -- stores ----------------------------------------------------------------------
    def store(self, value, at: Address, lanes: int, mask: V | None, guard: V | None):
        """Store a value (a pair when complex); see `load`."""
        parts = [to_memory(v, self.part) for v in _tuple(value)]
        uniform = all(p.type.lanes == 1 for p in parts) and mask is None
        if lanes == 1 or (at.uniform and uniform and _scalar(guard)):
            p = self._scalar_pointer(at.offset, guard)
            for k, v in enumerate(parts):
                q = self.f.gep(self.elem, p, self.f.const(I64, k))
                self.f.store(v, q, self.align)
            return
        mask = both(self.f, mask, guard, lanes)
        parts = [self.f.splat(p, lanes) for p in parts]
        if at.step:
            p, _, mask = self._span(at, lanes, mask)
            v = self._together(parts, lanes, at.step)
            if mask is None:
                self.f.store(v, p, self.align)
            else:
                self._masked_store(v, p, mask)
            return
        distinct = len(set(at.offsets)) == lanes
        if self.masked and distinct and self._span_of(at) <= STRIDE * lanes:
            self._store_pattern(parts, at, lanes, mask)
            return
        m = mask or self.f.const(Type("i1", lanes), 1)
        for k, v in enumerate(parts):
            pointers = self._pointers(at, lanes, k)
            full = f"llvm.masked.scatter.{v.type.suffix}.v{lanes}p0"
            types = f"{v.type}, {pointers.type}, i32, {m.type}"
            self.f.module.declare(f"void @{full}({types})")
            args = f"{v}, {pointers}, i32 {self.align}, {m}"
            self.f.do(f"call void @{full}({args})")

    def _store_pattern(self, parts, at: Address, lanes: int, mask: V | None) -> None:
        """Whole vectors over the span of all lanes, masked to the lanes' places."""
        f, low = self.f, min(at.offsets)
        source = {
            (o - low) * self.parts + part: part * lanes + lane
            for lane, o in enumerate(at.offsets)
            for part in range(self.parts)
        }
        first = _nsw(f, "add", at.offset, f.const(I64, low)) if low else at.offset
        base = f.gep(self.elem, self.pointer, self._times_parts(first))
        for start in range(0, max(source) + 1, lanes):
            places = [source.get(start + k) for k in range(lanes)]
            if not any(p is not None for p in places):
                continue
            moved = [p or 0 for p in places]
            v = f.shuffle(parts[0], parts[-1], moved)
            m = f.vector("i1", [p is not None for p in places])
            if mask is not None:
                m = m & f.shuffle(mask, mask, [p % lanes for p in moved])
            self._masked_store(v, f.gep(self.elem, base, f.const(I64, start)), m)

    def _masked_store(self, v: V, p: V, mask: V) -> None:
        full = f"llvm.masked.store.{v.type.suffix}.p0"
        self.f.module.declare(f"void @{full}({v.type}, ptr, i32, {mask.type})")
        self.f.do(f"call void @{full}({v}, {p}, i32 {self.align}, {mask})")

    # -- addresses -------------------------------------------------------------------
    def _times_parts(self, v: V) -> V:
        if self.parts == 1:
            return v
        number = literal_int(v) if v.type.lanes == 1 else None
        return self.f.const(I64, 2 * number) if number is not None else v * 2

    def _scalar_pointer(self, offset: V, guard: V | None) -> V:
        p = self.f.gep(self.elem, self.pointer, self._times_parts(offset))
        if guard is None:
            return p
        if self._nowhere is None:
            self._nowhere = self.f.alloca("i8", 64)
        return guard.where(p, self._nowhere)

    def _span(self, at: Address, lanes: int, mask: V | None):
        """(pointer, vector type, mask) of a contiguous access in memory order."""
        f, offset = self.f, at.offset
        if at.step == -1:
            offset = _nsw(f, "add", offset, f.const(I64, 1 - lanes))
            if mask is not None:
                mask = f.shuffle(mask, mask, list(range(lanes))[::-1])
        if self.parts == 2 and mask is not None:
            mask = f.shuffle(mask, mask, [k // 2 for k in range(2 * lanes)])
        p = f.gep(self.elem, self.pointer, self._times_parts(offset))
        return p, Type(self.elem, lanes * self.parts), mask

    def _masked_load(self, wide: Type, p: V, mask: V) -> V:
        full = f"llvm.masked.load.{wide.suffix}.p0"
        self.f.module.declare(f"{wide} @{full}(ptr, i32, {mask.type}, {wide})")
        zero = self.f.const(wide, 0)
        args = f"{p}, i32 {self.align}, {mask}, {zero}"
        return self.f.emit(wide, f"call {wide} @{full}({args})")

    def _apart(self, v: V, lanes: int, step: int) -> list[V]:
        order = range(lanes)[::step]
        if self.parts == 1:
            return [v if step == 1 else self.f.shuffle(v, v, list(order))]
        return [self.f.shuffle(v, v, [2 * k + p for k in order]) for p in (0, 1)]

    def _together(self, parts: list[V], lanes: int, step: int) -> V:
        order = range(lanes)[::step]
        if self.parts == 1:
            (v,) = parts
            return v if step == 1 else self.f.shuffle(v, v, list(order))
        mask = [k + p * lanes for k in order for p in (0, 1)]
        return self.f.shuffle(*parts, mask)

    def _pointers(self, at: Address, lanes: int, part: int) -> V:
        f = self.f
        offsets = at.offsets or (0,) * lanes
        iota = f.vector("i64", [o * self.parts + part for o in offsets])
        vector = iota if at.vector is None else self._times_parts(at.vector) + iota
        base = f.gep(self.elem, self.pointer, self._times_parts(at.offset))
        to = Type("ptr", lanes)
        return f.emit(to, f"getelementptr inbounds {self.elem}, {base}, {vector}")


def both(f: Function, mask: V | None, guard: V | None, lanes: int) -> V | None:
    """mask and guard, as a vector."""
    if guard is None:
        return mask
    guard = f.splat(guard, lanes)
    return guard if mask is None else mask & guard


def _scalar(guard: V | None) -> bool:
    return guard is None or guard.type.lanes == 1


def _tuple(value) -> tuple[V, ...]:
    return value if isinstance(value, tuple) else (value,)
