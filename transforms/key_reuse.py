"""debug_key_reuse: raise when the same random key is used twice.

Each key has a number, its atom: the place in memory of a concrete key, a new number for
one that a traced function makes. Arrays of keys are arrays of atoms, which layout
primitives move as they move keys. Sampling and split use an atom up; using it again is
an error. Loops are gone through twice: a body that uses one key each time is found.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core import trace
from jaxlike.core.array import Array
from jaxlike.core.dtypes import KeyDType
from jaxlike.core.errors import KeyReuseError, format_error
from jaxlike.core.jaxpr import ClosedJaxpr, JaxprEqn, Literal
from jaxlike.core.source_info import summarize
from jaxlike.transforms.rewrite.inline import call_param

# they take a key for good; fold_in does not, since other data gives another key
_CONSUMERS = frozenset(["random_bits", "random_split", "random_gamma"])
# they make keys that nobody has used
_SOURCES = frozenset(["random_seed", "random_wrap", "random_fold_in", "random_clone"])

_new_atom = itertools.count(-1, -1)
# atoms of concrete keys that have been used -> where; an entry goes with its memory
_used: dict[int, str] = {}

Atoms = np.ndarray | None


def check_primitive(primitive: Any, params: dict, args: Sequence, outs: Sequence):
    """Note what an eager operation does to keys. Raises KeyReuseError."""
    if not any(map(_is_key, (*args, *outs))):
        return
    uses = _Uses(_used)
    ins = [_atoms_of(x) for x in args]
    values = [getattr(x, "_data", x) for x in args]
    _record(ins, outs, uses.apply(primitive, params, ins, outs, "", values), uses)


def check_call(closed: ClosedJaxpr, args: Sequence[Any], outs: Sequence[Any]) -> None:
    """Note what the call of a compiled function did to keys. Raises KeyReuseError."""
    uses = _Uses(_used)
    ins = [_atoms_of(x) for x in args]
    _record(ins, outs, uses.run(closed, ins), uses)


def _is_key(x: Any) -> bool:
    aval = getattr(x, "aval", None)
    return aval is not None and isinstance(aval.dtype, KeyDType)


def _atoms_of(x: Any) -> Atoms:
    """The atoms of a concrete array of keys: where in memory each of them lies."""
    if type(x) is not Array or not _is_key(x) or x._data is None:
        return None
    data = x._data
    places = np.full(data.shape, data.__array_interface__["data"][0], np.int64)
    for axis, (n, stride) in enumerate(zip(data.shape, data.strides)):
        shape = [-1 if i == axis else 1 for i in range(data.ndim)]
        places += (np.arange(n) * stride).reshape(shape)
    while isinstance(data.base, np.ndarray):
        data = data.base
    weakref.finalize(data, _forget, places.ravel().tolist())
    return places


def _record(ins, outs: Sequence[Any], atoms: Sequence[Atoms], uses: _Uses) -> None:
    """Keep what is known of the operands, and of results at their own places."""
    taken = {place for a in ins if a is not None for place in a.ravel().tolist()}
    for x, atom in zip(outs, atoms):
        places = _atoms_of(x)
        if places is None or atom is None:
            continue
        pairs = list(zip(places.ravel().tolist(), atom.ravel().tolist()))
        if any(place != a and place in taken for place, a in pairs):
            x._data = x._data.copy()  # a clone, which is a key of its own
            pairs = list(zip(_atoms_of(x).ravel().tolist(), atom.ravel().tolist()))
        for place, a in pairs:
            if place != a:
                uses.used.pop(place, None)
                if a in uses.used:
                    uses.used[place] = uses.used[a]
    _used.clear()
    _used.update({a: where for a, where in uses.used.items() if a >= 0})


def _forget(places: list[int]) -> None:
    for place in places:
        _used.pop(place, None)


class _Uses:
    """The atoms used so far on one way through a program."""

    def __init__(self, used: dict[int, str]):
        self.used = dict(used)

    def consume(self, atoms: np.ndarray, name: str, where: str) -> None:
        for atom in atoms.ravel().tolist():
            if atom in self.used:
                raise KeyReuseError(
                    format_error(
                        f"{name} got a random key that has been used before",
                        [f"it was used {self.used[atom]}"],
                        try_="a key of its own from jaxlike.random.split; "
                        "jaxlike.random.clone to use one twice on purpose",
                    )
                )
        self.used.update(dict.fromkeys(atoms.ravel().tolist(), f"by {name}{where}"))

    def run(self, closed: ClosedJaxpr, atoms: Sequence[Atoms]) -> list[Atoms]:
        """The atoms of a jaxpr's results, given those of its operands."""
        jaxpr = closed.jaxpr
        env: dict[Any, Atoms] = dict(zip(jaxpr.invars, atoms))
        env.update(zip(jaxpr.constvars, map(_atoms_of, closed.consts)))
        for v in (*jaxpr.invars, *jaxpr.constvars):
            if env[v] is None:
                env[v] = _fresh(v.aval)

        def read(atom: Any) -> Atoms:
            return None if type(atom) is Literal else env[atom]

        for eqn in jaxpr.eqns:
            outs = self.equation(eqn, [read(v) for v in eqn.invars])
            env.update(zip(eqn.outvars, outs))
        return [read(v) for v in jaxpr.outvars]

    def equation(self, eqn: JaxprEqn, ins: list[Atoms]) -> list[Atoms]:
        if all(a is None for a in ins) and not any(map(_is_key, eqn.outvars)):
            return [None] * len(eqn.outvars)
        literals = [v.val if type(v) is Literal else None for v in eqn.invars]
        where = f" at {summarize(eqn.source_info)}" if eqn.source_info else ""
        return self.apply(eqn.primitive, eqn.params, ins, eqn.outvars, where, literals)

    def apply(
        self, primitive, params, ins, outs, where: str = "", literals=None
    ) -> list[Atoms]:
        """The atoms of the results of one operation; `outs` say their types."""
        name = primitive.name
        if primitive in call_param:
            if params.get("differentiated"):  # the second run of a checkpoint
                return [_fresh(v.aval) for v in outs]
            return self.run(params[call_param[primitive]], ins)
        loop = getattr(self, f"_{name}", None)
        if loop is not None:
            return loop(ins, outs, **params)
        if name in _CONSUMERS:
            for atoms in ins:
                if atoms is not None:
                    self.consume(atoms, name, where)
        elif name not in _SOURCES and any(map(_is_key, outs)):
            moved = _moved(primitive, params, ins, literals, outs)
            if moved is not None:
                return moved
        return [_fresh(v.aval) for v in outs]

    def _scan(self, ins, outs, *, jaxpr, length, num_consts, num_carry, **_):
        consts, rest = ins[:num_consts], ins[num_consts:]
        carry, xs = rest[:num_carry], rest[num_carry:]
        for i in range(min(length, 2)):
            row = [None if x is None else x[i] for x in xs]
            results = self.run(jaxpr, [*consts, *carry, *row])
            carry = results[:num_carry]
        fresh = [_fresh(v.aval) for v in outs[num_carry:]]
        return (
            [*(carry or [None] * num_carry), *fresh] if length else [None] * len(outs)
        )

    def _while(self, ins, outs, *, cond_nconsts, body_nconsts, cond_jaxpr, body_jaxpr):
        of_cond, rest = ins[:cond_nconsts], ins[cond_nconsts:]
        of_body, carry = rest[:body_nconsts], rest[body_nconsts:]
        for _ in range(2):
            self.run(cond_jaxpr, [*of_cond, *carry])
            carry = self.run(body_jaxpr, [*of_body, *carry])
        return carry

    def _cond(self, ins, outs, *, branches, **_):
        before, after = dict(self.used), dict(self.used)
        results = []
        for branch in branches:
            self.used = dict(before)
            results.append(self.run(branch, ins[1:]))
            after.update(self.used)
        self.used = after
        first, *others = results
        return [
            a if all(np.array_equal(a, r[i]) for r in others) else _fresh(v.aval)
            for i, (a, v) in enumerate(zip(first, outs))
        ]


def _fresh(aval: Any) -> Atoms:
    """Atoms of keys that nobody has seen; None for what is no key."""
    if not isinstance(aval.dtype, KeyDType):
        return None
    count = int(np.prod(aval.shape, dtype=int))
    return np.array([next(_new_atom) for _ in range(count)], np.int64).reshape(
        aval.shape
    )


def _moved(primitive, params, ins, literals, outs) -> list[Atoms] | None:
    """What a layout primitive makes of atoms, or None where that is not known."""
    operands = [
        a if a is not None else (None if literals is None else literals[i])
        for i, a in enumerate(ins)
    ]
    if any(x is None for x in operands) or len(outs) != 1:
        return None
    try:
        moved = primitive.evaluate(*map(np.asarray, operands), **params)
    except Exception:
        return None
    moved = operands[0] if moved is None else moved
    return [moved] if np.shape(moved) == outs[0].aval.shape else None


trace.key_check = check_primitive
