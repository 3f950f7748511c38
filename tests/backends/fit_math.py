"""How the coefficients of backends/numba/math/coefficients.py were made. Not a test.

    python tests/backends/fit_math.py > coefficients.txt

Weighted least squares at Chebyshev nodes in 50 digits, reweighted (Lawson) towards the
minimax fit; coefficients are rounded to their type one by one from the lowest, the rest
refitted after each. Prints name, error in bits before and after rounding, coefficients.
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 50
EPS = mp.mpf(10) ** -18
PI = mp.pi


def lawson(f, powers, a, b, weight, iterations=10):
    """Near-minimax coefficients of sum c_k x^powers[k], and the error."""
    n = 2 * ((5 * len(powers) + 10) // 2)
    xs = [(a + b - (b - a) * mp.cos(PI * (2 * i + 1) / (2 * n))) / 2 for i in range(n)]
    fs, ws = [f(x) for x in xs], [weight(x) for x in xs]
    size, count = max(abs(a), abs(b)), len(powers)
    rows = [[(x / size) ** p for p in powers] for x in xs]
    lawson_weights, best = [mp.mpf(1) / n] * n, None
    for _ in range(iterations):
        matrix, right = mp.matrix(count, count), mp.matrix(count, 1)
        for lw, w, row, y in zip(lawson_weights, ws, rows, fs):
            q = lw * w * w
            for j in range(count):
                right[j] += q * row[j] * y
                for k in range(count):
                    matrix[j, k] += q * row[j] * row[k]
        c = mp.lu_solve(matrix, right)
        errors = [
            abs(w * (y - sum(c[j] * row[j] for j in range(count))))
            for w, y, row in zip(ws, fs, rows)
        ]
        if best is None or max(errors) < best[1]:
            best = [c[j] / size ** powers[j] for j in range(count)], max(errors)
        lawson_weights = [lw * e for lw, e in zip(lawson_weights, errors)]
        total = sum(lawson_weights)
        if not total:
            break
        lawson_weights = [lw / total for lw in lawson_weights]
    return best


def fit(name, f, count, a, b, weight, single, refits=6):
    """Fit `count` coefficients on [a, b], rounded to float32 or float64, and print."""
    a, b = mp.mpf(a), mp.mpf(b)
    kind = np.float32 if single else np.float64
    fixed, rest, ideal = [], list(range(count)), None
    while rest:

        def left(x):
            return f(x) - sum(c * x**p for p, c in enumerate(fixed))

        c, error = lawson(left, rest, a, b, weight)
        ideal = ideal or error
        keep = c if len(fixed) >= refits else c[:1]
        fixed += [mp.mpf(float(kind(float(v)))) for v in keep]
        rest = rest[len(keep) :]
    grid = [a + (b - a) * (i + mp.mpf(1) / 7) / 1000 for i in range(1000)]
    real = max(
        abs(weight(x) * (f(x) - sum(c * x**p for p, c in enumerate(fixed))))
        for x in grid
    )
    bits = [float(mp.log(e, 2)) for e in (ideal, real)]
    print(
        f"# {name} {'float' if single else 'double'}: 2^{bits[0]:.1f} 2^{bits[1]:.1f}"
    )
    print(f"{name}|{'float' if single else 'double'}|{[float(c) for c in fixed]}")


def both(name, f, counts, a, b, weight):
    for count, single in zip(counts, (True, False)):
        if count:
            fit(name, f, count, a, b, weight, single)


def safe(f, at_zero):
    """f, with its limit near zero."""
    return lambda z: f(z) if abs(z) > EPS else mp.mpf(at_zero)


def relative(f):
    return lambda x: 1 / f(x)


def erfcx_scaled(center):
    def f(t):
        x = center * (1 + t) / (1 - t)
        return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)

    return f


_inverse = {}


def erfinv_ratio(w):
    """erf_inv(x) / x as a function of w = -log(1 - x^2)."""
    if w < EPS:
        return mp.sqrt(PI) / 2
    if w not in _inverse:
        with mp.workdps(80):
            x = mp.sqrt(-mp.expm1(-w))
            _inverse[w] = mp.erfinv(x) / x
    return _inverse[w]


def main():
    half = mp.log(2) / 2 * mp.mpf("1.01")
    f = safe(lambda r: (mp.e**r - 1 - r) / r**2, 0.5)
    both("EXP", f, (5, 10), -half, half, lambda r: r**2 / mp.e**r)
    both("EXPM1", f, (6, 11), -half, half, lambda r: abs(r**2 / mp.expm1(r)))
    f = safe(lambda r: (mp.mpf(2) ** r - 1) / r, mp.log(2))
    both("EXP2", f, (6, 12), -0.505, 0.505, lambda r: abs(r) / mp.mpf(2) ** r)
    f = safe(lambda x: (mp.log1p(x) - x + x * x / 2) / x**3, mp.mpf(1) / 3)
    low, high = mp.sqrt(0.5) - 1.001, mp.sqrt(2) - 0.999
    both("LOG", f, (8, 0), low, high, lambda x: abs(x**3 / mp.log1p(x)))
    both("LOG_NEAR", f, (8, 0), -0.2501, 0.5001, lambda x: abs(x**3 / mp.log1p(x)))
    s2 = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.02")
    f = safe(lambda z: (2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 2) / z, mp.mpf(2) / 3)
    both("LOG", f, (0, 7), 0, s2, lambda z: z)
    f = safe(
        lambda z: (mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 1 - z / 3) / z**2, mp.mpf(1) / 5
    )
    both("POW_LOG", f, (0, 7), 0, s2, lambda z: z**2)
    z4 = (PI / 4) ** 2 * mp.mpf("1.001")
    f = safe(lambda z: (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, -mp.mpf(1) / 6)
    both("SIN", f, (3, 6), 0, z4, lambda z: z)
    f = safe(lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2, mp.mpf(1) / 24)
    both("COS", f, (3, 6), 0, z4, lambda z: z**2)
    f = safe(lambda z: (mp.asin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, mp.mpf(1) / 6)
    both("ASIN", f, (5, 13), 0, 0.2501, lambda z: z)
    f = safe(lambda z: (mp.atan(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, -mp.mpf(1) / 3)
    both("ATAN", f, (5, 11), 0, 0.4143**2, lambda z: z)
    f = safe(lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1, 2 / mp.sqrt(PI) - 1)
    both("ERF", f, (7, 13), 0, 1, lambda z: 1 / (f(z) + 1))
    f = lambda t: mp.erfc(t + mp.mpf("2.45")) ** 0.125
    weight = lambda t: 8 * f(t) ** 7
    both("ERF_ROOT", f, (8, 0), -1.5, 1.5, weight)
    place = lambda x, k: (mp.mpf(x) - k) / (mp.mpf(x) + k)
    f = erfcx_scaled(2)
    both("ERFC", f, (11, 0), place(0.45, 2), place(10.3, 2), relative(f))
    f = erfcx_scaled(4)
    both("ERFC", f, (0, 24), place(0.45, 4), place(27.6, 4), relative(f))
    f = lambda t: erfinv_ratio(t + mp.mpf("2.5"))
    both("ERF_INV_A", f, (11, 0), -2.5, 2.5, relative(f))
    f = lambda t: erfinv_ratio((t + 3) ** 2)
    both("ERF_INV_B", f, (11, 0), mp.sqrt(5) - 3.001, mp.sqrt(17) - 3, relative(f))
    f = lambda t: erfinv_ratio(t + mp.mpf("3.125"))
    both("ERF_INV_A", f, (0, 25), -3.125, 3.125, relative(f))
    f = lambda t: erfinv_ratio((t + mp.mpf("3.25")) ** 2)
    both("ERF_INV_B", f, (0, 22), -0.751, 0.751, relative(f))
    f = lambda t: erfinv_ratio((t + 5) ** 2)
    both("ERF_INV_C", f, (0, 20), -1.001, 1.05, relative(f))

    def f(t):
        t = t if abs(t) > 1e-15 else mp.mpf(10) ** -15
        return mp.loggamma(t + 2) / ((t + 1) * t)

    both("LGAMMA", f, (0, 23), -0.75, 0.5, relative(f))
    root = mp.findroot(mp.digamma, 1.4616)

    def f(t):
        d = t + mp.mpf("1.5") - root
        return mp.digamma(t + mp.mpf("1.5")) / d if abs(d) > 1e-15 else mp.psi(1, root)

    both("DIGAMMA", f, (0, 23), -0.5, 0.5, relative(f))


if __name__ == "__main__":
    main()
