"""The table of settings: name, kind, default, and what each one changes.

Read and set through `config.py`. A kind is a type, a tuple of the allowed strings, or
`object`; `optional` settings may be None, `traced` ones take part in compile caches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

GUARDS = ("allow", "log", "disallow", "log_explicit", "disallow_explicit")
PRECISIONS = (
    "default",
    "high",
    "highest",
    "bfloat16",
    "tensorfloat32",
    "float32",
    "ANY_F8_ANY_F8_F32",
    "ANY_F8_ANY_F8_F32_FAST_ACCUM",
    "ANY_F8_ANY_F8_ANY",
    "ANY_F8_ANY_F8_ANY_FAST_ACCUM",
    "F16_F16_F16",
    "F16_F16_F32",
    "BF16_BF16_BF16",
    "BF16_BF16_F32",
    "BF16_BF16_F32_X3",
    "BF16_BF16_F32_X6",
    "BF16_BF16_F32_X9",
    "TF32_TF32_F32",
    "TF32_TF32_F32_X3",
    "F32_F32_F32",
    "F64_F64_F64",
)
PRNGS = (
    "threefry2x32",
    "threefry4x32",
    "rbg",
    "unsafe_rbg",
    "philox2x32",
    "philox4x32",
)
FILTERINGS = ("auto", "off", "tracebackhide", "remove_frames", "quiet_remove_frames")

_TRUE = ("y", "yes", "t", "true", "on", "1")
_FALSE = ("n", "no", "f", "false", "off", "0")


@dataclass(frozen=True)
class Flag:
    """One setting; `check` returns the value to keep or raises ValueError."""

    name: str
    kind: Any
    default: Any
    doc: str
    traced: bool = False
    optional: bool = False
    also_env: tuple[str, ...] = ()

    @property
    def env(self) -> tuple[str, ...]:
        return (f"JAXLIKE_{self.name.upper()}", *self.also_env)

    def check(self, value: Any) -> Any:
        if self.kind is object:
            # becomes part of cache keys
            hash(value)
            return value
        if value is None and self.optional:
            return value
        if self.kind is bool:
            # 0 and 1, Python's or NumPy's, are what flag parsers hand over
            if type(value).__name__ in ("bool", "bool_", "int") and value in (0, 1):
                return bool(value)
        elif self.kind is int:
            if hasattr(value, "__index__") and not isinstance(value, bool):
                return value.__index__()
        elif self.kind is float:
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return float(value)
        elif self.kind is str:
            if isinstance(value, str):
                return value
        elif isinstance(value, str) and value in self.kind:
            return value
        raise ValueError(
            f"config option {self.name} takes {self.accepts()}, "
            f"got {value!r} of type {type(value).__name__}"
        )

    def accepts(self) -> str:
        if isinstance(self.kind, tuple):
            text = "one of " + ", ".join(map(repr, self.kind))
        else:
            text = {bool: "True or False", int: "an int", float: "a float"}.get(
                self.kind, "a str"
            )
        return f"{text} (or None)" if self.optional else text

    def parse(self, text: str, variable: str) -> Any:
        """The value written in an environment variable."""
        try:
            if self.kind is bool:
                word = text.strip().lower()
                if word not in _TRUE + _FALSE:
                    raise ValueError(f"not a truth value: {text!r}")
                return word in _TRUE
            if self.optional and text.strip() in ("", "None", "none"):
                return None
            kind: Callable[[str], Any] = self.kind
            return self.check(kind(text) if kind in (int, float) else text)
        except ValueError as error:
            raise ValueError(
                f"environment variable {variable} must be {self.accepts()}, "
                f"got {text!r}"
            ) from error


def _flags() -> list[Flag]:
    def traced(name: str, kind: Any, default: Any, doc: str, **kw: Any) -> Flag:
        return Flag(name, kind, default, doc, traced=True, **kw)

    def guard(name: str, what: str) -> Flag:
        return Flag(name, GUARDS, None, f"What to do on {what}.", optional=True)

    return [
        # numbers and their types
        traced("enable_x64", bool, False, "Let 64-bit types through."),
        traced(
            "numpy_dtype_promotion",
            ("standard", "strict"),
            "standard",
            "'strict' refuses to mix dtypes unless one is a Python scalar.",
        ),
        traced(
            "numpy_rank_promotion",
            ("allow", "warn", "raise"),
            "allow",
            "What to do when broadcasting adds leading axes.",
        ),
        traced(
            "default_matmul_precision",
            PRECISIONS,
            None,
            "Precision of matrix products and convolutions.",
            optional=True,
        ),
        Flag(
            "explicit_x64_dtypes",
            ("warn", "error", "allow"),
            "warn",
            "What to do when a 64-bit type is asked for while enable_x64 is off.",
            traced=True,
        ),
        traced("allow_f16_reductions", bool, True, "Reduce float16 in float16."),
        traced("softmax_custom_jvp", bool, False, "Softmax with its own JVP rule."),
        # random numbers
        traced("default_prng_impl", PRNGS, "threefry2x32", "Algorithm of new keys."),
        traced("threefry_partitionable", bool, True, "Order of random bits."),
        traced("enable_custom_prng", bool, False, "PRNGKey returns typed keys."),
        traced(
            "legacy_prng_key",
            ("allow", "warn", "error"),
            "allow",
            "What to do when a raw uint32 key is used.",
        ),
        traced("random_seed_offset", int, 0, "Added to every seed."),
        traced("high_dynamic_range_gumbel", bool, False, "More tail in Gumbel draws."),
        # finding mistakes
        traced("debug_nans", bool, False, "Raise where the first NaN is made."),
        traced("debug_infs", bool, False, "Raise where the first infinity is made."),
        traced("debug_key_reuse", bool, False, "Raise when a key is used twice."),
        traced("disable_jit", bool, False, "Run jit's functions op by op."),
        traced("enable_checks", bool, False, "Check types of every jaxpr made."),
        Flag("check_tracer_leaks", bool, False, "Raise when a tracer escapes."),
        Flag("log_compiles", bool, False, "Log each trace and compilation."),
        Flag("explain_cache_misses", bool, False, "Log why jit traced anew."),
        Flag("no_tracing", bool, False, "Raise when jit would trace."),
        Flag("no_execution", bool, False, "Raise when an op would run."),
        Flag("thread_guard", bool, False, "Raise when another thread runs ops."),
        traced(
            "error_checking_behavior_nan",
            ("ignore", "raise"),
            "ignore",
            "What error_if-style checks do on NaN.",
        ),
        traced(
            "error_checking_behavior_divide",
            ("ignore", "raise"),
            "ignore",
            "What they do on a division by zero.",
        ),
        traced(
            "error_checking_behavior_oob",
            ("ignore", "raise"),
            "ignore",
            "What they do on an index out of bounds.",
        ),
        traced("check_static_indices", bool, False, "Check constant indices."),
        traced("disable_bwd_checks", bool, False, "Skip checks of custom_vjp's bwd."),
        Flag("mutable_array_checks", bool, True, "Check aliasing of refs."),
        # what users see
        Flag("traceback_filtering", FILTERINGS, "auto", "Hide internal frames."),
        Flag("traceback_in_locations_limit", int, 100, "Frames kept per equation."),
        Flag("tracer_error_num_traceback_frames", int, 5, "Frames shown for a leak."),
        Flag("include_full_tracebacks_in_locations", bool, True, "Keep all frames."),
        Flag("pprint_use_color", bool, True, "Colour in printed jaxprs."),
        Flag("logging_level", str, "NOTSET", "Level of jaxlike's loggers."),
        Flag("debug_log_modules", str, "", "Modules whose debug log is shown."),
        Flag("dump_ir_to", str, "", "Folder for the text of compiled programs."),
        # devices
        Flag("platforms", str, None, "Backends to use, by comma.", optional=True),
        Flag("platform_name", str, "", "The backend of default_backend()."),
        Flag("default_device", object, None, "Device of new arrays.", traced=True),
        Flag("num_cpu_devices", int, -1, "Threads that stand for CPU devices."),
        Flag("cpu_collectives_implementation", str, "mpi", "", optional=True),
        Flag("cpu_enable_async_dispatch", bool, True, "Accepted; no effect."),
        Flag("buffer_pool_bytes", int, 1 << 29, "Idle memory kept for new arrays."),
        Flag("cuda_visible_devices", str, "all", "GPUs to use."),
        Flag("use_shardy_partitioner", bool, True, "Accepted; no effect."),
        traced("auto_pcast", bool, True, "Insert pcast under shard_map."),
        traced("check_vma", bool, False, "Check varying axes under shard_map."),
        traced("remove_size_one_mesh_axis_from_type", bool, False, ""),
        guard("transfer_guard", "any implicit transfer"),
        guard("transfer_guard_host_to_device", "an implicit transfer to a device"),
        guard("transfer_guard_device_to_device", "an implicit transfer among devices"),
        guard("transfer_guard_device_to_host", "an implicit transfer to the host"),
        Flag(
            "array_garbage_collection_guard",
            ("allow", "log", "fatal"),
            None,
            "What to do when an array dies in a reference cycle.",
            optional=True,
        ),
        # compiling
        Flag("enable_compilation_cache", bool, True, "Use the cache on disk."),
        Flag(
            "compilation_cache_dir",
            str,
            None,
            "Folder of the cache on disk.",
            optional=True,
            also_env=("JAXLIKE_CACHE_DIR",),
        ),
        Flag(
            "cache_max_bytes",
            int,
            2 << 30,
            "Size at which old cache entries go; -1 for no bound.",
            also_env=("JAXLIKE_COMPILATION_CACHE_MAX_SIZE",),
        ),
        Flag("persistent_cache_min_compile_time_secs", float, 1.0, ""),
        Flag("persistent_cache_min_entry_size_bytes", int, 0, ""),
        Flag("persistent_cache_enable_xla_caches", str, "", "Accepted; no effect."),
        Flag("raise_persistent_cache_errors", bool, False, "Raise on a bad cache."),
        Flag("captured_constants_warn_bytes", int, 2_000_000_000, ""),
        Flag("captured_constants_report_frames", int, 0, ""),
        traced("disable_most_optimizations", bool, False, "Compile faster."),
        traced("eager_constant_folding", bool, False, ""),
        traced("use_direct_linearize", bool, True, "Accepted; no effect."),
        Flag("log_checkpoint_residuals", bool, False, "Log what remat keeps."),
        Flag("jax2tf_associative_scan_reductions", bool, False, ""),
        Flag("distributed_debug", bool, False, "Log each collective."),
    ]


FLAGS: dict[str, Flag] = {flag.name: flag for flag in _flags()}
# a second name for the same setting
ALIASES: dict[str, str] = {
    "compilation_cache_max_size": "cache_max_bytes",
    "x64_enabled": "enable_x64",
}
