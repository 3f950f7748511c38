"""Where in the user's program an equation was made, and tracebacks without our frames.

While tracing, only (code object, instruction offset) of the nearest frame outside
jaxlike is kept; file, line and text are looked up when a message needs them.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import linecache
import os
import sys
import types
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from jaxlike.core.config import config
from jaxlike.core.state import state

# (code, f_lasti); None where no user frame was on the stack
SourceInfo = tuple[types.CodeType, int] | None
F = TypeVar("F", bound=Callable[..., Any])


class Location(NamedTuple):
    """A place in a program; `text` is the stripped source line, '' if unknown."""

    file: str
    line: int
    function: str
    text: str


def _own_folders() -> list[str]:
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folders = [package]
    # in a checkout two subpackages live beside the package, not inside it
    for name in ("transforms", "backends"):
        if not os.path.isdir(os.path.join(package, name)):
            folders.append(os.path.join(os.path.dirname(package), name))
    return folders


_folders: list[str] = [os.path.join(f, "") for f in _own_folders()]
_files: set[str] = {os.path.abspath(m.__file__) for m in (contextlib, functools)}
# a frame of NumPy's or Python's own below one of ours belongs to our mistake
_libraries: tuple[str, ...] = (os.path.dirname(os.__file__), "<frozen")
_getframe = sys._getframe
_RAISE = dis.opmap["RAISE_VARARGS"]


class _Internal(dict[str, bool]):
    """File name -> whether it is jaxlike's own; filled on first sight."""

    def __missing__(self, filename: str) -> bool:
        path = filename if filename[:1] == "<" else os.path.abspath(filename)
        # `<frozen ...>`, `<__array_function__ ...>`: machinery, never user code
        found = (
            path in _files
            or path.startswith(tuple(_folders))
            or filename.startswith(("<frozen", "<__array_function__", "<jaxlike"))
        )
        self[filename] = found
        return found


_internal = _Internal()


def register_internal(path: str) -> None:
    """Count a file, or all files in a folder, as jaxlike's own.

    >>> register_internal("/opt/our_layers")
    """
    path = os.path.abspath(path)
    _files.add(path)
    _folders.append(os.path.join(path, ""))
    _internal.clear()


def is_internal(filename: str) -> bool:
    """Whether frames of this file are jaxlike's own."""
    return _internal[filename]


def current() -> SourceInfo:
    """The place of the nearest user frame, to be kept by an equation."""
    frame = _getframe(1)
    internal = _internal
    while frame is not None:
        code = frame.f_code
        if not internal[code.co_filename]:
            return code, frame.f_lasti
        frame = frame.f_back
    return None


def here() -> SourceInfo:
    """The place to blame now: of the equation being replayed, else of the caller."""
    return state.source or current()


class override:
    """Inside the block, equations are made in the name of the place `info`."""

    __slots__ = ("info", "previous")

    def __init__(self, info: SourceInfo):
        self.info = info

    def __enter__(self) -> None:
        self.previous = state.source
        state.source = self.info or self.previous

    def __exit__(self, *_: Any) -> None:
        state.source = self.previous


def of_function(fun: Callable[..., Any]) -> SourceInfo:
    """The place where `fun` is defined, None for what has no Python code.

    >>> summarize(of_function(lambda x: x)) is None
    False
    >>> of_function(len) is None
    True
    """
    while True:
        if isinstance(fun, functools.partial):
            fun = fun.func
        elif hasattr(fun, "__wrapped__"):
            fun = fun.__wrapped__
        else:
            break
    if not hasattr(fun, "__code__") and callable(fun):
        fun = type(fun).__call__
    code = getattr(fun, "__code__", None)
    return None if code is None else (code, -1)


def line_number(code: types.CodeType, lasti: int) -> int:
    for start, end, line in code.co_lines():
        if start <= lasti < end and line is not None:
            return line
    return code.co_firstlineno


def resolve(info: SourceInfo) -> Location | None:
    """File, line, function and source text of `info`; None stays None.

    >>> resolve(None) is None
    True
    """
    if info is None:
        return None
    code, lasti = info
    line = line_number(code, lasti)
    text = linecache.getline(code.co_filename, line).strip()
    function = code.co_qualname.rpartition("<locals>.")[2]
    return Location(code.co_filename, line, function, text)


