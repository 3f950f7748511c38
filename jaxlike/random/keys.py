"""Making, splitting and unpacking random keys.

A key is an Array of a key dtype (`key<fry>`), or, as of old, its uint32 words; every
function takes both, and gives keys back in the form it was given them.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.config import config
from jaxlike.core.errors import called_name, format_error
from jaxlike.core.scalars import KeyDType
from jaxlike.core.trace import Tracer
from jaxlike.numpy.promote import ArrayLike, is_arraylike
from jaxlike.primitives import random_bits
from jaxlike.primitives.axes import canonical_shape
from jaxlike.primitives.conversion import convert_element_type
from jaxlike.primitives.generators import Generator, generator_named
from jaxlike.primitives.joining import unstack_p

_UINT32 = np.dtype("uint32")


def _look_for_reuse(wanted: bool) -> None:
    if wanted:
        import jaxlike.transforms.key_reuse  # noqa: F401  (it puts itself in place)


config.add_hook("debug_key_reuse", _look_for_reuse)
_look_for_reuse(config.debug_key_reuse)


# --- reading arguments


def generator_of(spec: Any) -> Generator:
    """The generator that `impl` says: a name, a key dtype, or None for the default.

    Raises: ValueError for an unknown name, TypeError for other types.

    >>> generator_of("rbg").key_shape
    (4,)
    """
    if spec is None:
        return generator_named(config.default_prng_impl)
    if isinstance(spec, str):
        return generator_named(spec)
    if isinstance(spec, KeyDType):
        return generator_named(spec.impl)
    if isinstance(spec, Generator):
        return spec
    raise TypeError(format_error(f"{type(spec)} names no random generator"))


def is_typed_key(x: Any) -> bool:
    """Whether `x` is an Array (or tracer) of a key dtype.

    >>> is_typed_key(key(0)), is_typed_key(PRNGKey(0))
    (True, False)
    """
    t = type(x)
    if t is not Array and not isinstance(x, Tracer):
        return False
    return isinstance(x.aval.dtype, KeyDType)


def check_key(name: str, x: Any) -> tuple[Any, bool]:
    """(typed key, whether it was typed) for the argument `key` of the function `name`.

    Raises: TypeError if it is no key, ValueError if it is an array of keys.
    """
    if is_typed_key(x):
        keys, typed = x, True
    else:
        keys, typed = _from_raw(x), False
    if keys.aval.shape:
        raise ValueError(
            format_error(
                f"{name} takes one key, got keys of shape {x.shape}",
                try_="jaxlike.vmap",
            )
        )
    return keys, typed


def typed_keys(x: Any) -> Any:
    """Keys as an Array of a key dtype, of any shape."""
    return x if is_typed_key(x) else _from_raw(x)


def _from_raw(x: Any) -> Any:
    if not (is_arraylike(x) or isinstance(x, str)):
        raise TypeError(
            format_error(f"{type(x)} is no random key", try_="jaxlike.random.key(0)")
        )
    if config.legacy_prng_key != "allow":
        message = (
            "Legacy uint32 key array passed as key to jax.random function. Please "
            "create keys using jax.random.key(). If use of a raw key array was "
            'intended, set jax_legacy_prng_key="allow".'
        )
        if config.legacy_prng_key == "error":
            raise ValueError(message)
        warnings.warn(message, UserWarning, stacklevel=4)
    generator = generator_of(None)
    if config.enable_custom_prng:
        warnings.warn(
            "Raw arrays as random keys to jax.random functions are deprecated. "
            f"Assuming valid {generator.name} key for now.",
            FutureWarning,
            stacklevel=4,
        )
    return _wrap(x, generator)


def _wrap(words: Any, generator: Generator) -> Any:
    def invalid(expected: str) -> TypeError:
        return TypeError(
            format_error(
                f"{called_name()} takes a key, or its words{expected}",
                try_="jaxlike.random.key(seed)",
            )
        )

    if not all(hasattr(words, name) for name in ("ndim", "shape", "dtype")):
        raise invalid(f" with shape and dtype, got {words}")
    shape = generator.key_shape
    if len(words.shape) < len(shape):
        raise invalid(f".ndim >= {len(shape)}; got ndim={len(words.shape)}")
    if tuple(words.shape[-len(shape) :]) != shape:
        raise invalid(
            f" of shape {shape} at the end for {generator.name}, got {words.shape}"
        )
    if words.dtype != _UINT32:
        raise invalid(f" of dtype uint32, got {words.dtype}")
    return random_bits.random_wrap(words, generator)


def like_given(keys: Any, typed: bool) -> Any:
    """Keys in the form that the user's key had: raw words unless it was typed."""
    if typed or config.enable_custom_prng:
        return keys
    return random_bits.random_unwrap_p.bind(keys)


def subkeys(key: Any, n: int = 2) -> list[Any]:
    """A list of the n keys that a typed key splits into."""
    keys = random_bits.random_split_p.bind(key, shape=(n,))
    return unstack_p.bind(keys, axis=0)


# --- the user's functions


