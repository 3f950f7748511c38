"""What a jaxpr runs as: kernels, and equations to be called, in order."""

from __future__ import annotations

from jaxlike.backends.plan.access import is_layout, leaves
from jaxlike.backends.plan.clusters import Cluster, Fusion
from jaxlike.backends.plan.indexing_updates import lower_update
from jaxlike.backends.plan.inlining import inline_producers
from jaxlike.backends.plan.library import Lower, lower_library
from jaxlike.backends.plan.lowering import Lowered, lower_cluster
from jaxlike.backends.plan.placing import place_products
from jaxlike.core.jaxpr import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var
from jaxlike.core.primitive import registry


class Schedule:
    """The steps of a prepared jaxpr.

    steps: kernels, and equations that are calls. stored: the variables that kernels
    write. fusion: what was decided on the way. lower: the kernels of an equation that
    is not fused; None where it is a call.
    """

    def __init__(self, jaxpr: Jaxpr, name: str, lower: Lower = lower_library):
        self._lower = lower
        self.steps: list[Lowered | JaxprEqn] = []
        jaxpr = place_products(jaxpr)
        self.fusion = fusion = Fusion(jaxpr)
        inline_producers(fusion)
        needed = _needed_outside(fusion)
        position = {id(e): i for i, e in enumerate(jaxpr.eqns)}
        self._in_memory = {*jaxpr.constvars, *jaxpr.invars}
        for i, step in enumerate(fusion.order()):
            if not isinstance(step, Cluster):
                self._call(step)
                continue
            if step.update:
                if needed[step.number]:
                    self._kernels(lower_update(step, fusion.resolver, f"{name}_{i}"))
                continue
            lowered = lower_cluster(step, needed[step.number], position, f"{name}_{i}")
            if lowered.outputs:
                self._kernels([lowered])
        for v in jaxpr.outvars:
            if type(v) is not Literal:
                self._make_available(v)
        self.stored = {
            v for s in self.steps if isinstance(s, Lowered) for v in s.outputs
        }

    def _kernels(self, lowered: list[Lowered]) -> None:
        made = {v for low in lowered for v in low.outputs}
        for low in lowered:
            for v in low.inputs:
                if v not in made:
                    self._make_available(v)
        # all in one native run: some may write to one result together
        self._in_memory.update(made)
        self.steps += lowered

    def _call(self, eqn: JaxprEqn) -> None:
        lowered = self._lower(eqn, self.fusion.resolver)
        if lowered is not None:
            # the kernels before the last prepare its operands
            *before, last = lowered
            self._kernels([*before, last._replace(eqns=last.eqns or (eqn,))])
            return
        for v in eqn.invars:
            if type(v) is not Literal:
                self._make_available(v)
        self._in_memory.update(eqn.outvars)
        self.steps.append(eqn)

    def _make_available(self, var: Var) -> None:
        """Schedule the layout equations that give `var` as an array."""
        if var in self._in_memory:
            return
        eqn = self.fusion.defs[var]
        assert is_layout(eqn), f"{eqn.primitive} should have been scheduled"
        self._call(eqn)


def with_stored_outputs(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same jaxpr where each output is an equation's own: none is an input, a
    literal, a view, or another output again."""
    jaxpr = closed.jaxpr
    defs = {v: e for e in jaxpr.eqns for v in e.outvars}
    eqns, outvars, seen = list(jaxpr.eqns), [], set()
    for atom in jaxpr.outvars:
        eqn = defs.get(atom) if type(atom) is not Literal else None
        if eqn is None or is_layout(eqn) or atom in seen:
            copy = Var(atom.aval)
            params = {"new_dtype": atom.aval.dtype, "weak_type": False}
            params["sharding"] = None
            convert = registry["convert_element_type"]
            eqns.append(JaxprEqn([atom], [copy], convert, params))
            atom = copy
        seen.add(atom)
        outvars.append(atom)
    return ClosedJaxpr(jaxpr.replace(eqns=eqns, outvars=outvars), closed.consts)


def _needed_outside(fusion: Fusion) -> dict[int, set[Var]]:
    """For each cluster, by number, its variables that others read."""
    needed: dict[int, set[Var]] = {c.number: set() for c in fusion.clusters}
    owner = {e.outvars[0]: c.number for c in fusion.clusters for e in c.members}

    def read(var: Var, reader: int | None) -> None:
        number = owner.get(var)
        if number is not None and number != reader:
            needed[number].add(var)

    def read_array(atom) -> None:
        """An array of the value is wanted: so is the one that it is a view of."""
        while type(atom) is not Literal:
            read(atom, None)
            eqn = fusion.defs.get(atom)
            if eqn is None or not is_layout(eqn) or not eqn.invars:
                return
            atom = eqn.invars[0]

    for cluster in fusion.clusters:
        for eqn in cluster.members:
            for access in (x for a in cluster.operands[eqn] for x in leaves(a)):
                if isinstance(access.base, Var):
                    read(access.base, cluster.number)
                    if access.base not in owner:
                        read_array(access.base)
    for v in fusion.read_whole():
        read_array(v)
    return needed
