"""The user's functions of differentiation: grad, vjp, jvp, linearize, Jacobians.

Reverse mode is linearize, then transpose: see those files for the machinery.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes, tree
from jaxlike.core.array import Array, to_array, to_buffer
from jaxlike.core.avals import ShapedArray, get_aval, is_valid_operand
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import DebugInfo, Jaxpr, eval_jaxpr
from jaxlike.core.source_info import api_boundary
from jaxlike.core.staging import trace_to_jaxpr
from jaxlike.core.zeros import UndefinedPrimal, Zero
from jaxlike.primitives.linear import instantiate, zeros_of
from jaxlike.transforms.arguments import (
    FlatFunction,
    a_value,
    as_argnums,
    check_callable,
    check_operands,
    check_outputs,
    fun_name,
    leaf_names,
)
from jaxlike.transforms.jvp import jvp_flat
from jaxlike.transforms.linearize import linearize_flat
from jaxlike.transforms.transpose import backward_pass

Argnums = int | Sequence[int]


class _AuxFunction:
    """A flat function whose result is (out, aux); keeps aux aside, concretely."""

    __slots__ = ("aux", "aux_tree", "flat", "num_out", "out_tree")

    def __init__(self, fun: Callable, in_tree: Any):
        self.flat = FlatFunction(fun, in_tree)

    @property
    def __name__(self) -> str:
        return self.flat.__name__

    def __call__(self, *leaves):
        args, kwargs = tree.unflatten(self.flat.in_tree, leaves)
        result = self.flat.fun(*args, **kwargs)
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            raise TypeError(
                format_error(
                    f"with has_aux=True, {self.__name__} must return a pair "
                    f"(out, aux), but it returned {_described(result)}",
                    try_="return out, aux",
                )
            )
        out, aux = result
        outs, self.out_tree = tree.flatten(out)
        self.num_out = len(outs)
        # aux may hold anything: what is no array does not go through the trace
        self.aux, self.aux_tree = tree.flatten(aux)
        return [*outs, *(x for x in self.aux if is_valid_operand(x))]

    def aux_of(self, traced: Sequence[Any]) -> Any:
        """The aux pytree, given what came out of the trace for its arrays."""
        given = iter(traced)
        leaves = [next(given) if is_valid_operand(x) else x for x in self.aux]
        return tree.unflatten(self.aux_tree, leaves)


def _resolve_argnums(fun, argnums, args, what: str) -> tuple[int, ...]:
    nums = as_argnums(argnums, "argnums")
    for i in nums:
        if not -len(args) <= i < len(args):
            error = TypeError if what == "grad" and i >= 0 else ValueError
            raise error(
                format_error(
                    f"{what}({fun_name(fun)}) differentiates argument {i}, but was "
                    f"called with {len(args)} positional arguments",
                    try_="argnums of arguments that are there; arguments passed by "
                    "keyword are not counted",
                )
            )
    return tuple(i % len(args) for i in nums)


# --- the vjp of a flat function


class _Pullback:
    """A linear jaxpr with its residuals, ready to be run backwards."""

    __slots__ = ("jaxpr", "nonzeros_out", "out_avals", "residuals")

    def __init__(self, jaxpr: Jaxpr, residuals, nonzeros_out, out_avals):
        self.jaxpr = jaxpr
        self.residuals = residuals
        self.nonzeros_out = nonzeros_out
        self.out_avals = out_avals

    def __call__(self, cts: Sequence[Any]) -> list[Any]:
        given = [ct for ct, nz in zip(cts, self.nonzeros_out) if nz]
        args = [UndefinedPrimal(v.aval) for v in self.jaxpr.invars]
        return backward_pass(self.jaxpr, self.residuals, args, given)


def _vjp_flat(fun, primals, nonzeros, transform) -> tuple[list[Any], _Pullback]:
    outs, jaxpr, residuals, nonzeros_out = linearize_flat(
        fun, primals, nonzeros, transform
    )
    avals = [get_aval(x) for x in outs]
    return outs, _Pullback(jaxpr, residuals, nonzeros_out, avals)


# --- grad


def grad(
    fun: Callable,
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Sequence[Any] = (),
) -> Callable:
    """The gradient of a scalar-valued function, by reverse mode.

    Args:
      fun: a function whose result is a scalar (with has_aux, a pair
        of it and anything else).
      argnums: which positional arguments, pytrees of floating-point arrays, to
        differentiate with respect to.
      holomorphic: the function is holomorphic, its arguments complex.
      allow_int: integer arguments are let through; their gradient has dtype float0.
    Returns:
      A function of the same arguments; its result has the structure of the argument
      (a tuple of them for a sequence of argnums), paired with aux if has_aux.
    Raises:
      TypeError: an argument is not of floating point, or the result not a scalar.

    >>> import jaxlike
    >>> jaxlike.grad(lambda x: x ** 3)(2.0)
    Array(12., dtype=float32, weak_type=True)
    """
    check_callable(fun, "grad")
    value_and_grad_f = value_and_grad(
        fun, argnums, has_aux, holomorphic, allow_int, reduce_axes
    )

    @functools.wraps(fun)
    @api_boundary
    def grad_f(*args, **kwargs):
        value, g = value_and_grad_f(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return grad_f


def value_and_grad(
    fun: Callable,
    argnums: Argnums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Sequence[Any] = (),
) -> Callable:
    """The value of a scalar-valued function together with its gradient.

    Args, raises: as `grad`.
    Returns:
      A function to (value, gradient), or ((value, aux), gradient) if has_aux.

    >>> import jaxlike
    >>> jaxlike.value_and_grad(lambda x: x ** 2)(3.0)
    (Array(9., dtype=float32, weak_type=True), Array(6., dtype=float32, weak_type=True))
    """
    check_callable(fun, "value_and_grad")
    if reduce_axes:
        raise NotImplementedError(
            format_error("grad has no reduce_axes; use lax.psum of the gradient")
        )

    @functools.wraps(fun)
    @api_boundary
    def value_and_grad_f(*args, **kwargs):
        nums = _resolve_argnums(fun, argnums, args, "grad")
        leaves, in_tree = tree.flatten((args, kwargs))
        nonzeros = _leaf_mask(args, len(leaves), nums)
        check_operands(fun, args, kwargs, leaves, nonzeros)
        for i, (x, nz) in enumerate(zip(leaves, nonzeros)):
            if nz:
                _check_grad_input(fun, args, kwargs, i, x, holomorphic, allow_int)
        if has_aux:
            flat: Any = _AuxFunction(fun, in_tree)
        else:
            flat = FlatFunction(fun, in_tree)
        outs, pullback = _vjp_flat(
            flat, leaves, _differentiable(leaves, nonzeros), "grad"
        )
        num_out = flat.num_out if has_aux else len(outs)
        check_outputs(fun, outs[:num_out], flat.out_tree)
        _check_scalar(fun, outs[:num_out], flat.out_tree, holomorphic)
        cts = [_one_like(outs[0])]
        cts += [Zero(get_aval(x).to_tangent_aval()) for x in outs[1:]]
        wanted = _differentiable(leaves, nonzeros)
        in_cts = iter(pullback(cts))
        flat_grads = [
            _as_gradient(x, next(in_cts) if w else None)
            for x, nz, w in zip(leaves, nonzeros, wanted)
            if nz
        ]
        grads = []
        given = iter(flat_grads)
        by_position = {}
        for i, arg in enumerate(args):
            if i in nums:
                arg_leaves, arg_tree = tree.flatten(arg)
                by_position[i] = tree.unflatten(
                    arg_tree, [next(given) for _ in arg_leaves]
                )
        grads = tuple(by_position[i] for i in nums)
        g = grads[0] if _is_int(argnums) else grads
        value = tree.unflatten(flat.out_tree, outs[:num_out])
        if has_aux:
            return (value, flat.aux_of(outs[num_out:])), g
        return value, g

    return value_and_grad_f


def _is_int(argnums) -> bool:
    return hasattr(argnums, "__index__")


def _leaf_mask(args, num_leaves: int, nums) -> list[bool]:
    mask: list[bool] = []
    for i, arg in enumerate(args):
        mask += [i in nums] * len(tree.leaves(arg))
    return mask + [False] * (num_leaves - len(mask))


def _differentiable(leaves, nonzeros) -> list[bool]:
    return [
        nz and get_aval(x).to_tangent_aval().dtype != dtypes.float0
        for x, nz in zip(leaves, nonzeros)
    ]


def _as_gradient(x, ct):
    aval = get_aval(x).to_tangent_aval()
    if ct is None or type(ct) is Zero:
        return _as_array(zeros_of(aval))
    return _as_array(ct)


def _as_array(x):
    """Constants come out as Arrays, tracers and float0 zeros as they are."""
    if isinstance(x, np.ndarray) and x.dtype == dtypes.float0:
        return x
    if isinstance(x, (np.ndarray, np.generic, int, float, complex)):
        return to_array(x)
    return x


def _one_like(x):
    aval = get_aval(x)
    one = np.ones((), aval.dtype)
    return Array(one, aval) if aval.weak_type else one


def _check_grad_input(fun, args, kwargs, i, x, holomorphic, allow_int):
    dtype = get_aval(x).dtype
    if isinstance(dtype, dtypes.ExtendedDType) or dtype == dtypes.float0:
        ok = False
    elif holomorphic:
        if not dtypes.issubdtype(dtype, np.complexfloating):
            name = leaf_names(fun, args, kwargs)[i]
            raise TypeError(
                format_error(
                    f"grad({fun_name(fun)}) with holomorphic=True needs complex "
                    f"inputs, but {name} is {get_aval(x)}",
                    try_=f"{name} + 0j, or holomorphic=False",
                )
            )
        return
    elif dtypes.issubdtype(dtype, np.integer) or dtype == np.bool_:
        ok = allow_int
    elif dtypes.issubdtype(dtype, np.complexfloating):
        return
    else:
        ok = dtypes.issubdtype(dtype, np.floating)
    if not ok:
        name = leaf_names(fun, args, kwargs)[i]
        raise TypeError(
            format_error(
                f"grad({fun_name(fun)}) needs floating-point inputs, but {name} is "
                f"{get_aval(x)}",
                try_=f"{name} as a float ({name} * 1.0), other argnums, or "
                "allow_int=True for a gradient of dtype float0",
            )
        )


def _check_scalar(fun, outs, out_tree, holomorphic):
    name = fun_name(fun)
    if len(outs) != 1 or not tree.treedef_is_leaf(out_tree):
        raise TypeError(
            format_error(
                f"grad needs a function with one scalar result, but {name} returned "
                f"{_described_tree(outs, out_tree)}",
                try_="return one scalar, or use has_aux=True to return more beside it",
            )
        )
    aval = get_aval(outs[0])
    if aval.shape != ():
        raise TypeError(
            format_error(
                f"grad needs a function with one scalar result, but {name} returned "
                f"{aval}",
                try_="reduce it (jnp.mean, jnp.sum), or use jaxlike.jacrev for the "
                "Jacobian, jaxlike.vmap(jaxlike.grad(f)) for a gradient an example",
            )
        )
    dtype = aval.dtype
    if holomorphic:
        if not dtypes.issubdtype(dtype, np.complexfloating):
            raise TypeError(
                format_error(
                    f"grad with holomorphic=True needs a complex result, but {name} "
                    f"returned {aval}",
                    try_="holomorphic=False for a real function",
                )
            )
    elif dtypes.issubdtype(dtype, np.complexfloating):
        raise TypeError(
            format_error(
                f"grad needs a real result, but {name} returned {aval}",
                try_="holomorphic=True for a holomorphic function, or differentiate "
                "its real part",
            )
        )
    elif not dtypes.issubdtype(dtype, np.floating):
        raise TypeError(
            format_error(
                f"grad needs a floating-point result, but {name} returned {aval}",
                try_="return a float: result.astype(float)",
            )
        )


def _described(x: Any) -> str:
    """A result of the user's function, in a message: its type and structure."""
    if is_valid_operand(x):
        return str(get_aval(x))
    if isinstance(x, (tuple, list)):
        return f"a {type(x).__name__} of length {len(x)}"
    return a_value(x)


