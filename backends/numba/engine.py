"""Kernels to callable machine code: one module a batch, kept in memory and on disk.

    fns = compile_kernels([kernel, ...])     # equal kernels compile once
    fns[0].call(pointer_table_address)       # the whole grid; no result
    run = RunList(...)                       # many kernels in one call: runlist.py

A batch is one or two LLVM modules (two threads, when there is enough to compile), whose
objects are stored under a hash of the kernels' keys, this package's own source, the
machine and LLVM's version; a stored batch loads in about a millisecond without any IR
being written. Nothing here is imported, nor llvmlite, before the first compilation.

A kernel past `PARALLEL_NS` of estimated work is split into chunks, by its shape alone,
and runs on the pool of `runtime.py`; large reductions are cut into stages first
(plan/stages.py), whose scratch memory lies on the stack.
"""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import struct
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from jaxlike.backends.numba import runtime
from jaxlike.backends.numba.emit import emit_kernel, grain
from jaxlike.backends.numba.llvm import Module
from jaxlike.backends.numba.runtime_ir import source
from jaxlike.backends.numba.store import default_store
from jaxlike.backends.numba.target import host
from jaxlike.backends.numba.transposes import turning
from jaxlike.backends.plan.ir import Buffer, Kernel, While, statements, work
from jaxlike.backends.plan.stages import staged, widened

PARALLEL_NS = 8_000.0
"""Estimated work from which a kernel runs on several threads. A fork-join costs 0.2 us
while the workers spin, some 5 us when they have to be woken."""
CHUNK_NS = 4_000.0
MAX_CHUNKS = 64
RELEASE_NS = 20_000.0
"""Estimated work from which a call lets other Python threads run."""
KEEP = 8192
"""Compiled kernels kept for programs to come."""
TWO_THREADS = 3
"""Kernels from which a batch is compiled on two threads."""


@dataclass(frozen=True)
class RawKernel:
    """A kernel written as LLVM IR outright: tiles, sorts, calls into libraries.

    text: a module's IR with `define void @SYMBOL(ptr %buffers, i64 %lo, i64 %hi)`,
    where the word SYMBOL stands for the name it will get. extent: grid points. ns:
    estimated work. grain: chunks are multiples of this. symbols: addresses of external
    names. declarations: of what it calls, as `llvm.Module.declare` takes them.
    """

    text: str
    extent: int
    ns: float
    grain: int = 1
    symbols: tuple[tuple[str, int], ...] = ()
    declarations: tuple[str, ...] = ()

    @cached_property
    def key(self) -> str:
        words = f"{self.text}|{self.extent}|{[n for n, _ in self.symbols]}"
        return hashlib.blake2b(words.encode(), digest_size=20).hexdigest()


@dataclass(frozen=True)
class RawStages:
    """Raw kernels that run one after the other on the same `count` arguments."""

    kernels: tuple[RawKernel, ...]
    count: int

    @property
    def arguments(self) -> range:
        return range(self.count)

    @property
    def ns(self) -> float:
        return sum(k.ns for k in self.kernels)

    @cached_property
    def key(self) -> str:
        words = " ".join(["stages", str(self.count), *(k.key for k in self.kernels)])
        return hashlib.blake2b(words.encode(), digest_size=20).hexdigest()


AnyKernel = Kernel | RawKernel | RawStages


