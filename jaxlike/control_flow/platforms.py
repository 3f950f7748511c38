"""platform_dependent: one of several implementations, by where the program runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxlike.core.devices import default_backend
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import api_boundary

__all__ = ["platform_dependent"]

# "gpu" stands for either of these, and they for it
_GPUS = ("cuda", "rocm")


@api_boundary
def platform_dependent(
    *args: Any, default: Callable | None = None, **per_platform: Callable
) -> Any:
    """Call the function that is given for the platform of the default backend.

    Args:
      args: what the function is called with.
      default: the function for platforms that are not named.
      per_platform: functions by platform: cpu, gpu, cuda, rocm, tpu.
    Returns:
      the function's result.
    Raises:
      NotImplementedError: the platform is not named, and there is no default.

    >>> from jaxlike import lax
    >>> lax.platform_dependent(3, cpu=lambda x: x + 1, default=lambda x: x)
    4
    """
    if default is None and not per_platform:
        raise TypeError(
            format_error("platform_dependent needs a function for some platform")
        )
    platform = default_backend()
    names = (platform, *_GPUS) if platform == "gpu" else (platform,)
    if platform in _GPUS:
        names = (platform, "gpu")
    for name in names:
        if name in per_platform:
            return per_platform[name](*args)
    if default is None:
        raise NotImplementedError(
            format_error(
                f"platform_dependent has no function for platform {platform}, only for "
                + ", ".join(per_platform),
                try_=f"{platform}= or default=",
            )
        )
    return default(*args)
