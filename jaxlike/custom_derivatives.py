"""Custom differentiation rules, under the names of jax.custom_derivatives."""

from jaxlike.transforms.closure import closure_convert as closure_convert
from jaxlike.transforms.closure import custom_gradient as custom_gradient
from jaxlike.transforms.closure import linear_call as linear_call
from jaxlike.transforms.custom_common import SymbolicZero as SymbolicZero
from jaxlike.transforms.custom_common import zero_from_primal as zero_from_primal
from jaxlike.transforms.custom_jvp import custom_jvp as custom_jvp
from jaxlike.transforms.custom_jvp import custom_jvp_call_p as custom_jvp_call_p
from jaxlike.transforms.custom_vjp import CustomVJPPrimal as CustomVJPPrimal
from jaxlike.transforms.custom_vjp import custom_vjp as custom_vjp
from jaxlike.transforms.custom_vjp import custom_vjp_call_p as custom_vjp_call_p
from jaxlike.transforms.custom_vjp import (
    custom_vjp_primal_tree_values as custom_vjp_primal_tree_values,
)
