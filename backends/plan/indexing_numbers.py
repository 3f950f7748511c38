"""Where scatter and its kin put their updates, said in the axes of the updates."""

from __future__ import annotations

from collections.abc import Sequence

from jaxlike.backends.plan.access import Access, strides, unit, zero
from jaxlike.backends.plan.indexing import counts_within
from jaxlike.core.jaxpr import JaxprEqn


class UpdateNumbers:
    """Where updates go. Axes of the updates are counted without those of size 1.

    address: the affine part of the place of an element. limits: for each column of the
    indices, (axis of the operand, last start that fits). batching, ordered, window:
    axes that the operand has too, others outside of windows, those inside. spanning:
    those inside along which windows span the operand. single: axes of the operand where
    windows have size 1.
    """

    def __init__(self, eqn: JaxprEqn):
        shape = eqn.outvars[0].aval.shape
        if eqn.primitive.name == "dynamic_update_slice":
            sizes = eqn.invars[1].aval.shape
            window = given = tuple(range(len(shape)))
            inserted = op_batch = idx_batch = ()
        else:
            sizes = eqn.invars[2].aval.shape
            numbers = eqn.params["dimension_numbers"]
            window, inserted, given, op_batch, idx_batch = numbers
        outside = [d for d in range(len(sizes)) if d not in window]
        wide = [d for d, n in enumerate(sizes) if n != 1]
        axis = {d: a for a, d in enumerate(wide)}
        rank = len(wide)
        batched = {d: outside[i] for d, i in zip(op_batch, idx_batch)}
        inside = iter(window)
        extents = [1] * len(shape)
        self.steps = strides(shape)
        self.address = zero(rank)
        self.spanning: set[int] = set()
        self.single: set[int] = set()
        for d, stride in enumerate(self.steps):
            if d in inserted:
                self.single.add(d)
                continue
            if d in batched:
                place = batched[d]
            else:
                place = next(inside)
                extents[d] = sizes[place]
                if sizes[place] == 1:
                    self.single.add(d)
                elif sizes[place] == shape[d]:
                    self.spanning.add(axis[place])
            if place in axis:
                self.address += unit(rank, axis[place]).scaled(stride)
        self.limits = [(d, shape[d] - extents[d]) for d in given]
        self.batching = [axis[d] for d in sorted(batched.values()) if d in axis]
        rest = set(batched.values())
        self.ordered = [axis[d] for d in outside if d in axis and d not in rest]
        self.window = [axis[d] for d in window if d in axis]

    def without_counts(self, columns: Sequence[Access]) -> list[Access]:
        """The columns of the indices but those that count along an axis of the
        updates, which is then one that the operand has, too: x.at[arange(n), i]."""
        left, limits = [], []
        for start, (d, limit) in zip(columns, self.limits):
            axes = [a for a, coef in enumerate(start.address.coefs) if coef]
            counts = (
                counts_within(start, limit)
                and d in self.single
                and len(axes) == 1
                and axes[0] in self.ordered
                and not start.address.positions
            )
            if not counts:
                left.append(start)
                limits.append((d, limit))
                continue
            self.address += start.address.scaled(self.steps[d])
            self.ordered.remove(axes[0])
            self.batching.append(axes[0])
        self.limits = limits
        return left