def _described_tree(outs, out_tree) -> str:
    """`(f32[], {'a': f32[]})`."""
    return str(tree.unflatten(out_tree, [_Shown(get_aval(x)) for x in outs]))


class _Shown:
    def __init__(self, aval):
        self.aval = aval

    def __repr__(self) -> str:
        return str(self.aval)


# --- jvp, vjp, linearize, linear_transpose


@api_boundary
def jvp(
    fun: Callable,
    primals: Sequence[Any],
    tangents: Sequence[Any],
    has_aux: bool = False,
) -> tuple:
    """The value of a function, and its derivative along a direction (forward mode).

    Args:
      fun: a function of pytrees of arrays.
      primals: a tuple or list of its positional arguments.
      tangents: for each primal, a tangent of the same structure, shapes and dtypes.
      has_aux: the function returns (out, aux).
    Returns:
      (primals_out, tangents_out), and aux if has_aux.
    Raises:
      TypeError: structures, shapes or dtypes of primals and tangents differ.

    >>> import jaxlike
    >>> y, t = jaxlike.jvp(lambda x: x ** 2, (3.0,), (1.0,))
    >>> float(y), float(t)
    (9.0, 6.0)
    """
    check_callable(fun, "jvp")
    for what, xs in (("primal", primals), ("tangent", tangents)):
        if not isinstance(xs, (tuple, list)):
            raise TypeError(
                format_error(
                    f"jvp takes a tuple or list of {what}s, one for each argument of "
                    f"{fun_name(fun)}, but got {_described(xs)}",
                    try_=f"({what},) for a single argument",
                )
            )
    leaves, in_tree = tree.flatten((tuple(primals), {}))
    tangent_leaves, tangent_tree = tree.flatten((tuple(tangents), {}))
    if in_tree != tangent_tree:
        raise TypeError(
            format_error(
                f"jvp of {fun_name(fun)} got tangents of another structure than the "
                "primals",
                details=tree.describe_mismatch(
                    tuple(primals), tuple(tangents), "primals", "tangents"
                ),
            )
        )
    check_operands(fun, tuple(primals), {}, leaves)
    for i, (p, t) in enumerate(zip(leaves, tangent_leaves)):
        _check_tangent("jvp", fun, primals, i, p, t)
    tangent_leaves = [
        Zero(get_aval(p).to_tangent_aval())
        if get_aval(p).to_tangent_aval().dtype == dtypes.float0
        else t
        for p, t in zip(leaves, tangent_leaves)
    ]
    flat: Any = _AuxFunction(fun, in_tree) if has_aux else FlatFunction(fun, in_tree)
    outs, out_tangents = jvp_flat(flat, leaves, tangent_leaves, "jvp")
    num_out = flat.num_out if has_aux else len(outs)
    check_outputs(fun, outs[:num_out], flat.out_tree)
    out = tree.unflatten(flat.out_tree, [_as_array(x) for x in outs[:num_out]])
    tangent = tree.unflatten(
        flat.out_tree, [_as_array(instantiate(t)) for t in out_tangents[:num_out]]
    )
    if has_aux:
        return out, tangent, flat.aux_of(outs[num_out:])
    return out, tangent


