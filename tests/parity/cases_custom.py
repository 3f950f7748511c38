"""Programs on custom rules, closures and checkpoint, for test_transforms.py."""

import functools

import numpy as np

from tests.parity.compare import collector

CASES, case = collector()
V = np.arange(3.0, dtype=np.float32)


def sin_jvp(jax, **options):
    f = jax.custom_jvp(lambda x: jax.numpy.sin(x))

    def rule(primals, tangents):
        (x,), (t,) = primals, tangents
        return f(x), 10 * jax.numpy.cos(x) * t

    f.defjvp(rule, **options)
    return f


def sin_vjp(jax):
    f = jax.custom_vjp(lambda x: jax.numpy.sin(x))
    f.defvjp(lambda x: (f(x), jax.numpy.cos(x)), lambda res, ct: (10 * res * ct,))
    return f


def everywhere(name, make):
    """The function under each transform alone and in pairs."""

    def add(which, program):
        def run(jax):
            return program(jax, make(jax))

        run.__name__ = f"{name}_{which}"
        CASES.append(run)

    add("call", lambda jax, f: f(2.0))
    add("grad", lambda jax, f: jax.grad(f)(2.0))
    add("grad2", lambda jax, f: jax.grad(jax.grad(f))(2.0))
    add("grad3", lambda jax, f: jax.grad(jax.grad(jax.grad(f)))(2.0))
    add("jvp", lambda jax, f: jax.jvp(f, (2.0,), (1.0,)))
    add("jit", lambda jax, f: jax.jit(f)(2.0))
    add("grad_jit", lambda jax, f: jax.grad(jax.jit(f))(2.0))
    add("jit_grad", lambda jax, f: jax.jit(jax.grad(f))(2.0))
    add("jit_grad2", lambda jax, f: jax.jit(jax.grad(jax.jit(jax.grad(f))))(2.0))
    add("vmap", lambda jax, f: jax.vmap(f)(V))
    add("vmap_grad", lambda jax, f: jax.vmap(jax.grad(f))(V))
    add("grad_vmap", lambda jax, f: jax.grad(lambda x: jax.vmap(f)(x).sum())(V))
    add("jit_vmap_grad", lambda jax, f: jax.jit(jax.vmap(jax.grad(f)))(V))
    add("vmap_jit_grad", lambda jax, f: jax.vmap(jax.jit(jax.grad(f)))(V))
    add(
        "grad_vmap_jit",
        lambda jax, f: jax.grad(lambda x: jax.vmap(jax.jit(f))(x).sum())(V),
    )
    add("vmap2_grad", lambda jax, f: jax.vmap(jax.vmap(jax.grad(f)))(V[None]))
    add("jacfwd", lambda jax, f: jax.jacfwd(f)(V))
    add("jacrev", lambda jax, f: jax.jacrev(f)(V))
    add("hessian", lambda jax, f: jax.hessian(lambda x: f(x).sum())(V))
    add("scan", lambda jax, f: jax.lax.scan(lambda c, x: (f(c), x), 2.0, V))
    add(
        "grad_scan",
        lambda jax, f: jax.grad(
            lambda x: jax.lax.scan(lambda c, y: (f(c) * y, c), x, V + 1)[0]
        )(2.0),
    )
    add(
        "grad_vmap_scan",
        lambda jax, f: jax.vmap(
            jax.grad(lambda x: jax.lax.scan(lambda c, y: (f(c) * y, c), x, V + 1)[0])
        )(V),
    )
    add(
        "cond",
        lambda jax, f: jax.grad(lambda x: jax.lax.cond(x > 1, f, lambda a: a, x))(2.0),
    )
    add(
        "fori",
        lambda jax, f: jax.grad(
            lambda x: jax.lax.fori_loop(0, 3, lambda i, c: f(c) + x, x)
        )(2.0),
    )
    add(
        "while",
        lambda jax, f: jax.jvp(
            lambda x: jax.lax.while_loop(
                lambda c: c[0] < 3, lambda c: (c[0] + 1, f(c[1])), (0, x)
            )[1],
            (2.0,),
            (1.0,),
        ),
    )
    add(
        "checkpoint",
        lambda jax, f: jax.grad(jax.checkpoint(lambda x: f(x) * f(x + 1)))(2.0),
    )
    add(
        "grad_closure",
        lambda jax, f: jax.grad(lambda y: jax.jit(lambda x: f(x * y))(2.0))(3.0),
    )
    add("linearize", lambda jax, f: jax.linearize(f, 2.0)[1](3.0))
    add("vjp", lambda jax, f: jax.vjp(f, V)[1](V))
    add("weak", lambda jax, f: f(2))
    add("f16", lambda jax, f: jax.grad(f)(np.float16(2)))
    add(
        "tree",
        lambda jax, f: jax.grad(lambda p: f(p["a"]) * p["b"])({"a": 1.0, "b": 2.0}),
    )
    add("eval_shape", lambda jax, f: jax.eval_shape(f, V).shape)


