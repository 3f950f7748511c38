"""Floor 0: avals, jaxprs, tracing, pytrees, config, errors and Array.

May import NumPy and ml_dtypes; nothing else of jaxlike. The names of jax.core are
offered here too.
"""

from jaxlike.core.lazy import lazy_names

_NAMES = {
    "jaxlike.core.avals": "AbstractValue ShapedArray",
    "jaxlike.core.jaxpr": "Atom eval_jaxpr",
    "jaxlike.core.trace": (
        "Trace Tracer ensure_compile_time_eval ensure_compile_time_eval:eval_context"
    ),
}
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
