"""Programs on jit, its stages, caches and settings, for test_transforms.py."""

import functools
import operator

import numpy as np

from tests.parity.compare import collector

CASES, case = collector()
X = np.arange(6.0, dtype=np.float32).reshape(2, 3)
V = np.arange(3.0, dtype=np.float32)


class Counter:
    """How often Python ran a function."""

    def __init__(self, fun):
        self.fun, self.count = fun, 0

    def __call__(self, *args, **kwargs):
        self.count += 1
        return self.fun(*args, **kwargs)


def retraces(name, calls, fun=lambda *a, **k: 0, **options):
    """The count of executions after each call; `calls` is a list of (args, kwargs)."""

    def run(jax):
        counter = Counter(fun)

        def f(*args, **kwargs):
            return counter(*args, **kwargs)

        if options.get("_named"):

            def f(x, n=3, *, flag=False):
                return counter(x, n, flag)

        jitted = jax.jit(f, **{k: v for k, v in options.items() if k != "_named"})
        counts = []
        for make in calls:
            args, kwargs = make(jax)
            jitted(*args, **kwargs)
            counts.append(counter.count)
        return counts

    run.__name__ = f"retraces_{name}"
    CASES.append(run)


def call(*args, **kwargs):
    return lambda jax: (args, kwargs)


def asarray(*args):
    return lambda jax: (tuple(jax.numpy.asarray(a) for a in args), {})


class Equal:
    """Equal to every other one, by value."""

    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return 1

    def __eq__(self, other):
        return self.n == other.n


retraces("same", [call(X), call(X), call(X + 1)])
retraces("shape", [call(X), call(V), call(X)])
retraces("dtype", [call(V), call(V.astype(np.int32)), call(V.astype(np.float16))])
retraces("weak", [call(1.0), call(np.float32(1)), call(2.0), call(1)])
retraces("python_types", [call(1), call(True), call(2), call(False), call(1j)])
retraces("array_or_numpy", [call(V), asarray(V), call(V)])
retraces("x64_input", [call(np.float64(1)), call(np.float32(1))])
retraces("tree", [call([1.0]), call((1.0,)), call({"a": 1.0}), call([2.0])])
retraces("dict_order", [call({"a": 1, "b": 2}), call({"b": 2, "a": 1})])
retraces("dict_keys", [call({"a": 1}), call({"b": 1})])
retraces("none", [call(1.0, None), call(1.0, 2.0), call(1.0, None)])
retraces("kwargs", [call(x=1.0, y=2.0), call(y=1.0, x=2.0), call(1.0, y=2.0)])
retraces("static", [call(1.0, 2), call(1.0, 3), call(1.0, 2)], static_argnums=1)
retraces("static_types", [call(1, 1), call(1, True), call(1, 1.0)], static_argnums=1)
retraces(
    "static_negative", [call(1.0, 2), call(1.0, 3), call(2.0, 3)], static_argnums=-1
)
retraces(
    "static_eq",
    [call(1, Equal(1)), call(1, Equal(1)), call(1, Equal(2))],
    static_argnums=1,
)
retraces("static_name", [call(1, n=2), call(1, n=2), call(1, n=3)], static_argnames="n")
retraces(
    "static_named",
    [call(1, 3), call(1, n=3), call(1), call(1, 3)],
    _named=True,
    static_argnames="n",
)
retraces(
    "static_named_num",
    [call(1, 3), call(1, n=3), call(1), call(1, n=4)],
    _named=True,
    static_argnums=1,
)
retraces(
    "static_kwonly",
    [call(1, flag=True), call(1), call(1, flag=False)],
    _named=True,
    static_argnames=("flag",),
)
retraces("static_unhashable", [call(1, [2])], static_argnums=1)
retraces("static_array", [call(1, V)], static_argnums=1)
retraces("static_dict", [call(1, {})], static_argnums=1)
retraces("static_name_unhashable", [call(1, n=[2])], static_argnames="n")
retraces("static_string", [call(1, "a"), call(1, "b"), call(1, "a")], static_argnums=1)
retraces(
    "static_function", [call(1, operator.add), call(1, operator.sub)], static_argnums=1
)
retraces("static_tuple", [call(1, (1, 2)), call(1, (1, 2))], static_argnums=(1,))


def signature_case(name, fun, *args, kwargs=None, **options):
    def run(jax):
        return jax.jit(functools.partial(fun), **options)(*args, **(kwargs or {}))

    def run_plain(jax):
        return jax.jit(fun, **options)(*args, **(kwargs or {}))

    run_plain.__name__ = f"jit_{name}"
    CASES.append(run_plain)


def power(x, n, scale=1):
    return x**n * scale


