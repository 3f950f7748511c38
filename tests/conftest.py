"""Settings of the whole test run: compiled kernels go to a folder of the tests' own."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault(
    "JAXLIKE_CACHE_DIR",
    str(Path(tempfile.gettempdir()) / f"jaxlike-tests-{os.getuid()}"),
)
os.environ.setdefault("JAX_PLATFORMS", "cpu")
