"""Programs on vmap and make_jaxpr's kin, for test_transforms.py."""

import numpy as np

from tests.parity.compare import collector

CASES, case = collector()
X = np.arange(6.0, dtype=np.float32).reshape(2, 3)
V = np.arange(3.0, dtype=np.float32)
F16 = np.ones((2, 3), np.float16)


def vmap_case(name, fun, *args, **options):
    def run(jax):
        f = lambda *xs: fun(jax, *xs)
        return jax.vmap(f, **options)(*args)

    run.__name__ = f"vmap_{name}"
    CASES.append(run)


def double(jax, x):
    return x * 2


def add(jax, x, y):
    return x + y


def total(jax, x):
    return x.sum()


def first(jax, p):
    return p["a"] * p["b"][0]


def const(jax, x):
    return 3.0


vmap_case("default", double, X)
vmap_case("axis1", total, X, in_axes=1)
vmap_case("negative", total, X, in_axes=-1)
vmap_case("negative2", total, X, in_axes=-2)
vmap_case("out_axis1", double, X, out_axes=1)
vmap_case("out_negative", double, X, out_axes=-1)
vmap_case("in_none", add, X, V, in_axes=(0, None))
vmap_case("in_list", add, X, V, in_axes=[0, None])
vmap_case("in_mixed", add, X, X.T, in_axes=(0, 1))
vmap_case("scalar_none", add, X, 2.0, in_axes=(0, None))
vmap_case("scalar_mapped", add, X, 2.0)
vmap_case("tree", first, {"a": X, "b": (X, None)})
vmap_case("tree_axes", first, {"a": X, "b": (X.T,)}, in_axes=({"a": 0, "b": (1,)},))
vmap_case("tree_prefix", first, {"a": X, "b": (X,)}, in_axes=({"a": 0, "b": 0},))
vmap_case("tree_none", first, {"a": X, "b": (V,)}, in_axes=({"a": 0, "b": None},))
vmap_case("tree_wrong", first, {"a": X, "b": (X,)}, in_axes=({"a": 0},))
vmap_case("tree_wrong2", first, {"a": X, "b": (X,)}, in_axes=({"a": 0, "b": (0, 0)},))
vmap_case("dict_at_top", first, {"a": X, "b": (X,)}, in_axes={"a": 0, "b": 0})
vmap_case("count", add, X, X, in_axes=(0,))
vmap_case("all_none", add, X, X, in_axes=None)
vmap_case("all_none_tuple", add, X, X, in_axes=(None, None))
vmap_case("axis_size", add, V, V, in_axes=None, axis_size=4)
vmap_case("axis_size_ok", double, X, axis_size=2)
vmap_case("axis_size_bad", double, X, axis_size=5)
vmap_case("sizes_differ", add, X, V)
vmap_case("axis_out_of_range", double, V, in_axes=1)
vmap_case("axis_out_of_range_negative", double, V, in_axes=-2)
vmap_case("rank0", double, np.float32(1))
vmap_case("in_axes_str", double, X, in_axes="a")
vmap_case("in_axes_float", double, X, in_axes=1.0)
vmap_case("in_axes_bool", double, X, in_axes=True)
vmap_case("const_out", const, X)
vmap_case("const_out_none", const, X, out_axes=None)
vmap_case("batched_out_none", double, X, out_axes=None)
vmap_case("out_axes_range", total, X, out_axes=1)
vmap_case("out_axes_tree", lambda jax, x: (x, {"a": x * 2}), X, out_axes=(0, {"a": 1}))
vmap_case("out_axes_prefix", lambda jax, x: (x, {"a": x * 2}), X, out_axes=(1, 0))
vmap_case("out_axes_wrong", lambda jax, x: (x, x), X, out_axes=(0, 0, 0))
vmap_case("out_axes_str", double, X, out_axes="a")
vmap_case("out_list", lambda jax, x: [x, x], X, out_axes=[0, 1])
vmap_case("out_none_leaf", lambda jax, x: (x, None), X)
vmap_case("out_nothing", lambda jax, x: None, X)
vmap_case("out_string", lambda jax, x: "a", X)
vmap_case("bad_leaf", add, X, "a", in_axes=(0, None))
vmap_case("bad_leaf_mapped", double, "a")
vmap_case("bool", double, X > 2)
vmap_case("f16_weak", lambda jax, x: x * 2.0, F16)
vmap_case("empty_args", lambda jax: 1.0)
vmap_case("empty_tree", lambda jax, x: 1.0, {})
vmap_case("zero_size", double, np.zeros((0, 3), np.float32))
vmap_case("numpy_inside", lambda jax, x: np.sin(x), X)
vmap_case("bool_inside", lambda jax, x: x if x > 0 else -x, V)
vmap_case("bool_inside_shape", lambda jax, x: x if x.ndim else -x, V)
vmap_case("unmapped_bool", lambda jax, x, b: x if b else -x, V, True, in_axes=(0, None))
vmap_case("int_inside", lambda jax, x: range(x), np.arange(3))
vmap_case("float_inside", lambda jax, x: float(x), V)
vmap_case("where", lambda jax, x: jax.numpy.where(x > 1, x, -x), V)
vmap_case("cond", lambda jax, x: jax.lax.cond(x > 1, lambda a: a, lambda a: -a, x), V)
vmap_case(
    "cond_unmapped", lambda jax, x: jax.lax.cond(True, lambda a: a, lambda a: -a, x), V
)
vmap_case(
    "while", lambda jax, x: jax.lax.while_loop(lambda c: c < 5, lambda c: c + 1, x), V
)
vmap_case("scan", lambda jax, x: jax.lax.scan(lambda c, a: (c + a, c), x[0], x), X)
vmap_case("nested", lambda jax, x: jax.vmap(lambda a: a * x.sum())(x), X)
vmap_case("outer_product", lambda jax, x: jax.vmap(lambda y: x * y)(V), V)
vmap_case("getitem", lambda jax, x, i: x[i], X, np.array([0, 2]))
vmap_case(
    "getitem_unmapped", lambda jax, x, i: x[i], V, np.array([0, 2]), in_axes=(None, 0)
)
vmap_case("setitem", lambda jax, x, i: x.at[i].set(9), X, np.array([0, 2]))
vmap_case("psum", lambda jax, x: jax.lax.psum(x, "i"), X, axis_name="i")
vmap_case("pmean", lambda jax, x: x - jax.lax.pmean(x, "i"), X, axis_name="i")
vmap_case("pmax", lambda jax, x: jax.lax.pmax(x, "i"), X, axis_name="i")
vmap_case("axis_index", lambda jax, x: jax.lax.axis_index("i") + x, X, axis_name="i")
vmap_case("axis_index_const", lambda jax, x: jax.lax.axis_index("i"), X, axis_name="i")
vmap_case("all_gather", lambda jax, x: jax.lax.all_gather(x, "i"), X, axis_name="i")
vmap_case("psum_one", lambda jax, x: jax.lax.psum(1, "i"), X, axis_name="i")
vmap_case("psum_unknown", lambda jax, x: jax.lax.psum(x, "j"), X, axis_name="i")
vmap_case(
    "psum_unmapped",
    lambda jax, x, y: jax.lax.psum(y, "i"),
    X,
    2.0,
    in_axes=(0, None),
    axis_name="i",
)
vmap_case(
    "ppermute",
    lambda jax, x: jax.lax.ppermute(x, "i", [(0, 1), (1, 0)]),
    X,
    axis_name="i",
)
vmap_case(
    "psum_nested",
    lambda jax, x: jax.vmap(lambda a: jax.lax.psum(a, ("i", "j")), axis_name="j")(x),
    X,
    axis_name="i",
)
vmap_case(
    "psum_grad",
    lambda jax, x: jax.grad(lambda a: jax.lax.psum((a * a).sum(), "i"))(x),
    X,
    axis_name="i",
)
vmap_case(
    "psum_jit",
    lambda jax, x: jax.jit(lambda a: jax.lax.psum(a, "i"))(x),
    X,
    axis_name="i",
)
vmap_case("int8", double, np.ones((2,), np.int8))


