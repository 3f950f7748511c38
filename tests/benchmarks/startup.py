"""jaxlike against jax, interleaved, each measurement in a process of its own.

    python -m tests.benchmarks.startup            # all, five rounds
    python -m tests.benchmarks.startup --only eager --rounds 9

Prints best and median of each and the ratio jaxlike / jax (below 1 is faster). Each
workload is one source text, with {jax} standing for the library.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_digits.py"

PRELUDE = """
import time; _start = time.perf_counter()
import {jax}
import {jax}.numpy as jnp
jax = {jax}
def best(fun, number, repeat=15):
    fun()
    out = []
    for _ in range(repeat):
        t = time.perf_counter()
        for _ in range(number):
            fun()
        out.append((time.perf_counter() - t) / number)
    return min(out)
"""

WORKLOADS = {
    "eager x + y, f32[10]": """
x, y = jnp.ones(10), jnp.ones(10)
result = best(lambda: x + y, 2000)
""",
    "eager x * 2.0, f32[10]": """
x = jnp.ones(10)
result = best(lambda: x * 2.0, 2000)
""",
    "eager jnp.sin(x), f32[10]": """
x = jnp.ones(10)
result = best(lambda: jnp.sin(x), 2000)
""",
    "eager x[2], f32[10]": """
x = jnp.ones(10)
result = best(lambda: x[2], 1000)
""",
    "jit call, one array": """
f = jax.jit(lambda x: x + 1)
x = jnp.ones(10)
result = best(lambda: f(x), 2000)
""",
    "jit call, three arrays": """
f = jax.jit(lambda x, y, z: x + y * z)
x = jnp.ones(10)
result = best(lambda: f(x, x, x), 2000)
""",
    "jit call, dict of 100 arrays": """
f = jax.jit(lambda d: {{k: v + 1 for k, v in d.items()}})
d = {{f"p{{i}}": jnp.ones(10) for i in range(100)}}
result = best(lambda: f(d), 200)
""",
    "import": "result = time.perf_counter() - _start",
    "trace a transformer's training step": """
from tests.benchmarks.transformer import make
step, args = make(jax, jnp)
jax.make_jaxpr(step)(*args)
def trace():
    jax.clear_caches()
    return jax.make_jaxpr(step)(*args)
result = best(trace, 1, 5)
""",
}


def python(code: str, env: dict[str, str]) -> float:
    code += "\nimport json; print('RESULT', json.dumps(result))"
    out = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        cwd=Path(__file__).parents[2],
    )
    if out.returncode:
        raise SystemExit(out.stderr[-3000:])
    line = next(s for s in out.stdout.splitlines() if s.startswith("RESULT"))
    return json.loads(line.removeprefix("RESULT "))


def first_step(library: str, env: dict[str, str]) -> float:
    """Seconds from the start of the process to the end of the first training step."""
    source = EXAMPLE.read_text()
    if library == "jax":
        source = source.replace("import jaxlike as jax", "import jax")
        source = source.replace("import jaxlike.numpy", "import jax.numpy")
        source = source.replace("from jaxlike import", "from jax import")
        source = source.replace("partial(jax.jit, backend=backend)", "jax.jit")
    # the interpreter's own start-up is the same for both and left out
    head = "from __future__ import annotations\n"
    code = source.replace(head, head + "import time; _start = time.perf_counter()\n")
    code = code.replace(
        "first_step = time.perf_counter()",
        "print('RESULT', time.perf_counter() - _start); raise SystemExit(0)",
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        env={**os.environ, **env},
    )  # fmt: skip
    line = [s for s in out.stdout.splitlines() if s.startswith("RESULT")]
    if not line:
        raise SystemExit(out.stderr[-3000:])
    return float(line[0].split()[1])


def measure(name: str, library: str, filled_cache: str | None = None) -> float:
    with tempfile.TemporaryDirectory() as cache:
        env = {"JAX_PLATFORMS": "cpu", "JAXLIKE_CACHE_DIR": filled_cache or cache}
        if name.startswith("first training step"):
            return first_step(library, env)
        return python((PRELUDE + WORKLOADS[name]).format(jax=library), env)


def unit(seconds: float) -> str:
    for scale, name in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= scale:
            return f"{seconds / scale:7.2f} {name}"
    return f"{seconds * 1e9:7.1f} ns"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="workloads whose name holds this")
    args = parser.parse_args()
    names = [
        *WORKLOADS,
        "first training step, digits CNN, empty cache",
        "first training step, digits CNN, filled cache",
    ]
    print(f"{'':46} {'jaxlike':>11} {'jax':>11}   ratio (best, median)")
    for name in names:
        if args.only not in name:
            continue
        with tempfile.TemporaryDirectory() as kept:
            cache = kept if name.endswith("filled cache") else None
            if cache:
                measure(name, "jaxlike", cache)
            ours, theirs = [], []
            for _ in range(args.rounds):
                ours.append(measure(name, "jaxlike", cache))
                theirs.append(measure(name, "jax", cache))
        best = min(ours) / min(theirs)
        median = statistics.median(ours) / statistics.median(theirs)
        print(
            f"{name:46} {unit(min(ours)):>11} {unit(min(theirs)):>11}   "
            f"{best:.2f}  {median:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
