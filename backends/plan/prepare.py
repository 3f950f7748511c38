"""The passes that every jaxpr goes through before it is planned."""

from __future__ import annotations

from jaxlike.core.jaxpr import ClosedJaxpr
from jaxlike.transforms.rewrite.cse import cse
from jaxlike.transforms.rewrite.dce import dce
from jaxlike.transforms.rewrite.inline import inline_calls
from jaxlike.transforms.rewrite.simplify import simplify

PASSES = (inline_calls, dce, simplify, cse, dce)


def prepare(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The jaxpr without calls, dead code and repetitions."""
    for rewrite in PASSES:
        closed = rewrite(closed)
    return closed
