"""trace, lower, compile: each stage knows the types, and the last one runs."""

import numpy as np
import pytest

import jaxlike as jax
from jaxlike import lax
from tests.transforms.functions import PARAMS, Counted, V, X, close, model


def test_the_stages_compute_the_function():
    f = Counted(model)
    traced = jax.jit(f).trace(PARAMS, X)
    compiled = traced.lower().compile()
    close(compiled(PARAMS, X), model(PARAMS, X))
    compiled(PARAMS, X)
    assert f.count == 1
    assert traced.out_info.shape == ()
    (args, kwargs) = traced.args_info
    assert args[0]["w"].shape == (3, 3) and not args[1].donated and kwargs == {}
    assert compiled.in_tree == traced.in_tree
    assert compiled.out_tree == jax.tree.structure(0)


def test_the_stages_can_be_read():
    lowered = jax.jit(model).lower(PARAMS, X)
    assert "dot_general" in lowered.as_text()
    assert lowered.cost_analysis()["flops"] >= 2 * 2 * 3 * 3
    compiled = lowered.compile()
    assert isinstance(compiled.as_text(), str)
    assert compiled.memory_analysis().output_size_in_bytes == 4


def test_specs_and_statics():
    spec = jax.ShapeDtypeStruct((3,), np.float32)
    compiled = jax.jit(lambda x, n: x * n, static_argnums=1).lower(spec, 3).compile()
    np.testing.assert_allclose(compiled(V), V * 3)


@pytest.mark.parametrize("bad", [X, V.astype(np.int32), [V], None])
def test_other_types_are_refused(bad):
    compiled = jax.jit(lambda x: x * 2).lower(V).compile()
    with pytest.raises(TypeError):
        compiled(bad)


def test_transforms_are_refused():
    compiled = jax.jit(lambda x: x * 2).lower(1.0).compile()
    with pytest.raises(TypeError, match="cannot be transformed"):
        jax.grad(compiled)(1.0)


def test_eval_shape_runs_nothing():
    f = Counted(lambda x: x @ x.T)
    out = jax.jit(f).eval_shape(X)
    assert out.shape == (2, 2) and f.count == 1


def test_the_compiled_form_in_each_dialect():
    compiled = (
        jax.jit(lambda x: lax.dot(x, lax.sin(x)))
        .lower(np.ones((4, 4), np.float32))
        .compile()
    )
    assert "program" in compiled.as_text()
    assert "define void" in compiled.as_text("llvm")
    assert "ret" in compiled.as_text("asm")
    with pytest.raises(ValueError, match="loop nests"):
        compiled.as_text("hlo")


def test_the_reference_backend_has_a_plan():
    f = jax.jit(lambda x: lax.sin(lax.cos(x)), backend="reference")
    plan = f.lower(np.ones((4, 4), np.float32)).compile().plan()
    assert [s.primitives for s in plan.steps] == [("cos",), ("sin",)]
