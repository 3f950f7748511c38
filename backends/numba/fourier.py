"""Fourier transforms (plan/fourier.py) as LLVM IR: Stockham's passes over memory.

A pass of radix r takes n / r groups of r elements, n / r apart, through a transform of
length r, multiplies with roots of unity, and stores them `done` apart, where `done` is
the product of the radices before: so the result is in order without any reversal of
bits. Real and imaginary parts lie in arrays of their own in between. Lanes run over
neighbouring groups; where transforms lie side by side, over the transforms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from jaxlike.backends.numba.engine import RawKernel
from jaxlike.backends.numba.llvm import V
from jaxlike.backends.numba.matrix_code import PTR, Code, element
from jaxlike.backends.numba.target import Target
from jaxlike.backends.plan.fourier import Fourier, factors

Pair = tuple[V, V]


def fourier_kernel(kernel: Fourier, target: Target) -> RawKernel:
    """The kernel of transforms along one axis, for a machine."""
    code = _Transform(kernel, target)
    if kernel.inner > 1:
        return code.side_by_side()
    return code.rows()


@lru_cache(64)
def _roots(n: int, radices: tuple[int, ...], lanes: int, dtype: str):
    """All roots that the passes multiply with, and where each pass's lie.

    Of a pass that runs over groups in lanes there is one a group; of another, one for
    each position that has its own. Parts lie in arrays one after the other: real, then
    imaginary, for each k = 1 ... r - 1.
    """
    parts, starts, done, at = [np.zeros(1, dtype)], [], 1, 1
    for r in radices:
        places = n // (r * done)
        group = np.arange(places)
        if _in_lanes(done, lanes):
            group = np.repeat(group, done)
        angle = np.outer(np.arange(1, r), group) * (-2 * np.pi / (n // done))
        block = np.stack([np.cos(angle), np.sin(angle)], 1).astype(dtype)
        parts.append(block.ravel())
        starts.append((at, group.size))
        at += block.size
        done *= r
    return np.concatenate(parts), starts


@lru_cache(64)
def _half_roots(n: int, dtype: str) -> np.ndarray:
    """exp(-2 pi i k / n) for k = 0 ... n/2, real parts before imaginary ones."""
    angle = np.arange(n // 2 + 1) * (-2 * np.pi / n)
    return np.concatenate([np.cos(angle), np.sin(angle)]).astype(dtype)


def _in_lanes(done: int, lanes: int) -> bool:
    """Whether a pass's lanes run over groups, not within one."""
    return done < lanes and done & (done - 1) == 0


def _chunks(count: int, lanes: int) -> list[tuple[int, int, int]]:
    """(start, stop, lanes) ranges that cover `count` elements by whole vectors."""
    out, at = [], 0
    while at < count:
        while lanes > count - at:
            lanes //= 2
        stop = count - (count - at) % lanes
        out.append((at, stop, lanes))
        at = stop
    return out


