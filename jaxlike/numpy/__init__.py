"""jax.numpy's functions: NumPy's API over the primitives, with JAX's dtypes.

May import core, primitives, transforms and control_flow; never nn, random or scipy.
"""