everywhere("custom_jvp", sin_jvp)
everywhere("custom_jvp_sz", functools.partial(sin_jvp, symbolic_zeros=True))
everywhere("custom_vjp", sin_vjp)
everywhere(
    "custom_gradient",
    lambda jax: jax.custom_gradient(
        lambda x: (jax.numpy.sin(x), lambda g: g * 10 * jax.numpy.cos(x))
    ),
)
everywhere(
    "checkpoint",
    lambda jax: jax.checkpoint(lambda x: jax.numpy.sin(jax.numpy.sin(x)) * x),
)
everywhere(
    "checkpoint_dots",
    lambda jax: jax.checkpoint(
        lambda x: jax.numpy.sin(jax.numpy.sin(x)) * x,
        policy=jax.checkpoint_policies.dots_saveable,
    ),
)
everywhere(
    "checkpoint_all",
    lambda jax: jax.checkpoint(
        lambda x: jax.numpy.sin(jax.numpy.sin(x)) * x,
        prevent_cse=False,
        policy=jax.checkpoint_policies.everything_saveable,
    ),
)
everywhere("jit", lambda jax: jax.jit(lambda x: jax.numpy.sin(x) * x))
everywhere("callback_free", lambda jax: lambda x: jax.numpy.tanh(x) * x)


# --- custom_jvp


def custom_jvp_case(name, rule, fun=None, args=(2.0, 3.0), **options):
    def run(jax):
        f = jax.custom_jvp(fun or (lambda x, y: x * y), **options)
        f.defjvp(functools.partial(rule, jax, f))
        return jax.value_and_grad(f)(*args)

    run.__name__ = f"custom_jvp_{name}"
    CASES.append(run)


custom_jvp_case("ok", lambda jax, f, p, t: (f(*p), t[0] * 5 + t[1]))
custom_jvp_case("not_pair", lambda jax, f, p, t: f(*p))
custom_jvp_case("triple", lambda jax, f, p, t: (1, 2, 3))
custom_jvp_case("list", lambda jax, f, p, t: [f(*p), t[0]])
custom_jvp_case("tree", lambda jax, f, p, t: (f(*p), (t[0],)))
custom_jvp_case("shape", lambda jax, f, p, t: (f(*p), t[0] * V))
custom_jvp_case("dtype", lambda jax, f, p, t: (f(*p), t[0].astype(np.float16)))
custom_jvp_case("python_zero", lambda jax, f, p, t: (f(*p), 0.0))
custom_jvp_case("none", lambda jax, f, p, t: (f(*p), None))
custom_jvp_case("other_primal", lambda jax, f, p, t: (p[0], t[0]))
custom_jvp_case("primal_tree", lambda jax, f, p, t: ((p[0],), (t[0],)))
custom_jvp_case("sin_tangent", lambda jax, f, p, t: (f(*p), jax.numpy.sin(t[0])))


@case
def custom_jvp_no_rule(jax):
    return jax.custom_jvp(lambda x: x)(1.0)


@case
def custom_jvp_nondiff(jax):
    f = jax.custom_jvp(lambda g, x: g(x), nondiff_argnums=(0,))

    @f.defjvp
    def rule(g, primals, tangents):
        return f(g, *primals), g(tangents[0]) * 3

    return jax.grad(f, 1)(lambda x: 2 * x, 1.0), jax.jit(
        jax.grad(lambda x: f(lambda y: y * 4, x))
    )(1.0)


@case
def custom_jvp_nondiff_names(jax):
    f = jax.custom_jvp(
        lambda x, mode: x if mode == "a" else -x, nondiff_argnames=("mode",)
    )

    @f.defjvp
    def rule(mode, primals, tangents):
        return f(*primals, mode), tangents[0] * 3

    return jax.grad(f)(1.0, "a"), jax.grad(lambda x: f(x, mode="b"))(1.0)


