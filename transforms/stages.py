"""The stages of jit, one after the other: Traced, Lowered, Compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from jaxlike.core import tree
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.jaxpr import ClosedJaxpr
from jaxlike.core.source_info import api_boundary
from jaxlike.transforms.arguments import fun_name
from jaxlike.transforms.jit import JitFunction, TracedCall
from jaxlike.transforms.jit_primitive import Executable
from jaxlike.transforms.make_jaxpr import shape_structs


@dataclass(frozen=True)
class ArgInfo:
    """What is known of an argument before it is there."""

    _aval: ShapedArray
    donated: bool

    @property
    def shape(self):
        return self._aval.shape

    @property
    def dtype(self):
        return self._aval.dtype


class Traced:
    """A function traced for one signature: `.jaxpr`, `.out_info`, `.lower()`."""

    def __init__(self, jitted: JitFunction, traced: TracedCall):
        self._jitted = jitted
        self._traced = traced
        self.fun_name = fun_name(jitted._fun)

    @property
    def jaxpr(self) -> ClosedJaxpr:
        return self._traced.jaxpr

    @property
    def out_info(self) -> Any:
        return tree.unflatten(
            self._traced.out_tree, shape_structs(self._traced.jaxpr.out_avals)
        )

    @property
    def out_tree(self) -> Any:
        return self._traced.out_tree

    @property
    def in_tree(self) -> Any:
        return self._traced.in_tree

    @property
    def in_avals(self) -> Any:
        avals = self.jaxpr.in_avals[len(self._traced.consts) :]
        return tree.unflatten(self._traced.in_tree, avals)

    @property
    def args_info(self) -> Any:
        avals = self.jaxpr.in_avals[len(self._traced.consts) :]
        donated = self._traced.donated or (False,) * len(avals)
        return tree.unflatten(self._traced.in_tree, list(map(ArgInfo, avals, donated)))

    donate_argnums = property(
        lambda self: tuple(i for i, d in enumerate(self._traced.donated) if d)
    )

    def lower(self, *, lowering_platforms=None, **_) -> Lowered:
        """The next stage: the jaxpr as it goes into the compiler."""
        return Lowered(self)


class Lowered:
    """A traced function on its way into a backend: `.as_text()`, `.compile()`."""

    def __init__(self, traced: Traced):
        self._stage = traced

    args_info = property(lambda self: self._stage.args_info)
    in_tree = property(lambda self: self._stage.in_tree)
    out_tree = property(lambda self: self._stage.out_tree)
    out_info = property(lambda self: self._stage.out_info)
    in_avals = property(lambda self: self._stage.in_avals)

    def as_text(self, dialect: str | None = None, *, debug_info: bool = False) -> str:
        """The jaxpr, in print."""
        return self._stage.jaxpr.pretty_print(source_info=debug_info)

    def compiler_ir(self, dialect: str | None = None) -> ClosedJaxpr:
        """The jaxpr itself."""
        return self._stage.jaxpr

    def compile(self, compiler_options: dict | None = None, **_) -> Compiled:
        """Compile with the function's backend."""
        traced = self._stage._traced
        executable = Executable(
            traced.jaxpr,
            traced.consts,
            name=self._stage.fun_name,
            donated=traced.donated,
            backend=self._stage._jitted._backend,
        )
        return Compiled(self._stage, executable)

    def cost_analysis(self) -> dict[str, float]:
        """Estimated flops and bytes of the whole computation."""
        from jaxlike.transforms.cost import cost_of

        return cost_of(self._stage.jaxpr)


