"""Selects between dear values become conds, so that only what is taken is computed.

b = scan[...] a
c = select_n p a b
    -->  e:i32[] = convert_element_type p
         c = cond[branches=({ lambda ; a. let in (a,) }
                            { lambda ; a. let b = scan[...] a in (b,) })] e a

Only where one scalar decides, and for what nothing else reads: one lane of a cond under
vmap, which computes all branches and selects (backends/plan/unbatch.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jaxlike.control_flow.cond_primitive import cond_p
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var
from jaxlike.core.primitive import registry


def branch_selects(
    closed: ClosedJaxpr, dear: Callable[[Sequence[JaxprEqn]], bool]
) -> ClosedJaxpr:
    """The same jaxpr with conds for selects of which a case is dear to compute."""
    eqns = list(closed.eqns)
    kept = {v for v in closed.jaxpr.outvars if type(v) is not Literal}
    at = len(eqns) - 1
    while at >= 0:
        made = None
        if eqns[at].primitive.name == "select_n":
            made = _Selects(eqns, kept, at).branched(dear)
        at = at - 1 if made is None else len(made) - 1
        eqns = made or eqns
    if len(eqns) == len(closed.eqns):
        return closed
    return ClosedJaxpr(closed.jaxpr.replace(eqns=eqns), closed.consts)


class _Selects:
    """A select, and those before it that the same scalar decides."""

    def __init__(self, eqns: list[JaxprEqn], kept: set[Var], last: int):
        self.eqns, self.last = eqns, last
        self.defs = {v: i for i, e in enumerate(eqns) for v in e.outvars}
        self.readers: dict[Var, list[int]] = {v: [len(eqns)] for v in kept}
        for i, e in enumerate(eqns):
            for v in e.invars:
                if type(v) is not Literal:
                    self.readers.setdefault(v, []).append(i)
        self.which = self._predicate(eqns[last])
        self.cases = range(1, len(eqns[last].invars))
        self.group = [
            i
            for i in range(last + 1)
            if eqns[i].primitive.name == "select_n"
            and len(eqns[i].invars) == len(eqns[last].invars)
            and self._predicate(eqns[i]) is self.which
        ]
        # what needs one of the selects
        self.after: set[int] = set()
        outs = {v for i in self.group for v in eqns[i].outvars}
        for i in range(min(self.group, default=last), last + 1):
            if any(v in outs for v in eqns[i].invars if type(v) is not Literal):
                self.after.add(i)
                outs.update(eqns[i].outvars)

    def _predicate(self, select: JaxprEqn) -> Var | None:
        which = select.invars[0]
        if type(which) is Var and which in self.defs:
            made = self.eqns[self.defs[which]]
            if made.primitive.name == "broadcast_in_dim":
                which = made.invars[0]
        return which if type(which) is Var and which.aval.shape == () else None

    def branched(self, dear) -> list[JaxprEqn] | None:
        """The equations with a cond in place of the selects; None if it does not pay,
        or if a select needs another."""
        if self.which is None or self.after & set(self.group):
            return None
        slices = [self._own(case) for case in self.cases]
        if not any(dear([self.eqns[i] for i in own]) for own in slices):
            return None
        gone = {i for own in slices for i in own} | set(self.group)
        order = [i for i in range(self.last) if i not in gone | self.after]
        late = [i for i in range(self.last) if i in self.after - gone]
        return [
            *(self.eqns[i] for i in order),
            *self._cond(slices),
            *(self.eqns[i] for i in late),
            *self.eqns[self.last + 1 :],
        ]

    def _own(self, case: int) -> list[int]:
        """The equations that only this case needs, in order."""
        own: set[int] = set()

        def only_here(v: Var) -> bool:
            return all(
                i in own
                or (
                    i in self.group
                    and all(
                        x is not v or k == case
                        for k, x in enumerate(self.eqns[i].invars)
                    )
                )
                for i in self.readers.get(v, ())
            )

        # readers are decided before what they read
        for i in range(self.last - 1, -1, -1):
            e = self.eqns[i]
            read = any(v in self.readers for v in e.outvars)
            if i not in self.group and read and not e.effects:
                if all(map(only_here, e.outvars)):
                    own.add(i)
        return sorted(own)

    def _cond(self, slices: list[list[int]]) -> list[JaxprEqn]:
        selects = [self.eqns[i] for i in self.group]
        operands: dict[Var, None] = {}
        for own, case in zip(slices, self.cases):
            made = {v for i in own for v in self.eqns[i].outvars}
            reads = [v for i in own for v in self.eqns[i].invars]
            reads += [e.invars[case] for e in selects]
            operands |= dict.fromkeys(
                v for v in reads if type(v) is not Literal and v not in made
            )
        branches = tuple(
            ClosedJaxpr(
                Jaxpr(
                    [],
                    list(operands),
                    [e.invars[case] for e in selects],
                    [self.eqns[i] for i in own],
                ),
                [],
            )
            for own, case in zip(slices, self.cases)
        )
        index = Var(ShapedArray((), np.dtype(np.int32)))
        params = {"new_dtype": index.aval.dtype, "weak_type": False, "sharding": None}
        return [
            JaxprEqn([self.which], [index], registry["convert_element_type"], params),
            JaxprEqn(
                [index, *operands],
                [e.outvars[0] for e in selects],
                cond_p,
                {"branches": branches},
                source_info=selects[-1].source_info,
            ),
        ]