@case
def custom_jvp_nondiff_tracer(jax):
    f = jax.custom_jvp(lambda n, x: x * n, nondiff_argnums=(0,))
    f.defjvp(lambda n, p, t: (f(n, *p), t[0] * n))
    return jax.jit(lambda n: jax.grad(lambda x: f(n, x))(2.0))(3.0)


@case
def custom_jvp_kwargs(jax):
    f = jax.custom_jvp(lambda x, y=2.0: x * y)
    f.defjvp(lambda p, t: (f(*p), t[0] * 7 + t[1]))
    return f(x=3.0), jax.grad(f)(1.0), jax.grad(lambda y: f(1.0, y=y))(1.0)


@case
def custom_jvp_kwonly(jax):
    f = jax.custom_jvp(lambda x, *, y: x * y)
    f.defjvp(lambda p, t: (p[0], t[0]))
    return f(1.0, y=2.0)


@case
def custom_jvp_defjvps(jax):
    f = jax.custom_jvp(lambda x, y: x * y)
    f.defjvps(lambda t, ans, x, y: t * y * 2, lambda t, ans, x, y: t * x)
    return jax.grad(f, (0, 1))(2.0, 3.0), jax.jvp(f, (2.0, 3.0), (1.0, 1.0))


@case
def custom_jvp_defjvps_none(jax):
    f = jax.custom_jvp(lambda x, y: x * y)
    f.defjvps(lambda t, ans, x, y: t * y * 2, None)
    return jax.grad(f, (0, 1))(2.0, 3.0)


@case
def custom_jvp_defjvps_nondiff(jax):
    f = jax.custom_jvp(lambda x, y: x * y, nondiff_argnums=(0,))
    f.defjvps(lambda t, ans, y: t)
    return 1


@case
def custom_jvp_int(jax):
    f = jax.custom_jvp(lambda n, x: x * n)
    f.defjvp(lambda p, t: (f(*p), t[1] * 5))
    return jax.grad(f, 1)(3, 2.0), jax.jit(jax.grad(f, 1))(3, 2.0)


@case
def custom_jvp_symbolic(jax):
    f = jax.custom_jvp(lambda x, y: x * y)
    seen = []

    def rule(primals, tangents):
        seen.append([type(t).__name__ == "SymbolicZero" for t in tangents])
        x, y = primals
        t = tangents[0]
        return x * y, (t if seen[-1][1] else tangents[1]) * 3

    f.defjvp(rule, symbolic_zeros=True)
    return jax.grad(f, 0)(2.0, 3.0), seen


@case
def custom_jvp_method(jax):
    class A:
        @functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
        def f(self, x):
            return x * 2

        @f.defjvp
        def f_jvp(self, primals, tangents):
            return primals[0] * 2, tangents[0] * 20

    a = A()
    return jax.grad(lambda x: A.f(a, x))(1.0)


@case
def custom_jvp_python_if(jax):
    f = jax.custom_jvp(lambda x: x if x > 0 else -x)
    f.defjvp(lambda p, t: (f(*p), t[0] * (3 if p[0] > 0 else 4)))
    return jax.grad(f)(1.0), jax.grad(f)(-1.0)


@case
def custom_jvp_out_tree(jax):
    f = jax.custom_jvp(lambda x: {"a": x, "b": (x * 2, None)})
    f.defjvp(lambda p, t: (f(*p), {"a": t[0] * 3, "b": (t[0], None)}))
    return jax.grad(lambda x: f(x)["a"] + f(x)["b"][0])(1.0), jax.jit(f)(1.0)


@case
def custom_jvp_int_out(jax):
    f = jax.custom_jvp(lambda x: (x, jax.numpy.int32(3)))
    f.defjvp(lambda p, t: (f(*p), (t[0] * 3, np.zeros((), jax.float0))))
    return jax.grad(lambda x: f(x)[0])(1.0), jax.jit(jax.grad(lambda x: f(x)[0]))(1.0)


# --- custom_vjp


def custom_vjp_case(name, bwd, fwd=None, args=(2.0, V), **options):
    def run(jax):
        f = jax.custom_vjp(lambda x, y: x * y.sum())
        f.defvjp(fwd or (lambda x, y: (x * y.sum(), (x, y))), bwd)
        return jax.grad(f, (0, 1))(*args)

    run.__name__ = f"custom_vjp_{name}"
    CASES.append(run)


