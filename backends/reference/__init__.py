"""Floor 3: the reference part of the backends.

May import jaxlike.core, primitives, transforms and its neighbours in backends.
"""
