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
from tests.error_cases import CASES as LATER
from tests.error_cases import F4, F34, F54, loss

CASES: list[Callable] = []


def case(fun: Callable) -> Callable:
    CASES.append(fun)
    return fun


GOLDEN = Path(__file__).with_name("error_messages.txt")
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
def number_of_results_of_a_tracer():
    jax.jit(jnp.unique)(F4)


@case
def segments_of_a_tracer():
    jax.jit(jax.ops.segment_sum)(F4, np.array([0, 0, 1, 1]))


@case
def slice_of_a_tracer():
    jax.jit(lambda x, n: x[:n])(F4, 2)


@case
def tracer_as_a_key_of_a_dict():
    jax.jit(lambda i: {1: 2.0}[i])(1)


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
def axis_that_is_no_int():
    jnp.concatenate(F34, F34)


@case
def lists_of_unequal_length():
    jnp.array([[1, 2], [3]])


@case
def unknown_dtype():
    jnp.zeros(3, "flaot32")


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


def text_of(fun: Callable) -> str:
    try:
        fun()
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
    else:
        return "no error"
    text = re.sub(r"(error_\w+\.py):\d+", r"\1:N", text)
    return re.sub(r"0x[0-9a-f]+", "0x…", text)


def golden() -> dict[str, str]:
    parts = re.split(r"^## (\w+)\n", GOLDEN.read_text(), flags=re.M)[1:]
    return {name: text.strip("\n") for name, text in zip(parts[::2], parts[1::2])}


@pytest.mark.parametrize("fun", [*CASES, *LATER], ids=lambda f: f.__name__)
def test_message(fun):
    assert text_of(fun) == golden()[fun.__name__]


def write() -> None:
    parts = [f"## {fun.__name__}\n{text_of(fun)}\n" for fun in [*CASES, *LATER]]
    GOLDEN.write_text("\n".join(parts))


if __name__ == "__main__":
    write()
