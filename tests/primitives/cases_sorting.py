"""Cases of sort, top_k and approximate top-k."""

import ml_dtypes
import numpy as np

from tests.primitives.case import Case

V = np.array([1.5, -2.0, 0.25, 3.0, -0.5], np.float32)
F = np.array([[3.0, -1.0, 2.5, 0.5], [0.0, 4.0, -7.0, 1.0]], np.float32)
ODD = np.array([3, np.nan, -0.0, 0.0, -np.inf, np.inf, 0.0, -0.0, 1], np.float32)
TIES = np.array([2, 1, 2, 2, 0, 1], np.int32)
COMPLEX = np.array([1 + 1j, 1 - 1j, complex(1, np.nan), complex(np.nan, 1), 0, -2j])
POSITIONS = np.arange(8, dtype=np.int32).reshape(2, 4)


def _grad(name, fun, *args, **options) -> Case:
    floats = tuple(i for i, a in enumerate(args) if np.asarray(a).dtype.kind == "f")
    return Case(name, fun, list(args), grad_args=floats, **options)


def _sort(**options):
    def run(lax, *operands):
        return lax.sort(operands if len(operands) > 1 else operands[0], **options)

    return run


SORTS = [
    _grad("sort", _sort(), F),
    _grad("sort-0", _sort(dimension=0), F),
    _grad("sort-unstable", _sort(is_stable=False), V),
    _grad("sort-pair", _sort(num_keys=1), F, F[:, ::-1] * 2),
    _grad("sort-with-ints", _sort(dimension=0), F, POSITIONS),
    Case("sort-two-keys", _sort(num_keys=2), [TIES, TIES[::-1], TIES * 10], ()),
    Case("sort-two-float-keys", _sort(num_keys=2), [ODD, ODD[::-1], np.arange(9)]),
    Case("sort-stable", _sort(), [TIES, np.arange(6)]),
    Case("sort-odd", _sort(), [ODD]),
    Case("sort-odd-stable", _sort(), [ODD, np.arange(9)]),
    Case("sort-many-zeros", _sort(), [np.resize(ODD, 1100)], batch_args=()),
    Case("sort-empty", _sort(), [np.zeros((2, 0), np.float32)]),
    Case("sort-complex", _sort(), [COMPLEX.astype(np.complex64)]),
    Case("sort-complex-key", _sort(), [COMPLEX.astype(np.complex64), np.arange(6)]),
    *[
        Case(
            f"sort-{np.dtype(t).name}",
            _sort(),
            [np.array([3, 1, 0, 7, 2, 1]).astype(t)],
        )
        for t in [np.bool_, np.int8, np.uint32, np.float16, ml_dtypes.bfloat16]
        + [ml_dtypes.int4, ml_dtypes.float8_e4m3fn]
    ],
    _grad("sort_key_val", lambda lax, k, v: lax.sort_key_val(k, v, 0), F, F + 1),
    Case(
        "sort_key_val-last", lambda lax, k, v: lax.sort_key_val(k, v), [TIES, TIES * 2]
    ),
]

TOPS = [
    _grad("top_k", lambda lax, x: lax.top_k(x, 2), F),
    _grad("top_k-axis", lambda lax, x: lax.top_k(x, 1, axis=0), F),
    Case("top_k-none", lambda lax, x: lax.top_k(x, 0), [F]),
    Case("top_k-all", lambda lax, x: lax.top_k(x, 6), [TIES]),
    Case("top_k-odd", lambda lax, x: lax.top_k(x, 9), [ODD]),
    Case("top_k-negative-nan", lambda lax, x: lax.top_k(x, 5), [-ODD[:5]]),
    *[
        Case(
            f"top_k-{np.dtype(t).name}",
            lambda lax, x: lax.top_k(x, 3),
            [np.array([3, 1, 0, 7, 2, 1]).astype(t)],
        )
        for t in [np.bool_, np.int8, np.uint8, np.float16, ml_dtypes.bfloat16]
    ],
    Case(
        "top_k-many",
        lambda lax, x: lax.top_k(x, 3),
        [np.sin(np.arange(600, dtype=np.float32)).reshape(2, 300)],
        batch_args=(),
    ),
    Case(
        "top_k-many-ties",
        lambda lax, x: lax.top_k(x, 3),
        [(np.arange(300) % 7).astype(np.int32)],
        batch_args=(),
    ),
    _grad("approx_max_k", lambda lax, x: lax.approx_max_k(x, 2), F),
    _grad("approx_min_k", lambda lax, x: lax.approx_min_k(x, 2), F),
    _grad(
        "approx_max_k-axis", lambda lax, x: lax.approx_max_k(x, 1, 0), F.T, parity=False
    ),
    Case(
        "approx_max_k-candidates",
        lambda lax, x: lax.approx_max_k(x, 2, aggregate_to_topk=False),
        [F],
    ),
    Case(
        "approx_min_k-bins",
        lambda lax, x: lax.approx_min_k(x, 1, aggregate_to_topk=False),
        [np.cos(np.arange(300, dtype=np.float32)).reshape(1, 300)],
        batch_args=(),
    ),
]

CASES = [*SORTS, *TOPS]
