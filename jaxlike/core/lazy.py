"""Packages whose names are imported on first use: `import jaxlike` stays light."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from jaxlike.core.source_info import guarded


def lazy_names(
    package: str, names: Mapping[str, str], submodules: Iterable[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package whose names live elsewhere.

    names: module -> its names, separated by spaces; "name:alias" offers it under
    another. A name that was asked for is kept in the package; functions get an
    api_boundary.
    """
    home: dict[str, tuple[str, str]] = {}
    for module, words in names.items():
        for word in words.split():
            name, _, alias = word.partition(":")
            home[alias or name] = module, name
    inside = frozenset(submodules)

    def __getattr__(name: str) -> Any:
        if name in inside:
            return import_module(f"{package}.{name}")
        try:
            module, original = home[name]
        except KeyError:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}"
            ) from None
        value = guarded(getattr(import_module(module), original), package)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home, *inside})

    return __getattr__, __dir__
