"""Traces, annotations, plans with times, memory profiles, and the server."""

from __future__ import annotations

import glob
import gzip
import json
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import profiler


def events_in(folder) -> dict[str, profiler.ProfileEvent]:
    (path,) = glob.glob(f"{folder}/plugins/profile/*/*.trace.json.gz")
    data = profiler.ProfileData.from_file(path)
    plane = data.find_plane_with_name("/host:CPU")
    return {e.name: e for line in plane.lines for e in line.events}


def softmax_sum(x):
    return jnp.sum(jnp.exp(x - jnp.max(x))), jnp.sort(x)


def test_a_trace_holds_compilation_runs_kernels_and_calls(tmp_path):
    f, x = jax.jit(softmax_sum), jnp.arange(8.0)
    want = softmax_sum(x)
    with profiler.trace(tmp_path):
        got = f(x)
    for a, b in zip(got, want):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    events = events_in(tmp_path)
    assert {"trace softmax_sum", "compile softmax_sum", "run softmax_sum"} <= {*events}
    kernel = next(e for n, e in events.items() if n.startswith("kernel"))
    stats = dict(kernel.stats)
    assert stats["bytes read"] >= x.nbytes and "test_profiler.py" in stats["line"]
    run = events["run softmax_sum"]
    assert run.start_ns <= kernel.start_ns and kernel.end_ns <= run.end_ns


def test_annotations_nest_and_hold_their_stats(tmp_path):
    @profiler.annotate_function
    def load():
        return 1

    with profiler.trace(tmp_path, create_perfetto_trace=True):
        assert profiler.TraceAnnotation.is_enabled()
        with profiler.StepTraceAnnotation("train", step_num=7) as step:
            load()
            step.set_metadata(loss=0.5)
    assert not profiler.TraceAnnotation.is_enabled()
    assert glob.glob(f"{tmp_path}/plugins/profile/*/perfetto_trace.json.gz")
    events = events_in(tmp_path)
    train = events["train"]
    assert dict(train.stats) == {"step_num": 7, "loss": 0.5}
    (inner,) = (e for n, e in events.items() if n.endswith("load"))
    assert train.start_ns <= inner.start_ns <= inner.end_ns <= train.end_ns


def test_a_trace_is_written_when_the_block_raises(tmp_path):
    with pytest.raises(KeyError), profiler.trace(tmp_path):
        raise KeyError
    assert events_in(tmp_path) == {}
    jax.jit(lambda x: x + 1)(1.0)  # and nothing is recorded any more


def test_programs_can_be_left_out(tmp_path):
    options = profiler.ProfileOptions(host_tracer_level=0, session_id="mine")
    with profiler.trace(tmp_path, profiler_options=options):
        jax.jit(lambda x: x * 3)(1.0)
    assert (tmp_path / "plugins" / "profile" / "mine").exists()
    assert not any(name.startswith("run") for name in events_in(tmp_path))


def test_loops_and_threads_are_recorded(tmp_path):
    def loop(x):
        return jax.lax.fori_loop(0, 3, lambda i, c: jnp.sin(c), x)

    f = jax.jit(loop)
    f(1.0)
    with profiler.trace(tmp_path):
        thread = threading.Thread(target=lambda: f(2.0), name="other")
        thread.start()
        thread.join()
    (path,) = glob.glob(f"{tmp_path}/plugins/profile/*/*.trace.json.gz")
    plane = next(profiler.ProfileData.from_file(path).planes)
    (line,) = (line for line in plane.lines if line.name == "other")
    assert any(e.name == "run loop" for e in line.events)


def test_only_one_trace_at_a_time(tmp_path):
    profiler.start_trace(tmp_path)
    try:
        with pytest.raises(RuntimeError, match="stop_trace"):
            profiler.start_trace(tmp_path)
    finally:
        profiler.stop_trace()
    with pytest.raises(RuntimeError, match="start_trace"):
        profiler.stop_trace()


def test_a_file_that_is_no_trace(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("[1, 2]")
    with pytest.raises(ValueError, match=r"trace\.json\.gz"):
        profiler.ProfileData.from_file(path)


def test_the_plan_counts_bytes_and_flops():
    def f(a, b):
        return jnp.tanh(a @ b)

    a, b = jnp.ones((64, 32)), jnp.ones((32, 48))
    plan = jax.jit(f).lower(a, b).compile().plan()
    product = next(s for s in plan.steps if "dot_general" in s.primitives)
    assert product.flops >= 2 * 64 * 32 * 48
    assert product.read == a.nbytes + b.nbytes
    assert sum("tanh" in s.primitives for s in plan.steps) == 1
    assert "dot_general" in str(plan) and "test_profiler.py" in str(plan)


def test_measure_times_every_step():
    x = jnp.ones((300, 30))
    compiled = jax.jit(softmax_sum).lower(x).compile()
    plan = profiler.measure(compiled, x, rounds=3)
    assert len(plan.steps) == len(compiled.plan().steps)
    assert all(s.seconds > 0 for s in plan.steps)
    assert "GB/s" in str(plan)
    with pytest.raises(TypeError):
        profiler.measure(compiled, jnp.ones(4))


@pytest.mark.parametrize("seed", range(3))
def test_step_by_step_is_the_program(seed):
    rng = np.random.default_rng(seed)
    x = jnp.asarray(rng.standard_normal((6, 8)), jnp.float32)

    def f(x):
        y = jax.nn.softmax(x @ x.T)
        z = jnp.cumsum(y, axis=0)[::-1]
        w = jnp.concatenate([z, y], axis=1).at[1, 2].add(3.0)
        return w, x, jnp.float32(2), y.T, jnp.pad(z, 1)

    compiled = jax.jit(f).lower(x).compile()
    executable = compiled._executable
    inputs = [*executable.consts, np.asarray(x)]
    outs, _ = executable.run.profiled().run(inputs, None)
    for got, want in zip(outs, compiled(x), strict=True):
        np.testing.assert_array_equal(got, want)


def test_memory_profiles_are_pprof(tmp_path):
    keep = jnp.ones((3, 5, 7))
    profiler.save_device_memory_profile(tmp_path / "memory.prof")
    text = gzip.decompress((tmp_path / "memory.prof").read_bytes())
    assert str(jax.typeof(keep)).encode() in text and b"space" in text


def test_the_server_records_on_demand():
    server = profiler.start_server(0)
    try:
        other = profiler.register_subprocess(1, server.port)
        other()  # taken off again
        with pytest.raises(RuntimeError, match="stop_server"):
            profiler.start_server(0)
        url = f"http://localhost:{server.port}/trace?seconds=0.05"
        with urllib.request.urlopen(url) as reply:
            rows = json.loads(gzip.decompress(reply.read()))["traceEvents"]
        assert rows[0]["name"] == "process_name"
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"http://localhost:{server.port}/nothing")
        error.value.close()
    finally:
        profiler.stop_server()
    with pytest.raises(RuntimeError, match="start_server"):
        profiler.stop_server()
