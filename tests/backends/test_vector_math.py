"""Vector math: at most 4 ulp, right special values, vector code without libm calls."""

import re

import numpy as np
import pytest

from jaxlike.backends.numba.math import NAMES
from jaxlike.backends.plan.build import KernelBuilder
from tests.backends.kernels import narrow_target, run, run_on

mp = pytest.importorskip("mpmath")
mp.mp.prec = 160

F32, F64 = np.float32, np.float64
TYPES = [F32, F64]
BINARY = ("pow", "atan2", "rem")
UNARY = sorted(NAMES - set(BINARY))
N = 250

REFERENCE = {
    "exp2": lambda x: mp.power(2, x),
    "log2": lambda x: mp.log(x, 2),
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "rsqrt": lambda x: 1 / mp.sqrt(x),
    "logistic": lambda x: 1 / (1 + mp.exp(-x)),
    "erf_inv": mp.erfinv,
    "lgamma": mp.loggamma,
    "pow": mp.power,
}


def kernel_of(name, dtype, n):
    k = KernelBuilder((n,))
    (i,) = k.indices
    arity = 2 if name in BINARY else 1
    args = [k.load(k.input(dtype, (n,)), {i: 1}) for _ in range(arity)]
    k.store(k.output(dtype, (n,)), {i: 1}, k.op(name, *args))
    return k.finish(name)


def apply(name, *xs):
    out = np.empty_like(xs[0])
    run(kernel_of(name, xs[0].dtype, len(out)), [*xs, out])
    return out


def spread(rng, dtype, low, high, n=N):
    """Log-uniform positive values."""
    return (2.0 ** rng.uniform(np.log2(low), np.log2(high), n)).astype(dtype)


def points(name, dtype):
    """Arguments over the whole range of a function, dense where it is hard."""
    rng = np.random.default_rng(0)
    single = dtype == F32
    tiny, big = (1e-44, 3e38) if single else (1e-320, 1e308)
    signs = rng.choice([-1, 1], N).astype(dtype)
    wide = spread(rng, dtype, tiny, big)
    if name in ("log", "log2", "sqrt", "rsqrt"):
        return np.concatenate([wide, rng.uniform(0.5, 2, N).astype(dtype)])
    if name == "acosh":
        near = 1 + spread(rng, dtype, 1e-7, 10)
        return np.concatenate([near, spread(rng, dtype, 1, big)])
    if name in ("lgamma", "digamma"):
        small = rng.uniform(0.01, 12, N).astype(dtype)
        return np.concatenate([small, spread(rng, dtype, 1e-30, 1e30)])
    if name in ("asin", "acos", "atanh", "erf_inv"):
        ends = 1 - spread(rng, dtype, 1e-7 if single else 1e-15, 0.5)
        inside = rng.uniform(-1, 1, N).astype(dtype)
        return np.concatenate([inside, ends * signs, spread(rng, dtype, tiny, 0.9)])
    parts = [wide * signs, rng.uniform(-8, 8, N).astype(dtype)]
    parts.append(spread(rng, dtype, 1e-8, 10) * signs)
    if name in ("exp", "exp2", "expm1", "sinh", "cosh", "logistic"):
        end = 103 if single else 744
        parts.append(rng.uniform(-end, end, N).astype(dtype))
        parts[0] = parts[0][np.abs(parts[0]) < 1e4]
    if name in ("sin", "cos", "tan"):
        parts.append((np.arange(1, N) * np.pi / 2).astype(dtype))
    if name == "erfc":
        parts.append(rng.uniform(0, 10 if single else 27, N).astype(dtype))
        parts[0] = parts[0][np.abs(parts[0]) < 100]
    if name == "log1p":
        parts = [np.abs(p) for p in parts] + [rng.uniform(-1, 1, N).astype(dtype)]
    return np.concatenate(parts)


