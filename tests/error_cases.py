"""Functions that go wrong in a transform, in a tree or in a jitted call.

test_error_messages.py has those that go wrong by themselves, and the golden texts.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax

F34 = np.ones((3, 4), np.float32)
F54 = np.ones((5, 4), np.float32)
F4 = np.ones(4, np.float32)
CASES: list[Callable] = []


def case(fun: Callable) -> Callable:
    CASES.append(fun)
    return fun


def loss(params, x):
    return jnp.sum(x + params["bias"])


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
def scan_body_without_a_pair():
    lax.scan(lambda c, x: c + x, 0.0, F4)


@case
def trees_of_map():
    jax.tree.map(lambda a, b: a, {"w": [1, 2]}, {"w": [1]})


@case
def number_in_place_of_a_key():
    jax.random.normal(0.5)


@case
def key_used_twice():
    key = jax.random.key(0)
    with jax.debug_key_reuse(True):
        jax.random.normal(key)
        jax.random.uniform(key)


@case
def static_argument_that_is_not_there():
    jax.jit(lambda x: x, static_argnames="flag")


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
