"""Fusion: which equations share a kernel.

A cluster has an iteration space (the non-unit axes of its largest values) and maybe
`reduced` axes of it. Its members are elementwise equations over the whole space ("full"
members), reductions of full members over the reduced axes, and elementwise equations
over what is left ("row" members), which full members may read again: softmax and layer
norm are one cluster each. Equations are taken in order; each joins the cluster of an
operand where that fits and closes no cycle, else it starts a cluster of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from jaxlike.backends.plan.access import (
    Access,
    Affine,
    index_of_shape,
    is_layout,
    leaves,
    squeezed,
    strides,
)
from jaxlike.backends.plan.indexing import (
    UPDATES,
    IndexingResolver,
    is_indexed,
    is_update,
)
from jaxlike.backends.plan.ops import DTYPES, OPS, REDUCTIONS, supported
from jaxlike.core.jaxpr import Atom, Jaxpr, JaxprEqn, Literal, Var

MAX_MEMBERS = 96
"""Longer straight-line kernels cost LLVM more than they save."""
MAX_AGAIN = 40
"""The cost (ops.OpSpec.cost) up to which elements are computed again to be gathered."""
MAX_STRIDED = 1 << 18
"""Elements up to which a sum over leading axes shares a kernel with its producers."""

REDUCE_NAMES = {
    "reduce_sum": "add",
    "reduce_prod": "mul",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_and": "and",
    "reduce_or": "or",
    "reduce_xor": "xor",
    "argmax": "argmax",
    "argmin": "argmin",
}
# primitives that are an operation of the IR under another name
OP_NAMES = {"add_any": "add", "stop_gradient": "copy"}
_TOTAL_ORDER = {"eq_to", "le_to", "lt_to"}


def op_name(eqn: JaxprEqn) -> str:
    name = eqn.primitive.name
    return OP_NAMES.get(name, name)


def cost(eqn: JaxprEqn) -> int:
    """What an elementwise equation costs an element (ops.OpSpec.cost)."""
    spec = OPS.get(op_name(eqn))
    return spec.cost if spec is not None else 4


def is_map(eqn: JaxprEqn) -> bool:
    """Whether a kernel can compute the result element by element."""
    return is_indexed(eqn) or is_elementwise(eqn)


def is_elementwise(eqn: JaxprEqn) -> bool:
    """Whether the equation is elementwise, and a kernel can hold it."""
    name = op_name(eqn)
    if name not in OPS or name in _TOTAL_ORDER or len(eqn.outvars) != 1:
        return False
    avals = [v.aval for v in (*eqn.invars, *eqn.outvars)]
    if not all(isinstance(a.dtype, np.dtype) and a.dtype in DTYPES for a in avals):
        return False
    if avals[-1].size == 0:
        return False
    operands = eqn.invars[1:] if name == "select_n" else eqn.invars
    if name == "bitcast_convert_type" and (
        avals[0].dtype.itemsize != avals[-1].dtype.itemsize
    ):
        return False
    if name == "complex":
        return avals[-1].dtype.kind == "c"
    return all(supported(name, v.aval.dtype) for v in operands)


def is_reduction(eqn: JaxprEqn) -> bool:
    """Whether the equation is a reduction that a kernel can hold."""
    name = REDUCE_NAMES.get(eqn.primitive.name)
    if name is None:
        return False
    aval = eqn.invars[0].aval
    if type(eqn.invars[0]) is Literal or aval.dtype not in DTYPES or aval.size == 0:
        return False
    kind = "f" if aval.dtype.kind == "V" else aval.dtype.kind
    if kind not in REDUCTIONS[name]:
        return False
    axes = eqn.params["axes"]
    if name.startswith("arg"):
        # positions are counted along one axis
        return len(axes) == 1 and aval.shape[axes[0]] > 1
    return any(aval.shape[a] > 1 for a in axes)


def _applies_maps(eqn: JaxprEqn) -> bool:
    """Whether scatter_apply's function, if there is one, is elementwise equations."""
    if eqn.primitive.name != "scatter" or eqn.params["update_jaxpr"] is None:
        return True
    function = eqn.params["update_jaxpr"]
    return not function.consts and all(
        is_map(e) and not is_indexed(e) for e in function.jaxpr.eqns
    )


