"""Floor 1: the leaf primitives, one family a file, each with all of its rules.

May import jaxlike.core and its neighbours here; never a transform or a backend.
"""
