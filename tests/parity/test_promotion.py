"""The promotion table and the questions about dtypes, answered as JAX answers them."""

import functools
import itertools
import warnings

import ml_dtypes
import numpy as np
import pytest

from jaxlike import dtypes
from jaxlike.core import config as jl_config
from jaxlike.core import dtypes as core
from jaxlike.core import kinds

jax = pytest.importorskip("jax")
jnp = jax.numpy

ALL = core.all_dtypes
MODES = list(itertools.product([False, True], ["standard", "strict"]))
ABSTRACT = [
    np.generic,
    np.number,
    np.integer,
    np.signedinteger,
    np.unsignedinteger,
    np.inexact,
    np.floating,
    np.complexfloating,
]


class Typed:
    """As much of a weakly typed value as promotion looks at."""

    def __init__(self, dtype):
        self.dtype, self.weak_type, self.shape = dtype, True, ()

    def __repr__(self):
        return f"weak {self.dtype}"


def jax_weak(dtype):
    """A weakly typed value of any dtype; only under a trace, for float6's sake."""
    from jax._src.lax.lax import _convert_element_type

    return _convert_element_type(np.int32(0), dtype, weak_type=True)


def operands():
    """Strong values, Python types and values, weak values: (ours, JAX's) each."""
    yield from ((np.empty((), dt),) * 2 for dt in ALL)
    yield from ((x, x) for x in (True, 1, 1.0, 1j, bool, int, float, complex))
    for dt in ALL:
        if core.canonicalize_dtype(dt) == dt:  # others do not exist in this mode
            yield Typed(dt), jax_weak(dt)


def traced(test):
    """Run the test under a JAX trace, so that `jax_weak` values stay abstract."""

    @functools.wraps(test)
    def run(mode):
        jax.eval_shape(lambda: test(mode) or ())

    return run


