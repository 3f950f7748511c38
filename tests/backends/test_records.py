"""Records: values with fields, equal by them, of a type of their own."""

import pickle

import numpy as np
import pytest

from jaxlike.backends.plan.ir import Const, Load, Op, Store
from jaxlike.backends.plan.records import record, replace


@record
class Pair:
    a: int
    b: int = 2

    @property
    def sum(self) -> int:
        return self.a + self.b


@record
class Other:
    a: int
    b: int = 2


def test_construction_by_place_name_and_default():
    assert Pair(1) == Pair(1, 2) == Pair(b=2, a=1)
    assert Pair(1).sum == 3
    with pytest.raises(TypeError):
        Pair()
    with pytest.raises(AttributeError):
        Pair(1).c = 3


def test_equality_and_hash_are_of_the_type_and_the_fields():
    assert Pair(1) != Other(1) and Pair(1) != (1, 2)
    assert len({Pair(1), Pair(1, 2), Pair(2)}) == 2
    assert repr(Pair(1)) == "Pair(a=1, b=2)"


def test_replace_match_and_pickle():
    assert replace(Pair(1), b=5) == Pair(1, 5)
    match Pair(3, 4):
        case Pair(a, b):
            assert (a, b) == (3, 4)
    op = Op(1, np.dtype("f4"), "neg", (0,))
    assert pickle.loads(pickle.dumps(op)) == op
    assert {type(x) for x in (Const, Load, Op, Store)} == {type}