def iterated(eqn: JaxprEqn) -> Atom:
    """The operand or result whose elements a kernel of the equation runs over."""
    if eqn_reduces(eqn):
        return eqn.invars[0]
    if eqn.primitive.name == "dynamic_update_slice":
        return eqn.invars[1]
    return eqn.invars[2] if eqn.primitive.name in UPDATES else eqn.outvars[0]


@dataclass(eq=False)
class Cluster:
    """Equations that share a kernel. `operands` holds the accesses of each member."""

    space: tuple[int, ...]
    reduced: tuple[int, ...] | None = None
    members: list[JaxprEqn] = field(default_factory=list)
    levels: dict[Var, str] = field(default_factory=dict)  # "full" or "row"
    operands: dict[JaxprEqn, list[Access]] = field(default_factory=dict)
    # numbers of the steps that must run before this cluster
    after: set[int] = field(default_factory=set)
    number: int = 0
    # scatter and its kin, alone: the space is that of the updates
    update: bool = False

    @property
    def kept(self) -> tuple[int, ...]:
        reduced = self.reduced or ()
        return tuple(d for d in range(len(self.space)) if d not in reduced)

    @property
    def rank(self) -> int:
        return len(self.space)

    def full_address(self) -> Affine:
        return Affine(0, strides(self.space))

    def row_address(self) -> Affine:
        """The address of this grid point in an array of the kept axes."""
        kept = self.kept
        steps = dict(zip(kept, strides([self.space[d] for d in kept])))
        return Affine(0, tuple(steps.get(d, 0) for d in range(self.rank)))

    def axes_of(self, shape: Sequence[int]) -> tuple[int, ...] | None:
        """The axes of the space that an array of this shape runs over."""
        sizes = squeezed(shape)
        if sizes == self.space:
            return tuple(range(self.rank))
        if self.reduced is not None and sizes == tuple(
            self.space[d] for d in self.kept
        ):
            return self.kept
        return None


