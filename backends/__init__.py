"""Floor 3: what runs jaxprs: reference (NumPy), numba (CPU), and their shared plan.

May import jaxlike.core, primitives and transforms; installs as jaxlike.backends.
"""

if __name__ != "jaxlike.backends":
    raise ImportError(
        "the folder backends/ is installed as the package jaxlike.backends: "
        "write `import jaxlike.backends` (after `pip install -e .`)"
    )
