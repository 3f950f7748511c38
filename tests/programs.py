"""Random programs: pure functions of a few arrays, grown by hypothesis.

A program is a list of instructions on a growing list of values; `run(jax, *args)` runs
it with any library that has JAX's functions, so that one program serves every law and
the comparison with jax.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

# smooth and bounded, so that derivatives of compositions stay tame
UNARY = ("sin", "cos", "tanh", "logistic", "neg", "square", "erf", "atan")
BINARY = ("add", "sub", "mul", "max", "min")
STRUCTURAL = ("cond", "scan", "fori", "while", "jit", "checkpoint")


@dataclass(frozen=True)
class Instruction:
    op: str
    args: tuple[int, ...]
    extra: tuple = ()


@dataclass(frozen=True)
class Program:
    """`shapes` of the arguments, and what is done; the result is the last value."""

    shapes: tuple[tuple[int, ...], ...]
    instructions: tuple[Instruction, ...]

    def run(self, jax, *args):
        values = list(args)
        for step in self.instructions:
            operands = [values[i] for i in step.args]
            values.append(apply(jax, step, operands))
        return values[-1]

    def arguments(self, seed: int = 0) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        return [rng.uniform(-1, 1, s).astype(np.float32) for s in self.shapes]


def apply(jax, step: Instruction, operands):
    lax = jax.lax
    x = operands[0]
    if step.op in UNARY or step.op in BINARY:
        return getattr(lax, step.op)(*operands)
    match step.op:
        case "scale":
            return lax.mul(x, np.float32(step.extra[0]))
        case "sum_to":
            axes = tuple(a for a in step.extra if a < x.ndim)
            total = lax.reduce_sum(x, axes)
            kept = [d for d in range(x.ndim) if d not in axes]
            return lax.broadcast_in_dim(total, x.shape, kept)
        case "max_to":
            top = lax.reduce_max(x, tuple(range(x.ndim)))
            return lax.sub(x, lax.broadcast_in_dim(top, x.shape, ()))
        case "rev":
            return lax.rev(x, tuple(range(x.ndim)))
        case "roll":
            if x.ndim == 0 or x.shape[-1] < 2:
                return x
            a = lax.slice_in_dim(x, 1, x.shape[-1], axis=x.ndim - 1)
            b = lax.slice_in_dim(x, 0, 1, axis=x.ndim - 1)
            return lax.concatenate([a, b], x.ndim - 1)
        case "cumsum":
            return lax.cumsum(x, axis=0) if x.ndim else x
        case "dot":
            if x.ndim != 2:
                return x
            return lax.dot(
                x, lax.transpose(lax.dot(lax.transpose(x, (1, 0)), x), (1, 0))
            )
        case "where":
            return lax.select(lax.gt(x, operands[1]), x, lax.sin(operands[1]))
        case "cond":
            inner = step.extra[0]
            total = lax.reduce_sum(x, tuple(range(x.ndim)))
            return lax.cond(
                lax.gt(total, np.float32(0.1)),
                lambda a: lax.sin(a),
                lambda a: getattr(lax, inner)(a),
                x,
            )
        case "scan":
            y = operands[1]

            def body(carry, a):
                new = lax.tanh(lax.add(carry, lax.mul(a, y)))
                return new, lax.mul(new, a)

            xs = lax.broadcast_in_dim(x, (3, *x.shape), range(1, x.ndim + 1))
            carry, ys = lax.scan(body, x, xs)
            return lax.add(carry, lax.reduce_sum(ys, (0,)))
        case "fori":
            return lax.fori_loop(0, 3, lambda i, c: lax.sin(lax.add(c, x)), x)
        case "while":
            # runs forwards only: its argument is cut off from derivatives
            start = lax.stop_gradient(x)

            def more(carry):
                i, _ = carry
                return i < 3

            def step_(carry):
                i, c = carry
                return i + 1, lax.mul(c, np.float32(0.5))

            return lax.add(x, lax.while_loop(more, step_, (0, start))[1])
        case "jit":
            return jax.jit(lambda a: lax.mul(lax.sin(a), x))(x)
        case "checkpoint":
            return jax.checkpoint(lambda a: lax.sin(lax.cos(a)))(x)
    raise AssertionError(step.op)


@st.composite
def programs(draw, max_size: int = 6, structural: bool = True) -> Program:
    """Programs whose values all have one shape, of rank 0 to 2."""
    shape = draw(st.sampled_from([(), (3,), (2, 3), (1, 4)]))
    count = draw(st.integers(1, 2))
    simple = ("scale", "sum_to", "max_to", "rev", "roll", "cumsum", "dot", "where")
    ops = (*UNARY, *BINARY, *simple, *(STRUCTURAL if structural else ()))
    instructions = []
    for k in range(draw(st.integers(1, max_size))):
        op = draw(st.sampled_from(ops))
        # the last value is always used, so that nothing is dead
        last = count + k - 1
        other = draw(st.integers(0, last))
        two = op in BINARY or op in ("where", "scan")
        extra: tuple = ()
        if op == "scale":
            extra = (draw(st.sampled_from([0.5, -1.5])),)
        elif op == "sum_to":
            extra = draw(st.sampled_from([(0,), (1,), (0, 1)]))
        elif op == "cond":
            extra = (draw(st.sampled_from(UNARY)),)
        instructions.append(Instruction(op, (last, other) if two else (last,), extra))
    return Program((shape,) * count, tuple(instructions))
