"""The benchmark programs on jaxlike and its peers, interleaved, a process each.

    python -m tests.benchmarks.run                     # everything, half an hour
    python -m tests.benchmarks.run --quick             # against jax only, 6 minutes
    python -m tests.benchmarks.run --only sort         # whose name or group holds this
    python -m tests.benchmarks.run --json now.json --readme --plot ratios.png
    python -m tests.benchmarks.run --from now.json     # the tables again, unmeasured

Ratios are jaxlike's number over jax's. best, median: steady state; torch: against the
better of PyTorch eager and torch.compile; cold: to the first result in a new process
with an empty cache, import included; warm: the same with a filled cache (jax's too);
shape: to the result for a new shape; peak: most memory, beyond
what the import takes and the pages of libraries.
"""

from __future__ import annotations

import argparse
import compileall
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.measure import ROOT, Options, measure
from tests.benchmarks.registry import load
from tests.benchmarks.report import (
    between_marks,
    head_line,
    line,
    markdown,
    rows,
    summary,
)

PEERS = ("jax", "torch", "torch.compile")


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--only", default="", help="programs whose name or group holds this")
    add("--peers", help=f"of {','.join(PEERS)}; default: those installed")
    add("--rounds", type=int, help="rounds in turn (default 6)")
    add("--quick", action="store_true", help="jax only, fewer and shorter rounds")
    add("--json", type=Path, help="keep the results here, beside what it holds already")
    add("--from", type=Path, dest="kept", help="results to show instead of measuring")
    add("--markdown", type=Path, help="write the tables here, between the marks if any")
    add("--readme", action="store_true", help="write the tables into README.md")
    add("--plot", type=Path, help="draw the ratios")
    return parser.parse_args(words)


def options(args: argparse.Namespace) -> Options:
    names = args.peers.split(",") if args.peers else PEERS[: 1 if args.quick else None]
    unknown = [n for n in names if n not in PEERS]
    if unknown:
        raise SystemExit(f"no peer {', '.join(unknown)}; there are {', '.join(PEERS)}")
    peers = [n for n in names if importlib.util.find_spec(n.split(".")[0])]
    if args.quick:
        return Options(("jaxlike", *peers), args.rounds or 3, 0.06, 1, 1)
    return Options(("jaxlike", *peers), args.rounds or 6)


def machine(libraries: tuple[str, ...]) -> dict:
    cpu = platform.processor() or platform.machine()
    try:
        text = Path("/proc/cpuinfo").read_text()
        cpu = text.split("model name")[1].split("\n")[0].strip(" \t:")
    except (OSError, IndexError):
        pass
    names = dict.fromkeys(name.split(".")[0] for name in libraries if name != "jaxlike")
    versions = {name: importlib.metadata.version(name) for name in names}
    return {
        "cpu": cpu,
        "cpus": len(os.sched_getaffinity(0))
        if sys.platform == "linux"
        else os.cpu_count(),
        "python": platform.python_version(),
        "versions": versions,
    }


def libraries_for(name: str, chosen: Options) -> Options:
    """The options without PyTorch, for a program that it does not have."""
    rest = tuple(x for x in chosen.libraries if not x.startswith("torch"))
    if rest != chosen.libraries:
        from tests.benchmarks.torch_workloads import TORCH

        if name not in TORCH:
            return replace(chosen, libraries=rest)
    return chosen


def run(args: argparse.Namespace) -> dict:
    chosen = options(args)
    for folder in ("jaxlike", "transforms", "backends", "tests/benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=2)
    out = {"machine": machine(chosen.libraries), "programs": {}}
    if args.json and args.json.exists():
        out["programs"] = json.loads(args.json.read_text())["programs"]
    print(head_line())
    measured = {}
    for name, w in load(chosen.module).items():
        if args.only not in name and args.only not in w.group:
            continue
        found = {
            "group": w.group,
            "libraries": measure(name, libraries_for(name, chosen)),
        }
        out["programs"][name] = measured[name] = found
        print(line(*rows({"programs": {name: found}})), flush=True)
        if args.json:
            args.json.write_text(json.dumps(out, indent=1))
    print(summary(rows({"programs": measured})))
    return out


def main() -> None:
    args = arguments()
    if args.kept:
        out = json.loads(args.kept.read_text())
        print(head_line(), *map(line, rows(out)), summary(rows(out)), sep="\n")
    else:
        out = run(args)
    if args.markdown:
        new = markdown(out)
        if args.markdown.exists():
            new = between_marks(args.markdown.read_text(), new)
        args.markdown.write_text(new)
    if args.readme:
        readme = ROOT / "README.md"
        readme.write_text(between_marks(readme.read_text(), markdown(out)))
    if args.plot:
        from tests.benchmarks.plot import plot

        plot(rows(out), args.plot)


if __name__ == "__main__":
    main()
