"""Updates of one place a line, in zeros or in tiny arrays, as comparisons.

b = broadcast_in_dim 0.0
c = scatter-add b i u      -->  c = select_n (eq iota i) b (add b u)

where each line of the array has one update: the gradient of x[i] and of
take_along_axis. So kernels that read c compute it as they go. Large arrays that are no
constants stay: there it is cheaper to change the one place.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import Atom, ClosedJaxpr, JaxprEqn, Literal, Var
from jaxlike.core.primitive import registry
from jaxlike.primitives.indexing_numbers import GatherScatterMode

TINY = 64
"""Elements of an array that any update is a comparison for."""

_COMBINE = {
    "dynamic_update_slice": None,
    "scatter": None,
    "scatter-add": "add",
    "scatter-sub": "sub",
    "scatter-mul": "mul",
    "scatter-min": "min",
    "scatter-max": "max",
}


def compare_places(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same jaxpr with the updates that this file is about as comparisons."""
    jaxpr = closed.jaxpr
    if not any(eqn.primitive.name in _COMBINE for eqn in jaxpr.eqns):
        return closed
    defs = {v: eqn for eqn in jaxpr.eqns for v in eqn.outvars}
    eqns: list[JaxprEqn] = []
    for eqn in jaxpr.eqns:
        if eqn.primitive.name in _COMBINE and _wanted(eqn, defs):
            found = _Places(eqn, defs)
            if found.fit:
                eqns += found.equations()
                continue
        eqns.append(eqn)
    return ClosedJaxpr(jaxpr.replace(eqns=eqns), closed.consts)


def _wanted(eqn: JaxprEqn, defs) -> bool:
    operand = eqn.invars[0]
    aval = operand.aval
    if not isinstance(aval.dtype, np.dtype) or not aval.size:
        return False
    if eqn.primitive.name == "scatter" and eqn.params["update_jaxpr"] is not None:
        return False
    return aval.size <= TINY or _is_uniform(operand, defs)


def _is_uniform(atom: Atom, defs) -> bool:
    eqn = defs.get(atom) if type(atom) is Var else None
    return (
        eqn is not None
        and eqn.primitive.name == "broadcast_in_dim"
        and type(eqn.invars[0]) is Literal
    )


