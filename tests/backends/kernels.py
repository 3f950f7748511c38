"""Kernels for the backends' tests: a runner, a comparer and a generator."""

import ctypes
import math

import ml_dtypes
import numpy as np

from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.interpret import interpret
from jaxlike.backends.plan.ops import BOOL, INDEX, OPS, kind, supported
from jaxlike.backends.plan.validate import validate

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
FLOATS = [np.dtype(t) for t in (np.float16, BFLOAT16, np.float32, np.float64)]
INTS = [np.dtype(f"{s}int{n}") for s in ("", "u") for n in (8, 16, 32, 64)]
COMPLEXES = [np.dtype(np.complex64), np.dtype(np.complex128)]
ALL = [BOOL, *FLOATS, *INTS, *COMPLEXES]
INTERESTING = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, np.inf, -np.inf, np.nan, 1e-40, 3e38]


def random_array(rng, dtype, shape, special=False):
    """Values of moderate size, with a few specials on request."""
    n = math.prod(shape)
    if dtype == BOOL:
        return rng.integers(0, 2, shape).astype(bool)
    if kind(dtype) in "iu":
        info = np.iinfo(dtype)
        a = rng.integers(-20, 20, n).astype(dtype)
        if special and n:
            picks = rng.integers(0, 4, n)
            ends = np.array([info.min, info.max, 0], dtype)
            a = np.where(picks == 0, rng.choice(ends, n), a)
        return a.astype(dtype).reshape(shape)
    a = rng.standard_normal(n) * 2
    if dtype.kind == "c":
        a = a + 1j * rng.standard_normal(n)
    elif special and n:
        a = np.where(rng.integers(0, 4, n) == 0, rng.choice(INTERESTING, n), a)
    with np.errstate(all="ignore"):
        return a.astype(dtype).reshape(shape)


def run(kernel, arrays):
    """Compile a kernel and run it on arrays, in place."""
    from jaxlike.backends.numba.engine import compile_kernels

    (compiled,) = compile_kernels([kernel])
    table = (ctypes.c_void_p * max(1, len(arrays)))(*(a.ctypes.data for a in arrays))
    compiled.call(ctypes.addressof(table))
    return compiled


def narrow_target(width=32):
    """This machine without AVX-512 (32) or with 16 byte vectors: runs here too."""
    from jaxlike.backends.numba.target import Target, host

    here = host()
    features = [f for f in here.features.split(",") if "avx512" not in f]
    features += [f"-{f[1:]}" for f in here.features.split(",") if f[:7] == "+avx512"]
    cpu = "x86-64-v3" if here.triple.startswith("x86_64") else here.cpu
    return Target(here.triple, cpu, ",".join(features), width, False)


def run_on(target, kernel, arrays):
    """Compile a kernel for another target and run it here."""
    from jaxlike.backends.numba import binding
    from jaxlike.backends.numba.emit import emit_kernel, grain
    from jaxlike.backends.numba.engine import native_symbols
    from jaxlike.backends.numba.llvm import Module

    module = Module()
    emit_kernel(kernel, target, "kernel", module)
    code = binding.compile_text(str(module), target)
    library = binding.Library([code], ["kernel"], native_symbols())
    table = (ctypes.c_void_p * max(1, len(arrays)))(*(a.ctypes.data for a in arrays))
    signature = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    function = signature(library.addresses["kernel"])
    # in two calls, as chunks would
    step = grain(kernel, target)
    half = kernel.extent // 2 // step * step
    function(ctypes.addressof(table), 0, half)
    function(ctypes.addressof(table), half, kernel.extent)


