"""Every law holds to the bit, on values chosen to break it, and is applied."""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np
import pytest

from jaxlike import lax
from jaxlike.transforms.rewrite.dce import dce
from jaxlike.transforms.rewrite.laws import LAWS, apply_laws
from tests.transforms.rewrite.passes import names, rewritten

FLOATS = [0.0, -0.0, 1.5, -2.5, np.inf, -np.inf, np.nan, 3e38, -1e-45, 1e-38]
INTS = [0, 1, -1, 2, np.iinfo(np.int32).min, np.iinfo(np.int32).max]
VALUES = {
    "f": np.array(FLOATS, np.float32),
    "i": np.array(INTS, np.int32),
    "u": np.array([0, 1, 2, 3, 1 << 31, (1 << 32) - 1], np.uint32),
    "b": np.array([False, True]),
    "c": np.array([1 + 2j, -3.5 - 0.5j, 0j], np.complex64),
    "bf16": np.array(FLOATS, ml_dtypes.bfloat16),
}
FUNCTIONS = {
    "not": lax.bitwise_not,
    "and": lax.bitwise_and,
    "or": lax.bitwise_or,
    "add_any": lax.add,
}


def build(pattern, values):
    if isinstance(pattern, str):
        return values[pattern]
    if not isinstance(pattern, tuple):
        some = next(v for k, v in values.items() if k != "p")
        dtype = np.bool_ if isinstance(pattern, bool) else some.dtype
        return np.asarray(pattern, dtype)[()]
    name, *operands = pattern
    args = [build(p, values) for p in operands]
    if name == "select_n" and np.ndim(args[0]) == 0:
        args[0] = lax.full(args[1].shape, args[0])
    return FUNCTIONS.get(name, getattr(lax, name, None))(*args)


def letters(pattern) -> set[str]:
    if isinstance(pattern, str):
        return {pattern}
    if isinstance(pattern, tuple):
        return set().union(*(letters(p) for p in pattern[1:]))
    return set()


def cases():
    for law in LAWS:
        for kind in VALUES:
            if ("f" if kind == "bf16" else kind) not in law.kinds:
                continue
            if "complex" in str(law.pattern) and kind == "bf16":
                continue  # there is no complex number of that precision
            yield pytest.param(law, kind, id=f"{law.pattern} {kind}")


@pytest.mark.parametrize("law, kind", list(cases()))
def test_a_law_holds_to_the_bit(law, kind):
    given = sorted(letters(law.pattern))
    pool = VALUES[kind]
    points = np.array(list(itertools.product(range(len(pool)), repeat=2)))
    values = {v: pool[points[:, i % 2]] for i, v in enumerate(given)}
    if "p" in values:
        values["p"] = np.arange(len(points)) % 3 == 0

    def fun(*args):
        return build(law.pattern, dict(zip(given, args)))

    exact = law.pattern[0] != "pow"
    after = rewritten(apply_laws, fun, *values.values(), exact=exact)
    if law.pattern[1] is True or law.pattern[1] is False:
        return  # the literal is stretched by an equation of its own
    if law.pattern[0] != "add_any":  # users write add, which is another row
        left = {law.result[0]} if isinstance(law.result, tuple) else set()
        assert set(names(dce(after))) <= left


def test_known_choices():
    x, y = np.ones(3, np.float32), np.zeros(3, np.float32)
    after = rewritten(apply_laws, lambda x, y: lax.select_n(np.True_, x, y), x, y)
    assert names(after) == []


def test_laws_apply_to_what_laws_made():
    x = np.array(FLOATS, np.float32)
    after = rewritten(apply_laws, lambda x: lax.neg(lax.mul(x, np.float32(-1))), x)
    assert names(dce(after)) == []


@pytest.mark.parametrize("divisor", [4.0, -0.5, 2.0**100, 3.0, 0.0, np.inf, 2.0**127])
def test_division_by_a_power_of_two(divisor):
    x = np.array(FLOATS, np.float32)
    after = rewritten(apply_laws, lambda x: lax.div(x, np.float32(divisor)), x)
    power = divisor in (4.0, -0.5, 2.0**100)
    assert names(after) == (["mul"] if power else ["div"])
