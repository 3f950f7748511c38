"""jit: trace once for each signature, compile, and call the compiled form.

A call with arrays alone goes: leaves' avals -> cached executable -> buffers -> Arrays.
Under another transform it becomes an equation of the primitive `jit`.
"""

from __future__ import annotations

import functools
import time
import types
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from jaxlike.core import tree
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.config import config
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import ClosedJaxpr, DebugInfo, eval_jaxpr
from jaxlike.core.recording import recorded
from jaxlike.core.source_info import filter_traceback
from jaxlike.core.staging import consts_are_concrete, trace_to_jaxpr
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace
from jaxlike.transforms.arguments import (
    FlatFunction,
    a_value,
    check_callable,
    check_operands,
    check_outputs,
    fun_name,
    leaf_names,
    positional_names,
    resolve_names,
)
from jaxlike.transforms.jit_primitive import Executable, jit_p

_jitted: weakref.WeakSet[JitFunction] = weakref.WeakSet()


class Caches:
    """What one function was traced and compiled to, under one set of options."""

    __slots__ = ("executables", "traced")

    def __init__(self) -> None:
        self.traced: dict[Any, TracedCall] = {}
        self.executables: dict[Any, tuple[Executable, Any]] = {}


# jit(f) twice shares one: `jit(f)(x)` in a loop traces once
_caches: weakref.WeakKeyDictionary[Callable, dict[Any, Caches]]
_caches = weakref.WeakKeyDictionary()


def caches_of(fun: Callable, options: Any) -> Caches:
    if type(fun) is not types.FunctionType:
        return Caches()
    return _caches.setdefault(fun, {}).setdefault(options, Caches())


class TracedCall(NamedTuple):
    """One signature of a jitted function, traced."""

    jaxpr: ClosedJaxpr
    consts: list[Any]
    out_tree: Any
    in_tree: Any
    donated: tuple[bool, ...]


