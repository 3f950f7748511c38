"""Floor 0: avals, jaxprs, tracing, pytrees, config, errors and Array.

May import NumPy, ml_dtypes and optree; nothing else of jaxlike.
"""
