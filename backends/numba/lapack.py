"""Kernels on matrices that call LAPACK and BLAS: no Python between the calls.

SciPy exports its LAPACK's functions as pointers (scipy.linalg.cython_lapack). They take
matrices column by column: a C matrix is a transposed one to them, which a triangle's
factor or solution is content with; the others work on a transposed copy.
"""

from __future__ import annotations

import ctypes
from functools import cache

from jaxlike.backends.numba.engine import RawKernel
from jaxlike.backends.numba.llvm import Type, V
from jaxlike.backends.numba.matrix_code import I32, Code, element
from jaxlike.backends.numba.target import Target
from jaxlike.backends.plan.matrices import MatrixKernel

_PREFIX = {"f4": "s", "f8": "d", "c8": "c", "c16": "z"}
_NAN = float("nan")


@cache
def address_of(name: str) -> int:
    """Where a routine of BLAS or LAPACK lies."""
    from scipy.linalg import cython_blas, cython_lapack

    for module in (cython_lapack, cython_blas):
        capsule = module.__pyx_capi__.get(name)
        if capsule is not None:
            api = ctypes.pythonapi
            api.PyCapsule_GetName.restype = ctypes.c_char_p
            api.PyCapsule_GetName.argtypes = [ctypes.py_object]
            api.PyCapsule_GetPointer.restype = ctypes.c_void_p
            api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
            return api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
    raise KeyError(name)


def matrix_kernel(kernel: MatrixKernel, target: Target) -> RawKernel:
    """The code of an operation on matrices that calls LAPACK."""
    return _ROUTINES[kernel.name](kernel, target)


class _Lapack(Code):
    """Code that knows the dtype of its matrices."""

    def __init__(self, target: Target, arguments: int, kernel: MatrixKernel):
        super().__init__(target, arguments)
        self.dtype = dtype = kernel.dtype
        self.elem = element(dtype)
        self.parts = 2 if dtype.kind == "c" else 1
        self.prefix = _PREFIX[dtype.str[1:]]
        self.info = self.alloca("i32", 1)
        self.taken: list[V] = []

    def number(self, n: int | V) -> V:
        """A place that holds an int of LAPACK's."""
        return self.cell(n if isinstance(n, V) else self.const(I32, n))

    def routine(self, name: str, *args: str | int | V) -> None:
        """Call a routine by its name without the dtype's letter."""
        places = []
        for x in args:
            if isinstance(x, str):
                places.append(self.cell(self.const(Type("i8"), ord(x))))
            else:
                places.append(self.number(x) if isinstance(x, int) else x)
        full = self.prefix + name
        self.outside(full, address_of(full), places)

    def memory(self, count: int, elem: str | None = None, parts: int = 0) -> V:
        """Room for `count` elements of the matrices' dtype, or of another."""
        size = self.align(elem or self.elem) * (parts or (1 if elem else self.parts))
        place = self.take(max(64, count * size))
        self.taken.append(place)
        return place

    def matrix(self, i: int, b: V, size: int) -> V:
        """The b-th matrix of an argument whose matrices have `size` elements."""
        return self.at(self.elem, self.pointers[i], b * (size * self.parts))

    def succeeded(self) -> V:
        return self.get("i32", self.info).eq(0)

    def set(self, base: V, i: V, value: float) -> None:
        """Element i of a matrix, all of its parts."""
        for part in range(self.parts):
            x = self.const(Type(self.elem), value)
            self.put(x, base, i * self.parts + part)

    def finite(self, base: V, count: int) -> V:
        return self.all_finite(self.elem, base, count * self.parts)

    def not_a_number(self, base: V, count: int) -> None:
        self.fill(self.elem, base, count * self.parts, _NAN)

    def done(self, kernel: MatrixKernel, flops: float) -> RawKernel:
        for place in self.taken:
            self.give_back(place)
        # small matrices are mostly calls
        each = 1000 + flops * self.parts**2 / (8 if self.elem == "float" else 4)
        return self.kernel(kernel.batch, kernel.batch * each)