class JitFunction:
    """What jit returns: callable like the function, with lower, trace, eval_shape."""

    def __init__(
        self,
        fun: Callable,
        static_argnums: tuple[int, ...],
        static_argnames: tuple[str, ...],
        donate_argnums: tuple[int, ...],
        donate_argnames: tuple[str, ...],
        keep_unused: bool,
        inline: bool,
        backend: str | None,
    ):
        functools.update_wrapper(self, fun)
        self._fun = fun
        self._static_argnums = static_argnums
        self._static_argnames = static_argnames
        self._donate_argnums = donate_argnums
        self._donate_argnames = donate_argnames
        self._keep_unused = keep_unused
        self._inline = inline
        self._backend = backend
        caches = caches_of(
            fun,
            (
                (static_argnums, static_argnames, donate_argnums, donate_argnames),
                (keep_unused, backend),
            ),
        )
        self._traced = caches.traced
        self._executables = caches.executables
        self._plain = not (static_argnums or static_argnames)
        # the last context's executables by the avals of positional arrays alone
        self._fast: dict[Any, tuple[Executable, Any]] = {}
        self._fast_context: Any = None
        _jitted.add(self)

    def __repr__(self) -> str:
        return f"<jitted {self._fun!r}>"

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return functools.partial(self, instance)

    def __call__(self, *args, **kwargs):
        if (
            state.trace is eval_trace
            and not kwargs
            and self._fast_context is config._trace_context
        ):
            try:
                # tracers have avals too, but none is an Array: the lookup is exact
                key = tuple([a.aval if type(a) is Array else None for a in args])
                executable, out_tree = self._fast[key]
            except (KeyError, TypeError):
                pass
            else:
                try:
                    outs = executable(args)
                except Exception as error:
                    filter_traceback(error)
                    raise
                return outs[0] if out_tree is None else tree.unflatten(out_tree, outs)
        try:
            return self._call(args, kwargs)
        except Exception as error:
            filter_traceback(error)
            raise

    def _call(self, args, kwargs):
        if config.disable_jit:
            return self._fun(*args, **kwargs)
        static, args_, kwargs_ = self._split_static(args, kwargs)
        leaves, in_tree = tree.flatten((args_, kwargs_))
        if state.trace is not eval_trace:
            return self._bind(static, leaves, in_tree, args, kwargs)
        try:
            avals = tuple([a.aval if type(a) is Array else get_aval(a) for a in leaves])
        except TypeError:
            check_operands(self._fun, args_, kwargs_, leaves)
            raise
        context = config._trace_context
        key = (in_tree, avals, static, context)
        entry = self._executables.get(key)
        if entry is None:
            traced = self._trace(static, leaves, in_tree, avals, key)
            start = time.perf_counter()
            with recorded(f"compile {fun_name(self._fun)}", "compile"):
                executable = Executable(
                    traced.jaxpr,
                    traced.consts,
                    name=fun_name(self._fun),
                    donated=traced.donated,
                    backend=self._backend,
                )
            if config.log_compiles:
                from jaxlike.transforms.cache_report import report_compile

                seconds = time.perf_counter() - start
                report_compile(fun_name(self._fun), avals, seconds)
            entry = executable, traced.out_tree
            self._executables[key] = entry
        executable, out_tree = entry
        if config.debug_key_reuse:
            from jaxlike.transforms.key_reuse import check_call

            traced = self._trace(static, leaves, in_tree, avals, key)
            outs = executable(leaves)
            check_call(traced.jaxpr, [*traced.consts, *leaves], outs)
            return tree.unflatten(out_tree, outs)
        if self._plain and not kwargs and all(type(a) is Array for a in args):
            if self._fast_context is not context:
                self._fast, self._fast_context = {}, context
            single = out_tree == tree.leaf_treedef
            self._fast[avals] = executable, None if single else out_tree
        return tree.unflatten(out_tree, executable(leaves))

    def _bind(self, static, leaves, in_tree, args, kwargs):
        """The call under a transform: an equation of the primitive jit."""
        try:
            avals = tuple([get_aval(a) for a in leaves])
        except TypeError:
            check_operands(self._fun, args, kwargs, leaves)
            raise
        key = (in_tree, avals, static, config._trace_context)
        traced = self._trace(static, leaves, in_tree, avals, key)
        if self._inline:
            outs = eval_jaxpr(traced.jaxpr.jaxpr, [], *traced.consts, *leaves)
        else:
            outs = jit_p.bind(
                *traced.consts,
                *leaves,
                jaxpr=traced.jaxpr,
                name=fun_name(self._fun),
                backend=self._backend,
            )
        return tree.unflatten(traced.out_tree, outs)

    def _trace(self, static, leaves, in_tree, avals, key) -> TracedCall:
        if state.axis_env:
            key = (*key, tuple(state.axis_env.items()))
        traced = self._traced.get(key)
        if traced is not None:
            return traced
        if config.explain_cache_misses:
            from jaxlike.transforms.cache_report import report_miss

            report_miss(self._fun, key, self._traced)
        flat = FlatFunction(self._fun_of(static), in_tree)
        fun = self._fun
        args_, kwargs_ = tree.unflatten(in_tree, [None_leaf] * len(leaves))
        debug_info = DebugInfo(
            "jit", fun_name(fun), self._names_of(static, args_, kwargs_)
        )

        def checked(*xs):
            outs = flat(*xs)
            check_outputs(fun, outs, flat.out_tree)
            return outs

        with recorded(f"trace {fun_name(fun)}", "trace"):
            jaxpr, consts = trace_to_jaxpr(checked, avals, debug_info=debug_info)
        traced = TracedCall(
            jaxpr, consts, flat.out_tree, in_tree, self._donated(args_, kwargs_)
        )
        # what closes over an outer trace's tracers holds for that trace alone
        if consts_are_concrete(consts):
            self._traced[key] = traced
        return traced

    # --- static and donated arguments

    def _split_static(self, args, kwargs):
        """(hashable static values, dynamic args, dynamic kwargs)."""
        if self._plain:
            return (), args, kwargs
        nums = {i + len(args) if i < 0 else i for i in self._static_argnums}
        static: list[Any] = []
        dynamic = []
        for i, arg in enumerate(args):
            if i in nums:
                static.append((i, Static(arg, self, i)))
            else:
                dynamic.append(arg)
        rest = {}
        for name, value in kwargs.items():
            if name in self._static_argnames:
                static.append((name, Static(value, self, name)))
            else:
                rest[name] = value
        return tuple(static), tuple(dynamic), rest

    def _fun_of(self, static) -> Callable:
        """The function with its static arguments filled in."""
        if not static:
            return self._fun
        fun = self._fun
        by_position = {i: s.value for i, s in static if isinstance(i, int)}
        by_name = {name: s.value for name, s in static if isinstance(name, str)}

        def call(*args, **kwargs):
            given = iter(args)
            total = len(args) + len(by_position)
            full = [
                by_position[i] if i in by_position else next(given)
                for i in range(total)
            ]
            return fun(*full, **kwargs, **by_name)

        return functools.wraps(fun)(call)

    def _names_of(self, static, args, kwargs) -> Callable[[], list[str]]:
        """A function to the names of the leaves; it does not keep the function alive,
        as the cache of its traces would then never be dropped."""
        try:
            ref: Callable[[], Any] = weakref.ref(self._fun)
        except TypeError:
            fun = self._fun
            ref = lambda: fun

        def names() -> list[str]:
            fun = ref()
            return [] if fun is None else _dynamic_names(fun, static, args, kwargs)

        return names

    def _donated(self, args, kwargs) -> tuple[bool, ...]:
        if not (self._donate_argnums or self._donate_argnames):
            return ()
        # donate_argnums count all arguments; the static ones are not among `args`
        static = set(self._static_argnums)
        numbers = [i for i in range(len(args) + len(static)) if i not in static]
        donated: list[bool] = []
        for i, arg in zip(numbers, args):
            count = len(tree.leaves(arg))
            donated += [i in self._donate_argnums] * count
        for name in sorted(kwargs):
            count = len(tree.leaves(kwargs[name]))
            donated += [name in self._donate_argnames] * count
        return tuple(donated)

    # --- ahead of time

    def trace_call(self, args, kwargs) -> TracedCall:
        """The trace of this signature: arguments may be ShapeDtypeStructs."""
        static, args_, kwargs_ = self._split_static(args, kwargs)
        leaves, in_tree = tree.flatten((args_, kwargs_))
        avals = tuple([aval_of_spec(a) for a in leaves])
        key = (in_tree, avals, static, config._trace_context)
        return self._trace(static, leaves, in_tree, avals, key)

    def trace(self, *args, **kwargs):
        """Trace for these arguments (arrays or ShapeDtypeStructs): a stages.Traced."""
        from jaxlike.transforms.stages import Traced

        return Traced(self, self.trace_call(args, kwargs))

    def lower(self, *args, **kwargs):
        """Trace and lower for these arguments; `.compile()` on the result compiles."""
        return self.trace(*args, **kwargs).lower()

    def eval_shape(self, *args, **kwargs):
        """The shapes and dtypes of the results, without running anything."""
        from jaxlike.transforms.make_jaxpr import shape_structs

        traced = self.trace_call(args, kwargs)
        return tree.unflatten(traced.out_tree, shape_structs(traced.jaxpr.out_avals))

    def clear_cache(self) -> None:
        """Forget every trace and executable."""
        self._traced.clear()
        self._executables.clear()
        self._fast = {}

    def _cache_size(self) -> int:
        return len(self._executables)


