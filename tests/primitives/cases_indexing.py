"""Cases of slices, gather and scatter."""

import ml_dtypes
import numpy as np

from tests.primitives.case import Case

V = np.array([1.5, -2.0, 0.25, 3.0, -0.5], np.float32)
F = np.linspace(-1.3, 2.4, 12, dtype=np.float32).reshape(3, 4)
I = np.int32


def _grad(name, fun, *args, **options) -> Case:
    floats = tuple(i for i, a in enumerate(args) if np.asarray(a).dtype.kind in "fc")
    return Case(name, fun, list(args), grad_args=floats, **options)


SLICES = [
    _grad("slice", lambda lax, x: lax.slice(x, (1, 0), (3, 3)), F),
    _grad("slice-strides", lambda lax, x: lax.slice(x, (0, 1), (3, 4), (2, 2)), F),
    _grad("slice-beyond", lambda lax, x: lax.slice(x, (0, 1), (3, 4), (5, 1)), F),
    _grad("slice-nothing", lambda lax, x: lax.slice(x, (1, 1), (1, 4)), F),
    Case("slice-0d", lambda lax, x: lax.slice(x, (), ()), [V[0]]),
    _grad("slice_in_dim", lambda lax, x: lax.slice_in_dim(x, -3, None, 2, axis=-1), F),
    _grad("index_in_dim", lambda lax, x: lax.index_in_dim(x, -1, 1), F),
    Case("index_in_dim-drop", lambda lax, x: lax.index_in_dim(x, 1, 0, False), [F]),
]

SLICES += [
    _grad(
        f"dynamic_slice-{i}-{j}",
        lambda lax, x, i, j: lax.dynamic_slice(x, (i, j), (2, 2)),
        F,
        i,
        j,
    )
    for i, j in [
        (I(0), I(1)),
        (I(-1), I(9)),
        (np.int8(2), np.int8(-9)),
        (np.uint8(1), np.uint8(250)),
    ]
]
SLICES += [
    Case(
        "dynamic_slice-array",
        lambda lax, x, at: lax.dynamic_slice(x, at, (1, 2)),
        [F, np.array([2, 1], I)],
    ),
    Case(
        "dynamic_slice-static",
        lambda lax, x: lax.dynamic_slice(x, (-1, 2), (1, 2)),
        [F],
    ),
    Case(
        "dynamic_slice-raw",
        lambda lax, x, i: lax.dynamic_slice(
            x, (i,), (2,), allow_negative_indices=False
        ),
        [V, I(-2)],
    ),
    Case("dynamic_slice-0d", lambda lax, x: lax.dynamic_slice(x, (), ()), [V[0]]),
    _grad(
        "dynamic_slice_in_dim",
        lambda lax, x, i: lax.dynamic_slice_in_dim(x, i, 2, 1),
        F,
        I(-2),
    ),
    _grad(
        "dynamic_index_in_dim",
        lambda lax, x, i: lax.dynamic_index_in_dim(x, i, 1, False),
        F,
        I(3),
    ),
    Case(
        "dynamic_index_in_dim-keep",
        lambda lax, x, i: lax.dynamic_index_in_dim(x, i),
        [F, I(-1)],
    ),
    *[
        _grad(
            f"dynamic_update_slice-{i}-{j}",
            lambda lax, x, u, i, j: lax.dynamic_update_slice(x, u, (i, j)),
            F,
            F[:2, :3] * 2,
            i,
            j,
        )
        for i, j in [(I(0), I(1)), (I(-1), I(9)), (np.int8(1), np.int8(-9))]
    ],
    Case(
        "dynamic_update_slice-bf16",
        lambda lax, x, u, i: lax.dynamic_update_slice(x, u, (i,)),
        [V.astype(ml_dtypes.bfloat16), V[:2].astype(ml_dtypes.bfloat16), I(1)],
    ),
    Case(
        "dynamic_update_slice-0d",
        lambda lax, x, u: lax.dynamic_update_slice(x, u, ()),
        [V[0], V[1]],
    ),
    _grad(
        "dynamic_update_slice_in_dim",
        lambda lax, x, u, i: lax.dynamic_update_slice_in_dim(x, u, i, 1),
        F,
        F[:, :2] + 1,
        I(-3),
    ),
    _grad(
        "dynamic_update_index_in_dim",
        lambda lax, x, u, i: lax.dynamic_update_index_in_dim(x, u, i, 0),
        F,
        F[0] + 1,
        I(1),
    ),
]

