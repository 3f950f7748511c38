"""A differentiable simulation: a thrown ball with drag, by scan and by while_loop.

The flight is integrated with scan (so that it can be differentiated backwards), the
throw is found by gradient descent, and a while_loop says when the ball comes down.

    python examples/ode_and_scan.py
"""

from __future__ import annotations

import argparse

import jaxlike as jax
import jaxlike.numpy as jnp
from jaxlike import lax

GRAVITY, DRAG, DT, STEPS = 9.81, 0.02, 0.01, 400


def derivative(state):
    """d/dt of (position, velocity), f32[2] each, in metres and seconds."""
    _, velocity = state
    speed = jnp.sqrt(jnp.sum(velocity**2) + 1e-9)
    acceleration = jnp.array([0.0, -GRAVITY]) - DRAG * speed * velocity
    return velocity, acceleration


def rk4(state):
    """One step of the classical Runge-Kutta method."""

    def moved(k, h):
        return jax.tree.map(lambda s, d: s + h * d, state, k)

    k1 = derivative(state)
    k2 = derivative(moved(k1, DT / 2))
    k3 = derivative(moved(k2, DT / 2))
    k4 = derivative(moved(k3, DT))
    return jax.tree.map(
        lambda s, a, b, c, d: s + DT / 6 * (a + 2 * b + 2 * c + d),
        state,
        k1,
        k2,
        k3,
        k4,
    )


def throw(velocity):
    """Positions f32[STEPS, 2] of a ball thrown from the origin."""

    def step(state, _):
        state = rk4(state)
        return state, state[0]

    _, path = lax.scan(step, (jnp.zeros(2), velocity), length=STEPS)
    return path


@jax.jit
def flight(velocity):
    """(seconds in the air, metres reached): stops when the ball comes down."""

    def in_the_air(carry):
        _, (position, _) = carry
        return position[1] >= 0.0

    def step(carry):
        t, state = carry
        return t + DT, rk4(state)

    start = rk4((jnp.zeros(2), velocity))
    t, (position, _) = lax.while_loop(in_the_air, step, (DT, start))
    return t, position[0]


def distance_to(target):
    """The squared distance, softly minimised over the path, from the target."""

    def loss(velocity):
        squares = jnp.sum((throw(velocity) - target) ** 2, axis=1)
        return -jax.nn.logsumexp(-squares)

    return loss


def main(argv=None) -> float:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200)
    args = parser.parse_args(argv)

    target = jnp.array([20.0, 8.0])
    loss_and_grad = jax.jit(jax.value_and_grad(distance_to(target)))
    velocity = jnp.array([12.0, 12.0])
    for i in range(args.steps):
        loss, gradient = loss_and_grad(velocity)
        velocity = velocity - 0.02 * gradient / jnp.maximum(1.0, jnp.abs(gradient) / 10)
        if i % (args.steps // 5) == 0:
            print(f"step {i:4d}: loss {loss:8.3f}, velocity {velocity}")
    closest = float(jnp.sqrt(jnp.min(jnp.sum((throw(velocity) - target) ** 2, axis=1))))
    seconds, metres = flight(velocity)
    print(f"the path passes the target {target} at {closest:.3f} m")
    print(f"it comes down after {seconds:.2f} s, at {metres:.1f} m")

    angles = jnp.linspace(0.2, 1.4, 7)
    speeds = 20.0 * jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=1)
    _, reached = jax.vmap(flight)(speeds)
    print("metres by angle:", ", ".join(f"{r:.1f}" for r in reached))
    return closest


if __name__ == "__main__":
    main()
