"""Floor 4: random keys and samplers, as in jax.random.

May import core, primitives, transforms, control_flow, lax and numpy.
"""

from jaxlike.core.source_info import guard_names as _guard_names
from jaxlike.primitives.random_gamma import random_gamma_p as random_gamma_p
from jaxlike.random.continuous import cauchy as cauchy
from jaxlike.random.continuous import double_sided_maxwell as double_sided_maxwell
from jaxlike.random.continuous import exponential as exponential
from jaxlike.random.continuous import gumbel as gumbel
from jaxlike.random.continuous import laplace as laplace
from jaxlike.random.continuous import logistic as logistic
from jaxlike.random.continuous import lognormal as lognormal
from jaxlike.random.continuous import maxwell as maxwell
from jaxlike.random.continuous import normal as normal
from jaxlike.random.continuous import pareto as pareto
from jaxlike.random.continuous import rayleigh as rayleigh
from jaxlike.random.continuous import triangular as triangular
from jaxlike.random.continuous import truncated_normal as truncated_normal
from jaxlike.random.continuous import wald as wald
from jaxlike.random.continuous import weibull_min as weibull_min
from jaxlike.random.counts import binomial as binomial
from jaxlike.random.counts import multinomial as multinomial
from jaxlike.random.counts import poisson as poisson
from jaxlike.random.discrete import categorical as categorical
from jaxlike.random.discrete import choice as choice
from jaxlike.random.discrete import geometric as geometric
from jaxlike.random.discrete import permutation as permutation
from jaxlike.random.elementary import bernoulli as bernoulli
from jaxlike.random.elementary import bits as bits
from jaxlike.random.elementary import rademacher as rademacher
from jaxlike.random.elementary import randint as randint
from jaxlike.random.elementary import uniform as uniform
from jaxlike.random.gamma_family import ball as ball
from jaxlike.random.gamma_family import beta as beta
from jaxlike.random.gamma_family import chisquare as chisquare
from jaxlike.random.gamma_family import dirichlet as dirichlet
from jaxlike.random.gamma_family import f as f
from jaxlike.random.gamma_family import gamma as gamma
from jaxlike.random.gamma_family import generalized_normal as generalized_normal
from jaxlike.random.gamma_family import loggamma as loggamma
from jaxlike.random.gamma_family import t as t
from jaxlike.random.keys import PRNGKey as PRNGKey
from jaxlike.random.keys import clone as clone
from jaxlike.random.keys import fold_in as fold_in
from jaxlike.random.keys import key as key
from jaxlike.random.keys import key_data as key_data
from jaxlike.random.keys import key_dtype as key_dtype
from jaxlike.random.keys import key_impl as key_impl
from jaxlike.random.keys import split as split
from jaxlike.random.keys import wrap_key_data as wrap_key_data
from jaxlike.random.vectors import multivariate_normal as multivariate_normal
from jaxlike.random.vectors import orthogonal as orthogonal

_guard_names(globals())
