"""Printing and callbacks from traced code, under the names of jax.debug."""

from __future__ import annotations

import string
import sys
from collections.abc import Callable
from typing import Any

from jaxlike.core.effects import DebugEffect as DebugEffect
from jaxlike.core.effects import OrderedDebugEffect as OrderedDebugEffect
from jaxlike.primitives.callbacks import debug_callback as callback


class _Checker(string.Formatter):
    """Checks that a format string and its arguments fit, without the values."""

    def check_unused_args(self, used_args, args, kwargs):
        unused = [a for i, a in enumerate(args) if i not in used_args]
        extra = [k for k in kwargs if k not in used_args]
        if unused:
            raise ValueError(f"Unused positional arguments: {unused}")
        if extra:
            raise ValueError(f"Unused keyword arguments: {extra}")

    def format_field(self, value, format_spec):
        return ""

    def convert_field(self, value, conversion):
        return value


def print(  # the name of jax.debug.print
    fmt: str,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    _use_logging: bool = False,
    **kwargs: Any,
) -> None:
    """Print values when the traced code runs.

    Args:
      fmt: a format string as of str.format: "x = {x}, {}".
      *args, **kwargs: pytrees of arrays, or other values, to be put in.
      ordered: keep the order among ordered prints.
    Raises:
      ValueError: an argument that the format does not use.

    >>> import jaxlike
    >>> jaxlike.jit(lambda x: jaxlike.debug.print("x = {}", x))(3)
    x = 3
    """
    if not isinstance(fmt, str):
        raise TypeError(f"fmt must be a str, got {type(fmt)}")
    if not skip_format_check:
        _Checker().vformat(fmt, args, kwargs)

    def write(*values, **named):
        sys.stdout.write(fmt.format(*values, **named) + "\n")

    callback(write, *args, ordered=ordered, **kwargs)


def log(fmt: str, *args: Any, **kwargs: Any) -> None:
    """As `print`, through the logger "jaxlike.debug"."""
    import logging

    logger = logging.getLogger("jaxlike.debug")
    callback(lambda *a, **k: logger.info(fmt.format(*a, **k)), *args, **kwargs)


def breakpoint(*, ordered: bool = False, **_: Any) -> None:
    """Enter pdb when the traced code gets here; the caller's frame is one `up`."""
    import pdb

    callback(lambda: pdb.Pdb().set_trace(sys._getframe(1)), ordered=ordered)


def inspect_array_sharding(value: Any, *, callback: Callable[[Any], None]) -> None:
    """Call `callback` with the sharding of a value when the traced code runs."""
    from jaxlike.primitives.callbacks import debug_callback

    debug_callback(lambda v: callback(v.sharding), value)
