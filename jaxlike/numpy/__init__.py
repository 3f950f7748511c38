"""jax.numpy's functions: NumPy's API over the primitives, with JAX's dtypes.

May import core, primitives, transforms and control_flow; never nn, random or scipy.
"""

from jaxlike.core.array import Array
from jaxlike.core.lazy import lazy_names
from jaxlike.numpy.scalar_types import (
    bfloat16 as bfloat16,
)
from jaxlike.numpy.scalar_types import (
    bool_ as bool_,
)
from jaxlike.numpy.scalar_types import (
    cdouble as cdouble,
)
from jaxlike.numpy.scalar_types import (
    complex64 as complex64,
)
from jaxlike.numpy.scalar_types import (
    complex128 as complex128,
)
from jaxlike.numpy.scalar_types import (
    complex_ as complex_,
)
from jaxlike.numpy.scalar_types import (
    csingle as csingle,
)
from jaxlike.numpy.scalar_types import (
    double as double,
)
from jaxlike.numpy.scalar_types import (
    float16 as float16,
)
from jaxlike.numpy.scalar_types import (
    float32 as float32,
)
from jaxlike.numpy.scalar_types import (
    float64 as float64,
)
from jaxlike.numpy.scalar_types import (
    float_ as float_,
)
from jaxlike.numpy.scalar_types import (
    int8 as int8,
)
from jaxlike.numpy.scalar_types import (
    int16 as int16,
)
from jaxlike.numpy.scalar_types import (
    int32 as int32,
)
from jaxlike.numpy.scalar_types import (
    int64 as int64,
)
from jaxlike.numpy.scalar_types import (
    int_ as int_,
)
from jaxlike.numpy.scalar_types import narrow_types as _narrow_types
from jaxlike.numpy.scalar_types import (
    single as single,
)
from jaxlike.numpy.scalar_types import (
    uint as uint,
)
from jaxlike.numpy.scalar_types import (
    uint8 as uint8,
)
from jaxlike.numpy.scalar_types import (
    uint16 as uint16,
)
from jaxlike.numpy.scalar_types import (
    uint32 as uint32,
)
from jaxlike.numpy.scalar_types import (
    uint64 as uint64,
)

