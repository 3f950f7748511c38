"""Copying equations with their variables renamed: what most passes need."""

from __future__ import annotations

from jaxlike.core.jaxpr import Atom, DropVar, JaxprEqn, Literal, Var


class Substitution:
    """Old variables to new atoms; unknown variables stand for themselves."""

    __slots__ = ("env",)

    def __init__(self):
        self.env: dict[Var, Atom] = {}

    def atom(self, atom: Atom) -> Atom:
        if type(atom) is Literal:
            return atom
        return self.env.get(atom, atom)

    def atoms(self, atoms) -> list[Atom]:
        return [self.atom(a) for a in atoms]

    def fresh(self, var: Var) -> Var:
        """A new variable in place of `var`."""
        if type(var) is DropVar:
            return DropVar(var.aval)
        new = self.env[var] = Var(var.aval)
        return new

    def copy_eqn(self, eqn: JaxprEqn) -> JaxprEqn:
        """The equation on new inputs, with fresh outputs."""
        return JaxprEqn(
            self.atoms(eqn.invars),
            [self.fresh(v) for v in eqn.outvars],
            eqn.primitive,
            eqn.params,
            eqn.effects,
            eqn.source_info,
        )