def outcome(fun, *args, **kwargs):
    """The result in a form that both libraries share, or the error's class name."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            out = fun(*args, **kwargs)
        except Exception as error:
            out = type(error).__name__
    return out, [w.category for w in caught]


@pytest.fixture(params=MODES, ids=lambda m: f"x64={m[0]}-{m[1]}")
def mode(request):
    x64, promotion = request.param
    with (
        jax.enable_x64(x64),
        jax.numpy_dtype_promotion(promotion),
        jl_config.enable_x64(x64),
        jl_config.numpy_dtype_promotion(promotion),
    ):
        yield request.param


def lattice(*args):
    from jax._src.dtypes import lattice_result_type

    return lattice_result_type(*args)


def both_outcomes(ours, theirs):
    """What the two libraries say of operands: the lattice's result, result_type's."""
    kwargs = {"return_weak_type_flag": True}
    a = [
        outcome(core.lattice_result_type, *ours),
        outcome(dtypes.result_type, *ours, **kwargs),
    ]
    b = [outcome(lattice, *theirs), outcome(jax.dtypes.result_type, *theirs, **kwargs)]
    if b[1] == ("KeyError", []):  # JAX trips over weak int4; we say int32
        del a[1], b[1]
    return a, b


@traced
def test_every_pair_promotes_as_in_jax(mode):
    wrong = []
    for (a, jax_a), (b, jax_b) in itertools.product(operands(), repeat=2):
        ours, theirs = both_outcomes((a, b), (jax_a, jax_b))
        if ours != theirs:
            wrong.append((a, b, ours, theirs))
    assert not wrong, (len(wrong), wrong[:10])


@traced
def test_single_operands(mode):
    for a, b in [*operands(), *((d, d) for d in ALL)]:
        ours, theirs = both_outcomes([a], [b])
        assert ours == theirs, (a, getattr(a, "dtype", None))


@traced
def test_random_triples(mode):
    ops = list(operands())
    for picks in np.random.default_rng(0).integers(0, len(ops), (1000, 3)):
        a, b = zip(*(ops[i] for i in picks))
        ours, theirs = both_outcomes(a, b)
        assert ours == theirs, a


def test_promote_types(mode):
    names = ["f8", "bfloat16", np.int8, jnp.uint32, jnp.float64, None, "nonsense"]
    for a, b in itertools.product([*ALL, int, float, complex, bool, *names], repeat=2):
        assert outcome(core.promote_types, a, b) == outcome(jnp.promote_types, a, b)


@pytest.mark.parametrize(
    "value",
    ["f8", np.float64, np.dtype("int64"), float, "nonsense", [1], object(), b"1"]
    + [np.float64(1), np.ones(2), np.ones(2, "O"), np.array(["a"]), np.floating]
    + [np.ones(2, ">f4"), core.float0, np.zeros(2, core.float0), np.longdouble(1)],
    ids=lambda x: repr(x).split(" at 0x")[0],
)
def test_arguments_are_read_as_jax_reads_them(value, mode):
    assert outcome(dtypes.result_type, value) == outcome(jax.dtypes.result_type, value)


def test_narrow_dtypes_never_join_float0():
    args = core.float0, np.dtype("float32")
    assert issubclass(core.TypePromotionError, ValueError)
    with pytest.raises(ValueError, match="float0"):
        dtypes.result_type(*args)
    with pytest.raises(ValueError):
        jax.dtypes.result_type(*args)


def test_canonicalize_dtype(mode):
    for x in [*ALL, *(d.name for d in ALL), int, float, bool, complex, None, "O", "no"]:
        assert outcome(dtypes.canonicalize_dtype, x) == outcome(
            jax.dtypes.canonicalize_dtype, x
        )


def test_issubdtype_for_all_pairs():
    classes = [*ABSTRACT, *(d.type for d in ALL), bool, int, float, complex]
    for a, b in itertools.product([*ALL, *classes, core.float0, None], repeat=2):
        assert dtypes.issubdtype(a, b) == jax.dtypes.issubdtype(a, b), (a, b)
        assert dtypes.issubdtype(a, b) == jnp.issubdtype(a, b), (a, b)
    for bad in ("floating", 3, object()):
        assert outcome(dtypes.issubdtype, bad, np.generic) == outcome(
            jax.dtypes.issubdtype, bad, np.generic
        )


def test_issubdtype_of_keys():
    theirs = jax.random.key(0).dtype
    ours = core.KeyDType("threefry2x32")
    for b, jax_b in [
        (dtypes.prng_key, jax.dtypes.prng_key),
        (dtypes.extended, jax.dtypes.extended),
        (ours, theirs),
        *((c, c) for c in [*ABSTRACT, np.float32, "int8"]),
    ]:
        assert dtypes.issubdtype(ours, b) == jax.dtypes.issubdtype(theirs, jax_b)
        assert dtypes.issubdtype(b, ours) == jax.dtypes.issubdtype(jax_b, theirs)


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg", "unsafe_rbg"])
def test_key_dtypes_print_and_measure_as_jax(impl):
    theirs = jax.eval_shape(lambda: jax.random.key(0, impl=impl)).dtype
    ours = core.KeyDType(impl)
    assert (ours.name, str(ours), ours.itemsize) == (
        theirs.name,
        str(theirs),
        theirs.itemsize,
    )
    assert (ours == np.float32, np.dtype("f4") == ours) == (False, False)


def test_finfo_and_iinfo():
    fields = ["bits", "eps", "max", "min", "tiny", "smallest_subnormal", "dtype"]
    for dt in ALL:
        for ours, theirs, names in [
            (dtypes.finfo, jax.dtypes.finfo, fields),
            (dtypes.iinfo, jax.dtypes.iinfo, ["bits", "min", "max", "dtype"]),
        ]:
            (a, _), (b, _) = outcome(ours, dt), outcome(theirs, dt)
            if isinstance(a, str) or isinstance(b, str):
                assert a == b
            else:
                assert [getattr(a, n) for n in names] == [getattr(b, n) for n in names]


def test_sizes_and_printed_names():
    for dt in ALL:
        assert dtypes.itemsize_bits(dt) == jax.dtypes.itemsize_bits(dt)
        printed = jax.core.ShapedArray((3, 4), dt).str_short(short_dtypes=True)
        assert core.short_aval((3, 4), dt) == printed
    for dt in (core.float0, np.dtype("O")):
        assert outcome(dtypes.itemsize_bits, dt) == outcome(
            jax.dtypes.itemsize_bits, dt
        )


def test_scalar_type_of(mode):
    values = [True, 1, 1.0, 1j, np.float32(1), np.ones(2, ml_dtypes.int4), "abc"]
    for x in [*values, *ALL, np.ones(2, "O"), np.zeros(2, core.float0)]:
        assert outcome(dtypes.scalar_type_of, x) == outcome(
            jax.dtypes.scalar_type_of, x
        )


def test_isdtype():
    names = list(kinds._KINDS)
    for dt in ALL:
        for kind in [*names, (), ("bool", "integral"), "int8", np.float32, "nonsense"]:
            assert outcome(core.isdtype, dt, kind) == outcome(jnp.isdtype, dt, kind)


@pytest.mark.parametrize(
    "dtype",
    ["float64", "int64", "c16", np.uint64, float, int, complex, bool, "int8", "bf16"]
    + ["bfloat16", object, "U3", "datetime64[s]", ">f4", [("a", "f4")], np.floating, 3]
    + [np.longdouble, (np.float32, (2,))],
    ids=lambda x: repr(x).split(" at 0x")[0],
)
def test_dtypes_that_users_ask_for(dtype, mode):
    ours = outcome(core.check_user_dtype_supported, dtype, "zeros")
    theirs = outcome(lambda: jnp.zeros(2, dtype).dtype)
    assert ours == theirs


def test_arrays_are_no_dtypes():
    with pytest.raises(ValueError, match=r"x\.dtype"):
        core.check_user_dtype_supported(Typed(np.dtype("f4")))
    with pytest.raises(ValueError):
        jnp.zeros(2, jnp.ones(2))


@pytest.mark.parametrize("x", [True, 2**31 - 1, 2**31, -(2**31) - 1, 2**70, 1.5, 1e300])
@pytest.mark.parametrize("dtype", [None, "int8", "uint32", "float32", "bfloat16"])
def test_python_scalars_become_arrays_as_in_jax(x, dtype, mode):
    def theirs():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(jnp.asarray(x, dtype))

    def ours():
        return core.scalar_to_numpy(x, dtype and np.dtype(dtype))

    (a, _), (b, _) = outcome(ours), outcome(theirs)
    if isinstance(b, str):
        assert a == b
    else:
        assert (a.dtype, a.tobytes()) == (b.dtype, b.tobytes())
