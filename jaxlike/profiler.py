"""Where the time goes: traces of what runs, and the memory that arrays hold.

A trace holds compilations, runs of compiled programs with every kernel and library
call in them, and the user's annotations. Programs are run kernel by kernel while one
is recorded, so very small ones look slower than they are.
"""

from __future__ import annotations

import functools
import gzip
import json
import os
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

from jaxlike.core import recording, tree
from jaxlike.core.array import to_buffer
from jaxlike.core.errors import format_error
from jaxlike.core.pprof import memory_profile
from jaxlike.core.profile_data import ProfileData as ProfileData
from jaxlike.core.profile_data import ProfileEvent as ProfileEvent
from jaxlike.core.profile_data import ProfilePlane as ProfilePlane
from jaxlike.core.profile_data import chrome_trace
from jaxlike.core.recording import Recorder
from jaxlike.transforms.stages import Compiled
from jaxlike.transforms.transfer import live_arrays

__all__ = [
    "ProfileData",
    "ProfileEvent",
    "ProfileOptions",
    "ProfilePlane",
    "StepTraceAnnotation",
    "TraceAnnotation",
    "annotate_function",
    "device_memory_profile",
    "measure",
    "register_subprocess",
    "save_device_memory_profile",
    "start_server",
    "start_trace",
    "stop_server",
    "stop_trace",
    "trace",
]


@dataclass
class ProfileOptions:
    """How much a trace records.

    host_tracer_level: 0 leaves out programs and their kernels, 1 and more records
    them. duration_ms: end by itself after so long (0: never). session_id: the name of
    the folder, in place of the time. The rest is taken and has no meaning here.
    """

    host_tracer_level: int = 2
    python_tracer_level: int = 0
    duration_ms: int = 0
    session_id: str = ""
    advanced_configuration: dict[str, Any] | None = None
    enable_hlo_proto: bool = True
    include_dataset_ops: bool = False
    raise_error_on_start_failure: bool = False
    repository_path: str = ""
    start_timestamp_ns: int = 0


@dataclass
class _Session:
    folder: Path
    recorder: Recorder
    perfetto: bool


_session: _Session | None = None
_lock = threading.Lock()


def start_trace(
    log_dir: os.PathLike | str,
    create_perfetto_link: bool = False,
    create_perfetto_trace: bool = False,
    profiler_options: ProfileOptions | None = None,
) -> None:
    """Start recording; `stop_trace` writes the file.

    Args:
      log_dir: the folder; the file goes to plugins/profile/TIME/HOST.trace.json.gz in
        it, in Chrome's trace event format.
      create_perfetto_link: print, when it stops, where to open the file.
      create_perfetto_trace: write perfetto_trace.json.gz beside it (the same events).
      profiler_options: a ProfileOptions.
    Raises:
      RuntimeError: when a trace runs already.

    >>> import tempfile, jaxlike
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     jaxlike.profiler.start_trace(folder)
    ...     jaxlike.profiler.stop_trace()
    """
    global _session
    options = profiler_options or ProfileOptions()
    with _lock:
        if _session is not None:
            raise RuntimeError(
                format_error(
                    "a trace is being recorded already: one runs at a time",
                    [f"into {_session.folder}"],
                    try_="jaxlike.profiler.stop_trace() first",
                )
            )
        name = options.session_id or time.strftime("%Y_%m_%d_%H_%M_%S")
        folder = Path(log_dir) / "plugins" / "profile" / name
        folder.mkdir(parents=True, exist_ok=True)
        recorder = Recorder()
        recorder.programs = options.host_tracer_level > 0
        perfetto = create_perfetto_trace or create_perfetto_link
        _session = _Session(folder, recorder, perfetto)
        recording.active = recorder
    if options.duration_ms:
        timer = threading.Timer(options.duration_ms / 1e3, _stop, [recorder])
        timer.daemon = True
        timer.start()
    if create_perfetto_link:
        print(f"After stop_trace, open {folder} at https://ui.perfetto.dev")


def stop_trace() -> None:
    """End the recording and write it.

    Raises:
      RuntimeError: when none runs.
    """
    if not _stop(None):
        raise RuntimeError(
            format_error(
                "no trace is being recorded",
                try_="jaxlike.profiler.start_trace(folder) before",
            )
        )


