"""Keys become their words, and random bits scalar operations that kernels can hold.

    k:key<fry>[2] = random_split a         b = random_unwrap a  (at the jaxpr's edge)
    s:key<fry>[]  = slice, squeeze k  -->  w:u32[2,2] = threefry_word of b and iotas
    u:u32[9]      = random_bits s          u:u32[9] = threefry_word of w's words, iota

Only for threefry2x32, JAX's default. Inside, no keys are left: loops and branches carry
words. An equation on keys that this file does not know is run on keys made for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlike.core.avals import ShapedArray
from jaxlike.core.config import config
from jaxlike.core.jaxpr import (
    Atom,
    ClosedJaxpr,
    DropVar,
    Jaxpr,
    JaxprEqn,
    Literal,
    Var,
    jaxprs_in_params,
)
from jaxlike.core.scalars import KeyDType
from jaxlike.core.staging import StagingTrace, StagingTracer
from jaxlike.core.state import state
from jaxlike.primitives.bitwise import bitwise_or, shift_left, shift_right_logical
from jaxlike.primitives.broadcasting import broadcast_in_dim, iota_p
from jaxlike.primitives.conversion import convert
from jaxlike.primitives.generators import generator_named
from jaxlike.primitives.random_bits import (
    BOTH,
    random_unwrap_p,
    random_wrap_p,
    threefry_word_p,
)
from jaxlike.primitives.random_gamma import gamma_of_words_p
from jaxlike.primitives.selection import select_n
from jaxlike.primitives.shapes import moveaxis, reshape
from jaxlike.primitives.slicing import index_in_dim
from jaxlike.transforms.batching import AxisData
from jaxlike.transforms.rewrite.inline import inline_calls
from jaxlike.transforms.rewrite.substitute import Substitution

FRY = KeyDType("threefry2x32")
_GENERATOR = generator_named("threefry2x32")
_U32, _I32 = np.dtype("uint32"), np.dtype("int32")
_ZERO = np.zeros((), _U32)[()]
_WORDS = AxisData(None, 2)
_EXPANDED = ("threefry2x32",)


def expand_random(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same function with words inside; its own keys are unwrapped and wrapped."""
    if not _concerned(closed.jaxpr):
        return closed
    return _rewritten(closed, words_outside=False)


def words_aval(aval: ShapedArray) -> ShapedArray:
    """The aval of the words of keys; other avals are their own."""
    if not is_fry(aval):
        return aval
    return ShapedArray((*aval.shape, 2), _U32)


def is_fry(aval: Any) -> bool:
    return getattr(aval, "dtype", None) is FRY


def _concerned(jaxpr: Jaxpr) -> bool:
    return any(is_fry(v.aval) for v in (*jaxpr.invars, *jaxpr.constvars)) or any(
        eqn.primitive.name in _EXPANDED
        or any(is_fry(v.aval) for v in eqn.outvars)
        or any(map(_concerned, jaxprs_in_params(eqn.params)))
        for eqn in jaxpr.eqns
    )


