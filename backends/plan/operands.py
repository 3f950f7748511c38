"""What an equation reads, as loads and operations in a kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jaxlike.backends.plan.access import Access, Affine
from jaxlike.backends.plan.build import KernelBuilder
from jaxlike.backends.plan.clusters import op_name
from jaxlike.backends.plan.indexing import emit_indexed, is_indexed
from jaxlike.backends.plan.ir import Value
from jaxlike.core.jaxpr import JaxprEqn, Literal, Var

_PARAMS = {
    "threefry_word": ("word",),
    "integer_pow": ("y",),
    "round": ("rounding_method",),
    "reduce_precision": ("exponent_bits", "mantissa_bits"),
}


class Operands:
    """Emits accesses into a kernel.

    k: its builder. buffers: the buffer of each variable in memory. index: the value
    that counts along an axis of the space, for those axes that have one (of axes that
    are walked as one, the last has it).
    """

    k: KernelBuilder
    buffers: dict[Var, int]
    index: dict[int, Value]

    def terms(self, address: Affine) -> tuple[dict[Value, int], int]:
        """An address as (terms, constant) of the builder's."""
        terms: dict[Value, int] = {}
        for axis, value in self.index.items():
            coef = address.coefs[axis]
            if coef:
                terms[value] = terms.get(value, 0) + coef
        for position, coef in address.positions:
            value = self.operand(position.access, position.dtype)
            value = self.k.clamped(value, position.limit)
            terms[value] = terms.get(value, 0) + coef
        return terms, address.const

    def operand(self, access: Access, dtype) -> Value:
        """The value of an access."""
        if type(access.base) is Literal:
            return self.k.const(np.asarray(access.base.val).astype(dtype), dtype)
        if access.iota is not None:
            return self.k.convert(self.k.total(*self.terms(access.address)), dtype)
        if access.map is not None:
            return self.apply(access.map, access.args, self.operand)
        terms, const = self.terms(access.address)
        return self.k.load(self.buffers[access.base], terms, const)

    def apply(
        self,
        eqn: JaxprEqn,
        accesses: Sequence[Access],
        operand: Callable[[Access, np.dtype], Value],
    ) -> Value:
        """The result of an elementwise equation on these operands."""
        if is_indexed(eqn):
            return emit_indexed(self.k, eqn, accesses, operand)
        args = [
            operand(a, v.aval.dtype) for a, v in zip(accesses, eqn.invars, strict=True)
        ]
        return emit_map(self.k, eqn, args)


def emit_map(k: KernelBuilder, eqn: JaxprEqn, args: Sequence[Value]) -> Value:
    """An elementwise equation on values."""
    name = op_name(eqn)
    dtype = eqn.outvars[0].aval.dtype
    if name == "convert_element_type":
        return k.convert(args[0], dtype)
    if name == "copy":
        return args[0]
    params = {p: eqn.params[p] for p in _PARAMS.get(name, ())}
    if "rounding_method" in params:
        params["rounding_method"] = int(params["rounding_method"])
    return k.op(name, *args, dtype=dtype, **params)