class CompiledKernel:
    """Machine code of a kernel. Keep it, or its `call`, while it may run.

    call(table): run the whole grid on the buffers whose addresses lie in the pointer
    table (an int address of void*[number of arguments]). stages: (address of a function
    void(ptr table, i64 lo, i64 hi), extent, chunk) each, run in order; a task is
    `chunk` points (0: all, serially). scratch: byte offsets of further buffers, which
    stages take after the arguments, in `scratch_bytes` of memory. ns: estimated work.
    """

    def __init__(self, kernel, stages: list[tuple[int, int, int]], scratch, library):
        self.kernel, self.stages, self._library = kernel, stages, library
        self.ns = _work(kernel)
        self.scratch, self.scratch_bytes = [], 0
        for b in scratch:
            self.scratch.append(self.scratch_bytes)
            self.scratch_bytes += -(-b.nbytes // 64) * 64
        native = get_runtime()
        if any(chunk for _, _, chunk in stages):
            native.start_pool()
        release = self.releases
        if len(stages) == 1 and not scratch:
            self._record = (ctypes.c_int64 * 4)(*stages[0], release)
            record = ctypes.addressof(self._record)
            keep = self._record, library
            self.call = native.kernel_caller(record, keep)
        else:
            count = len(kernel.arguments)
            rest = [(runtime.SCRATCH, offset) for offset in self.scratch]
            slots = range(count + len(rest))
            steps = [runtime.Step(a, slots, n, chunk) for a, n, chunk in stages]
            layout = runtime.Layout(steps, count, rest, self.scratch_bytes, release)
            self.call = native.staged_caller(layout, library)

    @property
    def releases(self) -> bool:
        """Whether other Python threads should run meanwhile."""
        return self.ns > RELEASE_NS or _polls(self.kernel)

    @property
    def address(self) -> int:
        """The first stage's function."""
        return self.stages[0][0]

    @property
    def source(self) -> str:
        """The kernel's LLVM IR."""
        parts = _parts(self.kernel)[0]
        names = [f"kernel_{i}" if i else "kernel" for i in range(len(parts))]
        return _module_text(parts, names)

    def assembly(self) -> str:
        """The kernel's machine code as assembly."""
        from jaxlike.backends.numba.binding import assembly

        return assembly(self.source)


def _parts(kernel: AnyKernel) -> tuple[list, tuple[Buffer, ...]]:
    """The kernels that are compiled for a kernel, and their scratch."""
    if isinstance(kernel, RawStages):
        return list(kernel.kernels), ()
    if isinstance(kernel, RawKernel):
        return [kernel], ()
    cut = staged(kernel)
    if cut is not None:
        return list(cut.kernels), cut.scratch
    wide = widened(kernel)
    if wide is not None and turning(wide, host()):
        return [wide], ()
    return [kernel], ()


def compile_kernels(
    kernels: Sequence[AnyKernel],
) -> list[CompiledKernel]:
    """Compile kernels, equal ones once.

    Args:
      kernels: loop-nest kernels or raw ones, in any mixture.
    Returns: a CompiledKernel each, in order.

    >>> import numpy as np
    >>> from jaxlike.backends.plan.build import KernelBuilder
    >>> k = KernelBuilder((3,))
    >>> x, y = k.input(np.float32, (3,)), k.output(np.float32, (3,))
    >>> k.store(y, {k.indices[0]: 1}, k.op("neg", k.load(x, {k.indices[0]: 1})))
    >>> (negate,) = compile_kernels([k.finish()])
    >>> a, b = np.ones(3, np.float32), np.zeros(3, np.float32)
    >>> table = (ctypes.c_void_p * 2)(a.ctypes.data, b.ctypes.data)
    >>> negate.call(ctypes.addressof(table))
    >>> b
    array([-1., -1., -1.], dtype=float32)
    """
    with _lock:
        missing: dict[str, AnyKernel] = {}
        for k in kernels:
            if k.key not in _compiled:
                missing.setdefault(k.key, k)
        if missing:
            _compile(list(missing.values()))
        out = [_compiled[k.key] for k in kernels]
        while len(_compiled) > KEEP:
            del _compiled[next(iter(_compiled))]
        return out


_lock = threading.RLock()
_compiled: dict[str, CompiledKernel] = {}


def clear_memory() -> None:
    """Forget compiled kernels; programs that hold some keep them."""
    with _lock:
        _compiled.clear()


def _compile(kernels: list[AnyKernel]) -> None:
    from jaxlike.backends.numba import binding

    cuts = [_parts(k) for k in kernels]
    parts = {p.key: p for stages, _ in cuts for p in stages}
    names = {key: f"jaxlike_{i}" for i, key in enumerate(parts)}
    store = default_store()
    key = _batch_key([*parts]) if store else ""
    objects = _unpack(store.get(key)) if store else None
    args = [*parts.values()], [*names.values()]
    if objects is None:
        objects = _objects(*args)
        if store:
            store.put(key, _pack(objects))
    symbols = {
        n: a for p in parts.values() if isinstance(p, RawKernel) for n, a in p.symbols
    }
    symbols |= native_symbols()
    try:
        library = binding.Library(objects, args[1], symbols)
    except RuntimeError:  # an object that matches its checksum, but not this process
        objects = _objects(*args)
        library = binding.Library(objects, args[1], symbols)
    for k, (stages, scratch) in zip(kernels, cuts):
        found = [
            (library.addresses[names[p.key]], p.extent, chunk_size(p)) for p in stages
        ]
        _compiled[k.key] = CompiledKernel(k, found, scratch, library)


def _objects(kernels, names) -> list[bytes]:
    from jaxlike.backends.numba.binding import compile_text

    def make(part: slice) -> bytes:
        return compile_text(_module_text(kernels[part], names[part]), host())

    if len(kernels) < TWO_THREADS or runtime.thread_count() < 2:
        return [make(slice(None))]
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(make, slice(1, None, 2))
        return [make(slice(0, None, 2)), other.result()]


def _module_text(kernels, names) -> str:
    module, raw = Module(), []
    for k, name in zip(kernels, names):
        if isinstance(k, RawKernel):
            raw.append(k.text.replace("SYMBOL", name))
            for signature in k.declarations:
                module.declare(signature)
        else:
            emit_kernel(k, host(), name, module)
    return "\n".join([str(module), *raw])


def _work(kernel: AnyKernel) -> float:
    return work(kernel) if isinstance(kernel, Kernel) else kernel.ns


def native_symbols() -> dict[str, int]:
    """What compiled kernels may call, of the native runtime."""
    return {"jaxlike_poll": get_runtime().library.addresses["poll"]}


def _polls(kernel) -> bool:
    """Whether the kernel has loops of unknown length, which look for signals."""
    return isinstance(kernel, Kernel) and any(
        isinstance(s, While) for s in statements(kernel.body)
    )


def chunk_size(kernel: Kernel | RawKernel) -> int:
    """Grid points a task, from the shape alone; 0 where one thread is best."""
    ns, extent = _work(kernel), kernel.extent
    if ns < PARALLEL_NS or extent < 2:
        return 0
    tasks = int(min(MAX_CHUNKS, max(2.0, ns / CHUNK_NS), extent))
    chunk = -(-extent // tasks)
    step = kernel.grain if isinstance(kernel, RawKernel) else grain(kernel, host())
    if chunk >= 4096:  # whole cache lines, whole vectors
        step = math.lcm(step, 64) if step < 1024 else step
    chunk = -(-chunk // step) * step
    return chunk if chunk < extent else 0


# -- keys ------------------------------------------------------------------------------
@lru_cache(1)
def _code_version() -> str:
    """Hash of everything that decides what a kernel's key compiles to."""
    from jaxlike.backends.numba import binding

    h = hashlib.blake2b(digest_size=16)
    here = Path(__file__).parent
    plan = here.parent / "plan"
    files = [*sorted(here.glob("*.py")), *sorted(here.glob("math/*.py"))]
    for path in (*files, *(plan / name for name in ("ir.py", "ops.py", "stages.py"))):
        h.update(path.read_bytes())
    target = host()
    for word in (binding.VERSION, target.triple, target.cpu, target.features):
        h.update(word.encode())
    return h.hexdigest()


def _batch_key(keys: Sequence[str]) -> str:
    words = "\n".join([_code_version(), *keys])
    return hashlib.blake2b(words.encode(), digest_size=20).hexdigest()


def _pack(objects: list[bytes]) -> bytes:
    head = struct.pack(f"<{len(objects) + 1}Q", len(objects), *map(len, objects))
    return head + b"".join(objects)


def _unpack(data: bytes | None) -> list[bytes] | None:
    if data is None:
        return None
    (count,) = struct.unpack_from("<Q", data)
    sizes = struct.unpack_from(f"<{count}Q", data, 8)
    at, objects = 8 * (count + 1), []
    for size in sizes:
        objects.append(data[at : at + size])
        at += size
    return objects


# -- the runtime -----------------------------------------------------------------------
@lru_cache(1)
def get_runtime() -> runtime.Runtime:
    """The native runtime of this process, linked at first use."""
    from jaxlike.backends.numba import binding

    text = source()
    store = default_store()
    key = _batch_key([hashlib.blake2b(text.encode()).hexdigest()]) if store else ""
    code = store.get(key) if store else None
    if code is None:
        code = binding.compile_text(text, host())
        if store:
            store.put(key, code)
    library = binding.Library([code], runtime.EXPORTS, runtime.imports())
    library.keep_forever()
    native = runtime.Runtime(library)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=native.forget_pool)
    return native