def _check_tangent(what, fun, primals, i, p, t):
    expected = get_aval(p).to_tangent_aval()
    if isinstance(t, np.ndarray) and t.dtype == dtypes.float0:
        got_shape, got_dtype = t.shape, t.dtype
    else:
        got = get_aval(t)
        got_shape, got_dtype = got.shape, got.dtype
    if got_dtype == expected.dtype and got_shape == expected.shape:
        return
    name = leaf_names(fun, tuple(primals), {})[i]
    wrong_dtype = got_dtype != expected.dtype
    error = TypeError if wrong_dtype and what == "jvp" else ValueError
    if expected.dtype == dtypes.float0:
        cure: str | None = f"np.zeros({expected.shape}, jaxlike.float0)"
    else:
        cure = f"the tangent as {_name(expected.dtype)}" if wrong_dtype else None
    expected_, got = (
        f"float0[{','.join(map(str, shape))}]"
        if dtype == dtypes.float0
        else str(ShapedArray(shape, dtype))
        for shape, dtype in ((expected.shape, expected.dtype), (got_shape, got_dtype))
    )
    raise error(
        format_error(
            f"{what} of {fun_name(fun)} got a tangent of another type than its primal",
            details=[
                f"{name} is {get_aval(p)}: its tangent must be {expected_}, but is "
                f"{got}"
            ],
            try_=cure,
        )
    )