signature_case("static_pow", power, 2.0, 3, static_argnums=1)
signature_case("static_kw", power, 2.0, kwargs={"n": 3}, static_argnames="n")
signature_case("static_num_kw", power, 2.0, kwargs={"n": 3}, static_argnums=1)
signature_case("static_name_pos", power, 2.0, 3, static_argnames="n")
signature_case(
    "static_both",
    power,
    2.0,
    3,
    kwargs={"scale": 2},
    static_argnums=1,
    static_argnames="scale",
)
signature_case("static_default", power, 2.0, 3, static_argnums=(1, 2))
signature_case("static_range", power, 2.0, 3, static_argnums=7)
signature_case("static_range_negative", power, 2.0, 3, static_argnums=-7)
signature_case("static_unknown_name", power, 2.0, 3, static_argnames="zz")
signature_case("static_bad_type", power, 2.0, 3, static_argnums="n")
signature_case("static_bad_float", power, 2.0, 3, static_argnums=1.0)
signature_case("static_bad_name", power, 2.0, 3, static_argnames=1)
signature_case("static_donated", power, 2.0, 3, static_argnums=0, donate_argnums=0)
signature_case("donate_range", power, 2.0, 3, donate_argnums=9)
signature_case("missing", power, 2.0)
signature_case("too_many", power, 2.0, 3, 4, 5)
signature_case("unknown_kw", power, 2.0, kwargs={"z": 1})
signature_case("string", power, "a", 3)
signature_case("object", power, object(), 3)
signature_case("list", lambda x: x[0] + x[1], [1.0, V])
signature_case("nested_list", lambda x: x, [[1, 2], [3.0, (4,)]])
signature_case("none", lambda x: None, 1.0)
signature_case("none_in", lambda x: x is None, None)
signature_case("constant", lambda: 3)
signature_case("constants", lambda x: (1, 2.0, True, 1j, np.float16(2)), 1.0)
signature_case("numpy_constant", lambda: np.arange(3))
signature_case("input", lambda x, y: (y, x, x), 1.0, V)
signature_case("identity_int", lambda x: x, 3)
signature_case("bad_output", lambda x: "a", 1.0)
signature_case("bad_output_tree", lambda x: {"a": [x, object()]}, 1.0)
signature_case("weak", lambda x: x * 2, 3.0)
signature_case("f64", lambda x: x, np.float64(3))
signature_case("i64", lambda x: x, np.int64(3))
signature_case("big_int", lambda x: x, 2**40)
signature_case("bool_array", lambda x: ~x, V > 1)
signature_case("empty", lambda x: x.sum(), np.zeros((0, 3), np.float32))
signature_case("f16", lambda x: x * 2, np.float16(3))
signature_case("dict", lambda d: {"z": d["a"], "b": d["c"]}, {"c": 1, "a": 2.0})
signature_case("if", lambda x: 1 if x > 0 else 2, 1.0)
signature_case("while", lambda x: [x := x - 1 for _ in iter(lambda: x > 0, False)], 1.0)
signature_case("float", lambda x: float(x), 1.0)
signature_case("int", lambda x: int(x), 1)
signature_case("complex", lambda x: complex(x), 1.0)
signature_case("index", lambda x: [1, 2][x], 1)
signature_case("range", lambda x: range(x), 3)
signature_case("np_sin", lambda x: np.sin(x), V)
signature_case("np_asarray", lambda x: np.asarray(x), V)
signature_case("item", lambda x: x.item(), 1.0)
signature_case("tolist", lambda x: x.tolist(), V)
signature_case("hash", lambda x: hash(x), 1.0)
signature_case("in_dict", lambda x: {x: 1}, 1.0)
signature_case("len", lambda x: len(x), V)
signature_case("len_scalar", lambda x: len(x), 1.0)
signature_case("iter", lambda x: [a * 2 for a in x], V)
signature_case("iter_scalar", lambda x: list(x), 1.0)
signature_case("unpack", lambda x: (lambda a, b, c: a + c)(*x), V)
signature_case("setitem", lambda x: x.__setitem__(0, 1.0), V)
signature_case("hex", lambda x: hex(x), 3)
signature_case("shape_math", lambda x: x / x.shape[0], V)
signature_case("mask", lambda x: x[x > 1], V)
signature_case("round", lambda x: round(x, 1), 1.25)
signature_case("format", lambda x: f"{x:.2f}" and x, 1.0)
signature_case("slice", lambda x, n: x[:n], V, 2)
signature_case("not", lambda x: not x, 1.0)
signature_case("and", lambda x: x and 1, 1.0)
signature_case("assert", lambda x: x in [1.0], 2.0)
signature_case("backend", lambda x: x, 1.0, backend="nope")
signature_case("keep_unused", lambda x, y: x, 1.0, V, keep_unused=True)


@case
def jit_not_callable(jax):
    return jax.jit(3)


@case
def jit_decorator_options(jax):
    @functools.partial(jax.jit, static_argnames=("n",))
    def f(x, n):
        return x * n

    @jax.jit(static_argnums=1)
    def g(x, n):
        return x * n

    return f(V, n=2), g(V, 3)


