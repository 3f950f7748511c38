"""Floor 4: the parts for those who write primitives and transforms of their own.

May import jaxlike.core.
"""

from jaxlike.extend import core as core
