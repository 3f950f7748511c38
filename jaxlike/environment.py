"""What runs here: versions and devices, for bug reports."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version


def print_environment_info(return_string: bool = False) -> str | None:
    """Print the versions of what jaxlike stands on, and the devices.

    Args:
      return_string: return the text in place of printing it.

    >>> import jaxlike
    >>> "numpy" in jaxlike.print_environment_info(return_string=True)
    True
    """
    from jaxlike.core.backend_registry import default_backend_name
    from jaxlike.core.devices import devices

    lines = []
    for package in ("jaxlike", "numpy", "scipy", "numba", "llvmlite", "ml_dtypes"):
        try:
            lines.append(f"{package + ':':12} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{package + ':':12} not installed")
    lines.append(f"{'python:':12} {sys.version.split()[0]}")
    lines.append(f"{'platform:':12} {platform.platform()}")
    lines.append(f"{'backend:':12} {default_backend_name()}")
    lines.append(f"{'devices:':12} {', '.join(map(str, devices()))}")
    text = "\n".join(lines)
    if return_string:
        return text
    print(text)
    return None