custom_vjp_case("ok", lambda res, ct: (ct * 5, V * ct))
custom_vjp_case("list", lambda res, ct: [ct * 5, V * ct])
custom_vjp_case("none", lambda res, ct: (ct * 5, None))
custom_vjp_case("short", lambda res, ct: (ct * 5,))
custom_vjp_case("long", lambda res, ct: (ct * 5, V, 1.0))
custom_vjp_case("not_tuple", lambda res, ct: ct)
custom_vjp_case("shape", lambda res, ct: (ct * 5, V[:2]))
custom_vjp_case("tree", lambda res, ct: (ct * 5, {"a": V}))
custom_vjp_case("python", lambda res, ct: (5.0, V))
custom_vjp_case("res_none", lambda res, ct: (ct, V), lambda x, y: (x * y.sum(), None))
custom_vjp_case("fwd_not_pair", lambda res, ct: (ct, V), lambda x, y: x * y.sum())
custom_vjp_case("fwd_tree", lambda res, ct: (ct, V), lambda x, y: ((x,), None))
custom_vjp_case("fwd_shape", lambda res, ct: (ct, V), lambda x, y: (y, None))
custom_vjp_case("string_res", lambda res, ct: (ct, V), lambda x, y: (x, "a"))


@case
def custom_vjp_no_rule(jax):
    return jax.custom_vjp(lambda x: x)(1.0)


@case
def custom_vjp_jvp(jax):
    return jax.jvp(sin_vjp(jax), (1.0,), (1.0,))


@case
def custom_vjp_jacfwd(jax):
    return jax.jacfwd(sin_vjp(jax))(V)


@case
def custom_vjp_hessian_by_reverse(jax):
    f = sin_vjp(jax)
    return jax.jacrev(jax.jacrev(lambda x: f(x).sum()))(V)


@case
def custom_vjp_nondiff(jax):
    f = jax.custom_vjp(lambda g, x: g(x), nondiff_argnums=(0,))
    f.defvjp(lambda g, x: (g(x), x), lambda g, res, ct: (g(ct) * res,))
    return jax.grad(f, 1)(lambda x: x * 2, 3.0), jax.jit(
        jax.grad(lambda x: f(lambda y: y * 4, x))
    )(1.0)


@case
def custom_vjp_nondiff_middle(jax):
    f = jax.custom_vjp(lambda x, s, y: x * y * len(s), nondiff_argnums=(1,))
    f.defvjp(
        lambda x, s, y: (f(x, s, y), (x, y)),
        lambda s, res, ct: (ct * len(s), ct * res[0]),
    )
    return jax.grad(f, (0, 2))(2.0, "abc", 3.0), jax.vmap(
        jax.grad(lambda x: f(x, "ab", 3.0))
    )(V)


@case
def custom_vjp_nondiff_names(jax):
    f = jax.custom_vjp(lambda x, mode: x * len(mode), nondiff_argnames=("mode",))
    f.defvjp(
        lambda x, mode: (f(x, mode), None), lambda mode, res, ct: (ct * len(mode) * 2,)
    )
    return jax.grad(f)(2.0, "abc"), jax.grad(lambda x: f(x, mode="a"))(1.0)


@case
def custom_vjp_kwargs(jax):
    f = jax.custom_vjp(lambda x, y=2.0: x * y)
    f.defvjp(lambda x, y: (x * y, (x, y)), lambda r, ct: (ct * 7, ct))
    return f(x=3.0), jax.grad(f)(1.0), jax.grad(lambda y: f(1.0, y=y))(1.0)


@case
def custom_vjp_int_arg(jax):
    f = jax.custom_vjp(lambda n, x: x * n)
    f.defvjp(lambda n, x: (x * n, n), lambda n, ct: (None, ct * n * 2))
    return jax.grad(f, 1)(3, 2.0), jax.jit(jax.grad(f, 1))(3, 2.0)


@case
def custom_vjp_int_ct(jax):
    f = jax.custom_vjp(lambda n, x: x * n)
    f.defvjp(
        lambda n, x: (x * n, n),
        lambda n, ct: (np.zeros((), jax.float0), ct * n * 2),
    )
    return jax.grad(f, 1)(3, 2.0)


@case
def custom_vjp_symbolic(jax):
    f = jax.custom_vjp(lambda x, y: (x * y, x + y))
    seen = []

    def fwd(x, y):
        seen.append((x.perturbed, y.perturbed))
        return (x.value * y.value, x.value + y.value), (x.value, y.value)

    def bwd(res, cts):
        seen.append([type(c).__name__ == "SymbolicZero" for c in cts])
        return cts[0] * res[1] * 2, cts[0] * res[0] * 2

    f.defvjp(fwd, bwd, symbolic_zeros=True)
    return jax.grad(lambda x: f(x, 3.0)[0])(2.0), seen


