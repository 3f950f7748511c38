"""conv_general_dilated as products of tiles, of any layout, groups and dilations.

    out[g, n, p, o] = sum over k, c of lhs[g, n, p stride + k dilation - low, c]
                                       rhs[k, c, g, o]

g is a batch axis of the product, n and p are its rows, o its columns, k and c its sums.
Where a group has one feature, g itself makes the columns. The lhs is copied where it
is padded. Where it is dilated (the gradient of a strided convolution), positions of one
remainder see the same few taps: each remainder is a product of its own, without holes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from jaxlike.backends.plan.access import Access, Affine, Resolver, strides, unit, zero
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.moves import padded, zeros
from jaxlike.backends.plan.placing import parts_of_result, pieces, result_of
from jaxlike.backends.plan.products import (
    MIN_COLUMNS,
    WIDE,
    Role,
    Space,
    copied,
    lower_space,
    product_dtype,
    rounded,
)
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import JaxprEqn, Literal, Var


class Taps(NamedTuple):
    """What some positions along one axis read: source element shift + step * position +
    hole * tap goes with tap first_tap + every_tap * tap, to first + every * position.
    """

    positions: int
    taps: int
    step: int
    hole: int
    shift: int
    first_tap: int = 0
    every_tap: int = 1
    first: int = 0
    every: int = 1

    @property
    def reach(self) -> tuple[int, int]:
        """The first and the last source element."""
        last = self.step * (self.positions - 1) + self.hole * (self.taps - 1)
        return self.shift, self.shift + last


def phases(
    kernel: int, count: int, stride: int, low: int, base: int, hole: int
) -> list[Taps]:
    """The positions along one axis, by remainder modulo the dilation of the source.

    >>> phases(kernel=3, count=4, stride=1, low=1, base=2, hole=1)[1][:5]
    (2, 2, 1, 1, 0)
    """
    if base == 1 or stride != 1:  # the latter: on a source with holes
        return [Taps(count, kernel, stride, hole, -low)]
    found = []
    for r in range(min(base, count)):
        taps = [k for k in range(kernel) if (r + k * hole - low) % base == 0]
        if not taps:
            continue
        every = taps[1] - taps[0] if len(taps) > 1 else 1
        found.append(
            Taps(
                len(range(r, count, base)),
                len(taps),
                1,
                every * hole // base if len(taps) > 1 else 0,
                (r + taps[0] * hole - low) // base,
                taps[0],
                every,
                r,
                base,
            )
        )
    return found


def lower_convolution(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    """The kernels of a convolution; None for dtypes that tiles do not have."""
    eqn, out, moves = result_of(eqn)
    lhs, rhs = eqn.invars
    dtype = product_dtype(lhs.aval.dtype, rhs.aval.dtype, out.aval.dtype)
    if dtype is None or 0 in (lhs.aval.size, rhs.aval.size, out.aval.size):
        return None
    convolution = _Convolution(eqn, moves, resolver, dtype)
    if convolution.source is None:
        return None
    return rounded(out, dtype, convolution.lower)


class _Convolution:
    """One convolution on its way to products."""

    def __init__(self, eqn: JaxprEqn, moves, resolver: Resolver, dtype):
        self.params = params = eqn.params
        self.resolver, self.dtype = resolver, dtype
        self.lhs, self.rhs = eqn.invars
        self.moved = bool(moves)
        numbers = params["dimension_numbers"]
        self.lhs_axes, self.rhs_axes, self.out_axes = numbers
        feature, batch = params["feature_group_count"], params["batch_group_count"]
        self.groups = max(feature, batch)
        shapes = [v.aval.shape for v in (self.lhs, self.rhs, eqn.outvars[0])]
        self.counts = [shapes[2][d] for d in self.out_axes[2:]]
        self.n = shapes[0][self.lhs_axes[0]] // batch
        self.channels = shapes[0][self.lhs_axes[1]] // feature
        self.features = shapes[1][self.rhs_axes[0]] // self.groups
        self.sizes = [shapes[0][d] for d in self.lhs_axes[2:]]
        self.phases = [
            phases(shapes[1][k], shapes[2][p], stride, low, base, hole)
            for k, p, stride, (low, _), base, hole in zip(
                self.rhs_axes[2:],
                self.out_axes[2:],
                params["window_strides"],
                params["padding"],
                params["lhs_dilation"],
                params["rhs_dilation"],
            )
        ]
        # steps in the result along g, n, *positions, o
        found = pieces(parts_of_result(eqn), moves)
        steps = [part[0].step for part in found]
        feature = self.out_axes[1]
        group = steps.pop(feature)
        self.to = [group, *(steps[d] for d in (self.out_axes[0], *self.out_axes[2:]))]
        self.to.append(steps[feature])
        self.before: list[Lowered] = []
        self.source = self._source()
        kernel = (zero(0),) * self.rhs.aval.ndim
        if resolver.resolve(self.rhs, kernel, 0).base is None:
            self.source = None

    @property
    def along(self) -> bool:
        """Whether channels go by themselves, and make the columns."""
        return self.groups > 1 and (
            self.features == 1 or (self.channels == 1 and self.features < WIDE)
        )

    # --- the source: axes g, n, *space, c, o

    def _source(self) -> Access | None:
        """Where the elements of the lhs lie, after padding and all."""
        space = len(self.sizes)
        sizes = (self.groups, self.n, *self.sizes, self.channels, self.features)
        rank = len(sizes)
        index = [zero(rank)] * (2 + space)
        batch, feature = self.lhs_axes[:2]
        index[batch], index[feature] = unit(rank, 1), unit(rank, 2 + space)
        grouped, per_group = (
            (batch, self.n)
            if self.params["batch_group_count"] > 1
            else (feature, self.channels)
        )
        index[grouped] = index[grouped] + unit(rank, 0).scaled(per_group)
        for i, d in enumerate(self.lhs_axes[2:]):
            index[d] = unit(rank, 2 + i)
        access = self.resolver.resolve(self.lhs, tuple(index), rank, sizes)
        if access.base is None or type(access.base) is Literal:
            return None
        self.lows = [0] * space
        pads, holes = {}, self.params["lhs_dilation"]
        for i, (size, found) in enumerate(zip(self.sizes, self.phases)):
            hole = holes[i] if self.params["window_strides"][i] != 1 else 1
            low = max([0, *(-t.reach[0] for t in found)])
            last = (size - 1) * hole
            high = max([0, *(t.reach[1] - last for t in found)])
            if low or high or hole > 1:
                pads[2 + i] = low, high, hole
            self.lows[i] = low
        own = [0] if self.features == 1 else [0, rank - 1]
        wanted = 1
        ready = not pads
        for d in own[::-1] if self.along else ():
            ready &= access.address.coefs[d] == wanted
            wanted *= sizes[d]
        if ready:
            return access
        return self._copy(access, sizes, pads, own if self.along else [])

    def _copy(self, access: Access, sizes, pads, own: list[int]) -> Access:
        """The source padded, in the order it lies in but for its `own` last axes."""
        rank, coefs = len(sizes), access.address.coefs
        order = [
            d for d, n in enumerate(sizes[:-1]) if d not in own and (n > 1 or d in pads)
        ]
        order = sorted(order, key=lambda d: -abs(coefs[d])) + own
        shape = [sizes[d] for d in order]
        if own and (coefs[own[-1]] != 1 or len(own) > 1):
            copy, access = copied(access, shape, order)
            self.before.append(copy)
            if not pads:
                return access
            coefs = access.address.coefs
        for i, d in enumerate(order):
            low, high, hole = pads.get(d, (0, 0, 1))
            shape[i] = low + (shape[i] - 1) * hole + 1 + high
        copy = Var(ShapedArray(tuple(shape), self.dtype))
        here = Access(access.base, Affine(0, tuple(coefs[d] for d in order)))
        here = here._replace(address=Affine(access.address.const, here.address.coefs))
        moved = {order.index(d): pad for d, pad in pads.items()}
        before = [sizes[d] for d in order]
        self.before.append(padded(here, before, moved, copy, None))
        steps = dict(zip(order, strides(shape)))
        return Access(copy, Affine(0, tuple(steps.get(d, 0) for d in range(rank))))

    # --- the products: axes g, n, *positions, o, *taps, c

    def lower(self, out: Var) -> list[Lowered]:
        """The kernels that write `out`."""
        made = list(self.before)
        target, back = self._target(out)
        covered = 0
        products = []
        for phase in itertools.product(*self.phases):
            space = self._space(phase)
            products += lower_space(target, space, self.dtype)
            covered += math.prod(t.positions for t in phase)
        if covered < math.prod(self.counts):
            made.append(zeros(target))
        return [*made, *products, *back]

    def _target(self, out: Var) -> tuple[Var, list[Lowered]]:
        """What the products write, and how it becomes `out`: where features are not
        innermost, positions must lie side by side, as they do in the source."""
        shape, axes = out.aval.shape, self.out_axes
        if self.moved:
            return out, []
        inner = max((d for d, n in enumerate(shape) if n > 1), default=axes[1])
        if inner == axes[1] or self.groups * self.features < MIN_COLUMNS:
            return out, []
        place = axes.index(inner)
        source = 1 if place == 0 else place
        step = self.source.address.coefs[source]
        plain = place == 0 or self.params["window_strides"][place - 2] == 1
        dilated = place >= 2 and self.params["lhs_dilation"][place - 2] != 1
        if shape[inner] >= WIDE and step == 1 and plain and not dilated:
            return out, []
        order = [axes[0], *axes[2:], axes[1]]
        target = Var(ShapedArray(tuple(shape[d] for d in order), self.dtype))
        steps = strides(target.aval.shape)
        self.to = [self.features, *steps]
        back = [0] * len(order)
        for d, step in zip(order, steps):
            back[d] = step
        access = Access(target, Affine(0, tuple(back)))
        copy, _ = copied(access, shape, range(len(shape)))
        return target, [Lowered(copy.kernel, [target], [out])]

    def _space(self, phase: Sequence[Taps]) -> Space:
        space = len(phase)
        positions, taps = [t.positions for t in phase], [t.taps for t in phase]
        sizes = (self.groups, self.n, *positions, self.features, *taps, self.channels)
        rank = len(sizes)
        feature, tap = 2 + space, 3 + space
        column = Role.BATCH if self.along else Role.COLUMN
        roles = [Role.BATCH] + [Role.ROW] * (1 + space) + [column]
        roles += [Role.SUM] * (space + 1)
        # the source
        group, n, *steps, channel, own = self.source.address.coefs
        const = self.source.address.const
        coefs = [group, n, *[0] * space, own, *[0] * space, channel]
        for i, (t, step) in enumerate(zip(phase, steps)):
            coefs[2 + i], coefs[tap + i] = t.step * step, t.hole * step
            const += (t.shift + self.lows[i]) * step
        a = Access(self.source.base, Affine(const, tuple(coefs)))
        # the kernel
        index = [zero(rank)] * (2 + space)
        outputs = unit(rank, 0).scaled(self.features) + unit(rank, feature)
        index[self.rhs_axes[0]] = outputs
        index[self.rhs_axes[1]] = unit(rank, rank - 1)
        for i, t in enumerate(phase):
            along = unit(rank, tap + i).scaled(t.every_tap, t.first_tap)
            index[self.rhs_axes[2 + i]] = along
        b = self.resolver.resolve(self.rhs, tuple(index), rank, sizes)
        # the result
        group, n, *steps, own = self.to
        coefs, const = [group, n, *[0] * space, own, *[0] * (space + 1)], 0
        for i, (t, step) in enumerate(zip(phase, steps)):
            coefs[2 + i] = t.every * step
            const += t.first * step
        return Space(sizes, tuple(roles), a, b, Affine(const, tuple(coefs)))
