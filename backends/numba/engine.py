"""Kernels to callable machine code: one module a batch, kept in memory and on disk.

    fns = compile_kernels([kernel, ...])     # equal kernels compile once
    fns[0].call(pointer_table_address)       # the whole grid; no result
    run = RunList(...)                       # many kernels in one call: runlist.py

A batch is one or two LLVM modules (two threads, when there is enough to compile), whose
objects are stored under a hash of the kernels' keys, this package's own source, the
machine and LLVM's version; a stored batch loads in about a millisecond without any IR
being written. Nothing here is imported, nor llvmlite, before the first compilation.

A kernel past some microseconds of estimated work is split into chunks, by its shape
alone, and runs on the pool of `runtime.py`; large reductions are cut into stages first
(plan/stages.py), whose scratch memory lies on the stack. This, and the code itself, is
decided in `emission.py`, and stored; so a filled cache saves its import too.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from jaxlike.backends.numba import runtime
from jaxlike.backends.numba.store import default_store
from jaxlike.backends.numba.target import host
from jaxlike.backends.plan.ir import Kernel, While, statements, work

RELEASE_NS = 20_000.0
"""Estimated work from which a call lets other Python threads run."""
KEEP = 8192
"""Compiled kernels kept for programs to come."""


class Stage(NamedTuple):
    """A function void(ptr table, i64 lo, i64 hi) of a compiled batch.

    extent: grid points; a task is `chunk` of them (0: all, serially).
    """

    symbol: str
    extent: int
    chunk: int


class Batch(NamedTuple):
    """Kernels compiled: object files, and of each kernel the stages, to be run in
    order, and the bytes of their scratch buffers."""

    objects: list[bytes]
    kernels: list[tuple[list[Stage], list[int]]]


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
        size = self.extent, self.ns, self.grain
        words = f"{self.text}|{size}|{[n for n, _ in self.symbols]}"
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

    def __init__(
        self,
        kernel: AnyKernel,
        stages: list[tuple[int, int, int]],
        scratch: Sequence[int],
        library: Any,
    ):
        self.kernel, self.stages, self._library = kernel, stages, library
        self.ns = kernel_ns(kernel)
        self.scratch, self.scratch_bytes = [], 0
        for nbytes in scratch:
            self.scratch.append(self.scratch_bytes)
            self.scratch_bytes += -(-nbytes // 64) * 64
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
        from jaxlike.backends.numba.emission import kernel_text

        return kernel_text(self.kernel)

    def assembly(self) -> str:
        """The kernel's machine code as assembly."""
        from jaxlike.backends.numba.binding import assembly

        return assembly(self.source)


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

    store = default_store()
    key = _batch_key([k.key for k in kernels]) if store else ""
    batch = _unpack(store.get(key)) if store else None
    if batch is None:
        batch = _emit(kernels, key)
    symbols = native_symbols()
    for k in kernels:
        raw = k.kernels if isinstance(k, RawStages) else [k]
        symbols.update(s for r in raw if isinstance(r, RawKernel) for s in r.symbols)
    try:
        library = binding.Library(batch.objects, _exports(batch), symbols)
    except RuntimeError:  # an object that matches its checksum, but not this process
        batch = _emit(kernels, key)
        library = binding.Library(batch.objects, _exports(batch), symbols)
    for k, (stages, scratch) in zip(kernels, batch.kernels, strict=True):
        found = [(library.addresses[s.symbol], s.extent, s.chunk) for s in stages]
        _compiled[k.key] = CompiledKernel(k, found, scratch, library)


def _emit(kernels: list[AnyKernel], key: str) -> Batch:
    """Compile, and store under a key, unless it is empty."""
    # which takes long to import, and is not needed when all is in the store
    from jaxlike.backends.numba.emission import compile_batch

    batch = compile_batch(kernels)
    store = default_store()
    if store and key:
        store.put(key, _pack(batch))
    return batch


def _exports(batch: Batch) -> list[str]:
    symbols = (stage.symbol for stages, _ in batch.kernels for stage in stages)
    return list(dict.fromkeys(symbols))


def kernel_ns(kernel: AnyKernel) -> float:
    """Estimated work."""
    return work(kernel) if isinstance(kernel, Kernel) else kernel.ns


def native_symbols() -> dict[str, int]:
    """What compiled kernels may call, of the native runtime."""
    return {"jaxlike_poll": get_runtime().library.addresses["poll"]}


def _polls(kernel) -> bool:
    """Whether the kernel has loops of unknown length, which look for signals."""
    return isinstance(kernel, Kernel) and any(
        isinstance(s, While) for s in statements(kernel.body)
    )


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


def _pack(batch: Batch) -> bytes:
    sizes = [len(o) for o in batch.objects]
    head = json.dumps({"sizes": sizes, "kernels": batch.kernels}).encode()
    return b"".join([struct.pack("<Q", len(head)), head, *batch.objects])


def _unpack(data: bytes | None) -> Batch | None:
    if data is None:
        return None
    at = 8 + struct.unpack_from("<Q", data)[0]
    head, objects = json.loads(data[8:at]), []
    for size in head["sizes"]:
        objects.append(data[at : at + size])
        at += size
    kernels = [([Stage(*s) for s in stages], n) for stages, n in head["kernels"]]
    return Batch(objects, kernels)


# -- the runtime -----------------------------------------------------------------------
@lru_cache(1)
def get_runtime() -> runtime.Runtime:
    """The native runtime of this process, linked at first use."""
    from jaxlike.backends.numba import binding

    store = default_store()
    key = _batch_key(["runtime"]) if store else ""
    code = store.get(key) if store else None
    if code is None:
        from jaxlike.backends.numba.runtime_ir import source

        code = binding.compile_text(source(), host())
        if store:
            store.put(key, code)
    library = binding.Library([code], runtime.EXPORTS, runtime.imports())
    library.keep_forever()
    native = runtime.Runtime(library)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=native.forget_pool)
    return native
