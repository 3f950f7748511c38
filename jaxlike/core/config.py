"""Settings: `config`, and the context managers that change one in a block.

Global values are class attributes of a `threading.local`, overrides of a block are
instance attributes of the thread: a read is one attribute lookup either way.
The settings themselves are listed in `flags.py`.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jaxlike.core.flags import ALIASES, FLAGS, Flag

_MISSING = object()
_lock = threading.RLock()
_hooks: dict[str, list[Callable[[Any], None]]] = {}
_traced: list[str] = []
# attribute dicts of the threads that are inside a block right now
_overriding: dict[int, dict[str, Any]] = {}


class Config(threading.local):
    """The settings as attributes, with and without the prefix `jax_`.

    >>> from jaxlike.core.config import config, enable_x64
    >>> with enable_x64(True):
    ...     print(config.enable_x64, config.jax_enable_x64)
    True True
    """

    _trace_context: tuple[Any, ...] = ()

    def trace_context(self) -> tuple[Any, ...]:
        """Every setting that changes what tracing gives, as a cache key."""
        return self._trace_context

    def update(self, name: str, value: Any) -> None:
        """Set `name` for the whole process.

        Args:
          name: as in JAX, `jax_enable_x64`; the prefix may be left out.
          value: of the setting's type.
        Raises:
          AttributeError: there is no such setting.
          ValueError: the value is not one that it takes.

        >>> config.update("jax_enable_x64", False)
        """
        flag = FLAGS[canonical_name(name)]
        with _lock:
            _set_global(flag.name, checked(flag, value))
        _run_hooks(flag.name)

    def read(self, name: str) -> Any:
        """The value in force in this thread."""
        return getattr(self, canonical_name(name))

    @property
    def values(self) -> dict[str, Any]:
        """The process-wide values by JAX's names."""
        return {f"jax_{name}": getattr(Config, name) for name in FLAGS}

    def add_hook(self, name: str, hook: Callable[[Any], None]) -> None:
        """Call `hook(value)` whenever the value in force has changed."""
        _hooks.setdefault(canonical_name(name), []).append(hook)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"config.{name} cannot be assigned to; "
            f"write config.update({name!r}, {value!r})"
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self, canonical_name(name))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *FLAGS})


config = Config()


def canonical_name(name: str) -> str:
    """The name in `FLAGS`; AttributeError names the nearest settings."""
    short = name.removeprefix("jax_")
    short = ALIASES.get(short, short)
    if short in FLAGS:
        return short
    import difflib

    near = difflib.get_close_matches(short, FLAGS, n=3, cutoff=0.5)
    hint = ", ".join(f"jax_{n}" for n in near)
    raise AttributeError(
        f"unrecognized config option: {name}" + (f"; nearest: {hint}" if near else "")
    )


def checked(flag: Flag, value: Any) -> Any:
    return flag.check(value)


# equal contexts are one object, so that `is` can compare them
_contexts: dict[tuple[Any, ...], tuple[Any, ...]] = {}
_CONTEXTS_LIMIT = 1024


def _context_of(overrides: dict[str, Any]) -> tuple[Any, ...]:
    context = tuple(
        [
            overrides[name] if name in overrides else getattr(Config, name)
            for name in _traced
        ]
    )
    if len(_contexts) >= _CONTEXTS_LIMIT:
        _contexts.clear()
    return _contexts.setdefault(context, context)


def _set_global(name: str, value: Any) -> None:
    setattr(Config, name, value)
    setattr(Config, f"jax_{name}", value)
    if name in _traced:
        Config._trace_context = _context_of({})
        for overrides in list(_overriding.values()):
            overrides["_trace_context"] = _context_of(overrides)


def _run_hooks(name: str) -> None:
    for hook in _hooks.get(name, ()):
        hook(getattr(config, name))


def _enter(name: str, value: Any) -> None:
    here = config.__dict__
    here.setdefault("_stack", []).append((name, here.get(name, _MISSING)))
    here[name] = here[f"jax_{name}"] = value
    _overriding[threading.get_ident()] = here
    if name in _traced:
        here["_trace_context"] = _context_of(here)
    if name in _hooks:
        _run_hooks(name)


def _exit() -> None:
    here = config.__dict__
    name, previous = here["_stack"].pop()
    if previous is _MISSING:
        del here[name], here[f"jax_{name}"]
    else:
        here[name] = here[f"jax_{name}"] = previous
    if not here["_stack"]:
        _overriding.pop(threading.get_ident(), None)
        here.clear()
    elif name in _traced:
        here["_trace_context"] = _context_of(here)
    if name in _hooks:
        _run_hooks(name)


