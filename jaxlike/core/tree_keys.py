"""Key path entries: the steps that lead from a pytree to one of its leaves."""

from __future__ import annotations

from typing import Any, TypeVar

KeyEntry = TypeVar("KeyEntry")
KeyPath = tuple[KeyEntry, ...]


class _Key:
    __slots__ = ()
    # the one field; also what equality, hashing and pickling go by
    _field = ""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is read-only")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return getattr(self, self._field) == getattr(other, self._field)

    def __hash__(self) -> int:
        return hash((type(self), getattr(self, self._field)))

    def __repr__(self) -> str:
        value = getattr(self, self._field)
        return f"{type(self).__name__}({self._field}={value!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (getattr(self, self._field),)


class SequenceKey(_Key):
    """A step into a list or a tuple: prints as `[0]`."""

    __slots__ = ("idx",)
    __match_args__ = ("idx",)
    __module__ = "jaxlike.tree_util"
    _field = "idx"
    idx: int

    def __init__(self, idx: int):
        object.__setattr__(self, "idx", idx)

    def __str__(self) -> str:
        return f"[{self.idx!r}]"


class DictKey(_Key):
    """A step into a dict: prints as `['w']`."""

    __slots__ = ("key",)
    __match_args__ = ("key",)
    __module__ = "jaxlike.tree_util"
    _field = "key"
    key: Any

    def __init__(self, key: Any):
        object.__setattr__(self, "key", key)

    def __str__(self) -> str:
        return f"[{self.key!r}]"


class GetAttrKey(_Key):
    """A step to an attribute: prints as `.weight`."""

    __slots__ = ("name",)
    __match_args__ = ("name",)
    __module__ = "jaxlike.tree_util"
    _field = "name"
    name: str

    def __init__(self, name: str):
        object.__setattr__(self, "name", name)

    def __str__(self) -> str:
        return f".{self.name}"


class FlattenedIndexKey(_Key):
    """A step into a type registered without keys: prints as `[<flat index 0>]`."""

    __slots__ = ("key",)
    __match_args__ = ("key",)
    __module__ = "jaxlike.tree_util"
    _field = "key"
    key: int

    def __init__(self, key: int):
        object.__setattr__(self, "key", key)

    def __str__(self) -> str:
        return f"[<flat index {self.key}>]"


def keystr(keys: KeyPath, *, simple: bool = False, separator: str = "") -> str:
    """A key path as text.

    Args:
      keys: the entries.
      simple: names only, without brackets, quotes and dots.
      separator: put between the entries.

    >>> path = (DictKey("w"), SequenceKey(0))
    >>> keystr(path), keystr(path, simple=True, separator="/")
    ("['w'][0]", 'w/0')
    """
    return separator.join([_simple(k) if simple else str(k) for k in keys])


def _simple(key: Any) -> str:
    return str(getattr(key, key._field)) if isinstance(key, _Key) else str(key)