def _cholesky(kernel: MatrixKernel, target: Target) -> RawKernel:
    n = kernel.rows
    code = _Lapack(target, 2, kernel)

    def one(b: V) -> None:
        to = code.matrix(1, b, n * n)
        code.copied(code.elem, code.matrix(0, b, n * n), to, n * n * code.parts)
        # the lower triangle of rows is an upper one of columns
        code.routine("potrf", "U", n, to, n, code.info)
        bad = code.alloca("i8", 1)
        code.put(
            code.succeeded().where(*(code.const(Type("i8"), x) for x in (0, 1))), bad
        )

        def row(i: V) -> None:
            # a NaN before makes its diagonal one
            root = code.get(code.elem, to, i * ((n + 1) * code.parts))
            fine = (root > 0.0) & (root < float("inf"))
            flag = code.get("i8", bad)
            code.put(fine.where(flag, code.const(Type("i8"), 1)), bad)
            code.loop(i + 1, n, lambda j: code.set(to, i * n + j, 0.0))

        code.loop(0, n, row)

        def spoil(i: V) -> None:
            code.loop(0, i + 1, lambda j: code.set(to, i * n + j, _NAN))

        code.when(code.get("i8", bad).ne(0), lambda: code.loop(0, n, spoil))

    code.points(one)
    return code.done(kernel, n**3 / 3)


def _triangular_solve(kernel: MatrixKernel, target: Target) -> RawKernel:
    n, k = kernel.rows, kernel.columns
    code = _Lapack(target, 3, kernel)
    trans = "N"
    if kernel["transpose_a"]:
        trans = "C" if kernel["conjugate_a"] else "T"
    left = kernel["left_side"]
    uplo = "U" if kernel["lower"] else "L"
    diagonal = "U" if kernel["unit_diagonal"] else "N"

    def one(b: V) -> None:
        a, to = code.matrix(0, b, n * n), code.matrix(2, b, n * k)
        code.copied(code.elem, code.matrix(1, b, n * k), to, n * k * code.parts)
        unit = code.alloca(code.elem, 2)
        for part, value in enumerate((1.0, 0.0)):
            code.put(code.const(Type(code.elem), value), unit, part)
        side, m, count, step = ("R", k, n, k) if left else ("L", n, k, n)
        code.routine(
            "trsm", side, uplo, trans, diagonal, m, count, unit, a, n, to, step
        )

    code.points(one)
    return code.done(kernel, n * n * k)


def _lu(kernel: MatrixKernel, target: Target) -> RawKernel:
    m, n = kernel.rows, kernel.columns
    steps = min(m, n)
    code = _Lapack(target, 4, kernel)
    work = code.memory(m * n)

    def one(b: V) -> None:
        pivots = code.at("i32", code.pointers[2], b * steps)
        order = code.at("i32", code.pointers[3], b * m)
        code.transposed(code.dtype, code.matrix(0, b, m * n), work, m, n)
        code.routine("getrf", m, n, work, m, pivots, code.info)
        code.transposed(code.dtype, work, code.matrix(1, b, m * n), n, m)
        code.loop(0, m, lambda i: code.put(i.cast("trunc", "i32"), order, i))

        def exchange(i: V) -> None:
            p = code.get("i32", pivots, i) - 1
            code.put(p, pivots, i)
            there = p.cast("sext", "i64")
            x, y = code.get("i32", order, i), code.get("i32", order, there)
            code.put(y, order, i)
            code.put(x, order, there)

        code.loop(0, steps, exchange)

    code.points(one)
    return code.done(kernel, m * n * steps * 2 / 3)


def _eigh(kernel: MatrixKernel, target: Target) -> RawKernel:
    n = kernel.rows
    code = _Lapack(target, 3, kernel)
    z = code.memory(n * n)
    sizes = [1 + 6 * n + 2 * n * n]
    work = [code.memory(sizes[0])]
    if code.parts == 2:
        sizes.append(1 + 5 * n + 2 * n * n)
        work.append(code.memory(sizes[1], code.elem))
    sizes.append(3 + 5 * n)
    work.append(code.memory(sizes[-1], "i32"))
    flat = [x for pair in zip(work, sizes) for x in pair]
    name = "heevd" if code.parts == 2 else "syevd"

    def one(b: V) -> None:
        source, v = code.matrix(0, b, n * n), code.matrix(1, b, n * n)
        w = code.at(code.elem, code.pointers[2], b * n)

        def spoil() -> None:
            code.not_a_number(v, n * n)
            code.fill(code.elem, w, n, _NAN)

        def decompose() -> None:
            code.transposed(code.dtype, source, z, n, n)
            uplo = "L" if kernel["lower"] else "U"
            code.routine(name, "V", uplo, n, z, n, w, *flat, code.info)
            give = lambda: code.transposed(code.dtype, z, v, n, n)
            code.when(code.succeeded(), give, spoil)

        code.when(code.finite(source, n * n), decompose, spoil)

    code.points(one)
    return code.done(kernel, 9 * n**3)


