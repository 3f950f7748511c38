"""Every docstring example runs, and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import jaxlike


def names():
    for module in pkgutil.walk_packages(jaxlike.__path__, "jaxlike."):
        yield module.name


@pytest.mark.parametrize("name", sorted(names()))
def test_doctests(name):
    module = importlib.import_module(name)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failures, _ = doctest.testmod(
        module, optionflags=flags, extraglobs={"np": np}, verbose=False
    )
    assert failures == 0
