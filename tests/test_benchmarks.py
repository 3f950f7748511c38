"""The benchmark harness: workers, comparison, ratios, tables; on a tiny program."""

from __future__ import annotations

import importlib.util
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import jaxlike
from tests.benchmarks import report, run
from tests.benchmarks.measure import Failed, Options, Worker, agreement, measure
from tests.benchmarks.registry import (
    Stopwatch,
    drawing,
    floats,
    leaves,
    load,
    on_device,
    workload,
)

TINY = "tests.test_benchmarks"


@workload("tiny", "tests", cut=(0,))
def tiny(jax):
    return jax.jit(lambda x: (x + 1, {"b": x * 2, "a": x})), on_device(jax, floats(16))


@workload("broken", "tests")
def broken(jax):
    raise ValueError("no such program")


def test_a_worker_answers_until_it_is_stopped(tmp_path):
    worker = Worker("jaxlike", "tiny", TINY, str(tmp_path))
    assert 0 < worker.started["import"] < worker.started["cold"]
    times = worker.ask("round", 0.01)
    assert times and all(0 < t < 1 for t in times)
    assert len(worker.ask("new_shapes", 2)) == 2
    first, last = worker.ask("digests")
    assert first == last
    worker.ask("save", str(tmp_path))
    saved = [np.load(tmp_path / f"{i}.npy") for i in range(3)]
    np.testing.assert_array_equal(saved[0], floats(16) + 1)
    np.testing.assert_array_equal(saved[1], floats(16))  # keys in order
    if sys.platform == "linux":
        memory = worker.ask("memory")
        assert 0 < memory["peak"] < memory["total"]
    worker.stop()


def test_a_failure_is_noted_and_does_not_stop_the_rest():
    options = Options(("jaxlike",), rounds=1, seconds=0.01, warm=0, module=TINY)
    result = measure("broken", options)
    assert result["jaxlike"]["error"] == "ValueError: no such program"
    with pytest.raises(Failed, match="no such program"):
        Worker("jaxlike", "broken", TINY, "")


@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="needs jax")
def test_all_numbers_of_a_program():
    options = Options(rounds=1, seconds=0.01, warm=1, shapes=1, module=TINY)
    results = measure("tiny", options)
    run_ = {"programs": {"tiny": {"group": "tests", "libraries": results}}}
    (row,) = report.rows(json.loads(json.dumps(run_)))
    assert not row.remarks
    assert all(x > 0 for x in (row.best, row.median, row.cold, row.warm, row.shape))
    assert results["jaxlike"]["agrees"] == "yes" and results["jaxlike"]["same_bits"]


def test_every_program_can_be_made():
    """Arguments exist, and are shortened where the program says."""
    programs = load("tests.benchmarks.programs")
    assert len(programs) > 70
    for word in ("eager", "dispatch", "Black-Scholes", "LSTM", "HMC", "Hessian", "FFT"):
        assert any(word in name for name in programs), word
    small = [n for n in programs if n.startswith(("eager", "dispatch", "MLP step, 64"))]
    for name in small:
        fun, args = programs[name].make(jaxlike)
        assert all(i < len(args) for i in programs[name].cut)
        fun(*args)


@pytest.mark.parametrize(
    ("ours", "theirs", "word"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-6], "yes"),
        ([1.0, 2.0], [1.0, 2.1], "off by"),
        ([np.nan, 1.0], [1.0, np.nan], "NaN"),
        ([np.inf, 1.0], [-np.inf, 1.0], "infinity"),
        ([np.inf, np.nan, 0.0], [np.inf, np.nan, 0.0], "yes"),
        ([1.0, np.nan], [1.0, np.inf], "infinity"),
        ([1, 2], [1, 3], "1 of 2 integers"),
        ([1.0], [1.0, 2.0], "shape"),
        ([], [], "yes"),
        ([1 + 1j], [1 - 1j], "off by"),
    ],
)
def test_agreement_is_element_by_element(ours, theirs, word):
    assert word in agreement([np.array(ours)], [np.array(theirs)])


