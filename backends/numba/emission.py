"""Kernels to object code: stages, chunks, LLVM IR, compilation on two threads.

Apart from `engine.py`, which imports this only when the store lacks something.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from jaxlike.backends.numba import runtime
from jaxlike.backends.numba.binding import compile_text
from jaxlike.backends.numba.emit import emit_kernel, grain
from jaxlike.backends.numba.engine import (
    AnyKernel,
    Batch,
    RawKernel,
    RawStages,
    Stage,
    kernel_ns,
)
from jaxlike.backends.numba.llvm import Module
from jaxlike.backends.numba.target import host
from jaxlike.backends.numba.transposes import turning
from jaxlike.backends.plan.ir import Buffer, Kernel
from jaxlike.backends.plan.stages import staged, widened

PARALLEL_NS = 8_000.0
"""Estimated work from which a kernel runs on several threads. A fork-join costs 0.2 us
while the workers spin, some 5 us when they have to be woken."""
CHUNK_NS = 4_000.0
MAX_CHUNKS = 64
TWO_THREADS = 3
"""Kernels from which a batch is compiled on two threads."""


def compile_batch(kernels: Sequence[AnyKernel]) -> Batch:
    """Compile kernels, what they share once."""
    cuts = [_parts(k) for k in kernels]
    parts = {p.key: p for stages, _ in cuts for p in stages}
    symbols = {key: f"jaxlike_{i}" for i, key in enumerate(parts)}
    objects = _objects([*parts.values()], [*symbols.values()])
    stage = {k: Stage(symbols[k], p.extent, chunk_size(p)) for k, p in parts.items()}
    return Batch(
        objects,
        [([stage[p.key] for p in ps], [b.nbytes for b in bs]) for ps, bs in cuts],
    )


def kernel_text(kernel: AnyKernel) -> str:
    """A kernel's LLVM IR."""
    parts = _parts(kernel)[0]
    names = [f"kernel_{i}" if i else "kernel" for i in range(len(parts))]
    return _module_text(parts, names)


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


def _objects(kernels, names) -> list[bytes]:
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


def chunk_size(kernel: Kernel | RawKernel) -> int:
    """Grid points a task, from the shape alone; 0 where one thread is best."""
    ns, extent = kernel_ns(kernel), kernel.extent
    if ns < PARALLEL_NS or extent < 2:
        return 0
    tasks = int(min(MAX_CHUNKS, max(2.0, ns / CHUNK_NS), extent))
    chunk = -(-extent // tasks)
    step = kernel.grain if isinstance(kernel, RawKernel) else grain(kernel, host())
    if chunk >= 4096:  # whole cache lines, whole vectors
        step = math.lcm(step, 64) if step < 1024 else step
    chunk = -(-chunk // step) * step
    return chunk if chunk < extent else 0
