"""What every jaxlike.numpy function does to its arguments first: check that they are
arrays, promote them to one dtype, and line their ranks up.

The dtype rules are in core.dtypes; the functions here apply them to values.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array, to_array
from jaxlike.core.avals import ShapedArray, aval_of_type, get_aval
from jaxlike.core.config import config
from jaxlike.core.errors import format_error
from jaxlike.core.kinds import DTYPES_OF_64_BITS
from jaxlike.core.state import state
from jaxlike.core.trace import Tracer, eval_trace

ArrayLike = Any
DTypeLike = Any

_PYTHON_SCALARS = (bool, int, float, complex)

# the types that have been seen to be array-like, so that a check is one look-up
_known_types: set[type] = {Array, np.ndarray, *_PYTHON_SCALARS}


def is_arraylike(x: Any) -> bool:
    """Whether `x` is an array, a tracer, a NumPy value or a Python scalar.

    >>> is_arraylike(1.0), is_arraylike([1.0])
    (True, False)
    """
    t = type(x)
    if t in _known_types:
        return True
    if isinstance(x, (Tracer, np.ndarray, np.generic, *_PYTHON_SCALARS)):
        _known_types.add(t)
        return True
    return hasattr(x, "__jax_array__")


def check_arraylike(name: str, *args: Any) -> None:
    """Raise TypeError unless each argument is an array or a scalar.

    >>> check_arraylike("add", 1, np.ones(2))
    """
    for position, x in enumerate(args):
        if type(x) not in _known_types and not is_arraylike(x):
            from jaxlike.core.errors import format_error

            raise TypeError(
                format_error(
                    f"{name} takes arrays and numbers, but operand {position} is of "
                    f"type {type(x).__name__}",
                    try_="jnp.array(...) of it"
                    if isinstance(x, (list, tuple))
                    else None,
                )
            )


def check_arraylike_or_none(name: str, *args: Any) -> None:
    """As `check_arraylike`, letting None pass."""
    check_arraylike(name, *[0 if x is None else x for x in args])


def check_no_float0s(name: str, *args: Any) -> None:
    """Raise TypeError if an argument holds float0, the tangent type of integers.

    >>> check_no_float0s("sin", 1.0)
    """
    for x in args:
        if getattr(x, "dtype", None) == dtypes.float0:
            raise TypeError(
                format_error(
                    f"Called {name} with a float0 array: the derivative with respect "
                    "to an integer or boolean input, which takes no part in "
                    "arithmetic. Try: np.zeros(x.shape) in its place."
                )
            )


def to_arrays(name: str, *args: Any) -> list[Any]:
    """The arguments as Arrays (tracers stay), weakly typed for Python scalars.

    >>> [x] = to_arrays("sum", 1.0)
    >>> x.weak_type
    True
    """
    check_arraylike(name, *args)
    return [as_array(x) for x in args]


def as_array(x: Any) -> Any:
    """An array-like as an Array; tracers come back as they are."""
    if type(x) is Array or isinstance(x, Tracer):
        return x
    if hasattr(x, "__jax_array__"):
        return as_array(x.__jax_array__())
    if type(x) is int:
        return Array(dtypes.scalar_to_numpy(x), get_aval(x))
    return to_array(x)


# ---- dtypes --------------------------------------------------------------------------


def convert(x: Any, dtype: Any, weak_type: bool = False) -> Any:
    """`x` with this dtype and weak type; `x` itself where it has them already.

    Python scalars and NumPy values become 0-d values of the dtype.

    >>> convert(1, np.dtype("float16"))
    array(1., dtype=float16)
    """
    t = type(x)
    if t in _PYTHON_SCALARS:
        return _convert_scalar(x, dtype, weak_type)
    aval = x.aval if t is Array or isinstance(x, Tracer) else get_aval(x)
    if aval.dtype is dtype or aval.dtype == dtype:
        if aval.weak_type == weak_type:
            return x
        if state.trace is eval_trace and t is Array:
            return Array(x._data, ShapedArray(aval.shape, aval.dtype, weak_type))
    from jaxlike.primitives.conversion import convert_element_type_p

    return convert_element_type_p.bind(x, new_dtype=dtype, weak_type=weak_type)


def _convert_scalar(x: Any, dtype: Any, weak_type: bool) -> Any:
    if type(x) is int:  # Python ints have to fit their own default dtype first
        value = dtypes.scalar_to_numpy(x)
    else:
        value = x
    if weak_type:
        python_type = dtypes.scalar_type_of(dtype)
        if dtypes.python_scalar_dtype(python_type) == dtype and python_type is not bool:
            return x if type(x) is python_type else python_type(x)
        with np.errstate(all="ignore"):
            data = np.asarray(value).astype(dtype)
        return Array(data, ShapedArray((), dtype, True))
    with np.errstate(all="ignore"):
        return np.asarray(value).astype(dtype)


def promote_dtypes(*args: Any) -> list[Any]:
    """The arguments converted to the dtype that they promote to together.

    >>> promote_dtypes(np.ones(1, "int8"), 2)
    [array([1], dtype=int8), array(2, dtype=int8)]
    """
    if len(args) < 2:
        return list(args)
    dtype, weak = dtypes.lattice_result_type(*args)
    return [convert(x, dtype, weak) for x in args]


def promote_dtypes_inexact(*args: Any) -> list[Any]:
    """As `promote_dtypes`, and integers and booleans become floats."""
    dtype, weak = dtypes.lattice_result_type(*args)
    inexact = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(dtype))
    return [convert(x, inexact, weak) for x in args]


def promote_dtypes_numeric(*args: Any) -> list[Any]:
    """As `promote_dtypes`, and booleans become integers."""
    dtype, weak = dtypes.lattice_result_type(*args)
    numeric = dtypes.canonicalize_dtype(dtypes.to_numeric_dtype(dtype))
    return [convert(x, numeric, weak) for x in args]


def promote_dtypes_complex(*args: Any) -> list[Any]:
    """As `promote_dtypes`, and everything becomes complex."""
    dtype, weak = dtypes.lattice_result_type(*args)
    to_dtype = dtypes.canonicalize_dtype(dtypes.to_complex_dtype(dtype))
    return [convert(x, to_dtype, weak) for x in args]


# arguments that name one dtype, whatever x64 says
_plain_dtypes: dict[Any, Any] = {}


def user_dtype(dtype: Any, name: str) -> Any:
    """The dtype that a user asked the function `name` for; None stays.

    Warns where 64 bits become 32. Raises: TypeError for what is no dtype of arrays.

    >>> user_dtype("int8", "zeros")
    dtype('int8')
    """
    try:
        return _plain_dtypes[dtype]
    except (KeyError, TypeError):
        pass
    out = dtypes.check_user_dtype_supported(dtype, name)
    if isinstance(out, np.dtype) and out not in DTYPES_OF_64_BITS:
        if isinstance(dtype, (str, np.dtype)) and np.dtype(dtype) == out:
            _plain_dtypes[dtype] = out
    return out


# ---- shapes --------------------------------------------------------------------------


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an array-like."""
    t = type(x)
    if t in _PYTHON_SCALARS:
        return ()
    return x.shape if hasattr(x, "shape") else get_aval(x).shape


