"""Live arrays as a pprof profile, for `go tool pprof` and its viewers.

The format is github.com/google/pprof's profile.proto, written by hand: a message is
fields of (number << 3 | wire type), integers as varints, messages with their length.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable, Sequence

from jaxlike.core.array import Array

_SAMPLE_TYPE, _SAMPLE, _LOCATION, _FUNCTION, _STRINGS = 1, 2, 4, 5, 6


def memory_profile(arrays: Iterable[Array]) -> bytes:
    """A gzipped pprof profile: how many Arrays of each type there are, and the bytes.

    >>> import gzip, jaxlike.numpy as jnp
    >>> b"f32[3]" in gzip.decompress(memory_profile([jnp.ones(3)]))
    True
    """
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for a in arrays:
        name = str(a.aval)
        counts[name] += 1
        sizes[name] += a.nbytes
    strings = ["", "allocations", "count", "space", "bytes", *counts]
    at = {text: i for i, text in enumerate(strings)}
    out = [
        _message(
            _SAMPLE_TYPE, _integer(1, at["allocations"]), _integer(2, at["count"])
        ),
        _message(_SAMPLE_TYPE, _integer(1, at["space"]), _integer(2, at["bytes"])),
    ]
    for i, name in enumerate(counts, 1):
        values = _packed(2, (counts[name], sizes[name]))
        out.append(_message(_SAMPLE, _packed(1, (i,)), values))
        line = _message(4, _integer(1, i))
        out.append(_message(_LOCATION, _integer(1, i), line))
        names = _integer(2, at[name]), _integer(3, at[name])
        out.append(_message(_FUNCTION, _integer(1, i), *names))
    out += [_bytes(_STRINGS, text.encode()) for text in strings]
    return gzip.compress(b"".join(out), mtime=0)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _integer(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _message(number: int, *fields: bytes) -> bytes:
    return _bytes(number, b"".join(fields))


def _packed(number: int, values: Sequence[int]) -> bytes:
    return _bytes(number, b"".join(map(_varint, values)))
