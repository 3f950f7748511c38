"""Producers computed inside their readers: kernels that are cheaper left out.

A cluster without reductions that only other clusters read vanishes when its values are
read once each (through a transpose, a slice, a broadcast ...), or are cheap to compute
again: its expression is then a part of its readers' operands.
"""

from __future__ import annotations

import math

from jaxlike.backends.plan.access import Access, is_layout, leaves
from jaxlike.backends.plan.clusters import (
    MAX_MEMBERS,
    Cluster,
    Fusion,
    cost,
    eqn_reduces,
    iterated,
)
from jaxlike.core.jaxpr import JaxprEqn, Literal, Var

MAX_INLINED = 12
"""Equations of a cluster that may vanish."""
CHEAP = 8
"""The cost (ops.OpSpec.cost) up to which values are computed more than once."""
FEW = 64
"""Elements of a cluster that a longer reader may compute again for itself."""
MAX_LEAVES = 64
"""Reads that an equation may come to: chains of producers double them at each step."""
SMALL = 4096
"""Elements that stay in the nearest cache: reading more of them again is no loss."""


def inline_producers(fusion: Fusion) -> None:
    """Dissolve the clusters that are better computed where they are read."""
    _drop_unread_calls(fusion)
    wanted = _read_as_arrays(fusion)
    readers = _Readers(fusion)
    for cluster in sorted(fusion.clusters, key=fusion.depth):
        made = {e.outvars[0] for e in cluster.members}
        if cluster.reduced is not None or cluster.update or made & wanted:
            continue
        if len(made) > MAX_INLINED:
            continue
        reads = [
            (
                reader,
                eqn,
                sum(
                    _points(leaf, reader)
                    for a in reader.operands[eqn]
                    for leaf in leaves(a)
                    if leaf.base in made
                ),
            )
            for reader, eqn in readers.of(made)
            if reader is not cluster
        ]
        reads = [read for read in reads if read[2]]
        if reads and _pays(cluster, reads) and _dissolve(fusion, cluster, made, reads):
            readers.moved(cluster, reads)


class _Readers:
    """Which equations of which clusters read a variable, or did so before."""

    def __init__(self, fusion: Fusion):
        self._gone: set[Cluster] = set()
        self._found: dict[Var, dict[JaxprEqn, Cluster]] = {}
        for cluster in fusion.clusters:
            for eqn in cluster.operands:
                self._note(cluster, eqn)

    def _note(self, cluster: Cluster, eqn: JaxprEqn) -> None:
        for a in cluster.operands[eqn]:
            for leaf in leaves(a):
                if isinstance(leaf.base, Var):
                    self._found.setdefault(leaf.base, {})[eqn] = cluster

    def of(self, made: set[Var]) -> list[tuple[Cluster, JaxprEqn]]:
        found: dict[JaxprEqn, Cluster] = {}
        for v in made:
            found.update(self._found.get(v, {}))
        return [(c, eqn) for eqn, c in found.items() if c not in self._gone]

    def moved(self, cluster: Cluster, reads) -> None:
        """The cluster is gone; these now read what it read."""
        self._gone.add(cluster)
        for reader, eqn, _ in reads:
            self._note(reader, eqn)


def _drop_unread_calls(fusion: Fusion) -> None:
    """Without the concatenations whose pieces readers go to directly."""
    read = {
        leaf.base
        for cluster in fusion.clusters
        for accesses in cluster.operands.values()
        for a in accesses
        for leaf in leaves(a)
    } | _read_as_arrays(fusion)
    unread = [
        number
        for number, eqn in fusion.calls.items()
        if eqn.primitive.name == "concatenate" and read.isdisjoint(eqn.outvars)
    ]
    for number in unread:
        del fusion.calls[number]
    if unread:  # which may have been all that read others
        _drop_unread_calls(fusion)


def _read_as_arrays(fusion: Fusion) -> set[Var]:
    """What calls and callers read, and what that is a view of."""
    found: set[Var] = set()
    todo = fusion.read_whole()
    # a view that a kernel reads behind a reshape is made before it
    todo += [
        leaf.base
        for cluster in fusion.clusters
        for accesses in cluster.operands.values()
        for a in accesses
        for leaf in leaves(a)
        if leaf.base in fusion.defs and is_layout(fusion.defs[leaf.base])
    ]
    for atom in todo:
        while type(atom) is not Literal and atom not in found:
            found.add(atom)
            eqn = fusion.defs.get(atom)
            if eqn is None or not is_layout(eqn) or not eqn.invars:
                break
            atom = eqn.invars[0]
    return found


def _points(access: Access, reader: Cluster) -> int:
    """How often a kernel computes an operand: not again in loops that do not matter."""
    loops = [*reader.kept, *(reader.reduced or ())]
    parts = [access.address]
    for part in parts:
        parts += [leaf.address for p, _ in part.positions for leaf in leaves(p.access)]
    while loops and not any(part.coefs[loops[-1]] for part in parts):
        loops.pop()
    return math.prod(reader.space[d] for d in loops)


def _pays(cluster: Cluster, reads) -> bool:
    size = math.prod(cluster.space)
    readers = {id(reader): reader for reader, _, _ in reads}.values()
    if any(len(r.members) + len(cluster.members) > MAX_MEMBERS for r in readers):
        return False
    if sum(count for _, _, count in reads) <= size:
        return True
    if _at_one_place(cluster, reads):
        return True
    if sum(map(cost, cluster.members)) > CHEAP:
        return False
    sources = {
        leaf.base
        for accesses in cluster.operands.values()
        for a in accesses
        for leaf in leaves(a)
        if isinstance(leaf.base, Var) and leaf.base not in cluster.levels
    }
    return size <= SMALL or len(sources) <= 1


def _at_one_place(cluster: Cluster, reads) -> bool:
    """Whether long readers each need a few fixed elements, and so compute them once:
    the words of the subkey that random numbers are drawn with."""
    made = {e.outvars[0] for e in cluster.members}
    return math.prod(cluster.space) <= FEW and all(
        math.prod(reader.space) > FEW
        and not any(
            any(leaf.address.coefs) or leaf.address.positions
            for a in reader.operands[eqn]
            for leaf in leaves(a)
            if leaf.base in made
        )
        for reader, eqn, _ in reads
    )


def _dissolve(fusion: Fusion, cluster: Cluster, made: set[Var], reads) -> bool:
    """Put the cluster's expressions into its readers; whether that could be done."""
    fusion.resolver.inlined |= made
    new = []
    for reader, eqn, _ in reads:
        accesses = _resolved(fusion, reader, eqn)
        found = [leaf for a in accesses for leaf in leaves(a)]
        if len(found) > MAX_LEAVES or any(leaf.base in made for leaf in found):
            # too much code, or behind a reshape that only flat addresses go through
            fusion.resolver.inlined -= made
            return False
        new.append((reader, eqn, accesses))
    for reader, eqn, accesses in new:
        reader.operands[eqn] = accesses
    fusion.clusters.remove(cluster)
    return True


def _resolved(fusion: Fusion, reader: Cluster, eqn: JaxprEqn):
    axes = tuple(range(reader.rank)) if eqn_reduces(eqn) else None
    return fusion._accesses(reader, eqn, iterated(eqn).aval.shape, axes)