class Override:
    """`with Override(name, value):` sets a value in this thread; also a decorator."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: Any):
        self.name, self.value = name, value

    def __enter__(self) -> None:
        _enter(self.name, self.value)

    def __exit__(self, *_: Any) -> None:
        _exit()

    def __call__(self, fun: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fun)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            _enter(self.name, self.value)
            try:
                return fun(*args, **kwargs)
            finally:
                _exit()

        return wrapped


class ContextFlag:
    """A setting as the maker of its context managers: `enable_x64(True)`."""

    def __init__(self, name: str):
        flag = FLAGS[name]
        self.name = f"jax_{name}"
        self._flag = flag
        self.__name__ = self.__qualname__ = name
        self.__doc__ = f"{flag.doc} Takes {flag.accepts()}."

    def __call__(self, new_val: Any = _MISSING) -> Override:
        if new_val is _MISSING:
            if self._flag.kind is not bool:
                raise TypeError(
                    f"{self._flag.name}() needs the value to set: "
                    f"{self._flag.accepts()}"
                )
            new_val = True
        return Override(self._flag.name, checked(self._flag, new_val))

    @property
    def value(self) -> Any:
        """The value in force in this thread."""
        return getattr(config, self._flag.name)

    def get_global(self) -> Any:
        return getattr(Config, self._flag.name)

    def set_global(self, value: Any) -> None:
        config.update(self._flag.name, value)

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self._flag.name} is a context manager, not a value; "
            f"read config.jax_{self._flag.name}"
        )

    def __repr__(self) -> str:
        return f"<config option {self._flag.name}={self.value!r}>"


_user_numbers = itertools.count()


def make_user_context(default_value: Any = None) -> ContextFlag:
    """A setting of your own that compile caches take into account.

    Args:
      default_value: hashable.
    Returns:
      an object with `.value`; calling it gives a context manager.

    >>> dialect = make_user_context("plain")
    >>> with dialect("fancy"):
    ...     print(dialect.value)
    fancy
    """
    name = f"user_context_{next(_user_numbers)}"
    flag = Flag(name, object, default_value, "A user's context.", traced=True)
    flag.check(default_value)
    with _lock:
        FLAGS[name] = flag
        _traced.append(name)
        _set_global(name, default_value)
    return ContextFlag(name)


def disable_jit(disable: bool = True) -> Override:
    """Run functions under `jit` op by op inside this block, for pdb and print.

    Raises: ValueError if `disable` is not a bool.

    >>> with disable_jit():
    ...     print(config.disable_jit)
    True
    """
    return Override("disable_jit", checked(FLAGS["disable_jit"], disable))


@contextmanager
def transfer_guard(new_val: str) -> Iterator[None]:
    """Set what happens on transfers of every direction inside this block.

    Args:
      new_val: 'allow', 'log', 'disallow', 'log_explicit' or 'disallow_explicit'.

    >>> with transfer_guard("disallow"):
    ...     print(config.transfer_guard_host_to_device)
    disallow
    """
    names = [n for n in FLAGS if n.startswith("transfer_guard")]
    value = checked(FLAGS["transfer_guard"], new_val)
    for name in names:
        _enter(name, value)
    try:
        yield
    finally:
        for _ in names:
            _exit()


def _read_environment() -> None:
    for flag in list(FLAGS.values()):
        value = flag.default
        for variable in reversed(flag.env):
            text = os.environ.get(variable)
            if text is not None:
                value = flag.parse(text, variable)
        setattr(Config, flag.name, value)
        setattr(Config, f"jax_{flag.name}", value)
        if flag.traced:
            _traced.append(flag.name)
    Config._trace_context = _context_of({})


_read_environment()

enable_x64 = ContextFlag("enable_x64")
debug_nans = ContextFlag("debug_nans")
debug_infs = ContextFlag("debug_infs")
debug_key_reuse = ContextFlag("debug_key_reuse")

numpy_dtype_promotion = ContextFlag("numpy_dtype_promotion")
numpy_rank_promotion = ContextFlag("numpy_rank_promotion")
default_matmul_precision = ContextFlag("default_matmul_precision")
default_prng_impl = ContextFlag("default_prng_impl")
default_device = ContextFlag("default_device")
threefry_partitionable = ContextFlag("threefry_partitionable")
enable_custom_prng = ContextFlag("enable_custom_prng")
legacy_prng_key = ContextFlag("legacy_prng_key")
check_tracer_leaks = ContextFlag("check_tracer_leaks")
checking_leaks = functools.partial(check_tracer_leaks, True)
enable_checks = ContextFlag("enable_checks")
log_compiles = ContextFlag("log_compiles")
explain_cache_misses = ContextFlag("explain_cache_misses")
no_tracing = ContextFlag("no_tracing")
no_execution = ContextFlag("no_execution")
thread_guard = ContextFlag("thread_guard")
softmax_custom_jvp = ContextFlag("softmax_custom_jvp")
allow_f16_reductions = ContextFlag("allow_f16_reductions")
auto_pcast = ContextFlag("auto_pcast")
array_garbage_collection_guard = ContextFlag("array_garbage_collection_guard")
jax2tf_associative_scan_reductions = ContextFlag("jax2tf_associative_scan_reductions")
remove_size_one_mesh_axis_from_type = ContextFlag("remove_size_one_mesh_axis_from_type")
transfer_guard_host_to_device = ContextFlag("transfer_guard_host_to_device")
transfer_guard_device_to_device = ContextFlag("transfer_guard_device_to_device")
transfer_guard_device_to_host = ContextFlag("transfer_guard_device_to_host")