def on_words(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same function of words in place of keys: its arguments and results, too."""
    if not _concerned(closed.jaxpr):
        return closed
    return closed.memo(
        "on words", lambda: _rewritten(inline_calls(closed), words_outside=True)
    )


def _rewritten(closed: ClosedJaxpr, words_outside: bool) -> ClosedJaxpr:
    jaxpr = closed.jaxpr
    trace = StagingTrace(jaxpr.debug_info, state.trace)
    work = _Rewriter(trace)
    previous, outer = state.trace, state.source
    state.trace = trace
    try:
        for v, value in zip(jaxpr.constvars, closed.consts):
            if is_fry(v.aval):
                keys = np.asarray(value)
                words = random_unwrap_p.evaluate(keys)
                var = Var(words_aval(v.aval))
                work.words[v] = StagingTracer(trace, var.aval, var)
                trace.constvars.append(var)
                trace.consts.append(words)
            else:
                trace.constvars.append(v)
                trace.consts.append(value)
        for v in jaxpr.invars:
            if not is_fry(v.aval):
                trace.invars.append(v)
            elif words_outside:
                work.words[v] = trace.new_arg(words_aval(v.aval))
            else:
                trace.invars.append(v)
                work.words[v] = random_unwrap_p.bind(work.tracer(v))
        for eqn in jaxpr.eqns:
            state.source = eqn.source_info or outer
            work.equation(eqn)
        outs = []
        for v in jaxpr.outvars:
            if not is_fry(v.aval):
                outs.append(work.sub.atom(v))
            elif words_outside:
                outs.append(work.words_of(v).atom)
            else:
                outs.append(work.key_of(v).atom)
    finally:
        state.trace, state.source = previous, outer
    trace.closed = True
    new = Jaxpr(
        trace.constvars,
        trace.invars,
        outs,
        trace.eqns,
        jaxpr.effects,
        jaxpr.debug_info,
    )
    return ClosedJaxpr(new, trace.consts)


class _Rewriter:
    """Writes equations into a trace; `words` has the words of every key variable."""

    def __init__(self, trace: StagingTrace):
        self.trace = trace
        self.sub = Substitution()
        self.words: dict[Var, StagingTracer] = {}

    def tracer(self, var: Var) -> StagingTracer:
        return StagingTracer(self.trace, var.aval, var)

    def value(self, atom: Atom) -> Any:
        """An operand that is no key, for functions to compute with."""
        atom = self.sub.atom(atom)
        return atom.val if type(atom) is Literal else self.tracer(atom)

    def words_of(self, atom: Atom) -> StagingTracer:
        if type(atom) is not Literal:
            return self.words[atom]
        return random_unwrap_p.bind(atom.val)

    def key_of(self, var: Var) -> StagingTracer:
        return random_wrap_p.bind(self.words_of(var), impl=_GENERATOR)

    def define(self, var: Var, value: StagingTracer) -> None:
        """`var` is this value; or, if it is of keys, these are its words."""
        if is_fry(var.aval):
            self.words[var] = value
        elif isinstance(value, StagingTracer):
            self.sub.env[var] = value.atom
        else:
            self.sub.env[var] = self.trace.atom_of(value)

    def equation(self, eqn: JaxprEqn) -> None:
        name = eqn.primitive.name
        keys = any(is_fry(v.aval) for v in (*eqn.invars, *eqn.outvars))
        if keys or name in _EXPANDED:
            rule = _RULES.get(name)
            if rule is not None and rule(self, eqn):
                return
            if name in _MOVES and self.moved(eqn):
                return
        bodies = _BODIES.get(name)
        if bodies is not None:
            self.structural(eqn, bodies)
        elif keys:
            self.on_keys(eqn)
        elif any(v in self.sub.env for v in eqn.invars if type(v) is not Literal):
            self.trace.eqns.append(eqn.replace(invars=self.sub.atoms(eqn.invars)))
        else:
            self.trace.eqns.append(eqn)

    def structural(self, eqn: JaxprEqn, bodies: Sequence[str]) -> None:
        """A loop or a branch: its jaxprs on words."""
        params = dict(eqn.params)
        for name in bodies:
            body = params[name]
            if isinstance(body, ClosedJaxpr):
                params[name] = on_words(body)
            else:
                params[name] = tuple(map(on_words, body))
        invars = [
            self.words_of(v).atom if is_fry(v.aval) else self.sub.atom(v)
            for v in eqn.invars
        ]
        outvars: list[Var] = []
        for v in eqn.outvars:
            if is_fry(v.aval):
                made = DropVar if type(v) is DropVar else Var
                new = made(words_aval(v.aval))
                self.words[v] = self.tracer(new)
                outvars.append(new)
            else:
                outvars.append(v)
        self.trace.eqns.append(
            JaxprEqn(
                invars, outvars, eqn.primitive, params, eqn.effects, eqn.source_info
            )
        )

    def on_keys(self, eqn: JaxprEqn) -> None:
        """An equation of another kind, on keys that are made for it."""
        invars = [
            self.key_of(v).atom
            if is_fry(v.aval) and type(v) is not Literal
            else self.sub.atom(v)
            for v in eqn.invars
        ]
        self.trace.eqns.append(eqn.replace(invars=invars))
        for v in eqn.outvars:
            if is_fry(v.aval) and type(v) is not DropVar:
                self.words[v] = random_unwrap_p.bind(self.tracer(v))

    def moved(self, eqn: JaxprEqn) -> bool:
        """Data movement: as vmap has it over the axis of the words, the last one."""
        args = [
            self.words_of(v) if is_fry(v.aval) else self.value(v) for v in eqn.invars
        ]
        dims = [v.aval.ndim if is_fry(v.aval) else None for v in eqn.invars]
        out, at = eqn.primitive.batch(_WORDS, args, dims, **eqn.params)
        if not eqn.primitive.multiple_results:
            out, at = [out], [at]
        for v, x, d in zip(eqn.outvars, out, at, strict=True):
            self.define(v, x if d is None else moveaxis(x, d, v.aval.ndim))
        return True


_BODIES = {
    "scan": ("jaxpr",),
    "while": ("cond_jaxpr", "body_jaxpr"),
    "cond": ("branches",),
}
_MOVES = frozenset(
    ("broadcast_in_dim", "reshape", "squeeze", "slice", "transpose", "rev", "split")
    + ("concatenate", "select_n", "dynamic_slice", "dynamic_update_slice", "unstack")
    + ("copy", "copy_p", "stop_gradient", "optimization_barrier")
)

# --- the primitives of keys


def _iota(dtype: np.dtype, shape: tuple[int, ...], dimension: int) -> Any:
    return iota_p.bind(dtype=dtype, shape=shape, dimension=dimension)


def _half() -> StagingTracer:
    """32, as uint64 whether or not the user's arrays may be of 64 bits."""
    aval = ShapedArray((), np.dtype("uint64"))
    return StagingTracer(state.trace, aval, Literal(np.uint64(32), aval))


def _word(words: Any, i: int, shape: Sequence[int], dims: Sequence[int]) -> Any:
    """Word i of keys, whose axes are axes `dims` of the shape."""
    one = index_in_dim(words, i, words.aval.ndim - 1, keepdims=False)
    return broadcast_in_dim(one, shape, dims) if one.aval.shape else one


def _hash(words: Any, shape: Sequence[int], dims: Sequence[int], x0, x1, word: int):
    keys = [_word(words, i, shape, dims) for i in (0, 1)]
    return threefry_word_p.bind(*keys, x0, x1, word=word)


def _both_words(words: Any, shape: tuple[int, ...], dims, x0, x1) -> Any:
    """The two words of each hash, along a new last axis."""
    full = (*shape, 2)
    each = [_hash(words, full, dims, x0, x1, word) for word in (0, 1)]
    return _paired(each, full)


def _paired(each: Sequence[Any], full: tuple[int, ...]) -> Any:
    each = [x if x.shape == full else broadcast_in_dim(x, full, ()) for x in each]
    return select_n(_iota(_I32, full, len(full) - 1), *each)


def _counters(size: int, shape: tuple[int, ...], full: tuple[int, ...], at: int):
    """(high, low) words of 0, 1, 2 ... in `shape`, which are axes `at` on of `full`."""
    if size == 1:
        return _ZERO, broadcast_in_dim(_ZERO, full, ())
    wide = size > 1 << 32
    flat = _iota(np.dtype("uint64") if wide else _U32, (size,), 0)
    count = reshape(flat, shape) if shape != (size,) else flat
    if full != shape:
        count = broadcast_in_dim(count, full, range(at, at + len(shape)))
    if not wide:
        return _ZERO, count
    high = shift_right_logical(count, _half())
    return convert(high, _U32), convert(count, _U32)


def _bits(work: _Rewriter, eqn: JaxprEqn) -> bool:
    (keys,), (out,) = eqn.invars, eqn.outvars
    width, shape = eqn.params["bit_width"], eqn.params["shape"]
    if not config.threefry_partitionable or not out.aval.size:
        return False
    words, full = work.words_of(keys), out.aval.shape
    dims = range(keys.aval.ndim)
    counter = _counters(math.prod(shape), shape, full, keys.aval.ndim)
    if width == 64:
        wide = np.dtype("uint64")
        high, low = (
            convert(_hash(words, full, dims, *counter, word), wide) for word in (0, 1)
        )
        bits = bitwise_or(shift_left(high, _half()), low)
    else:
        bits = _hash(words, full, dims, *counter, BOTH)
        bits = convert(bits, out.aval.dtype)
    work.define(out, bits)
    return True


def _split(work: _Rewriter, eqn: JaxprEqn) -> bool:
    (keys,), (out,) = eqn.invars, eqn.outvars
    if not config.threefry_partitionable or not out.aval.size:
        return False
    shape, at = eqn.params["shape"], keys.aval.ndim
    counter = _counters(math.prod(shape), shape, (*out.aval.shape, 2), at)
    made = _both_words(work.words_of(keys), out.aval.shape, range(at), *counter)
    work.define(out, made)
    return True


def _fold_in(work: _Rewriter, eqn: JaxprEqn) -> bool:
    (keys, data), (out,) = eqn.invars, eqn.outvars
    shape = out.aval.shape
    if not out.aval.size:
        return False
    words, message = work.words_of(keys), work.value(data)
    lead = len(shape) - data.aval.ndim
    if data.aval.shape != shape[lead:] or keys.aval.shape not in ((), shape):
        return False
    full = (*shape, 2)
    message = broadcast_in_dim(message, full, range(lead, len(shape)))
    dims = range(keys.aval.ndim)
    work.define(out, _both_words(words, shape, dims, _ZERO, message))
    return True


def _gamma(work: _Rewriter, eqn: JaxprEqn) -> bool:
    (keys, alpha), (out,) = eqn.invars, eqn.outvars
    if not config.threefry_partitionable or type(alpha) is Literal:
        return False
    words, alpha = work.words_of(keys), work.value(alpha)
    work.define(out, gamma_of_words_p.bind(words, alpha, **eqn.params))
    return True


def _seed(work: _Rewriter, eqn: JaxprEqn) -> bool:
    (seeds,), (out,) = eqn.invars, eqn.outvars
    if eqn.params["impl"] is not _GENERATOR:
        return False
    seed, full = work.value(seeds), (*out.aval.shape, 2)
    high: Any = _ZERO
    if seeds.aval.dtype.itemsize == 8:
        wide = convert(seed, np.dtype("uint64"))
        high = convert(shift_right_logical(wide, _half()), _U32)
    low = convert(seed, _U32)
    each = [
        broadcast_in_dim(x, full, range(np.ndim(x) if x is _ZERO else x.aval.ndim))
        for x in (high, low)
    ]
    work.define(out, _paired(each, full))
    return True


def _wrap(work: _Rewriter, eqn: JaxprEqn) -> bool:
    if eqn.params["impl"] is not _GENERATOR or type(eqn.invars[0]) is Literal:
        return False
    work.define(eqn.outvars[0], work.value(eqn.invars[0]))
    return True


def _unwrap(work: _Rewriter, eqn: JaxprEqn) -> bool:
    work.define(eqn.outvars[0], work.words_of(eqn.invars[0]))
    return True


def _threefry(work: _Rewriter, eqn: JaxprEqn) -> bool:
    args = [work.value(v) for v in eqn.invars]
    shape = eqn.outvars[0].aval.shape
    if any(v.aval.shape not in ((), shape) for v in eqn.invars):
        return False
    for word, out in enumerate(eqn.outvars):
        work.define(out, threefry_word_p.bind(*args, word=word))
    return True


_RULES: dict[str, Callable[[_Rewriter, JaxprEqn], bool]] = {
    "random_bits": _bits,
    "random_split": _split,
    "random_fold_in": _fold_in,
    "random_seed": _seed,
    "random_gamma": _gamma,
    "random_wrap": _wrap,
    "random_unwrap": _unwrap,
    "random_clone": lambda work, eqn: (
        work.define(eqn.outvars[0], work.words_of(eqn.invars[0])) or True
    ),
    "threefry2x32": _threefry,
}
