"""checkpoint policies: which values a checkpointed function keeps for reverse mode.

A policy is a function (primitive, *avals, **params) -> bool, true for "keep".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import JaxprEqn
from jaxlike.core.primitive import Primitive
from jaxlike.primitives.rules import deflinear

Policy = Callable[..., Any]

name_p = Primitive("name")
name_p.shape = lambda x, name: x
name_p.evaluate = lambda x, name: x
name_p.batch = lambda axis_data, args, dims, name: (
    name_p.bind(*args, name=name),
    dims[0],
)
deflinear(name_p, lambda ct, x, name: [name_p.bind(ct, name=name)])


def checkpoint_name(x: Any, name: str) -> Any:
    """`x` itself (a pytree), marked by a name that policies can ask for.

    >>> from jaxlike.ad_checkpoint import checkpoint_name
    >>> float(checkpoint_name(1.0, "activation"))
    1.0
    """
    from jaxlike.core import tree

    return tree.map(lambda leaf: name_p.bind(leaf, name=name), x)


class Recompute:
    """A policy's answer: compute it again."""

    def __repr__(self) -> str:
        return "Recompute"


class Saveable:
    """A policy's answer: keep it."""

    def __repr__(self) -> str:
        return "Saveable"


class Offloadable:
    """A policy's answer: keep it in the memory `dst`; kept where it is on the CPU."""

    def __init__(self, src: str, dst: str):
        self.src = src
        self.dst = dst

    def __repr__(self) -> str:
        return f"Offloadable(src={self.src!r}, dst={self.dst!r})"


def saves(policy: Policy, eqn: JaxprEqn) -> bool:
    """Whether the policy keeps the outputs of an equation."""
    answer = policy(eqn.primitive, *(v.aval for v in eqn.invars), **eqn.params)
    if isinstance(answer, (bool, np.bool_)):
        return bool(answer)
    if answer is Saveable or isinstance(answer, (Saveable, Offloadable)):
        return True
    if answer is Recompute or isinstance(answer, Recompute):
        return False
    raise TypeError(
        format_error(
            "a checkpoint policy must return a bool, Saveable, Recompute or "
            f"Offloadable; got {answer!r}"
        )
    )


def everything_saveable(*_, **__) -> bool:
    """Keep every value, as without checkpoint."""
    return True


def nothing_saveable(*_, **__) -> bool:
    """Keep the arguments only."""
    return False


def dots_saveable(prim: Primitive, *_, **__) -> bool:
    """Keep results of matrix products and convolutions."""
    return prim.name in ("dot_general", "conv_general_dilated", "ragged_dot_general")


checkpoint_dots = dots_saveable


def dots_with_no_batch_dims_saveable(prim: Primitive, *_, **params) -> bool:
    """Keep results of matrix products that have no batch dimensions."""
    if prim.name != "dot_general":
        return False
    (_, _), (lhs_batch, rhs_batch) = params["dimension_numbers"]
    return not lhs_batch and not rhs_batch


checkpoint_dots_with_no_batch_dims = dots_with_no_batch_dims_saveable


def offload_dot_with_no_batch_dims(offload_src: str, offload_dst: str) -> Policy:
    """As dots_with_no_batch_dims_saveable, kept in the memory offload_dst."""

    def policy(prim, *_, **params):
        if dots_with_no_batch_dims_saveable(prim, **params):
            return Offloadable(offload_src, offload_dst)
        return False

    return policy


def save_only_these_names(*names_which_can_be_saved: str) -> Policy:
    """Keep only values that checkpoint_name gave one of these names."""
    names = frozenset(names_which_can_be_saved)

    def policy(prim, *_, **params):
        return prim is name_p and params["name"] in names

    return policy


def save_any_names_but_these(*names_not_to_save: str) -> Policy:
    """Keep only values with names other than these."""
    names = frozenset(names_not_to_save)

    def policy(prim, *_, **params):
        return prim is name_p and params["name"] not in names

    return policy


def save_anything_except_these_names(*names_not_to_save: str) -> Policy:
    """Keep every value but those with these names."""
    names = frozenset(names_not_to_save)

    def policy(prim, *_, **params):
        return not (prim is name_p and params["name"] in names)

    return policy


def save_and_offload_only_these_names(
    *,
    names_which_can_be_saved,
    names_which_can_be_offloaded,
    offload_src: str,
    offload_dst: str,
) -> Policy:
    """Keep values of the first names; keep those of the second in another memory."""
    saved = frozenset(names_which_can_be_saved)
    offloaded = frozenset(names_which_can_be_offloaded)
    if saved & offloaded:
        raise ValueError(
            format_error(
                "names_which_can_be_saved and names_which_can_be_offloaded share "
                f"{sorted(saved & offloaded)}"
            )
        )

    def policy(prim, *_, **params):
        if prim is name_p and params["name"] in saved:
            return Saveable
        if prim is name_p and params["name"] in offloaded:
            return Offloadable(offload_src, offload_dst)
        return Recompute

    return policy


def save_from_both_policies(policy_1: Policy, policy_2: Policy) -> Policy:
    """Keep what either policy keeps."""

    def policy(prim, *avals, **params):
        return policy_1(prim, *avals, **params) or policy_2(prim, *avals, **params)

    return policy
