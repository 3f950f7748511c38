"""The results as a picture: a bar a program, on a logarithmic scale, by group."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.report import Row, geometric_mean

FASTER, SLOWER, TORCH = "#2b7a78", "#c0504d", "#e08e0b"


def plot(found: Sequence[Row], path: str | Path) -> None:
    """Draw the steady-state ratios (best of each) and write them to a file."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    found = [r for r in found if r.best]
    figure, axes = plt.subplots(figsize=(10, 1.6 + 0.21 * len(found)))
    places, y, last = [], 0.0, None
    for row in found:
        y += 1.0 if row.group in (last, None) else 1.6
        last = row.group
        places.append(y)
    colors = [FASTER if r.best <= 1 else SLOWER for r in found]
    # bars grow from 1: to the left where jaxlike is faster
    axes.barh(places, [r.best - 1 for r in found], left=1, color=colors, height=0.8)
    for row, place in zip(found, places):
        faster = row.best <= 1
        axes.annotate(
            f"{row.best:.2f}", (row.best, place), (-3 if faster else 3, 0),
            textcoords="offset points", va="center", fontsize=6,
            ha="right" if faster else "left",
        )  # fmt: skip
    torch = [(r.best / r.torch, p) for r, p in zip(found, places) if r.torch]
    if torch:
        axes.plot(
            *zip(*torch), "|", color=TORCH, markersize=7, markeredgewidth=2,
            label="PyTorch, the better of eager and torch.compile",
        )  # fmt: skip
    mean = geometric_mean(r.best for r in found)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.axvline(
        mean,
        color="gray",
        linestyle=":",
        label=f"geometric mean of jaxlike: {mean:.2f}",
    )
    axes.set_xscale("log")
    low = min([r.best for r in found] + [t for t, _ in torch])
    high = max([r.best for r in found] + [t for t, _ in torch])
    axes.set_xlim(min(low / 2, 0.1), max(high * 2, 2))
    axes.set_yticks(places, [r.name for r in found], fontsize=7)
    axes.set_ylim(places[-1] + 1, places[0] - 1)
    axes.set_xlabel("time relative to jax (1: as fast; left: faster)")
    axes.legend(loc="lower right", fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    plt.close(figure)
