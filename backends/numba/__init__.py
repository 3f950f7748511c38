"""Floor 3: the numba part of the backends.

May import jaxlike.core, primitives, transforms and its neighbours in backends.
"""
