"""Vector math as LLVM IR: exp, log, sin ... for float and double, scalar or any lanes.

May import numba/llvm.py alone. Each function has at most 4 ulp of error, IEEE special
values, gradual underflow; no branch but a uniform one to a rare slow path. Coefficients
are minimax fits made with mpmath (see tests/backends/fit_math.py).

A function is a Python function over `llvm.V` values, registered by name; `call` defines
it once in a module, for one type, and emits a call that LLVM inlines where it is short.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module

from jaxlike.backends.numba.llvm import Function, Module, Type, V

FAMILIES = {
    "explog": "exp exp2 expm1 log log1p log2 logistic",
    "hyperbolic": "tanh sinh cosh asinh acosh atanh",
    "trig": "sin cos tan",
    "arcs": "asin acos atan atan2",
    "errors": "erf erfc erf_inv",
    "powers": "pow sqrt rsqrt cbrt rem",
    "gamma": "lgamma digamma",
}
_HOME = {name: family for family, names in FAMILIES.items() for name in names.split()}
_BUILDERS: dict[str, tuple[Callable, bool]] = {}
NAMES = frozenset(_HOME)


def vector_math(name: str, inline: bool = False):
    """Register a builder f(*args: V) -> V under a primitive's name."""

    def register(f):
        _BUILDERS[name] = (f, inline)
        return f

    return register


def call(name: str, *args: V) -> V:
    """name(*args), through a function of the module that is written at first use."""
    b, type = args[0].b, args[0].type
    symbol = f"jl.{name}.{type.suffix}"
    if symbol not in b.module.functions:
        b.module.merge(_definition(name, type, len(args), b.module.avx512))
    return b.call(type, symbol, *args)


@lru_cache(None)
def _definition(name: str, type: Type, arity: int, avx512: bool) -> Module:
    import_module(f"jaxlike.backends.numba.math.{_HOME[name]}")
    build, inline = _BUILDERS[name]
    module = Module(avx512)
    kind = "alwaysinline" if inline else "noinline"
    params = [(str(type), "", f"x{i}") for i in range(arity)]
    f = Function(
        module,
        f"jl.{name}.{type.suffix}",
        params,
        str(type),
        f"nounwind {kind}",
        "internal",
        contract=False,
    )
    f.ret(build(*(V(f, type, f"%x{i}") for i in range(arity))))
    module.add(f)
    return module
