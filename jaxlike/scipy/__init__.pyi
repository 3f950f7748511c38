"""Floor 4: the parts of jax.scipy that programs start with, special and linalg."""

from jaxlike.scipy import linalg as linalg
from jaxlike.scipy import special as special
