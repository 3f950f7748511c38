"""Programs on vjp, linearize and Jacobians, for test_transforms.py."""

import functools

import numpy as np

from tests.parity.compare import collector

CASES, case = collector()
X = np.arange(1.0, 4.0, dtype=np.float32)
FLOAT0 = np.dtype([("float0", "V")])


# --- vjp


@case
def vjp_basic(jax):
    y, pull = jax.vjp(lambda x, y: x * y, X, 2.0)
    return y, pull(X)


@case
def vjp_tree(jax):
    y, pull = jax.vjp(lambda p: {"a": p["x"] * 2, "b": p["x"]}, {"x": X})
    return y, pull({"a": X, "b": X})


@case
def vjp_ct_wrong_tree(jax):
    return jax.vjp(lambda x: {"a": x}, 1.0)[1](1.0)


@case
def vjp_ct_wrong_dtype(jax):
    return jax.vjp(lambda x: x * 2, X)[1](np.ones(3, np.float16))


@case
def vjp_ct_wrong_shape(jax):
    return jax.vjp(lambda x: x * 2, X)[1](np.ones(2, np.float32))


@case
def vjp_ct_python(jax):
    return jax.vjp(lambda x: x * 2, np.float32(2))[1](1.0)


@case
def vjp_ct_int(jax):
    return jax.vjp(lambda x: x * 2, np.float32(2))[1](1)


@case
def vjp_ct_count(jax):
    return jax.vjp(lambda x: x * 2, np.float32(2))[1](1.0, 2.0)


@case
def vjp_int_in(jax):
    y, pull = jax.vjp(lambda n, x: n * x, 3, 2.0)
    return y, pull(1.0)


@case
def vjp_int_out(jax):
    y, pull = jax.vjp(lambda x: (x, x.astype(int)), X)
    return y, pull((X, np.zeros(3, FLOAT0)))


@case
def vjp_int_out_bad_ct(jax):
    pull = jax.vjp(lambda x: (x, x.astype(int)), X)[1]
    return pull((X, np.zeros(3, np.int32)))


@case
def vjp_aux(jax):
    y, pull, aux = jax.vjp(lambda x: (x**2, {"x": x}), 3.0, has_aux=True)
    return y, pull(1.0), aux


@case
def vjp_aux_string(jax):
    y, pull, aux = jax.vjp(lambda x: (x**2, "s"), 3.0, has_aux=True)
    return y, pull(1.0), aux


@case
def vjp_aux_not_pair(jax):
    return jax.vjp(lambda x: x, 3.0, has_aux=True)


@case
def vjp_no_primals(jax):
    y, pull = jax.vjp(lambda: 1.0)
    return y, pull(1.0)


@case
def vjp_twice(jax):
    _, pull = jax.vjp(lambda x: x**3, 2.0)
    return pull(1.0), pull(2.0)


@case
def vjp_vmapped(jax):
    _, pull = jax.vjp(lambda x: x**2, X)
    return jax.vmap(pull)(np.eye(3, dtype=np.float32))


@case
def vjp_jitted(jax):
    _, pull = jax.vjp(lambda x: x**2, X)
    return jax.jit(pull)(X)


@case
def vjp_returned_from_jit(jax):
    pull = jax.jit(lambda x: jax.vjp(lambda y: y**2 * 2, x)[1])(X)
    return pull(X)


@case
def vjp_unused(jax):
    return jax.vjp(lambda x, y: x, 1.0, X)[1](1.0)


@case
def vjp_out_none(jax):
    y, pull = jax.vjp(lambda x: None, 1.0)
    return y, pull(None)


@case
def vjp_bad_leaf(jax):
    return jax.vjp(lambda x: x, object())


@case
def vjp_bad_output(jax):
    return jax.vjp(lambda x: "a", 1.0)


@case
def vjp_complex(jax):
    y, pull = jax.vjp(lambda z: z * (1 + 2j), np.complex64(1 + 1j))
    return y, pull(np.complex64(1))


@case
def vjp_ct_zero_size(jax):
    y, pull = jax.vjp(lambda x: x * 2, np.zeros((0, 3), np.float32))
    return y, pull(np.zeros((0, 3), np.float32))


# --- linearize and linear_transpose


@case
def linearize_basic(jax):
    y, f = jax.linearize(lambda x: jax.numpy.sin(x) * 2, X)
    return y, f(X), f(-X)


@case
def linearize_tree(jax):
    y, f = jax.linearize(lambda p, n: {"a": p["x"] * n}, {"x": X}, 2.0)
    return y, f({"x": X}, 1.0)


@case
def linearize_aux(jax):
    y, f, aux = jax.linearize(lambda x: (x**2, x + 1), X, has_aux=True)
    return y, f(X), aux


@case
def linearize_wrong_tree(jax):
    return jax.linearize(lambda x: x, 1.0)[1]({"a": 1.0})


@case
def linearize_wrong_dtype(jax):
    return jax.linearize(lambda x: x, X)[1](np.ones(3, np.float16))


