"""The benchmark programs on jaxlike and jax, interleaved, a process each.

python -m tests.benchmarks.run                   # steady state of all
python -m tests.benchmarks.run --only sort       # whose name or group holds this
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from tests.benchmarks.workloads import WORKLOADS

ROUND_SECONDS = 0.12


def ready(jax, out) -> None:
    for leaf in jax.tree.leaves(out):
        leaf.block_until_ready()


def work(name: str, library: str) -> None:
    """Serve one workload over standard input: each line asks for one round."""
    jax = importlib.import_module(library)
    fun, args = WORKLOADS[name].make(jax)
    start = time.perf_counter()
    out = fun(*args)
    ready(jax, out)
    first = time.perf_counter() - start
    total = [
        float(np.sum(np.abs(np.asarray(x, np.float64)), where=np.isfinite(x)))
        for x in jax.tree.leaves(out)
    ]
    print(json.dumps({"first": first, "sum": total}), flush=True)
    number = 1
    for line in sys.stdin:
        if line.strip() == "stop":
            return
        times = []
        end = time.perf_counter() + ROUND_SECONDS
        while time.perf_counter() < end:
            start = time.perf_counter()
            for _ in range(number):
                out = fun(*args)
            ready(jax, out)
            took = time.perf_counter() - start
            times.append(took / number)
            if took < 1e-4 and number < 1000:
                number *= 2
        print(json.dumps(times), flush=True)


class Worker:
    def __init__(self, name: str, library: str):
        code = "from tests.benchmarks.run import work; import sys; work(*sys.argv[1:])"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, name, library],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2], env={**os.environ, "JAX_PLATFORMS": "cpu"},
        )  # fmt: skip
        self.first = self.read()
        self.times: list[float] = []

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the worker died")
        return json.loads(line)

    def round(self) -> None:
        print("go", file=self.process.stdin, flush=True)
        self.times += self.read()

    def stop(self) -> None:
        print("stop", file=self.process.stdin, flush=True)
        self.process.wait()


def measure(name: str, rounds: int, libraries=("jaxlike", "jax")):
    workers = [Worker(name, library) for library in libraries]
    for _ in range(rounds):
        for w in workers:
            w.round()
    for w in workers:
        w.stop()
    return workers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    ratios = []
    print(f"{'':52} {'jaxlike ms':>11} {'jax ms':>9}   best  median  first call")
    for name, w in WORKLOADS.items():
        if args.only not in name and args.only not in w.group:
            continue
        try:
            ours, theirs = measure(name, args.rounds)
        except RuntimeError as e:
            print(f"{name:52} FAILED {e}", flush=True)
            continue
        best = min(ours.times) / min(theirs.times)
        median = statistics.median(ours.times) / statistics.median(theirs.times)
        ratios.append(best)
        same = np.allclose(ours.first["sum"], theirs.first["sum"], rtol=1e-3)
        print(
            f"{name:52} {min(ours.times) * 1e3:11.4f} {min(theirs.times) * 1e3:9.4f}   "
            f"{best:5.2f} {median:5.2f}   {ours.first['first']:.2f}/"
            f"{theirs.first['first']:.2f} {'' if same else 'DIFFERENT'}",
            flush=True,
        )
    print(f"geometric mean {math.exp(sum(map(math.log, ratios)) / len(ratios)):.3f}")


if __name__ == "__main__":
    main()
