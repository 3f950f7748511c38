"""Every case of the primitives' tests, by JAX: values, dtypes and shapes."""

from __future__ import annotations

import warnings

import pytest

from jaxlike import lax
from tests.primitives.case import Case, assert_close, families

jax = pytest.importorskip("jax")

BY_FAMILY = {
    family: [case for case in cases if case.parity]
    for family, cases in families().items()
}
_by_jax: dict[str, list] = {}
QUICKLY = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
}


def _expected(family: str) -> list:
    """JAX's results of a family's cases; compiled as one program, which is faster."""
    if family not in _by_jax:
        cases = BY_FAMILY[family]

        def program(all_args):
            return [case.run(jax.lax, *args) for case, args in zip(cases, all_args)]

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            all_args = [case.args for case in cases]
            lowered = jax.jit(program).lower(all_args)
            _by_jax[family] = lowered.compile(compiler_options=QUICKLY)(all_args)
    return _by_jax[family]


@pytest.mark.parametrize(
    ("family", "index"),
    [
        pytest.param(family, i, id=f"{family}-{case.name}")
        for family, cases in BY_FAMILY.items()
        for i, case in enumerate(cases)
    ],
)
def test_value_is_jax_value(family: str, index: int):
    case: Case = BY_FAMILY[family][index]
    expected = _expected(family)[index]
    for got, wanted in zip(case.run(lax, *case.args), expected, strict=True):
        assert_close(got, wanted, case.rtol, case.atol)
