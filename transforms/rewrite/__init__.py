"""Floor 2: the jaxpr-to-jaxpr passes (inline, dce, cse, fold, simplify).

May import jaxlike.core and jaxlike.primitives.
"""
