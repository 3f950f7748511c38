"""Kernels of plan/matrices.py: small matrices here, large ones by LAPACK (lapack.py).

A small matrix is copied into memory of the function whose rows are whole vectors; then
all is row operations: row[i] -= factor * row[k].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jaxlike.backends.numba import lapack
from jaxlike.backends.numba.engine import RawKernel
from jaxlike.backends.numba.llvm import Type, V
from jaxlike.backends.numba.matrix_code import Code, element
from jaxlike.backends.numba.target import Target
from jaxlike.backends.plan.matrices import MatrixKernel

SMALL = 64
"""Rows and columns up to which our own loops are faster than LAPACK's calls."""
SMALL_SIDES = 128
"""Columns of right-hand sides that a small triangular solve may have."""


def matrix_kernel(kernel: MatrixKernel, target: Target) -> RawKernel:
    """The code of an operation on matrices, for a machine."""
    real = kernel.dtype.kind == "f"
    fits = max(kernel.rows, kernel.columns) <= SMALL
    if kernel.name == "triangular_solve":
        fits = kernel.rows <= SMALL and kernel.columns <= SMALL_SIDES
    small = _SMALL.get(kernel.name)
    if real and fits and small is not None:
        return small(kernel, target)
    return lapack.matrix_kernel(kernel, target)


