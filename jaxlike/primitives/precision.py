"""What users say about the arithmetic of contractions: Precision and DotAlgorithm.

The CPU multiplies in full precision whatever is asked for; the values are checked and
kept as params, so that programs carry over and other backends can use them.
"""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.config import config
from jaxlike.core.errors import format_error

__all__ = [
    "DotAlgorithm",
    "DotAlgorithmPreset",
    "Precision",
    "PrecisionLike",
    "canonical_precision",
]


class Precision(enum.Enum):
    """How precisely matrix products of float32 are to be computed.

    >>> from jaxlike import lax
    >>> lax.Precision("highest")
    Precision.HIGHEST
    """

    DEFAULT = 0
    HIGH = 1
    HIGHEST = 2

    @classmethod
    def _missing_(cls, value):
        return _precision_names.get(value)

    def __repr__(self) -> str:
        return f"Precision.{self.name}"

    def __str__(self) -> str:
        return self.name


_precision_names: dict[Any, Precision] = {
    "highest": Precision.HIGHEST,
    "float32": Precision.HIGHEST,
    "high": Precision.HIGH,
    "bfloat16_3x": Precision.HIGH,
    "tensorfloat32": Precision.HIGH,
    "default": Precision.DEFAULT,
    "bfloat16": Precision.DEFAULT,
    "fastest": Precision.DEFAULT,
    None: Precision.DEFAULT,
}


class DotAlgorithm(NamedTuple):
    """The arithmetic of a matrix product, spelled out.

    >>> import numpy as np
    >>> from jaxlike import lax
    >>> f32 = np.float32
    >>> lax.DotAlgorithm(f32, f32, f32).num_primitive_operations
    1
    """

    lhs_precision_type: Any
    rhs_precision_type: Any
    accumulation_type: Any
    lhs_component_count: int = 1
    rhs_component_count: int = 1
    num_primitive_operations: int = 1
    allow_imprecise_accumulation: bool = False


_f16, _f32, _f64 = np.float16, np.float32, np.float64
_bf16 = dtypes.bfloat16.type
_f8 = tuple(
    dtypes.narrow_floats[f"float8_{name}"].type
    for name in ("e4m3fn", "e5m2", "e5m2fnuz", "e4m3fnuz", "e4m3b11fnuz")
)


class DotAlgorithmPreset(enum.Enum):
    """Names for the arithmetics of matrix products that machines offer.

    >>> from jaxlike import lax
    >>> lax.DotAlgorithmPreset.F32_F32_F32
    DotAlgorithmPreset.F32_F32_F32
    """

    DEFAULT = enum.auto()
    ANY_F8_ANY_F8_F32 = enum.auto()
    ANY_F8_ANY_F8_F32_FAST_ACCUM = enum.auto()
    ANY_F8_ANY_F8_ANY = enum.auto()
    ANY_F8_ANY_F8_ANY_FAST_ACCUM = enum.auto()
    F16_F16_F16 = enum.auto()
    F16_F16_F32 = enum.auto()
    BF16_BF16_BF16 = enum.auto()
    BF16_BF16_F32 = enum.auto()
    BF16_BF16_F32_X3 = enum.auto()
    BF16_BF16_F32_X6 = enum.auto()
    BF16_BF16_F32_X9 = enum.auto()
    TF32_TF32_F32 = enum.auto()
    TF32_TF32_F32_X3 = enum.auto()
    F32_F32_F32 = enum.auto()
    F64_F64_F64 = enum.auto()

    def __repr__(self) -> str:
        return f"DotAlgorithmPreset.{self.name}"

    def __str__(self) -> str:
        return self.name

    @property
    def supported_lhs_types(self) -> tuple[type, ...] | None:
        """Types that the left operand may have; None where any may."""
        return _preset_types.get(self.name, (None, None))[0]

    supported_rhs_types = supported_lhs_types

    @property
    def accumulation_type(self) -> type | None:
        """The type that products are summed in; None where it is the output's."""
        return _preset_types.get(self.name, (None, None))[1]

    def supported_output_types(self, lhs_dtype, rhs_dtype) -> tuple[type, ...] | None:
        """Types that the result may have; None where any may."""
        if self.name.startswith("ANY_F8_ANY_F8_F32"):
            return (_f32, _f16, _bf16, *_f8)
        accumulation = self.accumulation_type
        return None if accumulation is None else (accumulation,)


_preset_types: dict[str, tuple[tuple[type, ...] | None, type | None]] = {
    "ANY_F8_ANY_F8_F32": (None, _f32),
    "ANY_F8_ANY_F8_F32_FAST_ACCUM": (None, _f32),
    "F16_F16_F16": ((_f16,), _f16),
    "F16_F16_F32": ((_f16,), _f32),
    "BF16_BF16_BF16": ((_bf16, _f32), _bf16),
    "BF16_BF16_F32": ((_bf16, _f32), _f32),
    "BF16_BF16_F32_X3": ((_f32,), _f32),
    "BF16_BF16_F32_X6": ((_f32,), _f32),
    "BF16_BF16_F32_X9": ((_f32,), _f32),
    "TF32_TF32_F32": ((_f32,), _f32),
    "TF32_TF32_F32_X3": ((_f32,), _f32),
    "F32_F32_F32": ((_f32,), _f32),
    "F64_F64_F64": ((_f64,), _f64),
}
PrecisionLike = (
    str
    | Precision
    | tuple[str, str]
    | tuple[Precision, Precision]
    | DotAlgorithm
    | DotAlgorithmPreset
    | None
)


def canonical_precision(precision: PrecisionLike) -> Any:
    """The param that a user's `precision` argument becomes.

    None, a pair of Precisions, a DotAlgorithm or a DotAlgorithmPreset.
    Raises ValueError for anything else.
    """
    if precision is None:
        precision = config.default_matmul_precision
        if precision is None:
            return None
    if isinstance(precision, Precision):
        return precision, precision
    if isinstance(precision, (DotAlgorithm, DotAlgorithmPreset)):
        return precision
    if isinstance(precision, str):
        if precision in _precision_names:
            one = _precision_names[precision]
            return one, one
        if precision in DotAlgorithmPreset.__members__:
            return DotAlgorithmPreset[precision]
    elif isinstance(precision, (tuple, list)) and len(precision) == 2:
        pair = [_precision_names.get(p) if isinstance(p, str) else p for p in precision]
        if all(isinstance(p, Precision) for p in pair):
            return pair[0], pair[1]
    raise ValueError(
        format_error(
            f"precision is {precision!r}",
            details=[
                "it must be None, a lax.Precision, one of the strings "
                + ", ".join(repr(k) for k in _precision_names if k),
                "or two of those in a tuple; or a lax.DotAlgorithm, a "
                "lax.DotAlgorithmPreset or a preset's name",
            ],
        )
    )
