"""One library running one program, in a process of its own.

    python -m tests.benchmarks.worker LIBRARY MODULE PROGRAM

Answers requests, a line of JSON each, on standard input; in between it sleeps. The
first answer, without a request, comes after the first result. The clock of the cold
start begins here, before anything but the interpreter is loaded, and stands still while
arguments are drawn.
"""

from __future__ import annotations

import time

START = time.perf_counter()

CALLS = 1024
"""Most calls timed as one, for programs of microseconds."""
BATCH_SECONDS = 2e-4


class Bench:
    """A program on a library: each method answers a request with plain data."""

    def __init__(self, library: str, module: str, name: str):
        base = library.split(".")[0]
        lib = __import__(base)
        if base != "torch":
            __import__(f"{base}.numpy")
        imported = time.perf_counter()
        from tests.benchmarks import memory  # a little of its own, not counted

        self.imported_bytes = memory.own()
        from tests.benchmarks.registry import drawing, load

        programs = load(module)
        self.lib, self.convert = lib, None
        self.workload = programs[name]
        start, drew = time.perf_counter(), drawing.seconds
        if base == "torch":
            self._make_torch(name, library)
        else:
            self.fun, self.args = self.workload.make(lib)
        made = time.perf_counter() - start - (drawing.seconds - drew)
        memory.reset_peak()
        self.ready(self.args)
        start = time.perf_counter()
        self.first = self.last = self.fun(*self.args)
        self.ready(self.first)
        call = time.perf_counter() - start
        self.number = 0
        self.started = {
            "import": imported - START,
            "first": made + call,
            "cold": imported - START + made + call,
        }

    def _make_torch(self, name: str, library: str) -> None:
        import torch

        from tests.benchmarks.torch_workloads import TORCH

        compiled = torch.compile if library == "torch.compile" else lambda f: f
        self.fun, self.args, *rest = TORCH[name](compiled)
        self.convert = rest[0] if rest else None

    def ready(self, out) -> None:
        from tests.benchmarks.registry import leaves

        for leaf in leaves(out):
            if hasattr(leaf, "block_until_ready"):
                leaf.block_until_ready()

    def _time(self, number: int) -> float:
        # else an asynchronous library has dropped it when it comes to allocate, and
        # only the others would hold two results at the peak
        self.last = None
        start = time.perf_counter()
        for _ in range(number):
            self.last = self.fun(*self.args)
        self.ready(self.last)
        return time.perf_counter() - start

    def round(self, seconds: float) -> list[float]:
        """Seconds a call, some samples."""
        if not self.number:
            self.number = 1
            while self._time(self.number) < BATCH_SECONDS and self.number < CALLS:
                self.number *= 2
        times, end = [], time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            times.append(self._time(self.number) / self.number)
        return times

    def memory(self) -> dict[str, int] | None:
        """Bytes at the peak since the arguments were made: `total`, all of the process;
        `peak`, its own without what it had after the import."""
        from tests.benchmarks import memory

        peak = memory.peak()
        if peak is None:
            return None
        own, total = peak
        return {"total": total, "peak": own - self.imported_bytes}

    def new_shapes(self, count: int) -> list[float]:
        """Seconds to the result for shapes not met before."""
        times = []
        for k in range(1, count + 1):
            args = [
                self._shorter(a, k) if i in self.workload.cut else a
                for i, a in enumerate(self.args)
            ]
            self.ready(args)
            start = time.perf_counter()
            self.ready(self.fun(*args))
            times.append(time.perf_counter() - start)
        return times

    def _shorter(self, tree, k: int):
        """The arrays without k eighths of their rows."""
        import numpy as np

        asarray = __import__(f"{self.lib.__name__}.numpy", fromlist=["x"]).asarray

        def shorter(x):
            x = np.asarray(x)
            rows = len(x) - max(1, len(x) // 8) * k if x.ndim else 0
            return asarray(x[:rows]) if x.ndim else asarray(x)

        return self.lib.tree.map(shorter, tree)

    def results(self) -> list:
        """The first results as arrays."""
        import numpy as np

        from tests.benchmarks.registry import leaves

        out = self.first if self.convert is None else self.convert(self.first)
        plain = [x.detach() if hasattr(x, "detach") else x for x in leaves(out)]
        return [np.asarray(x) for x in plain]

    def save(self, folder: str) -> None:
        """The first results as files."""
        from pathlib import Path

        import numpy as np

        for i, x in enumerate(self.results()):
            np.save(Path(folder) / f"{i}.npy", x, allow_pickle=False)

    def digests(self) -> list[str]:
        """Hashes of the bits of the first results and of the latest."""
        import hashlib

        import numpy as np

        from tests.benchmarks.registry import leaves

        def digest(out) -> str:
            h = hashlib.blake2b(digest_size=16)
            for x in leaves(out):
                h.update(np.ascontiguousarray(x).tobytes())
            return h.hexdigest()

        return [digest(self.first), digest(self.last)]


def serve() -> None:
    import json
    import os
    import sys

    # what a library prints must not come between the answers
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    bench = Bench(*sys.argv[1:4])
    print(json.dumps(bench.started), file=answers, flush=True)
    for line in sys.stdin:
        method, *args = json.loads(line)
        print(json.dumps(getattr(bench, method)(*args)), file=answers, flush=True)


if __name__ == "__main__":
    serve()