class _Places:
    """What is updated. axis_of: for each axis of the updates, the axis of the operand
    that it runs along, None if it has size 1; columns: (start indices as an atom, which
    of them, the operand's axis) of axes with one place."""

    def __init__(self, eqn: JaxprEqn, defs):
        self.eqn = eqn
        self.shape = shape = eqn.outvars[0].aval.shape
        self.made: list[JaxprEqn] = []
        self.columns: list[tuple[Atom, int | None, int]] = []
        if eqn.primitive.name == "dynamic_update_slice":
            _, self.updates, *starts = eqn.invars
            self.clips = True
            sizes = self.updates.aval.shape
            window, given = range(len(shape)), range(len(shape))
            inserted, op_batch, idx_batch = (), (), ()
            indices: list[tuple[Atom, int | None]] = [(s, None) for s in starts]
        else:
            _, starts, self.updates = eqn.invars
            self.clips = eqn.params["mode"] is GatherScatterMode.CLIP
            numbers = eqn.params["dimension_numbers"]
            window, inserted, given, op_batch, idx_batch = numbers
            sizes = self.updates.aval.shape
            indices = [(starts, c) for c in range(starts.aval.shape[-1])]
        outside = [d for d in range(len(sizes)) if d not in window]
        self.outside = outside
        self.axis_of: dict[int, int | None] = {
            outside[i]: d for d, i in zip(op_batch, idx_batch)
        }
        inside = iter(window)
        extents = [1] * len(shape)
        for d in range(len(shape)):
            if d not in inserted and d not in op_batch:
                place = next(inside)
                extents[d] = sizes[place]
                self.axis_of[place] = d if sizes[place] == shape[d] else None
        self.fit = True
        for (atom, c), d in zip(indices, given):
            if extents[d] == shape[d] and self.clips:
                continue  # there is but one start
            along = self._counted(atom, c, defs)
            if along is not None and shape[d] == sizes[along] and extents[d] == 1:
                self.axis_of.setdefault(along, d)
                if self.axis_of[along] == d:
                    continue
            self.columns.append((atom, c, d))
            self.fit = self.fit and extents[d] == 1
        compared = {d for *_, d in self.columns}
        for place, n in enumerate(sizes):
            d = self.axis_of.get(place)
            if d is None or d in compared:
                self.axis_of[place] = None
                self.fit = self.fit and n == 1
        starting = {*given}
        self.fit = self.fit and all(
            n == shape[d] or d in starting
            for d, n in enumerate(extents)
            if d not in op_batch
        )

    def _counted(self, atom: Atom, column: int | None, defs) -> int | None:
        """The axis of the updates that a column of the indices counts along."""
        if column is None or type(atom) is Literal:
            return None
        eqn = defs.get(atom)
        rank = atom.aval.ndim
        axes = list(range(rank - 1))
        if eqn is not None and eqn.primitive.name == "concatenate":
            if eqn.params["dimension"] != rank - 1:
                return None
            if any(v.aval.shape[-1] != 1 for v in eqn.invars):
                return None
            eqn = defs.get(eqn.invars[column])
        while eqn is not None and eqn.primitive.name == "broadcast_in_dim":
            # axes[k]: the axis of the indices that axis k runs along
            axes = [
                axes[d] if d < len(axes) else -1
                for d in eqn.params["broadcast_dimensions"]
            ]
            eqn = defs.get(eqn.invars[0]) if type(eqn.invars[0]) is Var else None
        if eqn is None or eqn.primitive.name != "iota":
            return None
        aval = eqn.outvars[0].aval
        k = eqn.params["dimension"]
        if aval.shape[k] - 1 > np.iinfo(aval.dtype).max or axes[k] < 0:
            return None
        if aval.shape[k] != atom.aval.shape[axes[k]]:
            return None
        return self.outside[axes[k]]

    # --- the comparisons

    def equations(self) -> list[JaxprEqn]:
        (out,) = self.eqn.outvars
        operand = self.eqn.invars[0]
        test = self._test()
        value: Atom = self._stretched(self.updates, self.axis_of)
        how = _COMBINE[self.eqn.primitive.name]
        if how is not None:
            value = self._emit(how, [operand, value], operand.aval.dtype)
        if test is None:
            self._emit("copy", [value], out.aval.dtype, out)
        else:
            self._emit("select_n", [test, operand, value], out.aval.dtype, out)
        return self.made

    def _test(self) -> Var | None:
        test = None
        for atom, c, d in self.columns:
            start, dtype = self._start(atom, c, d)
            counts = self._emit(
                "iota", [], dtype, dtype=dtype, shape=self.shape, dimension=d
            )
            here = self._emit("eq", [counts, start], np.dtype(bool))
            test = (
                here
                if test is None
                else self._emit("and", [test, here], here.aval.dtype)
            )
        return test

    def _start(self, atom: Atom, column: int | None, d: int) -> tuple[Atom, np.dtype]:
        """A column of the start indices, stretched to the array; and its dtype."""
        dtype = atom.aval.dtype
        axis_of: dict[int, int | None] = {}
        if column is not None:
            shape = atom.aval.shape
            starts = (*(0,) * (len(shape) - 1), column)
            limits = (*shape[:-1], column + 1)
            if shape[-1] != 1:
                atom = self._emit(
                    "slice", [atom], dtype, shape=limits[:-1] + (1,),
                    start_indices=starts, limit_indices=limits, strides=None,
                )  # fmt: skip
            axis_of = {k: self.axis_of[a] for k, a in enumerate(self.outside)}
            axis_of[len(shape) - 1] = None
        if dtype.itemsize < 4:
            dtype = np.dtype(np.int32)
            params = {"new_dtype": dtype, "weak_type": False}
            atom = self._emit(
                "convert_element_type", [atom], dtype, shape=atom.aval.shape, **params
            )
        if self.clips:
            last = min(self.shape[d] - 1, int(np.iinfo(dtype).max))
            ends = [Literal(dtype.type(n), ShapedArray((), dtype)) for n in (0, last)]
            atom = self._emit(
                "clamp", [ends[0], atom, ends[1]], dtype, shape=atom.aval.shape
            )
        return self._stretched(atom, axis_of), dtype

    def _stretched(self, atom: Atom, axis_of: dict[int, int | None]) -> Atom:
        """An array as one of the result's shape; axis_of: where its axes are there."""
        aval = atom.aval
        places = [d for d in axis_of.values() if d is not None]
        kept = [k for k in range(aval.ndim) if axis_of[k] is not None]
        dtype = aval.dtype
        if len(kept) != aval.ndim:
            gone = tuple(k for k in range(aval.ndim) if axis_of[k] is None)
            sizes = tuple(aval.shape[k] for k in kept)
            atom = self._emit("squeeze", [atom], dtype, shape=sizes, dimensions=gone)
        places = [axis_of[k] for k in kept]
        order = sorted(range(len(places)), key=places.__getitem__)
        if order != list(range(len(places))):
            sizes = tuple(atom.aval.shape[k] for k in order)
            atom = self._emit(
                "transpose", [atom], dtype, shape=sizes, permutation=tuple(order)
            )
        dims = tuple(sorted(places))
        if dims == tuple(range(len(self.shape))):
            return atom
        return self._emit(
            "broadcast_in_dim", [atom], dtype, shape=self.shape,
            broadcast_dimensions=dims,
        )  # fmt: skip

    def _emit(
        self,
        name: str,
        invars: Sequence[Atom],
        of: np.dtype,
        out: Var | None = None,
        **params,
    ) -> Var:
        """An equation with a result of dtype `of`, of the array's shape if not told."""
        shape = params.get("shape", self.shape)
        if name not in ("iota", "broadcast_in_dim"):
            params.pop("shape", None)
        if out is None:
            out = Var(ShapedArray(tuple(shape), of))
        self.made.append(
            JaxprEqn(
                list(invars), [out], registry[name], params,
                source_info=self.eqn.source_info,
            )
        )  # fmt: skip
        return out