class Compiled:
    """A compiled function, called with arguments of the types it was compiled for."""

    def __init__(self, traced: Traced, executable: Executable):
        self._stage = traced
        self._executable = executable

    args_info = property(lambda self: self._stage.args_info)
    in_tree = property(lambda self: self._stage.in_tree)
    out_tree = property(lambda self: self._stage.out_tree)
    out_info = property(lambda self: self._stage.out_info)
    out_avals = property(lambda self: self._stage.jaxpr.out_avals)

    def as_text(self, dialect: str | None = None) -> str:
        """The compiled program: its kernels' loop nests and its calls.

        Args:
          dialect: "llvm" or "asm" for the kernels as LLVM IR, or as the assembly of
            this machine.
        Raises:
          ValueError: for another dialect.

        >>> import jaxlike, jaxlike.numpy as jnp
        >>> compiled = jaxlike.jit(jnp.sin).lower(jnp.ones(64)).compile()
        >>> "define void" in compiled.as_text("llvm")
        True
        """
        return self._executable.run.as_text(dialect)

    def cost_analysis(self) -> dict[str, float]:
        """Estimated flops and bytes of the whole computation."""
        from jaxlike.transforms.cost import cost_of

        return cost_of(self._stage.jaxpr)

    def memory_analysis(self) -> MemoryAnalysis:
        """Bytes of arguments, results and temporaries, and of results that lie in the
        memory of donated arguments."""
        jaxpr, run = self._stage.jaxpr, self._executable.run
        arguments, results = (
            sum(a.size * a.dtype.itemsize for a in avals)
            for avals in (jaxpr.in_avals, jaxpr.out_avals)
        )
        shared = getattr(run, "donated_bytes", 0)
        temporary = getattr(run, "arena_bytes", 0)
        return MemoryAnalysis(
            arguments,
            results,
            shared,
            temporary,
            arguments + results - shared + temporary,
        )

    def plan(self) -> Any:
        """Which equations share which kernel, with each step's bytes and flops.

        Returns:
          An object whose `steps` hold the numbers, and which prints as a table;
          `jaxlike.profiler.measure` adds the time that each step takes.

        >>> import jaxlike, jaxlike.numpy as jnp
        >>> f = jaxlike.jit(lambda x: jnp.sum(jnp.sin(x) * 2))
        >>> f.lower(jnp.ones((4, 4))).compile().plan().kernels
        1
        """
        return self._executable.run.plan()

    def runtime_executable(self) -> Any:
        return self._executable.run

    @api_boundary
    def __call__(self, *args, **kwargs):
        traced = self._stage._traced
        static, args_, kwargs_ = self._stage._jitted._split_static(args, kwargs)
        if static:
            raise TypeError(
                format_error(
                    f"the compiled {self._stage.fun_name} takes no static arguments: "
                    "their values are part of what was compiled",
                    try_="the same call without them",
                )
            )
        leaves, in_tree = tree.flatten((args_, kwargs_))
        if in_tree != traced.in_tree:
            raise TypeError(
                format_error(
                    f"the compiled {self._stage.fun_name} was called with arguments of "
                    "another structure",
                    [f"compiled for {traced.in_tree}", f"called with {in_tree}"],
                )
            )
        expected = traced.jaxpr.in_avals[len(traced.consts) :]
        for i, (x, aval) in enumerate(zip(leaves, expected)):
            got = get_aval(x)
            if got.shape != aval.shape or got.dtype != aval.dtype:
                raise TypeError(
                    format_error(
                        f"the compiled {self._stage.fun_name} was called with an "
                        "argument of another type",
                        [
                            f"{_leaf_name(traced, i)}: compiled for {aval}, called "
                            f"with {got}"
                        ],
                        try_="the jitted function itself, which compiles for each type",
                    )
                )
        if any(isinstance(x, Array) and type(x) is not Array for x in leaves):
            raise TypeError(
                format_error(
                    f"the compiled {self._stage.fun_name} runs on arrays only; it "
                    "cannot be transformed",
                    try_="the jitted function itself under the transform",
                )
            )
        return tree.unflatten(traced.out_tree, self._executable(leaves))

    call = __call__


def _leaf_name(traced: TracedCall, i: int) -> str:
    debug_info = traced.jaxpr.jaxpr.debug_info
    names = debug_info.arg_names if debug_info is not None else None
    return names[i] if names and i < len(names) else f"leaf {i}"


class MemoryAnalysis(NamedTuple):
    """Bytes that a compiled function takes; of temporaries, those of its arena."""

    argument_size_in_bytes: int
    output_size_in_bytes: int
    alias_size_in_bytes: int
    temp_size_in_bytes: int
    peak_memory_in_bytes: int


class CompilerOptions(dict):
    """Options for a backend's compiler, by name."""


Wrapped = JitFunction
