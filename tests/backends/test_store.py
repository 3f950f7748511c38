"""The object store: whole entries or none, whatever happens to the disk."""

import multiprocessing
import os
import stat
import threading
import time

import pytest

from jaxlike.backends.numba.store import Store, default_store
from jaxlike.core.config import config


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "cache", 10_000)


def test_what_is_put_is_got(store):
    assert store.get("aa") is None
    for body in (b"", b"x", os.urandom(5000)):
        store.put("aa", body)
        assert store.get("aa") == body


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "longer", "foreign"])
def test_damaged_entries_are_absent_and_go(store, damage):
    store.put("aa", b"code" * 100)
    path = store.path("aa")
    data = path.read_bytes()
    path.write_bytes(
        {
            "cut": data[:-5],
            "flip": data[:50] + bytes([data[50] ^ 1]) + data[51:],
            "empty": b"",
            "longer": data + b"!",
            "foreign": b"something else altogether, of some length",
        }[damage]
    )
    assert store.get("aa") is None
    assert not path.exists()
    store.put("aa", b"again")
    assert store.get("aa") == b"again"


def test_the_least_recently_used_go_first(store):
    for n in range(9):
        store.put(f"{n:02}", bytes(1000))
        os.utime(store.path(f"{n:02}"), ns=(n * 10**9, n * 10**9))
    assert store.get("00") is not None  # now the youngest
    store.put("99", bytes(2500))
    left = {p.stem for p in store.folder.iterdir()}
    assert "00" in left and "99" in left and "01" not in left
    assert sum(p.stat().st_size for p in store.folder.iterdir()) <= 10_000


def test_no_bound_keeps_everything(tmp_path):
    store = Store(tmp_path, -1)
    for n in range(50):
        store.put(str(n), bytes(1000))
    assert len(list(tmp_path.iterdir())) == 50


def test_a_disk_that_refuses_is_no_error(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    store = Store(blocked / "cache")
    store.put("aa", b"x")
    assert store.get("aa") is None
    if os.geteuid():
        locked = tmp_path / "locked"
        locked.mkdir()
        locked.chmod(stat.S_IRUSR | stat.S_IXUSR)
        store = Store(locked)
        store.put("aa", b"x")
        assert store.get("aa") is None


def _hammer(folder, seed):
    store = Store(folder, 30_000)
    for n in range(60):
        key = str((n + seed) % 7)
        body = store.get(key)
        if body is not None and body != key.encode() * 900:
            os._exit(1)
        store.put(key, key.encode() * 900)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_several_processes_at_once(tmp_path):
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=_hammer, args=(tmp_path, seed)) for seed in range(3)
    ]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert [w.exitcode for w in workers] == [0, 0, 0]
    assert not list(tmp_path.glob("*.tmp"))


def test_several_threads_at_once(tmp_path):
    failures = []

    def work(seed):
        try:
            _hammer(tmp_path, seed)
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


def test_loading_takes_under_a_millisecond(tmp_path):
    store = Store(tmp_path)
    store.put("aa", os.urandom(20_000))
    times = []
    for _ in range(20):
        start = time.perf_counter()
        store.get("aa")
        times.append(time.perf_counter() - start)
    assert min(times) < 1e-3


def test_settings_place_bound_and_switch_off_the_cache(tmp_path):
    before = {
        name: config.read(name)
        for name in (
            "enable_compilation_cache", "compilation_cache_dir", "cache_max_bytes"
        )
    }  # fmt: skip
    try:
        config.update("compilation_cache_dir", str(tmp_path / "here"))
        config.update("cache_max_bytes", 123)
        store = default_store()
        assert (store.folder, store.limit) == (tmp_path / "here", 123)
        config.update("enable_compilation_cache", False)
        assert default_store() is None
    finally:
        for name, value in before.items():
            config.update(name, value)
