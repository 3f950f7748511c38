"""custom_vjp: functions with a reverse-mode rule of their own.

f = custom_vjp(f); f.defvjp(fwd, bwd)
traced:      b:f32[] = custom_vjp_call[call_jaxpr={...} fwd bwd] a
linearized:  fwd's residuals, and  t_out = custom_lin[bwd=bwd] res t
transposed:  the cotangent of t is bwd(res, ct)
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jaxlike.core import dtypes, tree
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import axis_names_in, eval_jaxpr, evaluate_jaxpr
from jaxlike.core.primitive import Primitive
from jaxlike.core.source_info import api_boundary
from jaxlike.core.staging import trace_to_jaxpr
from jaxlike.core.state import state
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives import reductions
from jaxlike.primitives.linear import instantiate
from jaxlike.transforms.arguments import FlatFunction, check_operands, fun_name
from jaxlike.transforms.batching import materialize
from jaxlike.transforms.custom_common import (
    SymbolicZero,
    batched_at_zero,
    bind_arguments,
    close_over_nondiff,
    from_rule,
    mismatch,
    nondiff_positions,
    to_rule,
)
from jaxlike.transforms.rewrite.inline import call_param


class CustomVJPPrimal(NamedTuple):
    """What fwd gets for an argument with symbolic_zeros=True."""

    value: Any
    perturbed: bool


def custom_vjp_primal_tree_values(pytree: Any) -> Any:
    """The values of a pytree of CustomVJPPrimal."""
    return tree.map(
        lambda p: p.value, pytree, is_leaf=lambda x: isinstance(x, CustomVJPPrimal)
    )


class CustomVJPPrimitive(Primitive):
    """The call of a custom_vjp function: traces process it as one unit."""

    def bind(
        self,
        *args,
        call_jaxpr,
        fwd_jaxpr_thunk,
        bwd,
        num_consts,
        out_trees,
        symbolic_zeros,
        **_,
    ):
        """Re-run a staged call under the current trace."""

        def fun(*xs):
            return eval_jaxpr(call_jaxpr.jaxpr, call_jaxpr.consts, *xs)

        def fwd(perturbed, *xs):
            return fwd_jaxpr_thunk(perturbed[num_consts:], *xs[num_consts:])

        def bwd_all(*xs):
            avals = call_jaxpr.in_avals[:num_consts]
            return [Zero(a.to_tangent_aval()) for a in avals] + bwd(*xs)

        return self.bind_with_trace(
            state.trace,
            fun,
            fwd,
            bwd_all,
            args,
            out_trees=out_trees,
            symbolic_zeros=symbolic_zeros,
        )

    def bind_with_trace(self, trace, fun, fwd, bwd, args, **options):
        return trace.process_custom_vjp_call(self, fun, fwd, bwd, args, **options)

    def call_linear(self, fwd, bwd, primals, tangents, out_trees, symbolic_zeros):
        """(outs, tangents): fwd runs now, tangents come of a custom_lin equation."""
        perturbed = [type(t) is not Zero for t in tangents]
        outs, residuals = fwd(perturbed, *primals)
        given = [instantiate(t) for t in tangents]
        out_avals = tuple(get_aval(x).to_tangent_aval() for x in outs)
        out_tangents = custom_lin_p.bind(
            *residuals,
            *given,
            num_res=len(residuals),
            bwd=bwd,
            out_avals=out_avals,
            symbolic_zeros=symbolic_zeros,
        )
        return outs, [
            Zero(a) if a.dtype == dtypes.float0 else t
            for t, a in zip(out_tangents, out_avals)
        ]

    def call_batched(
        self, axis_data, fun, fwd, bwd, vals, dims, *, out_trees, symbolic_zeros, tag
    ):
        # even without a batched argument: the function may close over batched values
        decided: list[bool] | None = [] if all(d is None for d in dims) else None
        batched_fun = batched_at_zero(fun, axis_data, dims, tag, decided)

        def batched_fwd(perturbed, *xs):
            counts: list[int] = []

            def call(*ys):
                outs, residuals = fwd(perturbed, *ys)
                counts.append(len(outs))
                return [*outs, *residuals]

            flat = batched_at_zero(call, axis_data, dims, tag, decided)(*xs)
            return flat[: counts[0]], flat[counts[0] :]

        def batched_bwd(*xs):
            if decided == [False]:
                return batched_at_zero(bwd, axis_data, [None] * len(xs), tag, decided)(
                    *xs
                )
            full = batched_at_zero(bwd, axis_data, [0] * len(xs), tag)(*xs)
            return [_unbatch_ct(ct, d) for ct, d in zip(full, dims, strict=True)]

        outs = self.bind_with_trace(
            state.trace,
            batched_fun,
            batched_fwd,
            batched_bwd,
            vals,
            out_trees=out_trees,
            symbolic_zeros=symbolic_zeros,
        )
        return outs, [None if decided == [False] else 0] * len(outs)

    def stage(self, trace, fun, fwd, bwd, args, *, out_trees, symbolic_zeros):
        """Record the call as one equation of a staging trace."""
        name = fun_name(fun)
        closed, consts = trace_to_jaxpr(fun, [get_aval(a) for a in args], name=name)
        params = {
            "name": name,
            "call_jaxpr": closed,
            "fwd_jaxpr_thunk": fwd,
            "bwd": bwd,
            "num_consts": len(consts),
            "out_trees": out_trees,
            "symbolic_zeros": symbolic_zeros,
        }
        return trace.process_primitive(self, (*consts, *args), params)


def _unbatch_ct(ct: Any, dim: int | None) -> Any:
    """The cotangent, batched at axis 0, for an argument batched at `dim` or not."""
    if type(ct) in (Zero, SymbolicZero):
        shape = ct.aval.shape[1:]
        if dim is not None:
            shape = shape[:dim] + ct.aval.shape[:1] + shape[dim:]
        return Zero(ct.aval.update(shape=shape))
    if dim is None:
        return reductions.reduce_sum(ct, (0,))
    from jaxlike.primitives.shapes import moveaxis

    return ct if dim == 0 else moveaxis(ct, 0, dim)


custom_vjp_call_p = CustomVJPPrimitive(
    "custom_vjp_call", multiple_results=True, structural=True
)


def _shape(*avals, call_jaxpr, **_):
    return call_jaxpr.out_avals, call_jaxpr.effects


custom_vjp_call_p.shape = _shape
custom_vjp_call_p.effectful = True
call_param[custom_vjp_call_p] = "call_jaxpr"
custom_vjp_call_p.evaluate = lambda *args, call_jaxpr, **_: evaluate_jaxpr(
    call_jaxpr.jaxpr, call_jaxpr.consts, *args
)
custom_vjp_call_p.axis_names = lambda params: axis_names_in(params["call_jaxpr"])


# --- custom_lin: the linear map that only bwd knows

custom_lin_p = Primitive("custom_lin", multiple_results=True, structural=True)


def _no_forward(*_, **__):
    raise TypeError(
        format_error(
            "forward mode (jvp) met a custom_vjp function, which has a rule for "
            "reverse mode only",
            try_="custom_jvp, which serves both modes",
        )
    )


def _lin_transpose(cts, *args, num_res, bwd, out_avals, symbolic_zeros):
    residuals = args[:num_res]
    if any(map(is_undefined_primal, residuals)):
        raise TypeError(format_error("a custom_vjp function's residual is not known"))
    given = [to_rule(ct, symbolic_zeros) for ct in cts]
    in_cts = bwd(*residuals, *given)
    return [None] * num_res + [from_rule_or_zero(ct) for ct in in_cts]


def from_rule_or_zero(ct):
    return ct if type(ct) is Zero else from_rule(ct)


def _lin_batch(axis_data, args, dims, *, num_res, bwd, out_avals, symbolic_zeros):
    args = [materialize(a, d, axis_data) for a, d in zip(args, dims)]

    def batched_bwd(*xs):
        return batched_at_zero(bwd, axis_data, [0] * len(xs))(*xs)

    avals = tuple(a.update(shape=(axis_data.size, *a.shape)) for a in out_avals)
    outs = custom_lin_p.bind(
        *args,
        num_res=num_res,
        bwd=batched_bwd,
        out_avals=avals,
        symbolic_zeros=symbolic_zeros,
    )
    return outs, [0] * len(outs)


custom_lin_p.shape = lambda *avals, out_avals, **_: list(out_avals)
custom_lin_p.impl = _no_forward
custom_lin_p.evaluate = _no_forward
custom_lin_p.jvp = _no_forward
custom_lin_p.transpose = _lin_transpose
custom_lin_p.batch = _lin_batch


# --- the user's rules on flat lists


class _FlatForward:
    """fwd on flat lists: (perturbed, *leaves) -> (outs, residuals)."""

    def __init__(self, fwd, in_tree, name, symbolic_zeros, primal: FlatFunction):
        self.fwd = fwd
        self.in_tree = in_tree
        self.name = name
        self.symbolic_zeros = symbolic_zeros
        self.primal = primal
        self.out_tree: Any = None
        self.residual_tree: Any = None

    @property
    def serves(self) -> str:
        """What messages call it."""
        return f"the fwd rule {fun_name(self.fwd)} of {self.name}"

    def __call__(self, perturbed, *leaves):
        if self.symbolic_zeros:
            leaves = tuple(map(CustomVJPPrimal, leaves, perturbed))
        args = tree.unflatten(self.in_tree, leaves)
        result = self.fwd(*args)
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            raise TypeError(
                format_error(
                    f"{self.serves} must return a pair (out, residuals), but returned "
                    f"{result!r:.100}"
                )
            )
        out, residuals = result
        outs, self.out_tree = tree.flatten(out)
        if self.primal.out_tree is not None and self.out_tree != self.primal.out_tree:
            raise TypeError(
                format_error(
                    f"{self.serves} must return first what {self.name} returns",
                    [f"got {self.out_tree}", f"expected {self.primal.out_tree}"],
                )
            )
        flat, self.residual_tree = tree.flatten(residuals)
        return outs, flat


class _FlatBackward:
    """bwd on flat lists: (*residuals, *cts) -> a cotangent or Zero an argument."""

    def __init__(self, bwd, forward: _FlatForward, in_avals, args_example, name):
        self.bwd = bwd
        self.forward = forward
        self.in_avals = in_avals
        self.args_example = args_example
        self.name = name

    @property
    def serves(self) -> str:
        """What messages call it."""
        return f"the bwd rule {fun_name(self.bwd)} of {self.name}"

    def __call__(self, *flat):
        residual_tree = self.forward.residual_tree
        n = residual_tree.num_leaves
        residuals = tree.unflatten(residual_tree, flat[:n])
        ct = tree.unflatten(self.forward.out_tree, flat[n:])
        result = self.bwd(residuals, ct)
        if isinstance(result, list):
            result = tuple(result)
        example = self.args_example
        if not isinstance(result, tuple) or len(result) != len(example):
            raise TypeError(
                format_error(
                    f"{self.serves} must return a "
                    f"tuple of {len(example)} cotangents, one for each argument, but "
                    f"returned {_describe(result)}",
                    try_="(ct,) for a single argument, None for a zero",
                )
            )
        cts: list[Any] = []
        for i, (r, e) in enumerate(zip(result, example)):
            cts += self._match(i, r, e)
        return [
            self._check(i, ct, aval)
            for i, (ct, aval) in enumerate(zip(cts, self.in_avals, strict=True))
        ]

    def _match(self, i, ct, example):
        """The cotangents of one argument; None stands for zeros of a whole subtree."""
        try:
            return tree.broadcast_prefix(ct, example, is_leaf=lambda x: x is None)
        except ValueError as error:
            if tree.structure(ct) == tree.structure(example):
                return tree.leaves(ct)
            raise TypeError(
                format_error(
                    f"{self.serves} returned a "
                    f"cotangent of another structure than its argument {i}",
                    details=mismatch(self.name, "cotangent", ct, example)
                    or [str(error)],
                )
            ) from None

    def _check(self, i, ct, aval):
        expected = aval.to_tangent_aval()
        if ct is None or type(ct) is Zero or expected.dtype == dtypes.float0:
            return Zero(expected)
        if type(ct) is SymbolicZero:
            return Zero(expected)
        if isinstance(ct, np.ndarray) and ct.dtype == dtypes.float0:
            return Zero(expected)
        got = get_aval(ct)
        if got.shape != expected.shape:
            raise ValueError(
                format_error(
                    f"{self.serves} returned a "
                    "cotangent of another shape than its argument",
                    [f"leaf {i} of the arguments is {expected}, its cotangent {got}"],
                )
            )
        if got.dtype != expected.dtype:
            from jaxlike.primitives.conversion import convert_element_type

            return convert_element_type(ct, expected.dtype)
        return ct


def _describe(result: Any) -> str:
    if isinstance(result, tuple):
        return f"a tuple of length {len(result)}"
    return f"{type(result).__name__}: {result!r:.100}"


class custom_vjp:
    """A function with a rule of its own for reverse-mode differentiation.

    Args:
      fun: the function, of pytrees of arrays.
      nondiff_argnums, nondiff_argnames: arguments that are not differentiated and need
        not be arrays; bwd gets them first, fwd in their places.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> @jaxlike.custom_vjp
    ... def f(x):
    ...     return jnp.sin(x)
    >>> f.defvjp(lambda x: (f(x), x), lambda x, ct: (10.0 * ct,))
    >>> float(jaxlike.grad(f)(1.0))
    10.0
    """

    def __init__(self, fun: Callable, nondiff_argnums=(), nondiff_argnames=()):
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.nondiff_argnums = nondiff_positions(fun, nondiff_argnums, nondiff_argnames)
        self.fwd: Callable | None = None
        self.bwd: Callable | None = None
        self.symbolic_zeros = False

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return functools.partial(self, instance)

    def defvjp(
        self,
        fwd: Callable,
        bwd: Callable,
        symbolic_zeros: bool = False,
        optimize_remat: bool = False,
    ) -> None:
        """Set the rules.

        Args:
          fwd: the function's arguments -> (out, residuals).
          bwd: (nondiff args..., residuals, ct of out) -> tuple of cotangents, one a
            differentiable argument; None stands for zeros.
          symbolic_zeros: fwd gets CustomVJPPrimal arguments, and bwd SymbolicZero
            objects for cotangents known to be zero.
          optimize_remat: accepted; residuals that nothing reads are always dropped.
        """
        self.fwd = fwd
        self.bwd = bwd
        self.symbolic_zeros = symbolic_zeros

    @api_boundary
    def __call__(self, *args, **kwargs):
        name = fun_name(self.fun)
        if self.fwd is None or self.bwd is None:
            raise AttributeError(
                format_error(
                    f"the custom_vjp function {name} has no rule",
                    try_=f"{name}.defvjp(fwd, bwd)",
                )
            )
        args = bind_arguments(self.fun, args, kwargs)
        fun, dynamic = close_over_nondiff(self.fun, self.nondiff_argnums, args)
        fwd, _ = close_over_nondiff(self.fwd, self.nondiff_argnums, args)
        nondiff = [args[i] for i in self.nondiff_argnums]
        bwd = functools.partial(self.bwd, *nondiff) if nondiff else self.bwd
        leaves, in_tree = tree.flatten((dynamic, {}))
        check_operands(fun, dynamic, {}, leaves)
        flat_fun = FlatFunction(fun, in_tree)
        _, args_tree = tree.flatten(dynamic)
        flat_fwd = _FlatForward(fwd, args_tree, name, self.symbolic_zeros, flat_fun)
        avals = [get_aval(x) for x in leaves]
        example = tree.unflatten(args_tree, avals)
        flat_bwd = _FlatBackward(bwd, flat_fwd, avals, example, name)
        outs = custom_vjp_call_p.bind_with_trace(
            state.trace,
            flat_fun,
            flat_fwd,
            flat_bwd,
            leaves,
            out_trees=None,
            symbolic_zeros=self.symbolic_zeros,
        )
        out_tree = flat_fwd.out_tree if flat_fun.out_tree is None else flat_fun.out_tree
        return tree.unflatten(out_tree, outs)
