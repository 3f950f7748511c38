"""Custom batching rules, under the names of jax.custom_batching."""

from __future__ import annotations

from collections.abc import Callable

from jaxlike import tree_util
from jaxlike.control_flow.scan import map as _map
from jaxlike.transforms.custom_batching import custom_vmap as custom_vmap


def sequential_vmap(fun: Callable) -> custom_vmap:
    """A function that vmap runs one element after the other, in a loop.

    Args:
      fun: a function of pytrees of arrays.
    Returns:
      The same function; batched, it is lax.map over the batch.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike.custom_batching import sequential_vmap
    >>> jaxlike.vmap(sequential_vmap(lambda x: jnp.sum(x)))(jnp.ones((2, 3)))
    Array([3., 3.], dtype=float32)
    """
    f = custom_vmap(fun)

    @f.def_vmap
    def rule(axis_size, in_batched, *args):
        leaves, treedef = tree_util.tree_flatten(args)
        batched = tree_util.tree_leaves(in_batched)

        def one(mapped):
            given = iter(mapped)
            full = [next(given) if b else x for x, b in zip(leaves, batched)]
            return f(*tree_util.tree_unflatten(treedef, full))

        out = _map(one, [x for x, b in zip(leaves, batched) if b])
        return out, tree_util.tree_map(lambda _: True, out)

    return f
