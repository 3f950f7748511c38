"""dtypes without JAX at hand: laws of promotion, key dtypes, names, the x64 rule."""

import copy
import enum
import itertools
import pickle
import warnings

import ml_dtypes
import numpy as np
import pytest

from jaxlike.core import dtypes, promotion
from jaxlike.core.config import enable_x64, numpy_dtype_promotion

NODES = [*dtypes.all_dtypes, int, float, complex]
WIDE = {"int64", "uint64", "float64", "complex128"}
KEYS = [dtypes.KeyDType(impl) for impl in ("threefry2x32", "rbg", "unsafe_rbg")]


def join(*nodes, strict=False):
    try:
        return promotion.join(nodes, strict)
    except dtypes.TypePromotionError:
        return None


@pytest.mark.parametrize("strict", [False, True])
def test_join_is_idempotent_and_commutative(strict):
    for a, b in itertools.product(NODES, repeat=2):
        assert join(a, a, strict=strict) == a
        assert join(a, b, strict=strict) == join(b, a, strict=strict)


@pytest.mark.parametrize("strict", [False, True])
def test_join_does_not_depend_on_grouping(strict):
    for a, b, c in itertools.product(NODES[::2], repeat=3):
        ab = join(a, b, strict=strict)
        if ab is not None:
            assert join(ab, c, strict=strict) == join(a, b, c, strict=strict)


def test_strict_promotion_is_a_part_of_standard_promotion():
    for a, b in itertools.product(NODES, repeat=2):
        if join(a, b, strict=True) is not None:
            assert join(a, b) == join(a, b, strict=True)


def test_python_scalars_never_change_the_kind_or_width_of_their_own_kind():
    for dt in dtypes.all_dtypes:
        python_type = dtypes.python_type_of[dt]
        value = python_type(1)
        with enable_x64(True):
            assert dtypes.result_type(np.ones((), dt), value) == dt
        if python_type is not bool:
            with enable_x64(True), numpy_dtype_promotion("strict"):
                assert dtypes.result_type(np.ones((), dt), value) == dt


def test_settings_take_effect_in_spite_of_the_cache():
    args = np.float64(1), np.int32(1)
    for _ in range(2):
        assert dtypes.result_type(*args) == np.float32
        with enable_x64(True):
            assert dtypes.result_type(*args) == np.float64
            with numpy_dtype_promotion("strict"), pytest.raises(ValueError):
                dtypes.result_type(*args)


@pytest.mark.parametrize(
    ("args", "strict", "says"),
    [
        (
            ("int4", "float32"),
            False,
            "No implicit dtype promotion path between int4 and float32: 1-bit, 2-bit "
            "and 4-bit integers never promote by themselves. Convert explicitly, for "
            "instance with x.astype('int32').",
        ),
        (
            ("float8_e5m2", 1j),
            False,
            "No implicit dtype promotion path between float8_e5m2 and Python complex: "
            "floats of 8 bits and fewer never promote by themselves. Convert "
            "explicitly, for instance with x.astype('float32').",
        ),
        (
            ("int32", "float32"),
            True,
            "No implicit dtype promotion path between int32 and float32 when "
            "jax_numpy_dtype_promotion is 'strict'. Convert the operands to one dtype "
            "with astype(), or set the option to 'standard'.",
        ),
    ],
)
def test_messages_of_promotion_errors(args, strict, says):
    option = "strict" if strict else "standard"
    error = pytest.raises(dtypes.TypePromotionError)
    with numpy_dtype_promotion(option), error as caught:
        dtypes.result_type(*args)
    assert str(caught.value) == says


