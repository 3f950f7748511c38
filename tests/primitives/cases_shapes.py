"""Cases of shapes, broadcasting, joining and selection."""

import ml_dtypes
import numpy as np

from tests.primitives.case import Case

F = np.linspace(-1.3, 2.4, 6, dtype=np.float32).reshape(2, 3)
G = np.cos(F * 3)
ONE = np.array([[[0.5], [-2.0]]], np.float32)  # [1, 2, 1]
ROW = np.array([0.5, -1.0, np.nan], np.float32)
COMPLEX = (F + 1j * G).astype(np.complex64)
BF16 = F.astype(ml_dtypes.bfloat16)
INT4 = np.array([[1, -2, 3], [-8, 7, 0]], ml_dtypes.int4)
BOOLS = np.array([[True, False, True], [False, False, True]])
EMPTY = np.zeros((0, 3), np.float32)
SCALAR = np.float32(1.5)


def _grad(name, fun, *args, **options) -> Case:
    """A case whose every argument is differentiated."""
    return Case(name, fun, list(args), grad_args=tuple(range(len(args))), **options)


def _any_dtype(name, fun) -> list[Case]:
    """The same function on each kind of dtype, and on an empty array."""
    kinds = dict(c64=COMPLEX, bf16=BF16, int4=INT4, bool=BOOLS, empty=EMPTY)
    kinds |= dict(
        f16=F.astype(np.float16), u8=np.arange(6, dtype=np.uint8).reshape(2, 3)
    )
    return [Case(f"{name}-{kind}", fun, [x]) for kind, x in kinds.items()]


BROADCASTING = [
    _grad(
        "broadcast_in_dim", lambda lax, x: lax.broadcast_in_dim(x, (4, 2, 3), (1, 2)), F
    ),
    _grad(
        "broadcast_in_dim-stretch",
        lambda lax, x: lax.broadcast_in_dim(x, (1, 3, 2, 4), (0, 2, 3)),
        ONE,
    ),
    _grad(
        "broadcast_in_dim-0d",
        lambda lax, x: lax.broadcast_in_dim(x, (2, 2), ()),
        SCALAR,
    ),
    _grad(
        "broadcast_in_dim-order",
        lambda lax, x: lax.broadcast_in_dim(x, (3, 2, 2), (0, 2)[::-1]),
        F,
    ),
    _grad(
        "broadcast_in_dim-gap",
        lambda lax, x: lax.broadcast_in_dim(x, (2, 2, 3), (0, 2)),
        F,
    ),
    Case(
        "broadcast_in_dim-empty",
        lambda lax, x: lax.broadcast_in_dim(x, (2, 0, 3), (1, 2)),
        [EMPTY],
    ),
    Case(
        "broadcast_in_dim-same",
        lambda lax, x: lax.broadcast_in_dim(x, (2, 3), (0, 1)),
        [F],
    ),
    Case(
        "broadcast-zero", lambda lax, x: lax.broadcast(x, (70, 80)), [np.float32(-0.0)]
    ),
    *_any_dtype("broadcast", lambda lax, x: lax.broadcast(x, (2, 1))),
    _grad("broadcast_to_rank", lambda lax, x: lax.broadcast_to_rank(x, 4), F),
    Case("broadcast_like", lambda lax, x, y: lax.broadcast_like(x, y), [ROW, F]),
    _grad("expand_dims", lambda lax, x: lax.expand_dims(x, (0, -1)), F),
    _grad("full-traced", lambda lax, x: lax.full((2, 2), x), SCALAR),
    Case("full-weak", lambda lax: lax.full((2, 2), 1.5)),
    Case("full-weak-int", lambda lax: lax.full((), -3)),
    Case("full-bool", lambda lax: lax.full((3,), True)),
    Case("full-cast", lambda lax: lax.full((3,), 2.7, np.int16)),
    Case("full-nan", lambda lax: lax.full((3,), np.nan, ml_dtypes.bfloat16)),
    Case(
        "full-traced-cast", lambda lax, x: lax.full((3,), x, np.int8), [np.float32(7)]
    ),
    Case("full-numpy", lambda lax: lax.full(3, np.float32(2), np.complex64)),
    Case("full_like", lambda lax, x: lax.full_like(x, 3), [F]),
    Case("full_like-dtype", lambda lax, x: lax.full_like(x, 1, np.uint8, (2,)), [F]),
    Case("full_like-weak", lambda lax: lax.full_like(2, 2.5)),
    Case("iota", lambda lax: lax.iota(np.int32, 5)),
    Case("iota-wraps", lambda lax: lax.iota(np.int8, 130)),
    Case("iota-bf16", lambda lax: lax.iota(ml_dtypes.bfloat16, 3)),
    Case("iota-complex", lambda lax: lax.iota(np.complex64, 3)),
    Case("iota-empty", lambda lax: lax.iota(np.float32, 0)),
    Case("broadcasted_iota-0", lambda lax: lax.broadcasted_iota(np.uint8, (3, 2), 0)),
    Case(
        "broadcasted_iota-1", lambda lax: lax.broadcasted_iota(np.float16, (2, 3, 2), 1)
    ),
    Case("empty", lambda lax: lax.empty((2, 3), np.float32), parity=False),
]

