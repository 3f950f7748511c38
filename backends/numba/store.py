"""Compiled objects on disk: bytes under a key, safe against everything a disk does.

A file is a header, a checksum and the bytes; it is written under a temporary name and
renamed, so readers in any number of processes see all of it or nothing. What cannot be
read, or does not match its checksum, is treated as absent. The least recently used
files go when the folder grows past its limit. Nothing here raises for a bad disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path

_MAGIC = b"jaxlike1"
_DIGEST = 16
DEFAULT_LIMIT = 512 << 20


class Store:
    """Bytes by key in a folder, at most `limit` bytes in all (-1: no bound).

    >>> import tempfile
    >>> store = Store(tempfile.mkdtemp())
    >>> store.put("0a1b", b"code")
    >>> store.get("0a1b"), store.get("ffff")
    (b'code', None)
    """

    def __init__(self, folder: str | os.PathLike, limit: int = DEFAULT_LIMIT):
        self.folder, self.limit = Path(folder), limit
        self._written = 0  # bytes since the folder was last measured
        self._measured = False

    def path(self, key: str) -> Path:
        """Where a key's file lies."""
        return self.folder / f"{key}.o"

    def get(self, key: str) -> bytes | None:
        """The bytes under a key, or None."""
        path = self.path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        start = len(_MAGIC) + _DIGEST
        body = data[start:]
        if data[:start] != _MAGIC + _digest(body):
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # last use, for eviction
        return body

    def put(self, key: str, body: bytes) -> None:
        """Keep bytes under a key; silently nothing where the disk refuses."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder, suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as f:
                    f.write(_MAGIC + _digest(body) + body)
                os.replace(name, self.path(key))
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(name)
                return
        except OSError:
            return
        self._written += len(body)
        if self.limit >= 0 and (
            not self._measured or self._written > max(self.limit // 16, 1)
        ):
            self.evict()

    def evict(self) -> None:
        """Delete the least recently used files until 3/4 of the limit are left."""
        self._written, self._measured = 0, True
        files = []
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.endswith((".o", ".tmp")):
                    with contextlib.suppress(OSError):
                        st = entry.stat()
                        files.append((st.st_mtime_ns, st.st_size, entry.path))
        total = sum(size for _, size, _ in files)
        if total <= self.limit:
            return
        for _, size, path in sorted(files):
            with contextlib.suppress(OSError):
                os.unlink(path)
            total -= size
            if total <= self.limit * 3 // 4:
                break


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST).digest()


@lru_cache(8)
def _store(folder: str, limit: int) -> Store:
    return Store(folder, limit)


def default_store() -> Store | None:
    """The store the settings name, or None when the cache is switched off.

    `config.enable_compilation_cache` switches, `config.compilation_cache_dir`
    (JAXLIKE_CACHE_DIR) places, `config.cache_max_bytes` bounds it.
    """
    from jaxlike.core.config import config

    if not config.enable_compilation_cache:
        return None
    folder = config.compilation_cache_dir
    if not folder:
        from platformdirs import user_cache_dir

        folder = user_cache_dir("jaxlike", appauthor=False)
    limit = config.cache_max_bytes
    return _store(str(folder), limit)