def test_keys_promote_with_themselves_only():
    fry, rbg, _ = KEYS
    assert dtypes.result_type(fry) is fry
    assert dtypes.result_type(fry, fry) is fry
    assert dtypes.promote_types(rbg, rbg) is rbg
    for other in (rbg, np.float32(1), 1):
        with pytest.raises(dtypes.TypePromotionError, match="takes no part"):
            dtypes.result_type(fry, other)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_key_dtypes_are_interned_values(key):
    again = dtypes.KeyDType(key.impl)
    assert again is key
    assert pickle.loads(pickle.dumps(key)) is key
    assert copy.deepcopy(key) is copy.copy(key) is key
    assert {key: 1}[again] == 1
    assert dtypes.canonicalize_dtype(key) is key
    assert dtypes.check_user_dtype_supported(key, "zeros") is key
    assert dtypes.dtype(key) is key
    assert dtypes.tangent_dtype(key) == dtypes.float0
    with pytest.raises(AttributeError):
        key.impl = "other"


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_one_key_is_one_structured_element(key):
    storage = dtypes.storage_dtype(key)
    words = np.arange(12 * storage.itemsize // 4, dtype=np.uint32)
    data = words.reshape(3, 4, -1).view(storage)[..., 0]
    assert data.shape == (3, 4)
    assert data.dtype[key.tag].shape == key.key_shape
    assert np.array_equal(data.T[key.tag], words.reshape(3, 4, -1).swapaxes(0, 1))


def test_generators_of_users():
    mine = dtypes.KeyDType("mine", (3,), "my")
    assert (mine.name, mine.itemsize) == ("key<my>", 12)
    assert mine != dtypes.KeyDType("mine", (5,), "my")
    with pytest.raises(ValueError, match="key_shape"):
        dtypes.KeyDType("never heard of")


def test_canonical_dtypes():
    for x64, dt in itertools.product([False, True], dtypes.all_dtypes):
        with enable_x64(x64):
            out = dtypes.canonicalize_dtype(dt)
            assert dtypes.canonicalize_dtype(out) is out
            assert out.kind == dt.kind
            assert (out == dt) is (x64 or dt.name not in WIDE)
    with pytest.raises(ValueError, match="key<fry>"):
        dtypes.canonicalize_dtype(KEYS[0], allow_extended=False)


def test_asking_for_64_bits_warns_at_the_users_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert dtypes.check_user_dtype_supported("float64", "zeros") == np.float32
    (warning,) = caught
    assert warning.category is UserWarning
    assert warning.filename == __file__
    assert "float64 in zeros" in str(warning.message)
    assert "becomes float32" in str(warning.message)


def test_names_are_short_and_distinct():
    names = [dtypes.short_name(dt) for dt in [*dtypes.all_dtypes, *KEYS]]
    assert len(set(names)) == len(names)
    assert dtypes.short_aval((), np.dtype("bool")) == "bool[]"
    assert dtypes.short_aval((2,), KEYS[0]) == "key<fry>[2]"
    assert dtypes.short_aval((1, 0), dtypes.float0) == "float0[1,0]"


def test_neighbours_of_a_dtype():
    for dt in dtypes.all_dtypes:
        real, inexact = dtypes.to_real_dtype(dt), dtypes.to_inexact_dtype(dt)
        assert dtypes.issubdtype(inexact, np.inexact)
        assert dtypes.issubdtype(dtypes.to_floating_dtype(dt), np.floating)
        assert dtypes.issubdtype(dtypes.to_complex_dtype(dt), np.complexfloating)
        assert dtypes.issubdtype(dtypes.to_numeric_dtype(dt), np.number)
        assert dtypes.to_inexact_dtype(inexact) == inexact
        assert dtypes.issubdtype(dt, np.complexfloating) == (real != dt)
        assert dtypes.tangent_dtype(dt) == (dt if inexact == dt else dtypes.float0)
    for bad in (dtypes.float0, "O"):
        with pytest.raises(ValueError):
            dtypes.to_inexact_dtype(bad)


def test_widths():
    for dt in dtypes.all_dtypes:
        bits = dtypes.itemsize_bits(dt)
        assert dt.itemsize == max(1, (bits + 7) // 8)
        if dtypes.issubdtype(dt, np.integer):
            assert dtypes.iinfo(dt).bits == bits
        elif dtypes.issubdtype(dt, np.floating):
            assert dtypes.finfo(dt).bits == bits


def test_what_counts_as_a_python_scalar():
    one = enum.IntEnum("Number", "one").one
    for x, python, weak in [
        (True, True, False),
        (1, True, True),
        (1.0, True, True),
        (1j, True, True),
        (np.float64(1), False, False),
        (one, False, False),
        (np.ones(2), False, False),
        ("1", False, False),
    ]:
        assert dtypes.is_python_scalar(x) is python
        assert dtypes.is_weakly_typed(x) is weak
    assert dtypes.dtype(one) == np.int32
    with pytest.raises(ValueError):
        dtypes.dtype(None)


def test_python_ints_out_of_range():
    with pytest.raises(OverflowError, match="too large to convert to int32"):
        dtypes.scalar_to_numpy(2**31)
    with enable_x64(True):
        assert dtypes.scalar_to_numpy(2**31).dtype == np.int64
        with pytest.raises(OverflowError, match="int64"):
            dtypes.scalar_to_numpy(-(2**63) - 1)
    with pytest.raises(OverflowError, match="-1 out of bounds for uint8"):
        dtypes.scalar_to_numpy(-1, np.dtype("uint8"))
    with pytest.raises(OverflowError, match="8 out of bounds for int4"):
        dtypes.scalar_to_numpy(8, np.dtype(ml_dtypes.int4))
    assert dtypes.scalar_to_numpy(1e300) == np.inf


def test_dtypes_arrays_cannot_have():
    for bad in ("O", "U3", ">f4", np.dtype([("a", "f4")]), np.longdouble):
        with pytest.raises(TypeError, match="in zeros"):
            dtypes.check_user_dtype_supported(bad, "zeros")
    with pytest.raises(TypeError, match="object"):
        dtypes.result_type(np.ones(2, "O"))
    assert dtypes.check_user_dtype_supported(None, "zeros") is None
