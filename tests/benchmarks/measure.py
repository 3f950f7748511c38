"""Measuring a program: workers started, asked in turns, compared.

A library's result is a plain dict (see `measure`), so that runs can be kept as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks.registry import load

ROOT = Path(__file__).parents[2]
SECONDS = 180
"""Longest wait for an answer."""
RANDOM = ("random", "permutation")
"""Groups whose numbers PyTorch draws in its own way."""


@dataclass(frozen=True)
class Options:
    """How much to measure: rounds of `seconds` each, warm starts, new shapes."""

    libraries: tuple[str, ...] = ("jaxlike", "jax")
    rounds: int = 6
    seconds: float = 0.12
    warm: int = 2
    shapes: int = 3
    module: str = "tests.benchmarks.programs"


class Failed(Exception):
    """A worker died, or took too long; the message is its last line."""


class Worker:
    """A process that runs one program on one library, and sleeps until asked."""

    def __init__(
        self, library: str, name: str, module: str, cache: str, seconds=SECONDS
    ):
        env = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONWARNINGS": "ignore"}
        # installed packages have their bytecode; so must ours
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        if cache:
            env["JAXLIKE_CACHE_DIR"] = f"{cache}/jaxlike"
        if cache and library == "jax" and os.path.isdir(f"{cache}/jax"):
            env["JAX_COMPILATION_CACHE_DIR"] = f"{cache}/jax"
            env["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
            env["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
        self.library, self.seconds = library, seconds
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.worker", library, module, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            text=True, cwd=ROOT, env=env,
        )  # fmt: skip
        self.started = self._read()

    def _read(self):
        ready, _, _ = select.select([self.process.stdout], [], [], self.seconds)
        line = self.process.stdout.readline() if ready else ""
        if line:
            return json.loads(line)
        self.process.kill()
        self.errors.seek(0)
        lines = self.errors.read().strip().splitlines() or ["no answer"]
        self.stop()
        named = [x for x in lines if re.match(r"[\w.]+(Error|Exception)\b", x)]
        raise Failed((named or lines)[-1] if ready else "no answer in time")

    def ask(self, method: str, *args):
        print(json.dumps([method, *args]), file=self.process.stdin, flush=True)
        return self._read()

    def stop(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def measure(name: str, options: Options) -> dict[str, dict]:
    """All numbers of a program, by library.

    cold, import, first: seconds to the first result; warm: the same with a filled
    cache; times: seconds a call; shapes: seconds to the result of new shapes; peak,
    total: bytes; same_bits: whether all runs gave the same bits; agrees: with jax; or
    error: why there is nothing.
    """
    out: dict[str, dict] = {library: {} for library in options.libraries}
    with tempfile.TemporaryDirectory() as cache:
        workers = {}
        for library in options.libraries:
            with _errors(out[library]):
                worker = Worker(library, name, options.module, cache)
                workers[library] = worker
                out[library] |= {**worker.started, "times": []}
        for _ in range(options.rounds):
            for library, worker in workers.items():
                if "error" not in out[library]:
                    with _errors(out[library]):
                        out[library]["times"] += worker.ask("round", options.seconds)
        results = {}
        for library, worker in workers.items():
            if "error" in out[library]:
                continue
            with _errors(out[library]):
                out[library] |= worker.ask("memory") or {}
                with tempfile.TemporaryDirectory(dir=cache) as folder:
                    worker.ask("save", folder)
                    results[library] = _load(folder)
                if not library.startswith("torch"):
                    out[library]["digests"] = worker.ask("digests")
                    out[library]["shapes"] = worker.ask("new_shapes", options.shapes)
            worker.stop()
        _warm_starts(name, options, cache, out)
    for library, result in out.items():
        digests = result.pop("digests", None)
        if digests:
            result["same_bits"] = len(set(digests)) == 1
        workload = load(options.module)[name]
        drawn = workload.group in RANDOM and library.startswith("torch")
        if library != "jax" and {library, "jax"} <= {*results} and not drawn:
            result["agrees"] = agreement(
                results[library], results["jax"], workload.rtol
            )
    return out


class _errors:
    """Note a failure in a result, and go on."""

    def __init__(self, result: dict):
        self.result = result

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, _) -> bool:
        if kind is not None and issubclass(kind, (Failed, OSError, ValueError)):
            self.result.setdefault("error", str(error)[:300])
            return True
        return False


def _warm_starts(name: str, options: Options, cache: str, out: dict) -> None:
    ours = [x for x in options.libraries if x in ("jaxlike", "jax")]
    if not options.warm:
        return
    # jax keeps nothing on disk unless told to: the first start with a folder fills it
    os.makedirs(f"{cache}/jax")
    for i in range(options.warm + 1):
        for library in ours:
            if i == 0 and library != "jax":
                continue
            with _errors(out[library]):
                worker = Worker(library, name, options.module, cache)
                if i:
                    warm = out[library].setdefault("warm", [])
                    warm.append(worker.started["cold"])
                    if library == "jaxlike":
                        out[library]["digests"] += worker.ask("digests")
                worker.stop()


def _load(folder: str) -> list[np.ndarray]:
    paths = sorted(Path(folder).glob("*.npy"), key=lambda p: int(p.stem))
    return [np.load(p) for p in paths]


def agreement(ours, theirs, rtol: float = 1e-3) -> str:
    """ "yes" if two libraries' results agree, element by element; or what differs.

    NaN must meet NaN and infinity the same infinity. Floats may differ by `rtol` of
    their own size and by a tenth of that of the root of the mean square; integers
    and booleans not at all.

    >>> agreement([np.array([1.0, np.nan])], [np.array([1.0, np.nan])])
    'yes'
    >>> agreement([np.array([1.0, np.nan])], [np.array([1.0, np.inf])])
    'result 0: NaN or infinity differ'
    """
    if len(ours) != len(theirs):
        return f"{len(ours)} results against {len(theirs)}"
    for i, (a, b) in enumerate(zip(ours, theirs)):
        where = f"result {i}: "
        if a.shape != b.shape:
            return f"{where}shape {a.shape} against {b.shape}"
        if a.dtype.kind in "biu" or b.dtype.kind in "biu":
            if np.any(a != b):
                return f"{where}{np.sum(a != b)} of {a.size} integers differ"
            continue
        wide = np.complex128 if a.dtype.kind == "c" else np.float64
        a, b = a.astype(wide), b.astype(wide)
        finite = np.isfinite(b)
        if np.any(np.isnan(a) != np.isnan(b)) or np.any(
            (a != b) & ~finite & ~np.isnan(b)
        ):
            return f"{where}NaN or infinity differ"
        a, b = a[finite], b[finite]
        if not b.size:
            continue
        size = np.abs(b) + 0.1 * np.sqrt(np.mean(np.abs(b) ** 2))
        error = np.max(np.abs(a - b) / np.where(size, size, 1))
        if not error <= rtol:
            return f"{where}off by {error:.1e} of its size"
    return "yes"
