"""Jaxprs and primitives, under the names of jax.extend.core."""

from jaxlike.core.avals import AbstractToken as AbstractToken
from jaxlike.core.check import check_jaxpr as check_jaxpr
from jaxlike.core.effects import Effect as Effect
from jaxlike.core.errors import JaxprTypeError as JaxprTypeError
from jaxlike.core.jaxpr import ClosedJaxpr as ClosedJaxpr
from jaxlike.core.jaxpr import DebugInfo as DebugInfo
from jaxlike.core.jaxpr import DropVar as DropVar
from jaxlike.core.jaxpr import Jaxpr as Jaxpr
from jaxlike.core.jaxpr import JaxprEqn as JaxprEqn
from jaxlike.core.jaxpr import Literal as Literal
from jaxlike.core.jaxpr import Var as Var
from jaxlike.core.jaxpr import jaxpr_as_fun as jaxpr_as_fun
from jaxlike.core.jaxpr import jaxprs_in_params as jaxprs_in_params
from jaxlike.core.jaxpr import new_jaxpr_eqn as new_jaxpr_eqn
from jaxlike.core.jaxpr import subjaxprs as subjaxprs
from jaxlike.core.primitive import Primitive as Primitive
from jaxlike.core.primitive import no_effects as no_effects
from jaxlike.core.trace import concrete_or_error as concrete_or_error
from jaxlike.core.trace import set_current_trace as set_current_trace
