"""Random words as instructions: the rounds of Threefry-2x32, in any number of lanes."""

from __future__ import annotations

from jaxlike.backends.numba.llvm import V

_PARITY = 0x1BD11BDA
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def threefry_word(k0: V, k1: V, x0: V, x1: V, word: int) -> V:
    """A word of the hash of the counter (x0, x1) under the key (k0, k1), i32 each.

    word: 0, 1, or 2 for both xored. A key that all lanes share is prepared once.
    """
    both = k0, k1, k0.b.like(k1, k0) ^ k1 ^ _PARITY
    key = [k0.b.splat(k, max(v.type.lanes for v in (k0, k1, x0, x1))) for k in both]
    x0, x1 = key[0] + x0, key[1] + x1
    for i in range(5):
        for r in _ROTATIONS[i % 2]:
            x0 = x0 + x1
            x1 = x1.call("fshl", x1, r) ^ x0
        x0 = x0 + key[(i + 1) % 3]
        x1 = x1 + (key[(i + 2) % 3] + (i + 1))
    return x0 ^ x1 if word == 2 else (x0, x1)[word]
