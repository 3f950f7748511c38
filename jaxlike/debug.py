"""Printing and callbacks from traced code, under the names of jax.debug."""

from __future__ import annotations

import functools
import logging
import string
import sys
from collections.abc import Callable
from typing import Any

from jaxlike.core.effects import DebugEffect as DebugEffect
from jaxlike.core.effects import OrderedDebugEffect as OrderedDebugEffect
from jaxlike.core.errors import format_error
from jaxlike.primitives.callbacks import debug_callback as callback


class _Checker(string.Formatter):
    """Checks that a format string and its arguments fit, without the values."""

    def check_unused_args(self, used_args, args, kwargs):
        unused = [a for i, a in enumerate(args) if i not in used_args]
        extra = [k for k in kwargs if k not in used_args]
        if unused:
            raise ValueError(format_error(f"Unused positional arguments: {unused}"))
        if extra:
            raise ValueError(format_error(f"Unused keyword arguments: {extra}"))

    def format_field(self, value, format_spec):
        return ""

    def convert_field(self, value, conversion):
        return value


def print(  # the name of jax.debug.print
    fmt: str | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    _use_logging: bool = False,
    **kwargs: Any,
) -> Callable[..., None] | None:
    """Print values when the traced code runs.

    Args:
      fmt: a format string as of str.format: "x = {x}, {}". Without one, what comes
        back is a print function with the options given, whose keywords are all values:
        `jaxlike.debug.print(ordered=True)("x = {x}", x=x)`.
      *args, **kwargs: pytrees of arrays, or other values, to be put in.
      ordered: keep the order among ordered prints.
      partitioned: each device prints its own shard; there is one device so far.
      skip_format_check: leave a format that does not fit its values to the run.
    Raises:
      ValueError: an argument that the format does not use.

    >>> import jaxlike
    >>> jaxlike.jit(lambda x: jaxlike.debug.print("x = {}", x))(3)
    x = 3
    """

    def print_values(fmt: str, /, *args: Any, **kwargs: Any) -> None:
        if not isinstance(fmt, str):
            raise TypeError(format_error(f"fmt must be a str, got {type(fmt)}"))
        if not skip_format_check:
            _Checker().vformat(fmt, args, kwargs)

        def write(*values, **named):
            text = fmt.format(*values, **named)
            if _use_logging:
                logging.getLogger("jaxlike.debug").info(text)
            else:
                sys.stdout.write(text + "\n")

        callback(ordered=ordered)(write, *args, **kwargs)

    if fmt is None:
        if args or kwargs:
            raise TypeError(
                format_error(
                    "debug.print without a format takes its options alone, and gave a "
                    f"function that takes the values; got {args} and {kwargs} besides"
                )
            )
        return print_values
    print_values(fmt, *args, **kwargs)
    return None


log = functools.partial(print, _use_logging=True)
functools.update_wrapper(log, print)
log.__doc__ = """As `print`, through the logger "jaxlike.debug"."""


def breakpoint(*, ordered: bool = False, **_: Any) -> None:
    """Enter pdb when the traced code gets here; the caller's frame is one `up`."""
    import pdb

    callback(lambda: pdb.Pdb().set_trace(sys._getframe(1)), ordered=ordered)


def inspect_array_sharding(value: Any, *, callback: Callable[[Any], None]) -> None:
    """Call `callback` with the sharding of a value when the traced code runs."""
    from jaxlike.primitives.callbacks import debug_callback

    debug_callback(lambda v: callback(v.sharding), value)