def _new_key(name: str, seed: Any, impl: Any) -> Any:
    generator = generator_of(impl)
    if is_typed_key(seed):
        raise TypeError(format_error(f"{name} takes a number as seed, got a key"))
    if not isinstance(seed, (int, np.integer)):
        shape = get_aval(seed).shape
        if shape:
            raise TypeError(
                format_error(
                    f"{name} takes one seed, got shape {shape}", try_="jaxlike.vmap"
                )
            )
    return random_bits.random_seed(seed, generator)


def key(seed: int | ArrayLike, *, impl: Any = None, dtype: Any = None) -> Array:
    """A random key, made from an integer.

    Args: `seed`, a scalar integer; `impl` or `dtype`, the kind of key, by name or by
    key dtype (threefry2x32 unless jax_default_prng_impl says otherwise).
    Raises: TypeError for other seeds, OverflowError past 64 bits.

    >>> import jaxlike
    >>> jaxlike.random.key(0).dtype
    key<fry>
    """
    return _new_key("key", seed, _one_of("key", impl, dtype))


def _one_of(name: str, impl: Any, dtype: Any) -> Any:
    if impl is not None and dtype is not None:
        raise ValueError(format_error(f"{name} takes impl or dtype, not both"))
    return dtype if impl is None else impl


def PRNGKey(seed: int | ArrayLike, *, impl: Any = None) -> Array:
    """As `key`, giving the key's raw words: the old form of keys.

    >>> import jaxlike
    >>> jaxlike.random.PRNGKey(7)
    Array([0, 7], dtype=uint32)
    """
    return like_given(_new_key("PRNGKey", seed, impl), typed=False)


def split(key: ArrayLike, num: int | tuple[int, ...] = 2) -> Array:
    """New keys made from a key, independent of each other.

    Args: `num`, how many, or the shape of the array of them.
    Raises: TypeError if `key` is no key, ValueError if it is several.

    >>> import jaxlike
    >>> key, subkey = jaxlike.random.split(jaxlike.random.key(0))
    """
    keys, typed = check_key("split", key)
    if isinstance(num, Iterable) and not isinstance(num, (Array, Tracer, np.ndarray)):
        shape = canonical_shape(num, "split: num")
    else:
        shape = canonical_shape((operator.index(num),), "split: num")
    return like_given(random_bits.random_split_p.bind(keys, shape=shape), typed)


def fold_in(key: ArrayLike, data: int | ArrayLike) -> Array:
    """A new key made from a key and an integer.

    Args: `data`, a scalar, read as uint32.
    Raises: OverflowError for Python integers below 0 or of more than 32 bits.

    >>> import jaxlike
    >>> step_key = jaxlike.random.fold_in(jaxlike.random.key(0), 5)
    """
    keys, typed = check_key("fold_in", key)
    if isinstance(data, (Array, Tracer, np.ndarray)):
        if data.shape:
            raise TypeError(
                format_error(
                    f"fold_in takes one number, got shape {data.shape}",
                    try_="jaxlike.vmap",
                )
            )
        data = convert_element_type(data, _UINT32)
    elif isinstance(data, np.generic):
        data = data.astype(_UINT32)
    else:
        data = np.uint32(data)
    return like_given(random_bits.random_fold_in_p.bind(keys, data), typed)


def key_data(keys: ArrayLike) -> Array:
    """The raw words of keys: uint32[*keys.shape, words].

    >>> import jaxlike
    >>> jaxlike.random.key_data(jaxlike.random.key(7))
    Array([0, 7], dtype=uint32)
    """
    return random_bits.random_unwrap_p.bind(typed_keys(keys))


def wrap_key_data(
    key_bits_array: ArrayLike, *, impl: Any = None, dtype: Any = None
) -> Array:
    """Keys with the raw words uint32[..., words], the reverse of `key_data`.

    Raises: TypeError unless the array has the words' dtype and shape.

    >>> import jaxlike
    >>> words = jaxlike.random.PRNGKey(7)
    >>> jaxlike.random.wrap_key_data(words).dtype
    key<fry>
    """
    spec = _one_of("wrap_key_data", impl, dtype)
    return _wrap(key_bits_array, generator_of(spec))


def key_impl(keys: ArrayLike) -> str:
    """The name of the generator that keys belong to.

    >>> import jaxlike
    >>> jaxlike.random.key_impl(jaxlike.random.key(0))
    'threefry2x32'
    """
    return typed_keys(keys).aval.dtype.impl


def key_dtype(impl_spec: Any = None) -> KeyDType:
    """The dtype of the keys of a generator, the default one unless it is named.

    >>> import jaxlike
    >>> jaxlike.random.key_dtype("rbg")
    key<rbg>
    """
    return generator_of(impl_spec).dtype


def clone(key: ArrayLike) -> Array:
    """The same key, allowed to be used again where jax_debug_key_reuse checks that.

    >>> import jaxlike
    >>> key = jaxlike.random.key(0)
    >>> bool(jaxlike.random.clone(key) == key)
    True
    """
    if is_typed_key(key):
        return random_bits.random_clone_p.bind(key)
    from jaxlike.numpy import asarray

    return asarray(key)