# a module is imported when the first of its names is asked for
_NAMES = {
    "jaxlike.core.array_repr": ("array_repr array_str"),
    "jaxlike.numpy.apply": ("apply_along_axis apply_over_axes"),
    "jaxlike.numpy.averages": ("mean std var"),
    "jaxlike.numpy.binary": (
        "arctan2 atan2 bitwise_left_shift bitwise_right_shift clip divide "
        "divmod equal float_power floor_divide fmod greater greater_equal "
        "left_shift less less_equal mod nextafter not_equal pow power remainder "
        "right_shift true_divide"
    ),
    "jaxlike.numpy.checks": (
        "allclose array_equal array_equiv isclose iscomplex iscomplexobj "
        "isfinite isinf isnan isneginf isposinf isreal isrealobj isscalar "
        "iterable signbit"
    ),
    "jaxlike.numpy.constants": (
        "ComplexWarning can_cast character complexfloating dtype e euler_gamma "
        "finfo flexible floating generic get_printoptions iinfo inexact inf "
        "integer isdtype issubdtype nan newaxis number object_ pi printoptions "
        "promote_types result_type set_printoptions signedinteger "
        "unsignedinteger"
    ),
    "jaxlike.numpy.creation": (
        "array asarray astype copy empty empty_like full full_like ones "
        "ones_like zeros zeros_like"
    ),
    "jaxlike.numpy.cumulative": (
        "cumprod cumsum cumulative_prod cumulative_sum nancumprod nancumsum"
    ),
    "jaxlike.numpy.einsums": ("einsum einsum_path"),
    "jaxlike.numpy.histograms": (
        "bincount digitize histogram histogram2d histogram_bin_edges histogramdd"
    ),
    "jaxlike.numpy.index_tricks": ("c_ index_exp ix_ mgrid ogrid r_ s_"),
    "jaxlike.numpy.io": (
        "from_dlpack frombuffer fromfile fromfunction fromiter fromstring load "
        "save savez"
    ),
    "jaxlike.numpy.joining": (
        "append array_split block column_stack concat concatenate dsplit dstack "
        "hsplit hstack split stack unstack vsplit vstack"
    ),
    "jaxlike.numpy.manipulation": (
        "atleast_1d atleast_2d atleast_3d broadcast_arrays broadcast_shapes "
        "broadcast_to expand_dims matrix_transpose moveaxis ndim permute_dims "
        "ravel reshape rollaxis shape size squeeze swapaxes transpose"
    ),
    "jaxlike.numpy.matrices": (
        "diag diag_indices diag_indices_from diagflat diagonal eye identity "
        "mask_indices trace tri tril tril_indices tril_indices_from triu "
        "triu_indices triu_indices_from vander"
    ),
    "jaxlike.numpy.nan_reductions": (
        "nanargmax nanargmin nanmax nanmean nanmin nanprod nanstd nansum nanvar"
    ),
    "jaxlike.numpy.numeric": ("diff ediff1d gradient interp trapezoid unwrap"),
    "jaxlike.numpy.padding": ("packbits pad unpackbits"),
    "jaxlike.numpy.parts": (
        "angle around ceil conj conjugate floor imag real rint round trunc"
    ),
    "jaxlike.numpy.polynomial": (
        "poly polyadd polyder polydiv polyfit polyint polymul polysub polyval roots"
    ),
    "jaxlike.numpy.products": (
        "dot inner kron matmul matvec outer tensordot vdot vecdot vecmat"
    ),
    "jaxlike.numpy.quantiles": (
        "median nanmedian nanpercentile nanquantile percentile quantile"
    ),
    "jaxlike.numpy.ranges": ("arange geomspace indices linspace logspace meshgrid"),
    "jaxlike.numpy.rearranging": (
        "delete flip fliplr flipud insert repeat resize roll rot90 tile trim_zeros"
    ),
    "jaxlike.numpy.reductions": (
        "all amax amin any argmax argmin count_nonzero max min prod ptp sum"
    ),
    "jaxlike.numpy.searching": (
        "argwhere choose compress extract flatnonzero nonzero piecewise select where"
    ),
    "jaxlike.numpy.setops": (
        "intersect1d isin setdiff1d setxor1d union1d unique unique_all "
        "unique_counts unique_inverse unique_values"
    ),
    "jaxlike.numpy.sorting": (
        "argpartition argsort lexsort partition searchsorted sort sort_complex"
    ),
    "jaxlike.numpy.special": (
        "copysign fmax fmin frexp gcd heaviside hypot i0 lcm ldexp modf "
        "nan_to_num sinc spacing"
    ),
    "jaxlike.numpy.statistics": ("average convolve corrcoef correlate cov"),
    "jaxlike.numpy.taking": (
        "fill_diagonal place put put_along_axis take take_along_axis"
    ),
    "jaxlike.numpy.ufunc_objects": ("frompyfunc ufunc"),
    "jaxlike.numpy.ufuncs": (
        "add bitwise_and bitwise_or bitwise_xor logaddexp logaddexp2 "
        "logical_and logical_or logical_xor maximum minimum multiply negative "
        "subtract"
    ),
    "jaxlike.numpy.unary": (
        "abs absolute acos acosh arccos arccosh arcsin arcsinh arctan arctanh "
        "asin asinh atan atanh bitwise_count bitwise_invert bitwise_not cbrt cos "
        "cosh deg2rad degrees exp exp2 expm1 fabs invert log log10 log1p log2 "
        "logical_not positive rad2deg radians reciprocal sign sin sinh sqrt "
        "square tan tanh"
    ),
    "jaxlike.numpy.vectorizing": ("vectorize"),
    "jaxlike.numpy.vectors": ("cross ravel_multi_index unravel_index"),
    "jaxlike.numpy.windows": ("bartlett blackman hamming hanning kaiser"),
}

__getattr__, __dir__ = lazy_names(__name__, _NAMES, ("fft", "linalg"))

ndarray = Array
bool = bool_
globals().update(_narrow_types)

from jaxlike.numpy import array_methods as _array_methods  # noqa: E402, F401
