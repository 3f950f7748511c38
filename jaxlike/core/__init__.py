"""Floor 0: avals, jaxprs, tracing, pytrees, config, errors and Array.

May import NumPy and ml_dtypes; nothing else of jaxlike.
"""
