"""All contact with llvmlite: IR text to object code, object code to addresses.

Public llvmlite interfaces: new pass manager, TargetMachine, ORC LLJIT (as fast as
Numba's own code library, without importing numba). One private touch, with a fall-back:
llvmlite takes a global lock around every call, so `emit` asks for the unlocked function
to let two threads generate code at once, each with its own context and machine.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections.abc import Sequence
from functools import lru_cache

import llvmlite
import llvmlite.binding as llvm
from llvmlite.binding import ffi

from jaxlike.backends.numba.target import Target, host

VERSION = f"{llvmlite.__version__}/{'.'.join(map(str, llvm.llvm_version_info))}"
_names = itertools.count()
_local = threading.local()


@lru_cache(1)
def _initialize() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def _machine(target: Target):
    machines = _local.__dict__.setdefault("machines", {})
    if target not in machines:
        machines[target] = new_machine(target)
    return machines[target]


def new_machine(target: Target):
    """A TargetMachine; one a thread."""
    _initialize()
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu,
        features=target.features,
        opt=2,
        jit=True,
        reloc="pic",
        codemodel="small",
    )


def parse(text: str, target: Target):
    """A module in a context of its own, helpers inlined."""
    machine = _machine(target)
    module = llvm.parse_assembly(text, context=llvm.create_context())
    module.triple = target.triple
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    builder = llvm.create_pass_builder(machine, options)
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, builder)
    return module


def compile_text(text: str, target: Target) -> bytes:
    """IR text to object code; the slow part runs outside llvmlite's lock."""
    module, machine = parse(text, target), _machine(target)
    emit = _unlocked("LLVMPY_TargetMachineEmitToMemory")
    if emit is None:
        return machine.emit_object(module)
    with ffi.OutputString() as error:
        buffer = emit(machine, module, 1, error)
        if not buffer:
            raise RuntimeError(str(error))
    try:
        start = ffi.lib.LLVMPY_GetBufferStart(buffer)
        return ctypes.string_at(start, ffi.lib.LLVMPY_GetBufferSize(buffer))
    finally:
        ffi.lib.LLVMPY_DisposeMemoryBuffer(buffer)


def _unlocked(name: str):
    # The ctypes function below llvmlite's locking wrapper, argument types already set
    try:
        return getattr(ffi.lib._lib_handle, name)
    except AttributeError:
        return None


def assembly(text: str, target: Target | None = None) -> str:
    """IR text to assembly, as it would be compiled for a machine."""
    target = target or host()
    if target != host():
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
    return _machine(target).emit_assembly(parse(text, target))


_link_lock = threading.Lock()


@lru_cache(1)
def _jit():
    _initialize()
    jit = llvm.create_lljit_compiler(new_machine(host()))
    _immortal.append(jit)
    return jit


_immortal: list = []


class Library:
    """Linked object code; addresses are valid as long as it lives."""

    def __init__(
        self,
        objects: Sequence[bytes],
        exports: Sequence[str],
        imports: dict[str, int] | None = None,
    ):
        builder = llvm.JITLibraryBuilder()
        for data in objects:
            builder.add_object_img(data)
        for name in exports:
            builder.export_symbol(name)
        for name, address in (imports or {}).items():
            builder.import_symbol(name, address)
        builder.add_current_process()
        with _link_lock:
            self._tracker = builder.link(_jit(), f"jaxlike{next(_names)}")
        self.addresses = {name: self._tracker[name] for name in exports}

    def keep_forever(self) -> None:
        """Never unload: for code that threads may be in when Python ends."""
        _immortal.append(self._tracker)
        self._tracker.detach()
