"""A process's resident memory, by Linux's /proc; None elsewhere.

Pages of files (the code of libraries, which processes share and which one library loads
on import and another when it first compiles) are told from a process's own.
"""

from __future__ import annotations


def _field(name: str) -> int | None:
    try:
        with open("/proc/self/status") as f:
            for line in f:
                if line.startswith(name):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def own() -> int:
    """Bytes of the process's own now."""
    return _field("RssAnon:") or 0


def peak() -> tuple[int, int] | None:
    """The most bytes since the last `reset_peak`: of the process's own, and in all."""
    total = _field("VmHWM:")
    return None if total is None else (total - (_field("RssFile:") or 0), total)


def reset_peak() -> None:
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
    except OSError:
        pass
