"""Programs on differentiation, for test_transforms.py; each takes the library."""

import functools
from typing import NamedTuple

import numpy as np

from tests.parity.compare import collector

CASES, case = collector()
X = np.arange(1.0, 4.0, dtype=np.float32)
FLOAT0 = np.dtype([("float0", "V")])


class Point(NamedTuple):
    x: object
    y: object


def poly(x, y, z):
    return (x**2 * y + z * x).sum() if hasattr(x, "sum") else x**2 * y + z * x


ARGNUMS = [0, 1, -1, -3, (0,), (0, 2), [1, 2], (2, 0), (-1, 0), np.int64(1)]
BAD_ARGNUMS = [3, -4, (0, 5), 1.0, "x", None, (0, "x")]


def _argnums(which, n):
    def run(jax):
        return jax.grad(poly, argnums=n)(2.0, 3.0, 4.0)

    run.__name__ = f"{which}_{n!r}"
    CASES.append(run)


for _n in ARGNUMS:
    _argnums("grad_argnums", _n)
for _n in BAD_ARGNUMS:
    _argnums("grad_bad_argnums", _n)


@case
def grad_no_args(jax):
    return jax.grad(lambda: 1.0)()


@case
def grad_kwargs(jax):
    return jax.grad(lambda x, *, y: x * y["a"])(2.0, y={"a": 3.0})


@case
def grad_kwargs_only(jax):
    return jax.grad(lambda x, y: x * y)(y=2.0, x=3.0)


@case
def grad_default(jax):
    return jax.grad(lambda x, y=3.0: x * y)(2.0)


@case
def grad_partial(jax):
    return jax.grad(functools.partial(poly, 2.0))(3.0, 4.0)


@case
def grad_callable_object(jax):
    class Model:
        def __call__(self, x):
            return x**3

    return jax.grad(Model())(2.0)


@case
def grad_not_callable(jax):
    return jax.grad(3)


@case
def grad_vector(jax):
    return jax.grad(lambda x: (x * x).sum())(X)


@case
def grad_pytree(jax):
    params = {"w": X, "b": (1.0, np.float32(2.0)), "n": None, "e": []}
    return jax.grad(lambda p: (p["w"] * p["b"][0] + p["b"][1]).sum())(params)


@case
def grad_namedtuple(jax):
    return jax.grad(lambda p: p.x * p.y)(Point(2.0, 3.0))


@case
def grad_none(jax):
    return jax.grad(lambda p: 1.0)(None)


@case
def grad_empty(jax):
    return jax.grad(lambda p: 1.0)({})


@case
def grad_constant(jax):
    return jax.grad(lambda x: 3.0)(2.0)


@case
def grad_constant_numpy(jax):
    return jax.value_and_grad(lambda x: np.float32(3.0))(2.0)


@case
def grad_of_input(jax):
    return jax.value_and_grad(lambda x: x)(2.0)


@case
def grad_int_constant(jax):
    return jax.grad(lambda x: 3)(2.0)


@case
def value_weak(jax):
    return jax.value_and_grad(lambda x: x * 2)(3.0)


@case
def grad_f16(jax):
    return jax.value_and_grad(lambda x: x * 2)(np.float16(3.0))


@case
def grad_bf16(jax):
    return jax.value_and_grad(lambda x: x * 2)(jax.numpy.bfloat16(3.0))


@case
def grad_f64(jax):
    return jax.value_and_grad(lambda x: x * 2)(np.float64(3.0))


@case
def grad_int(jax):
    return jax.grad(lambda x: x * 2.0)(3)


@case
def grad_bool(jax):
    return jax.grad(lambda x: x * 2.0)(True)


@case
def grad_int_array(jax):
    return jax.grad(lambda x: x.sum() * 1.0)(np.arange(3))


@case
def grad_int_leaf(jax):
    return jax.grad(lambda p: p["x"] * 1.0)({"x": 1.0, "n": 2})


@case
def grad_allow_int(jax):
    return jax.grad(lambda p: p["x"] * p["n"], allow_int=True)({"x": 1.0, "n": 2})


@case
def grad_allow_int_array(jax):
    return jax.grad(lambda n: n.sum() * 2.0, allow_int=True)(np.arange(3))


@case
def grad_allow_bool(jax):
    return jax.grad(lambda n: n * 2.0, allow_int=True)(True)