class _Rows:
    """A matrix in memory of the function, its rows whole vectors."""

    def __init__(self, code: Code, dtype: np.dtype, rows: int, columns: int):
        self.code, self.rows, self.columns = code, rows, columns
        self.elem = element(dtype)
        lanes = code.target.vector_bytes // dtype.itemsize
        while lanes > 1 and lanes // 2 >= columns:
            lanes //= 2
        self.lanes = lanes
        self.vectors = -(-columns // lanes)
        self.width = self.vectors * lanes
        self.memory = code.alloca(self.elem, rows * self.width)

    def place(self, i: int | V, j: int | V = 0) -> V:
        return self.code.index(i) * self.width + j

    def get(self, i: int | V, j: int | V) -> V:
        return self.code.get(self.elem, self.memory, self.place(i, j))

    def put(self, value: V, i: int | V, j: int | V) -> None:
        self.code.put(value, self.memory, self.place(i, j))

    def vector(self, i: int | V, v: int) -> V:
        at = self.place(i, v * self.lanes)
        return self.code.get(self.elem, self.memory, at, self.lanes)

    def put_vector(self, value: V, i: int | V, v: int) -> None:
        self.code.put(value, self.memory, self.place(i, v * self.lanes))

    def zero(self) -> None:
        self.code.fill(self.elem, self.memory, self.rows * self.width, 0.0)

    def copy_in(self, source: V) -> None:
        """From rows that lie side by side."""

        def row(i: V) -> None:
            at = i * self.columns
            whole = self.columns // self.lanes
            for v in range(whole):
                x = self.code.get(self.elem, source, at + v * self.lanes, self.lanes)
                self.put_vector(x, i, v)
            one = lambda j: self.put(self.code.get(self.elem, source, at + j), i, j)
            self.code.loop(whole * self.lanes, self.columns, one)

        self.code.loop(0, self.rows, row)

    def copy_out(self, to: V) -> None:
        def row(i: V) -> None:
            at = i * self.columns
            whole = self.columns // self.lanes
            for v in range(whole):
                self.code.put(self.vector(i, v), to, at + v * self.lanes)
            one = lambda j: self.code.put(self.get(i, j), to, at + j)
            self.code.loop(whole * self.lanes, self.columns, one)

        self.code.loop(0, self.rows, row)


def _for_blocks(code: Code, n: int, lanes: int, body: Callable[[V, int], None]) -> None:
    """body(k, v) for k in range(n), where k is in the v-th group of `lanes`."""
    for v in range(-(-n // lanes)):
        stop = min(n, (v + 1) * lanes)
        code.loop(v * lanes, stop, lambda k, v=v: body(k, v))


def _cholesky(kernel: MatrixKernel, target: Target) -> RawKernel:
    """Row k of l^T from row k of what is left; then a product leaves the rows below."""
    n = kernel.rows
    code = Code(target, 2)
    work = _Rows(code, kernel.dtype, n, n)
    bad = code.alloca("i8", 1)
    elem, lanes = work.elem, work.lanes
    one, zero = (code.const(Type("i8"), x) for x in (1, 0))

    def eliminate(k: V, first: int) -> None:
        pivot = work.get(k, k)
        fine = (pivot > 0.0) & (pivot < float("inf"))
        code.put(code.get("i8", bad) | fine.where(zero, one), bad)
        root = pivot.call("sqrt")
        inverse = 1.0 / root
        row = {v: work.vector(k, v) * inverse for v in range(first, work.vectors)}
        for v, x in row.items():
            work.put_vector(x, k, v)
        work.put(root, k, k)
        for group in range(first, work.vectors):
            start = k + 1 if group == first else group * lanes

            def below(i: V, group: int = group) -> None:
                factor = -work.get(k, i)
                for v in range(group, work.vectors):
                    new = code.muladd(row[v], factor, work.vector(i, v))
                    work.put_vector(new, i, v)

            code.loop(start, min(n, (group + 1) * lanes), below)

    def matrix(b: V) -> None:
        source = code.at(elem, code.pointers[0], b * (n * n))
        to = code.at(elem, code.pointers[1], b * (n * n))
        work.zero()
        code.put(zero, bad)

        def row_in(i: V) -> None:
            one = lambda j: work.put(code.get(elem, source, i * n + j), j, i)
            code.loop(0, i + 1, one)

        code.loop(0, n, row_in)
        _for_blocks(code, n, lanes, eliminate)
        failed = code.get("i8", bad).ne(0)
        nan, nothing = (code.const(Type(elem), x) for x in (float("nan"), 0.0))

        def row_out(i: V) -> None:
            def below(j: V) -> None:
                code.put(failed.where(nan, work.get(j, i)), to, i * n + j)

            code.loop(0, i + 1, below)
            code.loop(i + 1, n, lambda j: code.put(nothing, to, i * n + j))

        code.loop(0, n, row_out)

    code.points(matrix)
    vectors = n * n / 2 * max(1, work.vectors / 1.5)
    return code.kernel(kernel.batch, kernel.batch * (n * 12 + n * n + vectors))


def _triangular_solve(kernel: MatrixKernel, target: Target) -> RawKernel:
    """Each row, once known, leaves the rows after it."""
    n, k = kernel.rows, kernel.columns
    code = Code(target, 3)
    work = _Rows(code, kernel.dtype, n, k)
    elem = work.elem
    # x op(a) = b is op(a)^T x^T = b^T
    transpose = kernel["transpose_a"] != (not kernel["left_side"])
    forward = kernel["lower"] != transpose
    most = 8  # vectors of a row that stay in registers

    def solve(a: V) -> None:
        def entry(i: V, j: V) -> V:
            return code.get(elem, a, j * n + i if transpose else i * n + j)

        for first in range(0, work.vectors, most):
            group = range(first, min(first + most, work.vectors))

            def known(step: V, group=group) -> None:
                j = step if forward else (n - 1) - step
                row = {v: work.vector(j, v) for v in group}
                if not kernel["unit_diagonal"]:
                    pivot = entry(j, j)
                    for v in group:
                        row[v] = row[v] / pivot
                        work.put_vector(row[v], j, v)

                def rest(i: V) -> None:
                    factor = -entry(i, j)
                    for v in group:
                        new = code.muladd(row[v], factor, work.vector(i, v))
                        work.put_vector(new, i, v)

                code.loop(*((j + 1, n) if forward else (0, j)), rest)

            code.loop(0, n, known)

    def matrix(b: V) -> None:
        a = code.at(elem, code.pointers[0], b * (n * n))
        source = code.at(elem, code.pointers[1], b * (n * k))
        to = code.at(elem, code.pointers[2], b * (n * k))
        if work.columns != work.width:
            work.zero()
        if kernel["left_side"]:
            work.copy_in(source)
            solve(a)
            work.copy_out(to)
            return
        code.transposed(kernel.dtype, source, work.memory, k, n, work.width)
        solve(a)
        swap = lambda j: code.loop(
            0, n, lambda i: code.put(work.get(i, j), to, j * n + i)
        )
        code.loop(0, k, swap)

    code.points(matrix)
    return code.kernel(
        kernel.batch, kernel.batch * (n * 6 + n * n * work.vectors + n * k)
    )


def _lu(kernel: MatrixKernel, target: Target) -> RawKernel:
    """Elimination by rows, the largest pivot of its column first."""
    m, n = kernel.rows, kernel.columns
    steps = min(m, n)
    code = Code(target, 4)
    work = _Rows(code, kernel.dtype, m, n)
    elem, lanes = work.elem, work.lanes
    best, best_row = code.alloca(elem, 1), code.alloca("i64", 1)
    word = Type("i32")

    def eliminate(k: V, first: int, pivots: V, order: V) -> None:
        # the first of the largest; a NaN counts if it comes first, as in BLAS
        code.put(work.get(k, k).call("fabs"), best)
        code.put(k, best_row)

        def compare(i: V) -> None:
            size = work.get(i, k).call("fabs")
            before = code.get(elem, best)
            larger = size > before
            code.put(larger.where(size, before), best)
            code.put(larger.where(i, code.get("i64", best_row)), best_row)

        code.loop(k + 1, m, compare)
        p = code.get("i64", best_row)
        code.put(p.cast("trunc", "i32"), pivots, k)
        one, other = code.get("i32", order, k), code.get("i32", order, p)
        code.put(other, order, k)
        code.put(one, order, p)
        above, row = {}, {}
        for v in range(work.vectors):
            above[v], row[v] = work.vector(k, v), work.vector(p, v)
        for v in range(work.vectors):
            work.put_vector(above[v], p, v)
            work.put_vector(row[v], k, v)
        pivot = work.get(k, k)
        inverse = 1.0 / pivot
        # divide where the inverse overflows; a zero pivot leaves its column alone
        safe = inverse.call("fabs") < float("inf")
        solvable = pivot.ne(0.0)
        # of the first vector, only what lies right of the diagonal changes
        place = code.splat((k - first * lanes).cast("trunc", "i32"), lanes)
        lane = code.vector("i32", range(lanes)) if lanes > 1 else code.const(word, 0)
        right, here = lane.cmp("sgt", place), lane.eq(place)

        def below(i: V) -> None:
            x = work.get(i, k)
            scaled = safe.where(x * inverse, x / pivot)
            factor = solvable.where(scaled, x)
            for v in range(first, work.vectors):
                old = work.vector(i, v)
                new = code.muladd(row[v], -factor, old)
                if v == first:
                    old = here.where(code.splat(factor, lanes), old)
                    new = right.where(new, old)
                work.put_vector(new, i, v)

        code.loop(k + 1, m, below)

    def matrix(b: V) -> None:
        source = code.at(elem, code.pointers[0], b * (m * n))
        to = code.at(elem, code.pointers[1], b * (m * n))
        pivots = code.at("i32", code.pointers[2], b * steps)
        order = code.at("i32", code.pointers[3], b * m)
        if work.columns != work.width:
            work.zero()
        work.copy_in(source)
        code.loop(0, m, lambda i: code.put(i.cast("trunc", "i32"), order, i))
        _for_blocks(code, steps, lanes, lambda k, v: eliminate(k, v, pivots, order))
        work.copy_out(to)

    code.points(matrix)
    flops = m * n * max(2.0, work.vectors)
    return code.kernel(kernel.batch, kernel.batch * (steps * 20 + flops))


_SMALL = {
    "cholesky": _cholesky,
    "triangular_solve": _triangular_solve,
    "lu": _lu,
}
