"""The linear algebra primitives, under the names of jax.lax.linalg."""