def _stop(expected: Recorder | None) -> bool:
    """End the trace of this recorder, or whichever runs; whether there was one."""
    global _session
    with _lock:
        session = _session
        if session is None or expected not in (None, session.recorder):
            return False
        _session, recording.active = None, None
    data = _serialized(session.recorder)
    (session.folder / f"{socket.gethostname()}.trace.json.gz").write_bytes(data)
    if session.perfetto:
        (session.folder / "perfetto_trace.json.gz").write_bytes(data)
    return True


def _serialized(recorder: Recorder) -> bytes:
    trace = chrome_trace(list(recorder.events), recorder.start_ns, os.getpid())
    return gzip.compress(json.dumps(trace).encode(), mtime=0)


@contextmanager
def trace(
    log_dir: os.PathLike | str,
    create_perfetto_link: bool = False,
    create_perfetto_trace: bool = False,
    profiler_options: ProfileOptions | None = None,
) -> Iterator[None]:
    """Record what happens inside; see `start_trace` for the arguments.

    >>> import os, tempfile, jaxlike, jaxlike.numpy as jnp
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with jaxlike.profiler.trace(folder):
    ...         y = jaxlike.jit(lambda x: x + 1)(jnp.ones(3))
    ...     os.listdir(folder)
    ['plugins']
    """
    start_trace(log_dir, create_perfetto_link, create_perfetto_trace, profiler_options)
    try:
        yield
    finally:
        _stop(None)


class TraceAnnotation(ContextDecorator):
    """Names a stretch of Python in the trace; keyword arguments become its stats.

    >>> import jaxlike
    >>> with jaxlike.profiler.TraceAnnotation("load", batch=3):
    ...     pass
    """

    def __init__(self, name: str, **stats: Any):
        self.name, self.stats = name, stats
        self._starts: list[int] = []

    @staticmethod
    def is_enabled() -> bool:
        """Whether a trace is being recorded."""
        return recording.active is not None

    def set_metadata(self, **stats: Any) -> None:
        """Add stats before the end."""
        self.stats.update(stats)

    def __enter__(self):
        self._starts.append(time.perf_counter_ns())
        return self

    def __exit__(self, *_) -> None:
        start, recorder = self._starts.pop(), recording.active
        if recorder is not None:
            end = time.perf_counter_ns()
            recorder.add(self.name, "annotation", start, end, **self.stats)


class StepTraceAnnotation(TraceAnnotation):
    """Names a training step; give its number as `step_num`.

    >>> import jaxlike
    >>> for i in range(2):
    ...     with jaxlike.profiler.StepTraceAnnotation("train", step_num=i):
    ...         pass
    """


def annotate_function(
    func: Callable, name: str | None = None, **decorator_kwargs: Any
) -> Callable:
    """The function, named in the trace whenever it runs.

    >>> import jaxlike
    >>> @jaxlike.profiler.annotate_function
    ... def load():
    ...     return 1
    >>> load()
    1
    """
    label = name or getattr(func, "__qualname__", repr(func))

    @functools.wraps(func)
    def annotated(*args, **kwargs):
        with TraceAnnotation(label, **decorator_kwargs):
            return func(*args, **kwargs)

    return annotated


def measure(compiled: Compiled, *args: Any, rounds: int = 10, **kwargs: Any) -> Any:
    """The plan of a compiled function, with the time that each of its steps takes.

    Args:
      compiled: what `jit(f).lower(*args).compile()` returns.
      args, kwargs: what to call it with.
      rounds: how often; the best time of each step counts.
    Returns:
      A plan, as `compiled.plan()`, whose steps have `seconds`; print it for a table.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> x = jnp.ones((4, 4))
    >>> compiled = jaxlike.jit(jnp.tanh).lower(x).compile()
    >>> plan = jaxlike.profiler.measure(compiled, x)
    >>> plan.steps[0].primitives, plan.steps[0].seconds > 0
    (('tanh',), True)
    """
    compiled(*args, **kwargs)  # raises for arguments that do not fit
    executable = compiled._executable
    buffers = executable.consts + [to_buffer(x) for x in tree.leaves((args, kwargs))]
    program = executable.run
    best = [float("inf")] * len(program.plan().steps)
    for _ in range(max(1, rounds)):
        _, seconds = program.profiled().run(buffers, None)
        best = [min(pair) for pair in zip(best, seconds)]
    return program.plan().timed(best)


