"""The passes that every jaxpr goes through before it is planned."""

from __future__ import annotations

from jaxlike.backends.plan.fourier import with_real_inputs
from jaxlike.backends.plan.random_bits import expand_random
from jaxlike.core.jaxpr import ClosedJaxpr
from jaxlike.transforms.rewrite.compose import compose
from jaxlike.transforms.rewrite.cse import cse
from jaxlike.transforms.rewrite.dce import dce
from jaxlike.transforms.rewrite.fold import fold_constants
from jaxlike.transforms.rewrite.inline import inline_calls
from jaxlike.transforms.rewrite.joins import expand_joins
from jaxlike.transforms.rewrite.laws import apply_laws
from jaxlike.transforms.rewrite.numbers import write_numbers
from jaxlike.transforms.rewrite.one_place import compare_places
from jaxlike.transforms.rewrite.simplify import simplify
from jaxlike.transforms.rewrite.wraps import drop_wraps

PASSES = (
    inline_calls,
    dce,
    fold_constants,
    expand_random,
    expand_joins,
    write_numbers,
    drop_wraps,
    compare_places,
    simplify,
    apply_laws,
    with_real_inputs,
    compose,
    cse,
    dce,
)


def prepare(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The jaxpr without calls, dead code, repetitions and what is known already."""
    for rewrite in PASSES:
        closed = rewrite(closed)
    return closed
