"""Golden tests: the whole text of each kind of error, with line numbers made N.

tests/error_messages.txt has the texts; to write it anew after a change on purpose:
`python -m tests.test_error_messages`, and read the difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax

GOLDEN = Path(__file__).with_name("error_messages.txt")
F34 = np.ones((3, 4), np.float32)
F54 = np.ones((5, 4), np.float32)
F4 = np.ones(4, np.float32)
CASES: list[Callable] = []


def case(fun: Callable) -> Callable:
    CASES.append(fun)
    return fun


def loss(params, x):
    return jnp.sum(x + params["bias"])


# --- a value is needed that is not known


@case
def bool_of_a_tracer():
    def relu(x):
        return x if x > 0 else 0.0

    jax.jit(relu)(1.0)


@case
def bool_under_grad_in_jit():
    def relu(x, scale):
        y = x * scale
        if y > 0:
            return y
        return 0.0

    jax.jit(jax.grad(relu))(1.0, 2.0)


@case
def bool_under_vmap():
    def relu(x):
        return x if x > 0 else 0.0

    jax.vmap(relu)(F4)


@case
def int_of_a_tracer():
    jax.jit(lambda n: int(n))(3)


@case
def float_of_a_tracer():
    jax.jit(lambda x: float(x) * 2)(3.0)


@case
def index_of_a_tracer():
    jax.jit(lambda i: [1, 2, 3][i])(1)


@case
def range_of_a_tracer():
    jax.jit(lambda n: sum(range(n)))(3)


@case
def numpy_of_a_tracer():
    jax.jit(lambda x: np.sin(x))(F4)


@case
def shape_of_a_tracer():
    jax.jit(lambda n: jnp.zeros(n))(3)


@case
def reshape_to_a_tracer():
    jax.jit(lambda x, n: jnp.reshape(x, (n, -1)))(F34, 2)


@case
def mask_of_a_tracer():
    jax.jit(lambda x: x[x > 0])(F4)


@case
def leaked_tracer():
    kept = []
    jax.jit(lambda x: kept.append(x * 2) or x)(1.0)
    kept[0] + 1


@case
def leaked_argument_of_jit():
    kept = []
    jax.jit(lambda x: kept.append(x) or x)(1.0)
    jax.jit(lambda y: y)(kept[0])


@case
def leak_found_by_checking():
    kept = []
    with jax.checking_leaks():
        jax.jit(lambda x: kept.append(x) or x)(1.0)


# --- shapes and dtypes


@case
def shapes_of_add():
    F34 + jnp.asarray(F54)


@case
def shapes_under_grad():
    jax.grad(loss)({"bias": F54}, F34)


@case
def shapes_under_jit():
    jax.jit(loss)({"bias": F54}, F34)


@case
def shapes_under_jit_of_grad():
    jax.jit(jax.grad(loss))({"bias": F54}, F34)


@case
def shapes_under_grad_of_jit():
    jax.grad(jax.jit(loss))({"bias": F54}, F34)


@case
def shapes_under_vmap():
    jax.vmap(loss, in_axes=(None, 0))({"bias": F4}, F34[:, :3])


@case
def shapes_of_an_intermediate():
    jax.jit(lambda x, y: jnp.sin(x) * y)(F34, F54)


@case
def ranks_of_add():
    jax.jit(lambda x, y: x + y)(F34, F4[:3])


@case
def dtypes_of_lax_add():
    lax.add(F4, F4.astype(np.int32))


@case
def dtypes_of_lax_add_in_jit():
    jax.jit(lambda x, n: lax.mul(x, n))(F4, np.arange(4))


@case
def shapes_of_dot():
    jnp.dot(F34, F54)


@case
def shapes_of_matmul_in_jit():
    jax.jit(lambda w, x: w @ x)(F34, F54)


@case
def size_of_reshape():
    jnp.reshape(F34, (5, 2))


@case
def shapes_of_concatenate():
    jnp.concatenate([F34, F54], axis=1)


@case
def axis_of_sum():
    jnp.sum(F34, axis=2)


@case
def axis_of_expand_dims():
    jnp.expand_dims(F34, 5)


@case
def too_many_indices():
    jnp.asarray(F34)[0, 1, 2]


@case
def float_as_index():
    jnp.asarray(F34)[1.0]


@case
def setting_an_element():
    x = jnp.asarray(F4)
    x[0] = 1.0


@case
def setting_an_element_of_a_tracer():
    def f(x):
        x[0] = 1.0
        return x

    jax.jit(f)(F4)


@case
def truth_of_an_array():
    bool(jnp.asarray(F4))


@case
def list_as_operand():
    jnp.sin([1.0, 2.0])


@case
def string_as_operand():
    jnp.sin("abc")


# --- grad and its kin


@case
def grad_of_a_vector():
    def predict(x):
        return x * 2

    jax.grad(predict)(F4)


@case
def grad_of_a_tuple():
    def predict(x):
        return x, {"a": x}

    jax.grad(predict)(1.0)


@case
def grad_of_an_integer_result():
    jax.grad(lambda x: jnp.argmax(x))(F4)


@case
def grad_of_an_integer():
    def predict(params):
        return params["w"] * 2.0

    jax.grad(predict)({"n": 2, "w": 1.0})


@case
def grad_of_a_string():
    jax.grad(lambda x, mode: x)("adam", 1.0)


@case
def grad_of_a_missing_argument():
    jax.grad(loss, argnums=3)(1.0, 2.0)


@case
def grad_aux_missing():
    jax.grad(lambda x: x * 2, has_aux=True)(1.0)


@case
def jvp_of_other_dtypes():
    def scale(x):
        return x * 2

    jax.jvp(scale, (F4,), (F4.astype(np.float16),))


@case
def jvp_of_an_integer():
    jax.jvp(lambda n: n * 2, (3,), (1,))


@case
def jvp_of_other_trees():
    jax.jvp(lambda p: p["a"], ({"a": 1.0},), ({"b": 1.0},))


@case
def vjp_of_another_tree():
    jax.vjp(lambda x: {"y": x}, 1.0)[1](1.0)


@case
def vjp_of_another_type():
    jax.vjp(lambda x: x * 2, F4)[1](F34)


@case
def reverse_of_while():
    def f(x):
        return lax.while_loop(lambda c: c < 10, lambda c: c * 2, x)

    jax.grad(f)(1.0)


@case
def grad_of_a_callback():
    spec = jax.ShapeDtypeStruct((), np.float32)
    jax.grad(lambda x: jax.pure_callback(np.sin, spec, x))(1.0)


@case
def forward_of_custom_vjp():
    f = jax.custom_vjp(lambda x: x)
    f.defvjp(lambda x: (x, None), lambda _, ct: (ct,))
    jax.jvp(f, (1.0,), (1.0,))


@case
def rule_that_closes_over_a_tracer():
    @jax.jit
    def f(x, y):
        @jax.custom_jvp
        def g(z):
            return z * y

        @g.defjvp
        def g_jvp(primals, tangents):
            return g(*primals), tangents[0] * y

        return g(x)

    jax.grad(f)(1.0, 2.0)


@case
def custom_jvp_of_another_type():
    @jax.custom_jvp
    def f(x):
        return x

    @f.defjvp
    def f_jvp(primals, tangents):
        return primals[0], tangents[0].astype(np.float16)

    jax.grad(f)(1.0)


@case
def custom_vjp_of_another_length():
    @jax.custom_vjp
    def f(x, y):
        return x * y

    def fwd(x, y):
        return x * y, None

    def bwd(_, ct):
        return (ct,)

    f.defvjp(fwd, bwd)
    jax.grad(f)(1.0, 2.0)


# --- trees and axes


@case
def vmap_in_axes_tree():
    jax.vmap(loss, in_axes=({"b": None}, 0))({"bias": F4}, F34)


@case
def vmap_in_axes_length():
    jax.vmap(loss, in_axes=(0,))({"bias": F4}, F34)


@case
def vmap_sizes():
    jax.vmap(loss)({"bias": F54}, F34)


@case
def vmap_axis_out_of_range():
    jax.vmap(loss, in_axes=(None, 2))({"bias": F4}, F34)


@case
def vmap_out_axes_none():
    jax.vmap(lambda x: x * 2, out_axes=None)(F34)


@case
def scan_carry_structure():
    def body(carry, x):
        return {"h": carry["h"], "extra": x}, x

    lax.scan(body, {"h": 0.0}, F4)


@case
def scan_carry_type():
    def body(carry, x):
        return {"h": carry["h"] + F4}, x

    lax.scan(body, {"h": jnp.float32(0.0)}, F4)


@case
def while_carry_type():
    lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] + F4), (0, 1.0))


@case
def cond_branches_structure():
    lax.cond(True, lambda x: {"a": x}, lambda x: {"a": x, "b": x}, 1.0)


@case
def cond_branches_type():
    lax.cond(True, lambda x: {"a": x}, lambda x: {"a": x * F4}, 1.0)


@case
def unbound_axis_name():
    jax.vmap(lambda x: lax.psum(x, "j"), axis_name="i")(F4)


# --- jit's arguments


@case
def static_argument_not_hashable():
    def scale(x, factors):
        return x * factors[0]

    jax.jit(scale, static_argnums=1)(1.0, [2.0])


@case
def static_argument_by_name_not_hashable():
    def scale(x, factors):
        return x * factors[0]

    jax.jit(scale, static_argnames="factors")(1.0, factors={"a": 1})


@case
def string_argument():
    def step(x, mode):
        return x

    jax.jit(step)(1.0, "train")


@case
def object_leaf():
    def step(params):
        return params

    jax.jit(step)({"w": [1.0, object]})


@case
def string_result():
    def step(x):
        return {"loss": x, "name": "adam"}

    jax.jit(step)(1.0)


@case
def donated_buffer():
    x = jnp.asarray(F4)
    jax.jit(lambda x: x * 2, donate_argnums=0)(x)
    x + 1


@case
def donated_buffer_in_jit():
    x = jnp.asarray(F4)
    jax.jit(lambda x: x * 2, donate_argnums=0)(x)
    jax.jit(lambda x: x * 2)(x)


@case
def donated_twice():
    x = jnp.asarray(F4)
    jax.jit(lambda x, y: x + y, donate_argnums=0)(x, x)


@case
def unknown_backend():
    jax.jit(lambda x: x, backend="tpu9")(1.0)


@case
def compiled_for_another_type():
    jax.jit(lambda x: x * 2).lower(F4).compile()(F34)


# --- values


@case
def nan_in_eager_mode():
    with jax.debug_nans(True):
        jnp.log(jnp.asarray(-F4))


@case
def nan_inside_jit():
    def f(x):
        y = jnp.sqrt(x - 2)
        return jnp.where(x > 3, 0.0, y)

    with jax.debug_nans(True):
        jax.jit(f)(F4)


@case
def inf_inside_jit():
    with jax.debug_infs(True):
        jax.jit(lambda x: 1 / (x - 1))(F4)


@case
def int_too_large():
    jnp.int32(0) + 2**40


def text_of(fun: Callable) -> str:
    try:
        fun()
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
    else:
        return "no error"
    text = re.sub(r"(test_error_messages\.py):\d+", r"\1:N", text)
    return re.sub(r"0x[0-9a-f]+", "0x…", text)


def golden() -> dict[str, str]:
    parts = re.split(r"^## (\w+)\n", GOLDEN.read_text(), flags=re.M)[1:]
    return {name: text.strip("\n") for name, text in zip(parts[::2], parts[1::2])}


@pytest.mark.parametrize("fun", CASES, ids=lambda f: f.__name__)
def test_message(fun):
    assert text_of(fun) == golden()[fun.__name__]


def write() -> None:
    parts = [f"## {fun.__name__}\n{text_of(fun)}\n" for fun in CASES]
    GOLDEN.write_text("\n".join(parts))


if __name__ == "__main__":
    write()