# --- gather and scatter: (name, operand, numbers, window, indices)

ROWS = ((1,), (0,), (0,))
COLUMNS = ((0,), (1,), (1,))
POINTS = ((), (0, 1), (1, 0))
WINDOWS = ((1, 2), (), (0, 1))
PARTIAL = ((0, 2), (), (1,))
ALONG = ((), (1,), (1,), (0,), (0,))
ALONG_FLIPPED = ((), (0,), (0,), (1,), (0,))
LAYOUTS = {
    "one": (V, ((), (0,), (0,)), (1,), [[3], [0], [3], [-1], [7]]),
    "one-inside": (V, ((), (0,), (0,)), (1,), [[3], [0], [3]]),
    "slice": (V, ((0,), (), (0,)), (2,), [2]),
    "rows": (F, ROWS, (1, 4), [[2], [0], [5], [2]]),
    "rows-2d": (F, ((2,), (0,), (0,)), (1, 4), [[[2], [0]], [[1], [-2]]]),
    "columns": (F, COLUMNS, (3, 1), [[3], [1], [3]]),
    "points": (F, POINTS, (1, 1), [[3, 0], [0, 2], [1, 4], [3, 0]]),
    "windows": (F, WINDOWS, (2, 2), [[0, 0], [1, 2], [2, 2], [0, 1]]),
    "partial": (F, PARTIAL, (3, 2), [[1], [2]]),
    "thin": (F, WINDOWS, (1, 2), [[0, 0], [2, 1]]),
    "along": (F, ALONG, (1, 1), [[[1], [3]], [[0], [0]], [[4], [2]]]),
    "along-flipped": (F, ALONG_FLIPPED, (1, 1), np.arange(8).reshape(4, 2, 1) % 4),
    "no-index": (F, ((1, 2), (), ()), (3, 4), np.zeros((2, 0))),
    "nowhere": (F, ROWS, (1, 4), np.zeros((0, 1))),
    "no-window": (F, WINDOWS, (0, 2), [[0, 1]]),
}


def _gather(numbers, window, **options):
    def run(lax, x, indices):
        layout = lax.GatherDimensionNumbers(*numbers)
        return lax.gather(x, indices, layout, window, **options)

    return run


GATHERS = []
for _name, (_x, _numbers, _window, _indices) in LAYOUTS.items():
    for _mode in ("clip", "fill"):
        # NaN, the default, has no finite differences
        _options = dict(mode=_mode, fill_value=0.5 if _mode == "fill" else None)
        GATHERS.append(
            _grad(
                f"gather-{_name}-{_mode}",
                _gather(_numbers, _window, **_options),
                _x,
                np.array(_indices, I),
            )
        )
_OUT = np.array([[0], [9]], I)
GATHERS += [
    Case(f"gather-fill-{x.dtype.name}", _gather(ROWS, (1, 2), mode="fill"), [x, _OUT])
    for x in (
        np.zeros((2, 2), t)
        for t in [np.bool_, np.int8, np.uint16, np.float16, np.complex64]
        + [ml_dtypes.bfloat16, ml_dtypes.int4, ml_dtypes.float8_e4m3fn]
    )
]
GATHERS += [
    Case(
        "gather-fill_value", _gather(ROWS, (1, 4), mode="fill", fill_value=7), [F, _OUT]
    ),
    Case("gather-default", _gather(ROWS, (1, 4)), [F, np.array([[0], [2]], np.uint8)]),
    Case(
        "gather-int8",
        _gather(ROWS, (1, 4), mode="clip"),
        [F, np.array([[-1], [1]], np.int8)],
    ),
    _grad(
        "gather-promised", _gather(ROWS, (1, 4), mode="promise_in_bounds"), F, _OUT[:1]
    ),
    _grad(
        "index_take",
        lambda lax, x, i, j: lax.index_take(x, (i, j), (0, 1)),
        F,
        I([0, -1]),
        I([5, 2]),
    ),
    _grad(
        "index_take-rows",
        lambda lax, x, i: lax.index_take(x, (i,), (1,)),
        F,
        I([0, -1, 2]),
    ),
]