@case
def vmap_kwargs(jax):
    return jax.vmap(lambda x, *, y: x + y)(X, y=X)


@case
def vmap_kwargs_only(jax):
    return jax.vmap(lambda y: y * 2)(y=X)


@case
def vmap_kwargs_size(jax):
    return jax.vmap(lambda x, *, y: x + y)(X, y=V)


@case
def vmap_not_callable(jax):
    return jax.vmap("f")


@case
def vmap_none_arg(jax):
    return jax.vmap(lambda x, y: x * 2 if y is None else x)(X, None)


@case
def vmap_of_jit(jax):
    return jax.vmap(jax.jit(lambda x, y: x @ y), in_axes=(0, None))(X, V)


@case
def jit_of_vmap(jax):
    return jax.jit(jax.vmap(lambda x: x / x.sum()))(X)


@case
def vmap_closure(jax):
    return jax.vmap(lambda i: X[0] * i)(V)


@case
def vmap_weak(jax):
    return jax.vmap(lambda x: 2.0)(X), jax.vmap(lambda x: x + 1)(np.arange(3))


@case
def vmap_key(jax):
    keys = jax.random.split(jax.random.key(0), 3)
    return jax.vmap(lambda k: jax.random.uniform(k, (2,)))(keys)


# --- make_jaxpr, eval_shape


