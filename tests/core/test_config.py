"""Settings: blocks, threads, hooks, environment, messages, and what a read costs."""

import os
import subprocess
import sys
import threading
import timeit

import pytest

from jaxlike.core import config as config_module
from jaxlike.core.config import (
    config,
    debug_nans,
    default_matmul_precision,
    disable_jit,
    enable_x64,
    make_user_context,
    numpy_rank_promotion,
    transfer_guard,
)
from jaxlike.core.flags import FLAGS


def updated(name, value):
    """Set a value for one test; the caller restores it."""
    previous = getattr(config, name)
    config.update(name, value)
    return previous


def test_every_setting_reads_by_both_names_and_has_its_default():
    for name, flag in FLAGS.items():
        assert getattr(config, name) == getattr(config, f"jax_{name}")
        assert config.read(f"jax_{name}") == getattr(config, name)
        if flag.default is not None:
            assert flag.check(flag.default) == flag.default
    assert "enable_x64" in dir(config)
    assert config.x64_enabled == config.enable_x64


def test_update_is_seen_by_all_threads_and_a_block_only_by_its_own():
    seen = {}

    def read(key):
        seen[key] = (config.debug_infs, config.jax_debug_nans)

    previous = updated("jax_debug_infs", True)
    try:
        with debug_nans(True):
            thread = threading.Thread(target=read, args=("other",))
            thread.start()
            thread.join()
            read("own")
    finally:
        config.update("debug_infs", previous)
    assert seen == {"other": (True, False), "own": (True, True)}


def test_blocks_nest_and_leave_nothing_behind():
    before = config.trace_context()
    with enable_x64(True):
        with enable_x64(False), numpy_rank_promotion("raise"):
            assert not config.jax_enable_x64
            assert config.numpy_rank_promotion == "raise"
        assert config.enable_x64 and config.jax_enable_x64
        assert config.numpy_rank_promotion == "allow"
    assert not config.enable_x64
    assert config.trace_context() is before
    assert config.__dict__ == {}


def test_blocks_end_when_the_body_raises():
    with pytest.raises(KeyError), enable_x64(True):
        raise KeyError
    assert not config.enable_x64


def test_trace_context_tells_traced_settings_apart():
    before = config.trace_context()
    with enable_x64(True):
        inside = config.trace_context()
        previous = updated("numpy_dtype_promotion", "strict")
        try:
            # the update reaches the block that this thread is in
            assert config.trace_context() != inside
            assert config.enable_x64
        finally:
            config.update("numpy_dtype_promotion", previous)
        assert config.trace_context() is inside
    assert inside != before
    hash(inside)
    previous = updated("log_compiles", True)
    try:
        assert config.trace_context() == before
    finally:
        config.update("log_compiles", previous)


def test_update_inside_a_block_outlasts_it():
    with enable_x64(True):
        config.update("jax_enable_x64", False)
        assert config.enable_x64
    assert not config.enable_x64


def test_decorator_form_is_reentrant():
    @enable_x64(True)
    def depth(n):
        return (config.enable_x64, n and depth(n - 1))

    assert depth(2) == (True, (True, (True, 0)))
    assert not config.enable_x64


def test_disable_jit_and_transfer_guard():
    with disable_jit():
        assert config.disable_jit
        with disable_jit(False):
            assert not config.disable_jit
    with transfer_guard("disallow"):
        assert config.transfer_guard == "disallow"
        assert config.transfer_guard_device_to_host == "disallow"
    assert config.transfer_guard is None
    with pytest.raises(ValueError, match="one of 'allow'"), transfer_guard("no"):
        pass


def test_context_flags_describe_themselves():
    assert enable_x64.value is False
    assert enable_x64.name == "jax_enable_x64"
    with pytest.raises(TypeError, match=r"read config\.jax_enable_x64"):
        bool(enable_x64)
    with pytest.raises(TypeError, match="needs the value"):
        numpy_rank_promotion()
    with enable_x64():
        assert enable_x64.value is True


def test_user_context():
    mode = make_user_context("plain")
    before = config.trace_context()
    with mode("fancy"):
        assert mode.value == "fancy"
        assert config.trace_context() != before
    assert mode.value == "plain"
    with pytest.raises(TypeError, match="unhashable"):
        mode([])


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("jax_enable_x64", "yes", "takes True or False"),
        ("jax_enable_x64", 2, "takes True or False"),
        ("jax_numpy_rank_promotion", "never", "one of 'allow', 'warn', 'raise'"),
        ("jax_num_cpu_devices", "3", "takes an int"),
        ("jax_platforms", 3, "takes a str"),
        ("jax_default_matmul_precision", "precise", r"\(or None\)"),
    ],
)
def test_wrong_values(name, value, message):
    before = config.read(name)
    with pytest.raises(ValueError, match=message):
        config.update(name, value)
    assert config.read(name) == before


def test_values_are_normalised():
    previous = updated("jax_enable_x64", 1)
    try:
        assert config.enable_x64 is True
    finally:
        config.update("jax_enable_x64", previous)
    with default_matmul_precision("float32"):
        assert config.jax_default_matmul_precision == "float32"


def test_unknown_names_are_named_with_the_nearest():
    with pytest.raises(AttributeError, match="jax_enable_x64"):
        config.update("jax_enable_x46", True)
    with pytest.raises(AttributeError, match="unrecognized"):
        config.read("jax_qqqqqq")
    assert not hasattr(config, "jax_no_such_thing")
    with pytest.raises(AttributeError, match=r"config\.update\('enable_x64', True\)"):
        config.enable_x64 = True


def test_hooks():
    seen = []
    config.add_hook("jax_logging_level", seen.append)
    try:
        previous = updated("logging_level", "DEBUG")
        config.update("logging_level", previous)
        assert seen == ["DEBUG", previous]
    finally:
        del config_module._hooks["logging_level"]


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", "from jaxlike.core.config import config\n" + code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_environment():
    done = run(
        "print(config.enable_x64, config.cache_max_bytes, config.platforms,"
        " config.compilation_cache_dir, config.debug_nans)",
        JAXLIKE_ENABLE_X64="1",
        JAXLIKE_CACHE_MAX_BYTES="1000",
        JAXLIKE_PLATFORMS="cpu",
        JAXLIKE_CACHE_DIR="/nowhere",
        JAX_DEBUG_NANS="1",
    )
    assert done.stdout.split() == ["True", "1000", "cpu", "/nowhere", "False"]
    done = run("", JAXLIKE_ENABLE_X64="maybe")
    assert "JAXLIKE_ENABLE_X64 must be True or False, got 'maybe'" in done.stderr


def test_reading_is_cheap():
    """Tens of nanoseconds; the bound leaves room for a busy machine."""

    def cost():
        return min(timeit.repeat(lambda: config.enable_x64, number=2000, repeat=7))

    assert cost() / 2000 < 1e-6
    with enable_x64(True):
        assert cost() / 2000 < 1e-6