class _Transform(Code):
    def __init__(self, kernel: Fourier, target: Target):
        super().__init__(target, 2)
        self.k = kernel
        self.elem = element(kernel.dtype)
        self.most = target.vector_bytes // kernel.dtype.itemsize
        self.n = kernel.n if kernel.kind == "complex" else kernel.n // 2
        self.radices = tuple(factors(self.n) or ())

    # --- kernels

    def rows(self) -> RawKernel:
        """Transforms whose elements lie side by side."""
        k, n = self.k, self.n
        self.tables(self.most)
        room = n + 1  # the first frequency once more at the end
        memory = [self.take(room * k.dtype.itemsize) for _ in range(4)]
        a, b = tuple(memory[:2]), tuple(memory[2:])
        ins = {"real": k.n + 2, "half": k.n, "whole": k.n}.get(k.kind, 2 * n)
        outs = {"real": k.n, "half": k.n + 2}.get(k.kind, 2 * k.n)

        def one(row: V) -> None:
            source = self.at(self.elem, self.pointers[0], row * ins)
            to = self.at(self.elem, self.pointers[1], row * outs)
            if k.kind == "real":
                self.fold(source, a)
                self.passes(self.split(a), self.joined(to), [b, a])
            elif k.kind == "complex":
                self.passes(self.joined(source), self.joined(to), [a, b])
            else:
                spare = [b, a] if len(self.radices) % 2 else [a, b]
                self.passes(self.joined(source), self.split(b), spare)
                self.unfold(b, to)

        self.points(one)
        for m in memory:
            self.give_back(m)
        return self.kernel(k.outer, k.outer * self.work())

    def side_by_side(self) -> RawKernel:
        """Transforms of neighbouring columns, in lanes."""
        k, n = self.k, self.n
        lanes = self.most
        while lanes > k.inner:
            lanes //= 2
        blocks = -(-k.inner // lanes)
        self.tables(1)
        memory = [self.take(n * lanes * k.dtype.itemsize) for _ in range(4)]
        a, b = tuple(memory[:2]), tuple(memory[2:])

        def one(point: V) -> None:
            outer = point._binary("udiv", blocks)
            # the last block moves left to be whole
            start = (point - outer * blocks) * lanes
            start = start.call("smin", k.inner - lanes)
            at = outer * (n * k.inner) + start
            source, to = (self.at(self.elem, p, at * 2) for p in self.pointers)
            ins, outs = (self.strided(p, k.inner, lanes) for p in (source, to))
            self.passes(ins, outs, [a, b], lanes)

        self.points(one)
        for m in memory:
            self.give_back(m)
        return self.kernel(k.outer * blocks, k.outer * blocks * lanes * self.work())

    def work(self) -> float:
        """Nanoseconds of one transform, about."""
        flops = 6 * self.n * math.log2(max(2, self.n)) + 4 * self.k.n
        return 20 + flops / (40 if self.elem == "float" else 20)

    def tables(self, lanes: int) -> None:
        k = self.k
        roots, self.starts = _roots(self.n, self.radices, lanes, k.dtype.str)
        self.table_lanes = lanes
        self.roots = self.data(f"roots{self.n}x{lanes}", roots)
        if k.kind != "complex":
            table = _half_roots(k.n, k.dtype.str)
            self.half = self.data(f"half_roots{k.n}", table)

    def data(self, name: str, array: np.ndarray) -> V:
        """The address of an array that is kept for ever."""
        name = f"{name}_{self.elem}"
        array = _kept.setdefault(name, array)
        self.symbols[name] = array.ctypes.data
        self.module.declare(f"void @{name}()")
        return V(self, PTR, f"@{name}")

    # --- where elements come from and go to: get(i, lanes), put(pair, i)

    def split(self, arrays: Pair, lanes: int = 0):
        """Parts in arrays of their own; lanes: elements are whole vectors."""
        re, im = arrays
        scale = lanes or 1

        def get(i: V, width: int) -> Pair:
            at = self.index(i) * scale
            return tuple(self.get(self.elem, m, at, lanes or width) for m in (re, im))

        def put(pair: Pair, i: V) -> None:
            at = self.index(i) * scale
            self.put(pair[0], re, at)
            self.put(pair[1], im, at)

        return get, put

    def joined(self, base: V):
        """Complex numbers side by side."""

        def get(i: V, width: int) -> Pair:
            return self.apart(base, self.index(i) * 2, width)

        def put(pair: Pair, i: V) -> None:
            self.together(pair, base, self.index(i) * 2)

        return get, put

    def strided(self, base: V, step: int, lanes: int):
        """Vectors of complex numbers, `step` numbers from one to the next."""

        def get(i: V, width: int) -> Pair:
            return self.apart(base, self.index(i) * (2 * step), lanes)

        def put(pair: Pair, i: V) -> None:
            self.together(pair, base, self.index(i) * (2 * step))

        return get, put

    def apart(self, base: V, at: V, lanes: int) -> Pair:
        both = self.get(self.elem, base, at, 2 * lanes)
        return tuple(
            self.shuffle(both, both, range(part, 2 * lanes, 2)) for part in (0, 1)
        )

    def together(self, pair: Pair, base: V, at: V) -> None:
        re, im = pair
        lanes = re.type.lanes
        if lanes == 1:
            self.put(re, base, at)
            self.put(im, base, at + 1)
            return
        order = [x for i in range(lanes) for x in (i, i + lanes)]
        self.put(self.shuffle(re, im, order), base, at)

    # --- the passes

    def passes(self, source, target, spare: list[Pair], lanes: int = 0) -> None:
        """The transform of one row; lanes: its elements are vectors."""
        k, n = self.k, self.n
        scale = 1 / n if k.inverse else None
        count = len(self.radices)
        if not count:  # of one element
            get, put = source[0], target[1]
            put(get(self.int(0), 1), self.int(0))
            return
        done = 1
        get = self.swapped_in(source[0]) if k.inverse else source[0]
        for p, r in enumerate(self.radices):
            last = p == count - 1
            where = target if last else self.split(spare[p % 2], lanes)
            put = where[1]
            if last and k.inverse:
                put = self.swapped_out(put, scale)
            self.one_pass(p, r, done, get, put, lanes)
            get = where[0]
            done *= r

    def swapped_in(self, get):
        """The inverse is the transform with parts exchanged before and after."""
        return lambda i, width: get(i, width)[::-1]

    def swapped_out(self, put, scale: float):
        return lambda pair, i: put((pair[1] * scale, pair[0] * scale), i)

    def one_pass(self, p: int, r: int, done: int, get, put, lanes: int) -> None:
        groups = self.n // r
        start, size = self.starts[p]
        turns = groups > done  # else all roots are 1

        def root(j: int, part: int, at: V, width: int) -> V:
            place = start + ((j - 1) * 2 + part) * size
            return self.get(self.elem, self.roots, at + place, width)

        if _in_lanes(done, self.table_lanes) and not lanes and turns:
            for first, stop, width in _chunks(groups, self.most):
                if width < done:  # within one group, whose root is one
                    step = lambda i, width=width: scattered(i, width)
                else:
                    step = lambda i, width=width: interleaved(i, width)

                def interleaved(i: V, width: int) -> None:
                    x = [get(i + j * groups, width) for j in range(r)]
                    y = self.butterfly(x)
                    for j in range(1, r):
                        y[j] = _times(y[j], *(root(j, c, i, width) for c in (0, 1)))
                    self.interleave(y, done, i * r, put)

                def scattered(i: V, width: int) -> None:
                    x = [get(i + j * groups, width) for j in range(r)]
                    y = self.butterfly(x)
                    which = i._binary("udiv", done)
                    base = which * (done * r) + (i - which * done)
                    for j in range(r):
                        if j:
                            c, s = (root(j, part, i, width) for part in (0, 1))
                            y[j] = _times(y[j], c, s)
                        put(y[j], base + j * done)

                self.loop(first, stop, step, width)
            return

        def group(g: V) -> None:
            turn = {}
            for j in range(1, r if turns else 1):
                turn[j] = [root(j, part, g, 1) for part in (0, 1)]

            def elements(width: int) -> Callable[[V], None]:
                def at(q: V) -> None:
                    i = g * done + q
                    y = self.butterfly([get(i + j * groups, width) for j in range(r)])
                    for j in range(r):
                        if j in turn:
                            y[j] = _times(y[j], *turn[j])
                        put(y[j], g * (done * r) + q + j * done)

                return at

            for first, stop, width in _chunks(done, 1 if lanes else self.most):
                self.loop(first, stop, elements(width), width)

        self.loop(0, groups // done, group)

    def interleave(self, y: list[Pair], done: int, base: V, put) -> None:
        """Store blocks of `done` lanes of each result in turn."""
        r, width = len(y), y[0][0].type.lanes
        parts = []
        for part in (0, 1):
            vectors = [pair[part] for pair in y]
            # places in the concatenation of all, in the order of memory
            order = [
                j * width + g * done + q
                for g in range(width // done)
                for j in range(r)
                for q in range(done)
            ]
            parts.append(self.gathered(vectors, order, width))
        for v, pair in enumerate(zip(*parts)):
            put(pair, base + v * width)

    def gathered(self, vectors: list[V], order: list[int], width: int) -> list[V]:
        """Vectors of the elements `order` of the concatenation of some vectors."""
        if width == 1:
            return [vectors[i] for i in order]
        out = []
        for start in range(0, len(order), width):
            part = order[start : start + width]
            made = None
            for j, vector in enumerate(vectors):
                mine = [k for k, i in enumerate(part) if i // width == j]
                if not mine:
                    continue
                if made is None:
                    lane = [i % width if k in mine else 0 for k, i in enumerate(part)]
                    made = self.shuffle(vector, vector, lane)
                else:
                    lane = [
                        width + part[k] % width if k in mine else k
                        for k in range(width)
                    ]
                    made = self.shuffle(made, vector, lane)
            out.append(made)
        return out

    # --- transforms of length r

    def butterfly(self, x: list[Pair]) -> list[Pair]:
        return {2: _two, 4: _four, 8: _eight}.get(len(x), _odd)(x)

    # --- real numbers: as complex ones of half as many

    def unfold(self, z: Pair, to: V) -> None:
        """Frequencies of n real numbers, of those of n/2 complex ones."""
        k, h = self.k, self.n
        for m in z:
            self.put(self.get(self.elem, m, 0), m, h)
        get, _ = self.split(z)
        _, put = self.joined(to)
        whole = k.kind == "whole"

        def at(i: V, width: int) -> None:
            a = get(i, width)
            b = self.reverse(get((h + 1 - width) - i, width))
            c, s = self.half_root(i, width)
            # even part (a + conj b) / 2, odd part (a - conj b) / 2i, turned
            even = (a[0] + b[0]) * 0.5, (a[1] - b[1]) * 0.5
            odd = (a[1] + b[1]) * 0.5, (b[0] - a[0]) * 0.5
            odd = _times(odd, c, s)
            x = even[0] + odd[0], even[1] + odd[1]
            put(x, i)
            if whole:
                # the mirror image, but for the first and middle ones, lies elsewhere
                self.mirror(x, i, width, put)

        for first, stop, width in _chunks(h + 1, self.most):
            self.loop(first, stop, lambda i, width=width: at(i, width), width)

    def mirror(self, x: Pair, i: V, width: int, put) -> None:
        """Store conj x[i] at n - i, for i = 1 ... n/2 - 1."""
        n, h = self.k.n, self.n
        back = self.reverse((x[0], -x[1]))
        inside = (i > 0) & (i < h + 1 - width) if width > 1 else (i > 0) & (i < h)
        place = (n + 1 - width) - i

        def one_by_one() -> None:
            for lane in range(width):
                at = i + lane
                pair = tuple(self.extract(v, lane) for v in x)
                self.when(
                    (at > 0) & (at < h),
                    lambda at=at, pair=pair: put((pair[0], -pair[1]), n - at),
                )

        self.when(inside, lambda: put(back, place), one_by_one if width > 1 else None)

    def fold(self, source: V, z: Pair) -> None:
        """n/2 complex numbers whose transform back is that of n/2 + 1 frequencies."""
        h = self.n
        get, _ = self.joined(source)
        _, put = self.split(z)

        def at(i: V, width: int) -> None:
            a = get(i, width)
            b = self.reverse(get((h + 1 - width) - i, width))
            if width == 1:
                # what is real by definition
                a, b = self.without_ends(a, i), self.without_ends(b, i)
            c, s = self.half_root(i, width)
            # the scale 1/n of the whole, times 2 for halves
            even = (a[0] + b[0]) * 0.5, (a[1] - b[1]) * 0.5
            odd = (a[0] - b[0]) * 0.5, (a[1] + b[1]) * 0.5
            odd = _times(odd, c, -s)
            put((even[0] - odd[1], even[1] + odd[0]), i)

        # the first by itself, so that vectors need no exceptions
        at(self.int(0), 1)
        for first, stop, width in _chunks(h - 1, self.most):
            body = lambda i, width=width: at(i + 1, width)
            self.loop(first, stop, body, width)

    def without_ends(self, pair: Pair, i: V) -> Pair:
        end = self.index(i).eq(0)
        return pair[0], end.where(0.0, pair[1])

    def half_root(self, i: V, width: int) -> Pair:
        i = self.index(i)
        size = self.k.n // 2 + 1
        return tuple(
            self.get(self.elem, self.half, i + part * size, width) for part in (0, 1)
        )

    def reverse(self, pair: Pair) -> Pair:
        width = pair[0].type.lanes
        if width == 1:
            return pair
        order = range(width - 1, -1, -1)
        return tuple(self.shuffle(v, v, order) for v in pair)


_kept: dict[str, np.ndarray] = {}


def _times(x: Pair, c: V, s: V) -> Pair:
    """x times c + i s."""
    re, im = x
    return re * c - im * s, re * s + im * c


def _add(x: Pair, y: Pair) -> Pair:
    return x[0] + y[0], x[1] + y[1]


def _sub(x: Pair, y: Pair) -> Pair:
    return x[0] - y[0], x[1] - y[1]


def _minus_i(x: Pair) -> Pair:
    """x times -i."""
    return x[1], -x[0]


def _sub_i(x: Pair, y: Pair) -> tuple[Pair, Pair]:
    """x - i y and x + i y."""
    return (x[0] + y[1], x[1] - y[0]), (x[0] - y[1], x[1] + y[0])


def _two(x):
    return [_add(*x), _sub(*x)]


def _odd(x):
    """Of odd length: sums and differences of pairs, times cosines and sines."""
    r, first, half = len(x), x[0], range(1, len(x) // 2 + 1)
    sums = [_add(x[j], x[-j]) for j in half]
    differences = [_sub(x[j], x[-j]) for j in half]
    out = [first] * r
    for s in sums:
        out[0] = _add(out[0], s)
    for k in half:
        even, odd = first, None
        for j, s, d in zip(half, sums, differences):
            angle = 2 * math.pi * (j * k % r) / r
            c, turn = math.cos(angle), math.sin(angle)
            even = even[0] + s[0] * c, even[1] + s[1] * c
            d = d[0] * turn, d[1] * turn
            odd = d if odd is None else _add(odd, d)
        out[k], out[r - k] = _sub_i(even, odd)
    return out


def _four(x):
    a, b, c, d = x
    p, q, r, s = _add(a, c), _sub(a, c), _add(b, d), _sub(b, d)
    y1, y3 = _sub_i(q, s)
    return [_add(p, r), y1, _sub(p, r), y3]


def _eight(x):
    even, odd = _four(x[::2]), _four(x[1::2])
    root = math.sqrt(0.5)
    re, im = odd[1]
    odd[1] = (re + im) * root, (im - re) * root
    odd[2] = _minus_i(odd[2])
    re, im = odd[3]
    odd[3] = (im - re) * root, (re + im) * -root
    return [f(a, b) for f in (_add, _sub) for a, b in zip(even, odd)]
