"""What a profile is made of: events of the thread that ran them, with times.

Off, it costs one look at `active`. `jaxlike.profiler` switches it on and writes the
file; compilers and programs add their events.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Event(NamedTuple):
    """Something that ran from start to end, in nanoseconds of `time.perf_counter`."""

    name: str
    category: str
    thread: str
    start_ns: int
    end_ns: int
    stats: dict[str, Any]


class Recorder:
    """Collects events; appending to a list is safe among threads."""

    def __init__(self) -> None:
        self.start_ns = time.perf_counter_ns()
        self.events: list[Event] = []
        self.programs = True  # whether programs record their kernels

    def add(
        self, name: str, category: str, start_ns: int, end_ns: int, **stats: Any
    ) -> None:
        thread = threading.current_thread().name
        self.events.append(Event(name, category, thread, start_ns, end_ns, stats))


active: Recorder | None = None
"""The recorder of the trace that runs, if one does."""


@contextmanager
def recorded(name: str, category: str, **stats: Any) -> Iterator[None]:
    """Record what happens inside, where a trace runs."""
    recorder = active
    if recorder is None:
        yield
        return
    start = time.perf_counter_ns()
    try:
        yield
    finally:
        recorder.add(name, category, start, time.perf_counter_ns(), **stats)
