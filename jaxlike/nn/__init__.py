"""Floor 4: activations, normalisation, attention and initialisers of neural networks.

May import the floors below and jaxlike.numpy; initializers also jaxlike.random.
"""

from jaxlike.core.source_info import guard_names as _guard_names
from jaxlike.nn.activations import celu as celu
from jaxlike.nn.activations import elu as elu
from jaxlike.nn.activations import gelu as gelu
from jaxlike.nn.activations import glu as glu
from jaxlike.nn.activations import hard_sigmoid as hard_sigmoid
from jaxlike.nn.activations import hard_silu as hard_silu
from jaxlike.nn.activations import hard_swish as hard_swish
from jaxlike.nn.activations import hard_tanh as hard_tanh
from jaxlike.nn.activations import identity as identity
from jaxlike.nn.activations import leaky_relu as leaky_relu
from jaxlike.nn.activations import log1mexp as log1mexp
from jaxlike.nn.activations import log_sigmoid as log_sigmoid
from jaxlike.nn.activations import mish as mish
from jaxlike.nn.activations import relu as relu
from jaxlike.nn.activations import relu6 as relu6
from jaxlike.nn.activations import selu as selu
from jaxlike.nn.activations import sigmoid as sigmoid
from jaxlike.nn.activations import silu as silu
from jaxlike.nn.activations import soft_sign as soft_sign
from jaxlike.nn.activations import softplus as softplus
from jaxlike.nn.activations import sparse_plus as sparse_plus
from jaxlike.nn.activations import sparse_sigmoid as sparse_sigmoid
from jaxlike.nn.activations import squareplus as squareplus
from jaxlike.nn.activations import swish as swish
from jaxlike.nn.attention import dot_product_attention as dot_product_attention
from jaxlike.nn.normalisation import log_softmax as log_softmax
from jaxlike.nn.normalisation import logmeanexp as logmeanexp
from jaxlike.nn.normalisation import logsumexp as logsumexp
from jaxlike.nn.normalisation import one_hot as one_hot
from jaxlike.nn.normalisation import softmax as softmax
from jaxlike.nn.normalisation import standardize as standardize
from jaxlike.numpy import tanh as tanh


def __getattr__(name: str):
    if name == "initializers":
        import importlib

        return importlib.import_module("jaxlike.nn.initializers")
    raise AttributeError(f"module 'jaxlike.nn' has no attribute {name!r}")


_guard_names(globals())