@case
def eval_shape_basic(jax):
    out = jax.eval_shape(lambda x: {"a": x @ x.T, "n": x.sum() > 0}, X)
    return {k: (v.shape, str(v.dtype), v.weak_type) for k, v in out.items()}


@case
def eval_shape_spec(jax):
    spec = jax.ShapeDtypeStruct((4, 3), np.float16)
    out = jax.eval_shape(lambda x, y: x * y, spec, 2)
    return out.shape, str(out.dtype), out.weak_type


@case
def eval_shape_kwargs(jax):
    out = jax.eval_shape(lambda x, *, y: x * y, X, y=np.float32(2))
    return out.shape, str(out.dtype)


@case
def eval_shape_weak(jax):
    out = jax.eval_shape(lambda x: x * 2, 3)
    return out.shape, str(out.dtype), out.weak_type


@case
def eval_shape_error(jax):
    return jax.eval_shape(lambda x, y: x + y, X, np.ones(4, np.float32))


@case
def eval_shape_bad_leaf(jax):
    return jax.eval_shape(lambda x: x, "a")


@case
def eval_shape_bad_out(jax):
    return jax.eval_shape(lambda x: "a", 1.0)


@case
def eval_shape_closure(jax):
    return jax.jit(lambda y: y * jax.eval_shape(lambda x: x * y, X).shape[0])(2.0)


@case
def make_jaxpr_str(jax):
    return str(jax.make_jaxpr(lambda x, y: jax.lax.add(jax.lax.sin(x), y))(1.0, 2.0))


@case
def make_jaxpr_static(jax):
    f = jax.make_jaxpr(lambda x, n: x * n, static_argnums=1)
    return [str(e.primitive) for e in f(1.0, 3).eqns]


@case
def make_jaxpr_static_negative(jax):
    f = jax.make_jaxpr(lambda n, x: x * len(n), static_argnums=-2)
    return [str(e.primitive) for e in f("abc", 3.0).eqns]


@case
def make_jaxpr_shape(jax):
    closed, shape = jax.make_jaxpr(lambda x: (x, x.sum()), return_shape=True)(X)
    return [s.shape for s in shape], [a.shape for a in closed.in_avals]


@case
def make_jaxpr_axis_env(jax):
    f = jax.make_jaxpr(lambda x: jax.lax.psum(x, "i"), axis_env=[("i", 4)])
    return [str(e.primitive) for e in f(1.0).eqns]


@case
def make_jaxpr_consts(jax):
    c = jax.numpy.ones(3)
    closed = jax.make_jaxpr(lambda x: x + c)(V)
    return len(closed.consts), len(closed.jaxpr.constvars)


@case
def make_jaxpr_not_callable(jax):
    return jax.make_jaxpr(1)


@case
def make_jaxpr_of_jit(jax):
    closed = jax.make_jaxpr(jax.jit(lambda x: jax.lax.sin(x)))(1.0)
    (eqn,) = closed.eqns
    return str(eqn.primitive), eqn.params["name"]


@case
def struct_repr(jax):
    s = jax.ShapeDtypeStruct((2, 3), np.float32)
    return repr(s), s.ndim, s.size, len(s), s == jax.ShapeDtypeStruct((2, 3), "float32")


@case
def struct_weak(jax):
    return repr(jax.ShapeDtypeStruct((), np.float32, weak_type=True))


@case
def struct_no_dtype(jax):
    return jax.ShapeDtypeStruct((2,), None)
