"""Every docstring example runs, and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import jaxlike
from jaxlike.core.source_info import unguarded


def names():
    for module in pkgutil.walk_packages(jaxlike.__path__, "jaxlike."):
        yield module.name


class _Finder(doctest.DocTestFinder):
    """Finds what a module defines, and not what it offers from another."""

    def _from_module(self, module, object):
        return unguarded(object) is object and super()._from_module(module, object)


@pytest.mark.parametrize("name", sorted(names()))
def test_doctests(name):
    module = importlib.import_module(name)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(verbose=False, optionflags=flags)
    for test in _Finder().find(module, extraglobs={"np": np}):
        runner.run(test)
    assert runner.failures == 0
