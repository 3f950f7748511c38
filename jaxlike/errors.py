"""JAX's error classes under JAX's names; each docstring has a broken and a mended case.


from jaxlike.core.errors import ConcretizationTypeError as ConcretizationTypeError
from jaxlike.core.errors import (
    InconclusiveDimensionOperation as InconclusiveDimensionOperation,
)
from jaxlike.core.errors import JAXIndexError as JAXIndexError
from jaxlike.core.errors import JaxprTypeError as JaxprTypeError
from jaxlike.core.errors import JaxRuntimeError as JaxRuntimeError
from jaxlike.core.errors import JAXTypeError as JAXTypeError
from jaxlike.core.errors import KeyReuseError as KeyReuseError
from jaxlike.core.errors import (
    NonConcreteBooleanIndexError as NonConcreteBooleanIndexError,
)
from jaxlike.core.errors import TracerArrayConversionError as TracerArrayConversionError
from jaxlike.core.errors import TracerBoolConversionError as TracerBoolConversionError
from jaxlike.core.errors import (
    TracerIntegerConversionError as TracerIntegerConversionError,
)
from jaxlike.core.errors import UnexpectedTracerError as UnexpectedTracerError

__all__ = [
    "ConcretizationTypeError",
    "InconclusiveDimensionOperation",
    "JAXIndexError",
    "JAXTypeError",
    "JaxRuntimeError",
    "JaxprTypeError",
    "KeyReuseError",
    "NonConcreteBooleanIndexError",
    "TracerArrayConversionError",
    "TracerBoolConversionError",
    "TracerIntegerConversionError",
    "UnexpectedTracerError",
]
