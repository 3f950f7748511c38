"""Floor 3: the reference backend, which runs jaxprs equation by equation with NumPy.

May import jaxlike.core.
"""

from jaxlike.backends.reference.backend import ReferenceBackend, ReferenceExecutable

__all__ = ["ReferenceBackend", "ReferenceExecutable"]