@case
def vag_allow_int_aux(jax):
    return jax.value_and_grad(
        lambda n, x: (x * n, n + 1), argnums=(0, 1), allow_int=True, has_aux=True
    )(3, 2.0)


@case
def grad_string(jax):
    return jax.grad(lambda x: 1.0)("hello")


@case
def grad_object_elsewhere(jax):
    return jax.grad(lambda x, s: x if s == "a" else -x)(1.0, "a")


@case
def grad_none_elsewhere(jax):
    return jax.grad(lambda x, s: x if s is None else -x)(1.0, None)


@case
def grad_nonscalar(jax):
    return jax.grad(lambda x: x)(X)


@case
def grad_one_element(jax):
    return jax.grad(lambda x: x)(X[:1])


@case
def grad_tuple_out(jax):
    return jax.grad(lambda x: (x, x))(1.0)


@case
def grad_dict_out(jax):
    return jax.grad(lambda x: {"a": x})(1.0)


@case
def grad_none_out(jax):
    return jax.grad(lambda x: None)(1.0)


@case
def grad_string_out(jax):
    return jax.grad(lambda x: "a")(1.0)


@case
def grad_int_out(jax):
    return jax.grad(lambda x: jax.numpy.int32(x))(1.0)


@case
def grad_complex_out(jax):
    return jax.grad(lambda x: x * 1j)(1.0)


@case
def grad_complex_in(jax):
    return jax.grad(lambda z: jax.numpy.abs(z) ** 2)(1.0 + 2j)


@case
def grad_complex_in_real(jax):
    return jax.grad(lambda z: jax.numpy.real(z * z))(np.complex64(1.0 + 2j))


@case
def grad_holomorphic(jax):
    return jax.grad(lambda z: z**3, holomorphic=True)(1.0 + 2j)


@case
def grad_holomorphic_real_in(jax):
    return jax.grad(lambda z: z**3, holomorphic=True)(1.0)


@case
def grad_holomorphic_real_out(jax):
    return jax.grad(lambda z: jax.numpy.real(z), holomorphic=True)(1.0 + 2j)


@case
def grad_aux(jax):
    return jax.grad(lambda x: (x**2, {"a": x, "s": None}), has_aux=True)(3.0)


@case
def grad_aux_string(jax):
    return jax.grad(lambda x: (x**2, "text"), has_aux=True)(3.0)


@case
def grad_aux_python(jax):
    return jax.value_and_grad(lambda x: (x**2, (1, 2.0, True)), has_aux=True)(3.0)


@case
def grad_aux_numpy(jax):
    return jax.grad(lambda x: (x**2, np.arange(3)), has_aux=True)(3.0)


@case
def grad_aux_not_pair(jax):
    return jax.grad(lambda x: x**2, has_aux=True)(3.0)


@case
def grad_aux_triple(jax):
    return jax.grad(lambda x: (x, x, x), has_aux=True)(3.0)


@case
def grad_aux_list(jax):
    return jax.grad(lambda x: [x, x], has_aux=True)(3.0)


@case
def grad_aux_intermediate(jax):
    def f(x):
        y = jax.numpy.sin(x)
        return y**2, {"y": y, "k": jax.numpy.int32(3)}

    return jax.grad(jax.grad(lambda x: f(x)[0]))(2.0), jax.grad(f, has_aux=True)(2.0)


@case
def grad_aux_under_jit(jax):
    return jax.jit(jax.value_and_grad(lambda x: (x**2, x + 1), has_aux=True))(3.0)


@case
def grad_third(jax):
    g = jax.grad
    return g(g(g(lambda x: x**4 * jax.numpy.sin(x))))(2.0)


@case
def grad_control_flow(jax):
    def f(x):
        total = 0.0
        while x < 10:
            if x > 3:
                total = total + x
            x = x * 2
        return total * int(x.shape == ())

    return jax.grad(f)(1.5)


@case
def jvp_control_flow(jax):
    def f(x):
        return x * 3 if x > 0 else -x

    return jax.jvp(f, (2.0,), (1.0,)), jax.jvp(f, (-2.0,), (1.0,))


@case
def grad_list_index(jax):
    return jax.grad(lambda x, i: x * [1.0, 2.0][i])(2.0, 1)


@case
def grad_numpy_inside(jax):
    return jax.grad(lambda x: np.sin(x))(2.0)


