"""Factorizations and solutions of batches of matrices, as kernels of their own.

Each grid point is one matrix of the batch, in C order. What is left to the reference
evaluation: narrow floats, pivoted QR, subsets of eigenvalues, conjugation without
transposition.
"""

from __future__ import annotations

import math

import numpy as np

from jaxlike.backends.plan.access import Resolver
from jaxlike.backends.plan.lowering import Lowered
from jaxlike.backends.plan.records import record
from jaxlike.core.jaxpr import JaxprEqn, Literal

DTYPES = tuple(map(np.dtype, ("float32", "float64", "complex64", "complex128")))


@record
class MatrixKernel:
    """One operation on each of `batch` matrices of rows x columns.

    name and flags are the primitive's; arguments are its operands, then its results.
    columns: of the right-hand sides, for triangular_solve, whose matrices have `rows`
    rows and columns.
    """

    name: str
    dtype: np.dtype
    batch: int
    rows: int
    columns: int
    flags: tuple[tuple[str, object], ...] = ()

    def __getitem__(self, flag: str) -> object:
        return dict(self.flags)[flag]

    def __str__(self) -> str:
        flags = "".join(f" {k}={v}" for k, v in self.flags)
        return (
            f"{self.name} {self.dtype.name} {self.batch} x "
            f"({self.rows} x {self.columns}){flags}"
        )


def _lowered(eqn: JaxprEqn, **flags) -> list[Lowered] | None:
    aval = eqn.invars[0].aval
    if aval.dtype not in DTYPES or any(type(v) is Literal for v in eqn.invars):
        return None
    if not all(v.aval.size for v in (*eqn.invars, *eqn.outvars)):
        return None
    rows, columns = aval.shape[-2:]
    if eqn.primitive.name == "triangular_solve":
        shape = eqn.invars[1].aval.shape
        columns = shape[-1] if flags["left_side"] else shape[-2]
    kernel = MatrixKernel(
        eqn.primitive.name,
        aval.dtype,
        math.prod(aval.shape[:-2]),
        rows,
        columns,
        tuple(flags.items()),
    )
    return [Lowered(kernel, list(eqn.invars), list(eqn.outvars))]


def lower_cholesky(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    return _lowered(eqn)


def lower_lu(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    return _lowered(eqn)


def lower_triangular_solve(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    params = dict(eqn.params)
    if eqn.invars[0].aval.dtype.kind != "c":
        params["conjugate_a"] = False
    if params["conjugate_a"] and not params["transpose_a"]:
        return None
    return _lowered(eqn, **params)


def lower_eigh(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    if eqn.params["subset_by_index"] is not None:
        return None
    return _lowered(eqn, lower=eqn.params["lower"])


def lower_qr(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    if eqn.params["pivoting"]:
        return None
    return _lowered(eqn, full_matrices=eqn.params["full_matrices"])


def lower_svd(eqn: JaxprEqn, resolver: Resolver) -> list[Lowered] | None:
    params = eqn.params
    if params["subset_by_index"] is not None:
        return None
    algorithm = getattr(params["algorithm"], "name", "DEFAULT")
    return _lowered(
        eqn,
        full_matrices=params["full_matrices"],
        compute_uv=params["compute_uv"],
        iterate=algorithm == "QR",
    )
