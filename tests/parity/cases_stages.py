"""Programs on stages, settings, leaks, callbacks, for test_transforms.py."""

import numpy as np

from tests.parity.cases_jit import Counter, power
from tests.parity.compare import collector

CASES, case = collector()
X = np.arange(6.0, dtype=np.float32).reshape(2, 3)
V = np.arange(3.0, dtype=np.float32)


@case
def stages_lower(jax):
    f = jax.jit(lambda x, y: {"a": x + y})
    lowered = f.lower(V, 2.0)
    return lowered.compile()(V, 3.0), isinstance(lowered.as_text(), str)


@case
def stages_spec(jax):
    spec = jax.ShapeDtypeStruct((3,), np.float32)
    return jax.jit(lambda x: x * 2).lower(spec).compile()(V)


@case
def stages_wrong_shape(jax):
    return jax.jit(lambda x: x * 2).lower(V).compile()(X)


@case
def stages_wrong_dtype(jax):
    return jax.jit(lambda x: x * 2).lower(V).compile()(V.astype(np.int32))


@case
def stages_wrong_tree(jax):
    return jax.jit(lambda x: x).lower((V,)).compile()([V])


@case
def stages_wrong_count(jax):
    return jax.jit(lambda x: x).lower(V).compile()(V, V)


@case
def stages_static(jax):
    compiled = jax.jit(power, static_argnums=1).lower(2.0, 3).compile()
    return compiled(3.0)


@case
def stages_static_given(jax):
    compiled = jax.jit(power, static_argnums=1).lower(2.0, 3).compile()
    return compiled(3.0, 3)


@case
def stages_kwargs(jax):
    return jax.jit(power).lower(2.0, n=3.0).compile()(2.0, n=4.0)


@case
def stages_grad_of_compiled(jax):
    compiled = jax.jit(lambda x: x * 2).lower(1.0).compile()
    return jax.grad(compiled)(1.0)


@case
def stages_jit_of_compiled(jax):
    compiled = jax.jit(lambda x: x * 2).lower(1.0).compile()
    return jax.jit(compiled)(1.0)


@case
def stages_trace(jax):
    traced = jax.jit(lambda x: (x * 2, x.sum())).trace(V)
    info = traced.out_info
    return [i.shape for i in info], traced.lower().compile()(V)


@case
def stages_eval_shape(jax):
    s = jax.jit(lambda x, n: x[:n], static_argnums=1).eval_shape(V, 2)
    return s.shape, str(s.dtype)


@case
def stages_args_info(jax):
    lowered = jax.jit(lambda x, y: x, donate_argnums=0).lower(V, y=2.0)
    args, kwargs = lowered.args_info
    return args[0].shape, args[0].donated, kwargs["y"].donated


@case
def disable_jit_runs_python(jax):
    counter = Counter(lambda x: x * 2 if x > 0 else x)
    f = jax.jit(lambda x: counter(x))
    with jax.disable_jit():
        f(1.0), f(2.0)
    return counter.count


@case
def disable_jit_nested(jax):
    with jax.disable_jit():
        return jax.jit(lambda x: jax.jit(lambda y: y if y > 0 else -y)(x))(-2.0)


@case
def disable_jit_grad(jax):
    with jax.disable_jit():
        return jax.grad(jax.jit(lambda x: x**2 if x > 0 else x))(3.0)


@case
def disable_jit_off(jax):
    with jax.disable_jit(), jax.disable_jit(False):
        return jax.jit(lambda x: x if x > 0 else -x)(3.0)


@case
def x64_keys_the_cache(jax):
    f = jax.jit(lambda x: x * 2)
    a = str(f(np.float64(1)).dtype)
    with jax.enable_x64(True):
        b = str(f(np.float64(1)).dtype)
    return a, b, str(f(np.float64(1)).dtype)


@case
def x64_python_scalars(jax):
    f = jax.jit(lambda x: x)
    with jax.enable_x64(True):
        a = f(1.0), f(1)
        return [str(v.dtype) for v in a]


@case
def precision_keys_the_cache(jax):
    counter = Counter(lambda x: x @ x.T)
    f = jax.jit(lambda x: counter(x))
    f(X)
    with jax.default_matmul_precision("float32"):
        f(X), f(X)
    f(X)
    return counter.count


@case
def clear_cache(jax):
    counter = Counter(lambda x: x * 2)
    f = jax.jit(lambda x: counter(x))
    f(1.0)
    f.clear_cache()
    f(1.0)
    jax.clear_caches()
    f(1.0)
    return counter.count


@case
def compile_time_eval(jax):
    @jax.jit
    def f(x):
        with jax.ensure_compile_time_eval():
            n = int(jax.numpy.sum(jax.numpy.arange(4)))
        return x * n

    return f(2.0)


@case
def compile_time_eval_tracer(jax):
    @jax.jit
    def f(x):
        with jax.ensure_compile_time_eval():
            return x * int(x)

    return f(2.0)


@case
def leak_global(jax):
    seen = []
    jax.jit(lambda x: seen.append(x) or x)(1.0)
    return seen[0] + 1


@case
def leak_value_into_jit(jax):
    seen = []
    jax.jit(lambda x: seen.append(x + 1) or x)(1.0)
    return jax.jit(lambda y: y + seen[0])(2.0)