@case
def grad_stop_gradient(jax):
    return jax.grad(lambda x: x * jax.lax.stop_gradient(x))(3.0)


@case
def grad_stop_gradient_tree(jax):
    return jax.grad(lambda x: jax.lax.stop_gradient({"a": x, "n": 2})["a"] * x)(3.0)


@case
def grad_of_jit(jax):
    return jax.grad(jax.jit(lambda x: jax.numpy.sin(x) * 2))(3.0)


@case
def grad_of_vmap(jax):
    return jax.grad(lambda x: jax.vmap(jax.numpy.sin)(x).sum())(X)


@case
def vmap_of_grad(jax):
    return jax.vmap(jax.grad(lambda x: x**3))(X)


@case
def grad_closure(jax):
    return jax.grad(lambda x: jax.grad(lambda y: x * y * y)(x))(3.0)


@case
def perturbation_confusion(jax):
    return jax.grad(lambda x: x * jax.grad(lambda y: x + y)(1.0))(2.0)


@case
def grad_reduce_axes(jax):
    return jax.grad(lambda x: x, reduce_axes=())(1.0)


@case
def grad_shape_tests(jax):
    return jax.grad(lambda x: x.sum() if x.ndim == 1 and len(x) == 3 else 0.0)(X)


@case
def vag_value(jax):
    return jax.value_and_grad(lambda x: {"a": x})(1.0)


# --- jvp


@case
def jvp_basic(jax):
    return jax.jvp(jax.numpy.sin, (X,), (X,))


@case
def jvp_lists(jax):
    return jax.jvp(lambda x, y: x * y, [2.0, 3.0], [1.0, 0.0])


@case
def jvp_weak(jax):
    return jax.jvp(lambda x: x * 2, (3,), (np.zeros((), FLOAT0),))


@case
def jvp_int_bad_tangent(jax):
    return jax.jvp(lambda x: x * 2, (3,), (1,))


@case
def jvp_wrong_dtype(jax):
    return jax.jvp(lambda x: x * 2, (X,), (np.ones(3, np.float16),))


@case
def jvp_wrong_shape(jax):
    return jax.jvp(lambda x: x * 2, (X,), (X[:2],))


@case
def jvp_wrong_tree(jax):
    return jax.jvp(lambda x: x["a"], ({"a": 1.0},), (1.0,))


@case
def jvp_wrong_count(jax):
    return jax.jvp(lambda x, y: x, (1.0, 2.0), (1.0,))


@case
def jvp_not_tuple(jax):
    return jax.jvp(lambda x: x, 1.0, 1.0)


@case
def jvp_array_for_tuple(jax):
    return jax.jvp(lambda x: x, X, X)


@case
def jvp_aux(jax):
    return jax.jvp(lambda x: (x**2, {"a": x, "s": 3}), (2.0,), (1.0,), has_aux=True)


@case
def jvp_aux_string(jax):
    return jax.jvp(lambda x: (x**2, "s"), (2.0,), (1.0,), has_aux=True)


@case
def jvp_aux_not_pair(jax):
    return jax.jvp(lambda x: x**2, (2.0,), (1.0,), has_aux=True)


@case
def jvp_constant(jax):
    return jax.jvp(lambda x: 2.0, (X,), (X,))


@case
def jvp_int_out(jax):
    return jax.jvp(lambda x: jax.numpy.argmax(x), (X,), (X,))


@case
def jvp_none(jax):
    return jax.jvp(lambda x, n: x, (1.0, None), (1.0, None))


@case
def jvp_out_none(jax):
    return jax.jvp(lambda x: None, (1.0,), (1.0,))


@case
def jvp_python_tangent(jax):
    return jax.jvp(lambda x: x * 2, (np.float32(1),), (1.0,))


@case
def jvp_int_tangent_for_float(jax):
    return jax.jvp(lambda x: x * 2, (1.0,), (1,))


@case
def jvp_bad_leaf(jax):
    return jax.jvp(lambda x: x, ("a",), ("a",))


@case
def jvp_of_jvp(jax):
    f = lambda x: jax.jvp(jax.numpy.sin, (x,), (x,))[1]
    return jax.jvp(f, (2.0,), (1.0,))


@case
def jvp_complex(jax):
    return jax.jvp(lambda z: z * z, (1 + 2j,), (1j,))
