"""Floor 4: the primitives and control flow, under the names of jax.lax.

May import jaxlike.core, jaxlike.primitives and jaxlike.control_flow.
"""

from jaxlike.core.lazy import lazy_names

# a module is imported when the first of its names is asked for
_NAMES = {
    "jaxlike.control_flow.associative_scan": "associative_scan",
    "jaxlike.control_flow.cond": "cond switch",
    "jaxlike.control_flow.cond_primitive": "cond_p",
    "jaxlike.control_flow.platforms": "platform_dependent",
    "jaxlike.control_flow.scan": "map scan",
    "jaxlike.control_flow.scan_primitive": "scan_p",
    "jaxlike.control_flow.solves": ("custom_linear_solve custom_root linear_solve_p"),
    "jaxlike.control_flow.while_loop": "fori_loop while_loop",
    "jaxlike.control_flow.while_primitive": "while_p",
    "jaxlike.primitives.accuracy": "AccuracyMode Tolerance",
    "jaxlike.primitives.arithmetic": (
        "abs abs_p add add_p div div_p max max_p min min_p mul mul_p neg neg_p "
        "rem rem_p sign sign_p sub sub_p"
    ),
    "jaxlike.primitives.bitwise": (
        "and_p bitwise_and bitwise_not bitwise_or bitwise_xor clz clz_p mulhi "
        "mulhi_p not_p or_p population_count population_count_p shift_left "
        "shift_left_p shift_right_arithmetic shift_right_arithmetic_p "
        "shift_right_logical shift_right_logical_p xor_p"
    ),
    "jaxlike.primitives.broadcasting": (
        "broadcast broadcast_in_dim broadcast_in_dim_p broadcast_like "
        "broadcast_shapes broadcast_to_rank broadcasted_iota empty expand_dims "
        "full full_like iota iota_p"
    ),
    "jaxlike.primitives.collective_axes": "axis_size",
    "jaxlike.primitives.collective_gather": (
        "all_gather all_gather_p psum_scatter reduce_scatter_p"
    ),
    "jaxlike.primitives.collective_permute": (
        "all_to_all all_to_all_p pbroadcast pbroadcast_p ppermute ppermute_p "
        "pshuffle pswapaxes"
    ),
    "jaxlike.primitives.collectives": (
        "axis_index axis_index_p pmax pmax_p pmean pmin pmin_p psum psum_p"
    ),
    "jaxlike.primitives.comparison": (
        "eq eq_p eq_to_p ge ge_p gt gt_p le le_p le_to_p lt lt_p lt_to_p ne ne_p"
    ),
    "jaxlike.primitives.complexes": (
        "complex complex_p conj conj_p imag imag_p real real_p"
    ),
    "jaxlike.primitives.contraction": (
        "DotDimensionNumbers batch_matmul dot dot_general dot_general_p"
    ),
    "jaxlike.primitives.conv_dimensions": (
        "ConvDimensionNumbers ConvGeneralDilatedDimensionNumbers "
        "conv_dimension_numbers conv_general_permutations "
        "conv_general_shape_tuple conv_shape_tuple conv_transpose_shape_tuple "
        "padtype_to_pads"
    ),
    "jaxlike.primitives.conv_functions": (
        "conv conv_general_dilated_local conv_general_dilated_patches "
        "conv_transpose conv_with_general_padding"
    ),
    "jaxlike.primitives.conversion": (
        "bitcast_convert_type bitcast_convert_type_p convert_element_type "
        "convert_element_type_p dtype"
    ),
    "jaxlike.primitives.convolution": ("conv_general_dilated conv_general_dilated_p"),
    "jaxlike.primitives.cumulative": (
        "cumlogsumexp cumlogsumexp_p cummax cummax_p cummin cummin_p cumprod "
        "cumprod_p cumsum cumsum_p"
    ),
    "jaxlike.primitives.dynamic_slicing": (
        "dynamic_index_in_dim dynamic_slice dynamic_slice_in_dim "
        "dynamic_slice_p dynamic_update_index_in_dim dynamic_update_slice "
        "dynamic_update_slice_in_dim dynamic_update_slice_p"
    ),
    "jaxlike.primitives.fft": "FftType fft fft_p",
    "jaxlike.primitives.gather": "gather gather_p index_take",
    "jaxlike.primitives.generic_reduce": "reduce reduce_p",
    "jaxlike.primitives.identity": (
        "copy_p optimization_barrier optimization_barrier_p stop_gradient "
        "stop_gradient_p"
    ),
    "jaxlike.primitives.indexing_numbers": (
        "GatherDimensionNumbers GatherScatterMode ScatterDimensionNumbers"
    ),
    "jaxlike.primitives.joining": (
        "concatenate concatenate_p pad pad_p split split_p stack stack_p tile "
        "tile_p unstack unstack_p"
    ),
    "jaxlike.primitives.powers": (
        "cbrt cbrt_p integer_pow integer_pow_p pow pow_p reciprocal rsqrt "
        "rsqrt_p sqrt sqrt_p square square_p"
    ),
    "jaxlike.primitives.precision": (
        "DotAlgorithm DotAlgorithmPreset Precision PrecisionLike"
    ),
    "jaxlike.primitives.ragged": (
        "RaggedDotDimensionNumbers ragged_dot ragged_dot_general ragged_dot_general_p"
    ),
    "jaxlike.primitives.reductions": (
        "argmax argmax_p argmin argmin_p reduce_and reduce_and_p reduce_max "
        "reduce_max_p reduce_min reduce_min_p reduce_or reduce_or_p reduce_prod "
        "reduce_prod_p reduce_sum reduce_sum_p reduce_xor reduce_xor_p"
    ),
    "jaxlike.primitives.rng_bit_generator": (
        "RandomAlgorithm rng_bit_generator rng_bit_generator_p rng_uniform "
        "rng_uniform_p"
    ),
    "jaxlike.primitives.rounding": (
        "RoundingMethod ceil ceil_p floor floor_p is_finite is_finite_p "
        "nextafter nextafter_p reduce_precision reduce_precision_p round "
        "round_p"
    ),
    "jaxlike.primitives.scaled_dot": "scaled_dot scaled_dot_p",
    "jaxlike.primitives.scatter": (
        "scatter scatter_add scatter_add_p scatter_apply scatter_max "
        "scatter_max_p scatter_min scatter_min_p scatter_mul scatter_mul_p "
        "scatter_p scatter_sub scatter_sub_p"
    ),
    "jaxlike.primitives.selection": "clamp clamp_p select select_n select_n_p",
    "jaxlike.primitives.shapes": (
        "collapse reshape reshape_p rev rev_p squeeze squeeze_p transpose transpose_p"
    ),
    "jaxlike.primitives.slicing": "index_in_dim slice slice_in_dim slice_p",
    "jaxlike.primitives.sorting": (
        "approx_max_k approx_min_k approx_top_k_p sort sort_key_val sort_p "
        "top_k top_k_p"
    ),
    "jaxlike.primitives.special": (
        "digamma digamma_p erf erf_inv erf_inv_p erf_p erfc erfc_p lgamma "
        "lgamma_p polygamma polygamma_p zeta zeta_p"
    ),
    "jaxlike.primitives.special_bessel": (
        "bessel_i0e bessel_i0e_p bessel_i1e bessel_i1e_p"
    ),
    "jaxlike.primitives.special_incomplete": (
        "betainc igamma igamma_grad_a igamma_grad_a_p igamma_p igammac "
        "igammac_p random_gamma_grad regularized_incomplete_beta_p"
    ),
    "jaxlike.primitives.transcendental": (
        "acos acos_p acosh acosh_p asin asin_p asinh asinh_p atan atan2 atan2_p "
        "atan_p atanh atanh_p cos cos_p cosh cosh_p exp exp2 exp2_p exp_p expm1 "
        "expm1_p log log1p log1p_p log_p logistic logistic_p sin sin_p sinh "
        "sinh_p tan tan_p tanh tanh_p"
    ),
    "jaxlike.primitives.window_selection": (
        "select_and_gather_add_p select_and_scatter_add_p select_and_scatter_p"
    ),
    "jaxlike.primitives.windows": (
        "reduce_window reduce_window_max_p reduce_window_min_p reduce_window_p "
        "reduce_window_shape_tuple reduce_window_sum_p"
    ),
    "jaxlike.transforms.transfer": "with_sharding_constraint",
}
_SUBMODULES = ("linalg",)

__getattr__, __dir__ = lazy_names(__name__, _NAMES, _SUBMODULES)
