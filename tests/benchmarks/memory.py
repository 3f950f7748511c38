"""A process's resident memory, by Linux's /proc; None elsewhere."""

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


def resident() -> int:
    """Bytes now."""
    return _field("VmRSS:") or 0


def peak() -> int | None:
    """The most bytes since the last `reset_peak`, or since the start."""
    return _field("VmHWM:")


def reset_peak() -> None:
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
    except OSError:
        pass
