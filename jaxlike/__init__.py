"""jaxlike: JAX's functional transformations on an XLA-free tracer.

This file is the public face (floor 5): it may import every floor below it.
"""