def close(got, want, dtype, scale=1.0):
    """Equal: exactly for integers, to some ulp for floats, NaN equal to NaN."""
    if kind(dtype) not in "fc":
        return np.array_equal(got, want)
    eps = {2: 2e-2, 4: 2e-5, 8: 1e-11}[
        np.dtype(dtype).itemsize // (1 + (kind(dtype) == "c"))
    ]
    wide = np.complex128 if kind(dtype) == "c" else np.float64
    got, want = got.astype(wide), want.astype(wide)
    with np.errstate(all="ignore"):
        size = np.abs(want)
        near = np.abs(got - want) <= eps * scale * np.maximum(size, 1e-3)
    if kind(dtype) == "c":
        odd = ~np.isfinite(want) | ~np.isfinite(got)
        return bool(np.all(near | odd))
    tiny = np.finfo(dtype).tiny if dtype != BFLOAT16 else 1e-38
    near |= (size < 4 * tiny) & (np.abs(got) < 8 * tiny)
    return bool(np.all(near | (got == want) | (np.isnan(got) & np.isnan(want))))


def check(kernel, arrays, scale=1.0, target=None):
    """Interpreter and compiled code agree on every written buffer."""
    validate(kernel)
    ours, theirs = [a.copy() for a in arrays], [a.copy() for a in arrays]
    interpret(kernel, theirs)
    if target is None:
        run(kernel, ours)
    else:
        run_on(target, kernel, ours)
    for i, got, want in zip(kernel.arguments, ours, theirs, strict=True):
        b = kernel.buffers[i]
        if not close(got, want, b.dtype, scale):
            bad = [
                (k, g, w)
                for k, (g, w) in enumerate(zip(got.ravel(), want.ravel()))
                if not close(np.array(g), np.array(w), b.dtype, scale)
            ]
            raise AssertionError(f"buffer {i} differs at {bad[:5]} in\n{kernel}")


def arguments(rng, kernel, special=False):
    """Arrays for a kernel's buffers."""
    return [
        random_array(rng, kernel.buffers[i].dtype, kernel.buffers[i].shape, special)
        for i in kernel.arguments
    ]


def random_op(rng, k, values):
    """One more value from the values so far: {dtype: [value]}."""
    dtype = rng.choice([d for d in values if d != INDEX] or [INDEX])
    dtype = np.dtype(dtype)
    names = [n for n in OPS if supported(n, dtype) and n not in _UNRULY]
    name = names[rng.integers(len(names))]
    spec = OPS[name]
    pick = lambda d: int(rng.choice(values[d]))
    args = [pick(dtype) for _ in range(max(spec.arity, 1))]
    extra = {}
    if name == "select_n":
        if BOOL not in values:
            return
        args = [pick(BOOL), pick(dtype), pick(dtype)]
    elif name == "convert_element_type":
        to = ALL[rng.integers(len(ALL))]
        extra["dtype"] = to
    elif name == "bitcast_convert_type":
        same = [d for d in (*FLOATS, *INTS) if d.itemsize == dtype.itemsize]
        extra["dtype"] = same[rng.integers(len(same))]
    elif name == "integer_pow":
        extra["y"] = int(rng.integers(0, 5))
    elif name == "threefry_word":
        extra["word"] = int(rng.integers(3))
    elif name == "round":
        extra["rounding_method"] = int(rng.integers(2))
    elif name == "reduce_precision":
        extra |= {"exponent_bits": 5, "mantissa_bits": 7}
    out = k.op(name, *args, **extra)
    values.setdefault(k.dtypes[out], []).append(out)


# Ill-conditioned, or with values that hang on the last bit of their operands
_UNRULY = {
    *("floor", "ceil", "round", "sign", "rem", "nextafter", "bitcast_convert_type"),
    *("pow", "tan", "lgamma", "digamma", "erf_inv", "atanh", "rsqrt", "div"),
    *("is_finite", "reduce_precision", "exp", "exp2", "expm1", "sinh", "cosh"),
    *("eq", "ne", "lt", "le", "gt", "ge", "acos", "asin", "acosh", "log", "log1p"),
    *("log2", "convert_element_type", "integer_pow", "atan2", "complex"),
}


