"""Primitive: the name of an operation together with every rule it has.

A rule is an attribute that the primitive's card (a file of jaxlike/primitives/) sets;
a transform asks the primitive for the rule and never names an operation itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxlike.core.errors import format_error
from jaxlike.core.state import state

_SHAPE_CACHE_LIMIT = 8192

registry: dict[str, Primitive] = {}


class Primitive:
    """An operation that transforms and backends know by its rules.

    shape:      (*avals, **params) -> aval, or a list of avals if multiple_results
    evaluate:   (*ndarrays, **params) -> ndarray (list if multiple_results), by NumPy
    impl:       (*args, **params) -> Arrays; replaces `evaluate` in eager mode for
                primitives that compile or have side effects
    jvp:        (primals, tangents, **params) -> (outs, tangent_outs)
    transpose:  (cts, *args, **params) -> [ct or None]; linear args are UndefinedPrimal
    batch:      (axis_data, args, dims, **params) -> (outs, out_dims)
    linearize:  (nonzeros, primals, tangents_aval, **params), structural primitives
    batch_collective: as batch, when the primitive names the axis being batched
    axis_names: (params) -> the mesh or vmap axes a collective names
    """

    __slots__ = (
        "_shape_cache",
        "axis_names",
        "batch",
        "batch_collective",
        "cache_shape",
        "doc",
        "effectful",
        "evaluate",
        "impl",
        "jvp",
        "linearize",
        "multiple_results",
        "name",
        "not_batchable",
        "not_differentiable",
        "not_transposable",
        "shape",
        "structural",
        "transpose",
    )

    def __init__(
        self, name: str, multiple_results: bool = False, *, structural: bool = False
    ):
        self.name = name
        self.multiple_results = multiple_results
        # structural primitives hold jaxprs in their params
        self.structural = structural
        self.cache_shape = not structural
        self.effectful = False
        self._shape_cache: dict[Any, Any] = {}
        self.shape: Callable | None = None
        self.evaluate: Callable | None = None
        self.impl: Callable | None = None
        self.jvp: Callable | None = None
        self.transpose: Callable | None = None
        self.batch: Callable | None = None
        self.batch_collective: Callable | None = None
        self.axis_names: Callable | None = None
        self.linearize: Callable | None = None
        self.not_differentiable: str | None = None
        self.not_transposable: str | None = None
        self.not_batchable: str | None = None
        registry[name] = self

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self):
        return _by_name, (self.name,)

    def bind(self, *args, **params):
        """Apply the primitive under the current trace."""
        return state.trace.process_primitive(self, args, params)

    def out_avals(self, avals: tuple, params: dict) -> tuple[Any, frozenset]:
        """(aval or list of avals, effects) for operands of these avals."""
        if not self.cache_shape:
            return self._call_shape(avals, params)
        key = (avals, tuple(params.items())) if params else avals
        try:
            return self._shape_cache[key]
        except KeyError:
            result = self._call_shape(avals, params)
            if len(self._shape_cache) >= _SHAPE_CACHE_LIMIT:
                self._shape_cache.clear()
            self._shape_cache[key] = result
            return result
        except TypeError:  # an unhashable param: a jaxpr's function, say
            return self._call_shape(avals, params)

    def _call_shape(self, avals, params):
        if self.shape is None:
            raise NotImplementedError(
                format_error(f"primitive {self.name} has no shape rule")
            )
        out = self.shape(*avals, **params)
        if self.effectful:
            return out
        return out, no_effects

    # The extension point under JAX's names, for primitives that users define.
    def def_impl(self, impl: Callable) -> Callable:
        self.impl = impl
        return impl

    def def_abstract_eval(self, rule: Callable) -> Callable:
        self.shape = rule
        return rule

    def def_effectful_abstract_eval(self, rule: Callable) -> Callable:
        self.shape = rule
        self.effectful = True
        self.cache_shape = False
        return rule


no_effects: frozenset = frozenset()


def _by_name(name: str) -> Primitive:
    return registry[name]