def ulps(got, want, dtype):
    """Distance in units of the last place of the rounded true value."""
    info = np.finfo(dtype)
    worst = 0.0
    for g, w in zip(got, want):
        w = mp.re(w)
        if mp.isnan(w):
            assert np.isnan(g)
            continue
        if abs(w) > float(info.max) * (1 - 1e-6):
            assert np.isinf(g) or abs(g) > float(info.max) * (1 - 1e-6)
            continue
        place = abs(dtype(float(w)))
        unit = max(float(np.spacing(place)), float(info.smallest_subnormal))
        worst = max(worst, float(abs(mp.mpf(float(g)) - w) / unit))
    return worst


def reference(name, *xs):
    f = REFERENCE.get(name) or getattr(mp, name)

    def at(*args):
        try:
            value = f(*map(mp.mpf, map(float, args)))
        except (ValueError, ZeroDivisionError):
            return mp.nan
        return mp.nan if isinstance(value, mp.mpc) and abs(value.imag) > 0 else value

    return [at(*args) for args in zip(*xs)]


@pytest.mark.parametrize("dtype", TYPES, ids=["float", "double"])
@pytest.mark.parametrize("name", UNARY)
def test_within_four_ulp_of_mpmath(name, dtype):
    x = points(name, dtype)
    assert ulps(apply(name, x), reference(name, x), dtype) <= 4


@pytest.mark.parametrize("dtype", TYPES, ids=["float", "double"])
@pytest.mark.parametrize(
    "name", ["exp", "exp2", "log", "log2", "log1p", "expm1", "tanh", "cosh", "logistic"]
)
def test_without_the_instructions_for_exponents(name, dtype):
    x = points(name, dtype)
    x[:5] = 0, np.inf, -np.inf, np.nan, -1
    got = np.empty_like(x)
    run_on(narrow_target(), kernel_of(name, dtype, len(x)), [x, got])
    assert ulps(got[5:], reference(name, x[5:]), dtype) <= 4
    np.testing.assert_allclose(got[:5], apply(name, x)[:5], rtol=1e-6)


@pytest.mark.parametrize("dtype", TYPES, ids=["float", "double"])
def test_pow_within_four_ulp(dtype):
    rng = np.random.default_rng(0)
    big, most = (1e38, 80) if dtype == F32 else (1e300, 700)
    x = [spread(rng, dtype, 1 / big, big), rng.uniform(0.5, 2, N).astype(dtype)]
    y = [rng.uniform(-1, 1, N), rng.uniform(-most, most, N)]
    x += [1 + spread(rng, dtype, 1e-6, 0.1), rng.uniform(-3, 3, N).astype(dtype)]
    y += [rng.uniform(-most, most, N), rng.integers(-9, 9, N)]
    x, y = np.concatenate(x), np.concatenate(y).astype(dtype)
    assert ulps(apply("pow", x, y), reference("pow", x, y), dtype) <= 4