def _name(dtype) -> str:
    return "float0" if dtype == dtypes.float0 else getattr(dtype, "name", str(dtype))


@api_boundary
def vjp(fun: Callable, *primals, has_aux: bool = False, reduce_axes=()) -> tuple:
    """The value of a function, and its pullback of cotangents (reverse mode).

    Args:
      fun: a function of pytrees of arrays.
      *primals: its positional arguments.
      has_aux: the function returns (out, aux).
    Returns:
      (primals_out, vjp_fun), and aux if has_aux. vjp_fun takes a cotangent with the
      structure of primals_out and returns a tuple of cotangents, one a primal.

    >>> import jaxlike
    >>> y, pull = jaxlike.vjp(lambda x: x ** 2, 3.0)
    >>> float(pull(1.0)[0])
    6.0
    """
    check_callable(fun, "vjp")
    leaves, in_tree = tree.flatten((primals, {}))
    check_operands(fun, primals, {}, leaves)
    flat: Any = _AuxFunction(fun, in_tree) if has_aux else FlatFunction(fun, in_tree)
    wanted = _differentiable(leaves, [True] * len(leaves))
    outs, pullback = _vjp_flat(flat, leaves, wanted, "vjp")
    num_out = flat.num_out if has_aux else len(outs)
    check_outputs(fun, outs[:num_out], flat.out_tree)
    out = tree.unflatten(flat.out_tree, [_as_array(x) for x in outs[:num_out]])
    extra = [Zero(get_aval(x).to_tangent_aval()) for x in outs[num_out:]]
    vjp_fun = VJPFunction(
        fun, pullback, in_tree, flat.out_tree, leaves, wanted, out, extra
    )
    if has_aux:
        return out, vjp_fun, flat.aux_of(outs[num_out:])
    return out, vjp_fun