class Fusion:
    """Assigns every equation of a jaxpr to a step: a cluster, or a call by itself."""

    def __init__(self, jaxpr: Jaxpr):
        self.jaxpr = jaxpr
        self.defs: dict[Var, JaxprEqn] = {
            v: eqn for eqn in jaxpr.eqns for v in eqn.outvars
        }
        used = [*jaxpr.outvars, *(v for eqn in jaxpr.eqns for v in eqn.invars)]
        read = frozenset(v for v in used if type(v) is not Literal)
        self.resolver = IndexingResolver(self.defs, read)
        # the step that makes each variable; layout equations have none until asked for
        self.made_by: dict[Var, Cluster | int] = {}
        self.clusters: list[Cluster] = []
        self.calls: dict[int, JaxprEqn] = {}
        # ancestors[n]: the steps that step n needs, directly or not, as bits
        self.ancestors: dict[int, int] = {}
        # the steps that are ancestors of some step, as bits
        self._needed = 0
        self.count = 0
        self.last_effect: int | None = None
        for eqn in jaxpr.eqns:
            self._place(eqn)

    # --- steps

    def _new_step(self) -> int:
        self.count += 1
        self.ancestors[self.count] = 0
        return self.count

    def step_of(self, var: Var) -> int | None:
        made = self.made_by.get(var)
        if made is None:
            made = self.made_by.get(self.base(var))
        if made is None:
            return None
        return made.number if isinstance(made, Cluster) else made

    def _needs(self, number: int, steps: set[int]) -> None:
        """Step `number` now needs these steps; so does all that needs `number`."""
        ancestors = self.ancestors
        old = new = ancestors[number]
        for s in steps:
            new |= ancestors[s] | 1 << s
        new &= ~(1 << number)
        if new == old:
            return
        ancestors[number] = new
        self._needed |= new
        if self._needs_step(number):
            for other, needed in ancestors.items():
                if needed >> number & 1:
                    ancestors[other] = needed | new

    def _needs_step(self, number: int) -> bool:
        """Whether any step needs this one."""
        return bool(self._needed >> number & 1)

    def needs(self, step: int, other: int) -> bool:
        """Whether a step needs another one, directly or not."""
        return bool(self.ancestors[step] >> other & 1)

    def depth(self, cluster: Cluster) -> int:
        """How many steps a cluster needs."""
        return self.ancestors[cluster.number].bit_count()

    def _place(self, eqn: JaxprEqn) -> None:
        if is_layout(eqn):
            return
        if is_map(eqn):
            self._place_map(eqn)
        elif is_reduction(eqn):
            self._place_reduction(eqn)
        elif is_update(eqn) and _applies_maps(eqn):
            self._place_update(eqn)
        else:
            self._place_call(eqn)

    def _place_update(self, eqn: JaxprEqn) -> None:
        shape = iterated(eqn).aval.shape
        cluster = self._new_cluster(squeezed(shape))
        cluster.update = True
        self._add(cluster, eqn, shape)
        step = self._steps_of([eqn.invars[0]])
        self._needs(cluster.number, step)

    def _place_call(self, eqn: JaxprEqn) -> None:
        number = self._new_step()
        self.calls[number] = eqn
        needs = self._steps_of(eqn.invars)
        if eqn.effects:  # in the order of the jaxpr
            if self.last_effect is not None:
                needs.add(self.last_effect)
            self.last_effect = number
        self._needs(number, needs)
        for v in eqn.outvars:
            self.made_by[v] = number

    def _steps_of(self, atoms: Sequence[Atom]) -> set[int]:
        return {
            s
            for v in atoms
            if type(v) is not Literal and (s := self.step_of(self.base(v))) is not None
        }

    def base(self, var: Var) -> Var:
        """The variable in memory that a chain of layout equations reads."""
        while True:
            eqn = self.defs.get(var)
            if eqn is None or not is_layout(eqn):
                return var
            if eqn.primitive.name == "iota" or type(eqn.invars[0]) is Literal:
                return var
            var = eqn.invars[0]

    # --- joining

    def _place_map(self, eqn: JaxprEqn) -> None:
        shape = eqn.outvars[0].aval.shape
        sizes = squeezed(shape)
        cluster = self._beside_reductions(eqn) if is_indexed(eqn) else None
        if cluster is not None:
            self._add(cluster, eqn, shape)
            return
        accesses: list[Access] | None = None
        for candidate in self._candidates(eqn):
            if candidate.axes_of(shape) is None:
                continue
            found = self._fits(candidate, eqn, shape)
            if found is None:
                continue
            if cluster is None:
                cluster, accesses = candidate, found
            else:
                merged = self._merge(cluster, candidate)
                if merged is not None:
                    cluster, accesses = merged, None
        if cluster is None:
            cluster = self._new_cluster(sizes)
        self._add(cluster, eqn, shape, accesses)

    def _beside_reductions(self, eqn: JaxprEqn) -> Cluster | None:
        """The cluster with reductions that computes what the equation takes elements
        of, if they can be computed there by themselves: of log_softmax, say."""
        shape = eqn.outvars[0].aval.shape
        for v in self._sources(eqn):
            cluster = self.made_by.get(self.base(v))
            if not isinstance(cluster, Cluster) or cluster.reduced is None:
                continue
            if cluster.levels.get(v) != "full" or cluster.axes_of(shape) is None:
                continue
            if 2 * eqn.outvars[0].aval.size > v.aval.size:
                continue
            expression = self._expression(cluster, v)
            if sum(cost(self.defs[x]) for x in expression) > MAX_AGAIN:
                continue
            self.resolver.computed[eqn] = expression
            if self._fits(cluster, eqn, shape) is not None:
                return cluster
            del self.resolver.computed[eqn]
        return None

    def _expression(self, cluster: Cluster, var: Var) -> set[Var]:
        """The elementwise members of a cluster that a full one is computed from."""
        found: set[Var] = set()
        todo = [var]
        while todo:
            v = todo.pop()
            if v in found or cluster.levels.get(v) != "full":
                continue
            found.add(v)
            todo += self._sources(self.defs[v])
        return found

    def _place_reduction(self, eqn: JaxprEqn) -> None:
        operand = eqn.invars[0]
        shape = operand.aval.shape
        space = squeezed(shape)
        places = {d: k for k, d in enumerate(d for d, n in enumerate(shape) if n != 1)}
        reduced = tuple(sorted(places[d] for d in eqn.params["axes"] if d in places))
        size = int(np.prod(space))
        trailing = reduced == tuple(range(len(space) - len(reduced), len(space)))
        cluster: Cluster | None = None
        accesses: list[Access] | None = None
        for candidate in self._candidates(eqn):
            if candidate.space != space or candidate.reduced not in (None, reduced):
                continue
            if not trailing and size > MAX_STRIDED:
                continue
            accesses = self._fits(candidate, eqn, shape)
            if accesses is not None:
                cluster = candidate
                break
        if cluster is None:
            cluster = self._new_cluster(space)
        cluster.reduced = reduced
        self._add(cluster, eqn, shape, accesses)

    def _candidates(self, eqn: JaxprEqn) -> list[Cluster]:
        found: list[Cluster] = []
        for v in self._sources(eqn):
            made = self.made_by.get(self.base(v))
            if isinstance(made, Cluster) and not made.update and made not in found:
                found.append(made)
        return sorted(found, key=lambda c: -c.number)

    def _sources(self, eqn: JaxprEqn) -> list[Var]:
        """The variables that an equation reads."""
        if not is_indexed(eqn):
            return [v for v in eqn.invars if type(v) is not Literal]
        shape = eqn.outvars[0].aval.shape
        axes = range(len(squeezed(shape)))
        index = index_of_shape(shape, axes, len(axes))
        accesses = self.resolver.operands(eqn, shape, index, len(axes))
        bases = (leaf.base for a in accesses for leaf in leaves(a))
        return [base for base in bases if isinstance(base, Var)]

    def _fits(self, cluster: Cluster, eqn: JaxprEqn, shape) -> list[Access] | None:
        """The equation's operands in the cluster, if it can join: no operand of the
        cluster's own is read at another place than this point, and none needs the
        cluster from outside."""
        if len(cluster.members) >= MAX_MEMBERS:
            return None
        outside: set[int] = set()
        axes = tuple(range(cluster.rank)) if eqn_reduces(eqn) else None
        accesses = self._accesses(cluster, eqn, shape, axes)
        full, row = cluster.full_address(), cluster.row_address()
        for access in (leaf for a in accesses for leaf in leaves(a)):
            base = access.base
            if base is None or type(base) is Literal:
                continue
            level = cluster.levels.get(base)
            if level is None:
                step = self.step_of(base)
                if step is not None:
                    outside.add(step)
            elif access.address != (full if level == "full" else row):
                return None
        if any(s == cluster.number or self.needs(s, cluster.number) for s in outside):
            return None
        return accesses

    def _accesses(self, cluster, eqn, shape, axes=None) -> list[Access]:
        if axes is None:
            axes = cluster.axes_of(shape)
        index = index_of_shape(shape, axes, cluster.rank)
        return self.resolver.operands(eqn, shape, index, cluster.rank)

    def _merge(self, a: Cluster, b: Cluster) -> Cluster | None:
        """One cluster of two with the same space, if nothing lies between them."""
        if a.space != b.space or len(a.members) + len(b.members) > MAX_MEMBERS:
            return None
        if a.reduced is not None and b.reduced is not None and a.reduced != b.reduced:
            return None
        if a.number == b.number:
            return a
        first, second = a, b
        if self.needs(b.number, a.number) or (
            not self.needs(a.number, b.number) and a.number < b.number
        ):
            first, second = a, b
        else:
            first, second = b, a
        # a step that needs `first` and that `second` needs would be cut off
        # (what `first` needs does not need it)
        before = self.ancestors[first.number] | 1 << first.number
        between = self.ancestors[second.number] & ~before
        if any(self.needs(s, first.number) for s in _bits(between)):
            return None
        reduced = first.reduced if first.reduced is not None else second.reduced
        if not self._consistent(first, second, reduced):
            return None
        first.reduced = reduced
        for eqn in second.members:
            first.members.append(eqn)
            first.operands[eqn] = second.operands[eqn]
        first.levels.update(second.levels)
        for eqn in second.members:
            self.made_by[eqn.outvars[0]] = first
        self.clusters.remove(second)
        gone, kept = second.number, first.number
        steps = self.ancestors.pop(gone)
        if self._needs_step(gone):
            self._needed |= 1 << kept
            for other, needed in self.ancestors.items():
                if needed >> gone & 1:
                    self.ancestors[other] = needed & ~(1 << gone) | 1 << kept
        self.ancestors[kept] &= ~(1 << gone | 1 << kept)
        self._needs(kept, {s for s in _bits(steps) if s not in (gone, kept)})
        return first

    def _consistent(self, first: Cluster, second: Cluster, reduced) -> bool:
        """Whether the second's reads of the first's values are at their own place."""
        probe = Cluster(first.space, reduced)
        full, row = probe.full_address(), probe.row_address()
        for cluster, other in ((first, second), (second, first)):
            for eqn in cluster.members:
                for access in (x for a in cluster.operands[eqn] for x in leaves(a)):
                    level = other.levels.get(access.base) if access.base else None
                    if level == "full" and access.address != full:
                        return False
                    if level == "row" and access.address != row:
                        return False
        return True

    def _new_cluster(self, space: tuple[int, ...]) -> Cluster:
        cluster = Cluster(space, number=self._new_step())
        self.clusters.append(cluster)
        return cluster

    def _add(
        self,
        cluster: Cluster,
        eqn: JaxprEqn,
        shape,
        accesses: list[Access] | None = None,
    ) -> None:
        """Make the equation a member. accesses: its operands, where they are known."""
        reduces = eqn_reduces(eqn)
        if accesses is None:
            axes = tuple(range(cluster.rank)) if reduces else None
            accesses = self._accesses(cluster, eqn, shape, axes)
        cluster.members.append(eqn)
        cluster.operands[eqn] = accesses
        out = eqn.outvars[0]
        if reduces or cluster.axes_of(shape) != tuple(range(cluster.rank)):
            cluster.levels[out] = "row"
        else:
            cluster.levels[out] = "full"
        self.made_by[out] = cluster
        steps = set()
        for access in (leaf for a in accesses for leaf in leaves(a)):
            if access.base is None or type(access.base) is Literal:
                continue
            step = self.step_of(access.base)
            if step is not None and step != cluster.number:
                steps.add(step)
        self._needs(cluster.number, steps)

    # --- the result

    def read_whole(self) -> list[Atom]:
        """What is read as arrays: by calls, by callers, by updates."""
        found = [v for eqn in self.calls.values() for v in eqn.invars]
        found += [c.members[0].invars[0] for c in self.clusters if c.update]
        return found + list(self.jaxpr.outvars)

    def order(self) -> list[Cluster | JaxprEqn]:
        """Clusters and calls in an order that respects what needs what."""
        steps: dict[int, Cluster | JaxprEqn] = {c.number: c for c in self.clusters}
        steps.update(self.calls)
        numbers = sorted(steps, key=lambda n: (self.ancestors[n].bit_count(), n))
        return [steps[n] for n in numbers]


def _bits(mask: int) -> Iterator[int]:
    """The places of the bits that are set."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def eqn_reduces(eqn: JaxprEqn) -> bool:
    return eqn.primitive.name in REDUCE_NAMES