@case
def jit_method(jax):
    class Model:
        def __init__(self, w):
            self.w = w

        @functools.partial(jax.jit, static_argnums=0)
        def apply(self, x):
            return x * self.w

        @staticmethod
        @jax.jit
        def static(x):
            return x + 1

        @classmethod
        @functools.partial(jax.jit, static_argnums=0)
        def make(cls, x):
            return x * 2

    m = Model(2.0)
    return m.apply(V), m.apply(x=V), Model.apply(m, V), m.static(V), Model.make(V)


@case
def jit_method_unhashable_self(jax):
    class Model:
        @jax.jit
        def apply(self, x):
            return x

    return Model().apply(V)


@case
def jit_partial(jax):
    return jax.jit(functools.partial(power, n=2))(3.0), jax.jit(
        functools.partial(power, 2.0)
    )(3)


@case
def jit_callable_object(jax):
    class F:
        def __call__(self, x):
            return x * 2

    return jax.jit(F())(V)


@case
def jit_builtin(jax):
    return jax.jit(operator.add)(1.0, V), jax.jit(max)(1.0, 1.0)


@case
def jit_wraps(jax):
    def loss(x):
        "Doc."
        return x

    f = jax.jit(loss)
    return f.__name__, f.__doc__, f.__wrapped__ is loss


@case
def jit_closure_array(jax):
    c = jax.numpy.asarray(V)
    return jax.jit(lambda x: x + c)(1.0)


@case
def jit_closure_of_grad(jax):
    return jax.grad(lambda y: jax.jit(lambda x: x * y)(3.0))(2.0)


@case
def jit_closure_of_vmap(jax):
    return jax.vmap(lambda y: jax.jit(lambda x: x * y)(3.0))(V)


@case
def jit_closure_of_jit(jax):
    @jax.jit
    def outer(y):
        inner = jax.jit(lambda x: x * y)
        return inner(2.0) + inner(3.0)

    return outer(2.0)


@case
def jit_closure_jvp(jax):
    return jax.jvp(lambda y: jax.jit(lambda x: x * y * y)(3.0), (2.0,), (1.0,))


@case
def jit_nested_count(jax):
    counter = Counter(lambda x: x * 2)
    inner = jax.jit(lambda x: counter(x))

    @jax.jit
    def outer(x):
        return inner(x) + inner(x + 1)

    outer(2.0), outer(3.0), inner(2.0)
    return counter.count


@case
def jit_grad_count(jax):
    counter = Counter(lambda x: x * 2)
    f = jax.jit(lambda x: counter(x))
    g = jax.jit(jax.grad(f))
    g(1.0), g(2.0), f(1.0), jax.grad(f)(1.0), jax.vmap(f)(V)
    return counter.count


@case
def jit_same_function_twice(jax):
    counter = Counter(lambda x: x * 2)

    def f(x):
        return counter(x)

    jax.jit(f)(1.0), jax.jit(f)(1.0)
    return counter.count


@case
def jit_inline(jax):
    inner = jax.jit(lambda x: jax.lax.sin(x), inline=True)
    outer = jax.jit(lambda x: jax.lax.cos(x))
    closed = jax.make_jaxpr(lambda x: outer(inner(x)))(1.0)
    return [str(e.primitive) for e in closed.eqns]


@case
def jit_donate(jax):
    x = jax.numpy.asarray(V)
    y = jax.jit(lambda x: x + 1, donate_argnums=0)(x)
    return y, x.is_deleted()


@case
def jit_donate_use(jax):
    x = jax.numpy.asarray(V)
    jax.jit(lambda x: x + 1, donate_argnums=0)(x)
    return x + 1


@case
def jit_donate_use_numpy(jax):
    x = jax.numpy.asarray(V)
    jax.jit(lambda x: x + 1, donate_argnums=0)(x)
    return np.asarray(x)


@case
def jit_donate_use_jit(jax):
    x = jax.numpy.asarray(V)
    jax.jit(lambda x: x + 1, donate_argnums=0)(x)
    return jax.jit(lambda x: x * 2)(x)


@case
def jit_donate_repr(jax):
    x = jax.numpy.asarray(V)
    jax.jit(lambda x: x + 1, donate_argnums=0)(x)
    return x.shape, str(x.dtype)


@case
def jit_donate_twice(jax):
    x = jax.numpy.asarray(V)
    return jax.jit(lambda x, y: x + y, donate_argnums=(0, 1))(x, x)


@case
def jit_donate_name(jax):
    x, y = jax.numpy.asarray(V), jax.numpy.asarray(V)
    jax.jit(lambda x, y: x + y, donate_argnames="y")(x, y=y)
    return x.is_deleted(), y.is_deleted()


@case
def jit_donate_tree(jax):
    p = {"a": jax.numpy.asarray(V), "b": jax.numpy.asarray(X)}
    q = jax.jit(lambda p: jax.tree.map(lambda a: a * 2, p), donate_argnums=0)(p)
    return q, p["a"].is_deleted()


@case
def jit_donate_numpy(jax):
    v = V.copy()
    out = jax.jit(lambda x: x + 1, donate_argnums=0)(v)
    return out, v


@case
def jit_deleted(jax):
    x = jax.numpy.asarray(V)
    x.delete()
    return x + 1