SHAPES = [
    _grad("reshape", lambda lax, x: lax.reshape(x, (3, 2)), F),
    _grad("reshape-flat", lambda lax, x: lax.reshape(x, 6), F),
    _grad("reshape-permuted", lambda lax, x: lax.reshape(x, (2, 3), (1, 0)), F),
    _grad("reshape-0d", lambda lax, x: lax.reshape(x, (1, 1)), SCALAR),
    _grad("reshape-to-0d", lambda lax, x: lax.reshape(x, ()), F[:1, :1]),
    _grad(
        "collapse", lambda lax, x: lax.collapse(x, 1, 3), np.ones((2, 2, 2), np.float32)
    ),
    Case("collapse-none", lambda lax, x: lax.collapse(x, 1, 1), [F]),
    *_any_dtype("reshape", lambda lax, x: lax.reshape(x, (1, 3, x.shape[0]))),
    _grad("transpose", lambda lax, x: lax.transpose(x, (1, 0)), F),
    _grad("transpose-3", lambda lax, x: lax.transpose(x, (2, 0, 1)), ONE),
    Case("transpose-0d", lambda lax, x: lax.transpose(x, ()), [SCALAR]),
    Case("transpose-same", lambda lax, x: lax.transpose(x, (0, 1)), [F]),
    *_any_dtype("transpose", lambda lax, x: lax.transpose(x, (1, 0))),
    _grad("squeeze", lambda lax, x: lax.squeeze(x, (0, -1)), ONE),
    Case("squeeze-none", lambda lax, x: lax.squeeze(x, ()), [F]),
    _grad("rev", lambda lax, x: lax.rev(x, (1,)), F),
    _grad("rev-both", lambda lax, x: lax.rev(x, (1, 0)), F),
    *_any_dtype("rev", lambda lax, x: lax.rev(x, (0, 1))),
]


def _pad(config):
    return lambda lax, x, v: lax.pad(x, v, config)


ZERO = np.float32(0.25)
JOINING = [
    _grad("pad", _pad([(1, 2, 0), (0, 1, 0)]), F, ZERO),
    _grad("pad-interior", _pad([(0, 0, 1), (1, 0, 2)]), F, ZERO),
    _grad("pad-negative", _pad([(-1, 0, 0), (0, -2, 0)]), F, ZERO),
    _grad("pad-crop-interior", _pad([(-1, 2, 1), (-2, -2, 2)]), F, ZERO),
    _grad("pad-crop-more", _pad([(-3, 4, 1), (5, -6, 1)]), F, ZERO),
    _grad("pad-to-nothing", _pad([(0, 0, 0), (-1, -2, 0)]), F, ZERO),
    _grad("pad-0d", _pad([]), SCALAR, ZERO),
    Case("pad-empty", _pad([(1, 1, 3), (0, 0, 1)]), [EMPTY, ZERO]),
    Case("pad-int4", _pad([(1, 1, 1), (-1, 0, 0)]), [INT4, ml_dtypes.int4(-7)]),
    Case("pad-bool", _pad([(1, 0, 0), (0, 0, 0)]), [BOOLS, np.True_]),
    Case("pad-weak", lambda lax: lax.pad(lax.full((2,), 1.0), 2.0, [(1, 1, 0)])),
    _grad("concatenate", lambda lax, x, y: lax.concatenate([x, y], 0), F, G),
    _grad(
        "concatenate-1", lambda lax, x, y: lax.concatenate([x, y, x], 1), F, G[:, :1]
    ),
    Case("concatenate-one", lambda lax, x: lax.concatenate([x], 1), [F]),
    *_any_dtype("concatenate", lambda lax, x: lax.concatenate([x, x], 1)),
    _grad("split", lambda lax, x: lax.split(x, (1, 0, 2), 1), F),
    _grad("split-part", lambda lax, x: lax.split(x, (1, 2), -1)[1], F),
    *_any_dtype("split", lambda lax, x: lax.split(x, (2, 1), 1)),
    _grad("tile", lambda lax, x: lax.tile(x, (2, 3)), F),
    Case("tile-zero", lambda lax, x: lax.tile(x, (2, 0)), [F]),
    Case("tile-0d", lambda lax, x: lax.tile(x, ()), [SCALAR]),
    *_any_dtype("tile", lambda lax, x: lax.tile(x, (1, 2))),
    _grad("stack", lambda lax, x, y: lax.stack([x, y], 1), F, G),
    _grad("stack-last", lambda lax, x, y: lax.stack([x, y, x], -1), F, G),
    _grad("stack-0d", lambda lax, x, y: lax.stack([x, y]), SCALAR, ZERO),
    *_any_dtype("stack", lambda lax, x: lax.stack([x, x], 2)),
    _grad("unstack", lambda lax, x: lax.unstack(x), F),
    _grad("unstack-1", lambda lax, x: lax.unstack(x, -1)[1], F),
    _grad("unstack-1d", lambda lax, x: lax.unstack(x), F[0]),
    *_any_dtype("unstack", lambda lax, x: lax.unstack(x, 1)),
]

