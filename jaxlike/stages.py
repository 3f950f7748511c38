"""The stages of compilation, under the names of jax.stages."""

from jaxlike.transforms.stages import ArgInfo as ArgInfo
from jaxlike.transforms.stages import Compiled as Compiled
from jaxlike.transforms.stages import CompilerOptions as CompilerOptions
from jaxlike.transforms.stages import Lowered as Lowered
from jaxlike.transforms.stages import Traced as Traced
from jaxlike.transforms.stages import Wrapped as Wrapped
