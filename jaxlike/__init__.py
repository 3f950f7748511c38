"""jaxlike: JAX's functional transformations on an XLA-free tracer.

This file is the public face (floor 5): it may import every floor below it.
"""

import importlib.util as _importlib_util

if _importlib_util.find_spec("jaxlike.transforms") is None:
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
from jaxlike.core.devices import Device as Device
from jaxlike.core.devices import default_backend as default_backend
from jaxlike.core.devices import device_count as device_count
from jaxlike.core.devices import devices as devices
from jaxlike.core.devices import host_count as host_count
from jaxlike.core.devices import host_id as host_id
from jaxlike.core.devices import host_ids as host_ids
from jaxlike.core.devices import local_device_count as local_device_count
from jaxlike.core.devices import local_devices as local_devices
from jaxlike.core.devices import process_count as process_count
from jaxlike.core.devices import process_index as process_index
from jaxlike.core.devices import process_indices as process_indices
from jaxlike.core.scalars import float0 as float0
from jaxlike.core.trace import ensure_compile_time_eval as ensure_compile_time_eval
from jaxlike.transforms.custom_jvp import custom_jvp as custom_jvp
from jaxlike.transforms.custom_vjp import custom_vjp as custom_vjp
from jaxlike.transforms.grad import grad as grad
from jaxlike.transforms.grad import jvp as jvp
from jaxlike.transforms.grad import linear_transpose as linear_transpose
from jaxlike.transforms.grad import linearize as linearize
from jaxlike.transforms.grad import value_and_grad as value_and_grad
from jaxlike.transforms.grad import vjp as vjp
from jaxlike.transforms.jacobian import hessian as hessian
from jaxlike.transforms.jacobian import jacfwd as jacfwd
from jaxlike.transforms.jacobian import jacobian as jacobian
from jaxlike.transforms.jacobian import jacrev as jacrev
from jaxlike.transforms.jit import clear_caches as clear_caches
from jaxlike.transforms.jit import jit as jit
from jaxlike.transforms.make_jaxpr import ShapeDtypeStruct as ShapeDtypeStruct
from jaxlike.transforms.make_jaxpr import eval_shape as eval_shape
from jaxlike.transforms.make_jaxpr import make_jaxpr as make_jaxpr
from jaxlike.transforms.remat import checkpoint as checkpoint
from jaxlike.transforms.remat import remat as remat
from jaxlike.transforms.transfer import block_until_ready as block_until_ready
from jaxlike.transforms.transfer import copy_to_host_async as copy_to_host_async
from jaxlike.transforms.transfer import device_get as device_get
from jaxlike.transforms.transfer import device_put as device_put
from jaxlike.transforms.transfer import live_arrays as live_arrays
from jaxlike.transforms.vmap import vmap as vmap

# the operators and methods of arrays
import jaxlike.numpy as numpy  # isort: skip
from jaxlike import lax as lax
from jaxlike import tree as tree
from jaxlike import tree_util as tree_util

__version__ = "0.1.0"

# imported when first asked for: they are not needed to trace and run a function
_LAZY_MODULES = frozenset(
    {
        "ad_checkpoint",
        "checkpoint_policies",
        "custom_batching",
        "custom_derivatives",
        "debug",
        "dlpack",
        "dtypes",
        "errors",
        "experimental",
        "extend",
        "flatten_util",
        "nn",
        "ops",
        "random",
        "sharding",
        "stages",
    }
)
# name: the module that holds it
_LAZY_NAMES = {
    "ds": "jaxlike.numpy.indexers",
    "closure_convert": "jaxlike.transforms.closure",
    "custom_gradient": "jaxlike.transforms.closure",
    "named_call": "jaxlike.transforms.closure",
    "named_scope": "jaxlike.transforms.closure",
    "pure_callback": "jaxlike.primitives.callbacks",
    "effects_barrier": "jaxlike.primitives.callbacks",
    "print_environment_info": "jaxlike.environment",
}


def __getattr__(name: str):
    import importlib

    if name in _LAZY_MODULES:
        return importlib.import_module(f"jaxlike.{name}")
    if name in _LAZY_NAMES:
        return getattr(importlib.import_module(_LAZY_NAMES[name]), name)
    from jaxlike.core import config as _config

    if name in _config.__dict__ and not name.startswith("_"):
        return _config.__dict__[name]
    raise AttributeError(f"module 'jaxlike' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_LAZY_MODULES, *_LAZY_NAMES})


def _numba_backend():
    from jaxlike.backends.numba.backend import NumbaBackend

    return NumbaBackend()


def _reference_backend():
    from jaxlike.backends.reference import ReferenceBackend

    return ReferenceBackend()


_register_backend("numba", _numba_backend, platform="cpu")
_register_backend("reference", _reference_backend)
