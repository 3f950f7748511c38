"""One program on two libraries: what it gives, or which error it raises.

A case is a function of the library (jaxlike or jax); `@case` collects it. Outcomes are
compared in structure, value, dtype, shape, weak type, and class of error.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np


def collector() -> tuple[list[Callable], Callable]:
    """An empty list of cases, and the decorator that puts cases into it."""
    cases: list[Callable] = []

    def case(fun: Callable) -> Callable:
        cases.append(fun)
        return fun

    return cases, case


def outcome(fun: Callable, library: Any) -> Any:
    """("error", class) or ("value", what the case returned)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return "value", fun(library)
        except Exception as error:
            return "error", error


def check_same(fun: Callable, ours: Any, theirs: Any) -> None:
    kind, got = outcome(fun, ours)
    expected_kind, expected = outcome(fun, theirs)
    if kind != expected_kind:
        if kind == "error":
            raise AssertionError(f"raised; jax returns {expected!r:.300}") from got
        raise AssertionError(
            f"returned {got!r:.300}; jax raises {type(expected).__name__}: "
            f"{expected!s:.300}"
        )
    if kind == "error":
        builtin = next(c for c in type(expected).__mro__ if c.__module__ == "builtins")
        same_class = _class(got) == _class(expected)
        assert same_class or (
            _class(expected) == builtin.__name__ != "Exception"
            and isinstance(got, builtin)
        ), (
            f"{type(got).__name__}: {got}\n--- jax raises {type(expected).__name__}: "
            f"{expected!s:.500}"
        )
        # nothing of the libraries underneath, and a text
        assert not type(got).__module__.startswith(("numpy", "llvmlite", "numba")), got
        assert str(got)
        return
    same(got, expected, "result")


def _class(error: Exception) -> str:
    """The builtin class, or the name of JAX's own class."""
    for cls in type(error).__mro__:
        if cls.__module__ == "builtins" or cls.__name__ in _JAX_ERRORS:
            return cls.__name__
    return type(error).__name__


_JAX_ERRORS = {
    "ConcretizationTypeError",
    "TracerArrayConversionError",
    "TracerBoolConversionError",
    "TracerIntegerConversionError",
    "NonConcreteBooleanIndexError",
    "UnexpectedTracerError",
}


def same(got: Any, expected: Any, where: str) -> None:
    """Raise AssertionError where two results differ."""
    if isinstance(expected, (tuple, list)):
        assert isinstance(got, type(expected)) or hasattr(expected, "_fields"), where
        assert len(got) == len(expected), f"{where}: {got!r} against {expected!r}"
        for i, (a, b) in enumerate(zip(got, expected)):
            same(a, b, f"{where}[{i}]")
    elif isinstance(expected, dict):
        assert list(got) == list(expected), where
        for key in expected:
            same(got[key], expected[key], f"{where}[{key!r}]")
    elif hasattr(expected, "shape") and hasattr(expected, "dtype"):
        _same_array(got, expected, where)
    elif isinstance(expected, (int, float, complex)) and hasattr(got, "weak_type"):
        # jax hands Python numbers back where nothing touched them; ours are Arrays
        assert got.weak_type and got == expected, where
    elif isinstance(expected, float):
        assert got == expected or np.isclose(got, expected, rtol=1e-4), (
            f"{where}: {got} against {expected}"
        )
    else:
        assert type(got) is type(expected), f"{where}: {got!r} against {expected!r}"
        assert got == expected, f"{where}: {got!r} against {expected!r}"


def _is_float0(got: Any, expected: Any) -> bool:
    return all(getattr(x.dtype, "kind", "") == "V" for x in (got, expected))


def _same_array(got: Any, expected: Any, where: str) -> None:
    assert hasattr(got, "shape"), f"{where}: {got!r} is no array; jax: {expected!r}"
    assert tuple(got.shape) == tuple(expected.shape), (
        f"{where}: shape {got.shape} against {expected.shape}"
    )
    assert str(got.dtype) == str(expected.dtype) or _is_float0(got, expected), (
        f"{where}: dtype {got.dtype} against {expected.dtype}"
    )
    weak = getattr(expected, "weak_type", None)
    if weak is not None and hasattr(got, "weak_type"):
        assert got.weak_type == weak, (
            f"{where}: weak_type {got.weak_type} against {weak}"
        )
    if _is_float0(got, expected) or not hasattr(expected, "__array__"):
        return
    a, b = np.asarray(got), np.asarray(expected)
    if b.dtype.kind in "fc":
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5, err_msg=where)
    else:
        np.testing.assert_array_equal(a, b, err_msg=where)
