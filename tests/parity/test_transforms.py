"""The transforms' user functions: the same program on jaxlike and on jax."""

import os

import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")
jax = pytest.importorskip("jax")

import jax.ad_checkpoint  # noqa: E402
import jax.custom_batching  # noqa: E402
import jax.custom_derivatives  # noqa: E402
import jax.experimental  # noqa: E402

import jaxlike  # noqa: E402
from tests.parity import (  # noqa: E402
    cases_batching,
    cases_bad_calls,
    cases_custom,
    cases_grad,
    cases_jit,
    cases_vmap,
)
from tests.parity.compare import check_same  # noqa: E402

CASES = [
    *cases_grad.CASES,
    *cases_vmap.CASES,
    *cases_jit.CASES,
    *cases_custom.CASES,
    *cases_batching.CASES,
    *cases_bad_calls.CASES,
]


@pytest.mark.parametrize("fun", CASES, ids=lambda f: f.__name__)
def test_same(fun):
    check_same(fun, jaxlike, jax)