def test_agreement_counts_results():
    assert "1 results against 0" in agreement([np.ones(2)], [])


def _library(seconds, cold=1.0, **more):
    times = [seconds, seconds * 3]
    return {"times": times, "cold": cold, "warm": [cold], "peak": 100, **more}


def _run():
    fast = {"jaxlike": _library(1e-3), "jax": _library(4e-3, 2.0)}
    fast |= {"torch": _library(3e-3), "torch.compile": _library(2e-3)}
    slow = {
        "jaxlike": _library(2e-6),
        "jax": _library(1e-6),
        "torch": {"error": "X: y"},
    }
    machine = {"cpu": "a CPU", "cpus": 2, "python": "3.11", "versions": {"jax": "0"}}
    return {
        "machine": machine,
        "programs": {
            "sort, small": {"group": "sort", "libraries": fast},
            "conv, slow": {"group": "conv", "libraries": slow},
            "sort, broken": {"group": "sort", "libraries": {"jaxlike": {"error": "E"}}},
        },
    }


def test_rows_hold_ratios_by_group():
    rows = report.rows(_run())
    assert [r.name for r in rows] == ["sort, small", "sort, broken", "conv, slow"]
    fast, broken, slow = rows
    assert (fast.best, fast.torch, fast.cold) == (0.25, 0.5, 0.5)
    assert broken.best is None and broken.remarks == ("jaxlike: E",)
    assert slow.best == 2 and slow.remarks == ("torch: X: y",)


def test_targets_are_met_or_missed():
    found = {v.target.what: v for v in report.verdicts(report.rows(_run()))}
    assert found["sort and argsort"].met is False  # 0.25 against 0.1
    assert found["steady state, any program"].over[0].name == "conv, slow"
    assert found["cold start, geometric mean"].met
    assert "eager operations" not in found
    text = report.summary(report.rows(_run()))
    assert "MISSED by 1: conv, slow" in text and "no result: sort, broken" in text


def test_the_readme_table_goes_between_its_marks():
    text = report.markdown(_run())
    assert "2 cores (a CPU)" in text and "| sort, small | 1 ms | 4 ms | 0.25 |" in text
    start, stop = report.MARKS
    new = report.between_marks(f"head\n{start}\nformer\n{stop}\ntail", text)
    assert "former" not in new and text in new
    assert report.between_marks(new, text) == new
    with pytest.raises(SystemExit):
        report.between_marks("no marks", text)


def test_kept_results_are_shown_again(tmp_path, monkeypatch, capsys):
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps(_run()))
    words = ["run", "--from", str(kept), "--markdown", str(tmp_path / "table.md")]
    monkeypatch.setattr(sys, "argv", words)
    run.main()
    assert "sort, small" in capsys.readouterr().out
    assert "| conv, slow |" in (tmp_path / "table.md").read_text()


def test_options():
    assert run.options(run.arguments(["--quick", "--rounds", "2"])).rounds == 2
    with pytest.raises(SystemExit, match="no peer tensorflow"):
        run.options(run.arguments(["--peers", "tensorflow"]))


def test_plot(tmp_path):
    pytest.importorskip("matplotlib")
    from tests.benchmarks.plot import plot

    plot(report.rows(_run()), tmp_path / "ratios.png")
    assert (tmp_path / "ratios.png").stat().st_size > 5000


def test_drawing_arguments_stops_the_clock():
    before = drawing.seconds
    floats(100_000)
    assert drawing.seconds > before
    watch = Stopwatch()
    with watch, watch:
        pass
    assert watch.seconds >= 0 and watch._depth == 0


def test_leaves_are_in_jax_order():
    tree = {"b": (1, [2]), "a": 3}
    assert leaves(tree) == jaxlike.tree.leaves(tree) == [3, 1, 2]
    assert leaves(SimpleNamespace()) != []
