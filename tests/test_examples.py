"""The examples run as a user runs them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name, *args):
    result = subprocess.run(
        [sys.executable, EXAMPLES / name, *args], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


@pytest.mark.slow
def test_train_digits_reaches_97_percent(tmp_path):
    out = run("train_digits.py", "--plot", tmp_path / "curve.png")
    accuracy = float(re.search(r"test accuracy ([\d.]+) %", out)[1])
    assert accuracy >= 97.0
    assert "steps/s" in out
    assert (tmp_path / "curve.png").stat().st_size > 10_000


@pytest.mark.slow
def test_train_digits_by_the_reference_backend():
    out = run("train_digits.py", "--model", "mlp", "--backend", "reference")
    assert float(re.search(r"test accuracy ([\d.]+) %", out)[1]) >= 95.0


@pytest.mark.slow
def test_per_example_gradients():
    out = run("per_example_gradients.py")
    assert float(re.search(r"batch gradient: ([\d.e+-]+)", out)[1]) < 1e-6
    assert float(re.search(r"noise: ([\d.]+) %", out)[1]) >= 90.0


@pytest.mark.slow
def test_ode_and_scan():
    out = run("ode_and_scan.py")
    assert float(re.search(r"at ([\d.]+) m$", out, re.MULTILINE)[1]) < 0.2


@pytest.mark.slow
def test_tour_prints_jaxprs():
    out = run("tour.py")
    assert out.count("{ lambda") >= 13
    assert "cos" in out and "scan[" in out
