"""custom_root and custom_linear_solve: derivatives of solutions, by what they solve.

    A x = b   =>   A dx = db - dA x
    f(x, p) = 0   =>   df/dx dx = -df/dp dp

The solver itself is never differentiated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jaxlike.control_flow.common import (
    Traced,
    as_result,
    flatten_operands,
    trace_body,
)
from jaxlike.control_flow.eager import compiled, evaluate, run_equations
from jaxlike.control_flow.edits import nonzero_tangents, split, with_zeros
from jaxlike.core import tree
from jaxlike.core.array import from_buffer, to_buffer
from jaxlike.core.avals import get_aval
from jaxlike.core.check import same_type
from jaxlike.core.config import config
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import (
    ClosedJaxpr,
    axis_names_in,
    eval_jaxpr,
    hoist_consts,
)
from jaxlike.core.primitive import Primitive, no_effects
from jaxlike.core.source_info import api_boundary
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace
from jaxlike.core.zeros import Zero
from jaxlike.primitives.arithmetic import neg
from jaxlike.primitives.linear import add_tangents, instantiate
from jaxlike.transforms.batching import batch_jaxpr, materialize
from jaxlike.transforms.custom_common import SymbolicZero
from jaxlike.transforms.custom_jvp import custom_jvp
from jaxlike.transforms.jvp import jvp_flat, jvp_jaxpr
from jaxlike.transforms.pushforward import linearize
from jaxlike.transforms.vjp import linear_transpose

__all__ = ["custom_linear_solve", "custom_root", "linear_solve_p"]


class _LinearSolveTuple(NamedTuple):
    """Something for each of the four functions of a solve."""

    matvec: Any
    vecmat: Any
    solve: Any
    transpose_solve: Any

    def transposed(self) -> _LinearSolveTuple:
        return _LinearSolveTuple(
            self.vecmat, self.matvec, self.transpose_solve, self.solve
        )


linear_solve_p = Primitive(
    "custom_linear_solve", multiple_results=True, structural=True
)


def _groups(operands, const_lengths):
    """The consts of each function, and b."""
    *consts, b = split(operands, *const_lengths)
    return _LinearSolveTuple(*consts), b


def _solve_shape(*avals, const_lengths, jaxprs):
    consts, b = _groups(avals, const_lengths)
    effects = no_effects
    for name, mine, jaxpr in zip(jaxprs._fields, consts, jaxprs):
        if jaxpr is None:
            continue
        effects |= jaxpr.effects
        given = [*mine, *b]
        if len(given) != len(jaxpr.in_avals) or not all(
            same_type(x, y) for x, y in zip(given, jaxpr.in_avals)
        ):
            raise TypeError(
                format_error(
                    f"custom_linear_solve: {name} takes {jaxpr.in_avals}, not {given}"
                )
            )
    return jaxprs.solve.out_avals, effects


def _solve_evaluate(*args, const_lengths, jaxprs):
    consts, b = _groups(args, const_lengths)
    return evaluate(jaxprs.solve, *consts.solve, *b)


def _solve_impl(*args, const_lengths, jaxprs):
    consts, b = _groups(args, const_lengths)
    solve = jaxprs.solve
    if config.disable_jit or state.trace is not eval_trace:
        outs = run_equations(solve, *map(to_buffer, [*consts.solve, *b]))
        return [from_buffer(x, a) for x, a in zip(outs, solve.out_avals)]
    executable = solve.memo("eager", lambda: compiled(solve, "custom_linear_solve"))
    return executable([*consts.solve, *b])


def _solve_jvp(primals, tangents, *, const_lengths, jaxprs):
    outs = linear_solve_p.bind(*primals, const_lengths=const_lengths, jaxprs=jaxprs)
    consts, b = _groups(primals, const_lengths)
    const_ts, b_ts = _groups(tangents, const_lengths)
    x = outs[: len(b)]
    rhs = b_ts
    if any(nonzero_tangents(const_ts.matvec)):
        nonzeros = nonzero_tangents(const_ts.matvec) + [False] * len(x)
        moved, nonzeros_out = jvp_jaxpr(jaxprs.matvec, nonzeros, False)
        given = [t for t in const_ts.matvec if type(t) is not Zero]
        found = eval_jaxpr(moved.jaxpr, moved.consts, *consts.matvec, *x, *given)
        product_ts = with_zeros(found[len(x) :], nonzeros_out, jaxprs.matvec.out_avals)
        rhs = [
            t if type(m) is Zero else add_tangents(t, neg(m))
            for t, m in zip(b_ts, product_ts)
        ]
    if all(type(t) is Zero for t in rhs):
        return outs, [Zero(get_aval(out).to_tangent_aval()) for out in outs]
    flat_consts = [c for group in consts for c in group]
    solved = linear_solve_p.bind(
        *flat_consts,
        *map(instantiate, rhs),
        const_lengths=const_lengths,
        jaxprs=jaxprs,
    )
    aux_ts = [Zero(get_aval(out).to_tangent_aval()) for out in outs[len(x) :]]
    return outs, [*solved[: len(x)], *aux_ts]


def _solve_transpose(cts, *args, const_lengths, jaxprs):
    if jaxprs.transpose_solve is None:
        raise TypeError(
            format_error(
                "custom_linear_solve needs transpose_solve to be differentiated "
                "backwards",
                try_="transpose_solve=, or symmetric=True if the matrix is its own "
                "transpose",
            )
        )
    consts, b = _groups(args, const_lengths)
    turned = consts.transposed()
    found = linear_solve_p.bind(
        *[c for group in turned for c in group],
        *map(instantiate, cts[: len(b)]),
        const_lengths=const_lengths.transposed(),
        jaxprs=jaxprs.transposed(),
    )
    return [None] * sum(const_lengths) + found[: len(b)]


def _solve_batch(axis_data, args, dims, *, const_lengths, jaxprs):
    """All of b and x is batched, whatever part of the system is."""
    groups, b = _groups(list(zip(args, dims)), const_lengths)
    new_jaxprs: list[Any] = []
    new_consts: list[list[Any]] = []
    aux_batched: list[bool] = []
    for name, group, jaxpr in zip(jaxprs._fields, groups, jaxprs):
        batched = [d is not None for _, d in group] + [True] * len(b)
        values = [
            materialize(x, d, axis_data) if d is not None else x for x, d in group
        ]
        if jaxpr is not None:
            num_aux = len(jaxpr.out_avals) - len(b)
            wanted = [True] * len(b) + [False] * num_aux
            result, out_batched = batch_jaxpr(jaxpr, axis_data, batched, wanted)
            jaxpr, extra = hoist_consts(result)
            values = [*extra, *values]
            if name == "solve":
                aux_batched = out_batched[len(b) :]
        new_jaxprs.append(jaxpr)
        new_consts.append(values)
    outs = linear_solve_p.bind(
        *[x for values in new_consts for x in values],
        *[materialize(x, d, axis_data) for x, d in b],
        const_lengths=_LinearSolveTuple(*map(len, new_consts)),
        jaxprs=_LinearSolveTuple(*new_jaxprs),
    )
    return outs, [0] * len(b) + [
        0 if is_batched else None for is_batched in aux_batched
    ]


def _solve_axis_names(params):
    known = [j for j in params["jaxprs"] if j is not None]
    return frozenset().union(*map(axis_names_in, known))


linear_solve_p.shape = _solve_shape
linear_solve_p.effectful = True
linear_solve_p.evaluate = _solve_evaluate
linear_solve_p.impl = _solve_impl
linear_solve_p.jvp = _solve_jvp
linear_solve_p.transpose = _solve_transpose
linear_solve_p.batch = _solve_batch
linear_solve_p.batch_collective = _solve_batch
linear_solve_p.axis_names = _solve_axis_names


@api_boundary
def custom_linear_solve(
    matvec: Callable,
    b: Any,
    solve: Callable[[Callable, Any], Any],
    transpose_solve: Callable[[Callable, Any], Any] | None = None,
    symmetric: bool = False,
    has_aux: bool = False,
) -> Any:
    """Solve `matvec(x) = b` by `solve`, differentiated as a linear system.

    Args:
      matvec: linear; it may close over what it is to be differentiated in.
      b: a pytree of arrays, the right-hand side.
      solve: (matvec, b) -> x; not differentiated.
      transpose_solve: (vecmat, b) -> the solution of the transposed system, which
        reverse mode needs.
      symmetric: matvec is its own transpose, and solve serves for both.
      has_aux: solve and transpose_solve return (x, anything else), and so does this.
    Returns:
      x, a pytree like b.
    Raises:
      TypeError, ValueError: a function returns something unlike b.

    >>> from jaxlike import lax
    >>> float(lax.custom_linear_solve(lambda x: 2 * x, 3.0, lambda matvec, b: b / 2))
    1.5
    """
    if transpose_solve is None and symmetric:
        transpose_solve = solve
    leaves, b_tree, avals = flatten_operands(b, "b")
    call_tree = tree.structure(((b,), {}))

    def traced(fun, name, aux=False):
        found = trace_body(fun, call_tree, avals, name, _pair if aux else _single)
        _check_like(f"{name}()", found, b_tree, avals, "b", ValueError)
        return found

    product = traced(matvec, "matvec")
    solution = traced(lambda rhs: solve(matvec, rhs), "solve", has_aux)
    transposed = transposed_solution = None
    if transpose_solve is not None:
        vecmat, transposed = matvec, product
        if not symmetric:
            transpose = linear_transpose(matvec, b)

            def vecmat(rhs):
                return transpose(rhs)[0]

            transposed = traced(vecmat, "vecmat")
        transposed_solution = traced(
            lambda rhs: transpose_solve(vecmat, rhs), "transpose_solve", has_aux
        )
    parts = product, transposed, solution, transposed_solution
    consts = [[] if t is None else t.consts for t in parts]
    outs = linear_solve_p.bind(
        *[x for group in consts for x in group],
        *leaves,
        const_lengths=_LinearSolveTuple(*map(len, consts)),
        jaxprs=_LinearSolveTuple(*[None if t is None else t.jaxpr for t in parts]),
    )
    return _with_aux(outs, b_tree, solution, has_aux)


def _single(out):
    return (out,)


def _pair(out):
    x, aux = out
    return x, aux


def _with_aux(outs, x_tree, traced: Traced, has_aux: bool):
    num_x = x_tree.num_leaves
    outs = [as_result(x) for x in outs]
    x = tree.unflatten(x_tree, outs[:num_x])
    if not has_aux:
        return x
    return x, tree.unflatten(traced.out_trees[1], outs[num_x:])


def _check_like(what, traced, want_tree, avals, like, error, types=True) -> None:
    """Raise `error` unless a function's first result is of the type of `like`."""
    got = traced.out_trees[0]
    if got != want_tree:
        raise error(
            format_error(
                f"{what} must return the structure of {like}",
                tree.describe_mismatch(got, want_tree, f"the result of {what}", like),
            )
        )
    details = [
        f"at {like}{tree.keystr(path)}: got {a}, expected {b}"
        for path, a, b in zip(tree.leaf_paths(want_tree), traced.jaxpr.out_avals, avals)
        if a.shape != b.shape
    ]
    if details and types:
        raise error(
            format_error(
                f"{what} must return the shapes of {like}",
                details,
            )
        )


