"""jax.numpy's functions: NumPy's API over the primitives, with JAX's dtypes.

May import core, primitives, transforms and control_flow; never nn, random or scipy.
"""

from jaxlike.core.array_repr import (
    array_repr as array_repr,
)
from jaxlike.core.array_repr import (
    array_str as array_str,
)
from jaxlike.numpy import fft as fft
from jaxlike.numpy import linalg as linalg
from jaxlike.numpy.apply import (
    apply_along_axis as apply_along_axis,
)
from jaxlike.numpy.apply import (
    apply_over_axes as apply_over_axes,
)
from jaxlike.numpy.averages import (
    mean as mean,
)
from jaxlike.numpy.averages import (
    std as std,
)
from jaxlike.numpy.averages import (
    var as var,
)
from jaxlike.numpy.binary import (
    arctan2 as arctan2,
)
from jaxlike.numpy.binary import (
    atan2 as atan2,
)
from jaxlike.numpy.binary import (
    bitwise_left_shift as bitwise_left_shift,
)
from jaxlike.numpy.binary import (
    bitwise_right_shift as bitwise_right_shift,
)
from jaxlike.numpy.binary import (
    clip as clip,
)
from jaxlike.numpy.binary import (
    divide as divide,
)
from jaxlike.numpy.binary import (
    divmod as divmod,
)
from jaxlike.numpy.binary import (
    equal as equal,
)
from jaxlike.numpy.binary import (
    float_power as float_power,
)
from jaxlike.numpy.binary import (
    floor_divide as floor_divide,
)
from jaxlike.numpy.binary import (
    fmod as fmod,
)
from jaxlike.numpy.binary import (
    greater as greater,
)
from jaxlike.numpy.binary import (
    greater_equal as greater_equal,
)
from jaxlike.numpy.binary import (
    left_shift as left_shift,
)
from jaxlike.numpy.binary import (
    less as less,
)
from jaxlike.numpy.binary import (
    less_equal as less_equal,
)
from jaxlike.numpy.binary import (
    mod as mod,
)
from jaxlike.numpy.binary import (
    nextafter as nextafter,
)
from jaxlike.numpy.binary import (
    not_equal as not_equal,
)
from jaxlike.numpy.binary import (
    pow as pow,
)
from jaxlike.numpy.binary import (
    power as power,
)
from jaxlike.numpy.binary import (
    remainder as remainder,
)
from jaxlike.numpy.binary import (
    right_shift as right_shift,
)
from jaxlike.numpy.binary import (
    true_divide as true_divide,
)
from jaxlike.numpy.checks import (
    allclose as allclose,
)
from jaxlike.numpy.checks import (
    array_equal as array_equal,
)
from jaxlike.numpy.checks import (
    array_equiv as array_equiv,
)
from jaxlike.numpy.checks import (
    isclose as isclose,
)
from jaxlike.numpy.checks import (
    iscomplex as iscomplex,
)
from jaxlike.numpy.checks import (
    iscomplexobj as iscomplexobj,
)
from jaxlike.numpy.checks import (
    isfinite as isfinite,
)
from jaxlike.numpy.checks import (
    isinf as isinf,
)
from jaxlike.numpy.checks import (
    isnan as isnan,
)
from jaxlike.numpy.checks import (
    isneginf as isneginf,
)
from jaxlike.numpy.checks import (
    isposinf as isposinf,
)
from jaxlike.numpy.checks import (
    isreal as isreal,
)
from jaxlike.numpy.checks import (
    isrealobj as isrealobj,
)
from jaxlike.numpy.checks import (
    isscalar as isscalar,
)
from jaxlike.numpy.checks import (
    iterable as iterable,
)
from jaxlike.numpy.checks import (
    signbit as signbit,
)
from jaxlike.numpy.constants import (
    ComplexWarning as ComplexWarning,
)
from jaxlike.numpy.constants import (
    can_cast as can_cast,
)
from jaxlike.numpy.constants import (
    character as character,
)
from jaxlike.numpy.constants import (
    complexfloating as complexfloating,
)
from jaxlike.numpy.constants import (
    dtype as dtype,
)
from jaxlike.numpy.constants import (
    e as e,
)
from jaxlike.numpy.constants import (
    euler_gamma as euler_gamma,
)
from jaxlike.numpy.constants import (
    finfo as finfo,
)
from jaxlike.numpy.constants import (
    flexible as flexible,
)
from jaxlike.numpy.constants import (
    floating as floating,
)
from jaxlike.numpy.constants import (
    generic as generic,
)
from jaxlike.numpy.constants import (
    get_printoptions as get_printoptions,
)
from jaxlike.numpy.constants import (
    iinfo as iinfo,
)
from jaxlike.numpy.constants import (
    inexact as inexact,
)
from jaxlike.numpy.constants import (
    inf as inf,
)
from jaxlike.numpy.constants import (
    integer as integer,
)
from jaxlike.numpy.constants import (
    isdtype as isdtype,
)
from jaxlike.numpy.constants import (
    issubdtype as issubdtype,
)
from jaxlike.numpy.constants import (
    nan as nan,
)
from jaxlike.numpy.constants import (
    newaxis as newaxis,
)
from jaxlike.numpy.constants import (
    number as number,
)
from jaxlike.numpy.constants import (
    object_ as object_,
)
from jaxlike.numpy.constants import (
    pi as pi,
)
from jaxlike.numpy.constants import (
    printoptions as printoptions,
)
from jaxlike.numpy.constants import (
    promote_types as promote_types,
)
from jaxlike.numpy.constants import (
    result_type as result_type,
)
from jaxlike.numpy.constants import (
    set_printoptions as set_printoptions,
)
from jaxlike.numpy.constants import (
    signedinteger as signedinteger,
)
from jaxlike.numpy.constants import (
    unsignedinteger as unsignedinteger,
)
from jaxlike.numpy.creation import (
    array as array,
)
from jaxlike.numpy.creation import (
    asarray as asarray,
)
from jaxlike.numpy.creation import (
    astype as astype,
)
from jaxlike.numpy.creation import (
    copy as copy,
)
from jaxlike.numpy.creation import (
    empty as empty,
)
from jaxlike.numpy.creation import (
    empty_like as empty_like,
)
from jaxlike.numpy.creation import (
    full as full,
)
from jaxlike.numpy.creation import (
    full_like as full_like,
)
from jaxlike.numpy.creation import (
    ones as ones,
)
from jaxlike.numpy.creation import (
    ones_like as ones_like,
)
from jaxlike.numpy.creation import (
    zeros as zeros,
)
from jaxlike.numpy.creation import (
    zeros_like as zeros_like,
)
from jaxlike.numpy.cumulative import (
    cumprod as cumprod,
)
from jaxlike.numpy.cumulative import (
    cumsum as cumsum,
)
from jaxlike.numpy.cumulative import (
    cumulative_prod as cumulative_prod,
)
from jaxlike.numpy.cumulative import (
    cumulative_sum as cumulative_sum,
)
from jaxlike.numpy.cumulative import (
    nancumprod as nancumprod,
)
from jaxlike.numpy.cumulative import (
    nancumsum as nancumsum,
)
from jaxlike.numpy.einsums import (
    einsum as einsum,
)
from jaxlike.numpy.einsums import (
    einsum_path as einsum_path,
)
from jaxlike.numpy.histograms import (
    bincount as bincount,
)
from jaxlike.numpy.histograms import (
    digitize as digitize,
)
from jaxlike.numpy.histograms import (
    histogram as histogram,
)
from jaxlike.numpy.histograms import (
    histogram2d as histogram2d,
)
from jaxlike.numpy.histograms import (
    histogram_bin_edges as histogram_bin_edges,
)
from jaxlike.numpy.histograms import (
    histogramdd as histogramdd,
)
from jaxlike.numpy.index_tricks import (
    c_ as c_,
)
from jaxlike.numpy.index_tricks import (
    index_exp as index_exp,
)
from jaxlike.numpy.index_tricks import (
    ix_ as ix_,
)
from jaxlike.numpy.index_tricks import (
    mgrid as mgrid,
)
from jaxlike.numpy.index_tricks import (
    ogrid as ogrid,
)
from jaxlike.numpy.index_tricks import (
    r_ as r_,
)
from jaxlike.numpy.index_tricks import (
    s_ as s_,
)
from jaxlike.numpy.io import (
    from_dlpack as from_dlpack,
)
from jaxlike.numpy.io import (
    frombuffer as frombuffer,
)
from jaxlike.numpy.io import (
    fromfile as fromfile,
)
from jaxlike.numpy.io import (
    fromfunction as fromfunction,
)
from jaxlike.numpy.io import (
    fromiter as fromiter,
)
from jaxlike.numpy.io import (
    fromstring as fromstring,
)
from jaxlike.numpy.io import (
    load as load,
)
from jaxlike.numpy.io import (
    save as save,
)
from jaxlike.numpy.io import (
    savez as savez,
)
from jaxlike.numpy.joining import (
    append as append,
)
from jaxlike.numpy.joining import (
    array_split as array_split,
)
from jaxlike.numpy.joining import (
    block as block,
)
from jaxlike.numpy.joining import (
    column_stack as column_stack,
)
from jaxlike.numpy.joining import (
    concat as concat,
)
from jaxlike.numpy.joining import (
    concatenate as concatenate,
)
from jaxlike.numpy.joining import (
    dsplit as dsplit,
)
from jaxlike.numpy.joining import (
    dstack as dstack,
)
from jaxlike.numpy.joining import (
    hsplit as hsplit,
)
from jaxlike.numpy.joining import (
    hstack as hstack,
)
from jaxlike.numpy.joining import (
    split as split,
)
from jaxlike.numpy.joining import (
    stack as stack,
)
from jaxlike.numpy.joining import (
    unstack as unstack,
)
from jaxlike.numpy.joining import (
    vsplit as vsplit,
)
from jaxlike.numpy.joining import (
    vstack as vstack,
)
from jaxlike.numpy.manipulation import (
    atleast_1d as atleast_1d,
)
from jaxlike.numpy.manipulation import (
    atleast_2d as atleast_2d,
)
from jaxlike.numpy.manipulation import (
    atleast_3d as atleast_3d,
)
from jaxlike.numpy.manipulation import (
    broadcast_arrays as broadcast_arrays,
)
from jaxlike.numpy.manipulation import (
    broadcast_shapes as broadcast_shapes,
)
from jaxlike.numpy.manipulation import (
    broadcast_to as broadcast_to,
)
from jaxlike.numpy.manipulation import (
    expand_dims as expand_dims,
)
from jaxlike.numpy.manipulation import (
    matrix_transpose as matrix_transpose,
)
from jaxlike.numpy.manipulation import (
    moveaxis as moveaxis,
)
from jaxlike.numpy.manipulation import (
    ndim as ndim,
)
from jaxlike.numpy.manipulation import (
    permute_dims as permute_dims,
)
from jaxlike.numpy.manipulation import (
    ravel as ravel,
)
from jaxlike.numpy.manipulation import (
    reshape as reshape,
)
from jaxlike.numpy.manipulation import (
    rollaxis as rollaxis,
)
from jaxlike.numpy.manipulation import (
    shape as shape,
)
from jaxlike.numpy.manipulation import (
    size as size,
)
from jaxlike.numpy.manipulation import (
    squeeze as squeeze,
)
from jaxlike.numpy.manipulation import (
    swapaxes as swapaxes,
)
from jaxlike.numpy.manipulation import (
    transpose as transpose,
)
from jaxlike.numpy.matrices import (
    diag as diag,
)
from jaxlike.numpy.matrices import (
    diag_indices as diag_indices,
)
from jaxlike.numpy.matrices import (
    diag_indices_from as diag_indices_from,
)
from jaxlike.numpy.matrices import (
    diagflat as diagflat,
)
from jaxlike.numpy.matrices import (
    diagonal as diagonal,
)
from jaxlike.numpy.matrices import (
    eye as eye,
)
from jaxlike.numpy.matrices import (
    identity as identity,
)
from jaxlike.numpy.matrices import (
    mask_indices as mask_indices,
)
from jaxlike.numpy.matrices import (
    trace as trace,
)
from jaxlike.numpy.matrices import (
    tri as tri,
)
from jaxlike.numpy.matrices import (
    tril as tril,
)
from jaxlike.numpy.matrices import (
    tril_indices as tril_indices,
)
from jaxlike.numpy.matrices import (
    tril_indices_from as tril_indices_from,
)
from jaxlike.numpy.matrices import (
    triu as triu,
)
from jaxlike.numpy.matrices import (
    triu_indices as triu_indices,
)
from jaxlike.numpy.matrices import (
    triu_indices_from as triu_indices_from,
)
from jaxlike.numpy.matrices import (
    vander as vander,
)
from jaxlike.numpy.nan_reductions import (
    nanargmax as nanargmax,
)
from jaxlike.numpy.nan_reductions import (
    nanargmin as nanargmin,
)
from jaxlike.numpy.nan_reductions import (
    nanmax as nanmax,
)
from jaxlike.numpy.nan_reductions import (
    nanmean as nanmean,
)
from jaxlike.numpy.nan_reductions import (
    nanmin as nanmin,
)
from jaxlike.numpy.nan_reductions import (
    nanprod as nanprod,
)
from jaxlike.numpy.nan_reductions import (
    nanstd as nanstd,
)
from jaxlike.numpy.nan_reductions import (
    nansum as nansum,
)
from jaxlike.numpy.nan_reductions import (
    nanvar as nanvar,
)
from jaxlike.numpy.numeric import (
    diff as diff,
)
from jaxlike.numpy.numeric import (
    ediff1d as ediff1d,
)
from jaxlike.numpy.numeric import (
    gradient as gradient,
)
from jaxlike.numpy.numeric import (
    interp as interp,
)
from jaxlike.numpy.numeric import (
    trapezoid as trapezoid,
)
from jaxlike.numpy.numeric import (
    unwrap as unwrap,
)
from jaxlike.numpy.padding import (
    packbits as packbits,
)
from jaxlike.numpy.padding import (
    pad as pad,
)
from jaxlike.numpy.padding import (
    unpackbits as unpackbits,
)
from jaxlike.numpy.parts import (
    angle as angle,
)
from jaxlike.numpy.parts import (
    around as around,
)
from jaxlike.numpy.parts import (
    ceil as ceil,
)
from jaxlike.numpy.parts import (
    conj as conj,
)
from jaxlike.numpy.parts import (
    conjugate as conjugate,
)
from jaxlike.numpy.parts import (
    floor as floor,
)
from jaxlike.numpy.parts import (
    imag as imag,
)
from jaxlike.numpy.parts import (
    real as real,
)
from jaxlike.numpy.parts import (
    rint as rint,
)
from jaxlike.numpy.parts import (
    round as round,
)
from jaxlike.numpy.parts import (
    trunc as trunc,
)
from jaxlike.numpy.polynomial import (
    poly as poly,
)
from jaxlike.numpy.polynomial import (
    polyadd as polyadd,
)
from jaxlike.numpy.polynomial import (
    polyder as polyder,
)
from jaxlike.numpy.polynomial import (
    polydiv as polydiv,
)
from jaxlike.numpy.polynomial import (
    polyfit as polyfit,
)
from jaxlike.numpy.polynomial import (
    polyint as polyint,
)
from jaxlike.numpy.polynomial import (
    polymul as polymul,
)
from jaxlike.numpy.polynomial import (
    polysub as polysub,
)
from jaxlike.numpy.polynomial import (
    polyval as polyval,
)
from jaxlike.numpy.polynomial import (
    roots as roots,
)
from jaxlike.numpy.products import (
    dot as dot,
)
from jaxlike.numpy.products import (
    inner as inner,
)
from jaxlike.numpy.products import (
    kron as kron,
)
from jaxlike.numpy.products import (
    matmul as matmul,
)
from jaxlike.numpy.products import (
    matvec as matvec,
)
from jaxlike.numpy.products import (
    outer as outer,
)
from jaxlike.numpy.products import (
    tensordot as tensordot,
)
from jaxlike.numpy.products import (
    vdot as vdot,
)
from jaxlike.numpy.products import (
    vecdot as vecdot,
)
from jaxlike.numpy.products import (
    vecmat as vecmat,
)
from jaxlike.numpy.quantiles import (
    median as median,
)
from jaxlike.numpy.quantiles import (
    nanmedian as nanmedian,
)
from jaxlike.numpy.quantiles import (
    nanpercentile as nanpercentile,
)
from jaxlike.numpy.quantiles import (
    nanquantile as nanquantile,
)
from jaxlike.numpy.quantiles import (
    percentile as percentile,
)
from jaxlike.numpy.quantiles import (
    quantile as quantile,
)
from jaxlike.numpy.ranges import (
    arange as arange,
)
from jaxlike.numpy.ranges import (
    geomspace as geomspace,
)
from jaxlike.numpy.ranges import (
    indices as indices,
)
from jaxlike.numpy.ranges import (
    linspace as linspace,
)
from jaxlike.numpy.ranges import (
    logspace as logspace,
)
from jaxlike.numpy.ranges import (
    meshgrid as meshgrid,
)
from jaxlike.numpy.rearranging import (
    delete as delete,
)
from jaxlike.numpy.rearranging import (
    flip as flip,
)
from jaxlike.numpy.rearranging import (
    fliplr as fliplr,
)
from jaxlike.numpy.rearranging import (
    flipud as flipud,
)
from jaxlike.numpy.rearranging import (
    insert as insert,
)
from jaxlike.numpy.rearranging import (
    repeat as repeat,
)
from jaxlike.numpy.rearranging import (
    resize as resize,
)
from jaxlike.numpy.rearranging import (
    roll as roll,
)
from jaxlike.numpy.rearranging import (
    rot90 as rot90,
)
from jaxlike.numpy.rearranging import (
    tile as tile,
)
from jaxlike.numpy.rearranging import (
    trim_zeros as trim_zeros,
)
from jaxlike.numpy.reductions import (
    all as all,
)
from jaxlike.numpy.reductions import (
    amax as amax,
)
from jaxlike.numpy.reductions import (
    amin as amin,
)
from jaxlike.numpy.reductions import (
    any as any,
)
from jaxlike.numpy.reductions import (
    argmax as argmax,
)
from jaxlike.numpy.reductions import (
    argmin as argmin,
)
from jaxlike.numpy.reductions import (
    count_nonzero as count_nonzero,
)
from jaxlike.numpy.reductions import (
    max as max,
)
from jaxlike.numpy.reductions import (
    min as min,
)
from jaxlike.numpy.reductions import (
    prod as prod,
)
from jaxlike.numpy.reductions import (
    ptp as ptp,
)
from jaxlike.numpy.reductions import (
    sum as sum,
)
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
from jaxlike.numpy.searching import (
    argwhere as argwhere,
)
from jaxlike.numpy.searching import (
    choose as choose,
)
from jaxlike.numpy.searching import (
    compress as compress,
)
from jaxlike.numpy.searching import (
    extract as extract,
)
from jaxlike.numpy.searching import (
    flatnonzero as flatnonzero,
)
from jaxlike.numpy.searching import (
    nonzero as nonzero,
)
from jaxlike.numpy.searching import (
    piecewise as piecewise,
)
from jaxlike.numpy.searching import (
    select as select,
)
from jaxlike.numpy.searching import (
    where as where,
)
from jaxlike.numpy.setops import (
    intersect1d as intersect1d,
)
from jaxlike.numpy.setops import (
    isin as isin,
)
from jaxlike.numpy.setops import (
    setdiff1d as setdiff1d,
)
from jaxlike.numpy.setops import (
    setxor1d as setxor1d,
)
from jaxlike.numpy.setops import (
    union1d as union1d,
)
from jaxlike.numpy.setops import (
    unique as unique,
)
from jaxlike.numpy.setops import (
    unique_all as unique_all,
)
from jaxlike.numpy.setops import (
    unique_counts as unique_counts,
)
from jaxlike.numpy.setops import (
    unique_inverse as unique_inverse,
)
from jaxlike.numpy.setops import (
    unique_values as unique_values,
)
from jaxlike.numpy.sorting import (
    argpartition as argpartition,
)
from jaxlike.numpy.sorting import (
    argsort as argsort,
)
from jaxlike.numpy.sorting import (
    lexsort as lexsort,
)
from jaxlike.numpy.sorting import (
    partition as partition,
)
from jaxlike.numpy.sorting import (
    searchsorted as searchsorted,
)
from jaxlike.numpy.sorting import (
    sort as sort,
)
from jaxlike.numpy.sorting import (
    sort_complex as sort_complex,
)
from jaxlike.numpy.special import (
    copysign as copysign,
)
from jaxlike.numpy.special import (
    fmax as fmax,
)
from jaxlike.numpy.special import (
    fmin as fmin,
)
from jaxlike.numpy.special import (
    frexp as frexp,
)
from jaxlike.numpy.special import (
    gcd as gcd,
)
from jaxlike.numpy.special import (
    heaviside as heaviside,
)
from jaxlike.numpy.special import (
    hypot as hypot,
)
from jaxlike.numpy.special import (
    i0 as i0,
)
from jaxlike.numpy.special import (
    lcm as lcm,
)
from jaxlike.numpy.special import (
    ldexp as ldexp,
)
from jaxlike.numpy.special import (
    modf as modf,
)
from jaxlike.numpy.special import (
    nan_to_num as nan_to_num,
)
from jaxlike.numpy.special import (
    sinc as sinc,
)
from jaxlike.numpy.special import (
    spacing as spacing,
)
from jaxlike.numpy.statistics import (
    average as average,
)
from jaxlike.numpy.statistics import (
    convolve as convolve,
)
from jaxlike.numpy.statistics import (
    corrcoef as corrcoef,
)
from jaxlike.numpy.statistics import (
    correlate as correlate,
)
from jaxlike.numpy.statistics import (
    cov as cov,
)
from jaxlike.numpy.taking import (
    fill_diagonal as fill_diagonal,
)
from jaxlike.numpy.taking import (
    place as place,
)
from jaxlike.numpy.taking import (
    put as put,
)
from jaxlike.numpy.taking import (
    put_along_axis as put_along_axis,
)
from jaxlike.numpy.taking import (
    take as take,
)
from jaxlike.numpy.taking import (
    take_along_axis as take_along_axis,
)
from jaxlike.numpy.ufunc_objects import (
    frompyfunc as frompyfunc,
)
from jaxlike.numpy.ufunc_objects import (
    ufunc as ufunc,
)
from jaxlike.numpy.ufuncs import (
    add as add,
)
from jaxlike.numpy.ufuncs import (
    bitwise_and as bitwise_and,
)
from jaxlike.numpy.ufuncs import (
    bitwise_or as bitwise_or,
)
from jaxlike.numpy.ufuncs import (
    bitwise_xor as bitwise_xor,
)
from jaxlike.numpy.ufuncs import (
    logaddexp as logaddexp,
)
from jaxlike.numpy.ufuncs import (
    logaddexp2 as logaddexp2,
)
from jaxlike.numpy.ufuncs import (
    logical_and as logical_and,
)
from jaxlike.numpy.ufuncs import (
    logical_or as logical_or,
)
from jaxlike.numpy.ufuncs import (
    logical_xor as logical_xor,
)
from jaxlike.numpy.ufuncs import (
    maximum as maximum,
)
from jaxlike.numpy.ufuncs import (
    minimum as minimum,
)
from jaxlike.numpy.ufuncs import (
    multiply as multiply,
)
from jaxlike.numpy.ufuncs import (
    negative as negative,
)
from jaxlike.numpy.ufuncs import (
    subtract as subtract,
)
from jaxlike.numpy.unary import (
    abs as abs,
)
from jaxlike.numpy.unary import (
    absolute as absolute,
)
from jaxlike.numpy.unary import (
    acos as acos,
)
from jaxlike.numpy.unary import (
    acosh as acosh,
)
from jaxlike.numpy.unary import (
    arccos as arccos,
)
from jaxlike.numpy.unary import (
    arccosh as arccosh,
)
from jaxlike.numpy.unary import (
    arcsin as arcsin,
)
from jaxlike.numpy.unary import (
    arcsinh as arcsinh,
)
from jaxlike.numpy.unary import (
    arctan as arctan,
)
from jaxlike.numpy.unary import (
    arctanh as arctanh,
)
from jaxlike.numpy.unary import (
    asin as asin,
)
from jaxlike.numpy.unary import (
    asinh as asinh,
)
from jaxlike.numpy.unary import (
    atan as atan,
)
from jaxlike.numpy.unary import (
    atanh as atanh,
)
from jaxlike.numpy.unary import (
    bitwise_count as bitwise_count,
)
from jaxlike.numpy.unary import (
    bitwise_invert as bitwise_invert,
)
from jaxlike.numpy.unary import (
    bitwise_not as bitwise_not,
)
from jaxlike.numpy.unary import (
    cbrt as cbrt,
)
from jaxlike.numpy.unary import (
    cos as cos,
)
from jaxlike.numpy.unary import (
    cosh as cosh,
)
from jaxlike.numpy.unary import (
    deg2rad as deg2rad,
)
from jaxlike.numpy.unary import (
    degrees as degrees,
)
from jaxlike.numpy.unary import (
    exp as exp,
)
from jaxlike.numpy.unary import (
    exp2 as exp2,
)
from jaxlike.numpy.unary import (
    expm1 as expm1,
)
from jaxlike.numpy.unary import (
    fabs as fabs,
)
from jaxlike.numpy.unary import (
    invert as invert,
)
from jaxlike.numpy.unary import (
    log as log,
)
from jaxlike.numpy.unary import (
    log1p as log1p,
)
from jaxlike.numpy.unary import (
    log2 as log2,
)
from jaxlike.numpy.unary import (
    log10 as log10,
)
from jaxlike.numpy.unary import (
    logical_not as logical_not,
)
from jaxlike.numpy.unary import (
    positive as positive,
)
from jaxlike.numpy.unary import (
    rad2deg as rad2deg,
)
from jaxlike.numpy.unary import (
    radians as radians,
)
from jaxlike.numpy.unary import (
    reciprocal as reciprocal,
)
from jaxlike.numpy.unary import (
    sign as sign,
)
from jaxlike.numpy.unary import (
    sin as sin,
)
from jaxlike.numpy.unary import (
    sinh as sinh,
)
from jaxlike.numpy.unary import (
    sqrt as sqrt,
)
from jaxlike.numpy.unary import (
    square as square,
)
from jaxlike.numpy.unary import (
    tan as tan,
)
from jaxlike.numpy.unary import (
    tanh as tanh,
)
from jaxlike.numpy.vectorizing import (
    vectorize as vectorize,
)
from jaxlike.numpy.vectors import (
    cross as cross,
)
from jaxlike.numpy.vectors import (
    ravel_multi_index as ravel_multi_index,
)
from jaxlike.numpy.vectors import (
    unravel_index as unravel_index,
)
from jaxlike.numpy.windows import (
    bartlett as bartlett,
)
from jaxlike.numpy.windows import (
    blackman as blackman,
)
from jaxlike.numpy.windows import (
    hamming as hamming,
)
from jaxlike.numpy.windows import (
    hanning as hanning,
)
from jaxlike.numpy.windows import (
    kaiser as kaiser,
)
