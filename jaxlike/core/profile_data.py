"""A recorded profile as a file, and read back: Chrome's trace events, gzipped JSON.

Perfetto (ui.perfetto.dev), chrome://tracing and speedscope open it. The format:
"Trace Event Format", Google, complete events ("ph": "X"), times in microseconds.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jaxlike.core.recording import Event

PLANE = "/host:CPU"


def chrome_trace(events: Sequence[Event], start_ns: int, pid: int) -> dict[str, Any]:
    """The events as one JSON object of the trace event format."""
    threads = {
        name: i for i, name in enumerate(dict.fromkeys(e.thread for e in events))
    }
    rows: list[dict[str, Any]] = [
        {"ph": "M", "name": "process_name", "pid": pid, "args": {"name": PLANE}}
    ]
    rows += [
        {"ph": "M", "name": "thread_name", "pid": pid, "tid": t, "args": {"name": n}}
        for n, t in threads.items()
    ]
    rows += [
        {
            "ph": "X",
            "name": e.name,
            "cat": e.category,
            "pid": pid,
            "tid": threads[e.thread],
            "ts": (e.start_ns - start_ns) / 1e3,
            "dur": (e.end_ns - e.start_ns) / 1e3,
            "args": {k: _plain(v) for k, v in e.stats.items()},
        }
        for e in sorted(events, key=lambda e: e.start_ns)
    ]
    return {"displayTimeUnit": "ns", "traceEvents": rows}


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, float, str, bool)) else str(value)


@dataclass(frozen=True)
class ProfileEvent:
    """One event: name, start_ns, duration_ns, end_ns, stats as (name, value) pairs."""

    name: str
    start_ns: float
    duration_ns: float
    stats: tuple[tuple[str, Any], ...] = ()

    @property
    def end_ns(self) -> float:
        return self.start_ns + self.duration_ns


@dataclass
class ProfileLine:
    """The events of one thread, in order of their start."""

    name: str
    events: list[ProfileEvent] = field(default_factory=list)


@dataclass
class ProfilePlane:
    """The lines of one process."""

    name: str
    lines: list[ProfileLine] = field(default_factory=list)
    stats: tuple[tuple[str, Any], ...] = ()


class ProfileData:
    """A profile that `jaxlike.profiler` wrote, for programs to look at.

    >>> import glob, tempfile, jaxlike, jaxlike.numpy as jnp
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with jaxlike.profiler.trace(folder):
    ...         y = jaxlike.jit(jnp.sin)(1.0)
    ...     (path,) = glob.glob(folder + "/**/*.trace.json.gz", recursive=True)
    ...     data = jaxlike.profiler.ProfileData.from_file(path)
    >>> any("sin" in e.name for p in data.planes for l in p.lines for e in l.events)
    True
    """

    def __init__(self, planes: Sequence[ProfilePlane]):
        self._planes = list(planes)

    @property
    def planes(self) -> Iterator[ProfilePlane]:
        return iter(self._planes)

    def find_plane_with_name(self, name: str) -> ProfilePlane | None:
        """The plane of that name, or None."""
        return next((p for p in self._planes if p.name == name), None)

    @classmethod
    def from_file(cls, path: str | os.PathLike) -> ProfileData:
        """Read a `.trace.json.gz` (or the same unpacked).

        Raises:
          ValueError: for a file that is no such trace.
        """
        with open(path, "rb") as f:
            data = f.read()
        return cls.from_bytes(data, os.fspath(path))

    @classmethod
    def from_bytes(cls, data: bytes, source: str = "the profile") -> ProfileData:
        """As from_file, of the file's bytes."""
        try:
            if data[:2] == b"\x1f\x8b":
                data = gzip.decompress(data)
            rows = json.loads(data)["traceEvents"]
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{source} is not a trace that jaxlike.profiler wrote ({error}); "
                "try: a file that ends in .trace.json.gz"
            ) from error
        planes: dict[int, ProfilePlane] = {}
        lines: dict[tuple[int, int], ProfileLine] = {}
        for row in rows:
            plane = planes.setdefault(row["pid"], ProfilePlane(f"pid {row['pid']}"))
            if row["ph"] == "M" and row["name"] == "process_name":
                plane.name = row["args"]["name"]
                continue
            key = row["pid"], row.get("tid", 0)
            if key not in lines:
                lines[key] = ProfileLine(f"thread {key[1]}")
                plane.lines.append(lines[key])
            if row["ph"] == "M":
                lines[key].name = row["args"]["name"]
            elif row["ph"] == "X":
                stats = tuple(row.get("args", {}).items())
                lines[key].events.append(
                    ProfileEvent(row["name"], row["ts"] * 1e3, row["dur"] * 1e3, stats)
                )
        return cls(list(planes.values()))