# --- roots


@api_boundary
def custom_root(
    f: Callable,
    initial_guess: Any,
    solve: Callable[[Callable, Any], Any],
    tangent_solve: Callable[[Callable, Any], Any],
    has_aux: bool = False,
) -> Any:
    """Find x with `f(x) = 0` by `solve`, differentiated implicitly.

    Args:
      f: x -> a pytree like x; it may close over what it is to be differentiated in.
      initial_guess: a pytree of arrays, where solve starts.
      solve: (f, initial_guess) -> x; not differentiated.
      tangent_solve: (g, y) -> x with g(x) = y, for g linear; it is differentiated, by
        custom_linear_solve or as y / g(1.0) for scalars.
      has_aux: solve returns (x, anything else), and so does this.
    Returns:
      x, a pytree like initial_guess.
    Raises:
      TypeError: f, or solve, returns something unlike initial_guess.

    >>> import jaxlike
    >>> from jaxlike import lax
    >>> def sqrt(a):
    ...     def newton(f, x):
    ...         return lax.fori_loop(0, 20, lambda i, x: (x + a / x) / 2, x)
    ...     return lax.custom_root(
    ...         lambda x: x * x - a, a, newton, lambda g, y: y / g(1.0)
    ...     )
    >>> round(float(jaxlike.grad(sqrt)(4.0)), 4)
    0.25
    """
    leaves, x_tree, avals = flatten_operands(initial_guess, "initial_guess")
    call_tree = tree.structure(((initial_guess,), {}))
    residual = trace_body(f, call_tree, avals, "custom_root")
    _check_like("f()", residual, x_tree, avals, "initial_guess", TypeError, False)
    solution = trace_body(
        lambda guess: solve(f, guess),
        call_tree,
        avals,
        "custom_root",
        _pair if has_aux else _single,
    )
    _check_like("solve()", solution, x_tree, avals, "initial_guess", TypeError, False)

    def linearize_and_solve(x, rhs):
        return tangent_solve(linearize(f, x)[1], rhs)

    pair_tree = tree.structure(((initial_guess, initial_guess), {}))
    tangent = trace_body(linearize_and_solve, pair_tree, avals + avals, "custom_root")
    _check_like("tangent_solve()", tangent, x_tree, avals, "initial_guess", TypeError)
    sizes = [len(t.consts) for t in (residual, solution, tangent)]

    def _custom_root(*args):
        _, consts, _, guess = split(args, *sizes)
        return eval_jaxpr(solution.jaxpr.jaxpr, [], *consts, *guess)

    def _root_jvp(primals, tangents):
        outs = root(*primals)
        x = outs[: len(avals)]
        consts, _, tangent_consts, _ = split(primals, *sizes)
        const_ts = [
            Zero(t.aval) if type(t) is SymbolicZero else t for t in tangents[: sizes[0]]
        ]
        rhs = _moved(residual.jaxpr, consts, const_ts, x)
        found = eval_jaxpr(tangent.jaxpr.jaxpr, [], *tangent_consts, *x, *rhs)
        aux_ts = [
            SymbolicZero(get_aval(out).to_tangent_aval()) for out in outs[len(x) :]
        ]
        return outs, [*map(neg, found), *aux_ts]

    root = custom_jvp(_custom_root)
    root.defjvp(_root_jvp, symbolic_zeros=True)
    operands = [*residual.consts, *solution.consts, *tangent.consts, *leaves]
    return _with_aux(root(*operands), x_tree, solution, has_aux)


def _moved(jaxpr: ClosedJaxpr, consts: Sequence, tangents: Sequence, x: Sequence):
    """How f(x) moves with what it closes over."""
    zeros = [Zero(get_aval(v).to_tangent_aval()) for v in x]
    _, found = jvp_flat(
        lambda *args: eval_jaxpr(jaxpr.jaxpr, [], *args),
        [*consts, *x],
        [*tangents, *zeros],
    )
    return [instantiate(t) for t in found]