def _dynamic_names(fun, static, args, kwargs) -> list[str]:
    """Names of the leaves of the arguments that are not static."""
    given = iter(args)
    numbers = {i for i, _ in static if isinstance(i, int)}
    full = [
        None if i in numbers else next(given) for i in range(len(args) + len(numbers))
    ]
    return leaf_names(fun, full, kwargs)


class _NoneLeaf:
    """Fills the leaves of an argument tree whose values nobody needs."""

    def __repr__(self) -> str:
        return "*"


None_leaf = _NoneLeaf()


def aval_of_spec(x: Any):
    """The aval of an array, or of anything with a shape and a dtype."""
    if hasattr(x, "shape") and hasattr(x, "dtype") and not isinstance(x, Array):
        from jaxlike.core.avals import ShapedArray
        from jaxlike.core.dtypes import canonicalize_dtype

        weak = bool(getattr(x, "weak_type", False))
        return ShapedArray(tuple(x.shape), canonicalize_dtype(x.dtype), weak)
    return get_aval(x)


class Static:
    """A static argument as part of a cache key: compared by == and by type."""

    __slots__ = ("_hash", "value")

    def __init__(self, value: Any, jitted: JitFunction, which: int | str):
        self.value = value
        try:
            self._hash = hash(value)
        except TypeError:
            fun = fun_name(jitted._fun)
            name = which
            if isinstance(which, int):
                name = positional_names(jitted._fun, which + 1)[which]
            raise ValueError(
                format_error(
                    f"static arguments must be hashable, but {name} of {fun} is "
                    f"{a_value(value)}",
                    try_="a tuple in place of a list, a frozen dataclass in place of a "
                    "dict; arrays cannot be static",
                )
            ) from None

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other) -> bool:
        return type(self.value) is type(other.value) and self.value == other.value


