"""Floor 4: what JAX keeps under jax.experimental.

May import the floors below.
"""

from jaxlike.core.config import enable_x64 as enable_x64
from jaxlike.primitives.callbacks import io_callback as io_callback
