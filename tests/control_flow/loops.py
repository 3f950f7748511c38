"""Control flow as Python writes it: what the primitives are compared with."""

import jaxlike
import jaxlike.numpy as jnp


def python_scan(body, init, xs, reverse=False):
    """scan, written out."""
    carry, ys = init, []
    indices = range(len(jaxlike.tree.leaves(xs)[0]))
    for i in reversed(indices) if reverse else indices:
        carry, y = body(carry, jaxlike.tree.map(lambda x, i=i: x[i], xs))
        ys.append(y)
    if reverse:
        ys.reverse()
    stacked = jaxlike.tree.map(lambda *leaves: jnp.stack(leaves), *ys)
    return jaxlike.tree.map(jnp.asarray, carry), stacked


def python_while(cond, body, val):
    """while_loop, for conditions that are known."""
    while cond(val):
        val = body(val)
    return val
