"""Cases of window reductions, and of what carries their tangents."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from tests.primitives.case import Case

nan, inf = np.nan, np.inf
RNG = np.random.default_rng(3)
CASES: list[Case] = []


def case(name, fun, *args, **kwargs):
    CASES.append(Case(f"{name}-{len(CASES)}", fun, list(args), **kwargs))


def normal(*shape, dtype=np.float32):
    return RNG.standard_normal(shape).astype(dtype)


def shuffled(*shape, dtype=np.float32):
    """Distinct values, so that extrema do not tie under a finite difference."""
    return RNG.permutation(int(np.prod(shape))).reshape(shape).astype(dtype)


INITIAL = {"add": 0.0, "max": -inf, "min": inf, "mul": 1.0}


def window(op, x, dims, strides=None, padding="VALID", base=None, holes=None, **kwargs):
    """A window reduction by lax.<op>, from its identity."""

    def fun(lax, x):
        init = INITIAL[op]
        if x.dtype.kind in "iu" and np.isinf(init):
            info = np.iinfo(x.dtype)
            init = info.min if init < 0 else info.max
        init = np.asarray(init).astype(x.dtype)
        return lax.reduce_window(
            x, init, getattr(lax, op), dims, strides, padding, base, holes
        )

    case(f"reduce_window-{op}", fun, x, **kwargs)


GEOMETRIES = [
    dict(dims=(2,)),
    dict(dims=(3,), strides=(2,), padding="SAME"),
    dict(dims=(3,), strides=(1,), padding="SAME_LOWER"),
    dict(dims=(2,), strides=(3,), padding=((1, 2),)),
    dict(dims=(2,), strides=(1,), padding=((-1, 1),)),
    dict(dims=(6,), strides=(1,), padding=((3, 5),)),
    dict(dims=(2,), base=(2,), padding=((1, 0),)),
    dict(dims=(2,), holes=(3,)),
    dict(dims=(3,), strides=(2,), padding=((2, 1),), base=(3,), holes=(2,)),
    dict(dims=(9,)),
]
for op in ("add", "max", "min"):
    for geometry in GEOMETRIES:
        window(op, shuffled(7), grad_args=(0,), order=1, **geometry)
    window(op, shuffled(4, 5), (2, 3), (1, 2), "SAME", grad_args=(0,), order=2)
    window(op, shuffled(2, 3, 4), (1, 2, 2), (1, 2, 1), grad_args=(0,), order=1)
    window(op, shuffled(24), (17,), (1,), "SAME", grad_args=(0,), order=1)
    window(op, np.array([1, nan, 2, inf, -inf, 0, 3], np.float32), (3,), (1,))
    for dtype in (np.float16, ml_dtypes.bfloat16):
        window(op, normal(8, dtype=dtype), (3,), (2,), "SAME", rtol=0.02, atol=0.02)
    for dtype in (np.int8, np.uint16, np.int32):
        window(op, shuffled(8, dtype=dtype), (3,), (2,), "SAME")
    window(op, np.zeros((0, 3), np.float32), (1, 2))
    window(op, np.float32(2), (), parity=False)  # JAX fails under jit
window("add", (normal(5) + 1j * normal(5)).astype(np.complex64), (2,), grad_args=(0,))
for op in ("bitwise_or", "max", "bitwise_and"):
    case(f"reduce_window-bool-{op}",
         lambda lax, x, op=op: lax.reduce_window(
             x, np.bool_(op == "bitwise_and"), getattr(lax, op), (2,), (1,)),
         RNG.random(6) > 0.5)  # fmt: skip

# --- by a function


def soft_or(lax):
    return lambda a, b: lax.sub(lax.add(a, b), lax.mul(a, b))


def both(lax):
    return lambda a, b: (lax.add(a[0], b[0]), lax.max(a[1], b[1]))


for geometry in GEOMETRIES[:9]:
    order = ("dims", "strides", "padding", "base", "holes")
    options = [geometry.get(o, "VALID" if o == "padding" else None) for o in order]
    case("reduce_window-soft",
         lambda lax, x, options=options: lax.reduce_window(
             x, np.zeros((), x.dtype), soft_or(lax), *options),
         normal(6) / 2, grad_args=(0,), order=1, rtol=1e-4)  # fmt: skip
window("mul", normal(3, 4), (2, 2), (1, 2), "SAME", grad_args=(0,), order=1)
case("reduce_window-init", lambda lax, x: lax.reduce_window(
    x, np.float32(3), lax.add, (2,), (1,), "SAME"), normal(5))  # fmt: skip
case("reduce_window-pair", lambda lax, x, y: lax.reduce_window(
    (x, y), (np.float32(0), np.int32(-9)), both(lax), (2,), (2,), "SAME"),
    normal(5), np.arange(5, dtype=np.int32))  # fmt: skip

# --- selection


def scatter(window, strides, padding):
    def fun(lax, source, x):
        if lax.__name__.startswith("jaxlike"):
            return lax.select_and_scatter_add_p.bind(
                source, x, select_prim=lax.ge_p, window_dimensions=window,
                window_strides=strides, padding=padding,
            )  # fmt: skip
        from jax._src.lax import windowed_reductions

        return windowed_reductions._select_and_scatter_add(
            source, x, lax.ge_p, window, strides, padding
        )

    return fun


for strides, padding, count in (
    ((1,), ((0, 0),), 5),
    ((2,), ((0, 0),), 3),
    ((2,), ((1, 1),), 4),
):
    case("select_and_scatter_add", scatter((2,), strides, padding),
         normal(count), shuffled(6), grad_args=(0,), order=1)  # fmt: skip
case("select_and_scatter_add-ties", scatter((3,), (1,), ((0, 0),)),
     normal(4), np.ones(6, np.float32))  # fmt: skip
case("select_and_scatter_add-nan", scatter((2,), (1,), ((0, 0),)),
     normal(5), np.array([1, nan, 2, nan, nan, 3], np.float32))  # fmt: skip
case("select_and_scatter_add-2d", scatter((2, 2), (1, 2), ((0, 1), (1, 0))),
     normal(3, 2), shuffled(3, 4))  # fmt: skip
case("select_and_scatter_add-int", scatter((2,), (1,), ((0, 0),)),
     np.arange(5, dtype=np.int32), shuffled(6), parity=False)  # fmt: skip
case("select_and_scatter", lambda lax, x, source: lax.select_and_scatter_p.bind(
    x, source, np.float32(1), window_dimensions=(2,), window_strides=(1,),
    padding=((0, 0),), select_consts=(), scatter_consts=(), **_jaxprs(lax)),
    shuffled(6), normal(5), parity=False)  # fmt: skip


def _jaxprs(lax):
    from jaxlike.core import tree
    from jaxlike.core.avals import ShapedArray
    from jaxlike.primitives.monoids import trace_monoid, trace_predicate

    scalar = ShapedArray((), np.float32)
    return dict(
        select_jaxpr=trace_predicate(lax.ge, scalar),
        scatter_jaxpr=trace_monoid(lax.mul, [scalar], tree.structure(0)),
    )