def random_kernel(rng):
    """A kernel of a random structure: grid, inner loops, maps, guards, reductions."""
    rank = int(rng.integers(0, 4))
    sizes = [1, 2, 3, 5, 8, 16, 17, 33, 40]
    grid = tuple(int(rng.choice(sizes)) for _ in range(rank))
    while math.prod(grid) > 150:
        grid = tuple(max(1, n // 2) for n in grid)
    if rank and rng.random() < 0.05:
        grid = (0, *grid[1:])
    k = KernelBuilder(grid)
    outs = []

    def address(axes):
        """A random affine map over some axes, and the size of what it needs."""
        terms, low, high = {}, 0, 0
        stride = 1
        axes = list(axes)
        if rng.random() < 0.3:
            rng.shuffle(axes)
        for v, n in reversed(axes):
            c = rng.choice([0, 1, 1, 1, 1, -1, 2]) * stride
            if c:
                terms[v] = int(c)
                stride *= max(1, n) * (2 if abs(c) > stride else 1)
                low += min(0, c * (n - 1))
                high += max(0, c * (n - 1))
        shift = -low + int(rng.integers(0, 2))
        return terms, int(shift), max(1, int(high + shift) + 1)

    def leaf(axes):
        dtype = ALL[rng.integers(len(ALL))]
        terms, const, size = address(axes)
        x = k.input(dtype, (size,))
        guard = other = None
        if axes and rng.random() < 0.3:
            v, n = axes[rng.integers(len(axes))]
            bound = k.const(int(rng.integers(0, n + 1)), INDEX)
            guard = k.op(str(rng.choice(["lt", "ge", "ne"])), v, bound)
            other = k.const(3, dtype) if rng.random() < 0.5 else None
        return k.load(x, terms, const, guard, other)

    def body(axes, values, depth):
        for _ in range(int(rng.integers(1, 4))):
            v = leaf(axes)
            values.setdefault(k.dtypes[v], []).append(v)
        if axes and rng.random() < 0.3:
            v = k.convert(axes[-1][0], np.int32)
            values.setdefault(k.dtypes[v], []).append(v)
        if axes != outer and rng.random() < 0.5:
            running(values)
        for _ in range(int(rng.integers(1, 6))):
            random_op(rng, k, values)
        if depth and rng.random() < 0.8:
            inner_loop(axes, values, depth)
        if axes == outer or rng.random() < 0.3:
            dtype = np.dtype(rng.choice([d for d in values if d != INDEX] or [INDEX]))
            v = values[dtype][-1]
            strides, size = {}, 1
            for index, n in reversed(axes):
                strides[index] = size
                size *= n
            y = k.output(dtype, (size,))
            outs.append(y)
            k.store(y, strides, v)

    def running(values):
        v = rng.choice([v for vs in values.values() for v in vs])
        dtype = k.dtypes[v]
        if dtype in (INDEX, BOOL) or (kind(dtype) == "f" and dtype.itemsize == 2):
            return
        names = ["add"] if dtype.kind == "c" else ["add", "max", "min"]
        out = k.prefix(str(rng.choice(names)), v, k.const(1, dtype))
        values[dtype].append(out)

    def inner_loop(axes, values, depth):
        points = math.prod(n for _, n in axes)
        sizes = [n for n in (0, 1, 3, 4, 16, 17, 31, 70) if n * points <= 1500]
        n = int(rng.choice(sizes))
        with k.loop(n) as l:
            inner = {d: list(v) for d, v in values.items()}
            body([*axes, (l.index, n)], inner, depth - 1)
            names = []
            for dtype in list(inner):
                if dtype == INDEX or (kind(dtype) == "f" and dtype.itemsize == 2):
                    continue
                options = ["max", "min"] if dtype.kind != "c" else []
                options += ["add"] if dtype != BOOL else []
                options += ["and", "or", "xor"] if kind(dtype) in "biu" else []
                if kind(dtype) != "b" and dtype.kind != "c" and n:
                    options += ["argmax", "argmin"]
                name = str(rng.choice(options))
                v = inner[dtype][-1]
                if name.startswith("arg"):
                    l.reduce(name, v, k.convert(l.index, np.int32))
                else:
                    l.reduce(name, v)
                names.append(name)
        for v in l.results:
            values.setdefault(k.dtypes[v], []).append(v)

    outer = list(zip(k.indices, grid))
    body(outer, {}, int(rng.integers(0, 3)))
    return k.finish()