def device_memory_profile(backend: str | None = None) -> bytes:
    """The arrays that are alive, by type, as a gzipped pprof profile.

    >>> import jaxlike
    >>> jaxlike.profiler.device_memory_profile()[:2] == b"\\x1f\\x8b"
    True
    """
    return memory_profile(live_arrays(backend))


def save_device_memory_profile(
    filename: os.PathLike | str, backend: str | None = None
) -> None:
    """Write `device_memory_profile` to a file, for `go tool pprof`."""
    Path(filename).write_bytes(device_memory_profile(backend))


# --- a server that records on demand

_subprocesses: dict[int, int] = {}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        request = urlparse(self.path)
        if request.path != "/trace":
            self.send_error(404, "ask for /trace?seconds=2")
            return
        query = parse_qs(request.query)
        try:
            seconds = float(query.get("seconds", ["2"])[0])
        except ValueError:
            self.send_error(400, "seconds is to be a number")
            return
        data = _record(seconds, "alone" not in query)
        if data is None:
            self.send_error(409, "a trace is being recorded already")
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_) -> None:
        pass


def _record(seconds: float, with_subprocesses: bool) -> bytes | None:
    """A trace of the next seconds, this process's and its subprocesses'."""
    with _lock:
        if recording.active is not None:
            return None
        recorder = recording.active = Recorder()
    others: list[bytes] = []

    def fetch(port: int) -> None:
        url = f"http://localhost:{port}/trace?seconds={seconds}&alone=1"
        try:
            with urllib.request.urlopen(url, timeout=seconds + 10) as reply:
                others.append(reply.read())
        except OSError:
            pass  # it may have ended since

    threads = []
    if with_subprocesses:
        threads = [
            threading.Thread(target=fetch, args=(port,), daemon=True)
            for port in _subprocesses.values()
        ]
    for t in threads:
        t.start()
    time.sleep(seconds)
    with _lock:
        recording.active = None
    for t in threads:
        t.join()
    whole = chrome_trace(list(recorder.events), recorder.start_ns, os.getpid())
    for data in others:
        whole["traceEvents"] += json.loads(gzip.decompress(data))["traceEvents"]
    return gzip.compress(json.dumps(whole).encode(), mtime=0)


class _Server:
    """What start_server returns; keep it while the server is wanted."""

    def __init__(self, port: int):
        self._http = ThreadingHTTPServer(("localhost", port), _Handler)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


_server: _Server | None = None


def start_server(port: int, requires_backend: bool = True) -> _Server:
    """Serve traces on demand: http://localhost:PORT/trace?seconds=2 records for two
    seconds and answers with a .trace.json.gz. (JAX's server speaks TensorBoard's
    protocol instead.)

    Args:
      port: where; 0 picks a free one, which the result's `port` tells.
      requires_backend: taken for JAX's sake.
    Raises:
      RuntimeError: when a server runs already. OSError: when the port is taken.
    """
    global _server
    if _server is not None:
        raise RuntimeError(
            format_error(
                f"a profiler server runs already, on port {_server.port}",
                try_="jaxlike.profiler.stop_server() first",
            )
        )
    _server = _Server(port)
    return _server


def stop_server() -> None:
    """Stop the server.

    Raises:
      RuntimeError: when none runs.
    """
    global _server
    if _server is None:
        raise RuntimeError(
            format_error(
                "no profiler server runs",
                try_="jaxlike.profiler.start_server(port) before",
            )
        )
    _server.stop()
    _server = None


def register_subprocess(pid: int, port: int) -> Callable[[], None]:
    """Have the server's traces include a subprocess, whose own server is at `port`.

    Returns:
      A function that takes it off again.
    """
    _subprocesses[pid] = port
    return lambda: _subprocesses.pop(pid, None) and None
