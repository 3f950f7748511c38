"""Tracers: what they know, what they refuse, and when they are gone."""

import copy

import numpy as np
import pytest

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import errors
from jaxlike.core.trace import concrete_or_error, is_concrete

V = np.arange(3, dtype=np.float32)

NEED = {
    "int": (lambda x: int(x), errors.ConcretizationTypeError),
    "float": (lambda x: float(x), errors.ConcretizationTypeError),
    "complex": (lambda x: complex(x), errors.ConcretizationTypeError),
    "bool": (lambda x: bool(x), errors.TracerBoolConversionError),
    "index": (lambda x: [1, 2][x], errors.TracerIntegerConversionError),
    "range": (lambda x: range(x), errors.TracerIntegerConversionError),
    "hex": (lambda x: hex(x), errors.TracerIntegerConversionError),
    "item": (lambda x: x.item(), errors.ConcretizationTypeError),
    "tolist": (lambda x: x.tolist(), errors.ConcretizationTypeError),
    "asarray": (lambda x: np.asarray(x), errors.TracerArrayConversionError),
    "format": (lambda x: f"{x:3d}", errors.ConcretizationTypeError),
    "hash": (lambda x: hash(x), TypeError),
}


@pytest.mark.parametrize("use, error", NEED.values(), ids=NEED)
@pytest.mark.parametrize("transform", [jax.jit, jax.make_jaxpr])
def test_what_needs_the_value(use, error, transform):
    with pytest.raises(error):
        transform(lambda x: use(x) and x)(1)


@pytest.mark.parametrize("name", ["int", "float", "complex", "bool", "item"])
def test_values_are_known_under_derivatives(name):
    use, _ = NEED[name]
    assert float(jax.grad(lambda x: x * float(bool(use(x))))(2.0)) == 1
    assert float(jax.jvp(lambda x: x * float(bool(use(x))), (2.0,), (1.0,))[1]) == 1


def test_shapes_and_dtypes_are_always_known():
    def f(x):
        assert (x.shape, x.ndim, x.size, len(x)) == ((3,), 1, 3, 3)
        assert x.dtype == np.float32 and not x.weak_type
        assert isinstance(x, jax.Array) and "f32[3]" in repr(x)
        assert copy.copy(x) is x and copy.deepcopy(x) is x
        return x

    for transform in (jax.jit, lambda g: jax.vmap(g, 1, 1), jax.eval_shape):
        if transform is jax.eval_shape:
            jax.eval_shape(f, V)
        else:
            transform(f)(V if transform is jax.jit else np.stack([V, V], 1))
    jax.jvp(f, (V,), (V,))


def test_is_concrete():
    seen = []
    jax.jit(lambda x: seen.append(is_concrete(x)) or x)(1.0)
    jax.grad(lambda x: seen.append(is_concrete(x)) or x)(1.0)
    assert seen == [False, True] and is_concrete(1.0)
    assert concrete_or_error(int, jnp.int32(3)) == 3
    with pytest.raises(errors.ConcretizationTypeError):
        jax.jit(lambda n: concrete_or_error(int, n, "the axis"))(3)


@pytest.mark.parametrize("transform", [jax.jit, jax.vmap, jax.make_jaxpr])
@pytest.mark.parametrize(
    "late", [lambda x: x + 1, jnp.sin, lambda x: jax.jit(jnp.sin)(x)]
)
def test_leaked_tracers(transform, late):
    kept = []
    transform(lambda x: kept.append(x * 2) or x)(V)
    with pytest.raises(errors.UnexpectedTracerError):
        late(kept[0])


def test_leaks_are_found_when_asked():
    kept = []
    with jax.checking_leaks():
        jax.jit(lambda x: x + 1)(1.0)
        with pytest.raises(errors.UnexpectedTracerError, match="Leaked"):
            jax.jit(lambda x: kept.append(x) or x)(1.0)


def test_compile_time_evaluation():
    def f(x):
        with jax.ensure_compile_time_eval():
            n = jnp.arange(4).sum()
            assert is_concrete(n)
        return x * int(n)

    assert float(jax.jit(f)(2.0)) == 12
    assert len(jax.make_jaxpr(f)(2.0).eqns) == 1


def test_errors_leave_the_trace_as_it_was():
    def broken(x):
        raise KeyError("mine")

    for transform in (jax.jit, jax.grad, jax.vmap, jax.make_jaxpr):
        with pytest.raises(KeyError):
            transform(broken)(V)
    assert is_concrete(jnp.sin(V) + 1)


def test_debug_nans_and_infs():
    with jax.debug_nans(True), pytest.raises(FloatingPointError, match="nan"):
        jnp.log(jnp.float32(-1))
    with jax.debug_infs(True), pytest.raises(FloatingPointError, match="inf"):
        jnp.log(jnp.float32(0))
    assert np.isnan(jnp.log(jnp.float32(-1)))
