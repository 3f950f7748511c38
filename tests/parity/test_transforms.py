"""The transforms' user functions: the same program on jaxlike and on jax."""

import importlib
import os

import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")
jax = pytest.importorskip("jax")

import jaxlike  # noqa: E402
from tests.parity import (  # noqa: E402
    cases_bad_calls,
    cases_batching,
    cases_checkpoint,
    cases_custom,
    cases_grad,
    cases_jit,
    cases_stages,
    cases_vjp,
    cases_vmap,
)
from tests.parity.compare import check_same  # noqa: E402

for name in ("ad_checkpoint", "custom_batching", "custom_derivatives", "experimental"):
    importlib.import_module(f"jax.{name}")

CASES = [
    *cases_grad.CASES,
    *cases_vjp.CASES,
    *cases_stages.CASES,
    *cases_checkpoint.CASES,
    *cases_vmap.CASES,
    *cases_jit.CASES,
    *cases_custom.CASES,
    *cases_batching.CASES,
    *cases_bad_calls.CASES,
]


@pytest.mark.parametrize("fun", CASES, ids=lambda f: f.__name__)
def test_same(fun):
    check_same(fun, jaxlike, jax)