class VJPFunction:
    """The pullback that vjp returns: cotangents of results to cotangents of primals."""

    def __init__(
        self, fun, pullback, in_tree, out_tree, primals, wanted, out, extra_cts
    ):
        self._fun = fun
        self._pullback = pullback
        self._in_tree = in_tree
        self._out_tree = out_tree
        self._avals = [get_aval(x).to_tangent_aval() for x in primals]
        self._wanted = wanted
        self._out_avals = [get_aval(x) for x in tree.leaves(out)]
        self._extra_cts = extra_cts

    def __repr__(self) -> str:
        return f"<vjp of {fun_name(self._fun)}>"

    @api_boundary
    def __call__(self, ct: Any) -> tuple:
        cts, ct_tree = tree.flatten(ct)
        if ct_tree != self._out_tree:
            raise ValueError(
                format_error(
                    f"the vjp of {fun_name(self._fun)} got a cotangent of another "
                    "structure than the result",
                    details=[f"got {ct_tree}", f"expected {self._out_tree}"],
                )
            )
        checked = [
            _check_cotangent(self._fun, x, a) for x, a in zip(cts, self._out_avals)
        ]
        in_cts = iter(self._pullback(checked + self._extra_cts))
        results = []
        for aval, wanted in zip(self._avals, self._wanted):
            given = next(in_cts) if wanted else Zero(aval)
            results.append(_as_array(instantiate(given)))
        args, _ = tree.unflatten(self._in_tree, results)
        return args


tree.register_pytree_node(
    VJPFunction,
    lambda f: ((f._pullback.residuals,), f),
    lambda f, children: _with_residuals(f, children[0]),
)


def _with_residuals(vjp_fun: VJPFunction, residuals) -> VJPFunction:
    old = vjp_fun._pullback
    new = object.__new__(VJPFunction)
    new.__dict__.update(vjp_fun.__dict__)
    new._pullback = _Pullback(old.jaxpr, residuals, old.nonzeros_out, old.out_avals)
    return new


def _check_cotangent(fun, ct, out_aval):
    expected = out_aval.to_tangent_aval()
    if isinstance(ct, np.ndarray) and ct.dtype == dtypes.float0:
        return Zero(expected)
    got = get_aval(ct)
    # an integer result has no derivative: whatever was given for it
    if expected.dtype == dtypes.float0:
        return Zero(expected)
    if got.dtype != expected.dtype or got.shape != expected.shape:
        raise ValueError(
            format_error(
                f"the vjp of {fun_name(fun)} needs a cotangent {expected}, of the "
                f"type of the result, but got {got}"
            )
        )
    return _typed(ct, expected)


def _typed(x, aval):
    """`x` with a dtype: Python numbers become arrays of the type they stand for."""
    return x if isinstance(x, (Array, np.ndarray)) else Array(to_buffer(x), aval)


