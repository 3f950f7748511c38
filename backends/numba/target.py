"""The machine code is made for: CPU name, features, vector width.

Part of the key of every stored object. `Target` is plain data, so that tests can write
IR (not run it) for other machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Target:
    """vector_bytes: width of a register; masked: masked loads and stores are cheap."""

    triple: str
    cpu: str
    features: str
    vector_bytes: int
    masked: bool

    @staticmethod
    def of(triple: str, cpu: str, features: str) -> Target:
        """Vector width from the feature string (llvm's +avx512f,-sse4a ... form)."""
        on = set(features.split(","))
        if "+avx512vl" in on and "+avx512bw" in on:
            width, masked = 64, True
        elif "+avx2" in on:
            width, masked = 32, False
        else:
            width, masked = 16, False
        return Target(triple, cpu, features, width, masked)


@lru_cache(1)
def host() -> Target:
    """The machine this process runs on."""
    import llvmlite.binding as llvm

    triple = llvm.get_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    return Target.of(triple, llvm.get_host_cpu_name(), features)