def dtype_of(x: Any) -> Any:
    """The canonical dtype of an array-like."""
    t = type(x)
    if t in _PYTHON_SCALARS:
        return dtypes.python_scalar_dtype(t)
    return x.aval.dtype if t is Array else get_aval(x).dtype


def scalar_like(x: Any, value: Any) -> Any:
    """`value` as a scalar operand that goes with `x`: of its dtype, and weak if `x` is
    a weak scalar (a weak array becomes a strong one, as in JAX)."""
    if type(x) in _PYTHON_SCALARS:
        return type(x)(value)
    aval = x.aval if type(x) is Array else get_aval(x)
    dtype = aval.dtype
    if aval.weak_type and not aval.shape:
        python_type = dtypes.s.python_type_of[dtype]
        if python_type is not bool and dtypes.python_scalar_dtype(python_type) == dtype:
            return python_type(value)
    key = dtype, value
    try:
        return _scalars[key]
    except KeyError:
        if len(_scalars) > 1000:
            _scalars.clear()
        with np.errstate(all="ignore"):
            return _scalars.setdefault(key, np.asarray(value).astype(dtype))


# equal floats that differ in the sign of zero are not told apart: no caller needs it
_scalars: dict[Any, np.ndarray] = {}


def is_complex(x: Any) -> bool:
    """Whether an array-like has a complex dtype."""
    return dtypes.issubdtype(dtype_of(x), np.complexfloating)


def weak_scalar_like(x: Any, value: Any) -> Any:
    """As `scalar_like`, weak for weak arrays too."""
    aval = get_aval(x)
    if aval.weak_type and aval.shape:
        return convert(dtypes.scalar_type_of(aval.dtype)(value), aval.dtype, True)
    return scalar_like(x, value)


def strong_scalar_like(x: Any, value: Any) -> Any:
    """`value` as a scalar operand of the dtype of `x`, not weak."""
    return np.asarray(value).astype(dtype_of(x))


def ndim_of(x: Any) -> int:
    """The rank of an array-like."""
    return len(shape_of(x))