def _scatter(op, numbers, **options):
    def run(lax, x, indices, updates):
        layout = lax.ScatterDimensionNumbers(*numbers)
        return getattr(lax, op)(x, indices, updates, layout, **options)

    return run


def _updates_shape(indices, numbers, window):
    shape = list(np.shape(indices)[:-1])
    dropped = {*numbers[1], *(numbers[3] if len(numbers) > 3 else ())}
    sizes = [n for i, n in enumerate(window) if i not in dropped]
    for axis, n in zip(numbers[0], sizes):
        shape.insert(axis, n)
    return shape


SCATTERS = []
for _name, (_x, _numbers, _window, _indices) in LAYOUTS.items():
    _shape = _updates_shape(_indices, _numbers, _window)
    _u = np.linspace(2.0, 3.0, int(np.prod(_shape)), dtype=np.float32).reshape(_shape)
    _args = [_x, np.array(_indices, I), _u]
    # XLA adds only one of several updates without index vectors
    _parity = _name != "no-index"
    for _op in ("scatter", "scatter_add", "scatter_sub", "scatter_max", "scatter_min"):
        for _mode in ("clip", None) if _op in ("scatter", "scatter_add") else (None,):
            SCATTERS.append(
                _grad(
                    f"{_op}-{_name}-{_mode}",
                    _scatter(_op, _numbers, mode=_mode),
                    *_args,
                    parity=_parity,
                    order=2 if _op in ("scatter", "scatter_add") else 1,
                )
            )
    SCATTERS.append(
        Case(
            f"scatter_mul-{_name}",
            _scatter("scatter_mul", _numbers),
            _args,
            (0,),
            parity=_parity,
        )
    )

ONCE = np.array([[4], [0], [2]], I)
ONE = ((), (0,), (0,))
_once = dict(unique_indices=True)
SCATTERS += [
    _grad("scatter-unique", _scatter("scatter", ONE, **_once), V, ONCE, V[1:4]),
    _grad(
        "scatter_add-unique", _scatter("scatter_add", ROWS, **_once), F, ONCE[1:], F[:2]
    ),
    _grad("scatter_mul-unique", _scatter("scatter_mul", ONE, **_once), V, ONCE, V[1:4]),
    _grad(
        "scatter_add-promised",
        _scatter("scatter_add", ONE, mode="promise_in_bounds"),
        V,
        ONCE,
        V[1:4],
    ),
    Case(
        "scatter_add-many-rows",
        _scatter("scatter_add", ROWS),
        [
            np.zeros((3, 2), np.int8),
            np.arange(9).reshape(9, 1) % 4,
            np.full((9, 2), 100, np.int8),
        ],
    ),
    Case(
        "scatter_add-bf16",
        _scatter("scatter_add", ONE),
        [V.astype(ml_dtypes.bfloat16), ONCE, V[:3].astype(ml_dtypes.bfloat16)],
    ),
    Case(
        "scatter_add-complex",
        _scatter("scatter_add", ONE),
        [V * 1j, ONCE, V[:3] + 1j],
        (0, 2),
    ),
    Case("scatter-bool", _scatter("scatter", ONE), [V > 0, ONCE, V[:3] < 0]),
    Case("scatter_max-bool", _scatter("scatter_max", ONE), [V > 0, ONCE, V[:3] > 0]),
    Case(
        "scatter_max-nan",
        _scatter("scatter_max", ONE),
        [V, ONCE, np.float32([np.nan, 9, -9])],
    ),
    Case(
        "scatter_min-ties",
        _scatter("scatter_min", ONE),
        [V, I([[0], [0], [1]]), np.float32([1.5, 1.5, -2])],
    ),
    Case(
        "scatter_apply",
        lambda lax, x, i: lax.scatter_apply(
            x,
            i,
            lambda v: lax.add(lax.mul(v, v), v),
            lax.ScatterDimensionNumbers(*ONE),
            update_shape=(4,),
        ),
        [V, I([[1], [1], [4], [8]])],
    ),
    Case(
        "scatter_apply-rows",
        lambda lax, x, i: lax.scatter_apply(
            x, i, lax.sin, lax.ScatterDimensionNumbers(*ROWS), update_shape=(2, 4)
        ),
        [F, I([[1], [1]])],
    ),
]

CASES = [*SLICES, *GATHERS, *SCATTERS]
