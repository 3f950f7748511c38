"""Floor 4: the parts of jax.scipy that programs start with, special and linalg.

May import the floors below, jaxlike.lax, jaxlike.numpy and jaxlike.nn.
"""

from jaxlike.core.lazy import lazy_names

__getattr__, __dir__ = lazy_names(__name__, {}, ("linalg", "special"))