def summarize(info: SourceInfo) -> str:
    """`'train.py:41 (loss)'`, or `'<unknown>'`.

    >>> summarize(None)
    '<unknown>'
    """
    place = resolve(info)
    if place is None:
        return "<unknown>"
    return f"{short_file(place.file)}:{place.line} ({place.function})"


def short_file(file: str) -> str:
    return file if file.startswith("<") else os.path.basename(file)


# -- tracebacks


def filter_traceback(error: BaseException) -> None:
    """Drop jaxlike's frames from `error`'s traceback, as the setting says.

    An error that jaxlike did not raise on purpose (a bug, a library's own complaint)
    keeps the frames below the last line of the user's.
    """
    mode = config.traceback_filtering
    if mode == "off" or error.__traceback__ is None:
        return
    if error.__context__ is not None and _is_internal(error.__context__):
        error.__context__ = None  # a way that was tried first
    entries = []
    tb: types.TracebackType | None = error.__traceback__
    while tb is not None:
        entries.append(tb)
        tb = tb.tb_next
    last = entries[-1]
    # an outer boundary sees what an inner one left, so the answer is kept
    on_purpose = getattr(error, "_on_purpose", None)
    if on_purpose is None:
        on_purpose = last.tb_frame.f_code.co_code[last.tb_lasti] == _RAISE
        with contextlib.suppress(AttributeError):
            error._on_purpose = on_purpose  # type: ignore[attr-defined]
    if mode == "tracebackhide":
        for entry in entries:
            if _internal[entry.tb_frame.f_code.co_filename]:
                entry.tb_frame.f_locals["__tracebackhide__"] = True
        return
    kept = None
    below_user = True
    hidden = False
    for entry in reversed(entries):
        if _internal[entry.tb_frame.f_code.co_filename]:
            if on_purpose or not below_user:
                hidden = True
                continue
        elif not entry.tb_frame.f_code.co_filename.startswith(_libraries):
            below_user = False
        kept = types.TracebackType(
            kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno
        )
    error.__traceback__ = kept
    if hidden and mode == "remove_frames":
        _note(error, "jaxlike's own frames are hidden; traceback_filtering=off shows")


def _is_internal(error: BaseException) -> bool:
    """Whether an error was raised and caught without a line of the user's between."""
    tb = error.__traceback__
    while tb is not None:
        if not _internal[tb.tb_frame.f_code.co_filename]:
            return False
        tb = tb.tb_next
    return True


def _note(error: BaseException, text: str) -> None:
    if text not in getattr(error, "__notes__", ()):
        error.add_note(text)


def api_boundary(fun: F) -> F:
    """Decorate a public function so that its errors show only the user's frames.

    A hot wrapper does the same by hand, without the extra call:
    `try: ... except Exception as e: filter_traceback(e); raise`.
    """

    @functools.wraps(fun)
    def api_boundary_wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return fun(*args, **kwargs)
        except Exception as error:
            # a bare raise adds no entry for this frame
            filter_traceback(error)
            raise

    api_boundary_wrapper.is_boundary = True  # type: ignore[attr-defined]
    return api_boundary_wrapper  # type: ignore[return-value]


def guarded(value: Any, module: str) -> Any:
    """A function of a public module as users get it: with an api_boundary.

    Asked twice, it gives the same function; what is no function, or guards itself,
    stays as it is.
    """
    if type(value) is not types.FunctionType or hasattr(value, "is_boundary"):
        return value
    try:
        return value.guarded  # type: ignore[attr-defined]
    except AttributeError:
        pass
    guard = api_boundary(value)
    guard.__module__ = module  # so that it is pickled under its public name
    value.guarded = guard  # type: ignore[attr-defined]
    return guard


def unguarded(value: Any) -> Any:
    """The function inside what `guarded` made; anything else as it is."""
    inner = getattr(value, "__wrapped__", None)
    return inner if getattr(inner, "guarded", None) is value else value


def guard_names(namespace: dict[str, Any]) -> None:
    """Guard the functions that a public module offers, given its globals."""
    public = [name for name in namespace if not name.startswith("_")]
    for name in namespace.get("__all__", public):
        if name in namespace:
            namespace[name] = guarded(namespace[name], namespace["__name__"])
