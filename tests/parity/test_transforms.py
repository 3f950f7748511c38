"""The transforms' user functions: the same program on jaxlike and on jax."""

import os

import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")
jax = pytest.importorskip("jax")

import jaxlike  # noqa: E402
from tests.parity import cases_grad  # noqa: E402
from tests.parity.compare import check_same  # noqa: E402

CASES = [*cases_grad.CASES]


@pytest.mark.parametrize("fun", CASES, ids=lambda f: f.__name__)
def test_same(fun):
    check_same(fun, jaxlike, jax)
