"""Cases of the Fourier transforms."""

from __future__ import annotations

import numpy as np

from tests.primitives.case import Case

RNG = np.random.default_rng(4)
CASES: list[Case] = []


def transform(kind, lengths, *lead, **kwargs):
    shape = (*lead, *lengths)
    if kind == "irfft":
        shape = (*shape[:-1], lengths[-1] // 2 + 1)
    x = RNG.standard_normal(shape)
    if kind != "rfft":
        x = x + 1j * RNG.standard_normal(shape)
    x = x.astype(np.float32 if kind == "rfft" else np.complex64)
    CASES.append(
        Case(
            f"{kind}-{len(CASES)}",
            lambda lax, x: lax.fft(x, kind, lengths),
            [x],
            grad_args=(0,),
            atol=1e-5,
            **kwargs,
        )
    )


for kind in ("fft", "ifft", "rfft", "irfft"):
    for lengths in ((6,), (7,), (1,), (3, 4), (2, 5), (2, 2, 4)):
        transform(kind, lengths)
    transform(kind, (4,), 2)
    transform(kind, (4,), 0)
CASES += [
    Case("of-ints", lambda lax, x: lax.fft(x, "FFT", (4,)), [np.arange(4)]),
    Case("of-floats", lambda lax, x: lax.fft(x, lax.FftType.IFFT, (4,)),
         [np.arange(4, dtype=np.float32)]),
    Case("over-nothing", lambda lax, x: lax.fft(x, "fft", ()), [np.ones(3, "c8")]),
    Case("of-nan", lambda lax, x: lax.fft(x, "rfft", (4,)),
         [np.array([1, np.nan, 2, 3], np.float32)]),
]  # fmt: skip
