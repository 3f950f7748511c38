"""checkpoint (remat): reverse mode that computes residuals again, in place of keeping.

    linearized:   value: f(x)
                  t_out = checkpoint[{ lambda x t. c = cos x; d = mul t c in d }] x t
    transposed:   checkpoint[{ lambda x ct. c = cos x; t = mul ct c in t }] x ct

A policy names the intermediate values that are kept after all.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jaxlike.core import tree
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import (
    ClosedJaxpr,
    DebugInfo,
    Jaxpr,
    JaxprEqn,
    Literal,
    Var,
    axis_names_in,
    eval_jaxpr,
    evaluate_jaxpr,
)
from jaxlike.core.primitive import Primitive
from jaxlike.core.source_info import api_boundary
from jaxlike.core.staging import trace_to_jaxpr
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.transforms.arguments import (
    FlatFunction,
    check_callable,
    check_operands,
    fun_name,
    leaf_names,
    resolve_names,
)
from jaxlike.transforms.batching import batch_jaxpr, materialize
from jaxlike.transforms.jvp import jvp_jaxpr
from jaxlike.transforms.linearize import linearize_jaxpr
from jaxlike.transforms.remat_policies import Policy, saves
from jaxlike.transforms.rewrite.dce import dce_jaxpr, used_inputs
from jaxlike.transforms.rewrite.inline import call_param, inline_calls
from jaxlike.transforms.transpose import transpose_jaxpr

checkpoint_p = Primitive("checkpoint", multiple_results=True, structural=True)
remat_p = checkpoint_p

call_param[checkpoint_p] = "jaxpr"


def checkpoint(
    fun: Callable | None = None,
    *,
    prevent_cse: bool | Sequence[bool] = True,
    policy: Policy | None = None,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Iterable[str] = (),
    concrete: bool = False,
) -> Callable:
    """A function whose reverse mode recomputes its inner values.

    Memory for residuals is traded for computing them a second time.

    Args:
      fun: a function of pytrees of arrays.
      prevent_cse: keep the compiler from merging the second computation with the
        first, which would undo it; of several flags, one that is set counts.
      policy: which values are kept anyway; see jaxlike.checkpoint_policies.
      static_argnums, static_argnames: arguments that are Python values.
    Returns:
      A function of the same signature and result.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> f = jaxlike.checkpoint(lambda x: jnp.sin(jnp.sin(x)))
    >>> bool(jnp.allclose(jaxlike.grad(f)(2.0), -0.255, atol=1e-3))
    True
    """
    if fun is None:
        return functools.partial(
            checkpoint,
            prevent_cse=prevent_cse,
            policy=policy,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
            concrete=concrete,
        )
    if concrete:
        raise NotImplementedError(
            format_error(
                "checkpoint has no option `concrete`: mark the arguments that Python "
                "needs with static_argnums"
            )
        )
    check_callable(fun, "checkpoint")
    statics, names = resolve_names(
        fun, static_argnums or None, static_argnames or None, "static_arg"
    )
    if not isinstance(prevent_cse, bool):
        prevent_cse = any(prevent_cse)

    @functools.wraps(fun)
    @api_boundary
    def checkpointed(*args, **kwargs):
        nums = {i + len(args) if i < 0 else i for i in statics}
        dynamic = tuple(a for i, a in enumerate(args) if i not in nums)
        static = {k: v for k, v in kwargs.items() if k in names}
        kwargs = {k: v for k, v in kwargs.items() if k not in names}

        @functools.wraps(fun)
        def call(*given, **kw):
            values = iter(given)
            full = [a if i in nums else next(values) for i, a in enumerate(args)]
            return fun(*full, **kw, **static)

        target = call if nums or static else fun
        leaves, in_tree = tree.flatten((dynamic, kwargs))
        check_operands(target, dynamic, kwargs, leaves)
        flat = FlatFunction(target, in_tree)
        debug_info = DebugInfo(
            "checkpoint / remat",
            fun_name(fun),
            lambda: leaf_names(target, dynamic, kwargs),
        )
        avals = [get_aval(x) for x in leaves]
        jaxpr, consts = trace_to_jaxpr(flat, avals, debug_info=debug_info)
        outs = checkpoint_p.bind(
            *consts,
            *leaves,
            jaxpr=jaxpr,
            prevent_cse=prevent_cse,
            differentiated=False,
            policy=policy,
        )
        return tree.unflatten(flat.out_tree, outs)

    return checkpointed


remat = checkpoint


def _impl(*args, jaxpr, **_):
    return eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *args)


def _shape(*avals, jaxpr, **_):
    return jaxpr.out_avals, jaxpr.effects


def _evaluate(*args, jaxpr, **_):
    return evaluate_jaxpr(jaxpr.jaxpr, jaxpr.consts, *args)


def _jvp(primals, tangents, *, jaxpr, **params):
    nonzeros = [type(t) is not Zero for t in tangents]
    jaxpr_jvp, nonzeros_out = jvp_jaxpr(jaxpr, nonzeros, False)
    given = [t for t in tangents if type(t) is not Zero]
    outs = checkpoint_p.bind(*primals, *given, jaxpr=jaxpr_jvp, **params)
    num_out = len(jaxpr.out_avals)
    out_tangents = iter(outs[num_out:])
    return outs[:num_out], [
        next(out_tangents) if nz else Zero(a.to_tangent_aval())
        for nz, a in zip(nonzeros_out, jaxpr.out_avals)
    ]


def _linearize(nonzeros, *primals, jaxpr, policy, prevent_cse, **_):
    forward, recompute, num_saved, nonzeros_out = _split(jaxpr, nonzeros, policy)
    outs = eval_jaxpr(forward.jaxpr, forward.consts, *primals)
    num_out = len(jaxpr.out_avals)
    outs, saved = outs[:num_out], outs[num_out:]
    assert len(saved) == num_saved

    def tangent_of(tangents):
        if not any(nonzeros_out):
            return [Zero(a.to_tangent_aval()) for a in jaxpr.out_avals]
        given = [t for t in tangents if type(t) is not Zero]
        results = iter(
            checkpoint_p.bind(
                *primals,
                *saved,
                *given,
                jaxpr=recompute,
                prevent_cse=prevent_cse,
                differentiated=True,
                policy=policy,
            )
        )
        return [
            next(results) if nz else Zero(a.to_tangent_aval())
            for nz, a in zip(nonzeros_out, jaxpr.out_avals)
        ]

    return outs, tangent_of


def _split(jaxpr: ClosedJaxpr, nonzeros, policy):
    """(forward: ins -> outs + saved, tangent: ins + saved + tangents -> tangents)."""
    key = ("remat", tuple(nonzeros), policy)
    return jaxpr.memo(key, lambda: _make_split(jaxpr, nonzeros, policy))


def _make_split(jaxpr, nonzeros, policy):
    linearized = linearize_jaxpr(jaxpr, nonzeros)
    # a policy looks at every equation, those inside calls included
    primal = inline_calls(linearized.primal) if policy else linearized.primal
    num_out = len(jaxpr.out_avals)
    invars = primal.jaxpr.invars
    outs, residuals = primal.jaxpr.outvars[:num_out], primal.jaxpr.outvars[num_out:]

    kept_eqns: list[JaxprEqn] = []
    saveable: list[Var] = []
    for eqn in primal.jaxpr.eqns:
        if policy is not None and saves(policy, eqn):
            saveable += eqn.outvars
        else:
            kept_eqns.append(eqn)
    again = dce_jaxpr(Jaxpr([], [*invars, *saveable], residuals, kept_eqns))
    used = used_inputs(again)[len(invars) :]
    saved = [v for v, u in zip(saveable, used) if u]

    forward = ClosedJaxpr(
        dce_jaxpr(
            Jaxpr(
                [],
                invars,
                [*outs, *saved],
                primal.jaxpr.eqns,
                primal.jaxpr.effects,
                jaxpr.jaxpr.debug_info,
            )
        )
    )
    tangent = linearized.tangent.jaxpr
    num_res = linearized.num_residuals
    env = dict(zip(tangent.invars[:num_res], residuals, strict=True))
    recompute = ClosedJaxpr(
        Jaxpr(
            [],
            [*invars, *saved, *tangent.invars[num_res:]],
            [_rename(v, env) for v in tangent.outvars],
            [
                *again.eqns,
                *(
                    eqn.replace(invars=[_rename(v, env) for v in eqn.invars])
                    for eqn in tangent.eqns
                ),
            ],
            debug_info=jaxpr.jaxpr.debug_info,
        )
    )
    return forward, recompute, len(saved), linearized.nonzeros_out


def _rename(atom, env):
    return atom if type(atom) is Literal else env.get(atom, atom)


def _transpose(cts, *args, jaxpr, **params):
    linear = [is_undefined_primal(a) for a in args]
    nonzero_cts = [type(ct) is not Zero for ct in cts]
    transposed, has_ct = transpose_jaxpr(jaxpr, linear, nonzero_cts, False)
    values = [a for a, lin in zip(args, linear) if not lin]
    given = [ct for ct in cts if type(ct) is not Zero]
    outs = iter(checkpoint_p.bind(*values, *given, jaxpr=transposed, **params))
    found = iter(has_ct)
    return [
        (next(outs) if next(found) else Zero(a.aval.to_tangent_aval())) if lin else None
        for a, lin in zip(args, linear)
    ]


def _batch(axis_data, args, dims, *, jaxpr, **params):
    batched = [d is not None for d in dims]
    args = [
        materialize(a, d, axis_data) if d is not None else a for a, d in zip(args, dims)
    ]
    jaxpr_batched, out_batched = batch_jaxpr(jaxpr, axis_data, batched)
    outs = checkpoint_p.bind(*args, jaxpr=jaxpr_batched, **params)
    return outs, [0 if b else None for b in out_batched]


checkpoint_p.impl = _impl
checkpoint_p.shape = _shape
checkpoint_p.effectful = True
checkpoint_p.evaluate = _evaluate
checkpoint_p.jvp = _jvp
checkpoint_p.linearize = _linearize
checkpoint_p.transpose = _transpose
checkpoint_p.batch = _batch
checkpoint_p.axis_names = lambda params: axis_names_in(params["jaxpr"])
checkpoint_p.batch_collective = _batch


def saved_residuals(fun: Callable, *args, **kwargs) -> list[tuple[Any, str]]:
    """(aval, where from) of each value that reverse mode of `fun` keeps."""
    from jaxlike.core import source_info
    from jaxlike.transforms.make_jaxpr import trace_call

    closed, _ = trace_call(fun, args, kwargs, "saved_residuals")
    split = linearize_jaxpr(closed, [True] * len(closed.in_avals))
    primal = split.primal.jaxpr
    made_by = {v: eqn for eqn in primal.eqns for v in eqn.outvars}
    names = dict(zip(primal.invars, leaf_names(fun, args, kwargs)))
    found: list[tuple[Any, str]] = []
    seen: set = set()
    for v in primal.outvars[len(closed.out_avals) :]:
        if type(v) is Literal or v in seen:
            continue
        seen.add(v)
        if v in made_by:
            eqn = made_by[v]
            line = source_info.summarize(eqn.source_info)
            found.append((v.aval, f"output of {eqn.primitive.name} from {line}"))
        elif v in names:
            found.append((v.aval, f"from the argument {names[v]}"))
        else:
            found.append((v.aval, "from a constant"))
    return found


def print_saved_residuals(fun: Callable, *args, **kwargs) -> None:
    """Print what reverse mode of fun(*args) keeps between its two passes.

    >>> import jaxlike, jaxlike.numpy as jnp
    >>> from jaxlike.ad_checkpoint import print_saved_residuals
    >>> print_saved_residuals(jnp.sin, 1.0)  # doctest: +ELLIPSIS
    f32[] output of cos from ...
    """
    for aval, where in saved_residuals(fun, *args, **kwargs):
        print(f"{aval} {where}")
