"""Results as ratios, tables and the targets they are held to.

A run is {"machine": {...}, "programs": {name: {"group": ..., "libraries": measure()}}}.
Every ratio is jaxlike's number over a peer's: below 1, jaxlike is better.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

TORCH = ("torch", "torch.compile")


class Row(NamedTuple):
    """A program's ratios; None where one side has no number."""

    name: str
    group: str
    ours: float | None
    theirs: float | None
    best: float | None
    median: float | None
    torch: float | None
    cold: float | None
    warm: float | None
    shape: float | None
    peak: float | None
    remarks: tuple[str, ...]


def ratio(ours: float | None, theirs: float | None) -> float | None:
    return ours / theirs if ours and theirs else None


def _of(result: dict, key: str, how: Callable) -> float | None:
    values = result.get(key)
    return how(values) if values else None


def rows(run: dict) -> list[Row]:
    """The programs' ratios, groups together."""
    out = []
    for name, program in run["programs"].items():
        libraries = program["libraries"]
        us, jax = libraries.get("jaxlike", {}), libraries.get("jax", {})
        torch = [_of(libraries.get(t, {}), "times", min) for t in TORCH]
        torch = [t for t in torch if t]

        def compare(key: str, how: Callable, us=us, jax=jax) -> float | None:
            return ratio(_of(us, key, how), _of(jax, key, how))

        ours = _of(us, "times", min)
        remarks = [f"{k}: {v['error']}" for k, v in libraries.items() if "error" in v]
        remarks += [
            f"{k} differs from jax: {v['agrees']}"
            for k, v in libraries.items()
            if v.get("agrees", "yes") != "yes"
        ]
        if us.get("same_bits") is False:
            remarks.append("jaxlike's bits differ from run to run")
        out.append(
            Row(
                name,
                program["group"],
                ours,
                _of(jax, "times", min),
                compare("times", min),
                compare("times", statistics.median),
                ratio(ours, min(torch)) if torch else None,
                ratio(us.get("cold"), jax.get("cold")),
                compare("warm", min),
                compare("shapes", min),
                ratio(us.get("peak"), jax.get("peak")),
                tuple(remarks),
            )
        )
    order = list(dict.fromkeys(r.group for r in out))
    return sorted(out, key=lambda r: order.index(r.group))


def geometric_mean(values: Iterable[float | None]) -> float | None:
    """
    >>> round(geometric_mean([0.5, None, 2.0]), 3)
    1.0
    """
    logs = [math.log(v) for v in values if v]
    return math.exp(sum(logs) / len(logs)) if logs else None


# --- targets


class Target(NamedTuple):
    """What must hold of a number of some rows: each of them, or their mean, at most."""

    what: str
    at_most: float
    field: str
    chosen: Callable[[Row], bool]
    mean: bool = False


def _group(*groups: str) -> Callable[[Row], bool]:
    return lambda row: row.group in groups


def _named(word: str) -> Callable[[Row], bool]:
    return lambda row: word in row.name


def _all(row: Row) -> bool:
    return True


TARGETS = (
    Target("steady state, geometric mean of all", 0.5, "best", _all, mean=True),
    Target("steady state, any program", 1.0, "best", _all),
    Target("eager operations", 0.2, "best", _group("eager")),
    Target("elementwise, norms, their gradients", 0.5, "best", _group("elementwise")),
    Target("ODE and Newton", 0.5, "best", _group("ODE")),
    Target("LSTM and its gradient", 0.7, "best", _group("LSTM")),
    Target("HMC", 0.5, "best", _group("HMC")),
    Target("gradient of a scan over scalars", 0.1, "best", _group("scan gradient")),
    Target("sort and argsort", 0.1, "best", _group("sort")),
    Target("random permutation", 0.1, "best", _group("permutation")),
    Target("cumsum", 0.25, "best", _group("cumsum")),
    Target("scatter-add", 0.7, "best", _group("scatter-add")),
    Target("convolution steps", 0.6, "best", _group("conv")),
    Target("transformer steps", 0.6, "best", _group("transformer")),
    Target("MLP steps", 0.9, "best", _group("mlp")),
    Target("per-example gradients, MLP", 0.25, "best", _group("per-example MLP")),
    Target("per-example gradients, CNN", 0.6, "best", _group("per-example CNN")),
    Target("call of a jitted function", 0.7, "best", _named("dispatch: one array")),
    Target("the same, a dict of 100", 1.0, "best", _named("dispatch: a dict")),
    Target("cold start, geometric mean", 0.8, "cold", _all, mean=True),
    Target("warm start, geometric mean", 0.4, "warm", _all, mean=True),
    Target("a new shape, geometric mean", 0.5, "shape", _all, mean=True),
    Target("peak memory, any program", 1.0, "peak", _all),
    Target("best of PyTorch, any program", 1.0, "torch", _all),
)