WHICH = np.array([[0, 2, 1], [-4, 9, 1]], np.int32)


def _select_n(lax, which, *cases):
    return lax.select_n(which, *cases)


SELECTION = [
    Case("select_n-bool", _select_n, [BOOLS, F, G], grad_args=(1, 2)),
    Case("select_n-scalar", _select_n, [np.True_, F, G], grad_args=(1, 2)),
    Case("select_n-ints", _select_n, [WHICH, F, G, F * G], grad_args=(1, 2, 3)),
    Case("select_n-scalar-int", _select_n, [np.uint8(7), F, G, F], grad_args=(1, 3)),
    Case("select_n-negative", _select_n, [np.int32(-1), F, G], grad_args=(1, 2)),
    Case("select_n-one", _select_n, [WHICH, F], grad_args=(1,)),
    Case("select_n-0d", _select_n, [np.False_, SCALAR, ZERO], grad_args=(1, 2)),
    Case("select_n-int4", _select_n, [BOOLS, INT4, INT4 + INT4]),
    Case("select_n-complex", _select_n, [BOOLS, COMPLEX, -COMPLEX], grad_args=(1, 2)),
    Case("select_n-weak", lambda lax, p: lax.select_n(p, 1.0, 2.0), [np.True_]),
    Case("select", lambda lax, p, x, y: lax.select(p, x, y), [BOOLS, F, G], (1, 2)),
    _grad("clamp", lambda lax, a, x, b: lax.clamp(a, x, b), F * 0 - 0.5, F, G * 0 + 1),
    _grad("clamp-scalars", lambda lax, x: lax.clamp(0.0, x, 1.0), F),
    Case(
        # JAX cannot differentiate a scalar bound of an array
        "clamp-scalar-bounds",
        lambda lax, a, x, b: lax.clamp(a, x, b),
        [np.float32(-0.4), F, np.float32(1)],
        grad_args=(0, 1, 2),
    ),
    Case("clamp-crossed", lambda lax, x: lax.clamp(2.0, x, 1.0), [F]),
    Case("clamp-nan", lambda lax, x: lax.clamp(0.0, x, 1.0), [ROW]),
    Case("clamp-nan-bound", lambda lax, x, b: lax.clamp(0.0, x, b), [F, F * np.nan]),
    Case(
        "clamp-int",
        lambda lax, x: lax.clamp(np.int8(-1), x, np.int8(1)),
        [np.int8([-5, 0, 5])],
    ),
    Case(
        "clamp-complex",
        lambda lax, x: lax.clamp(np.complex64(-1), x, np.complex64(1j)),
        [COMPLEX],
    ),
    Case("clamp-bf16", lambda lax, x: lax.clamp(BF16[0, 1], x, BF16[1, 1]), [BF16]),
    Case("clamp-bool", lambda lax, x: lax.clamp(False, x, True), [BOOLS]),
]

CASES = [*BROADCASTING, *SHAPES, *JOINING, *SELECTION]
