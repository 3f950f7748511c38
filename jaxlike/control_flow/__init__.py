"""Floor 3: the structural primitives (cond, while, scan and what is built on them).

May import jaxlike.core, jaxlike.primitives and jaxlike.transforms.
"""

from jaxlike.core.lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "jaxlike.control_flow.cond": "switch",
        "jaxlike.control_flow.platforms": "platform_dependent",
        "jaxlike.control_flow.scan": "map",
        "jaxlike.control_flow.solves": "custom_linear_solve custom_root",
        "jaxlike.control_flow.while_loop": "fori_loop",
    },
)