def _qr(kernel: MatrixKernel, target: Target) -> RawKernel:
    m, n = kernel.rows, kernel.columns
    steps = min(m, n)
    k = m if kernel["full_matrices"] else steps
    code = _Lapack(target, 3, kernel)
    a, tau = code.memory(m * max(n, k)), code.memory(steps)
    size = 64 * max(n, k)
    work = code.memory(size)
    name = "ungqr" if code.parts == 2 else "orgqr"

    def one(b: V) -> None:
        r = code.matrix(2, b, k * n)
        code.transposed(code.dtype, code.matrix(0, b, m * n), a, m, n)
        code.routine("geqrf", m, n, a, m, tau, work, size, code.info)

        def row(i: V) -> None:
            def zero(j: V) -> None:
                code.set(r, i * n + j, 0.0)

            def keep(j: V) -> None:
                for part in range(code.parts):
                    at = (j * m + i) * code.parts + part
                    to = (i * n + j) * code.parts + part
                    code.put(code.get(code.elem, a, at), r, to)

            code.loop(0, i.call("smin", n), zero)
            code.loop(i, n, keep)

        code.loop(0, k, row)
        code.routine(name, m, k, steps, a, m, tau, work, size, code.info)
        code.transposed(code.dtype, a, code.matrix(1, b, m * k), k, m)

    code.points(one)
    return code.done(kernel, 4 * m * n * k)


def _svd(kernel: MatrixKernel, target: Target) -> RawKernel:
    m, n = kernel.rows, kernel.columns
    k, wide = min(m, n), max(m, n)
    vectors, full = kernel["compute_uv"], kernel["full_matrices"]
    code = _Lapack(target, 4 if vectors else 2, kernel)
    rows, columns = (m, n) if full else (k, k)
    a = code.memory(m * n)
    u, vt = (code.memory(m * rows), code.memory(columns * n)) if vectors else (a, a)
    job = "N" if not vectors else "A" if full else "S"
    rest: list[V] = []
    if code.parts == 2:
        rest.append(
            code.memory(7 * k + 5 * k * k + 2 * wide * k + 2 * k * k, code.elem)
        )
    iterate = kernel["iterate"]
    if not iterate:
        rest.append(code.memory(8 * k, "i32"))
    name, jobs = ("gesvd", [job, job]) if iterate else ("gesdd", [job])

    def run(s: V, work: V, size: V | int) -> None:
        code.routine(
            name, *jobs, m, n, a, m, s, u, m, vt, columns, work, size, *rest, code.info
        )

    # LAPACK says how much room it wants
    wanted = code.alloca(code.elem, 2)
    run(wanted, wanted, -1)
    amount = code.get(code.elem, wanted).cast("fptosi", "i32")
    nbytes = amount.cast("sext", "i64") * code.dtype.itemsize
    work = code.take(nbytes + 64)
    code.taken.append(work)

    def one(b: V) -> None:
        source = code.matrix(0, b, m * n)
        s = code.at(code.elem, code.pointers[1], b * k)
        if vectors:
            out_u = code.matrix(2, b, m * rows)
            out_vt = code.matrix(3, b, columns * n)

        def spoil() -> None:
            code.fill(code.elem, s, k, _NAN)
            if vectors:
                code.not_a_number(out_u, m * rows)
                code.not_a_number(out_vt, columns * n)

        def give() -> None:
            if vectors:
                code.transposed(code.dtype, u, out_u, rows, m)
                code.transposed(code.dtype, vt, out_vt, n, columns)

        def decompose() -> None:
            code.transposed(code.dtype, source, a, m, n)
            run(s, work, code.number(amount))
            code.when(code.succeeded(), give, spoil)

        code.when(code.finite(source, m * n), decompose, spoil)

    code.points(one)
    return code.done(kernel, 20 * m * n * k)


_ROUTINES = {
    "cholesky": _cholesky,
    "triangular_solve": _triangular_solve,
    "lu": _lu,
    "eigh": _eigh,
    "qr": _qr,
    "svd": _svd,
}
