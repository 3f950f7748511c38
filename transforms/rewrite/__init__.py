"""Floor 2: the jaxpr-to-jaxpr passes (inline, dce, fold, simplify, laws, compose, cse).

May import jaxlike.core and jaxlike.primitives.
"""
