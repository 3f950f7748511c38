"""random_gamma: samples of the gamma distribution, differentiable in its parameter.

Marsaglia and Tsang, "A simple method for generating gamma variables", 2000: rejection,
so every element draws from a key of its own for as long as it needs.
"""

from __future__ import annotations

import math

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.scalars import KeyDType
from jaxlike.core.zeros import Zero
from jaxlike.primitives.generators import Generator
from jaxlike.primitives.random_bits import flat_words, generator_of, is_key, keys_of

__all__ = ["gamma_of_words_p", "random_gamma_p"]

random_gamma_p = Primitive("random_gamma")


def float_layout(dtype: np.dtype) -> tuple[int, int, int]:
    """(bits, mantissa bits, random bits used) of a float dtype.

    >>> float_layout(np.dtype("float32"))
    (32, 23, 32)
    """
    info = dtypes.finfo(dtype)
    return info.bits, info.nmant, 8 if info.nmant < 8 else info.bits


def unit_floats(bits: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Random bits as numbers in [0, 1): the bits become a mantissa.

    >>> unit_floats(np.array([1 << 31], "uint32"), np.dtype("float32"))
    array([0.5], dtype=float32)
    """
    width, mantissa, used = float_layout(dtype)
    word = np.dtype(f"uint{width}")
    one = np.ones((), dtype)
    words = np.empty(bits.shape, word)
    np.right_shift(bits.astype(word, copy=False), word.type(used - mantissa), words)
    np.bitwise_or(words, one.view(word), words)
    floats = words.view(dtype)
    return np.subtract(floats, one, floats)


# --- sampling, on flat arrays: a key and a parameter for each sample


class _Draws:
    """Numbers of a dtype from a generator, one for each key."""

    def __init__(self, generator: Generator, dtype: np.dtype):
        self.generator = generator.alone
        self.dtype = dtype

    def split(self, words: np.ndarray, n: int) -> np.ndarray:
        return self.generator.split(words, n).swapaxes(0, 1)

    def uniform(self, words: np.ndarray) -> np.ndarray:
        bits = self.generator.bits(words, float_layout(self.dtype)[2], ())
        return unit_floats(bits, self.dtype)

    def normal(self, words: np.ndarray) -> np.ndarray:
        from scipy.special import erfinv

        low = np.nextafter(np.array(-1, self.dtype), np.array(0, self.dtype))
        u = np.maximum(self.uniform(words) * (1 - low) + low, low)
        normal = erfinv(u.astype(np.float64)).astype(self.dtype)
        return normal * self.dtype.type(math.sqrt(2))


def _positive_roots(draws: _Draws, keys, c):
    """(x, v) with x normal and v = 1 + c x, drawn again until v > 0."""
    x, v = np.zeros_like(c), np.full_like(c, -1)
    lanes = np.arange(len(c))
    while lanes.size:
        keys[lanes], normal_keys = draws.split(keys[lanes], 2)
        x[lanes] = draws.normal(normal_keys)
        v[lanes] = 1 + x[lanes] * c[lanes]
        lanes = lanes[v[lanes] <= 0]
    return x, v


def _rejected(d, x2, v3, u):
    first = u >= 1 - x2.dtype.type(0.0331) * (x2 * x2)
    return first & (np.log(u) >= x2 / 2 + d * (1 - v3 + np.log(v3)))


def _cubes(draws: _Draws, keys, d):
    """v**3 of the accepted draws, so that d v**3 has the gamma distribution."""
    third = d.dtype.type(1 / 3)
    c = third / np.sqrt(d)
    v3 = np.ones_like(d)
    # the first test rejects all but NaN
    lanes = np.flatnonzero(_rejected(d, np.zeros_like(d), v3, np.full_like(d, 2)))
    while lanes.size:
        keys[lanes], x_keys, u_keys = draws.split(keys[lanes], 3)
        x, v = _positive_roots(draws, x_keys.copy(), c[lanes])
        u = draws.uniform(u_keys)
        v3[lanes] = v * v * v
        lanes = lanes[_rejected(d[lanes], x * x, v3[lanes], u)]
    return v3


def _gamma(generator, words, alpha, log_space: bool) -> np.ndarray:
    draws = _Draws(generator, alpha.dtype)
    keys, boost_keys = draws.split(words, 2)
    # a sample for alpha + 1, times a power of a uniform one, is one for alpha < 1
    large = alpha >= 1
    d = np.where(large, alpha, alpha + 1) - alpha.dtype.type(1 / 3)
    v3 = _cubes(draws, keys.copy(), d)
    u = draws.uniform(boost_keys)
    if log_space:
        log_u = np.log1p(-u)
        boost = np.where(large | (log_u == 0), 0, log_u * (1 / alpha))
        return np.log(d) + np.log(v3) + boost
    return d * v3 * np.where(large, 1, (1 - u) ** (1 / alpha))


# --- the primitive: keys [...] and parameters [..., *shape] to samples


def _random_gamma_shape(keys, alpha, *, log_space):
    if not is_key(keys) or not dtypes.issubdtype(alpha.dtype, np.floating):
        raise TypeError(
            format_error(
                f"random_gamma must be given keys and floats, got {keys}, {alpha}"
            )
        )
    if alpha.shape[: keys.ndim] != keys.shape:
        raise ValueError(
            format_error(
                f"random_gamma got keys of shape {keys.shape} for parameters of shape "
                f"{alpha.shape}, which must begin with it"
            )
        )
    return ShapedArray(alpha.shape, alpha.dtype)


def _random_gamma_evaluate(keys, alpha, *, log_space):
    if not alpha.size:
        return np.empty(alpha.shape, alpha.dtype)
    generator = generator_of(keys.dtype)
    words = flat_words(keys)
    split = generator.split(words, alpha.size // len(words))
    words = split.reshape(alpha.size, words.shape[-1])
    samples = _gamma(generator, words, alpha.reshape(-1), log_space)
    return samples.astype(alpha.dtype).reshape(alpha.shape)


def _random_gamma_jvp(primals, tangents, *, log_space):
    """By implicit differentiation: ds = - (dF/da) / (dF/ds) for the distribution F."""
    from jaxlike.primitives import arithmetic, comparison, selection, transcendental
    from jaxlike.primitives.rules import scalar_like
    from jaxlike.primitives.shapes import full_like
    from jaxlike.primitives.special_incomplete import random_gamma_grad

    keys, alpha = primals
    samples = random_gamma_p.bind(keys, alpha, log_space=log_space)
    t = tangents[1]
    if type(t) is Zero:
        return samples, Zero(get_aval(samples).to_tangent_aval())
    if not log_space:
        return samples, arithmetic.mul(t, random_gamma_grad(alpha, samples))
    values = transcendental.exp(samples)
    tiny = full_like(values, dtypes.finfo(values.dtype).tiny)
    is_zero = comparison.eq(values, scalar_like(values, 0))
    values = selection.select_n(is_zero, values, tiny)
    slope = arithmetic.div(random_gamma_grad(alpha, values), values)
    return samples, arithmetic.mul(t, slope)


def _random_gamma_batch(axis_data, args, dims, *, log_space):
    from jaxlike.primitives.shapes import batch_axis_at

    args = [batch_axis_at(x, d, 0, axis_data.size) for x, d in zip(args, dims)]
    return random_gamma_p.bind(*args, log_space=log_space), 0


random_gamma_p.shape = _random_gamma_shape
random_gamma_p.evaluate = _random_gamma_evaluate
random_gamma_p.jvp = _random_gamma_jvp
random_gamma_p.batch = _random_gamma_batch


# --- gamma_of_words: the same, from the words of threefry keys: what compilers run

gamma_of_words_p = Primitive("gamma_of_words")
gamma_of_words_p.shape = lambda words, alpha, *, log_space: ShapedArray(
    alpha.shape, alpha.dtype
)
gamma_of_words_p.evaluate = lambda words, alpha, *, log_space: _random_gamma_evaluate(
    keys_of(words, KeyDType("threefry2x32")), alpha, log_space=log_space
)
gamma_of_words_p.not_differentiable = "made when compiling, after differentiation"
gamma_of_words_p.not_batchable = "made when compiling, after vmap"
