"""The linear algebra primitives, under the names of jax.lax.linalg."""

from __future__ import annotations

from jaxlike.core.source_info import guard_names as _guard_names
from jaxlike.primitives.linalg_cholesky import cholesky as cholesky
from jaxlike.primitives.linalg_cholesky import cholesky_p as cholesky_p
from jaxlike.primitives.linalg_cholesky import cholesky_update as cholesky_update
from jaxlike.primitives.linalg_cholesky import cholesky_update_p as cholesky_update_p
from jaxlike.primitives.linalg_eig import EigImplementation as EigImplementation
from jaxlike.primitives.linalg_eig import eig as eig
from jaxlike.primitives.linalg_eig import eig_p as eig_p
from jaxlike.primitives.linalg_eig import hessenberg as hessenberg
from jaxlike.primitives.linalg_eig import hessenberg_p as hessenberg_p
from jaxlike.primitives.linalg_eig import schur as schur
from jaxlike.primitives.linalg_eig import schur_p as schur_p
from jaxlike.primitives.linalg_eigh import EighImplementation as EighImplementation
from jaxlike.primitives.linalg_eigh import eigh as eigh
from jaxlike.primitives.linalg_eigh import eigh_p as eigh_p
from jaxlike.primitives.linalg_eigh import tridiagonal as tridiagonal
from jaxlike.primitives.linalg_eigh import tridiagonal_p as tridiagonal_p
from jaxlike.primitives.linalg_lu import lu as lu
from jaxlike.primitives.linalg_lu import lu_p as lu_p
from jaxlike.primitives.linalg_lu import (
    lu_pivots_to_permutation as lu_pivots_to_permutation,
)
from jaxlike.primitives.linalg_lu import (
    lu_pivots_to_permutation_p as lu_pivots_to_permutation_p,
)
from jaxlike.primitives.linalg_qr import householder_product as householder_product
from jaxlike.primitives.linalg_qr import householder_product_p as householder_product_p
from jaxlike.primitives.linalg_qr import ormqr as ormqr
from jaxlike.primitives.linalg_qr import ormqr_p as ormqr_p
from jaxlike.primitives.linalg_qr import qr as qr
from jaxlike.primitives.linalg_qr import qr_p as qr_p
from jaxlike.primitives.linalg_solve import symmetric_product as symmetric_product
from jaxlike.primitives.linalg_solve import symmetric_product_p as symmetric_product_p
from jaxlike.primitives.linalg_solve import triangular_solve as triangular_solve
from jaxlike.primitives.linalg_solve import triangular_solve_p as triangular_solve_p
from jaxlike.primitives.linalg_solve import tridiagonal_solve as tridiagonal_solve
from jaxlike.primitives.linalg_solve import tridiagonal_solve_p as tridiagonal_solve_p
from jaxlike.primitives.linalg_svd import SvdAlgorithm as SvdAlgorithm
from jaxlike.primitives.linalg_svd import svd as svd
from jaxlike.primitives.linalg_svd import svd_p as svd_p

_guard_names(globals())
