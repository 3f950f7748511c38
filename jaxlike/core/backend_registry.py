"""The backends by name, loaded on first use.

The floors that hold backends register them here; jit asks for one by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxlike.core.errors import format_error

_loaders: dict[str, Callable[[], Any]] = {}
_loaded: dict[str, Any] = {}
_platforms: dict[str, str] = {}
_default: list[str] = []


def register_backend(
    name: str, loader: Callable[[], Any], *, platform: str | None = None
) -> None:
    """Offer a backend; `loader` imports and makes it when it is first asked for.

    The backend that registers a platform first is the one that the platform's name
    ("cpu", "gpu") stands for, and the first of all is the default.
    """
    _loaders[name] = loader
    _loaded.pop(name, None)
    if platform is not None:
        _platforms.setdefault(platform, name)
    if not _default:
        _default.append(name)


def get_backend(name: str | None = None) -> Any:
    """The backend of this name or platform (the default one for None).

    Raises RuntimeError naming the known backends.
    """
    if name is None:
        name = _default[0]
    name = _platforms.get(name, name)
    try:
        return _loaded[name]
    except KeyError:
        pass
    if name not in _loaders:
        known = ", ".join(sorted({*_loaders, *_platforms}))
        raise RuntimeError(format_error(f"unknown backend {name!r}", try_=known))
    backend = _loaded[name] = _loaders[name]()
    return backend


def set_default_backend(name: str) -> None:
    """Make `name` what jit compiles with unless it is told otherwise."""
    get_backend(name)
    _default[:] = [_platforms.get(name, name)]


def default_backend_name() -> str:
    return _default[0]


def backend_names() -> list[str]:
    return sorted(_loaders)