class Verdict(NamedTuple):
    """A target, the mean and the worst of its rows, and those that miss it."""

    target: Target
    mean: float
    worst: Row
    over: tuple[Row, ...]

    @property
    def met(self) -> bool:
        if self.target.mean:
            return self.mean <= self.target.at_most
        return not self.over


def verdicts(found: Sequence[Row]) -> list[Verdict]:
    """Each target that some row says something about."""
    out = []
    for target in TARGETS:
        value = lambda r, field=target.field: getattr(r, field)
        chosen = [r for r in found if target.chosen(r) and value(r)]
        if chosen:
            ordered = sorted(chosen, key=value, reverse=True)
            over = tuple(r for r in ordered if value(r) > target.at_most)
            mean = geometric_mean(map(value, chosen))
            out.append(Verdict(target, mean, ordered[0], over))
    return out


# --- text


def seconds(value: float | None) -> str:
    """
    >>> seconds(0.00123), seconds(2.5e-7)
    ('1.23 ms', '0.25 us')
    """
    if value is None:
        return "-"
    for scale, unit in ((1, "s"), (1e-3, "ms")):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value * 1e6:.3g} us"


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


HEAD = ("jaxlike", "jax", "best", "median", "torch", "cold", "warm", "shape", "peak")


def cells(row: Row) -> list[str]:
    times = [seconds(row.ours), seconds(row.theirs)]
    return times + [number(v) for v in row[4:11]]


def line(row: Row) -> str:
    """A row for the terminal; remarks below it."""
    widths = (10, 10, 7, 7, 7, 6, 6, 6, 6)
    text = "".join(f"{c:>{w}}" for c, w in zip(cells(row), widths))
    return "\n".join([f"{row.name[:58]:58} {text}", *(f"    {r}" for r in row.remarks)])


def head_line() -> str:
    return line(Row("", "", *[None] * 9, ())).replace("-", " ")[:59] + "".join(
        f"{c:>{w}}" for c, w in zip(HEAD, (10, 10, 7, 7, 7, 6, 6, 6, 6))
    )


def summary(found: Sequence[Row]) -> str:
    """Means by group, then the targets, for the terminal."""
    lines = ["", f"{'geometric means by group':40}   best median  torch"]
    for group in dict.fromkeys(r.group for r in found):
        own = [r for r in found if r.group == group]
        means = [
            geometric_mean(getattr(r, k) for r in own)
            for k in ("best", "median", "torch")
        ]
        lines.append(f"{group:40} " + " ".join(f"{number(m):>6}" for m in means))
    lines += ["", f"{'target':40} at most   mean  worst"]
    for v in verdicts(found):
        worst = getattr(v.worst, v.target.field)
        lines.append(
            f"{v.target.what:40} {v.target.at_most:7.2f} {v.mean:6.2f} {worst:6.2f}  "
            + ("met" if v.met else f"MISSED by {len(v.over)}: {v.worst.name}")
        )
    failed = [r.name for r in found if r.ours is None]
    if failed:
        lines.append(f"no result: {', '.join(failed)}")
    return "\n".join(lines)


MARKS = "<!-- benchmarks -->", "<!-- /benchmarks -->"


def markdown(run: dict) -> str:
    """The tables that the README shows."""
    found = rows(run)
    machine = run["machine"]
    peers = ", ".join(f"{k} {v}" for k, v in machine["versions"].items())
    lines = [
        f"{machine['cpus']} cores ({machine['cpu']}), "
        f"Python {machine['python']}, {peers}.",
        "",
        "| | at most | mean | worst | |",
        "|---|---|---|---|---|",
    ]
    for v in verdicts(found):
        worst = getattr(v.worst, v.target.field)
        lines.append(
            f"| {v.target.what} | {v.target.at_most:g} | {v.mean:.2f} | "
            f"{worst:.2f} | {'met' if v.met else 'missed'} |"
        )
    lines += ["", "| program | " + " | ".join(HEAD) + " |", "|---" * 10 + "|"]
    lines += [f"| {r.name} | " + " | ".join(cells(r)) + " |" for r in found]
    return "\n".join(lines)


def between_marks(text: str, new: str) -> str:
    """A file's text with what lies between the marks replaced.

    >>> print(between_marks("a <!-- benchmarks --> b <!-- /benchmarks --> c", "new"))
    a <!-- benchmarks -->
    new
    <!-- /benchmarks --> c
    """
    start, stop = MARKS
    if start not in text or stop not in text:
        raise SystemExit(f"no {start} … {stop} in the file to write to")
    head, rest = text.split(start, 1)
    return f"{head}{start}\n{new}\n{stop}{rest.split(stop, 1)[1]}"