@pytest.mark.parametrize("dtype", TYPES, ids=["float", "double"])
def test_atan2_within_four_ulp_and_rem_exact(dtype):
    rng = np.random.default_rng(0)
    big = 1e37 if dtype == F32 else 1e300
    x = spread(rng, dtype, 1 / big, big) * rng.choice([-1, 1], N).astype(dtype)
    y = spread(rng, dtype, 1 / big, big) * rng.choice([-1, 1], N).astype(dtype)
    x[: N // 2] = rng.uniform(-1, 1, N // 2)
    y[: N // 2] = rng.uniform(-1, 1, N // 2)
    assert ulps(apply("atan2", y, x), reference("atan2", y, x), dtype) <= 4
    assert np.array_equal(apply("rem", x, y), np.fmod(x, y))


SPECIAL = [0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, np.inf, -np.inf, np.nan, 1e-40]
SPECIAL += [-1e-40, 1e30, -1e30, 710.0, -745.2, 88.8, -104.1, 1e-10]


def same(got, want):
    """Equal with the sign of zero, NaN equal to NaN, else within 4 ulp."""
    with np.errstate(all="ignore"):
        exact = (got == want) & (np.signbit(got) == np.signbit(want))
        exact |= np.isnan(got) & np.isnan(want)
        near = np.abs(got - want) <= 4 * np.spacing(np.abs(want))
    return exact | (near & (want != 0))


NUMPY = {
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh, "rsqrt": lambda x: 1 / np.sqrt(x),
}  # fmt: skip


@pytest.mark.parametrize("dtype", TYPES, ids=["float", "double"])
@pytest.mark.parametrize("name", [n for n in UNARY if n not in ("lgamma", "digamma")])
def test_special_values(name, dtype):
    from scipy import special

    x = np.array(SPECIAL, dtype)
    inside = {"erf_inv": "erfinv", "logistic": "expit", "erf": "erf", "erfc": "erfc"}
    f = NUMPY.get(name) or getattr(np, name, None) or getattr(special, inside[name])
    with np.errstate(all="ignore"):
        want = f(x.astype(F64)).astype(dtype)
    if name == "erf_inv":
        want[x == 0] = x[x == 0]
    got = apply(name, x)
    bad = ~same(got, want)
    assert not bad.any(), (name, x[bad], got[bad], want[bad])


@pytest.mark.parametrize("dtype", TYPES, ids=["float", "double"])
@pytest.mark.parametrize("name", BINARY)
def test_special_pairs(name, dtype):
    x, y = (a.ravel() for a in np.meshgrid(*[np.array(SPECIAL[:16], dtype)] * 2))
    f = {"pow": np.power, "atan2": np.arctan2, "rem": np.fmod}[name]
    with np.errstate(all="ignore"):
        want = f(x, y)
    assert same(apply(name, x, y), want).all()


def test_gamma_functions_at_poles_and_infinity():
    for dtype in TYPES:
        x = np.array([0.0, -0.0, -1, -7, np.inf, -np.inf, np.nan, -1.5, -0.5], dtype)
        got = apply("lgamma", x)
        assert np.isinf(got[:6]).all() and (got[:6] > 0).all() and np.isnan(got[6])
        assert np.allclose(got[7:], [0.8600470153764810, 1.2655121234846454], rtol=1e-6)
        got = apply("digamma", x)
        assert np.isnan(got[:4]).all() and got[4] == np.inf
        assert np.allclose(
            got[7:], [0.7031566406452432, 0.03648997397857652], rtol=1e-5
        )


@pytest.mark.parametrize("dtype", TYPES, ids=["float", "double"])
@pytest.mark.parametrize("name", sorted(NAMES))
def test_code_is_vector_code_without_libm(name, dtype):
    from jaxlike.backends.numba import binding
    from jaxlike.backends.numba.engine import compile_kernels
    from jaxlike.backends.numba.target import host

    (compiled,) = compile_kernels([kernel_of(name, dtype, 1000)])
    text = compiled.assembly()
    width = host().vector_bytes
    if host().triple.startswith("x86_64"):
        register = {64: "zmm", 32: "ymm", 16: "xmm"}[width]
        packed = "pd" if dtype == F64 else "ps"
        assert re.search(rf"\bv?\w+{packed}\b.*%{register}", text)
    called = set(re.findall(r"\b(?:callq?|bl)\s+\*?(\S+)", text))
    ours = ("kernel", "jl.", "*", "%r")
    allowed = {"fmodf@PLT", "fmod@PLT"} if name == "rem" else set()
    foreign = {c for c in called if not c.startswith(ours) and "jl." not in c}
    assert foreign <= allowed
    assert binding.VERSION


def test_functions_give_the_same_bits_in_any_number_of_lanes():
    """A tail computes what the vector loop would."""
    x = np.random.default_rng(0).uniform(-3, 3, 100).astype(F32)
    for name in ("exp", "tanh", "sin", "erf"):
        whole = apply(name, x)
        for n in (1, 3, 17, 63):
            assert np.array_equal(apply(name, x[:n].copy()), whole[:n])
