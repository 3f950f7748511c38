"""What a family's cases file lists, and how the tests of laws find and run it."""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tests.primitives
from jaxlike.core import dtypes


@dataclass
class Case:
    """`fun(lax, *args)`, where lax is jaxlike.lax or, for parity, jax.lax.

    grad_args: the arguments that check_grads perturbs. order: how many derivatives.
    batch_args: the arguments that may be batched; all of them by default.
    rtol, atol: of derivatives (default 1e-5), parity and jit (default: by dtype).
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
    batch_args: tuple[int, ...] | None = None

    def __post_init__(self):
        self.args = [np.array(a) for a in self.args]
        for arg in self.args:  # an evaluation that writes to its operands raises
            arg.flags.writeable = False

    def run(self, lax, *args) -> list[Any]:
        """The results as a flat list."""
        return list(_flat(self.fun(lax, *args)))

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(zlib.crc32(self.name.encode()))


def _flat(out):
    if isinstance(out, (tuple, list)):
        for part in out:
            yield from _flat(part)
    else:
        yield out


def families() -> dict[str, list[Case]]:
    """Every case, by the family whose cases_*.py lists it."""
    found = {}
    for info in pkgutil.iter_modules(tests.primitives.__path__):
        if info.name.startswith("cases_"):
            module = importlib.import_module(f"tests.primitives.{info.name}")
            found[info.name.removeprefix("cases_")] = module.CASES
    return found


def to_numpy(x: Any) -> np.ndarray:
    """The buffer of an Array (of jaxlike's, for keys too, or of JAX's)."""
    data = getattr(x, "_data", None)
    return data if isinstance(data, np.ndarray) else np.asarray(x)


_RTOL = {"float16": 4e-3, "bfloat16": 3e-2, "float64": 1e-10, "complex128": 1e-10}


def assert_close(
    got: Any, expected: Any, rtol: float | None = None, atol: float | None = None
) -> None:
    """Equal shapes and dtypes, and values equal (or close, if inexact; NaN is NaN)."""
    got, expected = to_numpy(got), to_numpy(expected)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    if got.dtype.names or not dtypes.issubdtype(got.dtype, np.inexact):
        assert np.array_equal(got, expected)
        return
    name = got.dtype.name
    if rtol is None:
        rtol = 0.3 if "float8" in name or "float4" in name else _RTOL.get(name, 2e-5)
    wide = np.complex128 if got.dtype.kind == "c" else np.float64
    np.testing.assert_allclose(
        got.astype(wide),
        expected.astype(wide),
        rtol,
        rtol / 10 if atol is None else atol,
    )


def assert_identical(got: Any, expected: Any) -> None:
    """Equal shapes, dtypes and bits, but for which NaN a NaN is."""
    got, expected = to_numpy(got), to_numpy(expected)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    inexact = not got.dtype.names and dtypes.issubdtype(got.dtype, np.inexact)
    assert np.array_equal(got, expected) or (
        inexact and np.all((got == expected) | ((got != got) & (expected != expected)))
    )
