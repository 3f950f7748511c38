"""jaxlike: JAX's functional transformations on an XLA-free tracer.

This file is the public face (floor 5): it may import every floor below it. What it
offers is imported when it is first asked for; __init__.pyi lists it for tools.
"""

import importlib.util as _util
from importlib import import_module as _import_module

if _util.find_spec("jaxlike.transforms") is None:
    raise ImportError(
        "jaxlike is not installed, only its source folder was found: run "
        "`pip install -e .` in the repository's root"
    )

from jaxlike.core.array import Array as Array
from jaxlike.core.avals import typeof as typeof
from jaxlike.core.backend_registry import register_backend as _register_backend
from jaxlike.core.config import config as config
from jaxlike.core.config import debug_infs as debug_infs
from jaxlike.core.config import debug_nans as debug_nans
from jaxlike.core.config import default_matmul_precision as default_matmul_precision
from jaxlike.core.config import disable_jit as disable_jit
from jaxlike.core.config import enable_x64 as enable_x64
from jaxlike.core.lazy import lazy_names as _lazy_names
from jaxlike.core.scalars import float0 as float0
from jaxlike.core.trace import ensure_compile_time_eval as ensure_compile_time_eval

__version__ = "0.1.0"

_NAMES = {
    "jaxlike.core.devices": (
        "Device default_backend device_count devices host_count host_id host_ids "
        "local_device_count local_devices process_count process_index process_indices"
    ),
    "jaxlike.environment": "print_environment_info",
    "jaxlike.numpy.indexers": "ds",
    "jaxlike.primitives.callbacks": "effects_barrier pure_callback",
    "jaxlike.transforms.closure": (
        "closure_convert custom_gradient named_call named_scope"
    ),
    "jaxlike.transforms.custom_jvp": "custom_jvp",
    "jaxlike.transforms.custom_vjp": "custom_vjp",
    "jaxlike.transforms.grad": "grad value_and_grad",
    "jaxlike.transforms.jacobian": "hessian jacfwd jacobian jacrev",
    "jaxlike.transforms.jit": "clear_caches jit",
    "jaxlike.transforms.make_jaxpr": "ShapeDtypeStruct eval_shape make_jaxpr",
    "jaxlike.transforms.pushforward": "jvp linearize",
    "jaxlike.transforms.remat": "checkpoint remat",
    "jaxlike.transforms.transfer": (
        "block_until_ready copy_to_host_async device_get device_put live_arrays"
    ),
    "jaxlike.transforms.vjp": "linear_transpose vjp",
    "jaxlike.transforms.vmap": "vmap",
}
_SUBMODULES = (
    "ad_checkpoint",
    "checkpoint_policies",
    "core",
    "custom_batching",
    "custom_derivatives",
    "debug",
    "dlpack",
    "dtypes",
    "errors",
    "experimental",
    "extend",
    "flatten_util",
    "lax",
    "nn",
    "numpy",
    "ops",
    "profiler",
    "random",
    "scipy",
    "sharding",
    "stages",
    "tree",
    "tree_util",
    "typing",
)
_lookup, __dir__ = _lazy_names(__name__, _NAMES, _SUBMODULES)


def __getattr__(name: str):
    if not name.startswith("_"):
        # before anything makes an array: its operators and methods
        _import_module("jaxlike.numpy")
    try:
        return _lookup(name)
    except AttributeError:
        from jaxlike.core import config as settings

        # the context managers of the settings
        if name.startswith("_") or name not in vars(settings):
            raise
        return vars(settings)[name]


def _numba_backend():
    from jaxlike.backends.numba.backend import NumbaBackend

    return NumbaBackend()


def _reference_backend():
    from jaxlike.backends.reference import ReferenceBackend

    return ReferenceBackend()


_register_backend("numba", _numba_backend, platform="cpu")
_register_backend("reference", _reference_backend)
