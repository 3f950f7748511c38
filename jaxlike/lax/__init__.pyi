"""Floor 4: the primitives and control flow, under the names of jax.lax.

May import jaxlike.core, jaxlike.primitives and jaxlike.control_flow.
"""

from jaxlike.control_flow.associative_scan import (
    associative_scan as associative_scan,
)
from jaxlike.control_flow.cond import (
    cond as cond,
)
from jaxlike.control_flow.cond import (
    switch as switch,
)
from jaxlike.control_flow.cond_primitive import (
    cond_p as cond_p,
)
from jaxlike.control_flow.platforms import (
    platform_dependent as platform_dependent,
)
from jaxlike.control_flow.scan import (
    map as map,
)
from jaxlike.control_flow.scan import (
    scan as scan,
)
from jaxlike.control_flow.scan_primitive import (
    scan_p as scan_p,
)
from jaxlike.control_flow.solves import (
    custom_linear_solve as custom_linear_solve,
)
from jaxlike.control_flow.solves import (
    custom_root as custom_root,
)
from jaxlike.control_flow.solves import (
    linear_solve_p as linear_solve_p,
)
from jaxlike.control_flow.while_loop import (
    fori_loop as fori_loop,
)
from jaxlike.control_flow.while_loop import (
    while_loop as while_loop,
)
from jaxlike.control_flow.while_primitive import (
    while_p as while_p,
)
from jaxlike.lax import linalg as linalg
from jaxlike.primitives.accuracy import (
    AccuracyMode as AccuracyMode,
)
from jaxlike.primitives.accuracy import (
    Tolerance as Tolerance,
)
from jaxlike.primitives.arithmetic import (
    abs as abs,
)
from jaxlike.primitives.arithmetic import (
    abs_p as abs_p,
)
from jaxlike.primitives.arithmetic import (
    add as add,
)
from jaxlike.primitives.arithmetic import (
    add_p as add_p,
)
from jaxlike.primitives.arithmetic import (
    div as div,
)
from jaxlike.primitives.arithmetic import (
    div_p as div_p,
)
from jaxlike.primitives.arithmetic import (
    max as max,
)
from jaxlike.primitives.arithmetic import (
    max_p as max_p,
)
from jaxlike.primitives.arithmetic import (
    min as min,
)
from jaxlike.primitives.arithmetic import (
    min_p as min_p,
)
from jaxlike.primitives.arithmetic import (
    mul as mul,
)
from jaxlike.primitives.arithmetic import (
    mul_p as mul_p,
)
from jaxlike.primitives.arithmetic import (
    neg as neg,
)
from jaxlike.primitives.arithmetic import (
    neg_p as neg_p,
)
from jaxlike.primitives.arithmetic import (
    rem as rem,
)
from jaxlike.primitives.arithmetic import (
    rem_p as rem_p,
)
from jaxlike.primitives.arithmetic import (
    sign as sign,
)
from jaxlike.primitives.arithmetic import (
    sign_p as sign_p,
)
from jaxlike.primitives.arithmetic import (
    sub as sub,
)
from jaxlike.primitives.arithmetic import (
    sub_p as sub_p,
)
from jaxlike.primitives.bitwise import (
    and_p as and_p,
)
from jaxlike.primitives.bitwise import (
    bitwise_and as bitwise_and,
)
from jaxlike.primitives.bitwise import (
    bitwise_not as bitwise_not,
)
from jaxlike.primitives.bitwise import (
    bitwise_or as bitwise_or,
)
from jaxlike.primitives.bitwise import (
    bitwise_xor as bitwise_xor,
)
from jaxlike.primitives.bitwise import (
    clz as clz,
)
from jaxlike.primitives.bitwise import (
    clz_p as clz_p,
)
from jaxlike.primitives.bitwise import (
    mulhi as mulhi,
)
from jaxlike.primitives.bitwise import (
    mulhi_p as mulhi_p,
)
from jaxlike.primitives.bitwise import (
    not_p as not_p,
)
from jaxlike.primitives.bitwise import (
    or_p as or_p,
)
from jaxlike.primitives.bitwise import (
    population_count as population_count,
)
from jaxlike.primitives.bitwise import (
    population_count_p as population_count_p,
)
from jaxlike.primitives.bitwise import (
    shift_left as shift_left,
)
from jaxlike.primitives.bitwise import (
    shift_left_p as shift_left_p,
)
from jaxlike.primitives.bitwise import (
    shift_right_arithmetic as shift_right_arithmetic,
)
from jaxlike.primitives.bitwise import (
    shift_right_arithmetic_p as shift_right_arithmetic_p,
)
from jaxlike.primitives.bitwise import (
    shift_right_logical as shift_right_logical,
)
from jaxlike.primitives.bitwise import (
    shift_right_logical_p as shift_right_logical_p,
)
from jaxlike.primitives.bitwise import (
    xor_p as xor_p,
)
from jaxlike.primitives.broadcasting import (
    broadcast as broadcast,
)
from jaxlike.primitives.broadcasting import (
    broadcast_in_dim as broadcast_in_dim,
)
from jaxlike.primitives.broadcasting import (
    broadcast_in_dim_p as broadcast_in_dim_p,
)
from jaxlike.primitives.broadcasting import (
    broadcast_like as broadcast_like,
)
from jaxlike.primitives.broadcasting import (
    broadcast_shapes as broadcast_shapes,
)
from jaxlike.primitives.broadcasting import (
    broadcast_to_rank as broadcast_to_rank,
)
from jaxlike.primitives.broadcasting import (
    broadcasted_iota as broadcasted_iota,
)
from jaxlike.primitives.broadcasting import (
    empty as empty,
)
from jaxlike.primitives.broadcasting import (
    expand_dims as expand_dims,
)
from jaxlike.primitives.broadcasting import (
    full as full,
)
from jaxlike.primitives.broadcasting import (
    full_like as full_like,
)
from jaxlike.primitives.broadcasting import (
    iota as iota,
)
from jaxlike.primitives.broadcasting import (
    iota_p as iota_p,
)
from jaxlike.primitives.collective_axes import (
    axis_size as axis_size,
)
from jaxlike.primitives.collective_gather import (
    all_gather as all_gather,
)
from jaxlike.primitives.collective_gather import (
    all_gather_p as all_gather_p,
)
from jaxlike.primitives.collective_gather import (
    psum_scatter as psum_scatter,
)
from jaxlike.primitives.collective_gather import (
    reduce_scatter_p as reduce_scatter_p,
)
from jaxlike.primitives.collective_permute import (
    all_to_all as all_to_all,
)
from jaxlike.primitives.collective_permute import (
    all_to_all_p as all_to_all_p,
)
from jaxlike.primitives.collective_permute import (
    pbroadcast as pbroadcast,
)
from jaxlike.primitives.collective_permute import (
    pbroadcast_p as pbroadcast_p,
)
from jaxlike.primitives.collective_permute import (
    ppermute as ppermute,
)
from jaxlike.primitives.collective_permute import (
    ppermute_p as ppermute_p,
)
from jaxlike.primitives.collective_permute import (
    pshuffle as pshuffle,
)
from jaxlike.primitives.collective_permute import (
    pswapaxes as pswapaxes,
)
from jaxlike.primitives.collectives import (
    axis_index as axis_index,
)
from jaxlike.primitives.collectives import (
    axis_index_p as axis_index_p,
)
from jaxlike.primitives.collectives import (
    pmax as pmax,
)
from jaxlike.primitives.collectives import (
    pmax_p as pmax_p,
)
from jaxlike.primitives.collectives import (
    pmean as pmean,
)
from jaxlike.primitives.collectives import (
    pmin as pmin,
)
from jaxlike.primitives.collectives import (
    pmin_p as pmin_p,
)
from jaxlike.primitives.collectives import (
    psum as psum,
)
from jaxlike.primitives.collectives import (
    psum_p as psum_p,
)
from jaxlike.primitives.comparison import (
    eq as eq,
)
from jaxlike.primitives.comparison import (
    eq_p as eq_p,
)
from jaxlike.primitives.comparison import (
    eq_to_p as eq_to_p,
)
from jaxlike.primitives.comparison import (
    ge as ge,
)
from jaxlike.primitives.comparison import (
    ge_p as ge_p,
)
from jaxlike.primitives.comparison import (
    gt as gt,
)
from jaxlike.primitives.comparison import (
    gt_p as gt_p,
)
from jaxlike.primitives.comparison import (
    le as le,
)
from jaxlike.primitives.comparison import (
    le_p as le_p,
)
from jaxlike.primitives.comparison import (
    le_to_p as le_to_p,
)
from jaxlike.primitives.comparison import (
    lt as lt,
)
from jaxlike.primitives.comparison import (
    lt_p as lt_p,
)
from jaxlike.primitives.comparison import (
    lt_to_p as lt_to_p,
)
from jaxlike.primitives.comparison import (
    ne as ne,
)
from jaxlike.primitives.comparison import (
    ne_p as ne_p,
)
from jaxlike.primitives.complexes import (
    complex as complex,
)
from jaxlike.primitives.complexes import (
    complex_p as complex_p,
)
from jaxlike.primitives.complexes import (
    conj as conj,
)
from jaxlike.primitives.complexes import (
    conj_p as conj_p,
)
from jaxlike.primitives.complexes import (
    imag as imag,
)
from jaxlike.primitives.complexes import (
    imag_p as imag_p,
)
from jaxlike.primitives.complexes import (
    real as real,
)
from jaxlike.primitives.complexes import (
    real_p as real_p,
)
from jaxlike.primitives.contraction import (
    DotDimensionNumbers as DotDimensionNumbers,
)
from jaxlike.primitives.contraction import (
    batch_matmul as batch_matmul,
)
from jaxlike.primitives.contraction import (
    dot as dot,
)
from jaxlike.primitives.contraction import (
    dot_general as dot_general,
)
from jaxlike.primitives.contraction import (
    dot_general_p as dot_general_p,
)
from jaxlike.primitives.conv_dimensions import (
    ConvDimensionNumbers as ConvDimensionNumbers,
)
from jaxlike.primitives.conv_dimensions import (
    ConvGeneralDilatedDimensionNumbers as ConvGeneralDilatedDimensionNumbers,
)
from jaxlike.primitives.conv_dimensions import (
    conv_dimension_numbers as conv_dimension_numbers,
)
from jaxlike.primitives.conv_dimensions import (
    conv_general_permutations as conv_general_permutations,
)
from jaxlike.primitives.conv_dimensions import (
    conv_general_shape_tuple as conv_general_shape_tuple,
)
from jaxlike.primitives.conv_dimensions import (
    conv_shape_tuple as conv_shape_tuple,
)
from jaxlike.primitives.conv_dimensions import (
    conv_transpose_shape_tuple as conv_transpose_shape_tuple,
)
from jaxlike.primitives.conv_dimensions import (
    padtype_to_pads as padtype_to_pads,
)
from jaxlike.primitives.conv_functions import (
    conv as conv,
)
from jaxlike.primitives.conv_functions import (
    conv_general_dilated_local as conv_general_dilated_local,
)
from jaxlike.primitives.conv_functions import (
    conv_general_dilated_patches as conv_general_dilated_patches,
)
from jaxlike.primitives.conv_functions import (
    conv_transpose as conv_transpose,
)
from jaxlike.primitives.conv_functions import (
    conv_with_general_padding as conv_with_general_padding,
)
from jaxlike.primitives.conversion import (
    bitcast_convert_type as bitcast_convert_type,
)
from jaxlike.primitives.conversion import (
    bitcast_convert_type_p as bitcast_convert_type_p,
)
from jaxlike.primitives.conversion import (
    convert_element_type as convert_element_type,
)
from jaxlike.primitives.conversion import (
    convert_element_type_p as convert_element_type_p,
)
from jaxlike.primitives.conversion import (
    dtype as dtype,
)
from jaxlike.primitives.convolution import (
    conv_general_dilated as conv_general_dilated,
)
from jaxlike.primitives.convolution import (
    conv_general_dilated_p as conv_general_dilated_p,
)
from jaxlike.primitives.cumulative import (
    cumlogsumexp as cumlogsumexp,
)
from jaxlike.primitives.cumulative import (
    cumlogsumexp_p as cumlogsumexp_p,
)
from jaxlike.primitives.cumulative import (
    cummax as cummax,
)
from jaxlike.primitives.cumulative import (
    cummax_p as cummax_p,
)
from jaxlike.primitives.cumulative import (
    cummin as cummin,
)
from jaxlike.primitives.cumulative import (
    cummin_p as cummin_p,
)
from jaxlike.primitives.cumulative import (
    cumprod as cumprod,
)
from jaxlike.primitives.cumulative import (
    cumprod_p as cumprod_p,
)
from jaxlike.primitives.cumulative import (
    cumsum as cumsum,
)
from jaxlike.primitives.cumulative import (
    cumsum_p as cumsum_p,
)
from jaxlike.primitives.dynamic_slicing import (
    dynamic_index_in_dim as dynamic_index_in_dim,
)
from jaxlike.primitives.dynamic_slicing import (
    dynamic_slice as dynamic_slice,
)
from jaxlike.primitives.dynamic_slicing import (
    dynamic_slice_in_dim as dynamic_slice_in_dim,
)
from jaxlike.primitives.dynamic_slicing import (
    dynamic_slice_p as dynamic_slice_p,
)
from jaxlike.primitives.dynamic_slicing import (
    dynamic_update_index_in_dim as dynamic_update_index_in_dim,
)
from jaxlike.primitives.dynamic_slicing import (
    dynamic_update_slice as dynamic_update_slice,
)
from jaxlike.primitives.dynamic_slicing import (
    dynamic_update_slice_in_dim as dynamic_update_slice_in_dim,
)
from jaxlike.primitives.dynamic_slicing import (
    dynamic_update_slice_p as dynamic_update_slice_p,
)
from jaxlike.primitives.fft import (
    FftType as FftType,
)
from jaxlike.primitives.fft import (
    fft as fft,
)
from jaxlike.primitives.fft import (
    fft_p as fft_p,
)
from jaxlike.primitives.gather import (
    gather as gather,
)
from jaxlike.primitives.gather import (
    gather_p as gather_p,
)
from jaxlike.primitives.gather import (
    index_take as index_take,
)
from jaxlike.primitives.generic_reduce import (
    reduce as reduce,
)
from jaxlike.primitives.generic_reduce import (
    reduce_p as reduce_p,
)
from jaxlike.primitives.identity import (
    copy_p as copy_p,
)
from jaxlike.primitives.identity import (
    optimization_barrier as optimization_barrier,
)
from jaxlike.primitives.identity import (
    optimization_barrier_p as optimization_barrier_p,
)
from jaxlike.primitives.identity import (
    stop_gradient as stop_gradient,
)
from jaxlike.primitives.identity import (
    stop_gradient_p as stop_gradient_p,
)
from jaxlike.primitives.indexing_numbers import (
    GatherDimensionNumbers as GatherDimensionNumbers,
)
from jaxlike.primitives.indexing_numbers import (
    GatherScatterMode as GatherScatterMode,
)
from jaxlike.primitives.indexing_numbers import (
    ScatterDimensionNumbers as ScatterDimensionNumbers,
)
from jaxlike.primitives.joining import (
    concatenate as concatenate,
)
from jaxlike.primitives.joining import (
    concatenate_p as concatenate_p,
)
from jaxlike.primitives.joining import (
    pad as pad,
)
from jaxlike.primitives.joining import (
    pad_p as pad_p,
)
from jaxlike.primitives.joining import (
    split as split,
)
from jaxlike.primitives.joining import (
    split_p as split_p,
)
from jaxlike.primitives.joining import (
    stack as stack,
)
from jaxlike.primitives.joining import (
    stack_p as stack_p,
)
from jaxlike.primitives.joining import (
    tile as tile,
)
from jaxlike.primitives.joining import (
    tile_p as tile_p,
)
from jaxlike.primitives.joining import (
    unstack as unstack,
)
from jaxlike.primitives.joining import (
    unstack_p as unstack_p,
)
from jaxlike.primitives.powers import (
    cbrt as cbrt,
)
from jaxlike.primitives.powers import (
    cbrt_p as cbrt_p,
)
from jaxlike.primitives.powers import (
    integer_pow as integer_pow,
)
from jaxlike.primitives.powers import (
    integer_pow_p as integer_pow_p,
)
from jaxlike.primitives.powers import (
    pow as pow,
)
from jaxlike.primitives.powers import (
    pow_p as pow_p,
)
from jaxlike.primitives.powers import (
    reciprocal as reciprocal,
)
from jaxlike.primitives.powers import (
    rsqrt as rsqrt,
)
from jaxlike.primitives.powers import (
    rsqrt_p as rsqrt_p,
)
from jaxlike.primitives.powers import (
    sqrt as sqrt,
)
from jaxlike.primitives.powers import (
    sqrt_p as sqrt_p,
)
from jaxlike.primitives.powers import (
    square as square,
)
from jaxlike.primitives.powers import (
    square_p as square_p,
)
from jaxlike.primitives.precision import (
    DotAlgorithm as DotAlgorithm,
)
from jaxlike.primitives.precision import (
    DotAlgorithmPreset as DotAlgorithmPreset,
)
from jaxlike.primitives.precision import (
    Precision as Precision,
)
from jaxlike.primitives.precision import (
    PrecisionLike as PrecisionLike,
)
from jaxlike.primitives.ragged import (
    RaggedDotDimensionNumbers as RaggedDotDimensionNumbers,
)
from jaxlike.primitives.ragged import (
    ragged_dot as ragged_dot,
)
from jaxlike.primitives.ragged import (
    ragged_dot_general as ragged_dot_general,
)
from jaxlike.primitives.ragged import (
    ragged_dot_general_p as ragged_dot_general_p,
)
from jaxlike.primitives.reductions import (
    argmax as argmax,
)
from jaxlike.primitives.reductions import (
    argmax_p as argmax_p,
)
from jaxlike.primitives.reductions import (
    argmin as argmin,
)
from jaxlike.primitives.reductions import (
    argmin_p as argmin_p,
)
from jaxlike.primitives.reductions import (
    reduce_and as reduce_and,
)
from jaxlike.primitives.reductions import (
    reduce_and_p as reduce_and_p,
)
from jaxlike.primitives.reductions import (
    reduce_max as reduce_max,
)
from jaxlike.primitives.reductions import (
    reduce_max_p as reduce_max_p,
)
from jaxlike.primitives.reductions import (
    reduce_min as reduce_min,
)
from jaxlike.primitives.reductions import (
    reduce_min_p as reduce_min_p,
)
from jaxlike.primitives.reductions import (
    reduce_or as reduce_or,
)
from jaxlike.primitives.reductions import (
    reduce_or_p as reduce_or_p,
)
from jaxlike.primitives.reductions import (
    reduce_prod as reduce_prod,
)
from jaxlike.primitives.reductions import (
    reduce_prod_p as reduce_prod_p,
)
from jaxlike.primitives.reductions import (
    reduce_sum as reduce_sum,
)
from jaxlike.primitives.reductions import (
    reduce_sum_p as reduce_sum_p,
)
from jaxlike.primitives.reductions import (
    reduce_xor as reduce_xor,
)
from jaxlike.primitives.reductions import (
    reduce_xor_p as reduce_xor_p,
)
from jaxlike.primitives.rng_bit_generator import (
    RandomAlgorithm as RandomAlgorithm,
)
from jaxlike.primitives.rng_bit_generator import (
    rng_bit_generator as rng_bit_generator,
)
from jaxlike.primitives.rng_bit_generator import (
    rng_bit_generator_p as rng_bit_generator_p,
)
from jaxlike.primitives.rng_bit_generator import (
    rng_uniform as rng_uniform,
)
from jaxlike.primitives.rng_bit_generator import (
    rng_uniform_p as rng_uniform_p,
)
from jaxlike.primitives.rounding import (
    RoundingMethod as RoundingMethod,
)
from jaxlike.primitives.rounding import (
    ceil as ceil,
)
from jaxlike.primitives.rounding import (
    ceil_p as ceil_p,
)
from jaxlike.primitives.rounding import (
    floor as floor,
)
from jaxlike.primitives.rounding import (
    floor_p as floor_p,
)
from jaxlike.primitives.rounding import (
    is_finite as is_finite,
)
from jaxlike.primitives.rounding import (
    is_finite_p as is_finite_p,
)
from jaxlike.primitives.rounding import (
    nextafter as nextafter,
)
from jaxlike.primitives.rounding import (
    nextafter_p as nextafter_p,
)
from jaxlike.primitives.rounding import (
    reduce_precision as reduce_precision,
)
from jaxlike.primitives.rounding import (
    reduce_precision_p as reduce_precision_p,
)
from jaxlike.primitives.rounding import (
    round as round,
)
from jaxlike.primitives.rounding import (
    round_p as round_p,
)
from jaxlike.primitives.scaled_dot import (
    scaled_dot as scaled_dot,
)
from jaxlike.primitives.scaled_dot import (
    scaled_dot_p as scaled_dot_p,
)
from jaxlike.primitives.scatter import (
    scatter as scatter,
)
from jaxlike.primitives.scatter import (
    scatter_add as scatter_add,
)
from jaxlike.primitives.scatter import (
    scatter_add_p as scatter_add_p,
)
from jaxlike.primitives.scatter import (
    scatter_apply as scatter_apply,
)
from jaxlike.primitives.scatter import (
    scatter_max as scatter_max,
)
from jaxlike.primitives.scatter import (
    scatter_max_p as scatter_max_p,
)
from jaxlike.primitives.scatter import (
    scatter_min as scatter_min,
)
from jaxlike.primitives.scatter import (
    scatter_min_p as scatter_min_p,
)
from jaxlike.primitives.scatter import (
    scatter_mul as scatter_mul,
)
from jaxlike.primitives.scatter import (
    scatter_mul_p as scatter_mul_p,
)
from jaxlike.primitives.scatter import (
    scatter_p as scatter_p,
)
from jaxlike.primitives.scatter import (
    scatter_sub as scatter_sub,
)
from jaxlike.primitives.scatter import (
    scatter_sub_p as scatter_sub_p,
)
from jaxlike.primitives.selection import (
    clamp as clamp,
)
from jaxlike.primitives.selection import (
    clamp_p as clamp_p,
)
from jaxlike.primitives.selection import (
    select as select,
)
from jaxlike.primitives.selection import (
    select_n as select_n,
)
from jaxlike.primitives.selection import (
    select_n_p as select_n_p,
)
from jaxlike.primitives.shapes import (
    collapse as collapse,
)
from jaxlike.primitives.shapes import (
    reshape as reshape,
)
from jaxlike.primitives.shapes import (
    reshape_p as reshape_p,
)
from jaxlike.primitives.shapes import (
    rev as rev,
)
from jaxlike.primitives.shapes import (
    rev_p as rev_p,
)
from jaxlike.primitives.shapes import (
    squeeze as squeeze,
)
from jaxlike.primitives.shapes import (
    squeeze_p as squeeze_p,
)
from jaxlike.primitives.shapes import (
    transpose as transpose,
)
from jaxlike.primitives.shapes import (
    transpose_p as transpose_p,
)
from jaxlike.primitives.slicing import (
    index_in_dim as index_in_dim,
)
from jaxlike.primitives.slicing import (
    slice as slice,
)
from jaxlike.primitives.slicing import (
    slice_in_dim as slice_in_dim,
)
from jaxlike.primitives.slicing import (
    slice_p as slice_p,
)
from jaxlike.primitives.sorting import (
    approx_max_k as approx_max_k,
)
from jaxlike.primitives.sorting import (
    approx_min_k as approx_min_k,
)
from jaxlike.primitives.sorting import (
    approx_top_k_p as approx_top_k_p,
)
from jaxlike.primitives.sorting import (
    sort as sort,
)
from jaxlike.primitives.sorting import (
    sort_key_val as sort_key_val,
)
from jaxlike.primitives.sorting import (
    sort_p as sort_p,
)
from jaxlike.primitives.sorting import (
    top_k as top_k,
)
from jaxlike.primitives.sorting import (
    top_k_p as top_k_p,
)
from jaxlike.primitives.special import (
    digamma as digamma,
)
from jaxlike.primitives.special import (
    digamma_p as digamma_p,
)
from jaxlike.primitives.special import (
    erf as erf,
)
from jaxlike.primitives.special import (
    erf_inv as erf_inv,
)
from jaxlike.primitives.special import (
    erf_inv_p as erf_inv_p,
)
from jaxlike.primitives.special import (
    erf_p as erf_p,
)
from jaxlike.primitives.special import (
    erfc as erfc,
)
from jaxlike.primitives.special import (
    erfc_p as erfc_p,
)
from jaxlike.primitives.special import (
    lgamma as lgamma,
)
from jaxlike.primitives.special import (
    lgamma_p as lgamma_p,
)
from jaxlike.primitives.special import (
    polygamma as polygamma,
)
from jaxlike.primitives.special import (
    polygamma_p as polygamma_p,
)
from jaxlike.primitives.special import (
    zeta as zeta,
)
from jaxlike.primitives.special import (
    zeta_p as zeta_p,
)
from jaxlike.primitives.special_bessel import (
    bessel_i0e as bessel_i0e,
)
from jaxlike.primitives.special_bessel import (
    bessel_i0e_p as bessel_i0e_p,
)
from jaxlike.primitives.special_bessel import (
    bessel_i1e as bessel_i1e,
)
from jaxlike.primitives.special_bessel import (
    bessel_i1e_p as bessel_i1e_p,
)
from jaxlike.primitives.special_incomplete import (
    betainc as betainc,
)
from jaxlike.primitives.special_incomplete import (
    igamma as igamma,
)
from jaxlike.primitives.special_incomplete import (
    igamma_grad_a as igamma_grad_a,
)
from jaxlike.primitives.special_incomplete import (
    igamma_grad_a_p as igamma_grad_a_p,
)
from jaxlike.primitives.special_incomplete import (
    igamma_p as igamma_p,
)
from jaxlike.primitives.special_incomplete import (
    igammac as igammac,
)
from jaxlike.primitives.special_incomplete import (
    igammac_p as igammac_p,
)
from jaxlike.primitives.special_incomplete import (
    random_gamma_grad as random_gamma_grad,
)
from jaxlike.primitives.special_incomplete import (
    regularized_incomplete_beta_p as regularized_incomplete_beta_p,
)
from jaxlike.primitives.transcendental import (
    acos as acos,
)
from jaxlike.primitives.transcendental import (
    acos_p as acos_p,
)
from jaxlike.primitives.transcendental import (
    acosh as acosh,
)
from jaxlike.primitives.transcendental import (
    acosh_p as acosh_p,
)
from jaxlike.primitives.transcendental import (
    asin as asin,
)
from jaxlike.primitives.transcendental import (
    asin_p as asin_p,
)
from jaxlike.primitives.transcendental import (
    asinh as asinh,
)
from jaxlike.primitives.transcendental import (
    asinh_p as asinh_p,
)
from jaxlike.primitives.transcendental import (
    atan as atan,
)
from jaxlike.primitives.transcendental import (
    atan2 as atan2,
)
from jaxlike.primitives.transcendental import (
    atan2_p as atan2_p,
)
from jaxlike.primitives.transcendental import (
    atan_p as atan_p,
)
from jaxlike.primitives.transcendental import (
    atanh as atanh,
)
from jaxlike.primitives.transcendental import (
    atanh_p as atanh_p,
)
from jaxlike.primitives.transcendental import (
    cos as cos,
)
from jaxlike.primitives.transcendental import (
    cos_p as cos_p,
)
from jaxlike.primitives.transcendental import (
    cosh as cosh,
)
from jaxlike.primitives.transcendental import (
    cosh_p as cosh_p,
)
from jaxlike.primitives.transcendental import (
    exp as exp,
)
from jaxlike.primitives.transcendental import (
    exp2 as exp2,
)
from jaxlike.primitives.transcendental import (
    exp2_p as exp2_p,
)
from jaxlike.primitives.transcendental import (
    exp_p as exp_p,
)
from jaxlike.primitives.transcendental import (
    expm1 as expm1,
)
from jaxlike.primitives.transcendental import (
    expm1_p as expm1_p,
)
from jaxlike.primitives.transcendental import (
    log as log,
)
from jaxlike.primitives.transcendental import (
    log1p as log1p,
)
from jaxlike.primitives.transcendental import (
    log1p_p as log1p_p,
)
from jaxlike.primitives.transcendental import (
    log_p as log_p,
)
from jaxlike.primitives.transcendental import (
    logistic as logistic,
)
from jaxlike.primitives.transcendental import (
    logistic_p as logistic_p,
)
from jaxlike.primitives.transcendental import (
    sin as sin,
)
from jaxlike.primitives.transcendental import (
    sin_p as sin_p,
)
from jaxlike.primitives.transcendental import (
    sinh as sinh,
)
from jaxlike.primitives.transcendental import (
    sinh_p as sinh_p,
)
from jaxlike.primitives.transcendental import (
    tan as tan,
)
from jaxlike.primitives.transcendental import (
    tan_p as tan_p,
)
from jaxlike.primitives.transcendental import (
    tanh as tanh,
)
from jaxlike.primitives.transcendental import (
    tanh_p as tanh_p,
)
from jaxlike.primitives.window_selection import (
    select_and_gather_add_p as select_and_gather_add_p,
)
from jaxlike.primitives.window_selection import (
    select_and_scatter_add_p as select_and_scatter_add_p,
)
from jaxlike.primitives.window_selection import (
    select_and_scatter_p as select_and_scatter_p,
)
from jaxlike.primitives.windows import (
    reduce_window as reduce_window,
)
from jaxlike.primitives.windows import (
    reduce_window_max_p as reduce_window_max_p,
)
from jaxlike.primitives.windows import (
    reduce_window_min_p as reduce_window_min_p,
)
from jaxlike.primitives.windows import (
    reduce_window_p as reduce_window_p,
)
from jaxlike.primitives.windows import (
    reduce_window_shape_tuple as reduce_window_shape_tuple,
)
from jaxlike.primitives.windows import (
    reduce_window_sum_p as reduce_window_sum_p,
)
from jaxlike.transforms.transfer import (
    with_sharding_constraint as with_sharding_constraint,
)
