"""Floor 2: the interpreters that rewrite jaxprs (jvp, linearize, transpose, vmap, jit).

May import jaxlike.core and jaxlike.primitives; installs as jaxlike.transforms.
"""

if __name__ != "jaxlike.transforms":
    raise ImportError(
        "the folder transforms/ is installed as the package jaxlike.transforms: "
        "write `import jaxlike.transforms` (after `pip install -e .`)"
    )
