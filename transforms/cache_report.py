"""Why a jitted function is traced again: jax_explain_cache_misses and jax_log_compiles.

Messages go to the logger "jaxlike.jit", as warnings.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from jaxlike.core import source_info
from jaxlike.transforms.arguments import fun_name

logger = logging.getLogger("jaxlike.jit")


def report_miss(fun: Callable, key: tuple, known: Iterable[tuple]) -> None:
    """Log how this signature differs from the nearest one that was traced before."""
    place = source_info.summarize(source_info.here())
    head = f"TRACING CACHE MISS at {place}: {fun_name(fun)}"
    candidates = [_differences(key, old) for old in known]
    if not candidates:
        logger.warning("%s has not been traced before", head)
        return
    nearest = min(candidates, key=len)
    logger.warning("%s differs from an earlier call:\n  %s", head, "\n  ".join(nearest))


def report_compile(name: str, avals: Iterable[Any], seconds: float) -> None:
    """Log that a function was compiled, for which types, and how long it took."""
    types = ", ".join(map(str, avals))
    logger.warning("Compiled %s for (%s) in %.3f s", name, types, seconds)


def _differences(new: tuple, old: tuple) -> list[str]:
    """What distinguishes two signatures, a line each."""
    (tree, avals, static, context, *axes) = new
    (old_tree, old_avals, old_static, old_context, *old_axes) = old
    found = []
    if tree != old_tree:
        found.append(f"the arguments' structure is {tree}, it was {old_tree}")
    elif avals != old_avals:
        found += [
            f"leaf {i} is {_typed(a)}, it was {_typed(b)}"
            for i, (a, b) in enumerate(zip(avals, old_avals))
            if a is not b
        ]
    if static != old_static:
        found.append(
            f"static arguments are {_values(static)}, they were {_values(old_static)}"
        )
    if context != old_context:
        found.append("settings that change tracing differ (x64, precision, ...)")
    if axes != old_axes:
        found.append(f"named axes in scope are {axes}, they were {old_axes}")
    return found or ["the function object is the same, its signature too"]


def _typed(aval: Any) -> str:
    return f"{aval}{' (weak)' if getattr(aval, 'weak_type', False) else ''}"


def _values(static: tuple) -> str:
    return "{" + ", ".join(f"{k}: {s.value!r}" for k, s in static) + "}"