@api_boundary
def linearize(fun: Callable, *primals, has_aux: bool = False) -> tuple:
    """The value of a function, and the linear function of tangents at that point.

    Args:
      fun: a function of pytrees of arrays.
      *primals: the point.
      has_aux: the function returns (out, aux).
    Returns:
      (primals_out, f_jvp), and aux if has_aux: f_jvp maps tangents, of the primals'
      structure, to the tangents of the results without running `fun` again.

    >>> import jaxlike
    >>> y, f_jvp = jaxlike.linearize(lambda x: x ** 2, 3.0)
    >>> float(f_jvp(2.0))
    12.0
    """
    check_callable(fun, "linearize")
    leaves, in_tree = tree.flatten((primals, {}))
    check_operands(fun, primals, {}, leaves)
    flat: Any = _AuxFunction(fun, in_tree) if has_aux else FlatFunction(fun, in_tree)
    wanted = _differentiable(leaves, [True] * len(leaves))
    outs, jaxpr, residuals, nonzeros = linearize_flat(flat, leaves, wanted, "linearize")
    num_out = flat.num_out if has_aux else len(outs)
    check_outputs(fun, outs[:num_out], flat.out_tree)
    out_tree = flat.out_tree
    out_avals = [get_aval(x).to_tangent_aval() for x in outs[:num_out]]

    @api_boundary
    def f_jvp(*tangents):
        given, given_tree = tree.flatten((tangents, {}))
        if given_tree != in_tree:
            raise TypeError(
                format_error(
                    "linearized function called with tangents of another structure "
                    "than its primals",
                    details=tree.describe_mismatch(
                        primals, tangents, "primals", "tangents"
                    ),
                )
            )
        for i, (p, t) in enumerate(zip(leaves, given)):
            _check_tangent("linearize", fun, primals, i, p, t)
        ins = [t for t, w in zip(given, wanted) if w]
        results = iter(eval_jaxpr(jaxpr, residuals, *ins))
        tangents_out = []
        for i, nz in enumerate(nonzeros):
            t = next(results) if nz else None
            if i < num_out:
                tangents_out.append(
                    _as_array(t if nz else instantiate(Zero(out_avals[i])))
                )
        return tree.unflatten(out_tree, tangents_out)

    out = tree.unflatten(out_tree, [_as_array(x) for x in outs[:num_out]])
    if has_aux:
        return out, f_jvp, flat.aux_of(outs[num_out:])
    return out, f_jvp


@api_boundary
def linear_transpose(fun: Callable, *primals, reduce_axes=()) -> Callable:
    """The transpose of a function that is linear in its arguments.

    Args:
      fun: a linear function of pytrees of arrays.
      *primals: arguments, or ShapeDtypeStructs of them: only their types are used.
    Returns:
      A function of a cotangent (of the result's structure) to a tuple of cotangents.
    Raises:
      TypeError: an argument or result is not of floating point.

    >>> import jaxlike
    >>> t = jaxlike.linear_transpose(lambda x: 3.0 * x, 1.0)
    >>> float(t(2.0)[0])
    6.0
    """
    from jaxlike.transforms.jit import aval_of_spec

    check_callable(fun, "linear_transpose")
    leaves, in_tree = tree.flatten((primals, {}))
    in_avals = [aval_of_spec(x) for x in leaves]
    flat = FlatFunction(fun, in_tree)
    debug_info = DebugInfo("linear_transpose", fun_name(fun))
    jaxpr, consts = trace_to_jaxpr(flat, in_avals, debug_info=debug_info)
    kinds = [
        [dtypes.issubdtype(a.dtype, kind) for a in (*in_avals, *jaxpr.out_avals)]
        for kind in (np.inexact, np.integer)
    ]
    if not any(map(all, kinds)):
        raise TypeError(
            format_error(
                "linear_transpose takes functions of floating-point arrays to "
                "floating-point arrays, or of integers to integers, but "
                f"{fun_name(fun)} maps {', '.join(map(str, in_avals))} to "
                f"{', '.join(map(str, jaxpr.out_avals))}"
            )
        )
    out_avals = jaxpr.out_avals

    @api_boundary
    def transposed(ct):
        cts, ct_tree = tree.flatten(ct)
        if ct_tree != flat.out_tree:
            raise TypeError(
                format_error(
                    f"the transpose of {fun_name(fun)} got a cotangent of another "
                    "structure than the result",
                    details=[f"got {ct_tree}", f"expected {flat.out_tree}"],
                )
            )
        for x, aval in zip(cts, out_avals):
            got = get_aval(x)
            if got.shape != aval.shape or got.dtype != aval.dtype:
                raise TypeError(
                    format_error(
                        f"the transpose of {fun_name(fun)} needs a cotangent {aval}, "
                        f"of the type of the result, but got {got}"
                    )
                )
        args = [*consts, *(UndefinedPrimal(a) for a in in_avals)]
        cts = [_typed(x, aval) for x, aval in zip(cts, out_avals)]
        outs = backward_pass(jaxpr.jaxpr, [], args, cts)[len(consts) :]
        results = [_as_array(instantiate(x)) for x in outs]
        return tree.unflatten(in_tree, results)[0]

    return transposed


__all__ = ["grad", "jvp", "linear_transpose", "linearize", "value_and_grad", "vjp"]