@case
def leak_as_argument(jax):
    seen = []
    jax.jit(lambda x: seen.append(x) or x)(1.0)
    return jax.jit(lambda y: y)(seen[0])


@case
def leak_returned(jax):
    seen = []
    jax.jit(lambda x: seen.append(x) or x)(1.0)
    return jax.jit(lambda y: seen[0])(2.0)


@case
def leak_of_vmap(jax):
    seen = []
    jax.vmap(lambda x: seen.append(x) or x)(V)
    return seen[0] + 1


@case
def leak_of_grad(jax):
    seen = []
    jax.grad(lambda x: seen.append(x) or x)(1.0)
    return seen[0] + 1


@case
def leak_not_found(jax):
    with jax.checking_leaks():
        return jax.jit(lambda x: x + 1)(1.0)


@case
def debug_nans_eager(jax):
    with jax.debug_nans(True):
        return jax.numpy.log(-1.0)


@case
def debug_nans_jit(jax):
    with jax.debug_nans(True):
        return jax.jit(lambda x: jax.numpy.log(x) * 2)(-1.0)


@case
def debug_nans_grad(jax):
    with jax.debug_nans(True):
        return jax.grad(lambda x: jax.numpy.sqrt(x) * x)(0.0)


@case
def debug_infs(jax):
    with jax.debug_infs(True):
        return jax.jit(lambda x: 1 / x)(np.float32(0.0))


# --- device_put and friends


@case
def device_put_tree(jax):
    return jax.device_put({"a": np.arange(3), "b": (1.0, None)})


@case
def device_put_device(jax):
    x = jax.device_put(V, jax.devices()[0])
    return x, x.devices() == {jax.devices()[0]}


@case
def device_put_copies(jax):
    v = V.copy()
    x = jax.device_put(v)
    v[:] = 7
    return float(x.sum()) in (3.0, 21.0)


@case
def device_put_bad(jax):
    return jax.device_put("a")


@case
def device_put_bad_device(jax):
    return jax.device_put(V, "cpu:0")


@case
def device_put_traced(jax):
    return (
        jax.jit(lambda x: jax.device_put(x) * 2)(V),
        jax.grad(lambda x: jax.device_put(x) ** 2)(3.0),
        jax.vmap(jax.device_put)(V),
    )


@case
def device_get(jax):
    out = jax.device_get({"a": jax.numpy.arange(3), "b": 2.0, "c": np.arange(2)})
    return out, isinstance(out["a"], np.ndarray)


@case
def block_until_ready(jax):
    return jax.block_until_ready({"a": jax.numpy.arange(3), "b": 2.0})


@case
def live_arrays(jax):
    x = jax.numpy.arange(12345)
    return any(a is x for a in jax.live_arrays())


@case
def named_call(jax):
    return jax.named_call(lambda x: x * 2, name="double")(V)


@case
def named_scope(jax):
    with jax.named_scope("a"):
        return jax.jit(lambda x: x * 2)(V)


@case
def named_scope_bad(jax):
    with jax.named_scope(3):
        return 1


@case
def pure_callback_cases(jax):
    spec = jax.ShapeDtypeStruct((3,), np.float32)
    f = lambda x: jax.pure_callback(np.sin, spec, x)
    return f(V), jax.jit(f)(V)


@case
def pure_callback_vmap_none(jax):
    spec = jax.ShapeDtypeStruct((), np.float32)
    return jax.vmap(lambda x: jax.pure_callback(np.sin, spec, x))(V)


def _callback_vmap(method):
    def run(jax):
        spec = jax.ShapeDtypeStruct((), np.float32)
        shapes = []

        def host(x, y):
            shapes.append((np.shape(x), np.shape(y)))
            return np.asarray(x + y)

        out = jax.vmap(
            lambda x: jax.pure_callback(host, spec, x, 2.0, vmap_method=method)
        )(V)
        return out, shapes

    run.__name__ = f"pure_callback_vmap_{method}"
    CASES.append(run)


for _m in ("sequential", "expand_dims", "broadcast_all", "nonsense"):
    _callback_vmap(_m)


@case
def pure_callback_grad(jax):
    spec = jax.ShapeDtypeStruct((), np.float32)
    return jax.grad(lambda x: jax.pure_callback(np.sin, spec, x))(1.0)


@case
def io_callback_order(jax):
    seen = []

    @jax.jit
    def f(x):
        for i in range(3):
            jax.experimental.io_callback(
                lambda v, i=i: seen.append((i, float(v))), None, x, ordered=True
            )
        return x

    f(1.0)
    jax.effects_barrier()
    return seen


@case
def io_callback_vmap_ordered(jax):
    return jax.vmap(
        lambda x: jax.experimental.io_callback(print, None, x, ordered=True)
    )(V)


@case
def debug_callback_all(jax):
    seen = []

    def f(x):
        jax.debug.callback(lambda v: seen.append(float(v)), x)
        return x * 2

    jax.jit(f)(1.0), jax.grad(f)(2.0), jax.vmap(f)(V)
    jax.effects_barrier()
    return sorted(seen)


@case
def debug_print_unused(jax):
    return jax.debug.print("x", 1.0)


@case
def debug_print_missing(jax):
    return jax.debug.print("{} {y}", 1.0)