def promote_shapes(name: str, *args: Any) -> list[Any]:
    """The arguments with leading axes of size 1 added, up to a common rank.

    Scalars stay scalars: elementwise primitives stretch them, and axes of size 1.
    Raises: ValueError under jax_numpy_rank_promotion="raise" if ranks differ.
    """
    if len(args) < 2:
        return list(args)
    shapes = [shape_of(x) for x in args]
    ranks = {len(s) for s in shapes if s}
    if len(ranks) < 2:
        return list(args)
    if config.numpy_rank_promotion != "allow":
        _rank_promotion(name, shapes)
    rank = max(ranks)
    full = [(1,) * (rank - len(s)) + s for s in shapes if s]
    for axis, sizes in enumerate(zip(*full)):
        if len({n for n in sizes if n != 1}) > 1:
            _incompatible(name, args, axis, sizes)
    return [_lead(x, s, rank) if s else x for x, s in zip(args, shapes)]


def _incompatible(name: str, args, axis: int, sizes) -> None:
    from jaxlike.core.errors import format_error, operand_details

    got = " and ".join(str(get_aval(x)) for x in args)
    raise ValueError(
        format_error(
            f"{name} got incompatible shapes {got}",
            [
                f"axis {axis}: " + " against ".join(map(str, sizes)),
                *operand_details(args),
            ],
            try_="x[:, None] to give a vector a trailing axis; shapes are aligned at "
            "their last axes",
        )
    )


def _lead(x: Any, shape: tuple[int, ...], rank: int) -> Any:
    missing = rank - len(shape)
    if not missing:
        return x
    from jaxlike.primitives.shapes import broadcast_in_dim

    return broadcast_in_dim(x, (1,) * missing + shape, tuple(range(missing, rank)))


def broadcast_to_shape(x: Any, shape: tuple[int, ...]) -> Any:
    """`x` stretched to a shape that it broadcasts to, trailing axes aligned."""
    own = shape_of(x)
    if own == shape:
        return x
    from jaxlike.primitives.broadcasting import broadcast_in_dim

    return broadcast_in_dim(x, shape, tuple(range(len(shape) - len(own), len(shape))))


def broadcast_args(*args: Any) -> list[Any]:
    """The arguments stretched to their common shape.

    Raises: ValueError if there is none.
    """
    from jaxlike.primitives.broadcasting import broadcast_shapes

    shapes = [shape_of(x) for x in args]
    shape = shapes[0]
    if any(s != shape for s in shapes):
        shape = broadcast_shapes(*shapes)
    return [broadcast_to_shape(x, shape) for x in args]


def _rank_promotion(name: str, shapes: list[tuple[int, ...]]) -> None:
    listed = " ".join(map(str, shapes))
    if config.numpy_rank_promotion == "raise":
        raise ValueError(
            format_error(
                f"Operands could not be broadcast together for {name} on shapes "
                f"{listed} and with the config option "
                "jax_numpy_rank_promotion='raise'."
            )
        )
    warnings.warn(
        f"Following NumPy automatic rank promotion for {name} on shapes {listed}. "
        "Set the jax_numpy_rank_promotion config option to 'allow' to disable this "
        "warning.",
        stacklevel=4,
    )


# ---- both ----------------------------------------------------------------------------


def promote_args(name: str, *args: Any) -> list[Any]:
    """Check the arguments, and give them one dtype and one rank.

    >>> promote_args("add", np.ones(2, "float16"), 1)
    [array([1., 1.], dtype=float16), array(1., dtype=float16)]
    """
    check_arraylike(name, *args)
    args = _unwrap(args)
    _check_numbers(name, args, alike=True)
    return promote_shapes(name, *promote_dtypes(*args))


def promote_args_inexact(name: str, *args: Any) -> list[Any]:
    """As `promote_args`, and integers and booleans become floats.

    >>> promote_args_inexact("sin", np.int8(1))
    [Array(1., dtype=float32)]
    """
    check_arraylike(name, *args)
    args = _unwrap(args)
    _check_numbers(name, args)
    return promote_shapes(name, *promote_dtypes_inexact(*args))


def promote_args_numeric(name: str, *args: Any) -> list[Any]:
    """As `promote_args`, and booleans become integers."""
    check_arraylike(name, *args)
    args = _unwrap(args)
    _check_numbers(name, args)
    return promote_shapes(name, *promote_dtypes_numeric(*args))


def _unwrap(args: tuple) -> tuple:
    for x in args:
        if type(x) not in aval_of_type and hasattr(x, "__jax_array__"):
            return tuple(
                a.__jax_array__() if hasattr(a, "__jax_array__") else a for a in args
            )
    return args


def _check_numbers(name: str, args: tuple, alike: bool = False) -> None:
    """Refuse float0, and keys, which may be compared with keys if they are `alike`."""
    for x in args:
        dtype = getattr(x, "dtype", None)
        if dtype is dtypes.float0:
            check_no_float0s(name, *args)
        if isinstance(dtype, dtypes.ExtendedDType):
            if alike and all(getattr(a, "dtype", None) == dtype for a in args):
                return
            raise TypeError(
                format_error(
                    f"{name} takes numbers, not {dtype.name}",
                    try_="jaxlike.random.key_data of the keys, for their words",
                )
            )