def jit(
    fun: Callable | None = None,
    /,
    *,
    in_shardings: Any = None,
    out_shardings: Any = None,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Iterable[str] | None = None,
    donate_argnums: int | Sequence[int] | None = None,
    donate_argnames: str | Iterable[str] | None = None,
    keep_unused: bool = False,
    device: Any = None,
    backend: str | None = None,
    inline: bool = False,
    abstracted_axes: Any = None,
    compiler_options: dict[str, Any] | None = None,
) -> Any:
    """Compile a function: it is traced once for each signature, then runs natively.

    Args:
      fun: a pure function of pytrees of arrays.
      static_argnums, static_argnames: arguments that are Python values known when
        tracing; each new value (by hash and ==) traces anew.
      donate_argnums, donate_argnames: arguments whose buffers may be reused for
        results; they cannot be used afterwards.
      in_shardings, out_shardings: where arguments and results lie, as trees that are
        prefixes of theirs; a `device` is both.
      keep_unused: keep arguments that the function does not read.
      inline: under another trace, write the equations out in place of a call.
      backend: "cpu", or the name of a backend.
    Returns:
      A function of the same signature, with `lower`, `trace`, `eval_shape` and
      `clear_cache`.
    Raises:
      TypeError: an argument is no array and not static.
      ValueError: a static argument is not hashable.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> @jaxlike.jit
    ... def f(x):
    ...     return jnp.sin(x) ** 2 + jnp.cos(x) ** 2
    >>> f(jnp.array([1.0, 2.0])).shape
    (2,)
    """
    if fun is None:
        return functools.partial(
            jit,
            in_shardings=in_shardings,
            out_shardings=out_shardings,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
            donate_argnums=donate_argnums,
            donate_argnames=donate_argnames,
            keep_unused=keep_unused,
            device=device,
            backend=backend,
            inline=inline,
            compiler_options=compiler_options,
        )
    check_callable(fun, "jit")
    nums, names = resolve_names(fun, static_argnums, static_argnames, "static_arg")
    donate_nums, donate_names = resolve_names(
        fun, donate_argnums, donate_argnames, "donate_arg"
    )
    if set(nums) & set(donate_nums) or set(names) & set(donate_names):
        raise ValueError(
            format_error(
                f"jit({fun_name(fun)}): an argument cannot be both static and donated",
                details=[
                    f"static {nums or names}, donated {donate_nums or donate_names}"
                ],
            )
        )
    args = fun, nums, names, donate_nums, donate_names, keep_unused, inline, backend
    if device is None and in_shardings is None and out_shardings is None:
        return JitFunction(*args)
    from jaxlike.transforms.placement import PlacedFunction

    return PlacedFunction(
        *args, in_shardings=in_shardings, out_shardings=out_shardings, device=device
    )


def clear_caches() -> None:
    """Forget everything that has been traced and compiled so far.

    >>> import jaxlike
    >>> jaxlike.clear_caches()
    """
    for jitted in list(_jitted):
        jitted.clear_cache()
