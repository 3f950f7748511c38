"""The thread's tracing state: which trace is current, and which axis names exist."""

from __future__ import annotations

import threading
from typing import Any


class State(threading.local):
    """What the thread is doing.

    trace: the current trace. axis_env: axis names in scope, and their sizes.
    source: where the equation being re-traced came from, if one is.
    """

    # the evaluation trace, put here by trace.py: every thread starts with it
    trace: Any = None
    axis_env: dict[Any, int] = {}
    source: Any = None


state = State()