@case
def linearize_wrong_shape(jax):
    return jax.linearize(lambda x: x, X)[1](np.ones(2, np.float32))


@case
def linearize_constant(jax):
    y, f = jax.linearize(lambda x: 2.0, X)
    return y, f(X)


@case
def linearize_int(jax):
    y, f = jax.linearize(lambda x, n: x * n, 2.0, 3)
    return y, f(1.0, np.zeros((), FLOAT0))


@case
def linearize_under_jit(jax):
    def f(x):
        y, g = jax.linearize(jax.numpy.sin, x)
        return y, jax.jit(g)(x)

    return jax.jit(f)(2.0), jax.vmap(f)(X)


@case
def linear_transpose_basic(jax):
    return jax.linear_transpose(lambda x: x * 3, X)(X)


@case
def linear_transpose_spec(jax):
    spec = jax.ShapeDtypeStruct((3,), np.float32)
    return jax.linear_transpose(lambda x, y: x[::2].sum() + y, spec, 1.0)(2.0)


@case
def linear_transpose_tree(jax):
    return jax.linear_transpose(lambda p: (p["a"] * 2, p["b"]), {"a": X, "b": 1.0})(
        (X, 2.0)
    )


@case
def linear_transpose_int(jax):
    return jax.linear_transpose(lambda x: x * 3, 1)(1)


@case
def linear_transpose_nonlinear(jax):
    return jax.linear_transpose(jax.numpy.sin, 1.0)(1.0)


@case
def linear_transpose_wrong_tree(jax):
    return jax.linear_transpose(lambda x: x * 3, X)((X,))


@case
def linear_transpose_wrong_type(jax):
    return jax.linear_transpose(lambda x: x * 3, X)(np.ones(3, np.float16))


@case
def linear_transpose_of_vjp(jax):
    f = lambda x: jax.numpy.dot(np.ones((2, 3), np.float32), x)
    (ct,) = jax.linear_transpose(f, X)(np.ones(2, np.float32))
    return ct


# --- Jacobians


def jac_cases(name, **options):
    def runs(fun, *args):
        def run(jax):
            return getattr(jax, name)(functools.partial(fun, jax), **options)(*args)

        run.__name__ = f"{name}_{fun.__name__}_{options}"
        CASES.append(run)

    return runs


def vec(jax, x):
    return jax.numpy.sin(x) * x[0]


def trees(jax, p):
    return {"a": p["x"] * p["y"], "b": (p["x"].sum(), None)}


def two(jax, x, y):
    return x * y


def with_aux(jax, x):
    return x * x, {"aux": x[0]}


def scalar(jax, x):
    return (x**3).sum()


for _name in ("jacfwd", "jacrev", "jacobian"):
    jac_cases(_name)(vec, X)
    jac_cases(_name)(trees, {"x": X, "y": 2.0})
    jac_cases(_name, argnums=(0, 1))(two, X, X)
    jac_cases(_name, argnums=-1)(two, X, X)
    jac_cases(_name, argnums=5)(two, X, X)
    jac_cases(_name, has_aux=True)(with_aux, X)
    jac_cases(_name)(two, X, X)
    jac_cases(_name)(scalar, X)
    jac_cases(_name)(vec, np.arange(3))
    jac_cases(_name)(vec, X.astype(np.complex64))
    jac_cases(_name, holomorphic=True)(vec, X.astype(np.complex64))
    jac_cases(_name, holomorphic=True)(vec, X)
    jac_cases(_name)(vec, np.ones((2, 2), np.float32))
jac_cases("jacrev", allow_int=True)(scalar, np.arange(3))
jac_cases("hessian")(scalar, X)
jac_cases("hessian", argnums=(0, 1))(lambda jax, x, y: (x * x * y).sum(), X, X)
jac_cases("hessian", has_aux=True)(lambda jax, x: ((x * x).sum(), {"aux": x[0]}), X)
jac_cases("hessian")(lambda jax, p: (p["x"] ** 3 * p["y"]).sum(), {"x": X, "y": 2.0})


@case
def jacfwd_jit(jax):
    return jax.jit(jax.jacfwd(jax.jacrev(lambda x: (x**3).sum())))(X)


@case
def jacfwd_vmap(jax):
    return jax.vmap(jax.jacfwd(lambda x: x**2))(np.stack([X, X]))


@case
def jacrev_kwargs(jax):
    return jax.jacrev(lambda x, *, y: x * y)(X, y=2.0)


@case
def jacfwd_int_out(jax):
    return jax.jacfwd(lambda x: x.astype(int))(X)


@case
def jacrev_int_out(jax):
    return jax.jacrev(lambda x: x.astype(int))(X)


@case
def jacfwd_constant(jax):
    return jax.jacfwd(lambda x: np.ones(2, np.float32))(X)


@case
def jacrev_constant(jax):
    return jax.jacrev(lambda x: np.ones(2, np.float32))(X)
