"""Branches of batched control flow: computed by the lanes that take them alone.

vmap of a cond computes every branch and selects. Where a branch is dear (a loop, or
much arithmetic), what leads from it to the select becomes one equation, a cond of one
branch, that is lowered lane by lane (loops_lanes.py): there the select is one scalar's,
and becomes a true branch (branches.py).
"""

from __future__ import annotations

import numpy as np

from jaxlike.backends.plan.access import is_layout
from jaxlike.backends.plan.branches import branch_selects
from jaxlike.backends.plan.clusters import is_elementwise, is_reduction
from jaxlike.backends.plan.loops import is_dear
from jaxlike.backends.plan.unbatch import Mixed, lane_of
from jaxlike.control_flow.cond_primitive import cond_p
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var

MIN_LANES = 8
_LOOPS = ("scan", "while")


def lane_regions(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same jaxpr with selects between dear branches, and these, as regions."""
    eqns = list(closed.eqns)
    kept = {v for v in closed.jaxpr.outvars if type(v) is not Literal}
    tried: set[JaxprEqn] = set()
    while True:
        found = next((e for e in reversed(eqns) if _chosen(e) and e not in tried), None)
        if found is None:
            break
        tried.add(found)
        eqns = _Region(eqns, kept, found).formed() or eqns
    if len(eqns) == len(closed.eqns):
        return closed
    return ClosedJaxpr(closed.jaxpr.replace(eqns=eqns), closed.consts)


def _chosen(eqn: JaxprEqn) -> bool:
    """Whether it is a select that each lane decides for itself."""
    if eqn.primitive.name != "select_n":
        return False
    which = eqn.invars[0].aval
    return which.ndim > 0 and which.shape[0] >= MIN_LANES


class _Region:
    """A select, those that the same array decides, and what only they need."""

    def __init__(self, eqns: list[JaxprEqn], kept: set[Var], select: JaxprEqn):
        self.eqns, self.kept = eqns, kept
        self.size = select.outvars[0].aval.shape[0]
        self.defs = {v: e for e in eqns for v in e.outvars}
        self.readers: dict[Var, list[int]] = {}
        for i, e in enumerate(eqns):
            for v in e.invars:
                if type(v) is not Literal:
                    self.readers.setdefault(v, []).append(i)
        which = self._decides(select)
        self.roots = [
            i for i, e in enumerate(eqns) if _chosen(e) and self._decides(e) is which
        ]
        self.last = max(self.roots)
        # what needs a root
        self.after: set[int] = set()
        outs = {v for i in self.roots for v in eqns[i].outvars}
        for i in range(min(self.roots), self.last + 1):
            if any(v in outs for v in eqns[i].invars if type(v) is not Literal):
                self.after.add(i)
                outs.update(eqns[i].outvars)
        self.members = set(self.roots)

    def _decides(self, select: JaxprEqn) -> Var:
        which = select.invars[0]
        eqn = self.defs.get(which)
        spread = eqn is not None and eqn.primitive.name == "broadcast_in_dim"
        return eqn.invars[0] if spread else which

    def formed(self) -> list[JaxprEqn] | None:
        """The equations with the region as one; None if no branch is dear."""
        if self.after & self.members:
            return None
        for i in range(self.last - 1, -1, -1):
            if self._joins(i):
                self.members.add(i)
        inside = [self.eqns[i] for i in sorted(self.members)]
        if not is_dear(inside):
            return None
        region = self._equation(inside)
        if not self._branches(region):
            return None
        others = [i for i in range(self.last) if i not in self.members]
        return [
            *(self.eqns[i] for i in others if i not in self.after),
            region,
            *(self.eqns[i] for i in others if i in self.after),
            *self.eqns[self.last + 1 :],
        ]

    def _joins(self, i: int) -> bool:
        """Whether only the region reads an equation, which lanes may hold."""
        eqn = self.eqns[i]
        if i in self.members or i in self.after or eqn.effects:
            return False
        for v in eqn.outvars:
            if v in self.kept or not self.members.issuperset(self.readers.get(v, ())):
                return False
        read = [v for v in eqn.outvars if v in self.readers]
        if not any(v.aval.shape[:1] == (self.size,) for v in read):
            return False
        name = eqn.primitive.name
        return (
            name in _LOOPS or is_elementwise(eqn) or is_layout(eqn) or is_reduction(eqn)
        )

    def _equation(self, inside: list[JaxprEqn]) -> JaxprEqn:
        made = {v for e in inside for v in e.outvars}
        reads = (v for e in inside for v in e.invars)
        free = (v for v in reads if type(v) is not Literal and v not in made)
        operands = list(dict.fromkeys(free))
        outs = [self.eqns[i].outvars[0] for i in self.roots]
        body = ClosedJaxpr(Jaxpr([], operands, outs, inside), [])
        index = Literal(np.int32(0), ShapedArray((), np.dtype(np.int32)))
        params = {"branches": (body,)}
        info = self.eqns[self.last].source_info
        return JaxprEqn([index, *operands], outs, cond_p, params, source_info=info)

    def _branches(self, region: JaxprEqn) -> bool:
        """Whether one lane of the region has a branch."""
        lane = region
        while lane.outvars[0].aval.ndim:
            try:
                lane, _, axes = lane_of(lane, lane.outvars[0].aval.shape[0])
            except Mixed:
                return False
            if axes[0] is None:
                return False
            (body,) = lane.params["branches"]
            if branch_selects(body, is_dear) is not body:
                return True
        return False