@case
def custom_vjp_symbolic_vmap(jax):
    f = jax.custom_vjp(lambda x, y: (x * y, x + y))
    f.defvjp(
        lambda x, y: ((x.value * y.value, x.value + y.value), (x.value, y.value)),
        lambda res, cts: (cts[0] * res[1] * 2, cts[0] * res[0] * 2),
        symbolic_zeros=True,
    )
    return jax.vmap(jax.grad(lambda x: f(x, 3.0)[0]))(V), jax.jit(
        jax.vmap(jax.grad(lambda x: f(x, x)[0]))
    )(V)


@case
def custom_vjp_unbatched_arg(jax):
    f = jax.custom_vjp(lambda w, x: w * x)
    f.defvjp(lambda w, x: (w * x, (w, x)), lambda r, ct: (ct * r[1] * 2, ct * r[0]))
    return jax.grad(lambda w: jax.vmap(lambda x: f(w, x))(V).sum())(3.0)


@case
def custom_vjp_tree(jax):
    f = jax.custom_vjp(lambda p: p["a"] * p["b"][0])
    f.defvjp(
        lambda p: (p["a"] * p["b"][0], p),
        lambda p, ct: ({"a": ct * 3, "b": (None, None)},),
    )
    return jax.grad(f)({"a": 2.0, "b": (3.0, 4.0)})


@case
def custom_vjp_tree_none(jax):
    f = jax.custom_vjp(lambda p, x: p["a"] * x)
    f.defvjp(lambda p, x: (p["a"] * x, None), lambda r, ct: (None, ct))
    return jax.grad(f)({"a": 2.0, "b": (3.0, 4.0)}, 1.0)


@case
def custom_vjp_closure(jax):
    def outer(y):
        f = jax.custom_vjp(lambda x: x * y)
        f.defvjp(lambda x: (x * y, y), lambda y, ct: (ct * y * 2,))
        return f(3.0)

    return jax.jit(outer)(2.0), jax.vmap(outer)(V)


@case
def custom_vjp_clip(jax):
    f = jax.custom_vjp(lambda lo, hi, x: x)
    f.defvjp(
        lambda lo, hi, x: (x, (lo, hi)),
        lambda res, ct: (None, None, jax.numpy.clip(ct, *res)),
    )
    return jax.vmap(jax.grad(lambda x: f(-0.5, 0.5, x) ** 2))(V)


@case
def custom_vjp_psum(jax):
    f = jax.custom_vjp(lambda x: x)
    f.defvjp(lambda x: (x, None), lambda _, ct: (jax.lax.psum(ct, "i"),))
    return jax.vmap(jax.grad(lambda x: f(x) * x), axis_name="i")(V)


@case
def custom_vjp_aux_unused(jax):
    f = jax.custom_vjp(lambda x: (x, x * 2))
    f.defvjp(lambda x: ((x, x * 2), None), lambda _, cts: (cts[0] * 3 + cts[1],))
    return jax.grad(lambda x: f(x)[0])(1.0), jax.jit(jax.grad(lambda x: f(x)[1]))(1.0)


# --- closures


@case
def closure_convert(jax):
    def outer(y):
        f, consts = jax.closure_convert(lambda x: x * y + 1, 2.0)
        return f(3.0, *consts), len(consts)

    return jax.grad(lambda y: outer(y)[0])(2.0), outer(2.0)[1]


@case
def closure_convert_concrete(jax):
    c = jax.numpy.ones(3)
    f, consts = jax.closure_convert(lambda x: x * c, V)
    return f(V, *consts), len(consts)


@case
def custom_gradient_pair(jax):
    f = jax.custom_gradient(lambda x, y: (x * y, lambda g: (g * 10, g * 20)))
    return f(2.0, 3.0), jax.grad(f, (0, 1))(2.0, 3.0)


@case
def custom_gradient_tree(jax):
    f = jax.custom_gradient(lambda x: ({"a": x}, lambda g: g["a"] * 10))
    return jax.grad(lambda x: f(x)["a"])(2.0)


@case
def linear_call(jax):
    from_ = jax.custom_derivatives.linear_call
    f = lambda r, x: from_(lambda r, x: x / r, lambda r, ct: ct * r * 5, r, x)
    return (
        f(2.0, 3.0),
        jax.grad(lambda x: f(2.0, x))(3.0),
        jax.jit(jax.grad(lambda x: f(2.0, x)))(3.0),
    )
