"""Floor 3: the structural primitives (cond, while, scan and what is built on them).

May import jaxlike.core, jaxlike.primitives and jaxlike.transforms.
"""
