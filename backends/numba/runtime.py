"""The native runtime: a thread pool, the run list's interpreter, calls from Python.

Hand-written LLVM IR, compiled once and kept in the store. Kernels have the signature
void(ptr table, i64 lo, i64 hi).

Pool: workers spin for some microseconds, then sleep on a condition variable. A parallel
call publishes (fn, table, n, chunk), takes chunks itself, closes the job and waits for
the workers that are inside; sleepers that wake too late find it closed, so a busy
machine costs little. Chunks come from the shape alone; who computes which does not
matter to the result. Only one job runs at a time: a second caller (another Python
thread, or a kernel inside a kernel) runs its chunks itself. After a fork the child has
no workers and runs serially. A fork-join costs 0.2 us while the workers spin, a seventh
of OpenMP's 1.7 us, and it needs no library and no environment variables, and survives
forks.

Loops that may take long call `poll` now and then. It lets Python handle signals; where
that raises (Ctrl-C), the loop ends early, in the pool's workers as well, and the call
raises. So no result of a stopped loop is ever seen.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

EXPORTS = (
    *("workers", "pool.start", "pool.forget", "execute", "poll"),
    *("py.kernel", "py.staged", "py.program"),
)
_PTHREADS = os.name == "posix"
_C_NAMES = (
    *("pthread_mutex_init", "pthread_mutex_lock", "pthread_mutex_unlock"),
    *("pthread_cond_init", "pthread_cond_wait", "pthread_cond_broadcast"),
    *("pthread_create", "pthread_detach", "sched_yield"),
    *("pthread_attr_init", "pthread_attr_setstacksize"),
)
_PYTHON_NAMES = (
    *("PyLong_AsVoidPtr", "PyErr_Occurred", "PyErr_SetString", "PyObject_IsInstance"),
    *("PyEval_SaveThread", "PyEval_RestoreThread", "Py_IncRef"),
    *("PyErr_CheckSignals", "PyGILState_Ensure", "PyGILState_Release"),
    "PyGILState_GetThisThreadState",
)


def imports() -> dict[str, int]:
    """Addresses of what the runtime calls."""
    # Windows has no pthreads: nothing calls them, there being no pool (thread_count)
    process = ctypes.CDLL(None) if _PTHREADS else ctypes.pythonapi
    c_names = {name: name if _PTHREADS else "Py_IncRef" for name in _C_NAMES}
    found = {name: _address(process, stand_in) for name, stand_in in c_names.items()}
    found |= {name: _address(ctypes.pythonapi, name) for name in _PYTHON_NAMES}
    found["_Py_NoneStruct"] = id(None)
    error = ctypes.c_void_p.in_dll(ctypes.pythonapi, "PyExc_TypeError")
    found["PyExc_TypeError"] = ctypes.addressof(error)
    return found


def _address(library, name: str) -> int:
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value


class Step(NamedTuple):
    """A kernel's function run on slots: points 0..extent, `chunk` a task (0:
    serial)."""

    address: int
    slots: Sequence[int]
    extent: int
    chunk: int


ABSOLUTE, SCRATCH = -1, -2
"""Bases of slots that lie at an address, or in scratch memory on the stack."""


class Layout:
    """Memory that tells a native run its steps; keep it alive.

    Slots are the `arrays` of a call, then one for each (base, offset) of `rest`: base
    is an earlier slot, ABSOLUTE or SCRATCH.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        arrays: int,
        rest: Sequence[tuple[int, int]],
        scratch_bytes: int,
        release_gil: bool,
    ):
        flat = np.array([slot for s in steps for slot in s.slots], np.int64)
        table = np.zeros((len(steps), 5), np.int64)
        at = flat.ctypes.data
        for row, s in zip(table, steps):
            row[:] = (s.address, len(s.slots), at, s.extent, s.chunk)
            at += 8 * len(s.slots)
        starts = np.array(rest, np.int64).reshape(-1, 2)
        header = object.__basicsize__
        self._program = np.array(
            [
                len(steps),
                table.ctypes.data,
                arrays + len(rest),
                arrays,
                max((len(s.slots) for s in steps), default=1) or 1,
                bool(release_gil),
                starts.ctypes.data,
                id(np.ndarray),
                # an object's type is the last word of its header, an array's data
                # pointer the first word after it
                header - ctypes.sizeof(ctypes.c_void_p),
                header,
                max(1, scratch_bytes),
            ],
            np.int64,
        )
        self._keep = flat, table, starts
        self.address = self._program.ctypes.data


class _MethodDef(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


class _Held(int):
    """An address that keeps alive what lies there."""

    keep: object


def _held(address: int, keep: object) -> _Held:
    held = _Held(address)
    held.keep = keep
    return held


class Runtime:
    """The linked runtime; see `get`."""

    def __init__(self, library):
        self.library = library
        at = library.addresses
        self._workers = ctypes.c_int64.from_address(at["workers"])
        self._start = ctypes.CFUNCTYPE(None, ctypes.c_int64)(at["pool.start"])
        self._forget = ctypes.CFUNCTYPE(None)(at["pool.forget"])
        METH_FASTCALL, METH_O = 0x80, 0x08
        self._kernel = _MethodDef(b"kernel", at["py.kernel"], METH_O, None)
        self._staged = _MethodDef(b"kernel", at["py.staged"], METH_O, None)
        self._program = _MethodDef(b"program", at["py.program"], METH_FASTCALL, None)
        new = ctypes.pythonapi.PyCFunction_NewEx
        new.restype = ctypes.py_object
        new.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]
        self._new = new
        self._lock = threading.Lock()
        self._pid = None

    def kernel_caller(self, record: int, keep: object):
        """A builtin f(pointer table) for the record (fn, n, chunk, release GIL).

        keep: what has to live as long as the builtin does, here and below.
        """
        return self._new(ctypes.addressof(self._kernel), _held(record, keep), None)

    def staged_caller(self, layout: Layout, keep: object):
        """A builtin f(pointer table) for a Layout whose arrays the table holds."""
        held = _held(layout.address, (layout, keep))
        return self._new(ctypes.addressof(self._staged), held, None)

    def program_caller(self, layout: Layout, keep: object):
        """A builtin f(*arrays) that executes a Layout."""
        held = _held(layout.address, (layout, keep))
        return self._new(ctypes.addressof(self._program), held, None)

    def start_pool(self) -> None:
        """Start the workers, once; they are one fewer than the threads."""
        if self._pid is not None:
            return
        with self._lock:
            if self._pid is None:
                workers = thread_count() - 1
                if workers > 0:
                    self._start(workers)
                self._pid = os.getpid()

    def forget_pool(self) -> None:
        """In a forked child: no workers."""
        self._forget()

    @property
    def workers(self) -> int:
        """Running worker threads."""
        return self._workers.value


def thread_count() -> int:
    """Threads a kernel may use: JAXLIKE_NUM_THREADS, OMP_NUM_THREADS or all cores."""
    if not _PTHREADS:
        return 1
    for name in ("JAXLIKE_NUM_THREADS", "OMP_NUM_THREADS"):
        word = os.environ.get(name, "").split(",")[0].strip()
        if word.isdigit() and int(word) > 0:
            return int(word)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
