"""jit with in_shardings, out_shardings or device: where arguments and results lie.

A sharding here is that of one device; transfer.py puts arrays there.
"""

from __future__ import annotations

from typing import Any

from jaxlike.core import tree
from jaxlike.core.array import Array
from jaxlike.core.devices import Device, Sharding, SingleDeviceSharding, sharding_of
from jaxlike.core.errors import format_error
from jaxlike.transforms.arguments import fun_name, leaf_names
from jaxlike.transforms.jit import JitFunction
from jaxlike.transforms.transfer import device_put


class PlacedFunction(JitFunction):
    """A jitted function whose arguments and results are put on given devices."""

    def __init__(self, *args: Any, in_shardings, out_shardings, device):
        super().__init__(*args)
        self._in_shardings = in_shardings if device is None else device
        self._out_shardings = out_shardings if device is None else device
        for name, given in (
            ("in_shardings", self._in_shardings),
            ("out_shardings", self._out_shardings),
        ):
            for leaf in tree.leaves(given):
                if not isinstance(leaf, (Sharding, Device)):
                    raise TypeError(
                        format_error(
                            f"{name} of jit({fun_name(self._fun)}) holds {leaf!r}",
                            try_="a Sharding, a Device, or None",
                        )
                    )

    def __call__(self, *args, **kwargs):
        if self._in_shardings is not None:
            if kwargs and not isinstance(self._in_shardings, (Sharding, Device)):
                raise ValueError(
                    format_error(
                        f"jit({fun_name(self._fun)}) has in_shardings, which are for "
                        f"positional arguments, and was called with {sorted(kwargs)}",
                        try_="all arguments by position",
                    )
                )
            args = self._placed_arguments(args)
        outs = super().__call__(*args, **kwargs)
        if self._out_shardings is None:
            return outs
        self._broadcast("out_shardings", self._out_shardings, outs, "its result")
        return device_put(outs, self._out_shardings)

    def _placed_arguments(self, args: tuple) -> tuple:
        nums = {i + len(args) if i < 0 else i for i in self._static_argnums}
        dynamic = tuple(a for i, a in enumerate(args) if i not in nums)
        shardings = self._broadcast(
            "in_shardings", self._in_shardings, dynamic, "its arguments"
        )
        leaves, treedef = tree.flatten(dynamic)
        placed = []
        for i, (leaf, sharding) in enumerate(zip(leaves, shardings)):
            if isinstance(sharding, Device):
                sharding = SingleDeviceSharding(sharding)
            if sharding is not None and self._lies_elsewhere(leaf, sharding):
                name = f"leaf {i}" if nums else leaf_names(self._fun, args, {})[i]
                raise ValueError(
                    format_error(
                        f"jit({fun_name(self._fun)}) wants {name} with {sharding}, but "
                        f"it was put elsewhere: {sharding_of(leaf)}",
                        try_="jaxlike.device_put of it before the call",
                    )
                )
            placed.append(device_put(leaf, sharding))
        rest = iter(tree.unflatten(treedef, placed))
        return tuple(a if i in nums else next(rest) for i, a in enumerate(args))

    @staticmethod
    def _lies_elsewhere(x: Any, sharding: Sharding) -> bool:
        return type(x) is Array and x.committed and sharding_of(x) != sharding

    def _broadcast(self, name: str, shardings: Any, full: Any, what: str) -> list:
        is_none = lambda s: s is None
        try:
            return tree.broadcast_prefix(shardings, full, is_leaf=is_none)
        except ValueError:
            raise ValueError(
                format_error(
                    f"{name} of jit({fun_name(self._fun)}) do not fit {what}",
                    details=tree.prefix_errors(shardings, full, is_none, name),
                )
            ) from None
