"""One expression on both libraries: compare(lambda np, lax, jax: np.sum(np.ones(3))).

Tables of expressions are text: one a line, an indented line continues the one before.
They see np, lax and jax (of either library), onp (NumPy itself) and the arrays below.
Nothing is remembered between calls.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as onp
import pytest

import jaxlike
import jaxlike.lax
import jaxlike.numpy
from tests.parity.compare import check_same

_MILLISECONDS = 10


def compare(case: Callable[..., Any]) -> None:
    """Check that a case gives the same on jaxlike and on jax.

    Compared are value, dtype, weak type, shape, or else the class of the error. A call
    has to come back in 10 ms of jaxlike's time, once it is warm.
    """
    jax = pytest.importorskip("jax")

    def run(library: Any) -> Any:
        return case(library.numpy, library.lax, library)

    check_same(run, jaxlike, jax)
    spent = min(_time_of(run) for _ in range(3))
    assert spent < _MILLISECONDS, f"{spent:.1f} ms"


def _time_of(run: Callable[..., Any]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.thread_time()
        try:
            run(jaxlike)
        except Exception:
            pass
        return 1e3 * (time.thread_time() - start)


def table(text: str) -> list[str]:
    """The expressions of a table."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") and lines:
            lines[-1] += " " + line.strip()
        elif line.strip():
            lines.append(line)
    return lines


def expressions(text: str, *marks: Any) -> Any:
    """A parametrize mark: `expression` is each expression of the table."""
    return pytest.mark.parametrize(
        "expression", [pytest.param(e, marks=marks) for e in table(text)]
    )


def compare_expression(expression: str) -> None:
    """Compare what an expression of a table gives."""
    code = compile(expression, expression, "eval")
    compare(lambda np, lax, jax: eval(code, scope(np, lax, jax)))


def scope(np: Any, lax: Any, jax: Any) -> dict[str, Any]:
    """What expressions see."""
    x = np.asarray(onp.arange(6, dtype=onp.int32).reshape(2, 3))
    f = np.asarray(onp.arange(6, dtype=onp.float32).reshape(2, 3))
    return {
        "np": np,
        "lax": lax,
        "jax": jax,
        "onp": onp,
        "x": x,
        "f": f,
        "c": np.asarray(onp.arange(6).reshape(2, 3) * onp.complex64(1 + 1j)),
        "h": f.astype("float16"),
        "b": f.astype("bfloat16"),
        "u": x.astype("uint8"),
        "m": np.asarray(onp.arange(6).reshape(2, 3) > 1),
        "v": np.asarray(onp.float32([1, 3, 2, 3])),
        "w": np.full(3, 1.0),
        "ones": np.ones(3),
        "nans": np.asarray(onp.float32([1, onp.nan, 2])),
        "F": np.frompyfunc(lambda x, y: x * y + 1, 2, 1, identity=0),
        "G": np.frompyfunc(lambda x, y: x + y, 2, 1),
        "H": np.frompyfunc(lambda x, y: (x + y, x - y), 2, 2),
    }
