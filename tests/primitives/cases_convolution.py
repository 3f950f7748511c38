"""Cases of convolutions: layouts, strides, padding, dilation and groups."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from tests.primitives.case import Case

RNG = np.random.default_rng(2)
CASES: list[Case] = []


def case(name, fun, *args, **kwargs):
    CASES.append(Case(f"{name}-{len(CASES)}", fun, list(args), **kwargs))


def normal(*shape, dtype=np.float32):
    x = RNG.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * RNG.standard_normal(shape)
    return x.astype(dtype)


def conv(lhs, rhs, strides, padding, **options):
    name = "conv_general_dilated"

    def fun(lax, x, w):
        return getattr(lax, name)(x, w, strides, padding, **options)

    case(name, fun, lhs, rhs, grad_args=(0, 1), order=2)


# --- windows along one axis: each option by itself, then together

for strides in (1, 2, 3):
    for padding in ("VALID", "SAME", "SAME_LOWER", ((2, 1),), ((-1, 0),)):
        conv(normal(2, 2, 6), normal(2, 2, 3), (strides,), padding)
for base, hole in ((1, 2), (2, 1), (3, 2)):
    for strides in (1, 2):
        conv(normal(1, 2, 5), normal(2, 2, 2), (strides,), ((2, 1),),
             lhs_dilation=(base,), rhs_dilation=(hole,))  # fmt: skip
conv(normal(1, 2, 3), normal(2, 2, 5), (1,), "VALID")  # no place for the window
conv(normal(1, 1, 1), normal(1, 1, 1), (1,), "SAME")

# --- groups

for groups in (2, 3):
    conv(normal(1, 2 * groups, 4), normal(groups, 2, 2), (1,), "SAME",
         feature_group_count=groups)  # fmt: skip
    conv(normal(2, groups, 4), normal(2 * groups, 1, 2), (1,), ((1, 0),),
         feature_group_count=groups)  # fmt: skip
    conv(normal(2 * groups, 1, 4), normal(2 * groups, 1, 2), (1,), "SAME",
         batch_group_count=groups)  # fmt: skip
conv(normal(1, 4, 3), normal(4, 2, 2), (1,), ((1, 1),), lhs_dilation=(2,),
     feature_group_count=2)  # fmt: skip
conv(normal(2, 1, 3), normal(4, 1, 2), (2,), ((1, 1),), lhs_dilation=(2,),
     rhs_dilation=(2,), batch_group_count=2)  # fmt: skip

# --- layouts and ranks

for layout in (
    ("NWC", "WIO", "NWC"),
    ("CWN", "OWI", "WCN"),
    ("WNC", "IOW", "CNW"),
):
    sizes = {"N": 2, "C": 2, "W": 4, "O": 3, "I": 2}
    lhs, rhs = ([sizes[c] for c in spec] for spec in layout[:2])
    rhs[layout[1].index("W")] = 2
    for options in (dict(), dict(rhs_dilation=(2,)), dict(lhs_dilation=(2,))):
        padding = ((1, 1),)
        conv(normal(*lhs), normal(*rhs), (1,), padding, dimension_numbers=layout,
             **options)  # fmt: skip
conv(normal(1, 3, 4, 2), normal(2, 2, 2, 1), (1, 2), "SAME",
     dimension_numbers=("NHWC", "HWIO", "NHWC"))  # fmt: skip
conv(normal(1, 2, 3, 4), normal(2, 1, 2, 2), (2, 1), ((1, 0), (0, 2)),
     lhs_dilation=(1, 2), rhs_dilation=(1, 2), feature_group_count=2)  # fmt: skip
conv(normal(1, 1, 2, 3, 2), normal(2, 1, 2, 1, 2), (1, 2, 1), "SAME")
conv(normal(2, 3), normal(4, 3), (), ())

# --- dtypes


def plain(lax, x, w):
    return lax.conv_general_dilated(x, w, (1,), "SAME")


for dtype in (np.float16, ml_dtypes.bfloat16):
    case("narrow", plain, normal(1, 2, 5, dtype=dtype), normal(2, 2, 3, dtype=dtype),
         rtol=0.03, atol=0.03)  # fmt: skip
    case("wide",
         lambda lax, x, w: lax.conv_general_dilated(
             x, w, (1,), "SAME", preferred_element_type=np.float32),
         normal(1, 2, 5, dtype=dtype), normal(2, 2, 3, dtype=dtype))  # fmt: skip
for dtype in (np.int8, np.int32, np.uint16):
    case("ints", plain, RNG.integers(0, 99, (1, 2, 5)).astype(dtype),
         RNG.integers(0, 99, (2, 2, 3)).astype(dtype))  # fmt: skip
case("ints-groups",
     lambda lax, x, w: lax.conv_general_dilated(
         x, w, (1,), ((1, 2),), lhs_dilation=(2,), feature_group_count=2),
     RNG.integers(-99, 99, (1, 2, 5)).astype(np.int32),
     RNG.integers(-99, 99, (2, 1, 3)).astype(np.int32))  # fmt: skip
case("complex", plain, normal(1, 2, 5, dtype=np.complex64),
     normal(2, 2, 3, dtype=np.complex64), grad_args=(0, 1), rtol=1e-4)  # fmt: skip
case("special", plain, np.array([[[np.nan, 1, 2, np.inf, 3]]], np.float32),
     normal(1, 1, 2))  # fmt: skip
case("empty", plain, np.zeros((0, 2, 4), np.float32), normal(2, 2, 3))

# --- the functions put on top of it

case("conv", lambda lax, x, w: lax.conv(x, w, (2,), "SAME"),
     normal(1, 2, 5), normal(2, 2, 2))  # fmt: skip
case("conv_with_general_padding",
     lambda lax, x, w: lax.conv_with_general_padding(
         x, w, (1,), ((1, 0),), (2,), (1,)),
     normal(1, 2, 5), normal(2, 2, 2))  # fmt: skip
for padding in ("SAME", "VALID", ((1, 2),)):
    for flip in (False, True):
        case("conv_transpose",
             lambda lax, x, w, p=padding, flip=flip: lax.conv_transpose(
                 x, w, (2,), p, transpose_kernel=flip),
             normal(1, 4, 2), normal(3, 2, 2), grad_args=(0, 1), order=1)  # fmt: skip
    case("conv_transpose-dilated",
         lambda lax, x, w, p=padding: lax.conv_transpose(
             x, w, (3,), p, rhs_dilation=(2,), use_consistent_padding=True),
         normal(1, 3, 2), normal(2, 2, 2))  # fmt: skip
case("conv_transpose-2d",
     lambda lax, x, w: lax.conv_transpose(x, w, (2, 1), "SAME"),
     normal(1, 2, 3, 2), normal(2, 2, 2, 1))  # fmt: skip
case("patches", lambda lax, x: lax.conv_general_dilated_patches(
    x, (2,), (2,), "SAME"), normal(1, 2, 5), grad_args=(0,))  # fmt: skip
case("patches-layout", lambda lax, x: lax.conv_general_dilated_patches(
    x, (2, 2), (1, 2), "VALID", rhs_dilation=(2, 1),
    dimension_numbers=("NHWC", "OIHW", "NCHW")), normal(1, 3, 4, 2))  # fmt: skip
case("local", lambda lax, x, w: lax.conv_general_dilated_local(
    x, w, (1,), "VALID", (2,)),
    normal(1, 2, 4), normal(3, 4, 3), grad_args=(0, 1))  # fmt: skip
case("local-layout", lambda lax, x, w: lax.conv_general_dilated_local(
    x, w, (1,), "SAME", (2,), dimension_numbers=("NWC", "WIO", "NWC")),
    normal(2, 3, 2), normal(3, 4, 2))  # fmt: skip
