"""Programs on checkpoint and what it saves, for test_transforms.py."""

import numpy as np

from tests.parity.compare import collector

CASES, case = collector()
V = np.arange(3.0, dtype=np.float32)


# --- checkpoint: what is saved


def saved(name, **options):
    def run(jax):
        def f(w, x):
            h = jax.numpy.sin(jax.numpy.dot(w, x))
            h = jax.ad_checkpoint.checkpoint_name(h, "h")
            return jax.numpy.sin(jax.numpy.dot(w, h)).sum()

        w = np.eye(3, dtype=np.float32)
        o = {k: v(jax) if callable(v) else v for k, v in options.items()}
        g = jax.checkpoint(f, **o)
        closed = jax.make_jaxpr(jax.grad(g))(w, V)
        counts = {}

        def walk(jaxpr):
            for e in jaxpr.eqns:
                n = str(e.primitive)
                counts[n] = counts.get(n, 0) + 1
                for v in e.params.values():
                    inner = getattr(v, "jaxpr", v)
                    if hasattr(inner, "eqns"):
                        walk(inner)

        walk(closed.jaxpr)
        kept = {k: counts.get(k, 0) for k in ("sin", "cos", "dot_general")}
        return kept, jax.grad(g)(w, V), jax.jit(jax.grad(g))(w, V)

    run.__name__ = f"checkpoint_saved_{name}"
    CASES.append(run)


def policy(name, *args):
    def get(jax):
        p = getattr(jax.checkpoint_policies, name)
        return p(*args) if args else p

    return get


saved("default")
saved("everything", policy=policy("everything_saveable"))
saved("nothing", policy=policy("nothing_saveable"))
saved("dots", policy=policy("dots_saveable"))
saved("dots_no_batch", policy=policy("dots_with_no_batch_dims_saveable"))
saved("names", policy=policy("save_only_these_names", "h"))
saved("names_other", policy=policy("save_only_these_names", "z"))
saved("any_but", policy=policy("save_any_names_but_these", "h"))
saved("anything_except", policy=policy("save_anything_except_these_names", "h"))


@case
def checkpoint_static(jax):
    f = jax.checkpoint(lambda x, flag: x**2 if flag else x, static_argnums=(1,))
    return jax.grad(f)(3.0, True), jax.grad(f)(3.0, False)


@case
def checkpoint_python_if(jax):
    return jax.grad(jax.checkpoint(lambda x: x if x > 0 else -x))(1.0)


@case
def checkpoint_kwargs(jax):
    return jax.grad(jax.checkpoint(lambda x, *, y: x * y["a"]))(2.0, y={"a": 3.0})


@case
def checkpoint_tree(jax):
    f = jax.checkpoint(lambda p: {"o": p["a"] * 2, "n": None})
    return f({"a": V, "z": None}), jax.grad(lambda p: f(p)["o"].sum())({"a": V})


@case
def checkpoint_concrete(jax):
    return jax.checkpoint(lambda x: x, concrete=True)(1.0)


@case
def checkpoint_scan(jax):
    def f(x):
        body = jax.checkpoint(lambda c, a: (jax.numpy.sin(c) * a, c))
        return jax.lax.scan(body, x, V + 1)[0]

    return jax.grad(f)(1.0), jax.jit(jax.grad(f))(1.0), jax.vmap(jax.grad(f))(V)


@case
def checkpoint_nested(jax):
    f = jax.checkpoint(lambda x: jax.checkpoint(jax.numpy.sin)(x) * x)
    return jax.grad(f)(2.0), jax.grad(jax.grad(f))(2.0)


@case
def checkpoint_bad_leaf(jax):
    return jax.checkpoint(lambda x: x)("a")


@case
def checkpoint_bad_policy(jax):
    f = jax.checkpoint(lambda x: jax.numpy.sin(x), policy=lambda *a, **k: "x")
    return jax.grad(f)(1.0)


@case
def checkpoint_offload(jax):
    p = jax.checkpoint_policies.save_and_offload_only_these_names(
        names_which_can_be_saved=["a"],
        names_which_can_be_offloaded=["a"],
        offload_src="device",
        offload_dst="pinned_host",
    )
    return p
