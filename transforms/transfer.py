"""Moving arrays: device_put, device_get, block_until_ready, live arrays."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np

from jaxlike.core import tree
from jaxlike.core.array import Array, to_array
from jaxlike.core.avals import get_aval
from jaxlike.core.devices import Device, Sharding, SingleDeviceSharding
from jaxlike.core.errors import format_error
from jaxlike.core.trace import Tracer
from jaxlike.primitives.identity import copy_p


def device_put(
    x: Any,
    device: Any = None,
    *,
    src: Any = None,
    donate: bool = False,
    may_alias: bool | None = None,
) -> Any:
    """The arrays of a pytree on a device.

    Args:
      x: a pytree of arrays, NumPy arrays or scalars.
      device: a Device, a Sharding, a pytree prefix of them, or None for the default.
      donate: the source may be given up.
      may_alias: the result may share the source's memory.
    Returns:
      The pytree with an Array for each leaf.

    >>> import jaxlike, numpy as np
    >>> jaxlike.device_put(np.arange(3))
    Array([0, 1, 2], dtype=int32)
    """
    leaves, treedef = tree.flatten(x)
    if device is None or isinstance(device, (Device, Sharding)):
        places = [device] * len(leaves)
    else:
        places = tree.broadcast_prefix(device, x, is_leaf=lambda d: d is None)
    return tree.unflatten(treedef, [_put(v, d) for v, d in zip(leaves, places)])


def _put(x: Any, device: Any) -> Any:
    try:
        get_aval(x)
    except TypeError:
        raise TypeError(
            format_error(
                f"device_put takes arrays and numbers, got {type(x).__name__}: "
                f"{x!r:.200}"
            )
        ) from None
    if device is not None and not isinstance(device, (Device, Sharding)):
        raise ValueError(
            format_error(
                f"device_put puts on a Device or a Sharding, got {device!r}",
                try_="jaxlike.devices()[0]",
            )
        )
    if isinstance(x, Tracer):
        return copy_p.bind(x)
    array = to_array(x)
    if device is None:
        return array
    sharding = SingleDeviceSharding(device) if isinstance(device, Device) else device
    placed = Array(array._data, array.aval)
    placed._sharding = sharding
    return placed


def with_sharding_constraint(x: Any, shardings: Any) -> Any:
    """`x`, with its arrays where `shardings` (a prefix of its tree) say.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> place = jaxlike.sharding.SingleDeviceSharding(jaxlike.devices()[0])
    >>> jaxlike.jit(lambda x: jaxlike.lax.with_sharding_constraint(x, place))(2.0)
    Array(2., dtype=float32, weak_type=True)
    """
    return device_put(x, shardings)


def device_get(x: Any) -> Any:
    """The arrays of a pytree as NumPy arrays.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> jaxlike.device_get(jnp.arange(3))
    array([0, 1, 2], dtype=int32)
    """
    return tree.map(lambda v: np.asarray(v) if isinstance(v, Array) else v, x)


def block_until_ready(x: Any) -> Any:
    """Wait until every array of a pytree is computed; returns the pytree.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> float(jaxlike.block_until_ready(jnp.float32(2)))
    2.0
    """
    for leaf in tree.leaves(x):
        wait = getattr(leaf, "block_until_ready", None)
        if wait is not None:
            wait()
    return x


def copy_to_host_async(x: Any) -> Any:
    """Start copying every array of a pytree to the host; returns the pytree."""
    for leaf in tree.leaves(x):
        if isinstance(leaf, Array):
            leaf.copy_to_host_async()
    return x


def live_arrays(platform: str | None = None) -> list[Array]:
    """Every Array that is referred to from anywhere and not deleted.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> x = jnp.ones(3)
    >>> any(a is x for a in jaxlike.live_arrays())
    True
    """
    return [a for a in gc.get_objects() if type(a) is Array and not a.is_deleted()]


__all__ = [
    "block_until_ready",
    "copy_to_host_async",
    "device_get",
    "device_put",
    "live_arrays",
    "with_sharding_constraint",
]
