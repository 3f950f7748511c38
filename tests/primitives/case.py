"""What a family's cases file lists: one call of a primitive's function each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Case:
    """`fun(lax, *args)`, where lax is jaxlike.lax or, for parity, jax.lax.

    grad_args: the arguments that check_grads perturbs. order: how many derivatives.
    """

    name: str
    fun: Callable
    args: list[np.ndarray] = field(default_factory=list)
    grad_args: tuple[int, ...] = ()
    order: int = 2
    modes: tuple[str, ...] = ("fwd", "rev")
    rtol: float | None = None
    atol: float | None = None
    parity: bool = True
